/*-------------------------------------------------------------------------
 *
 * unpack.h
 *	  Unpacks a body that was compressed, while it arrives.
 *
 * Not left to the HTTP library, which takes a body that was cut for a whole
 * one.  Of the codings of RFC 9110, section 8.4.1, those are known that say
 * where they end and have a sum to check.
 *
 *-------------------------------------------------------------------------
 */
#ifndef ARAZZO_HTTP_UNPACK_H
#define ARAZZO_HTTP_UNPACK_H

/* Value of the header Accept-Encoding. */
#define UNPACK_ACCEPTED "gzip"

typedef enum UnpackCoding
{
	CODING_NONE,
	CODING_GZIP,
	CODING_DEFLATE,
	CODING_UNKNOWN				/* or more than one */
} UnpackCoding;

typedef enum UnpackResult
{
	UNPACK_OK,
	UNPACK_BAD,
	UNPACK_NO_MEMORY
} UnpackResult;

typedef struct Unpacker
{
	UnpackCoding coding;
	void	   *stream;			/* the library's; NULL before the first byte */
	bool		at_end;			/* of what is packed */
} Unpacker;

/* Makes an unpacker, zeroed at first, ready for a body that is not packed. */
extern void arazzo_unpack_reset(Unpacker *unpacker);

/* Takes the value of a header Content-Encoding. */
extern void arazzo_unpack_note(Unpacker *unpacker, const char *value, size_t length);

/*
 * Unpacks as much as there is room for, and moves *data and *length on; *room
 * becomes what was put out.  When less than the room was, all was taken.
 */
extern UnpackResult arazzo_unpack(Unpacker *unpacker, const char **data, size_t *length,
								  char *out, size_t *room);

/* Is the body complete?  One without a byte is: answers without a body have
 * that header, too. */
extern bool arazzo_unpack_is_whole(const Unpacker *unpacker);

#endif							/* ARAZZO_HTTP_UNPACK_H */
