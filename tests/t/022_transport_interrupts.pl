# A request that waits ends at once when its command does: by a time limit of
# its own, statement_timeout, a cancel, termination, or an error in the same
# command.  Nothing of it stays, and the session goes on.

use strict;
use warnings;

use HttpRoom;
use IO::Socket::INET;
use PostgreSQL::Test::Utils;
use RawServer;
use Test::More;

my $ok = RawServer::response('ok');
my $server = RawServer->start(
	{
		'/ok' => [$ok],
		'/stall' => ['STALL'],
		'/last' => ['STALL'],
		'/stall-body' => [ "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf", 'STALL' ],
		'/drip' => [ "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n", [ drip => 'half' ], 'STALL' ]
	});
my $node = start_node('interrupts');
my $session = session($node);
my $pid = $session->ask('SELECT pg_backend_pid();');
my $fine = perform_sql('outcome', $server->url('/ok')) . '; SELECT test_http_counts();';

# Sockets and other descriptors that the session has open.
sub descriptors
{
	return $session->ask(q{SELECT count(*) FROM pg_ls_dir('/proc/self/fd');});
}

sub one
{
	my ($path, @options) = @_;

	return perform_sql(q{concat_ws(' ', outcome, status, sqlstate, transient)}, $server->url($path), options => \@options) . ';';
}

is($session->ask($fine), "received\n0 in flight, 1 idle", 'an ordinary request');

# The request's own limits.
is($session->ask(one('/stall', 'timeout=500')), 'unknown 0 08006 t', 'time limit, no answer');
is($session->ask(one('/stall-body', 'timeout=500')), 'unknown 200 08006 t', 'time limit, half an answer');
is($session->ask(one('/drip', 'timeout=500')), 'unknown 200 08006 t', 'time limit, an answer that drips');
is($session->ask(perform_sql(q{message || '|' || detail}, $server->url('/stall'), options => ['timeout=400']) . ';'),
	'request to "127.0.0.1:' . $server->port . '" timed out|No complete response arrived within 400 ms.', 'what it says');
$server->wait_for(qr/^gone/) for 1 .. 4;
pass('all these connections were closed');
is($session->ask($fine), "received\n0 in flight, 1 idle", 'the session goes on');

# A connection that is accepted and never set up: TLS to a server that is mute.
my $mute = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 5) or die "could not listen: $!";
is($session->ask(perform_sql(q{concat_ws(' ', outcome, sqlstate, message)}, 'https://127.0.0.1:' . $mute->sockport . '/',
	options => ['connect_timeout=200']) . ';'),
	'not sent 08001 could not connect to "127.0.0.1:' . $mute->sockport . '" in time', 'time limit of the TLS handshake');

# Limits of the command.
is($session->ask("SET statement_timeout = '200ms'; " . one('/stall') . ' RESET statement_timeout;'),
	'ERROR:  57014', 'statement_timeout');
$server->wait_for(qr/^gone/);
is($session->ask('RESET statement_timeout; ' . $fine), "received\n0 in flight, 1 idle", '... and the session goes on');

$session->say(one('/stall-body'));
$server->wait_for(qr{^request \d+ GET /stall-body});
is($node->safe_psql('postgres', "SELECT pg_cancel_backend($pid)"), 't', 'a cancel is sent');
is($session->hear, 'ERROR:  57014', '... and ends the request');
$server->wait_for(qr/^gone/);
is($session->ask($fine), "received\n0 in flight, 1 idle", '... and the session goes on');

$session->say("DO \$\$ BEGIN PERFORM test_http_perform('GET', '" . $server->url('/stall')
	. "'); EXCEPTION WHEN OTHERS THEN RAISE NOTICE 'caught'; END \$\$;");
$server->wait_for(qr{^request \d+ GET /stall});
$node->safe_psql('postgres', "SELECT pg_cancel_backend($pid)");
is($session->hear, 'ERROR:  57014', 'WHEN OTHERS does not swallow a cancel');

# Errors in the same command.
is($session->ask("SELECT test_http_abandon('" . $server->url('/stall') . "');"), 'ERROR:  P0001', 'an error while a request is on its way');
is($session->ask("DO \$\$ BEGIN PERFORM test_http_abandon('" . $server->url('/stall')
	. "'); EXCEPTION WHEN raise_exception THEN NULL; END \$\$;"), '', '... the same in a subtransaction');
is($session->ask($fine), "received\n0 in flight, 1 idle", '... and the session goes on');

# Many at once, one of them mute: the others arrive, and the cancel ends it.
my @urls = map { $server->url($_) } '/ok', '/stall', '/ok', '/ok';
is($session->ask("SELECT test_http_many('{" . join(',', @urls) . "}', '{timeout=1500}');"),
	'{"received 200 ok","unknown 0 08006","received 200 ok","received 200 ok"}', 'several at once');

# Again and again, at moments that differ; descriptors and handles stay.
my $before = descriptors();
my $endings = '';

for my $round (1 .. 60)
{
	my $path = (qw(/stall /stall-body /drip))[ $round % 3 ];

	$endings .= $session->ask("SET statement_timeout = '" . (1 + $round % 20) . "ms'; " . one($path)) . "\n";
}
$session->ask('RESET statement_timeout;');
is($endings, "ERROR:  57014\n" x 60, 'sixty commands were ended');
my $after = descriptors();
cmp_ok($after, '<=', $before + 8, 'no descriptor stayed');
like($session->ask($fine), qr/^received\n0 in flight, \d idle$/, 'no handle stayed');

# Termination of the backend.
$session->say(one('/last'));
my ($number) = $server->wait_for(qr{^request \d+ GET /last}) =~ /request (\d+)/;
$node->safe_psql('postgres', "SELECT pg_terminate_backend($pid)");
like($session->hear, qr/57P01/, 'termination');
$server->wait_for(qr/^gone $number$/);
pass('... closed the connection');

done_testing();
