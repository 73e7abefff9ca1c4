-- Many runs at once as far as they need no network: arguments, failures as
-- rows, and the limits of servers on a clock that stands still.
\getenv abs_builddir PG_ABS_BUILDDIR
\set rooms :abs_builddir '/tests/module/arazzo_rooms'
\set VERBOSITY default
\set SHOW_CONTEXT never
SET client_min_messages = warning;
CREATE SCHEMA test_many;
SET search_path = test_many, public;
CREATE FUNCTION test_limit(server oid, concurrency integer, rate float8, actions text[]) RETURNS text
	AS :'rooms' LANGUAGE C STRICT;

SELECT arazzo_load('https://many.example/openapi.yaml', $$
openapi: 3.1.0
info: {title: t, version: '1'}
servers: [{url: https://many.example}]
paths:
  /a: {get: {operationId: getA, parameters: [{name: q, in: query, schema: {type: integer}}], responses: {'200': {description: ok}}}}
$$);
SELECT arazzo_load('https://many.example/arazzo.yaml', $$
arazzo: 1.0.1
info: {title: t, version: '1'}
sourceDescriptions: [{name: api, url: openapi.yaml}]
workflows:
- workflowId: nothing_sent
  inputs: {type: object, properties: {q: {type: integer}, d: {default: 7}}}
  steps:
  - stepId: one
    operationId: getA
    parameters: [{name: q, in: query, value: '{$inputs.missing}'}]
    onFailure: [{name: stop, type: end, criteria: [{condition: $inputs.q > 1}]}]
  outputs: {q: $inputs.q, d: $inputs.d}
- workflowId: refused
  steps: [{stepId: one, operationId: getA}]
$$);

-- Each element is a run of its own, whatever becomes of the others.
SELECT ordinal, outputs, error->>'sqlstate' AS state, error->>'message' AS message
FROM arazzo_run_many('nothing_sent', ARRAY['{"q": 2}', NULL, '{"q": "x"}', '[]', '{}', '{"q": 4, "d": 1.50}']::jsonb[]);
SELECT ordinal, outputs, jsonb_pretty(error) AS error FROM arazzo_run_many('refused', ARRAY['{}']::jsonb[]);
SELECT count(*), min(ordinal), max(ordinal), bool_and(ordinal = (outputs->>'q')::int - 1), count(error)
FROM arazzo_run_many('nothing_sent', (SELECT array_agg(jsonb_build_object('q', i)) FROM generate_series(2, 1001) i));
SELECT ordinal, outputs->'q' AS q
FROM arazzo_run_many('nothing_sent', '[-1:0][3:4]={{"{\"q\": 2}","{\"q\": 3}"},{"{\"q\": 4}","{\"q\": 5}"}}'::jsonb[], 1);
SELECT * FROM arazzo_run_many('nothing_sent', '{}');

-- What is wrong with the statement itself is an error.
SELECT * FROM arazzo_run_many(NULL, '{}');
SELECT * FROM arazzo_run_many('nothing_sent', NULL);
SELECT * FROM arazzo_run_many('nothing_sent', '{}', NULL);
SELECT * FROM arazzo_run_many('nothing_sent', '{}', 0);
SELECT * FROM arazzo_run_many('nothing_sent', '{}', 129);
SELECT * FROM arazzo_run_many('no_such_workflow', '{}');

-- Limits of servers.
SELECT test_limit(1, 0, 0, '{take,take,take,wait}') AS free;
SELECT test_limit(2, 2, 0, '{take,take,take,wait,give,take,take}') AS concurrency;
SELECT test_limit(3, 0, 2, '{take,take,wait,take,take,wait,take}') AS rate;
SELECT test_limit(3, 0, 2, '{take,wait,take}') AS the_rate_lasts;
SELECT test_limit(4, 0, 0.001, '{take,take,wait,take}') AS a_low_rate;
SELECT test_limit(5, 0, 60, '{take,take,take,take,wait,take,take}') AS a_high_rate;
SELECT test_limit(6, 1, 2, '{take,wait,give,take,wait,take}') AS both;
SELECT test_limit(7, 0, 2, '{take,back,take,wait,take,take}') AS clock_set_back;

SELECT arazzo_unload('https://many.example/arazzo.yaml');
SELECT arazzo_unload('https://many.example/openapi.yaml');
DROP SCHEMA test_many CASCADE;
