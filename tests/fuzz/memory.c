/*-------------------------------------------------------------------------
 *
 * memory.c
 *	  Memory contexts whose every chunk is a block of malloc().
 *
 * The server cuts its chunks out of larger blocks, where the address
 * sanitizer does not see their ends, nor that they were freed.  Linked with
 * -Bsymbolic this takes the place of the server's own functions for the
 * objects around it, whose contexts are then watched byte by byte.  From
 * PostgreSQL 16 on the server knows its kinds of contexts by number and no
 * kind can be added; contexts are the ordinary ones there.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#if PG_VERSION_NUM < 160000

#include "lib/ilist.h"
#include "utils/memutils.h"

typedef struct WatchedContext
{
	MemoryContextData header;
	dlist_head	chunks;
} WatchedContext;

typedef struct WatchedChunk
{
	dlist_node	node;
	Size		size;
	MemoryContext context;		/* the server looks for it just before the data */
} WatchedChunk;

#define CHUNK_DATA(chunk) ((void *) ((WatchedChunk *) (chunk) + 1))
#define DATA_CHUNK(data) ((WatchedChunk *) (data) - 1)

static MemoryContext create_context(MemoryContext parent, const char *name);
static void *watched_alloc(MemoryContext context, Size size);
static void watched_free(MemoryContext context, void *pointer);
static void *watched_realloc(MemoryContext context, void *pointer, Size size);
static void watched_reset(MemoryContext context);
static void watched_delete(MemoryContext context);
static Size watched_space(MemoryContext context, void *pointer);
static bool watched_is_empty(MemoryContext context);
static void watched_stats(MemoryContext context, MemoryStatsPrintFunc print, void *passthru,
						  MemoryContextCounters *totals, bool print_to_stderr);
#ifdef MEMORY_CONTEXT_CHECKING
static void watched_check(MemoryContext context);
#endif

static const MemoryContextMethods methods = {
	watched_alloc,
	watched_free,
	watched_realloc,
	watched_reset,
	watched_delete,
	watched_space,
	watched_is_empty,
	watched_stats
#ifdef MEMORY_CONTEXT_CHECKING
	,watched_check
#endif
};

MemoryContext
AllocSetContextCreateInternal(MemoryContext parent, const char *name, Size minContextSize,
							  Size initBlockSize, Size maxBlockSize)
{
	return create_context(parent, name);
}

MemoryContext
GenerationContextCreate(MemoryContext parent, const char *name, Size minContextSize,
						Size initBlockSize, Size maxBlockSize)
{
	return create_context(parent, name);
}

static MemoryContext
create_context(MemoryContext parent, const char *name)
{
	WatchedContext *context = malloc(sizeof(WatchedContext));

	if (context == NULL)
		ereport(ERROR,
				errcode(ERRCODE_OUT_OF_MEMORY),
				errmsg("out of memory"));
	dlist_init(&context->chunks);
	MemoryContextCreate(&context->header, T_AllocSetContext, &methods, parent, name);
	return &context->header;
}

static void *
watched_alloc(MemoryContext context, Size size)
{
	WatchedChunk *chunk = malloc(sizeof(WatchedChunk) + size);

	if (chunk == NULL)
		return NULL;
	chunk->context = context;
	chunk->size = size;
	dlist_push_head(&((WatchedContext *) context)->chunks, &chunk->node);
	context->mem_allocated += size;
	return CHUNK_DATA(chunk);
}

static void
watched_free(MemoryContext context, void *pointer)
{
	WatchedChunk *chunk = DATA_CHUNK(pointer);

	dlist_delete(&chunk->node);
	context->mem_allocated -= chunk->size;
	free(chunk);
}

/* Always to another place, so that pointers to the old one show. */
static void *
watched_realloc(MemoryContext context, void *pointer, Size size)
{
	void	   *moved = watched_alloc(context, size);

	if (moved == NULL)
		return NULL;
	memcpy(moved, pointer, Min(size, DATA_CHUNK(pointer)->size));
	watched_free(context, pointer);
	return moved;
}

static void
watched_reset(MemoryContext context)
{
	dlist_mutable_iter iterator;

	dlist_foreach_modify(iterator, &((WatchedContext *) context)->chunks)
		watched_free(context, CHUNK_DATA(dlist_container(WatchedChunk, node, iterator.cur)));
}

static void
watched_delete(MemoryContext context)
{
	watched_reset(context);
	free(context);
}

static Size
watched_space(MemoryContext context, void *pointer)
{
	return sizeof(WatchedChunk) + DATA_CHUNK(pointer)->size;
}

static bool
watched_is_empty(MemoryContext context)
{
	return dlist_is_empty(&((WatchedContext *) context)->chunks);
}

static void
watched_stats(MemoryContext context, MemoryStatsPrintFunc print, void *passthru,
			  MemoryContextCounters *totals, bool print_to_stderr)
{
	if (totals)
		totals->totalspace += context->mem_allocated;
}

#ifdef MEMORY_CONTEXT_CHECKING
static void
watched_check(MemoryContext context)
{
}
#endif

#endif							/* PG_VERSION_NUM < 160000 */
