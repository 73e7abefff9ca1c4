# Triggers that queue runs: what is committed is sent once, as the table's
# owner, whatever the way a row came in; and they go through dumps.
use strict;
use warnings;

use Arazzo;
use JSON::PP;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $arazzo = Arazzo->new(shape => 'published', keys => 1,
	config => [ 'max_prepared_transactions = 5', 'wal_level = logical', 'max_wal_senders = 4' ]);
my $node = $arazzo->node;
my $sandbox = $arazzo->sandbox;

# As the README has them: for each row, by a condition, for a statement.
my @recipes = slurp_file("$Arazzo::TOP/README.md") =~ /^(CREATE TRIGGER \w+ AFTER .*?\);)$/gms;

sub sql { return $node->safe_psql('postgres', $_[0]); }
sub targets { return join(' ', map { $_->{target} } @{ $sandbox->ledger }); }

sql(<<'SQL');
CREATE TABLE usage (id bigint PRIMARY KEY, meter text, customer text, quantity numeric, at timestamptz);
CREATE TRIGGER report AFTER INSERT ON usage FOR EACH ROW
EXECUTE FUNCTION arazzo_trigger('create-meter-and-ingest-event', '{"meterApiName": "$row.meter", "displayName": "{$row.meter}",
	"type": "SUM_OF_ALL_USAGE", "customerId": "$row.customer", "meterValue": "$row.quantity", "meterTimeInMillis": "$row.at#ms",
	"uniqueId": "$tg.key"}', '{"key": "$tg.key"}');
SQL

# transactions
my $insert = "INSERT INTO usage VALUES (1, 'm', 'c1', 12345678901234567890.25, '2024-06-12 01:00:45.993+00')";
sql("BEGIN; $insert; ROLLBACK");
sql("BEGIN; SAVEPOINT a; $insert; ROLLBACK TO a; COMMIT");
sql("DO \$\$ BEGIN $insert; RAISE division_by_zero; EXCEPTION WHEN division_by_zero THEN NULL; END \$\$");
is(sql('SELECT count(*) FROM arazzo_queue'), '0', 'what was rolled back is not there');
sql("BEGIN; $insert; PREPARE TRANSACTION 'later'");
is(sql('CALL arazzo_work()'), '0', 'what was prepared is not there yet');
sql("COMMIT PREPARED 'later'");
is(sql('CALL arazzo_work()'), '1', 'it is once it is committed');
is(targets(), '/meter-definition /ingest', 'both calls, once');
like($sandbox->ledger->[-1]{body}, qr/12345678901234567890\.25\b/, 'with every digit');
like($sandbox->ledger->[-1]{body}, qr/1718154045993/, 'and its time');
like($sandbox->ledger->[-1]{body}, qr{public\.usage/1}, 'and a key of its own');

# a role that may do nothing but insert
sql('CREATE ROLE app LOGIN; GRANT INSERT ON usage TO app');
sql("SET ROLE app; INSERT INTO usage VALUES (2, 'm', 'c1', 1, now())");
is(sql("SELECT owner = current_user::regrole FROM arazzo_queue WHERE key = 'public.usage/2'"), 't', 'the run is the owner\'s');

# a statement, split into runs of some rows
$sandbox->clear_ledger;
sql('TRUNCATE arazzo_queue; DROP TRIGGER report ON usage');
sql($recipes[2] =~ s/1000/40/r);
sql("INSERT INTO usage SELECT i, 'm', 'c1', i, now() FROM generate_series(101, 200) i");
is(sql('CALL arazzo_work()'), '3', 'three runs');
is(join(' ', map { scalar @{ decode_json($_->{body}) } } @{ $sandbox->ledger }), '40 40 20', 'with all rows');
sql('DROP TRIGGER report_all ON usage');

# top up when the balance falls below what is wanted, and only then
$sandbox->clear_ledger;
sql(<<'SQL');
CREATE TABLE wallets (customer text PRIMARY KEY, balance numeric NOT NULL, top_up numeric NOT NULL,
	changed_at timestamptz NOT NULL DEFAULT now());
INSERT INTO wallets (customer, balance, top_up) VALUES ('c1', 100, 50), ('c2', 5, 50);
SQL
sql($_) foreach @recipes[ 0, 1 ];
sql('DROP TRIGGER report ON usage');
sql(<<'SQL');
UPDATE wallets SET balance = balance - 1;
UPDATE wallets SET balance = 9 WHERE customer = 'c1';
UPDATE wallets SET balance = 8 WHERE customer = 'c1';
UPDATE wallets SET balance = 60 WHERE customer = 'c1';
UPDATE wallets SET balance = 3 WHERE customer = 'c1';
SQL
is(sql('CALL arazzo_work()'), '2', 'each time it falls');
is(join(' ', sort split / /, targets()), join(' ', ('/ingest') x 2, ('/payments-pricing-amberflo-customer-prepaid') x 2), 'a top-up');

# logical decoding sees the queue as any table
SKIP:
{
	my $library = `pg_config --pkglibdir` =~ s/\n//r . '/test_decoding.so';

	skip 'test_decoding is not installed', 1 unless -e $library;
	sql("SELECT pg_create_logical_replication_slot('look', 'test_decoding')");
	sql("UPDATE wallets SET balance = balance + 100; UPDATE wallets SET balance = 2 WHERE customer = 'c2'");
	like(sql("SELECT string_agg(data, E'\\n') FROM pg_logical_slot_get_changes('look', NULL, NULL)"),
		qr/table public\.arazzo_queue: INSERT: id\[bigint\]:\d+ .*"customerId": "c2"/, 'decoded');
	sql("SELECT pg_drop_replication_slot('look')");
}

# rows that replication brings in fire the triggers that are told to
my $subscriber = Arazzo->new(name => 'subscriber', keys => 0);
$subscriber->node->safe_psql('postgres', <<"SQL");
CREATE SERVER amberflo FOREIGN DATA WRAPPER arazzo OPTIONS (api 'https://app.amberflo.io', url 'http://127.0.0.1:1');
CREATE TABLE wallets (customer text PRIMARY KEY, balance numeric NOT NULL, top_up numeric NOT NULL, changed_at timestamptz);
CREATE TRIGGER moved AFTER INSERT OR UPDATE ON wallets FOR EACH ROW EXECUTE FUNCTION arazzo_trigger('meter-usage-and-topup-prepaid',
	'{"meterApiName": "m", "customerId": "\$row.customer", "meterValue": "\$row.balance", "meterTimeInMillis": 1718153645993, "amount": 5}',
	'{"key": "\$tg.key"}');
ALTER TABLE wallets ENABLE ALWAYS TRIGGER moved;
SQL
sql('CREATE PUBLICATION p FOR TABLE wallets');
my $source = Arazzo::quote($node->connstr('postgres'));
$subscriber->node->safe_psql('postgres', "CREATE SUBSCRIPTION s CONNECTION $source PUBLICATION p");
$subscriber->node->wait_for_subscription_sync($node, 's');
sql("UPDATE wallets SET balance = 77 WHERE customer = 'c1'");
$node->wait_for_catchup('s');
is($subscriber->node->safe_psql('postgres', "SELECT inputs->>'customerId', inputs->>'meterValue' FROM arazzo_queue WHERE key LIKE '%update%'"),
	'c1|77', 'replicated');
$subscriber->node->safe_psql('postgres', 'DROP SUBSCRIPTION s');

# dumps
my $file = PostgreSQL::Test::Utils::tempdir() . '/dump.sql';
foreach my $kind ([ 'copy' ], [ 'empty', '--schema-only' ])
{
	my ($name, @options) = @$kind;

	$node->command_ok([ 'pg_dump', @options, '-d', $node->connstr('postgres'), '-f', $file ], "dump: $name");
	sql("CREATE DATABASE $name");
	$node->command_ok([ 'psql', '-XqAt', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr($name), '-f', $file ], "restore: $name");
	is($node->safe_psql($name, "SELECT count(*) FROM pg_trigger WHERE tgname = 'top_up'"), '1', 'the trigger is there');
}
is($node->safe_psql('copy', "UPDATE wallets SET balance = 20; UPDATE wallets SET balance = 1;
	SELECT count(*) FROM arazzo_runs WHERE status = 'queued'") >= 2, 1, 'and works');

done_testing();
