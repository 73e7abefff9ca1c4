/*-------------------------------------------------------------------------
 *
 * selector.h
 *	  Selector Objects (Arazzo 1.1.0).
 *
 *-------------------------------------------------------------------------
 */
#ifndef ARAZZO_EXPRESSION_SELECTOR_H
#define ARAZZO_EXPRESSION_SELECTOR_H

#include "expression/grammar.h"

typedef struct ArazzoSelector ArazzoSelector;

/*
 * Is the object a Selector Object: a context that is an expression, a
 * selector, a type, and nothing else?
 */
extern bool arazzo_selector_is(const ArazzoNode *node);

/* NULL and *failure (WF001, WF003, 0A000) with the position of its cause. */
extern ArazzoSelector *arazzo_selector_compile(const ArazzoNode *node,
											   const ExpressionScope *scope,
											   ArazzoFailure **failure);

/*
 * What it selects: the one node, or an array when there are several.  NULL
 * without a failure when its context is an input that was not given; NULL
 * and *failure (WF003) when it selects nothing.
 */
extern JsonbValue *arazzo_selector_evaluate(const ArazzoSelector *selector,
											const ExpressionEnvironment *environment,
											ArazzoFailure **failure);

#endif							/* ARAZZO_EXPRESSION_SELECTOR_H */
