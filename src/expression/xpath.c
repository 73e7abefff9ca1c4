/*-------------------------------------------------------------------------
 *
 * xpath.c
 *	  XPath 1.0 over XML text, by PostgreSQL's own function xpath().
 *
 * That function reads the text as one XML document, loads nothing from
 * outside, and throws for what it cannot read or evaluate; here that becomes
 * a failure.  No prefix is bound: paths that need namespaces use
 * local-name().
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"

#include "expression/grammar.h"

static ArrayType *run_xpath(const char *path, const char *xml, int length,
							ArazzoFailure **failure);
static char *scalar_result(const char *function, const char *path, const char *xml,
						   int length, ArazzoFailure **failure);
static void unescape_xml(char *text);

bool
arazzo_xpath_check(const char *path, ArazzoFailure **failure)
{
	return run_xpath(path, "<x/>", 4, failure) != NULL;
}

bool
arazzo_xpath_holds(const char *path, const char *xml, int length, ArazzoFailure **failure)
{
	char	   *result = scalar_result("boolean", path, xml, length, failure);

	return result != NULL && strcmp(result, "true") == 0;
}

JsonbValue *
arazzo_xpath_value(const char *path, const char *xml, int length, ArazzoFailure **failure)
{
	ArrayType  *nodes = run_xpath(path, xml, length, failure);
	JsonbParseState *state = NULL;
	int			count;
	int			i;

	if (nodes == NULL)
		return NULL;
	count = ArrayGetNItems(ARR_NDIM(nodes), ARR_DIMS(nodes));
	if (count == 0)
		return NULL;
	if (count == 1)
	{
		char	   *text = scalar_result("string", path, xml, length, failure);

		return text != NULL ? arazzo_value_cstring(text) : NULL;
	}
	pushJsonbValue(&state, WJB_BEGIN_ARRAY, NULL);
	for (i = 1; i <= count; i++)
	{
		char	   *text = scalar_result("string", psprintf("(%s)[%d]", path, i),
										 xml, length, failure);

		if (text == NULL)
			return NULL;
		pushJsonbValue(&state, WJB_ELEM, arazzo_value_cstring(text));
	}
	return arazzo_value_from_jsonb(JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_ARRAY, NULL)));
}

/* The result of function(path) as text; NULL and *failure on an error. */
static char *
scalar_result(const char *function, const char *path, const char *xml, int length,
			  ArazzoFailure **failure)
{
	ArrayType  *array = run_xpath(psprintf("%s(%s)", function, path), xml, length, failure);
	Datum	   *items;
	int			count;
	char	   *string;

	if (array == NULL)
		return NULL;
	deconstruct_array(array, XMLOID, -1, false, TYPALIGN_INT, &items, NULL, &count);
	if (count != 1)
		return NULL;
	string = TextDatumGetCString(items[0]);
	unescape_xml(string);
	return string;
}

char *
arazzo_xpath_scalar(const char *function, const char *path, const char *xml, ArazzoFailure **failure)
{
	return scalar_result(function, path, xml, strlen(xml), failure);
}

/* xpath(path, xml, '{}'); NULL and *failure on an error. */
static ArrayType *
run_xpath(const char *path, const char *xml, int length, ArazzoFailure **failure)
{
	MemoryContext context = CurrentMemoryContext;
	ArrayType  *volatile result = NULL;

	PG_TRY();
	{
		result = DatumGetArrayTypeP(DirectFunctionCall3(xpath,
														CStringGetTextDatum(path),
														PointerGetDatum(cstring_to_text_with_len(xml, length)),
														PointerGetDatum(construct_empty_array(TEXTOID))));
	}
	PG_CATCH();
	{
		*failure = arazzo_failure_from_catch(context, "could not evaluate XPath expression");
	}
	PG_END_TRY();
	return result;
}

/* PostgreSQL gives strings as XML: undo what it escaped, in place. */
static void
unescape_xml(char *text)
{
	static const struct
	{
		const char *entity;
		char		character;
	}			entities[] = {{"&lt;", '<'}, {"&gt;", '>'}, {"&#x0d;", '\r'}, {"&amp;", '&'}};
	char	   *out = text;

	while (*text != '\0')
	{
		int			i;

		for (i = 0; i < lengthof(entities); i++)
		{
			if (strncmp(text, entities[i].entity, strlen(entities[i].entity)) == 0)
				break;
		}
		if (i < lengthof(entities))
		{
			*out++ = entities[i].character;
			text += strlen(entities[i].entity);
		}
		else
			*out++ = *text++;
	}
	*out = '\0';
}
