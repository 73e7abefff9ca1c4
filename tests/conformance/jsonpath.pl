# The compliance test suite of JSONPath (RFC 9535): each of its queries is
# either refused, or selects these values at these places in this order.

use strict;
use warnings;

use Cwd qw(abs_path);
use File::Basename qw(dirname);
use JSON::PP;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $top = abs_path(dirname(__FILE__) . '/../..');
my $suite = "$top/../shared/suites/jsonpath-rfc9535-cts.json";
my $rooms = $ENV{ARAZZO_ROOMS} || "$top/tests/module/arazzo_rooms.so";

plan(skip_all => 'the suite is not here: ../shared/suites/jsonpath-rfc9535-cts.json')
  unless -e $suite;
$suite = abs_path($suite);

my @cases = @{ decode_json(slurp_file($suite))->{tests} };
my $node = PostgreSQL::Test::Cluster->new('jsonpath');

$node->init;
$node->start;

# Queries are given as bytes, since some hold a NUL, which no text can; it is
# cut out where the server reads the suite.  The rest of a case stays the JSON
# text that it is until jsonb takes it over, so no number is rewritten.
$node->safe_psql('postgres', <<"SQL");
CREATE FUNCTION problem(query bytea) RETURNS text
	AS '$rooms', 'test_jsonpath_problem' LANGUAGE C STRICT;
CREATE FUNCTION apply(query bytea, document jsonb) RETURNS jsonb
	AS '$rooms', 'test_jsonpath' LANGUAGE C STRICT;

CREATE TABLE suite AS
	SELECT number, example
	FROM json_array_elements(replace(pg_read_file('$suite'), '\\u0000', '')::json -> 'tests')
		WITH ORDINALITY AS tests (example, number);

-- What is wrong with the answer to a case, or "right".
CREATE FUNCTION judge(wanted_number bigint, query bytea) RETURNS text LANGUAGE plpgsql AS \$\$
DECLARE
	example json := (SELECT s.example FROM suite s WHERE number = wanted_number);
	refused text := problem(query);
	answer jsonb;
	fits boolean;
BEGIN
	IF example ->> 'invalid_selector' = 'true' THEN
		RETURN CASE WHEN refused IS NULL THEN 'an invalid query was accepted' ELSE 'right' END;
	END IF;
	IF refused IS NOT NULL THEN
		RETURN refused;
	END IF;
	answer := apply(query, (example -> 'document')::jsonb);
	IF example -> 'results' IS NULL THEN
		fits := answer -> 'values' = (example -> 'result')::jsonb
			AND answer -> 'paths' = (example -> 'result_paths')::jsonb;
	ELSE
		fits := EXISTS (
			SELECT FROM generate_series(0, json_array_length(example -> 'results') - 1) AS i
			WHERE answer -> 'values' = (example -> 'results' -> i)::jsonb
				AND answer -> 'paths' = (example -> 'results_paths' -> i)::jsonb);
	END IF;
	RETURN CASE WHEN fits THEN 'right' ELSE 'the answer was ' || answer::text END;
EXCEPTION WHEN OTHERS THEN
	RETURN sqlstate || ': ' || sqlerrm;
END
\$\$;
SQL

my $script = '';
foreach my $number (1 .. @cases)
{
	my $query = $cases[ $number - 1 ]{selector};

	utf8::encode($query);
	$script .= "SELECT $number || ' ' || translate(judge($number, '\\x" . unpack('H*', $query)
	  . "'), E'\\n\\r', '  ');\n";
}

my %answer = map { split / /, $_, 2 } split /\n/, $node->safe_psql('postgres', $script);

foreach my $number (1 .. @cases)
{
	my $name = $cases[ $number - 1 ]{name};

	utf8::encode($name);
	is($answer{$number}, 'right', $name);
}

$node->stop;
done_testing();
