/*-------------------------------------------------------------------------
 *
 * trigger.h
 *	  Triggers that queue runs, between the files that make them.
 *
 * The arguments of a trigger (workflow, template of the inputs, options) are
 * compiled for its table into a TriggerPlan, which knows of each expression
 * which column it reads and what becomes of its type.  Rows are then written
 * as inputs without looking at names or types again.
 *
 *-------------------------------------------------------------------------
 */
#ifndef ARAZZO_TRIGGER_TRIGGER_H
#define ARAZZO_TRIGGER_TRIGGER_H

#include "commands/trigger.h"
#include "lib/stringinfo.h"
#include "utils/jsonb.h"

#include "support/jsonb_writer.h"
#include "workflow/plan.h"

/* What an expression reads. */
typedef enum SourceKind
{
	SOURCE_ROW,					/* a column of the row as it is now */
	SOURCE_OLD,					/* a column of the row as it was */
	SOURCE_OPERATION,			/* INSERT, UPDATE, DELETE, TRUNCATE */
	SOURCE_TABLE,
	SOURCE_SCHEMA,
	SOURCE_KEY					/* table, primary key and operation */
} SourceKind;

typedef struct TriggerSource TriggerSource;

/* Fills in a value, which may point into the column's. */
typedef void (*ReadColumn) (TriggerSource *source, Datum column, JsonbValue *value);

struct TriggerSource
{
	SourceKind	kind;
	int			column;			/* attribute number */
	Oid			type;			/* without domains */
	bool		formed;			/* a form was asked for */
	ReadColumn	read;
	FmgrInfo	function;		/* of the type, for some readers */
	char	  **tokens;			/* pointer into a json column, or NULL */
	int			token_count;
	int			takes;			/* SCHEMA_TAKES_ bits: what it shall become */
};

typedef enum TemplateKind
{
	TEMPLATE_CONSTANT,
	TEMPLATE_VALUE,				/* one expression, its type kept */
	TEMPLATE_TEXT,				/* text with expressions embedded */
	TEMPLATE_OBJECT,
	TEMPLATE_ARRAY,
	TEMPLATE_ROWS				/* array with one element for each row */
} TemplateKind;

typedef struct TriggerTemplate TriggerTemplate;

/* A piece of a text: an expression, or else a constant. */
typedef struct TemplatePart
{
	TriggerSource *source;		/* or NULL */
	const char *text;
	int			length;
} TemplatePart;

struct TriggerTemplate
{
	TemplateKind kind;
	bool		required;		/* null is written, not left out */
	JsonbValue *constant;
	TriggerSource *source;
	List	   *parts;			/* of TemplatePart */
	int			takes;			/* of a text: SCHEMA_TAKES_ bits */
	JsonbValue *names;			/* of an object, in the order of jsonb */
	JsonbKeys	keys;			/* the same, for when all have a value */
	TriggerTemplate **items;
	int			count;
	TriggerTemplate *row;		/* of each element of the array of rows */
};

typedef struct TriggerPlan
{
	MemoryContext context;
	Oid			trigger;
	Oid			relation;
	Oid			home;			/* table that the trigger was created on */
	Oid			owner;			/* its owner: whose runs they are */
	bool		stale;			/* the table has changed */
	bool		retired;		/* to be deleted when nobody uses it */
	int			users;			/* changes that are being worked on */
	uint64		plan_serial;	/* of the workflow's plan that it fits, or 0 */

	const char *workflow;		/* as the trigger names it */
	const char *table;
	const char *schema;
	bool		for_each_row;
	TriggerTemplate *inputs;
	bool		has_rows;		/* a TEMPLATE_ROWS is in it */

	/* options */
	TriggerTemplate *key;		/* texts, or NULL */
	TriggerTemplate *order_by;
	TriggerTemplate *notify;
	TriggerSource *not_before;	/* or NULL */
	Interval   *delay;			/* or NULL */
	bool		split;
	int64		max_rows;		/* 0: no limit */

	/* for SOURCE_KEY */
	Oid			key_relation;	/* the topmost partitioned table */
	const char *key_start;		/* its name */
	TriggerSource *key_columns;
	int			key_count;
} TriggerPlan;

/* What happened: the rows that expressions are about. */
typedef struct TriggerChange
{
	TriggerPlan *plan;
	const char *operation;
	TupleTableSlot *row;		/* as it is, after DELETE as it was; or NULL */
	TupleTableSlot *old;		/* or NULL */

	/* of a statement: the rows to write, and a context emptied after each */
	Tuplestorestate *rows;
	TupleTableSlot *slot;
	MemoryContext row_context;
	int64		first;			/* how many to pass over */
	int64		count;
	int64		ordinal;		/* of the row, 0 outside of rows */
} TriggerChange;

/*
 * Compiles a trigger in a new memory context below the current one.  Without
 * a plan of its workflow, columns keep the types they have.  Throws what is
 * wrong with its arguments.
 */
extern TriggerPlan *arazzo_trigger_compile(Relation relation, const Trigger *trigger, const ArazzoPlan *plan);

/* The template of the inputs as the trigger has it. */
extern JsonbValue *arazzo_trigger_template(const Trigger *trigger);

/*
 * Fills in what reading a column takes: its number and type, and what its
 * value becomes in the form ("ms", "/pointer", ... or NULL) where takes
 * types.  Throws when there is no such column or it has no such form.
 */
extern void arazzo_trigger_compile_column(TriggerSource *source, Relation relation, const char *name, const char *form);

/* The value of an expression, fit for what takes it; false when it is NULL. */
extern bool arazzo_trigger_read(TriggerChange *change, TriggerSource *source, JsonbValue *value);

/* Makes a value one of the types (SCHEMA_TAKES_ bits) where no digit or
 * character of it is lost. */
extern void arazzo_trigger_fit(JsonbValue *value, int takes);

/* The inputs of a run, in the current memory context. */
extern Jsonb *arazzo_trigger_inputs(TriggerChange *change);

/* The text of an option; NULL when it is not given, or NULL. */
extern char *arazzo_trigger_text(TriggerChange *change, const TriggerTemplate *text);

/* An error context callback; the argument is a TriggerData *. */
extern void arazzo_trigger_error_context(void *argument);

#endif							/* ARAZZO_TRIGGER_TRIGGER_H */
