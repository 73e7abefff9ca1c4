# The workflows that ship, and those that others published, against the sandbox:
# outputs, and the exact request lines, content types and bodies.
use strict;
use warnings;

use Arazzo;
use Test::More;

my $arazzo = Arazzo->new(shape => 'published', keys => 1);
my $json = 'application/json';

# name, inputs, outputs, requests
my @runs = (
	[
		'meter-usage-and-topup-prepaid',
		'{"meterApiName":"api-calls","customerId":"c1","meterValue":12345678901234567890.123456789,'
		  . '"meterTimeInMillis":1718153645993,"amount":500}',
		'{"orderId": "order-1", "ingestResult": "1 records were ingested"}',
		[
			"POST /ingest $json "
			  . '{"meterApiName":"api-calls","customerId":"c1","meterValue":12345678901234567890.123456789,"meterTimeInMillis":1718153645993}',
			"POST /payments-pricing-amberflo-customer-prepaid $json "
			  . '{"customerId":"c1","amount":500}'
		]
	],
	[
		'meter-usage-and-topup-prepaid',
		'{"meterApiName":"api-calls","customerId":"c1","meterValue":-0.10,"meterTimeInMillis":1718153645994,'
		  . '"uniqueId":"u-1","amount":12.50,"currency":"USD","expirationTime":1893456000000}',
		'{"orderId": "order-2", "ingestResult": "1 records were ingested"}',
		[
			"POST /ingest $json "
			  . '{"meterApiName":"api-calls","customerId":"c1","meterValue":-0.10,"meterTimeInMillis":1718153645994,"uniqueId":"u-1"}',
			"POST /payments-pricing-amberflo-customer-prepaid $json "
			  . '{"customerId":"c1","amount":12.50,"currency":"USD","expirationTime":1893456000000}'
		]
	],
	[
		'launch-usage-based-product',
		'{"meterApiName":"launch-calls","displayName":"Calls","type":"SUM_OF_ALL_USAGE","customerId":"c2",'
		  . '"customerName":"C \"two\" Ünlimited","productId":"p1","meterValue":3,"meterTimeInMillis":1718153645995}',
		'{"customerId": "c2", "ingestResult": "1 records were ingested", "meterApiName": "launch-calls", "assignedProductId": "p1"}',
		[
			"POST /meter-definition $json "
			  . '{"meterApiName":"launch-calls","displayName":"Calls","type":"SUM_OF_ALL_USAGE","dimensions":[]}',
			"POST /customers $json "
			  . "{\"customerId\":\"c2\",\"customerName\":\"C \\\"two\\\" \x{dc}nlimited\",\"lifecycleStage\":\"ACTIVE\"}",
			"POST /payments-pricing-amberflo-customer-pricing $json "
			  . '{"customerId":"c2","productId":"p1"}',
			"POST /ingest $json "
			  . '{"meterApiName":"launch-calls","customerId":"c2","meterValue":3,"meterTimeInMillis":1718153645995}'
		]
	],
	[
		'create-meter-and-ingest-event',
		'{"meterApiName":"other-calls","displayName":"Other","type":"MAX_IN_PERIOD","customerId":"c2",'
		  . '"meterValue":7,"meterTimeInMillis":1718153645996,"uniqueId":"u-2"}',
		'{"ingestResult": "1 records were ingested", "meterApiName": "other-calls"}',
		[
			"POST /meter-definition $json "
			  . '{"meterApiName":"other-calls","displayName":"Other","type":"MAX_IN_PERIOD","dimensions":[]}',
			"POST /ingest $json "
			  . '{"meterApiName":"other-calls","customerId":"c2","meterValue":7,"meterTimeInMillis":1718153645996,"uniqueId":"u-2"}'
		]
	],
	[
		'provision-customer-billing',
		'{"customerId":"c3","customerName":"Three","customerEmail":"three@example.com","productId":"p1","amount":100}',
		'{"orderId": "order-3", "customerId": "c3", "assignedProductId": "p1"}',
		[
			"POST /customers $json "
			  . '{"customerId":"c3","customerName":"Three","customerEmail":"three@example.com","lifecycleStage":"ACTIVE"}',
			"POST /payments-pricing-amberflo-customer-pricing $json "
			  . '{"customerId":"c3","productId":"p1"}',
			"POST /payments-pricing-amberflo-customer-prepaid $json "
			  . '{"customerId":"c3","amount":100}'
		]
	],
	[
		'ingest-events-batch',
		'{"events":[{"meterApiName":"api-calls","customerId":"c1","meterValue":0.10,"meterTimeInMillis":1718153645997,"uniqueId":"b-1"},'
		  . '{"customerId":"c2","meterTimeInMillis":1718153645998,"values":{"api-calls":2}}]}',
		'{"ingestResult": "2 records were ingested"}',
		[
			"POST /ingest $json "
			  . '[{"uniqueId":"b-1","customerId":"c1","meterValue":0.10,"meterApiName":"api-calls","meterTimeInMillis":1718153645997},'
			  . '{"values":{"api-calls":2},"customerId":"c2","meterTimeInMillis":1718153645998}]'
		]
	],
	[
		'usage-to-stripe-meter',
		'{"meterApiName":"api-calls","customerId":"c1","stripeEventName":"api_requests","stripeCustomer":"cus_1","usageQuantity":"25"}',
		undef,
		[
			"POST /usage $json "
			  . '{"meterApiName":"api-calls","aggregation":"SUM","timeGroupingInterval":"DAY","filter":{"customerId":["c1"]}}',
			'POST /v1/billing/meter_events application/x-www-form-urlencoded '
			  . 'event_name=api_requests&payload%5Bstripe_customer_id%5D=cus_1&payload%5Bvalue%5D=25'
		]
	]);

# Runs a workflow; $prefix names it and $credential is its input, if it takes one.
sub check_run
{
	my ($workflow, $inputs, $outputs, $requests, $what) = @_;
	my ($out, $error);

	$arazzo->sandbox->clear_ledger;
	($out, $error) = $arazzo->query("SELECT arazzo_run(" . Arazzo::quote($workflow) . ', ' . Arazzo::quote($inputs) . ')');
	is($error, '', "$what runs");
	is($out, $outputs, "$what: outputs") if defined $outputs;
	is_deeply($arazzo->seen, $requests, "$what: requests");
	return $out;
}

foreach my $run (@runs)
{
	my ($name, $inputs, $outputs, $requests) = @$run;

	check_run($name, $inputs, $outputs, $requests, $name);
}

my $entry = $arazzo->sandbox->ledger->[1];
my %headers = map { lc $_->[0] => $_->[1] } @{ $entry->{headers} };
is($headers{authorization}, 'Bearer sk_test_stripe_key', 'the token of the user mapping goes to Stripe');
is($headers{'x-api-key'}, undef, 'and the other key does not');

like($arazzo->sandbox->state_text, qr/12345678901234567890\.123456789/, 'the meter value arrives digit for digit');

SKIP:
{
	my @documents = (
		[ 'amberflo/openapi/amberflo-billing-openapi.yaml', 'https://published.example/' ],
		[ 'amberflo/openapi/amberflo-metering-openapi.yaml', 'https://published.example/' ],
		[ 'amberflo/arazzo/amberflo-create-meter-and-ingest-event-workflow.yml', 'https://published.example/' ],
		[ 'amberflo/arazzo/amberflo-launch-usage-based-product-workflow.yml', 'https://published.example/' ],
		[ 'amberflo/arazzo/amberflo-meter-usage-and-topup-prepaid-workflow.yml', 'https://published.example/' ],
		[ 'amberflo/arazzo/amberflo-provision-customer-billing-workflow.yml', 'https://published.example/' ],
		[ 'cross-provider/fin-amberflo-usage-to-stripe-meter.yml', 'https://published.example/' ],
		[ 'stripe/openapi/stripe-billing-meters-api-openapi.yml', 'https://raw.githubusercontent.com/api-evangelist/stripe/refs/heads/main/openapi/', 1 ],
		[ 'amberflo/openapi/amberflo-metering-openapi.yaml', 'https://raw.githubusercontent.com/api-evangelist/amberflo/refs/heads/main/openapi/', 1 ]);
	my %files = (
		'create-meter-and-ingest-event' => 'amberflo/arazzo/amberflo-create-meter-and-ingest-event-workflow.yml',
		'launch-usage-based-product' => 'amberflo/arazzo/amberflo-launch-usage-based-product-workflow.yml',
		'meter-usage-and-topup-prepaid' => 'amberflo/arazzo/amberflo-meter-usage-and-topup-prepaid-workflow.yml',
		'provision-customer-billing' => 'amberflo/arazzo/amberflo-provision-customer-billing-workflow.yml',
		'usage-to-stripe-meter' => 'cross-provider/fin-amberflo-usage-to-stripe-meter.yml');

	skip 'the published documents are not there (../shared/published)', 1
	  unless defined Arazzo::published($documents[0][0]);
	foreach my $document (@documents)
	{
		my ($path, $base, $flat) = @$document;
		my $name = $flat ? ($path =~ s{.*/}{}r) : $path;
		my ($out, $error) = $arazzo->query("SET client_min_messages = error; SELECT arazzo_load("
			  . Arazzo::quote("$base$name") . ', ' . Arazzo::quote(Arazzo::published($path)) . ')');

		is($error, '', "published $path loads");
	}
	is($arazzo->node->safe_psql('postgres', "SELECT count(*) FROM arazzo_workflows WHERE document LIKE 'https:%' AND problem IS NULL"),
		5, 'all published workflows can be planned');
	$arazzo->sandbox->reset;
	foreach my $run (grep { $files{ $_->[0] } } @runs)
	{
		my ($name, $inputs, $outputs, $requests) = @$run;
		my $workflow = "https://published.example/$files{$name}#$name";

		check_run($workflow, $inputs, $outputs, $requests, "published $name");
	}
	my ($out, $error) = $arazzo->query("SELECT arazzo_run('usage-to-stripe-meter')");
	like($error, qr/^ERROR:  42725: workflow "usage-to-stripe-meter" is in several documents\nDETAIL:  Candidates are 'amberflo-arazzo:/,
		'an id in two documents is ambiguous');
	ok(defined Arazzo::published($documents[0][0]), 'the published documents are run byte for byte');
}

done_testing();
