/*-------------------------------------------------------------------------
 *
 * punycode.c
 *	  Punycode (RFC 3492).
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "mb/pg_wchar.h"

#include "schema/format_internal.h"

/* Parameters of the encoding (RFC 3492, 5) */
#define BASE 36
#define T_MIN 1
#define T_MAX 26
#define SKEW 38
#define DAMP 700
#define INITIAL_BIAS 72
#define INITIAL_CODE 128

static int	digit_of(pg_wchar c);
static bool read_delta(const pg_wchar *in, int length, int *at, uint32 bias, uint32 *delta);
static int	written_delta(uint32 delta, uint32 bias);
static uint32 threshold(uint32 k, uint32 bias);
static uint32 adapt(uint32 delta, uint32 count, bool first);
static pg_wchar next_code(const pg_wchar *in, int length, pg_wchar least);

/* RFC 3492, 6.2; false when the input is malformed or the output too long */
bool
arazzo_punycode_decode(const pg_wchar *in, int length, pg_wchar *out, int capacity, int *out_length)
{
	uint32		code = INITIAL_CODE;
	uint32		bias = INITIAL_BIAS;
	uint32		i = 0;
	int			count = 0;
	int			at = length;

	while (at > 0 && in[at - 1] != '-')
		at--;
	if (at > capacity)
		return false;
	for (; count < at - 1; count++)
		out[count] = in[count];

	while (at < length)
	{
		uint32		delta;

		if (count >= capacity || !read_delta(in, length, &at, bias, &delta) || delta > PG_UINT32_MAX - i)
			return false;
		i += delta;
		bias = adapt(delta, count + 1, i == delta && code == INITIAL_CODE && bias == INITIAL_BIAS);
		code += i / (count + 1);
		i %= count + 1;
		if (code > 0x10FFFF)
			return false;
		memmove(out + i + 1, out + i, (count - i) * sizeof(pg_wchar));
		out[i++] = code;
		count++;
	}
	*out_length = count;
	return true;
}

/* How long the encoding of a label is (RFC 3492, 6.3). */
int
arazzo_punycode_length(const pg_wchar *in, int length)
{
	pg_wchar	code = INITIAL_CODE;
	uint32		bias = INITIAL_BIAS;
	uint32		delta = 0;
	int			basic = 0;
	int			handled;
	int			written;
	int			i;

	for (i = 0; i < length; i++)
		basic += in[i] < INITIAL_CODE;
	written = basic > 0 ? basic + 1 : 0;

	for (handled = basic; handled < length; delta++, code++)
	{
		pg_wchar	next = next_code(in, length, code);

		delta += (next - code) * (handled + 1);
		code = next;
		for (i = 0; i < length; i++)
		{
			if (in[i] < code)
				delta++;
			if (in[i] != code)
				continue;
			written += written_delta(delta, bias);
			bias = adapt(delta, handled + 1, handled == basic);
			delta = 0;
			handled++;
		}
	}
	return written;
}

static int
digit_of(pg_wchar c)
{
	if (c >= 'a' && c <= 'z')
		return c - 'a';
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= '0' && c <= '9')
		return c - '0' + 26;
	return -1;
}

/* A generalized variable-length integer (RFC 3492, 3.3) */
static bool
read_delta(const pg_wchar *in, int length, int *at, uint32 bias, uint32 *delta)
{
	uint64		value = 0;
	uint64		weight = 1;
	uint32		k;

	for (k = BASE;; k += BASE)
	{
		int			digit = *at < length ? digit_of(in[*at]) : -1;
		uint32		t = threshold(k, bias);

		if (digit < 0)
			return false;
		(*at)++;
		value += digit * weight;
		if (value > PG_INT32_MAX)
			return false;
		if (digit < t)
			break;
		weight *= BASE - t;
		if (weight > PG_INT32_MAX)
			return false;
	}
	*delta = (uint32) value;
	return true;
}

static int
written_delta(uint32 delta, uint32 bias)
{
	int			digits = 1;
	uint32		k;

	for (k = BASE; delta >= threshold(k, bias); k += BASE)
	{
		uint32		t = threshold(k, bias);

		delta = (delta - t) / (BASE - t);
		digits++;
	}
	return digits;
}

static uint32
threshold(uint32 k, uint32 bias)
{
	if (k <= bias + T_MIN)
		return T_MIN;
	return k >= bias + T_MAX ? T_MAX : k - bias;
}

/* RFC 3492, 6.1 */
static uint32
adapt(uint32 delta, uint32 count, bool first)
{
	uint32		k = 0;

	delta = first ? delta / DAMP : delta / 2;
	delta += delta / count;
	for (; delta > ((BASE - T_MIN) * T_MAX) / 2; k += BASE)
		delta /= BASE - T_MIN;
	return k + (BASE - T_MIN + 1) * delta / (delta + SKEW);
}

/* The smallest code point that is not below the given one. */
static pg_wchar
next_code(const pg_wchar *in, int length, pg_wchar least)
{
	pg_wchar	next = PG_UINT32_MAX;
	int			i;

	for (i = 0; i < length; i++)
	{
		if (in[i] >= least && in[i] < next)
			next = in[i];
	}
	return next;
}
