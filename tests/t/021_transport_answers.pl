# Whatever a server answers, right or wrong, comes out whole or as an error
# with its SQLSTATE, within the limits, and the session goes on.

use strict;
use warnings;

use Compress::Zlib;
use HttpRoom;
use RawServer;
use Test::More;

my $ok = RawServer::response('ok');
my $head = "HTTP/1.1 200 OK\r\n";
my $chunked = $head . "Transfer-Encoding: chunked\r\n\r\n";
my $zeros = "\0" x (8 * 1024 * 1024);

# Path, actions, outcome and status and SQLSTATE, condition on the row that
# must hold, options.
my @cases = (
	[ 'length', [$ok], 'received 200', q{response_body = 'ok'} ],
	[ 'drip', [ [ drip => RawServer::response('drop by drop', 'X-Slow: yes') ] ], 'received 200',
		q{response_body = 'drop by drop' AND response_headers = '{X-Slow,yes,Content-Length,12}'} ],
	[ 'until-close', [ "$head\r\nall of it", 'CLOSE' ], 'received 200', q{response_body = 'all of it'} ],
	[ 'http-1-0', [ "HTTP/1.0 200 OK\r\n\r\nold", 'CLOSE' ], 'received 200', q{peer LIKE '127.0.0.1:% HTTP/1.0'} ],
	[ 'empty', [ "HTTP/1.1 204 No Content\r\n\r\n" ], 'received 204', q{response_body = ''} ],
	[ 'not-modified', [ "HTTP/1.1 304 Not Modified\r\nContent-Length: 100\r\n\r\n" ], 'received 304', q{response_body = ''} ],
	[ 'server-error', [ "HTTP/1.1 500 Oops\r\nContent-Length: 3\r\n\r\nbad" ], 'received 500', q{response_body = 'bad'} ],
	[ 'nul', [ RawServer::response("a\\0b") ], 'received 200', q{length(response_body) = 4} ],

	# Truncated and reset.
	[ 'no-byte', ['CLOSE'], 'unknown 0 08006', q{transient} ],
	[ 'reset', ['RESET'], 'unknown 0 08006', q{transient AND message LIKE 'connection to "127.0.0.1:%" was lost%'} ],
	[ 'half-head', [ "HTTP/1.1 200 OK\r\nContent-Le", 'CLOSE' ], 'unknown 0 08006', q{response_body = ''} ],
	[ 'half-body', [ "${head}Content-Length: 10\r\n\r\nhalf", 'CLOSE' ], 'unknown 200 08006',
		q{response_body = '' AND transient AND message LIKE 'response from "127.0.0.1:%" was cut off'} ],
	[ 'reset-body', [ "${head}Content-Length: 10\r\n\r\nhalf", 'RESET' ], 'unknown 200 08006', q{response_body = ''} ],
	[ 'lying-length', [ "${head}Content-Length: 99999999999\r\n\r\nhalf", 'CLOSE' ], 'unknown 200 08006', q{response_body = ''} ],

	# Chunks.
	[ 'chunks', [ "${chunked}3\r\none\r\n4;ext=1\r\n two\r\n0\r\nX-Trailer: t\r\n\r\n" ], 'received 200',
		q{response_body = 'one two' AND response_headers = '{Transfer-Encoding,chunked}'} ],
	[ 'chunk-size', [ "${chunked}zz\r\none\r\n0\r\n\r\n", 'CLOSE' ], 'unknown 200', q{sqlstate LIKE '08%'} ],
	[ 'chunk-huge', [ "${chunked}FFFFFFFFFFFFFFFFF\r\none\r\n", 'CLOSE' ], 'unknown 200', q{sqlstate LIKE '08%'} ],
	[ 'chunk-last', [ "${chunked}3\r\none\r\n", 'CLOSE' ], 'unknown 200', q{sqlstate LIKE '08%'} ],

	# Interim responses.
	[ 'interim', [ "HTTP/1.1 100 Continue\r\nX-I: 1\r\n\r\nHTTP/1.1 102 Processing\r\nX-I: 2\r\n\r\n"
		. "HTTP/1.1 103 Early Hints\r\nX-I: 3\r\n\r\n$ok" ], 'received 200',
		q{response_headers = '{Content-Length,2}' AND response_body = 'ok'} ],
	[ 'interim-endless', [ [ repeat => "HTTP/1.1 102 Processing\r\nX-I: 2\r\n\r\n" ] ], 'unknown 0', q{sqlstate = '54000'} ],

	# No HTTP at all.
	[ 'http-0-9', [ "hello\r\n", 'CLOSE' ], 'unknown 0 08P01', q{NOT transient AND message LIKE '%is not valid HTTP'} ],
	[ 'ssh', [ "SSH-2.0-OpenSSH_9.2\r\n", 'CLOSE' ], 'unknown 0 08P01', q{true} ],
	[ 'status-short', [ "HTTP/2 2x\r\n\r\n", 'CLOSE' ], 'unknown 2 08P01', q{message LIKE '%is not valid HTTP'} ],
	[ 'status-long', [ "HTTP/2 200200\r\n\r\n", 'CLOSE' ], 'unknown 200200 08P01', q{true} ],
	[ 'tls', [ "\x15\x03\x01\x00\x02\x02\x46", 'CLOSE' ], 'unknown 0', q{sqlstate LIKE '08%'} ],

	# Headers.
	[ 'many-headers', [ RawServer::response('ok', map { "X-$_: $_" } 1 .. 2000) ], 'received 200',
		q{cardinality(response_headers) = 4002 AND response_headers[3999:4000] = '{X-2000,2000}'} ],
	[ 'same-header', [ RawServer::response('', 'Set-Cookie: a', 'set-cookie: b', 'Set-Cookie: a') ], 'received 200',
		q{response_headers[1:6] = '{Set-Cookie,a,set-cookie,b,Set-Cookie,a}'} ],
	[ 'odd-headers', [ RawServer::response('', 'X-Empty:', 'X-Space :  v  ', "X-Fold: a\r\n  b") ], 'received 200',
		q{response_headers[1:4] = ARRAY['X-Empty', '', 'X-Space', 'v'] AND response_headers[5] = 'X-Fold'
			AND response_headers[6] ~ '^a +b$'} ],
	[ 'bare-return', [ RawServer::response('', "X-Name: a\rX-Other: b") ], 'received 200',
		q{response_headers[1:2] = ARRAY['X-Name', 'a X-Other: b']} ],
	[ 'latin-1', [ RawServer::response('', "X-Name: caf\xe9", "X-Utf: caf\xc3\xa9") ], 'received 200',
		q{response_headers[1:4] = ARRAY['X-Name', U&'caf\\00e9', 'X-Utf', U&'caf\\00e9']} ],
	[ 'nul-header', [ "${head}X-Nul: a\0b\r\nContent-Length: 0\r\n\r\n", 'CLOSE' ], 'unknown 0', q{sqlstate LIKE '08%'} ],
	[ 'large-header', [ RawServer::response('', 'X-Large: ' . 'a' x 50000) ], 'received 200',
		q{length(response_headers[2]) = 50000} ],
	[ 'header-limit', [ RawServer::response('', 'X-Large: ' . 'a' x 5000) ], 'unknown 0 54000',
		q{detail = 'The limit is 4000 bytes.'}, 'max_header_bytes=4000' ],
	[ 'headers-endless', [ $head, [ repeat => 'X-More: ' . 'a' x 100 . "\r\n" ] ], 'unknown 0 54000', q{NOT transient} ],

	# Bodies over the limit, which is 1 MB.
	[ 'oversize', [ RawServer::response('a' x 2000000) ], 'unknown 200 54000',
		q{response_body = '' AND detail = 'The limit is 1048576 bytes, after decompression.'} ],
	[ 'limit-exact', [ RawServer::response('a' x 100) ], 'received 200', q{length(response_body) = 100}, 'max_response_bytes=100' ],
	[ 'limit-over', [ RawServer::response('a' x 101) ], 'unknown 200 54000', q{true}, 'max_response_bytes=100' ],
	[ 'endless', [ "$head\r\n", [ repeat => 'a' x 65536 ] ], 'unknown 200 54000', q{true} ],
	[ 'bomb', [ RawServer::response(Compress::Zlib::memGzip($zeros), 'Content-Encoding: gzip') ], 'unknown 200 54000', q{true} ],
	[ 'bomb-twice', [ RawServer::response(Compress::Zlib::memGzip(Compress::Zlib::memGzip($zeros)),
		'Content-Encoding: gzip, gzip') ], 'unknown 200 08P01', q{true} ],
	[ 'gzip', [ RawServer::response(Compress::Zlib::memGzip('a' x 10000), 'Content-Encoding: gzip') ], 'received 200',
		q{response_body = repeat('a', 10000)} ],
	[ 'deflate', [ RawServer::response(compress('deflated'), 'Content-Encoding: deflate') ], 'received 200',
		q{response_body = 'deflated'} ],
	[ 'gzip-cut', [ RawServer::response(substr(Compress::Zlib::memGzip('a' x 10000), 0, -1), 'Content-Encoding: gzip') ],
		'unknown 200 08006', q{response_body = '' AND transient} ],
	[ 'bad-gzip', [ RawServer::response('not gzip at all', 'Content-Encoding: gzip') ], 'unknown 200 08P01', q{true} ],

	# Redirects are answers like any other.
	(map {
		[ "redirect-$_", [ "HTTP/1.1 $_ Moved\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n" ], "received $_",
			q{response_headers[1:2] = '{Location,/elsewhere}'} ]
	} 301, 302, 303, 307, 308),
	[ 'redirect-file', [ "HTTP/1.1 302 Moved\r\nLocation: file:///etc/passwd\r\nContent-Length: 0\r\n\r\n" ], 'received 302', q{true} ]
);

my $server = RawServer->start({
	'/fine' => [$ok],
	'/fold-first' => [ "$head X-Fold: a\r\nContent-Length: 0\r\n\r\n", 'CLOSE' ],
	map { ("/$_->[0]" => $_->[1]) } @cases
});
my $node = start_node('answers');
my $session = session($node);

foreach my $case (@cases)
{
	my ($path, undef, $expected, $condition, @options) = @$case;
	my $columns = "concat_ws(' ', outcome, status, CASE WHEN sqlstate LIKE '%' THEN sqlstate END, $condition)";
	my $got = $session->ask(perform_sql($columns, $server->url("/$path"), options => \@options) . ';');
	my $next = $session->ask(perform_sql('outcome', $server->url('/fine')) . ';');

	like($got, qr/^\Q$expected\E( \w{5})? t$/, $path);
	is($next, 'received', "$path: the session goes on");
}

is(scalar($server->events(qr{request \d+ \w+ /elsewhere})), 0, 'no redirect was followed');
is($session->ask('SELECT test_http_counts();'), '0 in flight, 1 idle', 'no handle was lost');

# A continuation line without a line before it: some versions of the library
# take it for a header, others for an error, and old ones wrote to the last
# header of the answer before.
foreach my $turn (1 .. 20)
{
	like($session->ask(perform_sql(q{concat_ws(' ', outcome, status)}, $server->url('/fold-first')) . ';'),
		qr/^(?:received 200|unknown 0)$/, "first line continued, $turn");
	is($session->ask(perform_sql('outcome', $server->url('/same-header')) . ';'), 'received', '... and the session goes on');
}

# A HEAD request has no body whatever its headers say.
is($session->ask(perform_sql(q{concat_ws(' ', outcome, status, response_body = '')}, $server->url('/length'), method => 'HEAD') . ';'),
	'received 200 t', 'HEAD');

done_testing();
