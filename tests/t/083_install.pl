# The extension comes and goes like any other: in one transaction, again and
# again, with queued runs, and with servers that depend on it; and it is ready
# for later versions.
use strict;
use warnings;

use Arazzo;
use PostgreSQL::Test::Utils;
use Test::More;

my $arazzo = Arazzo->new(shape => 'published', keys => 1);
my $node = $arazzo->node;
my $workflow = 'meter-usage-and-topup-prepaid';
my $inputs = '{"meterApiName":"m","customerId":"c1","meterValue":1,"meterTimeInMillis":1718153645993,"amount":5}';
my $left = <<'SQL';
SELECT (SELECT count(*) FROM pg_class WHERE relname LIKE 'arazzo%') + (SELECT count(*) FROM pg_proc WHERE proname LIKE 'arazzo%')
	+ (SELECT count(*) FROM pg_type WHERE typname LIKE '%arazzo%') + (SELECT count(*) FROM pg_foreign_data_wrapper)
	+ (SELECT count(*) FROM pg_foreign_server) + (SELECT count(*) FROM pg_user_mapping) + (SELECT count(*) FROM pg_event_trigger)
SQL

sub sql { return $node->safe_psql('postgres', $_[0]); }

# servers depend on the wrapper, and say so
sql("SELECT arazzo_submit('$workflow', '$inputs'), arazzo_load('https://a.example/x', 'openapi: 3.1.0')");
my $me = sql('SELECT current_user');
is(($arazzo->query('DROP EXTENSION amberflo_arazzo'))[1] =~ s/for \Q$me\E /for ME /gr, <<'ERROR' =~ s/\n$//r, 'servers keep the extension');
ERROR:  2BP01: cannot drop extension amberflo_arazzo because other objects depend on it
DETAIL:  server amberflo depends on foreign-data wrapper arazzo
user mapping for ME on server amberflo depends on server amberflo
server stripe depends on foreign-data wrapper arazzo
user mapping for ME on server stripe depends on server stripe
HINT:  Use DROP ... CASCADE to drop the dependent objects too.
ERROR
my ($out, $error) = $arazzo->query('DROP EXTENSION amberflo_arazzo CASCADE');
like($error, qr/drop cascades to 4 other objects/, 'queued runs do not, nor do documents');
is(sql($left), '0', 'nothing is left');
is($arazzo->sandbox->counts->{count}, 0, 'and nothing was sent');

# one transaction, twice, in one session that uses it
my $cycle = <<"SQL";
CREATE EXTENSION amberflo_arazzo;
CREATE SERVER amberflo FOREIGN DATA WRAPPER arazzo OPTIONS (api 'https://app.amberflo.io', url '@{[ $arazzo->sandbox->url ]}');
CREATE USER MAPPING FOR CURRENT_USER SERVER amberflo OPTIONS (api_key 'amberflo-test-key');
SELECT arazzo_run('$workflow', '$inputs') ->> 'ingestResult';
SELECT arazzo_submit('$workflow', '$inputs');
SQL
my $drop = 'SET client_min_messages = warning; DROP EXTENSION amberflo_arazzo CASCADE;';
($out, $error) = $arazzo->query("BEGIN; $cycle $drop $cycle ROLLBACK; BEGIN; $cycle COMMIT; CALL arazzo_work(); $drop $cycle CALL arazzo_work()");
is($error, '', 'in one transaction, twice, rolled back, and again');
is($out, join("\n", ('1 records were ingested', 1) x 3, 1, '1 records were ingested', 1, 1), '... it works each time');
is($arazzo->sandbox->counts->{count}, 12, '... with two calls for each run that was not rolled back while queued');
like(($arazzo->query('CREATE EXTENSION amberflo_arazzo'))[1], qr/^ERROR:  42710: extension "amberflo_arazzo" already exists$/, 'there is one in a database');

# an installation that breaks off leaves nothing
($out, $error) = $arazzo->query("$drop SET arazzo.max_document_size = '1kB'; CREATE EXTENSION amberflo_arazzo");
like($error, qr/^ERROR:  54000: /, 'an installation that fails');
is(sql($left), '0', '... leaves nothing');
sql('CREATE ROLE plain LOGIN; GRANT CREATE ON DATABASE postgres TO plain; GRANT CREATE ON SCHEMA public TO plain');
like(($arazzo->query('CREATE EXTENSION amberflo_arazzo', params => [ '-U', 'plain' ]))[1],
	qr/^ERROR:  42501: permission denied to create extension "amberflo_arazzo"$/m, 'it takes a superuser');

# versions: there is one so far, and what an upgrade needs is in place
sql('CREATE EXTENSION amberflo_arazzo');
my $version = sql(q{SELECT default_version FROM pg_available_extensions WHERE name = 'amberflo_arazzo'});
is(sql(q{SELECT extversion FROM pg_extension WHERE extname = 'amberflo_arazzo'}), $version, 'the version that is made is the default one');
is(sql(q{SELECT count(*) FROM pg_available_extension_versions WHERE name = 'amberflo_arazzo'}), '1', 'and the only one');
($out, $error) = $arazzo->query('ALTER EXTENSION amberflo_arazzo UPDATE');
is($error, qq{NOTICE:  00000: version "$version" of extension "amberflo_arazzo" is already installed}, 'there is nothing to update');
is(sql(q{SELECT string_agg(extconfig::regclass[]::text, '') LIKE '%arazzo_queue%' FROM pg_extension WHERE extname = 'amberflo_arazzo'}), 't',
	'tables with data of users go with a dump');
is(sql(q{SELECT count(*) FROM pg_proc WHERE proname LIKE 'arazzo%' AND probin <> '$libdir/amberflo_arazzo'}), '0',
	'functions find the library of the server they are in');

done_testing();
