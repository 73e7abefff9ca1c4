/*-------------------------------------------------------------------------
 *
 * resolve.h
 *	  From a place in a description to an operation.  Private to the room.
 *
 *-------------------------------------------------------------------------
 */
#ifndef ARAZZO_OPENAPI_RESOLVE_H
#define ARAZZO_OPENAPI_RESOLVE_H

#include "openapi/operation.h"

/*
 * Where an operation stands.  A path item may be a reference into another
 * document: its own references start there, while names of components and
 * servers are those of the description that has the path.
 */
typedef struct OperationPlace
{
	ArazzoLibrary *library;
	const ArazzoDocument *description;	/* has the path */
	const ArazzoDocument *document; /* has the path item and the operation */
	const char *path;
	const char *method;			/* upper case */
	JsonbValue *item;
	JsonbValue *operation;
} OperationPlace;

/* The operation in the current context, independent of the library; NULL and
 * *failure (WF002) when a reference in it leads nowhere. */
extern OpenapiOperation *arazzo_resolve_operation(const OperationPlace *place, ArazzoFailure **failure);

/* Swagger 2.0 rather than OpenAPI 3. */
extern bool arazzo_resolve_is_swagger(const ArazzoDocument *document);

/* What a visitor of parameters is called with, references followed. */
typedef bool (*ParameterVisitor) (const OperationPlace *place, const ArazzoDocument *document,
								  JsonbValue *parameter, void *owner, ArazzoFailure **failure);

/*
 * Visits the parameters of the operation, then those of its path item that
 * it does not override (same name and in).  False when the visitor returns
 * false or a reference leads nowhere.
 */
extern bool arazzo_resolve_parameters(const OperationPlace *place, ParameterVisitor visit,
									  void *owner, ArazzoFailure **failure);

/* The media types of a "content" map (List of OpenapiMediaType). */
extern bool arazzo_resolve_content(ArazzoLibrary *library, const ArazzoDocument *document,
								   const JsonbValue *content, List **types, ArazzoFailure **failure);

/* Parameters, body and responses of a 2.0 operation, as 3.x has them. */
extern bool arazzo_swagger_fill(const OperationPlace *place, OpenapiOperation *operation,
								ArazzoFailure **failure);

/* The server of the operation; "" when there is none to be had. */
extern char *arazzo_server_url(const OperationPlace *place);

/* The security alternatives of the operation. */
extern List *arazzo_security_list(const OperationPlace *place, const char *server_url);

/* What a schema says about bytes; properties of an object's likewise. */
extern OpenapiBinary arazzo_binary_of_schema(ArazzoLibrary *library, const ArazzoDocument *document,
											 JsonbValue *schema);
extern List *arazzo_binary_members(ArazzoLibrary *library, const ArazzoDocument *document,
								   JsonbValue *schema);

#endif							/* ARAZZO_OPENAPI_RESOLVE_H */
