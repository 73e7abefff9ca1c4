# The extension is refused in databases that are not UTF-8; in one that is,
# the encoding of the client is not the business of what is sent.

use strict;
use warnings;

use Arazzo;
use Test::More;

my $arazzo = Arazzo->new(shape => 'published', keys => 1);
my $node = $arazzo->node;

foreach my $encoding (qw(SQL_ASCII LATIN1 EUC_JP))
{
	$node->safe_psql('postgres', "CREATE DATABASE other TEMPLATE template0 ENCODING '$encoding' LOCALE 'C'");
	my (undef, $error) = $arazzo->query('CREATE EXTENSION amberflo_arazzo', database => 'other');
	is($error, <<"ERROR" =~ s/\n$//r, "$encoding is refused");
ERROR:  0A000: Arazzo workflows need a database with encoding "UTF8"
DETAIL:  The encoding of database "other" is "$encoding".
HINT:  Create the extension in a database that was created with ENCODING 'UTF8'.
ERROR
	is($node->safe_psql('other', "SELECT count(*) FROM pg_class WHERE relname LIKE 'arazzo%'"), 0,
		"$encoding: nothing is left");
	$node->safe_psql('postgres', 'DROP DATABASE other');
}

my $run = <<'SQL';
SELECT arazzo_run('create-meter-and-ingest-event', jsonb_build_object('meterApiName', 'gr' || chr(252) || 'n' || chr(8364),
	'displayName', 'x', 'type', 'SUM_OF_ALL_USAGE', 'customerId', 'c', 'meterValue', 1, 'meterTimeInMillis', 1)) ->> 'ingestResult';
SQL
my $latin = 'SET client_encoding = LATIN1;';
my ($out, $error) = $arazzo->query($latin . $run);
is($error, '', 'client in LATIN1: no error');
like($out, qr/^1 records/, 'client in LATIN1: outputs');
my ($event) = grep { /ingest/ } @{ $arazzo->seen };
like($event, qr/"meterApiName":"gr\x{fc}n\x{20ac}"/, 'client in LATIN1: UTF-8 was sent');

(undef, $error) = $arazzo->query("$latin SELECT arazzo_run('gr' || chr(252) || 'n')");
like($error, qr/^ERROR:  42704: workflow "gr\xfcn" does not exist/, 'client in LATIN1: messages arrive in it');
(undef, $error) = $arazzo->query("SELECT arazzo_run(repeat('ü', 100000))");
like($error, qr/^ERROR:  42704: workflow "(?:ü){100}\.\.\." does not exist/, 'a long name is cut between characters');

done_testing();
