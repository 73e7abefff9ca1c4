# The queue in copies of the database: a standby refuses, its promotion works
# on; dump and restore keep the runs and send nothing by themselves.
use strict;
use warnings;

use Arazzo;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $arazzo = Arazzo->new(shape => 'published', keys => 1, config => [ 'wal_level = replica', 'max_wal_senders = 4' ]);
my $node = $arazzo->node;
my $sandbox = $arazzo->sandbox;
my $workflow = 'meter-usage-and-topup-prepaid';
my $inputs = '{"meterApiName":"m","customerId":"c1","meterValue":1,"meterTimeInMillis":1718153645993,"amount":5}';

sub sql { return $node->safe_psql('postgres', $_[0]); }

sql("SELECT arazzo_submit('$workflow', '$inputs', 'run-' || i) FROM generate_series(1, 50) i");
sql('CALL arazzo_work(20)');
sql("UPDATE arazzo_queue SET status = 'running', due = NULL, claim = 1, sending = 'ingestEvent' WHERE key = 'run-30'");
sql("UPDATE arazzo_queue SET status = 'waiting', due = NULL, hold = 'server stripe' WHERE key = 'run-40'");
sql("INSERT INTO arazzo_server_states (server, owner, state) VALUES ('stripe', current_user::regrole, 'paused')");
$sandbox->clear_ledger;

# dump and restore
my $file = PostgreSQL::Test::Utils::tempdir() . '/dump.sql';
$node->command_ok([ 'pg_dump', '-d', $node->connstr('postgres'), '-f', $file ], 'pg_dump');
sql('CREATE DATABASE copy');
$node->command_ok([ 'psql', '-XqAt', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr('copy'), '-f', $file ], 'restore');
my $state = "SELECT q FROM arazzo_queue q ORDER BY id; SELECT a FROM arazzo_queue_attempts a ORDER BY id";
is($node->safe_psql('copy', $state), sql($state), 'the runs and their history are the same');
is($node->safe_psql('copy', 'SELECT server, state, held FROM arazzo_servers'), 'amberflo|ready|0
stripe|paused|1', 'so is what some of them wait for');
is($node->safe_psql('copy', "SELECT arazzo_resume('stripe')"), '1', 'and how it ends');
is(sql("SELECT arazzo_resume('stripe')"), '1', 'in each for itself');
is($sandbox->counts->{count}, 0, 'nothing was sent');
is($node->safe_psql('copy', "SELECT arazzo_submit('$workflow', '$inputs', 'run-7') = (SELECT run FROM arazzo_runs WHERE key = 'run-7')"),
	't', 'a key is still known');
is($node->safe_psql('copy', "SELECT arazzo_submit('$workflow', '$inputs') > (SELECT max(run) FROM arazzo_runs WHERE key IS NOT NULL)"),
	't', 'and numbers go on');
is($node->safe_psql('copy', 'CALL arazzo_work(0); SELECT status FROM arazzo_runs WHERE sending IS NOT NULL'), "0\nin_doubt",
	'what was being sent when it was dumped is in doubt in the copy');

# a standby, and its promotion
$node->backup('base');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($node, 'base', has_streaming => 1);
$standby->start;
$node->wait_for_catchup($standby, 'replay', $node->lsn('insert'));
foreach my $statement ('CALL arazzo_work()', "SELECT arazzo_submit('$workflow', '$inputs')", "CALL arazzo_prune('1 day')")
{
	my ($name) = $statement =~ /(arazzo_\w+)/;
	my ($out, $error) = ('', '');

	$standby->psql('postgres', $statement, stdout => \$out, stderr => \$error);
	like($error, qr/cannot execute $name\(\) during recovery/, "$name on a standby");
}
is($standby->safe_psql('postgres', "SELECT count(*) FROM arazzo_runs WHERE status IN ('queued', 'waiting')"), '29', 'it can be looked at');
$node->stop('immediate');
$standby->promote;
is($standby->safe_psql('postgres', 'CALL arazzo_work()'), '29', 'after promotion the queue is worked off');
is($standby->safe_psql('postgres', 'SELECT status, count(*) FROM arazzo_runs GROUP BY 1 ORDER BY 1'),
	"in_doubt|1\nsucceeded|49", 'all of it, but what is in doubt');
is($sandbox->counts->{count}, 58, 'two calls for each run');

done_testing();
