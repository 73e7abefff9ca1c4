/*-------------------------------------------------------------------------
 *
 * validate_object.c
 *	  Keywords that speak of objects.
 *
 * The members of an instance come sorted, and so are the names a schema
 * knows: one walk over both finds what is there, what is missing and what
 * nobody asked for.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"

#include "schema/instance.h"
#include "schema/schema_internal.h"

static bool check_members(Validation *v, const SchemaNode *node, const JsonbValue *value,
						  const Place *place, Evaluated *evaluated);
static bool pass_missing(Validation *v, const SchemaNode *node, const Place *place,
						 const CursorItem *item, int *next);
static bool check_member(Validation *v, const SchemaNode *node, const CursorItem *item,
						 const Place *place, const SchemaProperty *property);
static bool check_patterns(Validation *v, const ObjectRules *rules, const CursorItem *item,
						   const Place *place, bool *matched);
static bool check_additional(Validation *v, const SchemaNode *node, const CursorItem *item, const Place *place);
static bool check_name(Validation *v, const SchemaNode *names, const CursorItem *item, const Place *place);
static bool check_count(Validation *v, const SchemaNode *node, const JsonbValue *value, const Place *place);
static bool check_dependencies(Validation *v, const SchemaNode *node, const JsonbValue *value,
							   const Place *place, Evaluated *evaluated);
static bool check_dependency(Validation *v, const SchemaNode *node, const Dependency *dependency,
							 const JsonbValue *value, const Place *place);
static bool evaluates(const ObjectRules *rules, const CursorItem *item, const SchemaProperty *property);

/*
 * properties, patternProperties, additionalProperties, propertyNames (Core,
 * 10.3.2), required, minProperties, maxProperties, dependentRequired
 * (Validation, 6.5), dependentSchemas (Core, 10.2.2.4)
 */
bool
arazzo_schema_step_object(Validation *v, const SchemaNode *node, const JsonbValue *value,
						  const Place *place, Evaluated *evaluated)
{
	const ObjectRules *rules = node->object;
	bool		valid;

	if (!arazzo_value_is_object(value))
		return true;
	valid = check_count(v, node, value, place);
	if (!valid && v->errors == NULL)
		return false;
	if (rules->looks_at_members && !check_members(v, node, value, place, evaluated))
		valid = false;
	if (rules->dependencies == NIL || (!valid && v->errors == NULL))
		return valid;
	return check_dependencies(v, node, value, place, evaluated) && valid;
}

static bool
check_members(Validation *v, const SchemaNode *node, const JsonbValue *value,
			  const Place *place, Evaluated *evaluated)
{
	const ObjectRules *rules = node->object;
	Cursor		cursor;
	CursorItem	item;
	int			next = 0;
	bool		valid = true;

	arazzo_cursor_start(&cursor, value);
	while (arazzo_cursor_next(&cursor, &item))
	{
		const SchemaProperty *property = NULL;

		CHECK_FOR_INTERRUPTS();
		if (!pass_missing(v, node, place, &item, &next))
			valid = false;
		if (next < rules->property_count &&
			arazzo_key_compare(rules->properties[next].name, rules->properties[next].length,
							   item.key, item.key_length) == 0)
			property = &rules->properties[next++];
		if (!check_member(v, node, &item, place, property))
			valid = false;
		if (!valid && v->errors == NULL)
			return false;
		if (evaluated && evaluates(rules, &item, property))
			arazzo_evaluated_mark(evaluated, item.index);
	}
	return pass_missing(v, node, place, NULL, &next) && valid;
}

/*
 * Moves on to the first known name that does not sort before the member
 * (NULL: past the last), telling the required ones on the way.
 */
static bool
pass_missing(Validation *v, const SchemaNode *node, const Place *place, const CursorItem *item, int *next)
{
	const ObjectRules *rules = node->object;
	bool		valid = true;

	for (; *next < rules->property_count; (*next)++)
	{
		const SchemaProperty *property = &rules->properties[*next];

		if (item && arazzo_key_compare(property->name, property->length, item->key, item->key_length) >= 0)
			break;
		if (!property->required)
			continue;
		valid = arazzo_schema_violation(v, node, place, "required", "missing required member \"%s\"", property->name);
		if (v->errors == NULL)
			break;
	}
	return valid;
}

static bool
check_member(Validation *v, const SchemaNode *node, const CursorItem *item,
			 const Place *place, const SchemaProperty *property)
{
	const ObjectRules *rules = node->object;
	Place		below;
	bool		matched = false;
	bool		valid = true;

	below.parent = place;
	below.key = item->key;
	below.length = item->key_length;
	below.index = 0;

	if (rules->names)
		valid = check_name(v, rules->names, item, place);
	if (property && property->node)
	{
		matched = true;
		if (property->node->denies)
			valid = arazzo_schema_violation(v, property->node, place, NULL, "unexpected member \"%s\"", property->name);
		else if (!arazzo_schema_apply_below(v, property->node, &item->value, &below))
			valid = false;
	}
	if (rules->pattern_count > 0 && !check_patterns(v, rules, item, &below, &matched))
		valid = false;
	if (!matched && rules->additional && !check_additional(v, node, item, &below))
		valid = false;
	return valid;
}

static bool
check_patterns(Validation *v, const ObjectRules *rules, const CursorItem *item,
			   const Place *place, bool *matched)
{
	bool		valid = true;
	int			i;

	for (i = 0; i < rules->pattern_count; i++)
	{
		if (!arazzo_regex_search(rules->patterns[i].pattern.regex, item->key, item->key_length))
			continue;
		*matched = true;
		if (!arazzo_schema_apply_below(v, rules->patterns[i].node, &item->value, place))
			valid = false;
	}
	return valid;
}

static bool
check_additional(Validation *v, const SchemaNode *node, const CursorItem *item, const Place *place)
{
	if (!node->object->additional->denies)
		return arazzo_schema_apply_below(v, node->object->additional, &item->value, place);
	if (v->errors == NULL)
		return false;
	return arazzo_schema_violation(v, node, place->parent, "additionalProperties", "unexpected member \"%s\"",
								   pnstrdup(item->key, item->key_length));
}

static bool
check_name(Validation *v, const SchemaNode *names, const CursorItem *item, const Place *place)
{
	JsonbValue	name;
	List	  **outer = v->errors;
	List	   *errors = NIL;
	ListCell   *cell;
	bool		valid;

	name.type = jbvString;
	name.val.string.val = unconstify(char *, item->key);
	name.val.string.len = item->key_length;
	if (outer == NULL)
		return arazzo_schema_apply_below(v, names, &name, place);

	v->errors = &errors;
	valid = arazzo_schema_apply_below(v, names, &name, place);
	v->errors = outer;
	foreach(cell, errors)
	{
		SchemaError *error = lfirst(cell);

		error->message = psprintf("member name \"%.*s\": %s", item->key_length, item->key, error->message);
		*outer = lappend(*outer, error);
	}
	return valid;
}

static bool
check_count(Validation *v, const SchemaNode *node, const JsonbValue *value, const Place *place)
{
	const ObjectRules *rules = node->object;
	int			count = arazzo_value_count(value);

	if (rules->min_properties != NO_COUNT && count < rules->min_properties)
		return arazzo_schema_violation(v, node, place, "minProperties",
									   "expected at least " INT64_FORMAT " member%s, got %d",
									   rules->min_properties, PLURAL(rules->min_properties), count);
	if (rules->max_properties != NO_COUNT && count > rules->max_properties)
		return arazzo_schema_violation(v, node, place, "maxProperties",
									   "expected at most " INT64_FORMAT " member%s, got %d",
									   rules->max_properties, PLURAL(rules->max_properties), count);
	return true;
}

static bool
check_dependencies(Validation *v, const SchemaNode *node, const JsonbValue *value,
				   const Place *place, Evaluated *evaluated)
{
	bool		valid = true;
	ListCell   *cell;

	foreach(cell, node->object->dependencies)
	{
		const Dependency *dependency = lfirst(cell);

		if (!arazzo_instance_has(value, dependency->name, dependency->length))
			continue;
		if (!check_dependency(v, node, dependency, value, place))
			valid = false;
		if (dependency->node && !arazzo_schema_apply(v, dependency->node, value, place, evaluated))
			valid = false;
		if (!valid && v->errors == NULL)
			return false;
	}
	return valid;
}

static bool
check_dependency(Validation *v, const SchemaNode *node, const Dependency *dependency,
				 const JsonbValue *value, const Place *place)
{
	bool		valid = true;
	ListCell   *cell;

	foreach(cell, dependency->names)
	{
		const char *name = lfirst(cell);

		if (arazzo_instance_has(value, name, strlen(name)))
			continue;
		valid = arazzo_schema_violation(v, node, place, dependency->keyword,
										"missing member \"%s\", required by member \"%s\"",
										name, dependency->name);
	}
	return valid;
}

/* Is the member evaluated by this node's own keywords? */
static bool
evaluates(const ObjectRules *rules, const CursorItem *item, const SchemaProperty *property)
{
	int			i;

	if (rules->additional || (property && property->node))
		return true;
	for (i = 0; i < rules->pattern_count; i++)
	{
		if (arazzo_regex_search(rules->patterns[i].pattern.regex, item->key, item->key_length))
			return true;
	}
	return false;
}
