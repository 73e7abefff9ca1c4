/*-------------------------------------------------------------------------
 *
 * transport.c
 *	  Handles of the HTTP library and pools of its connections.
 *
 * The only file that sees libcurl.  One multi handle drives all requests of
 * a backend.
 *
 * Callbacks that libcurl calls neither allocate with palloc nor throw; they
 * note why they stopped, and the report is made when libcurl has returned.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <curl/curl.h>
#include <signal.h>

#include "libpq/pqsignal.h"
#include "miscadmin.h"
#include "storage/pmsignal.h"
#include "utils/wait_event.h"

#include "http/gate.h"
#include "http/handle.h"
#include "http/request.h"
#include "http/sockets.h"
#include "http/verify.h"
#include "http/watch.h"

#if LIBCURL_VERSION_NUM < 0x075000
#error "amberflo_arazzo needs libcurl 7.80.0 or later"
#endif

#define MAX_IDLE_HANDLES		64
#define MAX_IDLE_CONNECTIONS	32	/* kept alive, of one pool */

/*
 * A connection that was idle for longer is not used again: many servers
 * close theirs after a minute, and a request that meets the close on its way
 * has an unknown outcome.
 */
#define MAX_IDLE_SECONDS		30L

/*
 * How long the certificate authorities of a file are kept that was read: the
 * file may have changed.  After a failure they are read for each connection
 * for a while: in OpenSSL, one that could not be decoded when memory was
 * short cannot be decoded ever after.
 */
#define MAX_AUTHORITY_SECONDS	60L

/* How often the library is called on its own wish before others have a turn. */
#define MAX_CALLS 10

StaticAssertDecl(sizeof(((HttpHandle *) NULL)->error) >= CURL_ERROR_SIZE,
				 "buffer for error texts is too small");

/* What libcurl's errors mean; fault_of() knows what else matters. */
static const struct
{
	CURLcode	code;
	HttpFault	fault;
}			code_faults[] = {
	{CURLE_COULDNT_RESOLVE_HOST, FAULT_RESOLVE},
	{CURLE_COULDNT_RESOLVE_PROXY, FAULT_RESOLVE},
	{CURLE_COULDNT_CONNECT, FAULT_CONNECT},
	{CURLE_OPERATION_TIMEDOUT, FAULT_TIMEOUT},
	{CURLE_PEER_FAILED_VERIFICATION, FAULT_CERTIFICATE},
	{CURLE_SSL_ISSUER_ERROR, FAULT_CERTIFICATE},
	{CURLE_SSL_INVALIDCERTSTATUS, FAULT_CERTIFICATE},
	{CURLE_SSL_PINNEDPUBKEYNOTMATCH, FAULT_PINNED_KEY},
	{CURLE_SSL_CACERT_BADFILE, FAULT_CA_FILE},
	{CURLE_SSL_CRL_BADFILE, FAULT_CRL_FILE},
	{CURLE_SSL_CERTPROBLEM, FAULT_CLIENT_CERTIFICATE},
	{CURLE_SSL_CONNECT_ERROR, FAULT_TLS},
	{CURLE_SSL_CIPHER, FAULT_TLS},
	{CURLE_GOT_NOTHING, FAULT_LOST},
	{CURLE_SEND_ERROR, FAULT_LOST},
	{CURLE_RECV_ERROR, FAULT_LOST},
	{CURLE_PARTIAL_FILE, FAULT_CUT},
	{CURLE_UNSUPPORTED_PROTOCOL, FAULT_PROTOCOL},
	{CURLE_WEIRD_SERVER_REPLY, FAULT_PROTOCOL},
	{CURLE_HTTP2, FAULT_LOST},
	{CURLE_HTTP2_STREAM, FAULT_LOST},
	{CURLE_BAD_CONTENT_ENCODING, FAULT_ENCODING},
	{CURLE_OUT_OF_MEMORY, FAULT_MEMORY}
#if LIBCURL_VERSION_NUM >= 0x080600
	,{CURLE_TOO_LARGE, FAULT_HEADER_LINE}
#endif
};

static CURLM *multi = NULL;
static bool multi_failed = false;	/* short of memory, it may be broken */
static int64 doubted_until = 0; /* certificate authorities (ms) */
static dlist_head idle_handles = DLIST_STATIC_INIT(idle_handles);
static int	idle_count = 0;
static int	driven_count = 0;

/* How many sockets were ready at the last wait, and when the library wants to
 * be called even if none is (ms, -1: never). */
static int	ready_count = 0;
static int64 call_at = -1;
static bool watch_failed = false;

/* A request lost its socket before it was sent, and may want another. */
static bool look_at_all = false;

static void initialize_library(void);
static void keep_connections(void);
static bool renew_handle(HttpHandle *handle);
static CURLcode set_constant_options(HttpHandle *handle);
static CURLcode set_method(CURL *easy, const ArazzoRequest *request);
static CURLcode set_special_options(HttpHandle *handle);
static struct curl_slist *make_header_list(const ArazzoRequest *request);
static CURLMcode act_on_events(void);
static CURLMcode call_for_all(void);
static bool is_call_due(void);
static int	on_watch(CURL *easy, curl_socket_t socket, int what, void *argument, void *assigned);
static int	on_timer(CURLM *driven, long timeout, void *argument);
static bool start_afresh(HttpHandle *handle);
static HttpFault fault_of(HttpHandle *handle, CURLcode code);
static HttpFault fault_of_code(HttpHandle *handle, CURLcode code);
static int	on_request(void *argument, char *peer, char *local, int peer_port, int local_port);
static curl_socket_t on_open_socket(void *argument, curlsocktype purpose, struct curl_sockaddr *target);
static int	on_close_socket(void *argument, curl_socket_t socket);
static CURLcode on_tls_context(CURL *easy, void *context, void *argument);
static size_t on_header(char *line, size_t size, size_t count, void *argument);
static size_t on_body(char *data, size_t size, size_t count, void *argument);

void *
arazzo_share_create(void)
{
	CURLSH	   *share;

	initialize_library();
	share = curl_share_init();
	if (share == NULL ||
		curl_share_setopt(share, CURLSHOPT_SHARE, CURL_LOCK_DATA_CONNECT) != CURLSHE_OK ||
		curl_share_setopt(share, CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION) != CURLSHE_OK)
	{
		curl_share_cleanup(share);
		return NULL;
	}
	return share;
}

bool
arazzo_share_free(void *share)
{
	return curl_share_cleanup(share) == CURLSHE_OK;
}

/*
 * Done with the first request, not when the module is loaded: preloading it
 * must not start a library in the postmaster.  What is left of a multi handle
 * in libcurl 7.88 when memory was short divides by zero.
 */
static void
initialize_library(void)
{
	static bool initialized = false;

	if (multi != NULL && !(multi_failed && driven_count == 0))
		return;
	if (multi != NULL)
	{
		curl_multi_cleanup(multi);
		arazzo_watch_clear(WATCH_HTTP);
		multi_failed = false;
	}
	if (!initialized && curl_global_init(CURL_GLOBAL_ALL) != CURLE_OK)
		ereport(ERROR,
				errcode(ERRCODE_OUT_OF_MEMORY),
				errmsg("could not initialize the HTTP library"));
	initialized = true;
	multi = curl_multi_init();
	if (multi == NULL)
		ereport(ERROR,
				errcode(ERRCODE_OUT_OF_MEMORY),
				errmsg("could not initialize the HTTP library"));
	curl_multi_setopt(multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, (long) arazzo_sockets_most());
	curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, on_watch);
	curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, on_timer);
	keep_connections();
}

/*
 * libcurl compares this with all connections of a pool, busy or not, and
 * closes one when a request is over: it must not be less than what is in use.
 */
static void
keep_connections(void)
{
	curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, (long) Max(driven_count, MAX_IDLE_CONNECTIONS));
}

HttpHandle *
arazzo_handle_acquire(void)
{
	HttpHandle *handle;

	initialize_library();
	if (!dlist_is_empty(&idle_handles))
	{
		handle = dlist_container(HttpHandle, node, dlist_pop_head_node(&idle_handles));
		idle_count--;
		return handle;
	}

	handle = calloc(1, sizeof(HttpHandle));
	if (handle != NULL)
		handle->easy = curl_easy_init();
	if (handle == NULL || handle->easy == NULL || set_constant_options(handle) != CURLE_OK)
	{
		if (handle != NULL)
			curl_easy_cleanup(handle->easy);
		free(handle);
		ereport(ERROR,
				errcode(ERRCODE_OUT_OF_MEMORY),
				errmsg("could not create an HTTP handle"));
	}
	return handle;
}

void
arazzo_handle_release(HttpHandle *handle)
{
	bool		keep = idle_count < MAX_IDLE_HANDLES;

	handle->transfer = NULL;
	handle->options = NULL;
	if (keep)
		keep = renew_handle(handle);
	arazzo_collect_reset(&handle->collector, 0, 0);
	if (keep)
	{
		dlist_push_head(&idle_handles, &handle->node);
		idle_count++;
		return;
	}
	curl_easy_cleanup(handle->easy);
	arazzo_collect_free(&handle->collector);
	free(handle);
}

/*
 * Each request gets a handle of the library of its own, which costs little:
 * before libcurl 8.1.1 a used one keeps a pointer to its last header, which
 * is freed, and an answer that begins with a continuation line is written
 * there.
 */
static bool
renew_handle(HttpHandle *handle)
{
	curl_easy_cleanup(handle->easy);
	handle->easy = curl_easy_init();
	return handle->easy != NULL && set_constant_options(handle) == CURLE_OK;
}

int
arazzo_handle_idle_count(void)
{
	return idle_count;
}

const char *
arazzo_handle_ca_file(void)
{
	return curl_version_info(CURLVERSION_NOW)->cainfo;
}

/* Sets an option unless one before could not be set. */
#define SET_OPTION(code, easy, option, value) \
	do { \
		if ((code) == CURLE_OK) \
			(code) = curl_easy_setopt((easy), (option), (value)); \
	} while (0)

/* What holds for every request. */
static CURLcode
set_constant_options(HttpHandle *handle)
{
	CURL	   *easy = handle->easy;
	CURLcode	code = CURLE_OK;

	SET_OPTION(code, easy, CURLOPT_PRIVATE, handle);
	SET_OPTION(code, easy, CURLOPT_ERRORBUFFER, handle->error);
	SET_OPTION(code, easy, CURLOPT_NOSIGNAL, 1L);
	SET_OPTION(code, easy, CURLOPT_FOLLOWLOCATION, 0L);
	SET_OPTION(code, easy, CURLOPT_PATH_AS_IS, 1L);
	SET_OPTION(code, easy, CURLOPT_NETRC, (long) CURL_NETRC_IGNORED);
	SET_OPTION(code, easy, CURLOPT_PROXY, "");
	SET_OPTION(code, easy, CURLOPT_NOPROXY, "");
	SET_OPTION(code, easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
	SET_OPTION(code, easy, CURLOPT_HTTP_CONTENT_DECODING, 0L);
	SET_OPTION(code, easy, CURLOPT_USERAGENT, "amberflo_arazzo");
	SET_OPTION(code, easy, CURLOPT_TCP_KEEPALIVE, 1L);
	SET_OPTION(code, easy, CURLOPT_MAXAGE_CONN, MAX_IDLE_SECONDS);
	SET_OPTION(code, easy, CURLOPT_HTTP_VERSION, (long) CURL_HTTP_VERSION_2TLS);
	SET_OPTION(code, easy, CURLOPT_HTTP09_ALLOWED, 0L);

	SET_OPTION(code, easy, CURLOPT_SSLVERSION, (long) CURL_SSLVERSION_TLSv1_2);
	SET_OPTION(code, easy, CURLOPT_SSL_VERIFYPEER, 1L);
	SET_OPTION(code, easy, CURLOPT_SSL_VERIFYHOST, 2L);
	if (arazzo_verify_knows(curl_version_info(CURLVERSION_NOW)->ssl_version))
		SET_OPTION(code, easy, CURLOPT_SSL_CTX_FUNCTION, on_tls_context);

	/* A resolver that hangs is left behind, not waited for. */
#if LIBCURL_VERSION_NUM >= 0x075700
	SET_OPTION(code, easy, CURLOPT_QUICK_EXIT, 1L);
#endif

	SET_OPTION(code, easy, CURLOPT_PREREQFUNCTION, on_request);
	SET_OPTION(code, easy, CURLOPT_PREREQDATA, handle);
	SET_OPTION(code, easy, CURLOPT_OPENSOCKETFUNCTION, on_open_socket);
	SET_OPTION(code, easy, CURLOPT_OPENSOCKETDATA, handle);
	SET_OPTION(code, easy, CURLOPT_CLOSESOCKETFUNCTION, on_close_socket);
	SET_OPTION(code, easy, CURLOPT_HEADERFUNCTION, on_header);
	SET_OPTION(code, easy, CURLOPT_HEADERDATA, handle);
	SET_OPTION(code, easy, CURLOPT_WRITEFUNCTION, on_body);
	SET_OPTION(code, easy, CURLOPT_WRITEDATA, handle);
	return code;
}

bool
arazzo_handle_prepare(HttpHandle *handle, const ArazzoRequest *request, const HttpUrl *url,
					  const HttpOptions *options, HttpPool *pool)
{
	CURL	   *easy = handle->easy;
	CURLcode	code = CURLE_OK;

	handle->options = options;
	handle->plain = !url->secure;
	handle->requests = 0;
	handle->stop = FAULT_NONE;
	handle->refused.length = 0;
	handle->opened = 0;
	handle->error[0] = '\0';
	arazzo_collect_reset(&handle->collector, options->max_header_bytes, options->max_response_bytes);

#if LIBCURL_VERSION_NUM >= 0x075500
	SET_OPTION(code, easy, CURLOPT_PROTOCOLS_STR, url->secure ? "https" : "http");
#else
	SET_OPTION(code, easy, CURLOPT_PROTOCOLS,
			   (long) (url->secure ? CURLPROTO_HTTPS : CURLPROTO_HTTP));
#endif
	SET_OPTION(code, easy, CURLOPT_URL, request->url);
	SET_OPTION(code, easy, CURLOPT_SHARE, pool->share);
	SET_OPTION(code, easy, CURLOPT_FRESH_CONNECT, 0L);
	SET_OPTION(code, easy, CURLOPT_CONNECTTIMEOUT_MS, (long) options->connect_timeout);
	SET_OPTION(code, easy, CURLOPT_TIMEOUT_MS, (long) options->timeout);
	SET_OPTION(code, easy, CURLOPT_HTTPHEADER, make_header_list(request));
	if (code == CURLE_OK)
		code = set_method(easy, request);
	if (code == CURLE_OK)
		code = set_special_options(handle);
	if (code != CURLE_OK)
		strlcpy(handle->error, curl_easy_strerror(code), sizeof(handle->error));
	return code == CURLE_OK;
}

/*
 * Method and body.  POST, PUT and PATCH without a body say so by a
 * Content-Length of 0 (RFC 9110, section 8.6).
 */
static CURLcode
set_method(CURL *easy, const ArazzoRequest *request)
{
	const char *method = request->method;
	bool		body = request->body != NULL || strcmp(method, "POST") == 0 ||
		strcmp(method, "PUT") == 0 || strcmp(method, "PATCH") == 0;
	CURLcode	code = CURLE_OK;

	SET_OPTION(code, easy, CURLOPT_HTTPGET, 1L);
	if (body)
	{
		SET_OPTION(code, easy, CURLOPT_POST, 1L);
		SET_OPTION(code, easy, CURLOPT_POSTFIELDSIZE_LARGE,
				   (curl_off_t) (request->body == NULL ? 0 : request->body_length));
		SET_OPTION(code, easy, CURLOPT_POSTFIELDS, request->body == NULL ? "" : request->body);
	}
	else if (strcmp(method, "HEAD") == 0)
		SET_OPTION(code, easy, CURLOPT_NOBODY, 1L);
	SET_OPTION(code, easy, CURLOPT_CUSTOMREQUEST, method);
	return code;
}

/* Options that few connections have. */
static CURLcode
set_special_options(HttpHandle *handle)
{
	const HttpOptions *options = handle->options;
	CURL	   *easy = handle->easy;
	CURLcode	code = CURLE_OK;

#if LIBCURL_VERSION_NUM >= 0x075700
	SET_OPTION(code, easy, CURLOPT_CA_CACHE_TIMEOUT, arazzo_watch_now() < doubted_until ? 0L : MAX_AUTHORITY_SECONDS);
#endif
	if (options->ca_file != NULL)
	{
		SET_OPTION(code, easy, CURLOPT_CAINFO, options->ca_file);
		SET_OPTION(code, easy, CURLOPT_CAPATH, NULL);
	}
	if (options->crl_file != NULL)
		SET_OPTION(code, easy, CURLOPT_CRLFILE, options->crl_file);
	if (options->ca_file != NULL || options->crl_file != NULL)
	{
		/*
		 * As the files are now: a session that is resumed would not have its
		 * certificate looked at, and authorities are kept for a day.
		 */
		SET_OPTION(code, easy, CURLOPT_SSL_SESSIONID_CACHE, 0L);
#if LIBCURL_VERSION_NUM >= 0x075700
		SET_OPTION(code, easy, CURLOPT_CA_CACHE_TIMEOUT, 0L);
#endif
	}
	if (options->client_cert != NULL)
	{
		struct curl_blob blob = {(char *) options->client_cert, strlen(options->client_cert), CURL_BLOB_COPY};

		SET_OPTION(code, easy, CURLOPT_SSLCERT_BLOB, &blob);
	}
	if (options->client_key != NULL)
	{
		struct curl_blob blob = {(char *) options->client_key, strlen(options->client_key), CURL_BLOB_COPY};

		SET_OPTION(code, easy, CURLOPT_SSLKEY_BLOB, &blob);
	}
	if (options->user != NULL)
	{
		SET_OPTION(code, easy, CURLOPT_HTTPAUTH, (long) CURLAUTH_DIGEST);
		SET_OPTION(code, easy, CURLOPT_USERNAME, options->user);
		SET_OPTION(code, easy, CURLOPT_PASSWORD, options->password);
	}
	if (options->proxy != NULL)
		SET_OPTION(code, easy, CURLOPT_PROXY, options->proxy);
	if (options->pinned_public_key != NULL)
		SET_OPTION(code, easy, CURLOPT_PINNEDPUBLICKEY, options->pinned_public_key);
	return code;
}

/* The request's headers, in the current context. */
static struct curl_slist *
make_header_list(const ArazzoRequest *request)
{
	int			count;
	char	  **lines = arazzo_request_lines(request, &count);
	struct curl_slist *list = NULL;

	while (count-- > 0)
	{
		struct curl_slist *node = palloc(sizeof(struct curl_slist));

		node->data = lines[count];
		node->next = list;
		list = node;
	}
	return list;
}

bool
arazzo_handle_add(HttpHandle *handle)
{
	if (curl_multi_add_handle(multi, handle->easy) != CURLM_OK)
		return false;
	handle->driven = true;
	driven_count++;
	keep_connections();
	return true;
}

void
arazzo_handle_remove(HttpHandle *handle)
{
	arazzo_gate_leave(handle);
	if (!handle->driven)
		return;
	curl_multi_remove_handle(multi, handle->easy);
	handle->driven = false;
	driven_count--;
	keep_connections();
	if (handle->opened > (handle->requests > 0 ? 1 : 0))
		arazzo_sockets_sweep();
}

void
arazzo_handles_drive(HandleDone done)
{
	CURLMcode	code;
	CURLMsg    *message;
	int			count;

	if (multi == NULL)
		return;
	if (ready_count == 0 && !is_call_due())
		ready_count = arazzo_watch_wait(0);
	code = act_on_events();
	multi_failed |= code != CURLM_OK;
	if (code != CURLM_OK)
		ereport(ERROR,
				errcode(code == CURLM_OUT_OF_MEMORY ? ERRCODE_OUT_OF_MEMORY : ERRCODE_INTERNAL_ERROR),
				errmsg("could not drive HTTP transfers: %s", curl_multi_strerror(code)));

	while ((message = curl_multi_info_read(multi, &count)) != NULL)
	{
		HttpHandle *handle = NULL;
		HttpFault	fault;

		if (message->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **) &handle);
		fault = fault_of(handle, message->data.result);
		if (fault == FAULT_TLS || fault == FAULT_CERTIFICATE || fault == FAULT_CA_FILE || fault == FAULT_MEMORY)
			doubted_until = arazzo_watch_now() + MAX_AUTHORITY_SECONDS * 1000;
		if (fault != FAULT_STALE || !start_afresh(handle))
			done(handle, fault);
	}
}

/*
 * Lets a request that met a stale connection go on with a new one: nothing of
 * it was sent.  Returns false when the library does not take it.
 */
static bool
start_afresh(HttpHandle *handle)
{
	arazzo_handle_remove(handle);
	handle->stop = FAULT_NONE;
	handle->error[0] = '\0';
	return curl_easy_setopt(handle->easy, CURLOPT_FRESH_CONNECT, 1L) == CURLE_OK &&
		arazzo_handle_add(handle);
}

void
arazzo_handles_wait(long timeout)
{
	if (call_at >= 0)
		timeout = Max(0, Min(timeout, call_at - arazzo_watch_now()));
	pgstat_report_wait_start(PG_WAIT_EXTENSION);
	ready_count = arazzo_watch_wait((int) timeout);
	pgstat_report_wait_end();
	if (!PostmasterIsAlive())
		ereport(FATAL,
				errcode(ERRCODE_ADMIN_SHUTDOWN),
				errmsg("terminating connection due to unexpected postmaster exit"));
}

/*
 * Lets the library go on where it can.  It may start a thread that resolves a
 * name: with signals blocked now, no signal handler of the server will ever
 * run there.
 */
static CURLMcode
act_on_events(void)
{
	CURLMcode	code = CURLM_OK;
	sigset_t	saved;
	int			running;
	int			i;

	sigprocmask(SIG_SETMASK, &BlockSig, &saved);
	for (i = 0; i < ready_count && code == CURLM_OK; i++)
	{
		WatchEvent	event = arazzo_watch_event(i);
		int			what;

		if (event.owner != WATCH_HTTP)
			continue;
		what = (event.readable ? CURL_CSELECT_IN : 0) |
			(event.writable ? CURL_CSELECT_OUT : 0) | (event.failed ? CURL_CSELECT_ERR : 0);

		code = curl_multi_socket_action(multi, event.descriptor, what, &running);
	}
	ready_count = 0;
	for (i = 0; i < MAX_CALLS && code == CURLM_OK && is_call_due(); i++)
	{
		call_at = -1;
		code = curl_multi_socket_action(multi, CURL_SOCKET_TIMEOUT, 0, &running);
	}
	if (look_at_all && code == CURLM_OK)
		code = call_for_all();
	sigprocmask(SIG_SETMASK, &saved, NULL);
	if (watch_failed)
		code = CURLM_OUT_OF_MEMORY;
	watch_failed = false;
	return code;
}

/*
 * libcurl 7.88 gives up an address that does not answer and tries the next one
 * when it is called again, but does not ask to be called.
 */
static CURLMcode
call_for_all(void)
{
	int			running;

	look_at_all = false;
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
	return curl_multi_socket_all(multi, &running);
#pragma GCC diagnostic pop
}

static bool
is_call_due(void)
{
	return call_at >= 0 && call_at <= arazzo_watch_now();
}

/* Called by libcurl when what it waits for at a socket changes. */
static int
on_watch(CURL *easy, curl_socket_t socket, int what, void *argument, void *assigned)
{
	HttpHandle *handle = NULL;

	curl_easy_getinfo(easy, CURLINFO_PRIVATE, (char **) &handle);
	if (what == CURL_POLL_REMOVE && handle != NULL && handle->driven && handle->requests == 0)
		look_at_all = true;
	if (!arazzo_watch_set(socket, WATCH_HTTP, what == CURL_POLL_IN || what == CURL_POLL_INOUT,
						  what == CURL_POLL_OUT || what == CURL_POLL_INOUT))
		watch_failed = true;
	return 0;
}

/* Called by libcurl when it wants to be called at another time. */
static int
on_timer(CURLM *driven, long timeout, void *argument)
{
	call_at = timeout < 0 ? -1 : arazzo_watch_now() + timeout;
	return 0;
}

/*
 * libcurl calls a header section complete that ends with the connection, and
 * takes any number for a status, such as the 2 of "HTTP/2 2x", which has
 * three digits (RFC 9110, section 15).
 */
static HttpFault
fault_of(HttpHandle *handle, CURLcode code)
{
	int			status = arazzo_handle_status(handle);

	if (handle->stop != FAULT_NONE)
	{
		/* what the library says of our own doing */
		handle->error[0] = '\0';
		return handle->stop;
	}
	if (code != CURLE_OK)
		return fault_of_code(handle, code);
	if (!arazzo_collect_is_whole(&handle->collector))
		return FAULT_CUT;
	return status >= 100 && status <= 999 ? FAULT_NONE : FAULT_PROTOCOL;
}

static HttpFault
fault_of_code(HttpHandle *handle, CURLcode code)
{
	HttpFault	fault;
	int			i;

	if (handle->error[0] == '\0')
		strlcpy(handle->error, curl_easy_strerror(code), sizeof(handle->error));
	if (code == CURLE_COULDNT_CONNECT && handle->refused.length > 0 && handle->opened == 0)
		return FAULT_ADDRESS;
	if (code == CURLE_OPERATION_TIMEDOUT && handle->requests == 0)
		return FAULT_CONNECT_TIMEOUT;
	for (i = 0; i < lengthof(code_faults); i++)
	{
		if (code_faults[i].code == code)
			break;
	}
	if (i == lengthof(code_faults))
		return FAULT_OTHER;
	fault = arazzo_fault_refine(code_faults[i].fault, handle->error);
	if (fault == FAULT_LOST && handle->collector.head_complete)
		return FAULT_CUT;
	if (fault == FAULT_MEMORY && handle->requests > 0 && !handle->collector.head_complete)
		return FAULT_HEADER_LINE;	/* libcurl 7.88 has no other word for it */
	return fault;
}

int
arazzo_handle_status(const HttpHandle *handle)
{
	long		status = 0;

	if (!handle->collector.head_complete ||
		curl_easy_getinfo(handle->easy, CURLINFO_RESPONSE_CODE, &status) != CURLE_OK)
		return 0;
	return (int) status;
}

int
arazzo_handle_os_error(const HttpHandle *handle)
{
	long		os_error = 0;

	curl_easy_getinfo(handle->easy, CURLINFO_OS_ERRNO, &os_error);
	return (int) os_error;
}

char *
arazzo_handle_peer(const HttpHandle *handle)
{
	char	   *address = NULL;
	long		port = 0;
	long		version = 0;
	const char *name = "HTTP";

	curl_easy_getinfo(handle->easy, CURLINFO_PRIMARY_IP, &address);
	curl_easy_getinfo(handle->easy, CURLINFO_PRIMARY_PORT, &port);
	curl_easy_getinfo(handle->easy, CURLINFO_HTTP_VERSION, &version);
	if (address == NULL || *address == '\0')
		return NULL;
	if (version == CURL_HTTP_VERSION_2_0)
		name = "HTTP/2";
	else if (version == CURL_HTTP_VERSION_1_1)
		name = "HTTP/1.1";
	else if (version == CURL_HTTP_VERSION_1_0)
		name = "HTTP/1.0";
	return psprintf(strchr(address, ':') ? "[%s]:%ld %s" : "%s:%ld %s", address, port, name);
}

/*
 * Whether a byte of the request may have left.  libcurl counts what it
 * handed to the socket; what it handed to the TLS layer may be on its way
 * before that is counted, so that letting a request through counts there.
 */
bool
arazzo_handle_request_left(const HttpHandle *handle)
{
	long		bytes = 0;

	if (handle->requests == 0)
		return false;
	if (!handle->plain)
		return true;
	return curl_easy_getinfo(handle->easy, CURLINFO_REQUEST_SIZE, &bytes) != CURLE_OK || bytes > 0;
}

/*
 * Called by libcurl when it is about to send a request, and again before it
 * repeats one on its own.  Until the answer begins, its connection is not to
 * be used again: libcurl 7.88 keeps one on which a request could not be sent
 * as a whole, and the next request would follow the part that was.
 */
static int
on_request(void *argument, char *peer, char *local, int peer_port, int local_port)
{
	HttpHandle *handle = argument;

	(void) curl_easy_setopt(handle->easy, CURLOPT_FORBID_REUSE, 1L);
	return arazzo_gate_request(argument, peer, peer_port, local_port) ?
		CURL_PREREQFUNC_OK : CURL_PREREQFUNC_ABORT;
}

static curl_socket_t
on_open_socket(void *argument, curlsocktype purpose, struct curl_sockaddr *target)
{
	int			descriptor = arazzo_gate_open(argument, &target->addr, target->socktype, target->protocol);

	return descriptor < 0 ? CURL_SOCKET_BAD : descriptor;
}

static int
on_close_socket(void *argument, curl_socket_t socket)
{
	arazzo_socket_close(socket);
	return 0;
}

/* Called by libcurl when it is about to set up TLS. */
static CURLcode
on_tls_context(CURL *easy, void *context, void *argument)
{
	arazzo_verify_watch(context);
	return CURLE_OK;
}

/* One header line; returning less than was given stops the transfer. */
static size_t
on_header(char *line, size_t size, size_t count, void *argument)
{
	HttpHandle *handle = argument;
	size_t		length = size * count;

	if (length > 5 && memcmp(line, "HTTP/", 5) == 0)
		(void) curl_easy_setopt(handle->easy, CURLOPT_FORBID_REUSE, 0L);
	return arazzo_gate_take_header(handle, line, length) ? length : 0;
}

/* A piece of the body, likewise. */
static size_t
on_body(char *data, size_t size, size_t count, void *argument)
{
	return arazzo_gate_take_body(argument, data, size * count) ? size * count : 0;
}
