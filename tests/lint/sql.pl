# The install script: nothing is replaced, everything is commented, nothing
# that acts is open to PUBLIC; and every regression test has its answer.

use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use Lint;
use Test::More;

my $script = 'sql/amberflo_arazzo.sql';
my $text = slurp($script);
my $plain = $text =~ s/--[^\n]*//gr;

# Bodies and literals may hold anything.
$plain =~ s/\$(\w*)\$.*?\$\1\$/\$\$/gs;
my $statements = $plain =~ s/'(?:[^']|'')*'/''/gsr;

like($text, qr/\A(?:--[^\n]*\n|\s*\n)*\\echo Use "CREATE EXTENSION/, 'the script refuses to be run by hand');
unlike($statements, qr/\bOR\s+REPLACE\b/i, 'no object of somebody else is replaced');
unlike($statements, qr/\bIF\s+NOT\s+EXISTS\b/i, 'no object of somebody else is taken over');
unlike($statements, qr/\bSECURITY\s+DEFINER\b(?!.*?\bSET\s+search_path\b)/is,
	'no function with the rights of its owner leaves the search path open');
unlike($statements, qr/\bGRANT\s+(?!USAGE|SELECT)\w+[^;]*\bTO\s+PUBLIC\b/i, 'PUBLIC is granted reading at most');

# One pattern for all kinds of objects: kind, name, rest of the statement.
my @objects;
while ($statements =~ /\bCREATE\s+(FUNCTION|PROCEDURE|AGGREGATE|TABLE|VIEW|TYPE|FOREIGN\s+DATA\s+WRAPPER|CAST|OPERATOR)\s+((?:\@extschema\@\.)?\w+)(.*?);/gis)
{
	my ($kind, $name, $rest) = (uc $1, $2, $3);

	$kind =~ s/\s+/ /g;
	push @objects, { kind => $kind, name => $name, rest => $rest };
}

cmp_ok(scalar @objects, '>', 0, 'the script creates objects');
foreach my $object (@objects)
{
	my ($kind, $name, $rest) = @$object{qw(kind name rest)};
	my $bare = $name =~ s/^\@extschema\@\.//r;

	like($statements, qr/\bCOMMENT\s+ON\s+\Q$kind\E\s+(?:\@extschema\@\.)?\Q$bare\E\b/i, "$kind $bare has a comment");
	like($bare, qr/^arazzo/, "$kind $bare has the name of the project in its name");
	next unless $kind eq 'FUNCTION' || $kind eq 'PROCEDURE';
	next if $rest =~ /\b(?:IMMUTABLE|STABLE)\b/i;
	like($statements, qr/\bREVOKE\s+\w+(?:\s+PRIVILEGES)?\s+ON\s+(?:FUNCTION|PROCEDURE|ROUTINE)\s+[^;]*\b\Q$bare\E\b[^;]*\bFROM\s+PUBLIC\b/is,
		"$kind $bare is revoked from PUBLIC");
}

foreach my $kind ([ 'tests/sql', 'sql' ], [ 'tests/specs', 'spec' ])
{
	my ($directory, $suffix) = @$kind;

	foreach my $input (files(qr/\.\Q$suffix\E$/, $directory))
	{
		my ($name) = $input =~ m{([^/]+)\.\Q$suffix\E$};

		ok(-e "expected/$name.out", "$input has an answer in expected");
	}
}
foreach my $answer (files(qr/\.out$/, 'expected'))
{
	my ($name) = $answer =~ m{([^/]+?)(?:_\d)?\.out$};

	ok(-e "tests/sql/$name.sql" || -e "tests/specs/$name.spec", "$answer answers a test");
}

done_testing();
