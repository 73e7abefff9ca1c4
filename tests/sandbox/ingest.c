/*
 * ingest.c
 *	  POST /ingest: one event, an array of them, or a line each; gzip or not.
 *
 * The whole body is checked before anything is kept, so that a refused batch
 * leaves nothing behind.
 */
#include <stdlib.h>
#include <string.h>

#include "amberflo.h"
#include "decimal.h"
#include "events.h"

#define CANCEL_DIMENSION "aflo.cancel_previous_resource_event"

static const Field published_event[] = {
	{"meterTimeInMillis", FIELD_INTEGER, true, NULL, NULL},
	{"meterApiName", FIELD_STRING, false, NULL, NULL},
	{"customerId", FIELD_STRING, false, NULL, NULL},
	{"meterValue", FIELD_NUMBER, false, NULL, NULL},
	{"uniqueId", FIELD_STRING, false, NULL, NULL},
	{"dimensions", FIELD_STRING_MAP, false, NULL, NULL},
	{"values", FIELD_NUMBER_MAP, false, NULL, NULL},
	{NULL, 0, false, NULL, NULL}
};

static const Field live_event[] = {
	{"customerId", FIELD_STRING, true, NULL, NULL},
	{"meterTimeInMillis", FIELD_INTEGER, true, NULL, NULL},
	{"meterApiName", FIELD_STRING, false, NULL, NULL},
	{"meterValue", FIELD_NUMBER, false, NULL, NULL},
	{"uniqueId", FIELD_STRING, false, NULL, NULL},
	{"dimensions", FIELD_STRING_MAP, false, NULL, NULL},
	{"values", FIELD_NUMBER_MAP, false, NULL, NULL},
	{NULL, 0, false, NULL, NULL}
};

/* One JSON document a line; empty lines aside. */
static json_t *
read_lines(const char *text, size_t len, Buffer *problem)
{
	json_t	   *list = json_array();
	const char *end = text + len;

	while (text < end)
	{
		const char *stop = memchr(text, '\n', end - text);
		json_t	   *event;

		if (stop == NULL)
			stop = end;
		if (strspn(text, " \t\r") < (size_t) (stop - text))
		{
			event = json_read(text, stop - text, problem);
			if (event == NULL)
			{
				json_decref(list);
				return NULL;
			}
			json_array_append_new(list, event);
		}
		text = stop + 1;
	}
	return list;
}

/* The body as an array of events, or NULL with the answer made. */
static json_t *
read_events(const Request *req, Answer *ans)
{
	const char *encoding = request_header(req, "Content-Encoding");
	bool		lines = request_type_is(req, "application/x-ndjson");
	Buffer		unpacked = {0};
	Buffer		problem = {0};
	const Buffer *body = &req->body;
	json_t	   *events = NULL;

	if (!lines && !request_type_is(req, "application/json"))
	{
		amberflo_error(ans, 415, "Unsupported Media Type");
		return NULL;
	}
	if (encoding && strcmp(encoding, "gzip") == 0)
		body = &unpacked;
	if (body == &unpacked && !request_inflate(req, &unpacked))
		buffer_puts(&problem, "the body is not gzip");
	else if (lines)
		events = read_lines(body->data ? body->data : "", body->len, &problem);
	else
		events = json_read(body->data, body->len, &problem);
	if (events == NULL)
		amberflo_error(ans, 400, "Invalid request: %s", problem.data);
	else if (!json_is_array(events))
	{
		json_t	   *list = json_array();

		json_array_append_new(list, events);
		events = list;
	}
	buffer_free(&unpacked);
	buffer_free(&problem);
	return events;
}

/* Whether every number of the event can be reckoned with. */
static bool
numbers_are_sane(const json_t *event, Buffer *problem)
{
	const char *digits = json_number_text(json_object_get(event, "meterValue"));
	Buffer		number = {0};
	bool		ok = digits == NULL || decimal_canonical(digits, &number);
	const char *key;
	json_t	   *value;

	json_object_foreach(json_object_get(event, "values"), key, value)
		ok = ok && decimal_canonical(json_number_text(value), &number);
	if (!ok)
		buffer_puts(problem, "a number is out of range");
	buffer_free(&number);
	return ok;
}

static bool
check_events(const json_t *events, Buffer *problem)
{
	const Field *fields = settings.shape == SHAPE_LIVE ? live_event : published_event;
	json_t	   *event;
	size_t		i;

	json_array_foreach(events, i, event)
		if (!json_check(event, fields, NULL, problem) || !numbers_are_sane(event, problem))
			return false;
	return true;
}

/* The dimensions with sorted keys, without the one that cancels; malloc'd or NULL. */
static char *
sorted_dimensions(const json_t *event, bool *cancels)
{
	const json_t *dimensions = json_object_get(event, "dimensions");
	json_t	   *rest;
	char	   *text;

	*cancels = false;
	if (json_object_size(dimensions) == 0)
		return NULL;
	rest = json_copy((json_t *) dimensions);
	if (strcmp(json_member_text(rest, CANCEL_DIMENSION, ""), "true") == 0)
		*cancels = json_object_del(rest, CANCEL_DIMENSION) == 0;
	text = json_object_size(rest) ? json_dumps(rest, JSON_COMPACT | JSON_SORT_KEYS) : NULL;
	json_decref(rest);
	return text;
}

static void
note_undefined(const Event *event)
{
	if (event->customer[0] && !customer_exists(event->customer))
		amberflo_signal("undefined-customer", event->customer);
	if (event->meter[0] && !meter_exists(event->meter))
		amberflo_signal("undefined-meter", event->meter);
}

/* Keep one value of the event. */
static void
keep_value(Event *event, const char *meter, const json_t *value)
{
	Buffer		number = {0};
	const char *digits = json_number_text(value);

	event->meter = meter;
	event->has_value = digits != NULL;
	event->value = digits ? digits : "";
	decimal_canonical(digits ? digits : "0", &number);
	event->number = number.data;
	note_undefined(event);
	events_add(event);
	buffer_free(&number);
}

static void
keep_event(const json_t *source)
{
	const json_t *values = json_object_get(source, "values");
	Event		event = {0};
	char	   *dimensions;
	const char *meter;
	json_t	   *value;

	dimensions = sorted_dimensions(source, &event.cancels);
	event.dimensions = dimensions ? dimensions : "";
	event.time_ms = json_member_int(source, "meterTimeInMillis", 0);
	event.received_ms = now_ms();
	event.customer = json_member_text(source, "customerId", "");
	event.unique_id = json_member_text(source, "uniqueId", "");
	json_object_foreach((json_t *) values, meter, value)
		keep_value(&event, meter, value);
	if (json_object_size(values) == 0)
		keep_value(&event, json_member_text(source, "meterApiName", ""),
				   json_object_get(source, "meterValue"));
	free(dimensions);
}

void
amberflo_ingest(Request *req, Answer *ans)
{
	json_t	   *events = read_events(req, ans);
	Buffer		problem = {0};
	json_t	   *event;
	size_t		i;

	if (events == NULL)
		return;
	if (!check_events(events, &problem))
		amberflo_error(ans, 400, "Invalid request: %s", problem.data);
	else
	{
		json_array_foreach(events, i, event)
			keep_event(event);
		if (settings.settle)
			events_settle();
		answer_text(ans, 200, settings.ingest_type, "%zu records were ingested",
					json_array_size(events));
	}
	buffer_free(&problem);
	json_decref(events);
}
