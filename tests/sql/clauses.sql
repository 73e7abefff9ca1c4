-- Clauses of Arazzo 1.0.1 and 1.1.0, one by one, against recorded answers;
-- docs/conformance.md says which is which.  Each run is made twice: straight
-- through, and saved and restored before every step.
\getenv abs_builddir PG_ABS_BUILDDIR
\set rooms :abs_builddir '/tests/module/arazzo_rooms'
SET client_min_messages = warning;
CREATE SCHEMA clauses;
SET search_path = clauses, public;
CREATE FUNCTION test_run_documents(arazzo text, others jsonb, workflow text, inputs jsonb, answers jsonb, resume boolean)
    RETURNS text AS :'rooms', 'test_run_documents' LANGUAGE C STRICT;
CREATE FUNCTION test_run_limits(steps integer, depth integer) RETURNS void
    AS :'rooms', 'test_run_limits' LANGUAGE C STRICT;
\pset format unaligned
\pset tuples_only on

CREATE TABLE others (uri text PRIMARY KEY, document text);
INSERT INTO others VALUES ('https://test.example/openapi.yaml', $$
openapi: 3.2.0
info: {title: t, version: '1'}
servers: [{url: https://api.example}]
paths:
  /a/{id}:
    parameters: [{name: id, in: path, required: true, schema: {type: string}}]
    get: {operationId: getA, responses: {'200': {description: ok}}}
  /b:
    get: {operationId: getB, parameters: [{name: q, in: query, schema: {type: string}}], responses: {'200': {description: ok}}}
    post: {operationId: postB, requestBody: {content: {application/json: {}}}, responses: {'200': {description: ok}}}
  /search:
    get:
      operationId: search
      parameters: [{name: all, in: querystring, content: {application/x-www-form-urlencoded: {}}}]
      responses: {'200': {description: ok}}
  /url:
    get: {operationId: type, responses: {'200': {description: ok}}}
$$);

-- Arazzo 1.1.0, or another version and other sources when the text says so.
CREATE FUNCTION replay(arazzo text, workflow text, inputs jsonb, answers jsonb) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    documents jsonb := (SELECT jsonb_object_agg(uri, document) FROM others);
    head text := E'info: {title: t, version: "1"}\n' ||
        CASE WHEN arazzo LIKE '%arazzo: 1%' THEN '' ELSE E'arazzo: 1.1.0\n' END ||
        CASE WHEN arazzo LIKE '%sourceDescriptions: [%' THEN '' ELSE E'sourceDescriptions: [{name: api, url: ../openapi.yaml}]\n' END;
    straight text;
    resumed text;
    detail text;
    hint text;
BEGIN
    straight := test_run_documents(head || arazzo, documents, workflow, inputs, answers, false);
    resumed := test_run_documents(head || arazzo, documents, workflow, inputs, answers, true);
    IF straight <> resumed THEN
        RETURN E'DIFFERS WHEN RESUMED\n' || straight || E'\n---\n' || resumed;
    END IF;
    RETURN straight;
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    RETURN concat_ws(E'\n', 'refused ' || SQLSTATE || ': ' || SQLERRM, '  ' || nullif(detail, ''), '  ' || nullif(hint, ''));
END $$;

\echo == replacements by JSONPath: every node, the inner ones before the outer
SELECT replay($$
workflows:
- workflowId: w
  steps:
  - stepId: one
    operationId: postB
    requestBody:
      payload: {items: [{sku: A, n: 1}, {sku: B, n: 2}, {sku: A, n: 3}], "it's": {"a\\b": 1}, deep: {n: {n: 1}}}
      replacements:
      - {target: "$.items[?(@.sku=='A')].n", targetSelectorType: jsonpath, value: $inputs.n}
      - {target: "$['it\\'s']['a\\\\b']", targetSelectorType: {type: jsonpath, version: rfc9535}, value: 2}
      - {target: "$.deep..n", targetSelectorType: jsonpath, value: [x]}
      - {target: /items/1/n, targetSelectorType: {type: jsonpointer, version: rfc6901}, value: {context: $inputs.o, selector: /n, type: jsonpointer}}
      - {target: "$.items[1].sku", value: C}
$$, 'w', '{"n": 10, "o": {"n": 20}}', '[{"status": 200}]');

\echo == a place that is not in the payload fails the step, nothing is sent
SELECT replay($$
workflows:
- workflowId: w
  steps:
  - stepId: one
    operationId: postB
    requestBody: {payload: {a: 1}, replacements: [{target: "$.b", targetSelectorType: jsonpath, value: 1}]}
$$, 'w', '{}', '[]');

\echo == replacements in a JSON template, after its expressions
SELECT replay($$
workflows:
- workflowId: w
  steps:
  - stepId: one
    operationId: postB
    requestBody:
      contentType: application/json
      payload: '{"b": "{$inputs.b}", "a": {"c": 1}}'
      replacements: [{target: /a/c, value: $inputs.c}]
$$, 'w', '{"b": "x", "c": [1.50]}', '[{"status": 200}]');

\echo == replacements by XPath: the default for XML, elements, attributes, text, markup escaped
SELECT replay($$
workflows:
- workflowId: w
  steps:
  - stepId: one
    operationId: postB
    requestBody:
      contentType: application/xml
      payload: |
        <?xml version="1.0"?>
        <!-- <id> --><order kind='a>b' id="1"><id>{$inputs.id}</id><empty a="1"/><line n="1"><![CDATA[<id>]]></line><line n="2">x<b/></line></order>
      replacements:
      - {target: /order/id, value: $inputs.name}
      - {target: /order/@kind, value: '"q" & more'}
      - {target: //empty, targetSelectorType: xpath, value: 5}
      - {target: "/order/line[1]/text()", targetSelectorType: {type: xpath, version: xpath-10}, value: {a: 1}}
      - {target: "//line[last()] | //line/@n", value: z}
$$, 'w', '{"id": 7, "name": "<evil/> & co"}', '[{"status": 200}]');
SELECT replay($$
workflows:
- workflowId: w
  steps:
  - stepId: one
    operationId: postB
    requestBody: {contentType: text/xml, payload: <a/>, replacements: [{target: /b, value: 1}]}
$$, 'w', '{}', '[]');
SELECT replay($$
workflows:
- workflowId: w
  steps:
  - stepId: one
    operationId: postB
    requestBody: {contentType: text/xml, payload: '<!DOCTYPE a [<!ENTITY e "<b/>">]><a>&e;</a>', replacements: [{target: /a, value: 1}]}
$$, 'w', '{}', '[]');
SELECT replay($$
workflows:
- workflowId: w
  steps:
  - stepId: one
    operationId: postB
    requestBody: {contentType: text/xml, payload: <a>x<b/></a>, replacements: [{target: /a/text(), value: 1}]}
$$, 'w', '{}', '[]');

\echo == targets that are malformed, or need more than XPath 1.0, are refused when planning
SELECT replay($$
workflows:
- workflowId: w
  steps:
  - {stepId: one, operationId: postB, requestBody: {payload: {a: 1}, replacements: [{target: a, value: 1}]}}
$$, 'w', '{}', '[]');
SELECT replay($$
workflows:
- workflowId: w
  steps:
  - {stepId: one, operationId: postB, requestBody: {contentType: text/xml, payload: <a/>, replacements: [{target: "/a[", value: 1}]}}
$$, 'w', '{}', '[]');
SELECT replay($$
workflows:
- workflowId: w
  steps:
  - {stepId: one, operationId: postB, requestBody: {contentType: text/xml, payload: <a/>, replacements: [{target: /a, targetSelectorType: {type: xpath, version: xpath-30}, value: 1}]}}
$$, 'w', '{}', '[]');

\echo == dependsOn of steps: the order of the document, each step behind what it depends on, named or used
SELECT replay($$
workflows:
- workflowId: w
  steps:
  - {stepId: last, operationId: getB, dependsOn: [second], parameters: [{name: q, in: query, value: $steps.third.outputs.s}]}
  - {stepId: first, operationId: getB}
  - {stepId: second, operationId: getB, dependsOn: [first]}
  - {stepId: third, operationId: getB, outputs: {s: $statusCode}}
  - {stepId: fourth, operationId: getB}
$$, 'w', '{}', '[{"status": 200}, {"status": 200}, {"status": 201}, {"status": 200}, {"status": 200}]');

\echo == circles, explicit or by outputs, and steps that do not exist
SELECT replay($$
workflows:
- workflowId: w
  steps:
  - {stepId: one, operationId: getB, dependsOn: [two]}
  - {stepId: two, operationId: getB, dependsOn: [three]}
  - {stepId: three, operationId: getB, dependsOn: [one]}
$$, 'w', '{}', '[]');
SELECT replay($$
workflows:
- workflowId: w
  steps:
  - {stepId: one, operationId: getB, dependsOn: [two], outputs: {a: $statusCode}}
  - {stepId: two, operationId: getB, parameters: [{name: q, in: query, value: $steps.one.outputs.a}]}
$$, 'w', '{}', '[]');
SELECT replay($$
workflows:
- workflowId: w
  steps: [{stepId: one, operationId: getB, dependsOn: [nowhere]}]
$$, 'w', '{}', '[]');

\echo == an output of a later step: no order has it, unless an action leads back
SELECT replay($$
workflows:
- workflowId: w
  steps:
  - {stepId: one, operationId: getB, parameters: [{name: q, in: query, value: $steps.two.outputs.a}]}
  - {stepId: two, operationId: getB, outputs: {a: $statusCode}}
$$, 'w', '{}', '[]');
SELECT replay($$
workflows:
- workflowId: w
  steps:
  - {stepId: start, operationId: getB, onSuccess: [{name: on, type: goto, stepId: two}]}
  - {stepId: one, operationId: getB, parameters: [{name: q, in: query, value: $steps.two.outputs.a}], onSuccess: [{name: stop, type: end}]}
  - {stepId: two, operationId: getB, outputs: {a: $statusCode}, onSuccess: [{name: back, type: goto, stepId: one}]}
$$, 'w', '{}', '[{"status": 200}, {"status": 201}, {"status": 200}]');
SELECT replay($$
arazzo: 1.0.1
workflows:
- workflowId: w
  steps:
  - stepId: one
    operationId: getB
    onSuccess: [{name: stop, type: end, criteria: [{condition: $steps.two.outputs.a == null}]}]
  - {stepId: two, operationId: getB, outputs: {a: $statusCode}}
$$, 'w', '{}', '[{"status": 200}]');

\echo == a dependency that an action went around holds the step back
SELECT replay($$
workflows:
- workflowId: w
  steps:
  - {stepId: one, operationId: getB, onSuccess: [{name: over, type: goto, stepId: three}]}
  - {stepId: two, operationId: getB}
  - {stepId: three, operationId: getB, dependsOn: [two]}
$$, 'w', '{}', '[{"status": 200}]');

\echo == dependsOn of a step of another workflow, here and in another document
INSERT INTO others VALUES ('https://test.example/other.yaml', $$
arazzo: 1.1.0
$self: https://identity.example/flows/other.yaml
info: {title: t, version: '1'}
sourceDescriptions: [{name: api, url: ../openapi.yaml}]
workflows:
- workflowId: far
  steps: [{stepId: there, operationId: type}]
$$), ('https://identity.example/openapi.yaml', $$
openapi: 3.1.0
info: {title: t, version: '1'}
servers: [{url: https://identity.example}]
paths: {/far: {get: {operationId: type, responses: {'200': {description: ok}}}}}
$$);
SELECT replay($$
sourceDescriptions: [{name: api, url: ../openapi.yaml}, {name: other, url: https://identity.example/flows/other.yaml, type: arazzo}]
workflows:
- workflowId: w
  steps:
  - {stepId: one, workflowId: near}
  - {stepId: two, workflowId: $sourceDescriptions.other.far}
  - {stepId: three, operationId: getB, dependsOn: [$workflows.near.steps.here, $sourceDescriptions.other.far.steps.there]}
- workflowId: near
  steps: [{stepId: here, operationId: getB}]
$$, 'w', '{}', '[{"status": 200}, {"status": 200}, {"status": 200}]');
SELECT replay($$
sourceDescriptions: [{name: api, url: ../openapi.yaml}, {name: other, url: https://identity.example/flows/other.yaml, type: arazzo}]
workflows:
- workflowId: w
  steps:
  - {stepId: one, operationId: getB, dependsOn: [$sourceDescriptions.other.far.steps.there]}
$$, 'w', '{}', '[]');
SELECT replay($$
workflows:
- workflowId: w
  steps: [{stepId: one, operationId: getB, dependsOn: [$workflows.w.steps.none]}]
$$, 'w', '{}', '[]');

\echo == dependsOn of workflows: a circle
SELECT replay($$
workflows:
- {workflowId: a, dependsOn: [b], steps: [{stepId: one, operationId: getB}]}
- {workflowId: b, dependsOn: [c], steps: [{stepId: one, operationId: getB}]}
- {workflowId: c, dependsOn: [a], steps: [{stepId: one, operationId: getB}]}
$$, 'a', '{}', '[]');

\echo == $self is the base and the identity; relative to where the document is; $self as an expression
SELECT replay($$
$self: v2/flows/main.yaml
sourceDescriptions: [{name: api, url: ../../../openapi.yaml}]
workflows:
- workflowId: w
  steps: [{stepId: one, operationId: getB, parameters: [{name: q, in: query, value: $self}]}]
  outputs: {url: $sourceDescriptions.api.url, name: $sourceDescriptions.api.name, self: $self}
$$, 'w', '{}', '[{"status": 200}]');

\echo == an operation of a source comes before a field of its description; what is neither has no value
SELECT replay($$
sourceDescriptions: [{name: api, url: ../openapi.yaml, type: openapi}]
workflows:
- workflowId: w
  steps: [{stepId: one, operationId: $sourceDescriptions.api.type}]
  outputs: {type: $sourceDescriptions.api.type, operation: $sourceDescriptions.api.getA, none: $sourceDescriptions.api.none}
$$, 'w', '{}', '[{"status": 200}]');
SELECT replay($$
workflows:
- workflowId: w
  steps: [{stepId: one, operationId: getB, parameters: [{name: q, in: query, value: $sourceDescriptions.api.none}]}]
$$, 'w', '{}', '[]');

\echo == components as values; reusable objects with a value
SELECT replay($$
workflows:
- workflowId: w
  parameters: [{reference: $components.parameters.q}]
  steps:
  - {stepId: one, operationId: getB, parameters: [{reference: $components.parameters.q, value: $inputs.q}]}
  - {stepId: two, operationId: getB}
  - {stepId: three, workflowId: inner, parameters: [{reference: $components.parameters.q, value: 3}]}
  outputs: {p: $components.parameters.q, a: $components.successActions.stop}
- workflowId: inner
  steps: [{stepId: one, operationId: getB, parameters: [{name: q, in: query, value: $inputs.q}]}]
components:
  parameters: {q: {name: q, in: query, value: 1}}
  successActions: {stop: {name: stop, type: end}}
$$, 'w', '{"q": "x"}', '[{"status": 200}, {"status": 200}, {"status": 200}]');
SELECT replay($$
workflows:
- workflowId: w
  steps: [{stepId: one, operationId: getB, parameters: [{name: q, in: query, value: $components.parameters.none}]}]
$$, 'w', '{}', '[]');

\echo == in: querystring, as one text with embedded expressions
SELECT replay($$
workflows:
- workflowId: w
  steps: [{stepId: one, operationId: search, parameters: [{name: all, in: querystring, value: 'a={$inputs.a}&b=2'}]}]
$$, 'w', '{"a": 1}', '[{"status": 200}]');

\echo == retry with a workflow: its parameters, or the inputs at hand; goto a workflow with parameters
SELECT replay($$
workflows:
- workflowId: w
  steps:
  - stepId: one
    operationId: getB
    onFailure:
    - {name: given, type: retry, workflowId: helper, parameters: [{name: x, value: $statusCode}], criteria: [{condition: $statusCode == 401}]}
    - {name: same, type: retry, workflowId: helper, criteria: [{condition: $statusCode == 402}]}
    onSuccess: [{name: on, type: goto, workflowId: helper, parameters: [{name: x, value: 'n={$response.body#/n}'}]}]
- workflowId: helper
  inputs: {type: object, required: [x]}
  steps: [{stepId: help, operationId: getB, parameters: [{name: q, in: query, value: $inputs.x}]}]
  outputs: {x: $inputs.x}
$$, 'w', '{"x": "outer"}', '[{"status": 401}, {"status": 200}, {"status": 402}, {"status": 200}, {"status": 200, "body": {"n": 5}}, {"status": 200}]');

\echo == retry: the limit is used up before the actions behind it; a limit for each action; Retry-After of 0
SELECT replay($$
workflows:
- workflowId: w
  steps:
  - stepId: one
    operationId: getB
    onFailure:
    - {name: busy, type: retry, retryLimit: 2, retryAfter: 0.25, criteria: [{condition: $statusCode == 503}, {condition: $response.body#/busy}]}
    - {name: any, type: retry}
    - {name: give-up, type: end}
$$, 'w', '{}', '[{"status": 503, "body": {"busy": true}}, {"status": 503, "body": {"busy": true}, "headers": {"Retry-After": "0"}}, {"status": 503, "body": {"busy": true}}, {"status": 500}]');

\echo == timeout: of a call, of a workflow with all it does, with and without an action
SELECT replay($$
workflows:
- workflowId: w
  steps:
  - {stepId: plain, operationId: getB, timeout: 700}
  - {stepId: call, workflowId: inner, timeout: 5000, onFailure: [{name: go, type: goto, stepId: after}]}
  - {stepId: after, operationId: getB}
  - {stepId: again, workflowId: inner, timeout: 100}
- workflowId: inner
  steps:
  - {stepId: slow, operationId: getB, timeout: 60000, onFailure: [{name: more, type: retry, retryLimit: 9, retryAfter: 3}]}
  - {stepId: next, operationId: getB}
$$, 'w', '{}', '[{"status": 200}, {"status": 500, "after": 1000}, {"status": 500}, {"status": 200}, {"status": 200, "after": 101}]');

\echo == outputs that are prose or no expression are null, and noted; constants stay
SELECT replay($$
workflows:
- workflowId: w
  steps: [{stepId: one, operationId: getB, outputs: {a: The id of it, b: "$steps.one.outputs.c (a list)", c: $statusCode}}]
  outputs: {a: $steps.one.outputs.a, b: $steps.one.outputs.b, c: $steps.one.outputs.c, d: done, e: '{$response.bogus}', f: $steps.none.outputs.x}
$$, 'w', '{}', '[{"status": 200}]');

\echo == embedded expressions in regex, jsonpath and xpath conditions, evaluated first
SELECT replay($$
workflows:
- workflowId: w
  steps:
  - stepId: one
    operationId: getB
    successCriteria:
    - {context: $response.body#/state, condition: '^({$inputs.pattern})$', type: regex}
    - {context: $response.body, condition: '$[?(@.state == "{$inputs.state}")]', type: jsonpath}
    - {context: $response.body, condition: '$.items[?@.n > {$inputs.n}]', type: {type: jsonpath, version: rfc9535}}
    onFailure: [{name: stop, type: end}]
  - stepId: two
    operationId: getB
    successCriteria: [{context: $response.body, condition: '/order/item[@n > {$inputs.n}]', type: xpath}]
$$, 'w', '{"pattern": "do.e|x", "state": "done", "n": 2}',
'[{"status": 200, "body": {"state": "done", "other": {"state": "done"}, "items": [{"n": 3}]}}, {"status": 200, "headers": {"Content-Type": "text/xml"}, "body": "<order><item n=\"3\"/></order>"}]');

\echo == string payloads: JSON, XML and form templates, one expression that is all
SELECT replay($$
workflows:
- workflowId: w
  steps:
  - {stepId: one, operationId: postB, requestBody: {contentType: application/json, payload: '{"a": "{$inputs.a}", "o": {$inputs.o}, "n": {$inputs.n}}'}}
  - {stepId: two, operationId: postB, requestBody: {contentType: application/xml, payload: '<a><b>{$inputs.a}</b>{$inputs.n}</a>'}}
  - {stepId: three, operationId: postB, requestBody: {contentType: application/x-www-form-urlencoded, payload: 'a={$inputs.a}&n={$inputs.n}'}}
  - {stepId: four, operationId: postB, requestBody: {payload: $inputs.o}}
$$, 'w', '{"a": "x", "n": 1.50, "o": {"k": [1]}}', '[{"status": 200}, {"status": 200}, {"status": 200}, {"status": 200}]');

\echo == messages: send by NOTIFY with headers and variables, receive by correlation id, HTTP, others by name
INSERT INTO others VALUES ('https://test.example/async.yaml', $$
asyncapi: 3.0.0
info: {title: t, version: '1'}
defaultContentType: application/json
servers:
  db: {host: 'db.example:5432', pathname: /shop, protocol: postgresql}
  hooks: {host: '{tenant}.hooks.example', pathname: /in, protocol: https, variables: {tenant: {default: acme}}}
  bus: {host: kafka.example, protocol: kafka}
channels:
  orders:
    address: 'orders_{region}'
    servers: [{$ref: '#/servers/db'}]
    messages: {order: {correlationId: {location: $message.header#/requestId}}}
  done:
    address: done
    servers: [{$ref: '#/servers/db'}]
    messages: {done: {$ref: '#/components/messages/done'}}
  hook: {address: orders/new, servers: [{$ref: '#/servers/hooks'}], messages: {m: {contentType: application/json}}}
  log: {address: log, servers: [{$ref: '#/servers/bus'}]}
operations:
  placeOrder: {action: send, channel: {$ref: '#/channels/orders'}}
  orderDone: {action: receive, channel: {$ref: '#/channels/done'}}
  putHook: {action: send, channel: {$ref: '#/channels/hook'}, bindings: {http: {method: PUT}}}
  logIt: {action: send, channel: {$ref: '#/channels/log'}}
components:
  messages: {done: {correlationId: {location: $message.payload#/request/id}}}
$$), ('https://test.example/async2.yaml', $$
asyncapi: 2.6.0
info: {title: t, version: '1'}
servers: {db: {url: 'postgres://db.example/shop', protocol: postgres}}
channels:
  signups:
    publish: {operationId: signUp, message: {payload: {type: object}}}
    subscribe: {operationId: signedUp, message: {correlationId: {location: $message.header#/id}}}
$$);
SELECT replay($$
sourceDescriptions: [{name: api, url: ../openapi.yaml}, {name: async, url: ../async.yaml, type: asyncapi}]
workflows:
- workflowId: w
  steps:
  - stepId: place
    operationId: $sourceDescriptions.async.placeOrder
    action: send
    parameters: [{name: region, in: path, value: a/b c}, {name: requestId, in: header, value: $inputs.id}]
    requestBody: {payload: {product: $inputs.product}}
  - {stepId: hook, operationId: putHook, requestBody: {payload: {id: $inputs.id}}, outputs: {s: $statusCode}}
  - stepId: confirm
    channelPath: '{$sourceDescriptions.async.url}#/channels/done'
    action: receive
    correlationId: $inputs.id
    timeout: 6000
    dependsOn: [place]
    successCriteria: [{condition: $message.payload#/ok == true}]
    outputs: {order: $message.payload.order, type: $message.header.content-type, s: $statusCode}
  - {stepId: log, operationPath: $sourceDescriptions.async.logIt, requestBody: {payload: {}}, onFailure: [{name: no, type: end}]}
  outputs: {order: $steps.confirm.outputs.order, type: $steps.confirm.outputs.type, s: $steps.hook.outputs.s, none: $steps.confirm.outputs.s}
$$, 'w', '{"id": "r-1", "product": "p"}', '[{"status": 0}, {"status": 202}, {"body": {"request": {"id": "other"}}}, {"body": {"request": {"id": "r-1"}, "ok": true, "order": 7}}]');
SELECT replay($$
sourceDescriptions: [{name: async, url: ../async.yaml}]
workflows:
- workflowId: w
  steps:
  - {stepId: confirm, operationId: orderDone, correlationId: x, timeout: 6000, onFailure: [{name: late, type: retry}]}
$$, 'w', '{}', '[{"after": 1000, "body": {"request": {"id": "y"}}}, {"nothing": true}, {"body": {"request": {"id": "x"}}}]');
SELECT replay($$
sourceDescriptions: [{name: two, url: ../async2.yaml}]
workflows:
- workflowId: w
  steps:
  - {stepId: up, operationId: signUp, requestBody: {payload: {a: 1}}}
  - {stepId: by-path, channelPath: '{$sourceDescriptions.two.url}#/channels/signups', action: receive, correlationId: '5'}
$$, 'w', '{}', '[{}, {"headers": {"id": "4"}}, {"headers": {"Id": "5"}, "body": {}}]');
SELECT replay($$
sourceDescriptions: [{name: async, url: ../async.yaml}]
workflows:
- workflowId: w
  steps: [{stepId: log, operationId: logIt, requestBody: {payload: {}}}]
$$, 'w', '{}', '[]');
SELECT replay($$
sourceDescriptions: [{name: async, url: ../async.yaml}]
workflows:
- workflowId: w
  steps: [{stepId: up, channelPath: '{$sourceDescriptions.async.url}#/channels/none', action: send}]
$$, 'w', '{}', '[]');
SELECT replay($$
sourceDescriptions: [{name: async, url: ../async.yaml}]
workflows:
- workflowId: w
  steps: [{stepId: hook, channelPath: '{$sourceDescriptions.async.url}#/channels/hook', action: receive, correlationId: a}]
$$, 'w', '{}', '[]');
SELECT replay($$
sourceDescriptions: [{name: async, url: ../async.yaml}]
workflows:
- workflowId: w
  steps: [{stepId: hook, channelPath: '{$sourceDescriptions.async.url}#/channels/hook'}]
$$, 'w', '{}', '[]');
SELECT replay($$
sourceDescriptions: [{name: async, url: ../missing.yaml, type: asyncapi}]
workflows:
- workflowId: w
  steps: [{stepId: hook, channelPath: '{$sourceDescriptions.async.url}#/channels/hook', action: send}]
$$, 'w', '{}', '[]');
SELECT replay($$
sourceDescriptions: [{name: async, url: ../missing.yaml, type: asyncapi}]
workflows:
- workflowId: w
  steps: [{stepId: hook, operationId: hook, action: send}]
$$, 'w', '{}', '[]');
RESET search_path;
