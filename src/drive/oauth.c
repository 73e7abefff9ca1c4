/*-------------------------------------------------------------------------
 *
 * oauth.c
 *	  Requests for access tokens and what answers them, as OAuth 2.0 (RFC
 *	  6749) and OpenID Connect Discovery 1.0 have them.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "common/base64.h"
#include "utils/builtins.h"
#include "utils/numeric.h"

#include "drive/oauth.h"
#include "openapi/percent.h"
#include "support/value.h"

/* Of what a server says, this much is shown. */
#define SHOWN_BYTES 200

static void add_header(ArazzoRequest *request, const char *name, const char *value, bool secret);
static void add_field(StringInfo body, const char *name, const char *value);
static char *form_encoded(const char *text);
static char *joined_scopes(const List *scopes);
static bool lists(const JsonbValue *object, const char *member, const char *text);
static JsonbValue *read_object(const TokenSource *source, const ArazzoResponse *response, OAuthAnswer *answer);
static void fail_transport(const TokenSource *source, const ArazzoResponse *response, OAuthAnswer *answer);
static void fail_status(const TokenSource *source, const ArazzoResponse *response, OAuthAnswer *answer);
static void fail_content(const TokenSource *source, OAuthAnswer *answer, const char *detail);
static const char *error_of(const ArazzoResponse *response, const char **description);
static bool is_credential_error(const char *error);
static char *shown_error(const char *error, const char *description);
static bool is_visible(const char *text);
static int64 lifetime(const JsonbValue *object);

/*
 * 4.3.2 and 4.4.2.  The client says who it is as 2.3.1 has it: by its secret
 * in a header, or in the body when the mapping asks for that.  One without a
 * secret just names itself (3.2.1): it has none, or its certificate speaks
 * for it (RFC 8705, 2.1).
 */
void
arazzo_oauth_request(const TokenSource *source, const char *endpoint, ArazzoRequest *request)
{
	const ConnectionCredentials *credentials = source->credentials;
	bool		basic = credentials->client_id && credentials->client_secret && !credentials->client_post;
	StringInfoData body;

	initStringInfo(&body);
	memset(request, 0, sizeof(*request));
	request->method = "POST";
	request->url = endpoint;
	add_header(request, "Accept", "application/json", false);
	add_header(request, "Content-Type", "application/x-www-form-urlencoded", false);
	add_field(&body, "grant_type", source->password ? "password" : "client_credentials");
	if (source->password)
	{
		add_field(&body, "username", credentials->user);
		add_field(&body, "password", credentials->password);
	}
	if (source->scopes)
		add_field(&body, "scope", joined_scopes(source->scopes));
	if (basic)
		add_header(request, "Authorization",
				   arazzo_oauth_basic(form_encoded(credentials->client_id), form_encoded(credentials->client_secret)), true);
	else if (credentials->client_id)
		add_field(&body, "client_id", credentials->client_id);
	if (!basic && credentials->client_id && credentials->client_secret)
		add_field(&body, "client_secret", credentials->client_secret);
	request->body = body.data;
	request->body_length = body.len;
}

/* OpenID Connect Discovery 1.0, 4.1. */
void
arazzo_oauth_discover(const TokenSource *source, ArazzoRequest *request)
{
	memset(request, 0, sizeof(*request));
	request->method = "GET";
	request->url = source->url;
	add_header(request, "Accept", "application/json", false);
}

static void
add_header(ArazzoRequest *request, const char *name, const char *value, bool secret)
{
	if (request->headers == NULL)
		request->headers = palloc(sizeof(ArazzoHeader) * 3);
	request->headers[request->header_count++] = (ArazzoHeader) {name, value, secret};
}

/* Appendix B: application/x-www-form-urlencoded. */
static void
add_field(StringInfo body, const char *name, const char *value)
{
	appendStringInfo(body, "%s%s=%s", body->len > 0 ? "&" : "", name, form_encoded(value));
}

static char *
form_encoded(const char *text)
{
	StringInfoData encoded;

	initStringInfo(&encoded);
	arazzo_percent_append(&encoded, text, strlen(text), PERCENT_FORM);
	return encoded.data;
}

/* 3.3: in any order, with a space between. */
static char *
joined_scopes(const List *scopes)
{
	StringInfoData joined;
	ListCell   *cell;

	initStringInfo(&joined);
	foreach(cell, scopes)
		appendStringInfo(&joined, "%s%s", joined.len > 0 ? " " : "", (char *) lfirst(cell));
	return joined.data;
}

char *
arazzo_oauth_basic(const char *user, const char *password)
{
	char	   *pair = psprintf("%s:%s", user, password);
	int			length = pg_b64_enc_len(strlen(pair));
	char	   *encoded = palloc(length + 1);

	length = pg_b64_encode((const void *) pair, strlen(pair), encoded, length);
	if (length < 0)
		elog(ERROR, "could not encode credentials");
	encoded[length] = '\0';
	return psprintf("Basic %s", encoded);
}

/* 5.1. */
void
arazzo_oauth_read_token(const TokenSource *source, const ArazzoResponse *response, OAuthAnswer *answer)
{
	const JsonbValue *object = read_object(source, response, answer);
	const char *type;

	if (object == NULL)
		return;
	type = arazzo_value_member_text(object, "token_type");
	answer->token = arazzo_value_member_text(object, "access_token");
	answer->expires_in = lifetime(object);
	if (answer->token == NULL || !is_visible(answer->token))
		fail_content(source, answer, "It has no access_token.");
	else if (type && pg_strcasecmp(type, "bearer") != 0)
		fail_content(source, answer, "Its token_type is not \"Bearer\".");
}

/*
 * OpenID Connect Discovery 1.0, 4.2.  The endpoint must lie where the
 * configuration does: what a server answers leads nowhere that no
 * administrator has named.
 */
void
arazzo_oauth_read_configuration(const TokenSource *source, const ArazzoResponse *response, OAuthAnswer *answer)
{
	const JsonbValue *object = read_object(source, response, answer);
	const char *endpoint;

	if (object == NULL)
		return;
	endpoint = arazzo_value_member_text(object, "token_endpoint");
	answer->post = lists(object, "token_endpoint_auth_methods_supported", "client_secret_post") &&
		!lists(object, "token_endpoint_auth_methods_supported", "client_secret_basic");
	if (endpoint == NULL)
		fail_content(source, answer, "It has no token_endpoint.");
	else if ((answer->endpoint = arazzo_connection_locate(source->connection, endpoint)) == NULL)
	{
		answer->failure = arazzo_failure_make(ERRCODE_INSUFFICIENT_PRIVILEGE,
											  "token endpoint that server \"%s\" names is no place of that server",
											  source->connection->server_name);
		arazzo_failure_hint(answer->failure, "An administrator can allow it: make a server for that place, and name it by the option token_url of the server of the API.");
	}
}

/* Is the text in the array that a member is? */
static bool
lists(const JsonbValue *object, const char *member, const char *text)
{
	const JsonbValue *array = arazzo_value_member_cstring(object, member);
	int			i;

	for (i = 0; arazzo_value_is_array(array) && i < arazzo_value_count(array); i++)
	{
		if (arazzo_value_equal(arazzo_value_element(array, i), arazzo_value_cstring(text)))
			return true;
	}
	return false;
}

/* The object of a good answer, or NULL and the failure. */
static JsonbValue *
read_object(const TokenSource *source, const ArazzoResponse *response, OAuthAnswer *answer)
{
	ArazzoFailure *failure = NULL;
	JsonbValue *object;

	memset(answer, 0, sizeof(*answer));
	if (response->outcome != OUTCOME_RECEIVED)
		fail_transport(source, response, answer);
	else if (response->status < 200 || response->status > 299)
		fail_status(source, response, answer);
	if (answer->failure)
		return NULL;
	object = arazzo_value_parse_json(response->body, response->body_length, &failure);
	if (!arazzo_value_is_object(object))
		fail_content(source, answer, "It is no JSON object.");
	return answer->failure ? NULL : object;
}

/* Asking for a token once more does no harm, whatever became of the request. */
static void
fail_transport(const TokenSource *source, const ArazzoResponse *response, OAuthAnswer *answer)
{
	int			sqlstate = response->sqlstate == ERRCODE_CONNECTION_FAILURE ?
		ERRCODE_SQLCLIENT_UNABLE_TO_ESTABLISH_SQLCONNECTION : response->sqlstate;

	answer->failure = arazzo_failure_make(sqlstate, "could not fetch a token from server \"%s\": %s",
										  source->connection->server_name, response->message);
	if (response->detail)
		answer->failure->detail = pstrdup(response->detail);
	if (response->hint)
		answer->failure->hint = pstrdup(response->hint);
	answer->transient = response->transient;
}

/* 5.2: what is wrong with the credentials is said with a status of 400 or 401. */
static void
fail_status(const TokenSource *source, const ArazzoResponse *response, OAuthAnswer *answer)
{
	int			status = response->status;
	bool		refused = status >= 400 && status <= 499 && status != 408 && status != 429;
	const char *description = NULL;
	const char *error = error_of(response, &description);

	answer->failure = arazzo_failure_make(refused ? ERRCODE_ARAZZO_CREDENTIAL :
										  ERRCODE_SQLCLIENT_UNABLE_TO_ESTABLISH_SQLCONNECTION,
										  refused ? "server \"%s\" refused to give a token (status %d)" :
										  "could not fetch a token from server \"%s\": status %d",
										  source->connection->server_name, status);
	if (error)
		arazzo_failure_detail(answer->failure, "The server says: %s", shown_error(error, description));
	if (refused)
		arazzo_failure_hint(answer->failure, "The credentials come from the user mapping, the scopes from the OpenAPI document.");
	answer->unauthorized = status == 401 || status == 403 || (refused && error && is_credential_error(error));
	answer->transient = status == 408 || status == 429 || status >= 500;
	if (answer->transient)
		answer->retry_after = arazzo_header_find(response->headers, response->header_count,
												 "Retry-After", strlen("Retry-After"));
}

/* Those errors of 5.2 that other credentials would not lead to. */
static bool
is_credential_error(const char *error)
{
	return strcmp(error, "invalid_client") == 0 || strcmp(error, "invalid_grant") == 0 ||
		strcmp(error, "unauthorized_client") == 0;
}

static void
fail_content(const TokenSource *source, OAuthAnswer *answer, const char *detail)
{
	answer->token = NULL;
	answer->failure = arazzo_failure_make(ERRCODE_PROTOCOL_VIOLATION,
										  "server \"%s\" gave an answer that has no usable token",
										  source->connection->server_name);
	arazzo_failure_detail(answer->failure, "%s", detail);
}

/* What an answer of 5.2 says, and how it describes it; NULL when it says
 * nothing that way. */
static const char *
error_of(const ArazzoResponse *response, const char **description)
{
	ArazzoFailure *failure = NULL;
	const JsonbValue *object = arazzo_value_parse_json(response->body, response->body_length, &failure);
	const char *error;

	if (!arazzo_value_is_object(object))
		return NULL;
	error = arazzo_value_member_text(object, "error");
	*description = arazzo_value_member_text(object, "error_description");
	return error && is_visible(error) ? error : NULL;
}

/* The same, cut. */
static char *
shown_error(const char *error, const char *description)
{
	if (description == NULL || !is_visible(description))
		return pnstrdup(error, SHOWN_BYTES);
	return psprintf("%s (%s)", pnstrdup(error, SHOWN_BYTES), pnstrdup(description, SHOWN_BYTES));
}

/* Appendix A: tokens, errors and their descriptions have no other characters. */
static bool
is_visible(const char *text)
{
	const unsigned char *p;

	for (p = (const unsigned char *) text; *p >= ' ' && *p <= '~'; p++)
		;
	return p > (const unsigned char *) text && *p == '\0';
}

/* A number; some servers write it as a string. */
static int64
lifetime(const JsonbValue *object)
{
	const JsonbValue *member = arazzo_value_member_cstring(object, "expires_in");
	double		seconds;
	char	   *text;
	char	   *end;

	if (member == NULL || (member->type != jbvNumeric && member->type != jbvString))
		return -1;
	text = arazzo_value_to_text(member);
	seconds = strtol(text, &end, 10);
	return end == text || seconds < 0 ? -1 : (int64) Min(seconds, (double) PG_INT32_MAX);
}
