/*-------------------------------------------------------------------------
 *
 * backend.h
 *	  As much of a PostgreSQL backend as the readers need, over malloc().
 *
 *-------------------------------------------------------------------------
 */
#ifndef ARAZZO_FUZZ_BACKEND_H
#define ARAZZO_FUZZ_BACKEND_H

/* To be called once, before anything is allocated. */
extern void backend_init(void);

#endif							/* ARAZZO_FUZZ_BACKEND_H */
