# A resolver that hangs holds nobody up: time limits and cancels act while a
# name is being resolved, and what is left of it disturbs nothing.  The
# resolver is replaced by one that takes a minute for some names, and gives
# others the addresses that they are made of.

use strict;
use warnings;

use HttpRoom;
use PostgreSQL::Test::Utils;
use RawServer;
use Test::More;
use Time::HiRes qw(time);

my $directory = PostgreSQL::Test::Utils::tempdir();
my $source = "$directory/resolver.c";

open my $file, '>', $source or die "could not write \"$source\": $!";
print $file <<'C';
#define _GNU_SOURCE
#include <dlfcn.h>
#include <netdb.h>
#include <string.h>
#include <unistd.h>

typedef int (*Resolver) (const char *, const char *, const struct addrinfo *, struct addrinfo **);

/* hang.test takes a minute; address.name.test is the address. */
int
getaddrinfo(const char *node, const char *service, const struct addrinfo *hints, struct addrinfo **result)
{
	Resolver next = (Resolver) dlsym(RTLD_NEXT, "getaddrinfo");
	size_t length = node == NULL ? 0 : strlen(node);
	char address[64];

	if (node != NULL && strcmp(node, "hang.test") == 0)
	{
		sleep(60);
		return EAI_AGAIN;
	}
	if (length > 10 && length < sizeof(address) && strcmp(node + length - 10, ".name.test") == 0)
	{
		memcpy(address, node, length - 10);
		address[length - 10] = '\0';
		return next(address, service, hints, result);
	}
	return next(node, service, hints, result);
}
C
close $file;
system($ENV{CC} // 'cc', '-shared', '-fPIC', '-o', "$directory/resolver.so", $source, '-ldl') == 0
  or die 'could not compile the resolver';

my $server = RawServer->start({ '*' => [ RawServer::response('ok') ] });
my $node;
{
	local $ENV{LD_PRELOAD} = join q( ), $ENV{LD_PRELOAD} // (), "$directory/resolver.so";

	$node = start_node('resolver');
}
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
foreach my $address ('127.0.0.1', '10.1.2.3', '169.254.169.254', '::1', 'fd00::1', '::ffff:10.1.2.3', '0.0.0.0')
{
	my $got = $session->ask(perform_sql(q{concat_ws(' ', outcome, sqlstate, message)}, "https://$address.name.test/",
		options => ['allow_loopback=off']) . ';');

	if ($address =~ /:/)
	{
		like($got, qr/^not sent 42501 /, "a name cannot be $address");
	}
	else
	{
		is($got, "not sent 42501 address of \"$address.name.test:443\" is not allowed", "a name for $address");
	}
}
is($session->ask(perform_sql(q{concat_ws(' ', outcome, sqlstate, message)}, 'https://127.0.0.1.name.test:1/',
	options => [ 'allow_loopback=off', 'allow_private=127.0.0.0/8' ]) . ';'),
	'not sent 08001 could not connect to "127.0.0.1.name.test:1": Connection refused', 'a network that is named');

# Signals go to the thread of the server, never to one of the resolver.
$session->say("SELECT pg_advisory_unlock_all(); SELECT pg_advisory_lock(2); $patient");
$node->poll_query_until('postgres', 'SELECT count(*) = 1 FROM pg_locks WHERE objid = 2 AND locktype = \'advisory\' AND granted')
  or die 'the session did not get so far';
$node->safe_psql('postgres', "SELECT pg_terminate_backend($pid)");
like($session->hear, qr/57P01/, 'termination');
$node->stop('fast');
cmp_ok(time - $begin, '<', 50, 'nothing waited for the resolver');

done_testing();
