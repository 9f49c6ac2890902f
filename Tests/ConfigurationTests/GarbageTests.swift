import Goldens
import Reporting
import Testing

@testable import Configuration

/// SplitMix64, so that every run sees the same garbage.
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

/// Reads garbage and checks that what is said of it is whole.
private func read(_ bytes: [UInt8]) {
    for complaint in Settings.complaints(toml: bytes, file: "f") {
        #expect(complaint.status == .configuration && complaint.hint != nil && !complaint.message.isEmpty)
        if let line = complaint.place?.line, let column = complaint.place?.column { #expect(line >= 1 && column >= 1) }
        for line in complaint.lines { #expect(!line.unicodeScalars.contains { $0.value < 32 }) }
    }
}

@Suite struct `Garbage for a configuration` {
    @Test func `random bytes`() {
        var random = Seeded(state: 1)
        for _ in 0..<500 {
            read((0..<Int.random(in: 0...300, using: &random)).map { _ in UInt8.random(in: 0...255, using: &random) })
        }
    }

    @Test func `random pieces of TOML`() {
        let pieces = [
            "\"", "'", "\"\"\"", "'''", "[", "]", "[[", "]]", "{", "}", "=", ".", ",", "#", "\n", "\r\n", " ", "\t",
            "\\", "\\u0000",
            "\\U0010FFFF", "\\uD800", "settle", "database", "conninfo", "1", "-0x1F", "1e9", "inf", "nan", "true",
            "1979-05-27T07:32:00Z",
            "é", "\u{FEFF}", "\u{2028}", "a", "retry-tries", "\"5min\"",
        ]
        var random = Seeded(state: 2)
        for _ in 0..<3000 {
            let text = (0..<Int.random(in: 0...40, using: &random)).map { _ in
                pieces.randomElement(using: &random) ?? ""
            }
            read(Array(text.joined().utf8))
        }
    }

    @Test func `mutations of the example`() throws {
        let example = Array(
            uncommented(String(decoding: try #require(ProjectFiles.contents("deploy/migrated.toml")), as: UTF8.self))
                .utf8)
        var random = Seeded(state: 3)
        for _ in 0..<400 {
            var bytes = example
            for _ in 0..<Int.random(in: 1...6, using: &random) {
                let at = Int.random(in: 0..<bytes.count, using: &random)
                switch Int.random(in: 0...4, using: &random) {
                case 0: bytes[at] = UInt8.random(in: 0...255, using: &random)
                case 1: bytes[at] = UInt8(ascii: "\"")
                case 2: bytes.remove(at: at)
                case 3: bytes.insert(bytes[Int.random(in: 0..<bytes.count, using: &random)], at: at)
                default: bytes.replaceSubrange(at..<min(bytes.count, at + 40), with: bytes.prefix(at).suffix(40))
                }
            }
            read(bytes)
        }
    }

    @Test(arguments: [
        "", "[", "a = \"", "a = '''", "a = [", "a = {", "a.", "[a.", "\"", "a = \"\\", "a = \"\\u00", "[[", "a = '",
        "=", "a=\r",
    ])
    func `text that ends too early`(text: String) { read(Array(text.utf8)) }

    @Test(arguments: ["a.", "[", "a = [[", "x = {a=", "'.'.", "[a]\n", "\"", "a={b.c=", "\n", "#", "\\", "a = 1\n"])
    func `one piece over and over`(piece: String) {
        let text = String(repeating: piece, count: 100_000 / piece.utf8.count)
        read(Array(text.utf8))
        read(Array(("a = " + text).utf8))
    }

    @Test func `a huge file is refused by its size`() {
        let complaints = Settings.complaints(
            toml: [UInt8](repeating: UInt8(ascii: "#"), count: (1 << 20) + 1), file: "f")
        #expect(complaints.map(\.message) == ["configuration file of 1048577 bytes"])
        #expect(Settings.complaints(toml: [UInt8](repeating: UInt8(ascii: "#"), count: 1 << 20), file: "f").isEmpty)
    }

    @Test func `a hundred thousand unknown keys are not all told`() {
        let complaints = Settings.complaints(toml: Array((0..<100_000).map { "k\($0)=1\n" }.joined().utf8), file: "f")
        #expect(complaints.count == SettingsReader.complaintLimit)
    }
}
