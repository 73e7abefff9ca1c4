/*-------------------------------------------------------------------------
 *
 * compile_inputs.c
 *	  Which inputs must be given: required members, less credentials.
 *
 * A member is required by the schema itself, by what it refers to, or by a
 * schema under allOf; anyOf, oneOf and conditions require nothing for sure.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"

#include "support/strings.h"
#include "workflow/compile.h"

/* Schemas nested deeper, or in circles, are left as they are. */
#define MAX_NESTING 20

static void collect(WorkflowCompiler *self, const JsonbValue *schema, int depth, List **names);
static JsonbValue *relax(WorkflowCompiler *self, const JsonbValue *schema, int depth);
static void push_relaxed(WorkflowCompiler *self, JsonbParseState **state, const JsonbValue *schema, int depth);
static void push_all_of(WorkflowCompiler *self, JsonbParseState **state, const JsonbValue *schema,
						JsonbValue *target, int depth);
static void push_required(WorkflowCompiler *self, JsonbParseState **state, const JsonbValue *required);
static JsonbValue *reference_target(WorkflowCompiler *self, const JsonbValue *schema);
static bool is_key(const JsonbValue *key, const char *name);

List *
arazzo_compile_required(WorkflowCompiler *self, const JsonbValue *schema)
{
	List	   *names = NIL;

	collect(self, schema, 0, &names);
	return names;
}

JsonbValue *
arazzo_compile_relax(WorkflowCompiler *self, const JsonbValue *schema)
{
	return relax(self, schema, 0);
}

static void
collect(WorkflowCompiler *self, const JsonbValue *schema, int depth, List **names)
{
	const JsonbValue *required = arazzo_value_member_cstring(schema, "required");
	const JsonbValue *all_of = arazzo_value_member_cstring(schema, "allOf");
	const JsonbValue *target = reference_target(self, schema);
	int			i;

	check_stack_depth();
	for (i = 0; arazzo_value_is_array(required) && i < arazzo_value_count(required); i++)
	{
		char	   *name = arazzo_value_to_text(arazzo_value_element(required, i));

		if (!arazzo_strings_contain(self->workflow->credential_inputs, name) &&
			!arazzo_strings_contain(*names, name))
			*names = lappend(*names, name);
	}
	if (depth == MAX_NESTING)
		return;
	for (i = 0; arazzo_value_is_array(all_of) && i < arazzo_value_count(all_of); i++)
		collect(self, arazzo_value_element(all_of, i), depth + 1, names);
	if (target)
		collect(self, target, depth + 1, names);
}

/*
 * What is required elsewhere is brought here, under allOf, since the schema
 * that is referred to may serve others.
 */
static JsonbValue *
relax(WorkflowCompiler *self, const JsonbValue *schema, int depth)
{
	JsonbParseState *state = NULL;

	check_stack_depth();
	if (!arazzo_value_is_object(schema) || depth == MAX_NESTING)
		return unconstify(JsonbValue *, schema);
	pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	push_relaxed(self, &state, schema, depth);
	return arazzo_value_from_jsonb(JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_OBJECT, NULL)));
}

/* The members of a schema. */
static void
push_relaxed(WorkflowCompiler *self, JsonbParseState **state, const JsonbValue *schema, int depth)
{
	JsonbValue *target = reference_target(self, schema);
	ArazzoValueWalk walk;
	JsonbValue	key;
	JsonbValue	value;

	push_all_of(self, state, schema, target, depth);
	arazzo_value_walk(&walk, schema);
	while (arazzo_value_next(&walk, &key, &value))
	{
		if (is_key(&key, "allOf") || (target && is_key(&key, "$ref")))
			continue;
		pushJsonbValue(state, WJB_KEY, &key);
		if (is_key(&key, "required") && arazzo_value_is_array(&value))
			push_required(self, state, &value);
		else
			pushJsonbValue(state, WJB_VALUE, &value);
	}
}

/* The member allOf: what was there, and what is referred to. */
static void
push_all_of(WorkflowCompiler *self, JsonbParseState **state, const JsonbValue *schema,
			JsonbValue *target, int depth)
{
	const JsonbValue *all_of = arazzo_value_member_cstring(schema, "allOf");
	int			count = arazzo_value_is_array(all_of) ? arazzo_value_count(all_of) : 0;
	int			i;

	if (all_of == NULL && target == NULL)
		return;
	pushJsonbValue(state, WJB_KEY, arazzo_value_cstring("allOf"));
	pushJsonbValue(state, WJB_BEGIN_ARRAY, NULL);
	for (i = 0; i < count; i++)
		pushJsonbValue(state, WJB_ELEM, relax(self, arazzo_value_element(all_of, i), depth + 1));
	if (target)
		pushJsonbValue(state, WJB_ELEM, relax(self, target, depth + 1));
	pushJsonbValue(state, WJB_END_ARRAY, NULL);
}

static void
push_required(WorkflowCompiler *self, JsonbParseState **state, const JsonbValue *required)
{
	int			count = arazzo_value_count(required);
	int			i;

	pushJsonbValue(state, WJB_BEGIN_ARRAY, NULL);
	for (i = 0; i < count; i++)
	{
		JsonbValue *name = arazzo_value_element(required, i);

		if (!arazzo_strings_contain(self->workflow->credential_inputs, arazzo_value_to_text(name)))
			pushJsonbValue(state, WJB_ELEM, name);
	}
	pushJsonbValue(state, WJB_END_ARRAY, NULL);
}

/* What a $ref leads to in the same document; in another one, references have
 * another base, and it is left alone. */
static JsonbValue *
reference_target(WorkflowCompiler *self, const JsonbValue *schema)
{
	const ArazzoDocument *document = self->document;
	ArazzoFailure *failure = NULL;
	JsonbValue *target;

	if (arazzo_value_member_cstring(schema, "$ref") == NULL)
		return NULL;
	target = arazzo_library_follow(self->compiler->library, &document,
								   unconstify(JsonbValue *, schema), &failure);
	return document == self->document ? target : NULL;
}

static bool
is_key(const JsonbValue *key, const char *name)
{
	return key->val.string.len == strlen(name) &&
		memcmp(key->val.string.val, name, key->val.string.len) == 0;
}
