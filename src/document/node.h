/*-------------------------------------------------------------------------
 *
 * node.h
 *	  A document as a tree: members in the order of the text, every node
 *	  with its position.
 *
 * jsonb keeps neither order nor positions; the plan and the check need
 * both.  A tree is read-only once it is built and lives in the memory
 * context it was read in.  Aliases of YAML may make two places share a node.
 *
 *-------------------------------------------------------------------------
 */
#ifndef ARAZZO_DOCUMENT_NODE_H
#define ARAZZO_DOCUMENT_NODE_H

#include "utils/jsonb.h"
#include "utils/numeric.h"

typedef enum ArazzoNodeType
{
	NODE_NULL,
	NODE_BOOLEAN,
	NODE_NUMBER,
	NODE_STRING,
	NODE_ARRAY,
	NODE_OBJECT
} ArazzoNodeType;

typedef struct ArazzoNode ArazzoNode;

typedef struct ArazzoMember
{
	const char *key;			/* NUL-terminated UTF-8 */
	int			key_length;
	int			line;			/* of the key, 1-based */
	int			column;
	ArazzoNode *value;
} ArazzoMember;

struct ArazzoNode
{
	ArazzoNodeType type;
	int			line;			/* 1-based */
	int			column;			/* 1-based, in characters */
	int			count;			/* bytes of a string, items, members */
	union
	{
		bool		boolean;
		Numeric		number;
		const char *string;		/* NUL-terminated UTF-8, no NUL inside */
		ArazzoNode **items;
		ArazzoMember *members;
	}			u;
};

/* Member of an object node by key; NULL when absent or no object. */
extern const ArazzoNode *arazzo_node_member(const ArazzoNode *object, const char *key);

/* Text of a member that is a string; NULL when absent or no string. */
extern const char *arazzo_node_member_text(const ArazzoNode *object, const char *key);

/* "string", "object", ...; "absent" for NULL. */
extern const char *arazzo_node_type_name(const ArazzoNode *node);

/* A copy of the node and all below it, in the current context. */
extern ArazzoNode *arazzo_node_copy(const ArazzoNode *node);

/* The node and all below it as jsonb / as a value, in the current context. */
extern Jsonb *arazzo_node_to_jsonb(const ArazzoNode *node);
extern JsonbValue *arazzo_node_to_value(const ArazzoNode *node);

#endif							/* ARAZZO_DOCUMENT_NODE_H */
