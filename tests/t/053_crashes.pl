# Whatever ends a backend or the server during a call, the next run works, and
# nothing is sent a second time.
use strict;
use warnings;

use Arazzo;
use Test::More;

my $arazzo = Arazzo->new(shape => 'published', keys => 1, config => ['restart_after_crash = on']);
my $node = $arazzo->node;
my $sandbox = $arazzo->sandbox;
my $inputs = '{"meterApiName":"m","customerId":"c1","meterValue":1,"meterTimeInMillis":1718153645993,"amount":5}';
my $run = "SELECT arazzo_run('meter-usage-and-topup-prepaid', '$inputs')";
my $pid_of = "SELECT pid FROM pg_stat_activity WHERE query LIKE 'SELECT arazzo_run%' AND state = 'active'";

# Its start tells a server that came back from one that has yet to notice.
my $checkpointer = "SELECT backend_start FROM pg_stat_activity WHERE backend_type = 'checkpointer'";

# Ends what a call hangs in, by a function that is told the backend.
sub ended_by
{
	my ($name, $end) = @_;
	my ($out, $error) = ('', '');
	my $before = $node->safe_psql('postgres', $checkpointer);

	$sandbox->clear_ledger;
	$sandbox->fault(path => '/ingest', fault => 'hold', count => 1);
	my $session = $arazzo->background("$run;\n", \$out, \$error);
	ok($sandbox->wait_for_requests(1), "$name: a call hangs");
	my $pid = $node->safe_psql('postgres', $pid_of);
	like($pid, qr/^\d+$/, "$name: its backend");
	$end->($pid);
	$session->finish;
	is($out, '', "$name: no outputs");
	isnt($error, '', "$name: the client is told");
	ok($node->poll_query_until('postgres', "SELECT backend_start > '$before' FROM ($checkpointer) AS c"),
		"$name: the server is there again");
	is(scalar @{ $arazzo->seen }, 1, "$name: nothing is sent again");
	like($node->safe_psql('postgres', $run), qr/"order-\d+"/, "$name: the next run works");
	is(scalar @{ $arazzo->seen }, 3, "$name: and sends its own requests");
	return;
}

ended_by('backend killed', sub { kill 'KILL', $_[0]; });
ended_by('fast restart', sub { $node->restart; });
ended_by('immediate restart', sub { $node->stop('immediate'); $node->start; });
done_testing();
