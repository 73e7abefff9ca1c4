# Proves that the reader gives what the YAML test suite expects: each case
# with a JSON value gives that value, each case that must fail is an error,
# and so is a stream that does not hold exactly one document.
use strict;
use warnings FATAL => 'all';

use Encode;
use Cwd qw(abs_path);
use File::Basename qw(dirname);
use JSON::PP;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $top = abs_path(dirname(__FILE__) . '/../..');
my $suite = "$top/../shared/suites/yaml-1.2-suite.json";
my $rooms = $ENV{ARAZZO_ROOMS} || "$top/tests/module/arazzo_rooms.so";

# Cases in which the events of libyaml 0.2.5 differ from YAML 1.2, each seen
# with a program that prints nothing but these events.
my $tab = 'takes a tab for indentation where it is separation or content';
my $colon = 'takes ":" for an indicator where it begins a plain scalar';
my $key = 'wants the ":" of a flow mapping on the line of its key';
my $name = 'allows letters, digits, "-" and "_" in anchors only';
my $question = 'takes "?" for an indicator where it begins a plain scalar; the reader refuses that';
my $indent = 'does not check the indentation of lines within flow nodes and quoted scalars';
my %refused = (
	'2SXE' => $name,
	'4MUZ-2' => $key,
	'58MP' => $colon,
	'5MUD' => $key,
	'5T43' => $colon,
	'652Z' => $question,
	'6BCT' => $tab,
	'8XYN' => $name,
	'96NN-0' => $tab,
	'9SA2' => $key,
	'A2M4' => $tab,
	'DBG4' => $colon,
	'DK3J' => 'wants the content of a block scalar indented at the top level too',
	'DK95-0' => $tab,
	'DK95-3' => $tab,
	'DK95-4' => $tab,
	'FP8R' => 'wants the content of a block scalar indented at the top level too',
	'HM87-0' => $colon,
	'HM87-1' => $question,
	'K3WX' => $key,
	'NJ66' => $key,
	'R4YG' => $tab,
	'VJP3-1' => $key,
	'W5VH' => $name,
	'Y2GN' => "$name; the reader refuses what libyaml would take for the value",
	'Y79Y-1' => $tab,
	'Y79Y-10' => $tab);
my %accepted = (
	'9C9N' => $indent,
	'DK95-1' => $indent,
	'QB6E' => $indent,
	'S98Z' => 'does not check the indentation of blank lines that begin a block scalar',
	'Y79Y-3' => $indent);
my %misread = (
	'L24T-1' => 'adds no line break to a last line of blanks that has none');

plan skip_all => 'no ../shared/suites/yaml-1.2-suite.json' unless -e $suite;

# All cases are read in one session; results come back as one row a case.
sub read_cases
{
	my ($node, $cases) = @_;
	my $script = $node->basedir . '/cases.sql';

	open(my $file, '>', $script) or die "could not write $script: $!";
	print $file <<"SQL";
CREATE FUNCTION test_document_read(bytea) RETURNS jsonb
	AS '$rooms', 'test_document_read' LANGUAGE C STRICT;
CREATE FUNCTION attempt(document bytea, expected jsonb) RETURNS text LANGUAGE plpgsql AS \$\$
DECLARE
	value jsonb;
	place text;
BEGIN
	value := test_document_read(document);
	RETURN CASE WHEN value = expected THEN 'same' ELSE 'value ' || value::text END;
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS place = PG_EXCEPTION_DETAIL;
	RETURN 'error ' || sqlstate || ' ' || sqlerrm || ' ' || place;
END \$\$;
SQL
	foreach my $case (@$cases)
	{
		my $yaml = unpack('H*', Encode::encode('UTF-8', $case->{yaml}));
		my $json = defined $case->{value}
		  ? "convert_from('\\x" . unpack('H*', Encode::encode('UTF-8', $case->{value})) . "', 'UTF8')::jsonb"
		  : 'NULL';
		print $file "SELECT attempt('\\x$yaml', $json);\n";
	}
	close($file);
	return split(/\n/, $node->safe_psql('postgres', "\\i $script"));
}

# How many JSON values a text holds: strings, then innermost containers, are
# replaced by one letter, until only such values are left.
sub count_values
{
	my ($text) = @_;

	$text =~ s/"(?:[^"\\]|\\.)*"/v/gs;
	1 while $text =~ s/\[[^][{}]*\]|\{[^][{}]*\}/ v /gs;
	return scalar(my @values = $text =~ /\S+/g);
}

# One test a case; what is known of libyaml is allowed, and nothing else.
sub check_case
{
	my ($case, $result) = @_;
	my ($id, $name) = ("$case->{id}", "$case->{id} $case->{name}");
	my $expected =
	  $case->{fail} ? 'error' : defined $case->{value} ? 'same' : 'either';
	my $kind = $result =~ /^(same|value|error)/ ? $1 : 'nothing';

	if ($expected eq 'error' && $kind ne 'error' && $accepted{$id})
	{
		pass("$name (libyaml accepts it: $accepted{$id})");
	}
	elsif ($expected eq 'same' && $kind eq 'error' && $refused{$id})
	{
		pass("$name (libyaml refuses it: $refused{$id})");
	}
	elsif ($expected eq 'same' && $kind eq 'value' && $misread{$id})
	{
		pass("$name (libyaml misreads it: $misread{$id})");
	}
	elsif ($expected eq 'either')
	{
		ok($kind eq 'value' || $kind eq 'error', "$name (no expectation)");
	}
	else
	{
		is($kind, $expected, $name) or diag("$case->{yaml}\n$result");
	}
	like($result, qr/Line \d+, column \d+\./, "$id: error has a position") if $kind eq 'error';
}

open(my $file, '<:raw', $suite) or die "could not read $suite: $!";
my $cases = decode_json(do { local $/; <$file> });
close($file);
foreach my $case (@$cases)
{
	next if !defined $case->{json};
	# jsonb has one value: other streams are to be refused
	if (count_values($case->{json}) == 1) { $case->{value} = $case->{json}; }
	else { $case->{fail} = 1; }
}

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init(extra => [ '--encoding=UTF8', '--locale=C' ]);
$node->start;
my @results = read_cases($node, $cases);
is(scalar @results, scalar @$cases, 'every case has a result');
check_case($cases->[$_], $results[$_] // '') foreach (0 .. $#$cases);
$node->stop;
done_testing();
