/*-------------------------------------------------------------------------
 *
 * test_expression.c
 *	  Runtime expressions, templates, conditions and criteria as SQL
 *	  functions.
 *
 * Each takes an environment: {"inputs": {}, "outputs": {}, "steps": {"a":
 * {"outputs": {}}}, "workflows": {"w": {"inputs": {}, "outputs": {}}},
 * "request": {"header": {}, "query": {}, "path": {}, "body": ...},
 * "response": {...}, "message": {...}, "url": "", "method": "", "status": 0,
 * "self": ""}.  A member "declared", {"inputs": {"x": 1}, "steps": {"a":
 * {"y": 1}}}, makes a scope, and "symbolic": true explains.  What the scope
 * accepts and what evaluation warns of are reported as notices.
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
#include "expression/grammar.h"
#include "expression/expression.h"

PG_FUNCTION_INFO_V1(test_error_caught);
PG_FUNCTION_INFO_V1(test_expression_parse);
PG_FUNCTION_INFO_V1(test_expression_evaluate);
PG_FUNCTION_INFO_V1(test_template);
PG_FUNCTION_INFO_V1(test_template_facts);
PG_FUNCTION_INFO_V1(test_template_repeat);
PG_FUNCTION_INFO_V1(test_condition);
PG_FUNCTION_INFO_V1(test_criterion);

typedef struct TestWorld
{
	JsonbValue *root;
	ExpressionScope scope;
	ExpressionEnvironment environment;
	int			parsed;
} TestWorld;

static const char *const root_paths[] = {
	[ROOT_URL] = "url",
	[ROOT_METHOD] = "method",
	[ROOT_STATUS_CODE] = "status",
	[ROOT_REQUEST_HEADER] = "request.header",
	[ROOT_REQUEST_QUERY] = "request.query",
	[ROOT_REQUEST_PATH] = "request.path",
	[ROOT_REQUEST_BODY] = "request.body",
	[ROOT_RESPONSE_HEADER] = "response.header",
	[ROOT_RESPONSE_QUERY] = "response.query",
	[ROOT_RESPONSE_PATH] = "response.path",
	[ROOT_RESPONSE_BODY] = "response.body",
	[ROOT_MESSAGE_HEADER] = "message.header",
	[ROOT_MESSAGE_PAYLOAD] = "message.payload",
	[ROOT_INPUTS] = "inputs",
	[ROOT_OUTPUTS] = "outputs",
	[ROOT_STEPS] = "steps",
	[ROOT_WORKFLOWS_INPUTS] = "workflows",
	[ROOT_WORKFLOWS_OUTPUTS] = "workflows",
	[ROOT_SOURCE_DESCRIPTIONS] = "sourceDescriptions",
	[ROOT_COMPONENTS] = "components",
	[ROOT_SELF] = "self",
};

static JsonbValue *
member(JsonbValue *object, const char *key)
{
	return object ? arazzo_value_member_cstring(object, key) : NULL;
}

static JsonbValue *
root_value(TestWorld *world, ExpressionRoot root)
{
	JsonbValue *value = world->root;
	char	   *path = pstrdup(root_paths[root]);
	char	   *dot = strchr(path, '.');

	if (dot != NULL)
	{
		*dot = '\0';
		return member(member(value, path), dot + 1);
	}
	return member(value, path);
}

/* Header names are tokens and match without regard to case. */
static JsonbValue *
header_value(JsonbValue *headers, const char *name)
{
	ArazzoValueWalk walk;
	JsonbValue	key;
	JsonbValue *value = palloc(sizeof(JsonbValue));

	if (headers == NULL)
		return NULL;
	arazzo_value_walk(&walk, headers);
	while (arazzo_value_next(&walk, &key, value))
	{
		if (pg_strcasecmp(pnstrdup(key.val.string.val, key.val.string.len), name) == 0)
			return value;
	}
	return NULL;
}

static JsonbValue *
lookup(void *owner, const ArazzoExpression *expression)
{
	JsonbValue *value = root_value(owner, expression->root);

	switch (expression->root)
	{
		case ROOT_REQUEST_HEADER:
		case ROOT_RESPONSE_HEADER:
		case ROOT_MESSAGE_HEADER:
			return header_value(value, expression->name);
		case ROOT_STEPS:
		case ROOT_WORKFLOWS_OUTPUTS:
			return member(member(member(value, expression->name), "outputs"), expression->field);
		case ROOT_WORKFLOWS_INPUTS:
			return member(member(member(value, expression->name), "inputs"), expression->field);
		case ROOT_SOURCE_DESCRIPTIONS:
		case ROOT_COMPONENTS:
			return member(member(value, expression->name), expression->field);
		default:
			return expression->name ? member(value, expression->name) : value;
	}
}

static bool
declared(void *owner, ExpressionRoot root, const char *name, int name_length,
		 const char *field, int field_length)
{
	TestWorld  *world = owner;
	JsonbValue *all = member(world->root, "declared");
	JsonbValue *value = NULL;

	if (root == ROOT_INPUTS || root == ROOT_STEPS || root == ROOT_OUTPUTS)
		value = member(all, root_paths[root]);
	if (value != NULL)
		value = arazzo_value_member(value, name, name_length);
	if (value != NULL && field != NULL)
		value = arazzo_value_member(value, field, field_length);
	return value != NULL;
}

static void
accepted(void *owner, const char *string, const char *standard_form)
{
	ereport(NOTICE,
			errmsg("accepted %s, standard: %s", string, standard_form ? standard_form : "none"));
}

static void
parsed(void *owner, ArazzoExpression *expression)
{
	((TestWorld *) owner)->parsed++;
}

static TestWorld *
make_world(Jsonb *environment)
{
	TestWorld  *world = palloc0(sizeof(TestWorld));
	JsonbValue *symbolic;

	world->root = arazzo_value_from_jsonb(environment);
	world->scope.owner = world;
	world->scope.declared = declared;
	world->scope.accepted = accepted;
	world->scope.parsed = parsed;
	world->environment.owner = world;
	world->environment.lookup = lookup;
	symbolic = member(world->root, "symbolic");
	world->environment.symbolic = symbolic != NULL && symbolic->val.boolean;
	return world;
}

static const ExpressionScope *
world_scope(TestWorld *world)
{
	return member(world->root, "declared") ? &world->scope : NULL;
}

static ArazzoExpression *
parse_argument(FunctionCallInfo fcinfo, TestWorld *world)
{
	text	   *string = PG_GETARG_TEXT_PP(0);
	ArazzoFailure *failure = NULL;
	ArazzoExpression *expression;

	expression = arazzo_expression_parse(VARDATA_ANY(string), VARSIZE_ANY_EXHDR(string),
										 world_scope(world), &failure);
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

	template = arazzo_template_compile(read_argument(fcinfo), world_scope(world), &failure);
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
	TestWorld  *world = make_world(PG_GETARG_JSONB_P(1));
	ArazzoExpression *expression = parse_argument(fcinfo, world);
	StringInfoData out;
	int			i;

	initStringInfo(&out);
	appendStringInfoString(&out, root_paths[expression->root]);
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
	if (world_scope(world) != NULL && world->parsed != 1)
		appendStringInfo(&out, " parsed %d times", world->parsed);
	PG_RETURN_TEXT_P(cstring_to_text_with_len(out.data, out.len));
}

/* test_expression_evaluate(expression text, environment jsonb) returns jsonb */
Datum
test_expression_evaluate(PG_FUNCTION_ARGS)
{
	TestWorld  *world = make_world(PG_GETARG_JSONB_P(1));
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
	TestWorld  *world = make_world(PG_GETARG_JSONB_P(1));
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
	TestWorld  *world = make_world(PG_GETARG_JSONB_P(1));
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
	TestWorld  *world = make_world(PG_GETARG_JSONB_P(1));
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
	TestWorld  *world = make_world(PG_GETARG_JSONB_P(1));
	ArazzoFailure *failure = NULL;
	ArazzoCondition *condition;
	char	   *warning = NULL;
	bool		holds;

	condition = arazzo_condition_parse(VARDATA_ANY(string), VARSIZE_ANY_EXHDR(string),
									   world_scope(world), &failure);
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
	TestWorld  *world = make_world(PG_GETARG_JSONB_P(1));
	ArazzoFailure *failure = NULL;
	ArazzoCriterion *criterion;
	char	   *warning = NULL;
	bool		holds;

	criterion = arazzo_criterion_compile(read_argument(fcinfo), world_scope(world), &failure);
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
