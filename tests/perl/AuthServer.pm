package AuthServer;

# An API on a free port of 127.0.0.1 that asks for credentials of every kind,
# with a token endpoint (OAuth 2.0) and an OpenID provider's configuration
# beside it.
#
#   my $server = AuthServer->start;
#   $server->set(key => 'k1', user => 'ada:pw', client => 'id:secret', lifetime => 3600);
#   ...
#   is($server->seen, "GET /header X-API-Key=k1 -> 200");
#
# What it takes is set by name: key, token (a bearer's), user (name:password),
# client (id:secret), lifetime (expires_in of tokens; undef: not told), broken
# (how many token requests get a 503 first, with retry_after as the header of
# that name).  "revoke" makes it forget the
# tokens that it gave, which are token-1, token-2, ...; every set() begins
# counting and writing down anew unless "go_on" is set.  "hold" keeps answers
# of the token endpoint back until so many requests have come to it, "lose"
# ends the connection where the answer to a call that is taken would be.
#
# start('DIRECTORY', 'NAME', ...) speaks TLS with a certificate of TlsServer's
# making; more arguments go to s_server.  Requests are told with the name of
# the client's certificate then.

use strict;
use warnings;

use Cwd ();
use Digest::MD5 qw(md5_hex);
use IO::Select;
use IO::Socket::INET;
use IPC::Open2;
use JSON::PP;
use MIME::Base64;
use POSIX ();
use RawHttp;

my %set;
my %issued;
my $count;
my @seen;

sub start
{
	my ($class, @tls) = @_;
	my $listener = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Proto => 'tcp', Listen => 64)
	  or die "could not listen: $!";
	my $self = bless { port => $listener->sockport }, $class;

	$self->start_tls(@tls) if @tls;
	my $parent = $$;
	my $pid = fork;
	die "could not fork: $!" unless defined $pid;
	if ($pid == 0)
	{
		$SIG{PIPE} = 'IGNORE';
		serve($self, $listener, $parent);
		POSIX::_exit(0);
	}
	$self->{child} = $pid;
	return $self;
}

# openssl takes one connection at a time, and what it decrypts comes out of it
# among words of its own.
sub start_tls
{
	my ($self, $directory, $name, @arguments) = @_;
	my $cwd = Cwd::getcwd();

	chdir $directory or die "could not change to \"$directory\": $!";
	$self->{openssl} = open2($self->{out}, $self->{in}, 'openssl', 's_server', '-accept', '127.0.0.1:0',
		'-cert', "$name.pem", '-key', "$name.key", @arguments);
	chdir $cwd;
	while (my $line = readline $self->{out})
	{
		return if ($self->{tls_port}) = $line =~ /^ACCEPT .*:(\d+)/;
	}
	die 'the server did not start';
}

sub url { return $_[0]{tls_port} ? "https://localhost:$_[0]{tls_port}" : "http://127.0.0.1:$_[0]{port}"; }

sub set
{
	my ($self, %settings) = @_;

	$self->control('/_set', \%settings);
	return;
}

# All requests so far, one a line, what they were answered with at the end.
sub seen { return $_[0]->control('/_seen', {}); }

sub control
{
	my ($self, $path, $data) = @_;

	return RawHttp->connect($self->{port})->call('POST', $path, [], encode_json($data))->{content};
}

sub DESTROY
{
	my ($self) = @_;

	local ($?, $!, $@);
	foreach my $pid (grep { defined } @$self{qw(child openssl)})
	{
		kill 'TERM', $pid;
		waitpid $pid, 0;
	}
}

# In the child: all connections in one process, since they share what is set.
sub serve
{
	my ($self, $listener, $parent) = @_;
	my $select = IO::Select->new($listener, $self->{out} // ());
	my %buffers;
	my @held;

	while (getppid() == $parent)
	{
		foreach my $handle ($select->can_read(1))
		{
			if ($handle == $listener)
			{
				$select->add(scalar $listener->accept);
				next;
			}
			unless (sysread($handle, $buffers{$handle}, 65536, length($buffers{$handle} // '')))
			{
				delete $buffers{$handle};
				$select->remove($handle);
				next;
			}
			while (defined(my $request = take_request(\$buffers{$handle})))
			{
				push @held, [ $handle, $request ] and next if $request->{path} eq '/token' && ($set{hold} // 0) > @held + 1;
				foreach my $one (@held, [ $handle, $request ])
				{
					my $to = $self->{out} && $one->[0] == $self->{out} ? $self->{in} : $one->[0];
					my $answer = answer($one->[1]);
					defined $answer ? syswrite $to, $answer : shutdown $to, 2;
				}
				@held = ();
			}
		}
	}
}

# One whole request from a buffer, or undef; what is none is left out.
sub take_request
{
	my ($buffer) = @_;

	$$buffer =~ s/^(.*?)(?=^(?:GET|POST) \S+ HTTP\/1\.1\r\n)//ms or return undef;
	my ($subject) = $1 =~ /.*^subject=CN = (\w+)/ms;
	$$buffer =~ /^((\S+) (\S+) .*?\r\n\r\n)/s or return undef;
	my ($head, $method, $target) = ($1, $2, $3);
	my %headers = map { lc $_->[0] => $_->[1] } map { [ /^([^:]+): *(.*?)\r?$/ ] } grep { /:/ } split /\n/, $head =~ s/^.*\n//r;
	my $length = $headers{'content-length'} // 0;

	return undef if length $$buffer < length($head) + $length;
	substr($$buffer, 0, length $head, '');
	my ($path) = $target =~ /^([^?]*)/;
	return { method => $method, target => $target, path => $path, headers => \%headers, client => $subject,
		body => substr($$buffer, 0, $length, '') };
}

sub answer
{
	my ($request) = @_;
	my ($status, $body, @headers);

	if ($request->{path} eq '/_set')
	{
		my $new = decode_json($request->{body});

		%issued = () if delete $new->{revoke} || !$new->{go_on};
		($count, @seen, %set) = (0) unless delete $new->{go_on};
		@set{ keys %$new } = values %$new;
		return response(200, '{}');
	}
	return response(200, join("\n", @seen)) if $request->{path} eq '/_seen';
	if ($request->{path} eq '/token') { ($status, $body) = give_token($request); }
	elsif ($request->{path} eq '/.well-known/openid-configuration')
	{
		($status, $body) = (200, $set{configuration} // encode_json({ token_endpoint => "http://$request->{headers}{host}/token" }));
	}
	else
	{
		$status = takes($request) ? 200 : 401;
		$body = $status == 200 ? '{"ok": true}' : encode_json({ message => 'who is ' . ($request->{headers}{authorization} // 'that') });
		push @headers, 'WWW-Authenticate: Digest realm="r", nonce="n", qop="auth"' if $status == 401 && $request->{path} eq '/digest';
	}
	push @headers, "Retry-After: $set{retry_after}" if $status == 503 && defined $set{retry_after};
	# so that openssl can take another
	push @headers, 'Connection: close' if defined $request->{client};
	push @seen, written($request) . " -> $status";
	return undef if $set{lose} && $status == 200 && $request->{path} ne '/token';
	return response($status, $body, @headers);
}

sub response
{
	my ($status, $body, @headers) = @_;

	return join("\r\n", "HTTP/1.1 $status X", 'Content-Type: application/json', @headers, 'Content-Length: ' . length($body), '', $body);
}

# A request as it is told: what carries credentials, nonces left out.
sub written
{
	my ($request) = @_;
	my $text = "$request->{method} $request->{target}";

	$text .= " by $request->{client}" if defined $request->{client};
	foreach my $name (grep { defined $request->{headers}{$_} } qw(x-api-key cookie authorization))
	{
		my $value = $request->{headers}{$name};

		$value =~ s/^(Digest username="[^"]*").*/$1/;
		$text .= " $name=$value";
	}
	return $request->{body} eq '' ? $text : "$text [$request->{body}]";
}

sub takes
{
	my ($request) = @_;
	my $headers = $request->{headers};
	my $key = $set{key} // '';
	my $authorization = $headers->{authorization} // '';
	my ($token) = $authorization =~ /^Bearer (.+)$/;
	my %path = (
		'/header' => sub { ($headers->{'x-api-key'} // '') eq $key },
		'/query' => sub { $request->{target} eq "/query?key=$key" },
		'/cookie' => sub { ($headers->{cookie} // '') eq "sid=$key" },
		'/both' => sub { ($headers->{'x-api-key'} // '') eq $key && ($token // '') eq ($set{token} // '') },
		'/basic' => sub { $authorization eq 'Basic ' . encode_base64($set{user} // '', '') },
		'/digest' => sub { is_digest($request) },
		'/bearer' => sub { defined $token && ($token eq ($set{token} // '') || $issued{$token}) },
		'/mutual' => sub { 1 });

	return ($path{ $request->{path} } // $path{'/bearer'})->();
}

# RFC 7616, with MD5 and qop=auth.
sub is_digest
{
	my ($request) = @_;
	my %part = ($request->{headers}{authorization} // '') =~ /(\w+)="?([^",]+)"?/g;
	my ($name, $password) = split /:/, $set{user} // '', 2;

	return 0 unless defined $part{response} && ($part{username} // '') eq ($name // '');
	return $part{response} eq md5_hex(join ':', md5_hex("$name:r:$password"), 'n', @part{qw(nc cnonce qop)},
		md5_hex("$request->{method}:$request->{target}"));
}

# RFC 6749, 4.3 and 4.4.
sub give_token
{
	my ($request) = @_;
	my %form = map { decoded($_) } map { split /=/, $_, 2 } split /&/, $request->{body};
	my ($basic) = ($request->{headers}{authorization} // '') =~ /^Basic (.*)$/;
	my $client = defined $basic ? join(':', map { decoded($_) } split /:/, decode_base64($basic), 2)
	  : join ':', grep { defined } @form{qw(client_id client_secret)};

	return (503, '') if ($set{broken} // 0) > 0 && $set{broken}--;
	return (200, $set{answer}) if defined $set{answer};
	return (401, '{"error": "invalid_client", "error_description": "not ' . ($form{client_secret} // 'so') . '"}')
	  if $client ne ($set{client} // '');
	return (400, '{"error": "invalid_grant"}')
	  if $form{grant_type} eq 'password' && "$form{username}:$form{password}" ne ($set{user} // '');
	return (400, '{"error": "invalid_scope"}') if ($form{scope} // '') =~ /forbidden/;
	my $token = 'token-' . ++$count;
	$issued{$token} = 1;
	return (200, encode_json({ access_token => $token, token_type => 'bearer',
		defined $set{lifetime} ? (expires_in => $set{lifetime} + 0) : () }));
}

sub decoded { return map { s/\+/ /gr =~ s/%([0-9A-Fa-f]{2})/chr hex $1/ger } @_; }

1;
