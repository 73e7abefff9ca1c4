/*
 * json.c
 *	  JSON in and out without the loss of a digit.
 *
 * The text is rewritten before jansson reads it: every number becomes a marked
 * string.  The writer takes the mark off again.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "json.h"

#define NUMBER_MARK '\001'
#define NUMBER_MARK_ESCAPE "\\u0001"

/* After the digits at p. */
static const char *
skip_digits(const char *p, const char *end)
{
	while (p < end && *p >= '0' && *p <= '9')
		p++;
	return p;
}

/* After the exponent at p, p itself when there is none, NULL when it is bad. */
static const char *
skip_exponent(const char *p, const char *end)
{
	const char *digits;

	if (p == end || (*p != 'e' && *p != 'E'))
		return p;
	p++;
	if (p < end && (*p == '+' || *p == '-'))
		p++;
	digits = p;
	p = skip_digits(p, end);
	return p == digits ? NULL : p;
}

/* The length of the number (RFC 8259, section 6) at text, or 0. */
static size_t
number_length(const char *text, const char *end)
{
	const char *p = text;
	const char *digits;

	if (p < end && *p == '-')
		p++;
	digits = p;
	p = skip_digits(p, end);
	if (p == digits || (*digits == '0' && p - digits > 1))
		return 0;
	if (p < end && *p == '.')
	{
		digits = ++p;
		p = skip_digits(p, end);
		if (p == digits)
			return 0;
	}
	p = skip_exponent(p, end);
	return p == NULL ? 0 : p - text;
}

/* The end of the string literal at text (its closing quote), or NULL. */
static const char *
string_end(const char *text, const char *end)
{
	const char *p;

	for (p = text + 1; p < end; p++)
	{
		if (*p == '"')
			return p;
		if (*p == '\\')
			p++;
	}
	return NULL;
}

/* Rewrite text so that its numbers are marked strings. */
static bool
mark_numbers(const char *text, size_t len, Buffer *out)
{
	const char *end = text + len;
	const char *p = text;
	const char *start = text;

	buffer_reserve(out, len + len / 4 + 32);
	while (p < end)
	{
		size_t		digits;

		if (*p == '"')
		{
			const char *close = string_end(p, end);

			if (close == NULL ||
				strncasecmp(p + 1, NUMBER_MARK_ESCAPE, strlen(NUMBER_MARK_ESCAPE)) == 0)
				return false;
			p = close + 1;
			continue;
		}
		if (*p != '-' && (*p < '0' || *p > '9'))
		{
			p++;
			continue;
		}
		digits = number_length(p, end);
		if (digits == 0)
			return false;
		buffer_add(out, start, p - start);
		buffer_puts(out, "\"" NUMBER_MARK_ESCAPE);
		buffer_add(out, p, digits);
		buffer_puts(out, "\"");
		p += digits;
		start = p;
		if (p < end && strchr(" \t\r\n,]}", *p) == NULL)
			return false;
	}
	buffer_add(out, start, end - start);
	return true;
}

/* jansson would take a number for a key, since it is a string by now. */
static bool
keys_are_strings(const json_t *value)
{
	const char *key;
	json_t	   *member;
	size_t		i;

	json_object_foreach((json_t *) value, key, member)
		if (key[0] == NUMBER_MARK || !keys_are_strings(member))
			return false;
	json_array_foreach(value, i, member)
		if (!keys_are_strings(member))
			return false;
	return true;
}

json_t *
json_read(const char *text, size_t len, Buffer *problem)
{
	Buffer		marked = {0};
	json_error_t error;
	json_t	   *value = NULL;

	if (text == NULL || len == 0)
		buffer_puts(problem, "the body is empty");
	else if (!mark_numbers(text, len, &marked))
		buffer_puts(problem, "the body is not JSON");
	else
	{
		value = json_loadb(marked.data, marked.len,
						   JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &error);
		if (value == NULL)
			buffer_printf(problem, "the body is not JSON: %s", error.text);
		else if (!keys_are_strings(value))
		{
			buffer_puts(problem, "the body is not JSON");
			json_decref(value);
			value = NULL;
		}
	}
	buffer_free(&marked);
	return value;
}

static void
write_object(Buffer *buf, const json_t *object)
{
	const char *key;
	json_t	   *member;
	bool		first = true;

	buffer_puts(buf, "{");
	json_object_foreach((json_t *) object, key, member)
	{
		if (!first)
			buffer_puts(buf, ",");
		first = false;
		buffer_json_string(buf, key, strlen(key));
		buffer_puts(buf, ":");
		json_write(buf, member);
	}
	buffer_puts(buf, "}");
}

static void
write_array(Buffer *buf, const json_t *array)
{
	json_t	   *item;
	size_t		i;

	buffer_puts(buf, "[");
	json_array_foreach(array, i, item)
	{
		if (i > 0)
			buffer_puts(buf, ",");
		json_write(buf, item);
	}
	buffer_puts(buf, "]");
}

void
json_write(Buffer *buf, const json_t *value)
{
	const char *digits = json_number_text(value);

	if (digits)
		buffer_puts(buf, digits);
	else if (json_is_object(value))
		write_object(buf, value);
	else if (json_is_array(value))
		write_array(buf, value);
	else if (json_is_string(value))
		buffer_json_string(buf, json_string_value(value), json_string_length(value));
	else if (json_is_boolean(value))
		buffer_puts(buf, json_is_true(value) ? "true" : "false");
	else if (json_is_integer(value))
		buffer_printf(buf, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
	else
		buffer_puts(buf, "null");
}

const char *
json_number_text(const json_t *value)
{
	const char *text = json_string_value(value);

	return text && text[0] == NUMBER_MARK ? text + 1 : NULL;
}

json_t *
json_number_from_text(const char *digits)
{
	Buffer		buf = {0};
	json_t	   *value;

	buffer_printf(&buf, "%c%s", NUMBER_MARK, digits);
	value = json_string(buf.data);
	buffer_free(&buf);
	return value;
}

json_t *
json_number(int64_t value)
{
	char		digits[32];

	snprintf(digits, sizeof(digits), "%c%" PRId64, NUMBER_MARK, value);
	return json_string(digits);
}

const char *
json_text(const json_t *value)
{
	const char *text = json_string_value(value);

	return text && text[0] != NUMBER_MARK ? text : NULL;
}

const char *
json_member_text(const json_t *object, const char *name, const char *fallback)
{
	const char *text = json_text(json_object_get(object, name));

	return text ? text : fallback;
}

int64_t
json_member_int(const json_t *object, const char *name, int64_t fallback)
{
	const char *digits = json_number_text(json_object_get(object, name));

	return digits ? strtoll(digits, NULL, 10) : fallback;
}
