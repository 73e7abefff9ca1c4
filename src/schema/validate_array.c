/*-------------------------------------------------------------------------
 *
 * validate_array.c
 *	  Keywords that speak of arrays.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"

#include "schema/instance.h"
#include "schema/schema_internal.h"

static bool check_count(Validation *v, const SchemaNode *node, const JsonbValue *value, const Place *place);
static bool check_items(Validation *v, const SchemaNode *node, const JsonbValue *value,
						const Place *place, Evaluated *evaluated);
static bool check_contains(Validation *v, const SchemaNode *node, const JsonbValue *value,
						   const Place *place, Evaluated *evaluated);
static bool contains_enough(const ArrayRules *rules, int64 matches);
static bool check_unique(Validation *v, const SchemaNode *node, const JsonbValue *value, const Place *place);

/*
 * prefixItems, items, contains (Core, 10.3.1), minItems, maxItems,
 * uniqueItems, minContains, maxContains (Validation, 6.4)
 */
bool
arazzo_schema_step_array(Validation *v, const SchemaNode *node, const JsonbValue *value,
						 const Place *place, Evaluated *evaluated)
{
	const ArrayRules *rules = node->array;
	bool		valid;

	if (!arazzo_value_is_array(value))
		return true;
	valid = check_count(v, node, value, place);
	if (!valid && v->errors == NULL)
		return false;
	if ((rules->prefix.count > 0 || rules->items) && !check_items(v, node, value, place, evaluated))
		valid = false;
	if (!valid && v->errors == NULL)
		return false;
	if (rules->contains && !check_contains(v, node, value, place, evaluated))
		valid = false;
	if (rules->unique && !check_unique(v, node, value, place))
		valid = false;
	return valid;
}

static bool
check_count(Validation *v, const SchemaNode *node, const JsonbValue *value, const Place *place)
{
	const ArrayRules *rules = node->array;
	int			count = arazzo_value_count(value);

	if (rules->min_items != NO_COUNT && count < rules->min_items)
		return arazzo_schema_violation(v, node, place, "minItems",
									   "expected at least " INT64_FORMAT " item%s, got %d",
									   rules->min_items, PLURAL(rules->min_items), count);
	if (rules->max_items != NO_COUNT && count > rules->max_items)
		return arazzo_schema_violation(v, node, place, "maxItems",
									   "expected at most " INT64_FORMAT " item%s, got %d",
									   rules->max_items, PLURAL(rules->max_items), count);
	return true;
}

static bool
check_items(Validation *v, const SchemaNode *node, const JsonbValue *value,
			const Place *place, Evaluated *evaluated)
{
	const ArrayRules *rules = node->array;
	Cursor		cursor;
	CursorItem	item;
	bool		valid = true;

	arazzo_cursor_start(&cursor, value);
	while (arazzo_cursor_next(&cursor, &item))
	{
		const SchemaNode *expected = rules->items;
		Place		below = {.parent = place, .index = item.index};

		CHECK_FOR_INTERRUPTS();
		if (item.index < rules->prefix.count)
			expected = rules->prefix.nodes[item.index];
		if (expected == NULL)
			break;
		if (!arazzo_schema_apply_below(v, expected, &item.value, &below))
			valid = false;
		if (!valid && v->errors == NULL)
			return false;
		if (evaluated)
			arazzo_evaluated_mark(evaluated, item.index);
	}
	return valid;
}

/* Elements that match count, and are evaluated by it. */
static bool
check_contains(Validation *v, const SchemaNode *node, const JsonbValue *value,
			   const Place *place, Evaluated *evaluated)
{
	const ArrayRules *rules = node->array;
	List	  **errors = v->errors;
	Cursor		cursor;
	CursorItem	item;
	int64		matches = 0;

	v->errors = NULL;
	arazzo_cursor_start(&cursor, value);
	while (arazzo_cursor_next(&cursor, &item))
	{
		Place		below = {.parent = place, .index = item.index};

		CHECK_FOR_INTERRUPTS();
		if (!arazzo_schema_apply_below(v, rules->contains, &item.value, &below))
			continue;
		matches++;
		if (evaluated)
			arazzo_evaluated_mark(evaluated, item.index);
		else if (contains_enough(rules, matches))
			break;
	}
	v->errors = errors;

	if (matches < rules->min_contains)
		return arazzo_schema_violation(v, node, place, rules->min_contains == 1 ? "contains" : "minContains",
									   "expected at least " INT64_FORMAT " matching item%s, got " INT64_FORMAT,
									   rules->min_contains, PLURAL(rules->min_contains), matches);
	if (rules->max_contains != NO_COUNT && matches > rules->max_contains)
		return arazzo_schema_violation(v, node, place, "maxContains",
									   "expected at most " INT64_FORMAT " matching item%s, got more",
									   rules->max_contains, PLURAL(rules->max_contains));
	return true;
}

/* Can no further match change the verdict? */
static bool
contains_enough(const ArrayRules *rules, int64 matches)
{
	if (rules->max_contains == NO_COUNT)
		return matches >= rules->min_contains;
	return matches > rules->max_contains && matches >= rules->min_contains;
}

static bool
check_unique(Validation *v, const SchemaNode *node, const JsonbValue *value, const Place *place)
{
	int			first;
	int			second;

	if (!arazzo_instance_duplicate(value, &first, &second))
		return true;
	return arazzo_schema_violation(v, node, place, "uniqueItems", "items %d and %d are equal", first, second);
}
