/*-------------------------------------------------------------------------
 *
 * url.h
 *	  Absolute URLs of HTTP servers and of databases, taken apart without
 *	  copying.
 *
 *-------------------------------------------------------------------------
 */
#ifndef ARAZZO_HTTP_URL_H
#define ARAZZO_HTTP_URL_H

/* Points into the text it was parsed from; no part is terminated. */
typedef struct HttpUrl
{
	bool		secure;			/* https */
	bool		database;		/* postgres or postgresql */
	const char *host;			/* an IPv6 address keeps its brackets; that of a
								 * database may be a directory, "%2F..." */
	int			host_length;
	int			port;			/* the scheme's own when none is written */
	const char *path;			/* from the first slash, without the query */
	int			path_length;	/* 0 when there is no path */
	bool		has_query;
	bool		has_fragment;
} HttpUrl;

/*
 * Takes a URL apart (RFC 3986, RFC 9110 section 4.2).  Returns NULL, or what
 * is wrong with it as words that follow "the URL ": user information, an
 * empty host, a port out of range, characters that no URL may have, dot
 * segments, which would lead out of the path that an administrator named.
 * Does not allocate.
 */
extern const char *arazzo_url_parse(const char *text, HttpUrl *url);

/* The same, and takes postgres and postgresql URLs as well. */
extern const char *arazzo_url_parse_any(const char *text, HttpUrl *url);

/* True when the host of a database is a directory: its socket lies there. */
extern bool arazzo_url_is_socket(const HttpUrl *url);

/* True when the host is localhost, 127.0.0.0/8 or [::1], literally. */
extern bool arazzo_url_is_loopback(const HttpUrl *url);

/*
 * Length of the part of url's path that prefix covers, in whole segments and
 * on the same scheme, host and port; -1 when it covers none.  prefix must
 * have no trailing slash.
 */
extern int	arazzo_url_covers(const HttpUrl *prefix, const HttpUrl *url);

/* "host:port" of a URL, for messages, in the current context. */
extern char *arazzo_url_authority(const HttpUrl *url);

#endif							/* ARAZZO_HTTP_URL_H */
