# A small HTTP/1.1 client for tests that want to see the wire: one connection,
# each request written at once, and broken answers reported as what they are.
package RawHttp;

use strict;
use warnings;

use IO::Socket::INET;

sub connect
{
	my ($class, $port) = @_;
	my $socket = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $port, Proto => 'tcp')
	  or die "could not connect to 127.0.0.1:$port: $@";

	return bless { socket => $socket, buffer => '', port => $port }, $class;
}

# {status, headers, content}; headers in lower case, repeated ones joined.
# An answer that does not come whole has error: "reset", "closed" or "truncated".
sub call
{
	my ($self, $method, $target, $headers, $body) = @_;

	$self->send($method, $target, $headers, $body);
	return $self->receive($method);
}

sub send
{
	my ($self, $method, $target, $headers, $body) = @_;
	my $text = "$method $target HTTP/1.1\r\nHost: 127.0.0.1:$self->{port}\r\n";
	my @headers = ref $headers eq 'HASH' ? map { ($_, $headers->{$_}) } sort keys %$headers : @{ $headers // [] };

	while (my ($name, $value) = splice(@headers, 0, 2))
	{
		$text .= "$name: $value\r\n";
	}
	$text .= 'Content-Length: ' . length($body) . "\r\n" if defined $body;
	$self->write($text . "\r\n" . ($body // ''));
	return;
}

# Bytes as they are.
sub write
{
	my ($self, $bytes) = @_;
	my $sent = 0;

	local $SIG{PIPE} = 'IGNORE';
	while ($sent < length $bytes)
	{
		my $n = syswrite($self->{socket}, $bytes, length($bytes) - $sent, $sent);
		last unless defined $n;
		$sent += $n;
	}
	return $sent;
}

# More bytes into the buffer; false at the end of the connection.
sub fill
{
	my ($self) = @_;
	my $n = sysread($self->{socket}, $self->{buffer}, 65536, length $self->{buffer});

	$self->{broken} = !defined $n ? 'reset' : $n == 0 ? 'closed' : undef;
	return $n;
}

# So many bytes, or undef when they do not come.
sub take
{
	my ($self, $count) = @_;

	while (length $self->{buffer} < $count)
	{
		return undef unless $self->fill;
	}
	return substr($self->{buffer}, 0, $count, '');
}

sub take_line
{
	my ($self) = @_;

	while ($self->{buffer} !~ /\n/)
	{
		return undef unless $self->fill;
	}
	$self->{buffer} =~ s/^(.*?)\r?\n//;
	return $1;
}

sub take_chunks
{
	my ($self) = @_;
	my $content = '';

	while (defined(my $line = $self->take_line))
	{
		my $chunk = $self->take(hex($line));
		return undef unless defined $chunk && defined $self->take_line;
		return $content if hex($line) == 0;
		$content .= $chunk;
	}
	return undef;
}

sub receive
{
	my ($self, $method) = @_;
	my %answer = (headers => {});
	my $line = $self->take_line;

	return { error => $self->{broken} } unless defined $line;
	($answer{status}) = $line =~ /^HTTP\/1\.1 (\d+)/ or return { error => "not HTTP: $line" };
	while (defined($line = $self->take_line) && $line ne '')
	{
		my ($name, $value) = $line =~ /^([^:]+):\s*(.*?)\s*$/;
		$name = lc $name;
		$answer{headers}{$name} = defined $answer{headers}{$name} ? "$answer{headers}{$name}, $value" : $value;
	}
	return $self->receive($method) if $answer{status} == 100;
	return \%answer if $method eq 'HEAD' || $answer{status} == 204;
	if (($answer{headers}{'transfer-encoding'} // '') eq 'chunked')
	{
		$answer{content} = $self->take_chunks;
	}
	else
	{
		$answer{content} = $self->take($answer{headers}{'content-length'} // 0);
	}
	$answer{error} = $self->{broken} eq 'reset' ? 'reset' : 'truncated' unless defined $answer{content};
	return \%answer;
}

1;
