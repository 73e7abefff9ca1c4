# The sandbox as any other API: by rules, and by an OpenAPI description.
use strict;
use warnings;

use JSON::PP;
use Sandbox;
use Test::More;

my $sandbox = Sandbox->start();

# "status type body" of one answer.
sub answer
{
	my @request = @_;
	my $answer = $sandbox->call(@request);

	return join ' ', $answer->{status}, $answer->{headers}{'content-type'} // '-', $answer->{content} // '';
}

sub fault_of_last { return $sandbox->ledger->[-1]{fault}; }

# Rules.
$sandbox->mock(<<'JSON');
[
 {"method": "GET", "path": "/pets/{id}", "answers": [
   {"body": {"id": 1.10, "b": null, "a": [12345678901234567890]}},
   {"status": 503, "text": "later", "headers": {"Retry-After": "2"}, "times": 2},
   {"status": 204}]},
 {"path": "/{a}.{b}/x{c}", "answers": [{"text": "parts"}]},
 {"path": "/files/{name+}", "answers": [{"text": "{", "type": "application/json"}]},
 {"method": "POST", "path": "/q", "query": {"a b": "1&2"}, "answers": [{"text": "queried", "type": null}]},
 {"method": "POST", "regex": "^/r[0-9]+$", "answers": [{"text": "regex", "times": 1}]}
]
JSON
is(answer('GET', '/pets/1'), '200 application/json {"id":1.10,"b":null,"a":[12345678901234567890]}', 'a body digit for digit');
is(answer('GET', '/pets/2'), '503 text/plain later', 'the second answer');
my $answer = $sandbox->call('GET', '/pets/2');
is($answer->{headers}{'retry-after'}, '2', 'given twice, with its header');
is(answer('GET', '/pets/2'), '204 - ', 'the last answer');
is(answer('GET', '/pets/2'), '204 - ', 'and ever again');
is(answer('PUT', '/pets/2'), '404 application/json {"message":"no rule matches this request"}', 'another method');
is(fault_of_last(), 'unmatched', 'is noted');
is(answer('GET', '/pets/'), '404 application/json {"message":"no rule matches this request"}', 'a part is never empty');
is(answer('PATCH', '/u.v.w/xyz'), '200 text/plain parts', 'several parts in a segment, any method');
is(answer('GET', '/files/a/b%2Fc'), '200 application/json {', 'a part of several segments; malformed JSON as it is');
is(answer('POST', '/q?a+b=1%262&c=3'), '200 - queried', 'by query, without a type');
is(answer('POST', '/q?a+b=2'), '404 application/json {"message":"no rule matches this request"}', 'another value');
is(answer('POST', '/r17'), '200 text/plain regex', 'a regular expression');
is(answer('POST', '/r17'), '404 application/json {"message":"no rule matches this request"}', 'used up');
is_deeply([ map { $_->{calls} } @{ $sandbox->mock_rules } ], [ 5, 1, 1, 1, 1 ], 'calls are counted');

# Faults and the ledger work as ever.
$sandbox->fault(path => '/pets/9', fault => 'status', status => 500, count => 1);
is($sandbox->call('GET', '/pets/9')->{status}, 500, 'a fault');
is($sandbox->call('GET', '/pets/9')->{status}, 204, 'only once');

# Refused rules.
foreach my $bad ('{}', '[{"path": "/"}]', '[{"answers": [{}]}]', '[{"path": "/", "regex": "x", "answers": [{}]}]',
	'[{"regex": "(", "answers": [{}]}]', '[{"path": "/", "answers": [{"status": "x"}]}]', '[')
{
	is($sandbox->call('POST', '/_sandbox/mock', {}, $bad)->{status}, 400, "refused: $bad");
}

# Answers from a description.
$sandbox->clear_mock;
is($sandbox->call('GET', '/pets/1')->{status}, 404, 'it can be turned off');
is($sandbox->ledger->[-1]{fault}, undef, 'and Amberflo answers again');
my $openapi = JSON::PP->new->decode(<<'JSON');
{"openapi": "3.1.0",
 "paths": {
  "/pets/{id}": {
   "get": {"responses": {"404": {}, "201": {"content": {"text/html": {}, "application/json": {"examples": {"one": {"$ref": "#/components/examples/one"}}}}}, "200": {"$ref": "#/components/responses/pet"}}},
   "delete": {"responses": {"204": {"description": "gone"}}}},
  "/pets/mine": {"get": {"responses": {"2XX": {"headers": {"X-Count": {"schema": {"type": "integer", "minimum": 3}}}, "content": {"text/csv": {"example": "a,b"}}}}}},
  "/made": {"post": {"responses": {"201": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/All"}}}}}}},
  "/made~/x": {"get": {"responses": {"default": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Loop"}}}}}}},
  "/one": {"get": {"responses": {"201": {"content": {"application/json": {"examples": {"one": {"$ref": "#/components/examples/one"}}}}}}}}},
 "components": {
  "examples": {"one": {"value": [1, 2]}},
  "responses": {"pet": {"content": {"application/json": {"schema": {"example": {"id": 7}}}}}},
  "schemas": {
   "Loop": {"type": "object", "required": ["next"], "properties": {"next": {"oneOf": [{"type": "null"}, {"$ref": "#/components/schemas/Loop"}]}}},
   "All": {"allOf": [{"required": ["a", "b"], "properties": {"a": {"type": "string", "minLength": 3}, "b": {"type": ["null", "array"], "minItems": 2, "items": {"enum": ["x", "y"]}}, "no": {"type": "string"}}},
                     {"required": ["c", "d", "e"], "properties": {"c": {"type": "number", "exclusiveMinimum": 4}, "d": {"const": false}, "e": {"type": "string", "format": "date"}}}]}}}}
JSON
$sandbox->mock_openapi($openapi, '/v1');
is(answer('GET', '/v1/pets/1'), '200 application/json {"id":7}', 'the lowest success, by reference, with the example of its schema');
is($sandbox->call('GET', '/v1/pets/mine')->{headers}{'x-count'}, '3', 'a header');
is(answer('GET', '/v1/pets/mine'), '200 text/csv a,b', 'the most literal path; 2XX; an example that is text');
is(answer('GET', '/v1/one'), '201 application/json [1,2]', 'an example by reference');
is(answer('DELETE', '/v1/pets/1'), '204 - ', 'no content');
my $made = $sandbox->call('POST', '/v1/made');
is($made->{status}, 201, 'its status');
is_deeply(JSON::PP->new->canonical->decode($made->{content}),
	{ a => 'aaa', b => [ 'x', 'x' ], c => 5, d => JSON::PP::false, e => '2024-01-01' }, 'a small value that the schema allows');
is(answer('GET', '/v1/made~/x'), '200 application/json {"next":null}', 'a recursive schema ends');
$sandbox->clear_mock;
$sandbox->control('POST', 'mock/openapi', { document => $openapi, full => JSON::PP::true });
is_deeply(JSON::PP->new->decode($sandbox->call('POST', '/made')->{content})->{no}, 'a', 'all properties when asked for');
$sandbox->clear_mock;
$sandbox->mock_openapi($openapi, '/v1');
is($sandbox->call('GET', '/v1/pets/mine/x')->{status}, 404, 'an unknown path');
is($sandbox->call('GET', '/pets/1')->{status}, 404, 'not below the base');
is(fault_of_last(), 'unmatched', 'is noted too');

# Rules go before descriptions; OpenAPI 2.0.
$sandbox->mock([ { path => '/v1/one', answers => [ { text => 'mine' } ] } ]);
is(answer('GET', '/v1/one'), '200 text/plain mine', 'a rule goes first');
$sandbox->mock_openapi({ swagger => '2.0', paths => { '/two' => { get => { responses => {
	200 => { schema => { type => 'object', required => ['n'], properties => { n => { type => 'integer' } } } } } } } } });
is(answer('GET', '/two'), '200 application/json {"n":0}', 'OpenAPI 2.0');
is($sandbox->call('POST', '/_sandbox/mock/openapi', {}, '{"document": {}}')->{status}, 400, 'a description needs paths');
$sandbox->reset;
is($sandbox->call('GET', '/two')->{status}, 404, 'reset turns it off');

done_testing();
