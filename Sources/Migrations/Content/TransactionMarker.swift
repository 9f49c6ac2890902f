/// A comment by which another tool's file asks to be run outside of a transaction.
///
/// Only what can mean nothing else, and only in the head of a file, where those tools look for it: behind the first statement it is a comment.
/// What belongs to a layout of ours is that layout's to read.
struct TransactionMarker: Sendable {
    /// The first byte of its line.
    let offset: Int
    /// The comment, for people.
    let words: String

    /// The first marker in the head of a text; nil for none.
    init?(_ text: [UInt8]) {
        for line in TextLines(text) {
            if text.isBlank(line) { continue }
            guard let comment = text.comment(line) else { return nil }
            let words = comment.text.lowercased().split(whereSeparator: \.isWhitespace).joined(separator: " ")
            guard TransactionMarker.known.contains(words) else { continue }
            offset = line.lowerBound
            self.words = String(text.text(line).trimmed)
            return
        }
        return nil
    }

    private static let known: Set<String> = [
        "postgres-migrations disable-transaction",
        "atlas:txmode none",
        "no-transaction",  // sqlx
        "! no-transaction",  // graphile-migrate writes `--! no-transaction`
        "-- tern: disable-tx ----",  // `---- tern: disable-tx ----`
        "transactional: false",  // yoyo
        "txn-mode = off",  // Bytebase
        "evolve-tx-off",
    ]
}
