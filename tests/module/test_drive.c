/*-------------------------------------------------------------------------
 *
 * test_drive.c
 *	  Limits of servers, tokens, and a clock for runs that only moves when
 *	  something waits for it, for tests only.
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
#include "drive/token.h"
#include "support/clock.h"

PG_FUNCTION_INFO_V1(test_clock);
PG_FUNCTION_INFO_V1(test_limit);
PG_FUNCTION_INFO_V1(test_tokens);

#define START (800000000 * USECS_PER_SEC)

static TimestampTz moment_now = START;
static int	wait_count = 0;

static TimestampTz still_clock_now(void);
static void still_clock_wait(TimestampTz moment);

static const char *get_token(const TokenSource *source, const char *refused, StringInfo log);

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
	while (limit.in_flight > 0)
		arazzo_limit_give_back(&limit);
	PG_RETURN_TEXT_P(cstring_to_text(log.data));
}

/*
 * test_tokens(url text, actions text[]): what comes of each action on the
 * still clock: "get" a token, "refuse" the last one and get another, a number
 * lets so many seconds go by, other words become the scope.
 */
Datum
test_tokens(PG_FUNCTION_ARGS)
{
	char	   *url = text_to_cstring(PG_GETARG_TEXT_PP(0));
	ArazzoConnection connection = {.server_name = "test",.api = url,.url = url};
	ConnectionCredentials credentials = {.client_id = "acme",.client_secret = "secret"};
	TokenSource source = {.connection = &connection,.credentials = &credentials};
	const char *token = NULL;
	StringInfoData log;
	Datum	   *actions;
	int			count;
	int			i;

	connection.http = (HttpOptions) {.connect_timeout = 10000,.timeout = 60000,.max_response_bytes = 10000,
	.max_header_bytes = 10000,.allow_loopback = true};
	source.url = psprintf("%s/token", url);
	deconstruct_array(PG_GETARG_ARRAYTYPE_P(1), TEXTOID, -1, false, TYPALIGN_INT, &actions, NULL, &count);
	initStringInfo(&log);
	arazzo_clock_replace(&still_clock);
	for (i = 0; i < count; i++)
	{
		char	   *action = TextDatumGetCString(actions[i]);

		if (strcmp(action, "get") == 0)
			token = get_token(&source, NULL, &log);
		else if (strcmp(action, "refuse") == 0)
			token = get_token(&source, token, &log);
		else if (strspn(action, "0123456789") > 0)
			moment_now += pg_strtoint32(action) * USECS_PER_SEC;
		else
			source.scopes = list_make1(action);
	}
	arazzo_clock_replace(NULL);
	PG_RETURN_TEXT_P(cstring_to_text(log.data));
}

static const char *
get_token(const TokenSource *source, const char *refused, StringInfo log)
{
	TokenWait  *wait = NULL;
	ArazzoResponse answer;
	bool		unauthorized;
	const char *token = arazzo_token_get(source, refused, &wait);

	if (token == NULL)
	{
		while (!arazzo_token_ready(wait))
			arazzo_http_poll(1000);
		token = arazzo_token_take(wait, &answer, &unauthorized);
	}
	appendStringInfo(log, "%s%s%s", log->len > 0 ? ", " : "", wait ? "new " : "", token ? token : answer.message);
	return token;
}
