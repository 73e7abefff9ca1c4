/*-------------------------------------------------------------------------
 *
 * criterion.h
 *	  Criterion Objects (Arazzo 1.0.1 and 1.1.0): simple conditions, regular
 *	  expressions, JSONPath, XPath.
 *
 *-------------------------------------------------------------------------
 */
#ifndef ARAZZO_EXPRESSION_CRITERION_H
#define ARAZZO_EXPRESSION_CRITERION_H

#include "expression/expression.h"

typedef struct ArazzoCondition ArazzoCondition;
typedef struct ArazzoCriterion ArazzoCriterion;

/* Parses a simple condition; NULL and *failure (WF003) when malformed. */
extern ArazzoCondition *arazzo_condition_parse(const char *text, int length,
											   const ExpressionScope *scope,
											   ArazzoFailure **failure);

/*
 * Evaluates by the rules of 1.1.0 (Condition Evaluation).  An operand that
 * cannot be compared makes the condition false; *warning (may be NULL) then
 * says why, palloc'd, else it is left alone.
 */
extern bool arazzo_condition_evaluate(const ArazzoCondition *condition,
									  const ExpressionEnvironment *environment,
									  char **warning);

/*
 * Compiles a Criterion Object.  NULL and *failure when it is malformed
 * (WF001, WF003) or uses what is not supported (0A000), with its position.
 */
extern ArazzoCriterion *arazzo_criterion_compile(const ArazzoNode *node,
												 const ExpressionScope *scope,
												 ArazzoFailure **failure);

/* The condition as written, for messages. */
extern const char *arazzo_criterion_text(const ArazzoCriterion *criterion);

/* Does it hold?  An error while evaluating is "no" and a warning. */
extern bool arazzo_criterion_holds(const ArazzoCriterion *criterion,
								   const ExpressionEnvironment *environment,
								   char **warning);

#endif							/* ARAZZO_EXPRESSION_CRITERION_H */
