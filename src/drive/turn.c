/*-------------------------------------------------------------------------
 *
 * turn.c
 *	  When a token may be asked for: within the limits of the server that
 *	  gives it.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "drive/turn.h"
#include "support/clock.h"

/* Servers, for as long as the process lasts: those of calls that wait for
 * their own token, and all others. */
static slist_head of_calls = SLIST_STATIC_INIT(of_calls);
static slist_head others = SLIST_STATIC_INIT(others);
static bool place_given_back = false;

static void drive_places(slist_head *places);
static void drive_place(ServerLimit *place);
static TimestampTz places_moment(slist_head *places);

void
arazzo_turn_take(TokenTurn *turn, const ArazzoConnection *connection, bool part_of_call,
				 TurnGo go, void *argument)
{
	if (part_of_call ? connection->max_rate <= 0 : !arazzo_limit_applies(connection))
	{
		go(argument);
		return;
	}
	turn->place = arazzo_limit_get(part_of_call ? &of_calls : &others, TopMemoryContext, connection);
	if (part_of_call)
		turn->place->max_concurrency = 0;
	turn->waits = true;
	turn->go = go;
	turn->argument = argument;
	dlist_push_tail(&turn->place->waiting, &turn->node);
	drive_place(turn->place);
}

/* In the order in which they came. */
static void
drive_place(ServerLimit *place)
{
	while (!dlist_is_empty(&place->waiting) && arazzo_limit_take(place))
	{
		TokenTurn  *turn = dlist_container(TokenTurn, node, dlist_pop_head_node(&place->waiting));

		turn->waits = false;
		turn->go(turn->argument);
	}
}

void
arazzo_turn_end(TokenTurn *turn)
{
	if (turn->place == NULL)
		return;
	if (turn->waits)
		dlist_delete(&turn->node);
	else
	{
		arazzo_limit_give_back(turn->place);
		place_given_back = true;
	}
	turn->place = NULL;
}

void
arazzo_turns_drive(void)
{
	place_given_back = false;
	drive_places(&of_calls);
	drive_places(&others);
}

static void
drive_places(slist_head *places)
{
	slist_iter	iter;

	slist_foreach(iter, places)
		drive_place(slist_container(ServerLimit, node, iter.cur));
}

TimestampTz
arazzo_turns_moment(void)
{
	return Min(places_moment(&of_calls), places_moment(&others));
}

static TimestampTz
places_moment(slist_head *places)
{
	TimestampTz moment = DT_NOEND;
	slist_iter	iter;

	slist_foreach(iter, places)
	{
		ServerLimit *place = slist_container(ServerLimit, node, iter.cur);

		if (!dlist_is_empty(&place->waiting))
			moment = Min(moment, place_given_back ? arazzo_clock_now() : arazzo_limit_moment(place));
	}
	return moment;
}
