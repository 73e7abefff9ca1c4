/*-------------------------------------------------------------------------
 *
 * scalar.c
 *	  Plain scalars of YAML 1.2 (core schema) and exact numbers.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "fmgr.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/builtins.h"

#include "document/scalar.h"
#include "support/value.h"

/* What numeric can hold: decimal digits before and after the point. */
#define NUMERIC_DIGITS_BEFORE	131072
#define NUMERIC_DIGITS_AFTER	16383

/* An exponent that no number within the limits has; larger ones count as it. */
#define HUGE_EXPONENT			100000000

/* Decimal digits and bits that surely fit an int64. */
#define INT64_DIGITS			18
#define INT64_BITS				60

/*
 * Large numbers of another base are built up in words of this base.  It takes
 * time that grows with the square of their length, hence the limit.
 */
#define WORD_BASE				1000000000
#define WORD_DIGITS				9
#define BASED_DIGITS			4096

/* Bits of such a number that are read at a time. */
#define STEP_BITS				28

static ArazzoScalarType number_type(const char *text, size_t length);
static bool all_digits(const char *text, size_t length, int base);
static size_t skip_digits(const char *text, size_t length, size_t from);
static ArazzoScalarType based_type(const char *text, size_t length);
static size_t skip_exponent(const char *text, size_t length, size_t from);
static ArazzoScalarType point_type(const char *text, size_t length, bool is_signed);
static bool is_word(const char *text, size_t length, const char *lower);
static Numeric small_integer(const char *text, size_t length);
static Numeric decimal_number(const char *text, size_t length);
static bool fits_numeric(const char *text, size_t length, bool *zero);
static int64 exponent_value(const char *text, size_t length);
static Numeric based_number(const char *digits, size_t length, int bits);
static Numeric large_based_number(const char *digits, size_t length, int bits);
static uint32 based_word(const char *digits, size_t length, int bits);
static void append_digits(uint32 *words, size_t *count, uint32 add, int bits);
static Numeric words_number(const uint32 *words, size_t count);

/* YAML 1.2.2, 10.3.2, Tag Resolution */
ArazzoScalarType
arazzo_scalar_type(const char *text, size_t length)
{
	if (length == 0)
		return SCALAR_NULL;
	switch (text[0])
	{
		case '~':
			return length == 1 ? SCALAR_NULL : SCALAR_STRING;
		case 'n':
		case 'N':
			return is_word(text, length, "null") ? SCALAR_NULL : SCALAR_STRING;
		case 't':
		case 'T':
			return is_word(text, length, "true") ? SCALAR_TRUE : SCALAR_STRING;
		case 'f':
		case 'F':
			return is_word(text, length, "false") ? SCALAR_FALSE : SCALAR_STRING;
		case '0':
		case '1':
		case '2':
		case '3':
		case '4':
		case '5':
		case '6':
		case '7':
		case '8':
		case '9':
		case '+':
		case '-':
		case '.':
			return number_type(text, length);
		default:
			return SCALAR_STRING;
	}
}

/*
 * Is the text this word: all in lower case, all in upper case, or with a
 * capital?
 */
static bool
is_word(const char *text, size_t length, const char *lower)
{
	bool		upper_rest = length > 1 && text[1] >= 'A' && text[1] <= 'Z';
	bool		upper_first = text[0] >= 'A' && text[0] <= 'Z';
	size_t		i;

	if (length != strlen(lower) || (upper_rest && !upper_first))
		return false;
	for (i = 0; i < length; i++)
	{
		bool		upper = i == 0 ? upper_first : upper_rest;

		if (text[i] != (upper ? pg_ascii_toupper((unsigned char) lower[i]) : lower[i]))
			return false;
	}
	return true;
}

static ArazzoScalarType
number_type(const char *text, size_t length)
{
	bool		is_signed = text[0] == '+' || text[0] == '-';
	size_t		start = is_signed ? 1 : 0;
	size_t		end = skip_digits(text, length, start);
	size_t		digits = end - start;

	if (length > 2 && text[0] == '0' && (text[1] == 'o' || text[1] == 'x'))
		return based_type(text, length);
	if (digits > 0 && end == length)
		return SCALAR_INTEGER;

	if (end < length && text[end] == '.')
	{
		size_t		fraction = end + 1;

		end = skip_digits(text, length, fraction);
		if (digits == 0 && end == fraction)
			return point_type(text + start, length - start, is_signed);
		digits += end - fraction;
	}
	if (digits > 0)
		end = skip_exponent(text, length, end);
	return digits > 0 && end == length ? SCALAR_FLOAT : SCALAR_STRING;
}

/* The type of a text that begins like an octal or hexadecimal number. */
static ArazzoScalarType
based_type(const char *text, size_t length)
{
	bool		octal = text[1] == 'o';

	if (!all_digits(text + 2, length - 2, octal ? 8 : 16))
		return SCALAR_STRING;
	return octal ? SCALAR_OCTAL : SCALAR_HEXADECIMAL;
}

/* After an exponent that stands at "from"; "from" itself when none does. */
static size_t
skip_exponent(const char *text, size_t length, size_t from)
{
	size_t		digits = from + 1;

	if (from == length || (text[from] != 'e' && text[from] != 'E'))
		return from;
	if (digits < length && (text[digits] == '+' || text[digits] == '-'))
		digits++;
	return skip_digits(text, length, digits) > digits ? skip_digits(text, length, digits) : from;
}

/* What begins with a point that no digit follows. */
static ArazzoScalarType
point_type(const char *text, size_t length, bool is_signed)
{
	if (length != 4)
		return SCALAR_STRING;
	if (is_word(text + 1, 3, "inf"))
		return SCALAR_INFINITE;
	if (!is_signed && (memcmp(text, ".nan", 4) == 0 || memcmp(text, ".NaN", 4) == 0 ||
					   memcmp(text, ".NAN", 4) == 0))
		return SCALAR_NAN;
	return SCALAR_STRING;
}

static inline size_t
skip_digits(const char *text, size_t length, size_t from)
{
	while (from < length && text[from] >= '0' && text[from] <= '9')
		from++;
	return from;
}

static bool
all_digits(const char *text, size_t length, int base)
{
	size_t		i;

	for (i = 0; i < length; i++)
	{
		int			value = arazzo_hex_value(text[i]);

		if (value < 0 || value >= base)
			return false;
	}
	return true;
}

Numeric
arazzo_scalar_number(const char *text, size_t length, ArazzoScalarType type)
{
	switch (type)
	{
		case SCALAR_INTEGER:
			if (length <= INT64_DIGITS)
				return small_integer(text, length);
			return decimal_number(text, length);
		case SCALAR_FLOAT:
			return decimal_number(text, length);
		case SCALAR_OCTAL:
			return based_number(text + 2, length - 2, 3);
		case SCALAR_HEXADECIMAL:
			return based_number(text + 2, length - 2, 4);
		default:
			elog(ERROR, "scalar of type %d is no number", (int) type);
			return NULL;		/* keep compiler quiet */
	}
}

static Numeric
small_integer(const char *text, size_t length)
{
	size_t		i = text[0] == '-' || text[0] == '+' ? 1 : 0;
	int64		value = 0;

	for (; i < length; i++)
		value = value * 10 + (text[i] - '0');
	return int64_to_numeric(text[0] == '-' ? -value : value);
}

static Numeric
decimal_number(const char *text, size_t length)
{
	char		buffer[64];
	char	   *copy;
	bool		zero;
	Numeric		number;

	if (!fits_numeric(text, length, &zero))
		return zero ? int64_to_numeric(0) : NULL;
	copy = length < sizeof(buffer) ? buffer : palloc(length + 1);
	memcpy(copy, text, length);
	copy[length] = '\0';
	number = DatumGetNumeric(DirectFunctionCall3(numeric_in, CStringGetDatum(copy),
												 ObjectIdGetDatum(InvalidOid),
												 Int32GetDatum(-1)));
	if (copy != buffer)
		pfree(copy);
	return number;
}

/*
 * Can numeric hold this decimal number with all its digits?  Zeros with an
 * exponent beyond reason do not, and are reported as zero.
 */
static bool
fits_numeric(const char *text, size_t length, bool *zero)
{
	size_t		start = text[0] == '-' || text[0] == '+' ? 1 : 0;
	size_t		point = skip_digits(text, length, start);
	size_t		end = point;
	size_t		fraction = 0;
	size_t		first;
	int64		exponent;
	int64		before;

	if (point < length && text[point] == '.')
	{
		end = skip_digits(text, length, point + 1);
		fraction = end - point - 1;
	}
	exponent = exponent_value(text + end, length - end);

	for (first = start; first < end && (text[first] == '0' || text[first] == '.'); first++)
		;
	*zero = first == end;

	/* digits before the point, negative for zeros that follow it */
	before = (int64) point - (int64) first + (first > point ? 1 : 0) + exponent;
	if (*zero)
		before = Abs(exponent);
	return before <= NUMERIC_DIGITS_BEFORE &&
		(int64) fraction - exponent <= NUMERIC_DIGITS_AFTER &&
		Abs(exponent) < HUGE_EXPONENT;
}

/* The exponent that follows a number, 0 if there is none. */
static int64
exponent_value(const char *text, size_t length)
{
	size_t		i = 1;
	int64		value = 0;

	if (length == 0)
		return 0;
	if (text[i] == '+' || text[i] == '-')
		i++;
	for (; i < length; i++)
		value = Min(value * 10 + (text[i] - '0'), HUGE_EXPONENT);
	return text[1] == '-' ? -value : value;
}

/* A number in octal (3 bits a digit) or hexadecimal (4). */
static Numeric
based_number(const char *digits, size_t length, int bits)
{
	int64		value = 0;
	size_t		i;

	while (length > 1 && digits[0] == '0')
	{
		digits++;
		length--;
	}
	if (length > BASED_DIGITS)
		return NULL;
	if (length > INT64_BITS / bits)
		return large_based_number(digits, length, bits);
	for (i = 0; i < length; i++)
		value = (value << bits) | arazzo_hex_value(digits[i]);
	return int64_to_numeric(value);
}

/*
 * The same for more digits: shifts and adds in words of nine decimal digits,
 * least significant first, then prints and reads them.
 */
static Numeric
large_based_number(const char *digits, size_t length, int bits)
{
	uint32		words[BASED_DIGITS * 2 / WORD_DIGITS];	/* 1.21 decimal digits each */
	size_t		count = 0;
	size_t		step = STEP_BITS / bits;
	size_t		from = 0;
	size_t		to = length % step;

	for (;;)
	{
		CHECK_FOR_INTERRUPTS();
		append_digits(words, &count, based_word(digits + from, to - from, bits),
					  (int) (to - from) * bits);
		if (to == length)
			break;
		from = to;
		to += step;
	}
	return words_number(words, count);
}

/* A few digits as a word. */
static uint32
based_word(const char *digits, size_t length, int bits)
{
	uint32		word = 0;
	size_t		i;

	for (i = 0; i < length; i++)
		word = (word << bits) | arazzo_hex_value(digits[i]);
	return word;
}

/* Shifts the number in words by bits and adds to it. */
static void
append_digits(uint32 *words, size_t *count, uint32 add, int bits)
{
	uint64		carry = add;
	size_t		i;

	for (i = 0; i < *count; i++)
	{
		carry += (uint64) words[i] << bits;
		words[i] = carry % WORD_BASE;
		carry /= WORD_BASE;
	}
	if (carry > 0)
		words[(*count)++] = carry;
}

static Numeric
words_number(const uint32 *words, size_t count)
{
	StringInfoData text;
	Numeric		number;
	size_t		i;

	initStringInfo(&text);
	appendStringInfo(&text, "%u", words[count - 1]);
	for (i = count - 1; i > 0; i--)
		appendStringInfo(&text, "%0*u", WORD_DIGITS, words[i - 1]);
	number = decimal_number(text.data, text.len);
	pfree(text.data);
	return number;
}
