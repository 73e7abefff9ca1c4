# Each allocation of a statement fails in turn, then each descriptor it asks
# for, then each call that waits, connects, sends or receives: the statement
# fails with an error that says so, or goes on without; the session lives, the
# next statement in it does all that it should, and nothing stays.
#
#	my $torture = Torture->new;
#	my $result = $torture->series('run', 'malloc', stride => 17);
package Torture;

use strict;
use warnings;

use Arazzo;
use AuthServer;
use HttpRoom ();
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Sandbox;
use TlsServer;

our @KINDS = qw(palloc malloc resource call);

my $tests = "$Arazzo::TOP/tests";
my $key = 'amberflo-test-key';
my $inputs = q{'{"meterApiName": "m", "customerId": "%s", "meterValue": 12.5, "meterTimeInMillis": 1718153645993, "amount": 5, "uniqueId": "%s"}'};
my $topup = 'meter-usage-and-topup-prepaid';

my $openapi = <<'YAML';
openapi: 3.1.0
info: {title: billing, version: '1'}
servers: [{url: https://app.amberflo.io}]
components: {securitySchemes: {key: {type: apiKey, in: header, name: X-API-KEY}}}
security: [{key: []}]
paths:
  /customers:
    get:
      operationId: list
      responses:
        '200':
          description: all of them
          content:
            application/json:
              schema: {type: array, items: {type: object, required: [customerId], properties: {customerId: {type: string, pattern: '^c[0-9]+$', format: regex}}}}
YAML
my $workflows = <<'YAML';
arazzo: 1.0.1
info: {title: looks, version: '1'}
sourceDescriptions: [{name: api, url: openapi.yaml}]
workflows:
- workflowId: look
  inputs: {type: object, properties: {name: {type: string, minLength: 1}}}
  steps:
  - &look
    stepId: list
    operationId: list
    successCriteria:
    - condition: $statusCode == 200 && $response.header.Content-Type != null
    - {context: $response.body, type: jsonpath, condition: '$[?match(@.customerId, "c.*") && @.customerName == "Seven"]'}
    - {context: $response.body#/0/customerId, type: regex, condition: '^c(7|8)$'}
    outputs: {all: $response.body, first: $response.body#/0/customerName}
  - <<: *look
    stepId: again
  outputs: {first: $steps.again.outputs.first, name: 'customer {$inputs.name}'}
YAML

my $asyncapi = <<'YAML';
asyncapi: 3.0.0
info: {title: orders, version: '1'}
servers: {db: {host: db.example, protocol: postgresql}}
channels:
  news: {address: news}
operations:
  news: {action: receive, channel: {$ref: '#/channels/news'}}
YAML
my $receives = <<'YAML';
arazzo: 1.1.0
info: {title: news, version: '1'}
sourceDescriptions: [{name: async, url: async.yaml, type: asyncapi}]
workflows:
- workflowId: news
  steps: [{stepId: news, operationId: news, action: receive, timeout: 20}]
YAML

my $secured = <<'YAML';
openapi: 3.1.0
info: {title: secured, version: '1'}
servers: [{url: https://secured.test}]
components: {securitySchemes: {own: {type: oauth2, flows: {clientCredentials: {tokenUrl: https://secured.test/token, scopes: {}}}}}}
paths:
  /bearer: {get: {operationId: get, security: [{own: []}]}}
YAML
my $gets = <<'YAML';
arazzo: 1.0.1
info: {title: secured, version: '1'}
sourceDescriptions: [{name: api, url: secured.yaml}]
workflows: [{workflowId: secured, steps: [{stepId: get, operationId: get}], outputs: {done: 'yes'}}]
YAML

# By name: the statement, what it answers, what the session has done before, and
# for one with many allocations that are all alike how many of them do.
my %scenarios = (
	load => {
		statement => 'SELECT arazzo_load(\'https://torture.test/arazzo.yaml\', ' . Arazzo::quote($workflows) . ');',
		answer => qr{^https://torture\.test/arazzo\.yaml$}
	},
	check => {
		statement => 'SELECT string_agg(code, \' \') FROM arazzo_check(' . Arazzo::quote($workflows =~ s/statusCode/status/r) . ', \'https://torture.test/arazzo.yaml\');',
		answer => qr{^invalid-expression$}
	},
	explain => {
		statement => "SELECT count(*) > 10 FROM arazzo_explain('$topup', " . sprintf($inputs, 'c7', 'e') . ');',
		answer => qr/^t$/
	},
	run => {
		statement => "SELECT arazzo_run('$topup', " . sprintf($inputs, 'c7', 'e') . ') ?& ARRAY[\'orderId\'];',
		answer => qr/^t$/
	},
	look => {
		statement => q{SET arazzo.validate = error; SELECT arazzo_run('look', '{"name": "x"}');},
		answer => qr/^\{"name": "customer x", "first": "Seven"\}$/
	},
	known => {
		before => q{SELECT arazzo_run('ingest-events-batch', '{"events": [{"meterApiName": "m", "customerId": "c7", "meterValue": 1, "meterTimeInMillis": 1}]}');},
		statement => q{SELECT arazzo_run('look', '{"name": "x"}');},
		answer => qr/^\{"name": "customer x", "first": "Seven"\}$/
	},
	many => {
		statement => q{SELECT count(outputs), min(error->>'sqlstate'), min(error->>'message') FROM arazzo_run_many('look', array_fill('{"name": "x"}'::jsonb, ARRAY[3]), 2);},
		answer => qr/^3\|\|$/
	},
	submit => {
		statement => "BEGIN; SELECT arazzo_submit('$topup', " . sprintf($inputs, 'c7', 'e') . ', key => \'k\') > 0; ROLLBACK;',
		answer => qr/^t$/
	},
	receive => {
		stride => 23,			# to say the password takes 20,000 allocations
		statement => "SELECT arazzo_run('news');",
		answer => qr/^ERROR:  WF004: step "news" received no message in 20 ms$/m
	},
	token => {
		statement => "SELECT arazzo_run('secured');",
		answer => qr/^\{"done": "yes"\}$/
	},
	trigger => {
		statement => q{BEGIN; INSERT INTO usage VALUES (17, 'c7', 5) RETURNING customer; ROLLBACK;},
		answer => qr/^c7$/
	});

sub names { return sort keys %scenarios; }

# Can the libraries be put in place?
sub problem
{
	return 'the address sanitizer has allocations of its own' if ($ENV{SANITIZE} // '') eq 'address';
	return -e "$tests/torture/failing.so" ? undef : 'the libraries are not built';
}

sub new
{
	my ($class) = @_;
	my $files = TlsServer::new_directory();
	my $node = PostgreSQL::Test::Cluster->new('torture');

	TlsServer::authority($files, 'authority');
	TlsServer::certificate($files, 'server', 'authority', 'DNS:localhost,IP:127.0.0.1');
	$node->init(extra => ['--encoding=UTF8']);
	$node->append_conf('postgresql.conf', "autovacuum = off\nrestart_after_crash = off\narazzo.connect_timeout = '5s'\narazzo.timeout = '10s'");
	my $rules = $node->data_dir . '/pg_hba.conf';
	my $others = slurp_file($rules);

	TlsServer::write_file($rules, "local all listener scram-sha-256\n$others");
	{
		local $ENV{LD_PRELOAD} = join ':', grep { $_ } $ENV{LD_PRELOAD}, "$tests/torture/failing.so";
		$node->start;
	}
	my $self = bless { node => $node, files => $files }, $class;

	$self->{sandbox} = Sandbox->start(shape => 'published', amberflo_key => $key,
		args => [ '--tls-cert', "$files/server.pem", '--tls-key', "$files/server.key" ]);
	$self->{secured} = AuthServer->start;
	$self->{secured}->set(client => 'acme:hush', lifetime => 3600);
	TlsServer::write_file("$files/secrets", "client_id = acme\nclient_secret = hush\n");
	$self->set_up;
	return $self;
}

sub sql { return $_[0]{node}->safe_psql('postgres', $_[1]); }

# The functions of the extension are those of the library whose allocations fail.
sub set_up
{
	my ($self) = @_;
	my $library = "$tests/torture/arazzo_torture";
	my %documents = (openapi => $openapi, arazzo => $workflows, async => $asyncapi, news => $receives, secured => $secured, gets => $gets);
	my $socket = $self->{node}->host =~ s{/}{%2F}gr . ':' . $self->{node}->port;

	$self->sql('CREATE EXTENSION amberflo_arazzo');
	$self->sql(<<"SQL");
SET allow_system_table_mods = on;
UPDATE pg_proc SET probin = '$library' WHERE probin LIKE '%/amberflo_arazzo';
CREATE FUNCTION test_torture_start(kind text, first bigint, length bigint) RETURNS void AS '$library' LANGUAGE C STRICT;
CREATE FUNCTION test_torture_stop() RETURNS bigint AS '$library' LANGUAGE C STRICT;
CREATE FUNCTION test_torture_in_use() RETURNS bigint AS '$library' LANGUAGE C STRICT;
SQL
	my $url = $self->{sandbox}->tls_url;
	my $secured_url = $self->{secured}->url;
	$self->sql(<<"SQL");
CREATE SERVER amberflo FOREIGN DATA WRAPPER arazzo OPTIONS (api 'https://app.amberflo.io', url '$url', ca_file '$self->{files}/authority.pem',
	allow_private '127.0.0.0/8, ::1/128');
CREATE USER MAPPING FOR CURRENT_USER SERVER amberflo OPTIONS (api_key '$key');
CREATE SERVER events FOREIGN DATA WRAPPER arazzo OPTIONS (api 'https://app.amberflo.io/ingest', url '$url/ingest', ca_file '$self->{files}/authority.pem',
	allow_private '127.0.0.0/8, ::1/128', idempotency_key 'body /uniqueId');
CREATE USER MAPPING FOR CURRENT_USER SERVER events OPTIONS (api_key '$key');
CREATE ROLE listener LOGIN PASSWORD 'correct horse';
CREATE SERVER db FOREIGN DATA WRAPPER arazzo OPTIONS (api 'postgresql://db.example', url 'postgresql://$socket');
CREATE USER MAPPING FOR CURRENT_USER SERVER db OPTIONS (user 'listener', password 'correct horse');
CREATE SERVER secured FOREIGN DATA WRAPPER arazzo OPTIONS (api 'https://secured.test', url '$secured_url');
CREATE USER MAPPING FOR CURRENT_USER SERVER secured OPTIONS (secret_file '$self->{files}/secrets');
CREATE TABLE usage (id int PRIMARY KEY, customer text, amount numeric);
CREATE TRIGGER report AFTER INSERT ON usage FOR EACH ROW EXECUTE FUNCTION arazzo_trigger('$topup', '{"meterApiName": "m",
	"customerId": "\$row.customer", "meterValue": "\$row.amount", "meterTimeInMillis": 1, "uniqueId": "\$tg.key", "amount": 5}', '{"key": "\$tg.key"}');
SQL
	foreach my $name (sort keys %documents)
	{
		$self->sql("SELECT arazzo_load('https://torture.test/$name.yaml', " . Arazzo::quote($documents{$name}) . ')');
	}
	$self->{sandbox}->call('POST', '/customers', [ 'X-API-KEY' => $key, 'Content-Type' => 'application/json' ], '{"customerId": "c7", "customerName": "Seven"}');
	return;
}

sub session
{
	my ($self) = @_;
	my $session = HttpRoom::session($self->{node});

	$session->ask("\\set VERBOSITY verbose\n\\set SHOW_CONTEXT never\nSET client_min_messages = error; SET statement_timeout = '60s';");
	return $session;
}

# How many descriptors a session has that are no files, and its memory contexts,
# but for what is kept when a call has failed once.
sub held
{
	my ($session) = @_;
	my $pid = $session->ask('SELECT pg_backend_pid();');
	my $open = grep { (readlink($_) // '') =~ /^(?:socket|pipe|anon_inode)/ } glob "/proc/$pid/fd/*";

	return ($open, $session->ask(q{SELECT string_agg(name || ' ' || count, ', ') FROM (SELECT name, count(*) FROM pg_backend_memory_contexts
		WHERE name LIKE 'arazzo%' AND name <> 'arazzo secrets' GROUP BY name ORDER BY name) c;}));
}

# One statement, in which calls of a kind fail from a number on.
sub point
{
	my ($session, $statement, $kind, $first, $length) = @_;
	my $said = $session->ask("SELECT test_torture_start('$kind', $first, $length) \\g /dev/null\n$statement\n\\echo COUNT\nROLLBACK;\nSELECT test_torture_stop();");
	my ($answer, $rest) = $said =~ /^(.*?)\n?COUNT\n(.*)/s or return ($said, undef);
	my ($count) = $rest =~ /^(\d+)$/m;

	return ($answer, $count);
}

# How a statement ended: "good", an SQLSTATE and its message, or what it said.
sub ending
{
	my ($answer, $good) = @_;

	return 'good' if $answer =~ $good;
	return "$1 $2" if $answer =~ /^ERROR:  (\w{5}): (.*)$/m || $answer =~ /^\d\|(\w{5})\|(.*)$/;
	return "LOST $1" if $answer =~ /^(?:FATAL|PANIC):  (.*)$/m;
	return "said $answer";
}

# Lets calls of a kind fail in turn, each stride-th of them, until the statement
# is through without one: how it ended, by number of the call.
sub series
{
	my ($self, $name, $kind, %options) = @_;
	my $scenario = $scenarios{$name};
	my $statement = $scenario->{statement};
	my $stride = ($options{stride} // 1) * ($kind eq 'malloc' && $scenario->{stride} || 1);
	my %result = (endings => {}, faults => [], points => 0);
	my ($whole, @held) = $self->unharmed($scenario, $kind);

	for (my $first = $options{first} // 1; $first <= ($options{last} // $whole); $first += $stride)
	{
		my $session = $self->session;
		$session->ask($scenario->{before}) if $scenario->{before};
		my ($answer, $count) = point($session, $statement, $kind, $first, $options{length} // 1);
		my $ending = ending($answer, $scenario->{answer});
		my $next = $session->ask($statement);
		my @after = held($session);

		$result{points}++;
		push @{ $result{endings}{ $ending =~ s/localhost:\d+/HOST/gr } }, $first;
		push @{ $result{faults} }, "$first: $ending" if !defined $count || $ending =~ /^(?:LOST|said)/;
		push @{ $result{faults} }, "$first: $ending, next: $next" if $next !~ $scenario->{answer};
		push @{ $result{faults} }, "$first: $ending, more descriptors: $after[0] not $held[0]" if $after[0] > $held[0];
		push @{ $result{faults} }, "$first: $ending, other contexts: $after[1] not $held[1]" if $after[1] ne $held[1];
	}
	return \%result;
}

# The same for CALL arazzo_work() and a run that is queued for each time: it is
# over in the end, whatever failed at first, and no order is placed twice.  When
# memory is short for a part of a certificate or an answer, it may have failed.
sub queued_series
{
	my ($self, $kind, %options) = @_;
	my %result = (endings => {}, faults => [], points => 0);
	my $whole = 1;
	my @held;

	$self->queued_point('whole', $kind, 1_000_000_000, \%result) for 1 .. 2;
	($whole, @held) = ($result{count}, $result{open}, $result{contexts});
	%result = (endings => {}, faults => [], points => 0);
	for (my $first = $options{first} // 1; $first <= ($options{last} // $whole); $first += $options{stride} // 1)
	{
		my $ending = $self->queued_point("$kind-$first", $kind, $first, \%result);

		push @{ $result{endings}{$ending} }, $first;
		push @{ $result{faults} }, "$first: $ending, more descriptors: $result{open} not $held[0]" if $result{open} > $held[0];
		push @{ $result{faults} }, "$first: $ending, other contexts: $result{contexts} not $held[1]" if defined $result{contexts} && $result{contexts} ne $held[1];
	}
	return \%result;
}

sub queued_point
{
	my ($self, $customer, $kind, $first, $result) = @_;
	my $session = $self->session;
	my $run = $self->sql("SELECT arazzo_submit('$topup', " . sprintf($inputs, $customer, $customer) . ')');
	my ($answer, $count) = point($session, 'CALL arazzo_work();', $kind, $first, 1);
	my $ending = ending($answer, qr/^\d+$/);
	my $now = $session->ask("SELECT status, sqlstate, sending FROM arazzo_runs WHERE run = $run;");
	my ($said, $tries, $status) = ('', 0);

	do
	{
		# a session may have lost a library for good, see below
		$session = $self->session if $tries == 3;
		$session->ask("UPDATE arazzo_queue SET due = now() WHERE status IN ('queued', 'waiting'); SELECT count(arazzo_resume(srvname)) FROM pg_foreign_server;");
		$said .= $session->ask('CALL arazzo_work();') . ' ';
		$status = $session->ask("SELECT status FROM arazzo_runs WHERE run = $run;");
	} while ($status =~ /queued|waiting|running/ && ++$tries < 5);
	my %seen = (ingest => 0, prepaid => 0);
	foreach my $request (@{ $self->{sandbox}->ledger })
	{
		my ($what) = $request->{target} =~ /(ingest|prepaid)/ or next;
		$seen{$what}++ if $request->{body} =~ /"customerId": ?"\Q$customer\E"/;
	}
	$self->{sandbox}->clear_ledger;
	$result->{points}++;
	$result->{count} = $count;
	@$result{qw(open contexts)} = $tries < 3 ? held($session) : (0, undef);
	push @{ $result->{faults} }, "$first: $ending, then $said, in the end $status" if $status !~ /^(?:succeeded|in_doubt)$/
	  && !($kind eq 'malloc' && $status eq 'failed' && $now =~ /^failed\|(?:08001|54000)\|/ && $seen{prepaid} == 0);
	push @{ $result->{faults} }, "$first: $ending, at first $now, in the end $status with $seen{prepaid} orders" if $seen{prepaid} > 1 || ($status eq 'succeeded' && $seen{prepaid} != 1);
	return "$ending, $now, then $status" =~ s/localhost:\d+/HOST/gr;
}

# How many calls of a kind there are when none fails, and what is held then.
sub unharmed
{
	my ($self, $scenario, $kind) = @_;
	my $session = $self->session;
	my $before = $session->ask($scenario->{before} // 'SELECT 1;');
	my ($answer, $count) = point($session, $scenario->{statement}, $kind, 1_000_000_000, 1);

	die "the statement does not work: $before $answer" if $before =~ /ERROR/ || $answer !~ $scenario->{answer};
	$session->ask($scenario->{statement});
	return ($count, held($session));
}

# What a statement may say when a call fails: the server, the HTTP library or
# the library for TLS ran short, or a connection broke.
my $excused = qr{^(?:good
	| 53200\ (?:out\ of\ memory | could\ not\ (?:create|initialize|drive|compute) | regular\ expression\ failed)
	| 53000\ too\ many\ open\ files
	| (?:08001|53\d00|54000)\ could\ not\ fetch\ a\ token
	| 08001\ (?:could\ not\ (?:resolve|connect|set\ up\ TLS|verify|read\ the\ certificate)|connection)
	| 08006\ (?:request | connection | response)
	| 08P01\ response
	| 54000\ response\ .*\ has\ a\ header\ that\ is\ too\ long)}x;

# What OpenSSL does once in a process it does not try again when memory was
# short for it: such a session stays without.
my $for_good = qr{: (?:08001 could not (?:set up TLS|verify)|53200 ).*, (?:next: (?:\d\|)?(?:ERROR:  )?(?:08001|53200)|other contexts)};

# Says as a test how a series ended, and shows how often it ended how.
sub passes
{
	my ($result, $name, $kind, $known) = @_;
	my @other = grep { (split /, /, $_)[0] !~ $excused } sort keys %{ $result->{endings} };
	my @faults = grep { $known || $kind ne 'malloc' || $_ !~ $for_good } @{ $result->{faults} };
	my $good = grep { /^good/ } map { ($_) x @{ $result->{endings}{$_} } } keys %{ $result->{endings} };

	Test::More::ok(!@other && !@faults, "$name: $result->{points} calls of the kind $kind failed in turn; it went on without $good of them")
	  or Test::More::diag(join "\n", map({ "$_ (call $result->{endings}{$_}[0])" } @other), @faults[ 0 .. ($#faults < 9 ? $#faults : 9) ]);
	Test::More::note(join "\n", map { sprintf '%6d %s', scalar @{ $result->{endings}{$_} }, $_ } sort keys %{ $result->{endings} });
	return;
}

# All of it; strides by kind say how many of the calls fail.
sub run_all
{
	my (%strides) = @_;
	my $torture = Torture->new;

	foreach my $kind (@KINDS)
	{
		passes($torture->series($_, $kind, stride => $strides{$kind}), $_, $kind, $scenarios{$_}{before}) foreach names();
		foreach my $name ($kind eq 'palloc' ? () : qw(run many))
		{
			passes($torture->series($name, $kind, stride => 3 * $strides{$kind}, length => 1_000_000), "$name, short of it for good", $kind);
		}
		passes($torture->queued_series($kind, stride => $strides{"queued $kind"} // $strides{$kind}), 'work', $kind);
	}
	$torture->{node}->stop('fast');
	return;
}

1;
