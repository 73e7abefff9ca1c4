/*-------------------------------------------------------------------------
 *
 * pointer.c
 *	  JSON Pointers (RFC 6901).
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <limits.h>

#include "document/uri.h"
#include "support/value.h"

static char *unescape_token(const char *text, int length);
static bool array_index(const char *token, int *index);

/* RFC 6901, 3, Syntax */
bool
arazzo_pointer_parse(const char *text, int length, char ***tokens, int *count)
{
	const char *end = text + length;
	int			found = 0;
	int			i;

	*tokens = NULL;
	*count = 0;
	if (length == 0)
		return true;
	if (text[0] != '/')
		return false;
	for (i = 0; i < length; i++)
	{
		if (text[i] == '/')
			found++;
	}
	*tokens = palloc(found * sizeof(char *));
	while (text < end)
	{
		const char *start = text + 1;
		const char *slash = memchr(start, '/', end - start);
		char	   *token;

		text = slash != NULL ? slash : end;
		token = unescape_token(start, text - start);
		if (token == NULL)
			return false;
		(*tokens)[(*count)++] = token;
	}
	return true;
}

/* RFC 6901, 4: "~1" before "~0"; NULL for any other "~" and for NUL */
static char *
unescape_token(const char *text, int length)
{
	char	   *token = palloc(length + 1);
	int			end = 0;
	int			i;

	for (i = 0; i < length; i++)
	{
		char		c = text[i];

		if (c == '~')
		{
			i++;
			if (i == length || (text[i] != '0' && text[i] != '1'))
				return NULL;
			c = text[i] == '0' ? '~' : '/';
		}
		if (c == '\0')
			return NULL;
		token[end++] = c;
	}
	token[end] = '\0';
	return token;
}

void
arazzo_pointer_append(StringInfo out, const char *token)
{
	appendStringInfoChar(out, '/');
	for (; *token != '\0'; token++)
	{
		if (*token == '~')
			appendStringInfoString(out, "~0");
		else if (*token == '/')
			appendStringInfoString(out, "~1");
		else
			appendStringInfoChar(out, *token);
	}
}

/* RFC 6901, 4, Evaluation */
JsonbValue *
arazzo_pointer_value(const JsonbValue *root, char **tokens, int count)
{
	JsonbValue *value = unconstify(JsonbValue *, root);
	int			i;

	for (i = 0; i < count && value != NULL; i++)
	{
		int			index;

		if (arazzo_value_is_object(value))
			value = arazzo_value_member_cstring(value, tokens[i]);
		else if (arazzo_value_is_array(value) && array_index(tokens[i], &index))
			value = arazzo_value_element(value, index);
		else
			value = NULL;
	}
	return value;
}

const ArazzoNode *
arazzo_pointer_node(const ArazzoNode *root, char **tokens, int count)
{
	const ArazzoNode *node = root;
	int			i;

	for (i = 0; i < count && node != NULL; i++)
	{
		int			index;

		if (node->type == NODE_OBJECT)
			node = arazzo_node_member(node, tokens[i]);
		else if (node->type == NODE_ARRAY && array_index(tokens[i], &index) && index < node->count)
			node = node->u.items[index];
		else
			node = NULL;
	}
	return node;
}

/* A number without leading zeros; one that no array can reach is false. */
static bool
array_index(const char *token, int *index)
{
	int64		value = 0;
	const char *c;

	if (token[0] == '\0' || (token[0] == '0' && token[1] != '\0'))
		return false;
	for (c = token; *c != '\0'; c++)
	{
		if (*c < '0' || *c > '9')
			return false;
		value = value * 10 + (*c - '0');
		if (value > INT_MAX)
			return false;
	}
	*index = (int) value;
	return true;
}
