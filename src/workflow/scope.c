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
static bool output_declared(WorkflowCompiler *self, const char *step, int step_length,
							const char *output, int output_length);
static const ArazzoNode *step_node(WorkflowCompiler *self, const char *step_id, int length);
static void accepted(void *owner, const char *text, const char *standard_form);
static void parsed(void *owner, ArazzoExpression *expression);
static void bind_step(WorkflowCompiler *self, ArazzoExpression *expression);

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
			return output_declared(owner, name, name_length, field, field_length);
		default:
			return false;
	}
}

static bool
input_declared(WorkflowCompiler *self, const char *name, int length)
{
	return arazzo_value_member(self->input_properties, name, length) != NULL;
}

/* With output NULL: is there such a step? */
static bool
output_declared(WorkflowCompiler *self, const char *step, int step_length,
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
	int			i;

	for (i = 0; i < self->workflow->step_count; i++)
	{
		const char *id = self->workflow->steps[i].step_id;

		if (strncmp(id, step_id, length) == 0 && id[length] == '\0')
			return i;
	}
	return -1;
}

static void
accepted(void *owner, const char *text, const char *standard_form)
{
	WorkflowCompiler *self = owner;
	ArazzoPlan *plan = self->compiler->plan;

	plan->accepted = lappend(plan->accepted,
							 standard_form ? psprintf("\"%s\" is read as \"%s\"", text, standard_form) :
							 psprintf("\"%s\" is not standard", text));
}

static void
parsed(void *owner, ArazzoExpression *expression)
{
	WorkflowCompiler *self = owner;

	if (expression->root == ROOT_STEPS)
		bind_step(self, expression);
	else if (expression->root == ROOT_INPUTS)
		self->inputs_used = lappend(self->inputs_used, pstrdup(expression->name));
}

/*
 * Binds a reference to a step's output to the step.  A step that does not
 * exist, or has no such output, can never give a value.
 */
static void
bind_step(WorkflowCompiler *self, ArazzoExpression *expression)
{
	int			length = strlen(expression->name);

	expression->slot = arazzo_compile_step_index(self, expression->name, length);
	if (self->lenient)
		return;
	if (expression->slot < 0)
		arazzo_compile_fail(self, NULL,
							arazzo_failure_make(ERRCODE_ARAZZO_REFERENCE,
												"step \"%s\" in \"%s\" does not exist",
												expression->name, expression->text));
	else if (!output_declared(self, expression->name, length,
							  expression->field, strlen(expression->field)))
		arazzo_compile_fail(self, NULL,
							arazzo_failure_make(ERRCODE_ARAZZO_REFERENCE,
												"step \"%s\" has no output \"%s\"",
												expression->name, expression->field));
}
