/*-------------------------------------------------------------------------
 *
 * split.h
 *	  Splits a run whose array the API refused.
 *
 *-------------------------------------------------------------------------
 */
#ifndef ARAZZO_QUEUE_SPLIT_H
#define ARAZZO_QUEUE_SPLIT_H

/*
 * For a run that was submitted to be split and has just failed, in the
 * transaction that says so: two runs with half of its array each take its
 * place.  False when it stays as it is: failed.
 */
extern bool arazzo_queue_split(int64 run);

/* The same because somebody asks for it, with a version of its documents;
 * throws 55000 when it cannot be. */
extern void arazzo_queue_split_now(int64 run, const char *version);

#endif							/* ARAZZO_QUEUE_SPLIT_H */
