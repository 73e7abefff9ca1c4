/*
 * buffer.h
 *	  Growing byte strings, and the few encodings written into them.
 */
#ifndef BUFFER_H
#define BUFFER_H

#include <stdbool.h>
#include <stddef.h>

/* The bytes are always followed by a NUL once anything was added. */
typedef struct Buffer
{
	char	   *data;
	size_t		len;
	size_t		size;
} Buffer;

/* Memory or the end of the process. */
extern void *need_alloc(size_t size);
extern void *need_grow(void *chunk, size_t size);
extern char *need_copy(const char *text, size_t len);

extern void buffer_free(Buffer *buf);
extern void buffer_clear(Buffer *buf);
extern void buffer_reserve(Buffer *buf, size_t more);
extern void buffer_add(Buffer *buf, const void *bytes, size_t len);
extern void buffer_puts(Buffer *buf, const char *text);
extern void buffer_printf(Buffer *buf, const char *fmt,...) __attribute__((format(printf, 2, 3)));

/* A JSON string, quotes included; the text must be UTF-8. */
extern void buffer_json_string(Buffer *buf, const char *text, size_t len);

/* Base64 with padding (RFC 4648, section 4). */
extern void buffer_base64(Buffer *buf, const char *bytes, size_t len);

/* Strict UTF-8: no overlong forms, no surrogates. */
extern bool utf8_valid(const char *text, size_t len);

#endif							/* BUFFER_H */
