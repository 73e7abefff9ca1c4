/*
 * stripe_meters.c
 *	  Stripe's billing meters.
 *
 * Only one active meter may use an event name.  Unless --strict-meters is
 * given, an event with an unknown name makes its meter.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "form.h"
#include "stripe.h"

static json_t *meters;			/* by id */

static const char *const formulas[] = {"count", "sum", "last", NULL};
static const char *const mapping_types[] = {"by_id", NULL};
static const char *const windows[] = {"day", "hour", NULL};

static const FormField aggregation_fields[] = {
	{"formula", FORM_STRING, true, 0, formulas, NULL},
	{NULL, 0, false, 0, NULL, NULL}
};

static const FormField mapping_fields[] = {
	{"event_payload_key", FORM_STRING, true, 100, NULL, NULL},
	{"type", FORM_STRING, true, 0, mapping_types, NULL},
	{NULL, 0, false, 0, NULL, NULL}
};

static const FormField value_fields[] = {
	{"event_payload_key", FORM_STRING, true, 100, NULL, NULL},
	{NULL, 0, false, 0, NULL, NULL}
};

static const FormField create_fields[] = {
	{"display_name", FORM_STRING, true, 250, NULL, NULL},
	{"event_name", FORM_STRING, true, 100, NULL, NULL},
	{"default_aggregation", FORM_OBJECT, true, 0, NULL, aggregation_fields},
	{"customer_mapping", FORM_OBJECT, false, 0, NULL, mapping_fields},
	{"value_settings", FORM_OBJECT, false, 0, NULL, value_fields},
	{"event_time_window", FORM_STRING, false, 0, windows, NULL},
	{"expand", FORM_LIST, false, 0, NULL, NULL},
	{NULL, 0, false, 0, NULL, NULL}
};

static const FormField update_fields[] = {
	{"display_name", FORM_STRING, false, 250, NULL, NULL},
	{"expand", FORM_LIST, false, 0, NULL, NULL},
	{NULL, 0, false, 0, NULL, NULL}
};

static const char *const statuses[] = {"active", "inactive", NULL};

static const FormField list_fields[] = {
	{"status", FORM_STRING, false, 0, statuses, NULL},
	{"limit", FORM_INTEGER, false, 0, NULL, NULL},
	{"starting_after", FORM_STRING, false, 5000, NULL, NULL},
	{"ending_before", FORM_STRING, false, 5000, NULL, NULL},
	{"expand", FORM_LIST, false, 0, NULL, NULL},
	{NULL, 0, false, 0, NULL, NULL}
};

static const FormField no_fields[] = {
	{"expand", FORM_LIST, false, 0, NULL, NULL},
	{NULL, 0, false, 0, NULL, NULL}
};

void
stripe_meters_clear(void)
{
	json_decref(meters);
	meters = json_object();
}

json_t *
stripe_meters_state(void)
{
	json_t	   *list = json_array();
	const char *id;
	json_t	   *meter;

	json_object_foreach(meters, id, meter)
		json_array_append(list, meter);
	return list;
}

static json_t *
find_meter(const char *event_name, const char *status)
{
	const char *id;
	json_t	   *meter;

	json_object_foreach(meters, id, meter)
		if (strcmp(json_member_text(meter, "event_name", ""), event_name) == 0 &&
			strcmp(json_member_text(meter, "status", ""), status) == 0)
			return meter;
	return NULL;
}

json_t *
stripe_meter_active(const char *event_name)
{
	return find_meter(event_name, "active");
}

json_t *
stripe_meter_archived(const char *event_name)
{
	return find_meter(event_name, "inactive");
}

json_t *
stripe_meter_get(const char *id)
{
	return json_object_get(meters, id);
}

/* {"name": text} */
static json_t *
single(const char *name, json_t *value)
{
	json_t	   *object = json_object();

	json_object_set_new(object, name, value);
	return object;
}

/* A member of the parameters, or the default in its place. */
static json_t *
param_or(const json_t *params, const char *name, json_t *fallback)
{
	json_t	   *value = json_object_get(params, name);

	if (value == NULL)
		return fallback;
	json_decref(fallback);
	return json_incref(value);
}

static json_t *
default_mapping(void)
{
	json_t	   *mapping = single("event_payload_key", json_string("stripe_customer_id"));

	json_object_set_new(mapping, "type", json_string("by_id"));
	return mapping;
}

/* A meter of the parameters, kept; borrowed. */
static json_t *
keep_meter(const json_t *params, bool livemode)
{
	json_t	   *meter = json_object();
	char		id[32];

	snprintf(id, sizeof(id), "mtr_%zu", json_object_size(meters) + 1);
	json_object_set_new(meter, "id", json_string(id));
	json_object_set_new(meter, "object", json_string("billing.meter"));
	json_object_set_new(meter, "created", json_number(now_ms() / 1000));
	json_object_set_new(meter, "customer_mapping", param_or(params, "customer_mapping", default_mapping()));
	json_object_set(meter, "default_aggregation", json_object_get(params, "default_aggregation"));
	json_object_set(meter, "display_name", json_object_get(params, "display_name"));
	json_object_set(meter, "event_name", json_object_get(params, "event_name"));
	json_object_set_new(meter, "event_time_window", param_or(params, "event_time_window", json_null()));
	json_object_set_new(meter, "livemode", json_boolean(livemode));
	json_object_set_new(meter, "status", json_string("active"));
	json_object_set_new(meter, "status_transitions", single("deactivated_at", json_null()));
	json_object_set_new(meter, "updated", json_number(now_ms() / 1000));
	json_object_set_new(meter, "value_settings",
						param_or(params, "value_settings", single("event_payload_key", json_string("value"))));
	json_object_set_new(meters, id, meter);
	return meter;
}

/* The meter that an event with an unknown name makes. */
json_t *
stripe_meter_auto(const char *event_name)
{
	json_t	   *params = single("event_name", json_string(event_name));
	json_t	   *meter;

	json_object_set_new(params, "display_name", json_string(event_name));
	json_object_set_new(params, "default_aggregation", single("formula", json_string("sum")));
	meter = keep_meter(params, false);
	json_decref(params);
	return meter;
}

void
stripe_meter_create(Request *req, Answer *ans)
{
	json_t	   *params = form_params(req, ans, create_fields);
	const char *event_name;

	if (params == NULL)
		return;
	event_name = json_member_text(params, "event_name", "");
	if (stripe_meter_active(event_name))
		stripe_error(ans, 400, "resource_already_exists", NULL,
					 "There is already an active meter for event name '%s'.", event_name);
	else
		answer_json(ans, 200, json_incref(keep_meter(params, stripe_livemode(req))));
	json_decref(params);
}

static bool
passes_list(const json_t *meter, const json_t *params)
{
	const char *status = json_member_text(params, "status", NULL);

	return status == NULL || strcmp(json_member_text(meter, "status", ""), status) == 0;
}

/* A page of the list; the cursors are ids. */
void
stripe_meter_list(Request *req, Answer *ans)
{
	json_t	   *params = form_params(req, ans, list_fields);
	json_t	   *data = json_array();
	json_t	   *body;
	const char *after;
	int64_t		limit;
	bool		more = false;
	bool		started;
	const char *id;
	json_t	   *meter;

	if (params == NULL)
	{
		json_decref(data);
		return;
	}
	after = json_member_text(params, "starting_after", NULL);
	limit = atoll(json_member_text(params, "limit", "10"));
	started = after == NULL;
	json_object_foreach(meters, id, meter)
	{
		if (started && passes_list(meter, params))
		{
			more = (int64_t) json_array_size(data) >= limit;
			if (more)
				break;
			json_array_append(data, meter);
		}
		started = started || strcmp(id, after) == 0;
	}
	body = single("object", json_string("list"));
	json_object_set_new(body, "data", data);
	json_object_set_new(body, "has_more", json_boolean(more));
	json_object_set_new(body, "url", json_string("/v1/billing/meters"));
	json_decref(params);
	answer_json(ans, 200, body);
}

/* The meter of the path, or NULL with the answer made. */
static json_t *
path_meter(Request *req, Answer *ans)
{
	json_t	   *meter = stripe_meter_get(req->params[0]);

	if (meter == NULL)
		stripe_error(ans, 404, "resource_missing", "id", "No such meter: '%s'", req->params[0]);
	return meter;
}

void
stripe_meter_retrieve(Request *req, Answer *ans)
{
	json_t	   *meter = path_meter(req, ans);

	if (meter)
		answer_json(ans, 200, json_incref(meter));
}

/* Only the display name can change. */
void
stripe_meter_update(Request *req, Answer *ans)
{
	json_t	   *params = form_params(req, ans, update_fields);
	json_t	   *meter = params ? path_meter(req, ans) : NULL;

	if (meter)
	{
		if (json_object_get(params, "display_name"))
			json_object_set(meter, "display_name", json_object_get(params, "display_name"));
		json_object_set_new(meter, "updated", json_number(now_ms() / 1000));
		answer_json(ans, 200, json_incref(meter));
	}
	json_decref(params);
}

static void
set_status(Request *req, Answer *ans, const char *status, json_t *deactivated_at)
{
	json_t	   *params = form_params(req, ans, no_fields);
	json_t	   *meter = params ? path_meter(req, ans) : NULL;

	if (meter)
	{
		json_object_set_new(meter, "status", json_string(status));
		json_object_set_new(meter, "status_transitions", single("deactivated_at", json_incref(deactivated_at)));
		answer_json(ans, 200, json_incref(meter));
	}
	json_decref(params);
	json_decref(deactivated_at);
}

void
stripe_meter_deactivate(Request *req, Answer *ans)
{
	set_status(req, ans, "inactive", json_number(now_ms() / 1000));
}

void
stripe_meter_reactivate(Request *req, Answer *ans)
{
	set_status(req, ans, "active", json_null());
}
