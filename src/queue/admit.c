/*-------------------------------------------------------------------------
 *
 * admit.c
 *	  What is known to be wrong with a run before it is queued.
 *
 * Which servers a plan needs and whether a role may use them is found out
 * once, and again when servers, roles or their memberships have changed.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/hsearch.h"
#include "utils/inval.h"
#include "utils/memutils.h"
#include "utils/syscache.h"

#include "drive/message.h"
#include "drive/receive.h"
#include "http/connection.h"
#include "queue/admit.h"
#include "run/machine.h"
#include "support/settings.h"

/* More than this are forgotten together. */
#define MAX_CLEARED 1000

/* A plan and a role that may use its servers. */
typedef struct ClearedKey
{
	uint64		plan;			/* serial number */
	uint64		role;
} ClearedKey;

typedef struct Cleared
{
	ClearedKey	key;
	uint64		generation;		/* when that was found out */
} Cleared;

static HTAB *cleared = NULL;
static uint64 generation = 0;	/* counts changes of servers and roles */

static void check_size(const ArazzoPlan *plan, const Jsonb *inputs);
static Cleared *cleared_entry(const ArazzoPlan *plan, Oid role);
static void create_table(void);
static void note_change(Datum argument, int cache_id, uint32 hash_value);
static void check_connections(const ArazzoPlan *plan, Oid role);
static void check_connection(const PlanStep *step, Oid role);
static bool check_channel(const PlanStep *step, Oid role, ArazzoFailure **failure);

void
arazzo_queue_admit(const ArazzoPlan *plan, Jsonb *inputs, Oid role)
{
	JsonbValue *value = arazzo_value_from_jsonb(inputs);
	ArazzoFailure *failure;
	Cleared    *entry;
	uint64		now;

	check_size(plan, inputs);
	arazzo_queue_refuse_credentials(plan, value);
	failure = arazzo_run_check(plan, value);
	if (failure)
		arazzo_failure_report(failure, ERROR);
	entry = cleared_entry(plan, role);
	now = generation;
	if (entry->generation == now)
		return;
	check_connections(plan, role);
	entry->generation = now;
}

static void
check_size(const ArazzoPlan *plan, const Jsonb *inputs)
{
	if (VARSIZE(inputs) <= (Size) arazzo_max_document_kb * 1024)
		return;
	ereport(ERROR,
			errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
			errmsg("inputs of workflow \"%s\" are too large for a queued run", plan->workflow->workflow_id),
			errdetail("They have %u bytes, and the limit is %d kB.", (unsigned) VARSIZE(inputs), arazzo_max_document_kb),
			errhint("The setting arazzo.max_document_size sets the limit."));
}

void
arazzo_queue_refuse_credentials(const ArazzoPlan *plan, const JsonbValue *inputs)
{
	ListCell   *cell;

	foreach(cell, arazzo_value_is_object(inputs) ? plan->workflow->credential_inputs : NIL)
	{
		const char *name = lfirst(cell);

		if (arazzo_value_member_cstring(inputs, name) != NULL)
			ereport(ERROR,
					errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					errmsg("input \"%s\" of workflow \"%s\" is a credential, which a queued run cannot hold",
						   name, plan->workflow->workflow_id),
					errhint("Leave it out, and use CREATE USER MAPPING to keep the credential with the server."));
	}
}

/* The entry of a plan and a role; its generation is 0 when it is new. */
static Cleared *
cleared_entry(const ArazzoPlan *plan, Oid role)
{
	ClearedKey	key = {.plan = plan->serial,.role = role};
	Cleared    *entry;
	bool		found;

	if (cleared == NULL || hash_get_num_entries(cleared) >= MAX_CLEARED)
		create_table();
	entry = hash_search(cleared, &key, HASH_ENTER, &found);
	if (!found)
		entry->generation = 0;
	return entry;
}

static void
create_table(void)
{
	HASHCTL		control = {0};

	if (generation == 0)
	{
		CacheRegisterSyscacheCallback(FOREIGNSERVEROID, note_change, (Datum) 0);
		CacheRegisterSyscacheCallback(FOREIGNDATAWRAPPEROID, note_change, (Datum) 0);
		CacheRegisterSyscacheCallback(AUTHOID, note_change, (Datum) 0);
		CacheRegisterSyscacheCallback(AUTHMEMMEMROLE, note_change, (Datum) 0);
		generation = 1;
	}
	if (cleared)
		hash_destroy(cleared);
	cleared = NULL;
	control.keysize = sizeof(ClearedKey);
	control.entrysize = sizeof(Cleared);
	control.hcxt = CacheMemoryContext;
	cleared = hash_create("arazzo cleared plans", 32, &control, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
}

static void
note_change(Datum argument, int cache_id, uint32 hash_value)
{
	generation++;
}

static void
check_connections(const ArazzoPlan *plan, Oid role)
{
	ListCell   *cell;

	foreach(cell, plan->workflows)
	{
		const PlanWorkflow *workflow = lfirst(cell);
		int			i;

		for (i = 0; i < workflow->step_count; i++)
		{
			if (workflow->steps[i].operation)
				check_connection(&workflow->steps[i], role);
		}
	}
}

/* By the path's beginning, as far as no parameter stands in it. */
static void
check_connection(const PlanStep *step, Oid role)
{
	const OpenapiOperation *operation = step->operation;
	char	   *url = psprintf("%s%.*s", operation->server_url, (int) strcspn(operation->path, "{"), operation->path);
	ArazzoFailure *failure = NULL;

	if (step->channel && !check_channel(step, role, &failure))
		return;
	if (failure == NULL && arazzo_connection_find(url, role, &failure) != NULL)
		return;
	arazzo_failure_detail(failure, step->channel ? "Step \"%s\" needs it." : "Step \"%s\" calls it.", step->step_id);
	arazzo_failure_report(failure, ERROR);
}

/* Of a message: false when it needs no connection for HTTP. */
static bool
check_channel(const PlanStep *step, Oid role, ArazzoFailure **failure)
{
	if (arazzo_message_listens(step))
		return arazzo_receiver_connection(step, role, failure) == NULL;
	return !step->channel->receive && step->channel->protocol == PROTOCOL_HTTP;
}
