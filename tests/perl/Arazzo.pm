# A cluster with the extension and, if asked, a sandbox behind its servers.
#
#	my $arazzo = Arazzo->new(name => 'main', shape => 'published');
#	my ($out, $error) = $arazzo->query("SELECT arazzo_run('x')");
package Arazzo;

use strict;
use warnings;

use Cwd qw(abs_path);
use File::Basename qw(dirname);
use IPC::Run;
use JSON::PP;
use Node;
use PostgreSQL::Test::Utils;
use Sandbox;

our $TOP = abs_path(dirname(abs_path(__FILE__)) . '/../..');

# Options: name, install_path (of another PostgreSQL), shape (no sandbox without), config (lines), keys (1: user
# mappings for the superuser), amberflo_key, stripe_key.
sub new
{
	my ($class, %options) = @_;
	my $node = Node->new($options{name} // 'main',
		$options{install_path} ? (install_path => $options{install_path}) : ());
	my $self = bless { node => $node, %options }, $class;

	# The extension needs UTF-8, whatever the locale of the tests.
	$node->init(extra => ['--encoding=UTF8']);
	$node->append_conf('postgresql.conf', $_) foreach @{ $options{config} // [] };
	$node->start;
	$node->safe_psql('postgres', 'CREATE EXTENSION amberflo_arazzo');
	$self->connect_sandbox if $options{shape};
	return $self;
}

sub node { return $_[0]{node}; }
sub sandbox { return $_[0]{sandbox}; }

sub connect_sandbox
{
	my ($self) = @_;
	my $amberflo = $self->{amberflo_key} // 'amberflo-test-key';
	my $stripe = $self->{stripe_key} // 'sk_test_stripe_key';

	$self->{sandbox} = Sandbox->start(
		shape => $self->{shape},
		amberflo_key => $amberflo,
		stripe_key => $stripe,
		args => $self->{args} // []);
	my $url = $self->{sandbox}->url;
	$self->{node}->safe_psql('postgres', <<"SQL");
CREATE SERVER amberflo FOREIGN DATA WRAPPER arazzo OPTIONS (api 'https://app.amberflo.io', url '$url');
CREATE SERVER stripe FOREIGN DATA WRAPPER arazzo OPTIONS (api 'https://api.stripe.com', url '$url');
SQL
	return unless $self->{keys};
	$self->{node}->safe_psql('postgres', <<"SQL");
CREATE USER MAPPING FOR CURRENT_USER SERVER amberflo OPTIONS (api_key '$amberflo');
CREATE USER MAPPING FOR CURRENT_USER SERVER stripe OPTIONS (token '$stripe');
SQL
	return;
}

# Standard output and error of a statement; errors come with their SQLSTATE,
# DETAIL and HINT.
sub query
{
	my ($self, $sql, %options) = @_;
	my ($out, $error) = ('', '');

	$self->{node}->psql(
		$options{database} // 'postgres',
		"\\set VERBOSITY verbose\n\\set SHOW_CONTEXT never\n$sql",
		stdout => \$out,
		stderr => \$error,
		extra_params => [ '-q', @{ $options{params} // [] } ],
		on_error_stop => 0);
	$error =~ s/^psql:<stdin>:\d+: //mg;
	$error =~ s/^LOCATION: .*\n?//mg;
	$error =~ s/\n$//;
	return ($out, $error);
}

# Starts a session that works off a script on its own; finish() waits for it.
sub background
{
	my ($self, $script, $out, $error) = @_;
	my $file = PostgreSQL::Test::Utils::tempdir() . '/script.sql';

	append_to_file($file, $script);
	return IPC::Run::start([ 'psql', '-XAtq', '-d', $self->{node}->connstr('postgres'), '-f', $file ],
		'<', \undef, '>', $out, '2>', $error,
		IPC::Run::timeout($PostgreSQL::Test::Utils::timeout_default));
}

# The answer of a statement that must succeed, decoded from JSON.
sub json
{
	my ($self, $sql) = @_;

	return JSON::PP->new->decode($self->{node}->safe_psql('postgres', $sql));
}

# "METHOD target content-type body" of what the sandbox has seen.
sub seen
{
	my ($self) = @_;
	my @lines;

	foreach my $entry (@{ $self->{sandbox}->ledger })
	{
		my ($type) = map { $_->[1] } grep { lc $_->[0] eq 'content-type' } @{ $entry->{headers} };
		push @lines, join(' ', $entry->{method}, $entry->{target}, $type // '-', $entry->{body} // '-');
	}
	return \@lines;
}

# A published document's text; undef when the directory is not there.
sub published
{
	my ($path) = @_;
	my $file = "$TOP/../shared/published/$path";

	return -e $file ? slurp_file($file) : undef;
}

# Quotes a string for SQL.
sub quote
{
	my ($text) = @_;

	$text =~ s/'/''/g;
	return "'$text'";
}

1;
