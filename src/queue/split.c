/*-------------------------------------------------------------------------
 *
 * split.c
 *	  Splits a run whose array the API refused.
 *
 * A batch is refused as a whole for one bad element.  Halves of halves leave
 * that element alone in a run that failed, and let all others through.  A
 * batch that was refused counts as not taken in; a run that did anything else
 * before is left as it is, so that nothing is done twice.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "queue/split.h"
#include "queue/split_store.h"

static const char *obstacle(const SplitFacts *facts);
static bool refuses_content(int status);
static void halve(int64 run, const char *version, const SplitFacts *facts);

bool
arazzo_queue_split(int64 run)
{
	SplitFacts *facts = arazzo_split_facts(run);

	if (obstacle(facts) != NULL)
		return false;
	halve(run, NULL, facts);
	return true;
}

void
arazzo_queue_split_now(int64 run, const char *version)
{
	SplitFacts *facts = arazzo_split_facts(run);
	const char *reason = obstacle(facts);

	if (reason)
		ereport(ERROR,
				errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				errmsg("cannot split run " INT64_FORMAT ": %s", run, reason));
	halve(run, version, facts);
}

/* Why a run cannot be split; NULL when it can. */
static const char *
obstacle(const SplitFacts *facts)
{
	if (!facts->failed || !refuses_content(facts->status))
		return "it did not fail because the API refused what was sent";
	if (facts->acted)
		return "a call before may have changed something, and would be made again";
	if (facts->arrays != 1)
		return psprintf("its inputs hold " INT64_FORMAT " arrays", facts->arrays);
	if (facts->elements < 2)
		return psprintf("array \"%s\" has fewer than two elements", facts->array);
	return NULL;
}

/*
 * Says the status something about the content of the request, not about its
 * address or its sender?  RFC 9110, 15.5.1, 15.5.10, 15.5.14, 15.5.21.
 */
static bool
refuses_content(int status)
{
	return status == 400 || status == 409 || status == 413 || status == 422;
}

static void
halve(int64 run, const char *version, const SplitFacts *facts)
{
	arazzo_split_halve(run, version, facts->array, facts->elements / 2);
}
