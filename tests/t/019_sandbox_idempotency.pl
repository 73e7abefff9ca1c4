# The sandbox as Stripe behaves: Idempotency-Key, calls that are in progress.
use strict;
use warnings;

use JSON::PP;
use Sandbox;
use Test::More;

my $now = 1718153640;
my $sandbox = Sandbox->start(stripe_key => [ 'sk_test_0123456789', 'rk_live_1' ],
	args => [ '--now-ms', $now * 1000 ]);
my $ok = 'event_name=calls&payload[stripe_customer_id]=cus_a&payload[value]=1';
my $bad = 'invalid_request_error';
my $events = '/v1/billing/meter_events';
my $form = 'event_name=calls&payload[stripe_customer_id]=cus_%s&payload%%5Bvalue%%5D=%s';

sub call
{
	my ($method, $target, $body, %headers) = @_;
	return $sandbox->call($method, $target,
		{ 'Authorization' => 'Bearer sk_test_0123456789', 'Content-Type' => 'application/x-www-form-urlencoded', %headers }, $body);
}

sub post { return call('POST', $events, @_); }
sub body { return decode_json($_[0]{content}); }

sub refused
{
	my ($answer, $status, $code, $text, $name) = @_;
	my $error = body($answer)->{error};

	is("$answer->{status} $error->{type} " . ($error->{code} // '-'), "$status $code", "$name: status, type, code");
	like($error->{message}, $text, "$name: the reason");
	like($answer->{headers}{'request-id'}, qr/^req_\d+$/, "$name: a request id");
	return $error;
}

# Idempotency-Key.
my $keyed = sub { post($_[1], 'Idempotency-Key' => $_[0]) };
my $answer = $keyed->('k1', $ok);
my $again = $keyed->('k1', 'payload%5Bvalue%5D=1&payload%5Bstripe_customer_id%5D=cus_a&event_name=calls');
is($again->{content}, $answer->{content}, 'the same answer again');
is($again->{headers}{'idempotent-replayed'}, 'true', 'marked as such');
is($answer->{headers}{'idempotent-replayed'}, undef, 'the first one is not');
refused($keyed->('k1', sprintf $form, 'a', 2), 400, 'idempotency_error -', qr/same parameters/, 'other parameters');
is($keyed->('k2', 'event_name=x')->{status}, 400, 'what is refused for its parameters');
is($keyed->('k2', $ok)->{status}, 200, 'is not kept');
is(post($ok, 'Idempotency-Key' => 'k3', Authorization => 'Bearer no')->{status}, 401, 'neither is what is refused for its key');
is($keyed->('k3', $ok)->{status}, 200, 'it can be sent again');
$sandbox->fault(path => $events, fault => 'status', status => 429, headers => { 'Stripe-Rate-Limited-Reason' => 'global-rate' });
is($keyed->('k4', $ok)->{headers}{'stripe-rate-limited-reason'}, 'global-rate', 'a rate limit');
is($keyed->('k4', $ok)->{status}, 200, 'is not kept');
$sandbox->fault(path => $events, fault => 'status');
my $count = scalar @{ $sandbox->state->{stripe}{events} };
is($keyed->('k5', $ok)->{status}, 500, 'a failure');
$answer = $keyed->('k5', $ok);
is("$answer->{status} $answer->{headers}{'idempotent-replayed'}", '500 true', 'is kept');
is(scalar @{ $sandbox->state->{stripe}{events} }, $count, 'and nothing was taken in');
refused($keyed->('x' x 256, $ok), 400, "$bad -", qr/too long/, 'a long key');

# While a call is answered: its key and its customer are locked.
$sandbox->clear_ledger;
$sandbox->fault(path => $events, fault => 'hold', contains => 'cus_held');
my $held = $sandbox->connect;
$held->send('POST', $events, { Authorization => 'Bearer sk_test_0123456789', 'Content-Type' => 'application/x-www-form-urlencoded', 'Idempotency-Key' => 'k6' }, sprintf $form, 'held', 1);
$sandbox->wait_for_requests(1);
refused($keyed->('k6', sprintf $form, 'held', 1), 409, 'idempotency_error idempotency_key_in_use', qr/in-progress/, 'a key in use');
refused($keyed->('k7', sprintf $form, 'held', 1), 429, "$bad lock_timeout", qr/cannot be accessed right now/, 'a customer in use');
is($keyed->('k8', sprintf $form, 'other', 1)->{status}, 200, 'another customer');
is($sandbox->release, 1, 'the held call is answered');
is($held->receive('POST')->{status}, 200, 'with success');
is($keyed->('k7', sprintf $form, 'held', 1)->{status}, 200, 'then the other one is taken in');

# After 24 hours both windows are over.
post("$ok&identifier=e1");
$sandbox->settings(now_ms => ($now + 86401) * 1000);
is($keyed->('k5', $ok)->{status}, 200, 'the key is new again');
is(post("$ok&identifier=e1")->{status}, 200, 'and the identifier');

is($sandbox->stop, 0, 'it stops with success');
done_testing();
