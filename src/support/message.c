/*-------------------------------------------------------------------------
 *
 * message.c
 *	  HTTP requests and responses as plain data.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "port.h"

#include "support/message.h"

const char *
arazzo_header_find(const ArazzoHeader *headers, int count, const char *name, int length)
{
	int			i;

	for (i = 0; i < count; i++)
	{
		if (strlen(headers[i].name) == (size_t) length &&
			pg_strncasecmp(headers[i].name, name, length) == 0)
			return headers[i].value;
	}
	return NULL;
}
