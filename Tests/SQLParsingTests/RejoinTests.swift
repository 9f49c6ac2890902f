import SQLParsing
import Testing

/// Small and repeatable: SplitMix64.
private struct Seeded: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}

/// A random migration and what must come out of it.
private struct Sample {
    var text = ""
    /// The statements that must be sent, in order.
    var sent: [String] = []
    /// Statements that must stand alone.
    var alone: Set<String> = []

    static let ordinary = [
        "CREATE TABLE t1 (a int DEFAULT 1, b text)", "INSERT INTO t1 VALUES (1, 'a;b'), (2, $$;$$)",
        "SELECT E'\\';', \"a;b\" FROM é",
        "CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS $f$ BEGIN; COMMIT; END $f$", "DO $x$ BEGIN NULL; END $x$",
        "SAVEPOINT s",
        "CREATE FUNCTION g() RETURNS int LANGUAGE sql BEGIN ATOMIC; SELECT 1; END",
        "UPDATE t1 SET a = 1 /* ; */ WHERE b = '--'",
    ]
    static let lonely = ["VACUUM t1", "CREATE INDEX CONCURRENTLY i1 ON t1 (a)", "DISCARD ALL", "REINDEX SCHEMA public"]
    static let blanks = [" ", "\n", "\r\n", "-- c; BEGIN;\n", "/* ; /* é */ COMMIT; */", "\t", "\n;\n"]

    init(_ random: inout Seeded, breakpoints: Bool) {
        var inBlock = false
        func end() -> String { breakpoints && Bool.random(using: &random) ? "\n--> statement-breakpoint\n" : ";" }
        for _ in 0..<Int.random(in: 0...12, using: &random) {
            text += Sample.blanks.randomElement(using: &random) ?? ""
            switch Int.random(in: 0..<10, using: &random) {
            case 0:
                text += (inBlock ? "COMMIT" : "BEGIN") + end()
                inBlock.toggle()
            case 1, 2:
                guard !inBlock, let statement = Sample.lonely.randomElement(using: &random) else { continue }
                sent.append(statement)
                alone.insert(statement)
                text += statement + end()
            default:
                guard let statement = Sample.ordinary.randomElement(using: &random) else { continue }
                sent.append(statement)
                text += statement + end()
            }
        }
        if inBlock { text += "COMMIT;" }
        // The last semicolon is not always written.
        if text.last == ";", Bool.random(using: &random) { text.removeLast() }
        text += Sample.blanks.randomElement(using: &random) ?? ""
    }
}

@Suite struct `Cutting and joining` {
    @Test(arguments: [false, true])
    func `segments hold the same statements in the same order, and each is a query string of its own`(breakpoints: Bool)
        throws
    {
        for seed in 0..<400 as Range<UInt64> {
            var random = Seeded(state: seed)
            let sample = Sample(&random, breakpoints: breakpoints)
            let script = try Script(
                Array(sample.text.utf8), file: "seed-\(seed).sql", options: ScriptOptions(breakpoints: breakpoints))
            var found: [String] = []
            var next = 0
            for segment in script.segments {
                #expect(segment.range.lowerBound >= next && segment.statements.isEmpty == false)
                next = segment.range.upperBound
                let expected = segment.statements.map {
                    String(decoding: script.text[script.statements[$0].range], as: UTF8.self)
                }
                // What is sent is read alone, as the server will read it.
                let sent = try Script(script.sql(in: segment), file: "sent.sql")
                #expect(
                    sent.statements.map { String(decoding: sent.text[$0.range], as: UTF8.self) } == expected,
                    "seed \(seed)")
                #expect(
                    segment.kind == .alone ? expected.count == 1 : sample.alone.isDisjoint(with: expected),
                    "seed \(seed)")
                found += expected
            }
            #expect(found == sample.sent, "seed \(seed): \(sample.text)")
        }
    }
}
