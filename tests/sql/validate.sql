-- Messages against their description: arazzo.validate.
\getenv abs_builddir PG_ABS_BUILDDIR
\set rooms :abs_builddir '/tests/module/arazzo_rooms'
CREATE FUNCTION test_validate_run(arazzo text, openapi text, workflow text, inputs jsonb, answers jsonb, resume boolean)
    RETURNS text AS :'rooms', 'test_run' LANGUAGE C STRICT;
CREATE FUNCTION test_run_validate(mode integer) RETURNS void
    AS :'rooms', 'test_run_validate' LANGUAGE C STRICT;
\pset format unaligned
\pset tuples_only on

CREATE FUNCTION validate_replay(mode integer, version text, inputs jsonb, answers jsonb) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    said text;
BEGIN
    PERFORM test_run_validate(mode);
    said := test_validate_run($arazzo$
arazzo: 1.0.1
info: {title: t, version: '1'}
sourceDescriptions: [{name: api, url: ../openapi.yaml}]
workflows:
- workflowId: w
  steps:
  - stepId: one
    operationId: postThing
    requestBody: {payload: {amount: $inputs.amount, note: $inputs.note}}
    onFailure: [{name: again, type: retry, retryLimit: 1, criteria: [{condition: $statusCode >= 500}]}]
$arazzo$, format($openapi$
openapi: %s
info: {title: t, version: '1'}
servers: [{url: https://api.example}]
paths:
  /thing:
    post:
      operationId: postThing
      requestBody:
        content:
          application/json:
            schema: {$ref: '#/components/schemas/Request'}
      responses:
        '200': {description: ok, content: {application/json: {schema: {type: object, required: [id], properties: {id: {type: string}}}}}}
        2XX: {$ref: '#/components/responses/Other'}
        default: {description: all else, content: {'application/*': {schema: {type: object, required: [error]}}}}
components:
  schemas:
    Request: {type: object, required: [amount], properties: {amount: {type: number, minimum: 0, exclusiveMinimum: %s}, note: {type: string}}}
  responses:
    Other: {description: other, content: {application/json: {schema: {type: array}}}}
$openapi$, version, CASE WHEN version LIKE '3.0%' THEN 'true' ELSE '0' END), 'w', inputs, answers, false);
    PERFORM test_run_validate(0);
    RETURN said;
END $$;

\echo == off: nothing is compared
SELECT validate_replay(0, '3.1.0', '{"amount": -1}', '[{"status": 200, "body": {"no": 1}}]');
\echo == warn: the run goes on
SELECT validate_replay(1, '3.1.0', '{"amount": -1, "note": 2}', '[{"status": 200, "body": {"no": 1}}]');
\echo == error: a request that does not fit is not sent
SELECT validate_replay(2, '3.1.0', '{"amount": "1"}', '[{"status": 200, "body": {"id": "x"}}]');
\echo == error: a response that does not fit fails its step
SELECT validate_replay(2, '3.1.0', '{"amount": 1}', '[{"status": 200, "body": {"id": 1}}]');
\echo == what fits passes: exact status, range, default for what fails anyway
SELECT validate_replay(2, '3.1.0', '{"amount": 1}', '[{"status": 200, "body": {"id": "x"}}]');
SELECT validate_replay(2, '3.1.0', '{"amount": 1}', '[{"status": 201, "body": []}]');
SELECT validate_replay(2, '3.1.0', '{"amount": 1}', '[{"status": 201, "body": {}}]');
SELECT validate_replay(2, '3.1.0', '{"amount": 1}', '[{"status": 400, "body": {"error": "x"}}]');
\echo == another media type is not described
SELECT validate_replay(2, '3.1.0', '{"amount": 1}', '[{"status": 200, "headers": {"Content-Type": "text/plain"}, "body": "hello"}]');
\echo == the dialect of 3.0
SELECT validate_replay(2, '3.0.3', '{"amount": 0}', '[{"status": 200, "body": {"id": "x"}}]');
