/*-------------------------------------------------------------------------
 *
 * compile_parts.c
 *	  Actions, criteria, outputs, reusable objects: what steps and
 *	  workflows have in common.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/numeric.h"

#include "document/uri.h"
#include "expression/selector.h"
#include "workflow/compile.h"

static bool compile_action_list(WorkflowCompiler *self, const ArazzoNode *list,
								const char *component, List **actions);
static PlanAction *compile_action(WorkflowCompiler *self, const ArazzoNode *node);
static bool compile_action_target(WorkflowCompiler *self, const ArazzoNode *node, PlanAction *action);
static bool compile_retry(const ArazzoNode *node, PlanAction *action);
static bool has_action(List *actions, const char *name);
static bool add_inputs(WorkflowCompiler *self, const ArazzoNode *list, List **inputs);
static void report_strings(WorkflowCompiler *self, const ArazzoNode *node);
static bool compile_output(WorkflowCompiler *self, const ArazzoNode *node, PlanValue *output);
static void note_output(WorkflowCompiler *self, const ArazzoNode *node, const PlanValue *output,
						const char *problem);
static double node_number(const ArazzoNode *node);

/*
 * Success and Failure Action Objects: the step's own first, then the
 * workflow's, less those whose name the step uses itself.
 */
bool
arazzo_compile_actions(WorkflowCompiler *self, const ArazzoNode *own, const ArazzoNode *shared,
					   const char *component, List **actions)
{
	bool		good = compile_action_list(self, own, component, actions);

	good &= compile_action_list(self, shared, component, actions);
	self->flow_unknown |= !good;
	return good;
}

static bool
compile_action_list(WorkflowCompiler *self, const ArazzoNode *list,
					const char *component, List **actions)
{
	bool		good = true;
	int			i;

	for (i = 0; list && i < list->count; i++)
	{
		const ArazzoNode *node = arazzo_compile_reusable(self, list->u.items[i], component);
		PlanAction *action;

		if (node == NULL)
		{
			good = false;
			continue;
		}
		if (has_action(*actions, arazzo_node_member_text(node, "name")))
			continue;
		action = compile_action(self, node);
		if (action)
			*actions = lappend(*actions, action);
		else
			good = false;
	}
	return good;
}

static bool
has_action(List *actions, const char *name)
{
	ListCell   *cell;

	foreach(cell, actions)
	{
		if (strcmp(((PlanAction *) lfirst(cell))->name, name) == 0)
			return true;
	}
	return false;
}

static PlanAction *
compile_action(WorkflowCompiler *self, const ArazzoNode *node)
{
	const char *type = arazzo_node_member_text(node, "type");
	PlanAction *action = palloc0(sizeof(PlanAction));

	action->name = pstrdup(arazzo_node_member_text(node, "name"));
	if (strcmp(type, "end") == 0)
		action->type = ACTION_END;
	else if (strcmp(type, "goto") == 0)
		action->type = ACTION_GOTO;
	else
		action->type = ACTION_RETRY;
	if (compile_action_target(self, node, action) &&
		compile_retry(node, action) &&
		arazzo_compile_inputs(self, arazzo_node_member(node, "parameters"), NULL, &action->parameters) &&
		arazzo_compile_criteria(self, arazzo_node_member(node, "criteria"), &action->criteria))
		return action;
	return NULL;
}

static bool
compile_action_target(WorkflowCompiler *self, const ArazzoNode *node, PlanAction *action)
{
	const ArazzoNode *step = arazzo_node_member(node, "stepId");
	const ArazzoNode *workflow = arazzo_node_member(node, "workflowId");

	action->step = -1;
	if (action->type == ACTION_END)
		return true;
	if (step)
	{
		action->step = arazzo_compile_step_index(self, step->u.string, step->count);
		if (action->step < 0)
		{
			arazzo_compile_fail(self, step,
								arazzo_failure_make(ERRCODE_ARAZZO_REFERENCE,
													"action \"%s\" names step \"%s\", which does not exist",
													action->name, step->u.string));
			return false;
		}
	}
	if (workflow)
	{
		action->workflow = arazzo_compile_workflow_reference(self, workflow);
		return action->workflow != NULL;
	}
	return true;
}

/* Failure Action Object, retryAfter and retryLimit: without a limit there is
 * one retry. */
static bool
compile_retry(const ArazzoNode *node, PlanAction *action)
{
	const ArazzoNode *after = arazzo_node_member(node, "retryAfter");
	const ArazzoNode *limit = arazzo_node_member(node, "retryLimit");

	action->retry_after = after ? node_number(after) : 0;
	action->retry_limit = limit ? (int) Min(node_number(limit), 1000000.0) : 1;
	return true;
}

static double
node_number(const ArazzoNode *node)
{
	return DatumGetFloat8(DirectFunctionCall1(numeric_float8_no_overflow,
											  NumericGetDatum(node->u.number)));
}

bool
arazzo_compile_criteria(WorkflowCompiler *self, const ArazzoNode *list, List **criteria)
{
	int			before = self->compiler->failures;
	int			i;

	for (i = 0; list && i < list->count; i++)
	{
		ArazzoFailure *failure = NULL;
		const ArazzoNode *node = list->u.items[i];
		ArazzoCriterion *criterion;

		self->place = arazzo_node_member(node, "condition");
		self->condition = true;
		criterion = arazzo_criterion_compile(node, &self->scope, &failure);
		self->condition = false;
		self->place = NULL;
		if (criterion == NULL)
			arazzo_compile_fail(self, node, failure);
		else
			*criteria = lappend(*criteria, criterion);
	}
	return self->compiler->failures == before;
}

ArazzoTemplate *
arazzo_compile_template(WorkflowCompiler *self, const ArazzoNode *node)
{
	CompileReport *report = self->compiler->report;
	ArazzoFailure *failure = NULL;
	ArazzoTemplate *template;
	bool		muted = report && report->muted;

	if (report && !arazzo_selector_is(node))
	{
		report_strings(self, node);
		report->muted |= node->type == NODE_ARRAY || node->type == NODE_OBJECT;
	}
	self->place = node;
	template = arazzo_template_compile(node, &self->scope, &failure);
	self->place = NULL;
	if (template == NULL)
		arazzo_compile_fail(self, node, failure);
	if (report)
		report->muted = muted;
	return template;
}

/* Checking: each string of a container by itself, so that every finding has
 * its place, and none hides another. */
static void
report_strings(WorkflowCompiler *self, const ArazzoNode *node)
{
	int			i;

	check_stack_depth();
	for (i = 0; i < node->count && (node->type == NODE_ARRAY || node->type == NODE_OBJECT); i++)
		(void) arazzo_compile_template(self, node->type == NODE_ARRAY ? node->u.items[i] :
									   node->u.members[i].value);
}

bool
arazzo_compile_outputs(WorkflowCompiler *self, const ArazzoNode *map, PlanValue **outputs, int *count)
{
	bool		good = true;
	int			i;

	if (map == NULL)
		return true;
	*count = map->count;
	*outputs = palloc0(sizeof(PlanValue) * Max(map->count, 1));
	for (i = 0; i < map->count; i++)
	{
		(*outputs)[i].name = pnstrdup(map->u.members[i].key, map->u.members[i].key_length);
		good &= compile_output(self, map->u.members[i].value, &(*outputs)[i]);
	}
	return good;
}

/*
 * An output that is prose, or no expression although it begins like one,
 * can have no value; the workflow can be run all the same, and a note says
 * so.
 */
static bool
compile_output(WorkflowCompiler *self, const ArazzoNode *node, PlanValue *output)
{
	ArazzoFailure *failure = NULL;

	if (node->type != NODE_STRING && !arazzo_selector_is(node))
	{
		output->value = arazzo_compile_template(self, node);
		return output->value != NULL;
	}
	self->place = node;
	output->value = arazzo_template_compile(node, &self->scope, &failure);
	self->place = NULL;
	if (output->value && node->type == NODE_STRING && strchr(node->u.string, ' ') != NULL &&
		arazzo_template_is_constant(output->value))
	{
		output->value = NULL;
		note_output(self, node, output, "it is prose");
	}
	else if (output->value == NULL && failure->sqlstate == ERRCODE_ARAZZO_EXPRESSION)
		note_output(self, node, output, failure->message);
	else if (output->value == NULL)
	{
		arazzo_compile_fail(self, node, failure);
		return false;
	}
	return true;
}

static void
note_output(WorkflowCompiler *self, const ArazzoNode *node, const PlanValue *output, const char *problem)
{
	ArazzoPlan *plan = self->compiler->plan;
	char	   *note = psprintf("output \"%s\" of %s \"%s\" is always null: %s", output->name,
								self->step ? "step" : "workflow",
								self->step ? self->step->step_id : self->workflow->workflow_id, problem);

	plan->accepted = lappend(plan->accepted, note);
	arazzo_compile_note(self, node, "output-never-produced", note, NULL);
}

/* Reusable Object: "$components.<component>.<name>". */
const ArazzoNode *
arazzo_compile_reusable(WorkflowCompiler *self, const ArazzoNode *node, const char *component)
{
	const char *reference = arazzo_node_member_text(node, "reference");
	const ArazzoNode *components = arazzo_node_member(self->root, "components");
	char	   *prefix;
	const ArazzoNode *found;

	if (reference == NULL)
		return node;
	prefix = psprintf("$components.%s.", component);
	found = strncmp(reference, prefix, strlen(prefix)) != 0 ? NULL :
		arazzo_node_member(arazzo_node_member(components, component), reference + strlen(prefix));
	if (found == NULL || arazzo_node_member(found, "reference") != NULL)
	{
		arazzo_compile_fail(self, node,
							arazzo_failure_make(ERRCODE_ARAZZO_REFERENCE,
												"reference \"%s\" names nothing under components/%s",
												reference, component));
		return NULL;
	}
	return found;
}

/*
 * Parameters that go to a workflow: its inputs, by name.  Those of the
 * workflow at hand come behind the step's own.
 */
bool
arazzo_compile_inputs(WorkflowCompiler *self, const ArazzoNode *own, const ArazzoNode *shared, List **inputs)
{
	bool		good = add_inputs(self, own, inputs);

	return add_inputs(self, shared, inputs) && good;
}

static bool
add_inputs(WorkflowCompiler *self, const ArazzoNode *list, List **inputs)
{
	bool		good = true;
	int			i;

	for (i = 0; list && i < list->count; i++)
	{
		const ArazzoNode *node = list->u.items[i];
		const ArazzoNode *resolved = arazzo_compile_reusable(self, node, "parameters");
		PlanValue  *input = palloc0(sizeof(PlanValue));
		const ArazzoNode *value = NULL;
		bool		known = false;
		ListCell   *cell;

		if (resolved == NULL)
		{
			good = false;
			continue;
		}
		input->name = pstrdup(arazzo_node_member_text(resolved, "name"));
		foreach(cell, *inputs)
			known |= strcmp(((PlanValue *) lfirst(cell))->name, input->name) == 0;
		if (known)
			continue;
		if (node != resolved)
			value = arazzo_node_member(node, "value");
		input->value = arazzo_compile_template(self, value ? value : arazzo_node_member(resolved, "value"));
		if (input->value)
			*inputs = lappend(*inputs, input);
		else
			good = false;
	}
	return good;
}
