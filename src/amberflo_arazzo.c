/*-------------------------------------------------------------------------
 *
 * amberflo_arazzo.c
 *	  Module load: calls each room's init, nothing else.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "fmgr.h"

PG_MODULE_MAGIC;

PGDLLEXPORT void _PG_init(void);

void
_PG_init(void)
{
}
