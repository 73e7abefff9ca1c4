/*-------------------------------------------------------------------------
 *
 * test_run.c
 *	  Runs against recorded answers, with a clock that only tests move.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "fmgr.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "document/reader.h"
#include "run/machine.h"
#include "support/clock.h"
#include "support/settings.h"

PG_FUNCTION_INFO_V1(test_run);
PG_FUNCTION_INFO_V1(test_run_limits);
PG_FUNCTION_INFO_V1(test_run_validate);

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

/*
 * test_run(arazzo text, openapi text, workflow text, inputs jsonb,
 * answers jsonb, resume bool) returns text
 *
 * What the run asks for, line by line.  With resume, the run is saved and
 * restored before every step.
 */
Datum
test_run(PG_FUNCTION_ARGS)
{
	ArazzoLibrary *library = arazzo_library_create();
	JsonbValue *answers = arazzo_value_from_jsonb(PG_GETARG_JSONB_P(4));
	ArazzoFailure *failure = NULL;
	ArazzoPlan *plan;
	ArazzoRun  *run;
	const RunNext *next;
	StringInfoData log;
	const JsonbValue *record;
	bool		repeatable;
	int			answer = 0;

	put_document(library, ARAZZO_URI, PG_GETARG_TEXT_PP(0));
	put_document(library, OPENAPI_URI, PG_GETARG_TEXT_PP(1));
	plan = arazzo_plan_compile(library, ARAZZO_URI, text_to_cstring(PG_GETARG_TEXT_PP(2)), &failure);
	if (plan == NULL)
		arazzo_failure_report(failure, ERROR);
	run = arazzo_run_create(plan, arazzo_value_from_jsonb(PG_GETARG_JSONB_P(3)), &failure);
	if (run == NULL)
		arazzo_failure_report(failure, ERROR);
	initStringInfo(&log);
	fake_now = 800000000 * USECS_PER_SEC;	/* 2025-05-08 06:13:20+00 */
	arazzo_clock_replace(&fake_clock);
	while ((next = arazzo_run_next(run))->kind != RUN_FINISHED)
	{
		if (PG_GETARG_BOOL(5))
		{
			run = arazzo_run_restore(plan, arazzo_run_save(run), &failure);
			if (run == NULL)
				arazzo_failure_report(failure, ERROR);
			next = arazzo_run_next(run);
		}
		if (next->kind == RUN_WAIT)
		{
			log_line(&log, "wait %g s", (next->until - fake_now) / 1000000.0);
			arazzo_clock_wait_until(next->until);
			continue;
		}
		log_line(&log, "%s attempt %d: %s %s %s", next->step->step_id, next->attempt, next->request->method,
				 next->request->url, next->request->body ? next->request->body : "-");
		if (answer >= arazzo_value_count(answers))
		{
			log_line(&log, "no more answers");
			break;
		}
		record = arazzo_value_element(answers, answer++);
		repeatable = arazzo_value_member_cstring(record, "repeatable") != NULL;
		if (repeatable)
			log_line(&log, "  repeatable, with key %d", next->call);
		arazzo_run_received(run, recorded_response(record), repeatable);
		log_judgement(&log, arazzo_run_judgement(run));
	}
	if (next->kind == RUN_FINISHED)
		log_end(&log, run);
	arazzo_clock_replace(NULL);
	PG_RETURN_TEXT_P(cstring_to_text(log.data));
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
