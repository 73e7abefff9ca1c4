-- arazzo_check: everything that can be known before a run, in document order.
\pset format unaligned
\pset tuples_only on
\pset null ''
SELECT arazzo_load('https://c.example/api.yaml', $$openapi: 3.1.0
info: {title: api, version: '1'}
servers: [{url: https://api.example/v1}]
components:
  securitySchemes: {key: {type: apiKey, in: header, name: X-Key}}
  schemas:
    Thing:
      type: object
      required: [name, size, made]
      properties:
        name: {type: string}
        size: {type: integer}
        made: {type: string, readOnly: true}
        tags: {type: array, items: {type: string}}
paths:
  /things:
    get:
      operationId: listThings
      parameters:
      - {name: limit, in: query, schema: {type: integer}}
      - {name: state, in: query, required: true, schema: {type: string}}
      responses: {}
    post:
      operationId: addThing
      security: [{key: []}]
      parameters: [{name: X-Key, in: header, required: true, schema: {type: string}}]
      requestBody: {required: true, content: {application/json: {schema: {$ref: '#/components/schemas/Thing'}}}}
      responses: {}
  /things/{id}:
    get:
      operationId: getThing
      parameters: [{name: id, in: path, required: true, schema: {type: string}}]
      responses: {}
$$);
CREATE FUNCTION findings(document text) RETURNS SETOF text LANGUAGE sql AS $$
    SELECT concat_ws(' | ', severity, code, line || ':' || col, pointer, message, hint)
    FROM arazzo_check(document, 'https://c.example/w/check.yaml') $$;
CREATE FUNCTION workflow(steps text, rest text = '') RETURNS SETOF text LANGUAGE sql AS $$
    SELECT findings(E'arazzo: 1.0.1\ninfo: {title: a, version: "1"}\n'
        'sourceDescriptions: [{name: api, url: ../api.yaml}]\nworkflows:\n- workflowId: w\n'
        '  inputs: {type: object, properties: {x: {type: string}, n: {type: integer}, l: {type: array}}}\n'
        '  steps:\n' || steps || E'\n' || rest) $$;

-- text and kind
SELECT findings(E'a: [1\nb: 2');
SELECT findings('- a');
SELECT findings('a: 1');
SELECT count(*) FROM arazzo_check(NULL);

-- structure: every error, each with its place
SELECT findings($$arazzo: 1.1.0
$self: https://c.example/a.yaml#part
info: {title: 1, x-mine: 2, titel: a}
sourceDescriptions:
- {name: api, url: api.yaml, type: soap}
- {name: api, url: api.yaml, type: openapi}
workflows:
- workflowId: w
  steps: []
- workflowId: w
  steps:
  - {stepId: one, operationId: a, workflowId: b}
  - {stepId: one}
  - stepId: two
    operationId: a
    channelPath: b
    dependsOn: [one, one, $steps.one]
    successCriteria: []
    parameters: [{name: p, in: body}, {name: q, value: 1}, {name: q, value: 1}]
    requestBody: {replacements: [{target: /a, targetSelectorType: jmespath, value: 1}]}
    outputs: {a b: 1, c: {selector: a}}
  - {stepId: three, operationId: a, action: shout, correlationId: c, timeout: -1}
  - {stepId: four, workflowId: w, action: send, onFailure: [{name: n, type: again, retryLimit: -1}, {name: n, type: goto}]}
  - {stepId: five, channelPath: a, successCriteria: [{type: {type: xpath, version: rfc9535}, condition: a}, {type: regexp, condition: a}]}
components: []
$$);
SELECT findings('{arazzo: 2.0.0, info: {title: a, version: b}, sourceDescriptions: [], workflows: []}');
SELECT findings('{arazzo: 1.0.0, $self: a, info: {title: a, version: b}, workflows: {}}');

-- a workflow that is broken does not hide what is wrong with the others
SELECT findings($$arazzo: 1.0.1
info: {title: a, version: '1'}
sourceDescriptions: [{name: api, url: ../api.yaml}, {name: other, url: other.yaml}]
workflows:
- workflowId: broken
  steps: [{stepId: one}]
- workflowId: sound
  steps:
  - {stepId: one, operationId: getThin}
  - {stepId: two, workflowId: broken}
  - {stepId: three, workflowId: $sourceDescriptions.api.x}
  - {stepId: four, operationId: $sourceDescriptions.other.x}
  - {stepId: five, operationId: $sourceDescriptions.apis.x}
  - {stepId: six, operationPath: '{$sourceDescriptions.api.url}#/paths/~1thing/get'}
$$);

-- references, expressions and conditions
SELECT workflow($$  - stepId: one
    operationId: addThing
    requestBody:
      contentType: application/json
      payload:
        name: $steps.two.outputs.a
        size: $inputs.y
        tags: [$steps.one.outputs.a, $response.body#/a, $steps.nowhere.outputs.a, "{$inputs.x", $inputs.]
    successCriteria:
    - condition: $statusCode ==
    - {context: $response.body, type: jsonpath, condition: '$[?'}
    - {context: $response.body, type: jsonpath, condition: $.state == 'done'}
    - {context: $response.body, type: xpath, condition: //a}
    - {context: $response.body, type: regex, condition: '('}
    onSuccess: [{name: a, type: goto, stepId: three}, {reference: $components.successActions.b}]
    outputs: {a: $response.body#/a, b: $steps.two.outputs.b}
  - stepId: two
    operationId: listThings
    parameters: [{name: state, in: query, value: a}, {reference: $components.parameters.c}]
    outputs: {a: $response.body#/a}$$, $$  outputs: {p: $steps.two.outputs.c, q: $steps.three.outputs.c}
$$);

-- what an operation knows and asks for
SELECT workflow($$  - stepId: one
    operationId: listThings
    parameters:
    - {name: limit, in: query, value: $inputs.x}
    - {name: limits, in: query, value: 1}
  - {stepId: two, operationId: listThings, parameters: [{name: state, in: query, value: 1}, {name: limit, in: query, value: '10'}]}
  - {stepId: three, operationId: addThing}
  - stepId: four
    operationId: addThing
    requestBody: {contentType: application/json, payload: {size: $inputs.x, tags: a}}
  - {stepId: five, operationId: addThing, requestBody: {contentType: text/plain, payload: a}}
  - {stepId: six, operationId: addThing, requestBody: {payload: $inputs.l}}
  - {stepId: seven, operationId: getThing, parameters: [{name: thing, in: path, value: a}], requestBody: {payload: a}}
  - {stepId: eight, operationId: addThing, requestBody: {contentType: application/json, payload: {size: 1}, replacements: [{target: /name, value: a}]}}$$);

-- inputs and bodies put together by allOf and $ref, here and in other documents
SELECT arazzo_load('https://c.example/all.yaml', $$openapi: 3.1.0
info: {title: all, version: '1'}
servers: [{url: https://api.example/v1}]
components:
  schemas:
    Base: {type: object, required: [id, made], properties: {id: {allOf: [{$ref: '#/components/schemas/Id'}, {minimum: 1}]}, made: {type: string, readOnly: true}}}
    Id: {type: [integer, string]}
    Name: {$ref: '#/components/schemas/Text'}
    Text: {type: string}
    Loop: {allOf: [{$ref: '#/components/schemas/Loop'}, {type: object}]}
paths:
  /all:
    post:
      operationId: addAll
      parameters: [{name: page, in: query, schema: {allOf: [{$ref: '#/components/schemas/Id'}, {type: integer}]}}]
      requestBody:
        content:
          application/json:
            schema:
              allOf:
              - $ref: '#/components/schemas/Base'
              - {required: [name, id], properties: {name: {$ref: '#/components/schemas/Name'}, id: {type: integer}, loop: {$ref: '#/components/schemas/Loop'}}}
      responses: {}
$$);
SELECT findings($$arazzo: 1.0.1
info: {title: a, version: '1'}
sourceDescriptions: [{name: api, url: ../all.yaml}]
workflows:
- workflowId: w
  inputs:
    allOf:
    - $ref: '#/components/inputs/base'
    - {properties: {page: {type: [string, integer]}, list: {type: array}}}
  steps:
  - stepId: one
    operationId: addAll
    parameters: [{name: page, in: query, value: $inputs.list}]
    requestBody: {payload: {id: $inputs.text, name: $inputs.list, loop: $inputs.text}}
  - stepId: two
    operationId: addAll
    parameters: [{name: page, in: query, value: $inputs.page}]
    requestBody: {payload: {name: $inputs.none, id: $inputs.page}}
  - {stepId: three, operationId: addAll, requestBody: {payload: {id: 1}}}
components:
  inputs:
    base: {allOf: [{properties: {text: {allOf: [{type: [string, 'null']}, {type: string}]}, page: {type: integer}}}]}
$$);

-- flow
SELECT workflow($$  - stepId: one
    operationId: getThing
    parameters: [{name: id, in: path, value: $steps.three.outputs.id}]
    onSuccess: [{name: skip, type: goto, stepId: three}, {name: never, type: end}]
  - {stepId: two, operationId: getThing, parameters: [{name: id, in: path, value: a}], outputs: {id: $response.body#/id}}
  - stepId: three
    operationId: getThing
    parameters: [{name: id, in: path, value: a}]
    outputs: {id: $response.body#/id}
  - stepId: four
    operationId: getThing
    parameters: [{name: id, in: path, value: $steps.two.outputs.id}]
    onSuccess: [{name: back, type: goto, stepId: three}]$$, $$  outputs: {id: $steps.two.outputs.id}
$$);
SELECT workflow($$  - stepId: one
    operationId: getThing
    parameters: [{name: id, in: path, value: $steps.one.outputs.id}]
    outputs: {id: $response.body#/id}
    onSuccess: [{name: again, type: goto, stepId: one, criteria: [{condition: $statusCode == 202}]}]$$);

-- without a URI: what is loaded under the same text, or the one document that
-- a relative URL can mean
SELECT severity, code, line FROM arazzo_check($$arazzo: 1.0.1
info: {title: a, version: '1'}
sourceDescriptions: [{name: api, url: ../api.yaml}]
workflows: [{workflowId: w, steps: [{stepId: one, operationId: nothing}]}]
$$);
SELECT severity, code, line FROM arazzo_check($$arazzo: 1.0.1
info: {title: a, version: '1'}
sourceDescriptions: [{name: api, url: nowhere.yaml}]
workflows: [{workflowId: w, steps: [{stepId: one, operationId: nothing}]}]
$$);

-- documents that ship have nothing to be warned of
SELECT uri, f.* FROM arazzo_documents d, arazzo_check(d.source, d.uri) f WHERE shipped ORDER BY uri, line, col;

-- OpenAPI
SELECT findings($$openapi: 3.0.3
info: {title: a}
paths:
  things: {get: {operationId: a}}
  /things/{id}:
    parameters: [{name: id, in: path}]
    get: {operationId: a, responses: {}}
    put: {operationId: [b], parameters: {}, responses: {}}
    post: 1
  /other/{id}: {get: {parameters: [{in: query}], responses: {}}}
$$);
SELECT findings('{openapi: 3, info: [], paths: []}');
SELECT findings('{openapi: 4.0.0}');

SELECT arazzo_unload('https://c.example/api.yaml');
SELECT arazzo_unload('https://c.example/all.yaml');
DROP FUNCTION workflow, findings;
