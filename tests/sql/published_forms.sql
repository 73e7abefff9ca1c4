-- Forms that published documents use and the standard does not have: those
-- with one evident meaning work, and the check says how the standard has it;
-- the others keep their workflow from being run.
\pset format unaligned
\pset tuples_only on
\pset null ''
SELECT arazzo_load('https://f.example/api.yaml', $$openapi: 3.1.0
info: {title: api, version: '1'}
servers: [{url: https://api.example}]
paths:
  /users/{id}:
    get: {operationId: GetUser, parameters: [{name: id, in: path, required: true, schema: {type: string}}], responses: {}}
  /only: {put: {operationId: putOnly, responses: {}}}
  /things:
    get: {operationId: 'list/things (all)', responses: {}}
    post: {operationId: addThing, requestBody: {content: {application/json: {}}}, responses: {}}
  /v2/{+parent}/clients: {get: {operationId: listClients, responses: {}}}
  /part?id={partId}:
    get: {operationId: getPart, parameters: [{name: partId, in: query, required: true, schema: {type: string}}], responses: {}}
$$);
-- warnings with their standard form, then why it cannot be run, then what
-- would be sent
CREATE FUNCTION form(step text, outputs text = '') RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
    body text := format(E'arazzo: 1.0.1\ninfo: {title: a, version: "1"}\n'
        'sourceDescriptions: [{name: api, url: ../api.yaml}]\nworkflows:\n- workflowId: form\n'
        '  inputs: {type: object, properties: {token: {type: string}, name: {type: string}, $top: {type: string}, '
        '"page[size]": {type: string}, user: {type: object}, "first name": {type: string}}}\n'
        '  steps:\n  - stepId: first\n    operationId: addThing\n    successCriteria: [{condition: $statusCode == 200}]\n'
        '    outputs: {a: $response.body, "odd name": $response.body}\n%s\n%s', step, outputs);
BEGIN
    SET LOCAL client_min_messages = error;
    PERFORM arazzo_load('https://f.example/w/form.yaml', body);
    RETURN QUERY SELECT concat_ws(' | ', severity, code, message, hint)
        FROM arazzo_check(body, 'https://f.example/w/form.yaml') WHERE code NOT IN ('unknown-parameter', 'invalid-name');
    RETURN QUERY SELECT w.problem FROM arazzo_workflows w WHERE w.workflow_id = 'form' AND w.problem IS NOT NULL;
    IF NOT FOUND THEN
        RETURN QUERY SELECT e FROM arazzo_explain('form', '{"token": "T", "name": "N", "$top": "5", "page[size]": "7", "user": {"id": 3}, "first name": "F"}') AS e
            WHERE e ~ '^ *(GET|PUT|POST|Authorization|X-[A-Z]|\{|"|body)' OFFSET 1;
    END IF;
END $$;
CREATE FUNCTION value(expression text) RETURNS SETOF text LANGUAGE sql AS $$
    SELECT form(format(E'  - stepId: second\n    operationId: addThing\n    parameters: [{name: X-Value, in: header, value: %s}]\n'
        '    successCriteria: [{condition: $statusCode == 200}]\n', to_json(expression))) $$;
CREATE FUNCTION condition(criterion text) RETURNS SETOF text LANGUAGE sql AS $$
    SELECT form(format(E'  - stepId: second\n    operationId: addThing\n    successCriteria: [%s]\n', criterion)) $$;
CREATE FUNCTION call(target text) RETURNS SETOF text LANGUAGE sql AS $$
    SELECT form(format(E'  - stepId: second\n    %s\n    parameters: [{name: id, in: path, value: u}]\n'
        '    successCriteria: [{condition: $statusCode == 200}]\n', target)) $$;
CREATE FUNCTION response(expression text) RETURNS SETOF text LANGUAGE sql AS $$
    SELECT form(format(E'  - stepId: second\n    operationId: addThing\n    successCriteria: [{condition: $statusCode == 200}]\n    outputs: {x: %s}\n', to_json(expression))) $$;

-- L01 jsonpath criteria that are comparisons
SELECT condition($_${context: $response.body, type: jsonpath, condition: $.status == 'accepted'}$_$);
SELECT condition($_${context: $response.body, type: jsonpath, condition: $.accounts.length > 0}$_$);
SELECT condition($_${context: $response.body, type: jsonpath, condition: $.length == 0}$_$);
SELECT condition($_${context: $response.body, type: jsonpath, condition: "$.a == 'x' || $.b != null && $.c"}$_$);
SELECT condition($_${context: $response.body, type: jsonpath, condition: "$.hooks[?(@.id == '$inputs.name')]"}$_$);
SELECT condition($_${context: $response.body, type: jsonpath, condition: "$.input_tokens <= $inputs.token"}$_$);
SELECT condition($_${context: $response.body, type: jsonpath, condition: "#/name == Chocolate"}$_$);
SELECT condition($_${context: $response.body, type: jsonpath, condition: "$.a[?(@.b == 1)].length > 0"}$_$);
-- L05 bare expressions in longer text
SELECT value('Bearer $inputs.token');
SELECT value('userName eq "$inputs.name"');
SELECT value('refs/heads/$inputs.name-x');
SELECT value('entity($steps.first.outputs.a)');
SELECT value('costs $inputs.nothing');
SELECT value('$5 and $inputs.name.');
-- L06 operationPath
SELECT call('operationPath: "api#/paths/~1users~1{id}/get"');
SELECT call('operationPath: "/users/{id}"');
SELECT call('operationPath: "GET /users/{id}"');
SELECT call('operationPath: "{$sourceDescriptions.api.url}#/paths/~1users~1{id}"');
SELECT call('operationPath: "$sourceDescriptions.api#/paths/~1users~1{id}/get"');
SELECT call('operationPath: "{$sourceDescriptions.api.url}#/paths/~1users~1{id}/get"');
SELECT call('operationPath: "{$sourceDescriptions.api.url}#/paths/~1things"');
SELECT call('operationPath: "DELETE {api}./users/{id}"');
SELECT call('operationPath: definitely-not-a-runtime-expression');
-- L07, L08 operationId
SELECT call('operationId: GetUser');
SELECT call('operationId: getUser');
SELECT call('operationId: api.GetUser');
SELECT call('operationId: $sourceDescriptions.api.getuser');
SELECT form(E'  - {stepId: second, operationId: list/things (all), successCriteria: [{condition: $statusCode == 200}]}');
SELECT call('operationId: $source.login');
-- L09 into an output
SELECT value('$steps.first.outputs.a.data.id');
SELECT value('$steps.first.outputs.a[0].id');
SELECT value('$steps.first.outputs.a.list[*].id');
SELECT value('$steps.first.outputs.a[].id');
SELECT value('$steps.first.outputs.a.list[n].id');
SELECT value('$steps.first.outputs.a#/page/total');
SELECT value('$steps.first.a');
-- L10, L11, L12 into an answer
SELECT condition('{condition: $response.body.codes != null}');
SELECT response('$response.body.id');
SELECT response('$response.body[0].id');
SELECT response('$response.headers.Location');
SELECT response('$response.body#access_token');
SELECT response('$response.body/AccessToken');
SELECT response('$response.body#/[0].id');
SELECT response('$response.body#/0/Service[]');
-- L13, L18 names beyond the grammar
SELECT value('$inputs.$top');
SELECT value('$inputs.page[size]');
SELECT value('$inputs.first name');
SELECT value('$inputs.user.id');
SELECT value('$steps.first.outputs.odd name');
-- L14 retry after success
SELECT form($_$  - stepId: second
    operationId: addThing
    successCriteria: [{condition: $statusCode == 200}]
    onSuccess: [{name: poll, type: retry, retryAfter: 1, retryLimit: 3, criteria: [{condition: $response.body#/state == 'busy'}]}]$_$);
-- L20 outputs of a workflow step
SELECT form($_$  - {stepId: second, workflowId: other, outputs: {x: $outputs.y}}
- workflowId: other
  steps: [{stepId: one, operationId: addThing, outputs: {y: $response.body}}]
  outputs: {y: $steps.one.outputs.y}$_$);
-- L21, L22, L23, L24 conditions
SELECT condition('{condition: $response.header.Content-Type == application/json}');
SELECT condition('{condition: $response.body#/name == Criteria}');
SELECT condition('{condition: $response.body && $response.body.length > 0}');
SELECT condition('{condition: $body.score > 750}');
SELECT condition('{condition: "$response.body#/a == \"b c\""}');
-- L25, L26 criteria
SELECT condition('{context: $response.body, type: jsonpath, version: rfc9535, condition: $.a}');
SELECT condition('{context: response.body, type: jsonpath, condition: $.a}');
SELECT condition('{context: response, type: jsonpath, condition: $.a}');
-- parameters and paths
SELECT form(E'  - {stepId: second, operationId: GetUser, parameters: [{name: id, value: a/b}, {name: Authorization, in: header, value: x}], successCriteria: [{condition: $statusCode == 200}]}');
SELECT form(E'  - {stepId: second, operationId: listClients, parameters: [{name: parent, in: path, value: accounts/a b}], successCriteria: [{condition: $statusCode == 200}]}');
SELECT form(E'  - {stepId: second, operationId: getPart, parameters: [{name: partId, in: query, value: a&b}], successCriteria: [{condition: $statusCode == 200}]}');
SELECT form(E'  - {stepId: second, operationId: GetUser, successCriteria: [{condition: $statusCode == 200}]}');
-- prose in outputs
SELECT response('$steps.first.outputs.a (list of things)');
SELECT response('$response.body#/total > 0');
SELECT response('the answer');

SELECT arazzo_unload('https://f.example/w/form.yaml'), arazzo_unload('https://f.example/api.yaml');
DROP FUNCTION condition, value, call, response, form;
