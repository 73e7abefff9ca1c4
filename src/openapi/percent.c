/*-------------------------------------------------------------------------
 *
 * percent.c
 *	  Percent-encoding by destination.
 *
 * OpenAPI 3.2.0, URL Percent-Encoding and Appendix E.  Reserved expansion
 * (RFC 6570, 3.2.3) lets reserved characters and encoded triplets pass; those
 * that the destination does not allow, or that have a meaning of their own
 * there, are encoded all the same, so that no value leaves its place: "#",
 * "[", "]", "&", "=" and "+" in a query, "/", "?" and "#" in a path.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "openapi/percent.h"
#include "support/value.h"

/* What stays as it is besides letters and digits. */
static const struct
{
	const char *keep;
	bool		plus;			/* a space becomes "+" */
	bool		triplets;		/* an encoded triplet stays */
	const char *except;			/* but not one that decodes to one of these */
}			sets[] =
{
	[PERCENT_NONE] = {"", false, false, ""},
	[PERCENT_VALUE] = {"-._~", false, false, ""},
	[PERCENT_QUERY_RESERVED] = {"-._~:/?@!$'()*,;", false, true, ""},
	[PERCENT_PATH_RESERVED] = {"-._~:@!$&'()*+,;=", false, true, "/\\.?#%"},
	[PERCENT_QUERYSTRING] = {"-._~:/?@!$&'()*+,;=", false, true, ""},
	[PERCENT_FORM] = {"*-._", true, false, ""},
	[PERCENT_FORM_RESERVED] = {"*-._:/?@!$'(),;~", true, true, ""}
};

static bool triplet_stays(const char *data, int length, const char *except);

void
arazzo_percent_append(StringInfo out, const char *data, int length, PercentSet set)
{
	static const char hex[] = "0123456789ABCDEF";
	int			i;

	if (set == PERCENT_NONE)
	{
		appendBinaryStringInfo(out, data, length);
		return;
	}
	for (i = 0; i < length; i++)
	{
		unsigned char c = data[i];

		if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
			(c != '\0' && strchr(sets[set].keep, c) != NULL))
			appendStringInfoChar(out, c);
		else if (c == ' ' && sets[set].plus)
			appendStringInfoChar(out, '+');
		else if (c == '%' && sets[set].triplets &&
				 triplet_stays(data + i, length - i, sets[set].except))
			appendStringInfoChar(out, c);
		else
		{
			appendStringInfoChar(out, '%');
			appendStringInfoChar(out, hex[c >> 4]);
			appendStringInfoChar(out, hex[c & 15]);
		}
	}
}

/* An encoded triplet that a server may decode without harm. */
static bool
triplet_stays(const char *data, int length, const char *except)
{
	int			high;
	int			low;
	int			c;

	if (length < 3)
		return false;
	high = arazzo_hex_value(data[1]);
	low = arazzo_hex_value(data[2]);
	if (high < 0 || low < 0)
		return false;
	c = high * 16 + low;
	return c >= 0x20 && c != 0x7f && strchr(except, c) == NULL;
}
