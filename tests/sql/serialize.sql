-- Values onto the wire and back.  Clauses are those of OpenAPI 3.2.0.
\getenv abs_builddir PG_ABS_BUILDDIR
\set rooms :abs_builddir '/tests/module/arazzo_rooms'
CREATE FUNCTION test_serialize(parameter jsonb, value jsonb, before text DEFAULT '') RETURNS text
	AS :'rooms', 'test_serialize' LANGUAGE C;
CREATE FUNCTION test_serialize_body(content jsonb, content_type text, payload jsonb, source text, OUT type text, OUT body bytea)
	AS :'rooms', 'test_serialize_body' LANGUAGE C;
CREATE FUNCTION test_deserialize_body(content_type text, body bytea, OUT value jsonb, OUT warning text)
	AS :'rooms', 'test_deserialize_body' LANGUAGE C;
CREATE FUNCTION test_openapi_roundtrip(kind text, seed int, count int) RETURNS int
	AS :'rooms', 'test_openapi_roundtrip' LANGUAGE C STRICT;
-- What is written, or why it is refused.
CREATE FUNCTION try(parameter jsonb, value jsonb, before text DEFAULT '') RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	reason text;
BEGIN
	RETURN test_serialize(parameter, value, before);
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS reason = PG_EXCEPTION_DETAIL;
	RETURN SQLSTATE || ' ' || SQLERRM || '. ' || reason;
END $$;
\pset format unaligned
\pset fieldsep '  '

-- Style Examples: the table, row by row; null is its column "undefined", and
-- R, G and B come in the order that jsonb keeps.  Empty arrays and objects
-- are undefined in RFC 6570, 2.3, and left out (Appendix C); a path has no
-- room for them.
SELECT style, "in", explode, name AS value,
	try(jsonb_build_object('name', 'color', 'in', "in", 'style', style, 'explode', explode), value)
FROM (VALUES (1, 'matrix', 'path'), (2, 'label', 'path'), (3, 'simple', 'path'), (4, 'simple', 'header'),
	(5, 'form', 'query'), (6, 'form', 'cookie'), (7, 'spaceDelimited', 'query'), (8, 'pipeDelimited', 'query'),
	(9, 'deepObject', 'query'), (10, 'cookie', 'cookie')) s (place, style, "in"),
	unnest(ARRAY[false, true]) WITH ORDINALITY e (explode, e_place),
	(VALUES (1, 'null', 'null'::jsonb), (2, 'empty', '""'), (3, 'string', '"blue"'), (4, 'number', '100'),
	(5, 'boolean', 'true'), (6, 'array', '["blue", "black", "brown"]'), (7, 'object', '{"R": 100, "G": 200, "B": 150}'),
	(8, 'empty array', '[]'), (9, 'empty object', '{}')) v (v_place, name, value)
ORDER BY place, e_place, v_place;

-- Defaults of the locations (Parameter Object, style and explode)
SELECT "in", test_serialize(jsonb_build_object('name', 'x', 'in', "in"), '{"a": [1, 2], "b": null, "c": "d e"}')
FROM unnest(ARRAY['path', 'query', 'header', 'cookie']) "in";
SELECT "in", test_serialize(jsonb_build_object('name', 'x', 'in', "in", 'undeclared', true), '["a", "b/c"]')
FROM unnest(ARRAY['path', 'query', 'header', 'cookie']) "in";
-- Explode has its own default for each style; a style that the location does
-- not have counts for nothing
SELECT style, test_serialize(jsonb_build_object('name', 'x', 'in', 'query', 'style', style), '["a", "b"]')
FROM unnest(ARRAY['form', 'spaceDelimited', 'pipeDelimited', 'deepObject', 'matrix', 'none']) style;
SELECT test_serialize('{"name": "X-A", "in": "header", "style": "matrix"}', '["a", "b"]');

-- RFC 6570: members that are null (3.2.1), empty ones, names
SELECT style, explode, test_serialize(jsonb_build_object('name', 'x', 'in', "in", 'style', style, 'explode', explode), value)
FROM (VALUES ('matrix', 'path'), ('label', 'path'), ('simple', 'path'), ('form', 'query'), ('pipeDelimited', 'query'),
	('deepObject', 'query')) s (style, "in"),
	unnest(ARRAY[false, true]) explode,
	unnest(ARRAY['["a", null, ""]', '{"a": "", "b": null, "c/d": "e"}']::jsonb[]) value;
SELECT test_serialize('{"name": "❤️ [x]", "in": "query"}', '"love!"');

-- Every separator but the first; nothing where nothing is said
SELECT test_serialize('{"name": "b", "in": "query"}', '2', 'a=1'), test_serialize('{"name": "b", "in": "query"}', '[]', 'a=1'),
	test_serialize('{"name": "b", "in": "query"}', NULL, 'a=1');
SELECT test_serialize('{"name": "b", "in": "cookie"}', '[2, 3]', 'a=1'), test_serialize('{"name": "b", "in": "cookie"}', '[]', 'a=1');

-- deepObject beyond one level: the index of items in brackets
SELECT test_serialize('{"name": "f", "in": "query", "style": "deepObject"}', '{"a": {"b": [1, {"c": true}, [], {}]}, "d": null, "e]": "&="}');
SELECT test_serialize('{"name": "expand", "in": "query", "style": "deepObject", "explode": true}', '["data.customer", "b"]');
-- Where only a plain value can stand, arrays and objects are JSON
SELECT test_serialize('{"name": "f", "in": "query"}', '[{"a": 1}, [2]]'), test_serialize('{"name": "f", "in": "header"}', '{"a": {"b": 1}}');

-- Numbers keep their digits and never have an exponent
SELECT test_serialize('{"name": "n", "in": "query"}', value)
FROM unnest(ARRAY['12345678901234567890.123456789', '1e25', '1.10', '-0.000001']::jsonb[]) value;

-- URL Percent-Encoding: all but unreserved
SELECT test_serialize(jsonb_build_object('name', 'q', 'in', "in"), to_jsonb(E'az09-._~:/?#[]@!$&''()*+,;=% "<>\\^`{|}é€🐲\t'::text))
FROM unnest(ARRAY['path', 'query', 'cookie']) "in";
-- allowReserved: what the destination allows (3.2.0, Appendix E); triplets pass
SELECT "in", test_serialize(jsonb_build_object('name', 'q', 'in', "in", 'allowReserved', true), to_jsonb(text))
FROM unnest(ARRAY['query', 'path', 'cookie']) "in",
	unnest(ARRAY[':/?#[]@!$&''()*+,=', '100% %41%2f%2E%00%zz']) text;

-- Paths: nothing leaves its segment
SELECT value, try('{"name": "id", "in": "path"}', value)
FROM unnest(ARRAY['"../admin"', '"a/b"', '"%2f"', '"%2e%2e"', '"x?y#z"', '"a@b:c"', '"a\\b"', '"\r\n"', '"é"', '"..."',
	'"."', '".."', '""', '[]', '["."]', '{}']::jsonb[]) value;
SELECT try('{"name": "id", "in": "path"}', NULL);
SELECT style, try(jsonb_build_object('name', 'id', 'in', 'path', 'style', style), value)
FROM unnest(ARRAY['label', 'matrix']) style, unnest(ARRAY['""', '"."', '"/"']::jsonb[]) value;
SELECT try('{"name": "id", "in": "path", "allowReserved": true}', value)
FROM unnest(ARRAY['"../x"', '".."', '"%2e%2e"', '"a/b?c#d"', '"%2F%5c%3f%23%25"']::jsonb[]) value;

-- Headers are not percent-encoded (Appendix D); line ends are refused
SELECT value, try('{"name": "X-A", "in": "header"}', value)
FROM unnest(ARRAY['"a b/%é"', '"a\r\nX-B: c"', '"a\nb"', '"a\tb"', '["a", "b\u007f"]', '""', '"Bearer x=="']::jsonb[]) value;
SELECT try('{"name": "X-A: b\nX-C", "in": "header"}', '"a"'), try('{"name": "", "in": "header"}', '"a"');
SELECT test_serialize(jsonb_build_object('name', name, 'in', 'header'), '"a"')
FROM unnest(ARRAY['Accept', 'content-type', 'AUTHORIZATION', 'Authorisation']) name;
-- Cookies: style form encodes, style cookie does not and refuses what would end it
SELECT value, try('{"name": "c", "in": "cookie"}', value), try('{"name": "c", "in": "cookie", "style": "cookie"}', value)
FROM unnest(ARRAY['"a b=c"', '"a;b"', '"a\r\nb"', '{"k;": 1}', '{"k": "v"}']::jsonb[]) value;

-- "content" parameters
SELECT "in", type, try(jsonb_build_object('name', 'f', 'in', "in", 'content', jsonb_build_object(type, '{}'::jsonb)), value)
FROM unnest(ARRAY['path', 'query', 'header', 'cookie']) "in",
	(VALUES ('application/json', '{"a": [1, "b c"]}'::jsonb), ('application/json', '"a"'), ('text/plain', '"a b"')) v (type, value);

-- in: querystring (3.2.0, Parameter Locations; Arazzo 1.1.0, Parameter Object)
SELECT type, value, try(jsonb_build_object('name', 'f', 'in', 'querystring', 'content', jsonb_build_object(type, '{}'::jsonb)), value)
FROM (VALUES ('application/x-www-form-urlencoded', '"filter=active&q=a%20b c#d"'::jsonb),
	('application/x-www-form-urlencoded', '"?a=1"'), ('application/x-www-form-urlencoded', '"a=1\r\nX: y"'),
	('application/x-www-form-urlencoded', '{"a": "b c", "d": {"e": [1]}, "f": [1, 2], "g": null}'),
	('application/x-www-form-urlencoded', '[1]'), ('application/x-www-form-urlencoded', 'null'),
	('text/plain', '"a.b=c|d"'), ('application/json', '"{\"a\":1}"'), ('application/json', '{"a": 1}')) v (type, value);
SELECT test_serialize('{"name": "f", "in": "querystring", "undeclared": true}', '"a=1&b=2"');
SELECT test_serialize('{"name": "f", "in": "querystring", "content": {"application/x-www-form-urlencoded":
	{"encoding": {"a": {"style": "pipeDelimited"}}}}}', '{"a": [1, 2]}');

-- Bodies
CREATE FUNCTION body(content_type text, payload jsonb, content jsonb DEFAULT NULL, source text DEFAULT NULL) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	r record;
	reason text;
BEGIN
	SELECT * INTO r FROM test_serialize_body(content, content_type, payload, source);
	RETURN regexp_replace(coalesce(r.type, '(none)') || ': ' || replace(encode(r.body, 'escape'), E'\r\n', E'\\r\n'),
		'arazzo-[0-9a-f]{32}', 'BOUNDARY', 'g');
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS reason = PG_EXCEPTION_DETAIL;
	RETURN SQLSTATE || ' ' || SQLERRM || '. ' || reason;
END $$;

SELECT body(type, '{"a": 12345678901234567890.1234567890, "b": "é\n"}')
FROM unnest(ARRAY['application/json', 'application/json; charset=utf-8', 'application/vnd.api+json', 'APPLICATION/JSON', 'text/json']) type;
SELECT body('application/json', value) FROM unnest(ARRAY['null', '"{\"a\":1}"', '[]', '1e3', NULL]::jsonb[]) value;

-- Encoding the x-www-form-urlencoded Media Type (WHATWG URL Standard: "+")
SELECT body('application/x-www-form-urlencoded', value)
FROM unnest(ARRAY['{"event_name": "api_requests", "payload": {"stripe_customer_id": "cus_1", "value": 25}, "identifier": null}',
	'{"a": "b c&d=e+~*é%[]", "t": true, "n": 1e3, "e": ""}', '{"a": ["b", 1, null], "e": [], "o": {}}',
	'{"items": [{"price": "p", "tiers": [{"up_to": 1}, {"up_to": "inf"}]}, {"price": "q"}]}',
	'{"a": {"b": {"c": {"d": ["e"]}}}}', '{"expand[]": ["x"]}', '{}', '"already=done&x=%20"', '[1]', '1', 'null']::jsonb[]) value;
SELECT encoding, body('application/x-www-form-urlencoded', '{"a": {"b": "c d", "e": [1, 2]}, "f": ["x", "y z"], "s": "/,|"}',
	jsonb_build_object('application/x-www-form-urlencoded', jsonb_build_object('encoding',
		jsonb_build_object('a', encoding, 'f', encoding, 's', encoding))))
FROM unnest(ARRAY['{}', '{"style": "deepObject", "explode": true}', '{"style": "form"}', '{"explode": false}',
	'{"style": "spaceDelimited"}', '{"style": "pipeDelimited"}', '{"allowReserved": true}', '{"contentType": "application/json"}',
	'{"contentType": "text/plain"}', '{"contentType": "application/json", "style": "form"}']::jsonb[]) encoding;
-- In the order of the document; what it does not have comes last
SELECT body('application/x-www-form-urlencoded', source::jsonb - 'z' || '{"a": 0}', source => source)
FROM unnest(ARRAY['{"event_name": "e", "payload": {"z": 1, "ab": {"d": 2, "c": 3}}, "list": [{"b": 1, "a": 2}], "z": 1, "m": [1, 2], "event": 5}']) source;
-- URL Encoded Form with Binary Values
SELECT body('application/x-www-form-urlencoded', '{"a": "\\x00ff10fb", "b": "\\x00ff10fb", "c": "\\x00ff10fb", "d": "AP8Q+w=="}',
	'{"application/x-www-form-urlencoded": {"schema": {"properties": {"a": {"type": "string", "contentEncoding": "base64"},
	"b": {"type": "string", "contentEncoding": "base64url"}, "c": {"type": "string"}, "d": {"type": "string", "format": "byte"}}}}}');

-- Encoding multipart Media Types (RFC 7578)
SELECT body('multipart/form-data', '{"id": "7 é", "n": 1.50, "none": null, "tags": ["a", "b"], "address": {"street": "s"},
	"list": [{"x": 1}, [2]], "quo\"te\r\n": "v"}');
SELECT body('multipart/form-data', '{"icon": "\\x89504e47", "text": "\\x41", "doc": "aGVsbG8=", "plain": "not base64!", "urls": ["Pz8_", "AA"]}',
	'{"multipart/form-data": {"schema": {"type": "object", "properties": {"icon": {}, "text": {"type": "string"},
	"doc": {"type": "string", "format": "binary"}, "plain": {"type": "string", "format": "binary"},
	"urls": {"type": "array", "items": {"type": "string", "contentEncoding": "base64url"}}}}}}');
SELECT body('multipart/form-data', '{"a": {"x": 1}, "b": "<r/>", "c": "\\x00", "d": {"k": [1, 2], "l": "m n"}, "e": [1, 2], "f": "s"}',
	'{"multipart/form-data": {"encoding": {"a": {"contentType": "application/*, application/vnd.a+json"}, "b": {"contentType": "application/xml; charset=utf-8"},
	"c": {"contentType": "image/png, image/jpeg", "headers": {"X-Kind": {"schema": {"const": "icon"}}, "X-Free": {"schema": {"type": "string"}},
	"Content-Type": {"schema": {"const": "no"}}, "X-One": {"schema": {"enum": [1]}}}},
	"d": {"style": "deepObject"}, "e": {"style": "form", "explode": false}, "f": {"contentType": "application/json"}}}}');
SELECT body('multipart/form-data', '{"a": {"x": 1}}', '{"multipart/form-data": {"encoding": {"a": {"contentType": "application/xml"}}}}');
SELECT body('multipart/form-data', '{"a": "?"}', '{"multipart/form-data": {"schema": {"properties": {"a": {"format": "byte"}}}}}');
SELECT body('multipart/form-data', '[1]'), body('multipart/form-data', '{}'), body('multipart/form-data; boundary=x', '"--x--\r\n"');
SELECT body('multipart/mixed', '[{"a": 1}, "\\x00", "text"]');
-- The same payload gives the same bytes, another one another boundary
SELECT (a).type = (b).type AND (a).body = (b).body AS same, (a).type <> (c).type AS other
FROM (SELECT test_serialize_body(NULL, 'multipart/form-data', '{"a": 1}', NULL) a, test_serialize_body(NULL, 'multipart/form-data', '{"a": 1}', NULL) b,
	test_serialize_body(NULL, 'multipart/form-data', '{"a": 2}', NULL) c) t;

-- Text, XML and other types
SELECT type, body(type, value)
FROM unnest(ARRAY['text/plain', 'text/csv; charset=iso-8859-1', 'application/xml', 'image/svg+xml', 'application/octet-stream', 'application/pdf', '123',
	'application/yaml', 'application/jsonl']) WITH ORDINALITY t (type, place),
	unnest(ARRAY['"<é/>"', '"\\x00ff"', '"AAEC"', '1.0', 'null', '[{"a": 1}, 2]']::jsonb[]) value
ORDER BY place;
SELECT body('text/plain; charset=latin1', '"€"'), body('text/plain; charset=klingon', '"é"'), body('text/plain; charset=klingon', '"e"'),
	body('text/plain; charset="windows-1252"', '"€"'), body('text/plain; charset=us-ascii', '"e"');
SELECT body('application/octet-stream', '"?"', '{"application/octet-stream": {"schema": {"type": "string", "format": "byte"}}}'),
	body('application/octet-stream', '"Pz8_"', '{"application/octet-stream": {"schema": {"type": "string", "contentEncoding": "base64url"}}}');
-- Ranges, and no type at all: what can be sent for the payload
SELECT coalesce(type, '(none)'), body(type, value)
FROM unnest(ARRAY['*/*', 'application/*', 'application/*+json', 'text/*', 'image/*', 'multipart/*', NULL]) WITH ORDINALITY t (type, place),
	unnest(ARRAY['{"a": 1}', '"text"', '"[1, 2.0]"', '"\\x41"']::jsonb[]) value
ORDER BY place;
SELECT body(NULL, '{"a": 1}', '{"text/csv": {}, "application/x-www-form-urlencoded": {}}'),
	body('application/*', '{"a": 1}', '{"application/*": {}}'), body(NULL, '"\\x41"', '{"*/*": {"schema": {"format": "binary"}}}');

-- Responses
SELECT type, encode(body, 'escape') AS body, value, warning
FROM (VALUES (1, 'application/json', '{"a": 12345678901234567890.10}'::bytea), (2, 'application/problem+json; charset=utf-8', '[1]'),
	(3, 'application/json', '\xefbbbf7b7d'), (4, 'application/json', 'not json'), (5, 'application/json', '{"a": "\\u0000"}'),
	(6, 'application/json', '\x22636166c3a922'), (7, 'application/json', '\x2263616681e922'), (8, 'application/json; charset=iso-8859-1', '\x22636166e922'),
	(9, 'text/plain', '{"a": 1}'), (10, 'text/plain', '\x00'), (11, 'text/html; charset=utf-8', '\xefbbbf3c703e'), (12, 'text/plain; charset=Windows-1252', '\x80'),
	(13, 'text/plain; charset=klingon', '\xc3a9'), (14, 'text/plain; charset=klingon', '\xff'), (15, 'image/png', '\x89504e47'),
	(16, NULL, ' {"a": 1}'), (17, NULL, '[1'), (18, NULL, '17'), (19, '', '{}'), (20, 'application/json', ''), (21, 'text/plain', ''),
	(22, 'application/json', '1e5'), (23, 'application/xml', '<a/>'), (24, 'text/plain; format=flowed; charset="utf-8"', 'x'),
	(25, 'application/json', 'true false'), (26, 'text/plain; charset=us-ascii', '\xc3a9'),
	(27, 'text/plain; charset=sjis', '\x82a0'), (28, 'text/plain; charset=sjis', '\x82')) t (place, type, body),
	test_deserialize_body(type, body)
ORDER BY place;
SELECT value = to_jsonb(repeat('[', 100000)) AS "text", warning FROM test_deserialize_body('application/json', repeat('[', 100000)::bytea);

-- What was encoded is decoded again, 10,000 random values of each kind
SELECT kind, test_openapi_roundtrip(kind, 1, 10000) AS wrong
FROM unnest(ARRAY['form', 'form joined', 'deepObject', 'pipeDelimited', 'spaceDelimited', 'simple', 'simple exploded', 'label',
	'label exploded', 'matrix', 'matrix exploded', 'body', 'multipart']) kind;
