/*
 * stripe_events.c
 *	  Stripe's meter events.
 *
 * Some checks are made at once, the others when the events are settled; what
 * these find is listed in an error report, and the event is not summed.  The
 * identifier is unique for 24 hours: a second event with it is refused.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "decimal.h"
#include "form.h"
#include "stripe.h"

#define HOUR_SECONDS 3600
#define DAY_SECONDS (24 * HOUR_SECONDS)
#define MAX_AGE (35 * DAY_SECONDS)
#define MAX_AHEAD (5 * 60)
#define MAX_VALUE_DIGITS 15

static json_t *events;			/* an array, in order of arrival */
static json_t *identifiers;		/* identifier to the event that has it */
static json_t *reports;			/* an array */
static uint64_t total;
static size_t settled;			/* events before this one are settled */

static const FormField event_fields[] = {
	{"event_name", FORM_STRING, true, 100, NULL, NULL},
	{"payload", FORM_MAP, true, 0, NULL, NULL},
	{"identifier", FORM_STRING, false, 100, NULL, NULL},
	{"timestamp", FORM_INTEGER, false, 0, NULL, NULL},
	{"expand", FORM_LIST, false, 0, NULL, NULL},
	{NULL, 0, false, 0, NULL, NULL}
};

void
stripe_events_clear(void)
{
	json_decref(events);
	json_decref(identifiers);
	json_decref(reports);
	events = json_array();
	identifiers = json_object();
	reports = json_array();
	total = 0;
	settled = 0;
}

void
stripe_events_write(Buffer *buf)
{
	json_write(buf, events);
}

json_t *
stripe_reports_state(void)
{
	return json_incref(reports);
}

/* The event number i, or NULL behind the last. */
const json_t *
stripe_event_at(size_t i)
{
	return json_array_get(events, i);
}

/* The codes of error reports and of the second version of the API. */
const char *
stripe_problem_code(EventProblem problem)
{
	switch (problem)
	{
		case EVENT_OK:
			break;
		case EVENT_LOCKED:
			return "too_many_concurrent_requests";
		case EVENT_NO_METER:
			return "no_meter";
		case EVENT_ARCHIVED:
			return "archived_meter";
		case EVENT_TOO_OLD:
			return "timestamp_too_far_in_past";
		case EVENT_IN_FUTURE:
			return "timestamp_in_future";
		case EVENT_TOO_MANY_DIGITS:
			return "meter_event_value_too_many_digits";
		case EVENT_NO_VALUE:
			return "payload_no_value_defined";
		case EVENT_NO_CUSTOMER:
			return "meter_event_no_customer_defined";
		case EVENT_BAD_VALUE:
			return "meter_event_invalid_value";
		case EVENT_UNKNOWN_CUSTOMER:
			return "meter_event_customer_not_found";
		case EVENT_DUPLICATE:
			return "duplicate_meter_event";
	}
	return "ok";
}

/* Known are the customers of the settings, or all that look like one. */
static bool
customer_is_known(const char *customer)
{
	json_t	   *known;
	size_t		i;

	json_array_foreach(settings.stripe_customers, i, known)
		if (strcmp(json_string_value(known), customer) == 0)
			return true;
	return json_array_size(settings.stripe_customers) == 0 && strncmp(customer, "cus_", 4) == 0;
}

/* The payload's member that the meter's settings name, or NULL. */
static const char *
payload_member(const json_t *meter, const char *setting, const json_t *payload)
{
	const json_t *mapping = json_object_get(meter, setting);

	return json_member_text(payload, json_member_text(mapping, "event_payload_key", ""), NULL);
}

static EventProblem
check_value(const char *text)
{
	Buffer		number = {0};
	EventProblem problem = EVENT_OK;

	if (text == NULL)
		return EVENT_NO_VALUE;
	if (strspn(text, "-0123456789.") != strlen(text) || strpbrk(text, "0123456789") == NULL ||
		!decimal_canonical(text, &number))
		problem = EVENT_BAD_VALUE;
	else if (decimal_digits(number.data) > MAX_VALUE_DIGITS)
		problem = EVENT_TOO_MANY_DIGITS;
	buffer_free(&number);
	return problem;
}

/* What is found out late. */
static EventProblem
check_payload(const json_t *meter, const json_t *payload)
{
	const char *customer = payload_member(meter, "customer_mapping", payload);
	EventProblem problem = check_value(payload_member(meter, "value_settings", payload));

	if (customer == NULL)
		return EVENT_NO_CUSTOMER;
	if (problem != EVENT_OK)
		return problem;
	return customer_is_known(customer) ? EVENT_OK : EVENT_UNKNOWN_CUSTOMER;
}

static EventProblem
check_time(int64_t timestamp)
{
	int64_t		now = now_ms() / 1000;

	if (timestamp < now - MAX_AGE)
		return EVENT_TOO_OLD;
	return timestamp > now + MAX_AHEAD ? EVENT_IN_FUTURE : EVENT_OK;
}

/* Whether the identifier was used within the last 24 hours. */
static bool
is_duplicate(const char *identifier)
{
	const json_t *event = identifier ? json_object_get(identifiers, identifier) : NULL;

	return event && json_member_int(event, "created", 0) > now_ms() / 1000 - DAY_SECONDS;
}

/* One call at a time for each customer of a meter. */
static bool
take_lock(Request *req, const NewEvent *given, const json_t *meter)
{
	const char *customer = payload_member(meter, "customer_mapping", given->payload);
	Buffer		name = {0};
	bool		free_for_us;

	buffer_printf(&name, "%s %s", given->event_name, customer ? customer : "");
	req->lock = request_copy(req, name.data, name.len);
	free_for_us = !delay_is_locked(req->lock);
	if (!free_for_us)
		req->lock = NULL;
	buffer_free(&name);
	return free_for_us;
}

/* What is found out at once. */
static EventProblem
check_event(Request *req, const NewEvent *given, const json_t *meter)
{
	EventProblem problem;

	if (meter == NULL)
		return stripe_meter_archived(given->event_name) ? EVENT_ARCHIVED : EVENT_NO_METER;
	if (check_value(payload_member(meter, "value_settings", given->payload)) == EVENT_TOO_MANY_DIGITS)
		return EVENT_TOO_MANY_DIGITS;
	problem = check_time(given->timestamp);
	if (problem == EVENT_OK && is_duplicate(given->identifier))
		return EVENT_DUPLICATE;
	if (problem == EVENT_OK && !take_lock(req, given, meter))
		return EVENT_LOCKED;
	return problem;
}

static json_t *
keep_event(Request *req, const NewEvent *given)
{
	const char *key = request_header(req, "Idempotency-Key");
	json_t	   *event = json_object();
	char		made[40];

	total++;
	snprintf(made, sizeof(made), "meter_event_%" PRIu64, total);
	json_object_set_new(event, "object", json_string("billing.meter_event"));
	json_object_set_new(event, "created", json_number(now_ms() / 1000));
	json_object_set_new(event, "event_name", json_string(given->event_name));
	json_object_set_new(event, "identifier", json_string(given->identifier ? given->identifier : made));
	json_object_set_new(event, "livemode", json_boolean(stripe_livemode(req)));
	json_object_set(event, "payload", given->payload);
	json_object_set_new(event, "timestamp", json_number(given->timestamp));
	if (settings.event_limit < 0 || (int64_t) json_array_size(events) < settings.event_limit)
	{
		json_t	   *record = json_copy(event);

		json_object_set_new(record, "idempotency_key", key ? json_string(key) : json_null());
		json_object_set_new(record, "settled", json_false());
		json_object_set_new(record, "cancelled", json_false());
		json_object_set(identifiers, json_member_text(record, "identifier", ""), record);
		json_array_append_new(events, record);
	}
	return event;
}

json_t *
stripe_event_take(Request *req, const NewEvent *given, EventProblem *problem)
{
	json_t	   *meter = stripe_meter_active(given->event_name);
	json_t	   *event;

	if (meter == NULL && !settings.strict_meters && stripe_meter_archived(given->event_name) == NULL)
		meter = stripe_meter_auto(given->event_name);
	*problem = given->asynchronous ? EVENT_OK : check_event(req, given, meter);
	if (*problem != EVENT_OK)
		return NULL;
	event = keep_event(req, given);
	if (settings.settle)
		stripe_events_settle();
	return event;
}

/* Add the event to the report of its meter and problem. */
static void
report(const json_t *event, const char *meter_id, EventProblem problem)
{
	const char *code = stripe_problem_code(problem);
	json_t	   *found = NULL;
	json_t	   *sample = json_object();
	json_t	   *item;
	size_t		i;

	json_array_foreach(reports, i, item)
		if (strcmp(json_member_text(item, "code", ""), code) == 0 &&
			strcmp(json_member_text(item, "meter", ""), meter_id) == 0)
			found = item;
	if (found == NULL)
	{
		found = json_object();
		json_object_set_new(found, "type", json_string(meter_id[0] ? "v1.billing.meter.error_report_triggered" :
													   "v1.billing.meter.no_meter_found"));
		json_object_set_new(found, "meter", json_string(meter_id));
		json_object_set_new(found, "code", json_string(code));
		json_object_set_new(found, "error_count", json_number(0));
		json_object_set_new(found, "sample_errors", json_array());
		json_array_append_new(reports, found);
	}
	json_object_set_new(found, "error_count", json_number(json_member_int(found, "error_count", 0) + 1));
	json_object_set(sample, "identifier", json_object_get(event, "identifier"));
	json_object_set(sample, "idempotency_key", json_object_get(event, "idempotency_key"));
	json_array_append_new(json_object_get(found, "sample_errors"), sample);
}

static EventProblem
check_late(const json_t *event, const json_t *meter)
{
	EventProblem problem = check_time(json_member_int(event, "timestamp", 0));

	if (meter == NULL)
		return EVENT_NO_METER;
	if (problem != EVENT_OK)
		return problem;
	return check_payload(meter, json_object_get(event, "payload"));
}

static void
settle_one(json_t *event)
{
	json_t	   *meter = stripe_meter_active(json_member_text(event, "event_name", ""));
	EventProblem problem = check_late(event, meter);

	json_object_set_new(event, "settled", json_true());
	if (problem == EVENT_OK)
		json_object_set_new(event, "customer",
							json_string(payload_member(meter, "customer_mapping", json_object_get(event, "payload"))));
	else
		report(event, json_member_text(meter, "id", ""), problem);
	if (problem != EVENT_OK)
		json_object_set_new(event, "problem", json_string(stripe_problem_code(problem)));
}

/* Check the events that came since the last time. */
void
stripe_events_settle(void)
{
	while (settled < json_array_size(events))
		settle_one(json_array_get(events, settled++));
}

bool
stripe_event_cancel(const char *event_name, const char *identifier)
{
	json_t	   *event = json_object_get(identifiers, identifier);

	if (event == NULL || strcmp(json_member_text(event, "event_name", ""), event_name) != 0 ||
		json_member_int(event, "created", 0) < now_ms() / 1000 - DAY_SECONDS)
		return false;
	json_object_set_new(event, "cancelled", json_true());
	return true;
}

static void
refuse_time(Answer *ans, EventProblem problem)
{
	int64_t		now = now_ms() / 1000;

	if (problem == EVENT_TOO_OLD)
		stripe_error(ans, 400, NULL, "timestamp",
					 "The event timestamp cannot be more than 35 days in past. Expected a timestamp "
					 "greater than or equal to %" PRId64 ".", now - MAX_AGE);
	else
		stripe_error(ans, 400, NULL, "timestamp",
					 "The event timestamp cannot be more than 5 minutes in the future. Expected a "
					 "timestamp less than or equal to %" PRId64 ".", now + MAX_AHEAD);
}

/* The first version of the API: the duplicate has a text, but no code. */
static void
refuse_event(Answer *ans, const NewEvent *given, EventProblem problem)
{
	switch (problem)
	{
		case EVENT_LOCKED:
			stripe_error(ans, 429, "lock_timeout", NULL,
						 "This object cannot be accessed right now because another API request or "
						 "Stripe process is currently accessing it.");
			ans->volatile_answer = true;
			break;
		case EVENT_DUPLICATE:
			stripe_error(ans, 400, NULL, NULL, "An event already exists with identifier %s.", given->identifier);
			answer_header(ans, "Stripe-Should-Retry", "false");
			break;
		case EVENT_TOO_MANY_DIGITS:
			stripe_error(ans, 400, NULL, "payload", "The meter event value cannot have more than %d digits.",
						 MAX_VALUE_DIGITS);
			break;
		case EVENT_TOO_OLD:
		case EVENT_IN_FUTURE:
			refuse_time(ans, problem);
			break;
		default:
			stripe_error(ans, 400, NULL, "event_name", "No active meter found for event name %s.",
						 given->event_name);
			break;
	}
}

void
stripe_event_create(Request *req, Answer *ans)
{
	json_t	   *params = form_params(req, ans, event_fields);
	NewEvent	given = {0};
	EventProblem problem;
	const char *timestamp;
	json_t	   *event;

	if (params == NULL)
		return;
	timestamp = json_member_text(params, "timestamp", NULL);
	given.event_name = json_member_text(params, "event_name", "");
	given.identifier = json_member_text(params, "identifier", NULL);
	given.payload = json_object_get(params, "payload");
	given.timestamp = timestamp ? atoll(timestamp) : now_ms() / 1000;
	event = stripe_event_take(req, &given, &problem);
	if (event)
		answer_json(ans, 200, event);
	else
		refuse_event(ans, &given, problem);
	json_decref(params);
}
