/*-------------------------------------------------------------------------
 *
 * response.h
 *	  Collects a response while it arrives, and reads its header section.
 *
 * Filled from within library callbacks, which must not throw: the buffers
 * are malloc'd, bounded, and re-used from one response to the next.
 *
 *-------------------------------------------------------------------------
 */
#ifndef ARAZZO_HTTP_RESPONSE_H
#define ARAZZO_HTTP_RESPONSE_H

#include "http/unpack.h"
#include "support/message.h"

typedef struct ByteBuffer
{
	char	   *data;			/* malloc'd; one byte more than length is there */
	size_t		length;
	size_t		capacity;
} ByteBuffer;

typedef enum CollectResult
{
	COLLECT_OK,
	COLLECT_TOO_LARGE,
	COLLECT_NO_MEMORY,
	COLLECT_BAD_FRAMING,		/* where the body ends is not told as it should be */
	COLLECT_BAD_PACKING
} CollectResult;

typedef struct ResponseCollector
{
	ByteBuffer	head;			/* status line and headers of the last response */
	ByteBuffer	body;
	size_t		header_bytes;	/* of all responses: interim ones count */
	size_t		header_limit;
	size_t		body_limit;
	bool		head_complete;	/* what follows are trailers */
	int64		body_length;	/* as the server says, -1 when it does not */
	Unpacker	unpacker;
} ResponseCollector;

/* Makes a collector ready for another response; keeps small buffers. */
extern void arazzo_collect_reset(ResponseCollector *collector, size_t header_limit, size_t body_limit);

/* Gives the collector's memory back. */
extern void arazzo_collect_free(ResponseCollector *collector);

/*
 * Takes one line of a header section.  A status line starts over, so that
 * interim responses leave nothing; trailers are counted and dropped.
 */
extern CollectResult arazzo_collect_header(ResponseCollector *collector, const char *line, size_t length);

/* Takes a piece of the body, as it comes, and unpacks it. */
extern CollectResult arazzo_collect_body(ResponseCollector *collector, const char *data, size_t length);

/* Did header section and body, when nothing more comes, end where they should? */
extern bool arazzo_collect_is_whole(const ResponseCollector *collector);

/*
 * Fills headers and body of a response from what was collected.  Values stay
 * in the collector, except ones that had to be converted; the array of
 * headers is in the current context.
 */
extern void arazzo_collect_finish(ResponseCollector *collector, ArazzoResponse *response);

#endif							/* ARAZZO_HTTP_RESPONSE_H */
