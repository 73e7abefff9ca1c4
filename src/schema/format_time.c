/*-------------------------------------------------------------------------
 *
 * format_time.c
 *	  Formats of RFC 3339: date, time, date-time, duration.
 *
 * The server's own input functions accept far more than these grammars.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "mb/pg_wchar.h"

#include "schema/format_internal.h"

#define MINUTES_A_DAY (24 * 60)

static bool take_date(FormatText *text);
static bool take_time(FormatText *text);
static bool take_offset(FormatText *text, int *minutes);
static int	days_of_month(int year, int month);
static bool take_units(FormatText *text, const char *units);
static bool take_unit(FormatText *text, char *unit);

/* full-date */
bool
arazzo_format_date(const char *data, int length)
{
	FormatText	text = {data, data + length};

	return take_date(&text) && text.at == text.end;
}

/* full-time */
bool
arazzo_format_time(const char *data, int length)
{
	FormatText	text = {data, data + length};

	return take_time(&text) && text.at == text.end;
}

/* date-time */
bool
arazzo_format_date_time(const char *data, int length)
{
	FormatText	text = {data, data + length};

	return take_date(&text) && (take(&text, 'T') || take(&text, 't')) && take_time(&text) && text.at == text.end;
}

/* RFC 3339, Appendix A: units in order, none skipped between two */
bool
arazzo_format_duration(const char *data, int length)
{
	FormatText	text = {data, data + length};
	FormatText	weeks;
	char		unit;

	if (!take(&text, 'P'))
		return false;
	weeks = text;
	if (take_unit(&weeks, &unit) && unit == 'W')
		return weeks.at == weeks.end;
	if (peek(&text) != 'T' && !take_units(&text, "YMD"))
		return false;
	if (text.at == text.end)
		return true;
	return take(&text, 'T') && take_units(&text, "HMS") && text.at == text.end;
}

/* full-date */
static bool
take_date(FormatText *text)
{
	int			year;
	int			month;
	int			day;

	return take_digits(text, 4, &year) && take(text, '-') &&
		take_digits(text, 2, &month) && take(text, '-') &&
		take_digits(text, 2, &day) &&
		month >= 1 && month <= 12 && day >= 1 && day <= days_of_month(year, month);
}

/* full-time; a leap second ends a day of UTC */
static bool
take_time(FormatText *text)
{
	int			hour;
	int			minute;
	int			second;
	int			offset;

	if (!take_digits(text, 2, &hour) || !take(text, ':') || !take_digits(text, 2, &minute) ||
		!take(text, ':') || !take_digits(text, 2, &second))
		return false;
	if (take(text, '.'))
	{
		if (!is_digit(peek(text)))
			return false;
		while (is_digit(peek(text)))
			text->at++;
	}
	if (!take_offset(text, &offset) || hour > 23 || minute > 59 || second > 60)
		return false;
	return second < 60 ||
		(hour * 60 + minute - offset + MINUTES_A_DAY) % MINUTES_A_DAY == MINUTES_A_DAY - 1;
}

/* time-offset */
static bool
take_offset(FormatText *text, int *minutes)
{
	int			hour;
	int			minute;
	bool		west = peek(text) == '-';

	*minutes = 0;
	if (take(text, 'Z') || take(text, 'z'))
		return true;
	if (!take(text, '+') && !take(text, '-'))
		return false;
	if (!take_digits(text, 2, &hour) || !take(text, ':') || !take_digits(text, 2, &minute) ||
		hour > 23 || minute > 59)
		return false;
	*minutes = west ? -(hour * 60 + minute) : hour * 60 + minute;
	return true;
}

static int
days_of_month(int year, int month)
{
	static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	bool		leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	return days[month - 1] + (month == 2 && leap ? 1 : 0);
}

/* One or more numbers, each with the unit that follows that of the last. */
static bool
take_units(FormatText *text, const char *units)
{
	const char *expected = NULL;

	do
	{
		char		unit;
		const char *found;

		if (!take_unit(text, &unit))
			return false;
		found = strchr(units, unit);
		if (found == NULL || (expected && found != expected))
			return false;
		expected = found + 1;
	} while (*expected != '\0' && is_digit(peek(text)));
	return true;
}

static bool
take_unit(FormatText *text, char *unit)
{
	if (!is_digit(peek(text)))
		return false;
	while (is_digit(peek(text)))
		text->at++;
	*unit = peek(text);
	if (*unit == '\0')
		return false;
	text->at++;
	return true;
}
