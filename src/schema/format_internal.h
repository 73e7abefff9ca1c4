/*-------------------------------------------------------------------------
 *
 * format_internal.h
 *	  Checks of formats, and the text they eat from the front.
 *
 *-------------------------------------------------------------------------
 */
#ifndef ARAZZO_SCHEMA_FORMAT_INTERNAL_H
#define ARAZZO_SCHEMA_FORMAT_INTERNAL_H

/* What is left of a text to be checked; not NUL-terminated. */
typedef struct FormatText
{
	const char *at;
	const char *end;
} FormatText;

/* Takes one given character; false when something else is there. */
static inline bool
take(FormatText *text, char c)
{
	if (text->at >= text->end || *text->at != c)
		return false;
	text->at++;
	return true;
}

/* The next byte, or NUL at the end (instances hold none). */
static inline char
peek(const FormatText *text)
{
	return text->at < text->end ? *text->at : '\0';
}

static inline bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static inline bool
is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static inline bool
is_hex(char c)
{
	return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/* Takes exactly so many digits as a number. */
static inline bool
take_digits(FormatText *text, int count, int *number)
{
	*number = 0;
	while (count-- > 0)
	{
		if (!is_digit(peek(text)))
			return false;
		*number = *number * 10 + (*text->at++ - '0');
	}
	return true;
}

/* format_time.c */
extern bool arazzo_format_date(const char *data, int length);
extern bool arazzo_format_time(const char *data, int length);
extern bool arazzo_format_date_time(const char *data, int length);
extern bool arazzo_format_duration(const char *data, int length);

/* format_host.c */
extern bool arazzo_format_ipv4(const char *data, int length);
extern bool arazzo_format_ipv6(const char *data, int length);
extern bool arazzo_format_email(const char *data, int length);
extern bool arazzo_format_idn_email(const char *data, int length);

/* format_idn.c */
extern bool arazzo_format_hostname(const char *data, int length);
extern bool arazzo_format_idn_hostname(const char *data, int length);

/* idna.c: code points of one label */
extern bool arazzo_idna_valid_label(const pg_wchar *label, int length);
extern bool arazzo_idna_is_bidi(const pg_wchar *label, int length);
extern bool arazzo_idna_follows_bidi_rule(const pg_wchar *label, int length);

/* punycode.c (RFC 3492): the part after "xn--" */
extern bool arazzo_punycode_decode(const pg_wchar *in, int length, pg_wchar *out, int capacity, int *out_length);
extern int	arazzo_punycode_length(const pg_wchar *in, int length);

/* format_uri.c */
extern bool arazzo_format_uri(const char *data, int length);
extern bool arazzo_format_uri_reference(const char *data, int length);
extern bool arazzo_format_iri(const char *data, int length);
extern bool arazzo_format_iri_reference(const char *data, int length);
extern bool arazzo_format_uri_template(const char *data, int length);

#endif							/* ARAZZO_SCHEMA_FORMAT_INTERNAL_H */
