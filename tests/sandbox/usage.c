/*
 * usage.c
 *	  POST /usage: sums, maxima and counts by time and dimensions.
 *
 * Fresh data: what is not yet post-processed counts as it came.  A query with
 * a time range has every bucket of it, zeros included; the published shape
 * also takes a query without a range, and answers with the buckets in which
 * something happened.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "amberflo.h"
#include "decimal.h"
#include "events.h"

#define MAX_BUCKETS 10000
#define DAY (24 * 60 * 60)

typedef enum Interval
{
	INTERVAL_HOUR,
	INTERVAL_DAY,
	INTERVAL_WEEK,
	INTERVAL_MONTH
} Interval;

typedef struct Query
{
	const char *meter;
	const char *aggregation;	/* upper case */
	Interval	interval;
	bool		has_range;
	int64_t		start;			/* seconds; the end is not within */
	int64_t		end;
	json_t	   *group_by;		/* borrowed, like the rest */
	json_t	   *filter;
	json_t	   *customers;
	bool		sparse;
} Query;

typedef struct Cell
{
	int64_t		count;
	Buffer		value;			/* canonical; empty while count is 0 */
} Cell;

typedef struct Group
{
	json_t	   *info;
	Cell	   *cells;			/* one a bucket */
} Group;

typedef struct Result
{
	int64_t    *buckets;		/* starting times, ascending */
	int			nbuckets;
	Group	   *groups;
	int			ngroups;
} Result;

static const char *const aggregations[] = {"SUM", "MAX", "COUNT", NULL};
static const char *const live_aggregations[] = {
	"SUM", "MAX", "COUNT", "MIN", "sum", "max", "count", "min", NULL
};
static const char *const intervals[] = {"HOUR", "DAY", "WEEK", "MONTH", NULL};

static const Field published_fields[] = {
	{"meterApiName", FIELD_STRING, true, NULL, NULL},
	{"startTimeInSeconds", FIELD_INTEGER, false, NULL, NULL},
	{"endTimeInSeconds", FIELD_INTEGER, false, NULL, NULL},
	{"aggregation", FIELD_STRING, true, aggregations, NULL},
	{"timeGroupingInterval", FIELD_STRING, true, intervals, NULL},
	{"groupBy", FIELD_STRING_LIST, false, NULL, NULL},
	{"customerFilter", FIELD_STRING_LIST, false, NULL, NULL},
	{"filter", FIELD_LIST_MAP, false, NULL, NULL},
	{NULL, 0, false, NULL, NULL}
};

static const Field range_fields[] = {
	{"startTimeInSeconds", FIELD_INTEGER, true, NULL, NULL},
	{"endTimeInSeconds", FIELD_INTEGER, false, NULL, NULL},
	{NULL, 0, false, NULL, NULL}
};

static const Field take_fields[] = {
	{"limit", FIELD_INTEGER, false, NULL, NULL},
	{"isAscending", FIELD_BOOLEAN, false, NULL, NULL},
	{NULL, 0, false, NULL, NULL}
};

static const Field live_fields[] = {
	{"meterApiName", FIELD_STRING, true, NULL, NULL},
	{"timeRange", FIELD_OBJECT, true, NULL, range_fields},
	{"timeGroupingInterval", FIELD_STRING, true, intervals, NULL},
	{"aggregation", FIELD_STRING, false, live_aggregations, NULL},
	{"groupBy", FIELD_STRING_LIST, false, NULL, NULL},
	{"filter", FIELD_LIST_MAP, false, NULL, NULL},
	{"take", FIELD_OBJECT, false, NULL, take_fields},
	{NULL, 0, false, NULL, NULL}
};

/* The start of the calendar month, or of the one that follows (UTC). */
static int64_t
month_start(int64_t seconds, int months)
{
	time_t		when = seconds;
	struct tm	tm;

	gmtime_r(&when, &tm);
	tm.tm_mday = 1;
	tm.tm_hour = tm.tm_min = tm.tm_sec = 0;
	tm.tm_mon += months;
	return timegm(&tm);
}

static int64_t
floor_to(int64_t seconds, int64_t unit)
{
	int64_t		rest = seconds % unit;

	return seconds - (rest < 0 ? rest + unit : rest);
}

/* The start of the bucket; weeks begin on Monday. */
static int64_t
bucket_start(Interval interval, int64_t seconds)
{
	switch (interval)
	{
		case INTERVAL_HOUR:
			return floor_to(seconds, 60 * 60);
		case INTERVAL_DAY:
			return floor_to(seconds, DAY);
		case INTERVAL_WEEK:
			return floor_to(seconds - 4 * DAY, 7 * DAY) + 4 * DAY;
		case INTERVAL_MONTH:
			return month_start(seconds, 0);
	}
	return seconds;
}

static int64_t
next_bucket(Interval interval, int64_t start)
{
	switch (interval)
	{
		case INTERVAL_HOUR:
			return start + 60 * 60;
		case INTERVAL_DAY:
			return start + DAY;
		case INTERVAL_WEEK:
			return start + 7 * DAY;
		case INTERVAL_MONTH:
			return month_start(start, 1);
	}
	return start + 1;
}

static int64_t
event_seconds(const Event *event)
{
	return floor_to(event->time_ms, 1000) / 1000;
}

static bool
list_has(const json_t *list, const char *text)
{
	json_t	   *item;
	size_t		i;

	json_array_foreach(list, i, item)
		if (text && strcmp(json_text(item), text) == 0)
			return true;
	return false;
}

/* The event's value of a dimension; customerId counts as one. */
static const char *
dimension_of(const Event *event, const json_t *dimensions, const char *name)
{
	if (strcmp(name, "customerId") == 0)
		return event->customer;
	return json_member_text(dimensions, name, NULL);
}

static bool
passes_filter(const Query *query, const Event *event, const json_t *dimensions)
{
	const char *name;
	json_t	   *accepted;

	if (query->customers && !list_has(query->customers, event->customer))
		return false;
	json_object_foreach(query->filter, name, accepted)
		if (!list_has(accepted, dimension_of(event, dimensions, name)))
			return false;
	return true;
}

static json_t *
event_dimensions(const Event *event)
{
	return event->dimensions[0] ? json_loads(event->dimensions, 0, NULL) : NULL;
}

static bool
is_asked_for(const Query *query, const Event *event)
{
	int64_t		seconds = event_seconds(event);
	json_t	   *dimensions;
	bool		passes;

	if (strcmp(event->meter, query->meter) != 0 || !event_counts(event))
		return false;
	if (query->has_range && (seconds < query->start || seconds >= query->end))
		return false;
	dimensions = event_dimensions(event);
	passes = passes_filter(query, event, dimensions);
	json_decref(dimensions);
	return passes;
}

static void
add_bucket(Result *result, int64_t start)
{
	if (result->nbuckets % 64 == 0)
		result->buckets = need_grow(result->buckets, (result->nbuckets + 64) * sizeof(int64_t));
	result->buckets[result->nbuckets++] = start;
}

static int
compare_times(const void *a, const void *b)
{
	int64_t		x = *(const int64_t *) a;
	int64_t		y = *(const int64_t *) b;

	return x < y ? -1 : x > y;
}

/* The buckets of the events that the query asks for, each once. */
static void
collect_buckets(const Query *query, Result *result)
{
	size_t		i;
	int			kept = 0;
	int			j;

	for (i = 0; i < events_count(); i++)
		if (is_asked_for(query, events_get(i)))
			add_bucket(result, bucket_start(query->interval, event_seconds(events_get(i))));
	if (result->nbuckets > 0)
		qsort(result->buckets, result->nbuckets, sizeof(int64_t), compare_times);
	for (j = 0; j < result->nbuckets; j++)
		if (j == 0 || result->buckets[j] != result->buckets[j - 1])
			result->buckets[kept++] = result->buckets[j];
	result->nbuckets = kept;
}

/* False when there would be too many. */
static bool
make_buckets(const Query *query, Result *result)
{
	int64_t		start;

	if (!query->has_range)
	{
		collect_buckets(query, result);
		return true;
	}
	start = bucket_start(query->interval, query->start);
	for (; start < query->end; start = next_bucket(query->interval, start))
	{
		if (result->nbuckets == MAX_BUCKETS)
			return false;
		add_bucket(result, start);
	}
	return true;
}

static Group *
add_group(Result *result, json_t *info)
{
	Group	   *group;

	result->groups = need_grow(result->groups, (result->ngroups + 1) * sizeof(Group));
	group = &result->groups[result->ngroups++];
	group->info = info;
	group->cells = need_alloc(result->nbuckets * sizeof(Cell));
	return group;
}

/* The group of the event, made when it is the first of it. */
static Group *
group_of(const Query *query, Result *result, const Event *event)
{
	json_t	   *dimensions = event_dimensions(event);
	json_t	   *info = json_object();
	json_t	   *name;
	size_t		i;
	int			g;

	json_array_foreach(query->group_by, i, name)
	{
		const char *value = dimension_of(event, dimensions, json_text(name));

		json_object_set_new(info, json_text(name), json_string(value ? value : "undefined"));
	}
	json_decref(dimensions);
	for (g = 0; g < result->ngroups; g++)
	{
		if (json_equal(result->groups[g].info, info))
		{
			json_decref(info);
			return &result->groups[g];
		}
	}
	return add_group(result, info);
}

static void
add_to_cell(const Query *query, Cell *cell, const Event *event)
{
	bool		replace = cell->count++ == 0;

	if (!replace && strcmp(query->aggregation, "MAX") == 0)
		replace = decimal_compare(event->number, cell->value.data) > 0;
	else if (!replace && strcmp(query->aggregation, "MIN") == 0)
		replace = decimal_compare(event->number, cell->value.data) < 0;
	else if (!replace && strcmp(query->aggregation, "SUM") == 0)
		decimal_add(&cell->value, event->number);
	if (replace)
	{
		buffer_clear(&cell->value);
		buffer_puts(&cell->value, event->number);
	}
}

static Cell *
cell_at(const Result *result, Group *group, int64_t start)
{
	int64_t    *found = bsearch(&start, result->buckets, result->nbuckets,
								sizeof(int64_t), compare_times);

	return &group->cells[found - result->buckets];
}

/* False when the range has too many buckets. */
static bool
execute(const Query *query, Result *result)
{
	size_t		i;

	if (!make_buckets(query, result))
		return false;
	if (json_array_size(query->group_by) == 0)
		add_group(result, json_object());
	for (i = 0; i < events_count(); i++)
	{
		const Event *event = events_get(i);
		int64_t		start;

		if (!is_asked_for(query, event))
			continue;
		start = bucket_start(query->interval, event_seconds(event));
		add_to_cell(query, cell_at(result, group_of(query, result, event), start), event);
	}
	return true;
}

static void
result_free(Result *result)
{
	int			g;
	int			b;

	for (g = 0; g < result->ngroups; g++)
	{
		for (b = 0; b < result->nbuckets; b++)
			buffer_free(&result->groups[g].cells[b].value);
		free(result->groups[g].cells);
		json_decref(result->groups[g].info);
	}
	free(result->groups);
	free(result->buckets);
}

static json_t *
cell_value(const Query *query, const Cell *cell)
{
	if (cell->count == 0)
		return json_number(0);
	if (strcmp(query->aggregation, "COUNT") == 0)
		return json_number(cell->count);
	return json_number_from_text(cell->value.data);
}

static Interval
read_interval(const json_t *body)
{
	const char *name = json_member_text(body, "timeGroupingInterval", "");
	int			i;

	for (i = INTERVAL_HOUR; i < INTERVAL_MONTH; i++)
		if (strcmp(intervals[i], name) == 0)
			break;
	return (Interval) i;
}

/* The canonical name of an aggregation of any case; SUM by default. */
static const char *
read_aggregation(const json_t *body)
{
	const char *name = json_member_text(body, "aggregation", "SUM");
	int			i;

	for (i = 0; i < 3; i++)
		if (strcasecmp(live_aggregations[i], name) == 0)
			break;
	return live_aggregations[i];
}

/* One object a bucket: its starting time and its value. */
static json_t *
published_records(const Query *query, const Result *result, const Group *group)
{
	json_t	   *records = json_array();
	int			b;

	for (b = 0; b < result->nbuckets; b++)
	{
		json_t	   *record = json_object();
		Buffer		time = {0};

		buffer_printf(&time, "%" PRId64, result->buckets[b]);
		json_object_set_new(record, time.data, cell_value(query, &group->cells[b]));
		json_array_append_new(records, record);
		buffer_free(&time);
	}
	return records;
}

static json_t *
published_result(const Query *query, const Result *result)
{
	json_t	   *groups = json_array();
	json_t	   *meters = json_object();
	json_t	   *body = json_object();
	int			g;

	for (g = 0; g < result->ngroups; g++)
	{
		json_t	   *group = json_object();

		json_object_set(group, "groupInfo", result->groups[g].info);
		json_object_set_new(group, "records", published_records(query, result, &result->groups[g]));
		json_array_append_new(groups, group);
	}
	json_object_set_new(meters, query->meter, groups);
	json_object_set_new(body, "clientMeters", meters);
	return body;
}

void
usage_query(Request *req, Answer *ans)
{
	json_t	   *body = amberflo_body(req, ans, published_fields);
	Query		query = {0};
	Result		result = {0};

	if (body == NULL)
		return;
	query.meter = json_member_text(body, "meterApiName", "");
	query.aggregation = read_aggregation(body);
	query.interval = read_interval(body);
	query.start = json_member_int(body, "startTimeInSeconds", 0);
	query.end = json_member_int(body, "endTimeInSeconds", now_ms() / 1000 + 1);
	query.has_range = json_object_get(body, "startTimeInSeconds") != NULL;
	query.group_by = json_object_get(body, "groupBy");
	query.filter = json_object_get(body, "filter");
	query.customers = json_object_get(body, "customerFilter");
	if (query.has_range && query.end <= query.start)
		amberflo_error(ans, 400, "Invalid request: the time range is empty");
	else if (!execute(&query, &result))
		amberflo_error(ans, 400, "Invalid request: the time range has too many intervals");
	else
		answer_json(ans, 200, published_result(&query, &result));
	result_free(&result);
	json_decref(body);
}

/* The sum of a group's cells, which orders the groups. */
static void
group_value(const Query *query, const Result *result, const Group *group, Buffer *value)
{
	int			b;

	buffer_puts(value, "0");
	for (b = 0; b < result->nbuckets; b++)
	{
		json_t	   *cell = cell_value(query, &group->cells[b]);

		decimal_add(value, json_number_text(cell));
		json_decref(cell);
	}
}

static json_t *
live_values(const Query *query, const Result *result, const Group *group)
{
	json_t	   *values = json_array();
	int			b;

	for (b = 0; b < result->nbuckets; b++)
	{
		json_t	   *value;

		if (query->sparse && group->cells[b].count == 0)
			continue;
		value = json_object();
		json_object_set_new(value, "percentageFromPrevious", json_number(0));
		json_object_set_new(value, "value", cell_value(query, &group->cells[b]));
		json_object_set_new(value, "secondsSinceEpochUtc", json_number(result->buckets[b]));
		json_array_append_new(values, value);
	}
	return values;
}

static json_t *
live_group(const Query *query, const Result *result, const Group *group)
{
	json_t	   *out = json_object();
	json_t	   *info = json_object();
	Buffer		value = {0};

	group_value(query, result, group, &value);
	json_object_set(info, "groupInfo", group->info);
	json_object_set_new(out, "group", info);
	json_object_set_new(out, "groupValue", json_number_from_text(value.data));
	json_object_set_new(out, "values", live_values(query, result, group));
	buffer_free(&value);
	return out;
}

/* Put the group where its value belongs. */
static void
insert_ordered(json_t *groups, json_t *group, bool ascending)
{
	const char *value = json_number_text(json_object_get(group, "groupValue"));
	size_t		i;

	for (i = 0; i < json_array_size(groups); i++)
	{
		json_t	   *other = json_object_get(json_array_get(groups, i), "groupValue");
		int			order = decimal_compare(value, json_number_text(other));

		if (ascending ? order < 0 : order > 0)
			break;
	}
	json_array_insert_new(groups, i, group);
}

static json_t *
live_result(const Query *query, const Result *result, const json_t *take)
{
	json_t	   *body = json_object();
	json_t	   *times = json_array();
	json_t	   *groups = json_array();
	int64_t		limit = json_member_int(take, "limit", INT64_MAX);
	int			i;

	for (i = 0; i < result->nbuckets; i++)
		json_array_append_new(times, json_number(result->buckets[i]));
	for (i = 0; i < result->ngroups; i++)
		insert_ordered(groups, live_group(query, result, &result->groups[i]),
					   json_is_true(json_object_get(take, "isAscending")));
	while ((int64_t) json_array_size(groups) > limit && limit >= 0)
		json_array_remove(groups, json_array_size(groups) - 1);
	json_object_set_new(body, "metadata", json_object());
	json_object_set_new(body, "secondsSinceEpochIntervals", times);
	json_object_set_new(body, "clientMeters", groups);
	return body;
}

static void
live_query(Request *req, Answer *ans, bool sparse)
{
	json_t	   *body = amberflo_body(req, ans, live_fields);
	json_t	   *range;
	Query		query = {0};
	Result		result = {0};

	if (body == NULL)
		return;
	range = json_object_get(body, "timeRange");
	query.meter = json_member_text(body, "meterApiName", "");
	query.aggregation = read_aggregation(body);
	query.interval = read_interval(body);
	query.has_range = true;
	query.start = json_member_int(range, "startTimeInSeconds", 0);
	query.end = json_member_int(range, "endTimeInSeconds", now_ms() / 1000 + 1);
	query.group_by = json_object_get(body, "groupBy");
	query.filter = json_object_get(body, "filter");
	query.sparse = sparse;
	if (query.end <= query.start)
		amberflo_error(ans, 400, "Invalid request: the time range is empty");
	else if (!execute(&query, &result))
		amberflo_error(ans, 400, "Invalid request: the time range has too many intervals");
	else
		answer_json(ans, 200, live_result(&query, &result, json_object_get(body, "take")));
	result_free(&result);
	json_decref(body);
}

void
usage_query_live(Request *req, Answer *ans)
{
	live_query(req, ans, false);
}

/* The same without the zeros. */
void
usage_query_sparse(Request *req, Answer *ans)
{
	live_query(req, ans, true);
}
