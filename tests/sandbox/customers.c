/*
 * customers.c
 *	  Amberflo's customers.
 */
#include <string.h>
#include <strings.h>

#include "amberflo.h"

static json_t *customers;		/* by customerId */

/* The published description has the misspelt TRAIL, the service TRIAL. */
static const char *const published_stages[] = {"ONBOARDING", "TRAIL", "ACTIVE", "OFFBOARDED", NULL};
static const char *const live_stages[] = {"ONBOARDING", "TRIAL", "ACTIVE", "OFFBOARDED",
"onboarding", "trial", "active", "offboarded", NULL};

static const Field address_fields[] = {
	{"line1", FIELD_STRING, true, NULL, NULL},
	{"city", FIELD_STRING, true, NULL, NULL},
	{"country", FIELD_STRING, true, NULL, NULL},
	{"state", FIELD_STRING, false, NULL, NULL},
	{"postalCode", FIELD_STRING, false, NULL, NULL},
	{"verified", FIELD_BOOLEAN, false, NULL, NULL},
	{NULL, 0, false, NULL, NULL}
};

#define CUSTOMER_FIELDS(stages) { \
	{"customerId", FIELD_STRING, true, NULL, NULL}, \
	{"customerName", FIELD_STRING, true, NULL, NULL}, \
	{"customerEmail", FIELD_EMAIL, false, NULL, NULL}, \
	{"description", FIELD_STRING, false, NULL, NULL}, \
	{"test", FIELD_BOOLEAN, false, NULL, NULL}, \
	{"enabled", FIELD_BOOLEAN, false, NULL, NULL}, \
	{"lifecycleStage", FIELD_STRING, false, stages, NULL}, \
	{"traits", FIELD_STRING_MAP, false, NULL, NULL}, \
	{"address", FIELD_OBJECT, false, NULL, address_fields}, \
	{NULL, 0, false, NULL, NULL} \
}

static const Field published_customer[] = CUSTOMER_FIELDS(published_stages);
static const Field live_customer[] = CUSTOMER_FIELDS(live_stages);

static const Field stage_fields[] = {
	{"customerId", FIELD_STRING, true, NULL, NULL},
	{"lifecycleStage", FIELD_STRING, true, live_stages, NULL},
	{NULL, 0, false, NULL, NULL}
};

bool
customer_exists(const char *id)
{
	return json_object_get(customers, id) != NULL;
}

/* With --strict-customers: false for an unknown one, with the answer made. */
bool
customer_required(Answer *ans, const char *id)
{
	if (customer_exists(id))
		return true;
	if (settings.strict_customers)
	{
		amberflo_error(ans, 400, "Invalid request: Customer not found '%s'", id);
		return false;
	}
	amberflo_signal("undefined-customer", id);
	return true;
}

json_t *
customers_state(void)
{
	json_t	   *list = json_array();
	const char *id;
	json_t	   *customer;

	json_object_foreach(customers, id, customer)
		json_array_append(list, customer);
	return list;
}

void
customers_clear(void)
{
	json_decref(customers);
	customers = json_object();
}

static json_t *
customer_body(Request *req, Answer *ans)
{
	return amberflo_body(req, ans, settings.shape == SHAPE_LIVE ? live_customer : published_customer);
}

/* Put it in the place of the one with its id, whose creation time stays. */
static void
keep_customer(json_t *customer)
{
	const char *id = json_member_text(customer, "customerId", "");
	json_t	   *old = json_object_get(customers, id);
	json_t	   *created = old ? json_incref(json_object_get(old, "createTime")) : json_number(now_ms());

	if (json_object_get(customer, "test") == NULL)
		json_object_set_new(customer, "test", json_false());
	json_object_set_new(customer, "createTime", created);
	json_object_set_new(customer, "updateTime", json_number(now_ms()));
	json_object_set(customers, id, customer);
}

/* GET /customers; the real one takes ?customerId= and answers {} for none. */
void
customer_list(Request *req, Answer *ans)
{
	const char *id = request_query(req, "customerId");
	json_t	   *customer;

	if (settings.shape != SHAPE_LIVE || id == NULL)
	{
		answer_json(ans, 200, customers_state());
		return;
	}
	customer = json_object_get(customers, id);
	answer_json(ans, 200, customer ? json_incref(customer) : json_object());
}

/* Whether ?autoCreateCustomerInStripe has a value that the shape knows. */
static bool
check_auto_create(const Request *req, Answer *ans)
{
	const char *value = request_query(req, "autoCreateCustomerInStripe");
	bool		ok;

	if (value == NULL)
		return true;
	if (settings.shape == SHAPE_LIVE)
		ok = strcmp(value, "true") == 0 || strcmp(value, "false") == 0;
	else
		ok = strcmp(value, "if_payment_provider") == 0;
	if (!ok)
		amberflo_error(ans, 400, "Invalid request: 'autoCreateCustomerInStripe' is '%s'", value);
	return ok;
}

void
customer_create(Request *req, Answer *ans)
{
	json_t	   *customer;
	const char *id;

	if (!check_auto_create(req, ans))
		return;
	customer = customer_body(req, ans);
	if (customer == NULL)
		return;
	id = json_member_text(customer, "customerId", "");
	if (customer_exists(id))
	{
		amberflo_error(ans, 400, "Invalid request: Customer already exists with 'customerId': %s", id);
		json_decref(customer);
		return;
	}
	keep_customer(customer);
	answer_json(ans, 200, customer);
}

/* PUT /customers replaces the whole customer: what is not sent is gone. */
void
customer_update(Request *req, Answer *ans)
{
	json_t	   *customer = customer_body(req, ans);

	if (customer == NULL)
		return;
	keep_customer(customer);
	answer_json(ans, 200, customer);
}

static void
no_such_customer(Answer *ans)
{
	if (settings.shape == SHAPE_LIVE)
		answer_json(ans, 200, json_object());
	else
		amberflo_error(ans, 404, "Customer not found");
}

void
customer_get(Request *req, Answer *ans)
{
	json_t	   *customer = json_object_get(customers, req->params[0]);

	if (customer)
		answer_json(ans, 200, json_incref(customer));
	else
		no_such_customer(ans);
}

/* The published answer has no body, the real one is the customer. */
void
customer_delete(Request *req, Answer *ans)
{
	json_t	   *customer = json_incref(json_object_get(customers, req->params[0]));

	if (customer == NULL)
	{
		no_such_customer(ans);
		return;
	}
	json_object_del(customers, req->params[0]);
	if (settings.shape == SHAPE_LIVE)
	{
		json_object_set_new(customer, "deleteTime", json_number(now_ms()));
		answer_json(ans, 200, customer);
		return;
	}
	json_decref(customer);
	ans->status = 200;
}

static int
stage_rank(const char *stage)
{
	int			rank;

	for (rank = 0; rank < 4; rank++)
		if (strcasecmp(live_stages[rank], stage) == 0)
			break;
	return rank;
}

/* PUT /customers/stage: forward only. */
void
customer_stage(Request *req, Answer *ans)
{
	json_t	   *body = amberflo_body(req, ans, stage_fields);
	const char *from;
	const char *to;
	json_t	   *customer;

	if (body == NULL)
		return;
	to = json_member_text(body, "lifecycleStage", "");
	customer = json_object_get(customers, json_member_text(body, "customerId", ""));
	from = json_member_text(customer, "lifecycleStage", "ONBOARDING");
	if (customer == NULL)
		amberflo_error(ans, 400, "Invalid request: Customer not found");
	else if (stage_rank(to) < stage_rank(from))
		amberflo_error(ans, 400, "Invalid request: lifecycleStage cannot go from %s to %s", from, to);
	else
	{
		json_object_set(customer, "lifecycleStage", json_object_get(body, "lifecycleStage"));
		json_object_set_new(customer, "updateTime", json_number(now_ms()));
		answer_json(ans, 200, json_incref(customer));
	}
	json_decref(body);
}
