# A long queue costs no more than a short one, and tables and indexes stay as
# small as the runs that are there, however many went through.  Prints tables
# that can be plotted.
use strict;
use warnings;

use Billing;
use List::Util qw(max min);
use Test::More;
use Time::HiRes qw(time usleep);

my $queued = $ENV{QUEUED} || 1_000_000;
my $through = $ENV{THROUGH} || 1_000_000;
my $billing = Billing->new(config => [ 'log_statement = none', 'max_wal_size = 2GB', 'arazzo.concurrency = 32' ]);
my $node = $billing->node;
my $sandbox = $billing->sandbox;

sub sql { return $billing->sql($_[0]); }

# Microseconds of a statement for each of so many.
sub cost
{
	my ($statement, $count) = @_;
	my $began = time;

	sql($statement);
	return (time - $began) * 1e6 / $count;
}

# To claim a run and put it aside, without a call: its connection is paused.
sub claim_cost
{
	my ($count) = @_;
	my $cost = cost("CALL arazzo_work($count)", $count);

	sql("DELETE FROM arazzo_queue WHERE hold IS NOT NULL");
	return $cost;
}

# The queue has so many runs that wait, half of them due.
sub fill
{
	my ($count) = @_;

	sql(q{INSERT INTO arazzo_queue (owner, document, workflow, version, inputs, due) SELECT owner, document, workflow, version, inputs,
		now() + interval '1 s' * (i - } . $count / 2 . qq{) FROM (SELECT * FROM arazzo_queue LIMIT 1) q, generate_series(1, $count) i});
	sql('VACUUM ANALYZE arazzo_queue');
	return;
}

my $submit = "SELECT count(arazzo_submit('$Billing::WORKFLOW', " . Billing::inputs("'c' || i") . ')) FROM generate_series(1, 2000) i';
my %cost;
sql("INSERT INTO arazzo_server_states (server, owner, state) VALUES ('events', CURRENT_USER::regrole, 'paused')");
foreach my $count (1000, $queued)
{
	my (@enqueue, @claim);

	sql('TRUNCATE arazzo_queue');
	$billing->submit('first');
	fill($count);
	foreach my $turn (1 .. 7)
	{
		push @enqueue, cost($submit, 2000);
		push @claim, claim_cost(2000);
		sql('VACUUM arazzo_queue');
	}
	$cost{$count} = [ map { (sort { $a <=> $b } @$_)[0] } \@enqueue, \@claim ];
}
diag(sprintf("%-12s %18s %18s", 'runs waiting', 'enqueue us a run', 'claim us a run'));
diag(sprintf("%-12d %18.1f %18.1f", $_, @{ $cost{$_} })) foreach 1000, $queued;
cmp_ok($cost{$queued}[0] / $cost{1000}[0], '<=', 1.5, 'enqueue');
cmp_ok($cost{$queued}[1] / $cost{1000}[1], '<=', 1.5, 'claim');

# many runs through a queue whose history is short
sql('TRUNCATE arazzo_queue, arazzo_queue_attempts; DELETE FROM arazzo_server_states');
sql(q{SELECT arazzo_load('https://soak.example/event.json', '{"arazzo": "1.0.1", "info": {"title": "event", "version": "1"},
	"sourceDescriptions": [{"name": "a", "url": "amberflo-arazzo:/workflows/openapi/amberflo-metering.yaml"}],
	"workflows": [{"workflowId": "event", "inputs": {"type": "object"}, "steps": [{"stepId": "event", "operationId": "ingestMeterEvents",
	"requestBody": {"contentType": "application/json", "payload": {"meterApiName": "m", "customerId": "$inputs.customer", "meterValue": 1,
	"meterTimeInMillis": 1718153645993}}, "successCriteria": [{"condition": "$statusCode == 200"}]}]}]}')});
my $batch = 5000;
my @sizes;
diag(sprintf('%-10s %12s %12s %12s %12s %12s', 'runs', 'queue kB', 'indexes kB', 'history kB', 'dead rows', 'runs a s'));
for (my $done = 0; $done < $through; $done += $batch)
{
	my $began = time;

	sql("SELECT count(arazzo_submit('event', jsonb_build_object('customer', 'c' || i))) FROM generate_series(1, $batch) i");
	sql('CALL arazzo_work()');
	sql("CALL arazzo_prune('0')");
	my @size = split /\|/, sql("SELECT pg_table_size('arazzo_queue') / 1024, pg_indexes_size('arazzo_queue') / 1024,
		pg_total_relation_size('arazzo_queue_attempts') / 1024, sum(n_dead_tup) FROM pg_stat_user_tables WHERE relname IN ('arazzo_queue', 'arazzo_queue_attempts')");
	push @sizes, $size[0] + $size[1] + $size[2];
	diag(sprintf('%-10d %12d %12d %12d %12d %12.0f', $done + $batch, @size, $batch / (time - $began))) if ($done / $batch) % max(1, int($through / $batch / 20)) == 0;
	$sandbox->clear_ledger;
}
is(sql('SELECT count(*) FROM arazzo_queue'), '0', 'all went through');
my $third = int(@sizes / 3);
cmp_ok(max(@sizes[ $third .. $#sizes ]), '<=', 2 * max(@sizes[ 0 .. $third ]), 'the tables grow no more');
done_testing();
