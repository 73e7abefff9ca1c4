/*-------------------------------------------------------------------------
 *
 * target_uri.c
 *	  Fuzz target: URIs, pointers, URLs and addresses; the first half of the
 *	  input is a base, the second a reference.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "document/uri.h"
#include "http/egress.h"
#include "http/url.h"

#include "fuzz.h"

static void check_uri(const char *base, const char *reference);
static void check_coding(const StringInfo text);
static void check_pointer(const StringInfo text);
static void check_url(const char *prefix, const char *text);
static void check_address(const char *text);

void
fuzz_target_uri(const char *data, size_t length)
{
	StringInfoData base;
	StringInfoData reference;

	if (!fuzz_split(data, length, &base, &reference))
		return;
	check_uri(base.data, reference.data);
	check_coding(&base);
	check_pointer(&base);
	check_pointer(&reference);
	check_url(base.data, reference.data);
	check_address(base.data);
}

/* What was resolved against a URI is not changed by resolving it again. */
static void
check_uri(const char *base, const char *reference)
{
	ArazzoUri	uri;
	char	   *fragment;
	char	   *resolved = arazzo_uri_resolve(base, reference);
	char	   *plain = arazzo_uri_defragment(resolved, &fragment);

	fuzz_require(strchr(plain, '#') == NULL);
	if (!arazzo_uri_split(base, &uri) || !arazzo_uri_split(reference, &uri))
		return;
	fuzz_require(arazzo_uri_split(resolved, &uri));
	fuzz_require(uri.path != NULL && (uri.scheme != NULL) == arazzo_uri_is_absolute(resolved));
	if (uri.scheme != NULL)
		fuzz_require(strcmp(arazzo_uri_resolve(base, resolved), resolved) == 0);
}

/* What was encoded is decoded; NUL alone cannot be. */
static void
check_coding(const StringInfo text)
{
	StringInfoData encoded;
	char	   *decoded;

	initStringInfo(&encoded);
	arazzo_uri_encode(&encoded, text->data, text->len, NULL);
	decoded = arazzo_uri_decode(encoded.data, encoded.len);
	if (memchr(text->data, '\0', text->len) != NULL)
		fuzz_require(decoded == NULL);
	else
		fuzz_require(decoded != NULL && strcmp(decoded, text->data) == 0);
	(void) arazzo_uri_decode(text->data, text->len);
}

static void
check_pointer(const StringInfo text)
{
	StringInfoData written;
	char	  **tokens;
	int			count;
	int			i;

	if (!arazzo_pointer_parse(text->data, text->len, &tokens, &count))
		return;
	initStringInfo(&written);
	for (i = 0; i < count; i++)
		arazzo_pointer_append(&written, tokens[i]);
	fuzz_require(strcmp(written.data, text->data) == 0);
	(void) arazzo_pointer_value(arazzo_value_null(), tokens, count);
}

static void
check_url(const char *prefix, const char *text)
{
	HttpUrl		outer;
	HttpUrl		inner;
	int			covered;

	if (arazzo_url_parse(text, &inner) != NULL)
		return;
	fuzz_require(inner.host_length > 0 && inner.port > 0 && inner.port <= 65535);
	(void) arazzo_url_is_loopback(&inner);
	if (arazzo_url_parse(prefix, &outer) != NULL)
		return;
	if (outer.path_length > 0 && outer.path[outer.path_length - 1] == '/')
		return;
	covered = arazzo_url_covers(&outer, &inner);
	fuzz_require(covered == -1 || covered == outer.path_length);
}

/* An address that was read is the same when it was written and read again. */
static void
check_address(const char *text)
{
	IpAddress	address;
	IpAddress	again;
	char		buffer[EGRESS_TEXT_SIZE];

	(void) arazzo_egress_networks_valid(text);
	if (!arazzo_egress_parse(text, &address))
		return;
	(void) arazzo_egress_class_name(arazzo_egress_class(&address));
	fuzz_require(arazzo_egress_parse(arazzo_egress_format(&address, buffer), &again));
	fuzz_require(again.length == address.length && memcmp(again.bytes, address.bytes, again.length) == 0);
}
