/*-------------------------------------------------------------------------
 *
 * access.c
 *	  What follows an expression's root: "#" and a JSON Pointer, ".a", "[0]".
 *
 * In a simple condition "." and "[]" are the standard's own operators; in
 * other places they are taken only with a scope, and reported.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "common/string.h"

#include "document/uri.h"
#include "expression/access.h"

static bool parse_step(ExpressionParser *parser);
static bool parse_property(ExpressionParser *parser);
static int	property_length(const ExpressionParser *parser);
static bool parse_bracket(ExpressionParser *parser);
static bool parse_quoted_name(ExpressionParser *parser);
static bool parse_pointer(ExpressionParser *parser);
static int	pointer_length(const ExpressionParser *parser);
static bool split_pointer(ExpressionParser *parser, const char *text, int length);
static void split_token(ExpressionParser *parser, const char *token);
static bool has_index(const char *token);
static bool is_index_group(const char *text, int length);
static void add_token(ExpressionParser *parser, const char *token);
static void add_access(ExpressionParser *parser, const char *name, int index);
static void add_index(ExpressionParser *parser, const char *digits, int length);
static void mark_length(ExpressionParser *parser);
static const char *root_text(const ArazzoExpression *expression);
static void append_selector(StringInfo out, const ArazzoExpression *expression);
static void append_name_selector(StringInfo query, const char *name);
static void append_scalar(StringInfo out, const char *text);
static bool selects_many(const ArazzoExpression *expression);
static bool counts(const ArazzoExpression *expression);

bool
arazzo_tail_parse(ExpressionParser *parser)
{
	while (parser->position < parser->length && !parser->sealed &&
		   parser->place != PLACE_BARE)
	{
		int			before = parser->position;

		if (!parse_step(parser))
			return false;
		if (parser->position == before)
			break;
	}
	mark_length(parser);
	if (parser->place != PLACE_WHOLE || parser->position == parser->length)
		return true;
	parser->expected = "the end of the expression";
	return false;
}

/* One pointer or access, if one begins here; else the position stays. */
static bool
parse_step(ExpressionParser *parser)
{
	char		c = parser->text[parser->position];
	bool		operators = parser->place == PLACE_CONDITION || parser->scope != NULL;

	if (c == '#')
		return parse_pointer(parser);
	if (c == '/' && parser->content && parser->scope != NULL &&
		parser->pointer == NIL && parser->accesses == NIL)
		return parse_pointer(parser);
	if (c == '.' && operators)
		return parse_property(parser);
	if (c == '[' && operators)
		return parse_bracket(parser);
	return true;
}

/* ".name" */
static bool
parse_property(ExpressionParser *parser)
{
	int			length;

	parser->position++;
	length = property_length(parser);
	parser->expected = "a property name";
	if (length == 0)
		return false;
	add_access(parser, pnstrdup(parser->text + parser->position, length), 0);
	parser->position += length;
	if (parser->place == PLACE_WHOLE)
		parser->nonstandard = true;
	return true;
}

/* Bytes of a property name; where it ends depends on the place. */
static int
property_length(const ExpressionParser *parser)
{
	int			end = parser->position;

	while (end < parser->length)
	{
		char		c = parser->text[end];

		if (!arazzo_name_character(c) && strchr("$@:+", c) == NULL)
			break;
		if (c == '\0')
			break;
		end++;
	}
	return end - parser->position;
}

/* "[0]"; with a scope also "[*]", "[]", "['name']". */
static bool
parse_bracket(ExpressionParser *parser)
{
	const char *start = parser->text + parser->position + 1;
	int			rest = parser->length - parser->position - 1;
	int			length = 0;

	parser->expected = "an index";
	if (rest > 0 && (start[0] == '\'' || start[0] == '"'))
		return parse_quoted_name(parser);
	while (length < rest && start[length] != ']')
		length++;
	if (length == rest || !is_index_group(start, length))
		return false;
	if ((length == 0 || start[0] == '*') && parser->scope == NULL)
		return false;
	if (parser->place == PLACE_WHOLE || length == 0 || start[0] == '*')
		parser->nonstandard = true;
	add_index(parser, start, length);
	parser->position += length + 2;
	return true;
}

/* "['name']" or "[\"name\"]", which has no escapes. */
static bool
parse_quoted_name(ExpressionParser *parser)
{
	const char *start = parser->text + parser->position + 2;
	const char *end = parser->text + parser->length;
	char		quote = start[-1];
	const char *close = memchr(start, quote, end - start);

	if (parser->scope == NULL || close == NULL || close + 1 >= end || close[1] != ']')
		return false;
	add_access(parser, pnstrdup(start, close - start), 0);
	parser->position = close + 2 - parser->text;
	parser->nonstandard = true;
	return true;
}

/*
 * "#" json-pointer.  With a scope also "#key", and "/key" after a body
 * without the "#".
 */
static bool
parse_pointer(ExpressionParser *parser)
{
	bool		hash = parser->text[parser->position] == '#';
	const char *start;
	int			length;

	if (hash)
		parser->position++;
	start = parser->text + parser->position;
	length = pointer_length(parser);
	parser->expected = "a JSON Pointer";
	if (!hash || parser->accesses != NIL)
		parser->nonstandard = true;
	if (length > 0 && start[0] != '/')
	{
		if (parser->scope == NULL)
			return false;
		parser->nonstandard = true;
		start = psprintf("/%.*s", length, start);
		if (!split_pointer(parser, start, length + 1))
			return false;
	}
	else if (!split_pointer(parser, start, length))
		return false;
	parser->position += length;
	parser->sealed = true;
	return true;
}

/*
 * Bytes of a pointer.  Its grammar has nearly every character, so inside a
 * condition it ends at white space, at "<" or ">", where "==", "!=", "&&" or
 * "||" begins, and at a ")" that it did not open.
 */
static int
pointer_length(const ExpressionParser *parser)
{
	int			end = parser->position;
	int			depth = 0;

	if (parser->place == PLACE_WHOLE)
		return parser->length - parser->position;
	for (; end < parser->length; end++)
	{
		char		c = parser->text[end];
		char		next = end + 1 < parser->length ? parser->text[end + 1] : '\0';

		if (isspace((unsigned char) c) || c == '<' || c == '>')
			break;
		if ((c == '=' || c == '&' || c == '|') && next == c)
			break;
		if (c == '!' && next == '=')
			break;
		if (c == '(')
			depth++;
		if (c == ')' && depth-- == 0)
			break;
	}
	return end - parser->position;
}

/* Splits a pointer into tokens; with a scope, "[0]" in it is an index. */
static bool
split_pointer(ExpressionParser *parser, const char *text, int length)
{
	char	  **tokens;
	int			count;
	int			i;

	if (!arazzo_pointer_parse(text, length, &tokens, &count))
		return false;
	for (i = 0; i < count; i++)
	{
		if (parser->scope == NULL || !has_index(tokens[i]))
			add_token(parser, tokens[i]);
		else
			split_token(parser, tokens[i]);
	}
	return true;
}

/* "name[0].other[1]" inside a pointer, as published. */
static void
split_token(ExpressionParser *parser, const char *token)
{
	const char *p = token;

	parser->nonstandard = true;
	while (*p != '\0')
	{
		if (*p == '[')
		{
			const char *close = strchr(p, ']');

			add_index(parser, p + 1, close - p - 1);
			p = close + 1;
		}
		else
		{
			int			length = strcspn(p, ".[");

			if (length > 0)
				add_token(parser, pnstrdup(p, length));
			p += length;
		}
		if (*p == '.')
			p++;
	}
}

/* Are all brackets of a token indexes, and is there one? */
static bool
has_index(const char *token)
{
	const char *p = strchr(token, '[');

	if (p == NULL)
		return false;
	for (; p != NULL; p = strchr(p + 1, '['))
	{
		const char *close = strchr(p, ']');

		if (close == NULL || !is_index_group(p + 1, close - p - 1))
			return false;
		if (close[1] != '\0' && close[1] != '.' && close[1] != '[')
			return false;
	}
	return true;
}

/* Digits of an index, "*" or nothing. */
static bool
is_index_group(const char *text, int length)
{
	if (length == 0 || (length == 1 && text[0] == '*'))
		return true;
	return length <= 9 && strspn(text, "0123456789") >= length;
}

/* A pointer's token, before accesses; a name, after one. */
static void
add_token(ExpressionParser *parser, const char *token)
{
	if (parser->accesses == NIL)
		parser->pointer = lappend(parser->pointer, pstrdup(token));
	else
		add_access(parser, pstrdup(token), 0);
}

static void
add_access(ExpressionParser *parser, const char *name, int index)
{
	ExpressionAccess *access = palloc(sizeof(ExpressionAccess));

	access->name = name;
	access->index = index;
	parser->accesses = lappend(parser->accesses, access);
}

static void
add_index(ExpressionParser *parser, const char *digits, int length)
{
	if (length == 0 || digits[0] == '*')
		add_access(parser, NULL, ACCESS_EVERY);
	else
		add_access(parser, NULL, strtoint(pnstrdup(digits, length), NULL, 10));
}

/* With a scope, a last ".length" is also the length of an array or string. */
static void
mark_length(ExpressionParser *parser)
{
	ExpressionAccess *last;

	if (parser->accesses == NIL || parser->scope == NULL)
		return;
	last = llast(parser->accesses);
	if (last->name == NULL || strcmp(last->name, "length") != 0)
		return;
	last->index = ACCESS_LENGTH;
	parser->nonstandard = true;
}

char *
arazzo_expression_standard(const ArazzoExpression *expression)
{
	StringInfoData out;
	int			i;

	initStringInfo(&out);
	if (counts(expression))
		return NULL;
	if (selects_many(expression))
	{
		append_selector(&out, expression);
		return out.data;
	}
	appendStringInfoString(&out, root_text(expression));
	if (expression->pointer_count > 0 ||
		(expression->access_count > 0 && expression->accesses[0].index != ACCESS_EVERY))
		appendStringInfoChar(&out, '#');
	for (i = 0; i < expression->pointer_count; i++)
		arazzo_pointer_append(&out, expression->pointer[i]);
	for (i = 0; i < expression->access_count; i++)
	{
		const ExpressionAccess *access = &expression->accesses[i];

		if (access->name != NULL)
			arazzo_pointer_append(&out, access->name);
		else if (access->index >= 0)
			appendStringInfo(&out, "/%d", access->index);
	}
	return out.data;
}

/* Is there a "[*]" with something after it? */
static bool
selects_many(const ArazzoExpression *expression)
{
	int			i;

	for (i = 0; i + 1 < expression->access_count; i++)
	{
		if (expression->accesses[i].index == ACCESS_EVERY)
			return true;
	}
	return false;
}

/* Does it end in ".length", which only a jsonpath criterion can say? */
static bool
counts(const ArazzoExpression *expression)
{
	return expression->access_count > 0 &&
		expression->accesses[expression->access_count - 1].index == ACCESS_LENGTH;
}

/* A root with its names, in the standard's spelling. */
static const char *
root_text(const ArazzoExpression *expression)
{
	static const char *const formats[] = {
		[ROOT_URL] = "$url",
		[ROOT_METHOD] = "$method",
		[ROOT_STATUS_CODE] = "$statusCode",
		[ROOT_REQUEST_HEADER] = "$request.header.",
		[ROOT_REQUEST_QUERY] = "$request.query.",
		[ROOT_REQUEST_PATH] = "$request.path.",
		[ROOT_REQUEST_BODY] = "$request.body",
		[ROOT_RESPONSE_HEADER] = "$response.header.",
		[ROOT_RESPONSE_QUERY] = "$response.query.",
		[ROOT_RESPONSE_PATH] = "$response.path.",
		[ROOT_RESPONSE_BODY] = "$response.body",
		[ROOT_MESSAGE_HEADER] = "$message.header.",
		[ROOT_MESSAGE_PAYLOAD] = "$message.payload",
		[ROOT_INPUTS] = "$inputs.",
		[ROOT_OUTPUTS] = "$outputs.",
		[ROOT_STEPS] = "$steps.",
		[ROOT_WORKFLOWS_INPUTS] = "$workflows.",
		[ROOT_WORKFLOWS_OUTPUTS] = "$workflows.",
		[ROOT_SOURCE_DESCRIPTIONS] = "$sourceDescriptions.",
		[ROOT_COMPONENTS] = "$components.",
		[ROOT_SELF] = "$self",
	};
	const char *between = expression->root == ROOT_WORKFLOWS_INPUTS ? ".inputs." :
		expression->root == ROOT_STEPS || expression->root == ROOT_WORKFLOWS_OUTPUTS ?
		".outputs." : ".";

	return psprintf("%s%s%s%s", formats[expression->root],
					expression->name ? expression->name : "",
					expression->field ? between : "",
					expression->field ? expression->field : "");
}

/* What only a Selector Object can say. */
static void
append_selector(StringInfo out, const ArazzoExpression *expression)
{
	StringInfoData query;
	int			i;

	initStringInfo(&query);
	appendStringInfoChar(&query, '$');
	for (i = 0; i < expression->pointer_count; i++)
		append_name_selector(&query, expression->pointer[i]);
	for (i = 0; i < expression->access_count; i++)
	{
		const ExpressionAccess *access = &expression->accesses[i];

		if (access->name != NULL)
			append_name_selector(&query, access->name);
		else if (access->index == ACCESS_EVERY)
			appendStringInfoString(&query, "[*]");
		else
			appendStringInfo(&query, "[%d]", access->index);
	}
	appendStringInfoString(out, "{context: ");
	append_scalar(out, root_text(expression));
	appendStringInfoString(out, ", selector: ");
	arazzo_value_append_json_string(out, query.data, query.len);
	appendStringInfoString(out, ", type: jsonpath}");
}

/* RFC 9535, 2.3.1.1, in single quotes. */
static void
append_name_selector(StringInfo query, const char *name)
{
	appendStringInfoString(query, "['");
	for (; *name != '\0'; name++)
	{
		if ((unsigned char) *name < ' ')
			appendStringInfo(query, "\\u%04x", *name);
		else
		{
			if (*name == '\'' || *name == '\\')
				appendStringInfoChar(query, '\\');
			appendStringInfoChar(query, *name);
		}
	}
	appendStringInfoString(query, "']");
}

/* A text as a scalar of YAML: in quotes unless it is plain anywhere. */
static void
append_scalar(StringInfo out, const char *text)
{
	const char *c = text;

	while (*c == '$' || *c == '.' || arazzo_name_character(*c))
		c++;
	if (*c == '\0')
		appendStringInfoString(out, text);
	else
		arazzo_value_append_json_string(out, text, strlen(text));
}
