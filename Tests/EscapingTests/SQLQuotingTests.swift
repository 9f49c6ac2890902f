import AuditReading
import JSON
import LiveSupport
import Postgres
import Reporting
import Testing

/// What comes back from a real server is what went in, and nothing else has run.
@Suite struct `SQL of quoted names and values` {
    private static func connect() throws -> Connection {
        let database = try Cluster.shared().createDatabase()
        return try Connection(
            ConnectionTarget(database.conninfo, applicationName: "quoting"), waiter: BlockingWaiter())
    }

    private static func batches(_ texts: [String], of size: Int) -> [[String]] {
        stride(from: 0, to: texts.count, by: size).map { Array(texts[$0..<min($0 + size, texts.count)]) }
    }

    @Test(arguments: ["on", "off"])
    func `a literal is its value`(standardConforming: String) throws {
        let connection = try Self.connect()
        try connection.run("SET standard_conforming_strings = \(standardConforming)")
        for batch in Self.batches(Hostile.texts("'\\\"$;"), of: 1000) {
            let results = try connection.run("SELECT \(batch.map(Quoting.literal).joined(separator: ", "))")
            let row = try #require(results.first?.rows.first)
            #expect(results.count == 1 && row.cells.count == batch.count)
            for (cell, text) in zip(row.cells, batch) {
                Hostile.check(cell.map { $0.elementsEqual(text.utf8) } == true, text)
            }
        }
    }

    @Test func `an identifier is its name`() throws {
        let connection = try Self.connect()
        let texts = Hostile.texts("\"'").filter { (1...63).contains($0.utf8.count) }
        for batch in Self.batches(texts, of: 1000) {
            let results = try connection.run(
                "SELECT \(batch.map { "1 AS \(Quoting.identifier($0))" }.joined(separator: ", "))")
            let columns = try #require(results.first?.columns)
            #expect(results.count == 1 && columns.count == batch.count)
            for (column, text) in zip(columns, batch) { Hostile.check(Hostile.same(column, text), text) }
        }
    }

    @Test func `an array is its elements`() throws {
        let connection = try Self.connect()
        for batch in Self.batches(Hostile.texts("\"\\{,}'"), of: 5000) {
            let found = try connection.query(
                "SELECT e FROM pg_catalog.unnest($1::text[]) WITH ORDINALITY AS u(e, n) ORDER BY n",
                [.text(Quoting.array(batch))])
            #expect(found.rows.count == batch.count)
            for (row, text) in zip(found.rows, batch) {
                Hostile.check(row[0].map { $0.elementsEqual(text.utf8) } == true, text)
            }
        }
    }

    @Test func `a JSON text is its value to the server as well`() throws {
        let connection = try Self.connect()
        for batch in Self.batches(Hostile.texts("\"\\/"), of: 5000) {
            let written = batch.map { JSONText.safe(JSONValue.string($0).text) }
            let found = try connection.query(
                "SELECT e::jsonb #>> '{}' FROM pg_catalog.unnest($1::text[]) WITH ORDINALITY AS u(e, n) ORDER BY n",
                [.text(Quoting.array(written))])
            #expect(found.rows.count == batch.count)
            for (row, text) in zip(found.rows, batch) {
                Hostile.check(row[0].map { $0.elementsEqual(text.utf8) } == true, text)
            }
        }
    }

    @Test func `a NUL is refused before anything is sent`() throws {
        let connection = try Self.connect()
        let refused = { (error: PostgresError) in error.sqlstate == "22021" && error.complaint.message.contains("NUL") }
        let literal = "SELECT \(Quoting.literal("a\0b"))"
        try expect(refused) { () throws(PostgresError) in try connection.run(literal) }
        try expect(refused) { () throws(PostgresError) in try connection.query(literal) }
        try expect(refused) { () throws(PostgresError) in try connection.query("SELECT $1::text", [.text("a\0b")]) }
        try expect(refused) { () throws(PostgresError) in
            try connection.pipeline([.init("CREATE TABLE t (a int)"), .init("SELECT $1::text", [.text("\0")])])
        }
        try expect(refused) { () throws(PostgresError) in try connection.beginCopy("COPY (\(literal)) TO STDOUT") }
        #expect(connection.ask(literal) == false)
        // The session goes on, nothing of the pipeline has run, and bytes may hold one.
        #expect(try connection.query("SELECT pg_catalog.to_regclass('t') IS NULL").isTrue(0, 0))
        #expect(
            try connection.query("SELECT $1::bytea", [.bytes([0, 1])], binary: true).rows.map(\.cells) == [[[0, 1]]])
    }

    private func expect<Result>(
        _ isExpected: (PostgresError) -> Bool, _ work: () throws(PostgresError) -> Result
    ) throws {
        do throws(PostgresError) {
            _ = try work()
            Issue.record("it was not refused")
        } catch {
            #expect(isExpected(error), "\(error)")
        }
    }
}
