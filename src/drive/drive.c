/*-------------------------------------------------------------------------
 *
 * drive.c
 *	  One run, from its first request to its end.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "drive/drive.h"
#include "drive/loop.h"
#include "http/mask.h"

/* How long a turn of the loop may wait (ms): any time will do. */
#define TURN_TIMEOUT 60000

/* What the hooks need. */
typedef struct Drive
{
	const DriveObserver *observer;
	List	   *secrets;		/* of char * */
} Drive;

static void pass_attempt(void *owner, void *tag, const RunNext *next, const DriveCall *call,
						 const ArazzoResponse *response, const RunJudgement *judgement);
static void keep_secrets(void *owner, void *tag, ArazzoRun *run, List *secrets);

List *
arazzo_drive(ArazzoRun *run, const DriveObserver *observer)
{
	Drive		drive = {.observer = observer};
	LoopHooks	hooks = {.owner = &drive,.finished = keep_secrets};
	DriveLoop  *loop;

	if (observer)
		hooks.attempt = pass_attempt;
	loop = arazzo_loop_create(&hooks);
	arazzo_loop_add(loop, run, GetUserId(), NULL, NULL);
	while (arazzo_loop_count(loop) > 0)
		arazzo_loop_turn(loop, TURN_TIMEOUT);
	return drive.secrets;
}

static void
pass_attempt(void *owner, void *tag, const RunNext *next, const DriveCall *call,
			 const ArazzoResponse *response, const RunJudgement *judgement)
{
	const DriveObserver *observer = ((Drive *) owner)->observer;

	observer->attempt(observer->owner, next, call, response, judgement);
}

static void
keep_secrets(void *owner, void *tag, ArazzoRun *run, List *secrets)
{
	((Drive *) owner)->secrets = secrets;
}

ArazzoFailure *
arazzo_drive_failure(const ArazzoRun *run, List *secrets)
{
	ArazzoFailure *failure = arazzo_failure_copy(arazzo_run_failure(run));

	secrets = list_concat_copy(arazzo_run_secrets(run), secrets);
	failure->message = arazzo_mask_text(failure->message, secrets);
	if (failure->detail)
		failure->detail = arazzo_mask_text(failure->detail, secrets);
	if (failure->hint)
		failure->hint = arazzo_mask_text(failure->hint, secrets);
	return failure;
}

char *
arazzo_drive_body(const char *body, size_t length)
{
	char	   *hex;

	if (memchr(body, '\0', length) == NULL && pg_verifymbstr(body, length, true))
		return pnstrdup(body, length);
	hex = MemoryContextAllocHuge(CurrentMemoryContext, length * 2 + 3);
	memcpy(hex, "\\x", 2);
	hex[2 + hex_encode(body, length, hex + 2)] = '\0';
	return hex;
}
