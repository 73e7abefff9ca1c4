-- JSON Schema: what each keyword refuses and in which words, defaults, dialects.
\getenv abs_builddir PG_ABS_BUILDDIR
\set rooms :abs_builddir '/tests/module/arazzo_rooms'
CREATE FUNCTION test_schema_validate(schema jsonb, instance jsonb, remotes jsonb DEFAULT '{}',
	formats boolean DEFAULT false, dialect text DEFAULT '2020-12') RETURNS jsonb
	AS :'rooms', 'test_schema_validate' LANGUAGE C STRICT;
CREATE FUNCTION test_schema_defaults(schema jsonb, instance jsonb) RETURNS jsonb
	AS :'rooms', 'test_schema_defaults' LANGUAGE C STRICT;

-- One line an error: where in the instance, where in the schema, what.
CREATE FUNCTION errors(schema jsonb, instance jsonb, remotes jsonb DEFAULT '{}',
	formats boolean DEFAULT false, dialect text DEFAULT '2020-12') RETURNS SETOF text
	LANGUAGE sql AS $$
	SELECT format('[%s] [%s] %s', e->>'instance', e->>'schema', e->>'message')
	FROM jsonb_array_elements(test_schema_validate(schema, instance, remotes, formats, dialect)) e $$;
\pset tuples_only on

-- Any instance
SELECT errors('{"type": "integer"}', i::jsonb) FROM unnest('{1,1.0,-3e2,1.5,"\"1\"",null,"[]"}'::text[]) i;
SELECT errors('{"type": ["number", "null", "integer"]}', '"x"');
SELECT errors('{"enum": [1, "x", null, {"a": [1.50]}]}', i::jsonb) FROM unnest('{1.0,"{\"a\": [1.5]}",2,"\"a\""}'::text[]) i;
SELECT errors('{"enum": [1,2,3,4,5,6,7,8,9,10,11,12]}', i::jsonb) FROM unnest('{12.0,13}'::text[]) i;
SELECT errors('{"const": {"a": 1}}', i::jsonb) FROM unnest('{"{\"a\": 1.0}","{\"a\": 2}"}'::text[]) i;
SELECT errors('true', '1'), errors('{}', '1');
SELECT errors('false', '1');

-- Numbers, exactly
SELECT errors('{"minimum": 3, "maximum": 5, "exclusiveMinimum": 3, "exclusiveMaximum": 5}', i::jsonb)
	FROM unnest('{2,3,4,5,5.00000000000000000000001}'::text[]) i;
SELECT errors('{"multipleOf": 0.01}', i::jsonb) FROM unnest('{4.35,1e300,4.355}'::text[]) i;
SELECT errors('{"maximum": 12345678901234567890.12345678}', '12345678901234567890.12345679');

-- Strings: characters, not bytes
SELECT errors('{"minLength": 2, "maxLength": 3}', to_jsonb(i)) FROM unnest('{é,éé,ééé,éééé,🐲🐲}'::text[]) i;
SELECT errors('{"pattern": "^[a-z]+$"}', to_jsonb(i)) FROM unnest('{abc,abC}'::text[]) i;

-- Arrays
SELECT errors('{"minItems": 2, "maxItems": 3, "uniqueItems": true}', i::jsonb)
	FROM unnest('{"[1]","[1,2,3,4]","[1,2,1.0]","[{\"a\":1,\"b\":2},{\"b\":2,\"a\":1}]","[1,true,\"1\"]"}'::text[]) i;
SELECT errors('{"uniqueItems": true}', jsonb_agg(i % 5000)) FROM generate_series(1, 5001) i;
SELECT errors('{"prefixItems": [{"type": "string"}, true], "items": {"type": "integer"}}', '[1, "x", "y", 4]');
SELECT errors('{"prefixItems": [true], "items": false}', '[1, 2]');
SELECT errors('{"contains": {"type": "string"}}', '[1, 2]');
SELECT errors('{"contains": {"type": "string"}, "minContains": 2, "maxContains": 2}', i::jsonb)
	FROM unnest('{"[1,\"a\"]","[\"a\",\"b\"]","[\"a\",\"b\",\"c\"]"}'::text[]) i;
SELECT errors('{"items": [{"type": "string"}], "additionalItems": {"type": "integer"}}', '[1, "x"]');

-- Objects
SELECT errors('{"properties": {"a": {"type": "integer"}, "é/~": false}, "required": ["amount", "a"], "additionalProperties": false}',
	'{"a": "x", "é/~": 1, "b": 2}');
SELECT errors('{"properties": {"é/~": {"properties": {"x": {"type": "null"}}}}}', '{"é/~": {"x": 1}}');
SELECT errors('{"patternProperties": {"^x-": {"type": "string"}}, "additionalProperties": {"type": "integer"}}',
	'{"x-a": 1, "x-b": "y", "z": "y"}');
SELECT errors('{"propertyNames": {"maxLength": 3}}', '{"abc": 1, "abcd": 1}');
SELECT errors('{"minProperties": 1, "maxProperties": 2}', i::jsonb)
	FROM unnest('{"{}","{\"a\":1,\"b\":2,\"c\":3}"}'::text[]) i;
SELECT errors('{"dependentRequired": {"a": ["b", "c"]}, "dependentSchemas": {"a": {"maxProperties": 2}}}', '{"a": 1, "c": 2, "d": 3}');
SELECT errors('{"dependencies": {"a": ["b"], "c": {"required": ["d"]}}}', '{"a": 1, "c": 2}');

-- Logic
SELECT errors('{"allOf": [{"type": "string"}, {"minimum": 3}]}', '2');
SELECT errors('{"anyOf": [{"type": "string"}, {"type": "object", "required": ["a", "b"]}]}', i::jsonb) FROM unnest('{"\"x\"","{}",1}'::text[]) i;
SELECT errors('{"oneOf": [{"type": "integer"}, {"minimum": 2}, {"maximum": 0}]}', i::jsonb) FROM unnest('{1,3,1.5}'::text[]) i;
SELECT errors('{"anyOf": [{"const": 1}, {"const": 2}, {"const": 3}, {"const": 4}, {"const": 5}, {"const": 6}]}', '0');
SELECT errors('{"not": {"type": "integer"}}', '1');
SELECT errors('{"if": {"minimum": 10}, "then": {"multipleOf": 10}, "else": {"multipleOf": 3}}', i::jsonb) FROM unnest('{20,25,9,8}'::text[]) i;

-- What nobody evaluated
SELECT errors('{"allOf": [{"properties": {"a": true}}], "anyOf": [{"properties": {"b": {"type": "string"}}}, true], "unevaluatedProperties": false}',
	i::jsonb) FROM unnest('{"{\"a\":1,\"b\":\"x\"}","{\"a\":1,\"b\":2,\"c\":3}"}'::text[]) i;
SELECT errors('{"anyOf": [{"required": ["a"]}], "unevaluatedProperties": false}', '{"b": 1}');
SELECT errors('{"prefixItems": [true], "contains": {"type": "string"}, "unevaluatedItems": {"type": "null"}}', '[1, "x", null, 2]');
SELECT errors('{"unevaluatedItems": false}', '[1]');
SELECT count(*) FROM errors('{"unevaluatedItems": false}', (SELECT jsonb_agg(i) FROM generate_series(1, 1000) i));

-- References
SELECT errors('{"$ref": "#/$defs/a~1b", "$defs": {"a/b": {"type": "string"}}}', '1');
SELECT errors('{"$ref": "#here", "$defs": {"x": {"$anchor": "here", "type": "string"}}}', '1');
SELECT errors('{"$id": "http://example.com/a/b", "$ref": "c#/x", "maximum": 1}', '2', '{"http://example.com/a/c": {"x": {"type": "string"}}}');
SELECT errors('{"properties": {"next": {"$ref": "#"}}, "required": ["id"]}', '{"id": 1, "next": {"id": 2, "next": {}}}');
SELECT errors('{"$id": "http://example.com/strict", "$dynamicAnchor": "node", "$ref": "tree", "unevaluatedProperties": false}',
	'{"children": [{"extra": 1}]}',
	'{"http://example.com/tree": {"$dynamicAnchor": "node", "properties": {"children": {"items": {"$dynamicRef": "#node"}}}}}');
SELECT errors('{"$ref": "https://json-schema.org/draft/2020-12/schema"}', '{"type": "text", "properties": {"a": {"minLength": -1}}}');
SELECT errors('{"$schema": "http://json-schema.org/draft-07/schema#", "$ref": "#/definitions/a", "type": "string", "definitions": {"a": {"prefixItems": [false]}}}', '[1]');

-- Schemas that go round in circles
SELECT errors('{"$ref": "#"}', '1');
SELECT errors('{"allOf": [{"$ref": "#"}, {"$ref": "#"}]}', '1');
SELECT errors('{"not": {"not": {"$ref": "#"}}}', '1');

-- Formats are annotations unless asked for
SELECT errors(format('{"format": "%s"}', f)::jsonb, '"#["', '{}', a)
	FROM unnest('{date,date-time,duration,email,hostname,idn-email,idn-hostname,ipv4,ipv6,iri,iri-reference,json-pointer,regex,relative-json-pointer,time,uri,uri-reference,uri-template,uuid,color}'::text[]) f, unnest('{f,t}'::boolean[]) a;
SELECT errors('{"format": "int32"}', '2147483648', '{}', true, d) FROM unnest('{2020-12,openapi-3.0}'::text[]) d;

-- OpenAPI 3.0
SELECT errors('{"type": "string", "nullable": true, "const": "x", "example": 5, "discriminator": {"propertyName": "p"}}', i::jsonb, '{}', false, 'openapi-3.0')
	FROM unnest('{null,"\"y\"",1}'::text[]) i;
SELECT errors('{"minimum": 3, "exclusiveMinimum": true, "maximum": 5, "exclusiveMaximum": false}', i::jsonb, '{}', false, 'openapi-3.0')
	FROM unnest('{3,5,6}'::text[]) i;
SELECT errors('{"properties": {"a": {"$ref": "#/components/schemas/A", "type": "string"}}, "components": {"schemas": {"A": {"type": "integer"}}}}', i::jsonb, '{}', false, 'openapi-3.0')
	FROM unnest('{"{\"a\": 1}","{\"a\": \"x\"}"}'::text[]) i;

-- Defaults
SELECT test_schema_defaults('{"properties": {"a": {"default": 5}, "b": {"default": null}, "c": {"properties": {"d": {"default": "x"}}}}}', i::jsonb)
	FROM unnest('{"{}","{\"a\": null}","{\"b\": 1, \"c\": {}}","{\"a\": 1, \"b\": 2, \"c\": {\"d\": 3}}","[]"}'::text[]) i;
SELECT test_schema_defaults('{"prefixItems": [{"properties": {"a": {"default": 1}}}], "items": {"$ref": "#/$defs/x"}, "$defs": {"x": {"allOf": [{"properties": {"b": {"default": 2}}}]}}}', '[{}, {}, 3, {"b": 0}]');
SELECT test_schema_defaults('{"properties": {"a": {"$ref": "#/$defs/x"}}, "anyOf": [{"properties": {"b": {"default": 2}}}], "$defs": {"x": {"default": {}, "properties": {"c": {"default": 1}}}}}', '{}');
SELECT test_schema_defaults('{"properties": {"a": {"$ref": "#", "default": {}}}, "allOf": [{"$ref": "#"}]}', '{}');

-- Many rows, all of them looked at
SELECT errors('{"items": {"properties": {"i": {"type": "integer", "maximum": 49999}}, "required": ["i"]}, "uniqueItems": true}', jsonb_agg(jsonb_build_object('i', i)))
	FROM generate_series(1, 50000) i;

-- No schemas
\set VERBOSITY default
\set SHOW_CONTEXT never
SELECT errors('{"properties": {"a/b": {"type": "text"}}}', '1');
SELECT errors('5', '1');
SELECT errors('{"type": []}', '1');
SELECT errors('{"type": 1}', '1');
SELECT errors('{"enum": 1}', '1');
SELECT errors('{"minimum": "1"}', '1');
SELECT errors('{"exclusiveMinimum": true}', '1');
SELECT errors('{"multipleOf": 0}', '1');
SELECT errors('{"maxLength": 1.5}', '1');
SELECT errors('{"maxLength": -1}', '1');
SELECT errors('{"pattern": "(?i)a"}', '1');
SELECT errors('{"pattern": 1}', '1');
SELECT errors('{"format": 1}', '1');
SELECT errors('{"uniqueItems": 1}', '1');
SELECT errors('{"properties": []}', '1');
SELECT errors('{"required": "a"}', '1');
SELECT errors('{"required": [1]}', '1');
SELECT errors('{"dependentRequired": {"a": 1}}', '1');
SELECT errors('{"allOf": []}', '1');
SELECT errors('{"items": 1}', '1');
SELECT errors('{"$ref": 1}', '1');
SELECT errors('{"items": {"$ref": "#/$defs/none"}}', '1');
SELECT errors('{"$ref": "other.json"}', '1');
SELECT errors('{"$ref": "#none"}', '1');
SELECT errors('{"$schema": "http://example.com/meta"}', '1', '{"http://example.com/meta": {"$vocabulary": {"http://example.com/own": true}}}');
