import Glibc
import Testing

/// Texts that a reader of ours gets: those of its folder in the corpus, and mutations of them.
///
/// A case that once broke a reader is kept as a file of its corpus. `MIGRATED_FUZZ_ROUNDS` runs longer, `MIGRATED_FUZZ_SEED` elsewhere.
struct Fuzzing {
    let corpus: [[UInt8]]
    private var random: Seeded
    private let rounds: Int

    init(_ reader: String) throws {
        corpus = try Fuzzing.files(reader)
        random = Seeded(state: UInt64(Fuzzing.number("MIGRATED_FUZZ_SEED") ?? 1))
        rounds = Fuzzing.number("MIGRATED_FUZZ_ROUNDS") ?? 4000
    }

    /// Hands `check` every text of the corpus and then mutations; `words` are pieces that the reader knows.
    mutating func run(words: [String], _ check: ([UInt8]) throws -> Void) throws {
        try #require(!corpus.isEmpty, "the corpus is found")
        for text in corpus { try check(text) }
        for _ in 0..<rounds { try check(next(words)) }
    }

    private mutating func next(_ words: [String]) -> [UInt8] {
        var text = corpus.randomElement(using: &random) ?? []
        for _ in 0..<Int.random(in: 1...6, using: &random) {
            let at = Int.random(in: 0...text.count, using: &random)
            let end = min(text.count, at + Int.random(in: 0...8, using: &random))
            switch Int.random(in: 0..<6, using: &random) {
            case 0: text.replaceSubrange(at..<end, with: [UInt8.random(in: 0...255, using: &random)])
            case 1: text.removeSubrange(at..<end)
            case 2: text.insert(contentsOf: (words.randomElement(using: &random) ?? "").utf8, at: at)
            case 3: text.insert(contentsOf: text[at..<end], at: at)
            case 4:
                let other = corpus.randomElement(using: &random) ?? []
                text = Array(text[..<at]) + other.suffix(Int.random(in: 0...other.count, using: &random))
            default:
                let odd = ["\0", "\u{feff}", "\r\n", "\u{301}", "\u{2028}", "💥", "'", "\"", "\\", "/*", "--", "$$"]
                text.insert(contentsOf: (odd.randomElement(using: &random) ?? "").utf8, at: at)
            }
        }
        return text
    }

    private static func number(_ name: String) -> Int? { getenv(name).flatMap { Int(String(cString: $0)) } }

    private static func files(_ reader: String) throws -> [[UInt8]] {
        let folder = #filePath.split(separator: "/").dropLast().map { "/" + $0 }.joined() + "/Corpus/" + reader
        guard let directory = opendir(folder) else { return [] }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            if !name.hasPrefix(".") { names.append(name) }
        }
        return names.sorted().map { name in
            guard let file = fopen(folder + "/" + name, "r") else { return [] }
            defer { fclose(file) }
            var bytes = [UInt8](repeating: 0, count: 1 << 20)
            return Array(bytes[..<fread(&bytes, 1, bytes.count, file)])
        }
    }
}

/// SplitMix64: the same texts in every run.
struct Seeded: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
