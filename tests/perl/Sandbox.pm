# A local Amberflo and Stripe for a test: starts tests/sandbox/sandbox on a
# free port of 127.0.0.1 and talks to its control paths. Stopped at END.
#
#	my $sandbox = Sandbox->start(shape => 'live', amberflo_key => 'k',
#		stripe_key => 'sk_test_1', args => ['--settle']);
#	$sandbox->fault(path => '/ingest', fault => 'status', status => 503);
#	is($sandbox->ledger->[0]{target}, '/ingest');
package Sandbox;

use strict;
use warnings;

use Cwd qw(abs_path);
use File::Basename qw(dirname);
use IPC::Open3 qw(open3);
use JSON::PP;
use RawHttp;
use Symbol qw(gensym);
use Time::HiRes qw(sleep time);

my %running;

# The program: $ENV{ARAZZO_SANDBOX}, or the one that make built.
sub program
{
	return $ENV{ARAZZO_SANDBOX} // dirname(abs_path(__FILE__)) . '/../sandbox/sandbox';
}

# Options: shape, amberflo_key, stripe_key (a key or a list of keys), args.
sub start
{
	my ($class, %options) = @_;
	my @command = (program(), '--with-parent', '--port', $options{port} // 0);

	push @command, '--shape', $options{shape} if defined $options{shape};
	foreach my $name (qw(amberflo_key stripe_key))
	{
		my $keys = $options{$name} // [];
		(my $option = "--$name") =~ tr/_/-/;
		push @command, map { ($option, $_) } ref $keys ? @$keys : ($keys);
	}
	push @command, @{ $options{args} // [] };
	open(my $null, '<', '/dev/null') or die "could not open /dev/null: $!";
	my $out = gensym();
	my $pid = open3('<&' . fileno($null), $out, '>&STDERR', @command);
	my $port = read_port($out, $pid, 'listening on');
	my $tls_port = (grep { $_ eq '--tls-cert' } @command) ? read_port($out, $pid, 'listening with TLS on') : undef;
	my $self = bless { pid => $pid, port => $port, tls_port => $tls_port, out => $out }, $class;
	$running{$pid} = $$;
	return $self;
}

sub read_port
{
	my ($out, $pid, $words) = @_;
	my $line = <$out> // '';

	return $1 if $line =~ /^$words 127\.0\.0\.1:(\d+)$/;
	kill 'TERM', $pid;
	waitpid($pid, 0);
	die "the sandbox did not start: $line";
}

sub pid { return $_[0]{pid}; }
sub port { return $_[0]{port}; }
sub url { return "http://127.0.0.1:$_[0]{port}"; }
sub tls_url { return "https://localhost:$_[0]{tls_port}"; }

# A new connection to it.
sub connect { return RawHttp->connect($_[0]{port}); }

# One request on a connection of its own: method, target, headers, body.
sub call
{
	my ($self, @request) = @_;
	return $self->connect->call(@request);
}

# Stop it by its pid and wait for it; the exit status.
sub stop
{
	my ($self) = @_;
	return stop_pid($self->{pid});
}

sub stop_pid
{
	my ($pid) = @_;

	return undef unless defined $running{$pid} && $running{$pid} == $$;
	delete $running{$pid};
	kill 'TERM', $pid;
	waitpid($pid, 0);
	return $?;
}

END
{
	my $status = $?;
	stop_pid($_) foreach keys %running;
	$? = $status;
}

# One request to a control path; dies unless it is answered with 200.
sub control
{
	my ($self, $method, $path, $body) = @_;
	my @request = ($method, "/_sandbox/$path");

	my $text = ref $body ? JSON::PP->new->utf8->encode($body) : $body;
	push @request, { 'Content-Type' => 'application/json' }, $text if defined $text;
	my $answer = $self->call(@request);
	die "$method /_sandbox/$path: " . ($answer->{error} // "$answer->{status} $answer->{content}")
	  unless ($answer->{status} // 0) == 200;
	return $answer->{content};
}

# The entries noted so far; options: since (a seq), path (a prefix of the target).
sub ledger
{
	my ($self, %options) = @_;
	my $since = $options{since} // 1;
	my $path = '';

	if (defined $options{path})
	{
		($path = $options{path}) =~ s/([^A-Za-z0-9\/_.-])/sprintf('%%%02X', ord $1)/ge;
		$path = "&path=$path";
	}
	return JSON::PP->new->utf8->decode($self->control('GET', "ledger?since=$since$path"));
}

# {count, kept, connections, busiest}; busiest: the most requests under way at
# a time
sub counts
{
	my ($self) = @_;
	return JSON::PP->new->utf8->decode($self->control('GET', 'ledger/count'));
}

sub clear_ledger { $_[0]->control('DELETE', 'ledger'); return; }
sub clear_faults { $_[0]->control('DELETE', 'faults'); return; }
sub reset { $_[0]->control('POST', 'reset'); return; }

# Do what the services do late: deduplicate, cancel, draw down, report.
sub settle { $_[0]->control('POST', 'settle'); return; }

# Answer all held requests; returns how many there were.
sub release
{
	my ($self) = @_;
	return JSON::PP->new->utf8->decode($self->control('POST', 'release'))->{released};
}

# Spoil the next calls of a path: path, fault, and what the fault takes. Numbers
# and booleans may be given as plain Perl values.
sub fault
{
	my ($self, %fault) = @_;

	foreach my $name (qw(count skip status ms bytes))
	{
		$fault{$name} += 0 if defined $fault{$name};
	}
	$fault{taken} = $fault{taken} ? JSON::PP::true : JSON::PP::false if exists $fault{taken};
	$self->control('POST', 'faults', \%fault);
	return;
}

# Answer by rules in place of Amberflo and Stripe (tests/sandbox/mock.h): a list
# of rules, or JSON text where digits or the order of members matter.
sub mock
{
	my ($self, $rules) = @_;
	$self->control('POST', 'mock', $rules);
	return;
}

# Answer by an OpenAPI description too, below a base path.
sub mock_openapi
{
	my ($self, $document, $base) = @_;
	$self->control('POST', 'mock/openapi', { document => $document, base => $base // '' });
	return;
}

# The rules with the numbers of their calls.
sub mock_rules
{
	my ($self) = @_;
	return JSON::PP->new->utf8->decode($self->control('GET', 'mock'));
}

sub clear_mock { $_[0]->control('DELETE', 'mock'); return; }

# The faults that are left.
sub faults
{
	my ($self) = @_;
	return JSON::PP->new->utf8->decode($self->control('GET', 'faults'));
}

# Change settings: amberflo_keys, stripe_keys, stripe_expired_keys,
# stripe_customers (lists), key_status, now_ms, strict_meters, strict_customers, settle.
sub settings
{
	my ($self, %settings) = @_;

	foreach my $name (qw(key_status now_ms))
	{
		$settings{$name} += 0 if defined $settings{$name};
	}
	foreach my $name (qw(strict_meters strict_customers settle))
	{
		$settings{$name} = $settings{$name} ? JSON::PP::true : JSON::PP::false if exists $settings{$name};
	}
	$self->control('POST', 'settings', \%settings);
	return;
}

# All that it holds; numbers as Perl has them. The text has every digit.
sub state
{
	my ($self) = @_;
	return JSON::PP->new->utf8->decode($self->state_text);
}

sub state_text
{
	my ($self) = @_;
	return $self->control('GET', 'state');
}

# Wait until so many requests are noted; false after the time-out (seconds).
sub wait_for_requests
{
	my ($self, $count, $timeout) = @_;
	my $end = time() + ($timeout // 60);

	while ($self->counts->{count} < $count)
	{
		return 0 if time() > $end;
		sleep(0.01);
	}
	return 1;
}

1;
