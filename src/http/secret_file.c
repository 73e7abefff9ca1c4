/*-------------------------------------------------------------------------
 *
 * secret_file.c
 *	  Options of a user mapping that lie in a file of the server.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "nodes/makefuncs.h"
#include "nodes/value.h"
#include "storage/fd.h"

#include "http/options.h"
#include "http/secret_file.h"
#include "support/value.h"

#define LARGEST_FILE	(64 * 1024)

/* Nanoseconds of a modification: POSIX has a name, macOS another. */
#ifdef __APPLE__
#define st_mtim st_mtimespec
#endif

static char *read_text(SecretFile *file, size_t *length, const char **problem);
static const char *parse_json(const char *text, size_t length, List **options);
static const char *parse_lines(char *text, List **options);
static const char *parse_line(char *line, List **options);
static char *trimmed(char *text);
static const char *add_option(List **options, const char *name, const char *value);

bool
arazzo_secret_file_read(SecretFile *file, const char *server_name, List **options, ArazzoFailure **failure)
{
	const char *problem = NULL;
	size_t		length;
	char	   *text = read_text(file, &length, &problem);

	*options = NIL;
	if (text && memchr(text, '\0', length))
		problem = "It is no text.";
	else if (text)
		problem = text[strspn(text, " \t\r\n")] == '{' ?
			parse_json(text, length, options) : parse_lines(text, options);
	if (problem == NULL)
		return true;
	*failure = arazzo_failure_make(ERRCODE_ARAZZO_CREDENTIAL,
								   "could not use the secret_file of the user mapping for server \"%s\"",
								   server_name);
	arazzo_failure_detail(*failure, "%s", problem);
	return false;
}

/* The whole file, terminated; NULL and *problem when it cannot be had. */
static char *
read_text(SecretFile *file, size_t *length, const char **problem)
{
	FILE	   *stream = NULL;
	char	   *text = NULL;

	/* opening what is no file, such as a pipe, might wait */
	if (stat(file->path, &file->status) != 0 ||
		(S_ISREG(file->status.st_mode) && (stream = AllocateFile(file->path, PG_BINARY_R)) == NULL))
	{
		*problem = psprintf("It could not be opened: %s.", strerror(errno));
		return NULL;
	}
	if (!S_ISREG(file->status.st_mode))
	{
		*problem = "It is no regular file.";
		return NULL;
	}
	if (fstat(fileno(stream), &file->status) != 0)
		*problem = psprintf("It could not be read: %s.", strerror(errno));
	else if (file->status.st_size > LARGEST_FILE)
		*problem = psprintf("It is larger than %d kB.", LARGEST_FILE / 1024);
	else
	{
		text = palloc(file->status.st_size + 1);
		*length = fread(text, 1, file->status.st_size, stream);
		text[*length] = '\0';
	}
	FreeFile(stream);
	return text;
}

bool
arazzo_secret_file_changed(const SecretFile *file)
{
	struct stat now;

	return stat(file->path, &now) != 0 ||
		now.st_dev != file->status.st_dev || now.st_ino != file->status.st_ino ||
		now.st_size != file->status.st_size ||
		now.st_mtim.tv_sec != file->status.st_mtim.tv_sec ||
		now.st_mtim.tv_nsec != file->status.st_mtim.tv_nsec;
}

/* What is wrong with it, as a sentence, or NULL; like all that follow. */
static const char *
parse_json(const char *text, size_t length, List **options)
{
	ArazzoFailure *failure = NULL;
	JsonbValue *object = arazzo_value_parse_json(text, length, &failure);
	ArazzoValueWalk walk;
	JsonbValue	key;
	JsonbValue	value;
	const char *problem = NULL;

	if (!arazzo_value_is_object(object))
		return "It begins like JSON, but is no JSON object.";
	arazzo_value_walk(&walk, object);
	while (problem == NULL && arazzo_value_next(&walk, &key, &value))
	{
		if (value.type != jbvString)
			return "It has a member that is not a string.";
		problem = add_option(options, pnstrdup(key.val.string.val, key.val.string.len),
							 pnstrdup(value.val.string.val, value.val.string.len));
	}
	return problem;
}

static const char *
parse_lines(char *text, List **options)
{
	int			number = 0;
	char	   *line;
	char	   *next;

	for (line = text; line; line = next)
	{
		const char *problem;

		next = strchr(line, '\n');
		if (next)
			*next++ = '\0';
		number++;
		problem = parse_line(trimmed(line), options);
		if (problem)
			return psprintf("Line %d: %s", number, problem);
	}
	return NULL;
}

static const char *
parse_line(char *line, List **options)
{
	char	   *equals = strchr(line, '=');

	if (*line == '\0' || *line == '#')
		return NULL;
	if (equals == NULL)
		return "It is not of the form name = value.";
	*equals = '\0';
	return add_option(options, trimmed(line), trimmed(equals + 1));
}

/* The text without blanks around it, which are cut off in place. */
static char *
trimmed(char *text)
{
	char	   *end = text + strlen(text);

	while (end > text && strchr(" \t\r", end[-1]))
		*--end = '\0';
	return text + strspn(text, " \t\r");
}

static const char *
add_option(List **options, const char *name, const char *value)
{
	const char *problem = NULL;

	if (!arazzo_option_in_secret_file(name, value, &problem))
		return "There is a name that is no option of user mappings.";
	if (problem)
		return psprintf("The value of \"%s\" %s.", name, problem);
	*options = lappend(*options, makeDefElem(pstrdup(name), (Node *) makeString(pstrdup(value)), -1));
	return NULL;
}
