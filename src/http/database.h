/*-------------------------------------------------------------------------
 *
 * database.h
 *	  A connection to a database that does nothing but listen.
 *
 * It is opened, and spoken to, without ever waiting: whoever waits does so
 * with the sockets of all transfers (watch.h).  database.c is the only file
 * that sees libpq.
 *
 *-------------------------------------------------------------------------
 */
#ifndef ARAZZO_HTTP_DATABASE_H
#define ARAZZO_HTTP_DATABASE_H

#include "http/connection.h"

typedef struct HttpDatabase HttpDatabase;

typedef enum DatabaseState
{
	DATABASE_OPENING,
	DATABASE_READY,				/* takes a statement */
	DATABASE_BUSY,				/* with one */
	DATABASE_LOST				/* for good */
} DatabaseState;

/*
 * Begins to open a connection to where a URL of a description leads, in a
 * memory context of its own below TopMemoryContext; database is the one to
 * take when the URL names none.  The connection's options are copied.
 * Throws when memory is short.
 */
extern HttpDatabase *arazzo_database_open(const ArazzoConnection *connection, const char *url,
										  const char *database);

/* Was it opened with the same address, database and credentials? */
extern bool arazzo_database_is(const HttpDatabase *self, const ArazzoConnection *connection,
							   const char *url, const char *database);

/* Goes on as far as possible without waiting. */
extern DatabaseState arazzo_database_drive(HttpDatabase *self);

/* Sends "LISTEN channel", or "UNLISTEN channel", when it is ready. */
extern void arazzo_database_listen(HttpDatabase *self, const char *channel, bool listen);

/*
 * Calls the function for every notification that has come.  It must not
 * throw.
 */
typedef void (*DatabaseNotify) (void *argument, const char *channel, const char *text);
extern void arazzo_database_notifications(HttpDatabase *self, DatabaseNotify notify, void *argument);

/* Why it was lost; lives as long as it does. */
extern const ArazzoFailure *arazzo_database_failure(const HttpDatabase *self);

/* Ends it, whatever its state.  Does not throw. */
extern void arazzo_database_close(HttpDatabase *self);

#endif							/* ARAZZO_HTTP_DATABASE_H */
