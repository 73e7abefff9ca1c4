# What happens around queued runs: their documents, credentials and roles go,
# the database refuses to write, the clock is set back, descriptors run out, a
# run ends its worker each time. Counted at the sandbox's ledger.
use strict;
use warnings;

use Billing;
use Clock;
use PostgreSQL::Test::Utils;
use Test::More;

my $clock = Clock->new;
my $billing;
{
	# a clock that can be set; and few descriptors
	local $ENV{LD_PRELOAD} = $clock->preload;

	$billing = Billing->new(workers => 1, config => ['arazzo.concurrency = 128', 'max_files_per_process = 80']);
}
my $node = $billing->node;
my $sandbox = $billing->sandbox;

sub sql { return $billing->sql($_[0]); }
sub poll { ok($node->poll_query_until('postgres', $_[0]), $_[1]); return; }

# more calls than there are descriptors for
$sandbox->fault(path => '/ingest', fault => 'slow', ms => 300, count => 150);
$billing->submit_many('many', 150);
$billing->work;
is($billing->faults(150, over => 'succeeded'), '', 'no run fails for want of descriptors');
is(sql("SELECT count(*) FROM arazzo_run_steps WHERE outcome <> 'succeeded'"), '0', 'and no attempt does');
$sandbox->clear_faults;
sql('DELETE FROM arazzo_queue_attempts; DELETE FROM arazzo_queue');

# documents that are unloaded while their run waits
sql('SELECT arazzo_load(' . Arazzo::quote('https://w.example/a.json') . ',' . Arazzo::quote('{"arazzo": "1.0.1", "info": {"title": "w", "version": "1"},
	"sourceDescriptions": [{"name": "a", "url": "amberflo-arazzo:/workflows/openapi/amberflo-billing.yaml"}],
	"workflows": [{"workflowId": "list", "steps": [{"stepId": "s", "operationId": "listCustomers"}]}]}') . ')');
my $text = sql("SELECT source FROM arazzo_documents WHERE uri = 'https://w.example/a.json'");
my $run = sql("SELECT arazzo_submit('list', not_before => now() + interval '1 hour')");
sql("SELECT arazzo_unload('https://w.example/a.json')");
sql("UPDATE arazzo_queue SET due = now() WHERE id = $run");
poll("SELECT status = 'failed' AND sqlstate = '42704' FROM arazzo_runs WHERE run = $run", 'its documents are gone');
sql('SELECT arazzo_load(' . Arazzo::quote('https://w.example/a.json') . ',' . Arazzo::quote($text) . ')');
sql("SELECT arazzo_retry($run)");
poll("SELECT status = 'succeeded' FROM arazzo_runs WHERE run = $run", 'they are back');

# the user mapping
$sandbox->clear_ledger;
sql("DROP USER MAPPING FOR CURRENT_USER SERVER amberflo");
$run = $billing->submit('mapping');
poll("SELECT status = 'failed' AND sqlstate = 'WF008' FROM arazzo_runs WHERE run = $run", 'its credential is gone');
is($billing->ledger('mapping'), 'event 1', 'nothing was sent without');
sql("CREATE USER MAPPING FOR CURRENT_USER SERVER amberflo OPTIONS (api_key 'amberflo-test-key'); SELECT arazzo_retry($run)");
poll("SELECT status = 'succeeded' FROM arazzo_runs WHERE run = $run", 'it is back');
is($billing->ledger('mapping'), 'event 1 order 1', 'what was done is not done again');

# the role: before it is begun, and while an answer is awaited
sub make_role
{
	sql("CREATE ROLE gone; GRANT USAGE ON FOREIGN SERVER events, amberflo TO gone; CREATE USER MAPPING FOR gone SERVER events OPTIONS (api_key 'amberflo-test-key');
		CREATE USER MAPPING FOR gone SERVER amberflo OPTIONS (api_key 'amberflo-test-key')");
	return $billing->submit($_[0], $_[1]);
}
sub drop_role { sql('DROP USER MAPPING FOR gone SERVER events; DROP USER MAPPING FOR gone SERVER amberflo; DROP OWNED BY gone; DROP ROLE gone'); return; }
$run = make_role('before', "not_before => now() + interval '1 hour'");
sql("UPDATE arazzo_queue SET owner = 'gone' WHERE id = $run");
drop_role();
sql("UPDATE arazzo_queue SET due = now() WHERE id = $run");
poll("SELECT status = 'failed' AND sqlstate = '42704' FROM arazzo_queue WHERE id = $run", 'its role is gone');
$sandbox->fault(path => '/ingest', fault => 'hold', count => 1);
$run = make_role('during', "not_before => now() + interval '1 hour'");
sql("UPDATE arazzo_queue SET owner = 'gone', due = now() WHERE id = $run");
my $other = $billing->submit('beside', "not_before => now() + interval '1 hour'");
poll("SELECT status = 'running' FROM arazzo_queue WHERE id = $run", 'a run is under way');
$sandbox->wait_for_requests($sandbox->counts->{count} + 1, 1) unless $billing->ledger('during');
drop_role();
$sandbox->release;
poll("SELECT status = 'failed' FROM arazzo_queue WHERE id = $run", 'its role goes meanwhile');
is($billing->ledger('during'), 'event 1', 'nothing is sent for a role that is gone');
sql("SELECT arazzo_cancel($other); DELETE FROM arazzo_queue_attempts; DELETE FROM arazzo_queue");

# a disk that is full, for the history and for the queue, with answers on their way
sub fill_disk
{
	my ($table, $condition) = @_;

	sql("CREATE OR REPLACE FUNCTION full_disk() RETURNS boolean LANGUAGE plpgsql AS \$\$ BEGIN
		RAISE SQLSTATE '53100' USING MESSAGE = 'could not extend file'; END \$\$;
		ALTER TABLE $table ADD CONSTRAINT full_disk CHECK ($condition OR full_disk()) NOT VALID");
	return;
}
foreach my $table ([ 'arazzo_queue_attempts', 'false' ], [ 'arazzo_queue', "status = 'queued'" ])
{
	my $offset = -s $node->logfile;

	$sandbox->clear_ledger;
	$sandbox->fault(path => '/payments*', fault => 'hold', contains => '"held-', count => 3);
	$billing->submit_many('held', 3);
	ok($sandbox->wait_for_requests(6), 'orders are on their way');
	fill_disk(@$table);
	$billing->submit_many('next', 3);
	$sandbox->release;
	ok($node->wait_for_log(qr/could not work on the table of queued runs: could not extend file/, $offset), "$table->[0]: the disk is full");
	sql("ALTER TABLE $table->[0] DROP CONSTRAINT full_disk");
	poll("SELECT count(*) = 6 FROM arazzo_runs WHERE status = 'succeeded'", 'and has room again');
	is($billing->faults(6, over => 'succeeded'), '', 'nothing lost, nothing twice, nothing in doubt');
	is(join(' ', map { $_->{event} } values %{ $billing->seen }), '1 1 1 1 1 1', 'no event was repeated');
	sql('DELETE FROM arazzo_queue_attempts; DELETE FROM arazzo_queue');
}

# a worker that is told to end in the middle of a batch lets answers come
foreach my $function (qw(pg_cancel_backend pg_terminate_backend))
{
	$sandbox->clear_ledger;
	$sandbox->fault(path => '/payments*', fault => 'slow', ms => 200, count => 20);
	$billing->submit_many($function, 60);
	ok($sandbox->wait_for_requests(20), 'a batch is on its way');
	sql("SELECT $function(" . $billing->pid . ')');
	poll("SELECT count(*) = 60 FROM arazzo_runs WHERE status = 'succeeded'", "$function: all go through");
	is($billing->faults(60, over => 'succeeded'), '', 'nothing lost, nothing twice, nothing in doubt');
	sql('DELETE FROM arazzo_queue_attempts; DELETE FROM arazzo_queue');
}

# a claim that was taken away: what comes late is noted and changes nothing
$sandbox->clear_ledger;
$sandbox->fault(path => '/ingest', fault => 'hold', count => 1);
$run = $billing->submit('late');
$sandbox->wait_for_requests(1);
sql("UPDATE arazzo_queue SET claim = NULL, status = 'waiting', due = now() + interval '1 hour' WHERE id = $run");
$sandbox->release;
poll("SELECT count(*) = 1 FROM arazzo_run_steps WHERE run = $run", 'an answer comes late');
is(sql("SELECT status FROM arazzo_runs WHERE run = $run"), 'waiting', 'the run is not its worker\'s any more');
is($billing->ledger('late'), 'event 1', 'and nothing is sent after it');
sql("UPDATE arazzo_queue SET due = now() WHERE id = $run");
$billing->submit('wakes');
poll("SELECT status = 'succeeded' FROM arazzo_runs WHERE run = $run", 'whoever takes it next goes on');
is($billing->ledger('late'), 'event 2 order 1', 'with the same event');

# the clock is set back by a day, while runs wait and while the worker idles
my $waiting = $billing->submit('waiting', "not_before => now() + interval '1 day 2 seconds'");
$clock->shift(86400);
poll("SELECT status = 'succeeded' FROM arazzo_runs WHERE run = $waiting", 'a day later');
$clock->shift(0);
$run = $billing->submit('back');
poll("SELECT status = 'succeeded' FROM arazzo_runs WHERE run = $run", 'the clock is set back: a commit wakes');
my $pid = $billing->pid;
$run = $billing->submit('silent', "not_before => now() + interval '1 s'");
$clock->shift(-86400);
sql("UPDATE arazzo_queue SET due = now() WHERE id = $run");
poll("SELECT status = 'succeeded' FROM arazzo_runs WHERE run = $run", 'and again: what nobody tells of is found');
is($billing->pid, $pid, 'by the same worker');
$clock->shift(0);

# a run that ends its worker each time it is noted
sql('DELETE FROM arazzo_queue_attempts; DELETE FROM arazzo_queue');
$sandbox->clear_ledger;
sql(q{CREATE FUNCTION poison() RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN
	COPY (SELECT 1) TO PROGRAM 'kill -9 $PPID'; RETURN true; END $$;
	ALTER TABLE arazzo_queue_attempts ADD CONSTRAINT poison CHECK (coalesce(request_body NOT LIKE '%"poison-1"%', true) OR poison())});
sql("SELECT count(arazzo_submit('$Billing::WORKFLOW', " . Billing::inputs('c')
	. ")) FROM (VALUES ('good-1'), ('good-2'), ('poison-1'), ('good-3'), ('good-4')) v (c)");
# orders of others that are on their way just then may be in doubt
poll("SELECT count(*) = 0 FROM arazzo_runs WHERE status NOT IN ('succeeded', 'failed', 'in_doubt')", 'a run ends its worker each time');
is(sql("SELECT string_agg(inputs->>'customerId', ' ' ORDER BY run) FROM arazzo_runs WHERE status = 'failed' AND sqlstate = '55000'"), 'poison-1',
	'it is set aside');
# the first may have left no trace
like($billing->ledger('poison-1'), qr/^event [56]$/, 'after five times');
is($billing->faults(5, over => 'succeeded|failed|in_doubt'), '', 'the others go on');
sql('ALTER TABLE arazzo_queue_attempts DROP CONSTRAINT poison');

# no process is left for a worker: that is said, and sessions can do the work
$node->stop('fast');
$node->append_conf('postgresql.conf', 'max_worker_processes = 2');
my $offset = -s $node->logfile;
$node->start;
ok($node->wait_for_log(qr/could not start a worker for the queued runs of database "postgres"\n.*HINT: .* max_worker_processes/, $offset),
	'there are not enough processes');
$run = $billing->submit('by hand');
sql('CALL arazzo_work()');
is($billing->status('by hand'), 'succeeded', 'a session does the work');
$node->stop('fast');
unlike(slurp_file($node->logfile), qr/PANIC|TRAP|signal 11/, 'nothing else crashed');
done_testing();
