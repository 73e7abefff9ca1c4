/*-------------------------------------------------------------------------
 *
 * regex_translate.c
 *	  From the pattern grammar of ECMA-262 to PostgreSQL's advanced regular
 *	  expressions.
 *
 * The pattern is parsed, not patched: whatever is written out was understood
 * first, and everything that is not plainly a letter or digit is written as
 * an escape, so that no character can gain a meaning on the way.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/memutils.h"

#include "support/regex.h"
#include "support/regex_internal.h"
#include "support/unicode.h"

/* The engine's own bound on a repetition count (RE_DUP_MAX). */
#define ENGINE_REPEAT_MAX 255

/* Repetitions beyond that are written out; this is where that ends. */
#define TRANSLATED_MAX 200000

/* More times than the engine has states it could only try for minutes. */
#define REPEAT_MAX 100000

#define END_OF_PATTERN ((pg_wchar) 0)

typedef struct Group
{
	char	   *name;			/* NULL when it has none */
	int			number;			/* in the translation, 0: it does not capture */
} Group;

typedef struct Translation
{
	pg_wchar   *in;				/* ends with END_OF_PATTERN */
	int			length;
	int			at;
	StringInfoData out;
	Group	   *groups;			/* capturing groups, in order of opening */
	int			group_count;
	int			groups_seen;
	int			captures;		/* groups that capture in the translation */
	bool		has_backreferences;
	int			lookarounds;	/* depth */
	ArazzoFailure *failure;
} Translation;

static void survey(Translation *t);
static void survey_group(Translation *t, int at);
static void translate_disjunction(Translation *t);
static void translate_term(Translation *t);
static bool translate_assertion(Translation *t);
static bool translate_lookaround(Translation *t);
static void translate_atom(Translation *t);
static void translate_group(Translation *t);
static void close_group(Translation *t);
static void translate_escape(Translation *t);
static void translate_backreference(Translation *t, int number);
static void translate_class(Translation *t);
static void class_range(Translation *t, CodeSet *set);
static bool class_member(Translation *t, CodeSet *set, pg_wchar *code);
static bool class_escape(Translation *t, CodeSet *set);
static bool property_escape(Translation *t, CodeSet *set, bool complement);
static pg_wchar character_escape(Translation *t);
static pg_wchar unicode_escape(Translation *t);
static bool hex_digits(Translation *t, int count, pg_wchar *code);
static char *read_group_name(Translation *t, int *at);
static void translate_quantifier(Translation *t, int atom);
static bool read_braces(Translation *t, int *least, int *most);
static bool read_count(Translation *t, int *at, int *count);
static void write_repetition(Translation *t, int atom, int least, int most);
static void write_times(Translation *t, const char *atom, int least, int most);
static bool looks_at(const Translation *t, const char *text);
static void malformed(Translation *t, const char *reason);
static void not_supported(Translation *t, const char *reason);

char *
arazzo_regex_translate(const char *ecma, int length, ArazzoFailure **failure)
{
	Translation t;
	MemoryContext scratch;
	MemoryContext caller;
	char	   *result = NULL;

	scratch = AllocSetContextCreate(CurrentMemoryContext, "regular expression", ALLOCSET_SMALL_SIZES);
	caller = MemoryContextSwitchTo(scratch);

	memset(&t, 0, sizeof(t));
	t.in = palloc((length + 1) * sizeof(pg_wchar));
	t.length = pg_mb2wchar_with_len(ecma, t.in, length);
	t.in[t.length] = END_OF_PATTERN;
	initStringInfo(&t.out);

	survey(&t);
	if (t.failure == NULL)
		translate_disjunction(&t);
	if (t.failure == NULL && t.at < t.length)
		malformed(&t, "unmatched \")\"");

	MemoryContextSwitchTo(caller);
	if (t.failure)
		*failure = arazzo_failure_copy(t.failure);
	else
		result = pstrdup(t.out.data);
	MemoryContextDelete(scratch);
	return result;
}

/* Finds the capturing groups and whether anything refers back to one. */
static void
survey(Translation *t)
{
	bool		in_class = false;
	int			i;

	t->groups = palloc0((t->length + 1) * sizeof(Group));
	for (i = 0; i < t->length; i++)
	{
		pg_wchar	c = t->in[i];

		if (c == '\\')
		{
			i++;
			if (!in_class && (t->in[i] == 'k' || (t->in[i] >= '1' && t->in[i] <= '9')))
				t->has_backreferences = true;
		}
		else if (c == '[')
			in_class = true;
		else if (c == ']')
			in_class = false;
		else if (c == '(' && !in_class)
			survey_group(t, i + 1);
	}
}

/* Notes the group whose parenthesis opens before the position, if it captures. */
static void
survey_group(Translation *t, int at)
{
	char	   *name;
	int			i;

	if (t->in[at] != '?')
	{
		t->group_count++;
		return;
	}
	if (t->in[at + 1] != '<' || t->in[at + 2] == '=' || t->in[at + 2] == '!')
		return;
	at += 2;
	name = read_group_name(t, &at);
	if (name == NULL)
	{
		malformed(t, "malformed group name");
		return;
	}
	for (i = 0; i < t->group_count; i++)
	{
		if (t->groups[i].name && strcmp(t->groups[i].name, name) == 0)
			malformed(t, "two groups of the same name");
	}
	t->groups[t->group_count++].name = name;
}

/* Disjunction: alternatives up to the end or a closing parenthesis. */
static void
translate_disjunction(Translation *t)
{
	check_stack_depth();
	while (t->failure == NULL && t->at < t->length && t->in[t->at] != ')')
	{
		if (t->in[t->at] == '|')
		{
			appendStringInfoChar(&t->out, '|');
			t->at++;
		}
		else
			translate_term(t);
	}
}

static void
translate_term(Translation *t)
{
	int			atom = t->out.len;

	CHECK_FOR_INTERRUPTS();
	if (translate_assertion(t))
		return;
	translate_atom(t);
	if (t->failure == NULL)
		translate_quantifier(t, atom);
}

/* ^ $ \b \B and lookarounds; false when something else is there. */
static bool
translate_assertion(Translation *t)
{
	pg_wchar	c = t->in[t->at];

	if (c == '^' || c == '$')
	{
		appendStringInfoChar(&t->out, (char) c);
		t->at++;
		return true;
	}
	if (looks_at(t, "\\b") || looks_at(t, "\\B"))
	{
		appendStringInfoString(&t->out, t->in[t->at + 1] == 'b' ? "\\y" : "\\Y");
		t->at += 2;
		return true;
	}
	return translate_lookaround(t);
}

static bool
translate_lookaround(Translation *t)
{
	static const char *const openings[] = {"(?=", "(?!", "(?<=", "(?<!"};
	int			i;

	for (i = 0; i < lengthof(openings); i++)
	{
		if (!looks_at(t, openings[i]))
			continue;
		t->at += strlen(openings[i]);
		appendStringInfoString(&t->out, openings[i]);
		t->lookarounds++;
		translate_disjunction(t);
		t->lookarounds--;
		close_group(t);
		return true;
	}
	return false;
}

static void
translate_atom(Translation *t)
{
	CodeSet		set;
	pg_wchar	c = t->in[t->at];

	switch (c)
	{
		case '.':
			/* all but LineTerminator */
			arazzo_regex_set_init(&set);
			arazzo_regex_set_add(&set, '\n', '\n');
			arazzo_regex_set_add(&set, '\r', '\r');
			arazzo_regex_set_add(&set, 0x2028, 0x2029);
			arazzo_regex_set_append(&t->out, &set, true);
			t->at++;
			break;
		case '(':
			translate_group(t);
			break;
		case '[':
			translate_class(t);
			break;
		case '\\':
			translate_escape(t);
			break;
		case '*':
		case '+':
		case '?':
			malformed(t, "nothing to repeat");
			break;
		default:
			/* A brace that begins no quantifier, "]" and "}" stand for themselves. */
			if (c == '{' && read_braces(t, NULL, NULL))
				malformed(t, "nothing to repeat");
			arazzo_regex_append_char(&t->out, c);
			t->at++;
			break;
	}
}

/*
 * A group captures only where a backreference may want it: the engine is
 * faster without, and it never captures within lookarounds.
 */
static void
translate_group(Translation *t)
{
	t->at++;
	if (looks_at(t, "?:"))
	{
		appendStringInfoString(&t->out, "(?:");
		t->at += 2;
	}
	else
	{
		Group	   *group = &t->groups[t->groups_seen++];

		if (t->in[t->at] == '?' && group->name == NULL)
		{
			malformed(t, "unknown kind of group");
			return;
		}
		if (group->name)
		{
			t->at += 2;
			read_group_name(t, &t->at);
		}
		if (t->has_backreferences && t->lookarounds == 0)
			group->number = ++t->captures;
		appendStringInfoString(&t->out, group->number ? "(" : "(?:");
	}
	translate_disjunction(t);
	close_group(t);
}

static void
close_group(Translation *t)
{
	if (t->failure)
		return;
	if (t->in[t->at] != ')')
	{
		malformed(t, "unmatched \"(\"");
		return;
	}
	appendStringInfoChar(&t->out, ')');
	t->at++;
}

/* AtomEscape: what follows a backslash outside of brackets. */
static void
translate_escape(Translation *t)
{
	CodeSet		set;
	pg_wchar	c = t->in[t->at + 1];
	int			number = 0;

	if (c >= '1' && c <= '9')
	{
		t->at++;
		while (t->in[t->at] >= '0' && t->in[t->at] <= '9' && number <= t->group_count)
			number = number * 10 + (t->in[t->at++] - '0');
		translate_backreference(t, number);
		return;
	}
	if (c == 'k')
	{
		char	   *name = NULL;

		t->at += 3;
		if (t->in[t->at - 1] == '<')
			name = read_group_name(t, &t->at);
		while (name && number < t->group_count &&
			   (t->groups[number].name == NULL || strcmp(t->groups[number].name, name) != 0))
			number++;
		translate_backreference(t, name ? number + 1 : 0);
		return;
	}
	arazzo_regex_set_init(&set);
	if (class_escape(t, &set))
		arazzo_regex_set_append(&t->out, &set, false);
	else if (t->failure == NULL)
		arazzo_regex_append_char(&t->out, character_escape(t));
}

static void
translate_backreference(Translation *t, int number)
{
	if (number < 1 || number > t->group_count)
		malformed(t, "backreference to a group that is not there");
	else if (t->groups[number - 1].number == 0 || t->lookarounds > 0)
		not_supported(t, "backreference forward, or across a lookaround");
	else
		appendStringInfo(&t->out, "(?:\\%d)", t->groups[number - 1].number);
}

static void
translate_class(Translation *t)
{
	CodeSet		set;
	bool		complement;

	arazzo_regex_set_init(&set);
	t->at++;
	complement = t->in[t->at] == '^';
	if (complement)
		t->at++;

	while (t->failure == NULL && t->in[t->at] != ']')
	{
		if (t->at >= t->length)
		{
			malformed(t, "unmatched \"[\"");
			return;
		}
		class_range(t, &set);
	}
	t->at++;
	arazzo_regex_set_append(&t->out, &set, complement);
}

/*
 * One member of a bracket expression or a range of them.  A hyphen next to a
 * class such as \w stands for itself, as it does outside of the Unicode mode.
 */
static void
class_range(Translation *t, CodeSet *set)
{
	pg_wchar	first = 0;
	pg_wchar	last = 0;
	bool		is_char = class_member(t, set, &first);

	if (t->failure)
		return;
	if (!is_char || t->in[t->at] != '-' || t->in[t->at + 1] == ']' || t->at + 1 >= t->length)
	{
		if (is_char)
			arazzo_regex_set_add(set, first, first);
		return;
	}
	t->at++;
	if (class_member(t, set, &last))
	{
		if (last < first)
			malformed(t, "range in brackets out of order");
		arazzo_regex_set_add(set, first, last);
	}
	else
	{
		arazzo_regex_set_add(set, first, first);
		arazzo_regex_set_add(set, '-', '-');
	}
}

/*
 * One ClassAtom: true and its code point, or false when it was a class (then
 * it is in the set already) or wrong.
 */
static bool
class_member(Translation *t, CodeSet *set, pg_wchar *code)
{
	if (t->in[t->at] != '\\')
	{
		*code = t->in[t->at++];
		return true;
	}
	if (t->in[t->at + 1] == 'b')
	{
		*code = '\b';
		t->at += 2;
		return true;
	}
	if (class_escape(t, set) || t->failure)
		return false;
	*code = character_escape(t);
	return t->failure == NULL;
}

/* CharacterClassEscape: \d \D \s \S \w \W \p{...} \P{...} */
static bool
class_escape(Translation *t, CodeSet *set)
{
	CodeSet		named;
	pg_wchar	c = t->in[t->at + 1];
	bool		complement = c >= 'A' && c <= 'Z';

	if (c == 'p' || c == 'P')
		return property_escape(t, set, complement);
	if (c > 'z')
		return false;
	arazzo_regex_set_init(&named);
	if (!arazzo_regex_set_add_class(&named, complement ? (char) c - 'A' + 'a' : (char) c))
		return false;
	arazzo_regex_set_merge(set, &named, complement);
	t->at += 2;
	return true;
}

static bool
property_escape(Translation *t, CodeSet *set, bool complement)
{
	CodeSet		named;
	char		name[64];
	int			length = 0;
	int			at = t->at + 2;

	if (t->in[at] != '{')
	{
		malformed(t, "malformed property escape");
		return false;
	}
	for (at++; t->in[at] != '}'; at++)
	{
		if (at >= t->length || t->in[at] > 'z' || length == sizeof(name) - 1)
		{
			malformed(t, "malformed property escape");
			return false;
		}
		name[length++] = (char) t->in[at];
	}
	name[length] = '\0';
	t->at = at + 1;
	arazzo_regex_set_init(&named);
	if (!arazzo_regex_set_add_property(&named, name))
	{
		not_supported(t, psprintf("character property \"%s\"", name));
		return false;
	}
	arazzo_regex_set_merge(set, &named, complement);
	return true;
}

/* CharacterEscape: one character, the backslash is not read yet. */
static pg_wchar
character_escape(Translation *t)
{
	static const char letters[] = "tnvfr";
	static const char controls[] = "\t\n\v\f\r";
	pg_wchar	c;
	const char *letter;

	t->at++;
	if (t->at >= t->length)
	{
		malformed(t, "trailing backslash");
		return 0;
	}
	c = t->in[t->at++];
	if (c < 128 && (letter = strchr(letters, (char) c)) != NULL)
		return controls[letter - letters];
	if (c == '0' && !(t->in[t->at] >= '0' && t->in[t->at] <= '9'))
		return 0;
	if (c == 'c' && t->in[t->at] < 128 && isalpha((unsigned char) t->in[t->at]))
		return t->in[t->at++] % 32;
	if (c == 'x' && hex_digits(t, 2, &c))
		return c;
	if (c == 'u')
		return unicode_escape(t);
	if (c < 128 && (isalnum((unsigned char) c)))
	{
		malformed(t, psprintf("unknown escape \"\\%c\"", (char) c));
		return 0;
	}
	return c;
}

/* RegExpUnicodeEscapeSequence, "\u" is read: XXXX, a surrogate pair, {X...} */
static pg_wchar
unicode_escape(Translation *t)
{
	pg_wchar	code = 0;
	pg_wchar	low;
	int			start;

	if (t->in[t->at] == '{')
	{
		start = ++t->at;
		while (hex_digits(t, 1, &low) && code <= UNICODE_LAST)
			code = code * 16 + low;
		if (t->at == start || code > UNICODE_LAST || t->in[t->at] != '}')
			malformed(t, "malformed escape of a code point");
		t->at++;
		return code;
	}
	if (!hex_digits(t, 4, &code))
	{
		malformed(t, "malformed escape of a code point");
		return 0;
	}
	start = t->at;
	if (code >= 0xD800 && code <= 0xDBFF && looks_at(t, "\\u"))
	{
		t->at += 2;
		if (hex_digits(t, 4, &low) && low >= 0xDC00 && low <= 0xDFFF)
			return 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
		t->at = start;
	}
	return code;
}

static bool
hex_digits(Translation *t, int count, pg_wchar *code)
{
	pg_wchar	value = 0;
	int			i;

	for (i = 0; i < count; i++)
	{
		pg_wchar	c = t->in[t->at + i];

		if (c >= 128 || !isxdigit((unsigned char) c))
			return false;
		value = value * 16 + (c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
	}
	t->at += count;
	*code = value;
	return true;
}

/* The name up to ">", which is read; NULL when it is malformed. */
static char *
read_group_name(Translation *t, int *at)
{
	StringInfoData name;

	initStringInfo(&name);
	for (; t->in[*at] != '>'; (*at)++)
	{
		pg_wchar	c = t->in[*at];
		bool		is_digit = c >= '0' && c <= '9';

		if (*at >= t->length || (is_digit && name.len == 0) ||
			(c < 128 && !is_digit && !isalpha((unsigned char) c) && c != '_' && c != '$'))
			return NULL;
		if (c < 128)
			appendStringInfoChar(&name, (char) c);
		else
			appendStringInfo(&name, "\\u{%x}", (unsigned int) c);
	}
	(*at)++;
	return name.len > 0 ? name.data : NULL;
}

/* The quantifier after an atom, which begins at the given place of out. */
static void
translate_quantifier(Translation *t, int atom)
{
	pg_wchar	c = t->in[t->at];
	int			least;
	int			most;

	if (c == '*' || c == '+' || c == '?')
	{
		appendStringInfoChar(&t->out, (char) c);
		t->at++;
	}
	else if (c == '{' && read_braces(t, &least, &most))
		write_repetition(t, atom, least, most);
	else
		return;
	/* Lazy or greedy, there is a match or there is none. */
	if (t->in[t->at] == '?')
		t->at++;
}

/*
 * Is a quantifier in braces here?  Reads it when least is not NULL; most is
 * -1 when there is no bound.
 */
static bool
read_braces(Translation *t, int *least, int *most)
{
	int			at = t->at + 1;
	int			from;
	int			to;

	if (!read_count(t, &at, &from))
		return false;
	to = from;
	if (t->in[at] == ',')
	{
		at++;
		if (!read_count(t, &at, &to))
			to = -1;
	}
	if (t->in[at] != '}')
		return false;
	if (least == NULL)
		return true;
	if (to != -1 && to < from)
		malformed(t, "repetition counts out of order");
	t->at = at + 1;
	*least = from;
	*most = to;
	return true;
}

static bool
read_count(Translation *t, int *at, int *count)
{
	int			start = *at;

	*count = 0;
	for (; t->in[*at] >= '0' && t->in[*at] <= '9'; (*at)++)
	{
		if (*count < TRANSLATED_MAX)
			*count = *count * 10 + (t->in[*at] - '0');
	}
	return *at > start;
}

/* Counts beyond the engine's bound become a sequence of repetitions. */
static void
write_repetition(Translation *t, int atom, int least, int most)
{
	char	   *text;
	int			captures;
	int			pieces;

	if (least <= ENGINE_REPEAT_MAX && most <= ENGINE_REPEAT_MAX)
	{
		write_times(t, "", least, most);
		return;
	}
	text = pstrdup(t->out.data + atom);
	captures = t->has_backreferences && strchr(text, '(') != NULL;
	pieces = Max(least, most) / ENGINE_REPEAT_MAX + 3;
	if (captures || Max(least, most) > REPEAT_MAX ||
		(int64) pieces * (strlen(text) + 10) > TRANSLATED_MAX - t->out.len)
	{
		not_supported(t, "repetition count of this size here");
		return;
	}

	t->out.len = atom;
	t->out.data[atom] = '\0';
	appendStringInfoString(&t->out, "(?:");
	for (; least > ENGINE_REPEAT_MAX; least -= ENGINE_REPEAT_MAX)
	{
		write_times(t, text, ENGINE_REPEAT_MAX, ENGINE_REPEAT_MAX);
		if (most != -1)
			most -= ENGINE_REPEAT_MAX;
	}
	if (most == -1 || most <= ENGINE_REPEAT_MAX)
		write_times(t, text, least, most);
	else
	{
		write_times(t, text, least, ENGINE_REPEAT_MAX);
		for (most -= ENGINE_REPEAT_MAX; most > 0; most -= ENGINE_REPEAT_MAX)
			write_times(t, text, 0, Min(most, ENGINE_REPEAT_MAX));
	}
	appendStringInfoChar(&t->out, ')');
}

static void
write_times(Translation *t, const char *atom, int least, int most)
{
	if (most == -1)
		appendStringInfo(&t->out, "%s{%d,}", atom, least);
	else if (most == least)
		appendStringInfo(&t->out, "%s{%d}", atom, least);
	else
		appendStringInfo(&t->out, "%s{%d,%d}", atom, least, most);
}

static bool
looks_at(const Translation *t, const char *text)
{
	int			i;

	/* The end mark is in no text, so the comparison cannot run over it. */
	for (i = 0; text[i] != '\0'; i++)
	{
		if (t->in[t->at + i] != (pg_wchar) text[i])
			return false;
	}
	return true;
}

static void
malformed(Translation *t, const char *reason)
{
	if (t->failure == NULL)
		t->failure = arazzo_failure_make(ERRCODE_INVALID_REGULAR_EXPRESSION,
										 "invalid regular expression: %s", reason);
}

static void
not_supported(Translation *t, const char *reason)
{
	if (t->failure == NULL)
		t->failure = arazzo_failure_make(ERRCODE_FEATURE_NOT_SUPPORTED,
										 "unsupported regular expression: %s", reason);
}
