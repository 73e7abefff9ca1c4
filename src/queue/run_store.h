/*-------------------------------------------------------------------------
 *
 * run_store.h
 *	  The tables of queued runs: every statement on them.
 *
 * Statements run as the owner of the tables, so that roles need no privilege
 * on them.  A run that is being worked on carries the claim of its worker;
 * what a worker writes is refused once the claim is no longer its own.
 *
 *-------------------------------------------------------------------------
 */
#ifndef ARAZZO_QUEUE_RUN_STORE_H
#define ARAZZO_QUEUE_RUN_STORE_H

#include "datatype/timestamp.h"
#include "nodes/pg_list.h"
#include "utils/jsonb.h"

#include "support/errors.h"

/* A run found by its worker dead so many times in a row is set aside. */
#define QUEUE_MAX_CRASHES 5

typedef struct QueuedRun
{
	int64		id;
	Oid			owner;
	char	   *status;			/* "queued", "running", ... */
	char	   *document;		/* URI */
	char	   *workflow;		/* id */
	char	   *version;		/* of the documents of its plan */
	Jsonb	   *inputs;
	char	   *nonce;			/* what its keys begin with */
	Jsonb	   *state;			/* NULL: not begun */
	int			retries;		/* of the call at hand, by the queue */
	char	   *verdict;		/* of arazzo_resolve, or NULL */
	Jsonb	   *verdict_outputs;
	int64		claim;			/* the worker's own */
} QueuedRun;

/* One attempt of a step, masked; NULL, or 0, where there is nothing. */
typedef struct QueueAttempt
{
	Oid			owner;
	const char *workflow;
	const char *step;
	int			attempt;
	const char *method;
	const char *url;
	const char *key;
	const char *request_body;
	int			status;
	const char *response_body;
	int64		duration_us;
	const char *outcome;		/* "succeeded", "failed", "unknown" */
	const char *action;
	const char *message;
	const char *server;			/* the connection's, when something was sent */
} QueueAttempt;

/* What a run may be submitted with. */
typedef struct QueueOptions
{
	const char *key;			/* the same key, the same run; or NULL */
	TimestampTz not_before;
	const char *order_by;		/* runs of an owner with the same value follow
								 * each other; or NULL */
	const char *notify;			/* channel that hears when it ends; or NULL */
	bool		split;			/* halve its array when the API refuses it */
} QueueOptions;

/* Inserts a run; 0 when its owner has a run with this key already. */
extern int64 arazzo_queue_insert(const QueuedRun *run, const QueueOptions *options);

/* The run of an owner with a key, locked; NULL when it is not there. */
extern QueuedRun *arazzo_queue_find_key(Oid owner, const char *key);

/* A run by its id, locked; NULL when there is none that the role may see. */
extern QueuedRun *arazzo_queue_lock(int64 id, Oid role);

/* A number that no worker had before. */
extern int64 arazzo_queue_new_claim(void);

/* Takes the run that is due longest, or NULL; rows that others hold are
 * passed over. */
extern QueuedRun *arazzo_queue_take(int64 claim, TimestampTz now);

/* Claims that runs carry, as a List of int64 *. */
extern List *arazzo_queue_claims(void);

/*
 * Releases the runs of a worker that is gone: one that was sending a call
 * that cannot be repeated is in doubt, the others go on.
 */
extern void arazzo_queue_recover(int64 claim, TimestampTz now);

/* The worker's writes; false when the run is no longer its own. */
extern bool arazzo_queue_checkpoint(const QueuedRun *run, Jsonb *state, const char *sending);
extern bool arazzo_queue_wait(const QueuedRun *run, Jsonb *state, TimestampTz due, int retries);
extern bool arazzo_queue_finish(const QueuedRun *run, const char *status, Jsonb *outputs,
								const char *ended_by, const ArazzoFailure *failure);

extern void arazzo_queue_note_attempt(int64 run, const QueueAttempt *attempt);

/* The operator's writes on a run that is locked; what follows it in an order
 * waits for it again, or waits no longer. */
extern void arazzo_queue_requeue(int64 run, const char *version, const char *verdict, Jsonb *outputs);
extern void arazzo_queue_cancel(int64 run);

/*
 * Deletes up to a number of runs that ended before a moment, and their
 * attempts; returns how many.  Those that others hold are passed over, and
 * those that were split until their halves are gone, since a key is known as
 * long as its run is.  *from, which begins as DT_NOBEGIN, says where the next
 * batch begins, so that none wades through what those before have left dead.
 */
extern int64 arazzo_queue_delete(TimestampTz *from, TimestampTz before, int limit);

/*
 * Forgets what keeps runs from a server, and lets them go on: the pauses and
 * the runs of roles whose privileges the role has, or everything.  Return
 * how many states there were, and how many runs waited.
 */
extern int64 arazzo_queue_forget_states(const char *server, Oid role, bool everything);
extern int64 arazzo_queue_release(const char *server, Oid role, bool everything);

/* What decides whether a run can be split. */
typedef struct SplitFacts
{
	bool		failed;			/* because a step did */
	bool		wanted;			/* when it was submitted */
	int			status;			/* of the last answer, or 0 */
	bool		acted;			/* a call before may have changed something */
	int64		arrays;			/* among the inputs */
	char	   *array;			/* name of the first */
	int			elements;		/* in the shortest */
} SplitFacts;

/* Of a run that is there; in the current context. */
extern SplitFacts *arazzo_queue_split_facts(int64 run);

/*
 * Puts two runs in the place of one that failed: each has half of an array,
 * the first its first "half" elements, and the version if it is not NULL.
 */
extern void arazzo_queue_halve(int64 run, const char *version, const char *array, int half);

/*
 * A run with an order key that was split is over once its halves are: ends
 * one such run, and lets the one go on that waited for it.  False when there
 * is none.
 */
extern bool arazzo_queue_end_split(void);

#endif							/* ARAZZO_QUEUE_RUN_STORE_H */
