/*-------------------------------------------------------------------------
 *
 * json_scan.c
 *	  Questions to a JSON text that need no value of it.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "common/jsonapi.h"
#include "mb/pg_wchar.h"
#include "utils/memutils.h"

#include "support/compat.h"
#include "support/json_scan.h"

static bool find_member(JsonLexContext *lexer, const char *name);

bool
arazzo_json_has_member(const char *text, size_t length, const char *name)
{
	MemoryContext context;
	MemoryContext caller;
	bool		found;

	if (length >= MaxAllocSize || !pg_verifymbstr(text, length, true))
		return false;
	context = AllocSetContextCreate(CurrentMemoryContext, "arazzo JSON scan", ALLOCSET_SMALL_SIZES);
	caller = MemoryContextSwitchTo(context);
	found = find_member(arazzo_json_lexer(unconstify(char *, text), (int) length), name);
	MemoryContextSwitchTo(caller);
	MemoryContextDelete(context);
	return found;
}

/* A name is a string of the outermost object that follows "{" or ",". */
static bool
find_member(JsonLexContext *lexer, const char *name)
{
	JsonTokenType previous = JSON_TOKEN_INVALID;
	int			depth = 0;

	while (json_lex(lexer) == JSON_SUCCESS && lexer->token_type != JSON_TOKEN_END)
	{
		JsonTokenType token = lexer->token_type;

		if (depth == 0 && token != JSON_TOKEN_OBJECT_START)
			return false;
		if (depth == 1 && token == JSON_TOKEN_STRING &&
			(previous == JSON_TOKEN_OBJECT_START || previous == JSON_TOKEN_COMMA) &&
			strcmp(lexer->strval->data, name) == 0)
			return true;
		if (token == JSON_TOKEN_OBJECT_START || token == JSON_TOKEN_ARRAY_START)
			depth++;
		else if (token == JSON_TOKEN_OBJECT_END || token == JSON_TOKEN_ARRAY_END)
			depth--;
		previous = token;
	}
	return false;
}
