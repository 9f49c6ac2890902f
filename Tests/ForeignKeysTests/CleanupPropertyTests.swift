import ForeignKeys
import LiveSupport
import Testing

/// Small random tables with random orphans: after the cleanup the key holds, what was counted is what changed, and restoring brings
/// every row back as it was.
@Suite struct `Any tables with orphans` {
    @Test(arguments: 1...12)
    func `are cleaned to the last row and restored to the first state`(seed: UInt64) throws {
        var random = Seeded(seed)
        let server = try Server()
        let width = Int.random(in: 1...2, using: &random)
        let isFull = width == 2 && Bool.random(using: &random)
        let isSelf = Int.random(in: 0..<3, using: &random) == 0
        let partitions = !isSelf && Int.random(in: 0..<4, using: &random) == 0
        let type = ["int", "bigint", "text", "numeric(6,2)", "varchar(9)"].randomElement(using: &random) ?? "int"
        let required = (0..<width).map { _ in Bool.random(using: &random) }
        let references = (0..<width).map { "r\($0) \(type)\(required[$0] ? " NOT NULL" : "")" }.joined(separator: ", ")
        let keys = (0..<width).map { "k\($0) \(type)" }.joined(separator: ", ")
        let names = (0..<width).map { "k\($0)" }.joined(separator: ", ")
        let own = isSelf ? ", \(keys), UNIQUE (\(names))" : ""
        var script = "CREATE TABLE parent (\(keys), UNIQUE (\(names)));\n"
        script += "CREATE TABLE child (id int PRIMARY KEY, \(references), at date, list int[]\(own))"
        script +=
            partitions
            ? " PARTITION BY HASH (id);\nCREATE TABLE part PARTITION OF child FOR VALUES WITH (MODULUS 1, REMAINDER 0);\n"
            : ";\n"
        for value in 0..<6 {
            script += "INSERT INTO parent VALUES (\((0..<width).map { _ in "\(value)" }.joined(separator: ", ")));\n"
        }
        for id in 0..<60 {
            let values = required.map { isRequired in
                if !isRequired, Int.random(in: 0..<4, using: &random) == 0 { return "NULL" }
                return "\(Int.random(in: 0..<(isSelf ? 70 : 9), using: &random))"
            }
            let ownKey = isSelf ? [String](repeating: "\(id)", count: width) : []
            script +=
                "INSERT INTO child VALUES (\((["\(id)"] + values + ["date '2020-01-01' + \(id)", "ARRAY[\(id), NULL]"] + ownKey).joined(separator: ", ")));\n"
        }
        try server.database.query(script + "CREATE TABLE was AS TABLE child;")
        let target = isSelf ? "child" : "parent"
        let columns = (0..<width).map { "r\($0)" }.joined(separator: ", ")
        let done = try server.perform(
            try server.plan(
                "ALTER TABLE child ADD CONSTRAINT k FOREIGN KEY (\(columns)) REFERENCES \(target) (\(names))\(isFull ? " MATCH FULL" : "")",
                `Cleaning before a foreign key`.clean))
        #expect(
            try server.database.query(
                "SELECT convalidated FROM pg_constraint WHERE conname = 'k' AND conrelid = 'child'::regclass") == "t")
        let changed = Int(try server.difference("child", "was")) ?? -1
        let deleted =
            done.first { $0.hasPrefix("orphans_deleted") }.flatMap { $0.split(separator: " ").last.flatMap { Int($0) } }
            ?? 0
        let nullified =
            done.first { $0.hasPrefix("orphans_nullified") }.flatMap {
                $0.split(separator: " ").last.flatMap { Int($0) }
            } ?? 0
        #expect(changed == deleted + 2 * nullified, "\(done)")
        try server.database.query("ALTER TABLE child DROP CONSTRAINT k")
        #expect(try server.restore() == (deleted + nullified == 0 ? "" : "restored|\(deleted + nullified)|"))
        #expect(try server.difference("child", "was") == "0")
    }
}

/// The same numbers for the same seed (SplitMix64).
private struct Seeded: RandomNumberGenerator {
    var state: UInt64
    init(_ seed: UInt64) { state = seed }
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
