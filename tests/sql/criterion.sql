-- Criterion Objects: simple, regex, jsonpath, xpath.
\getenv abs_builddir PG_ABS_BUILDDIR
\set rooms :abs_builddir '/tests/module/arazzo_rooms'
\set VERBOSITY terse
CREATE FUNCTION test_criterion(text, jsonb) RETURNS boolean
	AS :'rooms', 'test_criterion' LANGUAGE C STRICT;
CREATE FUNCTION holds(criterion text, more jsonb DEFAULT '{}') RETURNS text
LANGUAGE plpgsql AS $$
BEGIN
	RETURN test_criterion(criterion, more || '{"status": 404,
		"inputs": {"s": "done", "quote": "a\"b", "apostrophe": "a''b", "n": 4, "path": "$.items", "pattern": "4.4", "bad": "(", "name": "items"},
		"response": {"header": {"Location": "/cookies/4711/eat"}, "body": {"status": "Done", "items": [{"id": 4, "tags": ["x"]},
			{"id": 5, "tags": []}], "empty": [], "next": null, "text": "a\"b", "token": "abc", "flag": false, "n": 7}},
		"message": {"payload": [{"a": 1}, {"a": 2}]},
		"steps": {"a": {"outputs": {"id": 5, "xml": "<r><id>4711</id><name k=''v''>Rex &amp; Co</name><p/><p/></r>",
			"text": "line one\nLINE two", "none": null}}}}');
EXCEPTION WHEN OTHERS THEN
	RETURN SQLSTATE || ' ' || SQLERRM;
END $$;

-- The object
SELECT holds(criterion) FROM (VALUES
	('{condition: $statusCode == 404}'), ('{condition: $statusCode == 404, type: simple}'), ('{condition: $statusCode == 404, context: anything}'),
	('[]'), ('{context: $statusCode}'), ('{condition: true}'), ('{condition: "x", type: regex}'), ('{condition: "x", type: regex, context: 1}'),
	('{condition: "x", type: regex, context: response}'), ('{condition: "x", type: glob, context: $statusCode}'), ('{condition: "x", type: [], context: $statusCode}'),
	('{condition: "x", type: jsonpointer, context: $statusCode}'), ('{condition: "x", type: {version: rfc9535}, context: $statusCode}'),
	('{condition: "x", type: {type: jsonpath, version: "1"}, context: $statusCode}'), ('{condition: "a", type: xpath, context: $response.body#a}'),
	('{condition: "//a", type: {type: xpath, version: xpath-20}, context: $response.body}'), ('{condition: "//a", type: {type: xpath, version: xpath-31}, context: $response.body}')
) AS t (criterion);

-- Regular expressions
CREATE FUNCTION matches(pattern text, context text DEFAULT '$statusCode') RETURNS text
LANGUAGE sql AS $$ SELECT holds(json_build_object('context', context, 'type', 'regex', 'condition', pattern)::text) $$;
SELECT pattern, matches(pattern) FROM (VALUES
	('^404$'), ('^4\d{2}$'), ('0'), ('^0'), ('^(200|404)$'), ('^(?:4)(?=04)'), ('(?!5)^4'), ('^4.*?4$'), ('\u0034'), ('(?<a>4)0\k<a>'),
	('^({$inputs.pattern})$'), ('{$inputs.n}04'), ('^{$inputs.absent}$'), ('{$inputs.bad}'), ('('), ('[z-a]')
) AS t (pattern);
SELECT pattern, matches(pattern, '$steps.a.outputs.text') FROM (VALUES
	('^line one$'), ('(?m)^line one$'), ('one.line'), ('(?si)one.line'), ('(?i)line TWO$'), ('(?x)a'), ('one[\s\S]*two')
) AS t (pattern);
SELECT matches('^/cookies/\d+/eat$', '$response.header.location'), matches('x', '$response.header.none'), matches('x', '$steps.a.outputs.none'),
	matches('"id": ?4', '$response.body');

-- JSONPath
CREATE FUNCTION selects(path text, context text DEFAULT '$response.body', type jsonb DEFAULT '"jsonpath"', more jsonb DEFAULT '{}') RETURNS text
LANGUAGE sql AS $$ SELECT holds(json_build_object('context', context, 'type', type, 'condition', path)::text, more) $$;
SELECT path, selects(path) FROM (VALUES
	('$'), ('$.items[*]'), ('$.empty'), ('$.empty[*]'), ('$.missing'), ('$.next'), ('$.items[?@.id == 5]'), ('$.items[?(@.id == 6)]'),
	('$[?count(@.tags) > 0]'), ('$.items[?count(@.tags[*]) > 0]'), ('$.items[?@.id == {$steps.a.outputs.id}]'), ('$.items[?@.id == {$inputs.absent}]'),
	('$[?@ == "{$inputs.quote}"]'), ('{$inputs.path}'), ('$.{$inputs.name}[0]'), ('$.items[?@.id == {$inputs.bad}]'), ('$.items['), ('$.length == 0')
) AS t (path);
SELECT selects('$[?@.a == 2]', '$message.payload'), selects('$', '$response.header.none'), selects('$', '$steps.a.outputs.none'),
	selects('$', '$response.header.location'), selects('$', '$statusCode');
SELECT selects('$.items[(@.length-1)]', type => '{"type": "jsonpath", "version": "draft-goessner-dispatch-jsonpath-00"}'),
	selects('$.items[0]', type => '{"type": "jsonpath", "version": "rfc9535"}');
-- What asks too much is "no"
SELECT selects('$.items[' || repeat('0,', 1000) || '0][' || repeat('*,', 1000) || '*]');

-- JSONPath as published: comparisons of queries
SELECT path, selects(path, more => '{"declared": {"inputs": {"s": 1, "n": 1, "quote": 1}, "steps": {"a": {"id": 1}}}}') FROM (VALUES
	('$.status == ''done'''), ('$.status == "done"'), ('$.status != "done"'), ('$.status == Done'), ('$.status == ''open'' || $.status == ''done'''),
	('$.status == ''done'' && ($.items.length == 2 || false)'), ('!($.status == ''done'')'), ('$.token != null'), ('$.next == null || $.next == '''''), ('$.missing == null'),
	('$.items.length > 0'), ('$.empty.length == 0'), ('$.missing.length == 0'), ('$.items[?(@.id > 4)].length == 1'), ('$.items[*].length == 2'), ('$.items[?(@.id > 9)].length == 0'),
	('$.items[0].id == 4'), ('$[''items''][1].id == $steps.a.outputs.id'), ('$.n >= $inputs.n'), ('$.status == ''$inputs.s'''), ('$.status == "{$inputs.s}"'), ('$.status == $inputs.other'),
	('$.items[*].id == 4'), ('$.items && $.token'), ('$.items && $.missing'), ('$.flag || $.next'), ('$.items[?@.id > 4] && $.n'), ('$.items[?@.id > 9] || false'), ('#/status == Done'), ('#/items/0/id == 4'), ('#/missing == x'), ('$.items[?(@.id == $steps.a.outputs.id)]'),
	('$.items[?(@.id == ''$steps.a.outputs.id'')]'), ('$[?@ == "$inputs.quote"]'), ('$.items[?(@.id == $inputs.items)]'), ('$.status = 1'), ('$.a b'), ('$.length > 0')
) AS t (path);
SELECT selects('$.length == 2', '$message.payload', more => '{"declared": {}}'), selects('$.length == 0', 'message.payload', more => '{"declared": {}}'),
	selects('$.a == 1', '$response.header.location', more => '{"declared": {}}'),
	holds('{context: $response.body, type: jsonpath, version: rfc9535, condition: $.items}', '{"declared": {}}');

-- XPath 1.0: boolean() of the result
CREATE FUNCTION finds(path text, context text DEFAULT '$steps.a.outputs.xml') RETURNS text
LANGUAGE sql AS $$ SELECT holds(json_build_object('context', context, 'type', 'xpath', 'condition', path)::text) $$;
SELECT path, finds(path) FROM (VALUES
	('/r/id = 4711'), ('/r/id = 4712'), ('/r/p'), ('/r/q'), ('count(/r/p) > 1'), ('count(/r/q)'), ('count(/r/p)'), ('string(/r/p)'), ('string(/r/id)'), ('/r/name[@k="v"]'),
	('/r/name[text()="Rex & Co"]'), ('//*[local-name()="id"]'), ('/r/id[. = {$inputs.n} + 4707]'), ('/r/name = "{$inputs.s}"'), ('/r/name = "{$inputs.quote}"'), ('/r/name = ''{$inputs.quote}'''),
	('/r/id['), ('1) or (1'), ('unknown(/r)'), ('x:r'), ('/r/id[{$inputs.bad}]')
) AS t (path);
SELECT finds('/r', '$response.header.location'), finds('/r', '$response.body'), finds('/r', '$steps.a.outputs.none'), finds('/r', '$statusCode');
DROP FUNCTION holds(text, jsonb), matches(text, text), selects(text, text, jsonb, jsonb), finds(text, text), test_criterion(text, jsonb);
