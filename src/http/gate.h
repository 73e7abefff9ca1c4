/*-------------------------------------------------------------------------
 *
 * gate.h
 *	  What may be sent, and where.
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

/* The handle's request is over. */
extern void arazzo_gate_leave(HttpHandle *handle);

#endif							/* ARAZZO_HTTP_GATE_H */
