# Published workflows (../shared/corpus/scenarios.jsonl) run to the expected end
# against the sandbox as any API; tests/conformance/open.scenarios has the exact
# requests and the end of each.  Where the two readings differ, the reason
# stands there as a remark.
use strict;
use warnings;

use Arazzo;
use JSON::PP;
use PostgreSQL::Test::Utils;
use Scenario;
use Test::More;

my $corpus = "$Arazzo::TOP/../shared/corpus";
my %credentials = (api_key => 'test-key', token => 'test-token', user => 'test-user', password => 'test-password');

plan skip_all => 'there is no ../shared/corpus/scenarios.jsonl' unless -e "$corpus/scenarios.jsonl";

my $arazzo = Arazzo->new(name => 'open', shape => 'published');
my %ours = map { $_->{name} => $_ } @{ Scenario::read_file("$Arazzo::TOP/tests/conformance/open.scenarios")->{scenarios} };

foreach my $line (split /\n/, slurp_file("$corpus/scenarios.jsonl"))
{
	check_published(JSON::PP->new->utf8->decode($line));
}
done_testing();

# The text of a published document.  Symbolic links of its repository may have
# become files that hold the target.
sub text_of
{
	my ($file) = @_;
	my $path = "$corpus/open";

	foreach my $part (split m{/}, $file)
	{
		$path =~ s{[^/]*$}{slurp_file($path) =~ s/\s+$//r}e if -f $path;
		$path .= "/$part";
	}
	return slurp_file($path);
}

# Loads the document and its sources; they may warn of other workflows.
sub load_all
{
	my ($id, $exec, $file) = @_;

	foreach my $source (grep { defined $_->{file} } @{ $exec->{sources} })
	{
		unlike(Scenario::load($arazzo, $source->{uri}, text_of($source->{file})), qr/ERROR/, "$id: $source->{uri} loads");
	}
	unlike(Scenario::load($arazzo, $exec->{uri}, text_of($file)), qr/ERROR/, "$id: $exec->{uri} loads");
	return;
}

# The rules of the mock, below the path of every server.
sub rules
{
	my ($exec) = @_;
	my @rules;

	foreach my $rule (@{ $exec->{rules} })
	{
		my %seen;
		my @answers = map { my %answer = %$_; delete $answer{stepId}; \%answer } @{ $rule->{answers} };

		# No body and an empty one are the same here; undef would be null.
		foreach my $answer (@answers)
		{
			delete $answer->{body} unless defined $answer->{body};
		}
		push @rules, { method => $rule->{method}, path => "$_$rule->{path}", query => $rule->{query}, answers => \@answers }
		  foreach grep { !$seen{$_}++ } @{ $rule->{bases} };
	}
	return \@rules;
}

sub check_published
{
	my ($published) = @_;
	my ($id, $exec) = @{$published}{qw(id exec)};
	my $sections = $ours{$id}{sections} // [];
	my %part = map { $_->[0] => $_->[2] } @$sections;
	my $workflow = "$exec->{uri}#$exec->{workflowId}";
	my $number = 0;

	Scenario::forget($arazzo);
	load_all($id, $exec, $published->{doc});
	my @apis = Scenario::apis($arazzo, $exec->{uri});
	Scenario::make_server($arazzo, $number++, $_, { mapping => \%credentials }) foreach @apis;
	$arazzo->sandbox->mock(rules($exec));
	my ($out, $error) = Scenario::run($arazzo, $workflow, Scenario::bytes(JSON::PP->new->canonical->encode($exec->{inputs} // {})));
	Scenario::check_requests($arazzo, $part{requests} // '', $id);
	Scenario::check_end($arazzo, \%part, $out, $error, $id);
	check_reading($id, $exec, $part{differs});
}

# The steps that were expected are those whose requests came, unless our own
# reading differs.
sub check_reading
{
	my ($id, $exec, $differs) = @_;
	my @expected = map { my $server = $_->{server}; "$_->{method} " . base_path($server) . $_->{path} } @{ $exec->{expectedRequests} };
	my @seen = map { $_->{line} =~ s/ [^ ]+$//r =~ s/\?.*//r } Scenario::seen($arazzo);

	if (defined $differs)
	{
		note("$id differs: $differs");
		return;
	}
	my $same = @seen == @expected;
	foreach my $i (0 .. $#expected)
	{
		my $pattern = join('', map { /^\{.*\}$/ ? '[^?]+' : quotemeta } split /(\{[^}]*\})/, $expected[$i]);
		$same &&= ($seen[$i] // '') =~ /^$pattern$/;
	}
	ok($same, "$id: the expected steps") or diag("seen:\n", map { "  $_\n" } @seen);
	return;
}

sub base_path
{
	my ($url) = @_;

	return $url =~ m{^[a-z]+://[^/]*(.*?)/?$} ? $1 : '';
}
