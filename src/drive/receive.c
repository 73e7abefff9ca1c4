/*-------------------------------------------------------------------------
 *
 * receive.c
 *	  Messages that a run waits for: LISTEN.
 *
 * A backend takes in notifications between transactions only, and a
 * background process not at all, so that the channels are listened to over
 * connections of our own, which know no transaction of this session.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "commands/dbcommands.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "drive/message.h"
#include "drive/receive.h"
#include "openapi/serialize.h"

typedef struct ReceiverChannel
{
	const char *server;
	const char *name;
	ChannelListener *listener;
	int			visit;			/* of the step that waited last, */
	uint64		refused;		/* and the last message that it did not take */
	MemoryContext context;		/* of all this */
} ReceiverChannel;

struct DriveReceiver
{
	MemoryContext context;
	ArazzoRun  *run;
	List	   *steps;			/* of PlanStep: those that listen */
	List	   *channels;		/* of ReceiverChannel */
	ListenerNotify notify;
	void	   *argument;
};

static List *listening_steps(const ArazzoPlan *plan);
static bool has_password(const ArazzoConnection *connection);
static ReceiverChannel *find_channel(const DriveReceiver *receiver, const char *server, const char *name);
static ArazzoFailure *start(DriveReceiver *receiver, const ArazzoConnection *connection,
							const char *server, const char *name);
static ReceiverState state_of_all(DriveReceiver *receiver, const RunNext *next, ArazzoFailure **failure);
static bool may_have_come(const ReceiverChannel *channel, const RunNext *next);
static ArazzoFailure *no_password(const ArazzoConnection *connection);
static ArazzoResponse *response_of(const char *text, const PlanChannel *channel);
static void take_headers(ArazzoResponse *response, const JsonbValue *headers);

DriveReceiver *
arazzo_receiver_create(ArazzoRun *run, ListenerNotify notify, void *argument)
{
	List	   *steps = listening_steps(arazzo_run_plan(run));
	MemoryContext context;
	DriveReceiver *receiver;

	if (steps == NIL)
		return NULL;
	context = AllocSetContextCreate(CurrentMemoryContext, "arazzo receiver", ALLOCSET_SMALL_SIZES);
	receiver = MemoryContextAllocZero(context, sizeof(DriveReceiver));
	receiver->context = context;
	receiver->run = run;
	receiver->steps = steps;
	receiver->notify = notify;
	receiver->argument = argument;
	return receiver;
}

static List *
listening_steps(const ArazzoPlan *plan)
{
	List	   *steps = NIL;
	ListCell   *cell;

	foreach(cell, plan->workflows)
	{
		const PlanWorkflow *workflow = lfirst(cell);
		int			i;

		for (i = 0; i < workflow->step_count; i++)
		{
			if (workflow->steps[i].channel && arazzo_message_listens(&workflow->steps[i]))
				steps = lappend(steps, &workflow->steps[i]);
		}
	}
	return steps;
}

ReceiverState
arazzo_receiver_listen(DriveReceiver *receiver, const RunNext *next,
					   ReceiverConnect connect, void *owner, Oid role, ArazzoFailure **failure)
{
	ListCell   *cell;

	if (receiver == NULL || next->kind == RUN_FINISHED || next->kind == RUN_WAIT)
		return RECEIVER_READY;
	foreach(cell, receiver->steps)
	{
		const PlanStep *step = lfirst(cell);
		const char *server = step->channel->server;
		char	   *name = arazzo_run_channel(receiver->run, step);
		const ArazzoConnection *connection;

		if (name == NULL || arazzo_message_check_name(name) != NULL ||
			find_channel(receiver, server, name) != NULL)
			continue;
		connection = connect ? connect(owner, server, role, failure) :
			arazzo_connection_find(server, role, failure);
		if (connection != NULL)
			*failure = start(receiver, connection, server, name);
		if (*failure != NULL)
			return RECEIVER_REFUSED;
	}
	return state_of_all(receiver, next, failure);
}

const ArazzoConnection *
arazzo_receiver_connection(const PlanStep *step, Oid role, ArazzoFailure **failure)
{
	const ArazzoConnection *connection = arazzo_connection_find(step->channel->server, role, failure);

	if (connection == NULL || has_password(connection))
		return connection;
	*failure = no_password(connection);
	return NULL;
}

static bool
has_password(const ArazzoConnection *connection)
{
	return connection->credentials.user != NULL && connection->credentials.password != NULL;
}

static ReceiverChannel *
find_channel(const DriveReceiver *receiver, const char *server, const char *name)
{
	ListCell   *cell;

	foreach(cell, receiver->channels)
	{
		ReceiverChannel *channel = lfirst(cell);

		if (strcmp(channel->server, server) == 0 && strcmp(channel->name, name) == 0)
			return channel;
	}
	return NULL;
}

static ArazzoFailure *
start(DriveReceiver *receiver, const ArazzoConnection *connection, const char *server, const char *name)
{
	MemoryContext context;
	MemoryContext caller;
	ReceiverChannel *channel;

	if (!has_password(connection))
		return no_password(connection);
	context = AllocSetContextCreate(receiver->context, "arazzo channel", ALLOCSET_SMALL_SIZES);
	caller = MemoryContextSwitchTo(context);
	channel = palloc0(sizeof(ReceiverChannel));
	channel->context = context;
	channel->server = pstrdup(server);
	channel->name = pstrdup(name);
	channel->listener = arazzo_listener_start(connection, server, get_database_name(MyDatabaseId), name,
											  receiver->notify, receiver->argument);
	MemoryContextSwitchTo(receiver->context);
	receiver->channels = lappend(receiver->channels, channel);
	MemoryContextSwitchTo(caller);
	return NULL;
}

static ArazzoFailure *
no_password(const ArazzoConnection *connection)
{
	ArazzoFailure *failure = arazzo_failure_make(ERRCODE_ARAZZO_CREDENTIAL,
												 connection->has_mapping ?
												 "user mapping for server \"%s\" has no user and password" :
												 "there is no user mapping for server \"%s\"",
												 connection->server_name);

	return arazzo_failure_hint(failure, "Messages are received over a connection of its own; use %s USER MAPPING FOR %s SERVER %s OPTIONS (...) to give it the options user and password.",
							   connection->has_mapping ? "ALTER" : "CREATE",
							   connection->role_name ? quote_identifier(connection->role_name) : "CURRENT_USER",
							   quote_identifier(connection->server_name));
}

/*
 * A channel that was lost is why the step fails, unless the message that it
 * waits for may have come before; the next attempt listens anew.
 */
static ReceiverState
state_of_all(DriveReceiver *receiver, const RunNext *next, ArazzoFailure **failure)
{
	ReceiverState result = RECEIVER_READY;
	ListCell   *cell;

	foreach(cell, receiver->channels)
	{
		ReceiverChannel *channel = lfirst(cell);
		ListenerState state = arazzo_listener_state(channel->listener);

		if (state == LISTENER_STARTING)
			result = RECEIVER_STARTING;
		else if (state == LISTENER_LOST && !may_have_come(channel, next))
		{
			*failure = arazzo_failure_copy(arazzo_listener_failure(channel->listener));
			receiver->channels = foreach_delete_current(receiver->channels, cell);
			MemoryContextDelete(channel->context);
			return RECEIVER_REFUSED;
		}
	}
	return result;
}

static bool
may_have_come(const ReceiverChannel *channel, const RunNext *next)
{
	uint64		number = channel->visit == next->call ? channel->refused : 0;

	return next->kind == RUN_RECEIVE && strcmp(channel->name, next->request->url) == 0 &&
		strcmp(channel->server, next->step->channel->server) == 0 &&
		arazzo_listener_message(channel->listener, &number) != NULL;
}

const ArazzoResponse *
arazzo_receiver_take(DriveReceiver *receiver, ArazzoRun *run, const RunNext *next)
{
	ReceiverChannel *channel = find_channel(receiver, next->step->channel->server, next->request->url);
	const char *text;

	if (channel == NULL)
		return NULL;
	if (channel->visit != next->call)
		channel->refused = 0;
	channel->visit = next->call;
	while ((text = arazzo_listener_message(channel->listener, &channel->refused)) != NULL)
	{
		const ArazzoResponse *response = response_of(text, next->step->channel);

		if (arazzo_run_received(run, response, true))
		{
			arazzo_listener_take(channel->listener, channel->refused);
			return response;
		}
	}
	return NULL;
}

/* What message_text() in message.c makes: headers and payload, or the text
 * alone. */
static ArazzoResponse *
response_of(const char *text, const PlanChannel *channel)
{
	ArazzoResponse *response = palloc0(sizeof(ArazzoResponse));
	ArazzoFailure *failure = NULL;
	JsonbValue *object = text[0] == '{' ? arazzo_value_parse_json(text, strlen(text), &failure) : NULL;
	JsonbValue *headers = arazzo_value_member_cstring(object, "headers");
	JsonbValue *payload = arazzo_value_member_cstring(object, "payload");
	StringInfoData body;

	response->outcome = OUTCOME_RECEIVED;
	initStringInfo(&body);
	if (payload && arazzo_value_is_object(headers) && arazzo_value_count(object) == 2)
	{
		take_headers(response, headers);
		if (payload->type == jbvString && !arazzo_media_type_is_json(channel->content_type))
			appendBinaryStringInfo(&body, payload->val.string.val, payload->val.string.len);
		else
			arazzo_value_append_json(&body, payload);
	}
	else
		appendStringInfoString(&body, text);
	response->body = body.data;
	response->body_length = body.len;
	return response;
}

static void
take_headers(ArazzoResponse *response, const JsonbValue *headers)
{
	ArazzoValueWalk walk;
	JsonbValue	key;
	JsonbValue	value;

	response->headers = palloc0(sizeof(ArazzoHeader) * (arazzo_value_count(headers) + 1));
	arazzo_value_walk(&walk, headers);
	while (arazzo_value_next(&walk, &key, &value))
	{
		ArazzoHeader *header = &response->headers[response->header_count++];

		header->name = arazzo_value_to_text(&key);
		header->value = arazzo_value_to_text(&value);
	}
}

void
arazzo_receiver_free(DriveReceiver *receiver)
{
	if (receiver != NULL)
		MemoryContextDelete(receiver->context);
}
