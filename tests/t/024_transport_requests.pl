# What goes over the wire is the request that was given, byte by byte, and
# nothing that a value, a header, the environment or an answer slips in.

use strict;
use warnings;

use HttpRoom;
use RawServer;
use Test::More;

my $server = RawServer->start(
	{
		'*' => [ RawServer::response('ok') ],
		'/moved' => [ "HTTP/1.1 307 Moved\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n" ],
		'/challenge' => [ "HTTP/1.1 401 No\r\nWWW-Authenticate: Digest realm=\"r\", nonce=\"n\", qop=\"auth\"\r\nContent-Length: 0\r\n\r\n" ]
	});
my $proxy = RawServer->start({ '*' => [ RawServer::response('from the proxy') ] });

# The server process gets these; they must not matter.
foreach my $variable (qw(http_proxy https_proxy HTTP_PROXY HTTPS_PROXY ALL_PROXY all_proxy))
{
	$ENV{$variable} = $proxy->url('');
}
$ENV{no_proxy} = $ENV{NO_PROXY} = '*';
my $node = start_node('requests');
delete @ENV{qw(http_proxy https_proxy HTTP_PROXY HTTPS_PROXY ALL_PROXY all_proxy no_proxy NO_PROXY)};

my $agent = "User-Agent: amberflo_arazzo\r\nAccept: */*\r\n";
my $host = 'Host: 127.0.0.1:' . $server->port . "\r\n";
my $count = 0;

# The request that the server got, Accept-Encoding left out.
sub wire
{
	my ($path, %given) = @_;
	my $result = call($node, $server->url($path), %given);
	my @bytes = $server->bytes;

	return $result if @bytes == $count;
	is(scalar(@bytes), $count + 1, 'one request');
	$count = @bytes;
	return $bytes[-1] =~ s/^Accept-Encoding: [^\r]*\r\n//mr;
}

is(wire('/a?b=c&d=%2F'), "GET /a?b=c&d=%2F HTTP/1.1\r\n$host$agent\r\n", 'GET');
is(wire('/p', method => 'POST', body => '{"a": 1}', headers => [ 'Content-Type', 'application/json', 'X-API-KEY', 'k' ]),
	"POST /p HTTP/1.1\r\n$host${agent}Content-Type: application/json\r\nX-API-KEY: k\r\nContent-Length: 8\r\n\r\n{\"a\": 1}",
	'POST with its headers in order');
is(wire('/p', method => 'POST', body => "\0\xff"),
	"POST /p HTTP/1.1\r\n$host${agent}Content-Length: 2\r\n\r\n\0\xff", 'no content type is made up');
is(wire('/p', method => 'POST'), "POST /p HTTP/1.1\r\n$host${agent}Content-Length: 0\r\n\r\n", 'POST without a body');
is(wire('/p', method => 'PUT', body => 'x'), "PUT /p HTTP/1.1\r\n$host${agent}Content-Length: 1\r\n\r\nx", 'PUT');
is(wire('/p', method => 'DELETE'), "DELETE /p HTTP/1.1\r\n$host$agent\r\n", 'DELETE');
like(wire('/p', method => 'PATCH', body => 'x' x 2000000),
	qr{^PATCH /p HTTP/1\.1\r\n$host\Q$agent\EContent-Length: 2000000\r\n\r\nx}, 'PATCH, large and without Expect');
is(wire('/p', headers => [ 'X-Empty', '', 'User-Agent', 'mine', 'Accept', 'text/plain', 'X-Twice', '1', 'X-Twice', '2' ]),
	"GET /p HTTP/1.1\r\n${host}X-Empty:\r\nUser-Agent: mine\r\nAccept: text/plain\r\nX-Twice: 1\r\nX-Twice: 2\r\n\r\n",
	'headers that the library has too');
is(wire('/%2e%2e%2fx'), "GET /%2e%2e%2fx HTTP/1.1\r\n$host$agent\r\n", 'an encoded slash stays as it is');
is(wire('/100%25/a;b=c,d'), "GET /100%25/a;b=c,d HTTP/1.1\r\n$host$agent\r\n", 'and so do others');

# Nothing is sent of what could change a request or lead elsewhere.
foreach my $case (
	[ 'line break in a value', 22023, headers => [ 'X-A', "a\r\nX-B: b" ] ],
	[ 'carriage return in a value', 22023, headers => [ 'X-A', "a\rb" ] ],
	[ 'line feed in a value', 22023, headers => [ 'X-A', "a\nb" ] ],
	[ 'control character in a value', 22023, headers => [ 'X-A', "a\x01b" ] ],
	[ 'line break in a name', 22023, headers => [ "X-A: a\r\nX-B", 'b' ] ],
	[ 'blank in a name', 22023, headers => [ 'X A', 'b' ] ],
	[ 'colon in a name', 22023, headers => [ 'X:A', 'b' ] ],
	[ 'empty name', 22023, headers => [ '', 'b' ] ],
	(map { [ "header $_", 42501, headers => [ $_, 'x' ] ] }
		'Host', 'content-length', 'Transfer-Encoding', 'CONNECTION', 'Expect', 'Upgrade', 'TE', 'Trailer'),
	[ 'method with a blank', 22023, method => 'GET /x HTTP/1.1' ],
	[ 'method with a line break', 22023, method => "GET\r\nX-A:" ],
	[ 'empty method', 22023, method => '' ],
	[ 'CONNECT', 42501, method => 'CONNECT' ],
	[ 'line break in the URL', 42501, path => "/a\r\nX-A: b" ],
	[ 'blank in the URL', 42501, path => '/a b' ],
	[ 'dot segments', 42501, path => '/a/../b' ],
	[ 'encoded dot segments', 42501, path => '/a/%2E%2e/b' ],
	[ 'fragment', 22023, path => '/a#b' ])
{
	my ($what, $sqlstate, %given) = @$case;
	my $path = delete $given{path} // '/never';

	like(call($node, $server->url($path), %given), qr/^not sent 0 $sqlstate /, $what);
}
foreach my $case (
	[ 'other loopback port in user information', 'http://127.0.0.1:80@127.0.0.1:' . $server->port . '/' ],
	[ 'file', 'file:///etc/passwd' ],
	[ 'gopher', 'gopher://127.0.0.1:' . $server->port . '/x' ],
	[ 'no scheme', '127.0.0.1:' . $server->port . '/' ],
	[ 'backslash', 'http://127.0.0.1:' . $server->port . '\\@example.com/' ],
	[ 'plain http to a name', 'http://example.com/' ],
	[ 'decimal address', 'http://2130706433:' . $server->port . '/' ],
	[ 'short address', 'http://127.1:' . $server->port . '/' ],
	[ 'unspecified address', 'http://0.0.0.0:' . $server->port . '/' ],
	[ 'mapped address', 'http://[::ffff:127.0.0.1]:' . $server->port . '/' ])
{
	my ($what, $url) = @$case;

	like(call($node, $url), qr/^not sent 0 42501 /, $what);
}
foreach my $host ('127.0.0.1', '2130706433', '0x7f000001', '0177.0.0.1', '127.1', 'localhost', 'sub.localhost', '0.0.0.0',
	'[::1]', '[::ffff:127.0.0.1]', '[::]', '169.254.169.254', '10.0.0.1', '[fd00::1]', '[fe80::1]', '224.0.0.1')
{
	like(call($node, "https://$host:" . $server->port . '/', options => ['allow_loopback=off']),
		qr/^not sent 0 42501 address of /, "https to $host");
}
is(scalar($server->bytes), $count, 'none of them reached the server');

# Redirects and challenges are answers.
like(wire('/moved', method => 'POST', body => 'b'), qr{^POST /moved}, 'a redirect');
is(scalar($server->bytes), $count, '... is not followed');
like(wire('/challenge'), qr{^GET /challenge}, 'a challenge');
is(scalar($server->bytes), $count, '... is not answered without credentials');

# With credentials for it, digest authentication takes a second request.
my @digest = ('user=Mufasa', 'password=Circle of Life');
is(call($node, $server->url('/challenge'), options => \@digest), 'received 401', 'a challenge with credentials');
my @requests = ($server->bytes)[ $count .. $count + 1 ];
unlike($requests[0], qr/Authorization/, '... the first request has none');
like($requests[1], qr/^Authorization: Digest username="Mufasa",.*\bresponse=/m, '... the second has');
is(scalar($server->bytes), $count + 2, '... and there is no third');
unlike(join('', @requests), qr/Circle of Life/, 'the password is not sent');

# A server that answers without a challenge has had its call: it gets no other.
$count = $server->bytes;
like(call($node, $server->url('/x'), method => 'POST', body => 'b', options => \@digest), qr/^unknown 200 08006/,
	'an answer where a challenge was expected');
is(scalar($server->bytes), $count + 1, '... is not followed by the same call');

is(scalar($proxy->events(qr/./)), 0, 'the proxy of the environment was not used');
like($node->safe_psql('postgres', perform_sql(q{response_body}, $server->url('/x'), options => [ 'proxy=' . $proxy->url('') ])),
	qr/^from the proxy$/, 'a proxy that is set is used');

done_testing();
