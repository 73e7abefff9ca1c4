# Background workers work the queue off by themselves: woken by commits, of
# any kind, started again when they end, changed by a reload; an idle one
# writes nothing.
use strict;
use warnings;

use Arazzo;
use PostgreSQL::Test::Utils;
use Test::More;

my $arazzo = Arazzo->new(shape => 'published', keys => 1,
	config => ["shared_preload_libraries = 'amberflo_arazzo'", "arazzo.databases = 'postgres, none'",
		'max_prepared_transactions = 2', 'log_min_messages = log', 'restart_after_crash = on']);
my $node = $arazzo->node;
my $sandbox = $arazzo->sandbox;

sub sql { return $node->safe_psql('postgres', $_[0]); }

sub submission
{
	my ($customer, $key) = @_;

	return sprintf q{arazzo_submit('meter-usage-and-topup-prepaid', jsonb_build_object('meterApiName', 'm',
		'customerId', '%s', 'meterValue', 1, 'meterTimeInMillis', 1718153645993, 'amount', 5), '%s')}, $customer, $key // $customer;
}

sub is_over
{
	my ($key, $status, $what) = @_;

	ok($node->poll_query_until('postgres', "SELECT status = '$status' FROM arazzo_runs WHERE key = '$key'"), $what);
}

sub workers { return sql(q{SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'arazzo worker'}); }

ok($node->poll_query_until('postgres', q{SELECT count(*) = 1 FROM pg_stat_activity WHERE backend_type = 'arazzo worker' AND datname = 'postgres'}),
	'there is a worker');
sql('SELECT ' . submission('c1'));
is_over('c1', 'succeeded', 'a commit wakes it');
is($sandbox->counts->{count}, 2, 'with two calls');

sql("BEGIN; SELECT " . submission('never') . "; ROLLBACK; BEGIN; SAVEPOINT s; SELECT " . submission('never') .
	"; ROLLBACK TO s; SELECT " . submission('c2') . "; COMMIT");
is_over('c2', 'succeeded', 'what was rolled back is not there, the rest is');
is(sql("SELECT count(*) FROM arazzo_runs WHERE key = 'never'"), '0', 'and never was');

sql("BEGIN; SELECT " . submission('c3') . "; PREPARE TRANSACTION 'p'");
sql('SELECT ' . submission('c4'));
is_over('c4', 'succeeded', 'a prepared transaction is in nobody\'s way');
is(sql("SELECT count(*) FROM arazzo_runs WHERE key = 'c3'"), '0', 'and its run is not to be seen');
sql("COMMIT PREPARED 'p'");
is_over('c3', 'succeeded', 'until it is committed');

# a worker that was killed, terminated, cancelled
foreach my $end (['kill -9', sub { kill 'KILL', $_[0] }],
	['pg_terminate_backend', sub { sql("SELECT pg_terminate_backend($_[0])") }],
	['pg_cancel_backend', sub { sql("SELECT pg_cancel_backend($_[0])") }])
{
	my ($name, $action) = @$end;
	my $pid = sql(q{SELECT pid FROM pg_stat_activity WHERE backend_type = 'arazzo worker'});

	$action->($pid);
	$node->poll_query_until('postgres', 'SELECT true');
	ok($node->poll_query_until('postgres', qq{SELECT count(*) = 1 FROM pg_stat_activity WHERE backend_type = 'arazzo worker' AND pid <> $pid}),
		"after $name there is another");
	sql('SELECT ' . submission("after $name"));
	is_over("after $name", 'succeeded', 'which works');
}

# reload
$node->append_conf('postgresql.conf', 'arazzo.workers = 3');
$node->reload;
ok($node->poll_query_until('postgres', q{SELECT count(*) = 3 FROM pg_stat_activity WHERE backend_type = 'arazzo worker'}),
	'a reload makes them three');
sql('SELECT ' . submission("w$_")) foreach 1 .. 9;
is_over("w$_", 'succeeded', "run $_ of several workers") foreach 1 .. 9;
is(sql("SELECT count(*) FROM (SELECT run FROM arazzo_run_steps GROUP BY run HAVING count(*) <> 2) x"), '0', 'each run was run once');
$node->append_conf('postgresql.conf', 'arazzo.workers = 1');
$node->reload;
ok($node->poll_query_until('postgres', q{SELECT count(*) = 1 FROM pg_stat_activity WHERE backend_type = 'arazzo worker'}),
	'and a reload makes them one');

# ends while it waits for a slow server
$sandbox->fault(path => '/payments*', fault => 'hold', count => 1);
sql('SELECT ' . submission('slow'));
$sandbox->wait_for_requests($sandbox->counts->{count} + 1, 5) if sql("SELECT status FROM arazzo_runs WHERE key = 'slow'") ne 'running';
ok($node->poll_query_until('postgres', "SELECT sending = 'topUpPrepaid' FROM arazzo_runs WHERE key = 'slow'"), 'a call is on its way');
is(sql(q{SELECT xact_start IS NULL AND backend_xid IS NULL AND backend_xmin IS NULL FROM pg_stat_activity WHERE backend_type = 'arazzo worker'}), 't',
	'and no transaction is open meanwhile');
sql('CREATE DATABASE another');
sql('DROP DATABASE another');
pass('another database can be dropped meanwhile');
$node->stop('fast');
$node->start;
is_over('slow', 'in_doubt', 'a call whose answer did not come before the server was stopped is in doubt');

# an idle worker writes no WAL
sql('CHECKPOINT');
my $lsn = sql('SELECT pg_current_wal_insert_lsn()');
ok($node->poll_query_until('postgres', q{SELECT clock_timestamp() > pg_postmaster_start_time() + '6 s'}), 'it has looked more than once');
is(sql("SELECT pg_current_wal_insert_lsn() - '$lsn'::pg_lsn < 1000"), 't', 'and has written nothing');

unlike(slurp_file($node->logfile), qr/PANIC|TRAP|segfault/, 'nothing crashed by itself');
$node->stop('fast');
done_testing();
