/*-------------------------------------------------------------------------
 *
 * idna.c
 *	  What a label of an internationalized host name may hold (IDNA2008).
 *
 * The properties of a code point are derived as RFC 5892 says, from its
 * category and its normalization, so that no list of code points goes stale.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "common/unicode_norm.h"
#include "mb/pg_wchar.h"

#include "schema/format_internal.h"
#include "support/unicode.h"

#define ZERO_WIDTH_NON_JOINER 0x200C
#define ZERO_WIDTH_JOINER 0x200D

#define BIT(value) ((uint32) 1 << (value))

typedef struct Range
{
	pg_wchar	first;
	pg_wchar	last;
} Range;

/* RFC 5892, 2.6: allowed although their properties say otherwise */
static const Range allowed[] = {
	{0x00DF, 0x00DF}, {0x03C2, 0x03C2}, {0x06FD, 0x06FE}, {0x0F0B, 0x0F0B}, {0x3007, 0x3007}
};

/*
 * Not allowed although their category is: exceptions (2.6), old Hangul Jamo
 * (2.9), ignorable characters and blocks (2.3, 2.4), and letters that only
 * case folding changes (2.2).
 */
static const Range refused[] = {
	{0x0345, 0x0345}, {0x034F, 0x034F}, {0x0640, 0x0640}, {0x07FA, 0x07FA}, {0x1100, 0x11FF},
	{0x13F8, 0x13FD}, {0x17B4, 0x17B5}, {0x180B, 0x180F}, {0x1C80, 0x1C88}, {0x20D0, 0x20FF},
	{0x302E, 0x302F}, {0x3031, 0x3035}, {0x303B, 0x303B}, {0xA960, 0xA97F}, {0xAB70, 0xABBF},
	{0xD7B0, 0xD7FF}, {0xFE00, 0xFE0F}, {0x1D100, 0x1D24F}, {0xE0000, 0xE0FFF}
};

static bool is_allowed(const pg_wchar *label, int length, int at);
static bool follows_context_rule(const pg_wchar *label, int length, int at, bool *known);
static bool joins(const pg_wchar *label, int length, int at);
static bool has_between(const pg_wchar *label, int length, pg_wchar first, pg_wchar last);
static bool has_japanese(const pg_wchar *label, int length);
static bool is_normalized(const pg_wchar *text, int length, UnicodeNormalizationForm form);
static bool is_mark(pg_wchar code);
static bool is_in(const Range *ranges, int count, pg_wchar code);
static uint32 directions_of(const pg_wchar *label, int length);

/* RFC 5891, 4.2.2 and 4.2.3, of a label that is not ASCII alone */
bool
arazzo_idna_valid_label(const pg_wchar *label, int length)
{
	int			i;

	if (length == 0 || label[0] == '-' || label[length - 1] == '-')
		return false;
	if (length >= 4 && label[2] == '-' && label[3] == '-')
		return false;
	if (is_mark(label[0]) || !is_normalized(label, length, UNICODE_NFC))
		return false;
	for (i = 0; i < length; i++)
	{
		if (!is_allowed(label, length, i))
			return false;
	}
	return true;
}

/* Does the label make its name one that is written from right to left? */
bool
arazzo_idna_is_bidi(const pg_wchar *label, int length)
{
	return (directions_of(label, length) & (BIT(DIRECTION_R) | BIT(DIRECTION_AL) | BIT(DIRECTION_AN))) != 0;
}

/* RFC 5893, 2 */
bool
arazzo_idna_follows_bidi_rule(const pg_wchar *label, int length)
{
	const uint32 neutral = BIT(DIRECTION_EN) | BIT(DIRECTION_ES) | BIT(DIRECTION_CS) | BIT(DIRECTION_ET) |
		BIT(DIRECTION_ON) | BIT(DIRECTION_BN) | BIT(DIRECTION_NSM);
	uint32		directions = directions_of(label, length);
	UnicodeDirection first = arazzo_unicode_direction(label[0]);
	UnicodeDirection last;
	int			end = length;

	while (end > 1 && arazzo_unicode_direction(label[end - 1]) == DIRECTION_NSM)
		end--;
	last = arazzo_unicode_direction(label[end - 1]);

	if (first == DIRECTION_L)
		return (directions & ~(neutral | BIT(DIRECTION_L))) == 0 && (last == DIRECTION_L || last == DIRECTION_EN);
	if (first != DIRECTION_R && first != DIRECTION_AL)
		return false;
	if (directions & ~(neutral | BIT(DIRECTION_R) | BIT(DIRECTION_AL) | BIT(DIRECTION_AN)))
		return false;
	if ((directions & BIT(DIRECTION_EN)) && (directions & BIT(DIRECTION_AN)))
		return false;
	return last == DIRECTION_R || last == DIRECTION_AL || last == DIRECTION_EN || last == DIRECTION_AN;
}

/* RFC 5892, 3: PVALID, or a context rule that holds */
static bool
is_allowed(const pg_wchar *label, int length, int at)
{
	pg_wchar	code = label[at];
	bool		known;
	bool		holds = follows_context_rule(label, length, at, &known);

	if (known)
		return holds;
	if (code < 0x80)
		return (code >= 'a' && code <= 'z') || (code >= '0' && code <= '9') || code == '-';
	if (is_in(allowed, lengthof(allowed), code))
		return true;
	if (is_in(refused, lengthof(refused), code))
		return false;
	switch (arazzo_unicode_category(code))
	{
		case CATEGORY_LL:
		case CATEGORY_LO:
		case CATEGORY_LM:
		case CATEGORY_MN:
		case CATEGORY_MC:
		case CATEGORY_ND:
			return is_normalized(&code, 1, UNICODE_NFKC);
		default:
			return false;
	}
}

/* RFC 5892, Appendix A; *known is false when the code point has no rule. */
static bool
follows_context_rule(const pg_wchar *label, int length, int at, bool *known)
{
	pg_wchar	code = label[at];
	pg_wchar	before = at > 0 ? label[at - 1] : 0;
	pg_wchar	after = at + 1 < length ? label[at + 1] : 0;

	*known = true;
	switch (code)
	{
		case ZERO_WIDTH_NON_JOINER:
			return arazzo_unicode_is_virama(before) || joins(label, length, at);
		case ZERO_WIDTH_JOINER:
			return arazzo_unicode_is_virama(before);
		case 0x00B7:			/* middle dot */
			return before == 'l' && after == 'l';
		case 0x0375:			/* Greek lower numeral sign */
			return arazzo_unicode_script(after) == SCRIPT_GREEK;
		case 0x05F3:			/* Hebrew geresh, gershayim */
		case 0x05F4:
			return arazzo_unicode_script(before) == SCRIPT_HEBREW;
		case 0x30FB:			/* Katakana middle dot */
			return has_japanese(label, length);
		default:
			break;
	}
	if (code >= 0x0660 && code <= 0x0669)
		return !has_between(label, length, 0x06F0, 0x06F9);
	if (code >= 0x06F0 && code <= 0x06F9)
		return !has_between(label, length, 0x0660, 0x0669);
	*known = false;
	return false;
}

/* RFC 5892, A.1: the non-joiner stands between letters that would join. */
static bool
joins(const pg_wchar *label, int length, int at)
{
	int			before = at - 1;
	int			after = at + 1;
	UnicodeJoining joining;

	while (before >= 0 && arazzo_unicode_joining(label[before]) == JOINING_TRANSPARENT)
		before--;
	while (after < length && arazzo_unicode_joining(label[after]) == JOINING_TRANSPARENT)
		after++;
	if (before < 0 || after >= length)
		return false;
	joining = arazzo_unicode_joining(label[before]);
	if (joining != JOINING_LEFT && joining != JOINING_DUAL)
		return false;
	joining = arazzo_unicode_joining(label[after]);
	return joining == JOINING_RIGHT || joining == JOINING_DUAL;
}

static bool
has_between(const pg_wchar *label, int length, pg_wchar first, pg_wchar last)
{
	int			i;

	for (i = 0; i < length; i++)
	{
		if (label[i] >= first && label[i] <= last)
			return true;
	}
	return false;
}

static bool
has_japanese(const pg_wchar *label, int length)
{
	int			i;

	for (i = 0; i < length; i++)
	{
		UnicodeScript script = arazzo_unicode_script(label[i]);

		if (script == SCRIPT_HIRAGANA || script == SCRIPT_KATAKANA || script == SCRIPT_HAN)
			return true;
	}
	return false;
}

static bool
is_normalized(const pg_wchar *text, int length, UnicodeNormalizationForm form)
{
	pg_wchar   *copy = palloc((length + 1) * sizeof(pg_wchar));
	pg_wchar   *normal;
	int			i;
	bool		same;

	memcpy(copy, text, length * sizeof(pg_wchar));
	copy[length] = 0;
	normal = unicode_normalize(form, copy);
	for (i = 0; i < length && normal[i] == copy[i]; i++)
		;
	same = i == length && normal[i] == 0;
	pfree(normal);
	pfree(copy);
	return same;
}

static bool
is_mark(pg_wchar code)
{
	UnicodeCategory category = arazzo_unicode_category(code);

	return category == CATEGORY_MN || category == CATEGORY_MC || category == CATEGORY_ME;
}

static bool
is_in(const Range *ranges, int count, pg_wchar code)
{
	int			i;

	for (i = 0; i < count; i++)
	{
		if (code >= ranges[i].first && code <= ranges[i].last)
			return true;
	}
	return false;
}

static uint32
directions_of(const pg_wchar *label, int length)
{
	uint32		directions = 0;
	int			i;

	for (i = 0; i < length; i++)
		directions |= BIT(arazzo_unicode_direction(label[i]));
	return directions;
}
