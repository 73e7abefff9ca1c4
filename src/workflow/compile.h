/*-------------------------------------------------------------------------
 *
 * compile.h
 *	  What the parts of the compiler share.
 *
 * A compile function returns false, or NULL, once a failure is set; the
 * first one is kept.  Positions come from the node at hand.
 *
 *-------------------------------------------------------------------------
 */
#ifndef ARAZZO_WORKFLOW_COMPILE_H
#define ARAZZO_WORKFLOW_COMPILE_H

#include "workflow/placed_schema.h"
#include "workflow/plan.h"

/* Which part of a step, or of a workflow, an expression stands in. */
typedef enum CompilePart
{
	PART_WORKFLOW,				/* outputs of a workflow */
	PART_REQUEST,				/* before the call */
	PART_RESPONSE				/* after it */
} CompilePart;

/* An expression that was found while checking, and where. */
typedef struct CompileUse
{
	const ArazzoExpression *expression;
	CompilePart part;
	int			step;			/* index, -1 for PART_WORKFLOW */
	bool		condition;		/* where absent is as good as null */
	const ArazzoNode *place;
} CompileUse;

/*
 * What checking a document wants to know beyond the first failure.  Only
 * findings of that document are kept.
 */
typedef struct CompileReport
{
	const ArazzoDocument *document;
	List	   *findings;		/* of ArazzoFinding */
	List	   *broken;			/* of ArazzoNode: workflows not to be looked at */
	bool		muted;
} CompileReport;

/* One compilation: a plan in the making. */
typedef struct Compiler
{
	ArazzoLibrary *library;
	ArazzoPlan *plan;
	List	   *entered;		/* of WorkflowCompiler */
	List	   *operations;		/* of SharedOperation (compile_operation.c) */
	struct HTAB *by_node;		/* the same by the node of the workflow */
	ArazzoFailure *failure;		/* the first */
	int			failures;		/* how many there were */
	CompileReport *report;		/* NULL unless a document is checked */
} Compiler;

/* One workflow of it. */
typedef struct WorkflowCompiler
{
	Compiler   *compiler;
	const ArazzoDocument *document;
	const ArazzoNode *root;		/* the document */
	const ArazzoNode *node;		/* the workflow */
	List	   *input_parts;	/* of PlacedSchema *: the schema of the inputs */
	PlanWorkflow *workflow;
	PlanStep   *step;			/* at hand, or NULL */
	ExpressionScope scope;
	bool		in_outputs;		/* what does not resolve is null */
	bool		ordered;		/* some step has dependsOn */
	int			visit;			/* of the check of dependencies */
	List	   *references;		/* of StepReference */
	List	   *inputs_used;	/* of char *: inputs named since it was cleared */
	const ArazzoNode *place;	/* what is being compiled, for messages */

	/* checking only */
	CompilePart part;
	bool		condition;
	List	   *uses;			/* of CompileUse */
	bool		flow_unknown;	/* an action could not be compiled */
} WorkflowCompiler;

/* A step that uses an output of another one before or after its call. */
typedef struct StepReference
{
	int			from;
	int			to;
	const ArazzoNode *place;
} StepReference;

/* The compiled (or pending) workflow a workflowId field names; NULL when it
 * does not exist. */
extern PlanWorkflow *arazzo_compile_workflow_reference(WorkflowCompiler *self, const ArazzoNode *reference);

/* Compiles a step's target, parameters, body, criteria, actions, outputs. */
extern bool arazzo_compile_step(WorkflowCompiler *self, const ArazzoNode *node, PlanStep *step);

/* The channel that a step uses, if it is one that does; then step->channel
 * and step->operation are set. */
extern bool arazzo_compile_channel(WorkflowCompiler *self, const ArazzoNode *node, PlanStep *step);

/* The source that the part of an operationPath or channelPath before '#'
 * names, or NULL. */
extern const PlanSource *arazzo_compile_path_source(WorkflowCompiler *self, const char *text, int length);

/* Has the step a parameter of that place and name? */
extern bool arazzo_compile_has_parameter(const PlanStep *step, ParameterLocation in, const char *name);

/* Checking: does a call give what its operation needs, and no more? */
extern void arazzo_compile_check_call(WorkflowCompiler *self, const ArazzoNode *node, const PlanStep *step);

/* Checking: steps and outputs of a workflow that was compiled. */
extern void arazzo_compile_check_flow(WorkflowCompiler *self);

/* Schemas of the step's messages, when arazzo.validate asks for them. */
extern void arazzo_compile_message_schemas(WorkflowCompiler *self, PlanStep *step);

/* Names of the inputs that a schema requires and that no credential of the
 * connection stands in for (List of char *). */
extern List *arazzo_compile_required(WorkflowCompiler *self, const JsonbValue *schema);

/* The schema, with credential inputs no longer required. */
extern JsonbValue *arazzo_compile_relax(WorkflowCompiler *self, const JsonbValue *schema);

/* The schemas of a declared input (List of PlacedSchema *), NIL of none. */
extern List *arazzo_compile_input(const WorkflowCompiler *self, const char *name, int length);

/* SchemaOptions, document; owner is the Compiler.  What is compiled keeps
 * nothing of the documents it comes from. */
extern const JsonbValue *arazzo_compile_schema_document(void *owner, const char *uri);

/* The operation that operationId or operationPath names. */
extern const OpenapiOperation *arazzo_compile_operation(WorkflowCompiler *self, const ArazzoNode *step);

/* The action list of a step with the workflow's own behind it. */
extern bool arazzo_compile_actions(WorkflowCompiler *self, const ArazzoNode *own,
								   const ArazzoNode *shared, const char *component, List **actions);

/* Criterion Objects of a list node (NULL: none). */
extern bool arazzo_compile_criteria(WorkflowCompiler *self, const ArazzoNode *list, List **criteria);

/* A template; position and step are added to what goes wrong. */
extern ArazzoTemplate *arazzo_compile_template(WorkflowCompiler *self, const ArazzoNode *node);

/* An outputs map. */
extern bool arazzo_compile_outputs(WorkflowCompiler *self, const ArazzoNode *map,
								   PlanValue **outputs, int *count);

/* The object a Reusable Object names, or the node itself; NULL when it
 * leads nowhere.  component is "parameters", "successActions", ... */
extern const ArazzoNode *arazzo_compile_reusable(WorkflowCompiler *self, const ArazzoNode *node,
												 const char *component);

/* Name-value pairs of a parameter list that go to a workflow as inputs. */
extern bool arazzo_compile_inputs(WorkflowCompiler *self, const ArazzoNode *own,
								  const ArazzoNode *shared, List **inputs);

/* The source description of a name; NULL when there is none. */
extern const PlanSource *arazzo_compile_source(WorkflowCompiler *self, const char *name, int length);

/* Fails because a source is not loaded. */
extern void arazzo_compile_fail_source(WorkflowCompiler *self, const ArazzoNode *place,
									   const PlanSource *source);

/* Has the source, if it is loaded, an operation or workflow of this id? */
extern bool arazzo_compile_source_has(WorkflowCompiler *self, const PlanSource *source, const char *id);

/* Splits "$sourceDescriptions.<name>.<rest>"; false if it is none.  Sets
 * *source to NULL when no such source is declared. */
extern bool arazzo_compile_split_source(WorkflowCompiler *self, const char *text,
										const PlanSource **source, const char **rest);

/* Has the step such an output (NULL: is there such a step)?  A step that
 * calls a workflow hands on that one's. */
extern bool arazzo_compile_output_declared(WorkflowCompiler *self, const char *step, int step_length,
										   const char *output, int output_length);

/* Index of a step by id, -1 when there is none. */
extern int	arazzo_compile_step_index(WorkflowCompiler *self, const char *step_id, int length);

/* The entry of a workflow, made when it is named for the first time; NULL
 * when the document has none of this id. */
extern PlanWorkflow *arazzo_compile_enter(Compiler *compiler, const ArazzoDocument *document,
										  const char *workflow_id);

/* Compiles what was entered, and what that reaches. */
extern void arazzo_compile_pending(Compiler *compiler);

/* Steps by id: fills in the workflow's by_id. */
extern void arazzo_compile_step_ids(PlanWorkflow *workflow);

/* dependsOn of a step. */
extern bool arazzo_compile_depends_on(WorkflowCompiler *self, const ArazzoNode *step_node, PlanStep *step);

/* Puts the steps in an order that satisfies what they depend on. */
extern bool arazzo_compile_order(WorkflowCompiler *self);

/* Refuses workflows that depend on themselves; all have been compiled. */
extern bool arazzo_compile_check_dependencies(Compiler *compiler);

/* Notes what is no obstacle; nothing happens unless a document is checked.
 * place may be NULL: what is being compiled. */
extern void arazzo_compile_note(WorkflowCompiler *self, const ArazzoNode *place, const char *code,
								char *message, char *hint);

/*
 * Keeps a failure, unless there is one already, with the place added.  When
 * a document is checked it becomes a finding as well.
 */
extern void arazzo_compile_fail(WorkflowCompiler *self, const ArazzoNode *place, ArazzoFailure *failure);

/* The scope in which a workflow's expressions are parsed. */
extern void arazzo_compile_scope_init(WorkflowCompiler *self);

#endif							/* ARAZZO_WORKFLOW_COMPILE_H */
