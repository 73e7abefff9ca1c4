/*
 * decimal.c
 *	  Exact decimal numbers, kept as text.
 */
#include <stdlib.h>
#include <string.h>

#include "decimal.h"

#define MAX_DIGITS 2000

/* A canonical number taken apart; nothing is copied. */
typedef struct Parts
{
	bool		negative;
	const char *whole;
	int			nwhole;
	const char *fraction;
	int			nfraction;
} Parts;

static Parts
take_apart(const char *text)
{
	Parts		parts = {0};
	const char *dot;

	parts.negative = text[0] == '-';
	parts.whole = text + parts.negative;
	dot = strchr(parts.whole, '.');
	parts.nwhole = dot ? dot - parts.whole : (int) strlen(parts.whole);
	parts.fraction = dot ? dot + 1 : "";
	parts.nfraction = strlen(parts.fraction);
	return parts;
}

/* Digit number i of the number when it has so many digits before the point. */
static int
digit_at(const Parts *parts, int nwhole, int i)
{
	int			pos = i - (nwhole - parts->nwhole);

	if (pos < 0)
		return 0;
	if (pos < parts->nwhole)
		return parts->whole[pos] - '0';
	pos -= parts->nwhole;
	return pos < parts->nfraction ? parts->fraction[pos] - '0' : 0;
}

/* Digits with a point after the first nwhole, in canonical form. */
static void
put_canonical(Buffer *out, bool negative, const char *digits, int ndigits, int nwhole)
{
	while (nwhole > 1 && *digits == '0')
	{
		digits++;
		ndigits--;
		nwhole--;
	}
	while (ndigits > nwhole && digits[ndigits - 1] == '0')
		ndigits--;
	if (negative && (int) strspn(digits, "0") < ndigits)
		buffer_puts(out, "-");
	buffer_add(out, digits, nwhole);
	if (ndigits > nwhole)
	{
		buffer_puts(out, ".");
		buffer_add(out, digits + nwhole, ndigits - nwhole);
	}
}

/* Read the exponent at *text; one beyond reason becomes one out of range. */
static long
small_exponent(const char **text)
{
	char	   *end;
	long		exponent = strtol(*text + 1, &end, 10);

	*text = end;
	if (exponent > 4 * MAX_DIGITS)
		return 4 * MAX_DIGITS;
	return exponent < -4 * MAX_DIGITS ? -4 * MAX_DIGITS : exponent;
}

bool
decimal_canonical(const char *text, Buffer *out)
{
	bool		negative = *text == '-';
	Buffer		digits = {0};
	long		point;
	const char *p = text + negative;
	size_t		len = strspn(p, "0123456789");

	buffer_puts(&digits, "0");
	buffer_add(&digits, p, len);
	point = digits.len;
	p += len;
	if (*p == '.')
	{
		len = strspn(++p, "0123456789");
		buffer_add(&digits, p, len);
		p += len;
	}
	if (*p == 'e' || *p == 'E')
		point += small_exponent(&p);
	if (*p != '\0' || point > MAX_DIGITS || point < -MAX_DIGITS || digits.len > MAX_DIGITS)
	{
		buffer_free(&digits);
		return false;
	}
	buffer_clear(out);
	if (point < 1)
	{
		Buffer		zeros = {0};

		for (; point < 1; point++)
			buffer_puts(&zeros, "0");
		buffer_add(&zeros, digits.data, digits.len);
		buffer_free(&digits);
		digits = zeros;
	}
	while ((long) digits.len < point)
		buffer_puts(&digits, "0");
	put_canonical(out, negative, digits.data, digits.len, point);
	buffer_free(&digits);
	return true;
}

static int
compare_magnitudes(const Parts *a, const Parts *b, int nwhole, int ndigits)
{
	int			i;

	for (i = 0; i < ndigits; i++)
	{
		int			diff = digit_at(a, nwhole, i) - digit_at(b, nwhole, i);

		if (diff != 0)
			return diff;
	}
	return 0;
}

/* Digits of a + b, or of a - b where a is the greater; both as magnitudes. */
static char *
combine(const Parts *a, const Parts *b, int sign, int nwhole, int ndigits)
{
	char	   *digits = need_alloc(ndigits + 1);
	int			carry = 0;
	int			i;

	for (i = ndigits - 1; i >= 0; i--)
	{
		int			digit = digit_at(a, nwhole, i) + sign * digit_at(b, nwhole, i) + carry;

		carry = digit > 9 ? 1 : digit < 0 ? -1 : 0;
		digits[i] = '0' + digit - 10 * carry;
	}
	return digits;
}

static int
greater(int a, int b)
{
	return a > b ? a : b;
}

static void
add_parts(Buffer *sum, Parts a, Parts b)
{
	int			nwhole = greater(a.nwhole, b.nwhole) + 1;
	int			ndigits = nwhole + greater(a.nfraction, b.nfraction);
	bool		negative = a.negative;
	char	   *digits;

	if (a.negative == b.negative)
		digits = combine(&a, &b, 1, nwhole, ndigits);
	else if (compare_magnitudes(&a, &b, nwhole, ndigits) >= 0)
		digits = combine(&a, &b, -1, nwhole, ndigits);
	else
	{
		digits = combine(&b, &a, -1, nwhole, ndigits);
		negative = b.negative;
	}
	buffer_clear(sum);
	put_canonical(sum, negative, digits, ndigits, nwhole);
	free(digits);
}

void
decimal_add(Buffer *sum, const char *addend)
{
	add_parts(sum, take_apart(sum->data), take_apart(addend));
}

void
decimal_subtract(Buffer *sum, const char *subtrahend)
{
	Parts		b = take_apart(subtrahend);

	b.negative = !b.negative;
	add_parts(sum, take_apart(sum->data), b);
}

int
decimal_compare(const char *a, const char *b)
{
	Parts		pa = take_apart(a);
	Parts		pb = take_apart(b);
	int			nwhole = greater(pa.nwhole, pb.nwhole);
	int			ndigits = nwhole + greater(pa.nfraction, pb.nfraction);
	int			diff = compare_magnitudes(&pa, &pb, nwhole, ndigits);

	if (pa.negative != pb.negative)
		return pa.negative ? -1 : 1;
	return pa.negative ? -diff : diff;
}

int
decimal_digits(const char *text)
{
	Parts		parts = take_apart(text);
	int			ndigits = parts.nwhole + parts.nfraction;
	int			first = 0;

	while (first < ndigits && digit_at(&parts, parts.nwhole, first) == 0)
		first++;
	if (parts.nfraction == 0)
		while (ndigits > first && digit_at(&parts, parts.nwhole, ndigits - 1) == 0)
			ndigits--;
	return ndigits - first;
}
