# Several sessions work one queue off and are killed at random moments: no run
# is lost, no order is placed twice, every repeated event is the same, and
# only what cannot be decided is in doubt. Counted at the sandbox's ledger.
use strict;
use warnings;

use Arazzo;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(usleep);

my $runs = 300;
my $kills = 8;
my $concurrency = 4;
my $arazzo = Arazzo->new(shape => 'published', keys => 1,
	config => ['restart_after_crash = on', "arazzo.concurrency = $concurrency"]);
my $node = $arazzo->node;
my $sandbox = $arazzo->sandbox;
my $url = $sandbox->url;

sub sql { return $node->safe_psql('postgres', $_[0]); }

# events carry a key, orders do not
sql("CREATE SERVER events FOREIGN DATA WRAPPER arazzo OPTIONS (api 'https://app.amberflo.io/ingest', url '$url/ingest', idempotency_key 'body /uniqueId')");
sql("CREATE USER MAPPING FOR CURRENT_USER SERVER events OPTIONS (api_key 'amberflo-test-key')");
sql(<<"SQL");
SELECT arazzo_submit('meter-usage-and-topup-prepaid', jsonb_build_object('meterApiName', 'm', 'customerId', 'c-' || i,
	'meterValue', i, 'meterTimeInMillis', 1718153645993, 'amount', i)) FROM generate_series(1, $runs) i
SQL

sub start_worker
{
	my $worker = { out => '', error => '' };

	$worker->{run} = $arazzo->background("CALL arazzo_work();\n", \$worker->{out}, \$worker->{error});
	return $worker;
}

foreach my $kill (1 .. $kills)
{
	my $before = $sandbox->counts->{count};
	my @workers = map { start_worker() } 1 .. 3;

	$sandbox->wait_for_requests($before + 1 + int(rand($runs / $kills)), 5);
	usleep(int(rand(3000)));
	my ($pid) = split /\n/, sql("SELECT pid FROM pg_stat_activity WHERE query = 'CALL arazzo_work();' AND state = 'active' ORDER BY random()");
	kill 'KILL', $pid if $pid;
	$_->{run}->finish foreach @workers;
	$node->poll_query_until('postgres', 'SELECT true') or die 'the server did not come back';
}
my @workers = map { start_worker() } 1 .. 3;
$_->{run}->finish foreach @workers;

# runs whose answer came with an error that goes away wait for their time
sql("UPDATE arazzo_queue SET due = now() WHERE status = 'waiting'");
sql('CALL arazzo_work()');

my (%events, %distinct, %orders);
foreach my $entry (@{ $sandbox->ledger })
{
	my ($customer) = $entry->{body} =~ /"customerId": ?"(c-\d+)"/;

	if ($entry->{target} eq '/ingest')
	{
		$events{$customer}++;
		$distinct{$customer}{ $entry->{body} } = 1;
	}
	else
	{
		$orders{$customer}++;
	}
}
my %status = map { split /\|/ } split /\n/, sql("SELECT inputs->>'customerId', status FROM arazzo_runs");
my @doubt = grep { $status{$_} eq 'in_doubt' } keys %status;
my $repeated = grep { $_ > 1 } values %events;

is(scalar(keys %status), $runs, 'no run is lost');
is(join(' ', grep { $status{$_} !~ /^(succeeded|in_doubt)$/ } keys %status), '', 'every run is over or in doubt');
is(scalar(keys %events), $runs, 'every event was sent');
is(join(' ', grep { keys %{ $distinct{$_} } > 1 } keys %distinct), '', 'a repeated event has the same key and bytes');
is(join(' ', grep { $orders{$_} > 1 } keys %orders), '', 'no order was placed twice');
is(join(' ', grep { $status{$_} eq 'succeeded' && !$orders{$_} } keys %status), '', 'no run says that it placed an order and did not');
is(sql("SELECT count(*) FROM arazzo_runs WHERE status = 'in_doubt' AND sending IS DISTINCT FROM 'topUpPrepaid'"), '0',
	'only orders are in doubt');
cmp_ok(scalar(@doubt), '<=', 3 * $concurrency * $kills, 'and no more than were on their way when the server went down');
note(sprintf('%d runs, %d kills: %d events repeated, %d orders in doubt, of which %d had arrived',
	$runs, $kills, $repeated, scalar(@doubt), scalar(grep { $orders{$_} } @doubt)));

done_testing();
