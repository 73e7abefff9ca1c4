# Each room includes headers of the rooms above it only; the transport knows
# nothing of Arazzo, and one file sees each library.

use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use Lint;
use Test::More;

my @rooms = qw(support document schema openapi expression workflow run http drive queue trigger work);
my %place = map { $rooms[$_] => $_ } 0 .. $#rooms;

# Rooms that may include less than their place in the order allows.
my %only = (http => { map { $_ => 1 } qw(support document http) });

# Library headers, and the files that may include them.
my %library = (
	'curl/curl.h' => qr{^src/http/},
	'libpq-fe.h' => qr{^src/http/},
	'openssl/ssl.h' => qr{^src/http/},
	'zlib.h' => qr{^src/http/},
	'yaml.h' => qr{^src/document/});

is(join(' ', grep { !exists $place{$_} } map { s{^src/}{}r } grep { -d $_ } glob('src/*')),
	'', 'every directory below src is a room');

foreach my $file (files(qr/\.[ch]$/, 'src'))
{
	my ($room) = $file =~ m{^src/([^/]+)/};
	my $text = slurp($file);
	my @wrong;

	while ($text =~ /^\s*#\s*include\s+([<"])([^>"]+)[>"]/mg)
	{
		my ($style, $header) = ($1, $2);

		if ($style eq '"' && $header =~ m{^([a-z]+)/} && (exists $place{$1} || -e "src/$header"))
		{
			my $other = $1;

			push @wrong, "$header does not exist" unless -e "src/$header";
			push @wrong, "$other is not above $room"
			  if defined $room && ($place{$other} // 99) > $place{$room};
			push @wrong, "$room includes $header"
			  if defined $room && $only{$room} && !$only{$room}{$other};
		}
		push @wrong, "$header in a header" if $file =~ /\.h$/ && ($header eq 'postgres.h' || $library{$header});
		push @wrong, "$header does not belong here" if $library{$header} && $file !~ $library{$header};
	}
	is("@wrong", '', "$file includes only what it may");
}

foreach my $header (sort keys %library)
{
	my @users = grep { slurp($_) =~ /#\s*include\s+<\Q$header\E>/ } files(qr/\.[ch]$/, 'src');

	cmp_ok(scalar @users, '<=', 1, "one file sees $header") or diag("@users");
}

done_testing();
