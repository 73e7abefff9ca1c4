/*-------------------------------------------------------------------------
 *
 * document.c
 *	  Fuzz target: any bytes as a document.
 *
 * A tree or a failure comes out, never both, never an error; a tree is
 * what node.h promises; and what was allocated is freed with its context.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "mb/pg_wchar.h"
#include "utils/memutils.h"

#include "document/node.h"
#include "document/reader.h"
#include "support/settings.h"

#include "backend.h"

int			arazzo_max_document_kb = 64;
int			arazzo_max_document_nodes = 20000;
int			arazzo_max_document_depth = 60;

int			LLVMFuzzerInitialize(int *argc, char ***argv);
int			LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
require(bool condition)
{
	if (!condition)
		abort();
}

static void
check_string(const char *data, int length)
{
	require(strlen(data) == (size_t) length);
	require(pg_encoding_verifymbstr(PG_UTF8, data, length) == length);
}

/* Walks a tree, shared nodes once a place; returns the number of nodes. */
static int64
check_tree(const ArazzoNode *node, int depth)
{
	int64		nodes = 1;
	int			i;

	require(node->line >= 1 && node->column >= 1 && depth <= arazzo_max_document_depth);
	switch (node->type)
	{
		case NODE_STRING:
			check_string(node->u.string, node->count);
			break;
		case NODE_ARRAY:
			for (i = 0; i < node->count; i++)
				nodes += check_tree(node->u.items[i], depth + 1);
			break;
		case NODE_OBJECT:
			for (i = 0; i < node->count; i++)
			{
				const ArazzoMember *member = &node->u.members[i];

				check_string(member->key, member->key_length);
				require(member->line >= 1 && member->column >= 1);
				require(arazzo_node_member(node, member->key) == member->value);
				nodes += check_tree(member->value, depth + 1);
			}
			break;
		default:
			break;
	}
	return nodes;
}

static void
check_failure(const ArazzoFailure *failure)
{
	require(failure->line >= 1 && failure->column >= 1);
	require(failure->detail != NULL && failure->message != NULL && failure->message[0] != '\0');
	require(failure->sqlstate == ERRCODE_INVALID_TEXT_REPRESENTATION ||
			failure->sqlstate == ERRCODE_CHARACTER_NOT_IN_REPERTOIRE ||
			failure->sqlstate == ERRCODE_UNTRANSLATABLE_CHARACTER ||
			failure->sqlstate == ERRCODE_PROGRAM_LIMIT_EXCEEDED);
}

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	backend_init();
	return 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	MemoryContext context = AllocSetContextCreate(TopMemoryContext, "fuzz", ALLOCSET_DEFAULT_SIZES);
	ArazzoFailure *failure;
	ArazzoNode *node;

	CurrentMemoryContext = context;
	node = arazzo_reader_read((const char *) data, size, &failure);
	require(CurrentMemoryContext == context);
	require((node == NULL) != (failure == NULL));
	if (node == NULL)
		check_failure(failure);
	else
	{
		require(check_tree(node, 0) <= arazzo_max_document_nodes);
		(void) arazzo_node_to_jsonb(node);
	}
	CurrentMemoryContext = TopMemoryContext;
	MemoryContextDelete(context);
	return 0;
}
