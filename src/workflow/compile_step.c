/*-------------------------------------------------------------------------
 *
 * compile_step.c
 *	  Step Objects: target, parameters, request body, outputs.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "document/uri.h"
#include "openapi/media_type.h"
#include "openapi/serialize.h"
#include "utils/numeric.h"
#include "utils/builtins.h"
#include "workflow/compile.h"

static bool compile_target(WorkflowCompiler *self, const ArazzoNode *node, PlanStep *step);
static bool compile_parameters(WorkflowCompiler *self, const ArazzoNode *list, PlanStep *step);
static bool compile_parameter(WorkflowCompiler *self, const ArazzoNode *node, PlanStep *step);
static bool parameter_location(WorkflowCompiler *self, const ArazzoNode *node,
							   const OpenapiOperation *operation, const char *name,
							   ParameterLocation *in);
static const ArazzoNode *parameter_value(const ArazzoNode *node, const ArazzoNode *resolved);
static bool is_credential(const PlanStep *step, const PlanParameter *parameter, List *inputs_used);
static void note_credential_inputs(WorkflowCompiler *self, PlanParameter *parameter);
static bool compile_call(WorkflowCompiler *self, const ArazzoNode *node, PlanStep *step);
static void check_values(WorkflowCompiler *self, const ArazzoNode *node);
static bool compile_body(WorkflowCompiler *self, const ArazzoNode *node, PlanStep *step);
static bool compile_replacement(WorkflowCompiler *self, const ArazzoNode *node, PlanBody *body);
static bool compile_timeout(const ArazzoNode *node, PlanStep *step);

bool
arazzo_compile_step(WorkflowCompiler *self, const ArazzoNode *node, PlanStep *step)
{
	bool		good;

	self->part = PART_REQUEST;
	good = arazzo_compile_depends_on(self, node, step);
	good &= compile_target(self, node, step);
	if (good && step->channel == NULL)
		arazzo_compile_message_schemas(self, step);
	self->part = PART_RESPONSE;
	good &= arazzo_compile_criteria(self, arazzo_node_member(node, "successCriteria"), &step->criteria);
	good &= arazzo_compile_actions(self, arazzo_node_member(node, "onSuccess"),
								   arazzo_node_member(self->node, "successActions"),
								   "successActions", &step->on_success);
	good &= arazzo_compile_actions(self, arazzo_node_member(node, "onFailure"),
								   arazzo_node_member(self->node, "failureActions"),
								   "failureActions", &step->on_failure);
	good &= compile_timeout(node, step);
	good &= arazzo_compile_outputs(self, arazzo_node_member(node, "outputs"),
								   &step->outputs, &step->output_count);
	self->part = PART_WORKFLOW;
	return good;
}

/* What the step calls, and what it hands over. */
static bool
compile_target(WorkflowCompiler *self, const ArazzoNode *node, PlanStep *step)
{
	const ArazzoNode *workflow = arazzo_node_member(node, "workflowId");

	if (workflow)
	{
		bool		good;

		step->workflow = arazzo_compile_workflow_reference(self, workflow);
		good = arazzo_compile_inputs(self, arazzo_node_member(node, "parameters"),
									 arazzo_node_member(self->node, "parameters"), &step->inputs);
		return step->workflow != NULL && good;
	}
	if (arazzo_compile_channel(self, node, step) && step->channel == NULL)
		step->operation = arazzo_compile_operation(self, node);
	if (step->operation == NULL)
	{
		if (self->compiler->report)
			check_values(self, node);
		return false;
	}
	return compile_call(self, node, step);
}

/* Parameters and body of an operation. */
static bool
compile_call(WorkflowCompiler *self, const ArazzoNode *node, PlanStep *step)
{
	bool		good = compile_parameters(self, arazzo_node_member(node, "parameters"), step);

	good &= compile_parameters(self, arazzo_node_member(self->node, "parameters"), step);
	good &= compile_body(self, arazzo_node_member(node, "requestBody"), step);
	if (self->compiler->report && good && step->channel == NULL)
		arazzo_compile_check_call(self, node, step);
	return good;
}

/* Checking: the values of a call whose operation is not known. */
static void
check_values(WorkflowCompiler *self, const ArazzoNode *node)
{
	const ArazzoNode *body = arazzo_node_member(node, "requestBody");
	const ArazzoNode *replacements = arazzo_node_member(body, "replacements");
	List	   *ignored = NIL;
	int			i;

	(void) arazzo_compile_inputs(self, arazzo_node_member(node, "parameters"),
								 arazzo_node_member(self->node, "parameters"), &ignored);
	if (arazzo_node_member(body, "payload"))
		(void) arazzo_compile_template(self, arazzo_node_member(body, "payload"));
	for (i = 0; replacements && i < replacements->count; i++)
		(void) arazzo_compile_template(self, arazzo_node_member(replacements->u.items[i], "value"));
}

/* A list of parameters; those of the step come before the workflow's. */
static bool
compile_parameters(WorkflowCompiler *self, const ArazzoNode *list, PlanStep *step)
{
	bool		good = true;
	int			i;

	for (i = 0; list && i < list->count; i++)
		good &= compile_parameter(self, list->u.items[i], step);
	return good;
}

/* Parameter Object, or a Reusable Object that names one. */
static bool
compile_parameter(WorkflowCompiler *self, const ArazzoNode *node, PlanStep *step)
{
	const ArazzoNode *resolved = arazzo_compile_reusable(self, node, "parameters");
	const OpenapiParameter *declared;
	PlanParameter *parameter;
	ParameterLocation in;
	const char *name;

	if (resolved == NULL)
		return false;
	name = arazzo_node_member_text(resolved, "name");
	if (!parameter_location(self, resolved, step->operation, name, &in))
		return false;
	if (arazzo_compile_has_parameter(step, in, name))
		return true;
	declared = arazzo_operation_parameter(step->operation, in, name);
	parameter = palloc0(sizeof(PlanParameter));
	parameter->parameter = declared ? declared : arazzo_serialize_undeclared(in, pstrdup(name));
	self->inputs_used = NIL;
	parameter->value = arazzo_compile_template(self, parameter_value(node, resolved));
	if (parameter->value == NULL)
		return false;
	parameter->credential = is_credential(step, parameter, self->inputs_used);
	if (parameter->credential)
		note_credential_inputs(self, parameter);
	step->parameters = lappend(step->parameters, parameter);
	return true;
}

/* Reusable Object, value: takes the place of the referenced one's. */
static const ArazzoNode *
parameter_value(const ArazzoNode *node, const ArazzoNode *resolved)
{
	const ArazzoNode *value = node != resolved ? arazzo_node_member(node, "value") : NULL;

	return value ? value : arazzo_node_member(resolved, "value");
}

/* Where a parameter goes: "in", or the one place where the operation has a
 * parameter of that name. */
static bool
parameter_location(WorkflowCompiler *self, const ArazzoNode *node,
				   const OpenapiOperation *operation, const char *name, ParameterLocation *in)
{
	static const struct
	{
		const char *word;
		ParameterLocation in;
	}			places[] =
	{
		{"path", IN_PATH}, {"query", IN_QUERY}, {"querystring", IN_QUERYSTRING},
		{"header", IN_HEADER}, {"cookie", IN_COOKIE}
	};
	const char *text = arazzo_node_member_text(node, "in");
	int			found = 0;
	size_t		i;

	for (i = 0; i < lengthof(places); i++)
	{
		if (text ? strcmp(places[i].word, text) == 0 :
			arazzo_operation_parameter(operation, places[i].in, name) != NULL)
		{
			*in = places[i].in;
			found++;
		}
	}
	if (found != 1)
		arazzo_compile_fail(self, node,
							arazzo_failure_make(ERRCODE_ARAZZO_DOCUMENT,
												"parameter \"%s\" has no \"in\"", name));
	return found == 1;
}

bool
arazzo_compile_has_parameter(const PlanStep *step, ParameterLocation in, const char *name)
{
	ListCell   *cell;

	foreach(cell, step->parameters)
	{
		PlanParameter *parameter = lfirst(cell);

		if (parameter->parameter->in == in &&
			(in == IN_HEADER ? pg_strcasecmp(parameter->parameter->name, name) :
			 strcmp(parameter->parameter->name, name)) == 0)
			return true;
	}
	return false;
}

/*
 * Is this the security scheme's own parameter, fed by inputs?  That of an
 * apiKey scheme, or the Authorization header of an http or OAuth one.
 */
static bool
is_credential(const PlanStep *step, const PlanParameter *parameter, List *inputs_used)
{
	const OpenapiParameter *place = parameter->parameter;
	ListCell   *alternative;
	ListCell   *cell;

	if (inputs_used == NIL)
		return false;
	foreach(alternative, step->operation->security)
	{
		const OpenapiSecurity *security = lfirst(alternative);

		foreach(cell, security->schemes)
		{
			const OpenapiSecurityScheme *scheme = lfirst(cell);

			if (scheme->kind == SECURITY_API_KEY)
			{
				if (scheme->in == place->in &&
					(place->in == IN_HEADER ? pg_strcasecmp(scheme->parameter, place->name) :
					 strcmp(scheme->parameter, place->name)) == 0)
					return true;
			}
			else if (scheme->kind != SECURITY_MUTUAL_TLS && place->in == IN_HEADER &&
					 pg_strcasecmp(place->name, "Authorization") == 0)
				return true;
		}
	}
	return false;
}

static void
note_credential_inputs(WorkflowCompiler *self, PlanParameter *parameter)
{
	self->workflow->credential_inputs = list_concat(self->workflow->credential_inputs,
													self->inputs_used);
	self->inputs_used = NIL;
}

/* Request Body Object. */
static bool
compile_body(WorkflowCompiler *self, const ArazzoNode *node, PlanStep *step)
{
	const char *content_type;
	const ArazzoNode *payload;
	const ArazzoNode *replacements;
	PlanBody   *body;
	bool		good = true;
	int			i;

	if (node == NULL)
		return true;
	content_type = arazzo_node_member_text(node, "contentType");
	payload = arazzo_node_member(node, "payload");
	body = palloc0(sizeof(PlanBody));
	body->description = arazzo_operation_body(step->operation, content_type);
	if (content_type)
		body->content_type = pstrdup(content_type);
	else
		body->content_type = body->description ? body->description->content_type : "application/json";
	if (payload)
	{
		body->payload = arazzo_compile_template(self, payload);
		if (body->payload == NULL)
			good = false;
		body->json = body->payload && arazzo_media_type_is_json(body->content_type) &&
			!arazzo_template_is_text(body->payload);
		if (!body->json)
			body->order = arazzo_node_copy(payload);
	}
	replacements = arazzo_node_member(node, "replacements");
	for (i = 0; replacements && i < replacements->count; i++)
		good &= compile_replacement(self, replacements->u.items[i], body);
	step->body = body;
	return good;
}

/* Payload Replacement Object. */
static bool
compile_replacement(WorkflowCompiler *self, const ArazzoNode *node, PlanBody *body)
{
	PlanReplacement *replacement = palloc0(sizeof(PlanReplacement));
	ArazzoFailure *failure = NULL;

	replacement->target = arazzo_target_compile(node, arazzo_media_type_is_xml(body->content_type),
												&self->scope, &failure);
	if (replacement->target == NULL)
	{
		arazzo_compile_fail(self, node, failure);
		return false;
	}
	replacement->value = arazzo_compile_template(self, arazzo_node_member(node, "value"));
	body->replacements = lappend(body->replacements, replacement);
	return replacement->value != NULL;
}

/* Step Object, timeout (1.1.0): milliseconds. */
static bool
compile_timeout(const ArazzoNode *node, PlanStep *step)
{
	const ArazzoNode *timeout = arazzo_node_member(node, "timeout");

	if (timeout && timeout->type == NODE_NUMBER)
	{
		bool		overflow = false;

		step->timeout = numeric_int4_opt_error(timeout->u.number, &overflow);
		if (overflow)
			step->timeout = PG_INT32_MAX;
	}
	return true;
}
