# The benchmark: how long the extension takes for what a small C program does
# with the same libraries and the same servers, as a ratio taken in one run.
# Expects the surroundings that tests/serve makes.
#
# Floor and extension take turns, so that whatever else the machine does falls
# on both; each figure is the median of the turns.  The exit status is 1 when a
# limit is passed.

use strict;
use warnings;

use Time::HiRes qw(time);

my $turns = $ENV{TURNS} || 15;
my $runs = $ENV{RUNS} || 1500;
my $many = 100_000;
my $drain = $ENV{DRAIN} || 100_000;
my $drain_turns = $ENV{DRAIN_TURNS} || 3;
my $floor = 'tests/bench/floor';
my $passed_limits = 1;

# A different event and amount each time, as in real use.
my $run = <<'SQL' =~ s/\s+/ /gr;
SELECT count(arazzo_run('meter-usage-and-topup-prepaid',
	jsonb_build_object('meterApiName', 'api-calls', 'customerId', 'customer-1', 'meterValue', i + 0.5,
		'meterTimeInMillis', 1718153645993, 'uniqueId', 'bench-' || i, 'amount', i + 1, 'currency', 'USD')))
FROM generate_series(1, %d) i;
SQL

my $run_many = <<'SQL' =~ s/\s+/ /gr;
SELECT count(outputs) FROM arazzo_run_many('meter-usage-and-topup-prepaid', (SELECT array_agg(
	jsonb_build_object('meterApiName', 'api-calls', 'customerId', 'customer-1', 'meterValue', i + 0.5,
		'meterTimeInMillis', 1718153645993, 'uniqueId', 'bench-' || i, 'amount', i + 1, 'currency', 'USD'))
FROM generate_series(1, %d) i), %d);
SQL

$| = 1;
set_up();
print "\n", `psql -XAtc "SELECT version()"`;
printf "%d processors, %d turns\n\n", scalar(() = slurp('/proc/cpuinfo') =~ /^processor/mg), $turns;
printf "%-52s %12s %12s %8s %8s\n", '', 'measured', 'floor', 'ratio', 'limit';
two_steps();
many_at_once();
queue_drain();
triggers();
first_call();
large_document();
memory_of_many_runs();
exit($passed_limits ? 0 : 1);

sub set_up
{
	psql(<<"SQL");
CREATE EXTENSION amberflo_arazzo;
CREATE SERVER amberflo FOREIGN DATA WRAPPER arazzo OPTIONS (api 'https://app.amberflo.io', url '$ENV{SANDBOX_URL}');
CREATE USER MAPPING FOR CURRENT_USER SERVER amberflo OPTIONS (api_key '$ENV{AMBERFLO_KEY}');
SQL
}

# Runs a script in a new session; what it printed.
sub psql
{
	my ($script) = @_;
	my $file = "$ENV{DIRECTORY}/tmp/script.sql";

	open my $handle, '>', $file or die "could not write \"$file\": $!";
	print $handle $script;
	close $handle;
	my $output = `psql -X -q -At -v ON_ERROR_STOP=1 -f $file 2>&1`;
	die "a script failed:\n$output" if $? != 0;
	return $output;
}

sub slurp
{
	my ($file) = @_;

	open my $handle, '<', $file or die "could not open \"$file\": $!";
	local $/;
	return scalar <$handle>;
}

# The times that psql printed, in milliseconds.
sub elapsed
{
	return $_[0] =~ /^Time: ([\d.]+) ms/mg;
}

sub floor
{
	my @words = split ' ', `$floor @_`;

	die "the floor failed\n" if $? != 0;
	return $words[0];
}

sub median
{
	my @sorted = sort { $a <=> $b } @_;

	return $sorted[ @sorted / 2 ];
}

# A line of the report; limit and what it limits come last.
sub report
{
	my ($what, $measured, $base, $ratio, $limit, $limited) = @_;
	my $good = $limited <= $limit;

	$passed_limits &&= $good;
	printf "%-52s %12s %12s %8s %8s  %s\n", $what, $measured, $base, $ratio, $limit, $good ? 'ok' : 'OVER';
}

sub two_steps
{
	my (@measured, @base, @ratios);

	foreach my $turn (1 .. $turns)
	{
		push @base, floor('post', $ENV{SANDBOX_URL}, $ENV{AMBERFLO_KEY}, $runs);
		my ($time) = elapsed(psql(sprintf($run, 300) . "\n\\timing on\n" . sprintf($run, $runs)));

		push @measured, $time * 1000 / $runs;
		push @ratios, $measured[-1] / $base[-1];
	}
	my $ratio = median(@ratios);

	report('two-step workflow in a warm session',
		sprintf('%.1f us', median(@measured)), sprintf('%.1f us', median(@base)),
		sprintf('%.2f', $ratio), '1.50', $ratio);
	printf "%52s  (ratios of the turns: %s)\n", '', join ' ', map { sprintf '%.2f', $_ } sort { $a <=> $b } @ratios;
}

# The rate of runs, as a part of the floor's.
sub many_at_once
{
	my $concurrency = 32;
	my $count = 4 * $runs;
	my (@measured, @base, @ratios);

	foreach my $turn (1 .. $turns)
	{
		push @base, 1e6 / floor('many', $ENV{SANDBOX_URL}, $ENV{AMBERFLO_KEY}, $count, $concurrency);
		my $output = psql(sprintf($run_many, 300, $concurrency) . "\n\\timing on\n" . sprintf($run_many, $count, $concurrency));
		my ($time) = elapsed($output);

		die "some of the runs failed\n" unless $output =~ /^$count$/m;
		push @measured, $count * 1000 / $time;
		push @ratios, $measured[-1] / $base[-1];
	}
	my $ratio = median(@ratios);

	report_at_least("two-step runs, $concurrency at a time; floor: libcurl multi",
		sprintf('%d /s', median(@measured)), sprintf('%d /s', median(@base)), $ratio, 0.4);
	printf "%52s  (ratios of the turns: %s)\n", '', join ' ', map { sprintf '%.2f', $_ } sort { $a <=> $b } @ratios;
}

# The rate at which queued runs of one keyed call are worked off, on disk with
# every commit, as a part of the floor's: by two workers that share the
# concurrency, and for comparison by one.
sub queue_drain
{
	my $concurrency = 32;
	my (%measured, @base, %ratios);

	psql(<<"SQL");
SELECT arazzo_load('https://bench.example/event.yaml', \$\$
arazzo: 1.0.1
info: {title: One event, version: 1.0.0}
sourceDescriptions: [{name: metering, url: amberflo-arazzo:/workflows/openapi/amberflo-metering.yaml, type: openapi}]
workflows:
  - workflowId: bench-event
    inputs: {type: object, required: [customerId, value, uniqueId]}
    steps:
      - stepId: ingest
        operationId: ingestMeterEvents
        requestBody:
          payload: {meterApiName: api-calls, customerId: \$inputs.customerId, meterValue: \$inputs.value,
            meterTimeInMillis: 1718153645993, uniqueId: \$inputs.uniqueId}
        successCriteria: [{condition: \$statusCode == 200}]
\$\$);
ALTER SERVER amberflo OPTIONS (ADD idempotency_key 'body /uniqueId');
SQL
	foreach my $turn (1 .. $drain_turns)
	{
		push @base, 1e6 / floor('events', $ENV{SANDBOX_URL}, $ENV{AMBERFLO_KEY}, $drain, $concurrency);
		foreach my $workers (1, 2)
		{
			push @{ $measured{$workers} }, drain_rate($workers, $concurrency, "$turn-$workers");
			push @{ $ratios{$workers} }, $measured{$workers}[-1] / $base[-1];
		}
	}
	psql('ALTER SERVER amberflo OPTIONS (DROP idempotency_key)');
	my $ratio = median(@{ $ratios{2} });

	report_at_least("queued runs, two workers, $concurrency at a time; floor: multi",
		sprintf('%d /s', median(@{ $measured{2} })), sprintf('%d /s', median(@base)), $ratio, 0.25);
	printf "%-52s %12s %12s %8.2f\n", '  one worker', sprintf('%d /s', median(@{ $measured{1} })), '', median(@{ $ratios{1} });
	printf "%52s  (ratios of the turns: %s)\n", '', join ' ', map { sprintf '%.2f', $_ } sort { $a <=> $b } @{ $ratios{2} };
}

# Runs a second that so many sessions work off together.
sub drain_rate
{
	my ($workers, $concurrency, $name) = @_;
	my $share = $concurrency / $workers;

	psql(<<"SQL");
SELECT count(arazzo_submit('bench-event', jsonb_build_object('customerId', 'customer-1', 'value', i + 0.5,
	'uniqueId', 'bench-$name-' || i))) FROM generate_series(1, $drain) i;
CHECKPOINT;
SQL
	my $start = time;
	my @sessions = map { start_session("SET arazzo.concurrency = $share; CALL arazzo_work();") } 1 .. $workers;

	foreach my $session (@sessions)
	{
		waitpid $session, 0;
		die "a session failed\n" if $? != 0;
	}
	my $seconds = time - $start;

	die "some of the runs failed\n" unless psql("SELECT count(*) FROM arazzo_runs WHERE status <> 'succeeded'") == 0;
	psql("CALL arazzo_prune('0')");
	return $drain / $seconds;
}

# A session of its own, in the background; its process.
sub start_session
{
	my ($script) = @_;
	my $pid = fork;

	die "could not fork: $!" unless defined $pid;
	return $pid if $pid;
	open STDOUT, '>', '/dev/null';
	exec 'psql', '-X', '-q', '-At', '-v', 'ON_ERROR_STOP=1', map { ('-c', $_) } split /(?<=;)\s*/, $script;
	die "could not execute psql: $!";
}

# A line whose ratio must not be lower than the limit.
sub report_at_least
{
	my ($what, $measured, $base, $ratio, $limit) = @_;
	my $good = $ratio >= $limit;

	$passed_limits &&= $good;
	printf "%-52s %12s %12s %8s %8s  %s\n", $what, $measured, $base, sprintf('%.2f', $ratio),
	  sprintf('>= %.2f', $limit), $good ? 'ok' : 'UNDER';
}

# What a row costs beyond a plain INSERT when a trigger queues a run for it, as
# a part of what it costs when a trigger in PL/pgSQL puts the same into a table.
sub triggers
{
	my (%cost, %ratios);

	psql(<<"SQL");
CREATE TABLE usage (id bigint PRIMARY KEY, meter text, customer text, quantity numeric, at timestamptz);
CREATE TABLE outbox (id bigserial PRIMARY KEY, workflow text, inputs jsonb, status text NOT NULL DEFAULT 'queued',
	created timestamptz NOT NULL DEFAULT clock_timestamp());
CREATE INDEX ON outbox (status, created);
CREATE FUNCTION outbox() RETURNS trigger LANGUAGE plpgsql AS \$\$
BEGIN
	INSERT INTO outbox (workflow, inputs) VALUES ('meter-usage-and-topup-prepaid', jsonb_build_object(
		'meterApiName', new.meter, 'customerId', new.customer, 'meterValue', new.quantity,
		'meterTimeInMillis', floor(extract(epoch FROM new.at) * 1000)::bigint, 'uniqueId', 'usage-' || new.id,
		'amount', 5));
	RETURN NULL;
END
\$\$;
SELECT arazzo_load('https://bench.example/batch.yaml', \$\$@{[ batch_document() ]}\$\$);
SQL
	foreach my $turn (1 .. $turns)
	{
		my %time = map { $_ => insert_time($_) } 'none', 'outbox', 'row', 'keyed', 'statement';

		foreach my $kind ('outbox', 'row', 'keyed', 'statement')
		{
			push @{ $cost{$kind} }, ($time{$kind} - $time{none}) / 10;
			push @{ $ratios{$kind} }, $cost{$kind}[-1] / $cost{outbox}[-1];
		}
	}
	report_trigger('row trigger, beyond a plain INSERT; floor: PL/pgSQL', $cost{row}, $cost{outbox}, $ratios{row}, 0.8);
	report_trigger('statement trigger, 10,000 rows; the same floor', $cost{statement}, $cost{outbox}, $ratios{statement}, 0.1);
	printf "%-52s %12s %12s %8s\n", '  row trigger with a key',
	  sprintf('%.2f us', median(@{ $cost{keyed} })), '', sprintf('%.2f', median(@{ $ratios{keyed} }));
}

sub report_trigger
{
	my ($what, $cost, $base, $ratios, $limit) = @_;
	my $ratio = median(@$ratios);

	report($what, sprintf('%.2f us', median(@$cost)), sprintf('%.2f us', median(@$base)),
		sprintf('%.3f', $ratio), $limit, $ratio);
}

# The workflow that takes the rows of a statement.
sub batch_document
{
	return <<'YAML';
arazzo: 1.0.1
info: {title: Batch, version: 1.0.0}
sourceDescriptions: [{name: metering, url: 'amberflo-arazzo:/workflows/openapi/amberflo-metering.yaml'}]
workflows:
- workflowId: bench-batch
  inputs:
    type: object
    required: [events]
    properties:
      events:
        type: array
        minItems: 1
        items:
          type: object
          required: [meterApiName, customerId, meterValue, meterTimeInMillis]
          properties:
            meterApiName: {type: string}
            customerId: {type: string}
            meterValue: {type: number}
            meterTimeInMillis: {type: integer}
            uniqueId: {type: string}
  steps:
  - stepId: ingest
    operationId: ingestMeterEvents
    requestBody: {contentType: application/json, payload: $inputs.events}
YAML
}

# Milliseconds of an INSERT of 10,000 rows into a table with a trigger of a
# kind, in a session that has done it before.
sub insert_time
{
	my ($kind) = @_;
	my $members = <<'JSON' =~ s/\s+/ /gr;
"meterApiName": "$row.meter", "customerId": "$row.customer", "meterValue": "$row.quantity",
"meterTimeInMillis": "$row.at#ms", "uniqueId": "usage-{$row.id}"
JSON
	my $each = "FOR EACH ROW EXECUTE FUNCTION arazzo_trigger('meter-usage-and-topup-prepaid', '{$members, \"amount\": 5}'";
	my %trigger = (
		none => '',
		outbox => 'CREATE TRIGGER bench AFTER INSERT ON usage FOR EACH ROW EXECUTE FUNCTION outbox()',
		row => "CREATE TRIGGER bench AFTER INSERT ON usage $each)",
		keyed => "CREATE TRIGGER bench AFTER INSERT ON usage $each, '{\"key\": \"usage-{\$row.id}\"}')",
		statement => 'CREATE TRIGGER bench AFTER INSERT ON usage REFERENCING NEW TABLE AS inserted FOR EACH STATEMENT'
		  . " EXECUTE FUNCTION arazzo_trigger('bench-batch', '{\"events\": {\"\$rows\": {$members}}}')");
	my $insert = <<'SQL' =~ s/\s+/ /gr;
INSERT INTO usage SELECT i, 'api-calls', 'customer-' || i %% 100, i + 0.5, now() FROM generate_series(%d, %d) i;
SQL
	my @times = elapsed(psql(<<"SQL"));
TRUNCATE usage, outbox;
DELETE FROM arazzo_queue;
VACUUM usage, outbox, arazzo_queue;
$trigger{$kind};
@{[ sprintf $insert, 1, 3000 ]}
\\timing on
@{[ sprintf $insert, 10001, 20000 ]}
\\timing off
DROP TRIGGER IF EXISTS bench ON usage;
SQL
	return $times[0];
}

sub first_call
{
	my @measured = map { elapsed(psql("\\timing on\n" . sprintf($run, 1))) } 1 .. 2 * $turns;
	my $time = median(@measured);

	report_plain('first run in a new session', $time, 'ms', 10);
}

# A figure with a limit of its own and no floor.
sub report_plain
{
	my ($what, $value, $unit, $limit) = @_;
	my $good = $value <= $limit;

	$passed_limits &&= $good;
	printf "%-52s %12s %12s %8s %8s  %s\n", $what, sprintf("%.2f $unit", $value), '', '', "$limit $unit", $good ? 'ok' : 'OVER';
}

# An OpenAPI document in YAML, as large as asked for, of the usual kinds of
# members: operations, parameters, bodies, references, descriptions.
sub write_document
{
	my ($file, $size) = @_;
	my $text = <<'YAML';
openapi: 3.0.3
info:
  title: A large API
  version: 1.0.0
servers:
  - url: https://large.example
paths:
YAML
	for (my $i = 1; length $text < $size; $i++)
	{
		$text .= <<"YAML";
  /resources-$i/{id}:
    get:
      operationId: getResource$i
      summary: Look up resource number $i
      description: >-
        Answers with the resource as it is now. What is no longer there is
        answered with a 404, and the body says since when.
      tags: [resources]
      parameters:
        - name: id
          in: path
          required: true
          description: Identifier of the resource.
          schema: {type: string, maxLength: 64}
        - name: limit
          in: query
          schema: {type: integer, minimum: 1, maximum: 100, default: 10}
      responses:
        '200':
          description: The resource.
          content:
            application/json:
              schema:
                type: object
                required: [id, name]
                properties:
                  id:
                    type: string
                    example: "resource-$i"
                  name:
                    type: string
                    nullable: true
                  price:
                    type: number
                    example: 12.50
                  parent:
                    \$ref: '#/components/schemas/Error'
        default:
          \$ref: '#/components/responses/Error'
YAML
	}
	$text .= <<'YAML';
components:
  responses:
    Error:
      description: Something went wrong.
      content:
        application/json:
          schema:
            $ref: '#/components/schemas/Error'
  schemas:
    Error:
      type: object
      properties:
        message:
          type: string
YAML
	open my $handle, '>', $file or die "could not write \"$file\": $!";
	print $handle $text;
	close $handle;
}

sub large_document
{
	my $file = "$ENV{DIRECTORY}/tmp/large.yaml";
	my (@measured, @base, @ratios, @peaks);

	write_document($file, 5 * 1024 * 1024);
	foreach my $turn (1 .. $turns)
	{
		push @base, floor('yaml', $file);
		my $output = psql(<<"SQL");
SELECT pg_backend_pid() AS pid \\gset
\\setenv BACKEND :pid
\\timing on
SELECT arazzo_load('https://large.example/openapi.yaml', pg_read_file('$file'));
\\timing off
\\! grep VmHWM /proc/\$BACKEND/status
SQL
		push @measured, elapsed($output);
		push @ratios, $measured[-1] / $base[-1];
		push @peaks, $output =~ /VmHWM:\s+(\d+) kB/;
	}
	my $ratio = median(@ratios);
	my ($peak) = sort { $b <=> $a } @peaks;

	report('load an OpenAPI document of 5 MB; floor: libyaml',
		sprintf('%.1f ms', median(@measured)), sprintf('%.1f ms', median(@base)),
		sprintf('%.2f', $ratio), '4.00', $ratio);
	report_plain('  peak memory of that session', $peak / 1024, 'MB', 300);
}

# Private memory of one session after 1,000 runs and after all of them.
sub memory_of_many_runs
{
	my $look = <<'SQL';
\! grep RssAnon /proc/$BACKEND/status
SELECT 'contexts: ' || sum(total_bytes) FROM pg_backend_memory_contexts;
SQL
	my $output = psql(
		"SELECT pg_backend_pid() AS pid \\gset\n\\setenv BACKEND :pid\n"
		  . sprintf($run, 1000) . "\n" . $look
		  . (sprintf($run, 1000) . "\n") x ($many / 1000 - 1)
		  . $look);
	my @rss = $output =~ /RssAnon:\s+(\d+) kB/g;
	my @contexts = $output =~ /contexts: (\d+)/g;
	my $count = $many =~ s/(\d)(?=(\d{3})+$)/$1,/gr;

	report_plain("memory growth of a session, runs 1,001 to $count", ($rss[1] - $rss[0]) / 1024, 'MB', 1);
	printf "%-52s %12s\n", '  of that, in memory contexts', sprintf '%.2f MB', ($contexts[1] - $contexts[0]) / 1048576;
}
