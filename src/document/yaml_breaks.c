/*-------------------------------------------------------------------------
 *
 * yaml_breaks.c
 *	  Keeps libyaml from breaking lines where YAML 1.2 does not.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "document/yaml_breaks.h"

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

static int	break_at(const char *text, size_t length, size_t at);
static size_t count_breaks(const char *text, size_t length);
static bool choose_standins(ArazzoHiddenBreaks *breaks, const char *text, size_t length);
static int	private_character(const char *text, size_t length, size_t at);

void
arazzo_yaml_hide_breaks(ArazzoHiddenBreaks *breaks, const char *text, size_t length)
{
	size_t		count = count_breaks(text, length);
	char	   *copy;
	size_t		end = 0;
	size_t		i = 0;

	breaks->text = text;
	breaks->length = length;
	breaks->hidden = false;
	if (count == 0 || !choose_standins(breaks, text, length))
		return;

	copy = MemoryContextAllocHuge(CurrentMemoryContext, length + count);
	while (i < length)
	{
		int			which = break_at(text, length, i);

		if (which < 0)
			copy[end++] = text[i++];
		else
		{
			memcpy(copy + end, breaks->standins[which], 3);
			end += 3;
			i += hidden_breaks[which].length;
		}
	}
	breaks->text = copy;
	breaks->length = end;
	breaks->hidden = true;
}

size_t
arazzo_yaml_show_breaks(const ArazzoHiddenBreaks *breaks, char *data, size_t length)
{
	size_t		end = 0;
	size_t		i = 0;

	if (!breaks->hidden)
		return length;
	while (i < length)
	{
		int			which = HIDDEN_BREAKS;

		if (i + 3 <= length && (unsigned char) data[i] >= 0xEE)
			for (which = 0; which < HIDDEN_BREAKS; which++)
				if (memcmp(data + i, breaks->standins[which], 3) == 0)
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
choose_standins(ArazzoHiddenBreaks *breaks, const char *text, size_t length)
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
		breaks->standins[chosen][0] = (char) (0xE0 | (code >> 12));
		breaks->standins[chosen][1] = (char) (0x80 | ((code >> 6) & 0x3F));
		breaks->standins[chosen][2] = (char) (0x80 | (code & 0x3F));
		breaks->standins[chosen][3] = '\0';
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
