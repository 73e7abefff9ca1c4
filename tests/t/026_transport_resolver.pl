# A resolver that hangs holds nobody up: time limits and cancels act while a
# name is being resolved, and what is left of it disturbs nothing.  And whatever
# it says, only addresses that are allowed are connected to.

use strict;
use warnings;

use HttpRoom;
use RawServer;
use Resolver;
use Test::More;
use Time::HiRes qw(time);

my $server = RawServer->start({ '*' => [ RawServer::response('ok') ] });
my $node = Resolver::with(sub { start_node('resolver') });
my $session = session($node);
my $pid = $session->ask('SELECT pg_backend_pid();');
my $columns = q{concat_ws(' ', outcome, sqlstate, message)};
my $hang = perform_sql($columns, 'https://hang.test/', options => ['connect_timeout=300']) . ';';
my $patient = perform_sql($columns, 'https://hang.test/', options => [ 'connect_timeout=50000', 'timeout=50000' ]) . ';';
my $fine = perform_sql('outcome', $server->url('/ok')) . '; SELECT test_http_counts();';
my $begin = time;

is($session->ask($hang), 'not sent 08001 could not connect to "hang.test:443" in time', 'the time limit for connecting');
is($session->ask("SET statement_timeout = '300ms'; $patient"), 'ERROR:  57014', 'statement_timeout');
is($session->ask("RESET statement_timeout; $fine"), "received\n0 in flight, 1 idle", 'the session goes on');
$session->say("SELECT pg_advisory_lock(1); $patient");
$node->poll_query_until('postgres', 'SELECT count(*) = 1 FROM pg_locks WHERE locktype = \'advisory\' AND granted')
  or die 'the session did not get so far';
$node->safe_psql('postgres', "SELECT pg_cancel_backend($pid)");
like($session->hear, qr/ERROR:  57014/, 'a cancel');
is($session->ask($fine), "received\n0 in flight, 1 idle", 'the session goes on');

# Names whose addresses may not be reached: what counts is the address.
sub reach
{
	my ($name, @options) = @_;

	return $session->ask(perform_sql(q{concat_ws(' ', outcome, sqlstate, coalesce(detail, message))}, "https://$name/",
		options => [ 'allow_loopback=off', @options ]) . ';');
}

foreach my $case (
	[ '127.0.0.1', 'loopback' ], [ '10.1.2.3', 'private' ], [ '172.31.0.1', 'private' ], [ '192.168.0.1', 'private' ],
	[ '100.64.0.1', 'private' ], [ '169.254.1.1', 'link-local' ], [ '169.254.169.254', 'metadata' ], [ '224.0.0.1', 'multicast' ],
	[ '0.0.0.0', 'reserved' ], [ '255.255.255.255', 'reserved' ], [ '::1', 'loopback' ], [ '::', 'reserved' ], [ 'fd00::1', 'private' ],
	[ 'fe80::1', 'link-local' ], [ 'fd00:ec2::254', 'metadata' ], [ 'ff02::1', 'multicast' ], [ '::ffff:127.0.0.1', 'loopback' ],
	[ '::ffff:10.1.2.3', 'private' ], [ '::ffff:169.254.169.254', 'metadata' ], [ '::10.1.2.3', 'private' ],
	[ '64:ff9b::10.1.2.3', 'private' ], [ '2002:a01:203::1', 'private' ], [ '2001:db8::1', 'reserved' ])
{
	my ($address, $class) = @$case;
	my $name = ($address =~ tr/:/-/r) . '.addresses.test';

	like(reach($name), qr/^not sent 42501 Address \S+ is $class\.$/, "a name for $address, which is $class");
}

# Only the network that is named, and each of several addresses for itself.
my $refused = 'not sent 08001 could not connect to "%s:1": Connection refused';
is(reach('127.0.0.1.addresses.test:1', 'allow_private=127.0.0.0/8'),
	sprintf($refused, '127.0.0.1.addresses.test'), 'a network that is named');
like(reach('127.0.0.1.addresses.test:1', 'allow_private=10.0.0.0/8, 127.0.0.2/32'), qr/^not sent 42501 /, 'another network');
like(reach('169.254.169.254.addresses.test:1', 'allow_private=10.0.0.0/8'), qr/^not sent 42501 .* is metadata/, 'metadata beside it');
is(reach('10.1.2.3_127.0.0.2.addresses.test:1', 'allow_private=127.0.0.2/32'),
	sprintf($refused, '10.1.2.3_127.0.0.2.addresses.test'), 'of two addresses, the one that is allowed');

# A name that is allowed at first and then leads elsewhere: each connection is
# made to an address that was looked at, whatever the name says by then.
my $turns = '127.0.0.1_127.0.0.2.turns.test';
is(reach("$turns:1", 'allow_private=127.0.0.1/32'), sprintf($refused, $turns), 'a name that turns, at first');
like(reach("$turns:2", 'allow_private=127.0.0.1/32'), qr/^not sent 42501 Address 127\.0\.0\.2 is loopback\.$/, '... and then');

# Signals go to the thread of the server, never to one of the resolver.
$session->say("SELECT pg_advisory_unlock_all(); SELECT pg_advisory_lock(2); $patient");
$node->poll_query_until('postgres', 'SELECT count(*) = 1 FROM pg_locks WHERE objid = 2 AND locktype = \'advisory\' AND granted')
  or die 'the session did not get so far';
$node->safe_psql('postgres', "SELECT pg_terminate_backend($pid)");
like($session->hear, qr/57P01/, 'termination');
$node->stop('fast');
cmp_ok(time - $begin, '<', 50, 'nothing waited for the resolver');

done_testing();
