# What PUBLIC may do: every privilege on every object of the extension, as the
# catalogs have it, is what the README says, and the rest takes a grant.
use strict;
use warnings;

use Arazzo;
use PostgreSQL::Test::Utils;
use Test::More;

my $arazzo = Arazzo->new;
my $node = $arazzo->node;

sub sql { return $node->safe_psql('postgres', $_[0]); }

# As an unprivileged role; the error without what follows its first line.
sub error_of
{
	my ($sql) = @_;
	my ($out, $error) = $arazzo->query($sql, params => [ '-U', 'nobody_special' ]);

	return $error =~ s/\n.*//sr;
}

# Members of the extension, whatever they are, with the privileges of PUBLIC;
# those on columns count as those on the relation.
my $granted = <<'SQL';
WITH member AS (
	SELECT classid, objid FROM pg_depend
	WHERE refclassid = 'pg_extension'::regclass AND deptype = 'e'
		AND refobjid = (SELECT oid FROM pg_extension WHERE extname = 'amberflo_arazzo')
), acl (name, items) AS (
	SELECT relname::text, coalesce(relacl, acldefault(CASE relkind WHEN 'S' THEN 's'::"char" ELSE 'r' END, relowner))
	FROM pg_class JOIN member ON classid = 'pg_class'::regclass AND objid = pg_class.oid
	UNION ALL
	SELECT relname, attacl
	FROM pg_attribute JOIN pg_class ON attrelid = pg_class.oid
		JOIN member ON classid = 'pg_class'::regclass AND objid = attrelid
	WHERE attacl IS NOT NULL
	UNION ALL
	SELECT proname || '(' || oidvectortypes(proargtypes) || ')', coalesce(proacl, acldefault('f', proowner))
	FROM pg_proc JOIN member ON classid = 'pg_proc'::regclass AND objid = pg_proc.oid
	UNION ALL
	SELECT fdwname, coalesce(fdwacl, acldefault('F', fdwowner))
	FROM pg_foreign_data_wrapper JOIN member ON classid = 'pg_foreign_data_wrapper'::regclass AND objid = pg_foreign_data_wrapper.oid
	UNION ALL
	SELECT typname, coalesce(typacl, acldefault('T', typowner))
	FROM pg_type JOIN member ON classid = 'pg_type'::regclass AND objid = pg_type.oid
	UNION ALL
	SELECT nspname, coalesce(nspacl, acldefault('n', nspowner))
	FROM pg_namespace JOIN member ON classid = 'pg_namespace'::regclass AND objid = pg_namespace.oid
)
SELECT DISTINCT x.privilege_type || ' ' || name COLLATE "C" FROM acl CROSS JOIN aclexplode(items) AS x WHERE x.grantee = 0 ORDER BY 1
SQL

# The table below "PUBLIC may": | SELECT | `view`, `view` |
my ($table) = slurp_file("$Arazzo::TOP/README.md") =~ /^\| PUBLIC may \|[^\n]*\n\|[-| ]+\|\n((?:\|[^\n]*\n)+)/m;
my @documented;
foreach my $line (split /\n/, $table // '')
{
	my ($privilege, $names) = $line =~ /^\| (\w+) \| (.*) \|$/;

	push @documented, map { "$privilege $_" } $names =~ /`([^`]+)`/g;
}
cmp_ok(scalar @documented, '>', 0, 'the README lists what PUBLIC may do');
is(sql($granted), join("\n", sort @documented), 'PUBLIC may do what the README says, and nothing else');

# kinds of objects that the list above does not know would go unseen
is(sql(q{SELECT string_agg(DISTINCT classid::regclass::text, ' ' ORDER BY classid::regclass::text) FROM pg_depend
	WHERE refclassid = 'pg_extension'::regclass AND deptype = 'e'
		AND refobjid = (SELECT oid FROM pg_extension WHERE extname = 'amberflo_arazzo')
		AND classid::regclass::text NOT IN ('pg_class', 'pg_proc', 'pg_foreign_data_wrapper', 'pg_type', 'pg_namespace')}),
	'pg_event_trigger', 'other kinds of objects have no privileges');
is(sql(q{SELECT count(*) FROM pg_proc WHERE prosecdef AND proname LIKE 'arazzo%'}), '0',
	'no function runs with the rights of its owner');

# and so it is for a role that was granted nothing
sql('CREATE ROLE nobody_special LOGIN');
is(sql(q{SELECT count(*) FROM pg_class WHERE relname LIKE 'arazzo%' AND relkind = 'r' AND NOT relrowsecurity
	AND has_any_column_privilege('nobody_special', oid, 'SELECT')}), '0', 'tables that PUBLIC may read show no rows of others');
foreach my $name (split /\n/, sql(q{SELECT c.oid::regclass FROM pg_class c WHERE relname LIKE 'arazzo%' AND relkind IN ('r', 'S')
	AND NOT CASE relkind WHEN 'S' THEN has_sequence_privilege('nobody_special', oid, 'SELECT')
		ELSE has_any_column_privilege('nobody_special', oid, 'SELECT') END ORDER BY 1}))
{
	like(error_of("SELECT 1 FROM $name"), qr/^ERROR:  42501: permission denied for (?:table|sequence) $name$/, "$name is closed");
}
# a strict function of constants that are null is not even called
foreach my $call (split /\n/, sql(q{SELECT CASE prokind WHEN 'p' THEN format('CALL %s(NULL)', proname)
		ELSE format('SELECT %s(%s)', proname, (SELECT string_agg(format('(SELECT NULL::%s)', t::regtype), ', ') FROM unnest(proargtypes) t)) END
	FROM pg_proc WHERE proname LIKE 'arazzo%' AND prorettype NOT IN ('trigger'::regtype, 'event_trigger'::regtype)
		AND NOT has_function_privilege('nobody_special', oid, 'EXECUTE') ORDER BY 1}))
{
	like(error_of($call), qr/^ERROR:  42501: permission denied for (?:function|procedure) arazzo_\w+$/, "$call is closed");
}
like(error_of("CREATE SERVER s FOREIGN DATA WRAPPER arazzo OPTIONS (api 'https://api.example')"),
	qr/^ERROR:  42501: permission denied for foreign-data wrapper arazzo$/, 'the wrapper is closed');
sql('CREATE SCHEMA AUTHORIZATION nobody_special');
like(error_of('CREATE TABLE nobody_special.t (); CREATE TRIGGER t AFTER INSERT ON nobody_special.t EXECUTE FUNCTION arazzo_trigger()'),
	qr/^ERROR:  42501: permission denied for function arazzo_trigger$/, 'so is what triggers call');
like(error_of(q{SELECT arazzo_load('https://evil.example/a', 'arazzo: 1.0.1')}),
	qr/^ERROR:  42501: permission denied for function arazzo_load$/, 'loading documents is a privilege');
sql('GRANT EXECUTE ON FUNCTION arazzo_load(text, text), arazzo_load_file(text), arazzo_import(text), arazzo_unload(text) TO nobody_special');
is(error_of(q{SELECT arazzo_load('https://api.example/openapi.yaml', 'openapi: 3.1.0')}), '', 'which can be granted');
foreach my $call (q{arazzo_load_file('/etc/passwd')}, q{arazzo_import('/etc')})
{
	is(error_of("SELECT $call"), 'ERROR:  42501: permission denied to read files of the server', "$call takes another");
}
like(error_of(q{SELECT arazzo_unload(uri) FROM (VALUES ('amberflo-arazzo:/workflows/openapi/stripe-billing-meters.yaml'), ('amberflo-arazzo:/workflows/openapi/amberflo-billing.yaml')) d (uri)}),
	qr/^ERROR:  42501: document ".*" belongs to the extension$/, 'documents that ship cannot be replaced');
like(error_of(q{SELECT arazzo_run('usage-to-stripe-meter')}), qr/^ERROR:  42501: permission denied for function arazzo_run$/,
	'and who loads documents cannot run them');

done_testing();
