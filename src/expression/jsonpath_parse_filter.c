/*-------------------------------------------------------------------------
 *
 * jsonpath_parse_filter.c
 *	  Logical expressions of filters, and the calls in them (RFC 9535, 2.3.5
 *	  and 2.4).
 *
 * Each argument is parsed as the declared type of its parameter wants it, so
 * a call that is not well-typed (2.4.3) is found where it goes wrong.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"

#include "expression/jsonpath_internal.h"

typedef struct OperatorToken
{
	const char *token;
	JsonPathOperator operator;
} OperatorToken;

/* The longer ones first. */
static const OperatorToken operators[] = {
	{"==", OPERATOR_EQUAL},
	{"!=", OPERATOR_NOT_EQUAL},
	{"<=", OPERATOR_LESS_OR_EQUAL},
	{">=", OPERATOR_GREATER_OR_EQUAL},
	{"<", OPERATOR_LESS},
	{">", OPERATOR_GREATER}
};

static JsonPathLogical *parse_chain(JsonPathParser *parser, JsonPathLogicalKind kind);
static JsonPathLogical *parse_basic(JsonPathParser *parser);
static JsonPathLogical *parse_parenthesized(JsonPathParser *parser);
static JsonPathLogical *parse_negation(JsonPathParser *parser);
static JsonPathLogical *parse_test_or_comparison(JsonPathParser *parser, bool negated);
static JsonPathLogical *finish_test(JsonPathParser *parser, const JsonPathOperand *operand,
									int start);
static JsonPathLogical *finish_comparison(JsonPathParser *parser, const JsonPathOperand *left,
										  int start, JsonPathOperator operator);
static bool accept_operator(JsonPathParser *parser, JsonPathOperator *operator);
static bool parse_operand(JsonPathParser *parser, JsonPathOperand *operand);
static bool parse_named(JsonPathParser *parser, JsonPathOperand *operand);
static bool parse_keyword(JsonPathParser *parser, const char *name, int length,
						  JsonPathOperand *operand);
static bool require_value(JsonPathParser *parser, const JsonPathOperand *operand, int start);
static JsonPathCall *parse_call(JsonPathParser *parser, const JsonPathFunction *function);
static bool parse_arguments(JsonPathParser *parser, JsonPathCall *call);
static bool parse_argument(JsonPathParser *parser, JsonPathType type, JsonPathOperand *operand);
static bool compile_pattern(JsonPathParser *parser, JsonPathCall *call, int start);
static JsonPathLogical *make_logical(JsonPathLogicalKind kind);

/* logical-expr (2.3.5.1) */
JsonPathLogical *
arazzo_jsonpath_parse_logical(JsonPathParser *parser)
{
	return parse_chain(parser, LOGICAL_OR);
}

/* Parts joined by || or, one level down, by &&; one part stands for itself. */
static JsonPathLogical *
parse_chain(JsonPathParser *parser, JsonPathLogicalKind kind)
{
	const char *token = (kind == LOGICAL_OR ? "||" : "&&");
	JsonPathLogical *chain = NULL;
	JsonPathLogical *part;

	for (;;)
	{
		int			end;

		CHECK_FOR_INTERRUPTS();
		part = (kind == LOGICAL_OR ? parse_chain(parser, LOGICAL_AND) : parse_basic(parser));
		if (part == NULL)
			return NULL;
		if (chain != NULL)
			chain->is.parts = lappend(chain->is.parts, part);
		end = parser->position;
		arazzo_jsonpath_skip_blanks(parser);
		if (!arazzo_jsonpath_accept(parser, token))
		{
			parser->position = end;
			return chain != NULL ? chain : part;
		}
		arazzo_jsonpath_skip_blanks(parser);
		if (chain == NULL)
		{
			chain = make_logical(kind);
			chain->is.parts = list_make1(part);
		}
	}
}

/* basic-expr */
static JsonPathLogical *
parse_basic(JsonPathParser *parser)
{
	switch (arazzo_jsonpath_peek(parser))
	{
		case '!':
			return parse_negation(parser);
		case '(':
			return parse_parenthesized(parser);
		default:
			return parse_test_or_comparison(parser, false);
	}
}

static JsonPathLogical *
parse_parenthesized(JsonPathParser *parser)
{
	JsonPathLogical *logical;

	parser->position++;
	if (!arazzo_jsonpath_nest(parser))
		return NULL;
	arazzo_jsonpath_skip_blanks(parser);
	logical = arazzo_jsonpath_parse_logical(parser);
	if (logical == NULL)
		return NULL;
	arazzo_jsonpath_skip_blanks(parser);
	parser->nesting--;
	return arazzo_jsonpath_require(parser, ")") ? logical : NULL;
}

/* The negation of an expression in parentheses or of a test. */
static JsonPathLogical *
parse_negation(JsonPathParser *parser)
{
	JsonPathLogical *logical = make_logical(LOGICAL_NOT);

	parser->position++;
	arazzo_jsonpath_skip_blanks(parser);
	if (arazzo_jsonpath_peek(parser) == '(')
		logical->is.negated = parse_parenthesized(parser);
	else
		logical->is.negated = parse_test_or_comparison(parser, true);
	return logical->is.negated != NULL ? logical : NULL;
}

/* What follows an operand tells a comparison from a test. */
static JsonPathLogical *
parse_test_or_comparison(JsonPathParser *parser, bool negated)
{
	JsonPathOperand operand;
	JsonPathOperator operator;
	int			start = parser->position;
	int			end;

	if (!parse_operand(parser, &operand))
		return NULL;
	end = parser->position;
	arazzo_jsonpath_skip_blanks(parser);
	if (!negated && accept_operator(parser, &operator))
		return finish_comparison(parser, &operand, start, operator);
	parser->position = end;
	return finish_test(parser, &operand, start);
}

/* test-expr, for whose calls see 2.4.3 (1) */
static JsonPathLogical *
finish_test(JsonPathParser *parser, const JsonPathOperand *operand, int start)
{
	JsonPathLogical *logical;

	switch (operand->kind)
	{
		case OPERAND_QUERY:
			logical = make_logical(LOGICAL_EXISTENCE);
			logical->is.existence = operand->is.query;
			return logical;
		case OPERAND_CALL:
			if (operand->is.call->function->result == TYPE_LOGICAL)
			{
				logical = make_logical(LOGICAL_CALL);
				logical->is.call = operand->is.call;
				return logical;
			}
			(void) arazzo_jsonpath_refuse(parser, start,
										  psprintf("the value of %s() must be compared",
												   operand->is.call->function->name));
			return NULL;
		default:
			(void) arazzo_jsonpath_refuse(parser, start, "a literal must be compared");
			return NULL;
	}
}

/* comparison-expr, after its operator */
static JsonPathLogical *
finish_comparison(JsonPathParser *parser, const JsonPathOperand *left, int start,
				  JsonPathOperator operator)
{
	JsonPathLogical *logical = make_logical(LOGICAL_COMPARISON);
	JsonPathComparison *comparison = &logical->is.comparison;

	comparison->operator = operator;
	comparison->left = *left;
	if (!require_value(parser, left, start))
		return NULL;
	arazzo_jsonpath_skip_blanks(parser);
	start = parser->position;
	if (!parse_operand(parser, &comparison->right) ||
		!require_value(parser, &comparison->right, start))
		return NULL;
	return logical;
}

static bool
accept_operator(JsonPathParser *parser, JsonPathOperator *operator)
{
	for (int i = 0; i < lengthof(operators); i++)
	{
		if (arazzo_jsonpath_accept(parser, operators[i].token))
		{
			*operator = operators[i].operator;
			return true;
		}
	}
	return false;
}

/* A literal, a query or a call, whatever its type. */
static bool
parse_operand(JsonPathParser *parser, JsonPathOperand *operand)
{
	int			next = arazzo_jsonpath_peek(parser);
	JsonPathName string;

	if (next == '$' || next == '@')
	{
		operand->kind = OPERAND_QUERY;
		operand->is.query = arazzo_jsonpath_parse_query(parser);
		return operand->is.query != NULL;
	}
	if (next >= 'a' && next <= 'z')
		return parse_named(parser, operand);
	operand->kind = OPERAND_LITERAL;
	if (next == '-' || (next >= '0' && next <= '9'))
		return arazzo_jsonpath_scan_number(parser, &operand->is.literal);
	if (next != '\'' && next != '"')
		return arazzo_jsonpath_refuse(parser, parser->position,
									  "expected a query, a literal or a function");
	if (!arazzo_jsonpath_scan_string(parser, &string))
		return false;
	operand->is.literal.type = jbvString;
	operand->is.literal.val.string.val = string.data;
	operand->is.literal.val.string.len = string.length;
	return true;
}

/* A call of a function, or true, false or null. */
static bool
parse_named(JsonPathParser *parser, JsonPathOperand *operand)
{
	const char *name = parser->text + parser->position;
	int			start = parser->position;
	int			length = 0;
	const JsonPathFunction *function;

	for (;;)
	{
		int			next = arazzo_jsonpath_peek(parser);

		if (!((next >= 'a' && next <= 'z') || (next >= '0' && next <= '9') || next == '_'))
			break;
		parser->position++;
		length++;
	}
	if (arazzo_jsonpath_peek(parser) != '(')
	{
		parser->position = start;
		return parse_keyword(parser, name, length, operand);
	}
	function = arazzo_jsonpath_function(name, length);
	if (function == NULL)
		return arazzo_jsonpath_refuse(parser, start, "unknown function");
	operand->kind = OPERAND_CALL;
	operand->is.call = parse_call(parser, function);
	return operand->is.call != NULL;
}

static bool
parse_keyword(JsonPathParser *parser, const char *name, int length, JsonPathOperand *operand)
{
	JsonbValue *literal = &operand->is.literal;

	operand->kind = OPERAND_LITERAL;
	if (length == 4 && memcmp(name, "null", 4) == 0)
		literal->type = jbvNull;
	else if ((length == 4 && memcmp(name, "true", 4) == 0) ||
			 (length == 5 && memcmp(name, "false", 5) == 0))
	{
		literal->type = jbvBool;
		literal->val.boolean = (length == 4);
	}
	else
		return arazzo_jsonpath_refuse(parser, parser->position,
									  "expected a query, a literal or a function");
	parser->position += length;
	return true;
}

/* Can an operand stand where a ValueType is wanted? */
static bool
require_value(JsonPathParser *parser, const JsonPathOperand *operand, int start)
{
	switch (operand->kind)
	{
		case OPERAND_QUERY:
			if (operand->is.query->singular)
				return true;
			return arazzo_jsonpath_refuse(parser, start, "expected a singular query");
		case OPERAND_CALL:
			if (operand->is.call->function->result == TYPE_VALUE)
				return true;
			return arazzo_jsonpath_refuse(parser, start,
										  psprintf("the result of %s() is not a value",
												   operand->is.call->function->name));
		default:
			return true;
	}
}

/* function-expr (2.4), from its parenthesis on */
static JsonPathCall *
parse_call(JsonPathParser *parser, const JsonPathFunction *function)
{
	JsonPathCall *call = palloc0(sizeof(JsonPathCall));

	parser->position++;
	call->function = function;
	if (!arazzo_jsonpath_nest(parser))
		return NULL;
	if (!parse_arguments(parser, call))
		return NULL;
	parser->nesting--;
	return call;
}

static bool
parse_arguments(JsonPathParser *parser, JsonPathCall *call)
{
	const JsonPathFunction *function = call->function;
	int			start = parser->position;

	for (int i = 0; i < function->parameter_count; i++)
	{
		arazzo_jsonpath_skip_blanks(parser);
		if (i > 0)
		{
			if (!arazzo_jsonpath_require(parser, ","))
				return false;
			arazzo_jsonpath_skip_blanks(parser);
		}
		start = parser->position;
		if (!parse_argument(parser, function->parameters[i], &call->arguments[i]))
			return false;
	}
	if (function->takes_pattern && !compile_pattern(parser, call, start))
		return false;
	arazzo_jsonpath_skip_blanks(parser);
	return arazzo_jsonpath_require(parser, ")");
}

/* An argument of the type its parameter declares (2.4.3, 2). */
static bool
parse_argument(JsonPathParser *parser, JsonPathType type, JsonPathOperand *operand)
{
	int			start = parser->position;

	if (!parse_operand(parser, operand))
		return false;
	if (type == TYPE_VALUE)
		return require_value(parser, operand, start);
	if (operand->kind != OPERAND_QUERY)
		return arazzo_jsonpath_refuse(parser, start, "expected a query");
	return true;
}

/*
 * A pattern that is a literal is compiled here, once; one that is no
 * I-Regexp is not an error but matches nothing (2.4.6, 2.4.7).
 */
static bool
compile_pattern(JsonPathParser *parser, JsonPathCall *call, int start)
{
	const JsonPathOperand *argument = &call->arguments[1];
	const JsonbValue *literal = &argument->is.literal;
	ArazzoFailure *failure = NULL;

	call->pattern_constant = (argument->kind == OPERAND_LITERAL);
	if (!call->pattern_constant)
	{
		call->pattern_slot = parser->path->pattern_count++;
		return true;
	}
	if (literal->type != jbvString)
		return true;
	call->pattern = arazzo_iregexp_compile(literal->val.string.val, literal->val.string.len,
										   call->function->whole, &failure);
	return failure == NULL || arazzo_jsonpath_refuse(parser, start, failure->message);
}

static JsonPathLogical *
make_logical(JsonPathLogicalKind kind)
{
	JsonPathLogical *logical = palloc0(sizeof(JsonPathLogical));

	logical->kind = kind;
	return logical;
}
