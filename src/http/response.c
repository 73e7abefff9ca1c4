/*-------------------------------------------------------------------------
 *
 * response.c
 *	  Collects a response while it arrives, and reads its header section.
 *
 * arazzo_collect_header() and arazzo_collect_body() run inside the HTTP
 * library: they allocate with malloc, check every limit before they grow
 * anything, and report what went wrong by their result.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "common/string.h"
#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"

#include "http/mask.h"
#include "http/response.h"

/* Larger buffers are given back after the response they served. */
#define KEEP_CAPACITY	(64 * 1024)
#define FIRST_CAPACITY	4096

/* Unpacked at a time. */
#define PIECE			(16 * 1024)

static const char *value_of(const char *line, size_t length, const char *name, size_t *value_length);
static bool take_length(ResponseCollector *collector, const char *line, size_t length);
static bool is_known_transfer(const char *line, size_t length);
static CollectResult append_body(ResponseCollector *collector, const char *data, size_t length);
static bool buffer_append(ByteBuffer *buffer, const char *data, size_t length);
static void buffer_reset(ByteBuffer *buffer);
static int	count_lines(const ByteBuffer *head);
static char *next_line(char **position, char *end);
static void unfold_lines(char *head, size_t length);
static bool read_header(char *line, ArazzoHeader *header);
static char *text_of_value(char *value);

void
arazzo_collect_reset(ResponseCollector *collector, size_t header_limit, size_t body_limit)
{
	buffer_reset(&collector->head);
	buffer_reset(&collector->body);
	arazzo_unpack_reset(&collector->unpacker);
	collector->header_bytes = 0;
	collector->header_limit = header_limit;
	collector->body_limit = body_limit;
	collector->head_complete = false;
	collector->body_length = -1;
}

void
arazzo_collect_free(ResponseCollector *collector)
{
	free(collector->head.data);
	free(collector->body.data);
	arazzo_unpack_reset(&collector->unpacker);
	memset(collector, 0, sizeof(ResponseCollector));
}

CollectResult
arazzo_collect_header(ResponseCollector *collector, const char *line, size_t length)
{
	const char *packing;
	size_t		packing_length;

	if (length > collector->header_limit - collector->header_bytes)
		return COLLECT_TOO_LARGE;
	collector->header_bytes += length;

	if (length >= 5 && memcmp(line, "HTTP/", 5) == 0)
	{
		collector->head.length = 0;
		collector->body.length = 0;
		collector->head_complete = false;
		collector->body_length = -1;
		arazzo_unpack_reset(&collector->unpacker);
	}
	else if (collector->head_complete)
		return COLLECT_OK;
	else if (length <= 2 && (length == 0 || line[0] == '\r' || line[0] == '\n'))
		collector->head_complete = true;
	else if (!take_length(collector, line, length) || !is_known_transfer(line, length))
		return COLLECT_BAD_FRAMING;
	else if ((packing = value_of(line, length, "content-encoding:", &packing_length)) != NULL)
		arazzo_unpack_note(&collector->unpacker, packing, packing_length);
	return buffer_append(&collector->head, line, length) ? COLLECT_OK : COLLECT_NO_MEMORY;
}

/*
 * RFC 9110, section 8.6: of two different lengths nobody knows which one holds,
 * and one that no number can hold the library would ignore.  It refuses what is
 * no number.
 */
static bool
take_length(ResponseCollector *collector, const char *line, size_t length)
{
	size_t		i = 0;
	uint64		value = 0;

	if ((line = value_of(line, length, "content-length:", &length)) == NULL)
		return true;
	for (; i < length && line[i] >= '0' && line[i] <= '9' && value <= PG_INT64_MAX / 10; i++)
		value = value * 10 + (line[i] - '0');
	if (value > PG_INT64_MAX ||
		(i < length && line[i] >= '0' && line[i] <= '9') ||
		(collector->body_length >= 0 && collector->body_length != (int64) value))
		return false;
	collector->body_length = (int64) value;
	return true;
}

/*
 * RFC 9112, section 6.1: no other coding may be used without being asked for,
 * and some versions of the library would decode one, cut or not.
 */
static bool
is_known_transfer(const char *line, size_t length)
{
	line = value_of(line, length, "transfer-encoding:", &length);
	return line == NULL || (length == 7 && pg_strncasecmp(line, "chunked", length) == 0) ||
		(length == 8 && pg_strncasecmp(line, "identity", length) == 0);
}

/* The value in a line of that name and a colon, without blanks around it; or NULL. */
static const char *
value_of(const char *line, size_t length, const char *name, size_t *value_length)
{
	size_t		begin = strlen(name);

	if (length < begin || pg_strncasecmp(line, name, begin) != 0)
		return NULL;
	while (begin < length && strchr(" \t", line[begin]) != NULL)
		begin++;
	while (length > begin && strchr(" \t\r\n", line[length - 1]) != NULL)
		length--;
	*value_length = length - begin;
	return line + begin;
}

CollectResult
arazzo_collect_body(ResponseCollector *collector, const char *data, size_t length)
{
	char		piece[PIECE];
	size_t		unpacked;

	if (collector->unpacker.coding == CODING_NONE || length == 0)
		return append_body(collector, data, length);
	do
	{
		UnpackResult result;
		CollectResult collected;

		unpacked = sizeof(piece);
		result = arazzo_unpack(&collector->unpacker, &data, &length, piece, &unpacked);
		if (result != UNPACK_OK)
			return result == UNPACK_BAD ? COLLECT_BAD_PACKING : COLLECT_NO_MEMORY;
		collected = append_body(collector, piece, unpacked);
		if (collected != COLLECT_OK)
			return collected;
	} while (length > 0 || unpacked == sizeof(piece));
	return COLLECT_OK;
}

bool
arazzo_collect_is_whole(const ResponseCollector *collector)
{
	return collector->head_complete && arazzo_unpack_is_whole(&collector->unpacker);
}

static CollectResult
append_body(ResponseCollector *collector, const char *data, size_t length)
{
	if (length > collector->body_limit - collector->body.length)
		return COLLECT_TOO_LARGE;
	return buffer_append(&collector->body, data, length) ? COLLECT_OK : COLLECT_NO_MEMORY;
}

/* Keeps one byte free for a terminator. */
static bool
buffer_append(ByteBuffer *buffer, const char *data, size_t length)
{
	if (length >= buffer->capacity - buffer->length)
	{
		size_t		capacity = Max(buffer->capacity * 2, FIRST_CAPACITY);
		char	   *grown;

		if (capacity <= buffer->length + length)
			capacity = buffer->length + length + 1;
		grown = realloc(buffer->data, capacity);
		if (grown == NULL)
			return false;
		buffer->data = grown;
		buffer->capacity = capacity;
	}
	if (length > 0)
		memcpy(buffer->data + buffer->length, data, length);
	buffer->length += length;
	return true;
}

static void
buffer_reset(ByteBuffer *buffer)
{
	buffer->length = 0;
	if (buffer->capacity > KEEP_CAPACITY)
	{
		free(buffer->data);
		memset(buffer, 0, sizeof(ByteBuffer));
	}
}

void
arazzo_collect_finish(ResponseCollector *collector, ArazzoResponse *response)
{
	ByteBuffer *head = &collector->head;
	ByteBuffer *body = &collector->body;
	char	   *position = head->data;
	char	   *end = head->data + head->length;
	char	   *line;

	response->body = "";
	response->body_length = body->length;
	if (body->length > 0)
	{
		body->data[body->length] = '\0';
		response->body = body->data;
	}

	response->header_count = 0;
	response->headers = NULL;
	if (head->length == 0)
		return;
	unfold_lines(head->data, head->length);
	response->headers = palloc(sizeof(ArazzoHeader) * count_lines(head));
	next_line(&position, end);
	while ((line = next_line(&position, end)) != NULL)
	{
		if (read_header(line, &response->headers[response->header_count]))
			response->header_count++;
	}
}

static int
count_lines(const ByteBuffer *head)
{
	const char *p = head->data;
	const char *end = head->data + head->length;
	int			count = 1;

	while ((p = memchr(p, '\n', end - p)) != NULL)
	{
		count++;
		p++;
	}
	return count;
}

/* Terminates the line at the position and steps over it; NULL at the end. */
static char *
next_line(char **position, char *end)
{
	char	   *line = *position;
	char	   *newline;

	if (line >= end)
		return NULL;
	newline = memchr(line, '\n', end - line);
	if (newline == NULL)
		newline = end;
	*position = newline + 1;
	*newline = '\0';
	if (newline > line && newline[-1] == '\r')
		newline[-1] = '\0';
	return line;
}

/* A line that starts with white space continues the one before (RFC 9112, section 5.2). */
static void
unfold_lines(char *head, size_t length)
{
	size_t		i;

	for (i = 0; i + 1 < length; i++)
	{
		if (head[i] == '\n' && (head[i + 1] == ' ' || head[i + 1] == '\t'))
		{
			head[i] = ' ';
			if (i > 0 && head[i - 1] == '\r')
				head[i - 1] = ' ';
		}
	}
}

/*
 * Splits "name: value"; false when the line is none.  A carriage return that
 * ends no line counts as a blank, so that whoever passes the value on does not
 * pass on the end of a line (RFC 9110, section 5.5).
 */
static bool
read_header(char *line, ArazzoHeader *header)
{
	char	   *colon = strchr(line, ':');
	char	   *end;

	if (colon == NULL || colon == line)
		return false;
	for (end = line; (end = strchr(end, '\r')) != NULL;)
		*end = ' ';
	for (end = colon; end > line && (end[-1] == ' ' || end[-1] == '\t'); end--)
		;
	*end = '\0';
	header->name = text_of_value(line);

	for (colon++; *colon == ' ' || *colon == '\t'; colon++)
		;
	for (end = colon + strlen(colon); end > colon && (end[-1] == ' ' || end[-1] == '\t'); end--)
		;
	*end = '\0';
	header->value = text_of_value(colon);
	header->secret = arazzo_mask_is_secret_header(header->name);
	return true;
}

/*
 * The text of a field, valid in the database encoding.  Fields are ASCII;
 * other bytes stay where they are valid, else they are taken for ISO 8859-1,
 * in which any byte means something (RFC 9110, section 5.5).  No encoding
 * conversion of the database is used: there may be no transaction.
 */
static char *
text_of_value(char *value)
{
	StringInfoData converted;
	unsigned char *p;

	if (pg_is_ascii(value) || pg_verifymbstr(value, strlen(value), true))
		return value;
	initStringInfo(&converted);
	for (p = (unsigned char *) value; *p != '\0'; p++)
	{
		if (*p < 0x80)
			appendStringInfoChar(&converted, *p);
		else if (GetDatabaseEncoding() == PG_UTF8)
		{
			appendStringInfoChar(&converted, 0xc0 | (*p >> 6));
			appendStringInfoChar(&converted, 0x80 | (*p & 0x3f));
		}
		else
			appendStringInfoChar(&converted, '?');
	}
	return converted.data;
}
