/*-------------------------------------------------------------------------
 *
 * regex.c
 *	  Compiling and searching: PostgreSQL's regular expression engine.
 *
 * Before version 16 the engine keeps a compiled expression in malloc'd
 * memory; a callback of the memory context gives it back.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_collation.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "regex/regex.h"
#include "utils/memutils.h"

#include "support/regex.h"

/* Texts up to this length are widened on the stack. */
#define SHORT_TEXT 256

struct ArazzoRegex
{
	regex_t		compiled;
	bool		is_compiled;
	MemoryContextCallback callback;
};

static void free_compiled(void *arg);
static bool search_wide(regex_t *compiled, const pg_wchar *text, int length);
static void report_engine_error(int code, const regex_t *compiled);

ArazzoRegex *
arazzo_regex_compile(const char *ecma, int length, ArazzoFailure **failure)
{
	ArazzoRegex *regex;
	pg_wchar   *wide;
	char	   *translated;
	int			wide_length;
	int			code;

	translated = arazzo_regex_translate(ecma, length, failure);
	if (translated == NULL)
		return NULL;

	regex = palloc0(sizeof(ArazzoRegex));
	regex->callback.func = free_compiled;
	regex->callback.arg = regex;
	MemoryContextRegisterResetCallback(CurrentMemoryContext, &regex->callback);

	wide = palloc((strlen(translated) + 1) * sizeof(pg_wchar));
	wide_length = pg_mb2wchar_with_len(translated, wide, strlen(translated));

	/* C: what is a word character must not depend on a locale. */
	code = pg_regcomp(&regex->compiled, wide, wide_length, REG_ADVANCED | REG_NOSUB, C_COLLATION_OID);
	pfree(wide);
	pfree(translated);
	if (code != REG_OKAY)
	{
		char		reason[100];

		if (code == REG_ESPACE)
			report_engine_error(code, &regex->compiled);
		CHECK_FOR_INTERRUPTS();
		pg_regerror(code, &regex->compiled, reason, sizeof(reason));
		*failure = arazzo_failure_make(ERRCODE_INVALID_REGULAR_EXPRESSION,
									   "invalid regular expression: %s", reason);
		return NULL;
	}
	regex->is_compiled = true;
	return regex;
}

bool
arazzo_regex_search(const ArazzoRegex *regex, const char *text, int length)
{
	pg_wchar	short_text[SHORT_TEXT + 1];
	pg_wchar   *wide = short_text;
	int			wide_length;
	bool		found;

	if (length > SHORT_TEXT)
		wide = MemoryContextAllocHuge(CurrentMemoryContext, ((Size) length + 1) * sizeof(pg_wchar));
	wide_length = pg_mb2wchar_with_len(text, wide, length);
	found = search_wide(unconstify(regex_t *, &regex->compiled), wide, wide_length);
	if (wide != short_text)
		pfree(wide);
	return found;
}

static bool
search_wide(regex_t *compiled, const pg_wchar *text, int length)
{
	int			code = pg_regexec(compiled, text, length, 0, NULL, 0, NULL, 0);

	if (code != REG_OKAY && code != REG_NOMATCH)
		report_engine_error(code, compiled);
	return code == REG_OKAY;
}

static void
report_engine_error(int code, const regex_t *compiled)
{
	char		reason[100];

	/* REG_CANCEL of version 15 is an interrupt that waits to be served. */
	CHECK_FOR_INTERRUPTS();
	pg_regerror(code, compiled, reason, sizeof(reason));
	ereport(ERROR,
			(errcode(code == REG_ESPACE ? ERRCODE_OUT_OF_MEMORY : ERRCODE_INVALID_REGULAR_EXPRESSION),
			 errmsg("regular expression failed: %s", reason)));
}

static void
free_compiled(void *arg)
{
	ArazzoRegex *regex = arg;

	if (regex->is_compiled)
		pg_regfree(&regex->compiled);
	regex->is_compiled = false;
}
