/*-------------------------------------------------------------------------
 *
 * attempt.c
 *	  What is kept of each attempt of a step.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "mb/pg_wchar.h"

#include "http/mask.h"
#include "work/attempt.h"

/* Bodies are kept up to this many bytes. */
#define KEPT_BODY 8192

static const char *shown(const char *text, List *secrets);
static const char *shown_body(const char *body, size_t length, List *secrets);

QueueAttempt *
arazzo_queue_attempt(const QueuedRun *run, const RunNext *next, const DriveCall *call,
					 const char *key, const ArazzoResponse *response,
					 const RunJudgement *judgement, List *secrets)
{
	const ArazzoRequest *request = call ? &call->request : next->request;
	QueueAttempt *attempt = palloc0(sizeof(QueueAttempt));

	attempt->run = run->id;
	attempt->owner = run->owner;
	attempt->server = call ? pstrdup(call->connection->server_name) : NULL;
	attempt->workflow = pstrdup(next->workflow->workflow_id);
	attempt->step = pstrdup(next->step->step_id);
	attempt->attempt = next->attempt;
	attempt->key = key ? pstrdup(key) : NULL;
	if (request)
	{
		attempt->method = pstrdup(request->method);
		attempt->url = shown(request->shown_url ? request->shown_url : request->url, secrets);
		attempt->request_body = shown_body(request->body, request->body_length, secrets);
	}
	if (response)
	{
		attempt->status = response->status;
		attempt->duration_us = response->duration_us;
		attempt->message = shown(response->message, secrets);
		if (response->outcome == OUTCOME_RECEIVED)
			attempt->response_body = shown_body(response->body, response->body_length, secrets);
	}
	attempt->outcome = judgement == NULL ? "unknown" : judgement->success ? "succeeded" : "failed";
	if (judgement)
	{
		attempt->action = judgement->action ? pstrdup(judgement->action) : NULL;
		if (judgement->reason)
			attempt->message = shown(judgement->reason, secrets);
	}
	return attempt;
}

/* A copy in any case. */
static const char *
shown(const char *text, List *secrets)
{
	return text ? pstrdup(arazzo_mask_text(text, secrets)) : NULL;
}

/* Masked first and cut then, so that no half of a secret stays. */
static const char *
shown_body(const char *body, size_t length, List *secrets)
{
	char	   *text;
	size_t		masked;

	if (body == NULL)
		return NULL;
	if (memchr(body, '\0', length) != NULL || !pg_verifymbstr(body, length, true))
		return psprintf("(%zu bytes that are no text)", length);
	text = arazzo_mask_text(pnstrdup(body, length), secrets);
	masked = strlen(text);
	if (masked <= KEPT_BODY)
		return text;
	return psprintf("%.*s (cut, %zu bytes)", pg_mbcliplen(text, masked, KEPT_BODY), text, length);
}
