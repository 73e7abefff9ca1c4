/*
 * buffer.c
 *	  Growing byte strings, and the few encodings written into them.
 */
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buffer.h"

static void
out_of_memory(void)
{
	fputs("sandbox: out of memory\n", stderr);
	abort();
}

void *
need_alloc(size_t size)
{
	void	   *chunk = calloc(1, size ? size : 1);

	if (chunk == NULL)
		out_of_memory();
	return chunk;
}

/* A chunk of another size with the same beginning. */
void *
need_grow(void *chunk, size_t size)
{
	chunk = realloc(chunk, size);
	if (chunk == NULL)
		out_of_memory();
	return chunk;
}

char *
need_copy(const char *text, size_t len)
{
	char	   *copy = need_alloc(len + 1);

	if (len > 0)
		memcpy(copy, text, len);
	return copy;
}

void
buffer_free(Buffer *buf)
{
	free(buf->data);
	memset(buf, 0, sizeof(*buf));
}

void
buffer_clear(Buffer *buf)
{
	buf->len = 0;
	if (buf->data)
		buf->data[0] = '\0';
}

void
buffer_reserve(Buffer *buf, size_t more)
{
	size_t		size = buf->size ? buf->size : 256;

	if (buf->data && buf->len + more < buf->size)
		return;
	while (size <= buf->len + more)
		size *= 2;
	buf->data = need_grow(buf->data, size);
	buf->size = size;
}

void
buffer_add(Buffer *buf, const void *bytes, size_t len)
{
	buffer_reserve(buf, len);
	if (len > 0)
		memcpy(buf->data + buf->len, bytes, len);
	buf->len += len;
	buf->data[buf->len] = '\0';
}

void
buffer_puts(Buffer *buf, const char *text)
{
	buffer_add(buf, text, strlen(text));
}

void
buffer_printf(Buffer *buf, const char *fmt,...)
{
	va_list		args;
	int			len;

	buffer_reserve(buf, 128);
	va_start(args, fmt);
	len = vsnprintf(buf->data + buf->len, buf->size - buf->len, fmt, args);
	va_end(args);
	if (len < 0)
		return;
	if ((size_t) len >= buf->size - buf->len)
	{
		buffer_reserve(buf, len + 1);
		va_start(args, fmt);
		vsnprintf(buf->data + buf->len, buf->size - buf->len, fmt, args);
		va_end(args);
	}
	buf->len += len;
}

static void
json_escape(Buffer *buf, unsigned char c)
{
	switch (c)
	{
		case '"':
			buffer_add(buf, "\\\"", 2);
			break;
		case '\\':
			buffer_add(buf, "\\\\", 2);
			break;
		case '\n':
			buffer_add(buf, "\\n", 2);
			break;
		case '\r':
			buffer_add(buf, "\\r", 2);
			break;
		case '\t':
			buffer_add(buf, "\\t", 2);
			break;
		default:
			buffer_printf(buf, "\\u%04x", c);
			break;
	}
}

void
buffer_json_string(Buffer *buf, const char *text, size_t len)
{
	size_t		start = 0;
	size_t		i;

	buffer_reserve(buf, len + 2);
	buffer_add(buf, "\"", 1);
	for (i = 0; i < len; i++)
	{
		unsigned char c = text[i];

		if (c >= 0x20 && c != '"' && c != '\\')
			continue;
		buffer_add(buf, text + start, i - start);
		json_escape(buf, c);
		start = i + 1;
	}
	buffer_add(buf, text + start, len - start);
	buffer_add(buf, "\"", 1);
}

void
buffer_base64(Buffer *buf, const char *bytes, size_t len)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const unsigned char *in = (const unsigned char *) bytes;
	size_t		i;

	buffer_reserve(buf, (len + 2) / 3 * 4);
	for (i = 0; i < len; i += 3)
	{
		uint32_t	group = (uint32_t) in[i] << 16;
		char		out[4];

		if (i + 1 < len)
			group |= (uint32_t) in[i + 1] << 8;
		if (i + 2 < len)
			group |= in[i + 2];
		out[0] = digits[group >> 18];
		out[1] = digits[group >> 12 & 63];
		out[2] = i + 1 < len ? digits[group >> 6 & 63] : '=';
		out[3] = i + 2 < len ? digits[group & 63] : '=';
		buffer_add(buf, out, 4);
	}
}

/* The length of the UTF-8 sequence at s, or 0 when it is none. */
static size_t
utf8_sequence(const unsigned char *s, size_t left)
{
	size_t		len;
	size_t		i;

	if (s[0] < 0x80)
		return 1;
	if (s[0] < 0xC2 || s[0] > 0xF4)
		return 0;
	len = s[0] < 0xE0 ? 2 : s[0] < 0xF0 ? 3 : 4;
	if (left < len)
		return 0;
	for (i = 1; i < len; i++)
		if ((s[i] & 0xC0) != 0x80)
			return 0;
	if ((s[0] == 0xE0 && s[1] < 0xA0) || (s[0] == 0xED && s[1] > 0x9F) ||
		(s[0] == 0xF0 && s[1] < 0x90) || (s[0] == 0xF4 && s[1] > 0x8F))
		return 0;
	return len;
}

bool
utf8_valid(const char *text, size_t len)
{
	const unsigned char *s = (const unsigned char *) text;
	size_t		pos = 0;

	while (pos < len)
	{
		size_t		step = utf8_sequence(s + pos, len - pos);

		if (step == 0)
			return false;
		pos += step;
	}
	return true;
}
