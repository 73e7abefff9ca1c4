/*-------------------------------------------------------------------------
 *
 * server.c
 *	  The server of an operation (OpenAPI 3, Server Object; 2.0, schemes,
 *	  host and basePath).
 *
 * The first server of the nearest level counts, with the defaults of its
 * variables; connections say where requests really go.  A relative URL is
 * relative to where the description was retrieved from, which "$self" does
 * not change (OpenAPI 3.2.0, Relative References in API URLs).
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "document/uri.h"
#include "openapi/resolve.h"

static const JsonbValue *first_server(const JsonbValue *object);
static char *fill_variables(const JsonbValue *server);
static char *variable_default(const JsonbValue *server, const char *name, int length);
static char *swagger_url(const OperationPlace *place);
static const char *swagger_scheme(const OperationPlace *place);
static char *absolute_url(const char *url, const char *base);
static bool is_http(const char *url);

char *
arazzo_server_url(const OperationPlace *place)
{
	const JsonbValue *server = NULL;
	const char *base = place->document->uri;
	char	   *url;

	if (arazzo_resolve_is_swagger(place->description))
		return swagger_url(place);
	server = first_server(place->operation);
	if (server == NULL)
		server = first_server(place->item);
	if (server == NULL)
	{
		server = first_server(place->description->content);
		base = place->description->uri;
	}

	/* OpenAPI Object, servers: without any, "/" */
	url = server ? fill_variables(server) : pstrdup("/");
	return url ? absolute_url(url, base) : pstrdup("");
}

static const JsonbValue *
first_server(const JsonbValue *object)
{
	const JsonbValue *server;

	server = arazzo_value_element(arazzo_value_member_cstring(object, "servers"), 0);
	return arazzo_value_member_text(server, "url") ? server : NULL;
}

/* The URL with the defaults of its variables; NULL when one has none. */
static char *
fill_variables(const JsonbValue *server)
{
	const char *url = arazzo_value_member_text(server, "url");
	StringInfoData filled;

	initStringInfo(&filled);
	while (*url)
	{
		const char *end = *url == '{' ? strchr(url, '}') : NULL;
		char	   *value;

		if (end == NULL)
		{
			appendStringInfoChar(&filled, *url++);
			continue;
		}
		value = variable_default(server, url + 1, end - url - 1);
		if (value == NULL)
			return NULL;
		appendStringInfoString(&filled, value);
		url = end + 1;
	}
	return filled.data;
}

/* The default of a variable, or the first value it may have. */
static char *
variable_default(const JsonbValue *server, const char *name, int length)
{
	const JsonbValue *variables = arazzo_value_member_cstring(server, "variables");
	const JsonbValue *variable = arazzo_value_member(variables, name, length);
	const JsonbValue *value = arazzo_value_member_cstring(variable, "default");

	if (value == NULL)
		value = arazzo_value_element(arazzo_value_member_cstring(variable, "enum"), 0);
	if (value == NULL || value->type == jbvNull || value->type == jbvBinary)
		return NULL;
	return arazzo_value_to_text(value);
}

/* OpenAPI 2.0, Swagger Object. */
static char *
swagger_url(const OperationPlace *place)
{
	const JsonbValue *content = place->description->content;
	const char *host = arazzo_value_member_text(content, "host");
	const char *path = arazzo_value_member_text(content, "basePath");
	const char *scheme = swagger_scheme(place);

	if (path == NULL)
		path = "";
	if (host == NULL || host[0] == '\0')
		return absolute_url(path[0] ? path : "/", place->description->uri);
	if (scheme == NULL)
		return pstrdup("");
	return absolute_url(psprintf("%s://%s%s%s", scheme, host,
								 path[0] && path[0] != '/' ? "/" : "", path), "");
}

/* https if it is offered; without schemes, that of the description. */
static const char *
swagger_scheme(const OperationPlace *place)
{
	const JsonbValue *schemes = arazzo_value_member_cstring(place->operation, "schemes");
	const char *found = NULL;
	int			i;

	if (arazzo_value_count(schemes) == 0)
		schemes = arazzo_value_member_cstring(place->description->content, "schemes");
	if (arazzo_value_count(schemes) == 0)
		return pg_strncasecmp(place->description->uri, "http://", 7) == 0 ? "http" : "https";
	for (i = 0; i < arazzo_value_count(schemes); i++)
	{
		const JsonbValue *scheme = arazzo_value_element(schemes, i);
		char	   *text = scheme ? arazzo_value_to_text(scheme) : NULL;

		if (text && pg_strcasecmp(text, "https") == 0)
			return "https";
		if (text && pg_strcasecmp(text, "http") == 0)
			found = "http";
	}
	return found;
}

/* The URL without trailing slashes, or "" when it is no place to call. */
static char *
absolute_url(const char *url, const char *base)
{
	char	   *resolved;
	int			length;

	if (strncmp(url, "//", 2) == 0 && !is_http(base))
		base = "https://localhost/";
	if (arazzo_uri_is_absolute(url))
		resolved = pstrdup(url);
	else if (is_http(base))
		resolved = arazzo_uri_resolve(base, url);
	else
		return pstrdup("");
	length = strlen(resolved);
	while (length > 0 && resolved[length - 1] == '/')
		resolved[--length] = '\0';
	return resolved;
}

static bool
is_http(const char *url)
{
	return pg_strncasecmp(url, "http://", 7) == 0 || pg_strncasecmp(url, "https://", 8) == 0;
}
