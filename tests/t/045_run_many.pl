# Many runs at once from one statement: results in order, failures as rows,
# waits without cost, the limits of servers, cancels that leave nothing, and
# memory that depends on how many runs go on at a time.
use strict;
use warnings;

use Arazzo;
use HttpRoom ();
use IPC::Run;
use PostgreSQL::Test::Utils;
use Test::More;

my $arazzo = Arazzo->new(shape => 'published', keys => 1);
my $node = $arazzo->node;
my $sandbox = $arazzo->sandbox;
my $rooms = $ENV{ARAZZO_ROOMS} // "$Arazzo::TOP/tests/module/arazzo_rooms.so";
$rooms =~ s/\.so$//;

# The same function over the rooms' library, where a test can look behind it.
$node->safe_psql('postgres', <<"SQL");
CREATE FUNCTION many(workflow text, inputs jsonb[], concurrency integer = 16, OUT ordinal integer, OUT outputs jsonb, OUT error jsonb)
	RETURNS SETOF record AS '$rooms', 'arazzo_run_many' LANGUAGE C;
CREATE FUNCTION test_clock(on_or_off boolean) RETURNS text AS '$rooms', 'test_clock' LANGUAGE C STRICT;
CREATE FUNCTION test_http_counts() RETURNS text AS '$rooms', 'test_http_counts' LANGUAGE C;
CREATE FUNCTION events(n integer) RETURNS jsonb[] LANGUAGE sql AS \$\$
	SELECT coalesce(array_agg(jsonb_build_object('meterApiName', 'm', 'customerId', 'c1', 'meterValue', i,
		'meterTimeInMillis', 1718153645993, 'uniqueId', 'e-' || i, 'amount', i) ORDER BY i), '{}') FROM generate_series(1, n) i \$\$;
SQL
$node->safe_psql('postgres', "SELECT arazzo_load('https://many.example/a.yaml', " . Arazzo::quote(<<'YAML') . ')');
arazzo: 1.0.1
info: {title: m, version: '1'}
sourceDescriptions: [{name: api, url: 'amberflo-arazzo:/workflows/openapi/amberflo-billing.yaml'}]
workflows:
- workflowId: customers
  inputs: {type: object, properties: {n: {type: integer}}}
  steps:
  - stepId: list
    operationId: listCustomers
    successCriteria: [{condition: $statusCode == 200}]
    onFailure: [{name: again, type: retry, retryAfter: 3600, retryLimit: 2, criteria: [{condition: $statusCode == 503}]}]
  outputs: {n: $inputs.n}
YAML

sub numbers
{
	my ($count) = @_;
	return "(SELECT array_agg(jsonb_build_object('n', i) ORDER BY i) FROM generate_series(1, $count) i)";
}

my $topup = 'meter-usage-and-topup-prepaid';
my $ordered = 'count(*), bool_and(ordinal = (outputs->>\'n\')::int), count(error)';

foreach my $concurrency (1, 2, 16, 64, 128)
{
	is($node->safe_psql('postgres',
			"SELECT $ordered, array_agg(ordinal) = array_agg(ordinal ORDER BY ordinal) FROM arazzo_run_many('customers', "
			  . numbers(200) . ", $concurrency)"),
		'200|t|0|t', "200 runs, $concurrency at a time, in order");
}
is($node->safe_psql('postgres', "SELECT count(*) FROM arazzo_run_many('customers', '{}')"), '0', 'no inputs, no rows');
my %connections = map { $_->{connection} => 1 } @{ $sandbox->ledger };
cmp_ok(scalar(keys %connections), '<=', 1 + 2 + 16 + 64 + 128, 'connections are used again');

# One that fails, one that is late, one without inputs: each is its own row.
$sandbox->fault(path => '/ingest', fault => 'status', status => 422, contains => '"e-3"', body => 'no: amberflo-test-key');
$sandbox->fault(path => '/ingest', fault => 'slow', ms => 300, contains => '"e-1"');
$sandbox->fault(path => '/payments-pricing-amberflo-customer-prepaid', fault => 'reset_after', contains => '"amount":5');
my ($out, $error) = $arazzo->query("SELECT ordinal, outputs->>'ingestResult', error->>'sqlstate' FROM arazzo_run_many('$topup', array_append(events(6), NULL)) ORDER BY 1");
is("$out$error", join("\n", '1|1 records were ingested|', '2|1 records were ingested|', '3||WF004', '4|1 records were ingested|',
		'5||08006', '6|1 records were ingested|', '7||22004'), 'failures are rows');
$sandbox->fault(path => '/ingest', fault => 'status', status => 422, body => 'no: amberflo-test-key');
my $row = $arazzo->json("SELECT error FROM arazzo_run_many('$topup', events(1))");
is_deeply([ sort keys %$row ], [qw(detail hint message sqlstate)], 'what an error says');
like($row->{detail}, qr/status 422/, 'where');
unlike(join('', map { $_ // '' } values %$row), qr/amberflo-test-key/, 'and no secret');
like($row->{detail}, qr/no: \*+/, 'in the words of the server');

# Who may not call.
$node->safe_psql('postgres', "CREATE ROLE other; GRANT EXECUTE ON FUNCTION arazzo_run_many TO other");
is($node->safe_psql('postgres', "SET ROLE other; SELECT ordinal, outputs IS NULL, error->>'sqlstate' FROM arazzo_run_many('customers', '{\"{}\",\"{}\"}')"),
	"1|t|42501\n2|t|42501", 'connections are looked up as the current role');
($out, $error) = $arazzo->query("CREATE ROLE third; SET ROLE third; SELECT * FROM arazzo_run_many('customers', '{}')");
like($error, qr/^ERROR:  42501: permission denied for function arazzo_run_many/, 'nobody may call it unasked');

# Retries: 8 of 20 runs wait an hour, all at once, and nothing is done meanwhile.
$sandbox->clear_ledger;
$sandbox->fault(path => '/customers', fault => 'status', status => 503, count => 8);
is($node->safe_psql('postgres', "SELECT test_clock(true); SELECT $ordered FROM many('customers', " . numbers(20) . ', 20); SELECT test_clock(false)'),
	"0.000 s in 0 waits\n20|t|0\n3600.000 s in 60 waits", 'runs that wait for a retry sleep together, a minute at a time');
is(scalar(@{ $sandbox->ledger }), 28, 'each of the eight was repeated once');

# Limits of the server.
$node->safe_psql('postgres', "ALTER SERVER amberflo OPTIONS (ADD max_rate '2')");
is($node->safe_psql('postgres', "SELECT test_clock(true); SELECT $ordered FROM many('customers', " . numbers(10) . ', 8); SELECT test_clock(false)'),
	"0.000 s in 0 waits\n10|t|0\n4.500 s in 9 waits", 'max_rate: ten calls, two a second');
$node->safe_psql('postgres', "ALTER SERVER amberflo OPTIONS (DROP max_rate, ADD max_concurrency '3')");
$sandbox->clear_ledger;
$sandbox->fault(path => '/customers', fault => 'hold', count => 12);
my $session = $arazzo->background("SELECT $ordered FROM arazzo_run_many('customers', " . numbers(12) . ', 8);', \$out, \$error);
($out, $error) = ('', '');
foreach my $round (1 .. 4)
{
	ok($sandbox->wait_for_requests(3 * $round), 'three more calls are there');
	is($sandbox->release, 3, 'and no other');
}
$session->finish;
is("$out$error", "12|t|0\n", 'all came through');
%connections = map { $_->{connection} => 1 } @{ $sandbox->ledger };
cmp_ok(scalar(keys %connections), '<=', 3, 'over three connections');
$node->safe_psql('postgres', 'ALTER SERVER amberflo OPTIONS (DROP max_concurrency)');

# A cancel ends all of them.
$sandbox->clear_ledger;
$sandbox->fault(path => '/customers', fault => 'hold', count => 16, skip => 4);
$session = $arazzo->background(<<"SQL", \$out, \$error);
SELECT count(*) FROM many('customers', @{[numbers(1000)]}, 16);
\\echo :LAST_ERROR_SQLSTATE
SELECT split_part(test_http_counts(), ',', 1);
SELECT count(*) FROM pg_backend_memory_contexts WHERE name LIKE 'arazzo_run%' OR name IN ('arazzo run', 'arazzo call', 'arazzo step');
SELECT $ordered FROM many('customers', @{[numbers(50)]}, 16);
SELECT split_part(test_http_counts(), ',', 1);
SQL
($out, $error) = ('', '');
ok($sandbox->wait_for_requests(20), 'sixteen calls hang');
$node->safe_psql('postgres', "SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE query LIKE 'SELECT count(*) FROM many%' AND state = 'active'");
$session->finish;
like($error, qr/canceling statement due to user request/, 'cancelled');
is($out, "57014\n0 in flight\n0\n50|t|0\n0 in flight\n", 'nothing is left, and the session goes on');

# An error that something else in the statement throws, caught: nothing leaks.
is($node->safe_psql('postgres', <<"SQL"), "0 in flight\n0", 'an abandoned statement leaves nothing');
DO \$\$ BEGIN PERFORM 1 / (ordinal - 40) FROM many('customers', @{[numbers(50)]}); EXCEPTION WHEN division_by_zero THEN END \$\$;
SELECT split_part(test_http_counts(), ',', 1);
SELECT count(*) FROM pg_backend_memory_contexts WHERE name LIKE 'arazzo_run%' OR name IN ('arazzo run', 'arazzo call', 'arazzo step');
SQL

# Memory: the peak of a session after 2,000 runs and after 20,000 more.
my $peak = "SELECT (regexp_match(pg_read_file('/proc/self/status'), 'VmHWM:\\s+(\\d+) kB'))[1];";
my $run = "SELECT count(outputs) FROM arazzo_run_many('customers', array_fill('{\"n\": 1}'::jsonb, ARRAY[%d]), 32);";
my @lines = split /\n/, $node->safe_psql('postgres', "SET work_mem = '64kB'; " . sprintf($run, 2000) . $peak . sprintf($run, 20000) . $peak);
is_deeply([ @lines[ 0, 2 ] ], [ 2000, 20000 ], 'all of many runs came through');
SKIP:
{
	skip 'the address sanitizer keeps memory that was freed', 1 if ($ENV{SANITIZE} // '') eq 'address';
	cmp_ok($lines[3] - $lines[1], '<', 4096, 'memory does not grow with the number of runs');
}

done_testing();
