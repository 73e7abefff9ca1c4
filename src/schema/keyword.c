/*-------------------------------------------------------------------------
 *
 * keyword.c
 *	  The keywords, and what each belongs to.
 *
 * Keywords of other drafts that 2020-12 renamed are understood in it as well
 * where they cannot be mistaken (definitions, dependencies): documents that
 * moved to the new draft kept them.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "schema/schema_internal.h"

#define ALL_DRAFTS (DRAFT_2020_12 | DRAFT_2019_09 | DRAFT_7 | DRAFT_OPENAPI)
#define SINCE_7 (DRAFT_2020_12 | DRAFT_2019_09 | DRAFT_7)
#define SINCE_2019 (DRAFT_2020_12 | DRAFT_2019_09)

#define CORE VOCABULARY_CORE
#define APPLY VOCABULARY_APPLICATOR
#define VALIDATE VOCABULARY_VALIDATION
#define FORMAT (VOCABULARY_FORMAT_ANNOTATION | VOCABULARY_FORMAT_ASSERTION)

/* Sorted by strcmp(). */
static const Keyword keywords[] = {
	{"$defs", CORE, SINCE_2019, CHILDREN_MAP, NULL},
	{"$dynamicRef", CORE, DRAFT_2020_12, CHILDREN_NONE, arazzo_schema_compile_dynamic_reference},
	{"$recursiveRef", CORE, DRAFT_2019_09, CHILDREN_NONE, arazzo_schema_compile_reference},
	{"$ref", CORE, ALL_DRAFTS, CHILDREN_NONE, arazzo_schema_compile_reference},
	{"additionalItems", APPLY, SINCE_7, CHILDREN_SCHEMA, arazzo_schema_compile_additional_items},
	{"additionalProperties", APPLY, ALL_DRAFTS, CHILDREN_SCHEMA, arazzo_schema_compile_additional_properties},
	{"allOf", APPLY, ALL_DRAFTS, CHILDREN_LIST, arazzo_schema_compile_all_of},
	{"anyOf", APPLY, ALL_DRAFTS, CHILDREN_LIST, arazzo_schema_compile_any_of},
	{"const", VALIDATE, SINCE_7, CHILDREN_NONE, arazzo_schema_compile_const},
	{"contains", APPLY, SINCE_7, CHILDREN_SCHEMA, arazzo_schema_compile_contains},
	{"contentSchema", VOCABULARY_CONTENT, SINCE_2019, CHILDREN_SCHEMA, NULL},
	{"default", VOCABULARY_META_DATA, ALL_DRAFTS, CHILDREN_NONE, arazzo_schema_compile_default},
	{"definitions", CORE, SINCE_7, CHILDREN_MAP, NULL},
	{"dependencies", APPLY, SINCE_7, CHILDREN_MAP, arazzo_schema_compile_dependencies},
	{"dependentRequired", VALIDATE, SINCE_2019, CHILDREN_NONE, arazzo_schema_compile_dependent_required},
	{"dependentSchemas", APPLY, SINCE_2019, CHILDREN_MAP, arazzo_schema_compile_dependent_schemas},
	{"else", APPLY, SINCE_7, CHILDREN_SCHEMA, arazzo_schema_compile_else},
	{"enum", VALIDATE, ALL_DRAFTS, CHILDREN_NONE, arazzo_schema_compile_enum},
	{"exclusiveMaximum", VALIDATE, ALL_DRAFTS, CHILDREN_NONE, arazzo_schema_compile_exclusive_maximum},
	{"exclusiveMinimum", VALIDATE, ALL_DRAFTS, CHILDREN_NONE, arazzo_schema_compile_exclusive_minimum},
	{"format", FORMAT, ALL_DRAFTS, CHILDREN_NONE, arazzo_schema_compile_format},
	{"if", APPLY, SINCE_7, CHILDREN_SCHEMA, arazzo_schema_compile_if},
	{"items", APPLY, ALL_DRAFTS, CHILDREN_SCHEMA_OR_LIST, arazzo_schema_compile_items},
	{"maxContains", VALIDATE, SINCE_2019, CHILDREN_NONE, arazzo_schema_compile_max_contains},
	{"maxItems", VALIDATE, ALL_DRAFTS, CHILDREN_NONE, arazzo_schema_compile_max_items},
	{"maxLength", VALIDATE, ALL_DRAFTS, CHILDREN_NONE, arazzo_schema_compile_max_length},
	{"maxProperties", VALIDATE, ALL_DRAFTS, CHILDREN_NONE, arazzo_schema_compile_max_properties},
	{"maximum", VALIDATE, ALL_DRAFTS, CHILDREN_NONE, arazzo_schema_compile_maximum},
	{"minContains", VALIDATE, SINCE_2019, CHILDREN_NONE, arazzo_schema_compile_min_contains},
	{"minItems", VALIDATE, ALL_DRAFTS, CHILDREN_NONE, arazzo_schema_compile_min_items},
	{"minLength", VALIDATE, ALL_DRAFTS, CHILDREN_NONE, arazzo_schema_compile_min_length},
	{"minProperties", VALIDATE, ALL_DRAFTS, CHILDREN_NONE, arazzo_schema_compile_min_properties},
	{"minimum", VALIDATE, ALL_DRAFTS, CHILDREN_NONE, arazzo_schema_compile_minimum},
	{"multipleOf", VALIDATE, ALL_DRAFTS, CHILDREN_NONE, arazzo_schema_compile_multiple_of},
	{"not", APPLY, ALL_DRAFTS, CHILDREN_SCHEMA, arazzo_schema_compile_not},
	{"nullable", VALIDATE, DRAFT_OPENAPI, CHILDREN_NONE, arazzo_schema_compile_nullable},
	{"oneOf", APPLY, ALL_DRAFTS, CHILDREN_LIST, arazzo_schema_compile_one_of},
	{"pattern", VALIDATE, ALL_DRAFTS, CHILDREN_NONE, arazzo_schema_compile_pattern},
	{"patternProperties", APPLY, SINCE_7, CHILDREN_MAP, arazzo_schema_compile_pattern_properties},
	{"prefixItems", APPLY, DRAFT_2020_12, CHILDREN_LIST, arazzo_schema_compile_prefix_items},
	{"properties", APPLY, ALL_DRAFTS, CHILDREN_MAP, arazzo_schema_compile_properties},
	{"propertyNames", APPLY, SINCE_7, CHILDREN_SCHEMA, arazzo_schema_compile_property_names},
	{"required", VALIDATE, ALL_DRAFTS, CHILDREN_NONE, arazzo_schema_compile_required},
	{"then", APPLY, SINCE_7, CHILDREN_SCHEMA, arazzo_schema_compile_then},
	{"type", VALIDATE, ALL_DRAFTS, CHILDREN_NONE, arazzo_schema_compile_type},
	{"unevaluatedItems", VOCABULARY_UNEVALUATED, SINCE_2019, CHILDREN_SCHEMA, arazzo_schema_compile_unevaluated_items},
	{"unevaluatedProperties", VOCABULARY_UNEVALUATED, SINCE_2019, CHILDREN_SCHEMA, arazzo_schema_compile_unevaluated_properties},
	{"uniqueItems", VALIDATE, ALL_DRAFTS, CHILDREN_NONE, arazzo_schema_compile_unique_items},
};

static int	compare_name(const char *name, int length, const char *keyword);

/* The keyword of this name, or NULL. */
const Keyword *
arazzo_schema_keyword(const char *name, int length)
{
	int			low = 0;
	int			high = lengthof(keywords) - 1;

	while (low <= high)
	{
		int			middle = (low + high) / 2;
		int			order = compare_name(name, length, keywords[middle].name);

		if (order == 0)
			return &keywords[middle];
		if (order < 0)
			high = middle - 1;
		else
			low = middle + 1;
	}
	return NULL;
}

static int
compare_name(const char *name, int length, const char *keyword)
{
	int			order = strncmp(name, keyword, length);

	if (order == 0 && keyword[length] != '\0')
		return -1;
	return order;
}
