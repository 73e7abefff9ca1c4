/*
 * ledger.c
 *	  Every request as it came, and how it was answered.
 *
 * An entry is one block of memory.  Entries are numbered from 1 without gaps,
 * so that the number finds the entry.  Secrets are kept like everything else:
 * it is a test's ledger.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "ledger.h"

typedef struct Entry
{
	uint64_t	connection_id;
	int64_t		time_us;		/* monotonic */
	int			status;			/* 0: not answered */
	bool		complete;		/* the whole request came */
	const char *fault;
	const char *method;
	const char *target;
	const char *version;
	const char *body;
	size_t		body_len;
	int			nheaders;
	Pair		headers[];
} Entry;

static Entry **entries;			/* a window [first, first + count) is in use */
static size_t first;
static size_t count;
static size_t size;
static uint64_t total;			/* entries ever noted; the newest one's seq */
static uint64_t cleared;		/* how many of them came before the last clear */
static uint64_t under_way;		/* requests without an answer yet */
static uint64_t busiest;		/* the most of them at a time since then */

static size_t
entry_size(const Request *req)
{
	size_t		bytes = sizeof(Entry) + req->headers.count * sizeof(Pair);
	int			i;

	bytes += strlen(req->method) + strlen(req->target) + strlen(req->version) + 3;
	for (i = 0; i < req->headers.count; i++)
		bytes += req->headers.items[i].name_len + req->headers.items[i].value_len + 2;
	return bytes + req->body.len + 1;
}

/* Copy into the block behind the entry. */
static const char *
pack(char **where, const char *text, size_t len)
{
	char	   *copy = *where;

	if (len > 0)
		memcpy(copy, text, len);
	copy[len] = '\0';
	*where += len + 1;
	return copy;
}

static Entry *
entry_new(const Request *req)
{
	Entry	   *entry = need_grow(NULL, entry_size(req));
	char	   *where;
	int			i;

	where = (char *) &entry->headers[req->headers.count];
	entry->connection_id = req->connection_id;
	entry->time_us = monotonic_us();
	entry->status = 0;
	entry->fault = NULL;
	entry->nheaders = req->headers.count;
	entry->method = pack(&where, req->method, strlen(req->method));
	entry->target = pack(&where, req->target, strlen(req->target));
	entry->version = pack(&where, req->version, strlen(req->version));
	for (i = 0; i < req->headers.count; i++)
	{
		const Pair *header = &req->headers.items[i];

		entry->headers[i].name = pack(&where, header->name, header->name_len);
		entry->headers[i].name_len = header->name_len;
		entry->headers[i].value = pack(&where, header->value, header->value_len);
		entry->headers[i].value_len = header->value_len;
	}
	entry->body = pack(&where, req->body.data, req->body.len);
	entry->body_len = req->body.len;
	return entry;
}

static void
drop_oldest(void)
{
	free(entries[first]);
	first++;
	count--;
}

/* Room for one more at the end: move the window down, or grow. */
static void
make_room(void)
{
	if (first + count < size)
		return;
	if (first > size / 2)
	{
		memmove(entries, entries + first, count * sizeof(Entry *));
		first = 0;
		return;
	}
	size = size ? size * 2 : 1024;
	entries = need_grow(entries, size * sizeof(Entry *));
}

void
ledger_add(Request *req, bool complete)
{
	req->seq = ++total;
	req->recorded = true;
	req->open = complete;
	under_way += complete;
	if (under_way > busiest)
		busiest = under_way;
	if (settings.ledger_limit == 0)
		return;
	make_room();
	entries[first + count] = entry_new(req);
	entries[first + count]->complete = complete;
	count++;
	while (settings.ledger_limit > 0 && count > (uint64_t) settings.ledger_limit)
		drop_oldest();
}

void
ledger_over(Request *req)
{
	under_way -= req->open;
	req->open = false;
}

static Entry *
find_entry(uint64_t seq)
{
	if (seq > total || seq + count <= total)
		return NULL;
	return entries[first + count - 1 - (total - seq)];
}

void
ledger_answered(uint64_t seq, int status)
{
	Entry	   *entry = find_entry(seq);

	if (entry)
		entry->status = status;
}

/* The name must be a constant. */
void
ledger_fault(uint64_t seq, const char *fault)
{
	Entry	   *entry = find_entry(seq);

	if (entry)
		entry->fault = fault;
}

/* Text as a JSON string, or {"base64": …} when it is not UTF-8. */
static void
write_text(Buffer *buf, const char *text, size_t len)
{
	if (utf8_valid(text, len))
	{
		buffer_json_string(buf, text, len);
		return;
	}
	buffer_puts(buf, "{\"base64\":\"");
	buffer_base64(buf, text, len);
	buffer_puts(buf, "\"}");
}

static void
write_headers(Buffer *buf, const Entry *entry)
{
	int			i;

	buffer_puts(buf, ",\"headers\":[");
	for (i = 0; i < entry->nheaders; i++)
	{
		const Pair *header = &entry->headers[i];

		buffer_puts(buf, i ? ",[" : "[");
		write_text(buf, header->name, header->name_len);
		buffer_puts(buf, ",");
		write_text(buf, header->value, header->value_len);
		buffer_puts(buf, "]");
	}
	buffer_puts(buf, "]");
}

static void
write_entry(Buffer *buf, const Entry *entry, uint64_t seq)
{
	buffer_printf(buf, "{\"seq\":%" PRIu64 ",\"connection\":%" PRIu64 ",\"time_us\":%" PRId64,
				  seq, entry->connection_id, entry->time_us);
	buffer_puts(buf, ",\"method\":");
	write_text(buf, entry->method, strlen(entry->method));
	buffer_puts(buf, ",\"target\":");
	write_text(buf, entry->target, strlen(entry->target));
	buffer_puts(buf, ",\"version\":");
	write_text(buf, entry->version, strlen(entry->version));
	write_headers(buf, entry);
	buffer_puts(buf, ",\"body_base64\":\"");
	buffer_base64(buf, entry->body, entry->body_len);
	buffer_puts(buf, "\",\"body\":");
	if (utf8_valid(entry->body, entry->body_len))
		buffer_json_string(buf, entry->body, entry->body_len);
	else
		buffer_puts(buf, "null");
	buffer_printf(buf, ",\"complete\":%s,\"status\":", entry->complete ? "true" : "false");
	if (entry->status)
		buffer_printf(buf, "%d", entry->status);
	else
		buffer_puts(buf, "null");
	buffer_printf(buf, entry->fault ? ",\"fault\":\"%s\"}" : ",\"fault\":null}", entry->fault);
}

void
ledger_write(Buffer *buf, uint64_t since, const char *prefix)
{
	uint64_t	oldest = total - count + 1;
	uint64_t	seq = since > oldest ? since : oldest;
	bool		some = false;

	buffer_puts(buf, "[");
	for (; seq <= total && count > 0; seq++)
	{
		const Entry *entry = find_entry(seq);

		if (prefix && strncmp(entry->target, prefix, strlen(prefix)) != 0)
			continue;
		if (some)
			buffer_puts(buf, ",\n");
		some = true;
		write_entry(buf, entry, seq);
	}
	buffer_puts(buf, "]");
}

/* Forget the entries; the numbering goes on, since answers may be outstanding. */
void
ledger_clear(void)
{
	while (count > 0)
		drop_oldest();
	first = 0;
	cleared = total;
	busiest = under_way;
}

/* How many requests were noted since the last clear. */
uint64_t
ledger_total(void)
{
	return total - cleared;
}

uint64_t
ledger_kept(void)
{
	return count;
}

uint64_t
ledger_busiest(void)
{
	return busiest;
}
