/*-------------------------------------------------------------------------
 *
 * attempt.h
 *	  What is kept of each attempt of a step.
 *
 *-------------------------------------------------------------------------
 */
#ifndef ARAZZO_QUEUE_ATTEMPT_H
#define ARAZZO_QUEUE_ATTEMPT_H

#include "drive/call.h"
#include "queue/run_store.h"

/*
 * Writes an attempt to the history, secrets masked and bodies cut.  call and
 * response are NULL when nothing was sent, key when there is none; without
 * a judgement the outcome is unknown.
 */
extern void arazzo_queue_add_attempt(const QueuedRun *run, const RunNext *next, const DriveCall *call,
									 const char *key, const ArazzoResponse *response,
									 const RunJudgement *judgement, List *secrets);

#endif							/* ARAZZO_QUEUE_ATTEMPT_H */
