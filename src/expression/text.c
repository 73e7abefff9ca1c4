/*-------------------------------------------------------------------------
 *
 * text.c
 *	  Strings with expressions in them.
 *
 * expression-string of Arazzo 1.1.0: literal text and "{$...}".  A brace
 * that does not begin an expression is literal text, since documents hold
 * JSON, regular expressions and templates of other systems.  With a scope, a
 * bare expression in longer text ("Bearer $inputs.token") counts as well,
 * but only where its name is declared; all other "$" are literal.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "expression/grammar.h"

typedef struct TextScanner
{
	const char *text;
	int			length;
	int			position;
	int			literal;		/* where the pending literal text begins */
	int			flags;
	char		quote;			/* the quote the position is in, or 0 */
	const ExpressionScope *scope;
	List	   *segments;		/* of TextSegment * */
	int			expressions;
	bool		bare;			/* a bare one was taken */
	ArazzoFailure *failure;
} TextScanner;

static bool scan_embedded(TextScanner *scanner);
static bool scan_bare(TextScanner *scanner);
static bool bare_may_begin(const TextScanner *scanner);
static void follow_quotes(TextScanner *scanner);
static void add_expression(TextScanner *scanner, ArazzoExpression *expression, int end, bool bare);
static void flush_literal(TextScanner *scanner, int end);
static ArazzoText *finish_text(TextScanner *scanner);
static void report_bare(const TextScanner *scanner, const ArazzoText *text);

ArazzoText *
arazzo_text_compile(const char *text, int length, int flags,
					const ExpressionScope *scope, ArazzoFailure **failure)
{
	TextScanner scanner = {0};

	scanner.text = text;
	scanner.length = length;
	scanner.flags = flags;
	scanner.scope = scope;
	while (scanner.position < length && scanner.failure == NULL)
	{
		char		c = text[scanner.position];

		if (c == '{' && scan_embedded(&scanner))
			continue;
		if (c == '$' && scan_bare(&scanner))
			continue;
		if (flags & TEXT_QUOTES)
			follow_quotes(&scanner);
		scanner.position++;
	}
	if (scanner.failure != NULL)
	{
		*failure = scanner.failure;
		return NULL;
	}
	flush_literal(&scanner, length);
	return finish_text(&scanner);
}

/*
 * embedded-expression = "{" expression "}".  True if one was taken or was
 * malformed; what is not an expression by its first characters is neither.
 */
static bool
scan_embedded(TextScanner *scanner)
{
	const char *start = scanner->text + scanner->position + 1;
	int			rest = scanner->length - scanner->position - 1;
	const char *close = rest > 0 ? memchr(start, '}', rest) : NULL;
	int			length = close != NULL ? close - start : rest;
	ArazzoExpression *expression;

	if (!arazzo_expression_is_whole(start, length))
		return false;
	if (close == NULL)
	{
		scanner->failure = arazzo_failure_make(ERRCODE_ARAZZO_EXPRESSION,
											   "embedded runtime expression \"{%.*s\" is not closed",
											   Min(length, 100), start);
		return true;
	}
	expression = arazzo_expression_parse(start, length, scanner->scope, &scanner->failure);
	if (expression != NULL)
		add_expression(scanner, expression, scanner->position + length + 2, false);
	return true;
}

/* A bare "$inputs.name" or "$steps.id.outputs.name" with a declared name. */
static bool
scan_bare(TextScanner *scanner)
{
	const char *start = scanner->text + scanner->position;
	int			rest = scanner->length - scanner->position;
	ArazzoFailure *ignored = NULL;
	ArazzoExpression *expression;
	int			used;

	if (!(scanner->flags & TEXT_BARE) || scanner->scope == NULL || !bare_may_begin(scanner))
		return false;
	if ((rest < 8 || memcmp(start, "$inputs.", 8) != 0) &&
		(rest < 7 || memcmp(start, "$steps.", 7) != 0))
		return false;
	expression = arazzo_expression_scan(start, rest, PLACE_BARE, scanner->scope, &used, &ignored);
	if (expression == NULL)
		return false;
	add_expression(scanner, expression, scanner->position + used, true);
	scanner->bare = true;
	return true;
}

/* Not in the middle of a word, and not escaped. */
static bool
bare_may_begin(const TextScanner *scanner)
{
	char		before;

	if (scanner->position == 0)
		return true;
	before = scanner->text[scanner->position - 1];
	if (before == '-')
		return true;
	return !arazzo_name_character(before) && before != '$' && before != '\\';
}

/* Notes where string literals of JSONPath or XPath begin and end. */
static void
follow_quotes(TextScanner *scanner)
{
	char		c = scanner->text[scanner->position];

	if (c == '\\' && scanner->quote != 0 && scanner->position + 1 < scanner->length)
		scanner->position++;
	else if (scanner->quote == 0 && (c == '\'' || c == '"'))
		scanner->quote = c;
	else if (c == scanner->quote)
		scanner->quote = 0;
}

static void
add_expression(TextScanner *scanner, ArazzoExpression *expression, int end, bool bare)
{
	TextSegment *segment = palloc0(sizeof(TextSegment));

	flush_literal(scanner, scanner->position);
	segment->expression = expression;
	segment->quote = scanner->quote;
	segment->bare = bare;
	scanner->segments = lappend(scanner->segments, segment);
	scanner->expressions++;
	scanner->position = scanner->literal = end;
}

/* Makes a segment of the literal text up to here. */
static void
flush_literal(TextScanner *scanner, int end)
{
	TextSegment *segment;

	if (end <= scanner->literal)
		return;
	segment = palloc0(sizeof(TextSegment));
	segment->length = end - scanner->literal;
	segment->literal = pnstrdup(scanner->text + scanner->literal, segment->length);
	scanner->segments = lappend(scanner->segments, segment);
	scanner->literal = end;
}

static ArazzoText *
finish_text(TextScanner *scanner)
{
	ArazzoText *text = palloc0(sizeof(ArazzoText));
	ListCell   *cell;

	text->expressions = scanner->expressions;
	text->segments = palloc(sizeof(TextSegment) * Max(list_length(scanner->segments), 1));
	foreach(cell, scanner->segments)
		text->segments[text->count++] = *(TextSegment *) lfirst(cell);
	if (scanner->bare)
		report_bare(scanner, text);
	return text;
}

/* Tells the scope how the text is written with braces. */
static void
report_bare(const TextScanner *scanner, const ArazzoText *text)
{
	const ExpressionScope *scope = scanner->scope;
	StringInfoData standard;
	int			i;

	if (scope->accepted == NULL)
		return;
	initStringInfo(&standard);
	for (i = 0; i < text->count; i++)
	{
		const TextSegment *segment = &text->segments[i];

		if (segment->literal != NULL)
			appendBinaryStringInfo(&standard, segment->literal, segment->length);
		else
			appendStringInfo(&standard, "{%s}", segment->expression->text);
	}
	scope->accepted(scope->owner, pnstrdup(scanner->text, scanner->length), standard.data);
}

bool
arazzo_text_append(const ArazzoText *text, const ExpressionEnvironment *environment,
				   StringInfo out, ArazzoFailure **failure)
{
	int			i;

	for (i = 0; i < text->count; i++)
	{
		const TextSegment *segment = &text->segments[i];
		JsonbValue *value;

		if (segment->literal != NULL)
		{
			appendBinaryStringInfo(out, segment->literal, segment->length);
			continue;
		}
		value = arazzo_expression_evaluate(segment->expression, environment);
		if (value == NULL && environment->symbolic)
			value = arazzo_expression_symbol(segment->expression);
		if (value == NULL)
		{
			*failure = arazzo_failure_make(ERRCODE_ARAZZO_EXPRESSION,
										   "runtime expression \"%s\" has no value",
										   segment->expression->text);
			return false;
		}
		arazzo_value_append_text(out, value);
	}
	return true;
}
