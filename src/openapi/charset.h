/*-------------------------------------------------------------------------
 *
 * charset.h
 *	  Character sets of bodies.  Private to the room.
 *
 *-------------------------------------------------------------------------
 */
#ifndef ARAZZO_OPENAPI_CHARSET_H
#define ARAZZO_OPENAPI_CHARSET_H

#include "lib/stringinfo.h"

/*
 * Append text in UTF-8 as bytes of a charset, and bytes of a charset as text
 * in UTF-8.  NULL stands for UTF-8.  False, and nothing appended, when the
 * charset is not known or cannot hold the text, or the bytes are not of it.
 * Charsets other than UTF-8, US-ASCII and ISO-8859-1 need a transaction.
 */
extern bool arazzo_charset_encode(StringInfo out, const char *text, int length, const char *charset);
extern bool arazzo_charset_decode(StringInfo out, const char *bytes, int length, const char *charset);

#endif							/* ARAZZO_OPENAPI_CHARSET_H */
