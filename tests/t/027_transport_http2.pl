# HTTP/2 where TLS offers it: requests of a session share one connection, each
# a stream of its own, and a stream that the server resets is an unknown
# outcome that leaves the connection usable.

use strict;
use warnings;

use HttpRoom;
use IO::Socket::INET;
use IPC::Run;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep);
use TlsServer;

my $directory = TlsServer::new_directory();
my $here = "$directory";
my $port = PostgreSQL::Test::Cluster::get_free_port();
my ($log, $error) = ('', '');

TlsServer::authority($here, 'trusted');
TlsServer::certificate($here, 'good', 'trusted', 'DNS:localhost,IP:127.0.0.1');
chmod 0644, glob "$here/*";
mkdir "$here/files";
append_to_file("$here/files/answer.json", '{"http": 2}');

$ENV{PATH} .= ':/usr/sbin';
my $server = IPC::Run::start(
	[ 'nghttpd', '-v', '-a', '127.0.0.1', '-d', "$here/files", $port, "$here/good.key", "$here/good.pem" ],
	'<', \undef, '>', \$log, '2>', \$error, IPC::Run::timeout($PostgreSQL::Test::Utils::timeout_default));

END
{
	my $status = $?;

	$server->kill_kill if $server;
	$? = $status;
}

# Until it listens, or has died.
until (IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $port, Proto => 'tcp'))
{
	$server->pump_nb;
	die "nghttpd did not start: $error" if $error;
	sleep 0.05;
}

my $node = start_node('http2');
my @trust = (options => ["ca_file=$here/trusted.pem"]);
my $url = "https://localhost:$port/answer.json";
my $get = perform_sql(q{concat_ws(' ', outcome, status, response_body, peer)}, $url, @trust);
my $post = perform_sql(q{concat_ws(' ', outcome, status)}, $url, @trust, method => 'POST', body => 'x' x 100_000,
	headers => ['Content-Type: text/plain']);

my @answers = split /\n/, $node->safe_psql('postgres', "$get; $post; $get; SELECT test_http_counts()");
like($answers[0], qr/^received 200 \{"http": 2\} .*HTTP\/2/, 'an answer by HTTP/2');
like($answers[1], qr/^received \d+$/, 'a body of many frames');
like($answers[2], qr/^received 200 \{"http": 2\} .*HTTP\/2/, 'another answer');
like($answers[3], qr/^0\b/, 'nothing is in flight afterwards');

$server->pump_nb;
my @connections = do { my %seen; grep { !$seen{$_}++ } $log =~ /\[id=(\d+)\]/g };
my @streams = $log =~ /recv HEADERS frame <[^>]*stream_id=(\d+)>/g;
is(scalar(@streams), 3, 'three requests, three streams');
is_deeply(\@streams, [ sort { $a <=> $b } @streams ], 'one after the other');
is(scalar(grep { my $id = $_; $log =~ /\[id=$id\][^\n]*recv HEADERS/ } @connections), 1, 'on one connection');

done_testing();
