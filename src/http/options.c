/*-------------------------------------------------------------------------
 *
 * options.c
 *	  Options of servers and user mappings, and their validator.
 *
 * No report shows a value, and none lets the statement into the server log:
 * either may hold a secret, also one that was put into the wrong place.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "access/reloptions.h"
#include "catalog/pg_authid.h"
#include "catalog/pg_foreign_server.h"
#include "catalog/pg_user_mapping.h"
#include "commands/defrem.h"
#include "fmgr.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/guc.h"
#include "utils/memutils.h"

#include "http/egress.h"
#include "http/options.h"
#include "http/request.h"
#include "http/url.h"

#define LONGEST_TIME		(60 * 60 * 1000)
#define LARGEST_COUNT		1000000
#define SECRET_FILE			"secret_file"

/* Says what is wrong with a value, as words that follow "It ", or NULL. */
typedef const char *(*ValueCheck) (const char *value);

typedef struct OptionRule
{
	const char *name;
	Oid			catalog;
	ValueCheck	check;
} OptionRule;

static const char *check_api(const char *value);
static const char *check_url(const char *value);
static const char *check_proxy(const char *value);
static const char *check_time(const char *value);
static const char *check_bytes(const char *value);
static const char *check_count(const char *value);
static const char *check_rate(const char *value);
static const char *check_file(const char *value);
static const char *check_pinned_key(const char *value);
static const char *check_networks(const char *value);
static const char *check_key_place(const char *value);
static const char *check_duration(const char *value);
static const char *check_response(const char *value);
static const char *check_secret(const char *value);
static const char *check_pem(const char *value);
static const char *check_token_url(const char *value);
static const char *check_client_auth(const char *value);
static void validate_option(DefElem *option, Oid catalog);
static void check_place(List *options, Oid catalog);
static void check_database(List *options);
static void report_invalid(const char *name, const char *problem) pg_attribute_noreturn();
static const OptionRule *find_rule(const char *name, Oid catalog);
static void report_unknown(const char *name, Oid catalog);
static char *valid_names(Oid catalog);

static const OptionRule rules[] = {
	{"api", ForeignServerRelationId, check_api},
	{"url", ForeignServerRelationId, check_url},
	{"connect_timeout", ForeignServerRelationId, check_time},
	{"timeout", ForeignServerRelationId, check_time},
	{"max_response_bytes", ForeignServerRelationId, check_bytes},
	{"max_header_bytes", ForeignServerRelationId, check_bytes},
	{"max_concurrency", ForeignServerRelationId, check_count},
	{"max_rate", ForeignServerRelationId, check_rate},
	{"retry_limit", ForeignServerRelationId, check_count},
	{"ca_file", ForeignServerRelationId, check_file},
	{"crl_file", ForeignServerRelationId, check_file},
	{"pinned_public_key", ForeignServerRelationId, check_pinned_key},
	{"allow_private", ForeignServerRelationId, check_networks},
	{"proxy", ForeignServerRelationId, check_proxy},
	{"idempotency_key", ForeignServerRelationId, check_key_place},
	{"idempotency_window", ForeignServerRelationId, check_duration},
	{"duplicate_response", ForeignServerRelationId, check_response},
	{"token_url", ForeignServerRelationId, check_token_url},
	{"api_key", UserMappingRelationId, check_secret},
	{"api_key_next", UserMappingRelationId, check_secret},
	{"token", UserMappingRelationId, check_secret},
	{"token_next", UserMappingRelationId, check_secret},
	{"user", UserMappingRelationId, check_secret},
	{"password", UserMappingRelationId, check_secret},
	{"client_id", UserMappingRelationId, check_secret},
	{"client_secret", UserMappingRelationId, check_secret},
	{"client_auth", UserMappingRelationId, check_client_auth},
	{"client_cert", UserMappingRelationId, check_pem},
	{"client_key", UserMappingRelationId, check_pem},
	{SECRET_FILE, UserMappingRelationId, check_file}
};

PG_FUNCTION_INFO_V1(arazzo_option_validator);
PGDLLEXPORT Datum arazzo_option_validator(PG_FUNCTION_ARGS);

/*
 * Validator of the wrapper "arazzo": called with all options that an object
 * will have after a CREATE or an ALTER.
 */
Datum
arazzo_option_validator(PG_FUNCTION_ARGS)
{
	List	   *options = untransformRelOptions(PG_GETARG_DATUM(0));
	Oid			catalog = PG_GETARG_OID(1);
	ListCell   *cell;

	foreach(cell, options)
		validate_option(lfirst(cell), catalog);
	check_place(options, catalog);
	PG_RETURN_VOID();
}

/*
 * A server needs an api.  Without a url that is the place to send to; with
 * one it is only how documents name the API, and they may do so in plain
 * http.
 */
static void
check_place(List *options, Oid catalog)
{
	const char *api;
	const char *url;
	HttpUrl		parsed;
	HttpUrl		place;

	if (catalog != ForeignServerRelationId)
		return;
	api = arazzo_option_value(options, "api");
	url = arazzo_option_value(options, "url");
	if (api == NULL)
		ereport(ERROR,
				errcode(ERRCODE_FDW_DYNAMIC_PARAMETER_VALUE_NEEDED),
				errmsg("option \"%s\" is required", "api"),
				errhint("It is the base address of the API as its OpenAPI document has it, for example https://api.example.com."),
				errhidestmt(true));
	if (url == NULL && check_url(api) != NULL)
		report_invalid("api", check_url(api));
	(void) arazzo_url_parse_any(api, &parsed);
	if (url != NULL && arazzo_url_parse_any(url, &place) == NULL && parsed.database != place.database)
		report_invalid("url", "is not of the same kind as that of \"api\"");
	if (parsed.database)
		check_database(options);
}

/* What a connection that only listens has no use for is a mistake. */
static void
check_database(List *options)
{
	static const char *const fitting[] = {
		"api", "url", "connect_timeout", "timeout", "max_response_bytes", "ca_file", "allow_private"
	};
	ListCell   *cell;
	size_t		i;

	foreach(cell, options)
	{
		DefElem    *option = lfirst(cell);

		for (i = 0; i < lengthof(fitting) && strcmp(option->defname, fitting[i]) != 0; i++)
			;
		if (i == lengthof(fitting))
			ereport(ERROR,
					errcode(ERRCODE_FDW_INVALID_OPTION_NAME),
					errmsg("option \"%s\" does not apply to a database", option->defname),
					errhidestmt(true));
	}
}

static void
report_invalid(const char *name, const char *problem)
{
	ereport(ERROR,
			errcode(ERRCODE_FDW_INVALID_ATTRIBUTE_VALUE),
			errmsg("invalid value for option \"%s\"", name),
			errdetail("The value %s.", problem),
			errhidestmt(true));
}

static void
validate_option(DefElem *option, Oid catalog)
{
	const OptionRule *rule = find_rule(option->defname, catalog);
	const char *problem;

	if (rule == NULL)
		report_unknown(option->defname, catalog);
	problem = rule->check(defGetString(option));
	if (problem != NULL)
		report_invalid(rule->name, problem);
	if (rule->check == check_file &&
		!has_privs_of_role(GetUserId(), ROLE_PG_READ_SERVER_FILES))
		ereport(ERROR,
				errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				errmsg("permission denied to set option \"%s\"", rule->name),
				errdetail("Only roles with privileges of the \"%s\" role may name files of the server.",
						  "pg_read_server_files"),
				errhidestmt(true));
}

static const OptionRule *
find_rule(const char *name, Oid catalog)
{
	int			i;

	for (i = 0; i < lengthof(rules); i++)
	{
		if (rules[i].catalog == catalog && strcmp(rules[i].name, name) == 0)
			return &rules[i];
	}
	return NULL;
}

static void
report_unknown(const char *name, Oid catalog)
{
	char	   *names = valid_names(catalog);
	const char *place = NULL;

	if (catalog == ForeignServerRelationId && find_rule(name, UserMappingRelationId) != NULL)
		place = "a user mapping";
	else if (catalog == UserMappingRelationId && find_rule(name, ForeignServerRelationId) != NULL)
		place = "the server";
	ereport(ERROR,
			errcode(ERRCODE_FDW_INVALID_OPTION_NAME),
			errmsg("invalid option \"%s\"", name),
			place != NULL ?
			errhint("Option \"%s\" belongs to %s.", name, place) :
			names[0] != '\0' ?
			errhint("Valid options in this context are: %s", names) :
			errhint("There are no valid options in this context."),
			errhidestmt(true));
}

static char *
valid_names(Oid catalog)
{
	StringInfoData names;
	int			i;

	initStringInfo(&names);
	for (i = 0; i < lengthof(rules); i++)
	{
		if (rules[i].catalog == catalog)
			appendStringInfo(&names, "%s%s", names.len > 0 ? ", " : "", rules[i].name);
	}
	return names.data;
}

static const char *
check_api(const char *value)
{
	HttpUrl		url;
	const char *problem = arazzo_url_parse_any(value, &url);

	if (problem != NULL)
		return problem;
	if (url.has_query)
		return "has a query";
	if (url.has_fragment)
		return "has a fragment";
	return NULL;
}

static const char *
check_url(const char *value)
{
	HttpUrl		url;
	const char *problem = check_api(value);

	if (problem != NULL)
		return problem;
	if (arazzo_url_parse_any(value, &url) == NULL && !url.secure && !url.database && !arazzo_url_is_loopback(&url))
		return "uses plain http, which is for loopback addresses";
	return NULL;
}

static const char *
check_proxy(const char *value)
{
	HttpUrl		url;
	const char *problem = arazzo_url_parse(value, &url);

	if (problem != NULL)
		return problem;
	if (url.path_length > 1 || url.has_query || url.has_fragment)
		return "has more than scheme, host and port";
	return NULL;
}

static const char *
check_time(const char *value)
{
	int			milliseconds;

	return arazzo_option_time(value, &milliseconds) ? NULL :
		"is not a time between 1 ms and 1 h";
}

static const char *
check_bytes(const char *value)
{
	int			bytes;

	return arazzo_option_bytes(value, &bytes) ? NULL :
		"is not a size of at least 1 byte and less than 1 GB";
}

static const char *
check_count(const char *value)
{
	int			count;

	return arazzo_option_count(value, &count) ? NULL :
		"is not a whole number between 0 and 1000000";
}

static const char *
check_rate(const char *value)
{
	double		rate;

	return arazzo_option_rate(value, &rate) ? NULL :
		"is not a number of requests a second between 0.001 and 1000000";
}

static const char *
check_file(const char *value)
{
	return is_absolute_path(value) ? NULL : "is not an absolute path";
}

/* The forms that name a hash; a file name would be read as the server. */
static const char *
check_pinned_key(const char *value)
{
	const char *p = value;

	for (;;)
	{
		size_t		length;

		if (strncmp(p, "sha256//", 8) != 0)
			break;
		p += 8;
		length = strspn(p, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/");
		if (length != 43 || p[43] != '=')
			break;
		p += 44;
		if (*p == '\0')
			return NULL;
		if (*p != ';')
			break;
		p++;
	}
	return "is not a list of sha256//... hashes in base64, separated by semicolons";
}

static const char *
check_networks(const char *value)
{
	return arazzo_egress_networks_valid(value) ? NULL :
		"is not a list of networks separated by commas";
}

static const char *
check_key_place(const char *value)
{
	KeyPlace	place;
	const char *name;

	return arazzo_option_key_place(value, &place, &name) ? NULL :
		"is neither \"header\" with a header's name nor \"body\" with a JSON Pointer";
}

static const char *
check_duration(const char *value)
{
	int			seconds;

	return arazzo_option_duration(value, &seconds) ? NULL : "is not a time of at least 1 s";
}

static const char *
check_response(const char *value)
{
	int			status;
	const char *text;

	return arazzo_option_response(value, &status, &text) ? NULL :
		"is not a status and what the body of such a response has, as a text or a JSONPath query";
}

static const char *
check_secret(const char *value)
{
	const unsigned char *p;

	if (*value == '\0')
		return "is empty";
	for (p = (const unsigned char *) value; *p != '\0'; p++)
	{
		if (*p < ' ' || *p == 0x7f)
			return "has a control character";
	}
	return NULL;
}

static const char *
check_pem(const char *value)
{
	const unsigned char *p;

	if (strncmp(value, "-----BEGIN ", 11) != 0)
		return "is not in PEM format";
	for (p = (const unsigned char *) value; *p != '\0'; p++)
	{
		if ((*p < ' ' && *p != '\n' && *p != '\r' && *p != '\t') || *p >= 0x7f)
			return "is not in PEM format";
	}
	return NULL;
}

/* The place is looked up among the servers; which of them is told then. */
static const char *
check_token_url(const char *value)
{
	HttpUrl		url;
	const char *problem = arazzo_url_parse(value, &url);

	if (problem == NULL && url.has_fragment)
		problem = "has a fragment";
	return problem;
}

static const char *
check_client_auth(const char *value)
{
	bool		post;

	return arazzo_option_client_auth(value, &post) ? NULL :
		"is neither \"client_secret_basic\" nor \"client_secret_post\"";
}

bool
arazzo_option_in_secret_file(const char *name, const char *value, const char **problem)
{
	const OptionRule *rule = find_rule(name, UserMappingRelationId);

	if (rule == NULL || strcmp(name, SECRET_FILE) == 0)
		return false;
	*problem = rule->check(value);
	return true;
}

bool
arazzo_option_client_auth(const char *value, bool *post)
{
	*post = strcmp(value, "client_secret_post") == 0;
	return *post || strcmp(value, "client_secret_basic") == 0;
}

const char *
arazzo_option_value(const List *options, const char *name)
{
	ListCell   *cell;

	foreach(cell, options)
	{
		DefElem    *option = lfirst(cell);

		if (strcmp(option->defname, name) == 0)
			return defGetString(option);
	}
	return NULL;
}

bool
arazzo_option_time(const char *value, int *milliseconds)
{
	return parse_int(value, milliseconds, GUC_UNIT_MS, NULL) &&
		*milliseconds >= 1 && *milliseconds <= LONGEST_TIME;
}

bool
arazzo_option_bytes(const char *value, int *bytes)
{
	return parse_int(value, bytes, GUC_UNIT_BYTE, NULL) &&
		*bytes >= 1 && *bytes <= MaxAllocSize;
}

bool
arazzo_option_count(const char *value, int *count)
{
	return parse_int(value, count, 0, NULL) && *count >= 0 && *count <= LARGEST_COUNT;
}

bool
arazzo_option_duration(const char *value, int *seconds)
{
	return parse_int(value, seconds, GUC_UNIT_S, NULL) && *seconds >= 1;
}

bool
arazzo_option_response(const char *value, int *status, const char **text)
{
	size_t		digits = strspn(value, "0123456789");

	*status = digits == 3 ? (value[0] - '0') * 100 + (value[1] - '0') * 10 + (value[2] - '0') : 0;
	*text = value + digits + strspn(value + digits, " ");
	return *status >= 100 && value[digits] == ' ' && **text != '\0';
}

bool
arazzo_option_rate(const char *value, double *rate)
{
	return parse_real(value, rate, 0, NULL) && !isnan(*rate) &&
		*rate >= 0.001 && *rate <= LARGEST_COUNT;
}

bool
arazzo_option_key_place(const char *value, KeyPlace *place, const char **name)
{
	if (strncmp(value, "header ", 7) == 0)
	{
		*place = KEY_HEADER;
		*name = value + 7 + strspn(value + 7, " ");
		return arazzo_request_is_token(*name) && !arazzo_request_is_reserved_header(*name);
	}
	if (strncmp(value, "body ", 5) == 0)
	{
		*place = KEY_BODY;
		*name = value + 5 + strspn(value + 5, " ");
		return **name == '/';
	}
	return false;
}
