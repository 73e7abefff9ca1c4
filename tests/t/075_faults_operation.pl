# Faults of operation: too few descriptors, many runs, databases that go away,
# copies, and places in which a run cannot be.  Prints a table: number, fault,
# what is required, what was seen.
use strict;
use warnings;

use FaultTable;
use PostgreSQL::Test::Utils;
use RawServer;
use Test::More;

my $table = FaultTable->new(
	table => \*DATA,
	answers => { '/slow' => [ [ slow => RawServer::response('ok'), 0.002 ] ], '/stall' => ['STALL'] },
	config => [ 'max_files_per_process = 64', 'max_connections = 30' ]);
my $node = $table->node;
my $session = $table->session;

# 19 and 73: more connections than descriptors, in a session of its own, which
# keeps some of them
my $other = $table->new_session;
$table->row_of(19, '120 calls at once, 64 descriptors', $table->words($other->ask(<<'SQL')));
SELECT count(outputs), count(error), coalesce(min(error->>'message'), 'no error')
FROM arazzo_run_many('read', array_fill('{"case": "slow"}'::jsonb, ARRAY[120]), 120);
SQL
$table->requests;
$table->row_of(73, 'descriptors for files, afterwards', $table->words($other->ask('SELECT count(*) > 0 FROM pg_stats;')));

# 74: many runs
sub resident
{
	open my $status, '<', "/proc/$table->{pid}/status" or die "could not read the status of the session: $!";
	local $/;
	return readline($status) =~ /^VmRSS:\s+(\d+)/m ? $1 : die 'no resident memory';
}

sub hundreds
{
	for (1 .. $_[0])
	{
		$session->ask(q{DO $$ BEGIN FOR i IN 1 .. 100 LOOP PERFORM arazzo_run('write', '{"case": "fine"}'); END LOOP; END $$;});
		$table->requests;
	}
	return;
}
hundreds(5);
my $before = resident();
hundreds(30);
my $grown = resident() - $before;
$table->row_of(74, '3000 runs in a session', $grown < 1024 || FaultTable::is_watched() ? 'less than 1 MB more' : "$grown kB more");

# 75: history
$session->ask(q{SELECT arazzo_cancel(arazzo_submit('read', '{"case": "fine"}')) FROM generate_series(1, 2500) \g /dev/null});
$table->row(75, 'history of 2500 runs', q{CALL arazzo_prune('0'); SELECT count(*) FROM arazzo_queue;});

# 76: a database that goes away
$node->safe_psql('postgres', 'CREATE DATABASE short');
$node->safe_psql('short', 'CREATE EXTENSION amberflo_arazzo; CREATE SERVER probe FOREIGN DATA WRAPPER arazzo OPTIONS (api \'https://probe.test\', url \''
	. $table->server->url('') . '\')');
foreach my $uri ('https://probe.test/openapi.yaml', 'https://probe.test/arazzo.yaml')
{
	my $text = $node->safe_psql('postgres', "SELECT source FROM arazzo_documents WHERE uri = '$uri'");
	$node->safe_psql('short', "SELECT arazzo_load('$uri', " . Arazzo::quote($text) . ')');
}
my ($out, $error) = ('', '');
my $hanging = IPC::Run::start([ 'psql', '-XAtq', '-d', $node->connstr('short'), '-c', FaultTable::run('read', 'stall') ], '<', \undef, '>', \$out, '2>', \$error,
	IPC::Run::timeout($PostgreSQL::Test::Utils::timeout_default));
$table->server->wait_for(qr{^request \d+ GET /stall});
$node->safe_psql('postgres', 'DROP DATABASE short WITH (FORCE)');
$hanging->finish;
$table->row_of(76, 'DROP DATABASE WITH FORCE during a call', $error =~ /FATAL:  (.*)/ ? $1 : "$out$error");

# 77: nothing is preloaded
$table->row(77, 'not preloaded', "SHOW shared_preload_libraries;\n" . FaultTable::run('read', 'fine'));

# 78: a copy
$session->ask(q{SELECT arazzo_submit('read', '{"case": "fine"}');});
my $dump = PostgreSQL::Test::Utils::tempdir() . '/dump.sql';
$node->command_ok([ 'pg_dump', '-f', $dump, '-d', $node->connstr('postgres') ], 'dump');
$node->safe_psql('postgres', 'CREATE DATABASE copy');
$node->command_ok([ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-f', $dump, '-d', $node->connstr('copy') ], 'restore');
$table->row_of(78, 'pg_dump and restore with a queued run', $node->safe_psql('copy', q{SELECT string_agg(status, ' ') FROM arazzo_runs}) . '; ' . $table->requests . ' sent');
$session->ask("\\o /dev/null\nCALL arazzo_work();\n\\o");

# 79: places
$table->row(79, 'what may change or send is volatile and not parallel', <<'SQL');
SELECT coalesce(string_agg(proname, ' ' ORDER BY proname), 'all') FROM pg_proc
WHERE proname ~ '^arazzo_(run|run_many|trace|submit|retry|cancel|resolve|load|load_file|import|unload|work|prune)$'
AND (provolatile <> 'v' OR proparallel <> 'u');
SQL
my $call = "arazzo_run('read', '{\"case\": \"fine\"}')";
$session->ask('CREATE TABLE t (a int); INSERT INTO t VALUES (1);');
$table->row(79, 'index', "CREATE INDEX ON t ($call);");
$table->row(79, 'generated column', "ALTER TABLE t ADD g jsonb GENERATED ALWAYS AS ($call) STORED;");
$table->row(79, 'view', "CREATE VIEW v AS SELECT $call FROM t; SELECT * FROM v;");
$table->row(79, 'read-only transaction', "BEGIN READ ONLY; SELECT $call; COMMIT;");
$table->row(79, 'submitted in a read-only transaction', q{BEGIN READ ONLY; SELECT arazzo_submit('read', '{"case": "fine"}'); COMMIT;});
$table->row(79, 'work in a transaction block', 'BEGIN; CALL arazzo_work(); COMMIT;');

$table->finish;

__DATA__

19 | 120 calls at once, 64 descriptors | bounded below the limit, none lost | 120|0|no error
73 | descriptors for files, afterwards | none taken from the server | t
74 | 3000 runs in a session | flat | less than 1 MB more
75 | history of 2500 runs | deleted in batches | 2500 0; 0 sent
76 | DROP DATABASE WITH FORCE during a call | ends at once, DDL not blocked | terminating connection due to administrator command
77 | not preloaded | works |  {"body": "fine"}; 1 sent
78 | pg_dump and restore with a queued run | survives, and the copy sends nothing | queued; 0 sent
79 | what may change or send is volatile and not parallel | explicitly allowed or refused | all; 0 sent
79 | index | explicitly allowed or refused | 42P17 functions in index expression must be marked IMMUTABLE; 0 sent
79 | generated column | explicitly allowed or refused | 42P17 generation expression is not immutable; 0 sent
79 | view | explicitly allowed or refused | {"body": "fine"}; 1 sent
79 | read-only transaction | explicitly allowed or refused | {"body": "fine"}; 1 sent
79 | submitted in a read-only transaction | explicitly allowed or refused | 25006 cannot execute arazzo_submit() in a read-only transaction; 0 sent
79 | work in a transaction block | explicitly allowed or refused | 2D000 arazzo_work cannot run inside a transaction block or a function | It commits as it goes: use CALL as a statement of its own.; 0 sent
