/*-------------------------------------------------------------------------
 *
 * backend.c
 *	  As much of a PostgreSQL backend as the readers need, over malloc().
 *
 * Each allocation is a block of its own, so that the address sanitizer sees
 * where it ends and when it is freed.  An error that is raised ends the
 * program: the readers return what is wrong with a text, they never throw.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "fmgr.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/memutils.h"
#include "utils/numeric.h"

#include "backend.h"
#include "support/value.h"

typedef struct Block
{
	struct Block *previous;
	struct Block *next;
	MemoryContext context;
	char		padding[8];		/* keeps what follows aligned */
} Block;

/* Begins as PostgreSQL's, so that inline functions of headers work. */
typedef struct Context
{
	MemoryContextData data;
	Block		blocks;			/* head of a ring */
	struct Context *first_child;
	struct Context *next_sibling;
} Context;

static Context top;

MemoryContext CurrentMemoryContext = (MemoryContext) &top;
MemoryContext TopMemoryContext = (MemoryContext) &top;
volatile sig_atomic_t InterruptPending = false;

static void
make_ring(Context *context)
{
	context->blocks.previous = &context->blocks;
	context->blocks.next = &context->blocks;
}

void
backend_init(void)
{
	make_ring(&top);
}

static MemoryContext
create_context(MemoryContext parent)
{
	Context    *context = calloc(1, sizeof(Context));
	Context    *above = (Context *) parent;

	make_ring(context);
	context->data.parent = parent;
	context->next_sibling = above->first_child;
	above->first_child = context;
	return (MemoryContext) context;
}

MemoryContext
AllocSetContextCreateInternal(MemoryContext parent, const char *name, Size minContextSize,
							  Size initBlockSize, Size maxBlockSize)
{
	return create_context(parent);
}

MemoryContext
GenerationContextCreate(MemoryContext parent, const char *name, Size minContextSize,
						Size initBlockSize, Size maxBlockSize)
{
	return create_context(parent);
}

void
MemoryContextRegisterResetCallback(MemoryContext context, MemoryContextCallback *callback)
{
	callback->next = context->reset_cbs;
	context->reset_cbs = callback;
}

void
MemoryContextReset(MemoryContext which)
{
	Context    *context = (Context *) which;

	while (context->first_child != NULL)
		MemoryContextDelete((MemoryContext) context->first_child);
	while (which->reset_cbs != NULL)
	{
		MemoryContextCallback *callback = which->reset_cbs;

		which->reset_cbs = callback->next;
		callback->func(callback->arg);
	}
	while (context->blocks.next != &context->blocks)
		pfree(context->blocks.next + 1);
}

void
MemoryContextDelete(MemoryContext which)
{
	Context    *context = (Context *) which;
	Context   **link = &((Context *) which->parent)->first_child;

	MemoryContextReset(which);
	while (*link != context)
		link = &(*link)->next_sibling;
	*link = context->next_sibling;
	free(context);
}

void *
MemoryContextAllocHuge(MemoryContext which, Size size)
{
	Context    *context = (Context *) which;
	Block	   *block = malloc(sizeof(Block) + size);

	block->context = which;
	block->previous = &context->blocks;
	block->next = context->blocks.next;
	block->next->previous = block;
	context->blocks.next = block;
	return block + 1;
}

void *
MemoryContextAlloc(MemoryContext context, Size size)
{
	if (size > MaxAllocSize)
		abort();
	return MemoryContextAllocHuge(context, size);
}

void *
MemoryContextAllocZero(MemoryContext context, Size size)
{
	return memset(MemoryContextAlloc(context, size), 0, size);
}

void *
MemoryContextAllocZeroAligned(MemoryContext context, Size size)
{
	return MemoryContextAllocZero(context, size);
}

void *
MemoryContextAllocExtended(MemoryContext context, Size size, int flags)
{
	if (flags & MCXT_ALLOC_ZERO)
		return memset(MemoryContextAllocHuge(context, size), 0, size);
	return MemoryContextAllocHuge(context, size);
}

char *
MemoryContextStrdup(MemoryContext context, const char *string)
{
	return strcpy(MemoryContextAlloc(context, strlen(string) + 1), string);
}

void *
palloc(Size size)
{
	return MemoryContextAlloc(CurrentMemoryContext, size);
}

void *
palloc0(Size size)
{
	return MemoryContextAllocZero(CurrentMemoryContext, size);
}

void *
palloc_extended(Size size, int flags)
{
	return MemoryContextAllocExtended(CurrentMemoryContext, size, flags);
}

void
pfree(void *pointer)
{
	Block	   *block = (Block *) pointer - 1;

	block->previous->next = block->next;
	block->next->previous = block->previous;
	free(block);
}

void *
repalloc_huge(void *pointer, Size size)
{
	Block	   *block = realloc((Block *) pointer - 1, sizeof(Block) + size);

	block->previous->next = block;
	block->next->previous = block;
	return block + 1;
}

void *
repalloc(void *pointer, Size size)
{
	if (size > MaxAllocSize)
		abort();
	return repalloc_huge(pointer, size);
}

char *
pstrdup(const char *string)
{
	return MemoryContextStrdup(CurrentMemoryContext, string);
}

char *
pnstrdup(const char *string, Size length)
{
	char	   *copy;

	length = strnlen(string, length);
	copy = palloc(length + 1);
	memcpy(copy, string, length);
	copy[length] = '\0';
	return copy;
}

char *
pchomp(const char *string)
{
	return pstrdup(string);
}

void
check_stack_depth(void)
{
}

void
ProcessInterrupts(void)
{
}

/* A number is kept as its text. */
static Datum
number_from_text(const char *text)
{
	size_t		size = VARHDRSZ + strlen(text);
	struct varlena *number = palloc(size);

	SET_VARSIZE(number, size);
	memcpy(VARDATA(number), text, size - VARHDRSZ);
	return PointerGetDatum(number);
}

Numeric
int64_to_numeric(int64 value)
{
	char		text[32];

	snprintf(text, sizeof(text), INT64_FORMAT, value);
	return (Numeric) DatumGetPointer(number_from_text(text));
}

/*
 * Stands for numeric_in(), and insists on its limits: the readers have to
 * see to them before.
 */
Datum
DirectFunctionCall3Coll(PGFunction function, Oid collation, Datum arg1, Datum arg2, Datum arg3)
{
	const char *text = DatumGetCString(arg1);
	const char *exponent = strpbrk(text, "eE");
	const char *point = strchr(text, '.');
	const char *end = exponent ? exponent : text + strlen(text);
	long		power = exponent ? strtol(exponent + 1, NULL, 10) : 0;
	long		after = point ? (long) (end - point) - 1 : 0;
	const char *first = text + strspn(text, "+-0");

	if (text[strspn(text, "+-.0123456789eE")] != '\0' || after - power > 16383)
		abort();
	if (*first >= '1' && *first <= '9' && (point ? point : end) - first + power > 131072)
		abort();
	return number_from_text(text);
}

Datum
numeric_in(PG_FUNCTION_ARGS)
{
	abort();
}

struct varlena *
pg_detoast_datum(struct varlena *datum)
{
	return datum;
}

/* Cuts a valid text of UTF-8 at a limit of bytes. */
int
pg_encoding_mbcliplen(int encoding, const char *text, int length, int limit)
{
	int			end = 0;

	while (end < length && end + pg_utf_mblen((const unsigned char *) text + end) <= limit)
		end += pg_utf_mblen((const unsigned char *) text + end);
	return Min(end, length);
}

static void
touch(const JsonbValue *value, volatile unsigned int *sum)
{
	int			i;

	switch (value->type)
	{
		case jbvString:
			for (i = 0; i < value->val.string.len; i++)
				*sum += (unsigned char) value->val.string.val[i];
			break;
		case jbvNumeric:
			*sum += VARSIZE_ANY(value->val.numeric);
			break;
		case jbvArray:
			for (i = 0; i < value->val.array.nElems; i++)
				touch(&value->val.array.elems[i], sum);
			break;
		case jbvObject:
			for (i = 0; i < value->val.object.nPairs; i++)
			{
				const JsonbPair *pair = &value->val.object.pairs[i];

				touch(&pair->key, sum);
				touch(&pair->value, sum);
				/* sorted, and no key twice */
				if (i > 0 && (pair[-1].key.val.string.len > pair->key.val.string.len ||
							  (pair[-1].key.val.string.len == pair->key.val.string.len &&
							   memcmp(pair[-1].key.val.string.val, pair->key.val.string.val,
									  pair->key.val.string.len) >= 0)))
					abort();
			}
			break;
		default:
			break;
	}
}

/* Reads all that would become jsonb, and checks what jsonb relies on. */
Jsonb *
JsonbValueToJsonb(JsonbValue *value)
{
	unsigned int sum = 0;

	touch(value, &sum);
	return palloc0(sizeof(Jsonb));
}

/* Not needed by the targets, but linked. */
JsonbValue *
arazzo_value_from_jsonb(Jsonb *jsonb)
{
	abort();
}

bool
errstart(int elevel, const char *domain)
{
	return elevel >= ERROR;
}

bool
errstart_cold(int elevel, const char *domain)
{
	return elevel >= ERROR;
}

int
errcode(int sqlerrcode)
{
	return 0;
}

int
errmsg(const char *format,...)
{
	fprintf(stderr, "raised: %s\n", format);
	return 0;
}

int
errmsg_internal(const char *format,...)
{
	fprintf(stderr, "raised: %s\n", format);
	return 0;
}

int
errdetail(const char *format,...)
{
	return 0;
}

int
errdetail_internal(const char *format,...)
{
	return 0;
}

int
errhint(const char *format,...)
{
	return 0;
}

void
errfinish(const char *filename, int lineno, const char *funcname)
{
	fprintf(stderr, "at %s:%d\n", filename, lineno);
	abort();
}

void
ExceptionalCondition(const char *conditionName, const char *errorType,
					 const char *fileName, int lineNumber)
{
	fprintf(stderr, "assertion %s at %s:%d\n", conditionName, fileName, lineNumber);
	abort();
}
