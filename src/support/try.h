/*-------------------------------------------------------------------------
 *
 * try.h
 *	  Errors as data: what may fail is done in a subtransaction.
 *
 *-------------------------------------------------------------------------
 */
#ifndef ARAZZO_SUPPORT_TRY_H
#define ARAZZO_SUPPORT_TRY_H

#include "support/errors.h"

/*
 * Calls a function in a subtransaction, in the current memory context.  When
 * it throws, all that it did is rolled back, and the error is returned, in
 * that context; NULL when it did not throw.
 */
extern ErrorData *arazzo_try_error(void (*work) (void *argument), void *argument);

/*
 * The same, with a failure for what is a matter of the data: when it throws, the failure is returned; what must pass (arazzo_error_passes) is thrown on.
 */
extern ArazzoFailure *arazzo_try(void (*work) (void *argument), void *argument);

#endif							/* ARAZZO_SUPPORT_TRY_H */
