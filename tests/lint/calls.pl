# C code keeps to the house style where a pattern can tell: no call that
# blocks, overflows or ends the server, no error without an SQLSTATE, no
# comment to the end of a line, no unfinished mark.

use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use Lint;
use Test::More;

# Nothing that runs in a server process calls these.
my $forbidden = qr/\b(
	pg_usleep | usleep | nanosleep | sleep | curl_easy_perform |
	strcpy | strcat | sprintf | vsprintf | gets | strtok | alloca |
	atoi | atol | atof | strtod | system | popen | fork | exit | _exit | abort |
	setenv | putenv | tmpnam | mktemp | signal | tolower | toupper |
	strcasecmp | strncasecmp | setlocale
)\s*\(/x;

# What carries a mark like these is not finished.
my $mark = qr/\b(TODO|FIXME|XXX|HACK|WIP|TBD)\b/;

foreach my $file (files(qr/\.[ch]$/, 'src', 'tests/module', 'tests/fuzz'))
{
	my $text = slurp($file);
	my $code = code($text);
	my @wrong;

	push @wrong, "calls $1" while $code =~ /$forbidden/g;
	push @wrong, "has the mark $1" while $text =~ /$mark/g;
	push @wrong, 'has a // comment' if code($text =~ s{//}{\x01}gr) =~ /\x01/;
	push @wrong, 'has blanks at the end of a line' if $text =~ /[ \t]\n/;
	push @wrong, 'has a carriage return' if $text =~ /\r/;
	push @wrong, 'is indented with blanks' if $code =~ /^ {4,}\S/m;
	push @wrong, 'does not end with a line break' if $text ne '' && $text !~ /\n\z/;
	while ($code =~ /\bereport\s*(\((?:[^()]++|(?1))*+\))\s*;/g)
	{
		my $call = $1;

		push @wrong, 'reports an error without errcode' if $call =~ /^\(\s*(?:ERROR|FATAL)/ && $call !~ /\berrcode/;
	}
	is(join('; ', @wrong), '', "$file keeps to the style");
}

foreach my $file (files(qr/\.(?:pl|pm|sql|spec|yaml|md|sh)$/, 'tests', 'sql', 'workflows'), glob('*.md'))
{
	next if $file =~ m{^tests/lint/} || $file =~ m{^tests/.*/results/};
	my @wrong;

	my $text = slurp($file);
	push @wrong, "has the mark $1" while $text =~ /$mark/g;
	push @wrong, 'has a carriage return' if $text =~ /\r/ && $file =~ /^(?:sql|workflows)/;
	is(join('; ', @wrong), '', "$file is finished");
}

done_testing();
