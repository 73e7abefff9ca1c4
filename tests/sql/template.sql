-- Templates: constants with runtime expressions in them.
\getenv abs_builddir PG_ABS_BUILDDIR
\set rooms :abs_builddir '/tests/module/arazzo_rooms'
\set VERBOSITY terse
CREATE FUNCTION test_template(text, jsonb) RETURNS text
	AS :'rooms', 'test_template' LANGUAGE C STRICT;
CREATE FUNCTION test_template_facts(text, jsonb) RETURNS text
	AS :'rooms', 'test_template_facts' LANGUAGE C STRICT;
CREATE FUNCTION fill(template text, more jsonb DEFAULT '{}') RETURNS text
LANGUAGE plpgsql AS $$
BEGIN
	RETURN coalesce(test_template(template, more || '{"status": 200,
		"inputs": {"s": "text", "q": "a\"b\\c\n\u00e9", "n": 12345678901234567890.123456789, "t": true, "z": null,
			"o": {"b": [1, "x"], "a": {}}, "e": [], "big": 1e30, "token": "T0K"},
		"steps": {"a": {"outputs": {"id": 7, "xml": "<r><i>1</i><i>2 &amp; 3</i></r>",
			"list": [{"k": "x", "v": 1}, {"k": "y", "v": 2}]}}}}'), 'left out');
EXCEPTION WHEN OTHERS THEN
	RETURN SQLSTATE || ' ' || SQLERRM;
END $$;

-- Order and types are kept; constants are as they were.
SELECT fill('{"z": 1, "a": {"y": null, "b": [true, 1.50, "é\u0001\""]}, "m": []}');
SELECT fill('{z: $inputs.s, a: $inputs.n, m: {y: $inputs.t, b: [$inputs.z, $inputs.o, $inputs.e], c: 1}}');
SELECT fill('$inputs.o'), fill('"$statusCode"'), fill('plain'), fill('12.50'), fill('null'), fill('$inputs.q');

-- Embedded values become text.
SELECT fill('"{$inputs.s}"'), fill('"{$inputs.n}"'), fill('"{$inputs.t} {$inputs.z} {$inputs.o} {$inputs.e} {$inputs.big}"'),
	fill('"{$inputs.q}/{$steps.a.outputs.id}"');
SELECT fill(E'|\n  {"id": {$steps.a.outputs.id}, "s": "{$inputs.s}", "o": {$inputs.o}}');

-- Literal text
SELECT fill(template) FROM (VALUES
	('"$5.00"'), ('"$ref"'), ('"$"'), ('"$inputs"'), ('"$url/x"'), ('"US$inputs.s"'), ('"a $inputs.s b"'),
	('"{a} {} {{ } {$other.x} {$.a} $.items[0] ${x}"'), ('"{{$inputs.s}}"'), ('"^[0-9]{4}$"'), ('"{"')
) AS t (template);

-- What was not given
SELECT fill('$inputs.none'), fill('{a: $inputs.none, b: 1}'), fill('{a: 1, b: $inputs.none}'), fill('{a: $inputs.none}'),
	fill('[$inputs.none, 1, $inputs.none, 2]'), fill('{a: {b: $inputs.none#/x}, c: [$inputs.none]}'), fill('$inputs.o#/none');
SELECT fill(template) FROM (VALUES
	('"x {$inputs.none}"'), ('{a: "{$inputs.none}"}'), ('$steps.a.outputs.none'), ('[[$steps.b.outputs.id]]'),
	('{a: $response.body#/x}'), ('$inputs.s#/x')
) AS t (template);

-- Malformed: with position
SELECT fill('$steps.a'), fill('{a: 1, b: ["$inputs."]}'), fill('"x {$steps.a}"'), fill('"x {$inputs.s"');
\set VERBOSITY default
SELECT test_template(E'a: 1\nb:\n  - c: $steps.a.id', '{}');
\set VERBOSITY terse

-- With a scope: bare expressions in longer text, white space around one
CREATE FUNCTION bare(template text) RETURNS text
LANGUAGE sql AS $$
	SELECT fill(template, '{"declared": {"inputs": {"s": 1, "token": 1, "a b": 1}, "steps": {"a": {"id": 1, "list": 1}}}}')
$$;
SELECT bare(template) FROM (VALUES
	('Bearer $inputs.token'), ('"userName eq \"$inputs.s\""'), ('refs/heads/$inputs.s/x'), ('a=$inputs.s&b=$steps.a.outputs.id'),
	('"$inputs.s:$inputs.token"'), ('$inputs.s/path'), ('$inputs.token.'), ('Hello $inputs.s.'), ('x ($steps.a.outputs.id)'),
	('Bearer $inputs.tokens'), ('Bearer $inputs.unknown'), ('$inputs.unknown x'), ('$steps.a.outputs.list (the list)'),
	('x $steps.b.outputs.id'), ('US$inputs.s'), ('\$inputs.s'), ('"{$inputs.s} = ''$inputs.token''"'),
	('"  $inputs.s\n"'), ('|
  $steps.a.outputs.list
'), ('"$inputs.s $inputs.token"'), ('{"Authorization": "Basic $inputs.token", "x": "$5"}')
) AS t (template);

-- Selector Objects
SELECT fill(template) FROM (VALUES
	('{context: $steps.a.outputs.list, selector: "$[0].v", type: jsonpath}'),
	('{context: $steps.a.outputs.list, selector: "$[?@.k == ''y''].v", type: jsonpath}'),
	('{context: $steps.a.outputs.list, selector: "$[*].v", type: {type: jsonpath, version: rfc9535}}'),
	('{context: $steps.a.outputs.list, selector: "$[(@.length-1)].k", type: {type: jsonpath, version: draft-goessner-dispatch-jsonpath-00}}'),
	('{context: $inputs.o, selector: /b/1, type: jsonpointer}'),
	('{a: {context: $steps.a.outputs.xml, selector: "/r/i[2]", type: {type: xpath, version: xpath-10}}, b: 1}'),
	('[{context: $steps.a.outputs.xml, selector: //i, type: xpath}]'),
	('{context: $steps.a.outputs.xml, selector: count(//i) * 2, type: xpath}'),
	('{context: $inputs.none, selector: $.a, type: jsonpath}'),
	('{x: {context: $inputs.none, selector: $.a, type: jsonpath}}'),
	('{context: $steps.a.outputs.list, selector: "$[7]", type: jsonpath}'),
	('{context: $steps.a.outputs.xml, selector: $.a, type: jsonpath}'),
	('{context: $steps.a.outputs.list, selector: /r, type: xpath}'),
	('{context: $steps.a.outputs.none, selector: /r, type: jsonpointer}'),
	('{context: $steps.a.outputs.id, selector: "$[", type: jsonpath}'),
	('{context: $steps.a.outputs.id, selector: "/r[", type: xpath}'),
	('{context: $steps.a.outputs.id, selector: "r", type: jsonpointer}'),
	('{context: $steps.a.outputs.id, selector: "r", type: regex}'),
	('{context: $steps.a.outputs.id, selector: "r", type: css}'),
	('{context: $steps.a.outputs.xml, selector: /r/i, type: {type: xpath, version: xpath-30}}'),
	('{context: $steps.a.outputs.list, selector: "$[1].k"}'),
	('{context: world, selector: "$.a", type: jsonpath}'),
	('{context: $inputs.s, selector: "$.a", type: jsonpath, more: 1}')
) AS t (template);

-- Explaining
SELECT fill('{a: $steps.b.outputs.x, b: "id {$steps.b.outputs.x} {$inputs.none}", c: $inputs.none, d: $inputs.s,
	e: {context: $steps.b.outputs.x, selector: $.a, type: jsonpath}}', '{"symbolic": true}');

-- What a template is
SELECT template, test_template_facts(template, '{}') FROM (VALUES
	('x'), ('1'), ('{a: [1]}'), ('{a: [$inputs.x]}'), ('$inputs.x'), ('"{$inputs.x}"'), ('"$5"'),
	('{context: $inputs.x, selector: $.a, type: jsonpath}')
) AS t (template);
DROP FUNCTION fill(text, jsonb), bare(text), test_template(text, jsonb), test_template_facts(text, jsonb);
