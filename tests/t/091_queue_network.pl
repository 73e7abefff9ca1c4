# What the network and the API do to queued calls: a call that carries a key
# is repeated as it was, at the time that is said; one that does not is sent
# once, and in doubt exactly when its answer was lost.
use strict;
use warnings;

use Billing;
use Test::More;

my $billing = Billing->new;
my $sandbox = $billing->sandbox;
my $number = 0;

sub sql { return $billing->sql($_[0]); }

# Works once, with a fault for the next call below that path; the customer.
sub spoil
{
	my ($path, %fault) = @_;
	my $customer = 'c' . ++$number;

	$sandbox->clear_ledger;
	$sandbox->clear_faults;
	$sandbox->fault(path => $path, %fault);
	$billing->submit($customer);
	$billing->work;
	return $customer;
}

# How long (s) after its last attempt a run is due, between two numbers.
sub is_due
{
	my ($customer, $least, $most, $what) = @_;
	my $delay = sql('SELECT round(extract(epoch FROM due - (SELECT max(ended_at) FROM arazzo_run_steps s WHERE s.run = r.run)), 1)'
		. " FROM arazzo_runs r WHERE inputs->>'customerId' = '$customer'");

	ok($delay ne '' && $delay >= $least && $delay <= $most, "$what: due after $delay s");
}

sub go_on { sql("UPDATE arazzo_queue SET due = now() WHERE status = 'waiting'"); $billing->work; return; }

sql("ALTER SERVER events OPTIONS (ADD timeout '400ms'); ALTER SERVER amberflo OPTIONS (ADD timeout '400ms')");
my @lost = (map({ { fault => $_ } } qw(reset_before reset_after close_before close_after truncated)), { fault => 'slow', ms => 1000 });
my %after = (120 => [ 119, 121 ], -5 => [ -1, 1.1 ], 'soon' => [ 0, 1.1 ], 999999999 => [ 3599, 3601 ],
	'Fri, 01 Jan 2038 00:00:00 GMT' => [ 3599, 3601 ], 'Sat, 01 Jan 2000 00:00:00 GMT' => [ -1, 1.1 ]);
my @told = (map({ [ { fault => 'status', status => $_ }, 0, 1.1 ] } 408, 425, 429, 500, 502, 503, 504),
	map({ [ { fault => 'status', status => 429, headers => { 'Retry-After' => $_ } }, @{ $after{$_} } ] } sort keys %after));

foreach my $case (map({ [ $_, 0, 1.1 ] } @lost), @told)
{
	my ($fault, $least, $most) = @$case;
	my $what = join(' ', $fault->{fault}, $fault->{status} // (), values %{ $fault->{headers} // {} });
	my $customer = spoil('/ingest', %$fault);

	is($billing->status($customer), 'waiting', "keyed, $what");
	is_due($customer, $least, $most, $what);
	go_on();
	is(join(' ', $billing->status($customer), $billing->ledger($customer)), 'succeeded event 2 order 1', "$what: repeated as it was");
}
foreach my $fault (@lost)
{
	my $customer = spoil('/payments*', %$fault);

	go_on();
	is(join(' ', $billing->status($customer), $billing->ledger($customer)), 'in_doubt event 1 order 1', "not keyed, $fault->{fault}");
}
foreach my $fault (map { $_->[0] } @told[ 0 .. 6 ])
{
	my $customer = spoil('/payments*', %$fault);

	go_on();
	is(join(' ', $billing->status($customer), $billing->ledger($customer)), 'failed event 1 order 1', "not keyed, $fault->{status}");
}

# the queue's own delays double, are random, and are long in the end
sub retried
{
	my ($retries, $count) = @_;

	$sandbox->clear_faults;
	$sandbox->fault(path => '/ingest', fault => 'status', status => 503, count => $count);
	sql("DELETE FROM arazzo_queue_attempts; DELETE FROM arazzo_queue");
	$billing->submit_many("retry$retries", $count);
	sql("UPDATE arazzo_queue SET retries = $retries");
	# each once, however soon its next time comes
	sql("CALL arazzo_work($count)");
	return sql('SELECT min(delay) >= ' . ($retries < 8 ? -0.1 : 19.9) . ", max(delay) <= greatest(2 ^ $retries, 20) + 0.1, max(delay) > 0.4 * 2 ^ $retries,"
		. ' count(DISTINCT delay) FROM (SELECT extract(epoch FROM due - (SELECT max(ended_at) FROM arazzo_run_steps s WHERE s.run = r.run)) AS delay'
		. " FROM arazzo_runs r WHERE status = 'waiting') x");
}
is(retried($_, 30), 't|t|t|30', "delays of retry $_") foreach 0, 3, 5, 7;
like(retried(9, 30), qr/^t\|t\|t\|/, 'the last ones are long');
retried(10, 5);
is(sql("SELECT count(*) FROM arazzo_runs WHERE status = 'failed' AND sqlstate = 'WF004'"), '5', 'and then it is over');

# an API that says it took the event in already
$sandbox->clear_faults;
sql(q{ALTER SERVER events OPTIONS (ADD duplicate_response '400 An event already exists with identifier')});
my $duplicate = { fault => 'status', status => 400, body => '{"error": {"message": "An event already exists with identifier x."}}' };
my $customer = spoil('/ingest', %$duplicate);
is($billing->status($customer), 'failed', 'told so at the first attempt, it is no event of ours');
$customer = spoil('/ingest', fault => 'reset_after');
$sandbox->fault(path => '/ingest', %$duplicate);
go_on();
is(join(' ', $billing->status($customer), $billing->ledger($customer)), 'succeeded event 2 order 1', 'after a lost answer, it was');
$customer = spoil('/ingest', fault => 'reset_after');
$sandbox->fault(path => '/ingest', fault => 'status', status => 400, body => '{"error": {"message": "no"}}');
go_on();
is($billing->status($customer), 'failed', 'another refusal is one');

# a key that the API has forgotten
sql("ALTER SERVER events OPTIONS (ADD idempotency_window '1h')");
foreach my $age ([ '50 minutes', 'succeeded event 2 order 1' ], [ '70 minutes', 'in_doubt event 1' ])
{
	$customer = spoil('/ingest', fault => 'reset_after');
	sql("UPDATE arazzo_queue SET unanswered_since = now() - interval '$age->[0]' WHERE status = 'waiting'");
	go_on();
	is(join(' ', $billing->status($customer), $billing->ledger($customer)), $age->[1], "unanswered for $age->[0]");
}
done_testing();
