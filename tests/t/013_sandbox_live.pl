# The sandbox as the real Amberflo behaves: ingest, usage, meters, customers.
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

my $answer = $sandbox->call('GET', '/customers');
is("$answer->{status} $answer->{content}", '403 {"message":"Forbidden"}', 'no key');
is(call('GET', '/meter-definition')->{status}, 404, 'paths of the other shape are unknown');

# Ingest needs a customer here.
refused(qr/'customerId' is required/, 'an event without customer', 'POST', '/ingest', '{"meterTimeInMillis":1}');
$answer = call('POST', '/ingest', '[{"meterTimeInMillis":1718153645993,"meterApiName":"m","customerId":"c","meterValue":2.5,"dimensions":{"r":"eu"}},'
	. '{"meterTimeInMillis":1718153645993,"meterApiName":"m","customerId":"d","meterValue":4}]');
is("$answer->{headers}{'content-type'} $answer->{content}", 'text/plain 2 records were ingested', 'ingest answers in text');

# Usage is an array here.
my $query = '{"meterApiName":"m","aggregation":"sum","timeGroupingInterval":"HOUR","timeRange":{"startTimeInSeconds":1718150000}%s}';
my $usage = body('POST', '/usage', sprintf $query, '');
is_deeply($usage->{secondsSinceEpochIntervals}, [ 1718146800, 1718150400 ], 'the intervals');
is_deeply($usage->{clientMeters}, [ { group => { groupInfo => {} }, groupValue => 6.5, values => [
	{ percentageFromPrevious => 0, value => 0, secondsSinceEpochUtc => 1718146800 },
	{ percentageFromPrevious => 0, value => 6.5, secondsSinceEpochUtc => 1718150400 } ] } ], 'sums, filled with zeros');
is(scalar @{ body('POST', '/usage/sparse', sprintf $query, '')->{clientMeters}[0]{values} }, 1, 'the sparse form has no zeros');
my $groups = sub { [ map { $_->{groupValue} } @{ body('POST', '/usage', sprintf $query, ",\"groupBy\":[\"customerId\"]$_[0]")->{clientMeters} } ] };
is_deeply($groups->(''), [ 4, 2.5 ], 'groups by value');
is_deeply($groups->(',"take":{"limit":1,"isAscending":true}'), [2.5], 'the least of them');
is_deeply($groups->(',"filter":{"customerId":["d"]}'), [4], 'of one customer');
refused(qr/'timeRange' is required/, 'usage without a range', 'POST', '/usage', '{"meterApiName":"m","timeGroupingInterval":"DAY"}');

# Meters have an id and states.
my $meter = '{"meterApiName":"m","label":"M","meterType":"sum_of_all_usage"%s}';
my $made = body('POST', '/meters', sprintf $meter, '');
is($made->{lockingStatus}, 'open', 'a meter is made');
refused(qr/Meter already exists with 'meterApiName': m/, 'the same name', 'POST', '/meters', sprintf $meter, '');
refused(qr/Meter already exists with 'label': M/, 'the same label', 'POST', '/meters', sprintf($meter, '') =~ s/"m"/"n"/r);
refused(qr/Invalid meter type/, 'another type', 'POST', '/meters', sprintf($meter, '') =~ s/sum_of_all_usage/x/r);
refused(qr/'aggregationDimensions'/, 'users of nothing', 'POST', '/meters', sprintf($meter, '') =~ s/sum_of_all_usage/active_users/r);
refused(qr/already exists/, 'a change without id', 'PUT', '/meters', sprintf $meter, ',"unit":"x"');
is(body('PUT', '/meters', sprintf $meter, ",\"unit\":\"x\",\"id\":\"$made->{id}\"")->{unit}, 'x', 'a change with id');
is(body('GET', "/meters/$made->{id}")->{meterApiName}, 'm', 'by id');
is(scalar @{ body('GET', '/meters?meterApiName=m') }, 1, 'by name');
is_deeply(body('GET', '/meters?meterApiName=x'), [], 'none by another name');
is(call('DELETE', '/meters/m')->{status}, 200, 'deletion by name is answered');
refused(qr/'lockingStatus' \S* ?prevents meter from being deleted/, 'and does nothing; by id it is locked', 'DELETE', "/meters/$made->{id}");
call('PUT', '/meters', sprintf $meter, ",\"lockingStatus\":\"deprecated\",\"id\":\"$made->{id}\"");
is(call('DELETE', "/meters/$made->{id}")->{status}, 200, 'until it is deprecated');
is_deeply(body('GET', '/meters'), [], 'then it is gone');
is(body('POST', '/ingest-snapshot/custom-filtering-rules', '{"id":"1","meterApiName":"m","ingestionTimeRange":{},"type":"by_property_filter_out"}')->{id}, 1, 'an undo rule');

# Customers that do not exist are empty ones.
is_deeply(body('GET', $_), {}, "GET $_") foreach '/customers?customerId=c', '/customers/?customerId=c', '/customers/c';
is(body('POST', '/customers?autoCreateCustomerInStripe=true', '{"customerId":"c","customerName":"C","lifecycleStage":"trial"}')->{customerId}, 'c', 'a customer is made');
is(body('GET', '/customers?customerId=c')->{customerName}, 'C', 'and found');
is(body('PUT', '/customers/stage', '{"customerId":"c","lifecycleStage":"ACTIVE"}')->{lifecycleStage}, 'ACTIVE', 'a stage forward');
refused(qr/cannot go from ACTIVE to TRIAL/, 'a stage back', 'PUT', '/customers/stage', '{"customerId":"c","lifecycleStage":"TRIAL"}');
is(body('DELETE', '/customers/c')->{deleteTime}, $now, 'the deleted customer is the answer');

is($sandbox->stop, 0, 'it stops with success');
done_testing();
