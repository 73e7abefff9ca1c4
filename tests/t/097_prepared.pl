# COMMIT PREPARED wakes the workers of its database. The clock stands still, so
# that none of them looks by itself.
use strict;
use warnings;

use Billing;
use Clock;
use PostgreSQL::Test::Utils;
use Test::More;

my $clock = Clock->new;
my $billing;
{
	local $ENV{LD_PRELOAD} = $clock->preload;

	$billing = Billing->new(workers => 2, config => ['autovacuum = off']);
}
my $node = $billing->node;

sub sql { return $billing->sql($_[0]); }
sub prepare { return "BEGIN; SELECT arazzo_submit('$Billing::WORKFLOW', " . Billing::inputs("'$_[0]'") . "); PREPARE TRANSACTION '$_[0]'"; }

sub is_over
{
	my ($customer, $what) = @_;

	ok($billing->wait_for_run($customer, "status = 'succeeded'"), $what);
	return;
}

sub wait_until_idle
{
	return $node->poll_query_until('postgres',
		q{SELECT count(*) = 2 FROM pg_stat_activity WHERE backend_type = 'arazzo worker' AND state = 'idle' AND wait_event = 'Extension'});
}

$billing->submit('first');
is_over('first', 'the workers work');
$clock->stop;
$billing->submit('second');
is_over('second', 'also while the clock stands still');
sql(prepare('prepared'));
sql(prepare('forgotten'));
ok(wait_until_idle(), 'they wait');
is(sql("SELECT count(*) FROM arazzo_runs WHERE inputs->>'customerId' IN ('prepared', 'forgotten')"), '0', 'what is prepared is not there');
sql("COMMIT PREPARED 'prepared'");
is_over('prepared', 'COMMIT PREPARED wakes them');
ok(wait_until_idle(), 'they wait again');
sql("ROLLBACK PREPARED 'forgotten'");
my (undef, undef, $error) = $node->psql('postgres', "COMMIT PREPARED 'forgotten'");
like($error, qr/does not exist/, 'one that cannot be committed is an error as ever');

# committed after a restart, by another
sql(prepare('restart'));
$node->stop('fast');
{
	local $ENV{LD_PRELOAD} = $clock->preload;

	$node->start;
}
ok(wait_until_idle(), 'after a restart');
sql("COMMIT PREPARED 'restart'");
is_over('restart', 'the same');
is($billing->faults(4, over => 'succeeded'), '', 'each run was run once');

$node->stop('fast');
unlike(slurp_file($node->logfile), qr/PANIC|TRAP|signal 11/, 'nothing crashed by itself');
done_testing();
