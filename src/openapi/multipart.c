/*-------------------------------------------------------------------------
 *
 * multipart.c
 *	  Bodies of type multipart/form-data (RFC 7578) and of other multipart
 *	  types (RFC 2046).
 *
 * One part a member, one an item of an array that is a member; null is left
 * out.  Objects are application/json.  A member that its schema calls binary,
 * or whose encoding has a type that is not text, is a file: its bytes, with
 * the member's name as file name.  Text has no Content-Type of its own, which
 * means text/plain (RFC 7578, 4.4), unless its encoding names one.
 *
 * The boundary is derived from the parts, so that the same payload gives the
 * same bytes at every attempt.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "common/hashfn.h"
#include "miscadmin.h"

#include "openapi/binary.h"
#include "openapi/body.h"
#include "openapi/media_type.h"
#include "openapi/members.h"
#include "openapi/serialize.h"
#include "openapi/style.h"

/* One part: its header lines, each with its line end, and its content. */
typedef struct Part
{
	StringInfoData headers;
	StringInfoData content;
} Part;

/* What the parts of one member have in common. */
typedef struct PartRule
{
	const char *name;			/* NULL: parts without names */
	const OpenapiEncoding *encoding;	/* or NULL */
	const char *type;			/* of the encoding, or NULL */
	OpenapiBinary binary;
} PartRule;

static bool write_members(BodyWriter *writer, List **parts);
static bool write_member(BodyWriter *writer, List **parts, const char *name, const JsonbValue *value);
static bool write_items(BodyWriter *writer, List **parts, const PartRule *rule, const JsonbValue *array);
static bool write_part(BodyWriter *writer, List **parts, const PartRule *rule, const JsonbValue *value);
static bool write_container(BodyWriter *writer, Part *part, const PartRule *rule, const JsonbValue *value);
static bool write_string(BodyWriter *writer, Part *part, const PartRule *rule, const JsonbValue *value);
static Part *add_part(List **parts);
static void append_disposition(Part *part, const char *name, const char *filename);
static void append_quoted(StringInfo out, const char *name);
static void append_type(Part *part, const char *type);
static void append_encoding_headers(Part *part, const PartRule *rule);
static const JsonbValue *fixed_value(const JsonbValue *header);
static char *boundary_for(const List *parts);
static bool occurs(const List *parts, const char *boundary);

bool
arazzo_body_write_multipart(BodyWriter *writer)
{
	List	   *parts = NIL;
	PartRule	unnamed = {.binary = BINARY_UNTYPED};
	char	   *boundary;
	ListCell   *cell;

	if (arazzo_value_is_object(writer->payload))
	{
		if (!write_members(writer, &parts))
			return false;
	}
	else if (!arazzo_value_is_array(writer->payload) ||
			 arazzo_media_type_is(writer->content_type, "multipart/form-data"))
		return arazzo_body_refuse(writer, ERRCODE_INVALID_PARAMETER_VALUE,
								  "A multipart body is an object, or a string that is encoded already.");
	else if (!write_items(writer, &parts, &unnamed, writer->payload))
		return false;
	boundary = boundary_for(parts);
	foreach(cell, parts)
	{
		Part	   *part = lfirst(cell);

		appendStringInfo(writer->out, "--%s\r\n", boundary);
		appendBinaryStringInfo(writer->out, part->headers.data, part->headers.len);
		appendStringInfoString(writer->out, "\r\n");
		appendBinaryStringInfo(writer->out, part->content.data, part->content.len);
		appendStringInfoString(writer->out, "\r\n");
	}
	appendStringInfo(writer->out, "--%s--\r\n", boundary);
	writer->sent_type = psprintf("%s; boundary=%s",
								 arazzo_media_type_essence(writer->content_type), boundary);
	return true;
}

/*
 * The members in the order of the document (RFC 7578, section 5.2), those that
 * it does not have last.
 */
static bool
write_members(BodyWriter *writer, List **parts)
{
	const ArazzoNode *order = writer->order;
	ArazzoValueWalk walk;
	JsonbValue	key;
	JsonbValue	value;
	int			i;

	for (i = 0; order && order->type == NODE_OBJECT && i < order->count; i++)
	{
		const ArazzoMember *member = &order->u.members[i];
		const JsonbValue *named = arazzo_value_member(writer->payload, member->key, member->key_length);

		if (named && named->type != jbvNull && !write_member(writer, parts, member->key, named))
			return false;
	}
	arazzo_value_walk(&walk, writer->payload);
	while (arazzo_value_next(&walk, &key, &value))
	{
		const char *name = pnstrdup(key.val.string.val, key.val.string.len);

		CHECK_FOR_INTERRUPTS();
		if (value.type != jbvNull && arazzo_node_member(order, name) == NULL &&
			!write_member(writer, parts, name, &value))
			return false;
	}
	return true;
}

static bool
write_member(BodyWriter *writer, List **parts, const char *name, const JsonbValue *value)
{
	PartRule	rule;
	ListCell   *cell;

	rule.name = name;
	rule.encoding = arazzo_body_encoding(writer, name);
	rule.type = arazzo_body_encoding_type(rule.encoding);
	rule.binary = arazzo_body_member_binary(writer, name);
	if (rule.encoding == NULL || !rule.encoding->has_style)
	{
		if (arazzo_value_is_array(value))
			return write_items(writer, parts, &rule, value);
		return write_part(writer, parts, &rule, value);
	}

	/* styles without percent-encoding (OpenAPI 3.2.0, Appendix C) */
	foreach(cell, arazzo_style_pairs(name, value, rule.encoding->style, rule.encoding->explode, PERCENT_NONE))
	{
		StylePair  *pair = lfirst(cell);
		Part	   *part = add_part(parts);

		append_disposition(part, pair->name, NULL);
		append_encoding_headers(part, &rule);
		appendStringInfoString(&part->content, pair->value);
	}
	return true;
}

/* A part for each item (OpenAPI 3.2.0, Encoding By Name). */
static bool
write_items(BodyWriter *writer, List **parts, const PartRule *rule, const JsonbValue *array)
{
	ArazzoValueWalk walk;
	JsonbValue	key;
	JsonbValue	item;

	arazzo_value_walk(&walk, array);
	while (arazzo_value_next(&walk, &key, &item))
	{
		CHECK_FOR_INTERRUPTS();
		if (item.type != jbvNull && !write_part(writer, parts, rule, &item))
			return false;
	}
	return true;
}

static bool
write_part(BodyWriter *writer, List **parts, const PartRule *rule, const JsonbValue *value)
{
	Part	   *part = add_part(parts);
	bool		written;

	if (value->type == jbvBinary)
		written = write_container(writer, part, rule, value);
	else if (value->type == jbvString)
		written = write_string(writer, part, rule, value);
	else
	{
		append_disposition(part, rule->name, NULL);
		append_type(part, rule->type);
		arazzo_value_append_text(&part->content, value);
		written = true;
	}
	append_encoding_headers(part, rule);
	return written;
}

static bool
write_container(BodyWriter *writer, Part *part, const PartRule *rule, const JsonbValue *value)
{
	if (rule->type && !arazzo_media_type_is_json(rule->type))
	{
		arazzo_body_refuse(writer, ERRCODE_FEATURE_NOT_SUPPORTED, "Give its text as a string.");
		writer->failure->message = psprintf("cannot write an %s as part \"%s\" of type \"%s\"",
											arazzo_value_type(value), rule->name ? rule->name : "",
											rule->type);
		return false;
	}
	append_disposition(part, rule->name, NULL);
	append_type(part, rule->type ? rule->type : "application/json");
	arazzo_value_append_json(&part->content, value);
	return true;
}

static bool
write_string(BodyWriter *writer, Part *part, const PartRule *rule, const JsonbValue *value)
{
	const char *data = value->val.string.val;
	int			length = value->val.string.len;
	OpenapiBinary binary = rule->binary;
	bool		file;

	if (rule->type && arazzo_media_type_is_json(rule->type))
	{
		append_disposition(part, rule->name, NULL);
		append_type(part, rule->type);
		arazzo_value_append_json(&part->content, value);
		return true;
	}
	if (rule->type && !arazzo_media_type_is_text(rule->type) &&
		(binary == BINARY_NONE || binary == BINARY_UNTYPED))
		binary = BINARY_RAW;
	if (!arazzo_binary_append(&part->content, data, length, binary))
	{
		arazzo_body_refuse(writer, ERRCODE_INVALID_PARAMETER_VALUE,
						   "The description says that it is given as base64.");
		writer->failure->message = psprintf("part \"%s\" is not base64", rule->name ? rule->name : "");
		return false;
	}

	/* without a schema, bytea hex alone makes a file */
	file = binary != BINARY_NONE;
	if (binary == BINARY_UNTYPED)
		file = part->content.len != length;
	append_disposition(part, rule->name, file ? rule->name : NULL);
	append_type(part, rule->type || !file ? rule->type : "application/octet-stream");
	return true;
}

static Part *
add_part(List **parts)
{
	Part	   *part = palloc(sizeof(Part));

	initStringInfo(&part->headers);
	initStringInfo(&part->content);
	*parts = lappend(*parts, part);
	return part;
}

/* RFC 7578, 4.2; a part without a name has none. */
static void
append_disposition(Part *part, const char *name, const char *filename)
{
	if (name == NULL)
		return;
	appendStringInfoString(&part->headers, "Content-Disposition: form-data; name=");
	append_quoted(&part->headers, name);
	if (filename)
	{
		appendStringInfoString(&part->headers, "; filename=");
		append_quoted(&part->headers, filename);
	}
	appendStringInfoString(&part->headers, "\r\n");
}

/* Quoted as the HTML Standard has it, so that nothing ends the line. */
static void
append_quoted(StringInfo out, const char *name)
{
	appendStringInfoChar(out, '"');
	for (; *name; name++)
	{
		if (*name == '"' || (unsigned char) *name < 0x20 || *name == 0x7f)
			appendStringInfo(out, "%%%02X", (unsigned char) *name);
		else
			appendStringInfoChar(out, *name);
	}
	appendStringInfoChar(out, '"');
}

static void
append_type(Part *part, const char *type)
{
	if (type)
		appendStringInfo(&part->headers, "Content-Type: %s\r\n", type);
}

/*
 * Headers of the Encoding Object whose schema leaves no choice: const, or an
 * enum of one.  Other headers have no value here.
 */
static void
append_encoding_headers(Part *part, const PartRule *rule)
{
	ArazzoValueWalk walk;
	JsonbValue	key;
	JsonbValue	header;

	if (rule->encoding == NULL)
		return;
	walk_members(&walk, rule->encoding->headers);
	while (arazzo_value_next(&walk, &key, &header))
	{
		char	   *name = pnstrdup(key.val.string.val, key.val.string.len);
		const JsonbValue *value = fixed_value(&header);
		char	   *text;

		if (value == NULL || pg_strcasecmp(name, "Content-Type") == 0 ||
			pg_strcasecmp(name, "Content-Disposition") == 0)
			continue;
		text = arazzo_value_to_text(value);
		if (strpbrk(text, "\r\n") == NULL && strpbrk(name, "\r\n: ") == NULL)
			appendStringInfo(&part->headers, "%s: %s\r\n", name, text);
	}
}

/* The only value that a Header Object allows, or NULL. */
static const JsonbValue *
fixed_value(const JsonbValue *header)
{
	const JsonbValue *schema = arazzo_value_member_cstring(header, "schema");
	const JsonbValue *value = arazzo_value_member_cstring(schema, "const");

	if (value == NULL)
	{
		const JsonbValue *choices = arazzo_value_member_cstring(schema, "enum");

		if (arazzo_value_is_array(choices) && arazzo_value_count(choices) == 1)
			value = arazzo_value_element(choices, 0);
	}
	return value && value->type != jbvBinary && value->type != jbvNull ? value : NULL;
}

/* A boundary that occurs in no part, the same for the same parts. */
static char *
boundary_for(const List *parts)
{
	uint64		hash = 0;
	ListCell   *cell;

	foreach(cell, parts)
	{
		Part	   *part = lfirst(cell);

		hash = hash_bytes_extended((unsigned char *) part->headers.data, part->headers.len, hash);
		hash = hash_bytes_extended((unsigned char *) part->content.data, part->content.len, hash);
	}
	for (;; hash++)
	{
		uint64		other = hash_bytes_extended((unsigned char *) &hash, sizeof(hash), 0);
		char	   *boundary = psprintf("arazzo-%08x%08x%08x%08x",
										(uint32) (hash >> 32), (uint32) hash,
										(uint32) (other >> 32), (uint32) other);

		CHECK_FOR_INTERRUPTS();
		if (!occurs(parts, boundary))
			return boundary;
	}
}

static bool
occurs(const List *parts, const char *boundary)
{
	int			length = strlen(boundary);
	ListCell   *cell;

	foreach(cell, parts)
	{
		Part	   *part = lfirst(cell);
		const char *from = part->content.data;
		const char *end = from + part->content.len;

		while ((from = memchr(from, boundary[0], end - from)) != NULL)
		{
			if (end - from >= length && memcmp(from, boundary, length) == 0)
				return true;
			from++;
		}
	}
	return false;
}
