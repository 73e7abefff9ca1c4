# Queued runs: what is committed is done once, what is rolled back never, and
# a wait is no sleeping session.
use strict;
use warnings;

use Arazzo;
use PostgreSQL::Test::Utils;
use Test::More;

my $arazzo = Arazzo->new(shape => 'published', keys => 1, config => ['max_prepared_transactions = 5']);
my $node = $arazzo->node;
my $sandbox = $arazzo->sandbox;
my $workflow = 'meter-usage-and-topup-prepaid';
my $inputs = '{"meterApiName":"m","customerId":"c1","meterValue":1,"meterTimeInMillis":1718153645993,"amount":5}';
my $submit = "arazzo_submit('$workflow', '$inputs')";

sub sql { return $node->safe_psql('postgres', $_[0]); }
sub targets { return join(' ', map { $_->{target} } @{ $sandbox->ledger }); }

# transactions
sql("BEGIN; SELECT $submit; ROLLBACK");
sql("BEGIN; SAVEPOINT a; SELECT $submit; ROLLBACK TO a; COMMIT");
is(sql('CALL arazzo_work()'), '0', 'what was rolled back is not there');
sql("BEGIN; SELECT $submit; PREPARE TRANSACTION 'later'");
is(sql('CALL arazzo_work()'), '0', 'what was prepared is not there yet');
is($sandbox->counts->{count}, 0, 'nothing was sent');
sql("COMMIT PREPARED 'later'");
is(sql('CALL arazzo_work()'), '1', 'it is once it is committed');
is(targets(), '/ingest /payments-pricing-amberflo-customer-prepaid', 'both calls, once');
is(sql("SELECT status, outputs->>'orderId', sqlstate IS NULL, finished_at > started_at FROM arazzo_runs"),
	'succeeded|order-1|t|t', 'the run says what became of it');
is(sql("SELECT step, attempt, method, status, outcome FROM arazzo_run_steps ORDER BY ordinal"),
	"ingestEvent|1|POST|200|succeeded\ntopUpPrepaid|1|POST|200|succeeded", 'and what it did');
unlike(sql('SELECT a FROM arazzo_queue_attempts a') . sql('SELECT q FROM arazzo_queue q'), qr/amberflo-test-key/,
	'no credential is kept');
is(sql('CALL arazzo_work()'), '0', 'nothing is left to do');

# nothing is sent from a transaction, nor before its time
my ($out, $error) = $arazzo->query('BEGIN; CALL arazzo_work()');
like($error, qr/^ERROR:  2D000: arazzo_work cannot run inside a transaction block/, 'it must be able to commit');
sql("SELECT arazzo_submit('$workflow', '$inputs', not_before => now() + interval '1 day')");
is(sql('CALL arazzo_work()'), '0', 'not before its time');
sql("SELECT arazzo_cancel(max(run)) FROM arazzo_runs");

# limit
sql("SELECT $submit FROM generate_series(1, 3)");
is(sql('CALL arazzo_work(2)'), '2', 'no more than asked for');
is(sql('CALL arazzo_work()'), '1', 'the rest');

# a server that is not there: the queue's own retries wait, and say so
$sandbox->clear_ledger;
my $url = $sandbox->url;
sql("ALTER SERVER amberflo OPTIONS (SET url 'http://127.0.0.1:1')");
my $run = sql("SELECT $submit");
sql('CALL arazzo_work(1)');
is(sql("SELECT status, due IS NOT NULL, retries, sending IS NULL FROM arazzo_runs WHERE run = $run"), 'waiting|t|1|t',
	'a call that was not sent is sent later');
sql("ALTER SERVER amberflo OPTIONS (SET url '$url')");
sql("UPDATE arazzo_queue SET due = now() WHERE id = $run");
sql('CALL arazzo_work()');
is(sql("SELECT status FROM arazzo_runs WHERE run = $run"), 'succeeded', 'and the run goes through');
is(sql("SELECT string_agg(outcome, ' ' ORDER BY ordinal) FROM arazzo_run_steps WHERE run = $run"),
	'failed succeeded succeeded', 'with every attempt on record');
sql("ALTER SERVER amberflo OPTIONS (SET url 'http://127.0.0.1:1', ADD retry_limit '0')");
$run = sql("SELECT $submit");
sql('CALL arazzo_work()');
is(sql("SELECT status, sqlstate FROM arazzo_runs WHERE run = $run"), 'failed|08001', 'retry_limit ends it');
sql("ALTER SERVER amberflo OPTIONS (SET url '$url', DROP retry_limit)");
sql("SELECT arazzo_retry($run)");
sql('CALL arazzo_work()');
is(sql("SELECT status, sqlstate IS NULL FROM arazzo_runs WHERE run = $run"), 'succeeded|t', 'arazzo_retry goes on');

# arazzo_retry keeps what was done
$sandbox->clear_ledger;
$sandbox->fault(path => '/payments*', fault => 'status', status => 422);
$run = sql("SELECT $submit");
sql('CALL arazzo_work()');
is(sql("SELECT status, sqlstate FROM arazzo_runs WHERE run = $run"), 'failed|WF004', 'a refusal is final');
sql("SELECT arazzo_retry($run)");
sql('CALL arazzo_work()');
is(targets(), '/ingest' . ' /payments-pricing-amberflo-customer-prepaid' x 2, 'from the step that failed');

# a keyed call: the same key and bytes every time, Retry-After obeyed
$sandbox->clear_ledger;
sql("ALTER SERVER amberflo OPTIONS (ADD idempotency_key 'header Idempotency-Key')");
$sandbox->fault(path => '/ingest', fault => 'status', status => 503, headers => { 'Retry-After' => '3000' });
$sandbox->fault(path => '/ingest', fault => 'reset_after', count => 1);
$run = sql("SELECT $submit");
foreach my $turn (1 .. 3)
{
	sql('CALL arazzo_work()');
	is(sql("SELECT due > now() + interval '2900 seconds' FROM arazzo_runs WHERE run = $run"), 't', 'Retry-After is obeyed')
	  if $turn == 1;
	sql("UPDATE arazzo_queue SET due = now() WHERE id = $run AND status = 'waiting'");
}
is(sql("SELECT status FROM arazzo_runs WHERE run = $run"), 'succeeded', 'a keyed call is repeated');
my %seen;
foreach my $entry (grep { $_->{target} eq '/ingest' } @{ $sandbox->ledger })
{
	my ($key) = map { $_->[1] } grep { lc $_->[0] eq 'idempotency-key' } @{ $entry->{headers} };
	$seen{"$key $entry->{body}"}++;
}
is(join(' ', values %seen), '3', 'three times, with the same key and the same bytes');

# the workflow's own retry waits in the queue
$node->safe_psql('postgres', "SELECT arazzo_load('https://w.example/a.yaml', " . Arazzo::quote(<<'YAML') . ')');
arazzo: 1.0.1
info: {title: w, version: '1'}
sourceDescriptions: [{name: api, url: 'amberflo-arazzo:/workflows/openapi/amberflo-billing.yaml'}]
workflows:
- workflowId: patient
  steps:
  - stepId: list
    operationId: listCustomers
    successCriteria: [{condition: $statusCode == 200}]
    onFailure: [{name: again, type: retry, retryAfter: 3600, retryLimit: 3}]
YAML
$sandbox->fault(path => '/customers', fault => 'status', status => 404, count => 1);
$run = sql("SELECT arazzo_submit('patient')");
is(sql('CALL arazzo_work()'), '1', 'the session does not wait');
is(sql("SELECT status, due > now() + interval '50 minutes', retries FROM arazzo_runs WHERE run = $run"), 'waiting|t|0',
	'the run does');

# documents that change under a run
sql("SELECT arazzo_load('https://w.example/a.yaml', replace(source, '3600', '7200')) FROM arazzo_documents WHERE uri = 'https://w.example/a.yaml'");
sql("UPDATE arazzo_queue SET due = now() WHERE id = $run");
sql('CALL arazzo_work()');
is(sql("SELECT status, sqlstate FROM arazzo_runs WHERE run = $run"), 'failed|55000', 'a run keeps to its documents');
sql("SELECT arazzo_retry($run)");
sql("UPDATE arazzo_queue SET state = jsonb_set(state, '{until}', '0') WHERE id = $run");
sql('CALL arazzo_work()');
is(sql("SELECT status FROM arazzo_runs WHERE run = $run"), 'succeeded', 'unless it is told to go on');

# history
is(sql("CALL arazzo_prune('1 day')"), '0', 'what is recent stays');
is(sql("CALL arazzo_prune('0')") > 5, 1, 'what is over goes');
is(sql('SELECT count(*) FROM arazzo_queue_attempts'), '0', 'with its attempts');

done_testing();
