\echo Use "CREATE EXTENSION amberflo_arazzo" to load this file. \quit

-- Documents ---------------------------------------------------------------

CREATE TABLE @extschema@.arazzo_documents (
    uri text COLLATE "C" NOT NULL,
    kind text NOT NULL,
    version text NOT NULL,
    title text,
    self text COLLATE "C",
    workflow_ids text[] NOT NULL DEFAULT '{}',
    shipped boolean NOT NULL DEFAULT false,
    loaded_by name NOT NULL,
    loaded_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
    source text NOT NULL,
    content jsonb NOT NULL,
    CONSTRAINT arazzo_documents_pkey PRIMARY KEY (uri),
    CONSTRAINT arazzo_documents_kind_check
        CHECK (kind OPERATOR(pg_catalog.=) ANY (ARRAY['arazzo', 'openapi', 'asyncapi', 'other']))
);
COMMENT ON TABLE @extschema@.arazzo_documents IS
'Arazzo and OpenAPI documents by URI: source text as loaded, and content as jsonb';
CREATE INDEX arazzo_documents_workflow_ids ON @extschema@.arazzo_documents USING gin (workflow_ids);
CREATE INDEX arazzo_documents_self ON @extschema@.arazzo_documents (self) WHERE self IS NOT NULL;
REVOKE ALL ON TABLE @extschema@.arazzo_documents FROM PUBLIC;

-- Documents that ship come back with CREATE EXTENSION; the others are dumped.
SELECT pg_catalog.pg_extension_config_dump('@extschema@.arazzo_documents', 'WHERE NOT shipped');

CREATE FUNCTION @extschema@.arazzo_documents_changed() RETURNS trigger
AS 'MODULE_PATHNAME' LANGUAGE C;
COMMENT ON FUNCTION @extschema@.arazzo_documents_changed() IS
'makes every session forget the plans it has cached';
REVOKE ALL ON FUNCTION @extschema@.arazzo_documents_changed() FROM PUBLIC;

CREATE TRIGGER arazzo_documents_changed
AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON @extschema@.arazzo_documents
FOR EACH STATEMENT EXECUTE FUNCTION @extschema@.arazzo_documents_changed();

CREATE FUNCTION @extschema@.arazzo_load(uri text, document text) RETURNS text
AS 'MODULE_PATHNAME' LANGUAGE C STRICT VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION @extschema@.arazzo_load(text, text) IS
'load an Arazzo or OpenAPI document (YAML or JSON) under a URI, in place of the one that was there; returns the URI';
REVOKE ALL ON FUNCTION @extschema@.arazzo_load(text, text) FROM PUBLIC;

CREATE FUNCTION @extschema@.arazzo_load_file(path text) RETURNS text
AS 'MODULE_PATHNAME' LANGUAGE C STRICT VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION @extschema@.arazzo_load_file(text) IS
'load a document from a file of the server; needs the privileges of pg_read_server_files';
REVOKE ALL ON FUNCTION @extschema@.arazzo_load_file(text) FROM PUBLIC;

CREATE FUNCTION @extschema@.arazzo_unload(uri text) RETURNS void
AS 'MODULE_PATHNAME' LANGUAGE C STRICT VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION @extschema@.arazzo_unload(text) IS
'remove a document';
REVOKE ALL ON FUNCTION @extschema@.arazzo_unload(text) FROM PUBLIC;

CREATE FUNCTION @extschema@.arazzo_check(
    document text,
    uri text DEFAULT NULL,
    OUT severity text,
    OUT code text,
    OUT line integer,
    OUT col integer,
    OUT pointer text,
    OUT message text,
    OUT hint text
) RETURNS SETOF record
AS 'MODULE_PATHNAME' LANGUAGE C STABLE PARALLEL UNSAFE;
COMMENT ON FUNCTION @extschema@.arazzo_check(text, text) IS
'what is wrong with a document, as far as it can be known before a run; uri is what its references are resolved against';

CREATE FUNCTION @extschema@.arazzo_import(
    directory text,
    OUT uri text,
    OUT path text,
    OUT loaded boolean,
    OUT problem text
) RETURNS SETOF record
AS 'MODULE_PATHNAME' LANGUAGE C STRICT VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION @extschema@.arazzo_import(text) IS
'load all documents below a directory of the server with the sources they name; needs the privileges of pg_read_server_files';
REVOKE ALL ON FUNCTION @extschema@.arazzo_import(text) FROM PUBLIC;

-- Connections -------------------------------------------------------------

CREATE FUNCTION @extschema@.arazzo_option_validator(options text[], catalog oid) RETURNS void
AS 'MODULE_PATHNAME' LANGUAGE C STRICT;
COMMENT ON FUNCTION @extschema@.arazzo_option_validator(text[], oid) IS
'checks the options of servers and user mappings of the wrapper arazzo';
REVOKE ALL ON FUNCTION @extschema@.arazzo_option_validator(text[], oid) FROM PUBLIC;

CREATE FOREIGN DATA WRAPPER arazzo VALIDATOR @extschema@.arazzo_option_validator;
COMMENT ON FOREIGN DATA WRAPPER arazzo IS
'HTTP APIs that workflows may call: a server names the place, a user mapping holds the credential';

-- Runs --------------------------------------------------------------------

CREATE FUNCTION @extschema@.arazzo_run(workflow text, inputs jsonb DEFAULT '{}') RETURNS jsonb
AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION @extschema@.arazzo_run(text, jsonb) IS
'run a workflow now and return its outputs';
REVOKE ALL ON FUNCTION @extschema@.arazzo_run(text, jsonb) FROM PUBLIC;

CREATE FUNCTION @extschema@.arazzo_run_many(
    workflow text,
    inputs jsonb[],
    concurrency integer DEFAULT 16,
    OUT ordinal integer,
    OUT outputs jsonb,
    OUT error jsonb
) RETURNS SETOF record
AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION @extschema@.arazzo_run_many(text, jsonb[], integer) IS
'run a workflow once for each of many inputs, several at a time, and return outputs or error of each';
REVOKE ALL ON FUNCTION @extschema@.arazzo_run_many(text, jsonb[], integer) FROM PUBLIC;

CREATE FUNCTION @extschema@.arazzo_trace(
    workflow text,
    inputs jsonb DEFAULT '{}',
    OUT ordinal integer,
    OUT workflow_id text,
    OUT step text,
    OUT attempt integer,
    OUT method text,
    OUT url text,
    OUT request_headers jsonb,
    OUT request_body text,
    OUT status integer,
    OUT response_headers jsonb,
    OUT response_body text,
    OUT duration_ms double precision,
    OUT outcome text,
    OUT action text,
    OUT message text,
    OUT warnings text[],
    OUT outputs jsonb
) RETURNS SETOF record
AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION @extschema@.arazzo_trace(text, jsonb) IS
'run a workflow now and return every request and response, secrets masked; the last row is the run as a whole';
REVOKE ALL ON FUNCTION @extschema@.arazzo_trace(text, jsonb) FROM PUBLIC;

CREATE FUNCTION @extschema@.arazzo_explain(workflow text, inputs jsonb DEFAULT '{}') RETURNS SETOF text
AS 'MODULE_PATHNAME' LANGUAGE C STABLE PARALLEL UNSAFE;
COMMENT ON FUNCTION @extschema@.arazzo_explain(text, jsonb) IS
'show what a workflow would send, step by step; nothing is sent';

CREATE FUNCTION @extschema@.arazzo_workflows(
    OUT workflow_id text,
    OUT document text,
    OUT title text,
    OUT summary text,
    OUT input_schema jsonb,
    OUT required_inputs text[],
    OUT steps text[],
    OUT servers text[],
    OUT problem text
) RETURNS SETOF record
AS 'MODULE_PATHNAME' LANGUAGE C STABLE PARALLEL UNSAFE;
COMMENT ON FUNCTION @extschema@.arazzo_workflows() IS
'the rows of the view arazzo_workflows';

CREATE VIEW @extschema@.arazzo_workflows AS
SELECT workflow_id, document, title, summary, input_schema, required_inputs, steps, servers, problem
FROM @extschema@.arazzo_workflows();
COMMENT ON VIEW @extschema@.arazzo_workflows IS
'every workflow of every loaded document: what it needs, and why it cannot be run if it cannot';
GRANT SELECT ON @extschema@.arazzo_workflows TO PUBLIC;

-- Queued runs -------------------------------------------------------------

CREATE SEQUENCE @extschema@.arazzo_run_ids;
CREATE SEQUENCE @extschema@.arazzo_attempt_ids;
CREATE SEQUENCE @extschema@.arazzo_claims;
REVOKE ALL ON SEQUENCE @extschema@.arazzo_run_ids, @extschema@.arazzo_attempt_ids, @extschema@.arazzo_claims FROM PUBLIC;

CREATE TABLE @extschema@.arazzo_queue (
    id bigint NOT NULL DEFAULT pg_catalog.nextval('@extschema@.arazzo_run_ids'),
    owner regrole NOT NULL,
    document text COLLATE "C" NOT NULL,
    workflow text COLLATE "C" NOT NULL,
    version text COLLATE "C" NOT NULL,
    inputs jsonb NOT NULL,
    key text COLLATE "C",
    nonce uuid NOT NULL DEFAULT pg_catalog.gen_random_uuid(),
    order_key text COLLATE "C",
    notify text COLLATE "C",
    split boolean NOT NULL DEFAULT false,
    parent bigint,
    status text COLLATE "C" NOT NULL DEFAULT 'queued',
    due timestamptz,
    hold text COLLATE "C",
    claim bigint,
    claimed_at timestamptz,
    state jsonb,
    sending text,
    unanswered_since timestamptz,
    retries integer NOT NULL DEFAULT 0,
    crashes integer NOT NULL DEFAULT 0,
    verdict text,
    verdict_outputs jsonb,
    outputs jsonb,
    ended_by text,
    sqlstate text,
    message text,
    detail text,
    hint text,
    submitted_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
    started_at timestamptz,
    finished_at timestamptz,
    CONSTRAINT arazzo_queue_pkey PRIMARY KEY (id),
    CONSTRAINT arazzo_queue_status_check CHECK (status OPERATOR(pg_catalog.=) ANY
        (ARRAY['queued', 'running', 'waiting', 'succeeded', 'failed', 'in_doubt', 'cancelled'])),
    CONSTRAINT arazzo_queue_due_check CHECK
        ((due IS NOT NULL OR hold IS NOT NULL) OPERATOR(pg_catalog.=)
            (status OPERATOR(pg_catalog.=) ANY (ARRAY['queued', 'waiting']))),
    CONSTRAINT arazzo_queue_hold_check CHECK (due IS NULL OR hold IS NULL),
    CONSTRAINT arazzo_queue_claim_check CHECK
        ((claim IS NOT NULL) OPERATOR(pg_catalog.=) (status OPERATOR(pg_catalog.=) 'running'))
) WITH (
    autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_threshold = 2000,
    autovacuum_vacuum_insert_scale_factor = 0.1, autovacuum_vacuum_cost_delay = 0
);
COMMENT ON TABLE @extschema@.arazzo_queue IS
'queued runs: each row is also the checkpoint of its run; read them through the view arazzo_runs';
CREATE UNIQUE INDEX arazzo_queue_key ON @extschema@.arazzo_queue (owner, key) WHERE key IS NOT NULL;
CREATE INDEX arazzo_queue_due ON @extschema@.arazzo_queue (due, id) WHERE due IS NOT NULL;
CREATE INDEX arazzo_queue_suspects ON @extschema@.arazzo_queue (due, id) WHERE crashes >= 2 AND due IS NOT NULL;
CREATE INDEX arazzo_queue_claim ON @extschema@.arazzo_queue (claim) WHERE claim IS NOT NULL;
CREATE INDEX arazzo_queue_hold ON @extschema@.arazzo_queue (hold, owner, id) WHERE hold IS NOT NULL;
CREATE INDEX arazzo_queue_order ON @extschema@.arazzo_queue (owner, order_key, id)
    WHERE order_key IS NOT NULL AND finished_at IS NULL;
CREATE INDEX arazzo_queue_finished_at ON @extschema@.arazzo_queue (finished_at) WHERE finished_at IS NOT NULL;
REVOKE ALL ON TABLE @extschema@.arazzo_queue FROM PUBLIC;

CREATE TABLE @extschema@.arazzo_queue_attempts (
    id bigint NOT NULL DEFAULT pg_catalog.nextval('@extschema@.arazzo_attempt_ids'),
    run bigint NOT NULL,
    workflow text NOT NULL,
    step text NOT NULL,
    attempt integer NOT NULL,
    method text,
    url text,
    idempotency_key text,
    request_body text,
    status integer,
    response_body text,
    duration_ms double precision,
    outcome text NOT NULL,
    action text,
    message text,
    server text COLLATE "C",
    ended_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
    CONSTRAINT arazzo_queue_attempts_pkey PRIMARY KEY (id)
);
COMMENT ON TABLE @extschema@.arazzo_queue_attempts IS
'every attempt of every step of queued runs, secrets masked and bodies cut; read them through the view arazzo_run_steps';
CREATE INDEX arazzo_queue_attempts_run ON @extschema@.arazzo_queue_attempts (run);
REVOKE ALL ON TABLE @extschema@.arazzo_queue_attempts FROM PUBLIC;

-- It is dumped, since the runs that it holds back are: a hold without the
-- state that set it would have no end.
CREATE TABLE @extschema@.arazzo_server_states (
    server text COLLATE "C" NOT NULL,
    owner regrole NOT NULL DEFAULT 0::pg_catalog.oid,
    state text COLLATE "C" NOT NULL,
    since timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
    until timestamptz,
    failures integer NOT NULL DEFAULT 0,
    reason text,
    CONSTRAINT arazzo_server_states_pkey PRIMARY KEY (server, owner),
    CONSTRAINT arazzo_server_states_state_check
        CHECK (state OPERATOR(pg_catalog.=) ANY (ARRAY['paused', 'broken', 'slow'])),
    CONSTRAINT arazzo_server_states_owner_check
        CHECK ((owner OPERATOR(pg_catalog.<>) 0::pg_catalog.oid) OPERATOR(pg_catalog.=)
            (state OPERATOR(pg_catalog.=) 'paused'))
);
COMMENT ON TABLE @extschema@.arazzo_server_states IS
'servers that queued runs wait for: paused after a refused credential (of the role owner), broken, or slow; read them through the view arazzo_servers';
REVOKE ALL ON TABLE @extschema@.arazzo_server_states FROM PUBLIC;

-- Runs of roles that were dropped stay behind: a dump has nothing but a number
-- for them, which may be another role's where it is restored.
SELECT pg_catalog.pg_extension_config_dump('@extschema@.arazzo_run_ids', '');
SELECT pg_catalog.pg_extension_config_dump('@extschema@.arazzo_attempt_ids', '');
SELECT pg_catalog.pg_extension_config_dump('@extschema@.arazzo_claims', '');
SELECT pg_catalog.pg_extension_config_dump('@extschema@.arazzo_queue',
    'WHERE EXISTS (SELECT FROM pg_catalog.pg_roles r WHERE r.oid OPERATOR(pg_catalog.=) owner)');
SELECT pg_catalog.pg_extension_config_dump('@extschema@.arazzo_queue_attempts',
    'WHERE EXISTS (SELECT FROM @extschema@.arazzo_queue q JOIN pg_catalog.pg_roles r ON r.oid OPERATOR(pg_catalog.=) q.owner
     WHERE q.id OPERATOR(pg_catalog.=) run)');
SELECT pg_catalog.pg_extension_config_dump('@extschema@.arazzo_server_states',
    'WHERE owner OPERATOR(pg_catalog.=) 0 OR EXISTS (SELECT FROM pg_catalog.pg_roles r WHERE r.oid OPERATOR(pg_catalog.=) owner)');

CREATE VIEW @extschema@.arazzo_runs WITH (security_barrier) AS
SELECT id AS run, workflow, document, owner, key, status, inputs, outputs, sending, due, retries,
    ended_by, sqlstate, message, detail, hint, submitted_at, started_at, finished_at
FROM @extschema@.arazzo_queue
WHERE pg_catalog.pg_has_role(owner, 'USAGE');
COMMENT ON VIEW @extschema@.arazzo_runs IS
'queued runs and what became of them; each role sees those of roles whose privileges it has';
GRANT SELECT ON @extschema@.arazzo_runs TO PUBLIC;

CREATE VIEW @extschema@.arazzo_run_steps WITH (security_barrier) AS
SELECT a.run, a.id AS ordinal, a.workflow, a.step, a.attempt, a.method, a.url, a.idempotency_key, a.request_body,
    a.status, a.response_body, a.duration_ms, a.outcome, a.action, a.message, a.ended_at
FROM @extschema@.arazzo_queue_attempts a
    JOIN @extschema@.arazzo_queue q ON q.id OPERATOR(pg_catalog.=) a.run
WHERE pg_catalog.pg_has_role(q.owner, 'USAGE');
COMMENT ON VIEW @extschema@.arazzo_run_steps IS
'every attempt of every step of queued runs, in order: request, answer, outcome';
GRANT SELECT ON @extschema@.arazzo_run_steps TO PUBLIC;

CREATE FUNCTION @extschema@.arazzo_submit(
    workflow text,
    inputs jsonb DEFAULT '{}',
    key text DEFAULT NULL,
    not_before timestamptz DEFAULT pg_catalog.now(),
    order_by text DEFAULT NULL,
    notify text DEFAULT NULL,
    split boolean DEFAULT false
) RETURNS bigint
AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION @extschema@.arazzo_submit(text, jsonb, text, timestamptz, text, text, boolean) IS
'queue a run, to be worked off once this transaction has committed; the same key again returns the same run';
REVOKE ALL ON FUNCTION @extschema@.arazzo_submit(text, jsonb, text, timestamptz, text, text, boolean) FROM PUBLIC;

CREATE FUNCTION @extschema@.arazzo_trigger() RETURNS trigger
AS 'MODULE_PATHNAME' LANGUAGE C;
COMMENT ON FUNCTION @extschema@.arazzo_trigger() IS
'queue a run for each row, or for the rows of a statement: (''workflow'', ''{template of its inputs}'' [, ''{options}''])';
REVOKE ALL ON FUNCTION @extschema@.arazzo_trigger() FROM PUBLIC;

CREATE FUNCTION @extschema@.arazzo_check_trigger() RETURNS event_trigger
AS 'MODULE_PATHNAME' LANGUAGE C;
COMMENT ON FUNCTION @extschema@.arazzo_check_trigger() IS
'says what is wrong with a trigger that calls arazzo_trigger when it is created';
REVOKE ALL ON FUNCTION @extschema@.arazzo_check_trigger() FROM PUBLIC;

CREATE EVENT TRIGGER arazzo_check_trigger ON ddl_command_end WHEN TAG IN ('CREATE TRIGGER')
EXECUTE FUNCTION @extschema@.arazzo_check_trigger();
COMMENT ON EVENT TRIGGER arazzo_check_trigger IS
'says what is wrong with a trigger that calls arazzo_trigger when it is created';

CREATE PROCEDURE @extschema@.arazzo_work("limit" integer DEFAULT NULL, INOUT worked integer DEFAULT NULL)
AS 'MODULE_PATHNAME' LANGUAGE C;
COMMENT ON PROCEDURE @extschema@.arazzo_work(integer, integer) IS
'work queued runs off from this session, each as the role that submitted it, until none is due';
REVOKE ALL ON PROCEDURE @extschema@.arazzo_work(integer, integer) FROM PUBLIC;

CREATE FUNCTION @extschema@.arazzo_retry(run bigint) RETURNS void
AS 'MODULE_PATHNAME' LANGUAGE C STRICT VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION @extschema@.arazzo_retry(bigint) IS
'let a queued run that failed go on from the step that failed, with the documents as they are now';
REVOKE ALL ON FUNCTION @extschema@.arazzo_retry(bigint) FROM PUBLIC;

CREATE FUNCTION @extschema@.arazzo_cancel(run bigint) RETURNS void
AS 'MODULE_PATHNAME' LANGUAGE C STRICT VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION @extschema@.arazzo_cancel(bigint) IS
'end a queued run: nothing more is sent for it';
REVOKE ALL ON FUNCTION @extschema@.arazzo_cancel(bigint) FROM PUBLIC;

CREATE FUNCTION @extschema@.arazzo_resolve(run bigint, verdict text, outputs jsonb DEFAULT NULL) RETURNS void
AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION @extschema@.arazzo_resolve(bigint, text, jsonb) IS
'let a queued run in doubt go on: send the call again (retry), or take it as done, with outputs of its step, or as failed';
REVOKE ALL ON FUNCTION @extschema@.arazzo_resolve(bigint, text, jsonb) FROM PUBLIC;

CREATE PROCEDURE @extschema@.arazzo_prune(older_than interval, INOUT pruned bigint DEFAULT NULL)
AS 'MODULE_PATHNAME' LANGUAGE C;
COMMENT ON PROCEDURE @extschema@.arazzo_prune(interval, bigint) IS
'delete queued runs that ended longer ago than this, and their attempts';
REVOKE ALL ON PROCEDURE @extschema@.arazzo_prune(interval, bigint) FROM PUBLIC;

-- Documents that ship -----------------------------------------------------
