/*-------------------------------------------------------------------------
 *
 * yaml_text.c
 *	  A YAML 1.2 text as libyaml, which implements YAML 1.1, should see it.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "document/yaml_text.h"

/* The private use area of the basic plane: U+E000 to U+F8FF. */
#define PRIVATE_FIRST	0xE000
#define PRIVATE_COUNT	0x1900

/* All characters in question and their stand-ins begin with one of these. */
#define IS_LEAD(c)		((c) == 0xC2 || (c) == 0xE2)

static const struct
{
	const char *bytes;
	size_t		length;
}			hidden_breaks[HIDDEN_BREAKS] = {
	{"\xC2\x85", 2},
	{"\xE2\x80\xA8", 3},
	{"\xE2\x80\xA9", 3}
};

static void hide_breaks(ArazzoYamlText *prepared);
static void hide_directives(ArazzoYamlText *prepared);
static int	count_tag_directives(const char *text, size_t length);
static bool is_blank_line(const char *line, size_t length);
static bool is_known_directive(const char *line, size_t length);
static size_t strcspn_bounded(const char *text, size_t length, const char *stop);
static void hide_character(ArazzoYamlText *prepared, size_t at);
static int	break_at(const char *text, size_t length, size_t at);
static size_t count_breaks(const char *text, size_t length);
static bool choose_standins(ArazzoYamlText *prepared, const char *text, size_t length);
static int	private_character(const char *text, size_t length, size_t at);

void
arazzo_yaml_text_prepare(ArazzoYamlText *prepared, const char *text, size_t length)
{
	prepared->data = text;
	prepared->length = length;
	prepared->copied = false;
	prepared->hidden = false;
	hide_breaks(prepared);
	hide_directives(prepared);
	prepared->tag_directives = count_tag_directives(prepared->data, prepared->length);
}

static void
hide_breaks(ArazzoYamlText *prepared)
{
	const char *text = prepared->data;
	size_t		length = prepared->length;
	size_t		count = count_breaks(text, length);
	char	   *copy;
	size_t		end = 0;
	size_t		i = 0;

	if (count == 0 || !choose_standins(prepared, text, length))
		return;
	copy = MemoryContextAllocHuge(CurrentMemoryContext, length + count);
	while (i < length)
	{
		int			which = break_at(text, length, i);

		if (which < 0)
			copy[end++] = text[i++];
		else
		{
			memcpy(copy + end, prepared->standins[which], 3);
			end += 3;
			i += hidden_breaks[which].length;
		}
	}
	prepared->data = copy;
	prepared->length = end;
	prepared->copied = true;
	prepared->hidden = true;
}

/*
 * Looks at the lines before the document: blank ones, comments, directives.
 * A second document would be refused anyway, so only these matter.
 */
static void
hide_directives(ArazzoYamlText *prepared)
{
	const char *text = prepared->data;
	size_t		length = prepared->length;
	size_t		i = 0;

	while (i < length)
	{
		size_t		start = i;

		while (i < length && text[i] != '\n' && text[i] != '\r')
			i++;
		if (text[start] == '%')
		{
			if (!is_known_directive(text + start, i - start))
			{
				hide_character(prepared, start);
				text = prepared->data;
			}
		}
		else if (!is_blank_line(text + start, i - start))
			return;
		while (i < length && (text[i] == '\n' || text[i] == '\r'))
			i++;
	}
}

static int
count_tag_directives(const char *text, size_t length)
{
	const char *end = text + length;
	const char *at = text;
	int			count = 0;

	while ((at = memchr(at, '%', end - at)) != NULL)
	{
		if (end - at >= 4 && memcmp(at, "%TAG", 4) == 0 &&
			(at == text || at[-1] == '\n' || at[-1] == '\r'))
			count++;
		at++;
	}
	return count;
}

/* Is the line empty but for blanks and a comment? */
static bool
is_blank_line(const char *line, size_t length)
{
	size_t		i = 0;

	while (i < length && (line[i] == ' ' || line[i] == '\t'))
		i++;
	return i == length || line[i] == '#';
}

/*
 * Is the line a directive that libyaml knows, or one it should complain
 * about?  Not: another name than YAML and TAG, and version 1.3 and later.
 */
static bool
is_known_directive(const char *line, size_t length)
{
	size_t		name = strcspn_bounded(line, length, " \t");
	size_t		i = name;

	if (name == 4 && memcmp(line, "%TAG", 4) == 0)
		return true;
	if (name != 5 || memcmp(line, "%YAML", 5) != 0)
		return false;
	while (i < length && (line[i] == ' ' || line[i] == '\t'))
		i++;
	length = i + strcspn_bounded(line + i, length - i, " \t");
	if (length - i < 3 || line[i] != '1' || line[i + 1] != '.')
		return true;
	for (i += 2; i < length; i++)
	{
		if (line[i] < '0' || line[i] > '9')
			return true;
	}
	return line[length - 2] == '.' && line[length - 1] <= '2';
}

/* strcspn() for a text that ends at length. */
static size_t
strcspn_bounded(const char *text, size_t length, const char *stop)
{
	size_t		i = 0;

	while (i < length && strchr(stop, text[i]) == NULL)
		i++;
	return i;
}

/* Makes the rest of the line a comment. */
static void
hide_character(ArazzoYamlText *prepared, size_t at)
{
	if (!prepared->copied)
	{
		char	   *copy = MemoryContextAllocHuge(CurrentMemoryContext, prepared->length);

		memcpy(copy, prepared->data, prepared->length);
		prepared->data = copy;
		prepared->copied = true;
	}
	unconstify(char *, prepared->data)[at] = '#';
}

size_t
arazzo_yaml_text_restore(const ArazzoYamlText *prepared, char *data, size_t length)
{
	size_t		end = 0;
	size_t		i = 0;

	if (!prepared->hidden)
		return length;
	while (i < length)
	{
		int			which = HIDDEN_BREAKS;

		if (i + 3 <= length && (unsigned char) data[i] >= 0xEE)
			for (which = 0; which < HIDDEN_BREAKS; which++)
				if (memcmp(data + i, prepared->standins[which], 3) == 0)
					break;
		if (which == HIDDEN_BREAKS)
			data[end++] = data[i++];
		else
		{
			memcpy(data + end, hidden_breaks[which].bytes, hidden_breaks[which].length);
			end += hidden_breaks[which].length;
			i += 3;
		}
	}
	data[end] = '\0';
	return end;
}

/* Which of the breaks stands here, or -1. */
static inline int
break_at(const char *text, size_t length, size_t at)
{
	int			i;

	if (!IS_LEAD((unsigned char) text[at]))
		return -1;
	for (i = 0; i < HIDDEN_BREAKS; i++)
	{
		if (length - at >= hidden_breaks[i].length &&
			memcmp(text + at, hidden_breaks[i].bytes, hidden_breaks[i].length) == 0)
			return i;
	}
	return -1;
}

static size_t
count_breaks(const char *text, size_t length)
{
	size_t		count = 0;
	size_t		i;

	for (i = 0; i < length; i++)
	{
		if (break_at(text, length, i) >= 0)
			count++;
	}
	return count;
}

/* Three private-use characters that the text does not have. */
static bool
choose_standins(ArazzoYamlText *prepared, const char *text, size_t length)
{
	bool		used[PRIVATE_COUNT] = {false};
	int			chosen = 0;
	size_t		i;

	for (i = 0; i < length; i++)
	{
		int			number = private_character(text, length, i);

		if (number >= 0)
			used[number] = true;
	}
	for (i = 0; i < PRIVATE_COUNT && chosen < HIDDEN_BREAKS; i++)
	{
		int			code = PRIVATE_FIRST + (int) i;

		if (used[i])
			continue;
		prepared->standins[chosen][0] = (char) (0xE0 | (code >> 12));
		prepared->standins[chosen][1] = (char) (0x80 | ((code >> 6) & 0x3F));
		prepared->standins[chosen][2] = (char) (0x80 | (code & 0x3F));
		prepared->standins[chosen][3] = '\0';
		chosen++;
	}
	return chosen == HIDDEN_BREAKS;
}

/* Number of the private-use character that begins here, or -1. */
static int
private_character(const char *text, size_t length, size_t at)
{
	unsigned char lead = text[at];
	int			code;

	if ((lead != 0xEE && lead != 0xEF) || length - at < 3)
		return -1;
	code = ((lead & 0x0F) << 12) | ((text[at + 1] & 0x3F) << 6) | (text[at + 2] & 0x3F);
	code -= PRIVATE_FIRST;
	return code < PRIVATE_COUNT ? code : -1;
}
