internal import Digest
internal import Migrations
internal import SQLParsing

extension FileParts {
    /// A script as it would be sent.
    init(_ script: Script) {
        self.init(
            script.segments.map { segment in
                let text = SHA256.hex(script.text, in: segment.range)
                let rows = script.rows(of: segment.statements).map { SHA256.hex(script.rowBytes, in: $0) }
                return Segment(
                    bytes: rows.isEmpty ? text : SHA256.hex(Array((text + rows.joined()).utf8)),
                    statements: segment.statements.map { statement in
                        let rows = script.rows(of: statement..<statement + 1).map {
                            SHA256.hex(script.rowBytes, in: $0)
                        }
                        return SHA256.hex(script.lexemes(of: statement) + Array(rows.joined().utf8))
                    })
            })
    }
}
