/*-------------------------------------------------------------------------
 *
 * request.c
 *	  The request of a step: URL, headers and body from its parameters and
 *	  payload.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "openapi/serialize.h"
#include "run/internal.h"

#define ACCEPT "application/json, */*;q=0.8"
#define USER_AGENT "amberflo_arazzo"

/* A request in the making, in the step's context. */
typedef struct Builder
{
	ArazzoRun  *run;
	const PlanStep *step;
	ArazzoRequest *request;
	int			header_room;
	StringInfoData query;
	StringInfoData querystring;
	StringInfoData cookies;
	ArazzoFailure *failure;
} Builder;

static bool evaluate_parameters(Builder *builder);
static bool evaluate_parameter(Builder *builder, const PlanParameter *parameter);
static JsonbValue *evaluate_value(ArazzoRun *run, const PlanParameter *parameter, ArazzoFailure **failure);
static bool add_value(Builder *builder, const PlanParameter *parameter, const JsonbValue *value);
static bool add_header_parameter(Builder *builder, const PlanParameter *parameter, const JsonbValue *value);
static void add_header(Builder *builder, const char *name, const char *value, bool secret);
static void default_header(Builder *builder, const char *name, const char *value);
static bool is_plain_message(const PlanStep *step);
static bool build_url(Builder *builder);
static bool append_path(Builder *builder, StringInfo url);
static bool append_variable(Builder *builder, StringInfo url, ParameterLocation in,
							const char *variable, int length);
static bool append_segments(Builder *builder, StringInfo url, const OpenapiParameter *parameter,
							const JsonbValue *value);
static bool build_body(Builder *builder);
static bool build_json(Builder *builder, const PlanBody *body, StringInfo out, bool *present);
static bool build_other(Builder *builder, const PlanBody *body, StringInfo out,
						bool *present, const char **type);
static JsonbValue *payload_value(Builder *builder, const PlanBody *body);
static JsonbValue *template_json(Builder *builder, const PlanBody *body, JsonbValue *payload);

ArazzoFailure *
arazzo_run_build_request(ArazzoRun *run, const PlanStep *step)
{
	MemoryContext old = MemoryContextSwitchTo(run->step_context);
	Builder		builder = {.run = run,.step = step};
	bool		built;

	builder.header_room = list_length(step->parameters) + 6;
	builder.request = palloc0(sizeof(ArazzoRequest));
	builder.request->headers = palloc0(sizeof(ArazzoHeader) * builder.header_room);
	builder.request->method = step->operation->method;
	initStringInfo(&builder.query);
	initStringInfo(&builder.querystring);
	initStringInfo(&builder.cookies);
	run->exchange.request = NULL;
	built = evaluate_parameters(&builder) && build_url(&builder) && build_body(&builder);
	MemoryContextSwitchTo(old);
	if (!built)
		return arazzo_failure_copy(builder.failure);
	run->exchange.request = builder.request;
	return NULL;
}

/* What the step at hand has asked for, and was told, stays as it is. */
char *
arazzo_run_channel(ArazzoRun *run, const PlanStep *step)
{
	const PlanWorkflow *workflow = run->frame->workflow;
	RunExchange exchange = run->exchange;
	char	   *channel = NULL;

	if (strchr(step->operation->path, '{') == NULL)
		return pstrdup(step->operation->path);
	if (step < workflow->steps || step >= workflow->steps + workflow->step_count)
		return NULL;
	memset(&run->exchange, 0, sizeof(run->exchange));
	if (arazzo_run_build_request(run, step) == NULL)
		channel = pstrdup(run->exchange.request->url);
	run->exchange = exchange;
	return channel;
}

static bool
evaluate_parameters(Builder *builder)
{
	ListCell   *cell;

	foreach(cell, builder->step->parameters)
	{
		if (!evaluate_parameter(builder, lfirst(cell)))
			return false;
	}
	if (builder->cookies.len > 0)
		add_header(builder, "Cookie", builder->cookies.data, true);
	return true;
}

/*
 * A parameter's value.  An optional input that was not given leaves an
 * optional parameter out; a credential that was not given is left to the
 * connection.
 */
static bool
evaluate_parameter(Builder *builder, const PlanParameter *parameter)
{
	ArazzoRun  *run = builder->run;
	ArazzoFailure *failure = NULL;
	ExchangeParameter *kept;
	JsonbValue *value;

	value = evaluate_value(run, parameter, &failure);
	if (value == NULL && parameter->credential)
		return true;
	if (value == NULL && failure == NULL &&
		(parameter->parameter->in == IN_PATH || parameter->parameter->required))
		failure = arazzo_failure_make(ERRCODE_ARAZZO_EXPRESSION,
									  "required parameter \"%s\" has no value", parameter->parameter->name);
	if (failure)
	{
		builder->failure = failure;
		return false;
	}
	if (value == NULL)
		return true;
	kept = palloc(sizeof(ExchangeParameter));
	kept->in = parameter->parameter->in;
	kept->name = parameter->parameter->name;
	kept->value = value;
	run->exchange.parameters = lappend(run->exchange.parameters, kept);
	if (parameter->credential)
		run->exchange.credential_given = true;
	return add_value(builder, parameter, value);
}

/* A credential that was not given is the connection's also when a request is
 * only explained: no expression stands for it. */
static JsonbValue *
evaluate_value(ArazzoRun *run, const PlanParameter *parameter, ArazzoFailure **failure)
{
	ExpressionEnvironment environment = run->environment;

	if (parameter->credential)
		environment.symbolic = false;
	return arazzo_template_evaluate(parameter->value, &environment, failure);
}

static bool
add_value(Builder *builder, const PlanParameter *parameter, const JsonbValue *value)
{
	switch (parameter->parameter->in)
	{
		case IN_QUERY:
			if (strchr(builder->step->operation->path, '?') &&
				arazzo_path_has_variable(strchr(builder->step->operation->path, '?'), parameter->parameter->name))
				return true;
			return arazzo_serialize_query(&builder->query, parameter->parameter, value, &builder->failure);
		case IN_QUERYSTRING:
			return arazzo_serialize_query(&builder->querystring, parameter->parameter, value, &builder->failure);
		case IN_COOKIE:
			return arazzo_serialize_cookie(&builder->cookies, parameter->parameter, value, &builder->failure);
		case IN_HEADER:
			return add_header_parameter(builder, parameter, value);
		case IN_PATH:
			if (arazzo_path_has_variable(builder->step->operation->path, parameter->parameter->name))
				return true;
			builder->failure = arazzo_failure_make(ERRCODE_ARAZZO_DOCUMENT,
												   "path \"%s\" has no variable \"%s\"",
												   builder->step->operation->path, parameter->parameter->name);
			return false;
	}
	return true;
}

static bool
add_header_parameter(Builder *builder, const PlanParameter *parameter, const JsonbValue *value)
{
	StringInfoData text;

	initStringInfo(&text);
	if (!arazzo_serialize_header(&text, parameter->parameter, value, &builder->failure))
		return false;
	add_header(builder, parameter->parameter->name, text.data, parameter->credential);
	return true;
}

static void
add_header(Builder *builder, const char *name, const char *value, bool secret)
{
	ArazzoHeader *header = &builder->request->headers[builder->request->header_count++];

	Assert(builder->request->header_count <= builder->header_room);
	header->name = name;
	header->value = value;
	header->secret = secret;
}

/* A header that is sent unless a parameter has set it. */
static void
default_header(Builder *builder, const char *name, const char *value)
{
	if (arazzo_header_find(builder->request->headers, builder->request->header_count,
						   name, strlen(name)) == NULL)
		add_header(builder, name, value, false);
}

/* A message that is no HTTP request: its URL is the channel's address, and
 * only the document's own headers go with it. */
static bool
is_plain_message(const PlanStep *step)
{
	return step->channel != NULL && (step->channel->receive || step->channel->protocol != PROTOCOL_HTTP);
}

static bool
build_url(Builder *builder)
{
	const OpenapiOperation *operation = builder->step->operation;
	StringInfoData url;

	if (is_plain_message(builder->step))
	{
		initStringInfo(&url);
		if (!append_path(builder, &url))
			return false;
		builder->request->url = url.data;
		return true;
	}
	if (operation->server_url[0] == '\0')
	{
		builder->failure = arazzo_failure_make(ERRCODE_ARAZZO_REFERENCE,
											   "description \"%s\" names no server with an absolute URL",
											   operation->document_uri);
		return false;
	}
	initStringInfo(&url);
	appendStringInfoString(&url, operation->server_url);
	if (!append_path(builder, &url))
		return false;
	if (builder->query.len > 0 || builder->querystring.len > 0)
		appendStringInfo(&url, "%c%s%s%s", strchr(operation->path, '?') ? '&' : '?', builder->query.data,
						 builder->query.len > 0 && builder->querystring.len > 0 ? "&" : "",
						 builder->querystring.data);
	builder->request->url = url.data;
	return true;
}

/*
 * The path with the variables of its template filled in.  Descriptions have
 * paths with a query in them; its variables are parameters of the query.
 */
static bool
append_path(Builder *builder, StringInfo url)
{
	const char *path = builder->step->operation->path;
	const char *query = strchr(path, '?');
	const char *open;

	while ((open = strchr(path, '{')) != NULL && strchr(open, '}') != NULL)
	{
		const char *close = strchr(open, '}');
		ParameterLocation in = query && open > query ? IN_QUERY : IN_PATH;

		appendBinaryStringInfo(url, path, open - path);
		if (!append_variable(builder, url, in, open + 1, close - open - 1))
			return false;
		path = close + 1;
	}
	appendStringInfoString(url, path);
	return true;
}

/* The value of a variable; without one there is no URL. */
static bool
append_variable(Builder *builder, StringInfo url, ParameterLocation in, const char *variable, int length)
{
	ListCell   *cell;

	foreach(cell, builder->step->parameters)
	{
		const PlanParameter *parameter = lfirst(cell);
		const char *name = parameter->parameter->name;
		ListCell   *evaluated;

		if ((parameter->parameter->in != in && parameter->parameter->in != IN_PATH) ||
			!arazzo_path_variable_is(variable, length, name))
			continue;
		foreach(evaluated, builder->run->exchange.parameters)
		{
			const ExchangeParameter *value = lfirst(evaluated);

			if (value->in != parameter->parameter->in || value->name != name)
				continue;
			if (is_plain_message(builder->step))
			{
				arazzo_value_append_text(url, value->value);
				return true;
			}
			if (variable[0] == '+' && name[0] != '+')
				return append_segments(builder, url, parameter->parameter, value->value);
			return arazzo_serialize_path(url, in == IN_PATH ? parameter->parameter :
										 arazzo_serialize_undeclared(IN_PATH, name),
										 value->value, &builder->failure);
		}
	}
	builder->failure = arazzo_failure_make(ERRCODE_ARAZZO_EXPRESSION,
										   "path parameter \"%.*s\" of \"%s\" has no value",
										   length, variable, builder->step->operation->path);
	return false;
}

/* "{+name}" (RFC 6570, 3.2.3): the value is several segments of the path,
 * each of which stays one. */
static bool
append_segments(Builder *builder, StringInfo url, const OpenapiParameter *parameter, const JsonbValue *value)
{
	char	   *segment = arazzo_value_to_text(value);

	for (;;)
	{
		char	   *slash = strchr(segment, '/');

		if (slash)
			*slash = '\0';
		if (!arazzo_serialize_path(url, parameter, arazzo_value_cstring(segment), &builder->failure))
			return false;
		if (slash == NULL)
			return true;
		appendStringInfoChar(url, '/');
		segment = slash + 1;
	}
}

/* Request Body Object. */
static bool
build_body(Builder *builder)
{
	const PlanBody *body = builder->step->body;
	StringInfoData out;
	const char *type;
	bool		present = false;

	if (!is_plain_message(builder->step))
	{
		default_header(builder, "Accept", ACCEPT);
		default_header(builder, "User-Agent", USER_AGENT);
	}
	if (body == NULL)
		return true;
	initStringInfo(&out);
	type = body->content_type;
	if (body->json && body->replacements == NIL)
	{
		if (!build_json(builder, body, &out, &present))
			return false;
	}
	else if (!build_other(builder, body, &out, &present, &type))
		return false;
	if (!present)
		return true;
	if (!is_plain_message(builder->step))
		default_header(builder, "Content-Type", type);
	builder->request->body = out.data;
	builder->request->body_length = out.len;
	builder->run->exchange.content_type = type;
	return true;
}

/* JSON, written straight from the template in the document's order. */
static bool
build_json(Builder *builder, const PlanBody *body, StringInfo out, bool *present)
{
	if (body->payload == NULL)
		return true;
	*present = arazzo_template_append_json(body->payload, &builder->run->environment,
										   out, &builder->failure);
	return builder->failure == NULL;
}

/*
 * Everything else: the payload as a value, then by media type.  A string
 * payload with a JSON type is a template whose text is sent as it is.
 */
static bool
build_other(Builder *builder, const PlanBody *body, StringInfo out, bool *present, const char **type)
{
	JsonbValue *payload = payload_value(builder, body);

	if (payload == NULL)
		return builder->failure == NULL;
	*present = true;
	if (payload->type == jbvString && body->payload && arazzo_template_is_text(body->payload) &&
		arazzo_media_type_is_json(body->content_type))
	{
		appendBinaryStringInfo(out, payload->val.string.val, payload->val.string.len);
		return true;
	}
	return arazzo_serialize_body(out, body->content_type, body->description, payload,
								 body->order, type, &builder->failure);
}

/* The payload with its replacements made (Payload Replacement Object). */
static JsonbValue *
payload_value(Builder *builder, const PlanBody *body)
{
	const ExpressionEnvironment *environment = &builder->run->environment;
	JsonbValue *payload = NULL;
	ListCell   *cell;

	if (body->payload)
		payload = arazzo_template_evaluate(body->payload, environment, &builder->failure);
	foreach(cell, body->replacements)
	{
		const PlanReplacement *replacement = lfirst(cell);
		JsonbValue *value;

		if (builder->failure)
			return NULL;
		value = arazzo_template_evaluate(replacement->value, environment, &builder->failure);
		if (value == NULL)
			continue;			/* an input that was not given, or a failure */
		if (arazzo_target_is_json(replacement->target))
			payload = template_json(builder, body, payload);
		if (builder->failure == NULL)
			payload = arazzo_target_replace(replacement->target, payload, value, &builder->failure);
	}
	return builder->failure ? NULL : payload;
}

/* A string payload of a JSON type is JSON text: what a pointer leads into is
 * the value it stands for. */
static JsonbValue *
template_json(Builder *builder, const PlanBody *body, JsonbValue *payload)
{
	if (payload == NULL || payload->type != jbvString || !arazzo_media_type_is_json(body->content_type) ||
		!arazzo_template_is_text(body->payload))
		return payload;
	return arazzo_value_parse_json(payload->val.string.val, payload->val.string.len, &builder->failure);
}
