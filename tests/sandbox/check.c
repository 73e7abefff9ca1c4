/*
 * check.c
 *	  Checks of JSON bodies against tables of members.
 *
 * The table says what the API's description says; what is not in the table is
 * dropped, as Amberflo drops it.
 */
#include <string.h>

#include "json.h"

static bool check_value(const json_t *value, const Field *field, Buffer *problem);

static const char *
type_name(FieldType type)
{
	switch (type)
	{
		case FIELD_STRING:
			return "a string";
		case FIELD_EMAIL:
			return "an e-mail address";
		case FIELD_NUMBER:
			return "a number";
		case FIELD_POSITIVE:
			return "a number greater than 0";
		case FIELD_INTEGER:
			return "an integer";
		case FIELD_BOOLEAN:
			return "a boolean";
		case FIELD_STRING_LIST:
			return "an array of strings";
		case FIELD_STRING_MAP:
			return "an object of strings";
		case FIELD_NUMBER_MAP:
			return "an object of numbers";
		case FIELD_LIST_MAP:
			return "an object of arrays of strings";
		case FIELD_OBJECT:
			return "an object";
	}
	return "something else";
}

/* An integer of 64 bits, written without fraction or exponent. */
static bool
is_integer(const json_t *value)
{
	const char *digits = json_number_text(value);

	return digits && strlen(digits) <= 19 && strspn(digits, "-0123456789") == strlen(digits);
}

static bool
is_positive(const json_t *value)
{
	const char *digits = json_number_text(value);

	return digits && digits[0] != '-' &&
		strcspn(digits, "123456789") < strcspn(digits, "eE");
}

static bool
is_email(const json_t *value)
{
	const char *text = json_text(value);
	const char *at = text ? strchr(text, '@') : NULL;

	return at && at > text && at[1] != '\0';
}

static bool
is_string_list(const json_t *value)
{
	json_t	   *item;
	size_t		i;

	json_array_foreach(value, i, item)
		if (json_text(item) == NULL)
			return false;
	return json_is_array(value);
}

/* An object whose values are all of the one type. */
static bool
is_map(const json_t *value, FieldType type)
{
	const char *key;
	json_t	   *member;

	json_object_foreach((json_t *) value, key, member)
	{
		if (type == FIELD_STRING_MAP && json_text(member) == NULL)
			return false;
		if (type == FIELD_NUMBER_MAP && json_number_text(member) == NULL)
			return false;
		if (type == FIELD_LIST_MAP && !is_string_list(member))
			return false;
	}
	return json_is_object(value);
}

static bool
has_type(const json_t *value, FieldType type)
{
	switch (type)
	{
		case FIELD_STRING:
			return json_text(value) != NULL;
		case FIELD_EMAIL:
			return is_email(value);
		case FIELD_NUMBER:
			return json_number_text(value) != NULL;
		case FIELD_POSITIVE:
			return is_positive(value);
		case FIELD_INTEGER:
			return is_integer(value);
		case FIELD_BOOLEAN:
			return json_is_boolean(value);
		case FIELD_STRING_LIST:
			return is_string_list(value);
		case FIELD_STRING_MAP:
		case FIELD_NUMBER_MAP:
		case FIELD_LIST_MAP:
			return is_map(value, type);
		case FIELD_OBJECT:
			return json_is_object(value);
	}
	return false;
}

static bool
is_choice(const json_t *value, const Field *field, Buffer *problem)
{
	const char *text = json_text(value);
	const char *const *choice;

	for (choice = field->choices; *choice; choice++)
		if (strcmp(text, *choice) == 0)
			return true;
	buffer_printf(problem, "'%s' must be one of", field->name);
	for (choice = field->choices; *choice; choice++)
		buffer_printf(problem, "%s %s", choice == field->choices ? "" : ",", *choice);
	return false;
}

static bool
check_value(const json_t *value, const Field *field, Buffer *problem)
{
	if (!has_type(value, field->type))
	{
		buffer_printf(problem, "'%s' must be %s", field->name, type_name(field->type));
		return false;
	}
	if (field->required && json_is_string(value) && json_string_length(value) == 0)
	{
		buffer_printf(problem, "'%s' must not be empty", field->name);
		return false;
	}
	if (field->choices)
		return is_choice(value, field, problem);
	if (field->members)
		return json_check(value, field->members, NULL, problem);
	return true;
}

static const Field *
find_field(const Field *fields, const char *name)
{
	for (; fields->name; fields++)
		if (strcmp(fields->name, name) == 0)
			return fields;
	return NULL;
}

static json_t *
copy_known(const json_t *object, const Field *fields)
{
	json_t	   *known = json_object();
	const char *key;
	json_t	   *member;

	json_object_foreach((json_t *) object, key, member)
		if (find_field(fields, key))
			json_object_set(known, key, member);
	return known;
}

bool
json_check(const json_t *object, const Field *fields, json_t **known, Buffer *problem)
{
	const Field *field;

	if (!json_is_object(object))
	{
		buffer_puts(problem, "the body must be an object");
		return false;
	}
	for (field = fields; field->name; field++)
	{
		const json_t *value = json_object_get(object, field->name);

		if (value == NULL && !field->required)
			continue;
		if (value == NULL)
		{
			buffer_printf(problem, "'%s' is required", field->name);
			return false;
		}
		if (!check_value(value, field, problem))
			return false;
	}
	if (known)
		*known = copy_known(object, fields);
	return true;
}
