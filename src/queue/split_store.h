/*-------------------------------------------------------------------------
 *
 * split_store.h
 *	  The statements that split runs.
 *
 *-------------------------------------------------------------------------
 */
#ifndef ARAZZO_QUEUE_SPLIT_STORE_H
#define ARAZZO_QUEUE_SPLIT_STORE_H

/* What decides whether a run can be split. */
typedef struct SplitFacts
{
	bool		failed;			/* because a step did */
	int			status;			/* of the last answer, or 0 */
	bool		acted;			/* a call before may have changed something */
	int64		arrays;			/* among the inputs */
	char	   *array;			/* name of the first */
	int			elements;		/* in the shortest */
} SplitFacts;

/* Of a run that is there; in the current context. */
extern SplitFacts *arazzo_split_facts(int64 run);

/*
 * Puts two runs in the place of one that failed: each has half of an array,
 * the first its first "half" elements, and the version if it is not NULL.
 */
extern void arazzo_split_halve(int64 run, const char *version, const char *array, int half);

/*
 * A run with an order key that was split is over once its halves are: ends
 * one such run, and lets the one go on that waited for it.  False when there
 * is none.
 */
extern bool arazzo_split_end(void);

#endif							/* ARAZZO_QUEUE_SPLIT_STORE_H */
