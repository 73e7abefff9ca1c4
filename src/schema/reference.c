/*-------------------------------------------------------------------------
 *
 * reference.c
 *	  Identifiers, anchors and references (JSON Schema Core, 8 and 9).
 *
 * Before a document's schemas are compiled they are searched for $id,
 * $anchor and $dynamicAnchor, only where a keyword says that a schema
 * stands: what enum, const or an unknown keyword holds is data.  A schema
 * object is known by the address of its container, which does not move while
 * a schema is compiled.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"

#include "document/uri.h"
#include "schema/instance.h"
#include "schema/schema_internal.h"

/* A schema object and the resource it belongs to. */
typedef struct HomeEntry
{
	const JsonbContainer *container;	/* key */
	SchemaResource *resource;
} HomeEntry;

typedef struct Vocabulary
{
	const char *name;
	int			bit;
} Vocabulary;

static SchemaResource *add_resource(Compiler *c, const char *uri, const JsonbValue *root, const SchemaResource *like);
static SchemaResource *find_resource(Compiler *c, const char *uri);
static SchemaResource *load_resource(Compiler *c, const char *uri);
static void search_components(Compiler *c);
static void search_schemas(Compiler *c, const JsonbValue *components, const char *name);
static void scan(Compiler *c, const JsonbValue *value, SchemaResource *resource);
static SchemaResource *enter(Compiler *c, const JsonbValue *value, SchemaResource *resource);
static void scan_children(Compiler *c, const JsonbValue *value, KeywordChildren children, SchemaResource *resource);
static void add_anchor(SchemaResource *resource, const JsonbValue *schema, const char *keyword, bool dynamic);
static void read_dialect(Compiler *c, SchemaResource *resource, const char *uri);
static void read_vocabularies(Compiler *c, SchemaResource *resource, const JsonbValue *vocabularies);
static int	vocabulary_bit(const char *uri);
static JsonbValue *shallow_copy(const JsonbValue *value);
static bool walk_pointer(Compiler *c, const char *pointer, Target *target);
static const JsonbValue *step_down(const JsonbValue *value, const char *token);

/* Opens the tables and reads the root document. */
void
arazzo_schema_references_init(Compiler *c, const JsonbValue *root)
{
	HASHCTL		control;
	char	   *uri = arazzo_uri_defragment(c->options->base_uri ? c->options->base_uri : "", NULL);
	SchemaResource *resource;

	memset(&control, 0, sizeof(control));
	control.keysize = sizeof(const JsonbContainer *);
	control.entrysize = sizeof(HomeEntry);
	control.hcxt = c->scratch;
	c->homes = hash_create("schema homes", 64, &control, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);

	resource = add_resource(c, uri, root, NULL);
	resource->draft = c->options->dialect == SCHEMA_OPENAPI_3_0 ? DRAFT_OPENAPI : DRAFT_2020_12;
	resource->vocabularies = VOCABULARY_DEFAULT;
	resource->shown = "";
	c->document = resource;
	scan(c, root, resource);
}

/* The resource a schema belongs to, given that of what surrounds it. */
SchemaResource *
arazzo_schema_home(Compiler *c, const JsonbValue *value, SchemaResource *inherited)
{
	const JsonbContainer *container = value->val.binary.data;
	HomeEntry  *entry;

	if (inherited->draft == DRAFT_OPENAPI)
		return inherited;
	entry = hash_search(c->homes, &container, HASH_FIND, NULL);
	if (entry == NULL)
	{
		scan(c, value, inherited);
		entry = hash_search(c->homes, &container, HASH_FIND, NULL);
	}
	return entry ? entry->resource : inherited;
}

/* Where a reference from a schema of the resource leads; false: nowhere. */
bool
arazzo_schema_resolve(Compiler *c, const char *reference, SchemaResource *from, Target *target)
{
	char	   *fragment = NULL;
	char	   *uri = arazzo_uri_defragment(arazzo_uri_resolve(from->uri, reference), &fragment);
	SchemaResource *resource = strcmp(uri, from->uri) == 0 ? from : find_resource(c, uri);
	ListCell   *cell;

	if (resource == NULL)
		resource = load_resource(c, uri);
	if (resource == NULL)
		return false;
	target->resource = resource;
	target->value = resource->root;
	target->anchor = NULL;
	target->location = psprintf("%s%s", resource->shown, fragment ? fragment : "");

	if (fragment == NULL || fragment[0] == '\0' || fragment[0] == '/')
		return walk_pointer(c, fragment ? fragment : "", target);
	foreach(cell, resource->anchors)
	{
		SchemaAnchor *anchor = lfirst(cell);

		if (strcmp(anchor->name, fragment) != 0)
			continue;
		target->anchor = anchor;
		target->value = anchor->value;
		target->location = psprintf("%s#%s", resource->shown, fragment);
		return true;
	}
	return false;
}

static SchemaResource *
add_resource(Compiler *c, const char *uri, const JsonbValue *root, const SchemaResource *like)
{
	SchemaResource *resource = palloc0(sizeof(SchemaResource));

	resource->uri = uri;
	resource->shown = psprintf("%s#", uri);
	resource->root = root;
	if (like)
	{
		resource->draft = like->draft;
		resource->vocabularies = like->vocabularies;
	}
	c->resources = lappend(c->resources, resource);
	return resource;
}

static SchemaResource *
find_resource(Compiler *c, const char *uri)
{
	ListCell   *cell;

	foreach(cell, c->resources)
	{
		SchemaResource *resource = lfirst(cell);

		if (strcmp(resource->uri, uri) == 0)
			return resource;
	}
	return NULL;
}

/* Looks outside: components not searched yet, what is built in, other documents. */
static SchemaResource *
load_resource(Compiler *c, const char *uri)
{
	const char *builtin = arazzo_schema_builtin(uri);
	const JsonbValue *value = NULL;
	SchemaResource *resource;
	ArazzoFailure *failure = NULL;

	search_components(c);
	resource = find_resource(c, uri);
	if (resource)
		return resource;
	if (builtin)
		value = arazzo_value_parse_json(builtin, strlen(builtin), &failure);
	else if (c->options->document)
		value = c->options->document(c->options->owner, uri);
	if (value == NULL)
		return NULL;
	resource = add_resource(c, uri, value, NULL);
	resource->draft = c->options->dialect == SCHEMA_OPENAPI_3_0 ? DRAFT_OPENAPI : DRAFT_2020_12;
	resource->vocabularies = VOCABULARY_DEFAULT;
	scan(c, value, resource);
	return resource;
}

/*
 * A root that is no schema keeps schemas in its components (OpenAPI, Arazzo);
 * they are searched for identifiers only when somebody looks for one.
 */
static void
search_components(Compiler *c)
{
	const JsonbValue *components;

	if (c->searched_components || !arazzo_value_is_object(c->document->root))
		return;
	c->searched_components = true;
	components = arazzo_value_member_cstring(c->document->root, "components");
	if (components == NULL || !arazzo_value_is_object(components))
		return;
	search_schemas(c, components, "schemas");
	search_schemas(c, components, "inputs");
}

static void
search_schemas(Compiler *c, const JsonbValue *components, const char *name)
{
	const JsonbValue *schemas = arazzo_value_member_cstring(components, name);

	if (schemas)
		scan_children(c, schemas, CHILDREN_MAP, c->document);
}

/* Notes the identifiers of a schema and of all below it. */
static void
scan(Compiler *c, const JsonbValue *value, SchemaResource *resource)
{
	const JsonbContainer *container;
	HomeEntry  *entry;
	Cursor		cursor;
	CursorItem	item;
	bool		found;

	check_stack_depth();
	if (!arazzo_value_is_object(value) || resource->draft == DRAFT_OPENAPI)
		return;
	container = value->val.binary.data;
	if (hash_search(c->homes, &container, HASH_FIND, NULL))
		return;
	resource = enter(c, value, resource);
	entry = hash_search(c->homes, &container, HASH_ENTER, &found);
	entry->resource = resource;

	arazzo_cursor_start(&cursor, value);
	while (arazzo_cursor_next(&cursor, &item))
	{
		const Keyword *keyword = arazzo_schema_keyword(item.key, item.key_length);

		CHECK_FOR_INTERRUPTS();
		if (keyword && (keyword->drafts & resource->draft))
			scan_children(c, &item.value, keyword->children, resource);
	}
}

/* The resource inside of a schema object: its own when it has an $id. */
static SchemaResource *
enter(Compiler *c, const JsonbValue *value, SchemaResource *resource)
{
	char	   *id = arazzo_value_member_text(value, "$id");
	char	   *dialect = arazzo_value_member_text(value, "$schema");
	bool		is_root = resource->root && resource->root->type == jbvBinary &&
		resource->root->val.binary.data == value->val.binary.data;

	if (id && id[0] != '#' && !(resource->draft == DRAFT_7 && arazzo_value_member_cstring(value, "$ref")))
	{
		const char *uri = arazzo_uri_defragment(arazzo_uri_resolve(resource->uri, id), NULL);
		const char *shown = is_root ? resource->shown : NULL;

		if (strcmp(uri, resource->uri) != 0)
			resource = add_resource(c, uri, shallow_copy(value), resource);
		if (shown)
			resource->shown = shown;
		is_root = true;
	}
	if (is_root && dialect)
		read_dialect(c, resource, dialect);
	add_anchor(resource, value, "$anchor", false);
	add_anchor(resource, value, "$dynamicAnchor", true);
	return resource;
}

static void
scan_children(Compiler *c, const JsonbValue *value, KeywordChildren children, SchemaResource *resource)
{
	Cursor		cursor;
	CursorItem	item;
	bool		is_list = arazzo_value_is_array(value) &&
		(children == CHILDREN_LIST || children == CHILDREN_SCHEMA_OR_LIST);
	bool		is_map = arazzo_value_is_object(value) && children == CHILDREN_MAP;

	if (is_list || is_map)
	{
		arazzo_cursor_start(&cursor, value);
		while (arazzo_cursor_next(&cursor, &item))
			scan(c, &item.value, resource);
	}
	else if (children == CHILDREN_SCHEMA || children == CHILDREN_SCHEMA_OR_LIST)
		scan(c, value, resource);
}

/* A dynamic anchor is a plain one as well. */
static void
add_anchor(SchemaResource *resource, const JsonbValue *schema, const char *keyword, bool dynamic)
{
	char	   *name = arazzo_value_member_text(schema, keyword);
	SchemaAnchor *anchor;

	if (name == NULL)
		return;
	anchor = palloc0(sizeof(SchemaAnchor));
	anchor->name = name;
	anchor->dynamic = dynamic;
	anchor->value = shallow_copy(schema);
	resource->anchors = lappend(resource->anchors, anchor);
}

/*
 * $schema (Core, 8.1.1): a draft that is known by name, or a metaschema with
 * the vocabularies it lists; what cannot be found changes nothing.
 */
static void
read_dialect(Compiler *c, SchemaResource *resource, const char *uri)
{
	static const struct
	{
		const char *uri;
		int			draft;
	}			drafts[] = {
		{"https://json-schema.org/draft/2020-12/schema", DRAFT_2020_12},
		{"https://json-schema.org/draft/2019-09/schema", DRAFT_2019_09},
		{"http://json-schema.org/draft-07/schema", DRAFT_7},
		{"http://json-schema.org/draft-06/schema", DRAFT_7},
		{"http://json-schema.org/draft-04/schema", DRAFT_7},
		{"http://json-schema.org/draft-03/schema", DRAFT_7}
	};
	const char *name = arazzo_uri_defragment(uri, NULL);
	const JsonbValue *vocabularies;
	SchemaResource *metaschema;
	int			i;

	resource->vocabularies = VOCABULARY_DEFAULT;
	resource->draft = DRAFT_2020_12;
	for (i = 0; i < lengthof(drafts); i++)
	{
		if (strcmp(drafts[i].uri, name) != 0)
			continue;
		resource->draft = drafts[i].draft;
		return;
	}
	metaschema = find_resource(c, name);
	if (metaschema == NULL)
		metaschema = load_resource(c, name);
	if (metaschema == NULL || !arazzo_value_is_object(metaschema->root))
		return;
	vocabularies = arazzo_value_member_cstring(metaschema->root, "$vocabulary");
	if (vocabularies && arazzo_value_is_object(vocabularies))
		read_vocabularies(c, resource, vocabularies);
}

/* $vocabulary (Core, 8.1.2) */
static void
read_vocabularies(Compiler *c, SchemaResource *resource, const JsonbValue *vocabularies)
{
	Cursor		cursor;
	CursorItem	item;

	resource->vocabularies = VOCABULARY_CORE;
	arazzo_cursor_start(&cursor, vocabularies);
	while (arazzo_cursor_next(&cursor, &item))
	{
		int			bit = vocabulary_bit(pnstrdup(item.key, item.key_length));

		resource->vocabularies |= bit;
		if (bit == 0 && item.value.type == jbvBool && item.value.val.boolean && c->failure == NULL)
			c->failure = arazzo_failure_make(ERRCODE_ARAZZO_DOCUMENT, "schema requires unknown vocabulary \"%.*s\"",
											 item.key_length, item.key);
	}
}

static int
vocabulary_bit(const char *uri)
{
	static const char prefix[] = "https://json-schema.org/draft/2020-12/vocab/";
	static const Vocabulary vocabularies[] = {
		{"core", VOCABULARY_CORE},
		{"applicator", VOCABULARY_APPLICATOR},
		{"unevaluated", VOCABULARY_UNEVALUATED},
		{"validation", VOCABULARY_VALIDATION},
		{"meta-data", VOCABULARY_META_DATA},
		{"format-annotation", VOCABULARY_FORMAT_ANNOTATION},
		{"format-assertion", VOCABULARY_FORMAT_ASSERTION},
		{"content", VOCABULARY_CONTENT}
	};
	int			i;

	if (strncmp(uri, prefix, strlen(prefix)) != 0)
		return 0;
	for (i = 0; i < lengthof(vocabularies); i++)
	{
		if (strcmp(uri + strlen(prefix), vocabularies[i].name) == 0)
			return vocabularies[i].bit;
	}
	return 0;
}

/* Goes down from the target; an $id on the way changes the resource. */
static bool
walk_pointer(Compiler *c, const char *pointer, Target *target)
{
	char	  **tokens;
	int			count;
	int			i;

	if (!arazzo_pointer_parse(pointer, strlen(pointer), &tokens, &count))
		return false;
	for (i = 0; i < count; i++)
	{
		const JsonbContainer *container;
		HomeEntry  *entry;

		target->value = step_down(target->value, tokens[i]);
		if (target->value == NULL)
			return false;
		if (target->value->type != jbvBinary)
			continue;
		container = target->value->val.binary.data;
		entry = hash_search(c->homes, &container, HASH_FIND, NULL);
		if (entry)
			target->resource = entry->resource;
	}
	return true;
}

static const JsonbValue *
step_down(const JsonbValue *value, const char *token)
{
	char	   *tokens[1];

	tokens[0] = unconstify(char *, token);
	return arazzo_pointer_value(value, tokens, 1);
}

/* The header of a value; what it points into stays where it is. */
static JsonbValue *
shallow_copy(const JsonbValue *value)
{
	JsonbValue *copy = palloc(sizeof(JsonbValue));

	*copy = *value;
	return copy;
}
