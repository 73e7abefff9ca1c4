/*
 * mock_schema.c
 *	  A value that a JSON Schema allows, for answers made up.
 *
 * It obeys what decides whether a client can read the answer: const, enum,
 * examples and defaults, types, required members, lengths and bounds, allOf,
 * and the first of oneOf and anyOf.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "json.h"
#include "mock_openapi.h"

#define MAX_DEPTH 24
#define FULL_DEPTH 5			/* optional properties are made down to this depth */

static json_t *make_value(json_t *document, json_t *schema, int depth);

static bool full_wanted;		/* during one mock_instance */

/* The member or item that one part of a JSON Pointer (RFC 6901) names. */
static json_t *
step_into(json_t *value, const char *part, size_t len)
{
	char		name[1024];
	size_t		used = 0;
	size_t		i;

	for (i = 0; i < len && used < sizeof(name) - 1; i++)
	{
		if (part[i] == '~' && i + 1 < len)
			name[used++] = part[++i] == '1' ? '/' : '~';
		else if (part[i] == '%' && i + 2 < len)
		{
			char		hex[3] = {part[i + 1], part[i + 2], '\0'};

			name[used++] = (char) strtol(hex, NULL, 16);
			i += 2;
		}
		else
			name[used++] = part[i];
	}
	name[used] = '\0';
	if (json_is_array(value))
		return json_array_get(value, strtoul(name, NULL, 10));
	return json_object_get(value, name);
}

json_t *
mock_resolve(json_t *document, json_t *value)
{
	int			hops;

	for (hops = 0; hops < MAX_DEPTH; hops++)
	{
		const char *ref = json_text(json_object_get(value, "$ref"));

		if (ref == NULL)
			return value;
		if (strncmp(ref, "#/", 2) != 0)
			return NULL;
		value = document;
		for (ref++; *ref; )
		{
			size_t		len = strcspn(++ref, "/");

			value = step_into(value, ref, len);
			ref += len;
		}
	}
	return NULL;
}

/* The value that the schema itself gives, or NULL. */
static json_t *
given_value(json_t *schema)
{
	static const char *const names[] = {"const", "example", "default", NULL};
	int			i;

	for (i = 0; names[i]; i++)
		if (json_object_get(schema, names[i]))
			return json_object_get(schema, names[i]);
	if (json_array_size(json_object_get(schema, "examples")) > 0)
		return json_array_get(json_object_get(schema, "examples"), 0);
	return json_array_get(json_object_get(schema, "enum"), 0);
}

/* The type that is made: the first one that is not null. */
static const char *
find_type(json_t *schema)
{
	json_t	   *type = json_object_get(schema, "type");
	json_t	   *item;
	size_t		i;

	if (json_text(type))
		return json_text(type);
	json_array_foreach(type, i, item)
		if (json_text(item) && strcmp(json_text(item), "null") != 0)
			return json_text(item);
	if (json_array_size(type) > 0)
		return "null";
	if (json_object_get(schema, "items"))
		return "array";
	return json_object_get(schema, "properties") || json_object_get(schema, "required") ? "object" : NULL;
}

/* Add the members that are wanted and not there yet. */
static void
add_members(json_t *document, json_t *schema, json_t *object, int depth)
{
	json_t	   *properties = json_object_get(schema, "properties");
	const char *name;
	json_t	   *item;
	size_t		i;

	json_array_foreach(json_object_get(schema, "required"), i, item)
		if (json_text(item) && !json_object_get(object, json_text(item)))
			json_object_set_new(object, json_text(item),
								make_value(document, json_object_get(properties, json_text(item)), depth + 1));
	if (!full_wanted || depth >= FULL_DEPTH)
		return;
	json_object_foreach(properties, name, item)
		if (!json_object_get(object, name))
			json_object_set_new(object, name, make_value(document, item, depth + 1));
}

static json_t *
make_array(json_t *document, json_t *schema, int depth)
{
	json_t	   *array = json_array();
	int64_t		count = json_member_int(schema, "minItems", full_wanted && depth < FULL_DEPTH);

	while (count-- > 0)
		json_array_append_new(array, make_value(document, json_object_get(schema, "items"), depth + 1));
	return array;
}

static json_t *
make_string(json_t *schema)
{
	static const char *const formats[][2] = {
		{"date-time", "2024-01-01T00:00:00Z"},
		{"date", "2024-01-01"},
		{"time", "00:00:00Z"},
		{"email", "a@example.com"},
		{"uuid", "00000000-0000-4000-8000-000000000000"},
		{"uri", "https://example.com/"},
		{"hostname", "example.com"},
		{"ipv4", "127.0.0.1"},
		{"ipv6", "::1"},
		{NULL, NULL}
	};
	const char *format = json_member_text(schema, "format", "");
	int64_t		len = json_member_int(schema, "minLength", full_wanted);
	Buffer		text = {0};
	json_t	   *string;
	int			i;

	for (i = 0; formats[i][0]; i++)
		if (strcmp(formats[i][0], format) == 0)
			return json_string(formats[i][1]);
	buffer_puts(&text, "");
	while (len-- > 0)
		buffer_puts(&text, "a");
	string = json_string(text.data);
	buffer_free(&text);
	return string;
}

/* The lower bound, one above it where it is exclusive; else 0 or the upper bound. */
static json_t *
make_number(json_t *schema)
{
	json_t	   *minimum = json_object_get(schema, "minimum");
	json_t	   *exclusive = json_object_get(schema, "exclusiveMinimum");
	json_t	   *maximum = json_object_get(schema, "maximum");

	if (json_number_text(exclusive))
		return json_number((int64_t) atof(json_number_text(exclusive)) + 1);
	if (json_number_text(minimum) && json_is_true(exclusive))
		return json_number((int64_t) atof(json_number_text(minimum)) + 1);
	if (json_number_text(minimum))
		return json_incref(minimum);
	if (json_number_text(maximum) && json_number_text(maximum)[0] == '-')
		return json_incref(maximum);
	return json_number(0);
}

/* All parts of an allOf are one object, unless the first of them is none. */
static json_t *
make_all(json_t *document, json_t *schema, int depth)
{
	json_t	   *parts = json_object_get(schema, "allOf");
	json_t	   *whole = NULL;
	json_t	   *part;
	size_t		i;

	json_array_foreach(parts, i, part)
	{
		json_t	   *value = make_value(document, part, depth + 1);

		if (whole == NULL)
			whole = json_is_object(value) ? json_copy(value) : json_incref(value);
		else if (json_is_object(whole) && json_is_object(value))
			json_object_update(whole, value);
		json_decref(value);
	}
	if (json_is_object(whole))
		add_members(document, schema, whole, depth);
	return whole;
}

static json_t *
make_type(json_t *document, json_t *schema, int depth)
{
	const char *type = find_type(schema);
	json_t	   *object;

	if (type == NULL || strcmp(type, "object") == 0)
	{
		object = json_object();
		add_members(document, schema, object, depth);
		return object;
	}
	if (strcmp(type, "array") == 0)
		return make_array(document, schema, depth);
	if (strcmp(type, "string") == 0)
		return make_string(schema);
	if (strcmp(type, "integer") == 0 || strcmp(type, "number") == 0)
		return make_number(schema);
	if (strcmp(type, "boolean") == 0)
		return json_false();
	return json_null();
}

static json_t *
make_value(json_t *document, json_t *schema, int depth)
{
	json_t	   *one;

	schema = mock_resolve(document, schema);
	if (depth > MAX_DEPTH || !json_is_object(schema))
		return json_object();
	if (given_value(schema))
		return json_incref(given_value(schema));
	if (json_array_size(json_object_get(schema, "allOf")) > 0)
		return make_all(document, schema, depth);
	one = json_array_get(json_object_get(schema, "oneOf"), 0);
	if (one == NULL)
		one = json_array_get(json_object_get(schema, "anyOf"), 0);
	return one ? make_value(document, one, depth + 1) : make_type(document, schema, depth);
}

json_t *
mock_instance(json_t *document, json_t *schema, bool full)
{
	full_wanted = full;
	return make_value(document, schema, 0);
}
