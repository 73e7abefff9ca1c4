# A call in flight ends with the statement: Ctrl-C, statement_timeout,
# termination; the session goes on where it can, and nothing leaks.
use strict;
use warnings;

use Arazzo;
use IPC::Run;
use PostgreSQL::Test::Utils;
use Test::More;

my $arazzo = Arazzo->new(shape => 'published', keys => 1);
my $node = $arazzo->node;
my $sandbox = $arazzo->sandbox;
my $inputs = '{"meterApiName":"m","customerId":"c1","meterValue":1,"meterTimeInMillis":1718153645993,"amount":5}';
my $run = "SELECT arazzo_run('meter-usage-and-topup-prepaid', '$inputs')";

# Starts a session whose call hangs at the sandbox; returns what to wait for.
sub start_hanging
{
	my ($script) = @_;
	my $session = { out => '', error => '' };

	$sandbox->clear_ledger;
	$sandbox->fault(path => '/ingest', fault => 'hold', count => 1);
	$session->{run} = $arazzo->background($script, \$session->{out}, \$session->{error});
	ok($sandbox->wait_for_requests(1), 'a call hangs');
	return $session;
}

my $pid_of = "SELECT %s(pid) FROM pg_stat_activity WHERE query LIKE 'SELECT arazzo_run%%' AND state = 'active'";
my $after = "\\echo :LAST_ERROR_SQLSTATE\n$run;\nSELECT count(*) FROM pg_backend_memory_contexts WHERE name LIKE 'arazzo_run%' OR name = 'arazzo call' OR name = 'arazzo step';\n";

my $session = start_hanging("$run;\n$after");
$node->safe_psql('postgres', sprintf($pid_of, 'pg_cancel_backend'));
$session->{run}->finish;
like($session->{error}, qr/canceling statement due to user request/, 'cancelled');
is($session->{out}, "57014\n{\"orderId\": \"order-1\", \"ingestResult\": \"1 records were ingested\"}\n0\n",
	'SQLSTATE 57014; the next run in the session works, and no memory is left behind');

$session = start_hanging("SET statement_timeout = '1s';\n$run;\nRESET statement_timeout;\n$after");
$session->{run}->finish;
like($session->{error}, qr/canceling statement due to statement timeout/, 'statement_timeout');
like($session->{out}, qr/^57014\n\{"orderId": "order-2"/, 'SQLSTATE 57014; the next run works');

$session = start_hanging("DO \$\$ BEGIN PERFORM arazzo_run('meter-usage-and-topup-prepaid', '$inputs'); EXCEPTION WHEN OTHERS THEN RAISE NOTICE 'swallowed'; END \$\$;\n");
$node->safe_psql('postgres', sprintf($pid_of =~ s/SELECT arazzo_run/DO/r, 'pg_cancel_backend'));
$session->{run}->finish;
unlike($session->{error}, qr/swallowed/, 'WHEN OTHERS does not swallow a cancel');

$session = start_hanging("$run;\n");
$node->safe_psql('postgres', sprintf($pid_of, 'pg_terminate_backend'));
$session->{run}->finish;
like($session->{error}, qr/terminating connection due to administrator command/, 'terminated');
ok($node->poll_query_until('postgres', "SELECT count(*) = 0 FROM pg_stat_activity WHERE query LIKE 'SELECT arazzo_run%' AND state = 'active'"),
	'the backend is gone');

# time limits of the connection and of the step
$sandbox->fault(path => '/ingest', fault => 'hold', count => 1);
my ($out, $error) = $arazzo->query("BEGIN; ALTER SERVER amberflo OPTIONS (ADD timeout '300ms'); $run");
like($error, qr/^ERROR:  08006: /, 'the server option timeout ends a call');
$sandbox->fault(path => '/ingest', fault => 'hold', count => 1);
($out, $error) = $arazzo->query("SET arazzo.timeout = '300ms'; $run");
like($error, qr/^ERROR:  08006: /, 'so does the setting');
($out, $error) = $arazzo->query("ALTER SERVER amberflo OPTIONS (ADD timeout '0')");
like($error, qr/^ERROR:  (HV024|22023|HV00D): /, 'no time limit is no option');

# a retry that waits
$node->safe_psql('postgres', "SELECT arazzo_load('https://w.example/a.yaml', " . Arazzo::quote(<<'YAML') . ')');
arazzo: 1.0.1
info: {title: w, version: '1'}
sourceDescriptions: [{name: api, url: 'amberflo-arazzo:/workflows/openapi/amberflo-billing.yaml'}]
workflows:
- workflowId: patient
  steps:
  - stepId: list
    operationId: listCustomers
    successCriteria: [{condition: $statusCode == 200}]
    onFailure: [{name: again, type: retry, retryAfter: 3600, retryLimit: 3}]
YAML
$sandbox->clear_ledger;
$sandbox->fault(path => '/customers', fault => 'status', status => 503, count => 1);
($out, $error) = $arazzo->query("SET statement_timeout = '1s'; SELECT arazzo_run('patient')");
like($error, qr/^ERROR:  57014: /, 'a wait is interrupted too');
$sandbox->fault(path => '/customers', fault => 'status', status => 503, headers => { 'Retry-After' => '0' }, count => 2);
is($node->safe_psql('postgres', "SELECT array_agg(status) FROM arazzo_trace('patient')"), '{503,503,200,NULL}',
	'Retry-After beats retryAfter');

done_testing();
