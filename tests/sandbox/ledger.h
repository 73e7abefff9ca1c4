/*
 * ledger.h
 *	  Every request as it came, and how it was answered.
 */
#ifndef LEDGER_H
#define LEDGER_H

#include "sandbox.h"

/* Note the request; sets its seq. Requests to the control paths are not noted. */
extern void ledger_add(Request *req, bool complete);

/* Note the answer; without effect when the entry is gone. */
extern void ledger_answered(uint64_t seq, int status);
extern void ledger_fault(uint64_t seq, const char *fault);

/* The request is under way no longer: its answer is about to leave, or nobody
 * waits for it.  Without effect when that was said before. */
extern void ledger_over(Request *req);

/* The kept entries from seq since on whose target begins with prefix, as a JSON array. */
extern void ledger_write(Buffer *buf, uint64_t since, const char *prefix);

extern void ledger_clear(void);
extern uint64_t ledger_total(void);
extern uint64_t ledger_kept(void);

/* The most requests that were under way at a time since the last clear. */
extern uint64_t ledger_busiest(void);

#endif							/* LEDGER_H */
