# What is refused before anything is sent, and what a server's answer makes of
# a run: SQLSTATE, words, and what the sandbox has seen.
use strict;
use warnings;

use Arazzo;
use Test::More;

my $arazzo = Arazzo->new(shape => 'published', keys => 1);
my $node = $arazzo->node;
my $inputs = Arazzo::quote('{"meterApiName":"m","customerId":"c1","meterValue":1,"meterTimeInMillis":1718153645993,"amount":5}');
my $run = "SELECT arazzo_run('meter-usage-and-topup-prepaid', $inputs)";

# The statement fails with an error like this, after so many requests.
sub refused
{
	my ($sql, $pattern, $requests, $what) = @_;
	my ($out, $error);

	$arazzo->sandbox->clear_ledger;
	($out, $error) = $arazzo->query($sql);
	like($error, $pattern, $what);
	is($arazzo->sandbox->counts->{count}, $requests, "$what: $requests requests");
	return $error;
}

# connections
$node->safe_psql('postgres', 'CREATE ROLE app LOGIN; GRANT EXECUTE ON FUNCTION arazzo_run(text, jsonb) TO app');
refused("SET ROLE app; $run",
	qr/^ERROR:  42501: permission denied for foreign server amberflo\nDETAIL:  .*POST https:\/\/app\.amberflo\.io\/ingest/,
	0, 'no USAGE');
$node->safe_psql('postgres', 'GRANT USAGE ON FOREIGN SERVER amberflo TO app');
refused("SET ROLE app; $run",
	qr/^ERROR:  WF008: there is no user mapping for server "amberflo"\nDETAIL:  .*The API takes an api_key\.\nHINT:  Use CREATE USER MAPPING/,
	0, 'no user mapping');
$node->safe_psql('postgres', "CREATE USER MAPPING FOR app SERVER amberflo OPTIONS (token 'x')");
refused("SET ROLE app; $run",
	qr/^ERROR:  WF008: user mapping for server "amberflo" has no credential that the API takes\n/,
	0, 'the wrong kind of credential');
$node->safe_psql('postgres', "ALTER USER MAPPING FOR app SERVER amberflo OPTIONS (ADD api_key 'wrong-key')");
refused("SET ROLE app; $run",
	qr/^ERROR:  WF004: step "ingestEvent" failed with status 401\nDETAIL:  .*status 401\. Criterion "\$statusCode == 200" does not hold\..*\nHINT:  The credential may be wrong, or lack a right\. It comes from the user mapping, unless an input gives it\.$/,
	1, 'a wrong key');
$node->safe_psql('postgres', "ALTER USER MAPPING FOR app SERVER amberflo OPTIONS (SET api_key 'amberflo-test-key')");
is(($arazzo->query("SET ROLE app; $run"))[1], '', 'the right key, in a new session');
refused("BEGIN; DROP SERVER amberflo CASCADE; $run",
	qr/ERROR:  42501: there is no server for "https:\/\/app\.amberflo\.io"\n.*HINT:  .*CREATE SERVER name FOREIGN DATA WRAPPER arazzo/s,
	0, 'no server');

# a server that is not there: the port was free a moment ago
my $gone = Sandbox->start(shape => 'published');
my $port = $gone->port;
$gone->stop;
refused("BEGIN; ALTER SERVER amberflo OPTIONS (SET url 'http://127.0.0.1:$port'); $run",
	qr/^ERROR:  08001: could not connect to "127\.0\.0\.1:$port"/m, 0, 'nobody listens');

# what a document or an input could smuggle in
my $openapi = <<'YAML';
openapi: 3.1.0
info: {title: probe, version: '1'}
servers: [{url: https://app.amberflo.io/base}]
paths:
  /things/{id}:
    get:
      operationId: getThing
      parameters:
      - {name: id, in: path, required: true, schema: {type: string}}
      - {name: X-Note, in: header, schema: {type: string}}
      responses: {'200': {description: ok}}
YAML
my $document = <<'YAML';
arazzo: 1.0.1
info: {title: probe, version: '1'}
sourceDescriptions: [{name: api, url: openapi.yaml}]
workflows:
- workflowId: probe
  inputs: {type: object, properties: {id: {type: string}, note: {type: string}}}
  steps:
  - stepId: get
    operationId: getThing
    parameters:
    - {name: id, in: path, value: $inputs.id}
    - {name: X-Note, in: header, value: $inputs.note}
    successCriteria: [{condition: $statusCode < 500}]
  outputs: {url: done}
YAML
$node->safe_psql('postgres', 'SELECT arazzo_load(' . Arazzo::quote('https://probe.example/openapi.yaml') . ', ' . Arazzo::quote($openapi) . ')');
$node->safe_psql('postgres', 'SELECT arazzo_load(' . Arazzo::quote('https://probe.example/arazzo.yaml') . ', ' . Arazzo::quote($document) . ')');
foreach my $case (
	[ '../../admin', '..%2F..%2Fadmin' ],
	[ 'a/b?c=d#e', 'a%2Fb%3Fc%3Dd%23e' ],
	[ '%2f%2e', '%252f%252e' ],
	[ 'x@evil.example', 'x%40evil.example' ],
	[ 'a b&c', 'a%20b%26c' ])
{
	my ($id, $wire) = @$case;

	$arazzo->sandbox->clear_ledger;
	$arazzo->query("SELECT arazzo_run('probe', jsonb_build_object('id', " . Arazzo::quote($id) . '))');
	is($arazzo->sandbox->ledger->[0]{target}, "/base/things/$wire", "path parameter $id stays in its segment");
}
foreach my $id ('..', '.', '')
{
	refused("SELECT arazzo_run('probe', jsonb_build_object('id', '$id'))", qr/^ERROR:  22023: /, 0, "path parameter \"$id\"");
}
refused(q{SELECT arazzo_run('probe', jsonb_build_object('id', 'x', 'note', E'a\r\nX-Evil: 1'))},
	qr/^ERROR:  22023: /, 0, 'a header value with CR and LF');
refused(q{SELECT arazzo_run('probe', '{}')},
	qr/^ERROR:  WF003: required parameter "id" has no value\n/, 0, 'a required parameter without a value');

# answers
$arazzo->sandbox->fault(path => '/ingest', fault => 'status', status => 400, body => '{"errorMessage": "Invalid request: no"}', count => 1);
refused($run, qr/^ERROR:  WF004: .*\nDETAIL:  .*The server says: Invalid request: no/, 1, 'a 400 with a message');
$arazzo->sandbox->fault(path => '/ingest', fault => 'oversized', bytes => 3_000_000, count => 1);
refused("BEGIN; ALTER SERVER amberflo OPTIONS (ADD max_response_bytes '1MB'); $run",
	qr/^ERROR:  54000: /m, 1, 'an answer over the size limit');
foreach my $fault ('reset_after', 'truncated')
{
	$arazzo->sandbox->fault(path => '/payments-pricing-amberflo-customer-prepaid', fault => $fault, count => 1);
	refused($run, qr/^ERROR:  08006: .*\nDETAIL:  .*\nHINT:  The server may have received the call\./,
		2, "an answer that is lost ($fault)");
}
$arazzo->sandbox->fault(path => '/ingest', fault => 'not_json', count => 1);
is(($arazzo->query($run))[1], '', 'malformed JSON is text and no error by itself');
$arazzo->sandbox->fault(path => '/ingest', fault => 'status', status => 307,
	headers => { Location => 'http://127.0.0.1:1/' }, count => 1);
refused($run, qr/^ERROR:  WF004: step "ingestEvent" failed with status 307\n/, 1, 'a redirect is an answer, not an order');
is($arazzo->sandbox->counts->{count}, 1, 'and was not followed');

# a rolled-back transaction does not unsend: that is what the README says
$arazzo->sandbox->reset;
$arazzo->query("BEGIN; $run; ROLLBACK");
is($arazzo->sandbox->counts->{count}, 2, 'arazzo_run sends at once, whatever becomes of the transaction');

done_testing();
