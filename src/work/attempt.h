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
#include "work/work_store.h"

/*
 * An attempt for the history, secrets masked and bodies cut, in the current
 * memory context.  call and response are NULL when nothing was sent, key when
 * there is none; without a judgement the outcome is unknown.
 */
extern QueueAttempt *arazzo_queue_attempt(const QueuedRun *run, const RunNext *next, const DriveCall *call,
										  const char *key, const ArazzoResponse *response,
										  const RunJudgement *judgement, List *secrets);

#endif							/* ARAZZO_WORK_ATTEMPT_H */
