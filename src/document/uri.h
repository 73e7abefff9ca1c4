/*-------------------------------------------------------------------------
 *
 * uri.h
 *	  URI references (RFC 3986) and JSON Pointers (RFC 6901).
 *
 *-------------------------------------------------------------------------
 */
#ifndef ARAZZO_DOCUMENT_URI_H
#define ARAZZO_DOCUMENT_URI_H

#include "lib/stringinfo.h"
#include "utils/jsonb.h"

#include "document/node.h"

/* Parts of a URI reference; NULL where a part is missing (path never is). */
typedef struct ArazzoUri
{
	const char *scheme;
	const char *authority;
	const char *path;
	const char *query;
	const char *fragment;
} ArazzoUri;

/* Splits a reference (RFC 3986, Appendix B); false if it is malformed. */
extern bool arazzo_uri_split(const char *text, ArazzoUri *uri);

/* Resolves a reference against a base URI (RFC 3986, 5.2), dot segments
 * removed.  A base without a scheme (a file path) works the same way. */
extern char *arazzo_uri_resolve(const char *base, const char *reference);

/* Scheme present, so that it stands on its own. */
extern bool arazzo_uri_is_absolute(const char *text);

/* The reference without its fragment; *fragment (may be NULL) receives the
 * percent-decoded fragment or NULL. */
extern char *arazzo_uri_defragment(const char *text, char **fragment);

/* Appends bytes with all but unreserved characters percent-encoded; those
 * in keep (may be NULL) stay as they are. */
extern void arazzo_uri_encode(StringInfo out, const char *data, int length, const char *keep);

/* Percent-decodes; NULL on a malformed triplet or a NUL byte. */
extern char *arazzo_uri_decode(const char *data, int length);

/*
 * JSON Pointer: tokens unescaped; false when the text is no pointer.  "" has
 * no tokens.
 */
extern bool arazzo_pointer_parse(const char *text, int length, char ***tokens, int *count);
extern void arazzo_pointer_append(StringInfo out, const char *token);	/* "/" and the escaped token */

/* The place a pointer names, or NULL.  Array tokens are 0 or [1-9][0-9]*. */
extern JsonbValue *arazzo_pointer_value(const JsonbValue *root, char **tokens, int count);
extern const ArazzoNode *arazzo_pointer_node(const ArazzoNode *root, char **tokens, int count);

#endif							/* ARAZZO_DOCUMENT_URI_H */
