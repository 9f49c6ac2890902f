internal import ArgumentParser
internal import AuditReading
internal import Reporting

/// What a shell offers for a word that is being typed. Whatever goes wrong, it offers nothing: nobody waits at a prompt for an error.
enum Completions {
    /// Versions that the history knows.
    @Sendable static func versions(_ words: [String], _ index: Int, _ prefix: String) -> [String] {
        asked(words) { reader throws(HistoryError) in try reader.known(.version, prefix: prefix) }
    }

    /// Reasons that the newest events have.
    @Sendable static func reasons(_ words: [String], _ index: Int, _ prefix: String) -> [String] {
        asked(words) { reader throws(HistoryError) in try reader.known(.reason, prefix: prefix) }
    }

    private static func asked(
        _ words: [String], _ question: (HistoryReader) throws(HistoryError) -> [String]
    ) -> [String] {
        // The options that say which history it is stand among the words typed so far.
        var options: [String] = []
        for (index, word) in words.enumerated() where ["--database", "--config", "--schema"].contains(word) {
            if words.indices.contains(index + 1) { options += [word, words[index + 1]] }
        }
        options += words.filter { word in ["--database=", "--config=", "--schema="].contains { word.hasPrefix($0) } }
        guard let history = try? HistoryOptions.parse(options), let reader = try? history.reader(patience: 2),
            let found = try? question(reader)
        else { return [] }
        // A shell would split or run what is more than a plain word.
        return found.filter { word in
            word.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "z"),
                    UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "_"), UInt8(ascii: "."), UInt8(ascii: "-"):
                    true
                default: false
                }
            }
        }
    }
}
