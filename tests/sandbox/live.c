/*
 * live.c
 *	  The real service's billing paths, and its product plans.
 */
#include <stdio.h>
#include <string.h>

#include "amberflo.h"

#define PLANS "/payments/pricing/amberflo/customer-pricing"
#define ORDERS "/payments/pricing/amberflo/customer-prepaid"
#define INVOICES "/payments/billing/customer-product-invoice"

static void plan_assign(Request *req, Answer *ans);
static void plan_get(Request *req, Answer *ans);
static void plan_list(Request *req, Answer *ans);

const Route live_routes[] = {
	{SHAPE_LIVE, REALM_AMBERFLO, "POST", PLANS, plan_assign},
	{SHAPE_LIVE, REALM_AMBERFLO, "GET", PLANS, plan_get},
	{SHAPE_LIVE, REALM_AMBERFLO, "GET", PLANS "/list", plan_list},
	{SHAPE_LIVE, REALM_AMBERFLO, "POST", ORDERS, live_order_create},
	{SHAPE_LIVE, REALM_AMBERFLO, "GET", ORDERS "/list", live_order_list},
	{SHAPE_LIVE, REALM_AMBERFLO, "DELETE", ORDERS, live_order_delete},
	{SHAPE_LIVE, REALM_AMBERFLO, "POST", ORDERS "/extend", live_order_extend},
	{SHAPE_LIVE, REALM_AMBERFLO, "POST", "/payments/external/prepaid-payment-status", live_order_pay},
	{SHAPE_LIVE, REALM_AMBERFLO, "GET", "/payments/billing/customer-prepaid-wallet", live_wallet},
	{SHAPE_LIVE, REALM_AMBERFLO, "GET", INVOICES "/all", live_invoice_list},
	{SHAPE_LIVE, REALM_AMBERFLO, "GET", INVOICES, live_invoice_get},
	{0, 0, NULL, NULL, NULL}
};

static const Field plan_fields[] = {
	{"customerId", FIELD_STRING, true, NULL, NULL},
	{"productPlanId", FIELD_STRING, true, NULL, NULL},
	{"productId", FIELD_STRING, false, NULL, NULL},
	{"startTimeInSeconds", FIELD_INTEGER, false, NULL, NULL},
	{"endTimeInSeconds", FIELD_INTEGER, false, NULL, NULL},
	{NULL, 0, false, NULL, NULL}
};

/* The same customer, product and plan again is the same relation. */
static json_t *
find_relation(const json_t *plans, const json_t *plan)
{
	json_t	   *other;
	size_t		i;

	json_array_foreach(plans, i, other)
		if (json_equal(json_object_get(other, "customerId"), json_object_get(plan, "customerId")) &&
			json_equal(json_object_get(other, "productId"), json_object_get(plan, "productId")) &&
			json_equal(json_object_get(other, "productPlanId"), json_object_get(plan, "productPlanId")))
			return other;
	return NULL;
}

static void
complete_plan(json_t *plans, json_t *plan)
{
	json_t	   *old;
	char		id[32];

	if (json_object_get(plan, "productId") == NULL)
		json_object_set_new(plan, "productId", json_string("1"));
	if (json_object_get(plan, "startTimeInSeconds") == NULL)
		json_object_set_new(plan, "startTimeInSeconds", json_number(now_ms() / 1000));
	old = find_relation(plans, plan);
	if (old)
	{
		json_object_update(old, plan);
		json_object_update(plan, old);
		return;
	}
	snprintf(id, sizeof(id), "relation-%zu", json_array_size(plans) + 1);
	json_object_set_new(plan, "relationId", json_string(id));
	json_object_set_new(plan, "createdTimeInSeconds", json_number(now_ms() / 1000));
	json_array_append(plans, plan);
}

static void
plan_assign(Request *req, Answer *ans)
{
	json_t	   *plan = amberflo_body(req, ans, plan_fields);
	json_t	   *plans;

	if (plan == NULL)
		return;
	if (!customer_required(ans, json_member_text(plan, "customerId", "")))
	{
		json_decref(plan);
		return;
	}
	plans = plans_state();
	complete_plan(plans, plan);
	json_decref(plans);
	answer_json(ans, 200, plan);
}

/* The plans of ?CustomerId=, or NULL with the answer made. */
static json_t *
customer_plans(const Request *req, Answer *ans)
{
	const char *customer = request_query(req, "CustomerId");
	json_t	   *plans = plans_state();
	json_t	   *list = customer ? json_array() : NULL;
	json_t	   *plan;
	size_t		i;

	json_array_foreach(plans, i, plan)
		if (customer && strcmp(json_member_text(plan, "customerId", ""), customer) == 0)
			json_array_append(list, plan);
	json_decref(plans);
	if (list == NULL)
		amberflo_error(ans, 400, "Invalid request: 'CustomerId' is required");
	return list;
}

/* The latest one, or {}. */
static void
plan_get(Request *req, Answer *ans)
{
	json_t	   *list = customer_plans(req, ans);
	size_t		count = json_array_size(list);

	if (list)
		answer_json(ans, 200, count ? json_incref(json_array_get(list, count - 1)) : json_object());
	json_decref(list);
}

static void
plan_list(Request *req, Answer *ans)
{
	json_t	   *list = customer_plans(req, ans);

	if (list)
		answer_json(ans, 200, list);
}
