# Functions stay small: at most 100 lines, complexity at most 20 (one and one
# more for each if, loop, case group, conditional, && and ||; a switch counts
# once).  Files stay below 800 lines.

use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use Lint;
use Test::More;

my $max_lines = 100;
my $max_complexity = 20;
my $max_file = 800;
my @lengths;

sub complexity
{
	my ($text) = @_;
	my $count = 1;

	$count++ while $text =~ /\b(?:if|for|while|switch|foreach\w*|forboth|PG_CATCH)\s*\(|&&|\|\||\?/g;
	return $count;
}

foreach my $file (files(qr/\.c$/, 'src', 'tests/module', 'tests/sandbox', 'tests/bench', 'tests/fuzz'))
{
	my @wrong;
	my $lines = () = slurp($file) =~ /\n/g;

	push @wrong, "has $lines lines" if $lines > $max_file;
	foreach my $function (functions($file))
	{
		my $complexity = complexity($function->{text});

		push @lengths, $function->{length} if $file =~ m{^src/};
		push @wrong, "$function->{name} has $function->{length} lines"
		  if $function->{length} > $max_lines;
		push @wrong, "$function->{name} has complexity $complexity"
		  if $complexity > $max_complexity;
	}
	is(join('; ', @wrong), '', "$file is in small pieces");
}

@lengths = sort { $a <=> $b } @lengths;
cmp_ok($lengths[ @lengths / 2 ] // 0, '<=', 25, 'half of the functions have 25 lines or fewer');
note(sprintf '%d functions, median %d, 90 %% within %d, longest %d lines',
	scalar @lengths, $lengths[ @lengths / 2 ], $lengths[ @lengths * 0.9 ], $lengths[-1])
  if @lengths;

done_testing();
