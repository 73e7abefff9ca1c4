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

/* A server, for as long as the process lasts. */
typedef struct TurnPlace
{
	slist_node	node;
	ServerLimit limit;
	bool		part_of_call;
	dlist_head	waiting;		/* of TokenTurn */
} TurnPlace;

static slist_head places = SLIST_STATIC_INIT(places);
static bool place_given_back = false;

static TurnPlace *place_of(const ArazzoConnection *connection, bool part_of_call);
static void drive_place(TurnPlace *place);

void
arazzo_turn_take(TokenTurn *turn, const ArazzoConnection *connection, bool part_of_call,
				 TurnGo go, void *argument)
{
	turn->place = place_of(connection, part_of_call);
	turn->waits = true;
	turn->go = go;
	turn->argument = argument;
	dlist_push_tail(&turn->place->waiting, &turn->node);
	drive_place(turn->place);
}

/* The place of a server, with its limits as they are now. */
static TurnPlace *
place_of(const ArazzoConnection *connection, bool part_of_call)
{
	TurnPlace  *place = NULL;
	slist_iter	iter;

	slist_foreach(iter, &places)
	{
		place = slist_container(TurnPlace, node, iter.cur);
		if (place->limit.server == connection->server && place->part_of_call == part_of_call)
			break;
		place = NULL;
	}
	if (place == NULL)
	{
		place = MemoryContextAllocZero(TopMemoryContext, sizeof(TurnPlace));
		place->part_of_call = part_of_call;
		dlist_init(&place->waiting);
		slist_push_head(&places, &place->node);
	}
	arazzo_limit_set(&place->limit, connection);
	if (part_of_call)
		place->limit.max_concurrency = 0;
	return place;
}

/* In the order in which they came. */
static void
drive_place(TurnPlace *place)
{
	while (!dlist_is_empty(&place->waiting) && arazzo_limit_take(&place->limit))
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
		arazzo_limit_give_back(&turn->place->limit);
		place_given_back = true;
	}
	turn->place = NULL;
}

void
arazzo_turns_drive(void)
{
	slist_iter	iter;

	place_given_back = false;
	slist_foreach(iter, &places)
		drive_place(slist_container(TurnPlace, node, iter.cur));
}

TimestampTz
arazzo_turns_moment(void)
{
	TimestampTz moment = DT_NOEND;
	slist_iter	iter;

	slist_foreach(iter, &places)
	{
		TurnPlace  *place = slist_container(TurnPlace, node, iter.cur);

		if (!dlist_is_empty(&place->waiting))
			moment = Min(moment, place_given_back ? arazzo_clock_now() : arazzo_limit_moment(&place->limit));
	}
	return moment;
}
