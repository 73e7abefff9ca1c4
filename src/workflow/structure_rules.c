/*-------------------------------------------------------------------------
 *
 * structure_rules.c
 *	  The structure of Arazzo documents: what tables cannot say.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "document/uri.h"
#include "expression/selector.h"
#include "workflow/structure.h"

static void check_version(StructureCheck *check, const ArazzoNode *root);
static void check_targets(StructureCheck *check, const ArazzoNode *step);
static void check_places(StructureCheck *check, const ArazzoNode *step);
static void check_unique_parameters(StructureCheck *check, const ArazzoNode *list);
static bool same_text(const ArazzoNode *a, const ArazzoNode *b, const char *member);
static void check_step_1_1(StructureCheck *check, const ArazzoNode *step);
static void check_step_order(StructureCheck *check, const ArazzoNode *list);
static bool is_reference(const ArazzoNode *node);
static void check_action(StructureCheck *check, const ArazzoNode *action, bool failure);
static void check_one_of(StructureCheck *check, const ArazzoNode *node, const char *member,
						 const char *const *words, bool error);

void
arazzo_structure_root(StructureCheck *check, const ArazzoNode *root)
{
	const char *self = arazzo_node_member_text(root, "$self");

	check_version(check, root);
	if (check->version_1_1 && self && strchr(self, '#'))
		arazzo_structure_report(check, true, "invalid-uri", arazzo_node_member(root, "$self"),
								"\"$self\" must not have a fragment");
}

/* Arazzo 1.1.0, Versions: a patch level makes no difference. */
static void
check_version(StructureCheck *check, const ArazzoNode *root)
{
	const ArazzoNode *node = arazzo_node_member(root, "arazzo");
	const char *version = arazzo_node_member_text(root, "arazzo");

	if (version == NULL)
		return;
	if (strncmp(version, "1.", 2) != 0)
		arazzo_structure_report(check, true, "unsupported-version", node, "version \"%s\" of Arazzo is not supported", version);
	else if (strncmp(version, "1.0.", 4) != 0 && strncmp(version, "1.1.", 4) != 0)
		arazzo_structure_report(check, false, "unknown-version", node, "version \"%s\" of Arazzo is not known; it is read as 1.1.0", version);
}

void
arazzo_structure_source(StructureCheck *check, const ArazzoNode *source)
{
	static const char *const types[] = {"openapi", "arazzo", "asyncapi", NULL};
	const char *url = arazzo_node_member_text(source, "url");
	ArazzoUri	uri;

	check_one_of(check, source, "type", types, true);
	if (url != NULL && !arazzo_uri_split(url, &uri))
		arazzo_structure_report(check, false, "invalid-uri", arazzo_node_member(source, "url"), "\"%s\" is not a URI reference", url);
}

void
arazzo_structure_step(StructureCheck *check, const ArazzoNode *step)
{
	check_targets(check, step);
	check_unique_parameters(check, arazzo_node_member(step, "parameters"));
	if (arazzo_node_member(step, "workflowId") == NULL)
		check_places(check, step);
	if (check->version_1_1)
		check_step_1_1(check, step);
}

/* Step Object: exactly one thing to do. */
static void
check_targets(StructureCheck *check, const ArazzoNode *step)
{
	static const char *const targets[] = {"operationId", "operationPath", "workflowId", "channelPath"};
	const char *found = NULL;
	size_t		i;

	for (i = 0; i < lengthof(targets); i++)
	{
		if (arazzo_node_member(step, targets[i]) == NULL)
			continue;
		if (found)
			arazzo_structure_report(check, true, "conflicting-fields", arazzo_node_member(step, targets[i]),
									"step has both \"%s\" and \"%s\"", found, targets[i]);
		found = targets[i];
	}
	if (found == NULL)
		arazzo_structure_report(check, true, "missing-target", step,
								"step has none of \"operationId\", \"operationPath\" and \"workflowId\"");
}

/* Parameter Object, in: must be there unless the step calls a workflow. */
static void
check_places(StructureCheck *check, const ArazzoNode *step)
{
	const ArazzoNode *list = arazzo_node_member(step, "parameters");
	int			i;

	for (i = 0; list && list->type == NODE_ARRAY && i < list->count; i++)
	{
		const ArazzoNode *parameter = list->u.items[i];

		if (arazzo_node_member(parameter, "name") && arazzo_node_member(parameter, "in") == NULL)
			arazzo_structure_report(check, false, "missing-in", parameter,
									"Parameter Object has no \"in\"")->hint =
				pstrdup("It goes where the operation has the one parameter of that name.");
	}
}

/* Step Object, parameters: none twice (name and in). */
static void
check_unique_parameters(StructureCheck *check, const ArazzoNode *list)
{
	int			i;
	int			k;

	for (i = 0; list && list->type == NODE_ARRAY && i < list->count; i++)
	{
		for (k = 0; k < i; k++)
		{
			if (arazzo_node_member_text(list->u.items[i], "name") &&
				same_text(list->u.items[i], list->u.items[k], "name") &&
				same_text(list->u.items[i], list->u.items[k], "in"))
				break;
		}
		if (k < i)
			arazzo_structure_report(check, true, "duplicate-parameter", list->u.items[i],
									"parameter \"%s\" is given more than once",
									arazzo_node_member_text(list->u.items[i], "name"));
	}
}

/* Is a member the same text in both, or absent from both? */
static bool
same_text(const ArazzoNode *a, const ArazzoNode *b, const char *member)
{
	const char *left = arazzo_node_member_text(a, member);
	const char *right = arazzo_node_member_text(b, member);

	return left && right ? strcmp(left, right) == 0 : left == right;
}

/* Step Object of 1.1.0: what came with channels and order. */
static void
check_step_1_1(StructureCheck *check, const ArazzoNode *step)
{
	static const char *const actions[] = {"send", "receive", NULL};
	const ArazzoNode *criteria = arazzo_node_member(step, "successCriteria");
	const ArazzoNode *action = arazzo_node_member(step, "action");
	const ArazzoNode *correlation = arazzo_node_member(step, "correlationId");

	if (criteria && criteria->type == NODE_ARRAY && criteria->count == 0)
		arazzo_structure_report(check, true, "too-few-entries", criteria,
								"\"successCriteria\" must have at least one entry when it is given");
	check_one_of(check, step, "action", actions, true);
	if (action && arazzo_node_member(step, "workflowId"))
		arazzo_structure_report(check, true, "conflicting-fields", action,
								"step has both \"workflowId\" and \"action\"");
	if (action == NULL && arazzo_node_member(step, "channelPath"))
		arazzo_structure_report(check, true, "missing-field", step, "step with a \"channelPath\" has no \"action\"");
	if (correlation && (action == NULL || action->type != NODE_STRING || strcmp(action->u.string, "receive") != 0))
		arazzo_structure_report(check, true, "conflicting-fields", correlation,
								"\"correlationId\" belongs to steps with the action \"receive\"");
	check_step_order(check, arazzo_node_member(step, "dependsOn"));
}

/* Step Object, dependsOn: steps by id, or of another workflow. */
static void
check_step_order(StructureCheck *check, const ArazzoNode *list)
{
	int			i;
	int			k;

	if (list == NULL || list->type != NODE_ARRAY)
		return;
	if (list->count == 0)
		arazzo_structure_report(check, true, "too-few-entries", list,
								"\"dependsOn\" must have at least one entry when it is given");
	for (i = 0; i < list->count; i++)
	{
		const ArazzoNode *entry = list->u.items[i];

		if (entry->type != NODE_STRING)
			continue;
		if (entry->u.string[0] == '$' && strncmp(entry->u.string, "$workflows.", 11) != 0 &&
			strncmp(entry->u.string, "$sourceDescriptions.", 20) != 0)
			arazzo_structure_report(check, true, "invalid-value", entry,
									"\"dependsOn\" cannot be \"%s\"", entry->u.string)->hint =
				pstrdup("Write the stepId, or \"$workflows.<workflowId>.steps.<stepId>\".");
		for (k = 0; k < i; k++)
		{
			if (list->u.items[k]->type == NODE_STRING && strcmp(list->u.items[k]->u.string, entry->u.string) == 0)
				arazzo_structure_report(check, true, "duplicate-id", entry,
										"\"dependsOn\" has \"%s\" more than once", entry->u.string);
		}
	}
}

static bool
is_reference(const ArazzoNode *node)
{
	return arazzo_node_member(node, "reference") != NULL;
}

void
arazzo_structure_parameter(StructureCheck *check, const ArazzoNode *parameter)
{
	static const char *const places[] = {"path", "query", "header", "cookie", "querystring", NULL};

	if (is_reference(parameter))
		return;
	if (arazzo_node_member(parameter, "name") == NULL)
		arazzo_structure_report(check, true, "missing-field", parameter, "Parameter Object has no \"name\"");
	if (arazzo_node_member(parameter, "value") == NULL)
		arazzo_structure_report(check, true, "missing-field", parameter, "Parameter Object has no \"value\"");
	check_one_of(check, parameter, "in", places, true);
}

void
arazzo_structure_success_action(StructureCheck *check, const ArazzoNode *action)
{
	check_action(check, action, false);
}

void
arazzo_structure_failure_action(StructureCheck *check, const ArazzoNode *action)
{
	check_action(check, action, true);
}

static void
check_action(StructureCheck *check, const ArazzoNode *action, bool failure)
{
	static const char *const types[] = {"end", "goto", "retry", NULL};
	const char *type = arazzo_node_member_text(action, "type");
	bool		step = arazzo_node_member(action, "stepId") != NULL;
	bool		workflow = arazzo_node_member(action, "workflowId") != NULL;

	if (is_reference(action))
		return;
	if (arazzo_node_member(action, "name") == NULL)
		arazzo_structure_report(check, true, "missing-field", action, "action has no \"name\"");
	if (type == NULL)
		arazzo_structure_report(check, true, "missing-field", action, "action has no \"type\"");
	check_one_of(check, action, "type", types, true);
	if (type && strcmp(type, "retry") == 0 && !failure)
		arazzo_structure_report(check, false, "nonstandard-form", arazzo_node_member(action, "type"),
								"type \"retry\" belongs to failure actions")->hint =
			pstrdup("It repeats the step here too.  The standard has a success criterion that fails until the step is done, and the retry in \"onFailure\".");
	if (step && workflow)
		arazzo_structure_report(check, true, "conflicting-fields", action, "action has both \"stepId\" and \"workflowId\"");
	if (type && strcmp(type, "goto") == 0 && !step && !workflow)
		arazzo_structure_report(check, true, "missing-target", action, "action of type \"goto\" has neither \"stepId\" nor \"workflowId\"");
}

void
arazzo_structure_criterion(StructureCheck *check, const ArazzoNode *criterion)
{
	static const char *const types[] = {"simple", "regex", "jsonpath", "xpath", NULL};
	const ArazzoNode *type = arazzo_node_member(criterion, "type");
	bool		simple = type == NULL ||
		(type->type == NODE_STRING && strcmp(type->u.string, "simple") == 0);

	if (type && type->type == NODE_STRING)
		check_one_of(check, criterion, "type", types, true);
	if (!simple && arazzo_node_member(criterion, "context") == NULL)
		arazzo_structure_report(check, true, "missing-field", criterion, "criterion has a \"type\" but no \"context\"");
}

/* Expression Type Object: each type has its versions. */
void
arazzo_structure_expression_type(StructureCheck *check, const ArazzoNode *node)
{
	static const struct
	{
		const char *type;
		const char *versions[5];
	}			types[] =
	{
		{"jsonpath", {"rfc9535", "draft-goessner-dispatch-jsonpath-00"}},
		{"xpath", {"xpath-31", "xpath-30", "xpath-20", "xpath-10"}},
		{"jsonpointer", {"rfc6901"}}
	};
	static const char *const words[] = {"jsonpath", "xpath", "jsonpointer", NULL};
	const char *type = arazzo_node_member_text(node, "type");
	size_t		i;

	check_one_of(check, node, "type", words, true);
	for (i = 0; type && i < lengthof(types); i++)
	{
		if (strcmp(types[i].type, type) == 0)
			check_one_of(check, node, "version", types[i].versions, true);
	}
}

/* Payload Replacement Object of 1.1.0, targetSelectorType. */
void
arazzo_structure_replacement(StructureCheck *check, const ArazzoNode *replacement)
{
	static const char *const types[] = {"jsonpath", "xpath", "jsonpointer", NULL};

	if (check->version_1_1)
		check_one_of(check, replacement, "targetSelectorType", types, true);
}

/* An output: an expression, or from 1.1.0 on a Selector Object. */
void
arazzo_structure_output(StructureCheck *check, const ArazzoNode *value)
{
	if (value->type == NODE_STRING || arazzo_selector_is(value))
		return;
	if (arazzo_node_member(value, "selector"))
		arazzo_structure_report(check, true, "invalid-value", value,
								"Selector Object needs \"context\", \"selector\" and \"type\"");
	else
		arazzo_structure_report(check, false, "wrong-type", value,
								"output must be an expression or a Selector Object, not %s",
								arazzo_node_type_name(value));
}

/* A string member must be one of the words; absent is fine. */
static void
check_one_of(StructureCheck *check, const ArazzoNode *node, const char *member, const char *const *words, bool error)
{
	const char *text = arazzo_node_member_text(node, member);
	const char *const *word;

	if (text == NULL)
		return;
	for (word = words; *word; word++)
	{
		if (strcmp(text, *word) == 0)
			return;
	}
	arazzo_structure_report(check, error, "invalid-value", arazzo_node_member(node, member), "\"%s\" cannot be \"%s\"", member, text);
}
