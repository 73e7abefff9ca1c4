/*-------------------------------------------------------------------------
 *
 * guided.c
 *	  Lets libFuzzer, which is linked into the library, drive a target.
 *
 * It runs inside of a SQL function and ends the process when it is done, so
 * that a server in single-user mode is the place for it.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "utils/array.h"
#include "utils/builtins.h"

#include "fuzz.h"

PG_FUNCTION_INFO_V1(test_fuzz_guided);

extern int	LLVMFuzzerRunDriver(int *argc, char ***argv, int (*run) (const uint8 *data, size_t size));

static const FuzzTarget *guided_target;

static int	run(const uint8 *data, size_t size);

/*
 * test_fuzz_guided(target text, arguments text[]) → int: libFuzzer with the
 * arguments that it would have on a command line.
 */
Datum
test_fuzz_guided(PG_FUNCTION_ARGS)
{
	Datum	   *arguments;
	char	  **argv;
	int			argc;
	int			i;

	guided_target = fuzz_target(text_to_cstring(PG_GETARG_TEXT_PP(0)));
	deconstruct_array(PG_GETARG_ARRAYTYPE_P(1), TEXTOID, -1, false, TYPALIGN_INT, &arguments, NULL, &argc);
	argv = palloc0(sizeof(char *) * (argc + 2));
	argv[0] = pstrdup(guided_target->name);
	for (i = 0; i < argc; i++)
		argv[i + 1] = TextDatumGetCString(arguments[i]);
	argc++;
	PG_RETURN_INT32(LLVMFuzzerRunDriver(&argc, &argv, run));
}

/* An error must not jump out of libFuzzer: what is a fault ends the process. */
static int
run(const uint8 *data, size_t size)
{
	fuzz_run(guided_target, (const char *) data, size, PANIC);
	return 0;
}
