/*-------------------------------------------------------------------------
 *
 * compile.c
 *	  Workflows to plans: the workflow itself and what it reaches.
 *
 * A workflow that another one names is entered once and compiled later from
 * a list, so that workflows may call each other in circles.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "document/uri.h"
#include "workflow/compile.h"

static PlanWorkflow *enter_workflow(Compiler *compiler, const ArazzoDocument *document,
									const char *workflow_id);
static const ArazzoNode *find_workflow(const ArazzoNode *root, const char *workflow_id);
static bool compile_workflow(WorkflowCompiler *self);
static bool compile_sources(WorkflowCompiler *self);
static bool compile_inputs_schema(WorkflowCompiler *self);
static bool compile_schema(WorkflowCompiler *self);
static bool compile_steps(WorkflowCompiler *self);
static bool compile_dependencies(WorkflowCompiler *self);
static bool finish(Compiler *compiler);
static bool share_credential_inputs(PlanWorkflow *workflow);
static bool has_name(List *names, const char *name);
static JsonbValue *without_required(const JsonbValue *schema, List *names);
static const JsonbValue *schema_document(void *owner, const char *uri);

ArazzoPlan *
arazzo_plan_compile(ArazzoLibrary *library, const char *document_uri,
					const char *workflow_id, ArazzoFailure **failure)
{
	MemoryContext caller = CurrentMemoryContext;
	MemoryContext context = AllocSetContextCreate(caller, "arazzo plan", ALLOCSET_SMALL_SIZES);
	const ArazzoDocument *document = arazzo_library_get(library, document_uri);
	Compiler	compiler = {.library = library};

	MemoryContextSwitchTo(context);
	compiler.plan = palloc0(sizeof(ArazzoPlan));
	compiler.plan->context = context;
	if (document == NULL || document->tree == NULL)
		compiler.failure = arazzo_failure_make(ERRCODE_UNDEFINED_OBJECT,
											   "Arazzo document \"%s\" is not loaded", document_uri);
	else
	{
		compiler.plan->workflow = enter_workflow(&compiler, document, workflow_id);
		if (compiler.plan->workflow == NULL)
			compiler.failure = arazzo_failure_make(ERRCODE_UNDEFINED_OBJECT,
												   "document \"%s\" has no workflow \"%s\"",
												   document_uri, workflow_id);
	}
	while (compiler.failure == NULL && compiler.pending != NIL)
	{
		WorkflowCompiler *next = linitial(compiler.pending);

		CHECK_FOR_INTERRUPTS();
		compiler.pending = list_delete_first(compiler.pending);
		compile_workflow(next);
	}
	if (compiler.failure == NULL)
		finish(&compiler);
	MemoryContextSwitchTo(caller);
	if (compiler.failure == NULL)
		return compiler.plan;
	*failure = arazzo_failure_copy(compiler.failure);
	MemoryContextDelete(context);
	return NULL;
}

/* The entry of a workflow, made when it is named for the first time. */
static PlanWorkflow *
enter_workflow(Compiler *compiler, const ArazzoDocument *document, const char *workflow_id)
{
	WorkflowCompiler *self;
	const ArazzoNode *node;
	ListCell   *cell;

	foreach(cell, compiler->plan->workflows)
	{
		PlanWorkflow *workflow = lfirst(cell);

		if (strcmp(workflow->workflow_id, workflow_id) == 0 &&
			strcmp(workflow->document_uri, document->uri) == 0)
			return workflow;
	}
	node = document->tree ? find_workflow(document->tree, workflow_id) : NULL;
	if (node == NULL)
		return NULL;
	self = palloc0(sizeof(WorkflowCompiler));
	self->compiler = compiler;
	self->document = document;
	self->root = document->tree;
	self->node = node;
	self->workflow = palloc0(sizeof(PlanWorkflow));
	self->workflow->workflow_id = pstrdup(workflow_id);
	self->workflow->document_uri = pstrdup(document->uri);
	self->workflow->self = pstrdup(document->base);
	arazzo_compile_scope_init(self);
	compiler->plan->workflows = lappend(compiler->plan->workflows, self->workflow);
	compiler->pending = lappend(compiler->pending, self);
	compiler->entered = lappend(compiler->entered, self);
	return self->workflow;
}

static const ArazzoNode *
find_workflow(const ArazzoNode *root, const char *workflow_id)
{
	const ArazzoNode *workflows = arazzo_node_member(root, "workflows");
	int			i;

	if (workflows == NULL || workflows->type != NODE_ARRAY)
		return NULL;
	for (i = 0; i < workflows->count; i++)
	{
		const char *id = arazzo_node_member_text(workflows->u.items[i], "workflowId");

		if (id && strcmp(id, workflow_id) == 0)
			return workflows->u.items[i];
	}
	return NULL;
}

static bool
compile_workflow(WorkflowCompiler *self)
{
	return compile_sources(self) &&
		compile_inputs_schema(self) &&
		compile_steps(self) &&
		compile_dependencies(self) &&
		arazzo_compile_outputs(self, arazzo_node_member(self->node, "outputs"),
							   &self->workflow->outputs, &self->workflow->output_count);
}

static bool
compile_sources(WorkflowCompiler *self)
{
	const ArazzoNode *list = arazzo_node_member(self->root, "sourceDescriptions");
	int			i;

	for (i = 0; list && i < list->count; i++)
	{
		const ArazzoNode *node = list->u.items[i];
		const char *type = arazzo_node_member_text(node, "type");
		PlanSource *source = palloc0(sizeof(PlanSource));

		source->name = pstrdup(arazzo_node_member_text(node, "name"));
		source->url = pstrdup(arazzo_node_member_text(node, "url"));
		source->uri = arazzo_uri_defragment(arazzo_uri_resolve(self->document->base, source->url), NULL);
		source->type = type ? pstrdup(type) : NULL;
		self->workflow->sources = lappend(self->workflow->sources, source);
	}
	return true;
}

/* Which inputs are declared; the schema itself is compiled when it is known
 * which of them are credentials. */
static bool
compile_inputs_schema(WorkflowCompiler *self)
{
	const ArazzoNode *node = arazzo_node_member(self->node, "inputs");
	const ArazzoDocument *document = self->document;
	ArazzoFailure *failure = NULL;
	JsonbValue *schema;

	if (node == NULL)
		return true;
	self->workflow->input_schema = arazzo_node_to_value(node);
	schema = arazzo_library_follow(self->compiler->library, &document,
								   self->workflow->input_schema, &failure);
	if (schema == NULL)
	{
		arazzo_compile_fail(self, node, failure);
		return false;
	}
	self->input_properties = arazzo_value_member_cstring(schema, "properties");
	return true;
}

static bool
compile_steps(WorkflowCompiler *self)
{
	const ArazzoNode *steps = arazzo_node_member(self->node, "steps");
	int			i;

	self->workflow->step_count = steps->count;
	self->workflow->steps = palloc0(sizeof(PlanStep) * steps->count);
	for (i = 0; i < steps->count; i++)
		self->workflow->steps[i].step_id = pstrdup(arazzo_node_member_text(steps->u.items[i], "stepId"));
	for (i = 0; i < steps->count; i++)
	{
		PlanStep   *step = &self->workflow->steps[i];
		bool		compiled;

		step->index = i;
		step->line = steps->u.items[i]->line;
		step->column = steps->u.items[i]->column;
		self->step = step;
		compiled = arazzo_compile_step(self, steps->u.items[i], step);
		self->step = NULL;
		if (!compiled)
			return false;
	}
	return true;
}

/* Workflow Object, dependsOn. */
static bool
compile_dependencies(WorkflowCompiler *self)
{
	const ArazzoNode *list = arazzo_node_member(self->node, "dependsOn");
	int			i;

	for (i = 0; list && i < list->count; i++)
	{
		PlanWorkflow *dependency = arazzo_compile_workflow_reference(self, list->u.items[i]);

		if (dependency == NULL)
			return false;
		self->workflow->depends_on = lappend(self->workflow->depends_on, dependency);
	}
	return true;
}

PlanWorkflow *
arazzo_compile_workflow_reference(WorkflowCompiler *self, const ArazzoNode *reference)
{
	const ArazzoDocument *document = self->document;
	const char *workflow_id = reference->u.string;
	const PlanSource *source;
	PlanWorkflow *workflow;

	if (arazzo_compile_split_source(self, reference->u.string, &source, &workflow_id))
	{
		if (source == NULL)
		{
			arazzo_compile_fail(self, reference,
								arazzo_failure_make(ERRCODE_ARAZZO_REFERENCE,
													"\"%s\" names no source description of the document",
													reference->u.string));
			return NULL;
		}
		document = arazzo_library_get(self->compiler->library, source->uri);
		if (document == NULL)
		{
			ArazzoFailure *failure = arazzo_failure_make(ERRCODE_ARAZZO_REFERENCE,
														 "source \"%s\" is not loaded", source->name);

			arazzo_failure_hint(failure, "Load it with arazzo_load('%s', ...).", source->uri);
			arazzo_compile_fail(self, reference, failure);
			return NULL;
		}
	}
	workflow = enter_workflow(self->compiler, document, workflow_id);
	if (workflow == NULL)
		arazzo_compile_fail(self, reference,
							arazzo_failure_make(ERRCODE_ARAZZO_REFERENCE,
												"workflow \"%s\" does not exist in document \"%s\"",
												workflow_id, document->uri));
	return workflow;
}

/*
 * The input schema.  Inputs that only feed credential parameters may be left
 * out although the schema requires them.
 */
static bool
compile_schema(WorkflowCompiler *self)
{
	PlanWorkflow *workflow = self->workflow;
	SchemaOptions options = {SCHEMA_2020_12, true, workflow->document_uri, schema_document, self->compiler};
	JsonbValue *schema = workflow->input_schema;
	ArazzoFailure *failure = NULL;

	if (schema == NULL)
		return true;
	if (workflow->credential_inputs)
		schema = without_required(schema, workflow->credential_inputs);
	workflow->inputs = arazzo_schema_compile(schema, arazzo_value_copy(self->document->content),
											 &options, &failure);
	if (workflow->inputs == NULL)
		arazzo_compile_fail(self, arazzo_node_member(self->node, "inputs"), failure);
	return workflow->inputs != NULL;
}

static const JsonbValue *
schema_document(void *owner, const char *uri)
{
	Compiler   *compiler = owner;
	const ArazzoDocument *document = arazzo_library_get(compiler->library, uri);

	return document ? arazzo_value_copy(document->content) : NULL;
}

/* The schema with the names taken out of its "required". */
static JsonbValue *
without_required(const JsonbValue *schema, List *names)
{
	JsonbParseState *state = NULL;
	ArazzoValueWalk walk;
	JsonbValue	key;
	JsonbValue	value;

	if (!arazzo_value_is_array(arazzo_value_member_cstring(schema, "required")))
		return unconstify(JsonbValue *, schema);
	pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	arazzo_value_walk(&walk, schema);
	while (arazzo_value_next(&walk, &key, &value))
	{
		ArazzoValueWalk items;
		JsonbValue	item;

		pushJsonbValue(&state, WJB_KEY, &key);
		if (key.val.string.len != 8 || memcmp(key.val.string.val, "required", 8) != 0)
		{
			pushJsonbValue(&state, WJB_VALUE, &value);
			continue;
		}
		pushJsonbValue(&state, WJB_BEGIN_ARRAY, NULL);
		arazzo_value_walk(&items, &value);
		while (arazzo_value_next(&items, &key, &item))
		{
			if (!has_name(names, arazzo_value_to_text(&item)))
				pushJsonbValue(&state, WJB_ELEM, &item);
		}
		pushJsonbValue(&state, WJB_END_ARRAY, NULL);
	}
	return arazzo_value_from_jsonb(JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_OBJECT, NULL)));
}

/*
 * An input that is only handed on to a credential input of another workflow
 * is one itself.  Calls may form circles, so this goes on until nothing
 * changes any more.
 */
static bool
finish(Compiler *compiler)
{
	bool		changed = true;
	ListCell   *cell;

	while (changed)
	{
		changed = false;
		foreach(cell, compiler->plan->workflows)
			changed |= share_credential_inputs(lfirst(cell));
	}
	foreach(cell, compiler->entered)
	{
		if (!compile_schema(lfirst(cell)))
			return false;
	}
	return true;
}

static bool
share_credential_inputs(PlanWorkflow *workflow)
{
	bool		changed = false;
	int			i;

	for (i = 0; i < workflow->step_count; i++)
	{
		PlanStep   *step = &workflow->steps[i];
		ListCell   *cell;

		foreach(cell, step->inputs)
		{
			PlanValue  *input = lfirst(cell);
			const ArazzoExpression *expression = arazzo_template_expression(input->value);

			if (expression == NULL || expression->root != ROOT_INPUTS ||
				!has_name(step->workflow->credential_inputs, input->name) ||
				has_name(workflow->credential_inputs, expression->name))
				continue;
			workflow->credential_inputs = lappend(workflow->credential_inputs,
												  pstrdup(expression->name));
			changed = true;
		}
	}
	return changed;
}

static bool
has_name(List *names, const char *name)
{
	ListCell   *cell;

	foreach(cell, names)
	{
		if (strcmp(lfirst(cell), name) == 0)
			return true;
	}
	return false;
}

void
arazzo_compile_fail(WorkflowCompiler *self, const ArazzoNode *place, ArazzoFailure *failure)
{
	StringInfoData detail;

	if (self->compiler->failure)
		return;
	if (failure->line == 0 && place)
	{
		failure->line = place->line;
		failure->column = place->column;
	}
	if (failure->line == 0 && self->step)
	{
		failure->line = self->step->line;
		failure->column = self->step->column;
	}
	initStringInfo(&detail);
	appendStringInfo(&detail, "Document \"%s\", workflow \"%s\"",
					 self->workflow->document_uri, self->workflow->workflow_id);
	if (self->step)
		appendStringInfo(&detail, ", step \"%s\"", self->step->step_id);
	if (failure->line > 0)
		appendStringInfo(&detail, ", line %d, column %d", failure->line, failure->column);
	appendStringInfoChar(&detail, '.');
	if (failure->detail)
		appendStringInfo(&detail, " %s", failure->detail);
	failure->detail = detail.data;
	self->compiler->failure = failure;
}
