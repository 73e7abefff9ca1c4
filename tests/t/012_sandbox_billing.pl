# The sandbox as the published description of Amberflo has it: meters, customers,
# orders, plans, invoices.
use strict;
use warnings;

use JSON::PP;
use Sandbox;
use Test::More;

my $now = 1718153645993;
my $sandbox = Sandbox->start(amberflo_key => 'k', args => [ '--now-ms', $now ]);

sub call
{
	my ($method, $target, $body) = @_;
	return $sandbox->call($method, $target, { 'X-API-KEY' => 'k', 'Content-Type' => 'application/json' }, $body);
}

sub body
{
	my ($answer) = @_;
	return decode_json($answer->{content});
}

sub refused
{
	my ($answer, $text, $name) = @_;

	is($answer->{status}, 400, "$name: 400");
	like(body($answer)->{errorMessage}, $text, "$name: the reason");
}

# Meters.
my $meter = '{"meterApiName":"calls","displayName":"Calls","type":"SUM_OF_ALL_USAGE","dimensions":[]}';
is_deeply(body(call('POST', '/meter-definition', $meter)), { %{ decode_json($meter) }, label => 'calls', meterTimeInMillis => $now }, 'a meter is made');
refused(call('POST', '/meter-definition', $meter), qr/^Invalid request: Meter already exists with 'meterApiName': calls$/, 'the same meter again');
refused(call('POST', '/meter-definition', $meter =~ s/SUM_OF_ALL_USAGE/sum/r), qr/'type' must be one of/, 'an unknown type');
is(body(call('PUT', '/meter-definition', $meter =~ s/"Calls"/"All calls"/r))->{displayName}, 'All calls', 'a meter is changed');
is(body(call('GET', '/meter-definition/calls'))->{displayName}, 'All calls', 'and read');
is(scalar @{ body(call('GET', '/meter-definition')) }, 1, 'and listed');
is(call('DELETE', '/meter-definition/calls')->{status}, 200, 'and deleted');
is(call("$_", '/meter-definition/calls')->{status}, 404, "$_ of none") foreach qw(GET DELETE);
is(body(call('POST', '/meter-event-filtering-rules', '{"meterApiName":"m","action":"EXCLUDE"}'))->{ruleId}, 'rule-1', 'a filtering rule');
is(scalar @{ body(call('GET', '/meter-event-filtering-rules?meterApiName=m')) }, 1, 'is listed');

# Customers.
my $customer = '{"customerId":"a/b c","customerName":"A","customerEmail":"a@b","lifecycleStage":"ACTIVE","traits":{"x":"1"},"address":{"line1":"1","city":"2","country":"3"}}';
is_deeply(body(call('POST', '/customers?autoCreateCustomerInStripe=if_payment_provider', $customer)),
	{ %{ decode_json($customer) }, test => JSON::PP::false, createTime => $now, updateTime => $now }, 'a customer is made');
refused(call('POST', '/customers', $customer), qr/already exists/, 'the same customer again');
refused(call('POST', '/customers?autoCreateCustomerInStripe=true', $customer), qr/autoCreate/, 'a value of the other shape');
refused(call('POST', '/customers', $customer =~ s/ACTIVE/TRIAL/r), qr/'lifecycleStage' must be one of/, 'an unknown stage');
refused(call('POST', '/customers', $customer =~ s/a\@b/ab/r), qr/e-mail/, 'no address');
refused(call('POST', '/customers', $customer =~ s/"line1":"1",//r), qr/'line1' is required/, 'an incomplete address');
is(body(call('GET', '/customers/a%2Fb%20c'))->{customerName}, 'A', 'its path is decoded');
is(body(call('PUT', '/customers', '{"customerId":"a/b c","customerName":"B"}'))->{traits}, undef, 'PUT replaces it all');
is(scalar @{ body(call('GET', '/customers')) }, 1, 'customers are listed');
is(call('DELETE', '/customers/a%2Fb%20c')->{content}, '', 'deletion has no body');
is(call('GET', '/customers/a%2Fb%20c')->{status}, 404, 'and then there is none');

# Orders, plans, invoices.
call('POST', '/ingest', '{"meterTimeInMillis":1718153645993,"meterApiName":"m","customerId":"c","meterValue":1.1}');
$sandbox->settle;
is_deeply(body(call('POST', '/payments-pricing-amberflo-customer-prepaid', '{"customerId":"c","amount":500}')),
	{ orderId => 'order-1', customerId => 'c', amount => 500, createTime => $now }, 'an order');
is(body(call('POST', '/payments-pricing-amberflo-customer-prepaid', '{"customerId":"c","amount":0.5}'))->{orderId}, 'order-2', 'and another one');
refused(call('POST', '/payments-pricing-amberflo-customer-prepaid', "{\"customerId\":\"c\",\"amount\":$_}"), qr/greater than 0/, "amount $_") foreach qw(0 -1 0.0e5 "1" null);
is_deeply(body(call('POST', '/payments-pricing-amberflo-customer-pricing', '{"customerId":"c","productId":"p"}')),
	{ customerId => 'c', productId => 'p', startTime => $now }, 'a plan is assigned');
is_deeply(body(call('GET', '/payments-billing-customer-product-invoice?customerId=c')),
	[ { invoiceId => 'inv-c-2024-06', customerId => 'c', startTime => 1717200000, endTime => 1719792000, totalAmount => 1.1, currency => 'USD', status => 'DRAFT' } ], 'an invoice of settled usage');
refused(call('GET', '/payments-billing-customer-product-invoice'), qr/'customerId' is required/, 'invoices of nobody');
$sandbox->settings(strict_customers => 1);
refused(call('POST', '/payments-pricing-amberflo-customer-prepaid', '{"customerId":"nobody","amount":1}'), qr/Customer not found/, 'a strict sandbox');
is(call('GET', '/meters')->{status}, 404, 'paths of the other shape are unknown');

is($sandbox->stop, 0, 'it stops with success');
done_testing();
