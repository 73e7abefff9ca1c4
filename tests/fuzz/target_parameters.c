/*-------------------------------------------------------------------------
 *
 * target_parameters.c
 *	  Fuzz target: what was encoded as parameters or a form is decoded again.
 *
 * The bytes decide the style and the value; see test_openapi_roundtrip.c.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "../module/test_roundtrip.h"
#include "fuzz.h"

void
fuzz_target_parameters(const char *data, size_t length)
{
	fuzz_require(test_roundtrip_bytes(data, length));
}
