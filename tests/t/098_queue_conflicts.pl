# What the worker writes meets what others do: a deadlock that it is the victim
# of, locks that last too long, and databases whose sessions are serializable,
# read-only or impatient. It is written later; nothing is sent again for it.
# Counted at the sandbox's ledger.
use strict;
use warnings;

use Billing;
use HttpRoom ();
use PostgreSQL::Test::Utils;
use Test::More;

my $billing = Billing->new(workers => 1);
my $node = $billing->node;
my $sandbox = $billing->sandbox;

sub sql { return $billing->sql($_[0]); }
sub poll { ok($node->poll_query_until('postgres', $_[0]), $_[1]); return; }

# Refuses writes, or has one stop at each row until the number of the run is
# nobody's lock: by conditions of the table, which are looked at before a row
# is written.
sql(<<'SQL');
CREATE FUNCTION refuse() RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN RAISE SQLSTATE '53100' USING MESSAGE = 'no writing now'; END $$;
CREATE FUNCTION stop(run bigint) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_advisory_xact_lock(run); RETURN true; END $$;
SQL
sub refuse { sql("ALTER TABLE arazzo_queue ADD CONSTRAINT hindrance CHECK (status = 'queued' OR refuse()) NOT VALID"); return; }
sub stop_at { sql("ALTER TABLE arazzo_queue DROP CONSTRAINT IF EXISTS hindrance, ADD CONSTRAINT hindrance CHECK (NOT ($_[0]) OR stop(id)) NOT VALID"); return; }
sub go_on { sql('ALTER TABLE arazzo_queue DROP CONSTRAINT hindrance; DELETE FROM arazzo_queue_attempts; DELETE FROM arazzo_queue'); return; }

# The row of which run the worker has stopped at.
my $stopped = q{SELECT objid FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 1 AND NOT granted};

# A worker that has written the first of two rows gets into a deadlock at the
# second, which another has locked that now wants the first.
sub deadlock
{
	my ($holder, @runs) = @_;
	my $log = -s $node->logfile;
	my $session = HttpRoom::session($node);

	poll("SELECT count(*) = 1 FROM ($stopped) s", 'the worker stops at one row');
	my $first = sql($stopped);
	my ($second) = grep { $_ != $first } @runs;
	my $pid = $session->ask('SELECT pg_backend_pid();');
	$session->ask("SET deadlock_timeout = '1h'; BEGIN; SELECT FROM arazzo_queue WHERE id = $second FOR UPDATE;");
	$holder->ask("SELECT pg_advisory_unlock($first);");
	poll("SELECT objid = $second FROM ($stopped) s", 'and then at the other, which somebody has locked');
	$session->say("SELECT FROM arazzo_queue WHERE id = $first FOR UPDATE;");
	poll("SELECT wait_event_type = 'Lock' FROM pg_stat_activity WHERE pid = $pid", 'and who now wants the first');
	$holder->ask("SELECT pg_advisory_unlock($second);");
	ok($node->wait_for_log(qr/could not work on the table of queued runs: deadlock detected/, $log), 'the worker is the victim');
	$session->hear;
	$session->ask('COMMIT;');
	return;
}

# Both runs come to that write at once: while writing is refused, both get the
# answer that they wait for.
foreach my $case (
	[ 'that an order is being sent', '/ingest', 2, 'sending IS NOT NULL' ],
	[ 'that runs are over', '/payments*', 4, q{status = 'succeeded'} ])
{
	my ($what, $path, $requests, $condition) = @$case;
	my $holder = HttpRoom::session($node);

	$sandbox->clear_ledger;
	$sandbox->fault(path => $path, fault => 'hold', count => 2);
	my @runs = map { $billing->submit("$requests-$_") } 1, 2;
	ok($sandbox->wait_for_requests($requests), "a deadlock as it is written $what");
	$holder->ask("SELECT pg_advisory_lock($_);") foreach @runs;
	refuse();
	$sandbox->release;
	foreach (1 .. 3)
	{
		my $log = -s $node->logfile;

		$node->wait_for_log(qr/no writing now/, $log);
	}
	stop_at($condition);
	deadlock($holder, @runs);
	poll('SELECT count(*) = 2 FROM arazzo_runs WHERE status = \'succeeded\'', 'both go through');
	is(join(', ', map { $billing->ledger("$requests-$_") } 1, 2), 'event 1 order 1, event 1 order 1', 'each call was made once');
	go_on();
}

# The runs of a worker that is gone are taken over
sub workers { sql("ALTER SYSTEM SET arazzo.databases = '$_[0]'; SELECT pg_reload_conf()"); return; }
sub wait_for_workers { return $node->poll_query_until('postgres', "SELECT count(*) = $_[0] FROM pg_stat_activity WHERE backend_type = 'arazzo worker'"); }
{
	$sandbox->clear_ledger;
	$sandbox->fault(path => '/ingest', fault => 'hold', count => 2);
	my @runs = map { $billing->submit("gone-$_") } 1, 2;

	ok($sandbox->wait_for_requests(2), 'a worker is killed with two events on their way');
	my $pid = $billing->pid;
	workers('');
	# that they were taken could be lost otherwise
	sql('CHECKPOINT');
	$billing->kill_process($pid);
	wait_for_workers(0);
	my $holder = HttpRoom::session($node);
	$holder->ask("SELECT pg_advisory_lock($_);") foreach @runs;
	stop_at('crashes > 0');
	$sandbox->release;
	workers('postgres');
	deadlock($holder, @runs);
	poll('SELECT count(*) = 2 FROM arazzo_runs WHERE status = \'succeeded\'', 'both go on');
	is(join(', ', map { $billing->ledger("gone-$_") } 1, 2), 'event 2 order 1, event 2 order 1', 'with the same events');
	is(sql('SELECT max(crashes) FROM arazzo_queue'), '0', 'and no crash is held against them');
	go_on();
}

# a row that somebody has locked for longer than the worker waits
{
	my $session = HttpRoom::session($node);
	my $log = -s $node->logfile;

	$sandbox->clear_ledger;
	$sandbox->fault(path => '/payments*', fault => 'hold', count => 1);
	my $run = $billing->submit('long');
	ok($sandbox->wait_for_requests(2), 'an order is on its way');
	$session->ask("BEGIN; SELECT FROM arazzo_queue WHERE id = $run FOR UPDATE;");
	$sandbox->release;
	ok($node->wait_for_log(qr/could not work on the table of queued runs: canceling statement due to lock timeout/, $log), 'its row is locked for too long');
	$session->ask('COMMIT;');
	ok($billing->wait_for_run('long', "status = 'succeeded'"), 'and free at last');
	is($billing->ledger('long'), 'event 1 order 1', 'each call was made once');
}

# What database and role say of sessions is not for workers
my @settings = ("default_transaction_isolation = 'serializable'", "default_transaction_read_only = on", "lock_timeout = '1ms'",
	"statement_timeout = '1ms'", "idle_in_transaction_session_timeout = '1ms'", "default_transaction_deferrable = on");
my $free = "SET default_transaction_read_only = off; SET lock_timeout = 0; SET statement_timeout = 0;";
foreach my $where ('DATABASE postgres', 'ROLE CURRENT_USER')
{
	my $session = HttpRoom::session($node);
	my $log = -s $node->logfile;
	my $run;

	sql('DELETE FROM arazzo_queue_attempts; DELETE FROM arazzo_queue');
	$sandbox->clear_ledger;
	workers('');
	wait_for_workers(0);
	$session->ask("ALTER $where SET $_;") foreach @settings;
	$session->ask("ALTER SYSTEM SET arazzo.databases = 'postgres';");
	$session->ask('SELECT pg_reload_conf();');
	$sandbox->fault(path => '/payments*', fault => 'hold', count => 1);
	$session->ask("SELECT arazzo_submit('$Billing::WORKFLOW', " . Billing::inputs("'set'") . ') AS run \gset');
	ok($sandbox->wait_for_requests(2), "$where: the worker works");
	$session->ask('BEGIN; SELECT FROM arazzo_queue WHERE id = :run FOR UPDATE;');
	$sandbox->release;
	my $waiting;
	do { $waiting = $session->ask(q{SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'arazzo worker' AND wait_event_type = 'Lock';}) } until $waiting;
	$session->ask('COMMIT;');
	$session->ask("ALTER $where RESET ALL;");
	ok($billing->wait_for_run('set', "status = 'succeeded'"), 'it waits for what is locked');
	is($billing->ledger('set'), 'event 1 order 1', 'each call was made once');
	unlike(substr(slurp_file($node->logfile), $log), qr/could not work|due to (?:lock|statement) timeout/, 'and nothing was refused');
}

# Sessions that work: what they were told holds for them
workers('');
wait_for_workers(0);
foreach my $setting (@settings[ 0, 1, 2 ])
{
	my $session = HttpRoom::session($node);
	my $log = -s $node->logfile;

	sql('DELETE FROM arazzo_queue_attempts; DELETE FROM arazzo_queue');
	$sandbox->clear_ledger;
	$sandbox->fault(path => '/payments*', fault => 'hold', count => 1) unless $setting =~ /read_only/;
	my $run = $billing->submit('session');
	$session->ask("SET $setting;");
	if ($setting =~ /read_only/)
	{
		like($session->ask('CALL arazzo_work();'), qr/ERROR:  25006/, "arazzo_work with $setting is refused");
		is($sandbox->counts->{count}, 0, 'and sends nothing');
		next;
	}
	$session->say('CALL arazzo_work();');
	ok($sandbox->wait_for_requests(2), "arazzo_work with $setting");
	my $other = HttpRoom::session($node);
	$other->ask("BEGIN; UPDATE arazzo_queue SET inputs = inputs WHERE id = $run;");
	$sandbox->release;
	ok($setting =~ /lock_timeout/
		? $node->wait_for_log(qr/could not work on the table of queued runs: canceling statement due to lock timeout/, $log)
		: $node->poll_query_until('postgres', q{SELECT count(*) = 1 FROM pg_stat_activity WHERE query = 'CALL arazzo_work();' AND wait_event_type = 'Lock'}),
		'the row of its run is locked, and changed');
	$other->ask('COMMIT;');
	unlike($session->hear, qr/ERROR/, 'it goes through');
	is(join(', ', $billing->status('session'), $billing->ledger('session')), 'succeeded, event 1 order 1', 'each call was made once');
}

$node->stop('fast');
unlike(slurp_file($node->logfile), qr/PANIC|TRAP|signal 11/, 'nothing crashed by itself');
done_testing();
