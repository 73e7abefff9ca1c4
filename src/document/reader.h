/*-------------------------------------------------------------------------
 *
 * reader.h
 *	  YAML 1.2 (core schema) and JSON text to a tree.
 *
 *-------------------------------------------------------------------------
 */
#ifndef ARAZZO_DOCUMENT_READER_H
#define ARAZZO_DOCUMENT_READER_H

#include "document/node.h"
#include "support/errors.h"

/*
 * Reads one document (RFC 8259 when it parses as JSON, else YAML 1.2 core
 * schema).  The tree is built in the current memory context.  On bad text
 * returns NULL and sets *failure: 22P02 with line and column (also duplicate
 * keys, several documents), 22021 for invalid UTF-8, 22P05 for a NUL
 * character, 54000 for a limit (arazzo.max_document_*) or a number that
 * numeric cannot hold.  Throws only for out of memory and interrupts.
 *
 * The text is UTF-8 whatever the database's encoding is, and so is the tree.
 */
extern ArazzoNode *arazzo_reader_read(const char *text, size_t length, ArazzoFailure **failure);

#endif							/* ARAZZO_DOCUMENT_READER_H */
