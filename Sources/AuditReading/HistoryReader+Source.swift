internal import Digest
internal import Postgres

/// The bytes of a file that was attempted.
public struct MigrationSource: Sendable, Equatable {
    /// `sha256:` and 64 digits.
    public var checksum: String
    /// The bytes as they were read.
    public var bytes: [UInt8]
}

/// A checksum as a person writes it: with or without `sha256:`, whole or its first digits.
public struct ChecksumText: Sendable, Equatable {
    /// `sha256:` and the digits, lower case.
    public let text: String
    /// Whether all 64 digits are there.
    public let isWhole: Bool

    /// Reads it; nil where it has other characters, none, or too many.
    public init?(_ text: String) {
        let lowered = text.lowercased()
        let digits = lowered.hasPrefix("sha256:") ? String(lowered.dropFirst(7)) : lowered
        guard (4...64).contains(digits.utf8.count), digits.utf8.allSatisfy(ChecksumText.isDigit) else { return nil }
        self.text = "sha256:" + digits
        isWhole = digits.utf8.count == 64
    }

    private static func isDigit(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(byte)
    }
}

extension HistoryReader {
    /// The bytes kept under `checksum`; refused where they have another checksum than the one they are kept under.
    public func source(_ checksum: ChecksumText) throws(HistoryError) -> MigrationSource {
        let condition =
            checksum.isWhole ? "s.checksum = $1::text" : "pg_catalog.starts_with(s.checksum, $1::text)"
        let found: [[UInt8]?] = try reading(statementTimeout: StatementTimeout.page) { () throws(PostgresError) in
            try connection.query(
                "SELECT s.checksum FROM \(quoted).migration_source AS s WHERE \(condition) LIMIT 2",
                [.text(checksum.text)]
            ).rows.map { $0[0] }
        }
        guard let name = found.first.flatMap({ $0 }) else { throw .noSource(checksum.text) }
        guard found.count == 1 else { throw .ambiguousSource(checksum.text) }
        let whole = String(decoding: name, as: UTF8.self)
        let bytes = try reading(statementTimeout: StatementTimeout.page) { () throws(PostgresError) in
            try sourceBytes(whole)
        }
        guard let bytes else { throw .noSource(checksum.text) }
        guard "sha256:" + SHA256.hex(bytes) == whole else { throw .alteredSource(whole) }
        return MigrationSource(checksum: whole, bytes: bytes)
    }

    /// The bytes kept under a whole checksum, as they are; inside a transaction of `reading`.
    func sourceBytes(_ checksum: String) throws(PostgresError) -> [UInt8]? {
        let found = try connection.query(
            "SELECT s.source FROM \(quoted).migration_source AS s WHERE s.checksum = $1::text", [.text(checksum)],
            binary: true)
        return found.rows.first.flatMap { $0[0] }
    }
}
