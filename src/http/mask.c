/*-------------------------------------------------------------------------
 *
 * mask.c
 *	  Hiding secrets in what is shown: by place (headers, query members)
 *	  and by value.
 *
 * A secret is looked for byte by byte, each byte in any of the forms that
 * percent-encoding, form encoding and JSON give it, so that no list of
 * encoded variants can miss a mixture.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "common/base64.h"
#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/memutils.h"

#include "http/mask.h"

#define SHORTEST_SECRET		4

/*
 * Of a secret in base64 only the characters that do not depend on its
 * neighbours can be recognized; fewer of them would hit by chance.
 */
#define SHORTEST_BASE64		6

/* Stands for any character, in a form that is looked for. */
#define ANY_BASE64			'?'

/* Secrets made ready to be looked for. */
typedef struct MaskSet
{
	MemoryContext context;
	List	   *given;			/* of char *: as they were given */
	List	   *secrets;		/* those that are long enough */
	List	   *encoded;		/* of char *: what is seen of them in base64 */
	bool		first[256];		/* a secret may begin with that byte */
	bool		second[256];	/* likewise, before that byte */
} MaskSet;

static const MaskSet *mask_set(List *secrets);
static bool equal_secrets(const List *a, const List *b);
static void note_beginnings(MaskSet *set);
static size_t plain_length(const MaskSet *set, const char *text);
static List *base64_forms(const char *secret);
static int	longest_match(const char *text, List *secrets, List *encoded);
static int	match_secret(const char *text, const char *secret);
static int	match_ambiguous(const char *text, const char *p, const char *secret, int taken, int unit_length);
static int	match_base64(const char *text, const char *form);
static bool is_base64(char c);
static int	decode_unit(const char *text, char *unit, int *unit_length);
static int	decode_json_escape(const char *text, char *unit, int *unit_length);
static bool read_hex(const char *text, int digits, unsigned int *value);

/* Parts of names that only credentials have. */
static const char *const secret_parts[] = {
	"authorization", "cookie", "token", "secret", "password", "passwd",
	"api-key", "apikey", "api_key", "access-key", "credential", "session",
	"signature", "x-auth"
};

bool
arazzo_mask_is_secret_header(const char *name)
{
	char		lower[128];
	int			length = 0;
	int			i;

	for (; name[length] != '\0' && length < sizeof(lower) - 1; length++)
		lower[length] = pg_ascii_tolower((unsigned char) name[length]);
	lower[length] = '\0';
	for (i = 0; i < lengthof(secret_parts); i++)
	{
		if (strstr(lower, secret_parts[i]) != NULL)
			return true;
	}
	return false;
}

char *
arazzo_mask_text(const char *text, List *secrets)
{
	const MaskSet *set;
	StringInfoData masked;
	const char *p = text;
	bool		hidden = false;

	if (text == NULL || secrets == NIL)
		return (char *) text;
	set = mask_set(secrets);
	initStringInfo(&masked);
	while (*p != '\0')
	{
		size_t		plain = plain_length(set, p);
		int			matched;

		CHECK_FOR_INTERRUPTS();
		appendBinaryStringInfo(&masked, p, plain);
		p += plain;
		matched = longest_match(p, set->secrets, set->encoded);
		if (matched > 0)
		{
			appendStringInfoString(&masked, ARAZZO_MASK);
			hidden = true;
			p += matched;
		}
		else if (*p != '\0')
			appendStringInfoChar(&masked, *p++);
	}
	return hidden ? masked.data : (char *) text;
}

/*
 * The secrets made ready to be looked for.  The last set is kept, since a
 * worker masks text after text with the same ones.
 */
static const MaskSet *
mask_set(List *secrets)
{
	static MaskSet *last = NULL;
	MemoryContext context;
	MemoryContext old;
	ListCell   *cell;
	MaskSet    *set;

	if (last && equal_secrets(last->given, secrets))
		return last;
	context = AllocSetContextCreate(TopMemoryContext, "arazzo secrets", ALLOCSET_SMALL_SIZES);
	old = MemoryContextSwitchTo(context);
	set = palloc0(sizeof(MaskSet));
	set->context = context;
	foreach(cell, secrets)
	{
		char	   *secret = lfirst(cell) ? pstrdup(lfirst(cell)) : NULL;

		set->given = lappend(set->given, secret);
		if (secret == NULL || strlen(secret) < SHORTEST_SECRET)
			continue;
		set->secrets = lappend(set->secrets, secret);
		set->encoded = list_concat(set->encoded, base64_forms(secret));
	}
	note_beginnings(set);
	MemoryContextSwitchTo(old);
	if (last)
		MemoryContextDelete(last->context);
	last = set;
	return set;
}

static bool
equal_secrets(const List *a, const List *b)
{
	int			i;

	if (list_length(a) != list_length(b))
		return false;
	for (i = 0; i < list_length(a); i++)
	{
		const char *left = list_nth(a, i);
		const char *right = list_nth(b, i);

		if (left == NULL || right == NULL ? left != right : strcmp(left, right) != 0)
			return false;
	}
	return true;
}

/* Which bytes a secret can begin with, and which can come second where any
 * character may come first; those that stand for others always can. */
static void
note_beginnings(MaskSet *set)
{
	ListCell   *cell;

	set->first['%'] = set->first['\\'] = set->first['+'] = true;
	foreach(cell, set->secrets)
		set->first[*(const unsigned char *) lfirst(cell)] = true;
	foreach(cell, set->encoded)
	{
		const unsigned char *form = lfirst(cell);

		if (*form == ANY_BASE64)
			set->second[form[1]] = set->second['%'] = set->second['\\'] = true;
		else
			set->first[*form] = true;
		set->first['-'] |= *form == '+';
		set->first['_'] |= *form == '/';
		set->second['-'] |= form[1] == '+';
		set->second['_'] |= form[1] == '/';
	}
}

/* The bytes up to the first one at which a secret may begin. */
static size_t
plain_length(const MaskSet *set, const char *text)
{
	const unsigned char *p = (const unsigned char *) text;

	while (*p != '\0' && !set->first[*p] && !set->second[p[1]])
		p++;
	return p - (const unsigned char *) text;
}

static int
longest_match(const char *text, List *secrets, List *encoded)
{
	int			longest = 0;
	ListCell   *cell;

	foreach(cell, secrets)
		longest = Max(longest, match_secret(text, lfirst(cell)));
	foreach(cell, encoded)
		longest = Max(longest, match_base64(text, lfirst(cell)));
	return longest;
}

/*
 * Bytes of text that are the secret, in whatever form; 0 when they are not.
 * A character that stands for itself or for another, as % does, may be read
 * either way: first as itself, and when that leads nowhere, decoded.
 */
static int
match_secret(const char *text, const char *secret)
{
	const char *p = text;

	while (*secret != '\0')
	{
		char		unit[MAX_MULTIBYTE_CHAR_LEN + 1];
		int			unit_length;
		int			taken = decode_unit(p, unit, &unit_length);
		bool		decoded = taken > 0 && strncmp(unit, secret, unit_length) == 0;

		if (*p == '\0' || (*p != *secret && !decoded))
			return 0;
		if (*p == *secret && decoded)
			return match_ambiguous(text, p, secret, taken, unit_length);
		p += decoded ? taken : 1;
		secret += decoded ? unit_length : 1;
	}
	return p - text;
}

/* Goes on from p with the character as it is, then with it decoded. */
static int
match_ambiguous(const char *text, const char *p, const char *secret, int taken, int unit_length)
{
	int			rest;

	check_stack_depth();
	if (secret[1] == '\0')
		return p + taken - text;
	rest = match_secret(p + 1, secret + 1);
	if (rest > 0)
		return p + 1 + rest - text;
	if (secret[unit_length] == '\0')
		return p + taken - text;
	rest = match_secret(p + taken, secret + unit_length);
	return rest > 0 ? p + taken + rest - text : 0;
}

/*
 * Decodes what stands for other bytes: %XX, +, a JSON escape.  Returns the
 * bytes of text that were taken, 0 when there is nothing to decode.
 */
static int
decode_unit(const char *text, char *unit, int *unit_length)
{
	unsigned int value;

	*unit_length = 1;
	switch (*text)
	{
		case '%':
			if (!read_hex(text + 1, 2, &value))
				return 0;
			unit[0] = (char) value;
			return 3;
		case '+':
			unit[0] = ' ';
			return 1;
		case '\\':
			return decode_json_escape(text, unit, unit_length);
		default:
			return 0;
	}
}

/* RFC 8259, section 7.  A pair of surrogates is one character. */
static int
decode_json_escape(const char *text, char *unit, int *unit_length)
{
	static const char from[] = "\"\\/bfnrt";
	static const char to[] = "\"\\/\b\f\n\r\t";
	unsigned int code;
	unsigned int low;
	int			taken = 6;
	const char *simple;

	if (text[1] != 'u')
	{
		simple = text[1] == '\0' ? NULL : strchr(from, text[1]);
		if (simple == NULL)
			return 0;
		unit[0] = to[simple - from];
		return 2;
	}
	if (!read_hex(text + 2, 4, &code) || code == 0)
		return 0;
	if (is_utf16_surrogate_first(code))
	{
		if (text[6] != '\\' || text[7] != 'u' || !read_hex(text + 8, 4, &low) ||
			!is_utf16_surrogate_second(low))
			return 0;
		code = surrogate_pair_to_codepoint(code, low);
		taken = 12;
	}
	unicode_to_utf8(code, (unsigned char *) unit);
	*unit_length = pg_utf_mblen((unsigned char *) unit);
	return taken;
}

static bool
read_hex(const char *text, int digits, unsigned int *value)
{
	int			i;

	*value = 0;
	for (i = 0; i < digits; i++)
	{
		char		c = pg_ascii_tolower((unsigned char) text[i]);

		if (c >= '0' && c <= '9')
			*value = *value * 16 + (c - '0');
		else if (c >= 'a' && c <= 'f')
			*value = *value * 16 + (c - 'a' + 10);
		else
			return false;
	}
	return true;
}

/*
 * What of a secret is seen in base64 text, for each of the three ways it may
 * lie across the groups of three bytes.
 */
static List *
base64_forms(const char *secret)
{
	List	   *forms = NIL;
	int			length = strlen(secret);
	int			offset;

	for (offset = 0; offset < 3; offset++)
	{
		int			size = pg_b64_enc_len(length + offset) + 1;
		char	   *source = palloc0(length + offset + 1);
		char	   *form = palloc0(size);
		int			first = offset == 0 ? 0 : offset + 1;
		int			whole;

		memcpy(source + offset, secret, length);
		if (pg_b64_encode((const void *) source, length + offset, form, size) < 0)
			elog(ERROR, "could not encode a value as base64");
		/* Characters made of the secret's bits alone, and ones that share them. */
		whole = (length + offset) * 8 / 6;
		if (whole - first < SHORTEST_BASE64)
			continue;
		if ((length + offset) * 8 % 6 != 0)
			form[whole++] = ANY_BASE64;
		form[whole] = '\0';
		if (offset > 0)
			form[--first] = ANY_BASE64;
		forms = lappend(forms, form + first);
	}
	return forms;
}

static bool
is_base64(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
		(c >= '0' && c <= '9') || c == '+' || c == '/';
}

/* Either alphabet (RFC 4648, sections 4 and 5), also percent-encoded. */
static int
match_base64(const char *text, const char *form)
{
	const char *p = text;

	for (; *form != '\0'; form++)
	{
		unsigned int value;
		char		c = *p;
		int			taken = 1;

		if (c == '%' && read_hex(p + 1, 2, &value))
		{
			c = (char) value;
			taken = 3;
		}
		else if (c == '\\' && p[1] == '/')
		{
			c = '/';
			taken = 2;
		}
		if (c == '-')
			c = '+';
		else if (c == '_')
			c = '/';
		if (c != *form && (*form != ANY_BASE64 || !is_base64(c)))
			return 0;
		p += taken;
	}
	return p - text;
}
