/*-------------------------------------------------------------------------
 *
 * builder.h
 *	  Grows a document's tree from what a syntax reader finds.
 *
 * Private to src/document.  The readers of YAML and of JSON differ in how
 * they find nodes; what holds for both stands here: limits, duplicate keys,
 * order, memory.  The tree's memory is taken in large pieces of the memory
 * context that was current at arazzo_builder_create(); everything else lives
 * in a scratch context, which the readers have as their current one.
 *
 * Functions return false (or NULL) after having noted a failure; nothing is
 * thrown but out of memory.
 *
 *-------------------------------------------------------------------------
 */
#ifndef ARAZZO_DOCUMENT_BUILDER_H
#define ARAZZO_DOCUMENT_BUILDER_H

#include "document/node.h"
#include "support/errors.h"

typedef struct ArazzoBuilder ArazzoBuilder;

/* How much a subtree adds to a document, aliases expanded. */
typedef struct ArazzoExtent
{
	int64		nodes;
	int64		bytes;			/* of strings and numbers */
	int			height;			/* levels of containers, 0 for a scalar */
} ArazzoExtent;

/* Where the next node goes. */
typedef enum ArazzoSlot
{
	SLOT_ROOT,
	SLOT_ITEM,
	SLOT_KEY,
	SLOT_VALUE,
	SLOT_NONE					/* the document is complete */
} ArazzoSlot;

extern ArazzoBuilder *arazzo_builder_create(void);

/* The context for what is needed only while reading. */
extern MemoryContext arazzo_builder_scratch(ArazzoBuilder *builder);

/*
 * Ends the building and frees the scratch context, the builder with it.
 * Returns the tree, or NULL and a copy of the failure in the current context.
 */
extern ArazzoNode *arazzo_builder_finish(ArazzoBuilder *builder, ArazzoFailure **failure);

/* Forgets tree and failure, to read the same text in another way. */
extern void arazzo_builder_restart(ArazzoBuilder *builder);

/* Notes a failure at a place of the text; returns false, always. */
extern bool arazzo_builder_fail(ArazzoBuilder *builder, ArazzoFailure *failure, int line, int column);
extern ArazzoFailure *arazzo_builder_failure(ArazzoBuilder *builder);

/* Reports another failure, which has its place already. */
extern void arazzo_builder_replace_failure(ArazzoBuilder *builder, ArazzoFailure *failure);

extern ArazzoSlot arazzo_builder_slot(const ArazzoBuilder *builder);

/* New scalars; they stand nowhere until they are placed. */
extern ArazzoNode *arazzo_builder_scalar(ArazzoBuilder *builder, ArazzoNodeType type, int line, int column);
extern ArazzoNode *arazzo_builder_string(ArazzoBuilder *builder, const char *data, size_t length, int line, int column);
extern ArazzoNode *arazzo_builder_number(ArazzoBuilder *builder, Numeric number, int line, int column);

/* Puts a scalar into the current slot, which is not SLOT_KEY. */
extern bool arazzo_builder_place(ArazzoBuilder *builder, ArazzoNode *node);

/* Puts a finished subtree, of known extent, into one more place. */
extern bool arazzo_builder_place_again(ArazzoBuilder *builder, ArazzoNode *node,
									   const ArazzoExtent *extent, int line, int column);

/* Fills SLOT_KEY; refuses a key that the object has already. */
extern bool arazzo_builder_key(ArazzoBuilder *builder, const char *data, size_t length, int line, int column);

/* The same for the merge key of YAML: the value's members become members. */
extern bool arazzo_builder_merge_key(ArazzoBuilder *builder, int line, int column);

/* Opens an array or object in the current slot; NULL on failure. */
extern ArazzoNode *arazzo_builder_open(ArazzoBuilder *builder, ArazzoNodeType type, int line, int column);

/* Closes the innermost open container; *node and *extent may be NULL. */
extern bool arazzo_builder_close(ArazzoBuilder *builder, ArazzoNode **node, ArazzoExtent *extent);

#endif							/* ARAZZO_DOCUMENT_BUILDER_H */
