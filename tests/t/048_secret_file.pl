# A secret_file stands for options of its user mapping, is read again when it
# changes, within a session and within a statement, and is shown by nothing.
use strict;
use warnings;

use Arazzo;
use AuthServer;
use HttpRoom;
use PostgreSQL::Test::Utils;
use Test::More;

my $arazzo = Arazzo->new;
my $node = $arazzo->node;
my $server = AuthServer->start;
my $file = PostgreSQL::Test::Utils::tempdir() . '/secrets';

$node->safe_psql('postgres', <<"SQL");
CREATE ROLE billing;
GRANT EXECUTE ON FUNCTION arazzo_run(text, jsonb) TO billing;
CREATE SERVER api FOREIGN DATA WRAPPER arazzo OPTIONS (api 'https://api.example', url '@{[ $server->url ]}');
CREATE USER MAPPING FOR PUBLIC SERVER api OPTIONS (secret_file '$file', api_key 'of-the-mapping');
GRANT USAGE ON FOREIGN SERVER api TO billing;
SELECT arazzo_load('https://api.example/openapi.yaml', \$\$
openapi: 3.1.0
info: {title: t, version: '1'}
servers: [{url: https://api.example}]
components: {securitySchemes: {key: {type: apiKey, in: header, name: X-API-Key}}}
security: [{key: []}]
paths: {/header: {get: {operationId: get}}}
\$\$);
SELECT arazzo_load('https://api.example/arazzo.yaml', \$\$
arazzo: 1.0.1
info: {title: t, version: '1'}
sourceDescriptions: [{name: api, url: openapi.yaml}]
workflows: [{workflowId: get, steps: [{stepId: one, operationId: get}]}]
\$\$);
SQL

# The file anew; in its place unless it is to be another one.
sub write_file
{
	my ($text, $other) = @_;

	unlink $file if $other;
	open my $handle, '>', $file or die "could not open \"$file\": $!";
	print $handle $text;
	close $handle;
	chmod 0644, $file;
}

# The key that a run sends, or how it fails.
my $all = '';

sub key
{
	my ($text, $other) = @_;
	my ($out, $error);

	write_file($text, $other) if defined $text;
	$server->set(key => 'any');
	($out, $error) = $arazzo->query("SET ROLE billing; SELECT arazzo_run('get')");
	$all .= $out . $error;
	return $server->seen =~ /x-api-key=(\S+)/ ? $1 : $error =~ s/Document .*? POST \S+ //sr;
}

is(key("api_key = line-1\n"), 'line-1', 'a line counts before the mapping');
is(key("# a remark\n\n\t api_key=line 2 = x  \r\ntoken = t\n"), 'line', 'blanks and remarks');
is(key("token = t"), 'of-the-mapping', 'what the file does not have is the mapping\'s');
is(key(qq( {"api_key": "json-1", "token": "t"})), 'json-1', 'JSON');
is(key(''), 'of-the-mapping', 'an empty file');

foreach my $case (
	[ "api_key", 'Line 1: It is not of the form name = value\.' ],
	[ "\nsk-secret-name = sk-secret", 'Line 2: There is a name that is no option of user mappings\.' ],
	[ "secret_file = $file", 'Line 1: There is a name that is no option' ],
	[ "timeout = 1s", 'Line 1: There is a name that is no option' ],
	[ "api_key =", 'Line 1: The value of "api_key" is empty\.' ],
	[ "api_key = sk-secret\x01", 'Line 1: The value of "api_key" has a control character\.' ],
	[ "client_key = sk-secret", 'Line 1: The value of "client_key" is not in PEM format\.' ],
	[ "api_key = sk-secret\0", 'It is no text\.' ],
	[ '{"api_key": "sk-secret"', 'It begins like JSON, but is no JSON object\.' ],
	[ '{"api_key": 1}', 'It has a member that is not a string\.' ],
	[ '{"sk-secret": "x"}', 'There is a name that is no option' ],
	[ "api_key = " . 'sk-secret' x 10000, 'It is larger than 64 kB\.' ])
{
	like(key($case->[0]), qr/WF008: could not use the secret_file of the user mapping for server "api"\nDETAIL:  .*$case->[1]/,
		'refused: ' . substr($case->[0] =~ s/\W+/ /gr, 0, 30));
}
unlink $file;
like(key(), qr/DETAIL:  .*It could not be opened: No such file or directory\./, 'no file');
mkdir $file;
like(key(), qr/DETAIL:  .*It is no regular file\./, 'a directory');
rmdir $file;
system('mkfifo', $file) == 0 or die "mkfifo failed";
like(key(), qr/DETAIL:  .*It is no regular file\./, 'a pipe is not waited for');
unlink $file;

# in one session
my $session = session($node);
my @keys;

foreach my $text ("api_key = one", "api_key = two", "api_key = six", '{"api_key": "other"}')
{
	write_file($text, $text =~ /other/);
	$server->set(key => 'any');
	$session->ask("SELECT arazzo_run('get');");
	push @keys, $server->seen =~ /x-api-key=(\S+)/;
}
is("@keys", 'one two six other', 'a session reads it again when it has changed');

# within a statement
$server->set(key => 'one');
write_file("api_key = one\napi_key_next = two");
is($session->ask("DO \$\$ BEGIN PERFORM arazzo_run('get'); COPY (SELECT 'api_key = two') TO '$file'; "
	. "PERFORM arazzo_run('get'); END \$\$;"), 'ERROR:  WF004', 'a key that is no longer right');
is($server->seen, "GET /header x-api-key=one -> 200\nGET /header x-api-key=two -> 401", 'is sent from then on');

$session = undef;
$node->stop;
$all .= slurp_file($node->logfile);
unlike($all, qr/sk-secret/, 'nothing of the file is shown');

done_testing();
