/*-------------------------------------------------------------------------
 *
 * keyword_object.c
 *	  Compiling the keywords that speak of objects.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "document/uri.h"
#include "schema/instance.h"
#include "schema/schema_internal.h"

static bool is_map(Compiler *c, const SchemaNode *node, const char *keyword, const JsonbValue *value);
static bool is_name(Compiler *c, const SchemaNode *node, const char *keyword, const JsonbValue *value);
static char *location_below(const char *keyword, const CursorItem *item);
static void reserve_properties(ObjectRules *rules, int more);
static void add_dependency(Compiler *c, SchemaNode *node, const char *keyword, const CursorItem *item);
static List *required_names(Compiler *c, const SchemaNode *node, const char *keyword, const JsonbValue *value);
static int	compare_properties(const void *a, const void *b);
static ObjectRules *object_rules(SchemaNode *node);

/* Core, 10.3.2.1 */
void
arazzo_schema_compile_properties(Compiler *c, SchemaNode *node, const JsonbValue *value)
{
	ObjectRules *rules = object_rules(node);
	Cursor		cursor;
	CursorItem	item;

	if (!is_map(c, node, "properties", value))
		return;
	arazzo_cursor_start(&cursor, value);
	reserve_properties(rules, cursor.count);
	while (c->failure == NULL && arazzo_cursor_next(&cursor, &item))
	{
		SchemaProperty *property = &rules->properties[rules->property_count++];

		property->name = pnstrdup(item.key, item.key_length);
		property->length = item.key_length;
		property->required = false;
		property->node = arazzo_schema_child(c, &item.value, node, location_below("properties", &item));
	}
}

/* Validation, 6.5.3 */
void
arazzo_schema_compile_required(Compiler *c, SchemaNode *node, const JsonbValue *value)
{
	ObjectRules *rules = object_rules(node);
	Cursor		cursor;
	CursorItem	item;

	if (!arazzo_value_is_array(value))
	{
		arazzo_schema_malformed(c, node, "schema keyword \"required\" must be an array");
		return;
	}
	arazzo_cursor_start(&cursor, value);
	reserve_properties(rules, cursor.count);
	while (arazzo_cursor_next(&cursor, &item) && is_name(c, node, "required", &item.value))
	{
		SchemaProperty *property = &rules->properties[rules->property_count++];

		property->name = pnstrdup(item.value.val.string.val, item.value.val.string.len);
		property->length = item.value.val.string.len;
		property->required = true;
		property->node = NULL;
	}
}

/* Core, 10.3.2.2 */
void
arazzo_schema_compile_pattern_properties(Compiler *c, SchemaNode *node, const JsonbValue *value)
{
	ObjectRules *rules = object_rules(node);
	Cursor		cursor;
	CursorItem	item;

	if (!is_map(c, node, "patternProperties", value))
		return;
	arazzo_cursor_start(&cursor, value);
	rules->patterns = palloc(sizeof(PatternProperty) * Max(cursor.count, 1));
	while (arazzo_cursor_next(&cursor, &item))
	{
		PatternProperty *pattern = &rules->patterns[rules->pattern_count];

		if (!arazzo_schema_pattern(c, node, item.key, item.key_length, &pattern->pattern))
			return;
		pattern->node = arazzo_schema_child(c, &item.value, node, location_below("patternProperties", &item));
		rules->pattern_count++;
	}
}

/* Core, 10.3.2.3 */
void
arazzo_schema_compile_additional_properties(Compiler *c, SchemaNode *node, const JsonbValue *value)
{
	object_rules(node)->additional = arazzo_schema_child(c, value, node, "additionalProperties");
}

/* Core, 10.3.2.4 */
void
arazzo_schema_compile_property_names(Compiler *c, SchemaNode *node, const JsonbValue *value)
{
	object_rules(node)->names = arazzo_schema_child(c, value, node, "propertyNames");
}

/* Validation, 6.5.2 */
void
arazzo_schema_compile_min_properties(Compiler *c, SchemaNode *node, const JsonbValue *value)
{
	object_rules(node)->min_properties = arazzo_schema_count(c, node, "minProperties", value);
}

/* Validation, 6.5.1 */
void
arazzo_schema_compile_max_properties(Compiler *c, SchemaNode *node, const JsonbValue *value)
{
	object_rules(node)->max_properties = arazzo_schema_count(c, node, "maxProperties", value);
}

/* Validation, 6.5.4 */
void
arazzo_schema_compile_dependent_required(Compiler *c, SchemaNode *node, const JsonbValue *value)
{
	Cursor		cursor;
	CursorItem	item;

	if (!is_map(c, node, "dependentRequired", value))
		return;
	arazzo_cursor_start(&cursor, value);
	while (c->failure == NULL && arazzo_cursor_next(&cursor, &item))
	{
		if (arazzo_value_is_array(&item.value))
			add_dependency(c, node, "dependentRequired", &item);
		else
			arazzo_schema_malformed(c, node, "member \"%.*s\" of schema keyword \"dependentRequired\" must be an array",
									item.key_length, item.key);
	}
}

/* Core, 10.2.2.4 */
void
arazzo_schema_compile_dependent_schemas(Compiler *c, SchemaNode *node, const JsonbValue *value)
{
	Cursor		cursor;
	CursorItem	item;

	if (!is_map(c, node, "dependentSchemas", value))
		return;
	arazzo_cursor_start(&cursor, value);
	while (c->failure == NULL && arazzo_cursor_next(&cursor, &item))
		add_dependency(c, node, "dependentSchemas", &item);
}

/* Both of the above in one, before 2019-09. */
void
arazzo_schema_compile_dependencies(Compiler *c, SchemaNode *node, const JsonbValue *value)
{
	Cursor		cursor;
	CursorItem	item;

	if (!is_map(c, node, "dependencies", value))
		return;
	arazzo_cursor_start(&cursor, value);
	while (c->failure == NULL && arazzo_cursor_next(&cursor, &item))
		add_dependency(c, node, "dependencies", &item);
}

/* Sorts the names as jsonb sorts members, each once. */
void
arazzo_schema_finish_object(Compiler *c, SchemaNode *node)
{
	ObjectRules *rules = node->object;
	int			kept = 0;
	int			i;

	if (rules == NULL)
		return;
	if (rules->property_count > 1)
		qsort(rules->properties, rules->property_count, sizeof(SchemaProperty), compare_properties);
	for (i = 1; i < rules->property_count; i++)
	{
		SchemaProperty *last = &rules->properties[kept];

		if (compare_properties(last, &rules->properties[i]) != 0)
			rules->properties[++kept] = rules->properties[i];
		else
		{
			last->required |= rules->properties[i].required;
			if (last->node == NULL)
				last->node = rules->properties[i].node;
		}
	}
	if (rules->property_count > 0)
		rules->property_count = kept + 1;
	rules->looks_at_members = rules->property_count > 0 || rules->pattern_count > 0 ||
		rules->additional || rules->names;
}

static bool
is_map(Compiler *c, const SchemaNode *node, const char *keyword, const JsonbValue *value)
{
	if (arazzo_value_is_object(value))
		return true;
	arazzo_schema_malformed(c, node, "schema keyword \"%s\" must be an object", keyword);
	return false;
}

static bool
is_name(Compiler *c, const SchemaNode *node, const char *keyword, const JsonbValue *value)
{
	if (value->type == jbvString)
		return true;
	arazzo_schema_malformed(c, node, "schema keyword \"%s\" must list names", keyword);
	return false;
}

/* "properties/a~1b" */
static char *
location_below(const char *keyword, const CursorItem *item)
{
	StringInfoData out;

	initStringInfo(&out);
	appendStringInfoString(&out, keyword);
	arazzo_pointer_append(&out, pnstrdup(item->key, item->key_length));
	return out.data;
}

static void
reserve_properties(ObjectRules *rules, int more)
{
	Size		size = sizeof(SchemaProperty) * (rules->property_count + Max(more, 1));

	rules->properties = rules->properties ? repalloc(rules->properties, size) : palloc(size);
}

static void
add_dependency(Compiler *c, SchemaNode *node, const char *keyword, const CursorItem *item)
{
	ObjectRules *rules = object_rules(node);
	Dependency *dependency = palloc0(sizeof(Dependency));

	dependency->name = pnstrdup(item->key, item->key_length);
	dependency->length = item->key_length;
	dependency->keyword = keyword;
	if (arazzo_value_is_array(&item->value))
		dependency->names = required_names(c, node, keyword, &item->value);
	else
		dependency->node = arazzo_schema_child(c, &item->value, node, location_below(keyword, item));
	rules->dependencies = lappend(rules->dependencies, dependency);
}

static List *
required_names(Compiler *c, const SchemaNode *node, const char *keyword, const JsonbValue *value)
{
	List	   *names = NIL;
	Cursor		cursor;
	CursorItem	item;

	arazzo_cursor_start(&cursor, value);
	while (arazzo_cursor_next(&cursor, &item) && is_name(c, node, keyword, &item.value))
		names = lappend(names, pnstrdup(item.value.val.string.val, item.value.val.string.len));
	return names;
}

static int
compare_properties(const void *a, const void *b)
{
	const SchemaProperty *first = a;
	const SchemaProperty *second = b;

	return arazzo_key_compare(first->name, first->length, second->name, second->length);
}

static ObjectRules *
object_rules(SchemaNode *node)
{
	if (node->object == NULL)
	{
		node->object = palloc0(sizeof(ObjectRules));
		node->object->min_properties = NO_COUNT;
		node->object->max_properties = NO_COUNT;
	}
	return node->object;
}
