# Connections are kept for the next request of the same pool, and for no
# other; and a request that a dying connection may have swallowed is sent once
# and never again: its outcome is unknown.

use strict;
use warnings;

use HttpRoom;
use RawServer;
use Test::More;

my $ok = RawServer::response('ok');
my $server = RawServer->start(
	{
		'/ok' => [$ok],
		'/swallow' => ['CLOSE'],
		'/reset' => ['RESET'],
		'/leave' => [ $ok, 'AWAIT', 'CLOSE' ],
		'/junk' => [ $ok, 'AWAIT', "HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n" ],
		'/pipelined' => [ $ok . "HTTP/1.1 500 Junk\r\nContent-Length: 0\r\n\r\n" ]
	});
my $node = start_node('reuse');

sub one
{
	my ($path, %given) = @_;

	return perform_sql(q{concat_ws(' ', outcome, status, sqlstate)}, $server->url($path), %given) . ';';
}

# Requests and connections since the last look.
my $looked_at = 0;

sub traffic
{
	my @events = $server->events(qr/^(?:connect|request)/);
	my @new = @events[ $looked_at .. $#events ];

	$looked_at = @events;
	return join ', ', @new;
}

my $session = session($node);
is($session->ask(one('/ok') x 3), "received 200\nreceived 200\nreceived 200", 'three requests');
is(traffic(), 'connect 1, request 1 GET /ok, request 1 GET /ok, request 1 GET /ok', '... on one connection');
is($session->ask(one('/ok', options => ['pool=2'])), 'received 200', 'a request of another pool');
is(traffic(), 'connect 2, request 2 GET /ok', '... has a connection of its own');
is($session->ask(one('/ok')), 'received 200', 'the first pool again');
is(traffic(), 'request 1 GET /ok', '... has its old one');

is($session->ask(one('/swallow', method => 'POST', body => 'amount=5')),
	'unknown 0 08006', 'a connection that was kept ends when the request has arrived');
is(traffic(), 'request 1 POST /swallow', '... one request, and no other connection');
is($session->ask(one('/reset', method => 'POST', body => 'amount=5', options => ['pool=2'])),
	'unknown 0 08006', 'the same by a reset');
is(traffic(), 'request 2 POST /reset', '... one request, and no other connection');
is($session->ask(one('/swallow', method => 'POST', body => 'amount=5')),
	'unknown 0 08006', 'a new connection ends when the request has arrived');
is(traffic(), 'connect 3, request 3 POST /swallow', '... one request');

is($session->ask(one('/leave')), 'received 200', 'a server that will close its connection');
$server->proceed;
$server->wait_for(qr/^gone 4/);
is($session->ask(one('/ok', method => 'POST')), 'received 200', 'a connection that was closed meanwhile');
is(traffic(), 'connect 4, request 4 GET /leave, connect 5, request 5 POST /ok', '... is not used again');

is($session->ask(one('/junk')), 'received 200', 'a server that says more than it was asked');
$server->proceed;
$server->wait_for(qr/^done 5/) for 1 .. 2;
is($session->ask(one('/ok', method => 'POST')), 'received 200', '... is not taken to have answered the next request');
is(traffic(), 'request 5 GET /junk, connect 6, request 6 POST /ok', '... which went over another connection');
is($session->ask(one('/pipelined') . one('/ok')), "received 200\nreceived 200", 'the same within one packet');
is(traffic(), 'request 6 GET /pipelined, connect 7, request 7 GET /ok', '... and another connection');

is($session->ask('SELECT test_http_counts();'), '0 in flight, 1 idle', 'one handle served them all');

# More pools than are kept.
is($session->ask(join '', map { one('/ok', options => ["pool=$_"]) } 100 .. 139),
	join("\n", ('received 200') x 40), 'forty pools');
$server->wait_for(qr/^gone/) for 1 .. 24;
pass('connections of the oldest pools were closed');

done_testing();
