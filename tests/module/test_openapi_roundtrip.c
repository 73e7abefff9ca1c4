/*-------------------------------------------------------------------------
 *
 * test_openapi_roundtrip.c
 *	  What was encoded is decoded again, for random values.
 *
 * The decoders here follow the receivers' rules (RFC 3986, the WHATWG URL
 * Standard, RFC 7578) and share nothing with the code they test.  A value is
 * flattened to names and values in its own order, and the decoded message
 * must hold the same.  Where the specification says that a style cannot tell
 * a delimiter from data (OpenAPI 3.2.0, Appendix E), that character is left
 * out of the data: brackets in names for deepObject, "|" for pipeDelimited,
 * the space for spaceDelimited, "." for an exploded label; and the backslash of
 * bytea hex for multipart.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "fmgr.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "openapi/operation.h"
#include "openapi/serialize.h"

#include "test_roundtrip.h"

PG_FUNCTION_INFO_V1(test_openapi_roundtrip);

typedef struct RoundTrip
{
	uint64		random;
	const unsigned char *bytes; /* which decide instead of random, or NULL */
	size_t		bytes_left;
	const char *forbidden;		/* characters that data must not have */
	bool		deep;			/* values within values */
	const char *kind;
	OpenapiParameter *parameter;
} RoundTrip;

typedef struct Flat
{
	char	   *name;
	char	   *value;
} Flat;

/* Characters that mean something to somebody, and some that do not. */
static const char *const alphabet[] = {
	"a", "B", "0", "-", "_", "~", ".", "..", "/", "\\", "?", "#", "[", "]", "@", "!", "$", "&", "'", "(", ")",
	"*", "+", ",", ";", "=", "%", "%2F", "%zz", "|", " ", "  ", "\"", "<", ">", "^", "`", "{", "}", ":",
	"\t", "\r\n", "\001", "\177", "\303\251", "\342\202\254", "\360\237\220\262", "--", "\\x41", "null"
};

static const struct
{
	const char *kind;
	ParameterLocation in;
	ParameterStyle style;
	bool		explode;
	const char *forbidden;
	bool		deep;
}			kinds[] =
{
	{"form", IN_QUERY, STYLE_FORM, true, "", false},
	{"form joined", IN_QUERY, STYLE_FORM, false, "", false},
	{"deepObject", IN_QUERY, STYLE_DEEP_OBJECT, true, "", true},
	{"pipeDelimited", IN_QUERY, STYLE_PIPE_DELIMITED, false, "|", false},
	{"spaceDelimited", IN_QUERY, STYLE_SPACE_DELIMITED, false, " ", false},
	{"simple", IN_PATH, STYLE_SIMPLE, false, "", false},
	{"simple exploded", IN_PATH, STYLE_SIMPLE, true, "", false},
	{"label", IN_PATH, STYLE_LABEL, false, "", false},
	{"label exploded", IN_PATH, STYLE_LABEL, true, ".", false},
	{"matrix", IN_PATH, STYLE_MATRIX, false, "", false},
	{"matrix exploded", IN_PATH, STYLE_MATRIX, true, "", false},
	{"body", IN_QUERY, STYLE_FORM, true, "", true},
	{"multipart", IN_QUERY, STYLE_FORM, true, "\\", false}
};

static uint64 next_random(RoundTrip *trip, uint64 below);
static void append_character(RoundTrip *trip, StringInfo text);
static char *random_string(RoundTrip *trip, int least, const char *forbidden);
static void random_value(RoundTrip *trip, StringInfo json, int level);
static void random_scalar(RoundTrip *trip, StringInfo json);
static bool prepare(RoundTrip *trip);
static void prepare_kind(RoundTrip *trip, size_t number);
static bool one_trip(RoundTrip *trip);
static bool is_dots(const List *flats);
static List *flatten(RoundTrip *trip, List *flats, char *name, const JsonbValue *value);
static List *flatten_whole(RoundTrip *trip, const JsonbValue *value);
static List *decode(RoundTrip *trip, char *wire, const char *type, const JsonbValue *value);
static List *decode_pairs(char *wire, const char *separator, bool plus);
static List *decode_joined(char *wire, const char *separator, const char *equals, bool object);
static List *decode_multipart(char *wire, const char *type);
static List *add_flat(List *flats, char *name, char *value);
static char *percent_decoded(const char *text, bool plus);
static char *next_piece(char **rest, const char *separator);
static bool same_flats(const List *a, const List *b);

/*
 * test_openapi_roundtrip(kind text, seed int, count int) → int: how many of
 * the values were not the same after the trip.
 */
Datum
test_openapi_roundtrip(PG_FUNCTION_ARGS)
{
	RoundTrip	trip = {0};
	int			count = PG_GETARG_INT32(2);
	int			wrong = 0;
	int			i;
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "round trip", ALLOCSET_DEFAULT_SIZES);
	MemoryContext old;

	trip.kind = text_to_cstring(PG_GETARG_TEXT_PP(0));
	trip.random = (uint64) PG_GETARG_INT32(1) * UINT64CONST(0x9E3779B97F4A7C15) + 1;
	if (!prepare(&trip))
		elog(ERROR, "there is no kind \"%s\"", trip.kind);
	old = MemoryContextSwitchTo(context);
	for (i = 0; i < count; i++)
	{
		CHECK_FOR_INTERRUPTS();
		if (!one_trip(&trip))
			wrong++;
		MemoryContextReset(context);
	}
	MemoryContextSwitchTo(old);
	PG_RETURN_INT32(wrong);
}

bool
test_roundtrip_bytes(const char *data, size_t length)
{
	RoundTrip	trip = {0};

	trip.bytes = (const unsigned char *) data;
	trip.bytes_left = length;
	prepare_kind(&trip, next_random(&trip, lengthof(kinds)));
	return one_trip(&trip);
}

/* The next byte, 0 when there is none left; else xorshift64*, the same everywhere. */
static uint64
next_random(RoundTrip *trip, uint64 below)
{
	if (trip->bytes)
	{
		if (trip->bytes_left == 0)
			return 0;
		trip->bytes_left--;
		return *trip->bytes++ % below;
	}
	trip->random ^= trip->random >> 12;
	trip->random ^= trip->random << 25;
	trip->random ^= trip->random >> 27;
	return ((trip->random * UINT64CONST(0x2545F4914F6CDD1D)) >> 33) % below;
}

static char *
random_string(RoundTrip *trip, int least, const char *forbidden)
{
	int			pieces = least + next_random(trip, 6);
	StringInfoData text;

	initStringInfo(&text);
	while (pieces > 0)
	{
		size_t		number = next_random(trip, lengthof(alphabet) + 1);

		if (number == lengthof(alphabet))
			append_character(trip, &text);
		else if (strpbrk(alphabet[number], forbidden) == NULL)
			appendStringInfoString(&text, alphabet[number]);
		else
			continue;
		pieces--;
	}
	return text.data;
}

/* Any character beyond ASCII. */
static void
append_character(RoundTrip *trip, StringInfo text)
{
	pg_wchar	code = next_random(trip, 17) << 16;
	unsigned char utf8[5] = {0};

	code |= next_random(trip, 256) << 8;
	code |= next_random(trip, 256);
	if (code < 0x80 || (code >= 0xD800 && code <= 0xDFFF))
		code += 0x10000;
	unicode_to_utf8(code, utf8);
	appendStringInfoString(text, (char *) utf8);
}

static void
random_scalar(RoundTrip *trip, StringInfo json)
{
	char	   *text;

	switch (next_random(trip, 8))
	{
		case 0:
			appendStringInfo(json, "%d%s%03d", 1 + (int) next_random(trip, 100000),
							 strchr(trip->forbidden, '.') ? "" : ".", (int) next_random(trip, 1000));
			break;
		case 1:
			appendStringInfo(json, "-%d0000000000000000000001", (int) next_random(trip, 100000) + 1);
			break;
		case 2:
			appendStringInfoString(json, next_random(trip, 2) ? "true" : "false");
			break;
		default:
			text = random_string(trip, 1, trip->forbidden);
			arazzo_value_append_json_string(json, text, strlen(text));
			break;
	}
}

/* Arrays and objects at the first level, below it where they are kept. */
static void
random_value(RoundTrip *trip, StringInfo json, int level)
{
	int			shape = next_random(trip, 3);
	int			members = 1 + next_random(trip, 4);
	int			i;

	if (level > 3 || (level > 0 && !trip->deep))
		shape = 0;
	if (shape == 0)
	{
		random_scalar(trip, json);
		return;
	}
	appendStringInfoChar(json, shape == 1 ? '[' : '{');
	for (i = 0; i < members; i++)
	{
		if (i > 0)
			appendStringInfoChar(json, ',');
		if (shape == 2)
		{
			char	   *key = random_string(trip, 1, psprintf("%s[]", trip->forbidden));

			arazzo_value_append_json_string(json, key, strlen(key));
			appendStringInfoChar(json, ':');
		}
		random_value(trip, json, level + 1);
	}
	appendStringInfoChar(json, shape == 1 ? ']' : '}');
}

/* What the kind says; false when there is no such kind. */
static bool
prepare(RoundTrip *trip)
{
	size_t		i;

	for (i = 0; i < lengthof(kinds); i++)
	{
		if (strcmp(kinds[i].kind, trip->kind) != 0)
			continue;
		prepare_kind(trip, i);
		return true;
	}
	return false;
}

static void
prepare_kind(RoundTrip *trip, size_t number)
{
	trip->kind = kinds[number].kind;
	trip->parameter = arazzo_serialize_undeclared(kinds[number].in, "n&m");
	trip->parameter->style = kinds[number].style;
	trip->parameter->explode = kinds[number].explode;
	trip->forbidden = kinds[number].forbidden;
	trip->deep = kinds[number].deep;
}

static bool
one_trip(RoundTrip *trip)
{
	bool		body = strcmp(trip->kind, "body") == 0 || strcmp(trip->kind, "multipart") == 0;
	StringInfoData json;
	StringInfoData wire;
	ArazzoFailure *failure = NULL;
	const char *type = NULL;
	JsonbValue *value;
	bool		sent;

	initStringInfo(&json);
	initStringInfo(&wire);
	if (body)
	{
		appendStringInfoString(&json, "{\"first name\":");
		random_value(trip, &json, 0);
		appendStringInfoString(&json, ",\"b\":");
		random_value(trip, &json, 0);
		appendStringInfoChar(&json, '}');
	}
	else
		random_value(trip, &json, 0);
	value = arazzo_value_parse_json(json.data, json.len, &failure);
	if (value == NULL)
		arazzo_failure_report(failure, ERROR);
	if (strcmp(trip->kind, "body") == 0)
		sent = arazzo_serialize_body(&wire, "application/x-www-form-urlencoded", NULL, value, NULL, &type, &failure);
	else if (strcmp(trip->kind, "multipart") == 0)
		sent = arazzo_serialize_body(&wire, "multipart/form-data", NULL, value, NULL, &type, &failure);
	else if (trip->parameter->in == IN_QUERY)
		sent = arazzo_serialize_query(&wire, trip->parameter, value, &failure);
	else
		sent = arazzo_serialize_path(&wire, trip->parameter, value, &failure);

	if (!sent)
		return trip->parameter->in == IN_PATH && is_dots(flatten_whole(trip, value));
	if (trip->parameter->in == IN_PATH && strpbrk(wire.data, "/\\?#[] \r\n") != NULL)
		return false;
	return same_flats(flatten_whole(trip, value), decode(trip, wire.data, type, value));
}

/* "." and "..", the only values that a path refuses here. */
static bool
is_dots(const List *flats)
{
	const char *value = ((Flat *) linitial(flats))->value;

	return list_length(flats) == 1 && (strcmp(value, ".") == 0 || strcmp(value, "..") == 0);
}

/* The names and values that a receiver must see. */
static List *
flatten_whole(RoundTrip *trip, const JsonbValue *value)
{
	bool		body = strcmp(trip->kind, "body") == 0 || strcmp(trip->kind, "multipart") == 0;
	List	   *flats = NIL;
	ArazzoValueWalk walk;
	JsonbValue	key;
	JsonbValue	item;

	if (!body)
		return flatten(trip, NIL, pstrdup(trip->parameter->name), value);
	arazzo_value_walk(&walk, value);
	while (arazzo_value_next(&walk, &key, &item))
	{
		char	   *name = pnstrdup(key.val.string.val, key.val.string.len);
		bool		nested = arazzo_value_is_object(&item);
		ArazzoValueWalk inner;
		JsonbValue	inner_key;
		JsonbValue	inner_item;

		if (strcmp(trip->kind, "multipart") == 0 && nested)
		{
			flats = add_flat(flats, name, arazzo_value_to_text(&item));
			continue;
		}
		if (!arazzo_value_is_array(&item))
		{
			flats = flatten(trip, flats, name, &item);
			continue;
		}
		arazzo_value_walk(&inner, &item);
		while (arazzo_value_next(&inner, &inner_key, &inner_item))
			nested |= inner_item.type == jbvBinary;
		if (nested)
		{
			flats = flatten(trip, flats, name, &item);
			continue;
		}
		arazzo_value_walk(&inner, &item);
		while (arazzo_value_next(&inner, &inner_key, &inner_item))
			flats = add_flat(flats, name, arazzo_value_to_text(&inner_item));
	}
	return flats;
}

static List *
flatten(RoundTrip *trip, List *flats, char *name, const JsonbValue *value)
{
	bool		object = arazzo_value_is_object(value);
	ArazzoValueWalk walk;
	JsonbValue	key;
	JsonbValue	item;
	int			index = 0;

	if (value->type != jbvBinary)
		return add_flat(flats, name, arazzo_value_to_text(value));
	arazzo_value_walk(&walk, value);
	while (arazzo_value_next(&walk, &key, &item))
	{
		char	   *below = object ? pnstrdup(key.val.string.val, key.val.string.len) : psprintf("%d", index);

		index++;
		if (trip->deep)
			flats = flatten(trip, flats, psprintf("%s[%s]", name, below), &item);
		else
			flats = add_flat(flats, object ? below : name, arazzo_value_to_text(&item));
	}
	return flats;
}

/* What stands between the items of an array or object. */
static const char *
joint_of(const OpenapiParameter *parameter)
{
	if (parameter->style == STYLE_SPACE_DELIMITED)
		return "%20";
	if (parameter->style == STYLE_PIPE_DELIMITED)
		return "%7C";
	return parameter->style == STYLE_LABEL && parameter->explode ? "." : ",";
}

static List *
decode(RoundTrip *trip, char *wire, const char *type, const JsonbValue *value)
{
	const OpenapiParameter *parameter = trip->parameter;
	bool		object = arazzo_value_is_object(value);
	const char *joint = joint_of(parameter);
	List	   *flats;
	ListCell   *cell;

	if (strcmp(trip->kind, "multipart") == 0)
		return decode_multipart(wire, type);
	if (strcmp(trip->kind, "body") == 0)
		return decode_pairs(wire, "&", true);
	if (parameter->in == IN_QUERY && (parameter->explode || value->type != jbvBinary))
		return decode_pairs(wire, "&", false);
	if (parameter->style == STYLE_MATRIX && (parameter->explode || value->type != jbvBinary))
		return decode_pairs(wire + 1, ";", false);
	if (parameter->style == STYLE_LABEL)
		wire++;
	if (value->type != jbvBinary)
		return add_flat(NIL, pstrdup(parameter->name), percent_decoded(wire, false));
	if (parameter->in == IN_QUERY || parameter->style == STYLE_MATRIX)
	{
		/* ";" or nothing, the name, "=" */
		if (parameter->style == STYLE_MATRIX)
			wire++;
		if (strcmp(percent_decoded(next_piece(&wire, "="), false), parameter->name) != 0)
			return NIL;
	}
	flats = decode_joined(wire, joint, parameter->explode ? "=" : joint, object);
	if (!object)
	{
		foreach(cell, flats)
			((Flat *) lfirst(cell))->name = pstrdup(parameter->name);
	}
	return flats;
}

static List *
decode_pairs(char *wire, const char *separator, bool plus)
{
	List	   *flats = NIL;

	while (wire)
	{
		char	   *value = next_piece(&wire, separator);
		char	   *name = next_piece(&value, "=");

		flats = add_flat(flats, percent_decoded(name, plus), percent_decoded(value ? value : "", plus));
	}
	return flats;
}

static List *
decode_joined(char *wire, const char *separator, const char *equals, bool object)
{
	List	   *flats = NIL;

	while (wire)
	{
		char	   *piece = next_piece(&wire, separator);
		char	   *name = NULL;

		if (object && strcmp(separator, equals) == 0)
		{
			name = piece;
			piece = wire ? next_piece(&wire, separator) : pstrdup("");
		}
		else if (object)
			name = next_piece(&piece, equals);
		flats = add_flat(flats, name ? percent_decoded(name, false) : NULL,
						 percent_decoded(piece ? piece : "", false));
	}
	return flats;
}

/* RFC 2046, 5.1: parts between the boundaries; names as RFC 7578 quotes. */
static List *
decode_multipart(char *wire, const char *type)
{
	char	   *boundary = strstr(type, "boundary=") + strlen("boundary=");
	char	   *separator = psprintf("\r\n--%s", boundary);
	List	   *flats = NIL;

	wire = psprintf("\r\n%s", wire);
	(void) next_piece(&wire, separator);
	while (wire && strncmp(wire, "--", 2) != 0)
	{
		char	   *content = next_piece(&wire, separator);
		char	   *headers = next_piece(&content, "\r\n\r\n");
		char	   *name = strstr(headers, "name=\"");

		if (name == NULL || content == NULL)
			return NIL;
		name += strlen("name=\"");
		flats = add_flat(flats, percent_decoded(next_piece(&name, "\""), false), content);
	}
	return flats;
}

static List *
add_flat(List *flats, char *name, char *value)
{
	Flat	   *flat = palloc(sizeof(Flat));

	flat->name = name;
	flat->value = value;
	return lappend(flats, flat);
}

static char *
percent_decoded(const char *text, bool plus)
{
	StringInfoData out;

	initStringInfo(&out);
	for (; *text; text++)
	{
		unsigned int c;

		if (*text == '%' && sscanf(text + 1, "%2x", &c) == 1)
		{
			appendStringInfoChar(&out, (char) c);
			text += 2;
		}
		else
			appendStringInfoChar(&out, plus && *text == '+' ? ' ' : *text);
	}
	return out.data;
}

/* What stands before the separator; *rest is what follows it, or NULL. */
static char *
next_piece(char **rest, const char *separator)
{
	char	   *start = *rest;
	char	   *end = strstr(start, separator);

	if (end == NULL)
	{
		*rest = NULL;
		return start;
	}
	*rest = end + strlen(separator);
	return pnstrdup(start, end - start);
}

static bool
same_flats(const List *a, const List *b)
{
	ListCell   *cell_a;
	ListCell   *cell_b;

	if (list_length(a) != list_length(b))
		return false;
	forboth(cell_a, a, cell_b, b)
	{
		Flat	   *flat_a = lfirst(cell_a);
		Flat	   *flat_b = lfirst(cell_b);

		if (strcmp(flat_a->name, flat_b->name) != 0 || strcmp(flat_a->value, flat_b->value) != 0)
			return false;
	}
	return true;
}
