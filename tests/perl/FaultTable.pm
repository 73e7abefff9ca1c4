# A table of faults: which fault it is, what is required, what was seen.  A row
# passes when that is exactly what the table says, and when the session goes on
# afterwards and holds what it held before: sockets, memory contexts.
#
#	my $table = FaultTable->new(table => \*DATA, answers => { '/cut' => ["HTTP/1.1 200 OK\r\nContent-Le", 'CLOSE'] });
#	$table->row(9, 'connection ends within the header', FaultTable::run('read', 'cut'));
#	$table->finish;
#	__DATA__
#	9 | connection ends within the header | unknown outcome | 08006 connection to "HOST" was lost before ...; 1 sent
#
# What is seen is the end of a statement (its result, or SQLSTATE, message,
# DETAIL and HINT without what says where) and how many requests arrived.
package FaultTable;

use strict;
use warnings;

use Arazzo;
use HttpRoom ();
use RawServer;
use Test::More;

my $openapi = <<'YAML';
openapi: 3.1.0
info: {title: probe, version: '1'}
servers: [{url: https://probe.test}]
paths:
  /{case}:
    parameters: [{name: case, in: path, required: true, schema: {type: string}}]
    get: {operationId: get, responses: {'200': {description: ok}}}
    post: {operationId: post, requestBody: {content: {application/json: {}}}, responses: {'200': {description: ok}}}
YAML

my $workflows = <<'YAML';
arazzo: 1.0.1
info: {title: probe, version: '1'}
sourceDescriptions: [{name: api, url: openapi.yaml}]
workflows:
- workflowId: read
  steps:
  - stepId: get
    operationId: get
    parameters: [{name: case, in: path, value: $inputs.case}]
    outputs: {body: $response.body}
  outputs: {body: $steps.get.outputs.body}
- workflowId: write
  steps:
  - stepId: post
    operationId: post
    parameters: [{name: case, in: path, value: $inputs.case}]
    requestBody: {payload: {amount: 5}}
    outputs: {body: $response.body}
  outputs: {body: $steps.post.outputs.body}
- workflowId: retry
  steps:
  - stepId: get
    operationId: get
    parameters: [{name: case, in: path, value: $inputs.case}]
    outputs: {body: $response.body}
    onFailure: [{name: again, type: retry, retryAfter: 0.01, retryLimit: 2}]
  outputs: {body: $steps.get.outputs.body}
YAML

# Options: table (a file), answers (see RawServer), url (of another server), options (of the
# foreign server, as SQL), config (lines), name.
sub new
{
	my ($class, %given) = @_;
	my $arazzo = Arazzo->new(name => $given{name} // 'faults', config => $given{config} // []);
	my $server = RawServer->start({ '/fine' => [ RawServer::response('fine') ], %{ $given{answers} // {} } });
	my $self = bless { arazzo => $arazzo, server => $server, rows => read_table($given{table}) }, $class;
	my $url = $given{url} // $server->url('');

	$arazzo->node->safe_psql('postgres', "CREATE SERVER probe FOREIGN DATA WRAPPER arazzo OPTIONS (api 'https://probe.test', url '$url'"
		. ($given{options} ? ", $given{options})" : ')'));
	$self->load('https://probe.test/openapi.yaml', $openapi);
	$self->load('https://probe.test/arazzo.yaml', $workflows);
	$self->open_session;
	return $self;
}

sub read_table
{
	my ($file) = @_;
	my %rows;

	while (defined(my $line = readline $file))
	{
		my ($number, $fault, $required, $observed) = $line =~ /^(\d+) \| (.+?) \| (.+?) \| (.*)$/ or next;
		$rows{"$number | $fault"} = { required => $required, observed => $observed };
	}
	return \%rows;
}

sub arazzo { return $_[0]{arazzo}; }
sub node { return $_[0]{arazzo}->node; }
sub server { return $_[0]{server}; }
sub session { return $_[0]{session}; }

sub load
{
	my ($self, $uri, $text) = @_;

	$self->node->safe_psql('postgres', 'SELECT arazzo_load(' . Arazzo::quote($uri) . ', ' . Arazzo::quote($text) . ')');
	return;
}

# A session that stays; what it holds after a run is what it holds ever after.
sub open_session
{
	my ($self) = @_;

	$self->{session} = $self->new_session;
	$self->{pid} = $self->{session}->ask('SELECT pg_backend_pid();');
	$self->{session}->ask(fine()) for 1 .. 2;
	$self->{held} = $self->held;
	return;
}

sub new_session
{
	my ($self) = @_;
	my $session = HttpRoom::session($self->node);

	$session->ask("\\set VERBOSITY verbose\n\\set SHOW_CONTEXT never");
	return $session;
}

sub fine { return run('read', 'fine'); }

# A call of a workflow for one case.
sub run
{
	my ($workflow, $case) = @_;

	return "SELECT arazzo_run('$workflow', '{\"case\": \"$case\"}');";
}

# A statement while the server leads elsewhere, or has other options.
sub elsewhere
{
	my ($url, $sql) = @_;

	return with_options("SET url '$url'", $sql);
}

sub with_options
{
	my ($options, $sql) = @_;

	return "BEGIN; ALTER SERVER probe OPTIONS ($options); $sql ROLLBACK;";
}

# A run in the queue: what became of it when it was worked on once.  It is then
# given up, so that it does not come up again when another one is worked on.
sub queued
{
	my ($workflow, $case, $columns) = @_;

	$columns //= q{status, sqlstate, 'retries ' || retries, 'attempts ' || (SELECT count(*) FROM arazzo_run_steps s WHERE s.run = r.run)};
	return "SELECT arazzo_submit('$workflow', '{\"case\": \"$case\"}') AS run \\gset\n"
	  . "\\o /dev/null\nCALL arazzo_work(1);\n\\o\n"
	  . "SELECT concat_ws(' ', $columns) FROM arazzo_runs r WHERE run = :run;\n"
	  . "\\o /dev/null\nSELECT arazzo_cancel(run) FROM arazzo_runs WHERE run = :run AND status IN ('waiting', 'queued');\n"
	  . "SELECT arazzo_resume('probe');\n\\o\n";
}

# Descriptors of the session that are no files, and memory contexts but for
# those of plans, which are kept.
sub held
{
	my ($self) = @_;
	my $open = grep { (readlink($_) // '') =~ /^(?:socket|pipe|anon_inode)/ } glob "/proc/$self->{pid}/fd/*";
	my $contexts = $self->{session}->ask(q{SELECT string_agg(name || ' ' || count, ', ') FROM (
		SELECT name, count(*) FROM pg_backend_memory_contexts WHERE name LIKE 'arazzo%' AND name NOT LIKE 'arazzo plan%'
			AND name NOT IN ('arazzo cleared plans', 'arazzo statements', 'arazzo secrets', 'arazzo rates', 'arazzo table', 'arazzo indexes') GROUP BY name ORDER BY name) c;} =~ s/\n\s*/ /gr);

	return "$open descriptors; $contexts";
}

# Requests that came since the last look.
sub requests
{
	my ($self) = @_;
	my $count = () = $self->{server}->events(qr/^request/);
	my $new = $count - ($self->{counted} // 0);

	$self->{counted} = $count;
	return $new;
}

# The end of a statement, in a few words: addresses and where it was are left out.
sub words
{
	my ($self, $said) = @_;
	my ($all, $error) = $said =~ /^((?:ERROR|FATAL):  (.*?)\n.*?)(?=^(?:ERROR|FATAL):|\z)/ms or return $said;
	my @parts = $error =~ s/^(\w{5}): /$1 /r;

	foreach my $part ('DETAIL', 'HINT')
	{
		my ($text) = $all =~ /^$part:  (.*)$/m or next;
		$text =~ s/^Document .*?(?:\. |\.?$)//;
		push @parts, $text if $text ne '' && $text !~ /max_stack_depth/;
	}
	return join(' | ', @parts) =~ s/127\.0\.0\.1:\d+/HOST/gr =~ s/(\.test|localhost):\d+/$1/gr;
}

# Does a statement in the session and says how it ended.
sub observe
{
	my ($self, $sql) = @_;

	return $self->words($self->{session}->ask($sql =~ /(?:;|\\o)\s*$/ ? $sql : "$sql;"));
}

# Does a statement in the session and compares how it ended and how many
# requests came with the table.
sub row
{
	my ($self, $number, $fault, $sql) = @_;

	$self->requests;
	my $observed = $self->observe($sql);
	my $requests = $self->requests;
	return $self->row_of($number, $fault, "$observed; $requests sent");
}

# The same for what was observed in another way.
sub row_of
{
	my ($self, $number, $fault, $observed) = @_;
	my $row = $self->{rows}{"$number | $fault"} // die "the table has no row $number | $fault";
	my ($fine) = map { $self->{session}->ask(fine()) } 1 .. 2;
	my $held = $self->held;

	$row->{seen} = 1;
	$observed =~ s/\s+/ /g;
	$self->requests;
	my $compared = cut(without_library($observed));
	ok($compared eq $row->{observed} && $fine eq '{"body": "fine"}' && $held eq $self->{held},
		join(' | ', $number, $fault, $row->{required}, cut($observed)) =~ s/#/No. /gr)
	  or diag("observed:   $compared\nexpected:   $row->{observed}\nafterwards: $fine; $held\nbefore:     $self->{held}");
	return;
}

# What the table says, and is that it?
sub expected { return $_[0]{rows}{"$_[1] | $_[2]"}{observed}; }

sub expects
{
	my ($self, $number, $fault, $observed) = @_;

	return cut(without_library($observed =~ s/\s+/ /gr)) eq $self->expected($number, $fault);
}

sub cut { return length $_[0] > 300 ? substr($_[0], 0, 300) . '...' : $_[0]; }

# The words of the HTTP library are shown; they differ from version to version.
sub without_library { return $_[0] =~ s/ \| The HTTP library reported: .*?(?= \| The |;|$)//r; }

# With the address sanitizer everything takes longer, and what was freed is kept
# for a while.
sub is_watched { return ($ENV{SANITIZE} // '') eq 'address'; }

# Every row of the table was there.
sub finish
{
	my ($self) = @_;

	is(join(', ', grep { !$self->{rows}{$_}{seen} } sort keys %{ $self->{rows} }), '', 'the table has no other rows');
	done_testing();
	return;
}

1;
