/*-------------------------------------------------------------------------
 *
 * regex.h
 *	  Regular expressions of ECMA-262, as JSON Schema and Arazzo use them, on
 *	  PostgreSQL's engine.
 *
 * An expression is read with the rules of the Unicode mode, a few habits of
 * the wild forgiven (escapes of punctuation that need none, a lone brace).
 * What a search asks is only whether there is a match anywhere in the text,
 * so lazy quantifiers are as good as greedy ones.
 *
 *-------------------------------------------------------------------------
 */
#ifndef ARAZZO_SUPPORT_REGEX_H
#define ARAZZO_SUPPORT_REGEX_H

#include "support/errors.h"

typedef struct ArazzoRegex ArazzoRegex;

/*
 * The expression as PostgreSQL writes it (an ARE, ASCII only).  NULL and
 * *failure: 2201B when it is malformed, 0A000 when the engine has no way to
 * say it (a property it does not know, a backreference into a lookaround).
 */
extern char *arazzo_regex_translate(const char *ecma, int length, ArazzoFailure **failure);

/*
 * Compiles an expression; it lives as long as the current memory context.
 * Failures as above, and 2201B when it is too large.
 */
extern ArazzoRegex *arazzo_regex_compile(const char *ecma, int length, ArazzoFailure **failure);

/*
 * Does the expression match anywhere in the text?  Throws only for
 * cancellation and when the engine gives up (2201B).
 */
extern bool arazzo_regex_search(const ArazzoRegex *regex, const char *text, int length);

#endif							/* ARAZZO_SUPPORT_REGEX_H */
