/*-------------------------------------------------------------------------
 *
 * security.c
 *	  What security an operation asks for (OpenAPI 3, Security Requirement
 *	  and Security Scheme Objects; 2.0, securityDefinitions).
 *
 * Names of schemes are those of the description that has the path.  A name
 * that nothing defines is kept as such: published descriptions do that, and
 * the name is all there is to choose a credential by.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "document/uri.h"
#include "openapi/resolve.h"

static OpenapiSecurity *alternative(const OperationPlace *place, const JsonbValue *requirement,
									const char *server_url);
static OpenapiSecurityScheme *scheme_of(const OperationPlace *place, const char *name,
										const char *server_url);
static const JsonbValue *find_definition(const OperationPlace *place, const char *name);
static void fill_scheme(OpenapiSecurityScheme *scheme, const JsonbValue *definition,
						const char *server_url);
static SecuritySchemeKind http_kind(const char *name);
static void fill_api_key(OpenapiSecurityScheme *scheme, const JsonbValue *definition);
static const char *token_url(const JsonbValue *definition, const char *flow, const char *flow2,
							 const char *server_url);
static const char *absolute_url(const char *url, const char *server_url);
static List *texts(const JsonbValue *array);

List *
arazzo_security_list(const OperationPlace *place, const char *server_url)
{
	const JsonbValue *list = arazzo_value_member_cstring(place->operation, "security");
	List	   *security = NIL;
	int			i;

	if (list == NULL)
		list = arazzo_value_member_cstring(place->description->content, "security");
	if (!arazzo_value_is_array(list))
		return NIL;

	/* Operation Object, security: an empty array takes security away */
	if (arazzo_value_count(list) == 0)
		return list_make1(palloc0(sizeof(OpenapiSecurity)));
	for (i = 0; i < arazzo_value_count(list); i++)
	{
		const JsonbValue *requirement = arazzo_value_element(list, i);

		if (arazzo_value_is_object(requirement))
			security = lappend(security, alternative(place, requirement, server_url));
	}
	return security;
}

static OpenapiSecurity *
alternative(const OperationPlace *place, const JsonbValue *requirement, const char *server_url)
{
	OpenapiSecurity *security = palloc0(sizeof(OpenapiSecurity));
	ArazzoValueWalk walk;
	JsonbValue	key;
	JsonbValue	scopes;

	arazzo_value_walk(&walk, requirement);
	while (arazzo_value_next(&walk, &key, &scopes))
	{
		OpenapiSecurityScheme *scheme;

		scheme = scheme_of(place, pnstrdup(key.val.string.val, key.val.string.len), server_url);
		scheme->scopes = texts(&scopes);
		security->schemes = lappend(security->schemes, scheme);
	}
	return security;
}

static OpenapiSecurityScheme *
scheme_of(const OperationPlace *place, const char *name, const char *server_url)
{
	OpenapiSecurityScheme *scheme = palloc0(sizeof(OpenapiSecurityScheme));
	const JsonbValue *definition = find_definition(place, name);

	scheme->name = name;
	scheme->kind = SECURITY_UNDEFINED;
	scheme->in = IN_HEADER;
	if (definition)
		fill_scheme(scheme, definition, server_url);
	return scheme;
}

/* By component name, else by URI (OpenAPI 3.2.0, Security Requirement Object). */
static const JsonbValue *
find_definition(const OperationPlace *place, const char *name)
{
	const ArazzoDocument *document = place->description;
	const JsonbValue *content = document->content;
	const JsonbValue *definitions;
	JsonbValue *definition;
	ArazzoFailure *failure = NULL;

	if (arazzo_resolve_is_swagger(document))
		definitions = arazzo_value_member_cstring(content, "securityDefinitions");
	else
		definitions = arazzo_value_member_cstring(arazzo_value_member_cstring(content, "components"),
												  "securitySchemes");
	definition = arazzo_value_member_cstring(definitions, name);
	if (definition == NULL && strpbrk(name, "/#") != NULL)
	{
		StringInfoData reference;

		document = place->document;
		initStringInfo(&reference);
		appendStringInfoString(&reference, "{\"$ref\":");
		arazzo_value_append_json_string(&reference, name, strlen(name));
		appendStringInfoChar(&reference, '}');
		definition = arazzo_value_parse_json(reference.data, reference.len, &failure);
	}
	if (definition == NULL)
		return NULL;
	return arazzo_library_follow(place->library, &document, definition, &failure);
}

static void
fill_scheme(OpenapiSecurityScheme *scheme, const JsonbValue *definition, const char *server_url)
{
	const char *type = arazzo_value_member_text(definition, "type");

	if (type == NULL)
		return;
	if (strcmp(type, "apiKey") == 0)
		fill_api_key(scheme, definition);
	else if (strcmp(type, "http") == 0)
		scheme->kind = http_kind(arazzo_value_member_text(definition, "scheme"));
	else if (strcmp(type, "basic") == 0)
		scheme->kind = SECURITY_BASIC;
	else if (strcmp(type, "oauth2") == 0)
		scheme->kind = SECURITY_OAUTH2;
	else if (strcmp(type, "openIdConnect") == 0)
		scheme->kind = SECURITY_OPENID_CONNECT;
	else if (strcmp(type, "mutualTLS") == 0)
		scheme->kind = SECURITY_MUTUAL_TLS;
	if (scheme->kind == SECURITY_OAUTH2)
	{
		scheme->token_url = token_url(definition, "clientCredentials", "application", server_url);
		scheme->password_url = token_url(definition, "password", "password", server_url);
	}
	if (scheme->kind == SECURITY_OPENID_CONNECT)
		scheme->openid_url = absolute_url(arazzo_value_member_text(definition, "openIdConnectUrl"), server_url);
}

/* Authentication schemes by their registered names, which have no case. */
static SecuritySchemeKind
http_kind(const char *name)
{
	if (name == NULL)
		return SECURITY_UNDEFINED;
	if (pg_strcasecmp(name, "basic") == 0)
		return SECURITY_BASIC;
	if (pg_strcasecmp(name, "bearer") == 0)
		return SECURITY_BEARER;
	if (pg_strcasecmp(name, "digest") == 0)
		return SECURITY_DIGEST;
	if (pg_strcasecmp(name, "oauth") == 0 || pg_strcasecmp(name, "oauth2") == 0)
		return SECURITY_OAUTH2;
	return SECURITY_UNDEFINED;
}

static void
fill_api_key(OpenapiSecurityScheme *scheme, const JsonbValue *definition)
{
	const char *in = arazzo_value_member_text(definition, "in");

	scheme->parameter = arazzo_value_member_text(definition, "name");
	if (scheme->parameter == NULL || in == NULL)
		return;
	if (strcmp(in, "header") == 0)
		scheme->in = IN_HEADER;
	else if (strcmp(in, "query") == 0)
		scheme->in = IN_QUERY;
	else if (strcmp(in, "cookie") == 0)
		scheme->in = IN_COOKIE;
	else
		return;
	scheme->kind = SECURITY_API_KEY;
}

/*
 * OAuth Flows Object: the token URL of a flow that needs no user's consent,
 * or NULL; 2.0 has one flow, in the scheme itself, under a name of its own.
 */
static const char *
token_url(const JsonbValue *definition, const char *flow, const char *flow2, const char *server_url)
{
	const JsonbValue *flows = arazzo_value_member_cstring(definition, "flows");
	const char *only = arazzo_value_member_text(definition, "flow");

	if (flows)
		definition = arazzo_value_member_cstring(flows, flow);
	else if (only == NULL || strcmp(only, flow2) != 0)
		return NULL;
	return absolute_url(arazzo_value_member_text(definition, "tokenUrl"), server_url);
}

/* A relative URL belongs to the server of the operation. */
static const char *
absolute_url(const char *url, const char *server_url)
{
	if (url == NULL || *url == '\0')
		return NULL;
	if (arazzo_uri_is_absolute(url))
		return url;
	return server_url[0] ? arazzo_uri_resolve(psprintf("%s/", server_url), url) : NULL;
}

static List *
texts(const JsonbValue *array)
{
	List	   *list = NIL;
	ArazzoValueWalk walk;
	JsonbValue	key;
	JsonbValue	item;

	if (!arazzo_value_is_array(array))
		return NIL;
	arazzo_value_walk(&walk, array);
	while (arazzo_value_next(&walk, &key, &item))
	{
		if (item.type == jbvString)
			list = lappend(list, pnstrdup(item.val.string.val, item.val.string.len));
	}
	return list;
}
