internal import CCrypto

/// SHA-384 (FIPS 180-4) by libcrypto: what sqlx keeps of a file.
public enum SHA384 {
    /// The 48 bytes of the digest of `bytes`.
    public static func hash(_ bytes: [UInt8]) -> [UInt8] {
        var digest = [UInt8](repeating: 0, count: 48)
        var length: UInt32 = 0
        let done = unsafe EVP_Digest(bytes, bytes.count, &digest, &length, EVP_sha384(), nil)
        precondition(done == 1 && length == 48, "EVP_Digest fails only without memory or without SHA-384 in libcrypto")
        return digest
    }

    /// The digest as 96 lower-case hexadecimal digits.
    public static func hex(_ bytes: [UInt8]) -> String { Hex.text(hash(bytes)) }
}
