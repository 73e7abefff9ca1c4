# Keys appear on the wire and nowhere else.
use strict;
use warnings;

use Arazzo;
use PostgreSQL::Test::Utils;
use Test::More;

my $mapped = 'mapped-key-7f3a91c2';
my $given = 'given-key-55d0e8b4';
my $stripe = 'sk_test_secret-19c7';
my $arazzo = Arazzo->new(
	shape => 'published',
	keys => 1,
	amberflo_key => $mapped,
	stripe_key => $stripe,
	config => [ 'log_min_messages = debug1', 'log_statement = none', "log_min_error_statement = panic" ]);
my $node = $arazzo->node;
my $sandbox = $arazzo->sandbox;
my $inputs = '{"meterApiName":"m","customerId":"c1","meterValue":1,"meterTimeInMillis":1718153645993,"amount":5}';
my $everything = '';

sub note_output
{
	my ($out, $error) = $arazzo->query($_[0]);

	$everything .= "$out\n$error\n";
	return ($out, $error);
}

sub key_seen
{
	my ($entry) = @{ $sandbox->ledger };

	return (map { $_->[1] } grep { lc $_->[0] eq 'x-api-key' } @{ $entry->{headers} })[0];
}

# from the user mapping
note_output("SELECT arazzo_run('meter-usage-and-topup-prepaid', '$inputs')");
is(key_seen(), $mapped, 'the mapping\'s key goes out when none was given');

# from the inputs
$sandbox->settings(amberflo_keys => [ $mapped, $given ]);
$sandbox->clear_ledger;
my $with_key = $inputs =~ s/^\{/{"apiKey":"$given",/r;
note_output("SELECT arazzo_run('meter-usage-and-topup-prepaid', '$with_key')");
is(key_seen(), $given, 'a key that was given goes out instead');

# everything that shows requests
foreach my $data ($inputs, $with_key)
{
	my ($out) = note_output("SELECT * FROM arazzo_trace('meter-usage-and-topup-prepaid', '$data')");

	like($out, qr/"X-API-KEY": "\*{8}"/, 'the trace masks the key');
	note_output("SELECT arazzo_explain('meter-usage-and-topup-prepaid', '$data')");
}
note_output(q{SELECT * FROM arazzo_trace('usage-to-stripe-meter',
	'{"meterApiName":"m","customerId":"c1","stripeEventName":"e","stripeCustomer":"cus_1","usageQuantity":"1"}')});

# a server that echoes keys, in bodies and headers
foreach my $key ($mapped, $given)
{
	my $data = $key eq $mapped ? $inputs : $with_key;

	foreach my $call ("SELECT * FROM arazzo_trace('meter-usage-and-topup-prepaid', '$data')",
		"SELECT arazzo_run('meter-usage-and-topup-prepaid', '$data')")
	{
		$sandbox->fault(path => '/ingest', fault => 'status', status => 403, count => 1,
			headers => { 'X-Echo' => $key }, body => "{\"errorMessage\": \"key $key is not allowed\"}");
		my ($out, $error) = note_output($call);
		like("$out$error", qr/key \*{8} is not allowed/, 'an echoed key is masked');
	}
}

# errors on the way
$sandbox->fault(path => '/ingest', fault => 'reset_before', count => 1);
note_output("SELECT arazzo_run('meter-usage-and-topup-prepaid', '$with_key')");
note_output("SELECT arazzo_run('meter-usage-and-topup-prepaid', '" . ($with_key =~ s/"amount":5/"amount":"x"/r) . "')");
note_output("CREATE USER MAPPING FOR PUBLIC SERVER amberflo OPTIONS (api_kye '$mapped')");
note_output("CREATE USER MAPPING FOR PUBLIC SERVER amberflo OPTIONS (api_key E'$mapped\\n')");

# while a call is under way
$node->safe_psql('postgres', 'CREATE ROLE other LOGIN');
$sandbox->clear_ledger;
$sandbox->fault(path => '/ingest', fault => 'hold', count => 1);
my ($out, $error) = ('', '');
my $busy = $arazzo->background("SELECT arazzo_run('meter-usage-and-topup-prepaid', '$inputs');\n", \$out, \$error);
ok($sandbox->wait_for_requests(1), 'a call is under way');
$everything .= $node->safe_psql('postgres', "SELECT * FROM pg_stat_activity WHERE query NOT LIKE '%pg_stat_activity%'");
$everything .= $node->safe_psql('postgres', 'SELECT * FROM pg_stat_activity', extra_params => [ '-U', 'other' ]);
$node->safe_psql('postgres', "SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE query LIKE 'SELECT arazzo_run%' AND state = 'active'");
$busy->finish;
like($error, qr/canceling statement due to user request/, 'it can be cancelled');
$everything .= $error;

# as an unprivileged role, and in a dump
$everything .= $node->safe_psql('postgres', 'SELECT * FROM pg_user_mappings; SELECT * FROM pg_foreign_server; SELECT * FROM arazzo_workflows',
	extra_params => [ '-U', 'other' ]);
my ($dump, $dump_error) = ('', '');
IPC::Run::run([ 'pg_dump', '-U', 'other', '-d', $node->connstr('postgres') ], '>', \$dump, '2>', \$dump_error);
$everything .= $dump . $dump_error;

# the log, but for what the test's own statements said at fault
$node->stop;
$everything .= slurp_file($node->logfile);

foreach my $secret ($mapped, $stripe)
{
	is(() = $everything =~ /\Q$secret\E/g, 0, "$secret is found nowhere");
}
my @lines = grep { /\Q$given\E/ && !/SELECT arazzo_run|"apiKey"/ } split /\n/, $everything;
is_deeply(\@lines, [], "$given is found nowhere but in the statements that gave it");

done_testing();
