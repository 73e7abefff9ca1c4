/*-------------------------------------------------------------------------
 *
 * keyword_apply.c
 *	  Compiling the keywords that apply schemas to the same instance.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "schema/instance.h"
#include "schema/schema_internal.h"

static SchemaNode *follow(Compiler *c, SchemaNode *node, const char *keyword,
						  const JsonbValue *value, Target *target);
static bool compile_anchors(Compiler *c, const char *name);

/* Core, 8.2.3.1 */
void
arazzo_schema_compile_reference(Compiler *c, SchemaNode *node, const JsonbValue *value)
{
	Target		target;

	node->reference = follow(c, node, "$ref", value, &target);
}

/*
 * Core, 8.2.3.2: dynamic only if the reference, followed as it stands, leads
 * to a $dynamicAnchor by its name.
 */
void
arazzo_schema_compile_dynamic_reference(Compiler *c, SchemaNode *node, const JsonbValue *value)
{
	Target		target;
	SchemaNode *initial = follow(c, node, "$dynamicRef", value, &target);

	if (c->failure)
		return;
	if (target.anchor == NULL || !target.anchor->dynamic)
	{
		if (node->reference == NULL)
			node->reference = initial;
		else
		{
			/* beside a $ref it needs a step of its own */
			node->dynamic = palloc0(sizeof(DynamicReference));
			node->dynamic->name = "";
			node->dynamic->initial = initial;
		}
		return;
	}
	node->dynamic = palloc0(sizeof(DynamicReference));
	node->dynamic->name = target.anchor->name;
	node->dynamic->initial = initial;
	c->schema->is_dynamic = true;
	c->dynamic_names = lappend(c->dynamic_names, unconstify(char *, target.anchor->name));
}

/* Core, 10.2.1.1 */
void
arazzo_schema_compile_all_of(Compiler *c, SchemaNode *node, const JsonbValue *value)
{
	node->all_of = arazzo_schema_node_list(c, node, "allOf", value);
}

/* Core, 10.2.1.2 */
void
arazzo_schema_compile_any_of(Compiler *c, SchemaNode *node, const JsonbValue *value)
{
	node->any_of = arazzo_schema_node_list(c, node, "anyOf", value);
}

/* Core, 10.2.1.3 */
void
arazzo_schema_compile_one_of(Compiler *c, SchemaNode *node, const JsonbValue *value)
{
	node->one_of = arazzo_schema_node_list(c, node, "oneOf", value);
}

/* Core, 10.2.1.4 */
void
arazzo_schema_compile_not(Compiler *c, SchemaNode *node, const JsonbValue *value)
{
	node->negated = arazzo_schema_child(c, value, node, "not");
}

/* Core, 10.2.2.1 */
void
arazzo_schema_compile_if(Compiler *c, SchemaNode *node, const JsonbValue *value)
{
	node->condition = arazzo_schema_child(c, value, node, "if");
}

/* Core, 10.2.2.2 */
void
arazzo_schema_compile_then(Compiler *c, SchemaNode *node, const JsonbValue *value)
{
	node->consequence = arazzo_schema_child(c, value, node, "then");
}

/* Core, 10.2.2.3 */
void
arazzo_schema_compile_else(Compiler *c, SchemaNode *node, const JsonbValue *value)
{
	node->alternative = arazzo_schema_child(c, value, node, "else");
}

/* Core, 11.2 */
void
arazzo_schema_compile_unevaluated_items(Compiler *c, SchemaNode *node, const JsonbValue *value)
{
	node->unevaluated_items = arazzo_schema_child(c, value, node, "unevaluatedItems");
}

/* Core, 11.3 */
void
arazzo_schema_compile_unevaluated_properties(Compiler *c, SchemaNode *node, const JsonbValue *value)
{
	node->unevaluated_properties = arazzo_schema_child(c, value, node, "unevaluatedProperties");
}

/* The schemas of a keyword that takes a non-empty array of them. */
NodeList
arazzo_schema_node_list(Compiler *c, SchemaNode *node, const char *keyword, const JsonbValue *value)
{
	NodeList	list = {NULL, 0};
	Cursor		cursor;
	CursorItem	item;

	if (!arazzo_value_is_array(value) || arazzo_value_count(value) == 0)
	{
		arazzo_schema_malformed(c, node, "schema keyword \"%s\" must be an array that is not empty", keyword);
		return list;
	}
	arazzo_cursor_start(&cursor, value);
	list.nodes = palloc(sizeof(SchemaNode *) * cursor.count);
	while (c->failure == NULL && arazzo_cursor_next(&cursor, &item))
		list.nodes[list.count++] = arazzo_schema_child(c, &item.value, node, psprintf("%s/%d", keyword, item.index));
	return list;
}

/*
 * Compiles what dynamic references may lead to: every dynamic anchor of a
 * name in use, in every resource; that may load more and use more names.
 */
void
arazzo_schema_finish_dynamic(Compiler *c)
{
	bool		again = true;

	while (again && c->failure == NULL)
	{
		ListCell   *cell;

		again = false;
		foreach(cell, c->dynamic_names)
		{
			if (compile_anchors(c, lfirst(cell)))
				again = true;
		}
	}
}

static SchemaNode *
follow(Compiler *c, SchemaNode *node, const char *keyword, const JsonbValue *value, Target *target)
{
	char	   *reference;

	if (value->type != jbvString)
	{
		arazzo_schema_malformed(c, node, "schema keyword \"%s\" must be a string", keyword);
		return NULL;
	}
	reference = pnstrdup(value->val.string.val, value->val.string.len);
	if (!arazzo_schema_resolve(c, reference, node->resource, target))
	{
		if (c->failure == NULL)
		{
			c->failure = arazzo_failure_make(ERRCODE_ARAZZO_REFERENCE, "reference \"%s\" leads nowhere", reference);
			arazzo_schema_place_failure(c, node);
		}
		return NULL;
	}
	return arazzo_schema_node(c, target->value, target->resource, NULL, target->location);
}

static bool
compile_anchors(Compiler *c, const char *name)
{
	List	   *resources = list_copy(c->resources);
	bool		compiled = false;
	ListCell   *resource_cell;
	ListCell   *cell;

	foreach(resource_cell, resources)
	{
		SchemaResource *resource = lfirst(resource_cell);

		foreach(cell, resource->anchors)
		{
			SchemaAnchor *anchor = lfirst(cell);

			if (!anchor->dynamic || anchor->node || strcmp(anchor->name, name) != 0)
				continue;
			anchor->node = arazzo_schema_node(c, anchor->value, resource, NULL,
											  psprintf("%s#%s", resource->shown, name));
			compiled = true;
		}
	}
	return compiled;
}
