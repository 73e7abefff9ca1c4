/*-------------------------------------------------------------------------
 *
 * builder.c
 *	  Grows a document's tree from what a syntax reader finds.
 *
 * Children of all open containers lie on two stacks, one of members and one
 * of items; a container that is closed takes its own from the top and gets
 * an array of exactly their number.  A container's node is in its place from
 * the moment it is opened.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "common/pg_prng.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/memutils.h"

#include "document/builder.h"
#include "document/names.h"
#include "support/settings.h"

#define FIRST_PIECE		((size_t) 4096)
#define LARGEST_PIECE	((size_t) 1024 * 1024)

/* Up to this many members are compared one by one. */
#define FEW_MEMBERS		8

/* A piece of the tree's memory, and the one taken before it. */
typedef struct Piece
{
	struct Piece *previous;
} Piece;

typedef struct Frame
{
	ArazzoNode *node;
	int			first;			/* of its children on the stack */
	int			height;			/* of the highest child so far */
	bool		has_key;		/* an object whose last member lacks a value */
	bool		has_merge;
	int64		nodes_before;
	int64		bytes_before;
	names_hash *names;			/* keys, once they are more than a few */
} Frame;

struct ArazzoBuilder
{
	MemoryContext tree_context;
	MemoryContext scratch;
	Piece	   *pieces;
	char	   *free;			/* within the newest piece */
	char	   *free_end;
	size_t		next_piece;
	Frame	   *frames;
	int			depth;
	int			frame_space;
	ArazzoMember *members;
	int			member_count;
	int			member_space;
	ArazzoNode **items;
	int			item_count;
	int			item_space;
	int64		nodes;
	int64		bytes;
	uint64		seed;
	ArazzoNode *root;
	ArazzoFailure *failure;
};

/* Stands as the key of a merge until its object is closed. */
static const char merge_key[] = "<<";

static void free_pieces(ArazzoBuilder *builder);
static void *take(ArazzoBuilder *builder, size_t size);
static void take_piece(ArazzoBuilder *builder, size_t size);
static bool count_node(ArazzoBuilder *builder, int line, int column);
static void attach(ArazzoBuilder *builder, ArazzoNode *node);
static bool check_depth(ArazzoBuilder *builder, int height, int line, int column);
static void push_member(ArazzoBuilder *builder, const char *key, int length, int line, int column);
static bool is_duplicate(ArazzoBuilder *builder, Frame *frame, KeyName name);
static names_hash *hash_members(ArazzoBuilder *builder, const Frame *frame);
static bool close_object(ArazzoBuilder *builder, Frame *frame);
static void close_array(ArazzoBuilder *builder, Frame *frame);
static bool merge_members(ArazzoBuilder *builder, Frame *frame);
static bool merge_value(ArazzoBuilder *builder, names_hash *names, const ArazzoMember *merge);
static void merge_object(ArazzoBuilder *builder, names_hash *names, const ArazzoNode *object);

ArazzoBuilder *
arazzo_builder_create(void)
{
	MemoryContext scratch;
	ArazzoBuilder *builder;

	scratch = AllocSetContextCreate(CurrentMemoryContext, "arazzo document reader",
									ALLOCSET_DEFAULT_SIZES);
	builder = MemoryContextAllocZero(scratch, sizeof(ArazzoBuilder));
	builder->tree_context = CurrentMemoryContext;
	builder->scratch = scratch;
	builder->next_piece = FIRST_PIECE;
	builder->seed = pg_prng_uint64(&pg_global_prng_state);

	builder->frame_space = 32;
	builder->frames = MemoryContextAlloc(scratch, builder->frame_space * sizeof(Frame));
	builder->member_space = 256;
	builder->members = MemoryContextAlloc(scratch, builder->member_space * sizeof(ArazzoMember));
	builder->item_space = 256;
	builder->items = MemoryContextAlloc(scratch, builder->item_space * sizeof(ArazzoNode *));
	return builder;
}

MemoryContext
arazzo_builder_scratch(ArazzoBuilder *builder)
{
	return builder->scratch;
}

ArazzoNode *
arazzo_builder_finish(ArazzoBuilder *builder, ArazzoFailure **failure)
{
	ArazzoNode *root = builder->root;

	*failure = NULL;
	if (builder->failure != NULL)
	{
		*failure = arazzo_failure_copy(builder->failure);
		free_pieces(builder);
		root = NULL;
	}
	MemoryContextDelete(builder->scratch);
	return root;
}

void
arazzo_builder_restart(ArazzoBuilder *builder)
{
	free_pieces(builder);
	builder->next_piece = FIRST_PIECE;
	builder->depth = 0;
	builder->member_count = 0;
	builder->item_count = 0;
	builder->nodes = 0;
	builder->bytes = 0;
	builder->root = NULL;
	builder->failure = NULL;
}

static void
free_pieces(ArazzoBuilder *builder)
{
	while (builder->pieces != NULL)
	{
		Piece	   *piece = builder->pieces;

		builder->pieces = piece->previous;
		pfree(piece);
	}
	builder->free = NULL;
	builder->free_end = NULL;
}

/* Memory for the tree, aligned for any of its types. */
static inline void *
take(ArazzoBuilder *builder, size_t size)
{
	char	   *taken;

	size = MAXALIGN(size);
	if ((size_t) (builder->free_end - builder->free) < size)
		take_piece(builder, size);
	taken = builder->free;
	builder->free += size;
	return taken;
}

/* Begins a new piece that has room for at least size bytes. */
static void
take_piece(ArazzoBuilder *builder, size_t size)
{
	size_t		room = Max(builder->next_piece, size + MAXALIGN(sizeof(Piece)));
	Piece	   *piece = MemoryContextAllocHuge(builder->tree_context, room);

	builder->next_piece = Min(builder->next_piece * 2, LARGEST_PIECE);
	piece->previous = builder->pieces;
	builder->pieces = piece;
	builder->free = (char *) piece + MAXALIGN(sizeof(Piece));
	builder->free_end = (char *) piece + room;
}

bool
arazzo_builder_fail(ArazzoBuilder *builder, ArazzoFailure *failure, int line, int column)
{
	failure->line = line;
	failure->column = column;
	if (failure->detail != NULL)
		arazzo_failure_detail(failure, "Line %d, column %d. %s", line, column, failure->detail);
	else
		arazzo_failure_detail(failure, "Line %d, column %d.", line, column);
	builder->failure = failure;
	return false;
}

ArazzoFailure *
arazzo_builder_failure(ArazzoBuilder *builder)
{
	return builder->failure;
}

void
arazzo_builder_replace_failure(ArazzoBuilder *builder, ArazzoFailure *failure)
{
	builder->failure = failure;
}

ArazzoSlot
arazzo_builder_slot(const ArazzoBuilder *builder)
{
	const Frame *frame;

	if (builder->depth == 0)
		return builder->root == NULL ? SLOT_ROOT : SLOT_NONE;
	frame = &builder->frames[builder->depth - 1];
	if (frame->node->type == NODE_ARRAY)
		return SLOT_ITEM;
	return frame->has_key ? SLOT_VALUE : SLOT_KEY;
}

ArazzoNode *
arazzo_builder_scalar(ArazzoBuilder *builder, ArazzoNodeType type, int line, int column)
{
	ArazzoNode *node = take(builder, sizeof(ArazzoNode));

	node->type = type;
	node->line = line;
	node->column = column;
	node->count = 0;
	node->u.string = NULL;
	return node;
}

ArazzoNode *
arazzo_builder_string(ArazzoBuilder *builder, const char *data, size_t length, int line, int column)
{
	ArazzoNode *node = take(builder, sizeof(ArazzoNode) + length + 1);
	char	   *copy = (char *) (node + 1);

	memcpy(copy, data, length);
	copy[length] = '\0';
	node->type = NODE_STRING;
	node->line = line;
	node->column = column;
	node->count = (int) length;
	node->u.string = copy;
	builder->bytes += length;
	return node;
}

ArazzoNode *
arazzo_builder_number(ArazzoBuilder *builder, Numeric number, int line, int column)
{
	size_t		size = VARSIZE_ANY(number);
	ArazzoNode *node = take(builder, sizeof(ArazzoNode) + size);

	memcpy(node + 1, number, size);
	node->type = NODE_NUMBER;
	node->line = line;
	node->column = column;
	node->count = 0;
	node->u.number = (Numeric) (node + 1);
	builder->bytes += size;
	return node;
}

bool
arazzo_builder_place(ArazzoBuilder *builder, ArazzoNode *node)
{
	if (!count_node(builder, node->line, node->column))
		return false;
	attach(builder, node);
	return true;
}

bool
arazzo_builder_place_again(ArazzoBuilder *builder, ArazzoNode *node,
						   const ArazzoExtent *extent, int line, int column)
{
	int64		byte_limit = (int64) arazzo_max_document_kb * 1024;

	if (extent->nodes > arazzo_max_document_nodes - builder->nodes)
		return arazzo_builder_fail(builder,
								   arazzo_failure_hint(arazzo_failure_make(ERRCODE_PROGRAM_LIMIT_EXCEEDED,
																		   "aliases make the document larger than %d nodes",
																		   arazzo_max_document_nodes),
													   "The limit is set by arazzo.max_document_nodes."),
								   line, column);
	if (extent->bytes > byte_limit - builder->bytes)
		return arazzo_builder_fail(builder,
								   arazzo_failure_hint(arazzo_failure_make(ERRCODE_PROGRAM_LIMIT_EXCEEDED,
																		   "aliases make the document larger than %d kB",
																		   arazzo_max_document_kb),
													   "The limit is set by arazzo.max_document_size."),
								   line, column);
	if (!check_depth(builder, extent->height, line, column))
		return false;
	builder->nodes += extent->nodes;
	builder->bytes += extent->bytes;
	attach(builder, node);
	return true;
}

/* Counts a node that is about to be placed. */
static inline bool
count_node(ArazzoBuilder *builder, int line, int column)
{
	if (likely(++builder->nodes <= arazzo_max_document_nodes))
		return true;
	return arazzo_builder_fail(builder,
							   arazzo_failure_hint(arazzo_failure_make(ERRCODE_PROGRAM_LIMIT_EXCEEDED,
																	   "document has more than %d nodes",
																	   arazzo_max_document_nodes),
												   "The limit is set by arazzo.max_document_nodes."),
							   line, column);
}

/* Puts a node that is counted into the current slot. */
static inline void
attach(ArazzoBuilder *builder, ArazzoNode *node)
{
	Frame	   *frame;

	if (builder->depth == 0)
	{
		builder->root = node;
		return;
	}
	frame = &builder->frames[builder->depth - 1];
	if (frame->node->type == NODE_OBJECT)
	{
		Assert(frame->has_key);
		builder->members[builder->member_count - 1].value = node;
		frame->has_key = false;
		return;
	}
	if (builder->item_count == builder->item_space)
	{
		builder->item_space *= 2;
		builder->items = repalloc_huge(builder->items, builder->item_space * sizeof(ArazzoNode *));
	}
	builder->items[builder->item_count++] = node;
}

/* Checks that a container of this height may stand in the current slot. */
static bool
check_depth(ArazzoBuilder *builder, int height, int line, int column)
{
	if (builder->depth + height > arazzo_max_document_depth)
		return arazzo_builder_fail(builder,
								   arazzo_failure_hint(arazzo_failure_make(ERRCODE_PROGRAM_LIMIT_EXCEEDED,
																		   "document is nested more than %d levels deep",
																		   arazzo_max_document_depth),
													   "The limit is set by arazzo.max_document_depth."),
								   line, column);
	if (builder->depth > 0)
	{
		Frame	   *frame = &builder->frames[builder->depth - 1];

		frame->height = Max(frame->height, height);
	}
	return true;
}

bool
arazzo_builder_key(ArazzoBuilder *builder, const char *data, size_t length, int line, int column)
{
	Frame	   *frame = &builder->frames[builder->depth - 1];
	KeyName		name;
	char	   *key;

	key = take(builder, length + 1);
	memcpy(key, data, length);
	key[length] = '\0';
	name.data = key;
	name.length = (int) length;
	builder->bytes += length;

	if (is_duplicate(builder, frame, name))
		return arazzo_builder_fail(builder,
								   arazzo_failure_make(ERRCODE_INVALID_TEXT_REPRESENTATION,
													   "duplicate key \"%s\"",
													   pnstrdup(key, pg_encoding_mbcliplen(PG_UTF8, key, name.length, 200))),
								   line, column);
	push_member(builder, key, name.length, line, column);
	return true;
}

bool
arazzo_builder_merge_key(ArazzoBuilder *builder, int line, int column)
{
	Frame	   *frame = &builder->frames[builder->depth - 1];

	if (frame->has_merge)
		return arazzo_builder_fail(builder,
								   arazzo_failure_hint(arazzo_failure_make(ERRCODE_INVALID_TEXT_REPRESENTATION,
																		   "duplicate key \"%s\"", merge_key),
													   "Merge several mappings with a list: \"<<: [*a, *b]\"."),
								   line, column);
	frame->has_merge = true;
	push_member(builder, merge_key, 0, line, column);
	return true;
}

/* Adds a member that waits for its value. */
static void
push_member(ArazzoBuilder *builder, const char *key, int length, int line, int column)
{
	ArazzoMember *member;

	if (builder->member_count == builder->member_space)
	{
		builder->member_space *= 2;
		builder->members = repalloc_huge(builder->members,
										 builder->member_space * sizeof(ArazzoMember));
	}
	member = &builder->members[builder->member_count++];
	member->key = key;
	member->key_length = length;
	member->line = line;
	member->column = column;
	member->value = NULL;
	builder->frames[builder->depth - 1].has_key = true;
}

/*
 * Has the innermost object a member of this name?  Past a few members it
 * keeps them in a hash table, to which the name is added.
 */
static bool
is_duplicate(ArazzoBuilder *builder, Frame *frame, KeyName name)
{
	bool		found;
	int			i;

	if (builder->member_count - frame->first > FEW_MEMBERS)
	{
		if (frame->names == NULL)
			frame->names = hash_members(builder, frame);
		(void) names_insert(frame->names, name, &found);
		return found;
	}
	for (i = frame->first; i < builder->member_count; i++)
	{
		const ArazzoMember *member = &builder->members[i];

		if (member->key_length == name.length && member->key != merge_key &&
			memcmp(member->key, name.data, name.length) == 0)
			return true;
	}
	return false;
}

/* A table of the names that the innermost object has so far. */
static names_hash *
hash_members(ArazzoBuilder *builder, const Frame *frame)
{
	names_hash *names = names_create(builder->scratch,
									 builder->member_count - frame->first + FEW_MEMBERS,
									 &builder->seed);
	int			i;

	for (i = frame->first; i < builder->member_count; i++)
	{
		const ArazzoMember *member = &builder->members[i];
		KeyName		name = {member->key, member->key_length};
		bool		found;

		if (member->key != merge_key)
			(void) names_insert(names, name, &found);
	}
	return names;
}

ArazzoNode *
arazzo_builder_open(ArazzoBuilder *builder, ArazzoNodeType type, int line, int column)
{
	ArazzoNode *node;
	Frame	   *frame;

	if (!check_depth(builder, 1, line, column))
		return NULL;
	node = arazzo_builder_scalar(builder, type, line, column);
	if (!arazzo_builder_place(builder, node))
		return NULL;

	if (builder->depth == builder->frame_space)
	{
		builder->frame_space *= 2;
		builder->frames = repalloc(builder->frames, builder->frame_space * sizeof(Frame));
	}
	frame = &builder->frames[builder->depth++];
	frame->node = node;
	frame->first = type == NODE_OBJECT ? builder->member_count : builder->item_count;
	frame->height = 0;
	frame->has_key = false;
	frame->has_merge = false;
	frame->nodes_before = builder->nodes - 1;
	frame->bytes_before = builder->bytes;
	frame->names = NULL;
	return node;
}

bool
arazzo_builder_close(ArazzoBuilder *builder, ArazzoNode **node, ArazzoExtent *extent)
{
	Frame	   *frame = &builder->frames[builder->depth - 1];

	if (frame->node->type == NODE_ARRAY)
		close_array(builder, frame);
	else if (!close_object(builder, frame))
		return false;

	builder->depth--;
	if (builder->depth > 0)
	{
		Frame	   *parent = frame - 1;

		parent->height = Max(parent->height, frame->height + 1);
	}
	if (node != NULL)
		*node = frame->node;
	if (extent != NULL)
	{
		extent->nodes = builder->nodes - frame->nodes_before;
		extent->bytes = builder->bytes - frame->bytes_before;
		extent->height = frame->height + 1;
	}
	return true;
}

static void
close_array(ArazzoBuilder *builder, Frame *frame)
{
	ArazzoNode *node = frame->node;
	size_t		size;

	node->count = builder->item_count - frame->first;
	size = node->count * sizeof(ArazzoNode *);
	node->u.items = take(builder, size);
	memcpy(node->u.items, builder->items + frame->first, size);
	builder->item_count = frame->first;
}

static bool
close_object(ArazzoBuilder *builder, Frame *frame)
{
	ArazzoNode *node = frame->node;
	size_t		size;

	if (frame->has_merge && !merge_members(builder, frame))
		return false;
	node->count = builder->member_count - frame->first;
	size = node->count * sizeof(ArazzoMember);
	node->u.members = take(builder, size);
	memcpy(node->u.members, builder->members + frame->first, size);
	builder->member_count = frame->first;
	if (frame->names != NULL)
		names_destroy(frame->names);
	return true;
}

/*
 * Replaces the merge member of the innermost object by the members it stands
 * for: those whose names the object lacks, of an earlier mapping before
 * those of a later one (YAML merge key type, yaml.org/type/merge.html).
 */
static bool
merge_members(ArazzoBuilder *builder, Frame *frame)
{
	int			own_count = builder->member_count - frame->first;
	ArazzoMember *own = palloc(own_count * sizeof(ArazzoMember));
	bool		ok = true;
	int			i;

	if (frame->names == NULL)
		frame->names = hash_members(builder, frame);
	memcpy(own, builder->members + frame->first, own_count * sizeof(ArazzoMember));
	builder->member_count = frame->first;
	for (i = 0; i < own_count && ok; i++)
	{
		if (own[i].key == merge_key)
			ok = merge_value(builder, frame->names, &own[i]);
		else
		{
			push_member(builder, own[i].key, own[i].key_length, own[i].line, own[i].column);
			attach(builder, own[i].value);
		}
	}
	pfree(own);
	return ok;
}

/* Adds the members of a mapping, or of a list of mappings. */
static bool
merge_value(ArazzoBuilder *builder, names_hash *names, const ArazzoMember *merge)
{
	const ArazzoNode *value = merge->value;
	int			i;

	if (value->type == NODE_OBJECT)
	{
		merge_object(builder, names, value);
		return true;
	}
	for (i = 0; value->type == NODE_ARRAY && i < value->count; i++)
	{
		if (value->u.items[i]->type != NODE_OBJECT)
			break;
		merge_object(builder, names, value->u.items[i]);
	}
	if (value->type == NODE_ARRAY && i == value->count)
		return true;
	return arazzo_builder_fail(builder,
							   arazzo_failure_hint(arazzo_failure_make(ERRCODE_INVALID_TEXT_REPRESENTATION,
																	   "merge key \"<<\" needs a mapping or a list of mappings"),
												   "Quote the key if it is meant to be one: \"'<<'\"."),
							   merge->line, merge->column);
}

static void
merge_object(ArazzoBuilder *builder, names_hash *names, const ArazzoNode *object)
{
	int			i;

	for (i = 0; i < object->count; i++)
	{
		const ArazzoMember *member = &object->u.members[i];
		KeyName		name = {member->key, member->key_length};
		bool		found;

		CHECK_FOR_INTERRUPTS();
		(void) names_insert(names, name, &found);
		if (found)
			continue;
		push_member(builder, member->key, member->key_length, member->line, member->column);
		attach(builder, member->value);
	}
}
