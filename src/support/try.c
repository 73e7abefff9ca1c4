/*-------------------------------------------------------------------------
 *
 * try.c
 *	  Errors as data: what may fail is done in a subtransaction.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "utils/memutils.h"
#include "utils/resowner.h"

#include "support/try.h"

ErrorData *
arazzo_try_error(void (*work) (void *argument), void *argument)
{
	MemoryContext context = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;
	ErrorData  *volatile error = NULL;

	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(context);
	PG_TRY();
	{
		work(argument);
		ReleaseCurrentSubTransaction();
	}
	PG_CATCH();
	{
		MemoryContextSwitchTo(context);
		error = CopyErrorData();
		FlushErrorState();
		RollbackAndReleaseCurrentSubTransaction();
	}
	PG_END_TRY();
	MemoryContextSwitchTo(context);
	CurrentResourceOwner = owner;
	return error;
}

ArazzoFailure *
arazzo_try(void (*work) (void *argument), void *argument)
{
	ErrorData  *error = arazzo_try_error(work, argument);

	if (error && arazzo_error_passes(error->sqlerrcode))
		ReThrowError(error);
	return error ? arazzo_failure_from_error(error) : NULL;
}
