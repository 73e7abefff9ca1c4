-- Documents in and out, structure, planning: what is refused, what is kept
-- with a warning, and what a user reads.
CREATE FUNCTION attempt(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    state text; message text; detail text; hint text;
BEGIN
    EXECUTE statement;
    RETURN 'done';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT,
        detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    RETURN concat_ws(E'\n', state || ': ' || message, 'detail: ' || nullif(detail, ''), 'hint: ' || nullif(hint, ''));
END $$;
\pset format unaligned
\pset tuples_only on

-- what ships
SELECT workflow_id, document, required_inputs, steps, servers, problem FROM arazzo_workflows;
SELECT uri, kind, version, title, shipped FROM arazzo_documents ORDER BY uri;

-- bad text
SELECT attempt($_$SELECT arazzo_load('https://x.example/a.yaml', E'a: [1\nb: 2')$_$);
SELECT attempt($_$SELECT arazzo_load('https://x.example/a.yaml', E'a: 1\na: 2')$_$);
SELECT attempt($_$SELECT arazzo_load('https://x.example/a.json', '{"a": 1, "a": 2}')$_$);
SELECT attempt($_$SELECT arazzo_load('https://x.example/a.yaml', E'--- 1\n--- 2')$_$);
SELECT attempt($_$SELECT arazzo_load('https://x.example/a.yaml', '- a')$_$);
SELECT attempt($_$SELECT arazzo_load('https://x.example/a.yaml', '')$_$);
SELECT attempt($_$SELECT arazzo_load('relative.yaml', 'a: 1')$_$);
SELECT attempt($_$SELECT arazzo_load('https://x.example/a.yaml#part', 'a: 1')$_$);

-- bad structure: everything at once, with positions
SELECT attempt($_$SELECT arazzo_load('https://x.example/a.yaml', $$arazzo: 2.0.0
info: {title: 1}
sourceDescriptions: []
workflows:
- workflowId: w
  steps: []
- workflowId: w
  stesp: typo
  steps:
  - stepId: one
    operationId: a
    workflowId: b
  - stepId: one
  - stepId: two
    operationId: a
    parameters: [{name: p, in: body}]
    successCriteria: [{type: regex, condition: a}]
    onFailure: [{name: n, type: again, retryLimit: -1}, {name: n, type: goto}]
$$)$_$);
SELECT attempt($_$SELECT arazzo_load('https://x.example/o.yaml', 'openapi: 3')$_$);
SELECT attempt($_$SELECT arazzo_load('https://x.example/o.yaml', 'openapi: 4.0.0')$_$);
SELECT attempt($_$SELECT arazzo_load('https://x.example/o.yaml', '{openapi: 3.1.0, paths: []}')$_$);

-- documents in any order: kept with a warning, then well
SELECT arazzo_load('https://x.example/arazzo/a.yaml', $$arazzo: 1.0.1
info: {title: a, version: '1'}
sourceDescriptions: [{name: api, url: ../api.yaml}]
workflows:
- workflowId: first
  steps: [{stepId: one, operationId: getThing}]
- workflowId: second
  steps: [{stepId: one, operationId: getThings}]
$$);
SELECT workflow_id, servers, problem FROM arazzo_workflows WHERE document LIKE 'https:%';
SELECT attempt($_$SELECT arazzo_run('first')$_$);
SELECT arazzo_load('https://x.example/api.yaml', $$openapi: 3.1.0
info: {title: api, version: '1'}
servers: [{url: https://api.example/v1}]
paths:
  /thing: {get: {operationId: getThing, responses: {}}}
$$);
SELECT workflow_id, servers, problem FROM arazzo_workflows WHERE document LIKE 'https:%';
SELECT attempt($_$SELECT arazzo_run('first')$_$);
SELECT attempt($_$SELECT arazzo_run('second')$_$);

-- names
SELECT attempt($_$SELECT arazzo_run('frist')$_$);
SELECT attempt($_$SELECT arazzo_run('nothing of the kind')$_$);
SELECT attempt($_$SELECT arazzo_run('https://x.example/arazzo/a.yaml#third')$_$);
SELECT attempt($_$SELECT arazzo_run('https://y.example/a.yaml#first')$_$);
SELECT attempt($_$SELECT arazzo_run(NULL)$_$);
SELECT attempt($_$SELECT arazzo_run('first', NULL)$_$);
SELECT arazzo_load('https://x.example/arazzo/copy.yaml', source) FROM arazzo_documents WHERE uri = 'https://x.example/arazzo/a.yaml';
SELECT attempt($_$SELECT arazzo_run('first')$_$);
SELECT attempt($_$SELECT arazzo_run('https://x.example/arazzo/copy.yaml#first')$_$);
SELECT arazzo_unload('https://x.example/arazzo/copy.yaml');
SELECT attempt($_$SELECT arazzo_unload('https://x.example/arazzo/copy.yaml')$_$);

-- a document that ships belongs to the extension
SELECT attempt($_$SELECT arazzo_load('amberflo-arazzo:/workflows/openapi/amberflo-billing.yaml', '{openapi: 3.1.0}')$_$);
SELECT attempt($_$SELECT arazzo_unload('amberflo-arazzo:/workflows/openapi/amberflo-billing.yaml')$_$);

-- plans follow the documents, also back
BEGIN;
SELECT arazzo_load('https://x.example/api.yaml', $$openapi: 3.1.0
info: {title: api, version: '1'}
servers: [{url: https://api.example/v2}]
paths:
  /thing: {get: {operationId: getThing, responses: {}}}
$$);
SELECT arazzo_explain('first') LIMIT 3;
ROLLBACK;
SELECT arazzo_explain('first') LIMIT 3;
BEGIN;
SAVEPOINT s;
DELETE FROM arazzo_documents WHERE uri = 'https://x.example/api.yaml';
SELECT attempt($_$SELECT arazzo_explain('first')$_$);
ROLLBACK TO s;
SELECT arazzo_explain('first') LIMIT 3;
COMMIT;

-- what keeps a workflow from being run
CREATE FUNCTION problem(steps text, rest text = '') RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
    SET LOCAL client_min_messages = error;
    PERFORM arazzo_load('https://x.example/arazzo/p.yaml', format(E'arazzo: 1.0.1\ninfo: {title: a, version: "1"}\n'
        'sourceDescriptions: [{name: api, url: ../api2.yaml}, {name: more, url: ../api3.yaml}]\n'
        'workflows:\n- workflowId: p\n  inputs: {properties: {x: {type: string}}}\n  steps:\n%s\n%s', steps, rest));
    RETURN QUERY SELECT w.problem FROM arazzo_workflows w WHERE document LIKE '%p.yaml';
END $$;
SELECT arazzo_load('https://x.example/api2.yaml', $$openapi: 3.1.0
info: {title: api, version: '1'}
servers: [{url: https://api.example/v2}]
paths:
  /thing: {get: {operationId: getThing, responses: {}}, put: {operationId: putThing, responses: {}}}
  /things/{id}: {get: {operationId: getOne, responses: {}}}
$$);
SELECT arazzo_load('https://x.example/api3.yaml', $$openapi: 3.1.0
info: {title: api, version: '1'}
servers: [{url: https://api.example/v3}]
paths:
  /thing: {get: {operationId: getThing, responses: {}}, delete: {operationId: PutOther, responses: {}}}
$$);
SELECT problem('  - {stepId: one, operationId: getThing}');
SELECT problem('  - {stepId: one, operationId: $sourceDescriptions.more.getThing}');
SELECT problem('  - {stepId: one, operationId: $sourceDescriptions.less.getThing}');
SELECT problem('  - {stepId: one, operationId: putThign}');
SELECT problem('  - {stepId: one, operationId: putother}');
SELECT problem('  - {stepId: one, operationPath: "{$sourceDescriptions.api.url}#/paths/~1thing/get"}');
SELECT problem('  - {stepId: one, operationPath: "api#/paths/~1nothing/get"}');
SELECT problem('  - {stepId: one, operationId: getOne}');
SELECT problem('  - {stepId: one, operationId: getOne, parameters: [{name: id, in: path, value: $inputs.x}]}');
SELECT problem('  - {stepId: one, operationId: putThing, parameters: [{name: id, in: query, value: $steps.two.outputs.a}]}');
SELECT problem('  - {stepId: one, operationId: putThing, parameters: [{name: id, in: query, value: $steps.one.outputs.a}]}');
SELECT problem('  - {stepId: one, operationId: putThing, successCriteria: [{condition: $statusCode ==}]}');
SELECT problem('  - {stepId: one, operationId: putThing, onSuccess: [{name: a, type: goto, stepId: two}]}');
SELECT problem('  - {stepId: one, operationId: putThing, onSuccess: [{reference: $components.successActions.a}]}');
SELECT problem('  - {stepId: one, workflowId: q}');
SELECT problem('  - {stepId: one, channelPath: x}');
SELECT problem('  - {stepId: one, operationId: putThing}', '  inputs2: {}');

-- inputs
SELECT attempt($_$SELECT arazzo_run('meter-usage-and-topup-prepaid', '{}')$_$);
SELECT attempt($_$SELECT arazzo_run('meter-usage-and-topup-prepaid', '{"meterApiName": 1, "customerId": "c", "meterValue": "2", "meterTimeInMillis": 1.5, "amount": 3}')$_$);
SELECT attempt($_$SELECT arazzo_run('meter-usage-and-topup-prepaid', '[]')$_$);
SELECT attempt($_$SELECT arazzo_run('meter-usage-and-topup-prepaid', '{"apiKey": 7, "meterApiName": "m", "customerId": "c", "meterValue": 2, "meterTimeInMillis": 1, "amount": 3}')$_$);

-- files
SELECT attempt($_$SELECT arazzo_load_file('relative.yaml')$_$);
SELECT attempt($_$SELECT arazzo_load_file('/nonexistent/file.yaml')$_$);

-- rights
CREATE ROLE regress_arazzo_nobody;
SET ROLE regress_arazzo_nobody;
SELECT attempt($_$SELECT arazzo_run('first')$_$);
SELECT attempt($_$SELECT * FROM arazzo_trace('first')$_$);
SELECT attempt($_$SELECT arazzo_load('https://x.example/z.yaml', '{}')$_$);
SELECT attempt($_$SELECT arazzo_load_file('/etc/passwd')$_$);
SELECT attempt($_$SELECT arazzo_unload('https://x.example/api.yaml')$_$);
SELECT attempt($_$SELECT * FROM arazzo_documents$_$);
SELECT count(*) > 5 FROM arazzo_workflows;
RESET ROLE;
GRANT EXECUTE ON FUNCTION arazzo_load(text, text), arazzo_load_file(text), arazzo_run(text, jsonb) TO regress_arazzo_nobody;
SET ROLE regress_arazzo_nobody;
SELECT attempt($_$SELECT arazzo_load('https://x.example/z.yaml', '{}')$_$);
SELECT attempt($_$SELECT arazzo_load_file('/etc/passwd')$_$);
SELECT attempt($_$SELECT arazzo_run('first')$_$);
RESET ROLE;
SELECT uri, loaded_by FROM arazzo_documents WHERE uri LIKE '%z.yaml';
DROP OWNED BY regress_arazzo_nobody;
DROP ROLE regress_arazzo_nobody;

-- explaining: without inputs they stand for themselves; given ones must fit
SELECT arazzo_explain('meter-usage-and-topup-prepaid');
SELECT arazzo_explain('usage-to-stripe-meter', '{"customerId": "c1"}');
SELECT attempt($_$SELECT arazzo_explain('meter-usage-and-topup-prepaid', '{"amount": "much"}')$_$);

-- an input that only feeds the credential of another workflow need not be
-- given, whether a step or an action hands it on
SELECT arazzo_load('https://x.example/arazzo/hand.yaml', $$arazzo: 1.1.0
info: {title: a, version: '1'}
sourceDescriptions: [{name: billing, url: 'amberflo-arazzo:/workflows/openapi/amberflo-billing.yaml'}]
workflows:
- workflowId: hand-on
  inputs: {type: object, required: [a, b, c], properties: {a: {type: string}, b: {type: string}, c: {type: string}}}
  steps:
  - stepId: one
    workflowId: handed
    parameters: [{name: key, value: $inputs.a}]
    onSuccess: [{name: on, type: goto, workflowId: handed, parameters: [{name: key, value: $inputs.b}]}]
  outputs: {c: $inputs.c}
- workflowId: handed
  inputs: {type: object, required: [key], properties: {key: {type: string}}}
  steps:
  - {stepId: list, operationId: listCustomers, parameters: [{name: X-API-KEY, in: header, value: $inputs.key}]}
$$);
SELECT workflow_id, required_inputs FROM arazzo_workflows WHERE document LIKE '%hand.yaml';
