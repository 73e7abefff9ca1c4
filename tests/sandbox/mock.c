/*
 * mock.c
 *	  Any HTTP API, by rules that a test posts.
 */
#include <regex.h>
#include <stdlib.h>
#include <string.h>

#include "json.h"
#include "ledger.h"
#include "mock.h"
#include "mock_openapi.h"

typedef struct Rule
{
	json_t	   *options;		/* as it was posted */
	const char *method;			/* NULL: any */
	const char *path;			/* NULL: the regex */
	regex_t		regex;
	json_t	   *answers;
	size_t		current;		/* the answer that is next */
	int64_t		given;			/* how often it was given */
	int64_t		calls;
} Rule;

static bool active;
static Rule *rules;
static size_t nrules;

static const Field answer_fields[] = {
	{"status", FIELD_INTEGER, false, NULL, NULL},
	{"text", FIELD_STRING, false, NULL, NULL},
	{"times", FIELD_INTEGER, false, NULL, NULL},
	{NULL, 0, false, NULL, NULL}
};

static const Field rule_fields[] = {
	{"method", FIELD_STRING, false, NULL, NULL},
	{"path", FIELD_STRING, false, NULL, NULL},
	{"regex", FIELD_STRING, false, NULL, NULL},
	{"query", FIELD_STRING_MAP, false, NULL, NULL},
	{NULL, 0, false, NULL, NULL}
};

/* After the "}" that ends the part at text, which begins with "{". */
static const char *
part_end(const char *text)
{
	const char *end = strchr(text, '}');

	return end ? end + 1 : text + strlen(text);
}

bool
mock_path_matches(const char *pattern, const char *path, int *weight)
{
	const char *rest;
	bool		many;

	for (; *pattern && *pattern != '{'; pattern++, path++)
	{
		if (*pattern != *path)
			return false;
		(*weight)++;
	}
	if (*pattern == '\0')
		return *path == '\0';
	rest = part_end(pattern);
	many = rest - pattern > 2 && rest[-2] == '+';
	while (*path && (many || *path != '/'))
	{
		int			found = *weight;

		path++;
		if (mock_path_matches(rest, path, &found))
		{
			*weight = found;
			return true;
		}
	}
	return false;
}

static void
free_rules(void)
{
	size_t		i;

	for (i = 0; i < nrules; i++)
	{
		json_decref(rules[i].options);
		if (rules[i].path == NULL)
			regfree(&rules[i].regex);
	}
	free(rules);
	rules = NULL;
	nrules = 0;
}

void
mock_clear(void)
{
	free_rules();
	mock_openapi_clear();
	active = false;
}

/* Whether the posted rule is one; a regex stays compiled in the rule. */
static bool
read_rule(json_t *options, Rule *rule, Buffer *problem)
{
	const char *regex;
	json_t	   *item;
	size_t		i;

	if (!json_check(options, rule_fields, NULL, problem))
		return false;
	rule->answers = json_object_get(options, "answers");
	json_array_foreach(rule->answers, i, item)
		if (!json_check(item, answer_fields, NULL, problem))
			return false;
	rule->method = json_member_text(options, "method", NULL);
	rule->path = json_member_text(options, "path", NULL);
	regex = json_member_text(options, "regex", NULL);
	if (json_array_size(rule->answers) == 0)
		buffer_puts(problem, "a rule needs answers");
	else if ((rule->path == NULL) == (regex == NULL))
		buffer_puts(problem, "a rule needs a path or a regex");
	else if (regex && regcomp(&rule->regex, regex, REG_EXTENDED | REG_NOSUB) != 0)
		buffer_puts(problem, "bad regex");
	else
	{
		rule->options = json_incref(options);
		return true;
	}
	return false;
}

static bool
read_rules(const json_t *list, Buffer *problem)
{
	json_t	   *item;
	size_t		i;

	if (!json_is_array(list))
	{
		buffer_puts(problem, "rules are an array");
		return false;
	}
	rules = need_alloc((json_array_size(list) + 1) * sizeof(Rule));
	json_array_foreach(list, i, item)
	{
		if (!read_rule(item, &rules[nrules], problem))
			return false;
		nrules++;
	}
	return true;
}

void
mock_post(Request *req, Answer *ans)
{
	Buffer		problem = {0};
	json_t	   *list = json_read(req->body.data, req->body.len, &problem);

	free_rules();
	active = true;
	if (list && read_rules(list, &problem))
		answer_text(ans, 200, "application/json", "{}");
	else
		answer_text(ans, 400, "text/plain", "rule %zu: %s\n", nrules, problem.data);
	json_decref(list);
	buffer_free(&problem);
}

void
mock_get(Request *req, Answer *ans)
{
	json_t	   *list = json_array();
	size_t		i;

	(void) req;
	for (i = 0; i < nrules; i++)
	{
		json_t	   *item = json_copy(rules[i].options);

		json_object_set_new(item, "calls", json_number(rules[i].calls));
		json_array_append_new(list, item);
	}
	answer_json(ans, 200, list);
}

void
mock_delete(Request *req, Answer *ans)
{
	(void) req;
	mock_clear();
	answer_text(ans, 200, "application/json", "{}");
}

void
mock_openapi_post(Request *req, Answer *ans)
{
	Buffer		problem = {0};
	json_t	   *posted = json_read(req->body.data, req->body.len, &problem);

	if (posted == NULL)
		answer_text(ans, 400, "text/plain", "%s\n", problem.data);
	else if (!mock_openapi_add(posted))
		answer_text(ans, 400, "text/plain", "a document needs paths\n");
	else
	{
		active = true;
		answer_text(ans, 200, "application/json", "{}");
	}
	json_decref(posted);
	buffer_free(&problem);
}

/* The answer that is next, or NULL when none is left. */
static json_t *
next_answer(const Rule *rule)
{
	return json_array_get(rule->answers, rule->current);
}

/* One answer was given; how often each is, see mock.h. */
static void
count_answer(Rule *rule)
{
	bool		last = rule->current + 1 == json_array_size(rule->answers);
	int64_t		times = json_member_int(next_answer(rule), "times", last ? INT64_MAX : 1);

	rule->calls++;
	if (++rule->given < times)
		return;
	rule->current++;
	rule->given = 0;
}

static bool
query_matches(const Rule *rule, const Request *req)
{
	const char *name;
	json_t	   *value;

	json_object_foreach(json_object_get(rule->options, "query"), name, value)
	{
		const char *given = request_query(req, name);

		if (given == NULL || strcmp(given, json_text(value)) != 0)
			return false;
	}
	return true;
}

static bool
rule_matches(const Rule *rule, const Request *req)
{
	int			weight = 0;

	if (rule->method && strcmp(rule->method, req->method) != 0)
		return false;
	if (next_answer(rule) == NULL || !query_matches(rule, req))
		return false;
	if (rule->path)
		return mock_path_matches(rule->path, req->path, &weight);
	return regexec(&rule->regex, req->path, 0, NULL, 0) == 0;
}

static void
give_headers(const json_t *headers, Answer *ans)
{
	const char *name;
	json_t	   *value;
	size_t		i;

	json_object_foreach((json_t *) headers, name, value)
		if (json_text(value))
			answer_header(ans, name, json_text(value));
	json_array_foreach(headers, i, value)
	{
		const char *pair_name = json_text(json_array_get(value, 0));
		const char *pair_value = json_text(json_array_get(value, 1));

		if (pair_name && pair_value)
			answer_header(ans, pair_name, pair_value);
	}
}

static void
give_answer(const json_t *options, Answer *ans)
{
	json_t	   *body = json_object_get(options, "body");
	const char *text = json_member_text(options, "text", NULL);

	ans->status = json_member_int(options, "status", 200);
	if (text)
	{
		ans->type = "text/plain";
		buffer_puts(&ans->body, text);
	}
	else if (body)
	{
		ans->type = "application/json";
		json_write(&ans->body, body);
	}
	if (json_object_get(options, "type"))
		ans->type = json_member_text(options, "type", NULL);
	give_headers(json_object_get(options, "headers"), ans);
}

bool
mock_active(void)
{
	return active;
}

bool
mock_answer(Request *req, Answer *ans)
{
	size_t		i;

	if (!active)
		return false;
	for (i = 0; i < nrules; i++)
	{
		if (!rule_matches(&rules[i], req))
			continue;
		give_answer(next_answer(&rules[i]), ans);
		count_answer(&rules[i]);
		return true;
	}
	if (mock_openapi_answer(req, ans))
		return true;
	ledger_fault(req->seq, "unmatched");
	answer_text(ans, 404, "application/json", "{\"message\":\"no rule matches this request\"}");
	return true;
}
