/*-------------------------------------------------------------------------
 *
 * syntax.h
 *	  The two syntaxes of a document.
 *
 * Private to src/document.  The text is valid UTF-8 without a byte order
 * mark and without NUL bytes.
 *
 *-------------------------------------------------------------------------
 */
#ifndef ARAZZO_DOCUMENT_SYNTAX_H
#define ARAZZO_DOCUMENT_SYNTAX_H

#include "document/builder.h"

typedef enum ArazzoSyntaxResult
{
	SYNTAX_READ,
	SYNTAX_REFUSED,				/* in this syntax, and not acceptable */
	SYNTAX_OTHER				/* not in this syntax */
} ArazzoSyntaxResult;

/*
 * Reads JSON text (RFC 8259).  Unless the result is SYNTAX_READ the builder
 * has a failure.
 */
extern ArazzoSyntaxResult arazzo_json_read(ArazzoBuilder *builder, const char *text, size_t length);

/* Reads a YAML stream that holds one document; the same for YAML. */
extern ArazzoSyntaxResult arazzo_yaml_read(ArazzoBuilder *builder, const char *text, size_t length);

/* Line and column, 1-based and in characters, of a byte of the text. */
extern void arazzo_text_position(const char *text, size_t offset, int *line, int *column);

#endif							/* ARAZZO_DOCUMENT_SYNTAX_H */
