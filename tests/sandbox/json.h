/*
 * json.h
 *	  JSON in and out without the loss of a digit, and checks of bodies.
 *
 * jansson knows no decimals.  Numbers are therefore carried through it as
 * strings that begin with a mark (U+0001); a string that begins with that mark
 * itself is refused when read.
 */
#ifndef JSON_H
#define JSON_H

#include <stdint.h>

#include <jansson.h>

#include "buffer.h"

/* The value, or NULL with the reason in problem. Duplicate keys are refused. */
extern json_t *json_read(const char *text, size_t len, Buffer *problem);

/* Compact JSON; the order of members is kept. */
extern void json_write(Buffer *buf, const json_t *value);

/* The digits of a number as they were written, or NULL for anything else. */
extern const char *json_number_text(const json_t *value);

/* A number from its digits, or from an integer. */
extern json_t *json_number_from_text(const char *digits);
extern json_t *json_number(int64_t value);

/* A true string (not a number), or NULL. */
extern const char *json_text(const json_t *value);

/* The member as a string or an integer; the fallback when it is neither. */
extern const char *json_member_text(const json_t *object, const char *name, const char *fallback);
extern int64_t json_member_int(const json_t *object, const char *name, int64_t fallback);

/* Types that a member of a body can be asked to have. */
typedef enum FieldType
{
	FIELD_STRING,
	FIELD_EMAIL,
	FIELD_NUMBER,
	FIELD_POSITIVE,
	FIELD_INTEGER,
	FIELD_BOOLEAN,
	FIELD_STRING_LIST,
	FIELD_STRING_MAP,
	FIELD_NUMBER_MAP,
	FIELD_LIST_MAP,				/* each value a list of strings */
	FIELD_OBJECT
} FieldType;

/* One member; a table of them ends with a NULL name. */
typedef struct Field
{
	const char *name;
	FieldType	type;
	bool		required;
	const char *const *choices; /* of a string; ends with NULL */
	const struct Field *members;	/* of an object */
} Field;

/*
 * Check the object against the table. False with the reason in problem;
 * otherwise known (when asked for) gets a new object with the members that
 * the table names, in the order in which they came.
 */
extern bool json_check(const json_t *object, const Field *fields, json_t **known, Buffer *problem);

#endif							/* JSON_H */
