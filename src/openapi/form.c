/*-------------------------------------------------------------------------
 *
 * form.c
 *	  Bodies of type application/x-www-form-urlencoded.
 *
 * Encoded as the WHATWG URL Standard has it, for every member alike: a space
 * is "+", brackets are "%5B" and "%5D".  An Encoding Object decides the shape
 * of its member (OpenAPI 3.2.0, Encoding Object).  Without one, a plain value
 * is name=value, an array of plain values repeats its name, and what nests
 * deeper is written with its path in brackets: a[b]=c, a[0][b]=c.  Members
 * that are null are left out.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"

#include "openapi/binary.h"
#include "openapi/body.h"
#include "openapi/serialize.h"
#include "openapi/style.h"

static List *member_pairs(BodyWriter *writer, const JsonbValue *key, const JsonbValue *value);
static List *in_document_order(List *pairs, const ArazzoNode *order);
static void take_member(List **from, List **to, StringInfo path, const ArazzoNode *node);
static bool is_below(const char *name, const char *path, size_t length);
static List *typed_pairs(const char *name, const char *type, const JsonbValue *value);
static List *typed_pair(List *pairs, const char *name, const char *type, const JsonbValue *value);
static const JsonbValue *as_text(BodyWriter *writer, const char *name, const JsonbValue *value);
static bool has_containers(const JsonbValue *array);

bool
arazzo_body_write_form(BodyWriter *writer)
{
	List	   *pairs = NIL;
	ArazzoValueWalk walk;
	JsonbValue	key;
	JsonbValue	value;

	if (!arazzo_value_is_object(writer->payload))
		return arazzo_body_refuse(writer, ERRCODE_INVALID_PARAMETER_VALUE,
								  "A form is an object, or a string that is encoded already.");
	arazzo_value_walk(&walk, writer->payload);
	while (arazzo_value_next(&walk, &key, &value))
	{
		CHECK_FOR_INTERRUPTS();
		if (value.type != jbvNull)
			pairs = list_concat(pairs, member_pairs(writer, &key, &value));
	}
	if (writer->order)
		pairs = in_document_order(pairs, writer->order);
	arazzo_style_append_pairs(writer->out, pairs, "&");
	return true;
}

/* The pairs in the order of a node's members, what it does not have last. */
static List *
in_document_order(List *pairs, const ArazzoNode *order)
{
	List	   *ordered = NIL;
	StringInfoData path;

	initStringInfo(&path);
	take_member(&pairs, &ordered, &path, order);
	return list_concat(ordered, pairs);
}

/* Moves the pairs at or below a path, in the order of the node there. */
static void
take_member(List **from, List **to, StringInfo path, const ArazzoNode *node)
{
	int			end = path->len;
	ListCell   *cell;
	int			i;

	check_stack_depth();
	for (i = 0; node->type == NODE_OBJECT && i < node->count; i++)
	{
		const ArazzoMember *member = &node->u.members[i];

		if (end > 0)
			appendStringInfoString(path, "%5B");
		arazzo_percent_append(path, member->key, member->key_length, PERCENT_FORM);
		if (end > 0)
			appendStringInfoString(path, "%5D");
		take_member(from, to, path, member->value);
		path->len = end;
		path->data[end] = '\0';
	}
	foreach(cell, end > 0 ? *from : NIL)
	{
		StylePair  *pair = lfirst(cell);

		if (!is_below(pair->name, path->data, path->len))
			continue;
		*to = lappend(*to, pair);
		*from = foreach_delete_current(*from, cell);
	}
}

static bool
is_below(const char *name, const char *path, size_t length)
{
	return strncmp(name, path, length) == 0 &&
		(name[length] == '\0' || strncmp(name + length, "%5B", 3) == 0);
}

static List *
member_pairs(BodyWriter *writer, const JsonbValue *key, const JsonbValue *value)
{
	char	   *name = pnstrdup(key->val.string.val, key->val.string.len);
	const OpenapiEncoding *encoding = arazzo_body_encoding(writer, name);
	const char *type = arazzo_body_encoding_type(encoding);
	ParameterStyle style = STYLE_FORM;

	if (encoding && encoding->has_style)
		return arazzo_style_pairs(name, value, encoding->style, encoding->explode,
								  encoding->allow_reserved ? PERCENT_FORM_RESERVED : PERCENT_FORM);
	value = as_text(writer, name, value);
	if (type)
		return typed_pairs(name, type, value);
	if (arazzo_value_is_object(value) || has_containers(value))
		style = STYLE_DEEP_OBJECT;
	return arazzo_style_pairs(name, value, style, true, PERCENT_FORM);
}

/*
 * A member whose encoding names a type: one value, or one for each item of
 * an array (OpenAPI 3.2.0, Encoding By Name).
 */
static List *
typed_pairs(const char *name, const char *type, const JsonbValue *value)
{
	List	   *pairs = NIL;
	ArazzoValueWalk walk;
	JsonbValue	key;
	JsonbValue	item;

	if (!arazzo_value_is_array(value))
		return typed_pair(NIL, name, type, value);
	arazzo_value_walk(&walk, value);
	while (arazzo_value_next(&walk, &key, &item))
		pairs = typed_pair(pairs, name, type, &item);
	return pairs;
}

static List *
typed_pair(List *pairs, const char *name, const char *type, const JsonbValue *value)
{
	StringInfoData text;
	JsonbValue	string;

	if (value->type == jbvNull)
		return pairs;
	initStringInfo(&text);
	if (arazzo_media_type_is_json(type))
		arazzo_value_append_json(&text, value);
	else
		arazzo_value_append_text(&text, value);
	string.type = jbvString;
	string.val.string.val = text.data;
	string.val.string.len = text.len;
	return list_concat(pairs, arazzo_style_pairs(name, &string, STYLE_FORM, true, PERCENT_FORM));
}

/*
 * A form is text, so that bytes given as bytea hex are written as base64
 * (OpenAPI 3.2.0, URL Encoded Form with Binary Values).
 */
static const JsonbValue *
as_text(BodyWriter *writer, const char *name, const JsonbValue *value)
{
	OpenapiBinary binary = arazzo_body_member_binary(writer, name);
	StringInfoData bytes;
	StringInfoData text;

	if (value->type != jbvString || binary == BINARY_NONE || binary == BINARY_UNTYPED)
		return value;
	initStringInfo(&bytes);
	if (!arazzo_binary_from_hex(&bytes, value->val.string.val, value->val.string.len))
		return value;
	initStringInfo(&text);
	arazzo_binary_to_base64(&text, bytes.data, bytes.len, binary == BINARY_BASE64URL);
	return arazzo_value_string(text.data, text.len);
}

/* An array in which not every item is a plain value. */
static bool
has_containers(const JsonbValue *array)
{
	ArazzoValueWalk walk;
	JsonbValue	key;
	JsonbValue	item;

	if (!arazzo_value_is_array(array))
		return false;
	arazzo_value_walk(&walk, array);
	while (arazzo_value_next(&walk, &key, &item))
	{
		if (item.type == jbvBinary)
			return true;
	}
	return false;
}
