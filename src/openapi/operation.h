/*-------------------------------------------------------------------------
 *
 * operation.h
 *	  One OpenAPI operation, resolved from a description (2.0, 3.0, 3.1,
 *	  3.2): everything a call needs, all references followed.
 *
 *-------------------------------------------------------------------------
 */
#ifndef ARAZZO_OPENAPI_OPERATION_H
#define ARAZZO_OPENAPI_OPERATION_H

#include "nodes/pg_list.h"

#include "document/library.h"
#include "support/errors.h"
#include "support/value.h"

typedef enum ParameterLocation
{
	IN_PATH,
	IN_QUERY,
	IN_QUERYSTRING,				/* OpenAPI 3.2: the whole query */
	IN_HEADER,
	IN_COOKIE
} ParameterLocation;

typedef enum ParameterStyle
{
	STYLE_SIMPLE,
	STYLE_LABEL,
	STYLE_MATRIX,
	STYLE_FORM,
	STYLE_SPACE_DELIMITED,
	STYLE_PIPE_DELIMITED,
	STYLE_DEEP_OBJECT,
	STYLE_COOKIE,				/* OpenAPI 3.2 */
	STYLE_TAB_DELIMITED			/* OpenAPI 2.0, collectionFormat tsv */
} ParameterStyle;

typedef struct OpenapiMediaType OpenapiMediaType;

typedef struct OpenapiParameter
{
	const char *name;
	ParameterLocation in;
	bool		required;
	ParameterStyle style;		/* default of the location filled in */
	bool		explode;		/* likewise */
	bool		allow_reserved;
	const char *content_type;	/* set for a "content" parameter */
	JsonbValue *schema;			/* may be NULL */
	OpenapiMediaType *content;	/* "content" of a querystring, or NULL */
} OpenapiParameter;

/* How a member of a form or multipart body is encoded (Encoding Object). */
typedef struct OpenapiEncoding
{
	const char *name;
	const char *content_type;	/* NULL: by the value's type */
	bool		has_style;		/* style, explode or allowReserved is given */
	ParameterStyle style;
	bool		explode;
	bool		allow_reserved;
	JsonbValue *headers;		/* Header Objects, or NULL */
} OpenapiEncoding;

/* What a schema says about bytes that JSON cannot hold. */
typedef enum OpenapiBinary
{
	BINARY_NONE,				/* text */
	BINARY_RAW,					/* format binary, type file */
	BINARY_BASE64,				/* format byte, contentEncoding base64 */
	BINARY_BASE64URL,			/* contentEncoding base64url */
	BINARY_UNTYPED				/* a schema that says nothing */
} OpenapiBinary;

/* A property of a body whose schema is not just text. */
typedef struct OpenapiMember
{
	const char *name;
	OpenapiBinary binary;		/* of the value, or of an array's items */
} OpenapiMember;

struct OpenapiMediaType
{
	const char *content_type;
	JsonbValue *schema;			/* may be NULL */
	List	   *encodings;		/* of OpenapiEncoding */
	OpenapiBinary binary;		/* of the body as a whole */
	List	   *members;		/* of OpenapiMember, forms and multipart only */
};

typedef enum SecuritySchemeKind
{
	SECURITY_API_KEY,
	SECURITY_BASIC,
	SECURITY_BEARER,
	SECURITY_DIGEST,
	SECURITY_OAUTH2,
	SECURITY_OPENID_CONNECT,
	SECURITY_MUTUAL_TLS,
	SECURITY_UNDEFINED			/* named by the description, defined nowhere */
} SecuritySchemeKind;

typedef struct OpenapiSecurityScheme
{
	const char *name;			/* of the scheme */
	SecuritySchemeKind kind;
	ParameterLocation in;		/* apiKey */
	const char *parameter;		/* apiKey: header, query or cookie name */
	const char *token_url;		/* oauth2, client credentials flow, else NULL */
	const char *password_url;	/* oauth2, token URL of the password flow */
	const char *openid_url;		/* openIdConnect; like the others absolute */
	List	   *scopes;			/* of char *: what the requirement asks for */
} OpenapiSecurityScheme;

/* One alternative: all of its schemes together; none is "no security". */
typedef struct OpenapiSecurity
{
	List	   *schemes;		/* of OpenapiSecurityScheme */
} OpenapiSecurity;

typedef struct OpenapiOperation
{
	const char *document_uri;
	const char *operation_id;	/* or NULL */
	const char *method;			/* upper case */
	const char *path;			/* template, "/customers/{customerId}" */
	const char *server_url;		/* absolute or, without a usable server, "";
								 * variables filled in, no trailing slash */
	List	   *parameters;		/* of OpenapiParameter */
	bool		body_required;
	List	   *bodies;			/* of OpenapiMediaType, in document order as far
								 * as jsonb keeps it */
	List	   *security;		/* of OpenapiSecurity; NIL: nothing is said */
	JsonbValue *responses;		/* Responses Object, references not followed */
} OpenapiOperation;

/*
 * The operation with an id.  Exact match first, then a match that differs
 * only in case if it is the only one (*accepted, may be NULL, is then set to
 * the id as the description has it).  NULL and *failure (WF002) when there
 * is none, with the nearest ids in the hint.
 */
extern OpenapiOperation *arazzo_operation_by_id(ArazzoLibrary *library, const ArazzoDocument *document,
												const char *operation_id, const char **accepted,
												ArazzoFailure **failure);

/* Whether the description has an operation of exactly this id. */
extern bool arazzo_operation_exists(ArazzoLibrary *library, const ArazzoDocument *document,
									const char *operation_id);

/*
 * The operation at a JSON Pointer ("/paths/~1users~1{id}/get").  A pointer
 * to a path item without a method is accepted when it has one operation.
 */
extern OpenapiOperation *arazzo_operation_by_pointer(ArazzoLibrary *library, const ArazzoDocument *document,
													 const char *pointer, ArazzoFailure **failure);

/* The operation of a method (NULL: the only one) at a path template. */
extern OpenapiOperation *arazzo_operation_by_path(ArazzoLibrary *library, const ArazzoDocument *document,
												  const char *method, const char *path,
												  ArazzoFailure **failure);

/* Ids of all operations, for messages and checks. */
extern List *arazzo_operation_ids(ArazzoLibrary *library, const ArazzoDocument *document);

/*
 * The body description for a content type ("application/json; charset=utf-8"
 * matches "application/json", then a range); with NULL the one to prefer:
 * JSON, then form, then the first.  NULL when there is none.
 */
extern const OpenapiMediaType *arazzo_operation_body(const OpenapiOperation *operation, const char *content_type);

/* A declared parameter; header names compare without case. */
extern const OpenapiParameter *arazzo_operation_parameter(const OpenapiOperation *operation,
														  ParameterLocation in, const char *name);

/* The nearest names of a list to a misspelt one, ", "-joined and quoted, or
 * NULL when none is near. */
extern char *arazzo_operation_nearest(const char *name, List *names);

#endif							/* ARAZZO_OPENAPI_OPERATION_H */
