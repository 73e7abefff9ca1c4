package Http2Server;

# An HTTP/2 server on a port of 127.0.0.1 that answers the first request of its
# only connection frame by frame as it is told, right or wrong.  TLS is openssl
# s_server's, the certificate one of TlsServer.
#
#   my $server = Http2Server->start($directory, 'good', [ ACTION, ... ]);
#
# An action is bytes to send, such as those of frame(), or
#
#   [ repeat => bytes ]   again and again until the peer has gone
#   'STALL'               nothing more, but wait until the peer has gone
#   'CLOSE'               the end of the connection
#
# streams() tells how many requests came.

use strict;
use warnings;

use IO::Select;
use IPC::Open2;
use POSIX ();
use PostgreSQL::Test::Cluster;
use Time::HiRes qw(sleep time);

use constant { DATA => 0, HEADERS => 1, RST_STREAM => 3, SETTINGS => 4, PUSH_PROMISE => 5, PING => 6, GOAWAY => 7,
	WINDOW_UPDATE => 8, CONTINUATION => 9, END_STREAM => 1, END_HEADERS => 4 };

# RFC 9113, section 4.1.
sub frame
{
	my ($type, $flags, $stream, $payload) = @_;

	return substr(pack('N', length $payload), 1) . pack('CCN', $type, $flags, $stream) . $payload;
}

# RFC 7541: a header that enters no table.
sub header
{
	my ($name, $value) = @_;

	return "\0" . number(length $name, 7) . $name . number(length $value, 7) . $value;
}

# RFC 7541, section 5.1.
sub number
{
	my ($number, $bits) = @_;
	my $most = 2**$bits - 1;
	my $bytes = chr($most);

	return chr($number) if $number < $most;
	for ($number -= $most; $number >= 128; $number >>= 7)
	{
		$bytes .= chr($number % 128 + 128);
	}
	return $bytes . chr($number);
}

# Status 200 by its index in the static table.
sub ok { return chr(0x88); }

# A whole answer to the first request.
sub answer { return frame(HEADERS, END_HEADERS, 1, ok()) . frame(DATA, END_STREAM, 1, $_[0]); }

sub start
{
	my ($class, $directory, $name, $actions) = @_;
	my $port = PostgreSQL::Test::Cluster::get_free_port();
	my $parent = $$;

	pipe(my $reader, my $writer) or die "could not create a pipe: $!";
	my $pid = fork;
	die "could not fork: $!" unless defined $pid;
	if ($pid == 0)
	{
		close $reader;
		my $tls = open2(my $out, my $in, 'openssl', 's_server', '-quiet', '-alpn', 'h2', '-naccept', '1',
			'-accept', "127.0.0.1:$port", '-cert', "$directory/$name.pem", '-key', "$directory/$name.key");
		$SIG{TERM} = sub { kill 'KILL', $tls; POSIX::_exit(0) };
		$SIG{PIPE} = 'IGNORE';
		serve($in, $out, $writer, $actions);
		close $in;
		1 while sysread($out, my $rest, 65536);
		kill 'KILL', $tls;
		waitpid $tls, 0;
		POSIX::_exit(0);
	}
	close $writer;
	await_listener($port);
	return bless { pid => $pid, port => $port, reader => $reader }, $class;
}

# Until somebody listens, without a connection that would be the only one.
sub await_listener
{
	my ($port) = @_;
	my $entry = sprintf '0100007F:%04X 00000000:0000 0A', $port;
	my $end = time + 60;

	while (time < $end)
	{
		open my $sockets, '<', '/proc/net/tcp' or die "could not read the list of sockets: $!";
		return if grep { index($_, $entry) >= 0 } readline $sockets;
		sleep 0.01;
	}
	die 'the server did not start';
}

# In the child: the preface, and frames until a request is whole.
sub serve
{
	my ($in, $out, $writer, $actions) = @_;
	my $buffer = '';
	my $answered;

	$in->autoflush;
	take($out, \$buffer, 24) // return;
	while (defined(my $head = take($out, \$buffer, 9)))
	{
		my ($high, $low, $type, $flags) = unpack('CnCC', $head);
		take($out, \$buffer, $high * 65536 + $low) // return;
		next unless $type == HEADERS;
		syswrite $writer, '.';
		foreach my $action ($answered++ ? () : frame(SETTINGS, 0, 0, ''), @$actions)
		{
			return unless act($in, $out, $action);
		}
	}
}

sub take
{
	my ($out, $buffer, $count) = @_;

	while (length $$buffer < $count)
	{
		sysread($out, $$buffer, 65536, length $$buffer) or return undef;
	}
	return substr($$buffer, 0, $count, '');
}

sub act
{
	my ($in, $out, $action) = @_;

	return 0 if $action eq 'CLOSE';
	if ($action eq 'STALL')
	{
		1 while sysread($out, my $rest, 65536);
		return 0;
	}
	if (ref $action)
	{
		# What the peer says is read meanwhile, so that neither waits for the other.
		while (defined syswrite($in, $action->[1]))
		{
			while (IO::Select->new($out)->can_read(0))
			{
				sysread($out, my $rest, 65536) or return 0;
			}
		}
		return 0;
	}
	return defined syswrite($in, $action);
}

# Requests so far.
sub streams
{
	my ($self) = @_;

	while (IO::Select->new($self->{reader})->can_read(0))
	{
		sysread($self->{reader}, $self->{seen}, 4096, length($self->{seen} // '')) or last;
	}
	return length($self->{seen} // '');
}

sub DESTROY
{
	my ($self) = @_;

	local ($?, $!, $@);
	kill 'TERM', $self->{pid};
	waitpid $self->{pid}, 0;
}

1;
