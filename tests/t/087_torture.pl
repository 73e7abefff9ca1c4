# Memory runs short at one allocation, no descriptor is left, a wait or a
# connection fails: an error that says so, or the work goes on without; the
# session lives, the next statement does all that it should, nothing stays.  A
# sample of the calls, the same ones every time; tests/soak lets each fail.
use strict;
use warnings;

use Test::More;
use Torture;

plan(skip_all => Torture::problem()) if Torture::problem();
Torture::run_all(palloc => 197, malloc => 499, resource => 1, call => 13, 'queued palloc' => 307, 'queued malloc' => 1301);
done_testing();
