internal import Digest

/// A universally unique identifier of version 4 (RFC 9562), as PostgreSQL's type `uuid` holds it.
public struct UUID: Hashable, Sendable, CustomStringConvertible {
    /// The 16 bytes, most significant first.
    public let bytes: [UInt8]

    /// A new random one from the system's generator.
    public init() {
        var generator = SystemRandomNumberGenerator()
        self.init(using: &generator)
    }

    /// A new random one from `generator`.
    public init(using generator: inout some RandomNumberGenerator) {
        var bytes = RandomBytes.next(16, using: &generator)
        bytes[6] = bytes[6] & 0x0F | 0x40
        bytes[8] = bytes[8] & 0x3F | 0x80
        self.bytes = bytes
    }

    /// The one with these 16 bytes; nil for another count.
    public init?(bytes: [UInt8]) {
        guard bytes.count == 16 else { return nil }
        self.bytes = bytes
    }

    /// Reads 32 hexadecimal digits with or without hyphens.
    public init?(_ text: String) {
        guard let bytes = Hex.bytes(text.filter { $0 != "-" }) else { return nil }
        self.init(bytes: bytes)
    }

    /// The form with hyphens, lower case.
    public var description: String {
        let hex = Hex.text(bytes)
        var parts: [Substring] = []
        var rest = hex[...]
        for length in [8, 4, 4, 4, 12] {
            parts.append(rest.prefix(length))
            rest = rest.dropFirst(length)
        }
        return parts.joined(separator: "-")
    }
}
