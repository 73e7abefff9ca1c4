/*-------------------------------------------------------------------------
 *
 * jsonb_writer.c
 *	  Writes jsonb front to back, without a tree of values in between.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "support/jsonb_writer.h"

static void pad(StringInfo out);
static JEntry write_bytes(StringInfo out, const void *data, int length, JEntry type, int start);

void
arazzo_jsonb_begin_datum(StringInfo out)
{
	initStringInfo(out);
	appendStringInfoSpaces(out, VARHDRSZ);
}

Jsonb *
arazzo_jsonb_end_datum(StringInfo out)
{
	SET_VARSIZE(out->data, out->len);
	return (Jsonb *) out->data;
}

void
arazzo_jsonb_begin(JsonbWriter *writer, StringInfo out, uint32 kind, int count)
{
	int			entries = kind == JB_FOBJECT ? 2 * count : count;
	uint32		header = kind | count;

	if (count > JB_CMASK)
		ereport(ERROR,
				errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				errmsg("number of jsonb elements exceeds the maximum allowed (%u)", JB_CMASK));
	writer->out = out;
	writer->start = out->len;
	pad(out);
	appendBinaryStringInfo(out, (char *) &header, sizeof(header));
	writer->entries = out->len;
	enlargeStringInfo(out, entries * sizeof(JEntry));
	out->len += entries * sizeof(JEntry);
	writer->index = 0;
	writer->total = 0;
}

/* Each entry holds a length, but every so many the end of its value. */
void
arazzo_jsonb_entry(JsonbWriter *writer, JEntry entry)
{
	writer->total += JBE_OFFLENFLD(entry);
	if (writer->total > JENTRY_OFFLENMASK)
		ereport(ERROR,
				errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				errmsg("total size of jsonb elements exceeds the maximum of %u bytes", JENTRY_OFFLENMASK));
	if (writer->index % JB_OFFSET_STRIDE == 0)
		entry = (entry & JENTRY_TYPEMASK) | (JEntry) writer->total | JENTRY_HAS_OFF;
	memcpy(writer->out->data + writer->entries + writer->index * sizeof(JEntry), &entry, sizeof(entry));
	writer->index++;
}

JEntry
arazzo_jsonb_end(JsonbWriter *writer)
{
	int			length = writer->out->len - writer->start;

	if (length > JENTRY_OFFLENMASK)
		ereport(ERROR,
				errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				errmsg("total size of jsonb elements exceeds the maximum of %u bytes", JENTRY_OFFLENMASK));
	return JENTRY_ISCONTAINER | length;
}

void
arazzo_jsonb_prepare_keys(JsonbKeys *keys, const JsonbValue *names, int count)
{
	StringInfoData out;
	JsonbWriter writer;
	int			i;

	initStringInfo(&out);
	arazzo_jsonb_begin(&writer, &out, JB_FOBJECT, count);
	for (i = 0; i < count; i++)
		arazzo_jsonb_entry(&writer, arazzo_jsonb_write(&out, &names[i]));
	keys->count = count;
	keys->entries = (JEntry *) (out.data + writer.entries);
	keys->bytes = out.data + writer.entries + 2 * count * sizeof(JEntry);
	keys->length = writer.total;
}

void
arazzo_jsonb_keys(JsonbWriter *writer, const JsonbKeys *keys)
{
	memcpy(writer->out->data + writer->entries, keys->entries, keys->count * sizeof(JEntry));
	appendBinaryStringInfo(writer->out, keys->bytes, keys->length);
	writer->index = keys->count;
	writer->total = keys->length;
}

JEntry
arazzo_jsonb_write(StringInfo out, const JsonbValue *value)
{
	int			start = out->len;

	switch (value->type)
	{
		case jbvNull:
			return JENTRY_ISNULL;
		case jbvBool:
			return value->val.boolean ? JENTRY_ISBOOL_TRUE : JENTRY_ISBOOL_FALSE;
		case jbvString:
			return write_bytes(out, value->val.string.val, value->val.string.len, JENTRY_ISSTRING, start);
		case jbvNumeric:
			pad(out);
			return write_bytes(out, value->val.numeric, VARSIZE_ANY(value->val.numeric), JENTRY_ISNUMERIC, start);
		default:
			Assert(value->type == jbvBinary);
			pad(out);
			return write_bytes(out, value->val.binary.data, value->val.binary.len, JENTRY_ISCONTAINER, start);
	}
}

/* Numbers and containers are aligned; the padding belongs to them. */
static void
pad(StringInfo out)
{
	while (out->len != INTALIGN(out->len))
		appendStringInfoChar(out, '\0');
}

static JEntry
write_bytes(StringInfo out, const void *data, int length, JEntry type, int start)
{
	if (length > JENTRY_OFFLENMASK)
		ereport(ERROR,
				errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				errmsg("string or number of %d bytes is too long for jsonb", length));
	appendBinaryStringInfo(out, data, length);
	return type | (out->len - start);
}
