# Where credentials go, and what is known of them: many schemes at once,
# cookies beside others, inputs declared elsewhere, workflows in workflows.
use strict;
use warnings;

use Arazzo;
use PostgreSQL::Test::Utils;
use Test::More;

my $key = 'mapped-key-7f3a91c2';
my $arazzo = Arazzo->new(shape => 'published');
my $node = $arazzo->node;
my $sandbox = $arazzo->sandbox;
my $url = $sandbox->url;
my @many = map { "h$_" } 1 .. 40;

$node->safe_psql('postgres', <<"SQL");
CREATE SERVER api FOREIGN DATA WRAPPER arazzo OPTIONS (api 'https://api.example', url '$url', idempotency_key 'body /key');
CREATE USER MAPPING FOR CURRENT_USER SERVER api OPTIONS (api_key '$key');
SELECT arazzo_load('https://api.example/openapi.yaml', \$\$
openapi: 3.1.0
info: {title: t, version: '1'}
servers: [{url: https://api.example}]
components:
  securitySchemes:
    key: {type: apiKey, in: header, name: X-Api-Key}
    jar: {type: apiKey, in: cookie, name: sid}
@{[ join "", map { "    $_: {type: apiKey, in: header, name: $_}\n" } @many ]}
security: [{key: []}]
paths:
  /plain:
    post: {operationId: plain, requestBody: {content: {application/json: {}, text/plain: {}}}}
  /jar:
    get: {operationId: jar, security: [{jar: []}], parameters: [{name: theme, in: cookie}]}
  /many:
    get: {operationId: many, security: [{@{[ join ', ', map { "$_: []" } @many ]}}]}
\$\$);
SELECT arazzo_load('https://api.example/arazzo.yaml', \$\$
arazzo: 1.0.1
info: {title: t, version: '1'}
sourceDescriptions: [{name: api, url: openapi.yaml}]
components:
  inputs:
    login:
      type: object
      required: [apiKey, customer]
      properties: {apiKey: {type: string}, customer: {type: string}}
workflows:
- workflowId: many
  steps: [{stepId: one, operationId: many, successCriteria: [{condition: \$statusCode == 404}]}]
- workflowId: jar
  steps:
  - {stepId: one, operationId: jar, parameters: [{name: theme, in: cookie, value: dark}], successCriteria: [{condition: \$statusCode == 404}]}
- workflowId: referred
  inputs: {\$ref: '#/components/inputs/login'}
  steps:
  - stepId: one
    operationId: plain
    parameters: [{name: X-Api-Key, in: header, value: \$inputs.apiKey}]
    requestBody: {payload: {customer: \$inputs.customer}}
    successCriteria: [{condition: \$statusCode == 404}]
- workflowId: outer
  inputs: {type: object, properties: {part: {type: string}}}
  steps:
  - {stepId: in, workflowId: inner, parameters: [{name: apiKey, value: 'key-{\$inputs.part}'}]}
- workflowId: inner
  inputs: {type: object, properties: {apiKey: {type: string}}}
  steps:
  - stepId: one
    operationId: plain
    parameters:
    - {name: X-Api-Key, in: header, value: \$inputs.apiKey}
    - {name: k, in: query, value: \$inputs.apiKey}
    successCriteria: [{condition: \$statusCode == 404}]
- workflowId: bearer
  inputs: {type: object, properties: {token: {type: string}}}
  steps:
  - stepId: one
    operationId: plain
    parameters: [{name: X-Api-Key, in: header, value: 'v1 {\$inputs.token}'}]
    successCriteria: [{condition: \$statusCode == 404}]
- workflowId: text
  steps:
  - {stepId: one, operationId: plain, requestBody: {contentType: text/plain, payload: '{"a": 1}'}, successCriteria: [{condition: \$statusCode == 404}]}
- workflowId: json
  steps:
  - {stepId: one, operationId: plain, requestBody: {payload: {a: 1}}, successCriteria: [{condition: \$statusCode == 404}]}
- workflowId: any
  steps:
  - {stepId: one, operationId: plain, requestBody: {payload: \$inputs.body}, successCriteria: [{condition: \$statusCode == 404}]}
\$\$ );
SQL

# The values of a header in the last request, and its body.
sub last_header
{
	my ($name) = @_;
	my $entry = $sandbox->ledger->[-1];

	return join '|', map { $_->[1] } grep { lc $_->[0] eq lc $name } @{ $entry->{headers} };
}

sub run_workflow
{
	my ($workflow, $inputs) = @_;
	my ($out, $error) = $arazzo->query(sprintf "SELECT arazzo_run('%s', '%s')", $workflow, $inputs // '{}');

	is($error, '', "$workflow runs");
	return;
}

run_workflow('many');
is(join(',', map { last_header($_) } @many), join(',', ($key) x @many), 'every scheme of an alternative gets its credential');

run_workflow('jar');
is(last_header('Cookie'), "theme=dark; sid=$key", 'a cookie credential goes beside other cookies');

is($node->safe_psql('postgres', "SELECT required_inputs, problem FROM arazzo_workflows WHERE workflow_id = 'referred'"),
	'{customer}|', 'inputs that are declared elsewhere');
run_workflow('referred', '{"customer": "c1"}');
is(last_header('X-Api-Key'), $key, 'a credential that is required elsewhere is the mapping\'s');
like(($arazzo->query("SELECT arazzo_run('referred')"))[1], qr/WF005:.*\n.*Missing required member "customer"/, 'other inputs stay required');

run_workflow('text');
is($sandbox->ledger->[-1]{body}, '{"a": 1}', 'a text that looks like JSON gets no key');
run_workflow('json');
like($sandbox->ledger->[-1]{body}, qr/"key": ?"[0-9a-f]{32}-1"/, 'a JSON body gets one');

run_workflow('any', '{"body": {"in": {"key": "k"}, "list": [{"key": "k"}, "key"], "text": "key"}}');
like($sandbox->ledger->[-1]{body}, qr/"key": ?"[0-9a-f]{32}-1"/, 'so does one that has the member further in');
foreach my $body ('{"a": "{[,", "key": "mine"}', '{"k\u0065y": "mine"}', '[{"key": "mine"}]')
{
	run_workflow('any', qq({"body": $body}));
	unlike($sandbox->ledger->[-1]{body}, qr/[0-9a-f]{32}/, 'one that has it keeps what it has');
}

my ($out) = $arazzo->query(q{SELECT * FROM arazzo_trace('outer', '{"part": "s3cr3t/x"}')});
is(last_header('X-Api-Key'), 'key-s3cr3t/x', 'a credential for a workflow in a workflow arrives');
unlike($out, qr/s3cr3t/, 'and is masked wherever the trace would show it');

# what explain knows of credentials that were not given
($out) = $arazzo->query("SELECT arazzo_explain('bearer')");
like($out, qr/X-Api-Key: \*{8}/, 'the mapping\'s credential is explained');
$node->safe_psql('postgres', 'DROP USER MAPPING FOR CURRENT_USER SERVER api');
($out) = $arazzo->query("SELECT arazzo_explain('bearer')");
like($out, qr/cannot be sent: there is no user mapping for server "api"/, 'or that there is none');

done_testing();
