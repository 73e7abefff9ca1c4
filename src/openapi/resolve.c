/*-------------------------------------------------------------------------
 *
 * resolve.c
 *	  From a place in a description to an operation.
 *
 * Everything a call needs is copied out, all references but those of schemas
 * followed, so that the operation outlives the library it came from.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"

#include "openapi/media_type.h"
#include "openapi/members.h"
#include "openapi/resolve.h"
#include "openapi/serialize.h"

/* How a style is written, and where it may stand (Style Values). */
static const struct
{
	const char *name;
	ParameterStyle style;
	ParameterLocation locations[2];
}			styles[] =
{
	{"simple", STYLE_SIMPLE, {IN_PATH, IN_HEADER}},
	{"label", STYLE_LABEL, {IN_PATH, IN_PATH}},
	{"matrix", STYLE_MATRIX, {IN_PATH, IN_PATH}},
	{"form", STYLE_FORM, {IN_QUERY, IN_COOKIE}},
	{"spaceDelimited", STYLE_SPACE_DELIMITED, {IN_QUERY, IN_QUERY}},
	{"pipeDelimited", STYLE_PIPE_DELIMITED, {IN_QUERY, IN_QUERY}},
	{"deepObject", STYLE_DEEP_OBJECT, {IN_QUERY, IN_QUERY}},
	{"cookie", STYLE_COOKIE, {IN_COOKIE, IN_COOKIE}}
};

static const struct
{
	const char *name;
	ParameterLocation in;
}			locations[] =
{
	{"path", IN_PATH},
	{"query", IN_QUERY},
	{"querystring", IN_QUERYSTRING},
	{"header", IN_HEADER},
	{"cookie", IN_COOKIE}
};

static bool visit_list(const OperationPlace *place, const JsonbValue *list, bool inherited,
					   ParameterVisitor visit, void *owner, ArazzoFailure **failure);
static bool is_overridden(const OperationPlace *place, const JsonbValue *parameter);
static bool same_member(const JsonbValue *a, const JsonbValue *b, const char *key);
static bool add_parameter(const OperationPlace *place, const ArazzoDocument *document,
						  JsonbValue *value, void *owner, ArazzoFailure **failure);
static bool find_location(const char *name, ParameterLocation *in);
static bool is_ignored(const OpenapiParameter *parameter);
static bool fill_content(const OperationPlace *place, const ArazzoDocument *document,
						 OpenapiParameter *parameter, const JsonbValue *content,
						 ArazzoFailure **failure);
static bool find_style(const char *name, ParameterLocation in, ParameterStyle *style);
static void fill_style(const JsonbValue *value, OpenapiParameter *parameter);
static bool fill_bodies(const OperationPlace *place, OpenapiOperation *operation,
						ArazzoFailure **failure);
static OpenapiMediaType *media_type(ArazzoLibrary *library, const ArazzoDocument *document,
									const char *content_type, const JsonbValue *value);
static OpenapiEncoding *encoding_of(const char *name, const JsonbValue *value);
static bool member_is_true(const JsonbValue *object, const char *key);

OpenapiOperation *
arazzo_resolve_operation(const OperationPlace *place, ArazzoFailure **failure)
{
	OpenapiOperation *operation = palloc0(sizeof(OpenapiOperation));

	operation->document_uri = pstrdup(place->description->uri);
	operation->operation_id = arazzo_value_member_text(place->operation, "operationId");
	operation->method = pstrdup(place->method);
	operation->path = pstrdup(place->path);
	operation->server_url = arazzo_server_url(place);
	operation->security = arazzo_security_list(place, operation->server_url);
	if (arazzo_resolve_is_swagger(place->document))
		return arazzo_swagger_fill(place, operation, failure) ? operation : NULL;
	operation->responses = arazzo_value_copy(arazzo_value_member_cstring(place->operation, "responses"));
	if (!arazzo_resolve_parameters(place, add_parameter, operation, failure) ||
		!fill_bodies(place, operation, failure))
		return NULL;
	return operation;
}

bool
arazzo_resolve_is_swagger(const ArazzoDocument *document)
{
	return document->version[0] == '2';
}

bool
arazzo_resolve_parameters(const OperationPlace *place, ParameterVisitor visit,
						  void *owner, ArazzoFailure **failure)
{
	const JsonbValue *own = arazzo_value_member_cstring(place->operation, "parameters");
	const JsonbValue *shared = arazzo_value_member_cstring(place->item, "parameters");

	return visit_list(place, own, false, visit, owner, failure) &&
		visit_list(place, shared, true, visit, owner, failure);
}

static bool
visit_list(const OperationPlace *place, const JsonbValue *list, bool inherited,
		   ParameterVisitor visit, void *owner, ArazzoFailure **failure)
{
	int			count = arazzo_value_is_array(list) ? arazzo_value_count(list) : 0;
	int			i;

	for (i = 0; i < count; i++)
	{
		const ArazzoDocument *document = place->document;
		JsonbValue *parameter;

		parameter = arazzo_library_follow(place->library, &document,
										  arazzo_value_element(list, i), failure);
		if (parameter == NULL)
			return false;
		if (inherited && is_overridden(place, parameter))
			continue;
		if (!visit(place, document, parameter, owner, failure))
			return false;
	}
	return true;
}

/* The operation has a parameter of this name and location itself. */
static bool
is_overridden(const OperationPlace *place, const JsonbValue *parameter)
{
	const JsonbValue *list = arazzo_value_member_cstring(place->operation, "parameters");
	int			count = arazzo_value_is_array(list) ? arazzo_value_count(list) : 0;
	int			i;

	for (i = 0; i < count; i++)
	{
		const ArazzoDocument *document = place->document;
		ArazzoFailure *failure = NULL;
		JsonbValue *own = arazzo_library_follow(place->library, &document,
												arazzo_value_element(list, i), &failure);

		if (own && same_member(own, parameter, "name") && same_member(own, parameter, "in"))
			return true;
	}
	return false;
}

static bool
same_member(const JsonbValue *a, const JsonbValue *b, const char *key)
{
	return arazzo_value_equal(arazzo_value_member_cstring(a, key), arazzo_value_member_cstring(b, key));
}

/* OpenAPI 3, Parameter Object. */
static bool
add_parameter(const OperationPlace *place, const ArazzoDocument *document,
			  JsonbValue *value, void *owner, ArazzoFailure **failure)
{
	OpenapiOperation *operation = owner;
	OpenapiParameter *parameter;
	JsonbValue *content = arazzo_value_member_cstring(value, "content");
	char	   *name = arazzo_value_member_text(value, "name");
	ParameterLocation in;

	if (name == NULL || !find_location(arazzo_value_member_text(value, "in"), &in))
		return true;
	parameter = arazzo_serialize_undeclared(in, name);
	if (is_ignored(parameter))
		return true;
	parameter->required = in == IN_PATH || member_is_true(value, "required");
	parameter->allow_reserved = member_is_true(value, "allowReserved");
	if (arazzo_value_is_object(content) && arazzo_value_count(content) > 0)
	{
		if (!fill_content(place, document, parameter, content, failure))
			return false;
	}
	else
	{
		fill_style(value, parameter);
		parameter->schema = arazzo_value_copy(arazzo_value_member_cstring(value, "schema"));
	}
	operation->parameters = lappend(operation->parameters, parameter);
	return true;
}

static bool
find_location(const char *name, ParameterLocation *in)
{
	size_t		i;

	for (i = 0; name && i < lengthof(locations); i++)
	{
		if (strcmp(locations[i].name, name) == 0)
		{
			*in = locations[i].in;
			return true;
		}
	}
	return false;
}

/* Parameter Object, name: such definitions SHALL be ignored. */
static bool
is_ignored(const OpenapiParameter *parameter)
{
	return parameter->in == IN_HEADER &&
		(pg_strcasecmp(parameter->name, "Accept") == 0 ||
		 pg_strcasecmp(parameter->name, "Content-Type") == 0 ||
		 pg_strcasecmp(parameter->name, "Authorization") == 0);
}

/* The one entry of a parameter's content map. */
static bool
fill_content(const OperationPlace *place, const ArazzoDocument *document,
			 OpenapiParameter *parameter, const JsonbValue *content, ArazzoFailure **failure)
{
	List	   *types = NIL;

	if (!arazzo_resolve_content(place->library, document, content, &types, failure))
		return false;
	parameter->content = linitial(types);
	parameter->content_type = parameter->content->content_type;
	parameter->schema = parameter->content->schema;
	return true;
}

/*
 * Style and explode over the defaults of the location.  A style that does
 * not belong to the location is not permitted, and has no meaning.
 */
static void
fill_style(const JsonbValue *value, OpenapiParameter *parameter)
{
	const JsonbValue *explode = arazzo_value_member_cstring(value, "explode");

	if (find_style(arazzo_value_member_text(value, "style"), parameter->in, &parameter->style))
		parameter->explode = parameter->style == STYLE_FORM || parameter->style == STYLE_COOKIE;
	if (explode && explode->type == jbvBool)
		parameter->explode = explode->val.boolean;
}

static bool
find_style(const char *name, ParameterLocation in, ParameterStyle *style)
{
	size_t		i;

	for (i = 0; name && i < lengthof(styles); i++)
	{
		if (strcmp(styles[i].name, name) == 0 &&
			(styles[i].locations[0] == in || styles[i].locations[1] == in))
		{
			*style = styles[i].style;
			return true;
		}
	}
	return false;
}

/* OpenAPI 3, Request Body Object. */
static bool
fill_bodies(const OperationPlace *place, OpenapiOperation *operation, ArazzoFailure **failure)
{
	const ArazzoDocument *document = place->document;
	JsonbValue *body = arazzo_value_member_cstring(place->operation, "requestBody");

	if (body == NULL)
		return true;
	body = arazzo_library_follow(place->library, &document, body, failure);
	if (body == NULL)
		return false;
	operation->body_required = member_is_true(body, "required");
	return arazzo_resolve_content(place->library, document, arazzo_value_member_cstring(body, "content"),
								  &operation->bodies, failure);
}

bool
arazzo_resolve_content(ArazzoLibrary *library, const ArazzoDocument *document,
					   const JsonbValue *content, List **types, ArazzoFailure **failure)
{
	ArazzoValueWalk walk;
	JsonbValue	key;
	JsonbValue	value;

	walk_members(&walk, content);
	while (arazzo_value_next(&walk, &key, &value))
	{
		const ArazzoDocument *place = document;
		JsonbValue *followed = arazzo_library_follow(library, &place, &value, failure);

		if (followed == NULL)
			return false;
		*types = lappend(*types, media_type(library, place,
											pnstrdup(key.val.string.val, key.val.string.len),
											followed));
	}
	return true;
}

/* OpenAPI 3, Media Type Object. */
static OpenapiMediaType *
media_type(ArazzoLibrary *library, const ArazzoDocument *document,
		   const char *content_type, const JsonbValue *value)
{
	OpenapiMediaType *type = palloc0(sizeof(OpenapiMediaType));
	JsonbValue *schema = arazzo_value_member_cstring(value, "schema");
	char	   *essence = arazzo_media_type_essence(content_type);
	ArazzoValueWalk walk;
	JsonbValue	key;
	JsonbValue	encoding;

	type->content_type = content_type;
	type->schema = arazzo_value_copy(schema);
	if (!arazzo_media_type_is_json(essence))
		type->binary = arazzo_binary_of_schema(library, document, schema);
	if (strncmp(essence, "multipart/", 10) != 0 && strcmp(essence, "application/x-www-form-urlencoded") != 0)
		return type;
	type->members = arazzo_binary_members(library, document, schema);
	walk_members(&walk, arazzo_value_member_cstring(value, "encoding"));
	while (arazzo_value_next(&walk, &key, &encoding))
		type->encodings = lappend(type->encodings,
								  encoding_of(pnstrdup(key.val.string.val, key.val.string.len), &encoding));
	return type;
}

/* OpenAPI 3, Encoding Object. */
static OpenapiEncoding *
encoding_of(const char *name, const JsonbValue *value)
{
	OpenapiEncoding *encoding = palloc0(sizeof(OpenapiEncoding));
	OpenapiParameter *style = arazzo_serialize_undeclared(IN_QUERY, name);

	fill_style(value, style);
	encoding->name = name;
	encoding->content_type = arazzo_value_member_text(value, "contentType");
	encoding->has_style = arazzo_value_member_cstring(value, "style") != NULL ||
		arazzo_value_member_cstring(value, "explode") != NULL ||
		arazzo_value_member_cstring(value, "allowReserved") != NULL;
	encoding->style = style->style;
	encoding->explode = style->explode;
	encoding->allow_reserved = member_is_true(value, "allowReserved");
	encoding->headers = arazzo_value_copy(arazzo_value_member_cstring(value, "headers"));
	return encoding;
}

static bool
member_is_true(const JsonbValue *object, const char *key)
{
	const JsonbValue *member = arazzo_value_member_cstring(object, key);

	return member && member->type == jbvBool && member->val.boolean;
}
