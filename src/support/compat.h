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

#include "common/jsonapi.h"
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

#endif							/* ARAZZO_SUPPORT_COMPAT_H */
