/*-------------------------------------------------------------------------
 *
 * transfer.c
 *	  HTTP requests in flight: start, poll, take the response.
 *
 * A transfer lives in a memory context of its own, whose reset callback is
 * registered before any handle is taken: however the context goes, the
 * transfer ends and its handle goes back.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"
#include "portability/instr_time.h"
#include "utils/memutils.h"

#include "http/fault.h"
#include "http/handle.h"
#include "http/listener.h"
#include "http/request.h"
#include "http/transport.h"
#include "http/url.h"

#define POLL_SLICE				100 /* ms between looks at interrupts */

struct HttpTransfer
{
	MemoryContext context;		/* of its own, below the caller's */
	MemoryContextCallback callback;
	const ArazzoRequest *request;
	const HttpOptions *options;
	HttpUrl		url;
	HttpPool   *pool;
	HttpHandle *handle;
	bool		in_flight;		/* the multi handle has it */
	bool		done;
	bool		unseen;			/* done, and nobody has asked for the response */
	HttpNotify	notify;			/* or NULL */
	void	   *notify_argument;
	instr_time	start;
	ArazzoResponse response;
};

static int	in_flight_count = 0;
static int	unseen_count = 0;

static HttpTransfer *create_transfer(const ArazzoRequest *request, const HttpOptions *options);
static void end_transfer(void *argument);
static void refuse_transfer(HttpTransfer *transfer, const ArazzoFailure *failure);
static void send_transfer(HttpTransfer *transfer);
static void complete(HttpTransfer *transfer);
static void finish_transfer(HttpHandle *handle, HttpFault fault);
static void describe_failure(HttpTransfer *transfer, HttpFault fault);

HttpTransfer *
arazzo_http_start(const ArazzoRequest *request, const HttpOptions *options)
{
	HttpTransfer *transfer = create_transfer(request, options);
	MemoryContext caller = MemoryContextSwitchTo(transfer->context);
	ArazzoFailure *failure = arazzo_request_check(request, options, &transfer->url);

	if (failure != NULL)
		refuse_transfer(transfer, failure);
	else
		send_transfer(transfer);
	MemoryContextSwitchTo(caller);
	return transfer;
}

void
arazzo_http_poll(int timeout)
{
	instr_time	start;
	instr_time	now;
	long		left = timeout;

	INSTR_TIME_SET_CURRENT(start);
	for (;;)
	{
		CHECK_FOR_INTERRUPTS();
		if (arazzo_http_is_busy())
			arazzo_handles_drive(finish_transfer);
		if (arazzo_listeners_drive() || unseen_count > 0 || left <= 0 ||
			!arazzo_http_is_busy())
			return;
		arazzo_handles_wait(Min(left, POLL_SLICE));
		INSTR_TIME_SET_CURRENT(now);
		INSTR_TIME_SUBTRACT(now, start);
		left = timeout - (long) INSTR_TIME_GET_MILLISEC(now);
	}
}

bool
arazzo_http_is_busy(void)
{
	return in_flight_count > 0 || arazzo_listener_count() > 0;
}

void
arazzo_http_notify(HttpTransfer *transfer, HttpNotify notify, void *argument)
{
	transfer->notify = notify;
	transfer->notify_argument = argument;
	if (transfer->done)
		notify(argument);
}

const ArazzoResponse *
arazzo_http_response(HttpTransfer *transfer)
{
	if (!transfer->done)
		return NULL;
	if (transfer->unseen)
	{
		transfer->unseen = false;
		unseen_count--;
	}
	return &transfer->response;
}

void
arazzo_http_free(HttpTransfer *transfer)
{
	MemoryContextDelete(transfer->context);
}

const char *
arazzo_http_peer(HttpTransfer *transfer)
{
	if (transfer->handle == NULL || transfer->handle->requests == 0)
		return NULL;
	return arazzo_handle_peer(transfer->handle);
}

const ArazzoResponse *
arazzo_http_perform(const ArazzoRequest *request, const HttpOptions *options)
{
	HttpTransfer *transfer = arazzo_http_start(request, options);
	const ArazzoResponse *response;

	while ((response = arazzo_http_response(transfer)) == NULL)
		arazzo_http_poll(1000);
	return response;
}

void
arazzo_http_counts(int *in_flight, int *idle_handles)
{
	*in_flight = in_flight_count;
	*idle_handles = arazzo_handle_idle_count();
}

static HttpTransfer *
create_transfer(const ArazzoRequest *request, const HttpOptions *options)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "arazzo http transfer",
												  ALLOCSET_SMALL_SIZES);
	HttpTransfer *transfer = MemoryContextAllocZero(context, sizeof(HttpTransfer));

	transfer->context = context;
	transfer->request = request;
	transfer->options = options;
	transfer->response.body = "";
	transfer->callback.func = end_transfer;
	transfer->callback.arg = transfer;
	MemoryContextRegisterResetCallback(context, &transfer->callback);
	INSTR_TIME_SET_CURRENT(transfer->start);
	return transfer;
}

/*
 * The one place where a transfer gives back what it holds, in whatever state
 * it is: called when its memory context goes.
 */
static void
end_transfer(void *argument)
{
	HttpTransfer *transfer = argument;

	if (transfer->unseen)
	{
		transfer->unseen = false;
		unseen_count--;
	}
	if (transfer->in_flight)
	{
		transfer->in_flight = false;
		in_flight_count--;
		arazzo_handle_remove(transfer->handle);
	}
	if (transfer->handle != NULL)
		arazzo_handle_release(transfer->handle);
	transfer->handle = NULL;
	if (transfer->pool != NULL)
		arazzo_pool_release(transfer->pool);
	transfer->pool = NULL;
}

/* Completes a transfer that may not be sent. */
static void
refuse_transfer(HttpTransfer *transfer, const ArazzoFailure *failure)
{
	ArazzoResponse *response = &transfer->response;

	response->outcome = OUTCOME_NOT_SENT;
	response->sqlstate = failure->sqlstate;
	response->message = failure->message;
	response->detail = failure->detail;
	response->hint = failure->hint;
	complete(transfer);
}

/* Takes a handle and puts it among those that are driven; nothing is sent before the next poll. */
static void
send_transfer(HttpTransfer *transfer)
{
	transfer->pool = arazzo_pool_acquire(transfer->options->pool);
	transfer->handle = arazzo_handle_acquire();
	transfer->handle->transfer = transfer;
	if (arazzo_handle_prepare(transfer->handle, transfer->request, &transfer->url,
							  transfer->options, transfer->pool) &&
		arazzo_handle_add(transfer->handle))
	{
		transfer->in_flight = true;
		in_flight_count++;
		return;
	}
	describe_failure(transfer, FAULT_OTHER);
	complete(transfer);
}

static void
complete(HttpTransfer *transfer)
{
	instr_time	now;

	INSTR_TIME_SET_CURRENT(now);
	INSTR_TIME_SUBTRACT(now, transfer->start);
	transfer->response.duration_us = INSTR_TIME_GET_MICROSEC(now);
	transfer->done = true;
	transfer->unseen = true;
	unseen_count++;
	if (transfer->notify != NULL)
		transfer->notify(transfer->notify_argument);
}

/* Takes what came of a handle whose request is over. */
static void
finish_transfer(HttpHandle *handle, HttpFault fault)
{
	HttpTransfer *transfer = handle->transfer;
	ArazzoResponse *response = &transfer->response;
	MemoryContext caller = MemoryContextSwitchTo(transfer->context);

	transfer->in_flight = false;
	in_flight_count--;
	arazzo_handle_remove(handle);

	response->status = arazzo_handle_status(handle);
	if (response->status != 0)
		arazzo_collect_finish(&handle->collector, response);
	if (fault == FAULT_NONE)
		response->outcome = OUTCOME_RECEIVED;
	else
		describe_failure(transfer, fault);
	complete(transfer);
	MemoryContextSwitchTo(caller);
}

/*
 * Outcome and words of a transfer that failed.  A part of a body is never
 * taken for one.
 */
static void
describe_failure(HttpTransfer *transfer, HttpFault fault)
{
	HttpHandle *handle = transfer->handle;
	ArazzoResponse *response = &transfer->response;
	FaultPlace	place;

	response->outcome = arazzo_handle_request_left(handle) ? OUTCOME_UNKNOWN : OUTCOME_NOT_SENT;
	response->body = "";
	response->body_length = 0;

	memset(&place, 0, sizeof(place));
	place.url = &transfer->url;
	place.options = transfer->options;
	place.address = &handle->refused;
	place.os_error = arazzo_handle_os_error(handle);
	place.library_text = handle->error;
	arazzo_fault_describe(fault, &place, response);
}
