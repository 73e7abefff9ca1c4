# Messages that a run waits for come over a connection of its own: by
# correlation id, in the order of arrival, none missed that a request leads
# to, until the step's time is over. The connection is that of a server and a
# user mapping, needs a password, TLS and an address that may be reached, and
# ends with the run.
use strict;
use warnings;

use Arazzo;
use IO::Socket::INET;
use PostgreSQL::Test::Utils;
use Test::More;
use TlsServer;
use Time::HiRes qw(time);

my $arazzo = Arazzo->new(shape => 'published', keys => 1, config => [ "listen_addresses = '127.0.0.1'" ]);
my $node = $arazzo->node;
my $socket = $node->host =~ s{/}{%2F}gr . ':' . $node->port;
my $tcp = '127.0.0.1:' . $node->port;
my $certificates = TlsServer::new_directory();

TlsServer::authority($certificates, $_) foreach 'ours', 'theirs';
TlsServer::certificate($certificates, 'server', 'ours', 'IP:127.0.0.1');
TlsServer::certificate($certificates, $_->[0], $_->[1], 'DNS:client') foreach [ 'certified', 'ours' ], [ 'another', 'ours' ], [ 'foreign', 'theirs' ];
$node->append_conf('postgresql.conf', "ssl_cert_file = '$certificates/server.pem'\nssl_key_file = '$certificates/server.key'\nssl_ca_file = '$certificates/ours.pem'\nssl = on");
my $hba = $node->data_dir . '/pg_hba.conf';
my $rules = slurp_file($hba);
open(my $file, '>', $hba) or die $!;
print $file "local all listener scram-sha-256\nhost all listener 127.0.0.1/32 scram-sha-256\nhostssl all certified 127.0.0.1/32 scram-sha-256 clientcert=verify-full\nlocal all trusted trust\n$rules";
close $file;
$node->restart;

my $async = <<'YAML';
asyncapi: 3.0.0
info: {title: answers, version: '1'}
servers: {db: {host: db.example, pathname: /postgres, protocol: postgresql}}
channels:
  done: {address: 'Done {region}', messages: {m: {correlationId: {location: $message.header#/requestId}}}}
operations: {done: {action: receive, channel: {$ref: '#/channels/done'}}}
YAML
my $document = <<'YAML';
arazzo: 1.1.0
info: {title: answers, version: '1'}
sourceDescriptions:
- {name: api, url: 'arazzo:openapi/amberflo-metering.yaml'}
- {name: async, url: async.yaml, type: asyncapi}
workflows:
- workflowId: wait
  inputs: {type: object, properties: {id: {type: string}}}
  steps: &wait
  - stepId: wait
    operationId: $sourceDescriptions.async.done
    action: receive
    correlationId: $inputs.id
    timeout: 60000
    parameters: [{name: region, in: path, value: eu}]
    successCriteria: [{condition: $message.payload#/ok == true}]
    outputs: {n: $message.payload.n, id: $message.header.requestId}
  outputs: {n: $steps.wait.outputs.n, id: $steps.wait.outputs.id}
- workflowId: any
  steps: &any
  - {stepId: any, operationId: $sourceDescriptions.async.done, action: receive, timeout: 60000, parameters: [{name: region, in: path, value: eu}], outputs: {text: $message.payload}}
  - {stepId: next, operationId: $sourceDescriptions.async.done, action: receive, timeout: 60000, parameters: [{name: region, in: path, value: eu}], outputs: {text: $message.payload}}
  outputs: {first: $steps.any.outputs.text, second: $steps.next.outputs.text}
- workflowId: late
  steps:
  - {stepId: late, operationId: $sourceDescriptions.async.done, action: receive, timeout: 300, parameters: [{name: region, in: path, value: eu}], onFailure: [{name: again, type: retry, retryLimit: 1}]}
YAML
my $call = <<'YAML';
- workflowId: call
  steps:
  - {stepId: call, operationPath: '{$sourceDescriptions.api.url}#/paths/~1hook/post', outputs: {s: $statusCode}}
  - {stepId: other, operationPath: '{$sourceDescriptions.api.url}#/paths/~1hook/post'}
  - {stepId: answer, operationId: $sourceDescriptions.async.done, action: receive, timeout: 60000, correlationId: '7', dependsOn: [call], parameters: [{name: region, in: path, value: eu}], outputs: {p: $message.payload}}
  outputs: {answer: $steps.answer.outputs.p}
YAML
my $openapi = <<'YAML';
openapi: 3.1.0
info: {title: hook, version: '1'}
servers: [{url: 'https://app.amberflo.io'}]
paths: {/hook: {post: {responses: {'200': {description: ok}}}}}
YAML
$document =~ s{arazzo:openapi/amberflo-metering.yaml}{openapi.yaml};

sub sql { return $node->safe_psql('postgres', $_[0]); }

sql("SELECT arazzo_load('https://m.example/async.yaml', " . Arazzo::quote($async) . ')');
sql("SELECT arazzo_load('https://m.example/openapi.yaml', " . Arazzo::quote($openapi) . ')');
sql("SELECT arazzo_load('https://m.example/arazzo.yaml', " . Arazzo::quote("$document$call") . ')');
sql(<<"SQL");
CREATE ROLE listener LOGIN PASSWORD 'correct horse';
CREATE ROLE certified LOGIN PASSWORD 'correct horse';
CREATE ROLE trusted LOGIN;
CREATE SERVER db FOREIGN DATA WRAPPER arazzo OPTIONS (api 'postgresql://db.example', url 'postgresql://$socket');
CREATE USER MAPPING FOR CURRENT_USER SERVER db OPTIONS (user 'listener', password 'correct horse');
SQL
$arazzo->sandbox->mock([ { path => '/hook', answers => [ { status => 200, body => '{}' } ] } ]);

my $listening = "SELECT count(*) = 1 FROM pg_stat_activity WHERE application_name = 'amberflo_arazzo' AND query = 'LISTEN \"Done eu\"' AND state = 'idle'";

# Starts a statement and returns once it listens.
sub start
{
	my ($sql) = @_;
	my %session = (out => '', error => '');

	$session{run} = $arazzo->background("\\set VERBOSITY verbose\n$sql;\n", \$session{out}, \$session{error});
	ok($node->poll_query_until('postgres', $listening), "listens: $sql");
	return \%session;
}

# Its output, and that its connection is closed.
sub finish
{
	my ($session) = @_;

	$session->{run}->finish;
	ok($node->poll_query_until('postgres', "SELECT count(*) = 0 FROM pg_stat_activity WHERE application_name = 'amberflo_arazzo'"),
		'and does not any more');
	return $session->{out} . $session->{error};
}

sub notify { sql(join ';', map { "SELECT pg_notify('Done eu', '$_')" } @_); return; }

# by correlation id, whatever else comes
my $session = start(q{SELECT arazzo_run('wait', '{"id": "r-1"}')});
notify('text', '{"headers":{"requestId":"r-2"},"payload":{"ok":true}}', '{"requestId":"r-1"}');
notify('{"headers":{"requestid":"r-1"},"payload":{"ok":true,"n":12345678901234567890.10}}');
is(finish($session), qq({"n": 12345678901234567890.10, "id": "r-1"}\n), 'the message of the correlation id is received');

# what else a message can be, in the order of arrival
$session = start(q{SELECT arazzo_run('any')});
notify('not json', '["second"]');
is(finish($session), qq({"first": "not json", "second": ["second"]}\n), 'texts and JSON, in their order');

# an answer that comes while the call still goes on
$arazzo->sandbox->fault(path => '/hook', fault => 'hold', count => 1);
$session = start(q{SELECT arazzo_run('call')});
ok($arazzo->sandbox->wait_for_requests(1), 'the call hangs');
notify('{"headers":{"requestId":7},"payload":"early"}');
$arazzo->sandbox->release;
is(finish($session), qq({"answer": "early"}\n), 'a message that comes before its step is not missed');

# criteria, time limits, retries
$session = start(q{SELECT arazzo_run('wait', '{"id": "r-1"}')});
notify('{"headers":{"requestId":"r-1"},"payload":{"ok":false,"message":"out of stock"}}');
like(finish($session), qr/ERROR:  WF004: step "wait" failed\nDETAIL:  .*The server says: out of stock/, 'criteria decide');
is(sql(q{SELECT string_agg(concat_ws(' ', step, attempt, method, url, outcome, action, message), E'\n' ORDER BY ordinal) FROM arazzo_trace('late') WHERE step IS NOT NULL}),
	"late 1 LISTEN Done eu failed again step \"late\" received no message in 300 ms\n"
	  . 'late 2 LISTEN Done eu failed step "late" received no message in 300 ms', 'time limits, and retries');
like(($arazzo->query(q{SET arazzo.timeout = '200ms'; SELECT arazzo_run('late')}))[1],
	qr/^ERROR:  WF004: step "late" received no message in 300 ms\nDETAIL:  .*\nHINT:  What a run sends by NOTIFY goes out when its transaction commits/,
	'the hint tells of transactions');

# the end of the statement, and of the connection
$session = start(q{SET statement_timeout = '1s'; SELECT arazzo_run('any')});
like(finish($session), qr/57014: canceling statement due to statement timeout/, 'statement_timeout');
$session = start(q{SELECT arazzo_run('any')});
sql("SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE query LIKE 'SELECT arazzo_run%' AND state = 'active'");
like(finish($session), qr/57014: canceling statement due to user request/, 'cancelled');
$session = start(q{SELECT arazzo_run('any')});
notify('first');
sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'amberflo_arazzo'");
like(finish($session), qr/ERROR:  08006: connection to ".*" was lost\nDETAIL:  .*step "next"/, 'a lost connection is no silence');

# many runs, one connection
$session = start(q{SELECT ordinal, outputs FROM arazzo_run_many('wait', ARRAY['{"id": "a"}', '{"id": "b"}', '{"id": "c"}']::jsonb[])});
notify(map { qq({"headers":{"requestId":"$_"},"payload":{"ok":true,"n":"$_"}}) } qw(c a b));
is(finish($session), join('', map { "$_->[0]|{\"n\": \"$_->[1]\", \"id\": \"$_->[1]\"}\n" } [ 1, 'a' ], [ 2, 'b' ], [ 3, 'c' ]),
	'many runs share a connection');

is(sql("SELECT servers FROM arazzo_workflows WHERE workflow_id = 'call'"),
	'{https://app.amberflo.io,postgresql://db.example/postgres}', 'the servers it needs are listed');

# what is asked for beforehand: nothing is sent when it is missing
$arazzo->sandbox->clear_ledger;

sub refused
{
	my ($setup, $pattern, $name) = @_;

	like(($arazzo->query("BEGIN; $setup; SELECT arazzo_run('call')"))[1], $pattern, $name);
}

my $mute = IO::Socket::INET->new(Listen => 5, LocalAddr => '127.0.0.1') or die "could not listen: $!";
my $options = 'ALTER USER MAPPING FOR CURRENT_USER SERVER db OPTIONS';
my $move = 'ALTER SERVER db OPTIONS (SET url';

refused('DROP SERVER db CASCADE', qr/^.*ERROR:  42501: there is no server for "postgresql:\/\/db.example"/s, 'a server');
refused('CREATE ROLE nobody_else; GRANT EXECUTE ON FUNCTION arazzo_run(text, jsonb) TO nobody_else; GRANT USAGE ON FOREIGN SERVER amberflo TO nobody_else; SET ROLE nobody_else',
	qr/^ERROR:  42501: permission denied for foreign server db/, 'the right to use it');
refused("$options (DROP password)", qr/^ERROR:  WF008: user mapping for server "db" has no user and password/, 'a password');
refused("$options (SET password 'wrong')", qr/^ERROR:  08001: could not connect to ".*"\nDETAIL:  .*password authentication failed for user "listener"/, 'the right one');
refused("$options (SET user 'trusted')", qr/^ERROR:  42501: ".*" did not ask for a password/, 'a server that asks for it');
refused("$move 'postgresql://127.0.0.1:1')", qr/^ERROR:  08001: could not connect to "127.0.0.1:1"/, 'a server that is there');
refused("$move 'postgresql://127.0.0.1:" . $mute->sockport . "', ADD connect_timeout '200ms')",
	qr/^ERROR:  08001: could not connect to ".*" in time\nDETAIL:  .*The limit is 200 ms\.\nHINT:  The server option connect_timeout/, 'one that answers');
refused("$move 'postgresql://10.1.2.3')", qr/^ERROR:  42501: address of "10.1.2.3:5432" is not allowed\nDETAIL:  .*10.1.2.3 is a private address/, 'a public address');
refused("$move 'postgresql://no-such-host.invalid')", qr/^ERROR:  08001: could not resolve the host of "no-such-host.invalid:5432"/, 'a name that resolves');
is(scalar @{ $arazzo->seen }, 0, 'and nothing was sent before');

# over TCP: without TLS on this machine only; with a ca_file it is verified
sub over_tcp
{
	my ($setup) = @_;

	return ($arazzo->query("BEGIN; $move 'postgresql://$tcp'$setup); SET arazzo.timeout = '100ms'; SELECT arazzo_run('late')"))[1];
}

like(over_tcp(''), qr/^ERROR:  WF004: step "late" received no message/, 'over TCP');
like(over_tcp(", ADD ca_file '$certificates/ours.pem'"), qr/^ERROR:  WF004: step "late" received no message/, 'with a certificate of the authority');
like(over_tcp(", ADD ca_file '$certificates/theirs.pem'"), qr/^ERROR:  08001: .*\nDETAIL:  .*certificate verify failed/, 'not with that of another one');

# a client certificate, which the server may ask for besides the password
sub certified
{
	my ($certificate, $key) = @_;
	my $add = join '', map { ", ADD client_$_->[0] " . Arazzo::quote(slurp_file("$certificates/$_->[1]")) } $certificate ? [ cert => "$certificate.pem" ] : (),
	  $key ? [ key => "$key.key" ] : ();

	return over_tcp(", ADD ca_file '$certificates/ours.pem'); $options (SET user 'certified'$add");
}

like(certified('certified', 'certified'), qr/^ERROR:  WF004: step "late" received no message/, 'a client certificate');
like(certified(), qr/^ERROR:  08001: .*\nDETAIL:  .*connection requires a valid client certificate/, 'none');
like(certified('another', 'another'), qr/^ERROR:  08001: .*\nDETAIL:  .*authentication failed for user "certified"/, 'that of another user');
like(certified('foreign', 'foreign'), qr/^ERROR:  08001: .*\nDETAIL:  .*unknown ca/, 'that of another authority');
like(certified('certified', 'another'), qr/^ERROR:  08001: .*\nDETAIL:  .*key values mismatch/, 'the key of another');
unlike(join("\n", map { certified(@$_) } [ 'certified', 'another' ], [ 'certified' ]), qr/PRIVATE KEY-/, 'no key is shown');

# options that a database has no use for
sub option
{
	my ($text) = @_;

	return ($arazzo->query("CREATE SERVER o FOREIGN DATA WRAPPER arazzo OPTIONS ($text)"))[1];
}

like(option(q{api 'postgresql://x.example', proxy 'http://localhost:1'}), qr/^ERROR:  HV00D: option "proxy" does not apply to a database/, 'proxy');
like(option(q{api 'postgresql://x.example', crl_file '/etc/crl.pem'}), qr/^ERROR:  HV00D: option "crl_file" does not apply to a database/,
	'a list of revoked certificates, which libpq would do without when it cannot read it');
like(option(q{api 'postgresql://x.example', url 'https://x.example'}), qr/^ERROR:  HV024: invalid value for option "url"/, 'another kind of url');
like(option(q{api 'postgresql://u:secret@x.example'}), qr/^ERROR:  HV024: invalid value for option "api"\nDETAIL:  The value has user information/, 'a password in the address');
unlike(slurp_file($node->logfile), qr/correct horse(?!')/, 'no password in the log');

done_testing();
