/*
 * faults.c
 *	  Failures on demand for the next calls of a path.
 *
 * A fault names the paths and calls it hits, says whether the request takes
 * effect all the same, and spoils the answer.
 */
#define _GNU_SOURCE				/* memmem */
#include <stdlib.h>
#include <string.h>

#include <zlib.h>

#include "faults.h"
#include "json.h"

#define DEFAULT_BYTES (100 * 1024 * 1024)

typedef void (*Spoiler) (const Fault *fault, Request *req, Answer *ans);

typedef struct FaultKind
{
	const char *name;
	bool		takes_in;		/* unless the fault says otherwise */
	Spoiler		spoil;
} FaultKind;

struct Fault
{
	Fault	   *next;
	const FaultKind *kind;
	json_t	   *options;		/* as they were posted */
	const char *path;
	const char *method;
	const char *contains;
	int64_t		skip;			/* calls that pass unharmed first */
	int64_t		count;			/* calls left */
	bool		takes_in;
};

static Fault *faults;
static Fault *last_taken;		/* used up, freed at the next call */

static void
set_headers(const Fault *fault, Answer *ans)
{
	json_t	   *headers = json_object_get(fault->options, "headers");
	const char *name;
	json_t	   *value;
	size_t		i;

	json_object_foreach(headers, name, value)
		if (json_text(value))
			answer_header(ans, name, json_text(value));
	json_array_foreach(headers, i, value)
	{
		const char *pair_name = json_text(json_array_get(value, 0));
		const char *pair_value = json_text(json_array_get(value, 1));

		if (pair_name && pair_value)
			answer_header(ans, pair_name, pair_value);
	}
}

/* What all answers have in common: status, headers and body as posted. */
static void
set_answer(const Fault *fault, Answer *ans)
{
	const char *body = json_member_text(fault->options, "body", NULL);

	ans->status = json_member_int(fault->options, "status", ans->status);
	ans->type = json_member_text(fault->options, "type", ans->type);
	set_headers(fault, ans);
	if (body)
	{
		buffer_clear(&ans->body);
		buffer_puts(&ans->body, body);
	}
}

static void
spoil_status(const Fault *fault, Request *req, Answer *ans)
{
	(void) req;
	ans->status = 500;
	ans->type = "application/json";
	buffer_clear(&ans->body);
	buffer_puts(&ans->body, "{\"message\":\"Internal server error\"}");
	set_answer(fault, ans);
	ans->volatile_answer = ans->status < 500;
}

static void
spoil_reset(const Fault *fault, Request *req, Answer *ans)
{
	(void) fault, (void) req;
	ans->delivery = DELIVER_RESET;
}

static void
spoil_close(const Fault *fault, Request *req, Answer *ans)
{
	(void) fault, (void) req;
	ans->delivery = DELIVER_CLOSE;
}

static void
spoil_slow(const Fault *fault, Request *req, Answer *ans)
{
	set_answer(fault, ans);
	req->delay_ms = json_member_int(fault->options, "ms", 1000);
}

static void
spoil_hold(const Fault *fault, Request *req, Answer *ans)
{
	set_answer(fault, ans);
	req->delay_ms = -1;
}

static void
spoil_truncated(const Fault *fault, Request *req, Answer *ans)
{
	(void) req;
	set_answer(fault, ans);
	ans->delivery = DELIVER_TRUNCATED;
}

static void
spoil_oversized(const Fault *fault, Request *req, Answer *ans)
{
	(void) req;
	ans->type = "application/json";
	set_answer(fault, ans);
	ans->delivery = DELIVER_GENERATED;
	ans->generated_bytes = json_member_int(fault->options, "bytes", DEFAULT_BYTES);
}

static void
spoil_not_json(const Fault *fault, Request *req, Answer *ans)
{
	(void) req;
	ans->type = "application/json";
	buffer_clear(&ans->body);
	buffer_puts(&ans->body, "<html><body>It works!</body></html>");
	set_answer(fault, ans);
}

/* A JSON string of so many bytes, packed. */
static void
spoil_gzip_bomb(const Fault *fault, Request *req, Answer *ans)
{
	int64_t		left = json_member_int(fault->options, "bytes", DEFAULT_BYTES);
	char		chunk[16384];
	z_stream	stream = {0};
	int			code = Z_OK;

	(void) req;
	memset(chunk, 'a', sizeof(chunk));
	chunk[0] = '"';
	buffer_clear(&ans->body);
	deflateInit2(&stream, 9, Z_DEFLATED, 15 + 16, 9, Z_DEFAULT_STRATEGY);
	while (code == Z_OK)
	{
		if (stream.avail_in == 0 && left > 0)
		{
			if (left <= (int64_t) sizeof(chunk))
				chunk[left - 1] = '"';
			stream.avail_in = left < (int64_t) sizeof(chunk) ? left : (int64_t) sizeof(chunk);
			stream.next_in = (Bytef *) chunk;
			left -= stream.avail_in;
		}
		buffer_reserve(&ans->body, sizeof(chunk));
		stream.next_out = (Bytef *) ans->body.data + ans->body.len;
		stream.avail_out = ans->body.size - ans->body.len - 1;
		code = deflate(&stream, left > 0 || stream.avail_in > 0 ? Z_NO_FLUSH : Z_FINISH);
		ans->body.len = (char *) stream.next_out - ans->body.data;
		if (stream.avail_in == 0)
			chunk[0] = 'a';
	}
	deflateEnd(&stream);
	ans->type = "application/json";
	answer_header(ans, "Content-Encoding", "gzip");
	set_answer(fault, ans);
}

static void
spoil_latin1(const Fault *fault, Request *req, Answer *ans)
{
	(void) req;
	ans->type = "application/json";
	buffer_clear(&ans->body);
	buffer_puts(&ans->body, "{\"message\":\"caf\xe9\"}");
	set_answer(fault, ans);
}

static const FaultKind kinds[] = {
	{"status", false, spoil_status},
	{"reset_before", false, spoil_reset},
	{"reset_after", true, spoil_reset},
	{"close_before", false, spoil_close},
	{"close_after", true, spoil_close},
	{"slow", true, spoil_slow},
	{"hold", true, spoil_hold},
	{"truncated", true, spoil_truncated},
	{"oversized", true, spoil_oversized},
	{"not_json", true, spoil_not_json},
	{"gzip_bomb", true, spoil_gzip_bomb},
	{"latin1", true, spoil_latin1},
	{NULL, false, NULL}
};

static const FaultKind *
find_kind(const char *name)
{
	const FaultKind *kind;

	for (kind = kinds; kind->name; kind++)
		if (strcmp(kind->name, name) == 0)
			return kind;
	return NULL;
}

static void
fault_free(Fault *fault)
{
	if (fault == NULL)
		return;
	json_decref(fault->options);
	free(fault);
}

static const Field fault_fields[] = {
	{"path", FIELD_STRING, true, NULL, NULL},
	{"fault", FIELD_STRING, true, NULL, NULL},
	{"method", FIELD_STRING, false, NULL, NULL},
	{"contains", FIELD_STRING, false, NULL, NULL},
	{"count", FIELD_INTEGER, false, NULL, NULL},
	{"skip", FIELD_INTEGER, false, NULL, NULL},
	{"status", FIELD_INTEGER, false, NULL, NULL},
	{"body", FIELD_STRING, false, NULL, NULL},
	{"type", FIELD_STRING, false, NULL, NULL},
	{"ms", FIELD_INTEGER, false, NULL, NULL},
	{"bytes", FIELD_INTEGER, false, NULL, NULL},
	{"taken", FIELD_BOOLEAN, false, NULL, NULL},
	{NULL, 0, false, NULL, NULL}
};

/* Append to the list, so that faults come in the order in which they were posted. */
static void
fault_append(json_t *options, const FaultKind *kind)
{
	Fault	   *fault = need_alloc(sizeof(Fault));
	Fault	  **link = &faults;
	json_t	   *taken = json_object_get(options, "taken");

	fault->options = json_incref(options);
	fault->kind = kind;
	fault->path = json_member_text(options, "path", "");
	fault->method = json_member_text(options, "method", NULL);
	fault->contains = json_member_text(options, "contains", NULL);
	fault->skip = json_member_int(options, "skip", 0);
	fault->count = json_member_int(options, "count", 1);
	fault->takes_in = taken ? json_is_true(taken) : kind->takes_in;
	while (*link)
		link = &(*link)->next;
	*link = fault;
}

void
faults_post(Request *req, Answer *ans)
{
	Buffer		problem = {0};
	json_t	   *options = json_read(req->body.data, req->body.len, &problem);
	const FaultKind *kind = NULL;

	if (options && json_check(options, fault_fields, NULL, &problem))
	{
		kind = find_kind(json_member_text(options, "fault", ""));
		if (kind == NULL)
			buffer_puts(&problem, "unknown fault");
	}
	if (kind)
	{
		fault_append(options, kind);
		answer_text(ans, 200, "application/json", "{}");
	}
	else
		answer_text(ans, 400, "text/plain", "%s\n", problem.data);
	json_decref(options);
	buffer_free(&problem);
}

void
faults_get(Request *req, Answer *ans)
{
	json_t	   *list = json_array();
	const Fault *fault;

	(void) req;
	for (fault = faults; fault; fault = fault->next)
	{
		json_t	   *item = json_copy(fault->options);

		json_object_set_new(item, "count", json_number(fault->count));
		json_object_set_new(item, "skip", json_number(fault->skip));
		json_array_append_new(list, item);
	}
	answer_json(ans, 200, list);
}

void
faults_clear(void)
{
	while (faults)
	{
		Fault	   *next = faults->next;

		fault_free(faults);
		faults = next;
	}
}

void
faults_delete(Request *req, Answer *ans)
{
	(void) req;
	faults_clear();
	answer_text(ans, 200, "application/json", "{}");
}

/* A path is met by itself, or by a prefix that ends with "*". */
static bool
path_is_hit(const char *pattern, const char *path)
{
	size_t		len = strlen(pattern);

	if (len > 0 && pattern[len - 1] == '*')
		return strncmp(pattern, path, len - 1) == 0;
	return strcmp(pattern, path) == 0;
}

static bool
is_hit(const Fault *fault, const Request *req)
{
	if (fault->method && strcmp(fault->method, req->method) != 0)
		return false;
	if (!path_is_hit(fault->path, req->path))
		return false;
	if (fault->contains == NULL)
		return true;
	return req->body.len > 0 &&
		memmem(req->body.data, req->body.len, fault->contains, strlen(fault->contains)) != NULL;
}

const Fault *
faults_take(const Request *req)
{
	Fault	  **link;

	fault_free(last_taken);
	last_taken = NULL;
	for (link = &faults; *link; link = &(*link)->next)
	{
		Fault	   *fault = *link;

		if (!is_hit(fault, req))
			continue;
		if (fault->skip > 0)
		{
			fault->skip--;
			continue;
		}
		if (--fault->count <= 0)
		{
			*link = fault->next;
			last_taken = fault;
		}
		return fault;
	}
	return NULL;
}

const char *
fault_name(const Fault *fault)
{
	return fault->kind->name;
}

bool
fault_takes_in(const Fault *fault)
{
	return fault->takes_in;
}

void
fault_apply(const Fault *fault, Request *req, Answer *ans)
{
	fault->kind->spoil(fault, req, ans);
}
