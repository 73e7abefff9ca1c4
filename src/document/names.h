/*-------------------------------------------------------------------------
 *
 * names.h
 *	  Hash table from byte strings to numbers, for keys and anchors.
 *
 * Private to src/document.  The hash is seeded by the owner, so that no
 * text can be made to collide: private_data points to the uint64 seed.
 *
 *-------------------------------------------------------------------------
 */
#ifndef ARAZZO_DOCUMENT_NAMES_H
#define ARAZZO_DOCUMENT_NAMES_H

#include "common/hashfn.h"

typedef struct KeyName
{
	const char *data;
	int			length;
} KeyName;

typedef struct NameEntry
{
	KeyName		name;
	uint32		hash;
	int			number;
	char		status;
} NameEntry;

static inline bool
name_equal(KeyName a, KeyName b)
{
	return a.length == b.length && memcmp(a.data, b.data, a.length) == 0;
}

static inline uint32
name_hash(KeyName name, const uint64 *seed)
{
	return (uint32) hash_bytes_extended((const unsigned char *) name.data, name.length, *seed);
}

#define SH_PREFIX names
#define SH_ELEMENT_TYPE NameEntry
#define SH_KEY_TYPE KeyName
#define SH_KEY name
#define SH_HASH_KEY(table, key) name_hash(key, (const uint64 *) (table)->private_data)
#define SH_EQUAL(table, a, b) name_equal(a, b)
#define SH_STORE_HASH
#define SH_GET_HASH(table, entry) (entry)->hash
#define SH_SCOPE static inline
#define SH_DECLARE
#define SH_DEFINE
#include "lib/simplehash.h"

#endif							/* ARAZZO_DOCUMENT_NAMES_H */
