/*-------------------------------------------------------------------------
 *
 * import.c
 *	  arazzo_import: a directory of documents, loaded in one call.
 *
 * Each document is loaded in a subtransaction of its own, so that a bad one
 * does not stop the others.  Documents name their sources by URL; a source
 * is kept under the URL that its document resolves it to, so nothing has to
 * be known about directories once the import is over:
 *
 *	- a file has its file: URI, or the URL that urlmap.tsv gives it;
 *	- a source that is not where the document says, but below a directory
 *	  further up (published documents name them from the root of their
 *	  repository), is loaded once more under the URI the document has for it.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#include "funcapi.h"
#include "miscadmin.h"
#include "storage/fd.h"
#include "utils/builtins.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"

#include "document/uri.h"
#include "support/try.h"
#include "workflow/load.h"

PG_FUNCTION_INFO_V1(arazzo_import);

#define URL_MAP "urlmap.tsv"

/* More than any collection of documents has. */
#define MAX_FILES 100000
#define MAX_DEPTH 64

/* How far sources of sources are looked for beside their place. */
#define MAX_ROUNDS 4

#define IMPORT_COLUMNS 4

/* A file, under one of its URIs. */
typedef struct ImportFile
{
	char	   *path;
	char	   *uri;
	char	   *refused;		/* why it is not even read, or NULL */
	bool		loaded;
	List	   *sources;		/* of char *: "url" members, as written */
	List	   *workflow_ids;	/* of char * */
	char	   *problem;
} ImportFile;

typedef struct Import
{
	char	   *root;			/* real path of the directory */
	List	   *files;			/* of ImportFile, sorted by path */
	List	   *urls;			/* of ImportFile: path and uri of urlmap.tsv */
	HTAB	   *uris;			/* UriEntry: what was taken up */
	MemoryContext scratch;		/* for one document */
} Import;

typedef struct UriEntry
{
	char		uri[MAXPGPATH];
} UriEntry;

static void collect_directory(Import *import, const char *path, int depth);
static void collect_entry(Import *import, const char *path, int depth);
static void collect_link(Import *import, const char *path);
static bool is_document_name(const char *path);
static bool is_inside(const Import *import, const char *path);
static void add_file(Import *import, const char *path, char *refused);
static void read_url_map(Import *import);
static void add_url(Import *import, char *line, int number);
static char *mapped_url(const Import *import, const char *path);
static int	compare_files(const ListCell *a, const ListCell *b);
static bool take_up(Import *import, const char *uri);
static void import_file(Import *import, ImportFile *file);
static void import_in_subtransaction(void *argument);
static void note_sources(ImportFile *file, const ArazzoNode *tree);
static List *load_displaced(Import *import, const List *documents);
static bool is_file_inside(const Import *import, const char *path);
static char *displaced_path(const Import *import, const char *path, const char *url);
static void judge_workflows(Import *import);
static void put_rows(const Import *import, ReturnSetInfo *result);

/*
 * arazzo_import(directory text) returns setof (uri, path, loaded, problem)
 *
 * Loads all documents below a directory of the server.
 */
Datum
arazzo_import(PG_FUNCTION_ARGS)
{
	char	   *directory = text_to_cstring(PG_GETARG_TEXT_PP(0));
	char		root[PATH_MAX];
	Import		import = {0};
	HASHCTL		control = {0};
	List	   *more;
	int			rounds;
	ListCell   *cell;

	PreventCommandIfReadOnly("arazzo_import()");
	arazzo_load_require_files();
	InitMaterializedSRF(fcinfo, 0);
	canonicalize_path(directory);
	if (!is_absolute_path(directory))
		ereport(ERROR,
				errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				errmsg("path \"%s\" is not absolute", directory));
	if (realpath(directory, root) == NULL)
		ereport(ERROR,
				errcode_for_file_access(),
				errmsg("could not open directory \"%s\": %m", directory));
	import.root = pstrdup(root);
	import.scratch = AllocSetContextCreate(CurrentMemoryContext, "arazzo import", ALLOCSET_DEFAULT_SIZES);
	control.keysize = sizeof(UriEntry);
	control.entrysize = sizeof(UriEntry);
	control.hcxt = CurrentMemoryContext;
	import.uris = hash_create("arazzo import", 1024, &control, HASH_ELEM | HASH_STRINGS | HASH_CONTEXT);
	read_url_map(&import);
	collect_directory(&import, import.root, 0);
	list_sort(import.files, compare_files);
	foreach(cell, import.files)
		(void) take_up(&import, ((ImportFile *) lfirst(cell))->uri);
	foreach(cell, import.files)
		import_file(&import, lfirst(cell));
	more = import.files;
	for (rounds = 0; rounds < MAX_ROUNDS && more != NIL; rounds++)
	{
		more = load_displaced(&import, more);
		import.files = list_concat_copy(import.files, more);
	}
	judge_workflows(&import);
	put_rows(&import, (ReturnSetInfo *) fcinfo->resultinfo);
	return (Datum) 0;
}

/* All files with a document's name below a directory. */
static void
collect_directory(Import *import, const char *path, int depth)
{
	DIR		   *directory = AllocateDir(path);
	struct dirent *entry;

	check_stack_depth();
	while ((entry = ReadDir(directory, path)) != NULL)
	{
		CHECK_FOR_INTERRUPTS();
		if (entry->d_name[0] != '.')
			collect_entry(import, psprintf("%s/%s", path, entry->d_name), depth);
	}
	FreeDir(directory);
}

static void
collect_entry(Import *import, const char *path, int depth)
{
	struct stat status;

	if (lstat(path, &status) != 0)
		return;					/* gone meanwhile */
	if (S_ISLNK(status.st_mode))
		collect_link(import, path);
	else if (S_ISDIR(status.st_mode))
	{
		if (depth == MAX_DEPTH)
			ereport(ERROR,
					errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
					errmsg("directories below \"%s\" are nested deeper than %d", import->root, MAX_DEPTH));
		collect_directory(import, path, depth + 1);
	}
	else if (is_document_name(path))
		add_file(import, path, NULL);
}

/* A link may name a file of the directory; those to directories could form
 * circles and are not followed. */
static void
collect_link(Import *import, const char *path)
{
	char		target[PATH_MAX];
	struct stat status;

	if (realpath(path, target) == NULL || stat(target, &status) != 0)
	{
		if (is_document_name(path))
			add_file(import, path, "symbolic link leads nowhere");
	}
	else if (!is_inside(import, target))
		add_file(import, path, "symbolic link leads out of the directory");
	else if (S_ISREG(status.st_mode) && is_document_name(path))
		add_file(import, path, NULL);
}

static bool
is_document_name(const char *path)
{
	static const char *const suffixes[] = {".yaml", ".yml", ".json"};
	size_t		length = strlen(path);
	size_t		i;

	for (i = 0; i < lengthof(suffixes); i++)
	{
		size_t		suffix = strlen(suffixes[i]);

		if (length > suffix && pg_strcasecmp(path + length - suffix, suffixes[i]) == 0)
			return true;
	}
	return false;
}

/* A real path at or below the root. */
static bool
is_inside(const Import *import, const char *path)
{
	size_t		length = strlen(import->root);

	if (strcmp(import->root, "/") == 0)
		return true;
	return strncmp(path, import->root, length) == 0 && (path[length] == '/' || path[length] == '\0');
}

/*
 * A file, under the URL the map has for it.  Where a neighbour names it by a
 * relative URL, load_displaced() loads it under that as well.
 */
static void
add_file(Import *import, const char *path, char *refused)
{
	ImportFile *file = palloc0(sizeof(ImportFile));
	char	   *url = mapped_url(import, path);

	if (list_length(import->files) >= MAX_FILES)
		ereport(ERROR,
				errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				errmsg("directory \"%s\" has more than %d documents", import->root, MAX_FILES));
	file->path = pstrdup(path);
	file->uri = url ? url : arazzo_load_file_uri(path);
	file->refused = refused;
	import->files = lappend(import->files, file);
}

/* urlmap.tsv: a URL, a tab, and a path in the directory on each line. */
static void
read_url_map(Import *import)
{
	char	   *path = psprintf("%s/%s", import->root, URL_MAP);
	struct stat status;
	size_t		length;
	char	   *line;
	int			number = 0;

	if (lstat(path, &status) != 0 || !S_ISREG(status.st_mode))
		return;
	line = arazzo_load_read_file(path, &length);
	while (line && *line)
	{
		char	   *end = strchr(line, '\n');

		CHECK_FOR_INTERRUPTS();
		if (end)
			*end++ = '\0';
		add_url(import, line, ++number);
		line = end;
	}
}

static void
add_url(Import *import, char *line, int number)
{
	char	   *tab = strchr(line, '\t');
	ImportFile *url;
	size_t		length = strlen(line);

	if (length > 0 && line[length - 1] == '\r')
		line[--length] = '\0';
	if (length == 0 || line[0] == '#')
		return;
	if (tab == NULL || tab[1] == '\0')
		ereport(ERROR,
				errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				errmsg("line %d of \"%s/%s\" is not a URL, a tab and a path", number, import->root, URL_MAP));
	*tab = '\0';
	url = palloc0(sizeof(ImportFile));
	url->uri = pstrdup(line);
	url->path = psprintf("%s/%s", import->root, tab + 1);
	canonicalize_path(url->path);
	import->urls = lappend(import->urls, url);
}

static char *
mapped_url(const Import *import, const char *path)
{
	ListCell   *cell;

	foreach(cell, import->urls)
	{
		ImportFile *url = lfirst(cell);

		if (strcmp(url->path, path) == 0)
			return url->uri;
	}
	return NULL;
}

static int
compare_files(const ListCell *a, const ListCell *b)
{
	return strcmp(((ImportFile *) lfirst(a))->path, ((ImportFile *) lfirst(b))->path);
}

/* Notes that a URI is loaded by this import; false when it was already. */
static bool
take_up(Import *import, const char *uri)
{
	bool		found;

	if (strlen(uri) >= MAXPGPATH)
		return false;
	(void) hash_search(import->uris, uri, HASH_ENTER, &found);
	return !found;
}

/* Loads a file or notes why it cannot be loaded. */
static void
import_file(Import *import, ImportFile *file)
{
	MemoryContext caller = CurrentMemoryContext;
	ArazzoFailure *failure;

	CHECK_FOR_INTERRUPTS();
	if (file->refused)
	{
		file->problem = file->refused;
		return;
	}
	MemoryContextSwitchTo(import->scratch);
	failure = arazzo_try(import_in_subtransaction, file);
	MemoryContextSwitchTo(caller);
	if (failure)
		file->problem = failure->detail ? psprintf("%s. %s", failure->message, failure->detail) :
			pstrdup(failure->message);
	MemoryContextReset(import->scratch);
}

static void
import_in_subtransaction(void *argument)
{
	ImportFile *file = argument;
	MemoryContext keep = GetMemoryChunkContext(file);
	LoadedDocument document;
	size_t		length;
	char	   *text = arazzo_load_read_file(file->path, &length);
	MemoryContext old;
	ListCell   *cell;

	document = arazzo_load_text(file->uri, text, length);
	old = MemoryContextSwitchTo(keep);
	file->uri = pstrdup(document.uri);
	foreach(cell, document.workflow_ids)
		file->workflow_ids = lappend(file->workflow_ids, pstrdup(lfirst(cell)));
	note_sources(file, document.tree);
	file->loaded = true;
	MemoryContextSwitchTo(old);
}

/* Arazzo documents only: what their sources are called. */
static void
note_sources(ImportFile *file, const ArazzoNode *tree)
{
	const ArazzoNode *list = arazzo_node_member(tree, "sourceDescriptions");
	int			i;

	if (arazzo_node_member(tree, "arazzo") == NULL)
		return;
	for (i = 0; i < list->count; i++)
		file->sources = lappend(file->sources,
								pstrdup(arazzo_node_member_text(list->u.items[i], "url")));
}

/*
 * Loads the sources of documents that nothing was loaded for yet, under the
 * URI that the document has for them; returns what it loaded.
 */
static List *
load_displaced(Import *import, const List *documents)
{
	List	   *added = NIL;
	ListCell   *document;
	ListCell   *cell;

	foreach(document, documents)
	{
		ImportFile *file = lfirst(document);

		foreach(cell, file->sources)
		{
			char	   *uri = arazzo_uri_defragment(arazzo_uri_resolve(file->uri, lfirst(cell)), NULL);
			char	   *path = displaced_path(import, file->path, lfirst(cell));
			ImportFile *more;

			if (path == NULL || !take_up(import, uri))
				continue;
			more = palloc0(sizeof(ImportFile));
			more->path = path;
			more->uri = uri;
			import_file(import, more);
			added = lappend(added, more);
		}
	}
	return added;
}

/*
 * Where a source lies: at its relative URL seen from the document, or from
 * one of the directories above it; for a URL of the map, where that says.
 * NULL when there is no such file in the directory.
 */
static char *
displaced_path(const Import *import, const char *path, const char *url)
{
	char	   *directory = pstrdup(path);
	ListCell   *cell;

	foreach(cell, import->urls)
	{
		ImportFile *mapped = lfirst(cell);

		if (strcmp(mapped->uri, url) == 0)
			return is_file_inside(import, mapped->path) ? mapped->path : NULL;
	}
	if (arazzo_uri_is_absolute(url))
		return NULL;
	url = arazzo_uri_defragment(url, NULL);
	url = arazzo_uri_decode(url, strlen(url));
	while (url && strlen(directory) > strlen(import->root))
	{
		char	   *candidate;

		get_parent_directory(directory);
		candidate = psprintf("%s/%s", directory, url);
		canonicalize_path(candidate);
		if (is_file_inside(import, candidate))
			return candidate;
	}
	return NULL;
}

/* A regular file of the directory, links resolved. */
static bool
is_file_inside(const Import *import, const char *path)
{
	char		target[PATH_MAX];
	struct stat status;

	return realpath(path, target) != NULL && is_inside(import, target) &&
		stat(target, &status) == 0 && S_ISREG(status.st_mode);
}

/* What cannot be run, now that all is loaded. */
static void
judge_workflows(Import *import)
{
	MemoryContext keep = CurrentMemoryContext;
	ArazzoLibrary *library;
	ListCell   *document;
	ListCell   *cell;

	foreach(document, import->files)
	{
		ImportFile *file = lfirst(document);
		StringInfoData problem;

		if (file->workflow_ids == NIL)
			continue;
		initStringInfo(&problem);
		MemoryContextSwitchTo(import->scratch);
		library = arazzo_library_create();
		foreach(cell, file->workflow_ids)
		{
			ArazzoFailure *failure = arazzo_load_problem(library, file->uri, lfirst(cell));

			if (failure)
				appendStringInfo(&problem, "%sworkflow \"%s\" cannot be run: %s. %s%s%s",
								 problem.len > 0 ? "\n" : "", (char *) lfirst(cell), failure->message,
								 failure->detail ? failure->detail : "",
								 failure->hint ? " " : "", failure->hint ? failure->hint : "");
		}
		MemoryContextSwitchTo(keep);
		MemoryContextReset(import->scratch);
		if (problem.len > 0)
			file->problem = problem.data;
	}
}

static void
put_rows(const Import *import, ReturnSetInfo *result)
{
	ListCell   *cell;

	foreach(cell, import->files)
	{
		ImportFile *file = lfirst(cell);
		Datum		values[IMPORT_COLUMNS];
		bool		nulls[IMPORT_COLUMNS] = {false};

		values[0] = CStringGetTextDatum(file->uri);
		values[1] = CStringGetTextDatum(file->path + strlen(import->root) + 1);
		values[2] = BoolGetDatum(file->loaded);
		nulls[3] = file->problem == NULL;
		values[3] = file->problem ? CStringGetTextDatum(file->problem) : (Datum) 0;
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
}
