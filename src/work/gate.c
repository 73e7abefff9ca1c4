/*-------------------------------------------------------------------------
 *
 * gate.c
 *	  Whether queued runs may call a server just now.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "queue/statement.h"
#include "support/clock.h"
#include "work/gate.h"

/* So many calls in a row without an answer break a server. */
#define BREAKING_FAILURES 5

/* How long a broken server is left alone (ms): at first, and at the longest. */
#define FIRST_BREAK 1000
#define LONGEST_BREAK 60000

/* A server that has most of the calls is slow when it has answered none for
 * so long (ms). */
#define STALL_TIME 500

/* So many runs are let go at a time, for each that may be under way. */
#define RELEASED_AHEAD 4

typedef enum GateStateKind
{
	GATE_PAUSED,
	GATE_BROKEN
} GateStateKind;

/* A row of the table. */
typedef struct GateState
{
	GateStateKind kind;
	char		server[NAMEDATALEN];
	Oid			owner;			/* of a pause */
	TimestampTz until;			/* of a break */
	int			failures;		/* of a break */
} GateState;

/* What is to be written to the table. */
typedef struct GateNews
{
	GateState	state;
	bool		well;			/* the break is over */
	char	   *reason;
} GateNews;

struct QueueGate
{
	MemoryContext context;
	MemoryContext state_context;	/* emptied at each read */
	MemoryContext news_context; /* emptied once they are written */
	int			concurrency;
	List	   *servers;		/* of GateServer */
	List	   *states;			/* of GateState */
	List	   *news;			/* of GateNews */
};

static const GateState *find_state(const QueueGate *gate, GateStateKind kind, const char *server, Oid owner);
static GateNews *add_news(QueueGate *gate, GateStateKind kind, const GateServer *server, Oid owner);
static void add_state(QueueGate *gate, const GateState *state);
static void break_server(QueueGate *gate, const GateServer *server, const char *reason, TimestampTz now);
static bool is_full(const QueueGate *gate, const GateServer *server);
static void write_news(const GateNews *news, TimestampTz now);
static bool take_probe(const GateState *state, TimestampTz now);
static TimestampTz break_end(int failures, TimestampTz now);

QueueGate *
arazzo_gate_create(int concurrency)
{
	QueueGate  *gate = palloc0(sizeof(QueueGate));

	gate->context = CurrentMemoryContext;
	gate->state_context = AllocSetContextCreate(CurrentMemoryContext, "arazzo server states", ALLOCSET_SMALL_SIZES);
	gate->news_context = AllocSetContextCreate(CurrentMemoryContext, "arazzo server news", ALLOCSET_SMALL_SIZES);
	gate->concurrency = concurrency;
	return gate;
}

GateServer *
arazzo_gate_server(QueueGate *gate, const ArazzoConnection *connection)
{
	MemoryContext old;
	GateServer *server;
	ListCell   *cell;

	foreach(cell, gate->servers)
	{
		server = lfirst(cell);
		if (server->oid == connection->server)
			return server;
	}
	old = MemoryContextSwitchTo(gate->context);
	server = palloc0(sizeof(GateServer));
	server->oid = connection->server;
	strlcpy(server->name, connection->server_name, NAMEDATALEN);
	gate->servers = lappend(gate->servers, server);
	MemoryContextSwitchTo(old);
	return server;
}

bool
arazzo_gate_is_open(const QueueGate *gate, GateServer *server, const ArazzoConnection *connection,
					bool probe, bool crowded, TimestampTz now)
{
	if (find_state(gate, GATE_PAUSED, server->name, connection->role))
		return false;
	if (!probe && find_state(gate, GATE_BROKEN, server->name, InvalidOid))
		return false;
	server->crowded = crowded;
	if (crowded && server->in_flight >= Max(gate->concurrency / 2, connection->max_concurrency))
	{
		server->held = true;
		return false;
	}
	return probe || !is_full(gate, server) || now - server->answered < STALL_TIME * 1000;
}

bool
arazzo_gate_has_room(const QueueGate *gate, GateServer *server)
{
	if (server == NULL || !server->held || server->in_flight > gate->concurrency / 4)
		return false;
	server->held = false;
	return true;
}

/* Three of four calls: the rest is for others when it does not answer. */
static bool
is_full(const QueueGate *gate, const GateServer *server)
{
	return server->in_flight >= Max(gate->concurrency - gate->concurrency / 4, 1);
}

static const GateState *
find_state(const QueueGate *gate, GateStateKind kind, const char *server, Oid owner)
{
	ListCell   *cell;

	foreach(cell, gate->states)
	{
		const GateState *state = lfirst(cell);

		if (state->kind == kind && strcmp(state->server, server) == 0 &&
			(kind == GATE_BROKEN || state->owner == owner))
			return state;
	}
	return NULL;
}

void
arazzo_gate_enter(GateServer *server, TimestampTz now)
{
	if (server->in_flight++ == 0)
		server->answered = now;
}

void
arazzo_gate_leave_with(QueueGate *gate, GateServer *server, bool answered, bool transient,
					   const char *reason, TimestampTz now)
{
	if (server == NULL)
		return;
	server->in_flight--;
	if (answered)
	{
		server->answered = now;
		server->failures = 0;
		if (find_state(gate, GATE_BROKEN, server->name, InvalidOid))
			add_news(gate, GATE_BROKEN, server, InvalidOid)->well = true;
	}
	else if (transient && ++server->failures >= BREAKING_FAILURES &&
			 find_state(gate, GATE_BROKEN, server->name, InvalidOid) == NULL)
		break_server(gate, server, reason, now);
}

static void
break_server(QueueGate *gate, const GateServer *server, const char *reason, TimestampTz now)
{
	GateNews   *news = add_news(gate, GATE_BROKEN, server, InvalidOid);

	news->state.failures = server->failures;
	news->state.until = break_end(0, now);
	news->reason = MemoryContextStrdup(gate->news_context, reason ? reason : "no answer");
	add_state(gate, &news->state);
	ereport(LOG,
			errmsg("server \"%s\" gave no answer %d times in a row: queued runs wait for it", server->name, server->failures),
			errdetail("The last time: %s.", news->reason));
}

void
arazzo_gate_pause(QueueGate *gate, const GateServer *server, Oid role, const char *reason)
{
	GateNews   *news;

	if (find_state(gate, GATE_PAUSED, server->name, role))
		return;
	news = add_news(gate, GATE_PAUSED, server, role);
	news->reason = MemoryContextStrdup(gate->news_context, reason);
	add_state(gate, &news->state);
	ereport(LOG,
			errmsg("connection of role \"%s\" to server \"%s\" is paused: %s",
				   GetUserNameFromId(role, true) ? GetUserNameFromId(role, true) : "?", server->name, reason),
			errhint("Put the credential in order, then use arazzo_resume."));
}

bool
arazzo_gate_is_stalled(const QueueGate *gate, TimestampTz now)
{
	ListCell   *cell;

	foreach(cell, gate->servers)
	{
		const GateServer *server = lfirst(cell);

		if (is_full(gate, server) && now - server->answered >= STALL_TIME * 1000)
			return true;
	}
	return false;
}

static GateNews *
add_news(QueueGate *gate, GateStateKind kind, const GateServer *server, Oid owner)
{
	MemoryContext old = MemoryContextSwitchTo(gate->news_context);
	GateNews   *news = palloc0(sizeof(GateNews));

	news->state.kind = kind;
	news->state.owner = owner;
	strlcpy(news->state.server, server->name, NAMEDATALEN);
	gate->news = lappend(gate->news, news);
	MemoryContextSwitchTo(old);
	return news;
}

/* Holds at once, before it is written. */
static void
add_state(QueueGate *gate, const GateState *state)
{
	MemoryContext old = MemoryContextSwitchTo(gate->state_context);
	GateState  *copy = palloc(sizeof(GateState));

	*copy = *state;
	gate->states = lappend(gate->states, copy);
	MemoryContextSwitchTo(old);
}

void
arazzo_gate_read(QueueGate *gate)
{
	Statement	statement;
	uint64		row;
	ListCell   *cell;

	arazzo_statement_begin(&statement);
	(void) arazzo_statement_run(&statement, "SELECT server, owner::oid, state, until, failures FROM %1$s.arazzo_server_states");
	MemoryContextReset(gate->state_context);
	gate->states = NIL;
	for (row = 0; row < SPI_processed; row++)
	{
		GateState	state = {0};

		strlcpy(state.server, arazzo_statement_text(row, 1), NAMEDATALEN);
		state.owner = arazzo_statement_oid(row, 2);
		state.kind = strcmp(arazzo_statement_text(row, 3), "paused") == 0 ? GATE_PAUSED : GATE_BROKEN;
		state.until = arazzo_statement_time(row, 4);
		state.failures = arazzo_statement_int32(row, 5);
		add_state(gate, &state);
	}
	arazzo_statement_end(&statement);
	foreach(cell, gate->news)
	{
		const GateNews *news = lfirst(cell);

		if (!news->well)
			add_state(gate, &news->state);
	}
}

bool
arazzo_gate_has_news(const QueueGate *gate)
{
	return gate->news != NIL;
}

void
arazzo_gate_write(QueueGate *gate, TimestampTz now)
{
	ListCell   *cell;

	foreach(cell, gate->news)
		write_news(lfirst(cell), now);
}

static void
write_news(const GateNews *news, TimestampTz now)
{
	const GateState *state = &news->state;
	Statement	statement;

	arazzo_statement_begin(&statement);
	arazzo_statement_add_text(&statement, state->server);
	arazzo_statement_add(&statement, OIDOID, ObjectIdGetDatum(state->owner), false);
	if (news->well)
	{
		(void) arazzo_statement_finish(&statement, "DELETE FROM %1$s.arazzo_server_states WHERE server = $1 AND owner = $2");
		return;
	}
	arazzo_statement_add_text(&statement, state->kind == GATE_PAUSED ? "paused" : "broken");
	arazzo_statement_add_time(&statement, now);
	arazzo_statement_add(&statement, TIMESTAMPTZOID, TimestampTzGetDatum(state->until), state->until == 0);
	arazzo_statement_add_int32(&statement, state->failures);
	arazzo_statement_add_text(&statement, news->reason);
	(void) arazzo_statement_finish(&statement, "INSERT INTO %1$s.arazzo_server_states (server, owner, state, since, until, failures, reason)"
								   " VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (server, owner) DO NOTHING");
}

void
arazzo_gate_written(QueueGate *gate)
{
	gate->news = NIL;
	MemoryContextReset(gate->news_context);
}

bool
arazzo_gate_may_release(QueueGate *gate, const char *server_name, Oid owner, TimestampTz now, bool *probe)
{
	const GateState *state = find_state(gate, GATE_BROKEN, server_name, InvalidOid);
	ListCell   *cell;

	*probe = false;
	if (find_state(gate, GATE_PAUSED, server_name, owner))
		return false;
	if (state)
	{
		*probe = take_probe(state, now);
		return *probe;
	}
	foreach(cell, gate->servers)
	{
		GateServer *server = lfirst(cell);

		if (strcmp(server->name, server_name) == 0 && server->in_flight >= gate->concurrency / 2)
		{
			server->held = true;
			return false;
		}
	}
	return true;
}

/* Where calls wait for a place, no more than can wait here. */
int
arazzo_gate_release_count(const QueueGate *gate, const char *server_name)
{
	ListCell   *cell;

	foreach(cell, gate->servers)
	{
		const GateServer *server = lfirst(cell);

		if (strcmp(server->name, server_name) == 0 && server->crowded)
			return Max(gate->concurrency / 2 - server->in_flight, 1);
	}
	return RELEASED_AHEAD * gate->concurrency;
}

/*
 * When it is time, one worker at a time; if its probe fails, the next is after
 * a longer time.  No break lasts longer than the longest, even when the clock
 * is set back.
 */
static bool
take_probe(const GateState *state, TimestampTz now)
{
	TimestampTz longest = TimestampTzPlusMilliseconds(now, LONGEST_BREAK);
	Statement	statement;

	if (state->until > now && state->until <= longest)
		return false;
	arazzo_statement_begin(&statement);
	arazzo_statement_add_text(&statement, state->server);
	arazzo_statement_add_time(&statement, now);
	arazzo_statement_add_time(&statement, break_end(state->failures - BREAKING_FAILURES + 1, now));
	arazzo_statement_add_time(&statement, longest);
	return arazzo_statement_finish(&statement, "UPDATE %1$s.arazzo_server_states SET until = $3, failures = failures + 1"
								   " WHERE server = $1 AND owner = 0 AND (until <= $2 OR until > $4)") > 0;
}

static TimestampTz
break_end(int failures, TimestampTz now)
{
	return TimestampTzPlusMilliseconds(now, Min(FIRST_BREAK << Min(failures, 10), LONGEST_BREAK));
}
