import Reporting

/// Splitmix64: the same numbers for the same seed in every run.
struct CaseRandom: RandomNumberGenerator {
    private var state: UInt64

    /// Neighbouring seeds have nothing in common.
    init(seed: Int, harness: UInt64) { state = UInt64(seed) &* 0xD129_0B26_8B0E_4F2D ^ harness << 56 }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    mutating func percent(_ share: Int) -> Bool { Int.random(in: 0..<100, using: &self) < share }
    mutating func number(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &self) }
    mutating func pick<Element>(_ elements: [Element]) -> Element { elements[number(0...elements.count - 1)] }
    mutating func some<Element>(_ elements: [Element], _ share: Int) -> [Element] {
        elements.filter { _ in percent(share) }
    }
}

/// What the server at hand can do.
struct OrphanServer: Sendable {
    var version: Int
    var hasCitext: Bool
    /// Whether it was built with ICU, so that a collation may be nondeterministic.
    var hasICU: Bool
}

/// A key that a case's file adds.
struct NewKey {
    var name: String
    var table: String
    var columns: [String]
    var parent: String
    var parentColumns: [String]
    var isFull = false
    /// The columns that a cleanup sets to null; empty where the row must go.
    var nullable: [String]
    /// What follows the columns: `ON DELETE …`, `DEFERRABLE`.
    var options = ""
    /// Whether the file leaves out the referenced columns.
    var isTerse = false

    /// What ALTER TABLE adds; `schema` ends in a dot where it is named.
    func definition(_ schema: String) -> String {
        let target =
            "\(schema)\(Quoting.identifier(parent))\(isTerse ? "" : " (\(Quoting.identifiers(parentColumns)))")"
        return
            "ADD CONSTRAINT \(Quoting.identifier(name)) FOREIGN KEY (\(Quoting.identifiers(columns))) REFERENCES \(target)"
            + (isFull ? " MATCH FULL" : "") + (options.isEmpty ? "" : " " + options)
    }
}

/// One random database schema, and the keys that are added to it.
struct OrphanCase {
    var seed: Int
    /// Tables, existing keys and rows, with unqualified names.
    var ddl: String
    var keys: [NewKey]
    /// Whether two keys of one table are added by one ALTER TABLE.
    var isJoint = false
    /// Whether no other key acts and none of the rows is referenced, so that every order of cleaning comes to the same.
    var isPlain = false
    /// Whether its one key is written NOT VALID and validated by the same ALTER TABLE.
    var isValidatedApart = false
    /// Whether its files name the tables by the search_path.
    var isUnqualified = false

    /// The file that adds the keys.
    func up(_ schema: String) -> String {
        let path = isUnqualified ? "SET LOCAL search_path = \(schema), public;\n" : ""
        return path + alterations(isUnqualified ? "" : schema + ".")
    }

    private func alterations(_ schema: String) -> String {
        let alter = { (table: String) in "ALTER TABLE \(schema)\(Quoting.identifier(table)) " }
        if isJoint, let first = keys.first {
            return alter(first.table) + keys.map { $0.definition(schema) }.joined(separator: ",\n    ") + ";\n"
        }
        return keys.map { key in
            let apart = isValidatedApart ? " NOT VALID, VALIDATE CONSTRAINT \(Quoting.identifier(key.name))" : ""
            return alter(key.table) + key.definition(schema) + apart + ";\n"
        }.joined()
    }

    /// All of it, to be read.
    var script: String { ddl + "\n" + up("c") }

    func down(_ schema: String) -> String {
        keys.reversed().map {
            "ALTER TABLE \(schema).\(Quoting.identifier($0.table)) DROP CONSTRAINT \(Quoting.identifier($0.name));\n"
        }.joined()
    }

    /// The ways in which the oracle cleans by hand, the plain one first.
    var ways: [String] {
        if isPlain { return ["whole"] }
        var ways = ["whole", "upwards", "downwards", "deferred"]
        if keys.contains(where: { $0.table == $0.parent && $0.nullable.isEmpty }) { ways.append("closure") }
        if isJoint { ways.append("joint") }
        return ways
    }
}
