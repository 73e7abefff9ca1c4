# Scenarios: workflows against the sandbox as any API (tests/sandbox/mock.h),
# the exact requests and the end compared.
#
# A file has sections; what stands before the first "=== name" is common to its
# scenarios.  Lines that begin with "# " before a section are remarks.
#
#	--- document URI		a document, as text; an Arazzo document without a
#							version gets one, and a source "api" at openapi.yaml
#	--- server API			{"options": {…}, "mapping": {…}, "base": "/x"}, for
#							a server other than "url" at the sandbox, no credentials
#	--- openapi URI			the mock answers by this document, which is JSON
#	=== name
#	--- run WORKFLOW		the inputs, {} when empty
#	--- mock				rules, as JSON
#	--- fault				a fault, as JSON (tests/sandbox/faults.h)
#	--- requests			see below; none at all when empty
#	--- outputs				what arazzo_run returns, as JSON, or
#	--- fails				a regular expression that the error matches
#	--- steps				one line for each call: step, attempt, outcome, action
#
# A request is "METHOD target content-type", with "-" for no content type, then
# lines "> name: value" for headers that must be there, "> !name" for those that
# must not, and its body, each line after two spaces; CR is left out, and a
# multipart boundary is written BOUNDARY.
package Scenario;

use strict;
use warnings;

use Arazzo;
use JSON::PP;
use Test::More;

my $arazzo_head = <<'YAML';
arazzo: 1.0.1
info: {title: scenarios, version: '1'}
sourceDescriptions: [{name: api, url: openapi.yaml, type: openapi}]
YAML

# The sections of a text: a list of [kind, argument, lines].
sub sections
{
	my ($text) = @_;
	my @sections;

	foreach my $line (split /\n/, $text)
	{
		if ($line =~ /^(===|---) (.*)$/)
		{
			my ($kind, $argument) = $1 eq '===' ? ('name', $2) : split(' ', $2, 2);
			push @sections, [ $kind, $argument // '', '' ];
		}
		elsif (@sections)
		{
			$sections[-1][2] .= "$line\n";
		}
	}
	return @sections;
}

# A file as {common => [sections], scenarios => [{name, sections}]}.
sub read_file
{
	my ($file) = @_;
	my $read = { common => [], scenarios => [] };

	open(my $handle, '<:raw', $file) or die "could not open \"$file\": $!";
	local $/;
	foreach my $section (sections(scalar <$handle>))
	{
		if ($section->[0] eq 'name')
		{
			push @{ $read->{scenarios} }, { name => $section->[1], sections => [] };
			next;
		}
		push @{ @{ $read->{scenarios} } ? $read->{scenarios}[-1]{sections} : $read->{common} }, $section;
	}
	return $read;
}

# Loads a document; what PostgreSQL says of it.
sub load
{
	my ($arazzo, $uri, $text) = @_;

	$text = "$arazzo_head$text" if $text =~ /^workflows:/m && $text !~ /^arazzo:/m;
	my ($out, $said) = $arazzo->query('SELECT arazzo_load(' . Arazzo::quote($uri) . ', ' . Arazzo::quote($text) . ')');
	return $said;
}

# The API URLs that the workflows of a document need.
sub apis
{
	my ($arazzo, $uri) = @_;

	return split /\n/, $arazzo->node->safe_psql('postgres',
		'SELECT DISTINCT unnest(servers) FROM arazzo_workflows WHERE document = ' . Arazzo::quote($uri) . ' ORDER BY 1');
}

# One option list from a hash.
sub options
{
	my ($values) = @_;

	return join(', ', map { "$_ " . Arazzo::quote($values->{$_}) } sort keys %$values);
}

# A server for an API, leading to the sandbox, and a mapping for whoever runs.
sub make_server
{
	my ($arazzo, $number, $api, $given) = @_;
	my ($path) = $api =~ m{^[a-z]+://[^/]*(.*?)/?$}s;
	my %server = (api => $api, url => $arazzo->sandbox->url . ($given->{base} // $path), %{ $given->{options} // {} });

	$arazzo->node->safe_psql('postgres',
		"CREATE SERVER api_$number FOREIGN DATA WRAPPER arazzo OPTIONS (" . options(\%server) . ")");
	$arazzo->node->safe_psql('postgres',
		"CREATE USER MAPPING FOR CURRENT_USER SERVER api_$number OPTIONS (" . options($given->{mapping}) . ")")
	  if $given->{mapping};
	return;
}

# Takes away all servers and all documents that did not ship.
sub forget
{
	my ($arazzo) = @_;

	$arazzo->node->safe_psql('postgres', <<'SQL');
SET client_min_messages = warning;
SELECT format('DROP SERVER %I CASCADE', srvname) FROM pg_foreign_server \gexec
SELECT arazzo_unload(uri) FROM arazzo_documents WHERE NOT shipped;
SQL
	$arazzo->sandbox->reset;
	return;
}

# The documents and servers that the scenarios of a file share.
sub prepare
{
	my ($arazzo, $file, $common) = @_;
	my %given;
	my %apis;
	my $number = 0;

	forget($arazzo);
	foreach my $section (@$common)
	{
		my ($kind, $argument, $text) = @$section;

		$given{$argument} = JSON::PP->new->utf8->decode($text) if $kind eq 'server';
		is(load($arazzo, $argument, $text), '', "$file: $argument loads") if $kind eq 'document';
	}
	foreach my $section (grep { $_->[0] eq 'document' } @$common)
	{
		$apis{$_} = 1 foreach apis($arazzo, $section->[1]);
	}
	make_server($arazzo, $number++, $_, $given{$_} // {}) foreach sort keys %apis;
	return;
}

# What the mock answers by: the documents of the file, and rules.
sub prepare_mock
{
	my ($arazzo, $common, $sections) = @_;

	$arazzo->sandbox->reset;
	foreach my $section (@$common, @$sections)
	{
		my ($kind, $argument, $text) = @$section;

		$arazzo->sandbox->mock($text) if $kind eq 'mock';
		$arazzo->sandbox->fault(%{ JSON::PP->new->utf8->decode($text) }) if $kind eq 'fault';
		next unless $kind eq 'openapi';
		my ($document) = map { $_->[2] } grep { $_->[0] eq 'document' && $_->[1] eq $argument } @$common;
		$arazzo->sandbox->mock_openapi(JSON::PP->new->utf8->decode($document));
	}
	return;
}

# Requests as written: [{line, headers, absent, body}].
sub read_requests
{
	my ($text) = @_;
	my @requests;

	foreach my $line (split /\n/, $text)
	{
		if ($line =~ /^> !(.*)$/) { push @{ $requests[-1]{absent} }, $1; }
		elsif ($line =~ /^> (\S+): ?(.*)$/) { push @{ $requests[-1]{headers} }, [ $1, $2 ]; }
		elsif ($line =~ /^  (.*)$/) { push @{ $requests[-1]{body} }, $1; }
		elsif ($line =~ /\S/) { push @requests, { line => $line }; }
	}
	return @requests;
}

# Text as UTF-8; files, statements and reports are bytes throughout.
sub bytes
{
	my ($text) = @_;

	utf8::encode($text) if defined $text;
	return $text;
}

# What the sandbox has seen, in the same form; headers by name in lower case.
sub seen
{
	my ($arazzo) = @_;
	my @requests;

	foreach my $entry (@{ $arazzo->sandbox->ledger })
	{
		my %headers;
		push @{ $headers{ lc $_->[0] } }, bytes($_->[1]) foreach @{ $entry->{headers} };
		my $type = join(', ', @{ $headers{'content-type'} // ['-'] });
		my $body = $entry->{body};

		if ($type =~ /boundary=(\S+)/)
		{
			my $boundary = $1;
			$type =~ s/\Q$boundary\E/BOUNDARY/;
			$body =~ s/\Q$boundary\E/BOUNDARY/g;
		}
		$body =~ s/\r//g if defined $body;
		push @requests, { line => bytes("$entry->{method} $entry->{target} $type"), headers => \%headers, body => bytes($body) };
	}
	return @requests;
}

# A request as text, with the headers that the expected one speaks of.
sub request_text
{
	my ($seen, $expected) = @_;
	my $text = "$seen->{line}\n";

	foreach my $header (@{ $expected->{headers} // [] })
	{
		my $values = $seen->{headers}{ lc $header->[0] } // [];
		$text .= "> $header->[0]: $_\n" foreach @$values;
	}
	foreach my $name (@{ $expected->{absent} // [] })
	{
		$text .= "> " . ($seen->{headers}{ lc $name } ? $name : "!$name") . "\n";
	}
	return $text . join('', map { "  $_\n" } split /\n/, $seen->{body} // '(bytes)');
}

sub expected_text
{
	my ($expected) = @_;

	return join('', "$expected->{line}\n",
		(map { "> $_->[0]: $_->[1]\n" } @{ $expected->{headers} // [] }),
		(map { "> !$_\n" } @{ $expected->{absent} // [] }),
		(map { "  $_\n" } @{ $expected->{body} // [] }));
}

# The requests that came are those.
sub check_requests
{
	my ($arazzo, $text, $what) = @_;
	my @expected = read_requests($text);
	my @seen = seen($arazzo);
	my $have = '';

	$have .= request_text($seen[$_], $expected[$_] // {}) foreach 0 .. $#seen;
	is($have, join('', map { expected_text($_) } @expected), "$what: requests");
	return;
}

# Runs a workflow as a superuser; output and error.
sub run
{
	my ($arazzo, $workflow, $inputs) = @_;

	return $arazzo->query('SELECT arazzo_run(' . Arazzo::quote($workflow) . ', ' . Arazzo::quote($inputs) . ')');
}

# jsonb as PostgreSQL writes it, every digit kept.
sub normal
{
	my ($arazzo, $json) = @_;

	return $arazzo->node->safe_psql('postgres', 'SELECT ' . Arazzo::quote($json) . '::jsonb');
}

# Runs a traced workflow; "step attempt outcome action" lines without the run's own.
sub trace
{
	my ($arazzo, $workflow, $inputs) = @_;

	return $arazzo->node->safe_psql('postgres',
		"SELECT concat_ws(' ', step, attempt, outcome, action) FROM arazzo_trace("
		  . Arazzo::quote($workflow) . ', ' . Arazzo::quote($inputs) . ') WHERE step IS NOT NULL ORDER BY ordinal');
}

sub check
{
	my ($arazzo, $common, $scenario) = @_;
	my %part = map { $_->[0] => $_->[2] } @{ $scenario->{sections} };
	my ($workflow) = map { $_->[1] } grep { $_->[0] eq 'run' } @{ $scenario->{sections} };
	my $inputs = ($part{run} // '') =~ /\S/ ? $part{run} : '{}';
	my ($out, $error);

	prepare_mock($arazzo, $common, $scenario->{sections});
	if (defined $part{steps})
	{
		is(trace($arazzo, $workflow, $inputs) . "\n", $part{steps} =~ s/\n+$/\n/r, "$scenario->{name}: steps");
		prepare_mock($arazzo, $common, $scenario->{sections});
	}
	($out, $error) = run($arazzo, $workflow, $inputs);
	check_requests($arazzo, $part{requests} // '', $scenario->{name});
	check_end($arazzo, \%part, $out, $error, $scenario->{name});
	return;
}

# The run failed as expected, or has those outputs.
sub check_end
{
	my ($arazzo, $part, $out, $error, $what) = @_;

	if (defined $part->{fails})
	{
		my $pattern = $part->{fails} =~ s/\s+$//r;
		like($error, qr/$pattern/, "$what: fails");
		return;
	}
	is($error, '', "$what: no error");
	is($out, normal($arazzo, $part->{outputs} // '{}'), "$what: outputs");
	return;
}

# All scenarios of a file; returns how many there are.
sub check_file
{
	my ($arazzo, $file) = @_;
	my $read = read_file($file);

	prepare($arazzo, $file =~ s{.*/}{}r, $read->{common});
	check($arazzo, $read->{common}, $_) foreach @{ $read->{scenarios} };
	return scalar @{ $read->{scenarios} };
}

1;
