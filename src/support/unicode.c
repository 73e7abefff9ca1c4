/*-------------------------------------------------------------------------
 *
 * unicode.c
 *	  Properties of characters (Unicode Character Database).
 *
 * Each property is a table of runs: the first code point of a run shifted
 * left by 8, the run's value in the low byte.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "support/unicode.h"
#include "support/unicode_tables.h"

static uint8 property_of(const uint32 *table, int count, pg_wchar code);
static void property_runs(const uint32 *table, int count, uint32 mask, UnicodeRun run, void *owner);

UnicodeCategory
arazzo_unicode_category(pg_wchar code)
{
	return property_of(unicode_categories, lengthof(unicode_categories), code);
}

UnicodeScript
arazzo_unicode_script(pg_wchar code)
{
	return property_of(unicode_scripts, lengthof(unicode_scripts), code);
}

UnicodeJoining
arazzo_unicode_joining(pg_wchar code)
{
	return property_of(unicode_joinings, lengthof(unicode_joinings), code);
}

UnicodeDirection
arazzo_unicode_direction(pg_wchar code)
{
	return property_of(unicode_directions, lengthof(unicode_directions), code);
}

bool
arazzo_unicode_is_virama(pg_wchar code)
{
	int			i;

	for (i = 0; i < lengthof(unicode_viramas); i++)
	{
		if (unicode_viramas[i] == code)
			return true;
	}
	return false;
}

void
arazzo_unicode_category_runs(uint32 mask, UnicodeRun run, void *owner)
{
	property_runs(unicode_categories, lengthof(unicode_categories), mask, run, owner);
}

void
arazzo_unicode_script_runs(uint32 mask, UnicodeRun run, void *owner)
{
	property_runs(unicode_scripts, lengthof(unicode_scripts), mask, run, owner);
}

/* The value of the last run that begins at or before the code point. */
static uint8
property_of(const uint32 *table, int count, pg_wchar code)
{
	int			low = 0;
	int			high = count - 1;

	while (low < high)
	{
		int			middle = (low + high + 1) / 2;

		if (table[middle] >> 8 <= code)
			low = middle;
		else
			high = middle - 1;
	}
	return table[low] & 0xFF;
}

static void
property_runs(const uint32 *table, int count, uint32 mask, UnicodeRun run, void *owner)
{
	int			i;

	for (i = 0; i < count; i++)
	{
		pg_wchar	last = i + 1 < count ? (table[i + 1] >> 8) - 1 : UNICODE_LAST;

		if (mask & ((uint32) 1 << (table[i] & 0xFF)))
			run(owner, table[i] >> 8, last);
	}
}
