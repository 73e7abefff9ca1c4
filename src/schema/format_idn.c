/*-------------------------------------------------------------------------
 *
 * format_idn.c
 *	  Formats of host names: hostname, idn-hostname.
 *
 * A label that begins with "xn--" stands for one beyond ASCII and must be
 * the encoding of a valid one (RFC 5890, 2.3.2.1), in both formats.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "mb/pg_wchar.h"

#include "schema/format_internal.h"

#define NAME_MAX_LENGTH 253
#define LABEL_MAX_LENGTH 63

/* Labels as code points, one after the other. */
typedef struct HostName
{
	pg_wchar   *labels[NAME_MAX_LENGTH + 1];
	int			lengths[NAME_MAX_LENGTH + 1];
	int			count;
	int			encoded_length; /* in ASCII, dots included */
	bool		is_bidi;
} HostName;

static bool check_name(const char *data, int length, bool international);
static bool is_dot(pg_wchar code, bool international);
static bool add_label(HostName *name, pg_wchar *label, int length);
static bool add_encoded_label(HostName *name, const pg_wchar *label, int length);
static bool is_plain_label(const pg_wchar *label, int length);
static bool is_ascii(const pg_wchar *label, int length);
static void keep_label(HostName *name, pg_wchar *label, int length, int encoded_length);

/* RFC 1123, 2.1, and RFC 5891, 4.4 */
bool
arazzo_format_hostname(const char *data, int length)
{
	int			i;

	for (i = 0; i < length; i++)
	{
		if (IS_HIGHBIT_SET(data[i]))
			return false;
	}
	return check_name(data, length, false);
}

/* RFC 5890, 2.3.2.3 */
bool
arazzo_format_idn_hostname(const char *data, int length)
{
	return check_name(data, length, true);
}

static bool
check_name(const char *data, int length, bool international)
{
	HostName	name;
	pg_wchar   *wide;
	int			wide_length;
	int			start = 0;
	int			i;

	if (length == 0 || length > NAME_MAX_LENGTH * MAX_MULTIBYTE_CHAR_LEN)
		return false;
	memset(&name, 0, sizeof(name));
	wide = palloc((length + 1) * sizeof(pg_wchar));
	wide_length = pg_mb2wchar_with_len(data, wide, length);

	for (i = 0; i <= wide_length; i++)
	{
		if (i < wide_length && !is_dot(wide[i], international))
			continue;
		if (!add_label(&name, wide + start, i - start))
			return false;
		start = i + 1;
	}
	for (i = 0; i < name.count && name.is_bidi; i++)
	{
		if (!arazzo_idna_follows_bidi_rule(name.labels[i], name.lengths[i]))
			return false;
	}
	return true;
}

/* RFC 3490, 3.1 */
static bool
is_dot(pg_wchar code, bool international)
{
	return code == '.' || (international && (code == 0x3002 || code == 0xFF0E || code == 0xFF61));
}

static bool
add_label(HostName *name, pg_wchar *label, int length)
{
	int			encoded_length = length;

	if (length == 0 || length > NAME_MAX_LENGTH)
		return false;
	if (is_ascii(label, length))
	{
		if (!is_plain_label(label, length))
			return false;
		if (length >= 4 && (label[0] | 0x20) == 'x' && (label[1] | 0x20) == 'n' && label[2] == '-' && label[3] == '-')
			return add_encoded_label(name, label, length);
	}
	else
	{
		if (!arazzo_idna_valid_label(label, length))
			return false;
		encoded_length = 4 + arazzo_punycode_length(label, length);
	}
	keep_label(name, label, length, encoded_length);
	return encoded_length <= LABEL_MAX_LENGTH && name->encoded_length <= NAME_MAX_LENGTH;
}

/* A label "xn--...": decoded, checked, and the only encoding of itself. */
static bool
add_encoded_label(HostName *name, const pg_wchar *label, int length)
{
	pg_wchar	lower[LABEL_MAX_LENGTH];
	pg_wchar   *decoded = palloc(sizeof(pg_wchar) * LABEL_MAX_LENGTH);
	int			decoded_length;
	int			i;

	if (length > LABEL_MAX_LENGTH)
		return false;
	for (i = 4; i < length; i++)
		lower[i - 4] = (label[i] >= 'A' && label[i] <= 'Z') ? label[i] + 32 : label[i];
	if (!arazzo_punycode_decode(lower, length - 4, decoded, LABEL_MAX_LENGTH, &decoded_length))
		return false;
	if (is_ascii(decoded, decoded_length) || !arazzo_idna_valid_label(decoded, decoded_length))
		return false;
	if (arazzo_punycode_length(decoded, decoded_length) != length - 4)
		return false;
	keep_label(name, decoded, decoded_length, length);
	return name->encoded_length <= NAME_MAX_LENGTH;
}

/* Letters, digits and inner hyphens. */
static bool
is_plain_label(const pg_wchar *label, int length)
{
	int			i;

	if (label[0] == '-' || label[length - 1] == '-')
		return false;
	for (i = 0; i < length; i++)
	{
		if (!is_letter((char) label[i]) && !is_digit((char) label[i]) && label[i] != '-')
			return false;
	}
	return true;
}

static bool
is_ascii(const pg_wchar *label, int length)
{
	int			i;

	for (i = 0; i < length; i++)
	{
		if (label[i] >= 0x80)
			return false;
	}
	return true;
}

static void
keep_label(HostName *name, pg_wchar *label, int length, int encoded_length)
{
	name->encoded_length += encoded_length + (name->count > 0 ? 1 : 0);
	if (name->count > NAME_MAX_LENGTH)
		return;
	name->labels[name->count] = label;
	name->lengths[name->count] = length;
	name->count++;
	if (arazzo_idna_is_bidi(label, length))
		name->is_bidi = true;
}
