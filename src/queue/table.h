/*-------------------------------------------------------------------------
 *
 * table.h
 *	  Rows of the extension's own tables, written without a statement.
 *
 * A statement of its own for every row, or every few, would cost more than
 * the row does.  So what the executor prepares for a statement is prepared
 * once for a session, and made anew when the table has changed.  The table
 * and its indexes are open only while rows are written, so that they are in
 * nobody's way.
 *
 * Rows are written as INSERT and UPDATE would, with constraints and indexes,
 * but that nobody needs a privilege on the table and that no triggers on it
 * are fired.
 *
 *-------------------------------------------------------------------------
 */
#ifndef ARAZZO_QUEUE_TABLE_H
#define ARAZZO_QUEUE_TABLE_H

#include "access/tableam.h"
#include "nodes/execnodes.h"

#include "queue/owner.h"

typedef struct QueueTable QueueTable;

/* A table, and the columns that its users know by their number. */
typedef struct TableShape
{
	const char *name;
	const char *const *columns;
	int			column_count;
	const char *sequence;		/* of its ids */
	QueueTable *table;			/* as it is prepared, or NULL */
} TableShape;

struct QueueTable
{
	TableShape *shape;
	MemoryContext context;
	bool		stale;			/* the table has changed */
	Oid			oid;
	Oid			sequence;
	EState	   *estate;
	ResultRelInfo *target;
	Relation	relation;		/* while it is open */
	Oid		   *indexes;
	MemoryContext index_context;	/* what access methods keep while it is open */
	TupleTableSlot *slot;		/* the row that is to be written */
	int		   *columns;		/* index of the attribute, by column */
	ExprState **defaults;		/* by attribute, NULL where there is none */
};

/*
 * The table, open for writing, in the name of the current role, or of the
 * table's owner, who is the one to look up and call functions of constraints
 * that were added; then there is an active snapshot, too.  An error on the way needs no care.
 */
extern QueueTable *arazzo_table_open(TableShape *shape);
extern QueueTable *arazzo_table_open_as_owner(TableShape *shape, OwnerScope *scope);
extern void arazzo_table_close(QueueTable *table);
extern void arazzo_table_close_as_owner(QueueTable *table, const OwnerScope *scope);

/* One of its indexes, by its name; throws 42704 when there is none. */
extern Relation arazzo_table_index(const QueueTable *table, const char *name);

/* A new id. */
extern int64 arazzo_table_next_id(const QueueTable *table);

/* The new row: all null, or as another is, which must stay as it is until the
 * new one is written.  Columns are set then, and keep pointing to values. */
extern void arazzo_table_begin_row(QueueTable *table);
extern void arazzo_table_copy_row(QueueTable *table, TupleTableSlot *row);
extern void arazzo_table_set(QueueTable *table, int column, Datum value);
extern void arazzo_table_set_text(QueueTable *table, int column, const char *text);
extern void arazzo_table_set_time(QueueTable *table, int column, TimestampTz moment);
extern void arazzo_table_set_null(QueueTable *table, int column);

/* Columns that are null, and have a default, get it. */
extern void arazzo_table_set_defaults(QueueTable *table);

/* The row is complete; throws when it breaks a constraint. */
extern void arazzo_table_check_row(QueueTable *table);

/* Writes the row into the table and its indexes. */
extern void arazzo_table_insert(QueueTable *table);

/*
 * Writes the row in the place of another, whose lock it waits for.  Anything
 * but TM_Ok: another transaction was there first, and nothing was written.
 */
extern TM_Result arazzo_table_update(QueueTable *table, ItemPointer place);

/* Done with the row; slot->tts_tid of the table says where it is. */
extern void arazzo_table_end_row(QueueTable *table);

/* A column of a row of the table; 0 where it is null. */
extern Datum arazzo_table_value(const QueueTable *table, TupleTableSlot *row, int column);

#endif							/* ARAZZO_QUEUE_TABLE_H */
