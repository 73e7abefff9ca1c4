/*-------------------------------------------------------------------------
 *
 * compare.c
 *	  Comparison of values by the rules of simple conditions.
 *
 * Arazzo 1.1.0, Condition Evaluation: strings are compared without regard
 * to case; numeric strings count as numbers beside numbers, and beside each
 * other where they are ordered; null equals only null.  An absent value
 * counts as null.
 *
 * Case is folded by the simple mappings of Unicode for the scripts that have
 * case (Latin, Greek, Cyrillic, Armenian, Georgian, full-width and a few
 * more), the same in every database: locale and collation have no say.
 * Folded strings are ordered by code point.  In a database whose encoding is
 * not UTF-8 only ASCII letters are folded.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "mb/pg_wchar.h"
#include "utils/builtins.h"
#include "utils/numeric.h"

#include "expression/grammar.h"

/* Numbers in strings beyond these sizes are not taken for numbers. */
#define MAX_NUMBER_LENGTH 1000
#define MAX_EXPONENT_DIGITS 4

/*
 * Upper case letters from first to last; each is mapped by adding delta, or,
 * where delta is 1, every second letter beginning with first is.
 */
typedef struct CaseRange
{
	pg_wchar	first;
	pg_wchar	last;
	int			delta;
} CaseRange;

static const CaseRange case_ranges[] = {
	{0x00B5, 0x00B5, 775}, {0x00C0, 0x00D6, 32}, {0x00D8, 0x00DE, 32},
	{0x0100, 0x012E, 1}, {0x0132, 0x0136, 1}, {0x0139, 0x0147, 1},
	{0x014A, 0x0176, 1}, {0x0178, 0x0178, -121}, {0x0179, 0x017D, 1},
	{0x017F, 0x017F, -268}, {0x01CD, 0x01DB, 1}, {0x01DE, 0x01EE, 1},
	{0x01F8, 0x021E, 1}, {0x0222, 0x0232, 1}, {0x0386, 0x0386, 38},
	{0x0388, 0x038A, 37}, {0x038C, 0x038C, 64}, {0x038E, 0x038F, 63},
	{0x0391, 0x03A1, 32}, {0x03A3, 0x03AB, 32}, {0x03C2, 0x03C2, 1},
	{0x03D8, 0x03EE, 1}, {0x0400, 0x040F, 80}, {0x0410, 0x042F, 32},
	{0x0460, 0x0480, 1}, {0x048A, 0x04BE, 1}, {0x04C0, 0x04C0, 15},
	{0x04C1, 0x04CD, 1}, {0x04D0, 0x052E, 1}, {0x0531, 0x0556, 48},
	{0x10A0, 0x10C5, 7264}, {0x1E00, 0x1E94, 1}, {0x1E9E, 0x1E9E, -7615},
	{0x1EA0, 0x1EFE, 1}, {0x2160, 0x216F, 16}, {0x24B6, 0x24CF, 26},
	{0x2C00, 0x2C2F, 48}, {0x2C80, 0x2CE2, 1}, {0xA640, 0xA66C, 1},
	{0xA722, 0xA72E, 1}, {0xFF21, 0xFF3A, 32}, {0x10400, 0x10427, 40}
};

static bool is_null(const JsonbValue *value);
static bool values_equal(const JsonbValue *left, const JsonbValue *right);
static bool order_values(const JsonbValue *left, const JsonbValue *right, int *order);
static const JsonbValue *as_number(const JsonbValue *value);
static int	compare_numbers(const JsonbValue *left, const JsonbValue *right);
static int	compare_folded(const JsonbValue *left, const JsonbValue *right);
static bool is_decimal(const char *text, int length);
static int	skip_digits(const char *text, int length, int position);
static pg_wchar fold_character(pg_wchar c);

bool
arazzo_truth(const JsonbValue *value)
{
	if (value == NULL || value->type == jbvNull)
		return false;
	return value->type != jbvBool || value->val.boolean;
}

bool
arazzo_compare(ConditionOperator operator, const JsonbValue *left,
			   const JsonbValue *right, bool *incomparable)
{
	int			order = 0;

	if (operator == OPERATOR_EQUAL || operator == OPERATOR_NOT_EQUAL)
		return values_equal(left, right) == (operator == OPERATOR_EQUAL);
	if (is_null(left) || is_null(right))
		return false;
	if (!order_values(left, right, &order))
	{
		*incomparable = true;
		return false;
	}
	switch (operator)
	{
		case OPERATOR_LESS:
			return order < 0;
		case OPERATOR_LESS_EQUAL:
			return order <= 0;
		case OPERATOR_GREATER:
			return order > 0;
		default:
			return order >= 0;
	}
}

static bool
is_null(const JsonbValue *value)
{
	return value == NULL || value->type == jbvNull;
}

static bool
values_equal(const JsonbValue *left, const JsonbValue *right)
{
	const JsonbValue *left_number;
	const JsonbValue *right_number;

	if (is_null(left) || is_null(right))
		return is_null(left) && is_null(right);
	if (left->type == jbvString && right->type == jbvString)
		return compare_folded(left, right) == 0;
	if (left->type == jbvNumeric || right->type == jbvNumeric)
	{
		left_number = as_number(left);
		right_number = as_number(right);
		return left_number != NULL && right_number != NULL &&
			compare_numbers(left_number, right_number) == 0;
	}
	return arazzo_value_equal(left, right);
}

/* Orders numbers, numeric strings and strings; false for all else. */
static bool
order_values(const JsonbValue *left, const JsonbValue *right, int *order)
{
	const JsonbValue *left_number = as_number(left);
	const JsonbValue *right_number = as_number(right);

	if (left_number != NULL && right_number != NULL)
		*order = compare_numbers(left_number, right_number);
	else if (left->type == jbvString && right->type == jbvString)
		*order = compare_folded(left, right);
	else
		return false;
	return true;
}

/* The value itself if it is a number, the number a string holds, or NULL. */
static const JsonbValue *
as_number(const JsonbValue *value)
{
	if (value->type == jbvNumeric)
		return value;
	if (value->type != jbvString)
		return NULL;
	return arazzo_number_from_text(value->val.string.val, value->val.string.len);
}

static int
compare_numbers(const JsonbValue *left, const JsonbValue *right)
{
	return DatumGetInt32(DirectFunctionCall2(numeric_cmp,
											 NumericGetDatum(left->val.numeric),
											 NumericGetDatum(right->val.numeric)));
}

static int
compare_folded(const JsonbValue *left, const JsonbValue *right)
{
	int			left_length;
	int			right_length;
	char	   *a;
	char	   *b;
	int			order;

	if (left->val.string.len == right->val.string.len &&
		memcmp(left->val.string.val, right->val.string.val, left->val.string.len) == 0)
		return 0;
	a = arazzo_fold_case(left->val.string.val, left->val.string.len, &left_length);
	b = arazzo_fold_case(right->val.string.val, right->val.string.len, &right_length);
	order = memcmp(a, b, Min(left_length, right_length));
	return order != 0 ? order : left_length - right_length;
}

JsonbValue *
arazzo_number_from_text(const char *text, int length)
{
	JsonbValue *value;
	char	   *copy;

	if (length > MAX_NUMBER_LENGTH || !is_decimal(text, length))
		return NULL;
	copy = pnstrdup(text, length);
	value = palloc(sizeof(JsonbValue));
	value->type = jbvNumeric;
	value->val.numeric = DatumGetNumeric(DirectFunctionCall3(numeric_in,
															 CStringGetDatum(copy),
															 ObjectIdGetDatum(InvalidOid),
															 Int32GetDatum(-1)));
	return value;
}

/* [sign] digits [. digits] [e [sign] digits], with digits on one side. */
static bool
is_decimal(const char *text, int length)
{
	int			i = 0;
	int			start;
	int			digits;

	if (i < length && (text[i] == '-' || text[i] == '+'))
		i++;
	start = i;
	i = skip_digits(text, length, i);
	digits = i - start;
	if (i < length && text[i] == '.')
	{
		start = ++i;
		i = skip_digits(text, length, i);
		digits += i - start;
	}
	if (digits == 0)
		return false;
	if (i < length && (text[i] == 'e' || text[i] == 'E'))
	{
		i++;
		if (i < length && (text[i] == '-' || text[i] == '+'))
			i++;
		start = i;
		i = skip_digits(text, length, i);
		if (i == start || i - start > MAX_EXPONENT_DIGITS)
			return false;
	}
	return i == length;
}

static int
skip_digits(const char *text, int length, int position)
{
	while (position < length && text[position] >= '0' && text[position] <= '9')
		position++;
	return position;
}

char *
arazzo_fold_case(const char *text, int length, int *folded_length)
{
	bool		unicode = GetDatabaseEncoding() == PG_UTF8;
	char	   *out = palloc(length * 2 + 1);
	int			used = 0;
	int			i = 0;

	while (i < length)
	{
		unsigned char c = text[i];

		if (c >= 'A' && c <= 'Z')
			out[used++] = c + 32, i++;
		else if (!unicode || c < 0x80 || i + pg_utf_mblen((const unsigned char *) text + i) > length)
			out[used++] = c, i++;
		else
		{
			pg_wchar	folded = fold_character(utf8_to_unicode((const unsigned char *) text + i));

			i += pg_utf_mblen((const unsigned char *) text + i);
			unicode_to_utf8(folded, (unsigned char *) out + used);
			used += pg_utf_mblen((const unsigned char *) out + used);
		}
	}
	out[used] = '\0';
	*folded_length = used;
	return out;
}

static pg_wchar
fold_character(pg_wchar c)
{
	int			low = 0;
	int			high = lengthof(case_ranges) - 1;

	while (low <= high)
	{
		int			middle = (low + high) / 2;
		const CaseRange *range = &case_ranges[middle];

		if (c < range->first)
			high = middle - 1;
		else if (c > range->last)
			low = middle + 1;
		else if (range->delta == 1)
			return (c - range->first) % 2 == 0 ? c + 1 : c;
		else
			return c + range->delta;
	}
	return c;
}
