/*-------------------------------------------------------------------------
 *
 * structure.c
 *	  The structure of Arazzo documents, by tables.
 *
 * Each object of the specification is a table of its fields; one walk
 * applies them.  What a table cannot say (fields that exclude each other,
 * unique ids) is a function beside the table.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"

#include "document/uri.h"
#include "openapi/operation.h"
#include "support/strings.h"
#include "workflow/structure.h"

typedef struct ObjectRule ObjectRule;

typedef enum FieldType
{
	FIELD_ANY,
	FIELD_STRING,
	FIELD_NUMBER,				/* not negative */
	FIELD_INTEGER,				/* not negative */
	FIELD_SCHEMA,				/* object or boolean */
	FIELD_OBJECT,				/* by rule */
	FIELD_STRING_OR_OBJECT,		/* a string, or an object by rule */
	FIELD_LIST,					/* array of objects by rule */
	FIELD_STRINGS,				/* array of strings */
	FIELD_MAP,					/* object with members by rule, or of any kind */
	FIELD_OUTPUTS				/* map of expressions and Selector Objects */
} FieldType;

typedef struct FieldRule
{
	const char *name;
	FieldType	type;
	bool		required;
	int			minimum;		/* items of a list; 1: a number is more than 0 */
	const ObjectRule *rule;
	const char *unique;			/* a member whose values may not repeat */
	bool		since_1_1;
} FieldRule;

struct ObjectRule
{
	const char *name;			/* as the specification calls it */
	const FieldRule *fields;
	void		(*also) (StructureCheck *check, const ArazzoNode *node);
};

static int	compare_findings(const ListCell *a, const ListCell *b);
static void check_object(StructureCheck *check, const ArazzoNode *node, const ObjectRule *rule);
static void check_unknown_fields(StructureCheck *check, const ArazzoNode *node, const ObjectRule *rule);
static void check_field(StructureCheck *check, const ArazzoNode *value, const FieldRule *field);
static void check_list(StructureCheck *check, const ArazzoNode *list, const FieldRule *field);
static void check_unique(StructureCheck *check, const ArazzoNode *list, const char *member);
static void check_map(StructureCheck *check, const ArazzoNode *map, const FieldRule *field);
static void check_number(StructureCheck *check, const ArazzoNode *node, const FieldRule *field);
static void check_scalar_type(StructureCheck *check, const ArazzoNode *node, ArazzoNodeType type, const char *wanted);
static void suggest_field(ArazzoFinding *finding, const char *name, const ObjectRule *rule);
static int	enter(StructureCheck *check, const char *token);
static void leave(StructureCheck *check, int length);

static const FieldRule info_fields[] = {
	{.name = "title",.type = FIELD_STRING,.required = true},
	{.name = "summary",.type = FIELD_STRING},
	{.name = "description",.type = FIELD_STRING},
	{.name = "version",.type = FIELD_STRING,.required = true},
	{.name = NULL}
};
static const ObjectRule info_rule = {.name = "Info Object",.fields = info_fields};

static const FieldRule source_fields[] = {
	{.name = "name",.type = FIELD_STRING,.required = true},
	{.name = "url",.type = FIELD_STRING,.required = true},
	{.name = "type",.type = FIELD_STRING},
	{.name = NULL}
};
static const ObjectRule source_rule = {.name = "Source Description Object",.fields = source_fields,.also = arazzo_structure_source};

static const FieldRule expression_type_fields[] = {
	{.name = "type",.type = FIELD_STRING,.required = true},
	{.name = "version",.type = FIELD_STRING,.required = true},
	{.name = NULL}
};
static const ObjectRule expression_type_rule = {.name = "Expression Type Object",.fields = expression_type_fields,.also = arazzo_structure_expression_type};

static const FieldRule criterion_fields[] = {
	{.name = "context",.type = FIELD_STRING},
	{.name = "condition",.type = FIELD_STRING,.required = true},
	{.name = "type",.type = FIELD_STRING_OR_OBJECT,.rule = &expression_type_rule},
	{.name = "version",.type = FIELD_STRING},	/* beside type: accepted */
	{.name = NULL}
};
static const ObjectRule criterion_rule = {.name = "Criterion Object",.fields = criterion_fields,.also = arazzo_structure_criterion};

static const FieldRule parameter_fields[] = {
	{.name = "name",.type = FIELD_STRING},
	{.name = "in",.type = FIELD_STRING},
	{.name = "value",.type = FIELD_ANY},
	{.name = "reference",.type = FIELD_STRING},
	{.name = NULL}
};
static const ObjectRule parameter_rule = {.name = "Parameter Object",.fields = parameter_fields,.also = arazzo_structure_parameter};

static const FieldRule success_action_fields[] = {
	{.name = "name",.type = FIELD_STRING},
	{.name = "type",.type = FIELD_STRING},
	{.name = "workflowId",.type = FIELD_STRING},
	{.name = "stepId",.type = FIELD_STRING},
	{.name = "parameters",.type = FIELD_LIST,.rule = &parameter_rule,.since_1_1 = true},
	{.name = "retryAfter",.type = FIELD_NUMBER},	/* with retry: accepted */
	{.name = "retryLimit",.type = FIELD_INTEGER},
	{.name = "criteria",.type = FIELD_LIST,.rule = &criterion_rule},
	{.name = "reference",.type = FIELD_STRING},
	{.name = NULL}
};
static const ObjectRule success_action_rule = {.name = "Success Action Object",.fields = success_action_fields,.also = arazzo_structure_success_action};

static const FieldRule failure_action_fields[] = {
	{.name = "name",.type = FIELD_STRING},
	{.name = "type",.type = FIELD_STRING},
	{.name = "workflowId",.type = FIELD_STRING},
	{.name = "stepId",.type = FIELD_STRING},
	{.name = "parameters",.type = FIELD_LIST,.rule = &parameter_rule,.since_1_1 = true},
	{.name = "retryAfter",.type = FIELD_NUMBER},
	{.name = "retryLimit",.type = FIELD_INTEGER},
	{.name = "criteria",.type = FIELD_LIST,.rule = &criterion_rule},
	{.name = "reference",.type = FIELD_STRING},
	{.name = NULL}
};
static const ObjectRule failure_action_rule = {.name = "Failure Action Object",.fields = failure_action_fields,.also = arazzo_structure_failure_action};

static const FieldRule replacement_fields[] = {
	{.name = "target",.type = FIELD_STRING,.required = true},
	{.name = "targetSelectorType",.type = FIELD_STRING_OR_OBJECT,.rule = &expression_type_rule,.since_1_1 = true},
	{.name = "value",.type = FIELD_ANY,.required = true},
	{.name = NULL}
};
static const ObjectRule replacement_rule = {.name = "Payload Replacement Object",.fields = replacement_fields,.also = arazzo_structure_replacement};

static const FieldRule body_fields[] = {
	{.name = "contentType",.type = FIELD_STRING},
	{.name = "payload",.type = FIELD_ANY},
	{.name = "replacements",.type = FIELD_LIST,.rule = &replacement_rule},
	{.name = NULL}
};
static const ObjectRule body_rule = {.name = "Request Body Object",.fields = body_fields};

static const FieldRule step_fields[] = {
	{.name = "description",.type = FIELD_STRING},
	{.name = "stepId",.type = FIELD_STRING,.required = true},
	{.name = "operationId",.type = FIELD_STRING},
	{.name = "operationPath",.type = FIELD_STRING},
	{.name = "channelPath",.type = FIELD_STRING,.since_1_1 = true},
	{.name = "workflowId",.type = FIELD_STRING},
	{.name = "parameters",.type = FIELD_LIST,.rule = &parameter_rule},
	{.name = "requestBody",.type = FIELD_OBJECT,.rule = &body_rule},
	{.name = "successCriteria",.type = FIELD_LIST,.rule = &criterion_rule},
	{.name = "onSuccess",.type = FIELD_LIST,.rule = &success_action_rule,.unique = "name"},
	{.name = "onFailure",.type = FIELD_LIST,.rule = &failure_action_rule,.unique = "name"},
	{.name = "outputs",.type = FIELD_OUTPUTS},
	{.name = "timeout",.type = FIELD_INTEGER,.minimum = 1,.since_1_1 = true},
	{.name = "correlationId",.type = FIELD_STRING,.since_1_1 = true},
	{.name = "action",.type = FIELD_STRING,.since_1_1 = true},
	{.name = "dependsOn",.type = FIELD_STRINGS,.since_1_1 = true},
	{.name = NULL}
};
static const ObjectRule step_rule = {.name = "Step Object",.fields = step_fields,.also = arazzo_structure_step};

static const FieldRule workflow_fields[] = {
	{.name = "workflowId",.type = FIELD_STRING,.required = true},
	{.name = "summary",.type = FIELD_STRING},
	{.name = "description",.type = FIELD_STRING},
	{.name = "inputs",.type = FIELD_SCHEMA},
	{.name = "dependsOn",.type = FIELD_STRINGS},
	{.name = "steps",.type = FIELD_LIST,.required = true,.minimum = 1,.rule = &step_rule,.unique = "stepId"},
	{.name = "successActions",.type = FIELD_LIST,.rule = &success_action_rule,.unique = "name"},
	{.name = "failureActions",.type = FIELD_LIST,.rule = &failure_action_rule,.unique = "name"},
	{.name = "outputs",.type = FIELD_OUTPUTS},
	{.name = "parameters",.type = FIELD_LIST,.rule = &parameter_rule},
	{.name = NULL}
};
static const ObjectRule workflow_rule = {.name = "Workflow Object",.fields = workflow_fields};

static const FieldRule components_fields[] = {
	{.name = "inputs",.type = FIELD_MAP},
	{.name = "parameters",.type = FIELD_MAP,.rule = &parameter_rule},
	{.name = "successActions",.type = FIELD_MAP,.rule = &success_action_rule},
	{.name = "failureActions",.type = FIELD_MAP,.rule = &failure_action_rule},
	{.name = NULL}
};
static const ObjectRule components_rule = {.name = "Components Object",.fields = components_fields};

static const FieldRule root_fields[] = {
	{.name = "arazzo",.type = FIELD_STRING,.required = true},
	{.name = "$self",.type = FIELD_STRING,.since_1_1 = true},
	{.name = "info",.type = FIELD_OBJECT,.required = true,.rule = &info_rule},
	{.name = "sourceDescriptions",.type = FIELD_LIST,.required = true,.minimum = 1,.rule = &source_rule,.unique = "name"},
	{.name = "workflows",.type = FIELD_LIST,.required = true,.minimum = 1,.rule = &workflow_rule,.unique = "workflowId"},
	{.name = "components",.type = FIELD_OBJECT,.rule = &components_rule},
	{.name = NULL}
};
static const ObjectRule root_rule = {.name = "Arazzo Specification Object",.fields = root_fields,.also = arazzo_structure_root};

List *
arazzo_check_structure(const ArazzoNode *root)
{
	StructureCheck		check = {.findings = NIL};
	const char *version = arazzo_node_member_text(root, "arazzo");

	initStringInfo(&check.pointer);
	check.version_1_1 = version != NULL && strncmp(version, "1.0", 3) != 0;
	check_object(&check, root, &root_rule);
	arazzo_check_sort(check.findings);
	return check.findings;
}

void
arazzo_check_sort(List *findings)
{
	list_sort(findings, compare_findings);
}

/* Document order, then by message. */
static int
compare_findings(const ListCell *a, const ListCell *b)
{
	const ArazzoFinding *left = lfirst(a);
	const ArazzoFinding *right = lfirst(b);

	if (left->line != right->line)
		return left->line < right->line ? -1 : 1;
	if (left->column != right->column)
		return left->column < right->column ? -1 : 1;
	return strcmp(left->message, right->message);
}

ArazzoFailure *
arazzo_check_failure(const char *uri, List *findings)
{
	ArazzoFailure *failure = NULL;
	StringInfoData others;
	int			count = 0;
	ListCell   *cell;

	initStringInfo(&others);
	foreach(cell, findings)
	{
		const ArazzoFinding *finding = lfirst(cell);

		if (!finding->error)
			continue;
		if (count++ == 0)
		{
			failure = arazzo_failure_make(ERRCODE_ARAZZO_DOCUMENT, "document \"%s\" is not a valid Arazzo document: %s",
										  uri, finding->message);
			failure->line = finding->line;
			failure->column = finding->column;
		}
		if (count <= 10)
			appendStringInfo(&others, "%sLine %d, column %d: %s.", count > 1 ? "\n" : "",
							 finding->line, finding->column, finding->message);
	}
	if (count > 10)
		appendStringInfo(&others, "\nThere are %d more.", count - 10);
	if (failure)
		failure->detail = others.data;
	return failure;
}

static void
check_object(StructureCheck *check, const ArazzoNode *node, const ObjectRule *rule)
{
	const FieldRule *field;

	check_stack_depth();
	if (node->type != NODE_OBJECT)
	{
		arazzo_structure_report(check, true, "wrong-type", node, "%s must be an object, not %s", rule->name, arazzo_node_type_name(node));
		return;
	}
	for (field = rule->fields; field->name; field++)
	{
		const ArazzoNode *value = arazzo_node_member(node, field->name);
		int			length;

		if (value == NULL)
		{
			if (field->required)
				arazzo_structure_report(check, true, "missing-field", node, "%s has no \"%s\"", rule->name, field->name);
			continue;
		}
		length = enter(check, field->name);
		check_field(check, value, field);
		leave(check, length);
	}
	check_unknown_fields(check, node, rule);
	if (rule->also)
		rule->also(check, node);
}

static void
check_unknown_fields(StructureCheck *check, const ArazzoNode *node, const ObjectRule *rule)
{
	int			i;

	for (i = 0; i < node->count; i++)
	{
		const ArazzoMember *member = &node->u.members[i];
		const FieldRule *field = rule->fields;
		ArazzoFinding *finding;
		int			length;

		while (field->name && strcmp(field->name, member->key) != 0)
			field++;
		if (strncmp(member->key, "x-", 2) == 0 ||
			(field->name && (!field->since_1_1 || check->version_1_1)))
			continue;
		length = enter(check, member->key);
		if (field->name)
			finding = arazzo_structure_report(check, false, "later-version", member->value,
							 "field \"%s\" of %s exists from version 1.1.0 on", member->key, rule->name);
		else
			finding = arazzo_structure_report(check, false, "unknown-field", member->value,
							 "unknown field \"%s\" of %s", member->key, rule->name);
		finding->line = member->line;
		finding->column = member->column;
		finding->pointer = pstrdup(check->pointer.data);
		if (field->name == NULL)
			suggest_field(finding, member->key, rule);
		leave(check, length);
	}
}

static void
suggest_field(ArazzoFinding *finding, const char *name, const ObjectRule *rule)
{
	const FieldRule *field;
	List	   *names = NIL;
	char	   *nearest;

	for (field = rule->fields; field->name; field++)
		names = lappend(names, unconstify(char *, field->name));
	nearest = arazzo_operation_nearest(name, names);
	finding->hint = nearest ? psprintf("Did you mean %s?  Names of extensions begin with \"x-\".", nearest) :
		pstrdup("It is ignored; names of extensions begin with \"x-\".");
}

/* Dispatches on the type a field must have. */
static void
check_field(StructureCheck *check, const ArazzoNode *value, const FieldRule *field)
{
	switch (field->type)
	{
		case FIELD_ANY:
			break;
		case FIELD_STRING:
			check_scalar_type(check, value, NODE_STRING, "a string");
			break;
		case FIELD_NUMBER:
		case FIELD_INTEGER:
			check_number(check, value, field);
			break;
		case FIELD_SCHEMA:
			if (value->type != NODE_OBJECT && value->type != NODE_BOOLEAN)
				arazzo_structure_report(check, true, "wrong-type", value, "\"%s\" must be a JSON Schema, not %s",
					   field->name, arazzo_node_type_name(value));
			break;
		case FIELD_OBJECT:
			check_object(check, value, field->rule);
			break;
		case FIELD_STRING_OR_OBJECT:
			if (value->type != NODE_STRING)
				check_object(check, value, field->rule);
			break;
		case FIELD_LIST:
		case FIELD_STRINGS:
			check_list(check, value, field);
			break;
		case FIELD_MAP:
		case FIELD_OUTPUTS:
			check_map(check, value, field);
			break;
	}
}

static void
check_list(StructureCheck *check, const ArazzoNode *list, const FieldRule *field)
{
	int			i;

	if (list->type != NODE_ARRAY)
	{
		arazzo_structure_report(check, true, "wrong-type", list, "\"%s\" must be an array, not %s", field->name, arazzo_node_type_name(list));
		return;
	}
	if (list->count < field->minimum)
		arazzo_structure_report(check, true, "too-few-entries", list, "\"%s\" must have at least one entry", field->name);
	for (i = 0; i < list->count; i++)
	{
		int			length = enter(check, psprintf("%d", i));

		if (field->type == FIELD_STRINGS)
			check_scalar_type(check, list->u.items[i], NODE_STRING, "a string");
		else
			check_object(check, list->u.items[i], field->rule);
		leave(check, length);
	}
	if (field->unique)
		check_unique(check, list, field->unique);
}

typedef struct NamedNode
{
	const char *name;
	const ArazzoNode *node;
	int			position;
} NamedNode;

static int
compare_named(const void *a, const void *b)
{
	const NamedNode *left = a;
	const NamedNode *right = b;
	int			order = strcmp(left->name, right->name);

	return order != 0 ? order : left->position - right->position;
}

/* Ids that repeat; sorted, so that thousands of workflows cost little. */
static void
check_unique(StructureCheck *check, const ArazzoNode *list, const char *member)
{
	NamedNode  *named = palloc(sizeof(NamedNode) * Max(list->count, 1));
	int			count = 0;
	int			i;

	for (i = 0; i < list->count; i++)
	{
		const char *name = arazzo_node_member_text(list->u.items[i], member);

		if (name == NULL)
			continue;
		named[count].name = name;
		named[count].node = arazzo_node_member(list->u.items[i], member);
		named[count].position = i;
		count++;
	}
	qsort(named, count, sizeof(NamedNode), compare_named);
	for (i = 1; i < count; i++)
	{
		int			length;

		if (strcmp(named[i].name, named[i - 1].name) != 0)
			continue;
		length = enter(check, psprintf("%d", named[i].position));
		arazzo_structure_report(check, true, "duplicate-id", named[i].node, "%s \"%s\" is used more than once", member, named[i].name);
		leave(check, length);
	}
	pfree(named);
}

static void
check_map(StructureCheck *check, const ArazzoNode *map, const FieldRule *field)
{
	int			i;

	if (map->type != NODE_OBJECT)
	{
		arazzo_structure_report(check, true, "wrong-type", map, "\"%s\" must be an object, not %s", field->name, arazzo_node_type_name(map));
		return;
	}
	for (i = 0; i < map->count; i++)
	{
		const ArazzoMember *member = &map->u.members[i];
		int			length = enter(check, member->key);

		if (member->key[strspn(member->key, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.-_")] != '\0')
			arazzo_structure_report(check, false, "invalid-name", member->value, "name \"%s\" has characters other than A-Z a-z 0-9 . - _", member->key);
		if (field->rule)
			check_object(check, member->value, field->rule);
		if (field->type == FIELD_OUTPUTS)
			arazzo_structure_output(check, member->value);
		leave(check, length);
	}
}

static void
check_number(StructureCheck *check, const ArazzoNode *node, const FieldRule *field)
{
	const char *text;

	if (node->type != NODE_NUMBER)
	{
		check_scalar_type(check, node, NODE_NUMBER, "a number");
		return;
	}
	text = numeric_normalize(node->u.number);
	if (text[0] == '-')
		arazzo_structure_report(check, true, "invalid-value", node, "\"%s\" must not be negative", field->name);
	else if (field->minimum > 0 && strcmp(text, "0") == 0)
		arazzo_structure_report(check, true, "invalid-value", node, "\"%s\" must be greater than 0", field->name);
	if (field->type == FIELD_INTEGER && strchr(text, '.') != NULL)
		arazzo_structure_report(check, true, "invalid-value", node, "\"%s\" must be an integer", field->name);
}

static void
check_scalar_type(StructureCheck *check, const ArazzoNode *node, ArazzoNodeType type, const char *wanted)
{
	if (node->type != type)
		arazzo_structure_report(check, true, "wrong-type", node, "%s must be %s, not %s", check->pointer.data, wanted, arazzo_node_type_name(node));
}

ArazzoFinding *
arazzo_structure_report(StructureCheck *check, bool error, const char *code, const ArazzoNode *place, const char *format,...)
{
	ArazzoFinding *finding = palloc0(sizeof(ArazzoFinding));
	va_list		arguments;

	finding->error = error;
	finding->code = code;
	finding->line = place->line;
	finding->column = place->column;
	va_start(arguments, format);
	finding->message = arazzo_format(format, arguments);
	va_end(arguments);
	check->findings = lappend(check->findings, finding);
	return finding;
}

/* Adds a token to the pointer; returns the length to go back to. */
static int
enter(StructureCheck *check, const char *token)
{
	int			length = check->pointer.len;

	arazzo_pointer_append(&check->pointer, token);
	return length;
}

static void
leave(StructureCheck *check, int length)
{
	check->pointer.len = length;
	check->pointer.data[length] = '\0';
}
