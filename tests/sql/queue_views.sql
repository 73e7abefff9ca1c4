-- What happened: the views of queued runs, what keeps runs from a server, and
-- how long runs are kept.  Nothing is sent here.
SET client_min_messages = warning;
\set SHOW_CONTEXT never
\getenv abs_builddir PG_ABS_BUILDDIR
\set rooms :abs_builddir '/tests/module/arazzo_rooms'
CREATE FUNCTION test_queue_retain() RETURNS boolean AS :'rooms', 'test_queue_retain' LANGUAGE C;
ALTER SEQUENCE arazzo_run_ids RESTART;
ALTER SEQUENCE arazzo_attempt_ids RESTART;
CREATE ROLE regress_views_app;
CREATE ROLE regress_views_other;
CREATE ROLE regress_views_owner;
GRANT EXECUTE ON FUNCTION arazzo_submit, arazzo_resume TO regress_views_app, regress_views_other, regress_views_owner;
CREATE SERVER views_amberflo FOREIGN DATA WRAPPER arazzo OPTIONS (api 'https://app.amberflo.io', url 'http://127.0.0.1:1');
CREATE SERVER views_stripe FOREIGN DATA WRAPPER arazzo OPTIONS (api 'https://api.stripe.com', url 'http://127.0.0.1:1');
GRANT USAGE ON FOREIGN SERVER views_amberflo TO regress_views_app, regress_views_other, regress_views_owner;
GRANT USAGE ON FOREIGN DATA WRAPPER arazzo TO regress_views_owner;
ALTER SERVER views_amberflo OWNER TO regress_views_owner;
\set VERBOSITY terse
\set batch '{"events": [{"customerId": "c1", "meterTimeInMillis": 1}]}'

SET ROLE regress_views_app;
SELECT arazzo_submit('ingest-events-batch', :'batch', 'app-' || i) FROM generate_series(1, 6) i;
SET ROLE regress_views_other;
SELECT arazzo_submit('ingest-events-batch', :'batch', order_by => 'c1', split => true) FROM generate_series(1, 2) i;
RESET ROLE;

-- in the course of things
UPDATE arazzo_queue SET status = 'succeeded', due = NULL, finished_at = now(), outputs = '{}' WHERE id = 1;
UPDATE arazzo_queue SET status = 'failed', due = NULL, finished_at = now(), sqlstate = 'WF004' WHERE id = 2;
UPDATE arazzo_queue SET status = 'running', due = NULL, claim = 1, claimed_at = now(), sending = 'ingestEvents',
    state = '{"frames": [{"step": "outer"}, {"step": "ingestEvents"}]}' WHERE id = 3;
UPDATE arazzo_queue SET status = 'in_doubt', due = NULL, unanswered_since = now() WHERE id = 4;
UPDATE arazzo_queue SET status = 'waiting', due = NULL, hold = 'server views_amberflo' WHERE id IN (5, 7);
UPDATE arazzo_queue SET due = NULL, hold = 'order' WHERE id = 8;
INSERT INTO arazzo_queue_attempts (run, owner, workflow, step, attempt, server, method, status, outcome, duration_ms)
    SELECT id, owner, workflow, 'ingestEvents', 1, 'views_amberflo', 'POST', 200, 'succeeded', 10 * id
    FROM arazzo_queue WHERE id <= 4;
INSERT INTO arazzo_server_states (server, owner, state, failures, reason) VALUES
    ('views_amberflo', 'regress_views_app', 'paused', 1, 'status 401'),
    ('views_amberflo', 0, 'broken', 5, 'connection refused');

-- each role sees its own, also in the tables, and cannot write
SET ROLE regress_views_app;
SELECT run, key, status, step, sending IS NOT NULL AS sending, unanswered_since IS NOT NULL AS unanswered, due IS NOT NULL AS due,
    hold, attempts, claimed_at IS NOT NULL AS claimed, finished_at IS NOT NULL AS finished
FROM arazzo_runs ORDER BY run;
SELECT run, ordinal, server, step, method, status, outcome, duration_ms FROM arazzo_run_steps ORDER BY ordinal;
SELECT count(*) FROM arazzo_queue;
DELETE FROM arazzo_queue;
SELECT count(*) FROM arazzo_server_states;
SELECT server, state, role, since IS NOT NULL AS since, failures, reason, held FROM arazzo_servers ORDER BY server, role;
SELECT workflow, server, queued, waiting, held, running, in_doubt, succeeded, failed, cancelled, oldest_waiting IS NOT NULL AS oldest,
    calls_per_minute_5m, calls_per_minute_1h, p50_ms, p95_ms, p99_ms, server_state
FROM arazzo_stats ORDER BY workflow, server NULLS FIRST;
SET ROLE regress_views_other;
SELECT run, order_by, split, status, hold, attempts FROM arazzo_runs ORDER BY run;
SELECT count(*) FROM arazzo_run_steps;
SELECT count(*) FROM arazzo_queue_attempts;
SELECT server, state, role, reason, held FROM arazzo_servers ORDER BY server, role;
SELECT server, queued, waiting, held, p50_ms, server_state FROM arazzo_stats ORDER BY server NULLS FIRST;
SET ROLE regress_views_owner;
SELECT count(*) FROM arazzo_runs;
SELECT server, state, role, reason, held FROM arazzo_servers ORDER BY server, role;
RESET ROLE;
GRANT regress_views_app TO regress_views_owner;
SET ROLE regress_views_owner;
SELECT count(*) FROM arazzo_runs;
RESET ROLE;
REVOKE regress_views_app FROM regress_views_owner;
GRANT SELECT ON arazzo_server_states TO regress_views_other;
SET ROLE regress_views_other;
SELECT state FROM arazzo_server_states;
RESET ROLE;
REVOKE SELECT ON arazzo_server_states FROM regress_views_other;

-- to resume: one's own pause, or all of one's own server
SET ROLE regress_views_app;
SELECT arazzo_resume('views_stripe');
SELECT arazzo_resume('no_such_server');
SELECT arazzo_resume('views_amberflo');
SELECT run, status, hold, due IS NOT NULL AS due FROM arazzo_runs WHERE run = 5;
SELECT server, state, role, held FROM arazzo_servers;
SET ROLE regress_views_owner;
SELECT arazzo_resume('views_amberflo');
SELECT server, state, held FROM arazzo_servers;
RESET ROLE;
SELECT id, status, hold, due IS NOT NULL AS due FROM arazzo_queue WHERE id IN (5, 7, 8) ORDER BY id;

-- a server that is gone: who waited for it can be let go
UPDATE arazzo_queue SET due = NULL, hold = 'server gone' WHERE id = 5;
SET ROLE regress_views_other;
SELECT arazzo_resume('gone');
SET ROLE regress_views_app;
SELECT arazzo_resume('gone');
RESET ROLE;

-- what waits can be cancelled, and what follows in an order goes on, or waits again
UPDATE arazzo_queue SET due = NULL, hold = 'server gone' WHERE id = 6;
SELECT arazzo_cancel(6);
SELECT arazzo_cancel(7);
SELECT id, status, hold, due IS NOT NULL AS due FROM arazzo_queue WHERE id >= 6 ORDER BY id;
UPDATE arazzo_queue SET status = 'failed' WHERE id = 7;
SELECT arazzo_retry(7);
SELECT id, status, hold, due IS NOT NULL AS due FROM arazzo_queue WHERE id >= 6 ORDER BY id;

-- what ended is kept as long as the setting says
SELECT test_queue_retain(), (SELECT count(*) FROM arazzo_queue) AS runs;
SET arazzo.retention = '1h';
SELECT test_queue_retain(), (SELECT count(*) FROM arazzo_queue) AS runs;
UPDATE arazzo_queue SET finished_at = now() - interval '2 hours' WHERE id = 2;
SELECT test_queue_retain();
SELECT array_agg(id ORDER BY id) AS runs FROM arazzo_queue;
SELECT array_agg(run ORDER BY run) AS attempts FROM arazzo_queue_attempts;
INSERT INTO arazzo_queue (owner, document, workflow, version, inputs, status, finished_at)
    SELECT owner, document, workflow, version, inputs, 'cancelled', now() - interval '2 hours' FROM arazzo_queue, generate_series(1, 1001)
    WHERE id = 1;
SELECT test_queue_retain();
SELECT test_queue_retain();
SELECT count(*) FROM arazzo_queue WHERE status = 'cancelled' AND id > 8;
SET ROLE regress_views_app;
SET arazzo.retention = 0;
RESET ROLE;
RESET arazzo.retention;

DELETE FROM arazzo_queue_attempts;
DELETE FROM arazzo_queue;
DROP FUNCTION test_queue_retain;
DROP SERVER views_amberflo, views_stripe;
DROP OWNED BY regress_views_app, regress_views_other, regress_views_owner;
DROP ROLE regress_views_app, regress_views_other, regress_views_owner;
