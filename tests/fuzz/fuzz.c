/*-------------------------------------------------------------------------
 *
 * fuzz.c
 *	  Runs fuzz targets in a server process, as SQL functions.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#ifdef __GLIBC__
#include <malloc.h>
#endif

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "fuzz.h"

PG_FUNCTION_INFO_V1(test_fuzz_targets);
PG_FUNCTION_INFO_V1(test_fuzz_run);
PG_FUNCTION_INFO_V1(test_fuzz_mutations);

/* Runs of one input that each must leave more behind to be called a leak. */
#define LEAK_RUNS	12

/* With the address sanitizer, which has an allocator of its own. */
extern size_t __sanitizer_get_current_allocated_bytes(void) __attribute__((weak));

static const FuzzTarget targets[] = {
	{"yaml", fuzz_target_yaml},
	{"json", fuzz_target_json},
	{"body", fuzz_target_body},
	{"expression", fuzz_target_expression},
	{"template", fuzz_target_template},
	{"condition", fuzz_target_condition},
	{"criterion", fuzz_target_criterion},
	{"jsonpath", fuzz_target_jsonpath},
	{"regex", fuzz_target_regex},
	{"schema", fuzz_target_schema},
	{"uri", fuzz_target_uri},
	{"http", fuzz_target_http},
	{"parameters", fuzz_target_parameters}
};

static void run_once(const FuzzTarget *target, const char *data, size_t length, int fault_level);
static void swallow_or_report(int fault_level);
static bool may_throw(int sqlstate);
static size_t allocated_bytes(void);
static void append_seed(FuzzSeeds *seeds, Datum seed);
static bool is_text(const char *text);

/* test_fuzz_targets() → text[] */
Datum
test_fuzz_targets(PG_FUNCTION_ARGS)
{
	Datum		names[lengthof(targets)];
	size_t		i;

	for (i = 0; i < lengthof(targets); i++)
		names[i] = CStringGetTextDatum(targets[i].name);
	PG_RETURN_ARRAYTYPE_P(construct_array(names, lengthof(targets), TEXTOID, -1, false, TYPALIGN_INT));
}

/* test_fuzz_run(target text, input bytea) → void: one input. */
Datum
test_fuzz_run(PG_FUNCTION_ARGS)
{
	bytea	   *input = PG_GETARG_BYTEA_PP(1);

	fuzz_run(fuzz_target(text_to_cstring(PG_GETARG_TEXT_PP(0))),
			 VARDATA_ANY(input), VARSIZE_ANY_EXHDR(input), ERROR);
	PG_RETURN_VOID();
}

/*
 * test_fuzz_mutations(target text, seeds bytea[], count int, start int) → int:
 * every seed, then so many inputs made of them, the same for the same start;
 * how many inputs that were.
 */
Datum
test_fuzz_mutations(PG_FUNCTION_ARGS)
{
	const FuzzTarget *target = fuzz_target(text_to_cstring(PG_GETARG_TEXT_PP(0)));
	uint64		random = (uint64) PG_GETARG_INT32(3) * UINT64CONST(0x9E3779B97F4A7C15) + 1;
	FuzzSeeds	seeds = {NULL, 0};
	StringInfoData input;
	Datum	   *items;
	int			count;
	int			i;

	deconstruct_array(PG_GETARG_ARRAYTYPE_P(1), BYTEAOID, -1, false, TYPALIGN_INT, &items, NULL, &count);
	seeds.items = palloc(sizeof(StringInfoData) * count);
	for (i = 0; i < count; i++)
	{
		append_seed(&seeds, items[i]);
		fuzz_run(target, seeds.items[i].data, seeds.items[i].len, ERROR);
	}
	initStringInfo(&input);
	for (i = 0; i < PG_GETARG_INT32(2); i++)
	{
		CHECK_FOR_INTERRUPTS();
		fuzz_mutate(&input, &seeds, &random);
		fuzz_run(target, input.data, input.len, ERROR);
	}
	PG_RETURN_INT32(count + i);
}

static void
append_seed(FuzzSeeds *seeds, Datum seed)
{
	bytea	   *bytes = DatumGetByteaPP(seed);
	StringInfo	item = &seeds->items[seeds->count++];

	initStringInfo(item);
	appendBinaryStringInfo(item, VARDATA_ANY(bytes), VARSIZE_ANY_EXHDR(bytes));
}

const FuzzTarget *
fuzz_target(const char *name)
{
	size_t		i;

	for (i = 0; i < lengthof(targets); i++)
	{
		if (strcmp(targets[i].name, name) == 0)
			return &targets[i];
	}
	ereport(ERROR,
			errcode(ERRCODE_UNDEFINED_OBJECT),
			errmsg("there is no fuzz target \"%s\"", name));
}

/*
 * Caches may grow with an input that they have not seen, so only one that
 * leaves something behind every time is a leak.
 */
void
fuzz_run(const FuzzTarget *target, const char *data, size_t length, int fault_level)
{
	size_t		before = allocated_bytes();
	int			i;

	for (i = 0; i < LEAK_RUNS; i++)
	{
		size_t		after;

		run_once(target, data, length, fault_level);
		after = allocated_bytes();
		if (after <= before)
			return;
		before = after;
	}
	ereport(fault_level,
			errcode(ERRCODE_INTERNAL_ERROR),
			errmsg("fuzz target \"%s\" leaks memory", target->name));
}

static void
run_once(const FuzzTarget *target, const char *data, size_t length, int fault_level)
{
	MemoryContext caller = CurrentMemoryContext;
	MemoryContext context = AllocSetContextCreate(caller, "fuzz input", ALLOCSET_DEFAULT_SIZES);

	PG_TRY();
	{
		MemoryContextSwitchTo(context);
		target->run(data, length);
		fuzz_require(CurrentMemoryContext == context);
	}
	PG_CATCH();
	{
		MemoryContextSwitchTo(context);
		swallow_or_report(fault_level);
	}
	PG_END_TRY();
	MemoryContextSwitchTo(caller);
	MemoryContextDelete(context);
}

static void
swallow_or_report(int fault_level)
{
	ErrorData  *error = CopyErrorData();

	if (may_throw(error->sqlerrcode))
	{
		FlushErrorState();
		return;
	}
	if (fault_level <= ERROR)
		PG_RE_THROW();
	FlushErrorState();
	ereport(fault_level,
			errcode(error->sqlerrcode),
			errmsg_internal("%s at %s:%d", error->message, error->filename, error->lineno));
}

/* What rooms may throw: an input asks for more than there is. */
static bool
may_throw(int sqlstate)
{
	return sqlstate == ERRCODE_PROGRAM_LIMIT_EXCEEDED ||
		sqlstate == ERRCODE_STATEMENT_TOO_COMPLEX ||
		sqlstate == ERRCODE_INVALID_REGULAR_EXPRESSION ||
		sqlstate == ERRCODE_FEATURE_NOT_SUPPORTED;
}

/* Always 0 where the C library does not tell. */
static size_t
allocated_bytes(void)
{
	if (__sanitizer_get_current_allocated_bytes)
		return __sanitizer_get_current_allocated_bytes();
#if defined(__GLIBC__) && __GLIBC_PREREQ(2, 33)
	return mallinfo2().uordblks;
#else
	return 0;
#endif
}

void
fuzz_fault(const char *condition, const char *file, int line)
{
	ereport(ERROR,
			errcode(ERRCODE_INTERNAL_ERROR),
			errmsg_internal("\"%s\" does not hold at %s:%d", condition, file, line));
}

void
fuzz_require_failure(const ArazzoFailure *failure)
{
	int			category;

	fuzz_require(failure != NULL);
	fuzz_require(failure->message != NULL && failure->message[0] != '\0');
	fuzz_require(is_text(failure->message) && is_text(failure->detail) && is_text(failure->hint));
	fuzz_require(failure->line >= 0 && failure->column >= 0);
	category = ERRCODE_TO_CATEGORY(failure->sqlstate);
	if (category != ERRCODE_TO_CATEGORY(ERRCODE_ARAZZO_DOCUMENT) &&
		category != ERRCODE_DATA_EXCEPTION &&
		category != ERRCODE_PROGRAM_LIMIT_EXCEEDED &&
		category != ERRCODE_FEATURE_NOT_SUPPORTED)
		elog(ERROR, "failure of SQLSTATE %s: %s", unpack_sql_state(failure->sqlstate), failure->message);
}

static bool
is_text(const char *text)
{
	return text == NULL || pg_verifymbstr(text, strlen(text), true);
}

bool
fuzz_split(const char *data, size_t length, StringInfo first, StringInfo second)
{
	size_t		end = 0;

	while (end + 1 < length && !(data[end] == '\n' && data[end + 1] == '\n'))
		end++;
	if (end + 1 >= length)
		end = length;
	initStringInfo(first);
	initStringInfo(second);
	appendBinaryStringInfo(first, data, (int) end);
	if (end < length)
		appendBinaryStringInfo(second, data + end + 2, (int) (length - end - 2));
	return pg_verifymbstr(data, (int) length, true);
}

JsonbValue *
fuzz_value(const StringInfo text, const char *fallback)
{
	ArazzoFailure *failure = NULL;
	JsonbValue *value = arazzo_value_parse_json(text->data, text->len, &failure);

	return value ? value : arazzo_value_parse_json(fallback, strlen(fallback), &failure);
}
