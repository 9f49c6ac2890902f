import LiveSupport
import Testing

/// A copy brings its files in any order and takes its time; the daemon cannot know when it has ended, only that nothing comes any more.
@Suite struct `A copy that takes its time` {
    /// Goes on changing something in the directory, more often than it would have to be quiet, until `isDone`.
    private func keepBusy(_ ground: ProvingGround, until isDone: () throws -> Bool) throws {
        var number = 0
        try eventually("end of the copy", within: .seconds(60)) {
            number += 1
            try ground.write("notes.txt", "\(number)")
            return try isDone()
        }
    }

    @Test func `is seen whole where it brings 0003 before 0002`() throws {
        let ground = try ProvingGround()
        try ground.write("0001_one.sql", "CREATE TABLE counter (file text);\n")
        let daemon = try ground.start("run", "--settle", "2s", "--rescan", "1h")
        try ground.waitFor("event = 'applied' AND version = '0001'", daemon)
        try ground.write("0003_three.sql", "INSERT INTO counter VALUES ('three');\n")
        // Three times as long as it has to be quiet.
        let end = ContinuousClock.now + .seconds(6)
        try keepBusy(ground) { ContinuousClock.now > end }
        #expect(try ground.events() == ["started 0001_one", "applied 0001_one"])
        try ground.write("0002_two.sql", "INSERT INTO counter VALUES ('two');\n")
        try ground.waitFor("event = 'applied' AND version = '0003'", daemon)
        try ground.stop(daemon)
        #expect(
            try ground.events() == [
                "started 0001_one", "applied 0001_one", "started 0002_two", "applied 0002_two", "started 0003_three",
                "applied 0003_three",
            ])
        #expect(try ground.query("SELECT file FROM counter") == "two\nthree")
        #expect(try ground.faults() == "")
    }

    @Test func `is not waited for where nobody wants to: what it brings late is told`() throws {
        let ground = try ProvingGround()
        try ground.write("0001_one.sql", "CREATE TABLE counter (file text);\n")
        let daemon = try ground.start("run", "--settle", "0", "--rescan", "1h")
        try ground.waitFor("event = 'applied' AND version = '0001'", daemon)
        try ground.write("0003_three.sql", "INSERT INTO counter VALUES ('three');\n")
        // It never is quiet, and the file is applied all the same.
        try keepBusy(ground) { try ground.applied() == ["0001_one", "0003_three"] }
        try ground.write("0002_two.sql", "INSERT INTO counter VALUES ('two');\n")
        try ground.waitFor("event = 'skipped' AND version = '0002'", daemon)
        try ground.stop(daemon)
        #expect(try ground.events("event = 'skipped'") == ["skipped 0002_two out_of_order"])
        #expect(try ground.query("SELECT file FROM counter") == "three")
        #expect(try ground.faults() == "")
    }
}
