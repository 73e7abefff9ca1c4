/*-------------------------------------------------------------------------
 *
 * target_schema.c
 *	  Fuzz target: a schema, and an instance as the second half of the input.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "mb/pg_wchar.h"

#include "schema/schema.h"

#include "fuzz.h"

static const char instance[] =
"{\"a\": 1, \"b\": [\"x\", 2.5, null, {\"c\": true}], \"d\": \"2024-02-29T00:00:00Z\", \"e\": {\"a\": \"127.0.0.1\"}}";

static void one_dialect(const JsonbValue *root, JsonbValue *value, SchemaDialect dialect);
static void check_errors(const List *errors);

void
fuzz_target_schema(const char *data, size_t length)
{
	ArazzoFailure *failure = NULL;
	StringInfoData schema;
	StringInfoData rest;
	JsonbValue *root;
	JsonbValue *value;

	(void) fuzz_split(data, length, &schema, &rest);
	root = arazzo_value_parse_json(schema.data, schema.len, &failure);
	if (root == NULL)
		return;
	value = fuzz_value(&rest, instance);
	one_dialect(root, value, SCHEMA_2020_12);
	one_dialect(root, value, SCHEMA_OPENAPI_3_0);
}

static void
one_dialect(const JsonbValue *root, JsonbValue *value, SchemaDialect dialect)
{
	SchemaOptions options = {0};
	ArazzoFailure *failure = NULL;
	ArazzoSchema *schema;
	List	   *errors = NIL;
	bool		valid;

	options.dialect = dialect;
	options.assert_formats = true;
	schema = arazzo_schema_compile(root, root, &options, &failure);
	fuzz_require((schema == NULL) == (failure != NULL));
	if (schema == NULL)
	{
		fuzz_require_failure(failure);
		return;
	}
	valid = arazzo_schema_validate(schema, value, &errors);
	fuzz_require(valid == (errors == NIL));
	fuzz_require(valid == arazzo_schema_validate(schema, value, NULL));
	check_errors(errors);
	value = arazzo_schema_fill_defaults(schema, value);
	fuzz_require(value != NULL);
	(void) arazzo_value_to_jsonb(value);
}

static void
check_errors(const List *errors)
{
	ListCell   *cell;

	foreach(cell, errors)
	{
		const SchemaError *error = lfirst(cell);

		fuzz_require(pg_verifymbstr(error->message, strlen(error->message), true));
		fuzz_require(pg_verifymbstr(error->instance_pointer, strlen(error->instance_pointer), true));
		fuzz_require(pg_verifymbstr(error->schema_pointer, strlen(error->schema_pointer), true));
	}
}
