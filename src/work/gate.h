/*-------------------------------------------------------------------------
 *
 * gate.h
 *	  Whether queued runs may call a server just now.
 *
 * A server may be paused for a role, whose credential it refused; broken for
 * all, when it gave no answer several times in a row; or busy with as many
 * calls of this worker as it should be.  Runs that would call it are held
 * until it is well again.  Pauses and breaks are kept in a table, for all
 * workers and for views.
 *
 *-------------------------------------------------------------------------
 */
#ifndef ARAZZO_WORK_GATE_H
#define ARAZZO_WORK_GATE_H

#include "datatype/timestamp.h"
#include "nodes/pg_list.h"

#include "http/connection.h"

typedef struct QueueGate QueueGate;

/* A server as one worker sees it. */
typedef struct GateServer
{
	Oid			oid;			/* key */
	char		name[NAMEDATALEN];
	int			in_flight;		/* calls of this worker, also those that wait for
								 * the server's limits */
	int			failures;		/* calls without an answer, in a row */
	TimestampTz answered;		/* the last answer, or the first call */
	bool		held;			/* runs for want of room among its calls */
	bool		crowded;		/* calls waited for a place there */
} GateServer;

/* A gate in the current memory context; concurrency is the calls at a time
 * that its worker makes. */
extern QueueGate *arazzo_gate_create(int concurrency);

/* The server of a connection. */
extern GateServer *arazzo_gate_server(QueueGate *gate, const ArazzoConnection *connection);

/* May a role call the server?  A probe may although it is broken; crowded:
 * calls wait for a place there. */
extern bool arazzo_gate_is_open(const QueueGate *gate, GateServer *server, const ArazzoConnection *connection,
								bool probe, bool crowded, TimestampTz now);

/* A call is on its way to the server, and is over; answered: with an answer. */
extern void arazzo_gate_enter(GateServer *server, TimestampTz now);
extern void arazzo_gate_leave_with(QueueGate *gate, GateServer *server, bool answered, bool transient,
								   const char *reason, TimestampTz now);

/* Is there room for runs that were held for want of it?  Says so once. */
extern bool arazzo_gate_has_room(const QueueGate *gate, GateServer *server);

/* The server, or who gives tokens for it, refused the credential of a role. */
extern void arazzo_gate_pause(QueueGate *gate, const GateServer *server, Oid role, const char *reason);

/* Does one server have nearly all calls of the worker, and answers none? */
extern bool arazzo_gate_is_stalled(const QueueGate *gate, TimestampTz now);

/* Reads the table; writes what was noted since the last time.  In a
 * transaction. */
extern void arazzo_gate_read(QueueGate *gate);
extern bool arazzo_gate_has_news(const QueueGate *gate);
extern void arazzo_gate_write(QueueGate *gate, TimestampTz now);
extern void arazzo_gate_written(QueueGate *gate);

/* May runs of a role that are held for a server be let go?  *probe: one of
 * them, to see whether the server is there again.  In a transaction. */
extern bool arazzo_gate_may_release(QueueGate *gate, const char *server_name, Oid owner,
									TimestampTz now, bool *probe);

/* How many of them at a time. */
extern int	arazzo_gate_release_count(const QueueGate *gate, const char *server_name);

#endif							/* ARAZZO_WORK_GATE_H */
