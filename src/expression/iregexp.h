/*-------------------------------------------------------------------------
 *
 * iregexp.h
 *	  I-Regexp (RFC 9485), the regular expressions of JSONPath.
 *
 *-------------------------------------------------------------------------
 */
#ifndef ARAZZO_EXPRESSION_IREGEXP_H
#define ARAZZO_EXPRESSION_IREGEXP_H

#include "support/errors.h"
#include "support/regex.h"

/*
 * Compiles a pattern, to be searched for with arazzo_regex_search(); it lives
 * as long as the current memory context.  With whole, it matches whole
 * strings only.  NULL when it is no I-Regexp; NULL and *failure when it is
 * one but more than the engine can take.
 */
extern ArazzoRegex *arazzo_iregexp_compile(const char *pattern, int length, bool whole,
										   ArazzoFailure **failure);

#endif							/* ARAZZO_EXPRESSION_IREGEXP_H */
