# The requests of published workflows, made by the extension and by Redocly
# Respect from the same documents and inputs, with the same answers.
#
# Each workflow is one line: "same" with the number of requests, "differs" with
# the first difference, "respect" or "arazzo" when that one sent nothing or ended
# early.  Sources must lie in the corpus, where the document says or where its
# repository has them; a copy of the documents is made that says so.  Inputs come from the
# schema of the inputs, answers from the OpenAPI documents; security is taken out
# of these, since Respect knows no user mapping.
use strict;
use warnings;

use IO::Handle;

my $base;
my $report;						# PostgreSQL::Test::Utils keeps standard output for itself
BEGIN
{
	open($report, '>&', \*STDOUT) or die "could not keep standard output: $!";
	$report->autoflush(1);
	$base = $ENV{DIRECTORY} // die "run tests/bench/differential\n";
	my $pgxs = `pg_config --pgxs` =~ s{/src/makefiles/.*}{/src/test}sr;
	@ENV{qw(TESTDIR TESTLOGDIR TESTDATADIR PG_TEST_PORT_DIR)} = ("$base/tap", "$base/tap/log", "$base/tap/data", "$base/ports");
	@ENV{qw(PG_REGRESS PGPORT)} = ("$pgxs/regress/pg_regress", 65432);
	mkdir $_ foreach "$base/tap", "$base/tap/tmp_check", "$base/tap/log", "$base/tap/data", "$base/ports";
	unshift @INC, "$pgxs/perl", 'tests/perl';
}

use Arazzo;
use File::Basename;
use File::Find;
use File::Spec;
use IPC::Run;
use JSON::PP;
use PostgreSQL::Test::Utils;
use Published;
use Scenario;
use Test::More;

# Sources that are published elsewhere, and lie in the corpus as well.
my %elsewhere = (
	'https://cafe.redocly.com/_bundle/openapi/cafe.yaml' => 'Redocly+redocly-cli/resources/cafe.yaml',
	'https://raw.githubusercontent.com/swagger-api/swagger-petstore/master/src/main/resources/openapi.yaml' =>
	  'genelet+arazzo/generator/testdata/petstore.openapi.yaml',
	'https://github.com/swagger-api/swagger-petstore/blob/master/src/main/resources/openapi.yaml' =>
	  'genelet+arazzo/generator/testdata/petstore.openapi.yaml',
	'./pet-coupons.openapi.yaml' => 'genelet+arazzo/convert/examples/1.0.0/pet-coupons.openapi.yaml',
	'/Users/sophiehind-smith/Documents/GitHub/jentic-arazzo-generator/examples/openapi_specs/discord.openapi.json' =>
	  'jentic+arazzo-engine/runner/tests/fixtures/discord/discord.openapi.json');
my $corpus = copy_corpus();
my $limit = 6;				# seconds for one workflow; those that poll are cut off
my @words = @ARGV;
my %counts;
my $redocly = $ENV{REDOCLY} || install_redocly();
my $arazzo = Arazzo->new(name => 'differential', shape => 'published');

foreach my $file (documents())
{
	next if @words && !grep { index($file, $_) >= 0 } @words;
	compare_document($file);
}
print {$report} "\n", map { "$_: $counts{$_}\n" } sort keys %counts;
plan skip_all => 'this is a report';

sub install_redocly
{
	system("npm install --silent --no-audit --no-fund --prefix $base/redocly \@redocly/cli\@2 >$base/tmp/npm.log 2>&1") == 0
	  or die "could not get \@redocly/cli:\n" . slurp_file("$base/tmp/npm.log");
	return "$base/redocly/node_modules/.bin/redocly";
}

# The corpus with sources that can be found from where a document lies.
sub copy_corpus
{
	my $copy = "$base/corpus";

	system('cp', '-r', '--no-preserve=mode', $Published::CORPUS, $copy) == 0 or die 'could not copy the corpus';
	if (open(my $map, '<', "$copy/urlmap.tsv"))
	{
		while (my $line = <$map>)
		{
			my ($url, $file) = split /\t/, $line =~ s/\s+$//r;
			$elsewhere{$url} = $file;
		}
	}
	$Published::CORPUS = $corpus = $copy;
	find_sources($_) foreach documents();
	return $copy;
}

# Rewrites the sources of a document that are not where it says.
sub find_sources
{
	my ($file) = @_;
	my $path = "$corpus/$file";
	my $text = slurp_file($path);
	my $before = $text;

	$text =~ s{(\burl"?\s*:\s*["']?)([^"'\s,\}]+)}{$1 . (source_of($file, $2) // $2)}ge;
	return if $text eq $before;
	open(my $handle, '>', $path) or die "could not write \"$path\": $!";
	print {$handle} $text;
	close $handle;
	return;
}

# Where a source is, from the directory of its document; undef when that is
# as it says, or not known: in a directory above, as from the top of a
# repository, or beside the document.
sub source_of
{
	my ($file, $url) = @_;
	my $directory = dirname("$corpus/$file");
	my @places = $elsewhere{$url} ? "$corpus/$elsewhere{$url}" : ();

	return undef if -f "$directory/$url";
	for (my $above = $directory; $url !~ m{^[a-z]+:}i && $above =~ m{^\Q$corpus\E/.}; $above = dirname($above))
	{
		push @places, "$above/$url";
	}
	push @places, "$directory/" . basename($url) if $url =~ m{^/};
	my ($found) = grep { -f } @places;
	return defined $found ? File::Spec->abs2rel($found, $directory) : undef;
}

# Arazzo documents, by path.
sub documents
{
	my @found;

	find({ no_chdir => 1, follow => 0, wanted => sub {
		return unless -f && /\.(?:ya?ml|json)$/ && -s $_ < 1_000_000;
		push @found, File::Spec->abs2rel($_, $corpus) if slurp_file($_) =~ /^\s*\{?\s*"?arazzo"?\s*:/m;
	} }, $corpus);
	return sort @found;
}

sub note_result
{
	my ($kind, $what, $why) = @_;

	$counts{$kind}++;
	printf {$report} "%-8s %s%s\n", $kind, $what, defined $why ? ": $why" : '';
	return;
}

# Everything of one document, for each of its workflows.
sub compare_document
{
	my ($file) = @_;
	my $uri = Published::uri($file);
	my ($sources, $kind, $why) = Published::prepare($arazzo, $file);

	return note_result($kind, $file, $why) unless $sources;
	my $rows = $arazzo->json("SELECT coalesce(json_agg(json_build_object('id', workflow_id, 'problem', problem,
		'inputs', input_schema) ORDER BY workflow_id), '[]') FROM arazzo_workflows WHERE document = " . Arazzo::quote($uri));
	my $document = $arazzo->json('SELECT content FROM arazzo_documents WHERE uri = ' . Arazzo::quote($uri));
	compare_workflow($file, $uri, $sources, $_, $document) foreach @$rows;
	return;
}

# The requests as texts, a line for each and its body.
sub requests
{
	return map { Scenario::request_text($_, {}) } Scenario::seen($arazzo);
}

sub run_respect
{
	my ($file, $workflow, $sources, $inputs) = @_;
	my @command = ($redocly, 'respect', "$corpus/$file", '-w', $workflow, '-i', $inputs, '--max-steps', '50',
		map { ('--severity', "$_=off") } qw(SCHEMA_CHECK STATUS_CODE_CHECK CONTENT_TYPE_CHECK));
	my $output = '';

	push @command, '-S', "$_->{name}=" . $arazzo->sandbox->url foreach grep { ($_->{type} // '') ne 'arazzo' } @$sources;
	local $ENV{REDOCLY_TELEMETRY} = 'off';
	local $ENV{REDOCLY_SUPPRESS_UPDATE_NOTICE} = 'true';
	eval { IPC::Run::run(\@command, \undef, '>&', \$output, IPC::Run::timeout($limit)); };
	return ($@ ? 'cut off' : $output) =~ s/\e\[[0-9;]*m//gr;
}

# What Respect said, in the directory that OUTPUT names.
sub keep_output
{
	my ($what, $output) = @_;

	return unless $ENV{OUTPUT};
	open(my $handle, '>', "$ENV{OUTPUT}/" . ($what =~ s{[/ ]}{_}gr)) or die "could not keep the output: $!";
	print {$handle} $output;
	close $handle;
	return;
}

# What one of them had no time for is not compared.
sub cut_off
{
	my ($ours, $theirs, $error, $output) = @_;

	splice(@$theirs, scalar @$ours) if $error =~ /57014/ && @$theirs > @$ours;
	splice(@$ours, scalar @$theirs) if $output eq 'cut off' && @$ours > @$theirs;
	return;
}

sub compare_workflow
{
	my ($file, $uri, $sources, $row, $document) = @_;
	my $what = "$file#$row->{id}";
	my $inputs = Published::inputs($row->{inputs}, $document);

	return note_result('problem', $what, $row->{problem}) if defined $row->{problem};
	Published::prepare_answers($arazzo, $sources);
	my ($out, $error) = $arazzo->query("SET statement_timeout = '${limit}s'; SELECT arazzo_run("
		  . Arazzo::quote("$uri#$row->{id}") . ', ' . Arazzo::quote($inputs) . ')');
	my @ours = requests();
	$arazzo->sandbox->clear_ledger;
	my $output = run_respect($file, $row->{id}, $sources, $inputs);
	keep_output($what, $output);
	my @theirs = requests();
	cut_off(\@ours, \@theirs, $error, $output);
	return note_result('neither', $what, ($error =~ /^ERROR: +(.*)/)[0]) if !@ours && !@theirs;
	foreach my $i (0 .. ($#ours > $#theirs ? $#ours : $#theirs))
	{
		next if defined $ours[$i] && defined $theirs[$i] && $ours[$i] eq $theirs[$i];
		report($what, $i, $ours[$i], $theirs[$i], $error, $output);
		return;
	}
	record($file, $row->{id}, $inputs, $out, $error, @ours);
	return note_result('same', $what, scalar @ours);
}

# Writes what was the same to the file that RECORD names, in the form of
# tests/conformance/published.scenarios; a run that was cut off is not.
sub record
{
	my ($file, $workflow, $inputs, $out, $error, @requests) = @_;

	return if !$ENV{RECORD} || $error ne '';
	open(my $handle, '>>', $ENV{RECORD}) or die "could not open \"$ENV{RECORD}\": $!";
	print {$handle} "=== $file#$workflow\n--- inputs\n$inputs\n--- requests\n", @requests, "--- outputs\n$out\n\n";
	close $handle;
	return;
}

# The first difference of a workflow.
sub report
{
	my ($what, $i, $ours, $theirs, $error, $output) = @_;

	if (!defined $ours || !defined $theirs)
	{
		my $why = defined $ours ? ($output =~ /(Error.*|.*must .*|✗.*)/)[0] // 'it ended early' : ($error =~ /^ERROR: +(.*)/)[0] // 'it ended';
		note_result(defined $ours ? 'respect' : 'arazzo', $what, "after $i requests: $why");
		return;
	}
	note_result('differs', $what, 'request ' . ($i + 1));
	print {$report} map { "    ours   $_\n" } split /\n/, $ours;
	print {$report} map { "    theirs $_\n" } split /\n/, $theirs;
	return;
}
