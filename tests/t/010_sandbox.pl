# The sandbox itself: start and stop, ledger, control paths, settings.
use strict;
use warnings;

use JSON::PP;
use MIME::Base64;
use Sandbox;
use Test::More;

my $sandbox = Sandbox->start(amberflo_key => [ 'key-1', 'key-2' ], stripe_key => 'sk_test_1');
my $json = 'application/json';
my $event = '{"meterTimeInMillis": 1718153645993, "meterApiName": "calls", "meterValue": 12345678901234567890.123456789}';

# The ledger keeps what came, as it came.
my $connection = $sandbox->connect;
my $answer = $connection->call('POST', '/ingest?x=%41&y=a+b',
	[ 'x-Api-KEY' => 'key-1', 'Content-Type' => $json, 'X-Twice' => 'a', 'x-twice' => 'b' ], $event);
is($answer->{status}, 200, 'a request is answered');
$connection->call('GET', '/customers/a%2Fb%20c', [ 'X-API-KEY' => 'key-2' ]);
$sandbox->call('GET', "/customers?q=\xFF", [ 'X-API-KEY' => 'wrong', 'X-Bytes' => "caf\xE9" ]);
my $ledger = $sandbox->ledger;
is(scalar @$ledger, 3, 'each request has an entry, control requests have none');
my $first = $ledger->[0];
is("$first->{method} $first->{target} $first->{version}", 'POST /ingest?x=%41&y=a+b HTTP/1.1', 'request line, undecoded');
is($first->{body}, $event, 'body as text');
is(decode_base64($first->{body_base64}), $event, 'body as bytes');
is_deeply(
	$first->{headers},
	[   [ 'Host', '127.0.0.1:' . $sandbox->port ], [ 'x-Api-KEY', 'key-1' ], [ 'Content-Type', $json ],
		[ 'X-Twice', 'a' ], [ 'x-twice', 'b' ], [ 'Content-Length', length $event ] ],
	'headers in order, with their case');
is_deeply([ map { $_->{status} } @$ledger ], [ 200, 404, 401 ], 'how each was answered');
is_deeply([ map { $_->{seq} } @$ledger ], [ 1, 2, 3 ], 'sequence numbers');
is($first->{connection}, $ledger->[1]{connection}, 'a connection that was used again');
isnt($first->{connection}, $ledger->[2]{connection}, 'another connection');
cmp_ok($first->{time_us}, '<=', $ledger->[1]{time_us}, 'times ascend');
is_deeply($ledger->[2]{headers}[2], [ 'X-Bytes', { base64 => encode_base64("caf\xE9", '') } ],
	'bytes that are not UTF-8 are kept');
is($ledger->[1]{target}, '/customers/a%2Fb%20c', 'an encoded path stays encoded');
is(scalar @{ $sandbox->ledger(since => 2) }, 2, 'entries since a number');
is(scalar @{ $sandbox->ledger(path => '/customers?') }, 1, 'entries of a path');
is($sandbox->counts->{count}, 3, 'the number of entries');

# A body that breaks off is noted, too.
my $half = $sandbox->connect;
$half->write("POST /ingest HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{\"half\":");
shutdown($half->{socket}, 1);
ok($sandbox->wait_for_requests(4), 'a broken request gets into the ledger');
is($sandbox->ledger->[3]{body}, '{"half":', 'as far as it came');
ok(!$sandbox->ledger->[3]{complete}, 'and marked as incomplete');
$sandbox->clear_ledger;
is_deeply($sandbox->ledger, [], 'the ledger can be cleared');

# Every digit can be read back.
like($sandbox->state_text, qr/"meterValue":12345678901234567890\.123456789,/, 'digit for digit');

# Settings change while it runs; reset forgets everything but them.
$sandbox->settings(amberflo_keys => ['key-3'], key_status => 403, now_ms => 1718153645993);
is($sandbox->call('GET', '/customers', [ 'X-API-KEY' => 'key-1' ])->{status}, 403, 'a key that was taken away');
is($sandbox->call('GET', '/customers', [ 'X-API-KEY' => 'key-3' ])->{status}, 200, 'the key that took its place');
is($sandbox->state->{now_ms}, 1718153645993, 'a fixed clock');
$sandbox->reset;
is_deeply($sandbox->state->{amberflo}{events}, [], 'reset forgets the events');
is($sandbox->counts->{count}, 0, 'and the ledger');
is($sandbox->state->{now_ms}, 1718153645993, 'but not the settings');
is($sandbox->call('POST', '/_sandbox/settings', {}, '{"key_status": "x"}')->{status}, 400, 'a bad setting is refused');
is($sandbox->call('GET', '/_sandbox/other')->{status}, 404, 'an unknown control path');
is($sandbox->call('PUT', '/ingest')->{status}, 405, 'an unknown method');

# Limits.
my $huge = $sandbox->connect;
$huge->write("POST /ingest HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\n\r\n");
is($huge->receive('POST')->{status}, 413, 'a body beyond the limit');
is($sandbox->stop, 0, 'SIGTERM ends it with success');

my $bounded = Sandbox->start(args => [ '--ledger-limit', 2, '--event-limit', 1 ]);
$bounded->call('POST', '/ingest', [ 'X-API-KEY' => "key-$_", 'Content-Type' => $json ], $event) foreach 1 .. 3;
is_deeply([ map { $_->{seq} } @{ $bounded->ledger } ], [ 2, 3 ], 'a bounded ledger keeps the newest');
is_deeply($bounded->counts, { count => 3, kept => 2, connections => 5, busiest => 1 }, 'and counts them all');
is($bounded->state->{amberflo}{ingested}, 3, 'so do bounded events');
is(scalar @{ $bounded->state->{amberflo}{events} }, 1, 'which keep the first');
my $quiet = Sandbox->start(args => ['--quiet-ledger']);
$quiet->call('POST', '/ingest', [ 'X-API-KEY' => 'any', 'Content-Type' => $json ], $event);
is_deeply($quiet->ledger, [], 'a quiet ledger is empty');
is($quiet->counts->{count}, 1, 'but counts');

# Many connections at once, each used again.
my @many = map { $quiet->connect } 1 .. 200;
foreach my $round (1 .. 2)
{
	$_->send('POST', '/ingest', [ 'X-API-KEY' => 'any', 'Content-Type' => $json ], $event) foreach @many;
	is(scalar(grep { $_->receive('POST')->{status} == 200 } @many), 200, 'all of 200 connections are answered');
}
is($quiet->state->{amberflo}{ingested}, 401, 'and nothing is lost');

done_testing();
