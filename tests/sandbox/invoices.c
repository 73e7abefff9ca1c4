/*
 * invoices.c
 *	  Invoices: one for each calendar month (UTC) in which a customer has
 *	  settled usage.  One unit of usage costs one unit of money.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "amberflo.h"
#include "decimal.h"
#include "events.h"

#define GRACE_HOURS 24

typedef struct Invoice
{
	int64_t		start;			/* seconds */
	int64_t		end;
	struct tm	month;
	Buffer		amount;
} Invoice;

typedef struct Invoices
{
	Invoice    *items;			/* ascending */
	int			count;
} Invoices;

static void
month_of(int64_t time_ms, Invoice *invoice)
{
	time_t		when = time_ms / 1000 - (time_ms % 1000 < 0);
	struct tm	next;

	gmtime_r(&when, &invoice->month);
	invoice->month.tm_mday = 1;
	invoice->month.tm_hour = invoice->month.tm_min = invoice->month.tm_sec = 0;
	next = invoice->month;
	next.tm_mon++;
	invoice->start = timegm(&invoice->month);
	invoice->end = timegm(&next);
}

/* The invoice of the event's month, made in its place when it is the first. */
static Invoice *
invoice_of(Invoices *invoices, const Event *event)
{
	Invoice		made = {0};
	int			i = 0;

	month_of(event->time_ms, &made);
	while (i < invoices->count && invoices->items[i].start < made.start)
		i++;
	if (i < invoices->count && invoices->items[i].start == made.start)
		return &invoices->items[i];
	buffer_puts(&made.amount, "0");
	invoices->items = need_grow(invoices->items, (invoices->count + 1) * sizeof(Invoice));
	memmove(&invoices->items[i + 1], &invoices->items[i], (invoices->count - i) * sizeof(Invoice));
	invoices->items[i] = made;
	invoices->count++;
	return &invoices->items[i];
}

static void
make_invoices(const char *customer, Invoices *invoices)
{
	size_t		i;

	for (i = 0; i < events_count(); i++)
	{
		const Event *event = events_get(i);

		if (event_counts_settled(event) && strcmp(event->customer, customer) == 0)
			decimal_add(&invoice_of(invoices, event)->amount, event->number);
	}
}

static void
free_invoices(Invoices *invoices)
{
	while (invoices->count > 0)
		buffer_free(&invoices->items[--invoices->count].amount);
	free(invoices->items);
}

static json_t *
published_invoice(const char *customer, const Invoice *invoice)
{
	json_t	   *out = json_object();
	Buffer		id = {0};

	buffer_printf(&id, "inv-%s-%04d-%02d", customer, invoice->month.tm_year + 1900, invoice->month.tm_mon + 1);
	json_object_set_new(out, "invoiceId", json_string(id.data));
	json_object_set_new(out, "customerId", json_string(customer));
	json_object_set_new(out, "startTime", json_number(invoice->start));
	json_object_set_new(out, "endTime", json_number(invoice->end));
	json_object_set_new(out, "totalAmount", json_number_from_text(invoice->amount.data));
	json_object_set_new(out, "currency", json_string("USD"));
	json_object_set_new(out, "status", json_string(now_ms() / 1000 < invoice->end ? "DRAFT" : "PENDING"));
	buffer_free(&id);
	return out;
}

/* The customer that the query asks for, or NULL with the answer made. */
static const char *
asked_customer(const Request *req, Answer *ans)
{
	const char *customer = request_query(req, "customerId");

	if (customer == NULL)
		amberflo_error(ans, 400, "Invalid request: 'customerId' is required");
	return customer;
}

void
invoice_list(Request *req, Answer *ans)
{
	const char *customer = asked_customer(req, ans);
	Invoices	invoices = {0};
	json_t	   *list;
	int			i;

	if (customer == NULL)
		return;
	list = json_array();
	make_invoices(customer, &invoices);
	for (i = 0; i < invoices.count; i++)
		json_array_append_new(list, published_invoice(customer, &invoices.items[i]));
	free_invoices(&invoices);
	answer_json(ans, 200, list);
}

static const char *
price_status(const Invoice *invoice)
{
	int64_t		now = now_ms() / 1000;

	if (now < invoice->end)
		return "open";
	return now < invoice->end + GRACE_HOURS * 3600 ? "grace_period" : "price_locked";
}

static json_t *
invoice_key(const char *customer, const Invoice *invoice)
{
	json_t	   *key = json_object();

	json_object_set_new(key, "accountId", json_string("sandbox"));
	json_object_set_new(key, "customerId", json_string(customer));
	json_object_set_new(key, "productId", json_string("1"));
	json_object_set_new(key, "productPlanId", json_string("1"));
	json_object_set_new(key, "year", json_number(invoice->month.tm_year + 1900));
	json_object_set_new(key, "month", json_number(invoice->month.tm_mon + 1));
	json_object_set_new(key, "day", json_number(1));
	return key;
}

static json_t *
total_bill(const Invoice *invoice)
{
	json_t	   *bill = json_object();

	json_object_set_new(bill, "itemPrice", json_number_from_text(invoice->amount.data));
	json_object_set_new(bill, "fixPrice", json_number(0));
	json_object_set_new(bill, "totalDiscount", json_number(0));
	json_object_set_new(bill, "totalPrice", json_number_from_text(invoice->amount.data));
	return bill;
}

static json_t *
live_invoice(const char *customer, const Invoice *invoice)
{
	json_t	   *out = json_object();
	Buffer		text = {0};

	buffer_printf(&text, "invoice/%s/%04d/%02d", customer, invoice->month.tm_year + 1900,
				  invoice->month.tm_mon + 1);
	json_object_set_new(out, "invoiceUri", json_string(text.data));
	json_object_set_new(out, "invoiceKey", invoice_key(customer, invoice));
	json_object_set_new(out, "invoiceStartTimeInSeconds", json_number(invoice->start));
	json_object_set_new(out, "invoiceEndTimeInSeconds", json_number(invoice->end));
	json_object_set_new(out, "gracePeriodInHours", json_number(GRACE_HOURS));
	json_object_set_new(out, "productItemInvoices", json_array());
	json_object_set_new(out, "appliedPromotions", json_array());
	json_object_set_new(out, "totalBill", total_bill(invoice));
	json_object_set_new(out, "invoicePriceStatus", json_string(price_status(invoice)));
	json_object_set_new(out, "paymentStatus", json_string("pre_payment"));
	buffer_clear(&text);
	wallet_left(customer, &text);
	json_object_set_new(out, "availablePrepaidLeft", json_number_from_text(text.data));
	buffer_free(&text);
	return out;
}

void
live_invoice_list(Request *req, Answer *ans)
{
	const char *customer = asked_customer(req, ans);
	Invoices	invoices = {0};
	json_t	   *list;
	int			i;

	if (customer == NULL)
		return;
	list = json_array();
	make_invoices(customer, &invoices);
	for (i = 0; i < invoices.count; i++)
		json_array_append_new(list, live_invoice(customer, &invoices.items[i]));
	free_invoices(&invoices);
	answer_json(ans, 200, list);
}

static bool
is_asked_month(const Request *req, const Invoice *invoice)
{
	const char *year = request_query(req, "year");
	const char *month = request_query(req, "month");

	return year && month && atoi(year) == invoice->month.tm_year + 1900 &&
		atoi(month) == invoice->month.tm_mon + 1;
}

/* ?latest=true, or ?year= and month=; null when there is none. */
void
live_invoice_get(Request *req, Answer *ans)
{
	const char *customer = asked_customer(req, ans);
	const char *latest = request_query(req, "latest");
	Invoices	invoices = {0};
	json_t	   *found = NULL;
	int			i;

	if (customer == NULL)
		return;
	make_invoices(customer, &invoices);
	for (i = 0; i < invoices.count; i++)
	{
		bool		asked = latest && strcmp(latest, "true") == 0 ?
		i == invoices.count - 1 : is_asked_month(req, &invoices.items[i]);

		if (asked)
			found = live_invoice(customer, &invoices.items[i]);
	}
	free_invoices(&invoices);
	answer_json(ans, 200, found ? found : json_null());
}
