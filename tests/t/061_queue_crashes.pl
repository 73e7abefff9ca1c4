# kill -9 of a session that works the queue off, at each point of a call:
# nothing is lost, a call that cannot be repeated never is, and one that can
# is repeated with the same key and bytes. Counted at the sandbox's ledger.
use strict;
use warnings;

use Arazzo;
use PostgreSQL::Test::Utils;
use Test::More;

my $arazzo = Arazzo->new(
	shape => 'published',
	keys => 1,
	config => [ 'restart_after_crash = on', 'max_prepared_transactions = 5' ]);
my $node = $arazzo->node;
my $sandbox = $arazzo->sandbox;
my $workflow = 'meter-usage-and-topup-prepaid';
my $inputs = '{"meterApiName":"m","customerId":"c1","meterValue":1,"meterTimeInMillis":1718153645993,"amount":5}';

sub sql { return $node->safe_psql('postgres', $_[0]); }

# Starts a session that works, and kills it once the condition on its row of
# pg_stat_activity holds and the sandbox has seen so many requests.
sub kill_worker
{
	my ($signal, $requests, $condition) = @_;
	my ($out, $error) = ('', '');
	my $worker = $arazzo->background("CALL arazzo_work();\n", \$out, \$error);
	my $row = "FROM pg_stat_activity WHERE query = 'CALL arazzo_work();' AND state = 'active' AND $condition";

	ok($sandbox->wait_for_requests($requests), 'the worker has sent what it should') if $requests;
	ok($node->poll_query_until('postgres', "SELECT count(*) = 1 $row"), 'and is where it should be');
	my $transaction = sql("SELECT backend_xid IS NULL AND backend_xmin IS NULL $row");
	kill $signal, sql("SELECT pid $row");
	$sandbox->release;
	$worker->finish;
	ok($node->poll_query_until('postgres', 'SELECT true'), 'the server is there again');
	$sandbox->release;
	return $transaction;
}

sub submit
{
	$sandbox->clear_ledger;
	$sandbox->clear_faults;
	return sql("SELECT arazzo_submit('$workflow', '$inputs')");
}

# "target count" of what reached the sandbox; keys and bytes must not differ.
sub ledger
{
	my (%count, %distinct);

	foreach my $entry (@{ $sandbox->ledger })
	{
		my ($key) = map { $_->[1] } grep { lc $_->[0] eq 'idempotency-key' } @{ $entry->{headers} };
		my ($name) = $entry->{target} =~ /(ingest|prepaid)/;

		$count{$name}++;
		$distinct{$name}{ ($key // '') . " $entry->{body}" } = 1;
	}
	is(scalar(keys %{ $distinct{$_} }), 1, "every $_ has the same key and bytes") foreach sort keys %distinct;
	return join(' ', map { "$_ $count{$_}" } sort keys %count);
}

sub status { return sql("SELECT status, sending FROM arazzo_runs WHERE run = $_[0]"); }

sub lock_table { sql("BEGIN; LOCK TABLE $_[0]; PREPARE TRANSACTION 'lock'"); return; }
sub unlock_table { sql("ROLLBACK PREPARED 'lock'"); return; }

foreach my $keyed (0, 1)
{
	my $kind = $keyed ? 'keyed' : 'not keyed';

	sql("ALTER SERVER amberflo OPTIONS (ADD idempotency_key 'header Idempotency-Key')") if $keyed;

	# claimed, not sent: planning waits for the documents
	my $run = submit();
	lock_table('arazzo_documents');
	kill_worker('KILL', 0, "wait_event_type = 'Lock'");
	like(status($run), qr{^(running|queued)\|$}, "$kind, killed before the call: the run is there");
	unlock_table();
	sql('CALL arazzo_work()');
	is(status($run), 'succeeded|', 'and goes through');
	is(ledger(), 'ingest 1 prepaid 1', 'each call was made once');

	# sent, and no answer yet
	$run = submit();
	$sandbox->fault(path => '/payments*', fault => 'hold', count => 1);
	is(kill_worker('KILL', 2, "wait_event_type IS DISTINCT FROM 'Lock'"), 't',
		'no transaction id and no snapshot is held while the answer is awaited');
	sql('CALL arazzo_work()');
	is(status($run), $keyed ? 'succeeded|' : 'in_doubt|topUpPrepaid', "$kind, killed while waiting for the answer");
	is(ledger(), $keyed ? 'ingest 1 prepaid 2' : 'ingest 1 prepaid 1', 'the first step is not done again');
	sql('CALL arazzo_work()');
	is(status($run), $keyed ? 'succeeded|' : 'in_doubt|topUpPrepaid', 'and so it stays');

	# answered, and the outcome not committed: the history is locked
	$run = submit();
	lock_table('arazzo_queue_attempts');
	kill_worker('KILL', 1, "wait_event_type = 'Lock'");
	unlock_table();
	sql('CALL arazzo_work()');
	is(status($run), $keyed ? 'succeeded|' : 'in_doubt|ingestEvent', "$kind, killed before the outcome was committed");
	is(ledger(), $keyed ? 'ingest 2 prepaid 2' : 'ingest 1', 'a call that cannot be repeated is not');

	# the session ends, the server does not
	$run = submit();
	$sandbox->fault(path => '/ingest', fault => 'hold', count => 1);
	kill_worker('TERM', 1, "wait_event_type IS DISTINCT FROM 'Lock'");
	sql('CALL arazzo_work()');
	is(status($run), $keyed ? 'succeeded|' : 'in_doubt|ingestEvent', "$kind, terminated");
	is(ledger(), $keyed ? 'ingest 2 prepaid 1' : 'ingest 1', 'the same');

	# an immediate shutdown while an answer is awaited
	$run = submit();
	$sandbox->fault(path => '/ingest', fault => 'hold', count => 1);
	my ($out, $error) = ('', '');
	my $worker = $arazzo->background("CALL arazzo_work();\n", \$out, \$error);
	$sandbox->wait_for_requests(1);
	$node->stop('immediate');
	$sandbox->release;
	$worker->finish;
	$node->start;
	sql('CALL arazzo_work()');
	is(status($run), $keyed ? 'succeeded|' : 'in_doubt|ingestEvent', "$kind, shut down at once");
	is(ledger(), $keyed ? 'ingest 2 prepaid 1' : 'ingest 1', 'the same');

	# an answer that is lost on the way, no crash at all
	$run = submit();
	$sandbox->fault(path => '/payments*', fault => 'reset_after', count => 1);
	sql('CALL arazzo_work(1)');
	is(status($run), $keyed ? 'waiting|' : 'in_doubt|topUpPrepaid', "$kind, connection reset");
	is(ledger(), 'ingest 1 prepaid 1', 'sent once');
	sql("SELECT arazzo_cancel($run)") if $keyed;
}
is(sql("SELECT count(*) FILTER (WHERE status = 'in_doubt'), count(*) FILTER (WHERE status = 'running') FROM arazzo_runs"),
	'5|0', 'all that cannot be decided is in doubt, and nothing else');

# a person decides: done, failed, retry
my @doubts = split /\n/, sql("SELECT run FROM arazzo_runs WHERE status = 'in_doubt' AND sending = 'topUpPrepaid' ORDER BY run");
$sandbox->clear_ledger;
sql("SELECT arazzo_resolve($doubts[0], 'done', '{\"orderId\": \"order-by-hand\"}')");
sql('CALL arazzo_work(1)');
is(sql("SELECT status, outputs->>'orderId' FROM arazzo_runs WHERE run = $doubts[0]"), 'succeeded|order-by-hand', 'done');
is($sandbox->counts->{count}, 0, 'nothing is sent for it');
sql("SELECT arazzo_resolve($doubts[1], 'failed')");
sql('CALL arazzo_work(1)');
is(sql("SELECT status, sqlstate FROM arazzo_runs WHERE run = $doubts[1]"), 'failed|WF004', 'failed');
is($sandbox->counts->{count}, 0, 'nothing is sent for it either');
my $again = sql("SELECT min(run) FROM arazzo_runs WHERE status = 'in_doubt'");
sql("SELECT arazzo_resolve($again, 'retry')");
sql('CALL arazzo_work(1)');
is(status($again), 'succeeded|', 'retry');
is(ledger(), 'ingest 1 prepaid 1', 'it is sent once more');

is(sql("SELECT count(*) FROM arazzo_queue WHERE verdict IS NOT NULL"), '0', 'a verdict counts once');
sql("SELECT arazzo_retry($doubts[1])");
sql('CALL arazzo_work(1)');
is(status($doubts[1]), 'succeeded|', 'a call that was said to have failed is made again when asked for');

# a verdict outlives documents that have changed before it could be applied
$sandbox->clear_ledger;
my $changed = sql("SELECT min(run) FROM arazzo_runs WHERE status = 'in_doubt'");
sql("SELECT arazzo_resolve($changed, 'done')");
sql("UPDATE arazzo_queue SET version = 'other' WHERE id = $changed");
sql('CALL arazzo_work(1)');
is(sql("SELECT status, sqlstate FROM arazzo_runs WHERE run = $changed"), 'failed|55000', 'documents have changed');
sql("SELECT arazzo_retry($changed)");
sql('CALL arazzo_work(1)');
is(status($changed), 'succeeded|', 'the run goes on');
is(ledger(), 'prepaid 1', 'and the call that was taken as done is not made again');

# a run that ends its worker each time is set aside
my $poison = submit();
sql("UPDATE arazzo_queue SET status = 'running', due = NULL, claim = 0, crashes = 4 WHERE id = $poison");
sql('CALL arazzo_work()');
is(sql("SELECT status, sqlstate FROM arazzo_runs WHERE run = $poison"), 'failed|55000', 'a poison run does not go on for ever');

done_testing();
