/*-------------------------------------------------------------------------
 *
 * test_jsonpath.c
 *	  JSONPath and I-Regexp as SQL functions.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "fmgr.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"

#include "expression/iregexp.h"
#include "expression/jsonpath.h"
#include "support/value.h"

PG_FUNCTION_INFO_V1(test_jsonpath);
PG_FUNCTION_INFO_V1(test_jsonpath_count);
PG_FUNCTION_INFO_V1(test_jsonpath_problem);
PG_FUNCTION_INFO_V1(test_iregexp);

static ArazzoJsonPath *parse(text *query);
static JsonbValue *push_nodes(JsonbParseState **state, List *nodes, bool locations);
static void push_key(JsonbParseState **state, const char *key);

/*
 * test_jsonpath(query text, document jsonb) returns jsonb:
 * {"values": [...], "paths": [...]}
 */
Datum
test_jsonpath(PG_FUNCTION_ARGS)
{
	ArazzoJsonPath *path = parse(PG_GETARG_TEXT_PP(0));
	JsonbValue *root = arazzo_value_from_jsonb(PG_GETARG_JSONB_P(1));
	List	   *nodes = arazzo_jsonpath_query(path, root, true);
	JsonbParseState *state = NULL;
	JsonbValue *result;

	pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	push_key(&state, "values");
	push_nodes(&state, nodes, false);
	push_key(&state, "paths");
	push_nodes(&state, nodes, true);
	result = pushJsonbValue(&state, WJB_END_OBJECT, NULL);
	PG_RETURN_JSONB_P(JsonbValueToJsonb(result));
}

/* test_jsonpath_count(query text, document jsonb) returns integer: the nodes */
Datum
test_jsonpath_count(PG_FUNCTION_ARGS)
{
	ArazzoJsonPath *path = parse(PG_GETARG_TEXT_PP(0));
	JsonbValue *root = arazzo_value_from_jsonb(PG_GETARG_JSONB_P(1));

	PG_RETURN_INT32(list_length(arazzo_jsonpath_query(path, root, false)));
}

/* test_jsonpath_problem(query text) returns text: NULL when it is valid */
Datum
test_jsonpath_problem(PG_FUNCTION_ARGS)
{
	text	   *query = PG_GETARG_TEXT_PP(0);
	ArazzoFailure *failure = NULL;

	if (arazzo_jsonpath_parse(VARDATA_ANY(query), VARSIZE_ANY_EXHDR(query), &failure) != NULL)
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(cstring_to_text(failure->message));
}

/*
 * test_iregexp(pattern text, whole boolean, string text) returns boolean:
 * does it match?  NULL when the pattern is no I-Regexp.
 */
Datum
test_iregexp(PG_FUNCTION_ARGS)
{
	text	   *pattern = PG_GETARG_TEXT_PP(0);
	text	   *string = PG_GETARG_TEXT_PP(2);
	ArazzoFailure *failure = NULL;
	ArazzoRegex *regex;

	regex = arazzo_iregexp_compile(VARDATA_ANY(pattern), VARSIZE_ANY_EXHDR(pattern),
								   PG_GETARG_BOOL(1), &failure);
	if (failure != NULL)
		arazzo_failure_report(failure, ERROR);
	if (regex == NULL)
		PG_RETURN_NULL();
	PG_RETURN_BOOL(arazzo_regex_search(regex, VARDATA_ANY(string), VARSIZE_ANY_EXHDR(string)));
}

/* Throws what is wrong with a query. */
static ArazzoJsonPath *
parse(text *query)
{
	ArazzoFailure *failure = NULL;
	ArazzoJsonPath *path;

	path = arazzo_jsonpath_parse(VARDATA_ANY(query), VARSIZE_ANY_EXHDR(query), &failure);
	if (path == NULL)
		arazzo_failure_report(failure, ERROR);
	return path;
}

/* The values of nodes, or where they are, as an array. */
static JsonbValue *
push_nodes(JsonbParseState **state, List *nodes, bool locations)
{
	ListCell   *cell;

	pushJsonbValue(state, WJB_BEGIN_ARRAY, NULL);
	foreach(cell, nodes)
	{
		ArazzoJsonPathNode *node = lfirst(cell);

		pushJsonbValue(state, WJB_ELEM,
					   locations ? arazzo_value_cstring(node->location) : node->value);
	}
	return pushJsonbValue(state, WJB_END_ARRAY, NULL);
}

static void
push_key(JsonbParseState **state, const char *key)
{
	pushJsonbValue(state, WJB_KEY, arazzo_value_cstring(key));
}
