# An API that keeps a failure for a key and answers every repetition with it, as
# Stripe does: the run ends within its budget, with the same bytes and the same
# key each time, and only an operator can give it another.
use strict;
use warnings;

use Arazzo;
use Test::More;

my $arazzo = Arazzo->new(shape => 'published', keys => 1);
my $node = $arazzo->node;
my $sandbox = $arazzo->sandbox;
my $events = '/v1/billing/meter_events';

sub sql { return $node->safe_psql('postgres', $_[0]); }

sql("ALTER SERVER stripe OPTIONS (ADD idempotency_key 'header Idempotency-Key')");

# Queues a run and works on it for as long as it wants to go on, the waits left
# out; but no more than 40 times.
sub finish
{
	my ($run) = @_;
	my $turns = 0;

	do
	{
		sql("UPDATE arazzo_queue SET due = now() WHERE status = 'waiting'");
		sql('CALL arazzo_work()');
	} while (sql("SELECT status IN ('queued', 'waiting', 'running') FROM arazzo_runs WHERE run = $run") eq 't' && ++$turns < 40);
	return sql("SELECT concat_ws(' ', status, sqlstate, step) FROM arazzo_runs WHERE run = $run");
}

sub submit
{
	my ($workflow) = @_;

	return sql(<<"SQL");
SELECT arazzo_submit('$workflow', '{"meterApiName": "api-calls", "customerId": "c1", "stripeEventName": "calls",
	"stripeCustomer": "cus_a", "usageQuantity": 25}')
SQL
}

# What came to the events: how many calls, keys and bodies, and their answers in order.
sub calls
{
	my @calls = grep { $_->{target} eq $events } @{ $sandbox->ledger };
	my (%keys, %bodies, @statuses);

	foreach my $call (@calls)
	{
		$keys{$_->[1]} = 1 foreach grep { lc $_->[0] eq 'idempotency-key' } @{ $call->{headers} };
		$bodies{ $call->{body} } = 1;
		push @statuses, $call->{status};
	}
	return { keys => [ sort keys %keys ], text => sprintf('%d calls, %d key, %d body: %s', scalar @calls, scalar keys %keys, scalar keys %bodies, "@statuses") };
}

sub taken_in { return scalar @{ $sandbox->state->{stripe}{events} }; }

# The failure is kept: every repetition within the budget gets it.
foreach my $limit (0, 3, 10)
{
	sql("ALTER SERVER stripe OPTIONS (ADD retry_limit '$limit')");
	$sandbox->reset;
	$sandbox->fault(path => $events, fault => 'status', status => 500);
	my $run = submit('usage-to-stripe-meter');
	is(finish($run), "failed WF004 record-stripe-meter", "retry_limit $limit: the run ends");
	my $first = calls();
	is($first->{text}, ($limit + 1) . ' calls, 1 key, 1 body: ' . join(' ', (500) x ($limit + 1)), '... after the calls it has');
	is(taken_in(), 0, '... and nothing was taken in');
	is(sql("SELECT count(*) FROM arazzo_server_states"), '0', '... the server gives answers and is not left alone for it');
	is(sql('CALL arazzo_work()'), '0', '... and is over');
	is(calls()->{text}, $first->{text}, '... for good');

	# An operator may let it go on: with the same key, and the same end.
	sql("SELECT arazzo_retry($run)");
	is(finish($run), "failed WF004 record-stripe-meter", '... an operator gives it the same budget again');
	my $second = calls();
	is(join(' ', @{ $second->{keys} }), join(' ', @{ $first->{keys} }), '... and the key is not changed for another');
	is($second->{text}, 2 * ($limit + 1) . ' calls, 1 key, 1 body: ' . join(' ', (500) x (2 * $limit + 2)), '... in the calls of then');
	sql('ALTER SERVER stripe OPTIONS (DROP retry_limit)');
}

# A workflow that retries by itself does so four times, and the queue ten times
# after that.
sql('SELECT arazzo_load(' . Arazzo::quote('https://w.example/again.yaml') . ',' . Arazzo::quote(<<'YAML') . ')');
arazzo: 1.0.1
info: {title: t, version: '1'}
sourceDescriptions: [{name: stripe, url: 'amberflo-arazzo:/workflows/openapi/stripe-billing-meters.yaml', type: openapi}]
workflows:
- workflowId: again
  inputs: {type: object}
  steps:
  - stepId: record
    operationId: PostBillingMeterEvents
    requestBody:
      contentType: application/x-www-form-urlencoded
      payload: {event_name: $inputs.stripeEventName, payload: {stripe_customer_id: $inputs.stripeCustomer, value: $inputs.usageQuantity}}
    onFailure: [{name: again, type: retry, retryAfter: 0.01, retryLimit: 4}]
YAML
$sandbox->reset;
$sandbox->fault(path => $events, fault => 'status', status => 500);
my $run = submit('again');
like(finish($run), qr/^failed WF004 record$/, 'a workflow that retries ends as well');
is(calls()->{text}, '15 calls, 1 key, 1 body: ' . join(' ', (500) x 15), '... with one key');
is(taken_in(), 0, '... and nothing was taken in');

done_testing();
