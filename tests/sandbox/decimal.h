/*
 * decimal.h
 *	  Exact decimal numbers, kept as text.
 *
 * The canonical form is [-]digits[.digits] without superfluous zeros and
 * without exponent; zero is "0".
 */
#ifndef DECIMAL_H
#define DECIMAL_H

#include "buffer.h"

/* False when the text is no JSON number, or has more than 2,000 digits. */
extern bool decimal_canonical(const char *text, Buffer *out);

/* The operands are canonical, and so is what becomes of sum. */
extern void decimal_add(Buffer *sum, const char *addend);
extern void decimal_subtract(Buffer *sum, const char *subtrahend);
extern int	decimal_compare(const char *a, const char *b);

/* How many significant digits a canonical number has. */
extern int	decimal_digits(const char *text);

#endif							/* DECIMAL_H */
