# The sandbox as the published description of Amberflo has it: ingest and usage.
use strict;
use warnings;

use IO::Compress::Gzip qw(gzip);
use JSON::PP;
use Sandbox;
use Test::More;

my $now = 1718153645993;
my $sandbox = Sandbox->start(amberflo_key => 'k', args => [ '--now-ms', $now ]);
my %types = (json => 'application/json', lines => 'application/x-ndjson');

sub call
{
	my ($method, $target, $body, %headers) = @_;
	my $type = delete $headers{type} // 'json';

	return $sandbox->call($method, $target, { 'X-API-KEY' => 'k', 'Content-Type' => $types{$type} // $type, %headers }, $body);
}

sub body
{
	my ($answer) = @_;
	return decode_json($answer->{content});
}

sub refused
{
	my ($answer, $text, $name) = @_;

	is($answer->{status}, 400, "$name: 400");
	like(body($answer)->{errorMessage}, $text, "$name: the reason");
}

# Keys.
my $answer = $sandbox->call('GET', '/customers');
is($answer->{status}, 401, 'no key');
is(body($answer)->{code}, 'UNAUTHORIZED', 'its code');
is($sandbox->call('GET', '/customers', { 'X-API-KEY' => 'K' })->{status}, 401, 'a wrong key');

# Ingest: one, several, lines, gzip.
my $event = '{"meterTimeInMillis":1718153645993,"meterApiName":"m","customerId":"c","meterValue":1.10,"uniqueId":"u","dimensions":{"b":"2","a":"1"},"other":1}';
$answer = call('POST', '/ingest', $event);
is($answer->{content}, '1 records were ingested', 'one event');
is($answer->{headers}{'content-type'}, 'text/plain', 'is answered in plain text');
is(call('POST', '/ingest/', "[$event,$event]")->{content}, '2 records were ingested', 'an array');
is(call('POST', '/ingest', "$event\n\n$event\r\n", type => 'lines')->{content}, '2 records were ingested', 'lines');
gzip(\$event => \my $packed);
is(call('POST', '/ingest', $packed, 'Content-Encoding' => 'gzip')->{content}, '1 records were ingested', 'gzip');
is(call('POST', '/ingest', '[]')->{content}, '0 records were ingested', 'an empty array');
is(call('POST', '/ingest', '{"meterTimeInMillis":1,"values":{"x":1,"y":2}}')->{content}, '1 records were ingested', 'an event of two meters');
my $state = $sandbox->state->{amberflo};
is(scalar @{ $state->{events} }, 8, 'kept, each value by itself');
is($state->{events}[0]{other}, undef, 'unknown members are dropped');
is_deeply([ map { "$_->{type} $_->{name}" } @{ $state->{signals} } ],
	[ 'undefined-customer c', 'undefined-meter m', 'undefined-meter x', 'undefined-meter y' ], 'undefined names are accepted, and noted');

# Ingest that is refused leaves nothing behind.
refused(call('POST', '/ingest', "[$event,{}]"), qr/'meterTimeInMillis' is required/, 'a bad event in a batch');
refused(call('POST', '/ingest', '{"meterTimeInMillis":"1"}'), qr/'meterTimeInMillis' must be an integer/, 'a text for a number');
refused(call('POST', '/ingest', '{"meterTimeInMillis":1,"uniqueId":null}'), qr/'uniqueId' must be a string/, 'null for a text');
refused(call('POST', '/ingest', '{"meterTimeInMillis":1,"dimensions":{"a":1}}'), qr/object of strings/, 'a number for a dimension');
refused(call('POST', '/ingest', '{"meterTimeInMillis":1,"meterValue":1e99999}'), qr/out of range/, 'a number beyond reason');
refused(call('POST', '/ingest', "$_"), qr/not JSON|empty|must be an object/, "ingest of $_") foreach '', '{', 'x', '{1:2}', '{"a":01}', '{"a":1,"a":1}', '3';
refused(call('POST', '/ingest', 'no gzip', 'Content-Encoding' => 'gzip'), qr/not gzip/, 'a broken gzip body');
is(call('POST', '/ingest', 'x=1', type => 'application/x-www-form-urlencoded')->{status}, 415, 'a form');
is($sandbox->state->{amberflo}{ingested}, 8, 'nothing of these was kept');

# Deduplication and cancellation come late; an event with any difference is another one.
my $usage = '{"meterApiName":"m","aggregation":"SUM","timeGroupingInterval":"DAY","startTimeInSeconds":1718064000,"endTimeInSeconds":1718236800}';
my $records = sub { body(call('POST', '/usage', $_[0] // $usage))->{clientMeters}{m}[0]{records} };
is_deeply($records->(), [ { '1718064000' => 0 }, { '1718150400' => 6.6 } ], 'fresh data: all count; zeros are filled in');
$sandbox->settle;
is_deeply($records->()->[1], { '1718150400' => 1.1 }, 'settled data: duplicates do not count');
(my $other = $event) =~ s/"u"/"u2"/;
(my $cancel = $event) =~ s/"b":"2"/"b":"2","aflo.cancel_previous_resource_event":"true"/;
call('POST', '/ingest', "[$other,$cancel]");
$sandbox->settle;
is_deeply($records->()->[1], { '1718150400' => 1.1 }, 'a cancelled event does not count, another one does');

# Usage queries.
call('POST', '/ingest', '[{"meterTimeInMillis":1718153645993,"meterApiName":"m","customerId":"d","meterValue":0.0000000000000000000000000001}]');
like(call('POST', '/usage', $usage)->{content}, qr/"1718150400":1\.1000000000000000000000000001\}/, 'sums are exact');
(my $grouped = $usage) =~ s/\}$/,"groupBy":["customerId"],"customerFilter":["d"]}/;
is_deeply(body(call('POST', '/usage', $grouped))->{clientMeters}{m}[0]{groupInfo}, { customerId => 'd' }, 'groups and customer filter');
(my $filtered = $usage) =~ s/SUM(.*)\}$/COUNT$1,"filter":{"a":["1"]}}/;
is_deeply($records->($filtered)->[1], { '1718150400' => 1 }, 'filter and count');
(my $greatest = $usage) =~ s/SUM/MAX/;
is_deeply($records->($greatest)->[1], { '1718150400' => 1.1 }, 'maximum');
is_deeply($records->('{"meterApiName":"m","aggregation":"COUNT","timeGroupingInterval":"MONTH"}'), [ { '1717200000' => 2 } ], 'without a range');
is_deeply($records->('{"meterApiName":"m","aggregation":"COUNT","timeGroupingInterval":"WEEK"}'), [ { '1717977600' => 2 } ], 'weeks begin on Monday');
refused(call('POST', '/usage', '{"meterApiName":"m","aggregation":"AVG","timeGroupingInterval":"DAY"}'), qr/'aggregation' must be one of SUM, MAX, COUNT/, 'an unknown aggregation');
refused(call('POST', '/usage', $usage =~ s/1718236800/1/r), qr/range is empty/, 'an empty range');
refused(call('POST', '/usage', $usage =~ s/DAY(.*)1718064000/HOUR${1}0/r), qr/too many/, 'too many intervals');

is($sandbox->stop, 0, 'it stops with success');
done_testing();
