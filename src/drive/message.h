/*-------------------------------------------------------------------------
 *
 * message.h
 *	  Messages of a run: NOTIFY.
 *
 *-------------------------------------------------------------------------
 */
#ifndef ARAZZO_DRIVE_MESSAGE_H
#define ARAZZO_DRIVE_MESSAGE_H

#include "run/machine.h"

/* Is what is next a message, and no request? */
extern bool arazzo_message_is(const RunNext *next);

/* Does it and tells the run: publishes it, or refuses it with the reason. */
extern void arazzo_message_perform(ArazzoRun *run, const RunNext *next);

/* Why a step's message cannot be sent or received here, or NULL. */
extern ArazzoFailure *arazzo_message_check(const PlanStep *step, const RunNext *next);

#endif							/* ARAZZO_DRIVE_MESSAGE_H */
