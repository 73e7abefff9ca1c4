/*-------------------------------------------------------------------------
 *
 * listener.h
 *	  Messages of a database's channels, LISTEN and NOTIFY.
 *
 * One connection serves all that listen to a database as the same role; it
 * is closed when nobody does any more, since a session that listens and is
 * not read from holds up the queue of its server.  Messages are taken in by
 * arazzo_http_poll.
 *
 *-------------------------------------------------------------------------
 */
#ifndef ARAZZO_HTTP_LISTENER_H
#define ARAZZO_HTTP_LISTENER_H

#include "http/connection.h"

typedef struct ChannelListener ChannelListener;

typedef enum ListenerState
{
	LISTENER_STARTING,			/* messages may still be missed */
	LISTENER_READY,
	LISTENER_LOST				/* messages may have been missed */
} ListenerState;

/* Called when there is something new: must neither throw nor end a listener. */
typedef void (*ListenerNotify) (void *argument);

/*
 * Begins to listen to a channel over a connection, which must have a user
 * and a password, at a URL of a description; database is the one to take
 * when the URL names none.  The listener belongs to the memory context
 * current at the call: resetting or deleting that ends it.
 */
extern ChannelListener *arazzo_listener_start(const ArazzoConnection *connection, const char *url,
											  const char *database, const char *channel,
											  ListenerNotify notify, void *argument);

extern ListenerState arazzo_listener_state(const ChannelListener *listener);

/* Why it is lost; lives as long as it does. */
extern const ArazzoFailure *arazzo_listener_failure(const ChannelListener *listener);

/*
 * The text of the first message behind a number (0: of all), and sets that
 * to its own; NULL when there is none.  It stays until it is taken, which
 * frees it.
 */
extern const char *arazzo_listener_message(const ChannelListener *listener, uint64 *number);
extern void arazzo_listener_take(ChannelListener *listener, uint64 number);

/* Lets all go on without waiting; true when a listener was told something. */
extern bool arazzo_listeners_drive(void);

/* How many there are. */
extern int	arazzo_listener_count(void);

#endif							/* ARAZZO_HTTP_LISTENER_H */
