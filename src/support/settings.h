/*-------------------------------------------------------------------------
 *
 * settings.h
 *	  Settings of the extension (arazzo.*); settings.c documents each.
 *
 *-------------------------------------------------------------------------
 */
#ifndef ARAZZO_SUPPORT_SETTINGS_H
#define ARAZZO_SUPPORT_SETTINGS_H

extern int	arazzo_max_steps;			/* step visits a run */
extern int	arazzo_max_depth;			/* nested workflows */
extern int	arazzo_connect_timeout;		/* ms */
extern int	arazzo_timeout;				/* ms, one request as a whole */
extern int	arazzo_max_retry_after;		/* seconds */
extern int	arazzo_concurrency;			/* queued runs at a time, of one worker */
extern int	arazzo_max_response_kb;		/* kB, decoded body of a response */
extern int	arazzo_max_document_kb;		/* kB, text of a document */
extern int	arazzo_max_document_nodes;	/* nodes after alias expansion */
extern int	arazzo_max_document_depth;	/* levels of nesting */
extern int	arazzo_retention;			/* minutes, queued runs that ended; -1: for ever */

/* What is done when a message does not fit its description. */
typedef enum ArazzoValidate
{
	VALIDATE_OFF,				/* nothing is compared */
	VALIDATE_WARN,				/* a warning */
	VALIDATE_ERROR				/* the step fails */
} ArazzoValidate;

extern int	arazzo_validate;	/* ArazzoValidate */

extern void arazzo_settings_init(void);

/* Refuses other settings of that prefix, once all are defined. */
extern void arazzo_settings_reserve(void);

#endif							/* ARAZZO_SUPPORT_SETTINGS_H */
