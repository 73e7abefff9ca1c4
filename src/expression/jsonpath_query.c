/*-------------------------------------------------------------------------
 *
 * jsonpath_query.c
 *	  Evaluates JSONPath queries on jsonb (RFC 9535, 2.2 to 2.6).
 *
 * A node goes through all segments before the next one is looked at.  The
 * order of the result is the standard's, no nodelist is kept between
 * segments, and a test of existence stops at the first node.  Nodes point
 * into the jsonb.
 *
 * A descent keeps its way in memory of its own; what recursion there is goes
 * from one segment to the next and into filters.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/memutils.h"

#include "expression/jsonpath_children.h"
#include "expression/jsonpath_internal.h"

/*
 * A query may select a node many times.  One that multiplies its nodes ends
 * when there are more of them than this and than the value has bytes, and not
 * with the memory.
 */
#define MAX_NODES			1000000

#define FIRST_BLOCK_NODES	8
#define MAX_BLOCK_NODES		1024

/* Where a node is: a name or an index in what is there. */
typedef struct Place
{
	const struct Place *parent;
	JsonPathStep step;
} Place;

/* Where a descent has come to among the children of one value. */
typedef struct Level
{
	struct Level *up;
	struct Level *down;			/* kept for the next time */
	JsonPathChildren children;
	Place		place;			/* of the child at hand */
} Level;

typedef struct NodeCell
{
	ArazzoJsonPathNode node;
	JsonbValue	value;
} NodeCell;

/* One evaluation of one query, and what becomes of the nodes. */
typedef struct Walk
{
	JsonPathRun *run;
	const JsonPathQuery *query;
	int64		count;
	int64		limit;			/* stop when there are so many; when
								 * collecting, fail when there are more */
	JsonbValue *first;			/* the first one goes here; may be NULL */

	/* for the result */
	bool		collecting;
	bool		locations;
	List	   *nodes;
	NodeCell   *block;
	int			block_used;
	int			block_size;
} Walk;

static void begin_run(JsonPathRun *run, const ArazzoJsonPath *path, const JsonbValue *root);
static void end_run(JsonPathRun *run);
static bool visit(Walk *walk, int segment, const JsonbValue *value, const Place *place);
static bool descend(Walk *walk, int segment, const JsonbValue *value, const Place *place);
static Level *enter(Level *up, const JsonbValue *value, const Place *place);
static bool select_children(Walk *walk, int segment, const JsonbValue *value, const Place *place);
static bool select_name(Walk *walk, int segment, const JsonPathName *name,
						const JsonbValue *value, const Place *place);
static bool select_element(Walk *walk, int segment, int64 index,
						   const JsonbValue *value, const Place *place);
static bool select_slice(Walk *walk, int segment, const JsonPathSlice *slice,
						 const JsonbValue *value, const Place *place);
static bool select_each(Walk *walk, int segment, const JsonPathLogical *filter,
						const JsonbValue *value, const Place *place);
static bool filter_holds(JsonPathRun *run, const JsonPathLogical *filter,
						 const JsonbValue *candidate);
static bool take(Walk *walk, const JsonbValue *value, const Place *place);
static NodeCell *new_cell(Walk *walk);
static char *normalized_path(const Place *place);
static void append_step(StringInfo out, const JsonPathStep *step);
static void append_escaped(StringInfo out, const JsonPathStep *step);

List *
arazzo_jsonpath_query(const ArazzoJsonPath *path, const JsonbValue *root, bool locations)
{
	JsonPathRun run;
	Walk		walk = {0};

	begin_run(&run, path, root);
	walk.run = &run;
	walk.query = path->query;
	walk.limit = root->type == jbvBinary ? Max(root->val.binary.len, MAX_NODES) : MAX_NODES;
	walk.collecting = true;
	walk.locations = locations;
	(void) visit(&walk, 0, root, NULL);
	end_run(&run);
	return walk.nodes;
}

/* Filters need room for caches and scratch; other queries do without. */
static void
begin_run(JsonPathRun *run, const ArazzoJsonPath *path, const JsonbValue *root)
{
	memset(run, 0, sizeof(JsonPathRun));
	run->path = path;
	run->root = root;
	if (!path->filters)
		return;
	run->context = AllocSetContextCreate(CurrentMemoryContext, "JSONPath query",
										 ALLOCSET_SMALL_SIZES);
	run->scratch = AllocSetContextCreate(run->context, "JSONPath filter",
										 ALLOCSET_SMALL_SIZES);
	if (path->slot_count > 0)
		run->known = MemoryContextAllocZero(run->context,
											path->slot_count * sizeof(JsonPathKnown));
	if (path->pattern_count > 0)
		run->patterns = MemoryContextAllocZero(run->context,
											   path->pattern_count * sizeof(JsonPathPattern));
}

static void
end_run(JsonPathRun *run)
{
	if (run->context != NULL)
		MemoryContextDelete(run->context);
}

bool
arazzo_jsonpath_single(const JsonPathRun *run, const JsonPathQuery *query,
					   const JsonbValue *current, JsonbValue *result)
{
	*result = query->absolute ? *run->root : *current;
	for (int i = 0; i < query->segment_count; i++)
	{
		const JsonPathSelector *selector = &query->segments[i].selectors[0];
		JsonbValue	container = *result;

		if (selector->kind == SELECTOR_NAME)
		{
			if (!arazzo_jsonpath_member(&container, selector->is.name.data,
										selector->is.name.length, result))
				return false;
		}
		else if (!arazzo_jsonpath_element(&container, selector->is.index, NULL, result))
			return false;
	}
	return true;
}

int64
arazzo_jsonpath_count(JsonPathRun *run, const JsonPathQuery *query,
					  const JsonbValue *current, int64 limit, JsonbValue *first)
{
	JsonPathKnown *known = query->absolute ? &run->known[query->slot] : NULL;
	Walk		walk = {0};

	if (known == NULL || !known->known)
	{
		walk.run = run;
		walk.query = query;
		walk.limit = limit;
		walk.first = known != NULL ? &known->first : first;
		(void) visit(&walk, 0, query->absolute ? run->root : current, NULL);
		if (known == NULL)
			return walk.count;
		known->known = true;
		known->count = walk.count;
	}
	if (first != NULL)
		*first = known->first;
	return known->count;
}

/*
 * Applies the segments from one on to a node.  This and the functions below
 * return false when no further node is wanted.
 */
static bool
visit(Walk *walk, int segment, const JsonbValue *value, const Place *place)
{
	CHECK_FOR_INTERRUPTS();
	if (segment == walk->query->segment_count)
		return take(walk, value, place);
	if (value->type != jbvBinary)
		return true;
	check_stack_depth();
	if (walk->query->segments[segment].descendant)
		return descend(walk, segment, value, place);
	return select_children(walk, segment, value, place);
}

/*
 * Descendant segment (2.5.2.2): a node comes before its descendants.  Levels
 * are kept apart from the stack, so that no value is too deep.
 */
static bool
descend(Walk *walk, int segment, const JsonbValue *value, const Place *place)
{
	Level	   *top = enter(NULL, value, place);
	Level	   *level = top;
	JsonbValue	child;
	bool		more = select_children(walk, segment, value, place);

	while (more && level != NULL)
	{
		CHECK_FOR_INTERRUPTS();
		if (!arazzo_jsonpath_next_child(&level->children, &child, &level->place.step))
			level = level->up;
		else if (child.type == jbvBinary)
		{
			more = select_children(walk, segment, &child, &level->place);
			level = enter(level, &child, &level->place);
		}
	}
	while (top != NULL)
	{
		level = top->down;
		pfree(top);
		top = level;
	}
	return more;
}

/* The level below another (or the first), set to a value's children. */
static Level *
enter(Level *up, const JsonbValue *value, const Place *place)
{
	Level	   *level = (up != NULL ? up->down : NULL);

	if (level == NULL)
	{
		level = palloc(sizeof(Level));
		level->up = up;
		level->down = NULL;
		if (up != NULL)
			up->down = level;
	}
	level->place.parent = place;
	arazzo_jsonpath_children(&level->children, value);
	return level;
}

/* Child segment (2.5.1.2) */
static bool
select_children(Walk *walk, int segment, const JsonbValue *value, const Place *place)
{
	const JsonPathSegment *applied = &walk->query->segments[segment];

	for (int i = 0; i < applied->selector_count; i++)
	{
		const JsonPathSelector *selector = &applied->selectors[i];
		bool		more = true;

		switch (selector->kind)
		{
			case SELECTOR_NAME:
				more = select_name(walk, segment, &selector->is.name, value, place);
				break;
			case SELECTOR_INDEX:
				more = select_element(walk, segment, selector->is.index, value, place);
				break;
			case SELECTOR_SLICE:
				more = select_slice(walk, segment, &selector->is.slice, value, place);
				break;
			case SELECTOR_WILDCARD:
				more = select_each(walk, segment, NULL, value, place);
				break;
			case SELECTOR_FILTER:
				more = select_each(walk, segment, selector->is.filter, value, place);
				break;
		}
		if (!more)
			return false;
	}
	return true;
}

/* Name selector (2.3.1.2) */
static bool
select_name(Walk *walk, int segment, const JsonPathName *name,
			const JsonbValue *value, const Place *place)
{
	JsonbValue	child;
	Place		below;

	if (!arazzo_jsonpath_member(value, name->data, name->length, &child))
		return true;
	below.parent = place;
	below.step.name = name->data;
	below.step.length = name->length;
	return visit(walk, segment + 1, &child, &below);
}

/* Index selector (2.3.3.2) */
static bool
select_element(Walk *walk, int segment, int64 index,
			   const JsonbValue *value, const Place *place)
{
	JsonbValue	child;
	Place		below;

	below.parent = place;
	if (!arazzo_jsonpath_element(value, index, &below.step, &child))
		return true;
	return visit(walk, segment + 1, &child, &below);
}

/*
 * Array slice selector (2.3.4.2).  The numbers are within 2^53 and the length
 * within 2^28, so that no sum overflows.
 */
static bool
select_slice(Walk *walk, int segment, const JsonPathSlice *slice,
			 const JsonbValue *value, const Place *place)
{
	int64		length = arazzo_value_count(value);
	int64		step = slice->step;
	int64		lowest = (step < 0 ? -1 : 0);
	int64		highest = (step < 0 ? length - 1 : length);
	int64		from = (step < 0 ? length - 1 : 0);
	int64		to = (step < 0 ? -1 : length);

	if (step == 0 || !arazzo_value_is_array(value))
		return true;
	if (slice->has_start)
		from = slice->start < 0 ? length + slice->start : slice->start;
	if (slice->has_end)
		to = slice->end < 0 ? length + slice->end : slice->end;
	from = Min(Max(from, lowest), highest);
	to = Min(Max(to, lowest), highest);
	for (int64 i = from; step > 0 ? i < to : i > to; i += step)
	{
		if (!select_element(walk, segment, i, value, place))
			return false;
	}
	return true;
}

/* Wildcard selector (2.3.2.2); with a filter, filter selector (2.3.5.2). */
static bool
select_each(Walk *walk, int segment, const JsonPathLogical *filter,
			const JsonbValue *value, const Place *place)
{
	JsonPathChildren children;
	JsonbValue	child;
	Place		below;

	below.parent = place;
	arazzo_jsonpath_children(&children, value);
	while (arazzo_jsonpath_next_child(&children, &child, &below.step))
	{
		if (filter != NULL && !filter_holds(walk->run, filter, &child))
			continue;
		if (!visit(walk, segment + 1, &child, &below))
			return false;
	}
	return true;
}

/* What evaluating leaves behind is dropped once the outermost filter is done. */
static bool
filter_holds(JsonPathRun *run, const JsonPathLogical *filter, const JsonbValue *candidate)
{
	MemoryContext old = MemoryContextSwitchTo(run->scratch);
	bool		holds;

	CHECK_FOR_INTERRUPTS();
	run->filter_depth++;
	holds = arazzo_jsonpath_holds(run, filter, candidate);
	run->filter_depth--;
	MemoryContextSwitchTo(old);
	if (run->filter_depth == 0)
		MemoryContextReset(run->scratch);
	return holds;
}

/* A node has come through all segments. */
static bool
take(Walk *walk, const JsonbValue *value, const Place *place)
{
	NodeCell   *cell;

	if (walk->first != NULL && walk->count == 0)
		*walk->first = *value;
	walk->count++;
	if (!walk->collecting)
		return walk->count < walk->limit;

	if (walk->count > walk->limit)
		ereport(ERROR,
				errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				errmsg("JSONPath query selects more than %lld nodes",
					   (long long) walk->limit));
	cell = new_cell(walk);
	cell->value = *value;
	cell->node.value = &cell->value;
	cell->node.location = walk->locations ? normalized_path(place) : NULL;
	walk->nodes = lappend(walk->nodes, &cell->node);
	return true;
}

/* Nodes are allocated many at a time. */
static NodeCell *
new_cell(Walk *walk)
{
	if (walk->block_used == walk->block_size)
	{
		walk->block_size = walk->block_size == 0 ? FIRST_BLOCK_NODES :
			Min(walk->block_size * 2, MAX_BLOCK_NODES);
		walk->block = palloc(walk->block_size * sizeof(NodeCell));
		walk->block_used = 0;
	}
	return &walk->block[walk->block_used++];
}

/* Normalized Path (2.7) */
static char *
normalized_path(const Place *place)
{
	StringInfoData out;
	const Place **places;
	int			depth = 0;
	int			filled;

	for (const Place *at = place; at != NULL; at = at->parent)
		depth++;
	places = palloc((depth + 1) * sizeof(Place *));
	filled = depth;
	for (const Place *at = place; at != NULL; at = at->parent)
		places[--filled] = at;

	initStringInfo(&out);
	appendStringInfoChar(&out, '$');
	for (int i = 0; i < depth; i++)
		append_step(&out, &places[i]->step);
	pfree(places);
	return out.data;
}

static void
append_step(StringInfo out, const JsonPathStep *step)
{
	if (step->name == NULL)
		appendStringInfo(out, "[%d]", step->length);
	else
	{
		appendStringInfoString(out, "['");
		append_escaped(out, step);
		appendStringInfoString(out, "']");
	}
}

/* normal-single-quoted: each character has one way to be written. */
static void
append_escaped(StringInfo out, const JsonPathStep *step)
{
	static const char escaped[] = "\b\t\n\f\r'\\";
	static const char letters[] = "btnfr'\\";

	for (int i = 0; i < step->length; i++)
	{
		unsigned char next = step->name[i];
		const char *found = next != '\0' ? strchr(escaped, next) : NULL;

		if (found != NULL)
		{
			appendStringInfoChar(out, '\\');
			appendStringInfoChar(out, letters[found - escaped]);
		}
		else if (next < 0x20)
			appendStringInfo(out, "\\u%04x", next);
		else
			appendStringInfoChar(out, next);
	}
}
