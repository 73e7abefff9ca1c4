/*-------------------------------------------------------------------------
 *
 * settings.c
 *	  Settings of the extension (arazzo.*).
 *
 * Limits that protect the server may be lowered by anybody and raised only
 * as far as their maximum; what a superuser must decide is PGC_SUSET.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <limits.h>

#include "utils/guc.h"

#include "support/settings.h"

int			arazzo_max_steps = 1000;
int			arazzo_max_depth = 32;
int			arazzo_connect_timeout = 10 * 1000;
int			arazzo_timeout = 60 * 1000;
int			arazzo_max_retry_after = 60 * 60;
int			arazzo_concurrency = 32;
int			arazzo_max_response_kb = 16 * 1024;
int			arazzo_max_document_kb = 32 * 1024;
int			arazzo_max_document_nodes = 5 * 1000 * 1000;
int			arazzo_max_document_depth = 200;
int			arazzo_retention = -1;

int			arazzo_validate = VALIDATE_OFF;

static const struct config_enum_entry validate_words[] = {
	{"off", VALIDATE_OFF, false},
	{"warn", VALIDATE_WARN, false},
	{"error", VALIDATE_ERROR, false},
	{NULL, 0, false}
};

typedef struct IntegerSetting
{
	const char *name;
	const char *description;
	const char *more;
	int		   *variable;
	int			minimum;
	int			maximum;
	GucContext	context;
	int			flags;
} IntegerSetting;

static const IntegerSetting settings[] = {
	{"arazzo.max_steps",
		"Sets how many step visits one run may make.",
		"A visit is a step's call, counted again for each retry and each goto that leads back.",
	&arazzo_max_steps, 1, 1000000, PGC_USERSET, 0},
	{"arazzo.max_depth",
		"Sets how deep workflows may call workflows.",
		NULL,
	&arazzo_max_depth, 1, 1000, PGC_USERSET, 0},
	{"arazzo.connect_timeout",
		"Sets the time limit for connecting to a server.",
		"The server option connect_timeout takes precedence.",
	&arazzo_connect_timeout, 1, 3600 * 1000, PGC_USERSET, GUC_UNIT_MS},
	{"arazzo.timeout",
		"Sets the time limit for one request and its response.",
		"The server option timeout and a step's own timeout take precedence.",
	&arazzo_timeout, 1, 3600 * 1000, PGC_USERSET, GUC_UNIT_MS},
	{"arazzo.max_retry_after",
		"Sets the longest wait before a retry.",
		"Retry-After headers and retryAfter fields that ask for more are cut to this.",
	&arazzo_max_retry_after, 0, 7 * 24 * 3600, PGC_USERSET, GUC_UNIT_S},
	{"arazzo.concurrency",
		"Sets how many queued runs a worker drives at a time.",
		NULL,
	&arazzo_concurrency, 1, 128, PGC_USERSET, 0},
	{"arazzo.max_response_size",
		"Sets the size limit of a response body, decompressed.",
		"The server option max_response_bytes takes precedence.",
	&arazzo_max_response_kb, 1, 512 * 1024, PGC_SUSET, GUC_UNIT_KB},
	{"arazzo.max_document_size",
		"Sets the size limit of a document's text.",
		"The inputs of a queued run have the same limit.",
	&arazzo_max_document_kb, 1, 512 * 1024, PGC_SUSET, GUC_UNIT_KB},
	{"arazzo.max_document_nodes",
		"Sets how many nodes a document may have, aliases expanded.",
		NULL,
	&arazzo_max_document_nodes, 1, INT_MAX, PGC_SUSET, 0},
	{"arazzo.max_document_depth",
		"Sets how deep a document may be nested.",
		NULL,
	&arazzo_max_document_depth, 1, 5000, PGC_SUSET, 0},
	{"arazzo.retention",
		"Sets how long queued runs are kept after they ended, with their attempts and keys.",
		"-1 keeps them until arazzo_prune is called.",
	&arazzo_retention, -1, INT_MAX, PGC_SUSET, GUC_UNIT_MIN}
};

void
arazzo_settings_init(void)
{
	size_t		i;

	for (i = 0; i < lengthof(settings); i++)
	{
		const IntegerSetting *setting = &settings[i];

		DefineCustomIntVariable(setting->name, setting->description, setting->more,
								setting->variable, *setting->variable,
								setting->minimum, setting->maximum,
								setting->context, setting->flags,
								NULL, NULL, NULL);
	}
	DefineCustomEnumVariable("arazzo.validate",
							 "Sets what is done when a request or a response does not fit its OpenAPI description.",
							 "off compares nothing; warn reports a warning; error fails the step.",
							 &arazzo_validate, arazzo_validate, validate_words,
							 PGC_USERSET, 0, NULL, NULL, NULL);
}

void
arazzo_settings_reserve(void)
{
	MarkGUCPrefixReserved("arazzo");
}
