/*-------------------------------------------------------------------------
 *
 * internal.h
 *	  The state of a run, for the files of this room.
 *
 *-------------------------------------------------------------------------
 */
#ifndef ARAZZO_RUN_INTERNAL_H
#define ARAZZO_RUN_INTERNAL_H

#include "run/machine.h"

typedef enum RunState
{
	STATE_READY,				/* about to do the step at hand */
	STATE_AWAITING,				/* its request was handed out */
	STATE_WAITING,				/* until a moment, then STATE_READY */
	STATE_SUCCEEDED,
	STATE_FAILED
} RunState;

/* Why a workflow was entered: what to do when it is through. */
typedef enum FrameReason
{
	FRAME_ROOT,
	FRAME_STEP,					/* it is what the caller's step does */
	FRAME_RETRY,				/* a retry action: then repeat the caller's step */
	FRAME_DEPENDENCY			/* dependsOn of the caller */
} FrameReason;

/* What a step left behind. */
typedef struct StepRecord
{
	MemoryContext context;		/* of the outputs, NULL: the frame's */
	bool		done;
	JsonbValue **outputs;		/* by output of the plan; NULL: absent */
	JsonbValue *workflow_outputs;	/* workflow steps: all that it gave */
} StepRecord;

typedef struct RunFrame
{
	MemoryContext context;		/* of all it holds */
	struct RunFrame *caller;	/* NULL for the root */
	FrameReason reason;
	const PlanWorkflow *workflow;
	JsonbValue *inputs;			/* an object */
	StepRecord *steps;			/* by step of the plan */
	TimestampTz deadline;		/* timeout of the step that entered it; 0: none */
	int			dependency;		/* how many of depends_on are through */
	int			step;			/* index; step_count: all through */
	int			attempt;		/* of this visit, 0 before the first */
	int			call;			/* number of this visit in the run */
	List	   *retries;		/* of int: by failure action, this visit */
	int			detour_from;	/* step to repeat after the one at hand, -1 */
	int			detour_attempt;
	int			detour_call;
	List	   *detour_retries;
} RunFrame;

/* The request and response at hand; in the step's context. */
typedef struct RunExchange
{
	const ArazzoRequest *request;
	bool		credential_given;
	List	   *parameters;		/* of ExchangeParameter: as evaluated */
	const char *content_type;	/* of the request body */
	const ArazzoResponse *response;
	JsonbValue *body;			/* of the response, NULL: absent or not read */
	bool		body_read;
	JsonbValue *outputs;		/* of the workflow that a step called */
	JsonbValue *correlation;	/* what a message must carry, or NULL */
} RunExchange;

typedef struct ExchangeParameter
{
	ParameterLocation in;
	const char *name;
	JsonbValue *value;
} ExchangeParameter;

/* A call whose answer was lost. */
typedef struct UnansweredCall
{
	const PlanWorkflow *workflow;
	const PlanStep *step;
	JsonbValue *inputs;			/* of the workflow when it was made */
	int			call;			/* number of the visit */
	bool		repeatable;
} UnansweredCall;

/* What a workflow that was called and is through left behind. */
typedef struct WorkflowRecord
{
	MemoryContext context;		/* NULL: the run's */
	const PlanWorkflow *workflow;
	JsonbValue *inputs;
	JsonbValue *outputs;
	StepRecord *steps;			/* by step of the plan; only "done" counts */
} WorkflowRecord;

struct ArazzoRun
{
	const ArazzoPlan *plan;
	MemoryContext context;
	MemoryContext step_context; /* emptied when a step begins */
	RunState	state;
	RunFrame   *frame;			/* the innermost */
	int			depth;
	int			visits;
	TimestampTz until;
	TimestampTz receive_until;	/* of the step that receives a message; or 0 */
	List	   *workflows;		/* of WorkflowRecord */
	List	   *unanswered;		/* of UnansweredCall */
	List	   *secrets;		/* of char * */
	RunExchange exchange;
	RunNext		next;
	RunJudgement judgement;
	ArazzoFailure *failure;
	const char *ended_by;
	JsonbValue *outputs;
	ExpressionEnvironment environment;
};

/* machine.c: a run without a frame */
extern ArazzoRun *arazzo_run_allocate(const ArazzoPlan *plan);

/* environment.c: what the roots of expressions are right now */
extern void arazzo_run_environment_init(ArazzoRun *run);

/* request.c: the request of a step into run->exchange; NULL on success */
extern ArazzoFailure *arazzo_run_build_request(ArazzoRun *run, const PlanStep *step);

/* validate.c: NULL when the message fits, or arazzo.validate lets it pass */
extern ArazzoFailure *arazzo_run_validate_request(ArazzoRun *run, const PlanStep *step);
extern ArazzoFailure *arazzo_run_validate_response(ArazzoRun *run, const PlanStep *step);

/*
 * doubt.c: remembers a call whose answer was lost, until it is answered;
 * before a step is done, WF007 when it may repeat such a call and the API
 * could not tell, else its key is that of the call.
 */
extern void arazzo_run_note_answer(ArazzoRun *run, const PlanStep *step,
								   const ArazzoResponse *response, bool repeatable);
extern ArazzoFailure *arazzo_run_resume_call(ArazzoRun *run, const PlanStep *step);
extern ArazzoFailure *arazzo_run_in_doubt(void);

/* condition.c: what holds a step back, or ends its time */
extern ArazzoFailure *arazzo_run_check_dependencies(ArazzoRun *run, const PlanStep *step);
extern ArazzoFailure *arazzo_run_expect_message(ArazzoRun *run, const PlanStep *step);
extern bool arazzo_run_message_fits(ArazzoRun *run, const PlanStep *step);
extern ArazzoFailure *arazzo_run_check_time(ArazzoRun *run, RunFrame **late);
extern ArazzoFailure *arazzo_run_timed_out(const PlanStep *step);
extern ArazzoFailure *arazzo_run_missed_message(const PlanStep *step);
extern TimestampTz arazzo_run_limited(const ArazzoRun *run, TimestampTz moment);
extern int	arazzo_run_timeout(const ArazzoRun *run, const PlanStep *step);

/* judge.c: does the answer satisfy the step?  Sets the judgement's reason. */
extern ArazzoFailure *arazzo_run_judge(ArazzoRun *run, const PlanStep *step);
extern bool arazzo_run_criteria_hold(ArazzoRun *run, List *criteria, const char **failed);
extern void arazzo_run_take_outputs(ArazzoRun *run, const PlanStep *step);
extern JsonbValue *arazzo_run_workflow_outputs(ArazzoRun *run, const PlanWorkflow *workflow);
extern void arazzo_run_warn(ArazzoRun *run, const char *warning);
extern ArazzoFailure *arazzo_run_place(ArazzoRun *run, const PlanStep *step, ArazzoFailure *failure);

/*
 * frame.c: a frame is in a memory context of its own, below the run's, with a
 * copy of the inputs.  Dropping it frees that; leaving it keeps what
 * expressions may ask for, until the same workflow is left another time.
 */
extern void arazzo_run_drop_frame(RunFrame *frame);
extern WorkflowRecord *arazzo_run_record_frame(ArazzoRun *run, RunFrame *frame);
extern RunFrame *arazzo_run_frame(ArazzoRun *run, const PlanWorkflow *workflow, JsonbValue *inputs, FrameReason reason);
extern JsonbValue *arazzo_run_check_given_inputs(const PlanWorkflow *workflow, JsonbValue *inputs, ArazzoFailure **failure);
extern bool arazzo_run_input_required(const PlanWorkflow *workflow, const char *name);
extern JsonbValue *arazzo_run_check_inputs(const PlanWorkflow *workflow, JsonbValue *inputs, ArazzoFailure **failure);
extern JsonbValue *arazzo_run_gather_inputs(ArazzoRun *run, List *values, ArazzoFailure **failure);

#endif							/* ARAZZO_RUN_INTERNAL_H */
