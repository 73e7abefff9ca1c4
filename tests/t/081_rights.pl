# Whose rights count: those of the role that runs, on the server, at the time
# of the call; also for functions with the rights of their owner, after SET
# ROLE, and in the queue, where the right may be lost meanwhile.  And runs are
# seen and operated by their role alone.
use strict;
use warnings;

use Arazzo;
use Test::More;

my $arazzo = Arazzo->new(shape => 'published');
my $node = $arazzo->node;
my $sandbox = $arazzo->sandbox;
my $workflow = 'meter-usage-and-topup-prepaid';
my $inputs = '{"meterApiName":"m","customerId":"c1","meterValue":1,"meterTimeInMillis":1718153645993,"amount":5}';
my $refused = qr/42501: permission denied for foreign server amberflo\b/;
my %calls = (
	arazzo_run => "arazzo_run('$workflow', '$inputs')",
	arazzo_run_many => "arazzo_run_many('$workflow', ARRAY['$inputs']::jsonb[])",
	arazzo_trace => "arazzo_trace('$workflow', '$inputs')",
	arazzo_explain => "arazzo_explain('$workflow', '$inputs')",
	arazzo_submit => "arazzo_submit('$workflow', '$inputs')");

sub sql { return $node->safe_psql('postgres', $_[0]); }

# What a role gets to see of a statement, and how many requests it made.
sub as_role
{
	my ($role, $sql) = @_;

	$sandbox->clear_ledger;
	my ($out, $error) = $arazzo->query($sql, params => [ '-U', $role ]);
	return ("$out$error", $sandbox->counts->{count});
}

# The queue worked off by a superuser; how the newest run ended, and requests.
sub work
{
	$sandbox->clear_ledger;
	sql('CALL arazzo_work()');
	return sql("SELECT concat_ws(' ', status, sqlstate, message) FROM arazzo_runs ORDER BY run DESC LIMIT 1") .
		', ' . $sandbox->counts->{count} . ' requests';
}

sql(<<"SQL");
CREATE ROLE billing LOGIN; CREATE ROLE app LOGIN; CREATE ROLE other LOGIN; CREATE ROLE boss LOGIN;
CREATE ROLE member LOGIN IN ROLE billing; CREATE ROLE holder LOGIN NOINHERIT IN ROLE billing;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA public TO billing, app, other;
CREATE USER MAPPING FOR billing SERVER amberflo OPTIONS (api_key 'amberflo-test-key');
CREATE USER MAPPING FOR app SERVER amberflo OPTIONS (api_key 'amberflo-test-key');
GRANT USAGE ON FOREIGN SERVER amberflo TO billing;
CREATE SCHEMA lent; GRANT USAGE ON SCHEMA lent TO PUBLIC; GRANT CREATE ON SCHEMA lent TO billing, app;
SQL

# every way to make a call
foreach my $name (sort keys %calls)
{
	my $sql = "SELECT x::text FROM $calls{$name} x";
	my ($text, $requests) = as_role('app', $sql);

	like($text, $name eq 'arazzo_explain' || $name eq 'arazzo_run_many' || $name eq 'arazzo_trace' ?
		qr/permission denied for foreign server amberflo\b/ : $refused, "$name without USAGE");
	is($requests, 0, '... sends nothing');

	# rights of the owner of a function, in place of the caller's
	foreach my $case ([ 'billing', 'app' ], [ 'app', 'billing' ])
	{
		my ($owner, $caller) = @$case;

		sql("SET ROLE $owner; CREATE OR REPLACE FUNCTION lent.call() RETURNS text LANGUAGE sql SECURITY DEFINER AS \$\$ SELECT string_agg(x::text, ' ') FROM public.$calls{$name} x \$\$; RESET ROLE");
		($text, $requests) = as_role($caller, 'SELECT lent.call()');
		if ($owner eq 'app')
		{
			like($text, qr/permission denied for foreign server amberflo\b/, "$name: a function of a role without USAGE, called by one with");
			is($requests, 0, '... sends nothing');
		}
		else
		{
			unlike($text, qr/permission denied/, "$name: a function of a role with USAGE, called by one without");
			is($requests, { arazzo_explain => 0, arazzo_submit => 0 }->{$name} // 2, '... sends');
		}
		sql('DROP FUNCTION lent.call()');
	}
}
is(sql('SELECT DISTINCT owner FROM arazzo_runs'), 'billing', 'a run belongs to the owner of the function that queued it');
is(work(), 'succeeded, 2 requests', 'and runs as he');

# the session's role does not count, the current one does
like((as_role('member', 'SET ROLE app; SELECT 1'))[0], qr/permission denied to set role/, 'roles cannot be taken at will');
sql('GRANT app TO billing');
like((as_role('billing', "SET ROLE app; SELECT $calls{arazzo_run}"))[0], $refused, 'SET ROLE gives up USAGE');
is((as_role('billing', "SET ROLE app; RESET ROLE; SELECT $calls{arazzo_run}"))[1], 2, 'RESET ROLE takes it back');
like((as_role('billing', "SELECT $calls{arazzo_run}; BEGIN; SET LOCAL ROLE app; SELECT $calls{arazzo_run}"))[0], $refused,
	'what the session knows of one role serves no other');
sql('REVOKE app FROM billing');
is((as_role('member', "SELECT $calls{arazzo_run}"))[1], 0, 'a member has the right, but not the credential of another role');
like((as_role('member', "SELECT $calls{arazzo_run}"))[0], qr/WF008: there is no user mapping/, '... and is told so');

# the right is asked for again when a queued run is executed
my $queue = "SET ROLE billing; SELECT $calls{arazzo_submit}";
sql($queue);
sql('REVOKE USAGE ON FOREIGN SERVER amberflo FROM billing');
is(work(), 'failed 42501 permission denied for foreign server amberflo, 0 requests', 'USAGE that was lost meanwhile');
sql('GRANT USAGE ON FOREIGN SERVER amberflo TO billing');
sql('SELECT arazzo_retry(max(run)) FROM arazzo_runs');
is(work(), 'succeeded, 2 requests', '... and was given again');
sql("$queue; RESET ROLE; DROP USER MAPPING FOR billing SERVER amberflo");
is(work(), 'failed WF008 there is no user mapping for server "amberflo", 0 requests', 'a user mapping that was dropped meanwhile');
sql("CREATE USER MAPPING FOR billing SERVER amberflo OPTIONS (api_key 'amberflo-test-key')");
sql("GRANT EXECUTE ON PROCEDURE arazzo_work(integer, integer) TO other; $queue");
sql('REVOKE USAGE ON FOREIGN SERVER amberflo FROM billing; GRANT USAGE ON FOREIGN SERVER amberflo TO other');
is((as_role('other', 'CALL arazzo_work()'))[1], 0, 'who works the queue off lends no right');
sql('GRANT USAGE ON FOREIGN SERVER amberflo TO billing; REVOKE USAGE ON FOREIGN SERVER amberflo FROM other');
sql('SELECT arazzo_retry(max(run)) FROM arazzo_runs');
is((as_role('other', 'CALL arazzo_work()'))[1], 2, '... and needs none');
sql("CREATE ROLE brief; GRANT USAGE ON FOREIGN SERVER amberflo TO brief; GRANT EXECUTE ON FUNCTION arazzo_submit TO brief; SET ROLE brief; SELECT $calls{arazzo_submit}; RESET ROLE; DROP OWNED BY brief; DROP ROLE brief");
is(work(), 'failed 42704 role that submitted the run does not exist any more, 0 requests', 'a role that was dropped meanwhile');

# an application that may insert rows, and nothing else
sql(<<"SQL");
CREATE TABLE usage (customer text, amount numeric); ALTER TABLE usage OWNER TO billing; GRANT INSERT, TRIGGER ON usage TO other;
GRANT SELECT ON usage TO other;
SET ROLE billing;
CREATE TRIGGER send AFTER INSERT ON usage FOR EACH ROW EXECUTE FUNCTION arazzo_trigger('$workflow',
	'{"meterApiName": "m", "customerId": "\$row.customer", "meterValue": 1, "meterTimeInMillis": 1718153645993, "amount": "\$row.amount"}');
SQL
sql('REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA public FROM other; REVOKE EXECUTE ON PROCEDURE arazzo_work(integer, integer) FROM other');
my $evil = q(x", "amount": 9, "apiKey": "k"});
is((as_role('other', "INSERT INTO usage VALUES ('$evil', 7)"))[0], '', 'a row queues a run without any right');
is(sql("SELECT owner, inputs ->> 'customerId' = '$evil', inputs ->> 'amount', inputs ? 'apiKey' FROM arazzo_runs ORDER BY run DESC LIMIT 1"),
	'billing|t|7|f', '... of the owner of the table, and a value stays a value');
is(work(), 'succeeded, 2 requests', '... which is sent');
is($sandbox->ledger->[1]{body}, '{"customerId":"' . ($evil =~ s/"/\\"/gr) . '","amount":7}', '... as it was written');
is((as_role('other', 'SELECT count(*) FROM arazzo_runs'))[0], '0', '... and not seen by who inserted');
like((as_role('other', "CREATE TRIGGER own AFTER INSERT ON usage FOR EACH ROW EXECUTE FUNCTION arazzo_trigger('$workflow', '{}')"))[0],
	qr/42501: permission denied for function arazzo_trigger/, 'the privilege TRIGGER does not do');
sql('GRANT EXECUTE ON FUNCTION arazzo_trigger() TO other');
like((as_role('other', "CREATE TRIGGER own AFTER INSERT ON usage FOR EACH ROW EXECUTE FUNCTION arazzo_trigger('$workflow', '{}')"))[0],
	qr/42501: must be owner of table usage to let it queue runs/, '... not even with the function\'s');

# who sees and operates runs
my $run = sql('SELECT max(run) FROM arazzo_runs');
my %sees = (billing => 't', member => 't', holder => 'f', app => 'f', other => 'f');
foreach my $role (sort keys %sees)
{
	is((as_role($role, "SELECT exists(SELECT FROM arazzo_runs WHERE run = $run)"))[0], $sees{$role}, "$role and the run");
	is((as_role($role, "SELECT exists(SELECT FROM arazzo_run_steps WHERE run = $run)"))[0], $sees{$role}, "$role and its steps");
}
sql('GRANT CREATE ON SCHEMA public TO other');
is((as_role('other', q{CREATE FUNCTION peek(text) RETURNS bool LANGUAGE plpgsql COST 0.0000001 AS $$ BEGIN RAISE NOTICE 'seen %', $1; RETURN true; END $$;
	SELECT count(*) FROM arazzo_runs WHERE peek(inputs::text); SELECT count(*) FROM arazzo_run_steps WHERE peek(request_body)}))[0],
	"0\n0", 'a condition is not told of rows that are not shown');
sql('DROP FUNCTION peek(text); GRANT EXECUTE ON FUNCTION arazzo_retry, arazzo_cancel, arazzo_resolve TO other');
foreach my $lever ("arazzo_retry($run)", "arazzo_cancel($run)", "arazzo_resolve($run, 'done')")
{
	is((as_role('other', "SELECT $lever"))[0], "ERROR:  42704: run $run does not exist", "$lever of another role");
}
sql("GRANT EXECUTE ON FUNCTION arazzo_submit TO other; GRANT USAGE ON FOREIGN SERVER amberflo TO other; SET ROLE billing; SELECT arazzo_submit('$workflow', '$inputs', 'order-1')");
is((as_role('other', "SELECT arazzo_submit('$workflow', '$inputs', 'order-1') > $run + 1"))[0], 't', 'keys of other roles are not known');

# tables that are granted show no more than their policies let through
SKIP:
{
	skip 'the tables have no row security', 3
		if sql(q{SELECT count(*) FROM pg_class WHERE relname = 'arazzo_queue' AND relrowsecurity}) eq '0';
	sql('GRANT SELECT ON arazzo_queue, arazzo_queue_attempts TO other');
	is((as_role('other', "SELECT count(*) FROM arazzo_queue WHERE owner = 'billing'::regrole"))[0], '0', 'runs by the table');
	is((as_role('other', "SELECT count(*) FROM arazzo_queue_attempts WHERE run = $run"))[0], '0', 'attempts by the table');
	is((as_role('other', q{CREATE FUNCTION peek(text) RETURNS bool LANGUAGE plpgsql COST 0.0000001 AS $$ BEGIN RAISE NOTICE 'seen %', $1; RETURN true; END $$;
		SELECT count(*) FROM arazzo_queue WHERE owner = 'billing'::regrole AND peek(inputs::text)}))[0], '0', 'a condition is not told of others');
}

done_testing();
