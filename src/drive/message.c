/*-------------------------------------------------------------------------
 *
 * message.c
 *	  Messages of a run: what can be sent and received, and NOTIFY.
 *
 * The channel is the channel's address and the text is the payload.  A
 * message with headers is the object {"headers": ..., "payload": ...}
 * instead.  PostgreSQL delivers a notification when the transaction that
 * sent it commits, and drops it when that rolls back, so that a message goes
 * out exactly when what was done with it is kept.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "commands/async.h"
#include "commands/dbcommands.h"
#include "miscadmin.h"

#include "drive/message.h"
#include "openapi/serialize.h"

/* As in PostgreSQL's commands/async.c. */
#define PAYLOAD_BYTES (BLCKSZ - NAMEDATALEN - 128)

static ArazzoFailure *refusal(const RunNext *next, const char *text);
static ArazzoFailure *cannot_receive(const PlanStep *step);
static char *message_text(const RunNext *next);
static void notify(ArazzoRun *run, const RunNext *next, const char *text);

bool
arazzo_message_listens(const PlanStep *step)
{
	return step->channel->receive && step->channel->protocol == PROTOCOL_NOTIFY && step->channel->server;
}

ArazzoFailure *
arazzo_message_check(const PlanStep *step, const RunNext *next)
{
	ArazzoFailure *failure = arazzo_run_channel_failure(step);

	if (failure)
		return failure;
	if (step->channel->receive)
		return arazzo_message_listens(step) ? arazzo_message_check_name(next->request->url) : cannot_receive(step);
	return refusal(next, message_text(next));
}

void
arazzo_message_perform(ArazzoRun *run, const RunNext *next)
{
	ArazzoFailure *failure = arazzo_message_check(next->step, next);

	if (failure)
		arazzo_run_refused(run, failure);
	else
		notify(run, next, message_text(next));
}

static void
notify(ArazzoRun *run, const RunNext *next, const char *text)
{
	ArazzoResponse response = {.outcome = OUTCOME_RECEIVED,.body = ""};

	Async_Notify(next->request->url, text);
	arazzo_run_received(run, &response, true);
}

/* What NOTIFY would throw for, and a database that is not this one. */
static ArazzoFailure *
refusal(const RunNext *next, const char *text)
{
	const char *channel = next->request->url;
	const char *database = next->step->channel->database;
	char	   *here = get_database_name(MyDatabaseId);

	if (database && database[0] != '\0' && here && strcmp(database, here) != 0)
		return arazzo_failure_make(ERRCODE_FEATURE_NOT_SUPPORTED,
								   "channel \"%s\" is in database \"%s\", not in this one", channel, database);
	if (arazzo_message_check_name(channel) != NULL)
		return arazzo_message_check_name(channel);
	if (strlen(text) >= PAYLOAD_BYTES)
		return arazzo_failure_hint(arazzo_failure_make(ERRCODE_PROGRAM_LIMIT_EXCEEDED,
													   "message of %zu bytes is too long for NOTIFY", strlen(text)),
								   "Send a key, and keep what it stands for in a table.");
	return NULL;
}

/* A longer name would be cut, and be another channel. */
ArazzoFailure *
arazzo_message_check_name(const char *channel)
{
	if (channel[0] != '\0' && strlen(channel) < NAMEDATALEN)
		return NULL;
	return arazzo_failure_make(ERRCODE_INVALID_PARAMETER_VALUE,
							   channel[0] == '\0' ? "the channel has an empty name" :
							   "name of channel \"%s\" is too long", channel);
}

/* A webhook would have to be a server, which a session is not. */
static ArazzoFailure *
cannot_receive(const PlanStep *step)
{
	ArazzoFailure *failure;

	if (step->channel->protocol == PROTOCOL_NOTIFY)
		return arazzo_failure_make(ERRCODE_ARAZZO_REFERENCE,
								   "the channel's server has no address to receive messages from");
	failure = arazzo_failure_make(ERRCODE_FEATURE_NOT_SUPPORTED,
								  "step \"%s\" cannot receive messages over %s",
								  step->step_id, step->channel->protocol_name);
	return arazzo_failure_hint(failure, "A session of a database takes in no requests. Messages are received over the protocol postgres.");
}

/* The payload, or headers and payload; what is not JSON is a string there. */
static char *
message_text(const RunNext *next)
{
	const ArazzoRequest *request = next->request;
	const PlanBody *body = next->step->body;
	StringInfoData text;
	int			i;

	if (request->header_count == 0)
		return request->body ? pnstrdup(request->body, request->body_length) : pstrdup("");
	initStringInfo(&text);
	appendStringInfoString(&text, "{\"headers\":{");
	for (i = 0; i < request->header_count; i++)
	{
		const ArazzoHeader *header = &request->headers[i];

		if (i > 0)
			appendStringInfoChar(&text, ',');
		arazzo_value_append_json_string(&text, header->name, strlen(header->name));
		appendStringInfoChar(&text, ':');
		arazzo_value_append_json_string(&text, header->value, strlen(header->value));
	}
	appendStringInfoString(&text, "},\"payload\":");
	if (request->body == NULL)
		appendStringInfoString(&text, "null");
	else if (body && !arazzo_media_type_is_json(body->content_type))
		arazzo_value_append_json_string(&text, request->body, request->body_length);
	else
		appendBinaryStringInfo(&text, request->body, request->body_length);
	appendStringInfoChar(&text, '}');
	return text.data;
}
