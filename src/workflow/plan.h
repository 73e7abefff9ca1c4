/*-------------------------------------------------------------------------
 *
 * plan.h
 *	  Plans: workflows compiled for execution.
 *
 * A plan holds a workflow and all that it can reach, with every reference
 * resolved and every expression parsed.  It belongs to no role and knows no
 * connection; it is read-only, and lives in a memory context of its own.
 *
 *-------------------------------------------------------------------------
 */
#ifndef ARAZZO_WORKFLOW_PLAN_H
#define ARAZZO_WORKFLOW_PLAN_H

#include "nodes/pg_list.h"

#include "document/library.h"
#include "expression/criterion.h"
#include "expression/expression.h"
#include "expression/target.h"
#include "openapi/operation.h"
#include "schema/schema.h"

typedef struct PlanWorkflow PlanWorkflow;

/* A name with a template: an output, or an input passed to a workflow. */
typedef struct PlanValue
{
	const char *name;
	ArazzoTemplate *value;		/* NULL: an output that can have no value */
} PlanValue;

/* A parameter of an operation (Parameter Object). */
typedef struct PlanParameter
{
	const OpenapiParameter *parameter;	/* name, place and serialization */
	ArazzoTemplate *value;

	/*
	 * The security scheme's own parameter, fed by an input: when the input
	 * was not given, the connection's credential takes its place.
	 */
	bool		credential;
} PlanParameter;

typedef enum PlanActionType
{
	ACTION_END,
	ACTION_GOTO,
	ACTION_RETRY
} PlanActionType;

/* Success Action Object or Failure Action Object. */
typedef struct PlanAction
{
	const char *name;
	PlanActionType type;
	List	   *criteria;		/* of ArazzoCriterion */
	int			step;			/* index of the step to go to, -1: none */
	PlanWorkflow *workflow;		/* to go to, or NULL */
	List	   *parameters;		/* of PlanValue: inputs of that workflow */
	double		retry_after;	/* seconds */
	int			retry_limit;
} PlanAction;

/* Payload Replacement Object. */
typedef struct PlanReplacement
{
	ArazzoTarget *target;
	ArazzoTemplate *value;
} PlanReplacement;

typedef struct PlanBody
{
	const char *content_type;
	const OpenapiMediaType *description;	/* or NULL */
	ArazzoTemplate *payload;	/* or NULL */
	const ArazzoNode *order;	/* the payload as written, unless it is JSON */
	bool		json;			/* JSON media type, payload no string template */
	List	   *replacements;	/* of PlanReplacement */
} PlanBody;

/* The schema of a response body (Response Object, content). */
typedef struct PlanResponse
{
	const char *status;			/* "200", "2XX" or "default" */
	const char *content_type;
	ArazzoSchema *schema;
} PlanResponse;

/* What carries the messages of a channel. */
typedef enum PlanProtocol
{
	PROTOCOL_NOTIFY,			/* NOTIFY of this database */
	PROTOCOL_HTTP,				/* a request to the address */
	PROTOCOL_OTHER
} PlanProtocol;

/* A channel of an AsyncAPI description, as a step uses it. */
typedef struct PlanChannel
{
	PlanProtocol protocol;
	const char *protocol_name;	/* as the description has it; "": no server */
	const char *server;			/* URL of the server, or NULL */
	const char *database;		/* that a NOTIFY server names, or NULL */
	bool		receive;		/* else send */
	const char *content_type;	/* of its messages */
	ArazzoTemplate *correlation;	/* what a message must carry, or NULL */
	const char *correlation_header; /* the header that carries it, or NULL: */
	char	  **correlation_tokens; /* pointer into the payload */
	int			correlation_count;
} PlanChannel;

/* A step that must be completed before another one is executed. */
typedef struct PlanDependency
{
	PlanWorkflow *workflow;		/* NULL: the step's own */
	int			step;			/* index in that workflow */
	const char *text;			/* as written */
} PlanDependency;

typedef struct PlanStep
{
	const char *step_id;
	int			index;			/* in its workflow, in the document's order */
	int			next;			/* index of the step after it, step_count: none */
	List	   *depends_on;		/* of PlanDependency */
	int			line;			/* in its document */
	int			column;

	const OpenapiOperation *operation;	/* NULL for a workflow step */
	const PlanChannel *channel; /* the operation is to send or receive a message */
	List	   *parameters;		/* of PlanParameter */
	PlanBody   *body;			/* or NULL */
	int			timeout;		/* ms, 0: the connection's */
	ArazzoSchema *body_schema;	/* only with arazzo.validate, else NULL */
	List	   *responses;		/* of PlanResponse; likewise */

	PlanWorkflow *workflow;		/* NULL for an operation step */
	List	   *inputs;			/* of PlanValue */

	List	   *criteria;		/* of ArazzoCriterion; NIL: 2xx */
	List	   *on_success;		/* of PlanAction, workflow's own included */
	List	   *on_failure;
	PlanValue  *outputs;
	int			output_count;
} PlanStep;

struct PlanWorkflow
{
	const char *workflow_id;
	const char *document_uri;
	const char *self;			/* $self, or the document's URI */
	List	   *sources;		/* of PlanSource */

	JsonbValue *input_schema;	/* as written, or NULL */
	ArazzoSchema *inputs;		/* or NULL */
	List	   *credential_inputs;	/* of char *: may be left to the connection */
	List	   *required_inputs;	/* of char *: may not be left out */

	List	   *depends_on;		/* of PlanWorkflow */
	PlanStep   *steps;
	int			step_count;
	int			first_step;		/* index of the step that comes first */
	int		   *by_id;			/* indexes of steps, in the order of their ids */
	bool		awaited;		/* steps of other workflows depend on its steps */
	JsonbValue *components;		/* Components Object, when an expression reads it */
	PlanValue  *outputs;
	int			output_count;
};

typedef struct PlanSource
{
	const char *name;
	const char *url;			/* as written */
	const char *uri;			/* resolved */
	const char *type;			/* or NULL */
} PlanSource;

typedef struct ArazzoPlan
{
	MemoryContext context;
	const char *name;			/* as it was asked for */
	PlanWorkflow *workflow;
	List	   *workflows;		/* all of PlanWorkflow it reaches, itself first */
	const char *version;		/* of the documents it was made of: a digest */
	List	   *accepted;		/* of char *: non-standard forms that were accepted */

	/* the plan cache's */
	uint64		serial;			/* no other plan of the session has it */
	int			pins;
	bool		stale;
} ArazzoPlan;

/*
 * Compiles a workflow of a document, in a new memory context below the
 * current one.  NULL and *failure (in the current context) when it cannot be
 * planned.
 */
extern ArazzoPlan *arazzo_plan_compile(ArazzoLibrary *library, const char *document_uri,
									   const char *workflow_id, ArazzoFailure **failure);

/*
 * The plan for a name: a workflow id, or '<document uri>#<workflow id>'.
 * Throws 42704 (unknown, with the nearest names), 42725 (ambiguous, with the
 * candidates), or why it cannot be planned.  The plan stays valid until the
 * next call, longer if it is pinned.
 */
extern const ArazzoPlan *arazzo_plan_get(const char *name);

/* Index of a step by its id, -1 when there is none. */
extern int	arazzo_plan_step(const PlanWorkflow *workflow, const char *step_id, int length);

/* Keeps a plan beyond the next arazzo_plan_get; unpin when done. */
extern void arazzo_plan_pin(const ArazzoPlan *plan);
extern void arazzo_plan_unpin(const ArazzoPlan *plan);

#endif							/* ARAZZO_WORKFLOW_PLAN_H */
