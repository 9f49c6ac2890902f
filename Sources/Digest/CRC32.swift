/// The CRC-32 of IEEE 802.3: no evidence against tampering, but what Flyway keeps of a file and what several tools make lock keys of.
public struct CRC32: Sendable {
    /// The sum of what was added so far.
    public var value: UInt32 { ~register }
    private var register: UInt32 = .max

    /// The sum of nothing.
    public init() {}

    /// Goes on with further bytes.
    public mutating func add(_ bytes: some Sequence<UInt8>) {
        for byte in bytes { register = CRC32.table[Int((register ^ UInt32(byte)) & 0xFF)] ^ (register >> 8) }
    }

    /// The sum of `bytes`.
    public static func of(_ bytes: some Sequence<UInt8>) -> UInt32 {
        var sum = CRC32()
        sum.add(bytes)
        return sum.value
    }

    private static let table: [UInt32] = (0..<256).map { index in
        (0..<8).reduce(UInt32(index)) { value, _ in value & 1 == 1 ? 0xEDB8_8320 ^ (value >> 1) : value >> 1 }
    }
}
