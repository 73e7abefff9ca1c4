/*
 * floor.c
 *	  What the benchmark measures against: the same work without a database.
 *
 *	floor post URL KEY N	the two calls of meter-usage-and-topup-prepaid, N
 *							times, over one re-used libcurl handle; prints the
 *							microseconds one such pair took
 *	floor many URL KEY N C	the same N pairs, C pairs at a time over one multi
 *							handle; prints the microseconds one pair took
 *	floor events URL KEY N C	N events alone, C at a time over one multi handle
 *	floor yaml FILE			all events of libyaml for a file; prints the
 *							milliseconds, and how many events there were
 *
 * It does the least that a correct program does: bodies are formatted anew,
 * answers are taken in and the status is looked at.
 */
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <yaml.h>

typedef struct Answer
{
	size_t		length;
	char		text[16384];
} Answer;

/* Where the calls go. */
typedef struct Place
{
	char		ingest[256];
	char		order[256];
	struct curl_slist *headers;
} Place;

/* One pair on its way: first the event, then the order. */
typedef struct Pair
{
	CURL	   *curl;
	long		number;
	int			orders;			/* there is to be an order */
	int			ordered;
	char		body[512];
	Answer		answer;
} Pair;

static void fail(const char *what, const char *why);
static double now_us(void);
static size_t receive(char *data, size_t size, size_t count, void *arg);
static void post(CURL *curl, const char *url, const char *body, Answer *answer);
static void check_answer(CURL *curl, const char *url, CURLcode result, Answer *answer);
static void find_place(Place *place, const char *base, const char *key);
static CURL *make_handle(const Place *place, Answer *answer);
static void write_event(char *body, size_t size, long number);
static void write_order(char *body, size_t size, long number);
static void run_posts(const char *base, const char *key, long rounds);
static void run_many(const char *base, const char *key, long rounds, long concurrency, int orders);
static void begin_pair(CURLM *multi, const Place *place, Pair *pair, long number);
static int	continue_pair(CURLM *multi, const Place *place, Pair *pair, CURLcode result);
static char *read_file(const char *name, size_t *size);
static void run_yaml(const char *name);

int
main(int argc, char **argv)
{
	if (argc == 5 && strcmp(argv[1], "post") == 0)
		run_posts(argv[2], argv[3], strtol(argv[4], NULL, 10));
	else if (argc == 6 && strcmp(argv[1], "many") == 0)
		run_many(argv[2], argv[3], strtol(argv[4], NULL, 10), strtol(argv[5], NULL, 10), 1);
	else if (argc == 6 && strcmp(argv[1], "events") == 0)
		run_many(argv[2], argv[3], strtol(argv[4], NULL, 10), strtol(argv[5], NULL, 10), 0);
	else if (argc == 3 && strcmp(argv[1], "yaml") == 0)
		run_yaml(argv[2]);
	else
		fail("usage", "floor post URL KEY N | floor many URL KEY N C | floor events URL KEY N C | floor yaml FILE");
	return 0;
}

static void
fail(const char *what, const char *why)
{
	fprintf(stderr, "floor: %s: %s\n", what, why);
	exit(1);
}

static double
now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1e6 + now.tv_nsec / 1e3;
}

/* Takes in a piece of an answer; a short count makes libcurl give up. */
static size_t
receive(char *data, size_t size, size_t count, void *arg)
{
	Answer	   *answer = arg;

	if (size * count >= sizeof(answer->text) - answer->length)
		return 0;
	memcpy(answer->text + answer->length, data, size * count);
	answer->length += size * count;
	return size * count;
}

/* One call; anything but a 200 ends the program. */
static void
post(CURL *curl, const char *url, const char *body, Answer *answer)
{
	answer->length = 0;
	curl_easy_setopt(curl, CURLOPT_URL, url);
	curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body);
	check_answer(curl, url, curl_easy_perform(curl), answer);
}

static void
check_answer(CURL *curl, const char *url, CURLcode result, Answer *answer)
{
	long		status = 0;

	if (result != CURLE_OK)
		fail(url, curl_easy_strerror(result));
	curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
	answer->text[answer->length] = '\0';
	if (status != 200)
		fail(url, answer->text);
}

static void
find_place(Place *place, const char *base, const char *key)
{
	char		header[256];

	curl_global_init(CURL_GLOBAL_DEFAULT);
	snprintf(header, sizeof(header), "X-API-KEY: %s", key);
	snprintf(place->ingest, sizeof(place->ingest), "%s/ingest", base);
	snprintf(place->order, sizeof(place->order), "%s/payments-pricing-amberflo-customer-prepaid", base);
	place->headers = curl_slist_append(NULL, header);
	place->headers = curl_slist_append(place->headers, "Content-Type: application/json");
}

static CURL *
make_handle(const Place *place, Answer *answer)
{
	CURL	   *curl = curl_easy_init();

	if (curl == NULL)
		fail("post", "could not start");
	curl_easy_setopt(curl, CURLOPT_HTTPHEADER, place->headers);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, receive);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, answer);
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	return curl;
}

static void
write_event(char *body, size_t size, long number)
{
	snprintf(body, size,
			 "{\"meterApiName\":\"api-calls\",\"customerId\":\"customer-1\","
			 "\"meterValue\":%ld.5,\"meterTimeInMillis\":1718153645993,"
			 "\"uniqueId\":\"floor-%ld\"}", number, number);
}

static void
write_order(char *body, size_t size, long number)
{
	snprintf(body, size, "{\"customerId\":\"customer-1\",\"amount\":%ld,\"currency\":\"USD\"}", number + 1);
}

static void
run_posts(const char *base, const char *key, long rounds)
{
	CURL	   *curl;
	Place		place;
	char		body[512];
	double		start;
	long		i;
	static Answer answer;

	if (rounds < 1)
		fail("post", "nothing to do");
	find_place(&place, base, key);
	curl = make_handle(&place, &answer);
	start = now_us();
	for (i = 0; i < rounds; i++)
	{
		write_event(body, sizeof(body), i);
		post(curl, place.ingest, body, &answer);
		write_order(body, sizeof(body), i);
		post(curl, place.order, body, &answer);
	}
	printf("%.2f\n", (now_us() - start) / rounds);
	curl_slist_free_all(place.headers);
	curl_easy_cleanup(curl);
}

/* The next pair begins when one is through; without orders it is an event. */
static void
run_many(const char *base, const char *key, long rounds, long concurrency, int orders)
{
	CURLM	   *multi;
	CURLMsg    *message;
	Place		place;
	Pair	   *pairs;
	double		start;
	long		begun;
	long		left = rounds;
	int			count;

	if (rounds < concurrency || concurrency < 1)
		fail("many", "nothing to do");
	find_place(&place, base, key);
	multi = curl_multi_init();
	pairs = calloc(concurrency, sizeof(Pair));
	if (multi == NULL || pairs == NULL)
		fail("many", "could not start");
	curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, concurrency);
	for (begun = 0; begun < concurrency; begun++)
	{
		Pair	   *pair = &pairs[begun];

		pair->orders = orders;
		pair->curl = make_handle(&place, &pair->answer);
		curl_easy_setopt(pair->curl, CURLOPT_PRIVATE, pair);
	}

	start = now_us();
	for (begun = 0; begun < concurrency; begun++)
		begin_pair(multi, &place, &pairs[begun], begun);
	while (left > 0)
	{
		curl_multi_perform(multi, &count);
		while ((message = curl_multi_info_read(multi, &count)) != NULL)
		{
			Pair	   *pair;

			curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **) &pair);
			if (continue_pair(multi, &place, pair, message->data.result))
				continue;
			left--;
			if (begun < rounds)
				begin_pair(multi, &place, pair, begun++);
		}
		if (left > 0)
			curl_multi_poll(multi, NULL, 0, 1000, NULL);
	}
	printf("%.2f\n", (now_us() - start) / rounds);
}

static void
begin_pair(CURLM *multi, const Place *place, Pair *pair, long number)
{
	pair->number = number;
	pair->ordered = 0;
	pair->answer.length = 0;
	write_event(pair->body, sizeof(pair->body), number);
	curl_easy_setopt(pair->curl, CURLOPT_URL, place->ingest);
	curl_easy_setopt(pair->curl, CURLOPT_POSTFIELDS, pair->body);
	curl_multi_add_handle(multi, pair->curl);
}

/* Takes an answer in; false when the pair is through. */
static int
continue_pair(CURLM *multi, const Place *place, Pair *pair, CURLcode result)
{
	check_answer(pair->curl, pair->ordered ? place->order : place->ingest, result, &pair->answer);
	curl_multi_remove_handle(multi, pair->curl);
	if (pair->ordered || !pair->orders)
		return 0;
	pair->ordered = 1;
	pair->answer.length = 0;
	write_order(pair->body, sizeof(pair->body), pair->number);
	curl_easy_setopt(pair->curl, CURLOPT_URL, place->order);
	curl_easy_setopt(pair->curl, CURLOPT_POSTFIELDS, pair->body);
	curl_multi_add_handle(multi, pair->curl);
	return 1;
}

static char *
read_file(const char *name, size_t *size)
{
	FILE	   *file = fopen(name, "rb");
	char	   *text;
	long		length;

	if (file == NULL || fseek(file, 0, SEEK_END) != 0 || (length = ftell(file)) < 0)
		fail(name, "could not be opened");
	rewind(file);
	text = malloc(length + 1);
	if (text == NULL || fread(text, 1, length, file) != (size_t) length)
		fail(name, "could not be read");
	fclose(file);
	*size = length;
	return text;
}

static void
run_yaml(const char *name)
{
	size_t		size;
	char	   *text = read_file(name, &size);
	yaml_parser_t parser;
	long		events = 0;
	int			done = 0;
	double		start = now_us();

	if (!yaml_parser_initialize(&parser))
		fail(name, "no parser");
	yaml_parser_set_input_string(&parser, (unsigned char *) text, size);
	while (!done)
	{
		yaml_event_t event;

		if (!yaml_parser_parse(&parser, &event))
			fail(name, parser.problem);
		done = event.type == YAML_STREAM_END_EVENT;
		events++;
		yaml_event_delete(&event);
	}
	yaml_parser_delete(&parser);
	printf("%.2f %ld\n", (now_us() - start) / 1000, events);
	free(text);
}
