/*-------------------------------------------------------------------------
 *
 * alarm.h
 *	  A limit of time for what does not end by itself.
 *
 *-------------------------------------------------------------------------
 */
#ifndef ARAZZO_SUPPORT_ALARM_H
#define ARAZZO_SUPPORT_ALARM_H

/*
 * Calls a function that looks for interrupts; after so long (ms) one comes,
 * as if somebody cancelled it.  Returns false when that was so; what else the
 * function throws is thrown on.
 */
extern bool arazzo_alarm_call(void (*work) (void *argument), void *argument, int limit);

#endif							/* ARAZZO_SUPPORT_ALARM_H */
