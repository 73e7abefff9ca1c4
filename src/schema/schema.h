/*-------------------------------------------------------------------------
 *
 * schema.h
 *	  JSON Schema, draft 2020-12: compiled once, applied many times.
 *
 *-------------------------------------------------------------------------
 */
#ifndef ARAZZO_SCHEMA_SCHEMA_H
#define ARAZZO_SCHEMA_SCHEMA_H

#include "nodes/pg_list.h"

#include "support/errors.h"
#include "support/value.h"

typedef struct ArazzoSchema ArazzoSchema;

typedef enum SchemaDialect
{
	SCHEMA_2020_12,
	SCHEMA_OPENAPI_3_0			/* nullable, boolean exclusiveMinimum, ... */
} SchemaDialect;

typedef struct SchemaOptions
{
	SchemaDialect dialect;
	bool		assert_formats;	/* format is an assertion, not an annotation */
	const char *base_uri;		/* of the document the schema stands in */

	/*
	 * The document under an absolute URI (without fragment), or NULL: how
	 * references leave the schema.  May be NULL.
	 */
	const JsonbValue *(*document) (void *owner, const char *uri);
	void	   *owner;
} SchemaOptions;

/* One violation. */
typedef struct SchemaError
{
	char	   *instance_pointer;	/* "" is the root */
	char	   *schema_pointer;
	char	   *message;		/* "expected integer, got string", ... */
} SchemaError;

/*
 * Compiles a schema; root is the document it stands in (for references
 * like "#/components/inputs/x"), or the schema itself.  NULL and *failure
 * (WF001, WF002) when it is no schema or a reference leads nowhere.
 */
extern ArazzoSchema *arazzo_schema_compile(const JsonbValue *schema, const JsonbValue *root,
										   const SchemaOptions *options, ArazzoFailure **failure);

/*
 * Applies the schema.  Returns true when the instance is valid; otherwise
 * appends each violation to *errors (List of SchemaError) when errors is not
 * NULL, and stops at the first when it is.
 */
extern bool arazzo_schema_validate(const ArazzoSchema *schema, const JsonbValue *instance, List **errors);

/*
 * The instance with the defaults of absent members filled in (properties,
 * items, allOf and $ref are followed; a branch of anyOf or oneOf is not).
 * Returns the instance itself when nothing was missing.
 */
extern JsonbValue *arazzo_schema_fill_defaults(const ArazzoSchema *schema, JsonbValue *instance);

/*
 * What a schema says of the values that fit it, as far as it is sure:
 * references and allOf are followed, conditions are not.  A place is a schema
 * within another; NULL stands for one of which nothing is known.
 */
typedef struct SchemaNode SchemaNode;

/* Types of values as bits; an integer is a number as well. */
#define SCHEMA_TAKES_NULL		0x01
#define SCHEMA_TAKES_BOOLEAN	0x02
#define SCHEMA_TAKES_NUMBER		0x04
#define SCHEMA_TAKES_INTEGER	0x08
#define SCHEMA_TAKES_STRING		0x10
#define SCHEMA_TAKES_ARRAY		0x20
#define SCHEMA_TAKES_OBJECT		0x40

extern const SchemaNode *arazzo_schema_root(const ArazzoSchema *schema);

/* The place of a member, or of the elements after those that have their own. */
extern const SchemaNode *arazzo_schema_member(const SchemaNode *place, const char *name, int length);
extern const SchemaNode *arazzo_schema_elements(const SchemaNode *place);

/* Must an object at this place have the member? */
extern bool arazzo_schema_requires(const SchemaNode *place, const char *name, int length);

/* The types it takes, 0 when any will do or nothing is known. */
extern int	arazzo_schema_takes(const SchemaNode *place);

#endif							/* ARAZZO_SCHEMA_SCHEMA_H */
