/*-------------------------------------------------------------------------
 *
 * operation_index.c
 *	  The operations of a description, by id.
 *
 * A plan looks up many operations in few descriptions, some of which have
 * thousands.  The index of a description is kept in the memory context of its
 * library, and found by the description's address; a callback of that context
 * forgets it before the address can be used again.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "common/hashfn.h"
#include "miscadmin.h"
#include "utils/memutils.h"

#include "openapi/members.h"
#include "openapi/operation_index.h"

/* An index with what keeps track of it. */
typedef struct KeptIndex
{
	OperationIndex index;
	const ArazzoDocument *document;
	struct KeptIndex *next;
	MemoryContextCallback callback;
} KeptIndex;

/* Path Item Object: members that are operations (OpenAPI 3.2.0). */
static const struct
{
	const char *member;
	const char *method;
}			methods[] =
{
	{"get", "GET"},
	{"put", "PUT"},
	{"post", "POST"},
	{"delete", "DELETE"},
	{"options", "OPTIONS"},
	{"head", "HEAD"},
	{"patch", "PATCH"},
	{"trace", "TRACE"},
	{"query", "QUERY"}
};

static KeptIndex *kept_indexes = NULL;

static void forget(void *argument);
static void build(OperationIndex *index, ArazzoLibrary *library, const ArazzoDocument *document,
				  MemoryContext context);
static void add_item(OperationIndex *index, const JsonbValue *path, const JsonbValue *item,
					 MemoryContext context);
static void add_operation(OperationIndex *index, const JsonbValue *path, const char *method,
						  const JsonbValue *operation);
static void fill_buckets(OperationIndex *index, MemoryContext context);
static uint32 hash_id(const char *id, int length);
static bool same_but_case(const char *a, const char *b, int length);

const OperationIndex *
arazzo_operation_index(ArazzoLibrary *library, const ArazzoDocument *document)
{
	MemoryContext context = GetMemoryChunkContext(unconstify(ArazzoDocument *, document));
	KeptIndex  *kept;

	for (kept = kept_indexes; kept; kept = kept->next)
	{
		if (kept->document == document)
			return &kept->index;
	}
	kept = MemoryContextAllocZero(context, sizeof(KeptIndex));
	build(&kept->index, library, document, context);
	kept->document = document;
	kept->callback.func = forget;
	kept->callback.arg = kept;
	MemoryContextRegisterResetCallback(context, &kept->callback);
	kept->next = kept_indexes;
	kept_indexes = kept;
	return &kept->index;
}

List *
arazzo_operation_index_find(const OperationIndex *index, const char *id, bool *exact)
{
	int			length = strlen(id);
	List	   *same = NIL;
	List	   *similar = NIL;
	int			place = index->buckets[hash_id(id, length) & index->mask];

	for (; place >= 0; place = index->operations[place].next)
	{
		IndexedOperation *operation = &index->operations[place];

		if (operation->id_length != length)
			continue;
		if (memcmp(operation->id, id, length) == 0)
			same = lappend(same, operation);
		else if (same_but_case(operation->id, id, length))
			similar = lappend(similar, operation);
	}
	*exact = same != NIL;
	return *exact ? same : similar;
}

List *
arazzo_operation_methods(const JsonbValue *item)
{
	const JsonbValue *more = arazzo_value_member_cstring(item, "additionalOperations");
	List	   *found = NIL;
	ArazzoValueWalk walk;
	JsonbValue	key;
	JsonbValue	value;
	size_t		i;

	for (i = 0; i < lengthof(methods); i++)
	{
		if (arazzo_value_is_object(arazzo_value_member_cstring(item, methods[i].member)))
			found = lappend(found, unconstify(char *, methods[i].method));
	}
	walk_members(&walk, more);
	while (arazzo_value_next(&walk, &key, &value))
	{
		if (arazzo_value_is_object(&value))
			found = lappend(found, pnstrdup(key.val.string.val, key.val.string.len));
	}
	return found;
}

bool
arazzo_operation_method(const char *name, const char **method, const char **member)
{
	size_t		i;

	for (i = 0; i < lengthof(methods); i++)
	{
		if (pg_strcasecmp(methods[i].member, name) != 0)
			continue;
		*method = methods[i].method;
		*member = methods[i].member;
		return true;
	}
	return false;
}

/* Callback of the library's memory context. */
static void
forget(void *argument)
{
	KeptIndex **link = &kept_indexes;

	while (*link && *link != argument)
		link = &(*link)->next;
	if (*link)
		*link = (*link)->next;
}

/*
 * One walk over the paths.  A path item that leads nowhere is left out: it is
 * the trouble of those who need it.
 */
static void
build(OperationIndex *index, ArazzoLibrary *library, const ArazzoDocument *document,
	  MemoryContext context)
{
	MemoryContext walking = AllocSetContextCreate(CurrentMemoryContext, "arazzo operation walk",
												  ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(walking);
	ArazzoValueWalk walk;
	JsonbValue	path;
	JsonbValue	value;

	index->capacity = 64;
	index->operations = MemoryContextAlloc(context, index->capacity * sizeof(IndexedOperation));
	walk_members(&walk, arazzo_value_member_cstring(document->content, "paths"));
	while (arazzo_value_next(&walk, &path, &value))
	{
		const ArazzoDocument *place = document;
		ArazzoFailure *failure = NULL;
		JsonbValue *item;

		CHECK_FOR_INTERRUPTS();
		item = arazzo_library_follow(library, &place, &value, &failure);
		if (arazzo_value_is_object(item))
			add_item(index, &path, item, context);
	}
	fill_buckets(index, context);
	MemoryContextSwitchTo(old);
	MemoryContextDelete(walking);
}

static void
add_item(OperationIndex *index, const JsonbValue *path, const JsonbValue *item, MemoryContext context)
{
	ArazzoValueWalk walk;
	JsonbValue	key;
	JsonbValue	value;

	walk_members(&walk, item);
	while (arazzo_value_next(&walk, &key, &value))
	{
		char	   *name;
		const char *method;
		const char *member;

		if (!arazzo_value_is_object(&value))
			continue;
		name = pnstrdup(key.val.string.val, key.val.string.len);
		if (arazzo_operation_method(name, &method, &member) && strcmp(name, member) == 0)
			add_operation(index, path, method, &value);
	}
	walk_members(&walk, arazzo_value_member_cstring(item, "additionalOperations"));
	while (arazzo_value_next(&walk, &key, &value))
	{
		char	   *method;

		if (!arazzo_value_is_object(&value))
			continue;
		method = MemoryContextAllocZero(context, key.val.string.len + 1);
		memcpy(method, key.val.string.val, key.val.string.len);
		add_operation(index, path, method, &value);
	}
}

static void
add_operation(OperationIndex *index, const JsonbValue *path, const char *method,
			  const JsonbValue *operation)
{
	const JsonbValue *id = arazzo_value_member_cstring(operation, "operationId");
	IndexedOperation *added;

	if (index->count == index->capacity)
	{
		index->capacity *= 2;
		index->operations = repalloc(index->operations, index->capacity * sizeof(IndexedOperation));
	}
	added = &index->operations[index->count++];
	memset(added, 0, sizeof(IndexedOperation));
	if (id && id->type == jbvString)
	{
		added->id = id->val.string.val;
		added->id_length = id->val.string.len;
	}
	added->path = path->val.string.val;
	added->path_length = path->val.string.len;
	added->method = method;
}

/* From the last to the first, so that each bucket keeps the order. */
static void
fill_buckets(OperationIndex *index, MemoryContext context)
{
	uint32		size = 16;
	int			i;

	while (size < (uint32) index->count)
		size *= 2;
	index->mask = size - 1;
	index->buckets = MemoryContextAlloc(context, size * sizeof(int));
	memset(index->buckets, -1, size * sizeof(int));
	for (i = index->count - 1; i >= 0; i--)
	{
		IndexedOperation *operation = &index->operations[i];
		int		   *bucket;

		if (operation->id == NULL)
			continue;
		bucket = &index->buckets[hash_id(operation->id, operation->id_length) & index->mask];
		operation->next = *bucket;
		*bucket = i;
	}
}

/* The same for ids that differ in the case of ASCII letters only. */
static uint32
hash_id(const char *id, int length)
{
	uint32		hash = length;
	int			i;

	for (i = 0; i < length; i++)
		hash = hash_combine(hash, pg_ascii_tolower((unsigned char) id[i]));
	return murmurhash32(hash);
}

static bool
same_but_case(const char *a, const char *b, int length)
{
	int			i;

	for (i = 0; i < length; i++)
	{
		if (pg_ascii_tolower((unsigned char) a[i]) != pg_ascii_tolower((unsigned char) b[i]))
			return false;
	}
	return true;
}
