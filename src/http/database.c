/*-------------------------------------------------------------------------
 *
 * database.c
 *	  A connection to a database that does nothing but listen.
 *
 * The only file that sees libpq.  What libpq would take from the environment
 * or from files of the operating system user (service, password file, client
 * certificate, options) is given here or made to lead nowhere, since all that
 * belongs to the administrator of this server and not to the role that runs:
 * a client certificate is that of the user mapping, or there is none.  For the
 * same reason the other side must have asked for the password of the
 * user mapping: a connection that is trusted, or let in as the operating
 * system user, is given up.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <libpq-fe.h>
#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>

#include "lib/stringinfo.h"
#include "storage/fd.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "document/uri.h"
#include "http/database.h"
#include "http/egress.h"
#include "http/handle.h"
#include "http/lookup.h"
#include "http/memory_file.h"
#include "http/sockets.h"
#include "http/url.h"
#include "http/watch.h"

/* A path that cannot exist: libpq goes on without the file. */
#define NOWHERE "/dev/null/none"

struct HttpDatabase
{
	MemoryContext context;
	MemoryContextCallback callback;
	DatabaseState state;
	uint64		pool;			/* of role and server */
	const char *url;			/* where it really leads */
	const char *database;
	const char *host;			/* decoded; a directory for a socket */
	bool		socket;
	HttpUrl		parsed;			/* of url */
	HttpOptions options;
	const char *user;
	const char *password;
	TimestampTz deadline;		/* of opening it, or of the statement at hand */
	HostLookup *lookup;			/* NULL when the address is known */
	PGconn	   *connection;		/* NULL until it is */
	bool		reads;			/* what opening it waits for */
	bool		counted;		/* as a descriptor of the server */
	MemoryFile	certificate;	/* of the client, while it is opened */
	MemoryFile	key;
	int			watched;		/* descriptor, -1: none */
	ArazzoFailure *failure;
};

static const char *copy(const char *text);
static void release(void *argument);
static const char *database_of(const HttpUrl *url, const char *otherwise);
static const char *decoded(const char *text, int length);
static void begin(HttpDatabase *self);
static void look_up(HttpDatabase *self);
static void take_addresses(HttpDatabase *self, const struct addrinfo *addresses);
static void add_address(HttpDatabase *self, StringInfo hosts, StringInfo addresses, const IpAddress *address);
static void connect_to(HttpDatabase *self, const char *hosts, const char *addresses);
static bool make_files(HttpDatabase *self);
static void end_files(HttpDatabase *self);
static const char *certificates(const HttpDatabase *self);
static bool same_text(const char *a, const char *b);
static void ignore_notice(void *argument, const char *message);
static void go_on_opening(HttpDatabase *self);
static bool is_ready(int descriptor, bool readable);
static void opened(HttpDatabase *self);
static char *quoted(const char *name);
static void take_result(HttpDatabase *self);
static void watch(HttpDatabase *self, int descriptor, bool readable, bool writable);
static void fail(HttpDatabase *self, int sqlstate, const char *what, const char *detail);
static void fail_in_time(HttpDatabase *self, const char *what, int limit, const char *option);
static const char *library_text(const HttpDatabase *self);

HttpDatabase *
arazzo_database_open(const ArazzoConnection *connection, const char *url, const char *database)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "arazzo database", ALLOCSET_SMALL_SIZES);
	MemoryContext caller = MemoryContextSwitchTo(context);
	HttpDatabase *self = palloc0(sizeof(HttpDatabase));

	self->context = context;
	self->watched = -1;
	self->certificate.descriptor = self->key.descriptor = -1;
	self->callback.func = release;
	self->callback.arg = self;
	MemoryContextRegisterResetCallback(context, &self->callback);
	self->pool = connection->http.pool;
	self->url = arazzo_connection_rewrite(connection, url);
	(void) arazzo_url_parse_any(self->url, &self->parsed);
	self->socket = arazzo_url_is_socket(&self->parsed);
	self->host = decoded(self->parsed.host, self->parsed.host_length);
	self->database = database_of(&self->parsed, database);
	self->options = connection->http;
	self->options.ca_file = copy(self->options.ca_file);
	self->options.client_cert = copy(self->options.client_cert);
	self->options.client_key = copy(self->options.client_key);
	self->options.allow_private = copy(self->options.allow_private);
	self->user = pstrdup(connection->credentials.user);
	self->password = pstrdup(connection->credentials.password);
	self->deadline = TimestampTzPlusMilliseconds(GetCurrentTimestamp(), connection->http.connect_timeout);
	begin(self);
	MemoryContextSwitchTo(caller);
	MemoryContextSetParent(context, TopMemoryContext);
	return self;
}

static const char *
copy(const char *text)
{
	return text ? pstrdup(text) : NULL;
}

/* The one place where all is given back, in whatever state it is. */
static void
release(void *argument)
{
	HttpDatabase *self = argument;

	end_files(self);
	watch(self, -1, false, false);
	if (self->lookup != NULL)
		arazzo_lookup_end(self->lookup);
	PQfinish(self->connection);
	if (self->counted)
		ReleaseExternalFD();
}

/* The database that a URL names, else the other one; in the current context. */
static const char *
database_of(const HttpUrl *url, const char *otherwise)
{
	if (url->path_length <= 1)
		return pstrdup(otherwise);
	return decoded(url->path + 1, url->path_length - 1);
}

/* What is not well encoded stands for itself: nothing has such a name. */
static const char *
decoded(const char *text, int length)
{
	const char *result = arazzo_uri_decode(text, length);

	return result ? result : pnstrdup(text, length);
}

bool
arazzo_database_is(const HttpDatabase *self, const ArazzoConnection *connection,
				   const char *url, const char *database)
{
	HttpUrl		parsed;

	if (self->pool != connection->http.pool ||
		strcmp(self->user, connection->credentials.user) != 0 ||
		strcmp(self->password, connection->credentials.password) != 0 ||
		!same_text(self->options.client_cert, connection->http.client_cert) ||
		!same_text(self->options.client_key, connection->http.client_key))
		return false;
	url = arazzo_connection_rewrite(connection, url);
	(void) arazzo_url_parse_any(url, &parsed);
	return strcmp(self->url, url) == 0 && strcmp(self->database, database_of(&parsed, database)) == 0;
}

static bool
same_text(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

/* Addresses that need no resolver are taken at once (RFC 6761, 6.3). */
static void
begin(HttpDatabase *self)
{
	StringInfoData hosts;
	StringInfoData addresses;
	IpAddress	address;
	char	   *literal;

	initStringInfo(&hosts);
	initStringInfo(&addresses);
	if (!AcquireExternalFD())
	{
		fail(self, ERRCODE_INSUFFICIENT_RESOURCES, "too many files are open to connect to \"%s\"", NULL);
		return;
	}
	self->counted = true;
	if (self->socket)
	{
		connect_to(self, self->host, NULL);
		return;
	}
	literal = pstrdup(self->host + (self->host[0] == '['));
	literal[strcspn(literal, "]")] = '\0';
	if (pg_strcasecmp(self->host, "localhost") == 0)
	{
		(void) arazzo_egress_parse("127.0.0.1", &address);
		add_address(self, &hosts, &addresses, &address);
		(void) arazzo_egress_parse("::1", &address);
		add_address(self, &hosts, &addresses, &address);
		connect_to(self, hosts.data, addresses.data);
	}
	else if (arazzo_egress_parse(literal, &address))
	{
		self->host = literal;
		add_address(self, &hosts, &addresses, &address);
		if (self->failure == NULL)
			connect_to(self, hosts.data, addresses.data);
	}
	else
		look_up(self);
}

static void
look_up(HttpDatabase *self)
{
	self->lookup = arazzo_lookup_start(self->host);
	if (self->lookup == NULL)
		fail(self, ERRCODE_INSUFFICIENT_RESOURCES, "could not start to resolve the host of \"%s\"", NULL);
	else
		watch(self, arazzo_lookup_descriptor(self->lookup), true, false);
}

/* The addresses that may be reached, as libpq takes them. */
static void
take_addresses(HttpDatabase *self, const struct addrinfo *addresses)
{
	const struct addrinfo *entry;
	StringInfoData hosts;
	StringInfoData texts;

	initStringInfo(&hosts);
	initStringInfo(&texts);
	for (entry = addresses; entry != NULL; entry = entry->ai_next)
	{
		IpAddress	address;
		int			port;

		if (arazzo_socket_address(entry->ai_addr, &address, &port))
			add_address(self, &hosts, &texts, &address);
	}
	if (texts.len > 0)
	{
		self->failure = NULL;
		self->state = DATABASE_OPENING;
		connect_to(self, hosts.data, texts.data);
	}
}

/* An address that is not allowed is why there is no connection, if no other is. */
static void
add_address(HttpDatabase *self, StringInfo hosts, StringInfo addresses, const IpAddress *address)
{
	char		text[EGRESS_TEXT_SIZE];

	arazzo_egress_format(address, text);
	if (!arazzo_egress_allowed(address, false, &self->options))
	{
		fail(self, ERRCODE_INSUFFICIENT_PRIVILEGE, "address of \"%s\" is not allowed",
			 psprintf("%s is a %s address.", text, arazzo_egress_class_name(arazzo_egress_class(address))));
		self->failure->hint = pstrdup("The server option allow_private names networks that are not public but may be reached.");
		return;
	}
	appendStringInfo(hosts, "%s%s", hosts->len > 0 ? "," : "", self->host);
	appendStringInfo(addresses, "%s%s", addresses->len > 0 ? "," : "", text);
}

/*
 * TLS with a certificate that is verified, but on this machine.  Addresses
 * are NULL for a socket.
 */
static void
connect_to(HttpDatabase *self, const char *hosts, const char *addresses)
{
	bool		local = self->socket || arazzo_url_is_loopback(&self->parsed);
	bool		verified = !local || self->options.ca_file != NULL;
	char	   *port = psprintf("%d", self->parsed.port);
	const char *const parameters[][2] = {
		{"host", hosts},
		{"hostaddr", addresses},
		{"port", port},
		{"dbname", self->database},
		{"user", self->user},
		{"password", self->password},
		{"sslmode", verified ? "verify-full" : "prefer"},
		{"sslrootcert", verified ? certificates(self) : NOWHERE},
		{"sslcert", self->options.client_cert ? self->certificate.path : NOWHERE},
		{"sslkey", self->options.client_key ? self->key.path : self->certificate.path},
		{"sslcrl", NOWHERE},
		{"ssl_min_protocol_version", "TLSv1.2"},
		{"gssencmode", "disable"},
		{"options", " "},
		{"target_session_attrs", "any"},
		{"client_encoding", "UTF8"},
		{"application_name", "amberflo_arazzo"},
		{"keepalives_idle", "30"}
	};
	const char *keywords[lengthof(parameters) + 1];
	const char *values[lengthof(parameters) + 1];
	size_t		i;

	for (i = 0; i < lengthof(parameters); i++)
	{
		keywords[i] = parameters[i][0];
		values[i] = parameters[i][1];
	}
	keywords[i] = values[i] = NULL;
	if (!make_files(self))
		return;
	self->connection = PQconnectStartParams(keywords, values, 0);
	if (self->connection == NULL || PQstatus(self->connection) == CONNECTION_BAD)
	{
		fail(self, ERRCODE_SQLCLIENT_UNABLE_TO_ESTABLISH_SQLCONNECTION, "could not connect to \"%s\"", library_text(self));
		return;
	}
	PQsetNoticeProcessor(self->connection, ignore_notice, NULL);
	self->reads = false;
	watch(self, PQsocket(self->connection), false, true);
}

/* libpq takes certificates from files only, until a connection is there. */
static bool
make_files(HttpDatabase *self)
{
	const HttpOptions *options = &self->options;

	if ((!options->client_cert || arazzo_memory_file_make(&self->certificate, options->client_cert)) &&
		(!options->client_key || arazzo_memory_file_make(&self->key, options->client_key)))
		return true;
	fail(self, ERRCODE_INSUFFICIENT_RESOURCES, "could not use the client certificate for \"%s\"", strerror(errno));
	return false;
}

static void
end_files(HttpDatabase *self)
{
	arazzo_memory_file_end(&self->certificate);
	arazzo_memory_file_end(&self->key);
}

/* The same as for HTTP; "system" is what newer libraries call them. */
static const char *
certificates(const HttpDatabase *self)
{
	const char *file = self->options.ca_file ? self->options.ca_file : arazzo_handle_ca_file();

	return file ? file : "system";
}

static void
ignore_notice(void *argument, const char *message)
{
}

DatabaseState
arazzo_database_drive(HttpDatabase *self)
{
	MemoryContext caller = MemoryContextSwitchTo(self->context);

	switch (self->state)
	{
		case DATABASE_OPENING:
			go_on_opening(self);
			break;
		case DATABASE_READY:
		case DATABASE_BUSY:
			take_result(self);
			break;
		case DATABASE_LOST:
			break;
	}
	MemoryContextSwitchTo(caller);
	return self->state;
}

static void
go_on_opening(HttpDatabase *self)
{
	const struct addrinfo *addresses;
	int			error;

	if (self->lookup != NULL && arazzo_lookup_done(self->lookup, &addresses, &error))
	{
		fail(self, ERRCODE_SQLCLIENT_UNABLE_TO_ESTABLISH_SQLCONNECTION, "could not resolve the host of \"%s\"",
			 error != 0 ? gai_strerror(error) : NULL);
		take_addresses(self, addresses);
		arazzo_lookup_end(self->lookup);
		self->lookup = NULL;
	}
	while (self->state == DATABASE_OPENING && self->connection != NULL &&
		   is_ready(PQsocket(self->connection), self->reads))
	{
		PostgresPollingStatusType status = PQconnectPoll(self->connection);

		if (status == PGRES_POLLING_OK)
			opened(self);
		else if (status == PGRES_POLLING_FAILED)
			fail(self, ERRCODE_SQLCLIENT_UNABLE_TO_ESTABLISH_SQLCONNECTION, "could not connect to \"%s\"", library_text(self));
		else
		{
			self->reads = status == PGRES_POLLING_READING;
			watch(self, PQsocket(self->connection), self->reads, !self->reads);
		}
	}
	if (self->state == DATABASE_OPENING && GetCurrentTimestamp() >= self->deadline)
		fail_in_time(self, "could not connect to \"%s\" in time", self->options.connect_timeout, "connect_timeout");
}

/* What PQconnectPoll waits for: it must not be called before. */
static bool
is_ready(int descriptor, bool readable)
{
	struct pollfd entry = {.fd = descriptor,.events = readable ? POLLIN : POLLOUT};

	return poll(&entry, 1, 0) > 0;
}

static void
opened(HttpDatabase *self)
{
	if (!PQconnectionUsedPassword(self->connection))
	{
		fail(self, ERRCODE_INSUFFICIENT_PRIVILEGE, "\"%s\" did not ask for a password",
			 "The user of the user mapping was let in without it, as the operating system user of this server may be.");
		self->failure->hint = pstrdup("The other server's pg_hba.conf must ask for a password, as scram-sha-256 does.");
		return;
	}
	end_files(self);
	(void) PQsetnonblocking(self->connection, 1);
	self->state = DATABASE_READY;
	watch(self, PQsocket(self->connection), true, false);
}

void
arazzo_database_listen(HttpDatabase *self, const char *channel, bool listen)
{
	MemoryContext caller = MemoryContextSwitchTo(self->context);
	char	   *statement = psprintf("%s %s", listen ? "LISTEN" : "UNLISTEN", quoted(channel));

	Assert(self->state == DATABASE_READY);
	if (!PQsendQuery(self->connection, statement))
		fail(self, ERRCODE_CONNECTION_FAILURE, "connection to \"%s\" was lost", library_text(self));
	else
		self->state = DATABASE_BUSY;
	self->deadline = TimestampTzPlusMilliseconds(GetCurrentTimestamp(), self->options.timeout);
	pfree(statement);
	MemoryContextSwitchTo(caller);
}

/* A name between quotes, even if it would not need them. */
static char *
quoted(const char *name)
{
	StringInfoData text;
	const char *p;

	initStringInfo(&text);
	appendStringInfoChar(&text, '"');
	for (p = name; *p != '\0'; p++)
	{
		if (*p == '"')
			appendStringInfoChar(&text, '"');
		appendStringInfoChar(&text, *p);
	}
	appendStringInfoChar(&text, '"');
	return text.data;
}

/* Reads what has come, and what the statement has led to. */
static void
take_result(HttpDatabase *self)
{
	int			unsent = PQflush(self->connection);

	if (unsent < 0 || !PQconsumeInput(self->connection) || PQstatus(self->connection) == CONNECTION_BAD)
	{
		fail(self, ERRCODE_CONNECTION_FAILURE, "connection to \"%s\" was lost", library_text(self));
		return;
	}
	watch(self, PQsocket(self->connection), true, unsent > 0);
	while (self->state == DATABASE_BUSY && !PQisBusy(self->connection))
	{
		PGresult   *result = PQgetResult(self->connection);
		bool		good = PQresultStatus(result) == PGRES_COMMAND_OK;

		if (result == NULL)
			self->state = DATABASE_READY;
		PQclear(result);
		if (result != NULL && !good)
			fail(self, ERRCODE_CONNECTION_FAILURE, "could not listen at \"%s\"", library_text(self));
	}
	if (self->state == DATABASE_BUSY && GetCurrentTimestamp() >= self->deadline)
		fail_in_time(self, "\"%s\" did not begin to listen in time", self->options.timeout, "timeout");
}

void
arazzo_database_notifications(HttpDatabase *self, DatabaseNotify notify, void *argument)
{
	PGnotify   *notification;

	if (self->connection == NULL)
		return;
	while ((notification = PQnotifies(self->connection)) != NULL)
	{
		notify(argument, notification->relname, notification->extra);
		PQfreemem(notification);
	}
}

const ArazzoFailure *
arazzo_database_failure(const HttpDatabase *self)
{
	return self->failure;
}

void
arazzo_database_close(HttpDatabase *self)
{
	MemoryContextDelete(self->context);
}

/* Watches one descriptor in place of the one before; -1: none. */
static void
watch(HttpDatabase *self, int descriptor, bool readable, bool writable)
{
	if (self->watched >= 0 && self->watched != descriptor)
		(void) arazzo_watch_set(self->watched, WATCH_DATABASE, false, false);
	self->watched = descriptor;
	if (descriptor >= 0 && !arazzo_watch_set(descriptor, WATCH_DATABASE, readable, writable))
		fail(self, ERRCODE_OUT_OF_MEMORY, "out of memory while listening at \"%s\"", NULL);
}

/* Says why the connection is lost; the format names the place by %s. */
static void
fail(HttpDatabase *self, int sqlstate, const char *what, const char *detail)
{
	self->failure = palloc0(sizeof(ArazzoFailure));
	self->failure->sqlstate = sqlstate;
	self->failure->message = psprintf(what, self->socket ? self->host : arazzo_url_authority(&self->parsed));
	if (detail != NULL && detail[0] != '\0')
		self->failure->detail = pstrdup(detail);
	self->state = DATABASE_LOST;
	end_files(self);
	watch(self, -1, false, false);
}

/* The same for a limit, and the server option that sets it. */
static void
fail_in_time(HttpDatabase *self, const char *what, int limit, const char *option)
{
	fail(self, ERRCODE_SQLCLIENT_UNABLE_TO_ESTABLISH_SQLCONNECTION, what, psprintf("The limit is %d ms.", limit));
	self->failure->hint = psprintf("The server option %s sets the limit.", option);
}

/* libpq's own words, on one line; they have no password in them. */
static const char *
library_text(const HttpDatabase *self)
{
	char	   *text = pstrdup(PQerrorMessage(self->connection));
	char	   *p;

	for (p = text; *p != '\0'; p++)
	{
		if (*p == '\n' || *p == '\t')
			*p = p[1] == '\0' ? '\0' : ' ';
	}
	return text;
}
