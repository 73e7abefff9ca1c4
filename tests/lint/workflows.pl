# The documents that ship: one workflow a file and named like it, sources that
# are there, inputs that are explained, and nothing that would end the literal
# in which the install script holds them.

use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use Lint;
use Test::More;

my @documents = files(qr/\.yaml$/, 'workflows');

cmp_ok(scalar @documents, '>', 0, 'documents ship');
foreach my $file (@documents)
{
	my $text = slurp($file);

	unlike($text, qr/\$document\$|\@extschema|\@extowner/, "$file can stand in the install script");
	unlike($text, qr/\t|\r|[ ]\n|[^\x00-\x7f]/, "$file is plain text without tabs");
	next unless $file =~ m{^workflows/arazzo/(.*)\.yaml$};

	my $name = $1;
	my @ids = $text =~ /^\s+(?:- )?workflowId: (\S+)$/mg;
	is("@ids", $name, "$file holds the workflow it is named after");
	foreach my $source ($text =~ /^\s+url: (\S+)$/mg)
	{
		ok(-e "workflows/arazzo/$source", "$file finds $source");
	}
	my @inputs = $text =~ /\$inputs\.(\w+)/g;
	my @unknown = grep { $text !~ /^        \Q$_\E:$/m } @inputs;
	is("@unknown", '', "$file declares the inputs it uses");
}

done_testing();
