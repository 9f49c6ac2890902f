import Glibc
import LiveSupport
import Testing

/// One thing that must not be run, and what is said of it.
struct BadInput: CustomTestStringConvertible {
    var testDescription: String
    /// Puts it into the directory, beside a good file that would come first.
    var put: @Sendable (Workbench) throws -> Void
    /// The path of what it put, below the directory.
    var name: String
    var status: Int32
    /// What the message says.
    var words: String

    init(
        _ what: String, _ name: String = "002_bad.sql", status: Int32 = 65, words: String,
        put: @escaping @Sendable (Workbench) throws -> Void
    ) {
        testDescription = what
        self.put = put
        self.name = name
        self.status = status
        self.words = words
    }

    /// A file of that text.
    init(_ what: String, text: String, status: Int32 = 65, words: String) {
        self.init(what, status: status, words: words) { try $0.write("002_bad.sql", text) }
    }

    /// What stands there under its name, whatever it is.
    func remove(_ bench: Workbench) { unlink(bench.directory + "/" + name) }

    static let all: [BadInput] = [
        BadInput("an empty file", text: "", words: "002_bad.sql:1:1: the file is empty"),
        BadInput("white space alone", text: " \n\t\r\n", words: "002_bad.sql:1:1: the file is empty"),
        BadInput("a NUL", words: "002_bad.sql:2:8: ") {
            try $0.write("002_bad.sql", bytes: Array("SELECT 1;\nSELECT \0;\n".utf8))
        },
        BadInput("invalid UTF-8", words: "002_bad.sql:2:8: the file is not UTF-8") {
            try $0.write("002_bad.sql", bytes: Array("SELECT 1;\n-- gr\u{fc}n \n".utf8.dropLast(2)) + [0xFC, 0x0A])
        },
        BadInput("UTF-16", words: "002_bad.sql:1:1: ") {
            try $0.write("002_bad.sql", bytes: [0xFF, 0xFE] + "SELECT 1;".utf8.flatMap { [$0, 0] })
        },
        BadInput("200 MB", words: "002_bad.sql' is larger than 67108864 bytes") {
            guard truncate(try $0.folder.write("large", "SELECT 1;"), 200 << 20) == 0 else {
                throw LiveFailure("truncate")
            }
            try $0.folder.move("large", to: "m/002_bad.sql")
        },
        BadInput("a named pipe", words: "002_bad.sql': it is a named pipe") {
            guard mkfifo($0.directory + "/002_bad.sql", 0o644) == 0 else { throw LiveFailure("mkfifo") }
        },
        BadInput("a link to a device", words: "002_bad.sql': it is a symbolic link that leads out of the directory") {
            try $0.folder.link("m/002_bad.sql", to: "/dev/zero")
        },
        BadInput("a loop of links", words: "002_bad.sql': it is a loop of symbolic links") {
            try $0.folder.link("m/002_bad.sql", to: "002_bad.sql")
        },
        BadInput("a link to nothing", words: "002_bad.sql': it is a symbolic link to nothing") {
            try $0.folder.link("m/002_bad.sql", to: "nothing.sql")
        },
        BadInput(
            "a link out of the directory", words: "002_bad.sql': it is a symbolic link that leads out of the directory"
        ) {
            try $0.folder.write("outside.sql", "SELECT 1;")
            try $0.folder.link("m/002_bad.sql", to: "../outside.sql")
        },
        BadInput("a second file of one version", "001_other.sql", words: "001_") {
            try $0.write("001_other.sql", "SELECT 1;")
        },
        BadInput(
            "a file that everybody may write", status: 77, words: "002_bad.sql' can be written by everybody (mode 0666)"
        ) {
            try $0.folder.write("m/002_bad.sql", "SELECT 1;", mode: 0o666)
        },
        BadInput("a name with a line end and an escape", "002_\u{1b}[2J\nx.sql", words: "002_\\u{1b}[2J\\nx") {
            try $0.write("002_\u{1b}[2J\nx.sql", "")
        },
        BadInput(
            "a name with quotes", "002_'; DROP TABLE good; --\".sql",
            words: "002_'; DROP TABLE good; --\".sql' holds ';'"
        ) {
            try $0.write("002_'; DROP TABLE good; --\".sql", "")
        },
        BadInput(
            "a name of 255 bytes", "002_" + String(repeating: "x", count: 247) + ".sql",
            words: "is longer than 200 bytes"
        ) {
            try $0.write("002_" + String(repeating: "x", count: 247) + ".sql", "")
        },
        BadInput(
            "a psql command", text: "SELECT 1;\n\\connect other\n", words: "002_bad.sql:2:1: psql command '\\connect'"),
        BadInput(
            "rows behind COPY without an end", text: "CREATE TABLE t (a int);\nCOPY t FROM stdin;\n1\n",
            words: "002_bad.sql:2:1: COPY"),
        BadInput(
            "an unknown directive", text: "-- migrated: on-failur=continue\nSELECT 1;",
            words: "002_bad.sql:1:14: unknown directive 'on-failur'"),
        BadInput(
            "a bad value of a directive", text: "-- migrated: deadline=soon\nSELECT 1;",
            words: "002_bad.sql:1:23: 'soon' is no value for 'deadline'"),
        BadInput("ROLLBACK", text: "SELECT 1;\nROLLBACK;\n", words: "002_bad.sql:2:1: "),
        BadInput(
            "COMMIT AND CHAIN without BEGIN", text: "SELECT 1;\nCOMMIT AND CHAIN;\nSELECT 2;\n",
            words: "002_bad.sql:2:1: COMMIT AND CHAIN without BEGIN"),
        BadInput(
            "ROLLBACK of half a file", text: "BEGIN;\nSELECT 1;\nROLLBACK;\nSELECT 2;\n", words: "002_bad.sql:3:1: "),
        BadInput(
            "a savepoint without a transaction", text: "-- migrated: transaction=none\nSELECT 1;\nSAVEPOINT a;\n",
            words: "002_bad.sql:3:1: a savepoint outside of a transaction"),
        BadInput("PREPARE TRANSACTION", text: "SELECT 1;\nPREPARE TRANSACTION 'x';\n", words: "002_bad.sql:2:1: "),
        BadInput(
            "a statement that is no SQL beside transaction control", text: "SELEC 1;\nCOMMIT;\n",
            words: "002_bad.sql:1:1: "),
        BadInput("a quote without an end", text: "SELECT 1;\nSELECT 'x;\n", words: "002_bad.sql:2:8: "),
    ]

    /// What only the server can refuse: it has started and failed.
    static let refused: [BadInput] = [
        BadInput(
            "SQL that is none", text: "SELECT 1;\nSELEC 2;\n", status: 1,
            words: "002_bad.sql:2:1: syntax error at or near \"SELEC\""),
        BadInput(
            "COMMIT in a block of code, out of sight",
            text:
                "CREATE PROCEDURE p() LANGUAGE plpgsql AS 'BEGIN COMMIT; END';\nDO $$ BEGIN EXECUTE 'CALL p()'; END $$;",
            status: 1, words: "002_bad.sql:2:1: invalid transaction termination"),
        BadInput(
            "the end of the history", text: "DROP SCHEMA migrated CASCADE;", status: 1,
            words: "schema \"migrated\" does not exist"),
        BadInput(
            "a forged event", text: "DELETE FROM migrated.migration_rollback_audit;", status: 1,
            words: "the history is append-only"),
    ]
}

@Suite struct `Bad input` {
    static let good = "CREATE TABLE good ();"

    @Test(arguments: BadInput.all)
    func `ends a command with one clear message, and nothing is applied`(input: BadInput) throws {
        let bench = try Workbench()
        try bench.write("001_good.sql", Self.good)
        try input.put(bench)
        let outcome = try bench.run("apply")
        #expect(outcome.status == input.status, "\(outcome)")
        #expect(outcome.errors.contains(input.words), "\(outcome)")
        #expect(!outcome.errorBytes.contains(0x1B) && !outcome.outputBytes.contains(0x1B), "\(outcome)")
        #expect(try bench.query("SELECT to_regclass('good')") == "", "nothing runs before everything could be read")
        let check = try bench.run("check")
        // The check puts a code between the place and the sentence.
        let said = check.output + check.errors
        #expect(check.status == input.status, "\(check)")
        #expect(input.words.split(separator: ": ").allSatisfy { said.contains($0) }, "\(check)")
        input.remove(bench)
        let second = try bench.run("apply")
        #expect(second.status == 0, "\(second)")
        #expect(try bench.query("SELECT to_regclass('good')") == "good")
        #expect(try bench.faults() == "")
    }

    @Test(arguments: BadInput.refused)
    func `that only the server can tell is rolled back and recorded`(input: BadInput) throws {
        let bench = try Workbench()
        try bench.write("001_good.sql", Self.good)
        try input.put(bench)
        let outcome = try bench.run("apply")
        #expect(outcome.status == input.status, "\(outcome)")
        #expect(outcome.errors.contains(input.words), "\(outcome)")
        let events = try bench.events()
        #expect(events.prefix(3) == ["started 001_good", "applied 001_good", "started 002_bad"] && events.count == 4)
        #expect(events.last?.hasPrefix("failed 002_bad") == true)
        #expect(try bench.faults() == "")
    }

    @Test func `does not end the daemon, which goes on as soon as it is gone`() throws {
        let bench = try Workbench()
        // What comes later sorts before what was applied meanwhile.
        let daemon = try bench.start("run", "--late", "apply")
        for (index, input) in BadInput.all.enumerated() where !input.name.hasPrefix("001") {
            try input.put(bench)
            try eventually(input.testDescription, within: .seconds(60)) {
                guard daemon.isRunning else { throw LiveFailure("\(input.testDescription): \(try daemon.outcome())") }
                return daemon.errorsSoFar.contains(input.words)
            }
            input.remove(bench)
            let name = "\(100 + index)_good"
            try bench.write(name + ".sql", "SELECT \(index);")
            try bench.waitFor("event = 'applied' AND name = '\(name)'", daemon)
        }
        try bench.stop(daemon)
        #expect(try bench.faults() == "")
    }

    @Test func `is not what merely looks unusual`() throws {
        let bench = try Workbench()
        try bench.write("001_comment.sql", "-- nothing to do here\n/* nor /* here */ */\n")
        try bench.write("002_bom.sql", "\u{feff}CREATE TABLE bom ();\n")
        try bench.write(
            "003_crlf.sql", "-- migrated: deadline=1min\r\nCREATE TABLE crlf (a text DEFAULT 'x\r\ny');\r\n")
        try bench.write("004_no_end.sql", "CREATE TABLE no_end ()")
        try bench.write(
            "005_deep.sql",
            "CREATE TABLE deep AS SELECT " + Array(repeating: "1", count: 4000).joined(separator: "+") + " AS n;")
        let outcome = try bench.run("apply")
        #expect(outcome.status == 0, "\(outcome)")
        #expect(
            try bench.query("SELECT count(*) FROM migrated.migration_rollback_audit WHERE event = 'applied'") == "5")
        #expect(try bench.query("SELECT n FROM deep") == "4000")
        #expect(try bench.faults() == "")
    }

    @Test func `of a hundred thousand terms is the server's to judge`() throws {
        let bench = try Workbench()
        try bench.write("001_deep.sql", "SELECT " + Array(repeating: "1", count: 100_000).joined(separator: "+") + ";")
        let outcome = try bench.run("apply")
        // max_stack_depth decides; it must be an answer, not a crash.
        #expect(
            outcome.status == 0 || (outcome.status == 1 && outcome.errors.contains("stack depth limit exceeded")),
            "\(outcome)")
        #expect(outcome.errorBytes.count < 5000, "\(outcome)")
        #expect(try bench.faults() == "")
    }

    @Test func `in bytes of a name that are no text is reported and holds up the line`() throws {
        let bench = try Workbench()
        try bench.write("001_good.sql", Self.good)
        let name = Array((bench.directory + "/002_").utf8) + [0xFF, 0xFE] + Array(".sql".utf8) + [0]
        let descriptor = name.withUnsafeBytes { raw -> Int32 in
            guard let start = raw.bindMemory(to: CChar.self).baseAddress else { return -1 }
            return open(start, O_WRONLY | O_CREAT | O_CLOEXEC, 0o644)
        }
        close(descriptor)
        let outcome = try bench.run("apply")
        #expect(outcome.status == 65, "\(outcome)")
        #expect(outcome.errors.contains("UTF-8"), "\(outcome)")
        #expect(try bench.query("SELECT to_regclass('good')") == "")
    }

    @Test func `is a directory that others may write`() throws {
        let bench = try Workbench()
        try bench.write("001_good.sql", Self.good)
        chmod(bench.directory, 0o777)
        let outcome = try bench.run("apply")
        #expect(outcome.status == 77, "\(outcome)")
        #expect(outcome.errors.contains("can be written by everybody (mode 0777)"), "\(outcome)")
        #expect(outcome.errors.contains("HINT: "), "\(outcome)")
        #expect(try bench.run("check").status == 77)
        let daemon = try bench.run("run")
        #expect(daemon.status == 77 && daemon.errors.contains("mode 0777"), "\(daemon)")
        #expect(try bench.query("SELECT to_regclass('good')") == "")
    }

    @Test(arguments: [
        ("directory = \n", ":1:"), ("nonsense\n", ":1:"), ("settle = \"500ms\"\nsettel = \"1s\"\n", ":2:1: "),
        ("lock-timeout = \"soon\"\n", ":1:16: "), ("database = [1]\n", ":1:"), ("[section\n", ":1:"),
        ("\u{1b}[2J = 1", ":1:"),
    ])
    func `in the configuration ends every verb with 78, file, line and column`(text: String, place: String) throws {
        let bench = try Workbench()
        try bench.folder.write("migrated.toml", text)
        for verb in ["run", "apply", "plan", "check", "wait"] {
            let outcome = try bench.run(verb)
            #expect(outcome.status == 78, "\(verb): \(outcome)")
            #expect(outcome.errors.contains("migrated.toml\(place)"), "\(verb): \(outcome)")
            #expect(!outcome.errorBytes.contains(0x1B))
        }
    }

    @Test func `for a server is told apart: password, role, database, connection string`() throws {
        var options = Cluster.Options()
        options.hostBasedAuthentication = [
            "local all postgres trust", "local all \"of no system user\" peer", "local all all scram-sha-256",
        ]
        let cluster = try Cluster(options)
        let bench = try Workbench(cluster)
        try bench.query(
            "CREATE ROLE \"of no system user\" LOGIN; CREATE ROLE deployer LOGIN PASSWORD 'right'; GRANT ALL ON DATABASE \(bench.database.name) TO deployer"
        )
        let cases: [(String, [String: String], Int32, String)] = [
            (
                cluster.conninfo(bench.database.name, user: "deployer"), ["PGPASSWORD": "wr0ng-Secret"], 77,
                "password authentication failed"
            ),
            (cluster.conninfo(bench.database.name, user: "deployer"), [:], 77, "no password supplied"),
            (
                cluster.conninfo(bench.database.name, user: "'of no system user'"), [:], 77,
                "HINT: Over a socket a role is mostly the system's user of that name"
            ),
            (cluster.conninfo("missing"), [:], 78, "database \"missing\" does not exist"),
            (cluster.conninfo("missing") + " password=Secret8 sslmod=on", [:], 78, "connection string is not valid"),
            (
                "postgresql://deployer:Secret9@/x?host=\(cluster.directory)&nonsense=1", [:], 78,
                "connection string is not valid"
            ),
        ]
        for (conninfo, environment, status, words) in cases {
            for verb in ["apply", "run"] {
                let outcome = try bench.run(
                    verb, "--database", conninfo, environment: environment, within: .seconds(30))
                #expect(outcome.status == status, "\(verb) \(words): \(outcome)")
                #expect(outcome.errors.contains(words) && outcome.errors.contains("HINT: "), "\(verb): \(outcome)")
                #expect(!outcome.errors.contains("Secret"), "\(outcome)")
            }
        }
        let outcome = try bench.run(
            "apply", "--database", cluster.conninfo(bench.database.name, user: "deployer"),
            environment: ["PGPASSWORD": "right"])
        #expect(outcome.status == 0, "\(outcome)")
    }
}
