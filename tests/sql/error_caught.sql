-- Errors that evaluation turns into failures, and those that it must not.
\getenv abs_builddir PG_ABS_BUILDDIR
\set rooms :abs_builddir '/tests/module/arazzo_rooms'
CREATE FUNCTION test_error_caught(sqlstate text) RETURNS text
    AS :'rooms', 'test_error_caught' LANGUAGE C STRICT;
\pset format unaligned
\pset tuples_only on
\set VERBOSITY sqlstate
SELECT test_error_caught('2201B');
SELECT test_error_caught('57014');
SELECT test_error_caught('53200');
SELECT test_error_caught('40001');
SELECT test_error_caught('54001');
DROP FUNCTION test_error_caught(text);
