/*-------------------------------------------------------------------------
 *
 * compile.c
 *	  A schema as jsonb to the tree that is applied.
 *
 * Every schema object that can be reached becomes one node, however often
 * and from wherever it is referred to; a node is known before its keywords
 * are looked at, so that a schema may refer to itself.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/memutils.h"

#include "document/uri.h"
#include "schema/instance.h"
#include "schema/schema_internal.h"
#include "support/strings.h"

/* One schema object and its node. */
typedef struct NodeEntry
{
	const JsonbContainer *container;	/* key */
	SchemaNode *node;
} NodeEntry;

typedef struct StepChoice
{
	bool		wanted;
	SchemaStep	step;
} StepChoice;

static HTAB *make_node_table(MemoryContext context);
static SchemaNode *make_node(Compiler *c, SchemaResource *resource, const SchemaNode *parent, const char *location);
static void compile_keywords(Compiler *c, SchemaNode *node, const JsonbValue *value);
static void compile_keyword(Compiler *c, SchemaNode *node, const CursorItem *item);
static bool has_lone_reference(const SchemaNode *node, const JsonbValue *value, JsonbValue *reference);
static void choose_steps(SchemaNode *node);

/* See schema.h. */
ArazzoSchema *
arazzo_schema_compile(const JsonbValue *schema, const JsonbValue *root,
					  const SchemaOptions *options, ArazzoFailure **failure)
{
	static const SchemaOptions no_options;
	Compiler	c;

	memset(&c, 0, sizeof(c));
	c.options = options ? options : &no_options;
	c.schema = palloc0(sizeof(ArazzoSchema));
	c.scratch = AllocSetContextCreate(CurrentMemoryContext, "schema compiler", ALLOCSET_DEFAULT_SIZES);
	c.nodes = make_node_table(c.scratch);

	arazzo_schema_references_init(&c, root);
	if (c.failure == NULL)
		c.schema->root = arazzo_schema_node(&c, schema, c.document, NULL, "");
	if (c.failure == NULL)
		arazzo_schema_finish_dynamic(&c);

	MemoryContextDelete(c.scratch);
	if (c.failure == NULL)
		return c.schema;
	*failure = c.failure;
	return NULL;
}

/*
 * The node of a schema; inherited is the resource of what surrounds it, and
 * location the place below the parent ("" or absolute without a parent).
 * Never NULL, but half done when c->failure is set.
 */
SchemaNode *
arazzo_schema_node(Compiler *c, const JsonbValue *value, SchemaResource *inherited,
				   const SchemaNode *parent, const char *location)
{
	SchemaNode *node;
	NodeEntry  *entry;
	const JsonbContainer *container;
	bool		found;

	check_stack_depth();
	CHECK_FOR_INTERRUPTS();
	if (!arazzo_value_is_object(value))
	{
		node = make_node(c, inherited, parent, location);
		node->denies = value->type == jbvBool && !value->val.boolean;
		if (value->type != jbvBool)
			arazzo_schema_malformed(c, node, "schema must be an object or a boolean, not %s",
									arazzo_value_type(value));
		return node;
	}
	container = value->val.binary.data;
	entry = hash_search(c->nodes, &container, HASH_ENTER, &found);
	if (found)
		return entry->node;
	node = make_node(c, inherited, parent, location);
	entry->node = node;
	node->resource = arazzo_schema_home(c, value, inherited);
	if (c->failure == NULL)
		compile_keywords(c, node, value);
	return node;
}

/* The node of a schema that is the value of a keyword, or below it ("allOf/0"). */
SchemaNode *
arazzo_schema_child(Compiler *c, const JsonbValue *value, SchemaNode *parent, const char *location)
{
	return arazzo_schema_node(c, value, parent->resource, parent, location);
}

/* Notes that the schema is none (WF001), once. */
void
arazzo_schema_malformed(Compiler *c, const SchemaNode *node, const char *format,...)
{
	va_list		arguments;

	if (c->failure)
		return;
	va_start(arguments, format);
	c->failure = arazzo_failure_make(ERRCODE_ARAZZO_DOCUMENT, "%s", arazzo_format(format, arguments));
	va_end(arguments);
	arazzo_schema_place_failure(c, node);
}

/* Says in the failure's detail where in the schema it is. */
void
arazzo_schema_place_failure(Compiler *c, const SchemaNode *node)
{
	const char *location = arazzo_schema_location(node, NULL);

	if (location[0] == '\0')
		arazzo_failure_detail(c->failure, "The problem is at the root of the schema.");
	else
		arazzo_failure_detail(c->failure, "The problem is at \"%s\" of the schema.", location);
}

/* Where a keyword (NULL: the schema itself) stands, palloc'd. */
char *
arazzo_schema_location(const SchemaNode *node, const char *keyword)
{
	const SchemaNode *at;
	List	   *parts = NIL;
	StringInfoData out;
	ListCell   *cell;

	for (at = node; at->parent; at = at->parent)
		parts = lcons(unconstify(char *, at->location), parts);
	initStringInfo(&out);
	appendStringInfoString(&out, at->location);
	foreach(cell, parts)
		appendStringInfo(&out, "/%s", (char *) lfirst(cell));
	if (keyword)
		appendStringInfo(&out, "/%s", keyword);
	return out.data;
}

static HTAB *
make_node_table(MemoryContext context)
{
	HASHCTL		control;

	memset(&control, 0, sizeof(control));
	control.keysize = sizeof(const JsonbContainer *);
	control.entrysize = sizeof(NodeEntry);
	control.hcxt = context;
	return hash_create("schema nodes", 64, &control, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
}

static SchemaNode *
make_node(Compiler *c, SchemaResource *resource, const SchemaNode *parent, const char *location)
{
	SchemaNode *node = palloc0(sizeof(SchemaNode));

	node->resource = resource;
	node->parent = parent;
	node->location = location;
	c->schema->node_count++;
	return node;
}

static void
compile_keywords(Compiler *c, SchemaNode *node, const JsonbValue *value)
{
	Cursor		cursor;
	CursorItem	item;
	JsonbValue	reference;

	if (has_lone_reference(node, value, &reference))
		arazzo_schema_compile_reference(c, node, &reference);
	else
	{
		arazzo_cursor_start(&cursor, value);
		while (c->failure == NULL && arazzo_cursor_next(&cursor, &item))
			compile_keyword(c, node, &item);
	}
	if (c->failure)
		return;
	arazzo_schema_finish_scalars(c, node);
	arazzo_schema_finish_array(c, node);
	arazzo_schema_finish_object(c, node);
	choose_steps(node);
}

/* Unknown keywords, and those of vocabularies not in use, mean nothing. */
static void
compile_keyword(Compiler *c, SchemaNode *node, const CursorItem *item)
{
	const Keyword *keyword = arazzo_schema_keyword(item->key, item->key_length);

	if (keyword == NULL || keyword->compile == NULL)
		return;
	if (!(keyword->drafts & node->resource->draft) || !(keyword->vocabularies & node->resource->vocabularies))
		return;
	keyword->compile(c, node, &item->value);
}

/* Up to draft 7 and in OpenAPI 3.0 nothing beside a $ref counts. */
static bool
has_lone_reference(const SchemaNode *node, const JsonbValue *value, JsonbValue *reference)
{
	if (!(node->resource->draft & (DRAFT_7 | DRAFT_OPENAPI)))
		return false;
	return getKeyJsonValueFromContainer(value->val.binary.data, "$ref", 4, reference) != NULL;
}

/* The cheap and telling ones first. */
static void
choose_steps(SchemaNode *node)
{
	StepChoice	choices[] = {
		{node->types != 0, arazzo_schema_step_type},
		{node->enumeration != NULL, arazzo_schema_step_enum},
		{node->constant != NULL, arazzo_schema_step_const},
		{node->number != NULL, arazzo_schema_step_number},
		{node->string != NULL, arazzo_schema_step_string},
		{node->format != NULL, arazzo_schema_step_format},
		{node->object != NULL, arazzo_schema_step_object},
		{node->array != NULL, arazzo_schema_step_array},
		{node->reference != NULL, arazzo_schema_step_reference},
		{node->dynamic != NULL, arazzo_schema_step_dynamic},
		{node->all_of.count > 0, arazzo_schema_step_all_of},
		{node->any_of.count > 0, arazzo_schema_step_any_of},
		{node->one_of.count > 0, arazzo_schema_step_one_of},
		{node->negated != NULL, arazzo_schema_step_not},
		{node->condition != NULL, arazzo_schema_step_if},
	};
	SchemaStep *steps = palloc(sizeof(SchemaStep) * (lengthof(choices) + 1));
	int			count = 0;
	int			i;

	for (i = 0; i < lengthof(choices); i++)
	{
		if (choices[i].wanted)
			steps[count++] = choices[i].step;
	}
	node->steps = steps;
	node->step_count = count;
	if (node->unevaluated_items == NULL && node->unevaluated_properties == NULL)
		return;
	node->inner_steps = steps;
	node->inner_count = count;
	node->steps = &steps[count];
	node->steps[0] = arazzo_schema_step_unevaluated;
	node->step_count = 1;
}
