/*-------------------------------------------------------------------------
 *
 * connection.c
 *	  Connections: a foreign server of the wrapper "arazzo" and the user
 *	  mapping of the role that runs.
 *
 * All servers of the wrapper are kept in a cache of the backend, with the
 * connections that were made of them.  A change of any server, mapping or
 * wrapper marks the cache as stale; the next look-up builds another, and the
 * old one stays until the command that may still use it is over.  Whether a
 * role may use a server is asked at every look-up, never cached.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/reloptions.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/pg_foreign_server.h"
#include "catalog/pg_user_mapping.h"
#include "commands/defrem.h"
#include "foreign/foreign.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/inval.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/syscache.h"

#include "http/connection.h"
#include "http/options.h"
#include "http/secret_file.h"
#include "http/url.h"
#include "support/compat.h"
#include "support/settings.h"

#define WRAPPER_NAME				"arazzo"
#define DEFAULT_HEADER_BYTES		(256 * 1024)
#define DEFAULT_RETRY_LIMIT			10

/* A connection of a role as it is kept: 0 stands for "as the settings say". */
typedef struct ServerCache ServerCache;

typedef struct RoleConnection
{
	ArazzoConnection connection;	/* first */
	ServerCache *cache;			/* that it is part of */
	int			connect_timeout;
	int			timeout;
	int			max_response_bytes;
	SecretFile	secret_file;
	struct RoleConnection *next;
} RoleConnection;

typedef struct CachedServer
{
	Oid			oid;
	const char *name;
	const char *api;			/* without trailing slash */
	HttpUrl		api_url;
	List	   *options;		/* of DefElem */
	RoleConnection *connections;
} CachedServer;

struct ServerCache
{
	MemoryContext context;
	List	   *servers;		/* of CachedServer, by name */
	int			kept;			/* connections that are to stay */
	TimestampTz retired;		/* start of the command that may still use it */
	ServerCache *older;
};

static ServerCache *cache = NULL;
static ServerCache *retired_caches = NULL;
static bool cache_stale = false;

static void mark_stale(Datum argument, int cache_id, uint32 hash_value);
static void let_go(void *argument);
static ServerCache *current_cache(void);
static void drop_retired_caches(void);
static ServerCache *build_cache(void);
static void read_servers(ServerCache *building, Oid wrapper);
static void add_server(ServerCache *building, HeapTuple tuple, TupleDesc descriptor);
static int	compare_servers(const ListCell *a, const ListCell *b);
static char *without_trailing_slash(const char *url);
static CachedServer *find_server(const char *url, Oid role);
static bool may_use(const CachedServer *server, Oid role);
static ArazzoFailure *no_server_failure(const char *url);
static ArazzoFailure *no_usage_failure(const CachedServer *server, Oid role);
static char *base_of(const char *url);
static RoleConnection *find_connection(CachedServer *server, Oid role);
static RoleConnection *make_connection(CachedServer *server, Oid role, ArazzoFailure **failure);
static RoleConnection *create_connection(CachedServer *server, Oid role);
static void apply_server_options(RoleConnection *entry, const List *options);
static void apply_mapping_options(ArazzoConnection *connection, const List *options);
static bool read_mapping(Oid role, Oid server, List **options);

void
arazzo_connection_init(void)
{
	CacheRegisterSyscacheCallback(FOREIGNSERVEROID, mark_stale, (Datum) 0);
	CacheRegisterSyscacheCallback(USERMAPPINGOID, mark_stale, (Datum) 0);
	CacheRegisterSyscacheCallback(FOREIGNDATAWRAPPEROID, mark_stale, (Datum) 0);
}

/* May be called at any time: what is in use is not touched. */
static void
mark_stale(Datum argument, int cache_id, uint32 hash_value)
{
	cache_stale = true;
}

const ArazzoConnection *
arazzo_connection_find(const char *url, Oid role, ArazzoFailure **failure)
{
	CachedServer *server = find_server(url, role);
	RoleConnection *entry;
	HttpOptions *http;

	if (server == NULL)
	{
		*failure = no_server_failure(url);
		return NULL;
	}
	if (!may_use(server, role))
	{
		*failure = no_usage_failure(server, role);
		return NULL;
	}
	entry = find_connection(server, role);
	if (entry && entry->secret_file.path && arazzo_secret_file_changed(&entry->secret_file))
	{
		/* who still uses what it said before keeps it with the old cache */
		cache_stale = true;
		return arazzo_connection_find(url, role, failure);
	}
	if (entry == NULL && (entry = make_connection(server, role, failure)) == NULL)
		return NULL;
	http = &entry->connection.http;
	http->connect_timeout = entry->connect_timeout > 0 ? entry->connect_timeout : arazzo_connect_timeout;
	http->timeout = entry->timeout > 0 ? entry->timeout : arazzo_timeout;
	http->max_response_bytes = entry->max_response_bytes > 0 ?
		entry->max_response_bytes : (int64) arazzo_max_response_kb * 1024;
	return &entry->connection;
}

void
arazzo_connection_keep(const ArazzoConnection *connection)
{
	MemoryContextCallback *callback = palloc(sizeof(MemoryContextCallback));
	ServerCache *of = ((const RoleConnection *) connection)->cache;

	callback->func = let_go;
	callback->arg = of;
	MemoryContextRegisterResetCallback(CurrentMemoryContext, callback);
	of->kept++;
}

static void
let_go(void *argument)
{
	((ServerCache *) argument)->kept--;
}

char *
arazzo_connection_rewrite(const ArazzoConnection *connection, const char *url)
{
	HttpUrl		api;
	HttpUrl		parsed;
	int			covered;

	if (arazzo_url_parse_any(connection->api, &api) != NULL ||
		arazzo_url_parse_any(url, &parsed) != NULL ||
		(covered = arazzo_url_covers(&api, &parsed)) < 0)
		elog(ERROR, "URL does not belong to server \"%s\"", connection->server_name);
	return psprintf("%s%s", connection->url, parsed.path + covered);
}

char *
arazzo_connection_locate(const ArazzoConnection *connection, const char *url)
{
	HttpUrl		base;
	HttpUrl		parsed;

	if (arazzo_url_parse(url, &parsed) != NULL)
		return NULL;
	if (arazzo_url_parse(connection->api, &base) == NULL && arazzo_url_covers(&base, &parsed) >= 0)
		return arazzo_connection_rewrite(connection, url);
	if (arazzo_url_parse(connection->url, &base) == NULL && arazzo_url_covers(&base, &parsed) >= 0)
		return pstrdup(url);
	return NULL;
}

const char *
arazzo_connection_server_name(const char *url)
{
	CachedServer *server = find_server(url, InvalidOid);

	return server == NULL ? NULL : server->name;
}

/* The cache, built anew when anything it was made of has changed. */
static ServerCache *
current_cache(void)
{
	drop_retired_caches();
	while (cache == NULL || cache_stale)
	{
		ServerCache *built;

		cache_stale = false;
		built = build_cache();
		if (cache != NULL)
		{
			cache->retired = GetCurrentStatementStartTimestamp();
			cache->older = retired_caches;
			retired_caches = cache;
		}
		cache = built;
	}
	return cache;
}

/* Callers hold connections of a retired cache until their command is over. */
static void
drop_retired_caches(void)
{
	TimestampTz command = GetCurrentStatementStartTimestamp();
	ServerCache **link = &retired_caches;

	while (*link != NULL)
	{
		ServerCache *old = *link;

		if (old->retired == command || old->kept > 0)
		{
			link = &old->older;
			continue;
		}
		*link = old->older;
		MemoryContextDelete(old->context);
	}
}

/* Becomes permanent only when it is complete: an error leaves nothing. */
static ServerCache *
build_cache(void)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "arazzo connections",
												  ALLOCSET_SMALL_SIZES);
	MemoryContext caller = MemoryContextSwitchTo(context);
	ServerCache *building = palloc0(sizeof(ServerCache));
	Oid			wrapper = get_foreign_data_wrapper_oid(WRAPPER_NAME, true);

	building->context = context;
	if (OidIsValid(wrapper))
		read_servers(building, wrapper);
	list_sort(building->servers, compare_servers);
	MemoryContextSwitchTo(caller);
	MemoryContextSetParent(context, CacheMemoryContext);
	return building;
}

/* pg_foreign_server has no index on the wrapper, and few rows. */
static void
read_servers(ServerCache *building, Oid wrapper)
{
	Relation	relation = table_open(ForeignServerRelationId, AccessShareLock);
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	tuple;

	ScanKeyInit(&key, Anum_pg_foreign_server_srvfdw, BTEqualStrategyNumber,
				F_OIDEQ, ObjectIdGetDatum(wrapper));
	scan = systable_beginscan(relation, InvalidOid, false, NULL, 1, &key);
	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
		add_server(building, tuple, RelationGetDescr(relation));
	systable_endscan(scan);
	table_close(relation, AccessShareLock);
}

/* A server without api, or with one that another version accepted, serves nothing. */
static void
add_server(ServerCache *building, HeapTuple tuple, TupleDesc descriptor)
{
	Form_pg_foreign_server form = (Form_pg_foreign_server) GETSTRUCT(tuple);
	CachedServer *server = palloc0(sizeof(CachedServer));
	const char *api;
	Datum		options;
	bool		is_null;

	server->oid = form->oid;
	server->name = pstrdup(NameStr(form->srvname));
	options = heap_getattr(tuple, Anum_pg_foreign_server_srvoptions, descriptor, &is_null);
	if (!is_null)
		server->options = untransformRelOptions(options);
	api = arazzo_option_value(server->options, "api");
	if (api == NULL)
		return;
	server->api = without_trailing_slash(api);
	if (arazzo_url_parse_any(server->api, &server->api_url) == NULL)
		building->servers = lappend(building->servers, server);
}

static int
compare_servers(const ListCell *a, const ListCell *b)
{
	const CachedServer *left = lfirst(a);
	const CachedServer *right = lfirst(b);

	return strcmp(left->name, right->name);
}

static char *
without_trailing_slash(const char *url)
{
	char	   *copy = pstrdup(url);
	int			length = strlen(copy);

	while (length > 0 && copy[length - 1] == '/')
		copy[--length] = '\0';
	return copy;
}

/*
 * The server whose api covers most of a URL.  Among several with the same
 * one, the first by name that the role may use, else the first by name.
 */
static CachedServer *
find_server(const char *url, Oid role)
{
	CachedServer *best = NULL;
	int			best_covered = -1;
	HttpUrl		parsed;
	ListCell   *cell;

	if (arazzo_url_parse_any(url, &parsed) != NULL)
		return NULL;
	foreach(cell, current_cache()->servers)
	{
		CachedServer *server = lfirst(cell);
		int			covered = arazzo_url_covers(&server->api_url, &parsed);

		if (covered > best_covered ||
			(covered == best_covered && covered >= 0 && OidIsValid(role) &&
			 !may_use(best, role) && may_use(server, role)))
		{
			best = server;
			best_covered = covered;
		}
	}
	return best;
}

static bool
may_use(const CachedServer *server, Oid role)
{
	return arazzo_server_aclcheck(server->oid, role, ACL_USAGE) == ACLCHECK_OK;
}

static ArazzoFailure *
no_server_failure(const char *url)
{
	HttpUrl		parsed;
	const char *problem = arazzo_url_parse_any(url, &parsed);
	ArazzoFailure *failure;

	if (problem != NULL)
		return arazzo_failure_make(ERRCODE_INSUFFICIENT_PRIVILEGE, "URL of the request %s", problem);
	failure = arazzo_failure_make(ERRCODE_INSUFFICIENT_PRIVILEGE,
								  "there is no server for \"%s\"", base_of(url));
	if (!parsed.secure && !parsed.database && !arazzo_url_is_loopback(&parsed))
		return arazzo_failure_hint(failure, "Use https; plain http is for loopback addresses.");
	return arazzo_failure_hint(failure, "An administrator can allow it: CREATE SERVER name FOREIGN DATA WRAPPER %s OPTIONS (api '%s').",
							   WRAPPER_NAME, base_of(url));
}

/* Scheme, host and port of a URL that can be parsed: paths may hold secrets. */
static char *
base_of(const char *url)
{
	HttpUrl		parsed;

	arazzo_url_parse_any(url, &parsed);
	return pnstrdup(url, parsed.path - url);
}

static ArazzoFailure *
no_usage_failure(const CachedServer *server, Oid role)
{
	ArazzoFailure *failure = arazzo_failure_make(ERRCODE_INSUFFICIENT_PRIVILEGE,
												 "permission denied for foreign server %s", server->name);
	const char *role_name = GetUserNameFromId(role, true);

	if (role_name == NULL)
		return failure;
	return arazzo_failure_hint(failure, "An administrator can allow it: GRANT USAGE ON FOREIGN SERVER %s TO %s.",
							   quote_identifier(server->name), quote_identifier(role_name));
}

static RoleConnection *
find_connection(CachedServer *server, Oid role)
{
	RoleConnection *entry;

	for (entry = server->connections; entry != NULL; entry = entry->next)
	{
		if (entry->connection.role == role)
			return entry;
	}
	return NULL;
}

/* What the file says counts before what the mapping itself does. */
static RoleConnection *
make_connection(CachedServer *server, Oid role, ArazzoFailure **failure)
{
	SecretFile	file = {0};
	List	   *mapping;
	List	   *secrets = NIL;
	bool		has_mapping = read_mapping(role, server->oid, &mapping);
	MemoryContext caller;
	RoleConnection *entry;

	file.path = arazzo_option_value(mapping, "secret_file");
	if (file.path && !arazzo_secret_file_read(&file, server->name, &secrets, failure))
		return NULL;
	caller = MemoryContextSwitchTo(GetMemoryChunkContext(server));
	entry = create_connection(server, role);
	entry->secret_file = file;
	if (file.path)
		entry->secret_file.path = pstrdup(file.path);
	entry->connection.has_mapping = has_mapping;
	apply_mapping_options(&entry->connection, copyObject(list_concat(secrets, mapping)));
	MemoryContextSwitchTo(caller);

	/* as the last thing: an error leaves no connection without credentials */
	entry->next = server->connections;
	server->connections = entry;
	return entry;
}

/* What the server alone says, in the cache's context, which is current. */
static RoleConnection *
create_connection(CachedServer *server, Oid role)
{
	RoleConnection *entry = palloc0(sizeof(RoleConnection));
	ArazzoConnection *connection = &entry->connection;
	const char *url = arazzo_option_value(server->options, "url");
	HttpUrl		parsed;

	connection->server = server->oid;
	connection->role = role;
	connection->role_name = GetUserNameFromId(role, true);
	connection->server_name = server->name;
	connection->api = server->api;
	connection->url = url == NULL ? server->api : without_trailing_slash(url);
	connection->http.pool = ((uint64) role << 32) | server->oid;
	connection->http.allow_loopback = arazzo_url_parse_any(connection->url, &parsed) == NULL &&
		arazzo_url_is_loopback(&parsed);
	entry->cache = cache;
	connection->http.max_header_bytes = DEFAULT_HEADER_BYTES;
	connection->retry_limit = DEFAULT_RETRY_LIMIT;
	apply_server_options(entry, server->options);
	return entry;
}

/* Values that the validator would refuse leave the defaults in place. */
static void
apply_server_options(RoleConnection *entry, const List *options)
{
	ArazzoConnection *connection = &entry->connection;
	const char *value;

	if ((value = arazzo_option_value(options, "connect_timeout")) != NULL)
		arazzo_option_time(value, &entry->connect_timeout);
	if ((value = arazzo_option_value(options, "timeout")) != NULL)
		arazzo_option_time(value, &entry->timeout);
	if ((value = arazzo_option_value(options, "max_response_bytes")) != NULL)
		arazzo_option_bytes(value, &entry->max_response_bytes);
	if ((value = arazzo_option_value(options, "max_header_bytes")) != NULL)
		arazzo_option_bytes(value, &connection->http.max_header_bytes);
	if ((value = arazzo_option_value(options, "max_concurrency")) != NULL)
		arazzo_option_count(value, &connection->max_concurrency);
	if ((value = arazzo_option_value(options, "retry_limit")) != NULL)
		arazzo_option_count(value, &connection->retry_limit);
	if ((value = arazzo_option_value(options, "max_rate")) != NULL)
		arazzo_option_rate(value, &connection->max_rate);
	if ((value = arazzo_option_value(options, "idempotency_key")) != NULL)
		arazzo_option_key_place(value, &connection->key_place, &connection->key_name);
	if ((value = arazzo_option_value(options, "idempotency_window")) != NULL)
		arazzo_option_duration(value, &connection->idempotency_window);
	if ((value = arazzo_option_value(options, "duplicate_response")) != NULL)
		arazzo_option_response(value, &connection->duplicate_status, &connection->duplicate_text);
	connection->http.ca_file = arazzo_option_value(options, "ca_file");
	connection->http.crl_file = arazzo_option_value(options, "crl_file");
	connection->http.pinned_public_key = arazzo_option_value(options, "pinned_public_key");
	connection->http.allow_private = arazzo_option_value(options, "allow_private");
	connection->http.proxy = arazzo_option_value(options, "proxy");
	connection->token_url = arazzo_option_value(options, "token_url");
}

static void
apply_mapping_options(ArazzoConnection *connection, const List *options)
{
	ConnectionCredentials *credentials = &connection->credentials;
	const char *value;

	credentials->api_key = arazzo_option_value(options, "api_key");
	credentials->api_key_next = arazzo_option_value(options, "api_key_next");
	credentials->token = arazzo_option_value(options, "token");
	credentials->token_next = arazzo_option_value(options, "token_next");
	credentials->user = arazzo_option_value(options, "user");
	credentials->password = arazzo_option_value(options, "password");
	credentials->client_id = arazzo_option_value(options, "client_id");
	credentials->client_secret = arazzo_option_value(options, "client_secret");
	if ((value = arazzo_option_value(options, "client_auth")) != NULL)
		(void) arazzo_option_client_auth(value, &credentials->client_post);
	connection->http.client_cert = arazzo_option_value(options, "client_cert");
	connection->http.client_key = arazzo_option_value(options, "client_key");
}

/*
 * Options of the mapping that a role has on a server, else of PUBLIC's.
 * GetUserMapping() would throw where there is none.
 */
static bool
read_mapping(Oid role, Oid server, List **options)
{
	HeapTuple	tuple;
	Datum		datum;
	bool		is_null;

	*options = NIL;
	tuple = SearchSysCache2(USERMAPPINGUSERSERVER, ObjectIdGetDatum(role), ObjectIdGetDatum(server));
	if (!HeapTupleIsValid(tuple))
		tuple = SearchSysCache2(USERMAPPINGUSERSERVER, ObjectIdGetDatum(InvalidOid),
								ObjectIdGetDatum(server));
	if (!HeapTupleIsValid(tuple))
		return false;
	datum = SysCacheGetAttr(USERMAPPINGUSERSERVER, tuple, Anum_pg_user_mapping_umoptions, &is_null);
	if (!is_null)
		*options = untransformRelOptions(datum);
	ReleaseSysCache(tuple);
	return true;
}
