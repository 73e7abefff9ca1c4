\set QUIET on
\set ECHO none
\pset footer off
\pset linestyle unicode
\pset border 2
\pset columns 120

\echo
\echo ━━━ Set up: the extension, where the APIs are, and the keys of the role "billing"
\echo
\set ECHO queries
CREATE EXTENSION amberflo_arazzo;
CREATE SERVER amberflo FOREIGN DATA WRAPPER arazzo
    OPTIONS (api 'https://app.amberflo.io', url :'url');
CREATE SERVER stripe FOREIGN DATA WRAPPER arazzo
    OPTIONS (api 'https://api.stripe.com', url :'url');
CREATE ROLE billing;
\set ECHO none
\echo 'CREATE USER MAPPING FOR billing SERVER amberflo OPTIONS (api_key \'...\');'
CREATE USER MAPPING FOR billing SERVER amberflo OPTIONS (api_key :'amberflo_key');
\echo 'CREATE USER MAPPING FOR billing SERVER stripe OPTIONS (token \'...\');'
CREATE USER MAPPING FOR billing SERVER stripe OPTIONS (token :'stripe_key');
\set ECHO queries
GRANT USAGE ON FOREIGN SERVER amberflo, stripe TO billing;
GRANT EXECUTE ON FUNCTION arazzo_run(text, jsonb), arazzo_explain(text, jsonb), arazzo_trace(text, jsonb) TO billing;
SET ROLE billing;
\set ECHO none

\echo
\echo ━━━ What can be run
\echo
SELECT workflow_id, summary FROM arazzo_workflows ORDER BY workflow_id;

\echo
\echo ━━━ 1. launch-usage-based-product
\set workflow launch-usage-based-product
\set inputs '{"meterApiName": "api-calls", "displayName": "API calls", "type": "SUM_OF_ALL_USAGE", "customerId": "acme", "customerName": "Acme Corp", "customerEmail": "billing@acme.example", "productId": "plan-standard", "meterValue": 1, "meterTimeInMillis": 1718153645993}'
\ir run.sql

\echo
\echo ━━━ 2. create-meter-and-ingest-event
\set workflow create-meter-and-ingest-event
\set inputs '{"meterApiName": "storage-gb", "displayName": "Storage in GB", "type": "MAX_IN_PERIOD", "customerId": "acme", "meterValue": 40, "meterTimeInMillis": 1718153645993, "uniqueId": "storage-2024-06-12"}'
\ir run.sql

\echo
\echo ━━━ 3. provision-customer-billing
\set workflow provision-customer-billing
\set inputs '{"customerId": "globex", "customerName": "Globex", "productId": "plan-prepaid", "amount": 1000, "currency": "USD"}'
\ir run.sql

\echo
\echo ━━━ 4. meter-usage-and-topup-prepaid
\echo
\echo First what would be sent (arazzo_explain; nothing is sent):
\set workflow meter-usage-and-topup-prepaid
\set inputs '{"meterApiName": "api-calls", "customerId": "globex", "meterValue": 12345678901234567890.123456789, "meterTimeInMillis": 1718153645993, "uniqueId": "usage-4711", "amount": 500}'
\echo
\pset tuples_only on
\pset format unaligned
SELECT line FROM arazzo_explain(:'workflow', :'inputs') AS line;
\pset format aligned
\pset tuples_only off
\echo
\echo Then the run; optional inputs that are left out are left out of the requests, and
\echo numbers keep every digit:
\ir run.sql

\echo
\echo ━━━ 5. usage-to-stripe-meter
\set workflow usage-to-stripe-meter
\set inputs '{"meterApiName": "api-calls", "customerId": "acme", "stripeEventName": "api_requests", "stripeCustomer": "cus_acme", "usageQuantity": "25"}'
\ir run.sql
\echo
\echo For another customer with arazzo_trace, which runs the workflow as well, and returns each
\echo request and response as a row, secrets masked:
\set inputs '{"meterApiName": "api-calls", "customerId": "globex", "stripeEventName": "api_requests", "stripeCustomer": "cus_globex", "usageQuantity": 40}'
\echo
\pset expanded on
\pset format wrapped
SELECT step, method, url, request_headers, request_body, status, response_body, outcome, outputs
FROM arazzo_trace(:'workflow', :'inputs');
\pset format aligned
\pset expanded off

\echo
\echo ━━━ 6. ingest-events-batch
\set workflow ingest-events-batch
\set inputs '{"events": [{"meterApiName": "api-calls", "customerId": "acme", "meterValue": 2, "meterTimeInMillis": 1718153645993, "uniqueId": "usage-4712"}, {"meterApiName": "api-calls", "customerId": "globex", "meterValue": 3.5, "meterTimeInMillis": 1718153645994, "uniqueId": "usage-4713"}]}'
\ir run.sql

\echo
\echo ━━━ What is wrong is said before anything is sent
\set ON_ERROR_STOP off
\set ECHO queries
SELECT arazzo_run('meter-usage-and-topup-prepaid', '{"meterApiName": "api-calls", "customerId": "acme"}');
SELECT arazzo_run('meter-usage-and-top-up', '{}');
\set ECHO none
