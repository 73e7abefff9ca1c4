# TLS is verified, always: a certificate that is not trusted, expired or of
# another host, a key that is not the pinned one, or an old version of the
# protocol ends the request before a byte of it was sent.

use strict;
use warnings;

use HttpRoom;
use RawServer;
use Test::More;
use TlsServer;

my $directory = TlsServer::new_directory();
my $here = "$directory";

TlsServer::authority($here, 'trusted');
TlsServer::authority($here, 'other');
TlsServer::authority($here, 'self-signed', '-addext', 'subjectAltName=DNS:localhost');
TlsServer::certificate($here, 'good', 'trusted', 'DNS:localhost,IP:127.0.0.1');
TlsServer::certificate($here, 'wrong-host', 'trusted', 'DNS:example.org');
TlsServer::certificate($here, 'expired', 'trusted', 'DNS:localhost', '-days', -1);
TlsServer::certificate($here, 'client', 'trusted', 'DNS:client');
TlsServer::certificate($here, 'foreign-client', 'other', 'DNS:client');
chmod 0644, glob "$here/*";

my $node = start_node('tls');
my $trusted = "ca_file=$here/trusted.pem";
my $good = TlsServer->start($here, 'good');
my $verify = 'not sent 08001 f could not verify the certificate of "localhost:%d"';

sub outcome
{
	my ($server, @options) = @_;

	return $node->safe_psql('postgres', perform_sql(q{concat_ws(' ', outcome, sqlstate, transient, message)},
		$server->url, options => \@options));
}

sub refused
{
	my ($expected, $what, $server, @options) = @_;

	is(outcome($server, @options), sprintf($expected, $server->{port}), $what);
}

is(outcome($good, $trusted), 'received f', 'a certificate of the authority');
refused($verify, 'no authority', $good);
refused($verify, 'another authority', $good, "ca_file=$here/other.pem");
refused($verify, 'self-signed', TlsServer->start($here, 'self-signed'), $trusted);
refused($verify, 'another host', TlsServer->start($here, 'wrong-host'), $trusted);
refused($verify, 'expired', TlsServer->start($here, 'expired'), $trusted);
refused('not sent 08001 f could not read the certificate authorities for "localhost:%d"', 'no such file',
	$good, "ca_file=$here/missing.pem");
like($node->safe_psql('postgres', perform_sql('detail', $good->url, options => ["ca_file=$here/missing.pem"])),
	qr/missing\.pem/, '... is named');
like($node->safe_psql('postgres', perform_sql('hint', $good->url)), qr/ca_file/, 'the hint');

# An authority that is given is trusted in place of the system's, not beside
# them, and once: the next request without it is refused again.
my $session = session($node);
my $sql = q{concat_ws(' ', outcome, response_body)};
is($session->ask(join '', map { perform_sql($sql, $good->url, options => [@$_]) . ';' } [$trusted], [], [$trusted]),
	"received yes\nnot sent \nreceived yes", 'options of one request are not those of the next');

# The pinned key.
my $hash = TlsServer::key_hash("$here/good.pem");
is(outcome($good, $trusted, "pinned_public_key=sha256//$hash"), 'received f', 'the pinned key');
refused('not sent 08001 f public key of "localhost:%d" is not the pinned one', 'not the pinned key', $good, $trusted,
	'pinned_public_key=sha256//' . TlsServer::key_hash("$here/other.pem"));
refused($verify, 'a pinned key does not replace the certificate', $good, "pinned_public_key=sha256//$hash");

# Versions.
is(outcome(TlsServer->start($here, 'good', '-tls1_2'), $trusted), 'received f', 'TLS 1.2');
is(outcome(TlsServer->start($here, 'good', '-tls1_3'), $trusted), 'received f', 'TLS 1.3');
my @old = ('-cipher', 'ALL:@SECLEVEL=0');
refused('not sent 08001 f could not set up TLS with "localhost:%d"', 'TLS 1.1',
	TlsServer->start($here, 'good', '-tls1_1', @old), $trusted);

# Client certificates.
my $mutual = TlsServer->start($here, 'good', '-tls1_2', '-Verify', 1, '-verify_return_error', '-CAfile', "$here/trusted.pem");
my $key = TlsServer::read_file("$here/client.key");
my @client = map { "client_$_->[0]=" . TlsServer::read_file("$here/client.$_->[1]") } [ cert => 'pem' ], [ key => 'key' ];
my @foreign = map { "client_$_->[0]=" . TlsServer::read_file("$here/foreign-client.$_->[1]") } [ cert => 'pem' ], [ key => 'key' ];

is(outcome($mutual, $trusted, @client), 'received f', 'a client certificate');
like(outcome($mutual, $trusted), qr/^not sent 08001/, 'no client certificate');
like(outcome($mutual, $trusted, @foreign), qr/^not sent 08001/, 'a client certificate of another authority');
refused('not sent 08001 f could not use the client certificate for "localhost:%d"', 'a key of another certificate',
	$mutual, $trusted, $client[0], $foreign[1]);

# The two ways to mix up the protocols.
my $plain = RawServer->start({ '*' => [ RawServer::response('ok') ] });
like($node->safe_psql('postgres', perform_sql(q{concat_ws(' ', outcome, sqlstate)}, 'https://localhost:' . $plain->port . '/',
	options => [ $trusted, 'connect_timeout=500' ])), qr/^not sent 08001/, 'TLS to a server that has none');
is(scalar($plain->events(qr/^request/)), 0, '... sends it no request');

done_testing();
