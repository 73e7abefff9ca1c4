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

/* Core, 10.3.1.1 */
void
arazzo_schema_compile_prefix_items(Compiler *c, SchemaNode *node, const JsonbValue *value)
{
	array_rules(node)->prefix = arazzo_schema_node_list(c, node, "prefixItems", value);
}

/* Core, 10.3.1.2; a list is what prefixItems was called before 2020-12. */
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

/* draft 2019-09, 9.3.1.2 */
void
arazzo_schema_compile_additional_items(Compiler *c, SchemaNode *node, const JsonbValue *value)
{
	array_rules(node)->additional = arazzo_schema_child(c, value, node, "additionalItems");
}

/* Core, 10.3.1.3 */
void
arazzo_schema_compile_contains(Compiler *c, SchemaNode *node, const JsonbValue *value)
{
	array_rules(node)->contains = arazzo_schema_child(c, value, node, "contains");
}

/* Validation, 6.4.5 */
void
arazzo_schema_compile_min_contains(Compiler *c, SchemaNode *node, const JsonbValue *value)
{
	array_rules(node)->min_contains = arazzo_schema_count(c, node, "minContains", value);
}

/* Validation, 6.4.4 */
void
arazzo_schema_compile_max_contains(Compiler *c, SchemaNode *node, const JsonbValue *value)
{
	array_rules(node)->max_contains = arazzo_schema_count(c, node, "maxContains", value);
}

/* Validation, 6.4.2 */
void
arazzo_schema_compile_min_items(Compiler *c, SchemaNode *node, const JsonbValue *value)
{
	array_rules(node)->min_items = arazzo_schema_count(c, node, "minItems", value);
}

/* Validation, 6.4.1 */
void
arazzo_schema_compile_max_items(Compiler *c, SchemaNode *node, const JsonbValue *value)
{
	array_rules(node)->max_items = arazzo_schema_count(c, node, "maxItems", value);
}

/* Validation, 6.4.3 */
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
