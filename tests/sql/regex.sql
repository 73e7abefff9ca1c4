-- Regular expressions of ECMA-262 on PostgreSQL's engine.
\getenv abs_builddir PG_ABS_BUILDDIR
\set rooms :abs_builddir '/tests/module/arazzo_rooms'
CREATE FUNCTION test_regex_translate(pattern text) RETURNS text
	AS :'rooms', 'test_regex_translate' LANGUAGE C STRICT;
CREATE FUNCTION test_regex_search(pattern text, string text) RETURNS boolean
	AS :'rooms', 'test_regex_search' LANGUAGE C STRICT;
\set VERBOSITY terse

-- What is written out: nothing but letters and digits stands for itself.
SELECT test_regex_translate('^a.b[\w-.]*(?:x|y){2,3}?$');
SELECT test_regex_translate('\d\D\s\S');
SELECT test_regex_translate('x{300}|x{0,300}|x{300,}|x{10,600}');
SELECT test_regex_translate('(a)(b)'), test_regex_translate('(a)(?=(b))(?<n>c)\1\k<n>');

-- Matching
SELECT pattern, string, test_regex_search(pattern, string)
FROM (VALUES
	('b', 'abc'), ('^b', 'abc'), ('^abc$', E'abc\n'), ('^$', ''),
	('^.$', 'é'), ('^.$', E'\n'), ('^[^]$', E'\n'), ('[]', 'a'), ('(?:[])*x', 'x'),
	('^\d$', '٣'), ('^\p{Nd}$', '٣'), ('^\p{Lu}\P{Lu}$', 'Éé'), ('^\p{Script=Greek}+$', 'αβγ'),
	('^\w$', 'é'), ('\bfoo\b', 'éfoo'), ('\Bo', 'foo'), ('^\s$', U&'\FEFF'), ('^[\S]$', ' '),
	('^[\w-.]+$', 'a-b.c'), ('^[\]\\^-]+$', ']\^-'), ('^[[:alpha:]]+$', ':a]'),
	('^\u00e9\x41\cJ$', E'éA\n'), ('^\u{1F432}\ud83d\udc32$', '🐲🐲'), ('^🐲{2}$', '🐲🐲'),
	('^(?<n>a+)b\k<n>$', 'aabaa'), ('^(a+)b\1$', 'aabaaa'), ('(?<=a+)b', 'aab'), ('(?<!a)b', 'ab'),
	('^(?!foo).*$', 'foobar'), ('{', '{'), ('a{,3}', 'a{,3}'), ('^\@\_\/\-$', '@_/-')
) AS t (pattern, string);
SELECT test_regex_search('^x{300,600}$', repeat('x', n)) FROM unnest(ARRAY[299, 300, 600, 601]) n;
SELECT test_regex_search('^(([a-z])+.)+[A-Z]([a-z])+$', repeat('a', 100000));

-- What is no regular expression, or none that the engine can do
SELECT test_regex_translate('a**');
SELECT test_regex_translate('^*');
SELECT test_regex_translate('{2}');
SELECT test_regex_translate('x{3,2}');
SELECT test_regex_translate('(a');
SELECT test_regex_translate('a)');
SELECT test_regex_translate('[a');
SELECT test_regex_translate('[z-a]');
SELECT test_regex_translate('a\');
SELECT test_regex_translate('\Z');
SELECT test_regex_translate('\u12');
SELECT test_regex_translate('\u{110000}');
SELECT test_regex_translate('(?P<x>a)');
SELECT test_regex_translate('(?i)a');
SELECT test_regex_translate('(?<1>a)');
SELECT test_regex_translate('(?<x>a)(?<x>b)');
SELECT test_regex_translate('(a)\2');
SELECT test_regex_translate('\p');
SELECT test_regex_translate('\p{Emoji}');
SELECT test_regex_translate('(?=(a))\1');
SELECT test_regex_translate('((x{9999}){9999}){9999}');
SELECT test_regex_search('^.{1,100000}$', 'a');
SELECT test_regex_search('^[a-c]{0,1111111}$', 'a');
