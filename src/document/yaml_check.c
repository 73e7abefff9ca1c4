/*-------------------------------------------------------------------------
 *
 * yaml_check.c
 *	  What libyaml does not see in a YAML 1.2 text, or sees otherwise.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "document/syntax.h"
#include "document/yaml_check.h"

static const char unspaced_comment[] = "comment needs a blank before \"#\"";

static size_t property_end(const ArazzoYamlCursor *cursor, size_t at);
static size_t next_token(const ArazzoYamlCursor *cursor, size_t at);
static size_t line_end(const ArazzoYamlCursor *cursor, size_t at);
static bool is_blank(char c);
static bool fail_at(const ArazzoYamlCursor *cursor, size_t at, const char *message);

bool
arazzo_yaml_is_non_specific(const ArazzoYamlCursor *cursor)
{
	size_t		at = cursor->start;
	size_t		end;

	while (at < cursor->length && (cursor->text[at] == '!' || cursor->text[at] == '&'))
	{
		end = property_end(cursor, at);
		if (cursor->text[at] == '!' && end == at + 1)
			return true;
		at = next_token(cursor, end);
	}
	return false;
}

/*
 * The end of a tag, an anchor or an alias that begins here.  Only within the
 * brackets of a verbatim tag may commas and the like stand.
 */
static size_t
property_end(const ArazzoYamlCursor *cursor, size_t at)
{
	const char *text = cursor->text + at;
	const char *bracket = NULL;

	if (cursor->length - at > 2 && text[0] == '!' && text[1] == '<')
		bracket = memchr(text, '>', cursor->length - at);
	if (bracket != NULL)
		at += bracket - text;
	while (at < cursor->length && !is_blank(cursor->text[at]) &&
		   strchr(",[]{}", cursor->text[at]) == NULL)
		at++;
	return at;
}

/* The next byte from here that is neither blank nor in a comment. */
static size_t
next_token(const ArazzoYamlCursor *cursor, size_t at)
{
	for (; at < cursor->length; at++)
	{
		if (cursor->text[at] == '#')
			at = line_end(cursor, at);
		if (at < cursor->length && !is_blank(cursor->text[at]))
			break;
	}
	return at;
}

static size_t
line_end(const ArazzoYamlCursor *cursor, size_t at)
{
	while (at < cursor->length && cursor->text[at] != '\n' && cursor->text[at] != '\r')
		at++;
	return at;
}

static inline bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

bool
arazzo_yaml_check_between(const ArazzoYamlCursor *cursor, size_t from, size_t to)
{
	const char *text = cursor->text;
	size_t		i;

	for (i = from; i < to; i++)
	{
		if (text[i] == '#')
		{
			if (i > 0 && !is_blank(text[i - 1]))
				return fail_at(cursor, i, unspaced_comment);
			i = line_end(cursor, i);
		}
		else if (text[i] == '?' && i + 1 < cursor->length && !is_blank(text[i + 1]) &&
				 strchr(",[]{}", text[i + 1]) == NULL)
			return fail_at(cursor, i, "value that begins with \"?\" must be quoted here");
	}
	return true;
}

bool
arazzo_yaml_check_directives(const ArazzoYamlCursor *cursor)
{
	size_t		at = cursor->start;

	while (at < cursor->length && cursor->text[at] == '%')
	{
		size_t		end = line_end(cursor, at);
		const char *comment = memchr(cursor->text + at, '#', end - at);

		if (comment != NULL && !is_blank(comment[-1]) &&
			strncmp(cursor->text + at, "%YAML", strlen("%YAML")) == 0)
			return fail_at(cursor, comment - cursor->text, unspaced_comment);
		at = next_token(cursor, end);
	}
	return true;
}

bool
arazzo_yaml_check_anchor(const ArazzoYamlCursor *cursor, const char *name)
{
	size_t		at = cursor->start;

	if (name == NULL)
		return true;
	while (at < cursor->length && cursor->text[at] == '!')
		at = next_token(cursor, property_end(cursor, at));
	if (property_end(cursor, at) == at + 1 + strlen(name))
		return true;
	return fail_at(cursor, at, "anchor or alias may have letters, digits, \"-\" and \"_\" only");
}

bool
arazzo_yaml_check_plain(const ArazzoYamlCursor *cursor, const char *value, size_t length)
{
	if (length == 1 && value[0] == '-')
		return fail_at(cursor, cursor->start, "\"-\" must be quoted here");
	return true;
}

bool
arazzo_yaml_check_block(const ArazzoYamlCursor *cursor)
{
	size_t		at = cursor->start;

	while (at < cursor->length && (cursor->text[at] == '!' || cursor->text[at] == '&'))
		at = next_token(cursor, property_end(cursor, at));
	at++;						/* "|" or ">" */
	while (at < cursor->length && strchr("+-0123456789", cursor->text[at]) != NULL)
		at++;
	if (at < cursor->length && cursor->text[at] == '#')
		return fail_at(cursor, at, unspaced_comment);
	return true;
}

bool
arazzo_yaml_check_pair(const ArazzoYamlCursor *cursor, size_t end)
{
	if (cursor->start < end && cursor->text[cursor->start] == '?')
		return arazzo_yaml_check_between(cursor, cursor->start, end);
	return true;
}

/* Notes a failure at a byte of the text. */
static bool
fail_at(const ArazzoYamlCursor *cursor, size_t at, const char *message)
{
	int			line;
	int			column;

	arazzo_text_position(cursor->text, at, &line, &column);
	return arazzo_builder_fail(cursor->builder,
							   arazzo_failure_make(ERRCODE_INVALID_TEXT_REPRESENTATION,
												   "invalid YAML: %s", message),
							   line, column);
}

/* Moves on to a character by number; events come in the order of the text. */
size_t
arazzo_yaml_advance(ArazzoYamlCursor *cursor, size_t index)
{
	while (cursor->at_index < index && cursor->at < cursor->length)
	{
		cursor->at++;
		while (cursor->at < cursor->length && (cursor->text[cursor->at] & 0xC0) == 0x80)
			cursor->at++;
		cursor->at_index++;
	}
	return cursor->at;
}
