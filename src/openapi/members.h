/*-------------------------------------------------------------------------
 *
 * members.h
 *	  Walking what should be an object.  Private to the room.
 *
 *-------------------------------------------------------------------------
 */
#ifndef ARAZZO_OPENAPI_MEMBERS_H
#define ARAZZO_OPENAPI_MEMBERS_H

#include "support/value.h"

/*
 * Begins a walk over the members of an object.  What a description has
 * instead of one, such as an array, has no members.
 */
static inline void
walk_members(ArazzoValueWalk *walk, const JsonbValue *value)
{
	arazzo_value_walk(walk, arazzo_value_is_object(value) ? value : NULL);
}

#endif							/* ARAZZO_OPENAPI_MEMBERS_H */
