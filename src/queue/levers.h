/*-------------------------------------------------------------------------
 *
 * levers.h
 *	  What the procedures of the queue share.
 *
 *-------------------------------------------------------------------------
 */
#ifndef ARAZZO_QUEUE_LEVERS_H
#define ARAZZO_QUEUE_LEVERS_H

#include "fmgr.h"

/* Was a procedure called where it may commit? */
extern bool arazzo_queue_may_commit(FunctionCallInfo fcinfo);

/*
 * Commits within a procedure that is connected to SPI (non-atomic) and begins
 * a transaction that sees what is committed, whatever the session's
 * isolation level; durable: on disk even with synchronous_commit = off.
 */
extern void arazzo_queue_commit(bool durable);

/* The result of a procedure with one INOUT argument. */
extern Datum arazzo_queue_result(FunctionCallInfo fcinfo, Datum value);

#endif							/* ARAZZO_QUEUE_LEVERS_H */
