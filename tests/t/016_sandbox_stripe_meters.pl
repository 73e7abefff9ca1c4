# The sandbox as Stripe behaves: meters, sums, error reports, the second version
# of the API.
use strict;
use warnings;

use JSON::PP;
use Sandbox;
use Test::More;

my $sandbox = Sandbox->start(stripe_key => 'sk_test_0123456789',
	args => [ '--strict-meters', '--stripe-customer', 'cus_a', '--now-ms', 1718150400000 ]);
my $events = '/v1/billing/meter_events';
my $ok = 'event_name=calls&payload[stripe_customer_id]=cus_a&payload[value]=1';
my $bad = 'invalid_request_error';
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

# Meters.
my $meters = '/v1/billing/meters';
refused(post($ok), 400, "$bad -", qr/^No active meter found for event name calls\.$/, 'no meter');
my $meter = 'display_name=Calls&event_name=calls&default_aggregation[formula]=%s';
my $answer = body(call('POST', $meters, sprintf $meter, 'sum'));
is_deeply($answer->{customer_mapping}, { event_payload_key => 'stripe_customer_id', type => 'by_id' }, 'a meter with its defaults');
refused(call('POST', $meters, sprintf $meter, 'avg'), 400, "$bad -", qr/must be one of count or sum or last/, 'an unknown formula');
refused(call('POST', $meters, sprintf($meter, 'sum') . '&customer_mapping[x]=1'), 400, "$bad parameter_unknown", qr/customer_mapping\[x\]/, 'an unknown inner parameter');
refused(call('POST', $meters, sprintf $meter, 'sum'), 400, "$bad resource_already_exists", qr/already an active meter/, 'a second one for the name');
is(body(call('POST', "$meters/mtr_1", 'display_name=All'))->{display_name}, 'All', 'its name can change');
refused(call('POST', "$meters/mtr_1", 'event_name=x'), 400, "$bad parameter_unknown", qr/event_name/, 'nothing else can');
refused(call('GET', "$meters/mtr_9"), 404, "$bad resource_missing", qr/No such meter/, 'another one');
is(body(call('POST', "$meters/mtr_1/deactivate"))->{status}, 'inactive', 'switched off');
is(post($ok)->{status}, 400, 'no events for it');
is(scalar @{ body(call('GET', "$meters?status=active&limit=5"))->{data} }, 0, 'no active meters');
is(body(call('POST', "$meters/mtr_1/reactivate"))->{status}, 'active', 'switched on');
is(body(call('GET', "$meters/mtr_1"))->{status}, 'active', 'and read');

# Sums are late; what was found wrong meanwhile is reported and not summed.
post($_) foreach map({ sprintf $form, 'a', $_ } '0.1', '0.2', 'many'), sprintf($form, 'nobody', 5), 'event_name=calls&payload[stripe_customer_id]=cus_a', 'event_name=calls&payload[value]=1', "$ok&identifier=gone";
my $summaries = sub { body(call('GET', "$meters/mtr_1/event_summaries?customer=cus_a&start_time=1718150400&end_time=1718154000$_[0]"))->{data} };
is($summaries->('')->[0]{aggregated_value}, 0, 'the sum is late');
is(body(call('POST', '/v1/billing/meter_event_adjustments', 'event_name=calls&type=cancel&cancel[identifier]=gone'))->{status}, 'pending', 'an event is cancelled');
refused(call('POST', '/v1/billing/meter_event_adjustments', 'event_name=calls&type=cancel&cancel[identifier]=other'), 400, "$bad -", qr/identifier other/, 'another one is not there');
$sandbox->settle;
like(call('GET', "$meters/mtr_1/event_summaries?customer=cus_a&start_time=1718150400&end_time=1718154000")->{content}, qr/"aggregated_value":0\.3,/, 'then it is exact');
is(scalar @{ $summaries->('&value_grouping_window=hour') }, 1, 'by hour');
refused(call('GET', "$meters/mtr_1/event_summaries?customer=cus_a&start_time=1718150401&end_time=1718154000"), 400, "$bad -", qr/aligned with minute/, 'not aligned');
is_deeply({ map { $_->{code} => $_->{error_count} } @{ $sandbox->state->{stripe}{error_reports} } },
	{ meter_event_invalid_value => 1, meter_event_customer_not_found => 1, payload_no_value_defined => 1, meter_event_no_customer_defined => 1 }, 'the reports');

# The second version of the API.
my $v2 = sub { call('POST', "/v2/billing/$_[0]", $_[1], 'Content-Type' => 'application/json', @_[2 .. $#_]) };
my $event = '{"event_name":"calls","payload":{"stripe_customer_id":"cus_a","value":"1"},"identifier":"v2","timestamp":"2024-06-12T02:00:00.5+02:00"}';
is(body($v2->('meter_events', $event))->{timestamp}, '2024-06-12T00:00:00Z', 'an event');
refused($v2->('meter_events', $event), 400, "$bad duplicate_meter_event", qr/already exists/, 'the same event has a code');
refused($v2->('meter_events', '{"event_name":1,"payload":{}}'), 400, "$bad invalid_request", qr/must be a string/, 'a wrong type');
my $session = body($v2->('meter_event_session', ''));
my @bearer = (Authorization => "Bearer $session->{authentication_token}");
is($v2->('meter_event_stream', "{\"events\":[$event,$event]}", @bearer)->{content}, '{}', 'the stream takes what it gets');
refused($v2->('meter_event_stream', '{"events":[]}', @bearer), 400, "$bad invalid_request", qr/1 to 100/, 'but not nothing');
refused($v2->('meter_event_stream', "{\"events\":[$event]}"), 401, "$bad billing_meter_event_session_expired", qr/expired/, 'a key is no token');
$sandbox->settings(now_ms => 1718150400000 + 15 * 60 * 1000);
is($v2->('meter_event_stream', "{\"events\":[$event]}", @bearer)->{status}, 401, 'a session ends after 15 minutes');
is(body($v2->('meter_event_adjustments', '{"event_name":"calls","type":"cancel","cancel":{"identifier":"v2"}}'))->{status}, 'pending', 'an adjustment');

is($sandbox->stop, 0, 'it stops with success');
done_testing();
