/*-------------------------------------------------------------------------
 *
 * jsonb_writer.h
 *	  Writes jsonb front to back, without a tree of values in between.
 *
 * The writer of a container is told how many entries it will have; a
 * container within it is written between two of its entries, to the same
 * buffer:
 *		arazzo_jsonb_begin(&writer, buffer, JB_FARRAY, count);
 *		for each element
 *			arazzo_jsonb_entry(&writer, arazzo_jsonb_write(buffer, value));
 *		entry = arazzo_jsonb_end(&writer);
 * An object has its keys first, in the order of jsonb and each only once,
 * then the values in the same order.
 *
 *-------------------------------------------------------------------------
 */
#ifndef ARAZZO_SUPPORT_JSONB_WRITER_H
#define ARAZZO_SUPPORT_JSONB_WRITER_H

#include "lib/stringinfo.h"
#include "utils/jsonb.h"

typedef struct JsonbWriter
{
	StringInfo	out;
	int			start;			/* with padding */
	int			entries;		/* where they stand */
	int			index;			/* of the next one */
	int64		total;			/* bytes of the values so far */
} JsonbWriter;

/* The keys of objects that all have the same. */
typedef struct JsonbKeys
{
	int			count;
	JEntry	   *entries;
	char	   *bytes;
	int			length;
} JsonbKeys;

/* Room for the head of a datum, in a new buffer that is aligned like one. */
extern void arazzo_jsonb_begin_datum(StringInfo out);

/* The datum that was written; its only value is a container. */
extern Jsonb *arazzo_jsonb_end_datum(StringInfo out);

/* kind is JB_FARRAY, count its elements, or JB_FOBJECT, count its members. */
extern void arazzo_jsonb_begin(JsonbWriter *writer, StringInfo out, uint32 kind, int count);
extern void arazzo_jsonb_entry(JsonbWriter *writer, JEntry entry);
extern JEntry arazzo_jsonb_end(JsonbWriter *writer);

/* Prepares keys in the current memory context; writes all keys of an object. */
extern void arazzo_jsonb_prepare_keys(JsonbKeys *keys, const JsonbValue *names, int count);
extern void arazzo_jsonb_keys(JsonbWriter *writer, const JsonbKeys *keys);

/* Writes a scalar, or copies a container (jbvBinary). */
extern JEntry arazzo_jsonb_write(StringInfo out, const JsonbValue *value);

#endif							/* ARAZZO_SUPPORT_JSONB_WRITER_H */
