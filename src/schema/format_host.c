/*-------------------------------------------------------------------------
 *
 * format_host.c
 *	  Formats of addresses: ipv4, ipv6, email, idn-email.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "mb/pg_wchar.h"

#include "schema/format_internal.h"

static bool take_group(FormatText *text);
static bool check_mailbox(const char *data, int length, bool international);
static bool take_local_part(FormatText *text, bool international);
static bool take_quoted(FormatText *text, bool international);
static bool is_atom(char c, bool international);
static bool check_domain(const char *data, int length, bool international);
static bool check_labels(const char *data, int length);

/* RFC 2673, 3.2: four decimal bytes, without leading zeros */
bool
arazzo_format_ipv4(const char *data, int length)
{
	FormatText	text = {data, data + length};
	int			i;

	for (i = 0; i < 4; i++)
	{
		const char *start;
		int			number = 0;

		if (i > 0 && !take(&text, '.'))
			return false;
		start = text.at;
		while (is_digit(peek(&text)) && text.at - start < 3)
			number = number * 10 + (*text.at++ - '0');
		if (text.at == start || number > 255 || (*start == '0' && text.at - start > 1))
			return false;
	}
	return text.at == text.end;
}

/* RFC 4291, 2.2 */
bool
arazzo_format_ipv6(const char *data, int length)
{
	FormatText	text = {data, data + length};
	bool		shortened = false;
	int			groups = 0;

	if (length >= 2 && data[0] == ':' && data[1] == ':')
	{
		shortened = true;
		text.at += 2;
	}
	while (text.at < text.end)
	{
		FormatText	group = text;

		if (!take_group(&group))
			return false;
		groups++;
		if (peek(&group) == '.')
			return arazzo_format_ipv4(text.at, text.end - text.at) && (shortened ? groups < 7 : groups == 7);
		text = group;
		if (text.at == text.end)
			break;
		if (!take(&text, ':') || text.at == text.end)
			return false;
		if (take(&text, ':'))
		{
			if (shortened)
				return false;
			shortened = true;
		}
	}
	return shortened ? groups < 8 : groups == 8;
}

/* RFC 5321, 4.1.2 */
bool
arazzo_format_email(const char *data, int length)
{
	return check_mailbox(data, length, false);
}

/* RFC 6531 */
bool
arazzo_format_idn_email(const char *data, int length)
{
	return check_mailbox(data, length, true);
}

/* One to four hexadecimal digits. */
static bool
take_group(FormatText *text)
{
	const char *start = text->at;

	while (is_hex(peek(text)) && text->at - start < 4)
		text->at++;
	return text->at > start;
}

/* Mailbox (RFC 5321, 4.1.2; RFC 6531, 3.3) */
static bool
check_mailbox(const char *data, int length, bool international)
{
	FormatText	text = {data, data + length};

	return take_local_part(&text, international) && take(&text, '@') &&
		check_domain(text.at, text.end - text.at, international);
}

/* Dot-string or Quoted-string */
static bool
take_local_part(FormatText *text, bool international)
{
	if (peek(text) == '"')
		return take_quoted(text, international);
	do
	{
		const char *start = text->at;

		while (text->at < text->end && is_atom(*text->at, international))
			text->at++;
		if (text->at == start)
			return false;
	} while (take(text, '.'));
	return true;
}

static bool
take_quoted(FormatText *text, bool international)
{
	text->at++;
	while (text->at < text->end && *text->at != '"')
	{
		if (take(text, '\\') && text->at == text->end)
			return false;
		if (IS_HIGHBIT_SET(*text->at) ? !international : (*text->at < ' ' || *text->at > '~'))
			return false;
		text->at++;
	}
	return take(text, '"');
}

static bool
is_atom(char c, bool international)
{
	if (IS_HIGHBIT_SET(c))
		return international;
	return is_letter(c) || is_digit(c) || (c != '\0' && strchr("!#$%&'*+-/=?^_`{|}~", c) != NULL);
}

/* Domain or address-literal */
static bool
check_domain(const char *data, int length, bool international)
{
	if (length >= 2 && data[0] == '[' && data[length - 1] == ']')
	{
		if (length > 7 && pg_strncasecmp(data + 1, "IPv6:", 5) == 0)
			return arazzo_format_ipv6(data + 6, length - 7);
		return arazzo_format_ipv4(data + 1, length - 2);
	}
	return international ? check_labels(data, length) : arazzo_format_hostname(data, length);
}

/* Labels of an internationalized mail domain, before any mapping. */
static bool
check_labels(const char *data, int length)
{
	FormatText	text = {data, data + length};

	do
	{
		const char *start = text.at;

		while (text.at < text.end &&
			   (IS_HIGHBIT_SET(*text.at) || is_letter(*text.at) || is_digit(*text.at) || *text.at == '-'))
			text.at++;
		if (text.at == start || *start == '-' || text.at[-1] == '-')
			return false;
	} while (take(&text, '.'));
	return text.at == text.end;
}
