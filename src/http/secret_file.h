/*-------------------------------------------------------------------------
 *
 * secret_file.h
 *	  Options of a user mapping that lie in a file of the server.
 *
 * The file is a JSON object of strings, or has lines "name = value", blank
 * lines and remarks that begin with "#" aside.
 *
 *-------------------------------------------------------------------------
 */
#ifndef ARAZZO_HTTP_SECRET_FILE_H
#define ARAZZO_HTTP_SECRET_FILE_H

#include <sys/stat.h>

#include "nodes/pg_list.h"

#include "support/errors.h"

/* What tells one state of a file from another. */
typedef struct SecretFile
{
	const char *path;			/* NULL: there is none */
	struct stat status;
} SecretFile;

/*
 * Reads the file at file->path: its options (List of DefElem) in the current
 * context, and in file->status its state.  False and *failure (WF008) when it
 * cannot be read or says what no user mapping could; no value is shown, nor
 * a name that does not exist, since the file may be another one.
 */
extern bool arazzo_secret_file_read(SecretFile *file, const char *server_name,
									List **options, ArazzoFailure **failure);

/* Is it no longer as it was when it was read? */
extern bool arazzo_secret_file_changed(const SecretFile *file);

#endif							/* ARAZZO_HTTP_SECRET_FILE_H */
