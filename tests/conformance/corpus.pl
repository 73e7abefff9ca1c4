# Published documents, imported as they are: those that are valid, or use
# nothing but accepted forms, load together with their sources, and workflows
# whose operations exist can be run.  Every refusal and every workflow that
# cannot be run is a line of the output with its reason; the common reasons
# are proved from the files, the others are listed here.
use strict;
use warnings FATAL => 'all';

use Arazzo;
use Cwd qw(abs_path);
use File::Basename qw(dirname);
use Test::More;

my $corpus = abs_path(dirname(__FILE__)) . '/../../../shared/corpus/open';

plan(skip_all => 'the documents are not here: ../shared/corpus/open') unless -d $corpus;
$corpus = abs_path($corpus);

# Documents that neither version allows, by path.
my $oai = 'OAI+Arazzo-Specification/tests/schema/fail/';
my $target = qr/step has none of "operationId", "operationPath" and "workflowId"/;
my $two = qr/step has both "\w+" and "\w+"/;
my $no_action = qr/step with a "channelPath" has no "action"/;
my $empty = qr/"successCriteria" must have at least one entry when it is given/;
my $twice = qr/parameter "\w+" is given more than once/;
my $number = qr{/arazzo must be a string, not number};
my $string = qr/Parameter Object must be an object, not string/;
my $ref = qr/Parameter Object has no "name"/;
my $respect = 'Redocly+redocly-cli/tests/e2e/';
my %refused = (
	(map { ("$oai$_->[0].arazzo.yaml" => $_->[1]) }
		[ 'async-both-operationId-and-channelPath', $two ],
		[ 'async-channelPath-without-action', $no_action ],
		[ 'async-depends-on-duplicate-values', qr/"dependsOn" has "sendEvent" more than once/ ],
		[ 'async-depends-on-empty', qr/"dependsOn" must have at least one entry/ ],
		[ 'async-depends-on-invalid-reference', qr/"dependsOn" cannot be "\$steps\.sendEvent"/ ],
		[ 'channel-path-is-invalid-for-openapi', $no_action ],
		[ 'invalid-async', qr/"action" cannot be "invalid"/ ],
		[ 'invalid-async-correlation-id-non-receive-action', qr/"correlationId" belongs to/ ],
		[ 'invalid-expression-type-object', qr/Selector Object needs "context"/ ],
		[ 'invalid-openapi-success-criteria', $empty ],
		[ 'invalid-querystring-without-value', qr/Parameter Object has no "value"/ ],
		[ 'invalid-selector-object', qr/Selector Object needs "context"/ ],
		[ 'invalid-self-fragment', qr/"\$self" must not have a fragment/ ],
		[ 'invalid-targetSelectorType', qr/"targetSelectorType" cannot be "jmespath"/ ],
		[ 'invalid-workflow-step-with-operationId', $two ],
		[ 'invalid-workflow-success-criteria', $empty ],
		[ 'openapi-both-operationId-and-operationPath', $two ],
		[ 'openapi-duplicate-parameters', $twice ],
		[ 'openapi-missing-operation-target', $target ],
		[ 'workflow-duplicate-parameters', $twice ],
		[ 'workflow-missing-workflowId', $target ],
		[ 'workflow-step-with-action', $two ],
		[ 'workflow-step-with-channelPath', $two ]),
	"${oai}invalid-arazzo-version.yaml" => $number,
	'b-lab-io+pyarazzo/tests/data/models/v1/invalid-arazzo-version.yaml' => $number,
	'BragdonD+arazzo-go/v1/test_specs/invalid.arazzo.json' => qr/has no "info"/,
	'speakeasy-api+openapi/arazzo/testdata/invalid.arazzo.yaml' => qr/Info Object has no "version"/,
	"${respect}lint/arazzo-not-valid-test-description/museum.yaml" => qr/has no "info"/,
	"${respect}lint/spec-step-mutually-exclusive-fields/arazzo.yaml" => $two,
	# a vendor's x-operation in place of an operation of a source
	"${respect}respect/free-apis/free.arazzo.yaml" => $target,
	'Redocly+redocly-cli/tests/smoke/rebilly/rebilly.arazzo.yaml' => $target,
	'Redocly+redocly-cli/packages/respect-core/src/modules/__tests__/config-parser/auto.yaml' => $target,
	# a vendor's $ref where Arazzo has no references
	"${respect}bundle/bundle-arazzo-valid-test-description/museum.yaml" => $ref,
	'Redocly+redocly-cli/packages/core/src/__tests__/fixtures/sibling-refs/arazzo.yaml' => qr/"steps" must have at least one entry/,
	# input of a generator in a format of its own
	'genelet+arazzo/generator/samples/sample.arazzo.yaml' => $string,
	'tabilet+arazzo/generator/samples/sample.arazzo.yaml' => $string,
	# stepIds that repeat: no goto and no output would have one meaning
	'jentic+jentic-public-apis/workflows/gambitcomm.local~mimic/workflows.arazzo.json' =>
	  qr/stepId "set-mqtt-broker-config" is used more than once/);

# Workflows that cannot be run for a reason of their own: path, reason.
my $one_of = qr/operation "\w+" is ambiguous\. .*Write one of: /;
my $not_unique = qr/operation "\w+" is not unique/;
my $case = qr/names no source description of the document/;
my $pass = 'OAI+Arazzo-Specification/tests/schema/pass/';
my %cannot = (
	'BinkyLabs+openapi-arazzo-dotnet/tests/lib/Samples/OperationResolution/ambiguous.arazzo.yaml' => $one_of,
	'api-evangelist+asana/arazzo/asana-build-enum-custom-field-workflow.yml' => $one_of,
	'jentic+jentic-public-apis/workflows/osf.io/workflows.arazzo.json' => $not_unique,
	'jentic+jentic-public-apis/workflows/shop-pro.jp/workflows.arazzo.json' => $not_unique,
	# the source is UserAPI, not userAPI
	"${pass}openapi-success-criteria.arazzo.yaml" => $case,
	"${pass}workflow-success-criteria.arazzo.yaml" => $case,
	# a channelPath that is no reference into a source
	"${pass}async-with-channel-path.arazzo.yaml" => qr/channelPath "createUser" names no AsyncAPI source/,
	"${pass}characterization-async-invalid-channelPath-string.arazzo.yaml" => qr/channelPath ".*" names no AsyncAPI source/,
	"${pass}characterization-openapi-invalid-operationPath-string.arazzo.yaml" => qr/has no JSON Pointer into a source/,
	'leidenheit+itarazzo-library/src/test/resources/test.arazzo.yaml' => qr/expression type "xpath" version "xpath-30" is not supported/);

my $arazzo = Arazzo->new(name => 'corpus');
my @rows = @{ $arazzo->json("SELECT json_agg(i ORDER BY path, uri) FROM arazzo_import('$corpus') AS i") };
my %document = map { ($_->{uri} => $_) } @rows;
my %ids = %{ $arazzo->json(<<'SQL') };
SELECT json_object_agg(uri, ids) FROM (SELECT uri,
	(SELECT json_agg(lower(id #>> '{}')) FROM jsonb_path_query(content, 'lax $.paths.*.*.operationId') AS id) AS ids
FROM arazzo_documents WHERE kind = 'openapi') AS s
SQL
my %sources = %{ $arazzo->json(<<'SQL') };
SELECT json_object_agg(uri, ARRAY(SELECT jsonb_array_elements(content -> 'sourceDescriptions') ->> 'url'))
FROM arazzo_documents WHERE kind = 'arazzo'
SQL
my %mapped = map { /^(\S+)\t/ ? ($1 => 1) : () } split /\n/, slurp("$corpus/urlmap.tsv");

sub slurp
{
	my ($path) = @_;

	open my $file, '<', $path or return '';
	local $/;
	return scalar(<$file>) // '';
}

# A relative reference against a base, dot segments removed.
sub resolve
{
	my ($base, $url) = @_;

	return $url if $url =~ /^[a-z][a-z0-9+.-]*:/i;
	my ($root, $path) = $base =~ m{^([a-z]+://[^/]*)(/.*)$};
	my @path = split m{/}, $url =~ m{^/} ? $url : $path =~ s{[^/]*$}{}r . $url, -1;
	my @kept;

	foreach my $segment (@path)
	{
		next if $segment eq '.';
		$segment eq '..' ? do { pop @kept if @kept > 1 } : push @kept, $segment;
	}
	return $root . join('/', @kept);
}

# A source that is not loaded is not among the files.
sub is_missing
{
	my ($uri) = @_;

	return !-e ($1 =~ s/%([0-9A-F]{2})/chr hex $1/ger) if $uri =~ m{^file://(/.*)$};
	return !$mapped{$uri};
}

# No loaded source of the document has an operation of this id, in any case.
sub is_unknown
{
	my ($uri, $id) = @_;
	my @loaded = grep { defined } map { $ids{ resolve($uri, $_) } } @{ $sources{$uri} // [] };

	$id =~ s/^\$sourceDescriptions\.[^.]+\.//;
	return !grep { $_ eq lc $id } map { @$_ } @loaded;
}

sub is_right
{
	my ($row, $reason) = @_;

	return is_missing($1) if $reason =~ /^source "[^"]+" is not loaded\. .*arazzo_load\('([^']+)'/s;
	return is_unknown($row->{uri}, $1) if $reason =~ /^operation "([^"]+)" does not exist/;
	return $cannot{ $row->{path} } && $reason =~ $cannot{ $row->{path} };
}

my (%seen, %excused);
my ($documents, $workflows, $blocked) = (0, 0, 0);

foreach my $row (@rows)
{
	$documents++;
	if (!$row->{loaded})
	{
		my $expected = delete $refused{ $row->{path} };

		ok($expected && $row->{problem} =~ $expected, "$row->{path} is refused: " . $row->{problem} =~ s/\n.*//sr =~ s/^document "[^"]*" //r);
		next;
	}
	foreach my $problem (split /\n(?=workflow ")/, $row->{problem} // '')
	{
		my ($workflow, $reason) = $problem =~ /^workflow "(.*?)" cannot be run: (.*)$/s;

		$blocked++;
		$excused{ $row->{path} } = 1;
		ok(is_right($row, $reason), "$row->{path}#$workflow cannot be run: " . $reason =~ s/ Document ".*?", / /r);
	}
}
is_deeply([ sort keys %refused ], [], 'nothing that must be refused was loaded');
is_deeply([ grep { !$excused{$_} } sort keys %cannot ], [], 'nothing can be run that is listed as not');

# What the check says: in the order of the document, with places that exist;
# errors of structure for what is refused, and only for that.
my @findings = @{ $arazzo->json(<<'SQL') };
SELECT coalesce(json_agg(json_build_array(d.uri, f.code, f.line, f.col, f.pointer)), '[]')
FROM (SELECT d.uri, f.*, lag((line, col)) OVER (PARTITION BY d.uri ORDER BY ordinality) AS before,
		content #> string_to_array(nullif(substr(pointer, 2), ''), '/') AS place
	FROM arazzo_documents AS d, arazzo_check(d.source, d.uri) WITH ORDINALITY AS f) AS f JOIN arazzo_documents AS d USING (uri)
WHERE (f.line, f.col) < f.before OR f.severity NOT IN ('error', 'warning') OR f.line < 1 OR f.col < 1
	OR f.severity = 'error' AND f.code NOT IN ('unresolved-reference', 'invalid-expression', 'unsupported', 'invalid-schema', 'invalid-document')
	OR f.place IS NULL AND pointer <> '' AND pointer !~ '~' AND f.code <> 'unknown-field'
SQL
is_deeply(\@findings, [], 'findings of documents that are loaded are in order, have their place, and refuse nothing');

($workflows) = @{ $arazzo->json("SELECT json_build_array(sum(cardinality(workflow_ids))) FROM arazzo_documents WHERE NOT shipped") };
note("$documents files, $workflows workflows, $blocked of them cannot be run");
cmp_ok($workflows - $blocked, '>', 2 * $blocked, 'most workflows can be run');
$arazzo->node->stop;
done_testing();
