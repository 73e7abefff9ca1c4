/*-------------------------------------------------------------------------
 *
 * target_query.c
 *	  Fuzz targets: JSONPath and regular expressions, with what they are
 *	  applied to as the second half of the input.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "expression/iregexp.h"
#include "expression/jsonpath.h"
#include "support/regex.h"

#include "fuzz.h"

static const char document[] =
"{\"a\": [1, {\"b\": \"x\", \"c\": [0, -1.5, null]}, \"text\"], \"b\": {\"a\": true, \"'\": {}}, \"\\u00e9\": [[], [3]]}";

/* How many nodes are looked up again, each by its own query. */
#define CHECKED_NODES	20

static void check_nodes(const ArazzoJsonPath *path, const JsonbValue *root);
static void check_location(const ArazzoJsonPathNode *node, const JsonbValue *root);
static void search(ArazzoRegex *regex, ArazzoFailure *failure, const StringInfo text);

void
fuzz_target_jsonpath(const char *data, size_t length)
{
	ArazzoFailure *failure = NULL;
	StringInfoData query;
	StringInfoData rest;
	ArazzoJsonPath *path;

	if (!fuzz_split(data, length, &query, &rest))
		return;
	path = arazzo_jsonpath_parse(query.data, query.len, &failure);
	fuzz_require((path == NULL) == (failure != NULL));
	if (path == NULL)
		fuzz_require_failure(failure);
	else
		check_nodes(path, fuzz_value(&rest, document));
}

static void
check_nodes(const ArazzoJsonPath *path, const JsonbValue *root)
{
	List	   *nodes = arazzo_jsonpath_query(path, root, true);
	ListCell   *cell;

	fuzz_require(list_length(nodes) == list_length(arazzo_jsonpath_query(path, root, false)));
	foreach(cell, nodes)
	{
		if (foreach_current_index(cell) < CHECKED_NODES)
			check_location(lfirst(cell), root);
	}
}

/* A normalized path (RFC 9535, 2.7) is a query for that node alone. */
static void
check_location(const ArazzoJsonPathNode *node, const JsonbValue *root)
{
	ArazzoFailure *failure = NULL;
	ArazzoJsonPath *path = arazzo_jsonpath_parse(node->location, strlen(node->location), &failure);
	List	   *found;
	const ArazzoJsonPathNode *again;

	fuzz_require(path != NULL);
	found = arazzo_jsonpath_query(path, root, true);
	fuzz_require(list_length(found) == 1);
	again = linitial(found);
	fuzz_require(strcmp(again->location, node->location) == 0);
	fuzz_require(arazzo_value_equal(again->value, node->value));
}

/* By the rules of ECMA-262 and by those of RFC 9485. */
void
fuzz_target_regex(const char *data, size_t length)
{
	ArazzoFailure *failure = NULL;
	StringInfoData pattern;
	StringInfoData text;
	ArazzoRegex *regex;

	if (!fuzz_split(data, length, &pattern, &text))
		return;
	regex = arazzo_regex_compile(pattern.data, pattern.len, &failure);
	fuzz_require((regex == NULL) == (failure != NULL));
	search(regex, failure, &text);
	failure = NULL;
	regex = arazzo_iregexp_compile(pattern.data, pattern.len, true, &failure);
	fuzz_require(regex == NULL || failure == NULL);
	search(regex, failure, &text);
}

static void
search(ArazzoRegex *regex, ArazzoFailure *failure, const StringInfo text)
{
	if (failure != NULL)
		fuzz_require_failure(failure);
	if (regex != NULL)
		(void) arazzo_regex_search(regex, text->data, text->len);
}
