/*-------------------------------------------------------------------------
 *
 * regex_set.c
 *	  Sets of characters in regular expressions.
 *
 * Every class of the source, bracketed or not, becomes a sorted list of
 * ranges: what \w or \p{L} means then depends on no locale and no version.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "support/regex_internal.h"
#include "support/unicode.h"

#define BIT(category) ((uint32) 1 << (category))
#define LETTERS (BIT(CATEGORY_LL) | BIT(CATEGORY_LM) | BIT(CATEGORY_LO) | BIT(CATEGORY_LT) | BIT(CATEGORY_LU))
#define MARKS (BIT(CATEGORY_MC) | BIT(CATEGORY_ME) | BIT(CATEGORY_MN))
#define NUMBERS (BIT(CATEGORY_ND) | BIT(CATEGORY_NL) | BIT(CATEGORY_NO))
#define PUNCTUATION (BIT(CATEGORY_PC) | BIT(CATEGORY_PD) | BIT(CATEGORY_PE) | BIT(CATEGORY_PF) | \
					 BIT(CATEGORY_PI) | BIT(CATEGORY_PO) | BIT(CATEGORY_PS))
#define SYMBOLS (BIT(CATEGORY_SC) | BIT(CATEGORY_SK) | BIT(CATEGORY_SM) | BIT(CATEGORY_SO))
#define SEPARATORS (BIT(CATEGORY_ZL) | BIT(CATEGORY_ZP) | BIT(CATEGORY_ZS))
#define OTHERS (BIT(CATEGORY_CN) | BIT(CATEGORY_CC) | BIT(CATEGORY_CF) | BIT(CATEGORY_CO) | BIT(CATEGORY_CS))

typedef struct NamedMask
{
	const char *name;
	const char *long_name;
	uint32		mask;
} NamedMask;

/* General_Category values and their aliases (UTS 18, ECMA-262 table 69) */
static const NamedMask categories[] = {
	{"C", "Other", OTHERS},
	{"Cc", "Control", BIT(CATEGORY_CC)},
	{"Cc", "cntrl", BIT(CATEGORY_CC)},
	{"Cf", "Format", BIT(CATEGORY_CF)},
	{"Cn", "Unassigned", BIT(CATEGORY_CN)},
	{"Co", "Private_Use", BIT(CATEGORY_CO)},
	{"Cs", "Surrogate", BIT(CATEGORY_CS)},
	{"L", "Letter", LETTERS},
	{"LC", "Cased_Letter", BIT(CATEGORY_LL) | BIT(CATEGORY_LT) | BIT(CATEGORY_LU)},
	{"Ll", "Lowercase_Letter", BIT(CATEGORY_LL)},
	{"Lm", "Modifier_Letter", BIT(CATEGORY_LM)},
	{"Lo", "Other_Letter", BIT(CATEGORY_LO)},
	{"Lt", "Titlecase_Letter", BIT(CATEGORY_LT)},
	{"Lu", "Uppercase_Letter", BIT(CATEGORY_LU)},
	{"M", "Mark", MARKS},
	{"M", "Combining_Mark", MARKS},
	{"Mc", "Spacing_Mark", BIT(CATEGORY_MC)},
	{"Me", "Enclosing_Mark", BIT(CATEGORY_ME)},
	{"Mn", "Nonspacing_Mark", BIT(CATEGORY_MN)},
	{"N", "Number", NUMBERS},
	{"Nd", "Decimal_Number", BIT(CATEGORY_ND)},
	{"Nd", "digit", BIT(CATEGORY_ND)},
	{"Nl", "Letter_Number", BIT(CATEGORY_NL)},
	{"No", "Other_Number", BIT(CATEGORY_NO)},
	{"P", "Punctuation", PUNCTUATION},
	{"P", "punct", PUNCTUATION},
	{"Pc", "Connector_Punctuation", BIT(CATEGORY_PC)},
	{"Pd", "Dash_Punctuation", BIT(CATEGORY_PD)},
	{"Pe", "Close_Punctuation", BIT(CATEGORY_PE)},
	{"Pf", "Final_Punctuation", BIT(CATEGORY_PF)},
	{"Pi", "Initial_Punctuation", BIT(CATEGORY_PI)},
	{"Po", "Other_Punctuation", BIT(CATEGORY_PO)},
	{"Ps", "Open_Punctuation", BIT(CATEGORY_PS)},
	{"S", "Symbol", SYMBOLS},
	{"Sc", "Currency_Symbol", BIT(CATEGORY_SC)},
	{"Sk", "Modifier_Symbol", BIT(CATEGORY_SK)},
	{"Sm", "Math_Symbol", BIT(CATEGORY_SM)},
	{"So", "Other_Symbol", BIT(CATEGORY_SO)},
	{"Z", "Separator", SEPARATORS},
	{"Zl", "Line_Separator", BIT(CATEGORY_ZL)},
	{"Zp", "Paragraph_Separator", BIT(CATEGORY_ZP)},
	{"Zs", "Space_Separator", BIT(CATEGORY_ZS)},
	/* binary properties that are unions of categories */
	{"Any", "Any", 0xFFFFFFFF},
	{"Assigned", "Assigned", ~BIT(CATEGORY_CN)},
};

static const NamedMask scripts[] = {
	{"Arab", "Arabic", BIT(SCRIPT_ARABIC)},
	{"Armn", "Armenian", BIT(SCRIPT_ARMENIAN)},
	{"Beng", "Bengali", BIT(SCRIPT_BENGALI)},
	{"Bopo", "Bopomofo", BIT(SCRIPT_BOPOMOFO)},
	{"Cyrl", "Cyrillic", BIT(SCRIPT_CYRILLIC)},
	{"Deva", "Devanagari", BIT(SCRIPT_DEVANAGARI)},
	{"Geor", "Georgian", BIT(SCRIPT_GEORGIAN)},
	{"Grek", "Greek", BIT(SCRIPT_GREEK)},
	{"Gujr", "Gujarati", BIT(SCRIPT_GUJARATI)},
	{"Guru", "Gurmukhi", BIT(SCRIPT_GURMUKHI)},
	{"Hani", "Han", BIT(SCRIPT_HAN)},
	{"Hang", "Hangul", BIT(SCRIPT_HANGUL)},
	{"Hebr", "Hebrew", BIT(SCRIPT_HEBREW)},
	{"Hira", "Hiragana", BIT(SCRIPT_HIRAGANA)},
	{"Knda", "Kannada", BIT(SCRIPT_KANNADA)},
	{"Kana", "Katakana", BIT(SCRIPT_KATAKANA)},
	{"Khmr", "Khmer", BIT(SCRIPT_KHMER)},
	{"Laoo", "Lao", BIT(SCRIPT_LAO)},
	{"Latn", "Latin", BIT(SCRIPT_LATIN)},
	{"Mlym", "Malayalam", BIT(SCRIPT_MALAYALAM)},
	{"Mong", "Mongolian", BIT(SCRIPT_MONGOLIAN)},
	{"Mymr", "Myanmar", BIT(SCRIPT_MYANMAR)},
	{"Sinh", "Sinhala", BIT(SCRIPT_SINHALA)},
	{"Taml", "Tamil", BIT(SCRIPT_TAMIL)},
	{"Telu", "Telugu", BIT(SCRIPT_TELUGU)},
	{"Thai", "Thai", BIT(SCRIPT_THAI)},
	{"Tibt", "Tibetan", BIT(SCRIPT_TIBETAN)},
	{"Zyyy", "Common", BIT(SCRIPT_COMMON)},
	{"Zinh", "Inherited", BIT(SCRIPT_INHERITED)},
};

/* White space and line terminators (ECMA-262, 12.2 and 12.3) */
static const CodeRange spaces[] = {
	{0x0009, 0x000D}, {0x0020, 0x0020}, {0x00A0, 0x00A0}, {0x1680, 0x1680}, {0x2000, 0x200A},
	{0x2028, 0x2029}, {0x202F, 0x202F}, {0x205F, 0x205F}, {0x3000, 0x3000}, {0xFEFF, 0xFEFF}
};

static void normalize(CodeSet *set);
static int	compare_ranges(const void *a, const void *b);
static bool find_mask(const NamedMask *table, int count, const char *name, uint32 *mask);
static void add_run(void *owner, pg_wchar first, pg_wchar last);

void
arazzo_regex_set_init(CodeSet *set)
{
	set->capacity = 8;
	set->count = 0;
	set->ranges = palloc(set->capacity * sizeof(CodeRange));
}

void
arazzo_regex_set_add(CodeSet *set, pg_wchar first, pg_wchar last)
{
	if (set->count == set->capacity)
	{
		set->capacity *= 2;
		set->ranges = repalloc(set->ranges, set->capacity * sizeof(CodeRange));
	}
	set->ranges[set->count].first = first;
	set->ranges[set->count].last = last;
	set->count++;
}

void
arazzo_regex_set_merge(CodeSet *set, CodeSet *other, bool complement)
{
	pg_wchar	next = 0;
	int			i;

	normalize(other);
	for (i = 0; i < other->count; i++)
	{
		CodeRange  *range = &other->ranges[i];

		if (!complement)
			arazzo_regex_set_add(set, range->first, range->last);
		else if (range->first > next)
			arazzo_regex_set_add(set, next, range->first - 1);
		next = range->last + 1;
	}
	if (complement && next <= UNICODE_LAST)
		arazzo_regex_set_add(set, next, UNICODE_LAST);
}

bool
arazzo_regex_set_add_class(CodeSet *set, char letter)
{
	int			i;

	switch (letter)
	{
		case 'w':
			arazzo_regex_set_add(set, 'A', 'Z');
			arazzo_regex_set_add(set, 'a', 'z');
			arazzo_regex_set_add(set, '_', '_');
			/* FALLTHROUGH */
		case 'd':
			arazzo_regex_set_add(set, '0', '9');
			return true;
		case 's':
			for (i = 0; i < lengthof(spaces); i++)
				arazzo_regex_set_add(set, spaces[i].first, spaces[i].last);
			return true;
		default:
			return false;
	}
}

bool
arazzo_regex_set_add_property(CodeSet *set, const char *text)
{
	const char *equals = strchr(text, '=');
	const char *value = equals ? equals + 1 : text;
	int			length = equals ? equals - text : 0;
	uint32		mask;

	if ((length == 6 && strncmp(text, "Script", 6) == 0) || (length == 2 && strncmp(text, "sc", 2) == 0))
	{
		if (!find_mask(scripts, lengthof(scripts), value, &mask))
			return false;
		arazzo_unicode_script_runs(mask, add_run, set);
		return true;
	}
	if (equals == NULL || (length == 16 && strncmp(text, "General_Category", 16) == 0) ||
		(length == 2 && strncmp(text, "gc", 2) == 0))
	{
		if (find_mask(categories, lengthof(categories), value, &mask))
		{
			arazzo_unicode_category_runs(mask, add_run, set);
			return true;
		}
	}
	if (strcmp(text, "ASCII") == 0)
	{
		arazzo_regex_set_add(set, 0, 0x7F);
		return true;
	}
	if (strcmp(text, "ASCII_Hex_Digit") == 0 || strcmp(text, "AHex") == 0)
	{
		arazzo_regex_set_add(set, '0', '9');
		arazzo_regex_set_add(set, 'A', 'F');
		arazzo_regex_set_add(set, 'a', 'f');
		return true;
	}
	return false;
}

void
arazzo_regex_set_append(StringInfo out, CodeSet *set, bool complement)
{
	int			i;

	normalize(set);
	if (set->count == 0)
	{
		/* Brackets cannot be empty: nothing is all but everything. */
		arazzo_regex_set_add(set, 0, complement ? UNICODE_LAST : 0x7FFFFFFE);
		complement = !complement;
	}
	appendStringInfoString(out, complement ? "[^" : "[");
	for (i = 0; i < set->count; i++)
	{
		arazzo_regex_append_char(out, set->ranges[i].first);
		if (set->ranges[i].last == set->ranges[i].first)
			continue;
		appendStringInfoChar(out, '-');
		arazzo_regex_append_char(out, set->ranges[i].last);
	}
	appendStringInfoChar(out, ']');
}

void
arazzo_regex_append_char(StringInfo out, pg_wchar code)
{
	if ((code >= '0' && code <= '9') || (code >= 'a' && code <= 'z') || (code >= 'A' && code <= 'Z'))
		appendStringInfoChar(out, (char) code);
	else if (code <= 0xFFFF)
		appendStringInfo(out, "\\u%04X", (unsigned int) code);
	else
		appendStringInfo(out, "\\U%08X", (unsigned int) code);
}

/* Sorts the ranges and joins those that touch. */
static void
normalize(CodeSet *set)
{
	int			kept = 0;
	int			i;

	if (set->count < 2)
		return;
	qsort(set->ranges, set->count, sizeof(CodeRange), compare_ranges);
	for (i = 1; i < set->count; i++)
	{
		CodeRange  *last = &set->ranges[kept];

		if (set->ranges[i].first > last->last + 1)
			set->ranges[++kept] = set->ranges[i];
		else if (set->ranges[i].last > last->last)
			last->last = set->ranges[i].last;
	}
	set->count = kept + 1;
}

static int
compare_ranges(const void *a, const void *b)
{
	pg_wchar	first = ((const CodeRange *) a)->first;
	pg_wchar	second = ((const CodeRange *) b)->first;

	return first < second ? -1 : first > second;
}

static bool
find_mask(const NamedMask *table, int count, const char *name, uint32 *mask)
{
	int			i;

	for (i = 0; i < count; i++)
	{
		if (strcmp(table[i].name, name) == 0 || strcmp(table[i].long_name, name) == 0)
		{
			*mask = table[i].mask;
			return true;
		}
	}
	return false;
}

static void
add_run(void *owner, pg_wchar first, pg_wchar last)
{
	arazzo_regex_set_add(owner, first, last);
}
