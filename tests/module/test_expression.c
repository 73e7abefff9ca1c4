/*-------------------------------------------------------------------------
 *
 * test_expression.c
 *	  Runtime expressions, templates, conditions and criteria as SQL
 *	  functions.
 *
 * Each takes an environment, see test_world.h.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "fmgr.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/memutils.h"

#include "document/reader.h"
#include "expression/criterion.h"
#include "expression/expression.h"
#include "expression/grammar.h"

#include "test_world.h"

PG_FUNCTION_INFO_V1(test_error_caught);
PG_FUNCTION_INFO_V1(test_expression_parse);
PG_FUNCTION_INFO_V1(test_expression_evaluate);
PG_FUNCTION_INFO_V1(test_template);
PG_FUNCTION_INFO_V1(test_template_facts);
PG_FUNCTION_INFO_V1(test_template_repeat);
PG_FUNCTION_INFO_V1(test_condition);
PG_FUNCTION_INFO_V1(test_criterion);

static ArazzoExpression *
parse_argument(FunctionCallInfo fcinfo, TestWorld *world)
{
	text	   *string = PG_GETARG_TEXT_PP(0);
	ArazzoFailure *failure = NULL;
	ArazzoExpression *expression;

	expression = arazzo_expression_parse(VARDATA_ANY(string), VARSIZE_ANY_EXHDR(string),
										 test_world_scope(world), &failure);
	if (expression == NULL)
		arazzo_failure_report(failure, ERROR);
	return expression;
}

static ArazzoNode *
read_argument(FunctionCallInfo fcinfo)
{
	text	   *string = PG_GETARG_TEXT_PP(0);
	ArazzoFailure *failure = NULL;
	ArazzoNode *node;

	node = arazzo_reader_read(VARDATA_ANY(string), VARSIZE_ANY_EXHDR(string), &failure);
	if (node == NULL)
		arazzo_failure_report(failure, ERROR);
	return node;
}

static ArazzoTemplate *
template_argument(FunctionCallInfo fcinfo, TestWorld *world)
{
	ArazzoFailure *failure = NULL;
	ArazzoTemplate *template;

	template = arazzo_template_compile(read_argument(fcinfo), test_world_scope(world), &failure);
	if (template == NULL)
		arazzo_failure_report(failure, ERROR);
	return template;
}

/*
 * test_expression_parse(expression text, environment jsonb) returns text: the
 * tree, as "root name | field | #tokens | accesses".
 */
Datum
test_expression_parse(PG_FUNCTION_ARGS)
{
	TestWorld  *world = test_world_make(arazzo_value_from_jsonb(PG_GETARG_JSONB_P(1)));
	ArazzoExpression *expression = parse_argument(fcinfo, world);
	StringInfoData out;
	int			i;

	initStringInfo(&out);
	appendStringInfoString(&out, test_world_root(expression->root));
	if (expression->name != NULL)
		appendStringInfo(&out, " <%s>", expression->name);
	if (expression->field != NULL)
		appendStringInfo(&out, " <%s>", expression->field);
	for (i = 0; i < expression->pointer_count; i++)
		appendStringInfo(&out, " #%s", expression->pointer[i]);
	for (i = 0; i < expression->access_count; i++)
	{
		ExpressionAccess *access = &expression->accesses[i];

		if (access->name != NULL)
			appendStringInfo(&out, " .%s%s", access->name, access->index < 0 ? "()" : "");
		else if (access->index < 0)
			appendStringInfoString(&out, " [*]");
		else
			appendStringInfo(&out, " [%d]", access->index);
	}
	if (test_world_scope(world) != NULL && world->parsed != 1)
		appendStringInfo(&out, " parsed %d times", world->parsed);
	PG_RETURN_TEXT_P(cstring_to_text_with_len(out.data, out.len));
}

/* test_expression_evaluate(expression text, environment jsonb) returns jsonb */
Datum
test_expression_evaluate(PG_FUNCTION_ARGS)
{
	TestWorld  *world = test_world_make(arazzo_value_from_jsonb(PG_GETARG_JSONB_P(1)));
	ArazzoExpression *expression = parse_argument(fcinfo, world);
	JsonbValue *value = arazzo_expression_evaluate(expression, &world->environment);

	if (value == NULL)
		PG_RETURN_NULL();
	PG_RETURN_JSONB_P(arazzo_value_to_jsonb(value));
}

/*
 * test_template(template text, environment jsonb) returns text: written as
 * JSON; NULL when it is left out.  Evaluating it must give the same value.
 */
Datum
test_template(PG_FUNCTION_ARGS)
{
	TestWorld  *world = test_world_make(arazzo_value_from_jsonb(PG_GETARG_JSONB_P(1)));
	ArazzoTemplate *template = template_argument(fcinfo, world);
	ArazzoFailure *failure = NULL;
	StringInfoData out;
	JsonbValue *value;
	bool		written;

	initStringInfo(&out);
	written = arazzo_template_append_json(template, &world->environment, &out, &failure);
	if (failure != NULL)
		arazzo_failure_report(failure, ERROR);
	value = arazzo_template_evaluate(template, &world->environment, &failure);
	if (failure != NULL)
		elog(ERROR, "evaluating failed: %s", failure->message);
	if (written != (value != NULL))
		elog(ERROR, "written and evaluated differ in being left out");
	if (!written)
		PG_RETURN_NULL();
	if (!arazzo_value_equal(value, arazzo_value_parse_json(out.data, out.len, &failure)))
		elog(ERROR, "written and evaluated differ: %s", out.data);
	PG_RETURN_TEXT_P(cstring_to_text_with_len(out.data, out.len));
}

/* test_template_facts(template text, environment jsonb) returns text */
Datum
test_template_facts(PG_FUNCTION_ARGS)
{
	TestWorld  *world = test_world_make(arazzo_value_from_jsonb(PG_GETARG_JSONB_P(1)));
	ArazzoTemplate *template = template_argument(fcinfo, world);
	const ArazzoExpression *expression = arazzo_template_expression(template);
	char	   *facts;

	facts = psprintf("%s, %s, expression %s",
					 arazzo_template_is_constant(template) ? "constant" : "not constant",
					 arazzo_template_is_text(template) ? "text" : "not text",
					 expression ? expression->text : "none");
	PG_RETURN_TEXT_P(cstring_to_text(facts));
}

/*
 * test_template_repeat(template text, environment jsonb, times int) returns
 * int: bytes written by the last of so many evaluations, for timing.
 */
Datum
test_template_repeat(PG_FUNCTION_ARGS)
{
	TestWorld  *world = test_world_make(arazzo_value_from_jsonb(PG_GETARG_JSONB_P(1)));
	ArazzoTemplate *template = template_argument(fcinfo, world);
	MemoryContext scratch = AllocSetContextCreate(CurrentMemoryContext, "scratch",
												  ALLOCSET_DEFAULT_SIZES);
	MemoryContext before = MemoryContextSwitchTo(scratch);
	int			length = 0;
	int			i;

	for (i = 0; i < PG_GETARG_INT32(2); i++)
	{
		ArazzoFailure *failure = NULL;
		StringInfoData out;

		initStringInfo(&out);
		(void) arazzo_template_append_json(template, &world->environment, &out, &failure);
		length = out.len;
		MemoryContextReset(scratch);
	}
	MemoryContextSwitchTo(before);
	PG_RETURN_INT32(length);
}

static void
report_warning(const char *warning)
{
	if (warning != NULL)
		ereport(NOTICE, errmsg("warning: %s", warning));
}

/* test_condition(condition text, environment jsonb) returns boolean */
Datum
test_condition(PG_FUNCTION_ARGS)
{
	text	   *string = PG_GETARG_TEXT_PP(0);
	TestWorld  *world = test_world_make(arazzo_value_from_jsonb(PG_GETARG_JSONB_P(1)));
	ArazzoFailure *failure = NULL;
	ArazzoCondition *condition;
	char	   *warning = NULL;
	bool		holds;

	condition = arazzo_condition_parse(VARDATA_ANY(string), VARSIZE_ANY_EXHDR(string),
									   test_world_scope(world), &failure);
	if (condition == NULL)
		arazzo_failure_report(failure, ERROR);
	holds = arazzo_condition_evaluate(condition, &world->environment, &warning);
	report_warning(warning);
	PG_RETURN_BOOL(holds);
}

/* test_criterion(criterion text, environment jsonb) returns boolean */
Datum
test_criterion(PG_FUNCTION_ARGS)
{
	TestWorld  *world = test_world_make(arazzo_value_from_jsonb(PG_GETARG_JSONB_P(1)));
	ArazzoFailure *failure = NULL;
	ArazzoCriterion *criterion;
	char	   *warning = NULL;
	bool		holds;

	criterion = arazzo_criterion_compile(read_argument(fcinfo), test_world_scope(world), &failure);
	if (criterion == NULL)
		arazzo_failure_report(failure, ERROR);
	holds = arazzo_criterion_holds(criterion, &world->environment, &warning);
	report_warning(warning);
	PG_RETURN_BOOL(holds);
}

/*
 * test_error_caught(sqlstate text) returns text
 *
 * The failure that an error of this code becomes while an expression is
 * evaluated, unless it is thrown on.
 */
Datum
test_error_caught(PG_FUNCTION_ARGS)
{
	MemoryContext context = CurrentMemoryContext;
	char	   *code = text_to_cstring(PG_GETARG_TEXT_PP(0));
	ArazzoFailure *volatile failure = NULL;

	PG_TRY();
	{
		ereport(ERROR,
				errcode(MAKE_SQLSTATE(code[0], code[1], code[2], code[3], code[4])),
				errmsg("an error"));
	}
	PG_CATCH();
	{
		failure = arazzo_failure_from_catch(context, "could not evaluate");
	}
	PG_END_TRY();
	PG_RETURN_TEXT_P(cstring_to_text(failure->message));
}
