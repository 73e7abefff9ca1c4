/*
 * wallet.c
 *	  Prepaid orders as the real service has them: cards of a wallet, drawn
 *	  down by settled usage.
 *
 * One unit of usage costs one unit of credit.  An order that is paid elsewhere
 * cannot be used until its payment was reported.
 */
#include <ctype.h>
#include <inttypes.h>
#include <string.h>

#include "amberflo.h"
#include "decimal.h"
#include "events.h"

static json_t *orders;			/* an array */

static const char *const recurrences[] = {"DAY", "MONTH", "YEAR", NULL};
static const char *const priorities[] = {"HIGHEST_PRIORITY", "LOWEST_PRIORITY", NULL};
static const char *const payments[] = {"SETTLED", "FAILED", "PENDING", NULL};

static const Field recurrence_fields[] = {
	{"interval", FIELD_STRING, true, recurrences, NULL},
	{"intervalsCount", FIELD_INTEGER, true, NULL, NULL},
	{NULL, 0, false, NULL, NULL}
};

static const Field order_fields[] = {
	{"id", FIELD_STRING, true, NULL, NULL},
	{"customerId", FIELD_STRING, true, NULL, NULL},
	{"startTimeInSeconds", FIELD_INTEGER, true, NULL, NULL},
	{"prepaidPrice", FIELD_POSITIVE, true, NULL, NULL},
	{"productId", FIELD_STRING, false, NULL, NULL},
	{"prepaidOfferVersion", FIELD_INTEGER, false, NULL, NULL},
	{"originalWorth", FIELD_NUMBER, false, NULL, NULL},
	{"recurrenceFrequency", FIELD_OBJECT, false, NULL, recurrence_fields},
	{"externalPayment", FIELD_BOOLEAN, false, NULL, NULL},
	{"label", FIELD_STRING, false, NULL, NULL},
	{"prepaidConditions", FIELD_STRING_LIST, false, NULL, NULL},
	{"customPriority", FIELD_INTEGER, false, NULL, NULL},
	{"prepaidPriority", FIELD_STRING, false, priorities, NULL},
	{"startAtMidCycle", FIELD_BOOLEAN, false, NULL, NULL},
	{NULL, 0, false, NULL, NULL}
};

static const Field extend_fields[] = {
	{"id", FIELD_STRING, true, NULL, NULL},
	{"customerId", FIELD_STRING, true, NULL, NULL},
	{"endTimeInSeconds", FIELD_INTEGER, true, NULL, NULL},
	{NULL, 0, false, NULL, NULL}
};

static const Field payment_fields[] = {
	{"prepaidUri", FIELD_STRING, true, NULL, NULL},
	{"paymentStatus", FIELD_STRING, true, payments, NULL},
	{"systemName", FIELD_STRING, true, NULL, NULL},
	{"paymentId", FIELD_STRING, true, NULL, NULL},
	{"paymentTimeInSeconds", FIELD_INTEGER, false, NULL, NULL},
	{NULL, 0, false, NULL, NULL}
};

json_t *
live_orders_state(void)
{
	return json_incref(orders);
}

void
live_orders_clear(void)
{
	json_decref(orders);
	orders = json_array();
}

static json_t *
find_order(const char *member, const char *text)
{
	json_t	   *order;
	size_t		i;

	json_array_foreach(orders, i, order)
		if (strcmp(json_member_text(order, member, ""), text) == 0)
			return order;
	return NULL;
}

static void
set_default(json_t *object, const char *name, json_t *value)
{
	if (json_object_get(object, name) == NULL)
		json_object_set(object, name, value);
	json_decref(value);
}

/* The interval of a recurrence comes back in lower case. */
static json_t *
recurrence_answer(const json_t *order)
{
	const json_t *given = json_object_get(order, "recurrenceFrequency");
	json_t	   *out;
	char		interval[16];
	size_t		i;

	if (given == NULL)
		return json_null();
	out = json_copy((json_t *) given);
	memset(interval, 0, sizeof(interval));
	strncpy(interval, json_member_text(given, "interval", ""), sizeof(interval) - 1);
	for (i = 0; interval[i]; i++)
		interval[i] = tolower((unsigned char) interval[i]);
	json_object_set_new(out, "interval", json_string(interval));
	return out;
}

/* What the service adds to an order. */
static void
complete_order(json_t *order)
{
	bool		external = json_is_true(json_object_get(order, "externalPayment"));
	int64_t		start = json_member_int(order, "startTimeInSeconds", 0);
	Buffer		uri = {0};

	set_default(order, "productId", json_string("1"));
	set_default(order, "prepaidOfferVersion", json_number(-1));
	set_default(order, "externalPayment", json_false());
	set_default(order, "originalWorth", json_incref(json_object_get(order, "prepaidPrice")));
	json_object_set_new(order, "recurrenceFrequency", recurrence_answer(order));
	buffer_printf(&uri, "prepaid/%s/%s", json_member_text(order, "customerId", ""),
				  json_member_text(order, "id", ""));
	json_object_set_new(order, "firstInvoiceUri", json_string(uri.data));
	json_object_set_new(order, "endTimeInSeconds", json_number(start + 365 * 24 * 3600));
	json_object_set_new(order, "firstCardEndTimeSeconds", json_number(start + 365 * 24 * 3600));
	json_object_set_new(order, "internalStatus", json_string("active"));
	json_object_set_new(order, "paymentStatus", json_string(external ? "requires_action" : "settled"));
	json_object_set_new(order, "paymentId", external ? json_null() : json_string(uri.data));
	json_object_set_new(order, "originalCurrency", json_string("USD"));
	json_object_set_new(order, "createTimeInSeconds", json_number(now_ms() / 1000));
	json_object_set_new(order, "modifiedTimeInSeconds", json_number(now_ms() / 1000));
	buffer_free(&uri);
}

void
live_order_create(Request *req, Answer *ans)
{
	json_t	   *order = amberflo_body(req, ans, order_fields);
	const char *id;

	if (order == NULL)
		return;
	id = json_member_text(order, "id", "");
	if (find_order("id", id))
		amberflo_error(ans, 400, "Invalid request: Prepaid order already exists with 'id': %s", id);
	else if (customer_required(ans, json_member_text(order, "customerId", "")))
	{
		complete_order(order);
		json_array_append(orders, order);
		answer_json(ans, 200, json_incref(order));
	}
	json_decref(order);
}

static bool
is_of(const json_t *order, const char *customer, const char *product)
{
	return strcmp(json_member_text(order, "customerId", ""), customer) == 0 &&
		(product == NULL || strcmp(json_member_text(order, "productId", ""), product) == 0);
}

void
live_order_list(Request *req, Answer *ans)
{
	const char *customer = request_query(req, "CustomerId");
	json_t	   *list;
	json_t	   *order;
	size_t		i;

	if (customer == NULL)
	{
		amberflo_error(ans, 400, "Invalid request: 'CustomerId' is required");
		return;
	}
	list = json_array();
	json_array_foreach(orders, i, order)
		if (is_of(order, customer, request_query(req, "ProductId")))
			json_array_append(list, order);
	answer_json(ans, 200, list);
}

void
live_order_delete(Request *req, Answer *ans)
{
	const char *id = request_query(req, "Id");
	const char *customer = request_query(req, "CustomerId");
	json_t	   *order;
	size_t		i;

	if (id == NULL || customer == NULL)
	{
		amberflo_error(ans, 400, "Invalid request: 'Id' and 'CustomerId' are required");
		return;
	}
	json_array_foreach(orders, i, order)
	{
		if (!is_of(order, customer, NULL) || strcmp(json_member_text(order, "id", ""), id) != 0)
			continue;
		answer_json(ans, 200, json_incref(order));
		json_array_remove(orders, i);
		return;
	}
	amberflo_error(ans, 400, "Invalid request: Prepaid order not found");
}

void
live_order_extend(Request *req, Answer *ans)
{
	json_t	   *body = amberflo_body(req, ans, extend_fields);
	json_t	   *order;

	if (body == NULL)
		return;
	order = find_order("id", json_member_text(body, "id", ""));
	if (order == NULL || !is_of(order, json_member_text(body, "customerId", ""), NULL))
		amberflo_error(ans, 400, "Invalid request: Prepaid order not found");
	else
	{
		json_object_set(order, "endTimeInSeconds", json_object_get(body, "endTimeInSeconds"));
		json_object_set(order, "firstCardEndTimeSeconds", json_object_get(body, "endTimeInSeconds"));
		json_object_set_new(order, "modifiedTimeInSeconds", json_number(now_ms() / 1000));
		answer_json(ans, 200, json_incref(order));
	}
	json_decref(body);
}

/* The report of a payment that was made elsewhere. */
void
live_order_pay(Request *req, Answer *ans)
{
	json_t	   *body = amberflo_body(req, ans, payment_fields);
	const char *status;
	json_t	   *order;

	if (body == NULL)
		return;
	status = json_member_text(body, "paymentStatus", "");
	order = find_order("firstInvoiceUri", json_member_text(body, "prepaidUri", ""));
	if (order == NULL)
	{
		amberflo_error(ans, 400, "Invalid request: Prepaid order not found");
		json_decref(body);
		return;
	}
	json_object_set_new(order, "paymentStatus",
						json_string(strcmp(status, "SETTLED") == 0 ? "settled" :
									strcmp(status, "FAILED") == 0 ? "failed" : "pending"));
	json_object_set(order, "paymentId", json_object_get(body, "paymentId"));
	answer_json(ans, 200, body);
}

void
wallet_used(const char *customer, Buffer *used)
{
	size_t		i;

	buffer_puts(used, "0");
	for (i = 0; i < events_count(); i++)
	{
		const Event *event = events_get(i);

		if (event_counts_settled(event) && strcmp(event->customer, customer) == 0)
			decimal_add(used, event->number);
	}
}

static bool
is_usable(const json_t *order)
{
	return strcmp(json_member_text(order, "paymentStatus", ""), "settled") == 0;
}

/* What the order is worth, as a canonical decimal. */
static void
order_worth(const json_t *order, Buffer *worth)
{
	decimal_canonical(json_number_text(json_object_get(order, "originalWorth")), worth);
}

/* Draw from one card what is still due; left gets what remains of the card. */
static void
draw(const json_t *order, Buffer *due, Buffer *left)
{
	order_worth(order, left);
	if (!is_usable(order))
		return;
	if (decimal_compare(due->data, left->data) <= 0)
	{
		decimal_subtract(left, due->data);
		buffer_clear(due);
		buffer_puts(due, "0");
		return;
	}
	decimal_subtract(due, left->data);
	buffer_clear(left);
	buffer_puts(left, "0");
}

void
wallet_left(const char *customer, Buffer *left)
{
	Buffer		due = {0};
	Buffer		card = {0};
	json_t	   *order;
	size_t		i;

	buffer_puts(left, "0");
	wallet_used(customer, &due);
	json_array_foreach(orders, i, order)
	{
		if (!is_of(order, customer, NULL) || !is_usable(order))
			continue;
		draw(order, &due, &card);
		decimal_add(left, card.data);
	}
	buffer_free(&due);
	buffer_free(&card);
}

static json_t *
prepaid_card(const json_t *order, Buffer *due)
{
	json_t	   *card = json_object();
	Buffer		left = {0};

	draw(order, due, &left);
	json_object_set(card, "paymentId", json_object_get(order, "paymentId"));
	json_object_set(card, "paymentStatus", json_object_get(order, "paymentStatus"));
	json_object_set(card, "price", json_object_get(order, "prepaidPrice"));
	json_object_set(card, "worth", json_object_get(order, "originalWorth"));
	json_object_set_new(card, "left", json_number_from_text(left.data));
	json_object_set_new(card, "cardType", json_string("prepaid"));
	json_object_set_new(card, "startTimeInMillis",
						json_number(json_member_int(order, "startTimeInSeconds", 0) * 1000));
	buffer_free(&left);
	return card;
}

void
live_wallet(Request *req, Answer *ans)
{
	const char *customer = request_query(req, "customerId");
	json_t	   *wallet = json_object();
	json_t	   *cards = json_array();
	json_t	   *order;
	Buffer		due = {0};
	size_t		i;

	wallet_used(customer ? customer : "", &due);
	json_array_foreach(orders, i, order)
		if (customer && is_of(order, customer, request_query(req, "productId")))
			json_array_append_new(cards, prepaid_card(order, &due));
	json_object_set_new(wallet, "creditUnit", json_string("USD"));
	json_object_set_new(wallet, "key", json_string(customer ? customer : ""));
	json_object_set_new(wallet, "prepaidCards", cards);
	buffer_free(&due);
	if (customer)
		answer_json(ans, 200, wallet);
	else
	{
		json_decref(wallet);
		amberflo_error(ans, 400, "Invalid request: 'customerId' is required");
	}
}
