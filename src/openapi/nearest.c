/*-------------------------------------------------------------------------
 *
 * nearest.c
 *	  The nearest names to a misspelt one.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/formatting.h"
#include "utils/varlena.h"

#include "openapi/operation.h"

#define MAX_NAMES 3

/* Longer names are not compared: the distance takes quadratic time. */
#define MAX_LENGTH 128

typedef struct NearName
{
	const char *name;
	int			distance;
} NearName;

static int	distance_within(const char *a, const char *b, int limit);
static int	insert_name(NearName *nearest, int count, const char *name, int distance);

char *
arazzo_operation_nearest(const char *name, List *names)
{
	NearName	nearest[MAX_NAMES];
	int			count = 0;
	int			limit = 1 + strlen(name) / 3;
	char	   *lower = asc_tolower(name, strlen(name));
	StringInfoData text;
	ListCell   *cell;
	int			i;

	foreach(cell, names)
	{
		int			distance;

		CHECK_FOR_INTERRUPTS();
		distance = distance_within(lower, lfirst(cell), limit);
		if (distance <= limit)
			count = insert_name(nearest, count, lfirst(cell), distance);
	}
	if (count == 0)
		return NULL;
	initStringInfo(&text);
	for (i = 0; i < count; i++)
		appendStringInfo(&text, "%s\"%s\"", i > 0 ? ", " : "", nearest[i].name);
	return text.data;
}

/* Edits between a name in lower case and another, case aside; any number
 * above limit stands for more than limit. */
static int
distance_within(const char *a, const char *b, int limit)
{
	int			a_length = strlen(a);
	int			b_length = strlen(b);
	char	   *lower;
	int			distance;

	if (a_length > MAX_LENGTH || b_length > MAX_LENGTH || abs(a_length - b_length) > limit)
		return limit + 1;
	lower = asc_tolower(b, b_length);
	distance = varstr_levenshtein_less_equal(a, a_length, lower, b_length, 1, 1, 1, limit, true);
	pfree(lower);
	return distance;
}

/* Keeps the nearest few, in order of distance and name; returns how many. */
static int
insert_name(NearName *nearest, int count, const char *name, int distance)
{
	int			place = count;
	int			i;

	while (place > 0 && (nearest[place - 1].distance > distance ||
						 (nearest[place - 1].distance == distance &&
						  strcmp(nearest[place - 1].name, name) > 0)))
		place--;
	if (place == MAX_NAMES)
		return count;
	if (count < MAX_NAMES)
		count++;
	for (i = count - 1; i > place; i--)
		nearest[i] = nearest[i - 1];
	nearest[place].name = name;
	nearest[place].distance = distance;
	return count;
}
