# The limits of a server hold for all that call it, background workers and
# sessions together; a place is given back however its process ends; who is
# refused waits in a line, and does nothing meanwhile.
use strict;
use warnings;

use Billing;
use HttpRoom ();
use JSON::PP;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(clock_gettime CLOCK_MONOTONIC);

my $billing = Billing->new(workers => 2, config => ['arazzo.concurrency = 8']);
my $node = $billing->node;
my $sandbox = $billing->sandbox;
my $arazzo = $billing->arazzo;

sub sql { return $billing->sql($_[0]); }
sub poll { ok($node->poll_query_until('postgres', $_[0]), $_[1]); return; }
sub limit { sql("ALTER SERVER amberflo OPTIONS ($_[0])"); return; }
sub call { return "arazzo_run('order', '{\"customerId\": \"$_[0]\"}')"; }

# One order, which is not keyed: its row says that it is being sent.
sql('SELECT arazzo_load(' . Arazzo::quote('https://w.example/order.yaml') . ', ' . Arazzo::quote(<<'YAML') . ')');
arazzo: 1.0.1
info: {title: o, version: '1'}
sourceDescriptions: [{name: api, url: 'amberflo-arazzo:/workflows/openapi/amberflo-billing.yaml'}]
workflows:
- workflowId: order
  inputs: {type: object, properties: {customerId: {type: string}}}
  steps:
  - stepId: order
    operationId: createPrepaidOrder
    requestBody: {contentType: application/json, payload: {customerId: $inputs.customerId, amount: 5}}
    successCriteria: [{condition: $statusCode == 200}]
  outputs: {customer: $inputs.customerId}
YAML

sub submit_orders
{
	my ($prefix, $count) = @_;

	sql("SELECT count(arazzo_submit('order', jsonb_build_object('customerId', '$prefix-' || i))) FROM generate_series(1, $count) i");
	return;
}

sub orders { return scalar grep { $_->{body} =~ /"$_[0]/ } @{ $sandbox->ledger }; }

sub wait_for_orders
{
	my ($prefix, $count) = @_;

	for (1 .. 18000)
	{
		return 1 if orders($prefix) >= $count;
		Time::HiRes::sleep(0.01);
	}
	return 0;
}

# A statement in a session of its own; it answers with what it said.
sub start
{
	my ($statement) = @_;
	my $session = { out => '', error => '' };

	$session->{run} = $arazzo->background("SET statement_timeout = '120s'; $statement;\n", \$session->{out}, \$session->{error});
	return $session;
}

sub said
{
	my ($session) = @_;

	eval { $session->{run}->finish };
	return $session->{out} . $session->{error};
}

sub refused
{
	my ($customer, $milliseconds, $what) = @_;
	my ($out, $error) = $arazzo->query("SET statement_timeout = $milliseconds; SELECT " . call($customer));

	like($error, qr/57014/, $what);
	is(orders($customer), 0, '... and sends nothing');
	return;
}

# Three calls at a time, of two workers and a session
limit(q{ADD max_concurrency '3'});
$sandbox->fault(path => '/payments*', fault => 'hold', contains => '"w-', count => 24);
submit_orders('w', 24);
poll("SELECT count(DISTINCT claim) = 2 FROM arazzo_queue WHERE status = 'running'", 'both workers have runs');
my %senders;
my $session;
foreach my $round (1 .. 8)
{
	ok(wait_for_orders('w', 3 * $round), 'three more orders are there');
	$senders{$_} = 1 foreach split /\n/, sql('SELECT DISTINCT claim FROM arazzo_queue WHERE sending IS NOT NULL AND claim IS NOT NULL');
	if ($round == 1)
	{
		refused('refused', 300, 'a session gets no place beside them');
		$session = start('SELECT ' . call('session'));
	}
	is($sandbox->release, 3, 'and no other');
}
poll(q{SELECT count(*) = 24 FROM arazzo_runs WHERE status = 'succeeded'}, 'all go through');
is(said($session), qq({"customer": "session"}\n), 'a session that waited among them, too');
is($sandbox->counts->{busiest}, 3, 'never more than three calls were under way');
is(scalar(keys %senders), 2, 'and both workers have sent some');

# However a process ends, its place is free
limit(q{SET max_concurrency '1'});
my %ends = (
	'statement_timeout' => [ q{SET statement_timeout = '500ms'; }, sub { } ],
	'pg_cancel_backend' => [ '', sub { sql("SELECT pg_cancel_backend($_[0])") } ],
	'pg_terminate_backend' => [ '', sub { sql("SELECT pg_terminate_backend($_[0])") } ],
	'kill -9' => [ '', sub { $billing->kill_process($_[0]) } ]);
foreach my $name (sort keys %ends)
{
	my ($setting, $end) = @{ $ends{$name} };

	$sandbox->fault(path => '/payments*', fault => 'hold', contains => '"held"', count => 1);
	$sandbox->clear_ledger;
	my $holder = start($setting . 'SELECT ' . call('held'));
	my $next;

	ok(wait_for_orders('held', 1), "$name: a call is under way");
	unless ($name eq 'statement_timeout')
	{
		refused('waits', 200, 'another gets no place');
		# one in line, unless the server goes down with it
		$next = start('SELECT ' . call('next')) unless $name eq 'kill -9';
	}
	$end->(sql(q{SELECT pid FROM pg_stat_activity WHERE query LIKE '%"held"%' AND state = 'active' AND pid <> pg_backend_pid()}));
	isnt(said($holder), '', 'it ends');
	$sandbox->release;
	is(said($next), qq({"customer": "next"}\n), 'the next in line goes') if $next;
	is(sql("SET statement_timeout = '120s'; SELECT " . call('after')), '{"customer": "after"}', 'and others after it');
}

# a worker that is killed, or ended, with a call under way
foreach my $name ('kill -9', 'pg_terminate_backend')
{
	$sandbox->clear_ledger;
	$sandbox->fault(path => '/payments*', fault => 'hold', contains => '"killed-', count => 1);
	submit_orders('killed', 1);
	ok(wait_for_orders('killed', 1), "a worker has the place, $name");
	refused('beside', 200, 'a session gets none');
	my $pid = sql(q{SELECT pid FROM pg_locks JOIN arazzo_queue ON (objid = claim AND classid = 0) WHERE locktype = 'advisory' AND sending IS NOT NULL AND status = 'running'});
	$name eq 'kill -9' ? $billing->kill_process($pid) : sql("SELECT pg_terminate_backend($pid)");
	is(sql("SET statement_timeout = '120s'; SELECT " . call('later')), '{"customer": "later"}', 'and has it when the worker is gone');
	$sandbox->release;
	poll("SELECT count(*) = 0 FROM arazzo_queue WHERE status IN ('queued', 'running', 'waiting')", 'the run is in doubt');
}

# who waits for a place looks ten times a second, and the latch is for the rest
$sandbox->clear_ledger;
$sandbox->fault(path => '/payments*', fault => 'hold', contains => '"held"', count => 1);
my $holder = start('SELECT ' . call('held'));
ok(wait_for_orders('held', 1), 'a session has the only place');
submit_orders('idle', 1);
poll("SELECT count(claim) = 1 FROM arazzo_queue WHERE status = 'running'", 'a worker wants it');
my $worker = sql(q{SELECT pid FROM pg_locks JOIN arazzo_queue ON (objid = claim AND classid = 0) WHERE locktype = 'advisory' AND status = 'running'});
sub switches { return slurp_file("/proc/$worker/status") =~ /^voluntary_ctxt_switches:\s+(\d+)/m ? $1 : die 'no count of switches'; }
my ($begin, $before) = (clock_gettime(CLOCK_MONOTONIC), switches());
refused('too', 1500, 'another session waits in vain');
my ($switches, $seconds) = (switches() - $before, clock_gettime(CLOCK_MONOTONIC) - $begin);
cmp_ok($switches, '<=', 30 * $seconds + 30, sprintf('it has looked %d times in %.1f s', $switches, $seconds));
$sandbox->release;
is(said($holder), qq({"customer": "held"}\n), 'the first is over');
poll("SELECT count(*) = 1 FROM arazzo_runs WHERE inputs->>'customerId' = 'idle-1' AND status = 'succeeded'", 'and the worker has its turn');

# Fifty calls a second of two sessions and two workers: so many at the most
# since the bucket was full.
limit(q{DROP max_concurrency, ADD max_rate '50'});
$sandbox->clear_ledger;
$begin = clock_gettime(CLOCK_MONOTONIC) * 1e6;
my @sessions = map { start("SELECT count(outputs) FROM arazzo_run_many('order', array_fill('{\"customerId\": \"s-$_\"}'::jsonb, ARRAY[40]), 8)") } 1, 2;
submit_orders('r', 40);
is(said($_), "40\n", 'a session has sent all of its calls') foreach @sessions;
poll("SELECT count(*) = 40 FROM arazzo_runs WHERE inputs->>'customerId' LIKE 'r-%' AND status = 'succeeded'", 'and so have the workers');
my @arrivals = sort { $a <=> $b } map { $_->{time_us} } @{ $sandbox->ledger };
is(scalar(@arrivals), 120, 'all calls are there');
my @early = grep { $arrivals[ $_ - 1 ] < $begin + ($_ - 2.5) / 50 * 1e6 - 1000 } 1 .. @arrivals;
is("@early", '', 'none came before the rate allowed it');

# calls that wait are no part of a crash when the server is stopped
limit(q{SET max_rate '0.001'});
submit_orders('stop', 4);
poll("SELECT count(claim) >= 2 FROM arazzo_queue WHERE status = 'running'", 'calls wait for the rate');
$node->stop('fast');
$node->append_conf('postgresql.conf', "arazzo.databases = ''");
$node->start;
is(sql("SELECT count(*) FROM arazzo_queue WHERE inputs->>'customerId' LIKE 'stop-%' AND (claim IS NOT NULL OR crashes > 0)"), '0', 'they were given back before the server stopped');
limit(q{DROP max_rate});
$node->append_conf('postgresql.conf', "arazzo.databases = 'postgres'");
$node->reload;
poll("SELECT count(*) = 4 FROM arazzo_runs WHERE inputs->>'customerId' LIKE 'stop-%' AND status = 'succeeded'", 'and are sent later');
limit(q{ADD max_rate '50'});

# a limit that is lifted, and one that comes, while calls wait
limit(q{SET max_rate '0.001'});
submit_orders('slow', 4);
poll("SELECT count(claim) >= 2 FROM arazzo_queue WHERE status = 'running'", 'calls wait for the rate');
limit(q{DROP max_rate});
submit_orders('quick', 2);
poll("SELECT count(*) = 2 FROM arazzo_runs WHERE inputs->>'customerId' LIKE 'quick-%' AND status = 'succeeded'", 'others are free when it is lifted');

# More servers than there is room for, each good for one call and no more: the
# last ones are counted by each session.
my $servers = 260;
$sandbox->mock([ { regex => '/s[0-9]+', answers => [ { body => {} } ] } ]);
sql('SELECT arazzo_load(' . Arazzo::quote('https://w.example/many-api.json') . ', ' . Arazzo::quote(JSON::PP->new->encode({ openapi => '3.1.0', info => { title => 'm', version => '1' },
	paths => { map { ("/s$_" => { servers => [ { url => "https://s$_.example" } ], post => { operationId => "s$_", responses => { 200 => { description => 'ok' } } } }) } 1 .. $servers } })) . ')');
sql('SELECT arazzo_load(' . Arazzo::quote('https://w.example/many.json') . ', ' . Arazzo::quote(JSON::PP->new->encode({ arazzo => '1.0.1', info => { title => 'm', version => '1' },
	sourceDescriptions => [ { name => 'api', url => 'many-api.json' } ],
	workflows => [ { workflowId => 'all', steps => [ map { { stepId => "s$_", operationId => "s$_" } } 1 .. $servers ] },
		map { { workflowId => "one-$_", steps => [ { stepId => "s$_", operationId => "s$_" } ] } } 1, $servers ] })) . ')');
sql(join '', map { "CREATE SERVER s$_ FOREIGN DATA WRAPPER arazzo OPTIONS (api 'https://s$_.example', url '" . $sandbox->url . "', max_rate '0.001');" } 1 .. $servers);
my $all = HttpRoom::session($node);
my $other = HttpRoom::session($node);
my $again = q{SET statement_timeout = 300; SELECT arazzo_run('one-%d') IS NOT NULL;};
is($all->ask(q{SELECT arazzo_run('all') IS NOT NULL;}), 't', 'a run with a call to each of many servers');
like($other->ask(sprintf $again, 1), qr/57014/, 'the first has room, and another session has to wait');
is($other->ask(sprintf $again, $servers), 't', 'the last has none, and counts for each session');
like($all->ask(sprintf $again, $servers), qr/57014/, 'but for each it does');

$node->stop('fast');
unlike(slurp_file($node->logfile), qr/PANIC|TRAP|signal 11/, 'nothing crashed by itself');
done_testing();
