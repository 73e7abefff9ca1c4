/*-------------------------------------------------------------------------
 *
 * run_store.h
 *	  Queued runs as those who submit and operate them see them.
 *
 *-------------------------------------------------------------------------
 */
#ifndef ARAZZO_QUEUE_RUN_STORE_H
#define ARAZZO_QUEUE_RUN_STORE_H

#include "datatype/timestamp.h"
#include "storage/itemptr.h"
#include "utils/jsonb.h"

typedef struct QueuedRun
{
	int64		id;
	ItemPointerData place;		/* of its row, if it was read from the table */
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
	int			crashes;		/* of workers that were busy with it, in a row */
	char	   *order_key;		/* or NULL */
	char	   *notify;			/* channel that hears when it ends, or NULL */
	bool		split;			/* is halved when the API refuses it */
	TimestampTz unanswered_since;	/* the call at hand may have been received
									 * from that moment on; 0: it was not sent */
} QueuedRun;

/* A copy in the current memory context. */
extern QueuedRun *arazzo_queue_copy_run(const QueuedRun *run);

/* What a run is made of; the table goes by the name q. */
#define QUEUE_RUN_FIELDS 17
#define QUEUE_RUN_COLUMNS "q.id, q.owner, q.status, q.document, q.workflow, q.version, q.inputs, q.nonce," \
	" q.state, q.retries, q.verdict, q.verdict_outputs, q.crashes, q.order_key, q.notify, q.split, q.unanswered_since"

/* A run of those columns, all of it in the current context. */
extern QueuedRun *arazzo_queue_make_run(const Datum *values, const bool *nulls);

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

/* A run by its id, locked; NULL when there is none that the role may see. */
extern QueuedRun *arazzo_queue_lock(int64 id, Oid role);

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

#endif							/* ARAZZO_QUEUE_RUN_STORE_H */
