-- JSONPath (RFC 9535) and I-Regexp (RFC 9485).
\getenv abs_builddir PG_ABS_BUILDDIR
\set rooms :abs_builddir '/tests/module/arazzo_rooms'
CREATE FUNCTION test_jsonpath(query text, document jsonb) RETURNS jsonb
	AS :'rooms', 'test_jsonpath' LANGUAGE C STRICT;
CREATE FUNCTION test_jsonpath_count(query text, document jsonb) RETURNS integer
	AS :'rooms', 'test_jsonpath_count' LANGUAGE C STRICT;
CREATE FUNCTION test_jsonpath_problem(query text) RETURNS text
	AS :'rooms', 'test_jsonpath_problem' LANGUAGE C STRICT;
CREATE FUNCTION test_iregexp(pattern text, whole boolean, string text) RETURNS boolean
	AS :'rooms', 'test_iregexp' LANGUAGE C STRICT;
\set VERBOSITY terse
\pset null NULL
\a

-- Each kind of selector and segment, on one document: what, and where
CREATE TEMPORARY TABLE orders AS SELECT jsonb '{
	"lines": [
		{"sku": "a-1", "price": 10, "tags": ["x", "y"]},
		{"sku": "b-22", "price": 12.50, "tags": []},
		{"sku": "a-3", "price": "9", "note": null},
		7, "seven", null, true, [1, [2, {"price": 3}]]],
	"total": 22.5, "": {"it''s": 1, "a\\b": 2, "\u0001\u000b\n\"é🐲": 3}}' AS document;
SELECT query, answer -> 'values' AS values, answer -> 'paths' AS paths
FROM orders, (VALUES
	(1, '$.total'), (2, '$ [ "total" ]'), (3, '$[''lines''][1].sku'), (4, '$.lines[-1][1][0]'),
	(5, '$.lines[8,-9,99].x'), (6, '$.total.x'), (7, '$.lines[2:4].price'), (8, '$.lines[-2::-3]'),
	(9, '$.lines[ : 9 : 4 ]'), (10, '$.lines[1:3:0]'), (11, '$.lines[0]["price", *, "sku", 0]'),
	(12, '$..price'), (13, '$.lines[7]..*'), (14, '$..[1, 0]'), (15, '$[""].*'), (16, '$.*.nothing'),
	(17, '$[""]["it''s", ''it\''s'', "a\\b"]'), (18, '$[""]["\u0001\u000B\n\"\u00e9\uD83D\udc32"]')
) AS q (n, query), test_jsonpath(query, document) AS answer ORDER BY n;
SELECT test_jsonpath('$', '"root"'), test_jsonpath('$..*', '{}'), test_jsonpath('$[?@]', '1');

-- Filters: existence, comparisons, logic; @ is the nearest, $ the document
SELECT filter, test_jsonpath('$.lines[?' || filter || ']', document) ->> 'paths' AS paths
FROM orders, unnest(ARRAY[
	'@.price', '@.tags[*]', '!@.sku', '@.note', '@.note == null', '@.none == null', '@.none == @.other',
	'@.price == 10.0', '@.price != 10', '@.price > 9', '@.price >= 1e1 && @.price < 12.5', '@.price <= "9"',
	'@ == 7 || @ == "seven" || @ == null || @ == true', '@ == false', '@ < "z"', '@.none <= @.none',
	'@.tags == $.lines[0].tags', '@ == $.lines[7]', '@ != @', '!(@.sku || @ == 7) && @ != null', '@[?@ == 1]',
	'@..[?@.price == 3]', '$.total', '$..nothing', '@.price < $.total', '@.price < 1e400000', '@.price > -1e999999999',
	'@ == -0e1 || @ == 1e-400000']) AS filter;
SELECT test_jsonpath('$[?@ > "B", ?@ < "b", ?@ < "ba"]', '["a", "b", "B", "é", "\ud83d\udc32", "\uffee"]') -> 'values';
SELECT test_jsonpath('$[?@ > "\uffee"]', '["\ud83d\udc32", "\uffee", "\uffed"]') -> 'values';
SELECT test_jsonpath('$[?@.a == @.b]', '[{"a": {"x": [1, {}]}, "b": {"x": [1.0, {}]}}, {"a": [], "b": {}},
	{"a": 9007199254740993, "b": 9007199254740992}, {"a": "1", "b": 1}]') -> 'paths';

-- Functions
SELECT filter, test_jsonpath('$.lines[?' || filter || ']', document) ->> 'paths' AS paths
FROM orders, unnest(ARRAY[
	'length(@) == 5', 'length(@) == 3', 'length(@.sku) > 3', 'length(@.price) == length(@.none)',
	'length("é🐲") == 2 && @ == 7', 'count(@.*) == 3', 'count(@..price) == 1', 'count($..price) == 4 && @ == 7',
	'value(@..price) == 3', 'value(@..*) == @.none && @ == 7', 'value($.total) > @.price', 'value($..price) == @.none && @ == 7',
	'match(@.sku, "a-.")', 'match(@.sku, "-")', 'search(@.sku, "-")', '!search(@.sku, "2{2}")',
	'match(@, 7)', 'match(@.price, "9")', 'match(@.sku, @.sku)', 'search("xa-3y", @.sku)', 'search("x", value(@.tags[0]))',
	'search(@.sku, $.none)', 'match(@.sku, "[")', 'match(@.sku, value($.lines[0].sku))']) AS filter;

-- I-Regexp: t or f for a match of the whole and of a part, NULL for what is none
SELECT pattern, string, test_iregexp(pattern, true, string) AS whole, test_iregexp(pattern, false, string) AS part
FROM (VALUES
	('', ''), ('|a', 'b'), ('ab|cd', 'abd'), ('(ab|c)+d?', 'abcc'), ('a.c', E'a\nc'), ('a.c', E'a\rc'), ('.', U&'\2028'), ('.', '🐲'),
	('^b', 'ab'), ('b$', 'ab'), ('^*a', 'a'), ('a{2}', 'aaa'), ('a{2,}', 'aaa'), ('a{0,2}', 'aaa'),
	('\p{Lu}\P{Lu}', 'Éé'), ('[\p{Nd}\-.]+', '٣-.'), ('[^\P{L}]', '1'), ('[-a-c^]+', 'b-^'), ('[a-]', '-'), ('[^-]', '-'),
	('[\n-\r\]]+', E'\r]'), ('\.\*\[\{\|\}\^\-\t\\', E'.*[{|}^-\t\\'), ('é+', 'éé'), ('[à-ü]', 'é'), ('[\]]', 'x'), ('a,b-c', 'a,b-c'),
	('a**', ''), ('*a', ''), ('a{2,1}', ''), ('a{,1}', ''), ('a{1', ''), ('a{x}', ''), ('(a', ''), ('a)', ''), ('[a', ''), ('[]', ''), ('[^]', ''),
	('[z-a]', ''), ('[a-b-c]', ''), ('[a[b]', ''), ('[a-\p{L}]', ''), (']', ''), ('}', ''), ('\d', ''), ('\$', ''), ('\', ''), ('[\w]', ''),
	('\p{L', ''), ('\p{Lx}', ''), ('\p{Cs}', ''), ('\p{Latin}', ''), ('\pL', ''), ('(?:a)', ''), ('a+?', '')
) AS t (pattern, string);

SELECT test_iregexp('x{300,301}', true, repeat('x', n)) FROM unnest(ARRAY[299, 300, 301, 302]) AS n;

-- What is no query, with the offset in characters
SELECT test_jsonpath_problem(query)
FROM unnest(ARRAY['', 'a', ' $', '$ ', '$a', '$.', '$..', '$...a', '$.1', '$. a', '$.é.', '$[', '$[]', '$[a]', '$[1', '$[1,]', '$[1 2]', '$[01]',
	'$[-0]', '$[-]', '$[1.0]', '$[9007199254740992]', '$[-9007199254740992:]', '$[:-01]', '$[::9007199254740992]', '$[1:2:3:4]', '$["a]', '$["\x"]',
	'$["\'']', '$[''\"'']', E'$["\n"]', '$["\u12"]', '$["\ud83d"]', '$["\ud83d\u0041"]', '$["\udc32"]', '$[?]', '$[?@', '$[?@.a == ]',
	'$[?@.* == 1]', '$[?@[ 0 ] == 1]', '$[?1 == @..a]', '$[?@ == 1 == 1]', '$[?(@ == 1) == 1]', '$[?!@ == 1]', '$[?!!@]', '$[?1]', '$[?!true]', '$[?@ = 1]',
	'$[?@ & @]', '$[?@ && ]', '$[?(@]', '$[?@ == 01]', '$[?@ == 1.]', '$[?@ == 1e]', '$[?@ == .5]', '$[?@ == -]', '$[?@ == +1]', '$[?@ == True]', '$[?@ == nul]', '$[?@ == [1]]',
	'$[?nope(@)]', '$[?length (@) == 1]', '$[?length(@)]', '$[?length() == 1]', '$[?length(@, @) == 1]', '$[?length(@.*) == 1]', '$[?length(@ == 1) == 1]',
	'$[?count(1) == 1]', '$[?count(length(@)) == 1]', '$[?count((@)) == 1]', '$[?value(true) == 1]', '$[?match(@, "a") == true]', '$[?match(@)]', '$[?length(match(@, "a")) == 1]',
	'$[?search(@, "a"]', '$[?@ == 123e-16384]', '$[?match(@, "a{100000}")]']) AS query;
SELECT test_jsonpath_problem('$[?' || repeat('(', 501) || '@' || repeat(')', 501) || ']');
SELECT test_jsonpath_problem('$' || repeat('.é', 150) || '.');
SELECT test_jsonpath('$[', '[]');

-- Nothing is too deep or too long, but what multiplies has an end.
CREATE TEMPORARY TABLE deep AS
	SELECT (repeat('[', 5000) || repeat(']', 5000))::jsonb AS arrays,
		(repeat('{"a":', 5000) || '1' || repeat('}', 5000))::jsonb AS objects;
SET max_stack_depth = '100kB';
SELECT test_jsonpath_count('$..*', arrays), test_jsonpath_count('$..[?@.a || @ == 1]', objects) FROM deep;
RESET max_stack_depth;
SELECT test_jsonpath_count('$' || repeat('[0]', 1000), (repeat('[', 1001) || repeat(']', 1001))::jsonb);
SELECT test_jsonpath_count('$[?@ % 2]', '[]');
SELECT test_jsonpath_count('$[?' || string_agg('@ == ' || i, ' || ') || ']', '[1, 100000, 100001]') FROM generate_series(1, 100000) i;
SELECT test_jsonpath_count('$' || repeat('[*,*,*,*,*,*,*,*,*,*]', 7) || '[*,*]', '[[[[[[[[1]]]]]]]]');
SELECT test_jsonpath_count('$[?search(@[0], @[1])]', '[["aaa", "a{3}"], ["aaa", "a{4}"], ["aaa", "a{100000}"]]');
