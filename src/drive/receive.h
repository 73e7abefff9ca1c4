/*-------------------------------------------------------------------------
 *
 * receive.h
 *	  Messages that a run waits for: LISTEN.
 *
 * Before each request of a run, all channels are listened to whose messages
 * a step of it may have to receive, so that none is missed that the request
 * leads to.
 *
 *-------------------------------------------------------------------------
 */
#ifndef ARAZZO_DRIVE_RECEIVE_H
#define ARAZZO_DRIVE_RECEIVE_H

#include "http/connection.h"
#include "http/listener.h"
#include "run/machine.h"

typedef struct DriveReceiver DriveReceiver;

typedef enum ReceiverState
{
	RECEIVER_READY,
	RECEIVER_STARTING,			/* ask again when the receiver notifies */
	RECEIVER_REFUSED
} ReceiverState;

/* As in LoopHooks. */
typedef const ArazzoConnection *(*ReceiverConnect) (void *owner, const char *url, Oid role,
													ArazzoFailure **failure);

/*
 * Of a run, in the current memory context; NULL when no step of it listens.
 * Notify is called when there is something new, and must neither throw nor
 * free the receiver.
 */
extern DriveReceiver *arazzo_receiver_create(ArazzoRun *run, ListenerNotify notify, void *argument);

/*
 * The connection of a role over which a step listens; NULL and *failure when
 * there is none, or it has no password.
 */
extern const ArazzoConnection *arazzo_receiver_connection(const PlanStep *step, Oid role, ArazzoFailure **failure);

/*
 * Before what is next is done: whether all that the run may have to receive
 * is listened to.  Connections come from connect, those of a role; NULL
 * takes arazzo_connection_find.  When it is refused, *failure says why.  A
 * receiver that is NULL is ready.
 */
extern ReceiverState arazzo_receiver_listen(DriveReceiver *receiver, const RunNext *next,
											ReceiverConnect connect, void *owner, Oid role,
											ArazzoFailure **failure);

/*
 * RUN_RECEIVE: hands in the messages that have come until the run takes one,
 * and returns that, in the current memory context; NULL when there is none.
 */
extern const ArazzoResponse *arazzo_receiver_take(DriveReceiver *receiver, ArazzoRun *run, const RunNext *next);

/* Ends it; may be NULL. */
extern void arazzo_receiver_free(DriveReceiver *receiver);

#endif							/* ARAZZO_DRIVE_RECEIVE_H */
