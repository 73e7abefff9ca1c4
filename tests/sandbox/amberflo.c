/*
 * amberflo.c
 *	  The local Amberflo: its keys, its errors and its metering paths.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "amberflo.h"
#include "events.h"

static json_t *signals;			/* by type and name: undefined customers and meters */

const Route amberflo_routes[] = {
	{SHAPE_BOTH, REALM_AMBERFLO, "POST", "/ingest", amberflo_ingest},
	{SHAPE_BOTH, REALM_AMBERFLO, "POST", "/ingest/", amberflo_ingest},
	{SHAPE_PUBLISHED, REALM_AMBERFLO, "POST", "/usage", usage_query},
	{SHAPE_PUBLISHED, REALM_AMBERFLO, "GET", "/meter-definition", meter_list},
	{SHAPE_PUBLISHED, REALM_AMBERFLO, "POST", "/meter-definition", meter_create},
	{SHAPE_PUBLISHED, REALM_AMBERFLO, "PUT", "/meter-definition", meter_update},
	{SHAPE_PUBLISHED, REALM_AMBERFLO, "GET", "/meter-definition/{}", meter_get},
	{SHAPE_PUBLISHED, REALM_AMBERFLO, "DELETE", "/meter-definition/{}", meter_delete},
	{SHAPE_PUBLISHED, REALM_AMBERFLO, "POST", "/meter-event-filtering-rules", rule_put},
	{SHAPE_PUBLISHED, REALM_AMBERFLO, "GET", "/meter-event-filtering-rules", rule_list},
	{SHAPE_LIVE, REALM_AMBERFLO, "POST", "/usage", usage_query_live},
	{SHAPE_LIVE, REALM_AMBERFLO, "POST", "/usage/sparse", usage_query_sparse},
	{SHAPE_LIVE, REALM_AMBERFLO, "GET", "/meters", live_meter_list},
	{SHAPE_LIVE, REALM_AMBERFLO, "POST", "/meters", live_meter_create},
	{SHAPE_LIVE, REALM_AMBERFLO, "PUT", "/meters", live_meter_update},
	{SHAPE_LIVE, REALM_AMBERFLO, "GET", "/meters/{}", live_meter_get},
	{SHAPE_LIVE, REALM_AMBERFLO, "DELETE", "/meters/{}", live_meter_delete},
	{SHAPE_LIVE, REALM_AMBERFLO, "POST", "/ingest-snapshot/custom-filtering-rules", live_rule_put},
	{SHAPE_BOTH, REALM_AMBERFLO, "GET", "/customers", customer_list},
	{SHAPE_BOTH, REALM_AMBERFLO, "POST", "/customers", customer_create},
	{SHAPE_BOTH, REALM_AMBERFLO, "PUT", "/customers", customer_update},
	{SHAPE_LIVE, REALM_AMBERFLO, "GET", "/customers/", customer_list},
	{SHAPE_LIVE, REALM_AMBERFLO, "PUT", "/customers/stage", customer_stage},
	{SHAPE_BOTH, REALM_AMBERFLO, "GET", "/customers/{}", customer_get},
	{SHAPE_BOTH, REALM_AMBERFLO, "DELETE", "/customers/{}", customer_delete},
	{0, 0, NULL, NULL, NULL}
};

static const char *
error_code(int status)
{
	switch (status)
	{
		case 400:
			return "BAD_REQUEST";
		case 401:
			return "UNAUTHORIZED";
		case 403:
			return "FORBIDDEN";
		case 404:
			return "NOT_FOUND";
		default:
			return "ERROR";
	}
}

/*
 * The real service says errorMessage when a body is refused and message
 * otherwise; the published description says message and code.  The published
 * shape sends all of them.
 */
void
amberflo_error(Answer *ans, int status, const char *fmt,...)
{
	json_t	   *body = json_object();
	char		text[1024];
	va_list		args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	if (settings.shape == SHAPE_PUBLISHED || status == 400)
		json_object_set_new(body, "errorMessage", json_string(text));
	if (settings.shape == SHAPE_PUBLISHED || status != 400)
		json_object_set_new(body, "message", json_string(text));
	if (settings.shape == SHAPE_PUBLISHED)
		json_object_set_new(body, "code", json_string(error_code(status)));
	answer_json(ans, status, body);
}

static bool
key_is_good(const char *key)
{
	json_t	   *accepted;
	size_t		i;

	if (key == NULL || key[0] == '\0')
		return false;
	json_array_foreach(settings.amberflo_keys, i, accepted)
		if (strcmp(json_string_value(accepted), key) == 0)
			return true;
	return json_array_size(settings.amberflo_keys) == 0;
}

/* Check the key, then call the handler. */
void
amberflo_call(Request *req, Answer *ans)
{
	const char *key = request_header(req, "X-API-KEY");

	if (key_is_good(key))
		req->route->handler(req, ans);
	else if (settings.key_status == 403)
		amberflo_error(ans, 403, "Forbidden");
	else
		amberflo_error(ans, settings.key_status, "%s",
					   key ? "Invalid API key provided" : "No API key provided");
}

/*
 * The JSON body, checked and without unknown members; NULL when it is refused,
 * with the answer made.
 */
json_t *
amberflo_body(const Request *req, Answer *ans, const Field *fields)
{
	Buffer		problem = {0};
	json_t	   *body;
	json_t	   *known = NULL;

	if (!request_type_is(req, "application/json"))
	{
		amberflo_error(ans, 415, "Unsupported Media Type");
		return NULL;
	}
	body = json_read(req->body.data, req->body.len, &problem);
	if (body == NULL || !json_check(body, fields, &known, &problem))
		amberflo_error(ans, 400, "Invalid request: %s", problem.data);
	json_decref(body);
	buffer_free(&problem);
	return known;
}

/* Note a name that is used without being defined, once. */
void
amberflo_signal(const char *type, const char *name)
{
	Buffer		key = {0};

	buffer_printf(&key, "%s %s", type, name);
	if (json_object_get(signals, key.data) == NULL)
	{
		json_t	   *signal = json_object();

		json_object_set_new(signal, "type", json_string(type));
		json_object_set_new(signal, "name", json_string(name));
		json_object_set_new(signals, key.data, signal);
	}
	buffer_free(&key);
}

/* The members of an object as a new array. */
static json_t *
members_of(json_t *object)
{
	json_t	   *list = json_array();
	const char *key;
	json_t	   *member;

	json_object_foreach(object, key, member)
		json_array_append(list, member);
	return list;
}

json_t *
amberflo_signals(void)
{
	return members_of(signals);
}

/* Begin anew. */
void
amberflo_clear(void)
{
	json_decref(signals);
	signals = json_object();
	events_clear();
	meters_clear();
	customers_clear();
	orders_clear();
	live_orders_clear();
}
