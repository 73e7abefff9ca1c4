/*-------------------------------------------------------------------------
 *
 * extension.c
 *	  Where the extension's own objects live.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/indexing.h"
#include "catalog/pg_extension.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"

#include "support/extension.h"

#define EXTENSION_NAME "amberflo_arazzo"

Oid
arazzo_extension_schema(void)
{
	Relation	catalog = table_open(ExtensionRelationId, AccessShareLock);
	Oid			schema = InvalidOid;
	ScanKeyData key[1];
	SysScanDesc scan;
	HeapTuple	tuple;

	ScanKeyInit(&key[0], Anum_pg_extension_extname, BTEqualStrategyNumber, F_NAMEEQ,
				CStringGetDatum(EXTENSION_NAME));
	scan = systable_beginscan(catalog, ExtensionNameIndexId, true, NULL, 1, key);
	tuple = systable_getnext(scan);
	if (HeapTupleIsValid(tuple))
		schema = ((Form_pg_extension) GETSTRUCT(tuple))->extnamespace;
	systable_endscan(scan);
	table_close(catalog, AccessShareLock);

	if (!OidIsValid(schema))
		ereport(ERROR,
				errcode(ERRCODE_UNDEFINED_OBJECT),
				errmsg("extension \"%s\" is not installed in this database", EXTENSION_NAME),
				errhint("Run CREATE EXTENSION %s.", EXTENSION_NAME));
	return schema;
}

Oid
arazzo_extension_relation(const char *name)
{
	Oid			relation = get_relname_relid(name, arazzo_extension_schema());

	if (!OidIsValid(relation))
		ereport(ERROR,
				errcode(ERRCODE_UNDEFINED_OBJECT),
				errmsg("relation \"%s\" of extension \"%s\" does not exist", name, EXTENSION_NAME));
	return relation;
}
