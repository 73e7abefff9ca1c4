/*
 * route.c
 *	  From a request to its handler, by table.
 *
 * A new API is a new table in this list.
 */
#include <string.h>

#include "amberflo.h"
#include "control.h"
#include "faults.h"
#include "ledger.h"
#include "mock.h"
#include "sandbox.h"
#include "stripe.h"

static const Route *const tables[] = {
	amberflo_routes,
	billing_routes,
	live_routes,
	stripe_routes,
	stripe_v2_routes,
	control_routes,
	NULL
};

/* Whether the undecoded path is one of the pattern. */
bool
route_path_matches(const char *pattern, const char *path)
{
	while (*pattern)
	{
		if (pattern[0] == '{' && pattern[1] == '}')
		{
			size_t		len = strcspn(path, "/");

			if (len == 0)
				return false;
			path += len;
			pattern += 2;
			continue;
		}
		if (*pattern++ != *path++)
			return false;
	}
	return *path == '\0';
}

/* Decode what stands at the {} of the pattern; false when it cannot be. */
static bool
take_params(Request *req, const char *pattern)
{
	const char *path = req->path;
	int			nparams = 0;

	while (*pattern)
	{
		size_t		len;

		if (pattern[0] != '{')
		{
			pattern++;
			path++;
			continue;
		}
		len = strcspn(path, "/");
		req->params[nparams] = path_decode(req, path, len);
		if (req->params[nparams++] == NULL)
			return false;
		path += len;
		pattern += 2;
	}
	return true;
}

/* The route, or NULL; then known tells whether the path has another method. */
static const Route *
find_route(const Request *req, bool *known)
{
	const Route *const *table;
	const Route *route;

	*known = false;
	for (table = tables; *table; table++)
	{
		for (route = *table; route->pattern; route++)
		{
			if (!(route->shape & settings.shape) ||
				!route_path_matches(route->pattern, req->path))
				continue;
			if (strcmp(route->method, req->method) == 0)
				return route;
			*known = true;
		}
	}
	return NULL;
}

static bool
is_stripe_path(const char *path)
{
	return strncmp(path, "/v1/", 4) == 0 || strncmp(path, "/v2/", 4) == 0 ||
		strncmp(path, "//v", 3) == 0;
}

/* A control path: the same tables, and never the mock. */
static void
control(Request *req, Answer *ans)
{
	bool		known;

	req->route = find_route(req, &known);
	if (req->route)
		req->route->handler(req, ans);
	else if (known)
		amberflo_error(ans, 405, "Method Not Allowed");
	else
		amberflo_error(ans, 404, "Not Found");
}

static void
process(Request *req, Answer *ans)
{
	bool		known;
	const Route *route;

	if (mock_answer(req, ans))
		return;
	route = find_route(req, &known);
	req->route = route;
	if (route == NULL && is_stripe_path(req->path))
		stripe_no_route(req, ans);
	else if (route == NULL && known)
		amberflo_error(ans, 405, "Method Not Allowed");
	else if (route == NULL || !take_params(req, route->pattern))
		amberflo_error(ans, 404, "Not Found");
	else if (route->realm == REALM_AMBERFLO)
		amberflo_call(req, ans);
	else
		stripe_call(req, ans);
}

/* Note the request in the ledger, process it, and let a fault spoil it. */
void
route_request(Request *req, Answer *ans)
{
	const Fault *fault;

	answer_clear(ans);
	if (strncmp(req->path, "/_sandbox/", 10) == 0)
	{
		control(req, ans);
		return;
	}
	ledger_add(req, true);
	fault = faults_take(req);
	if (fault == NULL)
	{
		process(req, ans);
		return;
	}
	ledger_fault(req->seq, fault_name(fault));
	if (fault_takes_in(fault))
		process(req, ans);
	else
		answer_text(ans, 200, "application/json", "{}");
	fault_apply(fault, req, ans);
	if (!mock_active())
		stripe_spoiled(req, ans, fault_takes_in(fault));
}
