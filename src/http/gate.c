/*-------------------------------------------------------------------------
 *
 * gate.c
 *	  What may be sent, and where, and what is taken in.
 *
 * Asked from within library callbacks: nothing here throws; why a request
 * was stopped is noted in its handle.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "http/gate.h"

static bool may_send(const HttpHandle *handle);
static bool note_collected(HttpHandle *handle, CollectResult result, HttpFault limit);

bool
arazzo_gate_request(HttpHandle *handle, const char *peer, int peer_port, int local_port)
{
	HttpSocket *socket;
	IpAddress	address;

	if (!arazzo_egress_parse(peer, &address) ||
		!arazzo_egress_allowed(&address, handle->plain, handle->options))
	{
		handle->refused = address;
		handle->stop = FAULT_ADDRESS;
		return false;
	}
	if (!may_send(handle))
	{
		handle->stop = FAULT_LOST;
		return false;
	}
	arazzo_gate_leave(handle);
	socket = arazzo_socket_find(&address, peer_port, local_port);
	if (socket != NULL && arazzo_socket_is_stale(socket))
	{
		handle->stop = FAULT_STALE;
		return false;
	}
	if (socket != NULL)
		arazzo_socket_use(socket);
	handle->socket = socket;
	handle->requests++;
	return true;
}

/*
 * One request on the wire.  A second one is let through when nothing of the
 * first had left, or when it answers the challenge of digest authentication;
 * the library would also repeat what was answered without one.
 */
static bool
may_send(const HttpHandle *handle)
{
	if (handle->requests == 0 || !arazzo_handle_request_left(handle))
		return true;
	return handle->options->user != NULL && handle->requests == 1 &&
		arazzo_handle_status(handle) == 401;
}

void
arazzo_gate_leave(HttpHandle *handle)
{
	if (handle->socket != NULL)
		arazzo_socket_unuse(handle->socket);
	handle->socket = NULL;
}

int
arazzo_gate_open(HttpHandle *handle, const struct sockaddr *target, int type, int protocol)
{
	IpAddress	address;
	int			port;
	int			descriptor;

	if (!may_send(handle))
	{
		handle->stop = FAULT_LOST;
		return -1;
	}
	if (!arazzo_socket_address(target, &address, &port) ||
		!arazzo_egress_allowed(&address, handle->plain, handle->options))
	{
		handle->refused = address;
		return -1;
	}
	descriptor = arazzo_socket_open(target, type, protocol);
	if (descriptor >= 0)
		handle->opened++;
	else if (errno == EMFILE)
		handle->stop = FAULT_DESCRIPTORS;
	return descriptor;
}

bool
arazzo_gate_take_header(HttpHandle *handle, const char *line, size_t length)
{
	if (handle->socket != NULL && length > 6 && memcmp(line, "HTTP/2", 6) == 0)
		handle->socket->multiplexed = true;
	return note_collected(handle, arazzo_collect_header(&handle->collector, line, length), FAULT_HEADER_LIMIT);
}

bool
arazzo_gate_take_body(HttpHandle *handle, const char *data, size_t length)
{
	return note_collected(handle, arazzo_collect_body(&handle->collector, data, length), FAULT_BODY_LIMIT);
}

static bool
note_collected(HttpHandle *handle, CollectResult result, HttpFault limit)
{
	static const HttpFault faults[] = {
		[COLLECT_NO_MEMORY] = FAULT_MEMORY,
		[COLLECT_BAD_FRAMING] = FAULT_PROTOCOL,
		[COLLECT_BAD_PACKING] = FAULT_ENCODING
	};

	if (result == COLLECT_OK)
		return true;
	handle->stop = result == COLLECT_TOO_LARGE ? limit : faults[result];
	return false;
}
