/*
 * orders.c
 *	  Prepaid orders and pricing plans as the published description has them.
 */
#include <stdio.h>
#include <string.h>

#include "amberflo.h"

static json_t *orders;			/* an array */
static json_t *plans;			/* an array, every assignment */

static void order_create(Request *req, Answer *ans);
static void plan_assign(Request *req, Answer *ans);

const Route billing_routes[] = {
	{SHAPE_PUBLISHED, REALM_AMBERFLO, "POST", "/payments-pricing-amberflo-customer-prepaid", order_create},
	{SHAPE_PUBLISHED, REALM_AMBERFLO, "POST", "/payments-pricing-amberflo-customer-pricing", plan_assign},
	{SHAPE_PUBLISHED, REALM_AMBERFLO, "GET", "/payments-billing-customer-product-invoice", invoice_list},
	{0, 0, NULL, NULL, NULL}
};

static const Field order_fields[] = {
	{"customerId", FIELD_STRING, true, NULL, NULL},
	{"amount", FIELD_POSITIVE, true, NULL, NULL},
	{"currency", FIELD_STRING, false, NULL, NULL},
	{"expirationTime", FIELD_INTEGER, false, NULL, NULL},
	{NULL, 0, false, NULL, NULL}
};

static const Field plan_fields[] = {
	{"customerId", FIELD_STRING, false, NULL, NULL},
	{"productId", FIELD_STRING, false, NULL, NULL},
	{"startTime", FIELD_INTEGER, false, NULL, NULL},
	{NULL, 0, false, NULL, NULL}
};

json_t *
orders_state(void)
{
	return json_incref(orders);
}

json_t *
plans_state(void)
{
	return json_incref(plans);
}

void
orders_clear(void)
{
	json_decref(orders);
	json_decref(plans);
	orders = json_array();
	plans = json_array();
}

/* Every call makes an order: order-1, order-2, and so on. */
static void
order_create(Request *req, Answer *ans)
{
	json_t	   *body = amberflo_body(req, ans, order_fields);
	json_t	   *order;
	char		id[32];

	if (body == NULL)
		return;
	if (!customer_required(ans, json_member_text(body, "customerId", "")))
	{
		json_decref(body);
		return;
	}
	order = json_object();
	snprintf(id, sizeof(id), "order-%zu", json_array_size(orders) + 1);
	json_object_set_new(order, "orderId", json_string(id));
	json_object_update(order, body);
	json_object_set_new(order, "createTime", json_number(now_ms()));
	json_array_append(orders, order);
	json_decref(body);
	answer_json(ans, 200, order);
}

static void
plan_assign(Request *req, Answer *ans)
{
	json_t	   *plan = amberflo_body(req, ans, plan_fields);
	const char *customer;

	if (plan == NULL)
		return;
	customer = json_member_text(plan, "customerId", NULL);
	if (customer && !customer_required(ans, customer))
	{
		json_decref(plan);
		return;
	}
	if (json_object_get(plan, "startTime") == NULL)
		json_object_set_new(plan, "startTime", json_number(now_ms()));
	json_array_append(plans, plan);
	answer_json(ans, 200, plan);
}
