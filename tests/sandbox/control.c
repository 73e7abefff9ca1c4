/*
 * control.c
 *	  The test control paths below /_sandbox/: ledger, faults, state, settings.
 *
 * They need no key and do not show in the ledger.
 *
 *	GET    ledger?since=N&path=PREFIX	requests as a JSON array
 *	DELETE ledger
 *	GET    ledger/count					{"count", "kept", "connections", "busiest"}
 *	GET    state						all that both services hold
 *	POST   reset						forget everything but the settings
 *	POST   settle						what the services do late
 *	POST   release						answer the held requests
 *	POST   settings						see settings_fields
 *	GET, POST, DELETE faults			see faults.h
 *	GET, POST, DELETE mock, POST mock/openapi	see mock.h
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "amberflo.h"
#include "control.h"
#include "events.h"
#include "faults.h"
#include "json.h"
#include "ledger.h"
#include "mock.h"
#include "stripe.h"

static void ledger_get(Request *req, Answer *ans);
static void ledger_delete(Request *req, Answer *ans);
static void ledger_count(Request *req, Answer *ans);
static void state_get(Request *req, Answer *ans);
static void reset_post(Request *req, Answer *ans);
static void settle_post(Request *req, Answer *ans);
static void release_post(Request *req, Answer *ans);
static void settings_post(Request *req, Answer *ans);

const Route control_routes[] = {
	{SHAPE_BOTH, REALM_CONTROL, "GET", "/_sandbox/ledger", ledger_get},
	{SHAPE_BOTH, REALM_CONTROL, "DELETE", "/_sandbox/ledger", ledger_delete},
	{SHAPE_BOTH, REALM_CONTROL, "GET", "/_sandbox/ledger/count", ledger_count},
	{SHAPE_BOTH, REALM_CONTROL, "GET", "/_sandbox/state", state_get},
	{SHAPE_BOTH, REALM_CONTROL, "POST", "/_sandbox/reset", reset_post},
	{SHAPE_BOTH, REALM_CONTROL, "POST", "/_sandbox/settle", settle_post},
	{SHAPE_BOTH, REALM_CONTROL, "POST", "/_sandbox/release", release_post},
	{SHAPE_BOTH, REALM_CONTROL, "POST", "/_sandbox/settings", settings_post},
	{SHAPE_BOTH, REALM_CONTROL, "GET", "/_sandbox/faults", faults_get},
	{SHAPE_BOTH, REALM_CONTROL, "POST", "/_sandbox/faults", faults_post},
	{SHAPE_BOTH, REALM_CONTROL, "DELETE", "/_sandbox/faults", faults_delete},
	{SHAPE_BOTH, REALM_CONTROL, "GET", "/_sandbox/mock", mock_get},
	{SHAPE_BOTH, REALM_CONTROL, "POST", "/_sandbox/mock", mock_post},
	{SHAPE_BOTH, REALM_CONTROL, "DELETE", "/_sandbox/mock", mock_delete},
	{SHAPE_BOTH, REALM_CONTROL, "POST", "/_sandbox/mock/openapi", mock_openapi_post},
	{0, 0, NULL, NULL, NULL}
};

static const Field settings_fields[] = {
	{"amberflo_keys", FIELD_STRING_LIST, false, NULL, NULL},
	{"stripe_keys", FIELD_STRING_LIST, false, NULL, NULL},
	{"stripe_expired_keys", FIELD_STRING_LIST, false, NULL, NULL},
	{"stripe_customers", FIELD_STRING_LIST, false, NULL, NULL},
	{"key_status", FIELD_INTEGER, false, NULL, NULL},
	{"strict_meters", FIELD_BOOLEAN, false, NULL, NULL},
	{"strict_customers", FIELD_BOOLEAN, false, NULL, NULL},
	{"settle", FIELD_BOOLEAN, false, NULL, NULL},
	{"now_ms", FIELD_INTEGER, false, NULL, NULL},
	{NULL, 0, false, NULL, NULL}
};

static void
answer_done(Answer *ans)
{
	answer_text(ans, 200, "application/json", "{}");
}

static void
ledger_get(Request *req, Answer *ans)
{
	const char *since = request_query(req, "since");

	ans->type = "application/json";
	ledger_write(&ans->body, since ? strtoull(since, NULL, 10) : 1, request_query(req, "path"));
}

static void
ledger_delete(Request *req, Answer *ans)
{
	(void) req;
	ledger_clear();
	answer_done(ans);
}

static void
ledger_count(Request *req, Answer *ans)
{
	(void) req;
	answer_text(ans, 200, "application/json",
				"{\"count\":%" PRIu64 ",\"kept\":%" PRIu64 ",\"connections\":%" PRIu64 ",\"busiest\":%" PRIu64 "}",
				ledger_total(), ledger_kept(), http_connections(), ledger_busiest());
}

static void
write_member(Buffer *buf, const char *name, json_t *value)
{
	buffer_printf(buf, ",\"%s\":", name);
	json_write(buf, value);
	json_decref(value);
}

static void
write_amberflo(Buffer *buf)
{
	buffer_puts(buf, "{\"events\":");
	events_write(buf);
	buffer_printf(buf, ",\"ingested\":%" PRIu64, events_total());
	write_member(buf, "meters", meters_state());
	write_member(buf, "customers", customers_state());
	if (settings.shape == SHAPE_LIVE)
		write_member(buf, "orders", live_orders_state());
	else
		write_member(buf, "orders", orders_state());
	write_member(buf, "plans", plans_state());
	write_member(buf, "rules", rules_state());
	write_member(buf, "signals", amberflo_signals());
	buffer_puts(buf, "}");
}

static void
state_get(Request *req, Answer *ans)
{
	(void) req;
	ans->type = "application/json";
	buffer_printf(&ans->body, "{\"shape\":\"%s\",\"now_ms\":%" PRId64 ",\"amberflo\":",
				  settings.shape == SHAPE_LIVE ? "live" : "published", now_ms());
	write_amberflo(&ans->body);
	buffer_puts(&ans->body, ",\"stripe\":");
	stripe_write_state(&ans->body);
	buffer_puts(&ans->body, "}");
}

void
control_reset(void)
{
	delay_release();
	faults_clear();
	mock_clear();
	ledger_clear();
	amberflo_clear();
	stripe_clear();
}

void
control_clear(void)
{
	faults_clear();
	mock_clear();
	ledger_clear();
	events_clear();
}

static void
reset_post(Request *req, Answer *ans)
{
	(void) req;
	control_reset();
	answer_done(ans);
}

/* What the services do hours later: dedup, cancellation, draw-down, checks. */
static void
settle_post(Request *req, Answer *ans)
{
	(void) req;
	events_settle();
	stripe_events_settle();
	answer_done(ans);
}

static void
release_post(Request *req, Answer *ans)
{
	(void) req;
	answer_text(ans, 200, "application/json", "{\"released\":%d}", delay_release());
}

static void
set_list(json_t **list, const json_t *options, const char *name)
{
	json_t	   *value = json_object_get(options, name);

	if (value == NULL)
		return;
	json_decref(*list);
	*list = json_incref(value);
}

static void
set_flag(bool *flag, const json_t *options, const char *name)
{
	json_t	   *value = json_object_get(options, name);

	if (value)
		*flag = json_is_true(value);
}

static void
change_settings(const json_t *options)
{
	set_list(&settings.amberflo_keys, options, "amberflo_keys");
	set_list(&settings.stripe_keys, options, "stripe_keys");
	set_list(&settings.stripe_expired_keys, options, "stripe_expired_keys");
	set_list(&settings.stripe_customers, options, "stripe_customers");
	set_flag(&settings.strict_meters, options, "strict_meters");
	set_flag(&settings.strict_customers, options, "strict_customers");
	set_flag(&settings.settle, options, "settle");
	settings.key_status = json_member_int(options, "key_status", settings.key_status);
	settings.now_ms = json_member_int(options, "now_ms", settings.now_ms);
}

static void
settings_post(Request *req, Answer *ans)
{
	Buffer		problem = {0};
	json_t	   *options = json_read(req->body.data, req->body.len, &problem);

	if (options && json_check(options, settings_fields, NULL, &problem))
	{
		change_settings(options);
		answer_done(ans);
	}
	else
		answer_text(ans, 400, "text/plain", "%s\n", problem.data);
	json_decref(options);
	buffer_free(&problem);
}
