/*-------------------------------------------------------------------------
 *
 * value.h
 *	  Values as runs, expressions and bodies see them.
 *
 * A value is a JsonbValue that is a scalar (jbvNull, jbvBool, jbvNumeric,
 * jbvString) or a container (jbvBinary over an object or an array), never
 * jbvArray or jbvObject.  A NULL pointer means that there is no value
 * ("absent"), which is not the same as JSON null.
 *
 * A value may point into the jsonb it was taken from; whoever keeps it
 * longer than that jsonb copies it with arazzo_value_copy().  Functions
 * return in the current memory context.
 *
 *-------------------------------------------------------------------------
 */
#ifndef ARAZZO_SUPPORT_VALUE_H
#define ARAZZO_SUPPORT_VALUE_H

#include "lib/stringinfo.h"
#include "utils/jsonb.h"

#include "support/errors.h"

/* The root of a jsonb datum as a value; points into the datum. */
extern JsonbValue *arazzo_value_from_jsonb(Jsonb *jsonb);

/* The value as a jsonb datum; absent becomes JSON null. */
extern Jsonb *arazzo_value_to_jsonb(const JsonbValue *value);

/* A deep copy, independent of what the value points into; NULL gives NULL. */
extern JsonbValue *arazzo_value_copy(const JsonbValue *value);

/* Constructors.  Strings are not copied. */
extern JsonbValue *arazzo_value_null(void);
extern JsonbValue *arazzo_value_bool(bool boolean);
extern JsonbValue *arazzo_value_int64(int64 number);
extern JsonbValue *arazzo_value_string(const char *data, int length);
extern JsonbValue *arazzo_value_cstring(const char *string);

extern bool arazzo_value_is_object(const JsonbValue *value);
extern bool arazzo_value_is_array(const JsonbValue *value);

/* Member count of an object, element count of an array, else 0. */
extern int	arazzo_value_count(const JsonbValue *value);

/* Member of an object or element of an array; NULL when there is none. */
extern JsonbValue *arazzo_value_member(const JsonbValue *object, const char *key, int length);
extern JsonbValue *arazzo_value_member_cstring(const JsonbValue *object, const char *key);
extern JsonbValue *arazzo_value_element(const JsonbValue *array, uint32 index);

/* A member that is a string, as a C string; NULL when absent or no string. */
extern char *arazzo_value_member_text(const JsonbValue *object, const char *key);

/*
 * Walks the members of an object or the elements of an array (key stays
 * untouched then):
 *		arazzo_value_walk(&walk, container);
 *		while (arazzo_value_next(&walk, &key, &value)) ...
 */
typedef struct ArazzoValueWalk
{
	JsonbIterator *iterator;
} ArazzoValueWalk;

extern void arazzo_value_walk(ArazzoValueWalk *walk, const JsonbValue *container);
extern bool arazzo_value_next(ArazzoValueWalk *walk, JsonbValue *key, JsonbValue *value);

/* JSON type name of a value: "null", "boolean", ... "absent" for NULL. */
extern const char *arazzo_value_type(const JsonbValue *value);

/* Deep equality, numbers by value; absent equals only absent. */
extern bool arazzo_value_equal(const JsonbValue *a, const JsonbValue *b);

/*
 * The root with the value at a JSON Pointer (its tokens) replaced.  A member
 * that is not there is added to its object, "-" appends to an array; NULL
 * when the way to it does not exist.
 */
extern JsonbValue *arazzo_value_replace(JsonbValue *root, char **tokens, int count, JsonbValue *replacement);

/*
 * Appends the value as compact JSON text (RFC 8259): every digit of a
 * number, never an exponent; characters beyond ASCII as they are.
 */
extern void arazzo_value_append_json(StringInfo out, const JsonbValue *value);
extern void arazzo_value_append_json_string(StringInfo out, const char *data, int length);

/*
 * Appends the value as text, the way it is embedded in a string (Arazzo
 * 1.1.0, Runtime Expressions): strings as they are, other scalars as in
 * JSON, objects and arrays as JSON.
 */
extern void arazzo_value_append_text(StringInfo out, const JsonbValue *value);
extern char *arazzo_value_to_text(const JsonbValue *value);

/*
 * Parses JSON text.  Returns NULL and sets *failure (22P02, 54000 for
 * nesting that is too deep, 22021 for invalid UTF-8, 22P05 for \u0000) when
 * it cannot be kept as jsonb; does not throw for bad text.
 */
extern JsonbValue *arazzo_value_parse_json(const char *text, size_t length, ArazzoFailure **failure);

/* What a hexadecimal digit stands for, -1 when the character is none. */
static inline int
arazzo_hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

#endif							/* ARAZZO_SUPPORT_VALUE_H */
