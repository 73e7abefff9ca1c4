package Lint;

# What the checks below tests/lint share: the files of the tree, and C text
# with comments and literals blanked out so that a pattern sees only code.

use strict;
use warnings;

use Cwd qw(abs_path);
use Exporter qw(import);
use File::Basename qw(dirname);
use File::Find ();

our @EXPORT = qw(files slurp code functions);

chdir dirname(abs_path(__FILE__)) . '/../..' or die "could not reach the top of the tree: $!";

# Files below the given directories whose names match, sorted.
sub files
{
	my ($pattern, @directories) = @_;
	my @found;

	File::Find::find(
		{
			no_chdir => 1,
			wanted => sub { push @found, $_ if -f $_ && $_ =~ $pattern }
		},
		grep { -d $_ } @directories);
	return sort @found;
}

sub slurp
{
	my ($file) = @_;

	open my $handle, '<', $file or die "could not open \"$file\": $!";
	local $/;
	my $text = <$handle>;
	close $handle;
	return $text // '';
}

# C text without comments, string and character literals; every line break is
# kept, so that line numbers stay true.
sub code
{
	my ($text) = @_;

	$text =~ s{
		( /\*.*?\*/ | //[^\n]* )              # comment
		| "(?:[^"\\\n]|\\.)*"                 # string
		| '(?:[^'\\\n]|\\.)+'                 # character
	}{
		my $all = $&;
		my $breaks = ($all =~ tr/\n//);
		defined $1 ? (' ' . "\n" x $breaks) : ('""' . "\n" x $breaks)
	}gsex;
	return $text;
}

# The functions a C file defines: name, first line, number of lines, text.
# Relies on the house style: the name starts a line, and so do both braces.
sub functions
{
	my ($file) = @_;
	my @lines = split /\n/, code(slurp($file));
	my @found;

	for (my $i = 1; $i < @lines; $i++)
	{
		next unless $lines[$i] =~ /^\{/;

		# Walk up to the line that starts with the name and its parenthesis.
		my $head = $i - 1;
		$head-- while $head > 0 && $lines[$head] =~ /^[\s#]/;
		next unless $lines[$head] =~ /^(\w+)\(/;
		my $name = $1;
		my $end = $i;
		$end++ until $end == $#lines || $lines[$end] =~ /^\}/;
		push @found,
		  {
			name => $name,
			file => $file,
			line => $head + 1,
			length => $end - $i - 1,
			text => join("\n", @lines[ $i .. $end ])
		  };
		$i = $end;
	}
	return @found;
}

1;
