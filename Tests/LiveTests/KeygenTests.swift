import Digest
import Glibc
import LiveSupport
import Testing

@Suite struct `migrated keygen` {
    @Test func `makes a pair that openssl takes too, and overwrites nothing`() throws {
        let folder = try TemporaryDirectory(mode: 0o755)
        let migrated = try Program.built("migrated")
        let path = folder.path("key")
        let made = try Program.run(migrated, ["keygen", "--out", path])
        #expect(made.status == 0, "\(made)")
        let secret = try folder.read("key")
        let known = try folder.read("key.pub")
        #expect(made.output.hasSuffix(known) && made.output.contains("private key: \(path)\n"), "\(made)")
        #expect(!made.output.contains(secret.split(separator: "\n")[1]))
        var facts = stat()
        #expect(stat(path, &facts) == 0 && facts.st_mode & 0o7777 == 0o600)
        let ours = try #require(SigningKey(pem: Array(secret.utf8)))
        #expect(ours.publicKey.pem == known)
        #expect(made.output.contains(ours.publicKey.id))

        try folder.write("message", "anchor\n")
        let signed = try Program.run(
            "/usr/bin/openssl",
            [
                "pkeyutl", "-sign", "-inkey", path, "-rawin", "-in", folder.path("message"), "-out",
                folder.path("signature"),
            ])
        #expect(signed.status == 0, "\(signed)")
        try folder.write("ours", bytes: ours.sign(Array("anchor\n".utf8)))
        let checked = try Program.run(
            "/usr/bin/openssl",
            [
                "pkeyutl", "-verify", "-pubin", "-inkey", path + ".pub", "-rawin", "-in", folder.path("message"),
                "-sigfile",
                folder.path("ours"),
            ])
        #expect(checked.status == 0, "\(checked)")

        let again = try Program.run(migrated, ["keygen", "--out", path])
        #expect(again.status == 74 && again.errors.contains("HINT: A key is never overwritten"), "\(again)")
        #expect(try folder.read("key") == secret)
        let homeless = try Program.run(migrated, ["keygen", "--out", folder.path("none/key")])
        #expect(homeless.status == 74 && homeless.errors.contains("HINT: Make its directory first"), "\(homeless)")
        // A public key alone is not given another private one.
        #expect(unlink(path) == 0)
        let half = try Program.run(migrated, ["keygen", "--out", path])
        #expect(half.status == 74, "\(half)")
        #expect(access(path, F_OK) != 0)
        #expect(try folder.read("key.pub") == known)
    }
}
