/*-------------------------------------------------------------------------
 *
 * percent.h
 *	  Percent-encoding by destination.
 *
 *-------------------------------------------------------------------------
 */
#ifndef ARAZZO_OPENAPI_PERCENT_H
#define ARAZZO_OPENAPI_PERCENT_H

#include "lib/stringinfo.h"

typedef enum PercentSet
{
	PERCENT_NONE,				/* headers, cookies of style cookie, multipart */
	PERCENT_VALUE,				/* all but unreserved (RFC 3986, 2.3) */
	PERCENT_QUERY_RESERVED,		/* allowReserved in a query */
	PERCENT_PATH_RESERVED,		/* allowReserved in a path segment */
	PERCENT_QUERYSTRING,		/* a whole query that is encoded already */
	PERCENT_FORM,				/* application/x-www-form-urlencoded (WHATWG) */
	PERCENT_FORM_RESERVED		/* allowReserved in such a body */
} PercentSet;

/* Appends bytes, encoded as their destination needs it. */
extern void arazzo_percent_append(StringInfo out, const char *data, int length, PercentSet set);

#endif							/* ARAZZO_OPENAPI_PERCENT_H */
