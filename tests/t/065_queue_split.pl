# A batch that the API refuses is halved until the bad event stands alone:
# all others are taken in exactly once, in order where an order was asked for.
use strict;
use warnings;

use Arazzo;
use JSON::PP;
use Test::More;

my $arazzo = Arazzo->new(shape => 'published', keys => 1);
my $node = $arazzo->node;
my $sandbox = $arazzo->sandbox;

sub sql { return $node->safe_psql('postgres', $_[0]); }

# The inputs of a batch: events from $first to $last; the time of those in
# %$bad is more than the API can hold.
sub batch
{
	my ($first, $last, $bad) = @_;
	my @events = map {
		sprintf('{"meterApiName":"m","customerId":"c1","meterValue":%d,"uniqueId":"event-%d","meterTimeInMillis":%s}',
			$_, $_, $bad->{$_} ? '99999999999999999999' : '1718153645993')
	} $first .. $last;

	return '{"events":[' . join(',', @events) . ']}';
}

sub submit
{
	my ($inputs, $options) = @_;

	return sql("SELECT arazzo_submit('ingest-events-batch', '$inputs'$options)");
}

# What was taken in, in order.
sub accepted
{
	my @numbers;

	foreach my $entry (grep { $_->{status} == 200 } @{ $sandbox->ledger(path => '/ingest') })
	{
		push @numbers, map { $_->{meterValue} } @{ decode_json($entry->{body}) };
	}
	return "@numbers";
}

sub numbers { return join(' ', @_); }
sub sorted { return join(' ', sort { $a <=> $b } split(/ /, $_[0])); }

# What the failed runs hold.
sub alone
{
	return sql("SELECT string_agg(jsonb_path_query_array(inputs, '\$.events[*].meterValue')::text, ' ' ORDER BY inputs #> '{events,0,meterValue}')"
		  . " FROM arazzo_runs WHERE status = 'failed'");
}

sub forget { sql("TRUNCATE arazzo_queue, arazzo_queue_attempts"); $sandbox->clear_ledger; return; }

foreach my $bad ([ 17 ], [ 1, 40, 64 ], [ 31, 32, 33 ])
{
	my %bad = map { $_ => 1 } @$bad;
	my $run = submit(batch(1, 64, \%bad), ", key => 'batch', split => true");

	sql('CALL arazzo_work()');
	is(sorted(accepted()), numbers(grep { !$bad{$_} } 1 .. 64), "all events but @$bad are taken in, once each");
	is(alone(), numbers(map { "[$_]" } @$bad), 'the bad ones stand alone');
	is(sql("SELECT status, key, message ~ '^replaced by runs [0-9]+ and [0-9]+, each with half of \"events\"\$', finished_at IS NOT NULL"
			  . " FROM arazzo_runs WHERE run = $run"),
		'cancelled|batch|t|t', 'the batch says what became of it');
	is(sql("SELECT count(*) FROM arazzo_runs r WHERE status = 'cancelled' AND (SELECT count(*) FROM arazzo_runs c WHERE c.parent = r.run) <> 2"),
		'0', 'two runs for each that was split');
	is(submit(batch(1, 64, \%bad), ", key => 'batch'"), $run, 'its key still stands for it');
	forget();
}

# nobody asked for it, then somebody does
my $run = submit(batch(1, 8, { 3 => 1 }), '');
sql('CALL arazzo_work()');
is(sql('SELECT status, sqlstate FROM arazzo_runs'), 'failed|WF004', 'a run that nobody wants split stays whole');
sql("SELECT arazzo_retry($run, split => true); CALL arazzo_work()");
is(sorted(accepted()), numbers(1, 2, 4 .. 8), 'arazzo_retry splits it');
is(alone(), '[3]', 'down to the bad event');
my ($out, $error) = $arazzo->query("SELECT arazzo_retry($run, split => true)");
like($error, qr/^ERROR:  55000: cannot split run $run: it is cancelled/, 'only once');
my $last = sql("SELECT run FROM arazzo_runs WHERE status = 'failed'");
($out, $error) = $arazzo->query("SELECT arazzo_retry($last, split => true)");
like($error, qr/^ERROR:  55000: cannot split run $last: array "events" has fewer than two elements/, 'and no single event');
forget();

# what was not refused is not split
$sandbox->fault(path => '/ingest', fault => 'status', status => 404, count => 1);
submit(batch(1, 4, {}), ', split => true');
sql('CALL arazzo_work()');
is(sql('SELECT count(*), min(status) FROM arazzo_runs'), '1|failed', 'another 4xx says nothing about the events');
forget();

# in order: what follows waits until the halves are over, and they follow each other
submit(batch(1, 8, { 2 => 1, 7 => 1 }), ", order_by => 'customer', split => true");
submit(batch(9, 12, { 10 => 1 }), ", order_by => 'customer', split => true");
submit(batch(13, 14, {}), ", order_by => 'customer'");
sql('CALL arazzo_work()');
is(accepted(), numbers(1, 3 .. 6, 8, 9, 11 .. 14), 'events arrive in the order in which they were submitted');
is(alone(), '[2] [7] [10]', 'but for those that were refused');
is(sql('SELECT count(*) FROM arazzo_runs WHERE finished_at IS NULL'), '0', 'and all is over');
forget();

# each event gets a key of its own, unless it has one, and the same in each attempt
sql("ALTER SERVER amberflo OPTIONS (ADD idempotency_key 'body /uniqueId')");
$sandbox->fault(path => '/ingest', fault => 'status', status => 503, count => 1);
submit(batch(1, 3, {}) =~ s/,"uniqueId":"event-[13]"//gr, '');
sql('CALL arazzo_work()');
sql('UPDATE arazzo_queue SET due = now()');
sql('CALL arazzo_work()');
my @attempts = map { join ' ', map { $_->{uniqueId} // 'none' } @{ decode_json($_->{body}) } } @{ $sandbox->ledger(path => '/ingest') };
like($attempts[0], qr/^(\S+)-1 event-2 \g1-3$/, 'events without a key get one');
is($attempts[1], $attempts[0], 'and the same when they are sent again');

done_testing();
