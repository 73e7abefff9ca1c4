/*
 * mock_openapi.h
 *	  Answers made from OpenAPI descriptions (2.0, 3.0, 3.1, 3.2, as JSON).
 *
 * The operation whose path template matches with the most literal characters,
 * below the base that was posted with the document, answers with its lowest
 * 2xx response (else 2XX, default, or the first one): with an example of the
 * media type or its schema, else the smallest value that the schema allows, or
 * when the document was posted with "full": true one with every property, down
 * to a depth.  References are followed within the document.  A pattern is not
 * obeyed.
 */
#ifndef MOCK_OPENAPI_H
#define MOCK_OPENAPI_H

#include "sandbox.h"

/* Take {"document": …, "base": "/v1", "full": true} in; false when it has no paths. */
extern bool mock_openapi_add(json_t *posted);

extern void mock_openapi_clear(void);

/* Answer the request; false when no document knows it. */
extern bool mock_openapi_answer(const Request *req, Answer *ans);

/* mock_schema.c: the object that a reference ends at, or NULL. */
extern json_t *mock_resolve(json_t *document, json_t *value);

/*
 * A value that the schema allows, with every property when full and only the
 * required ones otherwise; a new reference.
 */
extern json_t *mock_instance(json_t *document, json_t *schema, bool full);

#endif							/* MOCK_OPENAPI_H */
