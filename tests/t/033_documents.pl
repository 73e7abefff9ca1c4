# Documents across sessions, in dumps, and under a hostile search path.
use strict;
use warnings;

use Arazzo;
use PostgreSQL::Test::Utils;
use Test::More;

my $arazzo = Arazzo->new(shape => 'published', keys => 1);
my $node = $arazzo->node;
my $uri = 'https://d.example/arazzo.yaml';

sub openapi
{
	my ($version) = @_;

	return Arazzo::quote("openapi: 3.1.0\ninfo: {title: t, version: '1'}\nservers: [{url: https://app.amberflo.io/$version}]\n"
		  . "paths: {/thing: {get: {operationId: getThing, responses: {}}}}\n");
}

sub explained
{
	my ($session) = @_;

	return (grep { /GET/ } split /\n/, $session->query_safe("SELECT arazzo_explain('d')"))[0];
}

# A session that stays open: query_safe sends a statement and waits.
package OpenSession
{
	use IPC::Run;

	sub new
	{
		my ($class, $node) = @_;
		my $self = bless { in => '', out => '', error => '', count => 0 }, $class;

		$self->{timer} = IPC::Run::timeout($PostgreSQL::Test::Utils::timeout_default);
		$self->{run} = IPC::Run::start([ 'psql', '-XAtq', '-d', $node->connstr('postgres') ],
			'<', \$self->{in}, '>', \$self->{out}, '2>', \$self->{error}, $self->{timer});
		return $self;
	}

	sub query_safe
	{
		my ($self, $sql) = @_;
		my $mark = 'end-' . ++$self->{count};

		$self->{out} = '';
		$self->{in} .= "$sql;\n\\echo $mark\n";
		$self->{run}->pump until $self->{out} =~ /^$mark$/m;
		return $self->{out} =~ s/^$mark\n//mr;
	}

	sub finish
	{
		my ($self) = @_;

		$self->{in} .= "\\q\n";
		$self->{run}->finish;
		return $self->{error};
	}
}

package main;

my $document = Arazzo::quote(<<'YAML');
arazzo: 1.0.1
info: {title: d, version: '1'}
sourceDescriptions: [{name: api, url: api.yaml}]
workflows:
- workflowId: d
  steps: [{stepId: one, operationId: getThing}]
YAML
$node->safe_psql('postgres', "SELECT arazzo_load('https://d.example/api.yaml', " . openapi('v1') . ')');
$node->safe_psql('postgres', "SELECT arazzo_load('$uri', $document)");

# plans of other sessions follow commits, and only commits
my $reader = OpenSession->new($node);
my $writer = OpenSession->new($node);
my $repeatable = OpenSession->new($node);
like(explained($reader), qr{/v1/thing}, 'a plan is made');
$repeatable->query_safe('BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM pg_class');
$writer->query_safe("BEGIN; SELECT arazzo_load('https://d.example/api.yaml', " . openapi('v2') . ')');
like(explained($writer), qr{/v2/thing}, 'the loading session sees its own document');
like(explained($reader), qr{/v1/thing}, 'others do not before the commit');
$writer->query_safe('ROLLBACK');
like(explained($writer), qr{/v1/thing}, 'a rolled-back load leaves the old plan in use');
like(explained($reader), qr{/v1/thing}, 'everywhere');
$writer->query_safe("SELECT arazzo_load('https://d.example/api.yaml', " . openapi('v3') . ')');
like(explained($reader), qr{/v3/thing}, 'after a commit all use the new one');
like(explained($repeatable), qr{/v3/thing}, 'an old snapshot does not plan with old documents');
$repeatable->query_safe('COMMIT');
like(explained($repeatable), qr{/v3/thing}, 'nor does it leave an old plan behind');
$writer->query_safe("UPDATE arazzo_documents SET content = jsonb_set(content, '{servers,0,url}', '\"https://app.amberflo.io/v4\"') WHERE uri = 'https://d.example/api.yaml'");
like(explained($reader), qr{/v4/thing}, 'a change by hand is noticed too');
is($_->finish, '', 'no errors') foreach $reader, $writer, $repeatable;

# files of the server
my $file = PostgreSQL::Test::Utils::tempdir() . '/api.yaml';
append_to_file($file, "openapi: 3.1.0\ninfo: {title: f, version: '1'}\npaths: {}\n");
is($node->safe_psql('postgres', "SELECT arazzo_load_file('$file')"), "file://$file", 'a file is loaded under its URI');

# dump and restore: documents of users come along, shipped ones are made anew
my $before = $node->safe_psql('postgres', 'SELECT uri, md5(source), md5(content::text), shipped, loaded_by FROM arazzo_documents ORDER BY uri');
my $dump = PostgreSQL::Test::Utils::tempdir() . '/dump.sql';
$node->command_ok([ 'pg_dump', '-f', $dump, '-d', $node->connstr('postgres') ], 'dump');
my $text = slurp_file($dump);
like($text, qr{^https://d\.example/api\.yaml\t}m, 'a user\'s document is in the dump');
unlike($text, qr{^amberflo-arazzo:}m, 'a shipped one is not');
$node->safe_psql('postgres', 'CREATE DATABASE restored');
$node->command_ok([ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-f', $dump, '-d', $node->connstr('restored') ], 'restore');
is($node->safe_psql('restored', 'SELECT uri, md5(source), md5(content::text), shipped, loaded_by FROM arazzo_documents ORDER BY uri'),
	$before, 'all documents are there again');
like($node->safe_psql('restored', "SELECT arazzo_explain('d')"), qr{/v4/thing}, 'and can be used');

# objects of others on the search path change nothing
$node->safe_psql('postgres', 'CREATE DATABASE hostile');
$node->safe_psql('hostile', <<'SQL');
CREATE SCHEMA evil;
CREATE FUNCTION evil.noisy(text, text) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'evil'; END $$;
CREATE OPERATOR evil.= (FUNCTION = evil.noisy, LEFTARG = text, RIGHTARG = text);
CREATE FUNCTION evil.clock_timestamp() RETURNS timestamptz LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'evil'; END $$;
CREATE FUNCTION evil.unnest(text[]) RETURNS SETOF text LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'evil'; END $$;
CREATE TABLE evil.arazzo_documents (uri text);
CREATE SCHEMA home;
SET search_path = evil, pg_catalog;
CREATE EXTENSION amberflo_arazzo SCHEMA home;
SQL
is($node->safe_psql('hostile', "SET search_path = evil, home, pg_catalog; SELECT count(*) FROM home.arazzo_workflows() WHERE problem IS NULL"),
	6, 'the extension works in any schema, whatever the search path');
my (undef, $error) = $arazzo->query("SET search_path = evil, pg_catalog; SELECT home.arazzo_run('nothing')", database => 'hostile');
like($error, qr/^ERROR:  42704: workflow "nothing" does not exist/, 'and so do its messages');

# whoever drops it takes all of it along
$node->safe_psql('hostile', 'DROP EXTENSION amberflo_arazzo; CREATE EXTENSION amberflo_arazzo SCHEMA home');
is($node->safe_psql('hostile', 'SELECT count(*) FROM home.arazzo_workflows'), 6, 'dropped and made again');

done_testing();
