/*-------------------------------------------------------------------------
 *
 * test_world.h
 *	  What expressions see in tests, as a value.
 *
 * An environment is {"inputs": {}, "outputs": {}, "steps": {"a": {"outputs":
 * {}}}, "workflows": {"w": {"inputs": {}, "outputs": {}}}, "request":
 * {"header": {}, "query": {}, "path": {}, "body": ...}, "response": {...},
 * "message": {...}, "url": "", "method": "", "status": 0, "self": ""}.  A
 * member "declared", {"inputs": {"x": 1}, "steps": {"a": {"y": 1}}}, makes a
 * scope, and "symbolic": true explains.  What the scope accepts and what
 * evaluation warns of are reported as notices.
 *
 *-------------------------------------------------------------------------
 */
#ifndef ARAZZO_TEST_WORLD_H
#define ARAZZO_TEST_WORLD_H

#include "expression/expression.h"

typedef struct TestWorld
{
	JsonbValue *root;
	ExpressionScope scope;
	ExpressionEnvironment environment;
	int			parsed;			/* expressions, in the scope */
} TestWorld;

/* A world of an environment, which must stay. */
extern TestWorld *test_world_make(JsonbValue *environment);

/* What is declared; NULL when the environment says nothing about that. */
extern const ExpressionScope *test_world_scope(TestWorld *world);

/* Where an environment keeps the values of a root, as "request.header". */
extern const char *test_world_root(ExpressionRoot root);

#endif							/* ARAZZO_TEST_WORLD_H */
