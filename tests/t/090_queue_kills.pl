# The end of a worker, of a session in arazzo_work, of the postmaster, at each
# moment of a run: nothing is lost, an event is repeated as it was, an order
# is never placed twice, and only one that was on its way is in doubt.
use strict;
use warnings;

use Billing;
use Test::More;

my ($billing, $node, $sandbox, $session);

# Each moment: what comes before the run is submitted, what it is known by,
# what comes after the end, and what becomes of run and calls.
my @moments = (
	{
		name => 'before the claim',
		before => sub { $billing->lock_table('arazzo_server_states') },
		reached => sub { $billing->wait_for_lock },
		after => sub { $billing->unlock },
		expect => [ 'succeeded', 'event 1 order 1' ]
	},
	{
		name => 'after the claim',
		before => sub { limit('events') },
		reached => sub { $billing->wait_for_run($_[0], "status = 'running'") },
		after => sub { lift('events') },
		expect => [ 'succeeded', 'event 1 order 1' ]
	},
	{
		name => 'while an event is sent',
		before => sub { hold('/ingest') },
		reached => sub { $sandbox->wait_for_requests(1) },
		expect => [ 'succeeded', 'event 2 order 1' ]
	},
	{
		name => 'between the steps',
		before => sub { limit('amberflo') },
		reached => sub {
			$node->poll_query_until('postgres', 'SELECT count(*) = 1 FROM arazzo_run_steps JOIN arazzo_runs USING (run)'
				. " WHERE inputs->>'customerId' = '$_[0]'");
		},
		after => sub { lift('amberflo') },
		expect => [ 'succeeded', 'event 1 order 1' ]
	},
	{
		name => 'while an order is sent',
		before => sub { hold('/payments*') },
		reached => sub { $sandbox->wait_for_requests(2) },
		expect => [ 'in_doubt', 'event 1 order 1' ]
	},
	{
		name => 'after the answer, before it is written',
		before => sub { hold('/payments*') },
		reached => sub {
			$sandbox->wait_for_requests(2);
			$billing->lock_table('arazzo_queue_attempts');
			$sandbox->release;
			$billing->wait_for_lock;
		},
		after => sub { $billing->unlock },
		expect => [ 'in_doubt', 'event 1 order 1' ]
	},
	{
		name => 'while it waits for a retry',
		idle => 1,
		before => sub { $sandbox->fault(path => '/ingest', fault => 'status', status => 503, headers => { 'Retry-After' => '3000' }) },
		reached => sub { $billing->wait_for_run($_[0], "status = 'waiting'") },
		after => sub { $billing->sql("UPDATE arazzo_queue SET due = now() WHERE status = 'waiting'") },
		expect => [ 'succeeded', 'event 2 order 1' ]
	});

my %ends = (
	'kill -9' => sub { $billing->kill_process($_[0] ? $billing->sql("SELECT pid FROM pg_stat_activity WHERE backend_type = 'walwriter'") : $billing->pid) },
	'kill -9 of the postmaster' => sub { $billing->kill_postmaster },
	'an immediate stop' => sub { $node->stop('immediate'); $node->start });

sub hold { $sandbox->fault(path => $_[0], fault => 'hold', count => 1); return; }

# The next call of that server is the last for now.
sub limit
{
	$billing->sql("ALTER SERVER $_[0] OPTIONS (ADD max_rate '0.001')");
	$billing->submit("first-$$-" . time . rand);
	return;
}

# Calls that wait already learn of it from the next.
sub lift
{
	$billing->sql("ALTER SERVER $_[0] OPTIONS (DROP max_rate)");
	$billing->submit("last-$$-" . time . rand);
	return;
}

my $number = 0;
foreach my $workers (0, 1)
{
	$billing = Billing->new(name => $workers ? 'workers' : 'sessions', workers => $workers, config => ['arazzo.concurrency = 8']);
	$node = $billing->node;
	$sandbox = $billing->sandbox;
	foreach my $moment (@moments)
	{
		foreach my $end (sort keys %ends)
		{
			my $customer = 'c' . ++$number;
			my $what = ($workers ? 'worker' : 'session') . ", $end $moment->{name}";

			$sandbox->clear_ledger;
			$moment->{before}->();
			$billing->submit($customer);
			$session = $billing->start_session unless $workers;
			ok($moment->{reached}->($customer), "$what: it has come so far");
			# a session is not there any more while its run waits
			$ends{$end}->($moment->{idle} && !$workers);
			$session->finish unless $workers;
			$sandbox->release;
			$moment->{after}->() if $moment->{after};
			# what waits for it is due at once, or after a second look
			$billing->work unless $workers;
			$billing->wait_for_run($customer, "status IN ('succeeded', 'failed', 'in_doubt')");
			is(join(', ', $billing->status($customer), $billing->ledger($customer)), join(', ', @{ $moment->{expect} }), $what);
		}
	}
	is($billing->sql("SELECT count(*) FROM arazzo_runs WHERE status NOT IN ('succeeded', 'in_doubt')"), '0', 'nothing is lost');
	$node->stop('fast');
}
done_testing();
