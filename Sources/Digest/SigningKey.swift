internal import CCrypto

/// The private half of an Ed25519 key (RFC 8032), held by libcrypto.
///
/// Signatures are over the message itself, without a digest before it ("PureEdDSA"): 64 bytes, the same for the same message.
public struct SigningKey: Sendable {
    private let key: KeyHandle

    /// A new random key.
    public init() {
        var made: OpaquePointer?
        let context = unsafe EVP_PKEY_CTX_new_id(EVP_PKEY_ED25519, nil)
        defer { unsafe EVP_PKEY_CTX_free(context) }
        let done = unsafe (EVP_PKEY_keygen_init(context) == 1 && EVP_PKEY_keygen(context, &made) == 1)
        guard done, let made = unsafe made else { preconditionFailure("a key is made as long as there is memory") }
        key = unsafe KeyHandle(owning: made)
    }

    /// The key whose secret is these 32 bytes; nil for another length.
    public init?(seed: [UInt8]) {
        guard seed.count == 32,
            let made = unsafe EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nil, seed, seed.count)
        else { return nil }
        key = unsafe KeyHandle(owning: made)
    }

    /// The key in the PEM text of a file (PKCS #8, as `openssl genpkey -algorithm ed25519` writes it); nil where there is none, or one of
    /// another kind, or one behind a passphrase.
    public init?(pem: [UInt8]) {
        guard
            let key = unsafe KeyHandle.read(
                pem, { input in unsafe PEM_read_bio_PrivateKey(input, nil, refuse_passphrase, nil) })
        else { return nil }
        self.key = key
    }

    /// The key as PEM text (PKCS #8, not encrypted).
    public var pem: String {
        unsafe key.text { output, key in unsafe PEM_write_bio_PKCS8PrivateKey(output, key, nil, nil, 0, nil, nil) }
    }

    /// The public half.
    public var publicKey: PublicKey { PublicKey(key: key) }

    /// The signature of `message`: 64 bytes.
    public func sign(_ message: [UInt8]) -> [UInt8] {
        var signature = [UInt8](repeating: 0, count: 64)
        var length = signature.count
        let context = unsafe EVP_MD_CTX_new()
        defer { unsafe EVP_MD_CTX_free(context) }
        let done =
            unsafe (EVP_DigestSignInit(context, nil, nil, nil, key.pointer) == 1
            && EVP_DigestSign(context, &signature, &length, message, message.count) == 1)
        precondition(done && length == 64, "a key of this kind signs as long as there is memory")
        return signature
    }
}

/// The public half of an Ed25519 key: it tells whether a signature is of its private half.
public struct PublicKey: Sendable {
    private let key: KeyHandle

    init(key: KeyHandle) { self.key = key }

    /// The key that these 32 bytes write; nil for another length.
    public init?(bytes: [UInt8]) {
        guard bytes.count == 32,
            let made = unsafe EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nil, bytes, bytes.count)
        else { return nil }
        key = unsafe KeyHandle(owning: made)
    }

    /// The key in the PEM text of a file (SubjectPublicKeyInfo, `BEGIN PUBLIC KEY`); nil where there is none, or one of another kind.
    public init?(pem: [UInt8]) {
        guard let key = unsafe KeyHandle.read(pem, { input in unsafe PEM_read_bio_PUBKEY(input, nil, nil, nil) }) else {
            return nil
        }
        self.key = key
    }

    /// The key as PEM text.
    public var pem: String { unsafe key.text { output, key in unsafe PEM_write_bio_PUBKEY(output, key) } }

    /// The 32 bytes of the key.
    public var bytes: [UInt8] {
        var bytes = [UInt8](repeating: 0, count: 32)
        var length = bytes.count
        let done = unsafe EVP_PKEY_get_raw_public_key(key.pointer, &bytes, &length)
        precondition(done == 1 && length == 32, "a key of this kind has 32 bytes")
        return bytes
    }

    /// Names the key, for people and in anchors: the first 16 hexadecimal digits of the SHA-256 of its 32 bytes.
    public var id: String { Hex.text(SHA256.hash(bytes).prefix(8)) }

    /// Whether `signature` is that of `message` by the private half of this key.
    public func verifies(_ signature: [UInt8], of message: [UInt8]) -> Bool {
        guard signature.count == 64 else { return false }
        let context = unsafe EVP_MD_CTX_new()
        defer { unsafe EVP_MD_CTX_free(context) }
        return
            unsafe (EVP_DigestVerifyInit(context, nil, nil, nil, key.pointer) == 1
            && EVP_DigestVerify(context, signature, signature.count, message, message.count) == 1)
    }
}

/// An Ed25519 key of libcrypto's, which only reads it once it is made.
///
/// `@unchecked Sendable`: the pointer never changes, and what it points to is not written to after `init`.
@safe final class KeyHandle: @unchecked Sendable {
    let pointer: OpaquePointer

    /// Takes over a key.
    init(owning pointer: OpaquePointer) { unsafe self.pointer = pointer }

    deinit { unsafe EVP_PKEY_free(pointer) }

    /// The Ed25519 key that `reader` finds in PEM text.
    static func read(_ pem: [UInt8], _ reader: (OpaquePointer?) -> OpaquePointer?) -> KeyHandle? {
        guard pem.count <= 65536 else { return nil }
        // The BIO reads where the array lies, and so both live within the same call.
        let found = unsafe pem.withUnsafeBytes { bytes in
            let input = unsafe BIO_new_mem_buf(bytes.baseAddress, Int32(bytes.count))
            defer { unsafe BIO_free_all(input) }
            return unsafe input.flatMap { unsafe reader($0) }
        }
        guard let found = unsafe found else {
            // What was not found stays in the thread's queue of errors otherwise.
            ERR_clear_error()
            return nil
        }
        let handle = unsafe KeyHandle(owning: found)
        return unsafe EVP_PKEY_get_id(found) == EVP_PKEY_ED25519 ? handle : nil
    }

    /// The text that `writer` makes of the key.
    func text(_ writer: (OpaquePointer?, OpaquePointer?) -> Int32) -> String {
        let output = unsafe BIO_new(BIO_s_mem())
        defer { unsafe BIO_free_all(output) }
        guard unsafe writer(output, pointer) == 1 else {
            preconditionFailure("a key is written as long as there is memory")
        }
        var bytes = [UInt8](repeating: 0, count: 1024)
        let count = unsafe BIO_read(output, &bytes, Int32(bytes.count))
        precondition(count > 0 && count < bytes.count, "the text of such a key has some hundred bytes")
        return String(decoding: bytes.prefix(Int(count)), as: UTF8.self)
    }
}
