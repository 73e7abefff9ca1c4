-- Runtime expressions: the grammar, names, published forms, values.
\getenv abs_builddir PG_ABS_BUILDDIR
\set rooms :abs_builddir '/tests/module/arazzo_rooms'
\set VERBOSITY terse
CREATE FUNCTION test_expression_parse(text, jsonb) RETURNS text
	AS :'rooms', 'test_expression_parse' LANGUAGE C STRICT;
CREATE FUNCTION test_expression_evaluate(text, jsonb) RETURNS jsonb
	AS :'rooms', 'test_expression_evaluate' LANGUAGE C STRICT;
CREATE FUNCTION parse(expression text, declared jsonb DEFAULT NULL) RETURNS text
LANGUAGE plpgsql AS $$
BEGIN
	RETURN test_expression_parse(expression, CASE WHEN declared IS NULL THEN '{}'
		ELSE jsonb_build_object('declared', declared) END);
EXCEPTION WHEN OTHERS THEN
	RETURN SQLSTATE || ' ' || SQLERRM;
END $$;

-- The grammar of 1.1.0, without a scope: every production.
SELECT expression, parse(expression) FROM (VALUES
	('$url'), ('$method'), ('$statusCode'), ('$self'),
	('$request.header.accept'), ('$request.header.a!#$%&''*+-.^_`|~b'),
	('$request.query.q'), ('$request.query.filter[name] x'), ('$request.path.id'),
	('$request.body'), ('$request.body#/user/uuid'), ('$request.payload#/a'),
	('$response.header.Server'), ('$response.query.x'), ('$response.path.x'),
	('$response.body'), ('$response.body#'), ('$response.body#/'), ('$response.body#/a~1b/m~0n//0'),
	('$response.body#/with space/é/a.b/[0]'),
	('$message.header.Server'), ('$message.payload'), ('$message.payload#/status'), ('$message.body#/status'),
	('$inputs.username'), ('$inputs.user.name-1_x'), ('$inputs.customer#/firstName'),
	('$outputs.bar'), ('$outputs.bar#/0'),
	('$steps.some-Step_1.outputs.pets'), ('$steps.s.outputs.a.b#/0/id'),
	('$workflows.foo.inputs.username'), ('$workflows.foo.outputs.bar#/name'),
	('$sourceDescriptions.petstore.url'), ('$sourceDescriptions.pet-store.any thing/(#at) all'),
	('$components.parameters.foo'), ('$components.successActions.a.b'), ('$components.failureActions.baz')
) AS t (expression);

-- What is none of it
SELECT parse(expression) FROM (VALUES
	(''), ('inputs.x'), ('$'), ('$input.x'), ('$inputs'), ('$inputs.'), ('$inputs. x'), ('$inputs.é'),
	('$urls'), ('$url.x'), ('$statusCodes'), ('$request.'), ('$request.cookie.a'), ('$request.headers.a'),
	('$request.header.'), ('$request.header.a b'), ('$response.body.a'), ('$response.body[0]'),
	('$response.body#a'), ('$response.body/a'), ('$response.body#/a~2'), ('$response.bodyx'),
	('$message.query.a'), ('$steps.a'), ('$steps.a.outputs'), ('$steps.a.outputs.'),
	('$steps.a b.outputs.c'), ('$steps.a.b.outputs.c'), ('$steps.a.outputs.b[0]'), ('$steps.a.outputs.b c'),
	('$workflows.a.b'), ('$workflows.a.steps.b'), ('$sourceDescriptions.a'), ('$sourceDescriptions.a.'),
	('$components.parameters'), ('$inputs.x}'), ('$inputs.' || repeat('x', 300) || ' y')
) AS t (expression);

-- Names that are declared are taken whole, whatever they hold.
SELECT expression, parse(expression, '{"inputs": {"page[size]": 1, "$filter": 1, "$.xgafv": 1, "a": 1,
	"a.b": 1, "a>b/c": 1, "two words": 1, "items[0].id": 1},
	"steps": {"Plan a Trip_0": {"list response": 1, "items": 1}, "a.outputs.b": {"c": 1}, "x": {"y": 1, "y.z": 1}}}')
FROM (VALUES
	('$inputs.page[size]'), ('$inputs.$filter'), ('$inputs.$.xgafv'), ('$inputs.a>b/c'),
	('$inputs.two words'), ('$inputs.two words.x'), ('$inputs.items[0].id'), ('$inputs.items[0].id[1]'),
	('$inputs.a'), ('$inputs.a.b'), ('$inputs.a.b.c'), ('$inputs.a.c'), ('$inputs.ab'), ('$inputs.a[0]'),
	('$inputs.a#/x/y'), ('$inputs.a b'), ('$inputs.other.name'),
	('$steps.Plan a Trip_0.outputs.list response'), ('$steps.Plan a Trip_0.outputs.list response#/0'),
	('$steps.Plan a Trip_0.outputs.other thing'), ('$steps.a.outputs.b.outputs.c'),
	('$steps.x.outputs.y'), ('$steps.x.outputs.y.z'), ('$steps.x.outputs.y.w'), ('$steps.x.y'), ('$steps.x.w'),
	('$steps.unknown.outputs.y')
) AS t (expression);

-- Published forms with one meaning
SELECT expression, parse(expression, '{"inputs": {"env": 1}, "outputs": {"data": 1}, "steps": {"s": {"data": 1, "menu": 1}}}')
FROM (VALUES
	('$steps.s.outputs.data.id'), ('$steps.s.outputs.data[0].id'), ('$steps.s.outputs.data.0.dates.0'),
	('$steps.s.outputs.data[*].key'), ('$steps.s.outputs.data[].key'), ('$steps.s.outputs.data[n].key'),
	('$steps.s.outputs.data[''a"b''][*].c'),
	('$steps.s.outputs.data[?(@.a)]'), ('$steps.s.outputs.data[''a b'']["c"]'), ('$steps.s.outputs.data['),
	('$steps.s.outputs.menu#/page/total'), ('$steps.s.outputs.data.a#/b'), ('$steps.s.data'), ('$steps.s.data.id'),
	('$steps.s.outputs.data (the list)'), ('$steps.s.outputs.data.'), ('$steps.s.outputs.data.length'),
	('$response.body.a.b'), ('$response.body.links.self'), ('$response.body[0].id'), ('$response.body.@type'),
	('$response.headers.X-Rate'), ('$response.body#access_token'), ('$response.body/AccessToken'),
	('$response.body#/[0].id'), ('$response.body#/0/Service[]'), ('$response.body#/a[1]/b'), ('$response.body#/x[size]'),
	('$inputs.env.TOKEN'), ('$outputs.data[0].id'), ('$message.payload.orderId'), ('$response.body#/a.b')
) AS t (expression);

-- Values
CREATE FUNCTION value(expression text, more jsonb DEFAULT '{}') RETURNS jsonb
LANGUAGE sql AS $$
	SELECT test_expression_evaluate(expression, more || '{"url": "http://x/y", "method": "GET", "status": 201,
		"self": "urn:a", "inputs": {"n": 12345678901234567890.123456789, "nothing": null, "o": {"": 1, "a/b": {"m~n": 2}}},
		"outputs": {"o": 1}, "steps": {"s": {"outputs": {"data": [{"id": 1}, {"id": 2}, {}], "word": "naïve"}}},
		"workflows": {"w": {"inputs": {"i": 3}, "outputs": {"o": 4}}},
		"request": {"query": {"q": "1"}, "path": {"p": "2"}, "header": {"Accept": "a"}, "body": "text"},
		"response": {"header": {"Content-Type": "b"}, "body": {"a": [10, [20, {"b": "c"}]], "length": 7, "9": "nine"}},
		"message": {"payload": [1], "header": {"h": "v"}}, "sourceDescriptions": {"d": {"url": "u"}}}')
$$;
SELECT expression, value(expression) FROM (VALUES
	('$url'), ('$method'), ('$statusCode'), ('$self'), ('$inputs.n'), ('$inputs.nothing'), ('$inputs.none'),
	('$inputs.o#/'), ('$inputs.o#/a~1b/m~0n'), ('$inputs.o#/a'), ('$inputs.n#/a'), ('$outputs.o'),
	('$workflows.w.inputs.i'), ('$workflows.w.outputs.o'), ('$request.query.q'), ('$request.path.p'),
	('$request.header.ACCEPT'), ('$response.header.content-type'), ('$request.body'), ('$request.body#/a'),
	('$response.body#/a/1/1/b'), ('$response.body#/a/01'), ('$response.body#/a/-'), ('$response.body#/a/2'),
	('$message.payload#/0'), ('$message.header.H'), ('$sourceDescriptions.d.url')
) AS t (expression);
SET client_min_messages = warning;
SELECT expression, value(expression, '{"declared": {"steps": {"s": {"data": 1, "word": 1}}}}') FROM (VALUES
	('$response.body.a[1][1].b'), ('$response.body.a.1.0'), ('$response.body.9'), ('$response.body.a.x'),
	('$response.body.a[9]'), ('$response.body.length'), ('$response.body.a.length'),
	('$steps.s.outputs.data[*].id'), ('$steps.s.outputs.data[]'), ('$steps.s.outputs.word[*]'),
	('$steps.s.outputs.data[1].id'), ('$steps.s.outputs.data.length'), ('$steps.s.outputs.word.length'),
	('$steps.s.outputs.data[0].length'), ('$request.body.a'), ('$request.body[0]')
) AS t (expression);

-- Explaining: what has no value yet stands for itself; inputs are known.
SELECT value('$steps.later.outputs.x#/y', '{"symbolic": true}'), value('$steps.s.outputs.word', '{"symbolic": true}'),
	value('$inputs.none', '{"symbolic": true}');
DROP FUNCTION value(text, jsonb), parse(text, jsonb);
DROP FUNCTION test_expression_parse(text, jsonb), test_expression_evaluate(text, jsonb);
