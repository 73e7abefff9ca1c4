/*
 * stripe_summaries.c
 *	  Stripe's sums of meter events, and their cancellation.
 *
 * Only settled events are summed: the sums lag behind, as Stripe's do.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "decimal.h"
#include "form.h"
#include "stripe.h"

#define MINUTE 60
#define HOUR (60 * MINUTE)
#define DAY (24 * HOUR)
#define DEFAULT_LIMIT "10"

static json_t *adjustments;		/* an array */

static const char *const windows[] = {"day", "hour", NULL};
static const char *const cancel_only[] = {"cancel", NULL};

static const FormField summary_fields[] = {
	{"customer", FORM_STRING, true, 5000, NULL, NULL},
	{"start_time", FORM_INTEGER, true, 0, NULL, NULL},
	{"end_time", FORM_INTEGER, true, 0, NULL, NULL},
	{"value_grouping_window", FORM_STRING, false, 0, windows, NULL},
	{"limit", FORM_INTEGER, false, 0, NULL, NULL},
	{"starting_after", FORM_STRING, false, 5000, NULL, NULL},
	{"ending_before", FORM_STRING, false, 5000, NULL, NULL},
	{"expand", FORM_LIST, false, 0, NULL, NULL},
	{NULL, 0, false, 0, NULL, NULL}
};

static const FormField cancel_fields[] = {
	{"identifier", FORM_STRING, true, 100, NULL, NULL},
	{NULL, 0, false, 0, NULL, NULL}
};

static const FormField adjustment_fields[] = {
	{"event_name", FORM_STRING, true, 100, NULL, NULL},
	{"type", FORM_STRING, true, 0, cancel_only, NULL},
	{"cancel", FORM_OBJECT, true, 0, NULL, cancel_fields},
	{"expand", FORM_LIST, false, 0, NULL, NULL},
	{NULL, 0, false, 0, NULL, NULL}
};

typedef struct Span
{
	const char *customer;
	int64_t		start;
	int64_t		end;			/* not within */
	int64_t		window;			/* seconds */
	int64_t		limit;
} Span;

/* Whether the event is one of the meter, customer and time, and counts. */
static bool
is_summed(const json_t *event, const json_t *meter, const Span *span, int64_t start)
{
	int64_t		time = json_member_int(event, "timestamp", 0);

	return json_is_true(json_object_get(event, "settled")) &&
		!json_is_true(json_object_get(event, "cancelled")) &&
		strcmp(json_member_text(event, "customer", ""), span->customer) == 0 &&
		json_equal(json_object_get(event, "event_name"), json_object_get(meter, "event_name")) &&
		time >= start && time < start + span->window && time < span->end;
}

static const char *
event_value(const json_t *event, const json_t *meter)
{
	const char *key = json_member_text(json_object_get(meter, "value_settings"), "event_payload_key", "");

	return json_member_text(json_object_get(event, "payload"), key, "0");
}

/* Sum, count or last value of one window. */
static void
aggregate(const json_t *meter, const Span *span, int64_t start, Buffer *value)
{
	const char *formula = json_member_text(json_object_get(meter, "default_aggregation"), "formula", "sum");
	int64_t		count = 0;
	const json_t *event;
	Buffer		number = {0};
	size_t		i;

	buffer_puts(value, "0");
	for (i = 0; (event = stripe_event_at(i)) != NULL; i++)
	{
		if (!is_summed(event, meter, span, start))
			continue;
		count++;
		decimal_canonical(event_value(event, meter), &number);
		if (strcmp(formula, "last") == 0)
			buffer_clear(value);
		if (strcmp(formula, "last") == 0)
			buffer_puts(value, number.data);
		else if (strcmp(formula, "sum") == 0)
			decimal_add(value, number.data);
	}
	if (strcmp(formula, "count") == 0)
	{
		buffer_clear(value);
		buffer_printf(value, "%" PRId64, count);
	}
	buffer_free(&number);
}

static json_t *
summary(const json_t *meter, const Span *span, int64_t start, bool livemode)
{
	json_t	   *out = json_object();
	int64_t		end = start + span->window;
	Buffer		text = {0};

	buffer_printf(&text, "mtrsum_%s_%" PRId64, json_member_text(meter, "id", ""), start);
	json_object_set_new(out, "id", json_string(text.data));
	json_object_set_new(out, "object", json_string("billing.meter_event_summary"));
	buffer_clear(&text);
	aggregate(meter, span, start, &text);
	json_object_set_new(out, "aggregated_value", json_number_from_text(text.data));
	json_object_set_new(out, "end_time", json_number(end < span->end ? end : span->end));
	json_object_set_new(out, "livemode", json_boolean(livemode));
	json_object_set(out, "meter", json_object_get(meter, "id"));
	json_object_set_new(out, "start_time", json_number(start));
	buffer_free(&text);
	return out;
}

/* The newest window first, as Stripe's lists are; no more than the limit. */
static json_t *
summaries(const json_t *meter, const Span *span, bool livemode, bool *more)
{
	json_t	   *data = json_array();
	int64_t		start = span->start + (span->end - 1 - span->start) / span->window * span->window;

	for (; start >= span->start; start -= span->window)
	{
		*more = (int64_t) json_array_size(data) >= span->limit;
		if (*more)
			break;
		json_array_append_new(data, summary(meter, span, start, livemode));
	}
	return data;
}

/* Times must be aligned to the minute, or to the window that is asked for. */
static bool
read_span(const json_t *params, Span *span, Answer *ans)
{
	const char *window = json_member_text(params, "value_grouping_window", NULL);
	int64_t		unit = window == NULL ? MINUTE : strcmp(window, "day") == 0 ? DAY : HOUR;
	const char *bad = NULL;

	span->customer = json_member_text(params, "customer", "");
	span->start = atoll(json_member_text(params, "start_time", "0"));
	span->end = atoll(json_member_text(params, "end_time", "0"));
	span->limit = atoll(json_member_text(params, "limit", DEFAULT_LIMIT));
	span->window = window ? unit : span->end - span->start;
	if (span->start % unit != 0)
		bad = "start_time";
	else if (span->end % unit != 0 || span->end <= span->start)
		bad = "end_time";
	else if (span->limit < 1 || span->limit > 100)
		bad = "limit";
	if (bad && strcmp(bad, "limit") == 0)
		stripe_error(ans, 400, NULL, bad, "limit must be between 1 and 100.");
	else if (bad)
		stripe_error(ans, 400, NULL, bad, "%s must be after start_time and aligned with %s boundaries.",
					 bad, window ? window : "minute");
	return bad == NULL;
}

void
stripe_summaries(Request *req, Answer *ans)
{
	json_t	   *params = form_params(req, ans, summary_fields);
	json_t	   *meter = params ? stripe_meter_get(req->params[0]) : NULL;
	bool		more = false;
	Span		span = {0};
	json_t	   *body;

	if (params && meter == NULL)
		stripe_error(ans, 404, "resource_missing", "id", "No such meter: '%s'", req->params[0]);
	else if (meter && read_span(params, &span, ans))
	{
		body = json_object();
		json_object_set_new(body, "object", json_string("list"));
		json_object_set_new(body, "data", summaries(meter, &span, stripe_livemode(req), &more));
		json_object_set_new(body, "has_more", json_boolean(more));
		json_object_set_new(body, "url", json_string(req->path));
		answer_json(ans, 200, body);
	}
	json_decref(params);
}

void
stripe_adjustments_clear(void)
{
	json_decref(adjustments);
	adjustments = json_array();
}

json_t *
stripe_adjustments_state(void)
{
	return json_incref(adjustments);
}

/* Note an adjustment that was carried out; a new reference to what the caller gets. */
json_t *
stripe_adjustment_keep(const char *event_name, const char *identifier, bool livemode, const char *object)
{
	json_t	   *adjustment = json_object();
	json_t	   *cancel = json_object();

	json_object_set_new(cancel, "identifier", json_string(identifier));
	json_object_set_new(adjustment, "object", json_string(object));
	json_object_set_new(adjustment, "cancel", cancel);
	json_object_set_new(adjustment, "event_name", json_string(event_name));
	json_object_set_new(adjustment, "livemode", json_boolean(livemode));
	json_object_set_new(adjustment, "status", json_string("pending"));
	json_object_set_new(adjustment, "type", json_string("cancel"));
	json_array_append(adjustments, adjustment);
	return adjustment;
}

void
stripe_adjust(Request *req, Answer *ans)
{
	json_t	   *params = form_params(req, ans, adjustment_fields);
	const char *event_name;
	const char *identifier;

	if (params == NULL)
		return;
	event_name = json_member_text(params, "event_name", "");
	identifier = json_member_text(json_object_get(params, "cancel"), "identifier", "");
	if (stripe_event_cancel(event_name, identifier))
		answer_json(ans, 200, stripe_adjustment_keep(event_name, identifier, stripe_livemode(req),
													 "billing.meter_event_adjustment"));
	else
		stripe_error(ans, 400, NULL, "cancel[identifier]",
					 "No event of the last 24 hours was found with identifier %s.", identifier);
	json_decref(params);
}
