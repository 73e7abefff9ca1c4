# Hostile documents and expressions: bombs, cycles, depth, size, patterns and
# paths that explode, loops.  All end within limits, or with the statement's.
# Prints a table: number, fault, what is required, what was seen.
use strict;
use warnings;

use FaultTable;
use JSON::PP;
use RawServer;
use Test::More;

# A value that is a tree of so many levels.
sub tree { return $_[0] == 0 ? '1' : '[' . join(',', (tree($_[0] - 1)) x 3) . ']'; }

my $json = 'Content-Type: application/json';
my $table = FaultTable->new(
	table => \*DATA,
	answers => {
		'/x' => [ RawServer::response('{}', $json) ],
		'/tree' => [ RawServer::response(tree(8), $json) ],
		'/text' => [ RawServer::response('"' . 'a' x 20000 . '!"', $json) ],
		'/list' => [ RawServer::response('["' . 'a' x 20000 . '!"]', $json) ],
		'/deep' => [ RawServer::response('[' x 5000 . ']' x 5000, $json) ]
	});

# Loads a document; what was said, cut to what the reader needs.
sub loading
{
	my ($text) = @_;

	return 'SET client_min_messages = error; SELECT arazzo_load(\'https://probe.test/hostile.yaml\', ' . Arazzo::quote($text) . ') \g /dev/null' . "\nRESET client_min_messages;";
}

# Within a limit that is far from what the statement needs, or would take.
my $limit = FaultTable::is_watched() ? '30s' : '1500ms';
sub limited { return "SET statement_timeout = '$limit';\n$_[0]\nSET statement_timeout = 0;"; }

my $info = "info: {title: t, version: '1'}\n";
my $arazzo = "arazzo: 1.0.1\n${info}sourceDescriptions: [{name: api, url: openapi.yaml}]\nworkflows:\n";
my $step = 'operationId: get, parameters: [{name: case, in: path, value: %s}]';

# 80: what cannot be a document
my %text = (
	'alias bomb' => "a: &a [x, x, x, x, x, x, x, x, x]\n" . join('', map { my $n = chr(97 + $_); my $p = chr(96 + $_); "$n: &$n [" . join(',', ("*$p") x 9) . "]\n" } 1 .. 12),
	'alias of itself' => "a: &a [*a]\n",
	'merge of itself' => "a: &a\n  <<: *a\n",
	'40 MB' => "arazzo: 1.0.1\n# " . 'x' x 40_000_000,
	'10 MB in one word' => 'x' x 10_000_000,
	'the same key twice' => "openapi: 3.1.0\nopenapi: 3.1.0\n",
	'tab for a blank' => "openapi: 3.1.0\ninfo:\n\ttitle: x\n",
	'byte order mark alone' => "\xef\xbb\xbf",
	'nothing' => '',
	'unclosed quote' => "openapi: \"3.1.0\n",
	'unclosed bracket' => "openapi: [3.1.0\n",
	'a list' => "- openapi\n",
	'a number' => '1',
	'control character' => "openapi: \"\x01\"\n",
	'not UTF-8' => "openapi: \"\xff\"\n",
	'1e1000000' => "openapi: 3.1.0\n${info}paths: {}\nx-n: 1e1000000\n",
	'flow depth 100000' => 'a: ' . '[' x 100_000 . ']' x 100_000,
	'block depth 5000' => join('', map { ' ' x $_ . "a:\n" } 0 .. 4999),
	'JSON depth 100000' => '{"a":' x 100_000 . '1' . '}' x 100_000,
	'wrong types' => "arazzo: 1.0.1\ninfo: []\nsourceDescriptions: x\nworkflows: {}\n",
	'unknown version' => "arazzo: 9.9.9\n${info}sourceDescriptions: []\nworkflows: []\n",
	'a million keys' => "openapi: 3.1.0\n${info}paths: {}\nx-keys:\n" . join('', map { "  k$_: 1\n" } 1 .. 1_000_000));
foreach my $case (sort keys %text)
{
	$table->row(80, $case, "SET statement_timeout = '20s';\n" . loading($text{$case}) . "\nSET statement_timeout = 0;");
}

# 80: what leads in circles
my %cycle = (
	'path item' => "paths: {/x: {\$ref: '#/paths/~1y'}, /y: {\$ref: '#/paths/~1x'}}\n",
	'parameter' => "paths: {/x: {get: {operationId: getX, parameters: [{\$ref: '#/components/parameters/a'}]}}}\ncomponents: {parameters: {a: {\$ref: '#/components/parameters/b'}, b: {\$ref: '#/components/parameters/a'}}}\n",
	'request body' => "paths: {/x: {get: {operationId: getX, requestBody: {\$ref: '#/components/requestBodies/a'}}}}\ncomponents: {requestBodies: {a: {\$ref: '#/components/requestBodies/a'}}}\n",
	'schema' => "paths: {/x: {get: {operationId: getX, responses: {'200': {description: x, content: {application/json: {schema: {\$ref: '#/components/schemas/a'}}}}}}}}\ncomponents: {schemas: {a: {allOf: [{\$ref: '#/components/schemas/a'}]}}}\n");
foreach my $case (sort keys %cycle)
{
	$table->load('https://cycle.test/openapi.yaml', "openapi: 3.1.0\n${info}servers: [{url: 'https://probe.test'}]\n$cycle{$case}");
	$table->row(80, "\$ref of a $case in a circle", limited(loading("arazzo: 1.0.1\n${info}sourceDescriptions: [{name: api, url: 'https://cycle.test/openapi.yaml'}]\n"
		. "workflows: [{workflowId: w, steps: [{stepId: s, operationId: getX}]}]\n") . "\nSET arazzo.validate = error; SELECT arazzo_run('w'); RESET arazzo.validate;"));
}
my %inputs = (
	'itself' => '{$ref: "#"}',
	'all of itself' => '{type: object, allOf: [{$ref: "#"}]}',
	'a tree of itself' => '{type: object, properties: {a: {$ref: "#"}}, anyOf: [{$ref: "#/x"}, {$ref: "#/x"}], x: {anyOf: [{$ref: "#/y"}, {$ref: "#/y"}]}, y: {anyOf: [{$ref: "#/x"}, {$ref: "#/x"}]}}');
foreach my $case (sort keys %inputs)
{
	$table->row(80, "inputs whose schema is $case", limited(loading("${arazzo}- {workflowId: w, inputs: $inputs{$case}, steps: [{stepId: s, " . sprintf($step, 'fine') . "}]}\n")
		. "\nSELECT arazzo_run('w', '{\"a\": {\"a\": {}}}');"));
}

# 42: patterns and paths that explode
my %criterion = (
	'nested repetition' => [ 'text', 'regex', '^(a+)+$' ],
	'alternatives of the same' => [ 'text', 'regex', '^(a|a|aa)+$' ],
	'repetition of repetitions' => [ 'text', 'regex', '^(((a{1,200}){1,200}){1,200}){1,200}$' ],
	'nested brackets' => [ 'text', 'regex', '(' x 20000 . 'a' . ')' x 20000 ],
	'descendants of descendants' => [ 'tree', 'jsonpath', '$..*..*..*..*..*..*' ],
	'every filter of every filter' => [ 'tree', 'jsonpath', '$..[?@..[?@..[?@..[?@ == 2]]]]' ],
	'path of a million segments' => [ 'tree', 'jsonpath', '$' . '[0]' x 1_000_000 ],
	'nested filters' => [ 'tree', 'jsonpath', '$' . '[?@' x 20000 . ']' x 20000 ],
	'descendants in the depth' => [ 'deep', 'jsonpath', '$..[5]' ]);
foreach my $case (sort keys %criterion)
{
	my ($place, $type, $condition) = @{ $criterion{$case} };

	$table->row(42, $case, limited(loading("${arazzo}- {workflowId: w, steps: [{stepId: s, " . sprintf($step, $place)
		. ", successCriteria: [{context: \$response.body, type: $type, condition: '$condition'}]}]}\n") . "\nSELECT arazzo_run('w');"));
}
# A pattern that ends by the statement's limit, and without one by its own; there
# are none of the kind in JSONPath (RFC 9485).
my $slow = '^(.*)(.*)(.*)\\1\\2\\3!$';
my %slow = (
	'criterion' => "successCriteria: [{context: \$response.body, type: regex, condition: '$slow'}]",
	'jsonpath' => "successCriteria: [{context: \$response.body, type: jsonpath, condition: '\$[?match(@, \"$slow\")]'}]" =~ s/\\(?=\d)/\\\\/gr,
	'schema' => 'outputs: {text: $response.body}');
foreach my $case (sort keys %slow)
{
	my $workflows = "${arazzo}- workflowId: w\n  steps:\n  - {stepId: s, " . sprintf($step, $case eq 'jsonpath' ? 'list' : 'text') . ", $slow{$case}}\n"
	  . ($case eq 'schema' ? "  - {stepId: t, workflowId: v, parameters: [{name: text, value: \$steps.s.outputs.text}]}\n- workflowId: v\n  inputs: {type: object, properties: {text: {type: string, pattern: '$slow'}}}\n"
		. "  steps: [{stepId: s, " . sprintf($step, 'fine') . "}]\n" : '');

	$table->row(42, "back-references in a $case, with a limit", loading($workflows) . "\nSET statement_timeout = '500ms'; SELECT arazzo_run('w'); SET statement_timeout = 0;") if $case ne 'jsonpath';
	$table->row(42, "back-references in a $case", loading($workflows) . "\nSELECT arazzo_run('w');");
}
$table->row(42, 'condition of 20000 brackets', limited(loading("${arazzo}- {workflowId: w, steps: [{stepId: s, " . sprintf($step, 'fine')
	. ", successCriteria: [{condition: '" . '(' x 20000 . '1 == 1' . ')' x 20000 . "'}]}]}\n") . "\nSELECT arazzo_run('w');"));

# 71: workflows that do not end
my $go = 'onSuccess: [{name: go, type: goto, stepId: a}]';
$table->row(71, 'goto that leads back', limited(loading("${arazzo}- {workflowId: w, steps: [{stepId: a, " . sprintf($step, 'fine') . ", $go}]}\n") . "\nSET arazzo.max_steps = 20; SELECT arazzo_run('w'); RESET arazzo.max_steps;"));
$table->row(71, 'retry without end', limited(loading("${arazzo}- {workflowId: w, steps: [{stepId: a, " . sprintf($step, 'fine')
	. ", successCriteria: [{condition: 1 == 2}], onFailure: [{name: r, type: retry, retryAfter: 0, retryLimit: 999999999}]}]}\n") . "\nSET arazzo.max_steps = 20; SELECT arazzo_run('w'); RESET arazzo.max_steps;"));
$table->row(71, 'workflow that calls itself', limited(loading("${arazzo}- {workflowId: w, steps: [{stepId: a, workflowId: w}]}\n") . "\nSELECT arazzo_run('w');"));
$table->row(71, 'goto between workflows', limited(loading("${arazzo}- {workflowId: w, steps: [{stepId: a, " . sprintf($step, 'fine') . ", onSuccess: [{name: g, type: goto, workflowId: v}]}]}\n"
	. "- {workflowId: v, steps: [{stepId: a, " . sprintf($step, 'fine') . ", onSuccess: [{name: g, type: goto, workflowId: w}]}]}\n") . "\nSET arazzo.max_steps = 20; SELECT arazzo_run('w'); RESET arazzo.max_steps;"));
$table->row(71, 'a million steps', limited(loading("${arazzo}- workflowId: w\n  steps:\n" . join('', map { "  - {stepId: s$_, operationId: g}\n" } 1 .. 1_000_000))));

# What was loaded last is no use to anybody.
$table->node->safe_psql('postgres', q{SELECT arazzo_unload('https://probe.test/hostile.yaml') FROM arazzo_documents WHERE uri = 'https://probe.test/hostile.yaml'});
$table->finish;

__DATA__

80 | 10 MB in one word | limit or error, with its place, never a crash | WF001 document "https://probe.test/hostile.yaml" must be an object, not string; 0 sent
80 | 1e1000000 | limit or error, with its place, never a crash | 54000 document "https://probe.test/hostile.yaml" cannot be read: number is out of range | Line 4, column 6. | Quote the value if it is meant to be a string.; 0 sent
80 | 40 MB | limit or error, with its place, never a crash | 54000 document "https://probe.test/hostile.yaml" cannot be read: document is larger than 32768 kB | Line 1, column 1. | The limit is set by arazzo.max_document_size.; 0 sent
80 | JSON depth 100000 | limit or error, with its place, never a crash | 54000 document "https://probe.test/hostile.yaml" cannot be read: document is nested more than 200 levels deep | Line 1, column 1001. | The limit is set by arazzo.max_document_depth.; 0 sent
80 | a list | limit or error, with its place, never a crash | WF001 document "https://probe.test/hostile.yaml" must be an object, not array; 0 sent
80 | a million keys | limit or error, with its place, never a crash | ; 0 sent
80 | a number | limit or error, with its place, never a crash | WF001 document "https://probe.test/hostile.yaml" must be an object, not number; 0 sent
80 | alias bomb | limit or error, with its place, never a crash | 54000 document "https://probe.test/hostile.yaml" cannot be read: aliases make the document larger than 5000000 nodes | Line 7, column 29. | The limit is set by arazzo.max_document_nodes.; 0 sent
80 | alias of itself | limit or error, with its place, never a crash | 22P02 document "https://probe.test/hostile.yaml" cannot be read: alias "a" stands within the node that it repeats | Line 1, column 8.; 0 sent
80 | block depth 5000 | limit or error, with its place, never a crash | 54000 document "https://probe.test/hostile.yaml" cannot be read: document is nested more than 200 levels deep | Line 201, column 201. | The limit is set by arazzo.max_document_depth.; 0 sent
80 | byte order mark alone | limit or error, with its place, never a crash | 22P02 document "https://probe.test/hostile.yaml" cannot be read: text holds no document | Line 1, column 1.; 0 sent
80 | control character | limit or error, with its place, never a crash | 22P02 document "https://probe.test/hostile.yaml" cannot be read: invalid YAML: character U+0001 is not allowed | Line 1, column 11.; 0 sent
80 | flow depth 100000 | limit or error, with its place, never a crash | 54000 document "https://probe.test/hostile.yaml" cannot be read: document is nested more than 200 levels deep | Line 1, column 203. | The limit is set by arazzo.max_document_depth.; 0 sent
80 | merge of itself | limit or error, with its place, never a crash | 22P02 document "https://probe.test/hostile.yaml" cannot be read: alias "a" stands within the node that it repeats | Line 2, column 7.; 0 sent
80 | not UTF-8 | limit or error, with its place, never a crash | 22021 invalid byte sequence for encoding "UTF8": 0xff; 0 sent
80 | nothing | limit or error, with its place, never a crash | 22P02 document "https://probe.test/hostile.yaml" cannot be read: text holds no document | Line 1, column 1.; 0 sent
80 | tab for a blank | limit or error, with its place, never a crash | 22P02 document "https://probe.test/hostile.yaml" cannot be read: invalid YAML: found character that cannot start any token | Line 3, column 1. | YAML is indented with spaces, never with tabs.; 0 sent
80 | the same key twice | limit or error, with its place, never a crash | 22P02 document "https://probe.test/hostile.yaml" cannot be read: duplicate key "openapi" | Line 2, column 1.; 0 sent
80 | unclosed bracket | limit or error, with its place, never a crash | 22P02 document "https://probe.test/hostile.yaml" cannot be read: invalid YAML: did not find expected ',' or ']' | Line 2, column 1. The error occurred while parsing a flow sequence that begins at line 1, column 10.; 0 sent
80 | unclosed quote | limit or error, with its place, never a crash | 22P02 document "https://probe.test/hostile.yaml" cannot be read: invalid YAML: found unexpected end of stream | Line 2, column 1. The error occurred while scanning a quoted scalar that begins at line 1, column 10.; 0 sent
80 | unknown version | limit or error, with its place, never a crash | WF001 document "https://probe.test/hostile.yaml" is not a valid Arazzo document: version "9.9.9" of Arazzo is not supported | Line 1, column 9: version "9.9.9" of Arazzo is not supported.; 0 sent
80 | wrong types | limit or error, with its place, never a crash | WF001 document "https://probe.test/hostile.yaml" is not a valid Arazzo document: Info Object must be an object, not array | Line 2, column 7: Info Object must be an object, not array.; 0 sent
80 | $ref of a parameter in a circle | limit or error, with its place, never a crash | WF002 workflow "w" cannot be run: references in document "https://cycle.test/openapi.yaml" form a cycle; 0 sent
80 | $ref of a path item in a circle | limit or error, with its place, never a crash | WF002 workflow "w" cannot be run: operation "getX" does not exist; 0 sent
80 | $ref of a request body in a circle | limit or error, with its place, never a crash | WF002 workflow "w" cannot be run: references in document "https://cycle.test/openapi.yaml" form a cycle; 0 sent
80 | $ref of a schema in a circle | limit or error, with its place, never a crash | WF005 response body of step "s" does not fit its description | schema refers to itself without end.; 1 sent
80 | inputs whose schema is a tree of itself | limit or error, with its place, never a crash | WF002 workflow "w" cannot be run: reference "#/x" leads nowhere | The problem is at "/anyOf/0" of the schema.; 0 sent
80 | inputs whose schema is all of itself | limit or error, with its place, never a crash | {}; 1 sent
80 | inputs whose schema is itself | limit or error, with its place, never a crash | {}; 1 sent
42 | alternatives of the same | bounded, or ended by the statement | WF004 step "s" failed with status 200 | Criterion "^(a|a|aa)+$" does not hold. The server says: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa...
42 | descendants in the depth | bounded, or ended by the statement | WF004 step "s" failed with status 200 | Criterion "$..[5]" does not hold. The server says: [[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[...
42 | descendants of descendants | bounded, or ended by the statement | {}; 1 sent
42 | every filter of every filter | bounded, or ended by the statement | WF004 step "s" failed with status 200 | Criterion "$..[?@..[?@..[?@..[?@ == 2]]]]" does not hold. The server says: [[[[[[[[1,1,1],[1,1,1],[1,1,1]],[[1,1,1],[1,1,1],[1,1,1]],[[1,1,1],[1,1,1],[1,1,1]]],[[[1,1,1],[1,1,1],[1,1,1]],[[1,1,1],[1,1,1],[1,1,1]],[[1,1,1],[1,1,1],[1,1,1]]],[[[1,1,1],[1,1,1],[1...
42 | nested brackets | bounded, or ended by the statement | 54001 stack depth limit exceeded; 1 sent
42 | nested filters | bounded, or ended by the statement | WF003 workflow "w" cannot be run: invalid JSONPath query "$[?@[?@[?@[?@[?@[?@[?@[?@[?@[?@[?@[?@[?@[?@[?@[?@[?@[?@[?@[?@[?@[?@[?@[?@[?@[?@[?@[?@[?@[?@[?@[?@[?@[?@[?@[?@[?@[?@[?@[?@[?@[?@[?@[?@[?@[?@[?@[?@[?@[?@[?@[?@[?@[?@[?@[?@[?@[?@[?@[?@[?@[?@[?@[?@[?@[?@[...": nesting is too deep at offset 1503; ...
42 | nested repetition | bounded, or ended by the statement | WF004 step "s" failed with status 200 | Criterion "^(a+)+$" does not hold. The server says: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa...
42 | path of a million segments | bounded, or ended by the statement | WF004 step "s" failed with status 200 | Criterion "$[0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0...
42 | repetition of repetitions | bounded, or ended by the statement | WF003 workflow "w" cannot be run: invalid regular expression: regular expression is too complex; 0 sent
42 | condition of 20000 brackets | bounded, or ended by the statement | 54000 workflow "w" cannot be run: condition is nested more than 200 levels deep; 0 sent
42 | back-references in a criterion, with a limit | bounded, or ended by the statement | 57014 canceling statement due to statement timeout; 1 sent
42 | back-references in a criterion | bounded, or ended by the statement | WF004 step "s" failed with status 200 | Criterion "^(.*)(.*)(.*)\1\2\3!$" does not hold. The server says: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa...
42 | back-references in a jsonpath | bounded, or ended by the statement | WF004 step "s" failed with status 200 | Criterion "$[?match(@, "^(.*)(.*)(.*)\\1\\2\\3!$")]" does not hold. The server says: ["aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa...
42 | back-references in a schema, with a limit | bounded, or ended by the statement | 57014 canceling statement due to statement timeout; 1 sent
42 | back-references in a schema | bounded, or ended by the statement | 54000 regular expression takes too long | The limit is 5 s.; 1 sent
71 | goto that leads back | bounded by arazzo.max_steps and the like | WF006 run made more than 20 step visits | A goto or a retry may never end; otherwise raise arazzo.max_steps.; 20 sent
71 | retry without end | bounded by arazzo.max_steps and the like | WF006 run made more than 20 step visits | A goto or a retry may never end; otherwise raise arazzo.max_steps.; 20 sent
71 | workflow that calls itself | bounded by arazzo.max_steps and the like | WF006 workflows are nested deeper than arazzo.max_depth (32); 0 sent
71 | goto between workflows | bounded by arazzo.max_steps and the like | WF006 run made more than 20 step visits | A goto or a retry may never end; otherwise raise arazzo.max_steps.; 20 sent
71 | a million steps | bounded by arazzo.max_steps and the like | 54000 document "https://probe.test/hostile.yaml" cannot be read: document is larger than 32768 kB | Line 1, column 1. | The limit is set by arazzo.max_document_size.; 0 sent
