import LiveSupport
import Testing

@Suite struct `migrated status` {
    @Test func `tells on one screen what stands, what failed and why, and who is at work on what`() throws {
        let bench = try Workbench()
        try bench.write("001_a.sql", "CREATE TABLE a ();")
        try bench.write("002_b.sql", "SELECT 1 / 0;")
        try bench.write("003_c.sql", "SELECT 1;")
        let empty = try bench.run("status")
        #expect(empty.status == 0 && empty.output.hasPrefix("database  no history yet\n"), "\(empty)")
        #expect(try bench.run("apply").status == 1)
        let failed = try bench.run("status")
        #expect(failed.status == 1)
        for line in [
            "line      applied 1, pending 1, failed 1 (002_b waits for mending)",
            "failed    002_b  (waits for a mended file)", "          division by zero", "blocked   003_c  (by '002')",
        ] { #expect(failed.output.contains("\n\(line)\n"), "\(line)\n\(failed)") }
        #expect(!failed.output.contains("001_a"))

        try bench.write("002_b.sql", "SELECT pg_sleep(600);")
        let busy = try bench.start("apply")
        try bench.waitFor("event = 'started' AND seq > 5", busy)
        try eventually("the statement that runs") {
            try bench.run("status").output.contains("\nrunning   SELECT pg_sleep(600)")
        }
        let json = try bench.run("status", "--output", "json")
        let told = try Program.run(
            "/usr/bin/jq", ["-c", "[.running[0].statement, (.history.lock_holders | length)]"], input: json.output)
        #expect(told.output == "[\"SELECT pg_sleep(600)\",1]\n", "\(json)")
        #expect(try bench.run("status").output.contains("\nlock      held by 'migrated "))
        busy.signal(15)
        try busy.wait()
    }
}
