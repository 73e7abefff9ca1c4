# Every symbol the library shows to the linker begins with arazzo_, or is one
# that PostgreSQL looks for.

use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use Lint;
use Test::More;

my $library = 'amberflo_arazzo.so';

plan(skip_all => "$library is not built") unless -e $library;

my @symbols = map { (split)[-1] } split /\n/, `nm -D --defined-only $library`;

# The address sanitizer marks variables with names of its own.
@symbols = grep { !/^__odr_asan/ } @symbols;
my @wrong = grep {
	!/^(arazzo_\w+|Pg_magic_func|pg_finfo_arazzo_\w+|_PG_init|_init|_fini|__bss_start|_edata|_end)$/
} @symbols;

cmp_ok(scalar(grep { /^_PG_init$/ } @symbols), '==', 1, 'the library has its entry point');
is("@wrong", '', 'no symbol can clash with those of another library');

done_testing();
