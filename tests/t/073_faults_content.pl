# Faults of content and size: answers and inputs that are too large, packed, no
# text, no JSON, or JSON of a kind that breaks others.  Prints a table: number,
# fault, what is required, what was seen.
use strict;
use warnings;

use Compress::Zlib;
use FaultTable;
use RawServer;
use Test::More;

my $head = "HTTP/1.1 200 OK\r\n";
my $json = "${head}Content-Type: application/json\r\nConnection: close\r\n";
my $bomb = Compress::Zlib::memGzip("\0" x (64 * 1024 * 1024));

my $large = '{"a": "' . join('', map { chr(97 + $_ * $_ % 23) } 1 .. 50000) . '"}';
my $gzip = Compress::Zlib::memGzip($large);

sub packed { return [ RawServer::response($_[0], 'Content-Type: application/json', 'Content-Encoding: ' . ($_[1] // 'gzip')) ]; }

sub json { return ["${json}Content-Length: " . length($_[0]) . "\r\n\r\n$_[0]"]; }

sub text { return [ RawServer::response($_[0], "Content-Type: $_[1]") ]; }

my %size = (
	'100 MB' => [ "${head}Content-Length: 104857600\r\n\r\n", [ repeat => 'a' x 65536 ] ],
	'1.1 GB' => [ "${head}Content-Length: 1181116006\r\n\r\n", [ repeat => 'a' x 65536 ] ],
	'without end' => [ "$head\r\n", [ repeat => 'a' x 65536 ] ],
	'in chunks without end' => [ "${head}Transfer-Encoding: chunked\r\n\r\n", [ repeat => "10000\r\n" . 'a' x 65536 . "\r\n" ] ],
	'a length that lies' => [ "${head}Content-Length: 9223372036854775807\r\n\r\nhalf", 'CLOSE' ],
	'a length beyond all numbers' => [ "${head}Content-Length: " . '9' x 40 . "\r\n\r\nhalf", 'CLOSE' ],
	'gzip bomb' => [ RawServer::response($bomb, 'Content-Encoding: gzip') ],
	'gzip bomb, packed twice' => [ RawServer::response(Compress::Zlib::memGzip($bomb), 'Content-Encoding: gzip, gzip') ],
	'packed a hundred times' => [ RawServer::response($bomb, 'Content-Encoding: ' . join(', ', ('gzip') x 100)) ],
	'packed in an unknown way' => [ RawServer::response('x', 'Content-Encoding: pack200') ],
	'gzip that is none' => [ RawServer::response('not gzip', 'Content-Encoding: gzip') ],
	'deflate cut off' => packed(substr(compress($large), 0, -1), 'deflate'),
	'gzip cut off, after the first byte' => packed(substr($gzip, 0, 1)),
	'gzip cut off, within' => packed(substr($gzip, 0, length($gzip) / 2)),
	'gzip cut off, before the sum' => packed(substr($gzip, 0, -8)),
	'gzip cut off, before the last byte' => packed(substr($gzip, 0, -1)),
	'gzip cut off, in chunks' => [ "${head}Content-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n"
		. sprintf("%x\r\n%s\r\n0\r\n\r\n", length($gzip) - 1, substr($gzip, 0, -1)) ],
	'gzip cut off, with the connection' => [ "${head}Content-Encoding: gzip\r\n\r\n" . substr($gzip, 0, -1), 'CLOSE' ],
	'gzip in two parts, the second cut off' => packed($gzip . substr($gzip, 0, -1)),
	'gzip in a transfer coding' => [ "${head}Transfer-Encoding: gzip, chunked\r\n\r\n" . sprintf("%x\r\n%s\r\n0\r\n\r\n", length $gzip, $gzip) ],
	'gzip with a wrong sum' => packed(substr($gzip, 0, -8) . ~substr($gzip, -8, 4) . substr($gzip, -4)),
	'gzip with a wrong length' => packed(substr($gzip, 0, -4) . ~substr($gzip, -4)),
	'gzip with more behind it' => packed("${gzip}more"),
	'packed by br, without being asked' => packed("\x0b\x02\x80hello\x03", 'br'),
	'packed by zstd, without being asked' => packed("\x28\xb5\x2f\xfd\x04\x00", 'zstd'),
	'interim answers without end' => [ [ repeat => "HTTP/1.1 102 Processing\r\nX-I: 2\r\n\r\n" ] ],
	'headers without end' => [ $head, [ repeat => 'X-More: ' . 'a' x 1000 . "\r\n" ] ],
	'one header without end' => [ "${head}X-More: ", [ repeat => 'a' x 1000 ] ]);
my %packed = (
	'gzip' => packed($gzip),
	'gzip, drop by drop' => [ [ drip => packed(Compress::Zlib::memGzip('{"a": 1}'))->[0] ] ],
	'gzip, in chunks' => [ "${head}Content-Type: application/json\r\nContent-Encoding: x-GZIP\r\nTransfer-Encoding: chunked\r\n\r\n"
		. sprintf("%x\r\n%s\r\n0\r\n\r\n", length $gzip, $gzip) ],
	'gzip, with the connection' => [ "${head}Content-Type: application/json\r\nContent-Encoding: identity, gzip\r\n\r\n$gzip", 'CLOSE' ],
	'gzip in two parts' => packed(Compress::Zlib::memGzip('{"a": "') . Compress::Zlib::memGzip('b' x 16377 . '"}')),
	'gzip of 16384 bytes' => packed(Compress::Zlib::memGzip('"' . 'a' x 16382 . '"')),
	'gzip of nothing' => packed(Compress::Zlib::memGzip('')),
	'nothing that is called gzip' => packed(''),
	'deflate' => packed(compress($large), 'deflate'));
my %encoding = (
	'not UTF-8' => json("{\"a\": \"\xff\xfe\"}"),
	'overlong UTF-8' => json("{\"a\": \"\xc0\xaf\"}"),
	'surrogate in UTF-8' => json("{\"a\": \"\xed\xa0\x80\"}"),
	'NUL' => json("{\"a\": \"\0\"}"),
	'\u0000' => json('{"a": "\u0000"}'),
	'lone surrogate' => json('{"a": "\ud800"}'),
	'surrogates the wrong way round' => json('{"a": "\udc00\ud800"}'),
	'byte order mark' => json("\xef\xbb\xbf{\"a\": 1}"),
	'UTF-16' => json("\xff\xfe{\0\"\0a\0\"\0:\0001\0}\0"),
	'Latin-1 that says so' => text("caf\xe9", 'text/plain; charset=iso-8859-1'),
	'Latin-1 that says nothing' => text("caf\xe9", 'text/plain'),
	'unknown charset' => text("caf\xe9", 'text/plain; charset=klingon'),
	'text with NUL' => text("a\0b", 'text/plain'));
my %number = (
	'1e400' => '1e400',
	'1e1000000' => '1e1000000',
	'1e-1000000' => '1e-1000000',
	'1e99999999999999999999' => '1e99999999999999999999',
	'a number of 100000 digits' => '9' x 100000,
	'2^63+1' => '9223372036854775809',
	'-0' => '-0',
	'0.1000' => '0.1000',
	'NaN' => 'NaN',
	'0x10' => '0x10');
my %shape = (
	'depth 10000' => '[' x 10000 . ']' x 10000,
	'depth 100000' => '[' x 100000 . ']' x 100000,
	'objects, depth 100000' => '{"a":' x 100000 . '1' . '}' x 100000,
	'depth 1000000, never closed' => '[' x 1000000,
	'a key of 1 MB' => '{"' . 'k' x 1048576 . '": 1}',
	'the same key twice' => '{"a": 1, "a": 2}',
	'garbage behind it' => '{"a": 1} x',
	'nothing' => '',
	'a million empty arrays' => '[' . join(',', ('[]') x 1000000) . ']');
my $deep = '{"a~b": {"c/d": [{"e": null}, "f"]}, "": 1, "n": 12345678901234567890.10}';

sub path { return lc($_[0]) =~ s/[^a-z0-9]+/-/gr; }

my $table = FaultTable->new(
	table => \*DATA,
	answers => {
		(map { ('/size-' . path($_) => $size{$_}) } keys %size),
		(map { ('/packed-' . path($_) => $packed{$_}) } keys %packed),
		(map { ('/encoding-' . path($_) => $encoding{$_}) } keys %encoding),
		(map { ('/number-' . path($_) => json("{\"a\": $number{$_}}")) } keys %number),
		(map { ('/shape-' . path($_) => json($shape{$_})) } keys %shape),
		'/deep' => json($deep)
	});
my $session = $table->session;

sub run { return FaultTable::run('read', $_[0]); }

# The type and the beginning of a body.
sub told { return q{SELECT jsonb_typeof(b), left(b::text, 60), length(b::text) FROM (} . run($_[0]) =~ s/;$//r . q{) AS r(r), LATERAL (SELECT r->'body') AS x(b);}; }

# Resident memory of the session, in MB.
sub resident
{
	open my $status, '<', "/proc/$table->{pid}/status" or die "could not read the status of the session: $!";
	local $/;
	return readline($status) =~ /^VmRSS:\s+(\d+)/m ? int($1 / 1024) : die 'no resident memory';
}

# 38 and 39
foreach my $case (sort keys %size)
{
	$table->row(38, $case, told('size-' . path($case)));
}
foreach my $case (sort keys %packed)
{
	$table->row(38, "whole: $case", told('packed-' . path($case)));
}
my $before = resident();
$session->ask(run('size-' . path($_))) for ('100 MB', 'gzip bomb', 'without end') x 5;
my $grown = resident() - $before;
$table->row_of(38, 'memory after fifteen of them', $grown < 8 || FaultTable::is_watched() ? 'less than 8 MB more' : "$grown MB more");
$table->row(39, 'an error after a callback stopped, caught', 'DO $$ BEGIN PERFORM ' . run('size-100-mb') =~ s/^SELECT //r
	. ' EXCEPTION WHEN program_limit_exceeded THEN PERFORM ' . run('fine') =~ s/^SELECT //r . ' END $$;');

# 40 and 41
foreach my $case (sort keys %encoding)
{
	$table->row(40, $case, told('encoding-' . path($case)));
}
foreach my $case (sort keys %number)
{
	$table->row(41, $case, told('number-' . path($case)));
}
foreach my $case (sort keys %shape)
{
	$table->row(41, $case, told('shape-' . path($case)));
}

# 42
my $expressions = <<'YAML';
arazzo: 1.0.1
info: {title: t, version: '1'}
sourceDescriptions: [{name: api, url: openapi.yaml}]
workflows:
- workflowId: expressions
  steps:
  - {stepId: s, operationId: get, parameters: [{name: case, in: path, value: deep}], outputs: {out: '%s'}}
  outputs: {out: $steps.s.outputs.out}
YAML
foreach my $expression ('$response.body#/missing/path', '$response.body#/a~0b/c~1d/1', '$response.body#/a~0b/c~1d/0/e', '$response.body#/a~0b/c~1d/9',
	'$response.body#/a~0b/c~1d/-1', '$response.body#/a~0b/c~1d/01', '$response.body#/n/deeper', '$response.body#/', '$response.body#/a~2b', '$response.header.X-None',
	'n={$response.body#/n}', '{$response.body#/missing}', '$steps.other.outputs.x', '$response.body#/n}', '$nothing', '$inputs.', '{$inputs.{$inputs.x}}')
{
	$table->row(42, $expression, 'BEGIN; SET LOCAL client_min_messages = error; SELECT arazzo_load(\'https://probe.test/expressions.yaml\', '
		. Arazzo::quote(sprintf $expressions, $expression) . ") \\g /dev/null\nSELECT arazzo_run('expressions'); ROLLBACK;");
}

# 43
$table->row(43, 'an input of 32 MB', q{SELECT arazzo_run('write', jsonb_build_object('case', repeat('x', 33554432)));});
$table->row(43, 'an input of 32 MB, queued', q{SELECT arazzo_submit('write', jsonb_build_object('case', repeat('x', 33554432)));});
$table->row(43, '10000 inputs', q{SELECT length(arazzo_run('read', (SELECT jsonb_object_agg('i' || i, i) || '{"case": "fine"}' FROM generate_series(1, 10000) i))::text);});

$table->finish;

__DATA__
38 | 1.1 GB | stopped while streaming, or a clean error | 54000 response from "HOST" is too large | The limit is 16777216 bytes, after decompression. | The server option max_response_bytes sets the limit.; 1 sent
38 | 100 MB | stopped while streaming, or a clean error | 54000 response from "HOST" is too large | The limit is 16777216 bytes, after decompression. | The server option max_response_bytes sets the limit.; 1 sent
38 | a length beyond all numbers | stopped while streaming, or a clean error | 08P01 response from "HOST" is not valid HTTP | The server may have received the call.; 1 sent
38 | a length that lies | stopped while streaming, or a clean error | 08006 response from "HOST" was cut off | The server may have received the call.; 1 sent
38 | gzip bomb | stopped while streaming, or a clean error | 54000 response from "HOST" is too large | The limit is 16777216 bytes, after decompression. | The server option max_response_bytes sets the limit.; 1 sent
38 | gzip bomb, packed twice | stopped while streaming, or a clean error | 08P01 could not decompress the response from "HOST" | Its body is damaged, or packed in another way than gzip. | The server may have received the call.; 1 sent
38 | gzip that is none | stopped while streaming, or a clean error | 08P01 could not decompress the response from "HOST" | Its body is damaged, or packed in another way than gzip. | The server may have received the call.; 1 sent
38 | deflate cut off | never taken for a whole answer | 08006 response from "HOST" was cut off | The server may have received the call.; 1 sent
38 | gzip cut off, after the first byte | never taken for a whole answer | 08006 response from "HOST" was cut off | The server may have received the call.; 1 sent
38 | gzip cut off, within | never taken for a whole answer | 08006 response from "HOST" was cut off | The server may have received the call.; 1 sent
38 | gzip cut off, before the sum | never taken for a whole answer | 08006 response from "HOST" was cut off | The server may have received the call.; 1 sent
38 | gzip cut off, before the last byte | never taken for a whole answer | 08006 response from "HOST" was cut off | The server may have received the call.; 1 sent
38 | gzip cut off, in chunks | never taken for a whole answer | 08006 response from "HOST" was cut off | The server may have received the call.; 1 sent
38 | gzip cut off, with the connection | never taken for a whole answer | 08006 response from "HOST" was cut off | The server may have received the call.; 1 sent
38 | gzip in two parts, the second cut off | never taken for a whole answer | 08006 response from "HOST" was cut off | The server may have received the call.; 1 sent
38 | gzip in a transfer coding | never taken for a whole answer | 08P01 response from "HOST" is not valid HTTP | The server may have received the call.; 1 sent
38 | gzip with a wrong sum | never taken for a whole answer | 08P01 could not decompress the response from "HOST" | Its body is damaged, or packed in another way than gzip. | The server may have received the call.; 1 sent
38 | gzip with a wrong length | never taken for a whole answer | 08P01 could not decompress the response from "HOST" | Its body is damaged, or packed in another way than gzip. | The server may have received the call.; 1 sent
38 | gzip with more behind it | never taken for a whole answer | 08P01 could not decompress the response from "HOST" | Its body is damaged, or packed in another way than gzip. | The server may have received the call.; 1 sent
38 | packed by br, without being asked | never taken for a whole answer | 08P01 could not decompress the response from "HOST" | Its body is damaged, or packed in another way than gzip. | The server may have received the call.; 1 sent
38 | packed by zstd, without being asked | never taken for a whole answer | 08P01 could not decompress the response from "HOST" | Its body is damaged, or packed in another way than gzip. | The server may have received the call.; 1 sent
38 | whole: deflate | unpacked | object|{"a": "bejqcndsmiggimsdncqjebabejqcndsmiggimsdncqjebabejqcnd|50009; 1 sent
38 | whole: gzip | unpacked | object|{"a": "bejqcndsmiggimsdncqjebabejqcndsmiggimsdncqjebabejqcnd|50009; 1 sent
38 | whole: gzip in two parts | unpacked | object|{"a": "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb|16386; 1 sent
38 | whole: gzip of 16384 bytes | unpacked | string|"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa|16384; 1 sent
38 | whole: gzip of nothing | unpacked | null|null|4; 1 sent
38 | whole: gzip, drop by drop | unpacked | object|{"a": 1}|8; 1 sent
38 | whole: gzip, in chunks | unpacked | object|{"a": "bejqcndsmiggimsdncqjebabejqcndsmiggimsdncqjebabejqcnd|50009; 1 sent
38 | whole: gzip, with the connection | unpacked | object|{"a": "bejqcndsmiggimsdncqjebabejqcndsmiggimsdncqjebabejqcnd|50009; 1 sent
38 | whole: nothing that is called gzip | unpacked | null|null|4; 1 sent
38 | headers without end | stopped while streaming, or a clean error | 54000 header section of the response from "HOST" is too large | The limit is 262144 bytes. | The server option max_header_bytes sets the limit.; 1 sent
38 | in chunks without end | stopped while streaming, or a clean error | 54000 response from "HOST" is too large | The limit is 16777216 bytes, after decompression. | The server option max_response_bytes sets the limit.; 1 sent
38 | interim answers without end | stopped while streaming, or a clean error | 54000 header section of the response from "HOST" is too large | The limit is 262144 bytes. | The server option max_header_bytes sets the limit.; 1 sent
38 | one header without end | stopped while streaming, or a clean error | 54000 response from "HOST" has a header that is too long | The server may have received the call.; 1 sent
38 | packed a hundred times | stopped while streaming, or a clean error | 08P01 could not decompress the response from "HOST" | Its body is damaged, or packed in another way than gzip. | The server may have received the call.; 1 sent
38 | packed in an unknown way | stopped while streaming, or a clean error | 08P01 could not decompress the response from "HOST" | Its body is damaged, or packed in another way than gzip. | The server may have received the call.; 1 sent
38 | without end | stopped while streaming, or a clean error | 54000 response from "HOST" is too large | The limit is 16777216 bytes, after decompression. | The server option max_response_bytes sets the limit.; 1 sent
38 | memory after fifteen of them | bounded | less than 8 MB more
39 | an error after a callback stopped, caught | never raised within; the handle is usable | ; 2 sent
40 | Latin-1 that says nothing | converted, or bytes, never stored unverified | null|null|4; 1 sent
40 | Latin-1 that says so | converted, or bytes, never stored unverified | string|"café"|6; 1 sent
40 | NUL | converted, or bytes, never stored unverified | null|null|4; 1 sent
40 | UTF-16 | converted, or bytes, never stored unverified | null|null|4; 1 sent
40 | \u0000 | converted, or bytes, never stored unverified | string|"{\"a\": \"\\u0000\"}"|22; 1 sent
40 | byte order mark | converted, or bytes, never stored unverified | object|{"a": 1}|8; 1 sent
40 | lone surrogate | converted, or bytes, never stored unverified | string|"{\"a\": \"\\ud800\"}"|22; 1 sent
40 | not UTF-8 | converted, or bytes, never stored unverified | null|null|4; 1 sent
40 | overlong UTF-8 | converted, or bytes, never stored unverified | null|null|4; 1 sent
40 | surrogate in UTF-8 | converted, or bytes, never stored unverified | null|null|4; 1 sent
40 | surrogates the wrong way round | converted, or bytes, never stored unverified | string|"{\"a\": \"\\udc00\\ud800\"}"|29; 1 sent
40 | text with NUL | converted, or bytes, never stored unverified | null|null|4; 1 sent
40 | unknown charset | converted, or bytes, never stored unverified | null|null|4; 1 sent
41 | -0 | numeric, or text when it is no JSON | object|{"a": 0}|8; 1 sent
41 | 0.1000 | numeric, or text when it is no JSON | object|{"a": 0.1000}|13; 1 sent
41 | 0x10 | numeric, or text when it is no JSON | string|"{\"a\": 0x10}"|15; 1 sent
41 | 1e-1000000 | numeric, or text when it is no JSON | string|"{\"a\": 1e-1000000}"|21; 1 sent
41 | 1e1000000 | numeric, or text when it is no JSON | string|"{\"a\": 1e1000000}"|20; 1 sent
41 | 1e400 | numeric, or text when it is no JSON | object|{"a": 100000000000000000000000000000000000000000000000000000|408; 1 sent
41 | 1e99999999999999999999 | numeric, or text when it is no JSON | string|"{\"a\": 1e99999999999999999999}"|33; 1 sent
41 | 2^63+1 | numeric, or text when it is no JSON | object|{"a": 9223372036854775809}|26; 1 sent
41 | NaN | numeric, or text when it is no JSON | string|"{\"a\": NaN}"|14; 1 sent
41 | a number of 100000 digits | numeric, or text when it is no JSON | object|{"a": 999999999999999999999999999999999999999999999999999999|100007; 1 sent
41 | a key of 1 MB | whole or a clean error, no crash | object|{"kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk|1048583; 1 sent
41 | a million empty arrays | whole or a clean error, no crash | array|[[], [], [], [], [], [], [], [], [], [], [], [], [], [], [],|4000000; 1 sent
41 | depth 10000 | whole or a clean error, no crash | array|[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[|20000; 1 sent
41 | depth 100000 | whole or a clean error, no crash | string|"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[|200002; 1 sent
41 | depth 1000000, never closed | whole or a clean error, no crash | string|"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[|1000002; 1 sent
41 | garbage behind it | whole or a clean error, no crash | string|"{\"a\": 1} x"|14; 1 sent
41 | nothing | whole or a clean error, no crash | null|null|4; 1 sent
41 | objects, depth 100000 | whole or a clean error, no crash | string|"{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"|800003; 1 sent
41 | the same key twice | whole or a clean error, no crash | object|{"a": 2}|8; 1 sent
42 | $response.body#/missing/path | defined result, or error with step and expression | {"out": null}; 1 sent
42 | $response.body#/a~0b/c~1d/1 | defined result, or error with step and expression | {"out": "f"}; 1 sent
42 | $response.body#/a~0b/c~1d/0/e | defined result, or error with step and expression | {"out": null}; 1 sent
42 | $response.body#/a~0b/c~1d/9 | defined result, or error with step and expression | {"out": null}; 1 sent
42 | $response.body#/a~0b/c~1d/-1 | defined result, or error with step and expression | {"out": null}; 1 sent
42 | $response.body#/a~0b/c~1d/01 | defined result, or error with step and expression | {"out": null}; 1 sent
42 | $response.body#/n/deeper | defined result, or error with step and expression | {"out": null}; 1 sent
42 | $response.body#/ | defined result, or error with step and expression | {"out": 1}; 1 sent
42 | $response.body#/a~2b | defined result, or error with step and expression | {"out": null}; 1 sent
42 | $response.header.X-None | defined result, or error with step and expression | {"out": null}; 1 sent
42 | n={$response.body#/n} | defined result, or error with step and expression | {"out": "n=12345678901234567890.10"}; 1 sent
42 | {$response.body#/missing} | defined result, or error with step and expression | {"out": null}; 1 sent
42 | $steps.other.outputs.x | defined result, or error with step and expression | {"out": null}; 1 sent
42 | $response.body#/n} | defined result, or error with step and expression | {"out": null}; 1 sent
42 | $nothing | defined result, or error with step and expression | {"out": "$nothing"}; 1 sent
42 | $inputs. | defined result, or error with step and expression | {"out": null}; 1 sent
42 | {$inputs.{$inputs.x}} | defined result, or error with step and expression | {"out": null}; 1 sent
43 | an input of 32 MB | limit, or whole | 54000 URL and headers of the request are too large | They have 33554541 bytes, and the limit is 524288.; 0 sent
43 | an input of 32 MB, queued | limit, or whole | 54000 inputs of workflow "write" are too large for a queued run | They have 33554452 bytes, and the limit is 32768 kB. | The setting arazzo.max_document_size sets the limit.; 0 sent
43 | 10000 inputs | limit, or whole | 16; 1 sent
