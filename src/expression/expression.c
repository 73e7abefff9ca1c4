/*-------------------------------------------------------------------------
 *
 * expression.c
 *	  Parser of runtime expressions.
 *
 * A descent over the grammar of Arazzo 1.1.0, Runtime Expressions.  Names
 * come first: with a scope, the longest declared name is taken whole,
 * whatever characters it holds, and only what follows it is split into
 * accesses.  Forms that the grammar does not have but that have one meaning
 * are taken only with a scope, and each is reported with the standard way to
 * write it.  Nothing here throws for a bad text.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "expression/access.h"

/* Longest name that is looked up whole. */
#define MAX_NAME_LENGTH 512

/* How much of a text a message quotes. */
#define MAX_QUOTED 200

typedef struct RootRule
{
	const char *prefix;
	ExpressionRoot root;
	bool		(*parse) (ExpressionParser *parser);
} RootRule;

typedef struct SourceRule
{
	const char *word;
	bool		(*parse) (ExpressionParser *parser);
	bool		standard;
	int			request;		/* ExpressionRoot, or -1 when there is none */
	int			response;
	int			message;
} SourceRule;

static const RootRule *find_rule(const char *text, int length);
static bool parse_plain(ExpressionParser *parser);
static bool parse_source(ExpressionParser *parser);
static bool parse_token(ExpressionParser *parser);
static bool parse_free_name(ExpressionParser *parser);
static bool parse_content(ExpressionParser *parser);
static bool parse_named(ExpressionParser *parser);
static bool parse_steps(ExpressionParser *parser);
static bool parse_short_step(ExpressionParser *parser);
static bool parse_workflows(ExpressionParser *parser);
static bool parse_source_descriptions(ExpressionParser *parser);
static bool parse_components(ExpressionParser *parser);
static bool parse_field(ExpressionParser *parser);
static int	step_length(ExpressionParser *parser);
static int	declared_length(ExpressionParser *parser, const char *step, int step_length);
static bool name_may_end(const ExpressionParser *parser, int at);
static int	identifier_length(const ExpressionParser *parser, bool dots);
static int	free_length(const ExpressionParser *parser);
static void keep_name(ExpressionParser *parser, int length);
static void note_name(ExpressionParser *parser, const char *name);
static ArazzoExpression *finish(ExpressionParser *parser);
static void report_accepted(ExpressionParser *parser);
static ArazzoFailure *malformed(const ExpressionParser *parser);

static const RootRule root_rules[] = {
	{"$url", ROOT_URL, parse_plain},
	{"$method", ROOT_METHOD, parse_plain},
	{"$statusCode", ROOT_STATUS_CODE, parse_plain},
	{"$self", ROOT_SELF, parse_plain},
	{"$request.", ROOT_REQUEST_BODY, parse_source},
	{"$response.", ROOT_RESPONSE_BODY, parse_source},
	{"$message.", ROOT_MESSAGE_PAYLOAD, parse_source},
	{"$inputs.", ROOT_INPUTS, parse_named},
	{"$outputs.", ROOT_OUTPUTS, parse_named},
	{"$steps.", ROOT_STEPS, parse_steps},
	{"$workflows.", ROOT_WORKFLOWS_OUTPUTS, parse_workflows},
	{"$sourceDescriptions.", ROOT_SOURCE_DESCRIPTIONS, parse_source_descriptions},
	{"$components.", ROOT_COMPONENTS, parse_components},
	{0}
};

static const SourceRule source_rules[] = {
	{"header.", parse_token, true, ROOT_REQUEST_HEADER, ROOT_RESPONSE_HEADER, ROOT_MESSAGE_HEADER},
	{"headers.", parse_token, false, ROOT_REQUEST_HEADER, ROOT_RESPONSE_HEADER, ROOT_MESSAGE_HEADER},
	{"query.", parse_free_name, true, ROOT_REQUEST_QUERY, ROOT_RESPONSE_QUERY, -1},
	{"path.", parse_free_name, true, ROOT_REQUEST_PATH, ROOT_RESPONSE_PATH, -1},
	{"body", parse_content, true, ROOT_REQUEST_BODY, ROOT_RESPONSE_BODY, ROOT_MESSAGE_PAYLOAD},
	{"payload", parse_content, true, ROOT_REQUEST_BODY, ROOT_RESPONSE_BODY, ROOT_MESSAGE_PAYLOAD},
	{0}
};

bool
arazzo_expression_is_whole(const char *text, int length)
{
	const RootRule *rule = find_rule(text, length);

	if (rule == NULL)
		return false;
	return rule->parse != parse_plain || length == strlen(rule->prefix);
}

ArazzoExpression *
arazzo_expression_parse(const char *text, int length,
						const ExpressionScope *scope, ArazzoFailure **failure)
{
	int			used;

	return arazzo_expression_scan(text, length, PLACE_WHOLE, scope, &used, failure);
}

ArazzoExpression *
arazzo_expression_scan(const char *text, int length, ExpressionPlace place,
					   const ExpressionScope *scope, int *used,
					   ArazzoFailure **failure)
{
	ExpressionParser parser = {0};
	const RootRule *rule = find_rule(text, length);

	parser.text = text;
	parser.length = length;
	parser.place = place;
	parser.scope = scope;
	parser.result = palloc0(sizeof(ArazzoExpression));
	parser.result->slot = -1;
	parser.expected = "a runtime expression such as $inputs.name";
	if (rule != NULL)
	{
		parser.result->root = rule->root;
		parser.position = strlen(rule->prefix);
		if (rule->parse(&parser) && arazzo_tail_parse(&parser))
		{
			*used = parser.position;
			return finish(&parser);
		}
	}
	*failure = malformed(&parser);
	return NULL;
}

/* The rule whose root the text begins with, or NULL. */
static const RootRule *
find_rule(const char *text, int length)
{
	const RootRule *rule;

	if (length == 0 || text[0] != '$')
		return NULL;
	for (rule = root_rules; rule->prefix != NULL; rule++)
	{
		int			n = strlen(rule->prefix);

		if (length < n || memcmp(text, rule->prefix, n) != 0)
			continue;
		if (rule->parse != parse_plain || length == n || !arazzo_name_character(text[n]))
			return rule;
	}
	return NULL;
}

bool
arazzo_name_character(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
		(c >= '0' && c <= '9') || c == '-' || c == '_' || IS_HIGHBIT_SET(c);
}

/* "$url", "$method", "$statusCode", "$self": nothing follows. */
static bool
parse_plain(ExpressionParser *parser)
{
	return true;
}

/* source = header-reference / query-reference / path-reference / ... */
static bool
parse_source(ExpressionParser *parser)
{
	ExpressionRoot base = parser->result->root;
	const SourceRule *rule;

	parser->expected = base == ROOT_MESSAGE_PAYLOAD ?
		"\"header.\" or \"payload\"" :
		"\"header.\", \"query.\", \"path.\" or \"body\"";
	for (rule = source_rules; rule->word != NULL; rule++)
	{
		int			n = strlen(rule->word);
		int			root = base == ROOT_REQUEST_BODY ? rule->request :
			base == ROOT_RESPONSE_BODY ? rule->response : rule->message;

		if (root < 0 || parser->length - parser->position < n ||
			memcmp(parser->text + parser->position, rule->word, n) != 0)
			continue;
		if (!rule->standard && parser->scope == NULL)
			continue;
		parser->result->root = root;
		parser->position += n;
		if (!rule->standard)
			parser->nonstandard = true;
		return rule->parse(parser);
	}
	return false;
}

/*
 * header-reference: a token of RFC 9110.  It may hold "!", "&" and "|", so
 * inside a condition it also ends where "!=", "&&" or "||" begins.
 */
static bool
parse_token(ExpressionParser *parser)
{
	int			end = parser->position;

	while (end < parser->length)
	{
		char		c = parser->text[end];
		char		next = end + 1 < parser->length ? parser->text[end + 1] : '\0';

		if (!isalnum((unsigned char) c) && strchr("!#$%&'*+-.^_`|~", c) == NULL)
			break;
		if (c == '\0' || IS_HIGHBIT_SET(c))
			break;
		if (parser->place == PLACE_CONDITION &&
			((c == '!' && next == '=') || (c == '&' && next == '&') ||
			 (c == '|' && next == '|')))
			break;
		end++;
	}
	parser->expected = "a header name";
	if (end == parser->position)
		return false;
	keep_name(parser, end - parser->position);
	parser->sealed = true;
	return true;
}

/* query-reference and path-reference: a name of any characters. */
static bool
parse_free_name(ExpressionParser *parser)
{
	int			length = free_length(parser);

	parser->expected = "a parameter name";
	if (length == 0)
		return false;
	keep_name(parser, length);
	parser->sealed = true;
	return true;
}

/* body-reference and payload-reference; the tail holds the pointer. */
static bool
parse_content(ExpressionParser *parser)
{
	parser->content = true;
	return true;
}

/* inputs-reference and outputs-reference. */
static bool
parse_named(ExpressionParser *parser)
{
	int			length = declared_length(parser, NULL, 0);

	parser->expected = parser->place == PLACE_BARE ? "a declared name" : "a name";
	if (length == 0 && parser->place != PLACE_BARE)
		length = identifier_length(parser, true);
	if (length == 0)
		return false;
	keep_name(parser, length);
	note_name(parser, parser->result->name);
	return true;
}

/* steps-reference = step-id ".outputs." output-name [ "#" json-pointer ] */
static bool
parse_steps(ExpressionParser *parser)
{
	int			length = step_length(parser);
	const char *step = parser->text + parser->position;

	parser->expected = "a step id, \".outputs.\" and the name of an output";
	if (length == 0)
		return parse_short_step(parser);
	keep_name(parser, length);
	note_name(parser, parser->result->name);
	parser->position += strlen(".outputs.");
	length = declared_length(parser, step, length);
	if (length == 0 && parser->place != PLACE_BARE)
		length = identifier_length(parser, true);
	parser->expected = "the name of an output";
	if (length == 0)
		return false;
	parser->result->field = pnstrdup(parser->text + parser->position, length);
	parser->position += length;
	note_name(parser, parser->result->field);
	return true;
}

/*
 * Bytes of the step id before ".outputs.": the first that is a declared
 * step, else the first that is an identifier, else 0.
 */
static int
step_length(ExpressionParser *parser)
{
	const char *start = parser->text + parser->position;
	int			limit = Min(parser->length - parser->position, MAX_NAME_LENGTH);
	const ExpressionScope *scope = parser->scope;
	int			strict = identifier_length(parser, false);
	int			undeclared = 0;
	int			n;

	for (n = 1; n + 9 < limit; n++)
	{
		if (start[n] != '.' || memcmp(start + n, ".outputs.", 9) != 0)
			continue;
		if (scope == NULL || scope->declared == NULL)
			return n == strict ? n : 0;
		if (scope->declared(scope->owner, ROOT_STEPS, start, n, NULL, 0))
			return n;
		if (n == strict && parser->place != PLACE_BARE)
			undeclared = n;
	}
	return undeclared;
}

/* "$steps.a.b", without ".outputs", where b is a declared output of a. */
static bool
parse_short_step(ExpressionParser *parser)
{
	const ExpressionScope *scope = parser->scope;
	const char *start = parser->text + parser->position;
	int			step = identifier_length(parser, false);
	int			field;

	if (scope == NULL || scope->declared == NULL || parser->place == PLACE_BARE ||
		step == 0 || parser->position + step >= parser->length || start[step] != '.' ||
		!scope->declared(scope->owner, ROOT_STEPS, start, step, NULL, 0))
		return false;
	parser->position += step + 1;
	field = declared_length(parser, start, step);
	if (field == 0)
		return false;
	parser->result->name = pnstrdup(start, step);
	parser->result->field = pnstrdup(parser->text + parser->position, field);
	parser->position += field;
	parser->nonstandard = true;
	return true;
}

/* workflows-reference = workflow-id "." workflow-field "." name ... */
static bool
parse_workflows(ExpressionParser *parser)
{
	static const char *const fields[] = {".inputs.", ".outputs."};
	int			length = identifier_length(parser, false);
	int			rest = parser->length - parser->position - length;
	const char *after = parser->text + parser->position + length;
	int			i;

	parser->expected = "a workflow id, \".inputs.\" or \".outputs.\" and a name";
	for (i = 0; i < 2; i++)
	{
		int			n = strlen(fields[i]);

		if (length == 0 || rest <= n || memcmp(after, fields[i], n) != 0)
			continue;
		keep_name(parser, length);
		parser->position += n;
		parser->result->root = i == 0 ? ROOT_WORKFLOWS_INPUTS : ROOT_WORKFLOWS_OUTPUTS;
		return parse_field(parser);
	}
	return false;
}

/* The input or output of a workflow that is already named. */
static bool
parse_field(ExpressionParser *parser)
{
	int			length = declared_length(parser, parser->result->name,
										 strlen(parser->result->name));

	if (length == 0)
		length = identifier_length(parser, true);
	if (length == 0)
		return false;
	parser->result->field = pnstrdup(parser->text + parser->position, length);
	parser->position += length;
	note_name(parser, parser->result->field);
	return true;
}

/* source-reference = source-name "." source-reference-id */
static bool
parse_source_descriptions(ExpressionParser *parser)
{
	int			length = identifier_length(parser, false);

	parser->expected = "a source description's name, \".\" and a reference";
	if (length == 0 || parser->position + length >= parser->length ||
		parser->text[parser->position + length] != '.')
		return false;
	keep_name(parser, length);
	parser->position++;
	length = free_length(parser);
	if (length == 0)
		return false;
	parser->result->field = pnstrdup(parser->text + parser->position, length);
	parser->position += length;
	parser->sealed = true;
	return true;
}

/* components-reference = component-type "." component-name */
static bool
parse_components(ExpressionParser *parser)
{
	int			length = identifier_length(parser, false);

	parser->expected = "a component type, \".\" and a name";
	if (length == 0 || parser->position + length >= parser->length ||
		parser->text[parser->position + length] != '.')
		return false;
	keep_name(parser, length);
	parser->position++;
	length = identifier_length(parser, true);
	if (length == 0)
		return false;
	parser->result->field = pnstrdup(parser->text + parser->position, length);
	parser->position += length;
	return true;
}

/* Bytes of the longest declared name at the position, or 0. */
static int
declared_length(ExpressionParser *parser, const char *step, int step_length)
{
	const ExpressionScope *scope = parser->scope;
	const char *start = parser->text + parser->position;
	int			n;

	if (scope == NULL || scope->declared == NULL)
		return 0;
	for (n = Min(parser->length - parser->position, MAX_NAME_LENGTH); n > 0; n--)
	{
		bool		declared;

		if (!name_may_end(parser, parser->position + n))
			continue;
		if (step == NULL)
			declared = scope->declared(scope->owner, parser->result->root, start, n, NULL, 0);
		else
			declared = scope->declared(scope->owner, parser->result->root,
									   step, step_length, start, n);
		if (declared)
			return n;
	}
	return 0;
}

/* Could a name end here, by what follows it? */
static bool
name_may_end(const ExpressionParser *parser, int at)
{
	char		c;

	if (at >= parser->length)
		return true;
	c = parser->text[at];
	if (parser->place == PLACE_BARE)
		return !arazzo_name_character(c);
	if (c == '.' || c == '[' || c == '#')
		return true;
	return parser->place == PLACE_CONDITION && strchr(" \t\r\n=!<>&|)", c) != NULL;
}

/* identifier-strict, or identifier with dots in it (Arazzo 1.1.0). */
static int
identifier_length(const ExpressionParser *parser, bool dots)
{
	int			end = parser->position;

	while (end < parser->length && !IS_HIGHBIT_SET(parser->text[end]) &&
		   (arazzo_name_character(parser->text[end]) || (dots && parser->text[end] == '.')))
		end++;
	return end - parser->position;
}

/*
 * name = *( CHAR ): all that is left, without braces.  Inside a condition it
 * ends at white space, a parenthesis, a quote or an operator's character.
 */
static int
free_length(const ExpressionParser *parser)
{
	int			end = parser->position;

	while (end < parser->length)
	{
		char		c = parser->text[end];

		if (c == '{' || c == '}' || c == '\0')
			break;
		if (parser->place == PLACE_CONDITION && strchr(" \t\r\n()'\"=!<>&|", c) != NULL)
			break;
		end++;
	}
	return end - parser->position;
}

/* Takes the next bytes as the expression's name. */
static void
keep_name(ExpressionParser *parser, int length)
{
	parser->result->name = pnstrdup(parser->text + parser->position, length);
	parser->position += length;
}

/* Notes a declared name that the grammar has no spelling for. */
static void
note_name(ExpressionParser *parser, const char *name)
{
	const char *p;

	for (p = name; *p != '\0'; p++)
	{
		if (IS_HIGHBIT_SET(*p) || (!arazzo_name_character(*p) && *p != '.'))
			parser->odd_name = true;
	}
}

/* The finished expression, reported to the scope. */
static ArazzoExpression *
finish(ExpressionParser *parser)
{
	ArazzoExpression *result = parser->result;
	const ExpressionScope *scope = parser->scope;
	ListCell   *cell;
	int			i = 0;

	result->text = pnstrdup(parser->text, parser->position);
	result->pointer_count = list_length(parser->pointer);
	result->pointer = palloc(sizeof(char *) * Max(result->pointer_count, 1));
	foreach(cell, parser->pointer)
		result->pointer[i++] = lfirst(cell);
	i = 0;
	result->access_count = list_length(parser->accesses);
	result->accesses = palloc(sizeof(ExpressionAccess) * Max(result->access_count, 1));
	foreach(cell, parser->accesses)
		result->accesses[i++] = *(ExpressionAccess *) lfirst(cell);
	report_accepted(parser);
	if (scope != NULL && scope->parsed != NULL)
		scope->parsed(scope->owner, result);
	return result;
}

/* Tells the scope about a form that the standard does not have. */
static void
report_accepted(ExpressionParser *parser)
{
	const ExpressionScope *scope = parser->scope;

	if (scope == NULL || scope->accepted == NULL || parser->place == PLACE_BARE)
		return;
	if (parser->nonstandard)
		scope->accepted(scope->owner, parser->result->text,
						arazzo_expression_standard(parser->result));
	else if (parser->odd_name)
		scope->accepted(scope->owner, parser->result->text, NULL);
}

/* The failure of a text that is no expression. */
static ArazzoFailure *
malformed(const ExpressionParser *parser)
{
	int			shown = pg_mbcliplen(parser->text, parser->length, MAX_QUOTED);

	return arazzo_failure_make(ERRCODE_ARAZZO_EXPRESSION,
							   "malformed runtime expression \"%.*s\": expected %s at character %d",
							   shown, parser->text, parser->expected,
							   pg_mbstrlen_with_len(parser->text, parser->position) + 1);
}
