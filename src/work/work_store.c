/*-------------------------------------------------------------------------
 *
 * work_store.c
 *	  Queued runs as workers see them: every statement of theirs.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "utils/timestamp.h"

#include "queue/statement.h"
#include "support/extension.h"
#include "work/work_store.h"

static int64 *copy_int64(int64 number);

int64
arazzo_work_new_claim(void)
{
	Statement	statement;
	int64		claim;

	arazzo_statement_begin(&statement);
	arazzo_statement_add(&statement, REGCLASSOID,
						 ObjectIdGetDatum(arazzo_extension_relation("arazzo_claims")), false);
	(void) arazzo_statement_run(&statement, "SELECT nextval($1)");
	claim = arazzo_statement_int64(0, 1);
	arazzo_statement_end(&statement);
	return claim;
}

bool
arazzo_work_has_suspects(TimestampTz now)
{
	Statement	statement;

	arazzo_statement_begin(&statement);
	arazzo_statement_add_time(&statement, now);
	return arazzo_statement_finish(&statement, "SELECT 1 FROM %1$s.arazzo_queue c WHERE c.due <= $1 AND c.crashes >= 2"
								   " AND NOT EXISTS (SELECT FROM %1$s.arazzo_queue r WHERE r.claim IS NOT NULL AND r.crashes >= 2)"
								   " LIMIT 1") > 0;
}

StaticAssertDecl(QUEUE_SUSPECT_CRASHES == 2, "the index and the statement name the number");

TimestampTz
arazzo_work_next_due(TimestampTz now)
{
	Statement	statement;
	TimestampTz due = DT_NOEND;

	arazzo_statement_begin(&statement);
	arazzo_statement_add_time(&statement, now);
	if (arazzo_statement_run(&statement, "SELECT q.due FROM %1$s.arazzo_queue q WHERE q.due > $1"
							 " ORDER BY q.due, q.id LIMIT 1") > 0)
		due = arazzo_statement_time(0, 1);
	arazzo_statement_end(&statement);
	return due;
}

List *
arazzo_work_claims(void)
{
	Statement	statement;
	List	   *claims = NIL;
	uint64		row;

	arazzo_statement_begin(&statement);
	(void) arazzo_statement_run(&statement, "SELECT DISTINCT claim FROM %1$s.arazzo_queue WHERE claim IS NOT NULL");
	for (row = 0; row < SPI_processed; row++)
	{
		MemoryContext old = MemoryContextSwitchTo(statement.caller);

		claims = lappend(claims, copy_int64(arazzo_statement_int64(row, 1)));
		MemoryContextSwitchTo(old);
	}
	arazzo_statement_end(&statement);
	return claims;
}

static int64 *
copy_int64(int64 number)
{
	int64	   *copy = palloc(sizeof(int64));

	*copy = number;
	return copy;
}

int64
arazzo_work_recover(int64 claim, TimestampTz now)
{
	Statement	statement;

	arazzo_statement_begin(&statement);
	arazzo_statement_add_int64(&statement, claim);
	arazzo_statement_add_time(&statement, now);
	arazzo_statement_add_text(&statement, unpack_sql_state(ERRCODE_ARAZZO_IN_DOUBT));
	arazzo_statement_add_int32(&statement, QUEUE_MAX_CRASHES);
	return arazzo_statement_finish(&statement,
								   "UPDATE %1$s.arazzo_queue q SET claim = NULL, crashes = q.crashes + 1, status = n.status,"
								   " due = CASE n.status WHEN 'queued' THEN $2 END,"
								   " unanswered_since = coalesce(q.unanswered_since, q.claimed_at),"
								   " finished_at = CASE n.status WHEN 'failed' THEN $2 END,"
								   " sqlstate = CASE n.status WHEN 'in_doubt' THEN $3 WHEN 'failed' THEN '55000' END,"
								   " message = CASE n.status"
								   " WHEN 'in_doubt' THEN format('step \"%%s\" was being sent when its worker ended: the call may have been received', q.sending)"
								   " WHEN 'failed' THEN format('the worker ended %%s times in a row while it was busy with this run', $4) END,"
								   " hint = CASE n.status"
								   " WHEN 'in_doubt' THEN 'Find out whether the API took the call in, then use arazzo_resolve.'"
								   " WHEN 'failed' THEN 'Use arazzo_retry to go on with it.' END"
								   " FROM (SELECT c.id, CASE WHEN c.sending IS NOT NULL THEN 'in_doubt'"
								   " WHEN c.crashes + 1 >= $4 THEN 'failed' ELSE 'queued' END AS status"
								   " FROM %1$s.arazzo_queue c WHERE c.claim = $1) n"
								   " WHERE q.id = n.id AND q.claim = $1");
}

int64
arazzo_work_unhold(const QueueHold *hold, TimestampTz now, int limit)
{
	Statement	statement;

	arazzo_statement_begin(&statement);
	arazzo_statement_add_text(&statement, hold->hold);
	arazzo_statement_add_time(&statement, now);
	arazzo_statement_add_int32(&statement, limit);
	arazzo_statement_add(&statement, OIDOID, ObjectIdGetDatum(hold->owner), false);
	return arazzo_statement_finish(&statement, "UPDATE %1$s.arazzo_queue q SET hold = NULL, due = $2"
								   " FROM (SELECT c.id FROM %1$s.arazzo_queue c WHERE c.hold = $1 AND c.owner = $4"
								   " ORDER BY c.hold, c.owner, c.id LIMIT $3 FOR UPDATE SKIP LOCKED) d WHERE q.id = d.id");
}

/* From one to the next, however many runs each of them holds. */
List *
arazzo_work_holds(void)
{
	Statement	statement;
	List	   *holds = NIL;
	uint64		row;

	arazzo_statement_begin(&statement);
	(void) arazzo_statement_run(&statement, "WITH RECURSIVE r (hold, owner) AS ("
								"(SELECT hold, owner FROM %1$s.arazzo_queue WHERE hold IS NOT NULL ORDER BY hold, owner, id LIMIT 1)"
								" UNION ALL SELECT n.* FROM r, LATERAL (SELECT q.hold, q.owner FROM %1$s.arazzo_queue q"
								" WHERE q.hold IS NOT NULL AND (q.hold, q.owner) > (r.hold, r.owner)"
								" ORDER BY q.hold, q.owner, q.id LIMIT 1) n)"
								" SELECT hold, owner::oid FROM r");
	for (row = 0; row < SPI_processed; row++)
	{
		MemoryContext old = MemoryContextSwitchTo(statement.caller);
		QueueHold  *hold = palloc(sizeof(QueueHold));

		hold->hold = arazzo_statement_text(row, 1);
		hold->owner = arazzo_statement_oid(row, 2);
		holds = lappend(holds, hold);
		MemoryContextSwitchTo(old);
	}
	arazzo_statement_end(&statement);
	return holds;
}
