# ALTER EXTENSION UPDATE while a worker is busy: it takes no notice. In a copy
# of the installation, which has a later version.
use strict;
use warnings;

use Billing;
use File::Basename qw(dirname);
use File::Path qw(make_path);
use HttpRoom ();
use PostgreSQL::Test::Utils;
use Test::More;

# PostgreSQL finds its files from where its programs are.
my %at;
foreach my $name (qw(bindir pkglibdir sharedir))
{
	chomp($at{$name} = `pg_config --$name`);
}
my ($root) = "$at{bindir}\n$at{sharedir}" =~ m{^(.*)/.*\n\1/} or die 'the installation has no root';
my $copy = PostgreSQL::Test::Utils::tempdir();
foreach my $name (sort keys %at)
{
	my $place = $copy . substr($at{$name}, length $root);

	make_path(dirname($place));
	system('cp', '-a', $at{$name}, $place) == 0 or die 'could not copy the installation';
	$at{$name} = $place;
}
append_to_file("$at{sharedir}/extension/amberflo_arazzo--0.1.0--0.1.1.sql", <<'SQL');
\echo Use "ALTER EXTENSION amberflo_arazzo UPDATE" to load this file. \quit
ALTER TABLE @extschema@.arazzo_queue ADD COLUMN later int NOT NULL DEFAULT 1;
CREATE INDEX arazzo_queue_later ON @extschema@.arazzo_queue (later);
CREATE FUNCTION @extschema@.arazzo_later() RETURNS int LANGUAGE sql AS 'SELECT 1';
SQL

my $billing = Billing->new(workers => 1, install_path => dirname($at{bindir}));
my $node = $billing->node;
my $sandbox = $billing->sandbox;

sub sql { return $billing->sql($_[0]); }

$sandbox->fault(path => '/ingest', fault => 'hold', count => 1);
$sandbox->fault(path => '/payments*', fault => 'hold', count => 1);
$billing->submit('before');
ok($sandbox->wait_for_requests(1), 'a call is on its way');
my $pid = $billing->pid;
$billing->submit('waits', "not_before => now() + interval '1 hour'");
sql(q{ALTER EXTENSION amberflo_arazzo UPDATE TO '0.1.1'});
is(sql(q{SELECT extversion FROM pg_extension WHERE extname = 'amberflo_arazzo'}), '0.1.1', 'the extension is updated');
$sandbox->release;
ok($sandbox->wait_for_requests(2), 'the run goes on');
is(sql('SELECT arazzo_later() = max(later) FROM arazzo_queue WHERE sending IS NOT NULL'), 't', 'in the tables as they are now');

# one that fails, and one that takes its time with the tables locked
my $session = HttpRoom::session($node);
$session->ask('BEGIN; ALTER EXTENSION amberflo_arazzo DROP FUNCTION arazzo_later(); LOCK TABLE arazzo_queue;');
$sandbox->release;
ok($billing->wait_for_lock, 'the worker waits while the tables are locked');
$session->ask('ROLLBACK;');
ok($billing->wait_for_run('before', "status = 'succeeded'"), 'and goes on after that');
sql(q{UPDATE arazzo_queue SET due = now() WHERE due > now()});
$billing->submit('after');
ok($billing->wait_for_run($_, "status = 'succeeded'"), "the run $_ goes through") foreach qw(waits after);
is($billing->faults(3, over => 'succeeded'), '', 'nothing lost, nothing twice');
is(join(' ', map { $billing->seen->{$_}{event} } qw(before waits after)), '1 1 1', 'no event was repeated');
is($billing->pid, $pid, 'all by the same worker');

$node->stop('fast');
unlike(slurp_file($node->logfile), qr/could not work|PANIC|TRAP|signal 11/, 'and nothing was refused');
done_testing();
