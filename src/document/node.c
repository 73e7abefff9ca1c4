/*-------------------------------------------------------------------------
 *
 * node.c
 *	  A document as a tree.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/memutils.h"

#include "document/node.h"
#include "support/value.h"

/* Up to this many members are sorted by insertion. */
#define FEW_MEMBERS		16

static void fill_value(JsonbValue *value, const ArazzoNode *node);
static void fill_array(JsonbValue *value, const ArazzoNode *node);
static void fill_object(JsonbValue *value, const ArazzoNode *node);
static void fill_pair(JsonbPair *pair, const ArazzoMember *member, uint32 order);
static void sort_members(const ArazzoMember **members, int count);
static int	compare_members(const void *a, const void *b);

const ArazzoNode *
arazzo_node_member(const ArazzoNode *object, const char *key)
{
	int			length = strlen(key);
	int			i;

	if (object == NULL || object->type != NODE_OBJECT)
		return NULL;
	for (i = 0; i < object->count; i++)
	{
		const ArazzoMember *member = &object->u.members[i];

		if (member->key_length == length && memcmp(member->key, key, length) == 0)
			return member->value;
	}
	return NULL;
}

const char *
arazzo_node_member_text(const ArazzoNode *object, const char *key)
{
	const ArazzoNode *member = arazzo_node_member(object, key);

	return member != NULL && member->type == NODE_STRING ? member->u.string : NULL;
}

const char *
arazzo_node_type_name(const ArazzoNode *node)
{
	if (node == NULL)
		return "absent";
	switch (node->type)
	{
		case NODE_NULL:
			return "null";
		case NODE_BOOLEAN:
			return "boolean";
		case NODE_NUMBER:
			return "number";
		case NODE_STRING:
			return "string";
		case NODE_ARRAY:
			return "array";
		case NODE_OBJECT:
			return "object";
	}
	return "unknown";
}

JsonbValue *
arazzo_node_to_value(const ArazzoNode *node)
{
	return arazzo_value_from_jsonb(arazzo_node_to_jsonb(node));
}

Jsonb *
arazzo_node_to_jsonb(const ArazzoNode *node)
{
	MemoryContext caller = CurrentMemoryContext;
	MemoryContext scratch = GenerationContextCreate(caller, "arazzo document as jsonb",
													ALLOCSET_DEFAULT_SIZES);
	JsonbValue	value;
	Jsonb	   *jsonb;

	MemoryContextSwitchTo(scratch);
	fill_value(&value, node);
	MemoryContextSwitchTo(caller);
	jsonb = JsonbValueToJsonb(&value);
	MemoryContextDelete(scratch);
	return jsonb;
}

/*
 * The node as PostgreSQL's in-memory form of jsonb, which points to the
 * strings and numbers of the tree.
 */
static void
fill_value(JsonbValue *value, const ArazzoNode *node)
{
	switch (node->type)
	{
		case NODE_NULL:
			value->type = jbvNull;
			return;
		case NODE_BOOLEAN:
			value->type = jbvBool;
			value->val.boolean = node->u.boolean;
			return;
		case NODE_NUMBER:
			value->type = jbvNumeric;
			value->val.numeric = node->u.number;
			return;
		case NODE_STRING:
			value->type = jbvString;
			value->val.string.val = unconstify(char *, node->u.string);
			value->val.string.len = node->count;
			return;
		case NODE_ARRAY:
			fill_array(value, node);
			return;
		case NODE_OBJECT:
			fill_object(value, node);
			return;
	}
}

static void
fill_array(JsonbValue *value, const ArazzoNode *node)
{
	JsonbValue *elements = MemoryContextAllocHuge(CurrentMemoryContext,
												  (size_t) node->count * sizeof(JsonbValue));
	int			i;

	check_stack_depth();
	CHECK_FOR_INTERRUPTS();
	for (i = 0; i < node->count; i++)
		fill_value(&elements[i], node->u.items[i]);
	value->type = jbvArray;
	value->val.array.nElems = node->count;
	value->val.array.elems = elements;
	value->val.array.rawScalar = false;
}

/*
 * jsonb wants members sorted; that no key comes twice the reader has seen
 * to.  Pointers are sorted, since pairs are large.
 */
static void
fill_object(JsonbValue *value, const ArazzoNode *node)
{
	JsonbPair  *pairs = MemoryContextAllocHuge(CurrentMemoryContext,
											   (size_t) node->count * sizeof(JsonbPair));
	const ArazzoMember *few[FEW_MEMBERS];
	const ArazzoMember **members = few;
	int			i;

	check_stack_depth();
	CHECK_FOR_INTERRUPTS();
	if (node->count > FEW_MEMBERS)
		members = MemoryContextAllocHuge(CurrentMemoryContext,
										 (size_t) node->count * sizeof(ArazzoMember *));
	for (i = 0; i < node->count; i++)
		members[i] = &node->u.members[i];
	sort_members(members, node->count);
	for (i = 0; i < node->count; i++)
		fill_pair(&pairs[i], members[i], i);
	value->type = jbvObject;
	value->val.object.nPairs = node->count;
	value->val.object.pairs = pairs;
}

static void
fill_pair(JsonbPair *pair, const ArazzoMember *member, uint32 order)
{
	pair->key.type = jbvString;
	pair->key.val.string.val = unconstify(char *, member->key);
	pair->key.val.string.len = member->key_length;
	pair->order = order;
	fill_value(&pair->value, member->value);
}

static void
sort_members(const ArazzoMember **members, int count)
{
	int			i;

	if (count > FEW_MEMBERS)
	{
		qsort(members, count, sizeof(ArazzoMember *), compare_members);
		return;
	}
	for (i = 1; i < count; i++)
	{
		const ArazzoMember *member = members[i];
		int			k = i;

		for (; k > 0 && compare_members(&members[k - 1], &member) > 0; k--)
			members[k] = members[k - 1];
		members[k] = member;
	}
}

/* The order of keys in jsonb: shorter ones first, then by bytes. */
static int
compare_members(const void *a, const void *b)
{
	const ArazzoMember *first = *(const ArazzoMember *const *) a;
	const ArazzoMember *second = *(const ArazzoMember *const *) b;

	if (first->key_length != second->key_length)
		return first->key_length < second->key_length ? -1 : 1;
	return memcmp(first->key, second->key, first->key_length);
}

ArazzoNode *
arazzo_node_copy(const ArazzoNode *node)
{
	ArazzoNode *copy = palloc(sizeof(ArazzoNode));
	int			i;

	check_stack_depth();
	*copy = *node;
	switch (node->type)
	{
		case NODE_STRING:
			copy->u.string = pnstrdup(node->u.string, node->count);
			break;
		case NODE_NUMBER:
			copy->u.number = DatumGetNumericCopy(NumericGetDatum(node->u.number));
			break;
		case NODE_ARRAY:
			copy->u.items = palloc(sizeof(ArazzoNode *) * Max(node->count, 1));
			for (i = 0; i < node->count; i++)
				copy->u.items[i] = arazzo_node_copy(node->u.items[i]);
			break;
		case NODE_OBJECT:
			copy->u.members = palloc(sizeof(ArazzoMember) * Max(node->count, 1));
			for (i = 0; i < node->count; i++)
			{
				copy->u.members[i] = node->u.members[i];
				copy->u.members[i].key = pnstrdup(node->u.members[i].key, node->u.members[i].key_length);
				copy->u.members[i].value = arazzo_node_copy(node->u.members[i].value);
			}
			break;
		default:
			break;
	}
	return copy;
}
