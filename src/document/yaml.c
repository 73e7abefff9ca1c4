/*-------------------------------------------------------------------------
 *
 * yaml.c
 *	  A YAML 1.2 stream of one document to a tree.
 *
 * libyaml finds the events; what they mean is decided here: tags and the
 * core schema, anchors, merge keys.  libyaml is never given memory of ours,
 * and all that it allocates is released by a callback of the scratch memory
 * context, which is registered before there is anything to release.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <yaml.h>

#include "common/pg_prng.h"
#include "miscadmin.h"

#include "document/names.h"
#include "document/scalar.h"
#include "document/syntax.h"
#include "document/yaml_check.h"
#include "document/yaml_text.h"
#include "support/settings.h"

#define TAG_PREFIX		"tag:yaml.org,2002:"

/* libyaml compares each of them with all others, without a pause. */
#define MAX_TAG_DIRECTIVES	100

typedef enum Tag
{
	TAG_NONE,
	TAG_TEXT,					/* "!", the non-specific tag, or !!str */
	TAG_INTEGER,
	TAG_FLOAT,
	TAG_BOOLEAN,
	TAG_NULL,
	TAG_MERGE,
	TAG_MAPPING,
	TAG_SEQUENCE,
	TAG_OTHER					/* says nothing to us: as if it were not there */
} Tag;

static const struct
{
	const char *name;			/* after the prefix */
	Tag			tag;
	const char *meaning;
}			tags[] = {
	{"str", TAG_TEXT, "a string"},
	{"int", TAG_INTEGER, "an integer"},
	{"float", TAG_FLOAT, "a number"},
	{"bool", TAG_BOOLEAN, "a boolean"},
	{"null", TAG_NULL, "null"},
	{"merge", TAG_MERGE, "a merge key"},
	{"map", TAG_MAPPING, "a mapping"},
	{"seq", TAG_SEQUENCE, "a sequence"}
};

/* A node that aliases may repeat. */
typedef struct Anchor
{
	ArazzoNode *node;			/* NULL as long as the node is open */
	const char *text;			/* of a scalar, in case it becomes a key */
	size_t		length;
	ArazzoExtent extent;
} Anchor;

typedef struct YamlReader
{
	ArazzoBuilder *builder;
	yaml_parser_t parser;
	bool		parser_live;
	yaml_event_t event;
	bool		event_live;
	ArazzoYamlText text;
	ArazzoYamlCursor cursor;
	int			documents;
	int			depth;			/* of open containers */
	int		   *open_anchors;	/* number of the anchor, or -1, by depth */
	uint64		seed;
	names_hash *anchor_names;
	Anchor	   *anchors;
	int			anchor_count;
	int			anchor_space;
} YamlReader;

static YamlReader *create_reader(ArazzoBuilder *builder, const char *text, size_t length);
static void release_parser(void *argument);
static void start_parser(YamlReader *reader);
static ArazzoSyntaxResult read_events(YamlReader *reader);
static bool check_text(YamlReader *reader);
static bool check_event(YamlReader *reader, size_t end);
static bool read_event(YamlReader *reader);
static bool start_document(YamlReader *reader);
static bool read_alias(YamlReader *reader);
static bool read_scalar(YamlReader *reader);
static bool read_key(YamlReader *reader, Tag tag);
static bool open_container(YamlReader *reader, ArazzoNodeType type);
static bool close_container(YamlReader *reader);
static Tag	scalar_tag(YamlReader *reader);
static Tag	named_tag(const char *name);
static const char *tag_meaning(Tag tag);
static ArazzoScalarType scalar_type(YamlReader *reader, Tag tag);
static bool tag_allows(Tag tag, ArazzoScalarType type);
static ArazzoNode *make_scalar(YamlReader *reader, Tag tag);
static ArazzoNode *make_number(YamlReader *reader, ArazzoScalarType type);
static void set_anchor(YamlReader *reader, const char *name, int number);
static int	new_anchor(YamlReader *reader);
static void anchor_scalar(YamlReader *reader, ArazzoNode *node);
static Anchor *find_anchor(YamlReader *reader, const char *name);
static bool fail(YamlReader *reader, ArazzoFailure *failure);
static void note_parser_failure(YamlReader *reader);
static void note_character(YamlReader *reader);
static const char *problem_hint(YamlReader *reader);

#define EVENT_LINE(reader)		((int) (reader)->event.start_mark.line + 1)
#define EVENT_COLUMN(reader)	((int) (reader)->event.start_mark.column + 1)

ArazzoSyntaxResult
arazzo_yaml_read(ArazzoBuilder *builder, const char *text, size_t length)
{
	YamlReader *reader = create_reader(builder, text, length);

	if (reader->text.tag_directives > MAX_TAG_DIRECTIVES)
	{
		(void) arazzo_builder_fail(builder,
								   arazzo_failure_make(ERRCODE_PROGRAM_LIMIT_EXCEEDED,
													   "document has more than %d tag directives",
													   MAX_TAG_DIRECTIVES),
								   1, 1);
		return SYNTAX_REFUSED;
	}
	start_parser(reader);
	return read_events(reader);
}

static YamlReader *
create_reader(ArazzoBuilder *builder, const char *text, size_t length)
{
	YamlReader *reader = palloc0(sizeof(YamlReader));
	MemoryContextCallback *callback = palloc0(sizeof(MemoryContextCallback));

	callback->func = release_parser;
	callback->arg = reader;
	MemoryContextRegisterResetCallback(CurrentMemoryContext, callback);

	reader->builder = builder;
	arazzo_yaml_text_prepare(&reader->text, text, length);
	reader->cursor.builder = builder;
	reader->cursor.text = reader->text.data;
	reader->cursor.length = reader->text.length;
	reader->open_anchors = palloc((arazzo_max_document_depth + 1) * sizeof(int));
	reader->anchor_space = 16;
	reader->anchors = palloc(reader->anchor_space * sizeof(Anchor));
	reader->seed = pg_prng_uint64(&pg_global_prng_state);
	reader->anchor_names = names_create(CurrentMemoryContext, 16, &reader->seed);
	return reader;
}

/* Memory context callback: must not fail, and finds any state of the reader. */
static void
release_parser(void *argument)
{
	YamlReader *reader = argument;

	if (reader->event_live)
		yaml_event_delete(&reader->event);
	reader->event_live = false;
	if (reader->parser_live)
		yaml_parser_delete(&reader->parser);
	reader->parser_live = false;
}

static void
start_parser(YamlReader *reader)
{
	if (!yaml_parser_initialize(&reader->parser))
		ereport(ERROR,
				errcode(ERRCODE_OUT_OF_MEMORY),
				errmsg("out of memory"));
	reader->parser_live = true;
	yaml_parser_set_encoding(&reader->parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&reader->parser, (const unsigned char *) reader->text.data,
								 reader->text.length);
}

static ArazzoSyntaxResult
read_events(YamlReader *reader)
{
	bool		more = true;

	while (more)
	{
		bool		ok;

		CHECK_FOR_INTERRUPTS();
		if (!yaml_parser_parse(&reader->parser, &reader->event))
		{
			note_parser_failure(reader);
			return SYNTAX_OTHER;
		}
		reader->event_live = true;
		ok = check_text(reader) && read_event(reader);
		more = reader->event.type != YAML_STREAM_END_EVENT;
		reader->event_live = false;
		yaml_event_delete(&reader->event);
		if (!ok)
			return SYNTAX_REFUSED;
	}
	if (reader->documents > 0)
		return SYNTAX_READ;
	(void) arazzo_builder_fail(reader->builder,
							   arazzo_failure_make(ERRCODE_INVALID_TEXT_REPRESENTATION,
												   "text holds no document"),
							   1, 1);
	return SYNTAX_REFUSED;
}

/*
 * Refuses what libyaml lets pass or takes for something else: moves on from
 * the end of the last event to the end of this one.
 */
static bool
check_text(YamlReader *reader)
{
	ArazzoYamlCursor *cursor = &reader->cursor;
	size_t		gap = cursor->at;

	cursor->start = arazzo_yaml_advance(cursor, reader->event.start_mark.index);
	return arazzo_yaml_check_between(cursor, gap, cursor->start) &&
		check_event(reader, arazzo_yaml_advance(cursor, reader->event.end_mark.index));
}

/* Looks at the text of an event itself. */
static bool
check_event(YamlReader *reader, size_t end)
{
	const ArazzoYamlCursor *cursor = &reader->cursor;
	const yaml_event_t *event = &reader->event;
	const char *value;

	switch (event->type)
	{
		case YAML_ALIAS_EVENT:
			return arazzo_yaml_check_anchor(cursor, (const char *) event->data.alias.anchor);
		case YAML_SEQUENCE_START_EVENT:
			return arazzo_yaml_check_anchor(cursor, (const char *) event->data.sequence_start.anchor);
		case YAML_MAPPING_START_EVENT:
			return arazzo_yaml_check_anchor(cursor, (const char *) event->data.mapping_start.anchor) &&
				arazzo_yaml_check_pair(cursor, end);
		case YAML_DOCUMENT_START_EVENT:
			return arazzo_yaml_check_directives(cursor);
		case YAML_SCALAR_EVENT:
			break;
		default:
			return true;
	}
	value = (const char *) event->data.scalar.value;
	if (!arazzo_yaml_check_anchor(cursor, (const char *) event->data.scalar.anchor))
		return false;
	if (event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE)
		return arazzo_yaml_check_plain(cursor, value, event->data.scalar.length);
	if (event->data.scalar.style == YAML_LITERAL_SCALAR_STYLE ||
		event->data.scalar.style == YAML_FOLDED_SCALAR_STYLE)
		return arazzo_yaml_check_block(cursor);
	return true;
}

static bool
read_event(YamlReader *reader)
{
	switch (reader->event.type)
	{
		case YAML_DOCUMENT_START_EVENT:
			return start_document(reader);
		case YAML_ALIAS_EVENT:
			return read_alias(reader);
		case YAML_SCALAR_EVENT:
			return read_scalar(reader);
		case YAML_SEQUENCE_START_EVENT:
			return open_container(reader, NODE_ARRAY);
		case YAML_MAPPING_START_EVENT:
			return open_container(reader, NODE_OBJECT);
		case YAML_SEQUENCE_END_EVENT:
		case YAML_MAPPING_END_EVENT:
			return close_container(reader);
		default:
			return true;
	}
}

static bool
start_document(YamlReader *reader)
{
	if (++reader->documents == 1)
		return true;
	return fail(reader,
				arazzo_failure_make(ERRCODE_INVALID_TEXT_REPRESENTATION,
									"text holds more than one document"));
}

/* YAML 1.2.2, 7.1, Alias Nodes */
static bool
read_alias(YamlReader *reader)
{
	const char *name = (const char *) reader->event.data.alias.anchor;
	Anchor	   *anchor = find_anchor(reader, name);

	if (anchor == NULL)
		return fail(reader,
					arazzo_failure_make(ERRCODE_INVALID_TEXT_REPRESENTATION,
										"alias \"%s\" has no anchor before it", name));
	if (anchor->node == NULL)
		return fail(reader,
					arazzo_failure_make(ERRCODE_INVALID_TEXT_REPRESENTATION,
										"alias \"%s\" stands within the node that it repeats", name));
	if (arazzo_builder_slot(reader->builder) != SLOT_KEY)
		return arazzo_builder_place_again(reader->builder, anchor->node, &anchor->extent,
										  EVENT_LINE(reader), EVENT_COLUMN(reader));
	if (anchor->text == NULL)
		return fail(reader,
					arazzo_failure_make(ERRCODE_INVALID_TEXT_REPRESENTATION,
										"mapping key is not a scalar"));
	return arazzo_builder_key(reader->builder, anchor->text, anchor->length,
							  EVENT_LINE(reader), EVENT_COLUMN(reader));
}

static bool
read_scalar(YamlReader *reader)
{
	size_t		length = reader->event.data.scalar.length;
	Tag			tag;
	ArazzoNode *node;

	if (memchr(reader->event.data.scalar.value, '\0', length) != NULL)
		return fail(reader,
					arazzo_failure_make(ERRCODE_UNTRANSLATABLE_CHARACTER,
										"string contains a NUL character, which cannot be stored"));
	reader->event.data.scalar.length =
		arazzo_yaml_text_restore(&reader->text, (char *) reader->event.data.scalar.value, length);

	tag = scalar_tag(reader);
	if (arazzo_builder_slot(reader->builder) == SLOT_KEY)
		return read_key(reader, tag);
	node = make_scalar(reader, tag);
	if (node == NULL || !arazzo_builder_place(reader->builder, node))
		return false;
	if (reader->event.data.scalar.anchor != NULL)
		anchor_scalar(reader, node);
	return true;
}

/*
 * Keys are strings in JSON: a scalar that is none becomes its text.  The
 * merge key is not part of YAML 1.2 but of what documents use.
 */
static bool
read_key(YamlReader *reader, Tag tag)
{
	const char *text = (const char *) reader->event.data.scalar.value;
	size_t		length = reader->event.data.scalar.length;

	if (tag == TAG_MERGE ||
		(tag == TAG_NONE && length == 2 && memcmp(text, "<<", 2) == 0 &&
		 reader->event.data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
		 !arazzo_yaml_is_non_specific(&reader->cursor)))
		return arazzo_builder_merge_key(reader->builder, EVENT_LINE(reader), EVENT_COLUMN(reader));

	if (tag != TAG_NONE || reader->event.data.scalar.anchor != NULL)
	{
		ArazzoNode *node = make_scalar(reader, tag);

		if (node == NULL)
			return false;
		if (reader->event.data.scalar.anchor != NULL)
			anchor_scalar(reader, node);
	}
	return arazzo_builder_key(reader->builder, text, length,
							  EVENT_LINE(reader), EVENT_COLUMN(reader));
}

static bool
open_container(YamlReader *reader, ArazzoNodeType type)
{
	/* both events begin with anchor and tag, but are different structs */
	bool		mapping = type == NODE_OBJECT;
	const char *anchor = (const char *) (mapping ? reader->event.data.mapping_start.anchor :
										 reader->event.data.sequence_start.anchor);
	const char *name = (const char *) (mapping ? reader->event.data.mapping_start.tag :
									   reader->event.data.sequence_start.tag);
	Tag			tag = name == NULL ? TAG_NONE : named_tag(name);

	if (arazzo_builder_slot(reader->builder) == SLOT_KEY)
		return fail(reader,
					arazzo_failure_make(ERRCODE_INVALID_TEXT_REPRESENTATION,
										"mapping key is not a scalar"));
	if (tag != TAG_NONE && tag != TAG_OTHER && strcmp(name, "!") != 0 &&
		tag != (mapping ? TAG_MAPPING : TAG_SEQUENCE))
		return fail(reader,
					arazzo_failure_make(ERRCODE_INVALID_TEXT_REPRESENTATION,
										"%s is tagged as %s",
										mapping ? "mapping" : "sequence", tag_meaning(tag)));
	if (arazzo_builder_open(reader->builder, type, EVENT_LINE(reader), EVENT_COLUMN(reader)) == NULL)
		return false;
	reader->open_anchors[reader->depth] = -1;
	if (anchor != NULL)
	{
		reader->open_anchors[reader->depth] = new_anchor(reader);
		set_anchor(reader, anchor, reader->open_anchors[reader->depth]);
	}
	reader->depth++;
	return true;
}

static bool
close_container(YamlReader *reader)
{
	ArazzoNode *node;
	ArazzoExtent extent;
	int			number;

	if (!arazzo_builder_close(reader->builder, &node, &extent))
		return false;
	number = reader->open_anchors[--reader->depth];
	if (number >= 0)
	{
		reader->anchors[number].node = node;
		reader->anchors[number].extent = extent;
	}
	return true;
}

static Tag
scalar_tag(YamlReader *reader)
{
	const char *name = (const char *) reader->event.data.scalar.tag;

	return name == NULL ? TAG_NONE : named_tag(name);
}

static Tag
named_tag(const char *name)
{
	size_t		i;

	if (strcmp(name, "!") == 0)
		return TAG_TEXT;
	if (strncmp(name, TAG_PREFIX, strlen(TAG_PREFIX)) != 0)
		return TAG_OTHER;
	for (i = 0; i < lengthof(tags); i++)
	{
		if (strcmp(name + strlen(TAG_PREFIX), tags[i].name) == 0)
			return tags[i].tag;
	}
	return TAG_OTHER;
}

static const char *
tag_meaning(Tag tag)
{
	size_t		i;

	for (i = 0; i < lengthof(tags); i++)
	{
		if (tags[i].tag == tag)
			return tags[i].meaning;
	}
	return "something else";
}

static ArazzoNode *
make_scalar(YamlReader *reader, Tag tag)
{
	ArazzoScalarType type = scalar_type(reader, tag);
	ArazzoNode *node;

	if (!tag_allows(tag, type))
	{
		(void) fail(reader,
					arazzo_failure_make(ERRCODE_INVALID_TEXT_REPRESENTATION,
										"scalar is tagged as %s but is none", tag_meaning(tag)));
		return NULL;
	}
	switch (type)
	{
		case SCALAR_STRING:
			return arazzo_builder_string(reader->builder,
										 (const char *) reader->event.data.scalar.value,
										 reader->event.data.scalar.length,
										 EVENT_LINE(reader), EVENT_COLUMN(reader));
		case SCALAR_NULL:
			return arazzo_builder_scalar(reader->builder, NODE_NULL,
										 EVENT_LINE(reader), EVENT_COLUMN(reader));
		case SCALAR_TRUE:
		case SCALAR_FALSE:
			node = arazzo_builder_scalar(reader->builder, NODE_BOOLEAN,
										 EVENT_LINE(reader), EVENT_COLUMN(reader));
			node->u.boolean = type == SCALAR_TRUE;
			return node;
		default:
			return make_number(reader, type);
	}
}

static ArazzoNode *
make_number(YamlReader *reader, ArazzoScalarType type)
{
	ArazzoFailure *failure;
	Numeric		number;
	ArazzoNode *node;

	if (type == SCALAR_INFINITE || type == SCALAR_NAN)
	{
		failure = arazzo_failure_make(ERRCODE_INVALID_TEXT_REPRESENTATION,
									  "%s cannot be kept as JSON",
									  type == SCALAR_NAN ? "not-a-number" : "infinity");
		arazzo_failure_hint(failure, "Quote the value if it is meant to be a string.");
		(void) fail(reader, failure);
		return NULL;
	}
	number = arazzo_scalar_number((const char *) reader->event.data.scalar.value,
								  reader->event.data.scalar.length, type);
	if (number == NULL)
	{
		failure = arazzo_failure_make(ERRCODE_PROGRAM_LIMIT_EXCEEDED, "number is out of range");
		arazzo_failure_hint(failure, "Quote the value if it is meant to be a string.");
		(void) fail(reader, failure);
		return NULL;
	}
	node = arazzo_builder_number(reader->builder, number, EVENT_LINE(reader), EVENT_COLUMN(reader));
	pfree(number);
	return node;
}

/* What the scalar of the event stands for, if its tag allows that. */
static ArazzoScalarType
scalar_type(YamlReader *reader, Tag tag)
{
	bool		plain = reader->event.data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
	ArazzoScalarType type;

	if (tag == TAG_TEXT || (!plain && (tag == TAG_NONE || tag == TAG_OTHER)))
		return SCALAR_STRING;
	type = arazzo_scalar_type((const char *) reader->event.data.scalar.value,
							  reader->event.data.scalar.length);
	if (type != SCALAR_STRING && tag == TAG_NONE && arazzo_yaml_is_non_specific(&reader->cursor))
		return SCALAR_STRING;
	return type;
}

static bool
tag_allows(Tag tag, ArazzoScalarType type)
{
	switch (tag)
	{
		case TAG_INTEGER:
			return type == SCALAR_INTEGER || type == SCALAR_OCTAL || type == SCALAR_HEXADECIMAL;
		case TAG_FLOAT:
			return type == SCALAR_INTEGER || type == SCALAR_FLOAT ||
				type == SCALAR_INFINITE || type == SCALAR_NAN;
		case TAG_BOOLEAN:
			return type == SCALAR_TRUE || type == SCALAR_FALSE;
		case TAG_NULL:
			return type == SCALAR_NULL;
		case TAG_MERGE:
		case TAG_MAPPING:
		case TAG_SEQUENCE:
			return false;
		default:
			return true;
	}
}

static void
anchor_scalar(YamlReader *reader, ArazzoNode *node)
{
	int			number = new_anchor(reader);
	Anchor	   *anchor = &reader->anchors[number];
	size_t		length = reader->event.data.scalar.length;

	anchor->node = node;
	anchor->text = pnstrdup((const char *) reader->event.data.scalar.value, length);
	anchor->length = length;
	anchor->extent.nodes = 1;
	anchor->extent.bytes = length;
	anchor->extent.height = 0;
	set_anchor(reader, (const char *) reader->event.data.scalar.anchor, number);
}

/* An anchor of a node that is open. */
static int
new_anchor(YamlReader *reader)
{
	if (reader->anchor_count == reader->anchor_space)
	{
		reader->anchor_space *= 2;
		reader->anchors = repalloc_huge(reader->anchors, reader->anchor_space * sizeof(Anchor));
	}
	memset(&reader->anchors[reader->anchor_count], 0, sizeof(Anchor));
	return reader->anchor_count++;
}

/* From here on the name means this anchor (YAML 1.2.2, 3.2.2.2). */
static void
set_anchor(YamlReader *reader, const char *name, int number)
{
	KeyName		key = {pstrdup(name), strlen(name)};
	NameEntry  *entry;
	bool		found;

	entry = names_insert(reader->anchor_names, key, &found);
	entry->number = number;
}

static Anchor *
find_anchor(YamlReader *reader, const char *name)
{
	KeyName		key = {name, strlen(name)};
	NameEntry  *entry = names_lookup(reader->anchor_names, key);

	return entry == NULL ? NULL : &reader->anchors[entry->number];
}

/* Notes a failure at the current event. */
static bool
fail(YamlReader *reader, ArazzoFailure *failure)
{
	return arazzo_builder_fail(reader->builder, failure,
							   EVENT_LINE(reader), EVENT_COLUMN(reader));
}

/* Notes what libyaml stumbled over. */
static void
note_parser_failure(YamlReader *reader)
{
	const yaml_parser_t *parser = &reader->parser;
	ArazzoFailure *failure;
	const char *hint;
	int			line;
	int			column;

	if (parser->error == YAML_MEMORY_ERROR)
		ereport(ERROR,
				errcode(ERRCODE_OUT_OF_MEMORY),
				errmsg("out of memory"));
	if (parser->error == YAML_READER_ERROR)
	{
		note_character(reader);
		return;
	}

	failure = arazzo_failure_make(ERRCODE_INVALID_TEXT_REPRESENTATION, "invalid YAML: %s",
								  parser->problem ? parser->problem : "cause unknown");
	if (parser->context != NULL && parser->context_mark.index < parser->problem_mark.index)
		arazzo_failure_detail(failure, "The error occurred %s that begins at line %d, column %d.",
							  parser->context,
							  (int) parser->context_mark.line + 1,
							  (int) parser->context_mark.column + 1);
	hint = problem_hint(reader);
	if (hint != NULL)
		arazzo_failure_hint(failure, "%s", hint);
	line = (int) parser->problem_mark.line + 1;
	column = (int) parser->problem_mark.column + 1;
	if (reader->cursor.at == reader->text.length)
		arazzo_text_position(reader->text.data, reader->text.length, &line, &column);
	(void) arazzo_builder_fail(reader->builder, failure, line, column);
}

/* A character that YAML does not allow; the encoding itself is known good. */
static void
note_character(YamlReader *reader)
{
	int			line;
	int			column;

	arazzo_text_position(reader->text.data,
						 Min(reader->parser.problem_offset, reader->text.length), &line, &column);
	(void) arazzo_builder_fail(reader->builder,
							   arazzo_failure_make(ERRCODE_INVALID_TEXT_REPRESENTATION,
												   "invalid YAML: character U+%04X is not allowed",
												   reader->parser.problem_value),
							   line, column);
}

/*
 * Help for the mistakes that are made most.  Moves to the problem's place in
 * the text.
 */
static const char *
problem_hint(YamlReader *reader)
{
	const char *problem = reader->parser.problem ? reader->parser.problem : "";
	size_t		at;

	reader->cursor.at = 0;
	reader->cursor.at_index = 0;
	at = arazzo_yaml_advance(&reader->cursor, reader->parser.problem_mark.index);
	if (at < reader->text.length && reader->text.data[at] == '\t')
		return "YAML is indented with spaces, never with tabs.";
	if (strstr(problem, "cannot start any token") != NULL)
		return "Quote the value if it is meant to be a string.";
	if (strstr(problem, "mapping values are not allowed") != NULL)
		return "Quote the value if it is meant to contain a colon.";
	return NULL;
}
