/*-------------------------------------------------------------------------
 *
 * format.c
 *	  The formats (JSON Schema Validation, 7.3; OpenAPI 3.0, Data Types).
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "schema/schema_internal.h"

const FormatRule *
arazzo_schema_format(const char *name, int length, int draft)
{
	return NULL;
}
