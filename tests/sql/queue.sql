-- Queued runs: what arazzo_submit takes and refuses, who may do what, and the
-- operator's levers.  Nothing is sent here.
SET client_min_messages = warning;
\set SHOW_CONTEXT never
ALTER SEQUENCE arazzo_run_ids RESTART;
CREATE SERVER amberflo FOREIGN DATA WRAPPER arazzo OPTIONS (api 'https://app.amberflo.io', url 'http://127.0.0.1:1');
CREATE ROLE regress_queue_app;
CREATE ROLE regress_queue_other;
GRANT EXECUTE ON FUNCTION arazzo_submit, arazzo_retry, arazzo_cancel, arazzo_resolve TO regress_queue_app, regress_queue_other;
\set VERBOSITY terse
\set inputs '{"meterApiName": "m", "customerId": "c1", "meterValue": 1, "meterTimeInMillis": 1718153645993, "amount": 5}'

-- what is wrong is said at once
SELECT arazzo_submit('no-such-workflow');
SELECT arazzo_submit('meter-usage-and-topup-prepaid', '{"amount": 5}');
SELECT arazzo_submit('meter-usage-and-topup-prepaid', '[]');
SELECT arazzo_submit(NULL);
SELECT arazzo_submit('meter-usage-and-topup-prepaid', :'inputs', not_before => NULL);
\set VERBOSITY default
SELECT arazzo_submit('meter-usage-and-topup-prepaid', :'inputs'::jsonb || '{"apiKey": "not-for-tables"}');
SET ROLE regress_queue_app;
SELECT arazzo_submit('meter-usage-and-topup-prepaid', :'inputs');
RESET ROLE;
GRANT USAGE ON FOREIGN SERVER amberflo TO regress_queue_app;
BEGIN;
DROP SERVER amberflo;
SELECT arazzo_submit('meter-usage-and-topup-prepaid', :'inputs');
ROLLBACK;

-- a key stands for one run of its owner
SET ROLE regress_queue_app;
SELECT arazzo_submit('meter-usage-and-topup-prepaid', :'inputs', 'bill-1') AS run \gset
SELECT arazzo_submit('meter-usage-and-topup-prepaid', :'inputs', 'bill-1') = :run AS same;
SELECT arazzo_submit('meter-usage-and-topup-prepaid', :'inputs'::jsonb || '{"amount": 6}', 'bill-1');
RESET ROLE;
SELECT arazzo_submit('meter-usage-and-topup-prepaid', :'inputs', 'bill-1') <> :run AS another_owners;

-- as any other row
BEGIN;
SELECT arazzo_submit('meter-usage-and-topup-prepaid', :'inputs', 'gone') > 0 AS submitted;
ROLLBACK;
BEGIN;
SAVEPOINT a;
SELECT arazzo_submit('meter-usage-and-topup-prepaid', :'inputs', 'gone') > 0 AS submitted;
ROLLBACK TO a;
SELECT arazzo_submit('meter-usage-and-topup-prepaid', :'inputs', 'stays') > 0 AS submitted;
COMMIT;
SELECT key, status, owner = current_user::regrole AS mine, due <= now() AS due FROM arazzo_runs ORDER BY run;

-- each role sees and moves its own
SET ROLE regress_queue_app;
SELECT key, status FROM arazzo_runs;
SELECT count(*) FROM arazzo_run_steps;
SELECT count(*) FROM arazzo_queue;
UPDATE arazzo_queue SET due = now();
CALL arazzo_work();
CALL arazzo_prune('1 day');
SET ROLE regress_queue_other;
SELECT count(*) FROM arazzo_runs;
SELECT arazzo_cancel(:run);
RESET ROLE;

-- levers, each only where it fits
SET ROLE regress_queue_app;
SELECT arazzo_retry(:run);
SELECT arazzo_resolve(:run, 'done');
SELECT arazzo_resolve(:run, 'perhaps');
SELECT arazzo_resolve(:run, NULL);
SELECT arazzo_cancel(-1);
SELECT arazzo_cancel(:run);
SELECT status, due, finished_at IS NOT NULL AS finished FROM arazzo_runs;
SELECT arazzo_cancel(:run);
RESET ROLE;
CALL arazzo_work(-1);
BEGIN;
CALL arazzo_work();
ROLLBACK;

-- a server that cannot be reached: the run waits, the attempt is on record
CREATE USER MAPPING FOR CURRENT_USER SERVER amberflo OPTIONS (api_key 'regress-secret');
CALL arazzo_work(2);
SELECT key, status, retries, sending, due > submitted_at AS later FROM arazzo_runs WHERE owner = current_user::regrole ORDER BY run;
SELECT step, attempt, method, status, outcome FROM arazzo_run_steps ORDER BY ordinal;
SELECT count(*) FROM arazzo_queue_attempts a WHERE a::text LIKE '%regress-secret%';

-- the owner's rights are looked at when the run executes
SET ROLE regress_queue_app;
SELECT arazzo_submit('meter-usage-and-topup-prepaid', :'inputs', 'bill-2') AS run \gset
RESET ROLE;
REVOKE USAGE ON FOREIGN SERVER amberflo FROM regress_queue_app;
UPDATE arazzo_queue SET due = 'infinity' WHERE status = 'waiting';
CALL arazzo_work();
SELECT status, sqlstate, message FROM arazzo_runs WHERE run = :run;
SELECT arazzo_retry(:run);
SELECT status, sqlstate FROM arazzo_runs WHERE run = :run;

-- in doubt
UPDATE arazzo_queue SET status = 'running', due = NULL, claim = 0, sending = 'ingestEvent' WHERE id = :run;
CALL arazzo_work();
SELECT status, sqlstate, message, hint, sending FROM arazzo_runs WHERE run = :run;
SELECT arazzo_retry(:run);
SELECT arazzo_resolve(:run, 'failed', '{}');
SELECT arazzo_resolve(:run, 'done', '[]');
SELECT arazzo_resolve(:run, 'done', '{"orderId": 1}');
SELECT arazzo_cancel(:run);

-- pruning
CALL arazzo_prune(NULL);
BEGIN;
CALL arazzo_prune('0');
SELECT count(*) FROM arazzo_runs;
COMMIT;

DELETE FROM arazzo_queue_attempts;
DELETE FROM arazzo_queue;
DROP SERVER amberflo CASCADE;
DROP OWNED BY regress_queue_app, regress_queue_other;
DROP ROLE regress_queue_app, regress_queue_other;
