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

#include "workflow/plan.h"

/* One compilation: a plan in the making. */
typedef struct Compiler
{
	ArazzoLibrary *library;
	ArazzoPlan *plan;
	List	   *pending;		/* of WorkflowCompiler, not compiled yet */
	List	   *entered;		/* of WorkflowCompiler, all of them */
	ArazzoFailure *failure;
} Compiler;

/* One workflow of it. */
typedef struct WorkflowCompiler
{
	Compiler   *compiler;
	const ArazzoDocument *document;
	const ArazzoNode *root;		/* the document */
	const ArazzoNode *node;		/* the workflow */
	const JsonbValue *input_properties; /* declared inputs, or NULL */
	PlanWorkflow *workflow;
	PlanStep   *step;			/* at hand, or NULL */
	ExpressionScope scope;
	bool		lenient;		/* outputs: what does not resolve is null */
	List	   *inputs_used;	/* of char *: inputs named since it was cleared */
} WorkflowCompiler;

/* The compiled (or pending) workflow a workflowId field names; NULL when it
 * does not exist. */
extern PlanWorkflow *arazzo_compile_workflow_reference(WorkflowCompiler *self, const ArazzoNode *reference);

/* Compiles a step's target, parameters, body, criteria, actions, outputs. */
extern bool arazzo_compile_step(WorkflowCompiler *self, const ArazzoNode *node, PlanStep *step);

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

/* Splits "$sourceDescriptions.<name>.<rest>"; false if it is none.  Sets
 * *source to NULL when no such source is declared. */
extern bool arazzo_compile_split_source(WorkflowCompiler *self, const char *text,
										const PlanSource **source, const char **rest);

/* Index of a step by id, -1 when there is none. */
extern int	arazzo_compile_step_index(WorkflowCompiler *self, const char *step_id, int length);

/* Keeps a failure, unless there is one already, with the place added. */
extern void arazzo_compile_fail(WorkflowCompiler *self, const ArazzoNode *place, ArazzoFailure *failure);

/* The scope in which a workflow's expressions are parsed. */
extern void arazzo_compile_scope_init(WorkflowCompiler *self);

#endif							/* ARAZZO_WORKFLOW_COMPILE_H */
