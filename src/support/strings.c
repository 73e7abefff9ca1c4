/*-------------------------------------------------------------------------
 *
 * strings.c
 *	  Formatted text, and lists of strings.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "utils/array.h"
#include "utils/builtins.h"

#include "support/strings.h"

void
arazzo_append_format(StringInfo out, const char *format, va_list arguments)
{
	for (;;)
	{
		va_list		copy;
		int			needed;

		va_copy(copy, arguments);
		needed = appendStringInfoVA(out, format, copy);
		va_end(copy);
		if (needed == 0)
			return;
		enlargeStringInfo(out, needed);
	}
}

char *
arazzo_format(const char *format, va_list arguments)
{
	StringInfoData text;

	initStringInfo(&text);
	arazzo_append_format(&text, format, arguments);
	return text.data;
}

bool
arazzo_strings_contain(const List *strings, const char *string)
{
	ListCell   *cell;

	foreach(cell, strings)
	{
		if (strcmp(lfirst(cell), string) == 0)
			return true;
	}
	return false;
}

List *
arazzo_strings_add(List *strings, const char *string)
{
	if (arazzo_strings_contain(strings, string))
		return strings;
	return lappend(strings, pstrdup(string));
}

Datum
arazzo_strings_array(const List *strings)
{
	Datum	   *elements = palloc(sizeof(Datum) * Max(list_length(strings), 1));
	ListCell   *cell;
	int			count = 0;

	foreach(cell, strings)
		elements[count++] = CStringGetTextDatum((char *) lfirst(cell));
	return PointerGetDatum(construct_array(elements, count, TEXTOID, -1, false, TYPALIGN_INT));
}
