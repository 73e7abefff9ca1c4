# Runs do the same whatever surrounds them: transactions, cursors, settings of
# the session, a search path without anything, and names full of punctuation.

use strict;
use warnings;

use Arazzo;
use Test::More;

my $arazzo = Arazzo->new(shape => 'published', keys => 1);
my $node = $arazzo->node;
my $count = 0;
my $inputs = q({"meterApiName": "m", "customerId": "c", "meterValue": 0.10, "meterTimeInMillis": 1, "amount": 12345678901234567890.5});
my $call = "public.arazzo_run('meter-usage-and-topup-prepaid', inputs)";

$node->safe_psql('postgres', "CREATE TABLE orders AS SELECT '$inputs'::jsonb AS inputs");

# Statements that run the workflow a number of times; sets what is sent.
sub runs
{
	my ($times, $name, $script) = @_;

	$arazzo->sandbox->clear_ledger;
	my (undef, $error) = $arazzo->query($script);
	is($error, '', "$name: no error");
	my @seen = grep { /prepaid/ } @{ $arazzo->seen };
	is(scalar @seen, $times, "$name: requests");
	is(scalar(grep { /\{"customerId":"c","amount":12345678901234567890\.5\}$/ } @seen), $times, "$name: what was sent");
	return;
}

sub refused
{
	my ($name, $sql, $expected) = @_;

	$arazzo->sandbox->clear_ledger;
	my (undef, $error) = $arazzo->query($sql);
	like($error, $expected, $name);
	is(scalar @{ $arazzo->seen }, 0, "$name: nothing was sent");
	return;
}

my $parallel = $node->safe_psql('postgres', "SELECT name FROM pg_settings WHERE name IN ('force_parallel_mode', 'debug_parallel_query') LIMIT 1");
runs(1, 'parallel query forced', "SET $parallel = on; SET parallel_setup_cost = 0; SELECT $call FROM orders");
runs(1, 'settings of text output', <<"SQL");
SET datestyle = 'German'; SET timezone = 'Asia/Kolkata'; SET extra_float_digits = -5; SET bytea_output = escape;
SET intervalstyle = iso_8601; SET xmloption = document; SET standard_conforming_strings = off;
SELECT $call FROM orders
SQL
runs(1, 'empty search path', "SET search_path = ''; SELECT $call FROM public.orders");
runs(1, 'read-only transaction', "BEGIN READ ONLY; SELECT $call FROM orders; COMMIT");
runs(2, 'a cursor sends what is fetched', "BEGIN; DECLARE c CURSOR FOR SELECT $call FROM orders, generate_series(1, 5); FETCH 2 FROM c; COMMIT");
runs(3, 'savepoints', "BEGIN; SAVEPOINT a; SELECT $call FROM orders; ROLLBACK TO a; SELECT $call FROM orders; RELEASE a; SELECT $call FROM orders; ROLLBACK");
runs(3, 'a prepared statement', "PREPARE p AS SELECT $call FROM orders; EXECUTE p; EXECUTE p; DISCARD ALL; SELECT $call FROM orders");
runs(20, 'a loop that catches errors', <<"SQL");
DO \$\$ BEGIN
	FOR i IN 1 .. 20 LOOP
		BEGIN
			PERFORM $call FROM orders;
			PERFORM 1 / 0;
		EXCEPTION WHEN division_by_zero THEN
		END;
	END LOOP;
END \$\$
SQL
runs(1, 'the extension made anew in the transaction of the session', <<"SQL");
SET client_min_messages = warning;
BEGIN; DROP EXTENSION amberflo_arazzo CASCADE; CREATE EXTENSION amberflo_arazzo; ROLLBACK; SELECT $call FROM orders;
SQL

refused('index', "CREATE INDEX ON orders ($call)", qr/^ERROR:  42P17: /);
refused('generated column', "ALTER TABLE orders ADD g jsonb GENERATED ALWAYS AS ($call) STORED", qr/^ERROR:  42P17: /);
refused('loading in a read-only transaction', "BEGIN READ ONLY; SELECT arazzo_load('x:y', 'a: b')",
	qr/^ERROR:  25006: cannot execute arazzo_load\(\) in a read-only transaction$/);
refused('unloading in a read-only transaction', "BEGIN READ ONLY; SELECT arazzo_unload('x:y')",
	qr/^ERROR:  25006: cannot execute arazzo_unload\(\) in a read-only transaction$/);
refused('server dropped in the same transaction', "BEGIN; DROP SERVER amberflo CASCADE; SELECT $call FROM orders",
	qr/^ERROR:  42501: there is no server for "https:\/\/app.amberflo.io"/m);
refused('credential too large', "SELECT arazzo_run('meter-usage-and-topup-prepaid', inputs || jsonb_build_object('apiKey', repeat('k', 2000000))) FROM orders",
	qr/^ERROR:  54000: URL and headers of the request are too large\nDETAIL:  .* and the limit is 524288\.$/);
refused('URI with a space', "SELECT arazzo_load('https://x.example/a b', 'a: b')",
	qr/^ERROR:  22023: "https:\/\/x.example\/a b" is not an absolute URI without a fragment/);

# A document's URI holds no "#", so that a workflow's id may hold any number.
my $id = q(it's "quoted" #1 $x {y} ☃);
my $quoted = Arazzo::quote($id);
my $document = <<"YAML";
arazzo: 1.0.1
info: {title: t, version: "1"}
sourceDescriptions: [{name: m, url: 'amberflo-arazzo:/workflows/openapi/amberflo-billing.yaml', type: openapi}]
workflows:
- workflowId: $quoted
  steps: [{stepId: a, workflowId: meter}]
- workflowId: meter
  steps:
  - {stepId: b, operationId: createPrepaidOrder, requestBody: {payload: {customerId: c, amount: 12345678901234567890.5}}}
YAML
my (undef, $warnings) = $arazzo->query("SELECT arazzo_load('https://x.example/q', " . Arazzo::quote($document) . ')');
is($warnings, '', 'a document with punctuation in an id');
runs(2, 'punctuation in an id', "SELECT arazzo_run(prefix || $quoted) FROM (VALUES (''), ('https://x.example/q#')) AS p (prefix)");

done_testing();
