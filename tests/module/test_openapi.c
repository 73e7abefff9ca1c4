/*-------------------------------------------------------------------------
 *
 * test_openapi.c
 *	  The openapi room as SQL functions, for tests only.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "funcapi.h"
#include "portability/instr_time.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "document/reader.h"
#include "openapi/operation.h"
#include "openapi/serialize.h"

PG_FUNCTION_INFO_V1(test_operation);
PG_FUNCTION_INFO_V1(test_operation_body);
PG_FUNCTION_INFO_V1(test_operation_ids);
PG_FUNCTION_INFO_V1(test_operation_nearest);
PG_FUNCTION_INFO_V1(test_operation_time);
PG_FUNCTION_INFO_V1(test_serialize);
PG_FUNCTION_INFO_V1(test_serialize_body);
PG_FUNCTION_INFO_V1(test_deserialize_body);

static const char *const location_names[] = {"path", "query", "querystring", "header", "cookie"};
static const char *const style_names[] = {
	"simple", "label", "matrix", "form", "space", "pipe", "deepObject", "cookie", "tab"
};
static const char *const scheme_names[] = {
	"apiKey", "basic", "bearer", "digest", "oauth2", "openIdConnect", "mutualTLS", "undefined"
};
static const char *const binary_names[] = {"none", "raw", "base64", "base64url", "untyped"};

static const ArazzoDocument *put_documents(ArazzoLibrary *library, Jsonb *documents, const char *uri);
static OpenapiOperation *find(ArazzoLibrary *library, const ArazzoDocument *document,
							  const char *how, const char *what, const char *method);
static char *describe(const OpenapiOperation *operation);
static void describe_parameters(StringInfo out, const OpenapiOperation *operation);
static void describe_body(StringInfo out, const OpenapiMediaType *body);
static void describe_security(StringInfo out, const OpenapiOperation *operation);
static OpenapiOperation *operation_with(const char *member, Jsonb *value);
static char *optional_text(FunctionCallInfo fcinfo, int argument);

/*
 * test_operation(documents jsonb, uri text, how text, what text, method text)
 * → text: an operation of one of the documents (an object by URI), by "id",
 * "pointer" or "path", a line for each thing that is known of it.
 */
Datum
test_operation(PG_FUNCTION_ARGS)
{
	ArazzoLibrary *library = arazzo_library_create();
	const ArazzoDocument *document = put_documents(library, PG_GETARG_JSONB_P(0),
												   text_to_cstring(PG_GETARG_TEXT_PP(1)));

	PG_RETURN_TEXT_P(cstring_to_text(describe(find(library, document, optional_text(fcinfo, 2),
												   optional_text(fcinfo, 3), optional_text(fcinfo, 4)))));
}

/*
 * test_operation_body(documents jsonb, uri text, id text, content_type text)
 * → text: the media type of the description that is chosen.
 */
Datum
test_operation_body(PG_FUNCTION_ARGS)
{
	ArazzoLibrary *library = arazzo_library_create();
	const ArazzoDocument *document = put_documents(library, PG_GETARG_JSONB_P(0),
												   text_to_cstring(PG_GETARG_TEXT_PP(1)));
	const OpenapiMediaType *body;

	body = arazzo_operation_body(find(library, document, "id", optional_text(fcinfo, 2), NULL),
								 optional_text(fcinfo, 3));
	if (body == NULL)
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(cstring_to_text(body->content_type));
}

/* test_operation_ids(documents jsonb, uri text) → text[] */
Datum
test_operation_ids(PG_FUNCTION_ARGS)
{
	ArazzoLibrary *library = arazzo_library_create();
	const ArazzoDocument *document = put_documents(library, PG_GETARG_JSONB_P(0),
												   text_to_cstring(PG_GETARG_TEXT_PP(1)));
	List	   *ids = arazzo_operation_ids(library, document);
	Datum	   *items = palloc(sizeof(Datum) * Max(list_length(ids), 1));
	ListCell   *cell;

	foreach(cell, ids)
	{
		if (!arazzo_operation_exists(library, document, lfirst(cell)))
			elog(ERROR, "operation \"%s\" is listed but does not exist", (char *) lfirst(cell));
		items[foreach_current_index(cell)] = CStringGetTextDatum(lfirst(cell));
	}
	PG_RETURN_ARRAYTYPE_P(construct_array(items, list_length(ids), TEXTOID, -1, false, TYPALIGN_INT));
}

/* test_operation_nearest(name text, names text[]) → text */
Datum
test_operation_nearest(PG_FUNCTION_ARGS)
{
	Datum	   *items;
	int			count;
	int			i;
	List	   *names = NIL;
	char	   *nearest;

	deconstruct_array(PG_GETARG_ARRAYTYPE_P(1), TEXTOID, -1, false, TYPALIGN_INT, &items, NULL, &count);
	for (i = 0; i < count; i++)
		names = lappend(names, TextDatumGetCString(items[i]));
	nearest = arazzo_operation_nearest(text_to_cstring(PG_GETARG_TEXT_PP(0)), names);
	if (nearest == NULL)
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(cstring_to_text(nearest));
}

/*
 * test_operation_time(document jsonb, ids text[]) → float8[]: microseconds of
 * the first look-up, and the mean of all of them.
 */
Datum
test_operation_time(PG_FUNCTION_ARGS)
{
	JsonbValue *content = arazzo_value_from_jsonb(PG_GETARG_JSONB_P(0));
	ArazzoLibrary *library = arazzo_library_create();
	const ArazzoDocument *document = arazzo_library_put(library, "https://example.com/", content, NULL);
	Datum	   *items;
	Datum		times[2];
	double		total = 0;
	double		first = 0;
	int			count;
	int			i;

	deconstruct_array(PG_GETARG_ARRAYTYPE_P(1), TEXTOID, -1, false, TYPALIGN_INT, &items, NULL, &count);
	for (i = 0; i < count; i++)
	{
		char	   *id = TextDatumGetCString(items[i]);
		instr_time	start;
		instr_time	end;

		INSTR_TIME_SET_CURRENT(start);
		(void) find(library, document, "id", id, NULL);
		INSTR_TIME_SET_CURRENT(end);
		INSTR_TIME_SUBTRACT(end, start);
		total += INSTR_TIME_GET_DOUBLE(end);
		if (i == 0)
			first = total;
	}
	times[0] = Float8GetDatum(first * 1e6);
	times[1] = Float8GetDatum(total * 1e6 / Max(count, 1));
	PG_RETURN_ARRAYTYPE_P(construct_array(times, 2, FLOAT8OID, 8, FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
}

/*
 * test_serialize(parameter jsonb, value jsonb, before text) → text: what a
 * value becomes after what is there already.  The parameter is a Parameter
 * Object; with "undeclared": true only its name and in count.
 */
Datum
test_serialize(PG_FUNCTION_ARGS)
{
	JsonbValue *object = arazzo_value_from_jsonb(PG_GETARG_JSONB_P(0));
	JsonbValue *value = PG_ARGISNULL(1) ? NULL : arazzo_value_from_jsonb(PG_GETARG_JSONB_P(1));
	const OpenapiParameter *parameter;
	ArazzoFailure *failure = NULL;
	StringInfoData out;
	bool		(*serialize[]) (StringInfo, const OpenapiParameter *, const JsonbValue *, ArazzoFailure **) =
	{
		[IN_PATH] = arazzo_serialize_path,
		[IN_QUERY] = arazzo_serialize_query,
		[IN_QUERYSTRING] = arazzo_serialize_query,
		[IN_HEADER] = arazzo_serialize_header,
		[IN_COOKIE] = arazzo_serialize_cookie
	};

	initStringInfo(&out);
	appendStringInfoString(&out, text_to_cstring(PG_GETARG_TEXT_PP(2)));
	if (arazzo_value_member_cstring(object, "undeclared"))
	{
		const char *in = arazzo_value_member_text(object, "in");
		int			place = 0;

		while (strcmp(location_names[place], in) != 0)
			place++;
		parameter = arazzo_serialize_undeclared(place, arazzo_value_member_text(object, "name"));
	}
	else
	{
		OpenapiOperation *operation = operation_with("parameters", PG_GETARG_JSONB_P(0));

		if (operation->parameters == NIL)
			PG_RETURN_TEXT_P(cstring_to_text("(ignored)"));
		parameter = linitial(operation->parameters);
	}
	if (!serialize[parameter->in] (&out, parameter, value, &failure))
		arazzo_failure_report(failure, ERROR);
	PG_RETURN_TEXT_P(cstring_to_text(out.data));
}

/*
 * test_serialize_body(content jsonb, content_type text, payload jsonb, source
 * text) → (type text, body bytea): the body by the Content Map of a request
 * body, which may be null; in the order of the payload's source, if given.
 */
Datum
test_serialize_body(PG_FUNCTION_ARGS)
{
	const OpenapiMediaType *description = NULL;
	char	   *content_type = optional_text(fcinfo, 1);
	JsonbValue *payload = PG_ARGISNULL(2) ? NULL : arazzo_value_from_jsonb(PG_GETARG_JSONB_P(2));
	ArazzoFailure *failure = NULL;
	const ArazzoNode *order = NULL;
	const char *type;
	StringInfoData out;
	TupleDesc	descriptor;
	Datum		values[2] = {0};
	bool		nulls[2] = {false, false};

	if (!PG_ARGISNULL(0))
		description = arazzo_operation_body(operation_with("requestBody", PG_GETARG_JSONB_P(0)), content_type);
	if (!PG_ARGISNULL(3))
	{
		text	   *source = PG_GETARG_TEXT_PP(3);

		order = arazzo_reader_read(VARDATA_ANY(source), VARSIZE_ANY_EXHDR(source), &failure);
		if (order == NULL)
			arazzo_failure_report(failure, ERROR);
	}
	initStringInfo(&out);
	if (!arazzo_serialize_body(&out, content_type, description, payload, order, &type, &failure))
		arazzo_failure_report(failure, ERROR);
	if (get_call_result_type(fcinfo, NULL, &descriptor) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	nulls[0] = type == NULL;
	if (type)
		values[0] = CStringGetTextDatum(type);
	values[1] = PointerGetDatum(cstring_to_text_with_len(out.data, out.len));
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(descriptor), values, nulls)));
}

/*
 * test_deserialize_body(content_type text, body bytea) → (value jsonb,
 * warning text)
 */
Datum
test_deserialize_body(PG_FUNCTION_ARGS)
{
	bytea	   *body = PG_GETARG_BYTEA_PP(1);
	TupleDesc	descriptor;
	Datum		values[2] = {0};
	bool		nulls[2] = {false, false};
	char	   *warning;
	JsonbValue *value;

	value = arazzo_deserialize_body(optional_text(fcinfo, 0), VARDATA_ANY(body), VARSIZE_ANY_EXHDR(body),
									&warning);
	if (get_call_result_type(fcinfo, NULL, &descriptor) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	nulls[0] = value == NULL;
	if (value)
		values[0] = JsonbPGetDatum(arazzo_value_to_jsonb(value));
	nulls[1] = warning == NULL;
	if (warning)
		values[1] = CStringGetTextDatum(warning);
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(descriptor), values, nulls)));
}

/* Puts the members of an object in place; returns the one under uri. */
static const ArazzoDocument *
put_documents(ArazzoLibrary *library, Jsonb *documents, const char *uri)
{
	const ArazzoDocument *found = NULL;
	ArazzoValueWalk walk;
	JsonbValue	key;
	JsonbValue	value;

	arazzo_value_walk(&walk, arazzo_value_from_jsonb(documents));
	while (arazzo_value_next(&walk, &key, &value))
	{
		char	   *name = pnstrdup(key.val.string.val, key.val.string.len);
		const ArazzoDocument *document = arazzo_library_put(library, name, arazzo_value_copy(&value), NULL);

		if (strcmp(name, uri) == 0)
			found = document;
	}
	if (found == NULL)
		elog(ERROR, "no document \"%s\" was given", uri);
	return found;
}

/* An operation, or its failure as an error. */
static OpenapiOperation *
find(ArazzoLibrary *library, const ArazzoDocument *document,
	 const char *how, const char *what, const char *method)
{
	ArazzoFailure *failure = NULL;
	const char *accepted = NULL;
	OpenapiOperation *operation;

	if (strcmp(how, "id") == 0)
		operation = arazzo_operation_by_id(library, document, what, &accepted, &failure);
	else if (strcmp(how, "pointer") == 0)
		operation = arazzo_operation_by_pointer(library, document, what, &failure);
	else
		operation = arazzo_operation_by_path(library, document, method, what, &failure);
	if ((operation == NULL) != (failure != NULL))
		elog(ERROR, "look-up returned neither an operation nor a failure, or both");
	if (operation == NULL)
		arazzo_failure_report(failure, ERROR);
	if (accepted)
		ereport(NOTICE, errmsg("accepted as \"%s\"", accepted));
	return operation;
}

static char *
describe(const OpenapiOperation *operation)
{
	StringInfoData out;
	ListCell   *cell;

	initStringInfo(&out);
	appendStringInfo(&out, "%s %s%s", operation->method,
					 operation->server_url[0] ? operation->server_url : "(no server)", operation->path);
	if (operation->operation_id)
		appendStringInfo(&out, " id=%s", operation->operation_id);
	describe_parameters(&out, operation);
	foreach(cell, operation->bodies)
		describe_body(&out, lfirst(cell));
	if (operation->body_required)
		appendStringInfoString(&out, "\nbody required");
	describe_security(&out, operation);
	if (operation->responses)
	{
		appendStringInfoString(&out, "\nresponses ");
		arazzo_value_append_json(&out, operation->responses);
	}
	return out.data;
}

static void
describe_parameters(StringInfo out, const OpenapiOperation *operation)
{
	ListCell   *cell;

	foreach(cell, operation->parameters)
	{
		const OpenapiParameter *parameter = lfirst(cell);

		if (arazzo_operation_parameter(operation, parameter->in, parameter->name) == NULL)
			elog(ERROR, "parameter \"%s\" is not found", parameter->name);
		appendStringInfo(out, "\n%s %s %s%s%s%s", location_names[parameter->in], parameter->name,
						 parameter->content_type ? parameter->content_type : style_names[parameter->style],
						 parameter->explode ? " explode" : "",
						 parameter->allow_reserved ? " reserved" : "",
						 parameter->required ? " required" : "");
		if (parameter->schema)
		{
			appendStringInfoChar(out, ' ');
			arazzo_value_append_json(out, parameter->schema);
		}
	}
}

static void
describe_body(StringInfo out, const OpenapiMediaType *body)
{
	ListCell   *cell;

	appendStringInfo(out, "\nbody %s", body->content_type);
	if (body->binary != BINARY_NONE)
		appendStringInfo(out, " %s", binary_names[body->binary]);
	if (body->schema)
	{
		appendStringInfoChar(out, ' ');
		arazzo_value_append_json(out, body->schema);
	}
	foreach(cell, body->members)
	{
		const OpenapiMember *member = lfirst(cell);

		appendStringInfo(out, "\n  member %s %s", member->name, binary_names[member->binary]);
	}
	foreach(cell, body->encodings)
	{
		const OpenapiEncoding *encoding = lfirst(cell);

		appendStringInfo(out, "\n  encoding %s", encoding->name);
		if (encoding->content_type)
			appendStringInfo(out, " %s", encoding->content_type);
		if (encoding->has_style)
			appendStringInfo(out, " %s%s%s", style_names[encoding->style], encoding->explode ? " explode" : "",
							 encoding->allow_reserved ? " reserved" : "");
		if (encoding->headers)
		{
			appendStringInfoString(out, " headers ");
			arazzo_value_append_json(out, encoding->headers);
		}
	}
}

static void
describe_security(StringInfo out, const OpenapiOperation *operation)
{
	ListCell   *cell;
	ListCell   *inner;
	ListCell   *scope;

	foreach(cell, operation->security)
	{
		const OpenapiSecurity *security = lfirst(cell);

		appendStringInfo(out, "\nsecurity%s", security->schemes == NIL ? " none" : "");
		foreach(inner, security->schemes)
		{
			const OpenapiSecurityScheme *scheme = lfirst(inner);

			appendStringInfo(out, " %s=%s", scheme->name, scheme_names[scheme->kind]);
			if (scheme->kind == SECURITY_API_KEY)
				appendStringInfo(out, "(%s %s)", location_names[scheme->in], scheme->parameter);
			if (scheme->token_url)
				appendStringInfo(out, " token %s", scheme->token_url);
			if (scheme->password_url)
				appendStringInfo(out, " password %s", scheme->password_url);
			if (scheme->openid_url)
				appendStringInfo(out, " openid %s", scheme->openid_url);
			foreach(scope, scheme->scopes)
				appendStringInfo(out, " %s", (char *) lfirst(scope));
		}
	}
}

/*
 * The operation of a description made for one parameter ("parameters") or
 * for the content of one request body ("requestBody").
 */
static OpenapiOperation *
operation_with(const char *member, Jsonb *value)
{
	ArazzoLibrary *library = arazzo_library_create();
	ArazzoFailure *failure = NULL;
	JsonbValue *content;
	OpenapiOperation *operation;
	StringInfoData text;

	initStringInfo(&text);
	appendStringInfo(&text, "{\"openapi\": \"3.2.0\", \"paths\": {\"/x\": {\"post\": {\"%s\": ", member);
	appendStringInfoString(&text, strcmp(member, "parameters") == 0 ? "[" : "{\"content\": ");
	arazzo_value_append_json(&text, arazzo_value_from_jsonb(value));
	appendStringInfoString(&text, strcmp(member, "parameters") == 0 ? "]}}}}" : "}}}}}");
	content = arazzo_value_parse_json(text.data, text.len, &failure);
	if (content == NULL)
		arazzo_failure_report(failure, ERROR);
	operation = arazzo_operation_by_path(library, arazzo_library_put(library, "https://example.com/", content, NULL),
										 "POST", "/x", &failure);
	if (operation == NULL)
		arazzo_failure_report(failure, ERROR);
	return operation;
}

static char *
optional_text(FunctionCallInfo fcinfo, int argument)
{
	return PG_ARGISNULL(argument) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(argument));
}
