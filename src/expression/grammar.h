/*-------------------------------------------------------------------------
 *
 * grammar.h
 *	  What the files of this room share: expressions inside longer texts,
 *	  the tree of a condition, comparison of values.
 *
 * Other rooms use expression.h and criterion.h.
 *
 *-------------------------------------------------------------------------
 */
#ifndef ARAZZO_EXPRESSION_GRAMMAR_H
#define ARAZZO_EXPRESSION_GRAMMAR_H

#include "expression/criterion.h"
#include "expression/expression.h"
#include "expression/jsonpath.h"

/* ExpressionAccess.index of "[*]": every element of an array. */
#define ACCESS_EVERY (-1)

/*
 * ExpressionAccess.index of a last ".length" in a document's own scope: the
 * length of an array or a string where no member has that name.
 */
#define ACCESS_LENGTH (-2)

/* Where an expression stands, which decides where it ends. */
typedef enum ExpressionPlace
{
	PLACE_WHOLE,				/* it is the whole text */
	PLACE_CONDITION,			/* an operand: operators and spaces end it */
	PLACE_BARE					/* inside prose: declared names only */
} ExpressionPlace;

/*
 * Parses the expression that the text begins with; *used receives how many
 * bytes it took (all of them for PLACE_WHOLE).  NULL and *failure otherwise.
 */
extern ArazzoExpression *arazzo_expression_scan(const char *text, int length,
												ExpressionPlace place,
												const ExpressionScope *scope,
												int *used,
												ArazzoFailure **failure);

/* The expression in the standard's spelling, palloc'd; NULL if it has none. */
extern char *arazzo_expression_standard(const ArazzoExpression *expression);

/* Can the bytes be no more than a name's: letters, digits, "-", "_"? */
extern bool arazzo_name_character(char c);

/* Applies accesses to a value; NULL when absent. */
extern JsonbValue *arazzo_access_value(JsonbValue *value,
									   const ExpressionAccess *accesses,
									   int count);

/* The string "{$...}" that stands for a value not there yet. */
extern JsonbValue *arazzo_expression_symbol(const ArazzoExpression *expression);

/* ----------
 * Texts with expressions in them
 * ----------
 */
typedef struct TextSegment
{
	const char *literal;		/* NULL for an expression */
	int			length;
	ArazzoExpression *expression;
	char		quote;			/* the quote it stands in, or 0 */
	bool		bare;			/* without braces */
} TextSegment;

typedef struct ArazzoText
{
	TextSegment *segments;
	int			count;
	int			expressions;	/* how many of them are expressions */
} ArazzoText;

#define TEXT_BARE	0x01		/* bare expressions count, given a scope */
#define TEXT_QUOTES 0x02		/* note the quotes around expressions */

/* Splits a text; NULL and *failure (WF003) for a malformed "{$...}". */
extern ArazzoText *arazzo_text_compile(const char *text, int length, int flags,
									   const ExpressionScope *scope,
									   ArazzoFailure **failure);

/*
 * Appends the text with its expressions filled in (Arazzo 1.1.0, Runtime
 * Expressions: conversion of embedded values).  False and *failure (WF003)
 * when one is absent.
 */
extern bool arazzo_text_append(const ArazzoText *text,
							   const ExpressionEnvironment *environment,
							   StringInfo out, ArazzoFailure **failure);

/* ----------
 * Comparison (compare.c)
 * ----------
 */
typedef enum ConditionOperator
{
	OPERATOR_EQUAL,
	OPERATOR_NOT_EQUAL,
	OPERATOR_LESS,
	OPERATOR_LESS_EQUAL,
	OPERATOR_GREATER,
	OPERATOR_GREATER_EQUAL
} ConditionOperator;

/*
 * Compares by the rules of Arazzo 1.1.0, Simple Conditions.  False for what
 * cannot be ordered; *incomparable is then set unless null is the reason.
 */
extern bool arazzo_compare(ConditionOperator operator,
						   const JsonbValue *left, const JsonbValue *right,
						   bool *incomparable);

/* True unless false, null or absent. */
extern bool arazzo_truth(const JsonbValue *value);

/* A number from text in decimal notation; NULL if it is none. */
extern JsonbValue *arazzo_number_from_text(const char *text, int length);

/* The text with case differences removed, whatever the locale; palloc'd. */
extern char *arazzo_fold_case(const char *text, int length, int *folded_length);

/* ----------
 * Conditions
 * ----------
 */

/* A JSONPath query, or a JSON Pointer, as operand of a comparison. */
typedef struct ConditionQuery
{
	const char *text;
	ArazzoJsonPath *path;		/* NULL for a pointer */
	ArazzoJsonPath *counted;	/* what stands before ".length", or NULL */
	bool		single;			/* can select one node at most */
	char	  **tokens;			/* of the pointer */
	int			token_count;
} ConditionQuery;

typedef enum ConditionKind
{
	CONDITION_OR,				/* operands */
	CONDITION_AND,				/* operands */
	CONDITION_NOT,				/* left */
	CONDITION_COMPARE,			/* operator, left, right */
	CONDITION_LITERAL,
	CONDITION_EXPRESSION,
	CONDITION_TEXT,				/* a string with embedded expressions */
	CONDITION_QUERY				/* in jsonpath criteria only */
} ConditionKind;

struct ArazzoCondition
{
	ConditionKind kind;
	ConditionOperator operator;
	ArazzoCondition *left;
	ArazzoCondition *right;
	List	   *operands;
	JsonbValue *literal;
	ArazzoExpression *expression;
	ArazzoText *text;
	ConditionQuery *query;
};

/*
 * Parses a condition; with queries, operands may also be JSONPath queries
 * and pointers into a context (jsonpath criteria as published).
 */
extern ArazzoCondition *arazzo_condition_scan(const char *text, int length,
											  bool queries,
											  const ExpressionScope *scope,
											  ArazzoFailure **failure);

/* Evaluates; context is what queries apply to. */
extern bool arazzo_condition_holds(const ArazzoCondition *condition,
								   const ExpressionEnvironment *environment,
								   const JsonbValue *context,
								   char **warning);

/*
 * A condition over queries as a simple condition over the context; NULL if
 * that cannot be said so.
 */
extern char *arazzo_condition_restate(const ArazzoCondition *condition,
									  const ArazzoExpression *context);

/*
 * A query operand, parsed, and its value: NULL when it selects nothing, and
 * with *problem set when it selects too much or goes wrong (query.c).
 */
extern ConditionQuery *arazzo_query_scan(const char *text, int length,
										 int *used, ArazzoFailure **failure);
extern JsonbValue *arazzo_query_value(const ConditionQuery *query,
									  const JsonbValue *context, char **problem);

/*
 * A query without a comparison: the truth of the one value it can select, or
 * whether it selects anything.
 */
extern bool arazzo_query_truth(const ConditionQuery *query,
							   const JsonbValue *context, char **problem);

/*
 * arazzo_jsonpath_query() that does not throw for what a value or a query
 * asks too much: NIL and *problem then.
 */
extern List *arazzo_query_nodes(const ArazzoJsonPath *path,
								const JsonbValue *root, char **problem);

/* ----------
 * Regular expressions and XPath
 * ----------
 */
typedef struct ArazzoPattern ArazzoPattern;

/*
 * Compiles an ECMA-262 pattern, which may begin with flags such as "(?i)".
 * It lives as long as the current memory context.  NULL and *failure (WF003,
 * 0A000) when it is malformed or beyond the engine.
 */
extern ArazzoPattern *arazzo_pattern_compile(const char *pattern, int length,
											 ArazzoFailure **failure);

/* Does it match anywhere in the text?  False and *failure on an error. */
extern bool arazzo_pattern_matches(const ArazzoPattern *pattern,
								   const char *data, int length,
								   ArazzoFailure **failure);

/*
 * Turns the error being handled in a PG_CATCH block into a failure (WF003,
 * 0A000 for what this PostgreSQL was built without) that begins with what, in the given context.  Throws it on when it is no
 * matter of the data: cancellation, memory, the stack.
 */
extern ArazzoFailure *arazzo_failure_from_catch(MemoryContext context, const char *what);

/* Is it an XPath 1.0 expression?  *failure (WF003) says why not. */
extern bool arazzo_xpath_check(const char *path, ArazzoFailure **failure);

/* boolean(path) over an XML text; false and *failure on an error. */
extern bool arazzo_xpath_holds(const char *path, const char *xml, int length,
							   ArazzoFailure **failure);

/* The result of function(path), which is a scalar, as text; NULL and
 * *failure on an error. */
extern char *arazzo_xpath_scalar(const char *function, const char *path,
								 const char *xml, ArazzoFailure **failure);

/*
 * What a path selects: text of the one node or of the scalar, an array of
 * texts for several nodes, NULL for none or with *failure on an error.
 */
extern JsonbValue *arazzo_xpath_value(const char *path, const char *xml,
									  int length, ArazzoFailure **failure);

/* ----------
 * Selectors and kinds of expression
 * ----------
 */
typedef enum SelectorKind
{
	SELECTOR_SIMPLE,
	SELECTOR_REGEX,
	SELECTOR_JSONPATH,
	SELECTOR_GOESSNER,			/* draft-goessner-dispatch-jsonpath-00 */
	SELECTOR_XPATH,
	SELECTOR_POINTER
} SelectorKind;

/*
 * Reads "type" (and a "version" beside it) of a Criterion or Selector
 * Object: a string or an Expression Type Object.  False and *failure
 * (WF001, 0A000) otherwise.
 */
extern bool arazzo_selector_kind(const ArazzoNode *node, SelectorKind *kind,
								 const ExpressionScope *scope,
								 ArazzoFailure **failure);

/* The same of a type node, with the version that stands beside it, if any. */
extern bool arazzo_selector_type(const ArazzoNode *type_node, const char *version,
								 SelectorKind *kind, ArazzoFailure **failure);

/* draft-goessner: "[(@.length-1)]" in the spelling of RFC 9535, "[-1]". */
extern char *arazzo_goessner_to_standard(const char *text, int length);

#endif							/* ARAZZO_EXPRESSION_GRAMMAR_H */
