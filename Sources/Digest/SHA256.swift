internal import CCrypto

/// SHA-256 (FIPS 180-4) by libcrypto.
///
/// By SHA256_Init(3) and its like, which stand alone: EVP first loads libcrypto's configuration and its providers, which takes every process a
/// millisecond and 2 MiB.
public enum SHA256 {
    /// The 32 bytes of the digest of `bytes`.
    public static func hash(_ bytes: [UInt8]) -> [UInt8] { hash(bytes, in: 0..<bytes.count) }

    /// The 32 bytes of the digest of a part of `bytes`, which is not copied.
    public static func hash(_ bytes: [UInt8], in range: Range<Int>) -> [UInt8] {
        var digest = [UInt8](repeating: 0, count: Int(SHA256_DIGEST_LENGTH))
        var state = SHA256_CTX()
        let done = unsafe bytes.withUnsafeBytes { all in
            let part = unsafe UnsafeRawBufferPointer(rebasing: all[range])
            return unsafe SHA256_Init(&state) & SHA256_Update(&state, part.baseAddress, part.count)
                & SHA256_Final(&digest, &state)
        }
        precondition(done == 1, "none of them can fail")
        return digest
    }

    /// The digest as 64 lower-case hexadecimal digits.
    public static func hex(_ bytes: [UInt8]) -> String { Hex.text(hash(bytes)) }

    /// The digest of a part of `bytes`, likewise.
    public static func hex(_ bytes: [UInt8], in range: Range<Int>) -> String { Hex.text(hash(bytes, in: range)) }
}

/// Bytes as lower-case hexadecimal digits and back.
public enum Hex {
    /// Two digits a byte.
    public static func text(_ bytes: some Sequence<UInt8>) -> String {
        var digits: [UInt8] = []
        digits.reserveCapacity(2 * bytes.underestimatedCount)
        for byte in bytes {
            digits.append(digit(byte >> 4))
            digits.append(digit(byte & 15))
        }
        return String(decoding: digits, as: UTF8.self)
    }

    private static func digit(_ value: UInt8) -> UInt8 {
        value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "a") - 10 + value
    }

    /// The bytes that `text` writes; nil where it has an odd length or another character.
    public static func bytes(_ text: some StringProtocol) -> [UInt8]? { bytes(digits: Array(text.utf8)[...]) }

    /// The same for the bytes of a text; digits above 9 may be refused in upper case.
    public static func bytes(digits: ArraySlice<UInt8>, takesUpperCase: Bool = true) -> [UInt8]? {
        guard digits.count.isMultiple(of: 2) else { return nil }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(digits.count / 2)
        var high: UInt8?
        for character in digits {
            let value: UInt8
            switch character {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): value = character - UInt8(ascii: "0")
            case UInt8(ascii: "a")...UInt8(ascii: "f"): value = character - UInt8(ascii: "a") + 10
            case UInt8(ascii: "A")...UInt8(ascii: "F") where takesUpperCase: value = character - UInt8(ascii: "A") + 10
            default: return nil
            }
            if let first = high {
                bytes.append(first << 4 | value)
                high = nil
            } else {
                high = value
            }
        }
        return bytes
    }
}
