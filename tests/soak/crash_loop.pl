# Background workers run two calls for each of many runs, an event that carries
# a key and an order that does not, while workers and the postmaster are killed
# at random moments.  Prints the counts.
use strict;
use warnings;

use Billing;
use Test::More;
use Time::HiRes qw(time usleep);

my $runs = $ENV{RUNS} || 20_000;
my $kills = $ENV{KILLS} || 200;
my $workers = 2;
my $concurrency = 4;
my $billing = Billing->new(workers => $workers, config => [ "arazzo.concurrency = $concurrency", 'log_statement = none' ]);
my $node = $billing->node;
my $sandbox = $billing->sandbox;
my $began = time;
my %killed = (worker => 0, postmaster => 0);

# each portion is long enough on its way to be killed
my $portion = int($runs / $kills);
$sandbox->fault(path => '/*', fault => 'slow', ms => 10, count => 100 * $runs);
foreach my $kill (1 .. $kills)
{
	my $pid = $billing->pid;
	my $before = $sandbox->counts->{count};
	my $victim = rand() < 0.3 ? 'postmaster' : 'worker';

	$billing->submit_many("c$kill", $kill < $kills ? $portion : $runs - $portion * ($kills - 1));
	$sandbox->wait_for_requests($before + int(rand(1.8 * $portion)), 5);
	usleep(int(rand(10_000)));
	$victim eq 'worker' ? $billing->kill_process($pid) : $billing->kill_postmaster;
	$killed{$victim}++;
}
until ($billing->sql("SELECT count(*) FROM arazzo_queue WHERE status IN ('queued', 'running', 'waiting')") eq '0')
{
	# runs whose answer never came wait for their time
	$billing->sql("UPDATE arazzo_queue SET due = now() WHERE status = 'waiting'");
	last if time - $began > 3600;
	usleep(200_000);
}

my $seen = $billing->seen;
my %status = map { split /\|/ } split /\n/, $billing->sql("SELECT inputs->>'customerId', status FROM arazzo_runs");
my @doubt = grep { $status{$_} eq 'in_doubt' } keys %status;
my %count = (
	lost => scalar(grep { !/^(succeeded|in_doubt)$/ } values %status) + $runs - keys %status,
	doubles => scalar(grep { ($_->{order} // 0) > 1 } values %$seen),
	repeated => scalar(grep { ($_->{event} // 0) > 1 } values %$seen),
	arrived => scalar(grep { $seen->{$_}{order} } @doubt));

diag(sprintf('%d runs, %d kills of a worker and %d of the postmaster, %.0f s', $runs, $killed{worker}, $killed{postmaster}, time - $began));
diag(sprintf('%d lost, %d double orders, %d events repeated with the same bytes, %d orders in doubt, of which %d had arrived',
	$count{lost}, $count{doubles}, $count{repeated}, scalar(@doubt), $count{arrived}));
is($billing->faults($runs), '', 'no run is lost, no order is placed twice, no event differs from its repetition');
is($billing->sql("SELECT count(*) FROM arazzo_run_steps s JOIN arazzo_runs r USING (run) WHERE s.step = 'topUpPrepaid' AND r.status = 'in_doubt'"), '0',
	'no order is in doubt whose answer is known');
is($billing->sql("SELECT count(*) FROM arazzo_runs WHERE status = 'succeeded' AND outputs->>'orderId' IS NULL"), '0',
	'and every other has its answer');
cmp_ok(scalar(@doubt), '<=', $workers * $concurrency * $kills, 'no more are in doubt than can have been on their way');
$node->stop('fast');
done_testing();
