/*
 * sandbox.h
 *	  What the parts of the sandbox share: settings, requests, answers.
 *
 * The sandbox is a local Amberflo and Stripe for tests, demonstration and
 * benchmark.  One lock is held wherever a handler runs (http.c), so nothing
 * else is locked but the waiting room (delay.c), which has a thread of its
 * own.  Memory that runs out ends the process: it is a test server.
 */
#ifndef SANDBOX_H
#define SANDBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "buffer.h"

struct MHD_Connection;

/* Which description of Amberflo is served: bits, so that a route can name both. */
typedef enum Shape
{
	SHAPE_PUBLISHED = 1,
	SHAPE_LIVE = 2,
	SHAPE_BOTH = 3
} Shape;

/*
 * Options of the command line; most of them can be changed while the sandbox
 * runs (control.c).  The key lists are JSON arrays of strings; an empty list
 * accepts every key.
 */
typedef struct Settings
{
	Shape		shape;
	json_t	   *amberflo_keys;
	json_t	   *stripe_keys;
	json_t	   *stripe_expired_keys;
	json_t	   *stripe_customers;	/* empty: every id that begins "cus_" */
	int			key_status;		/* answer to a wrong Amberflo key */
	bool		strict_meters;	/* Stripe: event names need a meter */
	bool		strict_customers;	/* Amberflo: orders need a customer */
	bool		settle;			/* post-processing happens at once */
	const char *ingest_type;	/* content type of the ingest answer */
	int64_t		ledger_limit;	/* entries kept; 0: none, -1: all */
	int64_t		event_limit;	/* events kept; -1: all */
	int64_t		now_ms;			/* fixed clock, or 0 for the real one */
	size_t		max_body;
} Settings;

extern Settings settings;

/* The time that the sandbox believes in, in milliseconds since 1970. */
extern int64_t now_ms(void);

/* A name and a value with their lengths; both also end with a NUL. */
typedef struct Pair
{
	const char *name;
	size_t		name_len;
	const char *value;
	size_t		value_len;
} Pair;

typedef struct Pairs
{
	Pair	   *items;
	int			count;
	int			size;
} Pairs;

#define MAX_PARAMS 3
#define MAX_ANSWER_HEADERS 16

typedef struct AnswerHeader
{
	char	   *name;
	char	   *value;
} AnswerHeader;

/* How the bytes of the answer leave. */
typedef enum Delivery
{
	DELIVER_WHOLE,
	DELIVER_TRUNCATED,			/* half of the announced body, then close */
	DELIVER_GENERATED,			/* a JSON string of generated_bytes */
	DELIVER_CLOSE,				/* no answer, orderly close */
	DELIVER_RESET				/* no answer, RST */
} Delivery;

typedef struct Answer
{
	int			status;
	const char *type;			/* content type; NULL: none is sent */
	Buffer		body;
	AnswerHeader headers[MAX_ANSWER_HEADERS];
	int			nheaders;
	bool		volatile_answer;	/* not kept for its Idempotency-Key */
	Delivery	delivery;
	int64_t		generated_bytes;	/* -1: without end */
} Answer;

struct Route;

/* What became of a request: see http.c. */
typedef enum RequestStage
{
	STAGE_HEAD,
	STAGE_BODY,
	STAGE_HELD,					/* processed, waits for its delay or release */
	STAGE_ANSWERED
} RequestStage;

typedef struct Arena Arena;

typedef struct Request
{
	struct MHD_Connection *connection;
	uint64_t	connection_id;
	uint64_t	seq;			/* of the ledger entry */
	RequestStage stage;
	bool		recorded;		/* has a ledger entry */
	bool		open;			/* and is under way */
	const char *method;
	const char *target;			/* as it came, undecoded */
	const char *version;
	Pairs		headers;
	Buffer		body;
	const char *path;			/* target up to the '?', undecoded */
	Pairs		query;			/* decoded */
	const char *params[MAX_PARAMS]; /* what stood at the {} of the route */
	const struct Route *route;
	const char *stripe_key;		/* the key that was accepted */
	const char *lock;			/* what this call locks until it is answered */
	const char *idempotency_key;
	int64_t		delay_ms;		/* answer after this time; -1: on release */
	int64_t		deadline_us;	/* the same, while it waits */
	struct Request *next_held;
	Answer		answer;
	Arena	   *arena;
} Request;

typedef void (*Handler) (Request *req, Answer *ans);

/* Whose keys a route asks for, and whose errors it answers with. */
typedef enum Realm
{
	REALM_CONTROL,
	REALM_AMBERFLO,
	REALM_STRIPE,
	REALM_STRIPE_STREAM			/* Bearer is a session token */
} Realm;

/* A segment "{}" in the pattern stands for any one non-empty segment. */
typedef struct Route
{
	Shape		shape;
	Realm		realm;
	const char *method;
	const char *pattern;
	Handler		handler;
} Route;

/* request.c: memory and parts of a request */
extern Request *request_new(const char *target);
extern void request_free(Request *req);
extern void *request_alloc(Request *req, size_t size);
extern const char *request_copy(Request *req, const char *text, size_t len);
extern const char *request_header(const Request *req, const char *name);
extern const char *request_query(const Request *req, const char *name);
extern bool request_type_is(const Request *req, const char *type);
extern void pairs_add(Request *req, Pairs *pairs, Pair pair);
extern const char *path_decode(Request *req, const char *text, size_t len);
extern bool form_decode(Request *req, const char *text, size_t len, Pairs *pairs);
extern bool request_inflate(const Request *req, Buffer *out);

/* answer.c: building answers */
extern void answer_free(Answer *ans);
extern void answer_clear(Answer *ans);
extern void answer_header(Answer *ans, const char *name, const char *value);
extern void answer_json(Answer *ans, int status, json_t *value);
extern void answer_text(Answer *ans, int status, const char *type,
						const char *fmt,...) __attribute__((format(printf, 4, 5)));

/* route.c */
extern void route_request(Request *req, Answer *ans);
extern bool route_path_matches(const char *pattern, const char *path);

/* delay.c: the waiting room of requests that are answered later */
extern void delay_start(void);
extern bool delay_hold(Request *req);
extern bool delay_is_locked(const char *lock);
extern bool delay_has_key(const char *idempotency_key);
extern int	delay_release(void);
extern void delay_stop(void);
extern int64_t monotonic_us(void);

/* http.c */
typedef struct HttpOptions
{
	int			port;
	int			tls_port;
	const char *tls_cert;		/* file names; NULL: no https */
	const char *tls_key;
} HttpOptions;

extern bool http_start(const HttpOptions *options);
extern int	http_port(void);
extern int	http_tls_port(void);
extern void http_stop(void);
extern uint64_t http_connections(void);

#endif							/* SANDBOX_H */
