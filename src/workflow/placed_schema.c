/*-------------------------------------------------------------------------
 *
 * placed_schema.c
 *	  Schemas as checks see them: what they say at a glance, references and
 *	  allOf followed.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"

#include "support/value.h"
#include "workflow/placed_schema.h"

/* How deep schemas are looked into: they may be circular. */
#define MAX_LEVELS 16

static void add_parts(ArazzoLibrary *library, PlacedSchema schema, int level, List **parts);
static List *branches_of(const PlacedSchema *schema, const char *keyword);
static int	schema_types(ArazzoLibrary *library, PlacedSchema schema, int level);
static int	own_types(const JsonbValue *schema);
static int	union_types(ArazzoLibrary *library, PlacedSchema schema, const char *keyword, int level);
static int	all_types(ArazzoLibrary *library, PlacedSchema schema, int level);
static int	both(int one, int other);
static int	type_named(const char *name);

static const struct
{
	const char *name;
	int			type;
}			type_table[] =
{
	{"null", TYPE_NULL},
	{"boolean", TYPE_BOOLEAN},
	{"integer", TYPE_INTEGER},
	{"number", TYPE_NUMBER | TYPE_INTEGER},
	{"string", TYPE_STRING},
	{"array", TYPE_ARRAY},
	{"object", TYPE_OBJECT}
};

bool
arazzo_placed_follow(ArazzoLibrary *library, PlacedSchema *schema)
{
	ArazzoFailure *ignored = NULL;

	if (schema->document == NULL || !arazzo_value_is_object(schema->schema))
		return false;
	schema->schema = arazzo_library_follow(library, &schema->document, schema->schema, &ignored);
	return arazzo_value_is_object(schema->schema);
}

List *
arazzo_placed_parts(ArazzoLibrary *library, PlacedSchema schema)
{
	List	   *parts = NIL;

	add_parts(library, schema, 0, &parts);
	return parts;
}

static void
add_parts(ArazzoLibrary *library, PlacedSchema schema, int level, List **parts)
{
	PlacedSchema *part;
	ListCell   *cell;

	check_stack_depth();
	if (level > MAX_LEVELS || !arazzo_placed_follow(library, &schema))
		return;
	part = palloc(sizeof(PlacedSchema));
	*part = schema;
	*parts = lappend(*parts, part);
	foreach(cell, branches_of(&schema, "allOf"))
		add_parts(library, *(PlacedSchema *) lfirst(cell), level + 1, parts);
}

/* The schemas in the list of a keyword (List of PlacedSchema *). */
static List *
branches_of(const PlacedSchema *schema, const char *keyword)
{
	JsonbValue *list = arazzo_value_member_cstring(schema->schema, keyword);
	List	   *branches = NIL;
	ArazzoValueWalk walk;
	JsonbValue	key;
	JsonbValue	item;

	if (!arazzo_value_is_array(list))
		return NIL;
	arazzo_value_walk(&walk, list);
	while (arazzo_value_next(&walk, &key, &item))
	{
		PlacedSchema *branch = palloc(sizeof(PlacedSchema));

		branch->document = schema->document;
		branch->schema = arazzo_value_copy(&item);
		branches = lappend(branches, branch);
	}
	return branches;
}

List *
arazzo_placed_member(ArazzoLibrary *library, const List *parts, const char *name, int length)
{
	List	   *members = NIL;
	ListCell   *cell;

	foreach(cell, parts)
	{
		const PlacedSchema *part = lfirst(cell);
		JsonbValue *properties = arazzo_value_member_cstring(part->schema, "properties");
		JsonbValue *schema = arazzo_value_member(properties, name, length);
		PlacedSchema *member;

		if (schema == NULL)
			continue;
		member = palloc(sizeof(PlacedSchema));
		member->document = part->document;
		member->schema = schema;
		members = lappend(members, member);
	}
	return members;
}

int
arazzo_placed_types(ArazzoLibrary *library, const List *schemas)
{
	int			types = 0;
	ListCell   *cell;

	foreach(cell, schemas)
		types = both(types, schema_types(library, *(PlacedSchema *) lfirst(cell), 0));
	return types;
}

/* Keywords that stand beside each other must all hold. */
static int
schema_types(ArazzoLibrary *library, PlacedSchema schema, int level)
{
	int			types;

	check_stack_depth();
	if (level > MAX_LEVELS || !arazzo_placed_follow(library, &schema))
		return 0;
	types = own_types(schema.schema);
	types = both(types, union_types(library, schema, "oneOf", level + 1));
	types = both(types, union_types(library, schema, "anyOf", level + 1));
	return both(types, all_types(library, schema, level + 1));
}

/* What "type" says, with "nullable" of OpenAPI 3.0. */
static int
own_types(const JsonbValue *schema)
{
	JsonbValue *type = arazzo_value_member_cstring(schema, "type");
	JsonbValue *nullable = arazzo_value_member_cstring(schema, "nullable");
	ArazzoValueWalk walk;
	JsonbValue	key;
	JsonbValue	item;
	int			types = 0;

	if (type && type->type == jbvString)
		types = type_named(arazzo_value_to_text(type));
	else if (arazzo_value_is_array(type))
	{
		arazzo_value_walk(&walk, type);
		while (arazzo_value_next(&walk, &key, &item))
			types |= type_named(arazzo_value_to_text(&item));
	}
	if (types && nullable && nullable->type == jbvBool && nullable->val.boolean)
		types |= TYPE_NULL;
	return types;
}

/* All that the branches allow; "any" as soon as one says so. */
static int
union_types(ArazzoLibrary *library, PlacedSchema schema, const char *keyword, int level)
{
	int			types = 0;
	ListCell   *cell;

	foreach(cell, branches_of(&schema, keyword))
	{
		int			more = schema_types(library, *(PlacedSchema *) lfirst(cell), level);

		if (more == 0)
			return 0;
		types |= more;
	}
	return types;
}

/* What all branches of allOf allow. */
static int
all_types(ArazzoLibrary *library, PlacedSchema schema, int level)
{
	int			types = 0;
	ListCell   *cell;

	foreach(cell, branches_of(&schema, "allOf"))
		types = both(types, schema_types(library, *(PlacedSchema *) lfirst(cell), level));
	return types;
}

/* A schema that nothing fits is not this check's to find: the first counts. */
static int
both(int one, int other)
{
	if (one == 0)
		return other;
	return (one & other) == 0 ? one : one & other;
}

static int
type_named(const char *name)
{
	size_t		i;

	for (i = 0; i < lengthof(type_table); i++)
	{
		if (strcmp(type_table[i].name, name) == 0)
			return type_table[i].type;
	}
	return 0;
}

char *
arazzo_placed_type_names(int types)
{
	StringInfoData names;
	size_t		i;

	initStringInfo(&names);
	if (types & TYPE_NUMBER)
		types &= ~TYPE_INTEGER;
	for (i = 0; i < lengthof(type_table); i++)
	{
		int			type = type_table[i].type & TYPE_NUMBER ? TYPE_NUMBER : type_table[i].type;

		if (types & type)
			appendStringInfo(&names, "%s%s", names.len > 0 ? " or " : "", type_table[i].name);
	}
	return names.data;
}
