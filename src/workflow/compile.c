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
#include "utils/hsearch.h"
#include "utils/memutils.h"

#include "document/uri.h"
#include "support/strings.h"
#include "workflow/asyncapi.h"
#include "workflow/check.h"
#include "workflow/compile.h"

typedef struct EnteredWorkflow
{
	const ArazzoNode *node;
	WorkflowCompiler *compiler;
} EnteredWorkflow;

static WorkflowCompiler *find_entered(Compiler *compiler, const ArazzoNode *node);
static bool compile_workflow(WorkflowCompiler *self);
static bool compile_sources(WorkflowCompiler *self);
static bool compile_inputs_schema(WorkflowCompiler *self);
static bool compile_schema(WorkflowCompiler *self);
static bool compile_steps(WorkflowCompiler *self);
static bool compile_dependencies(WorkflowCompiler *self);
static bool finish(Compiler *compiler);
static bool share_credential_inputs(PlanWorkflow *workflow);
static bool share_action_inputs(PlanWorkflow *workflow, List *actions);
static bool share_inputs(PlanWorkflow *workflow, const PlanWorkflow *callee, List *values);
static void add_finding(WorkflowCompiler *self, const ArazzoNode *place, ArazzoFinding *finding);
static const char *failure_code(const ArazzoFailure *failure);

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
		compiler.plan->workflow = arazzo_compile_enter(&compiler, document, workflow_id);
		if (compiler.plan->workflow == NULL)
			compiler.failure = arazzo_failure_make(ERRCODE_UNDEFINED_OBJECT,
												   "document \"%s\" has no workflow \"%s\"",
												   document_uri, workflow_id);
	}
	if (compiler.failure == NULL)
		arazzo_compile_pending(&compiler);
	MemoryContextSwitchTo(caller);
	if (compiler.failure == NULL)
		return compiler.plan;
	*failure = arazzo_failure_copy(compiler.failure);
	MemoryContextDelete(context);
	return NULL;
}

/* The list grows while it is worked off, and is freed with the plan. */
void
arazzo_compile_pending(Compiler *compiler)
{
	int			next;

	for (next = 0; next < list_length(compiler->entered); next++)
	{
		if (compiler->failure && compiler->report == NULL)
			return;
		CHECK_FOR_INTERRUPTS();
		(void) compile_workflow(list_nth(compiler->entered, next));
	}
	if (compiler->failure == NULL || compiler->report)
		(void) finish(compiler);
}

PlanWorkflow *
arazzo_compile_enter(Compiler *compiler, const ArazzoDocument *document, const char *workflow_id)
{
	const ArazzoNode *node = arazzo_library_workflow(compiler->library, document, workflow_id);
	WorkflowCompiler *self = node ? find_entered(compiler, node) : NULL;

	if (node == NULL || self)
		return self ? self->workflow : NULL;
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
	if (compiler->by_node)
	{
		EnteredWorkflow *entry = hash_search(compiler->by_node, &node, HASH_ENTER, NULL);

		entry->compiler = self;
	}
	compiler->entered = lappend(compiler->entered, self);
	return self->workflow;
}

bool
arazzo_compile_source_has(WorkflowCompiler *self, const PlanSource *source, const char *id)
{
	const ArazzoDocument *document = arazzo_library_get(self->compiler->library, source->uri);

	if (document == NULL)
		return false;
	switch (document->kind)
	{
		case DOCUMENT_ARAZZO:
			return arazzo_library_workflow(self->compiler->library, document, id) != NULL;
		case DOCUMENT_OPENAPI:
			return arazzo_operation_exists(self->compiler->library, document, id);
		case DOCUMENT_ASYNCAPI:
			return arazzo_asyncapi_has_operation(document, id);
		default:
			return false;
	}
}

/* A plan reaches few workflows; a check has all of a document. */
static WorkflowCompiler *
find_entered(Compiler *compiler, const ArazzoNode *node)
{
	EnteredWorkflow *entry;
	ListCell   *cell;

	if (compiler->report == NULL)
	{
		foreach(cell, compiler->entered)
		{
			if (((WorkflowCompiler *) lfirst(cell))->node == node)
				return lfirst(cell);
		}
		return NULL;
	}
	if (compiler->by_node == NULL)
	{
		HASHCTL		control = {0};

		control.keysize = sizeof(ArazzoNode *);
		control.entrysize = sizeof(EnteredWorkflow);
		control.hcxt = CurrentMemoryContext;
		compiler->by_node = hash_create("arazzo workflows entered", 64, &control,
										HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	}
	entry = hash_search(compiler->by_node, &node, HASH_FIND, NULL);
	return entry ? entry->compiler : NULL;
}

/* All parts, also after a failure, so that a check sees each of them. */
static bool
compile_workflow(WorkflowCompiler *self)
{
	bool		good = compile_sources(self);

	if (self->compiler->report && list_member_ptr(self->compiler->report->broken, self->node))
		return false;
	good &= compile_inputs_schema(self);
	good &= compile_steps(self);
	good &= compile_dependencies(self);
	good &= arazzo_compile_outputs(self, arazzo_node_member(self->node, "outputs"),
								   &self->workflow->outputs, &self->workflow->output_count);
	return good;
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
	PlacedSchema schema = {self->document, NULL};
	const ArazzoDocument *document = self->document;
	ArazzoFailure *failure = NULL;

	if (node == NULL)
		return true;
	self->workflow->input_schema = schema.schema = arazzo_node_to_value(node);
	if (arazzo_library_follow(self->compiler->library, &document, schema.schema, &failure) == NULL)
	{
		arazzo_compile_fail(self, node, failure);
		return false;
	}
	self->input_parts = arazzo_placed_parts(self->compiler->library, schema);
	return true;
}

List *
arazzo_compile_input(const WorkflowCompiler *self, const char *name, int length)
{
	return arazzo_placed_member(self->compiler->library, self->input_parts, name, length);
}

static bool
compile_steps(WorkflowCompiler *self)
{
	const ArazzoNode *steps = arazzo_node_member(self->node, "steps");
	bool		good = true;
	int			i;

	self->workflow->step_count = steps->count;
	self->workflow->steps = palloc0(sizeof(PlanStep) * steps->count);
	for (i = 0; i < steps->count; i++)
		self->workflow->steps[i].step_id = pstrdup(arazzo_node_member_text(steps->u.items[i], "stepId"));
	arazzo_compile_step_ids(self->workflow);
	for (i = 0; i < steps->count; i++)
	{
		PlanStep   *step = &self->workflow->steps[i];

		step->index = i;
		step->line = steps->u.items[i]->line;
		step->column = steps->u.items[i]->column;
		self->step = step;
		good &= arazzo_compile_step(self, steps->u.items[i], step);
		self->step = NULL;
		if (!good && self->compiler->report == NULL)
			return false;
	}
	return good && arazzo_compile_order(self);
}

/* Workflow Object, dependsOn. */
static bool
compile_dependencies(WorkflowCompiler *self)
{
	const ArazzoNode *list = arazzo_node_member(self->node, "dependsOn");
	bool		good = true;
	int			i;

	for (i = 0; list && i < list->count; i++)
	{
		PlanWorkflow *dependency = arazzo_compile_workflow_reference(self, list->u.items[i]);

		if (dependency == NULL)
		{
			good = false;
			continue;
		}
		self->workflow->depends_on = lappend(self->workflow->depends_on, dependency);
	}
	return good;
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
			arazzo_compile_fail_source(self, reference, source);
			return NULL;
		}
	}
	workflow = arazzo_compile_enter(self->compiler, document, workflow_id);
	if (workflow == NULL && strncmp(workflow_id, "workflows.", 10) == 0)
	{
		workflow = arazzo_compile_enter(self->compiler, document, workflow_id + 10);
		if (workflow)
			arazzo_compile_note(self, reference, "nonstandard-form",
								psprintf("\"%s\" is not standard", reference->u.string),
								pstrdup("Leave out \"workflows.\"."));
	}
	if (workflow == NULL)
		arazzo_compile_fail(self, reference,
							document == self->document ?
							arazzo_failure_make(ERRCODE_ARAZZO_REFERENCE,
												"workflow \"%s\" does not exist in this document", workflow_id) :
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
	SchemaOptions options = {SCHEMA_2020_12, true, workflow->document_uri, arazzo_compile_schema_document, self->compiler};
	JsonbValue *schema = workflow->input_schema;
	ArazzoFailure *failure = NULL;

	if (schema == NULL)
		return true;
	workflow->required_inputs = arazzo_compile_required(self, schema);
	if (workflow->credential_inputs)
		schema = arazzo_compile_relax(self, schema);
	workflow->inputs = arazzo_schema_compile(schema, self->document->content, &options, &failure);
	if (workflow->inputs == NULL)
		arazzo_compile_fail(self, arazzo_node_member(self->node, "inputs"), failure);
	return workflow->inputs != NULL;
}

const JsonbValue *
arazzo_compile_schema_document(void *owner, const char *uri)
{
	Compiler   *compiler = owner;
	const ArazzoDocument *document = arazzo_library_get(compiler->library, uri);

	return document ? document->content : NULL;
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

	if (!arazzo_compile_check_dependencies(compiler) && compiler->report == NULL)
		return false;
	while (changed)
	{
		changed = false;
		foreach(cell, compiler->plan->workflows)
			changed |= share_credential_inputs(lfirst(cell));
	}
	foreach(cell, compiler->entered)
	{
		if (!compile_schema(lfirst(cell)) && compiler->report == NULL)
			return false;
	}
	return true;
}

/* What a workflow hands on, from its steps and from their actions. */
static bool
share_credential_inputs(PlanWorkflow *workflow)
{
	bool		changed = false;
	int			i;

	for (i = 0; i < workflow->step_count; i++)
	{
		PlanStep   *step = &workflow->steps[i];

		changed |= share_inputs(workflow, step->workflow, step->inputs);
		changed |= share_action_inputs(workflow, step->on_success);
		changed |= share_action_inputs(workflow, step->on_failure);
	}
	return changed;
}

static bool
share_action_inputs(PlanWorkflow *workflow, List *actions)
{
	bool		changed = false;
	ListCell   *cell;

	foreach(cell, actions)
	{
		const PlanAction *action = lfirst(cell);

		changed |= share_inputs(workflow, action->workflow, action->parameters);
	}
	return changed;
}

/* The inputs that are handed to another workflow (NULL: to none). */
static bool
share_inputs(PlanWorkflow *workflow, const PlanWorkflow *callee, List *values)
{
	bool		changed = false;
	ListCell   *cell;

	foreach(cell, callee ? values : NIL)
	{
		const PlanValue *input = lfirst(cell);
		const ArazzoExpression *expression = arazzo_template_expression(input->value);

		if (expression == NULL || expression->root != ROOT_INPUTS ||
			!arazzo_strings_contain(callee->credential_inputs, input->name) ||
			arazzo_strings_contain(workflow->credential_inputs, expression->name))
			continue;
		workflow->credential_inputs = lappend(workflow->credential_inputs, pstrdup(expression->name));
		changed = true;
	}
	return changed;
}

void
arazzo_compile_fail(WorkflowCompiler *self, const ArazzoNode *place, ArazzoFailure *failure)
{
	StringInfoData detail;

	self->compiler->failures++;
	if (self->compiler->report)
	{
		ArazzoFinding *finding = palloc0(sizeof(ArazzoFinding));

		finding->error = true;
		finding->code = failure_code(failure);
		finding->line = failure->line;
		finding->column = failure->column;
		finding->message = failure->message;
		finding->hint = failure->hint ? failure->hint : failure->detail;
		add_finding(self, place, finding);
	}
	if (self->compiler->failure)
		return;
	if (place == NULL)
		place = self->place;
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

void
arazzo_compile_note(WorkflowCompiler *self, const ArazzoNode *place, const char *code,
					char *message, char *hint)
{
	ArazzoFinding *finding;

	if (self->compiler->report == NULL)
		return;
	finding = palloc0(sizeof(ArazzoFinding));
	finding->code = code;
	finding->message = message;
	finding->hint = hint;
	add_finding(self, place, finding);
}

/* Adds a finding in the document that is checked, with its position. */
static void
add_finding(WorkflowCompiler *self, const ArazzoNode *place, ArazzoFinding *finding)
{
	CompileReport *report = self->compiler->report;

	if (report->muted || self->document != report->document)
		return;
	if (place == NULL)
		place = self->place;
	if (finding->line == 0 && place)
	{
		finding->line = place->line;
		finding->column = place->column;
	}
	if (finding->line == 0 && self->step)
	{
		finding->line = self->step->line;
		finding->column = self->step->column;
	}
	report->findings = lappend(report->findings, finding);
}

/* The code of a failure that keeps a workflow from being run. */
static const char *
failure_code(const ArazzoFailure *failure)
{
	switch (failure->sqlstate)
	{
		case ERRCODE_ARAZZO_REFERENCE:
			return "unresolved-reference";
		case ERRCODE_ARAZZO_EXPRESSION:
			return "invalid-expression";
		case ERRCODE_FEATURE_NOT_SUPPORTED:
			return "unsupported";
		case ERRCODE_ARAZZO_SCHEMA:
			return "invalid-schema";
		default:
			return "invalid-document";
	}
}
