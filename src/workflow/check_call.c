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
#include "workflow/compile.h"

/* Types of JSON Schema, as a set; 0 is "any". */
#define TYPE_NULL		0x01
#define TYPE_BOOLEAN	0x02
#define TYPE_INTEGER	0x04
#define TYPE_NUMBER		0x08
#define TYPE_STRING		0x10
#define TYPE_ARRAY		0x20
#define TYPE_OBJECT		0x40

/* How deep schemas and payloads are compared. */
#define MAX_LEVELS 16

/* A schema with the document its references start in. */
typedef struct PlacedSchema
{
	const ArazzoDocument *document;
	JsonbValue *schema;
} PlacedSchema;

static void check_path_variables(WorkflowCompiler *self, const ArazzoNode *node, const PlanStep *step);
static void check_required_parameters(WorkflowCompiler *self, const ArazzoNode *node, const PlanStep *step);
static bool is_connection_header(const OpenapiOperation *operation, const OpenapiParameter *parameter);
static void check_given(WorkflowCompiler *self, const ArazzoNode *list, const PlanStep *step);
static void check_parameter(WorkflowCompiler *self, const ArazzoNode *node, const PlanStep *step,
							const PlanParameter *parameter);
static const PlanParameter *find_parameter(const PlanStep *step, const ArazzoNode *node);
static const ArazzoNode *reusable(WorkflowCompiler *self, const ArazzoNode *node);
static void check_body(WorkflowCompiler *self, const ArazzoNode *node, const PlanStep *step);
static void check_payload(WorkflowCompiler *self, const ArazzoNode *node, PlacedSchema schema,
						  const ArazzoNode *replacements, int level);
static void check_members(WorkflowCompiler *self, const ArazzoNode *node, PlacedSchema schema,
						  const ArazzoNode *replacements, int level);
static bool is_replaced(const ArazzoNode *replacements, const char *name);
static bool follow(WorkflowCompiler *self, PlacedSchema *schema);
static int	schema_types(WorkflowCompiler *self, PlacedSchema schema, int level);
static int	union_types(WorkflowCompiler *self, PlacedSchema schema, const char *keyword, int level);
static int	type_named(const char *name);
static char *type_names(int types);
static int	value_types(WorkflowCompiler *self, const ArazzoNode *node, const char **input);
static int	input_types(WorkflowCompiler *self, const char *name);
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
	wanted = schema_types(self, schema, 0);
	if (given == 0 || wanted == 0 || (given & wanted) != 0 || on_the_wire(given, wanted, input ? NULL : value))
		return;
	arazzo_compile_note(self, value, "type-clash",
						input ? psprintf("input \"%s\" is %s, but parameter \"%s\" is %s",
										 input, type_names(given), declared->name, type_names(wanted)) :
						psprintf("parameter \"%s\" is %s, not %s",
								 declared->name, type_names(wanted), type_names(given)), NULL);
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
		check_payload(self, payload, schema, arazzo_node_member(body, "replacements"), 0);
}

/* Types and required members of a payload, as far as they are written out. */
static void
check_payload(WorkflowCompiler *self, const ArazzoNode *node, PlacedSchema schema,
			  const ArazzoNode *replacements, int level)
{
	const char *input = NULL;
	int			given = value_types(self, node, &input);
	int			wanted = schema_types(self, schema, 0);

	check_stack_depth();
	if (level > MAX_LEVELS)
		return;
	if (given != 0 && wanted != 0 && (given & wanted) == 0)
	{
		if (level == 0 && node->type == NODE_STRING && input == NULL)
			return;				/* a template of the whole body */
		arazzo_compile_note(self, node, "type-clash",
							input ? psprintf("input \"%s\" is %s, but the operation wants %s here",
											 input, type_names(given), type_names(wanted)) :
							psprintf("operation wants %s here, not %s", type_names(wanted), type_names(given)),
							NULL);
		return;
	}
	if (node->type == NODE_OBJECT && arazzo_node_member(node, "selector") == NULL)
		check_members(self, node, schema, replacements, level);
}

static void
check_members(WorkflowCompiler *self, const ArazzoNode *node, PlacedSchema schema,
			  const ArazzoNode *replacements, int level)
{
	JsonbValue *properties;
	JsonbValue *required;
	JsonbValue	key;
	JsonbValue	name;
	ArazzoValueWalk walk;
	int			i;

	if (!follow(self, &schema))
		return;
	properties = arazzo_value_member_cstring(schema.schema, "properties");
	required = arazzo_value_member_cstring(schema.schema, "required");
	if (arazzo_value_is_array(required))
	{
		arazzo_value_walk(&walk, required);
		while (arazzo_value_next(&walk, &key, &name))
		{
			char	   *text = arazzo_value_to_text(&name);
			PlacedSchema property = {schema.document, arazzo_value_member_cstring(properties, text)};
			JsonbValue *read_only;

			if (arazzo_node_member(node, text) || (level == 0 && is_replaced(replacements, text)))
				continue;
			read_only = follow(self, &property) ? arazzo_value_member_cstring(property.schema, "readOnly") : NULL;
			if (read_only && read_only->type == jbvBool && read_only->val.boolean)
				continue;
			arazzo_compile_note(self, node, "missing-body-member",
								psprintf("member \"%s\", which the operation requires, is not given", text), NULL);
		}
	}
	for (i = 0; i < node->count; i++)
	{
		PlacedSchema property = {schema.document, arazzo_value_member(properties, node->u.members[i].key,
																	 node->u.members[i].key_length)};

		if (property.schema)
			check_payload(self, node->u.members[i].value, property, NULL, level + 1);
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

/* Follows references; false for what is no object. */
static bool
follow(WorkflowCompiler *self, PlacedSchema *schema)
{
	ArazzoFailure *ignored = NULL;

	if (!arazzo_value_is_object(schema->schema))
		return false;
	schema->schema = arazzo_library_follow(self->compiler->library, &schema->document,
										   schema->schema, &ignored);
	return arazzo_value_is_object(schema->schema);
}

/* The types that a schema allows, "any" when it does not say. */
static int
schema_types(WorkflowCompiler *self, PlacedSchema schema, int level)
{
	JsonbValue *type;
	JsonbValue *nullable;
	JsonbValue	key;
	JsonbValue	item;
	ArazzoValueWalk walk;
	int			types = 0;

	if (level > MAX_LEVELS || !follow(self, &schema))
		return 0;
	type = arazzo_value_member_cstring(schema.schema, "type");
	if (type == NULL)
	{
		types = union_types(self, schema, "oneOf", level + 1);
		return types ? types : union_types(self, schema, "anyOf", level + 1);
	}
	if (type->type == jbvString)
		types = type_named(arazzo_value_to_text(type));
	else if (arazzo_value_is_array(type))
	{
		arazzo_value_walk(&walk, type);
		while (arazzo_value_next(&walk, &key, &item))
			types |= type_named(arazzo_value_to_text(&item));
	}
	nullable = arazzo_value_member_cstring(schema.schema, "nullable");
	if (types && nullable && nullable->type == jbvBool && nullable->val.boolean)
		types |= TYPE_NULL;
	return types;
}

/* All that the branches allow; "any" as soon as one says so. */
static int
union_types(WorkflowCompiler *self, PlacedSchema schema, const char *keyword, int level)
{
	JsonbValue *branches = arazzo_value_member_cstring(schema.schema, keyword);
	ArazzoValueWalk walk;
	JsonbValue	key;
	JsonbValue	item;
	int			types = 0;

	if (!arazzo_value_is_array(branches))
		return 0;
	arazzo_value_walk(&walk, branches);
	while (arazzo_value_next(&walk, &key, &item))
	{
		PlacedSchema branch = {schema.document, arazzo_value_copy(&item)};
		int			more = schema_types(self, branch, level);

		if (more == 0)
			return 0;
		types |= more;
	}
	return types;
}

static const struct
{
	const char *name;
	int			type;
}			type_table[] =
{
	{"null", TYPE_NULL},
	{"boolean", TYPE_BOOLEAN},
	{"integer", TYPE_INTEGER},
	{"number", TYPE_NUMBER | TYPE_INTEGER},
	{"string", TYPE_STRING},
	{"array", TYPE_ARRAY},
	{"object", TYPE_OBJECT}
};

static int
type_named(const char *name)
{
	size_t		i;

	for (i = 0; i < lengthof(type_table); i++)
	{
		if (strcmp(type_table[i].name, name) == 0)
			return type_table[i].type;
	}
	return 0;
}

static char *
type_names(int types)
{
	StringInfoData names;
	size_t		i;

	initStringInfo(&names);
	if (types & TYPE_NUMBER)
		types &= ~TYPE_INTEGER;
	for (i = 0; i < lengthof(type_table); i++)
	{
		int			type = type_table[i].type & TYPE_NUMBER ? TYPE_NUMBER : type_table[i].type;

		if (types & type)
			appendStringInfo(&names, "%s%s", names.len > 0 ? " or " : "", type_table[i].name);
	}
	return names.data;
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
	return input_types(self, expression->name);
}

static int
input_types(WorkflowCompiler *self, const char *name)
{
	PlacedSchema schema = {self->document, arazzo_value_member_cstring(self->input_properties, name)};

	return schema_types(self, schema, 0);
}
