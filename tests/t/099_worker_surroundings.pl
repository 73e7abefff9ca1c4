# What happens around a worker: rights, documents and the extension go or
# change while its runs wait or are under way; its database is not there, lets
# nobody in, is dropped, or is a template. Counted at the sandbox's ledger.
use strict;
use warnings;

use Billing;
use HttpRoom ();
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(clock_gettime CLOCK_MONOTONIC);

my $billing = Billing->new(workers => 1);
my $node = $billing->node;
my $sandbox = $billing->sandbox;

sub sql { return $billing->sql($_[0]); }
sub poll { ok($node->poll_query_until('postgres', $_[0]), $_[1]); return; }
sub outcome { return sql("SELECT concat_ws(' ', status, sqlstate) FROM arazzo_runs WHERE run = $_[0]"); }
sub is_over { ok($node->poll_query_until('postgres', "SELECT status IN ('succeeded', 'failed', 'in_doubt') FROM arazzo_runs WHERE run = $_[0]"), $_[1]); return; }
sub log_end { return -s $node->logfile; }
sub log_since { return substr(slurp_file($node->logfile), $_[0]); }
sub count { my ($pattern, $text) = @_; my $count = () = $text =~ /$pattern/g; return $count; }

sub workers { sql("ALTER SYSTEM SET arazzo.databases = '$_[0]'; SELECT pg_reload_conf()"); return; }

# One of its databases is not there, from the beginning
my $begin = clock_gettime(CLOCK_MONOTONIC);
workers('postgres, missing');

# A run that waits is due, and the worker is woken by another.
sub go_on
{
	sql("UPDATE arazzo_queue SET due = now() WHERE id = $_[0]");
	$billing->submit("wakes-$_[0]-" . rand, "not_before => now() + interval '1 day'");
	return;
}

# Rights that a role loses: before its run begins, and between two calls
sql(<<'SQL');
CREATE ROLE clerk;
GRANT EXECUTE ON FUNCTION arazzo_submit TO clerk;
GRANT USAGE ON FOREIGN SERVER events, amberflo TO clerk;
CREATE USER MAPPING FOR clerk SERVER events OPTIONS (api_key 'amberflo-test-key');
CREATE USER MAPPING FOR clerk SERVER amberflo OPTIONS (api_key 'amberflo-test-key');
SQL

sub submit_as_clerk
{
	my ($customer, $more) = @_;

	return sql("SET ROLE clerk; SELECT arazzo_submit('$Billing::WORKFLOW', " . Billing::inputs("'$customer'") . "$more)");
}

my @losses = (
	[ 'USAGE on the server', 'REVOKE USAGE ON FOREIGN SERVER events FROM clerk', 'GRANT USAGE ON FOREIGN SERVER events TO clerk', 'failed 42501' ],
	[ 'the user mapping', 'DROP USER MAPPING FOR clerk SERVER events', q{CREATE USER MAPPING FOR clerk SERVER events OPTIONS (api_key 'amberflo-test-key')}, 'failed WF008' ],
	[ 'the server', q{ALTER SERVER events OPTIONS (SET api 'https://elsewhere.example'); REVOKE USAGE ON FOREIGN SERVER amberflo FROM clerk},
		q{ALTER SERVER events OPTIONS (SET api 'https://app.amberflo.io/ingest'); GRANT USAGE ON FOREIGN SERVER amberflo TO clerk}, 'failed 42501' ]);
foreach my $loss (@losses)
{
	my ($what, $take, $give, $expected) = @$loss;
	my $run = submit_as_clerk($what, ", not_before => now() + interval '1 hour'");

	sql($take);
	go_on($run);
	is_over($run, "$what is lost while a run waits");
	is(outcome($run) . ', ' . $billing->ledger($what), "$expected, ", 'it fails, and sends nothing');
	sql("$give; SELECT arazzo_retry($run)");
	is_over($run, 'and is back');
	is(outcome($run) . ', ' . $billing->ledger($what), 'succeeded, event 1 order 1', 'the run goes through');
}
foreach my $loss ([ 'USAGE', 'REVOKE USAGE ON FOREIGN SERVER amberflo FROM clerk', 'GRANT USAGE ON FOREIGN SERVER amberflo TO clerk' ])
{
	my ($what, $take, $give) = @$loss;

	$sandbox->clear_ledger;
	$sandbox->fault(path => '/ingest', fault => 'hold', count => 1);
	my $run = submit_as_clerk('between', '');
	ok($sandbox->wait_for_requests(1), "$what is lost between two calls");
	sql($take);
	$sandbox->release;
	is_over($run, 'the second is not sent');
	is(outcome($run) . ', ' . $billing->ledger('between'), 'failed 42501, event 1', 'for want of the right');
	sql("$give; SELECT arazzo_retry($run)");
	is_over($run, 'and when it is back');
	is(outcome($run) . ', ' . $billing->ledger('between'), 'succeeded, event 1 order 1', 'the first is not sent again');
}

# Documents that are replaced
my $uri = 'https://w.example/two.yaml';
my $text = <<'YAML';
arazzo: 1.0.1
info: {title: two, version: '1'}
sourceDescriptions: [{name: api, url: 'amberflo-arazzo:/workflows/openapi/amberflo-billing.yaml'}]
workflows:
- workflowId: two
  inputs: {type: object, properties: {customerId: {type: string}}}
  steps:
  - {stepId: list, operationId: listCustomers, successCriteria: [{condition: $statusCode == 200}]}
  - stepId: order
    operationId: createPrepaidOrder
    requestBody: {contentType: application/json, payload: {customerId: $inputs.customerId, amount: 5}}
    successCriteria: [{condition: $statusCode == 200}]
YAML
sub load { sql("SELECT arazzo_load('$uri', " . Arazzo::quote($_[0]) . ')'); return; }
sub two { return sql("SELECT arazzo_submit('two', '{\"customerId\": \"$_[0]\"}'" . ($_[1] // '') . ')'); }

load($text);
my $run = two('replaced', ", not_before => now() + interval '1 hour'");
load($text =~ s/amount: 5/amount: 500/r);
go_on($run);
is_over($run, 'its document is replaced while a run waits');
is(outcome($run) . ', ' . $billing->ledger('replaced'), 'failed 55000, ', 'it does not go by another');
load($text);
sql("SELECT arazzo_retry($run)");
is_over($run, 'the document is as it was');
is(outcome($run) . ', ' . $billing->ledger('replaced'), 'succeeded, order 1', 'and the run goes through');
foreach my $change ([ 'replaced', sub { load($text =~ s/amount: 5/amount: 500/r) } ], [ 'unloaded', sub { sql("SELECT arazzo_unload('$uri')") } ])
{
	my ($what, $action) = @$change;

	load($text);
	$sandbox->clear_ledger;
	$sandbox->fault(path => '/customers', fault => 'hold', count => 1);
	$run = two("under way, $what");
	ok($sandbox->wait_for_requests(1), "its document is $what while a run is under way");
	$action->();
	$sandbox->release;
	is_over($run, 'the run keeps to the one that it began with');
	is(outcome($run), 'succeeded', 'to its end');
	is(scalar(grep { $_->{body} =~ /"amount": ?5\b/ } @{ $sandbox->ledger }), 1, 'with what that says');
}

# What a script of ALTER EXTENSION UPDATE does: tables that the worker uses change
$sandbox->clear_ledger;
$sandbox->fault(path => '/ingest', fault => 'hold', count => 1);
$run = $billing->submit('update');
ok($sandbox->wait_for_requests(1), 'a call is on its way');
my $pid = $billing->pid;
my $session = HttpRoom::session($node);
like($session->ask(q{BEGIN; ALTER TABLE arazzo_queue ADD COLUMN later int DEFAULT 1; CREATE INDEX arazzo_queue_later ON arazzo_queue (later);
	UPDATE pg_extension SET extversion = '0.2.0' WHERE extname = 'amberflo_arazzo'; COMMIT;}), qr/^$/, 'the tables change, as an update of the extension may do');
$sandbox->release;
is_over($run, 'the run goes on');
is(outcome($run) . ', ' . $billing->ledger('update'), 'succeeded, event 1 order 1', 'and through');
is($billing->pid, $pid, 'with the same worker');
sql(q{ALTER TABLE arazzo_queue DROP COLUMN later; UPDATE pg_extension SET extversion = '0.1.0' WHERE extname = 'amberflo_arazzo'});

# The extension is dropped, idle and with a call on its way, and made anew at once
sub make_anew
{
	my ($between) = @_;

	sql("BEGIN; SET client_min_messages = warning; DROP EXTENSION amberflo_arazzo CASCADE; $between CREATE EXTENSION amberflo_arazzo;"
		. "CREATE SERVER amberflo FOREIGN DATA WRAPPER arazzo OPTIONS (api 'https://app.amberflo.io', url '" . $sandbox->url . "');"
		. "CREATE SERVER events FOREIGN DATA WRAPPER arazzo OPTIONS (api 'https://app.amberflo.io/ingest', url '" . $sandbox->url . "/ingest', idempotency_key 'body /uniqueId');"
		. "CREATE USER MAPPING FOR CURRENT_USER SERVER amberflo OPTIONS (api_key 'amberflo-test-key');"
		. "CREATE USER MAPPING FOR CURRENT_USER SERVER events OPTIONS (api_key 'amberflo-test-key'); COMMIT");
	return;
}
foreach my $busy (0, 1)
{
	my $log = log_end();

	$sandbox->clear_ledger;
	$sandbox->fault(path => '/ingest', fault => 'hold', count => 1) if $busy;
	$run = $billing->submit('old') if $busy;
	ok($sandbox->wait_for_requests(1), 'a call is on its way') if $busy;
	make_anew('');
	# the same number, and another run
	sql("SELECT setval('arazzo_run_ids', $run, false)") if $busy;
	my $new = $billing->submit('new');
	is($new, $run, 'a run with the number of one that is gone') if $busy;
	$sandbox->release;
	is_over($new, 'the extension is dropped and made anew, ' . ($busy ? 'with a call on its way' : 'while the worker idles'));
	is(outcome($new) . ', ' . $billing->ledger('new'), 'succeeded, event 1 order 1', 'the new queue is worked off');
	is($billing->ledger('old'), $busy ? 'event 1' : '', 'nothing more is sent of the old one');
	cmp_ok(count(qr/do not exist any more/, log_since($log)), '<=', 1, 'which is said once at the most');
}
my $log = log_end();
$sandbox->clear_ledger;
$sandbox->fault(path => '/ingest', fault => 'hold', count => 1);
$billing->submit('dropped');
ok($sandbox->wait_for_requests(1), 'a call is on its way');
$pid = $billing->pid;
sql('SET client_min_messages = warning; DROP EXTENSION amberflo_arazzo CASCADE');
$sandbox->release;
poll("SELECT count(*) = 1 FROM pg_stat_activity WHERE backend_type = 'arazzo worker' AND datname = 'postgres' AND pid <> $pid AND state = 'idle'", 'the extension is dropped: the next worker waits for it');
is(count(qr/ERROR:.*do not exist any more/, log_since($log)), 1, 'the last one has said why it ended');
is(count(qr/could not work on/, log_since($log)), 0, 'and has not tried in vain');
is($billing->ledger('dropped'), 'event 1', 'nothing more is sent');

# Databases that are not there, or let nobody in: tried at times that double
my $seconds = clock_gettime(CLOCK_MONOTONIC) - $begin;
my $all = slurp_file($node->logfile);
cmp_ok(count(qr/FATAL:  database "missing" does not exist/, $all), '>=', 1, 'a database that does not exist is said to be missing');
cmp_ok(count(qr/FATAL:  database "missing" does not exist/, $all), '<=', 2 + log($seconds + 1) / log(2), sprintf('and not often, in %.0f s', $seconds));
sql('CREATE DATABASE closed');
sql(q{UPDATE pg_database SET datallowconn = false WHERE datname = 'closed'});
workers('closed');
ok($node->wait_for_log(qr/FATAL:  database "closed" is not currently accepting connections/), 'one that lets nobody in');
poll(q{SELECT count(*) = 0 FROM pg_stat_activity WHERE backend_type = 'arazzo worker'}, 'is left alone');
sql(q{UPDATE pg_database SET datallowconn = true WHERE datname = 'closed'});
workers('');

# A database with a worker: as a template, and dropped
sub told { my (undef, undef, $error) = $node->psql('postgres', $_[0]); return $error; }
sub worker_of { return $node->poll_query_until('postgres', "SELECT count(*) = $_[1] FROM pg_stat_activity WHERE backend_type = 'arazzo worker' AND datname = '$_[0]'"); }

$node->safe_psql('closed', 'CREATE EXTENSION amberflo_arazzo; ' . "CREATE SERVER amberflo FOREIGN DATA WRAPPER arazzo OPTIONS (api 'https://app.amberflo.io', url '" . $sandbox->url . "');"
	. "CREATE USER MAPPING FOR CURRENT_USER SERVER amberflo OPTIONS (api_key 'amberflo-test-key')");
workers('closed');
ok(worker_of('closed', 1), 'a database has a worker');
like(told('CREATE DATABASE copy TEMPLATE closed'), qr/source database "closed" is being accessed by other users/, 'it is no template then');
like(told('DROP DATABASE closed'), qr/database "closed" is being accessed by other users/, 'and cannot be dropped');
workers('');
ok(worker_of('closed', 0), 'a reload takes the worker away');
$node->safe_psql('closed', "SELECT arazzo_submit('$Billing::WORKFLOW', " . Billing::inputs("'copied'") . ')');
is(told('CREATE DATABASE copy TEMPLATE closed'), '', 'now it can be copied');
$sandbox->clear_ledger;
workers('closed');
ok($node->poll_query_until('closed', q{SELECT status = 'succeeded' FROM arazzo_runs}), 'its run goes through');
is($node->safe_psql('copy', 'SELECT status FROM arazzo_runs'), 'queued', 'and the copy of it waits');
is($billing->ledger('copied'), 'event 1 order 1', 'it was run once');
$sandbox->fault(path => '/ingest', fault => 'hold', count => 1);
$node->safe_psql('closed', "SELECT arazzo_submit('$Billing::WORKFLOW', " . Billing::inputs("'forced'") . ')');
ok($sandbox->wait_for_requests(3), 'a call is on its way');
is(told('DROP DATABASE closed WITH (FORCE)'), '', 'DROP DATABASE WITH (FORCE) takes the worker away');
$sandbox->release;
ok(worker_of('closed', 0), 'there is none of it any more');
workers('copy');
ok($node->poll_query_until('copy', q{SELECT status = 'succeeded' FROM arazzo_runs}), 'and others are started');

$node->stop('fast');
unlike(slurp_file($node->logfile), qr/PANIC|TRAP|signal 11/, 'nothing crashed by itself');
done_testing();
