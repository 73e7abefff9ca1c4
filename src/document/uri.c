/*-------------------------------------------------------------------------
 *
 * uri.c
 *	  URI references (RFC 3986).
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "document/uri.h"
#include "support/value.h"

static bool is_well_formed(const char *text);
static const char *scheme_end(const char *text);
static char *merge_paths(const ArazzoUri *base, const char *path);
static char *remove_dot_segments(const char *path, bool rooted);
static void drop_last_segment(StringInfo out, int floor);
static char *compose(const ArazzoUri *uri);
static bool is_alpha(char c);
static bool is_digit(char c);
static bool is_unreserved(unsigned char c);

/* RFC 3986, Appendix B, which 5.2.2 builds on */
bool
arazzo_uri_split(const char *text, ArazzoUri *uri)
{
	const char *colon = scheme_end(text);
	size_t		length;

	memset(uri, 0, sizeof(ArazzoUri));
	uri->path = "";
	if (!is_well_formed(text))
		return false;
	if (colon != NULL)
	{
		uri->scheme = pnstrdup(text, colon - text);
		text = colon + 1;
	}
	if (text[0] == '/' && text[1] == '/')
	{
		length = strcspn(text + 2, "/?#");
		uri->authority = pnstrdup(text + 2, length);
		text += 2 + length;
	}
	length = strcspn(text, "?#");
	uri->path = pnstrdup(text, length);
	text += length;
	if (*text == '?')
	{
		length = strcspn(text + 1, "#");
		uri->query = pnstrdup(text + 1, length);
		text += 1 + length;
	}
	if (*text == '#')
		uri->fragment = pstrdup(text + 1);
	return true;
}

/*
 * Neither blanks nor control characters, and percent signs only before two
 * hexadecimal digits; beyond that people write what they like (characters
 * beyond ASCII, braces) and mean it.
 */
static bool
is_well_formed(const char *text)
{
	const char *c;

	for (c = text; *c != '\0'; c++)
	{
		if ((unsigned char) *c <= ' ' || *c == 0x7F)
			return false;
		if (*c == '%' && (arazzo_hex_value(c[1]) < 0 || arazzo_hex_value(c[2]) < 0))
			return false;
	}
	return true;
}

/* The colon after a scheme (RFC 3986, 3.1), or NULL. */
static const char *
scheme_end(const char *text)
{
	const char *c = text;

	if (!is_alpha(*c))
		return NULL;
	while (is_alpha(*c) || is_digit(*c) || *c == '+' || *c == '-' || *c == '.')
		c++;
	return *c == ':' ? c : NULL;
}

bool
arazzo_uri_is_absolute(const char *text)
{
	return scheme_end(text) != NULL;
}

/*
 * RFC 3986, 5.2.2.  A text that is no URI reference, such as a file path
 * with blanks, is taken as a path.
 */
char *
arazzo_uri_resolve(const char *base, const char *reference)
{
	ArazzoUri	from;
	ArazzoUri	target;

	if (!arazzo_uri_split(base, &from))
		from.path = base;
	if (!arazzo_uri_split(reference, &target))
		target.path = reference;

	if (target.scheme == NULL)
	{
		target.scheme = from.scheme;
		if (target.authority == NULL)
		{
			target.authority = from.authority;
			if (target.path[0] == '\0')
			{
				target.path = from.path;
				if (target.query == NULL)
					target.query = from.query;
			}
			else if (target.path[0] != '/')
				target.path = merge_paths(&from, target.path);
		}
	}
	target.path = remove_dot_segments(target.path,
									  target.scheme != NULL || target.authority != NULL);
	return compose(&target);
}

/* RFC 3986, 5.2.3, Merge Paths */
static char *
merge_paths(const ArazzoUri *base, const char *path)
{
	const char *slash = strrchr(base->path, '/');

	if (slash == NULL)
		return base->authority != NULL ? psprintf("/%s", path) : pstrdup(path);
	return psprintf("%.*s/%s", (int) (slash - base->path), base->path, path);
}

/*
 * RFC 3986, 5.2.4, Remove Dot Segments.  In a path that is relative and
 * stays so (a base that is a relative file path) the ".." that lead out of
 * it are kept, since they name another place.
 */
static char *
remove_dot_segments(const char *path, bool rooted)
{
	StringInfoData out;
	bool		keep_leading = !rooted && path[0] != '/';
	int			floor = 0;		/* what ".." does not take back */

	initStringInfo(&out);
	if (path[0] == '/')
	{
		appendStringInfoChar(&out, '/');
		floor = 1;
		path++;
	}
	for (;;)
	{
		int			length = strcspn(path, "/");
		bool		last = path[length] == '\0';

		if (length == 2 && path[0] == '.' && path[1] == '.')
		{
			if (keep_leading && out.len == floor)
			{
				appendStringInfoString(&out, last ? ".." : "../");
				floor = out.len;
			}
			else
				drop_last_segment(&out, floor);
		}
		else if (length != 1 || path[0] != '.')
		{
			appendBinaryStringInfo(&out, path, length);
			if (!last)
				appendStringInfoChar(&out, '/');
		}
		if (last)
			return out.data;
		path += length + 1;
	}
}

/* Takes back "segment/" from the end, but not below the floor. */
static void
drop_last_segment(StringInfo out, int floor)
{
	if (out->len <= floor)
		return;
	out->len--;
	while (out->len > floor && out->data[out->len - 1] != '/')
		out->len--;
	out->data[out->len] = '\0';
}

/* RFC 3986, 5.3, Component Recomposition */
static char *
compose(const ArazzoUri *uri)
{
	StringInfoData out;

	initStringInfo(&out);
	if (uri->scheme != NULL)
		appendStringInfo(&out, "%s:", uri->scheme);
	if (uri->authority != NULL)
		appendStringInfo(&out, "//%s", uri->authority);
	else if (uri->path[0] == '/' && uri->path[1] == '/')
		appendStringInfoString(&out, "/.");	/* else it would read as an authority */
	else if (uri->scheme == NULL && scheme_end(uri->path) != NULL)
		appendStringInfoString(&out, "./"); /* else as a scheme (RFC 3986, 4.2) */
	appendStringInfoString(&out, uri->path);
	if (uri->query != NULL)
		appendStringInfo(&out, "?%s", uri->query);
	if (uri->fragment != NULL)
		appendStringInfo(&out, "#%s", uri->fragment);
	return out.data;
}

char *
arazzo_uri_defragment(const char *text, char **fragment)
{
	const char *hash = strchr(text, '#');

	if (fragment != NULL)
		*fragment = NULL;
	if (hash == NULL)
		return pstrdup(text);
	if (fragment != NULL)
	{
		*fragment = arazzo_uri_decode(hash + 1, strlen(hash + 1));
		if (*fragment == NULL)	/* not encoded, evidently */
			*fragment = pstrdup(hash + 1);
	}
	return pnstrdup(text, hash - text);
}

/* RFC 3986, 2.1 and 2.3; hexadecimal digits in upper case */
void
arazzo_uri_encode(StringInfo out, const char *data, int length, const char *keep)
{
	static const char digits[] = "0123456789ABCDEF";
	int			i;

	for (i = 0; i < length; i++)
	{
		unsigned char c = data[i];

		if (is_unreserved(c) || (keep != NULL && c != '\0' && strchr(keep, c) != NULL))
			appendStringInfoChar(out, c);
		else
		{
			appendStringInfoChar(out, '%');
			appendStringInfoChar(out, digits[c >> 4]);
			appendStringInfoChar(out, digits[c & 0x0F]);
		}
	}
}

char *
arazzo_uri_decode(const char *data, int length)
{
	char	   *decoded = palloc(length + 1);
	int			end = 0;
	int			i;

	for (i = 0; i < length; i++)
	{
		char		c = data[i];

		if (c == '%')
		{
			int			high = i + 2 < length ? arazzo_hex_value(data[i + 1]) : -1;
			int			low = i + 2 < length ? arazzo_hex_value(data[i + 2]) : -1;

			if (high < 0 || low < 0)
				return NULL;
			c = (char) (high << 4 | low);
			i += 2;
		}
		if (c == '\0')
			return NULL;
		decoded[end++] = c;
	}
	decoded[end] = '\0';
	return decoded;
}

static bool
is_alpha(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool
is_unreserved(unsigned char c)
{
	return is_alpha(c) || is_digit(c) || c == '-' || c == '.' || c == '_' || c == '~';
}
