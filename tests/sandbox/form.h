/*
 * form.h
 *	  Stripe's form bodies: brackets, checks by table, and their errors.
 */
#ifndef FORM_H
#define FORM_H

#include "sandbox.h"

typedef enum FormType
{
	FORM_STRING,
	FORM_INTEGER,
	FORM_MAP,					/* any members, each a string */
	FORM_OBJECT,				/* the members of a table */
	FORM_LIST					/* of strings */
} FormType;

/* One parameter; a table of them ends with a NULL name. */
typedef struct FormField
{
	const char *name;
	FormType	type;
	bool		required;
	size_t		max_length;		/* of a string; 0: any */
	const char *const *choices;
	const struct FormField *members;
} FormField;

/*
 * The body, or the query of a GET, as an object of strings, checked against
 * the table; NULL when it is refused, with Stripe's error as the answer.
 */
extern json_t *form_params(Request *req, Answer *ans, const FormField *fields);

#endif							/* FORM_H */
