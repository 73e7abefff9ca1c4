/*-------------------------------------------------------------------------
 *
 * xml_replace.c
 *	  Replacements in an XML text, at the places an XPath expression names.
 *
 * PostgreSQL's xpath() says what a path selects and which element, counted
 * in document order, that is; the change is then made in the text, which
 * stays as it is everywhere else.  A text that xpath() could read is well
 * formed, so that finding the tags again is simple.  One with a document
 * type is refused: entities could hide elements.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "common/string.h"
#include "miscadmin.h"

#include "expression/target.h"

/* A node that is to be replaced. */
typedef struct XmlPlace
{
	int			element;		/* it, or the one it belongs to: 0 is the root */
	char	   *attribute;		/* NULL for the content of the element */
} XmlPlace;

/* Where an element is in the text, in bytes. */
typedef struct XmlElement
{
	int			tag;			/* its "<" */
	int			content;		/* behind the ">" of its start tag */
	int			end;			/* the "<" of its end tag, or content */
	int			name_length;
	bool		empty;			/* "<name/>" */
} XmlElement;

static bool find_place(const char *path, const char *xml, int number, XmlPlace *place,
					   ArazzoFailure **failure);
static bool find_element(const char *xml, int number, XmlElement *element);
static int	skip_markup(const char *xml, int at);
static int	skip_past(const char *xml, int at, const char *what);
static int	tag_end(const char *xml, int at);
static char *replace_content(const char *xml, const XmlElement *element, const char *escaped);
static char *replace_attribute(const char *xml, const XmlElement *element, const char *name,
							   const char *escaped);
static char *spliced(const char *xml, int from, int to, const char *text);
static char *escape(const char *text);

char *
arazzo_xml_replace(const char *path, const char *xml, const char *text, ArazzoFailure **failure)
{
	char	   *counted = arazzo_xpath_scalar("count", path, xml, failure);
	const char *escaped = escape(text);
	char	   *result = pstrdup(xml);
	int			number;

	if (counted == NULL)
		return NULL;
	if (strcmp(counted, "0") == 0 || strstr(xml, "<!DOCTYPE") != NULL)
	{
		*failure = strcmp(counted, "0") == 0 ?
			arazzo_failure_make(ERRCODE_ARAZZO_EXPRESSION,
								"replacement target \"%s\" is not in the payload", path) :
			arazzo_failure_make(ERRCODE_FEATURE_NOT_SUPPORTED,
								"replacements in XML with a document type are not supported");
		return NULL;
	}
	for (number = strtoint(counted, NULL, 10); number > 0; number--)
	{
		XmlPlace	place;
		XmlElement	element;

		CHECK_FOR_INTERRUPTS();
		if (!find_place(path, xml, number, &place, failure))
			return NULL;
		if (!find_element(result, place.element, &element))
			continue;			/* inside another one that was replaced */
		result = place.attribute ?
			replace_attribute(result, &element, place.attribute, escaped) :
			replace_content(result, &element, escaped);
	}
	return result;
}

/* Asks for the node of a number, in document order from 1. */
static bool
find_place(const char *path, const char *xml, int number, XmlPlace *place, ArazzoFailure **failure)
{
	char	   *node = psprintf("(%s)[%d]", path, number);
	char	   *kinds;
	char	   *answer;
	char		kind;
	int			own;
	int			parent;
	int			siblings;
	int			name;

	kinds = psprintf("concat(substring('e', 1, number(boolean(%s/self::*))),"
					 " substring('t', 1, number(boolean(%s/self::text()))),"
					 " substring('a', 1, number(count(%s | %s/../@*) = count(%s/../@*))), 'x')",
					 node, node, node, node, node);
	answer = arazzo_xpath_scalar("concat",
								 psprintf("%s, ' ', count(%s/preceding::*) + count(%s/ancestor::*),"
										  " ' ', count(%s/../preceding::*) + count(%s/../ancestor::*),"
										  " ' ', count(%s/../node()), ' ', name(%s)",
										  kinds, node, node, node, node, node, node), xml, failure);
	if (answer == NULL)
		return false;
	kind = answer[0];
	place->attribute = NULL;
	if (sscanf(answer + strcspn(answer, " "), " %d %d %d %n", &own, &parent, &siblings, &name) == 3)
	{
		place->element = kind == 'e' ? own : parent;
		if (kind == 'a')
			place->attribute = answer + strcspn(answer, " ") + name;
		if (kind == 'e' || kind == 'a' || (kind == 't' && siblings == 1))
			return true;
	}
	*failure = arazzo_failure_make(ERRCODE_FEATURE_NOT_SUPPORTED,
								   "replacement target \"%s\" names what is neither an element, nor an attribute, nor all of an element's text",
								   path);
	return false;
}

/* The element whose start tag has this number in the text, from 0. */
static bool
find_element(const char *xml, int number, XmlElement *element)
{
	int			depth = -1;		/* below the element, once it is found */
	int			at = 0;

	while (xml[at += strcspn(xml + at, "<")] != '\0')
	{
		int			next = skip_markup(xml, at);
		bool		closing = xml[at + 1] == '/';

		if (xml[at + 1] == '!' || xml[at + 1] == '?')
			 /* not a tag */ ;
		else if (depth >= 0 && closing && depth-- == 0)
		{
			element->end = at;
			return true;
		}
		else if (depth >= 0 && !closing && xml[next - 2] != '/')
			depth++;
		else if (depth < 0 && !closing && number-- == 0)
		{
			element->tag = at;
			element->content = element->end = next;
			element->name_length = strcspn(xml + at + 1, " \t\r\n/>");
			element->empty = xml[next - 2] == '/';
			if (element->empty)
				return true;
			depth = 0;
		}
		at = next;
	}
	return false;
}

/* Behind a comment, CDATA section, processing instruction or tag. */
static int
skip_markup(const char *xml, int at)
{
	if (strncmp(xml + at, "<!--", 4) == 0)
		return skip_past(xml, at + 4, "-->");
	if (strncmp(xml + at, "<![CDATA[", 9) == 0)
		return skip_past(xml, at + 9, "]]>");
	if (xml[at + 1] == '?')
		return skip_past(xml, at + 2, "?>");
	return tag_end(xml, at);
}

static int
skip_past(const char *xml, int at, const char *what)
{
	const char *found = strstr(xml + at, what);

	return found ? found - xml + strlen(what) : at + strlen(xml + at);
}

/* Behind the ">" of a tag; quoted values may hold one. */
static int
tag_end(const char *xml, int at)
{
	char		quote = '\0';

	for (; xml[at] != '\0'; at++)
	{
		if (quote == '\0' && xml[at] == '>')
			return at + 1;
		if (quote == xml[at])
			quote = '\0';
		else if (quote == '\0' && (xml[at] == '"' || xml[at] == '\''))
			quote = xml[at];
	}
	return at;
}

static char *
replace_content(const char *xml, const XmlElement *element, const char *escaped)
{
	if (!element->empty)
		return spliced(xml, element->content, element->end, escaped);
	return spliced(xml, element->content - 2, element->content,
				   psprintf(">%s</%.*s>", escaped, element->name_length, xml + element->tag + 1));
}

/* The attribute is there: xpath() has seen it. */
static char *
replace_attribute(const char *xml, const XmlElement *element, const char *name, const char *escaped)
{
	int			at = element->tag + 1 + element->name_length;

	while (at < element->content)
	{
		int			length;
		int			value;
		int			end;

		at += strspn(xml + at, " \t\r\n");
		length = strcspn(xml + at, " \t\r\n=/>");
		value = at + length + strcspn(xml + at + length, "\"'>");
		if (length == 0 || xml[value] == '>')
			break;
		end = value + 1 + strcspn(xml + value + 1, xml[value] == '"' ? "\"" : "'");
		if (length == strlen(name) && strncmp(xml + at, name, length) == 0)
			return spliced(xml, value + 1, end, escaped);
		at = end + 1;
	}
	return pstrdup(xml);
}

static char *
spliced(const char *xml, int from, int to, const char *text)
{
	return psprintf("%.*s%s%s", from, xml, text, xml + to);
}

/* The text as content or as the value of an attribute. */
static char *
escape(const char *text)
{
	StringInfoData out;

	initStringInfo(&out);
	for (; *text != '\0'; text++)
	{
		switch (*text)
		{
			case '&':
				appendStringInfoString(&out, "&amp;");
				break;
			case '<':
				appendStringInfoString(&out, "&lt;");
				break;
			case '>':
				appendStringInfoString(&out, "&gt;");
				break;
			case '"':
				appendStringInfoString(&out, "&quot;");
				break;
			case '\'':
				appendStringInfoString(&out, "&apos;");
				break;
			case '\r':
				appendStringInfoString(&out, "&#13;");
				break;
			default:
				appendStringInfoChar(&out, *text);
				break;
		}
	}
	return out.data;
}
