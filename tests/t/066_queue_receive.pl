# A queued run that sends a message and waits for the answer: what it sends
# goes out when it waits, the time it has left is kept over the death of its
# worker, and the next one listens again.
use strict;
use warnings;

use Arazzo;
use PostgreSQL::Test::Utils;
use Test::More;

my $arazzo = Arazzo->new(config => ['restart_after_crash = on']);
my $node = $arazzo->node;
my $socket = $node->host =~ s{/}{%2F}gr . ':' . $node->port;
my $hba = $node->data_dir . '/pg_hba.conf';
my $rules = slurp_file($hba);
open(my $file, '>', $hba) or die $!;
print $file "local all listener scram-sha-256\n$rules";
close $file;
$node->reload;

sub sql { return $node->safe_psql('postgres', $_[0]); }

sql("SELECT arazzo_load('https://m.example/async.yaml', " . Arazzo::quote(<<'YAML') . ')');
asyncapi: 3.0.0
info: {title: orders, version: '1'}
servers: {db: {host: db.example, protocol: postgresql}}
channels:
  ask: {address: ask}
  answer: {address: answer, messages: {m: {correlationId: {location: $message.payload#/id}}}}
operations:
  ask: {action: send, channel: {$ref: '#/channels/ask'}}
  answer: {action: receive, channel: {$ref: '#/channels/answer'}}
YAML
sql("SELECT arazzo_load('https://m.example/arazzo.yaml', " . Arazzo::quote(<<'YAML') . ')');
arazzo: 1.1.0
info: {title: orders, version: '1'}
sourceDescriptions: [{name: async, url: async.yaml, type: asyncapi}]
workflows:
- workflowId: order
  steps:
  - {stepId: ask, operationId: ask, requestBody: {payload: {id: $inputs.id}}}
  - {stepId: answer, operationId: answer, action: receive, correlationId: $inputs.id, timeout: 60000, dependsOn: [ask], outputs: {n: $message.payload#/n}}
  outputs: {n: $steps.answer.outputs.n}
- workflowId: hopeless
  steps: [{stepId: answer, operationId: answer, timeout: 200}]
- workflowId: reply
  steps:
  - {stepId: asked, operationId: ask, action: receive, timeout: 60000, outputs: {id: $message.payload#/id}}
  - {stepId: reply, operationId: answer, action: send, requestBody: {payload: {id: $steps.asked.outputs.id, n: 10}}}
YAML

# without a server the statement that submits is refused
like(($arazzo->query("SELECT arazzo_submit('order', '{\"id\": 1}')"))[1],
	qr/^ERROR:  42501: there is no server for "postgresql:\/\/db.example"\nDETAIL:  Step "answer" needs it/, 'no server');
sql(<<"SQL");
CREATE ROLE listener LOGIN PASSWORD 'correct horse';
CREATE SERVER db FOREIGN DATA WRAPPER arazzo OPTIONS (api 'postgresql://db.example', url 'postgresql://$socket');
CREATE USER MAPPING FOR CURRENT_USER SERVER db OPTIONS (user 'listener', password 'correct horse');
SQL

# Starts a worker, and returns when its run waits for the message.
sub start_worker
{
	my ($steps) = @_;
	my %worker = (out => '', error => '');

	$worker{run} = $arazzo->background("CALL arazzo_work();\n", \$worker{out}, \$worker{error});
	ok($node->poll_query_until('postgres', <<"SQL"), 'the worker waits');
SELECT count(*) = 1 AND (SELECT count(*) = $steps FROM arazzo_run_steps)
FROM pg_stat_activity WHERE application_name = 'amberflo_arazzo' AND query = 'LISTEN "answer"' AND state = 'idle'
SQL
	return \%worker;
}

my $steps = "SELECT string_agg(concat_ws(' ', s.step, s.attempt, s.method, s.url, s.response_body, s.outcome), E'\\n' ORDER BY s.ordinal) FROM arazzo_run_steps s WHERE s.run = ";

# Starts a run that answers the next question, and returns when it listens.
sub start_answering
{
	my %session = (out => '', error => '');

	$session{run} = $arazzo->background("SELECT arazzo_run('reply');\n", \$session{out}, \$session{error});
	ok($node->poll_query_until('postgres', "SELECT count(*) = 1 FROM pg_stat_activity WHERE query = 'LISTEN \"ask\"' AND state = 'idle'"),
		'somebody listens to the question');
	return \%session;
}

sub finish
{
	my ($session) = @_;

	$session->{run}->finish;
	return $session->{out} . $session->{error};
}

# a question, and its answer
my $run = sql(q{SELECT arazzo_submit('order', '{"id": 1}')});
my $reply = start_answering();
is(sql('CALL arazzo_work()'), 1, 'worked off');
is(finish($reply), "{}\n", 'the question went out');
is(sql("SELECT status, outputs FROM arazzo_runs WHERE run = $run"), 'succeeded|{"n": 10}', 'with the answer');
is(sql("$steps$run"), "ask 1 NOTIFY ask succeeded\nanswer 1 LISTEN answer {\"id\":1,\"n\":10} succeeded", 'both steps are kept');

# the worker dies while it waits: the question is not asked again
$run = sql(q{SELECT arazzo_submit('order', '{"id": 2}')});
my $worker = start_worker(3);
my $limit = sql("SELECT state ->> 'receiveUntil' FROM arazzo_queue WHERE id = $run");
kill 'KILL', sql("SELECT pid FROM pg_stat_activity WHERE query = 'CALL arazzo_work();' AND state = 'active'");
$worker->{run}->finish;
ok($node->poll_query_until('postgres', 'SELECT true'), 'the server is there again');
$worker = start_worker(3);
is(sql("SELECT state ->> 'receiveUntil' FROM arazzo_queue WHERE id = $run"), $limit, 'for what is left of its time');
is(sql("SELECT backend_xmin IS NULL AND backend_xid IS NULL FROM pg_stat_activity WHERE query = 'CALL arazzo_work();' AND state = 'active'"),
	't', 'and holds no snapshot');
sql(q{NOTIFY answer, '{"id": 2, "n": 20}'});
is(finish($worker), "1\n", 'worked off');
is(sql("SELECT status, outputs FROM arazzo_runs WHERE run = $run"), 'succeeded|{"n": 20}', 'with the answer');

# no answer
$run = sql(q{SELECT arazzo_submit('hopeless')});
is(sql('CALL arazzo_work()'), 1, 'worked off');
is(sql("SELECT status, sqlstate, message FROM arazzo_runs WHERE run = $run"), 'failed|WF004|step "answer" received no message in 200 ms', 'in vain');

done_testing();
