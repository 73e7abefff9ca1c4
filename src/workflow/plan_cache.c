/*-------------------------------------------------------------------------
 *
 * plan_cache.c
 *	  Plans by name, kept for the life of the backend.
 *
 * The whole cache is dropped when any document has changed: documents are
 * loaded rarely, and a plan may depend on several.  A pinned plan outlives
 * that until it is unpinned.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "common/hashfn.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"

#include "document/library.h"
#include "document/store.h"
#include "openapi/operation.h"
#include "support/settings.h"
#include "workflow/plan.h"

/* Plans beyond this number make the cache start anew. */
#define MAX_PLANS 2000

/* How much of a name that means nothing is shown. */
#define SHOWN_NAME_BYTES 200

typedef struct PlanEntry
{
	uint64		key;			/* hash of the name */
	ArazzoPlan *plan;
} PlanEntry;

static MemoryContext cache_context = NULL;
static HTAB *cache = NULL;
static uint64 cache_generation = 0;
static bool cache_validates = false;	/* plans have message schemas */

static uint64 name_key(const char *name);
static void renew_cache(void);
static const ArazzoPlan *keep_plan(ArazzoPlan *plan, uint64 key);
static void drop_plan(ArazzoPlan *plan);
static ArazzoPlan *make_plan(const char *name);
static bool resolve_name(const char *name, char **uri, char **workflow_id);
static void report_ambiguous(const char *name, List *uris) pg_attribute_noreturn();
static void report_unknown(const char *name) pg_attribute_noreturn();

const ArazzoPlan *
arazzo_plan_get(const char *name)
{
	uint64		key = name_key(name);

	for (;;)
	{
		PlanEntry  *entry;
		ArazzoPlan *plan;

		if (cache == NULL || cache_generation != arazzo_store_generation() ||
			cache_validates != (arazzo_validate != VALIDATE_OFF) ||
			hash_get_num_entries(cache) > MAX_PLANS)
			renew_cache();
		entry = hash_search(cache, &key, HASH_FIND, NULL);
		if (entry && strcmp(entry->plan->name, name) == 0)
			return entry->plan;

		/* the plan is made first: if that fails, nothing is in the cache */
		plan = make_plan(name);
		if (cache_generation == arazzo_store_generation())
			return keep_plan(plan, key);

		/* it may be made of documents of before and after a change */
		MemoryContextDelete(plan->context);
		CHECK_FOR_INTERRUPTS();
	}
}

static const ArazzoPlan *
keep_plan(ArazzoPlan *plan, uint64 key)
{
	static uint64 last_serial = 0;
	bool		found;
	PlanEntry  *entry = hash_search(cache, &key, HASH_ENTER, &found);

	if (found)
		drop_plan(entry->plan);
	entry->plan = plan;
	plan->serial = ++last_serial;
	MemoryContextSetParent(plan->context, cache_context);
	return plan;
}

void
arazzo_plan_pin(const ArazzoPlan *plan)
{
	unconstify(ArazzoPlan *, plan)->pins++;
}

void
arazzo_plan_unpin(const ArazzoPlan *plan)
{
	ArazzoPlan *self = unconstify(ArazzoPlan *, plan);

	Assert(self->pins > 0);
	if (--self->pins == 0 && self->stale)
		MemoryContextDelete(self->context);
}

static uint64
name_key(const char *name)
{
	return DatumGetUInt64(hash_any_extended((const unsigned char *) name, strlen(name), 0));
}

/* Empties the cache. */
static void
renew_cache(void)
{
	uint64		generation = arazzo_store_generation();
	HASHCTL		control = {0};

	if (cache)
	{
		HASH_SEQ_STATUS scan;
		PlanEntry  *entry;

		hash_seq_init(&scan, cache);
		while ((entry = hash_seq_search(&scan)) != NULL)
			drop_plan(entry->plan);
		hash_destroy(cache);
		cache = NULL;
	}
	if (cache_context == NULL)
		cache_context = AllocSetContextCreate(CacheMemoryContext, "arazzo plans", ALLOCSET_SMALL_SIZES);
	control.keysize = sizeof(uint64);
	control.entrysize = sizeof(PlanEntry);
	control.hcxt = cache_context;
	cache = hash_create("arazzo plans", 32, &control, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	cache_generation = generation;
	cache_validates = arazzo_validate != VALIDATE_OFF;
}

static void
drop_plan(ArazzoPlan *plan)
{
	if (plan->pins == 0)
		MemoryContextDelete(plan->context);
	else
		plan->stale = true;
}

/* Compiles the plan of a name, in a context below the current one. */
static ArazzoPlan *
make_plan(const char *name)
{
	MemoryContext caller = CurrentMemoryContext;
	MemoryContext work = AllocSetContextCreate(caller, "arazzo planning", ALLOCSET_DEFAULT_SIZES);
	ArazzoFailure *failure = NULL;
	ArazzoLibrary *library;
	ArazzoPlan *plan;
	char	   *uri;
	char	   *workflow_id;

	MemoryContextSwitchTo(work);
	library = arazzo_library_create();
	if (!resolve_name(name, &uri, &workflow_id))
		report_unknown(name);
	plan = arazzo_plan_compile(library, uri, workflow_id, &failure);
	if (plan == NULL)
	{
		failure->message = psprintf("workflow \"%s\" cannot be run: %s", name, failure->message);
		arazzo_failure_report(failure, ERROR);
	}
	MemoryContextSetParent(plan->context, caller);
	plan->name = MemoryContextStrdup(plan->context, name);
	plan->version = MemoryContextStrdup(plan->context, arazzo_library_version(library));
	MemoryContextSwitchTo(caller);
	MemoryContextDelete(work);
	return plan;
}

/* A workflow id first; else the first '#' parts a document's URI from it:
 * ids may hold more of them, the URIs of documents hold none. */
static bool
resolve_name(const char *name, char **uri, char **workflow_id)
{
	List	   *uris = arazzo_library_find_workflow(name);
	const char *hash = strchr(name, '#');

	if (list_length(uris) > 1)
		report_ambiguous(name, uris);
	if (uris != NIL)
	{
		*uri = linitial(uris);
		*workflow_id = pstrdup(name);
		return true;
	}
	if (hash == NULL)
		return false;
	*uri = pnstrdup(name, hash - name);
	*workflow_id = pstrdup(hash + 1);
	return true;
}

static void
report_ambiguous(const char *name, List *uris)
{
	StringInfoData candidates;
	ListCell   *cell;

	initStringInfo(&candidates);
	foreach(cell, uris)
		appendStringInfo(&candidates, "%s'%s#%s'", candidates.len > 0 ? ", " : "",
						 (char *) lfirst(cell), name);
	ereport(ERROR,
			errcode(ERRCODE_AMBIGUOUS_FUNCTION),
			errmsg("workflow \"%s\" is in several documents", name),
			errdetail("Candidates are %s.", candidates.data),
			errhint("Name the workflow together with its document."));
}

static void
report_unknown(const char *name)
{
	char	   *nearest = arazzo_operation_nearest(name, arazzo_store_workflow_ids());
	int			length = pg_mbcliplen(name, strlen(name), SHOWN_NAME_BYTES);

	ereport(ERROR,
			errcode(ERRCODE_UNDEFINED_OBJECT),
			errmsg("workflow \"%.*s%s\" does not exist", length, name, name[length] ? "..." : ""),
			nearest ? errhint("Did you mean %s?", nearest) :
			errhint("The view arazzo_workflows lists all workflows."));
}
