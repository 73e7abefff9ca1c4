# Access tokens: where they come from, how long they are used, what happens
# when they cannot be had, and that nobody sees them.
use strict;
use warnings;

use Arazzo;
use AuthServer;
use PostgreSQL::Test::Utils;
use Test::More;

my $arazzo = Arazzo->new(config => [ 'log_min_messages = debug5', 'log_statement = none', 'log_min_error_statement = panic' ]);
my $node = $arazzo->node;
my $server = AuthServer->start;
my $url = $server->url;
my $secret = 'client-secret-71c9';
my %client = (client => "acme:$secret");
my $all = '';

$node->safe_psql('postgres', <<"SQL");
CREATE ROLE billing;
GRANT EXECUTE ON FUNCTION arazzo_run(text, jsonb) TO billing;
CREATE SERVER api FOREIGN DATA WRAPPER arazzo OPTIONS (api 'https://api.example', url '$url');
CREATE USER MAPPING FOR CURRENT_USER SERVER api OPTIONS (client_id 'acme', client_secret '$secret');
SELECT arazzo_load('https://api.example/openapi.yaml', \$\$
openapi: 3.1.0
info: {title: t, version: '1'}
servers: [{url: https://api.example}]
components:
  securitySchemes:
    own: {type: oauth2, flows: {clientCredentials: {tokenUrl: https://api.example/token, scopes: {}}}}
    away: {type: oauth2, flows: {clientCredentials: {tokenUrl: https://id.example/token, scopes: {}}}}
    openid: {type: openIdConnect, openIdConnectUrl: /.well-known/openid-configuration}
    bearer: {type: http, scheme: bearer}
    key: {type: apiKey, in: header, name: X-API-Key}
    code: {type: oauth2, flows: {authorizationCode: {tokenUrl: https://api.example/token, authorizationUrl: https://api.example/go, scopes: {}}}}
paths:
  /own: {post: {operationId: own, security: [{own: []}]}}
  /forbidden: {post: {operationId: forbidden, security: [{own: [forbidden]}]}}
  /away: {post: {operationId: away, security: [{away: []}]}}
  /openid: {post: {operationId: openid, security: [{openid: []}]}}
  /bearer: {post: {operationId: bearer, security: [{bearer: []}]}}
  /code: {post: {operationId: code, security: [{code: []}]}}
  /header: {post: {operationId: either, security: [{code: []}, {key: []}]}}
  /both: {post: {operationId: both, security: [{key: [], bearer: []}]}}
\$\$);
SELECT arazzo_load('https://api.example/arazzo.yaml', \$\$
arazzo: 1.0.1
info: {title: t, version: '1'}
sourceDescriptions: [{name: api, url: openapi.yaml}]
workflows:
@{[ join "\n", map { "- {workflowId: $_, steps: [{stepId: one, operationId: $_}]}" } qw(own forbidden away openid bearer code either both) ]}
\$\$);
SQL

# Statements in one session; all that comes of them.
sub say
{
	my ($out, $error) = $arazzo->query(join ";\n", @_);

	$all .= "$out\n$error\n";
	return join "\n", grep { $_ ne '' } $out, $error;
}

sub run { return "SELECT arazzo_run('$_[0]') IS NOT NULL"; }

# One session: what it says, and what the server saw, tokens' requests as "token".
sub check
{
	my ($what, $said, $seen, @statements) = @_;
	my $text = say(@statements);

	ref $said ? like($text, $said, $what) : is($text, $said, $what);
	my $requests = $server->seen =~ s/^POST \/token [^\n]*( -> \d+)$/token$1/mgr =~ s/authorization=Bearer //gr;
	ref $seen ? like($requests, $seen, '... the requests') : is($requests, $seen, '... the requests');
	return;
}

# how long they are used
$server->set(%client, lifetime => 3600);
check('a token is used again', "t\nt", "token -> 200\nPOST /own token-1 -> 200\nPOST /own token-1 -> 200", run('own'), run('own'));
$server->set(%client, lifetime => 0);
check('one that is over is not', "t\nt", "token -> 200\nPOST /own token-1 -> 200\ntoken -> 200\nPOST /own token-2 -> 200", run('own'), run('own'));
$server->set(%client);
check('one without an end is', "t\nt", "token -> 200\nPOST /own token-1 -> 200\nPOST /own token-1 -> 200", run('own'), run('own'));
$server->set(%client, lifetime => 3600);
check('runs at once share it', '8|8', join("\n", 'token -> 200', ('POST /own token-1 -> 200') x 8),
	"SELECT count(*), count(outputs) FROM arazzo_run_many('own', array_fill('{}'::jsonb, ARRAY[8]))");
$server->set(%client);
check('and so they do what is found by discovery', '4',
	join("\n", 'GET /.well-known/openid-configuration -> 200', 'token -> 200', ('POST /openid token-1 -> 200') x 4),
	"SELECT count(outputs) FROM arazzo_run_many('openid', array_fill('{}'::jsonb, ARRAY[4]))");
$server->set(%client, answer => '{"access_token": "nobody-knows-it", "expires_in": "3600"}');
check('a token that was fetched for the call is not fetched again', qr/^ERROR:  WF004: .*status 401\n/,
	"token -> 200\nPOST /own nobody-knows-it -> 401", run('own'));
$server->set(%client, answer => '{"access_token": "nobody-knows-it"}');
check('one that was kept is, once', qr/^ERROR:  WF004.*The server says: who is Bearer \*{8}\n.*ERROR:  WF004/s,
	join("\n", 'token -> 200', ('POST /own nobody-knows-it -> 401') x 2, 'token -> 200', 'POST /own nobody-knows-it -> 401'),
	run('own'), run('own'));

# another is fetched before one expires; those that were not used for longest
# are forgotten
my $rooms = ($ENV{ARAZZO_ROOMS} // "$Arazzo::TOP/tests/module/arazzo_rooms.so") =~ s/\.so$//r;
say("CREATE FUNCTION test_tokens(text, text[]) RETURNS text AS '$rooms' LANGUAGE C STRICT");
foreach my $case (
	[ 3600, 'get 3539 get 1 get', 'new token-1, token-1, new token-2' ],
	[ 100, 'get 79 get 1 get', 'new token-1, token-1, new token-2' ],
	[ undef, 'get 100000000 get refuse refuse get', 'new token-1, token-1, new token-2, new token-3, token-3' ],
	[ 3600, 'get other get again get other get', 'new token-1, new token-2, new token-3, token-2' ],
	[ 3600, join(' ', 'get', map({ "s$_ get" } 1 .. 64), 's1 get', 's2 get', 's65 get s1 get s3 get'),
		join(', ', map({ "new token-$_" } 1 .. 65), 'token-2', 'token-3', 'new token-66', 'token-2', 'new token-67') ])
{
	my ($lifetime, $actions, $expected) = @$case;

	$server->set(client => 'acme:secret', lifetime => $lifetime);
	is(say("SELECT test_tokens('$url', string_to_array('$actions', ' '))"), $expected, substr "tokens for $actions", 0, 50);
}

# who refuses is not asked by each of many
$server->set(client => 'acme:another');
is(say("SELECT test_tokens('$url', string_to_array('get get get 1 get other get', ' '))"),
	join(', ', ('new server "test" refused to give a token (status 401)') x 5), 'refused');
is(scalar(() = $server->seen =~ m{^POST /token}mg), 3, '... is not asked again for a second, for the same');
$server->set(client => 'acme:another');
check('nor by many runs', qr/^20\|WF008$/, qr/^(?:token -> 401\n?){1,9}$/, "SELECT count(*), min(error->>'sqlstate') FROM arazzo_run_many('own', array_fill('{}'::jsonb, ARRAY[20]), 1)");

# each role has its own, and needs its own right
$server->set(%client);
check('roles do not share', "t\nt", "token -> 200\nPOST /own token-1 -> 200\ntoken -> 200\nPOST /own token-2 -> 200", run('own'),
	"CREATE USER MAPPING FOR billing SERVER api OPTIONS (client_id 'acme', client_secret '$secret')",
	'GRANT USAGE ON FOREIGN SERVER api TO billing', 'SET ROLE billing', run('own'));

# where they come from
$server->set(%client);
check('no client_id', qr/^ERROR:  WF008: user mapping for server "api" has no credential that the API takes\nDETAIL:  .*The API takes a client_id and client_secret, or a token\./,
	'', "ALTER USER MAPPING FOR CURRENT_USER SERVER api OPTIONS (DROP client_id)", run('own'));
$node->safe_psql('postgres', "ALTER USER MAPPING FOR CURRENT_USER SERVER api OPTIONS (ADD client_id 'acme')");
check('no server for the token endpoint', qr/^ERROR:  42501: there is no server for "https:\/\/id\.example"\nDETAIL:  .*\nHINT:  .*CREATE SERVER/, '', run('away'));
$node->safe_psql('postgres', "CREATE SERVER id FOREIGN DATA WRAPPER arazzo OPTIONS (api 'https://id.example', url '$url')");
check('a secret stays with its server', qr/^ERROR:  WF008: user mapping for server "id" has no client_id and client_secret\nDETAIL:  .*\nHINT:  .*token_url/, '', run('away'));
check('the mapping of the endpoint\'s server has it', 't', "token -> 200\nPOST /away token-1 -> 200",
	"CREATE USER MAPPING FOR CURRENT_USER SERVER id OPTIONS (client_id 'acme', client_secret '$secret')", run('away'));
check('or the server names the place', 't', "token -> 200\nPOST /away token-1 -> 200\ntoken -> 200\nPOST /away token-2 -> 200",
	'DROP USER MAPPING FOR CURRENT_USER SERVER id', "ALTER SERVER api OPTIONS (ADD token_url 'https://id.example/token')", run('away'));
check('for which the role needs USAGE', qr/^ERROR:  42501: permission denied for foreign server id\n/,
	"token -> 200\nPOST /away token-1 -> 200\ntoken -> 200\nPOST /away token-2 -> 200", 'SET ROLE billing', run('away'));
$server->set(%client);
check('it is enough where the description just wants a token', "t\nt",
	"token -> 200\nPOST /bearer token-1 -> 200\nPOST /code token-1 -> 200", run('bearer'), run('code'));
like(say("SELECT arazzo_explain('bearer')"), qr{Authorization: \*{8}\n.*with a token from \Q$url\E/token\n}, 'which is explained');
$node->safe_psql('postgres', 'ALTER SERVER api OPTIONS (DROP token_url)');
check('other flows need a token', qr/WF008: .*\nDETAIL:  .*The API takes a token\./, "token -> 200\nPOST /bearer token-1 -> 200\nPOST /code token-1 -> 200", run('code'));
$server->set(%client, configuration => '{"token_endpoint": "https://evil.example/token"}');
check('discovery does not lead elsewhere', qr/^ERROR:  42501: token endpoint that server "api" names is no place of that server\nDETAIL:  .*\nHINT/,
	'GET /.well-known/openid-configuration -> 200', run('openid'));
$server->set(%client, configuration => '{"token_endpoint": "https://api.example/token"}');
check('an endpoint as descriptions have it', 't', "GET /.well-known/openid-configuration -> 200\ntoken -> 200\nPOST /openid token-1 -> 200", run('openid'));

$server->set(%client, configuration => '{"token_endpoint": "https://api.example/token", "token_endpoint_auth_methods_supported": ["client_secret_post"]}');
is(say(run('openid')), 't', 'a provider that takes no header');
like($server->seen, qr/\nPOST \/token \[grant_type=client_credentials&client_id=acme&client_secret=\Q$secret\E\] -> 200\n/, 'gets the secret in the body');

# a token at hand wins; two that are replaced at the same time; alternatives
$server->set(%client, token => 'at-hand-1');
check('a token at hand wins', 't', 'POST /own at-hand-1 -> 200',
	"ALTER USER MAPPING FOR CURRENT_USER SERVER api OPTIONS (ADD token 'at-hand-1')", run('own'));
$server->set(token => 'at-hand-2', key => 'key-2');
check('all that is refused is changed', "t\nt", join("\n", 'POST /both x-api-key=key-1 at-hand-1 -> 401', ('POST /both x-api-key=key-2 at-hand-2 -> 200') x 2),
	"ALTER USER MAPPING FOR CURRENT_USER SERVER api OPTIONS (ADD token_next 'at-hand-2', ADD api_key 'key-1', ADD api_key_next 'key-2')",
	run('both'), run('both'));
$server->set(key => 'key-1');
check('once, and back', qr/^t\n\n*t\n\n*t$/, join("\n", map { "POST /header x-api-key=key-$_" } '1 -> 200', '1 -> 401', '2 -> 200', '2 -> 401', '1 -> 200'),
	'ALTER USER MAPPING FOR CURRENT_USER SERVER api OPTIONS (DROP token, DROP token_next)',
	run('either'), control_sql({ key => 'key-2' }), run('either'), control_sql({ key => 'key-1' }), run('either'));

# A statement that changes what the server takes, between two of a session.
sub control_sql
{
	my ($settings) = @_;
	my $file = PostgreSQL::Test::Utils::tempdir() . '/control-' . join '-', %$settings;
	my $text = JSON::PP->new->encode({ go_on => 1, %$settings });

	append_to_file($file, "use RawHttp; RawHttp->connect($server->{port})->call('POST', '/_set', [], '$text');\n");
	return "\\! $^X -I$Arazzo::TOP/tests/perl $file\nSELECT";
}

# when there is none to be had
$server->set(%client, broken => 1);
check('an endpoint in trouble', qr/^ERROR:  08001: could not fetch a token from server "api": status 503/, 'token -> 503', run('own'));
$server->set(%client);
check('what may not be had', qr/^ERROR:  WF008: server "api" refused to give a token \(status 400\)\nDETAIL:  .*The server says: invalid_scope\n/, 'token -> 400', run('forbidden'));
foreach my $answer ('{}', 'no JSON', '[]', '{"access_token": ""}', '{"access_token": "a\u0001b"}', '{"access_token": "x", "token_type": "mac"}')
{
	$server->set(%client, answer => $answer);
	check("an answer of $answer", qr/^ERROR:  08P01: server "api" gave an answer that has no usable token\nDETAIL:  .* It/, 'token -> 200', run('own'));
}
$server->set(%client, hold => 2);
check('a wait for a token ends with its statement', qr/^t\nERROR:  57014: canceling statement due to statement timeout$/,
	"token -> 200\ntoken -> 200\nPOST /own token-2 -> 200",
	"SET statement_timeout = '300ms'", run('own'), 'RESET statement_timeout', control_sql({ hold => 0 }), run('own'));

# a queued run tries again when that may help, and shows no token
$server->set(%client, broken => 1, answer => '{"access_token": "nobody-knows-it"}');
check('a queued run waits for the endpoint', qr/1\|waiting\|1$/, 'token -> 503', "SELECT arazzo_submit('own')", 'CALL arazzo_work(1)',
	'SELECT run, status, retries FROM arazzo_runs');
$all .= say('SELECT arazzo_cancel(run) FROM arazzo_runs');

# 401 tells that a call was not taken in; what comes after that may be lost
$server->set(key => 'key-2', lose => 1);
check('a call that is lost when it is sent once more', qr/in_doubt$/, "POST /header x-api-key=key-1 -> 401\nPOST /header x-api-key=key-2 -> 200",
	"SELECT arazzo_submit('either')", 'CALL arazzo_work()', "SELECT status FROM arazzo_runs WHERE workflow = 'either'");

# Nobody sees them.
$all .= say("SELECT * FROM arazzo_trace('own')", 'SELECT * FROM arazzo_run_steps', 'SELECT * FROM arazzo_runs',
	"SELECT arazzo_explain('own')", 'SELECT * FROM pg_stat_activity');
$node->stop;
$all .= slurp_file($node->logfile);
like($all, qr/who is Bearer \*{8}/, 'a token that is told back is masked');
unlike($all, qr/\Q$_\E/, "$_ is seen nowhere") foreach $secret, qw(nobody-knows-it at-hand-1 at-hand-2 key-1 key-2);

done_testing();
