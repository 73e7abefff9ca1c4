/*-------------------------------------------------------------------------
 *
 * attempt.h
 *	  What is kept of each attempt of a step.
 *
 *-------------------------------------------------------------------------
 */
#ifndef ARAZZO_WORK_ATTEMPT_H
#define ARAZZO_WORK_ATTEMPT_H

#include "drive/call.h"
#include "queue/run_store.h"

/* One attempt of a step, masked; NULL, or 0, where there is nothing. */
typedef struct QueueAttempt
{
	int64		run;
	Oid			owner;
	const char *server;
	const char *workflow;
	const char *step;
	int			attempt;
	const char *method;
	const char *url;
	const char *key;
	const char *request_body;
	int			status;
	const char *response_body;
	int64		duration_us;
	const char *outcome;		/* "succeeded", "failed", "unknown" */
	const char *action;
	const char *message;
} QueueAttempt;

/*
 * An attempt for the history, secrets masked and bodies cut, in the current
 * memory context.  call and response are NULL when nothing was sent, key when
 * there is none; without a judgement the outcome is unknown.
 */
extern QueueAttempt *arazzo_queue_attempt(const QueuedRun *run, const RunNext *next, const DriveCall *call,
										  const char *key, const ArazzoResponse *response,
										  const RunJudgement *judgement, List *secrets);

/* Adds attempts (QueueAttempt *) to the history. */
extern void arazzo_attempts_write(List *attempts);

#endif							/* ARAZZO_WORK_ATTEMPT_H */
