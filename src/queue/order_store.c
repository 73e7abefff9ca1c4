/*-------------------------------------------------------------------------
 *
 * order_store.c
 *	  The statements that keep runs with the same order key in order.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"

#include "queue/order_store.h"
#include "queue/statement.h"

bool
arazzo_order_is_behind(const QueuedRun *run)
{
	Statement	statement;
	uint64		found;

	arazzo_statement_begin(&statement);
	arazzo_statement_add(&statement, OIDOID, ObjectIdGetDatum(run->owner), false);
	arazzo_statement_add_text(&statement, run->order_key);
	arazzo_statement_add_int64(&statement, run->id);
	found = arazzo_statement_finish(&statement, "(SELECT 1 FROM %1$s.arazzo_queue q WHERE q.owner = $1 AND q.order_key = $2"
									" AND q.finished_at IS NULL AND q.id < $3 LIMIT 1) UNION ALL"
									" (SELECT 1 FROM %1$s.arazzo_queue q WHERE q.owner = $1 AND q.order_key = $2"
									" AND q.finished_at IS NULL AND q.id > $3 AND q.hold IS DISTINCT FROM 'order'"
									" AND (q.status <> 'queued' OR q.state IS NOT NULL) LIMIT 1)");
	return found > 0;
}

void
arazzo_order_let_next(Oid owner, const char *order_key, TimestampTz now)
{
	Statement	statement;

	arazzo_statement_begin(&statement);
	arazzo_statement_add(&statement, OIDOID, ObjectIdGetDatum(owner), false);
	arazzo_statement_add_text(&statement, order_key);
	arazzo_statement_add_time(&statement, now);
	(void) arazzo_statement_finish(&statement, "UPDATE %1$s.arazzo_queue q SET hold = NULL, due = $3"
								   " WHERE q.hold = 'order' AND q.id = (SELECT f.id FROM %1$s.arazzo_queue f"
								   " WHERE f.owner = $1 AND f.order_key = $2 AND f.finished_at IS NULL"
								   " ORDER BY f.owner, f.order_key, f.id LIMIT 1)");
}

int64
arazzo_order_let_all_next(TimestampTz now)
{
	Statement	statement;

	arazzo_statement_begin(&statement);
	arazzo_statement_add_time(&statement, now);
	return arazzo_statement_finish(&statement, "UPDATE %1$s.arazzo_queue q SET hold = NULL, due = $1"
								   " FROM (SELECT DISTINCT ON (owner, order_key) owner, order_key, id FROM %1$s.arazzo_queue"
								   " WHERE hold = 'order' ORDER BY owner, order_key, id) h"
								   " WHERE q.id = h.id AND q.hold = 'order' AND NOT EXISTS (SELECT 1 FROM %1$s.arazzo_queue f"
								   " WHERE f.owner = h.owner AND f.order_key = h.order_key AND f.finished_at IS NULL AND f.id < h.id)");
}

void
arazzo_order_hold_followers(int64 run)
{
	Statement	statement;

	arazzo_statement_begin(&statement);
	arazzo_statement_add_int64(&statement, run);
	(void) arazzo_statement_finish(&statement, "UPDATE %1$s.arazzo_queue q SET hold = 'order', due = NULL WHERE q.id IN"
								   " (SELECT f.id FROM %1$s.arazzo_queue r JOIN %1$s.arazzo_queue f"
								   " ON f.owner = r.owner AND f.order_key = r.order_key AND f.id > r.id"
								   " WHERE r.id = $1 AND f.finished_at IS NULL AND f.due IS NOT NULL FOR UPDATE OF f SKIP LOCKED)");
}
