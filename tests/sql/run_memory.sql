-- A run that goes on for long keeps what its expressions may ask for, and no
-- more: its memory does not grow from visit to visit.
\getenv abs_builddir PG_ABS_BUILDDIR
\set rooms :abs_builddir '/tests/module/arazzo_rooms'
CREATE FUNCTION test_run_growth(arazzo text, openapi text, answers jsonb, inputs jsonb) RETURNS bigint
    AS :'rooms', 'test_run_growth' LANGUAGE C STRICT;
\pset format unaligned
\pset tuples_only on
CREATE FUNCTION grows(workflows text, answers jsonb) RETURNS text LANGUAGE sql AS $f$
    SELECT CASE WHEN bytes < 65536 THEN 'not' ELSE 'by ' || bytes END
    FROM test_run_growth(E'arazzo: 1.1.0\ninfo: {title: t, version: "1"}\nsourceDescriptions: [{name: api, url: ../openapi.yaml}]\nworkflows:\n' || workflows,
        '{"openapi": "3.1.0", "info": {"title": "t", "version": "1"}, "servers": [{"url": "https://api.example"}],
          "paths": {"/b": {"post": {"operationId": "postB"}}}}',
        answers, jsonb_build_object('big', repeat('x', 2000))) bytes;
$f$;
SELECT format('[{"status": 200, "body": {"n": 1, "big": "%s"}}]', repeat('y', 4000)) AS ok,
       format('[{"status": 500, "body": {"message": "%s"}}]', repeat('z', 4000)) AS failed \gset

\echo == outputs that are taken again and again
SELECT grows($$
- workflowId: w
  steps:
  - {stepId: one, operationId: postB, outputs: {big: $response.body#/big, before: $steps.one.outputs.big, none: $response.body#/none}, onSuccess: [{name: round, type: goto, stepId: one}]}
$$, :'ok');

\echo == failures
SELECT grows($$
- workflowId: w
  steps:
  - {stepId: one, operationId: postB, onFailure: [{name: again, type: goto, stepId: one}]}
$$, :'failed');
SELECT grows($$
- workflowId: w
  steps:
  - {stepId: one, operationId: postB, onFailure: [{name: again, type: retry, retryLimit: 100000}]}
$$, :'failed');

\echo == workflows that are called, begun anew, and fail
SELECT grows($$
- workflowId: w
  steps:
  - {stepId: outer, workflowId: inner, parameters: [{name: big, value: $inputs.big}], outputs: {big: $outputs.big}, onSuccess: [{name: round, type: goto, stepId: outer}]}
- workflowId: inner
  inputs: {type: object}
  steps: [{stepId: one, operationId: postB, outputs: {big: $response.body#/big}}]
  outputs: {big: $steps.one.outputs.big, given: $inputs.big}
$$, :'ok');
SELECT grows($$
- workflowId: w
  steps:
  - {stepId: one, operationId: postB, outputs: {big: $response.body#/big}, onSuccess: [{name: anew, type: goto, workflowId: w}]}
$$, :'ok');
SELECT grows($$
- workflowId: w
  steps:
  - {stepId: outer, workflowId: inner, parameters: [{name: big, value: $inputs.big}], onFailure: [{name: round, type: goto, stepId: outer}]}
- workflowId: inner
  inputs: {type: object}
  steps: [{stepId: one, operationId: postB}]
$$, :'failed');

DROP FUNCTION grows(text, jsonb);
DROP FUNCTION test_run_growth(text, text, jsonb, jsonb);
