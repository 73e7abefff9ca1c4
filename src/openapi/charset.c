/*-------------------------------------------------------------------------
 *
 * charset.c
 *	  Character sets of bodies, through PostgreSQL's own conversions.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/namespace.h"
#include "mb/pg_wchar.h"
#include "utils/memutils.h"

#include "openapi/charset.h"

static bool is_utf8(const char *charset);
static bool is_ascii(const char *text, int length);
static bool convert(StringInfo out, const char *data, int length, int from, int to);
static bool latin1_to_utf8(StringInfo out, const char *bytes, int length);

bool
arazzo_charset_encode(StringInfo out, const char *text, int length, const char *charset)
{
	if (!is_utf8(charset) && !is_ascii(text, length))
		return convert(out, text, length, PG_UTF8, pg_char_to_encoding(charset));
	appendBinaryStringInfo(out, text, length);
	return true;
}

bool
arazzo_charset_decode(StringInfo out, const char *bytes, int length, const char *charset)
{
	if (charset && pg_char_to_encoding(charset) == PG_LATIN1)
		return latin1_to_utf8(out, bytes, length);
	if (!is_utf8(charset) && !is_ascii(bytes, length))
		return convert(out, bytes, length, pg_char_to_encoding(charset), PG_UTF8);
	if (pg_encoding_verifymbstr(PG_UTF8, bytes, length) != length)
		return false;
	appendBinaryStringInfo(out, bytes, length);
	return true;
}

/* UTF-8, and US-ASCII as it is mislabelled. */
static bool
is_utf8(const char *charset)
{
	return charset == NULL || charset[0] == '\0' || pg_strcasecmp(charset, "us-ascii") == 0 ||
		pg_strcasecmp(charset, "ascii") == 0 || pg_char_to_encoding(charset) == PG_UTF8;
}

static bool
is_ascii(const char *text, int length)
{
	int			i;

	for (i = 0; i < length; i++)
	{
		if (IS_HIGHBIT_SET(text[i]) || text[i] == '\0')
			return false;
	}
	return true;
}

static bool
convert(StringInfo out, const char *data, int length, int from, int to)
{
	Oid			procedure;
	unsigned char *converted;
	Size		size = (Size) length * MAX_CONVERSION_GROWTH + 1;

	if (!PG_VALID_ENCODING(from) || !PG_VALID_ENCODING(to) || !IsTransactionState() ||
		size >= MaxAllocSize)
		return false;
	procedure = FindDefaultConversionProc(from, to);
	if (!OidIsValid(procedure))
		return false;
	converted = palloc(size);
	if (pg_do_encoding_conversion_buf(procedure, from, to, (unsigned char *) unconstify(char *, data),
									  length, converted, size, true) != length)
	{
		pfree(converted);
		return false;
	}
	appendStringInfoString(out, (char *) converted);
	pfree(converted);
	return true;
}

/* ISO-8859-1 is the first 256 characters of Unicode. */
static bool
latin1_to_utf8(StringInfo out, const char *bytes, int length)
{
	int			i;

	for (i = 0; i < length; i++)
	{
		unsigned char c = bytes[i];

		if (c >= 0x80)
		{
			appendStringInfoCharMacro(out, (char) (0xc0 | c >> 6));
			c = 0x80 | (c & 0x3f);
		}
		appendStringInfoCharMacro(out, (char) c);
	}
	return true;
}
