/*-------------------------------------------------------------------------
 *
 * target.h
 *	  Targets of replacements (Arazzo 1.1.0, Payload Replacement Object).
 *
 *-------------------------------------------------------------------------
 */
#ifndef ARAZZO_EXPRESSION_TARGET_H
#define ARAZZO_EXPRESSION_TARGET_H

#include "expression/grammar.h"

typedef struct ArazzoTarget ArazzoTarget;

/*
 * Compiles "target" by its targetSelectorType; without one it is an XPath
 * expression where the payload is XML, else a JSON Pointer.  NULL and
 * *failure (WF001, WF003, 0A000) with the position of its cause.
 */
extern ArazzoTarget *arazzo_target_compile(const ArazzoNode *node, bool xml,
										   const ExpressionScope *scope,
										   ArazzoFailure **failure);

/* The target as written, for messages. */
extern const char *arazzo_target_text(const ArazzoTarget *target);

/* True if it is a place in a JSON value, not in an XML text. */
extern bool arazzo_target_is_json(const ArazzoTarget *target);

/*
 * The payload with the value put at every place the target names.  A member
 * that a JSON Pointer names last need not be there yet.  NULL and *failure
 * (WF003) when there is no such place.
 */
extern JsonbValue *arazzo_target_replace(const ArazzoTarget *target, JsonbValue *payload,
										 JsonbValue *value, ArazzoFailure **failure);

/*
 * The XML text with the content of each element, and the value of each
 * attribute, that the path selects replaced by the text, which is escaped
 * (xml_replace.c).  NULL and *failure otherwise.
 */
extern char *arazzo_xml_replace(const char *path, const char *xml, const char *text,
								ArazzoFailure **failure);

#endif							/* ARAZZO_EXPRESSION_TARGET_H */
