/*-------------------------------------------------------------------------
 *
 * media_type.c
 *	  Media types and ranges (RFC 9110, 8.3 and 12.5.1; RFC 6839).
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "openapi/media_type.h"
#include "openapi/serialize.h"

static bool ends_with(const char *text, const char *suffix);
static const char *skip_blanks(const char *text);
static char *parameter_value(const char **text);

char *
arazzo_media_type_essence(const char *content_type)
{
	const char *start;
	char	   *essence;
	int			length;
	int			i;

	if (content_type == NULL)
		return pstrdup("");
	start = skip_blanks(content_type);
	length = strcspn(start, ";, \t");
	essence = pnstrdup(start, length);
	for (i = 0; i < length; i++)
		essence[i] = pg_ascii_tolower((unsigned char) essence[i]);
	return essence;
}

char *
arazzo_media_type_parameter(const char *content_type, const char *name)
{
	const char *text = content_type ? strchr(content_type, ';') : NULL;
	int			length = strlen(name);

	while (text && *text == ';')
	{
		const char *start = skip_blanks(text + 1);
		bool		found;
		char	   *value;

		text = start + strcspn(start, "=;");
		found = text - start == length && pg_strncasecmp(start, name, length) == 0;
		if (*text != '=')
			continue;
		text++;
		value = parameter_value(&text);
		if (found)
			return value;
	}
	return NULL;
}

bool
arazzo_media_type_is(const char *content_type, const char *type)
{
	return strcmp(arazzo_media_type_essence(content_type), arazzo_media_type_essence(type)) == 0;
}

/* application/json, the older text/json, and +json (RFC 6839, 3.1); no range,
 * since that cannot be sent. */
bool
arazzo_media_type_is_json(const char *content_type)
{
	char	   *essence = arazzo_media_type_essence(content_type);

	if (strchr(essence, '*') != NULL)
		return false;
	return strcmp(essence, "application/json") == 0 || strcmp(essence, "text/json") == 0 ||
		ends_with(essence, "+json");
}

bool
arazzo_media_type_is_xml(const char *content_type)
{
	char	   *essence = arazzo_media_type_essence(content_type);

	return strcmp(essence, "application/xml") == 0 || strcmp(essence, "text/xml") == 0 ||
		ends_with(essence, "+xml");
}

bool
arazzo_media_type_is_yaml(const char *content_type)
{
	char	   *essence = arazzo_media_type_essence(content_type);

	return ends_with(essence, "/yaml") || ends_with(essence, "/x-yaml") || ends_with(essence, "+yaml");
}

bool
arazzo_media_type_is_text(const char *content_type)
{
	return strncmp(arazzo_media_type_essence(content_type), "text/", 5) == 0 ||
		arazzo_media_type_is_json(content_type) || arazzo_media_type_is_xml(content_type) ||
		arazzo_media_type_is_yaml(content_type) ||
		arazzo_media_type_is(content_type, "application/x-www-form-urlencoded");
}

bool
arazzo_media_type_is_range(const char *content_type)
{
	return strchr(arazzo_media_type_essence(content_type), '*') != NULL;
}

int
arazzo_media_type_fit(const char *range, const char *content_type)
{
	char	   *wanted = arazzo_media_type_essence(content_type);
	char	   *given = arazzo_media_type_essence(range);
	char	   *star = strchr(given, '*');

	if (pg_strcasecmp(range, content_type) == 0)
		return 5;
	if (strcmp(given, wanted) == 0)
		return 4;
	if (star == NULL || strchr(wanted, '/') == NULL)
		return 0;
	if (strcmp(given, "*/*") == 0 || strcmp(given, "*") == 0)
		return 1;
	if (strncmp(given, wanted, star - given) != 0 || !ends_with(wanted, star + 1))
		return 0;
	return star[1] == '\0' ? 2 : 3;
}

static bool
ends_with(const char *text, const char *suffix)
{
	size_t		length = strlen(text);
	size_t		wanted = strlen(suffix);

	return length >= wanted && strcmp(text + length - wanted, suffix) == 0;
}

static const char *
skip_blanks(const char *text)
{
	return text + strspn(text, " \t");
}

/* A token or a quoted string; leaves *text at the next ";" or the end. */
static char *
parameter_value(const char **text)
{
	const char *start = skip_blanks(*text);
	char	   *value;
	int			length = 0;

	if (*start != '"')
	{
		int			size = strcspn(start, "; \t");

		*text = start + strcspn(start, ";");
		return pnstrdup(start, size);
	}
	value = palloc(strlen(start) + 1);
	for (start++; *start && *start != '"'; start++)
	{
		if (*start == '\\' && start[1])
			start++;
		value[length++] = *start;
	}
	value[length] = '\0';
	*text = start + strcspn(start, ";");
	return value;
}
