# Faults of the transport: no answer, half an answer, an answer that is none.
# Prints a table: number, fault, what is required, what was seen.
use strict;
use warnings;

use FaultTable;
use HttpRoom ();
use RawServer;
use Resolver;
use Test::More;
use TlsServer;

my $head = "HTTP/1.1 200 OK\r\n";
my $chunked = "${head}Transfer-Encoding: chunked\r\n\r\n";
my $ok = RawServer::response('ok');
my $proxy = RawServer->start({ '*' => [ RawServer::response('from the proxy') ] });
my %answers = (
	stall => ['STALL'],
	slow => [ [ slow => RawServer::response('x' x 1000), 0.02 ] ],
	reset => ['RESET'],
	'reset-head' => [ "${head}Content-Le", 'RESET' ],
	'reset-body' => [ "${head}Content-Length: 10\r\n\r\nhalf", 'RESET' ],
	empty => ['CLOSE'],
	cut => [ "${head}Content-Length: 10\r\n\r\nhalf", 'CLOSE' ],
	short => [ "${ok}HTTP/1.1 500 Junk\r\nContent-Length: 4\r\n\r\njunk" ],
	late => [ $ok, 'AWAIT', "HTTP/1.1 500 Junk\r\nContent-Length: 4\r\n\r\njunk" ],
	'chunk-size' => [ "${chunked}zz\r\none\r\n0\r\n\r\n", 'CLOSE' ],
	'chunk-negative' => [ "${chunked}-1\r\none\r\n0\r\n\r\n", 'CLOSE' ],
	'chunk-huge' => [ "${chunked}FFFFFFFFFFFFFFFFF\r\none\r\n", 'CLOSE' ],
	'chunk-last' => [ "${chunked}3\r\none\r\n", 'CLOSE' ],
	'chunk-trailers' => [ "${chunked}3\r\none\r\n0\r\nX-Trailer: t\r\nHTTP/1.1: t\r\n\r\n" ],
	'chunk-endless' => [ $chunked, '5;', [ repeat => 'a' x 65536 ] ],
	'chunk-trailers-endless' => [ "${chunked}3\r\none\r\n0\r\n", [ repeat => 'X-Trailer: ' . 'a' x 1000 . "\r\n" ] ],
	drip => [ [ drip => RawServer::response('drop by drop', 'X-Slow: yes') ] ],
	interim => [ "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n$ok" ],
	upgrade => [ "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n", 'CLOSE' ],
	'http-0-9' => [ "hello\r\n", 'CLOSE' ],
	ssh => [ "SSH-2.0-OpenSSH_9.2\r\n", 'CLOSE' ],
	tls => [ "\x15\x03\x01\x00\x02\x02\x46", 'CLOSE' ],
	'http-9' => [ "HTTP/9.9 200 OK\r\nContent-Length: 0\r\n\r\n", 'CLOSE' ],
	'no-status' => [ "HTTP/1.1 OK\r\nContent-Length: 0\r\n\r\n", 'CLOSE' ],
	noise => [ join('', map { chr(($_ * 7919) % 256) } 1 .. 4096), 'CLOSE' ]);

local @ENV{qw(http_proxy https_proxy all_proxy HTTPS_PROXY ALL_PROXY)} = ($proxy->url('')) x 5;
my $table = Resolver::with(sub { FaultTable->new(table => \*DATA, answers => { map { ("/$_" => $answers{$_}) } keys %answers }) });
my $session = $table->session;
my $short_time = "SET LOCAL arazzo.timeout = '400ms'; SET LOCAL arazzo.connect_timeout = '300ms'; ";

# A run within short limits of time.
sub hurried { return "BEGIN; $short_time" . FaultTable::run(@_) . ' ROLLBACK;'; }

# The same beside others.
sub beside
{
	my ($case) = @_;

	return "BEGIN; $short_time" . <<"SQL" . ' ROLLBACK;';
SELECT string_agg(coalesce(outputs->>'body', error->>'sqlstate'), ' ' ORDER BY ordinal)
FROM arazzo_run_many('read', ARRAY['{"case": "fine"}', '{"case": "$case"}', '{"case": "fine"}']::jsonb[]);
SQL
}

sub elsewhere { return FaultTable::elsewhere($_[0], $short_time . FaultTable::run($_[1] // 'read', 'fine')); }

# 1 to 4: connecting
my $hole = RawServer::black_hole('127.0.0.1');
my $closed = RawServer->start({});
my $gone = 'http://127.0.0.1:' . $closed->port;
$closed->stop;
$table->row(1, 'connection refused', elsewhere($gone));
$table->row(1, 'connection refused, the workflow retries',
	FaultTable::with_options("SET url '$gone'", q{SELECT string_agg(concat_ws(' ', step, attempt, outcome, action), ', ') FROM arazzo_trace('retry', '{"case": "x"}');}));
$table->node->safe_psql('postgres', "CREATE SERVER gone FOREIGN DATA WRAPPER arazzo OPTIONS (api 'https://probe.test/gone', url '$gone')");
$table->row(1, 'connection refused, a queued run', FaultTable::queued('read', 'gone'));
$table->row(2, 'black hole', elsewhere("http://127.0.0.1:$hole->{port}"));
$table->row(2, 'black hole, 400 times', FaultTable::elsewhere("http://127.0.0.1:$hole->{port}", <<'SQL'));
SET LOCAL arazzo.connect_timeout = '2ms';
SELECT count(*), min(error->>'sqlstate'), max(error->>'sqlstate')
FROM arazzo_run_many('read', array_fill('{"case": "x"}'::jsonb, ARRAY[400]), 4);
SQL
# What is left behind with a name server that hangs stays until that answers, in
# a session of its own.
my $other = $table->new_session;
foreach my $name ('nothing', 'failing', 'hang')
{
	$table->row_of(3, "name server: $name", $table->words($other->ask(elsewhere("https://$name.test"))));
}
$table->row_of(3, 'slow name server, cancelled', $table->words($other->ask("SET statement_timeout = '200ms'; "
	. FaultTable::elsewhere('https://hang.test', FaultTable::run('read', 'fine')) . ' RESET statement_timeout;')));
$table->row_of(3, 'slow name server, afterwards', $table->words($other->ask(FaultTable::fine())));
HttpRoom::create_functions($table->node);
$table->row_of(3, 'slow name server, other runs', $table->node->safe_psql('postgres',
	sprintf(q{SELECT test_http_many(ARRAY['https://hang.test/', '%s'], '{connect_timeout=400}')}, $table->server->url('/fine'))));

my $directory = TlsServer::new_directory();
TlsServer::authority("$directory", 'trusted');
TlsServer::certificate("$directory", 'good', 'trusted', 'DNS:127.0.0.2_127.0.0.1.addresses.test,DNS:127.0.0.3_127.0.0.1.addresses.test');
chmod 0644, glob "$directory/*";
my $tls = TlsServer->start("$directory", 'good');
my $dead = RawServer::black_hole('127.0.0.2', $tls->{port});
foreach my $case ([ '127.0.0.3', 'refusing' ], [ '127.0.0.2', 'dead' ])
{
	$table->row(4, "one $case->[1] and one live address",
		FaultTable::with_options("SET url 'https://$case->[0]_127.0.0.1.addresses.test:$tls->{port}', ADD ca_file '$directory/trusted.pem', ADD allow_private '127.0.0.0/8', ADD connect_timeout '2s'",
			FaultTable::run('read', 'ok')));
}

# 5 to 8: answers that do not come, or not whole
$table->row(5, 'server never answers', hurried('read', 'stall'));
$table->row_of(5, 'server never answers, other runs', $table->words($other->ask(beside('stall'))));
$table->row(5, 'server never answers, statement_timeout',
	"SET statement_timeout = '200ms'; " . FaultTable::run('read', 'stall') . ' RESET statement_timeout;');
foreach my $function ('pg_cancel_backend', 'pg_terminate_backend')
{
	$session->say(FaultTable::run('read', 'stall'));
	$table->server->wait_for(qr{^request \d+ GET /stall}) for 1 .. ($function eq 'pg_cancel_backend' ? 4 : 1);
	$table->node->safe_psql('postgres', "SELECT $function($table->{pid})");
	my $said = $table->words($session->hear);
	if ($function eq 'pg_terminate_backend')
	{
		$table->open_session;
		$session = $table->session;
	}
	$table->row_of(5, "server never answers, $function", $said);
}
my $loading = <<'YAML';
arazzo: 1.1.0
info: {title: t, version: '1'}
sourceDescriptions: [{name: api, url: openapi.yaml, type: openapi}]
workflows: [{workflowId: timed, steps: [{stepId: s, operationId: get, timeout: %s, parameters: [{name: case, in: path, value: stall}]}]}]
YAML
foreach my $value (0, -1, '1.5')
{
	$table->row(6, "timeout $value of a step",
		'BEGIN; SELECT arazzo_load(\'https://probe.test/timed.yaml\', ' . Arazzo::quote(sprintf $loading, $value) . '); ROLLBACK;');
}
$table->row(6, 'timeout 99999999999 of a step', 'BEGIN; SET client_min_messages = error; SELECT arazzo_load(\'https://probe.test/timed.yaml\', '
	. Arazzo::quote(sprintf $loading, '99999999999') . "); $short_time SELECT arazzo_run('timed'); ROLLBACK; RESET client_min_messages;");
foreach my $value ('0', '-1', '2h')
{
	$table->row(6, "timeout $value of a server", "ALTER SERVER probe OPTIONS (ADD timeout '$value');");
	$table->row(6, "timeout $value by setting", "SET arazzo.timeout = '$value';");
}
$table->row(7, 'one byte at a time, for ever', hurried('read', 'slow'));
$table->row(8, 'RST at once', FaultTable::run('read', 'reset'));
$table->row(8, 'RST in the header', FaultTable::run('read', 'reset-head'));
$table->row(8, 'RST in the body', FaultTable::run('read', 'reset-body'));

# 9 and 10: what may have been received
$table->row(9, 'FIN before any byte', FaultTable::run('read', 'empty'));
$table->row(9, 'FIN before any byte, a safe call in the queue', FaultTable::queued('read', 'empty'));
$table->row(9, 'FIN before any byte, a call without key in the queue', FaultTable::queued('write', 'empty'));
$table->row(10, 'a connection that was kept ends as we send',
	FaultTable::run('read', 'fine') . FaultTable::run('write', 'empty'));

# 11 to 14: lengths and chunks
$table->row(11, 'Content-Length larger than the body', FaultTable::run('read', 'cut'));
$table->row(12, 'Content-Length smaller than the body', FaultTable::run('read', 'short') . FaultTable::run('read', 'fine'));
$session->ask(FaultTable::run('read', 'late'));
my ($number) = $table->server->wait_for(qr{^request \d+ GET /late}) =~ /(\d+)/;
$table->server->proceed;
$table->server->wait_for(qr/^done $number$/);
$table->row(12, 'junk on an idle connection', FaultTable::run('write', 'fine'));
foreach my $case (grep { /^chunk-/ } sort keys %answers)
{
	$table->row(13, $case, hurried('read', $case));
}
$table->row(14, 'answer in packets of one byte', FaultTable::run('read', 'drip'));
$table->row_of(15, '50 bytes a second', $table->words($other->ask(beside('slow'))));

# 16 and 17: other answers
$table->row(16, 'interim answers', FaultTable::run('read', 'interim'));
$table->row(16, 'an upgrade nobody asked for', hurried('read', 'upgrade'));
foreach my $case ('tls', 'http-0-9', 'http-9', 'ssh', 'no-status', 'noise')
{
	$table->row(17, "not HTTP: $case", hurried('read', $case));
}

# 20
$table->row_of(20, 'proxies in the environment', scalar($proxy->events(qr/./)) . ' connections to them');

$table->finish;

__DATA__
1 | connection refused | error with class and host | 08001 could not connect to "HOST": Connection refused; 0 sent
1 | connection refused, the workflow retries | attempts counted | get 1 failed again, get 2 failed again, get 3 failed, failed; 0 sent
1 | connection refused, a queued run | transient: tried again later | waiting retries 1 attempts 1; 0 sent
2 | black hole | connect timeout ends the attempt | 08001 could not connect to "HOST" in time | The limit is 300 ms. | The server options connect_timeout and timeout set the limits.; 0 sent
2 | black hole, 400 times | no descriptor lost | 400|08001|08001; 0 sent
3 | name server: nothing | error within the connect timeout | 08001 could not resolve the host of "nothing.test"
3 | name server: failing | error within the connect timeout | 08001 could not resolve the host of "failing.test"
3 | name server: hang | error within the connect timeout | 08001 could not connect to "hang.test" in time | The limit is 300 ms. | The server options connect_timeout and timeout set the limits.
3 | slow name server, cancelled | cancellable while resolving | 57014 canceling statement due to statement timeout
3 | slow name server, afterwards | the session goes on | {"body": "fine"}
3 | slow name server, other runs | unaffected | {"not sent 0 08001","received 200 fine"}
4 | one refusing and one live address | the second is tried within the connect timeout | {"body": "yes"}; 0 sent
4 | one dead and one live address | the second is tried within the connect timeout | {"body": "yes"}; 0 sent
5 | server never answers | ends at the total timeout | 08006 request to "HOST" timed out | No complete response arrived within 400 ms. | The server option timeout sets the limit.; 1 sent
5 | server never answers, other runs | proceed | fine 08006 fine
5 | server never answers, statement_timeout | ends with 57014 | 57014 canceling statement due to statement timeout; 1 sent
5 | server never answers, pg_cancel_backend | acts at once | 57014 canceling statement due to user request
5 | server never answers, pg_terminate_backend | acts at once | 57P01 terminating connection due to administrator command
6 | timeout 0 of a step | rejected when loaded | WF001 document "https://probe.test/timed.yaml" is not a valid Arazzo document: "timeout" must be greater than 0 | Line 4, column 80: "timeout" must be greater than 0.; 0 sent
6 | timeout -1 of a step | rejected when loaded | WF001 document "https://probe.test/timed.yaml" is not a valid Arazzo document: "timeout" must not be negative | Line 4, column 80: "timeout" must not be negative.; 0 sent
6 | timeout 1.5 of a step | rejected when loaded | WF001 document "https://probe.test/timed.yaml" is not a valid Arazzo document: "timeout" must be an integer | Line 4, column 80: "timeout" must be an integer.; 0 sent
6 | timeout 99999999999 of a step | no longer than the server allows | 08006 request to "HOST" timed out | No complete response arrived within 400 ms. | The server option timeout sets the limit.; 1 sent
6 | timeout 0 of a server | rejected | HV024 invalid value for option "timeout" | The value is not a time between 1 ms and 1 h.; 0 sent
6 | timeout 0 by setting | rejected | 22023 0 ms is outside the valid range for parameter "arazzo.timeout" (1 .. 3600000); 0 sent
6 | timeout -1 of a server | rejected | HV024 invalid value for option "timeout" | The value is not a time between 1 ms and 1 h.; 0 sent
6 | timeout -1 by setting | rejected | 22023 -1 ms is outside the valid range for parameter "arazzo.timeout" (1 .. 3600000); 0 sent
6 | timeout 2h of a server | rejected | HV024 invalid value for option "timeout" | The value is not a time between 1 ms and 1 h.; 0 sent
6 | timeout 2h by setting | rejected | 22023 7200000 ms is outside the valid range for parameter "arazzo.timeout" (1 .. 3600000); 0 sent
7 | one byte at a time, for ever | ended by the total timeout | 08006 request to "HOST" timed out | No complete response arrived within 400 ms. | The server option timeout sets the limit.; 1 sent
8 | RST at once | transient | 08006 connection to "HOST" was lost before a response arrived | The server may have received the call.; 1 sent
8 | RST in the header | transient | 08006 connection to "HOST" was lost before a response arrived | The server may have received the call.; 1 sent
8 | RST in the body | no part is taken for an answer | 08006 response from "HOST" was cut off | The server may have received the call.; 1 sent
9 | FIN before any byte | unknown outcome | 08006 connection to "HOST" was lost before a response arrived | The server may have received the call.; 1 sent
9 | FIN before any byte, a safe call in the queue | tried again later | waiting retries 1 attempts 1; 1 sent
9 | FIN before any byte, a call without key in the queue | in doubt | in_doubt WF007 retries 0 attempts 1; 1 sent
10 | a connection that was kept ends as we send | one request, and no other connection | 08006 connection to "HOST" was lost before a response arrived | The server may have received the call.; 2 sent
11 | Content-Length larger than the body | no success | 08006 response from "HOST" was cut off | The server may have received the call.; 1 sent
12 | Content-Length smaller than the body | the rest answers nothing | {"body": "ok"} {"body": "fine"}; 2 sent
12 | junk on an idle connection | the next request does not read it | {"body": "fine"}; 1 sent
13 | chunk-endless | error or whole, no crash | 08006 request to "HOST" timed out | No complete response arrived within 400 ms. | The server option timeout sets the limit.; 1 sent
13 | chunk-huge | error or whole, no crash | 08P01 response from "HOST" is not valid HTTP | The server may have received the call.; 1 sent
13 | chunk-last | error or whole, no crash | 08006 response from "HOST" was cut off | The server may have received the call.; 1 sent
13 | chunk-negative | error or whole, no crash | 08P01 response from "HOST" is not valid HTTP | The server may have received the call.; 1 sent
13 | chunk-size | error or whole, no crash | 08P01 response from "HOST" is not valid HTTP | The server may have received the call.; 1 sent
13 | chunk-trailers | error or whole, no crash | 08006 response from "HOST" was cut off | The server may have received the call.; 1 sent
13 | chunk-trailers-endless | error or whole, no crash | 54000 header section of the response from "HOST" is too large | The limit is 262144 bytes. | The server option max_header_bytes sets the limit.; 1 sent
14 | answer in packets of one byte | same result as unsliced | {"body": "drop by drop"}; 1 sent
15 | 50 bytes a second | ends by limits, others proceed | fine 08006 fine
16 | interim answers | ignored, the final one used | {"body": "ok"}; 1 sent
16 | an upgrade nobody asked for | clean error | 08006 response from "HOST" was cut off | The server may have received the call.; 1 sent
17 | not HTTP: tls | clean error | 08P01 response from "HOST" is not valid HTTP | The server may have received the call.; 1 sent
17 | not HTTP: http-0-9 | clean error | 08P01 response from "HOST" is not valid HTTP | The server may have received the call.; 1 sent
17 | not HTTP: http-9 | clean error | 08P01 response from "HOST" is not valid HTTP | The server may have received the call.; 1 sent
17 | not HTTP: ssh | clean error | 08P01 response from "HOST" is not valid HTTP | The server may have received the call.; 1 sent
17 | not HTTP: no-status | clean error | 08P01 response from "HOST" is not valid HTTP | The server may have received the call.; 1 sent
17 | not HTTP: noise | clean error | 08P01 response from "HOST" is not valid HTTP | The server may have received the call.; 1 sent
20 | proxies in the environment | ignored | 0 connections to them
