/*-------------------------------------------------------------------------
 *
 * value_replace.c
 *	  A value put in place at a JSON Pointer.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/builtins.h"

#include "support/value.h"

static bool push_replaced(JsonbParseState **state, JsonbValue **result, const JsonbValue *container,
						  char **tokens, int count, JsonbValue *replacement);
static bool push_child(JsonbParseState **state, JsonbValue **result, JsonbIteratorToken token,
					   const JsonbValue *child, char **tokens, int count, JsonbValue *replacement);

JsonbValue *
arazzo_value_replace(JsonbValue *root, char **tokens, int count, JsonbValue *replacement)
{
	JsonbParseState *state = NULL;
	JsonbValue *result = NULL;

	if (count == 0)
		return replacement;
	if (root && root->type == jbvBinary &&
		push_replaced(&state, &result, root, tokens, count, replacement))
		return arazzo_value_from_jsonb(JsonbValueToJsonb(result));
	return NULL;
}

/* Pushes a container with the replacement made in it; false if the pointer
 * leads nowhere. */
static bool
push_replaced(JsonbParseState **state, JsonbValue **result, const JsonbValue *container,
			  char **tokens, int count, JsonbValue *replacement)
{
	bool		object = arazzo_value_is_object(container);
	bool		done = false;
	int			index = 0;
	ArazzoValueWalk walk;
	JsonbValue	key;
	JsonbValue	child;

	check_stack_depth();
	*result = pushJsonbValue(state, object ? WJB_BEGIN_OBJECT : WJB_BEGIN_ARRAY, NULL);
	arazzo_value_walk(&walk, container);
	while (arazzo_value_next(&walk, &key, &child))
	{
		bool		here = object ?
			(strlen(tokens[0]) == (size_t) key.val.string.len && memcmp(tokens[0], key.val.string.val, key.val.string.len) == 0) :
			strcmp(tokens[0], psprintf("%d", index)) == 0;

		if (object)
			*result = pushJsonbValue(state, WJB_KEY, &key);
		if (here)
		{
			done = push_child(state, result, object ? WJB_VALUE : WJB_ELEM, &child, tokens, count, replacement);
			if (!done)
				return false;
		}
		else
			*result = pushJsonbValue(state, object ? WJB_VALUE : WJB_ELEM, &child);
		index++;
	}
	if (!done && count == 1 && (object || strcmp(tokens[0], "-") == 0))
	{
		if (object)
			*result = pushJsonbValue(state, WJB_KEY, arazzo_value_cstring(tokens[0]));
		*result = pushJsonbValue(state, object ? WJB_VALUE : WJB_ELEM, replacement);
		done = true;
	}
	*result = pushJsonbValue(state, object ? WJB_END_OBJECT : WJB_END_ARRAY, NULL);
	return done;
}

/* The child that the pointer names: replaced, or replaced inside. */
static bool
push_child(JsonbParseState **state, JsonbValue **result, JsonbIteratorToken token,
		   const JsonbValue *child, char **tokens, int count, JsonbValue *replacement)
{
	if (count == 1)
	{
		*result = pushJsonbValue(state, token, replacement);
		return true;
	}
	if (child->type != jbvBinary)
		return false;
	return push_replaced(state, result, child, tokens + 1, count - 1, replacement);
}
