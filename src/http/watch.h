/*-------------------------------------------------------------------------
 *
 * watch.h
 *	  Waits until sockets are ready.
 *
 * Setting is done from within library callbacks: nothing here throws.
 *
 *-------------------------------------------------------------------------
 */
#ifndef ARAZZO_HTTP_WATCH_H
#define ARAZZO_HTTP_WATCH_H

/* Whose a socket is: each acts on its own only. */
typedef enum WatchOwner
{
	WATCH_HTTP,
	WATCH_DATABASE
} WatchOwner;

/* A socket that is ready. */
typedef struct WatchEvent
{
	WatchOwner	owner;
	int			descriptor;
	bool		readable;		/* or at its end */
	bool		writable;
	bool		failed;
} WatchEvent;

/* What to watch a socket for; neither takes it away.  False when memory is
 * short. */
extern bool arazzo_watch_set(int descriptor, WatchOwner owner, bool readable, bool writable);

/* Watches no socket of an owner. */
extern void arazzo_watch_clear(WatchOwner owner);

/*
 * Waits until a socket is ready or a signal comes, at most the time given
 * (ms).  Returns how many are ready.
 */
extern int	arazzo_watch_wait(int timeout);

/* One of those that were ready at the last wait, whatever was set since. */
extern WatchEvent arazzo_watch_event(int index);

/* The time that waits are measured by (ms). */
extern int64 arazzo_watch_now(void);

#endif							/* ARAZZO_HTTP_WATCH_H */
