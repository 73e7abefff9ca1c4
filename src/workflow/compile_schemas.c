/*-------------------------------------------------------------------------
 *
 * compile_schemas.c
 *	  The schemas of a step's messages, for arazzo.validate.
 *
 * They are compiled only when the setting asks for them, since descriptions
 * may hold schemas by the megabyte.  A schema that cannot be used makes no
 * workflow unusable: it is noted, and the message is not validated.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "openapi/serialize.h"
#include "support/settings.h"
#include "workflow/compile.h"

static void compile_responses(WorkflowCompiler *self, PlanStep *step, const ArazzoDocument *document);
static void compile_response(WorkflowCompiler *self, PlanStep *step, const ArazzoDocument *document,
							 const char *status, JsonbValue *response);
static ArazzoSchema *compile_message_schema(WorkflowCompiler *self, const ArazzoDocument *document,
											JsonbValue *schema, const char *what);
static bool is_old_dialect(const char *version);

void
arazzo_compile_message_schemas(WorkflowCompiler *self, PlanStep *step)
{
	const ArazzoDocument *document;

	if (arazzo_validate == VALIDATE_OFF || step->operation == NULL)
		return;
	document = arazzo_library_get(self->compiler->library, step->operation->document_uri);
	if (document == NULL)
		return;
	if (step->body && step->body->description && step->body->description->schema &&
		arazzo_media_type_is_json(step->body->content_type))
		step->body_schema = compile_message_schema(self, document, step->body->description->schema, "request body");
	compile_responses(self, step, document);
}

/* OpenAPI 3.1, Responses Object. */
static void
compile_responses(WorkflowCompiler *self, PlanStep *step, const ArazzoDocument *document)
{
	ArazzoValueWalk walk;
	JsonbValue	status;
	JsonbValue	response;

	arazzo_value_walk(&walk, step->operation->responses);
	while (arazzo_value_next(&walk, &status, &response))
		compile_response(self, step, document, arazzo_value_to_text(&status), &response);
}

static void
compile_response(WorkflowCompiler *self, PlanStep *step, const ArazzoDocument *document,
				 const char *status, JsonbValue *response)
{
	ArazzoFailure *failure = NULL;
	JsonbValue *object = arazzo_library_follow(self->compiler->library, &document, response, &failure);
	ArazzoValueWalk walk;
	JsonbValue	type;
	JsonbValue	media;

	if (object == NULL)
		return;
	arazzo_value_walk(&walk, arazzo_value_member_cstring(object, "content"));
	while (arazzo_value_next(&walk, &type, &media))
	{
		JsonbValue *schema = arazzo_value_member_cstring(&media, "schema");
		PlanResponse *planned;

		if (schema == NULL)
			continue;
		planned = palloc(sizeof(PlanResponse));
		planned->status = status;
		planned->content_type = arazzo_value_to_text(&type);
		planned->schema = compile_message_schema(self, document, schema,
												 psprintf("response %s", status));
		if (planned->schema)
			step->responses = lappend(step->responses, planned);
	}
}

static ArazzoSchema *
compile_message_schema(WorkflowCompiler *self, const ArazzoDocument *document, JsonbValue *schema, const char *what)
{
	SchemaOptions options = {SCHEMA_2020_12, true, document->base, arazzo_compile_schema_document, self->compiler};
	ArazzoFailure *failure = NULL;
	ArazzoSchema *compiled;

	if (is_old_dialect(document->version))
		options.dialect = SCHEMA_OPENAPI_3_0;
	compiled = arazzo_schema_compile(schema, document->content, &options, &failure);
	if (compiled == NULL)
		self->compiler->plan->accepted = lappend(self->compiler->plan->accepted,
												 psprintf("schema of the %s of step \"%s\" cannot be used: %s",
														  what, self->step->step_id, failure->message));
	return compiled;
}

/* OpenAPI before 3.1 has a schema dialect of its own. */
static bool
is_old_dialect(const char *version)
{
	return strncmp(version, "3.0", 3) == 0 || strncmp(version, "2.", 2) == 0;
}
