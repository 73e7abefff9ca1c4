/*-------------------------------------------------------------------------
 *
 * memory_file.h
 *	  Files that are in memory alone, for libraries that take nothing else.
 *
 *-------------------------------------------------------------------------
 */
#ifndef ARAZZO_HTTP_MEMORY_FILE_H
#define ARAZZO_HTTP_MEMORY_FILE_H

typedef struct MemoryFile
{
	int			descriptor;		/* -1: there is none */
	char		path[32];		/* by which this process can open it */
} MemoryFile;

/*
 * Makes a file of a text that only this process can find; it counts among
 * the server's descriptors.  False, with errno set, when it cannot be made.
 */
extern bool arazzo_memory_file_make(MemoryFile *file, const char *text);

/* Ends it, if there is one.  Does not throw. */
extern void arazzo_memory_file_end(MemoryFile *file);

#endif							/* ARAZZO_HTTP_MEMORY_FILE_H */
