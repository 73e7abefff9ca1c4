/*-------------------------------------------------------------------------
 *
 * watch.c
 *	  Waits until sockets are ready.
 *
 * The set of sockets is kept from one wait to the next, and only those that
 * are ready come back, so that requests which wait for their answer cost
 * next to nothing while others go on.  Memory comes from malloc, and nothing
 * throws.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <poll.h>

#include "portability/instr_time.h"

#include "http/watch.h"

static struct pollfd *entries = NULL;
static WatchOwner *owners = NULL;	/* of the entries */
static WatchEvent *events = NULL;
static int	entry_count = 0;
static int	capacity = 0;

static int	find_entry(int descriptor);
static void remove_entry(int index);
static bool make_room(void);

bool
arazzo_watch_set(int descriptor, WatchOwner owner, bool readable, bool writable)
{
	int			index = find_entry(descriptor);

	if (!readable && !writable)
	{
		if (index < entry_count)
			remove_entry(index);
		return true;
	}
	if (index == entry_count)
	{
		if (!make_room())
			return false;
		entries[entry_count++].fd = descriptor;
	}
	entries[index].events = (readable ? POLLIN : 0) | (writable ? POLLOUT : 0);
	entries[index].revents = 0;
	owners[index] = owner;
	return true;
}

static void
remove_entry(int index)
{
	entries[index] = entries[--entry_count];
	owners[index] = owners[entry_count];
}

void
arazzo_watch_clear(WatchOwner owner)
{
	int			i;

	for (i = entry_count - 1; i >= 0; i--)
	{
		if (owners[i] == owner)
			remove_entry(i);
	}
}

/* The number of entries when there is none. */
static int
find_entry(int descriptor)
{
	int			i;

	for (i = 0; i < entry_count && entries[i].fd != descriptor; i++)
		;
	return i;
}

/* For one entry more, and for the events of all. */
static bool
make_room(void)
{
	int			wanted = Max(16, capacity * 2);
	void	   *larger;

	if (entry_count < capacity)
		return true;
	larger = realloc(entries, wanted * sizeof(struct pollfd));
	if (larger == NULL)
		return false;
	entries = larger;
	larger = realloc(owners, wanted * sizeof(WatchOwner));
	if (larger == NULL)
		return false;
	owners = larger;
	larger = realloc(events, wanted * sizeof(WatchEvent));
	if (larger == NULL)
		return false;
	events = larger;
	capacity = wanted;
	return true;
}

int
arazzo_watch_wait(int timeout)
{
	int			left = poll(entries, entry_count, timeout);
	int			count = 0;
	int			i;

	for (i = 0; i < entry_count && left > 0; i++)
	{
		short		ready = entries[i].revents;

		if (ready == 0)
			continue;
		events[count].owner = owners[i];
		events[count].descriptor = entries[i].fd;
		events[count].readable = (ready & (POLLIN | POLLHUP)) != 0;
		events[count].writable = (ready & POLLOUT) != 0;
		events[count].failed = (ready & (POLLERR | POLLNVAL)) != 0;
		count++;
		left--;
	}
	return count;
}

WatchEvent
arazzo_watch_event(int index)
{
	return events[index];
}

int64
arazzo_watch_now(void)
{
	instr_time	now;

	INSTR_TIME_SET_CURRENT(now);
	return (int64) INSTR_TIME_GET_MILLISEC(now);
}
