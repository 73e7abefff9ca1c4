/*-------------------------------------------------------------------------
 *
 * unevaluated.c
 *	  unevaluatedItems and unevaluatedProperties (Core, 11).
 *
 * Only a schema that has one of them pays: it opens a record of what its
 * other keywords evaluate, hands it to every schema applied in place, and
 * then looks at what is left.  A branch that fails takes its marks with it.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"

#include "schema/instance.h"
#include "schema/schema_internal.h"

static bool check_rest(Validation *v, const SchemaNode *node, const JsonbValue *value,
					   const Place *place, Evaluated *evaluated);
static bool check_rest_item(Validation *v, const SchemaNode *node, const CursorItem *item, const Place *place);

/* Runs the other steps of the node, then applies the schema for the rest. */
bool
arazzo_schema_step_unevaluated(Validation *v, const SchemaNode *node, const JsonbValue *value,
							   const Place *place, Evaluated *evaluated)
{
	Evaluated	own;
	bool		valid = true;
	int			i;

	arazzo_evaluated_init(&own, value);
	for (i = 0; i < node->inner_count && (valid || v->errors); i++)
	{
		if (!node->inner_steps[i] (v, node, value, place, &own))
			valid = false;
	}
	if ((valid || v->errors) && !own.uncertain && !check_rest(v, node, value, place, &own))
		valid = false;
	if (evaluated)
		arazzo_evaluated_merge(evaluated, &own);
	arazzo_evaluated_release(&own);
	return valid;
}

/* An empty record for an instance; release it when done. */
void
arazzo_evaluated_init(Evaluated *evaluated, const JsonbValue *value)
{
	Size		bytes;

	evaluated->count = arazzo_value_count(value);
	evaluated->all = false;
	evaluated->uncertain = false;
	evaluated->bits = evaluated->few;
	bytes = ((Size) evaluated->count + 7) / 8;
	if (bytes > EVALUATED_INLINE)
		evaluated->bits = palloc0(bytes);
	else
		memset(evaluated->few, 0, bytes);
}

/* Notes that the member or element of this index was evaluated. */
void
arazzo_evaluated_mark(Evaluated *evaluated, int index)
{
	evaluated->bits[index / 8] |= 1 << (index % 8);
}

/* Was it? */
bool
arazzo_evaluated_has(const Evaluated *evaluated, int index)
{
	return evaluated->all || (evaluated->bits[index / 8] & (1 << (index % 8)));
}

/* Adds what a branch evaluated of the same instance. */
void
arazzo_evaluated_merge(Evaluated *evaluated, const Evaluated *other)
{
	int			bytes = (evaluated->count + 7) / 8;
	int			i;

	for (i = 0; i < bytes; i++)
		evaluated->bits[i] |= other->bits[i];
	evaluated->all |= other->all;
	evaluated->uncertain |= other->uncertain;
}

/* Frees what a large instance needed. */
void
arazzo_evaluated_release(Evaluated *evaluated)
{
	if (evaluated->bits != evaluated->few)
		pfree(evaluated->bits);
}

/* Applies the keyword to what nobody evaluated; all is evaluated then. */
static bool
check_rest(Validation *v, const SchemaNode *node, const JsonbValue *value,
		   const Place *place, Evaluated *evaluated)
{
	const SchemaNode *rest = NULL;
	Cursor		cursor;
	CursorItem	item;
	bool		valid = true;

	if (arazzo_value_is_object(value))
		rest = node->unevaluated_properties;
	else if (arazzo_value_is_array(value))
		rest = node->unevaluated_items;
	if (rest == NULL || evaluated->all)
		return true;

	arazzo_cursor_start(&cursor, value);
	while (arazzo_cursor_next(&cursor, &item))
	{
		CHECK_FOR_INTERRUPTS();
		if (arazzo_evaluated_has(evaluated, item.index) || check_rest_item(v, node, &item, place))
			continue;
		if (v->errors == NULL)
			return false;
		valid = false;
	}
	evaluated->all = true;
	return valid;
}

static bool
check_rest_item(Validation *v, const SchemaNode *node, const CursorItem *item, const Place *place)
{
	const SchemaNode *rest = item->key ? node->unevaluated_properties : node->unevaluated_items;
	Place		below = {.parent = place, .key = item->key, .length = item->key_length, .index = item->index};

	if (!rest->denies)
		return arazzo_schema_apply_below(v, rest, &item->value, &below);
	if (v->errors == NULL)
		return false;
	if (item->key)
		return arazzo_schema_violation(v, node, place, "unevaluatedProperties", "unexpected member \"%s\"",
									   pnstrdup(item->key, item->key_length));
	return arazzo_schema_violation(v, node, place, "unevaluatedItems", "unexpected item %d", item->index);
}
