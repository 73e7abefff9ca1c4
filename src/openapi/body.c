/*-------------------------------------------------------------------------
 *
 * body.c
 *	  Request bodies by media type.
 *
 * A payload that is a string is the body as the document wrote it (Arazzo
 * 1.1.0, Request Body Object), but for JSON, where it is a JSON string; a
 * string that is a template of JSON text does not come here.  Objects and
 * arrays go to JSON, forms, multipart and YAML (of which JSON is a part), and
 * an array to the line-wise forms of JSON; no mapping of them to XML, text or
 * bytes is attempted.  Where the description leaves the type open, it is that
 * of the payload.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "openapi/binary.h"
#include "openapi/body.h"
#include "openapi/charset.h"
#include "openapi/media_type.h"
#include "openapi/serialize.h"

static const char *concrete_type(const char *content_type, const OpenapiMediaType *description,
								 const JsonbValue *payload);
static const char *type_of_payload(const OpenapiMediaType *description, const JsonbValue *payload);
static bool is_form(const char *type);
static bool is_multipart(const char *type);
static bool is_lines(const char *type);
static bool is_any(const char *type);
static bool write_json(BodyWriter *writer);
static bool write_as_is(BodyWriter *writer);
static bool write_lines(BodyWriter *writer);
static bool write_yaml(BodyWriter *writer);
static bool write_text(BodyWriter *writer);
static bool write_bytes(BodyWriter *writer);
static bool is_open(const char *content_type, const OpenapiMediaType *description);
static bool is_json_text(const JsonbValue *string);

/* In order; a string goes to forms and multipart as it is. */
static const struct
{
	bool		(*accepts) (const char *type);
	bool		(*write) (BodyWriter *writer);
	bool		string_as_is;
}			writers[] =
{
	{arazzo_media_type_is_json, write_json, false},
	{is_form, arazzo_body_write_form, true},
	{is_multipart, arazzo_body_write_multipart, true},
	{is_lines, write_lines, true},
	{arazzo_media_type_is_yaml, write_yaml, true},
	{arazzo_media_type_is_text, write_text, false},
	{is_any, write_bytes, false}
};

bool
arazzo_serialize_body(StringInfo out, const char *content_type,
					  const OpenapiMediaType *description,
					  const JsonbValue *payload, const ArazzoNode *order,
					  const char **sent_type, ArazzoFailure **failure)
{
	BodyWriter	writer = {0};
	int			start = out->len;
	bool		written;
	size_t		i;

	*sent_type = NULL;
	if (payload == NULL)
		return true;
	writer.out = out;
	writer.description = description;
	writer.payload = payload;
	writer.order = order;
	writer.content_type = concrete_type(content_type, description, payload);
	writer.sent_type = writer.content_type;
	for (i = 0; !writers[i].accepts(writer.content_type); i++)
		;
	if (payload->type == jbvString &&
		(writers[i].string_as_is || (is_open(content_type, description) && is_json_text(payload))))
		written = write_as_is(&writer);
	else
		written = writers[i].write(&writer);
	if (written)
	{
		*sent_type = writer.sent_type;
		return true;
	}
	out->len = start;
	out->data[start] = '\0';
	*failure = writer.failure;
	return false;
}

bool
arazzo_body_refuse(BodyWriter *writer, int sqlstate, const char *why)
{
	writer->failure = arazzo_failure_make(sqlstate, "cannot write a payload of type %s as \"%s\"",
										  arazzo_value_type(writer->payload), writer->content_type);
	arazzo_failure_detail(writer->failure, "%s", why);
	return false;
}

const OpenapiEncoding *
arazzo_body_encoding(const BodyWriter *writer, const char *name)
{
	ListCell   *cell;

	if (writer->description == NULL)
		return NULL;
	foreach(cell, writer->description->encodings)
	{
		const OpenapiEncoding *encoding = lfirst(cell);

		if (strcmp(encoding->name, name) == 0)
			return encoding;
	}
	return NULL;
}

OpenapiBinary
arazzo_body_member_binary(const BodyWriter *writer, const char *name)
{
	ListCell   *cell;

	if (writer->description == NULL || writer->description->schema == NULL)
		return BINARY_UNTYPED;
	foreach(cell, writer->description->members)
	{
		const OpenapiMember *member = lfirst(cell);

		if (strcmp(member->name, name) == 0)
			return member->binary;
	}
	return BINARY_NONE;
}

/* OpenAPI 3.2.0, Handling Multiple contentType Values: the first is meant. */
const char *
arazzo_body_encoding_type(const OpenapiEncoding *encoding)
{
	const char *type = encoding ? encoding->content_type : NULL;

	while (type && *type)
	{
		int			length = strcspn(type, ",");
		char	   *item = pnstrdup(type + strspn(type, " \t"),
									Max(length - (int) strspn(type, " \t"), 0));

		if (item[0] && !arazzo_media_type_is_range(item) && strpbrk(item, "\r\n") == NULL)
			return item;
		type += length + (type[length] == ',');
	}
	return NULL;
}

/* What to send for a type that may be missing or a range. */
static const char *
concrete_type(const char *content_type, const OpenapiMediaType *description, const JsonbValue *payload)
{
	char	   *essence;

	if (description && (content_type == NULL || arazzo_media_type_is_range(content_type)))
		content_type = description->content_type;
	if (content_type == NULL)
		return type_of_payload(description, payload);
	if (!arazzo_media_type_is_range(content_type))
		return content_type;
	essence = arazzo_media_type_essence(content_type);
	if (strcmp(essence, "application/*+json") == 0)
		return "application/json";
	if (strcmp(essence, "text/*") == 0)
		return "text/plain";
	if (strcmp(essence, "multipart/*") == 0)
		return "multipart/form-data";
	if (strcmp(essence, "*/*") == 0 || strcmp(essence, "*") == 0 || strncmp(essence, "application/", 12) == 0)
		return type_of_payload(description, payload);
	return "application/octet-stream";
}

static const char *
type_of_payload(const OpenapiMediaType *description, const JsonbValue *payload)
{
	StringInfoData bytes;

	if (payload->type != jbvString || is_json_text(payload))
		return "application/json";
	initStringInfo(&bytes);
	if ((description && description->binary != BINARY_NONE && description->binary != BINARY_UNTYPED) ||
		arazzo_binary_from_hex(&bytes, payload->val.string.val, payload->val.string.len))
		return "application/octet-stream";
	return "text/plain";
}

static bool
is_form(const char *type)
{
	return arazzo_media_type_is(type, "application/x-www-form-urlencoded");
}

static bool
is_multipart(const char *type)
{
	return strncmp(arazzo_media_type_essence(type), "multipart/", 10) == 0;
}

/* Sequences of JSON texts, each on its line (OpenAPI 3.2.0, Sequential JSON). */
static bool
is_lines(const char *type)
{
	return arazzo_media_type_is(type, "application/jsonl") ||
		arazzo_media_type_is(type, "application/x-ndjson") ||
		arazzo_media_type_is(type, "application/ndjson");
}

static bool
is_any(const char *type)
{
	return true;
}

static bool
write_json(BodyWriter *writer)
{
	arazzo_value_append_json(writer->out, writer->payload);
	return true;
}

static bool
write_as_is(BodyWriter *writer)
{
	appendBinaryStringInfo(writer->out, writer->payload->val.string.val, writer->payload->val.string.len);
	return true;
}

static bool
write_lines(BodyWriter *writer)
{
	ArazzoValueWalk walk;
	JsonbValue	key;
	JsonbValue	item;

	if (!arazzo_value_is_array(writer->payload))
	{
		arazzo_value_append_json(writer->out, writer->payload);
		appendStringInfoChar(writer->out, '\n');
		return true;
	}
	arazzo_value_walk(&walk, writer->payload);
	while (arazzo_value_next(&walk, &key, &item))
	{
		arazzo_value_append_json(writer->out, &item);
		appendStringInfoChar(writer->out, '\n');
	}
	return true;
}

/* JSON is YAML (YAML 1.2, 1.3). */
static bool
write_yaml(BodyWriter *writer)
{
	arazzo_value_append_json(writer->out, writer->payload);
	return true;
}

/* XML and text/...: characters, in the charset that the type names. */
static bool
write_text(BodyWriter *writer)
{
	char	   *charset = arazzo_media_type_parameter(writer->content_type, "charset");
	StringInfoData text;

	if (writer->payload->type == jbvBinary || writer->payload->type == jbvNull)
		return arazzo_body_refuse(writer, ERRCODE_FEATURE_NOT_SUPPORTED, "Give its text as a string.");
	initStringInfo(&text);
	arazzo_value_append_text(&text, writer->payload);
	if (!arazzo_charset_encode(writer->out, text.data, text.len, charset))
		return arazzo_body_refuse(writer, ERRCODE_UNTRANSLATABLE_CHARACTER,
								  "The text cannot be converted to the charset of the type.");
	return true;
}

/* Any other type: the bytes that a string stands for. */
static bool
write_bytes(BodyWriter *writer)
{
	OpenapiBinary binary = BINARY_RAW;

	if (writer->payload->type != jbvString)
		return arazzo_body_refuse(writer, ERRCODE_FEATURE_NOT_SUPPORTED,
								  "Give its content as a string: text, base64 or bytea.");
	if (writer->description &&
		(writer->description->binary == BINARY_BASE64 || writer->description->binary == BINARY_BASE64URL))
		binary = writer->description->binary;
	if (!arazzo_binary_append(writer->out, writer->payload->val.string.val,
							  writer->payload->val.string.len, binary))
		return arazzo_body_refuse(writer, ERRCODE_INVALID_PARAMETER_VALUE,
								  "The description says that it is given as base64, which it is not.");
	return true;
}

/* Neither the document nor the description says what to send. */
static bool
is_open(const char *content_type, const OpenapiMediaType *description)
{
	if (description && (content_type == NULL || arazzo_media_type_is_range(content_type)))
		content_type = description->content_type;
	return content_type == NULL || arazzo_media_type_is_range(content_type);
}

/* A string that is the text of a JSON object or array. */
static bool
is_json_text(const JsonbValue *string)
{
	const char *data = string->val.string.val;
	int			length = string->val.string.len;
	ArazzoFailure *failure = NULL;
	int			i = 0;

	while (i < length && strchr(" \t\r\n", data[i]) != NULL)
		i++;
	if (i == length || (data[i] != '{' && data[i] != '['))
		return false;
	return arazzo_value_parse_json(data, length, &failure) != NULL;
}
