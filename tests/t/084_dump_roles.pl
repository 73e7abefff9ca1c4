# A dump goes to another server with its roles, servers, user mappings,
# grants, documents and queued runs; the copy sends nothing until its queue is
# worked off, and acts as the roles that it names, never as others.
use strict;
use warnings;

use Arazzo;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $arazzo = Arazzo->new(shape => 'published');
my $node = $arazzo->node;
my $sandbox = $arazzo->sandbox;
my $workflow = 'meter-usage-and-topup-prepaid';
my $inputs = '{"meterApiName":"m","customerId":"c1","meterValue":1,"meterTimeInMillis":1718153645993,"amount":5}';
my $directory = PostgreSQL::Test::Utils::tempdir();

sub sql { return $node->safe_psql('postgres', $_[0]); }

sql(<<"SQL");
CREATE ROLE gone; CREATE ROLE "Billing it's" LOGIN; CREATE ROLE app LOGIN;
GRANT USAGE ON FOREIGN SERVER amberflo TO "Billing it's", gone;
GRANT EXECUTE ON FUNCTION arazzo_submit TO "Billing it's", gone, app;
GRANT EXECUTE ON PROCEDURE arazzo_work TO app;
GRANT SELECT ON arazzo_documents TO app;
CREATE USER MAPPING FOR "Billing it's" SERVER amberflo OPTIONS (api_key 'amberflo-test-key');
CREATE USER MAPPING FOR app SERVER amberflo OPTIONS (api_key 'not-the-right-key');
SELECT arazzo_load('https://api.example/openapi.yaml', 'openapi: 3.1.0');
SET ROLE "Billing it's";
SELECT arazzo_submit('$workflow', '$inputs', 'key-' || i) FROM generate_series(1, 3) i;
RESET ROLE; CALL arazzo_work(1);
SET ROLE gone; SELECT arazzo_submit('$workflow', '$inputs', 'gone-' || i) FROM generate_series(1, 2) i;
SQL
my $gone = sql("SELECT 'gone'::regrole::oid");
sql('DROP OWNED BY gone; DROP ROLE gone');
$sandbox->clear_ledger;

# another server, in which the number of the dropped role is another role's
my $copy = PostgreSQL::Test::Cluster->new('copy');
$copy->init(extra => ['--encoding=UTF8']);
$copy->start;
for (my $made = 0; $made < $gone;)
{
	$made = $copy->safe_psql('postgres', q{SET client_min_messages = error; DROP ROLE IF EXISTS victim; CREATE ROLE victim LOGIN; SELECT 'victim'::regrole::oid});
}
is($copy->safe_psql('postgres', "SELECT 'victim'::regrole::oid"), $gone, 'a number stands for another role there');

$node->command_ok([ 'pg_dumpall', '--roles-only', '-d', $node->connstr('postgres'), '-f', "$directory/roles.sql" ], 'roles are dumped');
$node->command_ok([ 'pg_dump', '-Fc', '-d', $node->connstr('postgres'), '-f', "$directory/dump" ], 'the database is dumped');
my $user = sql('SELECT current_user');
my $roles = join '', grep { !/ROLE \Q$user\E\b/ } split /^/m, slurp_file("$directory/roles.sql");
$copy->safe_psql('postgres', $roles);
$copy->safe_psql('postgres', 'CREATE DATABASE copy TEMPLATE template0');
$node->command_ok([ 'pg_restore', '--exit-on-error', '-d', $copy->connstr('copy'), "$directory/dump" ], 'and restored');

sub copied { return $copy->safe_psql('copy', $_[0]); }

foreach my $what (
	[ 'privileges', q{SELECT a.objid, x.grantee::regrole, x.privilege_type FROM (
		SELECT oid::regprocedure::text AS objid, proacl AS acl FROM pg_proc WHERE proname LIKE 'arazzo%'
		UNION ALL SELECT oid::regclass::text, relacl FROM pg_class WHERE relname LIKE 'arazzo%'
		UNION ALL SELECT srvname, srvacl FROM pg_foreign_server UNION ALL SELECT fdwname, fdwacl FROM pg_foreign_data_wrapper) a,
		aclexplode(acl) x WHERE x.grantee <> 10 ORDER BY 1, 2::text, 3} ],
	[ 'servers', 'SELECT srvname, srvoptions FROM pg_foreign_server ORDER BY 1' ],
	[ 'user mappings', 'SELECT usename, srvname, umoptions FROM pg_user_mappings ORDER BY 1, 2' ],
	[ 'documents', 'SELECT uri, source, content, loaded_by FROM arazzo_documents ORDER BY uri' ],
	[ 'runs', q{SELECT id, owner, key, status, inputs, nonce, due FROM arazzo_queue WHERE owner::text !~ '^\d+$' AND key !~ '^gone' ORDER BY id} ])
{
	my ($name, $query) = @$what;
	my $expected = sql($query);

	isnt($expected, '', "there are $name");
	is(copied($query), $expected, "$name are the same");
}
is(copied("SELECT count(*) FROM arazzo_queue WHERE owner = 'victim'::regrole"), '0', 'runs of a role that was dropped become nobody else\'s');
is(copied("SELECT count(*) FROM arazzo_queue_attempts WHERE run NOT IN (SELECT id FROM arazzo_queue)"), '0', 'nor does their history');
is($sandbox->counts->{count}, 0, 'nothing was sent');
is(copied('CALL arazzo_work()'), '2', 'the copy is worked off when somebody does it');
is(copied('SELECT status, count(*) FROM arazzo_runs GROUP BY 1'), 'succeeded|3', '... with the credentials of the role');

done_testing();
