/*
 * request.c
 *	  One request: its memory, its headers, query and body.
 *
 * Everything that belongs to a request lives in its arena and is freed with
 * it; only the body grows in a buffer of its own.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <zlib.h>

#include "sandbox.h"

#define ARENA_CHUNK 4000

struct Arena
{
	Arena	   *next;
	size_t		used;
	size_t		size;
	char		data[];
};

static Arena *
arena_chunk(Arena *next, size_t size)
{
	Arena	   *arena = need_grow(NULL, sizeof(Arena) + size);

	arena->next = next;
	arena->used = 0;
	arena->size = size;
	return arena;
}

/* Zeroed memory that lives as long as the request. */
void *
request_alloc(Request *req, size_t size)
{
	Arena	   *arena = req->arena;
	void	   *chunk;

	size = (size + 15) & ~(size_t) 15;
	if (arena == NULL || arena->size - arena->used < size)
	{
		arena = arena_chunk(arena, size > ARENA_CHUNK ? size : ARENA_CHUNK);
		req->arena = arena;
	}
	chunk = arena->data + arena->used;
	arena->used += size;
	return memset(chunk, 0, size);
}

const char *
request_copy(Request *req, const char *text, size_t len)
{
	char	   *copy = request_alloc(req, len + 1);

	memcpy(copy, text, len);
	return copy;
}

/* Split off the path and decode the query; both stay empty when malformed. */
static void
split_target(Request *req)
{
	const char *mark = strchr(req->target, '?');

	if (mark == NULL)
	{
		req->path = req->target;
		return;
	}
	req->path = request_copy(req, req->target, mark - req->target);
	form_decode(req, mark + 1, strlen(mark + 1), &req->query);
}

Request *
request_new(const char *target)
{
	Request    *req = need_alloc(sizeof(Request));

	req->target = request_copy(req, target, strlen(target));
	split_target(req);
	return req;
}

void
request_free(Request *req)
{
	while (req->arena)
	{
		Arena	   *next = req->arena->next;

		free(req->arena);
		req->arena = next;
	}
	buffer_free(&req->body);
	answer_free(&req->answer);
	free(req);
}

void
pairs_add(Request *req, Pairs *pairs, Pair pair)
{
	if (pairs->count == pairs->size)
	{
		int			size = pairs->size ? pairs->size * 2 : 16;
		Pair	   *items = request_alloc(req, size * sizeof(Pair));

		if (pairs->count > 0)
			memcpy(items, pairs->items, pairs->count * sizeof(Pair));
		pairs->items = items;
		pairs->size = size;
	}
	pairs->items[pairs->count++] = pair;
}

/* The first header of that name, or NULL. */
const char *
request_header(const Request *req, const char *name)
{
	int			i;

	for (i = 0; i < req->headers.count; i++)
		if (strcasecmp(req->headers.items[i].name, name) == 0)
			return req->headers.items[i].value;
	return NULL;
}

/* The first query parameter of that name, or NULL. */
const char *
request_query(const Request *req, const char *name)
{
	int			i;

	for (i = 0; i < req->query.count; i++)
		if (strcmp(req->query.items[i].name, name) == 0)
			return req->query.items[i].value;
	return NULL;
}

/* Whether the Content-Type is that media type, parameters aside. */
bool
request_type_is(const Request *req, const char *type)
{
	const char *header = request_header(req, "Content-Type");
	size_t		len = strlen(type);

	if (header == NULL || strncasecmp(header, type, len) != 0)
		return false;
	return header[len] == '\0' || header[len] == ';' || header[len] == ' ';
}

static int
hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/*
 * Decode percent escapes, and in a form the '+'; false for a broken escape,
 * and for what is not UTF-8 without NUL.
 */
static bool
unescape(Request *req, const char *text, size_t len, bool in_form, const char **out)
{
	char	   *copy = request_alloc(req, len + 1);
	size_t		used = 0;
	size_t		i;

	for (i = 0; i < len; i++)
	{
		char		c = text[i];

		if (c == '+' && in_form)
			c = ' ';
		else if (c == '%')
		{
			if (i + 2 >= len || hex_digit(text[i + 1]) < 0 || hex_digit(text[i + 2]) < 0)
				return false;
			c = hex_digit(text[i + 1]) * 16 + hex_digit(text[i + 2]);
			i += 2;
		}
		copy[used++] = c;
	}
	*out = copy;
	return strlen(copy) == used && utf8_valid(copy, used);
}

/* A segment of a path, decoded; NULL when it cannot be. */
const char *
path_decode(Request *req, const char *text, size_t len)
{
	const char *decoded;

	return unescape(req, text, len, false, &decoded) ? decoded : NULL;
}

/*
 * Decode application/x-www-form-urlencoded text into pairs, in order.  False
 * when an escape is broken or a name or value is not UTF-8 without NUL.
 */
bool
form_decode(Request *req, const char *text, size_t len, Pairs *pairs)
{
	const char *end = text + len;

	while (text < end)
	{
		const char *stop = memchr(text, '&', end - text);
		const char *equals;
		Pair		pair = {"", 0, "", 0};

		if (stop == NULL)
			stop = end;
		equals = memchr(text, '=', stop - text);
		if (!unescape(req, text, (equals ? equals : stop) - text, true, &pair.name))
			return false;
		if (equals && !unescape(req, equals + 1, stop - equals - 1, true, &pair.value))
			return false;
		pair.name_len = strlen(pair.name);
		pair.value_len = strlen(pair.value);
		if (stop > text)
			pairs_add(req, pairs, pair);
		text = stop + 1;
	}
	return true;
}

/* Unpack a gzip body; false when it is none or grows beyond the body limit. */
bool
request_inflate(const Request *req, Buffer *out)
{
	z_stream	stream = {0};
	int			code = Z_OK;

	if (inflateInit2(&stream, 15 + 16) != Z_OK)
		return false;
	stream.next_in = (Bytef *) req->body.data;
	stream.avail_in = req->body.len;
	while (code == Z_OK && out->len <= settings.max_body)
	{
		buffer_reserve(out, 64 * 1024);
		stream.next_out = (Bytef *) out->data + out->len;
		stream.avail_out = out->size - out->len - 1;
		code = inflate(&stream, Z_NO_FLUSH);
		out->len = (char *) stream.next_out - out->data;
		out->data[out->len] = '\0';
	}
	inflateEnd(&stream);
	return code == Z_STREAM_END && stream.avail_in == 0 && out->len <= settings.max_body;
}
