/*-------------------------------------------------------------------------
 *
 * value_set.c
 *	  The values of enum: few are compared in turn, many are hashed.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "schema/instance.h"
#include "schema/schema_internal.h"

/* Up to this many values a set is searched one by one. */
#define FEW_VALUES 8

static void hash_values(ValueSet *set);

/* A set of the elements of an array, copied. */
ValueSet *
arazzo_schema_set_make(const JsonbValue *array)
{
	ValueSet   *set = palloc0(sizeof(ValueSet));
	Cursor		cursor;
	CursorItem	item;

	arazzo_cursor_start(&cursor, array);
	set->values = palloc(sizeof(JsonbValue) * Max(cursor.count, 1));
	while (arazzo_cursor_next(&cursor, &item))
		set->values[set->count++] = *arazzo_value_copy(&item.value);
	if (set->count > FEW_VALUES)
		hash_values(set);
	return set;
}

/* Is one of the values equal to this one? */
bool
arazzo_schema_set_contains(const ValueSet *set, const JsonbValue *value)
{
	uint32		hash;
	uint32		slot;
	int			i;

	if (set->slots == NULL)
	{
		for (i = 0; i < set->count; i++)
		{
			if (arazzo_instance_equal(&set->values[i], value))
				return true;
		}
		return false;
	}
	hash = arazzo_instance_hash(value);
	for (slot = hash & set->slot_mask; set->slots[slot] != 0; slot = (slot + 1) & set->slot_mask)
	{
		i = set->slots[slot] - 1;
		if (set->hashes[i] == hash && arazzo_instance_equal(&set->values[i], value))
			return true;
	}
	return false;
}

static void
hash_values(ValueSet *set)
{
	uint32		slot;
	int			i;

	set->slot_mask = 31;
	while (set->slot_mask < (uint32) set->count * 2)
		set->slot_mask = set->slot_mask * 2 + 1;
	set->slots = palloc0(sizeof(int) * (set->slot_mask + 1));
	set->hashes = palloc(sizeof(uint32) * set->count);
	for (i = 0; i < set->count; i++)
	{
		set->hashes[i] = arazzo_instance_hash(&set->values[i]);
		slot = set->hashes[i] & set->slot_mask;
		while (set->slots[slot] != 0)
			slot = (slot + 1) & set->slot_mask;
		set->slots[slot] = i + 1;
	}
}
