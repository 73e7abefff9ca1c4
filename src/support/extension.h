/*-------------------------------------------------------------------------
 *
 * extension.h
 *	  Where the extension's own objects live.
 *
 *-------------------------------------------------------------------------
 */
#ifndef ARAZZO_SUPPORT_EXTENSION_H
#define ARAZZO_SUPPORT_EXTENSION_H

/* Schema the extension is installed in; throws 42704 when it is not. */
extern Oid	arazzo_extension_schema(void);

/* A relation of the extension by name; throws 42704 when there is none. */
extern Oid	arazzo_extension_relation(const char *name);

#endif							/* ARAZZO_SUPPORT_EXTENSION_H */
