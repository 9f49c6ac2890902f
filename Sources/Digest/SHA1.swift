internal import CCrypto

/// SHA-1 (FIPS 180-4) by libcrypto: what sqitch and graphile-migrate keep of a file. It proves nothing against forgery.
public enum SHA1 {
    /// The 20 bytes of the digest of `bytes`.
    public static func hash(_ bytes: [UInt8]) -> [UInt8] {
        var digest = [UInt8](repeating: 0, count: 20)
        var length: UInt32 = 0
        let done = unsafe EVP_Digest(bytes, bytes.count, &digest, &length, EVP_sha1(), nil)
        precondition(done == 1 && length == 20, "EVP_Digest fails only without memory or without SHA-1 in libcrypto")
        return digest
    }

    /// The digest as 40 lower-case hexadecimal digits.
    public static func hex(_ bytes: [UInt8]) -> String { Hex.text(hash(bytes)) }
}

/// Bytes in base 64 (RFC 4648).
public enum Base64 {
    /// With `=` at the end where the length asks for it.
    public static func text(_ bytes: [UInt8]) -> String {
        let letters = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
        var text: [UInt8] = []
        for start in stride(from: 0, to: bytes.count, by: 3) {
            let group = bytes[start..<min(start + 3, bytes.count)]
            let value = group.reduce(0) { $0 << 8 | UInt32($1) } << (8 * UInt32(3 - group.count))
            for place in 0..<4 {
                text.append(
                    place <= group.count ? letters[Int(value >> (18 - 6 * UInt32(place)) & 63)] : UInt8(ascii: "="))
            }
        }
        return String(decoding: text, as: UTF8.self)
    }
}
