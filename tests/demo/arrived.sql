\pset format unaligned
\pset tuples_only on
\echo
\echo ━━━ What arrived: the requests as the other side wrote them down
\echo
SELECT format(E'%3s  %s %s  %s\n     %s', entry ->> 'seq', entry ->> 'method', entry ->> 'target',
	entry ->> 'status', entry ->> 'body')
FROM jsonb_array_elements(:'ledger'::jsonb) AS entry
ORDER BY (entry ->> 'seq')::int;
\pset tuples_only off
\pset format aligned

\echo
\echo ━━━ And what the imitated Amberflo and Stripe hold now
\echo
\echo Amberflo: meters
SELECT value ->> 'meterApiName' AS meter, value ->> 'displayName' AS name, value ->> 'type' AS type
FROM jsonb_path_query(:'state'::jsonb, '$.amberflo.meters[*]') AS value;
\echo
\echo Amberflo: customers
SELECT value ->> 'customerId' AS customer, value ->> 'customerName' AS name, value ->> 'lifecycleStage' AS stage
FROM jsonb_path_query(:'state'::jsonb, '$.amberflo.customers[*]') AS value;
\echo
\echo Amberflo: pricing plans
SELECT value ->> 'customerId' AS customer, value ->> 'productId' AS plan
FROM jsonb_path_query(:'state'::jsonb, '$.amberflo.plans[*]') AS value;
\echo
\echo Amberflo: prepaid orders
SELECT value ->> 'orderId' AS "order", value ->> 'customerId' AS customer, value ->> 'amount' AS amount, value ->> 'currency' AS currency
FROM jsonb_path_query(:'state'::jsonb, '$.amberflo.orders[*]') AS value;
\echo
\echo Amberflo: usage events
SELECT value ->> 'meterApiName' AS meter, value ->> 'customerId' AS customer, value ->> 'meterValue' AS value, value ->> 'uniqueId' AS "unique id"
FROM jsonb_path_query(:'state'::jsonb, '$.amberflo.events[*]') AS value;
\echo
\echo Stripe: meter events
SELECT value ->> 'event_name' AS event, value -> 'payload' ->> 'stripe_customer_id' AS customer, value -> 'payload' ->> 'value' AS value, value ->> 'identifier' AS identifier
FROM jsonb_path_query(:'state'::jsonb, '$.stripe.events[*]') AS value;
