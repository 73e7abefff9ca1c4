package RawServer;

# A server on a free port of 127.0.0.1 that answers byte by byte as a table
# says, right or wrong, and tells what it received.
#
#   my $server = RawServer->start({ '/path' => [ ACTION, ... ], ... });
#
# Each request is read as a whole (header section, Content-Length body) before
# the actions of its path are done, in order:
#
#   "text"               send it
#   [ drip => "text" ]   send it byte by byte, each a packet of its own
#   [ slow => "text", S ] the same with S seconds between them
#   [ repeat => "text" ] send it again and again until the peer has gone
#   'AWAIT'              wait for a call of proceed()
#   'STALL'              send nothing more, but wait until the peer has gone
#   'CLOSE'              close the connection
#   'RESET'              close it with a reset
#
# After them the connection waits for its next request.  The path '*' stands
# for all others.  Every event is told at once as a line of text:
#
#   connect N, request N METHOD TARGET, done N, gone N
#
# with the number of the connection; "done" tells that the last action of a
# request is over.  bytes() has the requests themselves.

use strict;
use warnings;

use IO::Handle;
use IO::Select;
use IO::Socket::INET;
use POSIX ();
use Socket qw(SOL_SOCKET SO_LINGER IPPROTO_TCP TCP_NODELAY);
use Time::HiRes qw(sleep time);

# How long an event that must come is waited for, in seconds: enough for a
# machine that is short of everything.
my $patience = 120;

sub start
{
	my ($class, $table) = @_;
	my $listener = IO::Socket::INET->new(
		LocalAddr => '127.0.0.1',
		Proto => 'tcp',
		Listen => 64) or die "could not listen: $!";

	pipe(my $reader, my $writer) or die "could not create a pipe: $!";
	pipe(my $waiting, my $proceed) or die "could not create a pipe: $!";
	my $parent = $$;
	my $pid = fork;
	die "could not fork: $!" unless defined $pid;
	if ($pid == 0)
	{
		close $reader;
		close $proceed;
		accept_all($listener, $writer, $waiting, $table, $parent);
		POSIX::_exit(0);
	}
	close $writer;
	close $waiting;
	my $self = bless {
		pid => $pid,
		port => $listener->sockport,
		reader => $reader,
		proceed => $proceed,
		pending => '',
		events => [],
		bytes => []
	}, $class;
	close $listener;
	return $self;
}

sub port { return $_[0]{port}; }

sub url { return "http://127.0.0.1:$_[0]{port}$_[1]"; }

# Waits for an event that matches, after those that were waited for before,
# and returns it; dies when it does not come.
sub wait_for
{
	my ($self, $pattern) = @_;
	my $deadline = time + $patience;

	$self->{seen} //= 0;
	for (;;)
	{
		while ($self->{seen} < @{ $self->{events} })
		{
			my $event = $self->{events}[ $self->{seen}++ ];

			return $event if $event =~ $pattern;
		}
		my $left = $deadline - time;
		die "no event matched $pattern" if $left <= 0;
		$self->read_events($left);
	}
}

# All events so far that match.
sub events
{
	my ($self, $pattern) = @_;

	1 while $self->read_events(0);
	return grep { $_ =~ $pattern } @{ $self->{events} };
}

# The bytes of all requests so far.
sub bytes
{
	my ($self) = @_;

	1 while $self->read_events(0);
	return @{ $self->{bytes} };
}

# Lets one AWAIT go on.
sub proceed
{
	my ($self) = @_;

	syswrite $self->{proceed}, '.';
}

sub stop
{
	my ($self) = @_;

	return unless $self->{pid};
	kill 'TERM', $self->{pid};
	waitpid $self->{pid}, 0;
	$self->{pid} = 0;
}

sub DESTROY
{
	my ($self) = @_;

	local ($?, $!, $@);
	$self->stop;
}

# Takes what was told within the time given; false when there was nothing.
sub read_events
{
	my ($self, $timeout) = @_;

	return 0 unless IO::Select->new($self->{reader})->can_read($timeout);
	sysread($self->{reader}, $self->{pending}, 65536, length $self->{pending}) or return 0;
	while ($self->{pending} =~ s/^([^\n]*)\n//)
	{
		my ($event, $bytes) = split /\t/, $1, 2;

		push @{ $self->{events} }, $event;
		push @{ $self->{bytes} }, pack('H*', $bytes) if defined $bytes;
	}
	return 1;
}

# In the child: a process for each connection.
sub accept_all
{
	my ($listener, $writer, $waiting, $table, $parent) = @_;
	my $number = 0;
	my %children;

	$SIG{PIPE} = 'IGNORE';
	$SIG{TERM} = sub { kill 'KILL', keys %children; POSIX::_exit(0) };
	while (getppid() == $parent)
	{
		my $socket;

		while ((my $ended = waitpid(-1, POSIX::WNOHANG())) > 0)
		{
			delete $children{$ended};
		}
		next unless IO::Select->new($listener)->can_read(1);
		next unless $socket = $listener->accept;
		$number++;
		tell_event($writer, "connect $number");
		my $pid = fork;
		if (defined $pid && $pid == 0)
		{
			$SIG{TERM} = 'DEFAULT';
			close $listener;
			setsockopt($socket, IPPROTO_TCP, TCP_NODELAY, 1);
			serve($socket, $writer, $waiting, $table, $number);
			close $socket;
			tell_event($writer, "gone $number");
			POSIX::_exit(0);
		}
		$children{$pid} = 1 if $pid;
		close $socket;
	}
	kill 'KILL', keys %children;
}

# One write a line, so that lines of several connections do not mix.
sub tell_event
{
	my ($writer, $line) = @_;

	syswrite $writer, "$line\n";
}

# Requests of one connection until the peer or an action ends it.
sub serve
{
	my ($socket, $writer, $waiting, $table, $number) = @_;
	my $buffer = '';

	while (defined(my $request = read_request($socket, \$buffer)))
	{
		my ($method, $target) = $request =~ /^(\S+) (\S+)/ or return;
		my ($path) = $target =~ m{^([^?]*)};

		tell_event($writer, "request $number $method $target\t" . unpack('H*', substr($request, 0, 1500)));
		foreach my $action (@{ $table->{$path} // $table->{'*'} // [] })
		{
			return unless act($socket, $waiting, $action);
		}
		tell_event($writer, "done $number");
	}
}

sub read_request
{
	my ($socket, $buffer) = @_;

	for (;;)
	{
		if ($$buffer =~ /^(.*?\r\n\r\n)/s)
		{
			my $length = length $1;

			$length += $1 if $1 =~ /^content-length:\s*(\d+)/mi;
			return substr($$buffer, 0, $length, '') if length $$buffer >= $length;
		}
		sysread($socket, $$buffer, 65536, length $$buffer) or return undef;
	}
}

# Does one action; false when the connection is at its end.
sub act
{
	my ($socket, $waiting, $action) = @_;

	if (ref $action && $action->[0] =~ /^(?:drip|slow)$/)
	{
		foreach my $byte (split //, $action->[1])
		{
			defined syswrite($socket, $byte) or return 0;
			sleep $action->[2] if $action->[2];
		}
	}
	elsif (ref $action && $action->[0] eq 'repeat')
	{
		1 while defined syswrite($socket, $action->[1]);
		return 0;
	}
	elsif ($action eq 'AWAIT')
	{
		sysread($waiting, my $sign, 1) or return 0;
	}
	elsif ($action eq 'STALL')
	{
		my $rest;

		1 while sysread($socket, $rest, 65536);
		return 0;
	}
	elsif ($action eq 'CLOSE')
	{
		return 0;
	}
	elsif ($action eq 'RESET')
	{
		setsockopt($socket, SOL_SOCKET, SO_LINGER, pack('ii', 1, 0));
		close $socket;
		return 0;
	}
	else
	{
		my $done = 0;

		while ($done < length $action)
		{
			my $written = syswrite($socket, $action, length($action) - $done, $done);

			return 0 unless defined $written;
			$done += $written;
		}
	}
	return 1;
}

# A port at which nothing is answered, not even the wish to connect: the queue
# of its listener is full.  Both sockets must be kept as long as it is to last.
sub black_hole
{
	my ($address, $port) = @_;
	my $listener = IO::Socket::INET->new(LocalAddr => $address, LocalPort => $port // 0, Proto => 'tcp', Listen => 1)
	  or die "could not listen: $!";
	my @waiting = map {
		IO::Socket::INET->new(PeerAddr => $address, PeerPort => $listener->sockport, Proto => 'tcp', Blocking => 0)
	} 1 .. 8;

	return { port => $listener->sockport, sockets => [ $listener, @waiting ] };
}

# A whole response with a length.
sub response
{
	my ($body, @headers) = @_;

	return join("\r\n", 'HTTP/1.1 200 OK', @headers, 'Content-Length: ' . length($body), '', $body);
}

1;
