/*-------------------------------------------------------------------------
 *
 * yaml_breaks.h
 *	  Keeps libyaml from breaking lines where YAML 1.2 does not.
 *
 * Private to src/document.  NEL, LS and PS (U+0085, U+2028, U+2029) end a
 * line in YAML 1.1, which libyaml implements, and are ordinary characters
 * in YAML 1.2 (5.4).  A text that has them is given to libyaml with three
 * private-use characters in their place, which it does not have itself.
 *
 *-------------------------------------------------------------------------
 */
#ifndef ARAZZO_DOCUMENT_YAML_BREAKS_H
#define ARAZZO_DOCUMENT_YAML_BREAKS_H

#define HIDDEN_BREAKS	3

typedef struct ArazzoHiddenBreaks
{
	const char *text;			/* what libyaml is to read */
	size_t		length;
	bool		hidden;			/* else it is the text itself */
	char		standins[HIDDEN_BREAKS][4];	/* UTF-8 of three bytes each */
} ArazzoHiddenBreaks;

/* The copy, if one is needed, is made in the current memory context. */
extern void arazzo_yaml_hide_breaks(ArazzoHiddenBreaks *breaks, const char *text, size_t length);

/* Puts the characters back into a scalar, in place; returns its length. */
extern size_t arazzo_yaml_show_breaks(const ArazzoHiddenBreaks *breaks, char *data, size_t length);

#endif							/* ARAZZO_DOCUMENT_YAML_BREAKS_H */
