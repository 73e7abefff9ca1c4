# Faults of HTTP/2: streams and connections that end early, windows that stay
# closed, frames and headers that make no sense or never end.  Prints a table:
# number, fault, what is required, what was seen.
use strict;
use warnings;

use Compress::Zlib;
use FaultTable;
use Http2Server;
use Test::More;
use TlsServer;

BEGIN { *frame = \&Http2Server::frame; *header = \&Http2Server::header; }

my $directory = TlsServer::new_directory();
my $here = "$directory";

TlsServer::authority($here, 'trusted');
TlsServer::certificate($here, 'good', 'trusted', 'DNS:localhost');
chmod 0644, glob "$here/*";

my $table = FaultTable->new(table => \*DATA);
my ($data, $headers, $reset, $settings, $goaway) = (Http2Server::DATA, Http2Server::HEADERS, Http2Server::RST_STREAM, Http2Server::SETTINGS, Http2Server::GOAWAY);
my ($continuation, $push) = (Http2Server::CONTINUATION, Http2Server::PUSH_PROMISE);
my ($end_stream, $end_headers) = (Http2Server::END_STREAM, Http2Server::END_HEADERS);
my $ok = frame($headers, $end_headers, 1, Http2Server::ok());
my $whole = Http2Server::answer('whole');
my $part = $ok . frame($data, 0, 1, 'part');

my $packed = frame($headers, $end_headers, 1, Http2Server::ok() . header('content-encoding', 'gzip'));
my $gzip = Compress::Zlib::memGzip('unpacked');

sub reset_by { return frame($reset, 0, 1, pack('N', $_[0])); }

sub goaway { return frame($goaway, 0, 0, pack('NN', @_)); }

# Name, workflow, actions.
my @cases = (
	[ 'whole answer', 'read', [$whole] ],
	[ 'an end that comes early, no length', 'read', [ $ok . frame($data, $end_stream, 1, '{"amount": 12') ] ],
	[ 'gzip, whole', 'read', [ $packed . frame($data, $end_stream, 1, $gzip) ] ],
	[ 'gzip cut off', 'read', [ $packed . frame($data, $end_stream, 1, substr($gzip, 0, -1)) ] ],
	[ 'GOAWAY, the stream was not taken up', 'write', [ goaway(0, 0), 'STALL' ] ],
	[ 'GOAWAY, the stream was taken up', 'write', [ goaway(1, 0), $whole ] ],
	[ 'GOAWAY for a reason', 'write', [ goaway(1, 2), 'CLOSE' ] ],
	[ 'GOAWAY within the body', 'write', [ $part, goaway(1, 0), 'CLOSE' ] ],
	(map { [ "RST_STREAM $_->[0]", 'write', [ reset_by($_->[1]), 'STALL' ] ] }
		[ 'without error', 0 ], [ 'protocol error', 1 ], [ 'internal error', 2 ], [ 'refused', 7 ], [ 'cancelled', 8 ], [ 'calm down', 11 ], [ 'unknown', 999 ]),
	[ 'RST_STREAM within the body', 'write', [ $part . reset_by(2), 'STALL' ] ],
	[ 'RST_STREAM without error within the body', 'write', [ $part . reset_by(0), 'STALL' ] ],
	[ 'end within the body', 'write', [ $part, 'CLOSE' ] ],
	[ 'end before anything', 'write', ['CLOSE'] ],
	[ 'silence', 'write', ['STALL'] ],
	[ 'silence within the body', 'read', [ $part, 'STALL' ] ],
	[ 'window of 0 for a body', 'large', [ frame($settings, 0, 0, pack('nN', 4, 0)), 'STALL' ] ],
	[ 'window beyond all limits', 'write', [ frame(Http2Server::WINDOW_UPDATE, 0, 0, pack('N', 2**31 - 1)) x 2, 'STALL' ] ],
	[ 'settings without end', 'read', [ [ repeat => frame($settings, 0, 0, pack('nN', 4, 65535)) x 100 ] ] ],
	[ 'pings without end', 'read', [ [ repeat => frame(Http2Server::PING, 0, 0, 'x' x 8) x 100 ] ] ],
	[ 'empty data without end', 'read', [ $ok, [ repeat => frame($data, 0, 1, '') x 100 ] ] ],
	[ 'data without end', 'read', [ $ok, [ repeat => frame($data, 0, 1, 'x' x 16384) ] ] ],
	[ 'continuation without end', 'read', [ frame($headers, 0, 1, Http2Server::ok()), [ repeat => frame($continuation, 0, 1, header('x-a', 'a' x 1000)) ] ] ],
	[ 'empty continuation without end', 'read', [ frame($headers, 0, 1, Http2Server::ok()), [ repeat => frame($continuation, 0, 1, '') x 100 ] ] ],
	[ 'header that unpacks itself', 'read', [ frame($headers, $end_headers, 1, Http2Server::ok() . "\x40\x03x-a" . Http2Server::number(4000, 7) . 'a' x 4000 . chr(0xbe) x 12000) ] ],
	[ 'interim answers without end', 'read', [ [ repeat => frame($headers, $end_headers, 1, "\x08\x03103") ] ] ],
	[ 'index outside the table', 'read', [ frame($headers, $end_headers, 1, chr(0xff) . chr(0x7f)) ] ],
	[ 'no status', 'read', [ frame($headers, $end_headers, 1, header('x-a', 'a')), frame($data, $end_stream, 1, 'x') ] ],
	[ 'status that is none', 'read', [ frame($headers, $end_headers, 1, header(':status', 'abc')) . frame($data, $end_stream, 1, 'x') ] ],
	[ 'header in capitals', 'read', [ frame($headers, $end_headers, 1, Http2Server::ok() . header('X-A', 'a')), frame($data, $end_stream, 1, 'x') ] ],
	[ 'header with CR and LF', 'read', [ frame($headers, $end_headers, 1, Http2Server::ok() . header('x-a', "a\r\nx-b: c")), frame($data, $end_stream, 1, 'x') ] ],
	[ 'length that is too small', 'read', [ frame($headers, $end_headers, 1, Http2Server::ok() . header('content-length', '2')) . frame($data, $end_stream, 1, 'longer') ] ],
	[ 'length that is too large', 'read', [ frame($headers, $end_headers, 1, Http2Server::ok() . header('content-length', '20')) . frame($data, $end_stream, 1, 'short') ] ],
	[ 'data before headers', 'read', [ frame($data, $end_stream, 1, 'x') ] ],
	[ 'data of no stream', 'read', [ frame($data, 0, 0, 'x') ] ],
	[ 'answer to another stream', 'read', [ frame($headers, $end_headers, 3, Http2Server::ok()) ] ],
	[ 'frame that is too large', 'read', [ $ok, frame($data, 0, 1, 'x' x 20000) ] ],
	[ 'push that nobody wants', 'read', [ frame($push, $end_headers, 1, pack('N', 2) . Http2Server::ok()), $whole ] ],
	[ 'unknown frame', 'read', [ frame(99, 0, 1, 'x'), $whole ] ],
	[ 'no HTTP/2', 'read', [ "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", 'STALL' ] ]);

$table->load('https://probe.test/large.yaml', <<'YAML');
arazzo: 1.0.1
info: {title: t, version: '1'}
sourceDescriptions: [{name: api, url: openapi.yaml}]
workflows:
- workflowId: large
  inputs: {type: object, properties: {padding: {type: string}}}
  steps:
  - {stepId: s, operationId: post, parameters: [{name: case, in: path, value: x}], requestBody: {payload: {padding: $inputs.padding}}}
YAML

# Its connections are kept, each to a port that is gone.
my $session = $table->new_session;
my $pid = $session->ask('SELECT pg_backend_pid();');

# What becomes of a case, with a server of its own.  Time runs out where it must
# only: a busy machine takes a while for frames without end.
sub outcome
{
	my ($fault, $workflow, $actions) = @_;
	my $timeout = $table->expected(18, $fault) =~ /timed out/ ? '600ms' : '20s';
	my $server = Http2Server->start($here, 'good', $actions);
	my $run = $workflow eq 'large' ? q{SELECT arazzo_run('large', jsonb_build_object('padding', repeat('x', 1000000)));} : FaultTable::run($workflow, 'x');
	my $said = $table->words($session->ask(FaultTable::with_options(
		"SET url 'https://localhost:$server->{port}', ADD ca_file '$here/trusted.pem', ADD timeout '$timeout', ADD max_response_bytes '1MB'", $run)));

	return "$said; " . $server->streams . ' sent';
}

foreach my $case (@cases)
{
	my $fault = $case->[0];
	my $observed = outcome(@$case);

	# Which of two frames that are on their way is seen first is chance, and
	# decides some cases: they are looked at once more.
	$observed = outcome(@$case) unless $table->expects(18, $fault, $observed);
	$table->row_of(18, $fault, $observed);
}

my $sockets = grep { (readlink($_) // '') =~ /^socket/ } glob "/proc/$pid/fd/*";
$table->row_of(18, 'connections kept after all that', $sockets <= 40 ? 'no more than 32 of a server' : "$sockets sockets");

$table->finish;

__DATA__
18 | whole answer | received | {"body": "whole"}; 1 sent
18 | an end that comes early, no length | whole, as far as the protocol can tell | {"body": "{\"amount\": 12"}; 1 sent
18 | gzip, whole | received | {"body": "unpacked"}; 1 sent
18 | gzip cut off | unknown outcome, one request | 08006 response from "localhost" was cut off | The server may have received the call.; 1 sent
18 | GOAWAY, the stream was not taken up | unknown outcome, one request | 08006 connection to "localhost" was lost before a response arrived | The server may have received the call.; 1 sent
18 | GOAWAY, the stream was taken up | received | {"body": "whole"}; 1 sent
18 | GOAWAY for a reason | unknown outcome, one request | 08006 response from "localhost" was cut off | The server may have received the call.; 1 sent
18 | GOAWAY within the body | unknown outcome, one request | 08006 response from "localhost" was cut off | The server may have received the call.; 1 sent
18 | RST_STREAM without error | unknown outcome, one request | 08006 connection to "localhost" was lost before a response arrived | The server may have received the call.; 1 sent
18 | RST_STREAM protocol error | unknown outcome, one request | 08006 connection to "localhost" was lost before a response arrived | The server may have received the call.; 1 sent
18 | RST_STREAM internal error | unknown outcome, one request | 08006 connection to "localhost" was lost before a response arrived | The server may have received the call.; 1 sent
18 | RST_STREAM refused | unknown outcome, one request | 08006 connection to "localhost" was lost before a response arrived | The server may have received the call.; 1 sent
18 | RST_STREAM cancelled | unknown outcome, one request | 08006 connection to "localhost" was lost before a response arrived | The server may have received the call.; 1 sent
18 | RST_STREAM calm down | unknown outcome, one request | 08006 connection to "localhost" was lost before a response arrived | The server may have received the call.; 1 sent
18 | RST_STREAM unknown | unknown outcome, one request | 08006 connection to "localhost" was lost before a response arrived | The server may have received the call.; 1 sent
18 | RST_STREAM within the body | unknown outcome, one request | 08006 connection to "localhost" was lost before a response arrived | The server may have received the call.; 1 sent
18 | RST_STREAM without error within the body | unknown outcome, one request | 08006 connection to "localhost" was lost before a response arrived | The server may have received the call.; 1 sent
18 | end within the body | bounded, clean error | 08006 response from "localhost" was cut off | The server may have received the call.; 1 sent
18 | end before anything | bounded, clean error | 08006 response from "localhost" was cut off | The server may have received the call.; 1 sent
18 | silence | bounded, clean error | 08006 request to "localhost" timed out | No complete response arrived within 600 ms. | The server option timeout sets the limit.; 1 sent
18 | silence within the body | bounded, clean error | 08006 request to "localhost" timed out | No complete response arrived within 600 ms. | The server option timeout sets the limit.; 1 sent
18 | window of 0 for a body | bounded, clean error | 08006 request to "localhost" timed out | No complete response arrived within 600 ms. | The server option timeout sets the limit.; 1 sent
18 | window beyond all limits | bounded, clean error | 08006 connection to "localhost" was lost before a response arrived | The server may have received the call.; 1 sent
18 | settings without end | bounded, clean error | 08006 connection to "localhost" was lost before a response arrived | The server may have received the call.; 1 sent
18 | pings without end | bounded, clean error | 08006 connection to "localhost" was lost before a response arrived | The server may have received the call.; 1 sent
18 | empty data without end | bounded, clean error | 08006 request to "localhost" timed out | No complete response arrived within 600 ms. | The server option timeout sets the limit.; 1 sent
18 | data without end | bounded, clean error | 54000 response from "localhost" is too large | The limit is 1048576 bytes, after decompression. | The server option max_response_bytes sets the limit.; 1 sent
18 | continuation without end | bounded, clean error | 08006 connection to "localhost" was lost before a response arrived | The server may have received the call.; 1 sent
18 | empty continuation without end | bounded, clean error | 08006 connection to "localhost" was lost before a response arrived | The server may have received the call.; 1 sent
18 | header that unpacks itself | bounded, clean error | 08006 connection to "localhost" was lost before a response arrived | The server may have received the call.; 1 sent
18 | interim answers without end | bounded, clean error | 08006 response from "localhost" was cut off | The server may have received the call.; 1 sent
18 | index outside the table | bounded, clean error | 08006 connection to "localhost" was lost before a response arrived | The server may have received the call.; 1 sent
18 | no status | bounded, clean error | 08006 connection to "localhost" was lost before a response arrived | The server may have received the call.; 1 sent
18 | status that is none | bounded, clean error | 08006 connection to "localhost" was lost before a response arrived | The server may have received the call.; 1 sent
18 | header in capitals | bounded, clean error | 08006 connection to "localhost" was lost before a response arrived | The server may have received the call.; 1 sent
18 | header with CR and LF | bounded, clean error | 08006 connection to "localhost" was lost before a response arrived | The server may have received the call.; 1 sent
18 | length that is too small | bounded, clean error | 08006 connection to "localhost" was lost before a response arrived | The server may have received the call.; 1 sent
18 | length that is too large | bounded, clean error | 08006 connection to "localhost" was lost before a response arrived | The server may have received the call.; 1 sent
18 | data before headers | bounded, clean error | 08006 connection to "localhost" was lost before a response arrived | The server may have received the call.; 1 sent
18 | data of no stream | bounded, clean error | 08006 connection to "localhost" was lost before a response arrived | The server may have received the call.; 1 sent
18 | answer to another stream | bounded, clean error | 08006 connection to "localhost" was lost before a response arrived | The server may have received the call.; 1 sent
18 | frame that is too large | bounded; old versions of the library take it for the end | {"body": null}; 1 sent
18 | push that nobody wants | bounded, clean error | {"body": "whole"}; 1 sent
18 | unknown frame | received | {"body": "whole"}; 1 sent
18 | no HTTP/2 | bounded, clean error | 08006 connection to "localhost" was lost before a response arrived | The server may have received the call.; 1 sent
18 | connections kept after all that | bounded | no more than 32 of a server
