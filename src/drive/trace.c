/*-------------------------------------------------------------------------
 *
 * trace.c
 *	  arazzo_trace: a run with everything that went over the wire.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "funcapi.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "drive/drive.h"
#include "http/mask.h"

PG_FUNCTION_INFO_V1(arazzo_trace);

/* Columns of the result, in order. */
enum
{
	TRACE_ORDINAL,
	TRACE_WORKFLOW,
	TRACE_STEP,
	TRACE_ATTEMPT,
	TRACE_METHOD,
	TRACE_URL,
	TRACE_REQUEST_HEADERS,
	TRACE_REQUEST_BODY,
	TRACE_STATUS,
	TRACE_RESPONSE_HEADERS,
	TRACE_RESPONSE_BODY,
	TRACE_DURATION,
	TRACE_OUTCOME,
	TRACE_ACTION,
	TRACE_MESSAGE,
	TRACE_WARNINGS,
	TRACE_OUTPUTS,
	TRACE_COLUMNS
};

typedef struct Trace
{
	ReturnSetInfo *result;
	ArazzoRun  *run;
	int			ordinal;
	List	   *secrets;		/* of the row at hand */
	Datum		values[TRACE_COLUMNS];
	bool		nulls[TRACE_COLUMNS];
} Trace;

static void trace_attempt(void *owner, const RunNext *next, const DriveCall *call,
						  const ArazzoResponse *response, const RunJudgement *judgement);
static void trace_request(Trace *trace, const ArazzoRequest *request);
static void trace_response(Trace *trace, const ArazzoResponse *response);
static void trace_end(Trace *trace, List *secrets);
static void begin_row(Trace *trace);
static void end_row(Trace *trace);
static void set_text(Trace *trace, int column, const char *text);
static void set_headers(Trace *trace, int column, const ArazzoHeader *headers, int count);
static Datum text_array(Trace *trace, List *strings);

/*
 * arazzo_trace(workflow text, inputs jsonb) returns setof record
 *
 * One row for each attempt of a step, and one for the run as a whole at the
 * end.  A workflow that fails is a row, not an error.
 */
Datum
arazzo_trace(PG_FUNCTION_ARGS)
{
	Trace		trace = {.result = (ReturnSetInfo *) fcinfo->resultinfo};
	DriveObserver observer = {&trace, trace_attempt};
	List	   *secrets;

	InitMaterializedSRF(fcinfo, 0);
	trace.run = arazzo_drive_create(fcinfo);
	secrets = arazzo_drive(trace.run, &observer);
	trace_end(&trace, secrets);
	arazzo_run_free(trace.run);
	return (Datum) 0;
}

static void
trace_attempt(void *owner, const RunNext *next, const DriveCall *call,
			  const ArazzoResponse *response, const RunJudgement *judgement)
{
	Trace	   *trace = owner;

	trace->secrets = list_copy(arazzo_run_secrets(trace->run));
	if (call)
		trace->secrets = list_concat(trace->secrets, arazzo_call_secrets(call));
	begin_row(trace);
	set_text(trace, TRACE_WORKFLOW, next->workflow->workflow_id);
	set_text(trace, TRACE_STEP, next->step->step_id);
	trace->values[TRACE_ATTEMPT] = Int32GetDatum(next->attempt);
	trace->nulls[TRACE_ATTEMPT] = false;
	trace_request(trace, call ? &call->request : next->request);
	if (response)
		trace_response(trace, response);
	set_text(trace, TRACE_OUTCOME, judgement->success ? "succeeded" : "failed");
	set_text(trace, TRACE_ACTION, judgement->action);
	set_text(trace, TRACE_MESSAGE, judgement->reason);
	if (judgement->warnings || judgement->violations)
	{
		trace->values[TRACE_WARNINGS] = text_array(trace, list_concat_copy(judgement->warnings,
																		   judgement->violations));
		trace->nulls[TRACE_WARNINGS] = false;
	}
	end_row(trace);
}

static void
trace_request(Trace *trace, const ArazzoRequest *request)
{
	if (request == NULL)
		return;
	set_text(trace, TRACE_METHOD, request->method);
	set_text(trace, TRACE_URL, request->shown_url ? request->shown_url : request->url);
	set_headers(trace, TRACE_REQUEST_HEADERS, request->headers, request->header_count);
	if (request->body)
		set_text(trace, TRACE_REQUEST_BODY, arazzo_drive_body(request->body, request->body_length));
}

static void
trace_response(Trace *trace, const ArazzoResponse *response)
{
	trace->values[TRACE_DURATION] = Float8GetDatum(response->duration_us / 1000.0);
	trace->nulls[TRACE_DURATION] = false;
	if (response->status > 0)
	{
		trace->values[TRACE_STATUS] = Int32GetDatum(response->status);
		trace->nulls[TRACE_STATUS] = false;
	}
	if (response->header_count > 0)
		set_headers(trace, TRACE_RESPONSE_HEADERS, response->headers, response->header_count);
	if (response->outcome == OUTCOME_RECEIVED)
		set_text(trace, TRACE_RESPONSE_BODY, arazzo_drive_body(response->body, response->body_length));
}

/* The row of the run as a whole. */
static void
trace_end(Trace *trace, List *secrets)
{
	const ArazzoFailure *failure = arazzo_run_failure(trace->run);
	Jsonb	   *outputs = arazzo_value_to_jsonb(arazzo_run_outputs(trace->run));

	trace->secrets = list_concat_copy(arazzo_run_secrets(trace->run), secrets);
	begin_row(trace);
	set_text(trace, TRACE_OUTCOME, failure ? "failed" : "succeeded");
	set_text(trace, TRACE_ACTION, arazzo_run_ended_by(trace->run));
	if (failure)
		set_text(trace, TRACE_MESSAGE,
				 failure->detail ? psprintf("%s\n%s", failure->message, failure->detail) : failure->message);
	trace->values[TRACE_OUTPUTS] = JsonbPGetDatum(outputs);
	trace->nulls[TRACE_OUTPUTS] = false;
	end_row(trace);
}

static void
begin_row(Trace *trace)
{
	memset(trace->nulls, true, sizeof(trace->nulls));
	trace->values[TRACE_ORDINAL] = Int32GetDatum(++trace->ordinal);
	trace->nulls[TRACE_ORDINAL] = false;
}

static void
end_row(Trace *trace)
{
	tuplestore_putvalues(trace->result->setResult, trace->result->setDesc,
						 trace->values, trace->nulls);
}

/* A text column with secrets masked; NULL stays null. */
static void
set_text(Trace *trace, int column, const char *text)
{
	if (text == NULL)
		return;
	trace->values[column] = CStringGetTextDatum(arazzo_mask_text(text, trace->secrets));
	trace->nulls[column] = false;
}

/* Headers as an object; a name that repeats has its values joined, as RFC
 * 9110, 5.3 allows. */
static void
set_headers(Trace *trace, int column, const ArazzoHeader *headers, int count)
{
	JsonbParseState *state = NULL;
	JsonbValue *object;
	int			i;
	int			j;

	pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	for (i = 0; i < count; i++)
	{
		StringInfoData value;

		for (j = 0; j < i && pg_strcasecmp(headers[j].name, headers[i].name) != 0; j++)
			;
		if (j < i)
			continue;
		initStringInfo(&value);
		for (j = i; j < count; j++)
		{
			if (pg_strcasecmp(headers[j].name, headers[i].name) != 0)
				continue;
			appendStringInfo(&value, "%s%s", value.len > 0 ? ", " : "",
							 headers[j].secret || arazzo_mask_is_secret_header(headers[j].name) ?
							 ARAZZO_MASK : arazzo_mask_text(headers[j].value, trace->secrets));
		}
		pushJsonbValue(&state, WJB_KEY, arazzo_value_cstring(headers[i].name));
		pushJsonbValue(&state, WJB_VALUE, arazzo_value_string(value.data, value.len));
	}
	object = pushJsonbValue(&state, WJB_END_OBJECT, NULL);
	trace->values[column] = JsonbPGetDatum(JsonbValueToJsonb(object));
	trace->nulls[column] = false;
}

static Datum
text_array(Trace *trace, List *strings)
{
	Datum	   *elements = palloc(sizeof(Datum) * list_length(strings));
	ListCell   *cell;
	int			count = 0;

	foreach(cell, strings)
		elements[count++] = CStringGetTextDatum(arazzo_mask_text(lfirst(cell), trace->secrets));
	return PointerGetDatum(construct_array(elements, count, TEXTOID, -1, false, TYPALIGN_INT));
}
