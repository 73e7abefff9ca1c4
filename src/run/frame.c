/*-------------------------------------------------------------------------
 *
 * frame.c
 *	  Frames: a workflow that was entered, with its inputs.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/memutils.h"

#include "run/internal.h"

static JsonbValue *fill_inputs(const PlanWorkflow *workflow, JsonbValue *inputs, ArazzoFailure **failure);
static void note_secrets(ArazzoRun *run, const PlanWorkflow *workflow, const JsonbValue *inputs);
static bool is_known(List *strings, const char *string);
static ArazzoFailure *inputs_failure(const PlanWorkflow *workflow, List *errors);
static ArazzoFailure *check_credentials(const PlanWorkflow *workflow, const JsonbValue *inputs);

/* A frame on top of the one at hand; it is not yet the run's. */
RunFrame *
arazzo_run_frame(ArazzoRun *run, const PlanWorkflow *workflow, JsonbValue *inputs, FrameReason reason)
{
	MemoryContext context = AllocSetContextCreate(run->context, "arazzo frame", ALLOCSET_SMALL_SIZES);
	MemoryContext old = MemoryContextSwitchTo(context);
	RunFrame   *frame = palloc0(sizeof(RunFrame));
	int			i;

	frame->context = context;
	frame->caller = run->frame;
	frame->reason = reason;
	frame->workflow = workflow;
	frame->inputs = arazzo_value_copy(inputs);
	frame->step = workflow->first_step;
	frame->detour_from = -1;
	frame->steps = palloc0(sizeof(StepRecord) * workflow->step_count);
	for (i = 0; i < workflow->step_count; i++)
	{
		if (workflow->steps[i].output_count > 0)
			frame->steps[i].outputs = palloc0(sizeof(JsonbValue *) * workflow->steps[i].output_count);
	}
	MemoryContextSwitchTo(run->context);
	note_secrets(run, workflow, inputs);
	MemoryContextSwitchTo(old);
	return frame;
}

void
arazzo_run_drop_frame(RunFrame *frame)
{
	MemoryContextDelete(frame->context);
}

/* Takes the place of what the same workflow left behind before; but a step
 * that was done once was done. */
WorkflowRecord *
arazzo_run_record_frame(ArazzoRun *run, RunFrame *frame)
{
	MemoryContext old = MemoryContextSwitchTo(frame->context);
	WorkflowRecord *record = palloc(sizeof(WorkflowRecord));
	ListCell   *cell;

	record->context = frame->context;
	record->workflow = frame->workflow;
	record->inputs = frame->inputs;
	record->outputs = arazzo_run_workflow_outputs(run, frame->workflow);
	record->steps = frame->steps;
	MemoryContextSwitchTo(run->context);
	foreach(cell, run->workflows)
	{
		WorkflowRecord *before = lfirst(cell);
		int			i;

		if (before->workflow != record->workflow)
			continue;
		for (i = 0; i < record->workflow->step_count; i++)
			record->steps[i].done |= before->steps[i].done;
		run->workflows = foreach_delete_current(run->workflows, cell);
		if (before->context)
			MemoryContextDelete(before->context);
	}
	run->workflows = lcons(record, run->workflows);
	MemoryContextSwitchTo(old);
	return record;
}

/*
 * The inputs with the schema's defaults filled in; NULL and *failure when
 * they do not satisfy it.
 */
JsonbValue *
arazzo_run_check_inputs(const PlanWorkflow *workflow, JsonbValue *inputs, ArazzoFailure **failure)
{
	List	   *errors = NIL;

	inputs = fill_inputs(workflow, inputs, failure);
	if (inputs == NULL || workflow->inputs == NULL)
		return inputs;
	if (!arazzo_schema_validate(workflow->inputs, inputs, NULL))
	{
		(void) arazzo_schema_validate(workflow->inputs, inputs, &errors);
		*failure = inputs_failure(workflow, errors);
		return NULL;
	}
	*failure = check_credentials(workflow, inputs);
	return *failure ? NULL : inputs;
}

ArazzoFailure *
arazzo_run_check(const ArazzoPlan *plan, const JsonbValue *inputs)
{
	ArazzoFailure *failure = NULL;

	(void) arazzo_run_check_inputs(plan->workflow, unconstify(JsonbValue *, inputs), &failure);
	return failure;
}

/* The same, but that a required member is missing is no fault. */
JsonbValue *
arazzo_run_check_given_inputs(const PlanWorkflow *workflow, JsonbValue *inputs, ArazzoFailure **failure)
{
	List	   *errors = NIL;
	ListCell   *cell;

	inputs = fill_inputs(workflow, inputs, failure);
	if (inputs == NULL || workflow->inputs == NULL)
		return inputs;
	(void) arazzo_schema_validate(workflow->inputs, inputs, &errors);
	foreach(cell, errors)
	{
		const SchemaError *error = lfirst(cell);
		const char *keyword = strrchr(error->schema_pointer, '/');

		if (keyword && strcmp(keyword, "/required") == 0)
			errors = foreach_delete_current(errors, cell);
	}
	if (errors != NIL)
		*failure = inputs_failure(workflow, errors);
	else
		*failure = check_credentials(workflow, inputs);
	return *failure ? NULL : inputs;
}

/* An object with the schema's defaults filled in. */
static JsonbValue *
fill_inputs(const PlanWorkflow *workflow, JsonbValue *inputs, ArazzoFailure **failure)
{
	if (!arazzo_value_is_object(inputs))
	{
		*failure = arazzo_failure_make(ERRCODE_INVALID_PARAMETER_VALUE,
									   "inputs of workflow \"%s\" must be an object, not %s",
									   workflow->workflow_id, arazzo_value_type(inputs));
		return NULL;
	}
	return workflow->inputs ? arazzo_schema_fill_defaults(workflow->inputs, inputs) : inputs;
}

/* Must an input be given, and by nobody but the caller? */
bool
arazzo_run_input_required(const PlanWorkflow *workflow, const char *name)
{
	return is_known(workflow->required_inputs, name);
}

/* A credential that is given must be something that can be sent. */
static ArazzoFailure *
check_credentials(const PlanWorkflow *workflow, const JsonbValue *inputs)
{
	ListCell   *cell;

	foreach(cell, workflow->credential_inputs)
	{
		JsonbValue *value = arazzo_value_member_cstring(inputs, lfirst(cell));

		if (value && value->type != jbvString)
		{
			ArazzoFailure *failure = arazzo_failure_make(ERRCODE_ARAZZO_SCHEMA,
														 "input \"%s\" of workflow \"%s\" must be a string, not %s",
														 (char *) lfirst(cell), workflow->workflow_id,
														 arazzo_value_type(value));

			return arazzo_failure_hint(failure, "Leave it out to use the credential of the user mapping.");
		}
	}
	return NULL;
}

static ArazzoFailure *
inputs_failure(const PlanWorkflow *workflow, List *errors)
{
	ArazzoFailure *failure;
	StringInfoData detail;
	ListCell   *cell;

	failure = arazzo_failure_make(ERRCODE_ARAZZO_SCHEMA, "inputs of workflow \"%s\" are not valid",
								  workflow->workflow_id);
	initStringInfo(&detail);
	foreach(cell, errors)
	{
		const SchemaError *error = lfirst(cell);

		if (foreach_current_index(cell) == 20)
		{
			appendStringInfo(&detail, "\nThere are %d more.", list_length(errors) - 20);
			break;
		}
		if (detail.len > 0)
			appendStringInfoChar(&detail, '\n');
		if (error->instance_pointer[0])
			appendStringInfo(&detail, "%s: %s.", error->instance_pointer, error->message);
		else
			appendStringInfo(&detail, "%c%s.", pg_ascii_toupper((unsigned char) error->message[0]),
							 error->message + 1);
	}
	failure->detail = detail.data;
	return arazzo_failure_hint(failure, "The view arazzo_workflows shows the input schema.");
}

/* An object of the values that an action or a step passes on; what is left
 * out is not in it. */
JsonbValue *
arazzo_run_gather_inputs(ArazzoRun *run, List *values, ArazzoFailure **failure)
{
	JsonbParseState *state = NULL;
	ListCell   *cell;

	pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	foreach(cell, values)
	{
		const PlanValue *input = lfirst(cell);
		JsonbValue *value = arazzo_template_evaluate(input->value, &run->environment, failure);

		if (*failure)
			return NULL;
		if (value == NULL)
			continue;
		pushJsonbValue(&state, WJB_KEY, arazzo_value_cstring(input->name));
		pushJsonbValue(&state, WJB_VALUE, value);
	}
	return arazzo_value_from_jsonb(JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_OBJECT, NULL)));
}

/* Values that credentials have in this run are masked wherever it is shown;
 * an expression that only explains one is no secret. */
static void
note_secrets(ArazzoRun *run, const PlanWorkflow *workflow, const JsonbValue *inputs)
{
	ListCell   *cell;

	foreach(cell, workflow->credential_inputs)
	{
		JsonbValue *value = arazzo_value_member_cstring(inputs, lfirst(cell));
		char	   *text;

		if (value == NULL || value->type != jbvString)
			continue;
		text = arazzo_value_to_text(value);
		if (!is_known(run->secrets, text) && !(run->environment.symbolic && strstr(text, "{$")))
			run->secrets = lappend(run->secrets, text);
	}
}

static bool
is_known(List *strings, const char *string)
{
	ListCell   *cell;

	foreach(cell, strings)
	{
		if (strcmp(lfirst(cell), string) == 0)
			return true;
	}
	return false;
}
