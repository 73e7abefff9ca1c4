# A secret that is refused, because of its value or its place, is in no error
# and not in the server's log, where the statement of an error would stand.

use strict;
use warnings;

use HttpRoom;
use PostgreSQL::Test::Utils;
use RawServer;
use Test::More;

my $node = start_node('secrets');

# A log of statements shows all of them; here it is about errors alone.
$node->append_conf('postgresql.conf', 'log_statement = none');
$node->restart;

my $secret = 'sk-' . join '', map { chr(97 + int rand 26) } 1 .. 20;
my $rooms = $node->safe_psql('postgres', q{SELECT probin FROM pg_proc WHERE proname = 'test_http_counts'});
my $errors = '';

$node->safe_psql('postgres', qq{
	CREATE FUNCTION arazzo_option_validator(text[], oid) RETURNS void AS '$rooms' LANGUAGE C STRICT;
	CREATE FUNCTION test_connection(text, name) RETURNS text AS '$rooms' LANGUAGE C STRICT;
	CREATE FOREIGN DATA WRAPPER arazzo VALIDATOR arazzo_option_validator;
	CREATE SERVER amberflo FOREIGN DATA WRAPPER arazzo OPTIONS (api 'https://app.amberflo.io');
	CREATE ROLE stranger;
});
foreach my $statement (
	"CREATE USER MAPPING FOR PUBLIC SERVER amberflo OPTIONS (api_key E'$secret\\n')",
	"CREATE USER MAPPING FOR PUBLIC SERVER amberflo OPTIONS (apikey '$secret')",
	"CREATE USER MAPPING FOR PUBLIC SERVER amberflo OPTIONS (client_key '$secret')",
	"CREATE USER MAPPING FOR PUBLIC SERVER amberflo OPTIONS (timeout '$secret')",
	"CREATE SERVER wrong FOREIGN DATA WRAPPER arazzo OPTIONS (api_key '$secret')",
	"CREATE SERVER wrong FOREIGN DATA WRAPPER arazzo OPTIONS (api 'https://u:$secret\@x')",
	"CREATE SERVER wrong FOREIGN DATA WRAPPER arazzo OPTIONS (proxy 'http://u:$secret\@x')",
	"ALTER SERVER amberflo OPTIONS (ADD token '$secret')")
{
	my ($code, $out, $err) = $node->psql('postgres', $statement);

	isnt($code, 0, $statement =~ s/\Q$secret\E/.../r);
	like($err, qr/ERROR:  invalid (?:value for )?option/, '... is refused');
	$errors .= $out . $err;
}
unlike($errors, qr/\Q$secret\E/, 'no error has the secret');

# The failures of requests: message, detail and hint.
my $server = RawServer->start({ '*' => ['CLOSE'] });
my $columns = q{concat_ws(' ', sqlstate, message, detail, hint)};
my $session = session($node);

foreach my $case (
	[ $server->url("/$secret?key=$secret"), headers => [ 'X-API-KEY', $secret ], body => $secret, method => 'POST' ],
	[ $server->url("/$secret"), headers => [ 'X-API-KEY', "$secret\n" ] ],
	[ $server->url("/$secret"), headers => [ "$secret ", 'x' ] ],
	[ $server->url("/$secret\n") ],
	[ "https://user:$secret\@example.com/" ],
	[ "http://example.com/$secret" ],
	[ "https://10.0.0.1/?key=$secret" ],
	[ "http://127.0.0.1:1/$secret", method => 'POST', body => $secret ])
{
	my ($url, %given) = @$case;
	my $words = $session->ask(perform_sql($columns, $url, %given) . ';');

	like($words, qr/^(?:08006|08001|22023|42501) ./, 'a request that fails');
	unlike($words, qr/\Q$secret\E/, '... without its secret');
}
my ($code, $out, $err) = $node->psql('postgres', q{SELECT test_connection('https://x.example/a' || '/secret-path', 'stranger')});
like($err, qr{there is no server for "https://x\.example"}, 'a URL is shown without its path');
unlike($err =~ s/^LINE.*//msr, qr/secret-path/, '... indeed');

my $log = slurp_file($node->logfile);
like($log, qr/invalid option/, 'the errors are in the log');
unlike($log, qr/\Q$secret\E/, '... without the secret');

done_testing();
