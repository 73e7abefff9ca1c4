-- Triggers that queue runs: what they take and refuse, what becomes of columns
-- of all types, and whose runs they are.  Nothing is sent here.
SET client_min_messages = warning;
SET timezone = 'America/New_York';
ALTER SEQUENCE arazzo_run_ids RESTART;
CREATE SERVER amberflo FOREIGN DATA WRAPPER arazzo OPTIONS (api 'https://app.amberflo.io', url 'http://127.0.0.1:1');
CREATE ROLE regress_trigger_owner;
CREATE ROLE regress_trigger_app;
CREATE SCHEMA billing AUTHORIZATION regress_trigger_owner;
GRANT USAGE ON SCHEMA billing TO regress_trigger_app;
GRANT EXECUTE ON FUNCTION arazzo_trigger TO regress_trigger_owner, regress_trigger_app;
SELECT arazzo_load('https://triggers.example/a.yaml', $$
arazzo: 1.0.1
info: {title: a, version: '1'}
sourceDescriptions: [{name: api, url: 'amberflo-arazzo:/workflows/openapi/amberflo-metering.yaml'}]
workflows:
- workflowId: anything
  steps: [{stepId: ingest, operationId: ingestMeterEvents, requestBody: {payload: $inputs}}]
- workflowId: typed
  inputs:
    type: object
    required: [id]
    properties:
      id: {type: string}
      count: {type: integer}
      amount: {type: number}
      active: {type: boolean}
      at: {type: integer}
      note: {type: string}
      either: {type: [string, 'null']}
  steps: [{stepId: ingest, operationId: ingestMeterEvents, requestBody: {payload: $inputs}}]
- workflowId: batch
  inputs:
    type: object
    required: [events]
    properties:
      events:
        type: array
        items:
          $ref: '#/components/inputs/event'
  steps: [{stepId: ingest, operationId: ingestMeterEvents, requestBody: {payload: $inputs.events}}]
components:
  inputs:
    event:
      type: object
      required: [id, value]
      properties:
        id: {type: string}
        value: {type: number}
        note: {type: string}
$$);
CREATE VIEW queued AS SELECT inputs, key, owner FROM arazzo_queue ORDER BY id;
CREATE TABLE billing.usage (id bigint PRIMARY KEY, meter text, quantity numeric, at timestamptz, note text);
ALTER TABLE billing.usage OWNER TO regress_trigger_owner;

-- what is wrong with a trigger is said when it is created
CREATE TRIGGER t AFTER INSERT ON billing.usage FOR EACH ROW EXECUTE FUNCTION arazzo_trigger();
CREATE TRIGGER t AFTER INSERT ON billing.usage FOR EACH ROW EXECUTE FUNCTION arazzo_trigger('typed', '{"id": $row.id}');
CREATE TRIGGER t AFTER INSERT ON billing.usage FOR EACH ROW EXECUTE FUNCTION arazzo_trigger('typed', '[]');
CREATE TRIGGER t BEFORE INSERT ON billing.usage FOR EACH ROW EXECUTE FUNCTION arazzo_trigger('typed', '{"id": "$row.id"}');
CREATE TRIGGER t AFTER INSERT ON billing.usage FOR EACH ROW EXECUTE FUNCTION arazzo_trigger('typed', '{"id": "$row.key"}');
CREATE TRIGGER t AFTER INSERT ON billing.usage FOR EACH ROW EXECUTE FUNCTION arazzo_trigger('typed', '{"id": "$new.id"}');
CREATE TRIGGER t AFTER INSERT ON billing.usage FOR EACH ROW EXECUTE FUNCTION arazzo_trigger('typed', '{"id": {"x": ["-{$row.}"]}}');
CREATE TRIGGER t AFTER INSERT ON billing.usage FOR EACH ROW EXECUTE FUNCTION arazzo_trigger('typed', '{"id": "{$row.id"}');
CREATE TRIGGER t AFTER INSERT ON billing.usage FOR EACH ROW EXECUTE FUNCTION arazzo_trigger('typed', '{"id": "$row.\"id"}');
CREATE TRIGGER t AFTER INSERT ON billing.usage FOR EACH ROW EXECUTE FUNCTION arazzo_trigger('typed', '{"id": "$row.at#hours"}');
CREATE TRIGGER t AFTER INSERT ON billing.usage FOR EACH ROW EXECUTE FUNCTION arazzo_trigger('typed', '{"id": "$row.note#/a"}');
CREATE TRIGGER t AFTER INSERT ON billing.usage FOR EACH ROW EXECUTE FUNCTION arazzo_trigger('typed', '{"id": "$row.note#base64"}');
CREATE TRIGGER t AFTER INSERT ON billing.usage FOR EACH ROW EXECUTE FUNCTION arazzo_trigger('typed', '{"id": "1", "at": "$row.at"}');
CREATE TRIGGER t AFTER INSERT ON billing.usage FOR EACH ROW EXECUTE FUNCTION arazzo_trigger('typed', '{"count": 1}');
CREATE TRIGGER t AFTER INSERT ON billing.usage FOR EACH ROW EXECUTE FUNCTION arazzo_trigger('batch', '{"events": "$rows"}');
CREATE TRIGGER t AFTER INSERT ON billing.usage FOR EACH ROW
    EXECUTE FUNCTION arazzo_trigger('create-meter-and-ingest-event', '{"apiKey": "not-for-tables"}');
CREATE TRIGGER t AFTER INSERT ON billing.usage FOR EACH STATEMENT EXECUTE FUNCTION arazzo_trigger('batch', '{"events": "$rows"}');
CREATE TRIGGER t AFTER INSERT ON billing.usage REFERENCING NEW TABLE AS n FOR EACH STATEMENT
    EXECUTE FUNCTION arazzo_trigger('batch', '{"events": [{"id": "$row.id"}]}');
CREATE TRIGGER t AFTER INSERT ON billing.usage REFERENCING NEW TABLE AS n FOR EACH STATEMENT
    EXECUTE FUNCTION arazzo_trigger('batch', '{"events": {"$rows": {"id": "$old.id"}}}');
CREATE TRIGGER t AFTER INSERT ON billing.usage REFERENCING NEW TABLE AS n FOR EACH STATEMENT
    EXECUTE FUNCTION arazzo_trigger('batch', '{"events": {"$rows": {"$rows": "$row"}}}');
\set VERBOSITY terse
CREATE TRIGGER t AFTER INSERT ON billing.usage FOR EACH ROW EXECUTE FUNCTION arazzo_trigger('typed', '{"id": "1"}', '{"delay": "1 day"}');
CREATE TRIGGER t AFTER INSERT ON billing.usage FOR EACH ROW EXECUTE FUNCTION arazzo_trigger('typed', '{"id": "1"}', '{"key": 1}');
CREATE TRIGGER t AFTER INSERT ON billing.usage FOR EACH ROW EXECUTE FUNCTION arazzo_trigger('typed', '{"id": "1"}', '{"key": "$row"}');
CREATE TRIGGER t AFTER INSERT ON billing.usage FOR EACH ROW EXECUTE FUNCTION arazzo_trigger('typed', '{"id": "1"}', '{"split": "yes"}');
CREATE TRIGGER t AFTER INSERT ON billing.usage FOR EACH ROW EXECUTE FUNCTION arazzo_trigger('typed', '{"id": "1"}', '{"not_before": 1}');
CREATE TRIGGER t AFTER INSERT ON billing.usage FOR EACH ROW EXECUTE FUNCTION arazzo_trigger('typed', '{"id": "1"}', '{"not_before": "soon"}');
CREATE TRIGGER t AFTER INSERT ON billing.usage FOR EACH ROW EXECUTE FUNCTION arazzo_trigger('typed', '{"id": "1"}', '{"not_before": "$row.id"}');
CREATE TRIGGER t AFTER INSERT ON billing.usage FOR EACH ROW EXECUTE FUNCTION arazzo_trigger('typed', '{"id": "1"}', '{"not_before": "$row.at#ms"}');
CREATE TRIGGER t AFTER INSERT ON billing.usage FOR EACH ROW EXECUTE FUNCTION arazzo_trigger('typed', '{"id": "1"}', '{"max_rows": 5}');
CREATE TRIGGER t AFTER INSERT ON billing.usage REFERENCING NEW TABLE AS n FOR EACH STATEMENT
    EXECUTE FUNCTION arazzo_trigger('batch', '{"events": "$rows"}', '{"max_rows": 0.5}');
CREATE TRIGGER t AFTER INSERT ON billing.usage REFERENCING NEW TABLE AS n FOR EACH STATEMENT
    EXECUTE FUNCTION arazzo_trigger('batch', '{"events": "$rows"}', '{"key": "a"}');
\set VERBOSITY default
SELECT arazzo_trigger();
SELECT count(*) FROM pg_trigger WHERE tgrelid = 'billing.usage'::regclass;

-- what a dump may bring later is a warning, and an error when it fires
CREATE TRIGGER t AFTER INSERT ON billing.usage FOR EACH ROW EXECUTE FUNCTION arazzo_trigger('not-yet', '{"id": "$row.id"}');
INSERT INTO billing.usage VALUES (1);
DROP TRIGGER t ON billing.usage;

-- so is an input that nobody asked for
CREATE TRIGGER t AFTER INSERT ON billing.usage FOR EACH ROW EXECUTE FUNCTION arazzo_trigger('typed', '{"id": "$row.id", "Note": "$row.note"}');
DROP TRIGGER t ON billing.usage;

-- without the check, what is wrong shows at first use
ALTER EVENT TRIGGER arazzo_check_trigger DISABLE;
CREATE TRIGGER t AFTER INSERT ON billing.usage FOR EACH ROW EXECUTE FUNCTION arazzo_trigger();
CREATE TRIGGER u AFTER UPDATE ON billing.usage FOR EACH ROW EXECUTE FUNCTION arazzo_trigger('typed', '{"id": "$row.key"}');
ALTER EVENT TRIGGER arazzo_check_trigger ENABLE;
INSERT INTO billing.usage VALUES (1);
ALTER TABLE billing.usage DISABLE TRIGGER t;
INSERT INTO billing.usage VALUES (1);
UPDATE billing.usage SET meter = 'm';
DROP TRIGGER t ON billing.usage;
DROP TRIGGER u ON billing.usage;
DELETE FROM billing.usage;
SELECT arazzo_check_trigger();
-- triggers of others are not looked at
CREATE FUNCTION billing.arazzo_trigger() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
CREATE TRIGGER t BEFORE INSERT ON billing.usage FOR EACH ROW EXECUTE FUNCTION billing.arazzo_trigger();
DROP FUNCTION billing.arazzo_trigger CASCADE;

-- the privilege TRIGGER does not lend what the owner may do
GRANT INSERT, SELECT, UPDATE, DELETE, TRIGGER ON billing.usage TO regress_trigger_app;
SET ROLE regress_trigger_app;
CREATE TRIGGER t AFTER INSERT ON billing.usage FOR EACH ROW EXECUTE FUNCTION arazzo_trigger('typed', '{"id": "$row.id"}');

-- the run is the owner's, whoever inserts; so are the rights it needs
SET ROLE regress_trigger_owner;
CREATE TRIGGER t AFTER INSERT OR UPDATE OR DELETE ON billing.usage FOR EACH ROW
    EXECUTE FUNCTION arazzo_trigger('typed', '{"id": "$tg.key", "amount": "$row.quantity", "count": "$old.id", "at": "$row.at#ms", "note": "{$tg.op} {$tg.schema}.{$tg.table} {$row.note}", "either": "$row.note"}',
        '{"key": "$tg.key"}');
SET ROLE regress_trigger_app;
INSERT INTO billing.usage VALUES (1, 'm', 0.10, '2024-06-12 01:00:45.9939-04', 'one');
RESET ROLE;
GRANT USAGE ON FOREIGN SERVER amberflo TO regress_trigger_owner;
SET ROLE regress_trigger_app;
INSERT INTO billing.usage VALUES (1, 'm', 0.10, '2024-06-12 01:00:45.9939-04', 'one'), (2, 'm', 12345678901234567890.5, '1969-12-31 23:59:59.9999+00', NULL);
UPDATE billing.usage SET quantity = 7, note = 'two' WHERE id = 1;
DELETE FROM billing.usage WHERE id = 1;
RESET ROLE;
SELECT regexp_replace(inputs::text, 'update/[\d.]+', 'update/X', 'g') AS inputs, regexp_replace(key, 'update/[\d.]+', 'update/X') AS key, owner FROM queued;

-- a schema that does not fit reaches the statement
UPDATE billing.usage SET quantity = 'NaN' WHERE id = 2;
UPDATE billing.usage SET at = 'infinity' WHERE id = 2;
-- the same key, the same run
DELETE FROM arazzo_queue;
BEGIN;
DELETE FROM billing.usage;
INSERT INTO billing.usage VALUES (3, 'm', 1);
ROLLBACK;
SELECT count(*) FROM queued;
BEGIN;
INSERT INTO billing.usage VALUES (3, 'm', 1);
SET LOCAL session_replication_role = replica;
DELETE FROM billing.usage WHERE id = 3;
SET LOCAL session_replication_role = origin;
INSERT INTO billing.usage VALUES (3, 'm', 1);
SELECT count(*) FROM queued;
SAVEPOINT a;
SET LOCAL session_replication_role = replica;
DELETE FROM billing.usage WHERE id = 3;
SET LOCAL session_replication_role = origin;
INSERT INTO billing.usage VALUES (3, 'm', 2);
ROLLBACK TO a;
COMMIT;
SELECT inputs, key FROM queued;
DROP TRIGGER t ON billing.usage;

-- columns of all kinds
CREATE TYPE mood AS ENUM ('sad', 'happy');
CREATE TYPE pair AS (a int, b text);
CREATE DOMAIN cents AS numeric CHECK (value >= 0);
CREATE TABLE kinds (i2 smallint, i4 int, n numeric, d cents, f4 real, f8 double precision, b boolean, t text, v varchar,
    c char(5), u uuid, e mood, r pair, a int[], j json, jb jsonb, x bytea, ts timestamp, tz timestamptz, da date, ti time,
    iv interval, g int GENERATED ALWAYS AS (i4 + 1) STORED, "o#dd {}" int, gone int);
ALTER TABLE kinds DROP COLUMN gone;
CREATE TRIGGER t AFTER INSERT ON kinds FOR EACH ROW EXECUTE FUNCTION arazzo_trigger('anything', '{"row": "$row",
    "forms": ["$row.tz#iso", "$row.tz#s", "$row.ts#ms", "$row.da#s", "$row.x#base64", "$row.n#text", "$row.jb#/a/1", "$row.j#/a", "$row.jb#/none"],
    "text": ["{$row.n}|{$row.b}|{$row.r}|{$row.tz}|{$row.\"o#dd {}\"}", "{$$row.n} {} $", "$$row.n", "", "{$row.t}{$row.v}"],
    "constants": {"n": 1.50, "e": 10000000000000000000000, "a": [], "o": {}, "t": true, "z": null}, "op": "$tg.op"}');
SET extra_float_digits = -5;
INSERT INTO kinds VALUES (1, 2, 1.10, 0.05, 0.12345678, 1.2345678901234567e30, true, 'text', NULL, 'ab', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', 'happy', (1, 'x'),
    '{1,2}', '{"b":1, "a" : "s"}', '{"a": [1, {"c": 2.0}]}', '\xdeadbeef', '2024-02-29 12:00', '2024-02-29 12:00:00.5+00', '2024-02-29', '12:00', '1 day',
    DEFAULT, 5);
RESET extra_float_digits;
\pset format unaligned
SELECT jsonb_pretty(inputs) FROM queued OFFSET 1;
\pset format aligned
SELECT count(*), bool_and(inputs->'row'->e.key = e.value) AS found FROM queued, jsonb_each(inputs->'row') e WHERE inputs ? 'row';
TRUNCATE arazzo_queue;
-- one without a value is left out, in an array it is null
INSERT INTO kinds DEFAULT VALUES;
SELECT inputs FROM queued;
INSERT INTO kinds (n, f4, f8) VALUES ('NaN', 'Infinity', 'NaN');
SELECT inputs->'row' FROM queued OFFSET 1;
TRUNCATE arazzo_queue;
DROP TABLE kinds;

-- a type is changed where that loses nothing
CREATE TABLE texts (id int, count text, amount text, active text, note boolean);
CREATE TRIGGER t AFTER INSERT ON texts FOR EACH ROW EXECUTE FUNCTION arazzo_trigger('typed',
    '{"id": "$row.id", "count": "$row.count", "amount": "-{$row.amount}", "active": "$row.active", "note": "$row.note"}');
INSERT INTO texts VALUES (1, '17', '1.50', 'true', false);
SELECT inputs FROM queued;
INSERT INTO texts VALUES (1, '017');
INSERT INTO texts VALUES (1, '1e3');
INSERT INTO texts (active) VALUES ('yes');
DROP TABLE texts;
DELETE FROM arazzo_queue;

-- statements
CREATE TRIGGER t AFTER INSERT ON billing.usage REFERENCING NEW TABLE AS n FOR EACH STATEMENT
    EXECUTE FUNCTION arazzo_trigger('batch', '{"events": {"$rows": {"id": "$row.id", "value": "$row.quantity", "note": "$row.note"}}}', '{"max_rows": 3, "order_by": "{$tg.table}"}');
CREATE TRIGGER u AFTER UPDATE ON billing.usage REFERENCING NEW TABLE AS n OLD TABLE AS o FOR EACH STATEMENT
    EXECUTE FUNCTION arazzo_trigger('anything', '{"op": "$tg.op", "rows": "$rows", "again": {"$rows": "$row.id"}}');
CREATE TRIGGER d AFTER DELETE ON billing.usage REFERENCING OLD TABLE AS o FOR EACH STATEMENT
    EXECUTE FUNCTION arazzo_trigger('anything', '{"op": "$tg.op", "keys": {"$rows": ["$tg.key", "$row.note"]}}');
CREATE TRIGGER n AFTER DELETE ON billing.usage FOR EACH STATEMENT EXECUTE FUNCTION arazzo_trigger('anything', '{"done": "$tg.op"}');
CREATE TRIGGER e AFTER TRUNCATE ON billing.usage FOR EACH STATEMENT EXECUTE FUNCTION arazzo_trigger('anything', '{"done": "$tg.op"}');
DELETE FROM billing.usage WHERE id = 2;
INSERT INTO billing.usage SELECT i, 'm', i / 4.0, NULL, CASE WHEN i = 5 THEN 'five' END FROM generate_series(4, 10) i;
INSERT INTO billing.usage SELECT i FROM generate_series(1, 0) i;
INSERT INTO billing.usage VALUES (11, 'm', NULL);
UPDATE billing.usage SET note = 'n' WHERE id < 5;
DELETE FROM billing.usage WHERE id > 8;
TRUNCATE billing.usage;
COPY billing.usage FROM stdin;
20	m	1.0	\N	\N
21	m	2.0	\N	\N
\.
SELECT q.inputs, q.order_key FROM arazzo_queue q ORDER BY id;
-- an array larger than one step of its index
INSERT INTO billing.usage SELECT i, 'm', i FROM generate_series(100, 399) i;
SELECT jsonb_array_length(inputs->'events') = 3 AS parts, count(*) FROM queued WHERE inputs->'events'->0->>'id' >= '100' GROUP BY 1;
DROP TRIGGER t ON billing.usage;
DROP TRIGGER d ON billing.usage;
DROP TRIGGER n ON billing.usage;
TRUNCATE arazzo_queue;
UPDATE billing.usage SET note = 'x' WHERE id >= 100;
SELECT count(*), count(DISTINCT e->>'id'), sum((e->>'quantity')::numeric), max(length(inputs->'again'->>299)) FROM queued, jsonb_array_elements(inputs->'rows') e;
SELECT inputs->'rows'->131, inputs->'rows'->299 FROM queued;
DROP TRIGGER u ON billing.usage;
DROP TRIGGER e ON billing.usage;
TRUNCATE arazzo_queue;

-- when
CREATE TABLE plans (id int PRIMARY KEY, at timestamptz, ts timestamp, day date, wait interval);
CREATE TRIGGER a AFTER INSERT ON plans FOR EACH ROW EXECUTE FUNCTION arazzo_trigger('anything', '{}', '{"not_before": "$row.at", "notify": "heard_{$row.id}", "split": true}');
CREATE TRIGGER b AFTER INSERT ON plans FOR EACH ROW EXECUTE FUNCTION arazzo_trigger('anything', '{}', '{"not_before": "$row.ts"}');
CREATE TRIGGER c AFTER INSERT ON plans FOR EACH ROW EXECUTE FUNCTION arazzo_trigger('anything', '{}', '{"not_before": "$row.day"}');
CREATE TRIGGER d AFTER INSERT ON plans FOR EACH ROW EXECUTE FUNCTION arazzo_trigger('anything', '{}', '{"not_before": "$row.wait"}');
CREATE TRIGGER e AFTER INSERT ON plans FOR EACH ROW EXECUTE FUNCTION arazzo_trigger('anything', '{}', '{"not_before": "2 hours"}');
CREATE TRIGGER f AFTER INSERT ON plans FOR EACH ROW EXECUTE FUNCTION arazzo_trigger('anything', '{}', '{"not_before": "$old.at"}');
BEGIN;
INSERT INTO plans VALUES (1, '2030-01-01 00:00+00', '2030-01-01 00:00', '2030-01-01', '90 minutes');
SELECT CASE WHEN due > '2029-01-01' THEN due::text ELSE (due - now())::text END, notify, split FROM arazzo_queue ORDER BY id;
COMMIT;
DROP TABLE plans;
TRUNCATE arazzo_queue;

-- partitions share the name of the whole; inherited rows are in statements
CREATE TABLE parted (id int, part int, PRIMARY KEY (part, id)) PARTITION BY LIST (part);
CREATE TABLE parted_1 PARTITION OF parted FOR VALUES IN (1);
CREATE TABLE parted_2 (part int NOT NULL, gone int, id int NOT NULL);
ALTER TABLE parted_2 DROP COLUMN gone;
ALTER TABLE parted ATTACH PARTITION parted_2 FOR VALUES IN (2);
CREATE TRIGGER r AFTER INSERT OR UPDATE ON parted FOR EACH ROW
    EXECUTE FUNCTION arazzo_trigger('anything', '{"id": "$row.id", "table": "$tg.table"}', '{"key": "$tg.key"}');
CREATE TRIGGER s AFTER INSERT ON parted REFERENCING NEW TABLE AS n FOR EACH STATEMENT EXECUTE FUNCTION arazzo_trigger('anything', '{"rows": "$rows"}');
INSERT INTO parted VALUES (7, 1), (8, 2);
SELECT inputs, key FROM queued;
ALTER TABLE parted RENAME TO whole;
INSERT INTO parted_1 VALUES (9, 1);
SELECT inputs, key FROM queued OFFSET 3;
-- a partition that is somebody else's does not make the runs theirs
ALTER TABLE parted_1 OWNER TO regress_trigger_owner;
INSERT INTO parted_1 VALUES (10, 1);
ALTER TABLE whole OWNER TO regress_trigger_owner;
INSERT INTO parted_1 VALUES (11, 1);
SELECT key, owner = 'regress_trigger_owner'::regrole AS others FROM queued OFFSET 4;
DROP TABLE whole;
CREATE TABLE parent (id int);
CREATE TABLE child (more int) INHERITS (parent);
CREATE TRIGGER s AFTER UPDATE ON parent REFERENCING NEW TABLE AS n FOR EACH STATEMENT EXECUTE FUNCTION arazzo_trigger('anything', '{"rows": "$rows"}');
INSERT INTO child VALUES (1, 2);
UPDATE parent SET id = 3;
SELECT inputs FROM queued OFFSET 6;
CREATE TRIGGER k AFTER INSERT ON parent FOR EACH ROW EXECUTE FUNCTION arazzo_trigger('anything', '{"k": "$tg.key"}');
DROP TABLE parent CASCADE;
TRUNCATE arazzo_queue;

-- deferred until the commit; WHEN; keys that need to be told apart
CREATE TABLE deferred (a text, b text, n int, PRIMARY KEY (a, b));
CREATE CONSTRAINT TRIGGER t AFTER INSERT OR UPDATE ON deferred DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (new.n > 1)
    EXECUTE FUNCTION arazzo_trigger('anything', '{"n": "$row.n"}', '{"key": "$tg.key"}');
BEGIN;
INSERT INTO deferred VALUES ('x,y', 'z', 2), ('x', 'y,z/%', 3), ('a', 'b', 1);
UPDATE deferred SET n = n + 1;
SELECT count(*) FROM queued;
COMMIT;
SELECT inputs, regexp_replace(key, 'update/[\d.]+', 'update/X') AS key FROM queued;
SELECT count(DISTINCT key) FROM queued;

-- a table that changes under its trigger
ALTER TABLE deferred RENAME n TO m;
INSERT INTO deferred VALUES ('q', 'r', 5);
ALTER TABLE deferred RENAME m TO n;
ALTER TABLE deferred ALTER n TYPE text;
DROP TRIGGER t ON deferred;
CREATE TRIGGER t AFTER INSERT ON deferred FOR EACH ROW EXECUTE FUNCTION arazzo_trigger('anything', '{"n": "$row.n"}');
TRUNCATE arazzo_queue;
INSERT INTO deferred VALUES ('q', 'r', 5);
ALTER TABLE deferred ALTER n TYPE int USING n::int;
INSERT INTO deferred VALUES ('q', 's', 5);
SELECT inputs FROM queued;
DROP TABLE deferred;

\set VERBOSITY terse
-- as an INSERT: constraints and indexes of the table, read-only transactions
TRUNCATE arazzo_queue;
CREATE UNIQUE INDEX mine ON arazzo_queue ((inputs->>'n'));
ALTER TABLE arazzo_queue ADD CONSTRAINT small CHECK (length(inputs::text) < 50);
ALTER TABLE arazzo_queue ADD COLUMN extra text DEFAULT upper('set');
SELECT arazzo_submit('anything', '{"n": 1}') > 0 AS submitted;
SELECT arazzo_submit('anything', '{"n": 1}');
SELECT arazzo_submit('anything', jsonb_build_object('n', repeat('x', 50))) \g /dev/null
SELECT extra FROM arazzo_queue;
ALTER INDEX arazzo_queue_key RENAME TO renamed;
SELECT arazzo_submit('anything', key => 'k');
ALTER INDEX renamed RENAME TO arazzo_queue_key;
ALTER TABLE arazzo_queue RENAME nonce TO renamed;
SELECT arazzo_submit('anything');
ALTER TABLE arazzo_queue RENAME renamed TO nonce;
ALTER TABLE arazzo_queue DROP COLUMN extra, DROP CONSTRAINT small;
DROP INDEX mine;
SELECT arazzo_submit('anything', '{"n": 1}') > 0 AS submitted;
CREATE INDEX mine ON arazzo_queue USING gin (inputs) WITH (fastupdate = off);
SELECT arazzo_submit('anything', '{"n": 11}') > 0 AS submitted;
REINDEX INDEX mine;
SELECT arazzo_submit('anything', '{"n": 11}') > 0 AS submitted;
SET enable_seqscan = off;
SELECT count(*) FROM arazzo_queue WHERE inputs @> '{"n": 11}';
RESET enable_seqscan;
DROP INDEX mine;
BEGIN;
CREATE TEMP TABLE passing (n int);
CREATE TRIGGER t AFTER INSERT ON passing FOR EACH ROW EXECUTE FUNCTION arazzo_trigger('anything', '{"n": "$row.n"}');
COMMIT;
BEGIN READ ONLY;
INSERT INTO passing VALUES (1);
ROLLBACK;
BEGIN READ ONLY;
SELECT arazzo_submit('anything');
ROLLBACK;
DROP TABLE passing;

TRUNCATE arazzo_queue;
DROP VIEW queued;
DROP TYPE mood, pair;
DROP DOMAIN cents;
DROP SCHEMA billing CASCADE;
SELECT arazzo_unload('https://triggers.example/a.yaml');
DROP SERVER amberflo CASCADE;
DROP OWNED BY regress_trigger_owner, regress_trigger_app;
DROP ROLE regress_trigger_owner, regress_trigger_app;
