/*-------------------------------------------------------------------------
 *
 * scalar.h
 *	  Plain scalars of YAML 1.2 (core schema) and exact numbers.
 *
 * Private to src/document.
 *
 *-------------------------------------------------------------------------
 */
#ifndef ARAZZO_DOCUMENT_SCALAR_H
#define ARAZZO_DOCUMENT_SCALAR_H

#include "utils/numeric.h"

typedef enum ArazzoScalarType
{
	SCALAR_STRING,
	SCALAR_NULL,
	SCALAR_TRUE,
	SCALAR_FALSE,
	SCALAR_INTEGER,				/* decimal */
	SCALAR_OCTAL,				/* 0o17 */
	SCALAR_HEXADECIMAL,			/* 0x1F */
	SCALAR_FLOAT,
	SCALAR_INFINITE,			/* .inf and the like */
	SCALAR_NAN
} ArazzoScalarType;

/* What a plain scalar stands for (YAML 1.2, 10.3.2). */
extern ArazzoScalarType arazzo_scalar_type(const char *text, size_t length);

/*
 * The number a text of type SCALAR_INTEGER, SCALAR_OCTAL, SCALAR_HEXADECIMAL
 * or SCALAR_FLOAT stands for, every digit kept, in the current memory
 * context; NULL when numeric cannot hold it.  Every JSON number is one of
 * these.
 */
extern Numeric arazzo_scalar_number(const char *text, size_t length, ArazzoScalarType type);

#endif							/* ARAZZO_DOCUMENT_SCALAR_H */
