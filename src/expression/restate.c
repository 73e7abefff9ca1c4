/*-------------------------------------------------------------------------
 *
 * restate.c
 *	  A jsonpath criterion of comparisons, restated as the simple condition
 *	  it should have been.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"

#include "document/uri.h"
#include "expression/grammar.h"

static bool restate(StringInfo out, const ArazzoCondition *condition,
					const ArazzoExpression *context);
static bool restate_not(StringInfo out, const ArazzoCondition *operand,
						const ArazzoExpression *context);
static bool restate_list(StringInfo out, const ArazzoCondition *condition,
						 const ArazzoExpression *context);
static bool restate_comparison(StringInfo out, const ArazzoCondition *condition,
							   const ArazzoExpression *context);
static void restate_literal(StringInfo out, const JsonbValue *literal);
static bool restate_query(StringInfo out, const ConditionQuery *query,
						  const ArazzoExpression *context);
static bool takes_pointer(const ArazzoExpression *context);
static bool restate_path(StringInfo out, const char *path);

char *
arazzo_condition_restate(const ArazzoCondition *condition, const ArazzoExpression *context)
{
	StringInfoData out;

	initStringInfo(&out);
	return restate(&out, condition, context) ? out.data : NULL;
}

static bool
restate(StringInfo out, const ArazzoCondition *condition, const ArazzoExpression *context)
{
	check_stack_depth();
	switch (condition->kind)
	{
		case CONDITION_OR:
		case CONDITION_AND:
			return restate_list(out, condition, context);
		case CONDITION_NOT:
			return restate_not(out, condition->left, context);
		case CONDITION_COMPARE:
			return restate_comparison(out, condition, context);
		case CONDITION_LITERAL:
			restate_literal(out, condition->literal);
			return true;
		case CONDITION_EXPRESSION:
			appendStringInfoString(out, condition->expression->text);
			return true;
		case CONDITION_TEXT:
			if (condition->text->count == 1)
				appendStringInfoString(out, condition->text->segments[0].expression->text);
			return condition->text->count == 1;
		case CONDITION_QUERY:
			return restate_query(out, condition->query, context);
	}
	return false;
}

/* "!" and its operand, which needs parentheses unless it is one value. */
static bool
restate_not(StringInfo out, const ArazzoCondition *operand, const ArazzoExpression *context)
{
	bool		group = operand->kind <= CONDITION_COMPARE && operand->kind != CONDITION_NOT;

	appendStringInfoString(out, group ? "!(" : "!");
	if (!restate(out, operand, context))
		return false;
	if (group)
		appendStringInfoChar(out, ')');
	return true;
}

/* Parts joined by "||" or "&&"; an "||" inside of "&&" is in parentheses. */
static bool
restate_list(StringInfo out, const ArazzoCondition *condition, const ArazzoExpression *context)
{
	ListCell   *cell;

	foreach(cell, condition->operands)
	{
		const ArazzoCondition *part = lfirst(cell);
		bool		group = condition->kind == CONDITION_AND && part->kind == CONDITION_OR;

		if (foreach_current_index(cell) > 0)
			appendStringInfoString(out, condition->kind == CONDITION_OR ? " || " : " && ");
		if (group)
			appendStringInfoChar(out, '(');
		if (!restate(out, part, context))
			return false;
		if (group)
			appendStringInfoChar(out, ')');
	}
	return true;
}

/* Sides that are not operands are beyond what is restated. */
static bool
restate_comparison(StringInfo out, const ArazzoCondition *condition,
				   const ArazzoExpression *context)
{
	static const char *const operators[] = {
		[OPERATOR_EQUAL] = " == ",
		[OPERATOR_NOT_EQUAL] = " != ",
		[OPERATOR_LESS] = " < ",
		[OPERATOR_LESS_EQUAL] = " <= ",
		[OPERATOR_GREATER] = " > ",
		[OPERATOR_GREATER_EQUAL] = " >= ",
	};

	if (condition->left->kind < CONDITION_LITERAL || condition->right->kind < CONDITION_LITERAL ||
		!restate(out, condition->left, context))
		return false;
	appendStringInfoString(out, operators[condition->operator]);
	return restate(out, condition->right, context);
}

static void
restate_literal(StringInfo out, const JsonbValue *literal)
{
	int			i;

	if (literal->type != jbvString)
	{
		arazzo_value_append_json(out, literal);
		return;
	}
	appendStringInfoChar(out, '\'');
	for (i = 0; i < literal->val.string.len; i++)
	{
		if (literal->val.string.val[i] == '\'')
			appendStringInfoChar(out, '\'');
		appendStringInfoChar(out, literal->val.string.val[i]);
	}
	appendStringInfoChar(out, '\'');
}

/* A query of names and indexes as a pointer into the context's value. */
static bool
restate_query(StringInfo out, const ConditionQuery *query, const ArazzoExpression *context)
{
	int			i;

	if (!query->single || query->counted != NULL || !takes_pointer(context))
		return false;
	appendStringInfoString(out, context->text);
	if (query->path != NULL)
		return restate_path(out, query->text + 1);
	appendStringInfoChar(out, '#');
	for (i = 0; i < query->token_count; i++)
		arazzo_pointer_append(out, query->tokens[i]);
	return true;
}

/* May a pointer follow the context's expression? */
static bool
takes_pointer(const ArazzoExpression *context)
{
	if (context->pointer_count + context->access_count > 0)
		return false;
	switch (context->root)
	{
		case ROOT_REQUEST_BODY:
		case ROOT_RESPONSE_BODY:
		case ROOT_MESSAGE_PAYLOAD:
		case ROOT_INPUTS:
		case ROOT_OUTPUTS:
		case ROOT_STEPS:
		case ROOT_WORKFLOWS_INPUTS:
		case ROOT_WORKFLOWS_OUTPUTS:
			return true;
		default:
			return false;
	}
}

/* ".a.b[0]" as "#/a/b/0"; false for any other path. */
static bool
restate_path(StringInfo out, const char *path)
{
	if (*path != '\0')
		appendStringInfoChar(out, '#');
	while (*path != '\0')
	{
		const char *name = path + 1;
		int			length;

		if (*path == '.')
			length = strcspn(name, ".[* ");
		else
			length = strspn(name, "0123456789");
		if (length == 0 || (*path == '[' && name[length] != ']'))
			return false;
		arazzo_pointer_append(out, pnstrdup(name, length));
		path = name + length + (*path == '[' ? 1 : 0);
		if (*path != '\0' && *path != '.' && *path != '[')
			return false;
	}
	return true;
}
