/*-------------------------------------------------------------------------
 *
 * yaml_check.h
 *	  What libyaml does not see in a YAML 1.2 text, or sees otherwise.
 *
 * Private to src/document.  A cursor follows the events through the text.
 * The checks refuse, and note the failure, where libyaml would accept what
 * is no YAML 1.2, or take a value for another one; each returns whether all
 * is well.
 *
 *-------------------------------------------------------------------------
 */
#ifndef ARAZZO_DOCUMENT_YAML_CHECK_H
#define ARAZZO_DOCUMENT_YAML_CHECK_H

#include "document/builder.h"

typedef struct ArazzoYamlCursor
{
	ArazzoBuilder *builder;
	const char *text;
	size_t		length;
	size_t		at;				/* the byte that begins character at_index */
	size_t		at_index;
	size_t		start;			/* first byte of the current event */
} ArazzoYamlCursor;

/* Moves on to a character, by its number, and returns its byte. */
extern size_t arazzo_yaml_advance(ArazzoYamlCursor *cursor, size_t index);

/*
 * Text between two events: blanks, indicators and comments.  A comment needs
 * a blank before it (YAML 1.2.2, 6.6), and "?" one after it, else it begins
 * a plain scalar (7.3.3).
 */
extern bool arazzo_yaml_check_between(const ArazzoYamlCursor *cursor, size_t from, size_t to);

/* A mapping that begins, perhaps with the "?" of its only pair. */
extern bool arazzo_yaml_check_pair(const ArazzoYamlCursor *cursor, size_t end);

/* Directives: the comment of one needs a blank before it, too. */
extern bool arazzo_yaml_check_directives(const ArazzoYamlCursor *cursor);

/*
 * An anchor or alias; NULL when the event has none.  libyaml ends its name
 * at characters that YAML 1.2.2 (6.9.2) counts to the name.
 */
extern bool arazzo_yaml_check_anchor(const ArazzoYamlCursor *cursor, const char *name);

/* A plain scalar: "-" needs something after it (YAML 1.2.2, 7.3.3). */
extern bool arazzo_yaml_check_plain(const ArazzoYamlCursor *cursor, const char *value, size_t length);

/* The header of a block scalar: its comment needs a blank before it. */
extern bool arazzo_yaml_check_block(const ArazzoYamlCursor *cursor);

/*
 * Has the node of the event the tag "!"?  libyaml drops that tag of plain
 * scalars.
 */
extern bool arazzo_yaml_is_non_specific(const ArazzoYamlCursor *cursor);

#endif							/* ARAZZO_DOCUMENT_YAML_CHECK_H */
