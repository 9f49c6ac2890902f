import Digest
import LiveSupport

/// What a directory of migrations should come to, worked out a second time, as simply as can be: the files, and a rule for what one
/// undisturbed run makes of them.
struct HistoryModel {
    struct File {
        /// Whether it is cut into segments by a concurrent index build.
        var isMixed: Bool
        var isFailing: Bool
        /// Makes every text that was ever written another one.
        var salt: Int
    }

    /// By version; what was removed is not there any more.
    var files: [String: File] = [:]
    /// The checksum of every text that ever lay there.
    var written: Set<String> = []
    private var texts = 0

    mutating func nextSalt() -> Int {
        texts += 1
        return texts
    }

    /// Gives a version another text.
    mutating func rewrite(_ version: String, isFailing: Bool? = nil) {
        let salt = nextSalt()
        files[version]?.salt = salt
        if let isFailing { files[version]?.isFailing = isFailing }
    }

    static func name(_ number: Int) -> String {
        let text = String(number)
        return String(repeating: "0", count: 3 - text.count) + text
    }

    /// The text of a version's own file. Every effect is a row that nothing ever removes.
    mutating func up(_ version: String) -> String {
        guard let file = files[version] else { return "" }
        var text = "-- text \(file.salt)\nINSERT INTO effect VALUES ('\(version)', 'up');\nSELECT pg_sleep(0.01);\n"
        if file.isMixed {
            text += """
                CREATE INDEX CONCURRENTLY effect_\(version) ON effect (what);
                INSERT INTO effect VALUES ('\(version)', 'behind');
                SELECT pg_sleep(0.01);

                """
        }
        if file.isFailing { text += "SELECT 1 / 0;\n" }
        written.insert("sha256:" + SHA256.hex(Array(text.utf8)))
        return text
    }

    /// The text of the file that undoes it.
    static func down(_ version: String) -> String {
        "DROP INDEX IF EXISTS effect_\(version);\nINSERT INTO effect VALUES ('\(version)', 'down');\n"
    }

    /// What the history says of a version.
    struct State: Equatable {
        var status: String
        var checksum: String
        var isApplied: Bool { status == "applied" }
    }

    /// What one undisturbed `apply` does.
    struct Outcome: Equatable {
        var applied: Set<String>
        var attempts: Int
    }

    mutating func outcome(from states: [String: State]) -> Outcome {
        var outcome = Outcome(applied: Set(states.filter(\.value.isApplied).keys), attempts: 0)
        for version in files.keys.sorted() where states[version]?.isApplied != true {
            guard let file = files[version] else { break }
            let checksum = "sha256:" + SHA256.hex(Array(up(version).utf8))
            if let state = states[version], state.status == "failed", state.checksum == checksum { break }
            outcome.attempts += 1
            if file.isFailing { break }
            outcome.applied.insert(version)
        }
        return outcome
    }
}
