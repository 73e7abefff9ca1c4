/*-------------------------------------------------------------------------
 *
 * torture.c
 *	  The extension in a server whose calls fail when they are told to.
 *
 * Linked with the extension's own objects, whose calls of the server's
 * allocating functions come here first (--wrap).  Calls count while a function
 * of the extension runs.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/hash.h"
#include "fmgr.h"
#include "utils/builtins.h"
#include "utils/hsearch.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

#include "failing.h"

PG_FUNCTION_INFO_V1(test_torture_start);
PG_FUNCTION_INFO_V1(test_torture_stop);
PG_FUNCTION_INFO_V1(test_torture_in_use);

static needs_fmgr_hook_type next_needs_hook = NULL;
static fmgr_hook_type next_hook = NULL;
static bool installed = false;
static int	depth = 0;			/* of functions of the extension */
static FailingKind kind = FAILING_NOTHING;

static FailingKind kind_of(const char *name);
static void install_hooks(void);
static bool needs_hook(Oid function);
static void enter_or_leave(FmgrHookEventType event, FmgrInfo *function, Datum *private);
static void fail_if_due(void);

/*
 * test_torture_start(kind text, first bigint, length bigint): in what follows,
 * calls of a kind fail, from the first on, so many of them.
 */
Datum
test_torture_start(PG_FUNCTION_ARGS)
{
	kind = kind_of(text_to_cstring(PG_GETARG_TEXT_PP(0)));
	install_hooks();
	depth = 0;
	failing_start(kind, PG_GETARG_INT64(1), PG_GETARG_INT64(2));
	(void) failing_pause();
	PG_RETURN_VOID();
}

/* test_torture_stop(): the end of that; how many calls there were. */
Datum
test_torture_stop(PG_FUNCTION_ARGS)
{
	kind = FAILING_NOTHING;
	PG_RETURN_INT64(failing_stop());
}

/* test_torture_in_use(): bytes that malloc() has given out. */
Datum
test_torture_in_use(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT64((int64) failing_in_use());
}

static FailingKind
kind_of(const char *name)
{
	static const char *const names[] = {"nothing", "malloc", "palloc", "resource", "call"};
	int			i;

	for (i = 0; i < lengthof(names); i++)
	{
		if (strcmp(names[i], name) == 0)
			return (FailingKind) i;
	}
	elog(ERROR, "there is no kind \"%s\"", name);
}

static void
install_hooks(void)
{
	if (installed)
		return;
	next_needs_hook = needs_fmgr_hook;
	next_hook = fmgr_hook;
	needs_fmgr_hook = needs_hook;
	fmgr_hook = enter_or_leave;
	installed = true;
}

static bool
needs_hook(Oid function)
{
	char	   *name;

	if (next_needs_hook && next_needs_hook(function))
		return true;
	if (function < FirstNormalObjectId)
		return false;
	name = get_func_name(function);
	return name != NULL && strncmp(name, "arazzo_", 7) == 0;
}

static void
enter_or_leave(FmgrHookEventType event, FmgrInfo *function, Datum *private)
{
	if (event == FHET_START)
	{
		if (depth++ == 0)
			failing_resume(kind);
	}
	else if (--depth == 0)
		(void) failing_pause();
	if (next_hook)
		next_hook(event, function, private);
}

/* As the server says it when memory is short. */
static void
fail_if_due(void)
{
	if (failing_due(FAILING_PALLOC))
		ereport(ERROR,
				errcode(ERRCODE_OUT_OF_MEMORY),
				errmsg("out of memory"),
				errdetail("This allocation was to fail."));
}

/* A function of the server that may find memory short. */
#define WRAP(type, name, parameters, arguments) \
	extern type __real_##name parameters; \
	extern type __wrap_##name parameters; \
	type \
	__wrap_##name parameters \
	{ \
		fail_if_due(); \
		return __real_##name arguments; \
	}

#define WRAP_VOID(name, parameters, arguments) \
	extern void __real_##name parameters; \
	extern void __wrap_##name parameters; \
	void \
	__wrap_##name parameters \
	{ \
		fail_if_due(); \
		__real_##name arguments; \
	}

WRAP(void *, palloc, (Size size), (size))
WRAP(void *, palloc0, (Size size), (size))
WRAP(void *, repalloc, (void *memory, Size size), (memory, size))
WRAP(void *, repalloc_huge, (void *memory, Size size), (memory, size))
WRAP(void *, MemoryContextAlloc, (MemoryContext context, Size size), (context, size))
WRAP(void *, MemoryContextAllocZero, (MemoryContext context, Size size), (context, size))
WRAP(void *, MemoryContextAllocHuge, (MemoryContext context, Size size), (context, size))
WRAP(char *, MemoryContextStrdup, (MemoryContext context, const char *text), (context, text))
WRAP(char *, pstrdup, (const char *text), (text))
WRAP(char *, pnstrdup, (const char *text, Size length), (text, length))
WRAP(MemoryContext, AllocSetContextCreateInternal,
	 (MemoryContext parent, const char *name, Size minimum, Size initial, Size maximum),
	 (parent, name, minimum, initial, maximum))
WRAP(List *, lappend, (List *list, void *datum), (list, datum))
WRAP(List *, lappend_int, (List *list, int datum), (list, datum))
WRAP(List *, lcons, (void *datum, List *list), (datum, list))
WRAP(List *, list_concat, (List *list, const List *other), (list, other))
WRAP(List *, list_copy, (const List *list), (list))
WRAP(List *, list_make1_impl, (NodeTag tag, ListCell datum), (tag, datum))
WRAP(text *, cstring_to_text, (const char *string), (string))
WRAP(HTAB *, hash_create, (const char *name, long count, const HASHCTL *info, int flags), (name, count, info, flags))
WRAP(Jsonb *, JsonbValueToJsonb, (JsonbValue *value), (value))
WRAP(JsonbValue *, pushJsonbValue, (JsonbParseState **state, JsonbIteratorToken token, JsonbValue *value),
	 (state, token, value))
WRAP_VOID(initStringInfo, (StringInfo string), (string))
WRAP_VOID(enlargeStringInfo, (StringInfo string, int needed), (string, needed))
WRAP_VOID(appendBinaryStringInfo, (StringInfo string, const void *data, int length), (string, data, length))
WRAP_VOID(appendStringInfoString, (StringInfo string, const char *text), (string, text))

extern void *__real_MemoryContextAllocExtended(MemoryContext context, Size size, int flags);
extern void *__wrap_MemoryContextAllocExtended(MemoryContext context, Size size, int flags);

void *
__wrap_MemoryContextAllocExtended(MemoryContext context, Size size, int flags)
{
	if ((flags & MCXT_ALLOC_NO_OOM) == 0)
		fail_if_due();
	else if (failing_due(FAILING_PALLOC))
		return NULL;
	return __real_MemoryContextAllocExtended(context, size, flags);
}

extern char *__wrap_psprintf(const char *format,...) pg_attribute_printf(1, 2);

char *
__wrap_psprintf(const char *format,...)
{
	int			save_errno = errno;
	size_t		size = 128;

	fail_if_due();
	for (;;)
	{
		char	   *result = palloc(size);
		va_list		arguments;
		size_t		needed;

		errno = save_errno;
		va_start(arguments, format);
		needed = pvsnprintf(result, size, format, arguments);
		va_end(arguments);
		if (needed < size)
			return result;
		pfree(result);
		size = needed;
	}
}
