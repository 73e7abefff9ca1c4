/*-------------------------------------------------------------------------
 *
 * message.h
 *	  HTTP requests and responses as plain data.
 *
 * What the state machine asks to be sent and what the transport brings
 * back.  Whoever fills a message owns its memory.
 *
 *-------------------------------------------------------------------------
 */
#ifndef ARAZZO_SUPPORT_MESSAGE_H
#define ARAZZO_SUPPORT_MESSAGE_H

typedef struct ArazzoHeader
{
	const char *name;
	const char *value;
	bool		secret;			/* never shown: masked in traces and errors */
} ArazzoHeader;

typedef struct ArazzoRequest
{
	const char *method;			/* upper case */
	const char *url;			/* absolute, percent-encoded */
	const char *shown_url;		/* the same with secrets masked, or NULL */
	ArazzoHeader *headers;
	int			header_count;
	const char *body;			/* NULL when there is none */
	size_t		body_length;
} ArazzoRequest;

/* What is known about a request once the transport is done with it. */
typedef enum ArazzoOutcome
{
	OUTCOME_RECEIVED,			/* a whole response is there */
	OUTCOME_NOT_SENT,			/* not one byte of the request left */
	OUTCOME_UNKNOWN				/* sent or partly sent, no whole response */
} ArazzoOutcome;

typedef struct ArazzoResponse
{
	ArazzoOutcome outcome;
	int			status;			/* 0 unless a status line was read */
	ArazzoHeader *headers;		/* in order of arrival, final response only */
	int			header_count;
	const char *body;			/* decoded (gzip), NUL-terminated, may hold NULs */
	size_t		body_length;
	int64		duration_us;	/* from start to the last byte */

	/* set unless outcome is OUTCOME_RECEIVED */
	int			sqlstate;		/* 08001, 08006, 42501, 54000, ... */
	const char *message;		/* house wording, no secrets */
	const char *detail;			/* sentence or NULL */
	const char *hint;			/* sentence or NULL */
	bool		transient;		/* may go away by itself */
} ArazzoResponse;

/* First value of a header, by case-insensitive name; NULL when absent. */
extern const char *arazzo_header_find(const ArazzoHeader *headers, int count, const char *name, int length);

#endif							/* ARAZZO_SUPPORT_MESSAGE_H */
