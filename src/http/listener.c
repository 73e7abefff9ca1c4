/*-------------------------------------------------------------------------
 *
 * listener.c
 *	  Messages of a database's channels, LISTEN and NOTIFY.
 *
 * A message is kept for everybody who listened when it came, until it is
 * taken; of a channel that nobody takes from, the latest are kept.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "lib/ilist.h"
#include "utils/memutils.h"

#include "http/database.h"
#include "http/listener.h"

typedef struct SharedDatabase
{
	dlist_node	node;
	HttpDatabase *database;
	dlist_head	channels;		/* of SharedChannel */
	struct SharedChannel *asked;	/* that the statement at hand is about */
} SharedDatabase;

typedef struct SharedChannel
{
	dlist_node	node;
	bool		listening;		/* as far as the database has said */
	dlist_head	listeners;		/* of ChannelListener; empty: about to end */
	char		name[FLEXIBLE_ARRAY_MEMBER];
} SharedChannel;

typedef struct ChannelMessage
{
	dlist_node	node;
	uint64		number;			/* in the order of arrival, from 1 */
	size_t		length;
	char		text[FLEXIBLE_ARRAY_MEMBER];
} ChannelMessage;

struct ChannelListener
{
	dlist_node	node;
	MemoryContext context;
	MemoryContextCallback callback;
	SharedDatabase *shared;		/* NULL once it is lost */
	SharedChannel *channel;		/* likewise */
	dlist_head	messages;		/* of ChannelMessage */
	int64		bytes;			/* of their texts */
	uint64		arrived;		/* how many have ever */
	int64		limit;
	ArazzoFailure *failure;
	ListenerNotify notify;
	void	   *argument;
};

static dlist_head databases = DLIST_STATIC_INIT(databases);
static int	listener_count = 0;
static bool told = false;		/* a listener, since the last drive */

static SharedDatabase *shared_database(const ArazzoConnection *connection, const char *url, const char *database);
static SharedChannel *shared_channel(SharedDatabase *shared, const char *name);
static void end_listener(void *argument);
static void drive(SharedDatabase *shared);
static void ask(SharedDatabase *shared);
static void answered(SharedDatabase *shared);
static void drop_channel(SharedDatabase *shared, SharedChannel *channel);
static void keep_message(void *argument, const char *channel, const char *text);
static void append_message(ChannelListener *listener, const char *text);
static void drop_message(ChannelListener *listener, ChannelMessage *message);
static void lose(SharedDatabase *shared);
static void note_failure(ChannelListener *listener, const ArazzoFailure *failure);
static void end_database(SharedDatabase *shared);
static void detach(ChannelListener *listener);
static void tell(ChannelListener *listener);

ChannelListener *
arazzo_listener_start(const ArazzoConnection *connection, const char *url, const char *database,
					  const char *channel, ListenerNotify notify, void *argument)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "arazzo listener", ALLOCSET_SMALL_SIZES);
	ChannelListener *listener = MemoryContextAllocZero(context, sizeof(ChannelListener));

	listener->context = context;
	listener->limit = connection->http.max_response_bytes;
	listener->notify = notify;
	listener->argument = argument;
	dlist_init(&listener->messages);
	listener_count++;
	listener->callback.func = end_listener;
	listener->callback.arg = listener;
	MemoryContextRegisterResetCallback(context, &listener->callback);
	listener->shared = shared_database(connection, url, database);
	listener->channel = shared_channel(listener->shared, channel);
	dlist_push_tail(&listener->channel->listeners, &listener->node);
	return listener;
}

/* One that is open, or about to be. */
static SharedDatabase *
shared_database(const ArazzoConnection *connection, const char *url, const char *database)
{
	SharedDatabase *shared;
	HttpDatabase *opened;
	dlist_iter	iter;

	dlist_foreach(iter, &databases)
	{
		shared = dlist_container(SharedDatabase, node, iter.cur);
		if (arazzo_database_is(shared->database, connection, url, database))
			return shared;
	}
	opened = arazzo_database_open(connection, url, database);
	shared = MemoryContextAllocExtended(TopMemoryContext, sizeof(SharedDatabase), MCXT_ALLOC_ZERO | MCXT_ALLOC_NO_OOM);
	if (shared == NULL)
	{
		arazzo_database_close(opened);
		ereport(ERROR,
				errcode(ERRCODE_OUT_OF_MEMORY),
				errmsg("out of memory"));
	}
	dlist_init(&shared->channels);
	shared->database = opened;
	dlist_push_tail(&databases, &shared->node);
	return shared;
}

static SharedChannel *
shared_channel(SharedDatabase *shared, const char *name)
{
	SharedChannel *channel;
	dlist_iter	iter;

	dlist_foreach(iter, &shared->channels)
	{
		channel = dlist_container(SharedChannel, node, iter.cur);
		if (strcmp(channel->name, name) == 0)
			return channel;
	}
	channel = MemoryContextAllocZero(TopMemoryContext, offsetof(SharedChannel, name) + strlen(name) + 1);
	memcpy(channel->name, name, strlen(name));
	dlist_init(&channel->listeners);
	dlist_push_tail(&shared->channels, &channel->node);
	return channel;
}

/* Called when the memory of a listener goes: does not throw. */
static void
end_listener(void *argument)
{
	ChannelListener *listener = argument;
	SharedDatabase *shared = listener->shared;
	dlist_iter	iter;

	listener_count--;
	if (shared == NULL)
		return;
	if (listener->channel != NULL)
	{
		dlist_delete(&listener->node);
		drop_channel(shared, listener->channel);
	}
	dlist_foreach(iter, &shared->channels)
	{
		if (!dlist_is_empty(&dlist_container(SharedChannel, node, iter.cur)->listeners))
			return;
	}
	end_database(shared);
}

ListenerState
arazzo_listener_state(const ChannelListener *listener)
{
	if (listener->shared == NULL)
		return LISTENER_LOST;
	return listener->channel->listening && listener->shared->asked != listener->channel ?
		LISTENER_READY : LISTENER_STARTING;
}

const ArazzoFailure *
arazzo_listener_failure(const ChannelListener *listener)
{
	return listener->failure;
}

/* What is new stands at the end. */
const char *
arazzo_listener_message(const ChannelListener *listener, uint64 *number)
{
	ChannelMessage *first = NULL;
	dlist_iter	iter;

	dlist_reverse_foreach(iter, unconstify(dlist_head *, &listener->messages))
	{
		ChannelMessage *message = dlist_container(ChannelMessage, node, iter.cur);

		if (message->number <= *number)
			break;
		first = message;
	}
	if (first == NULL)
		return NULL;
	*number = first->number;
	return first->text;
}

void
arazzo_listener_take(ChannelListener *listener, uint64 number)
{
	dlist_mutable_iter iter;

	dlist_foreach_modify(iter, &listener->messages)
	{
		ChannelMessage *message = dlist_container(ChannelMessage, node, iter.cur);

		if (message->number == number)
			drop_message(listener, message);
	}
}

int
arazzo_listener_count(void)
{
	return listener_count;
}

bool
arazzo_listeners_drive(void)
{
	dlist_mutable_iter iter;
	bool		result;

	dlist_foreach_modify(iter, &databases)
		drive(dlist_container(SharedDatabase, node, iter.cur));
	result = told;
	told = false;
	return result;
}

static void
drive(SharedDatabase *shared)
{
	DatabaseState state = arazzo_database_drive(shared->database);

	arazzo_database_notifications(shared->database, keep_message, shared);
	if (state == DATABASE_READY)
	{
		answered(shared);
		ask(shared);
		state = arazzo_database_drive(shared->database);
	}
	if (state == DATABASE_LOST)
		lose(shared);
}

/* The statement at hand is done. */
static void
answered(SharedDatabase *shared)
{
	SharedChannel *channel = shared->asked;
	dlist_iter	iter;

	shared->asked = NULL;
	if (channel == NULL)
		return;
	channel->listening = !channel->listening;
	dlist_foreach(iter, &channel->listeners)
		tell(dlist_container(ChannelListener, node, iter.cur));
	drop_channel(shared, channel);
}

/* Forgets a channel that nobody listens to, here and there. */
static void
drop_channel(SharedDatabase *shared, SharedChannel *channel)
{
	if (channel->listening || shared->asked == channel || !dlist_is_empty(&channel->listeners))
		return;
	dlist_delete(&channel->node);
	pfree(channel);
}

/* Begins to listen to the next channel that is wanted, or ends it. */
static void
ask(SharedDatabase *shared)
{
	dlist_iter	iter;

	dlist_foreach(iter, &shared->channels)
	{
		SharedChannel *channel = dlist_container(SharedChannel, node, iter.cur);

		if (channel->listening == dlist_is_empty(&channel->listeners))
		{
			shared->asked = channel;
			arazzo_database_listen(shared->database, channel->name, !channel->listening);
			return;
		}
	}
}

/* Called for each message that has come: does not throw. */
static void
keep_message(void *argument, const char *name, const char *text)
{
	SharedDatabase *shared = argument;
	dlist_iter	iter;
	dlist_iter	inner;

	dlist_foreach(iter, &shared->channels)
	{
		SharedChannel *channel = dlist_container(SharedChannel, node, iter.cur);

		if (strcmp(channel->name, name) != 0)
			continue;
		dlist_foreach(inner, &channel->listeners)
			append_message(dlist_container(ChannelListener, node, inner.cur), text);
	}
}

static void
append_message(ChannelListener *listener, const char *text)
{
	size_t		length = strlen(text);
	ChannelMessage *message = MemoryContextAllocExtended(listener->context,
														 offsetof(ChannelMessage, text) + length + 1,
														 MCXT_ALLOC_NO_OOM);

	if (message == NULL)
		return;
	message->number = ++listener->arrived;
	message->length = length;
	memcpy(message->text, text, length + 1);
	dlist_push_tail(&listener->messages, &message->node);
	listener->bytes += length;
	while (listener->bytes > listener->limit && dlist_has_next(&listener->messages, dlist_head_node(&listener->messages)))
		drop_message(listener, dlist_head_element(ChannelMessage, node, &listener->messages));
	tell(listener);
}

static void
drop_message(ChannelListener *listener, ChannelMessage *message)
{
	listener->bytes -= message->length;
	dlist_delete(&message->node);
	pfree(message);
}

/* Closes a connection that is lost: those who listen know why. */
static void
lose(SharedDatabase *shared)
{
	dlist_iter	iter;
	dlist_iter	inner;

	dlist_foreach(iter, &shared->channels)
	{
		dlist_foreach(inner, &dlist_container(SharedChannel, node, iter.cur)->listeners)
			note_failure(dlist_container(ChannelListener, node, inner.cur), arazzo_database_failure(shared->database));
	}
	end_database(shared);
}

static void
note_failure(ChannelListener *listener, const ArazzoFailure *failure)
{
	MemoryContext caller = MemoryContextSwitchTo(listener->context);

	listener->failure = arazzo_failure_copy(failure);
	MemoryContextSwitchTo(caller);
}

/* Closes a connection that is lost, or that nobody needs: does not throw. */
static void
end_database(SharedDatabase *shared)
{
	dlist_mutable_iter iter;
	dlist_mutable_iter inner;

	dlist_delete(&shared->node);
	dlist_foreach_modify(iter, &shared->channels)
	{
		SharedChannel *channel = dlist_container(SharedChannel, node, iter.cur);

		dlist_foreach_modify(inner, &channel->listeners)
			detach(dlist_container(ChannelListener, node, inner.cur));
		pfree(channel);
	}
	arazzo_database_close(shared->database);
	pfree(shared);
}

static void
detach(ChannelListener *listener)
{
	dlist_delete(&listener->node);
	listener->shared = NULL;
	listener->channel = NULL;
	tell(listener);
}

static void
tell(ChannelListener *listener)
{
	told = true;
	listener->notify(listener->argument);
}
