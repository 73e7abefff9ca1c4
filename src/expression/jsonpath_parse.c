/*-------------------------------------------------------------------------
 *
 * jsonpath_parse.c
 *	  JSONPath queries, segments and selectors (RFC 9535, 2.1 to 2.5).
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"

#include "expression/jsonpath_internal.h"

static bool parse_segments(JsonPathParser *parser, JsonPathQuery *query);
static bool at_segment(const JsonPathParser *parser);
static bool parse_segment(JsonPathParser *parser, JsonPathQuery *query);
static bool parse_shorthand(JsonPathParser *parser, JsonPathSegment *segment);
static bool parse_bracketed(JsonPathParser *parser, JsonPathSegment *segment,
							bool *blanks);
static JsonPathSegment *add_segment(JsonPathQuery *query);
static JsonPathSelector *add_selector(JsonPathSegment *segment);
static bool parse_selector(JsonPathParser *parser, JsonPathSelector *selector);
static bool parse_filter(JsonPathParser *parser, JsonPathSelector *selector);
static bool parse_index_or_slice(JsonPathParser *parser, JsonPathSelector *selector);
static bool parse_slice(JsonPathParser *parser, JsonPathSlice *slice);
static bool at_integer(const JsonPathParser *parser);

ArazzoJsonPath *
arazzo_jsonpath_parse(const char *text, int length, ArazzoFailure **failure)
{
	JsonPathParser parser = {0};

	parser.text = text;
	parser.length = length;
	parser.path = palloc0(sizeof(ArazzoJsonPath));
	if (arazzo_jsonpath_peek(&parser) != '$')
		(void) arazzo_jsonpath_refuse(&parser, 0, "expected \"$\"");
	else
	{
		parser.path->query = arazzo_jsonpath_parse_query(&parser);
		if (parser.failure == NULL && parser.position < length)
			(void) arazzo_jsonpath_refuse(&parser, parser.position,
										  "expected \".\", \"[\" or the end");
	}
	if (parser.failure == NULL)
		return parser.path;
	*failure = parser.failure;
	return NULL;
}

JsonPathQuery *
arazzo_jsonpath_parse_query(JsonPathParser *parser)
{
	JsonPathQuery *query = palloc0(sizeof(JsonPathQuery));

	query->absolute = (parser->text[parser->position++] == '$');
	query->singular = true;
	query->slot = -1;
	if (!parse_segments(parser, query))
		return NULL;
	if (query->absolute && parser->nesting > 0)
		query->slot = parser->path->slot_count++;
	return query;
}

/* Blanks belong to a segment that follows them, else to what comes after. */
static bool
parse_segments(JsonPathParser *parser, JsonPathQuery *query)
{
	for (;;)
	{
		int			end = parser->position;

		CHECK_FOR_INTERRUPTS();
		arazzo_jsonpath_skip_blanks(parser);
		if (!at_segment(parser))
		{
			parser->position = end;
			return true;
		}
		if (!parse_segment(parser, query))
			return false;
	}
}

static bool
at_segment(const JsonPathParser *parser)
{
	int			next = arazzo_jsonpath_peek(parser);

	return next == '.' || next == '[';
}

/*
 * A child or descendant segment (2.5).  A segment keeps its query singular
 * when it is a child segment of one name or index, and, as name-segment and
 * index-segment have it (2.3.5.1), without blanks inside the brackets.
 */
static bool
parse_segment(JsonPathParser *parser, JsonPathQuery *query)
{
	JsonPathSegment *segment = add_segment(query);
	bool		blanks = false;
	bool		parsed;

	segment->descendant = arazzo_jsonpath_accept(parser, "..");
	if (arazzo_jsonpath_peek(parser) == '[')
		parsed = parse_bracketed(parser, segment, &blanks);
	else
	{
		if (!segment->descendant)
			parser->position++;
		parsed = parse_shorthand(parser, segment);
	}
	if (!parsed)
		return false;
	if (segment->descendant || blanks || segment->selector_count > 1 ||
		(segment->selectors[0].kind != SELECTOR_NAME &&
		 segment->selectors[0].kind != SELECTOR_INDEX))
		query->singular = false;
	return true;
}

/* What follows the dots: a wildcard or a member name. */
static bool
parse_shorthand(JsonPathParser *parser, JsonPathSegment *segment)
{
	JsonPathSelector *selector = add_selector(segment);

	if (arazzo_jsonpath_accept(parser, "*"))
	{
		selector->kind = SELECTOR_WILDCARD;
		return true;
	}
	if (!arazzo_jsonpath_at_member_name(parser))
		return arazzo_jsonpath_refuse(parser, parser->position,
									  segment->descendant ?
									  "expected a member name, \"*\" or \"[\"" :
									  "expected a member name or \"*\"");
	selector->kind = SELECTOR_NAME;
	return arazzo_jsonpath_scan_member_name(parser, &selector->is.name);
}

/* bracketed-selection (2.5.1.1); *blanks tells of blanks around a selector */
static bool
parse_bracketed(JsonPathParser *parser, JsonPathSegment *segment, bool *blanks)
{
	do
	{
		int			end = ++parser->position;

		arazzo_jsonpath_skip_blanks(parser);
		*blanks |= (parser->position > end);
		if (!parse_selector(parser, add_selector(segment)))
			return false;
		end = parser->position;
		arazzo_jsonpath_skip_blanks(parser);
		*blanks |= (parser->position > end);
	} while (arazzo_jsonpath_peek(parser) == ',');

	if (arazzo_jsonpath_accept(parser, "]"))
		return true;
	return arazzo_jsonpath_refuse(parser, parser->position, "expected \",\" or \"]\"");
}

/* A further segment, zeroed; room grows by powers of two. */
static JsonPathSegment *
add_segment(JsonPathQuery *query)
{
	int			count = query->segment_count++;

	if (count == 0)
		query->segments = palloc(sizeof(JsonPathSegment));
	else if ((count & (count - 1)) == 0)
		query->segments = repalloc(query->segments, 2 * count * sizeof(JsonPathSegment));
	memset(&query->segments[count], 0, sizeof(JsonPathSegment));
	return &query->segments[count];
}

static JsonPathSelector *
add_selector(JsonPathSegment *segment)
{
	int			count = segment->selector_count++;

	if (count == 0)
		segment->selectors = palloc(sizeof(JsonPathSelector));
	else if ((count & (count - 1)) == 0)
		segment->selectors = repalloc(segment->selectors, 2 * count * sizeof(JsonPathSelector));
	memset(&segment->selectors[count], 0, sizeof(JsonPathSelector));
	return &segment->selectors[count];
}

/* A selector (2.3), told by its first character. */
static bool
parse_selector(JsonPathParser *parser, JsonPathSelector *selector)
{
	CHECK_FOR_INTERRUPTS();
	switch (arazzo_jsonpath_peek(parser))
	{
		case '\'':
		case '"':
			selector->kind = SELECTOR_NAME;
			return arazzo_jsonpath_scan_string(parser, &selector->is.name);
		case '*':
			parser->position++;
			selector->kind = SELECTOR_WILDCARD;
			return true;
		case '?':
			return parse_filter(parser, selector);
		default:
			if (!at_integer(parser) && arazzo_jsonpath_peek(parser) != ':')
				return arazzo_jsonpath_refuse(parser, parser->position, "expected a selector");
			return parse_index_or_slice(parser, selector);
	}
}

static bool
parse_filter(JsonPathParser *parser, JsonPathSelector *selector)
{
	parser->position++;
	parser->path->filters = true;
	selector->kind = SELECTOR_FILTER;
	if (!arazzo_jsonpath_nest(parser))
		return false;
	arazzo_jsonpath_skip_blanks(parser);
	selector->is.filter = arazzo_jsonpath_parse_logical(parser);
	parser->nesting--;
	return selector->is.filter != NULL;
}

/* An integer is a slice's start when a colon follows, else an index. */
static bool
parse_index_or_slice(JsonPathParser *parser, JsonPathSelector *selector)
{
	JsonPathSlice slice = {.step = 1};
	int			end;

	slice.has_start = at_integer(parser);
	if (slice.has_start && !arazzo_jsonpath_scan_integer(parser, &slice.start))
		return false;
	end = parser->position;
	arazzo_jsonpath_skip_blanks(parser);
	if (arazzo_jsonpath_accept(parser, ":"))
	{
		selector->kind = SELECTOR_SLICE;
		if (!parse_slice(parser, &slice))
			return false;
		selector->is.slice = slice;
		return true;
	}
	parser->position = end;
	selector->kind = SELECTOR_INDEX;
	selector->is.index = slice.start;
	return true;
}

/* slice-selector (2.3.4.1), after its first colon */
static bool
parse_slice(JsonPathParser *parser, JsonPathSlice *slice)
{
	int			end = parser->position;

	arazzo_jsonpath_skip_blanks(parser);
	slice->has_end = at_integer(parser);
	if (slice->has_end)
	{
		if (!arazzo_jsonpath_scan_integer(parser, &slice->end))
			return false;
		end = parser->position;
		arazzo_jsonpath_skip_blanks(parser);
	}
	if (arazzo_jsonpath_accept(parser, ":"))
	{
		end = parser->position;
		arazzo_jsonpath_skip_blanks(parser);
		if (at_integer(parser))
			return arazzo_jsonpath_scan_integer(parser, &slice->step);
	}
	parser->position = end;
	return true;
}

static bool
at_integer(const JsonPathParser *parser)
{
	int			next = arazzo_jsonpath_peek(parser);

	return next == '-' || (next >= '0' && next <= '9');
}
