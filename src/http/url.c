/*-------------------------------------------------------------------------
 *
 * url.c
 *	  Absolute URLs of HTTP servers and of databases, taken apart without
 *	  copying.
 *
 * What this parser accepts, every other parser reads in the same way: it
 * refuses all in which they are known to differ (backslashes, user
 * information, control and non-ASCII characters, dot segments).
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include "http/url.h"

#define NOT_HTTP "is not an absolute http or https URL"

static const struct
{
	const char *prefix;
	bool		secure;
	bool		database;
	int			port;
}			schemes[] =
{
	{"https://", true, false, 443},
	{"http://", false, false, 80},
	{"postgresql://", false, true, 5432},
	{"postgres://", false, true, 5432}
};

static const char *parse_scheme(const char *text, HttpUrl *url);
static const char *parse_authority(const char *text, int length, HttpUrl *url);
static const char *parse_port(const char *digits, int length, int *port);
static bool has_forbidden_character(const char *text);
static bool is_host_character(char c);
static bool is_directory(const char *host);
static bool has_dot_segment(const char *path, int length);
static int	dot_length(const char *text, const char *end);

const char *
arazzo_url_parse(const char *text, HttpUrl *url)
{
	const char *problem = arazzo_url_parse_any(text, url);

	return problem == NULL && url->database ? NOT_HTTP : problem;
}

const char *
arazzo_url_parse_any(const char *text, HttpUrl *url)
{
	const char *authority;
	const char *problem;
	int			length;

	memset(url, 0, sizeof(HttpUrl));
	if (has_forbidden_character(text))
		return "has a character that no URL may have";
	authority = parse_scheme(text, url);
	if (authority == NULL)
		return NOT_HTTP;

	length = strcspn(authority, "/?#");
	problem = parse_authority(authority, length, url);
	if (problem != NULL)
		return problem;

	url->path = authority + length;
	url->path_length = strcspn(url->path, "?#");
	text = url->path + url->path_length;
	url->has_query = (*text == '?');
	url->has_fragment = (strchr(text, '#') != NULL);
	if (has_dot_segment(url->path, url->path_length))
		return "has a path segment \".\" or \"..\"";
	return NULL;
}

/* Returns what follows the scheme, NULL when it is none of ours. */
static const char *
parse_scheme(const char *text, HttpUrl *url)
{
	size_t		i;

	for (i = 0; i < lengthof(schemes); i++)
	{
		size_t		length = strlen(schemes[i].prefix);

		if (pg_strncasecmp(text, schemes[i].prefix, length) == 0)
		{
			url->secure = schemes[i].secure;
			url->database = schemes[i].database;
			url->port = schemes[i].port;
			return text + length;
		}
	}
	return NULL;
}

/* RFC 3986, section 3.2, without user information. */
static const char *
parse_authority(const char *text, int length, HttpUrl *url)
{
	const char *end = text + length;
	const char *p = text;
	struct in6_addr address;
	char		literal[INET6_ADDRSTRLEN];

	if (memchr(text, '@', length) != NULL)
		return "has user information";
	url->host = text;
	if (*p == '[')
	{
		p = memchr(text, ']', length);
		if (p == NULL || p - text > sizeof(literal))
			return "has a host that is no address";
		strlcpy(literal, text + 1, p - text);
		if (inet_pton(AF_INET6, literal, &address) != 1)
			return "has a host that is no address";
		p++;
	}
	else
	{
		while (p < end && (is_host_character(*p) || (url->database && *p == '%')))
			p++;
		if (memchr(text, '%', p - text) != NULL && !is_directory(text))
			return "has a host name with a character that none may have";
	}
	url->host_length = p - text;
	if (url->host_length == 0)
		return "has no host";
	if (url->host_length > 255)
		return "has a host name that is too long";

	if (p == end)
		return NULL;
	if (*p != ':')
		return "has a host name with a character that none may have";
	return parse_port(p + 1, end - p - 1, &url->port);
}

static const char *
parse_port(const char *digits, int length, int *port)
{
	int			i;
	int			number = 0;

	if (length == 0)
		return NULL;
	for (i = 0; i < length && number <= 65535; i++)
	{
		if (digits[i] < '0' || digits[i] > '9')
			return "has a port that is no number";
		number = number * 10 + (digits[i] - '0');
	}
	if (number < 1 || number > 65535)
		return "has a port that is out of range";
	*port = number;
	return NULL;
}

/*
 * Spaces, control and non-ASCII characters, quotes, angle brackets and
 * backslashes.  Others that RFC 3986 wants encoded (braces, bars) have one
 * reading only, and descriptions do have them in queries.
 */
static bool
has_forbidden_character(const char *text)
{
	const unsigned char *p;

	for (p = (const unsigned char *) text; *p != '\0'; p++)
	{
		if (*p <= ' ' || *p >= 0x7f || *p == '\\' || *p == '"' || *p == '<' || *p == '>')
			return true;
	}
	return false;
}

/* Letters, digits, dot and hyphen; underscores occur in private names. */
static bool
is_host_character(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
		(c >= '0' && c <= '9') || c == '.' || c == '-' || c == '_';
}

/* A path with its slashes encoded, as libpq has it in URIs. */
static bool
is_directory(const char *host)
{
	return pg_strncasecmp(host, "%2F", 3) == 0;
}

bool
arazzo_url_is_socket(const HttpUrl *url)
{
	return url->database && is_directory(url->host);
}

/* True for "." and ".." as whole segments, also percent-encoded. */
static bool
has_dot_segment(const char *path, int length)
{
	const char *end = path + length;
	const char *p = path;

	while (p < end)
	{
		int			dots;

		p++;
		dots = dot_length(p, end);
		if (dots > 0)
		{
			p += dots;
			dots = dot_length(p, end);
			p += dots;
			if (p == end || *p == '/')
				return true;
		}
		while (p < end && *p != '/')
			p++;
	}
	return false;
}

/* Bytes that a dot takes here: 1, 3 when it is encoded, 0 when it is none. */
static int
dot_length(const char *text, const char *end)
{
	if (text < end && *text == '.')
		return 1;
	if (end - text >= 3 && pg_strncasecmp(text, "%2e", 3) == 0)
		return 3;
	return 0;
}

bool
arazzo_url_is_loopback(const HttpUrl *url)
{
	char		host[64];
	struct in_addr address4;
	struct in6_addr address6;

	if (url->host_length >= sizeof(host))
		return false;
	strlcpy(host, url->host, url->host_length + 1);
	if (pg_strcasecmp(host, "localhost") == 0)
		return true;
	if (inet_pton(AF_INET, host, &address4) == 1)
		return (ntohl(address4.s_addr) >> 24) == IN_LOOPBACKNET;
	if (host[0] != '[')
		return false;
	host[url->host_length - 1] = '\0';
	return inet_pton(AF_INET6, host + 1, &address6) == 1 &&
		IN6_IS_ADDR_LOOPBACK(&address6);
}

int
arazzo_url_covers(const HttpUrl *prefix, const HttpUrl *url)
{
	if (prefix->secure != url->secure || prefix->database != url->database ||
		prefix->port != url->port ||
		prefix->host_length != url->host_length ||
		pg_strncasecmp(prefix->host, url->host, url->host_length) != 0)
		return -1;
	if (prefix->path_length > url->path_length ||
		(prefix->path_length > 0 &&
		 memcmp(prefix->path, url->path, prefix->path_length) != 0))
		return -1;
	if (prefix->path_length < url->path_length && url->path[prefix->path_length] != '/')
		return -1;
	return prefix->path_length;
}

char *
arazzo_url_authority(const HttpUrl *url)
{
	return psprintf("%.*s:%d", url->host_length, url->host, url->port);
}
