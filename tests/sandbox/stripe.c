/*
 * stripe.c
 *	  The local Stripe: its keys, its errors and its billing meter paths.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "stripe.h"

static uint64_t last_request;

const Route stripe_routes[] = {
	{SHAPE_BOTH, REALM_STRIPE, "POST", "/v1/billing/meter_events", stripe_event_create},
	{SHAPE_BOTH, REALM_STRIPE, "POST", "/v1/billing/meter_event_adjustments", stripe_adjust},
	{SHAPE_BOTH, REALM_STRIPE, "GET", "/v1/billing/meters", stripe_meter_list},
	{SHAPE_BOTH, REALM_STRIPE, "POST", "/v1/billing/meters", stripe_meter_create},
	{SHAPE_BOTH, REALM_STRIPE, "GET", "/v1/billing/meters/{}", stripe_meter_retrieve},
	{SHAPE_BOTH, REALM_STRIPE, "POST", "/v1/billing/meters/{}", stripe_meter_update},
	{SHAPE_BOTH, REALM_STRIPE, "POST", "/v1/billing/meters/{}/deactivate", stripe_meter_deactivate},
	{SHAPE_BOTH, REALM_STRIPE, "POST", "/v1/billing/meters/{}/reactivate", stripe_meter_reactivate},
	{SHAPE_BOTH, REALM_STRIPE, "GET", "/v1/billing/meters/{}/event_summaries", stripe_summaries},
	{0, 0, NULL, NULL, NULL}
};

/* {"error": {…}} with the members that are given. */
void
stripe_typed_error(Answer *ans, int status, const char *type, const char *code, const char *text)
{
	json_t	   *error = json_object();
	json_t	   *body = json_object();

	if (code)
		json_object_set_new(error, "code", json_string(code));
	json_object_set_new(error, "message", json_string(text));
	json_object_set_new(error, "type", json_string(type));
	json_object_set_new(body, "error", error);
	answer_json(ans, status, body);
}

void
stripe_error(Answer *ans, int status, const char *code, const char *param, const char *fmt,...)
{
	json_t	   *error = json_object();
	json_t	   *body = json_object();
	char		text[1024];
	va_list		args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	if (code)
		json_object_set_new(error, "code", json_string(code));
	json_object_set_new(error, "message", json_string(text));
	if (param)
		json_object_set_new(error, "param", json_string(param));
	json_object_set_new(error, "type", json_string(status < 500 ? "invalid_request_error" : "api_error"));
	json_object_set_new(body, "error", error);
	answer_json(ans, status, body);
}

/* Every answer has a Request-Id, and names the version that was asked for. */
static void
add_headers(const Request *req, Answer *ans)
{
	const char *version = request_header(req, "Stripe-Version");
	char		id[32];

	snprintf(id, sizeof(id), "req_%014" PRIu64, ++last_request);
	answer_header(ans, "Request-Id", id);
	if (version)
		answer_header(ans, "Stripe-Version", version);
}

static int
base64_value(char c)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const char *found = c ? strchr(digits, c) : NULL;

	return found ? (int) (found - digits) : -1;
}

/* The user of "Basic …", which is the key; the password must be empty. */
static const char *
basic_key(Request *req, const char *encoded)
{
	char	   *text = request_alloc(req, strlen(encoded) + 1);
	uint32_t	bits = 0;
	int			nbits = 0;
	size_t		len = 0;
	char	   *colon;

	for (; *encoded && *encoded != '='; encoded++)
	{
		if (base64_value(*encoded) < 0)
			return NULL;
		bits = bits << 6 | base64_value(*encoded);
		nbits += 6;
		if (nbits >= 8)
		{
			nbits -= 8;
			text[len++] = bits >> nbits & 255;
		}
	}
	colon = strchr(text, ':');
	if (colon == NULL || colon[1] != '\0')
		return NULL;
	*colon = '\0';
	return text;
}

/* The key of the Authorization header, or NULL. */
static const char *
given_key(Request *req)
{
	const char *header = request_header(req, "Authorization");

	if (header && strncasecmp(header, "Bearer ", 7) == 0)
		return header + 7;
	if (header && strncasecmp(header, "Basic ", 6) == 0)
		return basic_key(req, header + 6);
	return NULL;
}

static bool
list_has(const json_t *list, const char *text)
{
	json_t	   *item;
	size_t		i;

	json_array_foreach(list, i, item)
		if (strcmp(json_string_value(item), text) == 0)
			return true;
	return false;
}

/* The key with its middle hidden, as Stripe's messages show it. */
static const char *
masked_key(Request *req, const char *key)
{
	size_t		len = strlen(key);
	char	   *copy = (char *) request_copy(req, key, len);
	size_t		i;

	for (i = len > 12 ? 8 : 0; i + 4 < len; i++)
		copy[i] = '*';
	return copy;
}

static bool
check_key(Request *req, Answer *ans)
{
	const char *key = given_key(req);

	if (key == NULL)
	{
		answer_header(ans, "WWW-Authenticate", "Bearer realm=\"Stripe\"");
		stripe_error(ans, 401, NULL, NULL,
					 "You did not provide an API key. You need to provide your API key in the "
					 "Authorization header, using Bearer auth (e.g. 'Authorization: Bearer "
					 "YOUR_SECRET_KEY').");
	}
	else if (list_has(settings.stripe_expired_keys, key))
		stripe_error(ans, 401, "api_key_expired", NULL, "Expired API Key provided: %s", masked_key(req, key));
	else if (json_array_size(settings.stripe_keys) > 0 && !list_has(settings.stripe_keys, key))
		stripe_error(ans, 401, NULL, NULL, "Invalid API Key provided: %s", masked_key(req, key));
	else
		req->stripe_key = key;
	return req->stripe_key != NULL;
}

/* The stream takes the token of a session in place of a key. */
static bool
check_session(Request *req, Answer *ans)
{
	const char *token = given_key(req);

	if (token && stripe_session_valid(token))
	{
		req->stripe_key = token;
		return true;
	}
	stripe_typed_error(ans, 401, "invalid_request_error", "billing_meter_event_session_expired",
					   "The meter event session has expired or does not exist.");
	return false;
}

/* Whether the accepted key is one for live mode. */
bool
stripe_livemode(const Request *req)
{
	return strncmp(req->stripe_key, "sk_live", 7) == 0 || strncmp(req->stripe_key, "rk_live", 7) == 0;
}

/* Check the key, then the Idempotency-Key, then call the handler. */
void
stripe_call(Request *req, Answer *ans)
{
	bool		ok = req->route->realm == REALM_STRIPE_STREAM ?
	check_session(req, ans) : check_key(req, ans);

	if (ok && strcmp(req->method, "POST") == 0 && request_header(req, "Idempotency-Key"))
		idempotent_call(req, ans);
	else if (ok)
		req->route->handler(req, ans);
	add_headers(req, ans);
}

void
stripe_no_route(Request *req, Answer *ans)
{
	if (check_key(req, ans))
		stripe_error(ans, 404, NULL, NULL,
					 "Unrecognized request URL (%s: %s). Please see https://stripe.com/docs or we "
					 "can help at https://support.stripe.com/.", req->method, req->path);
	add_headers(req, ans);
}

/*
 * A fault spoiled the answer.  When it failed instead of being executed, the
 * failure is what a repeat with the same Idempotency-Key gets.
 */
void
stripe_spoiled(Request *req, Answer *ans, bool taken_in)
{
	if (taken_in || (strncmp(req->path, "/v1/", 4) != 0 && strncmp(req->path, "/v2/", 4) != 0))
		return;
	add_headers(req, ans);
	if (ans->status >= 500 && ans->delivery == DELIVER_WHOLE && !ans->volatile_answer &&
		strcmp(req->method, "POST") == 0 && !idempotency_known(req))
		idempotency_keep(req, ans);
}

static void
write_member(Buffer *buf, const char *name, json_t *value)
{
	buffer_printf(buf, ",\"%s\":", name);
	json_write(buf, value);
	json_decref(value);
}

/* All that it holds, as a JSON object. */
void
stripe_write_state(Buffer *buf)
{
	buffer_puts(buf, "{\"events\":");
	stripe_events_write(buf);
	write_member(buf, "meters", stripe_meters_state());
	write_member(buf, "adjustments", stripe_adjustments_state());
	write_member(buf, "error_reports", stripe_reports_state());
	write_member(buf, "sessions", stripe_sessions_state());
	write_member(buf, "idempotency_keys", idempotency_state());
	buffer_puts(buf, "}");
}

void
stripe_clear(void)
{
	last_request = 0;
	idempotency_clear();
	stripe_meters_clear();
	stripe_events_clear();
	stripe_adjustments_clear();
	stripe_v2_clear();
}
