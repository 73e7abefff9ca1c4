/*-------------------------------------------------------------------------
 *
 * asyncapi.c
 *	  Operations and channels of AsyncAPI descriptions (2.x and 3.x).
 *
 * Version 2 has operations inside channels, named by their addresses;
 * version 3 has both apart.  Either way a channel comes out as what a
 * request takes: a method, a path, a server, security.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"

#include "document/uri.h"
#include "support/value.h"
#include "workflow/asyncapi.h"

/* One description being read: where references lead from. */
typedef struct Reader
{
	ArazzoLibrary *library;
	const ArazzoDocument *document;
	AsyncapiChannel *channel;
	JsonbValue *server;			/* Server Object, or NULL */
	ArazzoFailure *failure;
} Reader;

static AsyncapiChannel *read_channel(Reader *reader, const char *address, JsonbValue *channel,
									 JsonbValue *operation);
static bool is_version_2(const ArazzoDocument *document);
static JsonbValue *find_operation_2(const ArazzoDocument *document, const char *operation_id,
									char **address, JsonbValue **channel, const char **action);
static JsonbValue *find_in_channel(const JsonbValue *channel, const char *operation_id, const char **action);
static JsonbValue *followed(Reader *reader, JsonbValue *value);
static JsonbValue *member(Reader *reader, JsonbValue *object, const char *key);
static void choose_server(Reader *reader, JsonbValue *channel);
static void offer_server(Reader *reader, JsonbValue *server);
static int	protocol_rank(const char *protocol);
static void read_server(Reader *reader);
static char *with_defaults(const char *template, JsonbValue *variables);
static void read_variables(OpenapiOperation *operation);
static void read_messages(Reader *reader, JsonbValue *channel, JsonbValue *operation);
static void read_message_list(Reader *reader, JsonbValue *list);
static void read_message(Reader *reader, JsonbValue *message);
static void read_security(Reader *reader, JsonbValue *owner);
static OpenapiSecurityScheme *read_scheme(Reader *reader, JsonbValue *value);
static JsonbValue *scheme_object(Reader *reader, JsonbValue *value, OpenapiSecurityScheme *scheme);

static const struct
{
	const char *type;
	const char *http;			/* "scheme" of an http one, or NULL */
	SecuritySchemeKind kind;
}			scheme_kinds[] =
{
	{"httpApiKey", NULL, SECURITY_API_KEY},
	{"userPassword", NULL, SECURITY_BASIC},
	{"http", "basic", SECURITY_BASIC},
	{"http", "bearer", SECURITY_BEARER},
	{"oauth2", NULL, SECURITY_OAUTH2},
	{"openIdConnect", NULL, SECURITY_OPENID_CONNECT},
	{"X509", NULL, SECURITY_MUTUAL_TLS}
};

static const struct
{
	const char *word;
	ParameterLocation in;
}			scheme_places[] =
{
	{"query", IN_QUERY}, {"cookie", IN_COOKIE}
};

bool
arazzo_asyncapi_is_notify(const char *protocol)
{
	return pg_strcasecmp(protocol, "postgres") == 0 || pg_strcasecmp(protocol, "postgresql") == 0;
}

bool
arazzo_asyncapi_is_http(const char *protocol)
{
	return pg_strcasecmp(protocol, "http") == 0 || pg_strcasecmp(protocol, "https") == 0;
}

static bool
is_version_2(const ArazzoDocument *document)
{
	return strncmp(document->version, "2.", 2) == 0;
}

bool
arazzo_asyncapi_has_operation(const ArazzoDocument *document, const char *operation_id)
{
	JsonbValue *channel;
	const char *action;
	char	   *address;

	if (is_version_2(document))
		return find_operation_2(document, operation_id, &address, &channel, &action) != NULL;
	return arazzo_value_member_cstring(arazzo_value_member_cstring(document->content, "operations"),
									   operation_id) != NULL;
}

AsyncapiChannel *
arazzo_asyncapi_operation(ArazzoLibrary *library, const ArazzoDocument *document,
						  const char *operation_id, ArazzoFailure **failure)
{
	Reader		reader = {.library = library,.document = document};
	AsyncapiChannel *result = NULL;
	JsonbValue *operation;
	JsonbValue *channel = NULL;
	const char *action = NULL;
	char	   *address = NULL;

	if (is_version_2(document))
		operation = find_operation_2(document, operation_id, &address, &channel, &action);
	else
	{
		operation = member(&reader, arazzo_value_member_cstring(document->content, "operations"), operation_id);
		channel = member(&reader, operation, "channel");
		address = arazzo_value_member_text(channel, "address");
		action = arazzo_value_member_text(operation, "action");
	}
	if (operation && channel)
		result = read_channel(&reader, address, channel, operation);
	if (result)
		result->action = action;
	else
		*failure = reader.failure ? reader.failure :
			arazzo_failure_make(ERRCODE_ARAZZO_REFERENCE, "operation \"%s\" does not exist", operation_id);
	return result;
}

AsyncapiChannel *
arazzo_asyncapi_channel(ArazzoLibrary *library, const ArazzoDocument *document,
						const char *pointer, ArazzoFailure **failure)
{
	Reader		reader = {.library = library,.document = document};
	AsyncapiChannel *result = NULL;
	JsonbValue *channel = NULL;
	char	  **tokens;
	int			count;

	if (arazzo_pointer_parse(pointer, strlen(pointer), &tokens, &count) && count > 0)
		channel = followed(&reader, arazzo_pointer_value(document->content, tokens, count));
	if (channel)
		result = read_channel(&reader, is_version_2(document) ? tokens[count - 1] :
							  arazzo_value_member_text(channel, "address"), channel, NULL);
	if (result == NULL)
		*failure = reader.failure ? reader.failure :
			arazzo_failure_make(ERRCODE_ARAZZO_REFERENCE, "there is no channel at \"%s\"", pointer);
	return result;
}

/* Version 2: an operation among the channels. */
static JsonbValue *
find_operation_2(const ArazzoDocument *document, const char *operation_id,
				 char **address, JsonbValue **channel, const char **action)
{
	ArazzoValueWalk walk;
	JsonbValue	key;
	JsonbValue	value;

	arazzo_value_walk(&walk, arazzo_value_member_cstring(document->content, "channels"));
	while (arazzo_value_next(&walk, &key, &value))
	{
		JsonbValue *operation = find_in_channel(&value, operation_id, action);

		if (operation == NULL)
			continue;
		*address = arazzo_value_to_text(&key);
		*channel = palloc(sizeof(JsonbValue));
		**channel = value;
		return operation;
	}
	return NULL;
}

/* "publish" is what others send to the application, "subscribe" what they
 * receive from it (AsyncAPI 2.6, Channel Item Object). */
static JsonbValue *
find_in_channel(const JsonbValue *channel, const char *operation_id, const char **action)
{
	static const char *const words[][2] = {{"publish", "send"}, {"subscribe", "receive"}};
	size_t		i;

	for (i = 0; i < lengthof(words); i++)
	{
		JsonbValue *operation = arazzo_value_member_cstring(channel, words[i][0]);
		char	   *id = arazzo_value_member_text(operation, "operationId");

		if (id && strcmp(id, operation_id) == 0)
		{
			*action = words[i][1];
			return operation;
		}
	}
	return NULL;
}

static AsyncapiChannel *
read_channel(Reader *reader, const char *address, JsonbValue *channel, JsonbValue *operation)
{
	JsonbValue *http;
	char	   *method;

	if (address == NULL)
	{
		reader->failure = arazzo_failure_make(ERRCODE_ARAZZO_REFERENCE, "the channel has no address");
		return NULL;
	}
	reader->channel = palloc0(sizeof(AsyncapiChannel));
	reader->channel->protocol = "";
	reader->channel->operation = palloc0(sizeof(OpenapiOperation));
	reader->channel->operation->document_uri = pstrdup(reader->document->uri);
	reader->channel->operation->path = pstrdup(address);
	reader->channel->operation->server_url = "";
	http = member(reader, member(reader, operation, "bindings"), "http");
	method = arazzo_value_member_text(http, "method");
	reader->channel->operation->method = method ? method : "POST";
	choose_server(reader, channel);
	read_server(reader);
	read_variables(reader->channel->operation);
	read_messages(reader, channel, operation);
	read_security(reader, operation);
	return reader->failure ? NULL : reader->channel;
}

/* The value, or what it refers to; NULL when there is nothing. */
static JsonbValue *
followed(Reader *reader, JsonbValue *value)
{
	const ArazzoDocument *document = reader->document;

	if (value == NULL || reader->failure)
		return NULL;
	return arazzo_library_follow(reader->library, &document, value, &reader->failure);
}

static JsonbValue *
member(Reader *reader, JsonbValue *object, const char *key)
{
	return followed(reader, arazzo_value_member_cstring(object, key));
}

/*
 * The channel's servers, or all: one for LISTEN/NOTIFY before one for HTTP
 * before any other.
 */
static void
choose_server(Reader *reader, JsonbValue *channel)
{
	JsonbValue *servers = arazzo_value_member_cstring(reader->document->content, "servers");
	JsonbValue *named = arazzo_value_member_cstring(channel, "servers");
	bool		all = arazzo_value_count(named) == 0;
	ArazzoValueWalk walk;
	JsonbValue	key;
	JsonbValue	value;

	arazzo_value_walk(&walk, all ? servers : named);
	while (arazzo_value_next(&walk, &key, &value))
	{
		if (value.type == jbvString)	/* version 2: a name */
			offer_server(reader, arazzo_value_member(servers, value.val.string.val, value.val.string.len));
		else
			offer_server(reader, arazzo_value_copy(&value));
	}
}

static void
offer_server(Reader *reader, JsonbValue *server)
{
	char	   *protocol;

	server = followed(reader, server);
	protocol = arazzo_value_member_text(server, "protocol");
	if (protocol == NULL ||
		(reader->server && protocol_rank(protocol) <= protocol_rank(reader->channel->protocol)))
		return;
	reader->server = server;
	reader->channel->protocol = protocol;
}

static int
protocol_rank(const char *protocol)
{
	return arazzo_asyncapi_is_notify(protocol) ? 2 : arazzo_asyncapi_is_http(protocol) ? 1 : 0;
}

/* Server Object: host and pathname (3.x) or url (2.x), with variables. */
static void
read_server(Reader *reader)
{
	OpenapiOperation *operation = reader->channel->operation;
	JsonbValue *variables = arazzo_value_member_cstring(reader->server, "variables");
	char	   *host = arazzo_value_member_text(reader->server, "host");
	char	   *path = arazzo_value_member_text(reader->server, "pathname");
	char	   *url = arazzo_value_member_text(reader->server, "url");
	char	   *slash;

	if (reader->server == NULL)
		return;
	if (host)
		url = psprintf("%s://%s%s", reader->channel->protocol, host, path ? path : "");
	else if (url && strstr(url, "://") == NULL)
		url = psprintf("%s://%s", reader->channel->protocol, url);
	if (url == NULL)
		return;
	url = with_defaults(url, variables);
	while (strlen(url) > 1 && url[strlen(url) - 1] == '/' && url[strlen(url) - 2] != '/')
		url[strlen(url) - 1] = '\0';
	slash = strchr(strstr(url, "://") + 3, '/');
	reader->channel->database = slash ? slash + 1 : NULL;
	reader->channel->server = url;
	if (!arazzo_asyncapi_is_http(reader->channel->protocol))
		return;
	operation->server_url = url;
	if (operation->path[0] != '/')
		operation->path = psprintf("/%s", operation->path);
	read_security(reader, reader->server);
}

/* Server Variable Object: defaults take the place of "{name}". */
static char *
with_defaults(const char *template, JsonbValue *variables)
{
	StringInfoData out;

	initStringInfo(&out);
	while (*template != '\0')
	{
		int			length = strcspn(template, "{");
		int			name = template[length] == '{' ? strcspn(template + length + 1, "}") : 0;
		JsonbValue *variable = arazzo_value_member(variables, template + length + 1, name);
		char	   *value = arazzo_value_member_text(variable, "default");

		appendBinaryStringInfo(&out, template, length);
		template += length;
		if (*template == '\0')
			break;
		if (value)
		{
			appendStringInfoString(&out, value);
			template += name + 2;
		}
		else
			appendStringInfoChar(&out, *template++);
	}
	return out.data;
}

/* Channel Address Expressions: a parameter each, as in a path. */
static void
read_variables(OpenapiOperation *operation)
{
	const char *open = operation->path;
	const char *close;

	while ((open = strchr(open, '{')) != NULL && (close = strchr(open, '}')) != NULL)
	{
		OpenapiParameter *parameter = palloc0(sizeof(OpenapiParameter));

		parameter->name = pnstrdup(open + 1, close - open - 1);
		parameter->in = IN_PATH;
		parameter->required = true;
		parameter->style = STYLE_SIMPLE;
		operation->parameters = lappend(operation->parameters, parameter);
		open = close;
	}
}

/*
 * What the messages say: content type and place of the correlation id.  The
 * operation's messages count, else all of the channel.
 */
static void
read_messages(Reader *reader, JsonbValue *channel, JsonbValue *operation)
{
	OpenapiMediaType *type = palloc0(sizeof(OpenapiMediaType));

	type->content_type = arazzo_value_member_text(reader->document->content, "defaultContentType");
	reader->channel->operation->bodies = list_make1(type);
	read_message(reader, member(reader, operation, "message"));
	read_message_list(reader, arazzo_value_member_cstring(operation, "messages"));
	if (operation == NULL || !is_version_2(reader->document))
	{
		read_message_list(reader, arazzo_value_member_cstring(channel, "messages"));
		read_message(reader, member(reader, arazzo_value_member_cstring(channel, "publish"), "message"));
		read_message(reader, member(reader, arazzo_value_member_cstring(channel, "subscribe"), "message"));
	}
	if (type->content_type == NULL)
		type->content_type = "application/json";
}

static void
read_message_list(Reader *reader, JsonbValue *list)
{
	ArazzoValueWalk walk;
	JsonbValue	key;
	JsonbValue	value;

	arazzo_value_walk(&walk, list);
	while (arazzo_value_next(&walk, &key, &value))
		read_message(reader, followed(reader, arazzo_value_copy(&value)));
}

/* The first message that says something decides; version 2 may have one of
 * several. */
static void
read_message(Reader *reader, JsonbValue *message)
{
	OpenapiMediaType *type = linitial(reader->channel->operation->bodies);
	JsonbValue *correlation;

	check_stack_depth();
	if (message == NULL)
		return;
	if (type->content_type == NULL)
		type->content_type = arazzo_value_member_text(message, "contentType");
	correlation = member(reader, message, "correlationId");
	if (reader->channel->correlation == NULL)
		reader->channel->correlation = arazzo_value_member_text(correlation, "location");
	read_message_list(reader, arazzo_value_member_cstring(message, "oneOf"));
}

/*
 * Alternatives of a server or an operation; where both have some, each is
 * joined with each.  Version 2 has names, version 3 the schemes themselves.
 */
static void
read_security(Reader *reader, JsonbValue *owner)
{
	OpenapiOperation *operation = reader->channel->operation;
	JsonbValue *list = arazzo_value_member_cstring(owner, "security");
	List	   *combined = NIL;
	ArazzoValueWalk walk;
	JsonbValue	key;
	JsonbValue	item;
	ListCell   *cell;

	if (arazzo_value_count(list) == 0)
		return;
	arazzo_value_walk(&walk, list);
	while (arazzo_value_next(&walk, &key, &item))
	{
		OpenapiSecurityScheme *scheme = read_scheme(reader, arazzo_value_copy(&item));
		OpenapiSecurity *alone = palloc0(sizeof(OpenapiSecurity));

		alone->schemes = list_make1(scheme);
		foreach(cell, operation->security)
		{
			OpenapiSecurity *both = palloc0(sizeof(OpenapiSecurity));

			both->schemes = lappend(list_copy(((OpenapiSecurity *) lfirst(cell))->schemes), scheme);
			combined = lappend(combined, both);
		}
		if (operation->security == NIL)
			combined = lappend(combined, alone);
	}
	operation->security = combined;
}

/* Security Scheme Object, as far as HTTP has a use for it. */
static OpenapiSecurityScheme *
read_scheme(Reader *reader, JsonbValue *value)
{
	OpenapiSecurityScheme *scheme = palloc0(sizeof(OpenapiSecurityScheme));
	JsonbValue *object = scheme_object(reader, value, scheme);
	const char *type = arazzo_value_member_text(object, "type");
	const char *http = arazzo_value_member_text(object, "scheme");
	const char *in = arazzo_value_member_text(object, "in");
	size_t		i;

	scheme->kind = SECURITY_UNDEFINED;
	scheme->parameter = arazzo_value_member_text(object, "name");
	scheme->in = IN_HEADER;
	for (i = 0; in && i < lengthof(scheme_places); i++)
	{
		if (strcmp(scheme_places[i].word, in) == 0)
			scheme->in = scheme_places[i].in;
	}
	for (i = 0; type && i < lengthof(scheme_kinds); i++)
	{
		if (strcmp(scheme_kinds[i].type, type) == 0 &&
			(scheme_kinds[i].http == NULL || (http && pg_strcasecmp(scheme_kinds[i].http, http) == 0)))
			scheme->kind = scheme_kinds[i].kind;
	}
	return scheme;
}

/* The Security Scheme Object itself; version 2 has { name: [scopes] }. */
static JsonbValue *
scheme_object(Reader *reader, JsonbValue *value, OpenapiSecurityScheme *scheme)
{
	JsonbValue *components = arazzo_value_member_cstring(reader->document->content, "components");
	ArazzoValueWalk walk;
	JsonbValue	key;
	JsonbValue	scopes;

	if (!is_version_2(reader->document))
		return followed(reader, value);
	arazzo_value_walk(&walk, value);
	if (!arazzo_value_next(&walk, &key, &scopes))
		return NULL;
	scheme->name = arazzo_value_to_text(&key);
	return member(reader, arazzo_value_member_cstring(components, "securitySchemes"), scheme->name);
}
