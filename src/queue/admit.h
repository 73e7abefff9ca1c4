/*-------------------------------------------------------------------------
 *
 * admit.h
 *	  What is known to be wrong with a run before it is queued.
 *
 *-------------------------------------------------------------------------
 */
#ifndef ARAZZO_QUEUE_ADMIT_H
#define ARAZZO_QUEUE_ADMIT_H

#include "utils/jsonb.h"

#include "workflow/plan.h"

/*
 * Throws what keeps a run of a role from being executed: inputs that break
 * the schema (WF005) or hold a credential (22023), a server that is missing
 * or not to be used by the role (42501).
 */
extern void arazzo_queue_admit(const ArazzoPlan *plan, Jsonb *inputs, Oid role);

/* Throws when there is a credential among the inputs (22023): a table is no
 * place for a secret. */
extern void arazzo_queue_refuse_credentials(const ArazzoPlan *plan, const JsonbValue *inputs);

#endif							/* ARAZZO_QUEUE_ADMIT_H */
