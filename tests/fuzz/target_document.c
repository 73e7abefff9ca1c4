/*-------------------------------------------------------------------------
 *
 * target_document.c
 *	  Fuzz targets: any bytes as a document, as JSON, as an answer's body.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "mb/pg_wchar.h"
#include "utils/builtins.h"

#include "document/node.h"
#include "document/reader.h"
#include "openapi/serialize.h"
#include "support/settings.h"

#include "fuzz.h"

static void check_string(const char *data, int length);
static int64 check_tree(const ArazzoNode *node, int depth);
static void check_failure(const ArazzoFailure *failure);
static void check_value(const JsonbValue *value);

/*
 * A tree or a failure comes out, never both, never an error; a tree is what
 * node.h promises, and what is JSON to jsonb too is the same value there.
 */
void
fuzz_target_yaml(const char *data, size_t length)
{
	ArazzoFailure *failure;
	ArazzoNode *node = arazzo_reader_read(data, length, &failure);
	JsonbValue *value;
	JsonbValue *other;

	fuzz_require((node == NULL) != (failure == NULL));
	if (node == NULL)
	{
		check_failure(failure);
		return;
	}
	fuzz_require(check_tree(node, 0) <= arazzo_max_document_nodes);
	value = arazzo_node_to_value(node);
	check_value(value);
	other = arazzo_value_parse_json(data, length, &failure);
	fuzz_require(other == NULL || arazzo_value_equal(value, other));
	fuzz_require(arazzo_value_equal(value, arazzo_node_to_value(arazzo_node_copy(node))));
}

static void
check_string(const char *data, int length)
{
	fuzz_require(strlen(data) == (size_t) length);
	fuzz_require(pg_encoding_verifymbstr(PG_UTF8, data, length) == length);
}

/* Walks a tree, shared nodes once a place; returns the number of nodes. */
static int64
check_tree(const ArazzoNode *node, int depth)
{
	int64		nodes = 1;
	int			i;

	fuzz_require(node->line >= 1 && node->column >= 1 && depth <= arazzo_max_document_depth);
	if (node->type == NODE_STRING)
		check_string(node->u.string, node->count);
	for (i = 0; node->type == NODE_ARRAY && i < node->count; i++)
		nodes += check_tree(node->u.items[i], depth + 1);
	for (i = 0; node->type == NODE_OBJECT && i < node->count; i++)
	{
		const ArazzoMember *member = &node->u.members[i];

		check_string(member->key, member->key_length);
		fuzz_require(member->line >= 1 && member->column >= 1);
		fuzz_require(arazzo_node_member(node, member->key) == member->value);
		nodes += check_tree(member->value, depth + 1);
	}
	return nodes;
}

static void
check_failure(const ArazzoFailure *failure)
{
	fuzz_require_failure(failure);
	fuzz_require(failure->line >= 1 && failure->column >= 1 && failure->detail != NULL);
	fuzz_require(failure->sqlstate == ERRCODE_INVALID_TEXT_REPRESENTATION ||
				 failure->sqlstate == ERRCODE_CHARACTER_NOT_IN_REPERTOIRE ||
				 failure->sqlstate == ERRCODE_UNTRANSLATABLE_CHARACTER ||
				 failure->sqlstate == ERRCODE_PROGRAM_LIMIT_EXCEEDED);
}

/* A value is the same after it was written and read again. */
static void
check_value(const JsonbValue *value)
{
	ArazzoFailure *failure = NULL;
	StringInfoData text;
	JsonbValue *again;

	initStringInfo(&text);
	arazzo_value_append_json(&text, value);
	again = arazzo_value_parse_json(text.data, text.len, &failure);
	fuzz_require(again != NULL);
	fuzz_require(arazzo_value_equal(value, again));
	fuzz_require(arazzo_value_equal(arazzo_value_copy(value), again));
}

/* What is a value reads as a document, unless that minds a key twice. */
void
fuzz_target_json(const char *data, size_t length)
{
	ArazzoFailure *failure = NULL;
	JsonbValue *value = arazzo_value_parse_json(data, length, &failure);
	ArazzoNode *node;

	fuzz_require((value == NULL) == (failure != NULL));
	if (value == NULL)
	{
		fuzz_require_failure(failure);
		return;
	}
	check_value(value);
	node = arazzo_reader_read(data, length, &failure);
	if (node != NULL)
		fuzz_require(arazzo_value_equal(value, arazzo_node_to_value(node)));
	else
		check_failure(failure);
}

/* The first line is the content type, which is text, the rest is the body. */
void
fuzz_target_body(const char *data, size_t length)
{
	const char *end = memchr(data, '\n', length);
	size_t		line = end ? end - data : length;
	char	   *content_type = pnstrdup(data, line);
	const char *body = end ? end + 1 : data + length;
	char	   *warning;
	JsonbValue *value;

	if (!pg_verifymbstr(content_type, strlen(content_type), true))
		return;
	value = arazzo_deserialize_body(content_type, body, data + length - body, &warning);
	if (value == NULL)
		fuzz_require(body == data + length || warning != NULL);
	else
		check_value(value);
	fuzz_require(warning == NULL || pg_verifymbstr(warning, strlen(warning), true));
	(void) arazzo_deserialize_body(NULL, body, data + length - body, NULL);
}
