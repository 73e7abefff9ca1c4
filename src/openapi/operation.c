/*-------------------------------------------------------------------------
 *
 * operation.c
 *	  Looking operations up: by id, by JSON Pointer, by path.
 *
 * A look-up by id is one walk over the paths of the description, in a memory
 * context of its own; nothing of the description is copied before the
 * operation is found.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/memutils.h"

#include "document/uri.h"
#include "openapi/media_type.h"
#include "openapi/resolve.h"
#include "openapi/serialize.h"

/* Path Item Object: members that are operations. */
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

/* One operation as a walk comes by it; valid until the next. */
typedef struct WalkedOperation
{
	const char *path;
	int			path_length;
	const char *method;			/* as it is sent */
	JsonbValue	operation;
} WalkedOperation;

/* Returns false to end the walk. */
typedef bool (*OperationVisitor) (const WalkedOperation *walked, void *owner);

typedef struct IdSearch
{
	const char *wanted;
	int			length;
	MemoryContext context;		/* for what is kept */
	List	   *exact;			/* of FoundOperation */
	List	   *similar;		/* likewise; differ in case only */
} IdSearch;

typedef struct FoundOperation
{
	char	   *id;
	char	   *path;
	char	   *method;
} FoundOperation;

typedef struct IdList
{
	MemoryContext context;
	List	   *ids;
} IdList;

static void walk_operations(ArazzoLibrary *library, const ArazzoDocument *document,
							OperationVisitor visit, void *owner);
static bool walk_item(WalkedOperation *walked, const JsonbValue *item,
					  OperationVisitor visit, void *owner);
static bool compare_id(const WalkedOperation *walked, void *owner);
static bool collect_id(const WalkedOperation *walked, void *owner);
static FoundOperation *found_operation(const WalkedOperation *walked, const JsonbValue *id);
static IdSearch search_id(ArazzoLibrary *library, const ArazzoDocument *document, const char *id);
static ArazzoFailure *no_such_id(ArazzoLibrary *library, const ArazzoDocument *document, const char *id);
static ArazzoFailure *several_of_id(const ArazzoDocument *document, const char *id, const List *found);
static OpenapiOperation *operation_at(ArazzoLibrary *library, const ArazzoDocument *document,
									  const char *path, const char *method, ArazzoFailure **failure);
static bool place_method(OperationPlace *place, const char *method, ArazzoFailure **failure);
static bool place_only_method(OperationPlace *place, ArazzoFailure **failure);
static bool collect_method(const WalkedOperation *walked, void *owner);
static char *matching_path(const ArazzoDocument *document, const char *path, ArazzoFailure **failure);
static ArazzoFailure *no_such_path(const ArazzoDocument *document, const char *path);
static bool same_template(const char *a, const char *b);
static List *path_names(const ArazzoDocument *document);

OpenapiOperation *
arazzo_operation_by_id(ArazzoLibrary *library, const ArazzoDocument *document,
					   const char *operation_id, const char **accepted, ArazzoFailure **failure)
{
	IdSearch	search = search_id(library, document, operation_id);
	List	   *found = search.exact != NIL ? search.exact : search.similar;
	FoundOperation *operation;

	if (accepted)
		*accepted = NULL;
	if (found == NIL)
	{
		*failure = no_such_id(library, document, operation_id);
		return NULL;
	}
	if (list_length(found) > 1)
	{
		*failure = several_of_id(document, operation_id, found);
		return NULL;
	}
	operation = linitial(found);
	if (accepted && search.exact == NIL)
		*accepted = operation->id;
	return operation_at(library, document, operation->path, operation->method, failure);
}

bool
arazzo_operation_exists(ArazzoLibrary *library, const ArazzoDocument *document, const char *operation_id)
{
	return search_id(library, document, operation_id).exact != NIL;
}

List *
arazzo_operation_ids(ArazzoLibrary *library, const ArazzoDocument *document)
{
	IdList		list = {CurrentMemoryContext, NIL};

	walk_operations(library, document, collect_id, &list);
	return list.ids;
}

/*
 * /paths/{path}/{method}, /paths/{path}/additionalOperations/{METHOD}
 * (OpenAPI 3.2), or /paths/{path}, if it has one operation.
 */
OpenapiOperation *
arazzo_operation_by_pointer(ArazzoLibrary *library, const ArazzoDocument *document,
							const char *pointer, ArazzoFailure **failure)
{
	char	  **tokens;
	int			count;

	if (!arazzo_pointer_parse(pointer, strlen(pointer), &tokens, &count) ||
		count < 2 || count > 4 || strcmp(tokens[0], "paths") != 0 ||
		(count == 4 && strcmp(tokens[2], "additionalOperations") != 0))
	{
		*failure = arazzo_failure_make(ERRCODE_ARAZZO_REFERENCE,
									   "\"%s\" does not point to an operation", pointer);
		arazzo_failure_hint(*failure, "Write it as /paths/~1users~1{id}/get.");
		return NULL;
	}
	return operation_at(library, document, tokens[1], count == 2 ? NULL : tokens[count - 1], failure);
}

OpenapiOperation *
arazzo_operation_by_path(ArazzoLibrary *library, const ArazzoDocument *document,
						 const char *method, const char *path, ArazzoFailure **failure)
{
	const JsonbValue *paths = arazzo_value_member_cstring(document->content, "paths");

	if (arazzo_value_member_cstring(paths, path) == NULL)
	{
		path = matching_path(document, path, failure);
		if (path == NULL)
			return NULL;
	}
	return operation_at(library, document, path, method, failure);
}

const OpenapiMediaType *
arazzo_operation_body(const OpenapiOperation *operation, const char *content_type)
{
	const OpenapiMediaType *best = NULL;
	int			best_fit = 0;
	ListCell   *cell;

	foreach(cell, operation->bodies)
	{
		const OpenapiMediaType *type = lfirst(cell);
		int			fit = 1;

		if (content_type)
			fit = arazzo_media_type_fit(type->content_type, content_type);
		else if (arazzo_media_type_is_json(type->content_type))
			fit = 3;
		else if (arazzo_media_type_is(type->content_type, "application/x-www-form-urlencoded"))
			fit = 2;
		if (fit > best_fit)
		{
			best = type;
			best_fit = fit;
		}
	}
	return best;
}

const OpenapiParameter *
arazzo_operation_parameter(const OpenapiOperation *operation, ParameterLocation in, const char *name)
{
	ListCell   *cell;

	foreach(cell, operation->parameters)
	{
		const OpenapiParameter *parameter = lfirst(cell);

		if (parameter->in != in)
			continue;
		if (strcmp(parameter->name, name) == 0 ||
			(in == IN_HEADER && pg_strcasecmp(parameter->name, name) == 0))
			return parameter;
	}
	return NULL;
}

/* Visits each operation of the description, in the order jsonb keeps. */
static void
walk_operations(ArazzoLibrary *library, const ArazzoDocument *document,
				OperationVisitor visit, void *owner)
{
	MemoryContext walking = AllocSetContextCreate(CurrentMemoryContext, "arazzo operation walk",
												  ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(walking);
	ArazzoValueWalk walk;
	JsonbValue	key;
	JsonbValue	value;

	arazzo_value_walk(&walk, arazzo_value_member_cstring(document->content, "paths"));
	while (arazzo_value_next(&walk, &key, &value))
	{
		const ArazzoDocument *place = document;
		ArazzoFailure *failure = NULL;
		WalkedOperation walked = {0};
		JsonbValue *item;

		CHECK_FOR_INTERRUPTS();

		/* an item that leads nowhere is the trouble of those who need it */
		item = arazzo_library_follow(library, &place, &value, &failure);
		if (!arazzo_value_is_object(item))
			continue;
		walked.path = key.val.string.val;
		walked.path_length = key.val.string.len;
		if (!walk_item(&walked, item, visit, owner))
			break;
	}
	MemoryContextSwitchTo(old);
	MemoryContextDelete(walking);
}

/* The operations of one path item; false when the visitor has enough. */
static bool
walk_item(WalkedOperation *walked, const JsonbValue *item, OperationVisitor visit, void *owner)
{
	const JsonbValue *more = arazzo_value_member_cstring(item, "additionalOperations");
	ArazzoValueWalk walk;
	JsonbValue	key;
	size_t		i;

	for (i = 0; i < lengthof(methods); i++)
	{
		JsonbValue *operation = arazzo_value_member_cstring(item, methods[i].member);

		if (!arazzo_value_is_object(operation))
			continue;
		walked->method = methods[i].method;
		walked->operation = *operation;
		if (!visit(walked, owner))
			return false;
	}
	if (!arazzo_value_is_object(more))
		return true;
	arazzo_value_walk(&walk, more);
	while (arazzo_value_next(&walk, &key, &walked->operation))
	{
		walked->method = pnstrdup(key.val.string.val, key.val.string.len);
		if (arazzo_value_is_object(&walked->operation) && !visit(walked, owner))
			return false;
	}
	return true;
}

static IdSearch
search_id(ArazzoLibrary *library, const ArazzoDocument *document, const char *id)
{
	IdSearch	search = {id, strlen(id), CurrentMemoryContext, NIL, NIL};

	walk_operations(library, document, compare_id, &search);
	return search;
}

/* Goes on after a match: an id that two operations have means neither. */
static bool
compare_id(const WalkedOperation *walked, void *owner)
{
	IdSearch   *search = owner;
	const JsonbValue *id = arazzo_value_member_cstring(&walked->operation, "operationId");
	MemoryContext old;

	if (id == NULL || id->type != jbvString || id->val.string.len != search->length ||
		pg_strncasecmp(id->val.string.val, search->wanted, search->length) != 0)
		return true;
	old = MemoryContextSwitchTo(search->context);
	if (memcmp(id->val.string.val, search->wanted, search->length) == 0)
		search->exact = lappend(search->exact, found_operation(walked, id));
	else
		search->similar = lappend(search->similar, found_operation(walked, id));
	MemoryContextSwitchTo(old);
	return true;
}

static FoundOperation *
found_operation(const WalkedOperation *walked, const JsonbValue *id)
{
	FoundOperation *found = palloc(sizeof(FoundOperation));

	found->id = pnstrdup(id->val.string.val, id->val.string.len);
	found->path = pnstrdup(walked->path, walked->path_length);
	found->method = pstrdup(walked->method);
	return found;
}

static bool
collect_id(const WalkedOperation *walked, void *owner)
{
	IdList	   *list = owner;
	const JsonbValue *id = arazzo_value_member_cstring(&walked->operation, "operationId");
	MemoryContext old = MemoryContextSwitchTo(list->context);

	if (id && id->type == jbvString)
		list->ids = lappend(list->ids, pnstrdup(id->val.string.val, id->val.string.len));
	MemoryContextSwitchTo(old);
	return true;
}

static ArazzoFailure *
no_such_id(ArazzoLibrary *library, const ArazzoDocument *document, const char *id)
{
	ArazzoFailure *failure;
	char	   *nearest = arazzo_operation_nearest(id, arazzo_operation_ids(library, document));

	failure = arazzo_failure_make(ERRCODE_ARAZZO_REFERENCE, "operation \"%s\" does not exist", id);
	arazzo_failure_detail(failure, "Description \"%s\" has no operation of this id.", document->uri);
	if (nearest)
		arazzo_failure_hint(failure, "Nearest ids: %s.", nearest);
	return failure;
}

static ArazzoFailure *
several_of_id(const ArazzoDocument *document, const char *id, const List *found)
{
	ArazzoFailure *failure;
	StringInfoData places;
	ListCell   *cell;

	initStringInfo(&places);
	foreach(cell, found)
	{
		const FoundOperation *operation = lfirst(cell);

		appendStringInfo(&places, "%s\"%s\" (%s %s)", places.len > 0 ? ", " : "",
						 operation->id, operation->method, operation->path);
	}
	failure = arazzo_failure_make(ERRCODE_ARAZZO_REFERENCE, "operation \"%s\" is not unique", id);
	arazzo_failure_detail(failure, "Description \"%s\" has %s.", document->uri, places.data);
	arazzo_failure_hint(failure, "Name the operation by its operationPath.");
	return failure;
}

/* The operation of a method (NULL: the only one) at a path as it is written. */
static OpenapiOperation *
operation_at(ArazzoLibrary *library, const ArazzoDocument *document,
			 const char *path, const char *method, ArazzoFailure **failure)
{
	OperationPlace place = {.library = library,.description = document,.document = document,.path = path};
	JsonbValue *item;

	item = arazzo_value_member_cstring(arazzo_value_member_cstring(document->content, "paths"), path);
	if (item == NULL)
	{
		*failure = no_such_path(document, path);
		return NULL;
	}
	place.item = arazzo_library_follow(library, &place.document, item, failure);
	if (place.item == NULL || !place_method(&place, method, failure))
		return NULL;
	return arazzo_resolve_operation(&place, failure);
}

/* Finds the method in the path item; sets the place's operation. */
static bool
place_method(OperationPlace *place, const char *method, ArazzoFailure **failure)
{
	const JsonbValue *more;
	size_t		i;

	if (method == NULL)
		return place_only_method(place, failure);
	for (i = 0; i < lengthof(methods); i++)
	{
		if (pg_strcasecmp(methods[i].member, method) != 0)
			continue;
		place->method = methods[i].method;
		place->operation = arazzo_value_member_cstring(place->item, methods[i].member);
	}
	more = arazzo_value_member_cstring(place->item, "additionalOperations");
	if (place->operation == NULL && arazzo_value_is_object(more))
	{
		place->method = method;
		place->operation = arazzo_value_member_cstring(more, method);
	}
	if (arazzo_value_is_object(place->operation))
		return true;
	*failure = arazzo_failure_make(ERRCODE_ARAZZO_REFERENCE,
								   "path \"%s\" has no operation \"%s\"", place->path, method);
	arazzo_failure_detail(*failure, "Description \"%s\" does not describe this method.",
						  place->description->uri);
	return false;
}

static bool
place_only_method(OperationPlace *place, ArazzoFailure **failure)
{
	WalkedOperation walked = {.path = place->path};
	List	   *found = NIL;

	(void) walk_item(&walked, place->item, collect_method, &found);
	if (list_length(found) == 1)
		return place_method(place, linitial(found), failure);
	*failure = arazzo_failure_make(ERRCODE_ARAZZO_REFERENCE,
								   "path \"%s\" has %d operations", place->path, list_length(found));
	arazzo_failure_detail(*failure, "Without a method, the path must have exactly one.");
	return false;
}

static bool
collect_method(const WalkedOperation *walked, void *owner)
{
	List	  **found = owner;

	*found = lappend(*found, unconstify(char *, walked->method));
	return true;
}

/* The only path that is the same but for the names of its variables. */
static char *
matching_path(const ArazzoDocument *document, const char *path, ArazzoFailure **failure)
{
	List	   *names = path_names(document);
	char	   *found = NULL;
	ListCell   *cell;

	foreach(cell, names)
	{
		CHECK_FOR_INTERRUPTS();
		if (!same_template(path, lfirst(cell)))
			continue;
		if (found)
		{
			*failure = arazzo_failure_make(ERRCODE_ARAZZO_REFERENCE, "path \"%s\" is not unique", path);
			arazzo_failure_detail(*failure, "Description \"%s\" has \"%s\" and \"%s\".",
								  document->uri, found, (char *) lfirst(cell));
			return NULL;
		}
		found = lfirst(cell);
	}
	if (found == NULL)
		*failure = no_such_path(document, path);
	return found;
}

static ArazzoFailure *
no_such_path(const ArazzoDocument *document, const char *path)
{
	ArazzoFailure *failure;
	char	   *nearest = arazzo_operation_nearest(path, path_names(document));

	failure = arazzo_failure_make(ERRCODE_ARAZZO_REFERENCE, "path \"%s\" does not exist", path);
	arazzo_failure_detail(failure, "Description \"%s\" has no such path.", document->uri);
	if (nearest)
		arazzo_failure_hint(failure, "Nearest paths: %s.", nearest);
	return failure;
}

/* Equal, names in braces aside. */
static bool
same_template(const char *a, const char *b)
{
	while (*a && *b)
	{
		if (*a != *b)
			return false;
		if (*a == '{')
		{
			a += strcspn(a, "}");
			b += strcspn(b, "}");
			continue;
		}
		a++;
		b++;
	}
	return *a == *b;
}

static List *
path_names(const ArazzoDocument *document)
{
	List	   *names = NIL;
	ArazzoValueWalk walk;
	JsonbValue	key;
	JsonbValue	value;

	arazzo_value_walk(&walk, arazzo_value_member_cstring(document->content, "paths"));
	while (arazzo_value_next(&walk, &key, &value))
		names = lappend(names, pnstrdup(key.val.string.val, key.val.string.len));
	return names;
}
