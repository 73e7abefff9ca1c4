/*-------------------------------------------------------------------------
 *
 * lookup.h
 *	  Addresses of a host name, found in a thread of its own.
 *
 * The system's resolver cannot be interrupted, so nobody waits for it here.
 *
 *-------------------------------------------------------------------------
 */
#ifndef ARAZZO_HTTP_LOOKUP_H
#define ARAZZO_HTTP_LOOKUP_H

struct addrinfo;

typedef struct HostLookup HostLookup;

/* Starts to look a name up; NULL when there are no resources for it. */
extern HostLookup *arazzo_lookup_start(const char *host);

/* A descriptor that becomes readable when the look-up is done. */
extern int	arazzo_lookup_descriptor(const HostLookup *lookup);

/*
 * True when it is done.  *addresses (NULL when there are none, *error says
 * why as gai_strerror takes it) stay until the look-up ends.
 */
extern bool arazzo_lookup_done(const HostLookup *lookup, const struct addrinfo **addresses, int *error);

/* Ends it, done or not; a resolver that hangs is left behind. */
extern void arazzo_lookup_end(HostLookup *lookup);

#endif							/* ARAZZO_HTTP_LOOKUP_H */
