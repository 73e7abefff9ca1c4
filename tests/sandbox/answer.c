/*
 * answer.c
 *	  Building the answer to a request.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "json.h"
#include "sandbox.h"

/* Back to nothing, its memory freed. */
void
answer_clear(Answer *ans)
{
	answer_free(ans);
	ans->status = 200;
}

void
answer_free(Answer *ans)
{
	int			i;

	for (i = 0; i < ans->nheaders; i++)
	{
		free(ans->headers[i].name);
		free(ans->headers[i].value);
	}
	buffer_free(&ans->body);
	memset(ans, 0, sizeof(*ans));
}

/* One more header; those beyond the room for them are left out. */
void
answer_header(Answer *ans, const char *name, const char *value)
{
	AnswerHeader *header;

	if (ans->nheaders == MAX_ANSWER_HEADERS)
		return;
	header = &ans->headers[ans->nheaders++];
	header->name = need_copy(name, strlen(name));
	header->value = need_copy(value, strlen(value));
}

/* The value as the JSON body; takes over the reference. */
void
answer_json(Answer *ans, int status, json_t *value)
{
	ans->status = status;
	ans->type = "application/json";
	buffer_clear(&ans->body);
	json_write(&ans->body, value);
	json_decref(value);
}

void
answer_text(Answer *ans, int status, const char *type, const char *fmt,...)
{
	char		text[4096];
	va_list		args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	ans->status = status;
	ans->type = type;
	buffer_clear(&ans->body);
	buffer_puts(&ans->body, text);
}
