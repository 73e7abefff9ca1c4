/*-------------------------------------------------------------------------
 *
 * binary.h
 *	  Bytes given as text.  Private to the room.
 *
 *-------------------------------------------------------------------------
 */
#ifndef ARAZZO_OPENAPI_BINARY_H
#define ARAZZO_OPENAPI_BINARY_H

#include "lib/stringinfo.h"

#include "openapi/operation.h"

/* Append what the text stands for; false, and nothing appended, when it is
 * not of the form. */
extern bool arazzo_binary_from_hex(StringInfo out, const char *data, int length);	/* bytea, "\x.." */
extern bool arazzo_binary_from_base64(StringInfo out, const char *data, int length, bool url);

extern void arazzo_binary_to_base64(StringInfo out, const char *data, int length, bool url);

/*
 * Appends the bytes that a string stands for: its own for BINARY_NONE; else
 * those of bytea hex, of base64 where the schema promises it (false when the
 * string is none) and, for raw bytes, of canonical base64; else its own.
 */
extern bool arazzo_binary_append(StringInfo out, const char *data, int length, OpenapiBinary binary);

#endif							/* ARAZZO_OPENAPI_BINARY_H */
