/*-------------------------------------------------------------------------
 *
 * value_text.c
 *	  Values as text: JSON (RFC 8259) out and in.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "support/value.h"

static void append_container(StringInfo out, JsonbContainer *container);
static void append_number(StringInfo out, Numeric number);

void
arazzo_value_append_json(StringInfo out, const JsonbValue *value)
{
	if (value == NULL)
	{
		appendBinaryStringInfo(out, "null", 4);
		return;
	}
	switch (value->type)
	{
		case jbvNull:
			appendBinaryStringInfo(out, "null", 4);
			break;
		case jbvBool:
			appendStringInfoString(out, value->val.boolean ? "true" : "false");
			break;
		case jbvNumeric:
			append_number(out, value->val.numeric);
			break;
		case jbvString:
			arazzo_value_append_json_string(out, value->val.string.val, value->val.string.len);
			break;
		default:
			append_container(out, value->val.binary.data);
			break;
	}
}

/* A number with all its digits; numeric_out never writes an exponent. */
static void
append_number(StringInfo out, Numeric number)
{
	char	   *digits = DatumGetCString(DirectFunctionCall1(numeric_out, NumericGetDatum(number)));

	appendStringInfoString(out, digits);
	pfree(digits);
}

/* Writes an object or array; depth is the iterator's, not the stack's. */
static void
append_container(StringInfo out, JsonbContainer *container)
{
	JsonbIterator *iterator = JsonbIteratorInit(container);
	JsonbIteratorToken token;
	JsonbValue	item;
	bool		first = true;

	while ((token = JsonbIteratorNext(&iterator, &item, false)) != WJB_DONE)
	{
		CHECK_FOR_INTERRUPTS();
		switch (token)
		{
			case WJB_BEGIN_ARRAY:
			case WJB_BEGIN_OBJECT:
				if (!first)
					appendStringInfoChar(out, ',');
				appendStringInfoChar(out, token == WJB_BEGIN_ARRAY ? '[' : '{');
				first = true;
				break;
			case WJB_END_ARRAY:
			case WJB_END_OBJECT:
				appendStringInfoChar(out, token == WJB_END_ARRAY ? ']' : '}');
				first = false;
				break;
			case WJB_KEY:
				if (!first)
					appendStringInfoChar(out, ',');
				arazzo_value_append_json_string(out, item.val.string.val, item.val.string.len);
				appendStringInfoChar(out, ':');
				first = true;	/* the value follows without a comma */
				break;
			case WJB_VALUE:
			case WJB_ELEM:
				if (!first)
					appendStringInfoChar(out, ',');
				arazzo_value_append_json(out, &item);
				first = false;
				break;
			default:
				break;
		}
	}
}

void
arazzo_value_append_json_string(StringInfo out, const char *data, int length)
{
	static const char hex[] = "0123456789abcdef";
	int			start = 0;
	int			i;

	appendStringInfoChar(out, '"');
	for (i = 0; i < length; i++)
	{
		unsigned char c = data[i];
		char		escape[6] = {'\\', 'u', '0', '0', 0, 0};
		int			size = 2;

		if (c >= 0x20 && c != '"' && c != '\\')
			continue;
		switch (c)
		{
			case '"':
			case '\\':
				escape[1] = c;
				break;
			case '\n':
				escape[1] = 'n';
				break;
			case '\r':
				escape[1] = 'r';
				break;
			case '\t':
				escape[1] = 't';
				break;
			case '\b':
				escape[1] = 'b';
				break;
			case '\f':
				escape[1] = 'f';
				break;
			default:
				escape[4] = hex[c >> 4];
				escape[5] = hex[c & 15];
				size = 6;
				break;
		}
		appendBinaryStringInfo(out, data + start, i - start);
		appendBinaryStringInfo(out, escape, size);
		start = i + 1;
	}
	appendBinaryStringInfo(out, data + start, length - start);
	appendStringInfoChar(out, '"');
}

void
arazzo_value_append_text(StringInfo out, const JsonbValue *value)
{
	if (value != NULL && value->type == jbvString)
		appendBinaryStringInfo(out, value->val.string.val, value->val.string.len);
	else
		arazzo_value_append_json(out, value);
}

char *
arazzo_value_to_text(const JsonbValue *value)
{
	StringInfoData text;

	initStringInfo(&text);
	arazzo_value_append_text(&text, value);
	return text.data;
}

/*
 * jsonb_in reports bad text by an error.  It holds no resource but memory, so
 * the error can be caught without a subtransaction; interrupts and exhausted
 * memory go on to whoever is above.
 */
JsonbValue *
arazzo_value_parse_json(const char *text, size_t length, ArazzoFailure **failure)
{
	MemoryContext context = CurrentMemoryContext;
	JsonbValue *volatile value = NULL;
	char	   *copy;

	if (length >= MaxAllocSize)
	{
		*failure = arazzo_failure_make(ERRCODE_PROGRAM_LIMIT_EXCEEDED, "JSON text is too long");
		return NULL;
	}
	if (!pg_verifymbstr(text, length, true))
	{
		*failure = arazzo_failure_make(ERRCODE_CHARACTER_NOT_IN_REPERTOIRE,
									   "invalid byte sequence for encoding \"%s\"",
									   GetDatabaseEncodingName());
		return NULL;
	}
	copy = pnstrdup(text, length);
	PG_TRY();
	{
		Datum		jsonb = DirectFunctionCall1(jsonb_in, CStringGetDatum(copy));

		value = arazzo_value_from_jsonb(DatumGetJsonbP(jsonb));
	}
	PG_CATCH();
	{
		ErrorData  *error;

		if (arazzo_error_passes(geterrcode()))
			PG_RE_THROW();
		MemoryContextSwitchTo(context);
		error = CopyErrorData();
		FlushErrorState();
		*failure = arazzo_failure_from_error(error);
		FreeErrorData(error);
	}
	PG_END_TRY();
	pfree(copy);
	return value;
}
