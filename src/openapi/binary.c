/*-------------------------------------------------------------------------
 *
 * binary.c
 *	  Bytes given as text: bytea hex and base64 (RFC 4648, 4 and 5).
 *
 * JSON has no bytes.  Where a body has, the text of a bytea ("\x..") is
 * always understood, and base64 where the schema names it or asks for raw
 * bytes.  Text for raw bytes that happens to be canonical base64 is decoded;
 * who means the characters gives them as bytea.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "openapi/binary.h"
#include "support/value.h"

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char url_alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

static int	base64_value(char c, bool url);

bool
arazzo_binary_from_hex(StringInfo out, const char *data, int length)
{
	int			i;

	if (length < 2 || length % 2 != 0 || data[0] != '\\' || data[1] != 'x')
		return false;
	for (i = 2; i < length; i++)
	{
		if (arazzo_hex_value(data[i]) < 0)
			return false;
	}
	for (i = 2; i < length; i += 2)
		appendStringInfoCharMacro(out, (char) (arazzo_hex_value(data[i]) << 4 | arazzo_hex_value(data[i + 1])));
	return true;
}

/*
 * Canonical only: no blanks, no surplus bits, and padded (which the URL
 * alphabet may leave out).
 */
bool
arazzo_binary_from_base64(StringInfo out, const char *data, int length, bool url)
{
	int			start = out->len;
	int			digits = length;
	uint32		bits = 0;
	int			i;

	while (digits > 0 && length - digits < 2 && data[digits - 1] == '=')
		digits--;
	if (digits % 4 == 1 || (length % 4 != 0 && !(url && digits == length)) ||
		(length != digits && length % 4 != 0))
		return false;
	for (i = 0; i < digits; i++)
	{
		int			value = base64_value(data[i], url);

		if (value < 0)
			break;
		bits = bits << 6 | value;
		if (i % 4 > 0)
			appendStringInfoCharMacro(out, (char) (bits >> (6 - 2 * (i % 4)) & 0xff));
	}
	if (i == digits &&
		!(digits % 4 == 2 && (bits & 0xf) != 0) && !(digits % 4 == 3 && (bits & 0x3) != 0))
		return true;
	out->len = start;
	out->data[start] = '\0';
	return false;
}

void
arazzo_binary_to_base64(StringInfo out, const char *data, int length, bool url)
{
	const char *digits = url ? url_alphabet : alphabet;
	int			i;

	for (i = 0; i < length; i += 3)
	{
		uint32		bits = (uint32) (unsigned char) data[i] << 16;

		if (i + 1 < length)
			bits |= (uint32) (unsigned char) data[i + 1] << 8;
		if (i + 2 < length)
			bits |= (unsigned char) data[i + 2];
		appendStringInfoChar(out, digits[bits >> 18]);
		appendStringInfoChar(out, digits[bits >> 12 & 63]);
		appendStringInfoChar(out, i + 1 < length ? digits[bits >> 6 & 63] : '=');
		appendStringInfoChar(out, i + 2 < length ? digits[bits & 63] : '=');
	}
}

bool
arazzo_binary_append(StringInfo out, const char *data, int length, OpenapiBinary binary)
{
	if (binary != BINARY_NONE && arazzo_binary_from_hex(out, data, length))
		return true;
	switch (binary)
	{
		case BINARY_BASE64:
			return arazzo_binary_from_base64(out, data, length, false);
		case BINARY_BASE64URL:
			return arazzo_binary_from_base64(out, data, length, true);
		case BINARY_RAW:
			if (length > 0 && arazzo_binary_from_base64(out, data, length, false))
				return true;
			break;
		default:
			break;
	}
	appendBinaryStringInfo(out, data, length);
	return true;
}

static int
base64_value(char c, bool url)
{
	const char *digits = url ? url_alphabet : alphabet;
	const char *place = c ? strchr(digits, c) : NULL;

	return place ? (int) (place - digits) : -1;
}
