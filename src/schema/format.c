/*-------------------------------------------------------------------------
 *
 * format.c
 *	  The formats (JSON Schema Validation, 7.3; OpenAPI 3.0, Data Types).
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "mb/pg_wchar.h"
#include "utils/builtins.h"

#include "schema/format_internal.h"
#include "schema/schema_internal.h"

static bool check_uuid(const char *data, int length);
static bool check_json_pointer(const char *data, int length);
static bool check_relative_json_pointer(const char *data, int length);
static bool check_regex(const char *data, int length);
static bool check_int32(Numeric number);
static bool check_int64(Numeric number);
static bool is_between(Numeric number, int64 low, int64 high);

static const FormatRule formats[] = {
	{"date", arazzo_format_date, NULL},
	{"date-time", arazzo_format_date_time, NULL},
	{"duration", arazzo_format_duration, NULL},
	{"email", arazzo_format_email, NULL},
	{"hostname", arazzo_format_hostname, NULL},
	{"idn-email", arazzo_format_idn_email, NULL},
	{"idn-hostname", arazzo_format_idn_hostname, NULL},
	{"ipv4", arazzo_format_ipv4, NULL},
	{"ipv6", arazzo_format_ipv6, NULL},
	{"iri", arazzo_format_iri, NULL},
	{"iri-reference", arazzo_format_iri_reference, NULL},
	{"json-pointer", check_json_pointer, NULL},
	{"regex", check_regex, NULL},
	{"relative-json-pointer", check_relative_json_pointer, NULL},
	{"time", arazzo_format_time, NULL},
	{"uri", arazzo_format_uri, NULL},
	{"uri-reference", arazzo_format_uri_reference, NULL},
	{"uri-template", arazzo_format_uri_template, NULL},
	{"uuid", check_uuid, NULL},
};

/* OpenAPI's own; elsewhere they are names like any other. */
static const FormatRule openapi_formats[] = {
	{"int32", NULL, check_int32},
	{"int64", NULL, check_int64},
};

static const FormatRule *find(const FormatRule *rules, int count, const char *name, int length);

/* The format of this name; NULL when it asserts nothing. */
const FormatRule *
arazzo_schema_format(const char *name, int length, int draft)
{
	const FormatRule *rule = find(formats, lengthof(formats), name, length);

	if (rule == NULL && draft == DRAFT_OPENAPI)
		rule = find(openapi_formats, lengthof(openapi_formats), name, length);
	return rule;
}

static const FormatRule *
find(const FormatRule *rules, int count, const char *name, int length)
{
	int			i;

	for (i = 0; i < count; i++)
	{
		if (strlen(rules[i].name) == length && memcmp(rules[i].name, name, length) == 0)
			return &rules[i];
	}
	return NULL;
}

/* RFC 4122: 8-4-4-4-12 hexadecimal digits */
static bool
check_uuid(const char *data, int length)
{
	int			i;

	if (length != 36)
		return false;
	for (i = 0; i < length; i++)
	{
		bool		hyphen = i == 8 || i == 13 || i == 18 || i == 23;

		if (hyphen ? data[i] != '-' : !is_hex(data[i]))
			return false;
	}
	return true;
}

/* RFC 6901, 3 */
static bool
check_json_pointer(const char *data, int length)
{
	int			i;

	if (length > 0 && data[0] != '/')
		return false;
	for (i = 0; i < length; i++)
	{
		if (data[i] == '~' && (i + 1 >= length || (data[i + 1] != '0' && data[i + 1] != '1')))
			return false;
	}
	return true;
}

/* draft-bhutton-relative-json-pointer-00, 3 */
static bool
check_relative_json_pointer(const char *data, int length)
{
	int			digits = 0;

	while (digits < length && is_digit(data[digits]))
		digits++;
	if (digits == 0 || (digits > 1 && data[0] == '0'))
		return false;
	if (digits + 1 == length && data[digits] == '#')
		return true;
	return check_json_pointer(data + digits, length - digits);
}

/* ECMA-262; what only the server's engine cannot do is no fault of the text */
static bool
check_regex(const char *data, int length)
{
	ArazzoFailure *failure = NULL;
	char	   *translated = arazzo_regex_translate(data, length, &failure);

	if (translated)
		pfree(translated);
	return translated || failure->sqlstate == ERRCODE_FEATURE_NOT_SUPPORTED;
}

static bool
check_int32(Numeric number)
{
	return is_between(number, PG_INT32_MIN, PG_INT32_MAX);
}

static bool
check_int64(Numeric number)
{
	return is_between(number, PG_INT64_MIN, PG_INT64_MAX);
}

static bool
is_between(Numeric number, int64 low, int64 high)
{
	Datum		datum = NumericGetDatum(number);

	return arazzo_schema_is_integer(number) &&
		DatumGetInt32(DirectFunctionCall2(numeric_cmp, datum, NumericGetDatum(int64_to_numeric(low)))) >= 0 &&
		DatumGetInt32(DirectFunctionCall2(numeric_cmp, datum, NumericGetDatum(int64_to_numeric(high)))) <= 0;
}
