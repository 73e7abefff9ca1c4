# Published workflows with inputs from their schemas and answers from their
# OpenAPI documents: the requests of published.scenarios, which another program
# makes of them too, byte for byte (tests/bench/differential), and the outputs.
use strict;
use warnings;

use Arazzo;
use Published;
use Scenario;
use Test::More;

plan skip_all => 'there is no ../shared/corpus/open' unless -d $Published::CORPUS;

my $arazzo = Arazzo->new(name => 'published', shape => 'published');

foreach my $scenario (@{ Scenario::read_file("$Arazzo::TOP/tests/conformance/published.scenarios")->{scenarios} })
{
	my ($file) = $scenario->{name} =~ /^(.*)#/;
	my %part = map { $_->[0] => $_->[2] } @{ $scenario->{sections} };

	if (!-e "$Published::CORPUS/$file")
	{
		note("$file is not there");
		next;
	}
	my ($sources, undef, $why) = Published::prepare($arazzo, $file);
	if (!$sources)
	{
		fail("$scenario->{name}: $why");
		next;
	}
	Published::prepare_answers($arazzo, $sources);
	my ($out, $error) = Scenario::run($arazzo, Published::uri($scenario->{name}), $part{inputs});
	Scenario::check_requests($arazzo, $part{requests}, $scenario->{name});
	Scenario::check_end($arazzo, \%part, $out, $error, $scenario->{name});
}
done_testing();
