# arazzo_import: a tree of documents with their sources in one call; what is
# not loaded says why and stops nothing, and nothing is read outside the tree.
use strict;
use warnings;

use Arazzo;
use File::Path qw(make_path);
use File::Temp qw(tempdir);
use JSON::PP;
use Test::More;

my $arazzo = Arazzo->new;
my $outside = tempdir(CLEANUP => 1);
my $tree = tempdir(CLEANUP => 1);

sub put
{
	my ($path, $text) = @_;

	make_path($1) if $path =~ m{^(.*)/};
	open my $file, '>', $path or die "could not open \"$path\": $!";
	print $file $text;
	close $file;
	return;
}

sub workflow
{
	my ($id, $source) = @_;

	return "arazzo: 1.0.1\ninfo: {title: $id, version: '1'}\nsourceDescriptions: [{name: api, url: $source}]\n"
	  . "workflows: [{workflowId: $id, steps: [{stepId: one, operationId: getThing}]}]\n";
}

my $api = "openapi: 3.1.0\ninfo: {title: api, version: '1'}\nservers: [{url: https://api.example}]\n"
  . "paths: {/thing: {get: {operationId: getThing, responses: {}}}}\n";

put("$tree/api/api.yaml", $api);
put("$tree/api/mapped.yml", $api);
put("$tree/docs/beside.yaml", workflow('beside', '../api/api.yaml'));
put("$tree/docs/absolute.yaml", workflow('absolute', 'https://x.example/mapped.yaml'));
put("$tree/docs/neighbour.yaml", workflow('neighbour', '../api/mapped.yml'));
put("$tree/docs/deep/from-root.json", JSON::PP->new->encode({ arazzo => '1.0.1', info => { title => 'r', version => '1' },
	sourceDescriptions => [ { name => 'api', url => './api/api.yaml' } ],
	workflows => [ { workflowId => 'from-root', steps => [ { stepId => 'one', operationId => 'getThing' } ] } ] }));
put("$tree/docs/missing.yaml", workflow('missing', 'nowhere.yaml'));
put("$tree/docs/with space.yaml", workflow('with-space', '../api/api.yaml'));
put("$tree/docs/escape.yaml", workflow('escape', '../../../../../../../../etc/hostname.yaml'));
put("$tree/bad/text.yaml", "a: [1\nb: 2");
put("$tree/bad/structure.yaml", "arazzo: 1.0.1\ninfo: {}\n");
put("$tree/bad/list.json", '[1]');
put("$tree/notes.txt", 'not a document');
put("$tree/.hidden/api.yaml", $api);
put("$outside/secret.yaml", $api);
symlink "$outside/secret.yaml", "$tree/link-out.yaml" or die "could not link: $!";
symlink $outside, "$tree/directory-out" or die "could not link: $!";
symlink "$tree/api/api.yaml", "$tree/link-in.yaml" or die "could not link: $!";
symlink "$tree/nothing.yaml", "$tree/link-nowhere.yaml" or die "could not link: $!";
symlink $tree, "$tree/api/circle" or die "could not link: $!";
put("$tree/docs/mapped-out.yaml", workflow('mapped-out', 'https://x.example/secret.yaml'));
put("$tree/urlmap.tsv", "# URL and file\r\nhttps://x.example/mapped.yaml\tapi/mapped.yml\r\n\n"
	  . "https://x.example/secret.yaml\t../../../../../..$outside/secret.yaml\n");

my %rows = map { ("$_->{path} $_->{uri}" => $_) } @{ $arazzo->json(
	"SELECT json_agg(i ORDER BY path, uri) FROM arazzo_import('$tree') AS i") };
my %by_path;
push @{ $by_path{ $_->{path} } }, $_ foreach map { $rows{$_} } sort keys %rows;

sub row
{
	my ($path) = @_;

	return $by_path{$path} ? $by_path{$path}[0] : {};
}

my $base = row('api/api.yaml')->{uri} =~ s{/api/api\.yaml$}{}r;

like($base, qr{^file:///}, 'documents are under their file: URI');
ok(row("docs/$_.yaml")->{loaded} && !defined row("docs/$_.yaml")->{problem}, "$_: loaded, and can be run")
  foreach qw(beside absolute neighbour);
is(row('docs/with space.yaml')->{uri}, "$base/docs/with%20space.yaml", 'a path is made a URI');
is($by_path{'api/mapped.yml'}[1]{uri}, 'https://x.example/mapped.yaml', 'a mapped document is under its URL');
is($by_path{'api/mapped.yml'}[0]{uri}, "$base/api/mapped.yml", 'and where a neighbour looks for it');
ok(!defined row('docs/deep/from-root.json')->{problem}, 'a source that is named from the root of the tree is found');
ok((grep { $_->{uri} eq "$base/docs/deep/api/api.yaml" } @{ $by_path{'api/api.yaml'} }), 'and kept where its document looks for it');
ok(row('docs/missing.yaml')->{loaded}, 'a document is loaded without its source');
like(row('docs/missing.yaml')->{problem}, qr/^workflow "missing" cannot be run: source "api" is not loaded\./, 'which it says');
like(row('docs/escape.yaml')->{problem}, qr/source "api" is not loaded/, 'a source outside the tree is not read');
like(row('docs/mapped-out.yaml')->{problem}, qr/source "api" is not loaded/, 'nor where the map leads out of it');
ok(!row("bad/$_")->{loaded}, "$_ is not loaded") foreach qw(text.yaml structure.yaml list.json);
like(row('bad/text.yaml')->{problem}, qr/cannot be read: invalid YAML/, 'text that is no YAML');
like(row('bad/structure.yaml')->{problem}, qr/has no "sourceDescriptions".*has no "workflows".*Line 2, column 7: Info Object has no "title"/s, 'broken structure, all of it');
like(row('bad/list.json')->{problem}, qr/must be an object, not array/, 'a list');
ok(!exists $by_path{$_}, "$_ is no document") foreach qw(notes.txt urlmap.tsv .hidden/api.yaml api/circle);
ok(!row($_)->{loaded}, "$_ is not loaded") foreach qw(link-out.yaml directory-out link-nowhere.yaml);
like(row($_)->{problem}, qr/leads out of the directory/, "$_ leads out") foreach qw(link-out.yaml directory-out);
like(row('link-nowhere.yaml')->{problem}, qr/leads nowhere/, 'a link to nothing');
ok(row('link-in.yaml')->{loaded}, 'a link to a file of the tree is that file');
is($arazzo->json("SELECT count(*) FROM arazzo_documents WHERE uri LIKE '%secret%' OR source LIKE '%hostname: %'"), 0,
	'nothing from outside is kept');
is($arazzo->json("SELECT count(*) FROM arazzo_workflows WHERE workflow_id IN ('beside', 'absolute', 'neighbour', 'from-root', 'with-space') AND problem IS NULL"),
	5, 'all that has its sources can be run');

# once more, over what is there
is($arazzo->json("SELECT count(*) FROM arazzo_import('$tree') WHERE loaded"), scalar(grep { $_->{loaded} } values %rows),
	'the same documents can be imported again');

# what stops it as a whole
my @refused = (
	[ 'relative/directory', qr/22023: +path "relative\/directory" is not absolute/, 'a relative path' ],
	[ "$tree/nowhere", qr/could not open directory ".*": No such file/, 'a directory that is not there' ],
	[ "$tree/notes.txt", qr/could not open directory ".*": Not a directory/, 'a file' ]);

like(($arazzo->query("SELECT * FROM arazzo_import('$_->[0]')"))[1], $_->[1], $_->[2]) foreach @refused;
put("$tree/urlmap.tsv", "no tab here\n");
like(($arazzo->query("SELECT * FROM arazzo_import('$tree')"))[1],
	qr/line 1 of ".*urlmap\.tsv" is not a URL, a tab and a path/, 'a map that is none');
unlink "$tree/urlmap.tsv";

my $deep = join('/', $tree, ('d') x 66);
make_path($deep);
like(($arazzo->query("SELECT * FROM arazzo_import('$tree')"))[1], qr/54000: .*nested deeper than 64/, 'too deep a tree');

# rights
$arazzo->query('CREATE ROLE reader; CREATE ROLE caller; GRANT pg_read_server_files TO reader;'
	  . ' GRANT EXECUTE ON FUNCTION arazzo_import(text) TO caller');
like(($arazzo->query("SET ROLE reader; SELECT * FROM arazzo_import('$tree/api')"))[1], qr/permission denied for function/,
	'EXECUTE is not granted to all');
like(($arazzo->query("SET ROLE caller; SELECT * FROM arazzo_import('$tree/api')"))[1],
	qr/42501: +permission denied to read files of the server/, 'nor is it enough');
is(($arazzo->query("GRANT caller TO reader; SET ROLE reader; SELECT count(*) FROM arazzo_import('$tree/api') WHERE loaded",
	params => ['-At']))[0], 2, 'both together are');

$arazzo->node->stop;
done_testing();
