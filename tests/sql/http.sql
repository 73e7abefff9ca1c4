-- The http room as far as it needs no network: option validator, look-up of
-- connections, URLs, addresses, masking.
\getenv abs_builddir PG_ABS_BUILDDIR
\set rooms :abs_builddir '/tests/module/arazzo_rooms'
\set VERBOSITY default
\set SHOW_CONTEXT never
CREATE SCHEMA test_http;
SET search_path = test_http, public;
CREATE FUNCTION test_url(text) RETURNS text AS :'rooms' LANGUAGE C STRICT;
CREATE FUNCTION test_egress_class(text) RETURNS text AS :'rooms' LANGUAGE C STRICT;
CREATE FUNCTION test_egress_allowed(address text, plain boolean, options text[] = '{allow_loopback=off}')
	RETURNS boolean AS :'rooms' LANGUAGE C STRICT;
CREATE FUNCTION test_connection(url text, role name = current_user) RETURNS text AS :'rooms' LANGUAGE C STRICT;
CREATE FUNCTION test_mask_text(text, text[]) RETURNS text AS :'rooms' LANGUAGE C STRICT;
CREATE FUNCTION test_mask_header(text) RETURNS boolean AS :'rooms' LANGUAGE C STRICT;

-- URLs: what parsers read differently is refused.
SELECT url, test_url(url) FROM unnest(ARRAY[
	'https://api.example.com', 'HTTPS://Api.Example.com:8443/v1/x?y#z', 'http://localhost/', 'http://127.8.9.1:80/',
	'http://[::1]:8080/a', 'https://[2001:db8::1]', 'http://localhost.', 'http://127.1/', 'http://[::ffff:127.0.0.1]/',
	'https://x?q', 'https://x#f', 'https://x:/',
	'ftp://x/', '//x/', 'x', '', 'https:/x', 'https://', 'https:///x', 'https://:443/', 'https://u@x/', 'https://u:p@x/',
	'https://good.example\@evil.example/', 'https://x:0/', 'https://x:65536/', 'https://x:99999999999/', 'https://x:8a/',
	'https://[::1/', 'https://[zz]/', 'https://[fe80::1%25eth0]/', 'https://ex ample/', E'https://x/\n', 'https://münchen.example/',
	'https://x/a/../b', 'https://x/a/..', 'https://x/./a', 'https://x/%2e%2E/a', 'https://x/.%2e', 'https://x/...', 'https://x/a..b/.c',
	'https://x/?a=../..']) url;

-- Addresses.
SELECT address, test_egress_class(address) FROM unnest(ARRAY[
	'8.8.8.8', '1.1.1.1', '172.15.255.255', '172.32.0.0', '100.63.255.255', '100.128.0.0', '2606:4700::1111',
	'127.0.0.1', '127.255.255.254', '::1', '::ffff:127.0.0.1', '::127.0.0.1', '64:ff9b::7f00:1', '2002:7f00:1::',
	'10.0.0.0', '10.255.255.255', '172.16.0.1', '172.31.255.255', '192.168.1.1', '100.64.0.1', 'fc00::1', 'fd00::1', 'fec0::1',
	'::ffff:10.1.2.3', '64:ff9b::a01:203', '64:ff9b:1::1', '2002:c0a8:101::1',
	'169.254.1.1', 'fe80::1', '::ffff:169.254.1.1', '169.254.169.254', '169.254.170.2', 'fd00:ec2::254', '168.63.129.16',
	'100.100.100.200', '::ffff:169.254.169.254', '64:ff9b::a9fe:a9fe', '224.0.0.1', '239.255.255.255', 'ff02::1',
	'0.0.0.0', '0.1.2.3', '::', '255.255.255.255', '240.0.0.1', '192.0.2.1', '198.18.0.1', '198.51.100.7', '203.0.113.9',
	'2001:db8::1', '2001::1', '100::1', '4000::1', '64:ff9b::808:808',
	'2130706433', '0x7f000001', '0177.0.0.1', '127.1', 'localhost', '']) address;

-- A host that is loopback may be reached without TLS, private networks only
-- when they are named, and nothing but loopback without TLS.
SELECT address, test_egress_allowed(address, false) AS tls, test_egress_allowed(address, true) AS plain,
	test_egress_allowed(address, false, '{allow_loopback=on}') AS loopback_tls,
	test_egress_allowed(address, true, '{allow_loopback=on}') AS loopback_plain,
	test_egress_allowed(address, false, '{allow_loopback=off, "allow_private=10.1.0.0/16, fd00::/8,169.254.169.254"}') AS private_tls,
	test_egress_allowed(address, true, '{allow_loopback=off, "allow_private=10.1.0.0/16, fd00::/8,169.254.169.254"}') AS private_plain
FROM unnest(ARRAY['8.8.8.8', '127.0.0.1', '::1', '10.1.2.3', '10.2.2.3', '::ffff:10.1.2.3', 'fd12::1', 'fe80::1',
	'169.254.169.254', '169.254.169.253', '0.0.0.0', '224.0.0.1']) address;

-- The validator.
CREATE FUNCTION try_server(options text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	detail text;
	hint text;
BEGIN
	IF options !~ '^api ' THEN
		options := $o$api 'https://app.amberflo.io', $o$ || options;
	END IF;
	EXECUTE 'CREATE SERVER try FOREIGN DATA WRAPPER arazzo OPTIONS (' || options || ')';
	DROP SERVER try;
	RETURN 'accepted';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
	RETURN concat_ws(' | ', sqlstate, sqlerrm, nullif(detail, ''), nullif(hint, ''));
END $$;
SELECT options, try_server(options) FROM unnest(ARRAY[
	$$api 'https://app.amberflo.io'$$, $$api 'https://app.amberflo.io/v1/', url 'http://127.0.0.1:8080'$$,
	$$api 'http://localhost:1'$$, $$api 'http://app.amberflo.io'$$,
	$$api 'http://app.amberflo.io', url 'https://10.0.0.1'$$, $$api 'http://app.amberflo.io', url 'http://10.0.0.1'$$, $$url 'http://10.0.0.1'$$, $$api 'app.amberflo.io'$$,
	$$api 'ftp://app.amberflo.io'$$, $$api ''$$, $$api 'https://u:pw@app.amberflo.io'$$, $$api 'https://app.amberflo.io?a'$$,
	$$api 'https://app.amberflo.io#a'$$, $$api 'https://app.amberflo.io/../x'$$,
	$$timeout '30s'$$, $$timeout '250'$$, $$timeout '1h'$$, $$timeout '0'$$, $$timeout '-1'$$, $$timeout '61min'$$,
	$$timeout '1 fortnight'$$, $$timeout ''$$, $$connect_timeout '500ms'$$, $$connect_timeout '0'$$,
	$$max_response_bytes '16MB'$$, $$max_response_bytes '1000'$$, $$max_response_bytes '0'$$, $$max_response_bytes '2GB'$$,
	$$max_header_bytes '64kB'$$, $$max_header_bytes 'many'$$, $$max_concurrency '4'$$, $$max_concurrency '-1'$$,
	$$max_rate '0.5'$$, $$max_rate '0'$$, $$max_rate 'NaN'$$, $$retry_limit '0'$$, $$retry_limit 'x'$$,
	$$ca_file '/etc/ssl/certs/ca.pem'$$, $$ca_file 'ca.pem'$$, $$crl_file '/etc/ssl/crls.pem'$$, $$crl_file 'crl.pem'$$,
	$$pinned_public_key 'sha256//YhKJKSzoTt2b5FP18fvpHo7fJYqQCjAa3HWY3tvRMwE='$$, $$pinned_public_key '/etc/passwd'$$,
	$$pinned_public_key 'sha256//YhKJKSzoTt2b5FP18fvpHo7fJYqQCjAa3HWY3tvRMwE=;'$$,
	$$allow_private '10.0.0.0/8, fd00::/8,192.168.1.1'$$, $$allow_private '10.0.0.0/33'$$, $$allow_private 'all'$$,
	$$allow_private ''$$, $$allow_private '10.0.0.0/8,'$$,
	$$proxy 'http://proxy.example:3128'$$, $$proxy 'socks5://proxy.example'$$, $$proxy 'http://u:pw@proxy.example'$$,
	$$idempotency_key 'header Idempotency-Key'$$, $$idempotency_key 'body /uniqueId'$$, $$idempotency_key 'header'$$,
	$$idempotency_key 'header Host'$$, $$idempotency_key 'header a b'$$, $$idempotency_key 'body uniqueId'$$, $$idempotency_key 'yes'$$,
	$$token_url 'https://id.example.com/token?tenant=a'$$, $$token_url 'https://id.example.com/#a'$$, $$token_url 'token'$$,
	$$ssl_verify 'off'$$, $$api_key 'sk-secret'$$, $$password 'sk-secret'$$]) options;

-- A server is of no use without an api.
CREATE SERVER bare FOREIGN DATA WRAPPER arazzo;
CREATE SERVER bare FOREIGN DATA WRAPPER arazzo OPTIONS (url 'http://127.0.0.1:8080');

-- User mappings; no value is shown.
CREATE SERVER amberflo FOREIGN DATA WRAPPER arazzo OPTIONS (api 'https://app.amberflo.io');
ALTER SERVER amberflo OPTIONS (DROP api);
CREATE USER MAPPING FOR PUBLIC SERVER amberflo OPTIONS (api_key 'public-key-1');
CREATE USER MAPPING FOR CURRENT_USER SERVER amberflo OPTIONS (api_key E'sk-secret\nX: y');
CREATE USER MAPPING FOR CURRENT_USER SERVER amberflo OPTIONS (token '');
CREATE USER MAPPING FOR CURRENT_USER SERVER amberflo OPTIONS (client_key 'sk-secret');
CREATE USER MAPPING FOR CURRENT_USER SERVER amberflo OPTIONS (timeout '1s');
CREATE USER MAPPING FOR CURRENT_USER SERVER amberflo OPTIONS (client_auth 'none');
CREATE USER MAPPING FOR CURRENT_USER SERVER amberflo OPTIONS (secret_file 'secrets');
CREATE USER MAPPING FOR CURRENT_USER SERVER amberflo OPTIONS (apikey 'sk-secret');
CREATE FOREIGN DATA WRAPPER wrong VALIDATOR arazzo_option_validator OPTIONS (api 'https://x');
CREATE FOREIGN TABLE wrong (a int) SERVER amberflo OPTIONS (api 'https://x');

-- Files of the server are named by those who may read them.
CREATE ROLE regress_http_owner;
CREATE ROLE regress_http_user;
GRANT USAGE ON FOREIGN DATA WRAPPER arazzo TO regress_http_owner;
GRANT USAGE ON SCHEMA test_http TO regress_http_owner, regress_http_user;
SET ROLE regress_http_owner;
CREATE SERVER own FOREIGN DATA WRAPPER arazzo OPTIONS (api 'https://own.example', ca_file '/etc/ssl/ca.pem');
CREATE SERVER own FOREIGN DATA WRAPPER arazzo OPTIONS (api 'https://own.example');
CREATE USER MAPPING FOR CURRENT_USER SERVER own OPTIONS (secret_file '/etc/secrets');
RESET ROLE;
GRANT pg_read_server_files TO regress_http_owner;
SET ROLE regress_http_owner;
ALTER SERVER own OPTIONS (ADD ca_file '/etc/ssl/ca.pem');
CREATE USER MAPPING FOR CURRENT_USER SERVER own OPTIONS (secret_file '/nowhere/secrets', client_auth 'client_secret_post');
SELECT test_http.test_connection('https://own.example/');
RESET ROLE;

-- Connections: the longest api, in whole segments; the role's mapping before
-- PUBLIC's; USAGE asked for at every look-up.
CREATE SERVER amberflo_v2 FOREIGN DATA WRAPPER arazzo OPTIONS (api 'https://app.amberflo.io/v2/', url 'http://127.0.0.1:8080/base/',
	timeout '5s', connect_timeout '700ms', max_response_bytes '2kB', max_header_bytes '1kB', max_concurrency '3', max_rate '2.5',
	retry_limit '2', idempotency_key 'body /uniqueId');
SELECT test_connection('https://app.amberflo.io/meters/1?x=y');
SELECT test_connection('HTTPS://APP.amberflo.io:443');
SELECT test_connection('https://app.amberflo.io/v2');
SELECT test_connection('https://app.amberflo.io/v2/meters?a=b');
SELECT test_connection('https://app.amberflo.io/v22/meters');
SELECT test_connection('https://app.amberflo.io:8443/v2');
SELECT test_connection('http://app.amberflo.io/v2');
SELECT test_connection('https://app.amberflo.io.evil.example/v2?key=sk-secret');
SELECT test_connection('https://app.amberflo.io/v2/../admin');
SELECT test_connection('https://app.amberflo.io/v2', 'regress_http_user');
GRANT USAGE ON FOREIGN SERVER amberflo TO regress_http_user;
SELECT test_connection('https://app.amberflo.io/v2', 'regress_http_user');
SELECT test_connection('https://app.amberflo.io/v1', 'regress_http_user');
CREATE USER MAPPING FOR regress_http_user SERVER amberflo OPTIONS (api_key 'user-key-1');
SELECT test_connection('https://app.amberflo.io/v1', 'regress_http_user');
ALTER USER MAPPING FOR regress_http_user SERVER amberflo OPTIONS (SET api_key 'user-key-2');
SELECT test_connection('https://app.amberflo.io/v1', 'regress_http_user');
SELECT test_connection('https://app.amberflo.io/v1');
BEGIN;
DROP USER MAPPING FOR regress_http_user SERVER amberflo;
SELECT test_connection('https://app.amberflo.io/v1', 'regress_http_user');
ROLLBACK;
SELECT test_connection('https://app.amberflo.io/v1', 'regress_http_user');
REVOKE USAGE ON FOREIGN SERVER amberflo FROM regress_http_user;
SELECT test_connection('https://app.amberflo.io/v1', 'regress_http_user');
-- Of two servers for one api, the one that the role may use.
CREATE SERVER zz_amberflo FOREIGN DATA WRAPPER arazzo OPTIONS (api 'https://app.amberflo.io');
GRANT USAGE ON FOREIGN SERVER zz_amberflo TO regress_http_user;
SELECT test_connection('https://app.amberflo.io/v1', 'regress_http_user');
SELECT test_connection('https://app.amberflo.io/v1');
DROP SERVER zz_amberflo;
ALTER SERVER amberflo RENAME TO amberflo_renamed;
SELECT test_connection('https://app.amberflo.io/v1');

-- Masking.
SELECT test_mask_text(text, ARRAY['sk-secret/+1 ü"x', 'abc', 'longer-secret', 'longer']) FROM unnest(ARRAY[
	'nothing to hide', 'key sk-secret/+1 ü"x.', 'q=sk-secret%2F%2B1%20%C3%BC%22x&r', 'q=sk-secret%2f%2b1+%c3%bc%22x&r',
	'{"k": "sk-secret\/+1 \u00fc\"x"}', '{"k": "sk-secret\u002f+1 ü\u0022x"}', 'sk-secret/+1 ü', 'abc is too short',
	'longer-secret longer longer-secre', 'twice longertwice longer']) text;
SELECT test_mask_text(encode('user:sk-secret/key.', 'base64'), '{sk-secret/key.}') AS standard,
	test_mask_text(translate(encode('\x00fbfeff3f6162636465666768', 'base64'), '+/', '-_'), ARRAY['abcdefgh']) AS for_urls,
	test_mask_text('token%3Dc2stc2VjcmV0L2tleS4%3D', '{sk-secret/key.}') AS in_url;
SELECT n, test_mask_text('Basic ' || encode(convert_to(left('user:', n) || 'sk-secret/key.' || tail, 'UTF8'), 'base64'),
	'{sk-secret/key.}') FROM generate_series(0, 5) n, unnest(ARRAY['', 'x', 'xy']) tail;
SELECT test_mask_text('100%25 of 5a%b!, 5a%25b!, 5a\b!, 5a\\b!', '{5a%b!,100% of,5a\\b!}');
SELECT name, test_mask_header(name) FROM unnest(ARRAY['Authorization', 'PROXY-AUTHORIZATION', 'Cookie', 'set-cookie', 'X-API-KEY',
	'apikey', 'Stripe-Signature', 'X-Auth-User', 'X-Amz-Security-Token', 'Content-Type', 'Idempotency-Key', 'WWW-Authenticate', '']) name;

DROP SERVER amberflo_renamed, amberflo_v2, own CASCADE;
DROP OWNED BY regress_http_owner, regress_http_user;
DROP ROLE regress_http_owner, regress_http_user;
DROP SCHEMA test_http CASCADE;
