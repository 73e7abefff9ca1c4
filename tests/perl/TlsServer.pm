package TlsServer;

# Certificates made for a test, and an HTTPS server on a free port of
# 127.0.0.1 that has one of them.  It answers "yes" to GET /ok and closes the
# connection.

use strict;
use warnings;

use Cwd ();
use File::Temp;
use IPC::Open2;

# A directory with what authority() and certificate() make.
sub new_directory
{
	my $directory = File::Temp->newdir;

	chmod 0755, $directory->dirname;
	write_file("$directory/ok", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nConnection: close\r\n\r\nyes");
	return $directory;
}

# NAME.pem and NAME.key of an authority, or of a certificate without one.
sub authority
{
	my ($directory, $name, @arguments) = @_;

	openssl('req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', 10,
		'-subj', "/CN=$name", '-keyout', "$directory/$name.key", '-out', "$directory/$name.pem", @arguments);
}

# NAME.pem and NAME.key of a certificate for the given names, such as
# DNS:localhost, that an authority has signed.
sub certificate
{
	my ($directory, $name, $authority, $names, @arguments) = @_;

	sign_key($directory, $name, $authority, [ 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256' ], $names, @arguments);
}

# The same with an RSA key of so many bits.
sub rsa_certificate
{
	my ($directory, $name, $authority, $names, $bits) = @_;

	sign_key($directory, $name, $authority, ["rsa:$bits"], $names);
}

# Without names, the common one is that of this machine.
sub sign_key
{
	my ($directory, $name, $authority, $key, $names, @arguments) = @_;

	openssl('req', '-newkey', @$key, '-nodes', '-subj', '/CN=' . (defined $names ? $name : 'localhost'),
		defined $names ? ('-addext', "subjectAltName=$names") : (), '-keyout', "$directory/$name.key", '-out', "$directory/$name.csr");
	openssl('x509', '-req', '-in', "$directory/$name.csr", '-CA', "$directory/$authority.pem",
		'-CAkey', "$directory/$authority.key", '-copy_extensions', 'copy', '-out', "$directory/$name.pem",
		@arguments ? @arguments : ('-days', 10));
}

# NAME.dh: parameters of a group of 1024 bits, the second of RFC 2409.
sub dh_parameters
{
	my ($directory, $name) = @_;
	my $second = 'FFFFFFFFFFFFFFFFC90FDAA22168C234C4C6628B80DC1CD129024E088A67CC74020BBEA63B139B22514A08798E3404DD'
	  . 'EF9519B3CD3A431B302B0A6DF25F14374FE1356D6D51C245E485B576625E7EC6F44C42E9A637ED6B0BFF5CB6F406B7ED'
	  . 'EE386BFB5A899FA5AE9F24117C4B1FE649286651ECE65381FFFFFFFFFFFFFFFF';

	write_file("$directory/$name.cnf", "asn1 = SEQUENCE:group\n[group]\np = INTEGER:0x$second\ng = INTEGER:2\n");
	openssl('asn1parse', '-genconf', "$directory/$name.cnf", '-noout', '-out', "$directory/$name.der");
	openssl('dhparam', '-inform', 'DER', '-in', "$directory/$name.der", '-out', "$directory/$name.dh");
}

# The same for an authority that another one has signed.
sub intermediate
{
	my ($directory, $name, $authority) = @_;

	openssl('req', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-subj', "/CN=$name",
		'-addext', 'basicConstraints=critical,CA:TRUE', '-keyout', "$directory/$name.key", '-out', "$directory/$name.csr");
	openssl('x509', '-req', '-in', "$directory/$name.csr", '-CA', "$directory/$authority.pem",
		'-CAkey', "$directory/$authority.key", '-copy_extensions', 'copy', '-out', "$directory/$name.pem", '-days', 10);
}

# A certificate that is valid from one moment to another, as in 20300101000000Z.
sub certificate_between
{
	my ($directory, $name, $authority, $names, $from, $to) = @_;

	write_file("$directory/$name.index", '');
	write_file("$directory/$name.cnf", "[ca]\ndefault_ca = d\n[d]\ndatabase = $directory/$name.index\nnew_certs_dir = $directory\n"
		. "rand_serial = yes\ndefault_md = sha256\npolicy = p\ncopy_extensions = copy\n[p]\ncommonName = supplied\n");
	certificate($directory, $name, $authority, $names);
	openssl('ca', '-batch', '-config', "$directory/$name.cnf", '-in', "$directory/$name.csr", '-cert', "$directory/$authority.pem",
		'-keyfile', "$directory/$authority.key", '-startdate', $from, '-enddate', $to, '-notext', '-out', "$directory/$name.pem");
}

# NAME.crl of an authority: certificates, by name, that it has revoked; it is
# valid from one moment to another, or now.
sub revoke
{
	my ($directory, $name, $authority, $revoked, @period) = @_;

	write_file("$directory/$name.index", '');
	write_file("$directory/$name.cnf", "[ca]\ndefault_ca = d\n[d]\ndatabase = $directory/$name.index\ndefault_md = sha256\ndefault_crl_days = 10\n");
	my @ca = ('ca', '-config', "$directory/$name.cnf", '-cert', "$directory/$authority.pem", '-keyfile', "$directory/$authority.key");
	openssl(@ca, '-revoke', "$directory/$_.pem") foreach @$revoked;
	openssl(@ca, '-gencrl', '-out', "$directory/$name.crl", @period ? ('-crl_lastupdate', $period[0], '-crl_nextupdate', $period[1]) : ());
}

# Base64 of the SHA-256 of a certificate's public key.
sub key_hash
{
	my ($file) = @_;

	return `openssl x509 -in $file -pubkey -noout | openssl pkey -pubin -outform der | openssl dgst -sha256 -binary | openssl base64 -A`;
}

# A server with the certificate of a name; more arguments go to s_server.
sub start
{
	my ($class, $directory, $name, @arguments) = @_;
	my $cwd = Cwd::getcwd();

	chdir $directory or die "could not change to \"$directory\": $!";
	my $pid = open2(my $out, my $in, 'sh', '-c', 'exec openssl s_server "$@" 2>&1', 'sh', '-accept', '127.0.0.1:0', '-HTTP',
		'-cert', "$name.pem", '-key', "$name.key", @arguments);
	chdir $cwd;
	my $self = bless { pid => $pid, in => $in, out => $out }, $class;

	while (my $line = readline $out)
	{
		return $self if ($self->{port}) = $line =~ /^ACCEPT .*:(\d+)/;
	}
	die 'the server did not start';
}

# Ends it, and tells how many requests it got.
sub stop
{
	my ($self) = @_;

	kill 'TERM', $self->{pid};
	waitpid delete $self->{pid}, 0;
	return scalar grep { /^FILE:/ } readline $self->{out};
}

sub url { return "https://localhost:$_[0]{port}/ok"; }

sub DESTROY
{
	my ($self) = @_;

	local ($?, $!, $@);
	$self->stop if $self->{pid};
}

sub openssl
{
	my @command = ('openssl', @_);
	my $pid = fork;

	die "could not fork: $!" unless defined $pid;
	if ($pid == 0)
	{
		open STDERR, '>', '/dev/null';
		open STDOUT, '>', '/dev/null';
		exec @command or die "could not execute openssl: $!";
	}
	waitpid $pid, 0;
	die "openssl failed: @command" if $?;
}

sub write_file
{
	my ($file, $text) = @_;

	open my $handle, '>', $file or die "could not write \"$file\": $!";
	print $handle $text;
	close $handle;
}

sub read_file
{
	my ($file) = @_;

	open my $handle, '<', $file or die "could not read \"$file\": $!";
	local $/;
	return scalar <$handle>;
}

1;
