# Workflows of our own, one for each feature and branch (tests/scenarios): run
# to the expected end, the exact requests compared.
use strict;
use warnings;

use Arazzo;
use Scenario;
use Test::More;

my $arazzo = Arazzo->new(name => 'scenarios', shape => 'published');
my @words = @ARGV;
my $count = 0;

foreach my $file (sort glob "$Arazzo::TOP/tests/scenarios/*.scenarios")
{
	next if @words && !grep { index($file, $_) >= 0 } @words;
	$count += Scenario::check_file($arazzo, $file);
}
cmp_ok($count, '>=', 60, "$count scenarios") unless @words;

done_testing();
