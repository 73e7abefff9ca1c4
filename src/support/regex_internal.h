/*-------------------------------------------------------------------------
 *
 * regex_internal.h
 *	  Sets of characters, between the files of the regex translation.
 *
 *-------------------------------------------------------------------------
 */
#ifndef ARAZZO_SUPPORT_REGEX_INTERNAL_H
#define ARAZZO_SUPPORT_REGEX_INTERNAL_H

#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"

typedef struct CodeRange
{
	pg_wchar	first;
	pg_wchar	last;
} CodeRange;

/* A set of code points; ranges may overlap until it is normalized. */
typedef struct CodeSet
{
	CodeRange  *ranges;
	int			count;
	int			capacity;
} CodeSet;

extern void arazzo_regex_set_init(CodeSet *set);
extern void arazzo_regex_set_add(CodeSet *set, pg_wchar first, pg_wchar last);

/* Adds all of other, or all that other lacks. */
extern void arazzo_regex_set_merge(CodeSet *set, CodeSet *other, bool complement);

/* Adds what \d, \w, \s stand for; false when letter is none of them. */
extern bool arazzo_regex_set_add_class(CodeSet *set, char letter);

/*
 * Adds what \p{name} or \p{property=name} stands for; false when it is not
 * known here.
 */
extern bool arazzo_regex_set_add_property(CodeSet *set, const char *text);

/* Appends the set as a bracket expression. */
extern void arazzo_regex_set_append(StringInfo out, CodeSet *set, bool complement);

/* Appends one character that stands for itself. */
extern void arazzo_regex_append_char(StringInfo out, pg_wchar code);

#endif							/* ARAZZO_SUPPORT_REGEX_INTERNAL_H */
