/*-------------------------------------------------------------------------
 *
 * target_expression.c
 *	  Fuzz targets: expressions, templates, conditions and criteria over an
 *	  environment (test_world.h), which is the second half of the input.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "mb/pg_wchar.h"

#include "document/reader.h"
#include "expression/criterion.h"
#include "expression/grammar.h"
#include "expression/selector.h"

#include "../module/test_world.h"
#include "fuzz.h"

/* What there is when the input brings no environment of its own. */
static const char environment[] =
"{\"declared\": {\"inputs\": {\"x\": 1, \"a.b\": 1, \"list\": 1}, \"steps\": {\"s\": {\"o\": 1}, \"a-b\": {}}},"
" \"inputs\": {\"x\": \"text\", \"a.b\": 1.50, \"list\": [1, {\"y\": [true, null]}]},"
" \"steps\": {\"s\": {\"outputs\": {\"o\": {\"id\": 7}}}}, \"outputs\": {\"o\": \"3\"},"
" \"workflows\": {\"w\": {\"inputs\": {\"i\": 1}, \"outputs\": {\"o\": []}}},"
" \"request\": {\"header\": {\"A\": \"b\"}, \"query\": {\"q\": \"1\"}, \"path\": {\"p\": \"2\"}, \"body\": {\"k\": 0}},"
" \"response\": {\"header\": {\"Content-Type\": \"application/json\"}, \"body\": {\"n\": [1, 2], \"t\": \"<a><b>1</b></a>\"}},"
" \"url\": \"https://example.com/\", \"method\": \"GET\", \"status\": 200}";

typedef void (*NodeCheck) (const ArazzoNode *node, const ExpressionScope *scope, TestWorld *world);

static TestWorld *split_world(const char *data, size_t length, StringInfo text);
static void ignore(void *owner, const char *text, const char *standard_form);
static void one_expression(const StringInfo text, const ExpressionScope *scope, TestWorld *world);
static void check_standard(const ArazzoExpression *expression, const TestWorld *world);
static bool is_printable(const char *text);
static void in_both_scopes(const char *data, size_t length, NodeCheck check);
static void one_template(const ArazzoNode *node, const ExpressionScope *scope, TestWorld *world);
static void one_condition(const StringInfo text, bool queries, const ExpressionScope *scope, TestWorld *world);
static void one_criterion(const ArazzoNode *node, const ExpressionScope *scope, TestWorld *world);
static ArazzoNode *read_node(const StringInfo text);
static void require_warning(const char *warning);

void
fuzz_target_expression(const char *data, size_t length)
{
	StringInfoData text;
	TestWorld  *world = split_world(data, length, &text);

	if (world == NULL)
		return;
	one_expression(&text, NULL, world);
	one_expression(&text, test_world_scope(world), world);
}

/* The first half of an input, and the world that is the second; NULL when it
 * is no text. */
static TestWorld *
split_world(const char *data, size_t length, StringInfo text)
{
	StringInfoData rest;
	TestWorld  *world;

	if (!fuzz_split(data, length, text, &rest))
		return NULL;
	world = test_world_make(fuzz_value(&rest, environment));
	world->scope.accepted = ignore;
	return world;
}

static void
ignore(void *owner, const char *text, const char *standard_form)
{
}

static void
one_expression(const StringInfo text, const ExpressionScope *scope, TestWorld *world)
{
	ArazzoFailure *failure = NULL;
	ArazzoExpression *expression = arazzo_expression_parse(text->data, text->len, scope, &failure);
	ArazzoText *embedded;

	fuzz_require((expression == NULL) == (failure != NULL));
	if (expression == NULL)
		fuzz_require_failure(failure);
	else
	{
		(void) arazzo_value_to_jsonb(arazzo_expression_evaluate(expression, &world->environment));
		check_standard(expression, world);
	}
	failure = NULL;
	embedded = arazzo_text_compile(text->data, text->len, TEXT_BARE | TEXT_QUOTES, scope, &failure);
	fuzz_require((embedded == NULL) == (failure != NULL));
	if (embedded != NULL)
	{
		StringInfoData out;

		initStringInfo(&out);
		fuzz_require(arazzo_text_append(embedded, &world->environment, &out, &failure) == (failure == NULL));
	}
	if (failure != NULL)
		fuzz_require_failure(failure);
}

/*
 * The standard's spelling is a Selector Object or an expression of the
 * standard; the latter has the same value.
 */
static void
check_standard(const ArazzoExpression *expression, const TestWorld *world)
{
	ArazzoFailure *failure = NULL;
	char	   *standard = arazzo_expression_standard(expression);
	ArazzoExpression *again;

	if (standard == NULL)
		return;
	if (standard[0] == '{')
	{
		/* libyaml refuses control characters, even in quotes */
		if (!is_printable(standard))
			return;
		fuzz_require(arazzo_selector_is(arazzo_reader_read(standard, strlen(standard), &failure)));
		return;
	}
	again = arazzo_expression_parse(standard, strlen(standard), NULL, &failure);
	fuzz_require(again != NULL);
	if (!world->environment.symbolic)
		fuzz_require(arazzo_value_equal(arazzo_expression_evaluate(expression, &world->environment),
										arazzo_expression_evaluate(again, &world->environment)));
}

static bool
is_printable(const char *text)
{
	while (*text >= ' ' && *text <= '~')
		text++;
	return *text == '\0';
}

/* A document as a template. */
void
fuzz_target_template(const char *data, size_t length)
{
	in_both_scopes(data, length, one_template);
}

/* A document, once without a scope and once in the one of its world. */
static void
in_both_scopes(const char *data, size_t length, NodeCheck check)
{
	StringInfoData text;
	TestWorld  *world = split_world(data, length, &text);
	ArazzoNode *node = world ? read_node(&text) : NULL;

	if (node == NULL)
		return;
	check(node, NULL, world);
	check(node, test_world_scope(world), world);
}

static ArazzoNode *
read_node(const StringInfo text)
{
	ArazzoFailure *failure;

	return arazzo_reader_read(text->data, text->len, &failure);
}

/* What is written and what is evaluated are the same. */
static void
one_template(const ArazzoNode *node, const ExpressionScope *scope, TestWorld *world)
{
	ArazzoFailure *failure = NULL;
	ArazzoFailure *other_failure = NULL;
	ArazzoTemplate *template = arazzo_template_compile(node, scope, &failure);
	StringInfoData out;
	JsonbValue *value;
	bool		written;

	fuzz_require((template == NULL) == (failure != NULL));
	if (template == NULL)
	{
		fuzz_require_failure(failure);
		return;
	}
	initStringInfo(&out);
	written = arazzo_template_append_json(template, &world->environment, &out, &failure);
	value = arazzo_template_evaluate(template, &world->environment, &other_failure);
	fuzz_require((failure == NULL) == (other_failure == NULL));
	if (failure != NULL)
	{
		fuzz_require_failure(failure);
		fuzz_require_failure(other_failure);
		return;
	}
	fuzz_require(written == (value != NULL));
	if (written)
		fuzz_require(arazzo_value_equal(value, arazzo_value_parse_json(out.data, out.len, &failure)));
}

void
fuzz_target_condition(const char *data, size_t length)
{
	StringInfoData text;
	TestWorld  *world = split_world(data, length, &text);

	if (world == NULL)
		return;
	one_condition(&text, false, NULL, world);
	one_condition(&text, false, test_world_scope(world), world);
	one_condition(&text, true, test_world_scope(world), world);
}

static void
one_condition(const StringInfo text, bool queries, const ExpressionScope *scope, TestWorld *world)
{
	ArazzoFailure *failure = NULL;
	ArazzoCondition *condition = arazzo_condition_scan(text->data, text->len, queries, scope, &failure);
	char	   *warning = NULL;
	bool		holds;

	fuzz_require((condition == NULL) == (failure != NULL));
	if (condition == NULL)
	{
		fuzz_require_failure(failure);
		return;
	}
	holds = arazzo_condition_holds(condition, &world->environment, world->root, &warning);
	require_warning(warning);
	fuzz_require(holds == arazzo_condition_holds(condition, &world->environment, world->root, NULL));
	if (!queries)
		fuzz_require(holds == arazzo_condition_evaluate(condition, &world->environment, NULL));
}

static void
require_warning(const char *warning)
{
	fuzz_require(warning == NULL || pg_verifymbstr(warning, strlen(warning), true));
}

/* A document as a Criterion Object. */
void
fuzz_target_criterion(const char *data, size_t length)
{
	in_both_scopes(data, length, one_criterion);
}

static void
one_criterion(const ArazzoNode *node, const ExpressionScope *scope, TestWorld *world)
{
	ArazzoFailure *failure = NULL;
	ArazzoCriterion *criterion = arazzo_criterion_compile(node, scope, &failure);
	char	   *warning = NULL;

	fuzz_require((criterion == NULL) == (failure != NULL));
	if (criterion == NULL)
	{
		fuzz_require_failure(failure);
		return;
	}
	fuzz_require(arazzo_criterion_text(criterion) != NULL);
	(void) arazzo_criterion_holds(criterion, &world->environment, &warning);
	require_warning(warning);
}
