/*-------------------------------------------------------------------------
 *
 * validate.c
 *	  Applying a compiled schema: the walk, the assertions on scalars, errors.
 *
 * Nothing is allocated while an instance is valid, save for what uniqueItems,
 * multipleOf, long strings under a pattern and unevaluated* need.  A place in
 * the instance is a chain of stack frames that becomes a pointer only when an
 * error is told.
 *
 * Messages show what the schema expects and what numbers there were, never a
 * string of the instance: it may be a secret.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/builtins.h"

#include "document/uri.h"
#include "schema/instance.h"
#include "schema/schema_internal.h"
#include "support/strings.h"

/*
 * Schemas that apply to one and the same instance without going down: a chain
 * longer than there are schemas visits one twice, which would never end.
 */
#define IN_PLACE_MAX 1000

/* Values in messages are cut after so many bytes. */
#define SHOWN_VALUE 60

static bool run_steps(Validation *v, const SchemaNode *node, const JsonbValue *value,
					  const Place *place, Evaluated *evaluated);
static bool apply_with_scope(Validation *v, const SchemaNode *node, const JsonbValue *value,
							 const Place *place, Evaluated *evaluated);
static void append_place(StringInfo out, const Place *place);
static void append_values(StringInfo out, const ValueSet *set);
static int	compare_numbers(Numeric a, Numeric b);
static bool is_multiple(Numeric number, const NumberRules *rules);
static bool check_bound(Validation *v, const SchemaNode *node, const Place *place,
						Numeric number, NumberBound bound);
static bool check_lengths(Validation *v, const SchemaNode *node, const JsonbValue *value, const Place *place);

/* See schema.h. */
bool
arazzo_schema_validate(const ArazzoSchema *schema, const JsonbValue *instance, List **errors)
{
	Validation	v;
	bool		valid;

	memset(&v, 0, sizeof(v));
	v.schema = schema;
	v.errors = errors;
	valid = arazzo_schema_apply(&v, schema->root, instance, NULL, NULL);
	if (v.abandoned)
		return arazzo_schema_violation(&v, v.loop, NULL, NULL, "schema refers to itself without end");
	return valid;
}

/* Applies a node to an instance, below or beside what is applied already. */
bool
arazzo_schema_apply(Validation *v, const SchemaNode *node, const JsonbValue *value,
					const Place *place, Evaluated *evaluated)
{
	bool		valid;

	if (node->denies)
		return arazzo_schema_violation(v, node, place, NULL, "no value is allowed here");
	if (node->step_count == 0)
		return true;
	if (v->abandoned)
		return false;
	check_stack_depth();
	if (v->in_place >= IN_PLACE_MAX || v->in_place > v->schema->node_count * 2)
	{
		v->abandoned = true;
		v->loop = node;
		return false;
	}
	v->in_place++;
	if (v->schema->is_dynamic && (v->scope == NULL || v->scope->resource != node->resource))
		valid = apply_with_scope(v, node, value, place, evaluated);
	else
		valid = run_steps(v, node, value, place, evaluated);
	v->in_place--;
	return valid;
}

/* Applies a node to a member or an element. */
bool
arazzo_schema_apply_below(Validation *v, const SchemaNode *node, const JsonbValue *value, const Place *place)
{
	int			in_place = v->in_place;
	bool		valid;

	v->in_place = 0;
	valid = arazzo_schema_apply(v, node, value, place, NULL);
	v->in_place = in_place;
	return valid;
}

/*
 * Notes a violation of a keyword (NULL: of the schema as a whole).  Returns
 * false, so that a check may end with it.
 */
bool
arazzo_schema_violation(Validation *v, const SchemaNode *node, const Place *place,
						const char *keyword, const char *format,...)
{
	SchemaError *error;
	StringInfoData text;
	va_list		arguments;

	if (v->errors == NULL)
		return false;
	error = palloc(sizeof(SchemaError));

	initStringInfo(&text);
	append_place(&text, place);
	error->instance_pointer = text.data;

	error->schema_pointer = arazzo_schema_location(node, keyword);

	va_start(arguments, format);
	error->message = arazzo_format(format, arguments);
	va_end(arguments);

	*v->errors = lappend(*v->errors, error);
	return false;
}

/* The types an instance is of, as bits. */
int
arazzo_schema_type_of(const JsonbValue *value)
{
	switch (value->type)
	{
		case jbvNull:
			return TYPE_NULL;
		case jbvBool:
			return TYPE_BOOLEAN;
		case jbvNumeric:
			return arazzo_schema_is_integer(value->val.numeric) ? TYPE_NUMBER | TYPE_INTEGER : TYPE_NUMBER;
		case jbvString:
			return TYPE_STRING;
		default:
			return arazzo_value_is_array(value) ? TYPE_ARRAY : TYPE_OBJECT;
	}
}

/* "integer", "string or null", "number, string or null" */
char *
arazzo_schema_type_names(int types)
{
	static const char *const names[] = {"null", "boolean", "number", "integer", "string", "array", "object"};
	StringInfoData out;
	const char *shown[lengthof(names)];
	int			count = 0;
	int			i;

	/* null reads best at the end */
	for (i = 1; i <= lengthof(names); i++)
	{
		if (types & (1 << (i % lengthof(names))))
			shown[count++] = names[i % lengthof(names)];
	}
	initStringInfo(&out);
	for (i = 0; i < count; i++)
		appendStringInfo(&out, "%s%s", i == 0 ? "" : i == count - 1 ? " or " : ", ", shown[i]);
	return out.data;
}

/* 1.0 is an integer (JSON Schema Core, 4.2.3). */
bool
arazzo_schema_is_integer(Numeric number)
{
	return DatumGetInt32(DirectFunctionCall1(numeric_scale, NumericGetDatum(number))) == 0 ||
		DatumGetInt32(DirectFunctionCall1(numeric_min_scale, NumericGetDatum(number))) == 0;
}

/* A value as JSON, cut for a message. */
char *
arazzo_schema_shown(const JsonbValue *value)
{
	StringInfoData out;

	initStringInfo(&out);
	arazzo_value_append_json(&out, value);
	if (out.len > SHOWN_VALUE)
	{
		out.len = pg_mbcliplen(out.data, out.len, SHOWN_VALUE);
		out.data[out.len] = '\0';
		appendStringInfoString(&out, "...");
	}
	return out.data;
}

/* A number likewise. */
char *
arazzo_schema_shown_number(Numeric number)
{
	JsonbValue	value;

	value.type = jbvNumeric;
	value.val.numeric = number;
	return arazzo_schema_shown(&value);
}

/* ---- steps on any instance and on scalars ---- */

/* type (Validation, 6.1.1) */
bool
arazzo_schema_step_type(Validation *v, const SchemaNode *node, const JsonbValue *value,
						const Place *place, Evaluated *evaluated)
{
	int			expected = node->types;
	int			type = arazzo_schema_type_of(value);

	if (expected & type)
		return true;
	if (v->errors == NULL)
		return false;
	if (expected & TYPE_NUMBER)
		expected &= ~TYPE_INTEGER;
	return arazzo_schema_violation(v, node, place, "type", "expected %s, got %s",
								   arazzo_schema_type_names(expected), arazzo_value_type(value));
}

/* enum (Validation, 6.1.2) */
bool
arazzo_schema_step_enum(Validation *v, const SchemaNode *node, const JsonbValue *value,
						const Place *place, Evaluated *evaluated)
{
	StringInfoData out;

	if (arazzo_schema_set_contains(node->enumeration, value))
		return true;
	if (v->errors == NULL)
		return false;
	initStringInfo(&out);
	append_values(&out, node->enumeration);
	return arazzo_schema_violation(v, node, place, "enum", "value is not one of: %s", out.data);
}

/* const (Validation, 6.1.3) */
bool
arazzo_schema_step_const(Validation *v, const SchemaNode *node, const JsonbValue *value,
						 const Place *place, Evaluated *evaluated)
{
	if (arazzo_instance_equal(node->constant, value))
		return true;
	if (v->errors == NULL)
		return false;
	return arazzo_schema_violation(v, node, place, "const", "value is not %s",
								   arazzo_schema_shown(node->constant));
}

/* minimum, maximum, exclusiveMinimum, exclusiveMaximum, multipleOf (Validation, 6.2) */
bool
arazzo_schema_step_number(Validation *v, const SchemaNode *node, const JsonbValue *value,
						  const Place *place, Evaluated *evaluated)
{
	const NumberRules *rules = node->number;
	bool		valid = true;
	int			i;

	if (value->type != jbvNumeric)
		return true;
	for (i = 0; i < NUMBER_BOUNDS; i++)
	{
		if (rules->bounds[i] && !check_bound(v, node, place, value->val.numeric, i))
			valid = false;
	}
	if (rules->multiple_of && !is_multiple(value->val.numeric, rules))
	{
		if (v->errors)
			arazzo_schema_violation(v, node, place, "multipleOf", "expected a multiple of %s, got %s",
									arazzo_schema_shown_number(rules->multiple_of), arazzo_schema_shown(value));
		valid = false;
	}
	return valid;
}

/* minLength, maxLength, pattern (Validation, 6.3) */
bool
arazzo_schema_step_string(Validation *v, const SchemaNode *node, const JsonbValue *value,
						  const Place *place, Evaluated *evaluated)
{
	const StringRules *rules = node->string;
	bool		valid;

	if (value->type != jbvString)
		return true;
	valid = check_lengths(v, node, value, place);
	if (rules->pattern == NULL || (!valid && v->errors == NULL))
		return valid;
	if (!arazzo_regex_search(rules->pattern->regex, value->val.string.val, value->val.string.len))
		return arazzo_schema_violation(v, node, place, "pattern", "string does not match pattern \"%s\"",
									   rules->pattern->text);
	return valid;
}

/* format, asserted (Validation, 7) */
bool
arazzo_schema_step_format(Validation *v, const SchemaNode *node, const JsonbValue *value,
						  const Place *place, Evaluated *evaluated)
{
	const FormatRule *format = node->format;

	if (value->type == jbvString && format->check_string)
	{
		if (format->check_string(value->val.string.val, value->val.string.len))
			return true;
		return arazzo_schema_violation(v, node, place, "format", "string is not in format \"%s\"", format->name);
	}
	if (value->type == jbvNumeric && format->check_number)
	{
		if (format->check_number(value->val.numeric))
			return true;
		return arazzo_schema_violation(v, node, place, "format", "number is not in format \"%s\"", format->name);
	}
	return true;
}

static bool
run_steps(Validation *v, const SchemaNode *node, const JsonbValue *value,
		  const Place *place, Evaluated *evaluated)
{
	bool		valid = true;
	int			i;

	for (i = 0; i < node->step_count; i++)
	{
		if (node->steps[i] (v, node, value, place, evaluated))
			continue;
		if (v->errors == NULL)
			return false;
		valid = false;
	}
	return valid;
}

static bool
apply_with_scope(Validation *v, const SchemaNode *node, const JsonbValue *value,
				 const Place *place, Evaluated *evaluated)
{
	Scope		scope;
	bool		valid;

	scope.outer = v->scope;
	scope.resource = node->resource;
	v->scope = &scope;
	valid = run_steps(v, node, value, place, evaluated);
	v->scope = scope.outer;
	return valid;
}

/* The JSON Pointer of a place; the root is "". */
static void
append_place(StringInfo out, const Place *place)
{
	if (place == NULL)
		return;
	check_stack_depth();
	append_place(out, place->parent);
	if (place->key)
		arazzo_pointer_append(out, pnstrdup(place->key, place->length));
	else
		appendStringInfo(out, "/%d", place->index);
}

static void
append_values(StringInfo out, const ValueSet *set)
{
	int			shown = Min(set->count, 10);
	int			i;

	for (i = 0; i < shown; i++)
		appendStringInfo(out, "%s%s", i > 0 ? ", " : "", arazzo_schema_shown(&set->values[i]));
	if (set->count > shown)
		appendStringInfo(out, " and %d more", set->count - shown);
}

static int
compare_numbers(Numeric a, Numeric b)
{
	return DatumGetInt32(DirectFunctionCall2(numeric_cmp, NumericGetDatum(a), NumericGetDatum(b)));
}

static bool
is_multiple(Numeric number, const NumberRules *rules)
{
	Numeric		rest;
	bool		is_zero;

	rest = DatumGetNumeric(DirectFunctionCall2(numeric_mod, NumericGetDatum(number),
											   NumericGetDatum(rules->multiple_of)));
	is_zero = compare_numbers(rest, rules->zero) == 0;
	pfree(rest);
	return is_zero;
}

static bool
check_bound(Validation *v, const SchemaNode *node, const Place *place, Numeric number, NumberBound bound)
{
	static const struct
	{
		const char *keyword;
		const char *words;
		bool		lower;
		bool		exclusive;
	}			meanings[] = {
		{"minimum", "of at least", true, false},
		{"maximum", "of at most", false, false},
		{"exclusiveMinimum", "greater than", true, true},
		{"exclusiveMaximum", "less than", false, true}
	};
	Numeric		limit = node->number->bounds[bound];
	int			order = compare_numbers(number, limit);

	if (order == 0 ? !meanings[bound].exclusive : (order > 0) == meanings[bound].lower)
		return true;
	if (v->errors == NULL)
		return false;
	return arazzo_schema_violation(v, node, place, meanings[bound].keyword, "expected a number %s %s, got %s",
								   meanings[bound].words, arazzo_schema_shown_number(limit),
								   arazzo_schema_shown_number(number));
}

/* Lengths count characters; a comparison of bytes often decides already. */
static bool
check_lengths(Validation *v, const SchemaNode *node, const JsonbValue *value, const Place *place)
{
	const StringRules *rules = node->string;
	int64		bytes = value->val.string.len;
	int64		length;

	if ((rules->max_length == NO_COUNT || bytes <= rules->max_length) &&
		(rules->min_length == NO_COUNT || bytes >= rules->min_length * MAX_MULTIBYTE_CHAR_LEN))
		return true;
	length = pg_mbstrlen_with_len(value->val.string.val, value->val.string.len);
	if (rules->min_length != NO_COUNT && length < rules->min_length)
		return arazzo_schema_violation(v, node, place, "minLength",
									   "expected at least " INT64_FORMAT " character%s, got " INT64_FORMAT,
									   rules->min_length, PLURAL(rules->min_length), length);
	if (rules->max_length != NO_COUNT && length > rules->max_length)
		return arazzo_schema_violation(v, node, place, "maxLength",
									   "expected at most " INT64_FORMAT " character%s, got " INT64_FORMAT,
									   rules->max_length, PLURAL(rules->max_length), length);
	return true;
}
