/*-------------------------------------------------------------------------
 *
 * prepared.c
 *	  Wakes workers when a prepared transaction is committed.
 *
 * What a transaction has queued is forgotten when it is prepared: it may be
 * committed by another session, after a restart.  So any COMMIT PREPARED wakes
 * the workers of its database, which costs them a look.  A subscription that
 * applies one does it without a statement; that is found as they look.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "nodes/parsenodes.h"
#include "tcop/utility.h"

#include "queue/wake.h"
#include "work/prepared.h"

static ProcessUtility_hook_type previous_hook = NULL;

static void process_utility(PlannedStmt *planned, const char *text, bool read_only_tree, ProcessUtilityContext context,
							ParamListInfo params, QueryEnvironment *environment, DestReceiver *receiver,
							QueryCompletion *completion);
static bool commits_prepared(const Node *statement);

void
arazzo_prepared_init(void)
{
	previous_hook = ProcessUtility_hook;
	ProcessUtility_hook = process_utility;
}

static void
process_utility(PlannedStmt *planned, const char *text, bool read_only_tree, ProcessUtilityContext context,
				ParamListInfo params, QueryEnvironment *environment, DestReceiver *receiver,
				QueryCompletion *completion)
{
	/* the statement may be gone with its transaction */
	bool		commits = commits_prepared(planned->utilityStmt);

	if (previous_hook)
		previous_hook(planned, text, read_only_tree, context, params, environment, receiver, completion);
	else
		standard_ProcessUtility(planned, text, read_only_tree, context, params, environment, receiver, completion);
	if (commits && arazzo_queue_wake)
		arazzo_queue_wake();
}

static bool
commits_prepared(const Node *statement)
{
	return IsA(statement, TransactionStmt) && ((const TransactionStmt *) statement)->kind == TRANS_STMT_COMMIT_PREPARED;
}
