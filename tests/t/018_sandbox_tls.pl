# The sandbox serves https beside http, from the same state.
use strict;
use warnings;

use File::Temp qw(tempdir);
use IPC::Open2 qw(open2);
use Sandbox;
use Test::More;

my $dir = tempdir(CLEANUP => 1);
system("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost "
	. "-addext subjectAltName=DNS:localhost,IP:127.0.0.1 -keyout $dir/key -out $dir/cert 2>$dir/log") == 0
  or die 'openssl could not make a certificate';
my $sandbox = Sandbox->start(args => [ '--tls-cert', "$dir/cert", '--tls-key', "$dir/key" ]);
my ($port) = $sandbox->tls_url =~ /:(\d+)$/;
isnt($port, $sandbox->port, 'a port of its own');

# What the server answers to one request over TLS.
sub call
{
	my ($request) = @_;
	my $pid = open2(my $out, my $in, "openssl s_client -connect 127.0.0.1:$port -CAfile $dir/cert -verify_return_error -verify_hostname localhost -quiet 2>$dir/log");

	print $in $request;
	$in->flush;
	my $answer = join '', <$out>;
	close $in;
	waitpid($pid, 0);
	return $answer;
}

my $body = '{"meterTimeInMillis":1}';
my $request = "POST /ingest HTTP/1.1\r\nHost: localhost\r\nX-API-KEY: k\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: " . length($body) . "\r\n\r\n$body";
like(call($request), qr/^HTTP\/1\.1 200 .*1 records were ingested$/s, 'https');
is($sandbox->ledger->[0]{body}, $body, 'the same ledger');
$sandbox->fault(path => '/ingest', fault => 'reset_after');
is(call($request), '', 'a fault over TLS');
is($sandbox->state->{amberflo}{ingested}, 2, 'the same state');
$sandbox->fault(path => '/ingest', fault => 'slow', ms => 1);
like(call($request), qr/ 200 /, 'a slow answer');
is($sandbox->call('GET', '/customers', [ 'X-API-KEY' => 'k' ])->{status}, 200, 'http beside it');
is($sandbox->stop, 0, 'both stop');

done_testing();
