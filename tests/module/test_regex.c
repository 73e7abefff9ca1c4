/*-------------------------------------------------------------------------
 *
 * test_regex.c
 *	  Regular expressions as SQL functions.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "fmgr.h"
#include "utils/builtins.h"

#include "support/regex.h"

PG_FUNCTION_INFO_V1(test_regex_translate);
PG_FUNCTION_INFO_V1(test_regex_search);

/* test_regex_translate(pattern text) returns text: the translation */
Datum
test_regex_translate(PG_FUNCTION_ARGS)
{
	text	   *pattern = PG_GETARG_TEXT_PP(0);
	ArazzoFailure *failure = NULL;
	char	   *translated;

	translated = arazzo_regex_translate(VARDATA_ANY(pattern), VARSIZE_ANY_EXHDR(pattern), &failure);
	if (translated == NULL)
		arazzo_failure_report(failure, ERROR);
	PG_RETURN_TEXT_P(cstring_to_text(translated));
}

/* test_regex_search(pattern text, string text) returns boolean */
Datum
test_regex_search(PG_FUNCTION_ARGS)
{
	text	   *pattern = PG_GETARG_TEXT_PP(0);
	text	   *string = PG_GETARG_TEXT_PP(1);
	ArazzoFailure *failure = NULL;
	ArazzoRegex *regex;

	regex = arazzo_regex_compile(VARDATA_ANY(pattern), VARSIZE_ANY_EXHDR(pattern), &failure);
	if (regex == NULL)
		arazzo_failure_report(failure, ERROR);
	PG_RETURN_BOOL(arazzo_regex_search(regex, VARDATA_ANY(string), VARSIZE_ANY_EXHDR(string)));
}
