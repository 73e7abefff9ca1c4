/*-------------------------------------------------------------------------
 *
 * expression.h
 *	  Runtime expressions (Arazzo 1.0.1 and 1.1.0, Runtime Expressions).
 *
 * An expression is parsed once into a tree that lives with the plan, and is
 * evaluated many times against an environment.  The environment knows what
 * the roots are ($inputs.x, $response.body, ...); this room knows pointers,
 * accessors, embedding and conversion.
 *
 *-------------------------------------------------------------------------
 */
#ifndef ARAZZO_EXPRESSION_EXPRESSION_H
#define ARAZZO_EXPRESSION_EXPRESSION_H

#include "nodes/pg_list.h"

#include "document/node.h"
#include "support/errors.h"
#include "support/value.h"

typedef enum ExpressionRoot
{
	ROOT_URL,
	ROOT_METHOD,
	ROOT_STATUS_CODE,
	ROOT_REQUEST_HEADER,		/* name */
	ROOT_REQUEST_QUERY,			/* name */
	ROOT_REQUEST_PATH,			/* name */
	ROOT_REQUEST_BODY,
	ROOT_RESPONSE_HEADER,		/* name */
	ROOT_RESPONSE_QUERY,		/* name */
	ROOT_RESPONSE_PATH,			/* name */
	ROOT_RESPONSE_BODY,
	ROOT_MESSAGE_HEADER,		/* name */
	ROOT_MESSAGE_PAYLOAD,
	ROOT_INPUTS,				/* name */
	ROOT_OUTPUTS,				/* name */
	ROOT_STEPS,					/* name = step id, field = output */
	ROOT_WORKFLOWS_INPUTS,		/* name = workflow id, field = input */
	ROOT_WORKFLOWS_OUTPUTS,		/* name = workflow id, field = output */
	ROOT_SOURCE_DESCRIPTIONS,	/* name = source, field = the rest */
	ROOT_COMPONENTS,			/* name = component type, field = key */
	ROOT_SELF
} ExpressionRoot;

/* One step from a value into it, after the root: a name or an index. */
typedef struct ExpressionAccess
{
	const char *name;			/* NULL for an index */
	int			index;			/* below 0: see grammar.h */
} ExpressionAccess;

typedef struct ArazzoExpression
{
	const char *text;			/* as written, for messages */
	ExpressionRoot root;
	const char *name;			/* NULL where the root has none */
	const char *field;			/* NULL where the root has none */
	int			slot;			/* for whoever binds it at planning; -1 */
	char	  **pointer;		/* tokens after '#', unescaped */
	int			pointer_count;
	ExpressionAccess *accesses;	/* .a and [0] after the root or pointer */
	int			access_count;
} ArazzoExpression;

/*
 * What is declared where an expression stands.  With a scope, names are
 * looked up whole first (they may hold dots, brackets, spaces), and bare
 * expressions inside longer strings ("Bearer $inputs.token") are
 * substituted; a NULL scope means the standard's grammar alone.
 */
typedef struct ExpressionScope
{
	void	   *owner;

	/*
	 * Is the name declared: an input (ROOT_INPUTS, name), a step's output
	 * (ROOT_STEPS, name = step, field = output)?  field may be NULL: is there
	 * such a step at all?  Asked for outputs and workflows too (ROOT_OUTPUTS,
	 * ROOT_WORKFLOWS_*); who does not know them answers false.
	 */
	bool		(*declared) (void *owner, ExpressionRoot root,
							 const char *name, int name_length,
							 const char *field, int field_length);

	/*
	 * Collects the non-standard forms that were accepted; may be NULL.
	 * standard_form is how the standard writes it, NULL where it cannot.
	 */
	void		(*accepted) (void *owner, const char *text, const char *standard_form);

	/*
	 * Called once for every expression parsed in this scope, so that a
	 * planner binds slots and checks references; may be NULL.
	 */
	void		(*parsed) (void *owner, ArazzoExpression *expression);
} ExpressionScope;

/*
 * How an expression's root gets its value while a run goes on.  Returns the
 * value before pointer and accesses are applied, or NULL when absent.
 */
typedef struct ExpressionEnvironment
{
	void	   *owner;
	JsonbValue *(*lookup) (void *owner, const ArazzoExpression *expression);

	/*
	 * Explaining: an expression without a value yet stands for itself, as the
	 * string "{$steps.a.outputs.b}", instead of failing.
	 */
	bool		symbolic;
} ExpressionEnvironment;

/* True if a text is, as a whole, an expression by its first characters
 * ("$inputs.", "$statusCode", ...). */
extern bool arazzo_expression_is_whole(const char *text, int length);

/*
 * Parses one whole expression.  On failure returns NULL and sets *failure
 * (WF003, message names the text and what was expected where).
 */
extern ArazzoExpression *arazzo_expression_parse(const char *text, int length,
												 const ExpressionScope *scope,
												 ArazzoFailure **failure);

/* The value, or NULL when absent.  Never fails. */
extern JsonbValue *arazzo_expression_evaluate(const ArazzoExpression *expression,
											  const ExpressionEnvironment *environment);

/* ----------
 * Templates: constants with expressions in them (parameters, payloads,
 * outputs).  A string that is one expression keeps the value's type; one
 * with embedded {...} becomes text; objects and arrays keep their order.
 * ----------
 */
typedef struct ArazzoTemplate ArazzoTemplate;

/* Compiles a node; on failure returns NULL and sets *failure (WF003 with the
 * position of the string). */
extern ArazzoTemplate *arazzo_template_compile(const ArazzoNode *node,
											   const ExpressionScope *scope,
											   ArazzoFailure **failure);

/* The one expression a template consists of, or NULL. */
extern const ArazzoExpression *arazzo_template_expression(const ArazzoTemplate *template);

/* True if there is no expression in it. */
extern bool arazzo_template_is_constant(const ArazzoTemplate *template);

/* True if it is a string, constant or with embedded expressions. */
extern bool arazzo_template_is_text(const ArazzoTemplate *template);

/*
 * Evaluates.  A whole-value $inputs.x that was not given is left out: an
 * object member or array item is dropped, a template that is nothing else
 * gives NULL without a failure.  Anything else without a value gives NULL
 * and sets *failure (WF003).  *failure must be NULL on entry.
 */
extern JsonbValue *arazzo_template_evaluate(const ArazzoTemplate *template,
											const ExpressionEnvironment *environment,
											ArazzoFailure **failure);

/*
 * The same, written as compact JSON text with members in the template's
 * order.  False when the whole is left out or when *failure was set.
 */
extern bool arazzo_template_append_json(const ArazzoTemplate *template,
										const ExpressionEnvironment *environment,
										StringInfo out, ArazzoFailure **failure);

#endif							/* ARAZZO_EXPRESSION_EXPRESSION_H */
