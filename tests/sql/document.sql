-- Documents: YAML 1.2 and JSON text to a tree and to jsonb.
\getenv abs_builddir PG_ABS_BUILDDIR
\set rooms :abs_builddir '/tests/module/arazzo_rooms'
CREATE FUNCTION test_document_read(bytea) RETURNS jsonb
	AS :'rooms', 'test_document_read' LANGUAGE C STRICT;
CREATE FUNCTION test_document_outline(bytea) RETURNS text
	AS :'rooms', 'test_document_outline' LANGUAGE C STRICT;
CREATE FUNCTION test_document_limits(kb int, nodes int, depth int) RETURNS void
	AS :'rooms', 'test_document_limits' LANGUAGE C STRICT;
CREATE FUNCTION yaml(text) RETURNS jsonb LANGUAGE sql
	AS $$ SELECT test_document_read(convert_to($1, 'UTF8')) $$;
-- what a text is refused with
CREATE FUNCTION refusal(document bytea) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	place text;
	hint text;
BEGIN
	RETURN 'accepted: ' || test_document_read(document)::text;
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS place = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
	RETURN concat_ws(' | ', sqlstate, sqlerrm, place, nullif(hint, ''));
END $$;
CREATE FUNCTION refusal(document text) RETURNS text LANGUAGE sql
	AS $$ SELECT refusal(convert_to($1, 'UTF8')) $$;

-- The core schema
SELECT yaml('[~, null, Null, NULL, nULL, true, True, TRUE, tRUE, false, yes, no, on, off, y, n]');
SELECT yaml('[0, -0, +12, 012, 0o17, 0O17, 0x1F, 0xfe, 0b11, 1_000, 1:30, 2001-01-23, 2024-01-02T03:04:05Z]');
SELECT yaml('[1.50, .5, -.5, 1., +1.5e3, 1e-3, 6.02E23, 1e, .e1, ., +, -., 1.2.3, 1e5e5, "12", ''3'']');
SELECT yaml('[12345678901234567890.123456789, 123456789012345678, 1234567890123456789012345678901234567890, -9223372036854775808]');
SELECT yaml('[0xFFFFFFFFFFFFFFFFFFFFFFFF, 0o7777777777777777777777777, 0x00000000000000000000001, 0e999999999]');
SELECT yaml('{~: a, true: b, 200: c, 1.50: d, 0x1F: e, null: g}');
SELECT yaml(E'- !!str 12\n- !!int "12"\n- !!float 3\n- !!bool "true"\n- !!null ""\n- ! 12\n- &a ! true\n- !local 5\n- !local "5"\n- !!set {a}\n- !<tag:example.com,2000:x> &b 7');
SELECT yaml('0x1' || repeat('0', 4095)) = (power(16::numeric, 4095) || '')::jsonb AS hexadecimal;
SELECT length(yaml('9' || repeat('0', 100000))::text), yaml('1e100') = ('1' || repeat('0', 100))::jsonb;

-- Text
SELECT yaml(E'literal: |\n  a\n   b\n\nfolded: >-\n  a\n  b\n\n  c\nkeep: |+\n  x\n\nplain: a\n  b # comment\nquoted: "a\\tb \\\n  c\\u00e9\\U0001F600"\nsingle: ''it''''s''');
SELECT yaml(E'\uFEFFa: 1\r\nb:\r\n  - x\r\n  - "y\r\n    z"\r\n') AS bom_and_crlf;
SELECT yaml(E'%YAML 1.9\n%OTHER x\n--- # comment\na: 1\n...\n# end\n') AS directives;
SELECT to_json(yaml(E'a: x\u2028y\u0085z\nb: "\u2029"\nc: \uE000 |\u2028')) AS no_line_breaks;
SELECT yaml('');
SELECT yaml(E'---\n') AS null_document;

-- Anchors, aliases, merge keys
SELECT yaml(E'a: &x {k: 1}\nb: *x\nc: &x [2]\nd: [*x, *x]\ne: &k key\n*k : f\n&n 5: g\nh: *n');
SELECT yaml(E'base: &b {p: 1, q: 2}\nmore: &m {q: 3, r: 4}\none: {<<: *b, q: 9}\ntwo: {q: 9, <<: [*b, *m]}\nthree: {<<: *m, <<x: 1}\nquoted: {"<<": *b}\ninline: {<<: {s: 5}}\ntagged: {!!merge t: {u: 6}, ! <<: 7}') AS merged;
SELECT test_document_outline(convert_to(E'z: 1\nbase: &b {p: é, q: "é"}\nmerged:\n  x: [é, 2]\n  <<: *b\n  y: null', 'UTF8'));

-- JSON, whose text is no YAML in places
SELECT yaml(E'{"a":\t[1,-0.50e+2,true,null,"\\ud83d\\ude00\\/"],\r\n\t"<<": {"b":{}}, "": ""}');
SELECT test_document_outline(convert_to(E'{\n\t"é": {"a": [1, "é", 2]}\r\n, "b": false }', 'UTF8'));
SELECT yaml('"text"'), yaml(' 12.50 '), yaml('null'), yaml('[]'), yaml('{}');
SELECT yaml(E'{a: 1, "b":2, c: [x, y,],}') AS flow_yaml;

-- Refused: not one document
SELECT refusal(x) FROM (VALUES (''), (E'# nothing\n'), ('...'), (E'a: 1\n---\nb: 2\n'), (E'--- a\n--- b'), (E'a\n...\n%YAML 1.2\n---\nb')) v(x);
-- keys
SELECT refusal(x) FROM (VALUES (E'a: 1\nb: 2\na: 3'), ('{"a": {"b": 1, "b": 2}}'), (E'1: a\n"1": b'), ('{a: 1, <<: {}, <<: {}}'),
	(E'<<: 5'), (E'a: &s [x]\n<<: *s'), ('{[a]: b}'), (E'? - a\n: b'), (E'a: &s [x]\n*s : b'), (E'&a {x: &a y}: z')) v(x);
SELECT refusal('{' || string_agg(format('"k%s": 1', i % 20), ', ' ORDER BY i) || '}') FROM generate_series(1, 21) i;
SELECT refusal(string_agg(format('k%s: 1', i % 2000), E'\n' ORDER BY i)) FROM generate_series(1, 2001) i;
-- aliases
SELECT refusal(x) FROM (VALUES ('a: *b'), (E'a: &a [1, *a]'), (E'&a x: {b: &b {c: *b}}'), (E'a: &an:chor 1'), (E'a: &x 1\nb: [*x:y]')) v(x);
-- scalars
SELECT refusal(x) FROM (VALUES ('.inf'), ('a: -.INF'), ('[.nan]'), ('1e1000000'), ('a: 1e-20000'), ('[1e1000000]'), (E'{"a": 1e1000000}'),
	('!!int x'), ('!!int 1.5'), ('!!bool yes'), ('!!null x'), ('!!float 0x1'), ('!!map x'), ('!!str [a]'), ('!!seq {a: b}'), ('!!merge x'),
	(E'a: "x\\0y"'), ('"\u0000"'), (E'{"a\\u0000": 1}'), ('"\ud800"'), ('"\x"'), (E'["a\\x"]')) v(x);
SELECT refusal('0x' || repeat('F', 4097)), refusal(repeat('9', 131073)), refusal('0.' || repeat('1', 16384));
-- syntax
SELECT refusal(x) FROM (VALUES (E'a:\n\tb: 1'), (E'a:\n  - b\n\t- c'), (E'a: b: c'), (E'a: @x'), (E'a: "x'), ('a: ['), (E'a: 1\n b: 2'), (E'key: "v"#c'), ('[a,#c'), (E'a: |#c\n b'),
	('[?x]'), ('[-]'), (E'a: \u0001'), (E'x: y\ny: \uFEFFz'), ('%YAML 2.0' || E'\n---\na'), (E'%YAML 1.2#c\n---\na'), ('!x!y z'), (E'a: b\n}')) v(x);
SELECT refusal(x) FROM (VALUES ('{"a": 1 "b": 2}'), ('{"a": 1,, }'), ('[1, 2'), ('[1 2}'), ('{"a" 1, b: ]}'), ('{"a": tru, "b": 1 : 2}'), ('["a'), (E'{\n\t"a": 1\n\t"b": 2\n}'), ('{"a": 1}}'), ('[1] x'), ('[1, .nan]'), (E'{\n"a": b,\n"c": d,\n"e": [\n}'), ('{,}'), ('{"a":}x')) v(x);
-- encodings; positions count characters
SELECT refusal(x) FROM (VALUES ('\x613a20ff'::bytea), ('\x613a20c3a90ac3a93a20c328'), ('\x613a20eda080'), ('\x613a20c0af'), ('\x61003a'), ('\xfffe61003a00'), ('\xfeff0061003a'), ('\xfffe000061000000'), ('\xefbbbf613a20ff')) v(x);
SELECT yaml(E'a: é\nb: [é, é: é :é], é: ]');

-- Limits
SELECT refusal(string_agg(format('%%TAG !a%s! x', i), E'\n') || E'\n--- a') FROM generate_series(1, 101) i;
SELECT refusal(E'a: &a [x,x,x,x,x,x,x,x,x,x]\n' || string_agg(format('%s: &%s [%s]', chr(97 + i), chr(97 + i), rtrim(repeat(format('*%s, ', chr(96 + i)), 10), ', ')), E'\n' ORDER BY i))
FROM generate_series(1, 9) i;
SELECT refusal('a: &a "' || repeat('x', 1000000) || E'"\nb: [' || repeat('*a,', 100) || ']');
SELECT refusal(repeat('[', 201) || repeat(']', 201)), refusal(repeat('[', 100000));
SELECT refusal(repeat('- ', 201) || 'x'), refusal(repeat('{"a":', 100000));
SELECT refusal(E'a: &a ' || repeat('[', 150) || repeat(']', 150) || E'\nb: ' || repeat('[', 60) || '*a' || repeat(']', 60));
SELECT test_document_limits(1, 10, 3);
SELECT refusal(repeat('x', 1024)) ~ '^accepted', refusal(repeat('x', 1025));
SELECT refusal('[1,2,3,4,5,6,7,8,9]'), refusal('[1,2,3,4,5,6,7,8,9,10]'), refusal('[a,b,c,d,e,f,g,h,i,j]');
SELECT refusal('[[[1]]]'), refusal('[[[[1]]]]'), refusal('[[[a, []]]]');
SELECT refusal('{a: &a [1, 2], b: *a, c: [[*a]]}'), refusal('{a: &a [1, 2], b: *a, c: *a}');
