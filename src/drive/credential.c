/*-------------------------------------------------------------------------
 *
 * credential.c
 *	  Which credentials a call carries, and where.
 *
 * A secret goes to no other place than the server whose user mapping has it,
 * or the token endpoint that this server itself names (token_url).  What a
 * description says cannot lead it elsewhere: where the token endpoint that
 * is described lies with another server, that server's mapping has the
 * credentials.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "lib/ilist.h"
#include "lib/stringinfo.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "document/uri.h"
#include "drive/credential.h"
#include "drive/oauth.h"
#include "http/mask.h"
#include "support/message.h"

/* What is needed to choose. */
typedef struct Chooser
{
	DriveCall  *call;
	CallConnect connect;		/* NULL: arazzo_connection_find */
	void	   *owner;
	ArazzoFailure *reason;		/* why a token cannot be fetched, or NULL */
} Chooser;

/* Keys and tokens of a role at a server that were taken when others were not. */
typedef struct Preference
{
	slist_node	node;
	Oid			server;
	Oid			role;
	char	   *api_key;
	char	   *token;
} Preference;

static slist_head preferences = SLIST_STATIC_INIT(preferences);

static bool can_satisfy(Chooser *self, const OpenapiSecurity *security);
static bool can_use(Chooser *self, const OpenapiSecurityScheme *scheme);
static bool has_token(Chooser *self, const OpenapiSecurityScheme *scheme);
static TokenSource *find_source(Chooser *self, const OpenapiSecurityScheme *scheme);
static TokenSource *make_source(Chooser *self, const char *described, bool password, bool discover);
static bool can_ask(const TokenSource *source);
static void note_missing(Chooser *self, const TokenSource *source);
static bool uses(const DriveCall *call, bool token);
static bool takes_token(const DriveCall *call, SecuritySchemeKind kind);
static const char *first_of(const char *preferred, const char *value, const char *next);
static Preference *find_preference(const ArazzoConnection *connection);
static void set_preferred(char **text, const char *value);
static void apply_scheme(DriveCall *call, const OpenapiSecurityScheme *scheme);
static void apply_api_key(DriveCall *call, const OpenapiSecurityScheme *scheme);
static void add_header(ArazzoRequest *request, const char *name, const char *value, bool secret);
static void add_cookie(ArazzoRequest *request, const char *cookie);
static void add_query(ArazzoRequest *request, const char *name, const char *value);
static void add_authorization(DriveCall *call, const char *value);
static ArazzoFailure *no_credential(const DriveCall *call, const RunNext *next);
static void describe_schemes(StringInfo out, List *security);
static const char *describe_scheme(const OpenapiSecurityScheme *scheme);

/*
 * OpenAPI 3.1, Security Requirement Object: the first alternative for which
 * the connection has what it takes.  An alternative without schemes is none
 * at all, and comes last whatever its place.
 */
ArazzoFailure *
arazzo_credential_choose(DriveCall *call, const RunNext *next, CallConnect connect, void *owner)
{
	const OpenapiOperation *operation = next->step->operation;
	const ConnectionCredentials *credentials = &call->connection->credentials;
	const Preference *preferred = find_preference(call->connection);
	Chooser		self = {.call = call,.connect = connect,.owner = owner};
	bool		optional = operation->security == NIL;
	ListCell   *alternative;

	if (arazzo_credential_has_header(&call->plain, "Authorization"))
		return NULL;
	foreach(alternative, operation->security)
	{
		const OpenapiSecurity *security = lfirst(alternative);

		if (security->schemes == NIL)
			optional = true;
		else if (can_satisfy(&self, security))
		{
			call->security = security;
			call->api_key = first_of(preferred ? preferred->api_key : NULL,
									 credentials->api_key, credentials->api_key_next);
			call->token = first_of(preferred ? preferred->token : NULL,
								   credentials->token, credentials->token_next);
			return NULL;
		}
	}
	if (optional)
		return NULL;
	return self.reason ? self.reason : no_credential(call, next);
}

static bool
can_satisfy(Chooser *self, const OpenapiSecurity *security)
{
	ListCell   *cell;

	self->call->source = NULL;
	foreach(cell, security->schemes)
	{
		if (!can_use(self, lfirst(cell)))
			return false;
	}
	return true;
}

static bool
can_use(Chooser *self, const OpenapiSecurityScheme *scheme)
{
	const ArazzoConnection *connection = self->call->connection;
	const ConnectionCredentials *credentials = &connection->credentials;

	switch (scheme->kind)
	{
		case SECURITY_API_KEY:
			return credentials->api_key != NULL;
		case SECURITY_BASIC:
		case SECURITY_DIGEST:
			return credentials->user != NULL;
		case SECURITY_BEARER:
		case SECURITY_OAUTH2:
		case SECURITY_OPENID_CONNECT:
			return has_token(self, scheme);
		case SECURITY_MUTUAL_TLS:
			return connection->http.client_cert != NULL;
		case SECURITY_UNDEFINED:
			return has_token(self, scheme) || credentials->user != NULL;
	}
	return false;
}

/* A token that is at hand wins. */
static bool
has_token(Chooser *self, const OpenapiSecurityScheme *scheme)
{
	if (self->call->connection->credentials.token)
		return true;
	if (self->call->source == NULL)
		self->call->source = find_source(self, scheme);
	return self->call->source != NULL;
}

/*
 * Where a token for a scheme can be fetched, or NULL.  The client's own
 * credentials come before the user's password, which is only given where the
 * description asks for it.  A server that names its token endpoint tells more
 * than a description that just speaks of bearer tokens.
 */
static TokenSource *
find_source(Chooser *self, const OpenapiSecurityScheme *scheme)
{
	TokenSource *source = NULL;

	if (scheme->token_url)
		source = make_source(self, scheme->token_url, false, false);
	if (source == NULL && scheme->password_url)
		source = make_source(self, scheme->password_url, true, false);
	if (source == NULL && scheme->openid_url)
		source = make_source(self, scheme->openid_url, false, true);
	if (source == NULL && !scheme->token_url && !scheme->password_url && !scheme->openid_url)
		source = make_source(self, NULL, false, false);
	if (source)
		source->scopes = scheme->scopes;
	return source;
}

static TokenSource *
make_source(Chooser *self, const char *described, bool password, bool discover)
{
	const ArazzoConnection *api = self->call->connection;
	const char *url = api->token_url ? api->token_url : described;
	ArazzoFailure *failure = NULL;
	TokenSource *source;

	if (url == NULL)
		return NULL;
	source = palloc0(sizeof(TokenSource));
	source->server = api->server;
	source->password = password;
	source->discover = discover && api->token_url == NULL;
	source->connection = self->connect ? self->connect(self->owner, url, api->role, &failure) :
		arazzo_connection_find(url, api->role, &failure);
	source->credentials = &api->credentials;
	if (source->connection && api->token_url == NULL)
		source->credentials = &source->connection->credentials;
	if (source->connection == NULL && can_ask(source) && self->reason == NULL)
		self->reason = failure;
	if (source->connection == NULL)
		return NULL;
	source->url = arazzo_connection_rewrite(source->connection, url);
	if (can_ask(source))
		return source;
	note_missing(self, source);
	return NULL;
}

/* Are the credentials there by which a token is given? */
static bool
can_ask(const TokenSource *source)
{
	const ConnectionCredentials *credentials = source->credentials;

	if (source->password)
		return credentials->user && credentials->password;
	return credentials->client_id &&
		(credentials->client_secret || (source->connection && source->connection->http.client_cert));
}

/* Credentials that are at the wrong server; else there is nothing to explain. */
static void
note_missing(Chooser *self, const TokenSource *source)
{
	const ArazzoConnection *api = self->call->connection;
	TokenSource own = *source;
	const char *what = source->password ? "user and password" : "client_id and client_secret";

	own.credentials = &api->credentials;
	if (source->credentials == own.credentials || !can_ask(&own) || self->reason)
		return;
	self->reason = arazzo_failure_make(ERRCODE_ARAZZO_CREDENTIAL,
									   "user mapping for server \"%s\" has no %s",
									   source->connection->server_name, what);
	arazzo_failure_detail(self->reason, "Tokens for server \"%s\" come from there, and a secret goes to the server whose mapping has it.",
						  api->server_name);
	arazzo_failure_hint(self->reason, "Give them to that mapping, or let server \"%s\" name the place by its option token_url.",
						api->server_name);
}

/* A key or token that is about to be replaced, or the one that replaces it. */
static const char *
first_of(const char *preferred, const char *value, const char *next)
{
	return value && next && preferred && strcmp(preferred, next) == 0 ? next : value;
}

/*
 * Whatever was refused is changed.  A token that was fetched for this very
 * call is not fetched once more: the next would be no better.
 */
bool
arazzo_credential_change(DriveCall *call)
{
	const ConnectionCredentials *credentials = &call->connection->credentials;
	bool		changed = false;

	if (uses(call, false) && credentials->api_key_next)
	{
		call->api_key = call->api_key == credentials->api_key ?
			credentials->api_key_next : credentials->api_key;
		changed = true;
	}
	if (!uses(call, true))
		return changed;
	if (call->source && !call->fetched)
	{
		call->refused = call->token;
		call->token = NULL;
		changed = true;
	}
	else if (call->source == NULL && credentials->token_next)
	{
		call->token = call->token == credentials->token ? credentials->token_next : credentials->token;
		changed = true;
	}
	return changed;
}

/* Does the alternative that is met take a token, or else a key? */
static bool
uses(const DriveCall *call, bool token)
{
	ListCell   *cell;

	foreach(cell, call->security ? call->security->schemes : NIL)
	{
		SecuritySchemeKind kind = ((const OpenapiSecurityScheme *) lfirst(cell))->kind;

		if (token ? takes_token(call, kind) : kind == SECURITY_API_KEY)
			return true;
	}
	return false;
}

/* A scheme that the description names but does not define: what the user
 * mapping offers tells what is meant. */
static bool
takes_token(const DriveCall *call, SecuritySchemeKind kind)
{
	if (kind == SECURITY_UNDEFINED)
		return call->source || call->connection->credentials.token;
	return kind == SECURITY_BEARER || kind == SECURITY_OAUTH2 || kind == SECURITY_OPENID_CONNECT;
}

void
arazzo_credential_prefer(const DriveCall *call)
{
	Preference *preference = find_preference(call->connection);

	if (preference == NULL)
	{
		preference = MemoryContextAllocZero(TopMemoryContext, sizeof(Preference));
		preference->server = call->connection->server;
		preference->role = call->connection->role;
		slist_push_head(&preferences, &preference->node);
	}
	if (uses(call, false))
		set_preferred(&preference->api_key, call->api_key);
	if (uses(call, true) && call->source == NULL)
		set_preferred(&preference->token, call->token);
}

static Preference *
find_preference(const ArazzoConnection *connection)
{
	slist_iter	iter;

	slist_foreach(iter, &preferences)
	{
		Preference *preference = slist_container(Preference, node, iter.cur);

		if (preference->server == connection->server && preference->role == connection->role)
			return preference;
	}
	return NULL;
}

static void
set_preferred(char **text, const char *value)
{
	char	   *copy = MemoryContextStrdup(TopMemoryContext, value);

	if (*text)
		pfree(*text);
	*text = copy;
}

void
arazzo_credential_apply(DriveCall *call)
{
	ListCell   *cell;

	call->request = call->plain;
	call->request.headers = palloc(sizeof(ArazzoHeader) * (call->plain.header_count + 1));
	memcpy(call->request.headers, call->plain.headers, sizeof(ArazzoHeader) * call->plain.header_count);
	foreach(cell, call->security ? call->security->schemes : NIL)
		apply_scheme(call, lfirst(cell));
}

static void
apply_scheme(DriveCall *call, const OpenapiSecurityScheme *scheme)
{
	const ConnectionCredentials *credentials = &call->connection->credentials;
	const char *password = credentials->password ? credentials->password : "";

	if (scheme->kind == SECURITY_API_KEY)
		apply_api_key(call, scheme);
	else if (takes_token(call, scheme->kind))
		/* RFC 6750, 2.1; without a token while that is yet to be fetched */
		add_authorization(call, psprintf("Bearer %s", call->token ? call->token : ""));
	else if (scheme->kind == SECURITY_BASIC || scheme->kind == SECURITY_UNDEFINED)
		add_authorization(call, arazzo_oauth_basic(credentials->user, password));
	else if (scheme->kind == SECURITY_DIGEST)
	{
		call->options.user = credentials->user;
		call->options.password = password;
	}
}

static void
apply_api_key(DriveCall *call, const OpenapiSecurityScheme *scheme)
{
	switch (scheme->in)
	{
		case IN_QUERY:
			add_query(&call->request, scheme->parameter, call->api_key);
			break;
		case IN_COOKIE:
			add_cookie(&call->request, psprintf("%s=%s", scheme->parameter, call->api_key));
			break;
		default:
			if (!arazzo_credential_has_header(&call->request, scheme->parameter))
				add_header(&call->request, scheme->parameter, call->api_key, true);
			break;
	}
}

/* RFC 6265, 5.4: all cookies are in one header. */
static void
add_cookie(ArazzoRequest *request, const char *cookie)
{
	int			i;

	for (i = 0; i < request->header_count; i++)
	{
		ArazzoHeader *header = &request->headers[i];

		if (pg_strcasecmp(header->name, "Cookie") == 0)
		{
			header->value = psprintf("%s; %s", header->value, cookie);
			header->secret = true;
			return;
		}
	}
	add_header(request, "Cookie", cookie, true);
}

static void
add_query(ArazzoRequest *request, const char *name, const char *value)
{
	StringInfoData url;

	initStringInfo(&url);
	appendStringInfo(&url, "%s%c", request->url, strchr(request->url, '?') ? '&' : '?');
	arazzo_uri_encode(&url, name, strlen(name), NULL);
	appendStringInfoChar(&url, '=');
	request->shown_url = psprintf("%s" ARAZZO_MASK, url.data);
	arazzo_uri_encode(&url, value, strlen(value), NULL);
	request->url = url.data;
}

/* There is room for one. */
static void
add_authorization(DriveCall *call, const char *value)
{
	if (!arazzo_credential_has_header(&call->request, "Authorization"))
		add_header(&call->request, "Authorization", value, true);
}

bool
arazzo_credential_has_header(const ArazzoRequest *request, const char *name)
{
	return arazzo_header_find(request->headers, request->header_count, name, strlen(name)) != NULL;
}

/* Rare, and few: the array grows one by one. */
static void
add_header(ArazzoRequest *request, const char *name, const char *value, bool secret)
{
	request->headers = repalloc(request->headers, sizeof(ArazzoHeader) * (request->header_count + 1));
	request->headers[request->header_count++] = (ArazzoHeader) {name, value, secret};
}

static ArazzoFailure *
no_credential(const DriveCall *call, const RunNext *next)
{
	const ArazzoConnection *connection = call->connection;
	ArazzoFailure *failure;
	StringInfoData schemes;

	initStringInfo(&schemes);
	describe_schemes(&schemes, next->step->operation->security);
	failure = arazzo_failure_make(ERRCODE_ARAZZO_CREDENTIAL,
								  connection->has_mapping ?
								  "user mapping for server \"%s\" has no credential that the API takes" :
								  "there is no user mapping for server \"%s\"",
								  connection->server_name);
	arazzo_failure_detail(failure, "The API takes %s.", schemes.data);
	if (connection->has_mapping)
		arazzo_failure_hint(failure, "Use ALTER USER MAPPING to add it.");
	else
		arazzo_failure_hint(failure, "Use CREATE USER MAPPING FOR %s SERVER %s OPTIONS (...).",
							connection->role_name ? quote_identifier(connection->role_name) : "CURRENT_USER",
							quote_identifier(connection->server_name));
	return failure;
}

/* The credentials that would do, in the words of user mapping options. */
static void
describe_schemes(StringInfo out, List *security)
{
	ListCell   *alternative;
	ListCell   *cell;
	const char *last = NULL;

	foreach(alternative, security)
	{
		const char *joint = out->len > 0 ? " or " : "";

		foreach(cell, ((const OpenapiSecurity *) lfirst(alternative))->schemes)
		{
			const char *option = describe_scheme(lfirst(cell));

			if (last && strcmp(last, option) == 0)
				continue;
			last = option;
			appendStringInfo(out, "%s%s", joint, last);
			joint = " with ";
		}
	}
}

static const char *
describe_scheme(const OpenapiSecurityScheme *scheme)
{
	static const char *const options[] = {
		[SECURITY_API_KEY] = "an api_key",
		[SECURITY_BASIC] = "a user and password",
		[SECURITY_BEARER] = "a token",
		[SECURITY_DIGEST] = "a user and password",
		[SECURITY_OAUTH2] = "a token",
		[SECURITY_OPENID_CONNECT] = "a token",
		[SECURITY_MUTUAL_TLS] = "a client_cert and client_key",
		[SECURITY_UNDEFINED] = "a token or a user"
	};

	if (scheme->token_url || scheme->openid_url)
		return "a client_id and client_secret, or a token";
	if (scheme->password_url)
		return "a user and password, or a token";
	return options[scheme->kind];
}
