/*-------------------------------------------------------------------------
 *
 * turn.h
 *	  When a token may be asked for: within the limits of the server that
 *	  gives it.
 *
 * Requests for tokens count towards max_rate of their server, together with
 * the calls to it, and towards its max_concurrency.  Nothing here waits: who
 * does asks for the moment to go on at.
 *
 *-------------------------------------------------------------------------
 */
#ifndef ARAZZO_DRIVE_TURN_H
#define ARAZZO_DRIVE_TURN_H

#include "lib/ilist.h"

#include "drive/limit.h"

/* May throw. */
typedef void (*TurnGo) (void *argument);

/* A request's turn; zeroed at first. */
typedef struct TokenTurn
{
	dlist_node	node;			/* while it waits */
	ServerLimit *place;	/* NULL: neither waiting nor there */
	bool		waits;
	TurnGo		go;
	void	   *argument;
} TokenTurn;

/*
 * Calls the function as soon as the connection's server takes a request, at
 * once or from arazzo_turns_drive().  A request that is part of a call to the
 * same server has the place that the call took there.
 */
extern void arazzo_turn_take(TokenTurn *turn, const ArazzoConnection *connection, bool part_of_call,
							 TurnGo go, void *argument);

/* The request is over, or is not wanted any more.  Does not throw. */
extern void arazzo_turn_end(TokenTurn *turn);

/* Lets those go on whose turn it is. */
extern void arazzo_turns_drive(void);

/* When that may be, unless a request is over before; DT_NOEND when nothing waits for that moment. */
extern TimestampTz arazzo_turns_moment(void);

#endif							/* ARAZZO_DRIVE_TURN_H */
