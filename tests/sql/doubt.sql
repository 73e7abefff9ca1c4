-- A call that may have been received is not made again behind the API's back,
-- whatever way leads back to it.
\getenv abs_builddir PG_ABS_BUILDDIR
\set rooms :abs_builddir '/tests/module/arazzo_rooms'
SET client_min_messages = warning;
CREATE FUNCTION test_run(arazzo text, openapi text, workflow text, inputs jsonb, answers jsonb, resume boolean)
   RETURNS text AS :'rooms', 'test_run' LANGUAGE C STRICT;
\pset format unaligned
\pset tuples_only on
CREATE FUNCTION replay(workflows text, inputs jsonb, answers jsonb) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    api text := '{"openapi": "3.1.0", "info": {"title": "t", "version": "1"}, "servers": [{"url": "https://api.example"}],
        "paths": {"/pay": {"post": {"operationId": "pay"}, "get": {"operationId": "look"}}}}';
    document text := E'arazzo: 1.1.0\ninfo: {title: t, version: "1"}\nsourceDescriptions: [{name: api, url: ../openapi.yaml}]\nworkflows:\n' || workflows;
    straight text := test_run(document, api, 'w', inputs, answers, false);
    resumed text := test_run(document, api, 'w', inputs, answers, true);
BEGIN
    IF straight <> resumed THEN
        RETURN E'DIFFERS WHEN RESUMED\n' || straight || E'\n---\n' || resumed;
    END IF;
    RETURN straight;
END $$;

\echo == a goto that leads back
SELECT replay($$
- workflowId: w
  steps:
  - {stepId: look, operationId: look}
  - {stepId: pay, operationId: pay, onFailure: [{name: back, type: goto, stepId: look}]}
$$, '{}', '[{"status": 200}, {"outcome": "unknown"}, {"status": 200}, {"status": 200}]');

\echo == the same, when the API knows the call by its key
SELECT replay($$
- workflowId: w
  steps:
  - {stepId: look, operationId: look}
  - {stepId: pay, operationId: pay, onFailure: [{name: back, type: goto, stepId: look}]}
$$, '{}', '[{"status": 200, "repeatable": 1}, {"outcome": "unknown", "repeatable": 1}, {"status": 200, "repeatable": 1}, {"status": 200, "repeatable": 1}]');

\echo == a call that was answered is over: the next visit is another call
SELECT replay($$
- workflowId: w
  steps:
  - {stepId: pay, operationId: pay, onFailure: [{name: again, type: goto, stepId: pay}]}
$$, '{}', '[{"outcome": "unknown", "repeatable": 1}, {"status": 500, "repeatable": 1}, {"status": 200, "repeatable": 1}]');

\echo == a retry of the step that calls the workflow
SELECT replay($$
- workflowId: w
  steps:
  - {stepId: outer, workflowId: inner, onFailure: [{name: again, type: retry, retryLimit: 3}]}
- workflowId: inner
  steps:
  - {stepId: look, operationId: look}
  - {stepId: pay, operationId: pay}
$$, '{}', '[{"status": 200}, {"outcome": "unknown"}, {"status": 200}, {"status": 200}]');

\echo == a workflow that begins anew
SELECT replay($$
- workflowId: w
  steps:
  - {stepId: pay, operationId: pay, onFailure: [{name: anew, type: goto, workflowId: w}]}
$$, '{}', '[{"outcome": "unknown"}, {"status": 200}]');

\echo == with other inputs it is another call
SELECT replay($$
- workflowId: w
  steps:
  - {stepId: first, workflowId: inner, parameters: [{name: customer, value: a}]}
  - {stepId: second, workflowId: inner, parameters: [{name: customer, value: b}]}
- workflowId: inner
  inputs: {type: object}
  steps:
  - stepId: pay
    operationId: pay
    requestBody: {payload: {customer: $inputs.customer}}
    onFailure: [{name: leave, type: end}]
$$, '{}', '[{"outcome": "unknown"}, {"status": 200}]');

\echo == a call that was not sent may be made again
SELECT replay($$
- workflowId: w
  steps:
  - {stepId: pay, operationId: pay, onFailure: [{name: again, type: goto, stepId: pay}]}
$$, '{}', '[{"outcome": "not sent"}, {"status": 200}]');

\echo == a retry action whose workflow cannot be entered fails the run, once
SELECT replay($$
- workflowId: w
  steps:
  - stepId: pay
    operationId: pay
    onFailure: [{name: prepare, type: retry, retryLimit: 1000000, workflowId: inner}]
- workflowId: inner
  inputs: {type: object, required: [customer]}
  steps: [{stepId: look, operationId: look}]
$$, '{}', '[{"status": 500}, {"status": 200}]');

DROP FUNCTION replay(text, jsonb, jsonb);
DROP FUNCTION test_run(text, text, text, jsonb, jsonb, boolean);
