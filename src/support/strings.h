/*-------------------------------------------------------------------------
 *
 * strings.h
 *	  Formatted text, and lists of strings (List of char *).
 *
 *-------------------------------------------------------------------------
 */
#ifndef ARAZZO_SUPPORT_STRINGS_H
#define ARAZZO_SUPPORT_STRINGS_H

#include "lib/stringinfo.h"
#include "nodes/pg_list.h"

/* Appends formatted text, however long it gets; arguments stay usable. */
extern void arazzo_append_format(StringInfo out, const char *format, va_list arguments) pg_attribute_printf(2, 0);

/* Formatted text in the current memory context. */
extern char *arazzo_format(const char *format, va_list arguments) pg_attribute_printf(1, 0);

extern bool arazzo_strings_contain(const List *strings, const char *string);

/* The list with a copy of the string, unless it is in it already. */
extern List *arazzo_strings_add(List *strings, const char *string);

/* The list as a datum of type text[]. */
extern Datum arazzo_strings_array(const List *strings);

#endif							/* ARAZZO_SUPPORT_STRINGS_H */
