/*-------------------------------------------------------------------------
 *
 * errors.h
 *	  SQLSTATEs of the extension, and failures kept as data.
 *
 * Standard SQLSTATEs are used where one fits; what is particular to
 * workflows lies in class WF.  Rooms below the SQL surface do not throw for
 * what a document, an input or a server got wrong: they return an
 * ArazzoFailure, so that the caller may collect, record or report it.
 *
 *-------------------------------------------------------------------------
 */
#ifndef ARAZZO_SUPPORT_ERRORS_H
#define ARAZZO_SUPPORT_ERRORS_H

#define ERRCODE_ARAZZO_DOCUMENT		MAKE_SQLSTATE('W', 'F', '0', '0', '1')
#define ERRCODE_ARAZZO_REFERENCE	MAKE_SQLSTATE('W', 'F', '0', '0', '2')
#define ERRCODE_ARAZZO_EXPRESSION	MAKE_SQLSTATE('W', 'F', '0', '0', '3')
#define ERRCODE_ARAZZO_STEP_FAILED	MAKE_SQLSTATE('W', 'F', '0', '0', '4')
#define ERRCODE_ARAZZO_SCHEMA		MAKE_SQLSTATE('W', 'F', '0', '0', '5')
#define ERRCODE_ARAZZO_LIMIT		MAKE_SQLSTATE('W', 'F', '0', '0', '6')
#define ERRCODE_ARAZZO_IN_DOUBT		MAKE_SQLSTATE('W', 'F', '0', '0', '7')
#define ERRCODE_ARAZZO_CREDENTIAL	MAKE_SQLSTATE('W', 'F', '0', '0', '8')

/*
 * What went wrong, in the words of an error report: message in lower case
 * without a period, detail and hint as sentences or NULL.  line and column
 * are 1-based positions in a document's text, 0 when there is none.
 */
typedef struct ArazzoFailure
{
	int			sqlstate;
	char	   *message;
	char	   *detail;
	char	   *hint;
	int			line;
	int			column;
} ArazzoFailure;

/* A failure in the current memory context; the message is formatted. */
extern ArazzoFailure *arazzo_failure_make(int sqlstate, const char *format,...) pg_attribute_printf(2, 3);

/* Set the detail or the hint of a failure, formatted; returns the failure. */
extern ArazzoFailure *arazzo_failure_detail(ArazzoFailure *failure, const char *format,...) pg_attribute_printf(2, 3);
extern ArazzoFailure *arazzo_failure_hint(ArazzoFailure *failure, const char *format,...) pg_attribute_printf(2, 3);

/* Copies a failure into the current memory context. */
extern ArazzoFailure *arazzo_failure_copy(const ArazzoFailure *failure);

/* Turns an error that was caught (after CopyErrorData) into a failure. */
extern ArazzoFailure *arazzo_failure_from_error(const ErrorData *error);

/*
 * Must an error that was caught be thrown on, since it is no matter of the
 * data at hand?  Cancellation, exhausted resources, and what rolls the
 * transaction back (a standby cancels queries by that, too).
 */
extern bool arazzo_error_passes(int sqlstate);

/* Reports a failure at the given level (ERROR, WARNING, ...). */
extern void arazzo_failure_report(const ArazzoFailure *failure, int elevel);

#endif							/* ARAZZO_SUPPORT_ERRORS_H */
