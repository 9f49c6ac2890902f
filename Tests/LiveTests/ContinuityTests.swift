import Audit
import Digest
import Glibc
import LiveSupport
import Testing

/// What the state directory knows of the history, and what becomes of a history that has gone back in time.
@Suite struct `A history beside its anchors` {
    private func identity(_ bench: Workbench) throws -> String {
        try bench.query(
            "SELECT system_identifier || '-' || (SELECT oid FROM pg_database WHERE datname = current_database()) FROM pg_control_system()"
        )
    }

    private func anchors(_ bench: Workbench, _ name: String = "anchors") throws -> [String] {
        try bench.folder.read("state/\(identity(bench))/\(name)").split(separator: "\n").map(String.init)
            .filter { !$0.hasPrefix("intended ") }
    }

    private func heads(_ bench: Workbench, _ condition: String = "true") throws -> [String] {
        try bench.query(
            "SELECT seq || ' ' || encode(hash, 'hex') FROM migrated.migration_rollback_audit WHERE \(condition) ORDER BY seq"
        ).split(separator: "\n").map(String.init)
    }

    private func verify(_ bench: Workbench, _ more: String...) throws -> Program.Outcome {
        try Program.run(
            Program.built("auditctl"),
            ["verify", "--database", bench.database.conninfo, "--state-directory", bench.folder.path("state")] + more)
    }

    @Test func `has one for each event, with the timeline, from its first commit on`() throws {
        let bench = try Workbench()
        for number in 1...3 { try bench.write("\(number)_a.sql", "SELECT \(number);") }
        #expect(try bench.run("apply").status == 0)
        #expect(try anchors(bench) == heads(bench).map { $0 + " timeline=1" })
        #expect(try verify(bench).status == 0)
        var other = bench
        other.schema = "Other"
        let known = try bench.run("acknowledge", "--schema", "Other", "--history", "migrated", "--reason", "both")
        #expect(known.status == 0, "\(known)")
        #expect(try bench.run("apply", "--schema", "Other").status == 0)
        #expect(try !anchors(bench, "anchors-%4fther").isEmpty)
        #expect(try bench.run("apply").status == 0)
    }

    @Test func `has signed ones where there is a key`() throws {
        let bench = try Workbench()
        let key = bench.folder.path("key")
        #expect(try Program.run(Program.built("migrated"), ["keygen", "--out", key]).status == 0)
        try bench.folder.write("migrated.toml", "signing-key = \"key\"\n")
        try bench.write("1_a.sql", "SELECT 1;")
        try bench.write("2_b.sql", "SELECT 2;")
        #expect(try bench.run("apply").status == 0)
        let kept = try anchors(bench).compactMap { Anchor(line: $0) }
        let publicKey = try #require(PublicKey(pem: Array(try bench.folder.read("key.pub").utf8)))
        let database = try identity(bench)
        // One signature for each commit: the first begin, an end with the next begin, the last end.
        #expect(kept.map { $0.signature != nil } == [true, false, true, true])
        for anchor in kept {
            guard let signature = anchor.signature else { continue }
            #expect(signature.holds(for: anchor.head, database: database, by: publicKey))
        }
        #expect(chmod(key, 0o644) == 0)
        let exposed = try bench.run("apply")
        #expect(exposed.status == 77 && exposed.errors.contains("can be read or written by others"), "\(exposed)")
        #expect(chmod(key, 0o600) == 0)
        try bench.folder.write("key", "nonsense\n", mode: 0o600)
        let nonsense = try bench.run("apply")
        #expect(nonsense.status == 78 && nonsense.errors.contains("holds no private key"), "\(nonsense)")
        try bench.folder.write("migrated.toml", "signing-key = \"nowhere\"\n")
        #expect(try bench.run("apply").status == 78)
        // The credential of a unit.
        try bench.folder.write("migrated.toml", "")
        try bench.folder.write("migrated-signing-key", "nonsense\n", mode: 0o600)
        let credential = try bench.run("apply", environment: ["CREDENTIALS_DIRECTORY": bench.folder.path])
        #expect(credential.status == 78, "\(credential)")
    }

    @Test(arguments: ["before-anchor:2", "after-commit:1"])
    func `gets those that a crash left out with the next start, flagged late`(place: String) throws {
        let bench = try Workbench()
        try bench.write("1_a.sql", "SELECT 1;")
        #expect(try bench.run("apply", environment: ["MIGRATED_FAILPOINT": place]).status == 128 + SIGKILL)
        let lost = try heads(bench).last ?? ""
        #expect(try !anchors(bench).contains { $0.hasPrefix(lost) })
        let next = try bench.run("apply")
        #expect(next.status == 0 && next.errors.contains("late anchor]"), "\(next)")
        #expect(try anchors(bench).contains(lost + " timeline=1 late"))
        #expect(
            try anchors(bench).map { $0.split(separator: " ")[1] } == heads(bench).map { $0.split(separator: " ")[1] })
        #expect(try !bench.run("apply").errors.contains("late"))
    }

    @Test func `is not continued when events behind its newest anchor were changed`() throws {
        let bench = try Workbench()
        try bench.write("1_a.sql", "SELECT 1;")
        #expect(try bench.run("apply", environment: ["MIGRATED_FAILPOINT": "before-anchor:2"]).status == 128 + SIGKILL)
        try bench.query(
            """
            ALTER TABLE migrated.migration_rollback_audit DISABLE TRIGGER USER;
            UPDATE migrated.migration_rollback_audit SET message = 'x' WHERE event = 'applied';
            ALTER TABLE migrated.migration_rollback_audit ENABLE ALWAYS TRIGGER migration_rollback_audit_append_only
            """)
        let refused = try bench.run("apply")
        #expect(refused.status == 78 && refused.errors.contains("is not as it was written"), "\(refused)")
    }

    /// Of another superuser, without the host: a copy of the database, rewritten with all hashes made to fit, in the place of the first.
    @Test(arguments: [true, false])
    func `is held against the anchors of the database that had its name`(isForged: Bool) throws {
        let bench = try Workbench()
        try bench.write("1_a.sql", "SELECT 1;")
        #expect(try bench.run("apply").status == 0)
        let name = bench.database.name
        if isForged {
            try bench.query(
                """
                ALTER TABLE migrated.migration_rollback_audit DISABLE TRIGGER USER;
                UPDATE migrated.migration_rollback_audit SET initiated_by = 'nobody' WHERE seq = 2;
                UPDATE migrated.migration_rollback_audit AS a SET hash = migrated.event_hash(a) WHERE seq = 2;
                UPDATE migrated.audit_head SET hash = (SELECT hash FROM migrated.migration_rollback_audit WHERE seq = 2);
                ALTER TABLE migrated.migration_rollback_audit ENABLE ALWAYS TRIGGER migration_rollback_audit_append_only
                """)
        }
        let swapped = try bench.database.cluster.psql(
            "postgres",
            """
            CREATE DATABASE "\(name)_copy" TEMPLATE "\(name)"; ALTER DATABASE "\(name)" RENAME TO "\(name)_old";
            ALTER DATABASE "\(name)_copy" RENAME TO "\(name)"
            """)
        #expect(swapped.status == 0, "\(swapped)")
        try bench.write("2_b.sql", "SELECT 2;")
        let next = try bench.run("apply")
        guard isForged else {
            #expect(next.status == 0, "\(next)")
            #expect(try verify(bench).status == 0)
            return
        }
        #expect(
            next.status == 78 && next.errors.contains("event 2 of the history is not the one that was anchored"),
            "\(next)")
        let accepted = try bench.run("acknowledge", "--reason", "a copy, on purpose")
        #expect(accepted.status == 0, "\(accepted)")
        #expect(try bench.run("apply").status == 0)
    }

    /// What is kept here becomes that of a database of another server, as where one was set up anew from a dump or by pg_upgrade.
    private func moveServer(_ bench: Workbench) throws -> String {
        let now = try identity(bench)
        let before = "7000000000000000001-" + now.split(separator: "-")[1]
        let moved = try Program.run(
            "/bin/mv", [bench.folder.path("state/\(now)"), bench.folder.path("state/\(before)")])
        #expect(moved.status == 0, "\(moved)")
        return before
    }

    /// Writes the history anew with all hashes made to fit, from event 2 on, or from a genesis of its own on.
    private func forge(_ bench: Workbench, genesis: Bool = false) throws {
        try bench.query(
            """
            ALTER TABLE migrated.migration_rollback_audit DISABLE TRIGGER USER;
            \(genesis ? "UPDATE migrated.audit_head SET genesis = sha256('another'); UPDATE migrated.migration_rollback_audit SET prev_hash = sha256('another') WHERE seq = 1;" : "")
            UPDATE migrated.migration_rollback_audit SET initiated_by = 'nobody' WHERE seq = 2;
            DO $$
            BEGIN
                FOR n IN 1..(SELECT max(seq) FROM migrated.migration_rollback_audit) LOOP
                    UPDATE migrated.migration_rollback_audit AS a SET prev_hash = b.hash
                      FROM migrated.migration_rollback_audit AS b WHERE a.seq = n AND b.seq = n - 1;
                    UPDATE migrated.migration_rollback_audit AS a SET hash = migrated.event_hash(a) WHERE seq = n;
                END LOOP;
            END $$;
            UPDATE migrated.audit_head AS h SET hash = a.hash FROM migrated.migration_rollback_audit AS a WHERE a.seq = h.seq;
            ALTER TABLE migrated.migration_rollback_audit ENABLE ALWAYS TRIGGER migration_rollback_audit_append_only
            """)
    }

    private static let isNew = "the history is new to this host"

    @Test func `goes on on another server, and what was signed before counts`() throws {
        let bench = try Workbench()
        let key = bench.folder.path("key")
        #expect(try Program.run(Program.built("migrated"), ["keygen", "--out", key]).status == 0)
        try bench.folder.write("migrated.toml", "signing-key = \"key\"\n")
        try bench.write("1_a.sql", "SELECT 1;")
        #expect(try bench.run("apply").status == 0)
        let before = try moveServer(bench)
        try bench.write("2_b.sql", "SELECT 2;")
        let next = try bench.run("apply")
        #expect(next.status == 0 && !next.errors.contains(Self.isNew), "\(next)")
        #expect(try bench.folder.read("state/\(identity(bench))/identity").contains("\nafter \(before) 2\n"))
        #expect(try anchors(bench).compactMap { Anchor(line: $0)?.head.seq } == [3, 4])
        let found = try verify(bench, "-o", "json")
        #expect(found.output.contains("\"state_directory\":4"), "\(found)")
        // Signed over the name that the database had then.
        let old = try bench.folder.read("state/\(before)/anchors")
        let resigned = old.replacing("signature=", with: "x=")
        try bench.folder.write("state/\(before)/anchors", resigned)
        let unsigned = try verify(bench, "--public-key", key + ".pub", "-o", "json")
        #expect(unsigned.output.contains("\"signed\":2"), "\(unsigned)")
        // And what was anchored there is held against the history.
        try bench.folder.write(
            "state/\(before)/anchors", old.replacing(/2 [0-9a-f]{64}/, with: "2 " + String(repeating: "0", count: 64)))
        let forked = try verify(bench)
        #expect(forked.status == 1, "\(forked)")
        // And what cannot be read is told.
        try bench.folder.remove("state/\(before)/anchors")
        try bench.folder.write("state/\(before)/anchors/x", "")
        let unread = try verify(bench)
        #expect(
            unread.status == 0 && unread.output.contains("warning: the anchors of the database before were not seen: "),
            "\(unread)")
        try bench.folder.remove("state/\(before)/anchors/x")
        #expect(rmdir(bench.folder.path("state/\(before)/anchors")) == 0)
        // Twice moved.
        try bench.folder.write("state/\(before)/anchors", old)
        let later = try Program.run(
            "/bin/mv",
            [bench.folder.path("state/\(identity(bench))"), bench.folder.path("state/7000000000000000002-1")])
        #expect(later.status == 0)
        try bench.write("3_c.sql", "SELECT 3;")
        #expect(try bench.run("apply").status == 0)
        let twice = try verify(bench, "-o", "json")
        #expect(twice.status == 0 && twice.output.contains("\"state_directory\":6"), "\(twice)")
    }

    @Test(arguments: [false, true])
    func `is held against what is kept of another server, where it stands in its place`(hasGenesis: Bool) throws {
        let bench = try Workbench()
        try bench.write("1_a.sql", "SELECT 1;")
        #expect(try bench.run("apply").status == 0)
        let before = try moveServer(bench)
        try forge(bench, genesis: hasGenesis)
        let refused = try bench.run("apply")
        #expect(
            refused.status == 78 && refused.errors.contains("event 2 of the history is not the one that was anchored"),
            "\(refused)")
        let accepted = try bench.run("acknowledge", "--reason", "set up anew")
        #expect(accepted.status == 0, "\(accepted)")
        try bench.write("2_b.sql", "SELECT 2;")
        let next = try bench.run("apply")
        #expect(next.status == 0, "\(next)")
        let origin = try bench.folder.read("state/\(identity(bench))/identity")
        #expect(origin.contains("\nafter \(before) \(hasGenesis ? 0 : 1)\n"), "\(origin)")
        let found = try verify(bench)
        #expect(found.status == 0, "\(found)")
    }

    /// A backup of before the move, restored behind it: what was anchored on the server before is given up with the rest.
    @Test func `goes on behind a loss that reaches back to the server before`() throws {
        let bench = try Workbench()
        try bench.write("1_a.sql", "SELECT 1;")
        #expect(try bench.run("apply").status == 0)
        try bench.write("2_b.sql", "SELECT 2;")
        #expect(try bench.run("apply").status == 0)
        let before = try moveServer(bench)
        #expect(try bench.folder.read("state/\(before)/identity").hasPrefix("genesis "))
        try bench.write("3_c.sql", "SELECT 3;")
        #expect(try bench.run("apply").status == 0)
        try bench.query(
            """
            ALTER TABLE migrated.migration_rollback_audit DISABLE TRIGGER USER;
            DELETE FROM migrated.migration_rollback_audit WHERE seq > 2;
            UPDATE migrated.audit_head SET (seq, hash) = (SELECT seq, hash FROM migrated.migration_rollback_audit WHERE seq = 2);
            ALTER TABLE migrated.migration_rollback_audit ENABLE ALWAYS TRIGGER migration_rollback_audit_append_only
            """)
        #expect(try bench.run("apply").status == 78)
        let accepted = try bench.run("acknowledge", "--reason", "restored")
        #expect(accepted.status == 0, "\(accepted)")
        #expect(
            try bench.query(
                "SELECT detail::jsonb ->> 'lost_from', detail::jsonb ->> 'lost_to' FROM migrated.migration_rollback_audit WHERE event = 'acknowledged'"
            ) == "3|6")
        #expect(try bench.folder.read("state/\(identity(bench))/identity").contains("\nafter \(before) 2\n"))
        #expect(try bench.run("apply").status == 0)
        let found = try verify(bench)
        #expect(found.status == 0, "\(found)")
    }

    /// Of the same name, at another address, with a history of its own: of that nobody here knows anything, and it is not signed.
    @Test func `is new where it is reached in another way and has another genesis`() throws {
        let bench = try Workbench()
        try bench.write("1_a.sql", "SELECT 1;")
        #expect(try bench.run("apply").status == 0)
        let before = try moveServer(bench)
        let origin = try bench.folder.read("state/\(before)/identity")
        try bench.folder.write("state/\(before)/identity", origin.replacing(/address [0-9a-f]+/, with: "address 61"))
        try forge(bench, genesis: true)
        let key = bench.folder.path("key")
        #expect(try Program.run(Program.built("migrated"), ["keygen", "--out", key]).status == 0)
        try bench.folder.write("migrated.toml", "signing-key = \"key\"\n")
        let next = try bench.run("apply")
        #expect(
            next.status == 0 && next.errors.contains("\(Self.isNew): nothing here vouches for its 2 events"), "\(next)")
        #expect(try anchors(bench) == heads(bench).suffix(1).map { $0 + " timeline=1 foreign" })
        #expect(try !bench.run("apply").errors.contains(Self.isNew))
        let found = try verify(bench, "--public-key", key + ".pub")
        #expect(found.status == 2 && found.errors.contains("no anchor is signed"), "\(found)")
    }

    /// A copy beside the first, for tests say, of an earlier state, or one that somebody has changed.
    @Test(arguments: [false, true])
    func `may be copied to another name, as it was some time ago`(isForged: Bool) throws {
        let bench = try Workbench()
        try bench.write("1_a.sql", "SELECT 1;")
        #expect(try bench.run("apply").status == 0)
        let name = bench.database.name + "_copy"
        let made = try bench.database.cluster.psql(
            "postgres", "CREATE DATABASE \"\(name)\" TEMPLATE \"\(bench.database.name)\"")
        #expect(made.status == 0, "\(made)")
        try bench.write("2_b.sql", "SELECT 2;")
        #expect(try bench.run("apply").status == 0)
        let copy = Workbench(Database(cluster: bench.database.cluster, name: name), bench.folder)
        if isForged { try forge(copy) }
        let next = try copy.run("apply")
        #expect(next.status == (isForged ? 78 : 0), "\(next)")
        guard !isForged else { return }
        #expect(try verify(copy).status == 0)
        #expect(try verify(bench).status == 0)
    }

    /// A server and a copy of an earlier state of it: three events more are on the first.
    private func restored() throws -> (bench: Workbench, copy: Workbench) {
        var options = Cluster.Options()
        options.isReplicable = true
        let cluster = try Cluster(options)
        let bench = try Workbench(cluster)
        try bench.write("1_a.sql", "CREATE TABLE a ();")
        #expect(try bench.run("apply").status == 0)
        let backup = try Cluster(copying: cluster, asStandby: false, options)
        try bench.write("2_b.sql", "CREATE TABLE b ();")
        #expect(try bench.run("apply").status == 0)
        return (bench, Workbench(Database(cluster: backup, name: bench.database.name), bench.folder))
    }

    @Test func `is not continued from a restored backup until somebody answers for it`() throws {
        let (bench, copy) = try restored()
        let before = try heads(copy)
        let lost = try heads(bench)
        let refused = try copy.run("apply")
        #expect(refused.status == 78, "\(refused)")
        #expect(
            refused.errors.hasPrefix(
                "migrated: the history ends at event 2, and the anchor outside of the database is of event 4\nHINT: "),
            "\(refused)")
        let daemon = try copy.start("run")
        #expect(try daemon.outcome().status == 78)
        for verb in [["rollback", "--last", "1"], ["retry"], ["resolve", "2", "--applied", "--reason", "x"]] {
            let other = try Program.run(Program.built("migrated"), copy.arguments(verb[0], Array(verb.dropFirst())))
            #expect(other.status == 78, "\(verb): \(other)")
        }
        #expect(try heads(copy) == before)
        let found = try verify(copy)
        #expect(found.status == 1 && found.output.hasPrefix("truncated: "), "\(found)")

        #expect(try copy.run("acknowledge", "--reason", " ").status == 64)
        let accepted = try copy.run("acknowledge", "--reason", "the disk of db1 is gone")
        #expect(accepted.status == 0, "\(accepted)")
        #expect(
            try copy.query(
                """
                SELECT seq, reason, message, detail::jsonb ->> 'lost_from', detail::jsonb ->> 'lost_to', detail::jsonb ->> 'anchor_hash',
                       detail::jsonb ->> 'head_hash' FROM migrated.migration_rollback_audit WHERE event = 'acknowledged'
                """) == "3|truncated|the disk of db1 is gone|3|4|\(lost[3].dropFirst(2))|\(before[1].dropFirst(2))")
        #expect(try copy.run("acknowledge", "--reason", "again").status == 1)
        #expect(try copy.run("apply").status == 0)
        #expect(try copy.events().suffix(3) == ["acknowledged truncated", "started 2_b", "applied 2_b"])
        let epoch = try anchors(copy)
        #expect(epoch[0] == "epoch 2 event=3 lost=\(lost[3].split(separator: " ").joined(separator: ":"))")
        #expect(epoch.dropFirst().map { Anchor(line: $0)?.head.seq } == [1, 2, 3, 4, 5])
        #expect(try anchors(copy, "anchors.epoch1").count == 4)
        let whole = try verify(copy)
        #expect(whole.status == 0, "\(whole)")
    }

    @Test func `is not continued where another one has its place`() throws {
        let (bench, copy) = try restored()
        // Somebody else went on with the copy, and further than the first.
        try copy.write("3_c.sql", "SELECT 3;")
        #expect(try copy.run("apply", "--state-directory", bench.folder.path("elsewhere")).status == 0)
        let refused = try copy.run("apply")
        #expect(refused.status == 78 && refused.errors.contains("event 4 of the history is not the one"), "\(refused)")
        let found = try verify(copy)
        #expect(found.status == 1, "\(found)")
        #expect(try copy.run("acknowledge", "--reason", "db2 is the right one").status == 0)
        #expect(
            try copy.query("SELECT reason FROM migrated.migration_rollback_audit WHERE event = 'acknowledged'")
                == "fork")
        #expect(try copy.run("apply").status == 0)
        #expect(try verify(copy).status == 0)
    }

    @Test func `is missed when it is gone as a whole, and not on a machine that never saw it`() throws {
        let bench = try Workbench()
        try bench.write("1_a.sql", "SELECT 1;")
        #expect(try bench.run("apply").status == 0)
        #expect(try bench.run("apply", "--state-directory", bench.folder.path("new")).status == 0)
        try bench.query("DROP SCHEMA migrated CASCADE")
        let refused = try bench.run("apply")
        #expect(refused.status == 78 && refused.errors.contains("the history is gone"), "\(refused)")
        #expect(try bench.query("SELECT to_regnamespace('migrated') IS NULL") == "t")
        #expect(try bench.run("acknowledge", "--reason", "the test database was made anew").status == 0)
        #expect(try bench.run("apply").status == 0)
        #expect(try verify(bench).status == 0)
    }
}

extension Workbench {
    /// The same directory over another server's database.
    init(_ database: Database, _ folder: TemporaryDirectory) {
        self.database = database
        self.folder = folder
    }

}
