# A clock for a server that a test can set: a library that answers for the time
# of day, loaded before all others.
#
#	my $clock = Clock->new;
#	{
#		local $ENV{LD_PRELOAD} = $clock->preload;
#		... start the server
#	}
#	$clock->shift(86400);
#	$clock->stop;
package Clock;

use strict;
use warnings;

use PostgreSQL::Test::Utils;

sub new
{
	my ($class) = @_;
	my $base = PostgreSQL::Test::Utils::tempdir() . '/clock';
	my $self = bless { file => "$base.time", library => "$base.so" }, $class;

	append_to_file($self->{file}, text(0, 0));
	append_to_file("$base.c", <<"C");
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/time.h>

int
gettimeofday(struct timeval *restrict moment, void *restrict zone)
{
	static int	(*real) (struct timeval *, void *);
	static const char *text;
	int			result;

	if (text == NULL)
	{
		real = dlsym(RTLD_NEXT, "gettimeofday");
		text = mmap(NULL, 22, PROT_READ, MAP_SHARED, open("$self->{file}", O_RDONLY), 0);
	}
	result = real(moment, zone);
	moment->tv_sec += atol(text);
	if (atol(text + 11) != 0)
	{
		moment->tv_sec = atol(text + 11);
		moment->tv_usec = 0;
	}
	return result;
}
C
	system('gcc', '-shared', '-fPIC', '-o', "$base.so", "$base.c", '-ldl') == 0 or die 'could not compile the clock';
	return $self;
}

# What LD_PRELOAD is to be.
sub preload { return join(' ', $_[0]{library}, $ENV{LD_PRELOAD} // ()); }

# So many seconds later than it is.
sub shift { my ($self, $seconds) = @_; return $self->set($seconds, 0); }

# It stands still, a second from now, so that it does not go back.
sub stop { return $_[0]->set(0, time + 1); }

sub text { return sprintf "%+010d %010d\n", @_; }

sub set
{
	my ($self, @numbers) = @_;

	open my $handle, '+<', $self->{file} or die "could not open \"$self->{file}\": $!";
	print $handle text(@numbers);
	close $handle;
	return;
}

1;
