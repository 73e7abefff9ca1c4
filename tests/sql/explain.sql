-- What arazzo_explain shows of requests that are no text, and of workflows
-- that call themselves.
\pset format unaligned
\pset tuples_only on
SET client_min_messages = warning;
SELECT arazzo_load('https://x.example/openapi.yaml', $$
openapi: 3.1.0
info: {title: t, version: '1'}
servers: [{url: https://api.example}]
paths:
  /file:
    post: {operationId: upload, requestBody: {content: {application/octet-stream: {schema: {type: string, contentEncoding: base64}}}}}
  /look:
    get: {operationId: look}
$$);
SELECT arazzo_load('https://x.example/arazzo.yaml', $$
arazzo: 1.0.1
info: {title: t, version: '1'}
sourceDescriptions: [{name: s, url: openapi.yaml}]
workflows:
- workflowId: binary
  inputs: {type: object, properties: {data: {type: string}}}
  steps:
  - {stepId: one, operationId: upload, requestBody: {contentType: application/octet-stream, payload: $inputs.data}}
- workflowId: tree
  steps:
  - {stepId: left, workflowId: tree}
  - {stepId: look, operationId: look}
  - {stepId: right, workflowId: branch}
- workflowId: branch
  steps:
  - {stepId: back, workflowId: tree}
$$);

\echo == bytes that are no text
SELECT * FROM arazzo_explain('binary', '{"data": "//79AA=="}');
\echo == a workflow that calls itself
SELECT * FROM arazzo_explain('tree') line WHERE line ~ 'workflow|GET';

SELECT count(arazzo_unload(uri)) FROM arazzo_documents WHERE NOT shipped;
