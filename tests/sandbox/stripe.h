/*
 * stripe.h
 *	  The parts of the local Stripe.
 */
#ifndef STRIPE_H
#define STRIPE_H

#include "json.h"
#include "sandbox.h"

extern const Route stripe_routes[];
extern const Route stripe_v2_routes[];

/* stripe.c: keys, errors, Request-Id */
extern void stripe_call(Request *req, Answer *ans);
extern void stripe_no_route(Request *req, Answer *ans);
extern void stripe_spoiled(Request *req, Answer *ans, bool taken_in);
extern void stripe_error(Answer *ans, int status, const char *code, const char *param,
						 const char *fmt,...) __attribute__((format(printf, 5, 6)));
extern void stripe_typed_error(Answer *ans, int status, const char *type, const char *code,
							   const char *text);
extern bool stripe_livemode(const Request *req);
extern void stripe_write_state(Buffer *buf);
extern void stripe_clear(void);

/* idempotency.c */
extern void idempotent_call(Request *req, Answer *ans);
extern void idempotency_keep(Request *req, const Answer *ans);
extern bool idempotency_known(const Request *req);
extern void idempotency_clear(void);
extern json_t *idempotency_state(void);

/* stripe_meters.c */
extern void stripe_meters_clear(void);
extern json_t *stripe_meters_state(void);
extern json_t *stripe_meter_active(const char *event_name);
extern json_t *stripe_meter_archived(const char *event_name);
extern json_t *stripe_meter_get(const char *id);
extern json_t *stripe_meter_auto(const char *event_name);
extern void stripe_meter_list(Request *req, Answer *ans);
extern void stripe_meter_create(Request *req, Answer *ans);
extern void stripe_meter_retrieve(Request *req, Answer *ans);
extern void stripe_meter_update(Request *req, Answer *ans);
extern void stripe_meter_deactivate(Request *req, Answer *ans);
extern void stripe_meter_reactivate(Request *req, Answer *ans);

/* stripe_events.c: the core that both versions of the API share */
typedef enum EventProblem
{
	EVENT_OK,
	EVENT_LOCKED,
	EVENT_NO_METER,
	EVENT_ARCHIVED,
	EVENT_TOO_OLD,
	EVENT_IN_FUTURE,
	EVENT_TOO_MANY_DIGITS,
	EVENT_NO_VALUE,
	EVENT_NO_CUSTOMER,
	EVENT_BAD_VALUE,
	EVENT_UNKNOWN_CUSTOMER,
	EVENT_DUPLICATE
} EventProblem;

/* What a caller gives; identifier may be NULL. */
typedef struct NewEvent
{
	const char *event_name;
	const char *identifier;
	json_t	   *payload;
	int64_t		timestamp;		/* seconds */
	bool		asynchronous;	/* problems are reported later */
} NewEvent;

/* The kept event (a new reference), or NULL with the problem. */
extern json_t *stripe_event_take(Request *req, const NewEvent *given, EventProblem *problem);
extern const char *stripe_problem_code(EventProblem problem);
extern void stripe_event_create(Request *req, Answer *ans);
extern void stripe_events_settle(void);
extern void stripe_events_clear(void);
extern void stripe_events_write(Buffer *buf);
extern json_t *stripe_reports_state(void);

/* Cancel a kept event by its identifier; false when there is none of the last 24 h. */
extern bool stripe_event_cancel(const char *event_name, const char *identifier);

/* stripe_summaries.c */
extern void stripe_summaries(Request *req, Answer *ans);
extern void stripe_adjust(Request *req, Answer *ans);
extern void stripe_adjustments_clear(void);
extern json_t *stripe_adjustments_state(void);
extern json_t *stripe_adjustment_keep(const char *event_name, const char *identifier, bool livemode,
									  const char *object);
extern const json_t *stripe_event_at(size_t i);

/* stripe_v2.c */
extern bool stripe_session_valid(const char *token);
extern json_t *stripe_sessions_state(void);
extern void stripe_v2_clear(void);

#endif							/* STRIPE_H */
