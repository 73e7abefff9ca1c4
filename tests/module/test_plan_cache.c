/*-------------------------------------------------------------------------
 *
 * test_plan_cache.c
 *	  Changes documents while a plan is being made of them.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "executor/executor.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

PG_FUNCTION_INFO_V1(test_change_while_planning);

static ExecutorEnd_hook_type next_executor_end = NULL;
static bool installed = false;
static char *pending_change = NULL;

/* After the first statement that reads a document: the change, once. */
static void
change_after_read(QueryDesc *query)
{
	char	   *change = pending_change;
	bool		reads = change && strstr(query->sourceText, "content, CASE WHEN kind") != NULL;

	if (next_executor_end)
		next_executor_end(query);
	else
		standard_ExecutorEnd(query);
	if (!reads)
		return;
	pending_change = NULL;
	if (SPI_connect() != SPI_OK_CONNECT || SPI_execute(change, false, 0) < 0 || SPI_finish() != SPI_OK_FINISH)
		elog(ERROR, "could not change the documents");
}

/*
 * test_change_while_planning(change text) returns void
 *
 * Has the next plan of this session read its first document, then the
 * statement executed, then the other documents read.
 */
Datum
test_change_while_planning(PG_FUNCTION_ARGS)
{
	if (!installed)
	{
		next_executor_end = ExecutorEnd_hook;
		ExecutorEnd_hook = change_after_read;
		installed = true;
	}
	pending_change = MemoryContextStrdup(TopMemoryContext, text_to_cstring(PG_GETARG_TEXT_PP(0)));
	PG_RETURN_VOID();
}
