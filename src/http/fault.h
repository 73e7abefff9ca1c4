/*-------------------------------------------------------------------------
 *
 * fault.h
 *	  What can go wrong with a request on its way, and the words for it.
 *
 *-------------------------------------------------------------------------
 */
#ifndef ARAZZO_HTTP_FAULT_H
#define ARAZZO_HTTP_FAULT_H

#include "http/egress.h"
#include "http/transport.h"
#include "http/url.h"

typedef enum HttpFault
{
	FAULT_NONE,
	FAULT_ADDRESS,				/* all addresses of the host are refused */
	FAULT_RESOLVE,
	FAULT_CONNECT,
	FAULT_CONNECT_TIMEOUT,
	FAULT_CERTIFICATE,
	FAULT_PINNED_KEY,
	FAULT_CA_FILE,
	FAULT_CRL_FILE,
	FAULT_CLIENT_CERTIFICATE,
	FAULT_TLS,
	FAULT_TLS_TERMS,			/* both sides have no version or cipher in common */
	FAULT_TIMEOUT,
	FAULT_STALE,				/* the connection had bytes that answer nothing */
	FAULT_LOST,					/* the connection ended without a response */
	FAULT_CUT,					/* the connection ended within the response */
	FAULT_PROTOCOL,
	FAULT_ENCODING,
	FAULT_BODY_LIMIT,
	FAULT_HEADER_LIMIT,
	FAULT_HEADER_LINE,			/* one header, longer than the library takes */
	FAULT_MEMORY,
	FAULT_DESCRIPTORS,
	FAULT_OTHER
} HttpFault;

/* What the words may tell; nothing of it is secret. */
typedef struct FaultPlace
{
	const HttpUrl *url;
	const HttpOptions *options;
	const IpAddress *address;	/* of FAULT_ADDRESS */
	int			os_error;		/* errno of a system call, or 0 */
	const char *library_text;	/* the HTTP library's own words, or empty */
} FaultPlace;

/*
 * The same fault, or what it is more exactly by the HTTP library's own words:
 * its codes do not tell all that matters.
 */
extern HttpFault arazzo_fault_refine(HttpFault fault, const char *library_text);

/*
 * Sets sqlstate, message, detail, hint and transient of a response, in the
 * current context.
 */
extern void arazzo_fault_describe(HttpFault fault, const FaultPlace *place, ArazzoResponse *response);

#endif							/* ARAZZO_HTTP_FAULT_H */
