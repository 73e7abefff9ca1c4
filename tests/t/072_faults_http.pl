# Faults in what HTTP says: statuses, retries, redirects, headers, answers that
# come late.  Prints a table: number, fault, what is required, what was seen.
use strict;
use warnings;

use FaultTable;
use POSIX qw(strftime);
use RawServer;
use Test::More;

# A response with any status.
sub status
{
	my ($status, $body, @headers) = @_;

	return join("\r\n", "HTTP/1.1 $status X", @headers, 'Content-Length: ' . length($body), '', $body);
}

my $wrong = '{"message": "no"}';
my $json = 'Content-Type: application/json';
my %retry_after = (
	seconds => '120',
	date => strftime('%a, %d %b %Y %H:%M:%S GMT', gmtime(time + 600)),
	past => 'Sun, 06 Nov 1994 08:49:37 GMT',
	'ten years' => '315360000',
	'too many digits' => '9' x 40,
	negative => '-5',
	garbage => 'soon',
	empty => '');
my %location = (
	'same host' => '/fine',
	'other port' => 'http://127.0.0.1:%d/stolen',
	'other host' => 'http://localhost:%d/stolen',
	file => 'file:///etc/passwd',
	gopher => 'gopher://127.0.0.1/x',
	itself => '/moved-itself',
	relative => 'fine',
	huge => '/' . 'a' x 60000,
	missing => undef);
my %header = (
	'repeated' => [ 'X-A: 1', 'x-a: 2', 'Content-Length: 2' ],
	'with two lengths' => [ 'Content-Length: 2', 'Content-Length: 5' ],
	'with a length twice' => [ 'Content-Length: 2', 'Content-Length: 2' ],
	'with a negative length' => ['Content-Length: -2'],
	'2000' => [ (map { "X-$_: $_" } 1 .. 2000), 'Content-Length: 2' ],
	'of 90 kB' => [ 'X-A: ' . 'a' x 90_000, 'Content-Length: 2' ],
	'of 400 kB' => [ map({ 'X-A: ' . 'a' x 90_000 } 1 .. 5), 'Content-Length: 2' ],
	'without value' => [ 'X-A:', 'Content-Length: 2' ],
	'without colon' => [ 'X-A', 'Content-Length: 2' ],
	'with a blank in its name' => [ 'X A: 1', 'Content-Length: 2' ],
	'with NUL' => [ "X-A: a\0b", 'Content-Length: 2' ],
	'with CR' => [ "X-A: a\rb", 'Content-Length: 2' ],
	'not ASCII' => [ "X-A: \xe9\xff", 'Content-Length: 2' ]);
my $thief = RawServer->start({ '*' => [ status(200, 'stolen') ] });
my %answers = (
	(map { ("status-$_" => [ status($_, $wrong, $json) ]) } 400, 401, 403, 404, 408, 409, 422, 425, 429, 500, 502, 503, 504),
	(map { ('after-' . tr/ /-/r => [ status(503, '', "Retry-After: $retry_after{$_}") ]) } keys %retry_after),
	(map { ('moved-' . tr/ /-/r => [ status(302, '', defined $location{$_} ? 'Location: ' . sprintf($location{$_}, $thief->port) : ()) ]) } keys %location),
	(map { ("redirect-$_" => [ status($_, '', 'Location: /fine') ]) } 301, 302, 303, 307, 308),
	(map { ('header-' . tr/ /-/r => [ join("\r\n", 'HTTP/1.1 200 OK', @{ $header{$_} }, '', 'ok') ]) } keys %header),
	'no-content' => [ "HTTP/1.1 204 No Content\r\n\r\n" ],
	'not-modified' => [ "HTTP/1.1 304 Not Modified\r\n\r\n" ],
	'no-body' => [ status(200, '', $json) ],
	html => [ status(200, '<html>oops</html>', $json) ],
	'wrong-type' => [ status(200, '{"a": 1}', 'Content-Type: image/png') ],
	cookie => [ status(200, 'ok', 'Set-Cookie: session=1; Path=/') ],
	late => [ 'STALL' ]);
my $table = FaultTable->new(table => \*DATA, answers => { map { ("/$_" => $answers{$_}) } keys %answers });
my $session = $table->session;

sub run { return FaultTable::run(@_); }

# How long a queued run waits for its next attempt: at most so many seconds.
sub waits
{
	my ($case) = @_;

	return FaultTable::queued('read', $case, <<'SQL');
status, 'retries ' || retries, CASE WHEN due <= now() + interval '1 s' THEN 'up to 1 s'
WHEN due < now() + interval '121 s' THEN 'up to 120 s' WHEN due < now() + interval '601 s' THEN 'up to 600 s'
WHEN due < now() + interval '3601 s' THEN 'up to 1 h' ELSE 'longer' END
SQL
}

# A queued run whose call has a key, tried so many times and once more.
sub keyed
{
	my ($case, $retries) = @_;
	my $other = $table->new_session;
	my $again = q{UPDATE arazzo_queue SET due = now() WHERE id = :run AND status = 'waiting';} . "\n\\o /dev/null\nCALL arazzo_work(1);\n\\o\n";

	$table->node->safe_psql('postgres', 'CREATE SERVER keyed FOREIGN DATA WRAPPER arazzo OPTIONS (api \'https://probe.test/' . $case . "', url '"
		. $table->server->url("/$case") . "', idempotency_key 'header Idempotency-Key', retry_limit '$retries', timeout '300ms')");
	$other->ask(FaultTable::queued('write', $case) =~ s/\\o.*\z//sr . $again x ($retries + 2));
	$table->node->safe_psql('postgres', 'DROP SERVER keyed');
	return $other->ask(q{SELECT concat_ws(' ', status, sqlstate, 'attempts ' || (SELECT count(*) FROM arazzo_run_steps s WHERE s.run = r.run)) FROM arazzo_runs r WHERE run = :run;});
}

# 27: Retry-After
foreach my $case (sort keys %retry_after)
{
	$table->row(27, "Retry-After: $case", waits('after-' . $case =~ tr/ /-/r));
}
$table->row(27, 'Retry-After: past, the workflow retries', run('retry', 'after-past'));

# 28 to 31: statuses
foreach my $status (429, 500, 502, 503, 504, 408, 425)
{
	$table->row($status == 408 || $status == 425 ? 31 : 28, "status $status", FaultTable::queued('read', "status-$status"));
}
$table->row(28, 'status 503, retryLimit 2', run('retry', 'status-503'));
my $keyed = keyed('status-500', 3);
my %keys = map { /^Idempotency-Key: (\S+)/mi ? ($1 => 1) : () } grep { m{^POST /status-500} } $table->server->bytes;
$table->row_of(29, '500 for ever, with a key', $keyed . '; ' . keys(%keys) . ' key');
foreach my $status (400, 401, 403, 404, 409, 422)
{
	$table->row(30, "status $status", run('read', "status-$status"));
	$table->row(30, "status $status, queued", FaultTable::queued('read', "status-$status"));
}

# 32: redirects
foreach my $status (301, 302, 303, 307, 308)
{
	$table->row(32, "redirect $status", run('write', "redirect-$status") =~ s/^/FaultTable::run('read', 'fine')/er);
}
foreach my $case (sort keys %location)
{
	$table->row(32, "redirect: $case", run('read', 'moved-' . $case =~ tr/ /-/r));
}
$table->row_of(32, 'redirect: what the other place got', scalar($thief->events(qr/./)) . ' connections');

# 33: other contents than expected
$table->row(33, $_, run('read', $_)) foreach 'no-content', 'not-modified', 'no-body', 'html', 'wrong-type';
$table->row(33, 'html, what is kept', q{SELECT concat_ws(' ', status, response_body, warnings) FROM arazzo_trace('read', '{"case": "html"}') WHERE step IS NOT NULL;});

# 34 and 35: headers
foreach my $case (sort keys %header)
{
	$table->row(34, "header $case", run('read', 'header-' . $case =~ tr/ /-/r));
}
$session->ask(run('read', 'cookie') x 2);
$session->ask(run('read', 'fine'));
$table->row_of(35, 'Set-Cookie', scalar(grep { /^Cookie:/mi } $table->server->bytes) . ' requests with a cookie');

# 36 and 37: what the server did although we did not hear of it
my $hurry = "ALTER SERVER %s OPTIONS (ADD timeout '300ms');";
$table->row(36, 'answer after the timeout, no key', sprintf($hurry, 'probe') . FaultTable::queued('write', 'late') . "ALTER SERVER probe OPTIONS (DROP timeout);");
keyed('late', 2);
my @late = grep { m{^POST /late} && /^Idempotency-Key/mi } $table->server->bytes;
my %distinct = map { ($_ => 1) } @late;
$table->row_of(37, 'delivered again and again', scalar(@late) . ' requests, ' . keys(%distinct) . ' of them distinct');

$table->finish;

__DATA__
27 | Retry-After: date | obeyed | waiting retries 1 up to 600 s; 1 sent
27 | Retry-After: empty | as if there were none | waiting retries 1 up to 1 s; 1 sent
27 | Retry-After: garbage | as if there were none | waiting retries 1 up to 1 s; 1 sent
27 | Retry-After: negative | as if there were none | waiting retries 1 up to 1 s; 1 sent
27 | Retry-After: past | as if there were none | waiting retries 1 up to 1 s; 1 sent
27 | Retry-After: seconds | obeyed | waiting retries 1 up to 120 s; 1 sent
27 | Retry-After: ten years | cut to the longest wait | waiting retries 1 up to 1 h; 1 sent
27 | Retry-After: too many digits | cut to the longest wait | waiting retries 1 up to 1 h; 1 sent
27 | Retry-After: past, the workflow retries | at once, within its limit | WF004 step "get" failed with status 503; 3 sent
28 | status 429 | transient | waiting retries 1 attempts 1; 1 sent
28 | status 500 | transient | waiting retries 1 attempts 1; 1 sent
28 | status 502 | transient | waiting retries 1 attempts 1; 1 sent
28 | status 503 | transient | waiting retries 1 attempts 1; 1 sent
28 | status 504 | transient | waiting retries 1 attempts 1; 1 sent
28 | status 503, retryLimit 2 | the workflow's limit is obeyed | WF004 step "get" failed with status 503 | The server says: no; 3 sent
29 | 500 for ever, with a key | same key, and an end | failed WF004 attempts 4; 1 key
30 | status 400 | permanent, with the server's words | WF004 step "get" failed with status 400 | The server says: no; 1 sent
30 | status 400, queued | not tried again | failed WF004 retries 0 attempts 1; 1 sent
30 | status 401 | permanent, with the server's words | WF004 step "get" failed with status 401 | The server says: no | The credential may be wrong, or lack a right. It comes from the user mapping, unless an input gives it.; 1 sent
30 | status 401, queued | not tried again | queued retries 0 attempts 1; 1 sent
30 | status 403 | permanent, with the server's words | WF004 step "get" failed with status 403 | The server says: no | The credential may be wrong, or lack a right. It comes from the user mapping, unless an input gives it.; 1 sent
30 | status 403, queued | not tried again | queued retries 0 attempts 1; 1 sent
30 | status 404 | permanent, with the server's words | WF004 step "get" failed with status 404 | The server says: no; 1 sent
30 | status 404, queued | not tried again | failed WF004 retries 0 attempts 1; 1 sent
30 | status 409 | permanent, with the server's words | WF004 step "get" failed with status 409 | The server says: no; 1 sent
30 | status 409, queued | not tried again | failed WF004 retries 0 attempts 1; 1 sent
30 | status 422 | permanent, with the server's words | WF004 step "get" failed with status 422 | The server says: no; 1 sent
30 | status 422, queued | not tried again | failed WF004 retries 0 attempts 1; 1 sent
31 | status 408 | transient | waiting retries 1 attempts 1; 1 sent
31 | status 425 | transient | waiting retries 1 attempts 1; 1 sent
32 | redirect 301 | an answer, not followed | WF004 step "post" failed with status 301; 2 sent
32 | redirect 302 | an answer, not followed | WF004 step "post" failed with status 302; 2 sent
32 | redirect 303 | an answer, not followed | WF004 step "post" failed with status 303; 2 sent
32 | redirect 307 | an answer, not followed | WF004 step "post" failed with status 307; 2 sent
32 | redirect 308 | an answer, not followed | WF004 step "post" failed with status 308; 2 sent
32 | redirect: file | an answer, not followed | WF004 step "get" failed with status 302; 1 sent
32 | redirect: gopher | an answer, not followed | WF004 step "get" failed with status 302; 1 sent
32 | redirect: huge | an answer, not followed | WF004 step "get" failed with status 302; 1 sent
32 | redirect: itself | an answer, not followed | WF004 step "get" failed with status 302; 1 sent
32 | redirect: missing | an answer, not followed | WF004 step "get" failed with status 302; 1 sent
32 | redirect: other host | an answer, not followed | WF004 step "get" failed with status 302; 1 sent
32 | redirect: other port | an answer, not followed | WF004 step "get" failed with status 302; 1 sent
32 | redirect: relative | an answer, not followed | WF004 step "get" failed with status 302; 1 sent
32 | redirect: same host | an answer, not followed | WF004 step "get" failed with status 302; 1 sent
32 | redirect: what the other place got | nothing | 0 connections
33 | no-content | whole, or a clean error | {"body": null}; 1 sent
33 | not-modified | whole, or a clean error | WF004 step "get" failed with status 304; 1 sent
33 | no-body | whole, or a clean error | {"body": null}; 1 sent
33 | html | whole, or a clean error | {"body": "<html>oops</html>"}; 1 sent
33 | wrong-type | whole, or a clean error | {"body": "{\"a\": 1}"}; 1 sent
33 | html, what is kept | the body, and a warning | 200 <html>oops</html> {"response body is not JSON: invalid input syntax for type json"}; 1 sent
34 | header 2000 | whole, or a clean error | {"body": "ok"}; 1 sent
34 | header not ASCII | whole, or a clean error | {"body": "ok"}; 1 sent
34 | header of 400 kB | whole, or a clean error | 54000 header section of the response from "HOST" is too large | The limit is 262144 bytes. | The server option max_header_bytes sets the limit.; 1 sent
34 | header of 90 kB | whole, or a clean error | {"body": "ok"}; 1 sent
34 | header repeated | whole, or a clean error | {"body": "ok"}; 1 sent
34 | header with two lengths | whole, or a clean error | 08P01 response from "HOST" is not valid HTTP | The server may have received the call.; 1 sent
34 | header with a length twice | whole, or a clean error | {"body": "ok"}; 1 sent
34 | header with a negative length | whole, or a clean error | 08P01 response from "HOST" is not valid HTTP | The server may have received the call.; 1 sent
34 | header with CR | whole, or a clean error | {"body": "ok"}; 1 sent
34 | header with NUL | whole, or a clean error | 08P01 response from "HOST" is not valid HTTP | The server may have received the call.; 1 sent
34 | header with a blank in its name | whole, or a clean error | {"body": "ok"}; 1 sent
34 | header without colon | whole, or a clean error | 08P01 response from "HOST" is not valid HTTP | The server may have received the call.; 1 sent
34 | header without value | whole, or a clean error | {"body": "ok"}; 1 sent
35 | Set-Cookie | not carried on | 0 requests with a cookie
36 | answer after the timeout, no key | unknown outcome: in doubt | in_doubt WF007 retries 0 attempts 1; 1 sent
37 | delivered again and again | the same key and bytes | 3 requests, 1 of them distinct
