/*-------------------------------------------------------------------------
 *
 * test_drive.c
 *	  Limits of servers, and a clock for runs that only moves when something
 *	  waits for it, for tests only.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "drive/limit.h"
#include "support/clock.h"

PG_FUNCTION_INFO_V1(test_clock);
PG_FUNCTION_INFO_V1(test_limit);

#define START (800000000 * USECS_PER_SEC)

static TimestampTz moment_now = START;
static int	wait_count = 0;

static TimestampTz still_clock_now(void);
static void still_clock_wait(TimestampTz moment);

static const ArazzoClock still_clock = {still_clock_now, still_clock_wait};

static TimestampTz
still_clock_now(void)
{
	return moment_now;
}

static void
still_clock_wait(TimestampTz moment)
{
	CHECK_FOR_INTERRUPTS();
	moment_now = Max(moment, moment_now);
	wait_count++;
}

/*
 * test_clock(on bool): puts the clock in place, or the real one back; the
 * seconds that went by on it since it was put there, and by how many waits.
 */
Datum
test_clock(PG_FUNCTION_ARGS)
{
	char	   *result = psprintf("%.3f s in %d waits", (moment_now - START) / 1000000.0, wait_count);

	moment_now = START;
	wait_count = 0;
	arazzo_clock_replace(PG_GETARG_BOOL(0) ? &still_clock : NULL);
	PG_RETURN_TEXT_P(cstring_to_text(result));
}

/*
 * test_limit(server oid, concurrency int, rate float8, actions text[]): what a
 * server's limits say to each action on the still clock: "take" a place,
 * "give" one back, "wait" until one may be free, "back" sets the clock back
 * by an hour.
 */
Datum
test_limit(PG_FUNCTION_ARGS)
{
	ArazzoConnection connection = {.server = PG_GETARG_OID(0)};
	ServerLimit limit = {0};
	StringInfoData log;
	Datum	   *actions;
	int			count;
	int			i;

	connection.max_concurrency = PG_GETARG_INT32(1);
	connection.max_rate = PG_GETARG_FLOAT8(2);
	arazzo_limit_set(&limit, &connection);
	deconstruct_array(PG_GETARG_ARRAYTYPE_P(3), TEXTOID, -1, false, TYPALIGN_INT, &actions, NULL, &count);
	initStringInfo(&log);
	appendStringInfoString(&log, arazzo_limit_applies(&connection) ? "limited:" : "free:");
	arazzo_clock_replace(&still_clock);
	for (i = 0; i < count; i++)
	{
		const char *action = TextDatumGetCString(actions[i]);

		if (strcmp(action, "take") == 0)
			appendStringInfoString(&log, arazzo_limit_take(&limit) ? " taken" : " none");
		else if (strcmp(action, "give") == 0)
			arazzo_limit_give_back(&limit);
		else if (strcmp(action, "back") == 0)
			moment_now -= USECS_PER_HOUR;
		else if (arazzo_limit_moment(&limit) == DT_NOEND)
			appendStringInfoString(&log, " no moment");
		else
		{
			appendStringInfo(&log, " %.3f s", (arazzo_limit_moment(&limit) - moment_now) / 1000000.0);
			moment_now = arazzo_limit_moment(&limit);
		}
	}
	arazzo_clock_replace(NULL);
	PG_RETURN_TEXT_P(cstring_to_text(log.data));
}
