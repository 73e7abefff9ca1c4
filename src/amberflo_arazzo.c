/*-------------------------------------------------------------------------
 *
 * amberflo_arazzo.c
 *	  Module load: calls each room's init, nothing else.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "fmgr.h"

#include "document/store.h"
#include "drive/limit_table.h"
#include "http/connection.h"
#include "support/settings.h"
#include "work/worker.h"

PG_MODULE_MAGIC;

PGDLLEXPORT void _PG_init(void);

void
_PG_init(void)
{
	arazzo_settings_init();
	arazzo_worker_init();
	arazzo_settings_reserve();
	arazzo_store_init();
	arazzo_connection_init();
	arazzo_limit_table_init();
}
