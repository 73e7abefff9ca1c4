/*-------------------------------------------------------------------------
 *
 * target_http.c
 *	  Fuzz target: any bytes as what a server answers to a request.
 *
 * The server is a socket of this process, which takes its turns between those
 * of the transport: it answers a request with all of the input and closes.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "http/transport.h"
#include "openapi/serialize.h"

#include "fuzz.h"

/* Turns that are taken at once before the transport may wait for a while. */
#define QUICK_TURNS		100

#define MAX_BODY		(64 * 1024)
#define MAX_HEADERS		(8 * 1024)

typedef struct AnswerServer
{
	int			connection;		/* -1 until there is one */
	bool		asked;			/* a request was read */
	const char *answer;
	size_t		length;
	size_t		sent;
} AnswerServer;

static int	listener = -1;

static int	server_port(void);
static void take_turn(AnswerServer *server);
static void send_answer(AnswerServer *server);
static void close_connection(AnswerServer *server);
static const HttpOptions *make_options(void);
static void check_response(const ArazzoResponse *response);

void
fuzz_target_http(const char *data, size_t length)
{
	AnswerServer server = {-1, false, data, length, 0};
	ArazzoRequest *request = palloc0(sizeof(ArazzoRequest));
	HttpTransfer *transfer;
	const ArazzoResponse *response;
	int			turns = 0;
	int			in_flight;
	int			idle;

	request->method = "GET";
	request->url = psprintf("http://127.0.0.1:%d/", server_port());
	transfer = arazzo_http_start(request, make_options());
	while ((response = arazzo_http_response(transfer)) == NULL)
	{
		take_turn(&server);
		arazzo_http_poll(turns++ < QUICK_TURNS ? 0 : 1);
	}
	close_connection(&server);
	check_response(response);
	arazzo_http_free(transfer);
	arazzo_http_counts(&in_flight, &idle);
	fuzz_require(in_flight == 0);
}

/* Listens with the first input, and from then on. */
static int
server_port(void)
{
	struct sockaddr_in address = {0};
	socklen_t	size = sizeof(address);

	address.sin_family = AF_INET;
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (listener < 0)
	{
		listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
		if (bind(listener, (struct sockaddr *) &address, size) != 0 || listen(listener, 16) != 0)
			elog(ERROR, "could not listen: %m");
	}
	if (getsockname(listener, (struct sockaddr *) &address, &size) != 0)
		elog(ERROR, "could not ask for the port: %m");
	return ntohs(address.sin_port);
}

static void
take_turn(AnswerServer *server)
{
	char		request[4096];

	if (server->connection < 0)
		server->connection = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (server->connection < 0)
		return;
	if (recv(server->connection, request, sizeof(request), MSG_DONTWAIT) > 0)
		server->asked = true;
	if (server->asked && server->sent <= server->length)
		send_answer(server);
}

static void
send_answer(AnswerServer *server)
{
	ssize_t		sent = send(server->connection, server->answer + server->sent, server->length - server->sent,
							MSG_DONTWAIT | MSG_NOSIGNAL);

	if (sent > 0)
		server->sent += sent;
	if (server->sent < server->length)
		return;
	shutdown(server->connection, SHUT_WR);
	server->sent = server->length + 1;
}

/* With a reset, so that the port does not stay busy. */
static void
close_connection(AnswerServer *server)
{
	struct linger now = {1, 0};

	if (server->connection < 0)
		return;
	setsockopt(server->connection, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	close(server->connection);
}

static const HttpOptions *
make_options(void)
{
	HttpOptions *options = palloc0(sizeof(HttpOptions));

	options->pool = 1;
	options->connect_timeout = 10 * 1000;
	options->timeout = 20 * 1000;
	options->max_response_bytes = MAX_BODY;
	options->max_header_bytes = MAX_HEADERS;
	options->allow_loopback = true;
	return options;
}

static void
check_response(const ArazzoResponse *response)
{
	const char *type;
	int			i;

	if (response->outcome != OUTCOME_RECEIVED)
	{
		fuzz_require(response->sqlstate != 0 && response->message != NULL);
		return;
	}
	fuzz_require(response->status >= 100 && response->status <= 999);
	fuzz_require(response->body_length <= MAX_BODY && response->body[response->body_length] == '\0');
	for (i = 0; i < response->header_count; i++)
		fuzz_require(strpbrk(response->headers[i].value, "\r\n") == NULL);
	type = arazzo_header_find(response->headers, response->header_count, "content-type", strlen("content-type"));
	(void) arazzo_value_to_jsonb(arazzo_deserialize_body(type, response->body, response->body_length, NULL));
}
