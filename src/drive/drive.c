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
#include "drive/message.h"
#include "http/mask.h"
#include "support/clock.h"

/* One drive: the run and what belongs to the call at hand. */
typedef struct Drive
{
	ArazzoRun  *run;
	const DriveObserver *observer;
	Oid			role;
	MemoryContext context;		/* of the call at hand */
	const RunNext *next;
	MemoryContext caller;
	List	   *secrets;		/* of char *, in the caller's context */
	char		prefix[33];		/* of the run's keys; empty until needed */
	char		key[64];
} Drive;

static void make_call(Drive *drive);
static void make_key(Drive *drive);
static void observe(Drive *drive, const DriveCall *call, const ArazzoResponse *response);
static void report_violations(Drive *drive);
static List *add_secrets(Drive *drive, List *secrets);
static void describe_step(void *argument);

List *
arazzo_drive(ArazzoRun *run, const DriveObserver *observer)
{
	ErrorContextCallback callback;
	Drive		drive = {.run = run,.observer = observer,.role = GetUserId(),.caller = CurrentMemoryContext};

	drive.context = AllocSetContextCreate(CurrentMemoryContext, "arazzo call", ALLOCSET_DEFAULT_SIZES);
	callback.callback = describe_step;
	callback.arg = &drive;
	callback.previous = error_context_stack;
	error_context_stack = &callback;
	while ((drive.next = arazzo_run_next(run))->kind != RUN_FINISHED)
	{
		if (drive.next->kind == RUN_WAIT)
			arazzo_clock_wait_until(drive.next->until);
		else
			make_call(&drive);
	}
	error_context_stack = callback.previous;
	MemoryContextDelete(drive.context);
	return drive.secrets;
}

static void
make_call(Drive *drive)
{
	MemoryContext old = MemoryContextSwitchTo(drive->context);
	const ArazzoResponse *response = NULL;
	ArazzoFailure *failure;
	DriveCall	call;

	if (arazzo_message_is(drive->next))
	{
		arazzo_message_perform(drive->run, drive->next);
		observe(drive, NULL, NULL);
		MemoryContextSwitchTo(old);
		return;
	}
	failure = arazzo_call_prepare(&call, drive->next, drive->role);
	if (failure)
		arazzo_run_refused(drive->run, failure);
	else
	{
		if (call.takes_key)
		{
			make_key(drive);
			arazzo_call_set_key(&call, drive->key);
		}
		arazzo_call_start(&call);
		while ((response = arazzo_http_response(call.transfer)) == NULL)
			arazzo_http_poll(1000);
		arazzo_run_received(drive->run, response, call.repeatable);
	}
	observe(drive, failure ? NULL : &call, response);
	if (call.transfer)
		arazzo_http_free(call.transfer);
	MemoryContextSwitchTo(old);
	MemoryContextReset(drive->context);
}

/* The key of the call: the same for every attempt of it, and no other's. */
static void
make_key(Drive *drive)
{
	static const char digits[] = "0123456789abcdef";
	int			i;

	if (drive->prefix[0] == '\0')
	{
		unsigned char random[16];

		if (!pg_strong_random(random, sizeof(random)))
			ereport(ERROR,
					errcode(ERRCODE_INTERNAL_ERROR),
					errmsg("could not generate random values"));
		for (i = 0; i < 16; i++)
		{
			drive->prefix[2 * i] = digits[random[i] >> 4];
			drive->prefix[2 * i + 1] = digits[random[i] & 15];
		}
	}
	snprintf(drive->key, sizeof(drive->key), "%s-%d", drive->prefix, drive->next->call);
}

static void
observe(Drive *drive, const DriveCall *call, const ArazzoResponse *response)
{
	const DriveObserver *observer = drive->observer;

	if (call)
		drive->secrets = add_secrets(drive, arazzo_call_secrets(call));
	report_violations(drive);
	if (observer)
		observer->attempt(observer->owner, drive->next, call, response, arazzo_run_judgement(drive->run));
}

/* What arazzo.validate = warn has found. */
static void
report_violations(Drive *drive)
{
	List	   *secrets = list_concat_copy(arazzo_run_secrets(drive->run), drive->secrets);
	ListCell   *cell;

	foreach(cell, arazzo_run_judgement(drive->run)->violations)
		ereport(WARNING,
				errcode(ERRCODE_ARAZZO_SCHEMA),
				errmsg_internal("%s", arazzo_mask_text(lfirst(cell), secrets)));
}

/* Keeps what the calls' connections hold secret, for as long as the drive
 * lasts; each server is met many times, so only new ones are added. */
static List *
add_secrets(Drive *drive, List *secrets)
{
	MemoryContext old = MemoryContextSwitchTo(drive->caller);
	ListCell   *cell;

	foreach(cell, secrets)
	{
		ListCell   *known;

		foreach(known, drive->secrets)
		{
			if (strcmp(lfirst(known), lfirst(cell)) == 0)
				break;
		}
		if (known == NULL)
			drive->secrets = lappend(drive->secrets, pstrdup(lfirst(cell)));
	}
	MemoryContextSwitchTo(old);
	return drive->secrets;
}

/* Error context: where the run was when something else went wrong. */
static void
describe_step(void *argument)
{
	const Drive *drive = argument;

	if (drive->next && drive->next->step)
		errcontext("step \"%s\" of workflow \"%s\"", drive->next->step->step_id,
				   drive->next->workflow->workflow_id);
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
