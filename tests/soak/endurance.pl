# A million runs through one session, and a million through one background
# worker: memory, descriptors and handles of the HTTP library stay as they were
# after the first thousands.  Then a history of finished runs is deleted while
# the queue works: what a claim costs does not depend on it.  Prints tables.
use strict;
use warnings;

use Billing;
use HttpRoom ();
use Test::More;
use Time::HiRes qw(time usleep);

my $runs = $ENV{ENDURE} || 1_000_000;
my $history = $ENV{HISTORY} || 10_000_000;
my $batch = 1000;
my $billing = Billing->new(workers => 1, args => ['--quiet-ledger'],
	config => [ 'log_statement = none', 'max_wal_size = 4GB', 'synchronous_commit = off', "arazzo.retention = '0'" ]);
my $node = $billing->node;
my $sandbox = $billing->sandbox;
my $rooms = HttpRoom::create_functions($node);
my $session = HttpRoom::session($node);
my $inputs = q{jsonb_build_object('customer', 'c' || i)};

sub sql { return $billing->sql($_[0]); }

sql(q{SELECT arazzo_load('https://soak.example/event.json', '{"arazzo": "1.0.1", "info": {"title": "event", "version": "1"},
	"sourceDescriptions": [{"name": "a", "url": "amberflo-arazzo:/workflows/openapi/amberflo-metering.yaml"}],
	"workflows": [{"workflowId": "event", "inputs": {"type": "object"}, "steps": [{"stepId": "event", "operationId": "ingestMeterEvents",
	"requestBody": {"contentType": "application/json", "payload": {"meterApiName": "m", "customerId": "$inputs.customer", "meterValue": 1,
	"meterTimeInMillis": 1718153645993}}, "successCriteria": [{"condition": "$statusCode == 200"}]}]}]}')});

# The same code once more, in a module that can count its handles.
sql("CREATE FUNCTION counted_run(text, jsonb) RETURNS jsonb AS '$rooms', 'arazzo_run' LANGUAGE C STRICT");

# Memory of its own in kB, and open descriptors that are no files, of a process.
sub size_of
{
	my ($pid) = @_;

	open my $status, '<', "/proc/$pid/status" or die "process $pid is gone";
	my ($resident) = map { /^RssAnon:\s+(\d+)/ } <$status>;
	return ($resident, scalar(grep { (readlink($_) // '') =~ /^(?:socket|pipe|anon_inode)/ } glob "/proc/$pid/fd/*"));
}

# What is not over has an index of its own.
sub wait_for_worker
{
	usleep(2000) while sql('SELECT EXISTS (SELECT FROM arazzo_queue WHERE due IS NOT NULL) OR EXISTS (SELECT FROM arazzo_queue WHERE claim IS NOT NULL)') eq 't';
	return;
}

# Lets runs go through in batches and prints a line after 1 000, 10 000 and so
# on; the sizes at those moments, by count.
sub endure
{
	my ($what, $pid, $work) = @_;
	my $line = 1000;
	my $began = time;
	my %size;

	diag(sprintf('%-12s %10s %12s %12s %10s', $what, 'memory kB', 'descriptors', 'runs a s', 'handles'));
	for (my $done = $batch; $done <= $runs; $done += $batch)
	{
		$work->();
		$sandbox->reset if $done % 20_000 == 0;
		next unless $done == $line || $done == $runs;
		$size{$done} = [ size_of($pid) ];
		diag(sprintf('%-12d %10d %12d %12.0f %10s', $done, @{ $size{$done} }, $done / (time - $began),
				$what eq 'session' ? $session->ask('SELECT test_http_counts();') =~ s/.*, //r : ''));
		$line *= 10 if $done == $line;
	}
	my $early = $size{10_000} // $size{1000};
	my $late = $size{$runs};
	cmp_ok($late->[0] - $early->[0], '<', 4096, "$what: memory is flat");
	is($late->[1], $early->[1], "$what: descriptors are the same");
	return;
}

my $pid = $session->ask('SELECT pg_backend_pid();');
endure('session', $pid, sub {
	my $said = $session->ask("SELECT count(counted_run('event', $inputs)) FROM generate_series(1, $batch) i;");

	die $said if $said ne $batch;
});
$session->ask('SELECT 1;');

my $worker = $billing->pid;
endure('worker', $worker, sub {
	sql("SELECT count(arazzo_submit('event', $inputs)) FROM generate_series(1, $batch) i");
	wait_for_worker();
});
is($billing->pid, $worker, 'it was the same worker all the time');

# Milliseconds of the worker for so many runs, the best of some turns.
sub turn
{
	my @times;

	foreach my $number (1 .. 5)
	{
		my $began = time;

		sql("SELECT count(arazzo_submit('event', $inputs)) FROM generate_series(1, $batch) i");
		wait_for_worker();
		push @times, 1000 * (time - $began);
	}
	return (sort { $a <=> $b } @times)[0];
}

# Finished runs of last year, inserted as they would lie there.
sql("ALTER SYSTEM SET arazzo.retention = -1");
$node->reload;
$billing->submit('first');
$billing->work;
my $alone = turn();
my $began = time;
sql(qq{INSERT INTO arazzo_queue (owner, document, workflow, version, inputs, status, finished_at, submitted_at)
	SELECT owner, document, workflow, version, inputs, 'succeeded', now() - interval '1 year', now() - interval '1 year'
	FROM (SELECT * FROM arazzo_queue LIMIT 1) q, generate_series(1, $history) i});
sql('VACUUM ANALYZE arazzo_queue');
diag(sprintf('history of %d runs, inserted in %.0f s: %d MB', $history, time - $began, sql("SELECT pg_total_relation_size('arazzo_queue') / 1048576")));
my $beside = turn();
$began = time;
my $prune = HttpRoom::session($node);
$prune->say("CALL arazzo_prune('30 days');");
my @during;
push @during, turn() until sql("SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'CALL arazzo_prune%' AND state = 'active'") eq '0';
my $pruned = time - $began;
sql('VACUUM arazzo_queue');
my $after = turn();
diag(sprintf('%-32s %10s', "$batch runs, submitted and worked off", 'ms'));
diag(sprintf('%-32s %10.0f', @$_)) foreach [ 'no history', $alone ], [ 'beside the history', $beside ], (map { [ 'while it is deleted', $_ ] } @during), [ 'afterwards', $after ];
diag(sprintf('deleted in %.0f s', $pruned));
is(sql("SELECT count(*) FROM arazzo_queue WHERE finished_at < now() - interval '30 days'"), '0', 'the history is gone');
cmp_ok($beside, '<', 2 * $alone, 'runs cost the same beside a history');
cmp_ok($after, '<', 2 * $alone, 'and when it is gone');
$node->stop('fast');
done_testing();
