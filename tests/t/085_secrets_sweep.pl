# Random secrets through every path, to a server that sends them back in every
# form it can, with failures, cancels and crashes on the way: then everything
# that anybody could read is searched for them.
use strict;
use warnings;

use Arazzo;
use AuthServer;
use PostgreSQL::Test::Utils;
use RawServer;
use Secrets;
use Test::More;
use TlsServer;

my $secrets = Secrets->new;
my %secret = map { $_ => $secrets->make($_) }
	qw(api_key api_key_next token token_next password client_secret file_key access_token input_key);
my @texts;						# what anybody was shown

# Secrets that go to the server of each scheme, and so can come back from it.
my %own = (
	(map { $_ => [qw(api_key api_key_next)] } qw(header query cookie)), (map { $_ => ['password'] } qw(basic digest)),
	bearer => [qw(token token_next)], client => [qw(client_secret access_token)], password => [qw(password client_secret access_token)],
	file => ['file_key'], given => ['input_key']);
my @schemes = sort keys %own;

# Ways in which a call ends; STALL is one that does not.
sub ends
{
	my ($first, @rest) = @_;
	my $whole = Secrets::echo('400 Bad Request', $first, @rest);
	my $percent = join '', map { /\w/ ? $_ : sprintf '%%%02X', ord } split //, $first;

	return (
		ok => [ Secrets::echo('200 OK', $first, @rest) ],
		bad => [$whole],
		denied => [ Secrets::echo(qq{401 Unauthorized\r\nWWW-Authenticate: Digest realm="r", nonce="n", qop="auth"}, $first, @rest) ],
		moved => [ Secrets::echo("302 Found\r\nLocation: https://elsewhere.example/?key=$percent", $first, @rest) ],
		cut => [ substr($whole, 0, -10), 'CLOSE' ],
		garbage => [ "HTTP/1.1 $first\r\nnonsense $first\r\n\r\n", 'CLOSE' ],
		reset => ['RESET'],
		stall => ['STALL']);
}
my @ends = sort keys %{ { ends('x' x 40) } };
my %table;
foreach my $scheme (@schemes)
{
	my %of = ends(map { $secret{$_} } @{ $own{$scheme} });

	$table{"/$scheme/$_"} = $of{$_} foreach @ends;
}
my $token = qq({"access_token": ") . ($secret{access_token} =~ s/(["\\])/\\$1/gr) . qq(", "token_type": "bearer", "expires_in": 3600});
$table{'/token'} = [ RawServer::response($token, 'Content-Type: application/json') ];
my $server = RawServer->start(\%table);

my $here = TlsServer::new_directory();
TlsServer::authority($here, 'trusted');
TlsServer::certificate($here, $_, 'trusted', 'DNS:localhost') foreach qw(good client);
TlsServer::authority($here, 'other');
TlsServer::certificate($here, 'foreign', 'other', 'DNS:client');
chmod 0644, glob "$here/*";
my $tls = AuthServer->start("$here", 'good', '-tls1_2', '-Verify', 1, '-verify_return_error', '-CAfile', "$here/trusted.pem");
foreach my $name (qw(client foreign))
{
	my @lines = grep { !/-----/ } split /\n/, slurp_file("$here/$name.key");

	$secrets->add("client_key $name", $_) foreach @lines[ 0, 1 ];
}

my $arazzo = Arazzo->new(config => [
	"shared_preload_libraries = 'pg_stat_statements, auto_explain, amberflo_arazzo'", "arazzo.databases = 'postgres'",
	'log_min_messages = debug5', 'log_min_error_statement = debug5', 'log_statement = all', 'log_min_duration_statement = 0',
	'log_error_verbosity = verbose', 'log_parameter_max_length = -1', 'log_parameter_max_length_on_error = -1',
	'pg_stat_statements.track = all', 'auto_explain.log_min_duration = 0', 'auto_explain.log_nested_statements = on',
	'auto_explain.log_verbose = on', 'restart_after_crash = on', 'track_activity_query_size = 65536' ]);
my $node = $arazzo->node;
my $file = PostgreSQL::Test::Utils::tempdir() . '/secret_file';
append_to_file($file, "api_key = $secret{file_key}\n");
chmod 0644, $file;

# The only statements that have a secret in their text; PostgreSQL logs them
# as they are when it is told to.
my $quietly = q{SET log_statement = none; SET log_min_duration_statement = -1; SET auto_explain.log_min_duration = -1;
	SET pg_stat_statements.track = none; SET track_activities = off; SET log_min_error_statement = panic;};

sub quietly { return $node->safe_psql('postgres', "$quietly $_[0]"); }

sub options { my (%options) = @_; return join ', ', map { "$_ " . Arazzo::quote($options{$_}) } sort keys %options; }

sub ask
{
	my ($sql, @params) = @_;
	my ($out, $error) = $arazzo->query("$sql;\n", params => \@params);

	push @texts, $out, $error;
	$server->bytes;				# it waits when what it tells is not read
	return "$out$error";
}

$node->safe_psql('postgres', 'CREATE EXTENSION pg_stat_statements; CREATE ROLE other LOGIN');
my %options = (
	header => { api_key => $secret{api_key}, api_key_next => $secret{api_key_next} },
	bearer => { token => $secret{token}, token_next => $secret{token_next} },
	basic => { user => 'ada', password => $secret{password} },
	client => { client_id => 'acme', client_secret => $secret{client_secret} },
	password => { user => 'ada', password => $secret{password}, client_id => 'acme', client_secret => $secret{client_secret}, client_auth => 'client_secret_post' },
	file => { secret_file => $file },
	given => {});
@options{qw(query cookie digest)} = @options{qw(header header basic)};
foreach my $scheme (@schemes)
{
	my $list = options(%{ $options{$scheme} });

	$node->safe_psql('postgres', "CREATE SERVER $scheme FOREIGN DATA WRAPPER arazzo OPTIONS (api 'https://$scheme.example', url '" . $server->url('') . "', timeout '60s', retry_limit '0')");
	quietly("CREATE USER MAPPING FOR CURRENT_USER SERVER $scheme" . ($list eq '' ? '' : " OPTIONS ($list)"));
}
$node->safe_psql('postgres', "CREATE SERVER mutual FOREIGN DATA WRAPPER arazzo OPTIONS (api 'https://mutual.example', url '@{[ $tls->url ]}', ca_file '$here/trusted.pem')");

# One operation and one workflow for each scheme and end.
my %described = (
	(map { $_ => "{type: apiKey, in: $_, name: key}" } qw(header query cookie)),
	basic => '{type: http, scheme: basic}', digest => '{type: http, scheme: digest}', bearer => '{type: http, scheme: bearer}',
	client => '{type: oauth2, flows: {clientCredentials: {tokenUrl: https://client.example/token, scopes: {}}}}',
	password => '{type: oauth2, flows: {password: {tokenUrl: https://password.example/token, scopes: {}}}}',
	file => '{type: apiKey, in: header, name: key}', given => '{type: apiKey, in: header, name: key}', mutual => '{type: mutualTLS}');
my ($paths, $workflows) = ('', '');
foreach my $scheme (@schemes, 'mutual')
{
	foreach my $end ($scheme eq 'mutual' ? 'ok' : @ends)
	{
		my $parameter = $scheme eq 'given' ? ', parameters: [{name: key, in: header, value: $inputs.key}]' : '';

		$paths .= "  /$scheme/$end: {servers: [{url: https://$scheme.example}], post: {operationId: $scheme-$end, security: [{$scheme: []}], responses: {'200': {description: ok}}}}\n";
		$workflows .= "- workflowId: $scheme-$end\n  inputs: {type: object, properties: {key: {type: string}}}\n"
			. "  steps: [{stepId: one, operationId: $scheme-$end$parameter, outputs: {status: \$statusCode}}]\n  outputs: {status: \$steps.one.outputs.status}\n";
		$workflows .= "- workflowId: $scheme-kept\n  steps: [{stepId: one, operationId: $scheme-ok, outputs: {body: \$response.body}}]\n"
			. "  outputs: {body: \$steps.one.outputs.body, all: \$steps.one.outputs}\n" if $end eq 'ok';
	}
}
my $openapi = "openapi: 3.1.0\ninfo: {title: t, version: '1'}\ncomponents:\n  securitySchemes:\n"
	. join('', map { "    $_: $described{$_}\n" } @schemes, 'mutual') . "paths:\n$paths";
$node->safe_psql('postgres', 'SELECT arazzo_load(' . Arazzo::quote('https://api.example/openapi.yaml') . ', ' . Arazzo::quote($openapi) . ')');
$node->safe_psql('postgres', 'SELECT arazzo_load(' . Arazzo::quote('https://api.example/arazzo.yaml') . ', '
	. Arazzo::quote("arazzo: 1.0.1\ninfo: {title: t, version: '1'}\nsourceDescriptions: [{name: api, url: openapi.yaml}]\nworkflows:\n$workflows") . ')');

# Inputs lie in a table, so that no statement has a secret in its text.
quietly('CREATE TABLE given (scheme text, inputs jsonb); INSERT INTO given SELECT s, jsonb_build_object() FROM unnest(' . Arazzo::quote('{' . join(',', grep { $_ ne 'given' } @schemes) . '}')
	. '::text[]) s; INSERT INTO given VALUES (' . Arazzo::quote('given') . ', jsonb_build_object(' . Arazzo::quote('key') . ', ' . Arazzo::quote($secret{input_key}) . '::text))');

# Calls of a scheme that got no answer; waits for one more than there were.
sub stalled { my ($scheme) = @_; return scalar $server->events(qr{^request \d+ POST /$scheme/stall}); }

sub await_stalled
{
	my ($scheme, $before) = @_;

	for (1 .. 180)
	{
		return if stalled($scheme) > $before;
		$server->read_events(1);
	}
	die "no call with $scheme came";
}

sub call { my ($function, $scheme, $end) = @_; return "SELECT x.* FROM given, $function('$scheme-$end', inputs) x WHERE scheme = '$scheme'"; }

# runs whose outputs are the secrets that came back, before any is refused; a
# digest that nobody has asked for is in doubt
my @kept = grep { !/given|digest/ } @schemes;
my $kept = q{SELECT count(*) FROM arazzo_queue WHERE workflow LIKE '%-kept' AND status = 'succeeded' AND outputs::text LIKE '%********%'};
ask("SELECT arazzo_submit('$_-kept')") foreach @kept;
for (1 .. 1000)
{
	$server->bytes;
	last if $node->safe_psql('postgres', $kept) == @kept;
}
is($node->safe_psql('postgres', $kept), scalar(@kept), 'outputs of queued runs are kept without secrets');

foreach my $scheme (@schemes)
{
	ask(join ";\n", 'SET statement_timeout = 100', map { call('arazzo_run', $scheme, $_) } 'stall');
	foreach my $function (qw(arazzo_run arazzo_trace arazzo_explain))
	{
		ask(join ";\n", map { call($function, $scheme, $_) } grep { $_ ne 'stall' } @ends);
	}
	ask(join ";\n", map { "SELECT x.* FROM given, arazzo_run_many('$scheme-$_', ARRAY[inputs, inputs]) x WHERE scheme = '$scheme'" } grep { $_ ne 'stall' } @ends);
	# a refusal pauses the server for the role, and one is needed later
	ask(join ";\n", map { call('arazzo_submit', $scheme, $_) } grep { $_ ne 'stall' && "$scheme-$_" ne 'cookie-denied' } @ends);
}
like(join("\n", @texts), qr/input "key" of workflow "given-bad" is a credential/, 'a queued run takes no credential');
my $open = q{SELECT count(*) FROM arazzo_queue WHERE status = 'running' OR due IS NOT NULL};
for (1 .. 10000)
{
	$server->bytes;
	last if $node->safe_psql('postgres', $open) eq '0';
}
is($node->safe_psql('postgres', $open), '0', 'queued runs are worked off, or held since their credential was refused');
cmp_ok($node->safe_psql('postgres', 'SELECT count(*) FROM arazzo_queue_attempts'), '>', 20, '... with calls');

# mutual TLS: the certificate is taken, not trusted, and does not fit its key
foreach my $pair ([ 'client', 'client' ], [ 'foreign', 'foreign' ], [ 'client', 'foreign' ], [ 'good', undef ])
{
	my ($certificate, $key) = @$pair;
	my $list = options(client_cert => slurp_file("$here/$certificate.pem"), $key ? (client_key => slurp_file("$here/$key.key")) : ());

	quietly("DROP USER MAPPING IF EXISTS FOR CURRENT_USER SERVER mutual; CREATE USER MAPPING FOR CURRENT_USER SERVER mutual OPTIONS ($list)");
	ask("SELECT * FROM arazzo_$_('mutual-ok')") foreach qw(run trace explain);
}

# while a call is under way; it is cancelled, terminated, and killed
my $activity = 'SELECT pid, query, state, wait_event, application_name, backend_type FROM pg_stat_activity';
foreach my $case ([ 'header', 'pg_cancel_backend' ], [ 'client', 'pg_terminate_backend' ], [ 'given', 'kill' ], [ 'bearer', 'kill' ])
{
	my ($scheme, $end) = @$case;
	my ($out, $error) = ('', '');
	my $before = stalled($scheme);
	my $busy = $arazzo->background(call('arazzo_run', $scheme, 'stall') . ";\n", \$out, \$error);

	await_stalled($scheme, $before);
	ask($activity);
	ask("$activity; SELECT * FROM pg_stat_statements", '-U', 'other');
	my $pid = $node->safe_psql('postgres', q{SELECT pid FROM pg_stat_activity WHERE query LIKE '%-stall%' AND state = 'active' AND pid <> pg_backend_pid()});
	ok($pid, "a call with $scheme is under way");
	if ($end eq 'kill')
	{
		ask('SELECT q::text FROM arazzo_queue q; SELECT a::text FROM arazzo_queue_attempts a; SELECT query FROM pg_stat_statements');
		kill 'KILL', $pid;
	}
	else
	{
		$node->safe_psql('postgres', "SELECT $end($pid)");
	}
	eval { $busy->finish };
	push @texts, $out, $error;
	isnt($error, '', "... and ended by $end");
	ok($node->poll_query_until('postgres', 'SELECT true'), '... the server goes on') if $end eq 'kill';
}

# a worker that is killed in the middle of a call
my $before = stalled('cookie');
ask("SELECT arazzo_submit('cookie-stall')");
await_stalled('cookie', $before);
ask($activity);
my $worker = $node->safe_psql('postgres', q{SELECT pid FROM pg_stat_activity WHERE backend_type = 'arazzo worker'});
kill 'KILL', $worker;
ok($node->poll_query_until('postgres', q{SELECT status = 'in_doubt' FROM arazzo_runs WHERE workflow = 'cookie-stall'}), 'a worker that was killed leaves a run in doubt');

# options that are refused, and a secret file that cannot be used; a message of
# PostgreSQL's own, as it has them for developers, would show the statement
my $refusing = 'SET log_statement = none; SET log_min_duration_statement = -1; SET log_min_error_statement = error; SET pg_stat_statements.track = none;';
foreach my $list (options(api_kye => $secret{api_key}), options(api_key => "$secret{api_key}\n"), options(client_key => $secret{token}),
	options(secret_file => $secret{token}), options(api => $secret{token}))
{
	ask("$refusing CREATE USER MAPPING FOR PUBLIC SERVER header OPTIONS ($list)");
	ask("$refusing CREATE SERVER x FOREIGN DATA WRAPPER arazzo OPTIONS ($list)");
}
foreach my $content ("api_kye = $secret{file_key}\n", "$secret{file_key}\n", "{\"api_key\": \"$secret{file_key}\n", "{\"$secret{file_key}\": \"x\"}", "api_key = $secret{file_key}\x01\n")
{
	append_to_file("$file.new", $content);
	rename "$file.new", $file or die "could not rename: $!";
	like(ask(call('arazzo_run', 'file', 'ok')), qr/^ERROR:  WF008: could not use the secret_file/, 'a secret file that cannot be used');
}

# all that can be read
foreach my $view ($node->safe_psql('postgres', q{SELECT c.oid::regclass FROM pg_class c WHERE relname LIKE 'arazzo%' AND relkind IN ('r', 'v')}) =~ /(\S+)/g)
{
	ask("SELECT x::text FROM $view x");
}
foreach my $view ($node->safe_psql('postgres', q{SELECT c.oid::regclass FROM pg_class c WHERE relkind = 'v' AND has_table_privilege('other', oid, 'SELECT')}) =~ /(\S+)/g)
{
	ask("SET client_min_messages = error; SELECT x::text FROM $view x", '-U', 'other');
}
ask('SELECT query FROM pg_stat_statements');
ask("SELECT * FROM arazzo_explain('header-ok')", '-U', 'other');

# a dump has what user mappings have, and so not what lies in a file; the table
# of inputs is this test's own
my ($dump, $dump_error) = ('', '');
IPC::Run::run([ 'pg_dump', '--exclude-table=given', '-d', $node->connstr('postgres') ], '>', \$dump, '2>', \$dump_error);
is_deeply([ map { s/ .*//r } $secrets->found($dump) ], [ sort grep { $_ !~ /file|access|input/ } keys %secret ],
	'a dump has the secrets of user mappings and no others') or diag $dump_error;

# the tables as they lie on disk, with what was there before
$node->safe_psql('postgres', 'CHECKPOINT');
my @files = map { $node->data_dir . '/' . $_ } $node->safe_psql('postgres', q{SELECT pg_relation_filepath(oid) FROM pg_class WHERE relname LIKE 'arazzo%' AND relkind IN ('r', 'i')
	UNION ALL SELECT pg_relation_filepath(reltoastrelid) FROM pg_class WHERE relname LIKE 'arazzo_queue%' AND reltoastrelid <> 0}) =~ /(\S+)/g;
$node->stop;

my $log = slurp_file($node->logfile);
like($log, qr/LOG: +00000: statement: SELECT x\.\* FROM given, arazzo_run\('header-bad'/, 'the log has what it can');
like($log, qr/DEBUG:/, '... at every level');
is_deeply([ $secrets->found($log) ], [], 'no secret is in the log');
is_deeply([ $secrets->found(join "\n", @texts) ], [], 'nor in what anybody was shown: results, errors, views, statistics, activity');
is_deeply([ $secrets->found(join "\n", map { slurp_file($_) } @files) ], [], 'nor in the files of the tables');

# and they were used
my $sent = join "\n", $server->bytes;
my @used = grep { index($sent, $_) >= 0 } map { substr $secret{$_}, 7, 20 } qw(api_key api_key_next token token_next file_key access_token input_key client_secret);
is(scalar @used, 8, 'while all of them were sent');
like(join("\n", @texts), qr/the key \*{8} is not known/, 'and were sent back');
is_deeply([ $secrets->found("x $secret{api_key} y") ], ['api_key (plain)'], 'the search finds what there is');
cmp_ok(scalar(grep { /base64/ } $secrets->found(Secrets::echo('200 OK', values %secret))), '>', 10, '... in every form');

done_testing();
