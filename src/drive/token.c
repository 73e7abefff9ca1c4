/*-------------------------------------------------------------------------
 *
 * token.c
 *	  Access tokens (OAuth 2.0, RFC 6749), fetched and kept.
 *
 * A fetch belongs to nobody: it lives as long as a call waits for it, in a
 * context of its own, with copies of all it needs, since the call that began
 * it may end first.  The last call that leaves ends it.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "lib/ilist.h"
#include "lib/stringinfo.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "drive/oauth.h"
#include "drive/token.h"
#include "drive/turn.h"
#include "support/clock.h"

/* Kept at a time; those that were not used for longest go first. */
#define MAX_TOKENS 64

/* So long before a token expires, or after most of its life, another is
 * fetched: it must not expire on its way. */
#define RENEW_SECONDS	60
#define RENEW_PART		0.8

/* Credentials that were refused are not shown again for so long (s): many runs
 * may want to, and whoever guards them may lock them. */
#define REFUSED_SECONDS	1

typedef struct TokenEntry
{
	dlist_node	node;
	char	   *token;			/* or NULL */
	TimestampTz renew;			/* when it is not to be used any more */
	MemoryContext refusal_context;	/* of the refusal, or NULL */
	const OAuthAnswer *refusal; /* to the last request */
	TimestampTz ask_again;		/* when that is over */
	struct TokenFetch *fetch;	/* under way, or NULL */
	char		key[FLEXIBLE_ARRAY_MEMBER]; /* all that makes a difference */
} TokenEntry;

typedef struct TokenFetch
{
	MemoryContext context;
	TokenEntry *entry;			/* NULL once it is over */
	ArazzoConnection connection;
	ConnectionCredentials credentials;
	TokenSource source;
	ArazzoRequest request;
	TokenTurn	turn;			/* of the request */
	HttpTransfer *transfer;		/* NULL until it has come */
	bool		news;			/* those who wait were told, nobody has looked */
	OAuthAnswer answer;			/* once it is over */
	dlist_head	waits;
} TokenFetch;

struct TokenWait
{
	MemoryContextCallback callback;
	dlist_node	node;
	TokenFetch *fetch;			/* NULL once it has left */
	HttpNotify	notify;
	void	   *argument;
};

static dlist_head entries = DLIST_STATIC_INIT(entries); /* last used first */
static int	entry_count = 0;
static MemoryContext token_context = NULL;

static char *make_key(const TokenSource *source);
static TokenEntry *find_entry(const char *key);
static TokenEntry *add_entry(const char *key);
static void evict_entry(void);
static void forget_token(TokenEntry *entry);
static void forget_refusal(TokenEntry *entry);
static bool is_refused(const TokenEntry *entry);
static void join_refused(TokenWait *wait, const TokenEntry *entry, const TokenSource *source);
static TokenFetch *make_fetch(TokenEntry *entry, const TokenSource *source);
static void copy_options(HttpOptions *options);
static void copy_credentials(ConnectionCredentials *credentials);
static void copy_text(const char **text);
static List *copy_texts(const List *texts);
static TokenWait *make_wait(void);
static void join_fetch(TokenWait *wait, TokenFetch *fetch);
static void leave_fetch(void *argument);
static void send_request(TokenFetch *fetch, const char *endpoint);
static void start_transfer(void *argument);
static void tell_waits(void *argument);
static void take_response(TokenFetch *fetch, const ArazzoResponse *response);
static void keep_token(TokenEntry *entry, const OAuthAnswer *answer);
static void keep_refusal(TokenEntry *entry, const OAuthAnswer *answer);
static void copy_refusal(const OAuthAnswer *refusal, OAuthAnswer *copy);

const char *
arazzo_token_get(const TokenSource *source, const char *refused, TokenWait **wait)
{
	char	   *key = make_key(source);
	TokenEntry *entry = find_entry(key);
	bool		begins;

	if (entry == NULL)
		entry = add_entry(key);
	if (entry->token && refused && strcmp(entry->token, refused) == 0)
		forget_token(entry);
	if (entry->token && arazzo_clock_now() < entry->renew)
		return pstrdup(entry->token);
	*wait = make_wait();
	if (entry->fetch == NULL && is_refused(entry))
	{
		join_refused(*wait, entry, source);
		return NULL;
	}
	begins = entry->fetch == NULL;
	if (begins)
		entry->fetch = make_fetch(entry, source);
	/* from here on it is the wait that ends the fetch, whatever happens */
	join_fetch(*wait, entry->fetch);
	if (begins)
		send_request(entry->fetch, source->url);
	return NULL;
}

/* No part of it has a line break: neither options nor URLs have any. */
static char *
make_key(const TokenSource *source)
{
	const ConnectionCredentials *credentials = source->credentials;
	const char *const parts[] = {
		credentials->client_id, credentials->client_secret, credentials->user, credentials->password
	};
	StringInfoData key;
	ListCell   *cell;
	size_t		i;

	initStringInfo(&key);
	appendStringInfo(&key, "%u %u %u %d%d%d %s", source->server, source->connection->server,
					 source->connection->role, source->password, source->discover, credentials->client_post,
					 source->url);
	for (i = 0; i < lengthof(parts); i++)
		appendStringInfo(&key, "\n%s", parts[i] ? parts[i] : "");
	foreach(cell, source->scopes)
		appendStringInfo(&key, "\n%s", (char *) lfirst(cell));
	return key.data;
}

static TokenEntry *
find_entry(const char *key)
{
	dlist_iter	iter;

	dlist_foreach(iter, &entries)
	{
		TokenEntry *entry = dlist_container(TokenEntry, node, iter.cur);

		if (strcmp(entry->key, key) == 0)
		{
			dlist_move_head(&entries, &entry->node);
			return entry;
		}
	}
	return NULL;
}

static TokenEntry *
add_entry(const char *key)
{
	TokenEntry *entry;

	if (token_context == NULL)
		token_context = AllocSetContextCreate(TopMemoryContext, "arazzo tokens", ALLOCSET_SMALL_SIZES);
	if (entry_count >= MAX_TOKENS)
		evict_entry();
	entry = MemoryContextAllocZero(token_context, offsetof(TokenEntry, key) + strlen(key) + 1);
	memcpy(entry->key, key, strlen(key));
	dlist_push_head(&entries, &entry->node);
	entry_count++;
	return entry;
}

static void
evict_entry(void)
{
	dlist_node *node = dlist_tail_node(&entries);
	TokenEntry *entry = dlist_container(TokenEntry, node, node);

	while (entry->fetch && dlist_has_prev(&entries, node))
	{
		node = dlist_prev_node(&entries, node);
		entry = dlist_container(TokenEntry, node, node);
	}
	if (entry->fetch)
		return;
	dlist_delete(node);
	entry_count--;
	forget_token(entry);
	forget_refusal(entry);
	pfree(entry);
}

static void
forget_token(TokenEntry *entry)
{
	if (entry->token)
		pfree(entry->token);
	entry->token = NULL;
}

static void
forget_refusal(TokenEntry *entry)
{
	if (entry->refusal_context)
		MemoryContextDelete(entry->refusal_context);
	entry->refusal_context = NULL;
}

/* A clock that was set back lets it be asked again. */
static bool
is_refused(const TokenEntry *entry)
{
	TimestampTz now = arazzo_clock_now();

	return entry->refusal_context && now < entry->ask_again &&
		entry->ask_again <= now + REFUSED_SECONDS * USECS_PER_SEC;
}

/* Waits for a fetch that is over, with what was said before. */
static void
join_refused(TokenWait *wait, const TokenEntry *entry, const TokenSource *source)
{
	TokenFetch *fetch = make_fetch(NULL, source);
	MemoryContext old;

	join_fetch(wait, fetch);
	old = MemoryContextSwitchTo(fetch->context);
	copy_refusal(entry->refusal, &fetch->answer);
	fetch->news = true;
	MemoryContextSwitchTo(old);
}

static void
copy_refusal(const OAuthAnswer *refusal, OAuthAnswer *copy)
{
	memset(copy, 0, sizeof(*copy));
	copy->failure = arazzo_failure_copy(refusal->failure);
	copy->unauthorized = refusal->unauthorized;
}

static TokenFetch *
make_fetch(TokenEntry *entry, const TokenSource *source)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "arazzo token fetch", ALLOCSET_SMALL_SIZES);
	MemoryContext old = MemoryContextSwitchTo(context);
	TokenFetch *fetch = palloc0(sizeof(TokenFetch));

	fetch->context = context;
	fetch->entry = entry;
	fetch->connection = *source->connection;
	copy_text(&fetch->connection.server_name);
	copy_text(&fetch->connection.api);
	copy_text(&fetch->connection.url);
	copy_options(&fetch->connection.http);
	if (source->timeout > 0)
		fetch->connection.http.timeout = Min(fetch->connection.http.timeout, source->timeout);
	fetch->credentials = *source->credentials;
	copy_credentials(&fetch->credentials);
	fetch->source = *source;
	fetch->source.connection = &fetch->connection;
	fetch->source.credentials = &fetch->credentials;
	copy_text(&fetch->source.url);
	fetch->source.scopes = copy_texts(source->scopes);
	dlist_init(&fetch->waits);
	MemoryContextSwitchTo(old);
	MemoryContextSetParent(context, token_context);
	return fetch;
}

static void
copy_options(HttpOptions *options)
{
	copy_text(&options->ca_file);
	copy_text(&options->crl_file);
	copy_text(&options->client_cert);
	copy_text(&options->client_key);
	copy_text(&options->proxy);
	copy_text(&options->pinned_public_key);
	copy_text(&options->allow_private);
}

static void
copy_credentials(ConnectionCredentials *credentials)
{
	copy_text(&credentials->user);
	copy_text(&credentials->password);
	copy_text(&credentials->client_id);
	copy_text(&credentials->client_secret);
}

static void
copy_text(const char **text)
{
	if (*text)
		*text = pstrdup(*text);
}

static List *
copy_texts(const List *texts)
{
	List	   *copy = NIL;
	ListCell   *cell;

	foreach(cell, texts)
		copy = lappend(copy, pstrdup(lfirst(cell)));
	return copy;
}

static TokenWait *
make_wait(void)
{
	TokenWait  *wait = palloc0(sizeof(TokenWait));

	wait->callback.func = leave_fetch;
	wait->callback.arg = wait;
	MemoryContextRegisterResetCallback(CurrentMemoryContext, &wait->callback);
	return wait;
}

/* Does not throw: a fetch that nobody waits for would never be over. */
static void
join_fetch(TokenWait *wait, TokenFetch *fetch)
{
	wait->fetch = fetch;
	dlist_push_tail(&fetch->waits, &wait->node);
}

static void
leave_fetch(void *argument)
{
	TokenWait  *wait = argument;
	TokenFetch *fetch = wait->fetch;

	if (fetch == NULL)
		return;
	wait->fetch = NULL;
	dlist_delete(&wait->node);
	if (!dlist_is_empty(&fetch->waits))
		return;
	if (fetch->entry)
		fetch->entry->fetch = NULL;
	arazzo_turn_end(&fetch->turn);
	MemoryContextDelete(fetch->context);
}

/* Asks for the token, or first for the configuration that says where. */
static void
send_request(TokenFetch *fetch, const char *endpoint)
{
	MemoryContext old = MemoryContextSwitchTo(fetch->context);

	if (fetch->source.discover)
		arazzo_oauth_discover(&fetch->source, &fetch->request);
	else
		arazzo_oauth_request(&fetch->source, pstrdup(endpoint), &fetch->request);
	MemoryContextSwitchTo(old);
	arazzo_turn_take(&fetch->turn, &fetch->connection, fetch->source.server == fetch->connection.server,
					 start_transfer, fetch);
}

static void
start_transfer(void *argument)
{
	TokenFetch *fetch = argument;
	MemoryContext old = MemoryContextSwitchTo(fetch->context);

	fetch->transfer = arazzo_http_start(&fetch->request, &fetch->connection.http);
	arazzo_http_notify(fetch->transfer, tell_waits, fetch);
	MemoryContextSwitchTo(old);
}

/* Called by the transport: must not throw. */
static void
tell_waits(void *argument)
{
	TokenFetch *fetch = argument;
	dlist_iter	iter;

	fetch->news = true;
	dlist_foreach(iter, &fetch->waits)
	{
		TokenWait  *wait = dlist_container(TokenWait, node, iter.cur);

		if (wait->notify)
			wait->notify(wait->argument);
	}
}

void
arazzo_token_notify(TokenWait *wait, HttpNotify notify, void *argument)
{
	wait->notify = notify;
	wait->argument = argument;
	if (wait->fetch->news)
		notify(argument);
}

bool
arazzo_token_ready(TokenWait *wait)
{
	TokenFetch *fetch = wait->fetch;
	const ArazzoResponse *response;

	while (fetch->entry && fetch->transfer && (response = arazzo_http_response(fetch->transfer)) != NULL)
		take_response(fetch, response);
	return fetch->entry == NULL;
}

/* Goes on with the endpoint that a configuration names, or is over. */
static void
take_response(TokenFetch *fetch, const ArazzoResponse *response)
{
	MemoryContext old = MemoryContextSwitchTo(fetch->context);
	OAuthAnswer *answer = &fetch->answer;

	fetch->news = false;
	arazzo_turn_end(&fetch->turn);
	if (fetch->source.discover)
	{
		fetch->source.discover = false;
		arazzo_oauth_read_configuration(&fetch->source, response, answer);
		if (answer->failure == NULL)
		{
			fetch->credentials.client_post |= answer->post;
			arazzo_http_free(fetch->transfer);
			fetch->transfer = NULL;
			send_request(fetch, answer->endpoint);
			MemoryContextSwitchTo(old);
			return;
		}
	}
	else
		arazzo_oauth_read_token(&fetch->source, response, answer);
	if (answer->token)
		keep_token(fetch->entry, answer);
	else if (answer->failure->sqlstate == ERRCODE_ARAZZO_CREDENTIAL)
		keep_refusal(fetch->entry, answer);
	fetch->entry->fetch = NULL;
	fetch->entry = NULL;
	MemoryContextSwitchTo(old);
}

/* RFC 6749, 5.1: a token whose life is not told is used until it is refused. */
static void
keep_token(TokenEntry *entry, const OAuthAnswer *answer)
{
	forget_token(entry);
	forget_refusal(entry);
	entry->token = MemoryContextStrdup(token_context, answer->token);
	entry->renew = DT_NOEND;
	if (answer->expires_in >= 0)
		entry->renew = arazzo_clock_now() + USECS_PER_SEC *
			(int64) Max(answer->expires_in * RENEW_PART, (double) answer->expires_in - RENEW_SECONDS);
}

static void
keep_refusal(TokenEntry *entry, const OAuthAnswer *answer)
{
	MemoryContext old;
	OAuthAnswer *kept;

	forget_refusal(entry);
	entry->refusal_context = AllocSetContextCreate(token_context, "arazzo token refusal", ALLOCSET_SMALL_SIZES);
	old = MemoryContextSwitchTo(entry->refusal_context);
	kept = palloc(sizeof(OAuthAnswer));
	copy_refusal(answer, kept);
	entry->refusal = kept;
	entry->ask_again = arazzo_clock_now() + REFUSED_SECONDS * USECS_PER_SEC;
	MemoryContextSwitchTo(old);
}

const char *
arazzo_token_take(TokenWait *wait, ArazzoResponse *answer, bool *unauthorized)
{
	const TokenFetch *fetch = wait->fetch;
	const char *token = fetch->answer.token ? pstrdup(fetch->answer.token) : NULL;
	const char *retry_after = fetch->answer.retry_after;

	*unauthorized = fetch->answer.unauthorized;
	if (token == NULL)
	{
		const ArazzoFailure *failure = arazzo_failure_copy(fetch->answer.failure);

		memset(answer, 0, sizeof(*answer));
		answer->outcome = OUTCOME_NOT_SENT;
		answer->body = "";
		answer->sqlstate = failure->sqlstate;
		answer->message = failure->message;
		answer->detail = failure->detail;
		answer->hint = failure->hint;
		answer->transient = fetch->answer.transient;
		if (retry_after)
		{
			answer->headers = palloc(sizeof(ArazzoHeader));
			answer->headers[answer->header_count++] = (ArazzoHeader) {"Retry-After", pstrdup(retry_after), false};
		}
	}
	leave_fetch(wait);
	return token;
}
