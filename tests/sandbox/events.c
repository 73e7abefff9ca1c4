/*
 * events.c
 *	  The meter events that Amberflo took in.
 *
 * An event's identity is the whole of it: two are the same only when every
 * member is.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "events.h"

static Event **events;
static size_t count;
static size_t size;
static uint64_t total;
static size_t settled;			/* events before this one are settled */

/* Settled events by identity: open addressing, a power of two. */
static const Event **table;
static size_t table_size;
static size_t table_used;

static uint64_t
hash_bytes(uint64_t hash, const char *text)
{
	for (;; text++)
	{
		hash = (hash ^ (unsigned char) *text) * UINT64_C(1099511628211);
		if (*text == '\0')
			return hash;
	}
}

/* FNV-1a over all members. */
static uint64_t
event_hash(const Event *event)
{
	uint64_t	hash = UINT64_C(14695981039346656037) ^ (uint64_t) event->time_ms;

	hash = hash_bytes(hash, event->meter);
	hash = hash_bytes(hash, event->customer);
	hash = hash_bytes(hash, event->unique_id);
	hash = hash_bytes(hash, event->number);
	hash = hash_bytes(hash, event->dimensions);
	return hash ^ hash >> 29;
}

static bool
same_event(const Event *a, const Event *b)
{
	return a->hash == b->hash && a->time_ms == b->time_ms &&
		strcmp(a->meter, b->meter) == 0 && strcmp(a->customer, b->customer) == 0 &&
		strcmp(a->unique_id, b->unique_id) == 0 && strcmp(a->number, b->number) == 0 &&
		strcmp(a->dimensions, b->dimensions) == 0;
}

static const char *
pack(char **where, const char *text)
{
	size_t		len = strlen(text) + 1;
	char	   *copy = memcpy(*where, text, len);

	*where += len;
	return copy;
}

static Event *
event_copy(const Event *event)
{
	Event	   *copy;
	char	   *where;

	copy = need_alloc(sizeof(Event) + strlen(event->meter) + strlen(event->customer) +
					  strlen(event->unique_id) + strlen(event->value) +
					  strlen(event->number) + strlen(event->dimensions) + 6);
	where = (char *) (copy + 1);
	*copy = *event;
	copy->meter = pack(&where, event->meter);
	copy->customer = pack(&where, event->customer);
	copy->unique_id = pack(&where, event->unique_id);
	copy->value = pack(&where, event->value);
	copy->number = pack(&where, event->number);
	copy->dimensions = pack(&where, event->dimensions);
	copy->hash = event_hash(copy);
	return copy;
}

void
events_add(const Event *event)
{
	total++;
	if (settings.event_limit >= 0 && count >= (uint64_t) settings.event_limit)
		return;
	if (count == size)
	{
		size = size ? size * 2 : 1024;
		events = need_grow(events, size * sizeof(Event *));
	}
	events[count++] = event_copy(event);
}

size_t
events_count(void)
{
	return count;
}

const Event *
events_get(size_t i)
{
	return events[i];
}

uint64_t
events_total(void)
{
	return total;
}

static void
table_put(const Event *event)
{
	size_t		slot = event->hash & (table_size - 1);

	while (table[slot])
		slot = (slot + 1) & (table_size - 1);
	table[slot] = event;
	table_used++;
}

static void
table_grow(void)
{
	const Event **old = table;
	size_t		old_size = table_size;
	size_t		i;

	table_size = old_size ? old_size * 2 : 4096;
	table = need_alloc(table_size * sizeof(Event *));
	table_used = 0;
	for (i = 0; i < old_size; i++)
		if (old[i])
			table_put(old[i]);
	free(old);
}

/* The settled event that is the same and not taken back, or NULL. */
static Event *
table_find(const Event *event)
{
	size_t		slot;

	if (table_size == 0)
		return NULL;
	slot = event->hash & (table_size - 1);
	for (; table[slot]; slot = (slot + 1) & (table_size - 1))
		if (same_event(table[slot], event) && !table[slot]->cancelled)
			return (Event *) table[slot];
	return NULL;
}

static void
settle_one(Event *event)
{
	Event	   *same = table_find(event);

	event->settled = true;
	if (event->cancels)
	{
		if (same)
			same->cancelled = true;
		return;
	}
	event->duplicate = same != NULL;
	if (same)
		return;
	if (table_used * 2 >= table_size)
		table_grow();
	table_put(event);
}

/* Post-process the events that came since the last time. */
void
events_settle(void)
{
	while (settled < count)
		settle_one(events[settled++]);
}

void
events_clear(void)
{
	while (count > 0)
		free(events[--count]);
	free(table);
	table = NULL;
	table_size = table_used = 0;
	settled = 0;
	total = 0;
}

bool
event_counts_settled(const Event *event)
{
	return event->settled && !event->duplicate && !event->cancelled && !event->cancels;
}

bool
event_counts(const Event *event)
{
	return !event->settled || event_counts_settled(event);
}

static void
write_member(Buffer *buf, const char *name, const char *text)
{
	if (text[0] == '\0')
		return;
	buffer_printf(buf, "\"%s\":", name);
	buffer_json_string(buf, text, strlen(text));
	buffer_puts(buf, ",");
}

static void
write_event(Buffer *buf, const Event *event)
{
	buffer_puts(buf, "{");
	write_member(buf, "meterApiName", event->meter);
	write_member(buf, "customerId", event->customer);
	write_member(buf, "uniqueId", event->unique_id);
	if (event->has_value)
		buffer_printf(buf, "\"meterValue\":%s,", event->value);
	if (event->dimensions[0])
		buffer_printf(buf, "\"dimensions\":%s,", event->dimensions);
	buffer_printf(buf, "\"meterTimeInMillis\":%" PRId64 ",\"receivedTimeInMillis\":%" PRId64,
				  event->time_ms, event->received_ms);
	buffer_printf(buf, ",\"settled\":%s,\"duplicate\":%s,\"cancelled\":%s,\"cancels\":%s}",
				  event->settled ? "true" : "false", event->duplicate ? "true" : "false",
				  event->cancelled ? "true" : "false", event->cancels ? "true" : "false");
}

/* All of them, as a JSON array. */
void
events_write(Buffer *buf)
{
	size_t		i;

	buffer_puts(buf, "[");
	for (i = 0; i < count; i++)
	{
		if (i > 0)
			buffer_puts(buf, ",\n");
		write_event(buf, events[i]);
	}
	buffer_puts(buf, "]");
}
