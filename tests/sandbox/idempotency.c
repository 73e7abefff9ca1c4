/*
 * idempotency.c
 *	  Stripe's Idempotency-Key: the first answer is kept for 24 hours.
 *
 * Kept are status and body of what was executed, failures included; not what
 * was refused before: parameters, keys, locks, rate limits.
 */
#include <stdlib.h>
#include <string.h>

#include "stripe.h"

#define WINDOW_MS (INT64_C(24) * 60 * 60 * 1000)
#define MAX_KEY 255

static json_t *kept;			/* by key */

void
idempotency_clear(void)
{
	json_decref(kept);
	kept = json_object();
}

static int
compare_pairs(const void *a, const void *b)
{
	const Pair *x = a;
	const Pair *y = b;
	int			order = strcmp(x->name, y->name);

	return order ? order : strcmp(x->value, y->value);
}

/* The path and the parameters, whatever their order and escapes. */
static json_t *
fingerprint(Request *req)
{
	Buffer		text = {0};
	Pairs		pairs = {0};
	json_t	   *value;
	int			i;

	buffer_puts(&text, req->path);
	if (request_type_is(req, "application/x-www-form-urlencoded") && req->body.len > 0 &&
		form_decode(req, req->body.data, req->body.len, &pairs))
	{
		if (pairs.count > 1)
			qsort(pairs.items, pairs.count, sizeof(Pair), compare_pairs);
		for (i = 0; i < pairs.count; i++)
			buffer_printf(&text, "\n%s=%s", pairs.items[i].name, pairs.items[i].value);
	}
	else
	{
		buffer_puts(&text, "\n");
		buffer_base64(&text, req->body.data ? req->body.data : "", req->body.len);
	}
	value = json_stringn(text.data, text.len);
	buffer_free(&text);
	return value;
}

static json_t *
find_kept(const char *key)
{
	json_t	   *entry = json_object_get(kept, key);

	if (entry && now_ms() - json_member_int(entry, "time", 0) > WINDOW_MS)
		return NULL;
	return entry;
}

/* Whether an answer is kept for the request's key. */
bool
idempotency_known(const Request *req)
{
	const char *key = request_header(req, "Idempotency-Key");

	return key && find_kept(key) != NULL;
}

/* Keep the answer for the request's key, if it has one. */
void
idempotency_keep(Request *req, const Answer *ans)
{
	const char *key = request_header(req, "Idempotency-Key");
	json_t	   *entry;

	if (key == NULL)
		return;
	entry = json_object();
	json_object_set_new(entry, "time", json_number(now_ms()));
	json_object_set_new(entry, "request", fingerprint(req));
	json_object_set_new(entry, "status", json_number(ans->status));
	json_object_set_new(entry, "body", json_stringn(ans->body.data ? ans->body.data : "", ans->body.len));
	json_object_set_new(kept, key, entry);
}

static void
replay(Answer *ans, const json_t *entry)
{
	ans->status = json_member_int(entry, "status", 200);
	ans->type = "application/json";
	buffer_puts(&ans->body, json_member_text(entry, "body", ""));
	answer_header(ans, "Idempotent-Replayed", "true");
}

static bool
same_request(Request *req, const json_t *entry)
{
	json_t	   *now = fingerprint(req);
	bool		same = json_equal(now, json_object_get(entry, "request"));

	json_decref(now);
	return same;
}

/* Call the handler, unless the key was used before. */
void
idempotent_call(Request *req, Answer *ans)
{
	const char *key = request_header(req, "Idempotency-Key");
	json_t	   *entry = find_kept(key);
	Buffer		text = {0};

	if (strlen(key) > MAX_KEY)
		stripe_error(ans, 400, NULL, NULL, "Idempotency key is too long: at most %d characters.", MAX_KEY);
	else if (entry && !same_request(req, entry))
	{
		buffer_printf(&text, "Keys for idempotent requests can only be used with the same parameters "
					  "they were first used with. Try using a key other than '%s' if you meant to "
					  "execute a different request.", key);
		stripe_typed_error(ans, 400, "idempotency_error", NULL, text.data);
	}
	else if (delay_has_key(key))
		stripe_typed_error(ans, 409, "idempotency_error", "idempotency_key_in_use",
						   "There is currently another in-progress request using this Idempotent Key.");
	else if (entry)
		replay(ans, entry);
	else
	{
		req->idempotency_key = key;
		req->route->handler(req, ans);
		if (!ans->volatile_answer)
			idempotency_keep(req, ans);
	}
	buffer_free(&text);
}

json_t *
idempotency_state(void)
{
	return json_incref(kept);
}
