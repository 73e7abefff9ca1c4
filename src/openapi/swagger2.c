/*-------------------------------------------------------------------------
 *
 * swagger2.c
 *	  Operations of OpenAPI 2.0 as 3.x would describe them.
 *
 * Parameters in body and formData become media types of "consumes";
 * collectionFormat becomes style and explode; responses get a content of
 * "produces".  References of responses are followed, since what they lead to
 * has the form of 2.0.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "openapi/media_type.h"
#include "openapi/members.h"
#include "openapi/resolve.h"
#include "openapi/serialize.h"

/* What is gathered while the parameters are visited. */
typedef struct SwaggerBody
{
	OpenapiOperation *operation;
	JsonbValue *schema;			/* of the parameter in body */
	List	   *fields;			/* of JsonbValue *: parameters in formData */
	OpenapiBinary binary;
	bool		has_file;
} SwaggerBody;

static const struct
{
	const char *name;
	ParameterStyle style;
	bool		explode;
}			formats[] =
{
	{"csv", STYLE_FORM, false},
	{"ssv", STYLE_SPACE_DELIMITED, false},
	{"tsv", STYLE_TAB_DELIMITED, false},
	{"pipes", STYLE_PIPE_DELIMITED, false},
	{"multi", STYLE_FORM, true}
};

/* Members of a parameter that are none of its type. */
static const char *const own_members[] = {
	"name", "in", "required", "description", "collectionFormat", "allowEmptyValue"
};

static bool add_parameter(const OperationPlace *place, const ArazzoDocument *document,
						  JsonbValue *value, void *owner, ArazzoFailure **failure);
static bool add_plain(SwaggerBody *body, const char *in, const char *name, const JsonbValue *value);
static void fill_format(const JsonbValue *value, ParameterStyle *style, bool *explode);
static JsonbValue *schema_of(const JsonbValue *parameter);
static void push_schema(JsonbParseState **state, const JsonbValue *parameter);
static void fill_body(const OperationPlace *place, SwaggerBody *body);
static void fill_form(const OperationPlace *place, SwaggerBody *body);
static bool is_form_type(const char *type);
static OpenapiMediaType *form_type(const SwaggerBody *body, const char *content_type);
static JsonbValue *form_schema(const List *fields);
static List *types_of(const OperationPlace *place, const char *key);
static bool fill_responses(const OperationPlace *place, OpenapiOperation *operation,
						   ArazzoFailure **failure);
static void push_response(JsonbParseState **state, const JsonbValue *response, const List *types);
static void push_key(JsonbParseState **state, const char *key, int length);
static void push_value(JsonbParseState **state, JsonbIteratorToken token, const JsonbValue *value);

bool
arazzo_swagger_fill(const OperationPlace *place, OpenapiOperation *operation, ArazzoFailure **failure)
{
	SwaggerBody body = {0};

	body.operation = operation;
	if (!arazzo_resolve_parameters(place, add_parameter, &body, failure))
		return false;
	if (body.schema)
		fill_body(place, &body);
	else if (body.fields != NIL)
		fill_form(place, &body);
	return fill_responses(place, operation, failure);
}

/* OpenAPI 2.0, Parameter Object. */
static bool
add_parameter(const OperationPlace *place, const ArazzoDocument *document,
			  JsonbValue *value, void *owner, ArazzoFailure **failure)
{
	SwaggerBody *body = owner;
	const char *in = arazzo_value_member_text(value, "in");
	const char *name = arazzo_value_member_text(value, "name");
	const char *type = arazzo_value_member_text(value, "type");
	const JsonbValue *required = arazzo_value_member_cstring(value, "required");
	bool		is_required = required && required->type == jbvBool && required->val.boolean;

	if (in == NULL)
		return true;
	if (strcmp(in, "body") == 0)
	{
		JsonbValue *schema = arazzo_value_member_cstring(value, "schema");

		body->schema = schema ? arazzo_value_copy(schema) : arazzo_value_bool(true);
		body->binary = arazzo_binary_of_schema(place->library, document, schema);
		body->operation->body_required = is_required;
		return true;
	}
	if (name == NULL)
		return true;
	if (strcmp(in, "formData") != 0)
		return add_plain(body, in, name, value);
	body->fields = lappend(body->fields, value);
	body->operation->body_required |= is_required;
	body->has_file |= type && strcmp(type, "file") == 0;
	return true;
}

/* A parameter in path, query or header. */
static bool
add_plain(SwaggerBody *body, const char *in, const char *name, const JsonbValue *value)
{
	OpenapiParameter *parameter;
	const JsonbValue *required = arazzo_value_member_cstring(value, "required");
	ParameterStyle style;
	bool		explode;

	if (strcmp(in, "path") == 0)
		parameter = arazzo_serialize_undeclared(IN_PATH, name);
	else if (strcmp(in, "query") == 0)
		parameter = arazzo_serialize_undeclared(IN_QUERY, name);
	else if (strcmp(in, "header") == 0)
		parameter = arazzo_serialize_undeclared(IN_HEADER, name);
	else
		return true;
	fill_format(value, &style, &explode);
	if (parameter->in == IN_QUERY)
	{
		parameter->style = style;
		parameter->explode = explode;
	}
	else if (style != STYLE_FORM)
		parameter->style = style;
	parameter->required |= required && required->type == jbvBool && required->val.boolean;
	parameter->schema = schema_of(value);
	body->operation->parameters = lappend(body->operation->parameters, parameter);
	return true;
}

static void
fill_format(const JsonbValue *value, ParameterStyle *style, bool *explode)
{
	const char *format = arazzo_value_member_text(value, "collectionFormat");
	size_t		i;

	*style = STYLE_FORM;
	*explode = false;
	for (i = 0; format && i < lengthof(formats); i++)
	{
		if (strcmp(formats[i].name, format) == 0)
		{
			*style = formats[i].style;
			*explode = formats[i].explode;
		}
	}
}

/* The type of a parameter, which 2.0 keeps in the parameter itself. */
static JsonbValue *
schema_of(const JsonbValue *parameter)
{
	JsonbParseState *state = NULL;
	JsonbValue *schema;

	(void) pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	push_schema(&state, parameter);
	schema = pushJsonbValue(&state, WJB_END_OBJECT, NULL);
	return arazzo_value_from_jsonb(JsonbValueToJsonb(schema));
}

/* Pushes the members of a parameter that make its schema. */
static void
push_schema(JsonbParseState **state, const JsonbValue *parameter)
{
	ArazzoValueWalk walk;
	JsonbValue	key;
	JsonbValue	value;

	walk_members(&walk, parameter);
	while (arazzo_value_next(&walk, &key, &value))
	{
		bool		own = false;
		size_t		i;

		for (i = 0; i < lengthof(own_members); i++)
			own |= strlen(own_members[i]) == (size_t) key.val.string.len &&
				strncmp(own_members[i], key.val.string.val, key.val.string.len) == 0;
		if (own)
			continue;
		push_key(state, key.val.string.val, key.val.string.len);
		push_value(state, WJB_VALUE, &value);
	}
}

static void
fill_body(const OperationPlace *place, SwaggerBody *body)
{
	List	   *types = types_of(place, "consumes");
	ListCell   *cell;

	if (types == NIL)
		types = list_make1("application/json");
	foreach(cell, types)
	{
		OpenapiMediaType *type = palloc0(sizeof(OpenapiMediaType));

		type->content_type = lfirst(cell);
		type->schema = body->schema;
		if (!arazzo_media_type_is_json(type->content_type))
			type->binary = body->binary;
		body->operation->bodies = lappend(body->operation->bodies, type);
	}
}

/* Form fields in each form type that is consumed; files need multipart. */
static void
fill_form(const OperationPlace *place, SwaggerBody *body)
{
	ListCell   *cell;

	foreach(cell, types_of(place, "consumes"))
	{
		if (is_form_type(lfirst(cell)))
			body->operation->bodies = lappend(body->operation->bodies, form_type(body, lfirst(cell)));
	}
	if (body->operation->bodies == NIL)
		body->operation->bodies =
			list_make1(form_type(body, body->has_file ? "multipart/form-data"
								 : "application/x-www-form-urlencoded"));
}

static bool
is_form_type(const char *type)
{
	return arazzo_media_type_is(type, "application/x-www-form-urlencoded") ||
		arazzo_media_type_is(type, "multipart/form-data");
}

static OpenapiMediaType *
form_type(const SwaggerBody *body, const char *content_type)
{
	OpenapiMediaType *type = palloc0(sizeof(OpenapiMediaType));
	ListCell   *cell;

	type->content_type = content_type;
	type->schema = form_schema(body->fields);
	foreach(cell, body->fields)
	{
		const JsonbValue *field = lfirst(cell);
		const char *name = arazzo_value_member_text(field, "name");
		const char *kind = arazzo_value_member_text(field, "type");
		OpenapiMember *member;

		if (kind && strcmp(kind, "array") == 0)
		{
			OpenapiEncoding *encoding = palloc0(sizeof(OpenapiEncoding));

			encoding->name = name;
			encoding->has_style = true;
			fill_format(field, &encoding->style, &encoding->explode);
			type->encodings = lappend(type->encodings, encoding);
		}
		if (kind == NULL || strcmp(kind, "file") != 0)
			continue;
		member = palloc(sizeof(OpenapiMember));
		member->name = name;
		member->binary = BINARY_RAW;
		type->members = lappend(type->members, member);
	}
	return type;
}

static JsonbValue *
form_schema(const List *fields)
{
	JsonbParseState *state = NULL;
	JsonbValue *schema;
	ListCell   *cell;

	(void) pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	push_key(&state, "type", 4);
	push_value(&state, WJB_VALUE, arazzo_value_cstring("object"));
	push_key(&state, "properties", 10);
	(void) pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	foreach(cell, fields)
	{
		const char *name = arazzo_value_member_text(lfirst(cell), "name");

		push_key(&state, name, strlen(name));
		(void) pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
		push_schema(&state, lfirst(cell));
		(void) pushJsonbValue(&state, WJB_END_OBJECT, NULL);
	}
	(void) pushJsonbValue(&state, WJB_END_OBJECT, NULL);
	push_key(&state, "required", 8);
	(void) pushJsonbValue(&state, WJB_BEGIN_ARRAY, NULL);
	foreach(cell, fields)
	{
		const JsonbValue *required = arazzo_value_member_cstring(lfirst(cell), "required");

		if (required && required->type == jbvBool && required->val.boolean)
			push_value(&state, WJB_ELEM, arazzo_value_member_cstring(lfirst(cell), "name"));
	}
	(void) pushJsonbValue(&state, WJB_END_ARRAY, NULL);
	schema = pushJsonbValue(&state, WJB_END_OBJECT, NULL);
	return arazzo_value_from_jsonb(JsonbValueToJsonb(schema));
}

/* "consumes" or "produces" of the operation, else of the description. */
static List *
types_of(const OperationPlace *place, const char *key)
{
	const JsonbValue *list = arazzo_value_member_cstring(place->operation, key);
	List	   *types = NIL;
	int			i;

	if (list == NULL)
		list = arazzo_value_member_cstring(place->description->content, key);
	for (i = 0; arazzo_value_is_array(list) && i < arazzo_value_count(list); i++)
	{
		JsonbValue *type = arazzo_value_element(list, i);

		if (type && type->type == jbvString)
			types = lappend(types, arazzo_value_to_text(type));
	}
	return types;
}

/* OpenAPI 2.0, Responses Object, with the content of 3.x added. */
static bool
fill_responses(const OperationPlace *place, OpenapiOperation *operation, ArazzoFailure **failure)
{
	const JsonbValue *responses = arazzo_value_member_cstring(place->operation, "responses");
	List	   *types = types_of(place, "produces");
	JsonbParseState *state = NULL;
	ArazzoValueWalk walk;
	JsonbValue	key;
	JsonbValue	value;
	JsonbValue *built;

	if (!arazzo_value_is_object(responses))
		return true;
	if (types == NIL)
		types = list_make1("application/json");
	(void) pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	arazzo_value_walk(&walk, responses);
	while (arazzo_value_next(&walk, &key, &value))
	{
		const ArazzoDocument *document = place->document;
		JsonbValue *response = arazzo_library_follow(place->library, &document, &value, failure);

		if (response == NULL)
			return false;
		push_key(&state, key.val.string.val, key.val.string.len);
		if (arazzo_value_is_object(response))
			push_response(&state, response, types);
		else
			push_value(&state, WJB_VALUE, response);
	}
	built = pushJsonbValue(&state, WJB_END_OBJECT, NULL);
	operation->responses = arazzo_value_from_jsonb(JsonbValueToJsonb(built));
	return true;
}

static void
push_response(JsonbParseState **state, const JsonbValue *response, const List *types)
{
	const JsonbValue *schema = arazzo_value_member_cstring(response, "schema");
	ArazzoValueWalk walk;
	JsonbValue	key;
	JsonbValue	value;
	ListCell   *cell;

	(void) pushJsonbValue(state, WJB_BEGIN_OBJECT, NULL);
	walk_members(&walk, response);
	while (arazzo_value_next(&walk, &key, &value))
	{
		if (key.val.string.len == 6 && strncmp(key.val.string.val, "schema", 6) == 0)
			continue;
		push_key(state, key.val.string.val, key.val.string.len);
		push_value(state, WJB_VALUE, &value);
	}
	if (schema)
	{
		push_key(state, "content", 7);
		(void) pushJsonbValue(state, WJB_BEGIN_OBJECT, NULL);
		foreach(cell, types)
		{
			push_key(state, lfirst(cell), strlen(lfirst(cell)));
			(void) pushJsonbValue(state, WJB_BEGIN_OBJECT, NULL);
			push_key(state, "schema", 6);
			push_value(state, WJB_VALUE, schema);
			(void) pushJsonbValue(state, WJB_END_OBJECT, NULL);
		}
		(void) pushJsonbValue(state, WJB_END_OBJECT, NULL);
	}
	(void) pushJsonbValue(state, WJB_END_OBJECT, NULL);
}

static void
push_key(JsonbParseState **state, const char *key, int length)
{
	JsonbValue	value;

	value.type = jbvString;
	value.val.string.val = unconstify(char *, key);
	value.val.string.len = length;
	(void) pushJsonbValue(state, WJB_KEY, &value);
}

static void
push_value(JsonbParseState **state, JsonbIteratorToken token, const JsonbValue *value)
{
	(void) pushJsonbValue(state, token, unconstify(JsonbValue *, value));
}
