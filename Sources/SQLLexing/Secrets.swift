/// Where a text of SQL holds secrets, so that it can be shown without them.
///
/// Two questions are answered. What must not be shown: in a statement, or a body, that speaks of a secret by any name, every literal, for
/// nobody can say which of them it is; and what is not SQL at all where quotes are out of step. And what is a secret for certain, which is
/// reported and looked for in what the server says: `found`.
///
/// It knows words and quotes, no grammar: so it also reads what no grammar can. It errs on the side of hiding. Not found: a secret in a
/// statement that gives it no telling name, and one that is put together at run time from parts without any.
package struct Secrets: Sendable {
    /// A secret in the text.
    package struct Found: Sendable, Equatable {
        /// How bad it is that it stands there.
        package enum Kind: Sendable, Equatable {
            /// Every reader of the text has it.
            case clear
            /// What the server checks a password against: it can be guessed from it.
            case verifier
        }
        package var kind: Kind
        /// Its bytes of the text, with the quotes.
        package var range: Range<Int>

        /// What it is, as a clause.
        package var words: String {
            kind == .clear ? "a secret stands here in clear text" : "the verifier of a password stands here"
        }
    }

    /// What is not shown, and what stands in its place.
    struct Mask: Sendable, Equatable {
        var range: Range<Int>
        var shown: String
    }

    let text: [UInt8]
    /// In order, none over another.
    private(set) var masks: [Mask] = []
    /// Those that are one for certain, in order.
    package private(set) var found: [Found] = []
    /// What is hidden wherever it comes up: certain secrets of some length.
    private(set) var values: [[UInt8]] = []

    /// Shorter ones would hide half of every sentence.
    private static let shortestValue = 4

    /// Reads all of a text.
    package init(of text: [UInt8]) { self.init(of: text, isBody: false, depth: 0) }

    init(of text: [UInt8], isBody: Bool, depth: Int) {
        self.text = text
        var scan = SecretScan(text, depth: depth)
        scan.read(0..<text.count, isBody: isBody)
        // Also where no quotes are, as behind a command of psql.
        let bare = SecretValue.uriPasswords(text).map { Mask(range: $0, shown: "***") }
        masks = Secrets.disjoint(scan.masks + bare)
        found = scan.found.sorted { $0.range.lowerBound < $1.range.lowerBound }
        values = scan.values.filter { $0.count >= Secrets.shortestValue }.sorted { $0.count > $1.count }
    }

    /// A text of which it is known what is hidden.
    init(text: [UInt8], masks: [Mask]) {
        self.text = text
        self.masks = Secrets.disjoint(masks)
    }

    /// In order, without those that begin inside of another.
    private static func disjoint(_ masks: [Mask]) -> [Mask] {
        var kept: [Mask] = []
        for mask in masks.sorted(by: { $0.range.lowerBound < $1.range.lowerBound }) {
            if let last = kept.last, mask.range.lowerBound < last.range.upperBound {
                kept[kept.count - 1].range = last.range.lowerBound..<max(last.range.upperBound, mask.range.upperBound)
            } else {
                kept.append(mask)
            }
        }
        return kept
    }

    /// The bytes of a part of the text as they may be shown: `'***'` for each literal that may not, also where only a part of it lies in
    /// the range.
    package func shown(_ range: Range<Int>) -> [UInt8] {
        var result: [UInt8] = []
        var at = range.lowerBound
        for mask in masks where mask.range.overlaps(range) || (mask.range.contains(range.lowerBound) && range.isEmpty) {
            if mask.range.lowerBound > at { result += text[at..<mask.range.lowerBound] }
            result += mask.shown.utf8
            at = min(mask.range.upperBound, range.upperBound)
        }
        if at < range.upperBound { result += text[at..<range.upperBound] }
        return result
    }

    /// Where the byte at `offset` is in `shown(range)`: the beginning of what stands for it, where it is hidden.
    package func offset(of offset: Int, inShown range: Range<Int>) -> Int {
        let hidden = masks.first { $0.range.contains(offset) }
        return shown(range.lowerBound..<max(range.lowerBound, hidden?.range.lowerBound ?? offset)).count
    }

    /// Whether the byte at `offset` is not shown.
    func hides(_ offset: Int) -> Bool { masks.contains { $0.range.contains(offset) } }
}
