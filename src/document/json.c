/*-------------------------------------------------------------------------
 *
 * json.c
 *	  JSON text (RFC 8259) to a tree.
 *
 * The tokens are PostgreSQL's; the grammar is kept here, without recursion,
 * so that every node gets its position and nothing is thrown.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "mb/pg_wchar.h"
#include "miscadmin.h"

#include "document/scalar.h"
#include "document/syntax.h"
#include "support/compat.h"

/* How much of a token a message shows. */
#define SHOWN_BYTES		60

/* What may come next. */
typedef enum Expected
{
	EXPECT_VALUE,
	EXPECT_VALUE_OR_END,		/* just after "[" */
	EXPECT_KEY,
	EXPECT_KEY_OR_END,			/* just after "{" */
	EXPECT_COLON,
	EXPECT_COMMA_OR_END,
	EXPECT_NOTHING
} Expected;

typedef struct JsonReader
{
	ArazzoBuilder *builder;
	JsonLexContext *lexer;
	Expected	expected;
	const char *end;			/* of the text */
	const char *at;				/* the place that line and column are of */
	int			line;
	int			column;
} JsonReader;

static ArazzoSyntaxResult read_tokens(JsonReader *reader);
static void move_to(JsonReader *reader, const char *place);
static ArazzoSyntaxResult read_token(JsonReader *reader, JsonTokenType token);
static ArazzoSyntaxResult read_value(JsonReader *reader, JsonTokenType token);
static ArazzoSyntaxResult read_key(JsonReader *reader, JsonTokenType token);
static ArazzoSyntaxResult read_end(JsonReader *reader, JsonTokenType token);
static ArazzoSyntaxResult place(JsonReader *reader, ArazzoNode *node);
static ArazzoSyntaxResult read_number(JsonReader *reader);
static Expected after_value(JsonReader *reader);
static ArazzoSyntaxResult unexpected(JsonReader *reader);
static const char *expectation(const JsonReader *reader);
static char *token_text(const JsonReader *reader);
static ArazzoSyntaxResult bad_token(JsonReader *reader, JsonParseErrorType error);

ArazzoSyntaxResult
arazzo_json_read(ArazzoBuilder *builder, const char *text, size_t length)
{
	JsonReader	reader;

	reader.builder = builder;
	reader.lexer = arazzo_json_lexer(unconstify(char *, text), (int) length);
	reader.expected = EXPECT_VALUE;
	reader.end = text + length;
	reader.at = text;
	reader.line = 1;
	reader.column = 1;
	return read_tokens(&reader);
}

static ArazzoSyntaxResult
read_tokens(JsonReader *reader)
{
	for (;;)
	{
		JsonParseErrorType error;
		ArazzoSyntaxResult result;

		CHECK_FOR_INTERRUPTS();
		error = json_lex(reader->lexer);
		move_to(reader, reader->lexer->token_start ? reader->lexer->token_start : reader->end);
		if (error != JSON_SUCCESS)
			return bad_token(reader, error);
		if (reader->expected == EXPECT_NOTHING && reader->lexer->token_type == JSON_TOKEN_END)
			return SYNTAX_READ;
		result = read_token(reader, reader->lexer->token_type);
		if (result != SYNTAX_READ)
			return result;
	}
}

/* Counts lines and characters up to a later place. */
static void
move_to(JsonReader *reader, const char *place)
{
	while (reader->at < place)
	{
		unsigned char c = *reader->at++;

		if (c == '\n' || (c == '\r' && (reader->at == place || *reader->at != '\n')))
		{
			reader->line++;
			reader->column = 1;
		}
		else if (c != '\r' && (c & 0xC0) != 0x80)
			reader->column++;
	}
}

static ArazzoSyntaxResult
read_token(JsonReader *reader, JsonTokenType token)
{
	switch (reader->expected)
	{
		case EXPECT_VALUE:
			return read_value(reader, token);
		case EXPECT_VALUE_OR_END:
			return token == JSON_TOKEN_ARRAY_END ? read_end(reader, token) : read_value(reader, token);
		case EXPECT_KEY:
			return read_key(reader, token);
		case EXPECT_KEY_OR_END:
			return token == JSON_TOKEN_OBJECT_END ? read_end(reader, token) : read_key(reader, token);
		case EXPECT_COLON:
			if (token != JSON_TOKEN_COLON)
				return unexpected(reader);
			reader->expected = EXPECT_VALUE;
			return SYNTAX_READ;
		case EXPECT_COMMA_OR_END:
			return read_end(reader, token);
		case EXPECT_NOTHING:
			break;
	}
	return unexpected(reader);
}

static ArazzoSyntaxResult
read_value(JsonReader *reader, JsonTokenType token)
{
	ArazzoBuilder *builder = reader->builder;
	StringInfo	string = reader->lexer->strval;
	ArazzoNode *node;

	switch (token)
	{
		case JSON_TOKEN_OBJECT_START:
			reader->expected = EXPECT_KEY_OR_END;
			return arazzo_builder_open(builder, NODE_OBJECT, reader->line, reader->column) ?
				SYNTAX_READ : SYNTAX_REFUSED;
		case JSON_TOKEN_ARRAY_START:
			reader->expected = EXPECT_VALUE_OR_END;
			return arazzo_builder_open(builder, NODE_ARRAY, reader->line, reader->column) ?
				SYNTAX_READ : SYNTAX_REFUSED;
		case JSON_TOKEN_STRING:
			return place(reader, arazzo_builder_string(builder, string->data, string->len,
													   reader->line, reader->column));
		case JSON_TOKEN_NUMBER:
			return read_number(reader);
		case JSON_TOKEN_TRUE:
		case JSON_TOKEN_FALSE:
			node = arazzo_builder_scalar(builder, NODE_BOOLEAN, reader->line, reader->column);
			node->u.boolean = token == JSON_TOKEN_TRUE;
			return place(reader, node);
		case JSON_TOKEN_NULL:
			return place(reader, arazzo_builder_scalar(builder, NODE_NULL, reader->line, reader->column));
		default:
			return unexpected(reader);
	}
}

static ArazzoSyntaxResult
place(JsonReader *reader, ArazzoNode *node)
{
	if (!arazzo_builder_place(reader->builder, node))
		return SYNTAX_REFUSED;
	reader->expected = after_value(reader);
	return SYNTAX_READ;
}

static Expected
after_value(JsonReader *reader)
{
	return arazzo_builder_slot(reader->builder) == SLOT_NONE ? EXPECT_NOTHING : EXPECT_COMMA_OR_END;
}

static ArazzoSyntaxResult
read_number(JsonReader *reader)
{
	const char *text = reader->lexer->token_start;
	size_t		length = reader->lexer->token_terminator - text;
	ArazzoSyntaxResult result;
	Numeric		number;

	number = arazzo_scalar_number(text, length, arazzo_scalar_type(text, length));
	if (number == NULL)
	{
		(void) arazzo_builder_fail(reader->builder,
								   arazzo_failure_make(ERRCODE_PROGRAM_LIMIT_EXCEEDED,
													   "number is out of range"),
								   reader->line, reader->column);
		return SYNTAX_REFUSED;
	}
	result = place(reader, arazzo_builder_number(reader->builder, number,
												 reader->line, reader->column));
	pfree(number);
	return result;
}

static ArazzoSyntaxResult
read_key(JsonReader *reader, JsonTokenType token)
{
	StringInfo	string = reader->lexer->strval;

	if (token != JSON_TOKEN_STRING)
		return unexpected(reader);
	reader->expected = EXPECT_COLON;
	return arazzo_builder_key(reader->builder, string->data, string->len,
							  reader->line, reader->column) ?
		SYNTAX_READ : SYNTAX_REFUSED;
}

/* What follows a value in a container: a comma, or the container's end. */
static ArazzoSyntaxResult
read_end(JsonReader *reader, JsonTokenType token)
{
	bool		in_array = arazzo_builder_slot(reader->builder) == SLOT_ITEM;

	if (token == JSON_TOKEN_COMMA && reader->expected == EXPECT_COMMA_OR_END)
	{
		reader->expected = in_array ? EXPECT_VALUE : EXPECT_KEY;
		return SYNTAX_READ;
	}
	if (token != (in_array ? JSON_TOKEN_ARRAY_END : JSON_TOKEN_OBJECT_END))
		return unexpected(reader);
	if (!arazzo_builder_close(reader->builder, NULL, NULL))
		return SYNTAX_REFUSED;
	reader->expected = after_value(reader);
	return SYNTAX_READ;
}

static ArazzoSyntaxResult
unexpected(JsonReader *reader)
{
	ArazzoFailure *failure;

	if (reader->lexer->token_type == JSON_TOKEN_END)
		failure = arazzo_failure_make(ERRCODE_INVALID_TEXT_REPRESENTATION,
									  "JSON text ends where %s is expected", expectation(reader));
	else
		failure = arazzo_failure_make(ERRCODE_INVALID_TEXT_REPRESENTATION,
									  "JSON text has %s where %s is expected",
									  token_text(reader), expectation(reader));
	(void) arazzo_builder_fail(reader->builder, failure, reader->line, reader->column);
	return SYNTAX_OTHER;
}

static const char *
expectation(const JsonReader *reader)
{
	switch (reader->expected)
	{
		case EXPECT_VALUE:
			return "a value";
		case EXPECT_VALUE_OR_END:
			return "a value or \"]\"";
		case EXPECT_KEY:
			return "a string";
		case EXPECT_KEY_OR_END:
			return "a string or \"}\"";
		case EXPECT_COLON:
			return "\":\"";
		case EXPECT_COMMA_OR_END:
			return arazzo_builder_slot(reader->builder) == SLOT_ITEM ?
				"\",\" or \"]\"" : "\",\" or \"}\"";
		case EXPECT_NOTHING:
			break;
	}
	return "its end";
}

/* The beginning of the current token in quotes, for a message. */
static char *
token_text(const JsonReader *reader)
{
	const char *start = reader->lexer->token_start;
	int			length = reader->lexer->token_terminator - start;

	length = pg_encoding_mbcliplen(PG_UTF8, start, length, SHOWN_BYTES);
	return psprintf(start[0] == '"' ? "%.*s" : "\"%.*s\"", length, start);
}

static ArazzoSyntaxResult
bad_token(JsonReader *reader, JsonParseErrorType error)
{
	ArazzoSyntaxResult result = SYNTAX_OTHER;
	int			sqlstate = ERRCODE_INVALID_TEXT_REPRESENTATION;
	const char *message;

	switch (error)
	{
		case JSON_UNICODE_CODE_POINT_ZERO:
			sqlstate = ERRCODE_UNTRANSLATABLE_CHARACTER;
			message = "string contains \\u0000, which cannot be stored";
			result = SYNTAX_REFUSED;
			break;
		case JSON_ESCAPING_INVALID:
			message = "JSON string has an invalid escape sequence";
			break;
		case JSON_ESCAPING_REQUIRED:
			message = "JSON string has a control character that is not escaped";
			break;
		case JSON_UNICODE_ESCAPE_FORMAT:
			message = "JSON string has \\u without four hexadecimal digits";
			break;
		case JSON_UNICODE_HIGH_SURROGATE:
		case JSON_UNICODE_LOW_SURROGATE:
			message = "JSON string has half a surrogate pair";
			break;
		default:
			message = psprintf("JSON text has an invalid token %s", token_text(reader));
			break;
	}
	(void) arazzo_builder_fail(reader->builder,
							   arazzo_failure_make(sqlstate, "%s", message),
							   reader->line, reader->column);
	return result;
}
