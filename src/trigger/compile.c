/*-------------------------------------------------------------------------
 *
 * compile.c
 *	  The arguments of a trigger, compiled for its table.
 *
 * Expressions are $row.column, $old.column, $tg.op, $tg.table, $tg.schema and
 * $tg.key; one that is the whole string keeps its type, one in braces within
 * a string becomes text.  Of a statement, {"$rows": template} stands for an
 * array with an element for each row.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/table.h"
#include "catalog/partition.h"
#include "catalog/pg_class.h"
#include "catalog/pg_constraint.h"
#include "catalog/pg_trigger.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/syscache.h"
#include "utils/timestamp.h"

#include "document/uri.h"
#include "support/value.h"
#include "trigger/trigger.h"

#define ROWS_NAME "$rows"

typedef struct TemplateCompiler
{
	TriggerPlan *plan;
	Relation	relation;
	const Trigger *trigger;
	bool		in_rows;		/* within what is repeated for each row */
	StringInfoData place;		/* pointer into the template */
} TemplateCompiler;

static void check_kind(const Trigger *trigger);
static Oid	home_of(Oid trigger);
static Oid	owner_of(Oid relation);
static JsonbValue *argument(const Trigger *trigger, int number, const char *what);
static TriggerTemplate *compile(TemplateCompiler *self, const JsonbValue *value, const SchemaNode *schema);
static TriggerTemplate *compile_object(TemplateCompiler *self, const JsonbValue *object, const SchemaNode *schema);
static TriggerTemplate *compile_array(TemplateCompiler *self, const JsonbValue *array, const SchemaNode *schema);
static TriggerTemplate *compile_rows(TemplateCompiler *self, const JsonbValue *row, const SchemaNode *schema);
static TriggerTemplate *compile_string(TemplateCompiler *self, const char *text, const SchemaNode *schema);
static void check_moment(TemplateCompiler *self, const TriggerSource *source, const char *text);
static TriggerTemplate *compile_record(TemplateCompiler *self, const char *text, const SchemaNode *schema);
static TriggerTemplate *compile_text(TemplateCompiler *self, const char *text);
static const char *closing_brace(const char *text);
static TriggerTemplate *make_template(TemplateKind kind);
static TriggerTemplate *make_constant(const JsonbValue *value);
static void add_part(TriggerTemplate *template, TriggerSource *source, const char *text, int length);
static TriggerSource *compile_source(TemplateCompiler *self, const char *text);
static TriggerSource *compile_column(TemplateCompiler *self, SourceKind kind, const char *text);
static char *take_name(TemplateCompiler *self, const char **text);
static void check_available(TemplateCompiler *self, SourceKind kind, const char *text);
static void need_key(TemplateCompiler *self);
static Oid	topmost(Oid relation);
static void compile_options(TemplateCompiler *self, const JsonbValue *options);
static void compile_option(TemplateCompiler *self, const char *name, const JsonbValue *value);
static TriggerTemplate *text_option(TemplateCompiler *self, const char *name, const JsonbValue *value);
static void not_before_option(TemplateCompiler *self, const JsonbValue *value);
static void max_rows_option(TemplateCompiler *self, const JsonbValue *value);
static void report_expression(TemplateCompiler *self, const char *text, const char *problem) pg_attribute_noreturn();
static void report_option(const char *name, const char *wanted) pg_attribute_noreturn();

TriggerPlan *
arazzo_trigger_compile(Relation relation, const Trigger *trigger, const ArazzoPlan *plan)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "arazzo trigger", ALLOCSET_SMALL_SIZES);
	MemoryContext caller = MemoryContextSwitchTo(context);
	TriggerPlan *result = palloc0(sizeof(TriggerPlan));
	TemplateCompiler self = {.plan = result,.relation = relation,.trigger = trigger};

	check_kind(trigger);
	initStringInfo(&self.place);
	appendStringInfoString(&self.place, "template");
	result->context = context;
	result->trigger = trigger->tgoid;
	result->relation = RelationGetRelid(relation);
	result->plan_serial = plan ? plan->serial : 0;
	result->workflow = pstrdup(trigger->tgargs[0]);
	result->table = pstrdup(RelationGetRelationName(relation));
	result->schema = get_namespace_name(RelationGetNamespace(relation));
	result->for_each_row = TRIGGER_FOR_ROW(trigger->tgtype);
	result->home = trigger->tgisclone ? home_of(trigger->tgoid) : result->relation;
	result->owner = owner_of(result->home);
	result->inputs = compile(&self, arazzo_trigger_template(trigger),
							 plan ? arazzo_schema_root(plan->workflow->inputs) : NULL);
	if (trigger->tgnargs == 3)
		compile_options(&self, argument(trigger, 2, "options"));
	MemoryContextSwitchTo(caller);
	return result;
}

static void
check_kind(const Trigger *trigger)
{
	if (!TRIGGER_FOR_AFTER(trigger->tgtype))
		ereport(ERROR,
				errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				errmsg("arazzo_trigger must be fired AFTER the change"));
	if (trigger->tgnargs != 2 && trigger->tgnargs != 3)
		ereport(ERROR,
				errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				errmsg("arazzo_trigger takes a workflow, a template of its inputs and, if any, options, not %d arguments",
					   trigger->tgnargs));
}

/*
 * The table that a trigger was created on.  Partitions have copies of it, and
 * may belong to somebody who has not agreed to it.
 */
static Oid
home_of(Oid trigger)
{
	Relation	catalog = table_open(TriggerRelationId, AccessShareLock);
	Oid			home = InvalidOid;

	while (OidIsValid(trigger))
	{
		ScanKeyData key;
		SysScanDesc scan;
		HeapTuple	tuple;

		ScanKeyInit(&key, Anum_pg_trigger_oid, BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(trigger));
		scan = systable_beginscan(catalog, TriggerOidIndexId, true, NULL, 1, &key);
		tuple = systable_getnext(scan);
		if (!HeapTupleIsValid(tuple))
			elog(ERROR, "could not find trigger %u", trigger);
		home = ((Form_pg_trigger) GETSTRUCT(tuple))->tgrelid;
		trigger = ((Form_pg_trigger) GETSTRUCT(tuple))->tgparentid;
		systable_endscan(scan);
	}
	table_close(catalog, AccessShareLock);
	return home;
}

static Oid
owner_of(Oid relation)
{
	HeapTuple	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(relation));
	Oid			owner;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "could not find relation %u", relation);
	owner = ((Form_pg_class) GETSTRUCT(tuple))->relowner;
	ReleaseSysCache(tuple);
	return owner;
}

JsonbValue *
arazzo_trigger_template(const Trigger *trigger)
{
	return argument(trigger, 1, "template");
}

/* An argument that is an object. */
static JsonbValue *
argument(const Trigger *trigger, int number, const char *what)
{
	ArazzoFailure *failure = NULL;
	const char *text = trigger->tgargs[number];
	JsonbValue *value = arazzo_value_parse_json(text, strlen(text), &failure);

	if (value == NULL)
	{
		failure->message = psprintf("%s of the trigger is not valid JSON: %s", what, failure->message);
		arazzo_failure_report(failure, ERROR);
	}
	if (!arazzo_value_is_object(value))
		ereport(ERROR,
				errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				errmsg("%s of the trigger must be an object, not %s", what, arazzo_value_type(value)));
	return value;
}

static TriggerTemplate *
compile(TemplateCompiler *self, const JsonbValue *value, const SchemaNode *schema)
{
	check_stack_depth();
	if (arazzo_value_is_object(value))
	{
		JsonbValue *row = arazzo_value_member_cstring(value, ROWS_NAME);

		if (row && arazzo_value_count(value) == 1)
			return compile_rows(self, row, schema);
		return compile_object(self, value, schema);
	}
	if (arazzo_value_is_array(value))
		return compile_array(self, value, schema);
	if (value->type == jbvString)
		return compile_string(self, pnstrdup(value->val.string.val, value->val.string.len), schema);
	return make_constant(value);
}

static TriggerTemplate *
compile_object(TemplateCompiler *self, const JsonbValue *object, const SchemaNode *schema)
{
	TriggerTemplate *template = make_template(TEMPLATE_OBJECT);
	int			place = self->place.len;
	ArazzoValueWalk walk;
	JsonbValue	key;
	JsonbValue	value;

	template->names = palloc(sizeof(JsonbValue) * (arazzo_value_count(object) + 1));
	template->items = palloc(sizeof(TriggerTemplate *) * (arazzo_value_count(object) + 1));
	arazzo_value_walk(&walk, object);
	while (arazzo_value_next(&walk, &key, &value))
	{
		const char *name = key.val.string.val;
		int			length = key.val.string.len;
		TriggerTemplate *item;

		arazzo_pointer_append(&self->place, pnstrdup(name, length));
		item = compile(self, &value, arazzo_schema_member(schema, name, length));
		item->required = arazzo_schema_requires(schema, name, length);
		template->names[template->count] = key;
		template->items[template->count++] = item;
		self->place.len = place;
	}
	arazzo_jsonb_prepare_keys(&template->keys, template->names, template->count);
	return template;
}

static TriggerTemplate *
compile_array(TemplateCompiler *self, const JsonbValue *array, const SchemaNode *schema)
{
	TriggerTemplate *template = make_template(TEMPLATE_ARRAY);
	const SchemaNode *elements = arazzo_schema_elements(schema);
	int			place = self->place.len;
	int			i;

	template->items = palloc(sizeof(TriggerTemplate *) * (arazzo_value_count(array) + 1));
	for (i = 0; i < arazzo_value_count(array); i++)
	{
		appendStringInfo(&self->place, "/%d", i);
		template->items[template->count++] = compile(self, arazzo_value_element(array, i), elements);
		self->place.len = place;
	}
	return template;
}

/* {"$rows": template} or "$rows", which stands for {"$rows": "$row"} */
static TriggerTemplate *
compile_rows(TemplateCompiler *self, const JsonbValue *row, const SchemaNode *schema)
{
	TriggerTemplate *template = make_template(TEMPLATE_ROWS);
	int			place = self->place.len;

	if (self->plan->for_each_row)
		report_expression(self, ROWS_NAME, "is for triggers FOR EACH STATEMENT");
	if (self->in_rows)
		report_expression(self, ROWS_NAME, "cannot stand within another");
	if (self->trigger->tgnewtable == NULL && self->trigger->tgoldtable == NULL)
		report_expression(self, ROWS_NAME, "needs the trigger's rows: REFERENCING NEW TABLE AS name, or OLD TABLE");
	self->in_rows = true;
	self->plan->has_rows = true;
	appendStringInfoString(&self->place, "/" ROWS_NAME);
	template->row = compile(self, row, arazzo_schema_elements(schema));
	self->place.len = place;
	self->in_rows = false;
	return template;
}

/* A string that begins with a dollar sign is an expression, with two a
 * string that begins with one. */
static TriggerTemplate *
compile_string(TemplateCompiler *self, const char *text, const SchemaNode *schema)
{
	TriggerTemplate *template;

	if (strcmp(text, ROWS_NAME) == 0)
		return compile_rows(self, arazzo_value_cstring("$row"), schema);
	if (strcmp(text, "$row") == 0 || strcmp(text, "$old") == 0)
		return compile_record(self, text, schema);
	if (text[0] == '$' && text[1] != '$')
	{
		template = make_template(TEMPLATE_VALUE);
		template->source = compile_source(self, text);
		template->source->takes = arazzo_schema_takes(schema);
		check_moment(self, template->source, text);
		return template;
	}
	template = compile_text(self, text[0] == '$' ? text + 1 : text);
	template->takes = arazzo_schema_takes(schema);
	if (template->parts == NIL)
		return make_constant(arazzo_value_cstring(""));
	if (list_length(template->parts) == 1 && ((TemplatePart *) linitial(template->parts))->source == NULL)
	{
		const TemplatePart *part = linitial(template->parts);

		return make_constant(arazzo_value_string(part->text, part->length));
	}
	return template;
}

/* A number may count seconds or milliseconds: nobody should have to guess. */
static void
check_moment(TemplateCompiler *self, const TriggerSource *source, const char *text)
{
	if (source->takes & (SCHEMA_TAKES_NUMBER | SCHEMA_TAKES_INTEGER) && !(source->takes & SCHEMA_TAKES_STRING) &&
		(source->type == TIMESTAMPTZOID || source->type == TIMESTAMPOID || source->type == DATEOID) &&
		!source->formed)
		report_expression(self, text, "is a moment where a number is wanted: say #ms or #s");
}

/* A whole row, as an object of its columns. */
static TriggerTemplate *
compile_record(TemplateCompiler *self, const char *text, const SchemaNode *schema)
{
	TupleDesc	descriptor = RelationGetDescr(self->relation);
	JsonbParseState *state = NULL;
	int			i;

	pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	for (i = 0; i < descriptor->natts; i++)
	{
		Form_pg_attribute attribute = TupleDescAttr(descriptor, i);
		const char *name = NameStr(attribute->attname);

		if (attribute->attisdropped)
			continue;
		pushJsonbValue(&state, WJB_KEY, arazzo_value_cstring(name));
		pushJsonbValue(&state, WJB_VALUE, arazzo_value_cstring(psprintf("%s.%s", text, quote_identifier(name))));
	}
	return compile_object(self, arazzo_value_from_jsonb(JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_OBJECT, NULL))),
						  schema);
}

/* Text with expressions in braces: {$row.column}; {$$ is a brace and a dollar
 * sign. */
static TriggerTemplate *
compile_text(TemplateCompiler *self, const char *text)
{
	TriggerTemplate *template = make_template(TEMPLATE_TEXT);

	while (*text)
	{
		const char *brace = strstr(text, "{$");
		const char *end;

		if (brace == NULL)
		{
			add_part(template, NULL, text, strlen(text));
			break;
		}
		if (brace[2] == '$')
		{
			add_part(template, NULL, text, brace + 2 - text);
			text = brace + 3;
			continue;
		}
		end = closing_brace(brace);
		if (end == NULL)
			report_expression(self, brace, "has no closing brace");
		if (brace > text)
			add_part(template, NULL, text, brace - text);
		add_part(template, compile_source(self, pnstrdup(brace + 1, end - brace - 1)), NULL, 0);
		text = end + 1;
	}
	return template;
}

/* The first one outside of a quoted name, or NULL. */
static const char *
closing_brace(const char *text)
{
	bool		quoted = false;

	for (; *text && (quoted || *text != '}'); text++)
	{
		if (*text == '"')
			quoted = !quoted;
	}
	return *text ? text : NULL;
}

static TriggerTemplate *
make_template(TemplateKind kind)
{
	TriggerTemplate *template = palloc0(sizeof(TriggerTemplate));

	template->kind = kind;
	return template;
}

static TriggerTemplate *
make_constant(const JsonbValue *value)
{
	TriggerTemplate *template = make_template(TEMPLATE_CONSTANT);

	template->constant = arazzo_value_copy(value);
	return template;
}

static void
add_part(TriggerTemplate *template, TriggerSource *source, const char *text, int length)
{
	TemplatePart *part = palloc(sizeof(TemplatePart));

	part->source = source;
	part->text = text;
	part->length = length;
	template->parts = lappend(template->parts, part);
}

static TriggerSource *
compile_source(TemplateCompiler *self, const char *text)
{
	static const struct
	{
		const char *text;
		SourceKind	kind;
	}			known[] = {
		{"$tg.op", SOURCE_OPERATION},
		{"$tg.table", SOURCE_TABLE},
		{"$tg.schema", SOURCE_SCHEMA},
		{"$tg.key", SOURCE_KEY},
	};
	TriggerSource *source;
	int			i;

	if (strncmp(text, "$row.", 5) == 0)
		return compile_column(self, SOURCE_ROW, text);
	if (strncmp(text, "$old.", 5) == 0)
		return compile_column(self, SOURCE_OLD, text);
	for (i = 0; i < lengthof(known); i++)
	{
		if (strcmp(text, known[i].text) != 0)
			continue;
		if (known[i].kind == SOURCE_KEY)
		{
			check_available(self, SOURCE_ROW, text);
			need_key(self);
		}
		source = palloc0(sizeof(TriggerSource));
		source->kind = known[i].kind;
		return source;
	}
	report_expression(self, text, "is not one of $row.column, $old.column, $rows, $tg.op, $tg.table, $tg.schema, $tg.key");
}

/* $row.name, $row."name", either with #form behind it */
static TriggerSource *
compile_column(TemplateCompiler *self, SourceKind kind, const char *text)
{
	TriggerSource *source = palloc0(sizeof(TriggerSource));
	const char *rest = text + strlen("$row.");
	char	   *name;

	check_available(self, kind, text);
	name = take_name(self, &rest);
	if (name[0] == '\0' || (rest[0] != '\0' && (rest[0] != '#' || rest[1] == '\0')))
		report_expression(self, text, "is malformed");
	source->kind = kind;
	arazzo_trigger_compile_column(source, self->relation, name, rest[0] == '#' ? rest + 1 : NULL);
	return source;
}

/* A column's name, and *text moved behind it. */
static char *
take_name(TemplateCompiler *self, const char **text)
{
	const char *start = *text;
	StringInfoData name;

	if (start[0] != '"')
	{
		*text += strcspn(start, "#");
		return pnstrdup(start, *text - start);
	}
	initStringInfo(&name);
	for ((*text)++; **text; (*text)++)
	{
		if (**text == '"' && *++(*text) != '"')
			return name.data;
		appendStringInfoChar(&name, **text);
	}
	report_expression(self, start, "has no closing quote");
}

static void
check_available(TemplateCompiler *self, SourceKind kind, const char *text)
{
	if (!self->plan->for_each_row && !self->in_rows)
		report_expression(self, text, "stands outside of {\"$rows\": ...}, where there is no row");
	if (!self->plan->for_each_row && kind == SOURCE_OLD)
		report_expression(self, text, "is for triggers FOR EACH ROW");
}

/* Reads the primary key, by the names it has in the topmost partitioned table. */
static void
need_key(TemplateCompiler *self)
{
	TriggerPlan *plan = self->plan;
	Oid			table = topmost(plan->relation);
	Bitmapset  *columns;
	Oid			constraint;
	int			column = -1;

	if (plan->key_start)
		return;
	columns = get_primary_key_attnos(table, true, &constraint);
	if (columns == NULL)
	{
		table = plan->relation;
		columns = get_primary_key_attnos(table, true, &constraint);
	}
	if (columns == NULL)
		ereport(ERROR,
				errcode(ERRCODE_INVALID_TABLE_DEFINITION),
				errmsg("table \"%s\" has no primary key, which $tg.key needs", plan->table));
	plan->key_columns = palloc0(sizeof(TriggerSource) * bms_num_members(columns));
	while ((column = bms_next_member(columns, column)) >= 0)
	{
		char	   *name = get_attname(table, column + FirstLowInvalidHeapAttributeNumber, false);

		arazzo_trigger_compile_column(&plan->key_columns[plan->key_count++], self->relation, name, NULL);
	}
	plan->key_relation = table;
	plan->key_start = psprintf("%s.%s", get_namespace_name(get_rel_namespace(table)), get_rel_name(table));
}

static Oid
topmost(Oid relation)
{
	return get_rel_relispartition(relation) ? llast_oid(get_partition_ancestors(relation)) : relation;
}

static void
compile_options(TemplateCompiler *self, const JsonbValue *options)
{
	ArazzoValueWalk walk;
	JsonbValue	key;
	JsonbValue	value;

	arazzo_value_walk(&walk, options);
	while (arazzo_value_next(&walk, &key, &value))
	{
		char	   *name = pnstrdup(key.val.string.val, key.val.string.len);

		resetStringInfo(&self->place);
		appendStringInfo(&self->place, "option %s", name);
		compile_option(self, name, &value);
	}
}

static void
compile_option(TemplateCompiler *self, const char *name, const JsonbValue *value)
{
	TriggerPlan *plan = self->plan;

	if (strcmp(name, "key") == 0)
		plan->key = text_option(self, name, value);
	else if (strcmp(name, "order_by") == 0)
		plan->order_by = text_option(self, name, value);
	else if (strcmp(name, "notify") == 0)
		plan->notify = text_option(self, name, value);
	else if (strcmp(name, "not_before") == 0)
		not_before_option(self, value);
	else if (strcmp(name, "max_rows") == 0)
		max_rows_option(self, value);
	else if (strcmp(name, "split") == 0 && value->type == jbvBool)
		plan->split = value->val.boolean;
	else if (strcmp(name, "split") == 0)
		report_option(name, "true or false");
	else
		ereport(ERROR,
				errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				errmsg("unknown option \"%s\" of the trigger", name),
				errhint("Options are key, order_by, notify, not_before, split and max_rows."));
}

static TriggerTemplate *
text_option(TemplateCompiler *self, const char *name, const JsonbValue *value)
{
	TriggerTemplate *text;

	if (value->type != jbvString)
		report_option(name, "a string");
	text = compile_string(self, arazzo_value_to_text(value), NULL);
	if (text->kind != TEMPLATE_CONSTANT && text->kind != TEMPLATE_TEXT && text->kind != TEMPLATE_VALUE)
		report_option(name, "a text");
	/* one key for all statements would be one run for all of them */
	if (strcmp(name, "key") == 0 && !self->plan->for_each_row)
		ereport(ERROR,
				errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				errmsg("option \"%s\" is for triggers FOR EACH ROW", name));
	return text;
}

/* A column with a moment or an interval, or an interval itself. */
static void
not_before_option(TemplateCompiler *self, const JsonbValue *value)
{
	TriggerPlan *plan = self->plan;
	char	   *text;

	if (value->type != jbvString)
		report_option("not_before", "a string");
	text = arazzo_value_to_text(value);
	if (text[0] != '$')
	{
		plan->delay = DatumGetIntervalP(DirectFunctionCall3(interval_in, CStringGetDatum(text),
															ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1)));
		return;
	}
	plan->not_before = compile_source(self, text);
	if (plan->not_before->formed)
		report_expression(self, text, "is a form, where the column itself is wanted");
	if (plan->not_before->type != TIMESTAMPTZOID && plan->not_before->type != TIMESTAMPOID &&
		plan->not_before->type != DATEOID && plan->not_before->type != INTERVALOID)
		report_option("not_before", "an interval, or a column that is an interval, a date or a timestamp");
}

static void
max_rows_option(TemplateCompiler *self, const JsonbValue *value)
{
	if (value->type == jbvNumeric)
		self->plan->max_rows = DatumGetInt64(DirectFunctionCall1(numeric_int8, NumericGetDatum(value->val.numeric)));
	if (self->plan->max_rows <= 0 || !arazzo_value_equal(value, arazzo_value_int64(self->plan->max_rows)))
		report_option("max_rows", "a number of rows");
	if (!self->plan->has_rows)
		ereport(ERROR,
				errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				errmsg("option \"max_rows\" needs a template with $rows"));
}

static void
report_expression(TemplateCompiler *self, const char *text, const char *problem)
{
	ereport(ERROR,
			errcode(ERRCODE_ARAZZO_EXPRESSION),
			errmsg("expression \"%s\" %s", text, problem),
			errdetail("It stands at %s.", self->place.data));
}

static void
report_option(const char *name, const char *wanted)
{
	ereport(ERROR,
			errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			errmsg("option \"%s\" of the trigger must be %s", name, wanted));
}

void
arazzo_trigger_error_context(void *argument)
{
	const Trigger *trigger = ((TriggerData *) argument)->tg_trigger;
	Relation	relation = ((TriggerData *) argument)->tg_relation;

	errcontext("trigger \"%s\" on table \"%s\"", trigger->tgname, RelationGetRelationName(relation));
}
