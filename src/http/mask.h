/*-------------------------------------------------------------------------
 *
 * mask.h
 *	  Hiding secrets in what is shown: by place (headers, query members)
 *	  and by value.
 *
 *-------------------------------------------------------------------------
 */
#ifndef ARAZZO_HTTP_MASK_H
#define ARAZZO_HTTP_MASK_H

#include "nodes/pg_list.h"

#define ARAZZO_MASK "********"

/* True for names of headers that carry credentials (Authorization, Cookie,
 * X-API-KEY, ...), without case. */
extern bool arazzo_mask_is_secret_header(const char *name);

/*
 * The text with every occurrence of every secret replaced by ARAZZO_MASK,
 * also where it stands percent-encoded, JSON-escaped or base64-encoded.
 * secrets is a List of char *; ones shorter than 4 bytes are ignored.
 * Returns the text itself when there is nothing to hide.
 */
extern char *arazzo_mask_text(const char *text, List *secrets);

#endif							/* ARAZZO_HTTP_MASK_H */
