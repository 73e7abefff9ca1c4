/*-------------------------------------------------------------------------
 *
 * test_schema.c
 *	  JSON Schema as SQL functions.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "fmgr.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"

#include "schema/schema.h"

PG_FUNCTION_INFO_V1(test_schema_validate);
PG_FUNCTION_INFO_V1(test_schema_defaults);

static ArazzoSchema *compile(Jsonb *schema, Jsonb *remotes, bool formats, const char *dialect);
static const JsonbValue *remote_document(void *owner, const char *uri);

/*
 * test_schema_validate(schema jsonb, instance jsonb, remotes jsonb, formats
 * boolean, dialect text) returns jsonb: the errors as an array, each with
 * instance, schema and message.  remotes maps URIs to documents; dialect is
 * '2020-12' or 'openapi-3.0'.  Throws when both ways to validate differ.
 */
Datum
test_schema_validate(PG_FUNCTION_ARGS)
{
	ArazzoSchema *schema = compile(PG_GETARG_JSONB_P(0), PG_GETARG_JSONB_P(2), PG_GETARG_BOOL(3),
								   text_to_cstring(PG_GETARG_TEXT_PP(4)));
	JsonbValue *instance = arazzo_value_from_jsonb(PG_GETARG_JSONB_P(1));
	JsonbParseState *state = NULL;
	List	   *errors = NIL;
	ListCell   *cell;
	bool		valid = arazzo_schema_validate(schema, instance, &errors);

	if (valid != (errors == NIL) || valid != arazzo_schema_validate(schema, instance, NULL))
		elog(ERROR, "verdict and errors differ");
	pushJsonbValue(&state, WJB_BEGIN_ARRAY, NULL);
	foreach(cell, errors)
	{
		SchemaError *error = lfirst(cell);

		pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
		pushJsonbValue(&state, WJB_KEY, arazzo_value_cstring("instance"));
		pushJsonbValue(&state, WJB_VALUE, arazzo_value_cstring(error->instance_pointer));
		pushJsonbValue(&state, WJB_KEY, arazzo_value_cstring("schema"));
		pushJsonbValue(&state, WJB_VALUE, arazzo_value_cstring(error->schema_pointer));
		pushJsonbValue(&state, WJB_KEY, arazzo_value_cstring("message"));
		pushJsonbValue(&state, WJB_VALUE, arazzo_value_cstring(error->message));
		pushJsonbValue(&state, WJB_END_OBJECT, NULL);
	}
	PG_RETURN_JSONB_P(JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_ARRAY, NULL)));
}

/* test_schema_defaults(schema jsonb, instance jsonb) returns jsonb */
Datum
test_schema_defaults(PG_FUNCTION_ARGS)
{
	ArazzoSchema *schema = compile(PG_GETARG_JSONB_P(0), NULL, false, "2020-12");
	JsonbValue *instance = arazzo_value_from_jsonb(PG_GETARG_JSONB_P(1));

	PG_RETURN_JSONB_P(arazzo_value_to_jsonb(arazzo_schema_fill_defaults(schema, instance)));
}

static ArazzoSchema *
compile(Jsonb *schema, Jsonb *remotes, bool formats, const char *dialect)
{
	JsonbValue *root = arazzo_value_from_jsonb(schema);
	ArazzoFailure *failure = NULL;
	SchemaOptions options;
	ArazzoSchema *compiled;

	memset(&options, 0, sizeof(options));
	options.dialect = strcmp(dialect, "openapi-3.0") == 0 ? SCHEMA_OPENAPI_3_0 : SCHEMA_2020_12;
	options.assert_formats = formats;
	options.document = remote_document;
	options.owner = remotes ? arazzo_value_from_jsonb(remotes) : NULL;
	compiled = arazzo_schema_compile(root, root, &options, &failure);
	if (compiled == NULL)
		arazzo_failure_report(failure, ERROR);
	return compiled;
}

static const JsonbValue *
remote_document(void *owner, const char *uri)
{
	return owner ? arazzo_value_member_cstring(owner, uri) : NULL;
}
