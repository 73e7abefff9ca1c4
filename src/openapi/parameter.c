/*-------------------------------------------------------------------------
 *
 * parameter.c
 *	  Parameters onto the wire: path, query, header, cookie.
 *
 * No value leaves its place.  What could change the path of a request (an
 * empty segment, "." and "..") or end a header or cookie is refused; all else
 * is encoded.  Failures name the parameter, never its value.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "openapi/body.h"
#include "openapi/media_type.h"
#include "openapi/serialize.h"
#include "openapi/style.h"

static void append_content(StringInfo out, const OpenapiParameter *parameter,
						   const JsonbValue *value, PercentSet set);
static List *content_pair(const OpenapiParameter *parameter, const JsonbValue *value);
static bool append_querystring(StringInfo out, const OpenapiParameter *parameter,
							   const JsonbValue *value, ArazzoFailure **failure);
static bool refuse(ArazzoFailure **failure, const char *place, const char *name, const char *why);
static bool is_token(const char *name);
static bool has_control(const char *text, int length);

OpenapiParameter *
arazzo_serialize_undeclared(ParameterLocation in, const char *name)
{
	OpenapiParameter *parameter = palloc0(sizeof(OpenapiParameter));

	parameter->name = name;
	parameter->in = in;
	parameter->required = in == IN_PATH;
	parameter->style = in == IN_PATH || in == IN_HEADER ? STYLE_SIMPLE : STYLE_FORM;
	parameter->explode = parameter->style == STYLE_FORM;
	if (in == IN_QUERYSTRING)
		parameter->content_type = "application/x-www-form-urlencoded";
	return parameter;
}

bool
arazzo_path_variable_is(const char *variable, int length, const char *name)
{
	if (strncmp(variable, name, length) == 0 && name[length] == '\0')
		return true;
	return length > 1 && variable[0] == '+' &&
		strncmp(variable + 1, name, length - 1) == 0 && name[length - 1] == '\0';
}

bool
arazzo_path_has_variable(const char *path, const char *name)
{
	while ((path = strchr(path, '{')) != NULL && strchr(path, '}') != NULL)
	{
		if (arazzo_path_variable_is(path + 1, strchr(path, '}') - path - 1, name))
			return true;
		path++;
	}
	return false;
}

bool
arazzo_serialize_path(StringInfo out, const OpenapiParameter *parameter,
					  const JsonbValue *value, ArazzoFailure **failure)
{
	StringInfoData segment;

	initStringInfo(&segment);
	if (value == NULL)
		return refuse(failure, "path", parameter->name, "It has no value.");
	if (parameter->content_type)
		append_content(&segment, parameter, value, PERCENT_VALUE);
	else
		arazzo_style_append(&segment, parameter->name, value, parameter->style, parameter->explode,
							parameter->allow_reserved ? PERCENT_PATH_RESERVED : PERCENT_VALUE);
	if (segment.len == 0)
		return refuse(failure, "path", parameter->name,
					  "An empty value would change the path of the request.");
	if (strcmp(segment.data, ".") == 0 || strcmp(segment.data, "..") == 0)
		return refuse(failure, "path", parameter->name,
					  "\".\" and \"..\" would change the path of the request.");
	appendBinaryStringInfo(out, segment.data, segment.len);
	return true;
}

bool
arazzo_serialize_query(StringInfo query, const OpenapiParameter *parameter,
					   const JsonbValue *value, ArazzoFailure **failure)
{
	PercentSet	set = parameter->allow_reserved ? PERCENT_QUERY_RESERVED : PERCENT_VALUE;
	StringInfoData pairs;

	if (value == NULL)
		return true;
	initStringInfo(&pairs);
	if (parameter->in == IN_QUERYSTRING)
	{
		if (!append_querystring(&pairs, parameter, value, failure))
			return false;
	}
	else if (parameter->content_type)
	{
		arazzo_percent_append(&pairs, parameter->name, strlen(parameter->name), PERCENT_VALUE);
		appendStringInfoChar(&pairs, '=');
		append_content(&pairs, parameter, value, PERCENT_VALUE);
	}
	else
		arazzo_style_append_pairs(&pairs, arazzo_style_pairs(parameter->name, value, parameter->style,
															 parameter->explode, set), "&");
	if (pairs.len > 0 && query->len > 0)
		appendStringInfoChar(query, '&');
	appendBinaryStringInfo(query, pairs.data, pairs.len);
	return true;
}

/* Header values are never percent-encoded (OpenAPI 3.2.0, Appendix D). */
bool
arazzo_serialize_header(StringInfo out, const OpenapiParameter *parameter,
						const JsonbValue *value, ArazzoFailure **failure)
{
	int			start = out->len;

	if (!is_token(parameter->name))
		return refuse(failure, "header", parameter->name, "The name is not an HTTP header name.");
	if (value == NULL)
		return true;
	if (parameter->content_type)
		append_content(out, parameter, value, PERCENT_NONE);
	else
		arazzo_style_append(out, parameter->name, value, parameter->style, parameter->explode,
							PERCENT_NONE);
	if (!has_control(out->data + start, out->len - start))
		return true;
	out->len = start;
	out->data[start] = '\0';
	return refuse(failure, "header", parameter->name,
				  "The value contains a control character, such as a line end.");
}

/*
 * Style form percent-encodes, style cookie does not; pairs are separated as
 * cookies are in both (OpenAPI 3.2.0, Appendix D: "&" is never right here).
 */
bool
arazzo_serialize_cookie(StringInfo out, const OpenapiParameter *parameter,
						const JsonbValue *value, ArazzoFailure **failure)
{
	PercentSet	set = PERCENT_VALUE;
	ListCell   *cell;
	List	   *pairs;

	if (value == NULL)
		return true;
	if (parameter->style == STYLE_COOKIE)
		set = PERCENT_NONE;
	else if (parameter->allow_reserved)
		set = PERCENT_QUERY_RESERVED;
	if (parameter->content_type)
		pairs = content_pair(parameter, value);
	else
		pairs = arazzo_style_pairs(parameter->name, value, parameter->style, parameter->explode, set);
	foreach(cell, pairs)
	{
		StylePair  *pair = lfirst(cell);

		if (!is_token(pair->name))
			return refuse(failure, "cookie", parameter->name, "A name in it is not a cookie name.");
		if (strchr(pair->value, ';') || has_control(pair->value, strlen(pair->value)))
			return refuse(failure, "cookie", parameter->name,
						  "The value contains a semicolon or a control character.");
	}
	if (pairs != NIL && out->len > 0)
		appendStringInfoString(out, "; ");
	arazzo_style_append_pairs(out, pairs, "; ");
	return true;
}

/* A "content" parameter of a cookie as its only pair. */
static List *
content_pair(const OpenapiParameter *parameter, const JsonbValue *value)
{
	StylePair  *pair = palloc(sizeof(StylePair));
	StringInfoData text;

	initStringInfo(&text);
	append_content(&text, parameter, value, PERCENT_VALUE);
	pair->name = unconstify(char *, parameter->name);
	pair->value = text.data;
	return list_make1(pair);
}

/* The value of a "content" parameter: JSON text, or the plain value. */
static void
append_content(StringInfo out, const OpenapiParameter *parameter,
			   const JsonbValue *value, PercentSet set)
{
	StringInfoData text;

	initStringInfo(&text);
	if (arazzo_media_type_is_json(parameter->content_type))
		arazzo_value_append_json(&text, value);
	else
		arazzo_value_append_text(&text, value);
	arazzo_percent_append(out, text.data, text.len, set);
}

/*
 * The whole query (OpenAPI 3.2.0, Parameter Locations; Arazzo 1.1.0,
 * Parameter Object).  A string is the query as the document wrote it: of a
 * form or of plain text, encoded already, only what no query can hold is
 * encoded; of any other type it is the text of the type.  Other values are
 * written in the type.
 */
static bool
append_querystring(StringInfo out, const OpenapiParameter *parameter,
				   const JsonbValue *value, ArazzoFailure **failure)
{
	bool		form = arazzo_media_type_is(parameter->content_type, "application/x-www-form-urlencoded");
	BodyWriter	writer = {0};

	if (value->type == jbvNull)
		return true;
	if (value->type == jbvString)
	{
		const char *data = value->val.string.val;
		int			length = value->val.string.len;
		bool		whole = form || arazzo_media_type_is(parameter->content_type, "text/plain");

		if (whole && length > 0 && data[0] == '?')
		{
			data++;
			length--;
		}
		arazzo_percent_append(out, data, length, whole ? PERCENT_QUERYSTRING : PERCENT_VALUE);
		return true;
	}
	if (!form)
	{
		append_content(out, parameter, value, PERCENT_VALUE);
		return true;
	}
	writer.out = out;
	writer.content_type = parameter->content_type;
	writer.description = parameter->content;
	writer.payload = value;
	if (arazzo_body_write_form(&writer))
		return true;
	*failure = writer.failure;
	return false;
}

/* A failure that names the parameter; returns false. */
static bool
refuse(ArazzoFailure **failure, const char *place, const char *name, const char *why)
{
	*failure = arazzo_failure_make(ERRCODE_INVALID_PARAMETER_VALUE,
								   "%s parameter \"%s\" cannot be sent", place, name);
	arazzo_failure_detail(*failure, "%s", why);
	return false;
}

/* RFC 9110, 5.6.2. */
static bool
is_token(const char *name)
{
	const char *c;

	for (c = name; *c; c++)
	{
		if (*c <= 0x20 || *c >= 0x7f || strchr("\"(),/:;<=>?@[\\]{}", *c))
			return false;
	}
	return c > name;
}

static bool
has_control(const char *text, int length)
{
	int			i;

	for (i = 0; i < length; i++)
	{
		if ((unsigned char) text[i] < 0x20 || text[i] == 0x7f)
			return true;
	}
	return false;
}
