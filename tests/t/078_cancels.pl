# A thousand runs are ended at random moments: by statement_timeout, by a
# cancel, by the termination of their session; one that comes too early or too
# late for that ends by itself.  No handle, no descriptor and no
# memory stays, and the next run in the session works, every time.
use strict;
use warnings;

use FaultTable;
use HttpRoom ();
use RawServer;
use Test::More;
use Time::HiRes qw(sleep);

my $ok = RawServer::response('{"n": 1}', 'Content-Type: application/json');
my $table = FaultTable->new(
	config => ["arazzo.timeout = '200ms'"],
	answers => {
		'/drip' => [ [ slow => $ok, 0.0003 ] ],
		'/late' => [ 'STALL' ],
		'/half' => [ "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nhalf", 'STALL' ],
		'/again' => [ "HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n" ]
	});
my $rooms = HttpRoom::create_functions($table->node);

# The same code once more, in a module that can count its handles.
$table->node->safe_psql('postgres', "CREATE FUNCTION counted_run(text, jsonb) RETURNS jsonb AS '$rooms', 'arazzo_run' LANGUAGE C STRICT");
my $control = $table->new_session;
my %seen;

# The moments are random, and the same every time.
srand(20240612);

# Some statement that a thousandth of a second may find anywhere.
sub statement
{
	my $case = ('drip', 'late', 'half', 'again', 'fine')[ int rand 5 ];
	my $inputs = "{\"case\": \"$case\"}";
	my @statements = (
		"SELECT arazzo_run('read', '$inputs');",
		"SELECT arazzo_run('write', '$inputs');",
		"SELECT arazzo_run('retry', '$inputs');",
		"SELECT counted_run('retry', '$inputs');",
		"SELECT count(*) FROM arazzo_run_many('read', array_fill('$inputs'::jsonb, ARRAY[6]) || '{\"case\": \"drip\"}'::jsonb, 4);",
		"SELECT count(*) FROM arazzo_trace('retry', '$inputs');",
		"DO \$\$ BEGIN PERFORM arazzo_run('read', '$inputs'); EXCEPTION WHEN OTHERS THEN NULL; END \$\$;");

	return $statements[ int rand @statements ];
}

# How it ended, in a word.
sub ending { return $_[0] =~ /(?:ERROR|FATAL):  (\w{5})/ ? $1 : 'whole'; }

sub by_timeout
{
	my $session = $table->session;

	my $end = ending($session->ask("SET statement_timeout = '" . (1 + int rand 12) . "ms';\n" . statement()));

	# This is subject to the limit that it lifts.
	1 while $session->ask('SET statement_timeout = 0;') =~ /ERROR/;
	return $end;
}

sub by_function
{
	my ($function) = @_;
	my $session = $table->session;

	$session->say(statement());
	sleep(rand 0.012);
	$control->ask("SELECT $function($table->{pid});");
	return ending($session->hear);
}

sub next_run
{
	my $session = $table->session;
	my $answers = $session->ask(FaultTable::fine() . " SELECT counted_run('read', '{\"case\": \"fine\"}'); SELECT test_http_counts();");

	# What has come is read, so that the server is not held up.
	$table->requests;
	return $answers =~ /^\{"body": "fine"\}\n\{"body": "fine"\}\n0 in flight, \d+ idle$/ ? 1 : 0;
}

next_run() for 1 .. 3;
my $works = 0;
my ($held, $bytes) = ('', 0);

sub memory { return $table->session->ask('SELECT sum(used_bytes) FROM pg_backend_memory_contexts;'); }

for my $round (1 .. 1000)
{
	my $way = rand;
	my $end = $way < 0.6 ? by_timeout() : $way < 0.9 || $round > 900 ? by_function('pg_cancel_backend') : by_function('pg_terminate_backend');

	if ($table->session->ask('SELECT 1;') ne '1')
	{
		$end = '57P01';
		$table->open_session;
	}
	$seen{$end}++;
	$works += next_run();
	($held, $bytes) = ($table->held, memory()) if $round == 905;
}
note(join(', ', map { "$_: $seen{$_}" } sort keys %seen));
is($works, 1000, 'the next run in the session worked, and nothing was in flight');
is(join(' ', grep { !/^(?:57014|57P01|whole|WF004|08006)$/ } sort keys %seen), '', 'no other error than those of the end');
cmp_ok($seen{57014}, '>', 300, 'many were cancelled');
cmp_ok($seen{'57P01'}, '>', 30, 'some sessions were terminated');
is($table->held =~ s/^\d+ descriptors; //r, $held =~ s/^\d+ descriptors; //r, 'no memory context stayed');
cmp_ok(memory() - $bytes, '<', 200_000, 'no memory stayed');
my ($now, $then) = map { /^(\d+)/ } $table->held, $held;
cmp_ok($now - $then, '<=', 4, 'no descriptor stayed but those of connections that are kept');

# A connection is kept for the next run, one for each that was in use at a time.
$table->server->stop;
$table->session->ask(FaultTable::fine());
done_testing();
