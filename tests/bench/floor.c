/*
 * floor.c
 *	  What the benchmark measures against: the same work without a database.
 *
 *	floor post URL KEY N	the two calls of meter-usage-and-topup-prepaid, N
 *							times, over one re-used libcurl handle; prints the
 *							microseconds one such pair took
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

static void fail(const char *what, const char *why);
static double now_us(void);
static size_t receive(char *data, size_t size, size_t count, void *arg);
static void post(CURL *curl, const char *url, const char *body, Answer *answer);
static void run_posts(const char *base, const char *key, long rounds);
static char *read_file(const char *name, size_t *size);
static void run_yaml(const char *name);

int
main(int argc, char **argv)
{
	if (argc == 5 && strcmp(argv[1], "post") == 0)
		run_posts(argv[2], argv[3], strtol(argv[4], NULL, 10));
	else if (argc == 3 && strcmp(argv[1], "yaml") == 0)
		run_yaml(argv[2]);
	else
		fail("usage", "floor post URL KEY N | floor yaml FILE");
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
	CURLcode	result;
	long		status = 0;

	answer->length = 0;
	curl_easy_setopt(curl, CURLOPT_URL, url);
	curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body);
	result = curl_easy_perform(curl);
	if (result != CURLE_OK)
		fail(url, curl_easy_strerror(result));
	curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
	answer->text[answer->length] = '\0';
	if (status != 200)
		fail(url, answer->text);
}

static void
run_posts(const char *base, const char *key, long rounds)
{
	CURL	   *curl;
	struct curl_slist *headers = NULL;
	char		header[256];
	char		ingest[256];
	char		order[256];
	char		body[512];
	double		start;
	long		i;
	static Answer answer;

	curl_global_init(CURL_GLOBAL_DEFAULT);
	curl = curl_easy_init();
	if (curl == NULL || rounds < 1)
		fail("post", "could not start");
	snprintf(header, sizeof(header), "X-API-KEY: %s", key);
	snprintf(ingest, sizeof(ingest), "%s/ingest", base);
	snprintf(order, sizeof(order), "%s/payments-pricing-amberflo-customer-prepaid", base);
	headers = curl_slist_append(headers, header);
	headers = curl_slist_append(headers, "Content-Type: application/json");
	curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, receive);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, &answer);

	start = now_us();
	for (i = 0; i < rounds; i++)
	{
		snprintf(body, sizeof(body),
				 "{\"meterApiName\":\"api-calls\",\"customerId\":\"customer-1\","
				 "\"meterValue\":%ld.5,\"meterTimeInMillis\":1718153645993,"
				 "\"uniqueId\":\"floor-%ld\"}", i, i);
		post(curl, ingest, body, &answer);
		snprintf(body, sizeof(body),
				 "{\"customerId\":\"customer-1\",\"amount\":%ld,\"currency\":\"USD\"}", i + 1);
		post(curl, order, body, &answer);
	}
	printf("%.2f\n", (now_us() - start) / rounds);
	curl_slist_free_all(headers);
	curl_easy_cleanup(curl);
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
