/*-------------------------------------------------------------------------
 *
 * jsonpath_functions.c
 *	  The functions that RFC 9535 defines (2.4.4 to 2.4.8).
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/memutils.h"
#include "utils/numeric.h"

#include "expression/jsonpath_internal.h"

static bool length_value(JsonPathRun *run, const JsonPathCall *call,
						 const JsonbValue *current, JsonbValue *result);
static bool count_value(JsonPathRun *run, const JsonPathCall *call,
						const JsonbValue *current, JsonbValue *result);
static bool value_value(JsonPathRun *run, const JsonPathCall *call,
						const JsonbValue *current, JsonbValue *result);
static bool pattern_holds(JsonPathRun *run, const JsonPathCall *call,
						  const JsonbValue *current);
static ArazzoRegex *call_pattern(JsonPathRun *run, const JsonPathCall *call,
								   const JsonbValue *current);
static void keep_pattern(JsonPathRun *run, JsonPathPattern *kept, bool whole,
						 const JsonbValue *text);
static int64 character_count(const JsonbValue *string);
static void set_integer(JsonbValue *result, int64 integer);

static const JsonPathFunction functions[] = {
	{
		.name = "length",.result = TYPE_VALUE,
		.parameter_count = 1,.parameters = {TYPE_VALUE},
		.value = length_value
	},
	{
		.name = "count",.result = TYPE_VALUE,
		.parameter_count = 1,.parameters = {TYPE_NODES},
		.value = count_value
	},
	{
		.name = "value",.result = TYPE_VALUE,
		.parameter_count = 1,.parameters = {TYPE_NODES},
		.value = value_value
	},
	{
		.name = "match",.result = TYPE_LOGICAL,
		.parameter_count = 2,.parameters = {TYPE_VALUE, TYPE_VALUE},
		.takes_pattern = true,.whole = true,
		.logical = pattern_holds
	},
	{
		.name = "search",.result = TYPE_LOGICAL,
		.parameter_count = 2,.parameters = {TYPE_VALUE, TYPE_VALUE},
		.takes_pattern = true,.whole = false,
		.logical = pattern_holds
	}
};

const JsonPathFunction *
arazzo_jsonpath_function(const char *name, int length)
{
	for (int i = 0; i < lengthof(functions); i++)
	{
		if (strlen(functions[i].name) == length &&
			memcmp(functions[i].name, name, length) == 0)
			return &functions[i];
	}
	return NULL;
}

/* length() (2.4.4) */
static bool
length_value(JsonPathRun *run, const JsonPathCall *call, const JsonbValue *current,
			 JsonbValue *result)
{
	JsonbValue	value;

	if (!arazzo_jsonpath_operand(run, &call->arguments[0], current, &value))
		return false;
	if (value.type == jbvString)
		set_integer(result, character_count(&value));
	else if (value.type == jbvBinary)
		set_integer(result, arazzo_value_count(&value));
	else
		return false;
	return true;
}

/* count() (2.4.5) */
static bool
count_value(JsonPathRun *run, const JsonPathCall *call, const JsonbValue *current,
			JsonbValue *result)
{
	set_integer(result, arazzo_jsonpath_count(run, call->arguments[0].is.query, current,
											  PG_INT64_MAX, NULL));
	return true;
}

/* value() (2.4.8) */
static bool
value_value(JsonPathRun *run, const JsonPathCall *call, const JsonbValue *current,
			JsonbValue *result)
{
	return arazzo_jsonpath_count(run, call->arguments[0].is.query, current, 2, result) == 1;
}

/* match() (2.4.6) and search() (2.4.7) */
static bool
pattern_holds(JsonPathRun *run, const JsonPathCall *call, const JsonbValue *current)
{
	JsonbValue	string;
	ArazzoRegex *pattern;

	if (!arazzo_jsonpath_operand(run, &call->arguments[0], current, &string) ||
		string.type != jbvString)
		return false;
	pattern = call_pattern(run, call, current);
	return pattern != NULL &&
		arazzo_regex_search(pattern, string.val.string.val, string.val.string.len);
}

/*
 * The pattern of a call, NULL when there is no valid one.  One from the data
 * is compiled anew only when it differs from the one before.
 */
static ArazzoRegex *
call_pattern(JsonPathRun *run, const JsonPathCall *call, const JsonbValue *current)
{
	JsonPathPattern *kept;
	JsonbValue	text;

	if (call->pattern_constant)
		return call->pattern;
	if (!arazzo_jsonpath_operand(run, &call->arguments[1], current, &text) ||
		text.type != jbvString)
		return NULL;
	kept = &run->patterns[call->pattern_slot];
	if (kept->context == NULL || kept->length != text.val.string.len ||
		memcmp(kept->text, text.val.string.val, kept->length) != 0)
		keep_pattern(run, kept, call->function->whole, &text);
	return kept->regex;
}

/* Takes the place of the pattern kept before; throws when it is too complex. */
static void
keep_pattern(JsonPathRun *run, JsonPathPattern *kept, bool whole, const JsonbValue *text)
{
	MemoryContext old;
	ArazzoFailure *failure = NULL;

	if (kept->context != NULL)
		MemoryContextDelete(kept->context);
	memset(kept, 0, sizeof(JsonPathPattern));
	kept->context = AllocSetContextCreate(run->context, "JSONPath pattern",
										  ALLOCSET_SMALL_SIZES);
	old = MemoryContextSwitchTo(kept->context);
	kept->length = text->val.string.len;
	kept->text = pnstrdup(text->val.string.val, kept->length);
	kept->regex = arazzo_iregexp_compile(kept->text, kept->length, whole, &failure);
	MemoryContextSwitchTo(old);
	if (failure != NULL)
		arazzo_failure_report(failure, ERROR);
}

/* Unicode scalar values of a string */
static int64
character_count(const JsonbValue *string)
{
	int64		count = 0;

	for (int i = 0; i < string->val.string.len; i++)
	{
		if ((string->val.string.val[i] & 0xC0) != 0x80)
			count++;
	}
	return count;
}

static void
set_integer(JsonbValue *result, int64 integer)
{
	result->type = jbvNumeric;
	result->val.numeric = int64_to_numeric(integer);
}
