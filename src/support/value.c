/*-------------------------------------------------------------------------
 *
 * value.c
 *	  Values as runs, expressions and bodies see them, over jsonb.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/builtins.h"
#include "utils/numeric.h"

#include "support/value.h"

static void copy_out(JsonbValue *copy, const JsonbValue *value);

JsonbValue *
arazzo_value_from_jsonb(Jsonb *jsonb)
{
	JsonbValue *value = palloc(sizeof(JsonbValue));

	if (JB_ROOT_IS_SCALAR(jsonb))
		(void) JsonbExtractScalar(&jsonb->root, value);
	else
	{
		value->type = jbvBinary;
		value->val.binary.data = &jsonb->root;
		value->val.binary.len = VARSIZE(jsonb) - VARHDRSZ;
	}
	return value;
}

Jsonb *
arazzo_value_to_jsonb(const JsonbValue *value)
{
	JsonbValue	none;

	if (value == NULL)
	{
		none.type = jbvNull;
		return JsonbValueToJsonb(&none);
	}
	return JsonbValueToJsonb(unconstify(JsonbValue *, value));
}

JsonbValue *
arazzo_value_copy(const JsonbValue *value)
{
	JsonbValue *copy;

	if (value == NULL)
		return NULL;
	copy = palloc(sizeof(JsonbValue));
	copy_out(copy, value);
	return copy;
}

/* Fills a value with a copy of what another points to. */
static void
copy_out(JsonbValue *copy, const JsonbValue *value)
{
	*copy = *value;
	switch (value->type)
	{
		case jbvString:
			copy->val.string.val = palloc(value->val.string.len + 1);
			memcpy(copy->val.string.val, value->val.string.val, value->val.string.len);
			copy->val.string.val[value->val.string.len] = '\0';
			break;
		case jbvNumeric:
			copy->val.numeric = palloc(VARSIZE_ANY(value->val.numeric));
			memcpy(copy->val.numeric, value->val.numeric, VARSIZE_ANY(value->val.numeric));
			break;
		case jbvBinary:
			copy->val.binary.data = palloc(value->val.binary.len);
			memcpy(copy->val.binary.data, value->val.binary.data, value->val.binary.len);
			break;
		default:
			break;
	}
}

JsonbValue *
arazzo_value_null(void)
{
	JsonbValue *value = palloc(sizeof(JsonbValue));

	value->type = jbvNull;
	return value;
}

JsonbValue *
arazzo_value_bool(bool boolean)
{
	JsonbValue *value = palloc(sizeof(JsonbValue));

	value->type = jbvBool;
	value->val.boolean = boolean;
	return value;
}

JsonbValue *
arazzo_value_int64(int64 number)
{
	JsonbValue *value = palloc(sizeof(JsonbValue));

	value->type = jbvNumeric;
	value->val.numeric = int64_to_numeric(number);
	return value;
}

JsonbValue *
arazzo_value_string(const char *data, int length)
{
	JsonbValue *value = palloc(sizeof(JsonbValue));

	value->type = jbvString;
	value->val.string.val = unconstify(char *, data);
	value->val.string.len = length;
	return value;
}

JsonbValue *
arazzo_value_cstring(const char *string)
{
	return arazzo_value_string(string, strlen(string));
}

bool
arazzo_value_is_object(const JsonbValue *value)
{
	return value != NULL && value->type == jbvBinary &&
		JsonContainerIsObject(value->val.binary.data);
}

bool
arazzo_value_is_array(const JsonbValue *value)
{
	return value != NULL && value->type == jbvBinary &&
		JsonContainerIsArray(value->val.binary.data);
}

int
arazzo_value_count(const JsonbValue *value)
{
	if (value == NULL || value->type != jbvBinary)
		return 0;
	return JsonContainerSize(value->val.binary.data);
}

JsonbValue *
arazzo_value_member(const JsonbValue *object, const char *key, int length)
{
	if (!arazzo_value_is_object(object))
		return NULL;
	return getKeyJsonValueFromContainer(object->val.binary.data, key, length, NULL);
}

JsonbValue *
arazzo_value_member_cstring(const JsonbValue *object, const char *key)
{
	return arazzo_value_member(object, key, strlen(key));
}

JsonbValue *
arazzo_value_element(const JsonbValue *array, uint32 index)
{
	if (!arazzo_value_is_array(array))
		return NULL;
	return getIthJsonbValueFromContainer(array->val.binary.data, index);
}

char *
arazzo_value_member_text(const JsonbValue *object, const char *key)
{
	JsonbValue *member = arazzo_value_member_cstring(object, key);

	if (member == NULL || member->type != jbvString)
		return NULL;
	return pnstrdup(member->val.string.val, member->val.string.len);
}

void
arazzo_value_walk(ArazzoValueWalk *walk, const JsonbValue *container)
{
	JsonbValue	ignored;

	walk->iterator = NULL;
	if (container == NULL || container->type != jbvBinary)
		return;
	walk->iterator = JsonbIteratorInit(container->val.binary.data);
	(void) JsonbIteratorNext(&walk->iterator, &ignored, true);
}

bool
arazzo_value_next(ArazzoValueWalk *walk, JsonbValue *key, JsonbValue *value)
{
	JsonbValue	item;
	JsonbIteratorToken token;

	if (walk->iterator == NULL)
		return false;
	token = JsonbIteratorNext(&walk->iterator, &item, true);
	if (token == WJB_KEY)
	{
		*key = item;
		(void) JsonbIteratorNext(&walk->iterator, value, true);
		return true;
	}
	if (token == WJB_ELEM)
	{
		*value = item;
		return true;
	}
	walk->iterator = NULL;
	return false;
}

const char *
arazzo_value_type(const JsonbValue *value)
{
	if (value == NULL)
		return "absent";
	switch (value->type)
	{
		case jbvNull:
			return "null";
		case jbvBool:
			return "boolean";
		case jbvNumeric:
			return "number";
		case jbvString:
			return "string";
		default:
			return arazzo_value_is_array(value) ? "array" : "object";
	}
}

bool
arazzo_value_equal(const JsonbValue *a, const JsonbValue *b)
{
	if (a == NULL || b == NULL)
		return a == b;
	if (a->type != b->type)
		return false;
	switch (a->type)
	{
		case jbvNull:
			return true;
		case jbvBool:
			return a->val.boolean == b->val.boolean;
		case jbvNumeric:
			return DatumGetBool(DirectFunctionCall2(numeric_eq,
													NumericGetDatum(a->val.numeric),
													NumericGetDatum(b->val.numeric)));
		case jbvString:
			return a->val.string.len == b->val.string.len &&
				memcmp(a->val.string.val, b->val.string.val, a->val.string.len) == 0;
		default:
			return arazzo_value_is_array(a) == arazzo_value_is_array(b) &&
				compareJsonbContainers(a->val.binary.data, b->val.binary.data) == 0;
	}
}
