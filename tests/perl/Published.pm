# Published documents (../shared/corpus/open) against the sandbox: loaded with
# their sources, inputs made from the schema of the inputs, answers from the
# OpenAPI documents.  Security is taken out of these, so that other programs,
# which know no user mapping, can be compared with it.
package Published;

use strict;
use warnings;

use Arazzo;
use File::Basename;
use JSON::PP;
use PostgreSQL::Test::Utils;
use Scenario;

our $CORPUS = "$Arazzo::TOP/../shared/corpus/open";

# The URI that a document of the corpus gets.
sub uri
{
	my ($file) = @_;

	return "https://corpus.test/$file";
}

# Loads a document and its sources, and makes the servers that it needs.
# Returns the sources, or undef and the reason when one is not at hand.
sub prepare
{
	my ($arazzo, $file) = @_;
	my $uri = uri($file);

	Scenario::forget($arazzo);
	my $said = Scenario::load($arazzo, $uri, slurp_file("$CORPUS/$file"));
	return (undef, 'refused', ($said =~ /^ERROR: +(.*)/)[0]) if $said =~ /^ERROR/;
	my $sources = $arazzo->json("SELECT coalesce(content->'sourceDescriptions', '[]') FROM arazzo_documents WHERE uri = " . Arazzo::quote($uri));
	my ($all, $missing) = load_sources($arazzo, $file, $uri, $sources);

	return (undef, 'source', $missing) unless $all;
	$sources = $all;
	my @apis = Scenario::apis($arazzo, $uri);
	Scenario::make_server($arazzo, $_, $apis[$_], { base => '' }) foreach 0 .. $#apis;
	return $sources;
}

# Loads all sources of a document, those of other workflows with their own.
# Returns the OpenAPI ones, or undef and the one that is not at hand.
sub load_sources
{
	my ($arazzo, $file, $uri, $sources) = @_;
	my @all;

	foreach my $source (@$sources)
	{
		my $path = source_path($file, $source);
		return (undef, $source->{url}) unless defined $path;
		$source->{uri} = load_source($arazzo, $source, $uri, $path);
		return (undef, "$source->{url} cannot be loaded") unless defined $source->{uri};
		push @all, $source;
		next if ($source->{type} // 'openapi') ne 'arazzo';
		my $inner = $arazzo->json("SELECT coalesce(content->'sourceDescriptions', '[]') FROM arazzo_documents WHERE uri = "
			  . Arazzo::quote($source->{uri}));
		my ($more, $missing) = load_sources($arazzo, $path =~ s{^\Q$CORPUS\E/}{}r, $source->{uri}, $inner);
		return (undef, $missing) unless $more;
		push @all, @$more;
	}
	return \@all;
}

# The file of a source; undef for one that is not at hand.
sub source_path
{
	my ($file, $source) = @_;

	return undef if ($source->{type} // 'openapi') !~ /^(?:openapi|arazzo)$/ || $source->{url} =~ m{^[a-z]+:}i;
	my $path = "$CORPUS/" . dirname($file) . "/$source->{url}";
	return -f $path ? $path : undef;
}

# Loads a document where the workflow looks for it, an OpenAPI one without
# security; its URI.
sub load_source
{
	my ($arazzo, $source, $document, $path) = @_;
	my $uri = $document =~ s{[^/]*$}{}r . $source->{url};

	1 while $uri =~ s{/\./}{/} || $uri =~ s{/[^/]+/\.\./}{/};
	my $said = Scenario::load($arazzo, $uri, slurp_file($path));
	return undef if $said =~ /ERROR/;
	$arazzo->node->safe_psql('postgres', 'SELECT arazzo_load(uri, jsonb_set(content - \'security\', \'{paths}\', ('
		. "SELECT coalesce(jsonb_object_agg(p, CASE jsonb_typeof(i) WHEN 'object' THEN (SELECT coalesce(jsonb_object_agg(m, "
		. "CASE jsonb_typeof(o) WHEN 'object' THEN o - 'security' ELSE o END), '{}') FROM jsonb_each(i) AS x(m, o)) ELSE i END), '{}') "
		. "FROM jsonb_each(content->'paths') AS y(p, i)))::text) FROM arazzo_documents WHERE jsonb_typeof(content->'paths') = 'object' AND uri = "
		. Arazzo::quote($uri));
	return $uri;
}

# Values of formats that are checked.
my %formats = (
	date => '2024-01-31', 'date-time' => '2024-01-31T12:00:00Z', time => '12:00:00Z', email => 'a@example.com',
	uri => 'https://example.com/a', uuid => '123e4567-e89b-42d3-a456-426614174000');

# A value for an input of that schema and name; references lead into the
# document.
sub sample
{
	my ($schema, $name, $document) = @_;

	for (my $level = 0; ref $schema eq 'HASH' && ($schema->{'$ref'} // '') =~ m{^#(/.*)} && $level < 10; $level++)
	{
		my $target = $document;

		foreach my $token (split m{/}, substr($1, 1))
		{
			$token =~ s{~1}{/}g;
			$token =~ s{~0}{~}g;
			$target = ref $target eq 'HASH' ? $target->{$token} : undef;
		}
		$schema = $target;
	}
	if (ref $schema eq 'HASH' && !$schema->{type} && (my ($first) = grep { ref eq 'ARRAY' } @$schema{qw(oneOf anyOf)}))
	{
		return sample($first->[0], $name, $document);
	}
	my $type = ref $schema eq 'HASH' ? $schema->{type} // 'object' : 'string';

	$type = $type->[0] if ref $type;
	foreach my $given (qw(default example const))
	{
		return $schema->{$given} if ref $schema eq 'HASH' && exists $schema->{$given};
	}
	return $schema->{enum}[0] if ref $schema eq 'HASH' && $schema->{enum};
	return 7 if $type eq 'integer';
	return 1.5 if $type eq 'number';
	return JSON::PP::true if $type eq 'boolean';
	return [ sample($schema->{items} // {}, $name, $document) ] if $type eq 'array';
	return $formats{ $schema->{format} } if $type eq 'string' && ref $schema eq 'HASH' && $formats{ $schema->{format} // '' };
	return $1 x $2 if $type eq 'string' && ref $schema eq 'HASH' && ($schema->{pattern} // '') =~ /^\^\[(.)-.\]\{(\d+)\}\$$/;
	return 'in-' . ($name =~ s/[^A-Za-z0-9]/-/gr) if $type eq 'string';
	my $properties = $schema->{properties} // {};
	return { map { $_ => sample($properties->{$_}, $_, $document) } keys %$properties };
}

# Inputs for a workflow of a document (its content), as JSON.
sub inputs
{
	my ($schema, $document) = @_;
	my $inputs = JSON::PP->new->utf8->canonical->encode(sample($schema // {}, 'inputs', $document));

	return $inputs =~ /^\{/ ? $inputs : '{}';
}

# The mock answers by the sources, with every property.
sub prepare_answers
{
	my ($arazzo, $sources) = @_;

	$arazzo->sandbox->reset;
	foreach my $source (grep { $_->{uri} } @$sources)
	{
		my $document = $arazzo->node->safe_psql('postgres',
			'SELECT content FROM arazzo_documents WHERE uri = ' . Arazzo::quote($source->{uri}));
		$arazzo->sandbox->control('POST', 'mock/openapi', "{\"full\": true, \"document\": $document}")
		  if $document =~ /"paths": \{/;
	}
	return;
}

1;
