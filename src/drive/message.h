/*-------------------------------------------------------------------------
 *
 * message.h
 *	  Messages of a run: what can be sent and received, and NOTIFY.
 *
 *-------------------------------------------------------------------------
 */
#ifndef ARAZZO_DRIVE_MESSAGE_H
#define ARAZZO_DRIVE_MESSAGE_H

#include "run/machine.h"

/* Is a step to receive its message by LISTEN? */
extern bool arazzo_message_listens(const PlanStep *step);

/*
 * RUN_NOTIFY: does it and tells the run: publishes it, or refuses it with the
 * reason.
 */
extern void arazzo_message_perform(ArazzoRun *run, const RunNext *next);

/* What is wrong with the name of a channel of this or another database. */
extern ArazzoFailure *arazzo_message_check_name(const char *channel);

/* Why a step's message cannot be sent or received here, or NULL. */
extern ArazzoFailure *arazzo_message_check(const PlanStep *step, const RunNext *next);

#endif							/* ARAZZO_DRIVE_MESSAGE_H */
