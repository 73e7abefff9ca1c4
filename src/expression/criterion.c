/*-------------------------------------------------------------------------
 *
 * criterion.c
 *	  Criterion Objects (Arazzo 1.0.1 and 1.1.0).
 *
 * Expressions embedded in a regex, jsonpath or xpath condition are filled in
 * first, and the text that results is the condition (1.1.0, Runtime
 * Expressions in Conditions); without any, the condition is compiled once.
 * Inside a string literal of JSONPath or XPath a value stays inside of it,
 * whatever characters it has.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "expression/grammar.h"

struct ArazzoCriterion
{
	SelectorKind kind;
	const char *text;
	ArazzoExpression *context;	/* NULL for simple */
	ArazzoText *parts;			/* the condition, if expressions are in it */
	ArazzoCondition *condition; /* simple; jsonpath with comparisons */
	ArazzoPattern *pattern;
	ArazzoJsonPath *path;
};

static bool compile_context(ArazzoCriterion *criterion, const ArazzoNode *node,
							const ExpressionScope *scope, ArazzoFailure **failure);
static bool compile_condition(ArazzoCriterion *criterion, int length,
							  const ExpressionScope *scope, ArazzoFailure **failure);
static bool compile_parts(ArazzoCriterion *criterion, int length, int flags,
						  const ExpressionScope *scope, ArazzoFailure **failure);
static void unquote_bare(ArazzoText *parts);
static bool compile_regex(ArazzoCriterion *criterion, int length,
						  const ExpressionScope *scope, ArazzoFailure **failure);
static bool compile_xpath(ArazzoCriterion *criterion, int length,
						  const ExpressionScope *scope, ArazzoFailure **failure);
static bool compile_jsonpath(ArazzoCriterion *criterion, int length,
							 const ExpressionScope *scope, ArazzoFailure **failure);
static bool probe_jsonpath(const ArazzoText *parts);
static bool compile_comparison(ArazzoCriterion *criterion, int length,
							   const ExpressionScope *scope, ArazzoFailure **failure);
static void report_comparison(const ArazzoCriterion *criterion, const ExpressionScope *scope);
static bool holds_on(const ArazzoCriterion *criterion, const ExpressionEnvironment *environment,
					 JsonbValue *context, ArazzoFailure **failure, char **warning);
static bool regex_holds(const ArazzoCriterion *criterion, const char *condition,
						int length, const JsonbValue *context, ArazzoFailure **failure);
static bool jsonpath_holds(const ArazzoCriterion *criterion, const char *condition,
						   int length, const JsonbValue *context, ArazzoFailure **failure);
static bool xpath_holds(const ArazzoCriterion *criterion, const char *condition,
						const JsonbValue *context, ArazzoFailure **failure);
static bool append_part(const ArazzoCriterion *criterion, const TextSegment *segment,
						const JsonbValue *value, StringInfo out, ArazzoFailure **failure);
static void append_escaped(StringInfo out, const char *text, char quote);
static char *fill_in(const ArazzoCriterion *criterion, const ExpressionEnvironment *environment,
					 ArazzoFailure **failure);
static ArazzoFailure *document_failure(const ArazzoNode *node, const char *message);

ArazzoCriterion *
arazzo_criterion_compile(const ArazzoNode *node, const ExpressionScope *scope,
						 ArazzoFailure **failure)
{
	ArazzoCriterion *criterion = palloc0(sizeof(ArazzoCriterion));
	const ArazzoNode *condition = arazzo_node_member(node, "condition");

	if (node->type != NODE_OBJECT)
		*failure = document_failure(node, "a criterion must be an object");
	else if (condition == NULL || condition->type != NODE_STRING)
		*failure = document_failure(condition ? condition : node,
									"a criterion must have a condition, which is a string");
	if (*failure != NULL)
		return NULL;
	criterion->text = pnstrdup(condition->u.string, condition->count);
	if (!arazzo_selector_kind(node, &criterion->kind, scope, failure) ||
		!compile_context(criterion, node, scope, failure))
		return NULL;
	if (compile_condition(criterion, condition->count, scope, failure))
		return criterion;
	if ((*failure)->line == 0)
	{
		(*failure)->line = condition->line;
		(*failure)->column = condition->column;
	}
	return NULL;
}

const char *
arazzo_criterion_text(const ArazzoCriterion *criterion)
{
	return criterion->text;
}

/*
 * The context, which all kinds but simple must have and simple ignores.
 * With a scope, "response.body" without its "$" is taken.
 */
static bool
compile_context(ArazzoCriterion *criterion, const ArazzoNode *node,
				const ExpressionScope *scope, ArazzoFailure **failure)
{
	const ArazzoNode *context = arazzo_node_member(node, "context");
	const char *text;
	char	   *dollar;

	if (criterion->kind == SELECTOR_SIMPLE)
		return true;
	if (context == NULL || context->type != NODE_STRING)
	{
		*failure = document_failure(context ? context : node,
									"a criterion with a type must have a context, which is a runtime expression");
		return false;
	}
	text = context->u.string;
	dollar = psprintf("$%s", text);
	if (scope != NULL && text[0] != '$' && arazzo_expression_is_whole(dollar, strlen(dollar)))
	{
		if (scope->accepted != NULL)
			scope->accepted(scope->owner, text, dollar);
		text = dollar;
	}
	criterion->context = arazzo_expression_parse(text, strlen(text), scope, failure);
	if (criterion->context != NULL)
		return true;
	(*failure)->line = context->line;
	(*failure)->column = context->column;
	return false;
}

static bool
compile_condition(ArazzoCriterion *criterion, int length, const ExpressionScope *scope,
				  ArazzoFailure **failure)
{
	switch (criterion->kind)
	{
		case SELECTOR_SIMPLE:
			criterion->condition = arazzo_condition_parse(criterion->text, length, scope, failure);
			return criterion->condition != NULL;
		case SELECTOR_REGEX:
			return compile_regex(criterion, length, scope, failure);
		case SELECTOR_XPATH:
			return compile_xpath(criterion, length, scope, failure);
		case SELECTOR_GOESSNER:
			criterion->text = arazzo_goessner_to_standard(criterion->text, length);
			length = strlen(criterion->text);
			/* FALLTHROUGH */
		case SELECTOR_JSONPATH:
			return compile_jsonpath(criterion, length, scope, failure);
		default:
			*failure = arazzo_failure_make(ERRCODE_ARAZZO_DOCUMENT,
										   "a criterion's type must be simple, regex, jsonpath or xpath");
			return false;
	}
}

/* Splits the condition; criterion->parts is NULL without expressions. */
static bool
compile_parts(ArazzoCriterion *criterion, int length, int flags,
			  const ExpressionScope *scope, ArazzoFailure **failure)
{
	ArazzoText *parts = arazzo_text_compile(criterion->text, length, flags, scope, failure);

	if (parts == NULL)
		return false;
	unquote_bare(parts);
	criterion->parts = parts->expressions > 0 ? parts : NULL;
	return true;
}

/*
 * A string literal that is nothing but a bare expression, as in
 * [?@.id == '$inputs.id'], stands for the expression's value: its quotes go.
 */
static void
unquote_bare(ArazzoText *parts)
{
	int			i;

	for (i = 1; i + 1 < parts->count; i++)
	{
		TextSegment *segment = &parts->segments[i];
		TextSegment *before = segment - 1;
		TextSegment *after = segment + 1;

		if (!segment->bare || segment->quote == 0 || before->length == 0 || after->length == 0 ||
			before->literal[before->length - 1] != segment->quote ||
			after->literal[0] != segment->quote)
			continue;
		before->length--;
		after->literal++;
		after->length--;
		segment->quote = 0;
	}
}

static bool
compile_regex(ArazzoCriterion *criterion, int length, const ExpressionScope *scope,
			  ArazzoFailure **failure)
{
	if (!compile_parts(criterion, length, 0, scope, failure))
		return false;
	if (criterion->parts != NULL)
		return true;
	criterion->pattern = arazzo_pattern_compile(criterion->text, length, failure);
	if (criterion->pattern == NULL && (*failure)->sqlstate == ERRCODE_INVALID_REGULAR_EXPRESSION)
		(*failure)->sqlstate = ERRCODE_ARAZZO_EXPRESSION;
	return criterion->pattern != NULL;
}

static bool
compile_xpath(ArazzoCriterion *criterion, int length, const ExpressionScope *scope,
			  ArazzoFailure **failure)
{
	if (!compile_parts(criterion, length, TEXT_QUOTES, scope, failure))
		return false;
	return criterion->parts != NULL || arazzo_xpath_check(criterion->text, failure);
}

/*
 * A query of RFC 9535 first.  With a scope, what is none may be comparisons
 * of queries, as in "$.status == 'done'".
 */
static bool
compile_jsonpath(ArazzoCriterion *criterion, int length, const ExpressionScope *scope,
				 ArazzoFailure **failure)
{
	ExpressionScope quiet = {0};
	ArazzoFailure *not_compared = NULL;
	bool		valid;

	if (scope != NULL)
		quiet = *scope;
	quiet.accepted = NULL;
	quiet.parsed = NULL;
	if (!compile_parts(criterion, length, TEXT_BARE | TEXT_QUOTES, scope ? &quiet : NULL, failure))
		return false;
	if (criterion->parts == NULL)
	{
		criterion->path = arazzo_jsonpath_parse(criterion->text, length, failure);
		if (criterion->path != NULL)
			return true;
	}
	else if (probe_jsonpath(criterion->parts))
		return compile_parts(criterion, length, TEXT_BARE | TEXT_QUOTES, scope, failure);
	valid = scope != NULL && compile_comparison(criterion, length, scope, &not_compared);
	if (valid)
		*failure = NULL;
	else if (*failure == NULL)
		*failure = not_compared ? not_compared :
			arazzo_failure_make(ERRCODE_ARAZZO_EXPRESSION, "\"%s\" is no JSONPath query",
								criterion->text);
	return valid;
}

/*
 * Could the condition be a query once its expressions are filled in?  Tried
 * with what may stand for a value, for a query, and for a name.
 */
static bool
probe_jsonpath(const ArazzoText *parts)
{
	static const char *const samples[] = {"1", "$", "a"};
	int			i;

	for (i = 0; i < lengthof(samples); i++)
	{
		StringInfoData text;
		ArazzoFailure *ignored = NULL;
		int			k;

		initStringInfo(&text);
		for (k = 0; k < parts->count; k++)
		{
			if (parts->segments[k].literal != NULL)
				appendBinaryStringInfo(&text, parts->segments[k].literal, parts->segments[k].length);
			else
				appendStringInfoString(&text, parts->segments[k].bare ? "1" : samples[i]);
		}
		if (arazzo_jsonpath_parse(text.data, text.len, &ignored) != NULL)
			return true;
	}
	return false;
}

/* Comparisons of queries, values and expressions, as published. */
static bool
compile_comparison(ArazzoCriterion *criterion, int length, const ExpressionScope *scope,
				   ArazzoFailure **failure)
{
	ExpressionScope quiet = *scope;

	quiet.accepted = NULL;
	criterion->parts = NULL;
	criterion->condition = arazzo_condition_scan(criterion->text, length, true, &quiet, failure);
	if (criterion->condition == NULL)
		return false;
	report_comparison(criterion, scope);
	return true;
}

/* Tells the scope; the standard's way is a simple condition, if any. */
static void
report_comparison(const ArazzoCriterion *criterion, const ExpressionScope *scope)
{
	if (scope->accepted != NULL)
		scope->accepted(scope->owner, criterion->text,
						arazzo_condition_restate(criterion->condition,
												 criterion->context));
}

bool
arazzo_criterion_holds(const ArazzoCriterion *criterion,
					   const ExpressionEnvironment *environment, char **warning)
{
	ArazzoFailure *failure = NULL;
	JsonbValue *context;
	bool		result = false;

	if (criterion->kind == SELECTOR_SIMPLE)
		return arazzo_condition_evaluate(criterion->condition, environment, warning);
	context = arazzo_expression_evaluate(criterion->context, environment);
	if (context == NULL || context->type == jbvNull)
		failure = arazzo_failure_make(ERRCODE_ARAZZO_EXPRESSION, "context \"%s\" has no value",
									  criterion->context->text);
	else
		result = holds_on(criterion, environment, context, &failure, warning);
	if (failure != NULL && warning != NULL)
		*warning = failure->message;
	return result && failure == NULL;
}

/* Does it hold on a context that is there? */
static bool
holds_on(const ArazzoCriterion *criterion, const ExpressionEnvironment *environment,
		 JsonbValue *context, ArazzoFailure **failure, char **warning)
{
	const char *condition = criterion->text;

	if (criterion->kind != SELECTOR_REGEX && criterion->kind != SELECTOR_XPATH &&
		context->type == jbvString)
	{
		*failure = arazzo_failure_make(ERRCODE_ARAZZO_EXPRESSION,
									   "context \"%s\" is text, not JSON",
									   criterion->context->text);
		return false;
	}
	if (criterion->condition != NULL)
		return arazzo_condition_holds(criterion->condition, environment, context, warning);
	if (criterion->parts != NULL)
		condition = fill_in(criterion, environment, failure);
	if (condition == NULL)
		return false;
	if (criterion->kind == SELECTOR_REGEX)
		return regex_holds(criterion, condition, strlen(condition), context, failure);
	if (criterion->kind == SELECTOR_XPATH)
		return xpath_holds(criterion, condition, context, failure);
	return jsonpath_holds(criterion, condition, strlen(condition), context, failure);
}

/* Regex Conditions: the context as text, searched. */
static bool
regex_holds(const ArazzoCriterion *criterion, const char *condition, int length,
			const JsonbValue *context, ArazzoFailure **failure)
{
	ArazzoPattern *pattern = criterion->pattern;
	StringInfoData text;

	if (pattern == NULL)
		pattern = arazzo_pattern_compile(condition, length, failure);
	if (pattern == NULL)
		return false;
	if (context->type == jbvString)
		return arazzo_pattern_matches(pattern, context->val.string.val,
									  context->val.string.len, failure);
	initStringInfo(&text);
	arazzo_value_append_text(&text, context);
	return arazzo_pattern_matches(pattern, text.data, text.len, failure);
}

/* JSONPath Conditions: a nodelist that is not empty. */
static bool
jsonpath_holds(const ArazzoCriterion *criterion, const char *condition, int length,
			   const JsonbValue *context, ArazzoFailure **failure)
{
	ArazzoJsonPath *path = criterion->path;
	char	   *problem = NULL;
	bool		holds;

	if (path == NULL)
		path = arazzo_jsonpath_parse(condition, length, failure);
	holds = path != NULL && arazzo_query_nodes(path, context, &problem) != NIL;
	if (problem != NULL)
		*failure = arazzo_failure_make(ERRCODE_ARAZZO_EXPRESSION, "%s", problem);
	return holds;
}

/* XPath Conditions: boolean() of XPath 1.0, section 4.3. */
static bool
xpath_holds(const ArazzoCriterion *criterion, const char *condition,
			const JsonbValue *context, ArazzoFailure **failure)
{
	if (context->type != jbvString)
	{
		*failure = arazzo_failure_make(ERRCODE_ARAZZO_EXPRESSION,
									   "context \"%s\" is no XML text", criterion->context->text);
		return false;
	}
	if (criterion->parts != NULL && !arazzo_xpath_check(condition, failure))
		return false;
	return arazzo_xpath_holds(condition, context->val.string.val,
							  context->val.string.len, failure);
}

/* The condition with its expressions filled in; NULL and *failure if not. */
static char *
fill_in(const ArazzoCriterion *criterion, const ExpressionEnvironment *environment,
		ArazzoFailure **failure)
{
	StringInfoData out;
	int			i;

	initStringInfo(&out);
	for (i = 0; i < criterion->parts->count; i++)
	{
		const TextSegment *segment = &criterion->parts->segments[i];
		JsonbValue *value;

		if (segment->literal != NULL)
		{
			appendBinaryStringInfo(&out, segment->literal, segment->length);
			continue;
		}
		value = arazzo_expression_evaluate(segment->expression, environment);
		if (value == NULL)
			*failure = arazzo_failure_make(ERRCODE_ARAZZO_EXPRESSION,
										   "runtime expression \"%s\" has no value",
										   segment->expression->text);
		if (value == NULL || !append_part(criterion, segment, value, &out, failure))
			return NULL;
	}
	return out.data;
}

/*
 * Appends a value to a condition.  Outside of quotes a bare expression in
 * JSONPath stands for a literal; all else is text.
 */
static bool
append_part(const ArazzoCriterion *criterion, const TextSegment *segment,
			const JsonbValue *value, StringInfo out, ArazzoFailure **failure)
{
	char	   *text;

	if (segment->bare && segment->quote == 0)
	{
		arazzo_value_append_json(out, value);
		return true;
	}
	text = arazzo_value_to_text(value);
	if (segment->quote == 0)
		appendStringInfoString(out, text);
	else if (criterion->kind != SELECTOR_XPATH)
		append_escaped(out, text, segment->quote);
	else if (strchr(text, segment->quote) == NULL)
		appendStringInfoString(out, text);
	else
		*failure = arazzo_failure_make(ERRCODE_ARAZZO_EXPRESSION,
									   "value of \"%s\" has a quote in it, which XPath 1.0 cannot write",
									   segment->expression->text);
	return *failure == NULL;
}

/* Text inside a string literal of JSONPath (RFC 9535, 2.3.1). */
static void
append_escaped(StringInfo out, const char *text, char quote)
{
	for (; *text != '\0'; text++)
	{
		if (*text == quote || *text == '\\')
			appendStringInfo(out, "\\%c", *text);
		else if ((unsigned char) *text < 0x20)
			appendStringInfo(out, "\\u%04x", *text);
		else
			appendStringInfoChar(out, *text);
	}
}

/* A failure of the document's structure at a node. */
static ArazzoFailure *
document_failure(const ArazzoNode *node, const char *message)
{
	ArazzoFailure *failure = arazzo_failure_make(ERRCODE_ARAZZO_DOCUMENT, "%s", message);

	failure->line = node->line;
	failure->column = node->column;
	return failure;
}
