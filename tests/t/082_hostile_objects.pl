# Objects of somebody else that stand where those of PostgreSQL or of the
# extension are looked for, while it is installed and while it runs: functions,
# operators, types, tables and collations, those of the same names and those
# that would match better.  Each says so when it is called; none is.
use strict;
use warnings;

use Arazzo;
use PostgreSQL::Test::Utils;
use Test::More;

my $arazzo = Arazzo->new(shape => 'published', keys => 1);
my $node = $arazzo->node;
my $workflow = 'meter-usage-and-topup-prepaid';
my $inputs = '{"meterApiName":"m","customerId":"c1","meterValue":1,"meterTimeInMillis":1718153645993,"amount":5}';

# Shadows of all that may be called with values of these types, and operators
# between any two of them.
my $hostile = <<'SQL';
CREATE SCHEMA evil;
DO $do$
DECLARE
	names CONSTANT text[] = '{text,name,"char",bool,int2,int4,int8,numeric,float8,oid,regclass,regrole,regtype,uuid,jsonb,json,timestamptz,interval,unknown,"text[]","jsonb[]",anyarray,anyelement}';
	types CONSTANT oid[] = (SELECT array_agg(t::regtype) FROM unnest(names) t);
	item record;
	body CONSTANT text = $$ LANGUAGE plpgsql AS 'BEGIN RAISE LOG ''hostile object was called''; RAISE EXCEPTION ''hostile object was called''; END'$$;
BEGIN
	FOR item IN SELECT DISTINCT p.proname, oidvectortypes(proargtypes) AS arguments, proretset, prorettype::regtype AS result
		FROM pg_proc p WHERE pronamespace = 'pg_catalog'::regnamespace AND prokind = 'f' AND provariadic = 0
			AND proargtypes::oid[] <@ types AND (prorettype = ANY (types) OR prorettype = 'void'::regtype)
	LOOP
		BEGIN
			EXECUTE format('CREATE FUNCTION evil.%I(%s) RETURNS %s %s', item.proname, item.arguments,
				CASE WHEN item.proretset THEN 'SETOF ' ELSE '' END || item.result, body);
		EXCEPTION WHEN others THEN
		END;
	END LOOP;
	FOR item IN SELECT a::regtype AS a, b::regtype AS b FROM unnest(types) a, unnest(types) b
	LOOP
		BEGIN
			EXECUTE format('CREATE FUNCTION evil.hostile(%s, %s) RETURNS bool %s', item.a, item.b, body);
			EXECUTE format('CREATE OPERATOR evil.%s (LEFTARG = %s, RIGHTARG = %s, FUNCTION = evil.hostile)', o, item.a, item.b)
				FROM unnest('{=}'::text[]) o;
			EXECUTE format('CREATE OPERATOR evil.<> (LEFTARG = %1$s, RIGHTARG = %2$s, FUNCTION = evil.hostile);
				CREATE OPERATOR evil.>= (LEFTARG = %1$s, RIGHTARG = %2$s, FUNCTION = evil.hostile);
				CREATE OPERATOR evil.<= (LEFTARG = %1$s, RIGHTARG = %2$s, FUNCTION = evil.hostile);
				CREATE OPERATOR evil.< (LEFTARG = %1$s, RIGHTARG = %2$s, FUNCTION = evil.hostile);
				CREATE OPERATOR evil.> (LEFTARG = %1$s, RIGHTARG = %2$s, FUNCTION = evil.hostile);
				CREATE OPERATOR evil.|| (LEFTARG = %1$s, RIGHTARG = %2$s, FUNCTION = evil.hostile);
				CREATE OPERATOR evil.+ (LEFTARG = %1$s, RIGHTARG = %2$s, FUNCTION = evil.hostile);
				CREATE OPERATOR evil.- (LEFTARG = %1$s, RIGHTARG = %2$s, FUNCTION = evil.hostile);
				CREATE OPERATOR evil.->> (LEFTARG = %1$s, RIGHTARG = %2$s, FUNCTION = evil.hostile);
				CREATE OPERATOR evil.@> (LEFTARG = %1$s, RIGHTARG = %2$s, FUNCTION = evil.hostile)', item.a, item.b);
		EXCEPTION WHEN others THEN
		END;
	END LOOP;
	FOR item IN SELECT t AS name FROM unnest('{text,name,bool,int4,int8,float8,oid,regclass,regrole,uuid,jsonb,timestamptz,interval,event_trigger,trigger,record}'::text[]) t
	LOOP
		EXECUTE format('CREATE DOMAIN evil.%I AS pg_catalog.int4 CHECK (pg_catalog.pg_sleep(0) IS NULL)', item.name);
	END LOOP;
	FOR item IN SELECT t AS name FROM unnest('{arazzo_load,arazzo_submit,arazzo_run,arazzo_workflows}'::text[]) t
	LOOP
		EXECUTE format('CREATE FUNCTION evil.%I(varchar, varchar) RETURNS pg_catalog.text %s', item.name, body);
		EXECUTE format('CREATE FUNCTION evil.%I(VARIADIC pg_catalog.text[]) RETURNS pg_catalog.text %s', item.name, body);
		EXECUTE format('CREATE FUNCTION evil.%I(json, json DEFAULT NULL, pg_catalog.int4 DEFAULT 1) RETURNS pg_catalog.text %s', item.name, body);
	END LOOP;
END $do$;
CREATE COLLATION evil."C" (provider = icu, locale = 'und-u-ks-level1', deterministic = false);
CREATE TABLE evil.pg_extension AS SELECT 0::oid AS oid, 'amberflo_arazzo'::name AS extname;
CREATE TABLE evil.pg_roles (rolname name); CREATE TABLE evil.pg_class (relname name); CREATE TABLE evil.pg_foreign_server (srvname name);
SQL
my $tables = join '', map { "CREATE TABLE IN_SCHEMA.$_ (id text);" }
	qw(arazzo_documents arazzo_queue arazzo_queue_attempts arazzo_server_states arazzo_runs arazzo_run_steps arazzo_workflows arazzo_claims);

sub sql { return $node->safe_psql($_[1] // 'postgres', $_[0]); }

sub succeeds
{
	my ($database, $sql, $what) = @_;
	my ($out, $error) = $arazzo->query($sql, database => $database);

	is($error, '', $what);
	return $out;
}

sql($hostile);
cmp_ok(sql("SELECT count(*) FROM pg_proc WHERE pronamespace = 'evil'::regnamespace"), '>', 1000, 'there are hostile functions');
cmp_ok(sql("SELECT count(*) FROM pg_operator WHERE oprnamespace = 'evil'::regnamespace"), '>', 2000, 'and operators');
like(($arazzo->query("SET search_path = evil, pg_catalog; SELECT 1 = 1"))[1], qr/hostile object was called/, 'which are called by who looks there');
$node->rotate_logfile;
$node->restart;

# the installation: on the path, and in the very schema it is made in
foreach my $schema ('public', 'evil', 'Odd schema')
{
	my $quoted = "\"$schema\"";

	sql('CREATE DATABASE victim TEMPLATE postgres');
	sql('DROP EXTENSION amberflo_arazzo CASCADE; CREATE SCHEMA IF NOT EXISTS "Odd schema"', 'victim');
	sql(<<'SQL', 'victim');
CREATE TABLE watched (command text, path text);
CREATE FUNCTION watch() RETURNS event_trigger LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO public.watched VALUES (tg_tag, pg_catalog.current_setting('search_path'));
END $$;
CREATE EVENT TRIGGER before ON ddl_command_start EXECUTE FUNCTION watch();
CREATE EVENT TRIGGER after ON ddl_command_end EXECUTE FUNCTION watch();
SQL
	succeeds('victim', "SET search_path = evil, pg_catalog; CREATE EXTENSION amberflo_arazzo SCHEMA $quoted", "CREATE EXTENSION SCHEMA $quoted");
	is(sql(q{SELECT string_agg(DISTINCT path, ' ') FROM watched WHERE command <> 'CREATE EXTENSION'}, 'victim') =~ s/"//gr, "$schema, pg_temp",
		'its statements look nowhere else');
	is(sql(q{SELECT count(*) FROM pg_depend d JOIN pg_extension e ON e.oid = refobjid WHERE extname = 'amberflo_arazzo' AND deptype = 'e'
		AND classid = 'pg_type'::regclass}, 'victim'), '0', 'it has no types but those of its tables');
	is(sql(q{SELECT count(*) FROM pg_attribute JOIN pg_class c ON c.oid = attrelid WHERE relname LIKE 'arazzo\_%' AND attnum > 0
		AND attcollation <> 0 AND attcollation NOT IN (SELECT oid FROM pg_collation WHERE collnamespace = 'pg_catalog'::regnamespace)}, 'victim'),
		'0', 'its columns have collations of PostgreSQL');
	is(sql(qq{SELECT count(*) >= 5 FROM $quoted.arazzo_workflows WHERE problem IS NULL OR problem <> ''}, 'victim'), 't', 'the documents that ship are there');
	like(($arazzo->query("ALTER EXTENSION amberflo_arazzo SET SCHEMA public", database => 'victim'))[1],
		qr/^ERROR:  0A000: extension "amberflo_arazzo" does not support SET SCHEMA$/, 'it stays where it is') if $schema ne 'public';
	sql('DROP DATABASE victim');
}

# names that are taken are not taken over
foreach my $taken ('TABLE public.arazzo_queue (id text)', 'SEQUENCE public.arazzo_run_ids', 'VIEW public.arazzo_runs AS SELECT 1',
	'DOMAIN public.arazzo_documents AS text', 'FUNCTION public.arazzo_run(text, jsonb) RETURNS jsonb LANGUAGE sql AS $$ SELECT $2 $$',
	q{FOREIGN DATA WRAPPER arazzo})
{
	like(($arazzo->query("BEGIN; DROP EXTENSION amberflo_arazzo CASCADE; CREATE $taken; SET client_min_messages = error; CREATE EXTENSION amberflo_arazzo"))[1],
		qr/^ERROR:  42\w+: .* already exists(?: with same argument types)?$/m, "CREATE $taken: the extension is refused");
}

# at run time, with a path that leads there, and temporary tables named like ours
my $path = 'SET search_path = pg_temp, evil, pg_catalog, public;' . ($tables =~ s/IN_SCHEMA/pg_temp/gr);
my $setup = $path . ($tables =~ s/IN_SCHEMA/evil/gr);
succeeds('postgres', $setup, 'tables named like ours');
foreach my $call ("public.arazzo_run('$workflow', '$inputs')", "public.arazzo_run_many('$workflow', ARRAY['$inputs']::pg_catalog.jsonb[])",
	"public.arazzo_trace('$workflow', '$inputs')", "public.arazzo_explain('$workflow', '$inputs')", 'public.arazzo_workflows',
	"public.arazzo_load('https://a.example/x', 'openapi: 3.1.0')", "public.arazzo_check('arazzo: 1.0.1')",
	"public.arazzo_unload('https://a.example/x')", "public.arazzo_submit('$workflow', '$inputs', 'key-1')",
	"public.arazzo_submit('$workflow', '$inputs', 'key-1')", 'public.arazzo_runs', 'public.arazzo_run_steps')
{
	isnt(succeeds('postgres', "$path SELECT x::pg_catalog.text FROM $call x", $call =~ s/\(.*//r), '', '... with an answer') if $call !~ /unload|run_steps/;
}
succeeds('postgres', <<"SQL", 'arazzo_trigger');
CREATE TABLE public.usage (customer pg_catalog.text);
$path
CREATE TRIGGER send AFTER INSERT ON public.usage FOR EACH ROW EXECUTE FUNCTION public.arazzo_trigger('$workflow',
	'{"meterApiName": "m", "customerId": "\$row.customer", "meterValue": 1, "meterTimeInMillis": 1718153645993, "amount": 1}', '{"key": "k-{\$row.customer}"}');
INSERT INTO public.usage VALUES ('c1');
SQL
is(succeeds('postgres', "$path CALL public.arazzo_work()", 'arazzo_work'), '2', '... works what is queued');
is(sql('SELECT count(*) FROM arazzo_runs WHERE status <> $$succeeded$$'), '0', '... to its end');
my $failed = sql("ALTER SERVER amberflo OPTIONS (ADD max_response_bytes '1'); SELECT arazzo_submit('$workflow', '$inputs')");
sql('CALL arazzo_work(); ALTER SERVER amberflo OPTIONS (DROP max_response_bytes)');
isnt(sql("SELECT status FROM arazzo_runs WHERE run = $failed"), 'succeeded', 'a run that did not succeed');
succeeds('postgres', "$path SELECT public.arazzo_" . (sql("SELECT status FROM arazzo_runs WHERE run = $failed") eq 'in_doubt' ?
	"resolve($failed, 'retry')" : "retry($failed)"), '... goes on');
succeeds('postgres', "$path SELECT public.arazzo_cancel($failed)", '... and is cancelled');
succeeds('postgres', "$path CALL public.arazzo_prune('-1 day')", 'arazzo_prune');
is(sql('SELECT count(*) FROM arazzo_runs'), '0', '... deletes them all');

# a schema that is renamed takes the extension with it
succeeds('postgres', <<"SQL", 'the schema is renamed in a session that has used it');
SELECT public.arazzo_submit('$workflow', '$inputs');
ALTER SCHEMA public RENAME TO elsewhere; CREATE SCHEMA public; SET search_path = evil, pg_catalog;
SELECT elsewhere.arazzo_submit('$workflow', '$inputs'); CALL elsewhere.arazzo_work();
SQL

unlike(slurp_file($node->logfile), qr/LOG:  hostile object was called/, 'no hostile object was called');

done_testing();
