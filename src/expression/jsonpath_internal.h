/*-------------------------------------------------------------------------
 *
 * jsonpath_internal.h
 *	  The tree of a JSONPath query, shared by its parser and evaluator.
 *
 * A tree is immutable once parsed and lives in the memory context it was
 * parsed in; what changes while a query is evaluated is in JsonPathRun.
 * Section numbers are those of RFC 9535.
 *
 *-------------------------------------------------------------------------
 */
#ifndef ARAZZO_EXPRESSION_JSONPATH_INTERNAL_H
#define ARAZZO_EXPRESSION_JSONPATH_INTERNAL_H

#include "expression/iregexp.h"
#include "expression/jsonpath.h"

typedef struct JsonPathLogical JsonPathLogical;
typedef struct JsonPathCall JsonPathCall;
typedef struct JsonPathFunction JsonPathFunction;
typedef struct JsonPathRun JsonPathRun;

typedef enum JsonPathSelectorKind
{
	SELECTOR_NAME,
	SELECTOR_WILDCARD,
	SELECTOR_INDEX,
	SELECTOR_SLICE,
	SELECTOR_FILTER
} JsonPathSelectorKind;

typedef struct JsonPathName
{
	char	   *data;
	int			length;
} JsonPathName;

typedef struct JsonPathSlice
{
	bool		has_start;
	bool		has_end;
	int64		start;
	int64		end;
	int64		step;			/* 1 unless given */
} JsonPathSlice;

typedef struct JsonPathSelector
{
	JsonPathSelectorKind kind;
	union
	{
		JsonPathName name;
		int64		index;
		JsonPathSlice slice;
		JsonPathLogical *filter;
	}			is;
} JsonPathSelector;

typedef struct JsonPathSegment
{
	bool		descendant;
	int			selector_count;
	JsonPathSelector *selectors;
} JsonPathSegment;

typedef struct JsonPathQuery
{
	bool		absolute;		/* begins with $, else with @ */
	bool		singular;		/* by its syntax (2.3.5.1) */
	int			slot;			/* of what is known about an absolute query */
	int			segment_count;
	JsonPathSegment *segments;
} JsonPathQuery;

struct ArazzoJsonPath
{
	JsonPathQuery *query;
	bool		filters;		/* is there a filter in it? */
	int			slot_count;		/* absolute queries in filters */
	int			pattern_count;	/* regular expressions taken from the data */
};

/* A comparable (2.3.5.1) or an argument of a function (2.4). */
typedef enum JsonPathOperandKind
{
	OPERAND_LITERAL,
	OPERAND_QUERY,
	OPERAND_CALL
} JsonPathOperandKind;

typedef struct JsonPathOperand
{
	JsonPathOperandKind kind;
	union
	{
		JsonbValue	literal;
		JsonPathQuery *query;
		JsonPathCall *call;
	}			is;
} JsonPathOperand;

#define JSONPATH_MAX_ARGUMENTS	2

struct JsonPathCall
{
	const JsonPathFunction *function;
	JsonPathOperand arguments[JSONPATH_MAX_ARGUMENTS];

	/* match() and search(): the pattern, compiled when it is a literal */
	bool		pattern_constant;
	ArazzoRegex *pattern;		/* NULL when the literal is no I-Regexp */
	int			pattern_slot;	/* else where the last one is kept */
};

typedef enum JsonPathOperator
{
	OPERATOR_EQUAL,
	OPERATOR_NOT_EQUAL,
	OPERATOR_LESS,
	OPERATOR_LESS_OR_EQUAL,
	OPERATOR_GREATER,
	OPERATOR_GREATER_OR_EQUAL
} JsonPathOperator;

typedef enum JsonPathLogicalKind
{
	LOGICAL_OR,
	LOGICAL_AND,
	LOGICAL_NOT,
	LOGICAL_COMPARISON,
	LOGICAL_EXISTENCE,
	LOGICAL_CALL
} JsonPathLogicalKind;

typedef struct JsonPathComparison
{
	JsonPathOperator operator;
	JsonPathOperand left;
	JsonPathOperand right;
} JsonPathComparison;

struct JsonPathLogical
{
	JsonPathLogicalKind kind;
	union
	{
		List	   *parts;		/* of LOGICAL_OR and LOGICAL_AND */
		JsonPathLogical *negated;
		JsonPathComparison comparison;
		JsonPathQuery *existence;
		JsonPathCall *call;
	}			is;
};

/*
 * Types of the type system for function expressions (2.4.1).  No function
 * of the standard takes a LogicalType or returns a NodesType.
 */
typedef enum JsonPathType
{
	TYPE_VALUE,
	TYPE_LOGICAL,
	TYPE_NODES
} JsonPathType;

struct JsonPathFunction
{
	const char *name;
	JsonPathType result;
	int			parameter_count;
	JsonPathType parameters[JSONPATH_MAX_ARGUMENTS];
	bool		takes_pattern;	/* is the second argument an I-Regexp? */
	bool		whole;			/* must all of the string match it? */

	/* one of them, by the type of the result; false is Nothing */
	bool		(*value) (JsonPathRun *run, const JsonPathCall *call,
						  const JsonbValue *current, JsonbValue *result);
	bool		(*logical) (JsonPathRun *run, const JsonPathCall *call,
							const JsonbValue *current);
};

/* ----------
 * Scanning (jsonpath_scan.c).  What returns bool returns false when the
 * text is not as expected; the failure is then set.
 * ----------
 */
typedef struct JsonPathParser
{
	const char *text;
	int			length;
	int			position;		/* byte */
	int			nesting;		/* of filters, parentheses and calls */
	ArazzoJsonPath *path;
	ArazzoFailure *failure;
} JsonPathParser;

/* The next byte, or -1 at the end. */
extern int	arazzo_jsonpath_peek(const JsonPathParser *parser);

/* Steps over a token, if it is what comes next. */
extern bool arazzo_jsonpath_accept(JsonPathParser *parser, const char *token);

/* Steps over the token, else fails; the message names the token. */
extern bool arazzo_jsonpath_require(JsonPathParser *parser, const char *token);

extern void arazzo_jsonpath_skip_blanks(JsonPathParser *parser);

/* Sets the failure, unless there is one; false, for the caller to return. */
extern bool arazzo_jsonpath_refuse(JsonPathParser *parser, int position,
								   const char *problem) pg_attribute_cold;

/* Enters a level of nesting; false when it is one too many. */
extern bool arazzo_jsonpath_nest(JsonPathParser *parser);

extern bool arazzo_jsonpath_at_member_name(const JsonPathParser *parser);
extern bool arazzo_jsonpath_scan_member_name(JsonPathParser *parser, JsonPathName *name);
extern bool arazzo_jsonpath_scan_string(JsonPathParser *parser, JsonPathName *string);
extern bool arazzo_jsonpath_scan_integer(JsonPathParser *parser, int64 *integer);
extern bool arazzo_jsonpath_scan_number(JsonPathParser *parser, JsonbValue *number);

/* ----------
 * Parsing (jsonpath_parse.c, jsonpath_parse_filter.c).  NULL on failure.
 * ----------
 */

/* A query that begins with $ or @, which is what comes next. */
extern JsonPathQuery *arazzo_jsonpath_parse_query(JsonPathParser *parser);

/* A logical-expr, without blanks before or after it. */
extern JsonPathLogical *arazzo_jsonpath_parse_logical(JsonPathParser *parser);

/* A function of the standard by its name, or NULL. */
extern const JsonPathFunction *arazzo_jsonpath_function(const char *name, int length);

/* ----------
 * Evaluating (jsonpath_query.c, jsonpath_filter.c, jsonpath_functions.c)
 * ----------
 */

/* What is known about an absolute query: it is the same for all nodes. */
typedef struct JsonPathKnown
{
	bool		known;
	int64		count;
	JsonbValue	first;
} JsonPathKnown;

/* The last regular expression that a call took from the data. */
typedef struct JsonPathPattern
{
	MemoryContext context;		/* holds all of it; NULL when there is none */
	char	   *text;
	int			length;
	ArazzoRegex *regex;		/* NULL when the text is no I-Regexp */
} JsonPathPattern;

struct JsonPathRun
{
	const ArazzoJsonPath *path;
	const JsonbValue *root;
	MemoryContext context;		/* caches; NULL for a query without filters */
	MemoryContext scratch;		/* emptied after each candidate of a filter */
	int			filter_depth;	/* filters within filters */
	JsonPathKnown *known;		/* by slot */
	JsonPathPattern *patterns;	/* by pattern slot */
};

/* The value that a singular query selects from a node; false for nothing. */
extern bool arazzo_jsonpath_single(const JsonPathRun *run, const JsonPathQuery *query,
								   const JsonbValue *current, JsonbValue *result);

/*
 * How many nodes a query selects; stops at the limit.  *first (may be NULL)
 * becomes the first of them.
 */
extern int64 arazzo_jsonpath_count(JsonPathRun *run, const JsonPathQuery *query,
								   const JsonbValue *current, int64 limit,
								   JsonbValue *first);

/* Does a logical expression hold for a node? */
extern bool arazzo_jsonpath_holds(JsonPathRun *run, const JsonPathLogical *logical,
								  const JsonbValue *current);

/* The value of an operand that is a ValueType; false for Nothing. */
extern bool arazzo_jsonpath_operand(JsonPathRun *run, const JsonPathOperand *operand,
									const JsonbValue *current, JsonbValue *result);

#endif							/* ARAZZO_EXPRESSION_JSONPATH_INTERNAL_H */
