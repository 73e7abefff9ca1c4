# Every security scheme with the right credential, a wrong one, none, one that
# has expired since the last call, and one that was replaced: how the call
# ends, and every request that the server saw.
use strict;
use warnings;

use Arazzo;
use AuthServer;
use HttpRoom;
use PostgreSQL::Test::Utils;
use Test::More;
use TlsServer;

my $directory = TlsServer::new_directory();
my $here = "$directory";
my $secrets = PostgreSQL::Test::Utils::tempdir() . '/secrets';

TlsServer::authority($here, 'trusted');
TlsServer::authority($here, 'other');
TlsServer::certificate($here, 'good', 'trusted', 'DNS:localhost');
TlsServer::certificate($here, 'client', 'trusted', 'DNS:client');
TlsServer::certificate($here, 'next', 'trusted', 'DNS:client');
TlsServer::certificate($here, 'foreign', 'other', 'DNS:client');
TlsServer::certificate($here, 'expired', 'trusted', 'DNS:client', '-days', -1);
chmod 0644, glob "$here/*";

my $node = Arazzo->new->node;
my $server = AuthServer->start;
my $tls = AuthServer->start($here, 'good', '-tls1_2', '-Verify', 1, '-verify_return_error', '-CAfile', "$here/trusted.pem");

$node->safe_psql('postgres', <<"SQL");
CREATE SERVER api FOREIGN DATA WRAPPER arazzo OPTIONS (api 'https://api.example', url '@{[ $server->url ]}');
CREATE SERVER tls FOREIGN DATA WRAPPER arazzo OPTIONS (api 'https://tls.example', url '@{[ $tls->url ]}', ca_file '$here/trusted.pem');
SELECT arazzo_load('https://api.example/openapi.yaml', \$\$
openapi: 3.1.0
info: {title: t, version: '1'}
servers: [{url: https://api.example}]
components:
  securitySchemes:
    header: {type: apiKey, in: header, name: X-API-Key}
    query: {type: apiKey, in: query, name: key}
    cookie: {type: apiKey, in: cookie, name: sid}
    basic: {type: http, scheme: basic}
    digest: {type: http, scheme: digest}
    bearer: {type: http, scheme: bearer}
    client: {type: oauth2, flows: {clientCredentials: {tokenUrl: https://api.example/token, scopes: {read: r, write: w}}}}
    password: {type: oauth2, flows: {password: {tokenUrl: /token, scopes: {}}}}
    openid: {type: openIdConnect, openIdConnectUrl: https://api.example/.well-known/openid-configuration}
    mutual: {type: mutualTLS}
paths:
@{[ join "\n", map { "  /$_: {get: {operationId: $_, security: [{$_: []}]}}" } qw(header query cookie basic digest bearer password openid) ]}
  /client: {get: {operationId: client, security: [{client: [read, write]}]}}
  /mutual: {servers: [{url: https://tls.example}], get: {operationId: mutual, security: [{mutual: []}]}}
\$\$);
SELECT arazzo_load('https://api.example/arazzo.yaml', \$\$
arazzo: 1.0.1
info: {title: t, version: '1'}
sourceDescriptions: [{name: api, url: openapi.yaml}]
workflows:
@{[ join "\n", map { "- {workflowId: $_, steps: [{stepId: one, operationId: $_}]}" }
	qw(header query cookie basic digest bearer client password openid mutual) ]}
\$\$);
SQL

# The PEM options of a client certificate.
sub certificate
{
	my ($name) = @_;

	return (client_cert => TlsServer::read_file("$here/$name.pem"), client_key => TlsServer::read_file("$here/$name.key"));
}

# What each scheme is tried with: options of the mapping, and what the server
# takes; "next" is what the credential is replaced by.
my $client = 'acme:s+c/ret~';
my %schemes = (
	(map { $_ => { right => { api_key => 'key-1' }, wrong => { api_key => 'key-x' }, next => { api_key_next => 'key-2' },
		takes => { key => 'key-1' }, then => { key => 'key-2' } } } qw(header query cookie)),
	(map { $_ => { right => { user => 'ada', password => 'pw-1' }, wrong => { user => 'ada', password => 'pw-x' },
		file => { user => 'ada', password => 'pw-2' }, takes => { user => 'ada:pw-1' }, then => { user => 'ada:pw-2' } } } qw(basic digest)),
	bearer => { right => { token => 'tok-1' }, wrong => { token => 'tok-x' }, next => { token_next => 'tok-2' },
		takes => { token => 'tok-1' }, then => { token => 'tok-2' } },
	client => { right => { client_id => 'acme', client_secret => 's+c/ret~' }, wrong => { client_id => 'acme', client_secret => 'wrong' },
		file => { client_id => 'acme', client_secret => 'second' }, takes => { client => $client, lifetime => 3600 },
		then => { client => 'acme:second' } },
	password => { right => { user => 'ada', password => 'p w', client_id => 'acme', client_secret => 's', client_auth => 'client_secret_post' },
		wrong => { user => 'ada', password => 'pw-x', client_id => 'acme', client_secret => 's', client_auth => 'client_secret_post' },
		file => { user => 'ada', password => 'pw-2', client_id => 'acme', client_secret => 's', client_auth => 'client_secret_post' },
		takes => { user => 'ada:p w', client => 'acme:s' }, then => { user => 'ada:pw-2' } },
	mutual => { right => { certificate('client') }, wrong => { certificate('foreign') }, file => { certificate('next') }, takes => {}, then => {} });
$schemes{openid} = $schemes{client};

# A mapping for whoever runs, with these options.
sub mapping
{
	my ($scheme, $options) = @_;
	my $place = $scheme eq 'mutual' ? 'tls' : 'api';

	my $list = join(', ', map { "$_ " . Arazzo::quote($options->{$_}) } sort keys %$options);

	return "SET client_min_messages = warning; DROP USER MAPPING IF EXISTS FOR CURRENT_USER SERVER $place;"
	  . ($list eq '' ? '' : "CREATE USER MAPPING FOR CURRENT_USER SERVER $place OPTIONS ($list)");
}

sub write_secrets
{
	my ($options) = @_;
	my $text = JSON::PP->new->encode($options);

	# a new file in place of the old: what is read is whole
	append_to_file("$secrets.new", $text);
	rename "$secrets.new", $secrets or die "could not rename: $!";
	chmod 0644, $secrets;
}

# How a run of a scheme ends: what it returns, or its SQLSTATE.
sub run_scheme
{
	my ($session, $scheme) = @_;
	my ($end) = $session->ask("SELECT 'done' FROM arazzo_run('$scheme');") =~ /(done|ERROR: +\S+)/;

	return $end =~ s/ERROR: +//r;
}

# Runs one cell of the table; the ends of its runs and what was seen.
sub cell
{
	my ($scheme, $case) = @_;
	my $given = $schemes{$scheme};
	my $at = $scheme eq 'mutual' ? $tls : $server;
	my $session = session($node);
	my @ends;
	my $options = $given->{ $case eq 'wrong' ? 'wrong' : 'right' };

	$at->set(%{ $given->{takes} });
	$options = {} if $case eq 'missing';
	$options = { certificate('expired') } if $scheme eq 'mutual' && $case eq 'expired';
	if ($case eq 'rotated' && $given->{next})
	{
		$options = { %$options, %{ $given->{next} } };
	}
	elsif ($case eq 'rotated')
	{
		write_secrets($options);
		$options = { secret_file => $secrets };
	}
	$node->safe_psql('postgres', mapping($scheme, $options));
	push @ends, run_scheme($session, $scheme);
	if ($case eq 'expired' && $scheme ne 'mutual')
	{
		$at->set(go_on => 1, key => 'gone', user => $given->{takes}{client} ? $given->{takes}{user} : 'gone', token => 'gone', revoke => 1);
		push @ends, run_scheme($session, $scheme);
	}
	elsif ($case eq 'rotated')
	{
		$at->set(go_on => 1, %{ $given->{then} });
		write_secrets($given->{file}) if $given->{file};
		push @ends, run_scheme($session, $scheme), run_scheme($session, $scheme);
	}
	return join ' ', "$scheme $case:", join(', ', @ends) . join '', map { "\n  $_" } split /\n/, $at->seen;
}

my $table = join "\n", map { my $scheme = $_; map { cell($scheme, $_) } qw(right wrong missing expired rotated) }
  qw(header query cookie basic digest bearer client password openid mutual);
note($table);
my @expected = split /^(?=\S)/m, do { local $/; <DATA> };
my @seen = map { "$_" =~ s/\n*$/\n/r } split /^(?=\S)/m, $table;

foreach my $i (0 .. ($#expected > $#seen ? $#expected : $#seen))
{
	my ($what) = ($expected[$i] // $seen[$i]) =~ /^([^:]*)/;

	is($seen[$i], $expected[$i], $what);
}

# RFC 8705: a client that is known by its certificate
$tls->set(client => 'acme');
$server->set;
$node->safe_psql('postgres', mapping('mutual', {}));
$node->safe_psql('postgres', "ALTER SERVER api OPTIONS (ADD token_url 'https://tls.example/token')");
$node->safe_psql('postgres', mapping('client', { client_id => 'acme', certificate('client') }));
is(run_scheme(session($node), 'client'), 'WF008', 'the certificate of another server does not count');
$node->safe_psql('postgres', mapping('mutual', { certificate('client') }));
is(run_scheme(session($node), 'client'), 'WF004', 'that of the token endpoint\'s server does');
is($tls->seen, 'POST /token by client [grant_type=client_credentials&scope=read+write&client_id=acme] -> 200', 'which takes it');

done_testing();

__DATA__
header right: done
  GET /header x-api-key=key-1 -> 200
header wrong: WF004
  GET /header x-api-key=key-x -> 401
header missing: WF008
header expired: done, WF004
  GET /header x-api-key=key-1 -> 200
  GET /header x-api-key=key-1 -> 401
header rotated: done, done, done
  GET /header x-api-key=key-1 -> 200
  GET /header x-api-key=key-1 -> 401
  GET /header x-api-key=key-2 -> 200
  GET /header x-api-key=key-2 -> 200
query right: done
  GET /query?key=key-1 -> 200
query wrong: WF004
  GET /query?key=key-x -> 401
query missing: WF008
query expired: done, WF004
  GET /query?key=key-1 -> 200
  GET /query?key=key-1 -> 401
query rotated: done, done, done
  GET /query?key=key-1 -> 200
  GET /query?key=key-1 -> 401
  GET /query?key=key-2 -> 200
  GET /query?key=key-2 -> 200
cookie right: done
  GET /cookie cookie=sid=key-1 -> 200
cookie wrong: WF004
  GET /cookie cookie=sid=key-x -> 401
cookie missing: WF008
cookie expired: done, WF004
  GET /cookie cookie=sid=key-1 -> 200
  GET /cookie cookie=sid=key-1 -> 401
cookie rotated: done, done, done
  GET /cookie cookie=sid=key-1 -> 200
  GET /cookie cookie=sid=key-1 -> 401
  GET /cookie cookie=sid=key-2 -> 200
  GET /cookie cookie=sid=key-2 -> 200
basic right: done
  GET /basic authorization=Basic YWRhOnB3LTE= -> 200
basic wrong: WF004
  GET /basic authorization=Basic YWRhOnB3LXg= -> 401
basic missing: WF008
basic expired: done, WF004
  GET /basic authorization=Basic YWRhOnB3LTE= -> 200
  GET /basic authorization=Basic YWRhOnB3LTE= -> 401
basic rotated: done, done, done
  GET /basic authorization=Basic YWRhOnB3LTE= -> 200
  GET /basic authorization=Basic YWRhOnB3LTI= -> 200
  GET /basic authorization=Basic YWRhOnB3LTI= -> 200
digest right: done
  GET /digest -> 401
  GET /digest authorization=Digest username="ada" -> 200
digest wrong: WF004
  GET /digest -> 401
  GET /digest authorization=Digest username="ada" -> 401
digest missing: WF008
digest expired: done, WF004
  GET /digest -> 401
  GET /digest authorization=Digest username="ada" -> 200
  GET /digest -> 401
  GET /digest authorization=Digest username="ada" -> 401
digest rotated: done, done, done
  GET /digest -> 401
  GET /digest authorization=Digest username="ada" -> 200
  GET /digest -> 401
  GET /digest authorization=Digest username="ada" -> 200
  GET /digest -> 401
  GET /digest authorization=Digest username="ada" -> 200
bearer right: done
  GET /bearer authorization=Bearer tok-1 -> 200
bearer wrong: WF004
  GET /bearer authorization=Bearer tok-x -> 401
bearer missing: WF008
bearer expired: done, WF004
  GET /bearer authorization=Bearer tok-1 -> 200
  GET /bearer authorization=Bearer tok-1 -> 401
bearer rotated: done, done, done
  GET /bearer authorization=Bearer tok-1 -> 200
  GET /bearer authorization=Bearer tok-1 -> 401
  GET /bearer authorization=Bearer tok-2 -> 200
  GET /bearer authorization=Bearer tok-2 -> 200
client right: done
  POST /token authorization=Basic YWNtZTpzJTJCYyUyRnJldCU3RQ== [grant_type=client_credentials&scope=read+write] -> 200
  GET /client authorization=Bearer token-1 -> 200
client wrong: WF008
  POST /token authorization=Basic YWNtZTp3cm9uZw== [grant_type=client_credentials&scope=read+write] -> 401
client missing: WF008
client expired: done, done
  POST /token authorization=Basic YWNtZTpzJTJCYyUyRnJldCU3RQ== [grant_type=client_credentials&scope=read+write] -> 200
  GET /client authorization=Bearer token-1 -> 200
  GET /client authorization=Bearer token-1 -> 401
  POST /token authorization=Basic YWNtZTpzJTJCYyUyRnJldCU3RQ== [grant_type=client_credentials&scope=read+write] -> 200
  GET /client authorization=Bearer token-2 -> 200
client rotated: done, done, done
  POST /token authorization=Basic YWNtZTpzJTJCYyUyRnJldCU3RQ== [grant_type=client_credentials&scope=read+write] -> 200
  GET /client authorization=Bearer token-1 -> 200
  POST /token authorization=Basic YWNtZTpzZWNvbmQ= [grant_type=client_credentials&scope=read+write] -> 200
  GET /client authorization=Bearer token-2 -> 200
  GET /client authorization=Bearer token-2 -> 200
password right: done
  POST /token [grant_type=password&username=ada&password=p+w&client_id=acme&client_secret=s] -> 200
  GET /password authorization=Bearer token-1 -> 200
password wrong: WF008
  POST /token [grant_type=password&username=ada&password=pw-x&client_id=acme&client_secret=s] -> 400
password missing: WF008
password expired: done, done
  POST /token [grant_type=password&username=ada&password=p+w&client_id=acme&client_secret=s] -> 200
  GET /password authorization=Bearer token-1 -> 200
  GET /password authorization=Bearer token-1 -> 401
  POST /token [grant_type=password&username=ada&password=p+w&client_id=acme&client_secret=s] -> 200
  GET /password authorization=Bearer token-2 -> 200
password rotated: done, done, done
  POST /token [grant_type=password&username=ada&password=p+w&client_id=acme&client_secret=s] -> 200
  GET /password authorization=Bearer token-1 -> 200
  POST /token [grant_type=password&username=ada&password=pw-2&client_id=acme&client_secret=s] -> 200
  GET /password authorization=Bearer token-2 -> 200
  GET /password authorization=Bearer token-2 -> 200
openid right: done
  GET /.well-known/openid-configuration -> 200
  POST /token authorization=Basic YWNtZTpzJTJCYyUyRnJldCU3RQ== [grant_type=client_credentials] -> 200
  GET /openid authorization=Bearer token-1 -> 200
openid wrong: WF008
  GET /.well-known/openid-configuration -> 200
  POST /token authorization=Basic YWNtZTp3cm9uZw== [grant_type=client_credentials] -> 401
openid missing: WF008
openid expired: done, done
  GET /.well-known/openid-configuration -> 200
  POST /token authorization=Basic YWNtZTpzJTJCYyUyRnJldCU3RQ== [grant_type=client_credentials] -> 200
  GET /openid authorization=Bearer token-1 -> 200
  GET /openid authorization=Bearer token-1 -> 401
  GET /.well-known/openid-configuration -> 200
  POST /token authorization=Basic YWNtZTpzJTJCYyUyRnJldCU3RQ== [grant_type=client_credentials] -> 200
  GET /openid authorization=Bearer token-2 -> 200
openid rotated: done, done, done
  GET /.well-known/openid-configuration -> 200
  POST /token authorization=Basic YWNtZTpzJTJCYyUyRnJldCU3RQ== [grant_type=client_credentials] -> 200
  GET /openid authorization=Bearer token-1 -> 200
  GET /.well-known/openid-configuration -> 200
  POST /token authorization=Basic YWNtZTpzZWNvbmQ= [grant_type=client_credentials] -> 200
  GET /openid authorization=Bearer token-2 -> 200
  GET /openid authorization=Bearer token-2 -> 200
mutual right: done
  GET /mutual by client -> 200
mutual wrong: 08001
mutual missing: WF008
mutual expired: 08001
mutual rotated: done, done, done
  GET /mutual by client -> 200
  GET /mutual by next -> 200
  GET /mutual by next -> 200
