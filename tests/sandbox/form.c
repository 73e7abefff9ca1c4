/*
 * form.c
 *	  Stripe's form bodies: a[b]=c and a[]=c, checked by table.
 *
 * Unknown parameters are refused, as Stripe does.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "form.h"
#include "json.h"
#include "stripe.h"

static bool check_object(Answer *ans, const json_t *params, const FormField *fields, const char *prefix);

/* The name as it is written below prefix: "a" or "prefix[a]". */
static char *
full_name(const char *prefix, const char *name)
{
	Buffer		buf = {0};

	if (prefix[0])
		buffer_printf(&buf, "%s[%s]", prefix, name);
	else
		buffer_puts(&buf, name);
	return buf.data;
}

/* Whether the text between brackets makes a list: nothing, or an index. */
static bool
is_index(const char *text, size_t len)
{
	size_t		i;

	for (i = 0; i < len; i++)
		if (!isdigit((unsigned char) text[i]))
			return false;
	return true;
}

/*
 * Put the value where its name says.  One level of brackets is enough for
 * every parameter of the billing meters; false for anything else.
 */
static bool
put_param(json_t *params, const Pair *pair)
{
	const char *open = strchr(pair->name, '[');
	const char *close;
	char	   *outer;
	char	   *inner;
	json_t	   *place;
	bool		ok = true;

	if (open == NULL)
	{
		if (pair->name_len == 0 || json_object_get(params, pair->name))
			return false;
		json_object_set_new(params, pair->name, json_string(pair->value));
		return true;
	}
	close = strchr(open, ']');
	if (open == pair->name || close == NULL || close[1] != '\0')
		return false;
	outer = need_copy(pair->name, open - pair->name);
	inner = need_copy(open + 1, close - open - 1);
	place = json_object_get(params, outer);
	if (place == NULL)
	{
		place = is_index(inner, strlen(inner)) ? json_array() : json_object();
		json_object_set_new(params, outer, place);
	}
	if (json_is_array(place) && is_index(inner, strlen(inner)))
		json_array_append_new(place, json_string(pair->value));
	else if (json_is_object(place) && json_object_get(place, inner) == NULL)
		json_object_set_new(place, inner, json_string(pair->value));
	else
		ok = false;
	free(outer);
	free(inner);
	return ok;
}

static json_t *
read_params(Request *req, Answer *ans)
{
	json_t	   *params = json_object();
	Pairs		pairs = {0};
	int			i;

	if (strcmp(req->method, "GET") == 0)
		pairs = req->query;
	else if (req->body.len > 0 && !request_type_is(req, "application/x-www-form-urlencoded"))
	{
		stripe_error(ans, 400, NULL, NULL,
					 "Invalid request (check that your POST content type is "
					 "application/x-www-form-urlencoded). If you have any questions, "
					 "we can help at https://support.stripe.com/.");
		json_decref(params);
		return NULL;
	}
	else if (!form_decode(req, req->body.data ? req->body.data : "", req->body.len, &pairs))
	{
		stripe_error(ans, 400, NULL, NULL, "Invalid request: the form cannot be decoded.");
		json_decref(params);
		return NULL;
	}
	for (i = 0; i < pairs.count; i++)
	{
		if (put_param(params, &pairs.items[i]))
			continue;
		stripe_error(ans, 400, NULL, pairs.items[i].name, "Invalid or repeated parameter: %s",
					 pairs.items[i].name);
		json_decref(params);
		return NULL;
	}
	return params;
}

/* Whether the text is one of them; if not, the answer lists them. */
static bool
check_choice(Answer *ans, const char *text, const FormField *field, const char *name)
{
	const char *const *choice;
	Buffer		list = {0};

	for (choice = field->choices; *choice; choice++)
	{
		if (strcmp(text, *choice) == 0)
			break;
		buffer_printf(&list, "%s%s", list.len ? " or " : "", *choice);
	}
	if (*choice == NULL)
		stripe_error(ans, 400, NULL, name, "Invalid %s: must be one of %s", name, list.data);
	buffer_free(&list);
	return *choice != NULL;
}

static bool
check_string(Answer *ans, const char *text, const FormField *field, const char *name)
{
	if (text == NULL)
		stripe_error(ans, 400, NULL, name, "Invalid string: %s", name);
	else if (text[0] == '\0')
		stripe_error(ans, 400, "parameter_invalid_empty", name,
					 "You passed an empty string for '%s'. We assume empty values are an attempt "
					 "to unset a parameter; however '%s' cannot be unset. You should remove '%s' "
					 "from your request or supply a non-empty value.", name, name, name);
	else if (field->max_length && strlen(text) > field->max_length)
		stripe_error(ans, 400, "parameter_invalid_string", name,
					 "Invalid string: %.20s...; must be at most %zu characters", text, field->max_length);
	else
		return field->choices == NULL || check_choice(ans, text, field, name);
	return false;
}

static bool
check_integer(Answer *ans, const char *text, const char *name)
{
	size_t		len = text ? strlen(text) : 0;

	if (len > 0 && len <= 18 && strspn(text + (text[0] == '-'), "0123456789") == len - (text[0] == '-'))
		return true;
	stripe_error(ans, 400, "parameter_invalid_integer", name, "Invalid integer: %s", text ? text : name);
	return false;
}

static bool
check_map(Answer *ans, const json_t *value, const char *name)
{
	const char *key;
	json_t	   *member;

	if (!json_is_object(value))
	{
		stripe_error(ans, 400, NULL, name, "Invalid object");
		return false;
	}
	json_object_foreach((json_t *) value, key, member)
	{
		if (json_string_length(member) > 0)
			continue;
		stripe_error(ans, 400, "parameter_invalid_empty", name,
					 "You passed an empty string for '%s[%s]'.", name, key);
		return false;
	}
	return true;
}

static bool
check_param(Answer *ans, const json_t *value, const FormField *field, const char *name)
{
	switch (field->type)
	{
		case FORM_STRING:
			return check_string(ans, json_string_value(value), field, name);
		case FORM_INTEGER:
			return check_integer(ans, json_string_value(value), name);
		case FORM_MAP:
			return check_map(ans, value, name);
		case FORM_OBJECT:
			return check_map(ans, value, name) && check_object(ans, value, field->members, name);
		case FORM_LIST:
			if (json_is_array(value))
				return true;
			stripe_error(ans, 400, NULL, name, "Invalid array");
			return false;
	}
	return false;
}

static const FormField *
find_field(const FormField *fields, const char *name)
{
	for (; fields->name; fields++)
		if (strcmp(fields->name, name) == 0)
			return fields;
	return NULL;
}

static bool
check_known(Answer *ans, const json_t *params, const FormField *fields, const char *prefix)
{
	const char *key;
	json_t	   *value;

	json_object_foreach((json_t *) params, key, value)
	{
		char	   *name;

		if (find_field(fields, key))
			continue;
		name = full_name(prefix, key);
		stripe_error(ans, 400, "parameter_unknown", name, "Received unknown parameter: %s", name);
		free(name);
		return false;
	}
	return true;
}

static bool
check_object(Answer *ans, const json_t *params, const FormField *fields, const char *prefix)
{
	bool		ok = check_known(ans, params, fields, prefix);

	for (; ok && fields->name; fields++)
	{
		const json_t *value = json_object_get(params, fields->name);
		char	   *name = full_name(prefix, fields->name);

		if (value)
			ok = check_param(ans, value, fields, name);
		else if (fields->required)
		{
			stripe_error(ans, 400, "parameter_missing", name, "Missing required param: %s.", name);
			ok = false;
		}
		free(name);
	}
	return ok;
}

/* An answer that refuses parameters is not kept for its Idempotency-Key. */
json_t *
form_params(Request *req, Answer *ans, const FormField *fields)
{
	json_t	   *params = read_params(req, ans);

	if (params && check_object(ans, params, fields, ""))
		return params;
	json_decref(params);
	ans->volatile_answer = true;
	return NULL;
}
