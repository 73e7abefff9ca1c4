-- URI references (RFC 3986) and JSON Pointers (RFC 6901).
\getenv abs_builddir PG_ABS_BUILDDIR
\set rooms :abs_builddir '/tests/module/arazzo_rooms'
CREATE FUNCTION test_uri_resolve(base text, reference text) RETURNS text
	AS :'rooms', 'test_uri_resolve' LANGUAGE C STRICT;
CREATE FUNCTION test_uri_split(text) RETURNS text[]
	AS :'rooms', 'test_uri_split' LANGUAGE C STRICT;
CREATE FUNCTION test_uri_defragment(text) RETURNS text[]
	AS :'rooms', 'test_uri_defragment' LANGUAGE C STRICT;
CREATE FUNCTION test_uri_encode(data text, keep text) RETURNS text
	AS :'rooms', 'test_uri_encode' LANGUAGE C;
CREATE FUNCTION test_uri_decode(text) RETURNS text
	AS :'rooms', 'test_uri_decode' LANGUAGE C STRICT;
CREATE FUNCTION test_pointer_value(root jsonb, pointer text) RETURNS jsonb
	AS :'rooms', 'test_pointer_value' LANGUAGE C STRICT;
CREATE FUNCTION test_pointer_node(document bytea, pointer text) RETURNS text
	AS :'rooms', 'test_pointer_node' LANGUAGE C STRICT;
CREATE FUNCTION test_pointer_append(tokens text[]) RETURNS text
	AS :'rooms', 'test_pointer_append' LANGUAGE C STRICT;

-- RFC 3986, 5.4.1 and 5.4.2: rows are shown where the result is another one.
SELECT reference, expected, test_uri_resolve('http://a/b/c/d;p?q', reference) AS got
FROM (VALUES
	('g:h', 'g:h'), ('g', 'http://a/b/c/g'), ('./g', 'http://a/b/c/g'), ('g/', 'http://a/b/c/g/'),
	('/g', 'http://a/g'), ('//g', 'http://g'), ('?y', 'http://a/b/c/d;p?y'), ('g?y', 'http://a/b/c/g?y'),
	('#s', 'http://a/b/c/d;p?q#s'), ('g#s', 'http://a/b/c/g#s'), ('g?y#s', 'http://a/b/c/g?y#s'),
	(';x', 'http://a/b/c/;x'), ('g;x', 'http://a/b/c/g;x'), ('g;x?y#s', 'http://a/b/c/g;x?y#s'),
	('', 'http://a/b/c/d;p?q'), ('.', 'http://a/b/c/'), ('./', 'http://a/b/c/'), ('..', 'http://a/b/'),
	('../', 'http://a/b/'), ('../g', 'http://a/b/g'), ('../..', 'http://a/'), ('../../', 'http://a/'),
	('../../g', 'http://a/g'),
	('../../../g', 'http://a/g'), ('../../../../g', 'http://a/g'), ('/./g', 'http://a/g'), ('/../g', 'http://a/g'),
	('g.', 'http://a/b/c/g.'), ('.g', 'http://a/b/c/.g'), ('g..', 'http://a/b/c/g..'), ('..g', 'http://a/b/c/..g'),
	('./../g', 'http://a/b/g'), ('./g/.', 'http://a/b/c/g/'), ('g/./h', 'http://a/b/c/g/h'), ('g/../h', 'http://a/b/c/h'),
	('g;x=1/./y', 'http://a/b/c/g;x=1/y'), ('g;x=1/../y', 'http://a/b/c/y'),
	('g?y/./x', 'http://a/b/c/g?y/./x'), ('g?y/../x', 'http://a/b/c/g?y/../x'),
	('g#s/./x', 'http://a/b/c/g#s/./x'), ('g#s/../x', 'http://a/b/c/g#s/../x'), ('http:g', 'http:g')
) AS example(reference, expected)
WHERE test_uri_resolve('http://a/b/c/d;p?q', reference) IS DISTINCT FROM expected;

-- Other bases
SELECT base, reference, test_uri_resolve(base, reference)
FROM (VALUES
	('amberflo-arazzo:/workflows/arazzo/x.yaml', '../openapi/y.yaml'), ('amberflo-arazzo:/workflows/arazzo/x.yaml', 'y.yaml#/a~1b'),
	('amberflo-arazzo:/workflows/x.yaml', '../../../y.yaml'), ('file:///srv/a/x.yaml', '../b/y.yaml'),
	('/srv/a/x.yaml', '../b/y.yaml'), ('/srv/a/my file.yaml', 'y.yaml'), ('a/x.yaml', './y.yaml'), ('a/x.yaml', '../../y.yaml'),
	('a/x.yaml', '../../../y.yaml'), ('x.yaml', 'y.yaml'), ('x.yaml', '../y.yaml'), ('x.yaml', '..'), ('x.yaml', '#/a'), ('x.yaml', ''),
	('../x.yaml', '../y.yaml'), ('./x.yaml', 'b/../y.yaml'), ('', 'y.yaml'),
	('urn:example:doc', '#/components'), ('urn:example:doc', 'urn:example:other'), ('urn:example:doc?=q', ''), ('urn:example:doc', 'y'),
	('https://h', 'y.yaml'), ('https://h?q', 'y'), ('https://h/a', '//other/b'), ('https://h/a', 'http://x/../y'), ('https://h/a/', '..//b'), ('x:a', '/..//b'),
	('a/b', '../x:y')
) AS t(base, reference);

SELECT text, test_uri_split(text) FROM (VALUES
	('http://www.ics.uci.edu/pub/ietf/uri/#Related'), ('https://u@h:8/p?a?b#c#d'), ('urn:a:b'), ('//h'), ('/p'), ('?q'), ('#'), (''),
	('1:a'), ('a+b-c.d:e'), ('a b'), ('%4'), ('%zz'), ('%41'), ('é')) AS t(text);
SELECT text, test_uri_defragment(text) FROM (VALUES ('a#b'), ('a#%7Bb%7d'), ('a'), ('a#'), ('#/x~1y'), ('a#%z')) AS t(text);

SELECT test_uri_encode(E'azAZ09-._~ /?#[]@!$&''()*+,;=%"<>é\n', NULL), test_uri_encode('a/b c:%', '/:');
SELECT text, test_uri_decode(text) FROM (VALUES ('a%20b'), ('%c3%A9'), ('%'), ('%4'), ('%4g'), ('a%00b'), ('+')) AS t(text);

-- RFC 6901, 5
SELECT pointer, test_pointer_value('{"foo": ["bar", "baz"], "": 0, "a/b": 1, "c%d": 2, "e^f": 3, "g|h": 4, "i\\j": 5, "k\"l": 6, " ": 7, "m~n": 8}', pointer)
FROM (VALUES (''), ('/foo'), ('/foo/0'), ('/'), ('/a~1b'), ('/c%d'), ('/e^f'), ('/g|h'), ('/i\j'), ('/k"l'), ('/ '), ('/m~0n')) AS t(pointer);
-- nothing there
SELECT pointer, test_pointer_value('{"a": [1, [2]], "~1": {"": 3}, "01": 4}', pointer)
FROM (VALUES ('/b'), ('/a/2'), ('/a/-'), ('/a/00'), ('/a/01'), ('/a/1e0'), ('/a/+1'), ('/a/1/0'), ('/a/1/0/0'), ('/a/'), ('/a/4294967296'), ('/~01'), ('/~01/'), ('/~01/x'), ('/01')) AS t(pointer);
SELECT test_pointer_value('5', ''), test_pointer_value('5', '/0');
SELECT test_pointer_value('{}', 'a');
SELECT test_pointer_value('{}', '/~');
SELECT test_pointer_value('{}', '/a~2');
SELECT pointer, test_pointer_node(convert_to(E'a:\n  - 1\n  - b/c: é\n', 'UTF8'), pointer)
FROM (VALUES (''), ('/a'), ('/a/1/b~1c'), ('/a/2'), ('/a/0/x'), ('/x'), ('/a/01'), ('a')) AS t(pointer);
SELECT test_pointer_append('{paths,"/a/{b}",~x,"",~1}');
