/*-------------------------------------------------------------------------
 *
 * jsonpath_scan.c
 *	  What a JSONPath query is written with: names, strings, numbers.
 *
 * The text is in UTF-8 and not NUL-terminated; every look ahead is checked
 * against its length.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <ctype.h>

#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/numeric.h"

#include "expression/jsonpath_internal.h"

/* Integers are exact in I-JSON up to here (RFC 9535, 2.1). */
#define MAX_EXACT_INTEGER	INT64CONST(9007199254740991)

#define MAX_NESTING			500
#define MAX_SHOWN_QUERY		200

/* What numeric can hold; JSON numbers in jsonb are within these. */
#define MAX_NUMERIC_POWER	131071
#define MAX_NUMERIC_SCALE	16383

static int	character_offset(const char *text, int position);
static int	multibyte_length(const JsonPathParser *parser, int position);
static bool scan_escape(JsonPathParser *parser, char quote, StringInfo out);
static bool scan_unicode_escape(JsonPathParser *parser, StringInfo out);
static bool scan_hex4(JsonPathParser *parser, pg_wchar *code);
static int	scan_digits(JsonPathParser *parser);
static bool scan_whole_part(JsonPathParser *parser, const char *expected);
static bool make_number(JsonPathParser *parser, int start, int point, int exponent,
						JsonbValue *number);
static int	exponent_value(const char *text);

int
arazzo_jsonpath_peek(const JsonPathParser *parser)
{
	if (parser->position >= parser->length)
		return -1;
	return (unsigned char) parser->text[parser->position];
}

bool
arazzo_jsonpath_accept(JsonPathParser *parser, const char *token)
{
	int			length = strlen(token);

	if (parser->length - parser->position < length ||
		memcmp(parser->text + parser->position, token, length) != 0)
		return false;
	parser->position += length;
	return true;
}

bool
arazzo_jsonpath_require(JsonPathParser *parser, const char *token)
{
	if (arazzo_jsonpath_accept(parser, token))
		return true;
	return arazzo_jsonpath_refuse(parser, parser->position,
								  psprintf("expected \"%s\"", token));
}

void
arazzo_jsonpath_skip_blanks(JsonPathParser *parser)
{
	for (;;)
	{
		int			next = arazzo_jsonpath_peek(parser);

		if (next != ' ' && next != '\t' && next != '\n' && next != '\r')
			return;
		parser->position++;
	}
}

/*
 * The offset in the message counts characters from 0.  A query too long to
 * be shown is cut.
 */
bool
arazzo_jsonpath_refuse(JsonPathParser *parser, int position, const char *problem)
{
	int			shown = Min(parser->length, MAX_SHOWN_QUERY);

	if (parser->failure != NULL)
		return false;
	while (shown > 0 && shown < parser->length && (parser->text[shown] & 0xC0) == 0x80)
		shown--;
	parser->failure =
		arazzo_failure_make(ERRCODE_ARAZZO_EXPRESSION,
							"invalid JSONPath query \"%.*s%s\": %s at offset %d",
							shown, parser->text, shown < parser->length ? "..." : "",
							problem, character_offset(parser->text, position));
	return false;
}

static int
character_offset(const char *text, int position)
{
	int			offset = 0;

	for (int i = 0; i < position; i++)
	{
		if ((text[i] & 0xC0) != 0x80)
			offset++;
	}
	return offset;
}

bool
arazzo_jsonpath_nest(JsonPathParser *parser)
{
	check_stack_depth();
	if (++parser->nesting <= MAX_NESTING)
		return true;
	return arazzo_jsonpath_refuse(parser, parser->position, "nesting is too deep");
}

bool
arazzo_jsonpath_at_member_name(const JsonPathParser *parser)
{
	int			next = arazzo_jsonpath_peek(parser);

	return next >= 0x80 || next == '_' || (next > 0 && isalpha(next));
}

/* member-name-shorthand (2.5.1.1) */
bool
arazzo_jsonpath_scan_member_name(JsonPathParser *parser, JsonPathName *name)
{
	int			start = parser->position;

	if (!arazzo_jsonpath_at_member_name(parser))
		return arazzo_jsonpath_refuse(parser, start, "expected a member name");
	for (;;)
	{
		int			next = arazzo_jsonpath_peek(parser);

		if (next >= 0x80)
		{
			int			length = multibyte_length(parser, parser->position);

			if (length == 0)
				return arazzo_jsonpath_refuse(parser, parser->position, "invalid UTF-8");
			parser->position += length;
		}
		else if (next == '_' || (next > 0 && isalnum(next)))
			parser->position++;
		else
			break;
	}
	name->length = parser->position - start;
	name->data = pnstrdup(parser->text + start, name->length);
	return true;
}

/* Bytes of the character beyond ASCII at a position; 0 for invalid UTF-8. */
static int
multibyte_length(const JsonPathParser *parser, int position)
{
	const unsigned char *at = (const unsigned char *) parser->text + position;
	int			length = pg_utf_mblen(at);

	if (length > parser->length - position || !pg_utf8_islegal(at, length))
		return 0;
	return length;
}

/* string-literal (2.3.1.1), in either kind of quotes */
bool
arazzo_jsonpath_scan_string(JsonPathParser *parser, JsonPathName *string)
{
	int			start = parser->position;
	char		quote = parser->text[parser->position++];
	StringInfoData out;

	initStringInfo(&out);
	for (;;)
	{
		int			next = arazzo_jsonpath_peek(parser);
		int			length = 1;

		CHECK_FOR_INTERRUPTS();
		if (next < 0)
			return arazzo_jsonpath_refuse(parser, start, "unterminated string");
		if (next == quote)
			break;
		if (next == '\\')
		{
			if (!scan_escape(parser, quote, &out))
				return false;
			continue;
		}
		if (next < 0x20)
			return arazzo_jsonpath_refuse(parser, parser->position,
										  "control character in a string");
		if (next >= 0x80 && (length = multibyte_length(parser, parser->position)) == 0)
			return arazzo_jsonpath_refuse(parser, parser->position, "invalid UTF-8");
		appendBinaryStringInfo(&out, parser->text + parser->position, length);
		parser->position += length;
	}
	parser->position++;
	string->data = out.data;
	string->length = out.len;
	return true;
}

/* An escape sequence; the other kind of quote must not be escaped. */
static bool
scan_escape(JsonPathParser *parser, char quote, StringInfo out)
{
	static const char names[] = "bfnrt/\\";
	static const char characters[] = "\b\f\n\r\t/\\";
	int			start = parser->position++;
	int			next = arazzo_jsonpath_peek(parser);
	const char *found;

	if (next == 'u')
		return scan_unicode_escape(parser, out);
	found = next > 0 ? strchr(names, next) : NULL;
	if (next != quote && found == NULL)
		return arazzo_jsonpath_refuse(parser, start, "invalid escape sequence");
	appendStringInfoChar(out, next == quote ? quote : characters[found - names]);
	parser->position++;
	return true;
}

/* hexchar (2.3.1.1): surrogates only in pairs. */
static bool
scan_unicode_escape(JsonPathParser *parser, StringInfo out)
{
	int			start = parser->position - 1;
	pg_wchar	code;
	pg_wchar	low;
	unsigned char utf8[4];

	if (!scan_hex4(parser, &code))
		return arazzo_jsonpath_refuse(parser, start, "invalid Unicode escape sequence");
	if (is_utf16_surrogate_second(code))
		return arazzo_jsonpath_refuse(parser, start, "low surrogate without a high one");
	if (is_utf16_surrogate_first(code))
	{
		if (!arazzo_jsonpath_accept(parser, "\\") ||
			!scan_hex4(parser, &low) || !is_utf16_surrogate_second(low))
			return arazzo_jsonpath_refuse(parser, start, "high surrogate without a low one");
		code = surrogate_pair_to_codepoint(code, low);
	}
	unicode_to_utf8(code, utf8);
	appendBinaryStringInfo(out, (char *) utf8, pg_utf_mblen(utf8));
	return true;
}

/* "u" and four hexadecimal digits */
static bool
scan_hex4(JsonPathParser *parser, pg_wchar *code)
{
	*code = 0;
	if (!arazzo_jsonpath_accept(parser, "u"))
		return false;
	for (int i = 0; i < 4; i++)
	{
		int			next = arazzo_jsonpath_peek(parser);

		if (next <= 0 || !isxdigit(next))
			return false;
		*code = *code * 16 + (isdigit(next) ? next - '0' : (next | 0x20) - 'a' + 10);
		parser->position++;
	}
	return true;
}

static int
scan_digits(JsonPathParser *parser)
{
	int			start = parser->position;

	for (;;)
	{
		int			next = arazzo_jsonpath_peek(parser);

		if (next < '0' || next > '9')
			return parser->position - start;
		parser->position++;
	}
}

/* The digits of an int: none before another but 0 itself. */
static bool
scan_whole_part(JsonPathParser *parser, const char *expected)
{
	int			start = parser->position;
	int			digits = scan_digits(parser);

	if (digits == 0)
		return arazzo_jsonpath_refuse(parser, start, expected);
	if (digits > 1 && parser->text[start] == '0')
		return arazzo_jsonpath_refuse(parser, start, "leading zero");
	return true;
}

/* int (2.3.3.1), within the range of 2.1 */
bool
arazzo_jsonpath_scan_integer(JsonPathParser *parser, int64 *integer)
{
	int			start = parser->position;
	bool		negative = arazzo_jsonpath_accept(parser, "-");
	int			digits = parser->position;

	*integer = 0;
	if (!scan_whole_part(parser, "expected an integer"))
		return false;
	if (negative && parser->text[digits] == '0')
		return arazzo_jsonpath_refuse(parser, start, "negative zero");
	for (int i = digits; i < parser->position; i++)
	{
		*integer = *integer * 10 + (parser->text[i] - '0');
		if (*integer > MAX_EXACT_INTEGER)
			return arazzo_jsonpath_refuse(parser, start, "integer out of range");
	}
	if (negative)
		*integer = -*integer;
	return true;
}

/* number (2.3.5.1) */
bool
arazzo_jsonpath_scan_number(JsonPathParser *parser, JsonbValue *number)
{
	int			start = parser->position;
	int			point = -1;
	int			exponent = -1;

	(void) arazzo_jsonpath_accept(parser, "-");
	if (!scan_whole_part(parser, "expected a number"))
		return false;
	if (arazzo_jsonpath_accept(parser, "."))
	{
		point = parser->position;
		if (scan_digits(parser) == 0)
			return arazzo_jsonpath_refuse(parser, point, "expected a digit");
	}
	if (arazzo_jsonpath_accept(parser, "e") || arazzo_jsonpath_accept(parser, "E"))
	{
		exponent = parser->position;
		if (!arazzo_jsonpath_accept(parser, "-"))
			(void) arazzo_jsonpath_accept(parser, "+");
		if (scan_digits(parser) == 0)
			return arazzo_jsonpath_refuse(parser, parser->position, "expected a digit");
	}
	return make_number(parser, start, point, exponent, number);
}

/*
 * Makes the number that ends at the parser's position.  One that is larger
 * than any that jsonb can hold becomes infinite, one that is smaller zero,
 * as is left to us by 2.3.5.2.2 for numbers beyond I-JSON's.
 */
static bool
make_number(JsonPathParser *parser, int start, int point, int exponent,
			JsonbValue *number)
{
	char	   *text = pnstrdup(parser->text + start, parser->position - start);
	int			mantissa = (exponent < 0 ? parser->position : exponent - 1) - start;
	int			whole = (point < 0 ? mantissa : point - 1 - start);
	int			fraction = (point < 0 ? 0 : mantissa - whole - 1);
	int			power = exponent < 0 ? 0 : exponent_value(text + exponent - start);
	int			first = strcspn(text, "123456789");
	int			leading;

	if (first >= mantissa)
		text = pstrdup("0");
	else
	{
		leading = (first < whole ? whole - first - 1 : whole - first) + power;
		if (leading > MAX_NUMERIC_POWER)
			text = pstrdup(text[0] == '-' ? "-Infinity" : "Infinity");
		else if (leading < -MAX_NUMERIC_SCALE)
			text = pstrdup("0");
		else if (fraction - power > MAX_NUMERIC_SCALE)
			return arazzo_jsonpath_refuse(parser, start, "number has too many digits");
	}
	number->type = jbvNumeric;
	number->val.numeric =
		DatumGetNumeric(DirectFunctionCall3(numeric_in, CStringGetDatum(text),
											ObjectIdGetDatum(InvalidOid),
											Int32GetDatum(-1)));
	return true;
}

/* The exponent, held within what an int can take further sums of. */
static int
exponent_value(const char *text)
{
	bool		negative = (*text == '-');
	int			value = 0;

	if (*text == '-' || *text == '+')
		text++;
	for (; *text != '\0'; text++)
		value = Min(value * 10 + (*text - '0'), 100000000);
	return negative ? -value : value;
}
