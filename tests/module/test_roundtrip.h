/*-------------------------------------------------------------------------
 *
 * test_roundtrip.h
 *	  What was encoded is decoded again.
 *
 *-------------------------------------------------------------------------
 */
#ifndef ARAZZO_TEST_ROUNDTRIP_H
#define ARAZZO_TEST_ROUNDTRIP_H

/*
 * One trip of a kind and with a value that the bytes decide, one byte a
 * decision; false when the value was not the same afterwards.
 */
extern bool test_roundtrip_bytes(const char *data, size_t length);

#endif							/* ARAZZO_TEST_ROUNDTRIP_H */
