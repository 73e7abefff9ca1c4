/*-------------------------------------------------------------------------
 *
 * errors.c
 *	  Failures kept as data.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "support/errors.h"
#include "support/strings.h"

ArazzoFailure *
arazzo_failure_make(int sqlstate, const char *format,...)
{
	ArazzoFailure *failure = palloc0(sizeof(ArazzoFailure));
	va_list		arguments;

	failure->sqlstate = sqlstate;
	va_start(arguments, format);
	failure->message = arazzo_format(format, arguments);
	va_end(arguments);
	return failure;
}

ArazzoFailure *
arazzo_failure_detail(ArazzoFailure *failure, const char *format,...)
{
	va_list		arguments;

	va_start(arguments, format);
	failure->detail = arazzo_format(format, arguments);
	va_end(arguments);
	return failure;
}

ArazzoFailure *
arazzo_failure_hint(ArazzoFailure *failure, const char *format,...)
{
	va_list		arguments;

	va_start(arguments, format);
	failure->hint = arazzo_format(format, arguments);
	va_end(arguments);
	return failure;
}

ArazzoFailure *
arazzo_failure_copy(const ArazzoFailure *failure)
{
	ArazzoFailure *copy = palloc(sizeof(ArazzoFailure));

	*copy = *failure;
	copy->message = pstrdup(failure->message);
	copy->detail = failure->detail ? pstrdup(failure->detail) : NULL;
	copy->hint = failure->hint ? pstrdup(failure->hint) : NULL;
	return copy;
}

ArazzoFailure *
arazzo_failure_from_error(const ErrorData *error)
{
	ArazzoFailure *failure = palloc0(sizeof(ArazzoFailure));

	failure->sqlstate = error->sqlerrcode;
	failure->message = pstrdup(error->message ? error->message : "unknown error");
	failure->detail = error->detail ? pstrdup(error->detail) : NULL;
	failure->hint = error->hint ? pstrdup(error->hint) : NULL;
	return failure;
}

bool
arazzo_error_passes(int sqlstate)
{
	switch (ERRCODE_TO_CATEGORY(sqlstate))
	{
		case ERRCODE_OPERATOR_INTERVENTION:
		case ERRCODE_INSUFFICIENT_RESOURCES:
		case ERRCODE_TRANSACTION_ROLLBACK:
			return true;
		default:
			return false;
	}
}

void
arazzo_failure_report(const ArazzoFailure *failure, int elevel)
{
	ereport(elevel,
			errcode(failure->sqlstate),
			errmsg_internal("%s", failure->message),
			failure->detail ? errdetail_internal("%s", failure->detail) : 0,
			failure->hint ? errhint("%s", failure->hint) : 0);
}
