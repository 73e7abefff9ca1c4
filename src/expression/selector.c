/*-------------------------------------------------------------------------
 *
 * selector.c
 *	  Selector Objects, and the types and versions that selectors and
 *	  criteria name (Arazzo 1.1.0, Selector Object, Expression Type Object).
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "document/uri.h"
#include "expression/selector.h"

struct ArazzoSelector
{
	SelectorKind kind;
	ArazzoExpression *context;
	const char *text;
	ArazzoJsonPath *path;
	char	  **tokens;
	int			token_count;
};

typedef struct KindRule
{
	const char *type;
	const char *version;		/* NULL for the type without a version */
	int			kind;			/* SelectorKind, or -1 when not supported */
} KindRule;

/*
 * xpath without a version is 3.1 by 1.1.0; documents that leave the version
 * out hold paths that are the same in 1.0, so these are run as 1.0.
 */
static const KindRule kind_rules[] = {
	{"simple", NULL, SELECTOR_SIMPLE},
	{"regex", NULL, SELECTOR_REGEX},
	{"jsonpath", NULL, SELECTOR_JSONPATH},
	{"jsonpath", "rfc9535", SELECTOR_JSONPATH},
	{"jsonpath", "draft-goessner-dispatch-jsonpath-00", SELECTOR_GOESSNER},
	{"jsonpointer", NULL, SELECTOR_POINTER},
	{"jsonpointer", "rfc6901", SELECTOR_POINTER},
	{"xpath", NULL, SELECTOR_XPATH},
	{"xpath", "xpath-10", SELECTOR_XPATH},
	{"xpath", "xpath-20", -1},
	{"xpath", "xpath-30", -1},
	{"xpath", "xpath-31", -1},
	{0}
};

static bool compile_selector_text(ArazzoSelector *selector, ArazzoFailure **failure);
static JsonbValue *select_nodes(const ArazzoJsonPath *path, const JsonbValue *context,
								ArazzoFailure **failure);
static JsonbValue *select_xml(const ArazzoSelector *selector, const JsonbValue *context,
							  ArazzoFailure **failure);
static ArazzoFailure *placed(ArazzoFailure *failure, const ArazzoNode *node);

bool
arazzo_selector_kind(const ArazzoNode *node, SelectorKind *kind,
					 const ExpressionScope *scope, ArazzoFailure **failure)
{
	const ArazzoNode *type_node = arazzo_node_member(node, "type");
	const char *version = arazzo_node_member_text(node, "version");

	if (type_node == NULL)
	{
		*kind = SELECTOR_SIMPLE;
		return true;
	}
	if (type_node->type == NODE_STRING && version != NULL && scope != NULL && scope->accepted != NULL)
		scope->accepted(scope->owner, psprintf("type: %s, version: %s", type_node->u.string, version),
						psprintf("type: {type: %s, version: %s}", type_node->u.string, version));
	return arazzo_selector_type(type_node, version, kind, failure);
}

bool
arazzo_selector_type(const ArazzoNode *type_node, const char *version,
					 SelectorKind *kind, ArazzoFailure **failure)
{
	const char *type = type_node->type == NODE_STRING ? type_node->u.string : NULL;
	const KindRule *rule;

	if (type_node->type == NODE_OBJECT)
	{
		type = arazzo_node_member_text(type_node, "type");
		version = arazzo_node_member_text(type_node, "version");
	}
	for (rule = kind_rules; type != NULL && rule->type != NULL; rule++)
	{
		if (strcmp(rule->type, type) != 0 ||
			(rule->version == NULL) != (version == NULL) ||
			(version != NULL && strcmp(rule->version, version) != 0))
			continue;
		if (rule->kind >= 0)
		{
			*kind = rule->kind;
			return true;
		}
		*failure = arazzo_failure_make(ERRCODE_FEATURE_NOT_SUPPORTED,
									   "expression type \"%s\" version \"%s\" is not supported",
									   type, version);
		arazzo_failure_hint(*failure, "Write the path for XPath 1.0 and name the version \"xpath-10\".");
		placed(*failure, type_node);
		return false;
	}
	*failure = arazzo_failure_make(ERRCODE_ARAZZO_DOCUMENT,
								   "unknown expression type \"%s\"%s%s%s",
								   type ? type : arazzo_node_type_name(type_node),
								   version ? " version \"" : "", version ? version : "",
								   version ? "\"" : "");
	placed(*failure, type_node);
	return false;
}

/* Puts a node's position on a failure that has none. */
static ArazzoFailure *
placed(ArazzoFailure *failure, const ArazzoNode *node)
{
	if (failure->line == 0)
	{
		failure->line = node->line;
		failure->column = node->column;
	}
	return failure;
}

char *
arazzo_goessner_to_standard(const char *text, int length)
{
	static const char before[] = "[(@.length-";
	StringInfoData out;
	int			i = 0;

	initStringInfo(&out);
	while (i < length)
	{
		const char *digits = text + i + strlen(before);
		int			n;

		if (length - i > strlen(before) && memcmp(text + i, before, strlen(before)) == 0 &&
			(n = strspn(digits, "0123456789")) > 0 && strncmp(digits + n, ")]", 2) == 0)
		{
			appendStringInfo(&out, "[-%.*s]", n, digits);
			i += strlen(before) + n + 2;
		}
		else
			appendStringInfoChar(&out, text[i++]);
	}
	return out.data;
}

bool
arazzo_selector_is(const ArazzoNode *node)
{
	const ArazzoNode *context = arazzo_node_member(node, "context");
	const ArazzoNode *type = arazzo_node_member(node, "type");
	const char *selector = arazzo_node_member_text(node, "selector");

	if (node->count > 3 || context == NULL || context->type != NODE_STRING || selector == NULL)
		return false;
	if (!arazzo_expression_is_whole(context->u.string, context->count))
		return false;
	if (type == NULL)
		return node->count == 2 && selector[0] == '$';
	return type->type == NODE_STRING || type->type == NODE_OBJECT;
}

ArazzoSelector *
arazzo_selector_compile(const ArazzoNode *node, const ExpressionScope *scope,
						ArazzoFailure **failure)
{
	ArazzoSelector *selector = palloc0(sizeof(ArazzoSelector));
	const ArazzoNode *context = arazzo_node_member(node, "context");

	if (!arazzo_selector_kind(node, &selector->kind, scope, failure))
		return NULL;
	if (arazzo_node_member(node, "type") == NULL)
		selector->kind = SELECTOR_JSONPATH;
	selector->context = arazzo_expression_parse(context->u.string, context->count,
												scope, failure);
	if (selector->context == NULL)
	{
		placed(*failure, context);
		return NULL;
	}
	selector->text = pstrdup(arazzo_node_member_text(node, "selector"));
	if (compile_selector_text(selector, failure))
		return selector;
	placed(*failure, arazzo_node_member(node, "selector"));
	return NULL;
}

static bool
compile_selector_text(ArazzoSelector *selector, ArazzoFailure **failure)
{
	int			length = strlen(selector->text);

	switch (selector->kind)
	{
		case SELECTOR_GOESSNER:
			selector->text = arazzo_goessner_to_standard(selector->text, length);
			length = strlen(selector->text);
			/* FALLTHROUGH */
		case SELECTOR_JSONPATH:
			selector->path = arazzo_jsonpath_parse(selector->text, length, failure);
			return selector->path != NULL;
		case SELECTOR_XPATH:
			return arazzo_xpath_check(selector->text, failure);
		case SELECTOR_POINTER:
			if (arazzo_pointer_parse(selector->text, length, &selector->tokens,
									 &selector->token_count))
				return true;
			*failure = arazzo_failure_make(ERRCODE_ARAZZO_EXPRESSION,
										   "malformed JSON Pointer \"%s\"", selector->text);
			return false;
		default:
			*failure = arazzo_failure_make(ERRCODE_ARAZZO_DOCUMENT,
										   "a selector's type must be jsonpath, xpath or jsonpointer");
			return false;
	}
}

JsonbValue *
arazzo_selector_evaluate(const ArazzoSelector *selector,
						 const ExpressionEnvironment *environment,
						 ArazzoFailure **failure)
{
	ExpressionEnvironment exact = *environment;
	JsonbValue *context;
	JsonbValue *selected = NULL;

	exact.symbolic = false;
	context = arazzo_expression_evaluate(selector->context, &exact);
	if (context == NULL && selector->context->root == ROOT_INPUTS)
		return NULL;
	if (context != NULL && selector->kind == SELECTOR_XPATH)
		selected = select_xml(selector, context, failure);
	else if (context != NULL && selector->kind == SELECTOR_POINTER)
		selected = arazzo_pointer_value(context, selector->tokens, selector->token_count);
	else if (context != NULL)
		selected = select_nodes(selector->path, context, failure);
	if (selected != NULL || *failure != NULL)
		return selected;
	if (environment->symbolic)
		return arazzo_value_cstring(psprintf("{%s %s}", selector->context->text,
											 selector->text));
	*failure = arazzo_failure_make(ERRCODE_ARAZZO_EXPRESSION,
								   "selector \"%s\" of \"%s\" has no value",
								   selector->text, selector->context->text);
	return NULL;
}

/* The one node a query selects, an array of several, NULL for none. */
static JsonbValue *
select_nodes(const ArazzoJsonPath *path, const JsonbValue *context, ArazzoFailure **failure)
{
	List	   *nodes;
	char	   *problem = NULL;
	JsonbParseState *state = NULL;
	ListCell   *cell;

	if (!arazzo_value_is_object(context) && !arazzo_value_is_array(context))
		return NULL;
	nodes = arazzo_query_nodes(path, context, &problem);
	if (problem != NULL)
		*failure = arazzo_failure_make(ERRCODE_ARAZZO_EXPRESSION, "%s", problem);
	if (list_length(nodes) <= 1)
		return nodes == NIL ? NULL : ((ArazzoJsonPathNode *) linitial(nodes))->value;
	pushJsonbValue(&state, WJB_BEGIN_ARRAY, NULL);
	foreach(cell, nodes)
		pushJsonbValue(&state, WJB_ELEM, ((ArazzoJsonPathNode *) lfirst(cell))->value);
	return arazzo_value_from_jsonb(JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_ARRAY, NULL)));
}

/* XPath over a context that must be XML text. */
static JsonbValue *
select_xml(const ArazzoSelector *selector, const JsonbValue *context, ArazzoFailure **failure)
{
	if (context->type != jbvString)
		return NULL;
	return arazzo_xpath_value(selector->text, context->val.string.val,
							  context->val.string.len, failure);
}
