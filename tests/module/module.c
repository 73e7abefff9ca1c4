/*-------------------------------------------------------------------------
 *
 * module.c
 *	  Makes the rooms loadable as a library of their own, for tests.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "fmgr.h"

PG_MODULE_MAGIC;
