# Each fault of the sandbox, seen from the wire.
use strict;
use warnings;

use IO::Uncompress::Gunzip qw(gunzip);
use Sandbox;
use Test::More;

my $sandbox = Sandbox->start(args => []);
my @headers = ('X-API-KEY' => 'k', 'Content-Type' => 'application/json');
my $event = '{"meterTimeInMillis":1,"meterApiName":"%s"}';

sub ingest { return $sandbox->call('POST', '/ingest', [@headers], sprintf $event, $_[0] // 'm'); }
sub ingested { return $sandbox->state->{amberflo}{ingested}; }

# One fault, one call: the answer, and whether the event was taken in.
sub try
{
	my ($fault, $taken, @options) = @_;
	my $before = ingested();

	$sandbox->clear_ledger;
	$sandbox->fault(path => '/ingest', fault => $fault, @options);
	my $answer = ingest();
	is(ingested() - $before, $taken, "$fault: " . ($taken ? 'taken in' : 'not taken in'));
	is($sandbox->ledger->[0]{fault}, $fault, "$fault: in the ledger");
	is(ingest()->{content}, '1 records were ingested', "$fault: once only");
	return $answer;
}

my $answer = try('status', 0);
is("$answer->{status} $answer->{content}", '500 {"message":"Internal server error"}', 'status: 500 as Amberflo says it');
$answer = try('status', 0, status => 429, headers => { 'Retry-After' => '7' }, body => 'slow', type => 'text/plain');
is("$answer->{status} $answer->{headers}{'retry-after'} $answer->{headers}{'content-type'} $answer->{content}",
	'429 7 text/plain slow', 'status: with headers and body');
$answer = try('status', 0, status => 302, headers => [ [ Location => '/a' ], [ 'Set-Cookie' => 'a=1' ], [ 'Set-Cookie' => 'b=2' ] ]);
is("$answer->{headers}{location} $answer->{headers}{'set-cookie'}", '/a a=1, b=2', 'status: repeated headers');
is(try('status', 1, taken => 1)->{status}, 500, 'status: after the request was taken in');
is(try('reset_before', 0)->{error}, 'reset', 'reset before');
is(try('reset_after', 1)->{error}, 'reset', 'reset after');
is(try('close_before', 0)->{error}, 'closed', 'close before');
is(try('close_after', 1)->{error}, 'closed', 'close after');
is(try('truncated', 1)->{error}, 'truncated', 'truncated');
$answer = try('oversized', 1, bytes => 200000);
is($answer->{content}, '"' . 'a' x 199998 . '"', 'oversized: JSON of that size');
$answer = try('not_json', 1);
is("$answer->{headers}{'content-type'} " . substr($answer->{content}, 0, 6), 'application/json <html>', 'not JSON');
foreach my $bytes (2, 16384, 16385, 1000000)
{
	$answer = try('gzip_bomb', 1, bytes => $bytes);
	gunzip(\$answer->{content} => \my $content);
	is($answer->{headers}{'content-encoding'}, 'gzip', 'gzip bomb: packed');
	ok($content eq '"' . 'a' x ($bytes - 2) . '"', "gzip bomb: JSON of $bytes bytes");
}
ok(length $answer->{content} < 2000, 'gzip bomb: small on the wire');
is(try('latin1', 1)->{content}, "{\"message\":\"caf\xE9\"}", 'latin1');
is(try('slow', 1, ms => 1)->{status}, 200, 'slow: answered all the same');

# A body without end has no length.
$sandbox->fault(path => '/ingest', fault => 'oversized', bytes => -1);
my $endless = $sandbox->connect;
$endless->send('POST', '/ingest', [@headers], sprintf $event, 'm');
ok(defined $endless->take(1_000_000), 'oversized: without end');
close $endless->{socket};

# A held request is in the ledger, without an answer until it is released.
$sandbox->clear_ledger;
$sandbox->fault(path => '/ingest', fault => 'hold');
my $held = $sandbox->connect;
$held->send('POST', '/ingest', [@headers], sprintf $event, 'm');
ok($sandbox->wait_for_requests(1), 'hold: in the ledger');
is($sandbox->ledger->[0]{status}, undef, 'hold: not answered');
is(ingest()->{status}, 200, 'hold: others are answered');
is($sandbox->release, 1, 'hold: released');
is($held->receive('POST')->{status}, 200, 'hold: answered');
is($sandbox->ledger->[0]{status}, 200, 'hold: noted');

# On a connection that was used before.
my $used = $sandbox->connect;
is($used->call('POST', '/ingest', [@headers], sprintf $event, 'm')->{status}, 200, 'a connection in use');
$sandbox->fault(path => '/ingest', fault => 'close_before');
is($used->call('POST', '/ingest', [@headers], sprintf $event, 'm')->{error}, 'closed', 'ends without an answer');

# Which calls are hit.
$sandbox->fault(path => '/ingest', fault => 'status', count => 2, skip => 1);
is_deeply([ map { ingest()->{status} } 1 .. 4 ], [ 200, 500, 500, 200 ], 'skip and count');
$sandbox->fault(path => '/ingest', fault => 'status', contains => '"bad"');
is_deeply([ map { ingest($_)->{status} } qw(good bad bad) ], [ 200, 500, 200 ], 'by what the body contains');
$sandbox->fault(path => '/cust*', method => 'GET', fault => 'status', status => 503);
is(ingest()->{status}, 200, 'another path');
is($sandbox->call('PUT', '/customers', [@headers], '{}')->{status}, 400, 'another method');
is($sandbox->call('GET', '/customers/x?y=z', [@headers])->{status}, 503, 'a path by its beginning');
$sandbox->fault(path => '/ingest', fault => 'status', status => $_) foreach 501, 502;
is_deeply([ map { ingest()->{status} } 1 .. 3 ], [ 501, 502, 200 ], 'one after the other');
$sandbox->fault(path => '/ingest', fault => 'status', count => 5);
ingest();
is($sandbox->faults->[0]{count}, 4, 'what is left');
$sandbox->clear_faults;
is_deeply($sandbox->faults, [], 'faults can be dropped');
is(ingest()->{status}, 200, 'and then do not hit');
is($sandbox->call('POST', '/_sandbox/faults', [], $_)->{status}, 400, "refused: $_")
  foreach '{}', '{"path":"/x","fault":"unknown"}', '{"path":"/x","fault":"slow","ms":"1"}', '[';

# Held requests do not keep it from stopping.
$sandbox->fault(path => '/ingest', fault => 'hold');
$sandbox->clear_ledger;
$held = $sandbox->connect;
$held->send('POST', '/ingest', [@headers], sprintf $event, 'm');
$sandbox->wait_for_requests(1);
is($sandbox->stop, 0, 'it stops with a request held');

done_testing();
