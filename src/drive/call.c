/*-------------------------------------------------------------------------
 *
 * call.c
 *	  One call of a run: connection, credentials, transfers.
 *
 * A call waits for its token, if it needs one that is not at hand, then for
 * its answer.  An answer of 401 tells that the call was not taken in, for
 * want of a valid credential (RFC 9110, 15.5.2), so that any call, also one
 * that must not be repeated otherwise, is sent once more when there is
 * another credential: a token that is fetched anew, or the other key of two.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "lib/stringinfo.h"
#include "utils/timestamp.h"

#include "document/uri.h"
#include "drive/call.h"
#include "drive/credential.h"
#include "openapi/serialize.h"
#include "support/clock.h"
#include "support/json_scan.h"
#include "support/value.h"

static void begin_round(DriveCall *call);
static void send_request(DriveCall *call);
static int	time_left(const DriveCall *call);
static void wake(void *argument);
static bool go_on(DriveCall *call);
static bool take_token(DriveCall *call);
static bool take_response(DriveCall *call);
static List *add_secrets(List *secrets, const ConnectionCredentials *credentials);
static void add_plain_header(DriveCall *call, const char *name, const char *value);
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
	return connection ? arazzo_call_prepare_on(call, next, connection, NULL, NULL) : failure;
}

ArazzoFailure *
arazzo_call_prepare_on(DriveCall *call, const RunNext *next, const ArazzoConnection *connection,
					   CallConnect connect, void *owner)
{
	ArazzoFailure *failure = NULL;

	memset(call, 0, sizeof(DriveCall));
	call->connection = connection;
	call->plain = *next->request;
	call->plain.url = arazzo_connection_rewrite(call->connection, next->request->url);
	call->options = call->connection->http;
	call->limit = next->timeout;
	if (!next->credential_given)
		failure = arazzo_credential_choose(call, next, connect, owner);
	arazzo_credential_apply(call);
	if (failure)
		return failure;
	call->repeatable = is_safe_method(call->request.method);
	call->takes_key = !call->repeatable && call->connection->key_place != KEY_NONE;
	return NULL;
}

void
arazzo_call_start(DriveCall *call)
{
	if (call->limit > 0)
		call->deadline = TimestampTzPlusMilliseconds(arazzo_clock_now(), call->limit);
	begin_round(call);
}

/* Sends the request, or first fetches the token that it needs. */
static void
begin_round(DriveCall *call)
{
	if (call->source && call->token == NULL)
	{
		call->source->timeout = time_left(call);
		call->token = arazzo_token_get(call->source, call->refused, &call->wait);
		if (call->token == NULL)
		{
			arazzo_token_notify(call->wait, wake, call);
			return;
		}
		call->tokens = lappend(call->tokens, unconstify(char *, call->token));
	}
	send_request(call);
}

static void
send_request(DriveCall *call)
{
	int			left = time_left(call);

	if (call->source || call->repeated)
		arazzo_credential_apply(call);
	if (left > 0)
		call->options.timeout = Min(left, call->connection->http.timeout);
	call->transfer = arazzo_http_start(&call->request, &call->options);
	arazzo_http_notify(call->transfer, wake, call);
}

/* In ms, at least 1; 0 when the call has no limit of its own. */
static int
time_left(const DriveCall *call)
{
	if (call->deadline == 0)
		return 0;
	return Max(1, TimestampDifferenceMilliseconds(arazzo_clock_now(), call->deadline));
}

/* Called by transfers: must not throw.  Says so once until somebody looks. */
static void
wake(void *argument)
{
	DriveCall  *call = argument;

	if (call->awake)
		return;
	call->awake = true;
	if (call->notify)
		call->notify(call->notify_argument);
}

void
arazzo_call_notify(DriveCall *call, HttpNotify notify, void *argument)
{
	call->notify = notify;
	call->notify_argument = argument;
	if (call->awake)
		notify(argument);
}

const ArazzoResponse *
arazzo_call_response(DriveCall *call)
{
	/* what comes while it goes on is looked at right here */
	call->awake = true;
	while (call->response == NULL && go_on(call))
		;
	call->awake = call->response != NULL;
	return call->response;
}

/* Takes what has arrived; false when it has to wait for more. */
static bool
go_on(DriveCall *call)
{
	return call->wait ? take_token(call) : take_response(call);
}

static bool
take_token(DriveCall *call)
{
	if (!arazzo_token_ready(call->wait))
		return false;
	call->token = arazzo_token_take(call->wait, &call->answer, &call->unauthorized);
	call->wait = NULL;
	call->fetched = true;
	if (call->token == NULL)
		call->response = &call->answer;
	else
	{
		call->tokens = lappend(call->tokens, unconstify(char *, call->token));
		send_request(call);
	}
	return true;
}

static bool
take_response(DriveCall *call)
{
	const ArazzoResponse *response = arazzo_http_response(call->transfer);
	bool		refused;

	if (response == NULL)
		return false;
	refused = response->outcome == OUTCOME_RECEIVED && response->status == 401;
	if (refused && !call->repeated && arazzo_credential_change(call))
	{
		call->repeated = true;
		arazzo_http_free(call->transfer);
		call->transfer = NULL;
		begin_round(call);
		return true;
	}
	if (call->repeated && !refused && response->outcome == OUTCOME_RECEIVED)
		arazzo_credential_prefer(call);
	call->response = response;
	return true;
}

List *
arazzo_call_secrets(const DriveCall *call)
{
	List	   *secrets = add_secrets(NIL, &call->connection->credentials);

	if (call->source && call->source->credentials != &call->connection->credentials)
		secrets = add_secrets(secrets, call->source->credentials);
	return list_concat(secrets, call->tokens);
}

static List *
add_secrets(List *secrets, const ConnectionCredentials *credentials)
{
	const char *const values[] = {
		credentials->api_key, credentials->api_key_next, credentials->token, credentials->token_next,
		credentials->password, credentials->client_secret
	};
	size_t		i;

	for (i = 0; i < lengthof(values); i++)
	{
		if (values[i])
			secrets = lappend(secrets, pstrdup(values[i]));
	}
	return secrets;
}

/* A key that the document sets itself stays. */
void
arazzo_call_set_key(DriveCall *call, const char *key)
{
	const ArazzoConnection *connection = call->connection;

	if (connection->key_place == KEY_HEADER)
	{
		if (!arazzo_credential_has_header(&call->request, connection->key_name))
		{
			add_plain_header(call, connection->key_name, key);
			call->key = key;
		}
		call->repeatable = true;
	}
	else if (connection->key_place == KEY_BODY)
		call->repeatable = apply_body_key(call, key);
	arazzo_credential_apply(call);
}

/* The array is the machine's, and must not have it in a later attempt. */
static void
add_plain_header(DriveCall *call, const char *name, const char *value)
{
	ArazzoRequest *plain = &call->plain;
	ArazzoHeader *headers = palloc(sizeof(ArazzoHeader) * (plain->header_count + 1));

	memcpy(headers, plain->headers, sizeof(ArazzoHeader) * plain->header_count);
	headers[plain->header_count] = (ArazzoHeader) {name, value, false};
	plain->headers = headers;
	plain->header_count++;
}

/* False when the body has no place for a key: it is neither a JSON object nor
 * an array of those. */
static bool
apply_body_key(DriveCall *call, const char *key)
{
	const char *pointer = call->connection->key_name;
	const char *type = arazzo_header_find(call->plain.headers, call->plain.header_count,
										  "Content-Type", strlen("Content-Type"));
	ArazzoFailure *failure = NULL;
	JsonbValue *body = NULL;
	StringInfoData text;
	char	  **tokens;
	int			count;

	if (call->plain.body == NULL || type == NULL || !arazzo_media_type_is_json(type) ||
		!arazzo_pointer_parse(pointer, strlen(pointer), &tokens, &count))
		return false;
	/* nearly always the workflow sets one; that is cheaper to find out */
	if (count == 1 && arazzo_json_has_member(call->plain.body, call->plain.body_length, tokens[0]))
		return true;
	body = arazzo_value_parse_json(call->plain.body, call->plain.body_length, &failure);
	if (body == NULL)
		return false;
	body = arazzo_value_is_array(body) ? key_items(call, body, tokens, count, key) :
		key_object(call, body, tokens, count, key);
	if (body == NULL)
		return false;
	if (call->key == NULL)
		return true;
	initStringInfo(&text);
	arazzo_value_append_json(&text, body);
	call->plain.body = text.data;
	call->plain.body_length = text.len;
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
	return arazzo_value_from_jsonb(JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_ARRAY, NULL)));
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
