/*-------------------------------------------------------------------------
 *
 * evaluate.c
 *	  The value of a runtime expression.
 *
 * The environment gives the root's value; pointer and accesses lead into
 * it.  A value that is not there is NULL, never an error.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "common/string.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"

#include "document/uri.h"
#include "expression/grammar.h"

static JsonbValue *named_value(JsonbValue *value, const ExpressionAccess *access);
static JsonbValue *numbered_element(const JsonbValue *array, const char *digits);
static JsonbValue *length_of(const JsonbValue *value);
static JsonbValue *every_element(JsonbValue *array, const ExpressionAccess *rest, int count);

JsonbValue *
arazzo_expression_evaluate(const ArazzoExpression *expression,
						   const ExpressionEnvironment *environment)
{
	JsonbValue *value = environment->lookup(environment->owner, expression);

	if (value != NULL && expression->pointer_count > 0)
		value = arazzo_pointer_value(value, expression->pointer, expression->pointer_count);
	if (value != NULL && expression->access_count > 0)
		value = arazzo_access_value(value, expression->accesses, expression->access_count);
	if (value == NULL && environment->symbolic && expression->root != ROOT_INPUTS)
		value = arazzo_expression_symbol(expression);
	return value;
}

JsonbValue *
arazzo_expression_symbol(const ArazzoExpression *expression)
{
	return arazzo_value_cstring(psprintf("{%s}", expression->text));
}

JsonbValue *
arazzo_access_value(JsonbValue *value, const ExpressionAccess *accesses, int count)
{
	int			i;

	for (i = 0; i < count && value != NULL; i++)
	{
		const ExpressionAccess *access = &accesses[i];

		if (access->name != NULL)
			value = named_value(value, access);
		else if (access->index == ACCESS_EVERY)
			return every_element(value, access + 1, count - i - 1);
		else if (arazzo_value_is_array(value))
			value = arazzo_value_element(value, access->index);
		else
			value = NULL;
	}
	return value;
}

/* ".name": a member, an element by number, or a length. */
static JsonbValue *
named_value(JsonbValue *value, const ExpressionAccess *access)
{
	JsonbValue *found = NULL;

	if (arazzo_value_is_object(value))
		found = arazzo_value_member(value, access->name, strlen(access->name));
	else if (arazzo_value_is_array(value))
		found = numbered_element(value, access->name);
	if (found == NULL && access->index == ACCESS_LENGTH)
		found = length_of(value);
	return found;
}

/* ".0" of an array, as published. */
static JsonbValue *
numbered_element(const JsonbValue *array, const char *digits)
{
	int			length = strlen(digits);

	if (length == 0 || length > 9 || strspn(digits, "0123456789") != length)
		return NULL;
	return arazzo_value_element(array, strtoint(digits, NULL, 10));
}

/* Elements of an array, characters of a string, else absent. */
static JsonbValue *
length_of(const JsonbValue *value)
{
	if (arazzo_value_is_array(value))
		return arazzo_value_int64(arazzo_value_count(value));
	if (value->type == jbvString)
		return arazzo_value_int64(pg_mbstrlen_with_len(value->val.string.val,
													   value->val.string.len));
	return NULL;
}

/* "[*]": an array of what the rest gives for each element. */
static JsonbValue *
every_element(JsonbValue *array, const ExpressionAccess *rest, int count)
{
	JsonbParseState *state = NULL;
	ArazzoValueWalk walk;
	JsonbValue	key;
	JsonbValue	element;
	JsonbValue *result;

	check_stack_depth();
	if (!arazzo_value_is_array(array))
		return NULL;
	pushJsonbValue(&state, WJB_BEGIN_ARRAY, NULL);
	arazzo_value_walk(&walk, array);
	while (arazzo_value_next(&walk, &key, &element))
	{
		JsonbValue *selected = arazzo_access_value(&element, rest, count);

		CHECK_FOR_INTERRUPTS();
		if (selected != NULL)
			pushJsonbValue(&state, WJB_ELEM, selected);
	}
	result = pushJsonbValue(&state, WJB_END_ARRAY, NULL);
	return arazzo_value_from_jsonb(JsonbValueToJsonb(result));
}
