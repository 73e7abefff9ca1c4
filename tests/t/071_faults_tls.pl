# Faults of TLS: what is not verified is not spoken to, and nobody can turn that
# off.  Prints a table: number, fault, what is required, what was seen.
use strict;
use warnings;

use FaultTable;
use IO::Socket::INET;
use Sandbox;
use Test::More;
use TlsServer;

my $directory = TlsServer::new_directory();
my $here = "$directory";
my $localhost = 'DNS:localhost';

TlsServer::authority($here, $_) foreach 'trusted', 'other';
TlsServer::authority($here, 'self-signed', '-addext', "subjectAltName=$localhost");
TlsServer::intermediate($here, 'middle', 'trusted');
TlsServer::certificate($here, 'good', 'trusted', $localhost);
TlsServer::certificate($here, 'expired', 'trusted', $localhost, '-days', -1);
TlsServer::certificate_between($here, 'not yet valid', 'trusted', $localhost, '20400101000000Z', '20410101000000Z');
TlsServer::certificate($here, 'wrong host', 'trusted', 'DNS:example.org');
TlsServer::certificate($here, 'untrusted root', 'other', $localhost);
TlsServer::certificate($here, 'incomplete chain', 'middle', $localhost);
TlsServer::certificate($here, 'signed by SHA-1', 'trusted', $localhost, '-days', 10, '-sha1');
TlsServer::certificate($here, 'many names', 'trusted', join(',', $localhost, map { "DNS:a$_.test" } 1 .. 8000));
TlsServer::rsa_certificate($here, "RSA of $_ bits", 'trusted', $localhost, $_) foreach 512, 1024, 2048;
TlsServer::certificate($here, 'no names but a common one', 'trusted', undef);
TlsServer::certificate($here, 'no name of a host', 'trusted', 'email:root@localhost');
TlsServer::certificate($here, 'revoked', 'trusted', $localhost);
TlsServer::revoke($here, 'list', 'trusted', ['revoked']);
TlsServer::revoke($here, 'list of another', 'other', []);
TlsServer::revoke($here, 'old list', 'trusted', [], '20200101000000Z', '20210101000000Z');
TlsServer::dh_parameters($here, 'weak');
TlsServer::write_file("$here/$_.crl", '') foreach 'empty', 'unreadable';
TlsServer::write_file("$here/damaged.crl", TlsServer::read_file("$here/list.crl") =~ s/\n..../\n####/r);
chmod 0644, glob "$here/*";
chmod 0, "$here/unreadable.crl";

my $table = FaultTable->new(table => \*DATA);

my $trusted = "ADD ca_file '$here/trusted.pem'";

# A run against a server, with its authority unless told otherwise.
sub against
{
	my ($port, $options) = @_;

	return FaultTable::with_options("SET url 'https://localhost:$port', " . ($options // $trusted), FaultTable::run('read', 'ok'));
}

# The same as a row, against a server for it alone that tells what it got.
sub tls_row
{
	my ($number, $fault, $certificate, $arguments, $options) = @_;
	my $server = TlsServer->start($here, $certificate, @$arguments);
	my $observed = $table->observe(against($server->{port}, $options));

	return $table->row_of($number, $fault, "$observed; " . $server->stop . ' sent');
}

# 21 and 22: certificates
my @weak = ('-cipher', 'ALL:@SECLEVEL=0');
foreach my $case ('self-signed', 'expired', 'not yet valid', 'wrong host', 'untrusted root', 'incomplete chain', 'signed by SHA-1',
	'RSA of 512 bits', 'RSA of 1024 bits', 'RSA of 2048 bits', 'no names but a common one', 'no name of a host')
{
	tls_row(21, $case, $case, $case =~ /SHA|RSA/ ? [ '-tls1_2', @weak ] : []);
}
tls_row(21, 'complete chain', 'incomplete chain', [ '-cert_chain', "$here/middle.pem" ]);
tls_row(21, 'the system has no such authority', 'good', [], "ADD timeout '5s'");
my $good = TlsServer->start($here, 'good');
$table->row_of(21, 'a queued run', queued_run('good'));

# What became of a run in the queue against a server of its own.
sub queued_run
{
	my ($certificate, @arguments) = @_;
	my $server = TlsServer->start($here, $certificate, @arguments);

	$table->node->safe_psql('postgres', "CREATE SERVER far FOREIGN DATA WRAPPER arazzo OPTIONS (api 'https://probe.test/far', url 'https://localhost:$server->{port}')");
	my $said = $table->observe(FaultTable::queued('read', 'far'));
	$table->node->safe_psql('postgres', 'DROP SERVER far');
	return $said;
}

# Revoked certificates, when somebody keeps lists of them.
tls_row(21, 'revoked, no list', 'revoked', []);
tls_row(21, 'revoked', 'revoked', [], "$trusted, ADD crl_file '$here/list.crl'");
tls_row(21, 'not revoked', 'good', [], "$trusted, ADD crl_file '$here/list.crl'");
tls_row(21, 'the list is of another authority', 'good', [], "$trusted, ADD crl_file '$here/list of another.crl'");
tls_row(21, 'the list has expired', 'good', [], "$trusted, ADD crl_file '$here/old list.crl'");
my $sooner = TlsServer->start($here, 'revoked');
TlsServer::revoke($here, 'this list', 'trusted', []);
my @before_and_after = ($table->observe(against($sooner->{port}, "$trusted, ADD crl_file '$here/this list.crl'")));
rename "$here/list.crl", "$here/this list.crl" or die "could not rename a file: $!";
push @before_and_after, $table->observe(against($sooner->{port}, "$trusted, ADD crl_file '$here/this list.crl'"));
# A connection that is kept was made without the list.
my $keeping = Sandbox->start(args => [ '--tls-cert', "$here/revoked.pem", '--tls-key', "$here/revoked.key" ]);
my $place = "SET url '" . $keeping->tls_url . "/_sandbox/ledger', $trusted";
my $asking = FaultTable::run('read', 'count');
my $session = $table->new_session;
$session->ask(FaultTable::with_options($place, $asking));
$table->row_of(21, 'revoked, over a connection that was kept', join('; ', map { $table->words($session->ask(FaultTable::with_options($_, $asking))) =~ s/.*count.*/received/r }
	$place, "$place, ADD crl_file '$here/this list.crl'", $place));
$table->row_of(21, 'revoked while a session lasts', join('; ', @before_and_after) . '; ' . $sooner->stop . ' sent');
foreach my $file ('missing', 'unreadable', 'empty', 'damaged')
{
	my $said = $table->observe(against($good->{port}, "$trusted, ADD crl_file '$here/$file.crl'"));

	$table->row_of(21, "the list is $file", $said =~ s{\Q$here\E/(\w+)\.crl}{PATH}r =~ s/ \| .*(PATH)/ | ... $1/r);
}
tls_row(22, '8001 names', 'many names', []);

# 23: versions, ciphers, groups
tls_row(23, 'TLS 1.0', 'good', [ '-tls1', @weak ]);
tls_row(23, 'TLS 1.1', 'good', [ '-tls1_1', @weak ]);
tls_row(23, 'no encryption', 'good', [ '-tls1_2', '-cipher', 'eNULL:@SECLEVEL=0' ]);
tls_row(23, 'no authentication', 'good', [ '-tls1_2', '-cipher', 'aNULL:@SECLEVEL=0' ]);
tls_row(23, 'SHA-1 in the handshake', 'RSA of 2048 bits', [ '-tls1_2', '-sigalgs', 'RSA+SHA1', @weak ]);
tls_row(23, 'Diffie-Hellman of 1024 bits', 'RSA of 2048 bits', [ '-tls1_2', '-cipher', 'DHE:@SECLEVEL=0', '-dhparam', "$here/weak.dh" ]);
tls_row(23, 'Diffie-Hellman of 2048 bits', 'RSA of 2048 bits', [ '-tls1_2', '-cipher', 'DHE' ]);
$table->row_of(23, 'a queued run', queued_run('good', '-tls1_1', @weak));

# 24: no door to turn it off
foreach my $option ('verify', 'sslmode', 'insecure', 'ssl_verify_peer')
{
	$table->row_of(24, "an option $option", $table->observe("ALTER SERVER probe OPTIONS (ADD $option 'off');") =~ s/ \|.*//r);
}
$table->node->safe_psql('postgres', 'CREATE ROLE plain; GRANT USAGE ON FOREIGN SERVER probe TO plain; GRANT USAGE ON FOREIGN DATA WRAPPER arazzo TO plain');
$table->row(24, 'a plain role changes a server', "SET ROLE plain; ALTER SERVER probe OPTIONS (SET url 'http://127.0.0.1:1'); RESET ROLE;");
$table->row(24, 'a plain role trusts a file', "SET ROLE plain; CREATE SERVER mine FOREIGN DATA WRAPPER arazzo OPTIONS (api 'https://x.test', ca_file '$here/other.pem'); RESET ROLE;");
$table->row(24, 'http instead of https', FaultTable::elsewhere('http://localhost.localdomain:80', FaultTable::run('read', 'ok')));

# 25 and 26
TlsServer::write_file("$here/empty.pem", '');
TlsServer::write_file("$here/unreadable.pem", '');
chmod 0, "$here/unreadable.pem";
foreach my $file ('missing', 'unreadable', 'empty')
{
	my $said = $table->observe(against($good->{port}, "ADD ca_file '$here/$file.pem'"));

	$table->row_of(25, "CA file $file", $said =~ s{\Q$here\E/(\w+)\.pem}{PATH}r =~ s/ \| .*(PATH)/ | ... $1/r);
}
TlsServer::write_file("$here/this.pem", TlsServer::read_file("$here/trusted.pem"));
my $steady = TlsServer->start($here, 'good');
@before_and_after = ($table->observe(against($steady->{port}, "ADD ca_file '$here/this.pem'")));
rename "$here/other.pem", "$here/this.pem" or die "could not rename a file: $!";
push @before_and_after, $table->observe(against($steady->{port}, "ADD ca_file '$here/this.pem'"));
$table->row_of(25, 'CA file replaced while a session lasts', join('; ', @before_and_after) . '; ' . $steady->stop . ' sent');
my $mute = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 5) or die "could not listen: $!";
$table->row(26, 'server stalls in the handshake', against($mute->sockport, "ADD connect_timeout '300ms'"));

$table->finish;

__DATA__
21 | self-signed | permanent error, clear text | 08001 could not verify the certificate of "localhost"; 0 sent
21 | expired | permanent error, clear text | 08001 could not verify the certificate of "localhost"; 0 sent
21 | not yet valid | permanent error, clear text | 08001 could not verify the certificate of "localhost"; 0 sent
21 | wrong host | permanent error, clear text | 08001 could not verify the certificate of "localhost"; 0 sent
21 | untrusted root | permanent error, clear text | 08001 could not verify the certificate of "localhost"; 0 sent
21 | incomplete chain | permanent error, clear text | 08001 could not verify the certificate of "localhost"; 0 sent
21 | signed by SHA-1 | permanent error, clear text | 08001 could not verify the certificate of "localhost"; 0 sent
21 | RSA of 512 bits | permanent error, clear text | 08001 could not verify the certificate of "localhost"; 0 sent
21 | RSA of 1024 bits | permanent error, clear text | 08001 could not verify the certificate of "localhost"; 0 sent
21 | RSA of 2048 bits | accepted | {"body": "yes"}; 1 sent
21 | no names but a common one | permanent error, clear text | 08001 could not verify the certificate of "localhost"; 0 sent
21 | no name of a host | permanent error, clear text | 08001 could not verify the certificate of "localhost"; 0 sent
21 | complete chain | accepted | {"body": "yes"}; 1 sent
21 | the system has no such authority | permanent error, with a hint | 08001 could not verify the certificate of "localhost" | The server option ca_file names the certificate authorities to trust in place of the system's.; 0 sent
21 | a queued run | not tried again | failed 08001 retries 0 attempts 1
21 | revoked, no list | accepted | {"body": "yes"}; 1 sent
21 | revoked | permanent error, clear text | 08001 could not verify the certificate of "localhost"; 0 sent
21 | not revoked | accepted | {"body": "yes"}; 1 sent
21 | the list is of another authority | permanent error, clear text | 08001 could not verify the certificate of "localhost"; 0 sent
21 | the list has expired | permanent error, clear text | 08001 could not verify the certificate of "localhost"; 0 sent
21 | revoked while a session lasts | permanent error from then on | {"body": "yes"}; 08001 could not verify the certificate of "localhost"; 1 sent
21 | revoked, over a connection that was kept | permanent error with the list | received; 08001 could not verify the certificate of "localhost"; received
21 | the list is missing | error at the step, with the path | 08001 could not read the revoked certificates for "localhost" | ... PATH.
21 | the list is unreadable | error at the step, with the path | 08001 could not read the revoked certificates for "localhost" | ... PATH.
21 | the list is empty | error at the step, with the path | 08001 could not read the revoked certificates for "localhost" | ... PATH.
21 | the list is damaged | error at the step, with the path | 08001 could not read the revoked certificates for "localhost" | ... PATH.
22 | 8001 names | accepted or clean error | {"body": "yes"}; 1 sent
23 | TLS 1.0 | refused | 08001 could not set up TLS with "localhost"; 0 sent
23 | TLS 1.1 | refused | 08001 could not set up TLS with "localhost"; 0 sent
23 | no encryption | refused | 08001 could not set up TLS with "localhost"; 0 sent
23 | no authentication | refused | 08001 could not set up TLS with "localhost"; 0 sent
23 | SHA-1 in the handshake | refused | 08001 could not set up TLS with "localhost"; 0 sent
23 | Diffie-Hellman of 1024 bits | refused | 08001 could not set up TLS with "localhost"; 0 sent
23 | Diffie-Hellman of 2048 bits | accepted | {"body": "yes"}; 1 sent
23 | a queued run | not tried again | failed 08001 retries 0 attempts 1
24 | an option verify | there is none | HV00D invalid option "verify"
24 | an option sslmode | there is none | HV00D invalid option "sslmode"
24 | an option insecure | there is none | HV00D invalid option "insecure"
24 | an option ssl_verify_peer | there is none | HV00D invalid option "ssl_verify_peer"
24 | a plain role changes a server | not allowed | 42501 must be owner of foreign server probe; 0 sent
24 | a plain role trusts a file | not allowed | 42501 permission denied to set option "ca_file" | Only roles with privileges of the "pg_read_server_files" role may name files of the server.; 0 sent
24 | http instead of https | only on the local machine | HV024 invalid value for option "url" | The value uses plain http, which is for loopback addresses.; 0 sent
25 | CA file missing | error at the step, with the path | 08001 could not read the certificate authorities for "localhost" | ... PATH.
25 | CA file unreadable | error at the step, with the path | 08001 could not read the certificate authorities for "localhost" | ... PATH.
25 | CA file empty | error at the step, with the path | 08001 could not read the certificate authorities for "localhost" | ... PATH.
25 | CA file replaced while a session lasts | counts from then on | {"body": "yes"}; 08001 could not verify the certificate of "localhost"; 1 sent
26 | server stalls in the handshake | connect timeout applies | 08001 could not connect to "localhost" in time | The limit is 300 ms. | The server options connect_timeout and timeout set the limits.; 0 sent
