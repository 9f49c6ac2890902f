import Testing

@testable import SQLLexing

@Suite struct `What is shown of a statement` {
    private func shown(_ text: String) -> String {
        let secrets = Secrets(of: Array(text.utf8))
        return String(decoding: secrets.shown(0..<text.utf8.count), as: UTF8.self)
    }

    /// `hunter2` is the secret everywhere.
    static let hidden: [(text: String, shown: String)] = [
        ("ALTER ROLE a PASSWORD 'hunter2'", "ALTER ROLE a PASSWORD '***'"),
        ("create user a encrypted password 'hunter2' login", "create user a encrypted password '***' login"),
        ("CREATE GROUP a PASSWORD E'hun\\'hunter2'", "CREATE GROUP a PASSWORD '***'"),
        ("ALTER ROLE a PASSWORD U&'hunter2\\0041'", "ALTER ROLE a PASSWORD U&'***'"),
        ("ALTER ROLE a PASSWORD $$hunter2$$", "ALTER ROLE a PASSWORD '***'"),
        ("ALTER ROLE a PASSWORD $x$hun ter hunter2$x$", "ALTER ROLE a PASSWORD '***'"),
        ("ALTER ROLE a PASSWORD 'hun'\n  'hunter2'", "ALTER ROLE a PASSWORD '***'\n  '***'"),
        (
            "ALTER ROLE a PASSWORD /* 'hunter2' */ -- was 'hunter2'\n 'hunter2'",
            "ALTER ROLE a PASSWORD /* *** */ -- ***\n '***'"
        ),
        ("-- the password was hunter2\nSELECT 'a'", "-- ***\nSELECT 'a'"),
        ("ALTER ROLE a PASSWORD hunter2", "ALTER ROLE a PASSWORD ***"),
        ("ALTER ROLE a PASSWORD \"hunter2\"", "ALTER ROLE a PASSWORD ***"),
        ("ALTER ROLE a PASSWRD 'hunter2'", "ALTER ROLE a PASSWRD '***'"),
        ("ALTER ROLE a PASSWORD 'hunter2", "ALTER ROLE a PASSWORD '***'"),
        ("SELECT 'it's'; ALTER ROLE a PASSWORD 'hunter2'; SELECT 'it's'", "SELECT '***'"),
        ("SELECT 'it's', 'b;c'; ALTER ROLE a PASSWORD 'hunter2'", "SELECT 'it's', 'b;c'***'"),
        (
            "CREATE USER MAPPING FOR a SERVER s OPTIONS (user 'u', password 'hunter2')",
            "CREATE USER MAPPING FOR a SERVER s OPTIONS (user '***', password '***')"
        ),
        (
            "ALTER USER MAPPING FOR a SERVER s OPTIONS (SET \"passwd\" 'hunter2')",
            "ALTER USER MAPPING FOR a SERVER s OPTIONS (SET \"passwd\" '***')"
        ),
        ("ALTER SERVER s OPTIONS (ADD sslkey_hash 'hunter2')", "ALTER SERVER s OPTIONS (ADD sslkey_hash '***')"),
        (
            "CREATE FOREIGN DATA WRAPPER w OPTIONS (debug 'hunter2')",
            "CREATE FOREIGN DATA WRAPPER w OPTIONS (debug '***')"
        ),
        (
            "CREATE SUBSCRIPTION s CONNECTION 'host=h password=hunter2' PUBLICATION p",
            "CREATE SUBSCRIPTION s CONNECTION '***' PUBLICATION p"
        ),
        ("SELECT * FROM dblink('host=h password = hunter2', 'SELECT 1')", "SELECT * FROM dblink('***', '***')"),
        ("SELECT dblink_connect('postgresql://u:hunter2@h/d')", "SELECT dblink_connect('***')"),
        ("SELECT dblink_connect($$postgresql://u:hunter2@h/d$$)", "SELECT dblink_connect('***')"),
        (
            "ALTER SYSTEM SET primary_conninfo = 'user=u sslpassword=hunter2'",
            "ALTER SYSTEM SET primary_conninfo = '***'"
        ),
        ("SET app.jwt_secret TO 'hunter2'", "SET app.jwt_secret TO '***'"),
        ("SELECT set_config('app.api_key', 'hunter2', false)", "SELECT set_config('***', '***', false)"),
        ("COPY t FROM PROGRAM 'curl -u u:hunter2 http://h'", "COPY t FROM PROGRAM '***'"),
        (
            "INSERT INTO u VALUES (crypt('hunter2', gen_salt('bf')))",
            "INSERT INTO u VALUES (crypt('***', gen_salt('***')))"
        ),
        ("SELECT pgp_sym_encrypt(body, 'hunter2')", "SELECT pgp_sym_encrypt(body, '***')"),
        (
            "INSERT INTO settings (value, name) VALUES ('hunter2', 'smtp_password')",
            "INSERT INTO settings (value, name) VALUES ('***', '***')"
        ),
        ("UPDATE users SET password = 'hunter2'", "UPDATE users SET password = '***'"),
        ("DO $$ BEGIN EXECUTE 'ALTER ROLE a PASSWORD ''hunter2'''; END $$", "DO $$ BEGIN EXECUTE '***'; END $$"),
        (
            "DO LANGUAGE plpgsql $$ BEGIN EXECUTE format('ALTER ROLE a PASSWORD %L', 'hunter2'); END $$",
            "DO LANGUAGE plpgsql $$ BEGIN EXECUTE format('***', '***'); END $$"
        ),
        (
            "DO $a$ DECLARE v text := 'hunter2'; BEGIN EXECUTE format($q$ALTER ROLE a PASSWORD %L$q$, v); END $a$",
            "DO $a$ DECLARE v text := '***'; BEGIN EXECUTE format('***', v); END $a$"
        ),
        (
            "CREATE FUNCTION f() RETURNS void AS $f$ DO $d$ ALTER ROLE a PASSWORD 'hunter2' $d$ $f$ LANGUAGE sql",
            "CREATE FUNCTION f() RETURNS void AS $f$ DO $d$ ALTER ROLE a PASSWORD '***' $d$ $f$ LANGUAGE sql"
        ),
        (
            "CREATE FUNCTION f() RETURNS void AS 'ALTER ROLE a PASSWORD ''hunter2''' LANGUAGE sql",
            "CREATE FUNCTION f() RETURNS void AS '***' LANGUAGE sql"
        ),
        (
            "CREATE FUNCTION f() RETURNS void AS $$ connect(\"postgresql://u:hunter2@h\") $$ LANGUAGE plpython3u",
            "CREATE FUNCTION f() RETURNS void AS $$ connect(\"***\") $$ LANGUAGE plpython3u"
        ),
        (
            "CREATE FUNCTION f() RETURNS void AS $$ password = \"hunter2\" $$ LANGUAGE plpython3u",
            "CREATE FUNCTION f() RETURNS void AS $$ password = \"***\" $$ LANGUAGE plpython3u"
        ),
        (
            "SELEC x; ALTER ROLE a PASSWORD 'hunter2' NEWER SYNTAX 17",
            "SELEC x; ALTER ROLE a PASSWORD '***' NEWER SYNTAX 17"
        ),
        ("SELECT '-----BEGIN RSA PRIVATE KEY-----hunter2'", "SELECT '***'"),
        ("\\connect postgres://u:hunter2@h/d", "\\connect postgres://u:***@h/d"),
        ("\\set pw 'hunter2'", "\\set pw '***'"),
        ("SET app.encryption_key = 'hunter2'", "SET app.encryption_key = '***'"),
        ("COMMENT ON ROLE a IS 'its password is hunter2'", "COMMENT ON ROLE a IS '***'"),
    ]

    @Test(arguments: hidden) func `has no secret in it`(text: String, expected: String) {
        #expect(shown(text) == expected)
        #expect(!shown(text).contains("hunter2"))
    }

    @Test(arguments: [
        "CREATE TABLE t (a text DEFAULT 'new', CHECK (a IN ('new', 'old')))", "SELECT 'it''s', $$x$$, E'a\\'b', \"q\"",
        "CREATE FUNCTION change_password() RETURNS void AS $$ BEGIN RAISE NOTICE 'done'; END $$ LANGUAGE plpgsql",
        "CREATE SERVER s FOREIGN DATA WRAPPER w OPTIONS (host 'h', dbname 'd', port '5432')",
        "-- a comment\nSELECT 1 /* 'another' */",
        "ALTER ROLE a PASSWORD :'password'", "CREATE TABLE k (id int PRIMARY KEY); INSERT INTO k VALUES ('1')",
        "COPY t FROM '/srv/a.csv' DELIMITER ','", "SELECT hmac, 'kept'",
    ])
    func `is whole where it has to do with none`(text: String) { #expect(shown(text) == text) }

    @Test func `of a line has only what is in it, and the place that is meant`() {
        let text = Array("SELECT 1;\nALTER ROLE a PASSWORD 'hun\nter2' VALID x;\nSELECT 2".utf8)
        let secrets = Secrets(of: text)
        #expect(secrets.shown(10..<37) == Array("ALTER ROLE a PASSWORD '***'".utf8.prefix(26)) + Array("'".utf8))
        #expect(secrets.shown(37..<51) == Array("'***' VALID x;".utf8))
        // The caret below VALID, and below the literal itself.
        #expect(secrets.offset(of: 43, inShown: 37..<51) == 6)
        #expect(secrets.offset(of: 34, inShown: 10..<36) == 22)
    }
}

@Suite struct `A secret in a text` {
    private func found(_ text: String) -> [String] {
        Secrets(of: Array(text.utf8)).found.map {
            "\($0.kind) \(String(decoding: Array(text.utf8)[$0.range], as: UTF8.self))"
        }
    }

    @Test(arguments: [
        ("ALTER ROLE a PASSWORD 'hunter2'", ["clear 'hunter2'"]), ("ALTER ROLE a PASSWORD hunter2", ["clear hunter2"]),
        ("ALTER ROLE a PASSWORD 'a'\n'b'", ["clear 'a'", "clear 'b'"]),
        ("ALTER ROLE a PASSWORD $$x$$", ["clear $$x$$"]), ("OPTIONS (user 'u', password 'x')", ["clear 'x'"]),
        ("CREATE SUBSCRIPTION s CONNECTION 'host=h password=x'", ["clear 'host=h password=x'"]),
        ("SELECT dblink('postgres://u:x@h')", ["clear 'postgres://u:x@h'"]), ("SET app.secret = 'x'", ["clear 'x'"]),
        ("ALTER SYSTEM SET ssl_passphrase = 'x'", ["clear 'x'"]), ("ALTER ROLE a SET app.token TO 'x'", ["clear 'x'"]),
        ("SELECT set_config('app.token', 'x', true)", ["clear 'x'"]),
        ("SELECT crypt('x', gen_salt('bf'))", ["clear 'x'"]),
        ("SELECT pgp_sym_encrypt(f(a, 'b'), 'x')", ["clear 'x'"]),
        ("DO $$ DECLARE pw text := 'x'; BEGIN END $$", ["clear 'x'"]),
        ("DO $$ BEGIN ALTER ROLE a PASSWORD 'x'; END $$", ["clear 'x'"]),
        ("DO $$ BEGIN EXECUTE 'ALTER ROLE a PASSWORD ''x'''; END $$", ["clear 'ALTER ROLE a PASSWORD ''x'''"]),
        ("ALTER ROLE a PASSWORD 'SCRAM-SHA-256$4096:a$b:c'", ["verifier 'SCRAM-SHA-256$4096:a$b:c'"]),
        (
            "ALTER ROLE a PASSWORD 'md50123456789abcdef0123456789abcdef'",
            ["verifier 'md50123456789abcdef0123456789abcdef'"]
        ),
    ])
    func `is found`(text: String, expected: [String]) { #expect(found(text) == expected) }

    @Test(arguments: [
        "ALTER ROLE a PASSWORD NULL", "ALTER ROLE a PASSWORD ''", "ALTER ROLE a PASSWORD :'password'",
        "ALTER ROLE a PASSWORD '${PASSWORD}'", "ALTER ROLE a PASSWORD '{{ password }}'",
        "ALTER ROLE a PASSWORD '$PASSWORD'", "CREATE TABLE users (password text DEFAULT 'x', token_kind text)",
        "SET password_encryption = 'scram-sha-256'", "UPDATE users SET password = 'x'",
        "COMMENT ON COLUMN users.password IS 'hashed'", "SELECT dblink('host=h user=u')",
        "SELECT 'postgresql://u@h/d', 'https://example.org/a:b@c'", "SELECT dblink('host=h password=${PASSWORD}')",
        "DO $$ BEGIN EXECUTE format('ALTER ROLE a PASSWORD %L', current_setting('a.b')); END $$",
        "CREATE FUNCTION set_password(password text) RETURNS void AS $$ SELECT 1 $$ LANGUAGE sql",
    ])
    func `is not found where there is none in clear text`(text: String) { #expect(found(text) == []) }
}

@Suite struct `The words of a server` {
    @Test(arguments: [
        (
            "SQL statement \"ALTER ROLE \"a\" PASSWORD 'hunter2'\"\nPL/pgSQL function f() line 3",
            "SQL statement \"ALTER ROLE \"a\" PASSWORD '***'\"\nPL/pgSQL function f() line 3"
        ),
        (
            "missing \"=\" after \"hunter2\" in connection info string",
            "missing \"***\" after \"***\" in connection info string"
        ),
        ("option is password=hunter2, or not", "option is password=***, or not"),
        ("cannot reach postgres://u:hunter2@h/d", "cannot reach postgres://u:***@h/d"),
        ("can't read 'token hunter2'", "can'***'"),
        ("relation \"users\" does not exist", "relation \"users\" does not exist"),
        ("password authentication failed for user \"u\"", "password authentication failed for user \"u\""),
        ("invalid input value: 'x'", "invalid input value: 'x'"),
    ])
    func `hide what they quote of a secret`(words: String, expected: String) {
        #expect(Secrets.hidden(words: words) == expected)
    }

    @Test func `hide the secrets of the text that they are about`() {
        let secrets = Secrets(of: Array("SELECT 1; ALTER ROLE a PASSWORD 'hunter2'".utf8))
        #expect(secrets.hiding(in: "bad value hunter2") == "bad value ***")
        let program = Secrets(of: Array("COPY t FROM PROGRAM 'curl -u u:x'; SELECT 'password', 'customers'".utf8))
        #expect(program.hiding(in: "program \"curl -u u:x\" failed") == "program \"***\" failed")
        #expect(program.hiding(in: "no table customers") == "no table customers")
        #expect(secrets.hiding(in: "syntax error at or near \"'hun", at: 32) == "syntax error at or near \"***\"")
        #expect(secrets.hiding(in: "syntax error at or near \"1\"", at: 7) == "syntax error at or near \"1\"")
        #expect(Secrets.hidden(words: "default 'x'", about: "column 'api_token'") == "default '***'")
    }

    @Test func `have no literal where they say what others run`() {
        #expect(
            Secrets.withoutLiterals("UPDATE t SET a = 'x', b = $$y$$ WHERE c = 1 -- 'cut")
                == "UPDATE t SET a = '***', b = '***' WHERE c = 1 -- 'cut")
        #expect(Secrets.withoutLiterals("SELECT 'cut of") == "SELECT '***'")
    }
}
