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
	return arazzo_value_member(self->input_properties, name, length) != NULL;
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
	if (expression->root == ROOT_STEPS)
		expression->slot = arazzo_compile_step_index(self, expression->name, strlen(expression->name));
	else if (expression->root == ROOT_INPUTS)
		self->inputs_used = lappend(self->inputs_used, pstrdup(expression->name));
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
