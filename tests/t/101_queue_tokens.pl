# Queued runs and the places that give tokens: one that refuses the credentials
# pauses the connection, one in trouble is left alone for a while, and neither
# is asked by every run; and requests for tokens keep to the limits of servers.
use strict;
use warnings;

use Arazzo;
use AuthServer;
use Test::More;
use Time::HiRes qw(time);

my $arazzo = Arazzo->new;
my $node = $arazzo->node;
my $server = AuthServer->start;
my $url = $server->url;
my %client = (client => 'acme:secret');
my @scopes = ('plain', 'forbidden', 'a' .. 'd');

sub sql { return $node->safe_psql('postgres', $_[0]); }

sql(<<"SQL");
CREATE SERVER api FOREIGN DATA WRAPPER arazzo OPTIONS (api 'https://api.example', url '$url', token_url 'https://id.example/token');
CREATE SERVER id FOREIGN DATA WRAPPER arazzo OPTIONS (api 'https://id.example', url '$url');
CREATE USER MAPPING FOR CURRENT_USER SERVER api OPTIONS (client_id 'acme', client_secret 'secret');
SELECT arazzo_load('https://api.example/openapi.yaml', \$\$
openapi: 3.1.0
info: {title: t, version: '1'}
servers: [{url: https://api.example}]
components: {securitySchemes: {own: {type: oauth2, flows: {clientCredentials: {tokenUrl: /token, scopes: {}}}}}}
paths:
@{[ join "\n", map { "  /$_: {post: {operationId: $_, security: [{own: [$_]}]}}" } @scopes ]}
\$\$);
SELECT arazzo_load('https://api.example/arazzo.yaml', \$\$
arazzo: 1.0.1
info: {title: t, version: '1'}
sourceDescriptions: [{name: api, url: openapi.yaml}]
workflows:
@{[ join "\n", map { "- {workflowId: $_, steps: [{stepId: one, operationId: $_}]}" } @scopes ]}
\$\$);
SQL

sub submit { return sql("SELECT count(arazzo_submit('$_[0]')) FROM generate_series(1, $_[1])"); }
sub work { return sql('CALL arazzo_work()'); }
sub runs { return sql(q{SELECT string_agg(concat_ws(' ', n, status, sqlstate, hold, 'retries', retries), ', ') FROM (
	SELECT count(*) AS n, status, sqlstate, hold, retries FROM arazzo_runs GROUP BY 2, 3, 4, 5 ORDER BY 2) r}); }
sub tokens { return scalar grep { m{^POST /token} } split /\n/, $server->seen; }
sub calls { return scalar grep { m{^POST /(?!token)} } split /\n/, $server->seen; }
sub servers { return sql(q{SELECT string_agg(concat_ws(' ', server, state, reason), ', ') FROM arazzo_server_states}); }
sub forget { sql('DELETE FROM arazzo_server_states; DELETE FROM arazzo_queue_attempts; DELETE FROM arazzo_queue'); return; }

# The credentials are refused.
$server->set(client => 'acme:another');
submit('plain', 20);
work();
is(runs(), '20 queued server api retries 0', 'runs wait when their credentials are refused');
is(servers(), 'api paused server "id" refused to give a token (status 401)', '... the connection is paused, and why is told');
is(tokens() . ' ' . calls(), '1 0', '... one has asked for all of them');
submit('plain', 5);
work();
is(runs(), '25 queued server api retries 0', '... others wait as well');
is(tokens(), 1, '... and do not ask');
$server->set(%client);
is(sql("SELECT arazzo_resume('api')"), '25', 'once they are in order');
work();
is(runs(), '25 succeeded retries 0', '... all go through');
is(tokens() . ' ' . calls(), '1 25', '... with one token');
forget();

# What is refused is not the credential.
submit('forbidden', 1);
work();
is(runs(), '1 failed WF008 retries 0', 'a scope that is refused fails the run');
is(servers(), '', '... and pauses nothing');
forget();

# The place is in trouble, or away.
foreach my $case ([ 'in trouble', "SET url '$url'", 'status 503' ], [ 'away', "SET url 'http://127.0.0.1:1'", 'could not connect to "127.0.0.1:1": Connection refused' ])
{
	my ($what, $option, $reason) = @$case;

	$server->set(%client, broken => 1000);
	sql("ALTER SERVER id OPTIONS ($option)");
	submit('plain', 20);
	work();
	is(servers(), qq{api broken could not fetch a token from server "id": $reason}, "a place that is $what breaks what needs it");
	my $asked = tokens();
	cmp_ok($asked, '<=', 2, '... after one request, and one that looks whether it is there again');
	sql("UPDATE arazzo_server_states SET until = now() + interval '50 s'");
	submit('plain', 20);
	work();
	is(sql("SELECT count(*) FILTER (WHERE status IN ('queued', 'waiting')), count(*) FILTER (WHERE hold = 'server api' AND retries = 0) FROM arazzo_runs"),
		'40|20', '... others wait until it is there again');
	is(tokens(), $asked, '... and do not ask');
	$server->set(%client);
	sql("ALTER SERVER id OPTIONS (SET url '$url')");
	sql("UPDATE arazzo_server_states SET until = now(); UPDATE arazzo_queue SET due = now() WHERE status = 'waiting'");
	work();
	is(runs() . '; ' . servers(), '40 succeeded retries 0; ', '... and go through then');
	forget();
}
$server->set(%client, broken => 1, retry_after => 120);
submit('plain', 1);
work();
is(sql("SELECT due - now() BETWEEN interval '110 s' AND interval '120 s', retries FROM arazzo_runs"), 't|1', 'its Retry-After is obeyed');
forget();

# The limits of servers: a request for a token is one like others.
sub seconds_of
{
	my ($rate, @workflows) = @_;
	my $begin = time;

	$server->set(%client);
	sql("ALTER SERVER id OPTIONS (ADD max_rate '$rate')");
	submit($_, 1) foreach @workflows;
	work();
	sql('ALTER SERVER id OPTIONS (DROP max_rate)');
	is(runs(), @workflows . ' succeeded retries 0', "at $rate a second, all go through");
	forget();
	return time - $begin;
}
cmp_ok(seconds_of(5, 'a' .. 'd'), '>=', 0.6, '... requests for tokens in their time');
sql("ALTER SERVER api OPTIONS (DROP token_url); DROP SERVER id; CREATE SERVER id FOREIGN DATA WRAPPER arazzo OPTIONS (api 'https://unused.example')");
$server->set(%client);
my $begin = time;
sql("ALTER SERVER api OPTIONS (ADD max_rate '5', ADD max_concurrency '1')");
submit('a', 2);
work();
is(runs(), '2 succeeded retries 0', 'a server that gives tokens for itself');
is(tokens() . ' ' . calls(), '1 2', '... gets a request more');
cmp_ok(time - $begin, '>=', 0.4, '... which counts towards its rate');
sql('ALTER SERVER api OPTIONS (DROP max_rate, DROP max_concurrency)');
forget();
sql("DROP SERVER id; CREATE SERVER id FOREIGN DATA WRAPPER arazzo OPTIONS (api 'https://id.example', url '$url', max_concurrency '1', timeout '500ms');
	ALTER SERVER api OPTIONS (ADD token_url 'https://id.example/token')");
$server->set(%client, hold => 2);
submit($_, 1) foreach 'a', 'b';
work();
is(runs(), '1 succeeded retries 0, 1 waiting retries 1', 'two tokens at a time are one too many: the second is asked for when the first has not come');

done_testing();
