/*-------------------------------------------------------------------------
 *
 * defaults.c
 *	  Filling in the defaults of absent members.
 *
 * An instance is rebuilt only from the place down to which something was
 * missing.  A default is itself completed by its schema, but never inside of
 * itself: a recursive schema would have no end.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"

#include "schema/instance.h"
#include "schema/schema_internal.h"

/* Schemas whose defaults are being completed, innermost first. */
typedef struct Filling
{
	const struct Filling *outer;
	const SchemaNode *node;
} Filling;

/* Nodes applied to one instance, to notice a loop of references. */
typedef struct Applied
{
	const struct Applied *outer;
	const SchemaNode *node;
} Applied;

static JsonbValue *fill(const SchemaNode *node, JsonbValue *value, const Filling *filling, const Applied *applied);
static JsonbValue *fill_members(const SchemaNode *node, JsonbValue *object, const Filling *filling);
static JsonbValue *fill_member(const SchemaProperty *property, const JsonbValue *object, const Filling *filling);
static JsonbValue *fill_elements(const SchemaNode *node, JsonbValue *array, const Filling *filling);
static JsonbValue *fallback_of(const SchemaNode *node, const Filling *filling);
static const SchemaNode *node_with_fallback(const SchemaNode *node, int depth);
static JsonbValue *rebuild_object(const JsonbValue *object, const ObjectRules *rules, JsonbValue **filled);
static void push_member(JsonbParseState **state, const char *key, int length, JsonbValue *value);
static JsonbValue *rebuild_array(const JsonbValue *array, JsonbValue **replaced);

/* See schema.h; an instance that is absent becomes the schema's own default. */
JsonbValue *
arazzo_schema_fill_defaults(const ArazzoSchema *schema, JsonbValue *instance)
{
	if (!schema->has_defaults)
		return instance;
	if (instance == NULL)
		return arazzo_value_copy(fallback_of(schema->root, NULL));
	return fill(schema->root, instance, NULL, NULL);
}

/* The value, completed by a schema and those it applies in place. */
static JsonbValue *
fill(const SchemaNode *node, JsonbValue *value, const Filling *filling, const Applied *applied)
{
	Applied		self = {.outer = applied, .node = node};
	const Applied *other;
	int			i;

	check_stack_depth();
	CHECK_FOR_INTERRUPTS();
	if (value->type != jbvBinary)
		return value;
	for (other = applied; other; other = other->outer)
	{
		if (other->node == node)
			return value;
	}
	if (node->object && arazzo_value_is_object(value))
		value = fill_members(node, value, filling);
	if (node->array && arazzo_value_is_array(value))
		value = fill_elements(node, value, filling);
	if (node->reference)
		value = fill(node->reference, value, filling, &self);
	for (i = 0; i < node->all_of.count; i++)
		value = fill(node->all_of.nodes[i], value, filling, &self);
	return value;
}

static JsonbValue *
fill_members(const SchemaNode *node, JsonbValue *object, const Filling *filling)
{
	const ObjectRules *rules = node->object;
	JsonbValue **filled = NULL;
	int			i;

	for (i = 0; i < rules->property_count; i++)
	{
		JsonbValue *member = fill_member(&rules->properties[i], object, filling);

		if (member == NULL)
			continue;
		if (filled == NULL)
			filled = palloc0(sizeof(JsonbValue *) * rules->property_count);
		filled[i] = member;
	}
	return filled ? rebuild_object(object, rules, filled) : object;
}

/* What a member shall be; NULL when it stays as it is. */
static JsonbValue *
fill_member(const SchemaProperty *property, const JsonbValue *object, const Filling *filling)
{
	JsonbValue	member;
	JsonbValue *filled;

	if (property->node == NULL)
		return NULL;
	if (!getKeyJsonValueFromContainer(object->val.binary.data, property->name, property->length, &member))
		return fallback_of(property->node, filling);
	filled = fill(property->node, &member, filling, NULL);
	return filled == &member ? NULL : filled;
}

static JsonbValue *
fill_elements(const SchemaNode *node, JsonbValue *array, const Filling *filling)
{
	const ArrayRules *rules = node->array;
	JsonbValue **replaced = NULL;
	Cursor		cursor;
	CursorItem	item;

	if (rules->items == NULL && rules->prefix.count == 0)
		return array;
	arazzo_cursor_start(&cursor, array);
	while (arazzo_cursor_next(&cursor, &item))
	{
		const SchemaNode *below = item.index < rules->prefix.count ? rules->prefix.nodes[item.index] : rules->items;
		JsonbValue *filled;

		if (below == NULL)
			break;
		filled = fill(below, &item.value, filling, NULL);
		if (filled == &item.value)
			continue;
		if (replaced == NULL)
			replaced = MemoryContextAllocExtended(CurrentMemoryContext, sizeof(JsonbValue *) * (Size) cursor.count,
												  MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
		replaced[item.index] = filled;
	}
	return replaced ? rebuild_array(array, replaced) : array;
}

/* The default of a schema, completed; NULL when it has none. */
static JsonbValue *
fallback_of(const SchemaNode *node, const Filling *filling)
{
	const SchemaNode *owner = node_with_fallback(node, 0);
	Filling		self = {.outer = filling, .node = owner};
	const Filling *other;

	if (owner == NULL)
		return NULL;
	for (other = filling; other; other = other->outer)
	{
		if (other->node == owner)
			return owner->fallback;
	}
	return fill(node, owner->fallback, &self, NULL);
}

/* The schema itself, or one it applies in place, that has a default. */
static const SchemaNode *
node_with_fallback(const SchemaNode *node, int depth)
{
	const SchemaNode *found = NULL;
	int			i;

	/* A loop of references has no default to give. */
	if (node->fallback || depth > 100)
		return node->fallback ? node : NULL;
	if (node->reference)
		found = node_with_fallback(node->reference, depth + 1);
	for (i = 0; i < node->all_of.count && found == NULL; i++)
		found = node_with_fallback(node->all_of.nodes[i], depth + 1);
	return found;
}

/* The object with members put in or replaced, by the order of properties. */
static JsonbValue *
rebuild_object(const JsonbValue *object, const ObjectRules *rules, JsonbValue **filled)
{
	JsonbParseState *state = NULL;
	JsonbValue *result;
	Cursor		cursor;
	CursorItem	item;
	int			i;

	/* Of two members of the same name the later one counts. */
	pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	arazzo_cursor_start(&cursor, object);
	while (arazzo_cursor_next(&cursor, &item))
		push_member(&state, item.key, item.key_length, &item.value);
	for (i = 0; i < rules->property_count; i++)
	{
		if (filled[i])
			push_member(&state, rules->properties[i].name, rules->properties[i].length, filled[i]);
	}
	result = pushJsonbValue(&state, WJB_END_OBJECT, NULL);
	return arazzo_value_from_jsonb(JsonbValueToJsonb(result));
}

static void
push_member(JsonbParseState **state, const char *key, int length, JsonbValue *value)
{
	JsonbValue	name;

	name.type = jbvString;
	name.val.string.val = unconstify(char *, key);
	name.val.string.len = length;
	pushJsonbValue(state, WJB_KEY, &name);
	pushJsonbValue(state, WJB_VALUE, value);
}

/* The array with some elements replaced. */
static JsonbValue *
rebuild_array(const JsonbValue *array, JsonbValue **replaced)
{
	JsonbParseState *state = NULL;
	JsonbValue *result;
	Cursor		cursor;
	CursorItem	item;

	pushJsonbValue(&state, WJB_BEGIN_ARRAY, NULL);
	arazzo_cursor_start(&cursor, array);
	while (arazzo_cursor_next(&cursor, &item))
		pushJsonbValue(&state, WJB_ELEM, replaced[item.index] ? replaced[item.index] : &item.value);
	result = pushJsonbValue(&state, WJB_END_ARRAY, NULL);
	return arazzo_value_from_jsonb(JsonbValueToJsonb(result));
}
