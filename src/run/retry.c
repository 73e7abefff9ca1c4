/*-------------------------------------------------------------------------
 *
 * retry.c
 *	  When to try again: retryAfter and the Retry-After header.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/timestamp.h"

#include "run/internal.h"
#include "support/settings.h"

static bool header_delay(const char *text, TimestampTz now, int64 *delay);
static bool http_date(const char *text, TimestampTz *moment);
static int	month_number(const char *name);

/*
 * Failure Action Object, retryAfter: a Retry-After header of the answer
 * (RFC 9110, 10.2.3: seconds or a date) beats it, unless it makes no sense.
 * The delay is never negative and at most arazzo.max_retry_after.
 */
int64
arazzo_run_retry_delay(const ArazzoResponse *response, double retry_after, TimestampTz now)
{
	int64		limit = (int64) arazzo_max_retry_after * USECS_PER_SEC;
	int64		delay = retry_after * 1e6 < (double) limit ? (int64) (retry_after * 1e6) : limit;
	const char *header = NULL;

	if (response && response->outcome != OUTCOME_UNKNOWN)
		header = arazzo_header_find(response->headers, response->header_count,
									"Retry-After", strlen("Retry-After"));
	if (header)
		(void) header_delay(header, now, &delay);
	return Min(Max(delay, 0), limit);
}

static bool
header_delay(const char *text, TimestampTz now, int64 *delay)
{
	size_t		digits;
	TimestampTz moment;

	text += strspn(text, " \t");
	digits = strspn(text, "0123456789");
	if (digits > 0 && text[digits + strspn(text + digits, " \t")] == '\0')
	{
		/* more digits than any delay has are still only "too long" */
		*delay = (digits > 9 ? (int64) PG_INT32_MAX : (int64) strtol(text, NULL, 10)) * USECS_PER_SEC;
		return true;
	}
	if (!http_date(text, &moment))
		return false;
	*delay = moment - now;
	return true;
}

/* RFC 9110, 5.6.7: the preferred form and the two obsolete ones. */
static bool
http_date(const char *text, TimestampTz *moment)
{
	struct pg_tm tm = {0};
	char		month[4];
	const char *comma = strchr(text, ',');
	Timestamp	timestamp;

	if (comma && sscanf(comma + 1, " %2d %3s %4d %2d:%2d:%2d GMT", &tm.tm_mday, month, &tm.tm_year,
						&tm.tm_hour, &tm.tm_min, &tm.tm_sec) == 6)
		 /* Sun, 06 Nov 1994 08:49:37 GMT */ ;
	else if (comma && sscanf(comma + 1, " %2d-%3s-%2d %2d:%2d:%2d GMT", &tm.tm_mday, month, &tm.tm_year,
							 &tm.tm_hour, &tm.tm_min, &tm.tm_sec) == 6)
		tm.tm_year += tm.tm_year < 70 ? 2000 : 1900;
	else if (sscanf(text, "%*3s %3s %2d %2d:%2d:%2d %4d", month, &tm.tm_mday, &tm.tm_hour,
					&tm.tm_min, &tm.tm_sec, &tm.tm_year) != 6)
		return false;
	tm.tm_mon = month_number(month);
	if (tm.tm_mon == 0 || tm.tm_year < 1970 || tm.tm_mday < 1 || tm.tm_mday > 31 ||
		tm.tm_hour < 0 || tm.tm_hour > 23 || tm.tm_min < 0 || tm.tm_min > 59 || tm.tm_sec < 0 || tm.tm_sec > 60 ||
		tm2timestamp(&tm, 0, NULL, &timestamp) != 0)
		return false;
	*moment = (TimestampTz) timestamp;
	return true;
}

static int
month_number(const char *name)
{
	static const char names[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	const char *found = strstr(names, name);

	if (found == NULL || strlen(name) != 3 || (found - names) % 3 != 0)
		return 0;
	return (found - names) / 3 + 1;
}
