# The sandbox as Stripe behaves: keys and meter events.
use strict;
use warnings;

use JSON::PP;
use MIME::Base64;
use Sandbox;
use Test::More;

my $now = 1718153640;
my $sandbox = Sandbox->start(stripe_key => [ 'sk_test_0123456789', 'rk_live_1' ],
	args => [ '--stripe-expired-key', 'sk_test_old', '--now-ms', $now * 1000 ]);
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

# Keys.
my $basic = 'Basic ' . encode_base64('sk_test_0123456789:', '');
refused($sandbox->call('POST', $events), 401, 'invalid_request_error -', qr/did not provide an API key/, 'no key');
refused(post('', Authorization => 'Bearer sk_test_0000000000'), 401, 'invalid_request_error -', qr/^Invalid API Key provided: sk_test_\*{6}0000$/, 'a wrong key');
refused(post('', Authorization => 'Bearer sk_test_old'), 401, 'invalid_request_error api_key_expired', qr/^Expired API Key/, 'an old key');
is(post(sprintf($form, 'a', 1), Authorization => $basic)->{status}, 200, 'basic authentication');
is(body(post(sprintf($form, 'a', 1), Authorization => 'Bearer rk_live_1'))->{livemode}, JSON::PP::true, 'a live key');

# An event.
my $answer = post(sprintf($form, 'b', '%2B') . '&identifier=e1&timestamp=1718153000', 'Stripe-Version' => '2026-06-24.dahlia');
is_deeply(body($answer), { object => 'billing.meter_event', created => $now, event_name => 'calls', identifier => 'e1', livemode => JSON::PP::false,
	payload => { stripe_customer_id => 'cus_b', value => '+' }, timestamp => 1718153000 }, 'an event comes back');
is($answer->{headers}{'stripe-version'}, '2026-06-24.dahlia', 'with the version');
is(body(post(sprintf $form, 'a', 1))->{identifier}, 'meter_event_4', 'an identifier is made');

# What is refused.
my $ok = sprintf $form, 'a', 1;
my $bad = 'invalid_request_error';
refused(post('{}', 'Content-Type' => 'application/json'), 400, "$bad -", qr/application\/x-www-form-urlencoded/, 'JSON');
is(refused(post("$ok&foo=1"), 400, "$bad parameter_unknown", qr/^Received unknown parameter: foo$/, 'an unknown parameter')->{param}, 'foo', 'its name');
is(refused(post('event_name=x'), 400, "$bad parameter_missing", qr/^Missing required param: payload\.$/, 'no payload')->{param}, 'payload', 'its name');
refused(post('event_name=&payload[a]=1'), 400, "$bad parameter_invalid_empty", qr/empty string for 'event_name'/, 'an empty name');
refused(post("event_name=x&payload=1"), 400, "$bad -", qr/Invalid object/, 'a payload that is a string');
refused(post("event_name=x&payload[a][b]=1"), 400, "$bad -", qr/payload\[a\]\[b\]/, 'nested payload');
refused(post("$ok&event_name=y"), 400, "$bad -", qr/repeated parameter: event_name/, 'a parameter twice');
refused(post("$ok&timestamp=soon"), 400, "$bad parameter_invalid_integer", qr/^Invalid integer: soon$/, 'a timestamp that is none');
refused(post("event_name=" . 'x' x 101 . '&payload[value]=1'), 400, "$bad parameter_invalid_string", qr/at most 100 characters/, 'a long name');
refused(post("a=%zz"), 400, "$bad -", qr/cannot be decoded/, 'a broken escape');
refused(post("$ok&timestamp=" . ($now - 35 * 86400 - 1)), 400, "$bad -", qr/^The event timestamp cannot be more than 35 days in past\. Expected a timestamp greater than or equal to 1715129640\.$/, 'too old');
refused(post("$ok&timestamp=" . ($now + 301)), 400, "$bad -", qr/future/, 'in the future');
is(post("$ok&timestamp=" . ($now - 35 * 86400) . "&expand[]=a&expand[]=b")->{status}, 200, 'just not too old');
is(post("$ok&timestamp=" . ($now + 300))->{status}, 200, 'just not in the future');
refused(post(sprintf $form, 'a', '1234567890.123456'), 400, "$bad -", qr/15 digits/, 'too many digits');
is(post(sprintf $form, 'a', '1000000000000000000')->{status}, 200, 'zeros at the end are no digits');
$answer = post("$ok&identifier=e1");
refused($answer, 400, "$bad -", qr/^An event already exists with identifier e1\.$/, 'a duplicate');
is($answer->{headers}{'stripe-should-retry'}, 'false', 'is not to be retried');
refused(call('POST', '//v1/billing/meter_events', $ok), 404, "$bad -", qr/Unrecognized request URL/, 'a doubled slash');

is($sandbox->stop, 0, 'it stops with success');
done_testing();
