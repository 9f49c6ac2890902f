import Glibc
import LiveSupport
import Testing

/// What has to be right before a session is there: certificates, passwords, and a history that this program knows.
@Suite struct `A way in that is not right` {
    /// A server that takes only encrypted sessions over TCP, on a loopback address of its own, so that tests do not meet at one port.
    private struct Encrypted {
        let ground: ProvingGround
        let folder: TemporaryDirectory
        let address: String

        init(method: String = "scram-sha-256", more: [String: String] = [:]) throws {
            folder = try TemporaryDirectory(mode: 0o755)
            for (name, host) in [("server", "db.test"), ("other", "other.test")] {
                let made = try Program.run(
                    "/usr/bin/openssl",
                    [
                        "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days",
                        "2",
                        "-subj", "/CN=\(host)", "-addext", "subjectAltName=DNS:\(host)", "-keyout",
                        folder.path("\(name).key"),
                        "-out", folder.path("\(name).crt"),
                    ])
                guard made.status == 0 else { throw LiveFailure("openssl: \(made)") }
            }
            if geteuid() == 0 {
                let given = try Program.run("/bin/chown", ["postgres", folder.path("server.key")])
                guard given.status == 0 else { throw LiveFailure("chown: \(given)") }
            }
            address = "127.\(Int.random(in: 1...254)).\(Int.random(in: 0...254)).\(Int.random(in: 1...254))"
            var options = Cluster.Options()
            options.settings = [
                "listen_addresses": address, "ssl": "on", "ssl_cert_file": folder.path("server.crt"),
                "ssl_key_file": folder.path("server.key"),
            ].merging(more) { $1 }
            options.hostBasedAuthentication = ["local all all trust", "hostssl all all 127.0.0.0/8 \(method)"]
            ground = try ProvingGround(Cluster(options))
            try ground.query("ALTER ROLE postgres PASSWORD 'se''cret'")
            try ground.write(
                "001_one.sql", "CREATE TABLE one AS SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid();\n")
        }

        func conninfo(_ more: String, host: String = "db.test", passfile: String = "pgpass") throws -> String {
            try folder.write("pgpass", "*:*:*:postgres:se'cret\n", mode: 0o600)
            return
                "host=\(host) hostaddr=\(address) user=postgres dbname=\(ground.database.name) passfile=\(folder.path(passfile)) sslmode=verify-full \(more)"
        }
    }

    @Test func `by its certificate is refused with a sentence, and taken where it is right`() throws {
        let server = try Encrypted()
        let root = "sslrootcert=\(server.folder.path("server.crt"))"
        let cases = [
            (try server.conninfo("sslrootcert=\(server.folder.path("other.crt"))"), "certificate verify failed"),
            (try server.conninfo(root, host: "wrong.test"), "does not match host name \"wrong.test\""),
        ]
        for (conninfo, words) in cases {
            for verb in ["apply", "run"] {
                let outcome = try server.ground.run(verb, "--database", conninfo)
                #expect(outcome.status == 77 && outcome.errors.contains(words), "\(outcome)")
                #expect(
                    outcome.errors.contains("HINT: Nothing was sent to the database. Check 'sslrootcert'"), "\(outcome)"
                )
            }
        }
        #expect(try server.ground.query("SELECT to_regnamespace('migrated') IS NULL") == "t")
        let good = try server.ground.run("apply", "--database", server.conninfo(root))
        #expect(good.status == 0, "\(good)")
        #expect(try server.ground.query("SELECT ssl FROM one") == "t")
        #expect(try server.ground.faults() == "")
        #expect(!good.errors.contains("cret") && !good.output.contains("cret"))
    }

    @Test func `without the root certificate that is needed says how to name it`() throws {
        let server = try Encrypted()
        for root in ["sslrootcert=\(server.folder.path("nowhere.crt"))", "sslrootcert=system", ""] {
            let outcome = try server.ground.run("apply", "--database", server.conninfo(root))
            #expect(outcome.status == 77, "\(outcome)")
            #expect(outcome.errors.contains("root certificate file"), "\(outcome)")
            #expect(outcome.errors.contains("HINT: Nothing was sent to the database. 'sslrootcert=FILE'"), "\(outcome)")
            // Not libpq's advice.
            #expect(!outcome.errors.contains("disable"), "\(outcome)")
        }
    }

    @Test func `to a listener that offers no encryption gets no password`() throws {
        let folder = try TemporaryDirectory(mode: 0o755)
        try folder.write("pgpass", "*:*:*:*:topsecret\n", mode: 0o600)
        try folder.write("service.conf", "[bare]\nuser=x\n[weak]\nuser=x\nsslmode=prefer\n", mode: 0o644)
        let listener = try Listener { session in
            // SSLRequest and GSSENCRequest are answered with no, whatever else with the wish for the password in clear.
            while case let asked = session.read(), asked.count == 8 { session.write([UInt8(ascii: "N")]) }
            session.write(Array("R\0\0\0\u{8}\0\0\0\u{3}".utf8))
            _ = session.read()
        }
        func tried(_ conninfo: String, _ environment: [String: String] = [:]) throws -> [Program.Outcome] {
            let place = "port=\(listener.port) dbname=y passfile=\(folder.path("pgpass"))"
            let given = Program.environment.merging(environment) { $1 }
            try folder.write("migrated.toml", "")
            return try [
                Program.run(
                    Program.built("auditctl"), ["status", "--database", "\(conninfo) \(place)"], environment: given),
                Program.run(
                    Program.built("migrated"),
                    [
                        "apply", "--config", folder.path("migrated.toml"), "--directory", folder.path, "--database",
                        "\(conninfo) \(place)", "--state-directory", folder.path("state"),
                    ], environment: given),
            ]
        }
        let file = ["PGSERVICEFILE": folder.path("service.conf")]
        for (conninfo, environment) in [
            ("host=\(listener.address) user=x", [:]), ("host=localhost hostaddr=\(listener.address) user=x", [:]),
            ("user=x", ["PGHOST": listener.address]), ("user=x", ["PGHOSTADDR": listener.address]),
            // A socket that is not there stands before it.
            ("host=\(folder.path),\(listener.address) user=x", [:]), ("host=@nobody,\(listener.address) user=x", [:]),
            ("service=bare host=\(listener.address)", file),
        ] {
            for outcome in try tried(conninfo, environment) {
                #expect(outcome.status == 77, "\(conninfo): \(outcome)")
                #expect(outcome.errors.contains("SSL was required"), "\(conninfo): \(outcome)")
                #expect(
                    outcome.errors.contains("HINT: Nothing was sent to the database. On this machine"), "\(outcome)")
            }
            let received = String(decoding: listener.received, as: UTF8.self)
            #expect(!received.contains("topsecret") && !received.contains("user"), "\(conninfo)")
        }
        // What its operator has written is done, and told.
        for (conninfo, environment) in [
            ("host=\(listener.address) user=x", ["PGSSLMODE": "prefer"]),
            ("service=weak host=\(listener.address)", file),
            ("host=\(listener.address) user=x sslmode=disable", [:]),
        ] {
            let outcomes = try tried(conninfo, environment)
            #expect(String(decoding: listener.received, as: UTF8.self).contains("topsecret"), "\(outcomes)")
            let mode = conninfo.contains("disable") ? "disable" : "prefer"
            let words = "sslmode=\(mode) to '\(listener.address)' does not prove that it is the database"
            #expect(outcomes[1].errors.components(words) == 1, "\(outcomes[1])")
        }
    }

    @Test func `with a certificate that does not prove the server gets no password`() throws {
        let server = try Encrypted(method: "password", more: ["log_connections": "on"])
        for root in ["sslrootcert=\(server.folder.path("other.crt"))", ""] {
            let whole = try server.conninfo(root)
            let conninfo = whole.split(separator: " ").filter { !$0.hasPrefix("sslmode") }.joined(separator: " ")
            let outcome = try server.ground.run("apply", "--database", conninfo)
            #expect(outcome.status == 77 && outcome.errors.contains("certificate"), "\(outcome)")
        }
        let log = server.ground.database.cluster.log
        #expect(!log.contains("connection authenticated: identity=\"postgres\" method=password"), "\(log)")
    }

    @Test func `that is weaker than the default is told by check`() throws {
        let folder = try TemporaryDirectory(mode: 0o755)
        try folder.write("001_one.sql", "SELECT 1;\n")
        func check(_ database: String) throws -> String {
            try folder.write("migrated.toml", "database = \"\(database)\"\ndirectory = \"\(folder.path)\"\n")
            return try Program.run(
                Program.built("migrated"), ["check", "--config", folder.path("migrated.toml")],
                environment: Program.environment.merging(["PGPASSWORD": "s3cr3t"]) { $1 }
            ).output
        }
        let cases = [
            ("host=db.test sslmode=require", "gets the login's password if it asks"),
            ("host=db.test sslmode=require sslrootcert=/etc/ssl/certs/x.pem", "any server with a certificate of that"),
            ("host=db.test sslmode=verify-ca", "any server with a certificate of that"),
            ("host=/run/postgresql,db.test sslmode=allow", "sslmode=allow to 'db.test'"),
            ("postgresql://127.0.0.1/app?sslmode=prefer", "sslmode=prefer to '127.0.0.1'"),
        ]
        for (conninfo, words) in cases { #expect(try check(conninfo).contains(words), "\(conninfo)") }
        let safe = [
            "host=db.test", "host=/run/postgresql sslmode=disable", "host=@abstract sslmode=disable", "dbname=app",
            "postgresql:///app", "host=db.test sslmode=disable gssencmode=require",
        ]
        for conninfo in safe {
            let told = try check(conninfo)
            #expect(!told.contains("does not prove"), "\(conninfo): \(told)")
            #expect(told.contains("note: the environment holds a password (PGPASSWORD)") && !told.contains("s3cr3t"))
        }
    }

    @Test func `by its password says which file it looked for it in`() throws {
        let server = try Encrypted()
        let root = "sslrootcert=\(server.folder.path("server.crt"))"
        try server.folder.write("empty", "", mode: 0o600)
        try server.folder.write("open", "*:*:*:postgres:se'cret\n", mode: 0o644)
        try server.folder.write("other", "*:*:elsewhere:postgres:se'cret\n", mode: 0o600)
        try server.folder.write("wrong", "*:*:*:postgres:wrong'cret\n", mode: 0o600)
        let cases = [
            ("missing", "no password supplied", "cannot be read: No such file or directory"),
            ("empty", "no password supplied", "is empty"),
            ("open", "no password supplied", "may be read by others, so that libpq does not use it"),
            ("other", "no password supplied", "has no line for this server, database and role"),
            ("wrong", "password authentication failed", "Check the role, pg_hba.conf and the password"),
        ]
        for (name, words, hint) in cases {
            for verb in ["apply", "run"] {
                let outcome = try server.ground.run(verb, "--database", server.conninfo(root, passfile: name))
                #expect(
                    outcome.status == 77 && outcome.errors.contains(words) && outcome.errors.contains(hint),
                    "\(name) \(outcome)")
                #expect(!outcome.errors.contains("cret"), "\(outcome)")
            }
        }
        #expect(try server.ground.query("SELECT to_regnamespace('migrated') IS NULL") == "t")
    }

    /// An upgrade of the package under a daemon that runs, or another host that was upgraded first.
    @Test func `because a newer program was here is refused, at the start and by a daemon that runs`() throws {
        let ground = try ProvingGround()
        try ground.query("CREATE TABLE counter (file text)")
        try ground.write("001_one.sql", "INSERT INTO counter VALUES ('one');\n")
        let daemon = try ground.start("run")
        try ground.waitFor("event = 'applied'", daemon)
        let known = try ground.query("SELECT schema_version FROM migrated.audit_head")
        try ground.query("UPDATE migrated.audit_head SET schema_version = 999")
        try ground.write("002_two.sql", "INSERT INTO counter VALUES ('two');\n")
        let outcome = try daemon.outcome()
        let words = "the history in schema \"migrated\" has version 999, this program knows \(known)"
        #expect(outcome.status == 78 && outcome.errors.contains(words), "\(outcome)")
        for verb in ["apply", "run", "retry"] {
            let refused = try ground.run(verb)
            #expect(refused.status == 78 && refused.errors.contains(words), "\(refused)")
            #expect(
                refused.errors.contains("HINT: A newer migrated has been here: install that version or a later one."),
                "\(refused)")
        }
        #expect(try ground.query("SELECT file FROM counter") == "one")
        try ground.query("UPDATE migrated.audit_head SET schema_version = \(known)")
        #expect(try ground.run("apply").status == 0)
        #expect(try ground.query("SELECT file FROM counter") == "one\ntwo")
        #expect(try ground.events("event = 'interrupted'") == [])
        #expect(try ground.faults() == "")
    }
}

extension String {
    /// How often `words` stand in it.
    fileprivate func components(_ words: String) -> Int {
        split(separator: words, omittingEmptySubsequences: false).count - 1
    }
}
