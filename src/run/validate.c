/*-------------------------------------------------------------------------
 *
 * validate.c
 *	  Messages against their description (arazzo.validate).
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "openapi/serialize.h"
#include "run/internal.h"
#include "support/settings.h"

/* How many violations are named. */
#define SHOWN_VIOLATIONS 10

static ArazzoFailure *validate(ArazzoRun *run, const PlanStep *step, const ArazzoSchema *schema,
							   const JsonbValue *value, const char *what);
static const PlanResponse *find_response(const PlanStep *step, const ArazzoResponse *response);
static int	status_rank(const char *pattern, int status);
static bool type_matches(const char *described, const char *actual);

/* NULL when the request fits, or when that does not matter. */
ArazzoFailure *
arazzo_run_validate_request(ArazzoRun *run, const PlanStep *step)
{
	const ArazzoRequest *request = run->exchange.request;
	MemoryContext old;
	JsonbValue *body;

	if (arazzo_validate == VALIDATE_OFF || step->body_schema == NULL ||
		request->body == NULL || run->environment.symbolic)
		return NULL;
	old = MemoryContextSwitchTo(run->step_context);
	body = arazzo_deserialize_body(run->exchange.content_type, request->body, request->body_length, NULL);
	MemoryContextSwitchTo(old);
	return validate(run, step, step->body_schema, body, "request body");
}

/* The same of a response that was received. */
ArazzoFailure *
arazzo_run_validate_response(ArazzoRun *run, const PlanStep *step)
{
	ExpressionEnvironment *environment = &run->environment;
	ArazzoExpression body = {.text = "$response.body",.root = ROOT_RESPONSE_BODY,.slot = -1};
	const PlanResponse *planned;

	if (arazzo_validate == VALIDATE_OFF || run->exchange.response == NULL || step->responses == NIL)
		return NULL;
	planned = find_response(step, run->exchange.response);
	if (planned == NULL)
		return NULL;
	return validate(run, step, planned->schema, environment->lookup(run, &body), "response body");
}

static ArazzoFailure *
validate(ArazzoRun *run, const PlanStep *step, const ArazzoSchema *schema,
		 const JsonbValue *value, const char *what)
{
	MemoryContext old = MemoryContextSwitchTo(run->step_context);
	List	   *errors = NIL;
	StringInfoData detail;
	ListCell   *cell;

	if (value == NULL)
		value = arazzo_value_null();
	(void) arazzo_schema_validate(schema, value, &errors);
	initStringInfo(&detail);
	foreach(cell, errors)
	{
		const SchemaError *error = lfirst(cell);

		if (foreach_current_index(cell) == SHOWN_VIOLATIONS)
		{
			appendStringInfo(&detail, " There are %d more.", list_length(errors) - SHOWN_VIOLATIONS);
			break;
		}
		appendStringInfo(&detail, "%s%s%s%s.", detail.len > 0 ? " " : "", error->instance_pointer,
						 error->instance_pointer[0] ? ": " : "", error->message);
	}
	MemoryContextSwitchTo(old);
	if (errors == NIL)
		return NULL;
	if (arazzo_validate == VALIDATE_ERROR)
		return arazzo_failure_detail(arazzo_failure_make(ERRCODE_ARAZZO_SCHEMA,
														 "%s of step \"%s\" does not fit its description",
														 what, step->step_id), "%s", detail.data);
	run->judgement.violations = lappend(run->judgement.violations,
										psprintf("%s of step \"%s\" does not fit its description: %s",
												 what, step->step_id, detail.data));
	return NULL;
}

/*
 * OpenAPI 3.1, Responses Object: an exact status beats a range, which beats
 * the default; among those, the media type must match.
 */
static const PlanResponse *
find_response(const PlanStep *step, const ArazzoResponse *response)
{
	const char *type = arazzo_header_find(response->headers, response->header_count,
										  "Content-Type", strlen("Content-Type"));
	const PlanResponse *found = NULL;
	int			best = 0;
	ListCell   *cell;

	foreach(cell, step->responses)
	{
		const PlanResponse *planned = lfirst(cell);
		int			rank = status_rank(planned->status, response->status);

		if (rank > best && type && type_matches(planned->content_type, type))
		{
			best = rank;
			found = planned;
		}
	}
	return found;
}

static int
status_rank(const char *pattern, int status)
{
	if (strcmp(pattern, "default") == 0)
		return 1;
	if (strlen(pattern) == 3 && pg_strcasecmp(pattern + 1, "XX") == 0)
		return pattern[0] - '0' == status / 100 ? 2 : 0;
	return (int) strtol(pattern, NULL, 10) == status ? 3 : 0;
}

static bool
type_matches(const char *described, const char *actual)
{
	size_t		length = strcspn(described, ";");
	const char *star = strchr(described, '*');

	if (star)
		return pg_strncasecmp(described, actual, star - described) == 0;
	return arazzo_media_type_is(actual, pnstrdup(described, length));
}
