# Runs of two calls for tests of the queue: an event, which carries a key, and
# then an order, which does not; and what the sandbox saw of them.
#
#	my $billing = Billing->new(workers => 1);
#	my $run = $billing->submit('c1');
#	is($billing->ledger('c1'), 'event 1 order 1', 'each call was made once');
package Billing;

use strict;
use warnings;

use Arazzo;
use PostgreSQL::Test::Utils;
use Time::HiRes qw(usleep);

our $WORKFLOW = 'meter-usage-and-topup-prepaid';

# Options: those of Arazzo, and workers: how many background workers there are;
# without, sessions work the queue off.
sub new
{
	my ($class, %options) = @_;
	my $workers = $options{workers} // 0;
	my @config = ('restart_after_crash = on', 'max_prepared_transactions = 2', @{ $options{config} // [] });

	push @config, "shared_preload_libraries = 'amberflo_arazzo'", "arazzo.databases = 'postgres'", "arazzo.workers = $workers"
	  if $workers;
	my $arazzo = Arazzo->new(%options, shape => 'published', keys => 1, config => \@config);
	my $self = bless { arazzo => $arazzo, node => $arazzo->node, sandbox => $arazzo->sandbox, workers => $workers }, $class;
	my $url = $arazzo->sandbox->url;

	$self->sql(<<"SQL");
CREATE SERVER events FOREIGN DATA WRAPPER arazzo OPTIONS (api 'https://app.amberflo.io/ingest', url '$url/ingest',
	idempotency_key 'body /uniqueId');
CREATE USER MAPPING FOR CURRENT_USER SERVER events OPTIONS (api_key 'amberflo-test-key');
SQL
	return $self;
}

sub arazzo { return $_[0]{arazzo}; }
sub node { return $_[0]{node}; }
sub sandbox { return $_[0]{sandbox}; }
sub sql { return $_[0]{node}->safe_psql('postgres', $_[1]); }

# The inputs of a customer's run, as an SQL expression.
sub inputs
{
	my ($customer) = @_;

	return "jsonb_build_object('meterApiName', 'm', 'customerId', $customer, 'meterValue', 1,"
	  . " 'meterTimeInMillis', 1718153645993, 'amount', 5)";
}

# Queues a run for a customer; more: further arguments of arazzo_submit.
sub submit
{
	my ($self, $customer, $more) = @_;

	return $self->sql("SELECT arazzo_submit('$WORKFLOW', " . inputs("'$customer'") . ($more ? ", $more" : '') . ')');
}

# One each for the customers PREFIX-1 to PREFIX-N.
sub submit_many
{
	my ($self, $prefix, $count) = @_;

	$self->sql("SELECT count(arazzo_submit('$WORKFLOW', " . inputs("'$prefix-' || i") . ")) FROM generate_series(1, $count) i");
	return;
}

# Starts a session that works the queue off; finish() waits for it.
sub start_session
{
	my ($self) = @_;
	my $session = { out => '', error => '' };

	$session->{run} = $self->{arazzo}->background("CALL arazzo_work();\n", \$session->{out}, \$session->{error});
	return $session->{run};
}

# What a session or a worker is known by in pg_stat_activity.
sub condition
{
	my ($self) = @_;

	return $self->{workers} ? "backend_type = 'arazzo worker'" : "query = 'CALL arazzo_work();' AND state = 'active'";
}

# The process that works, once it is there.
sub pid
{
	my ($self) = @_;
	my $condition = $self->condition;

	$self->{node}->poll_query_until('postgres', "SELECT count(*) > 0 FROM pg_stat_activity WHERE $condition") or return undef;
	return $self->sql("SELECT min(pid) FROM pg_stat_activity WHERE $condition");
}

# Waits until the one that works waits for a lock.
sub wait_for_lock
{
	my ($self) = @_;
	my $condition = $self->condition;

	return $self->{node}->poll_query_until('postgres',
		"SELECT count(*) = 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND $condition");
}

# Waits until a condition on arazzo_runs holds for a customer's run.
sub wait_for_run
{
	my ($self, $customer, $condition) = @_;

	return $self->{node}->poll_query_until('postgres',
		"SELECT $condition FROM arazzo_runs WHERE inputs->>'customerId' = '$customer'");
}

# Works off what is due: with workers, waits until they have.
sub work
{
	my ($self) = @_;

	return $self->sql('CALL arazzo_work()') unless $self->{workers};
	return $self->{node}->poll_query_until('postgres',
		"SELECT count(*) = 0 FROM arazzo_queue WHERE status = 'running' OR due <= now()");
}

# A lock on a table that survives every crash, and its end.
sub lock_table { $_[0]->sql("BEGIN; LOCK TABLE $_[1]; PREPARE TRANSACTION 'lock'"); return; }
sub unlock { $_[0]->sql("ROLLBACK PREPARED 'lock'"); return; }

# Kills a process and waits until the server is there again.
sub kill_process
{
	my ($self, $pid) = @_;

	kill 'KILL', $pid;
	return $self->{node}->poll_query_until('postgres', "SELECT NOT EXISTS (SELECT FROM pg_stat_activity WHERE pid = $pid)");
}

# Kills the postmaster and starts the server again as soon as that can be:
# once its other processes have noticed, which takes them a moment.
sub kill_postmaster
{
	my ($self) = @_;
	my $node = $self->{node};
	my ($pid) = slurp_file($node->data_dir . '/postmaster.pid') =~ /^(\d+)/;
	my $tries = 100;

	$node->kill9;
	usleep(1000) while kill 0, $pid;
	usleep(50_000) until $node->start(fail_ok => 1) || --$tries == 0;
	return $tries > 0;
}

sub status
{
	my ($self, $customer) = @_;

	return $self->sql("SELECT status FROM arazzo_runs WHERE inputs->>'customerId' = '$customer'");
}

# What reached the sandbox, by customer: how many events and orders, and how
# many events that differ.
sub seen
{
	my ($self) = @_;
	my (%seen, %bodies);

	foreach my $entry (@{ $self->{sandbox}->ledger })
	{
		my ($customer) = $entry->{body} =~ /"customerId": ?"([^"]+)"/ or next;
		my $what = $entry->{target} =~ /ingest/ ? 'event' : 'order';

		$seen{$customer}{$what}++;
		$bodies{$customer}{ $entry->{body} } = 1 if $what eq 'event';
	}
	$seen{$_}{differing} = keys(%{ $bodies{$_} }) - 1 foreach keys %bodies;
	return \%seen;
}

# The same of one customer as text: "event 2 order 1"; events that differ are
# said to.
sub ledger
{
	my ($self, $customer) = @_;
	my $seen = $self->seen->{$customer} // {};

	return join(' ', (map { "$_ $seen->{$_}" } grep { $seen->{$_} } qw(event order)), $seen->{differing} ? 'differing' : ());
}

# The faults of an account that must have none, as text: '' when no run was
# lost, no order placed twice, no event changed, and nothing in doubt but what
# cannot be decided, which is an order that was on its way.
sub faults
{
	my ($self, $runs, %options) = @_;
	my $seen = $self->seen;
	my %status = map { split /\|/ } split /\n/, $self->sql("SELECT inputs->>'customerId', status FROM arazzo_runs");
	my @all = sort keys %status;
	my $over = $options{over} // 'succeeded|in_doubt';
	my @faults;

	push @faults, sprintf('%d of %d runs are there', scalar(@all), $runs) if @all != $runs;
	push @faults, map { "$_ is $status{$_}" } grep { $status{$_} !~ /^($over)$/ } @all;
	push @faults, map { "$_ has $seen->{$_}{order} orders" } grep { ($seen->{$_}{order} // 0) > 1 } keys %$seen;
	push @faults, map { "events of $_ differ" } grep { $seen->{$_}{differing} } keys %$seen;
	push @faults, map { "$_ was not done" } grep { $status{$_} eq 'succeeded' && !($seen->{$_}{event} && $seen->{$_}{order}) } @all;
	push @faults, 'something else than an order is in doubt'
	  if $self->sql("SELECT count(*) FROM arazzo_runs WHERE status = 'in_doubt' AND sending IS DISTINCT FROM 'topUpPrepaid'");
	return join('; ', @faults);
}

1;
