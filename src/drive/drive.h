/*-------------------------------------------------------------------------
 *
 * drive.h
 *	  What turns the machine and the transport together.
 *
 *-------------------------------------------------------------------------
 */
#ifndef ARAZZO_DRIVE_DRIVE_H
#define ARAZZO_DRIVE_DRIVE_H

#include "fmgr.h"

#include "drive/call.h"

/* Called after each attempt of a step, before its memory goes. */
typedef struct DriveObserver
{
	void	   *owner;
	void		(*attempt) (void *owner, const RunNext *next, const DriveCall *call,
							const ArazzoResponse *response, const RunJudgement *judgement);
} DriveObserver;

/*
 * Drives one run to its end as the current role, waiting where it waits.
 * Observer may be NULL.  Interruptible.  Returns the secrets that its calls
 * carried (List of char *), for masking.
 */
extern List *arazzo_drive(ArazzoRun *run, const DriveObserver *observer);

/*
 * The run that a function's arguments (workflow text, inputs jsonb) ask for;
 * throws when there is no such workflow or the inputs do not fit.
 */
extern ArazzoRun *arazzo_drive_create(FunctionCallInfo fcinfo);

/* The same for explaining: required inputs may be missing. */
extern ArazzoRun *arazzo_drive_create_explained(FunctionCallInfo fcinfo);

/* The failure of a run as it may be shown: secrets masked. */
extern ArazzoFailure *arazzo_drive_failure(const ArazzoRun *run, List *secrets);

/* A body as text, in the current context: bytes that are none are in hex. */
extern char *arazzo_drive_body(const char *body, size_t length);

#endif							/* ARAZZO_DRIVE_DRIVE_H */
