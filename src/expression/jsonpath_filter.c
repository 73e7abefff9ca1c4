/*-------------------------------------------------------------------------
 *
 * jsonpath_filter.c
 *	  Evaluates the logical expressions of filters (RFC 9535, 2.3.5.2).
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/numeric.h"

#include "expression/jsonpath_internal.h"

static bool chain_holds(JsonPathRun *run, const JsonPathLogical *logical,
						const JsonbValue *current);
static bool comparison_holds(JsonPathRun *run, const JsonPathComparison *comparison,
							 const JsonbValue *current);
static bool query_exists(JsonPathRun *run, const JsonPathQuery *query,
						 const JsonbValue *current);
static bool value_less(const JsonbValue *a, const JsonbValue *b);
static bool string_less(const JsonbValue *a, const JsonbValue *b);

bool
arazzo_jsonpath_holds(JsonPathRun *run, const JsonPathLogical *logical, const JsonbValue *current)
{
	check_stack_depth();
	switch (logical->kind)
	{
		case LOGICAL_OR:
		case LOGICAL_AND:
			return chain_holds(run, logical, current);
		case LOGICAL_NOT:
			return !arazzo_jsonpath_holds(run, logical->is.negated, current);
		case LOGICAL_COMPARISON:
			return comparison_holds(run, &logical->is.comparison, current);
		case LOGICAL_EXISTENCE:
			return query_exists(run, logical->is.existence, current);
		case LOGICAL_CALL:
			return logical->is.call->function->logical(run, logical->is.call, current);
	}
	return false;				/* not reached */
}

/* Stops at the first part that decides. */
static bool
chain_holds(JsonPathRun *run, const JsonPathLogical *logical, const JsonbValue *current)
{
	bool		deciding = (logical->kind == LOGICAL_OR);
	ListCell   *cell;

	foreach(cell, logical->is.parts)
	{
		CHECK_FOR_INTERRUPTS();
		if (arazzo_jsonpath_holds(run, lfirst(cell), current) == deciding)
			return deciding;
	}
	return !deciding;
}

/*
 * Comparisons (2.3.5.2.2).  A NULL value is Nothing, or an empty nodelist:
 * it equals another, and is neither less nor greater than anything.
 */
static bool
comparison_holds(JsonPathRun *run, const JsonPathComparison *comparison,
				 const JsonbValue *current)
{
	JsonbValue	left;
	JsonbValue	right;
	const JsonbValue *a = NULL;
	const JsonbValue *b = NULL;

	if (arazzo_jsonpath_operand(run, &comparison->left, current, &left))
		a = &left;
	if (arazzo_jsonpath_operand(run, &comparison->right, current, &right))
		b = &right;
	switch (comparison->operator)
	{
		case OPERATOR_EQUAL:
			return arazzo_value_equal(a, b);
		case OPERATOR_NOT_EQUAL:
			return !arazzo_value_equal(a, b);
		case OPERATOR_LESS:
			return value_less(a, b);
		case OPERATOR_LESS_OR_EQUAL:
			return value_less(a, b) || arazzo_value_equal(a, b);
		case OPERATOR_GREATER:
			return value_less(b, a);
		case OPERATOR_GREATER_OR_EQUAL:
			return value_less(b, a) || arazzo_value_equal(a, b);
	}
	return false;				/* not reached */
}

/* Existence test (2.3.5.2.1) */
static bool
query_exists(JsonPathRun *run, const JsonPathQuery *query, const JsonbValue *current)
{
	JsonbValue	ignored;

	if (query->singular)
		return arazzo_jsonpath_single(run, query, current, &ignored);
	return arazzo_jsonpath_count(run, query, current, 1, NULL) > 0;
}

bool
arazzo_jsonpath_operand(JsonPathRun *run, const JsonPathOperand *operand,
						const JsonbValue *current, JsonbValue *result)
{
	check_stack_depth();
	switch (operand->kind)
	{
		case OPERAND_LITERAL:
			*result = operand->is.literal;
			return true;
		case OPERAND_QUERY:
			return arazzo_jsonpath_single(run, operand->is.query, current, result);
		case OPERAND_CALL:
			return operand->is.call->function->value(run, operand->is.call, current, result);
	}
	return false;				/* not reached */
}

/* Only numbers and strings have an order. */
static bool
value_less(const JsonbValue *a, const JsonbValue *b)
{
	if (a == NULL || b == NULL || a->type != b->type)
		return false;
	if (a->type == jbvNumeric)
		return DatumGetBool(DirectFunctionCall2(numeric_lt,
												NumericGetDatum(a->val.numeric),
												NumericGetDatum(b->val.numeric)));
	return a->type == jbvString && string_less(a, b);
}

/* By Unicode scalar values, which the bytes of UTF-8 are ordered by too. */
static bool
string_less(const JsonbValue *a, const JsonbValue *b)
{
	int			a_length = a->val.string.len;
	int			b_length = b->val.string.len;
	int			order = memcmp(a->val.string.val, b->val.string.val, Min(a_length, b_length));

	return order < 0 || (order == 0 && a_length < b_length);
}
