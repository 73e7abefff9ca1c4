/*
 * mock_openapi.c
 *	  Answers made from OpenAPI descriptions: from a request to an example.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "json.h"
#include "mock.h"
#include "mock_openapi.h"

static json_t *documents;		/* what was posted, in order */
static bool full;				/* while a request is answered */

bool
mock_openapi_add(json_t *posted)
{
	json_t	   *document = json_object_get(posted, "document");

	if (!json_is_object(json_object_get(document, "paths")))
		return false;
	if (documents == NULL)
		documents = json_array();
	json_array_append(documents, posted);
	return true;
}

void
mock_openapi_clear(void)
{
	json_decref(documents);
	documents = NULL;
}

/* The operation of a path item, whose members are named in lower case. */
static json_t *
find_method(json_t *item, const char *method)
{
	const char *name;
	json_t	   *value;

	json_object_foreach(item, name, value)
		if (strcasecmp(name, method) == 0 && json_is_object(value))
			return value;
	return json_object_get(json_object_get(item, "additionalOperations"), method);
}

/* The operation that matches best, or NULL. */
static json_t *
find_operation(json_t *document, const char *path, const char *method)
{
	json_t	   *best = NULL;
	int			best_weight = -1;
	const char *pattern;
	json_t	   *item;

	json_object_foreach(json_object_get(document, "paths"), pattern, item)
	{
		json_t	   *operation = find_method(mock_resolve(document, item), method);
		int			weight = 0;

		if (operation && mock_path_matches(pattern, path, &weight) && weight > best_weight)
		{
			best = operation;
			best_weight = weight;
		}
	}
	return best;
}

/* The response that is given, and its status. */
static json_t *
find_response(json_t *document, json_t *operation, int *status)
{
	json_t	   *responses = json_object_get(operation, "responses");
	json_t	   *best = NULL;
	const char *code;
	json_t	   *response;

	*status = 200;
	json_object_foreach(responses, code, response)
	{
		int			number = atoi(code);

		if (number < 200 || number > 299 || (best && number >= *status))
			continue;
		best = response;
		*status = number;
	}
	if (best == NULL)
		best = json_object_get(responses, "2XX");
	if (best == NULL)
		best = json_object_get(responses, "default");
	json_object_foreach(responses, code, response)
	{
		if (best)
			break;
		best = response;
		*status = atoi(code) >= 200 ? atoi(code) : 200;
	}
	return mock_resolve(document, best);
}

/* An example of a media type, header or schema: example, else the first of examples. */
static json_t *
find_example(json_t *document, json_t *object)
{
	json_t	   *example = json_object_get(object, "example");
	json_t	   *examples = json_object_get(object, "examples");
	const char *name;
	json_t	   *item;

	if (example)
		return example;
	json_object_foreach(examples, name, item)
	{
		item = mock_resolve(document, item);
		example = json_object_get(item, "dataValue");
		return example ? example : json_object_get(item, "value");
	}
	return NULL;
}

static json_t *
make_body(json_t *document, json_t *media)
{
	json_t	   *example = find_example(document, media);

	if (example)
		return json_incref(example);
	return mock_instance(document, json_object_get(media, "schema"), full);
}

static bool
is_json_type(const char *type)
{
	size_t		len = strcspn(type, "; ");

	return strncasecmp(type, "application/json", len) == 0 || strncasecmp(type, "text/json", len) == 0 ||
		(len > 5 && strncasecmp(type + len - 5, "+json", 5) == 0) || strcmp(type, "*/*") == 0;
}

/* The media type that is answered with: JSON where there is any. */
static const char *
find_media(json_t *content, json_t **media)
{
	const char *type;
	const char *first = NULL;
	json_t	   *value;

	json_object_foreach(content, type, value)
	{
		if (first && !is_json_type(type))
			continue;
		first = type;
		*media = value;
		if (is_json_type(type))
			break;
	}
	return first;
}

/* A text stays as it is where the type is not JSON. */
static void
give_body(Answer *ans, const char *type, json_t *body)
{
	ans->type = strchr(type, '*') ? "application/json" : type;
	if (json_text(body) && !is_json_type(type))
		buffer_puts(&ans->body, json_text(body));
	else
		json_write(&ans->body, body);
	json_decref(body);
}

/* OpenAPI 2.0: examples by media type, and one schema. */
static void
give_swagger_body(json_t *document, json_t *response, Answer *ans)
{
	json_t	   *example = NULL;
	json_t	   *schema = json_object_get(response, "schema");
	const char *type = find_media(json_object_get(response, "examples"), &example);

	if (type)
		give_body(ans, type, json_incref(example));
	else if (schema)
		give_body(ans, "application/json", mock_instance(document, schema, full));
}

static void
give_headers(json_t *document, json_t *response, Answer *ans)
{
	const char *name;
	json_t	   *header;

	json_object_foreach(json_object_get(response, "headers"), name, header)
	{
		Buffer		text = {0};
		json_t	   *value;

		if (strcasecmp(name, "Content-Type") == 0)
			continue;
		value = make_body(document, mock_resolve(document, header));
		if (json_text(value))
			buffer_puts(&text, json_text(value));
		else
			json_write(&text, value);
		answer_header(ans, name, text.data);
		buffer_free(&text);
		json_decref(value);
	}
}

static void
give_response(json_t *document, json_t *operation, Answer *ans)
{
	json_t	   *response = find_response(document, operation, &ans->status);
	json_t	   *content = json_object_get(response, "content");
	json_t	   *media = NULL;
	const char *type = find_media(content, &media);

	ans->type = NULL;
	if (type)
		give_body(ans, type, make_body(document, mock_resolve(document, media)));
	else if (ans->status != 204)
		give_swagger_body(document, response, ans);
	give_headers(document, response, ans);
}

bool
mock_openapi_answer(const Request *req, Answer *ans)
{
	json_t	   *posted;
	size_t		i;

	json_array_foreach(documents, i, posted)
	{
		json_t	   *document = json_object_get(posted, "document");
		const char *base = json_member_text(posted, "base", "");
		json_t	   *operation;

		if (strncmp(req->path, base, strlen(base)) != 0)
			continue;
		operation = find_operation(document, req->path + strlen(base), req->method);
		if (operation == NULL)
			continue;
		full = json_is_true(json_object_get(posted, "full"));
		give_response(document, operation, ans);
		return true;
	}
	return false;
}
