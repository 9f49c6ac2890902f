internal import CCrypto

/// SHA-256 of a text that grows: the digest of what was added so far, at any time.
public struct RunningSHA256 {
    private var state = SHA256_CTX()

    /// Of nothing yet.
    public init() {
        let done = unsafe SHA256_Init(&state)
        precondition(done == 1, "it cannot fail")
    }

    /// Adds bytes at the end.
    public mutating func add(_ bytes: [UInt8]) {
        let done = unsafe SHA256_Update(&state, bytes, bytes.count)
        precondition(done == 1, "it cannot fail")
    }

    /// The 32 bytes of the digest of what was added.
    public var hash: [UInt8] {
        var copy = state
        var digest = [UInt8](repeating: 0, count: Int(SHA256_DIGEST_LENGTH))
        let done = unsafe SHA256_Final(&digest, &copy)
        precondition(done == 1, "it cannot fail")
        return digest
    }
}
