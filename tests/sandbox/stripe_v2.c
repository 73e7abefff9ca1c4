/*
 * stripe_v2.c
 *	  The second version of Stripe's meter events: JSON bodies, and a stream
 *	  that takes up to 100 events under the token of a session.
 *
 * Everything that is wrong with an event of the stream is reported later.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "stripe.h"

#define SESSION_SECONDS (15 * 60)
#define MAX_STREAM 100

static json_t *sessions;		/* by token */

static void event_create(Request *req, Answer *ans);
static void event_adjust(Request *req, Answer *ans);
static void session_create(Request *req, Answer *ans);
static void stream_take(Request *req, Answer *ans);

const Route stripe_v2_routes[] = {
	{SHAPE_BOTH, REALM_STRIPE, "POST", "/v2/billing/meter_events", event_create},
	{SHAPE_BOTH, REALM_STRIPE, "POST", "/v2/billing/meter_event_adjustments", event_adjust},
	{SHAPE_BOTH, REALM_STRIPE, "POST", "/v2/billing/meter_event_session", session_create},
	{SHAPE_BOTH, REALM_STRIPE_STREAM, "POST", "/v2/billing/meter_event_stream", stream_take},
	{0, 0, NULL, NULL, NULL}
};

static const Field event_fields[] = {
	{"event_name", FIELD_STRING, true, NULL, NULL},
	{"payload", FIELD_STRING_MAP, true, NULL, NULL},
	{"identifier", FIELD_STRING, false, NULL, NULL},
	{"timestamp", FIELD_STRING, false, NULL, NULL},
	{NULL, 0, false, NULL, NULL}
};

static const Field cancel_fields[] = {
	{"identifier", FIELD_STRING, true, NULL, NULL},
	{NULL, 0, false, NULL, NULL}
};

static const char *const cancel_only[] = {"cancel", NULL};

static const Field adjustment_fields[] = {
	{"event_name", FIELD_STRING, true, NULL, NULL},
	{"type", FIELD_STRING, true, cancel_only, NULL},
	{"cancel", FIELD_OBJECT, true, NULL, cancel_fields},
	{NULL, 0, false, NULL, NULL}
};

void
stripe_v2_clear(void)
{
	json_decref(sessions);
	sessions = json_object();
}

json_t *
stripe_sessions_state(void)
{
	return json_incref(sessions);
}

/* Whether the token is one of a session that has not expired. */
bool
stripe_session_valid(const char *token)
{
	const json_t *session = json_object_get(sessions, token);

	return session && json_member_int(session, "expires_ms", 0) > now_ms();
}

/* Seconds as RFC 3339 text in UTC. */
static json_t *
time_text(int64_t seconds)
{
	time_t		when = seconds;
	struct tm	tm;
	char		text[40];

	gmtime_r(&when, &tm);
	strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm);
	return json_string(text);
}

/* RFC 3339 text to seconds; false when it is none. */
static bool
read_time(const char *text, int64_t *seconds)
{
	struct tm	tm = {0};
	char		sign;
	int			hours;
	int			minutes;
	int			used = 0;

	if (sscanf(text, "%4d-%2d-%2dT%2d:%2d:%2d%n", &tm.tm_year, &tm.tm_mon, &tm.tm_mday,
			   &tm.tm_hour, &tm.tm_min, &tm.tm_sec, &used) != 6)
		return false;
	tm.tm_year -= 1900;
	tm.tm_mon -= 1;
	*seconds = timegm(&tm);
	text += used;
	if (*text == '.')
		text += 1 + strspn(text + 1, "0123456789");
	if (strcmp(text, "Z") == 0)
		return true;
	if (sscanf(text, "%c%2d:%2d%n", &sign, &hours, &minutes, &used) != 3 || text[used] != '\0' ||
		(sign != '+' && sign != '-'))
		return false;
	*seconds -= (sign == '-' ? -1 : 1) * (hours * 3600 + minutes * 60);
	return true;
}

/* The JSON body, or NULL with the answer made; such an answer is not kept. */
static json_t *
read_body(Request *req, Answer *ans)
{
	Buffer		problem = {0};
	json_t	   *body = NULL;

	if (!request_type_is(req, "application/json"))
		buffer_puts(&problem, "the content type must be application/json");
	else
		body = json_read(req->body.data, req->body.len, &problem);
	if (body == NULL)
	{
		stripe_error(ans, 400, "invalid_request", NULL, "Invalid request: %s", problem.data);
		ans->volatile_answer = true;
	}
	buffer_free(&problem);
	return body;
}

static bool
check_body(Answer *ans, const json_t *body, const Field *fields)
{
	Buffer		problem = {0};
	bool		ok = json_check(body, fields, NULL, &problem);

	if (!ok)
	{
		stripe_error(ans, 400, "invalid_request", NULL, "Invalid request: %s", problem.data);
		ans->volatile_answer = true;
	}
	buffer_free(&problem);
	return ok;
}

static bool
read_event(Answer *ans, const json_t *body, NewEvent *given)
{
	const char *timestamp;

	if (!check_body(ans, body, event_fields))
		return false;
	timestamp = json_member_text(body, "timestamp", NULL);
	given->event_name = json_member_text(body, "event_name", "");
	given->identifier = json_member_text(body, "identifier", NULL);
	given->payload = json_object_get(body, "payload");
	given->timestamp = now_ms() / 1000;
	if (timestamp == NULL || read_time(timestamp, &given->timestamp))
		return true;
	stripe_error(ans, 400, "invalid_request", "timestamp", "Invalid timestamp: %s", timestamp);
	ans->volatile_answer = true;
	return false;
}

/* Here the payload is checked at once, and every problem has a code. */
static void
refuse_event(Answer *ans, const NewEvent *given, EventProblem problem)
{
	const char *code = stripe_problem_code(problem);

	if (problem == EVENT_LOCKED)
		stripe_error(ans, 409, code, NULL, "Another request for this customer and meter is in progress.");
	else if (problem == EVENT_DUPLICATE)
		stripe_error(ans, 400, code, NULL, "An event already exists with identifier %s.", given->identifier);
	else
		stripe_error(ans, 400, code, NULL, "The meter event was refused: %s.", code);
	ans->volatile_answer = problem == EVENT_LOCKED;
}

static json_t *
version_two(const json_t *event)
{
	json_t	   *copy = json_copy((json_t *) event);

	json_object_set_new(copy, "object", json_string("v2.billing.meter_event"));
	json_object_set_new(copy, "created", time_text(json_member_int(event, "created", 0)));
	json_object_set_new(copy, "timestamp", time_text(json_member_int(event, "timestamp", 0)));
	return copy;
}

static void
event_create(Request *req, Answer *ans)
{
	json_t	   *body = read_body(req, ans);
	NewEvent	given = {0};
	EventProblem problem;
	json_t	   *event;

	if (body && read_event(ans, body, &given))
	{
		event = stripe_event_take(req, &given, &problem);
		if (event)
			answer_json(ans, 200, version_two(event));
		else
			refuse_event(ans, &given, problem);
		json_decref(event);
	}
	json_decref(body);
}

static void
event_adjust(Request *req, Answer *ans)
{
	json_t	   *body = read_body(req, ans);
	const char *event_name;
	const char *identifier;

	if (body && check_body(ans, body, adjustment_fields))
	{
		event_name = json_member_text(body, "event_name", "");
		identifier = json_member_text(json_object_get(body, "cancel"), "identifier", "");
		if (stripe_event_cancel(event_name, identifier))
			answer_json(ans, 200, stripe_adjustment_keep(event_name, identifier, stripe_livemode(req),
														 "v2.billing.meter_event_adjustment"));
		else
			stripe_error(ans, 400, "invalid_request", "cancel.identifier",
						 "No event of the last 24 hours was found with identifier %s.", identifier);
	}
	json_decref(body);
}

static void
session_create(Request *req, Answer *ans)
{
	json_t	   *session = json_object();
	int64_t		now = now_ms();
	char		id[32];
	char		token[48];

	snprintf(id, sizeof(id), "mes_%zu", json_object_size(sessions) + 1);
	snprintf(token, sizeof(token), "token_of_%s", id);
	json_object_set_new(session, "id", json_string(id));
	json_object_set_new(session, "object", json_string("v2.billing.meter_event_session"));
	json_object_set_new(session, "authentication_token", json_string(token));
	json_object_set_new(session, "created", time_text(now / 1000));
	json_object_set_new(session, "expires_at", time_text(now / 1000 + SESSION_SECONDS));
	json_object_set_new(session, "livemode", json_boolean(stripe_livemode(req)));
	answer_json(ans, 200, json_deep_copy(session));
	json_object_set_new(session, "expires_ms", json_number(now + SESSION_SECONDS * 1000));
	json_object_set_new(sessions, token, session);
}

/* All events, or none when the shape of one is wrong. */
static bool
take_stream(Request *req, Answer *ans, const json_t *list)
{
	NewEvent	given = {0};
	EventProblem problem;
	json_t	   *item;
	size_t		i;

	json_array_foreach(list, i, item)
		if (!read_event(ans, item, &given))
			return false;
	given.asynchronous = true;
	json_array_foreach(list, i, item)
	{
		read_event(ans, item, &given);
		json_decref(stripe_event_take(req, &given, &problem));
	}
	return true;
}

static void
stream_take(Request *req, Answer *ans)
{
	json_t	   *body = read_body(req, ans);
	const json_t *list = json_object_get(body, "events");
	size_t		count = json_array_size(list);

	if (body && (count < 1 || count > MAX_STREAM))
	{
		stripe_error(ans, 400, "invalid_request", "events", "events must have 1 to %d items.", MAX_STREAM);
		ans->volatile_answer = true;
	}
	else if (body && take_stream(req, ans, list))
		answer_json(ans, 200, json_object());
	json_decref(body);
}
