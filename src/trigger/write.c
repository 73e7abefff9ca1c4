/*-------------------------------------------------------------------------
 *
 * write.c
 *	  Rows as the inputs of a run, by the template of a trigger.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "executor/tuptable.h"
#include "miscadmin.h"
#include "utils/memutils.h"

#include "support/value.h"
#include "trigger/trigger.h"

static bool write_template(TriggerChange *change, StringInfo out, const TriggerTemplate *template, JEntry *entry);
static bool is_container(const TriggerTemplate *template);
static bool evaluate(TriggerChange *change, const TriggerTemplate *template, JsonbValue *value);
static bool append_parts(TriggerChange *change, StringInfo out, const TriggerTemplate *template);
static JEntry write_object(TriggerChange *change, StringInfo out, const TriggerTemplate *template);
static JEntry write_array(TriggerChange *change, StringInfo out, const TriggerTemplate *template);
static JEntry write_rows(TriggerChange *change, StringInfo out, const TriggerTemplate *template);

Jsonb *
arazzo_trigger_inputs(TriggerChange *change)
{
	StringInfoData out;
	JEntry		entry;

	arazzo_jsonb_begin_datum(&out);
	(void) write_template(change, &out, change->plan->inputs, &entry);
	return arazzo_jsonb_end_datum(&out);
}

char *
arazzo_trigger_text(TriggerChange *change, const TriggerTemplate *text)
{
	JsonbValue	value;

	if (text == NULL || !evaluate(change, text, &value))
		return NULL;
	return arazzo_value_to_text(&value);
}

/* False when it has no value. */
static bool
write_template(TriggerChange *change, StringInfo out, const TriggerTemplate *template, JEntry *entry)
{
	JsonbValue	value;

	switch (template->kind)
	{
		case TEMPLATE_OBJECT:
			*entry = write_object(change, out, template);
			return true;
		case TEMPLATE_ARRAY:
			*entry = write_array(change, out, template);
			return true;
		case TEMPLATE_ROWS:
			*entry = write_rows(change, out, template);
			return true;
		default:
			if (!evaluate(change, template, &value))
				return false;
			*entry = arazzo_jsonb_write(out, &value);
			return true;
	}
}

static bool
is_container(const TriggerTemplate *template)
{
	return template->kind == TEMPLATE_OBJECT || template->kind == TEMPLATE_ARRAY || template->kind == TEMPLATE_ROWS;
}

/* The value of what is no container; false when it has none. */
static bool
evaluate(TriggerChange *change, const TriggerTemplate *template, JsonbValue *value)
{
	StringInfoData text;

	if (template->kind == TEMPLATE_VALUE)
		return arazzo_trigger_read(change, template->source, value);
	if (template->kind == TEMPLATE_CONSTANT)
	{
		*value = *template->constant;
		return true;
	}
	initStringInfo(&text);
	if (!append_parts(change, &text, template))
		return false;
	value->type = jbvString;
	value->val.string.val = text.data;
	value->val.string.len = text.len;
	arazzo_trigger_fit(value, template->takes);
	return true;
}

/* As of ||, the whole is NULL when a part of it is. */
static bool
append_parts(TriggerChange *change, StringInfo out, const TriggerTemplate *template)
{
	ListCell   *cell;

	foreach(cell, template->parts)
	{
		const TemplatePart *part = lfirst(cell);
		JsonbValue	value;

		if (part->source == NULL)
			appendBinaryStringInfo(out, part->text, part->length);
		else if (arazzo_trigger_read(change, part->source, &value))
			arazzo_value_append_text(out, &value);
		else
			return false;
	}
	return true;
}

/* Members are looked at before anything is written: those that have no value
 * are left out, or null where the schema wants them. */
static JEntry
write_object(TriggerChange *change, StringInfo out, const TriggerTemplate *template)
{
	JsonbValue *values = palloc(sizeof(JsonbValue) * (template->count + 1));
	bool	   *present = palloc(sizeof(bool) * (template->count + 1));
	JsonbWriter writer;
	JEntry		entry;
	int			count = 0;
	int			i;

	for (i = 0; i < template->count; i++)
	{
		present[i] = is_container(template->items[i]) || evaluate(change, template->items[i], &values[i]);
		if (!present[i] && template->items[i]->required)
		{
			values[i].type = jbvNull;
			present[i] = true;
		}
		count += present[i];
	}
	arazzo_jsonb_begin(&writer, out, JB_FOBJECT, count);
	if (count == template->count)
		arazzo_jsonb_keys(&writer, &template->keys);
	for (i = 0; count < template->count && i < template->count; i++)
	{
		if (present[i])
			arazzo_jsonb_entry(&writer, arazzo_jsonb_write(out, &template->names[i]));
	}
	for (i = 0; i < template->count; i++)
	{
		if (!present[i])
			continue;
		if (is_container(template->items[i]))
			(void) write_template(change, out, template->items[i], &entry);
		else
			entry = arazzo_jsonb_write(out, &values[i]);
		arazzo_jsonb_entry(&writer, entry);
	}
	return arazzo_jsonb_end(&writer);
}

/* Elements keep their places: one without a value is null. */
static JEntry
write_array(TriggerChange *change, StringInfo out, const TriggerTemplate *template)
{
	JsonbWriter writer;
	JEntry		entry;
	int			i;

	arazzo_jsonb_begin(&writer, out, JB_FARRAY, template->count);
	for (i = 0; i < template->count; i++)
	{
		if (!write_template(change, out, template->items[i], &entry))
			entry = JENTRY_ISNULL;
		arazzo_jsonb_entry(&writer, entry);
	}
	return arazzo_jsonb_end(&writer);
}

static JEntry
write_rows(TriggerChange *change, StringInfo out, const TriggerTemplate *template)
{
	TupleTableSlot *slot = change->slot;
	JsonbWriter writer;
	JEntry		entry;
	int64		i;

	if (change->count > JB_CMASK)
		ereport(ERROR,
				errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				errmsg("statement has more rows than one run can take"),
				errhint("Use the option max_rows."));
	tuplestore_rescan(change->rows);
	(void) tuplestore_skiptuples(change->rows, change->first, true);
	arazzo_jsonb_begin(&writer, out, JB_FARRAY, change->count);
	change->row = slot;
	for (i = 0; i < change->count; i++)
	{
		MemoryContext old = MemoryContextSwitchTo(change->row_context);

		CHECK_FOR_INTERRUPTS();
		(void) tuplestore_gettupleslot(change->rows, true, false, slot);
		change->ordinal = change->first + i + 1;
		if (!write_template(change, out, template->row, &entry))
			entry = JENTRY_ISNULL;
		arazzo_jsonb_entry(&writer, entry);
		MemoryContextSwitchTo(old);
		MemoryContextReset(change->row_context);
	}
	ExecClearTuple(slot);
	change->row = NULL;
	change->ordinal = 0;
	return arazzo_jsonb_end(&writer);
}
