# A standby runs workflows, follows documents that are loaded on the primary,
# and says that it cannot load any.
use strict;
use warnings;

use Arazzo;
use PostgreSQL::Test::Cluster;
use Test::More;

my $arazzo = Arazzo->new(shape => 'published', keys => 1,
	config => [ 'wal_level = replica', 'max_wal_senders = 4', 'hot_standby = on' ]);
my $primary = $arazzo->node;

$primary->backup('copy');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($primary, 'copy', has_streaming => 1);
$standby->start;
my $there = bless { %$arazzo, node => $standby }, ref $arazzo;

is($standby->safe_psql('postgres', 'SELECT count(*) FROM arazzo_workflows WHERE problem IS NULL'), 6, 'workflows');
my $inputs = '{"meterApiName":"m","customerId":"c1","meterValue":1,"meterTimeInMillis":1718153645993,"amount":5}';
my ($out, $error) = $there->query("SELECT arazzo_run('meter-usage-and-topup-prepaid', '$inputs')", params => ['-At']);
is($error, '', 'no error');
is($out, '{"orderId": "order-1", "ingestResult": "1 records were ingested"}', 'run');
is($standby->safe_psql('postgres', "SELECT string_agg(outcome, ' ') FROM arazzo_trace('meter-usage-and-topup-prepaid', '$inputs')"),
	'succeeded succeeded succeeded', 'trace');
is(scalar @{ $arazzo->seen }, 4, 'requests');

(undef, $error) = $there->query("SELECT arazzo_load('x:y', 'a: b')");
like($error, qr/^ERROR:  25006: cannot execute arazzo_load\(\) in a read-only transaction$/, 'cannot load');
(undef, $error) = $there->query("SELECT arazzo_unload('x:y')");
like($error, qr/^ERROR:  25006: cannot execute arazzo_unload\(\) in a read-only transaction$/, 'cannot unload');

foreach my $version (1, 2)
{
	$primary->safe_psql('postgres', "SELECT arazzo_load('https://d.example/w', 'arazzo: 1.0.1
info: {title: version $version, version: \"1\"}
sourceDescriptions: [{name: m, url: \"amberflo-arazzo:/workflows/openapi/amberflo-billing.yaml\", type: openapi}]
workflows: [{workflowId: w, steps: [{stepId: s$version, operationId: listCustomers}]}]')");
	$primary->wait_for_catchup($standby);
	like($standby->safe_psql('postgres', "SELECT arazzo_explain('w')"), qr/1\. s$version/, "version $version of a document arrived");
}
$standby->stop;
done_testing();
