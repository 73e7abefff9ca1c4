/*-------------------------------------------------------------------------
 *
 * loop.c
 *	  Runs in flight, driven together.
 *
 * Each run is in one place at a time: among those that can go on, in flight
 * with the transport, answered, in the queue of a server whose limits are
 * reached, or asleep until a moment.  What a turn costs depends on what
 * happened in it, not on how many runs wait.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "lib/ilist.h"
#include "lib/pairingheap.h"
#include "miscadmin.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "drive/limit.h"
#include "drive/loop.h"
#include "drive/message.h"
#include "drive/receive.h"
#include "drive/turn.h"
#include "http/mask.h"
#include "support/clock.h"
#include "support/strings.h"

/* What a run that receives messages is parked for. */
typedef enum LoopAwaits
{
	AWAITS_NOTHING,
	AWAITS_LISTENING,			/* until its channels are listened to */
	AWAITS_MESSAGE				/* and is among the sleepers as well */
} LoopAwaits;

struct LoopRun
{
	DriveLoop  *loop;
	ArazzoRun  *run;
	Oid			role;
	void	   *tag;
	const char *key;			/* what its keys begin with; NULL until needed */
	MemoryContext context;		/* that it was added in */
	MemoryContext call_context; /* of the call at hand */
	const RunNext *next;
	DriveCall	call;
	ServerLimit *server;		/* that the call counts for, or NULL */
	List	   *secrets;		/* of char * */
	DriveReceiver *receiver;	/* NULL when no step receives */
	LoopAwaits	awaits;
	dlist_node	node;			/* among the ready, answered or waiting */
	pairingheap_node sleep;
};

struct DriveLoop
{
	const LoopHooks *hooks;
	MemoryContext context;
	int			count;			/* runs */
	dlist_head	ready;			/* of LoopRun: can go on */
	dlist_head	answered;		/* of LoopRun: its transfer is done */
	pairingheap *asleep;		/* of LoopRun, by moment */
	slist_head	servers;		/* of ServerLimit */
	const LoopRun *current;		/* for error reports */
};

static void ask_queued(DriveLoop *loop, ServerLimit *server);
static int	compare_moments(const pairingheap_node *a, const pairingheap_node *b, void *argument);
static void begin_report(DriveLoop *loop, ErrorContextCallback *callback);
static void wake_sleepers(DriveLoop *loop);
static void advance_ready(DriveLoop *loop);
static void advance(DriveLoop *loop, LoopRun *entry);
static void finish(DriveLoop *loop, LoopRun *entry);
static void leave(DriveLoop *loop, LoopRun *entry);
static LoopVerdict do_next(DriveLoop *loop, LoopRun *entry);
static LoopVerdict pass_message(LoopRun *entry);
static LoopVerdict listen_first(LoopRun *entry);
static LoopVerdict receive_message(LoopRun *entry);
static void note_message(void *argument);
static LoopVerdict prepare(DriveLoop *loop, LoopRun *entry);
static ArazzoFailure *make_call(DriveLoop *loop, LoopRun *entry);
static LoopVerdict refuse(LoopRun *entry, const ArazzoFailure *failure);
static LoopVerdict sleep_in(DriveLoop *loop, LoopRun *entry);
static const char *make_key(LoopRun *entry);
static void send_or_queue(DriveLoop *loop, LoopRun *entry);
static void lift_limits(DriveLoop *loop, const ArazzoConnection *connection);
static void send_queued(ServerLimit *server);
static void send_held(LoopRun *entry);
static void send_call(LoopRun *entry);
static void note_answer(void *argument);
static void receive_answers(DriveLoop *loop);
static LoopVerdict receive(DriveLoop *loop, LoopRun *entry);
static void end_call(LoopRun *entry);
static LoopVerdict observe(LoopRun *entry, const DriveCall *call, const ArazzoResponse *response);
static void add_secrets(LoopRun *entry);
static void report_violations(const LoopRun *entry);
static void wait_for_events(DriveLoop *loop, int timeout);
static TimestampTz next_moment(DriveLoop *loop);
static void describe_step(void *argument);

DriveLoop *
arazzo_loop_create(const LoopHooks *hooks)
{
	DriveLoop  *loop = palloc0(sizeof(DriveLoop));

	loop->hooks = hooks;
	loop->context = CurrentMemoryContext;
	dlist_init(&loop->ready);
	dlist_init(&loop->answered);
	slist_init(&loop->servers);
	loop->asleep = pairingheap_allocate(compare_moments, NULL);
	return loop;
}

/* The heap gives the largest first: the earliest moment is. */
static int
compare_moments(const pairingheap_node *a, const pairingheap_node *b, void *argument)
{
	TimestampTz left = pairingheap_const_container(LoopRun, sleep, a)->next->until;
	TimestampTz right = pairingheap_const_container(LoopRun, sleep, b)->next->until;

	return left < right ? 1 : left > right ? -1 : 0;
}

LoopRun *
arazzo_loop_add(DriveLoop *loop, ArazzoRun *run, Oid role, const char *key, void *tag)
{
	LoopRun    *entry = palloc0(sizeof(LoopRun));

	entry->loop = loop;
	entry->run = run;
	entry->role = role;
	entry->tag = tag;
	entry->key = key;
	entry->context = CurrentMemoryContext;
	entry->call_context = AllocSetContextCreate(CurrentMemoryContext, "arazzo call", ALLOCSET_DEFAULT_SIZES);
	entry->receiver = arazzo_receiver_create(run, note_message, entry);
	dlist_push_tail(&loop->ready, &entry->node);
	loop->count++;
	return entry;
}

void
arazzo_loop_release(LoopRun *entry)
{
	send_call(entry);
}

void
arazzo_loop_remove(LoopRun *entry)
{
	end_call(entry);
	leave(entry->loop, entry);
}

void
arazzo_loop_ask_sleepers(DriveLoop *loop)
{
	const LoopHooks *hooks = loop->hooks;
	List	   *stay = NIL;
	ListCell   *cell;
	slist_iter	iter;

	while (!pairingheap_is_empty(loop->asleep))
	{
		LoopRun    *entry = pairingheap_container(LoopRun, sleep, pairingheap_remove_first(loop->asleep));
		/* for a message others may wait at once */
		TimestampTz until = entry->awaits == AWAITS_MESSAGE ? arazzo_clock_now() : entry->next->until;

		if (hooks->wait(hooks->owner, entry->tag, until) == LOOP_LEAVE)
			leave(loop, entry);
		else
			stay = lappend(stay, entry);
	}
	foreach(cell, stay)
		pairingheap_add(loop->asleep, &((LoopRun *) lfirst(cell))->sleep);
	list_free(stay);
	slist_foreach(iter, &loop->servers)
		ask_queued(loop, slist_container(ServerLimit, node, iter.cur));
}

/* Those whose calls wait for a place may wait elsewhere as well. */
static void
ask_queued(DriveLoop *loop, ServerLimit *server)
{
	dlist_mutable_iter iter;

	dlist_foreach_modify(iter, &server->waiting)
	{
		LoopRun    *entry = dlist_container(LoopRun, node, iter.cur);

		if (loop->hooks->wait(loop->hooks->owner, entry->tag, arazzo_clock_now()) != LOOP_LEAVE)
			continue;
		dlist_delete(&entry->node);
		leave(loop, entry);
	}
}

List *
arazzo_loop_secrets(const LoopRun *entry)
{
	return entry->secrets;
}

int
arazzo_loop_count(const DriveLoop *loop)
{
	return loop->count;
}

void
arazzo_loop_turn(DriveLoop *loop, int timeout)
{
	arazzo_loop_work(loop);
	if (loop->count > 0)
	{
		arazzo_loop_wait(loop, timeout);
		arazzo_loop_work(loop);
	}
}

void
arazzo_loop_wait(DriveLoop *loop, int timeout)
{
	ErrorContextCallback callback;

	if (!dlist_is_empty(&loop->answered) || !dlist_is_empty(&loop->ready))
		timeout = 0;
	begin_report(loop, &callback);
	wait_for_events(loop, timeout);
	error_context_stack = callback.previous;
}

void
arazzo_loop_work(DriveLoop *loop)
{
	ErrorContextCallback callback;
	slist_iter	iter;

	begin_report(loop, &callback);
	receive_answers(loop);
	arazzo_turns_drive();
	wake_sleepers(loop);
	slist_foreach(iter, &loop->servers)
		send_queued(slist_container(ServerLimit, node, iter.cur));
	advance_ready(loop);
	error_context_stack = callback.previous;
}

bool
arazzo_loop_has_work(DriveLoop *loop)
{
	if (!dlist_is_empty(&loop->answered) || !dlist_is_empty(&loop->ready))
		return true;
	return next_moment(loop) <= arazzo_clock_now();
}

/* Errors from now on say where the run at hand is. */
static void
begin_report(DriveLoop *loop, ErrorContextCallback *callback)
{
	callback->callback = describe_step;
	callback->arg = loop;
	callback->previous = error_context_stack;
	error_context_stack = callback;
}

static void
wake_sleepers(DriveLoop *loop)
{
	TimestampTz now;

	if (pairingheap_is_empty(loop->asleep))
		return;
	now = arazzo_clock_now();
	while (!pairingheap_is_empty(loop->asleep))
	{
		LoopRun    *entry = pairingheap_container(LoopRun, sleep, pairingheap_first(loop->asleep));

		if (entry->next->until > now)
			return;
		pairingheap_remove_first(loop->asleep);
		entry->awaits = AWAITS_NOTHING;
		dlist_push_tail(&loop->ready, &entry->node);
	}
}

static void
advance_ready(DriveLoop *loop)
{
	while (!dlist_is_empty(&loop->ready))
		advance(loop, dlist_container(LoopRun, node, dlist_pop_head_node(&loop->ready)));
}

/* Lets a run go on until it has to wait for something, is finished or leaves. */
static void
advance(DriveLoop *loop, LoopRun *entry)
{
	LoopVerdict verdict = LOOP_GO;

	loop->current = entry;
	if (entry->receiver && entry->next && entry->next->kind == RUN_RECEIVE && arazzo_run_missed(entry->run))
		verdict = observe(entry, NULL, NULL);
	while (verdict == LOOP_GO)
	{
		entry->next = arazzo_run_next(entry->run);
		verdict = listen_first(entry);
		if (verdict == LOOP_TOLD)
			verdict = do_next(loop, entry);
	}
	if (verdict == LOOP_LEAVE)
		leave(loop, entry);
}

/* LOOP_HOLD when the run waits for something, or is finished. */
static LoopVerdict
do_next(DriveLoop *loop, LoopRun *entry)
{
	switch (entry->next->kind)
	{
		case RUN_WAIT:
			return sleep_in(loop, entry);
		case RUN_NOTIFY:
			return pass_message(entry);
		case RUN_RECEIVE:
			return receive_message(entry);
		case RUN_SEND:
			return prepare(loop, entry);
		case RUN_FINISHED:
			finish(loop, entry);
			break;
	}
	return LOOP_HOLD;
}

static void
finish(DriveLoop *loop, LoopRun *entry)
{
	loop->count--;
	loop->current = NULL;
	arazzo_receiver_free(entry->receiver);
	MemoryContextDelete(entry->call_context);
	loop->hooks->finished(loop->hooks->owner, entry->tag, entry->run, entry->secrets);
}

/* As a hook wanted it. */
static void
leave(DriveLoop *loop, LoopRun *entry)
{
	loop->count--;
	loop->current = NULL;
	arazzo_receiver_free(entry->receiver);
	MemoryContextDelete(entry->call_context);
	if (loop->hooks->left)
		loop->hooks->left(loop->hooks->owner, entry->tag);
}

static LoopVerdict
sleep_in(DriveLoop *loop, LoopRun *entry)
{
	const LoopHooks *hooks = loop->hooks;

	if (hooks->wait && hooks->wait(hooks->owner, entry->tag, entry->next->until) == LOOP_LEAVE)
		return LOOP_LEAVE;
	pairingheap_add(loop->asleep, &entry->sleep);
	return LOOP_HOLD;
}

/* A message is sent, or refused, at once. */
static LoopVerdict
pass_message(LoopRun *entry)
{
	MemoryContext old = MemoryContextSwitchTo(entry->call_context);
	const LoopHooks *hooks = entry->loop->hooks;
	LoopVerdict verdict;

	if (hooks->message)
		hooks->message(hooks->owner, entry->run, entry->next);
	else
		arazzo_message_perform(entry->run, entry->next);
	verdict = observe(entry, NULL, NULL);
	MemoryContextSwitchTo(old);
	MemoryContextReset(entry->call_context);
	return verdict;
}

/* Sees to it that no message is missed that what is next may lead to;
 * LOOP_TOLD when that is so. */
static LoopVerdict
listen_first(LoopRun *entry)
{
	MemoryContext old = MemoryContextSwitchTo(entry->call_context);
	const LoopHooks *hooks = entry->loop->hooks;
	ArazzoFailure *failure = NULL;
	LoopVerdict verdict = LOOP_TOLD;

	switch (arazzo_receiver_listen(entry->receiver, entry->next, hooks->connect, hooks->owner, entry->role, &failure))
	{
		case RECEIVER_READY:
			break;
		case RECEIVER_STARTING:
			entry->awaits = AWAITS_LISTENING;
			verdict = LOOP_HOLD;
			break;
		case RECEIVER_REFUSED:
			verdict = refuse(entry, failure);
			break;
	}
	MemoryContextSwitchTo(old);
	MemoryContextReset(entry->call_context);
	return verdict;
}

/* Takes the message that the run waits for; when it has not come, the run
 * sleeps until it does, or its time is over. */
static LoopVerdict
receive_message(LoopRun *entry)
{
	MemoryContext old = MemoryContextSwitchTo(entry->call_context);
	const LoopHooks *hooks = entry->loop->hooks;
	ArazzoFailure *failure = arazzo_message_check(entry->next->step, entry->next);
	const ArazzoResponse *response = failure ? NULL :
		arazzo_receiver_take(entry->receiver, entry->run, entry->next);
	LoopVerdict verdict = LOOP_HOLD;

	if (failure)
		verdict = refuse(entry, failure);
	else if (response)
		verdict = observe(entry, NULL, response);
	else
	{
		if (hooks->await)
			hooks->await(hooks->owner, entry->tag);
		entry->awaits = AWAITS_MESSAGE;
		pairingheap_add(entry->loop->asleep, &entry->sleep);
	}
	MemoryContextSwitchTo(old);
	MemoryContextReset(entry->call_context);
	return verdict;
}

/* Called by what listens: must not throw. */
static void
note_message(void *argument)
{
	LoopRun    *entry = argument;

	if (entry->awaits == AWAITS_NOTHING)
		return;
	if (entry->awaits == AWAITS_MESSAGE)
		pairingheap_remove(entry->loop->asleep, &entry->sleep);
	entry->awaits = AWAITS_NOTHING;
	dlist_push_tail(&entry->loop->ready, &entry->node);
}

/*
 * Makes the call of a run ready and sends it, or has it wait until it may be
 * sent (LOOP_HOLD): LOOP_GO when it was refused and the run goes on.
 */
static LoopVerdict
prepare(DriveLoop *loop, LoopRun *entry)
{
	MemoryContext old = MemoryContextSwitchTo(entry->call_context);
	const LoopHooks *hooks = loop->hooks;
	ArazzoFailure *failure = make_call(loop, entry);
	LoopVerdict verdict;

	if (failure)
		verdict = refuse(entry, failure);
	else if (hooks->admit && hooks->admit(hooks->owner, entry->tag, entry->next, &entry->call) == LOOP_LEAVE)
		verdict = LOOP_LEAVE;
	else
	{
		send_or_queue(loop, entry);
		verdict = LOOP_HOLD;
	}
	MemoryContextSwitchTo(old);
	if (failure)
		MemoryContextReset(entry->call_context);
	return verdict;
}

/* The call, key included, or why it cannot be made. */
static ArazzoFailure *
make_call(DriveLoop *loop, LoopRun *entry)
{
	const LoopHooks *hooks = loop->hooks;
	const char *url = entry->next->request->url;
	const ArazzoConnection *connection;
	ArazzoFailure *failure = NULL;

	connection = hooks->connect ? hooks->connect(hooks->owner, url, entry->role, &failure) :
		arazzo_connection_find(url, entry->role, &failure);
	if (connection)
		failure = arazzo_call_prepare_on(&entry->call, entry->next, connection, hooks->connect, hooks->owner);
	if (failure == NULL && entry->call.takes_key)
		arazzo_call_set_key(&entry->call, make_key(entry));
	return failure;
}

/* Nothing was sent: no connection, no credential. */
static LoopVerdict
refuse(LoopRun *entry, const ArazzoFailure *failure)
{
	arazzo_run_refused(entry->run, failure);
	return observe(entry, NULL, NULL);
}

/* The key of the call: the same for every attempt of it, and no other's. */
static const char *
make_key(LoopRun *entry)
{
	static const char digits[] = "0123456789abcdef";
	unsigned char random[16];
	char	   *key;
	int			i;

	if (entry->key == NULL)
	{
		if (!pg_strong_random(random, sizeof(random)))
			ereport(ERROR,
					errcode(ERRCODE_INTERNAL_ERROR),
					errmsg("could not generate random values"));
		key = MemoryContextAllocZero(entry->context, 2 * sizeof(random) + 1);
		for (i = 0; i < sizeof(random); i++)
		{
			key[2 * i] = digits[random[i] >> 4];
			key[2 * i + 1] = digits[random[i] & 15];
		}
		entry->key = key;
	}
	return psprintf("%s-%d", entry->key, entry->next->call);
}

static void
send_or_queue(DriveLoop *loop, LoopRun *entry)
{
	const ArazzoConnection *connection = entry->call.connection;

	entry->server = NULL;
	if (!arazzo_limit_applies(connection))
	{
		lift_limits(loop, connection);
		send_held(entry);
		return;
	}
	entry->server = arazzo_limit_get(&loop->servers, loop->context, connection);
	dlist_push_tail(&entry->server->waiting, &entry->node);
	send_queued(entry->server);
}

bool
arazzo_loop_is_crowded(DriveLoop *loop, const ArazzoConnection *connection)
{
	ServerLimit *server = arazzo_limit_applies(connection) ? arazzo_limit_find(&loop->servers, connection) : NULL;

	return server && !dlist_is_empty(&server->waiting);
}

/* The server has no limits any more: what waits for them need not. */
static void
lift_limits(DriveLoop *loop, const ArazzoConnection *connection)
{
	ServerLimit *server = arazzo_limit_find(&loop->servers, connection);

	if (server == NULL)
		return;
	arazzo_limit_set(server, connection);
	send_queued(server);
}

/* In the order in which they came. */
static void
send_queued(ServerLimit *server)
{
	while (!dlist_is_empty(&server->waiting) && arazzo_limit_take(server))
		send_held(dlist_container(LoopRun, node, dlist_pop_head_node(&server->waiting)));
}

/* Sends a call that has its place, unless a hook holds it. */
static void
send_held(LoopRun *entry)
{
	const LoopHooks *hooks = entry->loop->hooks;
	LoopVerdict verdict = LOOP_GO;

	if (hooks->send)
		verdict = hooks->send(hooks->owner, entry->tag, entry->next, &entry->call);
	if (verdict == LOOP_GO)
		send_call(entry);
	else if (verdict == LOOP_LEAVE)
		arazzo_loop_remove(entry);
}

static void
send_call(LoopRun *entry)
{
	MemoryContext old = MemoryContextSwitchTo(entry->call_context);

	arazzo_call_start(&entry->call);
	arazzo_call_notify(&entry->call, note_answer, entry);
	MemoryContextSwitchTo(old);
}

/* Called by the transport: must not throw. */
static void
note_answer(void *argument)
{
	LoopRun    *entry = argument;

	dlist_push_tail(&entry->loop->answered, &entry->node);
}

static void
receive_answers(DriveLoop *loop)
{
	while (!dlist_is_empty(&loop->answered))
	{
		LoopRun    *entry = dlist_container(LoopRun, node, dlist_pop_head_node(&loop->answered));

		switch (receive(loop, entry))
		{
			case LOOP_HOLD:
				break;
			case LOOP_LEAVE:
				leave(loop, entry);
				break;
			default:
				advance(loop, entry);
				break;
		}
	}
}

/* Takes the answer; LOOP_HOLD when the call goes on: it needed a token first. */
static LoopVerdict
receive(DriveLoop *loop, LoopRun *entry)
{
	const LoopHooks *hooks = loop->hooks;
	MemoryContext old = MemoryContextSwitchTo(entry->call_context);
	const ArazzoResponse *response;
	LoopVerdict verdict = LOOP_GO;

	loop->current = entry;
	response = arazzo_call_response(&entry->call);
	if (response == NULL)
	{
		MemoryContextSwitchTo(old);
		return LOOP_HOLD;
	}
	add_secrets(entry);
	if (hooks->answered)
		verdict = hooks->answered(hooks->owner, entry->tag, entry->next, &entry->call, response);
	if (verdict == LOOP_GO)
		arazzo_run_received(entry->run, response, entry->call.repeatable);
	if (verdict != LOOP_LEAVE)
		verdict = observe(entry, &entry->call, response);
	MemoryContextSwitchTo(old);
	end_call(entry);
	MemoryContextReset(entry->call_context);
	return verdict;
}

/* Gives back the place that a call took at its server. */
static void
end_call(LoopRun *entry)
{
	if (entry->server == NULL)
		return;
	arazzo_limit_give_back(entry->server);
	send_queued(entry->server);
	entry->server = NULL;
}

static LoopVerdict
observe(LoopRun *entry, const DriveCall *call, const ArazzoResponse *response)
{
	const LoopHooks *hooks = entry->loop->hooks;

	if (arazzo_run_judgement(entry->run)->violations)
		report_violations(entry);
	if (hooks->attempt)
		hooks->attempt(hooks->owner, entry->tag, entry->next, call, response, arazzo_run_judgement(entry->run));
	return hooks->judged ? hooks->judged(hooks->owner, entry->tag, entry->next, call, response) : LOOP_GO;
}

/* Keeps what the call's connection holds secret, for as long as the run
 * lasts; each server is met many times, so only new ones are added. */
static void
add_secrets(LoopRun *entry)
{
	List	   *secrets = arazzo_call_secrets(&entry->call);
	MemoryContext old = MemoryContextSwitchTo(entry->context);
	ListCell   *cell;

	foreach(cell, secrets)
		entry->secrets = arazzo_strings_add(entry->secrets, lfirst(cell));
	MemoryContextSwitchTo(old);
}

/* What arazzo.validate = warn has found. */
static void
report_violations(const LoopRun *entry)
{
	List	   *secrets = list_concat_copy(arazzo_run_secrets(entry->run), entry->secrets);
	ListCell   *cell;

	foreach(cell, arazzo_run_judgement(entry->run)->violations)
		ereport(WARNING,
				errcode(ERRCODE_ARAZZO_SCHEMA),
				errmsg_internal("%s", arazzo_mask_text(lfirst(cell), secrets)));
}

/* Sleeps until an answer or the next moment, whatever comes first. */
static void
wait_for_events(DriveLoop *loop, int timeout)
{
	TimestampTz moment = next_moment(loop);
	bool		sockets = arazzo_http_is_busy();
	TimestampTz now;

	if (loop->count > 1)
		loop->current = NULL;
	if (moment == DT_NOEND && sockets)
	{
		arazzo_http_poll(timeout);
		return;
	}
	now = arazzo_clock_now();
	moment = Min(moment, TimestampTzPlusMilliseconds(now, timeout));
	if (sockets)
		arazzo_http_poll(TimestampDifferenceMilliseconds(now, moment));
	else if (moment > now)
		arazzo_clock_wait_once(moment);
}

/* When time alone lets a run go on, DT_NOEND when it does not. */
static TimestampTz
next_moment(DriveLoop *loop)
{
	TimestampTz moment = arazzo_turns_moment();
	slist_iter	iter;

	if (!pairingheap_is_empty(loop->asleep))
		moment = Min(moment, pairingheap_container(LoopRun, sleep, pairingheap_first(loop->asleep))->next->until);
	slist_foreach(iter, &loop->servers)
	{
		ServerLimit *server = slist_container(ServerLimit, node, iter.cur);

		if (!dlist_is_empty(&server->waiting))
			moment = Min(moment, arazzo_limit_moment(server));
	}
	return moment;
}

/* Error context: where the run was when something else went wrong. */
static void
describe_step(void *argument)
{
	const LoopRun *entry = ((const DriveLoop *) argument)->current;

	if (entry && entry->next && entry->next->step)
		errcontext("step \"%s\" of workflow \"%s\"", entry->next->step->step_id,
				   entry->next->workflow->workflow_id);
}
