/*-------------------------------------------------------------------------
 *
 * workflows.c
 *	  What can be run: the view arazzo_workflows.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "drive/message.h"
#include "support/strings.h"
#include "workflow/plan.h"

PG_FUNCTION_INFO_V1(arazzo_workflows);

#define WORKFLOW_COLUMNS 9

static void list_document(ReturnSetInfo *result, ArazzoLibrary *library, const char *uri);
static void list_workflow(ReturnSetInfo *result, ArazzoLibrary *library,
						  const ArazzoDocument *document, const ArazzoNode *node);
static Datum text_or_null(const char *text, bool *isnull);
static List *step_ids(const ArazzoNode *workflow);
static List *server_urls(const ArazzoPlan *plan);

/*
 * arazzo_workflows() returns setof record
 *
 * All workflows of all loaded documents; each is planned to tell what it
 * needs, or what is in its way.
 */
Datum
arazzo_workflows(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	MemoryContext work;
	MemoryContext old;
	ArazzoLibrary *library;
	ListCell   *cell;

	InitMaterializedSRF(fcinfo, 0);
	work = AllocSetContextCreate(CurrentMemoryContext, "arazzo_workflows", ALLOCSET_DEFAULT_SIZES);
	old = MemoryContextSwitchTo(work);
	library = arazzo_library_create();
	foreach(cell, arazzo_library_arazzo_uris())
		list_document(result, library, lfirst(cell));
	MemoryContextSwitchTo(old);
	MemoryContextDelete(work);
	return (Datum) 0;
}

static void
list_document(ReturnSetInfo *result, ArazzoLibrary *library, const char *uri)
{
	const ArazzoDocument *document = arazzo_library_get(library, uri);
	const ArazzoNode *workflows = document ? arazzo_node_member(document->tree, "workflows") : NULL;
	MemoryContext scratch = AllocSetContextCreate(CurrentMemoryContext, "arazzo workflow", ALLOCSET_DEFAULT_SIZES);
	int			i;

	for (i = 0; workflows && i < workflows->count; i++)
	{
		MemoryContext old = MemoryContextSwitchTo(scratch);

		CHECK_FOR_INTERRUPTS();
		list_workflow(result, library, document, workflows->u.items[i]);
		MemoryContextSwitchTo(old);
		MemoryContextReset(scratch);
	}
	MemoryContextDelete(scratch);
}

static void
list_workflow(ReturnSetInfo *result, ArazzoLibrary *library,
			  const ArazzoDocument *document, const ArazzoNode *node)
{
	const char *workflow_id = arazzo_node_member_text(node, "workflowId");
	const ArazzoNode *inputs = arazzo_node_member(node, "inputs");
	JsonbValue *schema = inputs ? arazzo_node_to_value(inputs) : NULL;
	ArazzoFailure *failure = NULL;
	ArazzoPlan *plan = arazzo_plan_compile(library, document->uri, workflow_id, &failure);
	Datum		values[WORKFLOW_COLUMNS];
	bool		nulls[WORKFLOW_COLUMNS] = {false};

	values[0] = CStringGetTextDatum(workflow_id);
	values[1] = CStringGetTextDatum(document->uri);
	values[2] = text_or_null(arazzo_value_member_text(arazzo_value_member_cstring(document->content, "info"), "title"),
							 &nulls[2]);
	values[3] = text_or_null(arazzo_node_member_text(node, "summary"), &nulls[3]);
	nulls[4] = schema == NULL;
	values[4] = schema ? JsonbPGetDatum(arazzo_value_to_jsonb(schema)) : (Datum) 0;
	values[5] = arazzo_strings_array(plan ? plan->workflow->required_inputs : NIL);
	values[6] = arazzo_strings_array(step_ids(node));
	nulls[7] = plan == NULL;
	values[7] = plan ? arazzo_strings_array(server_urls(plan)) : (Datum) 0;
	values[8] = text_or_null(failure ? psprintf("%s. %s%s%s", failure->message, failure->detail ? failure->detail : "",
												failure->hint ? " " : "", failure->hint ? failure->hint : "") : NULL,
							 &nulls[8]);
	tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
}

static Datum
text_or_null(const char *text, bool *isnull)
{
	*isnull = text == NULL;
	return text ? CStringGetTextDatum(text) : (Datum) 0;
}

static List *
step_ids(const ArazzoNode *workflow)
{
	const ArazzoNode *steps = arazzo_node_member(workflow, "steps");
	List	   *ids = NIL;
	int			i;

	for (i = 0; i < steps->count; i++)
		ids = lappend(ids, pstrdup(arazzo_node_member_text(steps->u.items[i], "stepId")));
	return ids;
}

/* The base URLs that all it can reach calls: each needs a foreign server. */
static List *
server_urls(const ArazzoPlan *plan)
{
	List	   *urls = NIL;
	ListCell   *cell;

	foreach(cell, plan->workflows)
	{
		const PlanWorkflow *workflow = lfirst(cell);
		int			i;

		for (i = 0; i < workflow->step_count; i++)
		{
			if (workflow->steps[i].channel && arazzo_message_listens(&workflow->steps[i]))
				urls = arazzo_strings_add(urls, workflow->steps[i].channel->server);
			else if (workflow->steps[i].operation && workflow->steps[i].operation->server_url[0] != '\0')
				urls = arazzo_strings_add(urls, workflow->steps[i].operation->server_url);
		}
	}
	return urls;
}
