/*-------------------------------------------------------------------------
 *
 * applicators.c
 *	  Keywords that apply schemas to the same instance: references, logic.
 *
 * Branches that may fail without harm (anyOf, oneOf, not, if) are tried
 * silently; only when none of them holds are they asked what they miss.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "mb/pg_wchar.h"
#include "miscadmin.h"

#include "schema/instance.h"
#include "schema/schema_internal.h"

/* How much of failed alternatives a message tells. */
#define SHOWN_ALTERNATIVES 5
#define SHOWN_REASON 160

static bool try_branch(Validation *v, const SchemaNode *node, const JsonbValue *value,
					   const Place *place, Evaluated *evaluated);
static bool no_alternative(Validation *v, const SchemaNode *node, const NodeList *branches,
						   const JsonbValue *value, const Place *place);
static void append_reason(StringInfo out, Validation *v, const SchemaNode *branch,
						  const JsonbValue *value, const Place *place);
static bool several_alternatives(Validation *v, const SchemaNode *node, const Place *place, int first, int second);

/* $ref (Core, 8.2.3.1) */
bool
arazzo_schema_step_reference(Validation *v, const SchemaNode *node, const JsonbValue *value,
							 const Place *place, Evaluated *evaluated)
{
	return arazzo_schema_apply(v, node->reference, value, place, evaluated);
}

/*
 * $dynamicRef (Core, 8.2.3.2): the outermost resource in scope that has a
 * dynamic anchor of the name.
 */
bool
arazzo_schema_step_dynamic(Validation *v, const SchemaNode *node, const JsonbValue *value,
						   const Place *place, Evaluated *evaluated)
{
	const SchemaNode *target = node->dynamic->initial;
	const Scope *scope;

	for (scope = v->scope; scope; scope = scope->outer)
	{
		ListCell   *cell;

		foreach(cell, scope->resource->anchors)
		{
			const SchemaAnchor *anchor = lfirst(cell);

			if (anchor->node && strcmp(anchor->name, node->dynamic->name) == 0)
				target = anchor->node;
		}
	}
	return arazzo_schema_apply(v, target, value, place, evaluated);
}

/* allOf (Core, 10.2.1.1) */
bool
arazzo_schema_step_all_of(Validation *v, const SchemaNode *node, const JsonbValue *value,
						  const Place *place, Evaluated *evaluated)
{
	bool		valid = true;
	int			i;

	for (i = 0; i < node->all_of.count; i++)
	{
		if (arazzo_schema_apply(v, node->all_of.nodes[i], value, place, evaluated))
			continue;
		if (v->errors == NULL)
			return false;
		valid = false;
	}
	return valid;
}

/* anyOf (Core, 10.2.1.2) */
bool
arazzo_schema_step_any_of(Validation *v, const SchemaNode *node, const JsonbValue *value,
						  const Place *place, Evaluated *evaluated)
{
	bool		valid = false;
	int			i;

	/* What is evaluated depends on every branch that holds. */
	for (i = 0; i < node->any_of.count && (!valid || evaluated); i++)
	{
		if (try_branch(v, node->any_of.nodes[i], value, place, evaluated))
			valid = true;
	}
	if (valid)
		return true;
	if (evaluated)
		evaluated->uncertain = true;
	return no_alternative(v, node, &node->any_of, value, place);
}

/* oneOf (Core, 10.2.1.3) */
bool
arazzo_schema_step_one_of(Validation *v, const SchemaNode *node, const JsonbValue *value,
						  const Place *place, Evaluated *evaluated)
{
	int			first = -1;
	int			i;

	for (i = 0; i < node->one_of.count; i++)
	{
		if (!try_branch(v, node->one_of.nodes[i], value, place, evaluated))
			continue;
		if (first >= 0)
			return several_alternatives(v, node, place, first, i);
		first = i;
	}
	if (first >= 0)
		return true;
	if (evaluated)
		evaluated->uncertain = true;
	return no_alternative(v, node, &node->one_of, value, place);
}

/* not (Core, 10.2.1.4) */
bool
arazzo_schema_step_not(Validation *v, const SchemaNode *node, const JsonbValue *value,
					   const Place *place, Evaluated *evaluated)
{
	if (!try_branch(v, node->negated, value, place, NULL))
		return !v->abandoned;
	return arazzo_schema_violation(v, node, place, "not", "value is of a kind that is not allowed");
}

/* if, then, else (Core, 10.2.2) */
bool
arazzo_schema_step_if(Validation *v, const SchemaNode *node, const JsonbValue *value,
					  const Place *place, Evaluated *evaluated)
{
	const SchemaNode *next;

	next = try_branch(v, node->condition, value, place, evaluated) ? node->consequence : node->alternative;
	return next == NULL || arazzo_schema_apply(v, next, value, place, evaluated);
}

/* Applies a schema without telling errors; it evaluates only if it holds. */
static bool
try_branch(Validation *v, const SchemaNode *node, const JsonbValue *value,
		   const Place *place, Evaluated *evaluated)
{
	List	  **errors = v->errors;
	Evaluated	own;
	bool		valid;

	v->errors = NULL;
	if (evaluated)
		arazzo_evaluated_init(&own, value);
	valid = arazzo_schema_apply(v, node, value, place, evaluated ? &own : NULL);
	if (evaluated && valid)
		arazzo_evaluated_merge(evaluated, &own);
	if (evaluated)
		arazzo_evaluated_release(&own);
	v->errors = errors;
	return valid;
}

/* Tells what each alternative misses; false. */
static bool
no_alternative(Validation *v, const SchemaNode *node, const NodeList *branches,
			   const JsonbValue *value, const Place *place)
{
	StringInfoData reasons;
	int			i;

	if (v->errors == NULL || v->abandoned)
		return false;
	initStringInfo(&reasons);
	for (i = 0; i < branches->count && i < SHOWN_ALTERNATIVES; i++)
	{
		appendStringInfo(&reasons, "%s(%d) ", i > 0 ? "; " : "", i + 1);
		append_reason(&reasons, v, branches->nodes[i], value, place);
	}
	if (branches->count > SHOWN_ALTERNATIVES)
		appendStringInfoString(&reasons, "; ...");
	return arazzo_schema_violation(v, node, place, branches == &node->any_of ? "anyOf" : "oneOf",
								   "matches none of %d alternatives: %s", branches->count, reasons.data);
}

/* The first error of a branch, and how many more there are. */
static void
append_reason(StringInfo out, Validation *v, const SchemaNode *branch,
			  const JsonbValue *value, const Place *place)
{
	List	  **outer = v->errors;
	List	   *errors = NIL;
	SchemaError *first;
	int			length;

	v->errors = &errors;
	arazzo_schema_apply(v, branch, value, place, NULL);
	v->errors = outer;
	if (errors == NIL)
		return;

	first = linitial(errors);
	length = strlen(first->message);
	if (length > SHOWN_REASON)
		length = pg_mbcliplen(first->message, length, SHOWN_REASON);
	appendStringInfo(out, "%.*s%s", length, first->message, first->message[length] ? "..." : "");
	if (list_length(errors) > 1)
		appendStringInfo(out, " and %d more", list_length(errors) - 1);
}

static bool
several_alternatives(Validation *v, const SchemaNode *node, const Place *place, int first, int second)
{
	return arazzo_schema_violation(v, node, place, "oneOf", "matches alternatives %d and %d, expected exactly one",
								   first + 1, second + 1);
}
