# Every fuzz target takes its seeds, and some thousand inputs made of them that
# are the same every time, without a fault and without keeping memory.
# "make fuzz" goes on from there for as long as one likes.

use strict;
use warnings;

use Cwd qw(abs_path);
use File::Basename qw(dirname);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

# Inputs for each target, besides the seeds.
my $count = 3000;

my $tests = dirname(dirname(abs_path(__FILE__)));
my $rooms = $ENV{ARAZZO_ROOMS} // "$tests/module/arazzo_rooms.so";
my $node = PostgreSQL::Test::Cluster->new('fuzz');

$rooms =~ s/\.so$//;
$node->init(extra => ['--encoding=UTF8']);
$node->start;
$node->safe_psql('postgres', qq{
	CREATE FUNCTION test_fuzz_targets() RETURNS text[]
		AS '$rooms', 'test_fuzz_targets' LANGUAGE C;
	CREATE FUNCTION test_fuzz_mutations(target text, seeds bytea[], count int, start int) RETURNS int
		AS '$rooms', 'test_fuzz_mutations' LANGUAGE C STRICT;
});

# An array of the seeds of a target, as SQL.
sub seeds
{
	my ($target) = @_;
	my @items;

	foreach my $file (sort glob "$tests/fuzz/seeds/$target/*")
	{
		push @items, sprintf "'\\x%s'", unpack('H*', slurp_file($file));
	}
	return 'ARRAY[' . join(', ', @items) . ']::bytea[]';
}

my @targets = split /\n/, $node->safe_psql('postgres', 'SELECT unnest(test_fuzz_targets())');
my @seeded = sort map { m{([^/]+)$} } glob "$tests/fuzz/seeds/*";

is("@seeded", join(' ', sort @targets), 'there are seeds for every target');
foreach my $target (@targets)
{
	my ($status, $runs, $errors) = $node->psql('postgres',
		"SET statement_timeout = '170s'; SELECT test_fuzz_mutations('$target', " . seeds($target) . ", $count, 1)");

	cmp_ok($runs || 0, '>', $count, "$target has no fault") or diag($errors);
}
$node->stop;

done_testing();
