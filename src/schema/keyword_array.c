/*-------------------------------------------------------------------------
 *
 * keyword_array.c
 *	  Compiling the keywords that speak of arrays.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "schema/instance.h"
#include "schema/schema_internal.h"

static ArrayRules *array_rules(SchemaNode *node);

void
arazzo_schema_compile_prefix_items(Compiler *c, SchemaNode *node, const JsonbValue *value)
{
	array_rules(node)->prefix = arazzo_schema_node_list(c, node, "prefixItems", value);
}

/* A list is what prefixItems was called before 2020-12. */
void
arazzo_schema_compile_items(Compiler *c, SchemaNode *node, const JsonbValue *value)
{
	ArrayRules *rules = array_rules(node);

	if (!arazzo_value_is_array(value))
		rules->items = arazzo_schema_child(c, value, node, "items");
	else
	{
		rules->has_item_list = true;
		if (arazzo_value_count(value) > 0)
			rules->prefix = arazzo_schema_node_list(c, node, "items", value);
	}
}

void
arazzo_schema_compile_additional_items(Compiler *c, SchemaNode *node, const JsonbValue *value)
{
	array_rules(node)->additional = arazzo_schema_child(c, value, node, "additionalItems");
}

void
arazzo_schema_compile_contains(Compiler *c, SchemaNode *node, const JsonbValue *value)
{
	array_rules(node)->contains = arazzo_schema_child(c, value, node, "contains");
}

void
arazzo_schema_compile_min_contains(Compiler *c, SchemaNode *node, const JsonbValue *value)
{
	array_rules(node)->min_contains = arazzo_schema_count(c, node, "minContains", value);
}

void
arazzo_schema_compile_max_contains(Compiler *c, SchemaNode *node, const JsonbValue *value)
{
	array_rules(node)->max_contains = arazzo_schema_count(c, node, "maxContains", value);
}

void
arazzo_schema_compile_min_items(Compiler *c, SchemaNode *node, const JsonbValue *value)
{
	array_rules(node)->min_items = arazzo_schema_count(c, node, "minItems", value);
}

void
arazzo_schema_compile_max_items(Compiler *c, SchemaNode *node, const JsonbValue *value)
{
	array_rules(node)->max_items = arazzo_schema_count(c, node, "maxItems", value);
}

void
arazzo_schema_compile_unique_items(Compiler *c, SchemaNode *node, const JsonbValue *value)
{
	array_rules(node)->unique = arazzo_schema_boolean(c, node, "uniqueItems", value);
}

/* additionalItems means something only beside a list of items. */
void
arazzo_schema_finish_array(Compiler *c, SchemaNode *node)
{
	ArrayRules *rules = node->array;

	if (rules && rules->has_item_list)
		rules->items = rules->additional;
}

static ArrayRules *
array_rules(SchemaNode *node)
{
	if (node->array == NULL)
	{
		node->array = palloc0(sizeof(ArrayRules));
		node->array->min_contains = 1;
		node->array->max_contains = NO_COUNT;
		node->array->min_items = NO_COUNT;
		node->array->max_items = NO_COUNT;
	}
	return node->array;
}
