/*-------------------------------------------------------------------------
 *
 * mask_value.c
 *	  Hiding secrets in values that are kept.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "http/mask.h"
#include "http/mask_value.h"

static bool holds_secret(Jsonb *jsonb, List *secrets);
static bool mask_string(JsonbValue *value, List *secrets);

Jsonb *
arazzo_mask_jsonb(Jsonb *jsonb, List *secrets)
{
	JsonbParseState *state = NULL;
	JsonbValue *result = NULL;
	JsonbIterator *iterator;
	JsonbIteratorToken token;
	JsonbValue	value;

	if (secrets == NIL || !holds_secret(jsonb, secrets))
		return jsonb;
	iterator = JsonbIteratorInit(&jsonb->root);
	while ((token = JsonbIteratorNext(&iterator, &value, false)) != WJB_DONE)
	{
		bool		scalar = token == WJB_KEY || token == WJB_VALUE || token == WJB_ELEM;

		if (scalar)
			(void) mask_string(&value, secrets);
		/* an array says whether it stands for a scalar */
		result = pushJsonbValue(&state, token, scalar || token == WJB_BEGIN_ARRAY ? &value : NULL);
	}
	return JsonbValueToJsonb(result);
}

static bool
holds_secret(Jsonb *jsonb, List *secrets)
{
	JsonbIterator *iterator = JsonbIteratorInit(&jsonb->root);
	JsonbIteratorToken token;
	JsonbValue	value;

	while ((token = JsonbIteratorNext(&iterator, &value, false)) != WJB_DONE)
	{
		if ((token == WJB_KEY || token == WJB_VALUE || token == WJB_ELEM) && mask_string(&value, secrets))
			return true;
	}
	return false;
}

/* False when there is nothing to hide in it. */
static bool
mask_string(JsonbValue *value, List *secrets)
{
	char	   *text;
	char	   *masked;

	if (value->type != jbvString)
		return false;
	text = pnstrdup(value->val.string.val, value->val.string.len);
	masked = arazzo_mask_text(text, secrets);
	value->val.string.val = masked;
	value->val.string.len = strlen(masked);
	return masked != text;
}
