/*-------------------------------------------------------------------------
 *
 * environment.c
 *	  What the roots of runtime expressions are while a run goes on
 *	  (Arazzo 1.1.0, Runtime Expressions).
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "openapi/serialize.h"
#include "run/internal.h"

static JsonbValue *lookup(void *owner, const ArazzoExpression *expression);
static JsonbValue *input_value(const ArazzoRun *run, const ArazzoExpression *expression);
static JsonbValue *step_output(const ArazzoRun *run, const ArazzoExpression *expression);
static JsonbValue *workflow_value(const ArazzoRun *run, const ArazzoExpression *expression, bool inputs);
static JsonbValue *source_field(const ArazzoRun *run, const ArazzoExpression *expression);
static JsonbValue *request_parameter(const ArazzoRun *run, ParameterLocation in, const char *name);
static JsonbValue *request_header(const ArazzoRun *run, const char *name);
static JsonbValue *request_body(const ArazzoRun *run);
static JsonbValue *response_header(const ArazzoRun *run, const char *name);
static const char *response_type(const ArazzoRun *run);
static JsonbValue *response_body(ArazzoRun *run);
static JsonbValue *text_value(const char *text);

void
arazzo_run_environment_init(ArazzoRun *run)
{
	run->environment.owner = run;
	run->environment.lookup = lookup;
	run->environment.symbolic = false;
}

static JsonbValue *
lookup(void *owner, const ArazzoExpression *expression)
{
	ArazzoRun  *run = owner;
	const ArazzoRequest *request = run->exchange.request;
	const ArazzoResponse *response = run->exchange.response;

	switch (expression->root)
	{
		case ROOT_INPUTS:
			return input_value(run, expression);
		case ROOT_STEPS:
			return step_output(run, expression);
		case ROOT_STATUS_CODE:
			return response && response->status > 0 ? arazzo_value_int64(response->status) : NULL;
		case ROOT_RESPONSE_BODY:
		case ROOT_MESSAGE_PAYLOAD:
			return response_body(run);
		case ROOT_RESPONSE_HEADER:
		case ROOT_MESSAGE_HEADER:
			return response_header(run, expression->name);
		case ROOT_URL:
			return request ? text_value(request->url) : NULL;
		case ROOT_METHOD:
			return request ? text_value(request->method) : NULL;
		case ROOT_REQUEST_HEADER:
			return request_header(run, expression->name);
		case ROOT_REQUEST_QUERY:
		case ROOT_RESPONSE_QUERY:
			return request_parameter(run, IN_QUERY, expression->name);
		case ROOT_REQUEST_PATH:
		case ROOT_RESPONSE_PATH:
			return request_parameter(run, IN_PATH, expression->name);
		case ROOT_REQUEST_BODY:
			return request_body(run);
		case ROOT_OUTPUTS:
			return arazzo_value_member_cstring(run->exchange.outputs, expression->name);
		case ROOT_WORKFLOWS_INPUTS:
			return workflow_value(run, expression, true);
		case ROOT_WORKFLOWS_OUTPUTS:
			return workflow_value(run, expression, false);
		case ROOT_SOURCE_DESCRIPTIONS:
			return source_field(run, expression);
		case ROOT_SELF:
			return text_value(run->frame->workflow->self);
		case ROOT_COMPONENTS:
			return arazzo_value_member_cstring(arazzo_value_member_cstring(run->frame->workflow->components, expression->name),
											   expression->field);
	}
	return NULL;
}

/* Explaining, a required input that was not given stands for itself. */
static JsonbValue *
input_value(const ArazzoRun *run, const ArazzoExpression *expression)
{
	JsonbValue *value = arazzo_value_member_cstring(run->frame->inputs, expression->name);

	if (value == NULL && run->environment.symbolic &&
		arazzo_run_input_required(run->frame->workflow, expression->name))
		return text_value(psprintf("{%s}", expression->text));
	return value;
}

static JsonbValue *
text_value(const char *text)
{
	return arazzo_value_cstring(text);
}

/* What a step put out last; a step that calls a workflow and declares no
 * outputs of its own hands on that workflow's. */
static JsonbValue *
step_output(const ArazzoRun *run, const ArazzoExpression *expression)
{
	const RunFrame *frame = run->frame;
	const PlanStep *step;
	const StepRecord *record;
	int			i;

	if (expression->slot < 0)
		return NULL;
	step = &frame->workflow->steps[expression->slot];
	record = &frame->steps[expression->slot];
	for (i = 0; i < step->output_count; i++)
	{
		if (strcmp(step->outputs[i].name, expression->field) == 0)
			return record->outputs[i];
	}
	return arazzo_value_member_cstring(record->workflow_outputs, expression->field);
}

/* Inputs and outputs of a workflow: the one at hand, those it was called
 * from, or one that is through. */
static JsonbValue *
workflow_value(const ArazzoRun *run, const ArazzoExpression *expression, bool inputs)
{
	const RunFrame *frame;
	ListCell   *cell;

	foreach(cell, run->workflows)
	{
		const WorkflowRecord *record = lfirst(cell);

		if (strcmp(record->workflow->workflow_id, expression->name) == 0)
			return arazzo_value_member_cstring(inputs ? record->inputs : record->outputs, expression->field);
	}
	for (frame = run->frame; inputs && frame; frame = frame->caller)
	{
		if (strcmp(frame->workflow->workflow_id, expression->name) == 0)
			return arazzo_value_member_cstring(frame->inputs, expression->field);
	}
	return NULL;
}

/* An operation or workflow of the source stands for its id; else a field. */
static JsonbValue *
source_field(const ArazzoRun *run, const ArazzoExpression *expression)
{
	ListCell   *cell;

	if (expression->slot == 1)
		return text_value(expression->field);
	foreach(cell, run->frame->workflow->sources)
	{
		const PlanSource *source = lfirst(cell);

		if (strcmp(source->name, expression->name) != 0)
			continue;
		if (strcmp(expression->field, "url") == 0)
			return text_value(source->url);
		if (strcmp(expression->field, "name") == 0)
			return text_value(source->name);
		if (strcmp(expression->field, "type") == 0 && source->type)
			return text_value(source->type);
	}
	return NULL;
}

static JsonbValue *
request_parameter(const ArazzoRun *run, ParameterLocation in, const char *name)
{
	ListCell   *cell;

	foreach(cell, run->exchange.parameters)
	{
		const ExchangeParameter *parameter = lfirst(cell);

		if (parameter->in == in && strcmp(parameter->name, name) == 0)
			return parameter->value;
	}
	return NULL;
}

static JsonbValue *
request_header(const ArazzoRun *run, const char *name)
{
	const ArazzoRequest *request = run->exchange.request;
	const char *value;

	if (request == NULL)
		return NULL;
	value = arazzo_header_find(request->headers, request->header_count, name, strlen(name));
	return value ? text_value(value) : NULL;
}

static JsonbValue *
request_body(const ArazzoRun *run)
{
	const ArazzoRequest *request = run->exchange.request;

	if (request == NULL || request->body == NULL)
		return NULL;
	return arazzo_deserialize_body(run->exchange.content_type, request->body, request->body_length, NULL);
}

static JsonbValue *
response_header(const ArazzoRun *run, const char *name)
{
	const ArazzoResponse *response = run->exchange.response;
	const char *value;

	if (response == NULL)
		return NULL;
	value = arazzo_header_find(response->headers, response->header_count, name, strlen(name));
	return value ? text_value(value) : NULL;
}

/* A message that does not say so itself has the type of its channel. */
static const char *
response_type(const ArazzoRun *run)
{
	const ArazzoResponse *response = run->exchange.response;
	const char *type = arazzo_header_find(response->headers, response->header_count,
										  "Content-Type", strlen("Content-Type"));
	const PlanChannel *channel = run->frame->workflow->steps[run->frame->step].channel;

	return type == NULL && channel && channel->receive ? channel->content_type : type;
}

/* Parsed when it is asked for, once for each answer. */
static JsonbValue *
response_body(ArazzoRun *run)
{
	RunExchange *exchange = &run->exchange;
	const ArazzoResponse *response = exchange->response;

	if (response == NULL || response->outcome != OUTCOME_RECEIVED)
		return NULL;
	if (!exchange->body_read)
	{
		MemoryContext old = MemoryContextSwitchTo(run->step_context);
		const char *type = response_type(run);
		char	   *warning = NULL;

		exchange->body = arazzo_deserialize_body(type, response->body, response->body_length, &warning);
		exchange->body_read = true;
		MemoryContextSwitchTo(old);
		if (warning)
			arazzo_run_warn(run, warning);
	}
	return exchange->body;
}
