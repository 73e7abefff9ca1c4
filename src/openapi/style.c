/*-------------------------------------------------------------------------
 *
 * style.c
 *	  Expansion of values by style and explode (OpenAPI 3.2.0, Parameter
 *	  Object, Style Values and Style Examples; RFC 6570, 3.2).
 *
 * Where the specifications leave a case open: null is written as the column
 * "undefined" of the table of examples has it, as if it were empty; null
 * within an array or object is left out (RFC 6570, 3.2.1); an array or object
 * where only a plain value can stand is written as JSON text; deepObject goes
 * as deep as the value, with the index of array items in brackets; the
 * delimited styles, which the table knows for arrays and objects only, write
 * plain values as form does, and exploded as form does.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"

#include "openapi/style.h"

static List *add_pair(List *pairs, const char *name, char *value);
static List *exploded_pairs(const char *name, const JsonbValue *value, PercentSet set);
static List *deep_pairs(List *pairs, StringInfo path, const JsonbValue *value, PercentSet set);
static List *deep_pair(List *pairs, StringInfo path, const char *key, int length,
					   const JsonbValue *value, PercentSet set);
static void append_joined(StringInfo out, const JsonbValue *value, const char *separator,
						  const char *equals, PercentSet set);
static void append_plain(StringInfo out, const JsonbValue *value, PercentSet set);
static char *plain_text(const JsonbValue *value, PercentSet set);
static char *escaped(const char *data, int length, PercentSet set);
static const char *delimiter(ParameterStyle style, PercentSet set);
static bool is_container(const JsonbValue *value);
static bool is_undefined(const JsonbValue *value);

List *
arazzo_style_pairs(const char *name, const JsonbValue *value,
				   ParameterStyle style, bool explode, PercentSet set)
{
	char	   *written = escaped(name, strlen(name), set);
	StringInfoData joined;

	if (value == NULL || is_undefined(value))
		return NIL;
	if (!is_container(value))
		return add_pair(NIL, written, plain_text(value, set));
	if (style == STYLE_DEEP_OBJECT)
	{
		StringInfoData path;

		initStringInfo(&path);
		appendStringInfoString(&path, written);
		return deep_pairs(NIL, &path, value, set);
	}
	if (explode)
		return exploded_pairs(written, value, set);
	initStringInfo(&joined);
	append_joined(&joined, value, delimiter(style, set), delimiter(style, set), set);
	return add_pair(NIL, written, joined.data);
}

void
arazzo_style_append_pairs(StringInfo out, const List *pairs, const char *separator)
{
	ListCell   *cell;

	foreach(cell, pairs)
	{
		StylePair  *pair = lfirst(cell);

		if (foreach_current_index(cell) > 0)
			appendStringInfoString(out, separator);
		appendStringInfoString(out, pair->name);
		appendStringInfoChar(out, '=');
		appendStringInfoString(out, pair->value);
	}
}

void
arazzo_style_append(StringInfo out, const char *name, const JsonbValue *value,
					ParameterStyle style, bool explode, PercentSet set)
{
	ListCell   *cell;

	if (value == NULL || is_undefined(value))
		return;
	if (style == STYLE_MATRIX)
	{
		/* RFC 6570, 3.2.7: no "=" where the value is empty */
		foreach(cell, arazzo_style_pairs(name, value, style, explode, set))
		{
			StylePair  *pair = lfirst(cell);

			appendStringInfo(out, ";%s%s%s", pair->name, pair->value[0] ? "=" : "", pair->value);
		}
		return;
	}
	if (style == STYLE_LABEL)
		appendStringInfoChar(out, '.');
	if (!is_container(value))
		append_plain(out, value, set);
	else if (style == STYLE_LABEL && explode)
		append_joined(out, value, ".", "=", set);
	else
		append_joined(out, value, delimiter(style, set),
					  explode && style == STYLE_SIMPLE ? "=" : delimiter(style, set), set);
}

static List *
add_pair(List *pairs, const char *name, char *value)
{
	StylePair  *pair = palloc(sizeof(StylePair));

	pair->name = pstrdup(name);
	pair->value = value;
	return lappend(pairs, pair);
}

/* A pair for each item of an array, each member of an object. */
static List *
exploded_pairs(const char *name, const JsonbValue *value, PercentSet set)
{
	bool		object = arazzo_value_is_object(value);
	List	   *pairs = NIL;
	ArazzoValueWalk walk;
	JsonbValue	key;
	JsonbValue	item;

	arazzo_value_walk(&walk, value);
	while (arazzo_value_next(&walk, &key, &item))
	{
		CHECK_FOR_INTERRUPTS();
		if (item.type == jbvNull)
			continue;
		if (object)
			name = escaped(key.val.string.val, key.val.string.len, set);
		pairs = add_pair(pairs, name, plain_text(&item, set));
	}
	return pairs;
}

/* name[member][0]=value for whatever lies below; path is the name so far. */
static List *
deep_pairs(List *pairs, StringInfo path, const JsonbValue *value, PercentSet set)
{
	bool		object = arazzo_value_is_object(value);
	ArazzoValueWalk walk;
	JsonbValue	key;
	JsonbValue	item;
	int			index = 0;

	check_stack_depth();
	arazzo_value_walk(&walk, value);
	while (arazzo_value_next(&walk, &key, &item))
	{
		char		digits[16];
		int			length;

		CHECK_FOR_INTERRUPTS();
		length = snprintf(digits, sizeof(digits), "%d", index++);
		if (object)
			pairs = deep_pair(pairs, path, key.val.string.val, key.val.string.len, &item, set);
		else
			pairs = deep_pair(pairs, path, digits, length, &item, set);
	}
	return pairs;
}

/* One member or item below path, which is as it was afterwards. */
static List *
deep_pair(List *pairs, StringInfo path, const char *key, int length,
		  const JsonbValue *value, PercentSet set)
{
	int			end = path->len;

	if (value->type == jbvNull)
		return pairs;
	appendStringInfoString(path, set == PERCENT_NONE ? "[" : "%5B");
	arazzo_percent_append(path, key, length, set);
	appendStringInfoString(path, set == PERCENT_NONE ? "]" : "%5D");
	if (is_container(value))
		pairs = deep_pairs(pairs, path, value, set);
	else
		pairs = add_pair(pairs, path->data, plain_text(value, set));
	path->len = end;
	path->data[end] = '\0';
	return pairs;
}

/* Items, or names and values, one after the other. */
static void
append_joined(StringInfo out, const JsonbValue *value, const char *separator,
			  const char *equals, PercentSet set)
{
	bool		object = arazzo_value_is_object(value);
	bool		first = true;
	ArazzoValueWalk walk;
	JsonbValue	key;
	JsonbValue	item;

	arazzo_value_walk(&walk, value);
	while (arazzo_value_next(&walk, &key, &item))
	{
		CHECK_FOR_INTERRUPTS();
		if (item.type == jbvNull)
			continue;
		if (!first)
			appendStringInfoString(out, separator);
		first = false;
		if (object)
		{
			arazzo_percent_append(out, key.val.string.val, key.val.string.len, set);
			appendStringInfoString(out, equals);
		}
		append_plain(out, &item, set);
	}
}

/* A value as text, null as nothing. */
static void
append_plain(StringInfo out, const JsonbValue *value, PercentSet set)
{
	char	   *text;

	if (value->type == jbvNull)
		return;
	if (value->type == jbvString)
	{
		arazzo_percent_append(out, value->val.string.val, value->val.string.len, set);
		return;
	}
	text = arazzo_value_to_text(value);
	arazzo_percent_append(out, text, strlen(text), set);
	pfree(text);
}

static char *
plain_text(const JsonbValue *value, PercentSet set)
{
	StringInfoData text;

	initStringInfo(&text);
	append_plain(&text, value, set);
	return text.data;
}

static char *
escaped(const char *data, int length, PercentSet set)
{
	StringInfoData text;

	initStringInfo(&text);
	arazzo_percent_append(&text, data, length, set);
	return text.data;
}

/* What stands between the items of a value that is not exploded. */
static const char *
delimiter(ParameterStyle style, PercentSet set)
{
	switch (style)
	{
		case STYLE_SPACE_DELIMITED:
			return set == PERCENT_NONE ? " " : "%20";
		case STYLE_PIPE_DELIMITED:
			return set == PERCENT_NONE ? "|" : "%7C";
		case STYLE_TAB_DELIMITED:
			return set == PERCENT_NONE ? "\t" : "%09";
		default:
			return ",";
	}
}

static bool
is_container(const JsonbValue *value)
{
	return arazzo_value_is_object(value) || arazzo_value_is_array(value);
}

/* RFC 6570, 2.3: an array or object without a member that is defined. */
static bool
is_undefined(const JsonbValue *value)
{
	ArazzoValueWalk walk;
	JsonbValue	key;
	JsonbValue	item;

	if (!is_container(value))
		return false;
	arazzo_value_walk(&walk, value);
	while (arazzo_value_next(&walk, &key, &item))
	{
		if (item.type != jbvNull)
			return false;
	}
	return true;
}
