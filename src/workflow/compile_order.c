/*-------------------------------------------------------------------------
 *
 * compile_order.c
 *	  What must come before what: dependsOn of steps and of workflows, and
 *	  outputs that steps take from each other.
 *
 * Steps are executed one at a time.  Where no step has dependsOn the order
 * is that of the document; else it is the document's with every step behind
 * those it depends on (Arazzo 1.1.0, Step Dependencies and Execution Order).
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"

#include "workflow/compile.h"

/* Where a depth-first walk is with a step or workflow. */
typedef enum Visit
{
	VISIT_NONE,
	VISIT_OPEN,
	VISIT_DONE
} Visit;

typedef struct Ordering
{
	WorkflowCompiler *self;
	Visit	   *visits;			/* by step */
	List	  **before;			/* by step: of int */
	int		   *last;			/* where to note the next step's index */
} Ordering;

static PlanDependency *compile_dependency(WorkflowCompiler *self, const ArazzoNode *node);
static bool dependency_target(WorkflowCompiler *self, const ArazzoNode *node, const char **step_id,
							  PlanWorkflow **workflow);
static PlanWorkflow *named_workflow(WorkflowCompiler *self, const ArazzoNode *node,
									const char *start, const char *steps);
static int	step_position(const WorkflowCompiler *self, const char *step_id);
static WorkflowCompiler *compiler_of(Compiler *compiler, const PlanWorkflow *workflow);
static bool check_forward(WorkflowCompiler *self);
static bool *reachable(const PlanWorkflow *workflow, int from);
static void reach_actions(const PlanWorkflow *workflow, List *actions, bool *reached, List **queue);
static void reach(int step, int count, bool *reached, List **queue);
static bool place_step(Ordering *ordering, int step);
static bool report_cycle(WorkflowCompiler *self, int step);
static bool visit_workflow(Compiler *compiler, WorkflowCompiler *self);

static int
compare_ids(const void *a, const void *b, void *steps)
{
	return strcmp(((const PlanStep *) steps)[*(const int *) a].step_id,
				  ((const PlanStep *) steps)[*(const int *) b].step_id);
}

void
arazzo_compile_step_ids(PlanWorkflow *workflow)
{
	int			i;

	workflow->by_id = palloc(sizeof(int) * Max(workflow->step_count, 1));
	for (i = 0; i < workflow->step_count; i++)
		workflow->by_id[i] = i;
	qsort_arg(workflow->by_id, workflow->step_count, sizeof(int), compare_ids, workflow->steps);
}

int
arazzo_plan_step(const PlanWorkflow *workflow, const char *step_id, int length)
{
	int			low = 0;
	int			high = workflow->step_count - 1;

	while (low <= high)
	{
		int			middle = (low + high) / 2;
		const char *id = workflow->steps[workflow->by_id[middle]].step_id;
		int			order = strncmp(id, step_id, length);

		if (order == 0 && id[length] == '\0')
			return workflow->by_id[middle];
		if (order < 0)
			low = middle + 1;
		else
			high = middle - 1;
	}
	return -1;
}

/* Step Object, dependsOn (1.1.0). */
bool
arazzo_compile_depends_on(WorkflowCompiler *self, const ArazzoNode *step_node, PlanStep *step)
{
	const ArazzoNode *list = arazzo_node_member(step_node, "dependsOn");
	bool		good = true;
	int			i;

	for (i = 0; list && i < list->count; i++)
	{
		PlanDependency *dependency = compile_dependency(self, list->u.items[i]);

		if (dependency == NULL)
		{
			good = false;
			continue;
		}
		step->depends_on = lappend(step->depends_on, dependency);
		self->ordered = true;
		if (dependency->workflow)
			dependency->workflow->awaited = true;
	}
	return good;
}

static PlanDependency *
compile_dependency(WorkflowCompiler *self, const ArazzoNode *node)
{
	PlanDependency *dependency = palloc0(sizeof(PlanDependency));
	const char *step_id;
	ArazzoFailure *failure;

	dependency->text = pstrdup(node->u.string);
	if (!dependency_target(self, node, &step_id, &dependency->workflow))
		return NULL;
	dependency->step = dependency->workflow == NULL ?
		arazzo_compile_step_index(self, step_id, strlen(step_id)) :
		step_position(compiler_of(self->compiler, dependency->workflow), step_id);
	if (dependency->workflow == self->workflow)
		dependency->workflow = NULL;
	if (dependency->step >= 0)
		return dependency;
	failure = arazzo_failure_make(ERRCODE_ARAZZO_REFERENCE, "\"%s\" in dependsOn names no step", dependency->text);
	arazzo_compile_fail(self, node, failure);
	return NULL;
}

/*
 * "<stepId>", "$workflows.<workflowId>.steps.<stepId>" or
 * "$sourceDescriptions.<name>.<workflowId>.steps.<stepId>".  Another
 * workflow is entered, so that it is part of the plan.
 */
static bool
dependency_target(WorkflowCompiler *self, const ArazzoNode *node, const char **step_id,
				  PlanWorkflow **workflow)
{
	static const char workflows[] = "$workflows.";
	static const char sources[] = "$sourceDescriptions.";
	const char *text = node->u.string;
	const char *steps = strstr(text, ".steps.");
	const char *start = text;

	*workflow = NULL;
	*step_id = text;
	if (strncmp(text, workflows, strlen(workflows)) == 0)
		start = text + strlen(workflows);
	else if (strncmp(text, sources, strlen(sources)) != 0)
		return true;
	if (steps == NULL || steps <= start)
		return true;			/* no step has such an id */
	*step_id = steps + strlen(".steps.");
	*workflow = named_workflow(self, node, start, steps);
	return *workflow != NULL;
}

/* The workflow that the text before ".steps." names. */
static PlanWorkflow *
named_workflow(WorkflowCompiler *self, const ArazzoNode *node, const char *start, const char *steps)
{
	ArazzoNode	reference = *node;

	reference.count = steps - start;
	reference.u.string = pnstrdup(start, steps - start);
	return arazzo_compile_workflow_reference(self, &reference);
}

/* Position of a step in a workflow that may not have been compiled yet. */
static int
step_position(const WorkflowCompiler *self, const char *step_id)
{
	const ArazzoNode *steps = arazzo_node_member(self->node, "steps");
	int			i;

	for (i = 0; i < steps->count; i++)
	{
		const char *id = arazzo_node_member_text(steps->u.items[i], "stepId");

		if (id && strcmp(id, step_id) == 0)
			return i;
	}
	return -1;
}

static WorkflowCompiler *
compiler_of(Compiler *compiler, const PlanWorkflow *workflow)
{
	ListCell   *cell;

	foreach(cell, compiler->entered)
	{
		WorkflowCompiler *candidate = lfirst(cell);

		if (candidate->workflow == workflow)
			return candidate;
	}
	elog(ERROR, "workflow \"%s\" was not entered", workflow->workflow_id);
}

bool
arazzo_compile_order(WorkflowCompiler *self)
{
	PlanWorkflow *workflow = self->workflow;
	Ordering	ordering = {.self = self,.last = &workflow->first_step};
	ListCell   *cell;
	int			i;

	for (i = 0; i < workflow->step_count; i++)
		workflow->steps[i].next = i + 1;
	if (!self->ordered)
		return check_forward(self);
	ordering.visits = palloc0(sizeof(Visit) * workflow->step_count);
	ordering.before = palloc0(sizeof(List *) * workflow->step_count);
	for (i = 0; i < workflow->step_count; i++)
	{
		foreach(cell, workflow->steps[i].depends_on)
		{
			const PlanDependency *dependency = lfirst(cell);

			if (dependency->workflow == NULL)
				ordering.before[i] = lappend_int(ordering.before[i], dependency->step);
		}
	}
	foreach(cell, self->references)
	{
		const StepReference *reference = lfirst(cell);

		if (reference->from != reference->to)
			ordering.before[reference->from] = lappend_int(ordering.before[reference->from], reference->to);
	}
	for (i = 0; i < workflow->step_count; i++)
	{
		if (!place_step(&ordering, i))
			return false;
	}
	*ordering.last = workflow->step_count;
	return true;
}

/* Places a step behind all that it depends on. */
static bool
place_step(Ordering *ordering, int step)
{
	ListCell   *cell;

	check_stack_depth();
	if (ordering->visits[step] == VISIT_DONE)
		return true;
	if (ordering->visits[step] == VISIT_OPEN)
		return report_cycle(ordering->self, step);
	ordering->visits[step] = VISIT_OPEN;
	foreach(cell, ordering->before[step])
	{
		if (!place_step(ordering, lfirst_int(cell)))
			return false;
	}
	ordering->visits[step] = VISIT_DONE;
	*ordering->last = step;
	ordering->last = &ordering->self->workflow->steps[step].next;
	return true;
}

static bool
report_cycle(WorkflowCompiler *self, int step)
{
	const ArazzoNode *node = arazzo_node_member(self->node, "steps")->u.items[step];
	const ArazzoNode *place = arazzo_node_member(node, "dependsOn");
	ArazzoFailure *failure;

	failure = arazzo_failure_make(ERRCODE_ARAZZO_DOCUMENT, "step \"%s\" depends on itself",
								  self->workflow->steps[step].step_id);
	arazzo_failure_hint(failure, "An output that a step takes from another one counts like dependsOn.");
	arazzo_compile_fail(self, place ? place : node, failure);
	return false;
}

/*
 * Without dependsOn, an output of a step further down is there only if an
 * action leads back from it; else the reference can have no value (1.1.0,
 * Validation Recommendations).  Version 1.0 does not say that this is an
 * error: there the step fails when it is reached.
 */
static bool
check_forward(WorkflowCompiler *self)
{
	ListCell   *cell;

	if (strncmp(self->document->version, "1.0", 3) == 0)
		return true;
	foreach(cell, self->references)
	{
		const StepReference *reference = lfirst(cell);
		ArazzoFailure *failure;

		if (reference->to <= reference->from ||
			reachable(self->workflow, reference->to)[reference->from])
			continue;
		failure = arazzo_failure_make(ERRCODE_ARAZZO_REFERENCE,
									  "step \"%s\" uses an output of step \"%s\", which comes after it",
									  self->workflow->steps[reference->from].step_id,
									  self->workflow->steps[reference->to].step_id);
		arazzo_failure_hint(failure, "Change the order of the steps, or name the step in dependsOn.");
		arazzo_compile_fail(self, reference->place, failure);
		return false;
	}
	return true;
}

/* Which steps can come after a step. */
static bool *
reachable(const PlanWorkflow *workflow, int from)
{
	bool	   *reached = palloc0(sizeof(bool) * workflow->step_count);
	List	   *queue = list_make1_int(from);

	while (queue != NIL)
	{
		const PlanStep *step = &workflow->steps[llast_int(queue)];

		CHECK_FOR_INTERRUPTS();
		queue = list_delete_last(queue);
		reach(step->next, workflow->step_count, reached, &queue);
		reach_actions(workflow, step->on_success, reached, &queue);
		reach_actions(workflow, step->on_failure, reached, &queue);
	}
	return reached;
}

static void
reach_actions(const PlanWorkflow *workflow, List *actions, bool *reached, List **queue)
{
	ListCell   *cell;

	foreach(cell, actions)
	{
		const PlanAction *action = lfirst(cell);

		if (action->type != ACTION_END && action->step >= 0)
			reach(action->step, workflow->step_count, reached, queue);
	}
}

static void
reach(int step, int count, bool *reached, List **queue)
{
	if (step >= count || reached[step])
		return;
	reached[step] = true;
	*queue = lappend_int(*queue, step);
}

bool
arazzo_compile_check_dependencies(Compiler *compiler)
{
	ListCell   *cell;

	foreach(cell, compiler->entered)
	{
		if (!visit_workflow(compiler, lfirst(cell)))
			return false;
	}
	return true;
}

/* Workflow Object, dependsOn: a workflow cannot be completed before it is
 * processed. */
static bool
visit_workflow(Compiler *compiler, WorkflowCompiler *self)
{
	ListCell   *cell;

	check_stack_depth();
	if (self->visit == VISIT_DONE)
		return true;
	if (self->visit == VISIT_OPEN)
	{
		arazzo_compile_fail(self, arazzo_node_member(self->node, "dependsOn"),
							arazzo_failure_make(ERRCODE_ARAZZO_DOCUMENT,
												"workflow \"%s\" depends on itself",
												self->workflow->workflow_id));
		return false;
	}
	self->visit = VISIT_OPEN;
	foreach(cell, self->workflow->depends_on)
	{
		if (!visit_workflow(compiler, compiler_of(compiler, lfirst(cell))))
			return false;
	}
	self->visit = VISIT_DONE;
	return true;
}
