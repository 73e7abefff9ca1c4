# Workers and servers in trouble: a server that does not answer is left alone
# and found again, a refused credential pauses its connection only, runs of
# one order follow each other, and others do not wait for any of it.
use strict;
use warnings;

use Billing;
use Test::More;

my $billing = Billing->new(workers => 2, config => ['arazzo.concurrency = 8']);
my $node = $billing->node;
my $sandbox = $billing->sandbox;
my $url = $sandbox->url;

sub sql { return $billing->sql($_[0]); }
sub poll { ok($node->poll_query_until('postgres', $_[0]), $_[1]); return; }
sub over { return "SELECT count(*) = $_[1] FROM arazzo_runs WHERE inputs->>'customerId' LIKE '$_[0]-%' AND status = '" . ($_[2] // 'succeeded') . "'"; }

# down for as long as the runs are there, and back
sql("ALTER SERVER events OPTIONS (SET url 'http://127.0.0.1:1')");
$billing->submit_many('down', 40);
poll("SELECT count(*) = 1 FROM arazzo_server_states WHERE server = 'events' AND state = 'broken' AND owner = 0", 'the server is broken');
poll("SELECT count(*) = 0 FROM arazzo_queue WHERE status = 'running' OR due <= now()", 'and the workers are idle');
cmp_ok(sql('SELECT count(*) FROM arazzo_run_steps'), '<=', 40, 'no more than a few calls were tried');
cmp_ok(sql("SELECT count(*) FROM arazzo_queue WHERE hold = 'server events'"), '>', 0, 'the rest is held');
is($sandbox->counts->{count}, 0, 'nothing has arrived');
sql("ALTER SERVER events OPTIONS (SET url '$url/ingest')");
poll(over('down', 40), 'all go through when it is back');
is(sql('SELECT count(*) FROM arazzo_server_states'), '0', 'and it is not broken any more');
is($billing->faults(40), '', 'nothing lost, nothing twice');

# a credential that is refused
$sandbox->settings(amberflo_keys => ['another']);
$billing->submit_many('key', 20);
poll("SELECT count(*) = 20 FROM arazzo_queue WHERE hold = 'server events'", 'all wait');
is(sql("SELECT server, owner = CURRENT_USER::regrole, state FROM arazzo_server_states"), 'events|t|paused', 'the connection is paused');
is(sql("SELECT max(retries), count(*) FROM arazzo_queue WHERE status IN ('queued', 'waiting') AND due IS NOT NULL"), '|0', 'no retry was spent');
cmp_ok(scalar(grep { $_->{target} eq '/ingest' } @{ $sandbox->ledger }), '<=', 40 + 2 * 12, 'after as many calls as were on their way');
my $before = $sandbox->counts->{count};
sql(q{CREATE SERVER open FOREIGN DATA WRAPPER arazzo OPTIONS (api 'https://open.example', url '} . $url . q{/_sandbox')});
sql('SELECT arazzo_load(' . Arazzo::quote('https://w.example/open.json') . ',' . Arazzo::quote('{"openapi": "3.1.0", "info": {"title": "o", "version": "1"},
	"servers": [{"url": "https://open.example"}], "paths": {"/ledger/count": {"get": {"operationId": "count", "responses": {"200": {"description": "ok"}}}}}}') . ')');
sql('SELECT arazzo_load(' . Arazzo::quote('https://w.example/other.json') . ',' . Arazzo::quote('{"arazzo": "1.0.1", "info": {"title": "o", "version": "1"},
	"sourceDescriptions": [{"name": "o", "url": "open.json"}], "workflows": [{"workflowId": "other", "steps": [{"stepId": "s", "operationId": "count"}]}]}') . ')');
my $other = sql("SELECT arazzo_submit('other')");
poll("SELECT status = 'succeeded' FROM arazzo_runs WHERE run = $other", 'other servers go on');
is($sandbox->counts->{count}, $before, 'this one is not called meanwhile');
$sandbox->settings(amberflo_keys => ['amberflo-test-key']);
sql('DELETE FROM arazzo_server_states');
poll(over('key', 20), 'all go through when it is in order');

# a server that takes every call and answers none
$sandbox->fault(path => '/ingest', fault => 'hold', contains => '"slow-', count => 100);
$billing->submit_many('slow', 100);
poll("SELECT count(*) >= 12 FROM arazzo_queue WHERE inputs->>'customerId' LIKE 'slow-%' AND status = 'running'", 'calls to a slow server are under way');
sql("SELECT count(arazzo_submit('other')) FROM generate_series(1, 30)");
poll("SELECT count(*) = 31 FROM arazzo_runs WHERE workflow = 'other' AND status = 'succeeded'", 'runs of another go on beside them');
is(sql("SELECT count(*) FROM arazzo_runs WHERE inputs->>'customerId' LIKE 'slow-%' AND status = 'succeeded'"), '0', 'though none of these has');
$sandbox->clear_faults;
$sandbox->release;
poll(over('slow', 100), 'and all of these do in the end');

# one after the other
$sandbox->clear_ledger;
$sandbox->fault(path => '/ingest', fault => 'hold', contains => '"a-1"', count => 1);
sql('SELECT ' . join ', ', map { my $o = $_; map { "arazzo_submit('$Billing::WORKFLOW', " . Billing::inputs("'$o-$_'") . ", order_by => '$o')" } 1 .. 5 } qw(a b));
poll(over('b', 5), 'another order goes on');
is(sql("SELECT count(*) FROM arazzo_runs WHERE inputs->>'customerId' LIKE 'a-%' AND status = 'queued'"), '4', 'this one waits for its first');
$sandbox->release;
poll(over('a', 5), 'and goes on after it');
foreach my $o (qw(a b))
{
	my @calls = map { ($_->{body} =~ /"customerId": ?"$o-(\d)"/) } @{ $sandbox->ledger };
	is("@calls", '1 1 2 2 3 3 4 4 5 5', "order $o was kept");
}
# the first of an order that fails or is cancelled lets the next go on
$sandbox->fault(path => '/ingest', fault => 'status', status => 400, contains => '"f-1"', count => 1);
sql("SELECT arazzo_submit('$Billing::WORKFLOW', " . Billing::inputs("'f-$_'") . ", order_by => 'f')") foreach 1, 2;
poll(over('f', 1), 'after one that failed');
$sandbox->fault(path => '/payments*', fault => 'reset_after', contains => '"g-1"', count => 1);
sql("SELECT arazzo_submit('$Billing::WORKFLOW', " . Billing::inputs("'g-$_'") . ", order_by => 'g')") foreach 1, 2;
poll(over('g', 1, 'in_doubt'), 'one in doubt');
is(sql("SELECT status FROM arazzo_runs WHERE inputs->>'customerId' = 'g-2'"), 'queued', 'holds back the next');
sql("SELECT arazzo_cancel(run) FROM arazzo_runs WHERE inputs->>'customerId' = 'g-1'");
poll(over('g', 1), 'until it is cancelled');
$node->stop('fast');
done_testing();
