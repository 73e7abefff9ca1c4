/*-------------------------------------------------------------------------
 *
 * unpack.c
 *	  Unpacks a body that was compressed, while it arrives.
 *
 * The only file that sees zlib.  Runs inside the HTTP library: allocates with
 * malloc, does not throw.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <zlib.h>

#include "http/unpack.h"

/* The largest window, and what surrounds the data: see zlib's inflateInit2(). */
#define WINDOW_OF_GZIP	(MAX_WBITS + 16)
#define WINDOW_OF_ZLIB	MAX_WBITS

static UnpackCoding coding_of(const char *name, size_t length);
static bool is_named(const char *name, size_t length, const char *wanted);
static UnpackResult begin_stream(Unpacker *unpacker);

void
arazzo_unpack_reset(Unpacker *unpacker)
{
	if (unpacker->stream != NULL)
		inflateEnd(unpacker->stream);
	free(unpacker->stream);
	memset(unpacker, 0, sizeof(Unpacker));
}

void
arazzo_unpack_note(Unpacker *unpacker, const char *value, size_t length)
{
	size_t		i = 0;

	while (i < length)
	{
		size_t		begin;
		size_t		end;

		while (i < length && strchr(", \t\r\n", value[i]) != NULL)
			i++;
		for (begin = i; i < length && value[i] != ','; i++)
			;
		for (end = i; end > begin && strchr(" \t\r\n", value[end - 1]) != NULL; end--)
			;
		if (end > begin && !is_named(value + begin, end - begin, "identity"))
			unpacker->coding = unpacker->coding == CODING_NONE ?
				coding_of(value + begin, end - begin) : CODING_UNKNOWN;
	}
}

static UnpackCoding
coding_of(const char *name, size_t length)
{
	if (is_named(name, length, "gzip") || is_named(name, length, "x-gzip"))
		return CODING_GZIP;
	return is_named(name, length, "deflate") ? CODING_DEFLATE : CODING_UNKNOWN;
}

static bool
is_named(const char *name, size_t length, const char *wanted)
{
	return length == strlen(wanted) && pg_strncasecmp(name, wanted, length) == 0;
}

UnpackResult
arazzo_unpack(Unpacker *unpacker, const char **data, size_t *length, char *out, size_t *room)
{
	UnpackResult result = begin_stream(unpacker);
	z_stream   *stream = unpacker->stream;
	int			code = Z_OK;

	if (result != UNPACK_OK)
		return result;
	stream->next_in = (Bytef *) *data;
	stream->avail_in = *length;
	stream->next_out = (Bytef *) out;
	stream->avail_out = *room;
	do
	{
		if (unpacker->at_end && stream->avail_in == 0)
			break;
		/* RFC 1952, section 2.2: more may follow, packed likewise */
		if (unpacker->at_end && (unpacker->coding != CODING_GZIP || inflateReset(stream) != Z_OK))
			return UNPACK_BAD;
		code = inflate(stream, Z_NO_FLUSH);
		unpacker->at_end = code == Z_STREAM_END;
	} while (unpacker->at_end && stream->avail_out > 0);

	*data = (const char *) stream->next_in;
	*length = stream->avail_in;
	*room -= stream->avail_out;
	if (code == Z_OK || code == Z_STREAM_END || code == Z_BUF_ERROR)
		return UNPACK_OK;
	return code == Z_MEM_ERROR ? UNPACK_NO_MEMORY : UNPACK_BAD;
}

static UnpackResult
begin_stream(Unpacker *unpacker)
{
	if (unpacker->stream != NULL)
		return UNPACK_OK;
	if (unpacker->coding == CODING_UNKNOWN)
		return UNPACK_BAD;
	unpacker->stream = calloc(1, sizeof(z_stream));
	if (unpacker->stream == NULL)
		return UNPACK_NO_MEMORY;
	return inflateInit2((z_stream *) unpacker->stream,
						unpacker->coding == CODING_GZIP ? WINDOW_OF_GZIP : WINDOW_OF_ZLIB) == Z_OK ?
		UNPACK_OK : UNPACK_NO_MEMORY;
}

bool
arazzo_unpack_is_whole(const Unpacker *unpacker)
{
	return unpacker->stream == NULL || unpacker->at_end;
}
