-- A plan is made of several documents, and they may change between one read
-- and the next: what is kept is never made of both.
\getenv abs_builddir PG_ABS_BUILDDIR
\set rooms :abs_builddir '/tests/module/arazzo_rooms'
CREATE FUNCTION test_change_while_planning(change text) RETURNS void
    AS :'rooms', 'test_change_while_planning' LANGUAGE C STRICT;
\pset format unaligned
\pset tuples_only on
CREATE FUNCTION put(step text, path text) RETURNS text LANGUAGE sql AS $f$
    SELECT arazzo_load('https://x.example/openapi.yaml', format($$
openapi: 3.1.0
info: {title: t, version: '1'}
servers: [{url: https://api.example}]
paths: {%s: {get: {operationId: getA}}}
$$, path));
    SELECT arazzo_load('https://x.example/a.yaml', format($$
arazzo: 1.0.1
info: {title: t, version: '1'}
sourceDescriptions: [{name: s, url: openapi.yaml}]
workflows: [{workflowId: w, steps: [{stepId: %s, operationId: getA}]}]
$$, step));
$f$;
CREATE VIEW plan AS SELECT string_agg(trim(line), ' | ') FROM arazzo_explain('w') line WHERE line ~ 'getA|[0-9][.] |GET';

SELECT put('old', '/old');
SELECT test_change_while_planning($$SELECT put('new', '/new')$$);
\echo == the plan that was being made, and the one that is kept
BEGIN;
SELECT * FROM plan;
SELECT * FROM plan;
COMMIT;

\echo == a change that is rolled back leaves the plan as it was
BEGIN;
SELECT put('newer', '/newer');
SELECT * FROM plan;
ROLLBACK;
SELECT * FROM plan;

SELECT count(arazzo_unload(uri)) FROM arazzo_documents WHERE NOT shipped;
DROP VIEW plan;
DROP FUNCTION put(text, text);
