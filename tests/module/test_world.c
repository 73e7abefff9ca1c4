/*-------------------------------------------------------------------------
 *
 * test_world.c
 *	  What expressions see in tests.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "test_world.h"

static const char *const root_paths[] = {
	[ROOT_URL] = "url",
	[ROOT_METHOD] = "method",
	[ROOT_STATUS_CODE] = "status",
	[ROOT_REQUEST_HEADER] = "request.header",
	[ROOT_REQUEST_QUERY] = "request.query",
	[ROOT_REQUEST_PATH] = "request.path",
	[ROOT_REQUEST_BODY] = "request.body",
	[ROOT_RESPONSE_HEADER] = "response.header",
	[ROOT_RESPONSE_QUERY] = "response.query",
	[ROOT_RESPONSE_PATH] = "response.path",
	[ROOT_RESPONSE_BODY] = "response.body",
	[ROOT_MESSAGE_HEADER] = "message.header",
	[ROOT_MESSAGE_PAYLOAD] = "message.payload",
	[ROOT_INPUTS] = "inputs",
	[ROOT_OUTPUTS] = "outputs",
	[ROOT_STEPS] = "steps",
	[ROOT_WORKFLOWS_INPUTS] = "workflows",
	[ROOT_WORKFLOWS_OUTPUTS] = "workflows",
	[ROOT_SOURCE_DESCRIPTIONS] = "sourceDescriptions",
	[ROOT_COMPONENTS] = "components",
	[ROOT_SELF] = "self",
};

static JsonbValue *
member(JsonbValue *object, const char *key)
{
	return object ? arazzo_value_member_cstring(object, key) : NULL;
}

static JsonbValue *
root_value(TestWorld *world, ExpressionRoot root)
{
	JsonbValue *value = world->root;
	char	   *path = pstrdup(root_paths[root]);
	char	   *dot = strchr(path, '.');

	if (dot != NULL)
	{
		*dot = '\0';
		return member(member(value, path), dot + 1);
	}
	return member(value, path);
}

/* Header names are tokens and match without regard to case. */
static JsonbValue *
header_value(JsonbValue *headers, const char *name)
{
	ArazzoValueWalk walk;
	JsonbValue	key;
	JsonbValue *value = palloc(sizeof(JsonbValue));

	if (headers == NULL)
		return NULL;
	arazzo_value_walk(&walk, headers);
	while (arazzo_value_next(&walk, &key, value))
	{
		if (pg_strcasecmp(pnstrdup(key.val.string.val, key.val.string.len), name) == 0)
			return value;
	}
	return NULL;
}

static JsonbValue *
lookup(void *owner, const ArazzoExpression *expression)
{
	JsonbValue *value = root_value(owner, expression->root);

	switch (expression->root)
	{
		case ROOT_REQUEST_HEADER:
		case ROOT_RESPONSE_HEADER:
		case ROOT_MESSAGE_HEADER:
			return header_value(value, expression->name);
		case ROOT_STEPS:
		case ROOT_WORKFLOWS_OUTPUTS:
			return member(member(member(value, expression->name), "outputs"), expression->field);
		case ROOT_WORKFLOWS_INPUTS:
			return member(member(member(value, expression->name), "inputs"), expression->field);
		case ROOT_SOURCE_DESCRIPTIONS:
		case ROOT_COMPONENTS:
			return member(member(value, expression->name), expression->field);
		default:
			return expression->name ? member(value, expression->name) : value;
	}
}

static bool
declared(void *owner, ExpressionRoot root, const char *name, int name_length,
		 const char *field, int field_length)
{
	TestWorld  *world = owner;
	JsonbValue *all = member(world->root, "declared");
	JsonbValue *value = NULL;

	if (root == ROOT_INPUTS || root == ROOT_STEPS || root == ROOT_OUTPUTS)
		value = member(all, root_paths[root]);
	if (value != NULL)
		value = arazzo_value_member(value, name, name_length);
	if (value != NULL && field != NULL)
		value = arazzo_value_member(value, field, field_length);
	return value != NULL;
}

static void
accepted(void *owner, const char *string, const char *standard_form)
{
	ereport(NOTICE,
			errmsg("accepted %s, standard: %s", string, standard_form ? standard_form : "none"));
}

static void
parsed(void *owner, ArazzoExpression *expression)
{
	((TestWorld *) owner)->parsed++;
}

TestWorld *
test_world_make(JsonbValue *environment)
{
	TestWorld  *world = palloc0(sizeof(TestWorld));
	JsonbValue *symbolic;

	world->root = environment;
	world->scope.owner = world;
	world->scope.declared = declared;
	world->scope.accepted = accepted;
	world->scope.parsed = parsed;
	world->environment.owner = world;
	world->environment.lookup = lookup;
	symbolic = member(world->root, "symbolic");
	world->environment.symbolic = symbolic != NULL && symbolic->type == jbvBool && symbolic->val.boolean;
	return world;
}

const ExpressionScope *
test_world_scope(TestWorld *world)
{
	return member(world->root, "declared") ? &world->scope : NULL;
}

const char *
test_world_root(ExpressionRoot root)
{
	return root_paths[root];
}
