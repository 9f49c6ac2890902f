import Migrations
import Reporting
import Testing

@testable import Configuration

private func read(_ toml: String, file: String = "/etc/migrated/app.toml") throws(Complaint) -> Settings {
    try Settings(toml: Array(toml.utf8), file: file)
}

@Suite struct `Settings from a file` {
    @Test func `an empty file gives the defaults`() throws {
        #expect(try read("") == Settings())
        #expect(try read("# nothing\r\n\r\n") == Settings())
        #expect(try read("\u{FEFF}schema = \"a\"").schema == "a")
    }

    @Test func `every key reaches its own property`() throws {
        let settings = try read(
            """
            database = 'host=/run/postgresql dbname=app'
            audit.database = 'dbname=app user=keeper'
            directory = "/srv/m"
            layout = "golang-migrate"
            order = "bytes"
            schema = "history"
            state-directory = "/var/lib/x"
            settle = 0
            rescan = "2s"
            statement-timeout = "1min"
            concurrent-timeout = "5h"
            lock-timeout = "3s"
            idle-in-transaction-timeout = "4s"
            deadline = "2h"
            late = "apply"
            on-drift = "stop"
            catalog-drift = "off"
            catalog-ignore = ["public.events_p*", "cron"]
            row-values = "keep"
            existing = "skip-identical"
            version-by = "name"
            size-limit = "1K"
            retry-tries = 7
            retry-wait = "5ms"
            retry-wait-max = 6
            retry-for = "8min"
            check-permissions = false
            orphans = "clean"
            orphan-limit = "25%"
            prove-restore = "never"
            missing-table = "skip"
            index-foreign-keys = "yes"
            signing-key = "/k"
            public-key = "/p"
            foreign-keys = "stepwise"
            preflight = "full"
            require-signature = true
            allowed-signers = "/s"
            metrics-file = "m.prom"
            hooks = "/h"
            hook-timeout = "5s"
            """)
        var expected = Settings()
        expected.database = "host=/run/postgresql dbname=app"
        expected.auditDatabase = "dbname=app user=keeper"
        expected.directory = "/srv/m"
        expected.layout = .golangMigrate
        expected.order = .bytes
        expected.schema = "history"
        expected.stateDirectory = "/var/lib/x"
        expected.settle = .seconds(0)
        expected.rescan = .seconds(2)
        expected.statementTimeout = .seconds(60)
        expected.concurrentTimeout = .seconds(18000)
        expected.lockTimeout = .seconds(3)
        expected.idleTimeout = .seconds(4)
        expected.deadline = .seconds(7200)
        expected.late = .apply
        expected.onDrift = .stop
        expected.catalogDrift = .off
        expected.catalogIgnore = ["public.events_p*", "cron"]
        expected.rowValues = .keep
        expected.existing = .skipIdentical
        expected.versionBy = .name
        expected.sizeLimit = 1024
        expected.retryTries = 7
        expected.retryWait = .milliseconds(5)
        expected.retryMaximum = .seconds(6)
        expected.retryFor = .seconds(480)
        expected.checkPermissions = false
        expected.foreignKeys.orphans = .clean
        expected.foreignKeys.limit = .share(percent: 25)
        expected.foreignKeys.proof = .never
        expected.foreignKeys.missingTable = .skip
        expected.foreignKeys.indexes = true
        expected.signingKey = "/k"
        expected.publicKey = "/p"
        expected.foreignKeys.way = .stepwise
        expected.preflight = .full
        expected.requireSignature = .files
        expected.allowedSigners = "/s"
        expected.metricsFile = "/etc/migrated/m.prom"
        expected.hooks = "/h"
        expected.hookTimeout = .seconds(5)
        #expect(settings == expected)
        for key in SettingKey.all {
            #expect(key.written(settings) != key.written(Settings()), "\(key.name) not set above")
        }
    }

    @Test func `a signature is required of nothing, of files or of a manifest`() throws {
        let signers = "allowed-signers = '/s'\n"
        for (text, policy) in [("false", SignaturePolicy.none), ("true", .files), ("\"manifest\"", .manifest)] {
            let settings = try read(signers + "require-signature = \(text)\n")
            #expect(settings.requireSignature == policy)
            #expect(SettingKey.named("require-signature")?.written(settings) == text)
        }
        for text in ["\"files\"", "\"true\"", "1", "\"MANIFEST\""] {
            #expect((try? read(signers + "require-signature = \(text)\n")) == nil)
        }
        #expect((try? read("require-signature = \"manifest\"\n")) == nil)
    }

    @Test func `what a setting writes is read back as the same`() throws {
        var settings = Settings()
        settings.database = "dbname='a \"b\" \\ \u{1}\n'"
        settings.auditDatabase = "dbname=a"
        settings.directory = "/a"
        settings.stateDirectory = "/b"
        settings.signingKey = "/c"
        settings.publicKey = "/d"
        settings.allowedSigners = "/e"
        settings.metricsFile = "/e"
        settings.hooks = "/f"
        settings.sizeLimit = 1025
        settings.settle = TimeSpan(microseconds: 1_234_567)
        let toml = SettingKey.all.map { "\($0.name) = \($0.written(settings) ?? "?")\n" }.joined()
        #expect(try read(toml) == settings)
    }

    @Test(arguments: [
        "[database]\nconninfo = \"dbname=a\"", "database = { conninfo = 'dbname=a' }", "database.conninfo = 'dbname=a'",
    ])
    func `the database may be a table`(toml: String) throws { #expect(try read(toml).database == "dbname=a") }

    @Test func `who may sign is said where signatures are required`() throws {
        #expect(throws: Complaint.self) { try read("require-signature = true") }
        #expect(try read("require-signature = true\nallowed-signers = 's'").allowedSigners == "/etc/migrated/s")
    }

    @Test func `relative paths are taken from the folder of the file`() throws {
        let toml = "directory = 'sql'\nstate-directory = './s'"
        #expect(try read(toml).directory == "/etc/migrated/sql")
        #expect(try read(toml).stateDirectory == "/etc/migrated/./s")
        #expect(try read(toml, file: "conf/a.toml").directory == "conf/sql")
        #expect(try read(toml, file: "a.toml").directory == "sql")
        #expect(try read(toml, file: "/a.toml").directory == "/sql")
    }

    @Test(arguments: [("1", 1), ("\"64M\"", 64 << 20), ("\"2k\"", 2048), ("\"256M\"", 256 << 20), ("\"12\"", 12)])
    func `a size is read`(value: String, bytes: Int) throws {
        #expect(try read("size-limit = \(value)").sizeLimit == bytes)
    }

    @Test(arguments: [
        "0", "-1", "\"\"", "\"M\"", "\"1T\"", "\"257M\"", "\"9223372036854775807G\"", "\"1 M\"", "1.5", "true",
    ])
    func `what is no size is refused`(value: String) {
        #expect(throws: Complaint.self) { try read("size-limit = \(value)") }
    }

    @Test func `timeouts stay within what PostgreSQL takes`() throws {
        #expect(try read("lock-timeout = '24d'").lockTimeout.milliseconds == 2_073_600_000)
        #expect(throws: Complaint.self) { try read("lock-timeout = '24d 1s'") }
        #expect(throws: Complaint.self) { try read("lock-timeout = '999us'") }
        #expect(try read("lock-timeout = 0").lockTimeout.milliseconds == 0)
        #expect(throws: Complaint.self) { try read("rescan = 0") }
        #expect(throws: Complaint.self) { try read("rescan = '999ms'") }
    }

    @Test func `all complaints are told, in the order of the lines`() {
        let toml = "settle = 'x'\nlayuot = 'flat'\n\nrescan = 0\n[nothing]\nx = 1\n"
        let complaints = Settings.complaints(toml: Array(toml.utf8), file: "f")
        #expect(complaints.map(\.place?.line) == [1, 2, 4, 5])
        #expect(complaints.allSatisfy { $0.status == .configuration })
    }

    @Test func `names are unique and name their property's default`() {
        let names = SettingKey.all.flatMap { [$0.name] + $0.aliases }
        #expect(Set(names).count == names.count)
        for key in SettingKey.all { #expect(key.written(Settings()) != nil || key.defaultNote != nil, "\(key.name)") }
        for key in SettingKey.all { #expect(key.written(Settings()) != nil || key.sample != nil, "\(key.name)") }
    }
}

@Suite struct `Flags over settings` {
    @Test func `each flag is a key and wins`() throws {
        var flags = SettingsOverrides()
        for flag in flags.given { #expect(SettingKey.named(flag.key) != nil) }
        flags.database = "dbname=b"
        flags.auditDatabase = "dbname=b user=c"
        flags.directory = "sql"
        flags.layout = "auto"
        flags.late = "stop"
        flags.schema = "h"
        flags.stateDirectory = "/s"
        flags.settle = "0"
        flags.rescan = "5s"
        flags.statementTimeout = "1h"
        flags.lockTimeout = "1"
        flags.idleTimeout = "1s"
        flags.deadline = "0"
        #expect(flags.given.allSatisfy { $0.text != nil })
        var settings = Settings()
        settings.layout = .flat
        let applied = try flags.applied(to: settings)
        #expect(applied.database == "dbname=b" && applied.directory == "sql" && applied.layout == nil)
        #expect(applied.auditDatabase == "dbname=b user=c")
        #expect(applied.late == .stop && applied.schema == "h" && applied.stateDirectory == "/s")
        #expect(applied.settle == .seconds(0) && applied.rescan == .seconds(5) && applied.deadline == .seconds(0))
        #expect(applied.statementTimeout == .seconds(3600) && applied.lockTimeout == .seconds(1))
        #expect(applied.idleTimeout == .seconds(1))
        #expect(try SettingsOverrides().applied(to: settings) == settings)
    }

    @Test func `a bad value is a usage complaint that names the flag`() throws {
        var flags = SettingsOverrides()
        flags.layout = "prism"
        let complaint = #expect(throws: Complaint.self) { try flags.applied(to: Settings()) }
        #expect(complaint?.status == .usage)
        #expect(complaint?.message == "'--layout' cannot be 'prism'")
        #expect(complaint?.hint?.contains("'prisma'") == true)
    }
}

@Suite struct `The connection string stays secret` {
    private static let secret = "xyzzysecret"

    @Test(arguments: [
        "database = \"password=S\nsettle = 1", "database = password=S", "database = [\"S\"]", "database = S",
        "databse = 'S'",
        "database = 'S'\ndatabase = 'S'", "database = { conninfo = 1, password = 'S' }", "password = 'S'",
        "database = \"\"\"\npassword=S\n", "database = 'S' S", "database = tS", "database = \"\\qS\"",
        "database = '''\nS\n''' S", "url = postgresql://u:S@h/d", "database = 1970-S",
    ])
    func `no complaint repeats it`(toml: String) {
        let toml = toml.replacing("S", with: Self.secret)
        let complaints = Settings.complaints(toml: Array(toml.utf8), file: "f")
        #expect(!complaints.isEmpty)
        for line in complaints.flatMap(\.lines) {
            #expect(!line.contains("xyzzy"), "\(line)")
            #expect(!line.contains("'x'"), "\(line)")
        }
    }

    @Test func `a refused value of a secret key is not repeated`() {
        let key = SettingKey(
            "token", \.schema, .string("nothing", where: { _ in false }), in: .connection, secret: true,
            "A key that refuses.")
        var settings = Settings()
        #expect(!key.store(.string(Self.secret), &settings))
        let complaint = key.refusal(of: .string(Self.secret), as: "token", status: .configuration)
        #expect(complaint.message == "'token' cannot be a string")
    }

    @Test func `no description or dump repeats it`() {
        var settings = Settings()
        settings.database = Self.secret
        settings.auditDatabase = Self.secret
        var flags = SettingsOverrides()
        flags.database = Self.secret
        flags.auditDatabase = Self.secret
        var dumped = ""
        dump(settings, to: &dumped)
        dump(flags, to: &dumped)
        for text in ["\(settings)", "\(flags)", String(reflecting: settings), String(reflecting: flags), dumped] {
            #expect(text.contains("database") && !text.contains(Self.secret))
        }
    }
}
