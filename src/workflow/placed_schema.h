/*-------------------------------------------------------------------------
 *
 * placed_schema.h
 *	  Schemas as checks see them: what they say at a glance, references and
 *	  allOf followed.
 *
 * Nothing is compiled here, and nothing is reported: what cannot be told at
 * a glance is "any".
 *
 *-------------------------------------------------------------------------
 */
#ifndef ARAZZO_WORKFLOW_PLACED_SCHEMA_H
#define ARAZZO_WORKFLOW_PLACED_SCHEMA_H

#include "document/library.h"

/* Types of JSON Schema, as a set; 0 is "any". */
#define TYPE_NULL		0x01
#define TYPE_BOOLEAN	0x02
#define TYPE_INTEGER	0x04
#define TYPE_NUMBER		0x08
#define TYPE_STRING		0x10
#define TYPE_ARRAY		0x20
#define TYPE_OBJECT		0x40

/* A schema with the document its references start in. */
typedef struct PlacedSchema
{
	const ArazzoDocument *document;
	JsonbValue *schema;
} PlacedSchema;

/* Follows references; false for what is no object. */
extern bool arazzo_placed_follow(ArazzoLibrary *library, PlacedSchema *schema);

/* A schema and all that hold beside it, under allOf (List of PlacedSchema *),
 * references followed; in the current memory context. */
extern List *arazzo_placed_parts(ArazzoLibrary *library, PlacedSchema schema);

/* The schemas of a member, of all parts (List of PlacedSchema *); NIL when
 * it is not declared. */
extern List *arazzo_placed_member(ArazzoLibrary *library, const List *parts, const char *name, int length);

/* The types that all of some schemas (List of PlacedSchema *) allow. */
extern int	arazzo_placed_types(ArazzoLibrary *library, const List *schemas);

/* "string or null", in the current memory context. */
extern char *arazzo_placed_type_names(int types);

#endif							/* ARAZZO_WORKFLOW_PLACED_SCHEMA_H */
