/*-------------------------------------------------------------------------
 *
 * test_document.c
 *	  The document room as SQL functions, for tests only.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "portability/instr_time.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "document/node.h"
#include "document/reader.h"
#include "document/uri.h"
#include "support/settings.h"
#include "support/value.h"

PG_FUNCTION_INFO_V1(test_document_read);
PG_FUNCTION_INFO_V1(test_document_outline);
PG_FUNCTION_INFO_V1(test_document_time);
PG_FUNCTION_INFO_V1(test_document_limits);
PG_FUNCTION_INFO_V1(test_uri_resolve);
PG_FUNCTION_INFO_V1(test_uri_split);
PG_FUNCTION_INFO_V1(test_uri_defragment);
PG_FUNCTION_INFO_V1(test_uri_encode);
PG_FUNCTION_INFO_V1(test_uri_decode);
PG_FUNCTION_INFO_V1(test_pointer_value);
PG_FUNCTION_INFO_V1(test_pointer_node);
PG_FUNCTION_INFO_V1(test_pointer_append);

static ArazzoNode *read_or_throw(bytea *text);
static void append_outline(StringInfo out, const ArazzoNode *node, int level);

/*
 * test_document_read(bytea) → jsonb: a document's text as jsonb, or the
 * reader's failure as an error.
 */
Datum
test_document_read(PG_FUNCTION_ARGS)
{
	PG_RETURN_JSONB_P(arazzo_node_to_jsonb(read_or_throw(PG_GETARG_BYTEA_PP(0))));
}

static ArazzoNode *
read_or_throw(bytea *text)
{
	ArazzoFailure *failure;
	ArazzoNode *node;

	node = arazzo_reader_read(VARDATA_ANY(text), VARSIZE_ANY_EXHDR(text), &failure);
	if ((node == NULL) != (failure != NULL))
		elog(ERROR, "reader returned neither a tree nor a failure, or both");
	if (node == NULL)
		arazzo_failure_report(failure, ERROR);
	return node;
}

/*
 * test_document_outline(bytea) → text: the tree, a line a node, each with
 * its position, in the order of the text.
 */
Datum
test_document_outline(PG_FUNCTION_ARGS)
{
	StringInfoData out;

	initStringInfo(&out);
	append_outline(&out, read_or_throw(PG_GETARG_BYTEA_PP(0)), 0);
	out.len--;					/* the last line feed */
	PG_RETURN_TEXT_P(cstring_to_text_with_len(out.data, out.len));
}

static void
append_outline(StringInfo out, const ArazzoNode *node, int level)
{
	int			i;

	appendStringInfo(out, "%s at %d:%d", arazzo_node_type_name(node), node->line, node->column);
	if (node->type != NODE_OBJECT && node->type != NODE_ARRAY)
	{
		appendStringInfoChar(out, ' ');
		arazzo_value_append_json(out, arazzo_node_to_value(node));
	}
	appendStringInfoChar(out, '\n');
	for (i = 0; i < node->count && node->type == NODE_ARRAY; i++)
	{
		appendStringInfo(out, "%*s- ", level * 2, "");
		append_outline(out, node->u.items[i], level + 1);
	}
	for (i = 0; i < node->count && node->type == NODE_OBJECT; i++)
	{
		const ArazzoMember *member = &node->u.members[i];

		appendStringInfo(out, "%*s%s (%d:%d): ", level * 2, "", member->key,
						 member->line, member->column);
		append_outline(out, member->value, level + 1);
	}
}

/*
 * test_document_time(bytea, times int) → float8[]: least milliseconds from
 * text to tree, least from tree to jsonb, and the bytes that the memory
 * contexts of the document took.
 */
Datum
test_document_time(PG_FUNCTION_ARGS)
{
	bytea	   *text = PG_GETARG_BYTEA_PP(0);
	int			times = PG_GETARG_INT32(1);
	double		read = 1e9;
	double		convert = 1e9;
	double		bytes = 0;
	Datum		result[3];

	while (times-- > 0)
	{
		MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "test document",
													  ALLOCSET_DEFAULT_SIZES);
		MemoryContext caller = MemoryContextSwitchTo(context);
		instr_time	start;
		instr_time	middle;
		instr_time	end;
		ArazzoNode *node;

		INSTR_TIME_SET_CURRENT(start);
		node = read_or_throw(text);
		INSTR_TIME_SET_CURRENT(middle);
		(void) arazzo_node_to_jsonb(node);
		INSTR_TIME_SET_CURRENT(end);
		INSTR_TIME_SUBTRACT(end, middle);
		INSTR_TIME_SUBTRACT(middle, start);
		read = Min(read, INSTR_TIME_GET_MILLISEC(middle));
		convert = Min(convert, INSTR_TIME_GET_MILLISEC(end));
		bytes = MemoryContextMemAllocated(context, true);
		MemoryContextSwitchTo(caller);
		MemoryContextDelete(context);
	}
	result[0] = Float8GetDatum(read);
	result[1] = Float8GetDatum(convert);
	result[2] = Float8GetDatum(bytes);
	PG_RETURN_ARRAYTYPE_P(construct_array(result, 3, FLOAT8OID, sizeof(float8), FLOAT8PASSBYVAL,
										  TYPALIGN_DOUBLE));
}

/* test_document_limits(kb int, nodes int, depth int): sets the limits. */
Datum
test_document_limits(PG_FUNCTION_ARGS)
{
	arazzo_max_document_kb = PG_GETARG_INT32(0);
	arazzo_max_document_nodes = PG_GETARG_INT32(1);
	arazzo_max_document_depth = PG_GETARG_INT32(2);
	PG_RETURN_VOID();
}

/* test_uri_resolve(base text, reference text) → text */
Datum
test_uri_resolve(PG_FUNCTION_ARGS)
{
	char	   *base = text_to_cstring(PG_GETARG_TEXT_PP(0));
	char	   *reference = text_to_cstring(PG_GETARG_TEXT_PP(1));

	PG_RETURN_TEXT_P(cstring_to_text(arazzo_uri_resolve(base, reference)));
}

/*
 * test_uri_split(text) → text[]: scheme, authority, path, query, fragment;
 * null if it is malformed.
 */
Datum
test_uri_split(PG_FUNCTION_ARGS)
{
	ArazzoUri	uri;
	const char *parts[5];
	Datum		values[5];
	bool		nulls[5];
	int			dimension = 5;
	int			bound = 1;
	int			i;

	if (!arazzo_uri_split(text_to_cstring(PG_GETARG_TEXT_PP(0)), &uri))
		PG_RETURN_NULL();
	parts[0] = uri.scheme;
	parts[1] = uri.authority;
	parts[2] = uri.path;
	parts[3] = uri.query;
	parts[4] = uri.fragment;
	for (i = 0; i < 5; i++)
	{
		nulls[i] = parts[i] == NULL;
		values[i] = nulls[i] ? (Datum) 0 : CStringGetTextDatum(parts[i]);
	}
	PG_RETURN_ARRAYTYPE_P(construct_md_array(values, nulls, 1, &dimension, &bound,
											 TEXTOID, -1, false, TYPALIGN_INT));
}

/* test_uri_defragment(text) → text[]: the URI without its fragment, and that */
Datum
test_uri_defragment(PG_FUNCTION_ARGS)
{
	char	   *fragment;
	char	   *uri = arazzo_uri_defragment(text_to_cstring(PG_GETARG_TEXT_PP(0)), &fragment);
	Datum		values[2];
	bool		nulls[2] = {false, fragment == NULL};
	int			dimension = 2;
	int			bound = 1;

	values[0] = CStringGetTextDatum(uri);
	values[1] = fragment == NULL ? (Datum) 0 : CStringGetTextDatum(fragment);
	PG_RETURN_ARRAYTYPE_P(construct_md_array(values, nulls, 1, &dimension, &bound,
											 TEXTOID, -1, false, TYPALIGN_INT));
}

/* test_uri_encode(text, keep text) → text; keep may be null */
Datum
test_uri_encode(PG_FUNCTION_ARGS)
{
	text	   *data = PG_GETARG_TEXT_PP(0);
	char	   *keep = PG_ARGISNULL(1) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(1));
	StringInfoData out;

	initStringInfo(&out);
	arazzo_uri_encode(&out, VARDATA_ANY(data), VARSIZE_ANY_EXHDR(data), keep);
	PG_RETURN_TEXT_P(cstring_to_text_with_len(out.data, out.len));
}

/* test_uri_decode(text) → text; null if it is malformed */
Datum
test_uri_decode(PG_FUNCTION_ARGS)
{
	text	   *data = PG_GETARG_TEXT_PP(0);
	char	   *decoded = arazzo_uri_decode(VARDATA_ANY(data), VARSIZE_ANY_EXHDR(data));

	if (decoded == NULL)
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(cstring_to_text(decoded));
}

/* test_pointer_value(jsonb, pointer text) → jsonb; null if there is no such place */
Datum
test_pointer_value(PG_FUNCTION_ARGS)
{
	JsonbValue *root = arazzo_value_from_jsonb(PG_GETARG_JSONB_P(0));
	text	   *pointer = PG_GETARG_TEXT_PP(1);
	JsonbValue *value;
	char	  **tokens;
	int			count;

	if (!arazzo_pointer_parse(VARDATA_ANY(pointer), VARSIZE_ANY_EXHDR(pointer), &tokens, &count))
		ereport(ERROR,
				errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
				errmsg("not a JSON Pointer: \"%s\"", text_to_cstring(pointer)));
	value = arazzo_pointer_value(root, tokens, count);
	if (value == NULL)
		PG_RETURN_NULL();
	PG_RETURN_JSONB_P(arazzo_value_to_jsonb(value));
}

/* test_pointer_node(bytea, pointer text) → text: what the tree has there */
Datum
test_pointer_node(PG_FUNCTION_ARGS)
{
	ArazzoNode *root = read_or_throw(PG_GETARG_BYTEA_PP(0));
	text	   *pointer = PG_GETARG_TEXT_PP(1);
	const ArazzoNode *node;
	char	  **tokens;
	int			count;

	if (!arazzo_pointer_parse(VARDATA_ANY(pointer), VARSIZE_ANY_EXHDR(pointer), &tokens, &count))
		PG_RETURN_NULL();
	node = arazzo_pointer_node(root, tokens, count);
	if (node == NULL)
		PG_RETURN_TEXT_P(cstring_to_text(arazzo_node_type_name(NULL)));
	PG_RETURN_TEXT_P(cstring_to_text(psprintf("%s at %d:%d", arazzo_node_type_name(node),
											  node->line, node->column)));
}

/* test_pointer_append(text[]) → text: the tokens as a pointer */
Datum
test_pointer_append(PG_FUNCTION_ARGS)
{
	ArrayType  *array = PG_GETARG_ARRAYTYPE_P(0);
	StringInfoData out;
	Datum	   *tokens;
	int			count;
	int			i;

	initStringInfo(&out);
	deconstruct_array(array, TEXTOID, -1, false, TYPALIGN_INT, &tokens, NULL, &count);
	for (i = 0; i < count; i++)
		arazzo_pointer_append(&out, TextDatumGetCString(tokens[i]));
	PG_RETURN_TEXT_P(cstring_to_text_with_len(out.data, out.len));
}
