/*-------------------------------------------------------------------------
 *
 * split_store.c
 *	  The statements that split runs.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "executor/spi.h"

#include "queue/order_store.h"
#include "queue/split_store.h"
#include "queue/statement.h"
#include "support/clock.h"
#include "support/errors.h"

/*
 * A call of another step may have changed something unless its method is
 * safe (RFC 9110, 9.2.1), whatever became of it; so may one of the step that
 * failed when it was answered well before, or not at all.
 */
SplitFacts *
arazzo_split_facts(int64 run)
{
	SplitFacts *facts = palloc0(sizeof(SplitFacts));
	Statement	statement;
	MemoryContext old;

	arazzo_statement_begin(&statement);
	arazzo_statement_add_int64(&statement, run);
	arazzo_statement_add_text(&statement, unpack_sql_state(ERRCODE_ARAZZO_STEP_FAILED));
	(void) arazzo_statement_run(&statement, "SELECT q.status = 'failed' AND coalesce(q.sqlstate, '') = $2, coalesce(last.status, 0),"
						 " EXISTS (SELECT FROM %1$s.arazzo_queue_attempts a WHERE a.run = q.id AND CASE"
						 " WHEN a.method IS NULL THEN a.outcome = 'succeeded'"
						 " WHEN a.method = ANY ('{GET,HEAD,OPTIONS,TRACE,QUERY}') THEN false"
						 " ELSE (a.workflow, a.step) <> (last.workflow, last.step)"
						 " OR a.outcome = 'unknown' OR a.status BETWEEN 200 AND 399 END),"
						 " arrays.number, arrays.name, coalesce(arrays.elements, 0)"
						 " FROM %1$s.arazzo_queue q"
						 " LEFT JOIN LATERAL (SELECT a.workflow, a.step, a.status FROM %1$s.arazzo_queue_attempts a"
						 " WHERE a.run = q.id ORDER BY a.id DESC LIMIT 1) last ON true"
						 " CROSS JOIN LATERAL (SELECT count(*) AS number, min(i.key) AS name,"
						 " min(jsonb_array_length(i.value)) AS elements FROM jsonb_each(q.inputs) i"
						 " WHERE jsonb_typeof(i.value) = 'array') arrays"
						 " WHERE q.id = $1");
	old = MemoryContextSwitchTo(statement.caller);
	facts->failed = arazzo_statement_bool(0, 1);
	facts->status = arazzo_statement_int32(0, 2);
	facts->acted = arazzo_statement_bool(0, 3);
	facts->arrays = arazzo_statement_int64(0, 4);
	facts->array = arazzo_statement_text(0, 5);
	facts->elements = arazzo_statement_int32(0, 6);
	MemoryContextSwitchTo(old);
	arazzo_statement_end(&statement);
	return facts;
}

/*
 * The halves of an ordered run have an order of their own, and the run itself
 * is not over before they are: so they follow each other in its place.
 */
void
arazzo_split_halve(int64 run, const char *version, const char *array, int half)
{
	Statement	statement;

	arazzo_statement_begin(&statement);
	arazzo_statement_add_int64(&statement, run);
	arazzo_statement_add_text(&statement, version);
	arazzo_statement_add_text(&statement, array);
	arazzo_statement_add_int32(&statement, half);
	(void) arazzo_statement_run(&statement,
						 "WITH half AS (INSERT INTO %1$s.arazzo_queue"
						 " (owner, document, workflow, version, inputs, order_key, notify, split, parent, due, hold)"
						 " SELECT q.owner, q.document, q.workflow, coalesce($2, q.version), jsonb_set(q.inputs, ARRAY[$3], h.elements),"
						 " q.order_key || ' split ' || q.id, q.notify, true, q.id,"
						 " CASE WHEN q.order_key IS NULL OR NOT h.second THEN clock_timestamp() END,"
						 " CASE WHEN q.order_key IS NOT NULL AND h.second THEN 'order' END"
						 " FROM %1$s.arazzo_queue q CROSS JOIN LATERAL"
						 " (SELECT e.ordinality > $4 AS second, jsonb_agg(e.value ORDER BY e.ordinality) AS elements"
						 " FROM jsonb_array_elements(q.inputs -> $3) WITH ORDINALITY e GROUP BY 1) h"
						 " WHERE q.id = $1 ORDER BY h.second RETURNING id)"
						 " UPDATE %1$s.arazzo_queue q SET status = 'cancelled', state = NULL, outputs = NULL,"
						 " sqlstate = NULL, hint = NULL, message = (SELECT format("
						 "'replaced by runs %%s and %%s, each with half of \"%%s\"', min(id), max(id), $3) FROM half),"
						 " finished_at = CASE WHEN q.order_key IS NULL THEN clock_timestamp() END WHERE q.id = $1");
	arazzo_statement_end(&statement);
	arazzo_order_hold_followers(run);
}

bool
arazzo_split_end(void)
{
	MemoryContext caller = CurrentMemoryContext;
	Statement	statement;
	char	   *order_key = NULL;
	Oid			owner;
	bool		ended;

	arazzo_statement_begin(&statement);
	ended = arazzo_statement_run(&statement, "UPDATE %1$s.arazzo_queue q SET finished_at = clock_timestamp() WHERE q.id ="
								 " (SELECT p.id FROM %1$s.arazzo_queue p WHERE p.finished_at IS NULL AND p.status = 'cancelled'"
								 " AND NOT EXISTS (SELECT FROM %1$s.arazzo_queue half WHERE half.parent = p.id AND half.finished_at IS NULL)"
								 " LIMIT 1 FOR UPDATE SKIP LOCKED) RETURNING q.owner::oid, q.order_key") > 0;
	if (ended)
	{
		owner = arazzo_statement_oid(0, 1);
		order_key = MemoryContextStrdup(caller, arazzo_statement_text(0, 2));
	}
	arazzo_statement_end(&statement);
	if (ended)
		arazzo_order_let_next(owner, order_key, arazzo_clock_now());
	return ended;
}
