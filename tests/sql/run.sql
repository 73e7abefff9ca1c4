-- The state machine against recorded answers: order of steps, criteria,
-- actions, retries, nesting; each once straight through and once saved and
-- restored before every step.
\getenv abs_builddir PG_ABS_BUILDDIR
\set rooms :abs_builddir '/tests/module/arazzo_rooms'
SET client_min_messages = warning;
CREATE FUNCTION test_run(arazzo text, openapi text, workflow text, inputs jsonb, answers jsonb, resume boolean)
    RETURNS text AS :'rooms', 'test_run' LANGUAGE C STRICT;
CREATE FUNCTION test_run_limits(steps integer, depth integer) RETURNS void
    AS :'rooms', 'test_run_limits' LANGUAGE C STRICT;
CREATE FUNCTION test_run_engine(openapi text, steps integer) RETURNS double precision
    AS :'rooms', 'test_run_engine' LANGUAGE C STRICT;
\pset format unaligned
\pset tuples_only on

CREATE TABLE openapi AS SELECT $$
openapi: 3.1.0
info: {title: t, version: '1'}
servers: [{url: https://api.example}]
paths:
  /a/{id}:
    parameters: [{name: id, in: path, required: true, schema: {type: string}}]
    get: {operationId: getA, responses: {'200': {description: ok}}}
    post: {operationId: postA, requestBody: {content: {application/json: {}}}, responses: {'200': {description: ok}}}
  /b:
    get: {operationId: getB, parameters: [{name: q, in: query, schema: {type: string}}], responses: {'200': {description: ok}}}
    post: {operationId: postB, requestBody: {content: {application/json: {}}}, responses: {'200': {description: ok}}}
$$ AS document;

CREATE FUNCTION replay(arazzo text, workflow text, inputs jsonb, answers jsonb) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    api text := (SELECT document FROM openapi);
    head text := E'arazzo: 1.1.0\ninfo: {title: t, version: "1"}\nsourceDescriptions: [{name: api, url: ../openapi.yaml}]\n';
    straight text := test_run(head || arazzo, api, workflow, inputs, answers, false);
    resumed text := test_run(head || arazzo, api, workflow, inputs, answers, true);
BEGIN
    IF straight <> resumed THEN
        RETURN E'DIFFERS WHEN RESUMED\n' || straight || E'\n---\n' || resumed;
    END IF;
    RETURN straight;
END $$;

\echo == steps in order, outputs handed on, left-out members
SELECT replay($$
workflows:
- workflowId: w
  inputs: {type: object, properties: {id: {type: string}, note: {type: string}, n: {type: number, default: 7}}}
  steps:
  - stepId: one
    operationId: postA
    parameters: [{name: id, in: path, value: $inputs.id}]
    requestBody: {payload: {zeta: $inputs.n, alpha: $inputs.note, text: 'id={$inputs.id}'}}
    outputs: {id: $response.body#/id, missing: $response.body#/nothing, all: $response.body}
  - stepId: two
    operationId: getB
    parameters: [{name: q, in: query, value: $steps.one.outputs.id}]
  outputs: {id: $steps.one.outputs.id, missing: $steps.one.outputs.missing, all: $steps.one.outputs.all}
$$, 'w', '{"id": "x/../y?z#"}', '[{"status": 200, "body": {"id": 12345678901234567890.123456789}}, {"status": 204}]');

\echo == a missing step output fails the step before anything is sent
SELECT replay($$
workflows:
- workflowId: w
  steps:
  - {stepId: one, operationId: getB, outputs: {id: $response.body#/id}}
  - stepId: two
    operationId: postB
    requestBody: {payload: {id: $steps.one.outputs.id}}
$$, 'w', '{}', '[{"status": 200, "body": {}}]');

\echo == criteria, goto, end
SELECT replay($$
workflows:
- workflowId: w
  steps:
  - stepId: one
    operationId: getB
    successCriteria: [{condition: $statusCode == 200}]
    onSuccess:
    - {name: pending, type: goto, stepId: three, criteria: [{condition: "$response.body#/state == 'PENDING'"}]}
    - {name: done, type: end, criteria: [{condition: "$response.body#/state == 'done'"}]}
  - {stepId: two, operationId: getB}
  - {stepId: three, operationId: getB, onSuccess: [{name: back, type: goto, stepId: one}]}
  outputs: {code: done}
$$, 'w', '{}', '[{"status": 200, "body": {"state": "pending"}}, {"status": 200}, {"status": 200, "body": {"state": "done"}}]');

\echo == a failed criterion without an action fails the run, with words of the server
SELECT replay($$
workflows:
- workflowId: w
  steps:
  - {stepId: one, operationId: postB, requestBody: {payload: {}}, successCriteria: [{condition: $statusCode == 200}]}
$$, 'w', '{}', '[{"status": 400, "body": {"errorMessage": "Invalid request: no"}}]');

\echo == without criteria, 2xx is success and all else is not
SELECT replay($$
workflows:
- workflowId: w
  steps: [{stepId: one, operationId: getB}]
$$, 'w', '{}', '[{"status": 302, "body": {"error": {"message": "moved"}}}]');

\echo == retry: retryAfter, Retry-After in seconds and as a date, limit, then the next action
SELECT replay($$
workflows:
- workflowId: w
  steps:
  - stepId: one
    operationId: getB
    successCriteria: [{condition: $statusCode == 200}]
    onFailure:
    - {name: again, type: retry, retryAfter: 1.5, retryLimit: 3, criteria: [{condition: $statusCode == 503}]}
    - {name: other, type: goto, stepId: two}
  - {stepId: two, operationId: getB}
$$, 'w', '{}', '[{"status": 503}, {"status": 503, "headers": {"retry-after": "7"}},
 {"status": 503, "headers": {"Retry-After": "Thu, 08 May 2025 06:14:00 GMT"}}, {"status": 503}, {"status": 200}]');

\echo == retry once by default, not at all with a limit of 0; garbage in Retry-After
SELECT replay($$
workflows:
- workflowId: w
  steps:
  - stepId: one
    operationId: getB
    onFailure: [{name: never, type: retry, retryLimit: 0}, {name: once, type: retry}]
$$, 'w', '{}', '[{"status": 500, "headers": {"Retry-After": "soon"}}, {"status": 500}]');

\echo == end from onFailure ends the run with the outputs it has
SELECT replay($$
workflows:
- workflowId: w
  steps:
  - {stepId: one, operationId: getB, outputs: {a: $statusCode}}
  - {stepId: two, operationId: getB, onFailure: [{name: enough, type: end}], outputs: {b: $statusCode}}
  - {stepId: three, operationId: getB}
  outputs: {a: $steps.one.outputs.a, b: $steps.two.outputs.b}
$$, 'w', '{}', '[{"status": 200}, {"status": 500}]');

\echo == actions of the workflow come after those of the step, a name replaces
SELECT replay($$
workflows:
- workflowId: w
  failureActions:
  - {name: first, type: end}
  - {name: second, type: goto, stepId: two}
  steps:
  - {stepId: one, operationId: getB, onFailure: [{name: first, type: goto, stepId: two, criteria: [{condition: $statusCode == 1}]}]}
  - {stepId: two, operationId: getB}
$$, 'w', '{}', '[{"status": 500}, {"status": 200}]');

\echo == a lost answer is not sent again
SELECT replay($$
workflows:
- workflowId: w
  steps:
  - {stepId: one, operationId: postB, requestBody: {payload: {a: 1}}, onFailure: [{name: again, type: retry, retryLimit: 5}]}
$$, 'w', '{}', '[{"outcome": "unknown"}]');

\echo == a call that was not sent is
SELECT replay($$
workflows:
- workflowId: w
  steps:
  - {stepId: one, operationId: postB, requestBody: {payload: {a: 1}}, onFailure: [{name: again, type: retry, retryLimit: 5}]}
$$, 'w', '{}', '[{"outcome": "not sent"}, {"status": 200}]');

\echo == nested workflows: inputs, outputs, failure
SELECT replay($$
workflows:
- workflowId: outer
  inputs: {type: object, properties: {id: {type: string}}}
  steps:
  - {stepId: call, workflowId: inner, parameters: [{name: id, value: $inputs.id}], outputs: {got: $outputs.id}}
  - {stepId: bare, workflowId: inner, parameters: [{name: id, value: second}]}
  - {stepId: last, operationId: getB, parameters: [{name: q, in: query, value: $steps.bare.outputs.id}]}
  outputs: {got: $steps.call.outputs.got, other: $workflows.inner.outputs.id}
- workflowId: inner
  inputs: {type: object, required: [id], properties: {id: {type: string}}}
  steps:
  - {stepId: get, operationId: getA, parameters: [{name: id, in: path, value: $inputs.id}], outputs: {id: $response.body#/id}}
  outputs: {id: $steps.get.outputs.id}
$$, 'outer', '{"id": "first"}', '[{"status": 200, "body": {"id": "r1"}}, {"status": 200, "body": {"id": "r2"}}, {"status": 200}]');
SELECT replay($$
workflows:
- workflowId: outer
  steps:
  - {stepId: call, workflowId: inner, onFailure: [{name: save, type: goto, stepId: rescue}]}
  - {stepId: never, operationId: getB}
  - {stepId: rescue, operationId: getB}
- workflowId: inner
  steps: [{stepId: get, operationId: getB}]
$$, 'outer', '{}', '[{"status": 500}, {"status": 200}]');

\echo == retry with a workflow that runs before the step is repeated
SELECT replay($$
workflows:
- workflowId: w
  steps:
  - stepId: one
    operationId: getB
    onFailure: [{name: refresh, type: retry, retryLimit: 2, workflowId: token, criteria: [{condition: $statusCode == 401}]}]
- workflowId: token
  steps: [{stepId: fetch, operationId: postB}]
$$, 'w', '{}', '[{"status": 401}, {"status": 200}, {"status": 200}]');

\echo == retry with a step that runs before the step is repeated
SELECT replay($$
workflows:
- workflowId: w
  steps:
  - stepId: one
    operationId: getB
    onFailure: [{name: prepare, type: retry, retryLimit: 2, stepId: helper, retryAfter: 2}]
  - {stepId: last, operationId: getB, onSuccess: [{name: stop, type: end}]}
  - {stepId: helper, operationId: postB}
$$, 'w', '{}', '[{"status": 500}, {"status": 200}, {"status": 500}, {"status": 200}, {"status": 200}, {"status": 200}]');

\echo == goto a workflow, dependsOn, reusable objects
SELECT replay($$
workflows:
- workflowId: w
  dependsOn: [before]
  parameters: [{reference: $components.parameters.page, value: 9}]
  steps: [{stepId: one, operationId: getB, onSuccess: [{reference: $components.successActions.leave}]}]
- workflowId: before
  steps: [{stepId: first, operationId: getB, outputs: {x: $statusCode}}]
  outputs: {x: $steps.first.outputs.x}
- workflowId: other
  steps: [{stepId: two, operationId: postB, requestBody: {payload: {x: $workflows.before.outputs.x}}}]
  outputs: {done: {x: $workflows.before.outputs.x}}
components:
  parameters: {page: {name: q, in: query, value: 1}}
  successActions: {leave: {name: leave, type: goto, workflowId: other}}
$$, 'w', '{}', '[{"status": 200}, {"status": 200}, {"status": 201}]');

\echo == replacements in a payload
SELECT replay($$
workflows:
- workflowId: w
  inputs: {type: object}
  steps:
  - stepId: one
    operationId: postB
    requestBody:
      payload: {a: {b: [1, 2, 3]}, c: x}
      replacements: [{target: /a/b/1, value: $inputs.n}, {target: /a/new, value: 'n={$inputs.n}'}, {target: /c, value: $inputs.absent}]
$$, 'w', '{"n": 10}', '[{"status": 200}]');

\echo == loops end
SELECT test_run_limits(4, 32);
SELECT replay($$
workflows:
- workflowId: w
  steps:
  - {stepId: one, operationId: getB, onSuccess: [{name: round, type: goto, stepId: one}]}
$$, 'w', '{}', '[{"status": 200}, {"status": 200}, {"status": 200}, {"status": 200}, {"status": 200}]');

SELECT test_run_limits(1000, 3);
SELECT replay($$
workflows:
- workflowId: w
  steps: [{stepId: again, workflowId: w}]
$$, 'w', '{}', '[]');
SELECT test_run_limits(1000, 32);

\echo == inputs that do not fit
SELECT replay($$
workflows:
- workflowId: w
  inputs: {type: object, required: [a, b], properties: {a: {type: integer}, b: {enum: [x, y]}}}
  steps: [{stepId: one, operationId: getB}]
$$, 'w', '{"b": "z", "a": "1"}', '[]');
SELECT replay($$
workflows:
- workflowId: w
  steps: [{stepId: one, operationId: getB}]
$$, 'w', '[1]', '[]');


\echo == a long workflow (test_run_engine fails when a step is not run)
SELECT test_run_limits(10000, 32);
SELECT 'ran' FROM openapi, test_run_engine(document, 1000) WHERE test_run_engine IS NOT NULL;
SELECT test_run_limits(1000, 32);
