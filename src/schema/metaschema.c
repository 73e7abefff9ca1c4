/*-------------------------------------------------------------------------
 *
 * metaschema.c
 *	  The metaschema of draft 2020-12 and its vocabularies, so that a schema
 *	  may refer to them without a network.
 *
 * What the standard fixes is kept (names, dynamic anchors, assertions); the
 * layout is our own, and titles are left out.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "schema/schema_internal.h"

#define BASE "https://json-schema.org/draft/2020-12/"

/* What every vocabulary's metaschema begins with. */
#define VOCABULARY_SCHEMA(name) \
	"{\"$schema\":\"" BASE "schema\",\"$id\":\"" BASE "meta/" name "\"," \
	"\"$dynamicAnchor\":\"meta\",\"type\":[\"object\",\"boolean\"],"

#define SCHEMA "{\"$dynamicRef\":\"#meta\"}"
#define SCHEMAS "{\"type\":\"object\",\"additionalProperties\":" SCHEMA ",\"default\":{}}"
#define SCHEMA_LIST "{\"type\":\"array\",\"minItems\":1,\"items\":" SCHEMA "}"
#define TEXT "{\"type\":\"string\"}"
#define NUMBER "{\"type\":\"number\"}"
#define FLAG "{\"type\":\"boolean\",\"default\":false}"
#define COUNT "{\"type\":\"integer\",\"minimum\":0}"
#define NAMES "{\"type\":\"array\",\"items\":{\"type\":\"string\"},\"uniqueItems\":true,\"default\":[]}"
#define ANCHOR "{\"type\":\"string\",\"pattern\":\"^[A-Za-z_][-A-Za-z0-9._]*$\"}"
#define REFERENCE "{\"type\":\"string\",\"format\":\"uri-reference\"}"
#define TYPE_NAME "{\"enum\":[\"array\",\"boolean\",\"integer\",\"null\",\"number\",\"object\",\"string\"]}"

static const struct
{
	const char *name;			/* below BASE */
	const char *text;
}			documents[] = {
	{
		"schema",
		"{\"$schema\":\"" BASE "schema\",\"$id\":\"" BASE "schema\",\"$vocabulary\":{"
		"\"" BASE "vocab/core\":true,\"" BASE "vocab/applicator\":true,"
		"\"" BASE "vocab/unevaluated\":true,\"" BASE "vocab/validation\":true,"
		"\"" BASE "vocab/meta-data\":true,\"" BASE "vocab/format-annotation\":true,"
		"\"" BASE "vocab/content\":true},"
		"\"$dynamicAnchor\":\"meta\",\"type\":[\"object\",\"boolean\"],\"allOf\":["
		"{\"$ref\":\"meta/core\"},{\"$ref\":\"meta/applicator\"},{\"$ref\":\"meta/unevaluated\"},"
		"{\"$ref\":\"meta/validation\"},{\"$ref\":\"meta/meta-data\"},"
		"{\"$ref\":\"meta/format-annotation\"},{\"$ref\":\"meta/content\"}],"
		"\"properties\":{\"definitions\":" SCHEMAS ","
		"\"dependencies\":{\"type\":\"object\",\"default\":{},\"additionalProperties\":{\"anyOf\":["
		SCHEMA "," NAMES "]}},"
		"\"$recursiveAnchor\":" ANCHOR ",\"$recursiveRef\":" REFERENCE "}}"
	},
	{
		"meta/core",
		VOCABULARY_SCHEMA("core")
		"\"properties\":{"
		"\"$id\":{\"type\":\"string\",\"format\":\"uri-reference\",\"pattern\":\"^[^#]*#?$\"},"
		"\"$schema\":{\"type\":\"string\",\"format\":\"uri\"},"
		"\"$ref\":" REFERENCE ",\"$dynamicRef\":" REFERENCE ","
		"\"$anchor\":" ANCHOR ",\"$dynamicAnchor\":" ANCHOR ","
		"\"$vocabulary\":{\"type\":\"object\",\"propertyNames\":{\"type\":\"string\",\"format\":\"uri\"},"
		"\"additionalProperties\":{\"type\":\"boolean\"}},"
		"\"$comment\":" TEXT ",\"$defs\":" SCHEMAS "}}"
	},
	{
		"meta/applicator",
		VOCABULARY_SCHEMA("applicator")
		"\"properties\":{"
		"\"prefixItems\":" SCHEMA_LIST ",\"items\":" SCHEMA ",\"contains\":" SCHEMA ","
		"\"properties\":" SCHEMAS ",\"additionalProperties\":" SCHEMA ","
		"\"patternProperties\":{\"type\":\"object\",\"additionalProperties\":" SCHEMA ","
		"\"propertyNames\":{\"format\":\"regex\"},\"default\":{}},"
		"\"dependentSchemas\":" SCHEMAS ",\"propertyNames\":" SCHEMA ","
		"\"if\":" SCHEMA ",\"then\":" SCHEMA ",\"else\":" SCHEMA ","
		"\"allOf\":" SCHEMA_LIST ",\"anyOf\":" SCHEMA_LIST ",\"oneOf\":" SCHEMA_LIST ",\"not\":" SCHEMA "}}"
	},
	{
		"meta/unevaluated",
		VOCABULARY_SCHEMA("unevaluated")
		"\"properties\":{\"unevaluatedItems\":" SCHEMA ",\"unevaluatedProperties\":" SCHEMA "}}"
	},
	{
		"meta/validation",
		VOCABULARY_SCHEMA("validation")
		"\"properties\":{"
		"\"type\":{\"anyOf\":[" TYPE_NAME ",{\"type\":\"array\",\"items\":" TYPE_NAME ","
		"\"minItems\":1,\"uniqueItems\":true}]},"
		"\"const\":true,\"enum\":{\"type\":\"array\",\"items\":true},"
		"\"multipleOf\":{\"type\":\"number\",\"exclusiveMinimum\":0},"
		"\"maximum\":" NUMBER ",\"exclusiveMaximum\":" NUMBER ","
		"\"minimum\":" NUMBER ",\"exclusiveMinimum\":" NUMBER ","
		"\"maxLength\":" COUNT ",\"minLength\":" COUNT ","
		"\"pattern\":{\"type\":\"string\",\"format\":\"regex\"},"
		"\"maxItems\":" COUNT ",\"minItems\":" COUNT ",\"uniqueItems\":" FLAG ","
		"\"maxContains\":" COUNT ",\"minContains\":" COUNT ","
		"\"maxProperties\":" COUNT ",\"minProperties\":" COUNT ",\"required\":" NAMES ","
		"\"dependentRequired\":{\"type\":\"object\",\"additionalProperties\":" NAMES "}}}"
	},
	{
		"meta/meta-data",
		VOCABULARY_SCHEMA("meta-data")
		"\"properties\":{\"title\":" TEXT ",\"description\":" TEXT ",\"default\":true,"
		"\"deprecated\":" FLAG ",\"readOnly\":" FLAG ",\"writeOnly\":" FLAG ","
		"\"examples\":{\"type\":\"array\",\"items\":true}}}"
	},
	{
		"meta/format-annotation",
		VOCABULARY_SCHEMA("format-annotation")
		"\"properties\":{\"format\":" TEXT "}}"
	},
	{
		"meta/format-assertion",
		VOCABULARY_SCHEMA("format-assertion")
		"\"properties\":{\"format\":" TEXT "}}"
	},
	{
		"meta/content",
		VOCABULARY_SCHEMA("content")
		"\"properties\":{\"contentEncoding\":" TEXT ",\"contentMediaType\":" TEXT ","
		"\"contentSchema\":" SCHEMA "}}"
	}
};

/* The text of a document that is always there, or NULL. */
const char *
arazzo_schema_builtin(const char *uri)
{
	int			i;

	if (strncmp(uri, BASE, strlen(BASE)) != 0)
		return NULL;
	for (i = 0; i < lengthof(documents); i++)
	{
		if (strcmp(uri + strlen(BASE), documents[i].name) == 0)
			return documents[i].text;
	}
	return NULL;
}
