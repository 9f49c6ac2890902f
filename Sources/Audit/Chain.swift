internal import Digest

/// A position in the chain.
public struct ChainHead: Sendable, Hashable {
    /// The record's number; 0 before the first.
    public var seq: Int64
    /// The record's hash; the genesis before the first.
    public var hash: [UInt8]

    /// A position from its parts.
    public init(seq: Int64, hash: [UInt8]) {
        self.seq = seq
        self.hash = hash
    }
}

/// The one encoder of the chain, used by whoever writes and by whoever verifies.
///
/// `hash = sha256(0x01 || "migrated-audit-v1" || int8 seq || prev_hash || fields)`, each field behind its length in four bytes, null
/// as the length -1, all in PostgreSQL's own binary forms, big-endian. The function `event_hash` in the database computes the same.
public enum Chain {
    /// Separates these hashes from any other use of SHA-256.
    public static let domain = "migrated-audit-v1"

    /// The hash of a record whose further columns, in the table's order, have these binary values.
    public static func hash(seq: Int64, prevHash: [UInt8], fields: [[UInt8]?]) -> [UInt8] {
        var bytes: [UInt8] = []
        for field in fields {
            bytes += CanonicalForm.small(field.map { Int32($0.count) } ?? -1)
            if let field { bytes += field }
        }
        return hash(seq: seq, prevHash: prevHash[...], fields: bytes[...])
    }

    /// The same for columns that stand behind each other already, each behind its length.
    public static func hash(seq: Int64, prevHash: ArraySlice<UInt8>, fields: ArraySlice<UInt8>) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(prefix.count + 8 + prevHash.count + fields.count)
        bytes += prefix
        for shift in stride(from: 56, through: 0, by: -8) { bytes.append(UInt8(truncatingIfNeeded: seq >> shift)) }
        bytes += prevHash
        bytes += fields
        return SHA256.hash(bytes)
    }

    private static let prefix: [UInt8] = [0x01] + domain.utf8
}

/// PostgreSQL's binary forms of the types that the table uses.
public enum CanonicalForm {
    /// int8, and timestamptz as microseconds since 2000-01-01 UTC.
    public static func integer(_ value: Int64) -> [UInt8] {
        (0..<8).map { UInt8(truncatingIfNeeded: value >> (56 - 8 * $0)) }
    }
    /// int4.
    public static func small(_ value: Int32) -> [UInt8] {
        (0..<4).map { UInt8(truncatingIfNeeded: value >> (24 - 8 * $0)) }
    }
    /// text: its bytes in UTF-8.
    public static func text(_ value: String) -> [UInt8] { Array(value.utf8) }
    /// The number in an int8 or int4.
    public static func integer(_ bytes: [UInt8]) -> Int64 { integer(bytes[...]) }
    /// The same for bytes that stand among others.
    public static func integer(_ bytes: ArraySlice<UInt8>) -> Int64 {
        guard let first = bytes.first else { return 0 }
        var number = Int64(Int8(bitPattern: first))
        for byte in bytes.dropFirst() { number = number << 8 | Int64(byte) }
        return number
    }
}
