/*-------------------------------------------------------------------------
 *
 * gate.h
 *	  What may be sent, and where, and what is taken in.
 *
 *-------------------------------------------------------------------------
 */
#ifndef ARAZZO_HTTP_GATE_H
#define ARAZZO_HTTP_GATE_H

#include "http/handle.h"

/*
 * Whether a handle's request may be sent now, to a peer and over the
 * connection with that local port.  To be asked before the library repeats
 * one, too.
 */
extern bool arazzo_gate_request(HttpHandle *handle, const char *peer, int peer_port, int local_port);

/* Makes the socket for an address; -1 when the address is refused, before it
 * is connected to, or when there is none to be had. */
extern int	arazzo_gate_open(HttpHandle *handle, const struct sockaddr *target, int type, int protocol);

/*
 * Takes a line of a header section of the answer, and a piece of its body as
 * it came; false when the transfer is to stop.
 */
extern bool arazzo_gate_take_header(HttpHandle *handle, const char *line, size_t length);
extern bool arazzo_gate_take_body(HttpHandle *handle, const char *data, size_t length);

/* The handle's request is over. */
extern void arazzo_gate_leave(HttpHandle *handle);

#endif							/* ARAZZO_HTTP_GATE_H */
