/*-------------------------------------------------------------------------
 *
 * fault.c
 *	  What can go wrong with a request on its way, and the words for it.
 *
 * Host, port, address and limits may be told; paths, queries, headers and
 * bodies may hold secrets and are not.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "http/fault.h"

typedef struct FaultWords
{
	int			sqlstate;
	bool		transient;		/* may go away by itself */
	const char *message;		/* with the authority of the URL */
} FaultWords;

static const FaultWords fault_words[] = {
	[FAULT_NONE] = {ERRCODE_INTERNAL_ERROR, false, "request to \"%s\" failed"},
	[FAULT_ADDRESS] = {ERRCODE_INSUFFICIENT_PRIVILEGE, false, "address of \"%s\" is not allowed"},
	[FAULT_RESOLVE] = {ERRCODE_SQLCLIENT_UNABLE_TO_ESTABLISH_SQLCONNECTION, true, "could not resolve the host of \"%s\""},
	[FAULT_CONNECT] = {ERRCODE_SQLCLIENT_UNABLE_TO_ESTABLISH_SQLCONNECTION, true, "could not connect to \"%s\""},
	[FAULT_CONNECT_TIMEOUT] = {ERRCODE_SQLCLIENT_UNABLE_TO_ESTABLISH_SQLCONNECTION, true, "could not connect to \"%s\" in time"},
	[FAULT_CERTIFICATE] = {ERRCODE_SQLCLIENT_UNABLE_TO_ESTABLISH_SQLCONNECTION, false, "could not verify the certificate of \"%s\""},
	[FAULT_PINNED_KEY] = {ERRCODE_SQLCLIENT_UNABLE_TO_ESTABLISH_SQLCONNECTION, false, "public key of \"%s\" is not the pinned one"},
	[FAULT_CA_FILE] = {ERRCODE_SQLCLIENT_UNABLE_TO_ESTABLISH_SQLCONNECTION, false, "could not read the certificate authorities for \"%s\""},
	[FAULT_CRL_FILE] = {ERRCODE_SQLCLIENT_UNABLE_TO_ESTABLISH_SQLCONNECTION, false, "could not read the revoked certificates for \"%s\""},
	[FAULT_CLIENT_CERTIFICATE] = {ERRCODE_SQLCLIENT_UNABLE_TO_ESTABLISH_SQLCONNECTION, false, "could not use the client certificate for \"%s\""},
	[FAULT_TLS] = {ERRCODE_SQLCLIENT_UNABLE_TO_ESTABLISH_SQLCONNECTION, true, "could not set up TLS with \"%s\""},
	[FAULT_TLS_TERMS] = {ERRCODE_SQLCLIENT_UNABLE_TO_ESTABLISH_SQLCONNECTION, false, "could not set up TLS with \"%s\""},
	[FAULT_TIMEOUT] = {ERRCODE_CONNECTION_FAILURE, true, "request to \"%s\" timed out"},
	[FAULT_STALE] = {ERRCODE_CONNECTION_FAILURE, true, "connection to \"%s\" cannot be used again"},
	[FAULT_LOST] = {ERRCODE_CONNECTION_FAILURE, true, "connection to \"%s\" was lost before a response arrived"},
	[FAULT_CUT] = {ERRCODE_CONNECTION_FAILURE, true, "response from \"%s\" was cut off"},
	[FAULT_PROTOCOL] = {ERRCODE_PROTOCOL_VIOLATION, false, "response from \"%s\" is not valid HTTP"},
	[FAULT_ENCODING] = {ERRCODE_PROTOCOL_VIOLATION, false, "could not decompress the response from \"%s\""},
	[FAULT_BODY_LIMIT] = {ERRCODE_PROGRAM_LIMIT_EXCEEDED, false, "response from \"%s\" is too large"},
	[FAULT_HEADER_LIMIT] = {ERRCODE_PROGRAM_LIMIT_EXCEEDED, false, "header section of the response from \"%s\" is too large"},
	[FAULT_HEADER_LINE] = {ERRCODE_PROGRAM_LIMIT_EXCEEDED, false, "response from \"%s\" has a header that is too long"},
	[FAULT_MEMORY] = {ERRCODE_OUT_OF_MEMORY, true, "out of memory while sending a request to \"%s\""},
	[FAULT_DESCRIPTORS] = {ERRCODE_INSUFFICIENT_RESOURCES, true, "too many open files to connect to \"%s\""},
	[FAULT_OTHER] = {ERRCODE_CONNECTION_FAILURE, true, "request to \"%s\" failed"}
};

/* Words of OpenSSL, and of libcurl when it reads chunks. */
static const struct
{
	HttpFault	fault;
	const char *text;
	HttpFault	refined;
}			refinements[] = {
	{FAULT_TLS, "alert protocol version", FAULT_TLS_TERMS},
	{FAULT_TLS, "alert handshake failure", FAULT_TLS_TERMS},
	{FAULT_TLS, "alert insufficient security", FAULT_TLS_TERMS},
	{FAULT_TLS, "unsupported protocol", FAULT_TLS_TERMS},
	{FAULT_TLS, "key too small", FAULT_TLS_TERMS},
	{FAULT_LOST, "chunk", FAULT_PROTOCOL}
};

static void describe_address(const FaultPlace *place, ArazzoResponse *response);
static void describe_limits(HttpFault fault, const FaultPlace *place, ArazzoResponse *response);
static char *library_detail(const char *text);

HttpFault
arazzo_fault_refine(HttpFault fault, const char *library_text)
{
	int			i;

	for (i = 0; i < lengthof(refinements); i++)
	{
		if (refinements[i].fault == fault && strstr(library_text, refinements[i].text) != NULL)
			return refinements[i].refined;
	}
	return fault;
}

void
arazzo_fault_describe(HttpFault fault, const FaultPlace *place, ArazzoResponse *response)
{
	const FaultWords *words = &fault_words[fault];
	char	   *authority = arazzo_url_authority(place->url);

	response->sqlstate = words->sqlstate;
	response->transient = words->transient;
	response->message = psprintf(words->message, authority);
	switch (fault)
	{
		case FAULT_ADDRESS:
			describe_address(place, response);
			break;
		case FAULT_CONNECT_TIMEOUT:
		case FAULT_TIMEOUT:
		case FAULT_BODY_LIMIT:
		case FAULT_HEADER_LIMIT:
			describe_limits(fault, place, response);
			break;
		case FAULT_CONNECT:
			if (place->os_error != 0)
				response->message = psprintf("%s: %s", response->message, strerror(place->os_error));
			break;
		case FAULT_ENCODING:
			response->detail = pstrdup("Its body is damaged, or packed in another way than gzip.");
			break;
		case FAULT_STALE:
		case FAULT_HEADER_LINE:
		case FAULT_MEMORY:
		case FAULT_DESCRIPTORS:
			break;
		default:
			response->detail = library_detail(place->library_text);
			break;
	}
	if (fault == FAULT_CERTIFICATE && place->options->ca_file == NULL)
		response->hint = "The server option ca_file names the certificate authorities to trust in place of the system's.";
}

static void
describe_address(const FaultPlace *place, ArazzoResponse *response)
{
	char		text[EGRESS_TEXT_SIZE];

	response->detail = psprintf("Address %s is %s.",
								arazzo_egress_format(place->address, text),
								arazzo_egress_class_name(arazzo_egress_class(place->address)));
	if (place->url->secure)
		response->hint = "The server option allow_private names networks that may be reached although they are not public.";
	else
		response->hint = "Use https; plain http is for loopback addresses.";
}

static void
describe_limits(HttpFault fault, const FaultPlace *place, ArazzoResponse *response)
{
	const HttpOptions *options = place->options;

	switch (fault)
	{
		case FAULT_CONNECT_TIMEOUT:
			response->detail = psprintf("The limit is %d ms.",
										Min(options->connect_timeout, options->timeout));
			response->hint = "The server options connect_timeout and timeout set the limits.";
			break;
		case FAULT_TIMEOUT:
			response->detail = psprintf("No complete response arrived within %d ms.", options->timeout);
			response->hint = "The server option timeout sets the limit.";
			break;
		case FAULT_BODY_LIMIT:
			response->detail = psprintf("The limit is " INT64_FORMAT " bytes, after decompression.",
										options->max_response_bytes);
			response->hint = "The server option max_response_bytes sets the limit.";
			break;
		default:
			response->detail = psprintf("The limit is %d bytes.", options->max_header_bytes);
			response->hint = "The server option max_header_bytes sets the limit.";
			break;
	}
}

/* The library's words as a sentence; a server may have had a part in them. */
static char *
library_detail(const char *text)
{
	char	   *clean;
	char	   *p;

	if (text == NULL || *text == '\0')
		return NULL;
	clean = pstrdup(text);
	for (p = clean; *p != '\0'; p++)
	{
		if (*p < ' ' || *p > '~')
			*p = '?';
	}
	return psprintf("The HTTP library reported: %s.", clean);
}
