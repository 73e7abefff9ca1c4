/*-------------------------------------------------------------------------
 *
 * operation.c
 *	  Looking operations up: by id, by JSON Pointer, by path.
 *
 * Nothing of a description is copied before the operation is found.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"

#include "document/uri.h"
#include "openapi/media_type.h"
#include "openapi/members.h"
#include "openapi/operation_index.h"
#include "openapi/resolve.h"
#include "openapi/serialize.h"

static ArazzoFailure *no_such_id(ArazzoLibrary *library, const ArazzoDocument *document, const char *id);
static ArazzoFailure *several_of_id(const ArazzoDocument *document, const char *id, const List *found);
static OpenapiOperation *operation_at(ArazzoLibrary *library, const ArazzoDocument *document,
									  const char *path, const char *method, ArazzoFailure **failure);
static bool place_method(OperationPlace *place, const char *method, ArazzoFailure **failure);
static char *matching_path(const ArazzoDocument *document, const char *path, ArazzoFailure **failure);
static ArazzoFailure *no_such_path(const ArazzoDocument *document, const char *path);
static bool same_template(const char *a, const char *b);
static List *path_names(const ArazzoDocument *document);

OpenapiOperation *
arazzo_operation_by_id(ArazzoLibrary *library, const ArazzoDocument *document,
					   const char *operation_id, const char **accepted, ArazzoFailure **failure)
{
	bool		exact;
	List	   *found = arazzo_operation_index_find(arazzo_operation_index(library, document),
													operation_id, &exact);
	IndexedOperation *operation;

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
	if (accepted && !exact)
		*accepted = pnstrdup(operation->id, operation->id_length);
	return operation_at(library, document, pnstrdup(operation->path, operation->path_length),
						operation->method, failure);
}

bool
arazzo_operation_exists(ArazzoLibrary *library, const ArazzoDocument *document, const char *operation_id)
{
	bool		exact;

	(void) arazzo_operation_index_find(arazzo_operation_index(library, document), operation_id, &exact);
	return exact;
}

List *
arazzo_operation_ids(ArazzoLibrary *library, const ArazzoDocument *document)
{
	const OperationIndex *index = arazzo_operation_index(library, document);
	List	   *ids = NIL;
	int			i;

	for (i = 0; i < index->count; i++)
	{
		if (index->operations[i].id)
			ids = lappend(ids, pnstrdup(index->operations[i].id, index->operations[i].id_length));
	}
	return ids;
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

		if (content_type && arazzo_media_type_is_range(content_type))
			fit = Max(arazzo_media_type_fit(type->content_type, content_type),
					  arazzo_media_type_fit(content_type, type->content_type));
		else if (content_type)
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

/* There is one querystring, whose name is not used (OpenAPI 3.2.0, name). */
const OpenapiParameter *
arazzo_operation_parameter(const OpenapiOperation *operation, ParameterLocation in, const char *name)
{
	ListCell   *cell;

	foreach(cell, operation->parameters)
	{
		const OpenapiParameter *parameter = lfirst(cell);

		if (parameter->in != in)
			continue;
		if (in == IN_QUERYSTRING || strcmp(parameter->name, name) == 0 ||
			(in == IN_HEADER && pg_strcasecmp(parameter->name, name) == 0))
			return parameter;
	}
	return NULL;
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
		const IndexedOperation *operation = lfirst(cell);

		appendStringInfo(&places, "%s\"%.*s\" (%s %.*s)", places.len > 0 ? ", " : "",
						 operation->id_length, operation->id, operation->method,
						 operation->path_length, operation->path);
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
	List	   *all = arazzo_operation_methods(place->item);
	const char *member;

	if (method == NULL && list_length(all) == 1)
		method = linitial(all);
	if (method == NULL)
	{
		*failure = arazzo_failure_make(ERRCODE_ARAZZO_REFERENCE,
									   "path \"%s\" has %d operations", place->path, list_length(all));
		arazzo_failure_detail(*failure, "Without a method, the path must have exactly one.");
		return false;
	}
	if (arazzo_operation_method(method, &place->method, &member))
		place->operation = arazzo_value_member_cstring(place->item, member);
	else
	{
		place->method = method;
		place->operation = arazzo_value_member_cstring(
			arazzo_value_member_cstring(place->item, "additionalOperations"), method);
	}
	if (arazzo_value_is_object(place->operation))
		return true;
	*failure = arazzo_failure_make(ERRCODE_ARAZZO_REFERENCE,
								   "path \"%s\" has no operation \"%s\"", place->path, method);
	arazzo_failure_detail(*failure, "Description \"%s\" does not describe this method.",
						  place->description->uri);
	return false;
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

	walk_members(&walk, arazzo_value_member_cstring(document->content, "paths"));
	while (arazzo_value_next(&walk, &key, &value))
		names = lappend(names, pnstrdup(key.val.string.val, key.val.string.len));
	return names;
}
