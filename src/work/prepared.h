/*-------------------------------------------------------------------------
 *
 * prepared.h
 *	  Wakes workers when a prepared transaction is committed.
 *
 *-------------------------------------------------------------------------
 */
#ifndef ARAZZO_WORK_PREPARED_H
#define ARAZZO_WORK_PREPARED_H

/* Looks at each COMMIT PREPARED; when the library is preloaded. */
extern void arazzo_prepared_init(void);

#endif							/* ARAZZO_WORK_PREPARED_H */
