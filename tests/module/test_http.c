/*-------------------------------------------------------------------------
 *
 * test_http.c
 *	  The http room as SQL functions, for tests only.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/builtins.h"

#include "http/connection.h"
#include "http/egress.h"
#include "http/mask.h"
#include "http/transport.h"
#include "http/url.h"

PG_FUNCTION_INFO_V1(test_http_perform);
PG_FUNCTION_INFO_V1(test_http_many);
PG_FUNCTION_INFO_V1(test_http_abandon);
PG_FUNCTION_INFO_V1(test_http_counts);
PG_FUNCTION_INFO_V1(test_url);
PG_FUNCTION_INFO_V1(test_egress_class);
PG_FUNCTION_INFO_V1(test_egress_allowed);
PG_FUNCTION_INFO_V1(test_connection);
PG_FUNCTION_INFO_V1(test_mask_text);
PG_FUNCTION_INFO_V1(test_mask_header);

static ArazzoRequest *make_request(const char *method, const char *url);
static HttpOptions *make_options(ArrayType *settings);
static void set_option(HttpOptions *options, const char *name, const char *value);
static char **read_texts(ArrayType *array, int *count);
static Datum texts_datum(char **texts, int count);
static const char *outcome_name(ArazzoOutcome outcome);
static Datum response_headers(const ArazzoResponse *response);
static void set_text(Datum *value, bool *is_null, const char *text);

/*
 * test_http_perform(method, url, headers, body, options): one request; the
 * response as a row.  headers are names and values in turn, options are
 * name=value.
 */
Datum
test_http_perform(PG_FUNCTION_ARGS)
{
	ArazzoRequest *request = make_request(text_to_cstring(PG_GETARG_TEXT_PP(0)),
										  text_to_cstring(PG_GETARG_TEXT_PP(1)));
	HttpOptions *options = make_options(PG_GETARG_ARRAYTYPE_P(4));
	const ArazzoResponse *response;
	HttpTransfer *transfer;
	TupleDesc	descriptor;
	Datum		values[10];
	bool		nulls[10] = {false};
	char	  **texts;
	int			count;
	int			i;

	if (get_call_result_type(fcinfo, NULL, &descriptor) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	texts = read_texts(PG_GETARG_ARRAYTYPE_P(2), &count);
	request->header_count = count / 2;
	request->headers = palloc0(sizeof(ArazzoHeader) * (count / 2 + 1));
	for (i = 0; i < count / 2; i++)
	{
		request->headers[i].name = texts[2 * i];
		request->headers[i].value = texts[2 * i + 1];
	}
	if (!PG_ARGISNULL(3))
	{
		request->body = VARDATA_ANY(PG_GETARG_BYTEA_PP(3));
		request->body_length = VARSIZE_ANY_EXHDR(PG_GETARG_BYTEA_PP(3));
	}

	transfer = arazzo_http_start(request, options);
	while ((response = arazzo_http_response(transfer)) == NULL)
		arazzo_http_poll(1000);
	if (response->body[response->body_length] != '\0')
		elog(ERROR, "body is not terminated");

	values[0] = CStringGetTextDatum(outcome_name(response->outcome));
	values[1] = Int32GetDatum(response->status);
	values[2] = response_headers(response);
	values[3] = PointerGetDatum(cstring_to_text_with_len(response->body, response->body_length));
	set_text(&values[4], &nulls[4],
			 response->sqlstate == 0 ? NULL : unpack_sql_state(response->sqlstate));
	set_text(&values[5], &nulls[5], response->message);
	set_text(&values[6], &nulls[6], response->detail);
	set_text(&values[7], &nulls[7], response->hint);
	values[8] = BoolGetDatum(response->transient);
	set_text(&values[9], &nulls[9], arazzo_http_peer(transfer));
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(descriptor), values, nulls)));
}

/*
 * test_http_many(urls, options): GETs of all URLs at once; what became of
 * each, in order.  Each has a pool of its own.
 */
Datum
test_http_many(PG_FUNCTION_ARGS)
{
	int			count;
	char	  **urls = read_texts(PG_GETARG_ARRAYTYPE_P(0), &count);
	char	  **results = palloc0(sizeof(char *) * count);
	HttpTransfer **transfers = palloc0(sizeof(HttpTransfer *) * count);
	int			left = count;
	int			i;

	for (i = 0; i < count; i++)
	{
		HttpOptions *options = make_options(PG_GETARG_ARRAYTYPE_P(1));

		options->pool += i;
		transfers[i] = arazzo_http_start(make_request("GET", urls[i]), options);
	}
	while (left > 0)
	{
		arazzo_http_poll(1000);
		for (i = 0; i < count; i++)
		{
			const ArazzoResponse *response;

			if (transfers[i] == NULL || (response = arazzo_http_response(transfers[i])) == NULL)
				continue;
			results[i] = psprintf("%s %d %s", outcome_name(response->outcome), response->status,
								  response->outcome == OUTCOME_RECEIVED ? response->body :
								  unpack_sql_state(response->sqlstate));
			arazzo_http_free(transfers[i]);
			transfers[i] = NULL;
			left--;
		}
	}
	return texts_datum(results, count);
}

/*
 * test_http_abandon(url, options): throws while a request is in flight, so
 * that nothing but the memory context is left to clean up.
 */
Datum
test_http_abandon(PG_FUNCTION_ARGS)
{
	char	   *url = text_to_cstring(PG_GETARG_TEXT_PP(0));
	HttpTransfer *transfer = arazzo_http_start(make_request("GET", url),
											   make_options(PG_GETARG_ARRAYTYPE_P(1)));

	while (arazzo_http_peer(transfer) == NULL && arazzo_http_response(transfer) == NULL)
		arazzo_http_poll(10);
	ereport(ERROR,
			errcode(ERRCODE_RAISE_EXCEPTION),
			errmsg("request was abandoned"));
}

/* test_http_counts(): transfers in flight and idle handles. */
Datum
test_http_counts(PG_FUNCTION_ARGS)
{
	int			in_flight;
	int			idle;

	arazzo_http_counts(&in_flight, &idle);
	PG_RETURN_TEXT_P(cstring_to_text(psprintf("%d in flight, %d idle", in_flight, idle)));
}

/* test_url(text): the parts of a URL, or what is wrong with it. */
Datum
test_url(PG_FUNCTION_ARGS)
{
	char	   *string = text_to_cstring(PG_GETARG_TEXT_PP(0));
	HttpUrl		url;
	const char *problem = arazzo_url_parse(string, &url);

	if (problem != NULL)
		PG_RETURN_TEXT_P(cstring_to_text(problem));
	PG_RETURN_TEXT_P(cstring_to_text(psprintf("%s %.*s %d [%.*s]%s%s%s",
											  url.secure ? "https" : "http",
											  url.host_length, url.host, url.port,
											  url.path_length, url.path,
											  url.has_query ? " query" : "",
											  url.has_fragment ? " fragment" : "",
											  arazzo_url_is_loopback(&url) ? " loopback" : "")));
}

/* test_egress_class(text): class of an address. */
Datum
test_egress_class(PG_FUNCTION_ARGS)
{
	IpAddress	address;

	if (!arazzo_egress_parse(text_to_cstring(PG_GETARG_TEXT_PP(0)), &address))
		PG_RETURN_TEXT_P(cstring_to_text("no address"));
	PG_RETURN_TEXT_P(cstring_to_text(arazzo_egress_class_name(arazzo_egress_class(&address))));
}

/* test_egress_allowed(address, plain, options): whether a request may go there. */
Datum
test_egress_allowed(PG_FUNCTION_ARGS)
{
	IpAddress	address;

	arazzo_egress_parse(text_to_cstring(PG_GETARG_TEXT_PP(0)), &address);
	PG_RETURN_BOOL(arazzo_egress_allowed(&address, PG_GETARG_BOOL(1),
										 make_options(PG_GETARG_ARRAYTYPE_P(2))));
}

/*
 * test_connection(url, role): server, URL to send to, the API key of the
 * mapping, and other options of the connection for a role; or the failure.
 */
Datum
test_connection(PG_FUNCTION_ARGS)
{
	static bool initialized = false;
	char	   *url = text_to_cstring(PG_GETARG_TEXT_PP(0));
	Oid			role = get_role_oid(NameStr(*PG_GETARG_NAME(1)), false);
	const ArazzoConnection *connection;
	const HttpOptions *http;
	ArazzoFailure *failure;

	if (!initialized)
		arazzo_connection_init();
	initialized = true;
	connection = arazzo_connection_find(url, role, &failure);
	if (connection == NULL)
		arazzo_failure_report(failure, ERROR);
	http = &connection->http;
	PG_RETURN_TEXT_P(cstring_to_text(psprintf("%s %s key=%s mapping=%s timeouts=%d/%d bytes=" INT64_FORMAT "/%d"
											  " loopback=%s concurrency=%d rate=%g retries=%d %s%s",
											  connection->server_name,
											  arazzo_connection_rewrite(connection, url),
											  connection->credentials.api_key ? connection->credentials.api_key : "none",
											  connection->has_mapping ? "yes" : "no",
											  http->connect_timeout, http->timeout,
											  http->max_response_bytes, http->max_header_bytes,
											  http->allow_loopback ? "yes" : "no",
											  connection->max_concurrency, connection->max_rate,
											  connection->retry_limit,
											  connection->key_place == KEY_NONE ? "no key" :
											  connection->key_place == KEY_HEADER ? "header " : "body ",
											  connection->key_name ? connection->key_name : "")));
}

/* test_mask_text(text, secrets): the text as it may be shown. */
Datum
test_mask_text(PG_FUNCTION_ARGS)
{
	int			count;
	char	  **texts = read_texts(PG_GETARG_ARRAYTYPE_P(1), &count);
	List	   *secrets = NIL;
	int			i;

	for (i = 0; i < count; i++)
		secrets = lappend(secrets, texts[i]);
	PG_RETURN_TEXT_P(cstring_to_text(arazzo_mask_text(text_to_cstring(PG_GETARG_TEXT_PP(0)), secrets)));
}

/* test_mask_header(name): whether a header's value is hidden. */
Datum
test_mask_header(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(arazzo_mask_is_secret_header(text_to_cstring(PG_GETARG_TEXT_PP(0))));
}

static ArazzoRequest *
make_request(const char *method, const char *url)
{
	ArazzoRequest *request = palloc0(sizeof(ArazzoRequest));

	request->method = method;
	request->url = url;
	return request;
}

static HttpOptions *
make_options(ArrayType *settings)
{
	HttpOptions *options = palloc0(sizeof(HttpOptions));
	int			count;
	char	  **texts = read_texts(settings, &count);
	int			i;

	options->pool = 1;
	options->connect_timeout = 30 * 1000;
	options->timeout = 60 * 1000;
	options->max_response_bytes = 1024 * 1024;
	options->max_header_bytes = 128 * 1024;
	options->allow_loopback = true;
	for (i = 0; i < count; i++)
	{
		char	   *value = strchr(texts[i], '=');

		if (value == NULL)
			elog(ERROR, "option is not name=value");
		*value = '\0';
		set_option(options, texts[i], value + 1);
	}
	return options;
}

static void
set_option(HttpOptions *options, const char *name, const char *value)
{
	if (strcmp(name, "pool") == 0)
		options->pool = pg_strtoint64(value);
	else if (strcmp(name, "connect_timeout") == 0)
		options->connect_timeout = pg_strtoint32(value);
	else if (strcmp(name, "timeout") == 0)
		options->timeout = pg_strtoint32(value);
	else if (strcmp(name, "max_response_bytes") == 0)
		options->max_response_bytes = pg_strtoint64(value);
	else if (strcmp(name, "max_header_bytes") == 0)
		options->max_header_bytes = pg_strtoint32(value);
	else if (strcmp(name, "allow_loopback") == 0)
		options->allow_loopback = strcmp(value, "on") == 0;
	else if (strcmp(name, "allow_private") == 0)
		options->allow_private = value;
	else if (strcmp(name, "ca_file") == 0)
		options->ca_file = value;
	else if (strcmp(name, "client_cert") == 0)
		options->client_cert = value;
	else if (strcmp(name, "client_key") == 0)
		options->client_key = value;
	else if (strcmp(name, "proxy") == 0)
		options->proxy = value;
	else if (strcmp(name, "crl_file") == 0)
		options->crl_file = value;
	else if (strcmp(name, "pinned_public_key") == 0)
		options->pinned_public_key = value;
	else if (strcmp(name, "user") == 0)
		options->user = value;
	else if (strcmp(name, "password") == 0)
		options->password = value;
	else
		elog(ERROR, "unknown option \"%s\"", name);
}

static char **
read_texts(ArrayType *array, int *count)
{
	Datum	   *values;
	char	  **texts;
	int			i;

	deconstruct_array(array, TEXTOID, -1, false, TYPALIGN_INT, &values, NULL, count);
	texts = palloc0(sizeof(char *) * (*count + 1));
	for (i = 0; i < *count; i++)
		texts[i] = TextDatumGetCString(values[i]);
	return texts;
}

static Datum
texts_datum(char **texts, int count)
{
	Datum	   *values = palloc(sizeof(Datum) * (count + 1));
	int			i;

	for (i = 0; i < count; i++)
		values[i] = CStringGetTextDatum(texts[i]);
	return PointerGetDatum(construct_array(values, count, TEXTOID, -1, false, TYPALIGN_INT));
}

static const char *
outcome_name(ArazzoOutcome outcome)
{
	switch (outcome)
	{
		case OUTCOME_RECEIVED:
			return "received";
		case OUTCOME_NOT_SENT:
			return "not sent";
		case OUTCOME_UNKNOWN:
			return "unknown";
	}
	return "no outcome";
}

static Datum
response_headers(const ArazzoResponse *response)
{
	char	  **texts = palloc(sizeof(char *) * (2 * response->header_count + 1));
	int			i;

	for (i = 0; i < response->header_count; i++)
	{
		texts[2 * i] = (char *) response->headers[i].name;
		texts[2 * i + 1] = (char *) response->headers[i].value;
	}
	return texts_datum(texts, 2 * response->header_count);
}

static void
set_text(Datum *value, bool *is_null, const char *text)
{
	*is_null = text == NULL;
	if (text != NULL)
		*value = CStringGetTextDatum(text);
}
