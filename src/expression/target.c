/*-------------------------------------------------------------------------
 *
 * target.c
 *	  Targets of replacements (Arazzo 1.1.0, Payload Replacement Object).
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"

#include "document/uri.h"
#include "expression/target.h"

struct ArazzoTarget
{
	SelectorKind kind;
	const char *text;
	ArazzoJsonPath *path;
	char	  **tokens;
	int			token_count;
};

static bool target_kind(const ArazzoNode *node, bool xml, SelectorKind *kind,
						const ExpressionScope *scope, ArazzoFailure **failure);
static bool compile_text(ArazzoTarget *target, ArazzoFailure **failure);
static JsonbValue *replace_nodes(const ArazzoTarget *target, JsonbValue *payload,
								 JsonbValue *value, ArazzoFailure **failure);
static JsonbValue *replace_xml(const ArazzoTarget *target, JsonbValue *payload,
							   JsonbValue *value, ArazzoFailure **failure);
static ArazzoFailure *no_such_place(const ArazzoTarget *target);
static int	location_tokens(const char *location, char ***tokens);
static const char *read_name(const char *text, StringInfo name);
static char control_character(char letter);

ArazzoTarget *
arazzo_target_compile(const ArazzoNode *node, bool xml, const ExpressionScope *scope,
					  ArazzoFailure **failure)
{
	ArazzoTarget *target = palloc0(sizeof(ArazzoTarget));
	const ArazzoNode *text = arazzo_node_member(node, "target");

	target->text = pstrdup(text->u.string);
	if (target_kind(node, xml, &target->kind, scope, failure) && compile_text(target, failure))
		return target;
	if ((*failure)->line == 0)
	{
		(*failure)->line = text->line;
		(*failure)->column = text->column;
	}
	return NULL;
}

/*
 * targetSelectorType, or what the payload is.  A target that begins as only
 * a JSONPath query does is one, also where the type is left out.
 */
static bool
target_kind(const ArazzoNode *node, bool xml, SelectorKind *kind,
			const ExpressionScope *scope, ArazzoFailure **failure)
{
	const ArazzoNode *type = arazzo_node_member(node, "targetSelectorType");
	const char *text = arazzo_node_member_text(node, "target");

	if (type != NULL)
		return arazzo_selector_type(type, NULL, kind, failure);
	*kind = xml ? SELECTOR_XPATH : SELECTOR_POINTER;
	if (!xml && text[0] == '$' && (text[1] == '.' || text[1] == '['))
	{
		*kind = SELECTOR_JSONPATH;
		if (scope != NULL && scope->accepted != NULL)
			scope->accepted(scope->owner, psprintf("target: %s", text),
							psprintf("target: %s, targetSelectorType: jsonpath", text));
	}
	return true;
}

static bool
compile_text(ArazzoTarget *target, ArazzoFailure **failure)
{
	int			length = strlen(target->text);

	switch (target->kind)
	{
		case SELECTOR_GOESSNER:
			target->text = arazzo_goessner_to_standard(target->text, length);
			length = strlen(target->text);
			/* FALLTHROUGH */
		case SELECTOR_JSONPATH:
			target->path = arazzo_jsonpath_parse(target->text, length, failure);
			return target->path != NULL;
		case SELECTOR_XPATH:
			return arazzo_xpath_check(target->text, failure);
		case SELECTOR_POINTER:
			if (arazzo_pointer_parse(target->text, length, &target->tokens, &target->token_count))
				return true;
			*failure = arazzo_failure_make(ERRCODE_ARAZZO_EXPRESSION,
										   "replacement target \"%s\" is not a JSON Pointer", target->text);
			return false;
		default:
			*failure = arazzo_failure_make(ERRCODE_ARAZZO_DOCUMENT,
										   "a replacement's type must be jsonpath, xpath or jsonpointer");
			return false;
	}
}

const char *
arazzo_target_text(const ArazzoTarget *target)
{
	return target->text;
}

bool
arazzo_target_is_json(const ArazzoTarget *target)
{
	return target->kind != SELECTOR_XPATH;
}

JsonbValue *
arazzo_target_replace(const ArazzoTarget *target, JsonbValue *payload, JsonbValue *value,
					  ArazzoFailure **failure)
{
	if (target->kind == SELECTOR_XPATH)
		return replace_xml(target, payload, value, failure);
	if (target->kind != SELECTOR_POINTER)
		return replace_nodes(target, payload, value, failure);
	payload = arazzo_value_replace(payload, target->tokens, target->token_count, value);
	if (payload == NULL)
		*failure = no_such_place(target);
	return payload;
}

static ArazzoFailure *
no_such_place(const ArazzoTarget *target)
{
	return arazzo_failure_make(ERRCODE_ARAZZO_EXPRESSION,
							   "replacement target \"%s\" is not in the payload", target->text);
}

/* The last node first: what lies inside another node is replaced before
 * that one is. */
static JsonbValue *
replace_nodes(const ArazzoTarget *target, JsonbValue *payload, JsonbValue *value,
			  ArazzoFailure **failure)
{
	List	   *nodes = NIL;
	int			i;

	if (arazzo_value_is_object(payload) || arazzo_value_is_array(payload))
		nodes = arazzo_jsonpath_query(target->path, payload, true);
	if (nodes == NIL)
	{
		*failure = no_such_place(target);
		return NULL;
	}
	for (i = list_length(nodes) - 1; i >= 0; i--)
	{
		const ArazzoJsonPathNode *node = list_nth(nodes, i);
		char	  **tokens;
		int			count = location_tokens(node->location, &tokens);
		JsonbValue *replaced = arazzo_value_replace(payload, tokens, count, value);

		CHECK_FOR_INTERRUPTS();
		if (replaced != NULL)	/* else a node around it was replaced */
			payload = replaced;
	}
	return payload;
}

static JsonbValue *
replace_xml(const ArazzoTarget *target, JsonbValue *payload, JsonbValue *value,
			ArazzoFailure **failure)
{
	char	   *replaced;

	if (payload == NULL || payload->type != jbvString)
	{
		*failure = arazzo_failure_make(ERRCODE_ARAZZO_EXPRESSION,
									   "replacement target \"%s\" needs a payload that is XML text, not %s",
									   target->text, arazzo_value_type(payload));
		return NULL;
	}
	replaced = arazzo_xml_replace(target->text,
								  pnstrdup(payload->val.string.val, payload->val.string.len),
								  arazzo_value_to_text(value), failure);
	return replaced != NULL ? arazzo_value_cstring(replaced) : NULL;
}

/* Normalized Path (RFC 9535, 2.7) to the tokens of a JSON Pointer. */
static int
location_tokens(const char *location, char ***tokens)
{
	int			room = 8;
	int			count = 0;

	*tokens = palloc(sizeof(char *) * room);
	location++;					/* "$" */
	while (*location == '[')
	{
		StringInfoData name;

		if (count == room)
			*tokens = repalloc(*tokens, sizeof(char *) * (room *= 2));
		initStringInfo(&name);
		location++;
		if (*location == '\'')
			location = read_name(location + 1, &name);
		else
		{
			int			digits = strcspn(location, "]");

			appendBinaryStringInfo(&name, location, digits);
			location += digits;
		}
		(*tokens)[count++] = name.data;
		location++;				/* "]" */
	}
	return count;
}

/* A normal-single-quoted name; returns what follows its closing quote. */
static const char *
read_name(const char *text, StringInfo name)
{
	while (*text != '\'')
	{
		if (*text != '\\')
			appendStringInfoChar(name, *text++);
		else if (text[1] == 'u')
		{
			appendStringInfoChar(name, (char) strtol(pnstrdup(text + 2, 4), NULL, 16));
			text += 6;
		}
		else
		{
			appendStringInfoChar(name, control_character(text[1]));
			text += 2;
		}
	}
	return text + 1;
}

static char
control_character(char letter)
{
	static const char letters[] = "btnfr";
	static const char controls[] = "\b\t\n\f\r";
	const char *found = strchr(letters, letter);

	return found ? controls[found - letters] : letter;
}
