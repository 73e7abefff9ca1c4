/*-------------------------------------------------------------------------
 *
 * verify.h
 *	  What the HTTP library does not ask of a server's certificate.
 *
 *-------------------------------------------------------------------------
 */
#ifndef ARAZZO_HTTP_VERIFY_H
#define ARAZZO_HTTP_VERIFY_H

/* Are the contexts of a TLS library, named as libcurl does, OpenSSL's? */
extern bool arazzo_verify_knows(const char *library);

/*
 * Has the connections that will be made of a context of OpenSSL (an SSL_CTX)
 * refuse certificates that name no host as RFC 9110, section 4.3.4, wants it.
 */
extern void arazzo_verify_watch(void *context);

#endif							/* ARAZZO_HTTP_VERIFY_H */
