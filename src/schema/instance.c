/*-------------------------------------------------------------------------
 *
 * instance.c
 *	  Walking and comparing instances without allocating.
 *
 * JsonbIterator allocates for every container it enters; a validation that
 * finds nothing wrong should not.  The cursor reads the entries of one
 * container in order, with the macros that jsonb.h publishes for them.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "common/hashfn.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/numeric.h"

#include "schema/instance.h"

/* Up to this many elements each is compared with each. */
#define FEW_ELEMENTS 12

static void read_entry(const Cursor *cursor, JEntry entry, uint32 offset, uint32 length, JsonbValue *value);
static bool equal_containers(const JsonbValue *a, const JsonbValue *b);
static bool duplicate_among_few(const JsonbValue *elements, int count, int *first, int *second);
static bool duplicate_among_many(const JsonbValue *elements, int count, int *first, int *second);

/* Begins a walk over a container (jbvBinary). */
void
arazzo_cursor_start(Cursor *cursor, const JsonbValue *container)
{
	JsonbContainer *data = container->val.binary.data;

	Assert(container->type == jbvBinary);
	cursor->container = data;
	cursor->count = JsonContainerSize(data);
	cursor->is_object = JsonContainerIsObject(data);
	cursor->next = 0;
	cursor->key_offset = 0;
	if (cursor->is_object)
	{
		cursor->data = (char *) &data->children[cursor->count * 2];
		cursor->value_offset = getJsonbOffset(data, cursor->count);
	}
	else
	{
		cursor->data = (char *) &data->children[cursor->count];
		cursor->value_offset = 0;
	}
}

/* The next member or element; it points into the container. */
bool
arazzo_cursor_next(Cursor *cursor, CursorItem *item)
{
	int			index = cursor->next;
	JEntry		entry;
	uint32		start;

	if (index >= cursor->count)
		return false;
	item->index = index;
	item->key = NULL;
	item->key_length = 0;
	if (cursor->is_object)
	{
		start = cursor->key_offset;
		JBE_ADVANCE_OFFSET(cursor->key_offset, cursor->container->children[index]);
		item->key = cursor->data + start;
		item->key_length = cursor->key_offset - start;
		index += cursor->count;
	}
	entry = cursor->container->children[index];
	start = cursor->value_offset;
	JBE_ADVANCE_OFFSET(cursor->value_offset, entry);
	read_entry(cursor, entry, start, cursor->value_offset - start, &item->value);
	cursor->next++;
	return true;
}

/* As lengthCompareJsonbString() of the server orders keys. */
int
arazzo_key_compare(const char *a, int a_length, const char *b, int b_length)
{
	if (a_length != b_length)
		return a_length < b_length ? -1 : 1;
	return memcmp(a, b, a_length);
}

/* By binary search. */
bool
arazzo_instance_has(const JsonbValue *object, const char *key, int length)
{
	JsonbValue	found;

	return getKeyJsonValueFromContainer(object->val.binary.data, key, length, &found) != NULL;
}

/* JSON Schema Core, 4.2.2 */
bool
arazzo_instance_equal(const JsonbValue *a, const JsonbValue *b)
{
	if (a->type != b->type)
		return false;
	switch (a->type)
	{
		case jbvNull:
			return true;
		case jbvBool:
			return a->val.boolean == b->val.boolean;
		case jbvNumeric:
			return DatumGetBool(DirectFunctionCall2(numeric_eq, NumericGetDatum(a->val.numeric),
													NumericGetDatum(b->val.numeric)));
		case jbvString:
			return a->val.string.len == b->val.string.len &&
				memcmp(a->val.string.val, b->val.string.val, a->val.string.len) == 0;
		case jbvBinary:
			return equal_containers(a, b);
		default:
			elog(ERROR, "unexpected jsonb value type: %d", a->type);
	}
	return false;				/* keep compiler quiet */
}

/* Equal values have equal hashes, however a number is written. */
uint32
arazzo_instance_hash(const JsonbValue *value)
{
	uint32		hash = 0;
	Cursor		cursor;
	CursorItem	item;

	if (value->type != jbvBinary)
	{
		JsonbHashScalarValue(value, &hash);
		return hash;
	}
	check_stack_depth();
	arazzo_cursor_start(&cursor, value);
	hash = cursor.is_object ? JB_FOBJECT : JB_FARRAY;
	while (arazzo_cursor_next(&cursor, &item))
	{
		CHECK_FOR_INTERRUPTS();
		if (item.key)
			hash = hash_combine(hash, hash_bytes((const unsigned char *) item.key, item.key_length));
		hash = hash_combine(hash, arazzo_instance_hash(&item.value));
	}
	return hash;
}

/* In time linear in the number of elements. */
bool
arazzo_instance_duplicate(const JsonbValue *array, int *first, int *second)
{
	Cursor		cursor;
	CursorItem	item;
	JsonbValue	few[FEW_ELEMENTS];
	JsonbValue *elements = few;
	bool		found;

	arazzo_cursor_start(&cursor, array);
	if (cursor.count > FEW_ELEMENTS)
		elements = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(JsonbValue) * (Size) cursor.count);
	while (arazzo_cursor_next(&cursor, &item))
		elements[item.index] = item.value;

	if (elements == few)
		return duplicate_among_few(elements, cursor.count, first, second);
	found = duplicate_among_many(elements, cursor.count, first, second);
	pfree(elements);
	return found;
}

static void
read_entry(const Cursor *cursor, JEntry entry, uint32 offset, uint32 length, JsonbValue *value)
{
	if (JBE_ISNULL(entry))
		value->type = jbvNull;
	else if (JBE_ISSTRING(entry))
	{
		value->type = jbvString;
		value->val.string.val = cursor->data + offset;
		value->val.string.len = length;
	}
	else if (JBE_ISNUMERIC(entry))
	{
		value->type = jbvNumeric;
		value->val.numeric = (Numeric) (cursor->data + INTALIGN(offset));
	}
	else if (JBE_ISBOOL_TRUE(entry) || JBE_ISBOOL_FALSE(entry))
	{
		value->type = jbvBool;
		value->val.boolean = JBE_ISBOOL_TRUE(entry);
	}
	else
	{
		value->type = jbvBinary;
		value->val.binary.data = (JsonbContainer *) (cursor->data + INTALIGN(offset));
		value->val.binary.len = length - (INTALIGN(offset) - offset);
	}
}

static bool
equal_containers(const JsonbValue *a, const JsonbValue *b)
{
	Cursor		a_cursor;
	Cursor		b_cursor;
	CursorItem	a_item;
	CursorItem	b_item;

	check_stack_depth();
	arazzo_cursor_start(&a_cursor, a);
	arazzo_cursor_start(&b_cursor, b);
	if (a_cursor.is_object != b_cursor.is_object || a_cursor.count != b_cursor.count)
		return false;
	while (arazzo_cursor_next(&a_cursor, &a_item) && arazzo_cursor_next(&b_cursor, &b_item))
	{
		CHECK_FOR_INTERRUPTS();
		if (a_item.key && arazzo_key_compare(a_item.key, a_item.key_length, b_item.key, b_item.key_length) != 0)
			return false;
		if (!arazzo_instance_equal(&a_item.value, &b_item.value))
			return false;
	}
	return true;
}

static bool
duplicate_among_few(const JsonbValue *elements, int count, int *first, int *second)
{
	int			i;
	int			j;

	for (j = 1; j < count; j++)
	{
		for (i = 0; i < j; i++)
		{
			if (!arazzo_instance_equal(&elements[i], &elements[j]))
				continue;
			*first = i;
			*second = j;
			return true;
		}
	}
	return false;
}

/* Open addressing by hash; a slot holds an index + 1. */
static bool
duplicate_among_many(const JsonbValue *elements, int count, int *first, int *second)
{
	uint32		mask = 63;
	uint32	   *hashes;
	int		   *slots;
	bool		found = false;
	int			i;

	while (mask < (uint32) count * 2 && mask < PG_INT32_MAX)
		mask = mask * 2 + 1;
	hashes = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(uint32) * (Size) count);
	slots = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(int) * ((Size) mask + 1));
	memset(slots, 0, sizeof(int) * ((Size) mask + 1));

	for (i = 0; i < count && !found; i++)
	{
		uint32		slot;

		CHECK_FOR_INTERRUPTS();
		hashes[i] = arazzo_instance_hash(&elements[i]);
		for (slot = hashes[i] & mask; slots[slot] != 0; slot = (slot + 1) & mask)
		{
			int			other = slots[slot] - 1;

			if (hashes[other] != hashes[i] || !arazzo_instance_equal(&elements[other], &elements[i]))
				continue;
			*first = other;
			*second = i;
			found = true;
			break;
		}
		slots[slot] = found ? slots[slot] : i + 1;
	}
	pfree(hashes);
	pfree(slots);
	return found;
}
