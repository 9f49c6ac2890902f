internal import Digest
internal import Migrations
internal import SQLParsing

extension FileParts {
    /// A script as it would be sent.
    init(_ script: Script) {
        self.init(
            script.segments.map { segment in
                let text = SHA256.hex(script.text, in: segment.range)
                let rows = script.rows(of: segment.statements)
                let digests = Dictionary(
                    rows.map { ($0, SHA256.hex(script.rowBytes, in: $0)) }, uniquingKeysWith: { first, _ in first })
                func joined(_ rows: [Range<Int>]) -> String { rows.compactMap { digests[$0] }.joined() }
                return Segment(
                    bytes: rows.isEmpty ? text : SHA256.hex(Array((text + joined(rows)).utf8)),
                    statements: segment.statements.map { statement in
                        let rows = joined(script.rows(of: statement..<statement + 1))
                        return SHA256.hex(script.lexemes(of: statement) + Array(rows.utf8))
                    })
            })
    }
}
