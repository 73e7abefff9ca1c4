/*-------------------------------------------------------------------------
 *
 * reader.c
 *	  A document's text to a tree.
 *
 * Checks the encoding, tries JSON where the text can be JSON, else reads
 * YAML, and reports the more helpful error of the two.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "mb/pg_wchar.h"
#include "utils/memutils.h"

#include "document/reader.h"
#include "document/syntax.h"
#include "support/settings.h"

static bool check_text(ArazzoBuilder *builder, const char *text, size_t length);
static bool check_encoding(ArazzoBuilder *builder, const char *text, size_t length);
static void read_text(ArazzoBuilder *builder, const char *text, size_t length);
static bool is_meant_as_json(const char *text, size_t length,
							 const ArazzoFailure *json, const ArazzoFailure *yaml);
static size_t skip_blanks(const char *text, size_t length, size_t from);

ArazzoNode *
arazzo_reader_read(const char *text, size_t length, ArazzoFailure **failure)
{
	MemoryContext caller = CurrentMemoryContext;
	ArazzoBuilder *builder = arazzo_builder_create();

	MemoryContextSwitchTo(arazzo_builder_scratch(builder));
	if (check_text(builder, text, length))
	{
		bool		marked = length >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0;

		if (marked)
			read_text(builder, text + 3, length - 3);
		else
			read_text(builder, text, length);
	}
	MemoryContextSwitchTo(caller);
	return arazzo_builder_finish(builder, failure);
}

/* Tries JSON, then YAML. */
static void
read_text(ArazzoBuilder *builder, const char *text, size_t length)
{
	ArazzoFailure *json;
	ArazzoFailure *yaml;

	if (arazzo_json_read(builder, text, length) != SYNTAX_OTHER)
		return;
	json = arazzo_builder_failure(builder);
	arazzo_builder_restart(builder);
	if (arazzo_yaml_read(builder, text, length) != SYNTAX_OTHER)
		return;
	yaml = arazzo_builder_failure(builder);
	if (is_meant_as_json(text, length, json, yaml))
		arazzo_builder_replace_failure(builder, json);
}

/*
 * Of a text in neither syntax, which error helps more?  That of JSON if the
 * text begins as JSON and goes on so, and the reader of YAML, which takes
 * nearly anything for a plain scalar, did not get much further.
 */
static bool
is_meant_as_json(const char *text, size_t length, const ArazzoFailure *json, const ArazzoFailure *yaml)
{
	size_t		first = skip_blanks(text, length, 0);
	int			line;
	int			column;

	if (first == length || (text[first] != '{' && text[first] != '['))
		return false;
	arazzo_text_position(text, skip_blanks(text, length, first + 1), &line, &column);
	if (json->line == line && json->column == column)
		return false;
	return yaml->line <= json->line + 1;
}

static size_t
skip_blanks(const char *text, size_t length, size_t from)
{
	while (from < length && strchr(" \t\r\n", text[from]) != NULL)
		from++;
	return from;
}

/* Size, encoding and NUL bytes. */
static bool
check_text(ArazzoBuilder *builder, const char *text, size_t length)
{
	ArazzoFailure *failure;

	if (length <= (size_t) arazzo_max_document_kb * 1024)
		return check_encoding(builder, text, length);
	failure = arazzo_failure_make(ERRCODE_PROGRAM_LIMIT_EXCEEDED,
								  "document is larger than %d kB", arazzo_max_document_kb);
	arazzo_failure_hint(failure, "The limit is set by arazzo.max_document_size.");
	return arazzo_builder_fail(builder, failure, 1, 1);
}

static bool
check_encoding(ArazzoBuilder *builder, const char *text, size_t length)
{
	size_t		valid = pg_encoding_verifymbstr(PG_UTF8, text, (int) length);
	ArazzoFailure *failure;
	int			line;
	int			column;

	if (valid == length)
		return true;
	if (length >= 2 && (memcmp(text, "\xFF\xFE", 2) == 0 || memcmp(text, "\xFE\xFF", 2) == 0))
	{
		failure = arazzo_failure_make(ERRCODE_CHARACTER_NOT_IN_REPERTOIRE,
									  "document is encoded in UTF-16 or UTF-32");
		arazzo_failure_hint(failure, "Convert the document to UTF-8.");
		return arazzo_builder_fail(builder, failure, 1, 1);
	}

	arazzo_text_position(text, valid, &line, &column);
	if (text[valid] == '\0')
		failure = arazzo_failure_make(ERRCODE_CHARACTER_NOT_IN_REPERTOIRE,
									  "document contains a NUL byte");
	else
		failure = arazzo_failure_make(ERRCODE_CHARACTER_NOT_IN_REPERTOIRE,
									  "invalid UTF-8 byte 0x%02x",
									  (unsigned int) (unsigned char) text[valid]);
	return arazzo_builder_fail(builder, failure, line, column);
}

/*
 * Lines end with LF, CR or both.  The bytes before the offset are valid
 * UTF-8.
 */
void
arazzo_text_position(const char *text, size_t offset, int *line, int *column)
{
	size_t		i = 0;

	if (offset >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0)
		i = 3;
	*line = 1;
	*column = 1;
	for (; i < offset; i++)
	{
		unsigned char c = text[i];

		if (c == '\n' || c == '\r')
		{
			if (c == '\r' && i + 1 < offset && text[i + 1] == '\n')
				i++;
			(*line)++;
			*column = 1;
		}
		else if ((c & 0xC0) != 0x80)
			(*column)++;
	}
}
