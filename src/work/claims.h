/*-------------------------------------------------------------------------
 *
 * claims.h
 *	  Workers, and how it is known that one is gone.
 *
 *-------------------------------------------------------------------------
 */
#ifndef ARAZZO_WORK_CLAIMS_H
#define ARAZZO_WORK_CLAIMS_H

#include "datatype/timestamp.h"

/* A claim for this session, which holds it until it ends or gives it back.
 * In a transaction. */
extern int64 arazzo_claims_begin(void);
extern void arazzo_claims_end(int64 claim);

/* Recovers the runs of sessions that are gone, in a transaction; how many. */
extern int64 arazzo_claims_recover(int64 claim, TimestampTz now);

#endif							/* ARAZZO_WORK_CLAIMS_H */
