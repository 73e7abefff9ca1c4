/*-------------------------------------------------------------------------
 *
 * template.c
 *	  Templates: constants with runtime expressions in them.
 *
 * A template is compiled once with its workflow.  Parts without an
 * expression are rendered as JSON text at that time, so that writing a
 * payload is copying text and looking values up.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"

#include "expression/selector.h"

typedef enum TemplateKind
{
	TEMPLATE_CONSTANT,
	TEMPLATE_EXPRESSION,
	TEMPLATE_TEXT,
	TEMPLATE_SELECTOR,
	TEMPLATE_ARRAY,
	TEMPLATE_OBJECT
} TemplateKind;

struct ArazzoTemplate
{
	TemplateKind kind;
	bool		is_string;		/* a string, constant or with expressions */
	JsonbValue *value;			/* of a constant, where it is needed */
	char	   *json;			/* of a constant */
	int			json_length;
	ArazzoExpression *expression;
	ArazzoText *text;
	ArazzoSelector *selector;
	int			count;
	struct TemplatePart *parts; /* items or members */
};

/* An item of an array, or a member of an object. */
typedef struct TemplatePart
{
	const char *key;
	int			key_length;
	char	   *json_key;		/* with its colon, ready to be written */
	int			json_key_length;
	ArazzoTemplate *template;
} TemplatePart;

static ArazzoTemplate *compile_node(const ArazzoNode *node, const ExpressionScope *scope,
									ArazzoFailure **failure);
static ArazzoTemplate *compile_scalar(const ArazzoNode *node);
static ArazzoTemplate *compile_string(const ArazzoNode *node, const ExpressionScope *scope,
									  ArazzoFailure **failure);
static ArazzoTemplate *compile_whole(const char *text, int length,
									 const ExpressionScope *scope, ArazzoFailure **failure);
static ArazzoTemplate *compile_text(const char *text, int length,
									const ExpressionScope *scope, ArazzoFailure **failure);
static bool is_prose(const ArazzoText *text);
static ArazzoTemplate *compile_selector(const ArazzoNode *node, const ExpressionScope *scope,
										ArazzoFailure **failure);
static ArazzoTemplate *compile_array(const ArazzoNode *node, const ExpressionScope *scope,
									 ArazzoFailure **failure);
static ArazzoTemplate *compile_object(const ArazzoNode *node, const ExpressionScope *scope,
									  ArazzoFailure **failure);
static void render_key(TemplatePart *part, const ArazzoMember *member);
static void render_container(ArazzoTemplate *template, const ArazzoNode *node);
static void keep_value(ArazzoTemplate *template, const ArazzoNode *node);
static bool evaluate_scalar(const ArazzoTemplate *template,
							const ExpressionEnvironment *environment,
							JsonbValue **value, ArazzoFailure **failure);
static JsonbValue *evaluate_text(const ArazzoTemplate *template,
								 const ExpressionEnvironment *environment,
								 ArazzoFailure **failure);
static bool push_template(JsonbParseState **state, JsonbIteratorToken token,
						  const ArazzoTemplate *template,
						  const ExpressionEnvironment *environment,
						  const TemplatePart *part, ArazzoFailure **failure);
static JsonbValue *push_container(JsonbParseState **state, const ArazzoTemplate *template,
								  const ExpressionEnvironment *environment,
								  ArazzoFailure **failure);
static bool append_container(const ArazzoTemplate *template,
							 const ExpressionEnvironment *environment,
							 StringInfo out, ArazzoFailure **failure);

ArazzoTemplate *
arazzo_template_compile(const ArazzoNode *node, const ExpressionScope *scope,
						ArazzoFailure **failure)
{
	ArazzoTemplate *template = compile_node(node, scope, failure);

	if (template != NULL && template->kind == TEMPLATE_CONSTANT)
		keep_value(template, node);
	return template;
}

static ArazzoTemplate *
compile_node(const ArazzoNode *node, const ExpressionScope *scope, ArazzoFailure **failure)
{
	check_stack_depth();
	switch (node->type)
	{
		case NODE_STRING:
			return compile_string(node, scope, failure);
		case NODE_ARRAY:
			return compile_array(node, scope, failure);
		case NODE_OBJECT:
			if (arazzo_selector_is(node))
				return compile_selector(node, scope, failure);
			return compile_object(node, scope, failure);
		default:
			return compile_scalar(node);
	}
}

/* A constant that is no container: its JSON text. */
static ArazzoTemplate *
compile_scalar(const ArazzoNode *node)
{
	ArazzoTemplate *template = palloc0(sizeof(ArazzoTemplate));
	StringInfoData json;

	initStringInfo(&json);
	arazzo_value_append_json(&json, arazzo_node_to_value(node));
	template->kind = TEMPLATE_CONSTANT;
	template->is_string = node->type == NODE_STRING;
	template->json = json.data;
	template->json_length = json.len;
	return template;
}

/*
 * A string: one expression, text with expressions, or a constant.  With a
 * scope, white space around an expression does not make it text.
 */
static ArazzoTemplate *
compile_string(const ArazzoNode *node, const ExpressionScope *scope, ArazzoFailure **failure)
{
	const char *text = node->u.string;
	int			length = node->count;
	ArazzoTemplate *template;

	if (scope != NULL)
	{
		while (length > 0 && isspace((unsigned char) text[length - 1]))
			length--;
		while (length > 0 && isspace((unsigned char) text[0]))
			text++, length--;
	}
	if (arazzo_expression_is_whole(text, length))
		template = compile_whole(text, length, scope, failure);
	else
		template = compile_text(node->u.string, node->count, scope, failure);
	if (template == NULL && (*failure)->line == 0)
	{
		(*failure)->line = node->line;
		(*failure)->column = node->column;
	}
	if (template != NULL && template->kind == TEMPLATE_CONSTANT)
		return compile_scalar(node);
	return template;
}

/*
 * A text that begins like an expression.  When it is more than one, a scope
 * lets it be text with bare expressions, unless a remark follows, as in
 * "$steps.a.outputs.b (the list)": that has no evident meaning.
 */
static ArazzoTemplate *
compile_whole(const char *text, int length, const ExpressionScope *scope,
			  ArazzoFailure **failure)
{
	ArazzoTemplate *template = palloc0(sizeof(ArazzoTemplate));
	ArazzoFailure *ignored = NULL;
	ExpressionScope quiet;
	ArazzoText *parts;

	template->kind = TEMPLATE_EXPRESSION;
	template->expression = arazzo_expression_parse(text, length, scope, failure);
	if (template->expression != NULL)
		return template;
	if (scope == NULL)
		return NULL;
	quiet = *scope;
	quiet.accepted = NULL;
	quiet.parsed = NULL;
	parts = arazzo_text_compile(text, length, TEXT_BARE, &quiet, &ignored);
	if (parts == NULL || parts->expressions == 0 || is_prose(parts))
		return NULL;
	*failure = NULL;
	return compile_text(text, length, scope, failure);
}

/* Does a remark follow the first expression, or is that no expression? */
static bool
is_prose(const ArazzoText *text)
{
	const TextSegment *rest = &text->segments[1];

	if (text->segments[0].expression == NULL)
		return true;
	return text->count > 1 && rest->literal != NULL && rest->length > 1 &&
		rest->literal[0] == ' ' && rest->literal[1] == '(';
}

/* A text with embedded expressions; a constant, unfinished, without any. */
static ArazzoTemplate *
compile_text(const char *text, int length, const ExpressionScope *scope,
			 ArazzoFailure **failure)
{
	ArazzoTemplate *template = palloc0(sizeof(ArazzoTemplate));

	template->text = arazzo_text_compile(text, length, TEXT_BARE, scope, failure);
	if (template->text == NULL)
		return NULL;
	template->kind = template->text->expressions > 0 ? TEMPLATE_TEXT : TEMPLATE_CONSTANT;
	template->is_string = true;
	return template;
}

/* Selector Object (Arazzo 1.1.0). */
static ArazzoTemplate *
compile_selector(const ArazzoNode *node, const ExpressionScope *scope, ArazzoFailure **failure)
{
	ArazzoTemplate *template = palloc0(sizeof(ArazzoTemplate));

	template->kind = TEMPLATE_SELECTOR;
	template->selector = arazzo_selector_compile(node, scope, failure);
	return template->selector != NULL ? template : NULL;
}

static ArazzoTemplate *
compile_array(const ArazzoNode *node, const ExpressionScope *scope, ArazzoFailure **failure)
{
	ArazzoTemplate *template = palloc0(sizeof(ArazzoTemplate));
	int			i;

	template->kind = TEMPLATE_ARRAY;
	template->count = node->count;
	template->parts = palloc0(sizeof(TemplatePart) * Max(node->count, 1));
	for (i = 0; i < node->count; i++)
	{
		template->parts[i].template = compile_node(node->u.items[i], scope, failure);
		if (template->parts[i].template == NULL)
			return NULL;
	}
	render_container(template, node);
	return template;
}

static ArazzoTemplate *
compile_object(const ArazzoNode *node, const ExpressionScope *scope, ArazzoFailure **failure)
{
	ArazzoTemplate *template = palloc0(sizeof(ArazzoTemplate));
	int			i;

	template->kind = TEMPLATE_OBJECT;
	template->count = node->count;
	template->parts = palloc0(sizeof(TemplatePart) * Max(node->count, 1));
	for (i = 0; i < node->count; i++)
	{
		render_key(&template->parts[i], &node->u.members[i]);
		template->parts[i].template = compile_node(node->u.members[i].value, scope, failure);
		if (template->parts[i].template == NULL)
			return NULL;
	}
	render_container(template, node);
	return template;
}

static void
render_key(TemplatePart *part, const ArazzoMember *member)
{
	StringInfoData json;

	initStringInfo(&json);
	arazzo_value_append_json_string(&json, member->key, member->key_length);
	appendStringInfoChar(&json, ':');
	part->key = pnstrdup(member->key, member->key_length);
	part->key_length = member->key_length;
	part->json_key = json.data;
	part->json_key_length = json.len;
}

/*
 * A container whose parts are all constant becomes one, as JSON text in the
 * document's order; else its constant parts get their values.
 */
static void
render_container(ArazzoTemplate *template, const ArazzoNode *node)
{
	bool		object = template->kind == TEMPLATE_OBJECT;
	StringInfoData json;
	int			i;

	for (i = 0; i < template->count; i++)
	{
		if (template->parts[i].template->kind != TEMPLATE_CONSTANT)
			break;
	}
	if (i < template->count)
	{
		for (i = 0; i < template->count; i++)
			keep_value(template->parts[i].template,
					   object ? node->u.members[i].value : node->u.items[i]);
		return;
	}
	initStringInfo(&json);
	(void) append_container(template, NULL, &json, NULL);
	template->kind = TEMPLATE_CONSTANT;
	template->json = json.data;
	template->json_length = json.len;
}

/* Gives a constant its value; no others. */
static void
keep_value(ArazzoTemplate *template, const ArazzoNode *node)
{
	if (template->kind == TEMPLATE_CONSTANT && template->value == NULL)
		template->value = arazzo_value_copy(arazzo_node_to_value(node));
}

const ArazzoExpression *
arazzo_template_expression(const ArazzoTemplate *template)
{
	return template->kind == TEMPLATE_EXPRESSION ? template->expression : NULL;
}

bool
arazzo_template_is_constant(const ArazzoTemplate *template)
{
	return template->kind == TEMPLATE_CONSTANT;
}

bool
arazzo_template_is_text(const ArazzoTemplate *template)
{
	return template->is_string;
}

JsonbValue *
arazzo_template_evaluate(const ArazzoTemplate *template,
						 const ExpressionEnvironment *environment,
						 ArazzoFailure **failure)
{
	JsonbParseState *state = NULL;
	JsonbValue *value = NULL;

	if (evaluate_scalar(template, environment, &value, failure))
		return value;
	value = push_container(&state, template, environment, failure);
	if (value == NULL)
		return NULL;
	return arazzo_value_from_jsonb(JsonbValueToJsonb(value));
}

/*
 * Evaluates what is no array or object with expressions in it; false for
 * those.  *value stays NULL when it is left out and when *failure is set.
 */
static bool
evaluate_scalar(const ArazzoTemplate *template, const ExpressionEnvironment *environment,
				JsonbValue **value, ArazzoFailure **failure)
{
	switch (template->kind)
	{
		case TEMPLATE_CONSTANT:
			*value = template->value;
			return true;
		case TEMPLATE_EXPRESSION:
			*value = arazzo_expression_evaluate(template->expression, environment);
			if (*value == NULL && template->expression->root != ROOT_INPUTS)
				*failure = arazzo_failure_make(ERRCODE_ARAZZO_EXPRESSION,
											   "runtime expression \"%s\" has no value",
											   template->expression->text);
			return true;
		case TEMPLATE_TEXT:
			*value = evaluate_text(template, environment, failure);
			return true;
		case TEMPLATE_SELECTOR:
			*value = arazzo_selector_evaluate(template->selector, environment, failure);
			return true;
		default:
			return false;
	}
}

static JsonbValue *
evaluate_text(const ArazzoTemplate *template, const ExpressionEnvironment *environment,
			  ArazzoFailure **failure)
{
	StringInfoData text;

	initStringInfo(&text);
	if (!arazzo_text_append(template->text, environment, &text, failure))
		return NULL;
	return arazzo_value_string(text.data, text.len);
}

/*
 * Pushes a part of a container, with its key first if it has one; nothing
 * when it is left out.  False when *failure was set.
 */
static bool
push_template(JsonbParseState **state, JsonbIteratorToken token,
			  const ArazzoTemplate *template, const ExpressionEnvironment *environment,
			  const TemplatePart *part, ArazzoFailure **failure)
{
	JsonbValue *value = NULL;
	bool		scalar = evaluate_scalar(template, environment, &value, failure);
	JsonbValue	key;

	if (*failure != NULL)
		return false;
	if (scalar && value == NULL)
		return true;
	if (token == WJB_VALUE)
	{
		key.type = jbvString;
		key.val.string.val = unconstify(char *, part->key);
		key.val.string.len = part->key_length;
		pushJsonbValue(state, WJB_KEY, &key);
	}
	if (!scalar)
		return push_container(state, template, environment, failure) != NULL;
	pushJsonbValue(state, token, value);
	return true;
}

/* Pushes an array or an object; NULL when *failure was set. */
static JsonbValue *
push_container(JsonbParseState **state, const ArazzoTemplate *template,
			   const ExpressionEnvironment *environment, ArazzoFailure **failure)
{
	bool		object = template->kind == TEMPLATE_OBJECT;
	int			i;

	check_stack_depth();
	pushJsonbValue(state, object ? WJB_BEGIN_OBJECT : WJB_BEGIN_ARRAY, NULL);
	for (i = 0; i < template->count; i++)
	{
		const TemplatePart *part = &template->parts[i];

		if (!push_template(state, object ? WJB_VALUE : WJB_ELEM, part->template,
						   environment, part, failure))
			return NULL;
	}
	return pushJsonbValue(state, object ? WJB_END_OBJECT : WJB_END_ARRAY, NULL);
}

bool
arazzo_template_append_json(const ArazzoTemplate *template,
							const ExpressionEnvironment *environment,
							StringInfo out, ArazzoFailure **failure)
{
	JsonbValue *value = NULL;

	if (template->kind == TEMPLATE_CONSTANT)
	{
		appendBinaryStringInfo(out, template->json, template->json_length);
		return true;
	}
	if (!evaluate_scalar(template, environment, &value, failure))
		return append_container(template, environment, out, failure);
	if (value == NULL)
		return false;
	arazzo_value_append_json(out, value);
	return true;
}

/* Writes an array or an object; parts that are left out leave no trace. */
static bool
append_container(const ArazzoTemplate *template, const ExpressionEnvironment *environment,
				 StringInfo out, ArazzoFailure **failure)
{
	bool		object = template->kind == TEMPLATE_OBJECT;
	bool		first = true;
	int			i;

	check_stack_depth();
	appendStringInfoChar(out, object ? '{' : '[');
	for (i = 0; i < template->count; i++)
	{
		const TemplatePart *part = &template->parts[i];
		int			before = out->len;

		if (!first)
			appendStringInfoChar(out, ',');
		if (object)
			appendBinaryStringInfo(out, part->json_key, part->json_key_length);
		if (arazzo_template_append_json(part->template, environment, out, failure))
		{
			first = false;
			continue;
		}
		if (*failure != NULL)
			return false;
		out->len = before;
		out->data[before] = '\0';
	}
	appendStringInfoChar(out, object ? '}' : ']');
	return true;
}
