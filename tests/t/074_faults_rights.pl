# Injection, forged addresses, rights and secrets.  Prints a table: number,
# fault, what is required, what was seen.
use strict;
use warnings;

use FaultTable;
use HttpRoom ();
use PostgreSQL::Test::Utils;
use RawServer;
use Test::More;

my $secret = 'sk-very-secret-' . 'x' x 20;
my $table = FaultTable->new(
	table => \*DATA,
	answers => { '*' => [ RawServer::response('ok') ], '/moved' => [ "HTTP/1.1 302 Moved\r\nLocation: file:///etc/passwd\r\nContent-Length: 0\r\n\r\n" ] },
	config => ['log_min_messages = debug5', 'log_statement = none']);
my $node = $table->node;
my $session = $table->session;

my $api = <<'YAML';
openapi: 3.1.0
info: {title: rights, version: '1'}
servers: [{url: 'https://probe.test'}]
components: {securitySchemes: {key: {type: apiKey, in: header, name: X-Key}}}
paths:
  /echo/{id}:
    get:
      operationId: echo
      parameters:
      - {name: id, in: path, required: true, schema: {type: string}}
      - {name: X-Note, in: header, schema: {type: string}}
      - {name: q, in: query, schema: {type: string}}
      - {name: c, in: cookie, schema: {type: string}}
    post: {operationId: typed, parameters: [{name: id, in: path, required: true, schema: {type: string}}]}
  /secret: {get: {operationId: secret, security: [{key: []}]}}
YAML
my $workflows = <<'YAML';
arazzo: 1.0.1
info: {title: rights, version: '1'}
sourceDescriptions: [{name: api, url: rights-api.yaml}]
workflows:
- workflowId: echo
  steps:
  - stepId: s
    operationId: echo
    parameters: [{name: id, in: path, value: $inputs.id}, {name: X-Note, in: header, value: $inputs.note}, {name: q, in: query, value: $inputs.q}, {name: c, in: cookie, value: $inputs.c}]
- workflowId: typed
  steps: [{stepId: s, operationId: typed, parameters: [{name: id, in: path, value: x}], requestBody: {contentType: "text/plain\r\nX-B: b", payload: x}}]
- workflowId: secret
  steps: [{stepId: s, operationId: secret}]
YAML

# The documents, with another name for their header.
sub load
{
	my ($name) = @_;

	$table->load('https://probe.test/rights-api.yaml', $api =~ s/X-Note/$name/r);
	$table->load('https://probe.test/rights.yaml', $workflows =~ s/X-Note/$name/r);
	return;
}

load('X-Note');

# What the server got of a run, or its error.
sub echo
{
	my ($name, $value) = @_;
	my $before = () = $table->server->bytes;
	my $said = $table->observe('SELECT arazzo_run(\'echo\', ' . ($name eq 'id' ? '' : q('{"id": "x"}'::jsonb || )) . "jsonb_build_object('$name', $value));");
	my @bytes = $table->server->bytes;

	return $said unless @bytes > $before;
	my ($line) = $bytes[$before] =~ /^(.*)\r\n/;
	my ($header) = $bytes[$before] =~ /^((?:X-Note|Cookie):.*)\r\n/m;
	return join('; ', grep { defined } $line, $header);
}

# 44 and 46: what could end a header, a line, a segment
foreach my $case ([ 'CR LF', q(E'a\r\nX-B: b') ], [ 'LF', q(E'a\nb') ], [ 'CR', q(E'a\rb') ], [ 'control character', q(E'a\x01b') ])
{
	my ($what, $value) = @$case;

	$table->row_of(44, "$what in a header", echo('note', $value));
	$table->row_of(44, "$what in a cookie", echo('c', $value));
	$table->row_of(44, "$what in a path", echo('id', $value));
	$table->row_of(44, "$what in a query", echo('q', $value));
}
foreach my $value ('../../x', '..', '.', '', 'a?b', 'a#b', '%2f', '@evil.test', '//evil.test', '\\x', "\xc3\xbc", 'a b')
{
	$table->row_of(46, "path \"$value\"", echo('id', Arazzo::quote($value)));
}

$table->row(44, 'CR LF in a content type', q{SELECT arazzo_run('typed');});

# 45: headers that are ours
foreach my $name ('Host', 'Content-Length', 'Transfer-Encoding', 'Connection', 'Expect', 'TE', 'Upgrade')
{
	load($name);
	$table->row_of(45, "header $name", echo('note', q('x')));
}

load('X-Note');

# 47 and 48: places
HttpRoom::create_functions($node);
my $port = $table->server->port;
foreach my $host ('127.0.0.1', '2130706433', '0x7f000001', '0177.0.0.1', '127.1', '0.0.0.0', '[::1]', '[::ffff:127.0.0.1]', '[64:ff9b::7f00:1]',
	'169.254.169.254', '10.0.0.1', '172.16.0.1', '192.168.1.1', '100.64.0.1', '224.0.0.1', '[fd00::1]', '[fe80::1]', '[ff02::1]', 'good@127.0.0.1', "m\xc3\xbcnchen.test")
{
	my $said = $node->safe_psql('postgres', HttpRoom::perform_sql(q{concat_ws(' ', outcome, sqlstate, message, detail)}, "https://$host:$port/",
		options => ['allow_loopback=off']));

	$table->row_of(47, "https to $host", $said =~ s/:$port//gr);
}
foreach my $url ('file:///etc/passwd', 'gopher://127.0.0.1/x', 'ftp://127.0.0.1/x', 'dict://127.0.0.1/x', 'http+unix://%2Ftmp%2Fx/', 'http://127.0.0.1.evil.test/')
{
	$table->row(48, "a server at $url", "ALTER SERVER probe OPTIONS (SET url '$url');");
}
$table->row(48, 'file: by a redirect', FaultTable::run('read', 'moved'));

# 49: a role without rights
$node->safe_psql('postgres', 'CREATE ROLE plain; CREATE ROLE other; GRANT EXECUTE ON FUNCTION arazzo_run(text, jsonb), arazzo_submit(text, jsonb, text, timestamptz, text, text, boolean) TO other; GRANT USAGE ON FOREIGN SERVER probe TO other');
my $run = $session->ask(q{SET ROLE other; SELECT arazzo_submit('read', '{"case": "x", "note": "private"}'); RESET ROLE;});
foreach my $statement (FaultTable::run('read', 'fine'), q{SELECT arazzo_submit('read', '{"case": "fine"}');}, 'CALL arazzo_work();', "SELECT arazzo_cancel($run);",
	"SELECT arazzo_retry($run);", "SELECT arazzo_resolve($run, 'failed');", "CALL arazzo_prune('0');", q{SELECT arazzo_load('x:y', '{}');}, q{SELECT arazzo_unload('x:y');},
	q{SELECT * FROM arazzo_trace('read', '{}');}, 'SELECT count(*) FROM arazzo_queue;', 'SELECT count(*) FROM arazzo_queue_attempts;', 'SELECT count(*) FROM arazzo_runs;',
	'SELECT umoptions FROM pg_user_mappings;', 'SET arazzo.max_response_size = 1;')
{
	$table->row(49, "a plain role: " . ($statement =~ s/\s*;$//r =~ s/\($run\b/(N/r), "SET ROLE plain; $statement RESET ROLE;");
}
$node->safe_psql('postgres', 'REVOKE USAGE ON FOREIGN SERVER probe FROM other');
$session->ask("\\o /dev/null\nCALL arazzo_work();\n\\o");
$table->row(49, 'the right was lost meanwhile', "SELECT concat_ws(' ', status, sqlstate) FROM arazzo_runs WHERE run = $run;");
$session->ask('RESET ROLE;');

# 50: hostile objects; those of pg_temp come first for tables
$session->ask(q{CREATE TEMP TABLE arazzo_documents (uri text, content jsonb); CREATE TEMP TABLE arazzo_queue (id int); CREATE TEMP TABLE pg_foreign_server (x int);
CREATE SCHEMA evil; CREATE FUNCTION evil.now() RETURNS timestamptz LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''evil''; END';
CREATE FUNCTION evil.eq(text, text) RETURNS bool LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''evil''; END';
CREATE OPERATOR evil.= (FUNCTION = evil.eq, LEFTARG = text, RIGHTARG = text);});
$table->row(50, 'hostile search path', "SET search_path = evil, pg_temp, public, pg_catalog;\n"
	. q{SELECT arazzo_submit('read', '{"case": "fine"}') AS run \gset} . "\n\\o /dev/null\nCALL arazzo_work();\n\\o\n" . FaultTable::run('write', 'fine')
	. "RESET search_path;\nSELECT status FROM arazzo_runs WHERE run = :run;");
$session->ask('DROP TABLE pg_temp.arazzo_documents, pg_temp.arazzo_queue, pg_temp.pg_foreign_server; RESET search_path;');

# 51: what a queued run stands on is gone
sub gone
{
	my ($what, $before, $after) = @_;
	my $run = $session->ask(q{SET ROLE other; SELECT arazzo_submit('read', '{"case": "fine"}'); RESET ROLE;});

	$node->safe_psql('postgres', $before);
	$session->ask("\\o /dev/null\nCALL arazzo_work();\n\\o");
	my $said = $session->ask("SELECT concat_ws(' ', status, sqlstate, message) FROM arazzo_runs WHERE run = $run;");
	$node->safe_psql('postgres', $after) if $after;
	$table->row_of(51, $what, $said);
	return;
}
$node->safe_psql('postgres', 'GRANT USAGE ON FOREIGN SERVER probe TO other');
gone('workflow changed', q{SELECT arazzo_load('https://probe.test/arazzo.yaml', replace(source, 'stepId: get', 'stepId: got')) FROM arazzo_documents WHERE uri = 'https://probe.test/arazzo.yaml'},
	q{SELECT arazzo_load('https://probe.test/arazzo.yaml', replace(source, 'stepId: got', 'stepId: get')) FROM arazzo_documents WHERE uri = 'https://probe.test/arazzo.yaml'});
gone('workflow dropped', q{CREATE TABLE kept AS SELECT source FROM arazzo_documents WHERE uri = 'https://probe.test/arazzo.yaml'; SELECT arazzo_unload('https://probe.test/arazzo.yaml')},
	q{SELECT arazzo_load('https://probe.test/arazzo.yaml', source) FROM kept; DROP TABLE kept});
gone('server dropped', 'ALTER SERVER probe OPTIONS (SET api $$https://elsewhere.test$$)', 'ALTER SERVER probe OPTIONS (SET api $$https://probe.test$$)');
gone('role dropped', 'DROP OWNED BY other; DROP ROLE other');
$table->row_of(51, 'DROP EXTENSION while runs are queued', do
	{
		$session->ask(q{SELECT arazzo_submit('read', '{"case": "fine"}');});
		$table->words($session->ask('BEGIN; DROP EXTENSION amberflo_arazzo CASCADE; ROLLBACK;') =~ s/^NOTICE.*?(?=^[A-Z]+:|\z)//msr =~ s/^(?:DETAIL|LOCATION|drop).*\n?//mgr) || 'dropped';
	});

# 52: the secret
$node->safe_psql('postgres', "CREATE SERVER secret FOREIGN DATA WRAPPER arazzo OPTIONS (api 'https://probe.test/secret', url 'http://127.0.0.1:$port/secret');");
$node->safe_psql('postgres', "SET log_statement = none; SET log_min_error_statement = panic; SET log_min_messages = panic; CREATE USER MAPPING FOR CURRENT_USER SERVER secret OPTIONS (api_key '$secret')");
my $other = $table->new_session;
my $texts = join("\n", map { $other->ask($_) } q{SELECT arazzo_run('secret');}, q{SELECT t FROM arazzo_trace('secret') t;}, q{SELECT arazzo_explain('secret');},
	"SELECT arazzo_submit('secret');", "CALL arazzo_work();", 'SELECT r FROM arazzo_runs r;', 'SELECT s FROM arazzo_run_steps s;', 'SELECT q FROM arazzo_queue q;', 'SELECT a FROM arazzo_queue_attempts a;',
	'SELECT query FROM pg_stat_activity;');
my $sent = grep { /\Q$secret\E/ } $table->server->bytes;
my $logged = slurp_file($node->logfile) =~ s/^.*CREATE USER MAPPING.*$//mgr;
$table->row_of(52, 'a credential', ($sent > 2 ? 'sent; ' : 'not sent; ') . ($texts =~ /\Q$secret\E/ ? 'shown; ' : 'not shown; ') . ($logged =~ /\Q$secret\E/ ? 'logged' : 'not logged'));

$table->finish;

__DATA__

44 | CR LF in a header | rejected, or encoded | 22023 header parameter "X-Note" cannot be sent | The value contains a control character, such as a line end.
44 | CR LF in a cookie | rejected, or encoded | GET /echo/x HTTP/1.1; Cookie: c=a%0D%0AX-B%3A%20b
44 | CR LF in a path | rejected, or encoded | GET /echo/a%0D%0AX-B%3A%20b HTTP/1.1
44 | CR LF in a query | rejected, or encoded | GET /echo/x?q=a%0D%0AX-B%3A%20b HTTP/1.1
44 | LF in a header | rejected, or encoded | 22023 header parameter "X-Note" cannot be sent | The value contains a control character, such as a line end.
44 | LF in a cookie | rejected, or encoded | GET /echo/x HTTP/1.1; Cookie: c=a%0Ab
44 | LF in a path | rejected, or encoded | GET /echo/a%0Ab HTTP/1.1
44 | LF in a query | rejected, or encoded | GET /echo/x?q=a%0Ab HTTP/1.1
44 | CR in a header | rejected, or encoded | 22023 header parameter "X-Note" cannot be sent | The value contains a control character, such as a line end.
44 | CR in a cookie | rejected, or encoded | GET /echo/x HTTP/1.1; Cookie: c=a%0Db
44 | CR in a path | rejected, or encoded | GET /echo/a%0Db HTTP/1.1
44 | CR in a query | rejected, or encoded | GET /echo/x?q=a%0Db HTTP/1.1
44 | control character in a header | rejected, or encoded | 22023 header parameter "X-Note" cannot be sent | The value contains a control character, such as a line end.
44 | control character in a cookie | rejected, or encoded | GET /echo/x HTTP/1.1; Cookie: c=a%01b
44 | control character in a path | rejected, or encoded | GET /echo/a%01b HTTP/1.1
44 | control character in a query | rejected, or encoded | GET /echo/x?q=a%01b HTTP/1.1
46 | path "../../x" | encoded or refused, the host cannot change | GET /echo/..%2F..%2Fx HTTP/1.1
46 | path ".." | encoded or refused, the host cannot change | 22023 path parameter "id" cannot be sent | "." and ".." would change the path of the request.
46 | path "." | encoded or refused, the host cannot change | 22023 path parameter "id" cannot be sent | "." and ".." would change the path of the request.
46 | path "" | encoded or refused, the host cannot change | 22023 path parameter "id" cannot be sent | An empty value would change the path of the request.
46 | path "a?b" | encoded or refused, the host cannot change | GET /echo/a%3Fb HTTP/1.1
46 | path "a#b" | encoded or refused, the host cannot change | GET /echo/a%23b HTTP/1.1
46 | path "%2f" | encoded or refused, the host cannot change | GET /echo/%252f HTTP/1.1
46 | path "@evil.test" | encoded or refused, the host cannot change | GET /echo/%40evil.test HTTP/1.1
46 | path "//evil.test" | encoded or refused, the host cannot change | GET /echo/%2F%2Fevil.test HTTP/1.1
46 | path "\x" | encoded or refused, the host cannot change | GET /echo/%5Cx HTTP/1.1
46 | path "ü" | encoded or refused, the host cannot change | GET /echo/%C3%BC HTTP/1.1
46 | path "a b" | encoded or refused, the host cannot change | GET /echo/a%20b HTTP/1.1
44 | CR LF in a content type | rejected, or encoded | 22023 value of request header "Content-Type" has a character that no header may have | Line breaks and other control characters would change the request.; 0 sent
45 | header Host | ours: refused | 42501 request header "Host" cannot be set
45 | header Content-Length | ours: refused | 42501 request header "Content-Length" cannot be set
45 | header Transfer-Encoding | ours: refused | 42501 request header "Transfer-Encoding" cannot be set
45 | header Connection | ours: refused | 42501 request header "Connection" cannot be set
45 | header Expect | ours: refused | 42501 request header "Expect" cannot be set
45 | header TE | ours: refused | 42501 request header "TE" cannot be set
45 | header Upgrade | ours: refused | 42501 request header "Upgrade" cannot be set
47 | https to 127.0.0.1 | refused by address | not sent 42501 address of "127.0.0.1" is not allowed Address 127.0.0.1 is loopback.
47 | https to 2130706433 | refused by address | not sent 42501 address of "2130706433" is not allowed Address 127.0.0.1 is loopback.
47 | https to 0x7f000001 | refused by address | not sent 42501 address of "0x7f000001" is not allowed Address 127.0.0.1 is loopback.
47 | https to 0177.0.0.1 | refused by address | not sent 42501 address of "0177.0.0.1" is not allowed Address 127.0.0.1 is loopback.
47 | https to 127.1 | refused by address | not sent 42501 address of "127.1" is not allowed Address 127.0.0.1 is loopback.
47 | https to 0.0.0.0 | refused by address | not sent 42501 address of "0.0.0.0" is not allowed Address 0.0.0.0 is reserved.
47 | https to [::1] | refused by address | not sent 42501 address of "[::1]" is not allowed Address ::1 is loopback.
47 | https to [::ffff:127.0.0.1] | refused by address | not sent 42501 address of "[::ffff:127.0.0.1]" is not allowed Address ::ffff:127.0.0.1 is loopback.
47 | https to [64:ff9b::7f00:1] | refused by address | not sent 42501 address of "[64:ff9b::7f00:1]" is not allowed Address 64:ff9b::7f00:1 is loopback.
47 | https to 169.254.169.254 | refused by address | not sent 42501 address of "169.254.169.254" is not allowed Address 169.254.169.254 is metadata.
47 | https to 10.0.0.1 | refused by address | not sent 42501 address of "10.0.0.1" is not allowed Address 10.0.0.1 is private.
47 | https to 172.16.0.1 | refused by address | not sent 42501 address of "172.16.0.1" is not allowed Address 172.16.0.1 is private.
47 | https to 192.168.1.1 | refused by address | not sent 42501 address of "192.168.1.1" is not allowed Address 192.168.1.1 is private.
47 | https to 100.64.0.1 | refused by address | not sent 42501 address of "100.64.0.1" is not allowed Address 100.64.0.1 is private.
47 | https to 224.0.0.1 | refused by address | not sent 42501 address of "224.0.0.1" is not allowed Address 224.0.0.1 is multicast.
47 | https to [fd00::1] | refused by address | not sent 42501 address of "[fd00::1]" is not allowed Address fd00::1 is private.
47 | https to [fe80::1] | refused by address | not sent 42501 address of "[fe80::1]" is not allowed Address fe80::1 is link-local.
47 | https to [ff02::1] | refused by address | not sent 42501 address of "[ff02::1]" is not allowed Address ff02::1 is multicast.
47 | https to good@127.0.0.1 | refused by address | not sent 42501 URL of the request has user information
47 | https to münchen.test | refused by address | not sent 42501 URL of the request has a character that no URL may have
48 | a server at file:///etc/passwd | refused | HV024 invalid value for option "url" | The value is not an absolute http or https URL.; 0 sent
48 | a server at gopher://127.0.0.1/x | refused | HV024 invalid value for option "url" | The value is not an absolute http or https URL.; 0 sent
48 | a server at ftp://127.0.0.1/x | refused | HV024 invalid value for option "url" | The value is not an absolute http or https URL.; 0 sent
48 | a server at dict://127.0.0.1/x | refused | HV024 invalid value for option "url" | The value is not an absolute http or https URL.; 0 sent
48 | a server at http+unix://%2Ftmp%2Fx/ | refused | HV024 invalid value for option "url" | The value is not an absolute http or https URL.; 0 sent
48 | a server at http://127.0.0.1.evil.test/ | refused | HV024 invalid value for option "url" | The value uses plain http, which is for loopback addresses.; 0 sent
48 | file: by a redirect | refused | WF004 step "get" failed with status 302; 1 sent
49 | a plain role: SELECT arazzo_run('read', '{"case": "fine"}') | refused | 42501 permission denied for function arazzo_run; 0 sent
49 | a plain role: SELECT arazzo_submit('read', '{"case": "fine"}') | refused | 42501 permission denied for function arazzo_submit; 0 sent
49 | a plain role: CALL arazzo_work() | refused | 42501 permission denied for procedure arazzo_work; 0 sent
49 | a plain role: SELECT arazzo_cancel(N) | refused | 42501 permission denied for function arazzo_cancel; 0 sent
49 | a plain role: SELECT arazzo_retry(N) | refused | 42501 permission denied for function arazzo_retry; 0 sent
49 | a plain role: SELECT arazzo_resolve(N, 'failed') | refused | 42501 permission denied for function arazzo_resolve; 0 sent
49 | a plain role: CALL arazzo_prune('0') | refused | 42501 permission denied for procedure arazzo_prune; 0 sent
49 | a plain role: SELECT arazzo_load('x:y', '{}') | refused | 42501 permission denied for function arazzo_load; 0 sent
49 | a plain role: SELECT arazzo_unload('x:y') | refused | 42501 permission denied for function arazzo_unload; 0 sent
49 | a plain role: SELECT * FROM arazzo_trace('read', '{}') | refused | 42501 permission denied for function arazzo_trace; 0 sent
49 | a plain role: SELECT count(*) FROM arazzo_queue | refused | 0; 0 sent
49 | a plain role: SELECT count(*) FROM arazzo_queue_attempts | refused | 0; 0 sent
49 | a plain role: SELECT count(*) FROM arazzo_runs | refused | 0; 0 sent
49 | a plain role: SELECT umoptions FROM pg_user_mappings | refused | ; 0 sent
49 | a plain role: SET arazzo.max_response_size = 1 | refused | 42501 permission denied to set parameter "arazzo.max_response_size"; 0 sent
49 | the right was lost meanwhile | refused | failed 42501; 0 sent
50 | hostile search path | no effect | {"body": "fine"} succeeded; 2 sent
51 | workflow changed | fails clean, others go on | failed 55000 documents of workflow "read" have changed since the run was submitted
51 | workflow dropped | fails clean, others go on | failed 42704 workflow "https://probe.test/arazzo.yaml#read" cannot be run: Arazzo document "https://probe.test/arazzo.yaml" is not loaded
51 | server dropped | fails clean, others go on | failed 42501 there is no server for "https://probe.test"
51 | role dropped | fails clean, others go on | failed 42704 role that submitted the run does not exist any more
51 | DROP EXTENSION while runs are queued | fails clean, others go on | dropped
52 | a credential | sent, and never shown | sent; not shown; not logged
