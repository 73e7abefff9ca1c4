/*-------------------------------------------------------------------------
 *
 * condition_parse.c
 *	  Parser of simple conditions.
 *
 *		or         = and *( "||" and )
 *		and        = equality *( "&&" equality )
 *		equality   = relation *( ( "==" / "!=" ) relation )
 *		relation   = unary *( ( "<" / "<=" / ">" / ">=" ) unary )
 *		unary      = "!" unary / "(" or ")" / literal / expression
 *
 * which is the table of operators of Arazzo 1.0.1 and 1.1.0 (Criterion
 * Object) with the precedence they have in the languages they are taken
 * from; "." and "[]" belong to the expression they follow.  Where an
 * expression ends is told in expression.c and access.c.
 *
 * With a scope, strings in double quotes, a word without quotes as right
 * operand ("== application/json"), "$body.x" and "{$inputs.x}" are taken
 * too, each reported with the standard way to write it.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "mb/pg_wchar.h"
#include "miscadmin.h"

#include "expression/grammar.h"

/* Nesting of parentheses and "!", links of a chain of comparisons. */
#define MAX_CONDITION_DEPTH 200

typedef struct ConditionParser
{
	const char *text;
	int			length;
	int			position;
	int			depth;
	bool		queries;		/* JSONPath queries are operands */
	bool		right;			/* reading the right side of a comparison */
	const ExpressionScope *scope;
	ArazzoFailure *failure;
} ConditionParser;

static ArazzoCondition *parse_or(ConditionParser *parser);
static ArazzoCondition *parse_and(ConditionParser *parser);
static ArazzoCondition *parse_list(ConditionParser *parser, ConditionKind kind,
								   const char *operator,
								   ArazzoCondition *(*parse_part) (ConditionParser *));
static ArazzoCondition *parse_equality(ConditionParser *parser);
static ArazzoCondition *parse_relation(ConditionParser *parser);
static bool take_relation(ConditionParser *parser, ConditionOperator *operator);
static ArazzoCondition *parse_unary(ConditionParser *parser);
static ArazzoCondition *parse_not(ConditionParser *parser);
static ArazzoCondition *parse_group(ConditionParser *parser);
static ArazzoCondition *parse_operand(ConditionParser *parser);
static ArazzoCondition *parse_string(ConditionParser *parser);
static bool string_end(const ConditionParser *parser, int *end);
static char *unquote_single(const char *text, int length);
static char *unquote_double(const char *text, int length);
static ArazzoCondition *make_string(ConditionParser *parser, const char *string);
static ArazzoCondition *parse_expression(ConditionParser *parser);
static ArazzoCondition *parse_braced(ConditionParser *parser);
static ArazzoCondition *parse_short_body(ConditionParser *parser);
static ArazzoCondition *parse_query(ConditionParser *parser);
static bool query_begins(const ConditionParser *parser);
static ArazzoCondition *parse_word(ConditionParser *parser);
static ArazzoCondition *parse_bare_word(ConditionParser *parser);
static bool in_bare_word(const ConditionParser *parser, int position);
static bool is_bare_word(const char *word);
static JsonbValue *keyword_value(const char *word, int length, bool any_case);
static int	word_length(const ConditionParser *parser);
static ArazzoCondition *make_node(ConditionKind kind);
static ArazzoCondition *make_literal(JsonbValue *value);
static void skip_space(ConditionParser *parser);
static bool take(ConditionParser *parser, const char *operator);
static bool at(const ConditionParser *parser, const char *token);
static bool deeper(ConditionParser *parser);
static void accepted(ConditionParser *parser, int start, const char *standard);
static ArazzoCondition *expected(ConditionParser *parser, const char *what);

ArazzoCondition *
arazzo_condition_parse(const char *text, int length, const ExpressionScope *scope,
					   ArazzoFailure **failure)
{
	return arazzo_condition_scan(text, length, false, scope, failure);
}

ArazzoCondition *
arazzo_condition_scan(const char *text, int length, bool queries,
					  const ExpressionScope *scope, ArazzoFailure **failure)
{
	ConditionParser parser = {0};
	ArazzoCondition *condition;

	parser.text = text;
	parser.length = length;
	parser.queries = queries;
	parser.scope = scope;
	condition = parse_or(&parser);
	skip_space(&parser);
	if (condition != NULL && parser.position < length)
		condition = expected(&parser, "an operator or the end");
	if (condition == NULL)
		*failure = parser.failure;
	return condition;
}

static ArazzoCondition *
parse_or(ConditionParser *parser)
{
	return parse_list(parser, CONDITION_OR, "||", parse_and);
}

static ArazzoCondition *
parse_and(ConditionParser *parser)
{
	return parse_list(parser, CONDITION_AND, "&&", parse_equality);
}

/* Parts joined by one operator, flat, so that a long list is not deep. */
static ArazzoCondition *
parse_list(ConditionParser *parser, ConditionKind kind, const char *operator,
		   ArazzoCondition *(*parse_part) (ConditionParser *))
{
	ArazzoCondition *part = parse_part(parser);
	ArazzoCondition *list = NULL;

	while (part != NULL && take(parser, operator))
	{
		if (list == NULL)
		{
			list = make_node(kind);
			list->operands = list_make1(part);
		}
		part = parse_part(parser);
		list->operands = lappend(list->operands, part);
	}
	return part == NULL || list == NULL ? part : list;
}

static ArazzoCondition *
parse_equality(ConditionParser *parser)
{
	ArazzoCondition *left = parse_relation(parser);
	int			depth = parser->depth;

	while (left != NULL && (at(parser, "==") || at(parser, "!=")))
	{
		ArazzoCondition *node = make_node(CONDITION_COMPARE);
		bool		right = parser->right;

		node->operator = take(parser, "==") ? OPERATOR_EQUAL : OPERATOR_NOT_EQUAL;
		if (node->operator == OPERATOR_NOT_EQUAL)
			(void) take(parser, "!=");
		node->left = left;
		parser->right = true;
		node->right = deeper(parser) ? parse_relation(parser) : NULL;
		parser->right = right;
		left = node->right != NULL ? node : NULL;
	}
	parser->depth = depth;
	return left;
}

static ArazzoCondition *
parse_relation(ConditionParser *parser)
{
	ArazzoCondition *left = parse_unary(parser);
	ConditionOperator operator;
	int			depth = parser->depth;

	while (left != NULL && take_relation(parser, &operator))
	{
		ArazzoCondition *node = make_node(CONDITION_COMPARE);
		bool		right = parser->right;

		node->operator = operator;
		node->left = left;
		parser->right = true;
		node->right = deeper(parser) ? parse_unary(parser) : NULL;
		parser->right = right;
		left = node->right != NULL ? node : NULL;
	}
	parser->depth = depth;
	return left;
}

static bool
take_relation(ConditionParser *parser, ConditionOperator *operator)
{
	if (take(parser, "<="))
		*operator = OPERATOR_LESS_EQUAL;
	else if (take(parser, ">="))
		*operator = OPERATOR_GREATER_EQUAL;
	else if (take(parser, "<"))
		*operator = OPERATOR_LESS;
	else if (take(parser, ">"))
		*operator = OPERATOR_GREATER;
	else
		return false;
	return true;
}

static ArazzoCondition *
parse_unary(ConditionParser *parser)
{
	skip_space(parser);
	if (at(parser, "!") && !at(parser, "!="))
		return parse_not(parser);
	if (at(parser, "("))
		return parse_group(parser);
	return parse_operand(parser);
}

static ArazzoCondition *
parse_not(ConditionParser *parser)
{
	ArazzoCondition *node = make_node(CONDITION_NOT);

	parser->position++;
	if (!deeper(parser))
		return NULL;
	node->left = parse_unary(parser);
	parser->depth--;
	return node->left != NULL ? node : NULL;
}

static ArazzoCondition *
parse_group(ConditionParser *parser)
{
	ArazzoCondition *inside;
	bool		right = parser->right;

	parser->position++;
	if (!deeper(parser))
		return NULL;
	parser->right = false;
	inside = parse_or(parser);
	parser->right = right;
	parser->depth--;
	if (inside != NULL && !take(parser, ")"))
		return expected(parser, "\")\"");
	return inside;
}

/* A literal or an expression. */
static ArazzoCondition *
parse_operand(ConditionParser *parser)
{
	if (parser->position >= parser->length)
		return expected(parser, "an operand");
	if (parser->queries && query_begins(parser))
		return parse_query(parser);
	switch (parser->text[parser->position])
	{
		case '$':
			return parse_expression(parser);
		case '{':
			return parse_braced(parser);
		case '\'':
		case '"':
			return parse_string(parser);
		default:
			return parse_word(parser);
	}
}

/* A string literal; one in double quotes needs a scope. */
static ArazzoCondition *
parse_string(ConditionParser *parser)
{
	int			start = parser->position;
	char		quote = parser->text[start];
	int			end;
	char	   *string;

	if (quote == '"' && parser->scope == NULL && !parser->queries)
		return expected(parser, "an operand (strings stand in single quotes)");
	if (!string_end(parser, &end))
		return expected(parser, "a closing quote");
	if (quote == '\'')
		string = unquote_single(parser->text + start + 1, end - start - 1);
	else
		string = unquote_double(parser->text + start + 1, end - start - 1);
	parser->position = end + 1;
	if (quote == '"' && !parser->queries)
	{
		StringInfoData standard;
		char	   *p;

		initStringInfo(&standard);
		appendStringInfoChar(&standard, '\'');
		for (p = string; *p != '\0'; p++)
			appendStringInfo(&standard, *p == '\'' ? "''" : "%c", *p);
		appendStringInfoChar(&standard, '\'');
		accepted(parser, start, standard.data);
	}
	return make_string(parser, string);
}

/* Where the closing quote is: '' does not close, nor does \". */
static bool
string_end(const ConditionParser *parser, int *end)
{
	char		quote = parser->text[parser->position];
	int			i = parser->position + 1;

	for (; i < parser->length; i++)
	{
		if (quote == '"' && parser->text[i] == '\\')
			i++;
		else if (parser->text[i] == quote)
		{
			if (quote == '"' || i + 1 >= parser->length || parser->text[i + 1] != quote)
			{
				*end = i;
				return true;
			}
			i++;
		}
	}
	return false;
}

static char *
unquote_single(const char *text, int length)
{
	StringInfoData out;
	int			i;

	initStringInfo(&out);
	for (i = 0; i < length; i++)
	{
		appendStringInfoChar(&out, text[i]);
		if (text[i] == '\'')
			i++;
	}
	return out.data;
}

/* A JSON string's content, or, if it is none, the text as it stands. */
static char *
unquote_double(const char *text, int length)
{
	ArazzoFailure *ignored = NULL;
	char	   *quoted = psprintf("\"%.*s\"", length, text);
	JsonbValue *value;

	if (memchr(text, '\\', length) == NULL)
		return pnstrdup(text, length);
	value = arazzo_value_parse_json(quoted, strlen(quoted), &ignored);
	if (value == NULL || value->type != jbvString)
		return pnstrdup(text, length);
	return pnstrdup(value->val.string.val, value->val.string.len);
}

/* A string operand; one with expressions in it becomes text to fill in. */
static ArazzoCondition *
make_string(ConditionParser *parser, const char *string)
{
	int			length = strlen(string);
	ArazzoText *text;
	ArazzoCondition *node;

	text = arazzo_text_compile(string, length, parser->queries ? TEXT_BARE : 0,
							   parser->scope, &parser->failure);
	if (text == NULL)
		return NULL;
	if (text->expressions == 0)
		return make_literal(arazzo_value_string(string, length));
	node = make_node(CONDITION_TEXT);
	node->text = text;
	return node;
}

static ArazzoCondition *
parse_expression(ConditionParser *parser)
{
	const char *start = parser->text + parser->position;
	int			rest = parser->length - parser->position;
	ArazzoCondition *node = make_node(CONDITION_EXPRESSION);
	int			used;

	if (parser->scope != NULL && rest > 5 && memcmp(start, "$body", 5) == 0 &&
		strchr(".[#", start[5]) != NULL)
		return parse_short_body(parser);
	node->expression = arazzo_expression_scan(start, rest, PLACE_CONDITION, parser->scope,
											  &used, &parser->failure);
	if (node->expression == NULL)
		return NULL;
	parser->position += used;
	return node;
}

/* "{$inputs.x}" as an operand, as it stands in other places. */
static ArazzoCondition *
parse_braced(ConditionParser *parser)
{
	const char *start = parser->text + parser->position + 1;
	int			rest = parser->length - parser->position - 1;
	const char *close = rest > 0 ? memchr(start, '}', rest) : NULL;
	ArazzoCondition *node = make_node(CONDITION_EXPRESSION);

	if (parser->scope == NULL || close == NULL)
		return expected(parser, "an operand");
	node->expression = arazzo_expression_parse(start, close - start, parser->scope,
											   &parser->failure);
	if (node->expression == NULL)
		return NULL;
	parser->position += close - start + 2;
	accepted(parser, start - 1 - parser->text, node->expression->text);
	return node;
}

/* "$body.x" for "$response.body.x". */
static ArazzoCondition *
parse_short_body(ConditionParser *parser)
{
	int			start = parser->position;
	int			length = parser->length - start - strlen("$body");
	char	   *whole = psprintf("$response.body%.*s", length, parser->text + start + strlen("$body"));
	ArazzoCondition *node = make_node(CONDITION_EXPRESSION);
	int			used;

	node->expression = arazzo_expression_scan(whole, strlen(whole), PLACE_CONDITION,
											  parser->scope, &used, &parser->failure);
	if (node->expression == NULL)
		return NULL;
	parser->position += used - strlen("$response.body") + strlen("$body");
	accepted(parser, start, arazzo_expression_standard(node->expression));
	return node;
}

/* "$" or "#/" where it begins a query and no runtime expression. */
static bool
query_begins(const ConditionParser *parser)
{
	const char *start = parser->text + parser->position;
	int			rest = parser->length - parser->position;

	if (rest > 1 && start[0] == '#' && start[1] == '/')
		return true;
	if (start[0] != '$')
		return false;
	return rest == 1 || strchr(".[ \t\r\n=!<>&|)", start[1]) != NULL;
}

static ArazzoCondition *
parse_query(ConditionParser *parser)
{
	ArazzoCondition *node = make_node(CONDITION_QUERY);
	int			used;

	node->query = arazzo_query_scan(parser->text + parser->position,
									parser->length - parser->position,
									&used, &parser->failure);
	if (node->query == NULL)
		return NULL;
	parser->position += used;
	return node;
}

/* true, false, null, a number, or, with a scope, a word without quotes. */
static ArazzoCondition *
parse_word(ConditionParser *parser)
{
	int			start = parser->position;
	int			length = word_length(parser);
	bool		words = parser->right && (parser->scope != NULL || parser->queries);
	JsonbValue *value = keyword_value(parser->text + start, length, false);

	if (value == NULL && length > 0 && parser->text[start] != '+')
		value = arazzo_number_from_text(parser->text + start, length);
	if (value != NULL)
	{
		parser->position += length;
		skip_space(parser);
		if (!words || parser->position >= parser->length ||
			strchr("=!<>&|)", parser->text[parser->position]) != NULL)
			return make_literal(value);
		parser->position = start;
	}
	if (length == 0 || !words)
		return expected(parser, "an operand");
	return parse_bare_word(parser);
}

/*
 * A right operand without quotes, to the next "&&", "||", ")" or the end:
 * it may hold spaces, as in "== Order not found", but no "and" and no "or",
 * which look like operators, and not after a number.
 */
static ArazzoCondition *
parse_bare_word(ConditionParser *parser)
{
	int			start = parser->position;
	int			end = start;
	char	   *word;
	JsonbValue *value;

	while (end < parser->length && in_bare_word(parser, end))
		end++;
	parser->position = end;
	skip_space(parser);
	while (end > start && isspace((unsigned char) parser->text[end - 1]))
		end--;
	word = pnstrdup(parser->text + start, end - start);
	if ((parser->position < parser->length && !at(parser, "&&") &&
		 !at(parser, "||") && !at(parser, ")")) || !is_bare_word(word))
		return expected(parser, "an operator or the end");
	value = keyword_value(word, strlen(word), true);
	if (value == NULL)
		value = arazzo_value_cstring(word);
	parser->position = end;
	accepted(parser, start, value->type != jbvString ? arazzo_value_to_text(value) :
			 psprintf("'%s'", word));
	return make_literal(value);
}

/* May a word without quotes have this character? */
static bool
in_bare_word(const ConditionParser *parser, int position)
{
	char		c = parser->text[position];

	if (arazzo_name_character(c) || strchr(" ./:;,+@*", c) != NULL)
		return true;
	return c == '=' && position + 1 < parser->length &&
		arazzo_name_character(parser->text[position - 1]) &&
		arazzo_name_character(parser->text[position + 1]);
}

/* Words joined by "and" or "or", and a number with words, are none. */
static bool
is_bare_word(const char *word)
{
	int			first = strcspn(word, " ");
	const char *p;

	if (word[first] == '\0')
		return first > 0;
	if (arazzo_number_from_text(word, first) != NULL || keyword_value(word, first, true) != NULL)
		return false;
	for (p = strchr(word, ' '); p != NULL; p = strchr(p + 1, ' '))
	{
		if (pg_strncasecmp(p, " and ", 5) == 0 || pg_strncasecmp(p, " or ", 4) == 0)
			return false;
	}
	return true;
}

static JsonbValue *
keyword_value(const char *word, int length, bool any_case)
{
	char	   *copy = pnstrdup(word, length);

	if (strcmp(copy, "true") == 0 || (any_case && pg_strcasecmp(copy, "true") == 0))
		return arazzo_value_bool(true);
	if (strcmp(copy, "false") == 0 || (any_case && pg_strcasecmp(copy, "false") == 0))
		return arazzo_value_bool(false);
	if (strcmp(copy, "null") == 0 || (any_case && pg_strcasecmp(copy, "null") == 0))
		return arazzo_value_null();
	return NULL;
}

/* Bytes up to white space, a quote, a parenthesis or an operator. */
static int
word_length(const ConditionParser *parser)
{
	int			end = parser->position;

	while (end < parser->length && strchr(" \t\r\n()'\"=!<>&|", parser->text[end]) == NULL)
		end++;
	return end - parser->position;
}

static ArazzoCondition *
make_node(ConditionKind kind)
{
	ArazzoCondition *node = palloc0(sizeof(ArazzoCondition));

	node->kind = kind;
	return node;
}

static ArazzoCondition *
make_literal(JsonbValue *value)
{
	ArazzoCondition *node = make_node(CONDITION_LITERAL);

	node->literal = value;
	return node;
}

static void
skip_space(ConditionParser *parser)
{
	while (parser->position < parser->length &&
		   isspace((unsigned char) parser->text[parser->position]))
		parser->position++;
}

/* Takes an operator, white space before it included. */
static bool
take(ConditionParser *parser, const char *operator)
{
	if (!at(parser, operator))
		return false;
	parser->position += strlen(operator);
	return true;
}

static bool
at(const ConditionParser *parser, const char *token)
{
	int			n = strlen(token);

	skip_space(unconstify(ConditionParser *, parser));
	return parser->length - parser->position >= n &&
		memcmp(parser->text + parser->position, token, n) == 0;
}

/* Goes one level down; false when that is too deep. */
static bool
deeper(ConditionParser *parser)
{
	check_stack_depth();
	if (++parser->depth <= MAX_CONDITION_DEPTH)
		return true;
	parser->failure = arazzo_failure_make(ERRCODE_PROGRAM_LIMIT_EXCEEDED,
										  "condition is nested more than %d levels deep",
										  MAX_CONDITION_DEPTH);
	return false;
}

/* Reports a form that the standard does not have. */
static void
accepted(ConditionParser *parser, int start, const char *standard)
{
	const ExpressionScope *scope = parser->scope;

	if (scope != NULL && scope->accepted != NULL)
		scope->accepted(scope->owner,
						pnstrdup(parser->text + start, parser->position - start), standard);
}

/* Notes the failure; returns NULL. */
static ArazzoCondition *
expected(ConditionParser *parser, const char *what)
{
	if (parser->failure == NULL)
		parser->failure = arazzo_failure_make(ERRCODE_ARAZZO_EXPRESSION,
											  "malformed condition \"%.*s\": expected %s at character %d",
											  pg_mbcliplen(parser->text, parser->length, 200),
											  parser->text, what,
											  pg_mbstrlen_with_len(parser->text, parser->position) + 1);
	return NULL;
}
