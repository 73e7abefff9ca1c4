/*-------------------------------------------------------------------------
 *
 * keyword_assert.c
 *	  Compiling the keywords that speak of any instance or of scalars.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/builtins.h"

#include "schema/instance.h"
#include "schema/schema_internal.h"

/* Counts beyond this cannot be reached by an instance anyway. */
#define COUNT_MAX INT64CONST(1000000000000)

static int	type_bit(Compiler *c, const SchemaNode *node, const JsonbValue *name);
static void compile_bound(Compiler *c, SchemaNode *node, NumberBound bound, const char *keyword,
						  const JsonbValue *value);
static Numeric number_of(Compiler *c, const SchemaNode *node, const char *keyword, const JsonbValue *value);
static NumberRules *number_rules(SchemaNode *node);
static StringRules *string_rules(SchemaNode *node);

/* Validation, 6.1.1 */
void
arazzo_schema_compile_type(Compiler *c, SchemaNode *node, const JsonbValue *value)
{
	Cursor		cursor;
	CursorItem	item;

	if (!arazzo_value_is_array(value))
	{
		node->types = type_bit(c, node, value);
		return;
	}
	arazzo_cursor_start(&cursor, value);
	while (arazzo_cursor_next(&cursor, &item))
		node->types |= type_bit(c, node, &item.value);
	if (node->types == 0)
		arazzo_schema_malformed(c, node, "schema keyword \"type\" must name a type");
}

/* Validation, 6.1.2 */
void
arazzo_schema_compile_enum(Compiler *c, SchemaNode *node, const JsonbValue *value)
{
	if (!arazzo_value_is_array(value))
		arazzo_schema_malformed(c, node, "schema keyword \"enum\" must be an array");
	else
		node->enumeration = arazzo_schema_set_make(value);
}

/* Validation, 6.1.3 */
void
arazzo_schema_compile_const(Compiler *c, SchemaNode *node, const JsonbValue *value)
{
	node->constant = arazzo_value_copy(value);
}

/* OpenAPI 3.0.3, Schema Object */
void
arazzo_schema_compile_nullable(Compiler *c, SchemaNode *node, const JsonbValue *value)
{
	node->nullable = arazzo_schema_boolean(c, node, "nullable", value);
}

/* Validation, 9.2; kept for arazzo_schema_fill_defaults() */
void
arazzo_schema_compile_default(Compiler *c, SchemaNode *node, const JsonbValue *value)
{
	node->fallback = arazzo_value_copy(value);
	c->schema->has_defaults = true;
}

/* An annotation, unless the caller or the vocabulary asks for more. */
void
arazzo_schema_compile_format(Compiler *c, SchemaNode *node, const JsonbValue *value)
{
	if (value->type != jbvString)
		arazzo_schema_malformed(c, node, "schema keyword \"format\" must be a string");
	else if (c->options->assert_formats || (node->resource->vocabularies & VOCABULARY_FORMAT_ASSERTION))
		node->format = arazzo_schema_format(value->val.string.val, value->val.string.len, node->resource->draft);
}

/* Validation, 6.2.4 */
void
arazzo_schema_compile_minimum(Compiler *c, SchemaNode *node, const JsonbValue *value)
{
	compile_bound(c, node, BOUND_MINIMUM, "minimum", value);
}

/* Validation, 6.2.2 */
void
arazzo_schema_compile_maximum(Compiler *c, SchemaNode *node, const JsonbValue *value)
{
	compile_bound(c, node, BOUND_MAXIMUM, "maximum", value);
}

/* Validation, 6.2.5; a flag of minimum in OpenAPI 3.0 and draft 4 */
void
arazzo_schema_compile_exclusive_minimum(Compiler *c, SchemaNode *node, const JsonbValue *value)
{
	if (value->type == jbvBool && (node->resource->draft & (DRAFT_OPENAPI | DRAFT_7)))
		number_rules(node)->exclusive[BOUND_MINIMUM] = value->val.boolean;
	else
		compile_bound(c, node, BOUND_EXCLUSIVE_MINIMUM, "exclusiveMinimum", value);
}

/* Validation, 6.2.3; a flag of maximum in OpenAPI 3.0 and draft 4 */
void
arazzo_schema_compile_exclusive_maximum(Compiler *c, SchemaNode *node, const JsonbValue *value)
{
	if (value->type == jbvBool && (node->resource->draft & (DRAFT_OPENAPI | DRAFT_7)))
		number_rules(node)->exclusive[BOUND_MAXIMUM] = value->val.boolean;
	else
		compile_bound(c, node, BOUND_EXCLUSIVE_MAXIMUM, "exclusiveMaximum", value);
}

/* Validation, 6.2.1 */
void
arazzo_schema_compile_multiple_of(Compiler *c, SchemaNode *node, const JsonbValue *value)
{
	NumberRules *rules = number_rules(node);

	rules->multiple_of = number_of(c, node, "multipleOf", value);
	if (c->failure)
		return;
	rules->zero = int64_to_numeric(0);
	if (DatumGetInt32(DirectFunctionCall2(numeric_cmp, NumericGetDatum(rules->multiple_of),
										  NumericGetDatum(rules->zero))) <= 0)
		arazzo_schema_malformed(c, node, "schema keyword \"multipleOf\" must be greater than 0");
}

/* Validation, 6.3.2 */
void
arazzo_schema_compile_min_length(Compiler *c, SchemaNode *node, const JsonbValue *value)
{
	string_rules(node)->min_length = arazzo_schema_count(c, node, "minLength", value);
}

/* Validation, 6.3.1 */
void
arazzo_schema_compile_max_length(Compiler *c, SchemaNode *node, const JsonbValue *value)
{
	string_rules(node)->max_length = arazzo_schema_count(c, node, "maxLength", value);
}

/* Validation, 6.3.3 */
void
arazzo_schema_compile_pattern(Compiler *c, SchemaNode *node, const JsonbValue *value)
{
	StringRules *rules = string_rules(node);

	if (value->type != jbvString)
	{
		arazzo_schema_malformed(c, node, "schema keyword \"pattern\" must be a string");
		return;
	}
	rules->pattern = palloc(sizeof(Pattern));
	arazzo_schema_pattern(c, node, value->val.string.val, value->val.string.len, rules->pattern);
}

/* The value of a keyword that is a non-negative integer; 1.0 is one. */
int64
arazzo_schema_count(Compiler *c, const SchemaNode *node, const char *keyword, const JsonbValue *value)
{
	Datum		count;

	if (value->type != jbvNumeric || !arazzo_schema_is_integer(value->val.numeric))
	{
		arazzo_schema_malformed(c, node, "schema keyword \"%s\" must be an integer", keyword);
		return NO_COUNT;
	}
	count = NumericGetDatum(value->val.numeric);
	if (DatumGetInt32(DirectFunctionCall2(numeric_cmp, count, NumericGetDatum(int64_to_numeric(0)))) < 0)
	{
		arazzo_schema_malformed(c, node, "schema keyword \"%s\" must not be negative", keyword);
		return NO_COUNT;
	}
	if (DatumGetInt32(DirectFunctionCall2(numeric_cmp, count, NumericGetDatum(int64_to_numeric(COUNT_MAX)))) > 0)
		return COUNT_MAX;
	return DatumGetInt64(DirectFunctionCall1(numeric_int8, count));
}

/* The value of a keyword that is a flag. */
bool
arazzo_schema_boolean(Compiler *c, const SchemaNode *node, const char *keyword, const JsonbValue *value)
{
	if (value->type == jbvBool)
		return value->val.boolean;
	arazzo_schema_malformed(c, node, "schema keyword \"%s\" must be a boolean", keyword);
	return false;
}

/* Compiles a regular expression; false and c->failure when it is none. */
bool
arazzo_schema_pattern(Compiler *c, const SchemaNode *node, const char *text, int length, Pattern *pattern)
{
	ArazzoFailure *failure = NULL;

	pattern->text = pnstrdup(text, length);
	pattern->regex = arazzo_regex_compile(text, length, &failure);
	if (pattern->regex == NULL)
		arazzo_schema_malformed(c, node, "pattern \"%s\" cannot be used: %s", pattern->text, failure->message);
	return pattern->regex != NULL;
}

/* Puts together what several keywords say; OpenAPI 3.0's flags above all. */
void
arazzo_schema_finish_scalars(Compiler *c, SchemaNode *node)
{
	NumberRules *rules = node->number;
	int			bound;

	if (node->nullable && node->types)
		node->types |= TYPE_NULL;
	if (rules == NULL)
		return;
	for (bound = BOUND_MINIMUM; bound <= BOUND_MAXIMUM; bound++)
	{
		if (!rules->exclusive[bound])
			continue;
		rules->bounds[BOUND_EXCLUSIVE_MINIMUM + bound] = rules->bounds[bound];
		rules->bounds[bound] = NULL;
	}
}

static int
type_bit(Compiler *c, const SchemaNode *node, const JsonbValue *name)
{
	static const char *const names[] = {"null", "boolean", "number", "integer", "string", "array", "object"};
	int			i;

	if (name->type != jbvString)
	{
		arazzo_schema_malformed(c, node, "schema keyword \"type\" must be a string or an array of strings");
		return 0;
	}
	for (i = 0; i < lengthof(names); i++)
	{
		if (strlen(names[i]) == name->val.string.len &&
			memcmp(names[i], name->val.string.val, name->val.string.len) == 0)
			return 1 << i;
	}
	arazzo_schema_malformed(c, node, "unknown type \"%.*s\" in schema", name->val.string.len, name->val.string.val);
	return 0;
}

static void
compile_bound(Compiler *c, SchemaNode *node, NumberBound bound, const char *keyword, const JsonbValue *value)
{
	number_rules(node)->bounds[bound] = number_of(c, node, keyword, value);
}

static Numeric
number_of(Compiler *c, const SchemaNode *node, const char *keyword, const JsonbValue *value)
{
	if (value->type == jbvNumeric)
		return arazzo_value_copy(value)->val.numeric;
	arazzo_schema_malformed(c, node, "schema keyword \"%s\" must be a number", keyword);
	return NULL;
}

static NumberRules *
number_rules(SchemaNode *node)
{
	if (node->number == NULL)
		node->number = palloc0(sizeof(NumberRules));
	return node->number;
}

static StringRules *
string_rules(SchemaNode *node)
{
	if (node->string == NULL)
	{
		node->string = palloc0(sizeof(StringRules));
		node->string->min_length = NO_COUNT;
		node->string->max_length = NO_COUNT;
	}
	return node->string;
}
