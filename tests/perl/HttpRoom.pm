package HttpRoom;

# A cluster with the http room as SQL functions, and one call of them.

use strict;
use warnings;

use Cwd qw(abs_path);
use Exporter qw(import);
use File::Basename qw(dirname);
use IPC::Open2;
use PostgreSQL::Test::Cluster;

our @EXPORT = qw(start_node create_functions call literal perform_sql session);

# A running cluster with the functions.
sub start_node
{
	my ($name) = @_;
	my $node = PostgreSQL::Test::Cluster->new($name);

	$node->init(extra => ['--encoding=UTF8']);
	$node->start;
	create_functions($node);
	return $node;
}

# The functions in a cluster that runs; returns where they are, for others.
sub create_functions
{
	my ($node) = @_;
	my $rooms = $ENV{ARAZZO_ROOMS}
	  // dirname(abs_path(__FILE__)) . '/../module/arazzo_rooms.so';

	$rooms =~ s/\.so$//;
	$node->safe_psql('postgres', qq{
		CREATE FUNCTION test_http_perform(method text, url text, headers text[] = '{}', body bytea = NULL,
			options text[] = '{}', OUT outcome text, OUT status int, OUT response_headers text[],
			OUT response_body text, OUT sqlstate text, OUT message text, OUT detail text, OUT hint text,
			OUT transient bool, OUT peer text)
			AS '$rooms', 'test_http_perform' LANGUAGE C;
		CREATE FUNCTION test_http_many(urls text[], options text[] = '{}') RETURNS text[]
			AS '$rooms', 'test_http_many' LANGUAGE C STRICT;
		CREATE FUNCTION test_http_abandon(url text, options text[] = '{}') RETURNS text
			AS '$rooms', 'test_http_abandon' LANGUAGE C STRICT;
		CREATE FUNCTION test_http_counts() RETURNS text
			AS '$rooms', 'test_http_counts' LANGUAGE C;
	});
	return $rooms;
}

sub literal
{
	my ($text) = @_;

	return 'NULL' unless defined $text;
	$text =~ s/'/''/g;
	$text =~ s/\\/\\\\/g;
	return "E'$text'";
}

# The query for one request, with method, headers, body and options by name.
sub perform_sql
{
	my ($columns, $url, %given) = @_;
	my @headers = map { literal($_) } @{ $given{headers} // [] };
	my @options = map { literal($_) } @{ $given{options} // [] };

	return sprintf 'SELECT %s FROM test_http_perform(%s, %s, ARRAY[%s]::text[], %s::bytea, ARRAY[%s]::text[])',
	  $columns, literal($given{method} // 'GET'), literal($url), join(', ', @headers),
	  defined $given{body} ? sprintf("'\\x%s'", unpack('H*', $given{body})) : 'NULL', join(', ', @options);
}

# A psql that stays: say() gives it a command, hear() waits for the end of the
# commands so far and returns what they printed, ask() is both.  An error is
# printed as its SQLSTATE.
sub session
{
	my ($node) = @_;
	my ($out, $in);
	my $pid = open2($out, $in, "psql -XAtq -d '" . $node->connstr('postgres') . "' 2>&1");
	my $session = bless { pid => $pid, in => $in, out => $out }, 'HttpRoom::Session';

	$in->autoflush;
	$session->ask('\\set VERBOSITY sqlstate');
	return $session;
}

package HttpRoom::Session;

sub say
{
	my ($self, $command) = @_;

	print { $self->{in} } "$command\n\\echo END\n";
	$self->{due}++;
}

sub hear
{
	my ($self) = @_;
	my $text = '';

	while ($self->{due})
	{
		my $line = readline $self->{out};

		last unless defined $line;
		$line eq "END\n" ? $self->{due}-- : ($text .= $line);
	}
	chomp $text;
	return $text;
}

sub ask
{
	my ($self, $command) = @_;

	$self->say($command);
	return $self->hear;
}

sub DESTROY
{
	my ($self) = @_;

	local ($?, $!, $@);
	close $self->{in};
	waitpid $self->{pid}, 0;
}

package HttpRoom;

# One request in a session of its own: outcome, status, SQLSTATE and message
# as far as there is one.
sub call
{
	my ($node, $url, %given) = @_;

	return $node->safe_psql('postgres',
		perform_sql(q{concat_ws(' ', outcome, status, sqlstate, message)}, $url, %given));
}

1;
