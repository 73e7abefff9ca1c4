/*-------------------------------------------------------------------------
 *
 * resend.h
 *	  Whether and when a queued run repeats a call by itself.
 *
 *-------------------------------------------------------------------------
 */
#ifndef ARAZZO_WORK_RESEND_H
#define ARAZZO_WORK_RESEND_H

#include "datatype/timestamp.h"

#include "drive/call.h"

/* May the call be sent once more after so many retries, and would that help? */
extern bool arazzo_resend_helps(const DriveCall *call, const ArazzoResponse *response, int retries);

/*
 * When: exponential with full jitter, and not before the server says; one
 * that says "at once" every time must not use up all attempts in no time.
 * The last two of so many retries wait 20 s at least, so that a failover can
 * be over.
 */
extern TimestampTz arazzo_resend_time(const ArazzoResponse *response, int retries, int limit);

/* Does the API say that it has taken in an earlier attempt of the call? */
extern bool arazzo_resend_is_known(const DriveCall *call, const ArazzoResponse *response);

/* Is a keyed call that may have been received since a moment (0: not at all)
 * older than its API remembers keys? */
extern bool arazzo_resend_is_too_late(const DriveCall *call, TimestampTz unanswered_since, TimestampTz now);

#endif							/* ARAZZO_WORK_RESEND_H */
