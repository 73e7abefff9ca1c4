# The recipes for pg_cron in README.md, with the real pg_cron: jobs queue runs
# and work the queue off, each way that pg_cron runs its jobs.  They are told
# to run when the server starts, so that nobody waits for midnight.
use strict;
use warnings;

use Arazzo;
use PostgreSQL::Test::Utils;
use Test::More;

my $library = `pg_config --pkglibdir` =~ s/\n//r . '/pg_cron.so';
my $version = `pg_config --version` =~ s/\D*(\d+).*/$1/sr;

plan(skip_all => "pg_cron is not installed (package postgresql-$version-cron)") unless -e $library;

my $arazzo = Arazzo->new(shape => 'published', keys => 1);
my $node = $arazzo->node;
my $sandbox = $arazzo->sandbox;

sub sql { return $node->safe_psql('postgres', $_[0]); }

# As the README has it: between the fences, from the heading on.
sub recipe
{
	my ($heading) = @_;
	my $readme = slurp_file("$Arazzo::TOP/README.md");

	return $readme =~ /^#+ \Q$heading\E$(?:(?!^#)[\s\S])*?```sql\n(.*?)```/ms ? $1 : die "no recipe \"$heading\"";
}

$node->append_conf('postgresql.conf', <<"CONF");
shared_preload_libraries = 'pg_cron'
cron.database_name = 'postgres'
cron.host = '@{[ $node->host ]}'
log_min_messages = info
CONF
$node->restart;
sql('CREATE EXTENSION pg_cron');
sql(<<'SQL');
CREATE TABLE billed_customers (customer text PRIMARY KEY, stripe_customer text NOT NULL);
INSERT INTO billed_customers VALUES ('customer-1', 'cus_1'), ('customer-2', 'cus_2');
CREATE TABLE usage_by_day (customer text, day date, quantity numeric, PRIMARY KEY (customer, day));
INSERT INTO usage_by_day SELECT customer, current_date - 1, 12.5 FROM billed_customers;
SQL
sql(recipe('pg_cron'));
is(sql('SELECT count(*) FROM cron.job'), '3', 'pg_cron takes the jobs');
sql("UPDATE cron.job SET schedule = '\@reboot'");

foreach my $workers ('off', 'on')
{
	sql('TRUNCATE arazzo_queue, arazzo_queue_attempts, cron.job_run_details');
	$sandbox->clear_ledger;
	$node->append_conf('postgresql.conf', "cron.use_background_workers = $workers\n");
	$node->restart;
	ok($node->poll_query_until('postgres', 'SELECT count(*) = 3 FROM cron.job_run_details WHERE end_time IS NOT NULL'),
		"all jobs ran, use_background_workers = $workers");
	is(sql("SELECT command, status, return_message FROM cron.job_run_details WHERE status <> 'succeeded'"), '', 'none failed');
	is(sql("SELECT count(*) FROM arazzo_queue WHERE workflow = 'usage-to-stripe-meter'"), '2', 'a run for each customer');

	# the jobs start side by side: the worker may have been the first
	$node->restart;
	ok($node->poll_query_until('postgres', "SELECT count(*) = 2 FROM arazzo_runs WHERE status = 'succeeded'"), 'worked off');
	is(join(' ', sort map { $_->{target} =~ s/\?.*//r } @{ $sandbox->ledger }),
		join(' ', ('/usage') x 2, ('/v1/billing/meter_events') x 2), 'each once, although the jobs ran again');
}

done_testing();
