-- Operations of descriptions, resolved.  Clauses are those of OpenAPI 3.2.0
-- where no other version is named.
\getenv abs_builddir PG_ABS_BUILDDIR
\set rooms :abs_builddir '/tests/module/arazzo_rooms'
CREATE FUNCTION test_operation(documents jsonb, uri text, how text, what text, method text DEFAULT NULL) RETURNS text
	AS :'rooms', 'test_operation' LANGUAGE C;
CREATE FUNCTION test_operation_body(documents jsonb, uri text, id text, content_type text) RETURNS text
	AS :'rooms', 'test_operation_body' LANGUAGE C;
CREATE FUNCTION test_operation_ids(documents jsonb, uri text) RETURNS text[]
	AS :'rooms', 'test_operation_ids' LANGUAGE C STRICT;
CREATE FUNCTION test_operation_nearest(name text, names text[]) RETURNS text
	AS :'rooms', 'test_operation_nearest' LANGUAGE C STRICT;
\pset format unaligned
\pset tuples_only on

CREATE TABLE documents (uri text, content jsonb);
CREATE FUNCTION operation(how text, what text, method text DEFAULT NULL, uri text DEFAULT 'https://api.example.com/v3/openapi.json') RETURNS text
	LANGUAGE sql AS $$ SELECT test_operation(jsonb_object_agg(d.uri, content), $4, how, what, method) FROM documents d $$;

INSERT INTO documents VALUES ('https://api.example.com/v3/openapi.json', '{
"openapi": "3.1.0",
"servers": [{"url": "https://{region}.example.com:{port}/{base}/", "variables":
	{"region": {"default": "eu"}, "port": {"enum": ["443", "8443"]}, "base": {"default": "v3"}}}, {"url": "https://other.example.com"}],
"security": [{"key": []}, {"oauth": ["read", "write"], "basic": []}],
"paths": {
	"/users/{id}": {
		"parameters": [{"name": "id", "in": "path", "required": true, "schema": {"type": "string"}}, {"name": "X-Trace", "in": "header"},
			{"name": "limit", "in": "query", "schema": {"type": "integer", "default": 1}}],
		"get": {"operationId": "getUser", "parameters": [{"name": "limit", "in": "query", "required": true}, {"name": "limit", "in": "header"}],
			"responses": {"200": {"$ref": "#/components/responses/ok"}}},
		"delete": {"operationId": "deleteUser", "security": [], "servers": [{"url": "https://eu.example.com/admin"}]}},
	"/users": {"servers": [{"url": "../v4/"}],
		"post": {"operationId": "createUser", "security": [{}, {"digest": []}, {"undefined": []}, {"odd": []}, {"cookie": []}, {"tls": []}, {"oidc": ["openid"]}],
			"requestBody": {"$ref": "#/components/requestBodies/user"}},
		"query": {"operationId": "queryUsers"}},
	"/files": {"$ref": "parts.json#/files"},
	"/lost": {"$ref": "missing.json#/lost"},
	"/teams/{team}/users/{id}": {"get": {}, "patch": {"operationId": "patchTeam"}},
	"/a/{b}/c": {"get": {"operationId": "about#ApiVersion (x)/y"}}, "/a/{c}/c": {"get": {"operationId": "twice"}}, "/b": {"put": {"operationId": "twice"}},
	"/case1": {"get": {"operationId": "Case"}}, "/case2": {"get": {"operationId": "CASE"}},
	"/search": {"get": {"operationId": "search", "security": [{"bearer": []}], "parameters": [{"$ref": "#/components/parameters/filter"},
		{"name": "tags", "in": "query", "style": "pipeDelimited"}, {"name": "t2", "in": "query", "style": "form", "explode": false, "allowReserved": true},
		{"name": "json", "in": "query", "content": {"application/json": {"schema": {"type": "object"}}}},
		{"name": "Authorization", "in": "header", "required": true}, {"name": "bad", "in": "body"}, {"in": "query"}]}},
	"/broken": {"get": {"operationId": "broken", "parameters": [{"$ref": "#/components/parameters/none"}]}},
	"/broken2": {"get": {"operationId": "broken2", "requestBody": {"$ref": "missing.json#/body"}}},
	"/loop": {"get": {"operationId": "loop", "parameters": [{"$ref": "#/components/parameters/loop"}]}}
},
"components": {
	"parameters": {"filter": {"name": "filter", "in": "query", "style": "deepObject", "explode": true, "schema": {"$ref": "#/components/schemas/Filter"}},
		"loop": {"$ref": "#/components/parameters/loop"}},
	"requestBodies": {"user": {"required": true, "content": {
		"application/json": {"schema": {"$ref": "#/components/schemas/User"}}, "application/*": {}, "*/*": {},
		"application/x-www-form-urlencoded": {"schema": {"$ref": "#/components/schemas/User"}, "encoding": {"a": {"style": "deepObject", "explode": true}, "b": {"contentType": "application/json"}}},
		"multipart/form-data": {"schema": {"allOf": [{"$ref": "#/components/schemas/User"}, {"properties": {"raw": {"contentMediaType": "image/png"}}}]},
			"encoding": {"photo": {"contentType": "image/png", "headers": {"X-A": {"schema": {"const": 1}}}}}},
		"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}, "text/plain; charset=utf-8": {}}}},
	"schemas": {"Filter": {"type": "object"}, "User": {"type": "object", "properties": {"name": {"type": "string"}, "photo": {"type": "string", "format": "binary"},
		"photos": {"type": "array", "items": {"$ref": "#/components/schemas/Photo"}}, "hash": {"type": "string", "contentEncoding": "base64"}, "any": {}, "choice": {"enum": ["a"]},
		"self": {"$ref": "#/components/schemas/User"}}}, "Photo": {"format": "byte", "type": "string"}},
	"responses": {"ok": {"description": "ok"}},
	"securitySchemes": {"key": {"type": "apiKey", "in": "query", "name": "api_key"}, "basic": {"type": "http", "scheme": "Basic"}, "bearer": {"$ref": "parts.json#/bearer"},
		"digest": {"type": "http", "scheme": "digest"}, "odd": {"type": "http", "scheme": "negotiate"}, "cookie": {"type": "apiKey", "in": "cookie", "name": "sid"}, "tls": {"type": "mutualTLS"},
		"oidc": {"type": "openIdConnect", "openIdConnectUrl": "https://id.example.com/.well-known/openid-configuration"},
		"oauth": {"type": "oauth2", "flows": {"authorizationCode": {"tokenUrl": "https://id.example.com/code"}, "clientCredentials": {"tokenUrl": "oauth/token"}, "password": {"tokenUrl": "https://id.example.com/password"}}}}}
}'), ('https://api.example.com/v3/parts.json', '{"files": {"parameters": [{"$ref": "#/folder"}], "post": {"operationId": "upload", "servers": [{"url": "files"}]}},
	"folder": {"name": "folder", "in": "cookie"}, "bearer": {"type": "http", "scheme": "bearer"}}');

-- Everything known of an operation; the operation's parameters come before
-- those of the path item, which they replace by name and location
SELECT operation('id', 'getUser');
-- Operation Object, security: an empty array takes it away
SELECT operation('id', 'deleteUser');
-- Request Body Object, Encoding Object; Security Scheme Object
SELECT operation('id', 'createUser');
SELECT operation('id', 'search');
-- Path Item Object, $ref, in another document
SELECT operation('id', 'upload');
SELECT operation('id', 'queryUsers');

-- Look-up by id: opaque; another case if there is one such id; never a guess
SELECT operation('id', 'about#ApiVersion (x)/y');
SELECT operation('id', 'GETUSER') LIKE 'GET %getUser%';
SELECT operation('id', 'Case') LIKE 'GET %/case1 id=Case%';
SELECT operation('id', 'case');
SELECT operation('id', 'twice');
SELECT operation('id', 'getUsr');
SELECT operation('id', 'nothingLikeIt');
SELECT operation('id', '');
SELECT operation('id', 'broken');
SELECT operation('id', 'broken2');
SELECT operation('id', 'loop');
SELECT test_operation_ids(jsonb_object_agg(uri, content), 'https://api.example.com/v3/openapi.json') FROM documents;
SELECT test_operation_ids('{"x": {"openapi": "3.0.0"}}', 'x'), test_operation_ids('{"x": []}', 'x');

-- By JSON Pointer, with a method or, where there is one operation, without
SELECT split_part(operation('pointer', pointer), E'\n', 1)
FROM unnest(ARRAY['/paths/~1users~1{id}/get', '/paths/~1users~1{id}/DELETE', '/paths/~1files/post', '/paths/~1files', '/paths/~1users/query']) pointer;
SELECT operation('pointer', '/paths/~1users');
SELECT operation('pointer', '/paths/~1users/trace');
SELECT operation('pointer', '/paths/~1usrs/get');
SELECT operation('pointer', '/components/schemas/User');
SELECT operation('pointer', 'paths');
SELECT operation('pointer', '/paths/~1lost/get');

-- By path; the names in braces may differ if that is unique
SELECT split_part(operation('path', path, method), E'\n', 1)
FROM (VALUES ('/users/{id}', 'get'), ('/users/{userId}', 'GET'), ('/teams/{a}/users/{b}', 'patch'), ('/files', NULL), ('/a/{c}/c', NULL)) v (path, method);
SELECT operation('path', '/a/{x}/c', 'get');
SELECT operation('path', '/users/{id}/x', 'get');
SELECT operation('path', '/users/7', 'get');
SELECT operation('path', '/users/{id}', 'put');
SELECT operation('path', '/users/{id}');

-- The body for a content type: the most specific that fits; by itself JSON,
-- then a form, then the first
SELECT type, test_operation_body(jsonb_object_agg(uri, content), 'https://api.example.com/v3/openapi.json', 'createUser', type)
FROM documents, unnest(ARRAY[NULL, 'application/json; charset=utf-8', 'APPLICATION/JSON', 'application/xml', 'text/csv', 'text/plain', 'nonsense', 'multipart/form-data; boundary=x', 'multipart/*', '*/*', 'application/*+json']) WITH ORDINALITY t (type, place)
GROUP BY type, place ORDER BY place;
SELECT test_operation_body(jsonb_object_agg(uri, content), 'https://api.example.com/v3/openapi.json', 'getUser', NULL) IS NULL FROM documents;

-- Server Object: levels, variables, relative URLs, trailing slashes
SELECT uri, servers, split_part(test_operation(jsonb_build_object(uri, jsonb_build_object('openapi', '3.0.0', 'paths', '{"/v1/x": {"get": {}}}'::jsonb) || servers),
	uri, 'path', '/v1/x'), E'\n', 1)
FROM (VALUES (1, 'https://h.example/a/b.json', '{}'::jsonb), (2, 'https://h.example/a/b.json', '{"servers": []}'), (3, 'https://h.example/a/b.json', '{"servers": [{"url": "/"}]}'),
	(4, 'https://h.example/a/b.json', '{"servers": [{"url": "./c/"}]}'), (5, 'https://h.example/a/b.json', '{"servers": [{"url": "."}]}'), (6, 'https://h.example/a/b.json', '{"servers": [{"url": "//g.example/x"}]}'),
	(7, 'b.json', '{"servers": [{"url": "/c"}]}'), (8, 'b.json', '{"servers": [{"url": "//g.example/x/"}]}'), (9, 'b.json', '{}'), (10, 'b.json', '{"servers": [{"url": "https://api.stripe.com/"}]}'),
	(11, 'b.json', '{"servers": [{"url": "https://{h}.example", "variables": {"h": {}}}]}'), (12, 'b.json', '{"servers": [{"url": "https://{h}.example"}]}'),
	(13, 'b.json', '{"servers": [{"url": "{scheme}://h.example:{port}", "variables": {"scheme": {"default": "http"}, "port": {"default": 8080}}}]}'),
	(14, 'https://h.example/a/b.json', '{"$self": "https://self.example/x/y", "servers": [{"url": "c"}]}'), (15, 'b.json', '{"servers": {"url": "https://h.example"}}'),
	(16, 'b.json', '{"servers": [{"description": "none"}]}')) t (place, uri, servers)
ORDER BY place;

-- 3.2: methods beyond the fixed ones, querystring, style cookie, media types
-- by reference, security schemes by URI
INSERT INTO documents VALUES ('https://new.example.com/', '{"openapi": "3.2.0", "paths": {"/x": {
	"get": {"operationId": "plain", "parameters": [{"name": "q", "in": "querystring", "content": {"application/x-www-form-urlencoded": {"encoding": {"a": {"explode": false}}}}},
		{"name": "sid", "in": "cookie", "style": "cookie"}], "security": [{"#/components/securitySchemes/a": []}, {"./auth.json#/b": []}]},
	"additionalOperations": {"COPY": {"operationId": "copy", "requestBody": {"content": {"text/csv": {"$ref": "#/components/mediaTypes/csv"}}}}}}},
	"components": {"mediaTypes": {"csv": {"schema": {"type": "string"}}}, "securitySchemes": {"a": {"type": "http", "scheme": "bearer"}}}}'),
	('https://new.example.com/auth.json', '{"b": {"type": "apiKey", "in": "header", "name": "X-Key"}}');
SELECT operation('id', 'plain', uri => 'https://new.example.com/');
SELECT operation('id', 'copy', uri => 'https://new.example.com/') = operation('pointer', '/paths/~1x/additionalOperations/COPY', uri => 'https://new.example.com/'),
	operation('path', '/x', 'COPY', 'https://new.example.com/');

-- OpenAPI 2.0
INSERT INTO documents VALUES ('https://old.example.com/swagger.json', '{"swagger": "2.0", "host": "old.example.com", "basePath": "/api/", "schemes": ["http", "https"],
"consumes": ["application/xml", "application/json"], "produces": ["application/json"], "security": [{"basic": []}],
"paths": {
	"/pets/{id}": {"parameters": [{"$ref": "#/parameters/id"}],
		"get": {"operationId": "getPet", "schemes": ["http"], "security": [{"key": []}, {"oauth": ["a"]}], "parameters": [
			{"name": "csv", "in": "query", "type": "array", "items": {"type": "string"}}, {"name": "ssv", "in": "query", "type": "array", "collectionFormat": "ssv"},
			{"name": "tsv", "in": "query", "type": "array", "collectionFormat": "tsv"}, {"name": "pipes", "in": "query", "type": "array", "collectionFormat": "pipes"},
			{"name": "multi", "in": "query", "type": "array", "collectionFormat": "multi"}, {"name": "X-P", "in": "header", "type": "array", "collectionFormat": "pipes"}],
			"responses": {"200": {"description": "ok", "schema": {"type": "object"}}, "404": {"$ref": "#/responses/none"}}},
		"put": {"operationId": "putPet", "security": [{"pass": ["b"]}, {"code": []}], "parameters": [{"name": "pet", "in": "body", "required": true, "schema": {"$ref": "#/definitions/Pet"}}]},
		"patch": {"operationId": "patchPet", "consumes": ["application/x-www-form-urlencoded", "multipart/form-data", "text/plain"], "parameters": [
			{"name": "name", "in": "formData", "type": "string", "required": true}, {"name": "tags", "in": "formData", "type": "array", "collectionFormat": "multi", "items": {"type": "string"}},
			{"name": "ids", "in": "formData", "type": "array", "items": {"type": "integer"}}]},
		"post": {"operationId": "postPhoto", "consumes": [], "parameters": [{"name": "photo", "in": "formData", "type": "file"}]}}},
"parameters": {"id": {"name": "id", "in": "path", "required": true, "type": "integer", "format": "int64"}},
"responses": {"none": {"description": "none", "schema": {"type": "string"}}}, "definitions": {"Pet": {"type": "object"}},
"securityDefinitions": {"basic": {"type": "basic"}, "key": {"type": "apiKey", "in": "header", "name": "X-Key"},
	"oauth": {"type": "oauth2", "flow": "application", "tokenUrl": "https://id.example.com/token", "scopes": {"a": "b"}},
	"pass": {"type": "oauth2", "flow": "password", "tokenUrl": "/token"}, "code": {"type": "oauth2", "flow": "accessCode", "tokenUrl": "https://id.example.com/token"}}}');
SELECT operation('id', id, uri => 'https://old.example.com/swagger.json') FROM unnest(ARRAY['getPet', 'putPet', 'patchPet', 'postPhoto']) id;
-- Swagger Object: schemes, host and basePath
SELECT uri, root, split_part(test_operation(jsonb_build_object(uri, '{"swagger": "2.0", "paths": {"/x": {"get": {}}}}'::jsonb || root), uri, 'path', '/x'), E'\n', 1)
FROM (VALUES (1, 'https://h.example/a/b.json', '{}'::jsonb), (2, 'http://h.example/b.json', '{"basePath": "/v1"}'), (3, 'b.json', '{}'), (4, 'b.json', '{"host": "g.example:8080", "basePath": "v1/"}'),
	(5, 'http://h.example/b.json', '{"host": "g.example"}'), (6, 'b.json', '{"host": "g.example", "schemes": ["ws", "http"]}'), (7, 'b.json', '{"host": "g.example", "schemes": ["wss"]}')) t (place, uri, root)
ORDER BY place;

-- Nearest names
SELECT test_operation_nearest('createCustomr', ARRAY['createCustomer', 'createCustomers', 'deleteCustomer', 'CREATECUSTOMR', 'createCostumer', 'x']);
SELECT test_operation_nearest('x', ARRAY['createCustomer', 'yy']) IS NULL, test_operation_nearest('x', ARRAY['y', 'xy', 'X']), test_operation_nearest('', '{}') IS NULL;
