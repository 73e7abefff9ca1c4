/*
 * http.c
 *	  libmicrohttpd: from bytes to requests and from answers to bytes.
 *
 * Only this file and delay.c see libmicrohttpd.  One internal thread polls the
 * plain connections, another one those with TLS when there are such; a lock
 * lets one of them at a time into the rest of the program.  A request is made
 * when its request line is read, so that the target is seen as it came, and
 * freed when libmicrohttpd is done with it.
 */
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <microhttpd.h>

#include "ledger.h"
#include "sandbox.h"

#define CONNECTION_MEMORY (64 * 1024)
#define CONNECTION_LIMIT 8192
#define LISTEN_BACKLOG 1024

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct MHD_Daemon *plain_daemon;
static struct MHD_Daemon *tls_daemon;
static char *tls_cert_text;
static char *tls_key_text;
static uint64_t connections;	/* ever accepted; under the lock */

/* A body that is made while it is sent. */
typedef struct Generator
{
	int64_t		total;			/* -1: without end */
	char	   *bytes;			/* NULL: a JSON string of a's */
	uint64_t	stop;			/* fail at this offset */
} Generator;

static void
on_connection(void *cls, struct MHD_Connection *connection, void **context,
			  enum MHD_ConnectionNotificationCode code)
{
	(void) cls, (void) connection;
	if (code != MHD_CONNECTION_NOTIFY_STARTED)
		return;
	pthread_mutex_lock(&lock);
	*context = (void *) (uintptr_t) ++connections;
	pthread_mutex_unlock(&lock);
}

static void *
on_target(void *cls, const char *target, struct MHD_Connection *connection)
{
	Request    *req = request_new(target);
	const union MHD_ConnectionInfo *info;

	(void) cls;
	req->connection = connection;
	info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
	if (info)
		req->connection_id = (uint64_t) (uintptr_t) info->socket_context;
	return req;
}

static enum MHD_Result
on_header(void *cls, enum MHD_ValueKind kind, const char *name, size_t name_len,
		  const char *value, size_t value_len)
{
	Request    *req = cls;
	Pair		pair;

	(void) kind;
	pair.name = request_copy(req, name, name_len);
	pair.name_len = name_len;
	pair.value = request_copy(req, value ? value : "", value_len);
	pair.value_len = value_len;
	pairs_add(req, &req->headers, pair);
	return MHD_YES;
}

/* A request that ended before it was all here. */
static void
note_incomplete(Request *req)
{
	pthread_mutex_lock(&lock);
	if (strncmp(req->path, "/_sandbox/", 10) != 0)
		ledger_add(req, false);
	pthread_mutex_unlock(&lock);
}

/* A request that nobody waits for any more. */
static void
note_over(Request *req)
{
	pthread_mutex_lock(&lock);
	ledger_over(req);
	pthread_mutex_unlock(&lock);
}

static void
on_completed(void *cls, struct MHD_Connection *connection, void **context,
			 enum MHD_RequestTerminationCode code)
{
	Request    *req = *context;

	(void) cls, (void) connection, (void) code;
	if (req == NULL)
		return;
	if (req->stage == STAGE_BODY && !req->recorded)
		note_incomplete(req);
	note_over(req);
	request_free(req);
	*context = NULL;
}

/*
 * End the connection without an answer.  Dissolving the association of the
 * socket sends RST at once; a shutdown sends FIN.
 */
static enum MHD_Result
break_connection(const Request *req)
{
	const union MHD_ConnectionInfo *info;
	struct sockaddr nowhere = {.sa_family = AF_UNSPEC};

	info = MHD_get_connection_info(req->connection, MHD_CONNECTION_INFO_CONNECTION_FD);
	if (req->answer.delivery == DELIVER_RESET)
		connect(info->connect_fd, &nowhere, sizeof(nowhere));
	else
		shutdown(info->connect_fd, SHUT_RDWR);
	return MHD_NO;
}

static ssize_t
generate(void *cls, uint64_t pos, char *buf, size_t max)
{
	const Generator *gen = cls;
	size_t		len = max;

	if (pos >= gen->stop)
		return gen->bytes ? MHD_CONTENT_READER_END_WITH_ERROR : MHD_CONTENT_READER_END_OF_STREAM;
	if (len > gen->stop - pos)
		len = gen->stop - pos;
	if (gen->bytes)
	{
		memcpy(buf, gen->bytes + pos, len);
		return len;
	}
	memset(buf, 'a', len);
	if (pos == 0)
		buf[0] = '"';
	if (gen->total > 0 && pos + len == (uint64_t) gen->total)
		buf[len - 1] = '"';
	return len;
}

static void
free_generator(void *cls)
{
	Generator  *gen = cls;

	free(gen->bytes);
	free(gen);
}

static struct MHD_Response *
generated_response(Answer *ans)
{
	Generator  *gen = need_alloc(sizeof(Generator));
	bool		endless = ans->generated_bytes < 0;

	gen->total = ans->generated_bytes;
	gen->stop = endless ? UINT64_MAX : (uint64_t) gen->total;
	return MHD_create_response_from_callback(endless ? MHD_SIZE_UNKNOWN : (uint64_t) gen->total,
											 CONNECTION_MEMORY / 4, generate, gen, free_generator);
}

/* Half of what is announced; at least one byte is missing. */
static struct MHD_Response *
truncated_response(Answer *ans)
{
	Generator  *gen = need_alloc(sizeof(Generator));

	gen->total = ans->body.len ? ans->body.len : 1;
	gen->bytes = need_copy(ans->body.data, ans->body.len);
	gen->stop = ans->body.len / 2;
	return MHD_create_response_from_callback(gen->total, CONNECTION_MEMORY / 4,
											 generate, gen, free_generator);
}

static struct MHD_Response *
whole_response(Answer *ans)
{
	struct MHD_Response *response;

	if (ans->body.len == 0)
		return MHD_create_response_from_buffer(0, (void *) "", MHD_RESPMEM_PERSISTENT);
	response = MHD_create_response_from_buffer(ans->body.len, ans->body.data, MHD_RESPMEM_MUST_FREE);
	memset(&ans->body, 0, sizeof(ans->body));
	return response;
}

static struct MHD_Response *
make_response(Answer *ans)
{
	struct MHD_Response *response;
	bool		typed = false;
	int			i;

	if (ans->delivery == DELIVER_GENERATED)
		response = generated_response(ans);
	else if (ans->delivery == DELIVER_TRUNCATED)
		response = truncated_response(ans);
	else
		response = whole_response(ans);
	for (i = 0; i < ans->nheaders; i++)
	{
		if (strcasecmp(ans->headers[i].name, "Content-Type") == 0)
			typed = true;
		MHD_add_response_header(response, ans->headers[i].name, ans->headers[i].value);
	}
	if (ans->type && !typed)
		MHD_add_response_header(response, "Content-Type", ans->type);
	return response;
}

static enum MHD_Result
deliver(Request *req)
{
	struct MHD_Response *response;
	enum MHD_Result result;

	req->stage = STAGE_ANSWERED;
	note_over(req);
	if (req->answer.delivery == DELIVER_RESET || req->answer.delivery == DELIVER_CLOSE)
		return break_connection(req);
	response = make_response(&req->answer);
	if (req->recorded)
	{
		pthread_mutex_lock(&lock);
		ledger_answered(req->seq, req->answer.status);
		pthread_mutex_unlock(&lock);
	}
	result = MHD_queue_response(req->connection, req->answer.status, response);
	MHD_destroy_response(response);
	return result;
}

/* The whole request is here: process it, and answer now or later. */
static enum MHD_Result
finish(Request *req)
{
	pthread_mutex_lock(&lock);
	route_request(req, &req->answer);
	pthread_mutex_unlock(&lock);
	if (req->delay_ms != 0)
	{
		req->stage = STAGE_HELD;
		if (delay_hold(req))
			return MHD_YES;
	}
	return deliver(req);
}

static bool
body_is_too_large(const Request *req)
{
	const char *length = request_header(req, "Content-Length");

	return length && strtoull(length, NULL, 10) > settings.max_body;
}

/* Answer before the body comes. */
static enum MHD_Result
refuse_body(Request *req)
{
	note_incomplete(req);
	answer_text(&req->answer, 413, "text/plain", "the body is larger than %zu bytes\n", settings.max_body);
	return deliver(req);
}

/* A body without a length that grows too large ends the connection. */
static enum MHD_Result
take_body(Request *req, const char *data, size_t *size)
{
	if (req->body.len + *size > settings.max_body)
	{
		req->answer.delivery = DELIVER_RESET;
		note_incomplete(req);
		return break_connection(req);
	}
	buffer_add(&req->body, data, *size);
	*size = 0;
	return MHD_YES;
}

static enum MHD_Result
on_request(void *cls, struct MHD_Connection *connection, const char *url,
		   const char *method, const char *version, const char *data,
		   size_t *size, void **context)
{
	Request    *req = *context;

	(void) cls, (void) url;
	switch (req->stage)
	{
		case STAGE_HEAD:
			req->method = request_copy(req, method, strlen(method));
			req->version = request_copy(req, version, strlen(version));
			MHD_get_connection_values_n(connection, MHD_HEADER_KIND, on_header, req);
			req->stage = STAGE_BODY;
			return body_is_too_large(req) ? refuse_body(req) : MHD_YES;
		case STAGE_BODY:
			return *size > 0 ? take_body(req, data, size) : finish(req);
		case STAGE_HELD:
			return deliver(req);
		case STAGE_ANSWERED:
			break;
	}
	return MHD_YES;
}

/* A small text file, or NULL. */
static char *
read_file(const char *name)
{
	FILE	   *file = fopen(name, "r");
	Buffer		text = {0};
	char		chunk[4096];
	size_t		len;

	if (file == NULL)
		return NULL;
	while ((len = fread(chunk, 1, sizeof(chunk), file)) > 0)
		buffer_add(&text, chunk, len);
	fclose(file);
	return text.data;
}

static bool
read_tls_files(const HttpOptions *options)
{
	tls_cert_text = read_file(options->tls_cert);
	tls_key_text = read_file(options->tls_key);
	if (tls_cert_text && tls_key_text)
		return true;
	fputs("sandbox: could not read the TLS certificate or key\n", stderr);
	return false;
}

/*
 * A daemon on a port of 127.0.0.1, or NULL; tls may be NULL.
 *
 * It polls: with epoll, libmicrohttpd 0.9.75 misses ends of connections, and
 * stalls with a hundred of them.
 */
static struct MHD_Daemon *
start_daemon(int port, struct MHD_OptionItem *tls)
{
	struct MHD_OptionItem none[] = {{MHD_OPTION_END, 0, NULL}};
	struct sockaddr_in address = {0};
	unsigned int flags = MHD_USE_POLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_TURBO;

	address.sin_family = AF_INET;
	address.sin_port = htons(port);
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return MHD_start_daemon(flags | (tls ? MHD_USE_TLS : 0), 0, NULL, NULL, on_request, NULL,
							MHD_OPTION_SOCK_ADDR, &address,
							MHD_OPTION_URI_LOG_CALLBACK, on_target, NULL,
							MHD_OPTION_NOTIFY_COMPLETED, on_completed, NULL,
							MHD_OPTION_NOTIFY_CONNECTION, on_connection, NULL,
							MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t) CONNECTION_MEMORY,
							MHD_OPTION_CONNECTION_LIMIT, (unsigned int) CONNECTION_LIMIT,
							MHD_OPTION_LISTEN_BACKLOG_SIZE, (unsigned int) LISTEN_BACKLOG,
							MHD_OPTION_ARRAY, tls ? tls : none,
							MHD_OPTION_END);
}

static bool
start_tls(const HttpOptions *options)
{
	struct MHD_OptionItem tls[] = {
		{MHD_OPTION_HTTPS_MEM_CERT, 0, NULL},
		{MHD_OPTION_HTTPS_MEM_KEY, 0, NULL},
		{MHD_OPTION_END, 0, NULL}
	};

	if (!read_tls_files(options))
		return false;
	tls[0].ptr_value = tls_cert_text;
	tls[1].ptr_value = tls_key_text;
	tls_daemon = start_daemon(options->tls_port, tls);
	return tls_daemon != NULL;
}

/* Serve http, and https too when there is a certificate. */
bool
http_start(const HttpOptions *options)
{
	plain_daemon = start_daemon(options->port, NULL);
	if (plain_daemon == NULL)
		return false;
	return options->tls_cert == NULL || start_tls(options);
}

static int
daemon_port(struct MHD_Daemon *server)
{
	const union MHD_DaemonInfo *info = MHD_get_daemon_info(server, MHD_DAEMON_INFO_BIND_PORT);

	return info ? info->port : 0;
}

int
http_port(void)
{
	return daemon_port(plain_daemon);
}

/* The port of https, or 0. */
int
http_tls_port(void)
{
	return tls_daemon ? daemon_port(tls_daemon) : 0;
}

void
http_stop(void)
{
	MHD_stop_daemon(plain_daemon);
	if (tls_daemon)
		MHD_stop_daemon(tls_daemon);
	free(tls_cert_text);
	free(tls_key_text);
}

/* How many connections were ever accepted. */
uint64_t
http_connections(void)
{
	return connections;
}
