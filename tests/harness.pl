# Builds the copy of the tree it stands in and runs every kind of test there:
# what tests/run_checks does once it has a copy and no privileges.

use strict;
use warnings;

use Cwd qw(getcwd);
use File::Basename qw(basename dirname);
use File::Path qw(make_path);
use TAP::Harness;
use Time::HiRes qw(time);

my $top = getcwd();
my $base = dirname($top);
my $jobs = $ENV{JOBS} || 2;
my @words = @ARGV;
my $warnings = '-Wall -Wextra -Werror -Wno-unused-parameter -Wno-sign-compare';
my $checks = '-DUSE_ASSERT_CHECKING';
my $addresses = ($ENV{SANITIZE} // '') eq 'address';
my $sanitizer = $addresses ? '-fsanitize=address,undefined -fno-omit-frame-pointer'
  : $ENV{SANITIZE} ? '-fsanitize=undefined -fno-omit-frame-pointer'
  : '';
my $pg_config = $ENV{PG_CONFIG} || 'pg_config';
my $pgxs = dirname(`$pg_config --pgxs`) . '/..';
my ($passed, $failed) = (0, 0);
my @skipped;
my $began = time;

# A program that bails out ends itself only.
@ResilientHarness::ISA = ('TAP::Harness');
sub ResilientHarness::_bailout { }

$| = 1;

my $bin = build() ? install() : undef;
if (defined $bin)
{
	surroundings();
	run_tap('lint', 'tests/lint/*.pl') unless $addresses;
	run_regress('regression', 'tests/sql', 'sql', "$pgxs/test/regress/pg_regress");
	run_regress('isolation', 'tests/specs', 'spec', "$pgxs/test/isolation/pg_isolation_regress");
	run_tap('TAP', 'tests/t/*.pl');
	run_tap('conformance', 'tests/conformance/*.pl');
	run_tap('soak', 'tests/soak/*.pl') if $ENV{SOAK};
	read_reports() if $sanitizer;
}
else
{
	$failed++;
}
print "\n";
print "skipped: $_\n" foreach @skipped;
printf "PostgreSQL %s, %d s\n", `$pg_config --version` =~ /(\d[\w.]*)/, time - $began;
print "$passed passed, $failed failed\n";
exit($failed == 0 && $passed > 0 ? 0 : 1);

# Prints a heading with the time so far.
sub heading
{
	printf "\n== %s (%d s)\n", $_[0], time - $began;
}

# Runs a command; shows its output when it failed, or always when asked to.
sub run
{
	my ($what, @command) = @_;
	my $log = "$base/tmp/command.log";
	my $pid = fork;

	die "could not fork: $!" unless defined $pid;
	if ($pid == 0)
	{
		open STDOUT, '>', $log or die "could not open \"$log\": $!";
		open STDERR, '>&', \*STDOUT or die "could not join the outputs: $!";
		exec @command or die "could not execute \"$command[0]\": $!";
	}
	waitpid $pid, 0;
	my $good = $? == 0;

	print $what, $good ? " ... ok\n" : " ... FAILED\n";
	print slurp($log) unless $good;
	return $good;
}

sub slurp
{
	my ($file) = @_;

	open my $handle, '<', $file or return '';
	local $/;
	return scalar <$handle> // '';
}

# All that can be built, without a warning: with gcc for use, and with clang,
# where there is one, to hear what it has to say, which counts as a failure but
# keeps nothing from being tested.
sub build
{
	my @make = ('make', '-s', "-j$jobs", 'with_llvm=no');

	heading('build');
	push @make, 'WATCHED=yes' if $addresses;
	return 0 unless run('gcc', @make, 'CC=gcc', "PG_CFLAGS=$warnings $checks $sanitizer", 'all', 'rooms', 'torture', 'programs');
	return 1 if $addresses;
	if (system('clang --version >/dev/null 2>&1') != 0)
	{
		push @skipped, 'warnings of clang: it is not installed';
		return 1;
	}
	$failed++ unless run('clang', @make, 'CC=clang', "PG_CFLAGS=$warnings", 'warnings');
	return 1;
}

# The private installation; its directory of programs, or undef.
sub install
{
	my $prefix = "$base/install";

	return undef unless run('install', 'sh', 'tests/temp_install', $prefix);
	my $bindir = `$pg_config --bindir`;
	chomp $bindir;
	return Cwd::abs_path("$prefix$bindir");
}

# What tests find around them; the same as PostgreSQL's own makefiles give.
sub surroundings
{
	$ENV{PATH} = "$bin:$ENV{PATH}";
	$ENV{TESTDIR} = "$base/tap";
	$ENV{TESTLOGDIR} = "$base/tap/log";
	$ENV{TESTDATADIR} = "$base/tap/data";
	$ENV{PG_TEST_PORT_DIR} = "$base/ports";
	$ENV{PG_REGRESS} = "$pgxs/test/regress/pg_regress";
	$ENV{PGPORT} = 65432;
	$ENV{ARAZZO_ROOMS} = "$top/tests/module/arazzo_rooms.so";
	$ENV{ARAZZO_SANDBOX} = "$top/tests/sandbox/sandbox";
	$ENV{PERL5LIB} = "$top/tests/perl:$pgxs/test/perl";
	watch_behaviour() if $sanitizer;
	make_path("$ENV{TESTDIR}/tmp_check", $ENV{TESTLOGDIR}, $ENV{TESTDATADIR}, $ENV{PG_TEST_PORT_DIR});
}

# What the sanitizers find goes into files; see sanitizer.c.
sub watch_behaviour
{
	my $options = "log_path=$base/report:abort_on_error=1";
	my $library = "$base/sanitizer.so";

	system('gcc', '-shared', '-fPIC', '-Wl,-z,initfirst', "-DSANITIZER_OPTIONS=\"$options\"", '-o', $library,
		'tests/sanitizer.c') == 0
	  or die "could not compile tests/sanitizer.c\n";
	my $runtime = $addresses ? `gcc -print-file-name=libasan.so` : '';
	chomp $runtime;
	$ENV{LD_PRELOAD} = join ':', $library, grep { $_ ne '' } $runtime;
}

# Each process that the sanitizer complained about is a failure.
sub read_reports
{
	my @reports = glob "$base/report.*";

	heading('sanitizer');
	print "-- $_\n", tail($_, 80) foreach @reports;
	@reports ? ($failed += @reports) : $passed++;
	print scalar(@reports), " reports\n";
}

# The files that match and that the command line asked for.
sub wanted
{
	my @files = sort grep { -f $_ } glob $_[0];

	return @files unless @words;
	return grep { my $file = $_; grep { index($file, $_) >= 0 } @words } @files;
}

# Perl programs that print TAP; each test in them counts.
sub run_tap
{
	my ($kind, $pattern) = @_;
	my @files = wanted($pattern);

	return unless @files;
	heading($kind);
	my $harness = ResilientHarness->new(
		{
			exec => ['perl'],
			jobs => $jobs,
			timer => 1,
			verbosity => 0,
			color => 0
		});
	my $result = $harness->runtests(@files);

	$passed += $result->passed - $result->skipped;
	$failed += $result->failed;
	foreach my $file ($result->descriptions)
	{
		my ($parser) = $result->parsers($file);
		my $broken = $parser->exit || $parser->wait || $parser->parse_errors;

		# A program that died or did not run to its end is a failure itself.
		$failed++ if $broken && !$parser->failed;
		push @skipped, "$file: " . $parser->skip_all if defined $parser->skip_all;
		push @skipped, "$file: " . scalar($parser->skipped) . ' tests' if $parser->skipped;
		show_logs($file) if $broken || $parser->failed;
	}
}

# The end of each log that belongs to a program that failed.
sub show_logs
{
	my ($file) = @_;
	my $name = basename($file, '.pl');

	foreach my $log (sort map { glob "$_/{regress_log_,}${name}*" } "$ENV{TESTDIR}/tmp_check/log", $ENV{TESTLOGDIR})
	{
		next unless -f $log;
		print "-- $log\n", tail($log, 120);
	}
}

# SQL scripts or schedules of sessions with expected answers; each file counts.
sub run_regress
{
	my ($kind, $directory, $suffix, $program) = @_;
	my @names = map { basename($_, ".$suffix") } wanted("$directory/*.$suffix");

	return unless @names;
	heading($kind);
	my $output = '';
	my $settings = "$base/tmp/regress.conf";

	open my $config, '>', $settings or die "could not open \"$settings\": $!";
	print $config "fsync = off\nmax_connections = 30\nlog_statement = none\n";
	close $config;
	open my $pipe, '-|', $program, "--temp-instance=$base/$kind", "--temp-config=$settings",
	  "--bindir=$bin", '--inputdir=tests', "--outputdir=$top", "--dlpath=$top",
	  '--load-extension=amberflo_arazzo', '--no-locale', '--encoding=UTF8', @names
	  or die "could not execute \"$program\": $!";
	while (my $line = <$pipe>)
	{
		$output .= $line;
		print $line;
	}
	close $pipe;
	my $status = $?;
	my $seen = 0;

	foreach my $name (@names)
	{
		# "test name ... ok 12 ms" until PostgreSQL 15, TAP from 16 on.
		next unless $output =~ /^(?:test\s+|\s+)?\Q$name\E\s+\.\.\.\s+(ok|FAILED|failed)/m
		  || $output =~ /^(ok|not ok)\s+\d+\s+[-+]\s+\Q$name\E\s/m;
		$seen++;
		$1 eq 'ok' ? $passed++ : $failed++;
	}
	$failed += @names - $seen;
	return if $status == 0;
	$failed++ unless grep { $_ } $output =~ /FAILED|failed|not ok/g;
	print slurp("$top/regression.diffs");
	print slurp("$top/output_iso/regression.diffs");
	print "-- end of the server's log\n", tail("$top/log/postmaster.log", 60) if $seen < @names;
}

# The last lines of a file.
sub tail
{
	my ($file, $count) = @_;
	my @lines = split /^/, slurp($file);

	return @lines > $count ? @lines[ -$count .. -1 ] : @lines;
}
