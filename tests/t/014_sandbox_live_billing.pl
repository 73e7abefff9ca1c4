# The sandbox as the real Amberflo behaves: plans, prepaid orders, the wallet,
# invoices.
use strict;
use warnings;

use JSON::PP;
use Sandbox;
use Test::More;

my $now = 1718153645993;
my $sandbox = Sandbox->start(amberflo_key => 'k', shape => 'live', args => [ '--now-ms', $now ]);

sub call
{
	my ($method, $target, $body) = @_;
	return $sandbox->call($method, $target, { 'X-API-KEY' => 'k', 'Content-Type' => 'application/json' }, $body);
}

sub body { return JSON::PP->new->utf8->allow_nonref->decode(call(@_)->{content}); }

sub refused
{
	my ($text, $name, @request) = @_;
	my $answer = call(@request);

	is($answer->{status}, 400, "$name: 400");
	is_deeply([ keys %{ decode_json($answer->{content}) } ], ['errorMessage'], "$name: only errorMessage");
	like($answer->{content}, $text, "$name: the reason");
}

# Plans.
my $plans = '/payments/pricing/amberflo/customer-pricing';
is(body('POST', $plans, '{"customerId":"c","productPlanId":"p"}')->{relationId}, 'relation-1', 'a plan');
is(body('POST', $plans, '{"customerId":"c","productPlanId":"p","startTimeInSeconds":5}')->{relationId}, 'relation-1', 'again is the same relation');
is(body('POST', $plans, '{"customerId":"c","productPlanId":"q"}')->{productId}, '1', 'the default product');
is(body('GET', "$plans?CustomerId=c")->{productPlanId}, 'q', 'the latest');
is(scalar @{ body('GET', "$plans/list?CustomerId=c") }, 2, 'all of them');
refused(qr/'CustomerId' is required/, 'plans of nobody', 'GET', "$plans?customerId=c");

call('POST', '/ingest', '{"meterTimeInMillis":1718153645993,"meterApiName":"m","customerId":"c","meterValue":2.5}');

# Prepaid orders are cards of a wallet, drawn down by settled usage.
my $orders = '/payments/pricing/amberflo/customer-prepaid';
my $order = '{"id":"%s","customerId":"c","startTimeInSeconds":1718153645,"prepaidPrice":2%s}';
my $paid = body('POST', $orders, sprintf $order, 'o1', ',"recurrenceFrequency":{"interval":"MONTH","intervalsCount":1}');
is($paid->{recurrenceFrequency}{interval}, 'month', 'the interval comes back in lower case');
is($paid->{paymentStatus}, 'settled', 'charged at once');
refused(qr/already exists with 'id': o1/, 'the same id again', 'POST', $orders, sprintf $order, 'o1', '');
refused(qr/greater than 0/, 'no price', 'POST', $orders, sprintf($order, 'o9', '') =~ s/:2/:0/r);
my $external = body('POST', $orders, sprintf $order, 'o2', ',"externalPayment":true,"originalWorth":3');
is($external->{paymentStatus}, 'requires_action', 'paid elsewhere');
my $left = sub { [ map { $_->{left} } @{ body('GET', '/payments/billing/customer-prepaid-wallet?customerId=c')->{prepaidCards} } ] };
is_deeply($left->(), [ 2, 3 ], 'draw-down is late');
$sandbox->settle;
is_deeply($left->(), [ 0, 3 ], 'a card that is not paid is not drawn from');
is(body('POST', '/payments/external/prepaid-payment-status', "{\"prepaidUri\":\"$external->{firstInvoiceUri}\",\"paymentStatus\":\"SETTLED\",\"systemName\":\"s\",\"paymentId\":\"p\"}")->{paymentId}, 'p', 'the payment is reported');
is_deeply($left->(), [ 0, 2.5 ], 'then it is');
is(body('POST', "$orders/extend", '{"id":"o2","customerId":"c","endTimeInSeconds":7}')->{endTimeInSeconds}, 7, 'extended');
is(scalar @{ body('GET', "$orders/list?CustomerId=c&ProductId=1") }, 2, 'orders are listed');
is(body('DELETE', "$orders?Id=o1&CustomerId=c")->{id}, 'o1', 'and deleted');

# Invoices.
my $invoices = '/payments/billing/customer-product-invoice';
my $invoice = body('GET', "$invoices/all?customerId=c")->[0];
is("$invoice->{invoicePriceStatus} $invoice->{totalBill}{totalPrice} $invoice->{availablePrepaidLeft}", 'open 2.5 0.5', 'an open invoice');
$sandbox->settings(now_ms => 1719792000000);
is(body('GET', "$invoices?customerId=c&latest=true")->{invoicePriceStatus}, 'grace_period', 'in its time of grace');
$sandbox->settings(now_ms => 1719792000000 + 86400000);
is(body('GET', "$invoices?customerId=c&year=2024&month=6&day=1")->{invoicePriceStatus}, 'price_locked', 'and after it');
is(body('GET', "$invoices?customerId=x&latest=true"), undef, 'none is null');

is($sandbox->stop, 0, 'it stops with success');
done_testing();
