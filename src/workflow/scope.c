/*-------------------------------------------------------------------------
 *
 * scope.c
 *	  What expressions of a workflow may name, and what they are bound to.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "workflow/compile.h"

static bool declared(void *owner, ExpressionRoot root, const char *name, int name_length,
					 const char *field, int field_length);
static bool input_declared(WorkflowCompiler *self, const char *name, int length);
static const ArazzoNode *step_node(WorkflowCompiler *self, const char *step_id, int length);
static void accepted(void *owner, const char *text, const char *standard_form);
static void parsed(void *owner, ArazzoExpression *expression);
static void note_use(WorkflowCompiler *self, const ArazzoExpression *expression);
static void bind_step(WorkflowCompiler *self, ArazzoExpression *expression);
static void bind_source(WorkflowCompiler *self, ArazzoExpression *expression);
static void bind_component(WorkflowCompiler *self, const ArazzoExpression *expression);

void
arazzo_compile_scope_init(WorkflowCompiler *self)
{
	self->scope.owner = self;
	self->scope.declared = declared;
	self->scope.accepted = accepted;
	self->scope.parsed = parsed;
}

static bool
declared(void *owner, ExpressionRoot root, const char *name, int name_length,
		 const char *field, int field_length)
{
	switch (root)
	{
		case ROOT_INPUTS:
			return input_declared(owner, name, name_length);
		case ROOT_STEPS:
			return arazzo_compile_output_declared(owner, name, name_length, field, field_length);
		default:
			return false;
	}
}

static bool
input_declared(WorkflowCompiler *self, const char *name, int length)
{
	return arazzo_compile_input(self, name, length) != NIL;
}

bool
arazzo_compile_output_declared(WorkflowCompiler *self, const char *step, int step_length,
				const char *output, int output_length)
{
	const ArazzoNode *node = step_node(self, step, step_length);
	const ArazzoNode *outputs;
	int			i;

	if (node == NULL || output == NULL)
		return node != NULL;
	if (arazzo_node_member(node, "workflowId"))
		return true;			/* it may hand on that workflow's outputs */
	outputs = arazzo_node_member(node, "outputs");
	for (i = 0; outputs && i < outputs->count; i++)
	{
		if (outputs->u.members[i].key_length == output_length &&
			memcmp(outputs->u.members[i].key, output, output_length) == 0)
			return true;
	}
	return false;
}

static const ArazzoNode *
step_node(WorkflowCompiler *self, const char *step_id, int length)
{
	int			index = arazzo_compile_step_index(self, step_id, length);

	return index < 0 ? NULL : arazzo_node_member(self->node, "steps")->u.items[index];
}

int
arazzo_compile_step_index(WorkflowCompiler *self, const char *step_id, int length)
{
	return arazzo_plan_step(self->workflow, step_id, length);
}

static void
accepted(void *owner, const char *text, const char *standard_form)
{
	WorkflowCompiler *self = owner;
	ArazzoPlan *plan = self->compiler->plan;

	arazzo_compile_note(self, NULL, "nonstandard-form",
						psprintf("\"%s\" is not standard", text),
						standard_form ? psprintf("Write \"%s\".", standard_form) : NULL);
	plan->accepted = lappend(plan->accepted,
							 standard_form ? psprintf("\"%s\" is read as \"%s\"", text, standard_form) :
							 psprintf("\"%s\" is not standard", text));
}

static void
parsed(void *owner, ArazzoExpression *expression)
{
	WorkflowCompiler *self = owner;

	if (self->compiler->report && !self->compiler->report->muted)
		note_use(self, expression);
	switch (expression->root)
	{
		case ROOT_STEPS:
			bind_step(self, expression);
			break;
		case ROOT_INPUTS:
			self->inputs_used = lappend(self->inputs_used, pstrdup(expression->name));
			break;
		case ROOT_SOURCE_DESCRIPTIONS:
			bind_source(self, expression);
			break;
		case ROOT_COMPONENTS:
			bind_component(self, expression);
			break;
		default:
			break;
	}
}

/* Checking: keeps an expression with its place until the workflow is known. */
static void
note_use(WorkflowCompiler *self, const ArazzoExpression *expression)
{
	CompileUse *use = palloc0(sizeof(CompileUse));

	use->expression = expression;
	use->part = self->part;
	use->step = self->step ? self->step->index : -1;
	use->condition = self->condition;
	use->place = self->place;
	self->uses = lappend(self->uses, use);
}

/*
 * Binds a reference to a step's output to the step, and notes that the step
 * at hand comes after it.  A step that does not exist never gives a value.
 */
static void
bind_step(WorkflowCompiler *self, ArazzoExpression *expression)
{
	StepReference *reference;

	expression->slot = arazzo_compile_step_index(self, expression->name, strlen(expression->name));
	if (expression->slot < 0 || self->in_outputs || self->step == NULL || self->step->index == expression->slot)
		return;
	reference = palloc(sizeof(StepReference));
	reference->from = self->step->index;
	reference->to = expression->slot;
	reference->place = self->place;
	self->references = lappend(self->references, reference);
}

/*
 * Source Description Expression Resolution: an operationId or workflowId of
 * the source comes first (slot 1: the value is that id), then a field of
 * the Source Description Object (slot 0).
 */
static void
bind_source(WorkflowCompiler *self, ArazzoExpression *expression)
{
	static const char *const fields[] = {"name", "url", "type"};
	const PlanSource *source = arazzo_compile_source(self, expression->name, strlen(expression->name));
	size_t		i;

	if (source && arazzo_compile_source_has(self, source, expression->field))
	{
		expression->slot = 1;
		return;
	}
	for (i = 0; source && i < lengthof(fields); i++)
	{
		if (strcmp(fields[i], expression->field) == 0)
			expression->slot = 0;
	}
}

/* Components Object: the value is the object of that name. */
static void
bind_component(WorkflowCompiler *self, const ArazzoExpression *expression)
{
	const ArazzoNode *components = arazzo_node_member(self->root, "components");

	if (self->workflow->components == NULL &&
		arazzo_node_member(arazzo_node_member(components, expression->name), expression->field) != NULL)
		self->workflow->components = arazzo_node_to_value(components);
}
