/*
 * meters.c
 *	  Amberflo's meter definitions and filtering rules.
 *
 * The published description knows a meter by its API name, the service by an
 * id of its own.
 */
#include <stdio.h>
#include <string.h>

#include "amberflo.h"

static json_t *meters;			/* by meterApiName */
static json_t *rules;			/* an array */
static int	last_meter;
static int	last_rule;

static const char *const published_types[] = {
	"SUM_OF_ALL_USAGE", "MAX_IN_PERIOD", "UNIQUE_CUSTOMERS_COUNT", NULL
};
static const char *const live_locks[] = {"open", "close_to_changes", "deprecated", NULL};
static const char *const rule_actions[] = {"INCLUDE", "EXCLUDE", NULL};

static const Field published_meter[] = {
	{"meterApiName", FIELD_STRING, true, NULL, NULL},
	{"displayName", FIELD_STRING, true, NULL, NULL},
	{"type", FIELD_STRING, true, published_types, NULL},
	{"dimensions", FIELD_STRING_LIST, false, NULL, NULL},
	{"label", FIELD_STRING, false, NULL, NULL},
	{NULL, 0, false, NULL, NULL}
};

static const Field live_meter[] = {
	{"id", FIELD_STRING, false, NULL, NULL},
	{"meterApiName", FIELD_STRING, true, NULL, NULL},
	{"label", FIELD_STRING, true, NULL, NULL},
	{"meterType", FIELD_STRING, true, NULL, NULL},
	{"description", FIELD_STRING, false, NULL, NULL},
	{"dimensions", FIELD_STRING_LIST, false, NULL, NULL},
	{"aggregationDimensions", FIELD_STRING_LIST, false, NULL, NULL},
	{"unit", FIELD_STRING, false, NULL, NULL},
	{"useInBilling", FIELD_BOOLEAN, false, NULL, NULL},
	{"lockingStatus", FIELD_STRING, false, live_locks, NULL},
	{"squashSumMeter", FIELD_BOOLEAN, false, NULL, NULL},
	{"seatBased", FIELD_BOOLEAN, false, NULL, NULL},
	{"timeoutInMinutes", FIELD_INTEGER, false, NULL, NULL},
	{"deduplicationConfig", FIELD_OBJECT, false, NULL, NULL},
	{NULL, 0, false, NULL, NULL}
};

static const Field published_rule[] = {
	{"meterApiName", FIELD_STRING, true, NULL, NULL},
	{"ruleId", FIELD_STRING, false, NULL, NULL},
	{"dimensionName", FIELD_STRING, false, NULL, NULL},
	{"dimensionValues", FIELD_STRING_LIST, false, NULL, NULL},
	{"action", FIELD_STRING, false, rule_actions, NULL},
	{NULL, 0, false, NULL, NULL}
};

static const Field live_rule[] = {
	{"id", FIELD_STRING, true, NULL, NULL},
	{"meterApiName", FIELD_STRING, true, NULL, NULL},
	{"ingestionTimeRange", FIELD_OBJECT, true, NULL, NULL},
	{"type", FIELD_STRING, false, NULL, NULL},
	{NULL, 0, false, NULL, NULL}
};

bool
meter_exists(const char *api_name)
{
	return json_object_get(meters, api_name) != NULL;
}

json_t *
meters_state(void)
{
	json_t	   *list = json_array();
	const char *name;
	json_t	   *meter;

	json_object_foreach(meters, name, meter)
		json_array_append(list, meter);
	return list;
}

json_t *
rules_state(void)
{
	return json_incref(rules);
}

void
meters_clear(void)
{
	json_decref(meters);
	json_decref(rules);
	meters = json_object();
	rules = json_array();
	last_meter = last_rule = 0;
}

/* The meter whose member has that text, or NULL. */
static json_t *
find_meter(const char *member, const char *text)
{
	const char *name;
	json_t	   *meter;

	json_object_foreach(meters, name, meter)
		if (strcmp(json_member_text(meter, member, ""), text) == 0)
			return meter;
	return NULL;
}

/* Whether the name and the label are free, but for the meter itself. */
static bool
meter_is_new(const json_t *meter, const json_t *self, Answer *ans)
{
	const char *name = json_member_text(meter, "meterApiName", "");
	const char *label = json_member_text(meter, "label", NULL);
	const json_t *other = find_meter("meterApiName", name);

	if (other && other != self)
	{
		amberflo_error(ans, 400, "Invalid request: Meter already exists with 'meterApiName': %s", name);
		return false;
	}
	other = label ? find_meter("label", label) : NULL;
	if (other && other != self)
	{
		amberflo_error(ans, 400, "Invalid request: Meter already exists with 'label': %s", label);
		return false;
	}
	return true;
}

static void
keep_published(json_t *meter)
{
	const char *name = json_member_text(meter, "meterApiName", "");

	if (json_object_get(meter, "label") == NULL)
		json_object_set_new(meter, "label", json_string(name));
	json_object_set_new(meter, "meterTimeInMillis", json_number(now_ms()));
	json_object_set(meters, name, meter);
}

void
meter_list(Request *req, Answer *ans)
{
	(void) req;
	answer_json(ans, 200, meters_state());
}

void
meter_create(Request *req, Answer *ans)
{
	json_t	   *meter = amberflo_body(req, ans, published_meter);

	if (meter == NULL)
		return;
	if (!meter_is_new(meter, NULL, ans))
	{
		json_decref(meter);
		return;
	}
	keep_published(meter);
	answer_json(ans, 200, meter);
}

void
meter_update(Request *req, Answer *ans)
{
	json_t	   *meter = amberflo_body(req, ans, published_meter);

	if (meter == NULL)
		return;
	if (!meter_exists(json_member_text(meter, "meterApiName", "")))
	{
		amberflo_error(ans, 400, "Invalid request: Meter not found");
		json_decref(meter);
		return;
	}
	keep_published(meter);
	answer_json(ans, 200, meter);
}

void
meter_get(Request *req, Answer *ans)
{
	json_t	   *meter = json_object_get(meters, req->params[0]);

	if (meter)
		answer_json(ans, 200, json_incref(meter));
	else
		amberflo_error(ans, 404, "Meter definition not found");
}

void
meter_delete(Request *req, Answer *ans)
{
	if (json_object_del(meters, req->params[0]) != 0)
		amberflo_error(ans, 404, "Meter definition not found");
}

/* The types that the service takes; one of them needs dimensions. */
static bool
live_type_is_valid(const json_t *meter, Answer *ans)
{
	const char *type = json_member_text(meter, "meterType", "");
	bool		users = strcmp(type, "active_users") == 0;

	if (strcmp(type, "sum_of_all_usage") != 0 && strcmp(type, "event_duration") != 0 && !users)
		amberflo_error(ans, 400, "Invalid request: Invalid meter type");
	else if (users && json_array_size(json_object_get(meter, "aggregationDimensions")) == 0)
		amberflo_error(ans, 400, "Invalid request: 'aggregationDimensions' must not be empty");
	else
		return true;
	return false;
}

void
live_meter_list(Request *req, Answer *ans)
{
	const char *name = request_query(req, "meterApiName");
	json_t	   *list;

	if (name == NULL)
	{
		answer_json(ans, 200, meters_state());
		return;
	}
	list = json_array();
	if (meter_exists(name))
		json_array_append(list, json_object_get(meters, name));
	answer_json(ans, 200, list);
}

void
live_meter_create(Request *req, Answer *ans)
{
	json_t	   *meter = amberflo_body(req, ans, live_meter);
	char		id[64];

	if (meter == NULL)
		return;
	if (!live_type_is_valid(meter, ans) || !meter_is_new(meter, NULL, ans))
	{
		json_decref(meter);
		return;
	}
	snprintf(id, sizeof(id), "00000000-0000-4000-8000-%012d", ++last_meter);
	json_object_set_new(meter, "id", json_string(id));
	if (json_object_get(meter, "lockingStatus") == NULL)
		json_object_set_new(meter, "lockingStatus", json_string("open"));
	json_object_set_new(meter, "aggregation", json_string("sum"));
	json_object_set_new(meter, "createTime", json_number(now_ms()));
	json_object_set_new(meter, "updateTime", json_number(now_ms()));
	json_object_set(meters, json_member_text(meter, "meterApiName", ""), meter);
	answer_json(ans, 200, meter);
}

/* Without the server's id it is taken for a new meter, so that the name clashes. */
void
live_meter_update(Request *req, Answer *ans)
{
	json_t	   *meter = amberflo_body(req, ans, live_meter);
	json_t	   *old;

	if (meter == NULL)
		return;
	old = find_meter("id", json_member_text(meter, "id", "none"));
	if (!live_type_is_valid(meter, ans) || !meter_is_new(meter, old, ans))
		;
	else if (old == NULL)
		amberflo_error(ans, 400, "Invalid request: Meter not found");
	else
	{
		json_object_set(meter, "createTime", json_object_get(old, "createTime"));
		json_object_set_new(meter, "updateTime", json_number(now_ms()));
		json_object_del(meters, json_member_text(old, "meterApiName", ""));
		json_object_set(meters, json_member_text(meter, "meterApiName", ""), meter);
		answer_json(ans, 200, json_incref(meter));
	}
	json_decref(meter);
}

void
live_meter_get(Request *req, Answer *ans)
{
	json_t	   *meter = find_meter("id", req->params[0]);

	if (meter)
		answer_json(ans, 200, json_incref(meter));
	else
		amberflo_error(ans, 404, "Not Found");
}

/* Anything but an id is answered with 200, and nothing happens. */
void
live_meter_delete(Request *req, Answer *ans)
{
	json_t	   *meter = find_meter("id", req->params[0]);
	const char *lock = json_member_text(meter, "lockingStatus", "");

	if (meter && strcmp(lock, "deprecated") != 0)
		amberflo_error(ans, 400, "Invalid request: 'lockingStatus' %s prevents meter from being deleted.", lock);
	else if (meter)
		json_object_del(meters, json_member_text(meter, "meterApiName", ""));
}

/* Create a rule, or replace the one with its id. */
static void
keep_rule(json_t *rule, const char *id_member)
{
	const char *id = json_member_text(rule, id_member, "");
	json_t	   *old;
	size_t		i;

	json_array_foreach(rules, i, old)
	{
		if (strcmp(json_member_text(old, id_member, ""), id) == 0)
		{
			json_array_set(rules, i, rule);
			return;
		}
	}
	json_array_append(rules, rule);
}

void
rule_put(Request *req, Answer *ans)
{
	json_t	   *rule = amberflo_body(req, ans, published_rule);
	char		id[32];

	if (rule == NULL)
		return;
	if (json_object_get(rule, "ruleId") == NULL)
	{
		snprintf(id, sizeof(id), "rule-%d", ++last_rule);
		json_object_set_new(rule, "ruleId", json_string(id));
	}
	keep_rule(rule, "ruleId");
	answer_json(ans, 200, rule);
}

void
rule_list(Request *req, Answer *ans)
{
	const char *meter = request_query(req, "meterApiName");
	json_t	   *list = json_array();
	json_t	   *rule;
	size_t		i;

	json_array_foreach(rules, i, rule)
		if (meter && strcmp(json_member_text(rule, "meterApiName", ""), meter) == 0)
			json_array_append(list, rule);
	if (meter)
		answer_json(ans, 200, list);
	else
	{
		json_decref(list);
		amberflo_error(ans, 400, "Invalid request: 'meterApiName' is required");
	}
}

void
live_rule_put(Request *req, Answer *ans)
{
	json_t	   *rule = amberflo_body(req, ans, live_rule);

	if (rule == NULL)
		return;
	keep_rule(rule, "id");
	answer_json(ans, 200, rule);
}
