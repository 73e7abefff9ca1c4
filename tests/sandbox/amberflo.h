/*
 * amberflo.h
 *	  The parts of the local Amberflo.
 */
#ifndef AMBERFLO_H
#define AMBERFLO_H

#include "json.h"
#include "sandbox.h"

extern const Route amberflo_routes[];	/* metering and customers */
extern const Route billing_routes[];	/* the published billing paths */
extern const Route live_routes[];	/* the real billing paths */

/* amberflo.c: key check, errors, state */
extern void amberflo_call(Request *req, Answer *ans);
extern void amberflo_error(Answer *ans, int status, const char *fmt,...)
			__attribute__((format(printf, 3, 4)));
extern json_t *amberflo_body(const Request *req, Answer *ans, const Field *fields);
extern void amberflo_signal(const char *type, const char *name);
extern json_t *amberflo_signals(void);
extern void amberflo_clear(void);

/* ingest.c */
extern void amberflo_ingest(Request *req, Answer *ans);

/* usage.c */
extern void usage_query(Request *req, Answer *ans);
extern void usage_query_live(Request *req, Answer *ans);
extern void usage_query_sparse(Request *req, Answer *ans);

/* meters.c */
extern void meter_list(Request *req, Answer *ans);
extern void meter_create(Request *req, Answer *ans);
extern void meter_update(Request *req, Answer *ans);
extern void meter_get(Request *req, Answer *ans);
extern void meter_delete(Request *req, Answer *ans);
extern void live_meter_list(Request *req, Answer *ans);
extern void live_meter_create(Request *req, Answer *ans);
extern void live_meter_update(Request *req, Answer *ans);
extern void live_meter_get(Request *req, Answer *ans);
extern void live_meter_delete(Request *req, Answer *ans);
extern bool meter_exists(const char *api_name);
extern json_t *meters_state(void);
extern json_t *rules_state(void);
extern void rule_put(Request *req, Answer *ans);
extern void rule_list(Request *req, Answer *ans);
extern void live_rule_put(Request *req, Answer *ans);
extern void meters_clear(void);

/* customers.c */
extern void customer_list(Request *req, Answer *ans);
extern void customer_create(Request *req, Answer *ans);
extern void customer_update(Request *req, Answer *ans);
extern void customer_get(Request *req, Answer *ans);
extern void customer_delete(Request *req, Answer *ans);
extern void customer_stage(Request *req, Answer *ans);
extern bool customer_exists(const char *id);
extern bool customer_required(Answer *ans, const char *id);
extern json_t *customers_state(void);
extern void customers_clear(void);

/* orders.c: published prepaid orders and plans */
extern json_t *orders_state(void);
extern json_t *plans_state(void);
extern void orders_clear(void);

/* wallet.c: real prepaid orders and what is left of them */
extern json_t *live_orders_state(void);
extern void live_orders_clear(void);
extern void live_order_create(Request *req, Answer *ans);
extern void live_order_list(Request *req, Answer *ans);
extern void live_order_delete(Request *req, Answer *ans);
extern void live_order_extend(Request *req, Answer *ans);
extern void live_order_pay(Request *req, Answer *ans);
extern void live_wallet(Request *req, Answer *ans);

/* The settled usage of a customer, and what is left of the wallet after it. */
extern void wallet_used(const char *customer, Buffer *used);
extern void wallet_left(const char *customer, Buffer *left);

/* invoices.c */
extern void invoice_list(Request *req, Answer *ans);
extern void live_invoice_list(Request *req, Answer *ans);
extern void live_invoice_get(Request *req, Answer *ans);

#endif							/* AMBERFLO_H */
