/*-------------------------------------------------------------------------
 *
 * test_run.c
 *	  Runs against recorded answers, with a clock that only tests move.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "fmgr.h"
#include "portability/instr_time.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "document/reader.h"
#include "run/machine.h"
#include "support/clock.h"
#include "support/settings.h"

PG_FUNCTION_INFO_V1(test_run);
PG_FUNCTION_INFO_V1(test_run_documents);
PG_FUNCTION_INFO_V1(test_run_growth);
PG_FUNCTION_INFO_V1(test_run_limits);
PG_FUNCTION_INFO_V1(test_run_validate);
PG_FUNCTION_INFO_V1(test_run_engine);

#define ARAZZO_URI "https://test.example/arazzo/document.yaml"
#define OPENAPI_URI "https://test.example/openapi.yaml"

static TimestampTz fake_now;

static TimestampTz
fake_clock_now(void)
{
	return fake_now;
}

static void
fake_clock_wait(TimestampTz moment)
{
	fake_now = moment;
}

static const ArazzoClock fake_clock = {fake_clock_now, fake_clock_wait};

static void
put_document(ArazzoLibrary *library, const char *uri, text *source)
{
	ArazzoFailure *failure = NULL;
	ArazzoNode *tree = arazzo_reader_read(VARDATA_ANY(source), VARSIZE_ANY_EXHDR(source), &failure);

	if (tree == NULL)
		arazzo_failure_report(failure, ERROR);
	arazzo_library_put(library, uri, arazzo_node_to_value(tree), tree);
}

/* A recorded answer: {"status", "headers", "body"}, or {"outcome"}; beside
 * it, "repeatable" for a call that may be repeated. */
static ArazzoResponse *
recorded_response(const JsonbValue *record)
{
	ArazzoResponse *response = palloc0(sizeof(ArazzoResponse));
	JsonbValue *headers = arazzo_value_member_cstring(record, "headers");
	JsonbValue *body = arazzo_value_member_cstring(record, "body");
	JsonbValue *status = arazzo_value_member_cstring(record, "status");
	char	   *outcome = arazzo_value_member_text(record, "outcome");
	ArazzoValueWalk walk;
	JsonbValue	key;
	JsonbValue	value;

	response->headers = palloc0(sizeof(ArazzoHeader) * (arazzo_value_count(headers) + 1));
	arazzo_value_walk(&walk, headers);
	while (arazzo_value_next(&walk, &key, &value))
	{
		ArazzoHeader *header = &response->headers[response->header_count++];

		header->name = arazzo_value_to_text(&key);
		header->value = arazzo_value_to_text(&value);
	}
	if (arazzo_value_is_object(body) || arazzo_value_is_array(body))
	{
		response->headers[response->header_count].name = "Content-Type";
		response->headers[response->header_count++].value = "application/json";
	}
	response->status = status ? (int) strtol(arazzo_value_to_text(status), NULL, 10) : 0;
	response->body = body ? arazzo_value_to_text(body) : "";
	response->body_length = strlen(response->body);
	if (outcome)
	{
		response->outcome = strcmp(outcome, "unknown") == 0 ? OUTCOME_UNKNOWN : OUTCOME_NOT_SENT;
		response->sqlstate = ERRCODE_CONNECTION_FAILURE;
		response->message = "connection was lost";
	}
	return response;
}

static void
log_line(StringInfo log, const char *format,...)
{
	char		line[8192];
	va_list		arguments;

	va_start(arguments, format);
	vsnprintf(line, sizeof(line), format, arguments);
	va_end(arguments);
	appendStringInfo(log, "%s%s", log->len > 0 ? "\n" : "", line);
}

static void
log_judgement(StringInfo log, const RunJudgement *judgement)
{
	ListCell   *cell;

	log_line(log, "  %s%s%s%s%s", judgement->success ? "succeeded" : "failed: ",
			 judgement->success ? "" : judgement->reason,
			 judgement->action ? " -> \"" : "", judgement->action ? judgement->action : "",
			 judgement->action ? "\"" : "");
	foreach(cell, judgement->warnings)
		log_line(log, "  warning: %s", (char *) lfirst(cell));
	foreach(cell, judgement->violations)
		log_line(log, "  violation: %s", (char *) lfirst(cell));
}

static void
log_end(StringInfo log, ArazzoRun *run)
{
	const ArazzoFailure *failure = arazzo_run_failure(run);

	if (failure)
	{
		log_line(log, "failure %s: %s", unpack_sql_state(failure->sqlstate), failure->message);
		log_line(log, "  detail: %s", failure->detail);
		if (failure->hint)
			log_line(log, "  hint: %s", failure->hint);
	}
	else
		log_line(log, "outputs %s", arazzo_value_to_text(arazzo_run_outputs(run)));
	if (arazzo_run_ended_by(run))
		log_line(log, "ended by \"%s\"", arazzo_run_ended_by(run));
}

/* One thing that the run asks for, and what it is answered; false when the
 * answers are used up. */
static bool
replay_next(StringInfo log, ArazzoRun *run, const RunNext *next, const JsonbValue *answers, int *answer)
{
	static const char *const verbs[] = {[RUN_SEND] = "",[RUN_NOTIFY] = "notify ",[RUN_RECEIVE] = "receive "};
	JsonbValue *record;
	JsonbValue *after;
	bool		repeatable;
	int			i;

	if (next->kind == RUN_WAIT)
	{
		log_line(log, "wait %g s", (next->until - fake_now) / 1000000.0);
		arazzo_clock_wait_until(next->until);
		return true;
	}
	log_line(log, "%s attempt %d: %s%s %s %s", next->step->step_id, next->attempt, verbs[next->kind], next->request->method,
			 next->request->url, next->request->body ? next->request->body : "-");
	for (i = 0; next->kind != RUN_SEND && i < next->request->header_count; i++)
		log_line(log, "  header %s: %s", next->request->headers[i].name, next->request->headers[i].value);
	if (next->kind == RUN_RECEIVE && next->until != DT_NOEND)
		log_line(log, "  for %g s", (next->until - fake_now) / 1000000.0);
	else if (next->timeout > 0)
		log_line(log, "  within %d ms", next->timeout);
	record = arazzo_value_element(answers, (*answer)++);
	if (record == NULL)
	{
		log_line(log, "no more answers");
		return false;
	}
	after = arazzo_value_member_cstring(record, "after");
	if (after)
		fake_now += strtol(arazzo_value_to_text(after), NULL, 10) * INT64CONST(1000);
	if (arazzo_value_member_cstring(record, "nothing"))
	{
		fake_now = next->until;
		return true;
	}
	repeatable = arazzo_value_member_cstring(record, "repeatable") != NULL;
	if (repeatable)
		log_line(log, "  repeatable, with key %d", next->call);
	arazzo_run_received(run, recorded_response(record), repeatable);
	if (next->kind == RUN_RECEIVE && !arazzo_run_judgement(run)->success && arazzo_run_judgement(run)->reason == NULL)
		log_line(log, "  ignored");
	else
		log_judgement(log, arazzo_run_judgement(run));
	return true;
}

/* What a run asks for, line by line; with resume, it is saved and restored
 * before every step. */
static text *
replay(ArazzoLibrary *library, const char *workflow, Jsonb *inputs, Jsonb *answers, bool resume)
{
	ArazzoFailure *failure = NULL;
	ArazzoPlan *plan = arazzo_plan_compile(library, ARAZZO_URI, workflow, &failure);
	ArazzoRun  *run;
	const RunNext *next;
	StringInfoData log;
	ListCell   *cell;
	int			answer = 0;

	if (plan == NULL)
		arazzo_failure_report(failure, ERROR);
	initStringInfo(&log);
	foreach(cell, plan->accepted)
		log_line(&log, "note: %s", (char *) lfirst(cell));
	fake_now = 800000000 * USECS_PER_SEC;	/* 2025-05-08 06:13:20+00 */
	run = arazzo_run_create(plan, arazzo_value_from_jsonb(inputs), &failure);
	if (run == NULL)
		arazzo_failure_report(failure, ERROR);
	arazzo_clock_replace(&fake_clock);
	while ((next = arazzo_run_next(run))->kind != RUN_FINISHED)
	{
		if (resume)
		{
			run = arazzo_run_restore(plan, arazzo_run_save(run), &failure);
			if (run == NULL)
				arazzo_failure_report(failure, ERROR);
			next = arazzo_run_next(run);
		}
		if (!replay_next(&log, run, next, arazzo_value_from_jsonb(answers), &answer))
			break;
	}
	if (next->kind == RUN_FINISHED)
		log_end(&log, run);
	arazzo_clock_replace(NULL);
	return cstring_to_text(log.data);
}

/*
 * test_run(arazzo text, openapi text, workflow text, inputs jsonb,
 * answers jsonb, resume bool) returns text
 */
Datum
test_run(PG_FUNCTION_ARGS)
{
	ArazzoLibrary *library = arazzo_library_create();

	put_document(library, ARAZZO_URI, PG_GETARG_TEXT_PP(0));
	put_document(library, OPENAPI_URI, PG_GETARG_TEXT_PP(1));
	PG_RETURN_TEXT_P(replay(library, text_to_cstring(PG_GETARG_TEXT_PP(2)), PG_GETARG_JSONB_P(3),
							PG_GETARG_JSONB_P(4), PG_GETARG_BOOL(5)));
}

/*
 * test_run_documents(arazzo text, others jsonb, workflow text, inputs jsonb,
 * answers jsonb, resume bool) returns text
 *
 * The same with the other documents by their URIs.
 */
Datum
test_run_documents(PG_FUNCTION_ARGS)
{
	ArazzoLibrary *library = arazzo_library_create();
	ArazzoValueWalk walk;
	JsonbValue	key;
	JsonbValue	value;

	put_document(library, ARAZZO_URI, PG_GETARG_TEXT_PP(0));
	arazzo_value_walk(&walk, arazzo_value_from_jsonb(PG_GETARG_JSONB_P(1)));
	while (arazzo_value_next(&walk, &key, &value))
		put_document(library, arazzo_value_to_text(&key), cstring_to_text(arazzo_value_to_text(&value)));
	PG_RETURN_TEXT_P(replay(library, text_to_cstring(PG_GETARG_TEXT_PP(2)), PG_GETARG_JSONB_P(3),
							PG_GETARG_JSONB_P(4), PG_GETARG_BOOL(5)));
}

/*
 * test_run_growth(arazzo text, openapi text, answers jsonb, inputs jsonb) returns bigint
 *
 * Gives the run of workflow "w" the answers over and over until it has ended,
 * and returns by how many bytes its memory has grown after the first hundred
 * of them.
 */
Datum
test_run_growth(PG_FUNCTION_ARGS)
{
	ArazzoLibrary *library = arazzo_library_create();
	JsonbValue *answers = arazzo_value_from_jsonb(PG_GETARG_JSONB_P(2));
	MemoryContext run_context = AllocSetContextCreate(CurrentMemoryContext, "test run", ALLOCSET_DEFAULT_SIZES);
	MemoryContext answer_context = AllocSetContextCreate(CurrentMemoryContext, "test answer", ALLOCSET_DEFAULT_SIZES);
	MemoryContext old;
	ArazzoFailure *failure = NULL;
	ArazzoPlan *plan;
	ArazzoRun  *run;
	int64		begin = 0;
	int			answer = 0;

	put_document(library, ARAZZO_URI, PG_GETARG_TEXT_PP(0));
	put_document(library, OPENAPI_URI, PG_GETARG_TEXT_PP(1));
	plan = arazzo_plan_compile(library, ARAZZO_URI, "w", &failure);
	if (plan == NULL)
		arazzo_failure_report(failure, ERROR);
	old = MemoryContextSwitchTo(run_context);
	run = arazzo_run_create(plan, arazzo_value_from_jsonb(PG_GETARG_JSONB_P(3)), &failure);
	if (run == NULL)
		arazzo_failure_report(failure, ERROR);
	MemoryContextSwitchTo(answer_context);
	while (arazzo_run_next(run)->kind == RUN_SEND)
	{
		const JsonbValue *record = arazzo_value_element(answers, answer++ % arazzo_value_count(answers));

		arazzo_run_received(run, recorded_response(record), false);
		if (answer == 100)
			begin = MemoryContextMemAllocated(run_context, true);
		MemoryContextReset(answer_context);
	}
	MemoryContextSwitchTo(old);
	if (answer < 500)
		elog(ERROR, "run ended after %d answers: %s", answer,
			 arazzo_run_failure(run) ? arazzo_run_failure(run)->message : "it succeeded");
	PG_RETURN_INT64(MemoryContextMemAllocated(run_context, true) - begin);
}

/* test_run_limits(steps int, depth int): what arazzo.max_steps and
 * arazzo.max_depth are for the runs that follow. */
Datum
test_run_limits(PG_FUNCTION_ARGS)
{
	arazzo_max_steps = PG_GETARG_INT32(0);
	arazzo_max_depth = PG_GETARG_INT32(1);
	PG_RETURN_VOID();
}

/* test_run_validate(mode int): what arazzo.validate is for the runs that
 * follow: 0 off, 1 warn, 2 error. */
Datum
test_run_validate(PG_FUNCTION_ARGS)
{
	arazzo_validate = PG_GETARG_INT32(0);
	PG_RETURN_VOID();
}

/* Steps that each take an input, two outputs of the step before and two of
 * the first one, and have a criterion and an action. */
static text *
long_workflow(int steps)
{
	StringInfoData document;
	int			i;

	initStringInfo(&document);
	appendStringInfoString(&document,
						   "arazzo: 1.1.0\ninfo: {title: t, version: '1'}\n"
						   "sourceDescriptions: [{name: api, url: ../openapi.yaml}]\n"
						   "workflows:\n- workflowId: long\n"
						   "  inputs: {type: object, properties: {id: {type: string}}}\n  steps:\n"
						   "  - {stepId: step0, operationId: postB, outputs: {id: $response.body#/id, n: $response.body#/n}}\n");
	for (i = 1; i < steps; i++)
		appendStringInfo(&document,
						 "  - stepId: step%d\n    operationId: postB\n"
						 "    requestBody: {payload: {id: $inputs.id, before: $steps.step%d.outputs.id, first: '{$steps.step0.outputs.id}', n: $steps.step0.outputs.n}}\n"
						 "    successCriteria: [{condition: '$statusCode == 200 && $response.body#/n == 7'}]\n"
						 "    onFailure: [{name: again, type: retry, criteria: [{condition: $statusCode == 503}]}]\n"
						 "    outputs: {id: $response.body#/id, n: $response.body#/n}\n", i, i - 1);
	appendStringInfo(&document, "  outputs: {id: $steps.step%d.outputs.id}\n", steps - 1);
	return cstring_to_text_with_len(document.data, document.len);
}

/*
 * test_run_engine(openapi text, steps int) returns float8
 *
 * Runs that many steps with answers that are there at once; microseconds a
 * step that the machine takes, from request to request.
 */
Datum
test_run_engine(PG_FUNCTION_ARGS)
{
	int			steps = PG_GETARG_INT32(1);
	ArazzoLibrary *library = arazzo_library_create();
	JsonbValue *inputs = arazzo_value_from_jsonb(DatumGetJsonbP(DirectFunctionCall1(jsonb_in, CStringGetDatum("{\"id\": \"c-1\"}"))));
	ArazzoHeader header = {.name = "Content-Type",.value = "application/json"};
	ArazzoResponse response = {.status = 200,.headers = &header,.header_count = 1,.body = "{\"id\": \"x\", \"n\": 7}"};
	ArazzoFailure *failure = NULL;
	ArazzoPlan *plan;
	ArazzoRun  *run;
	instr_time	start;
	instr_time	end;
	int			sent = 0;

	response.body_length = strlen(response.body);
	put_document(library, ARAZZO_URI, long_workflow(steps));
	put_document(library, OPENAPI_URI, PG_GETARG_TEXT_PP(0));
	plan = arazzo_plan_compile(library, ARAZZO_URI, "long", &failure);
	if (plan == NULL)
		arazzo_failure_report(failure, ERROR);
	run = arazzo_run_create(plan, inputs, &failure);
	if (run == NULL)
		arazzo_failure_report(failure, ERROR);
	INSTR_TIME_SET_CURRENT(start);
	while (arazzo_run_next(run)->kind == RUN_SEND)
	{
		arazzo_run_received(run, &response, false);
		sent++;
	}
	INSTR_TIME_SET_CURRENT(end);
	INSTR_TIME_SUBTRACT(end, start);
	if (arazzo_run_failure(run) != NULL || sent != steps)
		elog(ERROR, "%d of %d steps were run", sent, steps);
	if (strcmp(arazzo_value_to_text(arazzo_run_outputs(run)), "{\"id\":\"x\"}") != 0)
		elog(ERROR, "outputs are %s", arazzo_value_to_text(arazzo_run_outputs(run)));
	PG_RETURN_FLOAT8(INSTR_TIME_GET_MICROSEC(end) / (double) steps);
}
