import Digest
import Testing

@Suite struct `Ed25519` {
    /// RFC 8032, section 7.1: secret, public key, message, signature.
    static let vectors = [
        (
            "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
            "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
            "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"
        ),
        (
            "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
            "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
        ),
        (
            "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
            "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
            "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a"
        ),
    ]

    @Test(arguments: vectors)
    func `signs and verifies as RFC 8032 says`(secret: String, known: String, message: String, signature: String) throws
    {
        let key = try #require(Hex.bytes(secret).flatMap { SigningKey(seed: $0) })
        let message = try #require(Hex.bytes(message))
        #expect(Hex.text(key.publicKey.bytes) == known)
        #expect(Hex.text(key.sign(message)) == signature)
        let publicKey = try #require(Hex.bytes(known).flatMap { PublicKey(bytes: $0) })
        let bytes = try #require(Hex.bytes(signature))
        #expect(publicKey.verifies(bytes, of: message))
        for index in [0, 31, 32, 63] {
            var wrong = bytes
            wrong[index] ^= 1
            #expect(!publicKey.verifies(wrong, of: message))
        }
        #expect(!publicKey.verifies(bytes, of: message + [0]))
        #expect(!publicKey.verifies(bytes.dropLast(), of: message))
        #expect(!SigningKey().publicKey.verifies(bytes, of: message))
    }

    @Test func `keeps a key as PEM text, and takes no other text for one`() throws {
        let key = SigningKey()
        let again = try #require(SigningKey(pem: Array(key.pem.utf8)))
        #expect(key.pem.hasPrefix("-----BEGIN PRIVATE KEY-----\n"))
        #expect(again.publicKey.bytes == key.publicKey.bytes)
        let known = try #require(PublicKey(pem: Array(key.publicKey.pem.utf8)))
        #expect(key.publicKey.pem.hasPrefix("-----BEGIN PUBLIC KEY-----\n"))
        #expect(known.verifies(again.sign([1, 2, 3]), of: [1, 2, 3]))
        #expect(known.id == key.publicKey.id && known.id.utf8.count == 16)
        for text in ["", "x", key.publicKey.pem, String(key.pem.dropLast(40)), Self.otherKind, Self.encrypted] {
            #expect(SigningKey(pem: Array(text.utf8)) == nil)
        }
        for text in ["", "x", key.pem, String(key.publicKey.pem.dropFirst(3))] {
            #expect(PublicKey(pem: Array(text.utf8)) == nil)
        }
        #expect(SigningKey(seed: [1]) == nil && PublicKey(bytes: [1]) == nil)
    }

    /// A key of another kind (P-256), made for this test.
    static let otherKind = """
        -----BEGIN PRIVATE KEY-----
        MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgopyUwbkVZzxjt7Z3
        /sux5+Uw6mTevgAMTx8HPj5hsuGhRANCAATF7GZ495xkIQjRr91H2UnNFjyr+s8R
        OmB8u1eTM/Aw61JyTzOtWaq7oaUWBF01W2q6Ujt3acfm0VnxiYytemxb
        -----END PRIVATE KEY-----

        """

    /// A key of the right kind behind a passphrase.
    static let encrypted = """
        -----BEGIN ENCRYPTED PRIVATE KEY-----
        MIGbMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAiqCBdHzDu7bgICCAAw
        DAYIKoZIhvcNAgkFADAdBglghkgBZQMEASoEEB8+sp4354MyzYD+Qau6HasEQGX8
        WzKFziwDFxiXI3alk2gXasEErQxi7YOepZlVwTYMf9wOP2PlfvEd6fE1411mkLn7
        eeD17lhwyhniW/RwGP4=
        -----END ENCRYPTED PRIVATE KEY-----

        """
}
