/*-------------------------------------------------------------------------
 *
 * mutate.c
 *	  Inputs made of seeds, the same everywhere for the same number.
 *
 * One seed, changed in a few places: bits and bytes, parts left out or said
 * twice, pieces of other seeds put in.  What coverage tells a fuzzer, the
 * pieces have to make up for.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "fuzz.h"

#define MAX_INPUT	4096

static uint64 next_random(uint64 *random, uint64 below);
static void change(StringInfo input, const FuzzSeeds *seeds, uint64 *random);
static void replace(StringInfo input, int start, int length, const char *data, int data_length);

/* Bytes and texts on which somebody's arithmetic or grammar turns. */
static const char *const pieces[] = {
	"0", "-1", "1e400", "1e-400", "99999999999999999999", "2147483648", "\\u0000", "\\ud800", "\303\251", "\300\200",
	"\355\240\200", "\364\220\200\200", "\377", "\360\237\230\200", "%00", "%", "[", "]", "{", "}", "(", ")",
	"[[[[[[[[", "((((((((", "{\"\":{\"\":", "*", "&a", "*a", "<<: *a", "#", "$", "..", "/", "~", "\r\n", "\n", "\t",
	" ", "'", "\"", "\\", ":", ",", "|", "!", "?"
};

void
fuzz_mutate(StringInfo input, const FuzzSeeds *seeds, uint64 *random)
{
	const StringInfoData *seed = &seeds->items[next_random(random, seeds->count)];
	int			changes = 1 + next_random(random, 5);

	resetStringInfo(input);
	appendBinaryStringInfo(input, seed->data, Min(seed->len, MAX_INPUT));
	while (changes-- > 0)
		change(input, seeds, random);
	if (input->len > MAX_INPUT)
		replace(input, MAX_INPUT, input->len - MAX_INPUT, "", 0);
}

/* xorshift64* */
static uint64
next_random(uint64 *random, uint64 below)
{
	*random ^= *random >> 12;
	*random ^= *random << 25;
	*random ^= *random >> 27;
	return ((*random * UINT64CONST(0x2545F4914F6CDD1D)) >> 33) % below;
}

static void
change(StringInfo input, const FuzzSeeds *seeds, uint64 *random)
{
	int			at = next_random(random, input->len + 1);
	int			left = input->len - at;
	int			some = 1 + next_random(random, 16);
	const StringInfoData *other = &seeds->items[next_random(random, seeds->count)];
	int			other_at = next_random(random, other->len + 1);
	int			other_some = 1 + next_random(random, 40);
	const char *piece = pieces[next_random(random, lengthof(pieces))];
	char		byte = (char) next_random(random, 256);

	some = Min(some, left);
	other_some = Min(other_some, other->len - other_at);
	switch (next_random(random, 8))
	{
		case 0:
			if (left > 0)
				input->data[at] ^= (char) (1 << next_random(random, 8));
			break;
		case 1:
			replace(input, at, Min(left, 1), &byte, 1);
			break;
		case 2:
			replace(input, at, some, "", 0);
			break;
		case 3:
			replace(input, at, 0, memcpy(palloc(some + 1), input->data + at, some), some);
			break;
		case 4:
			replace(input, at, 0, piece, strlen(piece));
			break;
		case 5:
			replace(input, at, some, piece, strlen(piece));
			break;
		case 6:
			replace(input, at, 0, other->data + other_at, other_some);
			break;
		default:
			replace(input, at, some, other->data + other_at, other_some);
			break;
	}
}

/* Puts data in the place of a part of the input. */
static void
replace(StringInfo input, int start, int length, const char *data, int data_length)
{
	enlargeStringInfo(input, data_length);
	memmove(input->data + start + data_length, input->data + start + length, input->len - start - length);
	memcpy(input->data + start, data, data_length);
	input->len += data_length - length;
	input->data[input->len] = '\0';
}
