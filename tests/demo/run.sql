-- Runs :workflow with :inputs and shows both ends.
\echo
\pset tuples_only on
\pset format unaligned
\echo inputs
SELECT jsonb_pretty(:'inputs'::jsonb);
\echo outputs
SELECT jsonb_pretty(arazzo_run(:'workflow', :'inputs'));
\pset format aligned
\pset tuples_only off
