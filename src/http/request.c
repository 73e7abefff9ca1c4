/*-------------------------------------------------------------------------
 *
 * request.c
 *	  Refuses requests that must not reach the wire, and writes the headers
 *	  of the others.
 *
 * The last check before sending, whoever composed the request: nothing that
 * could end a header early, start a second request, or move it to another
 * place passes here.  Messages show names only, since values may be secret.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "http/request.h"
#include "http/unpack.h"

static ArazzoFailure *check_url(const ArazzoRequest *request, const HttpOptions *options, HttpUrl *url);
static ArazzoFailure *check_header(const ArazzoHeader *header);
static ArazzoFailure *check_size(const ArazzoRequest *request);
static bool has_header(const ArazzoRequest *request, const char *name);
static bool is_field_value(const char *value);

/* Of URL and headers together.  libcurl gives up at a megabyte, out of memory
 * as it says; servers do so much earlier. */
#define LARGEST_HEAD	(512 * 1024)

/* Headers that frame a message or belong to one hop (RFC 9110, section 7.6.1). */
static const char *const reserved_headers[] = {
	"host", "content-length", "transfer-encoding", "connection", "expect",
	"upgrade", "te", "trailer", "keep-alive", "proxy-connection",
	"proxy-authorization", "http2-settings"
};

ArazzoFailure *
arazzo_request_check(const ArazzoRequest *request, const HttpOptions *options, HttpUrl *url)
{
	ArazzoFailure *failure;
	int			i;

	failure = check_url(request, options, url);
	if (failure != NULL)
		return failure;
	if (!arazzo_request_is_token(request->method))
		return arazzo_failure_make(ERRCODE_INVALID_PARAMETER_VALUE,
								   "request method is not a valid HTTP method");
	if (strcmp(request->method, "CONNECT") == 0 || strcmp(request->method, "TRACE") == 0)
		return arazzo_failure_make(ERRCODE_INSUFFICIENT_PRIVILEGE,
								   "request method \"%s\" is not allowed", request->method);
	for (i = 0; i < request->header_count; i++)
	{
		failure = check_header(&request->headers[i]);
		if (failure != NULL)
			return failure;
	}
	return check_size(request);
}

static ArazzoFailure *
check_size(const ArazzoRequest *request)
{
	size_t		size = strlen(request->url);
	int			i;

	for (i = 0; i < request->header_count; i++)
		size += strlen(request->headers[i].name) + strlen(request->headers[i].value);
	if (size <= LARGEST_HEAD)
		return NULL;
	return arazzo_failure_detail(arazzo_failure_make(ERRCODE_PROGRAM_LIMIT_EXCEEDED,
													 "URL and headers of the request are too large"),
								 "They have %zu bytes, and the limit is %d.", size, LARGEST_HEAD);
}

static ArazzoFailure *
check_url(const ArazzoRequest *request, const HttpOptions *options, HttpUrl *url)
{
	const char *problem = arazzo_url_parse(request->url, url);

	if (problem != NULL)
		return arazzo_failure_make(ERRCODE_INSUFFICIENT_PRIVILEGE,
								   "URL of the request %s", problem);
	if (url->has_fragment)
		return arazzo_failure_make(ERRCODE_INVALID_PARAMETER_VALUE,
								   "URL of the request has a fragment");
	if (!url->secure && !(options->allow_loopback && arazzo_url_is_loopback(url)))
		return arazzo_failure_hint(arazzo_failure_make(ERRCODE_INSUFFICIENT_PRIVILEGE,
													   "plain http to \"%s\" is not allowed",
													   arazzo_url_authority(url)),
								   "Use https; plain http is for loopback addresses.");
	return NULL;
}

static ArazzoFailure *
check_header(const ArazzoHeader *header)
{
	if (!arazzo_request_is_token(header->name))
		return arazzo_failure_make(ERRCODE_INVALID_PARAMETER_VALUE,
								   "request has a header whose name is not a valid header name");
	if (arazzo_request_is_reserved_header(header->name))
		return arazzo_failure_make(ERRCODE_INSUFFICIENT_PRIVILEGE,
								   "request header \"%s\" cannot be set", header->name);
	if (!is_field_value(header->value))
		return arazzo_failure_detail(arazzo_failure_make(ERRCODE_INVALID_PARAMETER_VALUE,
														 "value of request header \"%s\" has a character that no header may have",
														 header->name),
									 "Line breaks and other control characters would change the request.");
	return NULL;
}

bool
arazzo_request_is_token(const char *text)
{
	const char *p;

	if (text == NULL || *text == '\0')
		return false;
	for (p = text; *p != '\0'; p++)
	{
		bool		alphanumeric = (*p >= 'a' && *p <= 'z') ||
			(*p >= 'A' && *p <= 'Z') || (*p >= '0' && *p <= '9');

		if (!alphanumeric && strchr("!#$%&'*+-.^_`|~", *p) == NULL)
			return false;
	}
	return true;
}

bool
arazzo_request_is_reserved_header(const char *name)
{
	int			i;

	for (i = 0; i < lengthof(reserved_headers); i++)
	{
		if (pg_strcasecmp(name, reserved_headers[i]) == 0)
			return true;
	}
	return false;
}

char	  **
arazzo_request_lines(const ArazzoRequest *request, int *count)
{
	char	  **lines = palloc(sizeof(char *) * (request->header_count + 3));
	int			n = 0;
	int			i;

	if (!has_header(request, "Accept-Encoding"))
		lines[n++] = "Accept-Encoding: " UNPACK_ACCEPTED;
	if (!has_header(request, "Content-Type"))
		lines[n++] = "Content-Type:";
	for (i = 0; i < request->header_count; i++)
	{
		const ArazzoHeader *header = &request->headers[i];
		const char *value = header->value + strspn(header->value, " \t");

		lines[n++] = *value == '\0' ? psprintf("%s;", header->name) : psprintf("%s: %s", header->name, value);
	}
	lines[n++] = "Expect:";
	*count = n;
	return lines;
}

static bool
has_header(const ArazzoRequest *request, const char *name)
{
	return arazzo_header_find(request->headers, request->header_count, name, strlen(name)) != NULL;
}

/* RFC 9110, section 5.5: no control character but the tab. */
static bool
is_field_value(const char *value)
{
	const unsigned char *p;

	for (p = (const unsigned char *) value; *p != '\0'; p++)
	{
		if ((*p < ' ' && *p != '\t') || *p == 0x7f)
			return false;
	}
	return true;
}
