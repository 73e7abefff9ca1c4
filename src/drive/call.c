/*-------------------------------------------------------------------------
 *
 * call.c
 *	  One call of a run: connection, credentials, transfer.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "common/base64.h"
#include "lib/stringinfo.h"
#include "utils/builtins.h"

#include "document/uri.h"
#include "drive/call.h"
#include "http/mask.h"
#include "openapi/serialize.h"
#include "support/message.h"
#include "support/value.h"

static void copy_headers(DriveCall *call, const ArazzoRequest *request);
static void add_header(DriveCall *call, const char *name, const char *value, bool secret);
static bool has_header(const DriveCall *call, const char *name);
static ArazzoFailure *apply_security(DriveCall *call, const RunNext *next);
static bool can_satisfy(const DriveCall *call, const OpenapiSecurity *security);
static bool can_use(const ArazzoConnection *connection, const OpenapiSecurityScheme *scheme);
static void apply_scheme(DriveCall *call, const OpenapiSecurityScheme *scheme);
static void apply_api_key(DriveCall *call, const OpenapiSecurityScheme *scheme);
static void add_cookie(DriveCall *call, const char *cookie);
static void apply_undefined(DriveCall *call);
static void add_query(DriveCall *call, const char *name, const char *value);
static void add_bearer(DriveCall *call);
static void add_basic(DriveCall *call, const char *user, const char *password);
static ArazzoFailure *no_credential(const DriveCall *call, const RunNext *next);
static void describe_schemes(StringInfo out, List *security);
static bool apply_body_key(DriveCall *call, const char *key);
static JsonbValue *key_object(DriveCall *call, JsonbValue *object, char **tokens, int count, const char *key);
static JsonbValue *key_items(DriveCall *call, const JsonbValue *array, char **tokens, int count, const char *key);
static bool is_safe_method(const char *method);

ArazzoFailure *
arazzo_call_prepare(DriveCall *call, const RunNext *next, Oid role)
{
	ArazzoFailure *failure = NULL;
	const ArazzoConnection *connection = arazzo_connection_find(next->request->url, role, &failure);

	memset(call, 0, sizeof(DriveCall));
	return connection ? arazzo_call_prepare_on(call, next, connection) : failure;
}

ArazzoFailure *
arazzo_call_prepare_on(DriveCall *call, const RunNext *next, const ArazzoConnection *connection)
{
	ArazzoFailure *failure = NULL;

	memset(call, 0, sizeof(DriveCall));
	call->connection = connection;
	call->request = *next->request;
	call->request.url = arazzo_connection_rewrite(call->connection, next->request->url);
	call->options = call->connection->http;
	if (next->timeout > 0)
		call->options.timeout = Min(next->timeout, call->options.timeout);
	copy_headers(call, next->request);
	if (!next->credential_given)
		failure = apply_security(call, next);
	if (failure)
		return failure;
	call->repeatable = is_safe_method(call->request.method);
	call->takes_key = !call->repeatable && call->connection->key_place != KEY_NONE;
	return NULL;
}

void
arazzo_call_start(DriveCall *call)
{
	call->transfer = arazzo_http_start(&call->request, &call->options);
}

List *
arazzo_call_secrets(const DriveCall *call)
{
	const ConnectionCredentials *credentials = &call->connection->credentials;
	const char *const values[] = {
		credentials->api_key, credentials->token, credentials->password, credentials->client_secret
	};
	List	   *secrets = NIL;
	size_t		i;

	for (i = 0; i < lengthof(values); i++)
	{
		if (values[i])
			secrets = lappend(secrets, pstrdup(values[i]));
	}
	return secrets;
}

/* The machine's headers: what is added must not be there in a later attempt. */
static void
copy_headers(DriveCall *call, const ArazzoRequest *request)
{
	call->request.headers = palloc(sizeof(ArazzoHeader) * (request->header_count + 1));
	memcpy(call->request.headers, request->headers, sizeof(ArazzoHeader) * request->header_count);
}

/* Rare, and few: the array grows one by one. */
static void
add_header(DriveCall *call, const char *name, const char *value, bool secret)
{
	ArazzoHeader *header;

	call->request.headers = repalloc(call->request.headers,
									 sizeof(ArazzoHeader) * (call->request.header_count + 1));
	header = &call->request.headers[call->request.header_count++];

	header->name = name;
	header->value = value;
	header->secret = secret;
}

static bool
has_header(const DriveCall *call, const char *name)
{
	return arazzo_header_find(call->request.headers, call->request.header_count,
							  name, strlen(name)) != NULL;
}

/*
 * OpenAPI 3.1, Security Requirement Object: the first alternative for which
 * the connection has what it takes.  An alternative without schemes is none
 * at all, and comes last whatever its place.
 */
static ArazzoFailure *
apply_security(DriveCall *call, const RunNext *next)
{
	const OpenapiOperation *operation = next->step->operation;
	bool		optional = operation->security == NIL;
	ListCell   *alternative;
	ListCell   *cell;

	if (has_header(call, "Authorization"))
		return NULL;
	foreach(alternative, operation->security)
	{
		const OpenapiSecurity *security = lfirst(alternative);

		if (security->schemes == NIL)
			optional = true;
		else if (can_satisfy(call, security))
		{
			foreach(cell, security->schemes)
				apply_scheme(call, lfirst(cell));
			return NULL;
		}
	}
	return optional ? NULL : no_credential(call, next);
}

static bool
can_satisfy(const DriveCall *call, const OpenapiSecurity *security)
{
	ListCell   *cell;

	foreach(cell, security->schemes)
	{
		if (!can_use(call->connection, lfirst(cell)))
			return false;
	}
	return true;
}

static bool
can_use(const ArazzoConnection *connection, const OpenapiSecurityScheme *scheme)
{
	const ConnectionCredentials *credentials = &connection->credentials;

	switch (scheme->kind)
	{
		case SECURITY_API_KEY:
			return credentials->api_key != NULL;
		case SECURITY_BASIC:
		case SECURITY_DIGEST:
			return credentials->user != NULL;
		case SECURITY_BEARER:
		case SECURITY_OAUTH2:
		case SECURITY_OPENID_CONNECT:
			return credentials->token != NULL;
		case SECURITY_MUTUAL_TLS:
			return connection->http.client_cert != NULL;
		case SECURITY_UNDEFINED:
			return credentials->token != NULL || credentials->user != NULL;
	}
	return false;
}

static void
apply_scheme(DriveCall *call, const OpenapiSecurityScheme *scheme)
{
	const ConnectionCredentials *credentials = &call->connection->credentials;

	switch (scheme->kind)
	{
		case SECURITY_API_KEY:
			apply_api_key(call, scheme);
			break;
		case SECURITY_BASIC:
			add_basic(call, credentials->user, credentials->password);
			break;
		case SECURITY_DIGEST:
			call->options.user = credentials->user;
			call->options.password = credentials->password ? credentials->password : "";
			break;
		case SECURITY_BEARER:
		case SECURITY_OAUTH2:
		case SECURITY_OPENID_CONNECT:
			add_bearer(call);
			break;
		case SECURITY_UNDEFINED:
			apply_undefined(call);
			break;
		case SECURITY_MUTUAL_TLS:
			break;				/* the connection presents its certificate */
	}
}

static void
apply_api_key(DriveCall *call, const OpenapiSecurityScheme *scheme)
{
	const char *key = call->connection->credentials.api_key;

	switch (scheme->in)
	{
		case IN_QUERY:
			add_query(call, scheme->parameter, key);
			break;
		case IN_COOKIE:
			add_cookie(call, psprintf("%s=%s", scheme->parameter, key));
			break;
		default:
			if (!has_header(call, scheme->parameter))
				add_header(call, scheme->parameter, key, true);
			break;
	}
}

/* RFC 6265, 5.4: all cookies are in one header. */
static void
add_cookie(DriveCall *call, const char *cookie)
{
	int			i;

	for (i = 0; i < call->request.header_count; i++)
	{
		ArazzoHeader *header = &call->request.headers[i];

		if (pg_strcasecmp(header->name, "Cookie") == 0)
		{
			header->value = psprintf("%s; %s", header->value, cookie);
			header->secret = true;
			return;
		}
	}
	add_header(call, "Cookie", cookie, true);
}

/* A scheme that the description names but does not define: what the user
 * mapping offers tells what is meant. */
static void
apply_undefined(DriveCall *call)
{
	const ConnectionCredentials *credentials = &call->connection->credentials;

	if (has_header(call, "Authorization"))
		return;
	if (credentials->token)
		add_bearer(call);
	else
		add_basic(call, credentials->user, credentials->password);
}

static void
add_query(DriveCall *call, const char *name, const char *value)
{
	StringInfoData url;

	initStringInfo(&url);
	appendStringInfo(&url, "%s%c", call->request.url, strchr(call->request.url, '?') ? '&' : '?');
	arazzo_uri_encode(&url, name, strlen(name), NULL);
	appendStringInfoChar(&url, '=');
	call->request.shown_url = psprintf("%s" ARAZZO_MASK, url.data);
	arazzo_uri_encode(&url, value, strlen(value), NULL);
	call->request.url = url.data;
}

/* RFC 6750, 2.1. */
static void
add_bearer(DriveCall *call)
{
	add_header(call, "Authorization", psprintf("Bearer %s", call->connection->credentials.token), true);
}

/* RFC 7617. */
static void
add_basic(DriveCall *call, const char *user, const char *password)
{
	char	   *pair = psprintf("%s:%s", user, password ? password : "");
	int			length = pg_b64_enc_len(strlen(pair));
	char	   *encoded = palloc(length + 1);

	length = pg_b64_encode((const void *) pair, strlen(pair), encoded, length);
	if (length < 0)
		elog(ERROR, "could not encode credentials");
	encoded[length] = '\0';
	add_header(call, "Authorization", psprintf("Basic %s", encoded), true);
}

static ArazzoFailure *
no_credential(const DriveCall *call, const RunNext *next)
{
	const ArazzoConnection *connection = call->connection;
	ArazzoFailure *failure;
	StringInfoData schemes;

	initStringInfo(&schemes);
	describe_schemes(&schemes, next->step->operation->security);
	failure = arazzo_failure_make(ERRCODE_ARAZZO_CREDENTIAL,
								  connection->has_mapping ?
								  "user mapping for server \"%s\" has no credential that the API takes" :
								  "there is no user mapping for server \"%s\"",
								  connection->server_name);
	arazzo_failure_detail(failure, "The API takes %s.", schemes.data);
	if (connection->has_mapping)
		arazzo_failure_hint(failure, "Use ALTER USER MAPPING to add it.");
	else
		arazzo_failure_hint(failure, "Use CREATE USER MAPPING FOR %s SERVER %s OPTIONS (...).",
							connection->role_name ? quote_identifier(connection->role_name) : "CURRENT_USER",
							quote_identifier(connection->server_name));
	return failure;
}

/* The credentials that would do, in the words of user mapping options. */
static void
describe_schemes(StringInfo out, List *security)
{
	static const char *const options[] = {
		[SECURITY_API_KEY] = "an api_key",
		[SECURITY_BASIC] = "a user and password",
		[SECURITY_BEARER] = "a token",
		[SECURITY_DIGEST] = "a user and password",
		[SECURITY_OAUTH2] = "a token",
		[SECURITY_OPENID_CONNECT] = "a token",
		[SECURITY_MUTUAL_TLS] = "a client_cert and client_key",
		[SECURITY_UNDEFINED] = "a token or a user"
	};
	ListCell   *alternative;
	ListCell   *cell;
	const char *last = NULL;

	foreach(alternative, security)
	{
		const char *joint = out->len > 0 ? " or " : "";

		foreach(cell, ((const OpenapiSecurity *) lfirst(alternative))->schemes)
		{
			const OpenapiSecurityScheme *scheme = lfirst(cell);

			if (last && strcmp(last, options[scheme->kind]) == 0)
				continue;
			last = options[scheme->kind];
			appendStringInfo(out, "%s%s", joint, last);
			joint = " with ";
		}
	}
}

/* A key that the document sets itself stays. */
void
arazzo_call_set_key(DriveCall *call, const char *key)
{
	const ArazzoConnection *connection = call->connection;

	if (connection->key_place == KEY_HEADER)
	{
		if (!has_header(call, connection->key_name))
		{
			add_header(call, connection->key_name, key, false);
			call->key = key;
		}
		call->repeatable = true;
	}
	else if (connection->key_place == KEY_BODY)
		call->repeatable = apply_body_key(call, key);
}

/* False when the body has no place for a key: it is neither a JSON object nor
 * an array of those. */
static bool
apply_body_key(DriveCall *call, const char *key)
{
	const char *pointer = call->connection->key_name;
	const char *type = arazzo_header_find(call->request.headers, call->request.header_count,
										  "Content-Type", strlen("Content-Type"));
	ArazzoFailure *failure = NULL;
	JsonbValue *body = NULL;
	StringInfoData text;
	char	  **tokens;
	int			count;

	if (call->request.body && type && arazzo_media_type_is_json(type))
		body = arazzo_value_parse_json(call->request.body, call->request.body_length, &failure);
	if (body == NULL || !arazzo_pointer_parse(pointer, strlen(pointer), &tokens, &count))
		return false;
	body = arazzo_value_is_array(body) ? key_items(call, body, tokens, count, key) :
		key_object(call, body, tokens, count, key);
	if (body == NULL)
		return false;
	if (call->key == NULL)
		return true;
	initStringInfo(&text);
	arazzo_value_append_json(&text, body);
	call->request.body = text.data;
	call->request.body_length = text.len;
	return true;
}

/* The object with the key in it, or as it is when the workflow has set one. */
static JsonbValue *
key_object(DriveCall *call, JsonbValue *object, char **tokens, int count, const char *key)
{
	if (!arazzo_value_is_object(object))
		return NULL;
	if (arazzo_pointer_value(object, tokens, count) != NULL)
		return object;
	call->key = key;
	return arazzo_value_replace(object, tokens, count, arazzo_value_cstring(key));
}

/* Each item of a batch has a key of its own. */
static JsonbValue *
key_items(DriveCall *call, const JsonbValue *array, char **tokens, int count, const char *key)
{
	JsonbParseState *state = NULL;
	ArazzoValueWalk walk;
	JsonbValue	index;
	JsonbValue	item;
	int			number = 0;

	pushJsonbValue(&state, WJB_BEGIN_ARRAY, NULL);
	arazzo_value_walk(&walk, array);
	while (arazzo_value_next(&walk, &index, &item))
	{
		JsonbValue *keyed = key_object(call, &item, tokens, count, psprintf("%s-%d", key, ++number));

		if (keyed == NULL)
			return NULL;
		pushJsonbValue(&state, WJB_ELEM, keyed);
	}
	if (call->key)
		call->key = key;
	return pushJsonbValue(&state, WJB_END_ARRAY, NULL);
}

/* RFC 9110, 9.2.1; QUERY is the method of OpenAPI 3.2. */
static bool
is_safe_method(const char *method)
{
	static const char *const safe[] = {"GET", "HEAD", "OPTIONS", "TRACE", "QUERY"};
	size_t		i;

	for (i = 0; i < lengthof(safe); i++)
	{
		if (strcmp(method, safe[i]) == 0)
			return true;
	}
	return false;
}
