use strict;
use warnings;

use FaultTable;
use Test::More;

my $table = FaultTable->new(answers => {
 '/reset' => ['RESET'],
 '/cut' => [ "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf", 'CLOSE' ],
});
$table->row('8', 'RST at once', 'transient', FaultTable::run('read', 'reset'), 'x');
$table->row('11', 'body cut', 'error', FaultTable::run('write', 'cut'), 'x');
$table->row('11', 'body cut', 'error', FaultTable::run('retry', 'cut'), 'x');
diag $table->session->ask(FaultTable::run('read', 'reset'));
done_testing();
