/*-------------------------------------------------------------------------
 *
 * check_call.c
 *	  Checking calls: what an operation asks for, and what a step gives it.
 *
 * Nothing here keeps a workflow from being run.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/builtins.h"

#include "document/uri.h"
#include "openapi/serialize.h"
#include "support/strings.h"
#include "workflow/compile.h"

/* How deep payloads are compared with their schemas. */
#define MAX_LEVELS 16

static void check_path_variables(WorkflowCompiler *self, const ArazzoNode *node, const PlanStep *step);
static void check_required_parameters(WorkflowCompiler *self, const ArazzoNode *node, const PlanStep *step);
static bool is_connection_header(const OpenapiOperation *operation, const OpenapiParameter *parameter);
static void check_given(WorkflowCompiler *self, const ArazzoNode *list, const PlanStep *step);
static void check_parameter(WorkflowCompiler *self, const ArazzoNode *node, const PlanStep *step,
							const PlanParameter *parameter);
static const PlanParameter *find_parameter(const PlanStep *step, const ArazzoNode *node);
static const ArazzoNode *reusable(WorkflowCompiler *self, const ArazzoNode *node);
static void check_body(WorkflowCompiler *self, const ArazzoNode *node, const PlanStep *step);
static void check_payload(WorkflowCompiler *self, const ArazzoNode *node, List *schemas,
						  const ArazzoNode *replacements, int level);
static void check_required(WorkflowCompiler *self, const ArazzoNode *node, List *parts,
						   const ArazzoNode *replacements, int level);
static bool is_read_only(WorkflowCompiler *self, List *parts, const char *name);
static void check_members(WorkflowCompiler *self, const ArazzoNode *node, List *parts, int level);
static bool is_replaced(const ArazzoNode *replacements, const char *name);
static int	value_types(WorkflowCompiler *self, const ArazzoNode *node, const char **input);
static bool on_the_wire(int given, int wanted, const ArazzoNode *value);

void
arazzo_compile_check_call(WorkflowCompiler *self, const ArazzoNode *node, const PlanStep *step)
{
	check_path_variables(self, node, step);
	check_required_parameters(self, node, step);
	check_given(self, arazzo_node_member(node, "parameters"), step);
	check_given(self, arazzo_node_member(self->node, "parameters"), step);
	check_body(self, node, step);
}

/* Every variable of the path template needs a parameter (OpenAPI 3.1, Path
 * Templating). */
static void
check_path_variables(WorkflowCompiler *self, const ArazzoNode *node, const PlanStep *step)
{
	const char *path = step->operation->path;
	const char *query = strchr(path, '?');
	const char *open;
	const char *close;

	for (open = strchr(path, '{'); open && (close = strchr(open, '}')) != NULL; open = strchr(close, '{'))
	{
		bool		given = false;
		ListCell   *cell;

		foreach(cell, step->parameters)
		{
			const OpenapiParameter *parameter = ((PlanParameter *) lfirst(cell))->parameter;

			given |= (parameter->in == IN_PATH || (query && open > query && parameter->in == IN_QUERY)) &&
				arazzo_path_variable_is(open + 1, close - open - 1, parameter->name);
		}
		if (!given)
			arazzo_compile_note(self, node, "missing-parameter",
								psprintf("path parameter \"%.*s\" of \"%s\" is not given",
										 (int) (close - open - 1), open + 1, path),
								pstrdup("Without it the step fails before anything is sent."));
	}
}

/* Parameter Object of OpenAPI, required. */
static void
check_required_parameters(WorkflowCompiler *self, const ArazzoNode *node, const PlanStep *step)
{
	ListCell   *cell;

	foreach(cell, step->operation->parameters)
	{
		const OpenapiParameter *parameter = lfirst(cell);

		if (!parameter->required || parameter->in == IN_PATH ||
			arazzo_compile_has_parameter(step, parameter->in, parameter->name) ||
			is_connection_header(step->operation, parameter))
			continue;
		arazzo_compile_note(self, node, "missing-parameter",
							psprintf("parameter \"%s\", which the operation requires, is not given",
									 parameter->name), NULL);
	}
}

/* What the connection or the transport adds: credentials, Content-Type, ... */
static bool
is_connection_header(const OpenapiOperation *operation, const OpenapiParameter *parameter)
{
	static const char *const own[] = {"Authorization", "Accept", "Content-Type", "Content-Length", "Host", "User-Agent"};
	ListCell   *alternative;
	ListCell   *cell;
	size_t		i;

	for (i = 0; parameter->in == IN_HEADER && i < lengthof(own); i++)
	{
		if (pg_strcasecmp(own[i], parameter->name) == 0)
			return true;
	}
	foreach(alternative, operation->security)
	{
		foreach(cell, ((OpenapiSecurity *) lfirst(alternative))->schemes)
		{
			const OpenapiSecurityScheme *scheme = lfirst(cell);

			if (scheme->kind == SECURITY_API_KEY && scheme->in == parameter->in &&
				pg_strcasecmp(scheme->parameter, parameter->name) == 0)
				return true;
		}
	}
	return false;
}

/* The parameters that a list of the document gives. */
static void
check_given(WorkflowCompiler *self, const ArazzoNode *list, const PlanStep *step)
{
	int			i;

	for (i = 0; list && i < list->count; i++)
	{
		const PlanParameter *parameter = find_parameter(step, reusable(self, list->u.items[i]));

		if (parameter)
			check_parameter(self, list->u.items[i], step, parameter);
	}
}

static void
check_parameter(WorkflowCompiler *self, const ArazzoNode *node, const PlanStep *step,
				const PlanParameter *parameter)
{
	const OpenapiParameter *declared = parameter->parameter;
	const ArazzoNode *value = arazzo_node_member(node, "value");
	PlacedSchema schema = {NULL, declared->schema};
	const char *input = NULL;
	int			given;
	int			wanted;

	if (arazzo_operation_parameter(step->operation, declared->in, declared->name) == NULL)
	{
		if (parameter->credential || is_connection_header(step->operation, declared) ||
			(declared->in == IN_PATH && arazzo_path_has_variable(step->operation->path, declared->name)))
			return;
		arazzo_compile_note(self, node, "unknown-parameter",
							psprintf("operation knows no parameter \"%s\"", declared->name),
							pstrdup(declared->in == IN_PATH ? "The path has no such variable, so the step fails before anything is sent." :
									"It is sent as written."));
		return;
	}
	if (value == NULL)
		value = arazzo_node_member(reusable(self, node), "value");
	schema.document = arazzo_library_get(self->compiler->library, step->operation->document_uri);
	if (value == NULL || declared->schema == NULL || schema.document == NULL)
		return;
	given = value_types(self, value, &input);
	wanted = arazzo_placed_types(self->compiler->library, list_make1(&schema));
	if (given == 0 || wanted == 0 || (given & wanted) != 0 || on_the_wire(given, wanted, input ? NULL : value))
		return;
	arazzo_compile_note(self, value, "type-clash",
						input ? psprintf("input \"%s\" is %s, but parameter \"%s\" is %s",
										 input, arazzo_placed_type_names(given), declared->name, arazzo_placed_type_names(wanted)) :
						psprintf("parameter \"%s\" is %s, not %s",
								 declared->name, arazzo_placed_type_names(wanted), arazzo_placed_type_names(given)), NULL);
}

/* As URL text, numbers and booleans are strings, and constants of either
 * spelling are the same. */
static bool
on_the_wire(int given, int wanted, const ArazzoNode *value)
{
	if ((wanted & TYPE_STRING) && (given & (TYPE_BOOLEAN | TYPE_INTEGER | TYPE_NUMBER)))
		return true;
	if (value == NULL || value->type != NODE_STRING)
		return false;
	if (wanted & TYPE_BOOLEAN)
		return strcmp(value->u.string, "true") == 0 || strcmp(value->u.string, "false") == 0;
	return (wanted & (TYPE_INTEGER | TYPE_NUMBER)) &&
		strspn(value->u.string, "0123456789.-+eE") == (size_t) value->count;
}

/* The compiled parameter of a Parameter Object, references followed. */
static const PlanParameter *
find_parameter(const PlanStep *step, const ArazzoNode *node)
{
	static const char *const places[] = {"path", "query", "querystring", "header", "cookie"};
	const char *name = arazzo_node_member_text(node, "name");
	const char *in = arazzo_node_member_text(node, "in");
	ListCell   *cell;

	foreach(cell, name ? step->parameters : NIL)
	{
		const PlanParameter *parameter = lfirst(cell);

		if (strcmp(parameter->parameter->name, name) == 0 &&
			(in == NULL || strcmp(places[parameter->parameter->in], in) == 0))
			return parameter;
	}
	return NULL;
}

/* What a Reusable Object names; said already when it names nothing. */
static const ArazzoNode *
reusable(WorkflowCompiler *self, const ArazzoNode *node)
{
	const ArazzoNode *found;
	bool		muted = self->compiler->report->muted;

	self->compiler->report->muted = true;
	found = arazzo_compile_reusable(self, node, "parameters");
	self->compiler->report->muted = muted;
	return found ? found : node;
}

static void
check_body(WorkflowCompiler *self, const ArazzoNode *node, const PlanStep *step)
{
	const ArazzoNode *body = arazzo_node_member(node, "requestBody");
	const ArazzoNode *payload = arazzo_node_member(body, "payload");
	PlacedSchema schema;

	if (step->body == NULL)
	{
		if (step->operation->body_required)
			arazzo_compile_note(self, node, "missing-body",
								pstrdup("operation requires a body, but the step has no \"requestBody\""), NULL);
		return;
	}
	if (step->operation->bodies == NIL)
	{
		arazzo_compile_note(self, body, "unknown-body",
							pstrdup("operation knows no request body"),
							pstrdup("It is sent as written."));
		return;
	}
	if (step->body->description == NULL)
	{
		arazzo_compile_note(self, body, "unknown-content-type",
							psprintf("operation knows no body of type \"%s\"", step->body->content_type),
							pstrdup("It is sent as written."));
		return;
	}
	schema.document = arazzo_library_get(self->compiler->library, step->operation->document_uri);
	schema.schema = step->body->description->schema;
	if (payload && schema.document && schema.schema)
		check_payload(self, payload, list_make1(&schema), arazzo_node_member(body, "replacements"), 0);
}

/* Types and required members of a payload, as far as they are written out;
 * all the schemas must hold. */
static void
check_payload(WorkflowCompiler *self, const ArazzoNode *node, List *schemas,
			  const ArazzoNode *replacements, int level)
{
	const char *input = NULL;
	int			given = value_types(self, node, &input);
	int			wanted = arazzo_placed_types(self->compiler->library, schemas);
	List	   *parts = NIL;
	ListCell   *cell;

	check_stack_depth();
	if (level > MAX_LEVELS)
		return;
	if (given != 0 && wanted != 0 && (given & wanted) == 0)
	{
		if (level == 0 && node->type == NODE_STRING && input == NULL)
			return;				/* a template of the whole body */
		arazzo_compile_note(self, node, "type-clash",
							input ? psprintf("input \"%s\" is %s, but the operation wants %s here",
											 input, arazzo_placed_type_names(given), arazzo_placed_type_names(wanted)) :
							psprintf("operation wants %s here, not %s", arazzo_placed_type_names(wanted),
									 arazzo_placed_type_names(given)),
							NULL);
		return;
	}
	if (node->type != NODE_OBJECT || arazzo_node_member(node, "selector") != NULL)
		return;
	foreach(cell, schemas)
		parts = list_concat(parts, arazzo_placed_parts(self->compiler->library, *(PlacedSchema *) lfirst(cell)));
	check_required(self, node, parts, replacements, level);
	check_members(self, node, parts, level);
}

/* Members that the parts of a schema require, each said once. */
static void
check_required(WorkflowCompiler *self, const ArazzoNode *node, List *parts,
			   const ArazzoNode *replacements, int level)
{
	List	   *said = NIL;
	ListCell   *cell;

	foreach(cell, parts)
	{
		JsonbValue *required = arazzo_value_member_cstring(((PlacedSchema *) lfirst(cell))->schema, "required");
		ArazzoValueWalk walk;
		JsonbValue	key;
		JsonbValue	name;

		if (!arazzo_value_is_array(required))
			continue;
		arazzo_value_walk(&walk, required);
		while (arazzo_value_next(&walk, &key, &name))
		{
			char	   *text = arazzo_value_to_text(&name);

			if (arazzo_node_member(node, text) || (level == 0 && is_replaced(replacements, text)) ||
				arazzo_strings_contain(said, text) || is_read_only(self, parts, text))
				continue;
			said = lappend(said, text);
			arazzo_compile_note(self, node, "missing-body-member",
								psprintf("member \"%s\", which the operation requires, is not given", text), NULL);
		}
	}
}

/* Schema Object of OpenAPI, readOnly: required in answers only. */
static bool
is_read_only(WorkflowCompiler *self, List *parts, const char *name)
{
	ListCell   *cell;

	foreach(cell, arazzo_placed_member(self->compiler->library, parts, name, strlen(name)))
	{
		PlacedSchema *member = lfirst(cell);
		JsonbValue *read_only = arazzo_placed_follow(self->compiler->library, member) ?
			arazzo_value_member_cstring(member->schema, "readOnly") : NULL;

		if (read_only && read_only->type == jbvBool && read_only->val.boolean)
			return true;
	}
	return false;
}

static void
check_members(WorkflowCompiler *self, const ArazzoNode *node, List *parts, int level)
{
	int			i;

	for (i = 0; i < node->count; i++)
	{
		List	   *schemas = arazzo_placed_member(self->compiler->library, parts, node->u.members[i].key,
												   node->u.members[i].key_length);

		if (schemas)
			check_payload(self, node->u.members[i].value, schemas, NULL, level + 1);
	}
}

/* Does a replacement put a member of the payload in place? */
static bool
is_replaced(const ArazzoNode *replacements, const char *name)
{
	int			i;

	for (i = 0; replacements && i < replacements->count; i++)
	{
		const char *target = arazzo_node_member_text(replacements->u.items[i], "target");
		size_t		length = strlen(name);

		while (target && (*target == '/' || *target == '$' || *target == '.'))
			target++;
		if (target && strncmp(target, name, length) == 0 && strchr("/.[", target[length]) != NULL)
			return true;
	}
	return false;
}

/* The type of a value in the document; *input is the input that it is. */
static int
value_types(WorkflowCompiler *self, const ArazzoNode *node, const char **input)
{
	ExpressionScope quiet = self->scope;
	ArazzoFailure *ignored = NULL;
	const ArazzoExpression *expression;
	ArazzoTemplate *template;

	switch (node->type)
	{
		case NODE_NULL:
			return TYPE_NULL;
		case NODE_BOOLEAN:
			return TYPE_BOOLEAN;
		case NODE_NUMBER:
			return TYPE_NUMBER | TYPE_INTEGER;
		case NODE_ARRAY:
			return TYPE_ARRAY;
		case NODE_OBJECT:
			return arazzo_node_member(node, "selector") ? 0 : TYPE_OBJECT;
		default:
			break;
	}
	quiet.accepted = NULL;
	quiet.parsed = NULL;
	template = arazzo_template_compile(node, &quiet, &ignored);
	if (template == NULL)
		return 0;
	expression = arazzo_template_expression(template);
	if (expression == NULL)
		return arazzo_template_is_text(template) ? TYPE_STRING : 0;
	if (expression->root != ROOT_INPUTS || expression->pointer_count > 0 || expression->access_count > 0)
		return 0;
	*input = expression->name;
	return arazzo_placed_types(self->compiler->library,
							   arazzo_compile_input(self, expression->name, strlen(expression->name)));
}
