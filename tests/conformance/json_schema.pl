# The JSON Schema test suite, draft 2020-12: each instance is valid or not, as
# the suite says.  The tests of formats run with formats asserted.

use strict;
use warnings;

use Cwd qw(abs_path);
use File::Basename qw(dirname);
use File::Find qw(find);
use JSON::PP;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $top = abs_path(dirname(__FILE__) . '/../..');
my $suite = "$top/../shared/suites/json-schema";
my $rooms = $ENV{ARAZZO_ROOMS} || "$top/tests/module/arazzo_rooms.so";

plan(skip_all => 'the suite is not here: ../shared/suites/json-schema') unless -d $suite;
$suite = abs_path($suite);

# jsonb cannot hold NUL, and refuses it; tests that use it are run with U+0001
# in its place, a character just as odd.
my $nul = '\\u0000';
my $substitute = '\\u0001';

# The one remote document that a test refers to and the suite leaves to others.
my %own = (
	'http://localhost:1234/draft2019-09/ignore-prefixItems.json' => {
		'$schema' => 'https://json-schema.org/draft/2019-09/schema',
		type => 'array',
		prefixItems => [ { type => 'string' } ] });

sub files_below
{
	my ($directory) = @_;
	my @files;

	find({ wanted => sub { push @files, $File::Find::name if /\.json$/ }, no_chdir => 1 }, $directory);
	return sort @files;
}

# All documents that the tests may refer to, by URI, as SQL that fills a table.
sub remotes
{
	my $base = "$suite/remotes";
	my @rows = map { "('http://localhost:1234/" . substr($_, length($base) + 1) . "', pg_read_file('$_')::jsonb)" }
	  files_below($base);

	push @rows, map { "('$_', '" . encode_json($own{$_}) . "'::jsonb)" } sort keys %own;
	return 'INSERT INTO remotes VALUES ' . join(",\n", @rows) . ' ON CONFLICT DO NOTHING;';
}

# Groups and tests of a file, in its order, flattened; JSON stays text until
# jsonb takes it over, so no number is rewritten.
sub judge_file
{
	my ($node, $file) = @_;
	my $formats = $file =~ m{/optional/format/} ? 'true' : 'false';
	my $result = $node->safe_psql('postgres', <<"SQL");
SELECT json_build_array(g.value ->> 'description', t.value ->> 'description',
	position('$substitute' in (g.value -> 'schema')::text || (t.value -> 'data')::text) > 0,
	t.value ->> 'valid', verdict((g.value -> 'schema')::jsonb, (t.value -> 'data')::jsonb, $formats))
FROM json_array_elements(replace(pg_read_file('$file'), '$nul', '$substitute')::json)
		WITH ORDINALITY AS g (value, number),
	json_array_elements(g.value -> 'tests') WITH ORDINALITY AS t (value, number)
ORDER BY g.number, t.number
SQL
	return map { decode_json($_) } split(/\n/, $result);
}

my $node = PostgreSQL::Test::Cluster->new('json_schema');

$node->init(extra => [ '--encoding=UTF8', '--locale=C' ]);
$node->start;
$node->safe_psql('postgres', <<"SQL");
CREATE FUNCTION validate(schema jsonb, instance jsonb, remotes jsonb, formats boolean, dialect text) RETURNS jsonb
	AS '$rooms', 'test_schema_validate' LANGUAGE C STRICT;
CREATE TABLE remotes (uri text PRIMARY KEY, document jsonb);
@{[ remotes() ]}
CREATE TABLE world AS SELECT jsonb_object_agg(uri, document) AS remotes FROM remotes;
CREATE FUNCTION verdict(schema jsonb, instance jsonb, formats boolean) RETURNS text LANGUAGE plpgsql AS \$\$
BEGIN
	RETURN validate(schema, instance, (SELECT remotes FROM world), formats, '2020-12') = '[]';
EXCEPTION WHEN OTHERS THEN
	RETURN sqlerrm;
END \$\$;
SQL

foreach my $file (files_below("$suite/tests/draft2020-12"))
{
	my $name = substr($file, length("$suite/tests/draft2020-12/"));
	my $expected = 0;
	my @cases = judge_file($node, $file);

	$expected += @{ $_->{tests} } foreach @{ decode_json(slurp_file($file)) };
	is(scalar @cases, $expected, "$name: every test has a verdict");
	foreach my $case (@cases)
	{
		my ($group, $test, $has_nul, $valid, $verdict) = @$case;

		is($verdict, $valid, "$name: $group: $test" . ($has_nul ? ' (U+0001 in place of NUL)' : ''));
	}
}

my ($status, undef, $error) = $node->psql('postgres', qq{SELECT '"$nul"'::jsonb});
like($error, qr/unsupported Unicode escape sequence/, 'NUL is refused before a schema sees it');

$node->stop;
done_testing();
