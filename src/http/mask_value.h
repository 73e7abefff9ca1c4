/*-------------------------------------------------------------------------
 *
 * mask_value.h
 *	  Hiding secrets in values that are kept.
 *
 *-------------------------------------------------------------------------
 */
#ifndef ARAZZO_HTTP_MASK_VALUE_H
#define ARAZZO_HTTP_MASK_VALUE_H

#include "nodes/pg_list.h"
#include "utils/jsonb.h"

/*
 * The value with every occurrence of every secret (List of char *) in its
 * strings and in names of members masked as arazzo_mask_text does; the value
 * itself when there is nothing to hide.
 */
extern Jsonb *arazzo_mask_jsonb(Jsonb *jsonb, List *secrets);

#endif							/* ARAZZO_HTTP_MASK_VALUE_H */
