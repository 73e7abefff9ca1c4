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
static bool restate_list(StringInfo out, const ArazzoCondition *condition,
						 const ArazzoExpression *context);
static bool restate_comparison(StringInfo out, const ArazzoCondition *condition,
							   const ArazzoExpression *context);
static void restate_literal(StringInfo out, const JsonbValue *literal);
static bool restate_query(StringInfo out, const ConditionQuery *query,
						  const ArazzoExpression *context);
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
			appendStringInfoChar(out, '!');
			return restate(out, condition->left, context);
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

/* Parts joined by "||" or "&&"; the former is put in parentheses. */
static bool
restate_list(StringInfo out, const ArazzoCondition *condition, const ArazzoExpression *context)
{
	bool		group = condition->kind == CONDITION_OR && out->len > 0;
	ListCell   *cell;

	if (group)
		appendStringInfoChar(out, '(');
	foreach(cell, condition->operands)
	{
		if (foreach_current_index(cell) > 0)
			appendStringInfoString(out, condition->kind == CONDITION_OR ? " || " : " && ");
		else if (!group && condition->kind == CONDITION_AND &&
				 ((ArazzoCondition *) lfirst(cell))->kind == CONDITION_OR)
			return false;
		if (!restate(out, lfirst(cell), context))
			return false;
	}
	if (group)
		appendStringInfoChar(out, ')');
	return true;
}

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

	if (!restate(out, condition->left, context))
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

	if (query->counted != NULL || context->pointer_count + context->access_count > 0)
		return false;
	appendStringInfoString(out, context->text);
	if (query->path != NULL)
		return restate_path(out, query->text + 1);
	appendStringInfoChar(out, '#');
	for (i = 0; i < query->token_count; i++)
		arazzo_pointer_append(out, query->tokens[i]);
	return true;
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
