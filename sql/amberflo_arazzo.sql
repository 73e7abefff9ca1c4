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

-- Documents that ship -----------------------------------------------------
