/*-------------------------------------------------------------------------
 *
 * check.c
 *	  What is wrong with a trigger, said when it is created.
 *
 * Of what else has to be there when it fires (documents, servers, rights),
 * only what is wrong already is told, and only as a warning where a dump may
 * bring it later.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/table.h"
#include "catalog/namespace.h"
#include "commands/event_trigger.h"
#include "commands/trigger.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "nodes/parsenodes.h"
#include "utils/acl.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

#include "queue/admit.h"
#include "support/extension.h"
#include "support/try.h"
#include "support/value.h"
#include "trigger/trigger.h"

PG_FUNCTION_INFO_V1(arazzo_check_trigger);

typedef struct PlanSearch
{
	const char *name;
	const ArazzoPlan *plan;
} PlanSearch;

static const Trigger *find_trigger(Relation relation, const char *name);
static bool is_ours(const Trigger *trigger);
static void check(Relation relation, const Trigger *trigger);
static const ArazzoPlan *find_plan(const char *name);
static void search_plan(void *argument);
static void check_inputs(const ArazzoPlan *plan, const JsonbValue *template);
static void warn_of_unknown_inputs(const ArazzoPlan *plan, const JsonbValue *template);

/* arazzo_check_trigger() returns event_trigger: after CREATE TRIGGER */
Datum
arazzo_check_trigger(PG_FUNCTION_ARGS)
{
	const CreateTrigStmt *statement;
	ErrorContextCallback context;
	TriggerData data = {0};

	if (!CALLED_AS_EVENT_TRIGGER(fcinfo))
		ereport(ERROR,
				errcode(ERRCODE_E_R_I_E_EVENT_TRIGGER_PROTOCOL_VIOLATED),
				errmsg("arazzo_check_trigger can be called as an event trigger only"));
	if (!IsA(((EventTriggerData *) fcinfo->context)->parsetree, CreateTrigStmt))
		PG_RETURN_NULL();
	statement = (const CreateTrigStmt *) ((EventTriggerData *) fcinfo->context)->parsetree;
	data.tg_relation = table_openrv(statement->relation, AccessShareLock);
	data.tg_trigger = unconstify(Trigger *, find_trigger(data.tg_relation, statement->trigname));
	if (data.tg_trigger && is_ours(data.tg_trigger))
	{
		context.callback = arazzo_trigger_error_context;
		context.arg = &data;
		context.previous = error_context_stack;
		error_context_stack = &context;
		check(data.tg_relation, data.tg_trigger);
		error_context_stack = context.previous;
	}
	table_close(data.tg_relation, NoLock);
	PG_RETURN_NULL();
}

static const Trigger *
find_trigger(Relation relation, const char *name)
{
	int			i;

	for (i = 0; relation->trigdesc && i < relation->trigdesc->numtriggers; i++)
	{
		if (strcmp(relation->trigdesc->triggers[i].tgname, name) == 0)
			return &relation->trigdesc->triggers[i];
	}
	return NULL;
}

static bool
is_ours(const Trigger *trigger)
{
	char	   *function = get_func_name(trigger->tgfoid);

	return function && strcmp(function, "arazzo_trigger") == 0 &&
		get_func_namespace(trigger->tgfoid) == arazzo_extension_schema();
}

/*
 * Whoever lets a trigger queue runs for the owner of the table must be that
 * owner: the privilege TRIGGER is not meant to lend credentials.
 */
static void
check(Relation relation, const Trigger *trigger)
{
	Oid			owner = relation->rd_rel->relowner;
	const ArazzoPlan *plan;

	if (!has_privs_of_role(GetUserId(), owner))
		ereport(ERROR,
				errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				errmsg("must be owner of table %s to let it queue runs", RelationGetRelationName(relation)));
	/* what is wrong with the trigger itself comes before all else */
	(void) arazzo_trigger_compile(relation, trigger, NULL);
	plan = find_plan(trigger->tgargs[0]);
	if (plan == NULL)
		return;
	check_inputs(plan, arazzo_trigger_template(trigger));
	(void) arazzo_trigger_compile(relation, trigger, plan);
}

/* NULL, and a warning, when the workflow cannot be planned. */
static const ArazzoPlan *
find_plan(const char *name)
{
	PlanSearch	search = {.name = name};
	ArazzoFailure *failure = arazzo_try(search_plan, &search);

	if (failure)
		arazzo_failure_report(failure, WARNING);
	return search.plan;
}

static void
search_plan(void *argument)
{
	PlanSearch *search = argument;

	search->plan = arazzo_plan_get(search->name);
}

static void
check_inputs(const ArazzoPlan *plan, const JsonbValue *template)
{
	ListCell   *cell;

	arazzo_queue_refuse_credentials(plan, template);
	foreach(cell, plan->workflow->required_inputs)
	{
		if (arazzo_value_member_cstring(template, lfirst(cell)) == NULL)
			ereport(ERROR,
					errcode(ERRCODE_ARAZZO_SCHEMA),
					errmsg("input \"%s\" of workflow \"%s\" is required and not in the template",
						   (char *) lfirst(cell), plan->workflow->workflow_id));
	}
	if (plan->workflow->inputs)
		warn_of_unknown_inputs(plan, template);
}

/* A schema seldom forbids what it does not know; but an optional input that is
 * misspelled would never be missed. */
static void
warn_of_unknown_inputs(const ArazzoPlan *plan, const JsonbValue *template)
{
	const SchemaNode *schema = arazzo_schema_root(plan->workflow->inputs);
	ArazzoValueWalk walk;
	JsonbValue	key;
	JsonbValue	value;

	arazzo_value_walk(&walk, template);
	while (arazzo_value_next(&walk, &key, &value))
	{
		if (arazzo_schema_member(schema, key.val.string.val, key.val.string.len) == NULL)
			ereport(WARNING,
					errcode(ERRCODE_ARAZZO_SCHEMA),
					errmsg("workflow \"%s\" declares no input \"%.*s\"", plan->workflow->workflow_id,
						   key.val.string.len, key.val.string.val));
	}
}
