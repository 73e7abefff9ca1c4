/*-------------------------------------------------------------------------
 *
 * compile_channel.c
 *	  Steps that send or receive messages (Arazzo 1.1.0, Step Object,
 *	  channelPath, action, correlationId).
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "document/uri.h"
#include "workflow/asyncapi.h"
#include "workflow/compile.h"

static const ArazzoDocument *async_document(WorkflowCompiler *self, const ArazzoNode *node,
											const PlanSource *source);
static AsyncapiChannel *by_pointer(WorkflowCompiler *self, const ArazzoNode *node);
static AsyncapiChannel *by_operation(WorkflowCompiler *self, const ArazzoNode *node);
static const ArazzoDocument *plain_document(WorkflowCompiler *self, const ArazzoNode *node);
static AsyncapiChannel *found(WorkflowCompiler *self, const ArazzoNode *node,
							  AsyncapiChannel *channel, ArazzoFailure *failure);
static bool compile_correlation(WorkflowCompiler *self, const ArazzoNode *node,
								const AsyncapiChannel *described, PlanChannel *channel);
static bool compile_location(const char *location, PlanChannel *channel);

bool
arazzo_compile_channel(WorkflowCompiler *self, const ArazzoNode *node, PlanStep *step)
{
	const ArazzoNode *path = arazzo_node_member(node, "channelPath");
	const ArazzoNode *id = arazzo_node_member(node, "operationId");
	const char *action = arazzo_node_member_text(node, "action");
	int			before = self->compiler->failures;
	AsyncapiChannel *described;
	PlanChannel *channel;

	if (id == NULL)
		id = arazzo_node_member(node, "operationPath");
	described = path ? by_pointer(self, path) : id ? by_operation(self, id) : NULL;
	if (described == NULL)
		return self->compiler->failures == before;
	if (action == NULL)
		action = described->action;
	if (action == NULL)
	{
		arazzo_compile_fail(self, node, arazzo_failure_make(ERRCODE_ARAZZO_DOCUMENT,
															"step uses a channel and has no \"action\""));
		return false;
	}
	channel = palloc0(sizeof(PlanChannel));
	channel->protocol = arazzo_asyncapi_is_notify(described->protocol) ? PROTOCOL_NOTIFY :
		arazzo_asyncapi_is_http(described->protocol) ? PROTOCOL_HTTP : PROTOCOL_OTHER;
	channel->protocol_name = described->protocol;
	channel->server = described->server;
	channel->database = described->database;
	channel->receive = strcmp(action, "receive") == 0;
	channel->content_type = ((OpenapiMediaType *) linitial(described->operation->bodies))->content_type;
	if (channel->protocol != PROTOCOL_HTTP)
		described->operation->method = channel->protocol == PROTOCOL_NOTIFY ? "NOTIFY" : "SEND";
	if (channel->receive)
		described->operation->method = channel->protocol == PROTOCOL_NOTIFY ? "LISTEN" : "RECEIVE";
	step->operation = described->operation;
	step->channel = channel;
	return compile_correlation(self, arazzo_node_member(node, "correlationId"), described, channel);
}

/* The description of a source that is, or is said to be, an AsyncAPI one;
 * NULL with a failure set when it is not loaded. */
static const ArazzoDocument *
async_document(WorkflowCompiler *self, const ArazzoNode *node, const PlanSource *source)
{
	const ArazzoDocument *document = arazzo_library_get(self->compiler->library, source->uri);

	if (document && document->kind == DOCUMENT_ASYNCAPI)
		return document;
	if (document == NULL && source->type && strcmp(source->type, "asyncapi") == 0)
		arazzo_compile_fail_source(self, node, source);
	return NULL;
}

/* Step Object, channelPath: "{$sourceDescriptions.<name>.url}#/channels/<id>". */
static AsyncapiChannel *
by_pointer(WorkflowCompiler *self, const ArazzoNode *node)
{
	int			before = self->compiler->failures;
	const char *hash = strchr(node->u.string, '#');
	const PlanSource *source = hash ? arazzo_compile_path_source(self, node->u.string, hash - node->u.string) : NULL;
	const ArazzoDocument *document = source ? async_document(self, node, source) : NULL;
	ArazzoFailure *failure = NULL;
	AsyncapiChannel *channel;
	char	   *pointer;

	if (document == NULL && self->compiler->failures > before)
		return NULL;
	if (document == NULL)
	{
		arazzo_compile_fail(self, node,
							arazzo_failure_make(ERRCODE_ARAZZO_REFERENCE,
												"channelPath \"%s\" names no AsyncAPI source description of the document",
												node->u.string));
		return NULL;
	}
	pointer = arazzo_uri_decode(hash + 1, strlen(hash + 1));
	channel = arazzo_asyncapi_channel(self->compiler->library, document, pointer ? pointer : hash + 1, &failure);
	return found(self, node, channel, failure);
}

/*
 * An operation of an AsyncAPI source; NULL without a failure when the id or
 * path leads elsewhere.  The specification's first example has the reference
 * to the operation in operationPath.
 */
static AsyncapiChannel *
by_operation(WorkflowCompiler *self, const ArazzoNode *node)
{
	const ArazzoDocument *document = NULL;
	ArazzoFailure *failure = NULL;
	const PlanSource *source;
	const char *id = node->u.string;

	if (strchr(id, '#') != NULL)
		return NULL;
	if (!arazzo_compile_split_source(self, node->u.string, &source, &id))
		document = plain_document(self, node);
	else if (source)
		document = async_document(self, node, source);
	if (document == NULL)
		return NULL;
	return found(self, node, arazzo_asyncapi_operation(self->compiler->library, document, id, &failure), failure);
}

/*
 * An id without a source: the AsyncAPI source that has it, when no OpenAPI
 * one does; several make it ambiguous.  Where no source but an AsyncAPI one
 * is left that could have it, that must be loaded.
 */
static const ArazzoDocument *
plain_document(WorkflowCompiler *self, const ArazzoNode *node)
{
	ArazzoLibrary *library = self->compiler->library;
	const ArazzoDocument *holder = NULL;
	const PlanSource *missing = NULL;
	bool		others = false;
	ListCell   *cell;

	foreach(cell, self->workflow->sources)
	{
		const PlanSource *source = lfirst(cell);
		const ArazzoDocument *document = arazzo_library_get(library, source->uri);

		if (source->type == NULL || strcmp(source->type, "asyncapi") != 0)
			others = true;
		else if (document == NULL)
			missing = source;
		if (document && document->kind == DOCUMENT_OPENAPI && arazzo_operation_exists(library, document, node->u.string))
			return NULL;
		if (document == NULL || document->kind != DOCUMENT_ASYNCAPI ||
			!arazzo_asyncapi_has_operation(document, node->u.string))
			continue;
		if (holder && holder != document)
		{
			arazzo_compile_fail(self, node, arazzo_failure_make(ERRCODE_ARAZZO_REFERENCE,
																"operation \"%s\" is ambiguous", node->u.string));
			return NULL;
		}
		holder = document;
	}
	if (holder == NULL && missing && !others)
		arazzo_compile_fail_source(self, node, missing);
	return holder;
}

static AsyncapiChannel *
found(WorkflowCompiler *self, const ArazzoNode *node, AsyncapiChannel *channel, ArazzoFailure *failure)
{
	if (channel == NULL)
		arazzo_compile_fail(self, node, failure);
	return channel;
}

/* Step Object, correlationId: its value, and where a message has its own. */
static bool
compile_correlation(WorkflowCompiler *self, const ArazzoNode *node,
					const AsyncapiChannel *described, PlanChannel *channel)
{
	if (node == NULL || !channel->receive)
		return true;
	if (described->correlation == NULL || !compile_location(described->correlation, channel))
	{
		arazzo_compile_fail(self, node,
							arazzo_failure_make(ERRCODE_ARAZZO_REFERENCE,
												"no message of the channel says where its correlation id is"));
		return false;
	}
	channel->correlation = arazzo_compile_template(self, node);
	return channel->correlation != NULL;
}

/* AsyncAPI, Correlation ID Object, location: "$message.header#/name" or
 * "$message.payload#/...". */
static bool
compile_location(const char *location, PlanChannel *channel)
{
	static const char header[] = "$message.header#";
	static const char payload[] = "$message.payload#";
	bool		in_header = strncmp(location, header, strlen(header)) == 0;

	if (!in_header && strncmp(location, payload, strlen(payload)) != 0)
		return false;
	location += strlen(in_header ? header : payload);
	if (!arazzo_pointer_parse(location, strlen(location), &channel->correlation_tokens, &channel->correlation_count))
		return false;
	if (in_header && channel->correlation_count != 1)
		return false;
	if (in_header)
		channel->correlation_header = channel->correlation_tokens[0];
	return true;
}
