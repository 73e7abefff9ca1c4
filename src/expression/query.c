/*-------------------------------------------------------------------------
 *
 * query.c
 *	  JSONPath queries and JSON Pointers as operands of comparisons.
 *
 * Published documents write jsonpath criteria such as "$.status == 'done'",
 * "$.items.length > 0" and "#/name == Rex", which RFC 9535 does not have.
 * Their operands are read here; condition_parse.c reads the rest.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "document/uri.h"
#include "expression/grammar.h"

static int	query_length(const char *text, int length);
static int	skip_brackets(const char *text, int length, int start);
static int	skip_string(const char *text, int length, int start);
static bool is_single(const char *text, int length);
static int	operand_length(const char *text, int length);
static ConditionQuery *scan_pointer(const char *text, int length, ArazzoFailure **failure);
static JsonbValue *counted_value(const ConditionQuery *query, const JsonbValue *context,
								 char **problem);
static JsonbValue *first_value(List *nodes);

ConditionQuery *
arazzo_query_scan(const char *text, int length, int *used, ArazzoFailure **failure)
{
	static const char suffix[] = ".length";
	ConditionQuery *query;
	int			n;

	if (text[0] == '#')
	{
		*used = operand_length(text, length);
		return scan_pointer(text, *used, failure);
	}
	n = *used = query_length(text, length);
	query = palloc0(sizeof(ConditionQuery));
	query->text = pnstrdup(text, n);
	query->single = is_single(text, n);
	query->path = arazzo_jsonpath_parse(text, n, failure);
	if (query->path == NULL)
		return NULL;
	if (n > strlen(suffix) && memcmp(text + n - strlen(suffix), suffix, strlen(suffix)) == 0)
	{
		n -= strlen(suffix);
		query->single = is_single(text, n);
		query->counted = arazzo_jsonpath_parse(text, n, failure);
		if (query->counted == NULL)
			return NULL;
	}
	return query;
}

/*
 * Bytes of a query: "$" and then segments.  Outside of brackets it ends at
 * white space, a parenthesis or an operator's character.
 */
static int
query_length(const char *text, int length)
{
	int			i = 1;

	while (i < length && strchr(" \t\r\n()=!<>&|,'\"", text[i]) == NULL)
	{
		if (text[i] == '[')
			i = skip_brackets(text, length, i);
		else
			i++;
	}
	return i;
}

/* Position after the bracket that closes the one at start. */
static int
skip_brackets(const char *text, int length, int start)
{
	int			depth = 0;
	int			i = start;

	while (i < length)
	{
		char		c = text[i];

		if (c == '\'' || c == '"')
		{
			i = skip_string(text, length, i);
			continue;
		}
		i++;
		if (c == '[')
			depth++;
		else if (c == ']' && --depth == 0)
			break;
	}
	return i;
}

/* Position after the string that begins at start. */
static int
skip_string(const char *text, int length, int start)
{
	int			i = start + 1;

	while (i < length && text[i] != text[start])
		i += text[i] == '\\' ? 2 : 1;
	return Min(i + 1, length);
}

/* Only names and indexes, so that it selects one node at most? */
static bool
is_single(const char *text, int length)
{
	int			i = 0;

	while (i < length)
	{
		if (text[i] == '\'' || text[i] == '"')
		{
			i = skip_string(text, length, i);
			continue;
		}
		if (strchr("*?:,", text[i]) != NULL)
			return false;
		if (text[i] == '.' && i + 1 < length && text[i + 1] == '.')
			return false;
		i++;
	}
	return true;
}

/* Bytes up to white space or an operator, as for a pointer in access.c. */
static int
operand_length(const char *text, int length)
{
	int			i = 0;

	while (i < length && strchr(" \t\r\n)=!<>&|", text[i]) == NULL)
		i++;
	return i;
}

/* "#/a/b": a pointer into the context. */
static ConditionQuery *
scan_pointer(const char *text, int length, ArazzoFailure **failure)
{
	ConditionQuery *query = palloc0(sizeof(ConditionQuery));

	query->text = pnstrdup(text, length);
	query->single = true;
	if (arazzo_pointer_parse(text + 1, length - 1, &query->tokens, &query->token_count))
		return query;
	*failure = arazzo_failure_make(ERRCODE_ARAZZO_EXPRESSION,
								   "malformed JSON Pointer \"%s\"", query->text);
	return NULL;
}

JsonbValue *
arazzo_query_value(const ConditionQuery *query, const JsonbValue *context, char **problem)
{
	List	   *nodes;

	if (context == NULL)
		return NULL;
	if (query->path == NULL)
		return arazzo_pointer_value(context, query->tokens, query->token_count);
	nodes = arazzo_query_nodes(query->path, context, problem);
	if (nodes == NIL && query->counted != NULL)
		return counted_value(query, context, problem);
	if (list_length(nodes) > 1)
	{
		*problem = psprintf("\"%s\" selects more than one value, which cannot be compared",
							query->text);
		return NULL;
	}
	return first_value(nodes);
}

/*
 * ".length" after a query: of a query for one node the length of its array
 * or string, of any other the number of nodes.
 */
static JsonbValue *
counted_value(const ConditionQuery *query, const JsonbValue *context, char **problem)
{
	static const ExpressionAccess length = {"length", ACCESS_LENGTH};
	List	   *nodes = arazzo_query_nodes(query->counted, context, problem);

	if (!query->single)
		return arazzo_value_int64(list_length(nodes));
	return nodes == NIL ? NULL : arazzo_access_value(first_value(nodes), &length, 1);
}

static JsonbValue *
first_value(List *nodes)
{
	return nodes == NIL ? NULL : ((ArazzoJsonPathNode *) linitial(nodes))->value;
}

bool
arazzo_query_truth(const ConditionQuery *query, const JsonbValue *context, char **problem)
{
	if (query->single || query->counted != NULL)
		return arazzo_truth(arazzo_query_value(query, context, problem));
	return context != NULL && arazzo_query_nodes(query->path, context, problem) != NIL;
}

List *
arazzo_query_nodes(const ArazzoJsonPath *path, const JsonbValue *root, char **problem)
{
	MemoryContext context = CurrentMemoryContext;
	List	   *volatile nodes = NIL;

	PG_TRY();
	{
		nodes = arazzo_jsonpath_query(path, root, false);
	}
	PG_CATCH();
	{
		nodes = NIL;
		*problem = arazzo_failure_from_catch(context, "could not evaluate JSONPath query")->message;
	}
	PG_END_TRY();
	return nodes;
}
