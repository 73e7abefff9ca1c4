-- Times that must grow no faster than what they are for: JSONPath and JSON
-- Schema over bodies of up to 11 MB, the engine of runs of up to 4,000 steps,
-- documents of up to 10,000 workflows. Prints the size, the time, and the
-- time for each part of it, which must stay about the same.
--
--	psql -v rooms=.../tests/module/arazzo_rooms -f tests/bench/scale.sql
--
-- It needs the extension and the programs of the tests (make programs rooms).
\set QUIET
\pset format unaligned
\pset tuples_only on
SET client_min_messages = error;
BEGIN;
CREATE FUNCTION test_jsonpath_count(query text, document jsonb) RETURNS integer
	AS :'rooms', 'test_jsonpath_count' LANGUAGE C STRICT;
CREATE FUNCTION test_schema_validate(schema jsonb, instance jsonb, remotes jsonb DEFAULT '{}',
	formats boolean DEFAULT false, dialect text DEFAULT '2020-12') RETURNS jsonb
	AS :'rooms', 'test_schema_validate' LANGUAGE C STRICT;
CREATE FUNCTION test_run_engine(openapi text, steps integer) RETURNS double precision
	AS :'rooms', 'test_run_engine' LANGUAGE C STRICT;
CREATE FUNCTION test_run_limits(steps integer, depth integer) RETURNS void
	AS :'rooms', 'test_run_limits' LANGUAGE C STRICT;

CREATE FUNCTION body(n integer) RETURNS jsonb LANGUAGE sql AS $$
	SELECT jsonb_build_object('items', jsonb_agg(jsonb_build_object('id', i, 'name', 'item-' || i,
		'price', i * 1.25, 'tags', jsonb_build_array('a', 'b', i % 7), 'ok', i % 2 = 0)))
	FROM generate_series(1, n) i $$;

-- The best of three.
CREATE FUNCTION time_of(what text, n integer, statement text, body jsonb DEFAULT NULL) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	best double precision := 'infinity';
	begun timestamptz;
BEGIN
	FOR i IN 1 .. 3 LOOP
		begun := clock_timestamp();
		EXECUTE statement USING body;
		best := least(best, extract(epoch FROM clock_timestamp() - begun) * 1000);
	END LOOP;
	RETURN format('%-60s %7s: %9s ms, %s us each', what, n, round(best::numeric, 2), round((best * 1000 / n)::numeric, 3));
END $$;

\echo JSONPath, by items of the body (120,000 items: 11 MB of text)
SELECT time_of(q, n, format('SELECT test_jsonpath_count(%L, $1)', q), body(n))
FROM unnest(ARRAY['$.items[*].id', '$.items[?@.price > 1000 && @.ok == true].name', '$..tags[2]',
	'$.items[?match(@.name, "item-.*7")].id', '$.items[?length(@.tags) == 3].id', '$.items[::2].price']) q,
	unnest(ARRAY[12000, 60000, 120000]) n;

\echo JSON Schema, by items of the body
SELECT time_of(s.name, n, format('SELECT test_schema_validate(%L, $1)', s.schema), body(n))
FROM (VALUES
	('types, required, bounds', '{"properties": {"items": {"items": {"type": "object", "required": ["id", "name"], "properties": {"id": {"type": "integer", "minimum": 1}, "name": {"type": "string", "maxLength": 20, "pattern": "^item-"}, "price": {"type": "number"}, "tags": {"type": "array", "items": {"type": ["string", "integer"]}}}}}}}'),
	('$ref, allOf, anyOf, unevaluatedProperties', '{"$defs": {"id": {"type": "integer"}, "item": {"allOf": [{"properties": {"id": {"$ref": "#/$defs/id"}}}, {"anyOf": [{"required": ["none"]}, {"properties": {"name": {}, "price": {}, "tags": {}, "ok": {}}}]}], "unevaluatedProperties": false}}, "properties": {"items": {"items": {"$ref": "#/$defs/item"}}}}'),
	('uniqueItems, contains', '{"properties": {"items": {"uniqueItems": true, "contains": {"properties": {"id": {"const": 1}}}}}}')
	) s(name, schema), unnest(ARRAY[12000, 60000, 120000]) n;

\echo The engine, by steps of the run (test_run_engine: microseconds a step)
SELECT test_run_limits(100000, 32) IS NULL AS ignored \gset
SELECT format('%s steps: %s us a step', n, round(min(test_run_engine($$openapi: 3.1.0
info: {title: t, version: '1'}
servers: [{url: https://api.example}]
paths: {/b: {get: {operationId: getB, parameters: [{name: q, in: query, schema: {type: string}}], responses: {}}, post: {operationId: postB, requestBody: {content: {application/json: {}}}, responses: {}}}}
$$, n))::numeric, 2)) FROM unnest(ARRAY[10, 1000, 4000]) n, generate_series(1, 3) GROUP BY n ORDER BY n;

\echo Loading, by workflows of the document, each with a schema of inputs that holds references
SELECT arazzo_load('https://scale.example/api.yaml', $$openapi: 3.1.0
info: {title: t, version: '1'}
servers: [{url: https://api.example}]
paths: {'/x/{id}': {get: {operationId: op, parameters: [{name: id, in: path, required: true, schema: {type: string}}], responses: {}}}}
$$) IS NULL AS ignored \gset
SELECT time_of('arazzo_load', n, format('SELECT arazzo_load(''https://scale.example/arazzo.yaml'', %L)',
	E'arazzo: 1.0.1\ninfo: {title: many, version: ''1''}\nsourceDescriptions: [{name: api, url: api.yaml}]\nworkflows:\n'
	|| (SELECT string_agg(format(E'- workflowId: w%s\n  inputs: {$ref: ''#/components/inputs/i%s''}\n  steps:\n  - {stepId: a, operationId: op, parameters: [{name: id, in: path, value: $inputs.id}]}\n', i, i % 100), '') FROM generate_series(1, n) i)
	|| E'components:\n  inputs:\n    id: {type: string, minLength: 1}\n'
	|| (SELECT string_agg(format(E'    i%s: {type: object, required: [id], properties: {id: {$ref: ''#/components/inputs/id''}}}\n', i), '') FROM generate_series(0, 99) i)))
FROM unnest(ARRAY[1250, 2500, 5000, 10000]) n;
ROLLBACK;
