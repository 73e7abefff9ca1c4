/*-------------------------------------------------------------------------
 *
 * yaml_text.h
 *	  A YAML 1.2 text as libyaml, which implements YAML 1.1, should see it.
 *
 * Private to src/document.  Two things differ in ways that a change of the
 * text can hide, with every character staying where it is:
 *
 * NEL, LS and PS (U+0085, U+2028, U+2029) end a line in YAML 1.1 and are
 * ordinary characters in YAML 1.2 (5.4): libyaml is given three private-use
 * characters in their place, which the text does not have itself.
 *
 * A directive that is not known, or a later minor version, is to be ignored
 * (6.8, 6.8.1): libyaml is given a comment in its place.
 *
 *-------------------------------------------------------------------------
 */
#ifndef ARAZZO_DOCUMENT_YAML_TEXT_H
#define ARAZZO_DOCUMENT_YAML_TEXT_H

#define HIDDEN_BREAKS	3

typedef struct ArazzoYamlText
{
	const char *data;			/* what libyaml is to read */
	size_t		length;
	bool		copied;			/* else it is the text itself */
	bool		hidden;			/* stand-ins were used */
	int			tag_directives; /* lines that may be one */
	char		standins[HIDDEN_BREAKS][4]; /* UTF-8 of three bytes each */
} ArazzoYamlText;

/* A copy, if one is needed, is made in the current memory context. */
extern void arazzo_yaml_text_prepare(ArazzoYamlText *prepared, const char *text, size_t length);

/* Puts hidden characters back into a scalar, in place; returns its length. */
extern size_t arazzo_yaml_text_restore(const ArazzoYamlText *prepared, char *data, size_t length);

#endif							/* ARAZZO_DOCUMENT_YAML_TEXT_H */
