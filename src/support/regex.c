/*-------------------------------------------------------------------------
 *
 * regex.c
 *	  Compiling and searching: PostgreSQL's regular expression engine.
 *
 * Before version 16 the engine keeps a compiled expression in malloc'd
 * memory; a callback of the memory context gives it back.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_collation.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "regex/regex.h"
#include "utils/memutils.h"

#include "support/alarm.h"
#include "support/regex.h"

/* Texts up to this length are widened on the stack. */
#define SHORT_TEXT 256

/* How long (ms) the engine may take at a time. */
#define MAX_TIME 5000

/*
 * What it does with fewer characters, of the expression times those of the
 * text, takes no time worth limiting, unless there are back-references.
 */
#define SMALL_WORK 1000000
#define SMALL_PATTERN 1000

struct ArazzoRegex
{
	regex_t		compiled;
	bool		is_compiled;
	int			length;			/* of the expression, as the engine has it */
	MemoryContextCallback callback;
};

/* What the engine is to do. */
typedef struct EngineWork
{
	regex_t    *compiled;
	const pg_wchar *text;		/* or the expression */
	int			length;
	int			code;			/* how it went */
} EngineWork;

static void free_compiled(void *arg);
static void compile(void *argument);
static void search(void *argument);
static bool do_work(void (*work) (void *argument), EngineWork *engine_work, bool limited);
static ArazzoFailure *time_failure(void);
static void report_engine_error(int code, const regex_t *compiled);

ArazzoRegex *
arazzo_regex_compile(const char *ecma, int length, ArazzoFailure **failure)
{
	ArazzoRegex *regex;
	pg_wchar   *wide;
	char	   *translated;
	EngineWork	work;

	translated = arazzo_regex_translate(ecma, length, failure);
	if (translated == NULL)
		return NULL;

	regex = palloc0(sizeof(ArazzoRegex));
	regex->callback.func = free_compiled;
	regex->callback.arg = regex;
	MemoryContextRegisterResetCallback(CurrentMemoryContext, &regex->callback);

	wide = palloc((strlen(translated) + 1) * sizeof(pg_wchar));
	regex->length = pg_mb2wchar_with_len(translated, wide, strlen(translated));

	work = (EngineWork) {&regex->compiled, wide, regex->length, REG_OKAY};
	if (!do_work(compile, &work, regex->length > SMALL_PATTERN))
	{
		*failure = time_failure();
		return NULL;
	}
	pfree(wide);
	pfree(translated);
	if (work.code != REG_OKAY)
	{
		char		reason[100];

		if (work.code == REG_ESPACE)
			report_engine_error(work.code, &regex->compiled);
		CHECK_FOR_INTERRUPTS();
		pg_regerror(work.code, &regex->compiled, reason, sizeof(reason));
		*failure = arazzo_failure_make(ERRCODE_INVALID_REGULAR_EXPRESSION,
									   "invalid regular expression: %s", reason);
		return NULL;
	}
	regex->is_compiled = true;
	return regex;
}

bool
arazzo_regex_search(const ArazzoRegex *regex, const char *text, int length)
{
	pg_wchar	short_text[SHORT_TEXT + 1];
	pg_wchar   *wide = short_text;
	EngineWork	work;
	bool		limited;

	if (length > SHORT_TEXT)
		wide = MemoryContextAllocHuge(CurrentMemoryContext, ((Size) length + 1) * sizeof(pg_wchar));
	work = (EngineWork) {unconstify(regex_t *, &regex->compiled), wide, pg_mb2wchar_with_len(text, wide, length), REG_OKAY};
	limited = (int64) regex->length * work.length > SMALL_WORK || (regex->compiled.re_info & REG_UBACKREF) != 0;
	if (!do_work(search, &work, limited))
		arazzo_failure_report(time_failure(), ERROR);
	if (wide != short_text)
		pfree(wide);
	if (work.code != REG_OKAY && work.code != REG_NOMATCH)
		report_engine_error(work.code, work.compiled);
	return work.code == REG_OKAY;
}

/* C: what is a word character must not depend on a locale. */
static void
compile(void *argument)
{
	EngineWork *work = argument;

	work->code = pg_regcomp(work->compiled, work->text, work->length, REG_ADVANCED | REG_NOSUB, C_COLLATION_OID);
}

static void
search(void *argument)
{
	EngineWork *work = argument;

	work->code = pg_regexec(work->compiled, work->text, work->length, 0, NULL, 0, NULL, 0);
}

/* False when it took too long. */
static bool
do_work(void (*work) (void *argument), EngineWork *engine_work, bool limited)
{
	if (limited)
		return arazzo_alarm_call(work, engine_work, MAX_TIME);
	work(engine_work);
	return true;
}

static ArazzoFailure *
time_failure(void)
{
	return arazzo_failure_detail(arazzo_failure_make(ERRCODE_PROGRAM_LIMIT_EXCEEDED, "regular expression takes too long"),
								 "The limit is %d s.", MAX_TIME / 1000);
}

static void
report_engine_error(int code, const regex_t *compiled)
{
	char		reason[100];

	/* REG_CANCEL of version 15 is an interrupt that waits to be served. */
	CHECK_FOR_INTERRUPTS();
	pg_regerror(code, compiled, reason, sizeof(reason));
	ereport(ERROR,
			(errcode(code == REG_ESPACE ? ERRCODE_OUT_OF_MEMORY : ERRCODE_INVALID_REGULAR_EXPRESSION),
			 errmsg("regular expression failed: %s", reason)));
}

static void
free_compiled(void *arg)
{
	ArazzoRegex *regex = arg;

	if (regex->is_compiled)
		pg_regfree(&regex->compiled);
	regex->is_compiled = false;
}
