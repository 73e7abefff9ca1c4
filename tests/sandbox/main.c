/*
 * main.c
 *	  Options, start and stop of the sandbox.
 *
 * Prints one line, "listening on 127.0.0.1:PORT", and with a certificate
 * another one, "listening with TLS on 127.0.0.1:PORT"; serves until SIGTERM or
 * SIGINT.
 */
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <time.h>

#include "control.h"
#include "json.h"
#include "ledger.h"
#include "sandbox.h"

Settings	settings = {
	.shape = SHAPE_PUBLISHED,
	.ingest_type = "text/plain",
	.ledger_limit = -1,
	.event_limit = -1,
	.max_body = 64 * 1024 * 1024
};

static HttpOptions http_options;
static const char *port_file;

enum
{
	OPT_PORT = 256,
	OPT_PORT_FILE,
	OPT_SHAPE,
	OPT_AMBERFLO_KEY,
	OPT_STRIPE_KEY,
	OPT_STRIPE_EXPIRED_KEY,
	OPT_STRIPE_CUSTOMER,
	OPT_KEY_STATUS,
	OPT_STRICT_METERS,
	OPT_STRICT_CUSTOMERS,
	OPT_SETTLE,
	OPT_INGEST_TYPE,
	OPT_LEDGER_LIMIT,
	OPT_QUIET_LEDGER,
	OPT_EVENT_LIMIT,
	OPT_NOW_MS,
	OPT_TLS_PORT,
	OPT_TLS_CERT,
	OPT_TLS_KEY,
	OPT_WITH_PARENT,
	OPT_HELP
};

static const struct option long_options[] = {
	{"port", required_argument, NULL, OPT_PORT},
	{"port-file", required_argument, NULL, OPT_PORT_FILE},
	{"shape", required_argument, NULL, OPT_SHAPE},
	{"amberflo-key", required_argument, NULL, OPT_AMBERFLO_KEY},
	{"stripe-key", required_argument, NULL, OPT_STRIPE_KEY},
	{"stripe-expired-key", required_argument, NULL, OPT_STRIPE_EXPIRED_KEY},
	{"stripe-customer", required_argument, NULL, OPT_STRIPE_CUSTOMER},
	{"key-status", required_argument, NULL, OPT_KEY_STATUS},
	{"strict-meters", no_argument, NULL, OPT_STRICT_METERS},
	{"strict-customers", no_argument, NULL, OPT_STRICT_CUSTOMERS},
	{"settle", no_argument, NULL, OPT_SETTLE},
	{"ingest-type", required_argument, NULL, OPT_INGEST_TYPE},
	{"ledger-limit", required_argument, NULL, OPT_LEDGER_LIMIT},
	{"quiet-ledger", no_argument, NULL, OPT_QUIET_LEDGER},
	{"event-limit", required_argument, NULL, OPT_EVENT_LIMIT},
	{"now-ms", required_argument, NULL, OPT_NOW_MS},
	{"tls-port", required_argument, NULL, OPT_TLS_PORT},
	{"tls-cert", required_argument, NULL, OPT_TLS_CERT},
	{"tls-key", required_argument, NULL, OPT_TLS_KEY},
	{"with-parent", no_argument, NULL, OPT_WITH_PARENT},
	{"help", no_argument, NULL, OPT_HELP},
	{NULL, 0, NULL, 0}
};

static const char usage[] =
"sandbox: a local Amberflo and Stripe\n\n"
"  --port N               port on 127.0.0.1; 0, the default: a free one\n"
"  --port-file FILE       write the port there too\n"
"  --shape SHAPE          published (default) or live: which Amberflo\n"
"  --amberflo-key KEY     a key that is accepted; may be repeated; none: any\n"
"  --stripe-key KEY       likewise\n"
"  --stripe-expired-key KEY  answered with api_key_expired\n"
"  --stripe-customer ID   a known customer; none: every id that begins cus_\n"
"  --key-status N         answer to a wrong Amberflo key (401; live: 403)\n"
"  --strict-meters        Stripe events need a meter made before\n"
"  --strict-customers     Amberflo orders and plans need a customer\n"
"  --settle               post-process events at once, not on demand\n"
"  --ingest-type TYPE     content type of the ingest answer (text/plain)\n"
"  --ledger-limit N       requests kept in the ledger; 0: none (default: all)\n"
"  --quiet-ledger         the same as --ledger-limit 0\n"
"  --event-limit N        events kept; more are only counted (default: all)\n"
"  --now-ms N             fixed clock, milliseconds since 1970\n"
"  --tls-cert FILE --tls-key FILE  serve https too\n"
"  --tls-port N           its port; 0, the default: a free one\n"
"  --with-parent          stop when the process that started it ends\n";

/* Milliseconds since 1970: the fixed clock when there is one. */
int64_t
now_ms(void)
{
	struct timespec now;

	if (settings.now_ms)
		return settings.now_ms;
	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t) now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void
add_text(json_t *list, const char *text)
{
	json_array_append_new(list, json_string(text));
}

static void
refuse(const char *what)
{
	fprintf(stderr, "sandbox: bad option: %s\n%s", what, usage);
	exit(2);
}

static void
set_shape(const char *name)
{
	if (strcmp(name, "live") == 0)
		settings.shape = SHAPE_LIVE;
	else if (strcmp(name, "published") == 0)
		settings.shape = SHAPE_PUBLISHED;
	else
		refuse(name);
}

static int64_t
to_number(const char *text)
{
	char	   *end;
	int64_t		value = strtoll(text, &end, 10);

	if (*text == '\0' || *end != '\0' || value < 0)
		refuse(text);
	return value;
}

static void
set_option(int option)
{
	switch (option)
	{
		case OPT_PORT:
			http_options.port = to_number(optarg);
			break;
		case OPT_PORT_FILE:
			port_file = optarg;
			break;
		case OPT_SHAPE:
			set_shape(optarg);
			break;
		case OPT_AMBERFLO_KEY:
			add_text(settings.amberflo_keys, optarg);
			break;
		case OPT_STRIPE_KEY:
			add_text(settings.stripe_keys, optarg);
			break;
		case OPT_STRIPE_EXPIRED_KEY:
			add_text(settings.stripe_expired_keys, optarg);
			break;
		case OPT_STRIPE_CUSTOMER:
			add_text(settings.stripe_customers, optarg);
			break;
		case OPT_KEY_STATUS:
			settings.key_status = to_number(optarg);
			break;
		case OPT_STRICT_METERS:
			settings.strict_meters = true;
			break;
		case OPT_STRICT_CUSTOMERS:
			settings.strict_customers = true;
			break;
		case OPT_SETTLE:
			settings.settle = true;
			break;
		case OPT_INGEST_TYPE:
			settings.ingest_type = optarg;
			break;
		case OPT_LEDGER_LIMIT:
			settings.ledger_limit = to_number(optarg);
			break;
		case OPT_QUIET_LEDGER:
			settings.ledger_limit = 0;
			break;
		case OPT_EVENT_LIMIT:
			settings.event_limit = to_number(optarg);
			break;
		case OPT_NOW_MS:
			settings.now_ms = to_number(optarg);
			break;
		case OPT_TLS_PORT:
			http_options.tls_port = to_number(optarg);
			break;
		case OPT_TLS_CERT:
			http_options.tls_cert = optarg;
			break;
		case OPT_TLS_KEY:
			http_options.tls_key = optarg;
			break;
		case OPT_WITH_PARENT:
			prctl(PR_SET_PDEATHSIG, SIGTERM);
			break;
		case OPT_HELP:
			fputs(usage, stdout);
			exit(0);
		default:
			fputs(usage, stderr);
			exit(2);
	}
}

static void
read_options(int argc, char **argv)
{
	int			option;

	settings.amberflo_keys = json_array();
	settings.stripe_keys = json_array();
	settings.stripe_expired_keys = json_array();
	settings.stripe_customers = json_array();
	while ((option = getopt_long(argc, argv, "", long_options, NULL)) != -1)
		set_option(option);
	if (optind < argc)
		refuse(argv[optind]);
	if ((http_options.tls_cert == NULL) != (http_options.tls_key == NULL))
		refuse("--tls-cert and --tls-key go together");
	if (settings.key_status == 0)
		settings.key_status = settings.shape == SHAPE_LIVE ? 403 : 401;
}

/* As many connections as the system allows. */
static void
raise_file_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
}

static bool
write_port_file(int port)
{
	FILE	   *file = fopen(port_file, "w");

	if (file == NULL)
		return false;
	fprintf(file, "%d\n", port);
	return fclose(file) == 0;
}

int
main(int argc, char **argv)
{
	sigset_t	stop_signals;
	int			received;

	read_options(argc, argv);
	raise_file_limit();
	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&stop_signals);
	sigaddset(&stop_signals, SIGTERM);
	sigaddset(&stop_signals, SIGINT);
	pthread_sigmask(SIG_BLOCK, &stop_signals, NULL);
	control_reset();
	delay_start();
	if (!http_start(&http_options))
	{
		fputs("sandbox: could not listen\n", stderr);
		return 1;
	}
	if (port_file && !write_port_file(http_port()))
	{
		fprintf(stderr, "sandbox: could not write \"%s\"\n", port_file);
		return 1;
	}
	printf("listening on 127.0.0.1:%d\n", http_port());
	if (http_tls_port())
		printf("listening with TLS on 127.0.0.1:%d\n", http_tls_port());
	fflush(stdout);
	sigwait(&stop_signals, &received);
	delay_stop();
	http_stop();
	control_clear();
	return 0;
}
