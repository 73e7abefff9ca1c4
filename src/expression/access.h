/*-------------------------------------------------------------------------
 *
 * access.h
 *	  The expression parser's state, and the part of it that reads what
 *	  follows a root: JSON Pointers and accesses.
 *
 *-------------------------------------------------------------------------
 */
#ifndef ARAZZO_EXPRESSION_ACCESS_H
#define ARAZZO_EXPRESSION_ACCESS_H

#include "mb/pg_wchar.h"

#include "expression/grammar.h"

typedef struct ExpressionParser
{
	const char *text;
	int			length;
	int			position;
	ExpressionPlace place;
	const ExpressionScope *scope;
	ArazzoExpression *result;
	List	   *pointer;		/* of char * */
	List	   *accesses;		/* of ExpressionAccess * */
	bool		content;		/* the root is a body or a payload */
	bool		sealed;			/* the root is a text: nothing follows it */
	bool		nonstandard;	/* a form that the grammar does not have */
	bool		odd_name;		/* a declared name beyond the grammar */
	const char *expected;		/* what was missing, when parsing failed */
} ExpressionParser;

/*
 * Reads pointer and accesses up to the expression's end; false, with
 * parser->expected set, when they are malformed or something is left over
 * that may not be.
 */
extern bool arazzo_tail_parse(ExpressionParser *parser);

#endif							/* ARAZZO_EXPRESSION_ACCESS_H */
