/*-------------------------------------------------------------------------
 *
 * read.c
 *	  Columns of a row as JSON values.
 *
 * No digit is lost on the way.  Moments are written in UTC, whatever the
 * session's time zone, so that the same row always gives the same inputs.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/transam.h"
#include "access/xact.h"
#include "catalog/pg_type.h"
#include "common/shortest_dec.h"
#include "executor/tuptable.h"
#include "nodes/makefuncs.h"
#include "parser/parse_relation.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/datetime.h"
#include "utils/fmgroids.h"
#include "utils/json.h"
#include "utils/lsyscache.h"
#include "utils/numeric.h"
#include "utils/rel.h"
#include "utils/timestamp.h"

#include "document/uri.h"
#include "support/compat.h"
#include "support/value.h"
#include "trigger/trigger.h"

/* Microseconds from 1970 to what timestamps count from. */
#define EPOCH_SHIFT ((POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * USECS_PER_DAY)

static ReadColumn reader(TriggerSource *source, const char *form);
static ReadColumn json_reader(TriggerSource *source, const char *pointer);
static ReadColumn time_reader(TriggerSource *source, const char *form);
static ReadColumn plain_reader(TriggerSource *source);
static ReadColumn output_reader(TriggerSource *source);
static ReadColumn any_reader(TriggerSource *source);
static void read_int2(TriggerSource *source, Datum column, JsonbValue *value);
static void read_int4(TriggerSource *source, Datum column, JsonbValue *value);
static void read_int8(TriggerSource *source, Datum column, JsonbValue *value);
static void read_numeric(TriggerSource *source, Datum column, JsonbValue *value);
static void read_float4(TriggerSource *source, Datum column, JsonbValue *value);
static void read_float8(TriggerSource *source, Datum column, JsonbValue *value);
static void read_boolean(TriggerSource *source, Datum column, JsonbValue *value);
static void read_string(TriggerSource *source, Datum column, JsonbValue *value);
static void read_padded(TriggerSource *source, Datum column, JsonbValue *value);
static void read_output(TriggerSource *source, Datum column, JsonbValue *value);
static void read_base64(TriggerSource *source, Datum column, JsonbValue *value);
static void read_jsonb(TriggerSource *source, Datum column, JsonbValue *value);
static void read_any(TriggerSource *source, Datum column, JsonbValue *value);
static void read_iso(TriggerSource *source, Datum column, JsonbValue *value);
static void read_milliseconds(TriggerSource *source, Datum column, JsonbValue *value);
static void read_seconds(TriggerSource *source, Datum column, JsonbValue *value);
static void set_jsonb(JsonbValue *value, Jsonb *jsonb);
static void set_number(JsonbValue *value, Numeric number);
static void set_integer(JsonbValue *value, int64 number);
static void set_float(JsonbValue *value, const char *text);
static void set_text(JsonbValue *value, const char *text);
static int64 since_epoch(const TriggerSource *source, Datum column, int64 unit);
static bool read_column(TupleTableSlot *slot, TriggerSource *source, JsonbValue *value);
static bool read_pointer(TriggerSource *source, JsonbValue *value);
static char *key_text(TriggerChange *change);
static void append_key_column(StringInfo out, TupleTableSlot *slot, TriggerSource *source);
static void fit_text(JsonbValue *value, int takes);

void
arazzo_trigger_compile_column(TriggerSource *source, Relation relation, const char *name, const char *form)
{
	AttrNumber	number = attnameAttNum(relation, name, false);
	Form_pg_attribute attribute;

	if (number == InvalidAttrNumber)
		ereport(ERROR,
				errcode(ERRCODE_UNDEFINED_COLUMN),
				errmsg("column \"%s\" of relation \"%s\" does not exist", name, RelationGetRelationName(relation)));
	attribute = TupleDescAttr(RelationGetDescr(relation), number - 1);
	if (arazzo_is_virtual_column(attribute))
		ereport(ERROR,
				errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				errmsg("virtual generated column \"%s\" cannot be sent by a trigger", name));
	source->column = number;
	source->type = getBaseType(attribute->atttypid);
	source->formed = form != NULL;
	source->read = reader(source, form);
	if (source->read == NULL)
		ereport(ERROR,
				errcode(ERRCODE_ARAZZO_EXPRESSION),
				errmsg("column \"%s\" of type %s has no form \"#%s\"", name, format_type_be(source->type), form),
				errhint("Forms are #iso, #ms and #s of dates and timestamps, #base64 of bytea, #/pointer of json, and #text of any type."));
}

/* NULL when the type has no such form. */
static ReadColumn
reader(TriggerSource *source, const char *form)
{
	if (form && form[0] == '/')
		return json_reader(source, form);
	if (form && strcmp(form, "text") == 0)
		return output_reader(source);
	if (form && strcmp(form, "base64") == 0)
		return source->type == BYTEAOID ? read_base64 : NULL;
	if (source->type == TIMESTAMPTZOID || source->type == TIMESTAMPOID || source->type == DATEOID)
		return time_reader(source, form);
	return form ? NULL : plain_reader(source);
}

static ReadColumn
json_reader(TriggerSource *source, const char *pointer)
{
	if ((source->type != JSONBOID && source->type != JSONOID) ||
		!arazzo_pointer_parse(pointer, strlen(pointer), &source->tokens, &source->token_count))
		return NULL;
	return plain_reader(source);
}

static ReadColumn
time_reader(TriggerSource *source, const char *form)
{
	if (form == NULL || strcmp(form, "iso") == 0)
		return read_iso;
	if (strcmp(form, "ms") == 0)
		return read_milliseconds;
	return strcmp(form, "s") == 0 ? read_seconds : NULL;
}

static ReadColumn
plain_reader(TriggerSource *source)
{
	switch (source->type)
	{
		case INT2OID:
			return read_int2;
		case INT4OID:
			return read_int4;
		case INT8OID:
			return read_int8;
		case NUMERICOID:
			return read_numeric;
		case FLOAT4OID:
			return read_float4;
		case FLOAT8OID:
			return read_float8;
		case BOOLOID:
			return read_boolean;
		case TEXTOID:
		case VARCHAROID:
			return read_string;
		case BPCHAROID:
			return read_padded;
		case UUIDOID:
			return output_reader(source);
		case JSONBOID:
			return read_jsonb;
		default:
			return type_is_enum(source->type) ? output_reader(source) : any_reader(source);
	}
}

static ReadColumn
output_reader(TriggerSource *source)
{
	Oid			function;
	bool		varlena;

	getTypeOutputInfo(source->type, &function, &varlena);
	fmgr_info(function, &source->function);
	return read_output;
}

/* As to_jsonb has it: composites, arrays, ranges, casts to json, ... */
static ReadColumn
any_reader(TriggerSource *source)
{
	Node	   *argument = (Node *) makeNullConst(source->type, -1, InvalidOid);

	fmgr_info(F_TO_JSONB, &source->function);
	fmgr_info_set_expr((Node *) makeFuncExpr(F_TO_JSONB, JSONBOID, list_make1(argument), InvalidOid, InvalidOid,
											 COERCE_EXPLICIT_CALL), &source->function);
	return read_any;
}

static void
read_int2(TriggerSource *source, Datum column, JsonbValue *value)
{
	set_integer(value, DatumGetInt16(column));
}

static void
read_int4(TriggerSource *source, Datum column, JsonbValue *value)
{
	set_integer(value, DatumGetInt32(column));
}

static void
read_int8(TriggerSource *source, Datum column, JsonbValue *value)
{
	set_integer(value, DatumGetInt64(column));
}

/* JSON has no word for what is no number, so it becomes a string. */
static void
read_numeric(TriggerSource *source, Datum column, JsonbValue *value)
{
	Numeric		number = DatumGetNumeric(column);

	if (numeric_is_nan(number) || numeric_is_inf(number))
		set_text(value, DatumGetCString(DirectFunctionCall1(numeric_out, NumericGetDatum(number))));
	else
		set_number(value, number);
}

/* The shortest text that stands for the same number, whatever the session's
 * extra_float_digits. */
static void
read_float4(TriggerSource *source, Datum column, JsonbValue *value)
{
	char		text[FLOAT_SHORTEST_DECIMAL_LEN];

	float_to_shortest_decimal_buf(DatumGetFloat4(column), text);
	set_float(value, text);
}

static void
read_float8(TriggerSource *source, Datum column, JsonbValue *value)
{
	char		text[DOUBLE_SHORTEST_DECIMAL_LEN];

	double_to_shortest_decimal_buf(DatumGetFloat8(column), text);
	set_float(value, text);
}

static void
read_boolean(TriggerSource *source, Datum column, JsonbValue *value)
{
	value->type = jbvBool;
	value->val.boolean = DatumGetBool(column);
}

static void
read_string(TriggerSource *source, Datum column, JsonbValue *value)
{
	text	   *string = DatumGetTextPP(column);

	value->type = jbvString;
	value->val.string.val = VARDATA_ANY(string);
	value->val.string.len = VARSIZE_ANY_EXHDR(string);
}

/* The padding of char(n) is no part of the value. */
static void
read_padded(TriggerSource *source, Datum column, JsonbValue *value)
{
	read_string(source, column, value);
	value->val.string.len = bpchartruelen(value->val.string.val, value->val.string.len);
}

static void
read_output(TriggerSource *source, Datum column, JsonbValue *value)
{
	set_text(value, OutputFunctionCall(&source->function, column));
}

static void
read_base64(TriggerSource *source, Datum column, JsonbValue *value)
{
	text	   *encoded = DatumGetTextPP(DirectFunctionCall2(binary_encode, column, CStringGetTextDatum("base64")));
	const char *data = VARDATA_ANY(encoded);
	StringInfoData out;
	int			i;

	/* without the line breaks that MIME has */
	initStringInfo(&out);
	for (i = 0; i < VARSIZE_ANY_EXHDR(encoded); i++)
	{
		if (data[i] != '\n')
			appendStringInfoChar(&out, data[i]);
	}
	set_text(value, out.data);
}

static void
read_jsonb(TriggerSource *source, Datum column, JsonbValue *value)
{
	set_jsonb(value, DatumGetJsonbP(column));
}

static void
read_any(TriggerSource *source, Datum column, JsonbValue *value)
{
	set_jsonb(value, DatumGetJsonbP(FunctionCall1(&source->function, column)));
}

static void
read_iso(TriggerSource *source, Datum column, JsonbValue *value)
{
	char		text[MAXDATELEN + 1];
	int			utc = 0;

	if (source->type == DATEOID)
		JsonEncodeDateTime(text, column, DATEOID, NULL);
	else
		JsonEncodeDateTime(text, column, TIMESTAMPTZOID, &utc);
	set_text(value, pstrdup(text));
}

static void
read_milliseconds(TriggerSource *source, Datum column, JsonbValue *value)
{
	set_integer(value, since_epoch(source, column, USECS_PER_SEC / 1000));
}

static void
read_seconds(TriggerSource *source, Datum column, JsonbValue *value)
{
	set_integer(value, since_epoch(source, column, USECS_PER_SEC));
}

/* Whole units, what is left over dropped. */
static int64
since_epoch(const TriggerSource *source, Datum column, int64 unit)
{
	int64		moment = source->type == DATEOID ?
		date2timestamp_opt_overflow(DatumGetDateADT(column), NULL) : DatumGetTimestamp(column);
	int64		units;

	if (TIMESTAMP_NOT_FINITE(moment))
		ereport(ERROR,
				errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				errmsg("an infinite moment cannot be written as a number"));
	/* unit by unit, since the shift may not fit */
	units = moment / unit;
	if (moment % unit < 0)
		units--;
	return units + EPOCH_SHIFT / unit;
}

static void
set_jsonb(JsonbValue *value, Jsonb *jsonb)
{
	*value = *arazzo_value_from_jsonb(jsonb);
}

static void
set_number(JsonbValue *value, Numeric number)
{
	value->type = jbvNumeric;
	value->val.numeric = number;
}

static void
set_integer(JsonbValue *value, int64 number)
{
	set_number(value, int64_to_numeric(number));
}

/* Infinity and NaN are strings. */
static void
set_float(JsonbValue *value, const char *text)
{
	if (strspn(text, "+-0123456789.e") == strlen(text))
		set_number(value, DatumGetNumeric(DirectFunctionCall3(numeric_in, CStringGetDatum(text),
															  ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1))));
	else
		set_text(value, pstrdup(text));
}

static void
set_text(JsonbValue *value, const char *text)
{
	value->type = jbvString;
	value->val.string.val = unconstify(char *, text);
	value->val.string.len = strlen(text);
}

bool
arazzo_trigger_read(TriggerChange *change, TriggerSource *source, JsonbValue *value)
{
	switch (source->kind)
	{
		case SOURCE_ROW:
			if (!read_column(change->row, source, value))
				return false;
			break;
		case SOURCE_OLD:
			if (change->old == NULL || !read_column(change->old, source, value))
				return false;
			break;
		case SOURCE_OPERATION:
			set_text(value, change->operation);
			break;
		case SOURCE_TABLE:
			set_text(value, change->plan->table);
			break;
		case SOURCE_SCHEMA:
			set_text(value, change->plan->schema);
			break;
		case SOURCE_KEY:
			set_text(value, key_text(change));
			break;
	}
	arazzo_trigger_fit(value, source->takes);
	return true;
}

static bool
read_column(TupleTableSlot *slot, TriggerSource *source, JsonbValue *value)
{
	bool		isnull;
	Datum		column = slot_getattr(slot, source->column, &isnull);

	if (isnull)
		return false;
	source->read(source, column, value);
	return source->tokens == NULL || read_pointer(source, value);
}

/* What is not there is as good as NULL; so is the null of JSON, which a
 * column would have as NULL. */
static bool
read_pointer(TriggerSource *source, JsonbValue *value)
{
	JsonbValue *found = arazzo_pointer_value(value, source->tokens, source->token_count);

	if (found == NULL || found->type == jbvNull)
		return false;
	*value = *found;
	return true;
}

/*
 * A name of what happened to a row: table and primary key.  A row is inserted
 * once and deleted once under its key, but updated many times, so that an
 * UPDATE adds its transaction and what is unique in that.
 */
static char *
key_text(TriggerChange *change)
{
	TriggerPlan *plan = change->plan;
	StringInfoData out;
	int			i;

	initStringInfo(&out);
	appendStringInfoString(&out, plan->key_start);
	for (i = 0; i < plan->key_count; i++)
	{
		appendStringInfoChar(&out, i == 0 ? '/' : ',');
		append_key_column(&out, change->row, &plan->key_columns[i]);
	}
	if (strcmp(change->operation, "DELETE") == 0)
		appendStringInfoString(&out, "/delete");
	else if (strcmp(change->operation, "UPDATE") == 0)
	{
		appendStringInfo(&out, "/update/" UINT64_FORMAT, U64FromFullTransactionId(GetTopFullTransactionId()));
		if (change->ordinal > 0)
			appendStringInfo(&out, ".%u." INT64_FORMAT, GetCurrentCommandId(false), change->ordinal);
		else
			appendStringInfo(&out, ".%u.%u", ItemPointerGetBlockNumber(&change->row->tts_tid),
							 ItemPointerGetOffsetNumber(&change->row->tts_tid));
	}
	return out.data;
}

/* What parts a key is not mistaken for a part of a value. */
static void
append_key_column(StringInfo out, TupleTableSlot *slot, TriggerSource *source)
{
	JsonbValue	value;
	char	   *text;

	if (!read_column(slot, source, &value))
		return;
	for (text = arazzo_value_to_text(&value); *text; text++)
	{
		if (strchr("%/,", *text))
			appendStringInfo(out, "%%%02X", *text);
		else
			appendStringInfoChar(out, *text);
	}
}

void
arazzo_trigger_fit(JsonbValue *value, int takes)
{
	if (takes == 0)
		return;
	if (value->type == jbvString && !(takes & SCHEMA_TAKES_STRING))
		fit_text(value, takes);
	else if ((value->type == jbvBool && !(takes & SCHEMA_TAKES_BOOLEAN) && (takes & SCHEMA_TAKES_STRING)) ||
			 (value->type == jbvNumeric && !(takes & (SCHEMA_TAKES_NUMBER | SCHEMA_TAKES_INTEGER)) &&
			  (takes & SCHEMA_TAKES_STRING)))
		set_text(value, arazzo_value_to_text(value));
}

/* A text that is JSON, and the same text when it is written again. */
static void
fit_text(JsonbValue *value, int takes)
{
	ArazzoFailure *failure = NULL;
	JsonbValue *parsed = arazzo_value_parse_json(value->val.string.val, value->val.string.len, &failure);
	char	   *text;

	if (parsed == NULL ||
		!((parsed->type == jbvBool && (takes & SCHEMA_TAKES_BOOLEAN)) ||
		  (parsed->type == jbvNumeric && (takes & (SCHEMA_TAKES_NUMBER | SCHEMA_TAKES_INTEGER)))))
		return;
	text = arazzo_value_to_text(parsed);
	if (strlen(text) == value->val.string.len && memcmp(text, value->val.string.val, value->val.string.len) == 0)
		*value = *parsed;
}
