/*-------------------------------------------------------------------------
 *
 * check_openapi.c
 *	  The structure of OpenAPI documents (2.0, 3.x), as far as calls rely on
 *	  it.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/hsearch.h"

#include "document/uri.h"
#include "workflow/check.h"

#define MAX_ID 256

typedef struct OpenapiCheck
{
	const ArazzoNode *root;
	List	   *findings;
	HTAB	   *ids;			/* operation ids seen */
	bool		responses;		/* are required */
} OpenapiCheck;

static void check_root(OpenapiCheck *check);
static void check_info(OpenapiCheck *check, const ArazzoNode *info);
static void check_paths(OpenapiCheck *check, const ArazzoNode *paths);
static void check_path_item(OpenapiCheck *check, const ArazzoMember *path);
static bool is_method(const char *name);
static void check_operation(OpenapiCheck *check, const ArazzoMember *path, const ArazzoNode *item,
							const ArazzoNode *operation);
static void check_operation_id(OpenapiCheck *check, const ArazzoNode *operation);
static void check_parameters(OpenapiCheck *check, const ArazzoNode *list);
static void check_parameter(OpenapiCheck *check, const ArazzoNode *parameter);
static void check_variables(OpenapiCheck *check, const ArazzoMember *path, const ArazzoNode *item,
							const ArazzoNode *operation);
static bool declares(const ArazzoNode *list, const char *name, int length, bool *sure);
static void report(OpenapiCheck *check, bool error, const char *code, int line, int column, char *message);
static void report_path(OpenapiCheck *check, const ArazzoMember *path);
static void report_node(OpenapiCheck *check, bool error, const char *code, const ArazzoNode *node, char *message);

List *
arazzo_check_openapi(const ArazzoNode *root)
{
	OpenapiCheck check = {.root = root};
	HASHCTL		control = {0};

	control.keysize = MAX_ID;
	control.entrysize = MAX_ID;
	control.hcxt = CurrentMemoryContext;
	check.ids = hash_create("arazzo operation ids", 256, &control, HASH_ELEM | HASH_STRINGS | HASH_CONTEXT);
	check_root(&check);
	hash_destroy(check.ids);
	arazzo_check_sort(check.findings);
	return check.findings;
}

/* OpenAPI 3.1, OpenAPI Object; 2.0, Swagger Object. */
static void
check_root(OpenapiCheck *check)
{
	static const char *const objects[] = {"paths", "components", "webhooks"};
	const ArazzoNode *root = check->root;
	const ArazzoNode *version = arazzo_node_member(root, "openapi");
	size_t		i;

	if (version == NULL)
		version = arazzo_node_member(root, "swagger");
	if (version->type != NODE_STRING)
		report_node(check, true, "wrong-type", version,
					psprintf("version must be a string, not %s", arazzo_node_type_name(version)));
	else
	{
		check->responses = strncmp(version->u.string, "2.", 2) == 0 || strncmp(version->u.string, "3.0", 3) == 0;
		if (strcmp(version->u.string, "2.0") != 0 && strncmp(version->u.string, "3.0.", 4) != 0 &&
			strncmp(version->u.string, "3.1.", 4) != 0 && strncmp(version->u.string, "3.2.", 4) != 0)
			report_node(check, false, "unknown-version", version,
						psprintf("version \"%s\" of OpenAPI is not known", version->u.string));
		if (check->responses && arazzo_node_member(root, "paths") == NULL)
			report_node(check, false, "missing-field", root, pstrdup("OpenAPI Object has no \"paths\""));
	}
	check_info(check, arazzo_node_member(root, "info"));
	for (i = 0; i < lengthof(objects); i++)
	{
		const ArazzoNode *member = arazzo_node_member(root, objects[i]);

		if (member && member->type != NODE_OBJECT)
			report_node(check, true, "wrong-type", member,
						psprintf("\"%s\" must be an object, not %s", objects[i], arazzo_node_type_name(member)));
	}
	check_paths(check, arazzo_node_member(root, "paths"));
}

static void
check_info(OpenapiCheck *check, const ArazzoNode *info)
{
	static const char *const required[] = {"title", "version"};
	size_t		i;

	if (info == NULL)
		report_node(check, false, "missing-field", check->root, pstrdup("OpenAPI Object has no \"info\""));
	else if (info->type != NODE_OBJECT)
		report_node(check, true, "wrong-type", info,
					psprintf("\"info\" must be an object, not %s", arazzo_node_type_name(info)));
	else
	{
		for (i = 0; i < lengthof(required); i++)
		{
			if (arazzo_node_member(info, required[i]) == NULL)
				report_node(check, false, "missing-field", info,
							psprintf("Info Object has no \"%s\"", required[i]));
		}
	}
}

static void
check_paths(OpenapiCheck *check, const ArazzoNode *paths)
{
	int			i;

	if (paths == NULL || paths->type != NODE_OBJECT)
		return;
	for (i = 0; i < paths->count; i++)
	{
		CHECK_FOR_INTERRUPTS();
		if (strncmp(paths->u.members[i].key, "x-", 2) != 0)
			check_path_item(check, &paths->u.members[i]);
	}
}

/* Path Item Object. */
static void
check_path_item(OpenapiCheck *check, const ArazzoMember *path)
{
	const ArazzoNode *item = path->value;
	int			i;

	if (path->key[0] != '/')
		report_path(check, path);
	if (item->type != NODE_OBJECT)
	{
		report_node(check, false, "wrong-type", item,
					psprintf("path item must be an object, not %s", arazzo_node_type_name(item)));
		return;
	}
	check_parameters(check, arazzo_node_member(item, "parameters"));
	for (i = 0; i < item->count; i++)
	{
		if (is_method(item->u.members[i].key))
			check_operation(check, path, item, item->u.members[i].value);
	}
}

static bool
is_method(const char *name)
{
	static const char *const methods[] = {"get", "put", "post", "delete", "options", "head", "patch", "trace", "query"};
	size_t		i;

	for (i = 0; i < lengthof(methods); i++)
	{
		if (strcmp(methods[i], name) == 0)
			return true;
	}
	return false;
}

/* Operation Object. */
static void
check_operation(OpenapiCheck *check, const ArazzoMember *path, const ArazzoNode *item,
				const ArazzoNode *operation)
{
	if (operation->type != NODE_OBJECT)
	{
		report_node(check, false, "wrong-type", operation,
					psprintf("operation must be an object, not %s", arazzo_node_type_name(operation)));
		return;
	}
	if (arazzo_node_member(operation, "$ref"))
		return;
	check_operation_id(check, operation);
	if (check->responses && arazzo_node_member(operation, "responses") == NULL)
		report_node(check, false, "missing-field", operation, pstrdup("Operation Object has no \"responses\""));
	check_parameters(check, arazzo_node_member(operation, "parameters"));
	check_variables(check, path, item, operation);
}

static void
check_operation_id(OpenapiCheck *check, const ArazzoNode *operation)
{
	const ArazzoNode *id = arazzo_node_member(operation, "operationId");
	bool		found;

	if (id == NULL)
		return;
	if (id->type != NODE_STRING)
	{
		report_node(check, false, "wrong-type", id,
					psprintf("\"operationId\" must be a string, not %s", arazzo_node_type_name(id)));
		return;
	}
	if (id->count >= MAX_ID)
		return;
	(void) hash_search(check->ids, id->u.string, HASH_ENTER, &found);
	if (found)
		report_node(check, false, "duplicate-id", id,
					psprintf("operationId \"%s\" is used more than once", id->u.string));
}

static void
check_parameters(OpenapiCheck *check, const ArazzoNode *list)
{
	int			i;

	if (list == NULL)
		return;
	if (list->type != NODE_ARRAY)
	{
		report_node(check, false, "wrong-type", list,
					psprintf("\"parameters\" must be an array, not %s", arazzo_node_type_name(list)));
		return;
	}
	for (i = 0; i < list->count; i++)
		check_parameter(check, list->u.items[i]);
}

/* Parameter Object. */
static void
check_parameter(OpenapiCheck *check, const ArazzoNode *parameter)
{
	static const char *const members[] = {"name", "in"};
	const char *in = arazzo_node_member_text(parameter, "in");
	const ArazzoNode *required = arazzo_node_member(parameter, "required");
	size_t		i;

	if (parameter->type == NODE_OBJECT && arazzo_node_member(parameter, "$ref"))
		return;
	for (i = 0; i < lengthof(members); i++)
	{
		if (arazzo_node_member_text(parameter, members[i]) == NULL)
			report_node(check, false, "missing-field", parameter,
						psprintf("Parameter Object has no \"%s\"", members[i]));
	}
	if (in && strcmp(in, "path") == 0 &&
		(required == NULL || required->type != NODE_BOOLEAN || !required->u.boolean))
		report_node(check, false, "path-parameter-not-required", parameter,
					psprintf("path parameter \"%s\" is not \"required: true\"",
							 arazzo_node_member_text(parameter, "name") ? arazzo_node_member_text(parameter, "name") : ""));
}

/* Variables of the path that no parameter declares. */
static void
check_variables(OpenapiCheck *check, const ArazzoMember *path, const ArazzoNode *item,
				const ArazzoNode *operation)
{
	const char *open;
	const char *close;

	for (open = strchr(path->key, '{'); open && (close = strchr(open, '}')) != NULL; open = strchr(close, '{'))
	{
		int			length = close - open - 1;
		bool		sure = true;

		if (!declares(arazzo_node_member(operation, "parameters"), open + 1, length, &sure) &&
			!declares(arazzo_node_member(item, "parameters"), open + 1, length, &sure) && sure)
			report_node(check, false, "undeclared-path-parameter", operation,
						psprintf("variable \"%.*s\" of path \"%s\" is no parameter", length, open + 1, path->key));
	}
}

/* Is there a parameter of that name?  Not sure when the list has references. */
static bool
declares(const ArazzoNode *list, const char *name, int length, bool *sure)
{
	int			i;

	for (i = 0; list && list->type == NODE_ARRAY && i < list->count; i++)
	{
		const char *declared = arazzo_node_member_text(list->u.items[i], "name");

		if (arazzo_node_member(list->u.items[i], "$ref"))
			*sure = false;
		if (declared && strncmp(declared, name, length) == 0 && declared[length] == '\0')
			return true;
	}
	return false;
}

/* A key is no node, so its pointer is made here. */
static void
report_path(OpenapiCheck *check, const ArazzoMember *path)
{
	StringInfoData pointer;

	report(check, false, "invalid-path", path->line, path->column,
		   psprintf("path \"%s\" does not begin with \"/\"", path->key));
	initStringInfo(&pointer);
	appendStringInfoString(&pointer, "/paths");
	arazzo_pointer_append(&pointer, path->key);
	((ArazzoFinding *) llast(check->findings))->pointer = pointer.data;
}

static void
report_node(OpenapiCheck *check, bool error, const char *code, const ArazzoNode *node, char *message)
{
	report(check, error, code, node->line, node->column, message);
}

static void
report(OpenapiCheck *check, bool error, const char *code, int line, int column, char *message)
{
	ArazzoFinding *finding = palloc0(sizeof(ArazzoFinding));

	finding->error = error;
	finding->code = code;
	finding->line = line;
	finding->column = column;
	finding->message = message;
	check->findings = lappend(check->findings, finding);
}
