/*-------------------------------------------------------------------------
 *
 * pattern.c
 *	  Regular expressions of criteria.
 *
 * Patterns are ECMA-262 (support/regex.h) and are searched for, not matched
 * as a whole.  Flags that a pattern begins with, "(?i)", "(?m)", "(?s)", are
 * not ECMA-262 but have one meaning, so they are taken; "(?i)" folds ASCII
 * letters only.  Bounds above 255 are beyond PostgreSQL's engine.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_collation.h"
#include "regex/regex.h"
#include "utils/builtins.h"

#include "expression/grammar.h"
#include "support/regex.h"

struct ArazzoPattern
{
	ArazzoRegex *regex;			/* NULL for a pattern with flags */
	text	   *translated;		/* of one with flags */
	int			flags;
};

static int	read_flags(const char *pattern, int length, int *flags, bool *dot_all);
static char *widen_dots(const char *pattern, int length);
static bool search(const ArazzoPattern *pattern, const char *data, int length);

ArazzoPattern *
arazzo_pattern_compile(const char *pattern, int length, ArazzoFailure **failure)
{
	ArazzoPattern *result = palloc0(sizeof(ArazzoPattern));
	bool		dot_all = false;
	int			skipped = read_flags(pattern, length, &result->flags, &dot_all);
	char	   *translated;

	if (skipped == 0)
	{
		result->regex = arazzo_regex_compile(pattern, length, failure);
		return result->regex != NULL ? result : NULL;
	}
	pattern += skipped;
	length -= skipped;
	if (dot_all)
	{
		pattern = widen_dots(pattern, length);
		length = strlen(pattern);
	}
	translated = arazzo_regex_translate(pattern, length, failure);
	if (translated == NULL)
		return NULL;
	result->translated = cstring_to_text(translated);
	(void) arazzo_pattern_matches(result, "", 0, failure);
	return *failure == NULL ? result : NULL;
}

/* Bytes of the flags that a pattern begins with, 0 without any. */
static int
read_flags(const char *pattern, int length, int *flags, bool *dot_all)
{
	int			i = 2;

	*flags = REG_ADVANCED | REG_NOSUB;
	if (length < 4 || pattern[0] != '(' || pattern[1] != '?')
		return 0;
	for (; i < length && pattern[i] != ')'; i++)
	{
		if (pattern[i] == 'i')
			*flags |= REG_ICASE;
		else if (pattern[i] == 'm')
			*flags |= REG_NLANCH;
		else if (pattern[i] == 's')
			*dot_all = true;
		else
			return 0;
	}
	return i > 2 && i < length ? i + 1 : 0;
}

/* The pattern with every "." outside of classes matching newlines too. */
static char *
widen_dots(const char *pattern, int length)
{
	StringInfoData out;
	bool		in_class = false;
	int			i;

	initStringInfo(&out);
	for (i = 0; i < length; i++)
	{
		if (pattern[i] == '\\' && i + 1 < length)
			appendStringInfoChar(&out, pattern[i++]);
		else if (pattern[i] == '[')
			in_class = true;
		else if (pattern[i] == ']')
			in_class = false;
		else if (pattern[i] == '.' && !in_class)
		{
			appendStringInfoString(&out, "[\\s\\S]");
			continue;
		}
		appendStringInfoChar(&out, pattern[i]);
	}
	return out.data;
}

bool
arazzo_pattern_matches(const ArazzoPattern *pattern, const char *data, int length,
					   ArazzoFailure **failure)
{
	MemoryContext context = CurrentMemoryContext;
	volatile bool matches = false;

	PG_TRY();
	{
		matches = search(pattern, data, length);
	}
	PG_CATCH();
	{
		*failure = arazzo_failure_from_catch(context, "could not match regular expression");
	}
	PG_END_TRY();
	return matches;
}

static bool
search(const ArazzoPattern *pattern, const char *data, int length)
{
	if (pattern->regex != NULL)
		return arazzo_regex_search(pattern->regex, data, length);
	return RE_compile_and_execute(pattern->translated, unconstify(char *, data), length,
								  pattern->flags, C_COLLATION_OID, 0, NULL);
}

ArazzoFailure *
arazzo_failure_from_catch(MemoryContext context, const char *what)
{
	int			code = geterrcode();
	ErrorData  *error;
	ArazzoFailure *failure;

	if (arazzo_error_passes(code) || code == ERRCODE_STATEMENT_TOO_COMPLEX)
		PG_RE_THROW();
	MemoryContextSwitchTo(context);
	error = CopyErrorData();
	FlushErrorState();
	failure = arazzo_failure_make(code == ERRCODE_FEATURE_NOT_SUPPORTED ? code : ERRCODE_ARAZZO_EXPRESSION,
								  "%s: %s", what, error->message);
	FreeErrorData(error);
	return failure;
}
