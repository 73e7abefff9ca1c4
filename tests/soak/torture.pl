# Each allocation of a statement fails in turn, and so does each call that makes
# a descriptor, waits, connects, sends or receives: see tests/perl/Torture.pm.
# Shows how often the statement ended how.
use strict;
use warnings;

use Test::More;
use Torture;

plan(skip_all => Torture::problem()) if Torture::problem();
my $stride = $ENV{TORTURE} || 1;
Torture::run_all(palloc => $stride, malloc => $stride, resource => 1, call => 1);
done_testing();
