/*-------------------------------------------------------------------------
 *
 * egress.c
 *	  Which addresses a request may reach.
 *
 * The decision is made on the address that a socket is about to be connected
 * to, never on a name: what a name resolves to is its owner's to change.
 * Called from within library callbacks: nothing here allocates or throws.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "http/egress.h"

typedef struct ClassRule
{
	int			bits;
	unsigned char prefix[16];
	AddressClass class;
} ClassRule;

typedef struct EmbeddingRule
{
	int			bits;
	unsigned char prefix[16];
	int			offset;			/* where the IPv4 address starts */
} EmbeddingRule;

/* IANA IPv4 Special-Purpose Address Registry; the first that holds counts. */
static const ClassRule rules4[] = {
	{32, {169, 254, 169, 254}, ADDRESS_METADATA},
	{32, {169, 254, 170, 2}, ADDRESS_METADATA},
	{32, {168, 63, 129, 16}, ADDRESS_METADATA},
	{32, {100, 100, 100, 200}, ADDRESS_METADATA},
	{32, {192, 0, 0, 192}, ADDRESS_METADATA},
	{8, {0}, ADDRESS_RESERVED},
	{8, {10}, ADDRESS_PRIVATE},
	{10, {100, 64}, ADDRESS_PRIVATE},
	{8, {127}, ADDRESS_LOOPBACK},
	{16, {169, 254}, ADDRESS_LINK_LOCAL},
	{12, {172, 16}, ADDRESS_PRIVATE},
	{24, {192, 0, 0}, ADDRESS_RESERVED},
	{24, {192, 0, 2}, ADDRESS_RESERVED},
	{24, {192, 88, 99}, ADDRESS_RESERVED},
	{16, {192, 168}, ADDRESS_PRIVATE},
	{15, {198, 18}, ADDRESS_RESERVED},
	{24, {198, 51, 100}, ADDRESS_RESERVED},
	{24, {203, 0, 113}, ADDRESS_RESERVED},
	{4, {224}, ADDRESS_MULTICAST},
	{4, {240}, ADDRESS_RESERVED}
};

/* IANA IPv6 Special-Purpose Address Registry; what is not 2000::/3 is reserved. */
static const ClassRule rules6[] = {
	{128, {0xfd, 0x00, 0x0e, 0xc2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x02, 0x54}, ADDRESS_METADATA},
	{128, {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}, ADDRESS_LOOPBACK},
	{128, {0}, ADDRESS_RESERVED},
	{48, {0x00, 0x64, 0xff, 0x9b, 0x00, 0x01}, ADDRESS_PRIVATE},
	{7, {0xfc}, ADDRESS_PRIVATE},
	{10, {0xfe, 0x80}, ADDRESS_LINK_LOCAL},
	{10, {0xfe, 0xc0}, ADDRESS_PRIVATE},
	{8, {0xff}, ADDRESS_MULTICAST},
	{23, {0x20, 0x01, 0x00, 0x00}, ADDRESS_RESERVED},
	{32, {0x20, 0x01, 0x0d, 0xb8}, ADDRESS_RESERVED},
	{20, {0x3f, 0xff, 0x00}, ADDRESS_RESERVED},
	{3, {0x20}, ADDRESS_PUBLIC}
};

/* IPv6 addresses that reach an IPv4 one. */
static const EmbeddingRule embeddings[] = {
	{96, {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff}, 12},
	{96, {0x00, 0x64, 0xff, 0x9b}, 12},
	{16, {0x20, 0x02}, 2},
	{96, {0}, 12}
};

static bool prefix_holds(const unsigned char *bytes, const unsigned char *prefix, int bits);
static AddressClass class_by_rules(const IpAddress *address);
static bool embedded_ipv4(const IpAddress *address, IpAddress *embedded);
static bool networks_contain(const char *networks, const IpAddress *address);
static const char *next_network(const char *text, IpAddress *network, int *bits);

bool
arazzo_egress_parse(const char *text, IpAddress *address)
{
	memset(address, 0, sizeof(IpAddress));
	if (inet_pton(AF_INET, text, address->bytes) == 1)
		address->length = 4;
	else if (inet_pton(AF_INET6, text, address->bytes) == 1)
		address->length = 16;
	return address->length > 0;
}

const char *
arazzo_egress_format(const IpAddress *address, char *buffer)
{
	if (inet_ntop(address->length == 4 ? AF_INET : AF_INET6, address->bytes,
				  buffer, EGRESS_TEXT_SIZE) == NULL)
		buffer[0] = '\0';
	return buffer;
}

AddressClass
arazzo_egress_class(const IpAddress *address)
{
	IpAddress	embedded;
	AddressClass class = class_by_rules(address);

	if ((class == ADDRESS_PUBLIC || class == ADDRESS_RESERVED) &&
		embedded_ipv4(address, &embedded))
		class = class_by_rules(&embedded);
	return class;
}

static AddressClass
class_by_rules(const IpAddress *address)
{
	const ClassRule *rules = address->length == 4 ? rules4 : rules6;
	int			count = address->length == 4 ? lengthof(rules4) : lengthof(rules6);
	int			i;

	for (i = 0; i < count; i++)
	{
		if (prefix_holds(address->bytes, rules[i].prefix, rules[i].bits))
			return rules[i].class;
	}
	return address->length == 4 ? ADDRESS_PUBLIC : ADDRESS_RESERVED;
}

static bool
prefix_holds(const unsigned char *bytes, const unsigned char *prefix, int bits)
{
	int			whole = bits / 8;
	unsigned char mask = (unsigned char) (0xff00 >> (bits % 8));

	if (memcmp(bytes, prefix, whole) != 0)
		return false;
	return bits % 8 == 0 || (bytes[whole] & mask) == (prefix[whole] & mask);
}

/* The unspecified address and ::1 carry none although the prefix fits. */
static bool
embedded_ipv4(const IpAddress *address, IpAddress *embedded)
{
	static const unsigned char zeroes[15] = {0};
	int			i;

	if (address->length != 16 ||
		(memcmp(address->bytes, zeroes, 15) == 0 && address->bytes[15] <= 1))
		return false;
	for (i = 0; i < lengthof(embeddings); i++)
	{
		if (prefix_holds(address->bytes, embeddings[i].prefix, embeddings[i].bits))
		{
			memset(embedded, 0, sizeof(IpAddress));
			embedded->length = 4;
			memcpy(embedded->bytes, address->bytes + embeddings[i].offset, 4);
			return true;
		}
	}
	return false;
}

const char *
arazzo_egress_class_name(AddressClass class)
{
	switch (class)
	{
		case ADDRESS_PUBLIC:
			return "public";
		case ADDRESS_LOOPBACK:
			return "loopback";
		case ADDRESS_PRIVATE:
			return "private";
		case ADDRESS_LINK_LOCAL:
			return "link-local";
		case ADDRESS_METADATA:
			return "metadata";
		case ADDRESS_MULTICAST:
			return "multicast";
		case ADDRESS_RESERVED:
			return "reserved";
	}
	return "unknown";
}

bool
arazzo_egress_allowed(const IpAddress *address, bool plain, const HttpOptions *options)
{
	AddressClass class;
	IpAddress	embedded;

	if (address->length == 0)
		return false;
	class = arazzo_egress_class(address);
	if (class == ADDRESS_LOOPBACK && options->allow_loopback)
		return true;
	if (plain)
		return false;
	if (class == ADDRESS_PUBLIC)
		return true;
	if (options->allow_private == NULL)
		return false;
	return networks_contain(options->allow_private, address) ||
		(embedded_ipv4(address, &embedded) &&
		 networks_contain(options->allow_private, &embedded));
}

bool
arazzo_egress_networks_valid(const char *networks)
{
	IpAddress	network;
	int			bits;

	do
	{
		networks = next_network(networks, &network, &bits);
		if (networks == NULL)
			return false;
	} while (*networks != '\0');
	return true;
}

static bool
networks_contain(const char *networks, const IpAddress *address)
{
	IpAddress	network;
	int			bits;

	do
	{
		networks = next_network(networks, &network, &bits);
		if (networks == NULL)
			return false;
		if (network.length == address->length &&
			prefix_holds(address->bytes, network.bytes, bits))
			return true;
	} while (*networks != '\0');
	return false;
}

/*
 * Reads "address[/bits]" up to a comma or the end; returns what follows the
 * comma, NULL when this is no network.
 */
static const char *
next_network(const char *text, IpAddress *network, int *bits)
{
	char		literal[EGRESS_TEXT_SIZE];
	size_t		skipped = strspn(text, " ");
	size_t		length = strcspn(text + skipped, "/, ");
	const char *rest = text + skipped + length;

	if (length >= sizeof(literal))
		return NULL;
	strlcpy(literal, text + skipped, length + 1);
	if (!arazzo_egress_parse(literal, network))
		return NULL;
	*bits = network->length * 8;
	if (*rest == '/')
	{
		int			most = *bits;

		rest++;
		if (*rest < '0' || *rest > '9')
			return NULL;
		for (*bits = 0; *rest >= '0' && *rest <= '9'; rest++)
		{
			*bits = *bits * 10 + (*rest - '0');
			if (*bits > most)
				return NULL;
		}
	}
	rest += strspn(rest, " ");
	if (*rest == '\0')
		return rest;
	if (*rest != ',' || rest[1] == '\0')
		return NULL;
	return rest + 1;
}
