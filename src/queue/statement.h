/*-------------------------------------------------------------------------
 *
 * statement.h
 *	  Statements on the extension's own tables.
 *
 * A statement runs as the owner of the tables, so that roles need no
 * privilege on them, sees pg_catalog only, and names the tables with their
 * schema, which stands as %1$s in its text.  Its plan is kept for the life of
 * the session, and made so that it fits a table of any size.
 *
 *		Statement	statement;
 *
 *		arazzo_statement_begin(&statement);
 *		arazzo_statement_add_int64(&statement, id);
 *		count = arazzo_statement_run(&statement, "SELECT ... %1$s.arazzo_queue ...");
 *		... columns ...
 *		arazzo_statement_end(&statement);
 *
 *-------------------------------------------------------------------------
 */
#ifndef ARAZZO_QUEUE_STATEMENT_H
#define ARAZZO_QUEUE_STATEMENT_H

#include "datatype/timestamp.h"
#include "utils/jsonb.h"

#include "queue/owner.h"

#define STATEMENT_MAX_PARAMETERS 24

typedef struct Statement
{
	OwnerScope	scope;
	MemoryContext caller;
	int			count;
	Oid			types[STATEMENT_MAX_PARAMETERS];
	Datum		values[STATEMENT_MAX_PARAMETERS];
	char		nulls[STATEMENT_MAX_PARAMETERS + 1];
} Statement;

extern void arazzo_statement_begin(Statement *statement);

/*
 * Executes it; the number of rows.  The text must be a constant: its address
 * is what the kept plan is known by.
 */
extern uint64 arazzo_statement_run(Statement *statement, const char *text);

/* Lets go of the rows; back in the caller's memory context and role. */
extern void arazzo_statement_end(Statement *statement);

/* Runs a statement whose rows nobody reads. */
extern uint64 arazzo_statement_finish(Statement *statement, const char *text);

/* Its parameters in order; NULL pointers are null. */
extern void arazzo_statement_add(Statement *statement, Oid type, Datum value, bool isnull);
extern void arazzo_statement_add_text(Statement *statement, const char *text);
extern void arazzo_statement_add_jsonb(Statement *statement, Jsonb *value);
extern void arazzo_statement_add_int64(Statement *statement, int64 number);
extern void arazzo_statement_add_int32(Statement *statement, int number);
extern void arazzo_statement_add_time(Statement *statement, TimestampTz moment);

/* A column (from 1) of a row (from 0), in the current context; NULL, or 0,
 * where it is null. */
extern char *arazzo_statement_text(uint64 row, int column);
extern int64 arazzo_statement_int64(uint64 row, int column);
extern int32 arazzo_statement_int32(uint64 row, int column);
extern Oid	arazzo_statement_oid(uint64 row, int column);
extern TimestampTz arazzo_statement_time(uint64 row, int column);
extern bool arazzo_statement_bool(uint64 row, int column);

#endif							/* ARAZZO_QUEUE_STATEMENT_H */
