/*-------------------------------------------------------------------------
 *
 * iregexp.c
 *	  I-Regexp (RFC 9485), the regular expressions of JSONPath.
 *
 * A pattern is checked against the grammar of RFC 9485 (section 3) and
 * mapped to one of ECMA-262 as told in its section 5.3: "." matches neither
 * line feed nor carriage return, all else is passed on.  So "^" and "$" are
 * anchors, which the compliance suite of JSONPath expects, too.
 *
 * What has a meaning in the grammar is ASCII, so that most of a pattern can
 * be taken byte by byte.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"

#include "expression/iregexp.h"

/* Larger counts are all the same: none of them can be compiled. */
#define MAX_COUNT			1000000

typedef struct Mapping
{
	const char *pattern;
	int			length;
	int			position;
	StringInfoData out;
} Mapping;

static bool map_branches(Mapping *mapping);
static bool map_piece(Mapping *mapping);
static bool map_atom(Mapping *mapping);
static bool map_group(Mapping *mapping);
static bool map_quantifier(Mapping *mapping);
static bool map_bounds(Mapping *mapping);
static bool scan_count(Mapping *mapping, int *count);
static bool map_escape(Mapping *mapping);
static bool is_single_escape(int character);
static bool map_category(Mapping *mapping);
static bool is_category(const char *name, int length);
static bool map_brackets(Mapping *mapping);
static bool map_bracket_item(Mapping *mapping);
static bool map_bracket_character(Mapping *mapping, pg_wchar *character);
static pg_wchar escaped_character(int letter);
static int	peek(const Mapping *mapping, int ahead);
static void copy(Mapping *mapping, int bytes);
static bool one_of(int character, const char *characters);

ArazzoRegex *
arazzo_iregexp_compile(const char *pattern, int length, bool whole, ArazzoFailure **failure)
{
	Mapping		mapping = {.pattern = pattern,.length = length};
	ArazzoRegex *regex = NULL;

	initStringInfo(&mapping.out);
	if (whole)
		appendStringInfoString(&mapping.out, "^(?:");
	if (map_branches(&mapping) && mapping.position == length)
	{
		if (whole)
			appendStringInfoString(&mapping.out, ")$");
		regex = arazzo_regex_compile(mapping.out.data, mapping.out.len, failure);
	}
	pfree(mapping.out.data);
	return regex;
}

/* i-regexp = branch *( "|" branch ), up to the end or a parenthesis */
static bool
map_branches(Mapping *mapping)
{
	check_stack_depth();
	for (;;)
	{
		int			next = peek(mapping, 0);

		CHECK_FOR_INTERRUPTS();
		if (next < 0 || next == ')')
			return true;
		if (next == '|')
			copy(mapping, 1);
		else if (!map_piece(mapping))
			return false;
	}
}

static bool
map_piece(Mapping *mapping)
{
	return map_atom(mapping) && map_quantifier(mapping);
}

static bool
map_atom(Mapping *mapping)
{
	const char *meant = NULL;
	int			next = peek(mapping, 0);

	if (next == '(')
		return map_group(mapping);
	if (next == '[')
		return map_brackets(mapping);
	if (next == '\\')
		return map_escape(mapping);
	if (one_of(next, "*+?){}|]"))
		return false;
	if (next == '.')
		meant = "[^\\n\\r]";
	else if (next == '^')
		meant = "(?:^)";
	else if (next == '$')
		meant = "(?:$)";
	if (meant == NULL)
	{
		copy(mapping, 1);
		while ((peek(mapping, 0) & 0xC0) == 0x80 && peek(mapping, 0) > 0)
			copy(mapping, 1);
		return true;
	}
	appendStringInfoString(&mapping->out, meant);
	mapping->position++;
	return true;
}

static bool
map_group(Mapping *mapping)
{
	mapping->position++;
	appendStringInfoString(&mapping->out, "(?:");
	if (!map_branches(mapping) || peek(mapping, 0) != ')')
		return false;
	copy(mapping, 1);
	return true;
}

static bool
map_quantifier(Mapping *mapping)
{
	int			next = peek(mapping, 0);

	if (next == '{')
		return map_bounds(mapping);
	if (one_of(next, "*+?"))
		copy(mapping, 1);
	return true;
}

/* range-quantifier; it must not end before it begins. */
static bool
map_bounds(Mapping *mapping)
{
	int			least;
	int			most;

	copy(mapping, 1);
	if (!scan_count(mapping, &least))
		return false;
	if (peek(mapping, 0) == ',')
	{
		copy(mapping, 1);
		if (peek(mapping, 0) != '}' && (!scan_count(mapping, &most) || most < least))
			return false;
	}
	if (peek(mapping, 0) != '}')
		return false;
	copy(mapping, 1);
	return true;
}

static bool
scan_count(Mapping *mapping, int *count)
{
	int			start = mapping->position;

	*count = 0;
	while (peek(mapping, 0) >= '0' && peek(mapping, 0) <= '9')
	{
		*count = Min(*count * 10 + (peek(mapping, 0) - '0'), MAX_COUNT);
		copy(mapping, 1);
	}
	return mapping->position > start;
}

/* A backslash outside of brackets: SingleCharEsc or charClassEsc */
static bool
map_escape(Mapping *mapping)
{
	if (one_of(peek(mapping, 1), "pP"))
		return map_category(mapping);
	if (!is_single_escape(peek(mapping, 1)))
		return false;
	copy(mapping, 2);
	return true;
}

static bool
is_single_escape(int character)
{
	return one_of(character, "()*+-.?[\\]^nrt{|}");
}

/* catEsc or complEsc */
static bool
map_category(Mapping *mapping)
{
	int			length = 0;

	if (peek(mapping, 2) != '{')
		return false;
	while (length < 3 && peek(mapping, 3 + length) >= 0 && peek(mapping, 3 + length) != '}')
		length++;
	if (peek(mapping, 3 + length) != '}' ||
		!is_category(mapping->pattern + mapping->position + 3, length))
		return false;
	copy(mapping, length + 4);
	return true;
}

/* IsCategory: a letter, and for a part of what it names another */
static bool
is_category(const char *name, int length)
{
	static const char *const families[] = {
		"Llmotu", "Mcen", "Ndlo", "Pcdefios", "Zlps", "Sckmo", "Ccfno"
	};

	if (length != 1 && length != 2)
		return false;
	for (int i = 0; i < lengthof(families); i++)
	{
		if (families[i][0] == name[0])
			return length == 1 || one_of((unsigned char) name[1], families[i] + 1);
	}
	return false;
}

/*
 * charClassExpr.  A hyphen stands for itself at the beginning and at the
 * end; "[^]" is not allowed.
 */
static bool
map_brackets(Mapping *mapping)
{
	bool		first = true;

	copy(mapping, peek(mapping, 1) == '^' ? 2 : 1);
	if (peek(mapping, 0) == ']')
		return false;
	for (; peek(mapping, 0) != ']'; first = false)
	{
		CHECK_FOR_INTERRUPTS();
		if (peek(mapping, 0) == '-' && (first || peek(mapping, 1) == ']'))
		{
			appendStringInfoString(&mapping->out, "\\-");
			mapping->position++;
		}
		else if (!map_bracket_item(mapping))
			return false;
	}
	copy(mapping, 1);
	return true;
}

/* CCE1: a character, a range that does not end before it begins, a category */
static bool
map_bracket_item(Mapping *mapping)
{
	pg_wchar	first;
	pg_wchar	last;

	if (peek(mapping, 0) == '\\' && one_of(peek(mapping, 1), "pP"))
		return map_category(mapping);
	if (!map_bracket_character(mapping, &first))
		return false;
	if (peek(mapping, 0) != '-' || peek(mapping, 1) == ']')
		return true;
	copy(mapping, 1);
	return map_bracket_character(mapping, &last) && first <= last;
}

/* CCchar */
static bool
map_bracket_character(Mapping *mapping, pg_wchar *character)
{
	const unsigned char *at = (const unsigned char *) mapping->pattern + mapping->position;
	int			next = peek(mapping, 0);
	int			bytes;

	if (next == '\\')
	{
		if (!is_single_escape(peek(mapping, 1)))
			return false;
		*character = escaped_character(peek(mapping, 1));
		copy(mapping, 2);
		return true;
	}
	if (next < 0 || one_of(next, "-[]"))
		return false;
	bytes = pg_utf_mblen(at);
	if (bytes > mapping->length - mapping->position || !pg_utf8_islegal(at, bytes))
		return false;
	*character = utf8_to_unicode(at);
	copy(mapping, bytes);
	return true;
}

/* What a SingleCharEsc stands for */
static pg_wchar
escaped_character(int letter)
{
	switch (letter)
	{
		case 'n':
			return '\n';
		case 'r':
			return '\r';
		case 't':
			return '\t';
		default:
			return letter;
	}
}

/* A byte of the pattern, or -1 beyond its end */
static int
peek(const Mapping *mapping, int ahead)
{
	if (ahead >= mapping->length - mapping->position)
		return -1;
	return (unsigned char) mapping->pattern[mapping->position + ahead];
}

static void
copy(Mapping *mapping, int bytes)
{
	appendBinaryStringInfo(&mapping->out, mapping->pattern + mapping->position, bytes);
	mapping->position += bytes;
}

static bool
one_of(int character, const char *characters)
{
	return character > 0 && character < 0x80 && strchr(characters, character) != NULL;
}
