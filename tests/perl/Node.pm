# A server whose queries may be polled while it restarts.  The original writes
# the query to psql, and dies when psql, which could not connect, has ended.
package Node;

use strict;
use warnings;

use parent -norequire, 'PostgreSQL::Test::Cluster';

use PostgreSQL::Test::Cluster ();
use PostgreSQL::Test::Utils ();
use Test::More ();
use Time::HiRes ();

sub new
{
	my ($class, @arguments) = @_;

	return bless PostgreSQL::Test::Cluster->new(@arguments), $class;
}

# Waits until a query returns true, or something else that is expected.
sub poll_query_until
{
	my ($self, $database, $query, $expected) = @_;
	my ($output, $errors);

	local %ENV = $self->_get_env;
	$expected //= 't';
	foreach (1 .. 10 * $PostgreSQL::Test::Utils::timeout_default)
	{
		IPC::Run::run([ $self->installed_command('psql'), '-XAt', '-d', $self->connstr($database), '-c', $query ], '<', '/dev/null',
			'>', \$output, '2>', \$errors);
		return 1 if $output eq "$expected\n" && $errors eq '';
		Time::HiRes::usleep(100_000);
	}
	Test::More::diag("gave up on:\n$query\nexpected:\n$expected\nlast output:\n$output\nerrors:\n$errors");
	return 0;
}

1;
