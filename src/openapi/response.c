/*-------------------------------------------------------------------------
 *
 * response.c
 *	  Response bodies as values.
 *
 * What an answer is worth must not depend on how well it is labelled: a body
 * that is not what its type says is text with a warning, never an error.
 * Without a type, text that is a JSON object or array is one.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "openapi/charset.h"
#include "openapi/media_type.h"
#include "openapi/serialize.h"
#include "support/strings.h"

static bool decode(StringInfo text, const char *content_type, const char *body, size_t length,
				   char **warning);
static JsonbValue *as_json(const StringInfo text, const char *content_type, char **warning);
static void drop_byte_order_mark(StringInfo text);
static void warn(char **warning, const char *format,...) pg_attribute_printf(2, 3);

JsonbValue *
arazzo_deserialize_body(const char *content_type, const char *body, size_t length,
						char **warning)
{
	StringInfoData text;
	JsonbValue *value = NULL;

	if (warning)
		*warning = NULL;
	if (body == NULL || length == 0)
		return NULL;
	initStringInfo(&text);
	if (!decode(&text, content_type, body, length, warning))
		return NULL;
	if (content_type == NULL || content_type[0] == '\0' || arazzo_media_type_is_json(content_type))
		value = as_json(&text, content_type, warning);
	return value ? value : arazzo_value_string(text.data, text.len);
}

/* The body as text; false, with a warning, when it is none. */
static bool
decode(StringInfo text, const char *content_type, const char *body, size_t length, char **warning)
{
	char	   *charset = arazzo_media_type_parameter(content_type, "charset");

	if (memchr(body, '\0', length) != NULL)
	{
		warn(warning, "response body contains a NUL byte and cannot be kept as text");
		return false;
	}
	if (length > PG_INT32_MAX / 4)
	{
		warn(warning, "response body of %zu bytes is too long to be a value", length);
		return false;
	}
	if (arazzo_charset_decode(text, body, length, charset))
	{
		drop_byte_order_mark(text);
		return true;
	}

	/* a wrong or unknown label on what is UTF-8 after all */
	if (charset && arazzo_charset_decode(text, body, length, NULL))
	{
		warn(warning, "response body is UTF-8, not of charset \"%s\"", charset);
		drop_byte_order_mark(text);
		return true;
	}
	warn(warning, "response body is not text of charset \"%s\"", charset ? charset : "utf-8");
	return false;
}

/* NULL when the text is no JSON. */
static JsonbValue *
as_json(const StringInfo text, const char *content_type, char **warning)
{
	ArazzoFailure *failure = NULL;
	bool		labelled = content_type != NULL && content_type[0] != '\0';
	const char *start = text->data + strspn(text->data, " \t\r\n");
	JsonbValue *value;

	if (!labelled && *start != '{' && *start != '[')
		return NULL;
	value = arazzo_value_parse_json(text->data, text->len, &failure);
	if (value == NULL && labelled)
		warn(warning, "response body is not JSON: %s", failure->message);
	return value;
}

static void
drop_byte_order_mark(StringInfo text)
{
	if (strncmp(text->data, "\xEF\xBB\xBF", 3) != 0)
		return;
	text->len -= 3;
	memmove(text->data, text->data + 3, text->len + 1);
}

static void
warn(char **warning, const char *format,...)
{
	va_list		arguments;

	if (warning == NULL || *warning != NULL)
		return;
	va_start(arguments, format);
	*warning = arazzo_format(format, arguments);
	va_end(arguments);
}
