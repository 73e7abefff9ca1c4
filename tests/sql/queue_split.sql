-- What a run that failed can be split for, and what becomes of it.  Nothing
-- is sent here: the attempts are written by hand.
SET client_min_messages = warning;
\set SHOW_CONTEXT never
\set VERBOSITY terse
ALTER SEQUENCE arazzo_run_ids RESTART;
CREATE SERVER split_amberflo FOREIGN DATA WRAPPER arazzo OPTIONS (api 'https://app.amberflo.io', url 'http://127.0.0.1:1');
SELECT arazzo_submit('ingest-events-batch', jsonb_build_object('events', (SELECT jsonb_agg(jsonb_build_object(
    'customerId', 'c', 'meterTimeInMillis', i)) FROM generate_series(1, 5) i)), 'key', order_by => 'c', notify => 'done');
SELECT arazzo_submit('ingest-events-batch', '{"events": [{"customerId": "c", "meterTimeInMillis": 9}]}', order_by => 'c');

CREATE FUNCTION fail(VARIADIC attempts text[]) RETURNS void LANGUAGE sql AS $$
    DELETE FROM arazzo_queue_attempts;
    INSERT INTO arazzo_queue_attempts (run, owner, workflow, step, attempt, method, status, outcome)
        SELECT 1, current_user::regrole, 'w', f[1], 1, f[2], f[3]::int, f[4]
        FROM unnest(attempts) WITH ORDINALITY a, LATERAL (SELECT string_to_array(a.a, ' ', '-')) s(f) ORDER BY ordinality;
    UPDATE arazzo_queue SET status = 'failed', due = NULL, finished_at = now(), sqlstate = 'WF004', message = 'm', detail = 'd'
        WHERE id = 1;
$$;

-- nothing else may have been done before, and the API must have refused it
SELECT arazzo_retry(1, split => true);
SELECT fail(VARIADIC '{}');
SELECT arazzo_retry(1, split => true);
SELECT fail('ingest POST 404 failed');
SELECT arazzo_retry(1, split => true);
SELECT fail('ingest POST 503 failed');
SELECT arazzo_retry(1, split => true);
SELECT fail('ingest POST - unknown', 'ingest POST 400 failed');
SELECT arazzo_retry(1, split => true);
SELECT fail('ingest POST 200 succeeded', 'ingest POST 400 failed');
SELECT arazzo_retry(1, split => true);
SELECT fail('order POST 500 failed', 'ingest POST 400 failed');
SELECT arazzo_retry(1, split => true);
SELECT fail('tell - - succeeded', 'ingest POST 400 failed');
SELECT arazzo_retry(1, split => true);
SELECT fail('ingest POST 400 failed');
UPDATE arazzo_queue SET sqlstate = '55000' WHERE id = 1;
SELECT arazzo_retry(1, split => true);

-- and there must be one array to split
SELECT fail('ingest POST 400 failed');
BEGIN;
UPDATE arazzo_queue SET inputs = '{"events": [1, 2], "more": []}' WHERE id = 1;
SELECT arazzo_retry(1, split => true);
ROLLBACK;
BEGIN;
UPDATE arazzo_queue SET inputs = '{}' WHERE id = 1;
SELECT arazzo_retry(1, split => true);
ROLLBACK;
BEGIN;
UPDATE arazzo_queue SET inputs = '{"events": [1]}' WHERE id = 1;
SELECT arazzo_retry(1, split => true);
ROLLBACK;

-- reading before, and other refusals, are no obstacle
SELECT fail('look GET 200 succeeded', 'tell - - failed', 'ingest POST 503 failed', 'ingest POST - failed', 'ingest POST 422 failed');
SELECT arazzo_retry(1, split => true);
SELECT id, key, parent, order_key, notify, split, status, due IS NOT NULL AS due, hold, finished_at IS NULL AS unfinished,
    jsonb_path_query_array(inputs, '$.events[*].meterTimeInMillis') AS events, message, detail, sqlstate
FROM arazzo_queue ORDER BY id;
SELECT arazzo_retry(1);
SELECT arazzo_cancel(1);

-- a run with an order is over once its halves are: then the next one goes on
UPDATE arazzo_queue SET status = 'succeeded', due = NULL, finished_at = now() WHERE id = 3;
CALL arazzo_work(0);
CALL arazzo_prune('-1 day');
SELECT id, status, finished_at IS NULL AS unfinished FROM arazzo_queue ORDER BY id;
UPDATE arazzo_queue SET status = 'failed', due = NULL, hold = NULL, finished_at = now() WHERE id = 4;
UPDATE arazzo_queue SET inputs = '{}' WHERE id = 2;
CALL arazzo_work(1);
SELECT id, status, finished_at IS NULL AS unfinished, due IS NOT NULL AS due, hold FROM arazzo_queue ORDER BY id;

-- its key is known as long as its halves are
CALL arazzo_prune('-1 day');
SELECT id, key FROM arazzo_queue ORDER BY id;
CALL arazzo_prune('-1 day');
SELECT count(*) FROM arazzo_queue;

DROP FUNCTION fail;
DELETE FROM arazzo_queue_attempts;
DELETE FROM arazzo_queue;
DROP SERVER split_amberflo;
