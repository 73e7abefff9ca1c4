# Faults of TLS: what is not verified is not spoken to, and nobody can turn that
# off.  Prints a table: number, fault, what is required, what was seen.
use strict;
use warnings;

use FaultTable;
use IO::Socket::INET;
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
TlsServer::openssl('req', '-newkey', 'rsa:1024', '-nodes', '-subj', '/CN=localhost', '-addext', "subjectAltName=$localhost",
	'-keyout', "$here/RSA of 1024 bits.key", '-out', "$here/rsa.csr");
TlsServer::openssl('x509', '-req', '-in', "$here/rsa.csr", '-CA', "$here/trusted.pem", '-CAkey', "$here/trusted.key",
	'-copy_extensions', 'copy', '-out', "$here/RSA of 1024 bits.pem", '-days', 10);
chmod 0644, glob "$here/*";

my $table = FaultTable->new(table => \*DATA);

# A run against a server, with its authority unless told otherwise.
sub against
{
	my ($port, $options) = @_;

	return FaultTable::with_options("SET url 'https://localhost:$port', " . ($options // "ADD ca_file '$here/trusted.pem'"),
		FaultTable::run('read', 'ok'));
}

# 21 and 22: certificates
foreach my $case ('self-signed', 'expired', 'not yet valid', 'wrong host', 'untrusted root', 'incomplete chain', 'signed by SHA-1',
	'RSA of 1024 bits')
{
	my $server = TlsServer->start($here, $case, $case =~ /SHA|RSA/ ? ('-cipher', 'ALL:@SECLEVEL=0') : ());

	$table->row(21, $case, against($server->{port}));
}
my $chain = TlsServer->start($here, 'incomplete chain', '-cert_chain', "$here/middle.pem");
$table->row(21, 'complete chain', against($chain->{port}));
my $good = TlsServer->start($here, 'good');
$table->row(21, 'the system has no such authority', against($good->{port}, "ADD timeout '5s'"));
$table->row_of(21, 'a queued run', do
	{
		$table->node->safe_psql('postgres', "CREATE SERVER far FOREIGN DATA WRAPPER arazzo OPTIONS (api 'https://probe.test/far', url 'https://localhost:$good->{port}')");
		my $said = $table->observe(FaultTable::queued('read', 'far'));
		$table->node->safe_psql('postgres', 'DROP SERVER far');
		$said;
	});
my $many = TlsServer->start($here, 'many names');
$table->row(22, '8001 names', against($many->{port}));

# 23: versions and ciphers
$table->row(23, 'TLS 1.0', against(TlsServer->start($here, 'good', '-tls1', '-cipher', 'ALL:@SECLEVEL=0')->{port}));
my @servers = map { TlsServer->start($here, 'good', @$_) } [ '-tls1_1', '-cipher', 'ALL:@SECLEVEL=0' ],
  [ '-tls1_2', '-cipher', 'eNULL:@SECLEVEL=0' ], [ '-tls1_2', '-cipher', 'aNULL:@SECLEVEL=0' ];
$table->row(23, 'TLS 1.1', against($servers[0]{port}));
$table->row(23, 'no encryption', against($servers[1]{port}));
$table->row(23, 'no authentication', against($servers[2]{port}));

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
21 | RSA of 1024 bits | permanent error, clear text | 08001 could not verify the certificate of "localhost"; 0 sent
21 | complete chain | accepted | {"body": "yes"}; 0 sent
21 | the system has no such authority | permanent error, with a hint | 08001 could not verify the certificate of "localhost" | The server option ca_file names the certificate authorities to trust in place of the system's.; 0 sent
21 | a queued run | not tried again | failed 08001 retries 0 attempts 1
22 | 8001 names | accepted or clean error | {"body": "yes"}; 0 sent
23 | TLS 1.0 | refused | 08001 could not set up TLS with "localhost"; 0 sent
23 | TLS 1.1 | refused | 08001 could not set up TLS with "localhost"; 0 sent
23 | no encryption | refused | 08001 could not set up TLS with "localhost"; 0 sent
23 | no authentication | refused | 08001 could not set up TLS with "localhost"; 0 sent
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
26 | server stalls in the handshake | connect timeout applies | 08001 could not connect to "localhost" in time | The limit is 300 ms. | The server options connect_timeout and timeout set the limits.; 0 sent
