/*-------------------------------------------------------------------------
 *
 * check_flow.c
 *	  Checking the flow of a workflow: steps that are never reached, gotos
 *	  that never end, expressions that can never have a value.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"

#include "openapi/operation.h"
#include "workflow/compile.h"

/* Workflows with more steps are not looked into: the tables are quadratic. */
#define MAX_STEPS 2000

/* Which step may follow which. */
typedef struct Flow
{
	WorkflowCompiler *workflow;
	int			count;
	bool	   *follows;		/* [from * count + to]: in one or more moves */
	bool	   *reached;		/* from the first step */
} Flow;

static void find_moves(Flow *flow);
static void add_success_moves(Flow *flow, int step);
static void add_failure_moves(Flow *flow, int step);
static void add_move(Flow *flow, int from, int to);
static void close_moves(Flow *flow);
static void check_reached(Flow *flow);
static void check_loops(Flow *flow);
static int	certain_next(const PlanWorkflow *workflow, int step);
static const PlanAction *certain_action(const List *actions);
static const ArazzoNode *action_node(Flow *flow, int step, const PlanAction *action);
static void check_actions(Flow *flow);
static void check_action_list(Flow *flow, int step, const List *actions);
static void check_use(WorkflowCompiler *self, const Flow *flow, const CompileUse *use);
static void check_step_use(WorkflowCompiler *self, const Flow *flow, const CompileUse *use);
static bool is_refused(const WorkflowCompiler *self, const CompileUse *use);
static void check_input_use(WorkflowCompiler *self, const CompileUse *use);
static void check_root_use(WorkflowCompiler *self, const CompileUse *use);
static void no_value(WorkflowCompiler *self, const CompileUse *use, char *message);

/*
 * When an action could not be compiled, or steps have an order of their own
 * (dependsOn), the flow is not known, and only what needs none is looked at.
 */
void
arazzo_compile_check_flow(WorkflowCompiler *self)
{
	Flow		flow = {.workflow = self,.count = self->workflow->step_count};
	bool		known = !self->flow_unknown && flow.count <= MAX_STEPS && !self->ordered;
	ListCell   *cell;

	if (known)
	{
		find_moves(&flow);
		check_reached(&flow);
		check_loops(&flow);
		check_actions(&flow);
	}
	foreach(cell, self->uses)
		check_use(self, known ? &flow : NULL, lfirst(cell));
}

static void
find_moves(Flow *flow)
{
	int			i;

	flow->follows = palloc0(sizeof(bool) * Max(flow->count * flow->count, 1));
	flow->reached = palloc0(sizeof(bool) * Max(flow->count, 1));
	for (i = 0; i < flow->count; i++)
	{
		add_success_moves(flow, i);
		add_failure_moves(flow, i);
	}
	close_moves(flow);
	for (i = 0; i < flow->count; i++)
		flow->reached[i] = i == 0 || flow->follows[i];
}

/* The first action that holds is taken; when none does, the next step. */
static void
add_success_moves(Flow *flow, int step)
{
	ListCell   *cell;

	foreach(cell, flow->workflow->workflow->steps[step].on_success)
	{
		const PlanAction *action = lfirst(cell);

		if (action->type == ACTION_RETRY)
			add_move(flow, step, step);
		add_move(flow, step, action->step);
		if (action->step >= 0 && action->type == ACTION_RETRY)
			add_move(flow, action->step, step);
		if (action->criteria == NIL)
			return;
	}
	add_move(flow, step, step + 1);
}

static void
add_failure_moves(Flow *flow, int step)
{
	ListCell   *cell;

	foreach(cell, flow->workflow->workflow->steps[step].on_failure)
	{
		const PlanAction *action = lfirst(cell);

		if (action->type == ACTION_RETRY)
			add_move(flow, step, step);
		add_move(flow, step, action->step);
		if (action->step >= 0 && action->type == ACTION_RETRY)
			add_move(flow, action->step, step);
		if (action->criteria == NIL && action->type != ACTION_RETRY)
			return;
	}
}

static void
add_move(Flow *flow, int from, int to)
{
	if (to >= 0 && to < flow->count)
		flow->follows[from * flow->count + to] = true;
}

/* From single moves to any number of them: a walk from each step. */
static void
close_moves(Flow *flow)
{
	int			n = flow->count;
	bool	   *closed = palloc0(sizeof(bool) * Max(n * n, 1));
	int		   *stack = palloc(sizeof(int) * Max(n, 1));
	int			from;

	for (from = 0; from < n; from++)
	{
		bool	   *seen = closed + from * n;
		int			height = 0;
		int			at = from;

		CHECK_FOR_INTERRUPTS();
		for (;;)
		{
			int			to;

			for (to = 0; to < n; to++)
			{
				if (flow->follows[at * n + to] && !seen[to])
				{
					seen[to] = true;
					stack[height++] = to;
				}
			}
			if (height == 0)
				break;
			at = stack[--height];
		}
	}
	flow->follows = closed;
}

static void
check_reached(Flow *flow)
{
	const ArazzoNode *steps = arazzo_node_member(flow->workflow->node, "steps");
	int			i;

	for (i = 0; i < flow->count; i++)
	{
		if (!flow->reached[i])
			arazzo_compile_note(flow->workflow, steps->u.items[i], "unreachable-step",
								psprintf("step \"%s\" is never reached",
										 flow->workflow->workflow->steps[i].step_id), NULL);
	}
}

/* A circle of moves that nothing ever decides. */
static void
check_loops(Flow *flow)
{
	const PlanWorkflow *workflow = flow->workflow->workflow;
	int			i;

	for (i = 0; i < flow->count; i++)
	{
		const PlanAction *action = certain_action(workflow->steps[i].on_success);
		int			at = i;
		int			moves = 0;

		if (action == NULL || action->type == ACTION_END || action->step < 0 || action->step > i)
			continue;
		do
			at = certain_next(workflow, at);
		while (at >= 0 && at < flow->count && at != i && ++moves <= flow->count);
		if (at == i)
			arazzo_compile_note(flow->workflow, action_node(flow, i, action), "endless-loop",
								psprintf("action \"%s\" leads back to step \"%s\" without criteria, so the workflow never ends by itself",
										 action->name, workflow->steps[action->step].step_id),
								pstrdup("Give the action criteria under which it is taken."));
	}
}

/* The step after a success, -1 where it depends or the workflow ends. */
static int
certain_next(const PlanWorkflow *workflow, int step)
{
	const List *actions = workflow->steps[step].on_success;
	const PlanAction *action = certain_action(actions);

	if (actions == NIL)
		return step + 1;
	if (action == NULL || action->type == ACTION_END)
		return -1;
	return action->type == ACTION_RETRY && action->step < 0 ? step : action->step;
}

/* The action that is always taken: the first, when it has no criteria. */
static const PlanAction *
certain_action(const List *actions)
{
	const PlanAction *first = actions ? linitial(actions) : NULL;

	return first && first->criteria == NIL ? first : NULL;
}

/* Where an action stands; the step when it is the workflow's. */
static const ArazzoNode *
action_node(Flow *flow, int step, const PlanAction *action)
{
	static const char *const lists[] = {"onSuccess", "onFailure"};
	const ArazzoNode *node = arazzo_node_member(flow->workflow->node, "steps")->u.items[step];
	size_t		k;
	int			i;

	for (k = 0; k < lengthof(lists); k++)
	{
		const ArazzoNode *list = arazzo_node_member(node, lists[k]);

		for (i = 0; list && i < list->count; i++)
		{
			const char *name = arazzo_node_member_text(list->u.items[i], "name");

			if (name && strcmp(name, action->name) == 0)
				return list->u.items[i];
		}
	}
	return node;
}

/* Actions behind one without criteria are never taken. */
static void
check_actions(Flow *flow)
{
	int			i;

	for (i = 0; i < flow->count; i++)
	{
		check_action_list(flow, i, flow->workflow->workflow->steps[i].on_success);
		check_action_list(flow, i, flow->workflow->workflow->steps[i].on_failure);
	}
}

static void
check_action_list(Flow *flow, int step, const List *actions)
{
	const PlanAction *always = NULL;
	ListCell   *cell;

	foreach(cell, actions)
	{
		const PlanAction *action = lfirst(cell);
		const ArazzoNode *node = action_node(flow, step, action);

		if (always && node != arazzo_node_member(flow->workflow->node, "steps")->u.items[step])
			arazzo_compile_note(flow->workflow, node, "unreachable-action",
								psprintf("action \"%s\" is never taken, since \"%s\" before it has no criteria",
										 action->name, always->name), NULL);
		if (action->criteria == NIL && action->type != ACTION_RETRY && always == NULL)
			always = action;
	}
}

/* Can an expression ever have a value where it stands? */
static void
check_use(WorkflowCompiler *self, const Flow *flow, const CompileUse *use)
{
	switch (use->expression->root)
	{
		case ROOT_STEPS:
			check_step_use(self, flow, use);
			break;
		case ROOT_INPUTS:
			check_input_use(self, use);
			break;
		default:
			check_root_use(self, use);
			break;
	}
}

static void
check_step_use(WorkflowCompiler *self, const Flow *flow, const CompileUse *use)
{
	const ArazzoExpression *expression = use->expression;

	if (expression->slot < 0)
		no_value(self, use, psprintf("step \"%s\" in \"%s\" does not exist", expression->name, expression->text));
	else if (!arazzo_compile_output_declared(self, expression->name, strlen(expression->name),
											 expression->field, strlen(expression->field)))
		no_value(self, use, psprintf("step \"%s\" has no output \"%s\"", expression->name, expression->field));
	else if (flow == NULL)
		return;
	else if (!flow->reached[expression->slot])
		no_value(self, use, psprintf("\"%s\" never has a value, since step \"%s\" is never reached",
									 expression->text, expression->name));
	else if (use->step >= 0 && flow->reached[use->step] && !is_refused(self, use) &&
			 (use->part == PART_REQUEST || use->step != expression->slot) &&
			 !flow->follows[expression->slot * flow->count + use->step])
		no_value(self, use, psprintf("\"%s\" has no value yet, since step \"%s\" comes later",
									 expression->text, expression->name));
}

/* From 1.1.0 on a forward reference is more than a value that is missing. */
static bool
is_refused(const WorkflowCompiler *self, const CompileUse *use)
{
	return strncmp(self->document->version, "1.0", 3) != 0 && use->expression->slot > use->step &&
		(use->part == PART_REQUEST || use->condition);
}

static void
check_input_use(WorkflowCompiler *self, const CompileUse *use)
{
	const char *name = use->expression->name;

	if (arazzo_compile_input(self, name, strlen(name)) == NIL)
		arazzo_compile_note(self, use->place, "undeclared-input",
							psprintf("input \"%s\" is not declared by the workflow", name),
							psprintf("Add \"%s\" to the properties of \"inputs\".", name));
}

/* Roots that have a value in some places only. */
static void
check_root_use(WorkflowCompiler *self, const CompileUse *use)
{
	const ArazzoExpression *expression = use->expression;
	const ArazzoNode *steps = arazzo_node_member(self->node, "steps");

	switch (expression->root)
	{
		case ROOT_STATUS_CODE:
		case ROOT_RESPONSE_HEADER:
		case ROOT_RESPONSE_BODY:
			if (use->part == PART_REQUEST)
				no_value(self, use, psprintf("\"%s\" has no value before the call is made", expression->text));
			break;
		case ROOT_SOURCE_DESCRIPTIONS:
			if (arazzo_compile_source(self, expression->name, strlen(expression->name)) == NULL)
				no_value(self, use, psprintf("\"%s\" names no source description of the document", expression->text));
			else if (expression->slot < 0)
				no_value(self, use, psprintf("\"%s\" names neither an operation or workflow of the source nor a field of its description",
											 expression->text));
			break;
		case ROOT_COMPONENTS:
			if (arazzo_node_member(arazzo_node_member(arazzo_node_member(self->root, "components"), expression->name),
								   expression->field) == NULL)
				no_value(self, use, psprintf("\"%s\" names nothing under components/%s", expression->text, expression->name));
			break;
		case ROOT_WORKFLOWS_INPUTS:
		case ROOT_WORKFLOWS_OUTPUTS:
			if (arazzo_library_workflow(self->compiler->library, self->document, expression->name) == NULL)
				no_value(self, use, psprintf("workflow \"%s\" in \"%s\" does not exist", expression->name, expression->text));
			break;
		case ROOT_OUTPUTS:
			if (use->step >= 0 && arazzo_node_member(steps->u.items[use->step], "workflowId") == NULL)
				no_value(self, use, psprintf("\"%s\" has a value only in a step that calls a workflow", expression->text));
			break;
		default:
			break;
	}
}

static void
no_value(WorkflowCompiler *self, const CompileUse *use, char *message)
{
	const char *hint = "It will be null.";

	if (use->part == PART_REQUEST)
		hint = "The step fails before anything is sent.";
	else if (use->condition)
		hint = "The condition takes it for null.";
	arazzo_compile_note(self, use->place, use->part == PART_WORKFLOW ? "output-never-produced" : "no-value",
						message, pstrdup(hint));
}
