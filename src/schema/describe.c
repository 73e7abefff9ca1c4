/*-------------------------------------------------------------------------
 *
 * describe.c
 *	  What a compiled schema says of the values that fit it.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "schema/schema_internal.h"

/* Schemas in place nested deeper, or in circles, are not looked at. */
#define MAX_NESTING 20

/* Looks for something in one schema; NULL when it says nothing of it. */
typedef const void *(*Look) (const SchemaNode *node, const char *name, int length);

static const void *find(const SchemaNode *node, Look look, const char *name, int length, int depth);
static const void *look_for_member(const SchemaNode *node, const char *name, int length);
static const void *look_for_required(const SchemaNode *node, const char *name, int length);
static const void *look_for_elements(const SchemaNode *node, const char *name, int length);
static const SchemaProperty *property(const SchemaNode *node, const char *name, int length);
static int	takes(const SchemaNode *node, int depth);
static int	any_takes(const NodeList *list, int depth);

const SchemaNode *
arazzo_schema_root(const ArazzoSchema *schema)
{
	return schema ? schema->root : NULL;
}

const SchemaNode *
arazzo_schema_member(const SchemaNode *place, const char *name, int length)
{
	return find(place, look_for_member, name, length, 0);
}

const SchemaNode *
arazzo_schema_elements(const SchemaNode *place)
{
	return find(place, look_for_elements, NULL, 0, 0);
}

bool
arazzo_schema_requires(const SchemaNode *place, const char *name, int length)
{
	return find(place, look_for_required, name, length, 0) != NULL;
}

int
arazzo_schema_takes(const SchemaNode *place)
{
	return takes(place, 0);
}

/* In the schema and those that it applies in place for sure. */
static const void *
find(const SchemaNode *node, Look look, const char *name, int length, int depth)
{
	const void *found;
	int			i;

	if (node == NULL || depth > MAX_NESTING)
		return NULL;
	found = look(node, name, length);
	if (found == NULL)
		found = find(node->reference, look, name, length, depth + 1);
	for (i = 0; i < node->all_of.count && found == NULL; i++)
		found = find(node->all_of.nodes[i], look, name, length, depth + 1);
	return found;
}

static const void *
look_for_member(const SchemaNode *node, const char *name, int length)
{
	const SchemaProperty *known = property(node, name, length);

	return known ? known->node : NULL;
}

static const void *
look_for_required(const SchemaNode *node, const char *name, int length)
{
	const SchemaProperty *known = property(node, name, length);

	return known && known->required ? known : NULL;
}

static const void *
look_for_elements(const SchemaNode *node, const char *name, int length)
{
	return node->array ? node->array->items : NULL;
}

static const SchemaProperty *
property(const SchemaNode *node, const char *name, int length)
{
	int			i;

	for (i = 0; node->object && i < node->object->property_count; i++)
	{
		const SchemaProperty *candidate = &node->object->properties[i];

		if (candidate->length == length && memcmp(candidate->name, name, length) == 0)
			return candidate;
	}
	return NULL;
}

static int
takes(const SchemaNode *node, int depth)
{
	int			types;
	int			i;

	if (node == NULL || depth > MAX_NESTING)
		return 0;
	types = node->types;
	if (types == 0)
		types = takes(node->reference, depth + 1);
	for (i = 0; i < node->all_of.count && types == 0; i++)
		types = takes(node->all_of.nodes[i], depth + 1);
	if (types == 0)
		types = any_takes(&node->any_of, depth);
	if (types == 0)
		types = any_takes(&node->one_of, depth);
	return types;
}

/* 0 when one of them takes anything. */
static int
any_takes(const NodeList *list, int depth)
{
	int			all = 0;
	int			i;

	for (i = 0; i < list->count; i++)
	{
		int			types = takes(list->nodes[i], depth + 1);

		if (types == 0)
			return 0;
		all |= types;
	}
	return all;
}
