/*-------------------------------------------------------------------------
 *
 * egress.h
 *	  Which addresses a request may reach.
 *
 * Called from within library callbacks: nothing here allocates or throws.
 *
 *-------------------------------------------------------------------------
 */
#ifndef ARAZZO_HTTP_EGRESS_H
#define ARAZZO_HTTP_EGRESS_H

#include "http/transport.h"

typedef enum AddressClass
{
	ADDRESS_PUBLIC,
	ADDRESS_LOOPBACK,
	ADDRESS_PRIVATE,
	ADDRESS_LINK_LOCAL,
	ADDRESS_METADATA,			/* where clouds hand out credentials */
	ADDRESS_MULTICAST,
	ADDRESS_RESERVED			/* unspecified, broadcast, documentation, ... */
} AddressClass;

/* An IPv4 address (4 bytes) or an IPv6 address (16 bytes). */
typedef struct IpAddress
{
	int			length;			/* 0: no address */
	unsigned char bytes[16];
} IpAddress;

/* Reads an address as inet_pton does; false when it is none. */
extern bool arazzo_egress_parse(const char *text, IpAddress *address);

/* Writes an address as text into a buffer of EGRESS_TEXT_SIZE bytes. */
#define EGRESS_TEXT_SIZE 64
extern const char *arazzo_egress_format(const IpAddress *address, char *buffer);

/*
 * Class of an address.  An IPv6 address that carries an IPv4 address (mapped,
 * compatible, NAT64, 6to4) has the class of that one.
 */
extern AddressClass arazzo_egress_class(const IpAddress *address);
extern const char *arazzo_egress_class_name(AddressClass class);

/*
 * True when a request may go to an address: it is public, or lies in a
 * network of allow_private, or is loopback and the configured host is too.
 * plain: the request goes without TLS, so to loopback only.
 */
extern bool arazzo_egress_allowed(const IpAddress *address, bool plain, const HttpOptions *options);

/* True when the text is a comma-separated list of networks. */
extern bool arazzo_egress_networks_valid(const char *networks);

#endif							/* ARAZZO_HTTP_EGRESS_H */
