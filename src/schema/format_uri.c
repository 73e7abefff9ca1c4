/*-------------------------------------------------------------------------
 *
 * format_uri.c
 *	  Formats of RFC 3986, RFC 3987 and RFC 6570.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "mb/pg_wchar.h"

#include "schema/format_internal.h"

/* What may stand in a component besides unreserved and percent-encoded. */
#define SUB_DELIMS "!$&'()*+,;="
#define IN_SEGMENT SUB_DELIMS ":@"
#define IN_QUERY IN_SEGMENT "/?"

typedef enum UriKind
{
	KIND_URI,
	KIND_IRI
} UriKind;

static bool check(const char *data, int length, UriKind kind, bool needs_scheme);
static bool take_scheme(FormatText *text);
static bool take_authority(FormatText *text, UriKind kind);
static bool take_host(FormatText *text, UriKind kind);
static bool take_ip_literal(FormatText *text);
static bool is_future_address(const char *data, int length);
static void take_run(FormatText *text, UriKind kind, const char *also, bool in_query);
static bool take_one(FormatText *text, UriKind kind, const char *also, bool in_query);
static bool take_percent_encoded(FormatText *text);
static bool is_international(pg_wchar code, bool in_query);
static bool take_template_expression(FormatText *text);
static bool take_variable(FormatText *text);

/* RFC 3986, 3 */
bool
arazzo_format_uri(const char *data, int length)
{
	return check(data, length, KIND_URI, true);
}

/* RFC 3986, 4.1 */
bool
arazzo_format_uri_reference(const char *data, int length)
{
	return check(data, length, KIND_URI, false);
}

/* RFC 3987, 2.2 */
bool
arazzo_format_iri(const char *data, int length)
{
	return check(data, length, KIND_IRI, true);
}

/* RFC 3987, 2.2 */
bool
arazzo_format_iri_reference(const char *data, int length)
{
	return check(data, length, KIND_IRI, false);
}

/* RFC 6570, 2: literals (as corrected by erratum 6937) and expressions */
bool
arazzo_format_uri_template(const char *data, int length)
{
	FormatText	text = {data, data + length};

	while (text.at < text.end)
	{
		char		c = *text.at;

		if (c == '{')
		{
			if (!take_template_expression(&text))
				return false;
		}
		else if (c == '%')
		{
			if (!take_percent_encoded(&text))
				return false;
		}
		else if ((unsigned char) c <= ' ' || c == 0x7F || strchr("\"<>\\^`|}", c) != NULL)
			return false;
		else
			text.at++;
	}
	return true;
}

/* URI or URI-reference (RFC 3986, 3 and 4.1); IRI alike (RFC 3987, 2.2) */
static bool
check(const char *data, int length, UriKind kind, bool needs_scheme)
{
	FormatText	text = {data, data + length};
	bool		has_scheme = take_scheme(&text);

	if (needs_scheme && !has_scheme)
		return false;
	if (text.end - text.at >= 2 && text.at[0] == '/' && text.at[1] == '/')
	{
		text.at += 2;
		if (!take_authority(&text, kind) || (peek(&text) != '\0' && strchr("/?#", peek(&text)) == NULL))
			return false;
	}
	else if (!has_scheme)
	{
		/* path-noscheme: no colon in the first segment */
		take_run(&text, kind, SUB_DELIMS "@", false);
		if (peek(&text) == ':')
			return false;
	}
	take_run(&text, kind, IN_SEGMENT "/", false);
	if (take(&text, '?'))
		take_run(&text, kind, IN_QUERY, true);
	if (take(&text, '#'))
		take_run(&text, kind, IN_QUERY, false);
	return text.at == text.end;
}

/* scheme ":"; leaves the text alone when there is none */
static bool
take_scheme(FormatText *text)
{
	FormatText	ahead = *text;

	if (!is_letter(peek(&ahead)))
		return false;
	while (is_letter(peek(&ahead)) || is_digit(peek(&ahead)) ||
		   (peek(&ahead) != '\0' && strchr("+-.", peek(&ahead))))
		ahead.at++;
	if (!take(&ahead, ':'))
		return false;
	*text = ahead;
	return true;
}

/* [ userinfo "@" ] host [ ":" port ] */
static bool
take_authority(FormatText *text, UriKind kind)
{
	FormatText	ahead = *text;

	take_run(&ahead, kind, SUB_DELIMS ":", false);
	if (take(&ahead, '@'))
		*text = ahead;
	if (!take_host(text, kind))
		return false;
	if (take(text, ':'))
	{
		while (is_digit(peek(text)))
			text->at++;
	}
	return true;
}

static bool
take_host(FormatText *text, UriKind kind)
{
	if (peek(text) == '[')
		return take_ip_literal(text);
	take_run(text, kind, SUB_DELIMS, false);
	return true;
}

static bool
take_ip_literal(FormatText *text)
{
	const char *start = text->at + 1;
	const char *close = memchr(start, ']', text->end - start);

	if (close == NULL)
		return false;
	text->at = close + 1;
	return arazzo_format_ipv6(start, close - start) || is_future_address(start, close - start);
}

/* IPvFuture */
static bool
is_future_address(const char *data, int length)
{
	FormatText	text = {data, data + length};

	if ((!take(&text, 'v') && !take(&text, 'V')) || !is_hex(peek(&text)))
		return false;
	while (is_hex(peek(&text)))
		text.at++;
	if (!take(&text, '.') || text.at == text.end)
		return false;
	while (peek(&text) != '%' && take_one(&text, KIND_URI, SUB_DELIMS ":", false))
		;
	return text.at == text.end;
}

static void
take_run(FormatText *text, UriKind kind, const char *also, bool in_query)
{
	while (take_one(text, kind, also, in_query))
		;
}

/* One character: unreserved, percent-encoded, one of also, or beyond ASCII. */
static bool
take_one(FormatText *text, UriKind kind, const char *also, bool in_query)
{
	char		c = peek(text);
	pg_wchar	code[2];
	int			length;

	if (c == '\0')
		return false;
	if (c == '%')
		return take_percent_encoded(text);
	if (!IS_HIGHBIT_SET(c))
	{
		if (!is_letter(c) && !is_digit(c) && strchr("-._~", c) == NULL && strchr(also, c) == NULL)
			return false;
		text->at++;
		return true;
	}
	if (kind != KIND_IRI)
		return false;
	length = pg_mblen(text->at);
	pg_mb2wchar_with_len(text->at, code, length);
	if (!is_international(code[0], in_query))
		return false;
	text->at += length;
	return true;
}

static bool
take_percent_encoded(FormatText *text)
{
	if (text->end - text->at < 3 || text->at[0] != '%' || !is_hex(text->at[1]) || !is_hex(text->at[2]))
		return false;
	text->at += 3;
	return true;
}

/* ucschar, and in a query iprivate */
static bool
is_international(pg_wchar code, bool in_query)
{
	if ((code >= 0xE000 && code <= 0xF8FF) || code >= 0xF0000)
		return in_query && (code & 0xFFFE) != 0xFFFE;
	if (code >= 0xE0000 && code < 0xE1000)
		return false;
	if (code >= 0x10000)
		return (code & 0xFFFE) != 0xFFFE;
	return (code >= 0xA0 && code <= 0xD7FF) || (code >= 0xF900 && code <= 0xFDCF) ||
		(code >= 0xFDF0 && code <= 0xFFEF);
}

/* "{" [ operator ] variable-list "}" (RFC 6570, 2.2); reserved operators mean nothing yet */
static bool
take_template_expression(FormatText *text)
{
	text->at++;
	if (peek(text) != '\0' && strchr("+#./;?&", peek(text)))
		text->at++;
	do
	{
		if (!take_variable(text))
			return false;
	} while (take(text, ','));
	return take(text, '}');
}

/* varspec (RFC 6570, 2.3 and 2.4) */
static bool
take_variable(FormatText *text)
{
	int			digits = 0;

	do
	{
		const char *start = text->at;

		while (is_letter(peek(text)) || is_digit(peek(text)) || peek(text) == '_' || peek(text) == '%')
		{
			if (peek(text) == '%' ? !take_percent_encoded(text) : !take(text, *text->at))
				return false;
		}
		if (text->at == start)
			return false;
	} while (take(text, '.'));
	if (take(text, '*') || !take(text, ':'))
		return true;
	if (peek(text) == '0')
		return false;
	for (; is_digit(peek(text)) && digits < 4; digits++)
		text->at++;
	return digits > 0;
}
