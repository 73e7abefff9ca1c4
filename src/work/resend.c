/*-------------------------------------------------------------------------
 *
 * resend.c
 *	  Whether and when a queued run repeats a call by itself.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "common/pg_prng.h"
#include "utils/timestamp.h"

#include "expression/jsonpath.h"
#include "run/machine.h"
#include "support/clock.h"
#include "support/settings.h"
#include "support/value.h"
#include "work/resend.h"

/* First delay (s); it doubles with each retry. */
#define FIRST_DELAY 1.0

/* What the last retries wait for at least (s), and how many they are. */
#define LATE_DELAY 20.0
#define LATE_RETRIES 2

static bool is_passing_status(int status);
static bool body_selects(const char *query, const ArazzoResponse *response);

bool
arazzo_resend_helps(const DriveCall *call, const ArazzoResponse *response, int retries)
{
	if (retries >= call->connection->retry_limit)
		return false;
	if (response->outcome == OUTCOME_NOT_SENT)
		return response->transient;
	if (!call->repeatable)
		return false;
	return response->outcome == OUTCOME_UNKNOWN ? response->transient : is_passing_status(response->status);
}

/* RFC 9110, 15.5.9, 15.6; RFC 8470, 5.2; RFC 6585, 4. */
static bool
is_passing_status(int status)
{
	return status == 408 || status == 425 || status == 429 ||
		status == 500 || status == 502 || status == 503 || status == 504;
}

TimestampTz
arazzo_resend_time(const ArazzoResponse *response, int retries, int limit)
{
	TimestampTz now = arazzo_clock_now();
	double		longest = FIRST_DELAY * (1 << Min(retries, 20));
	double		delay = Min(longest, arazzo_max_retry_after) * pg_prng_double(&pg_global_prng_state);

	if (retries >= limit - LATE_RETRIES)
		delay = Max(delay, Min(LATE_DELAY, arazzo_max_retry_after));
	return now + Max(arazzo_run_retry_delay(response, delay, now), (int64) (delay * USECS_PER_SEC));
}

bool
arazzo_resend_is_known(const DriveCall *call, const ArazzoResponse *response)
{
	const ArazzoConnection *connection = call->connection;

	if (connection->duplicate_status == 0 || !call->key || response->outcome != OUTCOME_RECEIVED ||
		response->status != connection->duplicate_status)
		return false;
	if (connection->duplicate_text[0] == '$')
		return body_selects(connection->duplicate_text, response);
	return strstr(response->body, connection->duplicate_text) != NULL;
}

/* Does a JSONPath query find anything in the body? */
static bool
body_selects(const char *query, const ArazzoResponse *response)
{
	ArazzoFailure *failure = NULL;
	ArazzoJsonPath *path = arazzo_jsonpath_parse(query, strlen(query), &failure);
	JsonbValue *body = arazzo_value_parse_json(response->body, response->body_length, &failure);

	return path && body && arazzo_jsonpath_query(path, body, false) != NIL;
}

bool
arazzo_resend_is_too_late(const DriveCall *call, TimestampTz unanswered_since, TimestampTz now)
{
	const ArazzoConnection *connection = call->connection;

	return call->key && unanswered_since != 0 && connection->idempotency_window > 0 &&
		now - unanswered_since > connection->idempotency_window * USECS_PER_SEC;
}
