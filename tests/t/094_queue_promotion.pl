# A standby with workers and a long queue does nothing; once it is promoted,
# its workers do all of it, and what the primary was about is decided as after
# a crash.
use strict;
use warnings;

use Billing;
use PostgreSQL::Test::Cluster;
use Test::More;

my $runs = 10_000;
my $billing = Billing->new(config => [ 'wal_level = replica', 'max_wal_senders = 4', 'log_statement = none',
	"shared_preload_libraries = 'amberflo_arazzo'", 'arazzo.concurrency = 32' ]);
my $primary = $billing->node;
my $sandbox = $billing->sandbox;
my $standby = PostgreSQL::Test::Cluster->new('standby');

$primary->backup('base');
$standby->init_from_backup($primary, 'base', has_streaming => 1);
$standby->append_conf('postgresql.conf', "arazzo.databases = 'postgres'\narazzo.workers = 2");
$standby->start;
$sandbox->fault(path => '/payments*', fault => 'hold', count => 3);
$billing->submit_many('early', 3);
my $session = $billing->start_session;
ok($sandbox->wait_for_requests(6), 'the primary has sent orders, and has no answers');
$billing->submit_many('c', $runs);
$primary->wait_for_catchup($standby, 'replay', $primary->lsn('insert'));
is($standby->safe_psql('postgres', "SELECT count(*) FROM pg_stat_activity WHERE backend_type LIKE 'arazzo%'"), '0',
	'no worker runs on a standby');
is($sandbox->counts->{count}, 6, 'and nothing is sent from there');
$primary->stop('immediate');
$session->finish;
$sandbox->release;
$standby->promote;
$billing->{node} = $standby;
ok($standby->poll_query_until('postgres', "SELECT count(*) = 0 FROM arazzo_queue WHERE status IN ('queued', 'running', 'waiting')"),
	'after promotion all of it is done');
is($billing->faults($runs + 3), '', 'nothing lost, nothing twice');
is($billing->sql("SELECT string_agg(inputs->>'customerId', ' ' ORDER BY run) FROM arazzo_runs WHERE status = 'in_doubt'"),
	'early-1 early-2 early-3', 'in doubt is what the primary had sent');
is($sandbox->counts->{count}, 2 * $runs + 6, 'two calls for each run');
$standby->stop('fast');
done_testing();
