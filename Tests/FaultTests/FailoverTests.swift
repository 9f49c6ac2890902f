import LiveSupport
import Testing

@Suite struct `A server that is not the primary` {
    private static func pair() throws -> (primary: Cluster, standby: Cluster, ground: ProvingGround) {
        var options = Cluster.Options()
        options.isReplicable = true
        let primary = try Cluster(options)
        let ground = try ProvingGround(primary)
        return (primary, try Cluster(copying: primary, asStandby: true, options), ground)
    }

    @Test func `is waited for without an attempt, and taken once it is promoted`() throws {
        let (primary, standby, ground) = try Self.pair()
        let there = standby.conninfo(ground.database.name)
        try ground.write("001_one.sql", "CREATE TABLE one ();\n")
        let command = try ground.run("apply", "--database", there)
        #expect(command.status == 69, "\(command)")
        #expect(command.errors.contains("hot standby") && command.errors.contains("HINT: "), "\(command)")
        let daemon = try ground.start("run", "--database", there)
        try eventually("word of the standby") { daemon.errorsSoFar.contains("hot standby") }
        #expect(try ground.query("SELECT to_regnamespace('migrated') IS NULL") == "t")
        try primary.stop(.fast)
        try standby.promote()
        let after = Database(cluster: standby, name: ground.database.name)
        try eventually("table") { try after.query("SELECT to_regclass('one') IS NOT NULL") == "t" }
        try eventually("event") {
            try after.query("SELECT count(*) FROM migrated.migration_rollback_audit WHERE event = 'applied'") == "1"
        }
        try ground.stop(daemon)
        let found = try after.query(
            "SELECT string_agg(event, ' ' ORDER BY seq) FROM migrated.migration_rollback_audit WHERE version IS NOT NULL"
        )
        #expect(found == "started applied")
    }

    @Test func `is passed over, and a promotion in the middle of a file leaves its effects there once`() throws {
        let (primary, standby, ground) = try Self.pair()
        try ground.query("CREATE TABLE counter (file text); CREATE TABLE go (now int)")
        try ground.write([
            "001_one.sql": "INSERT INTO counter VALUES ('one');\n",
            "002_two.sql": """
            INSERT INTO counter VALUES ('two');
            DO $$ BEGIN WHILE NOT EXISTS (SELECT FROM go) LOOP PERFORM pg_sleep(0.01); END LOOP; END $$;
            """,
        ])
        // The standby first: a session that takes no writes is not the one that is wanted.
        let daemon = try ground.start(
            "run", "--database",
            "host=\(standby.directory),\(primary.directory) target_session_attrs=read-write user=postgres dbname=\(ground.database.name)"
        )
        try ground.waitFor("event = 'started' AND version = '002'", daemon)
        let after = Database(cluster: standby, name: ground.database.name)
        try eventually("replicated begin of the attempt") {
            try after.query("SELECT count(*) FROM migrated.migration_rollback_audit WHERE event = 'started'") == "2"
        }
        try primary.stop(.immediate)
        try standby.promote()
        try after.query("INSERT INTO go VALUES (1)")
        let there = ProvingGround(after, ground.folder)
        try there.waitFor("event = 'applied' AND version = '002'", daemon)
        try there.stop(daemon)
        #expect(
            try there.events() == [
                "started 001_one", "applied 001_one", "started 002_two", "interrupted 002_two process_died",
                "started 002_two", "applied 002_two",
            ] || there.events().contains("interrupted 002_two connection_lost"))
        #expect(try there.query("SELECT file FROM counter ORDER BY 1") == "one\ntwo")
        #expect(try there.faults() == "")
        #expect(try there.verify().status == 0)
    }

    @Test func `and has not got the last events is not gone on with, until somebody answers for them`() throws {
        let (primary, standby, ground) = try Self.pair()
        try ground.write("001_one.sql", "CREATE TABLE one ();\n")
        let either =
            "host=\(standby.directory),\(primary.directory) target_session_attrs=read-write user=postgres dbname=\(ground.database.name)"
        let daemon = try ground.start("run", "--database", either)
        try ground.waitFor("event = 'applied' AND version = '001'", daemon)
        let after = Database(cluster: standby, name: ground.database.name)
        try eventually("replicated event") {
            try after.query("SELECT count(*) FROM migrated.migration_rollback_audit WHERE event = 'applied'") == "1"
        }
        // The standby is away while the second file is applied, and so never hears of it.
        try standby.stop(.fast)
        try ground.write("002_two.sql", "CREATE TABLE two ();\n")
        try ground.waitFor("event = 'applied' AND version = '002'", daemon)
        let lost = try ground.query("SELECT count(*) FROM migrated.migration_rollback_audit")
        try primary.stop(.immediate)
        try standby.start()
        try standby.promote()
        let outcome = try daemon.outcome()
        #expect(outcome.status == 78, "\(outcome)")
        #expect(
            outcome.errors.contains(
                "and the anchor outside of the database is of event \(lost); the server is on timeline 2, the anchor is of timeline 1"
            ),
            "\(outcome)")
        let there = ProvingGround(after, ground.folder)
        #expect(try there.applied() == ["001_one"])
        let accepted = try there.run("acknowledge", "--reason", "the primary is lost")
        #expect(accepted.status == 0, "\(accepted)")
        #expect(try there.run("apply").status == 0)
        #expect(try there.applied() == ["001_one", "002_two"])
        #expect(try there.verify().status == 0)
    }
}

extension ProvingGround {
    /// The same directory over another server's database.
    init(_ database: Database, _ folder: TemporaryDirectory) {
        self.database = database
        self.folder = folder
    }
}
