/*
 * mock.h
 *	  Any HTTP API, as a test describes it, in place of Amberflo and Stripe.
 *
 * A POST to /_sandbox/mock or /_sandbox/mock/openapi turns this on, DELETE of
 * /_sandbox/mock turns it off; while it is on, every path that is not a
 * control path is answered from here.
 *
 *	POST   mock			a JSON array of rules, in place of those before
 *	GET    mock			the rules, each with the number of its calls
 *	DELETE mock			forget rules and documents
 *	POST   mock/openapi	{"document": …, "base": …, "full": …}: one description more
 *
 * A rule: method (any one without it), path (a template: {x} is a part of one
 * segment, {x+} of several) or regex (POSIX extended, over the whole path),
 * query (object: parameters that must be there with that value), answers.  An
 * answer: status (200), headers (object, or array of pairs), body (JSON) or
 * text (as it is), type (application/json, for a text text/plain; null: none),
 * times.  An answer is given once and the last one ever again, unless times
 * says how often; a rule without answers left does not match.
 *
 * What no rule matches is answered from the descriptions (mock_openapi.h), and
 * what these do not know with 404; the ledger says "unmatched" in fault.
 */
#ifndef MOCK_H
#define MOCK_H

#include "sandbox.h"

extern void mock_get(Request *req, Answer *ans);
extern void mock_post(Request *req, Answer *ans);
extern void mock_delete(Request *req, Answer *ans);
extern void mock_openapi_post(Request *req, Answer *ans);

/* Forget everything and turn it off. */
extern void mock_clear(void);

/* Whether it is turned on. */
extern bool mock_active(void);

/* Answer the request; false while it is turned off. */
extern bool mock_answer(Request *req, Answer *ans);

/*
 * Whether the undecoded path is one of the template; weight gets the number of
 * its literal characters, so that the most literal of several can be taken.
 */
extern bool mock_path_matches(const char *pattern, const char *path, int *weight);

#endif							/* MOCK_H */
