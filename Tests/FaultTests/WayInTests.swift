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

        init() throws {
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
            ]
            options.hostBasedAuthentication = ["local all all trust", "hostssl all all 127.0.0.0/8 scram-sha-256"]
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
            (try server.conninfo("sslrootcert=\(server.folder.path("nowhere.crt"))"), "does not exist"),
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
