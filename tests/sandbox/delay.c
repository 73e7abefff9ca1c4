/*
 * delay.c
 *	  The waiting room: requests that were processed and are answered later.
 *
 * A held request's connection is suspended.  A thread resumes it when its time
 * has come; a request without a time waits for delay_release().  The list is
 * the only data that two threads share.
 */
#include <pthread.h>
#include <string.h>
#include <time.h>

#include <microhttpd.h>

#include "sandbox.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed;
static pthread_t thread;
static bool stopping;
static Request *held;

int64_t
monotonic_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t) now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

/* Let go of the requests whose time has come, or of all; returns how many. */
static int
resume_held(bool all, int64_t now)
{
	Request   **link = &held;
	int			resumed = 0;

	while (*link)
	{
		Request    *req = *link;

		if (!all && (req->delay_ms < 0 || req->deadline_us > now))
		{
			link = &req->next_held;
			continue;
		}
		*link = req->next_held;
		req->next_held = NULL;
		MHD_resume_connection(req->connection);
		resumed++;
	}
	return resumed;
}

/* The next deadline, or a minute ahead when there is none. */
static struct timespec
next_deadline(int64_t now)
{
	int64_t		next = now + 60 * 1000000;
	const Request *req;
	struct timespec when;

	for (req = held; req; req = req->next_held)
		if (req->delay_ms >= 0 && req->deadline_us < next)
			next = req->deadline_us;
	when.tv_sec = next / 1000000;
	when.tv_nsec = next % 1000000 * 1000;
	return when;
}

static void *
delay_main(void *arg)
{
	(void) arg;
	pthread_mutex_lock(&lock);
	while (!stopping)
	{
		int64_t		now = monotonic_us();
		struct timespec when;

		resume_held(false, now);
		when = next_deadline(now);
		pthread_cond_timedwait(&changed, &lock, &when);
	}
	pthread_mutex_unlock(&lock);
	return NULL;
}

void
delay_start(void)
{
	pthread_condattr_t attr;

	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&changed, &attr);
	pthread_condattr_destroy(&attr);
	pthread_create(&thread, NULL, delay_main, NULL);
}

/* Suspend the request as its delay_ms says; false when the sandbox stops. */
bool
delay_hold(Request *req)
{
	bool		ok;

	pthread_mutex_lock(&lock);
	ok = !stopping;
	if (ok)
	{
		req->deadline_us = monotonic_us() + req->delay_ms * 1000;
		req->next_held = held;
		held = req;
		MHD_suspend_connection(req->connection);
		pthread_cond_signal(&changed);
	}
	pthread_mutex_unlock(&lock);
	return ok;
}

/* Whether a held request has that lock. */
bool
delay_is_locked(const char *name)
{
	const Request *req;

	pthread_mutex_lock(&lock);
	for (req = held; req; req = req->next_held)
		if (req->lock && strcmp(req->lock, name) == 0)
			break;
	pthread_mutex_unlock(&lock);
	return req != NULL;
}

/* Whether a held request came with that Idempotency-Key. */
bool
delay_has_key(const char *idempotency_key)
{
	const Request *req;

	pthread_mutex_lock(&lock);
	for (req = held; req; req = req->next_held)
		if (req->idempotency_key && strcmp(req->idempotency_key, idempotency_key) == 0)
			break;
	pthread_mutex_unlock(&lock);
	return req != NULL;
}

/* Answer every held request now; returns how many there were. */
int
delay_release(void)
{
	int			released;

	pthread_mutex_lock(&lock);
	released = resume_held(true, 0);
	pthread_mutex_unlock(&lock);
	return released;
}

/* Release all and hold none from now on. */
void
delay_stop(void)
{
	pthread_mutex_lock(&lock);
	stopping = true;
	resume_held(true, 0);
	pthread_cond_signal(&changed);
	pthread_mutex_unlock(&lock);
	pthread_join(thread, NULL);
}
