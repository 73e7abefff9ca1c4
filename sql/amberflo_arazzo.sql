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
) USING heap WITH (
    autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_threshold = 2000,
    autovacuum_vacuum_insert_scale_factor = 0.1, autovacuum_vacuum_cost_delay = 0
);
COMMENT ON TABLE @extschema@.arazzo_queue IS
'queued runs: each row is also the checkpoint of its run; read them through the view arazzo_runs';
-- The inputs of a run may be thousands of rows; where the server has lz4, that
-- costs a fraction of the time.
DO $do$
BEGIN
    IF EXISTS (SELECT 1 FROM pg_catalog.pg_settings
        WHERE name OPERATOR(pg_catalog.=) 'default_toast_compression'
            AND 'lz4' OPERATOR(pg_catalog.=) ANY (enumvals)) THEN
        ALTER TABLE @extschema@.arazzo_queue ALTER COLUMN inputs SET COMPRESSION lz4;
    END IF;
END
$do$;
CREATE UNIQUE INDEX arazzo_queue_key ON @extschema@.arazzo_queue (key, owner) WHERE key IS NOT NULL;
CREATE INDEX arazzo_queue_due ON @extschema@.arazzo_queue (due, id) WHERE due IS NOT NULL;
CREATE INDEX arazzo_queue_suspects ON @extschema@.arazzo_queue (due, id) WHERE crashes >= 2 AND due IS NOT NULL;
CREATE INDEX arazzo_queue_claim ON @extschema@.arazzo_queue (claim) WHERE claim IS NOT NULL;
CREATE INDEX arazzo_queue_hold ON @extschema@.arazzo_queue (hold, owner, id) WHERE hold IS NOT NULL;
CREATE INDEX arazzo_queue_order ON @extschema@.arazzo_queue (owner, order_key, id)
    WHERE order_key IS NOT NULL AND finished_at IS NULL;
CREATE INDEX arazzo_queue_stopped ON @extschema@.arazzo_queue (status)
    WHERE finished_at IS NULL AND status OPERATOR(pg_catalog.=) ANY (ARRAY['in_doubt', 'cancelled']);
CREATE INDEX arazzo_queue_parent ON @extschema@.arazzo_queue (parent) WHERE parent IS NOT NULL;
CREATE INDEX arazzo_queue_finished_at ON @extschema@.arazzo_queue (finished_at) WHERE finished_at IS NOT NULL;
REVOKE ALL ON TABLE @extschema@.arazzo_queue FROM PUBLIC;

CREATE TABLE @extschema@.arazzo_queue_attempts (
    id bigint NOT NULL DEFAULT pg_catalog.nextval('@extschema@.arazzo_attempt_ids'),
    run bigint NOT NULL,
    owner regrole NOT NULL,
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
    CONSTRAINT arazzo_queue_attempts_pkey PRIMARY KEY (run, id)
);
COMMENT ON TABLE @extschema@.arazzo_queue_attempts IS
'every attempt of every step of queued runs, secrets masked and bodies cut; read them through the view arazzo_run_steps';
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

-- Each role sees the runs of roles whose privileges it has.  By row security,
-- since a view that hides rows could not use an index for their order.
-- Nobody but the owner writes, and statements of the extension run as him.
ALTER TABLE @extschema@.arazzo_queue ENABLE ROW LEVEL SECURITY;
CREATE POLICY arazzo_own ON @extschema@.arazzo_queue FOR SELECT
    USING (pg_catalog.pg_has_role(owner, 'USAGE'));
GRANT SELECT ON @extschema@.arazzo_queue TO PUBLIC;
ALTER TABLE @extschema@.arazzo_queue_attempts ENABLE ROW LEVEL SECURITY;
CREATE POLICY arazzo_own ON @extschema@.arazzo_queue_attempts FOR SELECT
    USING (pg_catalog.pg_has_role(owner, 'USAGE'));
GRANT SELECT ON @extschema@.arazzo_queue_attempts TO PUBLIC;

CREATE VIEW @extschema@.arazzo_runs WITH (security_invoker) AS
SELECT q.id AS run, q.workflow, q.document, q.owner, q.key, q.order_key AS order_by, q.parent, q.status, q.inputs,
    q.outputs, q.state OPERATOR(pg_catalog.#>>) '{frames,-1,step}' AS step, q.sending, q.unanswered_since, q.due, q.hold,
    q.retries,
    (SELECT pg_catalog.count(*) FROM @extschema@.arazzo_queue_attempts a WHERE a.run OPERATOR(pg_catalog.=) q.id) AS attempts,
    q.split, q.notify, q.ended_by, q.sqlstate, q.message, q.detail, q.hint, q.submitted_at, q.started_at, q.claimed_at,
    q.finished_at
FROM @extschema@.arazzo_queue q;
COMMENT ON VIEW @extschema@.arazzo_runs IS
'queued runs and what became of them; each role sees those of roles whose privileges it has';
GRANT SELECT ON @extschema@.arazzo_runs TO PUBLIC;

CREATE VIEW @extschema@.arazzo_run_steps WITH (security_invoker) AS
SELECT a.run, a.id AS ordinal, a.workflow, a.step, a.attempt, a.server, a.method, a.url, a.idempotency_key, a.request_body,
    a.status, a.response_body, a.duration_ms, a.outcome, a.action, a.message, a.ended_at
FROM @extschema@.arazzo_queue_attempts a;
COMMENT ON VIEW @extschema@.arazzo_run_steps IS
'every attempt of every step of queued runs, in order: request, answer, outcome';
GRANT SELECT ON @extschema@.arazzo_run_steps TO PUBLIC;

CREATE VIEW @extschema@.arazzo_servers WITH (security_barrier) AS
SELECT s.srvname::text COLLATE "C" AS server, COALESCE(t.state, 'ready') AS state,
    CASE WHEN t.state OPERATOR(pg_catalog.=) 'paused' THEN t.owner END AS role,
    t.since, t.until, t.failures, t.reason,
    (SELECT pg_catalog.count(*) FROM @extschema@.arazzo_queue q
     WHERE q.hold OPERATOR(pg_catalog.=) pg_catalog.concat('server ', s.srvname)
        AND (t.state IS DISTINCT FROM 'paused' OR q.owner OPERATOR(pg_catalog.=) t.owner)
        AND (pg_catalog.pg_has_role(s.srvowner, 'USAGE') OR pg_catalog.pg_has_role(q.owner, 'USAGE'))) AS held
FROM pg_catalog.pg_foreign_server s
    JOIN pg_catalog.pg_foreign_data_wrapper w ON w.oid OPERATOR(pg_catalog.=) s.srvfdw
    LEFT JOIN @extschema@.arazzo_server_states t ON t.server OPERATOR(pg_catalog.=) s.srvname::text COLLATE "C"
        AND (t.state OPERATOR(pg_catalog.<>) 'paused' OR pg_catalog.pg_has_role(s.srvowner, 'USAGE')
            OR pg_catalog.pg_has_role(t.owner, 'USAGE'))
WHERE w.fdwname OPERATOR(pg_catalog.=) 'arazzo'::name AND pg_catalog.has_server_privilege(s.oid, 'USAGE');
COMMENT ON VIEW @extschema@.arazzo_servers IS
'servers of the wrapper arazzo as queued runs see them: ready, paused for a role, broken or slow, and how many runs that holds back';
GRANT SELECT ON @extschema@.arazzo_servers TO PUBLIC;

ALTER TABLE @extschema@.arazzo_server_states ENABLE ROW LEVEL SECURITY;
CREATE POLICY arazzo_own ON @extschema@.arazzo_server_states FOR SELECT
    USING (state OPERATOR(pg_catalog.<>) 'paused' OR pg_catalog.pg_has_role(owner, 'USAGE'));

-- What is over is counted for the last hour, and calls among the last 50,000,
-- so that the cost does not grow with the history.
CREATE VIEW @extschema@.arazzo_stats WITH (security_barrier) AS
WITH runs AS (
    SELECT q.document, q.workflow,
        pg_catalog.count(*) FILTER (WHERE q.status OPERATOR(pg_catalog.=) 'queued') AS queued,
        pg_catalog.count(*) FILTER (WHERE q.status OPERATOR(pg_catalog.=) 'waiting') AS waiting,
        pg_catalog.count(q.hold) AS held,
        pg_catalog.count(*) FILTER (WHERE q.status OPERATOR(pg_catalog.=) 'running') AS running,
        pg_catalog.count(*) FILTER (WHERE q.status OPERATOR(pg_catalog.=) 'in_doubt') AS in_doubt,
        pg_catalog.count(*) FILTER (WHERE q.status OPERATOR(pg_catalog.=) 'succeeded') AS succeeded,
        pg_catalog.count(*) FILTER (WHERE q.status OPERATOR(pg_catalog.=) 'failed') AS failed,
        pg_catalog.count(*) FILTER (WHERE q.status OPERATOR(pg_catalog.=) 'cancelled') AS cancelled,
        pg_catalog.min(CASE WHEN q.hold IS NOT NULL THEN q.submitted_at
            WHEN q.due OPERATOR(pg_catalog.<=) pg_catalog.now() THEN q.due END) AS oldest_waiting
    FROM @extschema@.arazzo_queue q
    WHERE pg_catalog.pg_has_role(q.owner, 'USAGE')
        AND (q.due IS NOT NULL OR q.hold IS NOT NULL OR q.claim IS NOT NULL
            OR q.finished_at OPERATOR(pg_catalog.>) (pg_catalog.now() OPERATOR(pg_catalog.-) interval '1 hour')
            OR (q.finished_at IS NULL AND q.status OPERATOR(pg_catalog.=) ANY (ARRAY['in_doubt', 'cancelled'])))
    GROUP BY q.document, q.workflow
), holds AS (
    SELECT q.document, q.workflow, pg_catalog.substr(q.hold, 8) AS server, pg_catalog.count(*) AS held,
        pg_catalog.min(q.submitted_at) AS oldest_waiting
    FROM @extschema@.arazzo_queue q
    WHERE q.hold OPERATOR(pg_catalog.>=) 'server ' AND q.hold OPERATOR(pg_catalog.<) 'server!'
        AND pg_catalog.pg_has_role(q.owner, 'USAGE')
    GROUP BY q.document, q.workflow, q.hold
), last_calls AS MATERIALIZED (
    SELECT a.run, a.server, a.duration_ms, a.ended_at
    FROM @extschema@.arazzo_queue_attempts a
    ORDER BY a.id DESC
    LIMIT 50000
), hour AS (
    SELECT l.run, l.server, l.duration_ms, l.ended_at, n.minutes
    FROM last_calls l CROSS JOIN (
        SELECT CASE WHEN pg_catalog.count(*) OPERATOR(pg_catalog.<) 50000 THEN 60.0 ELSE LEAST(60.0, EXTRACT(epoch FROM
            pg_catalog.clock_timestamp() OPERATOR(pg_catalog.-) pg_catalog.min(ended_at)) OPERATOR(pg_catalog./) 60.0)
            END AS minutes
        FROM last_calls) n
    WHERE l.server IS NOT NULL
        AND l.ended_at OPERATOR(pg_catalog.>) (pg_catalog.now() OPERATOR(pg_catalog.-) interval '1 hour')
), calls AS (
    SELECT q.document, q.workflow, h.server,
        pg_catalog.count(*) FILTER (WHERE h.ended_at OPERATOR(pg_catalog.>)
            (pg_catalog.now() OPERATOR(pg_catalog.-) interval '5 minutes'))
            OPERATOR(pg_catalog./) LEAST(5.0, pg_catalog.min(h.minutes)) AS calls_per_minute_5m,
        pg_catalog.count(*) OPERATOR(pg_catalog./) pg_catalog.min(h.minutes) AS calls_per_minute_1h,
        pg_catalog.percentile_disc(ARRAY[0.5, 0.95, 0.99]) WITHIN GROUP (ORDER BY pg_catalog.round(h.duration_ms::numeric, 1)) AS latency
    FROM hour h CROSS JOIN LATERAL (
        SELECT r.document, r.workflow FROM @extschema@.arazzo_queue r
        WHERE r.id OPERATOR(pg_catalog.=) h.run AND pg_catalog.pg_has_role(r.owner, 'USAGE')
        OFFSET 0) q
    GROUP BY GROUPING SETS ((q.document, q.workflow), (q.document, q.workflow, h.server))
), whole AS (
    SELECT c.document, c.workflow, c.calls_per_minute_5m, c.calls_per_minute_1h, c.latency FROM calls c WHERE c.server IS NULL
), parts AS (
    SELECT c.document, c.workflow, c.server, c.calls_per_minute_5m, c.calls_per_minute_1h, c.latency
    FROM calls c WHERE c.server IS NOT NULL
)
SELECT workflow, document, NULL::text COLLATE "C" AS server, r.queued, r.waiting, r.held, r.running, r.in_doubt,
    r.succeeded, r.failed, r.cancelled, r.oldest_waiting,
    pg_catalog.round(w.calls_per_minute_5m, 1) AS calls_per_minute_5m,
    pg_catalog.round(w.calls_per_minute_1h, 1) AS calls_per_minute_1h,
    w.latency[1] AS p50_ms, w.latency[2] AS p95_ms, w.latency[3] AS p99_ms, NULL::text AS server_state
FROM runs r FULL JOIN whole w USING (document, workflow)
UNION ALL
SELECT workflow, document, server, NULL, NULL, COALESCE(h.held, 0), NULL, NULL, NULL, NULL, NULL, h.oldest_waiting,
    pg_catalog.round(p.calls_per_minute_5m, 1), pg_catalog.round(p.calls_per_minute_1h, 1),
    p.latency[1], p.latency[2], p.latency[3],
    (SELECT pg_catalog.string_agg(DISTINCT v.state, ', ') FROM @extschema@.arazzo_servers v
     WHERE v.server OPERATOR(pg_catalog.=) COALESCE(h.server, p.server))
FROM holds h FULL JOIN parts p USING (document, workflow, server);
COMMENT ON VIEW @extschema@.arazzo_stats IS
'queued runs by workflow (server is null) and its calls by server: counts by state, those that are over of the last hour, rates and latencies';
GRANT SELECT ON @extschema@.arazzo_stats TO PUBLIC;

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

CREATE FUNCTION @extschema@.arazzo_retry(run bigint, split boolean DEFAULT false) RETURNS void
AS 'MODULE_PATHNAME' LANGUAGE C STRICT VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION @extschema@.arazzo_retry(bigint, boolean) IS
'let a queued run that failed go on from the step that failed, with the documents as they are now; or split its array, which the API refused, over two new runs';
REVOKE ALL ON FUNCTION @extschema@.arazzo_retry(bigint, boolean) FROM PUBLIC;

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

CREATE FUNCTION @extschema@.arazzo_resume(server text) RETURNS bigint
AS 'MODULE_PATHNAME' LANGUAGE C STRICT VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION @extschema@.arazzo_resume(text) IS
'let queued runs go on that wait for a server which is paused, broken or slow; returns how many';
REVOKE ALL ON FUNCTION @extschema@.arazzo_resume(text) FROM PUBLIC;

CREATE PROCEDURE @extschema@.arazzo_prune(older_than interval, INOUT pruned bigint DEFAULT NULL)
AS 'MODULE_PATHNAME' LANGUAGE C;
COMMENT ON PROCEDURE @extschema@.arazzo_prune(interval, bigint) IS
'delete queued runs that ended longer ago than this, and their attempts';
REVOKE ALL ON PROCEDURE @extschema@.arazzo_prune(interval, bigint) FROM PUBLIC;

-- Documents that ship -----------------------------------------------------
