/*-------------------------------------------------------------------------
 *
 * binary_schema.c
 *	  What schemas say about bytes (OpenAPI 3.2.0, Working with Binary Data;
 *	  3.0, format binary and byte; 2.0, type file).
 *
 * Only what surely applies is looked at: the schema, what it refers to, and
 * its allOf (OpenAPI 3.2.0, Non-JSON Data).
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "openapi/members.h"
#include "openapi/resolve.h"

/* Levels of allOf and items that are looked into; cycles end here. */
#define MAX_LEVELS 8

/* Members that say something about a value's type without "type". */
static const char *const typing[] = {
	"anyOf", "oneOf", "enum", "const", "properties", "additionalProperties", "items", "not", "pattern",
	"minLength", "maxLength", "minimum", "maximum"
};

static OpenapiBinary binary_of(ArazzoLibrary *library, const ArazzoDocument *document,
							   JsonbValue *schema, int level);
static OpenapiBinary binary_of_all(ArazzoLibrary *library, const ArazzoDocument *document,
								   const JsonbValue *schemas, int level);
static OpenapiBinary binary_of_keywords(const JsonbValue *schema);
static bool has_type(const JsonbValue *schema);
static List *members_of(ArazzoLibrary *library, const ArazzoDocument *document,
						JsonbValue *schema, List *members, int level);

OpenapiBinary
arazzo_binary_of_schema(ArazzoLibrary *library, const ArazzoDocument *document, JsonbValue *schema)
{
	return binary_of(library, document, schema, 0);
}

List *
arazzo_binary_members(ArazzoLibrary *library, const ArazzoDocument *document, JsonbValue *schema)
{
	return members_of(library, document, schema, NIL, 0);
}

static OpenapiBinary
binary_of(ArazzoLibrary *library, const ArazzoDocument *document, JsonbValue *schema, int level)
{
	ArazzoFailure *failure = NULL;
	JsonbValue *items;
	JsonbValue *all;
	OpenapiBinary binary;

	if (level > MAX_LEVELS || !arazzo_value_is_object(schema))
		return BINARY_UNTYPED;
	schema = arazzo_library_follow(library, &document, schema, &failure);
	if (!arazzo_value_is_object(schema))
		return BINARY_UNTYPED;
	binary = binary_of_keywords(schema);
	if (binary != BINARY_NONE)
		return binary;
	items = arazzo_value_member_cstring(schema, "items");
	if (items)
		return binary_of(library, document, items, level + 1);
	all = arazzo_value_member_cstring(schema, "allOf");
	if (arazzo_value_is_array(all))
		return binary_of_all(library, document, all, level + 1);
	return has_type(schema) ? BINARY_NONE : BINARY_UNTYPED;
}

/* The first of the schemas that says something. */
static OpenapiBinary
binary_of_all(ArazzoLibrary *library, const ArazzoDocument *document,
			  const JsonbValue *schemas, int level)
{
	OpenapiBinary binary = BINARY_UNTYPED;
	int			i;

	for (i = 0; i < arazzo_value_count(schemas) && binary == BINARY_UNTYPED; i++)
		binary = binary_of(library, document, arazzo_value_element(schemas, i), level);
	return binary;
}

static OpenapiBinary
binary_of_keywords(const JsonbValue *schema)
{
	const char *encoding = arazzo_value_member_text(schema, "contentEncoding");
	const char *format = arazzo_value_member_text(schema, "format");
	const char *type = arazzo_value_member_text(schema, "type");

	if (encoding)
	{
		if (strcmp(encoding, "base64") == 0)
			return BINARY_BASE64;
		return strcmp(encoding, "base64url") == 0 ? BINARY_BASE64URL : BINARY_NONE;
	}
	if (type && strcmp(type, "file") == 0)
		return BINARY_RAW;
	if (format && strcmp(format, "binary") == 0)
		return BINARY_RAW;
	if (format && (strcmp(format, "byte") == 0 || strcmp(format, "base64") == 0))
		return BINARY_BASE64;
	if (!has_type(schema) && arazzo_value_member_cstring(schema, "contentMediaType"))
		return BINARY_RAW;
	return BINARY_NONE;
}

static bool
has_type(const JsonbValue *schema)
{
	size_t		i;

	if (arazzo_value_member_cstring(schema, "type"))
		return true;
	for (i = 0; i < lengthof(typing); i++)
	{
		if (arazzo_value_member_cstring(schema, typing[i]))
			return true;
	}
	return false;
}

/* Properties, the schema's own and those of its allOf, that are not text. */
static List *
members_of(ArazzoLibrary *library, const ArazzoDocument *document,
		   JsonbValue *schema, List *members, int level)
{
	ArazzoFailure *failure = NULL;
	ArazzoValueWalk walk;
	JsonbValue	key;
	JsonbValue	value;
	JsonbValue *all;
	int			i;

	if (level > MAX_LEVELS || !arazzo_value_is_object(schema))
		return members;
	schema = arazzo_library_follow(library, &document, schema, &failure);
	if (schema == NULL)
		return members;
	walk_members(&walk, arazzo_value_member_cstring(schema, "properties"));
	while (arazzo_value_next(&walk, &key, &value))
	{
		OpenapiMember member;

		member.binary = binary_of(library, document, &value, 0);
		if (member.binary == BINARY_NONE)
			continue;
		member.name = pnstrdup(key.val.string.val, key.val.string.len);
		members = lappend(members, memcpy(palloc(sizeof(member)), &member, sizeof(member)));
	}
	all = arazzo_value_member_cstring(schema, "allOf");
	for (i = 0; arazzo_value_is_array(all) && i < arazzo_value_count(all); i++)
		members = members_of(library, document, arazzo_value_element(all, i), members, level + 1);
	return members;
}
