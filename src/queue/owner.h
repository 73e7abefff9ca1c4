/*-------------------------------------------------------------------------
 *
 * owner.h
 *	  What is done in the name of the owner of the extension's tables.
 *
 *-------------------------------------------------------------------------
 */
#ifndef ARAZZO_QUEUE_OWNER_H
#define ARAZZO_QUEUE_OWNER_H

/* Who it was done in the name of before. */
typedef struct OwnerScope
{
	Oid			user;
	int			security_context;
	int			guc_level;
} OwnerScope;

/*
 * From here on the role is the owner, and names are looked for in pg_catalog
 * only; settings that are changed last until the end.  An error on the way
 * out needs no care: the abort restores role and settings.
 */
extern void arazzo_owner_begin(OwnerScope *scope, Oid owner);
extern void arazzo_owner_end(const OwnerScope *scope);

#endif							/* ARAZZO_QUEUE_OWNER_H */
