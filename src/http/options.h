/*-------------------------------------------------------------------------
 *
 * options.h
 *	  Values of the options that servers and user mappings have.
 *
 * What the validator accepts, these functions read; they return false for
 * anything else and do not throw.
 *
 *-------------------------------------------------------------------------
 */
#ifndef ARAZZO_HTTP_OPTIONS_H
#define ARAZZO_HTTP_OPTIONS_H

#include "nodes/pg_list.h"

#include "http/connection.h"

/* The value of an option (List of DefElem), or NULL. */
extern const char *arazzo_option_value(const List *options, const char *name);

/* A time with PostgreSQL's units, 1 ms to 1 h; a bare number is in ms. */
extern bool arazzo_option_time(const char *value, int *milliseconds);

/* A time of at least 1 s with PostgreSQL's units; a bare number is in seconds. */
extern bool arazzo_option_duration(const char *value, int *seconds);

/* A status and what the body of such an answer has; text points into the value. */
extern bool arazzo_option_response(const char *value, int *status, const char **text);

/* A size with PostgreSQL's units, at least 1 byte; a bare number is in bytes. */
extern bool arazzo_option_bytes(const char *value, int *bytes);

/* A whole number that is not negative. */
extern bool arazzo_option_count(const char *value, int *count);

/* A number of events a second, more than 0. */
extern bool arazzo_option_rate(const char *value, double *rate);

/* "header NAME" or "body POINTER"; name points into the value. */
extern bool arazzo_option_key_place(const char *value, KeyPlace *place, const char **name);

/* "client_secret_basic" or "client_secret_post". */
extern bool arazzo_option_client_auth(const char *value, bool *post);

/*
 * Is this an option that the secret_file of a user mapping may have?  Then
 * *problem is what is wrong with the value, as words that follow "The value
 * ", or NULL.
 */
extern bool arazzo_option_in_secret_file(const char *name, const char *value, const char **problem);

#endif							/* ARAZZO_HTTP_OPTIONS_H */
