/*
 * events.h
 *	  The meter events that Amberflo took in.
 *
 * Post-processing is late: until events_settle() identical events all count
 * and cancellations have no effect, as with the service's fresh data.
 */
#ifndef EVENTS_H
#define EVENTS_H

#include "sandbox.h"

/* One value of one meter; an event with several values makes several. */
typedef struct Event
{
	int64_t		time_ms;
	int64_t		received_ms;
	uint64_t	hash;			/* of the identity */
	bool		settled;
	bool		duplicate;		/* of an earlier one; known when settled */
	bool		cancelled;
	bool		cancels;		/* takes an identical earlier one back */
	bool		has_value;
	const char *meter;			/* "" where not given, so all of these */
	const char *customer;
	const char *unique_id;
	const char *value;			/* digits as they came */
	const char *number;			/* the same, canonical */
	const char *dimensions;		/* JSON object with sorted keys */
} Event;

/* Strings are copied; number and dimensions must be canonical. */
extern void events_add(const Event *event);

extern size_t events_count(void);
extern const Event *events_get(size_t i);

/* How many were taken in, kept or not. */
extern uint64_t events_total(void);

extern void events_settle(void);
extern void events_clear(void);
extern void events_write(Buffer *buf);

/* Whether the event counts in a query of fresh data, or of settled data. */
extern bool event_counts(const Event *event);
extern bool event_counts_settled(const Event *event);

#endif							/* EVENTS_H */
