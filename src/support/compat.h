/*-------------------------------------------------------------------------
 *
 * compat.h
 *	  What differs between PostgreSQL 15, 16, 17 and 18, and nothing else.
 *
 * Include it after postgres.h, in .c files only.
 *
 *-------------------------------------------------------------------------
 */
#ifndef ARAZZO_SUPPORT_COMPAT_H
#define ARAZZO_SUPPORT_COMPAT_H

#include "access/genam.h"
#include "access/tableam.h"
#include "common/jsonapi.h"
#include "executor/executor.h"
#include "foreign/foreign.h"
#include "utils/acl.h"

#if PG_VERSION_NUM < 150000
#error "amberflo_arazzo needs PostgreSQL 15 or later"
#endif

/* Privilege on an object other than a table: one function from 16 on. */
#if PG_VERSION_NUM >= 160000
#include "catalog/pg_foreign_server.h"
#define arazzo_server_aclcheck(server, role, mode) \
	object_aclcheck(ForeignServerRelationId, server, role, mode)
#else
#define arazzo_server_aclcheck(server, role, mode) \
	pg_foreign_server_aclcheck(server, role, mode)
#endif

/* The caller owns the lexer's memory from 17 on. */
#if PG_VERSION_NUM >= 170000
#define arazzo_json_lexer(text, length) \
	makeJsonLexContextCstringLen(NULL, text, length, PG_UTF8, true)
#else
#define arazzo_json_lexer(text, length) \
	makeJsonLexContextCstringLen(text, length, PG_UTF8, true)
#endif

/* Index entries of a new row; one more argument from 16 on. */
#if PG_VERSION_NUM >= 160000
#define arazzo_insert_index_tuples(target, slot, estate, no_error, conflict, arbiters) \
	ExecInsertIndexTuples(target, slot, estate, false, no_error, conflict, arbiters, false)
#else
#define arazzo_insert_index_tuples(target, slot, estate, no_error, conflict, arbiters) \
	ExecInsertIndexTuples(target, slot, estate, false, no_error, conflict, arbiters)
#endif

/* Index entries of a row that was updated, if it needs any; from 16 on it is
 * told apart which. */
#if PG_VERSION_NUM >= 160000
typedef TU_UpdateIndexes IndexUpdate;
#define arazzo_update_index_tuples(target, slot, estate, which) \
	((which) == TU_None ? (void) 0 : \
	 (void) ExecInsertIndexTuples(target, slot, estate, true, false, NULL, NIL, (which) == TU_Summarizing))
#else
typedef bool IndexUpdate;
#define arazzo_update_index_tuples(target, slot, estate, which) \
	(!(which) ? (void) 0 : (void) ExecInsertIndexTuples(target, slot, estate, true, false, NULL, NIL))
#endif

/* One more argument from 18 on: figures for EXPLAIN. */
#if PG_VERSION_NUM >= 180000
#define arazzo_index_beginscan(table, index, snapshot, keys) index_beginscan(table, index, snapshot, NULL, keys, 0)
#else
#define arazzo_index_beginscan(table, index, snapshot, keys) index_beginscan(table, index, snapshot, keys, 0)
#endif

/* One more argument from 18 on: a row that is no conflict. */
#if PG_VERSION_NUM >= 180000
#define arazzo_check_index_constraints(target, slot, estate, place, arbiters) \
	ExecCheckIndexConstraints(target, slot, estate, place, NULL, arbiters)
#else
#define arazzo_check_index_constraints(target, slot, estate, place, arbiters) \
	ExecCheckIndexConstraints(target, slot, estate, place, arbiters)
#endif

/* Indexes may keep something between insertions from 17 on. */
#if PG_VERSION_NUM >= 170000
#define arazzo_index_insert_cleanup(index, info) index_insert_cleanup(index, info)
#else
#define arazzo_index_insert_cleanup(index, info) ((void) 0)
#endif

/* Generated columns that are not stored came with 18. */
#ifdef ATTRIBUTE_GENERATED_VIRTUAL
#define arazzo_is_virtual_column(attribute) ((attribute)->attgenerated == ATTRIBUTE_GENERATED_VIRTUAL)
#else
#define arazzo_is_virtual_column(attribute) false
#endif

/* A process is known by its number from 17 on. */
#if PG_VERSION_NUM >= 170000
#define arazzo_process_number(process) ((uint32) GetNumberFromPGProc(process))
#else
#define arazzo_process_number(process) ((uint32) (process)->pgprocno)
#endif

#endif							/* ARAZZO_SUPPORT_COMPAT_H */
