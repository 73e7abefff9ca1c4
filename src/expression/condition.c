/*-------------------------------------------------------------------------
 *
 * condition.c
 *	  Evaluation of conditions (Arazzo 1.1.0, Condition Evaluation).
 *
 * Every node has a value: of an operand its own, of an operator a boolean.
 * What decides is the value's truth: true unless false, null or absent.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"

#include "expression/grammar.h"
#include "support/strings.h"

typedef struct ConditionRun
{
	const ExpressionEnvironment *environment;
	const JsonbValue *context;	/* of queries; may be NULL */
	char	  **warning;		/* may be NULL */
} ConditionRun;

static bool holds(const ArazzoCondition *condition, ConditionRun *run);
static bool compare(const ArazzoCondition *condition, ConditionRun *run);
static JsonbValue *value_of(const ArazzoCondition *condition, ConditionRun *run);
static JsonbValue *query_value(const ArazzoCondition *condition, ConditionRun *run);
static bool query_truth(const ArazzoCondition *condition, ConditionRun *run);
static JsonbValue *text_value(const ArazzoCondition *condition, ConditionRun *run);
static void warn(ConditionRun *run, const char *format,...) pg_attribute_printf(2, 3);

bool
arazzo_condition_evaluate(const ArazzoCondition *condition,
						  const ExpressionEnvironment *environment, char **warning)
{
	return arazzo_condition_holds(condition, environment, NULL, warning);
}

bool
arazzo_condition_holds(const ArazzoCondition *condition,
					   const ExpressionEnvironment *environment,
					   const JsonbValue *context, char **warning)
{
	ConditionRun run = {environment, context, warning};

	return holds(condition, &run);
}

static bool
holds(const ArazzoCondition *condition, ConditionRun *run)
{
	ListCell   *cell;

	check_stack_depth();
	switch (condition->kind)
	{
		case CONDITION_OR:
			foreach(cell, condition->operands)
			{
				if (holds(lfirst(cell), run))
					return true;
			}
			return false;
		case CONDITION_AND:
			foreach(cell, condition->operands)
			{
				if (!holds(lfirst(cell), run))
					return false;
			}
			return true;
		case CONDITION_NOT:
			return !holds(condition->left, run);
		case CONDITION_COMPARE:
			return compare(condition, run);
		case CONDITION_QUERY:
			return query_truth(condition, run);
		default:
			return arazzo_truth(value_of(condition, run));
	}
}

static bool
compare(const ArazzoCondition *condition, ConditionRun *run)
{
	JsonbValue *left = value_of(condition->left, run);
	JsonbValue *right = value_of(condition->right, run);
	bool		incomparable = false;
	bool		result = arazzo_compare(condition->operator, left, right, &incomparable);

	if (incomparable)
		warn(run, "%s cannot be ordered against %s",
			 arazzo_value_type(left), arazzo_value_type(right));
	return result;
}

/* The value of a node, NULL when absent. */
static JsonbValue *
value_of(const ArazzoCondition *condition, ConditionRun *run)
{
	switch (condition->kind)
	{
		case CONDITION_LITERAL:
			return condition->literal;
		case CONDITION_EXPRESSION:
			return arazzo_expression_evaluate(condition->expression, run->environment);
		case CONDITION_TEXT:
			return text_value(condition, run);
		case CONDITION_QUERY:
			return query_value(condition, run);
		default:
			return arazzo_value_bool(holds(condition, run));
	}
}

static JsonbValue *
query_value(const ArazzoCondition *condition, ConditionRun *run)
{
	char	   *problem = NULL;
	JsonbValue *value = arazzo_query_value(condition->query, run->context, &problem);

	if (problem != NULL)
		warn(run, "%s", problem);
	return value;
}

static bool
query_truth(const ArazzoCondition *condition, ConditionRun *run)
{
	char	   *problem = NULL;
	bool		truth = arazzo_query_truth(condition->query, run->context, &problem);

	if (problem != NULL)
		warn(run, "%s", problem);
	return truth;
}

/* A string with its expressions filled in; absent when one of them is. */
static JsonbValue *
text_value(const ArazzoCondition *condition, ConditionRun *run)
{
	StringInfoData text;
	ArazzoFailure *failure = NULL;

	initStringInfo(&text);
	if (arazzo_text_append(condition->text, run->environment, &text, &failure))
		return arazzo_value_string(text.data, text.len);
	warn(run, "%s", failure->message);
	return NULL;
}

/* Keeps the first warning. */
static void
warn(ConditionRun *run, const char *format,...)
{
	va_list		arguments;

	if (run->warning == NULL || *run->warning != NULL)
		return;
	va_start(arguments, format);
	*run->warning = arazzo_format(format, arguments);
	va_end(arguments);
}
