import LiveSupport
import Testing

@Suite struct `A directory of SQL files that the layout does not know` {
    @Test(arguments: ["check", "plan", "apply", "wait"])
    func `is an error, for an empty set would let an application start on no schema`(verb: String) throws {
        let bench = try Workbench()
        try bench.write("users.sql", "CREATE TABLE users ();")
        try bench.write("posts.sql", "CREATE TABLE posts ();")
        let outcome = try bench.run(verb)
        #expect(outcome.status == 65, "\(outcome)")
        // What a check finds is its result.
        let told = verb == "check" ? outcome.output : outcome.errors
        #expect(told.contains("no SQL file in '\(bench.directory)' is a migration"), "\(outcome)")
        #expect(told.contains("HINT: "), "\(outcome)")
    }

    @Test func `does not end the daemon, which goes on once one arrives that is a migration`() throws {
        let bench = try Workbench()
        try bench.write("seed.sql", "SELECT 1;")
        let daemon = try bench.start("run")
        try eventually("complaint") { daemon.errorsSoFar.contains("is a migration") }
        try bench.folder.renameIn("m/1_a.sql", "SELECT 1;")
        try bench.waitFor("event = 'applied'", daemon)
        #expect(try bench.events("event = 'skipped'") == ["skipped seed.sql unknown_file"])
        try bench.stop(daemon)
    }

    @Test func `is empty where it holds none at all`() throws {
        let bench = try Workbench()
        try bench.write("README.md", "Nothing yet.")
        #expect(try bench.run("check").status == 0)
    }
}
