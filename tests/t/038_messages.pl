# Messages of AsyncAPI steps: NOTIFY reaches who listens when the transaction
# commits and not before, HTTP is a request with a connection, what a database
# cannot do is refused by name before anything is sent.
use strict;
use warnings;

use Arazzo;
use Test::More;

my $arazzo = Arazzo->new(shape => 'published', keys => 1);
my $node = $arazzo->node;
my $long = 'x' x 8000;

my $async = <<'YAML';
asyncapi: 3.0.0
info: {title: messages, version: '1'}
defaultContentType: application/json
servers:
  db: {host: localhost, protocol: postgresql}
  elsewhere: {host: localhost, pathname: /nowhere, protocol: postgresql}
  hooks: {host: app.amberflo.io, protocol: https, security: [{type: httpApiKey, in: header, name: X-API-KEY}]}
  bus: {host: kafka.example, protocol: kafka}
channels:
  orders: {address: 'orders_{region}', servers: [{$ref: '#/servers/db'}]}
  far: {address: far, servers: [{$ref: '#/servers/elsewhere'}]}
  hook: {address: hook, servers: [{$ref: '#/servers/hooks'}]}
  log: {address: log, servers: [{$ref: '#/servers/bus'}]}
operations:
  order: {action: send, channel: {$ref: '#/channels/orders'}}
  wait: {action: receive, channel: {$ref: '#/channels/orders'}}
  far: {action: send, channel: {$ref: '#/channels/far'}}
  hook: {action: send, channel: {$ref: '#/channels/hook'}}
  hooked: {action: receive, channel: {$ref: '#/channels/hook'}}
  log: {action: send, channel: {$ref: '#/channels/log'}}
YAML
my $document = <<'YAML';
arazzo: 1.1.0
info: {title: messages, version: '1'}
sourceDescriptions: [{name: async, url: async.yaml, type: asyncapi}]
workflows:
- workflowId: order
  inputs: {type: object, properties: {region: {type: string}}}
  steps:
  - stepId: order
    operationId: order
    action: send
    parameters: [{name: region, in: path, value: $inputs.region}]
    requestBody: {payload: {id: $inputs.id, zeta: 1, alpha: 1.50}}
- workflowId: order-with-headers
  steps:
  - stepId: order
    operationId: order
    action: send
    parameters: [{name: region, in: path, value: eu}, {name: requestId, in: header, value: r-1}]
    requestBody: {payload: {id: 7}}
- workflowId: text-with-headers
  steps:
  - stepId: order
    operationId: order
    action: send
    parameters: [{name: region, in: path, value: eu}, {name: n, in: header, value: 1}]
    requestBody: {contentType: text/plain, payload: 'say "{$sourceDescriptions.async.name}"'}
- workflowId: listen
  steps:
  - {stepId: wait, operationId: wait, action: receive, timeout: 1000, parameters: [{name: region, in: path, value: eu}]}
- workflowId: far
  steps: [{stepId: far, operationId: far, action: send, requestBody: {payload: {}}}]
- workflowId: hook
  steps: [{stepId: hook, operationId: hook, action: send, requestBody: {payload: {id: 7}}, successCriteria: [{condition: $statusCode == 404}]}]
- workflowId: hooked
  steps: [{stepId: hooked, operationId: hooked, action: receive, timeout: 1000}]
- workflowId: log
  steps: [{stepId: log, operationId: log, action: send, requestBody: {payload: {}}}]
YAML
$node->safe_psql('postgres', "SELECT arazzo_load('https://messages.example/async.yaml', " . Arazzo::quote($async) . ')');
$node->safe_psql('postgres', "SELECT arazzo_load('https://messages.example/arazzo.yaml', " . Arazzo::quote($document) . ')');

# The notifications a session gets, without the process that sent them.
sub notified
{
	my ($sql) = @_;
	my ($out, $error) = $arazzo->query("LISTEN orders_eu; $sql; SELECT 'end'");

	is($error, '', "no error in: $sql");
	$out =~ s/ received from server process with PID \d+\.//g;
	return [ split /\n/, $out ];
}

my $run = q{SELECT arazzo_run('order', '{"region": "eu", "id": 5}')};
my $notification = 'Asynchronous notification "orders_eu" with payload "{"id":5,"zeta":1,"alpha":1.50}"';

is_deeply(notified($run), [ '{}', $notification, 'end' ], 'a message is published');
is_deeply(notified("BEGIN;\n$run;\nSELECT 'before';\nCOMMIT"),
	[ '{}', 'before', $notification, 'end' ], 'when the transaction commits, not before');
is_deeply(notified("BEGIN;\n$run;\nROLLBACK"), [ '{}', 'end' ], 'and not at all when it rolls back');
is_deeply(notified("SELECT arazzo_run('order-with-headers')"),
	[ '{}', 'Asynchronous notification "orders_eu" with payload "{"headers":{"requestId":"r-1"},"payload":{"id":7}}"', 'end' ],
	'headers make it an object of headers and payload');

is_deeply(notified("SELECT arazzo_run('text-with-headers')"),
	[ '{}', 'Asynchronous notification "orders_eu" with payload "{"headers":{"n":"1"},"payload":"say \"async\""}"', 'end' ],
	'a text is a string there');

# what NOTIFY refuses, is refused as a step, which an action could deal with
like(($arazzo->query("SELECT arazzo_run('order', jsonb_build_object('region', 'eu', 'id', '$long'))"))[1],
	qr/^ERROR:  54000: message of \d+ bytes is too long for NOTIFY\nDETAIL:  .*step "order".*\nHINT:  /, 'too long a message');
like(($arazzo->query("SELECT arazzo_run('order', jsonb_build_object('region', repeat('x', 60)))"))[1],
	qr/^ERROR:  22023: name of channel "orders_x+" is too long/, 'too long a name');
like(($arazzo->query("SELECT arazzo_run('far')"))[1],
	qr/^ERROR:  0A000: channel "far" is in database "nowhere", not in this one/, 'another database');
like(($arazzo->query("SELECT arazzo_run('listen')"))[1],
	qr/^ERROR:  42501: there is no server for "postgresql:\/\/localhost"\nDETAIL:  .*\nHINT:  An administrator can allow it/,
	'receiving without a server');
like(($arazzo->query("SELECT arazzo_run('hooked')"))[1],
	qr/^ERROR:  0A000: step "hooked" cannot receive messages over https/, 'receiving over HTTP');
like(($arazzo->query("SELECT arazzo_run('log')"))[1],
	qr/^ERROR:  0A000: messages over protocol "kafka" are not supported/, 'another protocol');

# HTTP: a request like any other, with the connection and its credential
$arazzo->sandbox->clear_ledger;
$node->safe_psql('postgres', "SELECT arazzo_run('hook')");
is_deeply($arazzo->seen, ['POST /hook application/json {"id":7}'], 'a message over HTTP');
ok((grep { lc $_->[0] eq 'x-api-key' } @{ $arazzo->sandbox->ledger->[0]{headers} }), 'with the credential');

# seen beforehand and afterwards
my ($explained) = $arazzo->query("SELECT arazzo_explain('order', '{\"region\": \"eu\"}')");
like($explained, qr/NOTIFY orders_eu\n.*\{"zeta":1,"alpha":1\.50\}/, 'explained');
like(($arazzo->query("SELECT arazzo_explain('listen')"))[0],
	qr/LISTEN orders_eu\n\s+cannot be received: there is no server/, 'explained what cannot be done');
is($node->safe_psql('postgres',
		q{SELECT method, url, request_body, outcome FROM arazzo_trace('order', '{"region": "eu", "id": 1}') WHERE step IS NOT NULL}),
	'NOTIFY|orders_eu|{"id":1,"zeta":1,"alpha":1.50}|succeeded', 'traced');
is($node->safe_psql('postgres', q{SELECT problem FROM arazzo_workflows WHERE problem IS NOT NULL AND document = 'https://messages.example/arazzo.yaml'}),
	'', 'every workflow can be planned');

done_testing();
