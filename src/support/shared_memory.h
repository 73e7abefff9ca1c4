/*-------------------------------------------------------------------------
 *
 * shared_memory.h
 *	  Memory that all processes of a server see.
 *
 *-------------------------------------------------------------------------
 */
#ifndef ARAZZO_SUPPORT_SHARED_MEMORY_H
#define ARAZZO_SUPPORT_SHARED_MEMORY_H

#include "storage/lwlock.h"

/* A piece of it. */
typedef struct SharedMemory
{
	const char *name;			/* of the memory, and of its lock */
	Size		size;

	/*
	 * Called in each server process, or in the one that the others come from:
	 * where the memory is, the lock that it has, and whether another has made
	 * it before; all zeros if not.
	 */
	void		(*start) (void *memory, LWLock *lock, bool made);
} SharedMemory;

/* Asks for it, while the server preloads the library; the argument must stay. */
extern void arazzo_shared_memory_add(const SharedMemory *piece);

#endif							/* ARAZZO_SUPPORT_SHARED_MEMORY_H */
