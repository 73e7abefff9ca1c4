/*-------------------------------------------------------------------------
 *
 * fuzz.h
 *	  Fuzz targets: functions that take any bytes and find no fault.
 *
 * A target runs in a real server process, in a memory context of its own.
 * It reports what must not be with an internal error; errors that the code
 * under test may throw by its contract are let through.
 *
 *-------------------------------------------------------------------------
 */
#ifndef ARAZZO_FUZZ_H
#define ARAZZO_FUZZ_H

#include "support/value.h"

typedef struct FuzzTarget
{
	const char *name;
	void		(*run) (const char *data, size_t length);
} FuzzTarget;

/* The target of a name; throws when there is none. */
extern const FuzzTarget *fuzz_target(const char *name);

/*
 * Runs a target on one input and looks for memory that stays: errors that
 * are no fault are swallowed, faults are reported at the given level.
 */
extern void fuzz_run(const FuzzTarget *target, const char *data, size_t length, int fault_level);

/* Ends a target with a fault unless the condition holds. */
#define fuzz_require(condition) \
	do { \
		if (!(condition)) \
			fuzz_fault(#condition, __FILE__, __LINE__); \
	} while (0)

extern void fuzz_fault(const char *condition, const char *file, int line) pg_attribute_noreturn();

/* Ends a target with a fault unless it is a failure as rooms return it. */
extern void fuzz_require_failure(const ArazzoFailure *failure);

/*
 * Takes an input apart at its first empty line; *second is empty when there
 * is none.  Both are copies with a NUL behind.  False when it is not UTF-8,
 * for targets whose texts come out of documents.
 */
extern bool fuzz_split(const char *data, size_t length, StringInfo first, StringInfo second);

/* The text as a value, or the fallback, which is JSON, as one. */
extern JsonbValue *fuzz_value(const StringInfo text, const char *fallback);

typedef struct FuzzSeeds
{
	StringInfoData *items;
	int			count;
} FuzzSeeds;

/* Makes an input of seeds; *random is what decides, and moves on. */
extern void fuzz_mutate(StringInfo input, const FuzzSeeds *seeds, uint64 *random);

/* ---------- targets ---------- */
extern void fuzz_target_yaml(const char *data, size_t length);
extern void fuzz_target_json(const char *data, size_t length);
extern void fuzz_target_body(const char *data, size_t length);
extern void fuzz_target_expression(const char *data, size_t length);
extern void fuzz_target_template(const char *data, size_t length);
extern void fuzz_target_condition(const char *data, size_t length);
extern void fuzz_target_criterion(const char *data, size_t length);
extern void fuzz_target_jsonpath(const char *data, size_t length);
extern void fuzz_target_regex(const char *data, size_t length);
extern void fuzz_target_schema(const char *data, size_t length);
extern void fuzz_target_uri(const char *data, size_t length);
extern void fuzz_target_http(const char *data, size_t length);
extern void fuzz_target_parameters(const char *data, size_t length);

#endif							/* ARAZZO_FUZZ_H */
